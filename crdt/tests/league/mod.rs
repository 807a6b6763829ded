//! A federation of five towns with keys made from fixed names, for tests that
//! need true signatures and the same bytes at every run.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::LazyLock;

use crdt::{
    audience::{Audience, PartnerId},
    authority::Authority,
    certificate::{CutOff, NodeCertificate, Revocation},
    charter::{Charter, CharterChain, Limits, Member, Partner, Thresholds},
    encoding::{self, FormatOne},
    epoch::{EpochReason, EpochRecord, EpochState},
    genesis::{DocumentKind, Genesis, GenesisClass},
    ids::{
        CertificateHash, ChangeHash, CharterHash, CharterNonce, EpochHash, FederationId, GenesisNonce,
        ManifestHash, Town, UnixMillis,
    },
    manifest::Manifest,
    peer_id,
    signed::{Record, Signed, public_key},
};
use ed25519_dalek::SigningKey;

pub(crate) const ARNSBERG: usize = 0;
pub(crate) const MENDEN: usize = 1;
pub(crate) const OLPE: usize = 2;
pub(crate) const BAD_BERLEBURG: usize = 3;
pub(crate) const SOEST: usize = 4;

/// Municipality key, short name and name, ascending.
const TOWNS: [(&str, &str, &str); 5] = [
    ("05958004", "arnsberg", "Arnsberg"),
    ("05962040", "menden", "Menden (Sauerland)"),
    ("05966024", "olpe", "Olpe"),
    ("05970004", "bad-berleburg", "Bad Berleburg"),
    ("05974040", "soest", "Soest"),
];

/// Two o'clock UTC on 22 November 2026.
pub(crate) const TIME: UnixMillis = UnixMillis(1_795_312_800_000);

pub(crate) fn town(index: usize) -> Town {
    Town::parse(TOWNS[index].0).unwrap()
}

/// The key of this name; the same at every run.
pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_bytes(&encoding::hash("hanse test key", &[name.as_bytes()]))
}

/// A town's identity key 1 or 2; both must sign.
pub(crate) fn identity(index: usize, number: u8) -> SigningKey {
    key(&format!("{} identity {number}", TOWNS[index].1))
}

pub(crate) fn node_key(index: usize) -> SigningKey {
    key(&format!("{} node", TOWNS[index].1))
}

pub(crate) fn transport_key(index: usize) -> SigningKey {
    key(&format!("{} transport", TOWNS[index].1))
}

pub(crate) fn address(index: usize) -> String {
    let id = peer_id::of_key(&public_key(&transport_key(index)));
    format!("/dns4/hanse.{}.example/tcp/4001/p2p/{id}", TOWNS[index].1)
}

pub(crate) fn member(index: usize) -> Member {
    let (_, code, name) = TOWNS[index];
    let mut identity_keys = vec![public_key(&identity(index, 1)), public_key(&identity(index, 2))];
    identity_keys.sort();
    Member {
        town: town(index),
        code: code.into(),
        name: name.into(),
        identity_keys,
        required: 2,
        addresses: vec![address(index)],
    }
}

pub(crate) fn partner() -> Partner {
    Partner {
        id: PartnerId::parse("kreis-olpe").unwrap(),
        name: "Kreis Olpe".into(),
        identity_keys: vec![public_key(&key("kreis-olpe identity"))],
        required: 1,
        addresses: vec![],
        named_by: town(OLPE),
    }
}

/// Version 1, signed by nobody.
pub(crate) fn first_charter() -> Charter {
    Charter {
        format: FormatOne,
        version: 1,
        previous: CharterHash::default(),
        other_heads: vec![],
        name: "Datenbund Südwestfalen".into(),
        members: (0..TOWNS.len()).map(member).collect(),
        partners: vec![partner()],
        thresholds: Thresholds::default_for(TOWNS.len()),
        limits: Limits::default(),
        nonce: CharterNonce([7; 16]),
        time: TIME,
    }
}

