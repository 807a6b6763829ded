//! What web pages, commands and tests ask of a node.
//!
//! [`NodeHandle`] is a cheap copy. Reads run on snapshots and block: call them
//! from a blocking thread. Writes go through the ledger and return when they
//! are durable. No table, document or key can be reached through it.

mod errors;

use std::sync::Arc;

use crdt::catalog::{NewDataset, RecordEdit};
use crdt::ids::{ChangeHash, DatasetId};
use tokio::sync::broadcast;

use crate::view::{
    Conflict, DatasetDetail, FederationInfo, HistoryEntry, Phase, PublicStatus, Reader, Receipt, SearchPage,
    SearchQuery, Status, StatusEvent, TownInfo,
};

pub use errors::{CreateError, EditError, EditedField, PublishError, ReadError};

/// A node, as seen by everything above it.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    events: broadcast::Sender<StatusEvent>,
}

impl NodeHandle {
    /// The town whose node this is.
    pub fn town(&self) -> TownInfo {
        todo!()
    }

    /// The towns of the league, this one included, by municipality key.
    pub fn members(&self) -> Vec<TownInfo> {
        todo!()
    }

    /// The league, once founded or joined.
    pub fn federation(&self) -> Option<FederationInfo> {
        todo!()
    }

    /// Finds datasets. Blocks.
    pub fn search(&self, _reader: Reader, _query: &SearchQuery) -> Result<SearchPage, ReadError> {
        todo!()
    }

    /// One dataset; `None` if there is none or the reader may not know it. Blocks.
    pub fn dataset(&self, _reader: Reader, _id: DatasetId) -> Result<Option<DatasetDetail>, ReadError> {
        todo!()
    }

    /// What was changed when, newest first; `None` as for [`Self::dataset`]. Blocks.
    pub fn history(&self, _reader: Reader, _id: DatasetId) -> Result<Option<Vec<HistoryEntry>>, ReadError> {
        todo!()
    }

    /// Fields with several current values; `None` as for [`Self::dataset`]. Blocks.
    pub fn conflicts(&self, _reader: Reader, _id: DatasetId) -> Result<Option<Vec<Conflict>>, ReadError> {
        todo!()
    }

    /// Everything needed to check a dataset offline (protocol section 12);
    /// `None` as for [`Self::dataset`] and for closed records. Blocks.
    pub fn proof(&self, _reader: Reader, _id: DatasetId) -> Result<Option<Vec<u8>>, ReadError> {
        todo!()
    }

    /// Makes a closed record, a draft unless it says otherwise.
    pub async fn create(&self, _new: NewDataset) -> Result<Receipt, CreateError> {
        todo!()
    }

    /// Changes the given fields of an own record, open or closed. With `base`,
    /// fields that were changed since are not overwritten.
    pub async fn edit(
        &self,
        _id: DatasetId,
        _edit: RecordEdit,
        _base: Option<Heads>,
    ) -> Result<Receipt, EditError> {
        todo!()
    }

    /// Throws a closed record away. An open one is withdrawn, not deleted.
    pub async fn delete(&self, _id: DatasetId) -> Result<(), EditError> {
        todo!()
    }

    /// Publishes a closed record: from now on every town and reader may have it.
    pub async fn publish(&self, _id: DatasetId) -> Result<Receipt, PublishError> {
        todo!()
    }

    /// Whether this is the desk's token; every wrong one takes the same time.
    pub fn check_token(&self, _token: &str) -> bool {
        todo!()
    }

    /// How far the start is; never blocks.
    pub fn phase(&self) -> Phase {
        todo!()
    }

    /// Everything staff may know about the node. Blocks shortly.
    pub fn status(&self) -> Status {
        todo!()
    }

    /// What anybody may know about the node. Blocks shortly.
    pub fn public_status(&self) -> PublicStatus {
        todo!()
    }

    /// Live events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<StatusEvent> {
        self.shared.events.subscribe()
    }
}

/// The newest changes of a dataset as an editor saw them.
pub type Heads = Vec<ChangeHash>;
