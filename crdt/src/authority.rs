//! Authority: who may act for which town, here and now.
//!
//! [`Authority`] holds the charters, node certificates and revocations of one
//! federation and answers the gate's and the network's questions. It believes
//! signatures, never senders. What it answers depends on what it holds, not on
//! the order in which that came.
//!
//! # Rules
//!
//! - A certificate is valid when the identity keys of its town have signed it:
//!   the keys of the newest charter in force that has the town as a member. A
//!   town that changes its keys therefore signs its certificates again; what a
//!   former member sealed stays verifiable.
//! - A revocation needs the same keys and concerns its own town's certificates.
//!   Of several revocations the strictest counts.
//! - Only current members and partners may connect, and no node under a
//!   certificate that is revoked.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    audience::Recipient,
    certificate::{CutOff, NodeCertificate, Revocation},
    charter::{Accepted, Charter, CharterChain, CharterRejection, Member},
    encoding,
    genesis::Genesis,
    ids::{AudienceHash, CertificateHash, CharterHash, FederationId, PublicKey, RevocationHash, Town},
    peer_id,
    signed::{Record, Signed},
};

/// Certificates kept for one town, and as many revocations.
pub const PER_TOWN_MAX: usize = 256;

/// Why a certificate or revocation is not admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityRejection {
    /// The record breaks a rule of its form.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Kind of record.
        what: &'static str,
        /// What is wrong.
        reason: encoding::DecodeError,
    },
    /// It belongs to another federation.
    #[error("{what} belongs to federation {found}")]
    WrongFederation {
        /// Kind of record.
        what: &'static str,
        /// The federation it names.
        found: FederationId,
    },
    /// Its town never was a member, as far as is known here.
    #[error("{what} is of town {town}, which no charter held here names")]
    UnknownTown {
        /// Kind of record.
        what: &'static str,
        /// The town.
        town: Town,
    },
    /// Too few of the town's identity keys have signed.
    #[error("{what} is not signed by the {needed} identity keys that town {town} needs")]
    BelowThreshold {
        /// Kind of record.
        what: &'static str,
        /// The town.
        town: Town,
        /// How many keys must sign.
        needed: u32,
    },
    /// The town has as many as may be.
    #[error("town {town} has {PER_TOWN_MAX} of kind {what} already")]
    TooMany {
        /// Kind of record.
        what: &'static str,
        /// The town.
        town: Town,
    },
}

impl AuthorityRejection {
    /// Stable code for logs and answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { reason: encoding::DecodeError::NotCanonical(_), .. } => "not-canonical",
            Self::Malformed { .. } => "malformed",
            Self::WrongFederation { .. } => "wrong-federation",
            Self::UnknownTown { .. } => "unknown-town",
            Self::BelowThreshold { .. } => "below-threshold",
            Self::TooMany { .. } => "too-many",
        }
    }
}

/// Why a certificate may not write a document (gate checks 6 and 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorRejection {
    /// The certificate is not held or not valid.
    #[error("certificate {0} is not known")]
    UnknownCertificate(CertificateHash),
    /// Its town may not write the document.
    #[error("town {0} may not write the document")]
    WrongTown(Town),
}

impl AuthorRejection {
    /// Stable code of protocol section 5.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCertificate(_) => "unknown-certificate",
            Self::WrongTown(_) => "wrong-town",
        }
    }
}

/// Why a record's node signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NodeSignatureRejection {
    /// The certificate is not held or not valid.
    #[error("certificate {0} is not known")]
    UnknownCertificate(CertificateHash),
    /// There is not exactly one signature, or it is not the node key's.
    #[error("the signature is not the one of certificate {0}")]
    BadSignature(CertificateHash),
}

impl NodeSignatureRejection {
    /// Stable code of protocol section 5.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCertificate(_) => "unknown-certificate",
            Self::BadSignature(_) => "bad-signature",
        }
    }
}

/// How much of what a certificate signed for one audience counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// All: it is not revoked.
    Unrevoked,
    /// What is reachable from the manifest that the cut-off names.
    CutOff(CutOff),
    /// Nothing.
    Void,
}

