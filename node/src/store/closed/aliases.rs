//! Names under which records go on that were given up in favour of another, and
//! whose word counts for a record of several sources.

use crdt::ids::{DatasetId, UnixMillis};
use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{BLAME, Bytes, ClosedSnapshot, ClosedWrite, Id, decode, encode};
use crate::store::error::{ReadStoreError, WriteError};

const ALIASES: TableDefinition<'static, Id, Bytes> = TableDefinition::new("aliases");
const LEADING: TableDefinition<'static, Id, Bytes> = TableDefinition::new("leading");

/// Records that were given up one for the other are followed so far.
const HOPS_MAX: usize = 16;

/// A name of a record that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasRow {
    /// Its id, identifier or IRI.
    pub name: String,
    /// The record that was kept.
    pub dataset: DatasetId,
    /// When.
    pub at: UnixMillis,
}

/// Whose word counts for a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leading {
    /// The town's own: no source changes the record.
    Hand,
    /// That of this source.
    Source(String),
}

fn alias_key(name: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&crdt::encoding::hash("hanse alias 1", &[name.as_bytes()])[..16]);
    key
}

/// Whether a file of an earlier release lacks these tables.
pub(super) fn are_missing(read: &ReadTransaction) -> Result<bool, ReadStoreError> {
    match read.open_table(ALIASES) {
        Ok(_) => Ok(false),
        Err(TableError::TableDoesNotExist(_)) => Ok(true),
        Err(error) => Err(BLAME.read(error)),
    }
}

pub(super) fn make_tables(write: &WriteTransaction) -> Result<(), WriteError> {
    write.open_table(ALIASES).map_err(|error| BLAME.write(error))?;
    write.open_table(LEADING).map(|_| ()).map_err(|error| BLAME.write(error))
}

impl ClosedSnapshot {
    /// The record that was kept in the place of the one of this name.
    pub fn alias(&self, name: &str) -> Result<Option<DatasetId>, ReadStoreError> {
        let table = self.read.open_table(ALIASES).map_err(|error| BLAME.read(error))?;
        let row = table.get(&alias_key(name)).map_err(|error| BLAME.read(error))?;
        let row: Option<AliasRow> = row.map(|row| decode("aliases", row.value())).transpose()?;
        Ok(row.map(|row| row.dataset))
    }

    /// The record that an id stands for by now: itself, unless it was given up.
    pub fn kept(&self, id: DatasetId) -> Result<DatasetId, ReadStoreError> {
        let mut kept = id;
        for _ in 0..HOPS_MAX {
            match self.alias(&kept.to_string())? {
                Some(next) => kept = next,
                None => break,
            }
        }
        Ok(kept)
    }

    /// Goes through all names of records that were given up.
    pub fn each_alias(&self, mut visit: impl FnMut(AliasRow)) -> Result<(), ReadStoreError> {
        let table = self.read.open_table(ALIASES).map_err(|error| BLAME.read(error))?;
        for row in table.iter().map_err(|error| BLAME.read(error))? {
            let (_, row) = row.map_err(|error| BLAME.read(error))?;
            visit(decode("aliases", row.value())?);
        }
        Ok(())
    }

    /// Goes through all records of which a person has said whose word counts.
    pub fn each_leading(&self, mut visit: impl FnMut(DatasetId, Leading)) -> Result<(), ReadStoreError> {
        let table = self.read.open_table(LEADING).map_err(|error| BLAME.read(error))?;
        for row in table.iter().map_err(|error| BLAME.read(error))? {
            let (id, row) = row.map_err(|error| BLAME.read(error))?;
            visit(DatasetId(uuid::Uuid::from_bytes(*id.value())), decode("leading", row.value())?);
        }
        Ok(())
    }

    /// Whose word counts for a record, if a person has said so.
    pub fn leading(&self, id: &DatasetId) -> Result<Option<Leading>, ReadStoreError> {
        let table = self.read.open_table(LEADING).map_err(|error| BLAME.read(error))?;
        let row = table.get(id.0.as_bytes()).map_err(|error| BLAME.read(error))?;
        row.map(|row| decode("leading", row.value())).transpose()
    }
}

impl ClosedWrite {
    /// Notes under which name a record goes on.
    pub fn put_alias(&mut self, alias: &AliasRow) -> Result<(), WriteError> {
        let mut table = self.write.open_table(ALIASES).map_err(|error| BLAME.write(error))?;
        let row = encode(alias);
        table.insert(&alias_key(&alias.name), row.as_slice()).map(|_| ()).map_err(|error| BLAME.write(error))
    }

    /// Notes whose word counts; `None`: everybody's.
    pub fn put_leading(&mut self, id: &DatasetId, leading: Option<&Leading>) -> Result<(), WriteError> {
        let mut table = self.write.open_table(LEADING).map_err(|error| BLAME.write(error))?;
        match leading {
            Some(leading) => table.insert(id.0.as_bytes(), encode(leading).as_slice()).map(|_| ()),
            None => table.remove(id.0.as_bytes()).map(|_| ()),
        }
        .map_err(|error| BLAME.write(error))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClosedStore;
    use super::*;

    #[test]
    fn names_lead_to_the_record_that_was_kept_last_and_a_lead_is_noted() {
        let store = ClosedStore::in_memory();
        let [first, second, third] = [1, 2, 3].map(|byte| DatasetId::from_random([byte; 16]));
        let mut write = store.write().unwrap();
        for (from, to) in [(first, second), (second, third)] {
            let alias = AliasRow { name: from.to_string(), dataset: to, at: UnixMillis(1) };
            write.put_alias(&alias).unwrap();
        }
        write.put_leading(&third, Some(&Leading::Source("portal".into()))).unwrap();
        write.put_leading(&second, Some(&Leading::Hand)).unwrap();
        write.put_leading(&second, None).unwrap();
        write.commit().unwrap();
        let read = store.read().unwrap();
        assert_eq!(read.kept(first).unwrap(), third);
        assert_eq!(read.kept(third).unwrap(), third);
        assert_eq!(read.leading(&third).unwrap(), Some(Leading::Source("portal".into())));
        assert_eq!(read.leading(&second).unwrap(), None);
        let mut led = Vec::new();
        read.each_leading(|id, leading| led.push((id, leading))).unwrap();
        assert_eq!(led, [(third, Leading::Source("portal".into()))]);
    }
}
