//! The files of an index: recent ones in memory, older ones on disk and memory-mapped.
//!
//! An edit makes a dozen small files that a merge soon replaces. They stay in memory until
//! [`DerivedDirectory::persist`], so that no edit waits for the disk, neither for an fsync nor for
//! a file to be created beside the fsyncs of others. What a crash takes with it is applied again:
//! the disk always holds a whole, if older, index with the position it reached.
//!
//! In return every file is checked when an index is opened: tantivy's segment files carry a
//! checksum, and the files it replaces as a whole (`meta.json`) get one here. It never decides what
//! to do about damage; it only reports it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, DirectoryLock, FileHandle, Lock, MmapDirectory, OwnedBytes, TerminatingWrite,
    WatchCallback, WatchHandle, WritePtr,
};

/// Names all other files; tantivy's.
const META_FILE: &str = "meta.json";
/// Separates the content of a replaceable file from its checksum; followed by 16 hex digits.
const CHECKSUM_MARK: &str = "\nchecksum ";
const CHECKSUM_HEX_DIGITS: usize = 16;

/// Larger files go to the disk at once.
const IN_MEMORY_BYTES_MAX: usize = 256 * 1024;

/// A directory of an index, see the module.
#[derive(Clone)]
pub(super) struct DerivedDirectory {
    root: PathBuf,
    mapped: MmapDirectory,
    recent: Arc<Mutex<Recent>>,
}

/// What the disk does not know yet.
#[derive(Default)]
struct Recent {
    /// Finished segment files.
    files: BTreeMap<PathBuf, OwnedBytes>,
    /// The files that are replaced as a whole, as they are now.
    replaceable: BTreeMap<PathBuf, Vec<u8>>,
    /// Files on disk that the index no longer needs; the one on disk still does.
    doomed: BTreeSet<PathBuf>,
}

impl DerivedDirectory {
    /// Opens the existing directory `root`.
    pub(super) fn open(root: &Path) -> Result<DerivedDirectory, OpenDirectoryError> {
        let mapped = MmapDirectory::open(root)?;
        Ok(DerivedDirectory { root: root.to_owned(), mapped, recent: Arc::default() })
    }

    /// How much is kept in memory.
    pub(super) fn recent_bytes(&self) -> usize {
        self.recent().files.values().map(OwnedBytes::len).sum()
    }

    /// Brings the disk up to what is in memory: first files, then what names them, then deletions.
    pub(super) fn persist(&self) -> io::Result<()> {
        let mut recent = self.recent();
        for (path, bytes) in &recent.files {
            fs::write(self.root.join(path), bytes.as_slice())?;
        }
        let (last, first): (Vec<_>, Vec<_>) =
            recent.replaceable.iter().partition(|(path, _)| path.as_path() == Path::new(META_FILE));
        for (path, content) in first.into_iter().chain(last) {
            replace(&self.root.join(path), content)?;
        }
        recent.files.clear();
        recent.replaceable.clear();
        for path in std::mem::take(&mut recent.doomed) {
            match fs::remove_file(self.root.join(&path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => recent.doomed.insert(path),
                _ => true,
            };
        }
        Ok(())
    }

    /// Removes what a crash left behind: files that nothing names.
    pub(super) fn remove_all_but(&self, named: &HashSet<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let path = entry?.path();
            let name = path.file_name().map(PathBuf::from).unwrap_or_default();
            let hidden = name.to_string_lossy().starts_with('.');
            if !hidden && !named.contains(&name) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        // Whole after any panic: each change to it is one call.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DerivedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DerivedDirectory({})", self.root.display())
    }
}

impl Directory for DerivedDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        if let Some(bytes) = self.recent().files.get(path) {
            return Ok(Arc::new(bytes.clone()));
        }
        self.mapped.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let mut recent = self.recent();
        if recent.files.remove(path).is_some() {
            return Ok(());
        }
        let on_disk = self.root.join(path).exists();
        if on_disk && recent.doomed.insert(path.to_owned()) {
            return Ok(());
        }
        Err(DeleteError::FileDoesNotExist(path.to_owned()))
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        let recent = self.recent();
        if recent.files.contains_key(path) || recent.replaceable.contains_key(path) {
            return Ok(true);
        }
        Ok(!recent.doomed.contains(path) && self.mapped.exists(path)?)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        if self.recent().files.contains_key(path) || self.root.join(path).exists() {
            return Err(OpenWriteError::FileAlreadyExists(path.to_owned()));
        }
        let file =
            RecentFile { path: path.to_owned(), bytes: Vec::new(), spilled: None, directory: self.clone() };
        Ok(BufWriter::new(Box::new(file)))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        if let Some(content) = self.recent().replaceable.get(path) {
            return Ok(content.clone());
        }
        let mut content = self.mapped.atomic_read(path)?;
        let Some(length) = checked_length(&content) else {
            let damage = io::Error::new(io::ErrorKind::InvalidData, "the checksum does not match");
            return Err(OpenReadError::wrap_io_error(damage, path.to_owned()));
        };
        content.truncate(length);
        Ok(content)
    }

    fn atomic_write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.recent().replaceable.insert(path.to_owned(), content.to_owned());
        Ok(())
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

