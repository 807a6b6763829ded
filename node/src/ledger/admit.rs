//! Stages what workers have judged, if nothing has changed since.

use crdt::epoch::Receipt;
use crdt::gate::Code;
use crdt::ids::{Town, UnixMillis};
use crdt::signed::Signed;

use super::stage::{Stage, StagedDocument};
use super::{Admitted, Books, Judged, signer};
use crate::store::{QuarantinedChange, ReadStoreError};

/// Stages one judged document.
pub(super) fn admit(
    stage: &mut Stage,
    books: &Books,
    carrier: Town,
    judged: Judged,
    now: UnixMillis,
) -> Result<Admitted, ReadStoreError> {
    let document = judged.document();
    let held = stage.holding(&document)?;
    if held != judged.base {
        return Ok(Admitted::Stale);
    }
    set_aside(stage, carrier, &judged, now);
    let Some(entry) = judged.entry else { return Ok(Admitted::Done(judged.refused)) };
    if let Some(record) = &entry.record {
        if record.value().is_erased() && judged.genesis.owner != books.town() {
            stage.receipts.extend(receipt(books, record, now));
        }
        stage.epochs.push(record.clone());
    }
    let stored = match &held {
        Some(held) if !entry.replaces => held.changes(),
        _ => 0,
    };
    // An erased document keeps its dataset's number, and nothing else: those who
    // harvested the dataset must be told that it is gone.
    let dataset = match entry.holding.is_erased() {
        true => stage.replica.document(&document)?.and_then(|row| row.dataset),
        false => entry.dataset,
    };
    let staged = StagedDocument {
        genesis: judged.genesis,
        audience: entry.audience,
        holding: entry.holding,
        stored,
        changes: entry.changes,
        view: entry.view,
        dataset,
        replaces: entry.replaces,
        sealed: None,
    };
    match stage.documents.get_mut(&document) {
        // Judged against what an earlier job of this batch staged: impossible,
        // since nobody sees the stage, but a holding may return to an old one.
        Some(_) => return Ok(Admitted::Stale),
        None => drop(stage.documents.insert(document, staged)),
    }
    Ok(Admitted::Done(judged.refused))
}

fn set_aside(stage: &mut Stage, carrier: Town, judged: &Judged, now: UnixMillis) {
    let (Some(rejection), Some((author, change))) = (&judged.refused, &judged.quarantine) else { return };
    tracing::warn!(
        document = %judged.document(), %author, %carrier, code = rejection.code.as_str(),
        "a validly sealed change was set aside"
    );
    if rejection.code == Code::Equivocation {
        stage.evidence.push(change.clone());
    }
    stage.quarantine.push(QuarantinedChange {
        author: *author,
        carrier: Some(carrier),
        code: rejection.code.as_str().to_owned(),
        at: now,
        change: change.clone(),
    });
}

fn receipt(
    books: &Books,
    record: &Signed<crdt::epoch::EpochRecord>,
    now: UnixMillis,
) -> Option<Signed<Receipt>> {
    let signer = signer(books).ok()?;
    let value = record.value();
    let receipt = Receipt {
        format: crdt::encoding::FormatOne,
        federation: value.federation,
        document: value.document,
        epoch: value.epoch,
        record: record.id(),
        witness: books.town(),
        certificate: signer.certificate,
        time: now,
    };
    Some(Signed::new(receipt, &signer.key))
}
