//! Where imported records came from, what is left to do about them, and how a
//! source's columns are understood.
//!
//! All of it is the town's own business and stays in `closed.redb`.

use crdt::catalog::LocalRecord;
use crdt::catalog::invalid::Bilingual;
use crdt::ids::{DatasetId, UnixMillis};
use redb::{
    ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, TableError, WriteTransaction,
};
use serde::{Deserialize, Serialize};

use super::{BLAME, Bytes, ClosedSnapshot, ClosedWrite, decode, encode};
use crate::import::SourceName;
use crate::store::error::{ReadStoreError, WriteError};

/// Source ‖ key, both hashed.
type SourceKey = &'static [u8; 32];

const SOURCES: TableDefinition<'static, SourceKey, Bytes> = TableDefinition::new("sources");
const TASKS: TableDefinition<'static, SourceKey, Bytes> = TableDefinition::new("tasks");
/// Dataset ‖ source key: where a record came from.
const ORIGINS: TableDefinition<'static, &'static [u8; 48], ()> = TableDefinition::new("origins");
const MAPPINGS: TableDefinition<'static, &'static [u8; 16], Bytes> = TableDefinition::new("mappings");

/// Where an imported record came from, and what the source said then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRow {
    /// The source.
    pub source: String,
    /// What names the record there.
    pub key: String,
    /// Where it stood, in words.
    pub place: String,
    /// The record here.
    pub dataset: DatasetId,
    /// When the source said it last that something had changed.
    pub at: UnixMillis,
    /// The whole record as the source had it.
    pub said: LocalRecord,
    /// Whether a person has thrown the record away here: it does not come again
    /// by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thrown_away: bool,
}

/// Something that a person has to decide or fill in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    /// The record.
    pub dataset: DatasetId,
    /// Path of its field, `/` between its parts.
    pub field: String,
    /// What there is to do.
    pub text: Bilingual,
    /// The source that gave rise to it.
    pub source: String,
    /// When it came up.
    pub at: UnixMillis,
}

impl TaskRow {
    fn key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key[..16].copy_from_slice(self.dataset.0.as_bytes());
        key[16..].copy_from_slice(&crate::import::field_hash(&self.field));
        key
    }
}

/// Whether a file of an earlier release lacks these tables.
pub(super) fn are_missing(read: &ReadTransaction) -> Result<bool, ReadStoreError> {
    match read.open_table(ORIGINS) {
        Ok(_) => Ok(false),
        Err(TableError::TableDoesNotExist(_)) => Ok(true),
        Err(error) => Err(BLAME.read(error)),
    }
}

pub(super) fn make_tables(write: &WriteTransaction) -> Result<(), WriteError> {
    let blame = |error| BLAME.write(error);
    write.open_table(SOURCES).map_err(blame)?;
    write.open_table(TASKS).map_err(blame)?;
    write.open_table(MAPPINGS).map_err(blame)?;
    let mut origins = write.open_table(ORIGINS).map_err(blame)?;
    let sources = write.open_table(SOURCES).map_err(blame)?;
    if origins.is_empty().map_err(|error| BLAME.write(error))? {
        // A file of an earlier release has the rows, but not this way to them.
        for row in sources.iter().map_err(|error| BLAME.write(error))? {
            let (key, row) = row.map_err(|error| BLAME.write(error))?;
            let row: SourceRow = decode("sources", row.value())?;
            origins.insert(&origin_key(&row.dataset, key.value()), ()).map_err(|error| BLAME.write(error))?;
        }
    }
    Ok(())
}

fn origin_key(dataset: &DatasetId, source: &[u8; 32]) -> [u8; 48] {
    let mut key = [0; 48];
    key[..16].copy_from_slice(dataset.0.as_bytes());
    key[16..].copy_from_slice(source);
    key
}

/// The keys below a first half.
fn below(prefix: [u8; 16]) -> std::ops::RangeInclusive<[u8; 32]> {
    let (mut first, mut last) = ([0; 32], [0xff; 32]);
    first[..16].copy_from_slice(&prefix);
    last[..16].copy_from_slice(&prefix);
    first..=last
}

