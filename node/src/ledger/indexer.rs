//! Keeps the search indexes up with the stores, on a thread of its own: a
//! commit never waits for it.
//!
//! Each store numbers its commits and logs which one changed a record last;
//! each index knows the number it has reached. Catching up after a start and
//! following a commit are therefore one and the same loop. Closed records are
//! in an index of their own (see [`crate::search`]).

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crdt::catalog::{Dataset, Date, Distribution, Temporal, Timestamp};
use crdt::ids::{DatasetId, DocumentId, Town};

use super::Books;
use super::books::is_open_dataset;
use super::graph::Graph;
use super::rounds::{Next, Rounds};
use super::stage::own_document;
use crate::directory::INDEX_DIRECTORY;
use crate::search::{
    Area, OpenOutcome, OpenSearchError, SearchChange, SearchDistribution, SearchIndex, SearchRecord, Span,
};
use crate::store::{ReadStoreError, ReplicaSnapshot, ViewRow};

/// Records that are brought into an index at once.
const BATCH_RECORDS: usize = 1_000;
/// Records that become one segment once there were more than that: larger ones
/// are merged less often.
const SEGMENT_RECORDS: usize = 16_000;
/// Pause after an index could not be written.
const RETRY: Duration = Duration::from_secs(5);

/// The two search indexes and the thread that feeds them; beside them the
/// graph, which has a thread of its own and waits while very many records come:
/// people search first.
pub(crate) struct Indexer {
    open: SearchIndex,
    closed: SearchIndex,
    graph: Arc<Graph>,
    rounds: Rounds,
    /// Somebody asked for the indexes to be made anew.
    wanted: AtomicBool,
}

impl fmt::Debug for Indexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indexer").field("open", &self.open.position()).finish_non_exhaustive()
    }
}