impl Standing {
    /// Whether something signed under the certificate counts, given whether it
    /// is reachable from the manifest of a cut-off.
    pub fn counts(&self, reachable: impl FnOnce(&CutOff) -> bool) -> bool {
        match self {
            Self::Unrevoked => true,
            Self::CutOff(cut_off) => reachable(cut_off),
            Self::Void => false,
        }
    }
}

/// Everything one node tells another about authority, each charter after the
/// one that it follows.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// All charters held.
    pub charters: Vec<Signed<Charter>>,
    /// All valid certificates.
    pub certificates: Vec<Signed<NodeCertificate>>,
    /// All valid revocations.
    pub revocations: Vec<Signed<Revocation>>,
}

/// What came of an [`Export`] of another node.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// Charters that were new here, to be stored.
    pub charters: Vec<CharterHash>,
    /// Certificates that were new here or gained signatures, to be stored.
    pub certificates: Vec<CertificateHash>,
    /// Revocations that were new here or gained signatures, to be stored.
    pub revocations: Vec<RevocationHash>,
    /// Charters refused.
    pub rejected_charters: Vec<CharterRejection>,
    /// Certificates and revocations refused.
    pub rejected: Vec<AuthorityRejection>,
}

impl Merged {
    /// Whether something is new.
    pub fn changed(&self) -> bool {
        !(self.charters.is_empty() && self.certificates.is_empty() && self.revocations.is_empty())
    }
}

/// The charters, certificates and revocations of one federation.
///
/// INVARIANT: `valid`, `revoked` and `transport` follow from the other fields.
#[derive(Debug, Clone)]
pub struct Authority {
    chain: CharterChain,
    certificates: BTreeMap<CertificateHash, Signed<NodeCertificate>>,
    revocations: BTreeMap<RevocationHash, Signed<Revocation>>,
    valid: BTreeSet<CertificateHash>,
    revoked: BTreeMap<CertificateHash, BTreeSet<RevocationHash>>,
    transport: BTreeMap<PublicKey, Recipient>,
}

impl Authority {
    /// Begins with a chain and neither certificates nor revocations.
    pub fn new(chain: CharterChain) -> Self {
        let mut authority = Self {
            chain,
            certificates: BTreeMap::new(),
            revocations: BTreeMap::new(),
            valid: BTreeSet::new(),
            revoked: BTreeMap::new(),
            transport: BTreeMap::new(),
        };
        authority.derive();
        authority
    }

    /// The federation.
    pub fn federation(&self) -> FederationId {
        self.chain.federation()
    }

    /// All charters.
    pub fn chain(&self) -> &CharterChain {
        &self.chain
    }

    /// The charter in force.
    pub fn charter(&self) -> &Charter {
        self.chain.current().value()
    }

    /// The member as the newest charter in force that has it names it: also a
    /// former member, whose earlier records stay verifiable.
    pub fn member(&self, town: &Town) -> Option<&Member> {
        self.chain.newest_first().find_map(|charter| charter.value().member(town))
    }

    /// Whether the town is a member now.
    pub fn is_member(&self, town: &Town) -> bool {
        self.charter().member(town).is_some()
    }

    /// Takes a charter; see [`CharterChain::accept`].
    pub fn accept_charter(&mut self, signed: Signed<Charter>) -> Result<Accepted, CharterRejection> {
        let accepted = self.chain.accept(signed)?;
        self.derive();
        Ok(accepted)
    }

    /// Takes a certificate. Returns whether it, or a signature of it, is new.
    pub fn admit_certificate(&mut self, signed: Signed<NodeCertificate>) -> Result<bool, AuthorityRejection> {
        let new = self.enter_certificate(signed)?;
        self.transport = self.derive_transport();
        Ok(new)
    }

