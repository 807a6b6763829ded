//! Rebuilds an index beside the one that is served, then takes its place.

use std::{fs, io};

use tantivy::{IndexWriter, TantivyError};
use thiserror::Error;

use super::analysis::Analyzer;
use super::directory::sync_files;
use super::generations::{make_current, next_generation};
use super::index::{ApplyError, Generation, KnownKeys, check_key, commit, payload};
use super::{SearchIndex, SearchRecord};

/// An index cannot be rebuilt.
#[derive(Debug, Error)]
pub enum RebuildError {
    /// Files cannot be written.
    #[error("write the rebuilt search index: {0}")]
    Files(#[from] io::Error),
    /// A record cannot be indexed.
    #[error(transparent)]
    Record(#[from] ApplyError),
}

impl From<TantivyError> for RebuildError {
    fn from(error: TantivyError) -> Self {
        RebuildError::Record(error.into())
    }
}

/// An index being rebuilt; dropped unfinished, it leaves nothing behind.
///
/// The index that is served goes on being searched and changed. These changes are not in the
/// rebuilt one: after [`Rebuild::finish`], [`SearchIndex::position`] says what to apply again.
pub struct Rebuild<'a> {
    owner: &'a SearchIndex,
    /// INVARIANT: there until [`Rebuild::finish`] or the drop takes it.
    target: Option<Target>,
    analyzer: Analyzer,
    keys: KnownKeys,
}

struct Target {
    generation: Generation,
    writer: IndexWriter,
}

impl SearchIndex {
    /// Begins to rebuild the index from nothing.
    pub fn begin_rebuild(&self) -> Result<Rebuild<'_>, RebuildError> {
        let path = self.home.as_deref().map(next_generation).transpose()?;
        let generation = Generation::create(path)?;
        let writer = generation.writer(true)?;
        Ok(Rebuild {
            owner: self,
            target: Some(Target { generation, writer }),
            analyzer: Analyzer::for_many(),
            keys: KnownKeys::default(),
        })
    }
}

impl Rebuild<'_> {
    /// Adds a record; one of the same key replaces it.
    pub fn put(&mut self, record: &SearchRecord) -> Result<(), RebuildError> {
        check_key(&record.key)?;
        let Target { generation, writer } = self.target.as_mut().expect("finish takes the rebuild with it");
        let fields = generation.fields();
        if self.keys.has_had(&record.key) {
            writer.delete_term(fields.key_term(&record.key));
        }
        let document = fields.document(record, &mut self.analyzer);
        let document = document.map_err(|error| ApplyError::Write(error.to_string()))?;
        writer.add_document(document)?;
        Ok(())
    }

    /// Puts the rebuilt index in the place of the served one, at this position.
    pub fn finish(mut self, position: u64) -> Result<(), RebuildError> {
        let Target { generation, mut writer } = self.target.take().expect("finish takes the rebuild with it");
        commit(&mut writer, &payload(&self.owner.source, position))?;
        writer.wait_merging_threads()?;
        generation.reload()?;
        generation.set_position(position);
        if let (Some(home), Some(path)) = (&self.owner.home, &generation.path) {
            generation.persist()?;
            // A rebuild is dear: this once, it is brought to the disk.
            sync_files(path)?;
            make_current(home, path)?;
        }
        let replaced = self.owner.serve(generation);
        if let Some(path) = &replaced.path
            && let Err(error) = fs::remove_dir_all(path)
        {
            tracing::warn!(path = %path.display(), %error, "could not remove a replaced search index");
        }
        Ok(())
    }
}

impl Drop for Rebuild<'_> {
    fn drop(&mut self) {
        let Some(Target { generation, writer }) = self.target.take() else { return };
        drop(writer);
        if let Some(path) = generation.path {
            // What cannot be removed now is removed when the index is opened again.
            let _ = fs::remove_dir_all(path);
        }
    }
}
