//! Certificates and revocations that the town has not signed, transport keys
//! that nobody vouches for, and the order in which all of it arrives.

use crdt::{
    audience::Audience,
    authority::{Authority, Export, Standing},
    certificate::{CutOff, NodeCertificate, Revocation},
    charter::Charter,
    ids::{AudienceHash, FederationId, ManifestHash},
    signed::{Signed, public_key, verify},
};

use crate::{charters::low_order_points, league::*};

fn admit(authority: &Authority, signed: Signed<NodeCertificate>) -> Result<bool, &'static str> {
    authority.clone().admit_certificate(signed).map_err(|rejection| rejection.code())
}

#[test]
fn i3_a_certificate_counts_only_under_its_own_towns_keys() {
    let authority = authority();
    assert_eq!(admit(&authority, signed_certificate(OLPE)), Ok(true));
    assert_eq!(admit(&authority, signed_by(certificate(OLPE), &[SOEST])), Err("below-threshold"));
    assert_eq!(admit(&authority, signed_by(certificate(OLPE), &[0, 1, 3, 4])), Err("below-threshold"));
    let one_key = Signed::new(certificate(OLPE), &identity(OLPE, 1));
    assert_eq!(admit(&authority, one_key), Err("below-threshold"), "one of two keys");
    let self_made = Signed::new(certificate(OLPE), &node_key(OLPE));
    assert_eq!(admit(&authority, self_made), Err("below-threshold"));
}

#[test]
fn i3_a_certificate_of_another_federation_or_town_is_refused() {
    let elsewhere = NodeCertificate { federation: FederationId([1; 32]), ..certificate(OLPE) };
    assert_eq!(admit(&authority(), signed_by(elsewhere, &[OLPE])), Err("wrong-federation"));
    let stranger = NodeCertificate { town: "09999999".parse().unwrap(), ..certificate(OLPE) };
    assert_eq!(admit(&authority(), signed_by(stranger, &[OLPE])), Err("unknown-town"));
}

#[test]
fn i3_signatures_over_another_record_or_context_do_not_count() {
    // The signature of a revocation's bytes, moved under a certificate.
    let signed = signed_certificate(OLPE);
    let forged = NodeCertificate { node_key: public_key(&key("thief")), ..certificate(OLPE) };
    let moved = encode_signed(Signed::unsigned(forged).body(), &signatures(&signed));
    let moved = Signed::<NodeCertificate>::from_bytes(&moved).unwrap();
    assert_eq!(admit(&authority(), moved), Err("below-threshold"));

    let body = signed.body();
    let other_context = [1, 2].map(|number| {
        let key = identity(OLPE, number);
        (public_key(&key).0, crdt::signed::sign(&key, crdt::encoding::REVOCATION, body))
    });
    let mut other_context = other_context.to_vec();
    other_context.sort();
    let forged = Signed::<NodeCertificate>::from_bytes(&encode_signed(body, &other_context)).unwrap();
    assert_eq!(admit(&authority(), forged), Err("below-threshold"));
    let right = encode_signed(body, &signatures(&signed));
    assert_eq!(admit(&authority(), Signed::from_bytes(&right).unwrap()), Ok(true));
}

#[test]
fn i3_a_signature_has_one_form() {
    // s + L verifies where s does, unless the verifier asks for s < L.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let signed = signed_certificate(OLPE);
    let mut all = signatures(&signed);
    let mut carry = 0u16;
    for (byte, order) in all[0].1[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert_eq!(carry, 0);
    let forged = Signed::<NodeCertificate>::from_bytes(&encode_signed(signed.body(), &all)).unwrap();
    assert_eq!(admit(&authority(), forged), Err("below-threshold"));
}

#[test]
fn i3_a_key_of_low_order_signs_nothing() {
    // For such a key R = the key's multiple and s = 0 satisfies the plain
    // equation for some or all messages.
    let points = low_order_points();
    for key in &points {
        for r in &points {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&r.0);
            for message in 0..16u8 {
                assert!(!verify(key, crdt::encoding::SEAL, &[message], &signature), "{key} {r} {message}");
            }
        }
    }
    // Control: the identity point does satisfy the plain equation.
    let weak = ed25519_dalek::VerifyingKey::from_bytes(&points[0].0).unwrap();
    let mut bytes = [0; 64];
    bytes[0] = 1;
    let signature = ed25519_dalek::Signature::from_bytes(&bytes);
    assert!(ed25519_dalek::Verifier::verify(&weak, b"anything", &signature).is_ok());
}

fn cut_off(audience: AudienceHash, version: u64, byte: u8) -> CutOff {
    CutOff { audience, version, manifest: ManifestHash([byte; 32]) }
}

