//! Prepares what an export of this town brings back: records under the ids
//! that they had, open ones as documents of this node, nothing overwritten.

use std::collections::BTreeMap;

use crdt::catalog::{
    Bilingual, Catalog, CatalogEdit, Class, Dataset, DatasetEdit, Internal, Lang, LifecycleStatus,
    LocalRecord, obstacles,
};
use crdt::ids::{DatasetId, DocumentId, UnixMillis};
use serde_json::Value;

use super::stage::Stage;
use super::{Author, Books, catalog, local, signer, stage};
use crate::export::{AliasPart, DifferentPart, LeadingPart};
use crate::handle::EditCatalogError;
use crate::import::{Returned, Returning, ReturningRecord};
use crate::store::{AliasRow, PairOfRecords, ReadStoreError, ViewContent};

/// Obstacles that are told of one record that stays closed.
const OBSTACLES_SHOWN: usize = 3;

/// Stages a batch; gives what becomes of each part, in their order.
pub(super) fn restore(
    stage: &mut Stage,
    books: &Books,
    batch: Vec<Returning>,
    author: Author,
    now: UnixMillis,
) -> Result<Vec<Returned>, ReadStoreError> {
    let one = |returning| {
        let restoring = Restoring { stage: &mut *stage, books, author, now };
        match returning {
            Returning::Record(record) => restoring.record(*record),
            Returning::Catalog(said, extra) => {
                restoring.catalog(&said, CatalogEdit::first_with_extra(&said, &extra))
            }
            Returning::GivenUp(record) => restoring.given_up(*record),
            Returning::Alias(alias) => restoring.alias(alias),
            Returning::Leading(leading) => restoring.leading(leading),
            Returning::Different(pair) => restoring.different(pair),
        }
    };
    batch.into_iter().map(one).collect()
}

/// What a batch would bring back, nothing written.
pub(crate) fn rehearse_return(
    books: &Books,
    batch: Vec<Returning>,
    author: Author,
    now: UnixMillis,
) -> Result<Vec<Returned>, ReadStoreError> {
    restore(&mut stage::Stage::new(books)?, books, batch, author, now)
}

struct Restoring<'a> {
    stage: &'a mut Stage,
    books: &'a Books,
    author: Author,
    now: UnixMillis,
}