/// An index failed to follow; it is tried again.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Read(#[from] ReadStoreError),
    #[error(transparent)]
    Apply(#[from] crate::search::ApplyError),
    #[error(transparent)]
    Rebuild(#[from] crate::search::RebuildError),
}

impl Indexer {
    /// Opens the indexes below a data directory, or in memory without one.
    /// `sources` name the two stores.
    pub(crate) fn open(directory: Option<&Path>, sources: [&str; 2]) -> Result<Arc<Self>, OpenSearchError> {
        let open_one = |name: &str, source: &str| match directory {
            None => SearchIndex::in_memory(),
            Some(directory) => {
                let path = directory.join(INDEX_DIRECTORY).join(name);
                let (index, outcome) = SearchIndex::open(&path, source)?;
                if let OpenOutcome::NeedsRebuild { reason } = outcome {
                    tracing::info!(index = name, %reason, "the search index is made anew");
                }
                Ok(index)
            }
        };
        Ok(Arc::new(Self {
            open: open_one("open", sources[0])?,
            closed: open_one("closed", sources[1])?,
            graph: Arc::new(Graph::new(directory, sources[0])),
            rounds: Rounds::default(),
            wanted: AtomicBool::new(false),
        }))
    }

    /// The index of open datasets.
    pub(crate) fn open_index(&self) -> &SearchIndex {
        &self.open
    }

    /// The index of the town's closed records.
    pub(crate) fn closed_index(&self) -> &SearchIndex {
        &self.closed
    }

    /// Whether the indexes have been level with the stores since the start.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.rounds.was_level()
    }

    /// Waits until the indexes hold everything committed before the call, and
    /// has the graph count as none until it does.
    pub(crate) fn find_all(&self) {
        self.graph.expect_all();
        self.rounds.settle();
    }

    /// The graph of open datasets.
    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Says that the stores have changed.
    pub(crate) fn notify(&self) {
        self.rounds.notify();
        self.graph.notify();
    }

    /// Asks for indexes and graph to be made anew. Those that are there are
    /// served, and follow, until then.
    pub(crate) fn remake(&self) {
        self.wanted.store(true, Ordering::Release);
        self.rounds.notify();
        self.graph.remake();
    }

    /// Waits until everything committed before the call can be found.
    pub(crate) fn settle(&self) {
        self.rounds.settle();
        self.graph.settle();
    }

    /// Starts the threads.
    pub(crate) fn start(self: &Arc<Self>, books: Arc<Books>) -> std::io::Result<Vec<JoinHandle<()>>> {
        let (this, graph, shared) = (Arc::clone(self), Arc::clone(&self.graph), Arc::clone(&books));
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        let indexing = thread("indexer").spawn(move || this.run(&books))?;
        let graphing = thread("graph").spawn(move || graph.run(&shared))?;
        Ok(vec![indexing, graphing])
    }

    /// Ends the threads after the batch at hand.
    pub(crate) fn stop(&self) {
        self.rounds.stop();
        self.graph.stop();
    }

    fn run(&self, books: &Books) {
        loop {
            let anew = self.wanted.swap(false, Ordering::AcqRel);
            let followed = self.follow_open(books, anew).and_then(|()| self.follow_closed(books, anew));
            if let Err(error) = &followed {
                tracing::error!(%error, "the search index could not follow; trying again");
                self.wanted.fetch_or(anew, Ordering::AcqRel);
            }
            if followed.is_err() || !self.rounds.is_wanted() {
                self.set_bulk(false);
            }
            if self.rounds.next(followed.is_ok(), followed.is_err().then_some(RETRY)) == Next::Stop {
                return;
            }
        }
    }

    /// Prepares for very many records, which go before the graph, or for few.
    fn set_bulk(&self, bulk: bool) {
        self.open.set_bulk(bulk);
        self.closed.set_bulk(bulk);
        self.graph.hold_back(bulk);
    }

    /// Brings one index up to a commit, batch by batch, each ending between commits.
    fn follow<K>(
        &self,
        index: &SearchIndex,
        target: u64,
        changed: impl Fn(u64, usize) -> Result<Vec<(u64, K)>, ReadStoreError>,
        change: impl Fn(&K) -> Result<SearchChange, ReadStoreError>,
    ) -> Result<(), FollowError> {
        let mut count = BATCH_RECORDS;
        while index.position() != Some(target) && !self.rounds.is_stopped() {
            let position = index.position().unwrap_or(0);
            let mut batch = changed(position, count)?;
            let full = batch.len() == count;
            let mut reached = target;
            if full && let Some((last, _)) = batch.last() {
                // The last commit may be cut off: it waits for the next batch.
                let last = *last;
                batch.retain(|(at, _)| *at < last);
                reached = last - 1;
                if batch.is_empty() {
                    count *= 2;
                    continue;
                }
                self.set_bulk(true);
            }
            let mut parts = batch.chunks(BATCH_RECORDS).peekable();
            while let Some(part) = parts.next() {
                if self.rounds.is_stopped() {
                    // What was added goes with its writer, and comes again after the next start.
                    return Ok(());
                }
                let changes = part.iter().map(|(_, key)| change(key)).collect::<Result<Vec<_>, _>>()?;
                match parts.peek() {
                    Some(_) => index.add(&changes)?,
                    None => index.apply(&changes, reached)?,
                }
            }
            if batch.is_empty() {
                index.apply(&[], reached)?;
            }
            count = SEGMENT_RECORDS;
        }
        Ok(())
    }

    fn follow_open(&self, books: &Books, anew: bool) -> Result<(), FollowError> {
        let snapshot = books.replica.read()?;
        let target = snapshot.position()?;
        // After a backup of the store was put back, what the index knows may never have been.
        let unreal = self.open.position().is_some_and(|position| position > target);
        if unreal || anew {
            let mut documents = Vec::new();
            snapshot.each_document(|document, _| documents.push(document))?;
            let change = |document: &DocumentId| open_change(books, &snapshot, document);
            // Meanwhile the index that is served goes on following, unless it knows what never was.
            let meanwhile = || if unreal { Ok(()) } else { self.follow_open(books, false) };
            return self.remake_one(&self.open, target, &documents, change, meanwhile);
        }
        let changed = |position, count| snapshot.changed_after(position, count);
        self.follow(&self.open, target, changed, |document| open_change(books, &snapshot, document))
    }

    /// Makes an index from all records of a store, beside the one that is
    /// served, and puts it in that one's place at `target`; what is committed
    /// after that is followed in the next round.
    fn remake_one<K>(
        &self,
        index: &SearchIndex,
        target: u64,
        keys: &[K],
        change: impl Fn(&K) -> Result<SearchChange, ReadStoreError>,
        meanwhile: impl Fn() -> Result<(), FollowError>,
    ) -> Result<(), FollowError> {
        let mut rebuild = index.begin_rebuild()?;
        for batch in keys.chunks(BATCH_RECORDS) {
            if self.rounds.is_stopped() {
                return Ok(());
            }
            for key in batch {
                if let SearchChange::Put(record) = change(key)? {
                    rebuild.put(&record)?;
                }
            }
            meanwhile()?;
        }
        rebuild.finish(target)?;
        self.rounds.notify();
        Ok(())
    }

    fn follow_closed(&self, books: &Books, anew: bool) -> Result<(), FollowError> {
        let snapshot = books.closed.read()?;
        let target = snapshot.position()?;
        let change = |id: &DatasetId| -> Result<SearchChange, ReadStoreError> {
            let published = own_document(&books.replica.read()?, id, &books.town())?.is_some();
            Ok(match snapshot.record(id)? {
                Some(record) if !published => {
                    SearchChange::Put(search_record(books, id.to_string(), books.town(), &record.dataset))
                }
                _ => SearchChange::Remove { key: id.to_string() },
            })
        };
        let unreal = self.closed.position().is_some_and(|position| position > target);
        if unreal || anew {
            let mut ids = Vec::new();
            snapshot.each_record(|record| ids.push(record.dataset.id))?;
            let meanwhile = || if unreal { Ok(()) } else { self.follow_closed(books, false) };
            return self.remake_one(&self.closed, target, &ids, change, meanwhile);
        }
        let changed = |position, count| snapshot.changed_after(position, count);
        self.follow(&self.closed, target, changed, change)
    }
}

