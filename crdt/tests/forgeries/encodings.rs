//! Bytes that mean the right thing in a form that is not canonical, rightly
//! signed: if one node took them and another did not, the two would differ.

use crdt::{
    certificate::{NodeCertificate, Revocation},
    charter::Charter,
    encoding::DecodeError,
    epoch::EpochRecord,
    manifest::Manifest,
    signed::{Record, Signed, public_key},
};
use ed25519_dalek::SigningKey;

use crate::{league::*, nodes::encode_signed};

/// Every other form of an array's bytes that a lenient reader would take.
fn other_forms(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (head, rest) = bytes.split_first().unwrap();
    assert_eq!(head >> 5, 4, "a record is an array");
    let count = head & 0x1f;
    assert!(count < 23);
    let join = |parts: &[&[u8]]| parts.concat();
    let mut forms = vec![
        ("longer array head", join(&[&[0x98, count], rest])),
        ("much longer array head", join(&[&[0x9b, 0, 0, 0, 0, 0, 0, 0, count], rest])),
        ("indefinite array", join(&[&[0x9f], rest, &[0xff]])),
        ("trailing byte", join(&[bytes, &[0]])),
        ("trailing record", join(&[bytes, bytes])),
        ("leading tag", join(&[&[0xc1], bytes])),
        ("one field more", join(&[&[0x80 | (count + 1)], rest, &[0xf6]])),
        ("map", join(&[&[0xa0 | count], rest])),
        ("cut short", bytes[..bytes.len() - 1].to_vec()),
        ("empty", vec![]),
    ];
    if let Some((1, after)) = rest.split_first() {
        forms.push(("longer integer", join(&[&[*head, 0x18, 0x01], after])));
        forms.push(("much longer integer", join(&[&[*head, 0x1a, 0, 0, 0, 1], after])));
        forms.push(("float", join(&[&[*head, 0xf9, 0x3c, 0x00], after])));
        forms.push(("later format", join(&[&[*head, 0x02], after])));
        forms.push(("text for number", join(&[&[*head, 0x61, 0x31], after])));
    }
    forms
}

/// Finds the first byte string of 32 bytes and writes it in longer forms.
fn other_strings(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let at = bytes.windows(2).position(|pair| pair == [0x58, 0x20]).unwrap();
    let (before, after) = (&bytes[..at], &bytes[at + 2..]);
    let (content, rest) = after.split_at(32);
    vec![
        ("longer string head", [before, &[0x59, 0, 32], after].concat()),
        ("indefinite string", [before, &[0x5f, 0x58, 32], content, &[0xff], rest].concat()),
        ("text for bytes", [before, &[0x78, 32], after].concat()),
        ("shorter string", [before, &[0x58, 31], &content[..31], rest].concat()),
    ]
}

fn sign_bytes<T: Record>(body: &[u8], keys: &[SigningKey]) -> Vec<u8> {
    let sign = |key: &SigningKey| (public_key(key).0, crdt::signed::sign(key, T::SIGNATURE_CONTEXT, body));
    let mut signatures: Vec<_> = keys.iter().map(sign).collect();
    signatures.sort();
    encode_signed(body, &signatures)
}

fn check<T: Record + PartialEq + std::fmt::Debug>(value: T, keys: &[SigningKey]) {
    let mut signed = Signed::unsigned(value);
    keys.iter().for_each(|key| signed.sign(key));
    let bytes = signed.to_bytes();
    assert_eq!(sign_bytes::<T>(signed.body(), keys), bytes);
    assert_eq!(Signed::<T>::from_bytes(&bytes).as_ref(), Ok(&signed));

    let bodies = other_forms(signed.body()).into_iter().chain(other_strings(signed.body()));
    for (what, body) in bodies {
        let forged = sign_bytes::<T>(&body, keys);
        assert!(Signed::<T>::from_bytes(&forged).is_err(), "{}: body with {what}", T::NAME);
    }
    for (what, forged) in other_forms(&bytes) {
        assert!(Signed::<T>::from_bytes(&forged).is_err(), "{}: record with {what}", T::NAME);
    }
}

fn identities(index: usize) -> [SigningKey; 2] {
    [identity(index, 1), identity(index, 2)]
}

#[test]
fn i3_every_record_has_one_form() {
    check::<NodeCertificate>(certificate(OLPE), &identities(OLPE));
    check::<Revocation>(revocation(OLPE, vec![]), &identities(OLPE));
    check::<Charter>(successor(&founding(), 1), &identities(OLPE));
    check::<EpochRecord>(epoch_record(OLPE), &[node_key(OLPE)]);
    check::<Manifest>(manifest(OLPE, 1), &[node_key(OLPE)]);
}

#[test]
fn i3_a_longer_integer_is_named_as_not_canonical() {
    let signed = signed_certificate(OLPE);
    let body = [&[0x86, 0x18, 0x01], &signed.body()[2..]].concat();
    let forged = sign_bytes::<NodeCertificate>(&body, &identities(OLPE));
    assert_eq!(
        crdt::encoding::from_cbor::<NodeCertificate>(&body, "node certificate"),
        Err(DecodeError::NotCanonical("node certificate"))
    );
    assert!(Signed::<NodeCertificate>::from_bytes(&forged).is_err());
}

#[test]
fn i3_signers_ascend_and_sign_once() {
    let signed = signed_certificate(OLPE);
    let all: Vec<_> = signed.signatures().iter().map(|s| (s.signer.0, s.bytes)).collect();
    let read = |list: &[_]| Signed::<NodeCertificate>::from_bytes(&encode_signed(signed.body(), list));
    assert!(read(&all).is_ok());
    assert!(read(&[all[1], all[0]]).is_err());
    assert!(read(&[all[0], all[0], all[1]]).is_err());
}

#[test]
fn i3_any_changed_byte_ends_a_certificate() {
    let bytes = signed_certificate(OLPE).to_bytes();
    let admitted = |bytes: &[u8]| {
        let Ok(signed) = Signed::from_bytes(bytes) else { return false };
        authority().admit_certificate(signed).is_ok()
    };
    assert!(admitted(&bytes));
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            assert!(!admitted(&changed), "byte {at} ^ {flip:#x}");
        }
    }
}

#[test]
fn i6_claimed_lengths_take_no_memory() {
    // An array of 2^60 fields, a string of 2^60 bytes, and 2^60 signatures.
    let claims = [
        vec![0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0],
        vec![0x82, 0x5b, 0x10, 0, 0, 0, 0, 0, 0, 0, 1],
        [
            encode_signed(signed_certificate(OLPE).body(), &[]).split_last().unwrap().1,
            &[0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat(),
        [0x81u8].repeat(100_000),
        [0x9fu8].repeat(100_000),
    ];
    for claim in claims {
        assert!(Signed::<NodeCertificate>::from_bytes(&claim).is_err());
        assert!(Signed::<Charter>::from_bytes(&claim).is_err());
        assert!(crdt::proof::Proof::from_bytes(&claim).is_err());
    }
}