impl Restoring<'_> {
    fn record(self, returning: ReturningRecord) -> Result<Returned, ReadStoreError> {
        let id = returning.record.dataset.id;
        if let Some(document) = self.stage.own_document(&id, &self.books.town())? {
            return self.open_already(&document, returning);
        }
        if let Some(held) = self.stage.record(&id)? {
            return self.closed_already(&held, returning);
        }
        if self.stage.other_owner(&id)?.is_some() {
            return Ok(Returned::Taken);
        }
        let kept = self.stage.kept(id)?;
        if kept != id {
            return Ok(Returned::GivenUp { kept });
        }
        match self.stays_closed(&returning) {
            None => self.publish(returning, |left_out| Returned::Created { left_out, closed: None }),
            Some(reason) => {
                let left_out = returning.extra.into_keys().collect();
                let was_open = returning.record.dataset.class != Class::Closed;
                self.stage.records.insert(id, Some(as_closed(&returning.record)));
                let closed = was_open.then_some(reason);
                Ok(Returned::Created { left_out, closed })
            }
        }
    }

    /// Open here: what it says here stays. Notes come back where there are
    /// none, since a crash may have kept them out.
    fn open_already(
        self,
        document: &DocumentId,
        returning: ReturningRecord,
    ) -> Result<Returned, ReadStoreError> {
        let ReturningRecord { record, with_notes, .. } = returning;
        let id = record.dataset.id;
        let held = self.open_dataset(document)?.unwrap_or_else(|| Dataset::new(id));
        let mut fields = differences(&held, &record.dataset);
        if with_notes {
            let lost = !self.stage.notes.contains_key(&id) && self.stage.closed.notes(&id)?.is_none();
            if lost && fields.is_empty() {
                self.stage.notes.insert(id, record.internal);
                return Ok(Returned::Completed { left_out: Vec::new() });
            }
            fields.extend(of_notes(&self.stage.notes(&id)?, &record.internal));
        }
        Ok(if fields.is_empty() { Returned::Same { closed: None } } else { Returned::Other { fields } })
    }

    /// Closed here: it becomes open again if it says what the export says.
    fn closed_already(
        self,
        held: &LocalRecord,
        returning: ReturningRecord,
    ) -> Result<Returned, ReadStoreError> {
        let expected = as_closed(&returning.record);
        let mut fields = differences(&held.dataset, &expected.dataset);
        if returning.with_notes {
            fields.extend(of_notes(&held.internal, &expected.internal));
        }
        if !fields.is_empty() {
            return Ok(Returned::Other { fields });
        }
        match self.stays_closed(&returning) {
            None => {
                let record =
                    LocalRecord { dataset: returning.record.dataset, internal: held.internal.clone() };
                self.publish(ReturningRecord { record, ..returning }, |left_out| Returned::Completed {
                    left_out,
                })
            }
            Some(reason) => {
                let was_open = returning.record.dataset.class != Class::Closed;
                Ok(Returned::Same { closed: was_open.then_some(reason) })
            }
        }
    }

    /// Why a record cannot be open here now; of a closed one, that it is.
    fn stays_closed(&self, returning: &ReturningRecord) -> Option<Bilingual> {
        let ReturningRecord { record, with_notes, .. } = returning;
        if record.dataset.class != Class::Open {
            return Some(Bilingual::fixed("war nicht veröffentlicht", "was not published"));
        }
        if let Some(reason) = self.cannot_publish() {
            return Some(reason);
        }
        let mut found = obstacles(&record.dataset, &record.internal, &self.books.lists);
        // What an export for everyone leaves out cannot stand in the way.
        found.retain(|finding| *with_notes || !finding.field.starts_with("internal/"));
        let sentences = |lang| {
            let shown = found.iter().take(OBSTACLES_SHOWN).map(|finding| finding.message(lang));
            shown.collect::<Vec<_>>().join(" ")
        };
        (!found.is_empty())
            .then(|| Bilingual::made(sentences(crdt::catalog::Lang::De), sentences(crdt::catalog::Lang::En)))
    }

    /// Why nothing can be made open here now.
    fn cannot_publish(&self) -> Option<Bilingual> {
        if let Err(reason) = signer(self.books) {
            return Some(Bilingual::made(format!("der Knoten darf nicht siegeln ({reason})"), reason));
        }
        (!self.books.may_publish()).then(|| {
            Bilingual::fixed(
                "der Knoten veröffentlicht gerade nicht: er holt noch auf, oder er läuft nicht",
                "the node does not publish now: it is catching up, or not running",
            )
        })
    }

    /// Makes the record open; closed if it cannot be sealed.
    fn publish(
        mut self,
        returning: ReturningRecord,
        made: impl FnOnce(Vec<String>) -> Returned,
    ) -> Result<Returned, ReadStoreError> {
        let ReturningRecord { record, extra, .. } = returning;
        let id = record.dataset.id;
        match self.seal(&record.dataset, &extra) {
            Ok(left_out) => {
                if self.stage.record(&id)?.is_some() {
                    self.stage.records.insert(id, None);
                }
                self.stage.notes.insert(id, record.internal);
                Ok(made(left_out))
            }
            Err(reason) => {
                self.stage.records.insert(id, Some(as_closed(&record)));
                let (left_out, closed) =
                    (extra.into_keys().collect(), Bilingual::made(reason.clone(), reason));
                Ok(Returned::Created { left_out, closed: Some(closed) })
            }
        }
    }

    /// Stages a document that says this; gives the fields of other versions that
    /// it cannot hold.
    fn seal(&mut self, dataset: &Dataset, extra: &BTreeMap<String, Value>) -> Result<Vec<String>, String> {
        let (first, left_out) = DatasetEdit::first_with_extra(dataset, extra);
        let signer = signer(self.books)?;
        let said = (dataset.id, &first);
        local::open_document(self.stage, self.books, &signer, self.author, self.now, said)?;
        Ok(left_out)
    }

    /// An open record that was given up for another comes back as a document
    /// that says so, so that its names go on leading there. It is no record:
    /// the rules of publication ask nothing of it, and it is never a draft.
    fn given_up(mut self, returning: ReturningRecord) -> Result<Returned, ReadStoreError> {
        let id = returning.record.dataset.id;
        if let Some(document) = self.stage.own_document(&id, &self.books.town())? {
            return self.open_already(&document, returning);
        }
        if self.stage.record(&id)?.is_some() {
            return Ok(Returned::Other { fields: vec!["replaced_by".to_owned()] });
        }
        if self.stage.other_owner(&id)?.is_some() {
            return Ok(Returned::Taken);
        }
        if let Some(reason) = self.cannot_publish() {
            return Ok(Returned::Same { closed: Some(reason) });
        }
        let ReturningRecord { record, extra, .. } = returning;
        Ok(match self.seal(&record.dataset, &extra) {
            Ok(left_out) => {
                self.stage.notes.insert(id, record.internal);
                Returned::Created { left_out, closed: None }
            }
            Err(reason) => Returned::Same { closed: Some(Bilingual::made(reason.clone(), reason)) },
        })
    }

    /// A name leads to the record that was kept, unless it leads elsewhere here
    /// or is that of a record that is here.
    fn alias(self, AliasPart { name, dataset }: AliasPart) -> Result<Returned, ReadStoreError> {
        Ok(match self.stage.alias(&name)? {
            Some(held) if held == dataset => Returned::Same { closed: None },
            None if !self.is_here(&name)? => {
                self.stage.aliases.push(AliasRow { name, dataset, at: self.now });
                created()
            }
            _ => Returned::Other { fields: vec!["alias".to_owned()] },
        })
    }

    /// Whether a name is the id of a record of this town that was not given up.
    fn is_here(&self, name: &str) -> Result<bool, ReadStoreError> {
        let Ok(id) = name.parse::<DatasetId>() else { return Ok(false) };
        if self.stage.record(&id)?.is_some() {
            return Ok(true);
        }
        let Some(document) = self.stage.own_document(&id, &self.books.town())? else { return Ok(false) };
        Ok(self.open_dataset(&document)?.is_none_or(|dataset| dataset.replaced_by.is_none()))
    }

    fn leading(self, LeadingPart { dataset, by }: LeadingPart) -> Result<Returned, ReadStoreError> {
        Ok(match self.stage.leading(&dataset)? {
            Some(held) if held == by => Returned::Same { closed: None },
            Some(_) => Returned::Other { fields: vec!["leading".to_owned()] },
            None => {
                self.stage.leading.push((dataset, Some(by)));
                created()
            }
        })
    }

    fn different(self, DifferentPart { one, other }: DifferentPart) -> Result<Returned, ReadStoreError> {
        let pair = PairOfRecords::new(one, other);
        if self.stage.closed.is_different(pair)? {
            return Ok(Returned::Same { closed: None });
        }
        self.stage.different.push((pair, true));
        Ok(created())
    }

    fn open_dataset(&self, document: &DocumentId) -> Result<Option<Dataset>, ReadStoreError> {
        let content = match self.stage.documents.get(document) {
            Some(staged) => staged.view.as_ref().map(|view| view.content.clone()),
            None => self.stage.replica.view(document)?.map(|view| view.content),
        };
        Ok(match content {
            Some(ViewContent::Dataset(dataset)) => Some(*dataset),
            _ => None,
        })
    }

    fn catalog(
        self,
        said: &Catalog,
        (edit, left_out): (CatalogEdit, Vec<String>),
    ) -> Result<Returned, ReadStoreError> {
        if let Some(held) = catalog::own(self.stage, self.books)? {
            let edit = CatalogEdit::between(&held, said);
            let fields: Vec<String> = edit.fields().into_iter().map(str::to_owned).collect();
            let same = fields.is_empty();
            return Ok(if same { Returned::Same { closed: None } } else { Returned::Other { fields } });
        }
        match catalog::edit(self.stage, self.books, &edit, self.author, self.now) {
            Ok(_) => Ok(Returned::Created { left_out, closed: None }),
            Err(EditCatalogError::CatchingUp) => Ok(Returned::Same {
                closed: Some(Bilingual::fixed(
                    "der Knoten veröffentlicht gerade nicht",
                    "the node does not publish now",
                )),
            }),
            Err(EditCatalogError::Faulty(body)) => {
                let in_lang = |lang| body.messages(lang).join("; ");
                Ok(Returned::Same { closed: Some(Bilingual::made(in_lang(Lang::De), in_lang(Lang::En))) })
            }
            Err(error) => {
                Ok(Returned::Same { closed: Some(Bilingual::made(error.to_string(), error.to_string())) })
            }
        }
    }
}

