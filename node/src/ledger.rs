//! The one writer: every change of either store passes here, in one queue, and
//! is acknowledged after it is durable.
//!
//! ```text
//! desk edit ───────┐                       ┌─> acknowledge each
//! judged documents ┼─> queue ─> prepare ─> commit ─> tell the node loop
//! manifests, keys ─┘            in memory  └─> wake the search indexer
//! ```
//!
//! Jobs that wait share one commit. Each is prepared in memory first, so that
//! one that fails changes nothing and harms no neighbour; a commit that fails
//! fails all its jobs, with nothing changed in memory either.
//!
//! # Invariants
//!
//! - What is told to the node loop, to readers or to an editor is durable (I4).
//! - Only [`AdmittedChange`](crdt::seal::AdmittedChange)s reach the replica store.
//! - Publishing writes the replica first and takes the record out of the closed
//!   store second; a start after a crash in between finishes the move.

mod admit;
mod books;
mod catalog;
mod commit;
mod graph;
mod import;
mod indexer;
mod judge;
mod load;
mod local;
mod merge;
mod recent;
mod restore;
mod rounds;
mod stage;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crdt::authority::Export;
use crdt::catalog::{CatalogEdit, LocalRecord, RecordEdit};
use crdt::gate::Rejection;
use crdt::ids::{ChangeHash, DatasetId, DocumentId, Pseudonym, Town, UnixMillis};
use crdt::manifest::Manifest;
use crdt::sealed_document::Signer;
use crdt::signed::Signed;
use crdt::sync::{CommittedDocument, DocumentChanges};
use tokio::sync::{Semaphore, broadcast, oneshot};

use crate::handle::{CreateError, EditCatalogError, EditError, MergeError, Merged, PublishError};
use crate::import::{Batch, EndedImport, Outcome, Returned, Returning, SourceName};
use crate::store::{Leading, PairOfRecords, ReadStoreError, WriteError};
use crate::view::{CatalogReceipt, Receipt, StatusEvent};

pub use judge::{Entry, Judged, judge, judge_safely, view_of};
pub use load::load;

pub(crate) use books::{Books, committed_documents};
pub(crate) use import::rehearse;
pub(crate) use indexer::Indexer;
pub(crate) use judge::restore;
pub(crate) use local::local_heads;
pub(crate) use merge::MergeJob;
pub(crate) use restore::rehearse_return;
pub(crate) use stage::own_document;

/// Jobs that may wait.
pub const QUEUE_MAX: usize = 4_096;
/// Jobs that share one commit at most.
const BATCH_JOBS_MAX: usize = 512;
/// Documents that share one commit at most.
const BATCH_DOCUMENTS_MAX: usize = 2_048;
/// Batches of remote documents that are judged at the same time.
const JUDGES: usize = 2;
/// How often documents are judged again because something else changed them.
const JUDGE_ROUNDS_MAX: usize = 16;

/// The clock of this node; information only, validity never depends on it.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| UnixMillis(jiff::Timestamp::now().as_millisecond()))
}

/// What a commit brought, for the node loop.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    /// Documents whose holding is new.
    pub documents: Vec<CommittedDocument>,
    /// Manifests issued here.
    pub manifests: Vec<Signed<Manifest>>,
    /// Receipts given for withdrawn documents.
    pub receipts: Vec<Signed<crdt::epoch::Receipt>>,
}

/// Called after each commit that changed documents, before its jobs are
/// acknowledged. Must not wait for the ledger.
pub type OnCommit = Box<dyn FnMut(Committed) + Send>;

/// Who asks for a local change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author(pub Pseudonym);

/// A job was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    Busy(usize),
    Stopped,
}

/// Why a closed record is thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// A person wants it gone, whatever its sources say.
    ByHand,
    /// Its source has it no more.
    WithSource,
}

pub(crate) enum Job {
    Create(Box<LocalRecord>, oneshot::Sender<Result<Receipt, CreateError>>),
    Edit(Box<EditJob>, oneshot::Sender<Result<Receipt, EditError>>),
    EditCatalog(Box<CatalogEdit>, Author, oneshot::Sender<Result<CatalogReceipt, EditCatalogError>>),
    Delete(DatasetId, Deletion, oneshot::Sender<Result<(), EditError>>),
    Publish(DatasetId, Author, oneshot::Sender<Result<Receipt, PublishError>>),
    Import(Box<Batch>, oneshot::Sender<Result<Vec<Outcome>, WriteError>>),
    Restore(Vec<Returning>, Author, oneshot::Sender<Result<Vec<Returned>, WriteError>>),
    Mapping(SourceName, serde_json::Value, oneshot::Sender<Result<(), WriteError>>),
    Harvest(String, Option<Box<crate::harvest::source::Source>>, oneshot::Sender<Result<(), WriteError>>),
    Merge(Box<MergeJob>, oneshot::Sender<Result<Merged, MergeError>>),
    Lead(DatasetId, Option<Leading>, oneshot::Sender<Result<(), WriteError>>),
    Different(PairOfRecords, bool, oneshot::Sender<Result<(), WriteError>>),
    Tasks(Vec<crate::store::TaskRow>, oneshot::Sender<Result<(), WriteError>>),
    Report(Box<EndedImport>, oneshot::Sender<Result<(), WriteError>>),
    FinishTasks(DatasetId, Option<Vec<String>>, oneshot::Sender<Result<(), WriteError>>),
    Admit(Town, Vec<Judged>, oneshot::Sender<Result<Vec<Admitted>, WriteError>>),
    Authority(Export, oneshot::Sender<Result<(), WriteError>>),
    Manifest(Box<Signed<Manifest>>, oneshot::Sender<Result<(), WriteError>>),
    Views(Vec<DocumentId>, SyncSender<Result<usize, WriteError>>),
    /// To be answered when no dataset waits to be told anew.
    Settle(std::sync::mpsc::Sender<()>),
    Stop,
}

