//! The index itself: opening, bringing up to date, and what searches see of it.

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tantivy::directory::RamDirectory;
use tantivy::indexer::IndexWriterOptions;
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyError};
use thiserror::Error;

use super::SearchChange;
use super::analysis::Analyzer;
use super::directory::DerivedDirectory;
use super::facets::ColumnCache;
use super::fields::{Fields, INDEX_FORMAT};
use super::generations::{
    current_generation, is_locked, make_current, next_generation, remove_generations_except,
};
use super::merging::TieredMerges;
use super::run::{SearchError, View};

/// Memory for records that are being indexed: tantivy's least, as edits come one by one.
const EDIT_HEAP_BYTES: usize = 15_000_000;
/// The same while many records come at once: fewer, larger segments.
const BULK_HEAP_BYTES: usize = 64_000_000;
/// Decompressed blocks of stored records kept per segment; a page needs a few.
const STORE_BLOCKS_KEPT: usize = 8;
/// What an index keeps in memory before it goes to the disk, in bytes and in calls of
/// [`SearchIndex::apply`]; a crash means that these are applied again.
const RECENT_BYTES_MAX: usize = 4_000_000;
const RECENT_APPLIED_MAX: u32 = 64;
/// Longest key of a record.
const KEY_BYTES_MAX: usize = 256;
const MANAGED_FILE: &str = ".managed.json";

/// What [`SearchIndex::open`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenOutcome {
    /// The index is whole, up to [`SearchIndex::position`].
    Ready,
    /// The index is empty and must be rebuilt.
    NeedsRebuild {
        /// Why.
        reason: RebuildReason,
    },
}

/// Why an index must be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RebuildReason {
    /// There is none yet, or building it was never finished.
    #[error("there is no finished search index")]
    Missing,
    /// Another release wrote it.
    #[error("the search index has another format than {INDEX_FORMAT}")]
    OtherFormat,
    /// It was derived from another store.
    #[error("the search index belongs to another store")]
    OtherSource,
    /// Its files are damaged.
    #[error("the search index is damaged: {detail}")]
    Damaged {
        /// What is damaged.
        detail: String,
    },
}

/// An index cannot even be made anew.
#[derive(Debug, Error)]
pub enum OpenSearchError {
    /// The directory cannot be used.
    #[error("use the directory {} for the search index: {error}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Another process has it open.
    #[error("open the search index in {}: another process is writing to it", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// tantivy refuses.
    #[error("create a search index: {0}")]
    Create(String),
}

/// Changes cannot be brought into an index.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// A key is empty or too long.
    #[error(
        "index a record: its key has {bytes} bytes; it must have 1 to {KEY_BYTES_MAX}, without control characters"
    )]
    Key {
        /// Its length.
        bytes: usize,
    },
    /// The files cannot be written, for example because the disk is full.
    ///
    /// The index stays as it was and the same changes can be applied again.
    #[error("write the search index: {0}")]
    Write(String),
}

impl From<TantivyError> for ApplyError {
    fn from(error: TantivyError) -> Self {
        ApplyError::Write(error.to_string())
    }
}

/// An index of records that can be searched while it is written; see the module.
pub struct SearchIndex {
    /// Where generations lie; nowhere for an index in memory.
    pub(super) home: Option<PathBuf>,
    pub(super) source: String,
    serving: RwLock<Arc<Generation>>,
    writing: Mutex<Writing>,
    /// Remembers the words of queries and of what they found.
    reading: Mutex<Analyzer>,
}

/// One complete index.
pub(super) struct Generation {
    pub(super) index: Index,
    fields: Fields,
    reader: IndexReader,
    columns: ColumnCache,
    position: Mutex<Option<u64>>,
    /// Nowhere for an index in memory.
    directory: Option<DerivedDirectory>,
    pub(super) path: Option<PathBuf>,
}

/// What changes need; exists once.
struct Writing {
    writer: Option<IndexWriter>,
    analyzer: Analyzer,
    bulk: bool,
    /// The keys that the index has, where that is known.
    keys: Option<KnownKeys>,
    /// How often something was applied that is not on the disk.
    recent: u32,
}

/// Stored with every commit.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    format: u32,
    source: String,
    position: u64,
}

