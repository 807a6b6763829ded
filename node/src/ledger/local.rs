//! Prepares what the town's own staff asks for: create, edit, delete, publish.

use std::collections::BTreeSet;

use crdt::catalog::{
    Class, Dataset, DatasetEdit, LocalRecord, RecordEdit, Timestamp, obstacles, publishable,
};
use crdt::genesis::{DocumentKind, Genesis, GenesisClass};
use crdt::ids::{ChangeHash, DatasetId, DocumentId, GenesisNonce, UnixMillis};
use crdt::sealed_document::{AuthorError, SealedDocument, Signer};

use super::judge::{current_record, restore, view_of};
use super::stage::{Stage, StagedDocument};
use super::{Author, Books, Deletion, EditJob, catalog, signer};
use crate::handle::{CreateError, EditError, EditedField, PublishError};
use crate::import::SourceName;
use crate::keys;
use crate::store::{ReadStoreError, SourceRow};
use crate::view::Receipt;

/// Stages a new closed record.
pub(super) fn create(
    stage: &mut Stage,
    books: &Books,
    mut record: LocalRecord,
) -> Result<Receipt, CreateError> {
    // Whatever an importer says: a record is closed until it is published.
    record.dataset.class = Class::Closed;
    let failed = |error: ReadStoreError| CreateError::Write(error.to_string());
    let id = record.dataset.id;
    let known = stage.record(&id).map_err(failed)?.is_some()
        || stage.own_document(&id, &books.town()).map_err(failed)?.is_some();
    if known {
        return Err(CreateError::Exists(id));
    }
    let receipt = closed_receipt(&record, true);
    stage.records.insert(id, Some(record));
    Ok(receipt)
}

/// Stages the end of a closed record.
pub(super) fn delete(
    stage: &mut Stage,
    books: &Books,
    id: DatasetId,
    deletion: Deletion,
) -> Result<(), EditError> {
    let failed = |error: ReadStoreError| EditError::Write(error.to_string());
    if stage.own_document(&id, &books.town()).map_err(failed)?.is_some() {
        let remedy = "it is published; an open dataset is withdrawn, not deleted";
        return Err(EditError::NotEditable { id, field: "class".into(), remedy });
    }
    if stage.record(&id).map_err(failed)?.is_none() {
        return Err(missing(stage, id));
    }
    stage.records.insert(id, None);
    stage.finished.push((id, None));
    if deletion == Deletion::ByHand {
        for row in stage.closed.origins_of(&id).map_err(failed)? {
            let key = SourceName::new(&row.source).key_hash(&row.key);
            stage.sources.insert(key, Some(SourceRow { thrown_away: true, ..row }));
        }
    }
    Ok(())
}

/// Stages an edit of an own record, wherever it lives.
pub(super) fn edit(
    stage: &mut Stage,
    books: &Books,
    mut job: EditJob,
    now: UnixMillis,
) -> Result<Receipt, EditError> {
    let failed = |error: ReadStoreError| EditError::Write(error.to_string());
    // Who names a record that was given up means the one that was kept.
    job.id = stage.kept(job.id).map_err(failed)?;
    match stage.own_document(&job.id, &books.town()).map_err(failed)? {
        Some(document) => edit_open(stage, books, document, job, now),
        None => edit_closed(stage, books, job, now),
    }
}

