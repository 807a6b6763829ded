//! `closed.redb`: what never leaves the town. Closed records and drafts,
//! internal notes, the names behind pseudonyms.
//!
//! Takes nothing sealed and nothing signed; no code that talks to peers names
//! this type.

use std::path::Path;
use std::sync::Arc;

use crdt::catalog::{Internal, LocalRecord};
use crdt::ids::{DatasetId, Pseudonym};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::compress::{compress, decompress};
use super::database::{self, ID, Kind, Store};
use super::error::{Blame, OpenStoreError, ReadStoreError, WriteError};
use super::{CLOSED_FILE, StoreSettings};

mod aliases;
mod duplicates;
mod harvests;
mod reports;
mod sources;

pub use aliases::{AliasRow, Leading};
pub use duplicates::PairOfRecords;
pub use sources::{SourceRow, TaskRow};

const KIND: Kind = Kind {
    file: CLOSED_FILE,
    lost: "lost are this town's closed records, drafts and internal notes",
    remedy: "put the file aside and restore it from the last backup; no other town has a copy",
};
const BLAME: Blame = Blame(CLOSED_FILE);

type Bytes = &'static [u8];
type Id = &'static [u8; 16];

const RECORDS: TableDefinition<'static, Id, Bytes> = TableDefinition::new("records");
const NOTES: TableDefinition<'static, Id, Bytes> = TableDefinition::new("notes");
const LOG: TableDefinition<'static, &'static [u8; 24], ()> = TableDefinition::new("log");
const PEOPLE: TableDefinition<'static, Id, Bytes> = TableDefinition::new("people");

const POSITION: &str = "position";
const FORM: u8 = 1;
/// Longest record as JSON, in bytes.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The open file. Cheap to clone; all copies are one file.
#[derive(Debug, Clone)]
pub struct ClosedStore {
    store: Arc<Store>,
}

impl ClosedStore {
    /// Opens the file of a data directory, or makes it.
    pub fn open(directory: &Path, settings: StoreSettings) -> Result<Self, OpenStoreError> {
        let store = Store::open(&directory.join(CLOSED_FILE), KIND, settings)?;
        Self::prepared(store).map_err(|error| OpenStoreError::Damaged {
            path: directory.join(CLOSED_FILE),
            detail: error.to_string(),
            lost: KIND.lost,
            remedy: KIND.remedy,
        })
    }

    /// A store in memory, for tests.
    pub fn in_memory() -> Self {
        Self::prepared(Store::in_memory(KIND)).expect("tables can be made in memory")
    }

    fn prepared(store: Store) -> Result<Self, WriteError> {
        let this = Self { store: Arc::new(store) };
        let empty = this.store.meta(POSITION)?.is_none();
        if empty || lacks_tables(&this.store.read()?)? {
            let mut write = this.write()?;
            write.make_tables()?;
            if empty {
                write.set_position(0)?;
            }
            write.commit()?;
        }
        Ok(this)
    }

    /// A snapshot that no later commit changes.
    pub fn read(&self) -> Result<ClosedSnapshot, ReadStoreError> {
        Ok(ClosedSnapshot { read: self.store.read()? })
    }

    /// Begins the one write that can be open; only the ledger calls this.
    pub fn write(&self) -> Result<ClosedWrite, WriteError> {
        Ok(ClosedWrite { store: Arc::clone(&self.store), write: self.store.write()? })
    }

    /// Random id that tells this store from any other.
    pub fn id(&self) -> Result<String, ReadStoreError> {
        Ok(crdt::ids::hex(&self.store.meta(ID)?.unwrap_or_default()))
    }

    /// Length of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.store.bytes()
    }
}

/// Whether a file of an earlier release lacks a table.
fn lacks_tables(read: &ReadTransaction) -> Result<bool, ReadStoreError> {
    Ok(sources::are_missing(read)?
        || harvests::are_missing(read)?
        || duplicates::are_missing(read)?
        || aliases::are_missing(read)?
        || reports::are_missing(read)?)
}

/// One moment of the closed store.
#[derive(Debug)]
pub struct ClosedSnapshot {
    read: ReadTransaction,
}