#[test]
fn i3_a_town_revokes_its_own_certificates_only() {
    let open = Audience::Open.hash();
    let mut authority = certified_authority();
    let forged = signed_by(revocation(OLPE, vec![]), &[SOEST, MENDEN, ARNSBERG, BAD_BERLEBURG]);
    let code = authority.admit_revocation(forged).unwrap_err().code();
    assert_eq!(code, "below-threshold");
    // Well signed by Soest, but naming Olpe's certificate.
    let foreign = Revocation { certificate: certificate_id(OLPE), ..revocation(SOEST, vec![]) };
    assert_eq!(authority.admit_revocation(signed_by(foreign, &[SOEST])), Ok(true));
    assert!(!authority.is_revoked(&certificate_id(OLPE)));
    assert_eq!(authority.standing(&certificate_id(OLPE), &open), Standing::Unrevoked);
    assert_eq!(authority.admit_revocation(signed_by(revocation(OLPE, vec![]), &[OLPE])), Ok(true));
    assert_eq!(authority.standing(&certificate_id(OLPE), &open), Standing::Void);
}

#[test]
fn i3_the_strictest_revocation_counts_in_any_order() {
    let (open, other) = (Audience::Open.hash(), AudienceHash([0; 32]));
    let mut both = vec![cut_off(open, 7, 1), cut_off(other, 3, 1)];
    both.sort();
    let revocations = [vec![cut_off(open, 9, 2)], vec![cut_off(open, 7, 2)], both]
        .map(|list| signed_by(revocation(OLPE, list), &[OLPE]));
    let mut hashes = std::collections::BTreeSet::new();
    for order in permutations(&revocations) {
        // The certificate may come last: nothing counts before it is cut off.
        let mut authority = authority();
        for revocation in order {
            assert_eq!(authority.admit_revocation(revocation.clone()), Ok(true));
            assert_eq!(authority.admit_revocation(revocation), Ok(false));
        }
        assert_eq!(authority.admit_certificate(signed_certificate(OLPE)), Ok(true));
        let standing = |audience| authority.standing(&certificate_id(OLPE), audience);
        assert_eq!(
            standing(&open),
            Standing::CutOff(cut_off(open, 7, 1)),
            "older manifest, then smaller hash"
        );
        assert_eq!(standing(&other), Standing::Void, "two revocations leave the audience out");
        hashes.insert(authority.hash());
    }
    assert_eq!(hashes.len(), 1);
}

#[test]
fn i3_all_orders_of_delivery_give_one_authority() {
    let second = signed_by(successor(&founding(), 1), &[ARNSBERG, MENDEN, OLPE]);
    let sibling = signed_by(successor(&founding(), 2), &[MENDEN, BAD_BERLEBURG, SOEST]);
    let of_charter =
        |charter: &Signed<Charter>| Export { charters: vec![charter.clone()], ..Export::default() };
    let of_node = |index| Export { certificates: vec![signed_certificate(index)], ..Export::default() };
    let revoked = signed_by(revocation(OLPE, vec![]), &[OLPE]);
    let parts = [
        of_charter(&second),
        of_charter(&sibling),
        of_node(OLPE),
        of_node(SOEST),
        Export { revocations: vec![revoked], ..Export::default() },
    ];
    let mut hashes = std::collections::BTreeSet::new();
    for order in permutations(&parts) {
        let mut authority = authority();
        for part in order {
            let merged = authority.merge(part);
            assert!(merged.changed() && merged.rejected.is_empty() && merged.rejected_charters.is_empty());
        }
        assert!(!authority.clone().merge(authority.export()).changed());
        let mut restored = crate::league::authority();
        restored.merge(authority.export());
        assert_eq!(restored.hash(), authority.hash());
        assert_eq!(restored.transport_keys(), authority.transport_keys());
        hashes.insert((authority.hash(), authority.charter().nonce));
    }
    assert_eq!(hashes.len(), 1);
}