impl ClosedSnapshot {
    /// Where a record of a source went.
    pub fn source_row(&self, source: &SourceName, key: &str) -> Result<Option<SourceRow>, ReadStoreError> {
        let table = self.read.open_table(SOURCES).map_err(|error| BLAME.read(error))?;
        let row = table.get(&source.key_hash(key)).map_err(|error| BLAME.read(error))?;
        row.map(|row| decode("sources", row.value())).transpose()
    }

    /// Goes through everything that came from a source, in no order of meaning.
    pub fn each_of_source(
        &self,
        source: &SourceName,
        mut visit: impl FnMut(SourceRow),
    ) -> Result<(), ReadStoreError> {
        let table = self.read.open_table(SOURCES).map_err(|error| BLAME.read(error))?;
        let range = below(source.hash());
        for row in table.range::<&[u8; 32]>(range.start()..=range.end()).map_err(|error| BLAME.read(error))? {
            let (_, row) = row.map_err(|error| BLAME.read(error))?;
            visit(decode("sources", row.value())?);
        }
        Ok(())
    }

    /// Where a record came from: from nowhere, from one source or from several.
    pub fn origins_of(&self, id: &DatasetId) -> Result<Vec<SourceRow>, ReadStoreError> {
        let origins = self.read.open_table(ORIGINS).map_err(|error| BLAME.read(error))?;
        let sources = self.read.open_table(SOURCES).map_err(|error| BLAME.read(error))?;
        let (first, last) = (origin_key(id, &[0; 32]), origin_key(id, &[0xff; 32]));
        let mut found = Vec::new();
        for row in origins.range::<&[u8; 48]>(&first..=&last).map_err(|error| BLAME.read(error))? {
            let (key, _) = row.map_err(|error| BLAME.read(error))?;
            let mut source = [0; 32];
            source.copy_from_slice(&key.value()[16..]);
            if let Some(row) = sources.get(&source).map_err(|error| BLAME.read(error))? {
                let row: SourceRow = decode("sources", row.value())?;
                // A source's record that was thrown away here came as another one.
                found.extend(Some(row).filter(|row| row.dataset == *id));
            }
        }
        Ok(found)
    }

    /// Tasks in the order of their records, at most `limit` after `skip`, and
    /// how many there are.
    pub fn tasks(&self, skip: usize, limit: usize) -> Result<(Vec<TaskRow>, u64), ReadStoreError> {
        let table = self.read.open_table(TASKS).map_err(|error| BLAME.read(error))?;
        let total = table.len().map_err(|error| BLAME.read(error))?;
        let mut found = Vec::new();
        for row in table.iter().map_err(|error| BLAME.read(error))?.skip(skip).take(limit) {
            let (_, row) = row.map_err(|error| BLAME.read(error))?;
            found.push(decode("tasks", row.value())?);
        }
        Ok((found, total))
    }

    /// Whether there is any task. A damaged table counts as one: whoever reads
    /// it next will say so.
    pub fn has_tasks(&self) -> bool {
        let table = self.read.open_table(TASKS);
        table.is_ok_and(|table| !table.is_empty().is_ok_and(|empty| empty))
    }

    /// Tasks of one record.
    pub fn tasks_of(&self, id: &DatasetId) -> Result<Vec<TaskRow>, ReadStoreError> {
        let table = self.read.open_table(TASKS).map_err(|error| BLAME.read(error))?;
        let range = below(*id.0.as_bytes());
        let mut found = Vec::new();
        for row in table.range::<&[u8; 32]>(range.start()..=range.end()).map_err(|error| BLAME.read(error))? {
            let (_, row) = row.map_err(|error| BLAME.read(error))?;
            found.push(decode("tasks", row.value())?);
        }
        Ok(found)
    }

    /// How the columns of a source were understood, as JSON.
    pub fn mapping(&self, source: &SourceName) -> Result<Option<serde_json::Value>, ReadStoreError> {
        let table = self.read.open_table(MAPPINGS).map_err(|error| BLAME.read(error))?;
        let row = table.get(&source.hash()).map_err(|error| BLAME.read(error))?;
        row.map(|row| decode("mappings", row.value())).transpose()
    }
}

