//! What a change passes before it is in a document.
//!
//! Cheap checks first, each bounded, in the order of `docs/protocol.md`
//! section 5; the first failure decides. The gate judges by the author's
//! entitlement, never by who carried the change.

mod structure;
mod verify;

pub use structure::{DEPTH_MAX, ENTRIES_MAX, Problem, Structure, StructureError};
pub use verify::verify;

use std::fmt;

/// Stable name of a reason to refuse; appears in logs, quarantine and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Bytes that are not what the protocol says.
    Malformed,
    /// A feature level or algorithm this build does not know.
    UnknownLevel,
    /// Sealed for another federation.
    WrongFederation,
    /// Sealed for another document, or a genesis that does not hash to it.
    WrongDocument,
    /// Sealed for another epoch of the document.
    WrongEpoch,
    /// The certificate is not known here.
    UnknownCertificate,
    /// The certificate's town may not write the document.
    WrongTown,
    /// The certificate is revoked.
    Revoked,
    /// The actor id is not the hash of its parts.
    WrongActor,
    /// The signature does not hold.
    BadSignature,
    /// Two changes with one actor and sequence number.
    Equivocation,
    /// The actor's chain of seals is broken.
    BrokenChain,
    /// Operations that do not decode under the limits.
    MalformedOperations,
    /// A dependency has not come.
    MissingDependency,
    /// Operations that do not fit the document.
    BadStructure,
    /// The rebuilt change has another hash than the sealed one.
    WrongHash,
    /// The document with the change does not survive saving and loading.
    Unstable,
    /// The epoch holds as many changes or actors as it may.
    EpochFull,
}

impl Code {
    /// All codes.
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::UnknownLevel,
        Self::WrongFederation,
        Self::WrongDocument,
        Self::WrongEpoch,
        Self::UnknownCertificate,
        Self::WrongTown,
        Self::Revoked,
        Self::WrongActor,
        Self::BadSignature,
        Self::Equivocation,
        Self::BrokenChain,
        Self::MalformedOperations,
        Self::MissingDependency,
        Self::BadStructure,
        Self::WrongHash,
        Self::Unstable,
        Self::EpochFull,
    ];

    /// The code as written in logs, answers and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownLevel => "unknown-level",
            Self::WrongFederation => "wrong-federation",
            Self::WrongDocument => "wrong-document",
            Self::WrongEpoch => "wrong-epoch",
            Self::UnknownCertificate => "unknown-certificate",
            Self::WrongTown => "wrong-town",
            Self::Revoked => "revoked",
            Self::WrongActor => "wrong-actor",
            Self::BadSignature => "bad-signature",
            Self::Equivocation => "equivocation",
            Self::BrokenChain => "broken-chain",
            Self::MalformedOperations => "malformed-operations",
            Self::MissingDependency => "missing-dependency",
            Self::BadStructure => "bad-structure",
            Self::WrongHash => "wrong-hash",
            Self::Unstable => "unstable",
            Self::EpochFull => "epoch-full",
        }
    }

    /// Whose fault it is.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Malformed
            | Self::WrongFederation
            | Self::WrongDocument
            | Self::WrongEpoch
            | Self::WrongTown
            | Self::WrongActor
            | Self::BadSignature => Verdict::Sender,
            Self::Revoked
            | Self::Equivocation
            | Self::BrokenChain
            | Self::MalformedOperations
            | Self::BadStructure
            | Self::WrongHash
            | Self::EpochFull => Verdict::Author,
            Self::UnknownLevel | Self::UnknownCertificate | Self::MissingDependency => Verdict::Wait,
            Self::Unstable => Verdict::None,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose fault a refused change is, and so what happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The carrier's: it could have known. Charged to its budget.
    Sender,
    /// The author's, under a valid signature: quarantined, the carrier is not charged.
    Author,
    /// Nobody's yet: something else must come first.
    Wait,
    /// Nobody's: the document stays as it was, people are alarmed.
    None,
}

/// A refused change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Rejection {
    /// The reason's stable name.
    pub code: Code,
    /// The reason in words.
    pub detail: String,
}

impl Rejection {
    /// A refusal with its reason in words.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// Whose fault it is.
    pub fn verdict(&self) -> Verdict {
        self.code.verdict()
    }
}
