//! Why a store file could not be opened, read or written, each with the file
//! and what to do.

use std::io;
use std::path::PathBuf;

/// Why a store cannot be opened. Nothing in the file has been changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// Another process works with the directory.
    #[error("open `{}`: it is in use by {}; stop that process first, or ask it with `hanse status`", path.display(), process(pid))]
    Locked {
        /// The file.
        path: PathBuf,
        /// Which process, if it left its number.
        pid: Option<u32>,
    },
    /// The file is not what was written.
    #[error("open `{}`: the file is damaged ({detail}); {lost}; {remedy}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database found.
        detail: String,
        /// What is lost with it.
        lost: &'static str,
        /// How to get it back.
        remedy: &'static str,
    },
    /// A later release has written the file.
    #[error(
        "open `{}`: it has format {found}, this program knows formats up to {known}; \
         use the program that last opened it, or a newer one", path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest known one.
        known: u32,
    },
    /// The system does not let us.
    #[error(
        "open `{}`: permission denied; the file must belong to the user that runs the node and have mode 600",
        path.display()
    )]
    Permission {
        /// The file.
        path: PathBuf,
    },
    /// The disk has no room, not even to open.
    #[error("open `{}`: no space left on the disk; free some and start again, nothing is lost", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// It is not there.
    #[error("open `{}`: there is no such file; `hanse init` makes a data directory", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system failed otherwise.
    #[error("open `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn process(pid: &Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Why something stored could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadStoreError {
    /// The database failed.
    #[error("read `{file}`: {detail}")]
    Database {
        /// The file.
        file: &'static str,
        /// What it said.
        detail: String,
    },
    /// A row is not as it was written.
    #[error(
        "read `{file}`: a row of table `{table}` is not readable ({detail}); `hanse verify` names what is affected"
    )]
    Row {
        /// The file.
        file: &'static str,
        /// The table.
        table: &'static str,
        /// What is wrong.
        detail: String,
    },
}

/// Why nothing was written: a write happens whole or not at all.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// The disk is full.
    #[error(
        "write `{file}`: no space left on the disk; nothing was changed; free some and start the node again"
    )]
    DiskFull {
        /// The file.
        file: &'static str,
    },
    /// The database failed.
    #[error("write `{file}`: {detail}; nothing was changed; restart the node when the cause is gone")]
    Database {
        /// The file.
        file: &'static str,
        /// What it said.
        detail: String,
    },
    /// What the change builds on could not be read.
    #[error(transparent)]
    Read(#[from] ReadStoreError),
}

/// Whether there is no room to write: the disk is full, or what one user or one
/// process may take of it.
pub(crate) fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// Turns the database's errors into ours, for one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blame(pub &'static str);

impl Blame {
    /// For reads.
    pub(super) fn read<E: Into<redb::Error>>(self, error: E) -> ReadStoreError {
        ReadStoreError::Database { file: self.0, detail: error.into().to_string() }
    }

    /// For writes.
    pub(super) fn write<E: Into<redb::Error>>(self, error: E) -> WriteError {
        match error.into() {
            redb::Error::Io(error) if is_full(error.kind()) => WriteError::DiskFull { file: self.0 },
            error => WriteError::Database { file: self.0, detail: error.to_string() },
        }
    }

    /// For rows that do not decode.
    pub(super) fn row(self, table: &'static str, detail: impl ToString) -> ReadStoreError {
        ReadStoreError::Row { file: self.0, table, detail: detail.to_string() }
    }
}