fn created() -> Returned {
    Returned::Created { left_out: Vec::new(), closed: None }
}

/// The record as a closed one may be.
fn as_closed(record: &LocalRecord) -> LocalRecord {
    let mut record = record.clone();
    if record.dataset.class != Class::Closed {
        record.dataset.class = Class::Closed;
        if matches!(record.dataset.status, LifecycleStatus::Published | LifecycleStatus::Shared) {
            record.dataset.status = LifecycleStatus::Draft;
        }
    }
    record
}

fn differences(held: &Dataset, says: &Dataset) -> Vec<String> {
    DatasetEdit::between(held, says).fields().into_iter().map(str::to_owned).collect()
}

fn of_notes(held: &Internal, says: &Internal) -> Vec<String> {
    let edit = crdt::catalog::InternalEdit::between(held, says);
    edit.fields().into_iter().map(|field| format!("internal/{field}")).collect()
}

#[cfg(test)]
mod tests {
    use crdt::ids::DatasetId;

    use super::*;

    #[test]
    fn a_record_that_was_open_is_a_draft_while_it_is_closed() {
        let id = DatasetId::from_random([1; 16]);
        let mut record = LocalRecord { dataset: Dataset::new(id), internal: Internal::default() };
        record.dataset.status = LifecycleStatus::Archived;
        assert_eq!(as_closed(&record), record, "a closed one stays what it is");
        record.dataset.class = Class::Open;
        assert_eq!(as_closed(&record).dataset.status, LifecycleStatus::Archived);
        record.dataset.status = LifecycleStatus::Published;
        let closed = as_closed(&record).dataset;
        assert_eq!((closed.class, closed.status), (Class::Closed, LifecycleStatus::Draft));
    }
}
