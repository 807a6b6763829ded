//! The note that a serving node leaves in its directory: where it listens now.
//!
//! Commands read it to find the desk. It is only a hint: the lock on the
//! database files, not this note, keeps two processes apart, and a note of a
//! process that was killed is recognised by nobody listening there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Name of the note in the data directory.
pub(crate) const FILE_NAME: &str = "running.json";

/// Longest note that is read, in bytes.
const BYTES_MAX: u64 = 64 * 1024;

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Number of the process.
    pub(crate) process: u32,
    /// The public listener.
    pub(crate) public: SocketAddr,
    /// The desk.
    pub(crate) desk: SocketAddr,
    /// Multiaddrs for other towns.
    pub(crate) network: Vec<String>,
}

impl Running {
    /// The note in a directory; `None` if there is none that can be read.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let path = directory.join(FILE_NAME);
        if fs::metadata(&path).ok()?.len() > BYTES_MAX {
            return None;
        }
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }

    /// Leaves the note until the guard is dropped.
    pub(crate) fn leave(&self, directory: &Path) -> Result<Guard, Failure> {
        let path = directory.join(FILE_NAME);
        let written = |error: io::Error| Failure::refused(format!("write `{}`: {error}", path.display()));
        let text = serde_json::to_string_pretty(self).map_err(|error| written(error.into()))?;
        // A reader never sees half a note.
        let fresh = directory.join(format!("{FILE_NAME}.new"));
        fs::write(&fresh, text + "\n").and_then(|()| fs::rename(&fresh, &path)).map_err(written)?;
        Ok(Guard { path })
    }

    /// The desk as this machine reaches it.
    pub(crate) fn desk_url(&self) -> String {
        url(self.desk)
    }

    /// The portal as this machine reaches it.
    pub(crate) fn public_url(&self) -> String {
        url(self.public)
    }
}

/// Removes the note.
#[derive(Debug)]
pub(crate) struct Guard {
    path: PathBuf,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // A note left behind is harmless, see above.
        let _ = fs::remove_file(&self.path);
    }
}

/// A listener on all addresses is reached on the machine's own.
pub(crate) fn url(listener: SocketAddr) -> String {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, listener.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_there_while_the_guard_is() {
        let directory = tempfile::tempdir().unwrap();
        let running = Running {
            process: 7,
            public: "0.0.0.0:8101".parse().unwrap(),
            desk: "[::1]:8201".parse().unwrap(),
            network: Vec::new(),
        };
        let guard = running.leave(directory.path()).unwrap();
        assert_eq!(Running::read(directory.path()), Some(running.clone()));
        assert_eq!(
            (running.public_url(), running.desk_url()),
            ("http://127.0.0.1:8101".into(), "http://[::1]:8201".into())
        );
        drop(guard);
        assert_eq!(Running::read(directory.path()), None);
    }
}
