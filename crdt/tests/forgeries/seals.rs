//! Seals that nobody entitled has made: refused with a stable code by every
//! node, whatever else it holds and in whatever order things arrive.

use crdt::{
    audience::Audience,
    authority::Authority,
    certificate::NodeCertificate,
    epoch::EpochRecord,
    gate::{self, Code},
    genesis::Genesis,
    ids::{ActorId, BootNonce, CertificateHash, DocumentId, FederationId, GenesisNonce, PublicKey, SealHash},
    seal::{Seal, SealedChange},
    sealed_document::SealedDocument,
    signed::{Signed, public_key},
};
use ed25519_dalek::SigningKey;
use serde_json::json;

use crate::{charters::low_order_points, league::*, sealing::*};

/// A document of Arnsberg and the next honest change of it.
fn ground() -> (SealedDocument, SealedChange) {
    let mut document = SealedDocument::begin(genesis(ARNSBERG), None);
    edit(&mut document, &signer(ARNSBERG, 1), &json!({ "title": "Eins" })).unwrap();
    let mut ahead = document.clone();
    let next = edit(&mut ahead, &signer(ARNSBERG, 1), &json!({ "title": "Zwei" })).unwrap();
    (document, next)
}

/// Seals the honest change again with something altered.
fn altered(change: &SealedChange, key: &SigningKey, alter: impl FnOnce(&mut Seal)) -> SealedChange {
    let mut seal = change.seal.clone();
    alter(&mut seal);
    SealedChange { seal: seal.sign(key), operations: change.operations.clone() }
}

/// The actor that fits a seal under this key.
fn fit(seal: &mut Seal, key: &SigningKey) {
    let (epoch, boot) = (seal.epoch, seal.boot);
    seal.actor = ActorId::derive(&seal.federation, &seal.document, epoch, &public_key(key), &boot);
}

/// Every forgery with the code that it meets.
fn forgeries() -> Vec<(&'static str, SealedChange, Code)> {
    let (_, honest) = ground();
    let (own, olpe, thief) = (node_key(ARNSBERG), node_key(OLPE), key("thief"));
    let of = |alter: &dyn Fn(&mut Seal)| altered(&honest, &own, alter);
    let begin = |seal: &mut Seal| (seal.seq, seal.previous) = (1, SealHash::default());
    let mut untouched = honest.clone();
    untouched.seal.time = crdt::ids::UnixMillis(1);
    let mut flipped = honest.clone();
    flipped.seal.signature[40] ^= 1;
    vec![
        ("another level", of(&|seal| seal.feature_level = 2), Code::UnknownLevel),
        ("another algorithm", of(&|seal| seal.algorithm = 7), Code::UnknownLevel),
        ("another federation", of(&|seal| seal.federation = FederationId([1; 32])), Code::WrongFederation),
        ("another document", of(&|seal| seal.document = DocumentId([1; 32])), Code::WrongDocument),
        ("epoch 2", of(&|seal| seal.epoch = 2), Code::WrongEpoch),
        ("epoch 0", of(&|seal| seal.epoch = 0), Code::WrongEpoch),
        (
            "an unknown certificate",
            of(&|seal| seal.certificate = CertificateHash([1; 32])),
            Code::UnknownCertificate,
        ),
        (
            "another town's node, under its own certificate",
            altered(&honest, &olpe, |seal| {
                (seal.certificate, seal.boot) = (certificate_id(OLPE), BootNonce([4; 16]));
                fit(seal, &olpe);
                begin(seal);
            }),
            Code::WrongTown,
        ),
        ("another actor", of(&|seal| seal.actor = ActorId([1; 16])), Code::WrongActor),
        ("another run's actor", of(&|seal| seal.boot = BootNonce([9; 16])), Code::WrongActor),
        (
            "a key that no certificate names",
            altered(&honest, &thief, |seal| seal.pseudonym = crdt::ids::Pseudonym([0; 16])),
            Code::BadSignature,
        ),
        ("a field altered after signing", untouched, Code::BadSignature),
        ("a signature altered", flipped, Code::BadSignature),
        ("a number left out", of(&|seal| seal.seq = 3), Code::MissingDependency),
        ("a chain of nothing", of(&|seal| seal.previous = SealHash([1; 32])), Code::BrokenChain),
    ]
}

