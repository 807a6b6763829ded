//! A node's data directory: what lies where, who may open it, and its first
//! hour (`docs/storage.md`).
//!
//! One process at a time: [`Directory`] holds the lock file as long as it
//! lives. Nothing here talks to a network.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crdt::ids::{PublicKey, Town};
use crdt::peer_id;
use crdt::signed::public_key;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use crate::config;
use crate::keys::{self, KeyError};
use crate::store::{ClosedStore, OpenStoreError, ReplicaStore, StoreSettings, is_full};
use crate::view::TownInfo;

/// The town's own key; better kept off the machine once the node is certified.
pub const IDENTITY_KEY_FILE: &str = "identity.key";
/// The key that seals.
pub const NODE_KEY_FILE: &str = "node.key";
/// The key of the node's `PeerId`.
pub const TRANSPORT_KEY_FILE: &str = "transport.key";
/// Who the node is, without secrets; handed to the other towns.
pub const MEMBER_FILE: &str = "member.json";
/// What the desk API asks for.
pub const DESK_TOKEN_FILE: &str = "desk.token";
/// Where the search indexes lie.
pub const INDEX_DIRECTORY: &str = "index";
/// Held by the process that works with the directory.
pub const LOCK_FILE: &str = "lock";

/// Longest member file in bytes.
const MEMBER_BYTES_MAX: u64 = 64 * 1024;
/// Longest name of a town in bytes, as in the charter.
const NAME_BYTES_MAX: usize = 200;
/// Longest short name in bytes, as in the charter.
const CODE_BYTES_MAX: usize = 16;

/// What a town tells the others about itself before the federation is founded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFile {
    /// Format of this file.
    pub format: u32,
    /// Municipality key.
    pub town: Town,
    /// Short name.
    pub code: String,
    /// Name.
    pub name: String,
    /// Key that speaks for the town.
    pub identity_key: PublicKey,
    /// Key that its node seals with.
    pub node_key: PublicKey,
    /// Key of its node's `PeerId`.
    pub transport_key: PublicKey,
    /// Where its node is reached, each ending in `/p2p/…`; empty: it only dials out.
    pub addresses: Vec<String>,
}

impl MemberFile {
    /// Reads a member file's text; `path` is only named in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, DirectoryError> {
        let wrong = |detail: String| DirectoryError::Member { path: path.to_owned(), detail };
        let member: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if member.format != 1 {
            return Err(wrong(format!("it has format {}, this program knows format 1", member.format)));
        }
        check_town(&member.code, &member.name)?;
        for address in &member.addresses {
            if peer_id::key_of_address(address) != Some(member.transport_key) {
                return Err(wrong(format!("address `{address}` does not end in the peer id of its node")));
            }
        }
        Ok(member)
    }

    /// Reads a member file.
    pub fn read(path: &Path) -> Result<Self, DirectoryError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                DirectoryError::NotADirectory { path: path.parent().unwrap_or(path).to_owned() }
            }
            _ => io_error(path, error),
        })?;
        let mut text = String::new();
        file.take(MEMBER_BYTES_MAX).read_to_string(&mut text).map_err(|error| io_error(path, error))?;
        Self::parse(&text, path)
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a member file is text and numbers");
        text.push('\n');
        text
    }

    /// The town as people know it.
    pub fn info(&self) -> TownInfo {
        TownInfo { town: self.town, code: self.code.clone(), name: self.name.clone() }
    }
}