fn open_change(
    books: &Books,
    snapshot: &ReplicaSnapshot,
    document: &DocumentId,
) -> Result<SearchChange, ReadStoreError> {
    let key = document.to_string();
    let Some(row) = snapshot.document(document)?.filter(is_open_dataset) else {
        return Ok(SearchChange::Remove { key });
    };
    let dataset = match books.recent.take(document, row.position) {
        Some(dataset) => Some(*dataset),
        None => snapshot.view(document)?.and_then(ViewRow::into_dataset),
    };
    Ok(match dataset {
        Some(dataset) => SearchChange::Put(search_record(books, key, row.genesis.owner, &dataset)),
        None => SearchChange::Remove { key },
    })
}

fn search_record(books: &Books, key: String, town: Town, dataset: &Dataset) -> SearchRecord {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let seconds = |at: Option<Timestamp>| at.map(|at| at.unix().0.div_euclid(1000));
    let publisher = dataset.publisher.name.as_ref().map(|name| name.as_str());
    let town_name = books.town_name(&town);
    SearchRecord {
        key,
        id: dataset.id.to_string(),
        identifier: text(dataset.identifier.as_ref().map(|identifier| identifier.as_str())),
        other_identifiers: dataset.other_identifiers.iter().map(ToString::to_string).collect(),
        town: town.to_string(),
        title_de: text(dataset.title.de.as_ref().map(|title| title.as_str())),
        title_en: text(dataset.title.en.as_ref().map(|title| title.as_str())),
        description_de: text(dataset.description.de.as_ref().map(|text| text.as_str())),
        description_en: text(dataset.description.en.as_ref().map(|text| text.as_str())),
        keywords: dataset.keywords.iter().map(|keyword| keyword.word.as_str().to_owned()).collect(),
        themes: dataset.themes.iter().map(|theme| theme.code().to_owned()).collect(),
        domain: dataset.domain.as_ref().map(|domain| domain.as_str().to_owned()),
        department: text(dataset.department.as_ref().map(|department| department.as_str())),
        publisher: match publisher {
            Some(publisher) if publisher.contains(&town_name) => publisher.to_owned(),
            Some(publisher) => format!("{publisher}, {town_name}"),
            None => town_name,
        },
        formats: dataset.all_formats().into_iter().map(|format| format.as_str().to_owned()).collect(),
        licence: dataset.licence.as_ref().map(ToString::to_string),
        frequency: dataset.frequency.map(|frequency| frequency.code().to_owned()),
        class: dataset.class.code().to_owned(),
        status: dataset.status.code().to_owned(),
        modified: seconds(dataset.modified),
        issued: seconds(dataset.issued),
        area: dataset.spatial.bbox.map(|bbox| {
            let [west, south, east, north] = bbox.micro_degrees();
            Area { west, south, east, north }
        }),
        span: span(&dataset.temporal),
        iri: text(dataset.iri.as_ref().map(|iri| iri.as_str())),
        contact: text(dataset.contact.name.as_ref().map(|name| name.as_str())),
        mailbox: text(dataset.contact.email.as_ref().map(|mailbox| mailbox.as_str())),
        distributions: dataset.distributions.iter().map(|one| search_distribution(dataset, one)).collect(),
    }
}

/// From the beginning of the first day to the end of the last one, as UTC counts days.
fn span(temporal: &Temporal) -> Span {
    let second = |day: Date, hour, minute, second| {
        let moment = day.civil().at(hour, minute, second, 0).to_zoned(jiff::tz::TimeZone::UTC);
        moment.ok().map(|moment| moment.timestamp().as_second())
    };
    Span {
        from: temporal.start.and_then(|day| second(day, 0, 0, 0)),
        to: temporal.end.and_then(|day| second(day, 23, 59, 59)),
    }
}

fn search_distribution(dataset: &Dataset, distribution: &Distribution) -> SearchDistribution {
    let title: Vec<&str> = distribution.title.iter().map(|(_, title)| title.as_str()).collect();
    let urls = [&distribution.access_url, &distribution.download_url];
    SearchDistribution {
        id: distribution.uuid(dataset.id).to_string(),
        title: title.join(" "),
        urls: urls.into_iter().flatten().map(|url| url.as_str().to_owned()).collect(),
    }
}
