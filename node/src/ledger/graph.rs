//! Keeps the graph of the open catalog up with the replica store, on a thread
//! of its own.
//!
//! As with the search indexes, catching up after a start and following a commit
//! are one loop over the store's log. The file is made anew, beside the one
//! that is served, when it is missing, damaged, of other rules, of another
//! store, ahead of its store, or when somebody asks for it: then the old one is
//! served, and follows, until the new one takes its place. What every town says
//! of its catalog is part of the triples of all its datasets; when that changes
//! they are put again.
//!
//! Closed records are never read here.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crdt::catalog::Catalog;
use crdt::dcat::{CatalogContext, catalog_triples, dataset_triples};
use crdt::genesis::DocumentKind;
use crdt::ids::{DatasetId, DocumentId, Town, hex};

use super::Books;
use super::rounds::{Next, Rounds};
use crate::directory::INDEX_DIRECTORY;
use crate::handle::find_sealed;
use crate::rdf::{Triple, encode, encode_triple};
use crate::store::{
    GRAPH_FILE, GraphChange, GraphSnapshot, GraphStore, OpenStoreError, ReadStoreError, ReplicaSnapshot,
    StoreSettings, ViewContent, WriteError,
};
use crate::view::Reader;

/// Number of the rules by which records become triples and triples lie in the
/// file. Raised with every change of [`crdt::dcat`] that says other things.
const RULES: u32 = 3;
/// Datasets that are brought into the graph at once.
const BATCH_DATASETS: usize = 2_000;
/// Pause after the graph could not be written.
const RETRY: Duration = Duration::from_secs(5);
/// How long after the last change the disk gets what is only in memory.
const PERSIST_AFTER: Duration = Duration::from_secs(2);
/// Changes without a sync after which there is one: their pages wait for it.
const UNSYNCED_MAX: u32 = 64;
/// Page cache of the graph file in bytes.
const CACHE_BYTES: usize = 64 * 1024 * 1024;
/// Ends the name of a file that is not whole yet.
const UNFINISHED: &str = "new";

/// The graph that is served and the thread that feeds it.
#[derive(Debug)]
pub(crate) struct Graph {
    /// `None` for one in memory.
    path: Option<PathBuf>,
    source: String,
    served: RwLock<Option<GraphStore>>,
    damaged: AtomicBool,
    /// Somebody asked for it to be made anew.
    wanted: AtomicBool,
    rounds: Rounds,
}

/// The graph failed to follow; it is tried again.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Read(#[from] ReadStoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Open(#[from] OpenStoreError),
    #[error("write `{GRAPH_FILE}`: {0}")]
    Files(#[from] io::Error),
}

/// What the thread remembers between rounds.
#[derive(Clone, Default)]
struct Memory {
    opened: bool,
    /// Name of each town, as the contexts were made with.
    names: BTreeMap<Town, String>,
    contexts: BTreeMap<Town, CatalogContext>,
    unsynced: u32,
}

impl Graph {
    /// A graph below a data directory, or in memory without one. `source` names
    /// the replica store. Nothing is opened before the thread runs.
    pub(super) fn new(directory: Option<&Path>, source: &str) -> Self {
        Self {
            path: directory.map(|directory| directory.join(INDEX_DIRECTORY).join(GRAPH_FILE)),
            source: source.to_owned(),
            served: RwLock::default(),
            damaged: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            rounds: Rounds::default(),
        }
    }

    /// The graph as it is now; `None` before there is a whole one, after the start
    /// and after [`Graph::expect_all`].
    pub(crate) fn read(&self) -> Result<Option<GraphSnapshot>, ReadStoreError> {
        if !self.rounds.is_level() {
            return Ok(None);
        }
        self.served().map(|graph| graph.read()).transpose()
    }

    /// Says that the graph could not be read: it is made anew.
    pub(crate) fn report_damage(&self) {
        self.damaged.store(true, Ordering::Release);
        self.rounds.notify();
    }

    /// Asks for the graph to be made anew. The one that is there is served, and
    /// follows, until then.
    pub(super) fn remake(&self) {
        self.wanted.store(true, Ordering::Release);
        self.rounds.notify();
    }

