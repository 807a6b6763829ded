//! The files of an index: memory-mapped for reading, written without waiting for the disk.
//!
//! An index is derived and rebuilt after damage, so no edit waits for an fsync of it. In return
//! every file is checked when an index is opened: tantivy's segment files carry a checksum, and
//! the small files it replaces as a whole (`meta.json`) get one here.
//!
//! It never decides what to do about damage; it only reports it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, DirectoryLock, FileHandle, Lock, MmapDirectory, TerminatingWrite, WatchCallback,
    WatchHandle, WritePtr,
};

/// Separates the content of a replaceable file from its checksum; followed by 16 hex digits.
const CHECKSUM_MARK: &str = "\nchecksum ";
const CHECKSUM_HEX_DIGITS: usize = 16;

/// A directory of an index, see the module.
#[derive(Clone)]
pub(super) struct DerivedDirectory {
    root: PathBuf,
    mapped: MmapDirectory,
    /// Names the files on their way to replace another.
    replaced: Arc<AtomicU64>,
}

impl DerivedDirectory {
    /// Opens the existing directory `root`.
    pub(super) fn open(root: &Path) -> Result<DerivedDirectory, OpenDirectoryError> {
        let mapped = MmapDirectory::open(root)?;
        Ok(DerivedDirectory { root: root.to_owned(), mapped, replaced: Arc::default() })
    }
}

impl fmt::Debug for DerivedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DerivedDirectory({})", self.root.display())
    }
}

impl Directory for DerivedDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.mapped.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.mapped.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.mapped.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = OpenOptions::new().write(true).create_new(true).open(self.root.join(path));
        match file {
            Ok(file) => Ok(BufWriter::new(Box::new(UnsyncedFile(file)))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(OpenWriteError::FileAlreadyExists(path.to_owned()))
            }
            Err(error) => Err(OpenWriteError::wrap_io_error(error, path.to_owned())),
        }
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let mut content = self.mapped.atomic_read(path)?;
        let Some(length) = checked_length(&content) else {
            let damage = io::Error::new(io::ErrorKind::InvalidData, "the checksum does not match");
            return Err(OpenReadError::wrap_io_error(damage, path.to_owned()));
        };
        content.truncate(length);
        Ok(content)
    }

    fn atomic_write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let number = self.replaced.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.root.join(format!(".replacing-{}-{number}", std::process::id()));
        let written = File::create(&unfinished).and_then(|mut file| {
            file.write_all(content)?;
            write!(file, "{CHECKSUM_MARK}{:016x}", checksum(content))
        });
        let replaced = written.and_then(|()| fs::rename(&unfinished, self.root.join(path)));
        if replaced.is_err() {
            // What is left over is removed with the directory at the next rebuild at the latest.
            let _ = fs::remove_file(&unfinished);
        }
        replaced
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.mapped.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.mapped.watch(callback)
    }
}

struct UnsyncedFile(File);

impl Write for UnsyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for UnsyncedFile {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        Ok(())
    }
}

/// The length of a replaceable file's content, if its checksum holds.
fn checked_length(file: &[u8]) -> Option<usize> {
    let length = file.len().checked_sub(CHECKSUM_MARK.len() + CHECKSUM_HEX_DIGITS)?;
    let (content, tail) = file.split_at(length);
    let digits = tail.strip_prefix(CHECKSUM_MARK.as_bytes())?;
    let expected = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (checksum(content) == expected).then_some(length)
}

/// FNV-1a: every changed byte changes it, which is all that damage needs.
fn checksum(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Brings all files below `root` to the disk, after a rebuild that should not be lost.
pub(super) fn sync_files(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            match File::open(entry.path()).and_then(|file| file.sync_all()) {
                // A file that a merge removed meanwhile needs no sync.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
    }
    File::open(root)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_reads_back_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let directory = DerivedDirectory::open(dir.path()).unwrap();
        for content in [&b""[..], b"{}", "mit Umlaut ü\n".as_bytes()] {
            directory.atomic_write(Path::new("meta.json"), content).unwrap();
            assert_eq!(directory.atomic_read(Path::new("meta.json")).unwrap(), content);
        }
    }

    #[test]
    fn any_changed_byte_of_a_replaced_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let directory = DerivedDirectory::open(dir.path()).unwrap();
        let path = Path::new("meta.json");
        directory.atomic_write(path, br#"{"position": 17}"#).unwrap();
        let good = fs::read(dir.path().join(path)).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(dir.path().join(path), &bad).unwrap();
            assert!(directory.atomic_read(path).is_err(), "byte {at} changed unnoticed");
        }
        for length in 0..good.len() {
            fs::write(dir.path().join(path), &good[..length]).unwrap();
            assert!(directory.atomic_read(path).is_err(), "{length} bytes were accepted");
        }
    }
}
