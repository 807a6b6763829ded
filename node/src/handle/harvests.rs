//! What a harvest asks of the node's stores.

use std::sync::Arc;

use crdt::catalog::LocalRecord;
use crdt::ids::DatasetId;
use crdt::vocabulary::Vocabularies;

use super::{NodeHandle, ReadError};
use crate::harvest::live::Harvests;
use crate::harvest::source::Source;
use crate::ledger::own_document;
use crate::store::{TaskRow, WriteError};

impl NodeHandle {
    /// Which sources are being asked in this process.
    pub fn harvests(&self) -> &Harvests {
        &self.shared.harvests
    }

    /// Base address of new datasets' IRIs, if it is set.
    pub fn base_url(&self) -> Option<String> {
        self.shared.base_url.clone()
    }

    /// The town's vocabularies, to be kept.
    pub(crate) fn lists(&self) -> Arc<Vocabularies> {
        Arc::clone(&self.shared.books.lists)
    }

    pub(crate) fn stored_sources(&self) -> Result<Vec<Source>, ReadError> {
        Ok(self.shared.books.closed.read()?.harvests()?)
    }

    pub(crate) async fn keep_source(&self, source: &Source) -> Result<(), WriteError> {
        self.shared.ledger.keep_harvest(source.spec.name.clone(), Some(Box::new(source.clone()))).await
    }

    pub(crate) async fn forget_source(&self, name: &str) -> Result<(), WriteError> {
        self.shared.ledger.keep_harvest(name.to_owned(), None).await
    }

    pub(crate) async fn note_tasks(&self, tasks: Vec<TaskRow>) -> Result<(), WriteError> {
        if tasks.is_empty() { Ok(()) } else { self.shared.ledger.note_tasks(tasks).await }
    }

    pub(crate) fn closed_record(&self, id: DatasetId) -> Result<Option<LocalRecord>, ReadError> {
        Ok(self.shared.books.closed.read()?.record(&id)?)
    }

    /// Whether the town has the record, closed or published.
    pub(crate) fn has_own_record(&self, id: DatasetId) -> Result<bool, ReadError> {
        if self.closed_record(id)?.is_some() {
            return Ok(true);
        }
        let replica = self.shared.books.replica.read()?;
        Ok(own_document(&replica, &id, &self.shared.books.town())?.is_some())
    }
}
