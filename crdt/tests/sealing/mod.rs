//! Sealed documents of the league's towns, and ways to seal what no honest
//! node would write.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use crdt::{
    authority::Authority,
    catalog::{Dataset, DatasetEdit},
    document::LocalChange,
    gate::{self, Rejection},
    ids::{ActorId, BootNonce, ChangeHash, DatasetId, Pseudonym, SealHash},
    operations::{Action, Key, OpId, Operation, Operations, Scalar},
    seal::{ALGORITHM, FEATURE_LEVEL, Seal, SealedChange},
    sealed_document::{AuthorError, SealedDocument, Signer},
};

use crate::league::*;

/// What the node of a town signs with in one of its runs.
pub(crate) fn signer(index: usize, boot: u8) -> Signer {
    Signer {
        federation: federation(),
        key: node_key(index),
        certificate: certificate_id(index),
        charter_version: 1,
        boot: BootNonce([boot; 16]),
    }
}

/// Makes an honest edit; `None` if it changes nothing.
pub(crate) fn edit(
    document: &mut SealedDocument,
    signer: &Signer,
    body: &serde_json::Value,
) -> Option<SealedChange> {
    try_edit(document, signer, body).unwrap()
}

/// [`edit`], where what others wrote may stand against it.
pub(crate) fn try_edit(
    document: &mut SealedDocument,
    signer: &Signer,
    body: &serde_json::Value,
) -> Result<Option<SealedChange>, AuthorError> {
    let edit = DatasetEdit::parse(body).unwrap();
    let admitted = document.author(signer, Pseudonym([3; 16]), TIME, |automerge, actor| {
        if automerge.heads().is_empty() {
            let dataset = Dataset::new(DatasetId::from_random([9; 16]));
            automerge.edit_dataset(actor, &DatasetEdit::first(&edit.apply(&dataset).unwrap()))
        } else {
            automerge.edit_dataset(actor, &edit)
        }
    });
    admitted.map(|admitted| admitted.map(|admitted| admitted.sealed().clone()))
}

/// The operations of a change.
pub(crate) fn operations(change: &SealedChange) -> Operations {
    Operations::decode(&change.operations, &change.seal.actor).unwrap()
}

/// Heads, and the counter after the greatest: where the next change begins.
pub(crate) fn ground(document: &SealedDocument) -> (Vec<ChangeHash>, u64) {
    let greatest = document.changes().iter().map(|change| operations(change).max_op()).max();
    (document.document().heads(), greatest.unwrap_or(0) + 1)
}

/// The hash that Automerge gives the change, if it does not panic over it.
pub(crate) fn hash_of(operations: &Operations, actor: &ActorId, seq: u64) -> ChangeHash {
    catch_unwind(AssertUnwindSafe(|| LocalChange::rebuild(operations, actor, seq).hash()))
        .unwrap_or(ChangeHash([0xee; 32]))
}

/// The seal that comes next for the signer's run, not signed.
pub(crate) fn next_seal(document: &SealedDocument, signer: &Signer, change: ChangeHash) -> Seal {
    let actor = signer.actor(&document.id(), document.epoch());
    let last = document.frontier().get(&actor);
    Seal {
        feature_level: FEATURE_LEVEL,
        algorithm: ALGORITHM,
        federation: signer.federation,
        document: document.id(),
        epoch: document.epoch(),
        actor,
        seq: last.map_or(0, |last| last.seq) + 1,
        change,
        previous: last.map_or(SealHash::default(), |last| last.seal),
        boot: signer.boot,
        certificate: signer.certificate,
        charter_version: signer.charter_version,
        pseudonym: Pseudonym([3; 16]),
        time: TIME,
        signature: [0; 64],
    }
}

/// Any bytes of operations under a valid seal.
pub(crate) fn seal_bytes(
    document: &SealedDocument,
    signer: &Signer,
    change: ChangeHash,
    operations: Vec<u8>,
) -> SealedChange {
    SealedChange { seal: next_seal(document, signer, change).sign(&signer.key), operations }
}

/// Any operations under a valid seal with the hash that they have.
pub(crate) fn seal(document: &SealedDocument, signer: &Signer, operations: &Operations) -> SealedChange {
    let seal = next_seal(document, signer, ChangeHash::default());
    let hash = hash_of(operations, &seal.actor, seal.seq);
    seal_bytes(document, signer, hash, operations.encode(&seal.actor))
}

/// The whole gate. `Ok(false)` for a change that is held already.
pub(crate) fn admit(
    authority: &Authority,
    document: &mut SealedDocument,
    change: SealedChange,
) -> Result<bool, Rejection> {
    let (genesis, epoch, audience) = (*document.genesis(), document.epoch(), document.audience().hash());
    let verified = gate::verify(authority, &genesis, epoch, &audience, change)?;
    let admission = document.admit(vec![verified]);
    match admission.refused {
        Some((_, rejection)) => Err(rejection),
        None => Ok(!admission.admitted.is_empty()),
    }
}

/// The document as another node has it after a restart.
pub(crate) fn restored(document: &SealedDocument) -> SealedDocument {
    let (record, changes) = (document.record().cloned(), document.changes().to_vec());
    SealedDocument::restore(*document.genesis(), record, changes).unwrap()
}

pub(crate) fn map_key(key: &str) -> Key {
    Key::Map(key.into())
}

pub(crate) fn text(value: &str) -> Action {
    Action::Put(Scalar::Text(value.into()))
}

/// Writes `action` to a key of an object, over nothing.
pub(crate) fn put(object: Option<OpId>, key: &str, action: Action) -> Operation {
    Operation { action, object, key: map_key(key), insert: false, predecessors: vec![] }
}

/// Inserts an element after another.
pub(crate) fn insert(list: OpId, after: Key, action: Action) -> Operation {
    Operation { action, object: Some(list), key: after, insert: true, predecessors: vec![] }
}