fn edit_closed(
    stage: &mut Stage,
    books: &Books,
    job: EditJob,
    now: UnixMillis,
) -> Result<Receipt, EditError> {
    let EditJob { id, edit, base, .. } = job;
    let failed = |error: ReadStoreError| EditError::Write(error.to_string());
    let record = stage.record(&id).map_err(failed)?.ok_or_else(|| missing(stage, id))?;
    if base.is_some_and(|base| base != local_heads(&record)) {
        // A closed record keeps no history, so all that can be said is that it
        // is another one now.
        let at = record.dataset.modified.map_or(now, Timestamp::unix);
        let field = |path: &str| EditedField {
            path: path.to_owned(),
            at,
            town: books.town(),
            pseudonym: Default::default(),
        };
        let fields = edit.dataset.fields().into_iter().map(field).collect();
        return Err(EditError::EditedMeanwhile { id, fields, heads: local_heads(&record) });
    }
    let mut edited = edit.apply(&record)?;
    finish_tasks(stage, id, &edit);
    if edited == record {
        return Ok(closed_receipt(&record, false));
    }
    if let Some(at) = Timestamp::from_unix(now) {
        edited.dataset.modified = Some(at);
    }
    let receipt = closed_receipt(&edited, true);
    stage.records.insert(id, Some(edited));
    Ok(receipt)
}

fn edit_open(
    stage: &mut Stage,
    books: &Books,
    document: DocumentId,
    job: EditJob,
    now: UnixMillis,
) -> Result<Receipt, EditError> {
    let EditJob { id, edit, base, author } = job;
    let failed = |error: ReadStoreError| EditError::Write(error.to_string());
    let refused = |reason: String| EditError::Refused { id, reason };
    let notes = stage.notes(&id).map_err(failed)?;
    let new_notes = edit.internal.apply(&notes).map_err(|error| {
        let field = format!("internal/{}", error.field);
        error.at(field)
    })?;
    let (mut sealed, stored) = take(stage, &document).map_err(failed)?.ok_or_else(|| {
        refused("the copy in the data directory is damaged; `hanse verify` says what can be done".into())
    })?;
    if let Some(base) = &base {
        unchanged_since(&sealed, books, id, base, &edit.dataset)?;
    }
    let before = sealed.document().read_dataset().dataset;
    let after = edit.dataset.apply(&before)?;
    let heads = sealed.document().heads();
    if after == before && new_notes == notes {
        return Ok(Receipt { id, document: Some(document), class: Class::Open, heads, changed: false });
    }
    finish_tasks(stage, id, &edit);
    let mut receipt = Receipt { id, document: Some(document), class: Class::Open, heads, changed: true };
    if after != before {
        if !books.may_publish() {
            return Err(EditError::CatchingUp { id });
        }
        let signer = signer(books).map_err(|reason| EditError::NotCertified { id, reason })?;
        stays_publishable(books, id, &before, &after, &new_notes)?;
        let mut dataset_edit = edit.dataset;
        if let Some(at) = Timestamp::from_unix(now) {
            dataset_edit = dataset_edit.modified_at(at);
        }
        let change =
            author_edit(&mut sealed, &signer, author, now, &dataset_edit).map_err(|error| match error {
                AuthorError::Edit(crdt::document::EditError::Invalid(invalid)) => EditError::Invalid(invalid),
                other => refused(other.to_string()),
            })?;
        receipt.heads = sealed.document().heads();
        put(stage, sealed, stored, change.into_iter().collect());
        stage.issues_manifest = true;
    }
    if new_notes != notes {
        stage.notes.insert(id, new_notes);
    }
    Ok(receipt)
}

/// Who edits a field has done what there was to do about it, also by saying
/// again what it says.
fn finish_tasks(stage: &mut Stage, id: DatasetId, edit: &RecordEdit) {
    let internal = edit.internal.fields().into_iter().map(|field| format!("internal/{field}"));
    let fields = edit.dataset.fields().into_iter().map(str::to_owned).chain(internal).collect();
    if stage.closed.has_tasks() {
        stage.finished.push((id, Some(fields)));
    }
}

pub(super) fn author_edit(
    sealed: &mut SealedDocument,
    signer: &Signer,
    author: Author,
    now: UnixMillis,
    edit: &DatasetEdit,
) -> Result<Option<crdt::seal::AdmittedChange>, AuthorError> {
    sealed.author(signer, author.0, now, |document, actor| document.edit_dataset(actor, edit))
}