#[test]
fn i3_new_identity_keys_end_what_the_old_ones_signed() {
    let mut authority = certified_authority();
    let mut renewed = successor(&founding(), 1);
    renewed.members[OLPE].identity_keys = vec![public_key(&key("olpe new"))];
    renewed.members[OLPE].required = 1;
    let mut renewed = signed_by(renewed, &[ARNSBERG, MENDEN, OLPE]);
    renewed.sign(&key("olpe new"));
    authority.accept_charter(renewed).unwrap();
    assert!(authority.certificate(&certificate_id(OLPE)).is_none());
    assert!(authority.certificate(&certificate_id(SOEST)).is_some());
    // A node that never held the old signatures has the same authority.
    let mut fresh = crate::league::authority();
    fresh.merge(Export { charters: authority.export().charters, ..Export::default() });
    for index in [ARNSBERG, MENDEN, BAD_BERLEBURG, SOEST] {
        fresh.admit_certificate(signed_certificate(index)).unwrap();
    }
    assert_eq!(fresh.hash(), authority.hash());
    assert_eq!(admit(&fresh, signed_certificate(OLPE)), Err("below-threshold"));
    // The town signs the same certificate again: what it sealed stays verifiable.
    let again = Signed::new(certificate(OLPE), &key("olpe new"));
    for node in [&mut authority, &mut fresh] {
        assert_eq!(node.admit_certificate(again.clone()), Ok(true));
        assert!(node.certificate(&certificate_id(OLPE)).is_some());
    }
    assert_eq!(fresh.hash(), authority.hash());
}

#[test]
fn i3_a_former_member_is_verified_but_not_let_in() {
    let mut authority = certified_authority();
    let transport = public_key(&transport_key(SOEST));
    assert_eq!(authority.town_of_transport_key(&transport), Some(town(SOEST)));
    let mut without = successor(&founding(), 1);
    without.members.truncate(4);
    authority.accept_charter(signed_by(without, &[ARNSBERG, MENDEN, OLPE, BAD_BERLEBURG])).unwrap();
    assert!(!authority.is_member(&town(SOEST)));
    assert!(authority.certificate(&certificate_id(SOEST)).is_some());
    assert_eq!(authority.town_of_transport_key(&transport), None);
    assert!(!authority.transport_keys().contains_key(&town(SOEST)));
}

#[test]
fn i3_only_vouched_transport_keys_connect() {
    let mut authority = authority();
    let second_node = NodeCertificate {
        serial: 2,
        transport_key: public_key(&key("olpe second transport")),
        ..certificate(OLPE)
    };
    let (in_charter, in_certificate) = (public_key(&transport_key(OLPE)), second_node.transport_key);
    assert_eq!(authority.town_of_transport_key(&in_charter), Some(town(OLPE)));
    assert_eq!(authority.town_of_transport_key(&in_certificate), None);
    let second_node = signed_by(second_node, &[OLPE]);
    authority.admit_certificate(second_node.clone()).unwrap();
    authority.admit_certificate(signed_certificate(OLPE)).unwrap();
    assert_eq!(authority.town_of_transport_key(&in_certificate), Some(town(OLPE)));
    assert_eq!(authority.town_of_transport_key(&public_key(&key("stranger"))), None);
    let keys = &authority.transport_keys()[&town(OLPE)];
    assert!(keys.contains(&(in_charter, vec![address(OLPE)])));
    assert!(keys.contains(&(in_certificate, vec![])));

    // A revoked node stays out, though the charter still names its address.
    authority.admit_revocation(signed_by(revocation(OLPE, vec![]), &[OLPE])).unwrap();
    assert_eq!(authority.town_of_transport_key(&in_charter), None);
    assert_eq!(authority.town_of_transport_key(&in_certificate), Some(town(OLPE)));
    // Another town cannot take over a peer id that the charter names.
    let theft = NodeCertificate { transport_key: public_key(&transport_key(SOEST)), ..certificate(MENDEN) };
    authority.admit_certificate(signed_by(theft, &[MENDEN])).unwrap();
    assert_eq!(authority.town_of_transport_key(&public_key(&transport_key(SOEST))), Some(town(SOEST)));
}

#[test]
fn i6_a_carrier_cannot_make_a_record_grow() {
    let mut padded = signed_certificate(OLPE);
    for number in 0..100 {
        padded.sign(&key(&format!("stranger {number}")));
    }
    let mut authority = authority();
    assert_eq!(authority.admit_certificate(padded), Ok(true));
    let held = authority.certificate(&certificate_id(OLPE)).unwrap();
    assert_eq!(held.to_bytes(), signed_certificate(OLPE).to_bytes());
}

fn signatures<T: crdt::signed::Record>(signed: &Signed<T>) -> Vec<([u8; 32], [u8; 64])> {
    signed.signatures().iter().map(|signature| (signature.signer.0, signature.bytes)).collect()
}

/// A signed record of any body with any signatures.
pub(crate) fn encode_signed(body: &[u8], signatures: &[([u8; 32], [u8; 64])]) -> Vec<u8> {
    let mut encoder = minicbor::Encoder::new(Vec::new());
    encoder.array(2).unwrap().bytes(body).unwrap().array(signatures.len() as u64).unwrap();
    for (signer, bytes) in signatures {
        encoder.array(2).unwrap().bytes(signer).unwrap().bytes(bytes).unwrap();
    }
    encoder.into_writer()
}
