//! What an operator can set: every key with its meaning, unit and default.
//!
//! One file, [`FILE_NAME`] in the data directory, and the environment above it
//! (`HANSE_SECTION_KEY`). The table in `config/keys.rs` is the only place that
//! knows a key: reading, refusing, the reference file and the documentation
//! come from it. A key that is not in the table is refused by name.
//!
//! This module decides nothing about the federation: who is a member and what
//! the protocol's limits are stands in the charter, not here.

mod keys;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use toml::Value;
use url::Url;

use self::keys::{KEYS, Key, SECTIONS};
use self::values::Wrong;

/// Name of the file in the data directory.
pub const FILE_NAME: &str = "hanse.toml";

/// Longest settings file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// All settings of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How the node speaks to people.
    pub node: NodeConfig,
    /// Portal and query APIs: read only, for everyone.
    pub public: PublicConfig,
    /// Write API, status, metrics and health: for the town's own staff.
    pub desk: DeskConfig,
    /// Links to the other towns.
    pub network: NetworkConfig,
    /// The two database files.
    pub store: StoreConfig,
    /// What is written to standard error.
    pub log: LogConfig,
    /// What happens between the start and the first own manifest.
    pub catch_up: CatchUpConfig,
}

/// Section `[node]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    /// Language of pages and messages when a reader asks for none.
    pub language: Language,
}

/// Section `[public]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicConfig {
    /// Address and port of the public listener.
    pub listen: SocketAddr,
    /// Where the world finds the portal; the IRIs of new datasets stand below it.
    pub base_url: Option<Url>,
}

/// Section `[desk]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskConfig {
    /// Address and port of the desk listener.
    pub listen: SocketAddr,
}

/// Section `[network]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Multiaddrs that other towns' nodes can reach; empty: outbound only.
    pub listen: Vec<String>,
    /// Multiaddrs to dial besides those of the charter, each ending in `/p2p/…`.
    pub dial: Vec<String>,
}

/// Section `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// Page cache of the two files together, in MiB.
    pub cache_mb: u32,
    /// Whether every page is checked when the files are opened.
    pub check_integrity: bool,
}

/// Section `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Lines for people or objects for programs.
    pub format: LogFormat,
    /// What is logged: a level, or levels per module.
    pub level: String,
}

/// Section `[catch_up]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatchUpConfig {
    /// How long a start waits for a peer before it publishes without having asked one, in seconds.
    pub timeout_s: u32,
    /// Whether a node that reaches no peer may publish all the same, after that time.
    pub publish_offline: bool,
}

/// A language the pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// German.
    De,
    /// English.
    En,
}

/// Shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line per event.
    Text,
    /// One JSON object per line.
    Json,
}

/// Why the settings cannot be used. Nothing is started with half of them.
#[derive(Debug, thiserror::Error)]
pub enum LoadConfigError {
    /// The file is there but cannot be read.
    #[error("read the settings `{}`: {source}", path.display())]
    Read {
        /// The settings file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no settings file at all.
    #[error("read the settings `{}`: {bytes} bytes, at most {FILE_BYTES_MAX}: is this the right file?", path.display())]
    TooLarge {
        /// The settings file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// The file is not TOML.
    #[error("understand {origin}, line {line}: {message}")]
    Syntax {
        /// The settings file.
        origin: Origin,
        /// Line, from 1.
        line: usize,
        /// What the parser expected.
        message: String,
    },
    /// A key that no version of Hanse up to this one knows.
    #[error("use {origin}: there is no key `{key}`; {remedy}")]
    UnknownKey {
        /// File or environment variable.
        origin: Origin,
        /// The key as given.
        key: String,
        /// The nearest known one.
        remedy: String,
    },
    /// A known key with a value it cannot have.
    #[error("use {origin}: `{key}` cannot be `{value}`: {remedy}")]
    WrongValue {
        /// File or environment variable.
        origin: Origin,
        /// The key, with its section.
        key: &'static str,
        /// The value as given.
        value: String,
        /// What would be right.
        remedy: String,
    },
}

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A settings file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the settings `{}`", path.display()),
            Self::Environment(name) => write!(f, "the environment variable `{name}`"),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            node: NodeConfig { language: Language::De },
            public: PublicConfig { listen: SocketAddr::from(([127, 0, 0, 1], 8101)), base_url: None },
            desk: DeskConfig { listen: SocketAddr::from(([127, 0, 0, 1], 8201)) },
            network: NetworkConfig { listen: vec!["/ip4/0.0.0.0/tcp/8301".to_owned()], dial: Vec::new() },
            store: StoreConfig { cache_mb: 64, check_integrity: true },
            log: LogConfig { format: LogFormat::Text, level: "info".to_owned() },
            catch_up: CatchUpConfig { timeout_s: 60, publish_offline: false },
        }
    }
}

