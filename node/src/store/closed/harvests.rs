//! The sources that are harvested, and what is known of each.
//!
//! Which catalogs a town reads is its own business: it stays in `closed.redb`.

use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};

use super::{BLAME, Bytes, ClosedSnapshot, ClosedWrite, decode, encode};
use crate::harvest::source::Source;
use crate::store::error::{ReadStoreError, WriteError};

/// By name.
const HARVESTS: TableDefinition<'static, &'static str, Bytes> = TableDefinition::new("harvests");

/// Whether a file of an earlier release lacks this table.
pub(super) fn are_missing(read: &ReadTransaction) -> Result<bool, ReadStoreError> {
    match read.open_table(HARVESTS) {
        Ok(_) => Ok(false),
        Err(TableError::TableDoesNotExist(_)) => Ok(true),
        Err(error) => Err(BLAME.read(error)),
    }
}

pub(super) fn make_tables(write: &WriteTransaction) -> Result<(), WriteError> {
    write.open_table(HARVESTS).map(|_| ()).map_err(|error| BLAME.write(error))
}

impl ClosedSnapshot {
    /// All sources, by name.
    pub fn harvests(&self) -> Result<Vec<Source>, ReadStoreError> {
        let table = self.read.open_table(HARVESTS).map_err(|error| BLAME.read(error))?;
        let mut found = Vec::new();
        for row in table.iter().map_err(|error| BLAME.read(error))? {
            let (_, row) = row.map_err(|error| BLAME.read(error))?;
            found.push(decode("harvests", row.value())?);
        }
        Ok(found)
    }
}

impl ClosedWrite {
    /// Keeps what is known of a source; `None` forgets it.
    pub fn put_harvest(&mut self, name: &str, source: Option<&Source>) -> Result<(), WriteError> {
        let mut table = self.write.open_table(HARVESTS).map_err(|error| BLAME.write(error))?;
        match source {
            Some(source) => table.insert(name, encode(source).as_slice()).map(|_| ()),
            None => table.remove(name).map(|_| ()),
        }
        .map_err(|error| BLAME.write(error))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClosedStore;
    use crate::harvest::source::{Source, SourceSpec};
    use crdt::ids::UnixMillis;

    #[test]
    fn a_source_is_kept_by_name_and_forgotten() {
        let store = ClosedStore::in_memory();
        let spec = SourceSpec::new("portal", "https://a.example/catalog.ttl", None, Some(3600)).unwrap();
        let mut source = Source::new(spec, UnixMillis(5));
        for failures in [0, 3] {
            source.failures = failures;
            let mut write = store.write().unwrap();
            write.put_harvest("portal", Some(&source)).unwrap();
            write.commit().unwrap();
            assert_eq!(store.read().unwrap().harvests().unwrap(), [source.clone()]);
        }
        let mut write = store.write().unwrap();
        write.put_harvest("portal", None).unwrap();
        write.commit().unwrap();
        assert!(store.read().unwrap().harvests().unwrap().is_empty());
    }
}
