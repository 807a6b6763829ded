//! What became of imports, the newest of them: a report is still there after
//! the node was started again.

use redb::{
    ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, TableError, WriteTransaction,
};

use super::{BLAME, Bytes, ClosedSnapshot, ClosedWrite, decode, encode};
use crate::import::{EndedImport, REPORTS_MAX};
use crate::store::error::{ReadStoreError, WriteError};

/// When it ended ‖ its id.
const REPORTS: TableDefinition<'static, &'static [u8; 16], Bytes> = TableDefinition::new("reports");

/// Whether a file of an earlier release lacks this table.
pub(super) fn are_missing(read: &ReadTransaction) -> Result<bool, ReadStoreError> {
    match read.open_table(REPORTS) {
        Ok(_) => Ok(false),
        Err(TableError::TableDoesNotExist(_)) => Ok(true),
        Err(error) => Err(BLAME.read(error)),
    }
}

pub(super) fn make_tables(write: &WriteTransaction) -> Result<(), WriteError> {
    write.open_table(REPORTS).map(|_| ()).map_err(|error| BLAME.write(error))
}

fn key(import: &EndedImport) -> [u8; 16] {
    let mut key = [0; 16];
    // Before 1970 no import ended.
    key[..8].copy_from_slice(&u64::try_from(import.ended.0).unwrap_or(0).to_be_bytes());
    key[8..].copy_from_slice(&import.id.0);
    key
}

impl ClosedSnapshot {
    /// Imports that have ended, the oldest first.
    pub fn reports(&self) -> Result<Vec<EndedImport>, ReadStoreError> {
        let table = self.read.open_table(REPORTS).map_err(|error| BLAME.read(error))?;
        let mut found = Vec::new();
        for row in table.iter().map_err(|error| BLAME.read(error))? {
            let (_, row) = row.map_err(|error| BLAME.read(error))?;
            found.push(decode("reports", row.value())?);
        }
        Ok(found)
    }
}

impl ClosedWrite {
    /// Keeps what became of an import; the oldest ones go.
    pub fn put_report(&mut self, import: &EndedImport) -> Result<(), WriteError> {
        let blame = |error| BLAME.write(error);
        let mut table = self.write.open_table(REPORTS).map_err(|error| BLAME.write(error))?;
        table.insert(&key(import), encode(import).as_slice()).map_err(blame)?;
        while table.len().map_err(blame)? > REPORTS_MAX as u64 {
            table.pop_first().map_err(blame)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crdt::ids::UnixMillis;

    use super::super::ClosedStore;
    use super::*;
    use crate::import::{Ended, ImportId, ImportOptions, SourceName};

    #[test]
    fn the_newest_reports_are_kept() {
        let store = ClosedStore::in_memory();
        let options = ImportOptions::new(SourceName::new("x"));
        for n in 0..REPORTS_MAX as u8 + 3 {
            let import = EndedImport {
                id: ImportId([n; 8]),
                name: "x.csv".into(),
                options: options.clone(),
                ended: UnixMillis(1_000 + i64::from(n)),
                end: Ended::Failed(format!("number {n}")),
            };
            let mut write = store.write().unwrap();
            write.put_report(&import).unwrap();
            write.commit().unwrap();
        }
        let kept = store.read().unwrap().reports().unwrap();
        assert_eq!((kept.len(), kept[0].id), (REPORTS_MAX, ImportId([3; 8])));
    }
}
