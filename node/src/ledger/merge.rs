//! Prepares what a person decides about two records of the town that are the
//! same: one is kept, the other given up.
//!
//! A closed record that is given up is thrown away. An open one cannot be called
//! back: it stays as a document that says what it was replaced by, which no
//! listing shows and which leads every reader to the record that was kept.
//!
//! INVARIANT: names of closed records that were given up become aliases in the
//! closed store only; they never enter an open document.

use std::collections::BTreeSet;

use crdt::catalog::{Dataset, DatasetEdit, LocalRecord, Merge, Timestamp};
use crdt::ids::{DatasetId, DocumentId, UnixMillis};

use super::local::{self, author_edit, put, take};
use super::stage::Stage;
use super::{Author, Books, EditJob, signer};
use crate::handle::{EditError, GivenUp, MergeError, Merged};
use crate::store::{AliasRow, ReadStoreError};

/// Two records of the town and what the one takes over from the other.
#[derive(Debug, Clone)]
pub(crate) struct MergeJob {
    pub(crate) keep: DatasetId,
    pub(crate) give_up: DatasetId,
    /// Fields, `internal/` before those of the town's own notes.
    pub(crate) take_over: BTreeSet<String>,
    pub(crate) author: Author,
}

/// A record of the town, wherever it lives.
struct Own {
    record: LocalRecord,
    /// Its document, if it is published.
    document: Option<DocumentId>,
}

/// Stages a merge. What can fail comes before anything is staged.
pub(super) fn merge(
    stage: &mut Stage,
    books: &Books,
    job: MergeJob,
    now: UnixMillis,
) -> Result<Merged, MergeError> {
    let MergeJob { keep, give_up, take_over, author } = job;
    if keep == give_up {
        return Err(MergeError::SameRecord(keep));
    }
    let (kept, given) = (own(stage, books, keep)?, own(stage, books, give_up)?);
    if given.document.is_some() && kept.document.is_none() {
        return Err(MergeError::Published { keep, give_up });
    }
    let lacking = Merge::lacking(&kept.record, &given.record);
    if let Some(field) = take_over.iter().find(|field| !lacking.contains(*field)) {
        return Err(MergeError::NotLacking { field: field.clone(), lacking });
    }
    let mut edit = Merge::filling(&kept.record, &given.record, &take_over);
    if given.document.is_some() {
        edit.dataset = edit.dataset.also_called(&kept.record.dataset, names(&given.record.dataset));
    }
    let replaced = match given.document {
        Some(document) => Some(replace(stage, books, document, &given.record, keep, author, now)?),
        None => None,
    };
    let receipt = local::edit(stage, books, EditJob { id: keep, edit, base: None, author }, now)?;
    let left = match replaced {
        Some(Replaced { sealed, stored, change }) => {
            put(stage, sealed, stored, change);
            stage.issues_manifest = true;
            GivenUp::Replaced
        }
        None => {
            stage.records.insert(give_up, None);
            GivenUp::Deleted
        }
    };
    stage.finished.push((give_up, None));
    let alias = |name| AliasRow { name, dataset: keep, at: now };
    stage.aliases.extend(names(&given.record.dataset).map(alias));
    Ok(Merged { receipt, given_up: give_up, left })
}

fn own(stage: &Stage, books: &Books, id: DatasetId) -> Result<Own, MergeError> {
    let failed = |error: ReadStoreError| MergeError::Write(error.to_string());
    if let Some(document) = stage.own_document(&id, &books.town()).map_err(failed)? {
        let (sealed, _) = take(stage, &document).map_err(failed)?.ok_or(MergeError::NotFound(id))?;
        let dataset = sealed.document().read_dataset().dataset;
        // One that was given up is no record any more.
        if dataset.replaced_by.is_some() {
            return Err(MergeError::NotFound(id));
        }
        let internal = stage.notes(&id).map_err(failed)?;
        return Ok(Own { record: LocalRecord { dataset, internal }, document: Some(document) });
    }
    match stage.record(&id).map_err(failed)? {
        Some(record) => Ok(Own { record, document: None }),
        None => Err(match stage.other_owner(&id).map_err(failed)? {
            Some(owner) => EditError::NotOwn { id, owner }.into(),
            None => MergeError::NotFound(id),
        }),
    }
}

/// What a record is called by programs.
fn names(dataset: &Dataset) -> impl Iterator<Item = String> {
    let identifier = dataset.identifier.as_ref().map(ToString::to_string);
    let iri = dataset.iri.as_ref().map(ToString::to_string);
    let others: Vec<String> = dataset.other_identifiers.iter().map(ToString::to_string).collect();
    let all: BTreeSet<String> =
        [Some(dataset.id.to_string()), identifier, iri].into_iter().flatten().chain(others).collect();
    all.into_iter()
}

/// An open document that says what it was replaced by, not staged yet.
struct Replaced {
    sealed: crdt::sealed_document::SealedDocument,
    stored: u64,
    change: Vec<crdt::seal::AdmittedChange>,
}

fn replace(
    stage: &Stage,
    books: &Books,
    document: DocumentId,
    given: &LocalRecord,
    keep: DatasetId,
    author: Author,
    now: UnixMillis,
) -> Result<Replaced, MergeError> {
    let id = given.dataset.id;
    if !books.may_publish() {
        return Err(EditError::CatchingUp { id }.into());
    }
    let signer = signer(books).map_err(|reason| EditError::NotCertified { id, reason })?;
    let failed = |error: ReadStoreError| MergeError::Write(error.to_string());
    let (mut sealed, stored) = take(stage, &document).map_err(failed)?.ok_or(MergeError::NotFound(id))?;
    let mut edit = DatasetEdit::replaced_by(keep);
    if let Some(at) = Timestamp::from_unix(now) {
        edit = edit.modified_at(at);
    }
    let change = author_edit(&mut sealed, &signer, author, now, &edit)
        .map_err(|error| EditError::Refused { id, reason: error.to_string() })?;
    Ok(Replaced { sealed, stored, change: change.into_iter().collect() })
}