/// Stages the move of a closed record into a new open document, whose history
/// is one change: nothing of the draft's past leaves.
pub(super) fn publish(
    stage: &mut Stage,
    books: &Books,
    id: DatasetId,
    author: Author,
    now: UnixMillis,
) -> Result<Receipt, PublishError> {
    let failed = |error: ReadStoreError| PublishError::Write(error.to_string());
    if stage.own_document(&id, &books.town()).map_err(failed)?.is_some() {
        return Err(PublishError::AlreadyOpen(id));
    }
    let Some(record) = stage.record(&id).map_err(failed)? else {
        return Err(match stage.other_owner(&id).map_err(failed)? {
            Some(owner) => PublishError::NotOwn { id, owner },
            None => PublishError::NotFound(id),
        });
    };
    let signer = signer(books).map_err(|reason| PublishError::NotCertified { id, reason })?;
    if !books.may_publish() {
        return Err(PublishError::CatchingUp { id });
    }
    let defaults = catalog::defaults(stage, books).map_err(failed)?;
    let mut dataset = publishable(&record, Some(&defaults), &books.lists)
        .map_err(|obstacles| PublishError::Incomplete { id, obstacles })?;
    let at = Timestamp::from_unix(now);
    dataset.issued = dataset.issued.or(at);
    dataset.modified = dataset.modified.or(at);
    let first = DatasetEdit::first(&dataset);
    let receipt = open_document(stage, books, &signer, author, now, (id, &first))
        .map_err(|reason| PublishError::Refused { id, reason })?;
    stage.records.insert(id, None);
    stage.notes.insert(id, record.internal);
    Ok(receipt)
}

/// Stages a new open document of the town with one change, or says why not.
pub(super) fn open_document(
    stage: &mut Stage,
    books: &Books,
    signer: &Signer,
    author: Author,
    now: UnixMillis,
    (id, first): (DatasetId, &DatasetEdit),
) -> Result<Receipt, String> {
    let genesis = Genesis {
        federation: signer.federation,
        kind: DocumentKind::Dataset,
        owner: books.town(),
        class: GenesisClass::Open,
        nonce: GenesisNonce(keys::random().map_err(|error| error.to_string())?),
    };
    let mut sealed = SealedDocument::begin(genesis, None);
    let change = author_edit(&mut sealed, signer, author, now, first).map_err(|error| error.to_string())?;
    let receipt = Receipt {
        id,
        document: Some(sealed.id()),
        class: Class::Open,
        heads: sealed.document().heads(),
        changed: true,
    };
    put(stage, sealed, 0, change.into_iter().collect());
    stage.issues_manifest = true;
    Ok(receipt)
}

/// An edit may leave what was incomplete before, but takes nothing away that
/// an open dataset needs.
fn stays_publishable(
    books: &Books,
    id: DatasetId,
    before: &Dataset,
    after: &Dataset,
    notes: &crdt::catalog::Internal,
) -> Result<(), EditError> {
    let had: BTreeSet<(&str, String)> = obstacles(before, notes, &books.lists)
        .into_iter()
        .map(|finding| (finding.rule.id, finding.field))
        .collect();
    let mut new = obstacles(after, notes, &books.lists);
    new.retain(|finding| !had.contains(&(finding.rule.id, finding.field.clone())));
    if new.is_empty() { Ok(()) } else { Err(EditError::Obstructed { id, obstacles: new }) }
}

