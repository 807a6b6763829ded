//! Node certificates and revocations: a town's word for which keys act for it.
//!
//! Both are signed with the town's identity keys, as many as the charter asks.
//! This module knows their form; whether they are in force is for
//! [`crate::authority`] to say (`docs/protocol.md` section 6).

use minicbor::{Decode, Encode};

use crate::{
    encoding::{self, DecodeError, FormatOne},
    ids::{
        AudienceHash, CertificateHash, FederationId, ManifestHash, PublicKey, RevocationHash, Town,
        UnixMillis,
    },
    signed::{Record, Signed},
};

/// Audiences a revocation may name.
pub const CUT_OFFS_MAX: usize = 1024;

/// A town's statement that a node may seal and connect for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct NodeCertificate {
    /// Always [`FormatOne`].
    #[n(0)]
    pub format: FormatOne,
    /// The federation it holds in.
    #[n(1)]
    pub federation: FederationId,
    /// The town the node acts for.
    #[n(2)]
    pub town: Town,
    /// Number the town gives it; two certificates of equal keys differ by it.
    #[n(3)]
    pub serial: u64,
    /// Key that seals changes and signs epoch records, manifests and receipts.
    #[n(4)]
    pub node_key: PublicKey,
    /// Key of the node's libp2p `PeerId`.
    #[n(5)]
    pub transport_key: PublicKey,
}

impl Record for NodeCertificate {
    const NAME: &'static str = "node certificate";
    const HASH_CONTEXT: &'static str = encoding::CERTIFICATE_HASH;
    const SIGNATURE_CONTEXT: &'static str = encoding::CERTIFICATE;
}

impl Signed<NodeCertificate> {
    /// The certificate's hash, by which seals and records name it.
    pub fn id(&self) -> CertificateHash {
        CertificateHash(self.hash())
    }
}

/// Up to where work under a revoked certificate counts, for one audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct CutOff {
    /// The audience.
    #[n(0)]
    pub audience: AudienceHash,
    /// Version of the last manifest that counts.
    #[n(1)]
    pub version: u64,
    /// Hash of that manifest.
    #[n(2)]
    pub manifest: ManifestHash,
}

/// A town's order that a certificate counts no more, except for what is
/// reachable from the named manifests. Backdating does not help a thief.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Revocation {
    /// Always [`FormatOne`].
    #[n(0)]
    pub format: FormatOne,
    /// The federation it holds in.
    #[n(1)]
    pub federation: FederationId,
    /// The town; it can revoke its own certificates only.
    #[n(2)]
    pub town: Town,
    /// The certificate.
    #[n(3)]
    pub certificate: CertificateHash,
    /// What still counts, ascending by audience; nothing for audiences not named.
    #[n(4)]
    pub cut_offs: Vec<CutOff>,
    /// When it was made; information only.
    #[n(5)]
    pub time: UnixMillis,
}

impl Record for Revocation {
    const NAME: &'static str = "revocation";
    const HASH_CONTEXT: &'static str = encoding::REVOCATION_HASH;
    const SIGNATURE_CONTEXT: &'static str = encoding::REVOCATION;

    fn check(&self) -> Result<(), DecodeError> {
        encoding::require_at_most(self.cut_offs.len(), CUT_OFFS_MAX, "cut-offs of a revocation")?;
        encoding::require_ascending(&self.cut_offs, "order of cut-offs", |cut_off| cut_off.audience)
    }
}

impl Signed<Revocation> {
    /// The revocation's hash.
    pub fn id(&self) -> RevocationHash {
        RevocationHash(self.hash())
    }
}
