//! What web pages, commands and tests ask of a node.
//!
//! [`NodeHandle`] is a cheap copy. Reads run on snapshots and block: call them
//! from a blocking thread. Writes go through the ledger and return when they
//! are durable. No table, document or key can be reached through it, and every
//! read of a dataset passes [`Reader::may_see`](crate::view::Reader::may_see).

mod duplicates;
mod errors;
mod harvests;
mod imports;
mod listing;
mod log;
mod merge;
mod open;
mod read;
mod search;
mod select;
mod sparql;
mod status;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crdt::catalog::{CatalogEdit, Identifier, InvalidField, Iri, NewDataset, RecordEdit};
use crdt::ids::{ChangeHash, DatasetId, Pseudonym};
use crdt::vocabulary::Vocabularies;
use tokio::sync::{Semaphore, broadcast, oneshot};

use crate::import::Jobs;
use crate::keys;
use crate::ledger::{Author, Books, Clock, Deletion, EditJob, Indexer, Job, Ledger, NotTaken};
use crate::view::{CatalogReceipt, FederationInfo, Receipt, StatusEvent, TownInfo};

pub use duplicates::{
    DecideError, DuplicateHint, HINTS_LIMIT_MAX, HintPage, HintQuery, HintScope, HintedRecord,
};
pub use errors::{CreateError, EditCatalogError, EditError, EditedField, PublishError, ReadError};
pub use listing::{LISTING_LIMIT_MAX, Listed, LogEntry, LogPage, Scope};
pub use log::{InvalidPlace, LogSlice, LogStart, Place};
pub use merge::{GivenUp, Lead, LeadError, MergeError, MergeRequest, Merged};
pub use open::{OpenNode, OpenNodeError, OpenOptions};
pub(crate) use read::find_sealed;
pub use select::{SELECT_LIMIT_MAX, Select, Selected, SelectedIds};
pub use status::Board;

/// The newest changes of a dataset as an editor saw them.
pub type Heads = Vec<ChangeHash>;

/// A node, as seen by everything above it.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    shared: Arc<Shared>,
}

struct Shared {
    books: Arc<Books>,
    ledger: Ledger,
    indexer: Arc<Indexer>,
    index_threads: Mutex<Vec<JoinHandle<()>>>,
    queries: Arc<Semaphore>,
    board: Board,
    events: broadcast::Sender<StatusEvent>,
    clock: Clock,
    base_url: Option<String>,
    token_path: Option<PathBuf>,
    pseudonym: Pseudonym,
    imports: Arc<Jobs>,
    harvests: crate::harvest::live::Harvests,
    duplicates: crate::duplicates::level::Duplicates,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("town", &self.books.info).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.ledger.stop();
        self.indexer.stop();
        let threads = self.index_threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl NodeHandle {
    /// The town whose node this is.
    pub fn town(&self) -> TownInfo {
        self.shared.books.info.clone()
    }

    /// The towns of the league, this one included, by municipality key.
    pub fn members(&self) -> Vec<TownInfo> {
        let Some(authority) = self.shared.books.authority() else { return vec![self.town()] };
        let info = |member: &crdt::charter::Member| TownInfo {
            town: member.town,
            code: member.code.clone(),
            name: member.name.clone(),
        };
        authority.charter().members.iter().map(info).collect()
    }

    /// The league, once founded or joined.
    pub fn federation(&self) -> Option<FederationInfo> {
        let authority = self.shared.books.authority()?;
        Some(FederationInfo {
            id: authority.federation(),
            name: authority.charter().name.clone(),
            charter_version: authority.charter().version,
            charter: authority.chain().current().id(),
        })
    }

    /// The vocabularies that the town goes by.
    pub fn vocabularies(&self) -> &Vocabularies {
        &self.shared.books.lists
    }

    /// Makes a closed record, a draft unless it says otherwise.
    pub async fn create(&self, new: NewDataset) -> Result<Receipt, CreateError> {
        let write = |error: keys::KeyError| CreateError::Write(error.to_string());
        let id = DatasetId::from_random(keys::random().map_err(write)?);
        let (identifier, iri) = self.identity(id)?;
        let record = new.with_identity(&identifier, &iri).into_record(id)?;
        self.create_record(record).await
    }

    /// Takes over a record that has its id already, as importers do.
    pub async fn create_record(&self, record: crdt::catalog::LocalRecord) -> Result<Receipt, CreateError> {
        let (reply, answer) = oneshot::channel();
        self.shared.ledger.submit(Job::Create(Box::new(record), reply)).map_err(|error| match error {
            NotTaken::Busy(waiting) => CreateError::Busy { waiting },
            NotTaken::Stopped => CreateError::Stopped,
        })?;
        answer.await.unwrap_or(Err(CreateError::Stopped))
    }

    /// Where a new dataset lives: below the town's base address, once that is set.
    pub(crate) fn identity(&self, id: DatasetId) -> Result<(Identifier, Iri), InvalidField> {
        let iri = match &self.shared.base_url {
            Some(base) => format!("{}/dataset/{id}", base.trim_end_matches('/')),
            None => format!("urn:uuid:{id}"),
        };
        Ok((Identifier::parse(&id.to_string())?, Iri::parse(&iri)?))
    }

    /// Changes the given fields of an own record, open or closed. With `base`,
    /// fields that were changed since are not overwritten.
    pub async fn edit(
        &self,
        id: DatasetId,
        edit: RecordEdit,
        base: Option<Heads>,
    ) -> Result<Receipt, EditError> {
        let job = EditJob { id, edit, base, author: self.author() };
        let (reply, answer) = oneshot::channel();
        self.shared.ledger.submit(Job::Edit(Box::new(job), reply)).map_err(edit_not_taken)?;
        answer.await.unwrap_or(Err(EditError::Stopped))
    }

    /// Changes the given fields of what the town says of its catalog as a
    /// whole: everyone may have it, and it fills what a dataset leaves open
    /// when that is published.
    pub async fn edit_catalog(&self, edit: CatalogEdit) -> Result<CatalogReceipt, EditCatalogError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::EditCatalog(Box::new(edit), self.author(), reply);
        self.shared.ledger.submit(job).map_err(|error| match error {
            NotTaken::Busy(waiting) => EditCatalogError::Busy { waiting },
            NotTaken::Stopped => EditCatalogError::Stopped,
        })?;
        answer.await.unwrap_or(Err(EditCatalogError::Stopped))
    }