impl SearchIndex {
    /// Opens the index in `dir`, or an empty one if there is none that can be used.
    ///
    /// `source` names the store that the index is derived from, so that the index of another one
    /// (a restored backup, say) is not taken for its own. All files are read and checked.
    pub fn open(dir: &Path, source: &str) -> Result<(SearchIndex, OpenOutcome), OpenSearchError> {
        let failed = |error| OpenSearchError::Directory { path: dir.to_owned(), error };
        fs::create_dir_all(dir).map_err(failed)?;
        let current = current_generation(dir);
        if let Some(current) = &current
            && is_locked(current)
        {
            return Err(OpenSearchError::InUse { path: dir.to_owned() });
        }
        let opened = match &current {
            Some(current) => Generation::open(current, source),
            None => Err(RebuildReason::Missing),
        };
        let (generation, outcome) = match opened {
            Ok(generation) => (generation, OpenOutcome::Ready),
            Err(reason) => {
                let path = next_generation(dir).map_err(failed)?;
                let generation = Generation::create(Some(path.clone()))
                    .map_err(|error| OpenSearchError::Create(error.to_string()))?;
                make_current(dir, &path).map_err(failed)?;
                (generation, OpenOutcome::NeedsRebuild { reason })
            }
        };
        if let Some(in_use) = &generation.path {
            remove_generations_except(dir, in_use).map_err(failed)?;
        }
        Ok((SearchIndex::with(Some(dir.to_owned()), source, generation), outcome))
    }

    /// An empty index in memory.
    pub fn in_memory() -> Result<SearchIndex, OpenSearchError> {
        let generation =
            Generation::create(None).map_err(|error| OpenSearchError::Create(error.to_string()))?;
        Ok(SearchIndex::with(None, "", generation))
    }

    fn with(home: Option<PathBuf>, source: &str, generation: Generation) -> SearchIndex {
        SearchIndex {
            home,
            source: source.to_owned(),
            serving: RwLock::new(Arc::new(generation)),
            writing: Mutex::new(Writing {
                writer: None,
                analyzer: Analyzer::for_few(),
                bulk: false,
                keys: None,
                recent: 0,
            }),
            reading: Mutex::new(Analyzer::for_few()),
        }
    }

    /// The position in the changes that searches see; none before the first change.
    pub fn position(&self) -> Option<u64> {
        *locked(&self.serving().position)
    }

    /// How many records are indexed.
    pub fn records(&self) -> u64 {
        self.serving().reader.searcher().num_docs()
    }

    /// Brings changes into the index, in order; when it returns, searches see them.
    ///
    /// `position` is where the index is afterwards. An error changes nothing. Without changes only
    /// the position moves on, and reaches the disk with the next change.
    pub fn apply(&self, changes: &[SearchChange], position: u64) -> Result<(), ApplyError> {
        check_keys(changes)?;
        let mut writing = locked(&self.writing);
        let serving = self.serving();
        if !changes.is_empty() {
            let payload = payload(&self.source, position);
            writing.or_drop(|writing| {
                writing.add(&serving, changes)?;
                writing.commit(&payload)
            })?;
            serving.reload()?;
            *locked(&serving.position) = Some(position);
            writing.recent += 1;
            if writing.recent >= RECENT_APPLIED_MAX || serving.recent_bytes() >= RECENT_BYTES_MAX {
                writing.persist(&serving)?;
            }
        }
        *locked(&serving.position) = Some(position);
        Ok(())
    }

    /// Adds changes that the next [`SearchIndex::apply`], which is given some itself, brings in with
    /// its own: one large segment instead of several. An error drops what was added since the last.
    pub fn add(&self, changes: &[SearchChange]) -> Result<(), ApplyError> {
        check_keys(changes)?;
        let serving = self.serving();
        locked(&self.writing).or_drop(|writing| writing.add(&serving, changes))
    }

    /// Brings to the disk what was applied; done now and then, and when the index is dropped.
    pub fn persist(&self) -> Result<(), ApplyError> {
        let mut writing = locked(&self.writing);
        writing.persist(&self.serving())
    }

    /// Gives indexing more memory while many records come at once, or takes it back.
    ///
    /// [`SearchIndex::apply`] is still called for batches, of a thousand records or so.
    pub fn set_bulk(&self, bulk: bool) {
        let mut writing = locked(&self.writing);
        if writing.bulk != bulk {
            let analyzer = if bulk { Analyzer::for_many() } else { Analyzer::for_few() };
            let keys = (bulk && self.records() == 0).then(KnownKeys::default);
            *writing = Writing { writer: None, analyzer, bulk, keys, recent: writing.recent };
        }
    }