    fn enter_certificate(&mut self, mut signed: Signed<NodeCertificate>) -> Result<bool, AuthorityRejection> {
        let (id, certificate) = (signed.id(), signed.value());
        let keys = self.require_signed(&signed, certificate.federation, certificate.town)?;
        let town = certificate.town;
        signed.retain_signers(&keys);
        let new = match self.certificates.get_mut(&id) {
            Some(held) => held.merge(&signed) > 0,
            None => {
                let of_town = |id: &&CertificateHash| self.certificates[*id].value().town == town;
                if self.valid.iter().filter(of_town).count() >= PER_TOWN_MAX {
                    return Err(AuthorityRejection::TooMany { what: NodeCertificate::NAME, town });
                }
                self.certificates.insert(id, signed);
                true
            }
        };
        self.valid.insert(id);
        Ok(new)
    }

    /// Takes a revocation, before or after its certificate. Returns whether it,
    /// or a signature of it, is new.
    pub fn admit_revocation(&mut self, signed: Signed<Revocation>) -> Result<bool, AuthorityRejection> {
        let new = self.enter_revocation(signed)?;
        self.transport = self.derive_transport();
        Ok(new)
    }

    fn enter_revocation(&mut self, mut signed: Signed<Revocation>) -> Result<bool, AuthorityRejection> {
        let (id, revocation) = (signed.id(), signed.value());
        let keys = self.require_signed(&signed, revocation.federation, revocation.town)?;
        let (town, certificate) = (revocation.town, revocation.certificate);
        signed.retain_signers(&keys);
        let new = match self.revocations.get_mut(&id) {
            Some(held) => held.merge(&signed) > 0,
            None => {
                let of_town = |held: &&Signed<Revocation>| held.value().town == town;
                if self.revocations.values().filter(of_town).count() >= PER_TOWN_MAX {
                    return Err(AuthorityRejection::TooMany { what: Revocation::NAME, town });
                }
                self.revocations.insert(id, signed);
                true
            }
        };
        self.revoked.entry(certificate).or_default().insert(id);
        Ok(new)
    }

    /// Takes all that another node told, in an order that works whatever the
    /// order told.
    pub fn merge(&mut self, mut told: Export) -> Merged {
        let mut merged = Merged::default();
        told.charters.sort_by_key(|charter| charter.value().version);
        for signed in told.charters {
            let id = signed.id();
            match self.chain.accept(signed) {
                Ok(Accepted::Known) => {}
                Ok(_) => merged.charters.push(id),
                Err(rejection) => merged.rejected_charters.push(rejection),
            }
        }
        self.derive();
        for signed in told.certificates {
            let id = signed.id();
            match self.enter_certificate(signed) {
                Ok(true) => merged.certificates.push(id),
                Ok(false) => {}
                Err(rejection) => merged.rejected.push(rejection),
            }
        }
        for signed in told.revocations {
            let id = signed.id();
            match self.enter_revocation(signed) {
                Ok(true) => merged.revocations.push(id),
                Ok(false) => {}
                Err(rejection) => merged.rejected.push(rejection),
            }
        }
        self.transport = self.derive_transport();
        merged
    }

    /// Everything another node may lack.
    pub fn export(&self) -> Export {
        Export {
            charters: self.chain.all().into_iter().cloned().collect(),
            certificates: self.certificates().cloned().collect(),
            revocations: self.revocations().cloned().collect(),
        }
    }

    /// One hash over all charters, valid certificates and valid revocations:
    /// equal when [`Self::export`] of two nodes is, signatures aside.
    pub fn hash(&self) -> [u8; 32] {
        let charters: Vec<&[u8]> = self.chain.ids().map(CharterHash::as_bytes).collect();
        let certificates: Vec<&[u8]> = self.valid.iter().map(CertificateHash::as_bytes).collect();
        let revocations: BTreeSet<&RevocationHash> = self.revoked.values().flatten().collect();
        let revocations: Vec<&[u8]> = revocations.into_iter().map(RevocationHash::as_bytes).collect();
        let mut parts = Vec::new();
        for list in [charters, certificates, revocations] {
            parts.extend_from_slice(&(list.len() as u32).to_be_bytes());
            parts.extend(list.concat());
        }
        encoding::hash(encoding::AUTHORITY, &[&parts])
    }