/// Why a data directory cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is no data directory.
    #[error("use `{}`: it is not a data directory (no `{MEMBER_FILE}` in it); `hanse init` makes one", path.display())]
    NotADirectory {
        /// The directory.
        path: PathBuf,
    },
    /// There is one already.
    #[error("make the data directory `{}`: there is one already; give another path", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// A short name or name that a charter could not hold.
    #[error("use {field} `{value}`: {remedy}")]
    Town {
        /// Which one.
        field: &'static str,
        /// As given.
        value: String,
        /// What would be right.
        remedy: &'static str,
    },
    /// An address that a charter could not hold.
    #[error("use address `{address}`: {remedy}")]
    Address {
        /// As given.
        address: String,
        /// What would be right.
        remedy: String,
    },
    /// The member file is not readable.
    #[error("understand `{}`: {detail}; put it back from a backup, or ask the town for its file again", path.display())]
    Member {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A key is missing or exposed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key does not belong to the member file.
    #[error("use `{}`: it is not the key that `{MEMBER_FILE}` names; put back both from one backup", path.display())]
    OtherKey {
        /// The key file.
        path: PathBuf,
    },
    /// A store cannot be opened, or another process has the directory.
    #[error(transparent)]
    Store(#[from] OpenStoreError),
    /// The system refused.
    #[error("use `{}`: {source}", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What a new data directory is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTown {
    /// Municipality key.
    pub town: Town,
    /// Short name in paths.
    pub code: String,
    /// Name.
    pub name: String,
    /// Where others reach the node, with or without `/p2p/…` at the end.
    pub addresses: Vec<String>,
}

/// An open data directory.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Whose it is.
    pub member: MemberFile,
    /// Seals changes.
    pub node_key: SigningKey,
    /// Authenticates connections.
    pub transport_key: SigningKey,
    /// What the federation shares.
    pub replica: ReplicaStore,
    /// What never leaves the town.
    pub closed: ClosedStore,
    lock: File,
}

impl Directory {
    /// Makes a data directory with new keys and empty stores. Nothing that is
    /// there already is touched.
    pub fn init(path: &Path, new: &NewTown) -> Result<MemberFile, DirectoryError> {
        check_town(&new.code, &new.name)?;
        if path.join(MEMBER_FILE).exists() {
            return Err(DirectoryError::Exists { path: path.to_owned() });
        }
        // Before anything is made: the node's key is not known yet, the form is.
        for address in &new.addresses {
            full_address(address, &PublicKey::default())?;
        }
        make_private_directory(path)?;
        let identity = keys::create(&path.join(IDENTITY_KEY_FILE))?;
        let node = keys::create(&path.join(NODE_KEY_FILE))?;
        let transport = keys::create(&path.join(TRANSPORT_KEY_FILE))?;
        keys::create_token(&path.join(DESK_TOKEN_FILE))?;
        let transport_key = public_key(&transport);
        let addresses = new.addresses.iter().map(|address| full_address(address, &transport_key));
        let member = MemberFile {
            format: 1,
            town: new.town,
            code: new.code.clone(),
            name: new.name.clone(),
            identity_key: public_key(&identity),
            node_key: public_key(&node),
            transport_key,
            addresses: addresses.collect::<Result<_, _>>()?,
        };
        let settings = StoreSettings::default();
        ReplicaStore::open(path, settings)?;
        ClosedStore::open(path, settings)?;
        // The member file comes last: with it the directory is whole.
        write_member(path, &member)?;
        Ok(member)
    }