#[test]
fn i3_a_forged_seal_is_refused_with_its_code_on_every_node() {
    let (document, honest) = ground();
    for node in 0..5 {
        // Every town's node judges alike, before and after the honest change.
        let authority = certified_authority();
        for (name, forged, code) in forgeries() {
            let mut held = restored(&document);
            let rejection = admit(&authority, &mut held, forged.clone()).expect_err(name);
            assert_eq!(rejection.code, code, "{name} at node {node}: {rejection}");
            assert_eq!(held.changes(), document.changes(), "{name}");
            assert_eq!(
                admit(&authority, &mut held, honest.clone()),
                Ok(true),
                "{name}: the honest one still fits"
            );
            let after = admit(&authority, &mut held, forged).expect_err(name);
            let chain = [code, Code::Equivocation, Code::BrokenChain];
            assert!(chain.contains(&after.code), "{name}, afterwards: {after}");
            assert_eq!(held.changes().last(), Some(&honest), "{name}");
        }
    }
}

#[test]
fn i3_forgeries_change_nothing_in_any_order_of_delivery() {
    let (document, honest) = ground();
    let authority = certified_authority();
    let mut third = document.clone();
    assert_eq!(admit(&authority, &mut third, honest.clone()), Ok(true));
    let third = edit(&mut third, &signer(ARNSBERG, 2), &json!({ "title": "Drei" })).unwrap();
    for (name, forged, _) in forgeries() {
        let mut outcomes = std::collections::BTreeSet::new();
        for order in permutations(&[forged, honest.clone(), third.clone()]) {
            let mut held = restored(&document);
            // What waits for something else is tried again, as sync does.
            for change in order.iter().chain(&order) {
                let _ = admit(&authority, &mut held, change.clone());
            }
            outcomes.insert((held.document().heads(), held.holding().hash()));
            assert_eq!(held.changes().len(), document.changes().len() + 2, "{name}");
        }
        assert_eq!(outcomes.len(), 1, "{name}");
    }
}

#[test]
fn i3_a_replay_is_nothing_new_and_nothing_elsewhere() {
    let (document, honest) = ground();
    let authority = certified_authority();
    let mut held = document.clone();
    assert_eq!(admit(&authority, &mut held, honest.clone()), Ok(true));
    for change in held.changes().to_vec() {
        assert_eq!(admit(&authority, &mut held, change), Ok(false), "held already");
    }
    // Into another document of the town, and into the next epoch of this one.
    let other = Genesis { nonce: GenesisNonce([6; 16]), ..genesis(ARNSBERG) };
    let mut other = SealedDocument::begin(other, None);
    let code = |outcome: Result<bool, gate::Rejection>| outcome.unwrap_err().code;
    assert_eq!(code(admit(&authority, &mut other, document.changes()[0].clone())), Code::WrongDocument);
    let record = EpochRecord { first_change: Some(honest.seal.change), ..epoch_record(ARNSBERG) };
    let record = Signed::new(record, &node_key(ARNSBERG));
    let mut next = SealedDocument::begin(genesis(ARNSBERG), Some(record));
    assert_eq!(code(admit(&authority, &mut next, document.changes()[0].clone())), Code::WrongEpoch);
    // The old operations under a seal for the next epoch are not its first change.
    let grafted = seal(&next, &signer(ARNSBERG, 1), &operations(&document.changes()[0]));
    assert_eq!(code(admit(&authority, &mut next, grafted)), Code::BadStructure);
}