    /// A certificate, if it is held and valid; revoked ones included.
    pub fn certificate(&self, id: &CertificateHash) -> Option<&Signed<NodeCertificate>> {
        if self.valid.contains(id) { self.certificates.get(id) } else { None }
    }

    /// All valid certificates, revoked ones included, ascending by hash.
    pub fn certificates(&self) -> impl Iterator<Item = &Signed<NodeCertificate>> {
        self.valid.iter().map(|id| &self.certificates[id])
    }

    /// All valid revocations.
    pub fn revocations(&self) -> impl Iterator<Item = &Signed<Revocation>> {
        self.revoked.values().flatten().map(|id| &self.revocations[id])
    }

    /// A revocation, if it is held.
    pub fn revocation(&self, id: &RevocationHash) -> Option<&Signed<Revocation>> {
        self.revocations.get(id)
    }

    /// The certificate under which something in a document was signed, if its
    /// town may write there. Whether it is revoked is for [`Self::standing`].
    pub fn author(
        &self,
        id: &CertificateHash,
        genesis: &Genesis,
    ) -> Result<&NodeCertificate, AuthorRejection> {
        let certificate = self.certificate(id).ok_or(AuthorRejection::UnknownCertificate(*id))?.value();
        if genesis.may_write(&certificate.town) {
            Ok(certificate)
        } else {
            Err(AuthorRejection::WrongTown(certificate.town))
        }
    }

    /// Requires that `record` carries exactly one signature, by the node key of
    /// the certificate that it names.
    pub fn node_signature<T: Record>(
        &self,
        record: &Signed<T>,
        id: &CertificateHash,
    ) -> Result<&NodeCertificate, NodeSignatureRejection> {
        let certificate =
            self.certificate(id).ok_or(NodeSignatureRejection::UnknownCertificate(*id))?.value();
        if record.signatures().len() == 1 && record.is_signed_by(&certificate.node_key) {
            Ok(certificate)
        } else {
            Err(NodeSignatureRejection::BadSignature(*id))
        }
    }

    /// Whether some valid revocation names the certificate.
    pub fn is_revoked(&self, id: &CertificateHash) -> bool {
        self.effective_revocations(id).next().is_some()
    }

    /// How much of what the certificate signed for the audience counts. Of
    /// several revocations the strictest counts: no cut-off before any, the
    /// older manifest before the newer.
    pub fn standing(&self, id: &CertificateHash, audience: &AudienceHash) -> Standing {
        let of_audience = |revocation: &Revocation| {
            revocation.cut_offs.iter().find(|cut_off| cut_off.audience == *audience).copied()
        };
        // `None` (no cut-off for the audience: nothing counts) is the least.
        match self.effective_revocations(id).map(of_audience).min() {
            None => Standing::Unrevoked,
            Some(None) => Standing::Void,
            Some(Some(cut_off)) => Standing::CutOff(cut_off),
        }
    }

    /// Who connects with this transport key: a member or partner of the charter
    /// in force, and not under a revoked certificate.
    pub fn recipient_of_transport_key(&self, key: &PublicKey) -> Option<&Recipient> {
        self.transport.get(key)
    }

    /// The member that connects with this transport key.
    pub fn town_of_transport_key(&self, key: &PublicKey) -> Option<Town> {
        match self.transport.get(key) {
            Some(Recipient::Member(town)) => Some(*town),
            Some(Recipient::Partner(_)) | None => None,
        }
    }

    /// The transport keys of all members, each with the charter's addresses
    /// that end in it.
    pub fn transport_keys(&self) -> BTreeMap<Town, Vec<(PublicKey, Vec<String>)>> {
        let mut by_town: BTreeMap<Town, Vec<(PublicKey, Vec<String>)>> = BTreeMap::new();
        for (key, recipient) in &self.transport {
            if let Recipient::Member(town) = recipient {
                by_town.entry(*town).or_default().push((*key, self.addresses(recipient, key)));
            }
        }
        by_town
    }

