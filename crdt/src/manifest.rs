//! Manifests: a town's numbered, signed word on what it holds for one audience.
//!
//! They give completeness, freshness and the detection of rollback and of split
//! views (`docs/protocol.md` section 9). A manifest never says what a document
//! contains, and for the open audience it never names another one's manifest.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode, bytes::ByteArray};

use crate::{
    audience::Audience,
    authority::{Authority, NodeSignatureRejection},
    encoding::{self, DecodeError, FormatOne},
    ids::{AudienceHash, CertificateHash, FederationId, ManifestHash, Town, UnixMillis},
    inventory::{Inventory, NodeHash},
    sealed_document::Signer,
    signed::{Record, Signed},
};

/// Manifests of others that one manifest may name.
pub const COSIGNATURES_MAX: usize = 1024;
/// Versions a chain remembers by hash, to find split views late.
pub const REMEMBERED_MAX: usize = 64;
/// Split views kept as evidence for one town and audience.
pub const SPLIT_VIEWS_MAX: usize = 16;

/// Newest manifest held from another town: a witness to what that town said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Cosignature {
    /// The town.
    #[n(0)]
    pub town: Town,
    /// The audience.
    #[n(1)]
    pub audience: AudienceHash,
    /// The manifest's version.
    #[n(2)]
    pub version: u64,
    /// The manifest's hash.
    #[n(3)]
    pub manifest: ManifestHash,
}

/// What a town holds for one audience, at one version.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Manifest {
    /// Always [`FormatOne`].
    #[n(0)]
    pub format: FormatOne,
    /// The federation.
    #[n(1)]
    pub federation: FederationId,
    /// The town.
    #[n(2)]
    pub town: Town,
    /// For whom it is.
    #[n(3)]
    pub audience: Audience,
    /// Number, see [`next_version`].
    #[n(4)]
    pub version: u64,
    /// The manifest before; zero for the first.
    #[n(5)]
    pub previous: ManifestHash,
    /// Root of the inventory.
    #[n(6)]
    pub root: ByteArray<32>,
    /// Documents in the inventory.
    #[n(7)]
    pub documents: u64,
    /// Changes in the inventory.
    #[n(8)]
    pub changes: u64,
    /// When it was made; information only.
    #[n(9)]
    pub time: UnixMillis,
    /// The newest manifests held from others, ascending.
    #[n(10)]
    pub cosignatures: Vec<Cosignature>,
    /// Certificate of the node that signed.
    #[n(11)]
    pub certificate: CertificateHash,
}

impl Manifest {
    /// The manifest that follows `last` and tells what `held` holds.
    pub fn sign_next(
        signer: &Signer,
        town: Town,
        audience: Audience,
        last: Option<&Signed<Self>>,
        held: &mut Inventory,
        cosignatures: Vec<Cosignature>,
        now: UnixMillis,
    ) -> Signed<Self> {
        let manifest = Self {
            format: FormatOne,
            federation: signer.federation,
            town,
            audience,
            version: next_version(last.map(|last| last.value().version), now),
            previous: last.map_or_else(ManifestHash::default, Signed::<Self>::id),
            root: held.root().into(),
            documents: held.len() as u64,
            changes: held.changes(),
            time: now,
            cosignatures,
            certificate: signer.certificate,
        };
        Signed::new(manifest, &signer.key)
    }

    /// Root of the inventory.
    pub fn root(&self) -> NodeHash {
        *self.root
    }

    /// What another town's manifest says of this one.
    pub fn key(&self) -> (Town, AudienceHash) {
        (self.town, self.audience.hash())
    }
}

impl Record for Manifest {
    const NAME: &'static str = "manifest";
    const HASH_CONTEXT: &'static str = encoding::MANIFEST_HASH;
    const SIGNATURE_CONTEXT: &'static str = encoding::MANIFEST;

    fn check(&self) -> Result<(), DecodeError> {
        self.audience.check()?;
        if self.version == 0 {
            return Err(DecodeError::Invalid("manifest version 0"));
        }
        encoding::require_at_most(self.cosignatures.len(), COSIGNATURES_MAX, "cosignatures")?;
        encoding::require_ascending(&self.cosignatures, "order of cosignatures", |c| (c.town, c.audience))?;
        // Another audience's manifest must not become known to this one.
        let visible = [self.audience.hash(), Audience::Open.hash()];
        if self.cosignatures.iter().any(|cosignature| !visible.contains(&cosignature.audience)) {
            return Err(DecodeError::Invalid("cosignature of another audience"));
        }
        Ok(())
    }
}