impl ClosedSnapshot {
    /// Number of the last commit that touched this file.
    pub fn position(&self) -> Result<u64, ReadStoreError> {
        let bytes = database::meta(&self.read, POSITION, CLOSED_FILE)?.unwrap_or_default();
        let bytes = bytes.try_into().map_err(|_| BLAME.row("meta", "the position is unreadable"))?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// A closed record or draft.
    pub fn record(&self, id: &DatasetId) -> Result<Option<LocalRecord>, ReadStoreError> {
        self.get(RECORDS, "records", id).map(|row: Option<RecordRow>| row.map(|row| row.record))
    }

    /// Goes through all closed records and drafts.
    pub fn each_record(&self, mut visit: impl FnMut(LocalRecord)) -> Result<(), ReadStoreError> {
        let table = self.read.open_table(RECORDS).map_err(|error| BLAME.read(error))?;
        for row in table.iter().map_err(|error| BLAME.read(error))? {
            let (_, row) = row.map_err(|error| BLAME.read(error))?;
            visit(decode::<RecordRow>("records", row.value())?.record);
        }
        Ok(())
    }

    /// How many closed records and drafts there are.
    pub fn records(&self) -> Result<u64, ReadStoreError> {
        let table = self.read.open_table(RECORDS).map_err(|error| BLAME.read(error))?;
        table.len().map_err(|error| BLAME.read(error))
    }

    /// The town's notes about a dataset that is no longer closed.
    pub fn notes(&self, id: &DatasetId) -> Result<Option<Internal>, ReadStoreError> {
        self.get(NOTES, "notes", id)
    }

    /// Records and notes changed by commits after `position`, oldest first, at
    /// most `count`.
    pub fn changed_after(
        &self,
        position: u64,
        count: usize,
    ) -> Result<Vec<(u64, DatasetId)>, ReadStoreError> {
        let table = self.read.open_table(LOG).map_err(|error| BLAME.read(error))?;
        let first = log_key(position.saturating_add(1), &[0; 16]);
        let mut found = Vec::new();
        for row in table.range::<&[u8; 24]>(&first..).map_err(|error| BLAME.read(error))?.take(count) {
            let (key, _) = row.map_err(|error| BLAME.read(error))?;
            let (at, id) = key.value().split_at(8);
            let id: Option<[u8; 16]> = id.try_into().ok();
            let at = at.try_into().map_or(0, u64::from_be_bytes);
            found.extend(id.map(|id| (at, DatasetId(uuid::Uuid::from_bytes(id)))));
        }
        Ok(found)
    }

    /// Whom the town knows by a pseudonym.
    pub fn person(&self, pseudonym: &Pseudonym) -> Result<Option<String>, ReadStoreError> {
        let table = self.read.open_table(PEOPLE).map_err(|error| BLAME.read(error))?;
        let row = table.get(&pseudonym.0).map_err(|error| BLAME.read(error))?;
        row.map(|row| decode("people", row.value())).transpose()
    }

    /// The pseudonym of a role or person.
    pub fn pseudonym_of(&self, name: &str) -> Result<Option<Pseudonym>, ReadStoreError> {
        let table = self.read.open_table(PEOPLE).map_err(|error| BLAME.read(error))?;
        for row in table.iter().map_err(|error| BLAME.read(error))? {
            let (key, row) = row.map_err(|error| BLAME.read(error))?;
            if decode::<String>("people", row.value())? == name {
                return Ok(Some(Pseudonym(*key.value())));
            }
        }
        Ok(None)
    }

    fn get<T: DeserializeOwned>(
        &self,
        table: TableDefinition<'static, Id, Bytes>,
        name: &'static str,
        id: &DatasetId,
    ) -> Result<Option<T>, ReadStoreError> {
        let table = self.read.open_table(table).map_err(|error| BLAME.read(error))?;
        let row = table.get(id.0.as_bytes()).map_err(|error| BLAME.read(error))?;
        row.map(|row| decode(name, row.value())).transpose()
    }
}

/// A record and the commit that changed it last.
#[derive(Serialize, Deserialize)]
struct RecordRow {
    position: u64,
    record: LocalRecord,
}

/// One write to the closed store. Dropped without [`Self::commit`], nothing
/// has happened.
pub struct ClosedWrite {
    store: Arc<Store>,
    write: WriteTransaction,
}

impl ClosedWrite {
    /// Makes everything written durable, at once.
    pub fn commit(self) -> Result<(), WriteError> {
        self.store.commit(self.write)
    }