    /// Length of the file in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.path.as_ref().and_then(|path| fs::metadata(path).ok()).map_or(0, |file| file.len())
    }

    pub(super) fn notify(&self) {
        self.rounds.notify();
    }

    pub(super) fn settle(&self) {
        self.rounds.settle();
    }

    /// Has the graph count as none until it holds everything committed before.
    pub(super) fn expect_all(&self) {
        self.rounds.expect_all();
    }

    /// Has the graph wait for what goes first, or go on.
    pub(super) fn hold_back(&self, held_back: bool) {
        self.rounds.hold_back(held_back);
    }

    pub(super) fn stop(&self) {
        self.rounds.stop();
    }

    /// Follows until it is stopped.
    pub(super) fn run(&self, books: &Books) {
        let mut memory = Memory::default();
        loop {
            let followed = self.follow(books, &mut memory);
            let (followed_all, wait) = match &followed {
                Err(error) => {
                    tracing::error!(%error, "the graph could not follow; trying again");
                    (false, Some(RETRY))
                }
                Ok(all) => (*all, (memory.unsynced > 0).then_some(PERSIST_AFTER)),
            };
            let next = self.rounds.next(followed_all, wait);
            if next != Next::Wanted && memory.unsynced > 0 {
                self.persist(&mut memory);
            }
            if next == Next::Stop {
                return;
            }
        }
    }

    fn served(&self) -> Option<GraphStore> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn serve(&self, graph: Option<GraphStore>) {
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = graph;
    }

    fn persist(&self, memory: &mut Memory) {
        memory.unsynced = 0;
        if let Some(Err(error)) = self.served().map(|graph| graph.persist()) {
            tracing::error!(%error, "the graph could not be brought to the disk");
        }
    }

    /// Whether it has followed everything, or was held back or stopped before.
    fn follow(&self, books: &Books, memory: &mut Memory) -> Result<bool, FollowError> {
        if !memory.opened {
            self.open();
            memory.opened = true;
        }
        let snapshot = books.replica.read()?;
        let names = names(books);
        if memory.names != names {
            memory.contexts = contexts(&snapshot, &names)?;
            memory.names = names;
        }
        let graph = self.served().filter(|_| !self.damaged.load(Ordering::Acquire));
        let reason = match &graph {
            None => Some("there is none that can be read"),
            Some(graph) if graph.label()? != Some(self.label(memory)) => Some("it was made by other rules"),
            Some(graph) if graph.read()?.position() > Some(snapshot.position()?) => {
                Some("it is ahead of its store")
            }
            Some(_) if self.wanted.load(Ordering::Acquire) => Some("somebody asked for it"),
            Some(_) => None,
        };
        match (graph, reason) {
            (Some(graph), None) => self.follow_log(books, &snapshot, &graph, memory),
            (graph, reason) => {
                let reason = reason.unwrap_or_default();
                tracing::info!(reason, "the graph is made anew");
                let kept = graph.filter(|_| self.wanted.load(Ordering::Acquire));
                self.rebuild(books, &snapshot, kept.as_ref(), memory)
            }
        }
    }

    /// Serves the file that is there, if it is of this store and these rules.
    fn open(&self) {
        let Some(path) = self.path.as_ref().filter(|path| path.exists()) else { return };
        let settings = StoreSettings { cache_bytes: CACHE_BYTES, check_integrity: true };
        let opened = GraphStore::open(path, settings).map_err(FollowError::from);
        match opened.and_then(|graph| Ok((graph.label()?, graph))) {
            Ok((label, graph)) if label.as_ref().is_some_and(|label| label.starts_with(&self.kind())) => {
                self.serve(Some(graph));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the graph cannot be used"),
        }
    }

    /// Of which store and which rules a file is.
    fn kind(&self) -> String {
        format!("{RULES} {} ", self.source)
    }

    fn label(&self, memory: &Memory) -> String {
        const CONTEXT: &str = "hanse graph catalogs 1";
        let catalogs = format!("{:?}", memory.contexts);
        let hash = crdt::encoding::hash(CONTEXT, &[catalogs.as_bytes()]);
        format!("{}{}", self.kind(), hex(&hash[..16]))
    }

    /// Applies what the store's log says has changed, each batch ending
    /// between two commits.
    fn follow_log(
        &self,
        books: &Books,
        snapshot: &ReplicaSnapshot,
        graph: &GraphStore,
        memory: &mut Memory,
    ) -> Result<bool, FollowError> {
        let target = snapshot.position()?;
        let mut position = graph.read()?.position().unwrap_or(0);
        let mut count = BATCH_DATASETS;
        while position < target {
            if self.rounds.is_stopped() || self.rounds.is_held_back() {
                self.rounds.notify();
                return Ok(false);
            }
            let mut batch = snapshot.changed_after(position, count)?;
            let mut reached = target;
            if batch.len() == count {
                // The last commit may be cut off: it waits for the next batch.
                let last = batch.last().map_or(target, |(at, _)| *at);
                batch.retain(|(at, _)| *at < last);
                if batch.is_empty() {
                    count *= 2;
                    continue;
                }
                reached = last - 1;
            }
            let documents: Vec<DocumentId> = batch.into_iter().map(|(_, document)| document).collect();
            let changes = self.changes(books, snapshot, graph, &documents, memory)?;
            let sync = memory.unsynced >= UNSYNCED_MAX;
            graph.apply(&changes, reached, sync)?;
            memory.unsynced = if sync { 0 } else { memory.unsynced + 1 };
            position = reached;
            count = BATCH_DATASETS;
        }
        Ok(true)
    }

    fn changes(
        &self,
        books: &Books,
        snapshot: &ReplicaSnapshot,
        graph: &GraphStore,
        documents: &[DocumentId],
        memory: &mut Memory,
    ) -> Result<Vec<GraphChange>, FollowError> {
        let mut catalogs = false;
        let mut ids = Vec::with_capacity(documents.len());
        for document in documents {
            let Some(row) = snapshot.document(document)? else { continue };
            catalogs |= row.genesis.kind == DocumentKind::Catalog;
            ids.extend(row.dataset);
        }
        // First: the datasets of this batch are said in the words of the new catalogs too.
        if catalogs {
            self.follow_catalogs(snapshot, graph, memory)?;
        }
        let change = |id| dataset_change(books, snapshot, &memory.contexts, id);
        let changes = ids.into_iter().map(change).collect::<Result<Vec<_>, _>>()?;
        Ok(changes)
    }

    /// Reads what towns say of their catalogs now. Their datasets follow by the
    /// log, where they are told anew.
    fn follow_catalogs(
        &self,
        snapshot: &ReplicaSnapshot,
        graph: &GraphStore,
        memory: &mut Memory,
    ) -> Result<(), FollowError> {
        memory.contexts = contexts(snapshot, &memory.names)?;
        let position = graph.read()?.position().unwrap_or(0);
        graph.apply(&catalog_changes(&memory.contexts), position, false)?;
        graph.set_label(&self.label(memory))?;
        Ok(())
    }

    /// Makes the graph from all open datasets, then serves it. What is `kept`
    /// until then follows the store all the while.
    fn rebuild(
        &self,
        books: &Books,
        snapshot: &ReplicaSnapshot,
        kept: Option<&GraphStore>,
        memory: &mut Memory,
    ) -> Result<bool, FollowError> {
        // The new graph is made in the words of one moment, whatever comes meanwhile.
        let mut follower = memory.clone();
        let unfinished = self.path.as_ref().map(|path| path.with_extension(UNFINISHED));
        let graph = match &unfinished {
            None => GraphStore::in_memory(),
            Some(path) => {
                remove(path)?;
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                GraphStore::open(path, StoreSettings { cache_bytes: CACHE_BYTES, check_integrity: false })?
            }
        };
        each_batch(
            snapshot,
            || self.rounds.is_stopped(),
            |ids| {
                let change = |id| dataset_change(books, snapshot, &memory.contexts, id);
                let changes = ids.into_iter().map(change).collect::<Result<Vec<_>, _>>()?;
                graph.apply(&changes, 0, true)?;
                if let Some(kept) = kept {
                    self.follow_log(books, &books.replica.read()?, kept, &mut follower)?;
                }
                Ok(())
            },
        )?;
        if self.rounds.is_stopped() {
            return Ok(false);
        }
        graph.apply(&catalog_changes(&memory.contexts), snapshot.position()?, true)?;
        graph.set_label(&self.label(memory))?;
        if let (Some(unfinished), Some(path)) = (&unfinished, &self.path) {
            fs::rename(unfinished, path)?;
        }
        memory.unsynced = 0;
        self.damaged.store(false, Ordering::Release);
        self.wanted.store(false, Ordering::Release);
        self.serve(Some(graph));
        // What was committed meanwhile.
        self.rounds.notify();
        Ok(true)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Goes through the ids of all datasets, a batch at a time.
fn each_batch(
    snapshot: &ReplicaSnapshot,
    stopped: impl Fn() -> bool,
    mut visit: impl FnMut(Vec<DatasetId>) -> Result<(), FollowError>,
) -> Result<(), FollowError> {
    let mut after = None;
    while !stopped() {
        let ids = snapshot.datasets_after(after, BATCH_DATASETS)?;
        let Some(last) = ids.last() else { break };
        after = Some(*last);
        visit(ids)?;
    }
    Ok(())
}

/// The towns and what they are called.
fn names(books: &Books) -> BTreeMap<Town, String> {
    let mut names = BTreeMap::from([(books.town(), books.town_name(&books.town()))]);
    if let Some(authority) = books.authority() {
        let members = &authority.charter().members;
        names.extend(members.iter().map(|member| (member.town, member.name.clone())));
    }
    names
}

/// What each town says of its catalog.
fn contexts(
    snapshot: &ReplicaSnapshot,
    names: &BTreeMap<Town, String>,
) -> Result<BTreeMap<Town, CatalogContext>, ReadStoreError> {
    let mut documents = Vec::new();
    snapshot.each_document(|id, row| {
        if row.genesis.kind == DocumentKind::Catalog && !row.holding.is_erased() {
            documents.push((row.genesis.owner, id));
        }
    })?;
    // A town has one; of several, all nodes take the same.
    documents.sort_unstable();
    let mut catalogs: BTreeMap<Town, Catalog> = BTreeMap::new();
    for (town, id) in documents {
        if let Some(ViewContent::Catalog(catalog)) = snapshot.view(&id)?.map(|view| view.content) {
            catalogs.entry(town).or_insert(*catalog);
        }
    }
    let context = |(town, name): (&Town, &String)| {
        let catalog = catalogs.remove(town).unwrap_or_else(|| Catalog::new(*town));
        (*town, CatalogContext::new(catalog, name))
    };
    Ok(names.iter().map(context).collect())
}

/// What the graph holds of a dataset: what the public may know.
fn dataset_change(
    books: &Books,
    snapshot: &ReplicaSnapshot,
    contexts: &BTreeMap<Town, CatalogContext>,
    id: DatasetId,
) -> Result<GraphChange, ReadStoreError> {
    let key = id.0.as_bytes().to_vec();
    let Some((_, row, view)) = find_sealed(snapshot, books.town(), Reader::Public, id)? else {
        return Ok(GraphChange::Remove { key });
    };
    let town = row.genesis.owner;
    let Some(dataset) = view.into_dataset() else { return Ok(GraphChange::Remove { key }) };
    let unknown;
    let context = match contexts.get(&town) {
        Some(context) => context,
        None => {
            unknown = CatalogContext::new(Catalog::new(town), &books.town_name(&town));
            &unknown
        }
    };
    Ok(put(key, context, &dataset_triples(&dataset, context)))
}

fn catalog_changes(contexts: &BTreeMap<Town, CatalogContext>) -> Vec<GraphChange> {
    let change = |(town, context): (&Town, &CatalogContext)| {
        put(format!("catalog {town}").into_bytes(), context, &catalog_triples(context))
    };
    contexts.iter().map(change).collect()
}

fn put(key: Vec<u8>, context: &CatalogContext, triples: &[Triple]) -> GraphChange {
    let triples = triples.iter().map(|triple| encode_triple(triple.as_ref())).collect();
    GraphChange::Put { key, graph: encode(context.iri()), triples }
}