    pub(super) fn serving(&self) -> Arc<Generation> {
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// An analyzer for one search: the common one, unless another search has it.
    pub(super) fn reading_analyzer(&self) -> ReadingAnalyzer<'_> {
        match self.reading.try_lock() {
            Ok(common) => ReadingAnalyzer::Common(common),
            Err(_) => ReadingAnalyzer::Own(Box::new(Analyzer::for_few())),
        }
    }

    /// What searches see from now until they are done.
    pub(super) fn view(&self) -> Result<View, SearchError> {
        let serving = self.serving();
        let searcher = serving.reader.searcher();
        let columns = serving.columns.columns(&searcher)?;
        Ok(View { searcher, columns, fields: serving.fields })
    }

    /// Replaces what is served; waits for a change that is being applied.
    pub(super) fn serve(&self, generation: Generation) -> Arc<Generation> {
        let mut writing = locked(&self.writing);
        writing.writer = None;
        let mut serving = self.serving.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *serving, Arc::new(generation))
    }
}

/// See [`SearchIndex::reading_analyzer`].
pub(super) enum ReadingAnalyzer<'a> {
    Common(MutexGuard<'a, Analyzer>),
    Own(Box<Analyzer>),
}

impl Deref for ReadingAnalyzer<'_> {
    type Target = Analyzer;

    fn deref(&self) -> &Analyzer {
        match self {
            ReadingAnalyzer::Common(analyzer) => analyzer,
            ReadingAnalyzer::Own(analyzer) => analyzer,
        }
    }
}

impl DerefMut for ReadingAnalyzer<'_> {
    fn deref_mut(&mut self) -> &mut Analyzer {
        match self {
            ReadingAnalyzer::Common(analyzer) => analyzer,
            ReadingAnalyzer::Own(analyzer) => analyzer,
        }
    }
}

/// Which keys have come while an index grew from nothing: a deletion is asked of
/// every segment, so it is worth knowing that there is nothing to delete.
#[derive(Default)]
pub(super) struct KnownKeys {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl KnownKeys {
    /// Whether this key may have come before.
    pub(super) fn has_had(&mut self, key: &str) -> bool {
        !self.hashes.insert(self.hasher.hash_one(key))
    }
}

impl Drop for SearchIndex {
    fn drop(&mut self) {
        let serving = self.serving();
        let mut writing = locked(&self.writing);
        // First, so that nothing is merged any more.
        writing.writer = None;
        if let Err(error) = writing.persist(&serving) {
            tracing::warn!(%error, "the search index will have to catch up at the next start");
        }
    }
}

impl Writing {
    fn persist(&mut self, generation: &Generation) -> Result<(), ApplyError> {
        generation.persist().map_err(|error| ApplyError::Write(error.to_string()))?;
        self.recent = 0;
        Ok(())
    }

    /// Writes; what was not committed is dropped with its writer if that fails.
    fn or_drop(&mut self, write: impl FnOnce(&mut Self) -> Result<(), ApplyError>) -> Result<(), ApplyError> {
        let written = write(self);
        if written.is_err() {
            self.writer = None;
        }
        written
    }