    /// Throws a closed record away. An open one is withdrawn, not deleted.
    pub async fn delete(&self, id: DatasetId) -> Result<(), EditError> {
        let (reply, answer) = oneshot::channel();
        self.shared.ledger.submit(Job::Delete(id, Deletion::ByHand, reply)).map_err(edit_not_taken)?;
        answer.await.unwrap_or(Err(EditError::Stopped))
    }

    /// Throws a closed record away because its source has it no more; it comes
    /// again when the source has it again.
    pub(crate) async fn delete_with_source(&self, id: DatasetId) -> Result<(), EditError> {
        let (reply, answer) = oneshot::channel();
        self.shared.ledger.submit(Job::Delete(id, Deletion::WithSource, reply)).map_err(edit_not_taken)?;
        answer.await.unwrap_or(Err(EditError::Stopped))
    }

    /// Publishes a closed record: from now on every town and reader may have it.
    pub async fn publish(&self, id: DatasetId) -> Result<Receipt, PublishError> {
        let (reply, answer) = oneshot::channel();
        self.shared.ledger.submit(Job::Publish(id, self.author(), reply)).map_err(|error| match error {
            NotTaken::Busy(waiting) => PublishError::Busy { waiting },
            NotTaken::Stopped => PublishError::Stopped,
        })?;
        answer.await.unwrap_or(Err(PublishError::Stopped))
    }

    /// People come with roles; until then all desk work has one pseudonym.
    fn author(&self) -> Author {
        Author(self.shared.pseudonym)
    }

    /// Whether this is the desk's token; every wrong one takes the same time.
    /// The file is read each time, so that a new token counts at once.
    pub fn check_token(&self, token: &str) -> bool {
        const CONTEXT: &str = "hanse desk token 1";
        let Some(path) = &self.shared.token_path else { return false };
        let Ok(right) = keys::read_token(path) else { return false };
        // Comparing hashes tells nothing about how much of a guess was right.
        let hash = |token: &str| crdt::encoding::hash(CONTEXT, &[token.as_bytes()]);
        hash(token) == hash(&right)
    }

    /// Lets own open datasets be changed, or stops that: the node loop allows
    /// it once the node has caught up, a command when told to work offline.
    pub fn allow_publishing(&self, allow: bool) {
        self.shared.books.set_may_publish(allow);
    }

    /// The writer, for the node loop.
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// What the node loop makes known about itself and the other towns.
    pub fn board(&self) -> &Board {
        &self.shared.board
    }

    /// Live events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<StatusEvent> {
        self.shared.events.subscribe()
    }

    /// Waits until everything durable now can be found by search and by SPARQL. Blocks.
    pub fn settle_search(&self) {
        self.shared.ledger.settle();
        self.shared.indexer.settle();
    }

    /// Has the search indexes and the graph made anew, in the background: those
    /// that are there are served, and follow every change, until then.
    pub fn remake_indexes(&self) {
        self.shared.indexer.remake();
    }

    /// Stops writing and indexing; what is queued is done first.
    pub fn stop(&self) {
        self.shared.ledger.stop();
        self.shared.indexer.stop();
    }
}

fn edit_not_taken(error: NotTaken) -> EditError {
    match error {
        NotTaken::Busy(waiting) => EditError::Busy { waiting },
        NotTaken::Stopped => EditError::Stopped,
    }
}