    /// The charter's addresses of one party that end in a key.
    pub fn addresses(&self, recipient: &Recipient, key: &PublicKey) -> Vec<String> {
        let charter = self.charter();
        let addresses = match recipient {
            Recipient::Member(town) => charter.member(town).map(|member| &member.addresses),
            Recipient::Partner(id) => charter.partner(id).map(|partner| &partner.addresses),
        };
        let of_key = |address: &&String| peer_id::key_of_address(address) == Some(*key);
        addresses.into_iter().flatten().filter(of_key).cloned().collect()
    }

    fn effective_revocations(&self, id: &CertificateHash) -> impl Iterator<Item = &Revocation> {
        let town = self.certificates.get(id).map(|certificate| certificate.value().town);
        let of_certificate = self.revoked.get(id).into_iter().flatten();
        of_certificate
            .map(|revocation| self.revocations[revocation].value())
            .filter(move |revocation| Some(revocation.town) == town)
    }

    /// Returns all keys whose signatures may matter.
    fn require_signed<T: Record>(
        &self,
        signed: &Signed<T>,
        federation: FederationId,
        town: Town,
    ) -> Result<BTreeSet<PublicKey>, AuthorityRejection> {
        let what = T::NAME;
        signed.value().check().map_err(|reason| AuthorityRejection::Malformed { what, reason })?;
        if federation != self.federation() {
            return Err(AuthorityRejection::WrongFederation { what, found: federation });
        }
        let member = self.member(&town).ok_or(AuthorityRejection::UnknownTown { what, town })?;
        if !member.has_signed(signed) {
            return Err(AuthorityRejection::BelowThreshold { what, town, needed: member.required });
        }
        Ok(member.identity_keys.iter().copied().collect())
    }

    /// Works out everything that follows from charters, certificates and
    /// revocations.
    fn derive(&mut self) {
        let mut valid = BTreeSet::new();
        for (id, signed) in &self.certificates {
            if self.member(&signed.value().town).is_some_and(|member| member.has_signed(signed)) {
                valid.insert(*id);
            }
        }
        let mut revoked: BTreeMap<CertificateHash, BTreeSet<RevocationHash>> = BTreeMap::new();
        for (id, signed) in &self.revocations {
            let revocation = signed.value();
            if self.member(&revocation.town).is_some_and(|member| member.has_signed(signed)) {
                revoked.entry(revocation.certificate).or_default().insert(*id);
            }
        }
        (self.valid, self.revoked) = (valid, revoked);
        self.transport = self.derive_transport();
    }

    fn derive_transport(&self) -> BTreeMap<PublicKey, Recipient> {
        let charter = self.charter();
        let mut transport = BTreeMap::new();
        let (good, lost): (Vec<_>, Vec<_>) = self
            .valid
            .iter()
            .map(|id| (id, self.certificates[id].value()))
            .partition(|(id, _)| !self.is_revoked(id));
        for (_, certificate) in
            good.iter().filter(|(_, certificate)| charter.member(&certificate.town).is_some())
        {
            // Two towns certifying one key would be one peer with two names: the charter's word comes first.
            transport.entry(certificate.transport_key).or_insert(Recipient::Member(certificate.town));
        }
        let lost: BTreeSet<(Town, PublicKey)> =
            lost.iter().map(|(_, certificate)| (certificate.town, certificate.transport_key)).collect();
        let still_good: BTreeSet<(Town, PublicKey)> =
            good.iter().map(|(_, certificate)| (certificate.town, certificate.transport_key)).collect();
        for member in &charter.members {
            for key in member.transport_keys() {
                let named = (member.town, key);
                if !lost.contains(&named) || still_good.contains(&named) {
                    transport.insert(key, Recipient::Member(member.town));
                }
            }
        }
        for partner in &charter.partners {
            for key in partner.transport_keys() {
                transport.insert(key, Recipient::Partner(partner.id.clone()));
            }
        }
        transport
    }
}