    fn add(&mut self, generation: &Generation, changes: &[SearchChange]) -> Result<(), ApplyError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(generation.writer(self.bulk)?),
        };
        let fields = generation.fields;
        for change in changes {
            match change {
                SearchChange::Put(record) => {
                    if self.keys.as_mut().is_none_or(|keys| keys.has_had(&record.key)) {
                        writer.delete_term(fields.key_term(&record.key));
                    }
                    let document = fields.document(record, &mut self.analyzer);
                    writer.add_document(document.map_err(|error| ApplyError::Write(error.to_string()))?)?;
                }
                SearchChange::Remove { key } => {
                    writer.delete_term(fields.key_term(key));
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self, payload: &str) -> Result<(), ApplyError> {
        if let Some(writer) = &mut self.writer {
            commit(writer, payload)?;
        }
        Ok(())
    }
}

impl Generation {
    /// Opens a generation and checks every byte of it.
    fn open(path: &Path, source: &str) -> Result<Generation, RebuildReason> {
        let damaged = |error: &dyn std::fmt::Display| RebuildReason::Damaged { detail: error.to_string() };
        let directory = DerivedDirectory::open(path).map_err(|error| damaged(&error))?;
        let index = Index::open(directory.clone()).map_err(|error| match error {
            TantivyError::IncompatibleIndex(_) => RebuildReason::OtherFormat,
            other => damaged(&other),
        })?;
        let metas = index.load_metas().map_err(|error| damaged(&error))?;
        let stored = metas.payload.as_deref().ok_or(RebuildReason::Missing)?;
        let payload: Payload = serde_json::from_str(stored).map_err(|_| RebuildReason::OtherFormat)?;
        let (schema, fields) = Fields::schema();
        if payload.format != INDEX_FORMAT || metas.schema != schema {
            return Err(RebuildReason::OtherFormat);
        }
        if payload.source != source {
            return Err(RebuildReason::OtherSource);
        }
        // Only files in tantivy's own list are checked below.
        if !path.join(MANAGED_FILE).exists() {
            return Err(damaged(&format!("{MANAGED_FILE} is missing")));
        }
        let bad_files = index.validate_checksum().map_err(|error| damaged(&error))?;
        if let Some(file) = bad_files.iter().min() {
            return Err(damaged(&format!("the checksum of {} does not match", file.display())));
        }
        directory.remove_all_but(&index.directory().list_managed_files()).map_err(|error| damaged(&error))?;
        Generation::with(index, fields, Some((directory, path.to_owned())), Some(payload.position))
            .map_err(|error| damaged(&error))
    }

    /// Makes an empty generation in a directory that exists, or in memory.
    pub(super) fn create(path: Option<PathBuf>) -> tantivy::Result<Generation> {
        let (schema, fields) = Fields::schema();
        // A thread per commit to compress stored records would cost an edit more than it saves.
        let settings =
            IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        let Some(path) = path else {
            let index = Index::create(RamDirectory::create(), schema, settings)?;
            return Generation::with(index, fields, None, None);
        };
        let directory = DerivedDirectory::open(&path)?;
        let index = Index::create(directory.clone(), schema, settings)?;
        directory.persist()?;
        Generation::with(index, fields, Some((directory, path)), None)
    }

    fn with(
        index: Index,
        fields: Fields,
        place: Option<(DerivedDirectory, PathBuf)>,
        position: Option<u64>,
    ) -> tantivy::Result<Generation> {
        Fields::register(&index);
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(STORE_BLOCKS_KEPT)
            .try_into()?;
        let columns = ColumnCache::default();
        let (directory, path) = place.unzip();
        Ok(Generation { index, fields, reader, columns, position: Mutex::new(position), directory, path })
    }

    fn recent_bytes(&self) -> usize {
        self.directory.as_ref().map_or(0, DerivedDirectory::recent_bytes)
    }

    pub(super) fn persist(&self) -> io::Result<()> {
        self.directory.as_ref().map_or(Ok(()), DerivedDirectory::persist)
    }

    pub(super) fn fields(&self) -> Fields {
        self.fields
    }

    pub(super) fn writer(&self, bulk: bool) -> tantivy::Result<IndexWriter> {
        let heap_bytes = if bulk { BULK_HEAP_BYTES } else { EDIT_HEAP_BYTES };
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(heap_bytes)
            .build();
        let writer = self.index.writer_with_options(options)?;
        writer.set_merge_policy(Box::new(TieredMerges));
        Ok(writer)
    }

    /// Shows searches what was committed last.
    pub(super) fn reload(&self) -> tantivy::Result<()> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        self.columns.retain(&searcher);
        // Unpacked here, so that no search pays for it.
        self.columns.columns(&searcher)?;
        Ok(())
    }

    pub(super) fn set_position(&self, position: u64) {
        *locked(&self.position) = Some(position);
    }
}

fn check_keys(changes: &[SearchChange]) -> Result<(), ApplyError> {
    changes.iter().try_for_each(|change| match change {
        SearchChange::Put(record) => check_key(&record.key),
        SearchChange::Remove { key } => check_key(key),
    })
}

pub(super) fn check_key(key: &str) -> Result<(), ApplyError> {
    if (1..=KEY_BYTES_MAX).contains(&key.len()) && !key.contains(char::is_control) {
        Ok(())
    } else {
        Err(ApplyError::Key { bytes: key.len() })
    }
}

/// Commits what was written, with the position it reaches.
pub(super) fn commit(writer: &mut IndexWriter, payload: &str) -> tantivy::Result<()> {
    let mut prepared = writer.prepare_commit()?;
    prepared.set_payload(payload);
    prepared.commit()?;
    Ok(())
}

pub(super) fn payload(source: &str, position: u64) -> String {
    let format = INDEX_FORMAT;
    serde_json::json!(Payload { format, source: source.to_owned(), position }).to_string()
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is replaced as a whole, so a panic leaves it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
