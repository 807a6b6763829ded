//! How both files are opened and committed: integrity check, cache, format
//! number, durability.

use std::fs::{self, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{
    Builder, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, StorageError,
    TableDefinition, WriteTransaction, backends::InMemoryBackend,
};

use super::error::{Blame, OpenStoreError, ReadStoreError, WriteError, is_full};
use super::{FORMAT_VERSION, StoreSettings};

const META: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("meta");
const FORMAT: &str = "format";
/// Key of a random id that tells a store from any other.
pub(super) const ID: &str = "id";

/// What each file is, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) file: &'static str,
    pub(super) lost: &'static str,
    pub(super) remedy: &'static str,
}

/// One open file.
#[derive(Debug)]
pub(super) struct Store {
    database: Database,
    kind: Kind,
    path: Option<PathBuf>,
}

impl Store {
    /// Makes or opens a file.
    pub(super) fn open(path: &Path, kind: Kind, settings: StoreSettings) -> Result<Self, OpenStoreError> {
        make_private(path).map_err(|error| io_error(path, kind, error))?;
        let mut builder = Builder::new();
        builder.set_cache_size(settings.cache_bytes).set_check_integrity_on_open(settings.check_integrity);
        // A debug build of redb asserts where a release build reports damage;
        // either way the caller gets a sentence.
        let opened = catch_unwind(AssertUnwindSafe(|| builder.create(path)));
        let database = match opened {
            Ok(opened) => opened.map_err(|error| database_error(path, kind, error))?,
            Err(_) => return Err(damaged(path, kind, "an invariant of the file does not hold".into())),
        };
        let store = Self { database, kind, path: Some(path.to_owned()) };
        store.check_format(path)?;
        Ok(store)
    }

    /// A file in memory, for tests.
    pub(super) fn in_memory(kind: Kind) -> Self {
        Self::over(kind, InMemoryBackend::new())
    }

    pub(super) fn over(kind: Kind, backend: impl redb::StorageBackend) -> Self {
        let database = Builder::new()
            .set_cache_size(4 * 1024 * 1024)
            .create_with_backend(backend)
            .expect("a database in memory can be made");
        let store = Self { database, kind, path: None };
        store.check_format(Path::new(kind.file)).expect("a new database has the newest format");
        store
    }

    fn check_format(&self, path: &Path) -> Result<(), OpenStoreError> {
        let failed = |detail: String| damaged(path, self.kind, detail);
        let found = self.meta(FORMAT).map_err(|error| failed(error.to_string()))?;
        match found.as_deref().map(<[u8; 4]>::try_from) {
            None => {
                let write = self.write().map_err(|error| failed(error.to_string()))?;
                let id: [u8; 16] = crate::keys::random().map_err(|error| failed(error.to_string()))?;
                set_meta(&write, FORMAT, &FORMAT_VERSION.to_be_bytes(), self.kind.file)
                    .and_then(|()| set_meta(&write, ID, &id, self.kind.file))
                    .and_then(|()| self.commit(write))
                    .map_err(|error| failed(error.to_string()))
            }
            Some(Ok(bytes)) => match u32::from_be_bytes(bytes) {
                1..=FORMAT_VERSION => Ok(()),
                found => {
                    Err(OpenStoreError::NewerFormat { path: path.to_owned(), found, known: FORMAT_VERSION })
                }
            },
            Some(Err(_)) => Err(failed("its format number is unreadable".into())),
        }
    }

    /// A snapshot that no later commit changes.
    pub(super) fn read(&self) -> Result<ReadTransaction, ReadStoreError> {
        self.database.begin_read().map_err(|error| self.blame().read(error))
    }

    /// Begins the one write that can be open.
    pub(super) fn write(&self) -> Result<WriteTransaction, WriteError> {
        let mut write = self.database.begin_write().map_err(|error| self.blame().write(error))?;
        write.set_durability(Durability::Immediate).map_err(|error| self.blame().write(error))?;
        write.set_two_phase_commit(true);
        write.set_quick_repair(true);
        Ok(write)
    }

    /// Begins a write of what can be made again: without `durable` a crash may
    /// lose it, whole, and no reader waits for the disk.
    pub(super) fn write_derived(&self, durable: bool) -> Result<WriteTransaction, WriteError> {
        let mut write = self.database.begin_write().map_err(|error| self.blame().write(error))?;
        let durability = if durable { Durability::Immediate } else { Durability::None };
        write.set_durability(durability).map_err(|error| self.blame().write(error))?;
        Ok(write)
    }

    /// Makes a write durable.
    pub(super) fn commit(&self, write: WriteTransaction) -> Result<(), WriteError> {
        write.commit().map_err(|error| self.blame().write(error))
    }

    pub(super) fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, ReadStoreError> {
        meta(&self.read()?, key, self.kind.file)
    }

    pub(super) fn blame(&self) -> Blame {
        Blame(self.kind.file)
    }

    /// Length of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.path.as_ref().and_then(|path| fs::metadata(path).ok()).map_or(0, |file| file.len())
    }

    /// Gives freed pages back to the system; needs the file for itself.
    pub(super) fn compact(&mut self) -> Result<bool, WriteError> {
        let blame = self.blame();
        self.database.compact().map_err(|error| blame.write(error))
    }
}

/// Reads one value of the meta table.
pub(super) fn meta(
    read: &ReadTransaction,
    key: &str,
    file: &'static str,
) -> Result<Option<Vec<u8>>, ReadStoreError> {
    let table = match read.open_table(META) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(Blame(file).read(error)),
    };
    let value = table.get(key).map_err(|error| Blame(file).read(error))?;
    Ok(value.map(|value| value.value().to_vec()))
}

/// Writes one value of the meta table.
pub(super) fn set_meta(
    write: &WriteTransaction,
    key: &str,
    value: &[u8],
    file: &'static str,
) -> Result<(), WriteError> {
    let blame = Blame(file);
    let mut table = write.open_table(META).map_err(|error| blame.write(error))?;
    table.insert(key, value).map_err(|error| blame.write(error))?;
    Ok(())
}

/// Sees to it that a new file is for its owner alone from its first byte.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn damaged(path: &Path, kind: Kind, detail: String) -> OpenStoreError {
    OpenStoreError::Damaged { path: path.to_owned(), detail, lost: kind.lost, remedy: kind.remedy }
}

fn database_error(path: &Path, kind: Kind, error: DatabaseError) -> OpenStoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenStoreError::Locked { path: path.to_owned(), pid: None }
        }
        DatabaseError::Storage(StorageError::Io(error)) => io_error(path, kind, error),
        error => damaged(path, kind, error.to_string()),
    }
}

fn io_error(path: &Path, kind: Kind, error: io::Error) -> OpenStoreError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::PermissionDenied => OpenStoreError::Permission { path },
        kind if is_full(kind) => OpenStoreError::DiskFull { path },
        io::ErrorKind::NotFound => OpenStoreError::Missing { path },
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => damaged(&path, kind, error.to_string()),
        _ => OpenStoreError::Io { path, source: error },
    }
}
