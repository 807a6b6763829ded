//! Epoch records and receipts: the numbered lives of a document, and a peer's
//! word that it forgot one.
//!
//! The next epoch is how an owner repairs, narrows or withdraws a document
//! (`docs/protocol.md` section 8). An erased epoch names no content at all.
//! Which record counts is decided by [`supersedes`] alone, never by time.

use std::cmp::Ordering;

use minicbor::{Decode, Encode};

use crate::{
    audience::Audience,
    authority::{AuthorRejection, Authority, NodeSignatureRejection},
    certificate::CutOff,
    encoding::{self, DecodeError, FormatOne},
    genesis::{Genesis, GenesisClass},
    ids::{CertificateHash, ChangeHash, DocumentId, EpochHash, FederationId, Town, UnixMillis},
    signed::{Record, Signed},
};

/// Whether the epoch has content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum EpochState {
    /// It has.
    #[n(1)]
    Live,
    /// The document is withdrawn: everyone forgets all its epochs.
    #[n(2)]
    Erased,
}

/// Why an epoch was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum EpochReason {
    /// The document is new.
    #[n(1)]
    First,
    /// Its history had grown long.
    #[n(2)]
    Squash,
    /// It was damaged, or an author equivocated.
    #[n(3)]
    Repair,
    /// Its audience changes.
    #[n(4)]
    Audience,
    /// It is withdrawn.
    #[n(5)]
    Withdrawal,
}

/// A town's order that a document lives on, or ends, under a new number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EpochRecord {
    /// Always [`FormatOne`].
    #[n(0)]
    pub format: FormatOne,
    /// The federation.
    #[n(1)]
    pub federation: FederationId,
    /// The document.
    #[n(2)]
    pub document: DocumentId,
    /// The epoch's number, from 1.
    #[n(3)]
    pub epoch: u32,
    /// To whom the epoch may be given; of an erased one, who is told.
    #[n(4)]
    pub audience: Audience,
    /// Live or erased.
    #[n(5)]
    pub state: EpochState,
    /// Why it was begun.
    #[n(6)]
    pub reason: EpochReason,
    /// The record before; zero where there is none.
    #[n(7)]
    pub previous: EpochHash,
    /// The one change that begins a live epoch.
    #[n(8)]
    pub first_change: Option<ChangeHash>,
    /// Certificate of the node that signed.
    #[n(9)]
    pub certificate: CertificateHash,
    /// When it was made; information only.
    #[n(10)]
    pub time: UnixMillis,
}

impl EpochRecord {
    /// Whether the document is withdrawn.
    pub fn is_erased(&self) -> bool {
        self.state == EpochState::Erased
    }
}

impl Record for EpochRecord {
    const NAME: &'static str = "epoch record";
    const HASH_CONTEXT: &'static str = encoding::EPOCH_HASH;
    const SIGNATURE_CONTEXT: &'static str = encoding::EPOCH;

    fn check(&self) -> Result<(), DecodeError> {
        self.audience.check()?;
        let first = self.epoch == 1;
        let no_previous = self.previous == EpochHash::default();
        let rules = [
            (self.epoch >= 1, "epoch 0"),
            ((self.reason == EpochReason::First) == first, "reason of the epoch"),
            // Epoch 1 of an open document has no record that epoch 2 could name.
            (if first { no_previous } else { !no_previous || self.epoch == 2 }, "previous epoch"),
            (self.is_erased() == (self.reason == EpochReason::Withdrawal), "state of the epoch"),
            (!self.is_erased() || self.first_change.is_none(), "content of an erased epoch"),
            (self.is_erased() || first || self.first_change.is_some(), "live epoch without first change"),
        ];
        match rules.iter().find(|(kept, _)| !kept) {
            Some((_, what)) => Err(DecodeError::Invalid(what)),
            None => Ok(()),
        }
    }
}

impl Signed<EpochRecord> {
    /// The record's hash.
    pub fn id(&self) -> EpochHash {
        EpochHash(self.hash())
    }