#[test]
fn i3_two_changes_under_one_number_are_evidence_on_every_node() {
    let (document, one) = ground();
    let authority = certified_authority();
    let mut ahead = document.clone();
    let other = edit(&mut ahead, &signer(ARNSBERG, 1), &json!({ "title": "Anders" })).unwrap();
    let after_other = edit(&mut ahead, &signer(ARNSBERG, 1), &json!({ "title": "Weiter" })).unwrap();
    for (first, second) in [(&one, &other), (&other, &one)] {
        let mut held = restored(&document);
        assert_eq!(admit(&authority, &mut held, first.clone()), Ok(true));
        let saved = held.document().save();
        let audience = Audience::Open.hash();
        let verified = gate::verify(&authority, held.genesis(), 1, &audience, second.clone()).unwrap();
        let admission = held.admit(vec![verified]);
        let (evidence, rejection) = admission.refused.unwrap();
        assert_eq!(rejection.code, Code::Equivocation);
        // Both seals are at hand, by one actor under one number, both signed.
        assert_eq!(&evidence, second);
        let kept = held.changes().last().unwrap();
        assert_eq!((kept.seal.actor, kept.seal.seq), (evidence.seal.actor, evidence.seal.seq));
        assert_ne!(kept.seal.hash(), evidence.seal.hash());
        assert_eq!(held.document().save(), saved);
    }
    // What follows the one change finds no ground at who holds the other.
    let mut held = restored(&document);
    assert_eq!(admit(&authority, &mut held, one), Ok(true));
    let rejection = admit(&authority, &mut held, after_other).unwrap_err();
    assert_eq!(rejection.code, Code::BrokenChain);
}

#[test]
fn i3_a_revoked_certificate_seals_nothing_more() {
    let (document, honest) = ground();
    let mut authority = certified_authority();
    assert_eq!(admit(&authority, &mut document.clone(), honest.clone()), Ok(true));
    let open = Audience::Open.hash();
    let cut_off =
        crdt::certificate::CutOff { audience: open, version: 9, manifest: crdt::ids::ManifestHash([1; 32]) };
    // With a cut-off as without: reachability cannot be asked of one change.
    for cut_offs in [vec![cut_off], vec![]] {
        authority.admit_revocation(signed_by(revocation(ARNSBERG, cut_offs), &[ARNSBERG])).unwrap();
        let mut held = restored(&document);
        let rejection = admit(&authority, &mut held, honest.clone()).unwrap_err();
        assert_eq!(rejection.code, Code::Revoked);
        assert_eq!(held.changes(), document.changes());
    }
}

#[test]
fn i3_a_seal_has_one_signature() {
    let (document, honest) = ground();
    let authority = certified_authority();
    // s + L satisfies the plain equation wherever s does.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut again = honest.clone();
    let mut carry = 0u16;
    for (byte, order) in again.seal.signature[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert_eq!(carry, 0);
    let code = |change| admit(&authority, &mut document.clone(), change).unwrap_err().code;
    assert_eq!(code(again), Code::BadSignature);
    for point in low_order_points() {
        let mut weak = honest.clone();
        weak.seal.signature[..32].copy_from_slice(&point.0);
        weak.seal.signature[32..].fill(0);
        assert_eq!(code(weak), Code::BadSignature);
    }
    assert_eq!(admit(&authority, &mut document.clone(), honest), Ok(true));
}

/// A town that certifies a key of low order would let everybody sign for it.
#[test]
fn i3_a_certified_key_of_low_order_seals_nothing() {
    let (document, honest) = ground();
    for point in low_order_points() {
        let (authority, certificate) = certified(point);
        let mut weak = honest.clone();
        weak.seal.certificate = certificate;
        weak.seal.boot = BootNonce([7; 16]);
        weak.seal.actor =
            ActorId::derive(&weak.seal.federation, &weak.seal.document, 1, &point, &weak.seal.boot);
        (weak.seal.seq, weak.seal.previous) = (1, SealHash::default());
        for r in low_order_points() {
            weak.seal.signature[..32].copy_from_slice(&r.0);
            weak.seal.signature[32..].fill(0);
            let rejection = admit(&authority, &mut document.clone(), weak.clone()).unwrap_err();
            let codes = [Code::BadSignature, Code::UnknownCertificate];
            assert!(codes.contains(&rejection.code), "{point} {r}: {rejection}");
        }
    }
}

fn certified(node_key: PublicKey) -> (Authority, CertificateHash) {
    let certificate = NodeCertificate { node_key, serial: 9, ..certificate(ARNSBERG) };
    let signed = signed_by(certificate, &[ARNSBERG]);
    let (id, mut authority) = (signed.id(), certified_authority());
    // Refusing such a certificate would do as well.
    let _ = authority.admit_certificate(signed);
    (authority, id)
}