impl ClosedWrite {
    /// Notes where a record came from.
    pub fn put_source_row(&mut self, row: &SourceRow) -> Result<(), WriteError> {
        let key = SourceName::new(&row.source).key_hash(&row.key);
        let mut table = self.write.open_table(SOURCES).map_err(|error| BLAME.write(error))?;
        table.insert(&key, encode(row).as_slice()).map_err(|error| BLAME.write(error))?;
        let mut origins = self.write.open_table(ORIGINS).map_err(|error| BLAME.write(error))?;
        origins.insert(&origin_key(&row.dataset, &key), ()).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Forgets a key of a source: its record goes by another one.
    pub fn forget_source_row(&mut self, key: &[u8; 32]) -> Result<(), WriteError> {
        let mut table = self.write.open_table(SOURCES).map_err(|error| BLAME.write(error))?;
        // The way to it from its record leads to nothing, which readers pass over.
        table.remove(key).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Notes something to do; what was noted about the same field goes.
    pub fn put_task(&mut self, task: &TaskRow) -> Result<(), WriteError> {
        let mut table = self.write.open_table(TASKS).map_err(|error| BLAME.write(error))?;
        table.insert(&task.key(), encode(task).as_slice()).map_err(|error| BLAME.write(error))?;
        Ok(())
    }

    /// Takes out the tasks of a record about these fields and what lies in
    /// them; all of its tasks where no field is named.
    pub fn finish_tasks(&mut self, id: &DatasetId, fields: Option<&[String]>) -> Result<(), WriteError> {
        let mut table = self.write.open_table(TASKS).map_err(|error| BLAME.write(error))?;
        let range = below(*id.0.as_bytes());
        let mut done = Vec::new();
        for row in
            table.range::<&[u8; 32]>(range.start()..=range.end()).map_err(|error| BLAME.write(error))?
        {
            let (key, row) = row.map_err(|error| BLAME.write(error))?;
            let task: TaskRow = decode("tasks", row.value())?;
            let within = |field: &String| {
                task.field == *field
                    || task.field.strip_prefix(field.as_str()).is_some_and(|rest| rest.starts_with('/'))
            };
            if fields.is_none_or(|fields| fields.iter().any(within)) {
                done.push(*key.value());
            }
        }
        for key in done {
            table.remove(&key).map_err(|error| BLAME.write(error))?;
        }
        Ok(())
    }

    /// Keeps how the columns of a source are understood.
    pub fn put_mapping(
        &mut self,
        source: &SourceName,
        mapping: &serde_json::Value,
    ) -> Result<(), WriteError> {
        let mut table = self.write.open_table(MAPPINGS).map_err(|error| BLAME.write(error))?;
        table.insert(&source.hash(), encode(mapping).as_slice()).map_err(|error| BLAME.write(error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClosedStore;
    use super::*;

    fn task(id: u8, field: &str) -> TaskRow {
        let text = Bilingual::fixed("bitte prüfen", "please check");
        TaskRow {
            dataset: DatasetId::from_random([id; 16]),
            field: field.into(),
            text,
            source: "x".into(),
            at: UnixMillis(0),
        }
    }

    #[test]
    fn a_task_is_noted_once_and_goes_with_its_field() {
        let store = ClosedStore::in_memory();
        let mut write = store.write().unwrap();
        for field in ["frequency", "frequency", "title/de", "themes"] {
            write.put_task(&task(1, field)).unwrap();
        }
        write.put_task(&task(2, "title")).unwrap();
        write.commit().unwrap();
        let id = DatasetId::from_random([1; 16]);
        assert_eq!(store.read().unwrap().tasks_of(&id).unwrap().len(), 3);
        assert_eq!(store.read().unwrap().tasks(3, 10).unwrap().1, 4);

        let mut write = store.write().unwrap();
        write.finish_tasks(&id, Some(&["title".into(), "theme".into()])).unwrap();
        write.commit().unwrap();
        let mut left: Vec<_> =
            store.read().unwrap().tasks_of(&id).unwrap().into_iter().map(|task| task.field).collect();
        left.sort();
        assert_eq!(left, ["frequency", "themes"], "another record's task and a longer name stay");
        let mut write = store.write().unwrap();
        write.finish_tasks(&id, None).unwrap();
        write.commit().unwrap();
        assert_eq!(store.read().unwrap().tasks(0, 10).unwrap().1, 1);
    }
}