impl Config {
    /// Reads `hanse.toml` of a data directory, if it is there, and the
    /// variables of `environment` that begin with the name of a section.
    pub fn load(
        directory: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, LoadConfigError> {
        let path = directory.join(FILE_NAME);
        let mut config = Self::default();
        if let Some(text) = read(&path)? {
            config.override_with(&text, &path)?;
        }
        config.override_from(environment)?;
        Ok(config)
    }

    /// Understands the text of a settings file; `path` is only named in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, LoadConfigError> {
        let mut config = Self::default();
        config.override_with(text, path)?;
        config.check_listeners(&Origin::File(path.to_path_buf()))?;
        Ok(config)
    }

    fn override_with(&mut self, text: &str, path: &Path) -> Result<(), LoadConfigError> {
        let origin = Origin::File(path.to_path_buf());
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| LoadConfigError::Syntax {
            origin: origin.clone(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            message: error.message().replace('\n', ", "),
        })?;
        for (section, content) in &table {
            let Value::Table(content) = content else {
                return Err(unknown_section(&origin, section));
            };
            if !SECTIONS.iter().any(|(known, _)| known == section) {
                return Err(unknown_section(&origin, section));
            }
            for (name, value) in content {
                let key = keys::find(section, name)
                    .ok_or_else(|| unknown_key(&origin, &format!("{section}.{name}")))?;
                self.set(key, value, &origin)?;
            }
        }
        Ok(())
    }

    /// Lets variables such as `HANSE_PUBLIC_LISTEN` take precedence. Others are
    /// none of ours, but a misspelt key of a known section is refused.
    pub fn override_from(
        &mut self,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), LoadConfigError> {
        // Sorted, so that of two mistakes the same one is named each time.
        let mut variables: Vec<(String, String)> = environment
            .into_iter()
            .filter(|(name, _)| SECTIONS.iter().any(|(section, _)| name.starts_with(&prefix(section))))
            .collect();
        variables.sort();
        let mut last = Origin::File(PathBuf::from(FILE_NAME));
        for (name, text) in variables {
            let origin = Origin::Environment(name.clone());
            let key = KEYS
                .iter()
                .find(|key| key.variable() == name)
                .ok_or_else(|| unknown_variable(&origin, &name))?;
            let value =
                (key.kind.from_text)(&text).map_err(|wrong| wrong_value(key, &origin, &text, wrong))?;
            self.set(key, &value, &origin)?;
            last = origin;
        }
        // Both listeners may have moved: only the whole is right or wrong.
        self.check_listeners(&last)
    }

    /// The settings file with every key, its meaning, unit and default.
    pub fn reference() -> String {
        Self::default().written(|_| true)
    }

    /// A settings file for these settings: what differs from the default is
    /// set, all else is there as a comment and follows later defaults.
    pub fn to_toml(&self) -> String {
        let default = Self::default();
        self.written(|key| (key.get)(self) != (key.get)(&default))
    }