impl Signed<Manifest> {
    /// The manifest's hash.
    pub fn id(&self) -> ManifestHash {
        ManifestHash(self.hash())
    }

    /// What one's own next manifest says of this one.
    pub fn cosignature(&self) -> Cosignature {
        let (town, audience) = self.value().key();
        Cosignature { town, audience, version: self.value().version, manifest: self.id() }
    }

    /// Checks that a node of the town has signed, and before any cut-off.
    pub fn verify(&self, authority: &Authority) -> Result<(), ManifestRejection> {
        let manifest = self.value();
        manifest.check().map_err(ManifestRejection::Malformed)?;
        if manifest.federation != authority.federation() {
            return Err(ManifestRejection::WrongFederation(manifest.federation));
        }
        let certificate = authority.node_signature(self, &manifest.certificate)?;
        if certificate.town != manifest.town {
            return Err(ManifestRejection::WrongTown(certificate.town));
        }
        let standing = authority.standing(&manifest.certificate, &manifest.audience.hash());
        let counts = standing.counts(|cut_off| {
            manifest.version < cut_off.version
                || (manifest.version, self.id()) == (cut_off.version, cut_off.manifest)
        });
        if counts { Ok(()) } else { Err(ManifestRejection::Revoked(manifest.certificate)) }
    }
}

/// Number of the manifest after `last`: one more, or the Unix time in seconds
/// if that is greater, so that a town that lost its store does not count again
/// from a number it has used.
pub fn next_version(last: Option<u64>, now: UnixMillis) -> u64 {
    last.map_or(1, |last| last.saturating_add(1)).max(now.seconds())
}

/// Why a manifest is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestRejection {
    /// It breaks a rule of its form.
    #[error("manifest is malformed: {0}")]
    Malformed(DecodeError),
    /// It belongs to another federation.
    #[error("manifest belongs to federation {0}")]
    WrongFederation(FederationId),
    /// The certificate is another town's.
    #[error("manifest is signed for town {0}")]
    WrongTown(Town),
    /// The certificate is revoked and its cut-off leaves the manifest out.
    #[error("certificate {0} is revoked")]
    Revoked(CertificateHash),
    /// The node key's signature is missing, wrong or not alone.
    #[error(transparent)]
    Signature(#[from] NodeSignatureRejection),
    /// It is older than the one held: an old copy, or a town set back.
    #[error("manifest version {found} is older than version {held}")]
    Rollback {
        /// Version held.
        held: u64,
        /// Version found.
        found: u64,
    },
}

impl ManifestRejection {
    /// Stable code for logs and answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::WrongFederation(_) => "wrong-federation",
            Self::WrongTown(_) => "wrong-town",
            Self::Revoked(_) => "revoked",
            Self::Signature(rejection) => rejection.code(),
            Self::Rollback { .. } => "rollback",
        }
    }
}

/// What became of a manifest that is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestAccepted {
    /// It was held already.
    Known,
    /// It is the newest now.
    Newer,
    /// It has the version of another one held or remembered: the town told
    /// different things to different peers. Kept as evidence.
    SplitView,
}

/// Two manifests of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SplitView {
    /// The version.
    pub version: u64,
    /// The smaller hash.
    pub one: ManifestHash,
    /// The greater hash.
    pub other: ManifestHash,
}

impl SplitView {
    fn new(version: u64, a: ManifestHash, b: ManifestHash) -> Self {
        Self { version, one: a.min(b), other: a.max(b) }
    }
}

/// The newest manifest of one town for one audience, and evidence of others.
#[derive(Debug, Clone, Default)]
struct ManifestChain {
    newest: Option<Signed<Manifest>>,
    remembered: BTreeMap<u64, ManifestHash>,
    split_views: Vec<SplitView>,
}