/// An edit of an own record.
#[derive(Debug, Clone)]
pub(crate) struct EditJob {
    pub(crate) id: DatasetId,
    pub(crate) edit: RecordEdit,
    pub(crate) base: Option<Vec<ChangeHash>>,
    pub(crate) author: Author,
}

/// What became of one judged document.
#[derive(Debug, Clone)]
pub(crate) enum Admitted {
    /// It was written, or nothing was to be.
    Done(Option<Rejection>),
    /// Something else changed it meanwhile: judge again.
    Stale,
}

/// The queue's end for everybody who writes. Stops the writer when the last
/// one is dropped.
#[derive(Debug)]
pub struct Ledger {
    jobs: SyncSender<Job>,
    waiting: Arc<AtomicUsize>,
    books: Arc<Books>,
    judges: Semaphore,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Starts the writer. Finishes publications that a crash left half done.
    pub(crate) fn start(
        books: Arc<Books>,
        clock: Clock,
        indexer: Arc<Indexer>,
        events: broadcast::Sender<StatusEvent>,
        on_commit: OnCommit,
    ) -> Result<Self, WriteError> {
        let mut writer = writer::Writer::new(Arc::clone(&books), clock, indexer, events, on_commit)?;
        writer.finish_moves()?;
        writer.complete_views()?;
        let (jobs, queue) = sync_channel(QUEUE_MAX);
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&waiting);
        let thread =
            std::thread::Builder::new().name("ledger".into()).spawn(move || writer.run(queue, counted));
        let thread = thread.map_err(|error| WriteError::Database {
            file: crate::store::REPLICA_FILE,
            detail: format!("the writer's thread cannot be started: {error}"),
        })?;
        let judges = Semaphore::new(JUDGES);
        Ok(Self { jobs, waiting, books, judges, thread: Mutex::new(Some(thread)) })
    }

    /// Jobs that wait now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn submit(&self, job: Job) -> Result<(), NotTaken> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.jobs.try_send(job).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => NotTaken::Busy(QUEUE_MAX),
                TrySendError::Disconnected(_) => NotTaken::Stopped,
            }
        })
    }

    /// Submits the node's own work, which is bounded elsewhere and so waits for
    /// its place.
    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, WriteError>>) -> Job,
    ) -> Result<T, WriteError> {
        let (reply, answer) = oneshot::channel();
        let (job, jobs) = (job(reply), self.jobs.clone());
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let sent = tokio::task::spawn_blocking(move || jobs.send(job)).await;
        if !matches!(sent, Ok(Ok(()))) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(stopped());
        }
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Submits an import's batch, waiting for its place in the queue; the
    /// answer comes when it is durable. Blocks.
    pub(crate) fn import(
        &self,
        batch: Batch,
    ) -> Result<oneshot::Receiver<Result<Vec<Outcome>, WriteError>>, WriteError> {
        self.queue(|reply| Job::Import(Box::new(batch), reply))
    }

    /// The same for a batch of an export.
    pub(crate) fn restore(
        &self,
        batch: Vec<Returning>,
        author: Author,
    ) -> Result<oneshot::Receiver<Result<Vec<Returned>, WriteError>>, WriteError> {
        self.queue(|reply| Job::Restore(batch, author, reply))
    }

    fn queue<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<T>) -> Job,
    ) -> Result<oneshot::Receiver<T>, WriteError> {
        let (reply, answer) = oneshot::channel();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        match self.jobs.send(job(reply)) {
            Ok(()) => Ok(answer),
            Err(_) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                Err(stopped())
            }
        }
    }

    /// Keeps how the columns of a source are understood.
    pub(crate) async fn keep_mapping(
        &self,
        source: SourceName,
        mapping: serde_json::Value,
    ) -> Result<(), WriteError> {
        self.ask(|reply| Job::Mapping(source, mapping, reply)).await
    }

    /// Keeps what is known of a source; `None` forgets it.
    pub(crate) async fn keep_harvest(
        &self,
        name: String,
        source: Option<Box<crate::harvest::source::Source>>,
    ) -> Result<(), WriteError> {
        self.ask(|reply| Job::Harvest(name, source, reply)).await
    }

    /// Keeps what became of an import.
    pub(crate) async fn keep_report(&self, import: EndedImport) -> Result<(), WriteError> {
        self.ask(|reply| Job::Report(Box::new(import), reply)).await
    }

    /// Notes things for people to decide.
    pub(crate) async fn note_tasks(&self, tasks: Vec<crate::store::TaskRow>) -> Result<(), WriteError> {
        self.ask(|reply| Job::Tasks(tasks, reply)).await
    }

    /// Takes out tasks of a record: those about the given fields, or all.
    pub(crate) async fn finish_tasks(
        &self,
        id: DatasetId,
        fields: Option<Vec<String>>,
    ) -> Result<(), WriteError> {
        self.ask(|reply| Job::FinishTasks(id, fields, reply)).await
    }

    /// Judges documents from a peer and commits what is admitted. When it
    /// returns, [`OnCommit`] has been called for what was.
    pub async fn admit(
        &self,
        carrier: Town,
        documents: Vec<DocumentChanges>,
    ) -> Result<Vec<(DocumentId, Result<(), Rejection>)>, WriteError> {
        let mut outcomes = Vec::with_capacity(documents.len());
        let mut open = documents;
        for _ in 0..JUDGE_ROUNDS_MAX {
            let offered = open.clone();
            let judged = self.judge(offered).await?;
            let admitted = self.ask(|reply| Job::Admit(carrier, judged, reply)).await?;
            let mut stale = Vec::new();
            for (document, admitted) in open.into_iter().zip(admitted) {
                match admitted {
                    Admitted::Stale => stale.push(document),
                    Admitted::Done(None) => outcomes.push((document.genesis.document(), Ok(()))),
                    Admitted::Done(Some(rejection)) => {
                        outcomes.push((document.genesis.document(), Err(rejection)));
                    }
                }
            }
            open = stale;
            if open.is_empty() {
                break;
            }
        }
        let busy =
            || Rejection::new(crdt::gate::Code::Unstable, "the document changes too often to be judged");
        outcomes.extend(open.into_iter().map(|document| (document.genesis.document(), Err(busy()))));
        Ok(outcomes)
    }

    async fn judge(&self, documents: Vec<DocumentChanges>) -> Result<Vec<Judged>, WriteError> {
        let Some(authority) = self.books.authority() else { return Err(stopped()) };
        // The semaphore is never closed; without a permit there is just more at once.
        let _permit = self.judges.acquire().await.ok();
        let (replica, town) = (self.books.replica.clone(), self.books.town());
        let judged = tokio::task::spawn_blocking(move || {
            let snapshot = replica.read()?;
            let judge = |document| judge_safely(&snapshot, &authority, &town, document);
            documents.into_iter().map(judge).collect::<Result<Vec<_>, ReadStoreError>>()
        });
        Ok(judged.await.map_err(|_| stopped())??)
    }

    /// Keeps charters, certificates and revocations that were accepted.
    pub async fn keep_authority(&self, told: Export) -> Result<(), WriteError> {
        self.ask(|reply| Job::Authority(told, reply)).await
    }

    /// Keeps a manifest of another town that was accepted.
    pub async fn keep_manifest(&self, manifest: Signed<Manifest>) -> Result<(), WriteError> {
        self.ask(|reply| Job::Manifest(Box::new(manifest), reply)).await
    }

    /// Makes the views of these documents again from their sealed changes.
    pub(crate) fn rebuild_views(&self, documents: Vec<DocumentId>) -> Result<usize, WriteError> {
        let (reply, answer) = sync_channel(1);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.jobs.send(Job::Views(documents, reply)).map_err(|_| stopped())?;
        answer.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// Waits until the datasets of changed catalogs are told anew. Blocks.
    pub(crate) fn settle(&self) {
        let (reply, answer) = std::sync::mpsc::channel();
        if self.jobs.send(Job::Settle(reply)).is_ok() {
            // A writer that ends answers nothing.
            let _ = answer.recv();
        }
    }

    /// Ends the writer after what waits now; later jobs are not taken.
    pub fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = self.jobs.send(Job::Stop);
            let _ = thread.join();
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.stop();
    }
}

fn stopped() -> WriteError {
    WriteError::Database { file: crate::store::REPLICA_FILE, detail: "the node is shutting down".into() }
}

/// What this node signs with, if its town has certified it.
pub(crate) fn signer(books: &Books) -> Result<Signer, String> {
    let authority =
        books.authority().ok_or("it belongs to no federation yet; `hanse charter sign` makes it a member")?;
    let node_key = crdt::signed::public_key(&books.node_key);
    let open = crdt::audience::Audience::Open.hash();
    let own = authority.certificates().find(|certificate| {
        let value = certificate.value();
        value.town == books.town()
            && value.node_key == node_key
            && authority.standing(&certificate.id(), &open) == crdt::authority::Standing::Unrevoked
    });
    let certificate = own.ok_or("its town has not certified this node's key, or has revoked it")?.id();
    if !authority.is_member(&books.town()) {
        return Err("its town is not a member of the federation any more".into());
    }
    Ok(Signer {
        federation: authority.federation(),
        key: books.node_key.clone(),
        certificate,
        charter_version: authority.charter().version,
        boot: books.boot,
    })
}
