//! Checks and shows everything in a data directory, from the signatures up.
//!
//! [`verify`] believes no derived view: every sealed change goes through the
//! gate again, into a fresh document, and the stored view must say the same.
//! [`dump`] decodes all documents with their whole history, for audits and for
//! the search of what must not be there. Neither changes anything.

use crdt::authority::Authority;
use crdt::epoch::{EpochRecord, supersedes};
use crdt::gate;
use crdt::genesis::DocumentKind;
use crdt::ids::{DocumentId, hex};
use crdt::operations::{Action, Key, OpId, Operation, Operations, Scalar};
use crdt::seal::SealedChange;
use crdt::sealed_document::SealedDocument;
use crdt::signed::Signed;
use serde::Serialize;
use serde_json::{Value, json};

use crate::directory::Directory;
use crate::founding::{self, FoundingError};
use crate::store::{DocumentRow, ReadStoreError, ReplicaSnapshot, ViewContent};

/// Why a directory could not be gone through.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Charters or certificates are missing or not valid.
    #[error("rebuild who may sign what: {0}")]
    Authority(#[from] FoundingError),
    /// A store could not be read.
    #[error(transparent)]
    Read(#[from] ReadStoreError),
}

/// What a check of the whole directory has found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Findings {
    /// Documents checked.
    pub documents: u64,
    /// Sealed changes checked.
    pub changes: u64,
    /// Manifests checked.
    pub manifests: u64,
    /// Closed records read.
    pub closed: u64,
    /// What does not hold.
    pub problems: Vec<Problem>,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Document or record.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Checks every document, manifest and closed record. `step` hears how many of
/// how many documents are done.
pub fn verify(directory: &Directory, mut step: impl FnMut(u64, u64)) -> Result<Findings, AuditError> {
    let snapshot = directory.replica.read()?;
    let mut findings = Findings::default();
    let documents = documents(&snapshot)?;
    let total = documents.len() as u64;
    match founding::stored_authority(&snapshot)? {
        Some(authority) => {
            for (id, row) in documents {
                match check_document(&snapshot, &authority, id, &row) {
                    Ok(changes) => findings.changes += changes,
                    Err(message) => {
                        findings.problems.push(Problem { place: format!("document {id}"), message })
                    }
                }
                findings.documents += 1;
                step(findings.documents, total);
            }
            check_manifests(&snapshot, &authority, &mut findings)?;
        }
        None if total > 0 => findings.problems.push(Problem {
            place: "charter".to_owned(),
            message: format!(
                "there are {total} documents but no charter; restore the directory from a backup"
            ),
        }),
        None => {}
    }
    directory.closed.read()?.each_record(|_| findings.closed += 1)?;
    Ok(findings)
}

fn documents(snapshot: &ReplicaSnapshot) -> Result<Vec<(DocumentId, DocumentRow)>, ReadStoreError> {
    let mut documents = Vec::new();
    snapshot.each_document(|id, row| documents.push((id, row)))?;
    Ok(documents)
}

fn check_document(
    snapshot: &ReplicaSnapshot,
    authority: &Authority,
    id: DocumentId,
    row: &DocumentRow,
) -> Result<u64, String> {
    const LOST: &str = "start the node: the other towns give the document back";
    if row.genesis.document() != id {
        return Err(format!("its genesis is another document's; {LOST}"));
    }
    let records = snapshot.epoch_records(&id).map_err(|error| error.to_string())?;
    for record in &records {
        // Under a cut-off the gate has asked for the manifest when the record came.
        record
            .verify(authority, &row.genesis, |_| true)
            .map_err(|error| format!("epoch record {}: {error}; {LOST}", record.value().epoch))?;
    }
    let newest = newest(&records);
    if newest.is_some_and(|record| record.value().is_erased()) {
        let left = snapshot.view(&id).map_err(|error| error.to_string())?;
        return if left.is_none() {
            Ok(0)
        } else {
            Err("it is withdrawn, but its view is still there".to_owned())
        };
    }
    let mut document = SealedDocument::begin(row.genesis, newest.cloned());
    let changes = snapshot.changes(&id, document.epoch()).map_err(|error| error.to_string())?;
    let count = changes.len() as u64;
    let (epoch, audience) = (document.epoch(), document.audience().hash());
    let mut verified = Vec::with_capacity(changes.len());
    for change in changes {
        let hash = change.seal.change;
        verified.push(
            gate::verify(authority, &row.genesis, epoch, &audience, change)
                .map_err(|rejection| refused(&hash, &rejection))?,
        );
    }
    if let Some((change, rejection)) = document.admit(verified).refused {
        return Err(refused(&change.seal.change, &rejection));
    }
    if document.holding() != row.holding {
        return Err(format!("its changes are not those that the store counts; {LOST}"));
    }
    check_view(snapshot, id, &document)?;
    Ok(count)
}

fn refused(change: &crdt::ids::ChangeHash, rejection: &gate::Rejection) -> String {
    format!("change {change}: {} ({})", rejection.code.as_str(), rejection.detail)
}

/// The view is derived: a wrong one misleads readers but loses nothing.
fn check_view(snapshot: &ReplicaSnapshot, id: DocumentId, document: &SealedDocument) -> Result<(), String> {
    const REMEDY: &str = "start the node once: it derives its views anew when they do not fit";
    let view = snapshot.view(&id).map_err(|error| error.to_string())?;
    let Some(view) = view else { return Err(format!("its view is missing; {REMEDY}")) };
    let mut heads = document.document().heads();
    heads.sort_unstable();
    let same = match view.content {
        ViewContent::Dataset(shown) => {
            let mut read = document.document().read_dataset().dataset;
            // The genesis, not the author, says for whom a document is.
            read.class = shown.class;
            read == *shown
        }
        ViewContent::Catalog(shown) => {
            document.document().read_catalog(document.genesis().owner).catalog == *shown
        }
    };
    if same && view.heads == heads {
        Ok(())
    } else {
        Err(format!("its view says something else than its changes; {REMEDY}"))
    }
}

fn newest(records: &[Signed<EpochRecord>]) -> Option<&Signed<EpochRecord>> {
    records.iter().reduce(|best, other| if supersedes(other, best) { other } else { best })
}

fn check_manifests(
    snapshot: &ReplicaSnapshot,
    authority: &Authority,
    findings: &mut Findings,
) -> Result<(), ReadStoreError> {
    for manifest in snapshot.manifests()? {
        findings.manifests += 1;
        if let Err(error) = manifest.verify(authority) {
            let place = format!("manifest {} of town {}", manifest.value().version, manifest.value().town);
            findings.problems.push(Problem { place, message: error.to_string() });
        }
    }
    Ok(())
}

/// Hands every replicated document to `visit`, decoded, with all its changes
/// and operations; then, if asked, every closed record.
pub fn dump<E: From<AuditError>>(
    directory: &Directory,
    closed: bool,
    mut visit: impl FnMut(Value) -> Result<(), E>,
) -> Result<(), E> {
    let snapshot = directory.replica.read().map_err(AuditError::from)?;
    for (id, row) in documents(&snapshot).map_err(AuditError::from)? {
        visit(decoded(&snapshot, id, &row).map_err(AuditError::from)?)?;
    }
    if closed {
        let mut records = Vec::new();
        let snapshot = directory.closed.read().map_err(AuditError::from)?;
        snapshot.each_record(|record| records.push(record)).map_err(AuditError::from)?;
        for record in records {
            visit(json!({"closed": true, "dataset": record.dataset, "internal": record.internal}))?;
        }
    }
    Ok(())
}

fn decoded(snapshot: &ReplicaSnapshot, id: DocumentId, row: &DocumentRow) -> Result<Value, ReadStoreError> {
    let records = snapshot.epoch_records(&id)?;
    let newest = newest(&records).cloned();
    let epoch = newest.as_ref().map_or(1, |record| record.value().epoch);
    let changes = snapshot.changes(&id, epoch)?;
    let listed: Vec<Value> = changes.iter().map(change).collect();
    let restored = SealedDocument::restore(row.genesis, newest, changes);
    let (content, history, problem) = match &restored {
        Ok(document) => {
            let document = document.document();
            let content = match row.genesis.kind {
                DocumentKind::Catalog => json!(document.read_catalog(row.genesis.owner).catalog),
                _ => {
                    let read = document.read_dataset();
                    json!({"dataset": read.dataset, "extra": read.extra})
                }
            };
            (content, json!(document.history()), Value::Null)
        }
        Err(rejection) => {
            (Value::Null, Value::Null, json!(format!("{}: {}", rejection.code.as_str(), rejection.detail)))
        }
    };
    Ok(json!({
        "document": id,
        "town": row.genesis.owner.to_string(),
        "kind": kind(row.genesis.kind),
        "epoch": epoch,
        "genesis": hex(&row.genesis.to_bytes()),
        "epoch_records": records.iter().map(|record| hex(record.body())).collect::<Vec<_>>(),
        "content": content,
        "history": history,
        "changes": listed,
        "problem": problem,
    }))
}

fn kind(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Dataset => "dataset",
        DocumentKind::Catalog => "catalog",
        DocumentKind::RegionalList => "regional list",
    }
}

