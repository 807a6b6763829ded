//! Checks a proof from its federation id to every value it shows (I3).
//!
//! The changes take the way of every remote change, seal by seal through the
//! gate into a fresh document. What a proof cannot show is that nothing newer
//! exists: its manifest says up to when the owner spoke.

use super::{Proof, ProofError};
use crate::{
    document::DatasetContent,
    encoding::{self, DecodeError},
    epoch::{EpochRecord, EpochRejection, supersedes},
    gate::{self, Rejection},
    genesis::DocumentKind,
    ids::{ChangeHash, DocumentId, FederationId, Town, UnixMillis},
    manifest::ManifestRejection,
    seal::SealedChange,
    sealed_document::SealedDocument,
    signed::Signed,
};

/// What a proof has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    /// The document.
    pub document: DocumentId,
    /// The town entitled to write it.
    pub owner: Town,
    /// The town's name in the charter.
    pub owner_name: String,
    /// The federation's name in the charter.
    pub federation_name: String,
    /// The document's life number.
    pub epoch: u32,
    /// Changes checked.
    pub changes: usize,
    /// The newest ones.
    pub heads: Vec<ChangeHash>,
    /// When the newest change was sealed, by its author's clock.
    pub sealed_at: Option<UnixMillis>,
    /// Up to when the owner spoke: version of its manifest in the proof.
    pub manifest: Option<u64>,
    /// What the dataset says; nothing for a withdrawn one.
    pub content: Option<DatasetContent>,
}

/// Why a proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckProofError {
    /// Its form, a charter, certificate or revocation is wrong.
    #[error(transparent)]
    Authority(#[from] ProofError),
    /// The document belongs to another federation.
    #[error("the document belongs to federation {0}")]
    WrongFederation(FederationId),
    /// It is no dataset.
    #[error("the document is no dataset")]
    NotADataset,
    /// An epoch record is not believed.
    #[error("epoch record {number}: {rejection}")]
    Epoch {
        /// Its place in the proof, from 1.
        number: usize,
        /// Why.
        rejection: EpochRejection,
    },
    /// A change does not have the form of one.
    #[error("change {number} is malformed: {reason}")]
    Malformed {
        /// Its place in the proof, from 1.
        number: usize,
        /// What is wrong.
        reason: DecodeError,
    },
    /// A change is refused by the gate.
    #[error("change {number} ({change}) is refused: {} ({})", rejection.code.as_str(), rejection.detail)]
    Change {
        /// Its place in the proof, from 1.
        number: usize,
        /// The change.
        change: ChangeHash,
        /// Why.
        rejection: Rejection,
    },
    /// The manifest is not believed, or not the owner's.
    #[error("manifest: {0}")]
    Manifest(ManifestRejection),
    /// A live document without any change shows nothing.
    #[error("the proof has no change")]
    Empty,
}

impl Proof {
    /// Checks everything in the proof, starting from a federation id that the
    /// reader knows from elsewhere.
    ///
    /// # Errors
    ///
    /// The first thing that does not hold: then nothing in the proof counts.
    pub fn check(&self, federation: &FederationId) -> Result<Proven, CheckProofError> {
        let authority = self.authority(federation)?;
        if self.genesis.federation != *federation {
            return Err(CheckProofError::WrongFederation(self.genesis.federation));
        }
        if self.genesis.kind != DocumentKind::Dataset {
            return Err(CheckProofError::NotADataset);
        }
        for (at, epoch) in self.epochs.iter().enumerate() {
            epoch
                .verify(&authority, &self.genesis, |_| false)
                .map_err(|rejection| CheckProofError::Epoch { number: at + 1, rejection })?;
        }
        if let Some(manifest) = &self.manifest {
            manifest.verify(&authority).map_err(CheckProofError::Manifest)?;
            if manifest.value().town != self.genesis.owner {
                let wrong = ManifestRejection::WrongTown(manifest.value().town);
                return Err(CheckProofError::Manifest(wrong));
            }
        }
        let newest = self.newest_epoch();
        let erased = newest.is_some_and(|record| record.value().is_erased());
        let mut document = SealedDocument::begin(self.genesis, newest.cloned());
        if !erased {
            self.admit(&authority, &mut document)?;
        }
        let owner = self.genesis.owner;
        let name = authority.member(&owner).map(|member| member.name.clone()).unwrap_or_default();
        let sealed_at = document.changes().iter().map(|change| change.seal.time).max();
        Ok(Proven {
            document: document.id(),
            owner,
            owner_name: name,
            federation_name: authority.charter().name.clone(),
            epoch: document.epoch(),
            changes: document.changes().len(),
            heads: document.document().heads(),
            sealed_at,
            manifest: self.manifest.as_ref().map(|manifest| manifest.value().version),
            content: (!erased).then(|| document.document().read_dataset()),
        })
    }

    fn newest_epoch(&self) -> Option<&Signed<EpochRecord>> {
        self.epochs.iter().reduce(|best, other| if supersedes(other, best) { other } else { best })
    }

    fn admit(
        &self,
        authority: &crate::authority::Authority,
        document: &mut SealedDocument,
    ) -> Result<(), CheckProofError> {
        if self.changes.is_empty() {
            return Err(CheckProofError::Empty);
        }
        let (epoch, audience) = (document.epoch(), document.audience().hash());
        for (at, bytes) in self.changes.iter().enumerate() {
            let number = at + 1;
            let sealed = SealedChange::from_bytes(bytes)
                .map_err(|reason| CheckProofError::Malformed { number, reason })?;
            let change = sealed.seal.change;
            let refused = |rejection| CheckProofError::Change { number, change, rejection };
            let verified =
                gate::verify(authority, &self.genesis, epoch, &audience, sealed).map_err(refused)?;
            if let Some((_, rejection)) = document.admit(vec![verified]).refused {
                return Err(refused(rejection));
            }
        }
        Ok(())
    }
}

/// Reads a proof and checks it; the short way for one file.
pub fn check(bytes: &[u8], federation: &FederationId) -> Result<Proven, CheckProofError> {
    Proof::from_bytes(bytes).map_err(ProofError::from)?.check(federation)
}

/// Whether bytes begin as a proof does, so that a wrong file is named as such.
pub fn is_proof(bytes: &[u8]) -> bool {
    let mut start = vec![0x89];
    start.extend(encoding::to_cbor(&super::Title));
    bytes.starts_with(&start)
}
