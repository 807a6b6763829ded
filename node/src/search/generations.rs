//! Where an index lies.
//!
//! A directory holds generations side by side and a file `current` that names the one in use:
//!
//! ```text
//! current             generation-7
//! generation-7/       tantivy's files
//! generation-8/       being rebuilt, unknown to readers until `current` names it
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tantivy::Directory;
use tantivy::directory::INDEX_WRITER_LOCK;

use super::directory::DerivedDirectory;

/// Name of the file that names the generation in use.
pub(super) const CURRENT_FILE: &str = "current";
const GENERATION_PREFIX: &str = "generation-";

/// The generation that `current` names, if it names one.
pub(super) fn current_generation(dir: &Path) -> Option<PathBuf> {
    let name = fs::read_to_string(dir.join(CURRENT_FILE)).ok()?;
    let name = name.trim();
    generation_number(name)?;
    Some(dir.join(name))
}

fn generation_number(name: &str) -> Option<u64> {
    name.strip_prefix(GENERATION_PREFIX)?.parse().ok()
}

/// All generations in a directory, with their numbers.
fn generations(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut generations = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if let Some(number) = entry.file_name().to_str().and_then(generation_number) {
            generations.push((number, entry.path()));
        }
    }
    Ok(generations)
}

/// Makes the directory of a new generation.
pub(super) fn next_generation(dir: &Path) -> io::Result<PathBuf> {
    let last = generations(dir)?.into_iter().map(|(number, _)| number).max().unwrap_or(0);
    let path = dir.join(format!("{GENERATION_PREFIX}{}", last + 1));
    fs::create_dir(&path)?;
    Ok(path)
}

/// Lets `current` name a generation, all or nothing.
pub(super) fn make_current(dir: &Path, generation: &Path) -> io::Result<()> {
    let name = generation.file_name().unwrap_or_default();
    let unfinished = dir.join(format!(".{CURRENT_FILE}"));
    fs::write(&unfinished, name.as_encoded_bytes())?;
    fs::File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, dir.join(CURRENT_FILE))?;
    fs::File::open(dir)?.sync_all()
}

pub(super) fn remove_generations_except(dir: &Path, kept: &Path) -> io::Result<()> {
    for (_, path) in generations(dir)? {
        if path != kept {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

/// Whether another process writes to a generation.
pub(super) fn is_locked(generation: &Path) -> bool {
    let Ok(directory) = DerivedDirectory::open(generation) else { return false };
    directory.acquire_lock(&INDEX_WRITER_LOCK).is_err()
}