/// Requires that no change after `base` touched a field that the edit touches.
fn unchanged_since(
    sealed: &SealedDocument,
    books: &Books,
    id: DatasetId,
    base: &[ChangeHash],
    edit: &DatasetEdit,
) -> Result<(), EditError> {
    let heads = sealed.document().heads();
    if base == heads {
        return Ok(());
    }
    let history = sealed.document().history();
    let mut known: BTreeSet<ChangeHash> = base.iter().copied().collect();
    if base.iter().any(|head| !history.iter().any(|record| record.change == *head)) {
        return Err(EditError::UnknownHeads { id });
    }
    // Backwards through the causal order: what a known change builds on is known.
    for record in history.iter().rev() {
        if known.contains(&record.change) {
            known.extend(&record.dependencies);
        }
    }
    let wanted = edit.fields();
    let mut fields = Vec::new();
    for record in history.iter().filter(|record| !known.contains(&record.change)) {
        let seal =
            sealed.changes().iter().map(|change| &change.seal).find(|seal| seal.change == record.change);
        for difference in &record.fields {
            let name = difference.path.keys().first().map_or("", String::as_str);
            if let Some(seal) = seal
                && wanted.contains(name)
                && name != "modified"
            {
                fields.push(EditedField {
                    path: difference.path.to_string(),
                    at: seal.time,
                    town: books.town(),
                    pseudonym: seal.pseudonym,
                });
            }
        }
    }
    if fields.is_empty() { Ok(()) } else { Err(EditError::EditedMeanwhile { id, fields, heads }) }
}

/// A document to be edited, with the number of its changes in the store.
pub(super) fn take(stage: &Stage, id: &DocumentId) -> Result<Option<(SealedDocument, u64)>, ReadStoreError> {
    if let Some(staged) = stage.documents.get(id)
        && let Some(sealed) = &staged.sealed
    {
        return Ok(Some((sealed.clone(), staged.stored)));
    }
    let row = stage.replica.document(id)?;
    let restored = match stage.documents.get(id) {
        None => restore(&stage.replica, id, row.as_ref())?,
        Some(staged) => {
            let epoch = staged.holding.epoch;
            let record = stage.epochs.iter().rev().find(|record| record.value().document == *id).cloned();
            let record = match record {
                Some(record) => Some(record),
                None => current_record(&stage.replica, id, epoch)?,
            };
            let mut changes = if staged.replaces { Vec::new() } else { stage.replica.changes(id, epoch)? };
            changes.extend(staged.changes.iter().map(|change| change.sealed().clone()));
            SealedDocument::restore(staged.genesis, record, changes).ok()
        }
    };
    let stored = match stage.documents.get(id) {
        Some(staged) => staged.stored,
        None => row.map_or(0, |row| row.holding.changes()),
    };
    Ok(restored.map(|sealed| (sealed, stored)))
}

pub(super) fn put(
    stage: &mut Stage,
    sealed: SealedDocument,
    stored: u64,
    new: Vec<crdt::seal::AdmittedChange>,
) {
    let id = sealed.id();
    let (view, dataset) = view_of(&sealed);
    let (mut changes, replaces) = match stage.documents.remove(&id) {
        Some(staged) => (staged.changes, staged.replaces),
        None => (Vec::new(), false),
    };
    changes.extend(new);
    let staged = StagedDocument {
        genesis: *sealed.genesis(),
        audience: sealed.audience(),
        holding: sealed.holding(),
        stored,
        changes,
        view,
        dataset,
        replaces,
        sealed: Some(sealed),
    };
    stage.documents.insert(id, staged);
}

fn missing(stage: &Stage, id: DatasetId) -> EditError {
    match stage.other_owner(&id) {
        Ok(Some(owner)) => EditError::NotOwn { id, owner },
        Ok(None) => EditError::NotFound(id),
        Err(error) => EditError::Write(error.to_string()),
    }
}

fn closed_receipt(record: &LocalRecord, changed: bool) -> Receipt {
    let id = record.dataset.id;
    Receipt { id, document: None, class: record.dataset.class, heads: local_heads(record), changed }
}

/// What stands for the heads of a closed record, which has no changes: a hash
/// of all it says.
pub(crate) fn local_heads(record: &LocalRecord) -> Vec<ChangeHash> {
    let json = serde_json::to_vec(record).unwrap_or_default();
    vec![ChangeHash(crdt::encoding::hash("hanse local record 1", &[&json]))]
}
