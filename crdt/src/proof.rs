//! Proofs: everything needed to check one dataset offline against a federation
//! id known from elsewhere (`docs/protocol.md` section 12).
//!
//! This module knows the form and rebuilds the [`Authority`] that a proof
//! brings along; [`check`] sends its sealed changes through the gate.

mod check;

use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    authority::{Authority, AuthorityRejection, Export},
    certificate::{NodeCertificate, Revocation},
    charter::{Charter, CharterChain, CharterRejection},
    encoding::{self, DecodeError},
    epoch::EpochRecord,
    genesis::Genesis,
    ids::FederationId,
    manifest::Manifest,
    signed::Signed,
};

pub use self::check::{CheckProofError, Proven, check, is_proof};

/// Bytes a proof may have.
pub const PROOF_BYTES_MAX: usize = 64 * 1024 * 1024;
const TITLE: &str = "hanse proof";

/// The first item of every proof, so that a file says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Title;

impl<C> Encode<C> for Title {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(TITLE)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Title {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        match d.str()? {
            TITLE => Ok(Self),
            _ => Err(minicbor::decode::Error::message("not a proof").at(at)),
        }
    }
}

/// One document with all that its signatures rest on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Proof {
    /// Always [`Title`].
    #[n(0)]
    pub title: Title,
    /// Always [`encoding::FormatOne`].
    #[n(1)]
    pub format: encoding::FormatOne,
    /// All charters, from version 1.
    #[n(2)]
    pub charters: Vec<Signed<Charter>>,
    /// The certificates that the other parts name.
    #[n(3)]
    pub certificates: Vec<Signed<NodeCertificate>>,
    /// The revocations of these certificates.
    #[n(4)]
    pub revocations: Vec<Signed<Revocation>>,
    /// What the document id is the hash of.
    #[n(5)]
    pub genesis: Genesis,
    /// The document's epoch records.
    #[n(6)]
    pub epochs: Vec<Signed<EpochRecord>>,
    /// The sealed changes of its newest epoch, each after those it depends on.
    #[n(7)]
    pub changes: Vec<ByteVec>,
    /// The owner's newest manifest; null while it has published none.
    #[n(8)]
    #[cbor(with = "nullable", has_nil)]
    pub manifest: Option<Signed<Manifest>>,
}

/// Why a proof's authority cannot be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The bytes are no proof.
    #[error("proof is malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// It has no charter.
    #[error("proof has no charter")]
    NoCharter,
    /// A charter is not valid.
    #[error(transparent)]
    Charter(#[from] CharterRejection),
    /// A certificate or revocation is not valid.
    #[error(transparent)]
    Authority(#[from] AuthorityRejection),
}

impl Proof {
    /// Encodes the proof.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::to_cbor(self)
    }

    /// Decodes a proof. Nothing is checked yet but its form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        encoding::require_at_most(bytes.len(), PROOF_BYTES_MAX, "bytes of a proof")?;
        encoding::from_cbor(bytes, "proof")
    }

    /// Rebuilds who may sign what, starting from a federation id that the
    /// reader knows from elsewhere. One invalid record makes the whole fail.
    pub fn authority(&self, federation: &FederationId) -> Result<Authority, ProofError> {
        let mut charters = self.charters.clone();
        charters.sort_by_key(|charter| charter.value().version);
        let first = charters.first().cloned().ok_or(ProofError::NoCharter)?;
        let mut authority = Authority::new(CharterChain::found(first, federation)?);
        let told = Export {
            charters,
            certificates: self.certificates.clone(),
            revocations: self.revocations.clone(),
        };
        let merged = authority.merge(told);
        if let Some(rejection) = merged.rejected_charters.into_iter().next() {
            return Err(rejection.into());
        }
        match merged.rejected.into_iter().next() {
            Some(rejection) => Err(rejection.into()),
            None => Ok(authority),
        }
    }
}

/// Writes an absent last field as null, where the derived form would end the
/// array early and make the number of fields vary.
mod nullable {
    use minicbor::{Decode, Decoder, Encode, Encoder};

    pub(super) fn encode<C, T: Encode<C>, W: minicbor::encode::Write>(
        value: &Option<T>,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        value.encode(e, ctx)
    }

    pub(super) fn decode<'b, C, T: Decode<'b, C>>(
        d: &mut Decoder<'b>,
        ctx: &mut C,
    ) -> Result<Option<T>, minicbor::decode::Error> {
        Option::decode(d, ctx)
    }

    /// Never left out when writing.
    pub(super) fn is_nil<T>(_: &Option<T>) -> bool {
        false
    }

    /// Never made up when reading.
    pub(super) fn nil<T>() -> Option<T> {
        None
    }
}