    /// Checks that a node of a town that may write the document of `genesis`
    /// has signed. Under a certificate that is cut off, `reachable` says
    /// whether the record was held by the manifest that the cut-off names.
    pub fn verify(
        &self,
        authority: &Authority,
        genesis: &Genesis,
        reachable: impl FnOnce(&CutOff) -> bool,
    ) -> Result<(), EpochRejection> {
        let record = self.value();
        record.check().map_err(EpochRejection::Malformed)?;
        if record.federation != authority.federation() || genesis.federation != record.federation {
            return Err(EpochRejection::WrongFederation(record.federation));
        }
        if record.document != genesis.document() {
            return Err(EpochRejection::WrongDocument(record.document));
        }
        if record.epoch == 1 && record.audience.is_open() != (genesis.class == GenesisClass::Open) {
            return Err(EpochRejection::WrongAudience);
        }
        authority.author(&record.certificate, genesis)?;
        if !authority.standing(&record.certificate, &record.audience.hash()).counts(reachable) {
            return Err(EpochRejection::Revoked(record.certificate));
        }
        authority.node_signature(self, &record.certificate)?;
        Ok(())
    }
}

/// Why an epoch record is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpochRejection {
    /// It breaks a rule of its form.
    #[error("epoch record is malformed: {0}")]
    Malformed(DecodeError),
    /// It, or the document, belongs to another federation.
    #[error("epoch record belongs to federation {0}")]
    WrongFederation(FederationId),
    /// It is of another document.
    #[error("epoch record is of document {0}")]
    WrongDocument(DocumentId),
    /// Epoch 1 contradicts the class that the genesis names.
    #[error("audience of epoch 1 is not of the document's class")]
    WrongAudience,
    /// The certificate is unknown or its town may not write the document.
    #[error(transparent)]
    Author(#[from] AuthorRejection),
    /// The certificate is revoked and its cut-off leaves the record out.
    #[error("certificate {0} is revoked")]
    Revoked(CertificateHash),
    /// The node key's signature is missing, wrong or not alone.
    #[error(transparent)]
    Signature(#[from] NodeSignatureRejection),
}

impl EpochRejection {
    /// Stable code of protocol section 5.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::WrongFederation(_) => "wrong-federation",
            Self::WrongDocument(_) => "wrong-document",
            Self::WrongAudience => "wrong-epoch",
            Self::Author(rejection) => rejection.code(),
            Self::Revoked(_) => "revoked",
            Self::Signature(rejection) => rejection.code(),
        }
    }
}

/// Whether `a` counts rather than `b`, both of one document: the higher epoch;
/// of one epoch the erased one, then the smaller hash. Every node decides the
/// same, whatever arrives first; a record does not supersede itself.
pub fn supersedes(a: &Signed<EpochRecord>, b: &Signed<EpochRecord>) -> bool {
    let (left, right) = (a.value(), b.value());
    let order = left
        .epoch
        .cmp(&right.epoch)
        .then(left.is_erased().cmp(&right.is_erased()))
        .then_with(|| b.id().cmp(&a.id()));
    order == Ordering::Greater
}

/// A peer's signed word that it holds nothing of a withdrawn document any more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Receipt {
    /// Always [`FormatOne`].
    #[n(0)]
    pub format: FormatOne,
    /// The federation.
    #[n(1)]
    pub federation: FederationId,
    /// The document.
    #[n(2)]
    pub document: DocumentId,
    /// Number of the erased epoch.
    #[n(3)]
    pub epoch: u32,
    /// The epoch record it answers.
    #[n(4)]
    pub record: EpochHash,
    /// The town that forgot.
    #[n(5)]
    pub witness: Town,
    /// Certificate of the node that signed.
    #[n(6)]
    pub certificate: CertificateHash,
    /// When it was done; information only.
    #[n(7)]
    pub time: UnixMillis,
}

impl Record for Receipt {
    const NAME: &'static str = "receipt";
    const HASH_CONTEXT: &'static str = encoding::RECEIPT_HASH;
    const SIGNATURE_CONTEXT: &'static str = encoding::RECEIPT;

    fn check(&self) -> Result<(), DecodeError> {
        if self.epoch < 2 { Err(DecodeError::Invalid("epoch of the receipt")) } else { Ok(()) }
    }
}

