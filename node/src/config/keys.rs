//! The table of keys: the one place where a setting is named, explained, read
//! and written. It never reads a file or the environment itself.

use toml::Value;

use super::Config;
use super::values::{self, Kind, LIST, NUMBER, SWITCH, TEXT, Wrong};

/// One setting.
pub(super) struct Key {
    /// `section.name`.
    pub full_name: &'static str,
    pub section: &'static str,
    pub name: &'static str,
    pub unit: Option<&'static str>,
    /// What it means, one entry per line of the settings file.
    pub about: &'static [&'static str],
    pub kind: Kind,
    pub get: fn(&Config) -> Value,
    pub set: fn(&mut Config, &Value) -> Result<(), Wrong>,
}

impl Key {
    /// `section.name`.
    pub(super) fn path(&self) -> String {
        self.full_name.to_owned()
    }

    /// `HANSE_SECTION_NAME`.
    pub(super) fn variable(&self) -> String {
        format!("HANSE_{}_{}", self.section, self.name).to_ascii_uppercase()
    }
}

/// First lines of every settings file that Hanse writes.
pub(super) const PREAMBLE: &str = "\
# Settings of this Hanse node. A line that begins with `#` is a comment; a key
# that is left out has its default. Each key can be set by a variable of the
# environment as well, which then takes precedence; lists are separated by
# commas there. Members, keys and limits of the federation stand in the charter.
";

/// The sections, in the order of the settings file.
pub(super) const SECTIONS: [(&str, &str); 7] = [
    ("node", "How the node speaks to people."),
    ("public", "Portal and query APIs: read only, for everyone."),
    ("desk", "Write API, status, metrics and health: for the town's own staff."),
    ("network", "Links to the nodes of the other towns."),
    ("store", "The two database files, replica.redb and closed.redb."),
    ("log", "What is written to standard error."),
    ("catch_up", "What happens between the start and the first own manifest."),
];

/// The key of this section and name.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

/// The only key of this name, for one that was written without its section.
pub(super) fn find_anywhere(name: &str) -> Option<&'static Key> {
    let mut found = KEYS.iter().filter(|key| key.name == name);
    found.next().filter(|_| found.next().is_none())
}

macro_rules! key {
    ($section:ident.$name:ident: $kind:ident, $unit:expr, [$($about:literal),+ $(,)?], $get:expr, $set:expr $(,)?) => {
        Key {
            full_name: concat!(stringify!($section), ".", stringify!($name)),
            section: stringify!($section),
            name: stringify!($name),
            unit: $unit,
            about: &[$($about),+],
            kind: $kind,
            get: $get,
            set: $set,
        }
    };
}

/// Every key, in the order of the settings file.
pub(super) static KEYS: [Key; 12] = [
    key!(node.language: TEXT, None,
        ["Language of pages when a browser asks for none: \"de\" or \"en\"."],
        |config| Value::from(values::language_name(config.node.language)),
        |config, value| values::language(value).map(|language| config.node.language = language),
    ),
    key!(public.listen: TEXT, None,
        [
            "Address and port of the portal. A proxy with TLS stands before it; to let",
            "the proxy run on another machine, use that network's address here.",
        ],
        |config| Value::from(config.public.listen.to_string()),
        |config, value| values::socket_address(value).map(|address| config.public.listen = address),
    ),
    key!(public.base_url: TEXT, None,
        [
            "Where the world finds this portal, for example \"https://daten.soest.example\".",
            "The lasting addresses (IRIs) of new datasets begin with it, so set it before",
            "the first publication and keep it. Empty: made from `listen`, for trials.",
        ],
        |config| Value::from(config.public.base_url.as_ref().map(ToString::to_string).unwrap_or_default()),
        |config, value| values::base_url(value).map(|url| config.public.base_url = url),
    ),
    key!(desk.listen: TEXT, None,
        [
            "Address and port of the desk. It can write: keep it on this machine, or put",
            "a proxy with TLS in front.",
        ],
        |config| Value::from(config.desk.listen.to_string()),
        |config, value| values::socket_address(value).map(|address| config.desk.listen = address),
    ),
    key!(network.listen: LIST, None,
        [
            "Multiaddrs at which other towns reach this node. Empty: this node only dials",
            "out, which is enough while the other side of each pair can be reached.",
        ],
        |config| values::list(&config.network.listen),
        |config, value| values::listen_addresses(value).map(|addresses| config.network.listen = addresses),
    ),
    key!(network.dial: LIST, None,
        [
            "Addresses to dial besides those in the charter, each ending in /p2p/ and the",
            "other node's PeerId, for example \"/dns/hanse.olpe.example/tcp/8301/p2p/12D3…\".",
        ],
        |config| values::list(&config.network.dial),
        |config, value| values::dial_addresses(value).map(|addresses| config.network.dial = addresses),
    ),
    key!(store.cache_mb: NUMBER, Some("MiB"),
        ["Memory for pages of the two files together. More helps with many datasets."],
        |config| Value::from(config.store.cache_mb),
        |config, value| values::number(value, 4, 65_536).map(|number| config.store.cache_mb = number),
    ),
    key!(store.check_integrity: SWITCH, None,
        [
            "Check every page when the files are opened. Costs a few seconds per GiB at",
            "the start and finds damage that would be read as wrong data otherwise.",
        ],
        |config| Value::from(config.store.check_integrity),
        |config, value| values::switch(value).map(|switch| config.store.check_integrity = switch),
    ),
    key!(log.format: TEXT, None,
        ["\"text\" for people, \"json\" for a log collector (one object per line)."],
        |config| Value::from(values::log_format_name(config.log.format)),
        |config, value| values::log_format(value).map(|format| config.log.format = format),
    ),
    key!(log.level: TEXT, None,
        [
            "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"; or per module, for example",
            "\"info,node::network=debug\".",
        ],
        |config| Value::from(config.log.level.clone()),
        |config, value| values::log_level(value).map(|level| config.log.level = level),
    ),
    key!(catch_up.timeout_s: NUMBER, Some("seconds"),
        [
            "How long the start waits for a peer that gives back what this node has",
            "published before. Without one, readers and harvesters are served after that",
            "from what is held here, and with `publish_offline` the node publishes.",
        ],
        |config| Value::from(config.catch_up.timeout_s),
        |config, value| values::number(value, 1, 86_400).map(|number| config.catch_up.timeout_s = number),
    ),
    key!(catch_up.publish_offline: SWITCH, None,
        [
            "Publish although no peer can be reached. Off, a node that finds itself alone",
            "after a start edits and searches, and publishes when a peer is there again.",
            "Safe if this directory is the newest state of the node, wrong after restoring",
            "an older backup.",
        ],
        |config| Value::from(config.catch_up.publish_offline),
        |config, value| values::switch(value).map(|switch| config.catch_up.publish_offline = switch),
    ),
];