    /// Opens a data directory for this process alone.
    pub fn open(path: &Path, settings: StoreSettings) -> Result<Self, DirectoryError> {
        let member = MemberFile::read(&path.join(MEMBER_FILE))?;
        let lock = lock(path)?;
        let node_key = own_key(path, NODE_KEY_FILE, &member.node_key)?;
        let transport_key = own_key(path, TRANSPORT_KEY_FILE, &member.transport_key)?;
        // The town's own records are few; the rest of the cache is the replica's.
        let closed_settings = StoreSettings { cache_bytes: settings.cache_bytes / 8, ..settings };
        let replica_settings =
            StoreSettings { cache_bytes: settings.cache_bytes - closed_settings.cache_bytes, ..settings };
        let replica = ReplicaStore::open(path, replica_settings).map_err(|error| in_use(error, path))?;
        let closed = ClosedStore::open(path, closed_settings).map_err(|error| in_use(error, path))?;
        Ok(Self { path: path.to_owned(), member, node_key, transport_key, replica, closed, lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings file's path.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(config::FILE_NAME)
    }

    /// The town's identity key, if it is still kept here.
    pub fn identity_key(&self) -> Result<SigningKey, DirectoryError> {
        own_key(&self.path, IDENTITY_KEY_FILE, &self.member.identity_key)
    }

    /// The desk's token; made if there is none.
    pub fn desk_token(&self) -> Result<String, KeyError> {
        let path = self.path.join(DESK_TOKEN_FILE);
        match keys::read_token(&path) {
            Err(KeyError::Missing { .. }) => keys::create_token(&path),
            read => read,
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // The lock itself ends with the file; the number in it would mislead.
        let _ = self.lock.set_len(0);
    }
}

fn check_town(code: &str, name: &str) -> Result<(), DirectoryError> {
    let code_is_fine = (1..=CODE_BYTES_MAX).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !code.starts_with('-')
        && !code.ends_with('-');
    if !code_is_fine {
        return Err(DirectoryError::Town {
            field: "short name",
            value: code.chars().take(80).collect(),
            remedy: "give 1 to 16 lower-case letters, digits and hyphens, for example bad-berleburg",
        });
    }
    if name.trim().is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(DirectoryError::Town {
            field: "name",
            value: name.chars().take(80).collect(),
            remedy: "give the town's name in 1 to 200 bytes, for example Bad Berleburg",
        });
    }
    Ok(())
}

fn full_address(address: &str, key: &PublicKey) -> Result<String, DirectoryError> {
    let refused = |remedy: &str| DirectoryError::Address {
        address: address.chars().take(200).collect(),
        remedy: remedy.to_owned(),
    };
    let own = peer_id::of_key(key);
    let full = match address.split_once("/p2p/") {
        Some((_, peer)) if peer == own => address.to_owned(),
        Some(_) => return Err(refused("it names another node; leave out `/p2p/…`, it is added")),
        None => format!("{}/p2p/{own}", address.trim_end_matches('/')),
    };
    if peer_id::key_of_address(&full) == Some(*key) && full.starts_with('/') {
        Ok(full)
    } else {
        Err(refused("give a multiaddr such as /dns4/hanse.soest.example/tcp/8301"))
    }
}

fn own_key(directory: &Path, file: &str, public: &PublicKey) -> Result<SigningKey, DirectoryError> {
    let path = directory.join(file);
    let key = keys::read(&path)?;
    if public_key(&key) == *public { Ok(key) } else { Err(DirectoryError::OtherKey { path }) }
}

fn make_private_directory(path: &Path) -> Result<(), DirectoryError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| io_error(path, error))
}

fn write_member(directory: &Path, member: &MemberFile) -> Result<(), DirectoryError> {
    let path = directory.join(MEMBER_FILE);
    let write = || -> io::Result<()> {
        let mut file = File::create_new(&path)?;
        file.write_all(member.to_text().as_bytes())?;
        file.sync_all()?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|error| io_error(&path, error))
}

fn lock(directory: &Path) -> Result<File, DirectoryError> {
    let path = directory.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(|error| io_error(&path, error))?;
    match file.try_lock() {
        Ok(()) => {
            let note = format!("{}\n", std::process::id());
            let noted =
                file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes()));
            noted.map_err(|error| io_error(&path, error))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut note = String::new();
            let _ = file.take(32).read_to_string(&mut note);
            let pid = note.trim().parse().ok();
            Err(OpenStoreError::Locked { path: directory.to_owned(), pid }.into())
        }
        Err(TryLockError::Error(error)) => Err(io_error(&path, error)),
    }
}

/// A store in use although the lock was free: name the directory, not the file.
fn in_use(error: OpenStoreError, directory: &Path) -> OpenStoreError {
    match error {
        OpenStoreError::Locked { pid, .. } => OpenStoreError::Locked { path: directory.to_owned(), pid },
        other => other,
    }
}

fn io_error(path: &Path, source: io::Error) -> DirectoryError {
    match source.kind() {
        io::ErrorKind::PermissionDenied => OpenStoreError::Permission { path: path.to_owned() }.into(),
        kind if is_full(kind) => OpenStoreError::DiskFull { path: path.to_owned() }.into(),
        _ => DirectoryError::Io { path: path.to_owned(), source },
    }
}