/// Signs with both identity keys of each town.
pub(crate) fn signed_by<T: Record>(value: T, towns: &[usize]) -> Signed<T> {
    let mut signed = Signed::unsigned(value);
    for index in towns {
        signed.sign(&identity(*index, 1));
        signed.sign(&identity(*index, 2));
    }
    signed
}

pub(crate) fn founding() -> Signed<Charter> {
    static FOUNDING: LazyLock<Signed<Charter>> =
        LazyLock::new(|| signed_by(first_charter(), &[0, 1, 2, 3, 4]));
    FOUNDING.clone()
}

pub(crate) fn federation() -> FederationId {
    founding().founds().unwrap()
}

pub(crate) fn chain() -> CharterChain {
    static CHAIN: LazyLock<CharterChain> =
        LazyLock::new(|| CharterChain::found(founding(), &federation()).unwrap());
    CHAIN.clone()
}

pub(crate) fn authority() -> Authority {
    Authority::new(chain())
}

/// The version after `previous`, not signed; `nonce` tells siblings apart.
pub(crate) fn successor(previous: &Signed<Charter>, nonce: u8) -> Charter {
    Charter {
        version: previous.value().version + 1,
        previous: previous.id(),
        other_heads: vec![],
        nonce: CharterNonce([nonce; 16]),
        ..previous.value().clone()
    }
}

/// The certificate of a town's node, not signed.
pub(crate) fn certificate(index: usize) -> NodeCertificate {
    NodeCertificate {
        format: FormatOne,
        federation: federation(),
        town: town(index),
        serial: 1,
        node_key: public_key(&node_key(index)),
        transport_key: public_key(&transport_key(index)),
    }
}

pub(crate) fn signed_certificate(index: usize) -> Signed<NodeCertificate> {
    signed_by(certificate(index), &[index])
}

pub(crate) fn certificate_id(index: usize) -> CertificateHash {
    signed_certificate(index).id()
}

/// All five towns and their certificates.
pub(crate) fn certified_authority() -> Authority {
    let mut authority = authority();
    for index in 0..TOWNS.len() {
        assert_eq!(authority.admit_certificate(signed_certificate(index)), Ok(true));
    }
    authority
}

/// A revocation of a town's certificate, not signed.
pub(crate) fn revocation(index: usize, cut_offs: Vec<CutOff>) -> Revocation {
    Revocation {
        format: FormatOne,
        federation: federation(),
        town: town(index),
        certificate: certificate_id(index),
        cut_offs,
        time: TIME,
    }
}

pub(crate) fn genesis(index: usize) -> Genesis {
    Genesis {
        federation: federation(),
        kind: DocumentKind::Dataset,
        owner: town(index),
        class: GenesisClass::Open,
        nonce: GenesisNonce([5; 16]),
    }
}

/// Epoch 2 of [`genesis`], not signed.
pub(crate) fn epoch_record(index: usize) -> EpochRecord {
    EpochRecord {
        format: FormatOne,
        federation: federation(),
        document: genesis(index).document(),
        epoch: 2,
        audience: Audience::Open,
        state: EpochState::Live,
        reason: EpochReason::Squash,
        previous: EpochHash::default(),
        first_change: Some(ChangeHash([6; 32])),
        certificate: certificate_id(index),
        time: TIME,
    }
}

pub(crate) fn withdrawal(index: usize) -> EpochRecord {
    EpochRecord {
        state: EpochState::Erased,
        reason: EpochReason::Withdrawal,
        first_change: None,
        ..epoch_record(index)
    }
}

/// A town's first open manifest, not signed.
pub(crate) fn manifest(index: usize, version: u64) -> Manifest {
    Manifest {
        format: FormatOne,
        federation: federation(),
        town: town(index),
        audience: Audience::Open,
        version,
        previous: ManifestHash::default(),
        root: [8; 32].into(),
        documents: 3,
        changes: 12,
        time: TIME,
        cosignatures: vec![],
        certificate: certificate_id(index),
    }
}

/// All orders of `items`.
pub(crate) fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for at in 0..items.len() {
        let mut rest = items.to_vec();
        let first = rest.remove(at);
        for mut order in permutations(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}