impl ManifestChain {
    fn accept(&mut self, signed: Signed<Manifest>) -> Result<ManifestAccepted, ManifestRejection> {
        let (id, found) = (signed.id(), signed.value().version);
        let held = self.newest.as_ref().map(|newest| newest.value().version);
        match self.remembered.get(&found) {
            Some(known) if *known == id && held == Some(found) => Ok(ManifestAccepted::Known),
            Some(known) if *known != id => {
                let smaller = id < *known;
                self.keep_split_view(SplitView::new(found, id, *known));
                // All nodes go on from the same one of two newest.
                if smaller && held == Some(found) {
                    self.remember(found, id);
                    self.newest = Some(signed);
                }
                Ok(ManifestAccepted::SplitView)
            }
            _ => match held {
                Some(held) if found < held => Err(ManifestRejection::Rollback { held, found }),
                _ => {
                    self.remember(found, id);
                    self.newest = Some(signed);
                    Ok(ManifestAccepted::Newer)
                }
            },
        }
    }

    fn remember(&mut self, version: u64, id: ManifestHash) {
        self.remembered.insert(version, id);
        while self.remembered.len() > REMEMBERED_MAX {
            self.remembered.pop_first();
        }
    }

    fn keep_split_view(&mut self, view: SplitView) {
        if !self.split_views.contains(&view) && self.split_views.len() < SPLIT_VIEWS_MAX {
            self.split_views.push(view);
            self.split_views.sort_unstable();
        }
    }
}

/// The newest manifests of all towns and audiences.
#[derive(Debug, Clone, Default)]
pub struct ManifestStore {
    chains: BTreeMap<(Town, AudienceHash), ManifestChain>,
}

impl ManifestStore {
    /// Checks a manifest and keeps it if it is newer than the one held.
    pub fn accept(
        &mut self,
        signed: Signed<Manifest>,
        authority: &Authority,
    ) -> Result<ManifestAccepted, ManifestRejection> {
        // Every peer hands it on: what is held to the byte is not verified again.
        let newest = self.chains.get(&signed.value().key()).and_then(|chain| chain.newest.as_ref());
        if newest == Some(&signed) {
            return Ok(ManifestAccepted::Known);
        }
        signed.verify(authority)?;
        self.chains.entry(signed.value().key()).or_default().accept(signed)
    }

    /// The newest manifest held.
    pub fn newest(&self, town: &Town, audience: &AudienceHash) -> Option<&Signed<Manifest>> {
        self.chains.get(&(*town, *audience))?.newest.as_ref()
    }

    /// All newest manifests, ascending by town and audience.
    pub fn iter(&self) -> impl Iterator<Item = (&(Town, AudienceHash), &Signed<Manifest>)> {
        self.chains.iter().filter_map(|(key, chain)| Some((key, chain.newest.as_ref()?)))
    }

    /// Versions of which a town was found to have signed two manifests.
    pub fn split_views(&self) -> impl Iterator<Item = (&(Town, AudienceHash), &SplitView)> {
        self.chains.iter().flat_map(|(key, chain)| chain.split_views.iter().map(move |view| (key, view)))
    }

    /// Compares what others witnessed with what is remembered here: the split
    /// views that a valid manifest's cosignatures reveal. They are hearsay of
    /// its signer until both manifests are seen, and so are returned, not kept.
    pub fn contradictions(&self, manifest: &Manifest) -> Vec<(Cosignature, SplitView)> {
        let contradiction = |cosignature: &Cosignature| {
            let chain = self.chains.get(&(cosignature.town, cosignature.audience))?;
            let known = *chain.remembered.get(&cosignature.version)?;
            let view = SplitView::new(cosignature.version, known, cosignature.manifest);
            (known != cosignature.manifest).then_some((*cosignature, view))
        };
        manifest.cosignatures.iter().filter_map(contradiction).collect()
    }

    /// Cosignatures for one's own next manifest for `audience`: the newest
    /// manifests of other towns that this audience may know of.
    pub fn cosignatures(&self, own: &Town, audience: &Audience) -> Vec<Cosignature> {
        let visible = [audience.hash(), Audience::Open.hash()];
        let others = self.iter().filter(|((town, of), _)| town != own && visible.contains(of));
        others.map(|(_, manifest)| manifest.cosignature()).take(COSIGNATURES_MAX).collect()
    }
}
