//! What a value may be: from TOML or from a variable's text into our types,
//! with the remedy where it cannot. It knows no key.

use std::net::{IpAddr, SocketAddr};

use toml::Value;
use url::Url;

use super::{Language, LogFormat};

/// What would be right, as the end of a sentence.
pub(super) struct Wrong(pub String);

/// How the text of an environment variable becomes a TOML value.
pub(super) struct Kind {
    pub from_text: fn(&str) -> Result<Value, Wrong>,
}

pub(super) const TEXT: Kind = Kind { from_text: |text| Ok(Value::from(text)) };

pub(super) const NUMBER: Kind = Kind {
    from_text: |text| {
        let number: Result<i64, _> = text.trim().parse();
        number.map(Value::from).map_err(|_| Wrong("give a whole number".into()))
    },
};

pub(super) const SWITCH: Kind = Kind {
    from_text: |text| match text.trim() {
        "true" => Ok(Value::from(true)),
        "false" => Ok(Value::from(false)),
        _ => Err(Wrong("give `true` or `false`".into())),
    },
};

pub(super) const LIST: Kind = Kind {
    from_text: |text| {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Ok(Value::Array(parts.map(Value::from).collect()))
    },
};

/// Multiaddrs per list; more are a mistake, not a configuration.
const ADDRESSES_MAX: usize = 64;

/// A value as an error shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn text(value: &Value) -> Result<&str, Wrong> {
    value.as_str().ok_or_else(|| Wrong("give a text in quotation marks".into()))
}

pub(super) fn switch(value: &Value) -> Result<bool, Wrong> {
    value.as_bool().ok_or_else(|| Wrong("give true or false, without quotation marks".into()))
}

pub(super) fn number(value: &Value, least: u32, most: u32) -> Result<u32, Wrong> {
    value
        .as_integer()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| Wrong(format!("give a whole number from {least} to {most}")))
}

pub(super) fn socket_address(value: &Value) -> Result<SocketAddr, Wrong> {
    text(value)?.parse().map_err(|_| {
        Wrong("give an IP address and a port, such as \"127.0.0.1:8101\" or \"[::1]:8101\"".into())
    })
}

pub(super) fn base_url(value: &Value) -> Result<Option<Url>, Wrong> {
    let text = text(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    let remedy = || Wrong("give an address such as \"https://daten.soest.example\"".into());
    let url = Url::parse(text).map_err(|_| remedy())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(remedy());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(Wrong("give it without user name, `?` and `#`".into()));
    }
    Ok(Some(url))
}

pub(super) fn language(value: &Value) -> Result<Language, Wrong> {
    match text(value)? {
        "de" => Ok(Language::De),
        "en" => Ok(Language::En),
        _ => Err(Wrong("give \"de\" or \"en\"".into())),
    }
}

pub(super) fn language_name(language: Language) -> &'static str {
    match language {
        Language::De => "de",
        Language::En => "en",
    }
}

pub(super) fn log_format(value: &Value) -> Result<LogFormat, Wrong> {
    match text(value)? {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(Wrong("give \"text\" or \"json\"".into())),
    }
}

pub(super) fn log_format_name(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    }
}

pub(super) fn log_level(value: &Value) -> Result<String, Wrong> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let text = text(value)?;
    let known = |directive: &str| {
        let level = directive.rsplit('=').next().unwrap_or_default();
        LEVELS.contains(&level.trim())
    };
    if text.split(',').all(known) {
        Ok(text.to_owned())
    } else {
        Err(Wrong(format!("give one of {}, or module=level pairs separated by commas", LEVELS.join(", "))))
    }
}

pub(super) fn list(entries: &[String]) -> Value {
    Value::Array(entries.iter().map(|entry| Value::from(entry.as_str())).collect())
}

pub(super) fn listen_addresses(value: &Value) -> Result<Vec<String>, Wrong> {
    const REMEDY: &str = "give a list of addresses of this machine, such as [\"/ip4/0.0.0.0/tcp/8301\"]";
    addresses(value, REMEDY, |parts| matches!(parts, [Part::Ip, Part::Tcp]))
}

pub(super) fn dial_addresses(value: &Value) -> Result<Vec<String>, Wrong> {
    const REMEDY: &str = "give a list such as [\"/dns/hanse.olpe.example/tcp/8301/p2p/12D3…\"]";
    addresses(value, REMEDY, |parts| matches!(parts, [Part::Ip | Part::Name, Part::Tcp, Part::Peer]))
}

/// What a multiaddr of ours is made of. The network parses it in full; here
/// only its outline is checked, so that the mistake is named with its key.
#[derive(PartialEq, Eq)]
enum Part {
    Ip,
    Name,
    Tcp,
    Peer,
}

fn addresses(value: &Value, remedy: &str, fits: impl Fn(&[Part]) -> bool) -> Result<Vec<String>, Wrong> {
    let wrong = || Wrong(remedy.to_owned());
    let entries = value.as_array().ok_or_else(wrong)?;
    if entries.len() > ADDRESSES_MAX {
        return Err(Wrong(format!("give at most {ADDRESSES_MAX} addresses")));
    }
    entries
        .iter()
        .map(|entry| {
            let address = entry.as_str().ok_or_else(wrong)?;
            match outline(address) {
                Some(parts) if fits(&parts) => Ok(address.to_owned()),
                _ => Err(Wrong(format!("`{address}` does not fit; {remedy}"))),
            }
        })
        .collect()
}

fn outline(address: &str) -> Option<Vec<Part>> {
    let mut words = address.strip_prefix('/')?.split('/');
    let mut parts = Vec::new();
    while let Some(protocol) = words.next() {
        let value = words.next().filter(|value| !value.is_empty())?;
        parts.push(match protocol {
            "ip4" => value.parse::<IpAddr>().ok().filter(IpAddr::is_ipv4).map(|_| Part::Ip)?,
            "ip6" => value.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6).map(|_| Part::Ip)?,
            "dns" | "dns4" | "dns6" => Part::Name,
            "tcp" => value.parse::<u16>().ok().map(|_| Part::Tcp)?,
            "p2p" => Part::Peer,
            _ => return None,
        });
    }
    Some(parts)
}

/// The candidate that differs from `given` in the fewest letters, if few enough.
pub(super) fn nearest(given: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    candidates
        .map(|candidate| (distance(given, &candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len() / 3)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance: insertions, deletions and replacements of letters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
