//! Test vectors of `docs/protocol.md` section 14: the bytes and hashes of every
//! signed structure, made from the seeds and values in `league`.
//!
//! A difference fails the test: other nodes would not understand these bytes.
//! When the protocol itself changes, write the files anew with
//! `HANSE_WRITE_VECTORS=1 cargo test -p crdt --test vectors` and say why.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod league;

use std::fmt::Write;

use crdt::{
    certificate::CutOff,
    charter::Charter,
    encoding::{self, FormatOne},
    epoch::Receipt,
    frontier::{Frontier, FrontierEntry},
    genesis::Genesis,
    ids::{ActorId, DocumentId, EpochHash, ManifestHash, SealHash, hex},
    inventory::{self, Holding, Inventory},
    manifest::{Cosignature, Manifest},
    proof::{Proof, Title},
    signed::{Record, Signed},
};
use league::*;

/// Compares with, or writes, `vectors/NAME.hex`: one line per value, each
/// `name: hexadecimal`.
#[expect(clippy::disallowed_methods, reason = "the vectors are files, and a variable asks to write them")]
fn check(name: &str, values: &[(&str, &[u8])]) {
    let path = format!("{}/tests/vectors/{name}.hex", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    for (label, bytes) in values {
        writeln!(text, "{label}: {}", hex(bytes)).unwrap();
    }
    if std::env::var_os("HANSE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, text, "vector {name} differs: see the top of vectors.rs");
}

/// Checks a record's vector and that it reads back as itself.
fn check_record<T: Record + PartialEq + std::fmt::Debug>(name: &str, signed: &Signed<T>) {
    let bytes = signed.to_bytes();
    assert_eq!(Signed::<T>::from_bytes(&bytes).as_ref(), Ok(signed));
    check(name, &[("hash", &signed.hash()), ("body", signed.body()), ("record", &bytes)]);
}

fn frontier() -> Frontier {
    let entry =
        |byte, seq| FrontierEntry { actor: ActorId([byte; 16]), seq, seal: SealHash([byte ^ 0xff; 32]) };
    Frontier::from_entries(vec![entry(1, 3), entry(2, 300)]).unwrap()
}

fn document(number: u32) -> DocumentId {
    DocumentId(encoding::hash("hanse test document", &[&number.to_be_bytes()]))
}

#[test]
fn genesis_vector() {
    let bytes = genesis(OLPE).to_bytes();
    assert_eq!(Genesis::from_bytes(&bytes), Ok(genesis(OLPE)));
    check("genesis", &[("document", &genesis(OLPE).document().0), ("genesis", &bytes)]);
}

#[test]
fn certificate_vector() {
    check_record("certificate", &signed_certificate(OLPE));
}

#[test]
fn revocation_vector() {
    let audience = crdt::audience::Audience::Open.hash();
    let cut_off = CutOff { audience, version: 1_795_312_800, manifest: ManifestHash([4; 32]) };
    check_record("revocation", &signed_by(revocation(OLPE, vec![cut_off]), &[OLPE]));
}

#[test]
fn charter_vectors() {
    check_record("charter-1", &founding());
    let next = Charter { name: "Datenbund".into(), ..successor(&founding(), 8) };
    check_record("charter-2", &signed_by(next, &[OLPE, SOEST, MENDEN]));
}

#[test]
fn audience_vector() {
    use crdt::audience::{Audience, Recipient};
    let named = Audience::Named(
        [Recipient::Member(town(SOEST)), Recipient::Partner(partner().id), Recipient::Member(town(OLPE))]
            .into(),
    );
    check(
        "audience",
        &[
            ("open", &encoding::to_cbor(&Audience::Open)),
            ("open hash", &Audience::Open.hash().0),
            ("named", &encoding::to_cbor(&named)),
            ("named hash", &named.hash().0),
        ],
    );
}

#[test]
fn epoch_vectors() {
    check_record("epoch-live", &Signed::new(epoch_record(OLPE), &node_key(OLPE)));
    check_record("epoch-erased", &Signed::new(withdrawal(OLPE), &node_key(OLPE)));
}

fn receipt() -> Signed<Receipt> {
    let receipt = Receipt {
        format: FormatOne,
        federation: federation(),
        document: genesis(OLPE).document(),
        epoch: 2,
        record: Signed::new(withdrawal(OLPE), &node_key(OLPE)).id(),
        witness: town(SOEST),
        certificate: certificate_id(SOEST),
        time: TIME,
    };
    Signed::new(receipt, &node_key(SOEST))
}

#[test]
fn receipt_vector() {
    check_record("receipt", &receipt());
}

fn signed_manifest() -> Signed<Manifest> {
    let cosigned = Signed::new(manifest(SOEST, 9), &node_key(SOEST));
    let cosignature: Cosignature = cosigned.cosignature();
    let manifest = Manifest { cosignatures: vec![cosignature], ..manifest(OLPE, TIME.seconds()) };
    Signed::new(manifest, &node_key(OLPE))
}

#[test]
fn manifest_vector() {
    check_record("manifest", &signed_manifest());
}

#[test]
fn frontier_vector() {
    let bytes = frontier().to_bytes();
    assert_eq!(Frontier::from_bytes(&bytes), Ok(frontier()));
    check("frontier", &[("hash", &frontier().hash()), ("frontier", &bytes)]);
}

#[test]
fn inventory_vector() {
    let mut inventory: Inventory =
        (0..600).map(|number| (document(number), Holding::live(1 + number % 3, frontier()))).collect();
    inventory.insert(document(600), Holding::erased(2, EpochHash([9; 32])));
    let bucket = document(600).0[0];
    let sub_bucket = usize::from(document(600).0[1] >> 4);
    let digest = inventory::digest(
        &[(town(OLPE), inventory.root()), (town(SOEST), Inventory::default().root())].into(),
    );
    check(
        "inventory",
        &[
            ("empty root", &Inventory::default().root()),
            ("sub-bucket of document 600", &inventory.sub_buckets(bucket)[sub_bucket]),
            ("bucket of document 600", &inventory.buckets()[usize::from(bucket)]),
            ("root", &inventory.root()),
            ("digest", &digest),
        ],
    );
}

#[test]
fn authority_vector() {
    check("authority", &[("five certificates", &certified_authority().hash())]);
}

#[test]
fn proof_vector() {
    let with_manifest = Proof {
        title: Title,
        format: FormatOne,
        charters: vec![founding()],
        certificates: vec![signed_certificate(OLPE)],
        revocations: vec![signed_by(revocation(OLPE, vec![]), &[OLPE])],
        genesis: genesis(OLPE),
        epochs: vec![Signed::new(epoch_record(OLPE), &node_key(OLPE))],
        changes: vec![vec![1, 2, 3].into()],
        manifest: Some(signed_manifest()),
    };
    let without = Proof { manifest: None, ..with_manifest.clone() };
    for proof in [&with_manifest, &without] {
        assert_eq!(Proof::from_bytes(&proof.to_bytes()).as_ref(), Ok(proof));
    }
    assert_eq!(without.to_bytes().last(), Some(&0xf6), "an absent manifest is null");
    let rebuilt = with_manifest.authority(&federation()).unwrap();
    assert!(rebuilt.is_revoked(&certificate_id(OLPE)));
    check("proof", &[("proof", &with_manifest.to_bytes())]);
}
