//! Datasets that are to be told anew: what their town says of its catalog has
//! changed, and with it what is said of each of them.
//!
//! They are moved on in the log a few at a time. How far that has come is
//! stored with them, so that a crash loses nothing.

use crdt::ids::{DocumentId, FederationId, Town};
use redb::{ReadableTable as _, ReadableTableMetadata as _, TableDefinition};

use super::error::{ReadStoreError, WriteError};
use super::replica::{BLAME, DOCUMENTS, NUMBERS, ReplicaSnapshot, decode_document};
use super::replica_write::ReplicaWrite;
use super::rows::DocumentRow;

/// By municipality key: the commit since which datasets are described anew, and
/// the number of the document that is next.
pub(super) const RETELLING: TableDefinition<'static, &'static str, (u64, u64)> =
    TableDefinition::new("retelling");

/// What one step has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retold {
    /// Documents that have a new place in the log.
    pub moved: usize,
    /// Whether there is more to do, of this town or another.
    pub more: bool,
}

impl ReplicaWrite {
    /// All that a town told before a commit is to be told anew, from the beginning.
    pub fn begin_retelling(&mut self, town: Town, since: u64) -> Result<(), WriteError> {
        let mut table = self.write.open_table(RETELLING).map_err(|error| BLAME.write(error))?;
        table.insert(town.to_string().as_str(), (since, 0)).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Looks at the next documents, at most `limit`, and moves those on to the
    /// commit `position` that are of the town and wanted. `before` is the store as
    /// it was before this write.
    pub fn retell(
        &mut self,
        before: &ReplicaSnapshot,
        position: u64,
        limit: usize,
        is_wanted: impl Fn(&DocumentRow) -> bool,
    ) -> Result<Retold, WriteError> {
        let Some((town, since, next)) = self.retelling()? else {
            return Ok(Retold { moved: 0, more: false });
        };
        let owner = Town::parse(&town).ok();
        let seen = self.documents_from(next, limit, &before.known_federation()?)?;
        let mut moved = 0;
        for (_, id, row) in &seen {
            if Some(row.genesis.owner) == owner && row.position < since && is_wanted(row) {
                self.put_document(id, &DocumentRow { position, ..row.clone() })?;
                moved += 1;
            }
        }
        let mut table = self.write.open_table(RETELLING).map_err(|error| BLAME.write(error))?;
        match seen.last().filter(|_| seen.len() == limit) {
            Some((last, ..)) => table.insert(town.as_str(), (since, last + 1)),
            None => table.remove(town.as_str()),
        }
        .map_err(|error| BLAME.write(error))?;
        let more = !table.is_empty().map_err(|error| BLAME.write(error))?;
        Ok(Retold { moved, more })
    }

    fn retelling(&self) -> Result<Option<(String, u64, u64)>, WriteError> {
        let table = self.write.open_table(RETELLING).map_err(|error| BLAME.write(error))?;
        let first = table.first().map_err(|error| BLAME.write(error))?;
        Ok(first.map(|(town, step)| {
            let (since, next) = step.value();
            (town.value().to_owned(), since, next)
        }))
    }

    /// Documents by number, from one on, as this write leaves them.
    fn documents_from(
        &self,
        number: u64,
        limit: usize,
        federation: &FederationId,
    ) -> Result<Vec<(u64, DocumentId, DocumentRow)>, WriteError> {
        let numbers = self.write.open_table(NUMBERS).map_err(|error| BLAME.write(error))?;
        let documents = self.write.open_table(DOCUMENTS).map_err(|error| BLAME.write(error))?;
        let mut found = Vec::with_capacity(limit);
        for entry in numbers.range(number..).map_err(|error| BLAME.write(error))?.take(limit) {
            let (number, id) = entry.map_err(|error| BLAME.write(error))?;
            let row = documents.get(id.value()).map_err(|error| BLAME.write(error))?;
            let row = row.ok_or_else(|| BLAME.row("numbers", "a number is of no document"))?;
            let row = decode_document(row.value(), federation)?;
            found.push((number.value(), DocumentId(*id.value()), row));
        }
        Ok(found)
    }
}

impl ReplicaSnapshot {
    /// Whether datasets wait to be told anew.
    pub fn retells(&self) -> Result<bool, ReadStoreError> {
        let table = self.read.open_table(RETELLING).map_err(|error| BLAME.read(error))?;
        Ok(!table.is_empty().map_err(|error| BLAME.read(error))?)
    }
}