    fn make_tables(&mut self) -> Result<(), WriteError> {
        let blame = |error| BLAME.write(error);
        self.write.open_table(RECORDS).map_err(blame)?;
        self.write.open_table(NOTES).map_err(blame)?;
        self.write.open_table(LOG).map_err(blame)?;
        self.write.open_table(PEOPLE).map_err(blame)?;
        duplicates::make_tables(&self.write)?;
        harvests::make_tables(&self.write)?;
        aliases::make_tables(&self.write)?;
        reports::make_tables(&self.write)?;
        sources::make_tables(&self.write)
    }

    /// Sets the number of this commit.
    pub fn set_position(&mut self, position: u64) -> Result<(), WriteError> {
        database::set_meta(&self.write, POSITION, &position.to_be_bytes(), CLOSED_FILE)
    }

    /// Writes a closed record or draft.
    pub fn put_record(&mut self, record: &LocalRecord, position: u64) -> Result<(), WriteError> {
        let id = record.dataset.id;
        let row = RecordRow { position, record: record.clone() };
        let old = {
            let mut table = self.write.open_table(RECORDS).map_err(|error| BLAME.write(error))?;
            let old =
                table.insert(id.0.as_bytes(), encode(&row).as_slice()).map_err(|error| BLAME.write(error))?;
            old.map(|old| decode::<RecordRow>("records", old.value())).transpose()?
        };
        self.log(old.map(|old| old.position), position, &id)
    }

    /// Takes a record out: it was thrown away or published.
    pub fn delete_record(&mut self, id: &DatasetId, position: u64) -> Result<(), WriteError> {
        let old = {
            let mut table = self.write.open_table(RECORDS).map_err(|error| BLAME.write(error))?;
            let old = table.remove(id.0.as_bytes()).map_err(|error| BLAME.write(error))?;
            old.map(|old| decode::<RecordRow>("records", old.value())).transpose()?
        };
        self.log(old.map(|old| old.position), position, id)
    }

    /// The log keeps one entry per record, also for deleted ones: the search
    /// index learns of them from it.
    fn log(&mut self, before: Option<u64>, position: u64, id: &DatasetId) -> Result<(), WriteError> {
        let mut log = self.write.open_table(LOG).map_err(|error| BLAME.write(error))?;
        if let Some(before) = before {
            log.remove(&log_key(before, id.0.as_bytes())).map_err(|error| BLAME.write(error))?;
        }
        log.insert(&log_key(position, id.0.as_bytes()), ()).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Writes the town's notes about a dataset that is no longer closed.
    pub fn put_notes(&mut self, id: &DatasetId, notes: &Internal) -> Result<(), WriteError> {
        let mut table = self.write.open_table(NOTES).map_err(|error| BLAME.write(error))?;
        table.insert(id.0.as_bytes(), encode(notes).as_slice()).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Notes whom a pseudonym stands for.
    pub fn put_person(&mut self, pseudonym: &Pseudonym, name: &str) -> Result<(), WriteError> {
        let mut table = self.write.open_table(PEOPLE).map_err(|error| BLAME.write(error))?;
        table.insert(&pseudonym.0, encode(&name).as_slice()).map_err(|error| BLAME.write(error))?;
        Ok(())
    }
}

fn log_key(position: u64, id: &[u8; 16]) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&position.to_be_bytes());
    key[8..].copy_from_slice(id);
    key
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let json = serde_json::to_vec(value).expect("rows are structs, text keys and numbers");
    let mut out = vec![FORM];
    compress(&json, &mut out);
    out
}

fn decode<T: DeserializeOwned>(table: &'static str, row: &[u8]) -> Result<T, ReadStoreError> {
    let wrong = |detail: String| BLAME.row(table, detail);
    let (form, body) = row.split_first().ok_or_else(|| wrong("the row is empty".into()))?;
    if *form != FORM {
        return Err(wrong(format!("form {form} is unknown")));
    }
    let json = decompress(body, RECORD_BYTES_MAX).map_err(wrong)?;
    serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))
}