/// A file being written: in memory until it is too large for that.
struct RecentFile {
    path: PathBuf,
    bytes: Vec<u8>,
    spilled: Option<File>,
    directory: DerivedDirectory,
}

impl Write for RecentFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.spilled.is_none() && self.bytes.len() + bytes.len() > IN_MEMORY_BYTES_MAX {
            let path = self.directory.root.join(&self.path);
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(&std::mem::take(&mut self.bytes))?;
            self.spilled = Some(file);
        }
        match &mut self.spilled {
            Some(file) => file.write(bytes),
            None => {
                self.bytes.extend_from_slice(bytes);
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for RecentFile {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        if self.spilled.is_none() {
            let bytes = OwnedBytes::new(std::mem::take(&mut self.bytes));
            self.directory.recent().files.insert(self.path.clone(), bytes);
        }
        Ok(())
    }
}

/// Replaces a file as a whole, with a checksum behind its content.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!(".replacing-{}", name.trim_start_matches('.')));
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    write!(file, "{CHECKSUM_MARK}{:016x}", checksum(content))?;
    fs::rename(&unfinished, path)
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

    fn read(directory: &DerivedDirectory, name: &str) -> Vec<u8> {
        directory.open_read(Path::new(name)).unwrap().read_bytes().unwrap().as_slice().to_owned()
    }

    fn write(directory: &DerivedDirectory, name: &str, bytes: &[u8]) {
        let mut file = directory.open_write(Path::new(name)).unwrap();
        file.write_all(bytes).unwrap();
        file.terminate().unwrap();
    }

    #[test]
    fn files_read_back_as_written_before_and_after_they_reach_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let directory = DerivedDirectory::open(dir.path()).unwrap();
        let large = vec![7; IN_MEMORY_BYTES_MAX + 1];
        write(&directory, "small.term", b"abc");
        write(&directory, "large.term", &large);
        directory.atomic_write(Path::new(META_FILE), b"{}").unwrap();
        assert!(!dir.path().join("small.term").exists() && dir.path().join("large.term").exists());
        let check = |directory: &DerivedDirectory| {
            assert_eq!(read(directory, "small.term"), b"abc");
            assert_eq!(read(directory, "large.term"), large);
            assert_eq!(directory.atomic_read(Path::new(META_FILE)).unwrap(), b"{}");
        };
        check(&directory);
        directory.persist().unwrap();
        assert_eq!(directory.recent_bytes(), 0);
        check(&directory);
        check(&DerivedDirectory::open(dir.path()).unwrap());
    }

    #[test]
    fn a_file_of_the_index_on_disk_is_deleted_only_when_a_newer_one_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let directory = DerivedDirectory::open(dir.path()).unwrap();
        let old = Path::new("old.term");
        write(&directory, "old.term", b"old");
        directory.persist().unwrap();
        directory.delete(old).unwrap();
        assert!(!directory.exists(old).unwrap() && directory.delete(old).is_err());
        assert!(dir.path().join(old).exists());
        directory.persist().unwrap();
        assert!(!dir.path().join(old).exists());
    }

    #[test]
    fn any_changed_byte_of_a_replaced_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(META_FILE);
        replace(&path, br#"{"position": 17}"#).unwrap();
        let good = fs::read(&path).unwrap();
        let read = || DerivedDirectory::open(dir.path()).unwrap().atomic_read(Path::new(META_FILE));
        assert_eq!(read().unwrap(), br#"{"position": 17}"#);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(read().is_err(), "byte {at} changed unnoticed");
        }
        for length in 0..good.len() {
            fs::write(&path, &good[..length]).unwrap();
            assert!(read().is_err(), "{length} bytes were accepted");
        }
    }
}
