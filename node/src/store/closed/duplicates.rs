//! What people decided about records that seem to be the same.
//!
//! Which records a town compares is its own business: it stays in `closed.redb`.

use std::collections::BTreeSet;

use crdt::ids::{DatasetId, UnixMillis};
use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{BLAME, Bytes, ClosedSnapshot, ClosedWrite, decode, encode};
use crate::store::error::{ReadStoreError, WriteError};

/// The lesser id ‖ the greater one.
type PairKey = &'static [u8; 32];

const DIFFERENT: TableDefinition<'static, PairKey, Bytes> = TableDefinition::new("different");

/// Two records that a person found to be different, the lesser id first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairOfRecords(DatasetId, DatasetId);

impl PairOfRecords {
    /// The pair, in whatever order it is named.
    pub fn new(one: DatasetId, other: DatasetId) -> Self {
        Self(one.min(other), one.max(other))
    }

    /// Both, the lesser id first.
    pub fn ids(self) -> [DatasetId; 2] {
        [self.0, self.1]
    }

    fn key(self) -> [u8; 32] {
        let mut key = [0; 32];
        key[..16].copy_from_slice(self.0.0.as_bytes());
        key[16..].copy_from_slice(self.1.0.as_bytes());
        key
    }

    fn of_key(key: &[u8; 32]) -> Self {
        let (one, other) = key.split_at(16);
        let id = |bytes: &[u8]| DatasetId(uuid::Uuid::from_slice(bytes).unwrap_or_default());
        Self(id(one), id(other))
    }
}

/// When the pair was found to be different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct DifferentRow {
    at: UnixMillis,
}

/// Whether a file of an earlier release lacks these tables.
pub(super) fn are_missing(read: &ReadTransaction) -> Result<bool, ReadStoreError> {
    match read.open_table(DIFFERENT) {
        Ok(_) => Ok(false),
        Err(TableError::TableDoesNotExist(_)) => Ok(true),
        Err(error) => Err(BLAME.read(error)),
    }
}

pub(super) fn make_tables(write: &WriteTransaction) -> Result<(), WriteError> {
    write.open_table(DIFFERENT).map(|_| ()).map_err(|error| BLAME.write(error))
}

impl ClosedSnapshot {
    /// All pairs that a person found to be different.
    pub fn different(&self) -> Result<BTreeSet<PairOfRecords>, ReadStoreError> {
        let table = self.read.open_table(DIFFERENT).map_err(|error| BLAME.read(error))?;
        let mut found = BTreeSet::new();
        for row in table.iter().map_err(|error| BLAME.read(error))? {
            let (key, row) = row.map_err(|error| BLAME.read(error))?;
            decode::<DifferentRow>("different", row.value())?;
            found.insert(PairOfRecords::of_key(key.value()));
        }
        Ok(found)
    }

    /// Whether a person found the two to be different.
    pub fn is_different(&self, pair: PairOfRecords) -> Result<bool, ReadStoreError> {
        let table = self.read.open_table(DIFFERENT).map_err(|error| BLAME.read(error))?;
        Ok(table.get(&pair.key()).map_err(|error| BLAME.read(error))?.is_some())
    }
}

impl ClosedWrite {
    /// Notes since when a pair counts as different; `None`: it no longer does.
    pub fn put_different(
        &mut self,
        pair: PairOfRecords,
        since: Option<UnixMillis>,
    ) -> Result<(), WriteError> {
        let mut table = self.write.open_table(DIFFERENT).map_err(|error| BLAME.write(error))?;
        match since {
            Some(at) => table.insert(&pair.key(), encode(&DifferentRow { at }).as_slice()).map(|_| ()),
            None => table.remove(&pair.key()).map(|_| ()),
        }
        .map_err(|error| BLAME.write(error))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClosedStore;
    use super::*;

    #[test]
    fn a_pair_is_different_in_either_order_until_somebody_takes_it_back() {
        let store = ClosedStore::in_memory();
        let [one, other] = [9, 4].map(|byte| DatasetId::from_random([byte; 16]));
        let put = |pair, since| {
            let mut write = store.write().unwrap();
            write.put_different(pair, since).unwrap();
            write.commit().unwrap();
            let read = store.read().unwrap();
            assert_eq!(read.is_different(pair).unwrap(), since.is_some());
            read.different().unwrap()
        };
        let pair = PairOfRecords::new(one, other);
        assert_eq!(put(pair, Some(UnixMillis(5))), BTreeSet::from([PairOfRecords::new(other, one)]));
        assert_eq!(put(PairOfRecords::new(other, one), None), BTreeSet::new());
    }
}
