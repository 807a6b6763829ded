//! Prepares what importers bring: many records under one job.

use super::stage::Stage;
use super::{Books, stage};
use crate::import::{Batch, Held, Item, Outcome, SourceName, decide};
use crate::store::{ReadStoreError, SourceRow};
use crdt::ids::UnixMillis;

/// Stages a batch; gives what becomes of each record, in their order.
pub(super) fn import(
    stage: &mut Stage,
    books: &Books,
    batch: Batch,
    now: UnixMillis,
) -> Result<Vec<Outcome>, ReadStoreError> {
    let Batch { source, items } = batch;
    items.into_iter().map(|item| one(stage, books, &source, item, now)).collect()
}

fn one(
    stage: &mut Stage,
    books: &Books,
    source: &SourceName,
    item: Item,
    now: UnixMillis,
) -> Result<Outcome, ReadStoreError> {
    let key = source.key_hash(&item.key);
    let row = match stage.sources.get(&key) {
        Some(row) => Some(row.clone()),
        None => stage.closed.source_row(source, &item.key)?,
    };
    // What was given up meanwhile is the record that was kept.
    let id = row.as_ref().map(|row| row.dataset).or(item.known).map(|id| stage.kept(id)).transpose()?;
    let row = row.zip(id).map(|(row, dataset)| SourceRow { dataset, ..row });
    let leading = id.map(|id| stage.closed.leading(&id)).transpose()?.flatten();
    let (record, published) = match id {
        None => (None, false),
        Some(id) => {
            let record = stage.record(&id)?;
            let open = record.is_none() && stage.own_document(&id, &books.town())?.is_some();
            (record, open)
        }
    };
    let decision = decide(source, item, Held { row, record, published, leading }, now);
    if let Some(record) = decision.record {
        stage.records.insert(record.dataset.id, Some(record));
    }
    if let Some(row) = decision.row {
        stage.sources.insert(key, row);
    }
    stage.tasks.extend(decision.tasks);
    Ok(decision.outcome)
}

/// What a batch would bring, nothing written.
pub(crate) fn rehearse(books: &Books, batch: Batch, now: UnixMillis) -> Result<Vec<Outcome>, ReadStoreError> {
    import(&mut stage::Stage::new(books)?, books, batch, now)
}