    /// What an operator should know about settings that are allowed but risky.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.desk.listen.ip().is_loopback() {
            warnings.push(format!(
                "desk.listen is {}: the desk is reachable from other machines; \
                 put a proxy with TLS in front, or use 127.0.0.1",
                self.desk.listen
            ));
        }
        if !self.store.check_integrity {
            warnings.push(
                "store.check_integrity is off: damage on the disk can be read as wrong data without notice"
                    .into(),
            );
        }
        if self.catch_up.publish_offline {
            warnings.push(
                "catch_up.publish_offline is on: after restoring an old backup this node may contradict \
                 what it has published before"
                    .into(),
            );
        }
        warnings
    }

    fn set(&mut self, key: &'static Key, value: &Value, origin: &Origin) -> Result<(), LoadConfigError> {
        (key.set)(self, value).map_err(|wrong| wrong_value(key, origin, &values::shown(value), wrong))
    }

    fn check_listeners(&self, origin: &Origin) -> Result<(), LoadConfigError> {
        if self.public.listen == self.desk.listen && self.desk.listen.port() != 0 {
            return Err(LoadConfigError::WrongValue {
                origin: origin.clone(),
                key: "desk.listen",
                value: self.desk.listen.to_string(),
                remedy: "`public.listen` is the same; the two listeners need two ports".into(),
            });
        }
        Ok(())
    }

    fn written(&self, active: impl Fn(&Key) -> bool) -> String {
        let mut text = String::from(keys::PREAMBLE);
        let default = Self::default();
        for (section, about) in SECTIONS {
            text += &format!("\n# {about}\n[{section}]\n");
            for key in KEYS.iter().filter(|key| key.section == section) {
                for line in key.about {
                    text += &format!("# {line}\n");
                }
                let unit = key.unit.map(|unit| format!("Unit: {unit}. ")).unwrap_or_default();
                text += &format!("# {unit}Default: {}. Variable: {}\n", (key.get)(&default), key.variable());
                let mark = if active(key) { "" } else { "#" };
                text += &format!("{mark}{} = {}\n\n", key.name, (key.get)(self));
            }
            text.pop();
        }
        text
    }
}

fn read(path: &Path) -> Result<Option<String>, LoadConfigError> {
    let failed = |source| LoadConfigError::Read { path: path.to_path_buf(), source };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
            return Err(LoadConfigError::TooLarge { path: path.to_path_buf(), bytes: metadata.len() });
        }
        Ok(_) => {}
    }
    fs::read_to_string(path).map(Some).map_err(failed)
}

fn prefix(section: &str) -> String {
    format!("HANSE_{}_", section.to_ascii_uppercase())
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

fn unknown_section(origin: &Origin, section: &str) -> LoadConfigError {
    let sections: Vec<String> = SECTIONS.iter().map(|(section, _)| format!("[{section}]")).collect();
    let key = keys::find_anywhere(section);
    let remedy = match key {
        Some(key) => format!("it belongs under `[{}]`", key.section),
        None => format!("the sections are {}", sections.join(", ")),
    };
    LoadConfigError::UnknownKey { origin: origin.clone(), key: section.to_owned(), remedy }
}

fn unknown_key(origin: &Origin, key: &str) -> LoadConfigError {
    let remedy = match values::nearest(key, KEYS.iter().map(Key::path)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`hanse config` prints all keys".to_owned(),
    };
    LoadConfigError::UnknownKey { origin: origin.clone(), key: key.to_owned(), remedy }
}

fn unknown_variable(origin: &Origin, name: &str) -> LoadConfigError {
    let remedy = match values::nearest(name, KEYS.iter().map(Key::variable)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`hanse config` prints all variables".to_owned(),
    };
    LoadConfigError::UnknownKey { origin: origin.clone(), key: name.to_owned(), remedy }
}

fn wrong_value(key: &'static Key, origin: &Origin, value: &str, wrong: Wrong) -> LoadConfigError {
    LoadConfigError::WrongValue {
        origin: origin.clone(),
        key: key.full_name,
        value: value.chars().take(80).collect(),
        remedy: wrong.0,
    }
}