fn change(change: &SealedChange) -> Value {
    let seal = &change.seal;
    let operations = match Operations::decode(&change.operations, &seal.actor) {
        Ok(operations) => operations.list.iter().map(operation).collect(),
        Err(error) => json!(error.to_string()),
    };
    json!({
        "change": seal.change,
        "seal": seal.hash(),
        "actor": seal.actor,
        "seq": seal.seq,
        "time": seal.time,
        "pseudonym": seal.pseudonym,
        "certificate": seal.certificate,
        "charter_version": seal.charter_version,
        "operations": operations,
    })
}

fn operation(operation: &Operation) -> Value {
    let name = |id: &OpId| format!("{}@{}", id.counter, id.actor);
    let (action, value) = match &operation.action {
        Action::MakeMap => ("make map", Value::Null),
        Action::MakeList => ("make list", Value::Null),
        Action::Delete => ("delete", Value::Null),
        Action::Put(scalar) => ("put", scalar_json(scalar)),
    };
    let key = match &operation.key {
        Key::Map(key) => key.clone(),
        Key::Head => "(head)".to_owned(),
        Key::Element(id) => name(id),
    };
    json!({
        "action": action,
        "object": operation.object.as_ref().map_or("root".to_owned(), name),
        "key": key,
        "insert": operation.insert,
        "value": value,
    })
}

fn scalar_json(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(yes) => json!(yes),
        Scalar::Integer(number) => json!(number),
        Scalar::Text(text) => json!(text),
        Scalar::Bytes(bytes) => json!(hex(bytes)),
    }
}
