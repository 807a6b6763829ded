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
    let Batch { source, items, again } = batch;
    items.into_iter().map(|item| one(stage, books, &source, item, again, now)).collect()
}

fn one(
    stage: &mut Stage,
    books: &Books,
    source: &SourceName,
    item: Item,
    again: bool,
    now: UnixMillis,
) -> Result<Outcome, ReadStoreError> {
    let key = source.key_hash(&item.key);
    let named = stage.source_row(source, &item.key)?;
    let (row, renamed) = match (named, &item.was) {
        (None, Some(was)) => (stage.source_row(source, was)?, Some(source.key_hash(was))),
        (row, _) => (row, None),
    };
    // What was given up meanwhile is the record that was kept.
    let id = row.as_ref().map(|row| row.dataset).or(item.known).map(|id| stage.kept(id)).transpose()?;
    let row = row.zip(id).map(|(row, dataset)| SourceRow { dataset, ..row });
    let leading = id.map(|id| stage.closed.leading(&id)).transpose()?.flatten();
    let record = id.map(|id| stage.record(&id)).transpose()?.flatten();
    let published = match id.filter(|_| record.is_none()) {
        Some(id) => stage.own_published(&id, books)?,
        None => None,
    };
    let decision = decide(source, item, Held { row, record, published, leading }, again, now);
    if let Some(record) = decision.record {
        stage.records.insert(record.dataset.id, Some(record));
    }
    if let Some(row) = decision.row {
        stage.sources.insert(key, Some(row));
        stage.sources.extend(renamed.map(|was| (was, None)));
    }
    stage.tasks.extend(decision.tasks);
    Ok(decision.outcome)
}

/// What a batch would bring, nothing written.
pub(crate) fn rehearse(books: &Books, batch: Batch, now: UnixMillis) -> Result<Vec<Outcome>, ReadStoreError> {
    import(&mut stage::Stage::new(books)?, books, batch, now)
}