impl Signed<Receipt> {
    /// Checks that a node of the witness has signed, under a certificate that
    /// is not revoked, and that it answers `record`.
    pub fn verify(
        &self,
        authority: &Authority,
        record: &Signed<EpochRecord>,
    ) -> Result<(), ReceiptRejection> {
        let receipt = self.value();
        receipt.check().map_err(ReceiptRejection::Malformed)?;
        if receipt.federation != authority.federation() {
            return Err(ReceiptRejection::WrongFederation(receipt.federation));
        }
        let erased = record.value();
        let answers = erased.is_erased()
            && (receipt.document, receipt.epoch, receipt.record)
                == (erased.document, erased.epoch, record.id());
        if !answers {
            return Err(ReceiptRejection::WrongRecord(receipt.record));
        }
        let certificate = authority.node_signature(self, &receipt.certificate)?;
        if certificate.town != receipt.witness {
            return Err(ReceiptRejection::WrongTown(certificate.town));
        }
        if authority.is_revoked(&receipt.certificate) {
            return Err(ReceiptRejection::Revoked(receipt.certificate));
        }
        Ok(())
    }
}

/// Why a receipt is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptRejection {
    /// It breaks a rule of its form.
    #[error("receipt is malformed: {0}")]
    Malformed(DecodeError),
    /// It belongs to another federation.
    #[error("receipt belongs to federation {0}")]
    WrongFederation(FederationId),
    /// It answers another record, or one that erases nothing.
    #[error("receipt answers record {0}")]
    WrongRecord(EpochHash),
    /// The certificate is another town's than the witness.
    #[error("receipt is signed for town {0}")]
    WrongTown(Town),
    /// The certificate is revoked.
    #[error("certificate {0} is revoked")]
    Revoked(CertificateHash),
    /// The node key's signature is missing, wrong or not alone.
    #[error(transparent)]
    Signature(#[from] NodeSignatureRejection),
}

impl ReceiptRejection {
    /// Stable code of protocol section 5.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::WrongFederation(_) => "wrong-federation",
            Self::WrongRecord(_) => "wrong-epoch",
            Self::WrongTown(_) => "wrong-town",
            Self::Revoked(_) => "revoked",
            Self::Signature(rejection) => rejection.code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(epoch: u32, time: i64) -> EpochRecord {
        EpochRecord {
            format: FormatOne,
            federation: FederationId([1; 32]),
            document: DocumentId([2; 32]),
            epoch,
            audience: Audience::Open,
            state: EpochState::Live,
            reason: if epoch == 1 { EpochReason::First } else { EpochReason::Squash },
            previous: EpochHash(if epoch == 1 { [0; 32] } else { [3; 32] }),
            first_change: Some(ChangeHash([4; 32])),
            certificate: CertificateHash([5; 32]),
            time: UnixMillis(time),
        }
    }

    fn erased(epoch: u32, time: i64) -> EpochRecord {
        EpochRecord {
            state: EpochState::Erased,
            reason: EpochReason::Withdrawal,
            first_change: None,
            ..live(epoch, time)
        }
    }

    #[test]
    fn a_total_order_decides_which_record_counts() {
        let records = [live(2, 1), live(2, 2), erased(2, 1), erased(2, 2), live(3, 1)].map(Signed::unsigned);
        for a in &records {
            assert!(!supersedes(a, a));
            for b in &records {
                assert!(a == b || supersedes(a, b) != supersedes(b, a));
            }
        }
        assert!(supersedes(&records[2], &records[0]), "erased wins over live");
        assert!(supersedes(&records[4], &records[3]), "a higher epoch wins over an erased one");
    }

    #[test]
    fn an_erased_epoch_names_no_content() {
        let shapes = [
            (live(1, 0), true),
            (live(2, 0), true),
            (erased(2, 0), true),
            (EpochRecord { previous: EpochHash::default(), ..live(2, 0) }, true),
            (EpochRecord { previous: EpochHash::default(), ..live(3, 0) }, false),
            (EpochRecord { first_change: Some(ChangeHash([4; 32])), ..erased(2, 0) }, false),
            (EpochRecord { first_change: None, ..live(2, 0) }, false),
            (EpochRecord { epoch: 0, ..live(1, 0) }, false),
            (EpochRecord { reason: EpochReason::First, ..live(2, 0) }, false),
            (EpochRecord { reason: EpochReason::Withdrawal, ..live(2, 0) }, false),
            (EpochRecord { state: EpochState::Erased, ..live(2, 0) }, false),
        ];
        for (record, right) in shapes {
            let bytes = Signed::unsigned(record.clone()).to_bytes();
            assert_eq!(Signed::<EpochRecord>::from_bytes(&bytes).is_ok(), right, "{record:?}");
        }
    }
}
