//! Epoch records, receipts, manifests and proofs that no entitled node signed.

use crdt::{
    audience::Audience,
    authority::Authority,
    certificate::CutOff,
    encoding::FormatOne,
    epoch::{EpochRecord, Receipt},
    genesis::{DocumentKind, Genesis},
    ids::{CertificateHash, DocumentId, FederationId, ManifestHash},
    manifest::{Manifest, ManifestAccepted, ManifestStore, next_version},
    proof::{Proof, ProofError, Title},
    signed::Signed,
};

use crate::league::*;

fn epoch_code(authority: &Authority, record: EpochRecord, signer: usize) -> Result<(), &'static str> {
    let signed = Signed::new(record, &node_key(signer));
    signed.verify(authority, &genesis(OLPE), |_| false).map_err(|rejection| rejection.code())
}

#[test]
fn i3_an_epoch_is_begun_by_the_owner_only() {
    let authority = certified_authority();
    let right = || epoch_record(OLPE);
    assert_eq!(epoch_code(&authority, right(), OLPE), Ok(()));
    assert_eq!(epoch_code(&authority, withdrawal(OLPE), OLPE), Ok(()));
    assert_eq!(epoch_code(&authority, right(), SOEST), Err("bad-signature"));
    let by_soest = EpochRecord { certificate: certificate_id(SOEST), ..right() };
    assert_eq!(epoch_code(&authority, by_soest, SOEST), Err("wrong-town"));
    let unknown = EpochRecord { certificate: CertificateHash([1; 32]), ..right() };
    assert_eq!(epoch_code(&authority, unknown, OLPE), Err("unknown-certificate"));
    let other = EpochRecord { document: DocumentId([1; 32]), ..right() };
    assert_eq!(epoch_code(&authority, other, OLPE), Err("wrong-document"));
    let elsewhere = EpochRecord { federation: FederationId([1; 32]), ..right() };
    assert_eq!(epoch_code(&authority, elsewhere, OLPE), Err("wrong-federation"));
    let mut twice = Signed::new(right(), &node_key(OLPE));
    twice.sign(&node_key(SOEST));
    let code = twice.verify(&authority, &genesis(OLPE), |_| true).unwrap_err().code();
    assert_eq!(code, "bad-signature", "a second signature would make two records of one");
}

#[test]
fn i3_any_member_begins_an_epoch_of_a_regional_list() {
    let authority = certified_authority();
    let list = Genesis { kind: DocumentKind::RegionalList, ..genesis(OLPE) };
    let record =
        EpochRecord { document: list.document(), certificate: certificate_id(SOEST), ..epoch_record(OLPE) };
    let signed = Signed::new(record, &node_key(SOEST));
    assert_eq!(signed.verify(&authority, &list, |_| false), Ok(()));
}

#[test]
fn i3_a_revoked_node_begins_no_epoch_unless_the_owner_vouched_for_it() {
    let open = Audience::Open.hash();
    let cut_off = CutOff { audience: open, version: 5, manifest: ManifestHash([5; 32]) };
    for (cut_offs, reachable, result) in [
        (vec![], true, Err("revoked")),
        (vec![cut_off], false, Err("revoked")),
        (vec![cut_off], true, Ok(())),
    ] {
        let mut authority = certified_authority();
        authority.admit_revocation(signed_by(revocation(OLPE, cut_offs), &[OLPE])).unwrap();
        let signed = Signed::new(epoch_record(OLPE), &node_key(OLPE));
        let asked = |asked: &CutOff| *asked == cut_off && reachable;
        assert_eq!(signed.verify(&authority, &genesis(OLPE), asked).map_err(|e| e.code()), result);
    }
}

fn receipt(record: &Signed<EpochRecord>) -> Receipt {
    Receipt {
        format: FormatOne,
        federation: federation(),
        document: record.value().document,
        epoch: record.value().epoch,
        record: record.id(),
        witness: town(SOEST),
        certificate: certificate_id(SOEST),
        time: TIME,
    }
}

#[test]
fn i5_a_receipt_is_the_witness_own_word_on_one_withdrawal() {
    let mut authority = certified_authority();
    let erased = Signed::new(withdrawal(OLPE), &node_key(OLPE));
    let live = Signed::new(epoch_record(OLPE), &node_key(OLPE));
    let code = |authority: &Authority, receipt: Receipt, signer, record: &Signed<EpochRecord>| {
        Signed::new(receipt, &node_key(signer))
            .verify(authority, record)
            .map_err(|rejection| rejection.code())
    };
    assert_eq!(code(&authority, receipt(&erased), SOEST, &erased), Ok(()));
    assert_eq!(code(&authority, receipt(&erased), OLPE, &erased), Err("bad-signature"));
    let for_menden = Receipt { witness: town(MENDEN), ..receipt(&erased) };
    assert_eq!(code(&authority, for_menden, SOEST, &erased), Err("wrong-town"));
    assert_eq!(code(&authority, receipt(&live), SOEST, &live), Err("wrong-epoch"));
    assert_eq!(code(&authority, receipt(&live), SOEST, &erased), Err("wrong-epoch"));
    authority.admit_revocation(signed_by(revocation(SOEST, vec![]), &[SOEST])).unwrap();
    assert_eq!(code(&authority, receipt(&erased), SOEST, &erased), Err("revoked"));
}

fn accept(
    store: &mut ManifestStore,
    authority: &Authority,
    manifest: Manifest,
) -> Result<ManifestAccepted, &'static str> {
    let signed = Signed::new(manifest, &node_key(OLPE));
    store.accept(signed, authority).map_err(|rejection| rejection.code())
}

#[test]
fn i3_a_manifest_is_signed_by_its_town_and_never_older() {
    let authority = certified_authority();
    let mut store = ManifestStore::default();
    assert_eq!(accept(&mut store, &authority, manifest(SOEST, 1)), Err("bad-signature"));
    let for_soest = Manifest { certificate: certificate_id(OLPE), ..manifest(SOEST, 1) };
    assert_eq!(accept(&mut store, &authority, for_soest), Err("wrong-town"));
    let elsewhere = Manifest { federation: FederationId([1; 32]), ..manifest(OLPE, 1) };
    assert_eq!(accept(&mut store, &authority, elsewhere), Err("wrong-federation"));
    assert_eq!(accept(&mut store, &authority, manifest(OLPE, 5)), Ok(ManifestAccepted::Newer));
    assert_eq!(accept(&mut store, &authority, manifest(OLPE, 5)), Ok(ManifestAccepted::Known));
    assert_eq!(accept(&mut store, &authority, manifest(OLPE, 4)), Err("rollback"));
    assert_eq!(accept(&mut store, &authority, manifest(OLPE, 9)), Ok(ManifestAccepted::Newer));
    assert_eq!(accept(&mut store, &authority, manifest(OLPE, 5)), Err("rollback"));
    let newest = store.newest(&town(OLPE), &Audience::Open.hash()).unwrap();
    assert_eq!(newest.value().version, 9);
    assert_eq!(store.split_views().count(), 0);
}

#[test]
fn i3_a_split_view_is_kept_as_evidence_and_decided_alike() {
    let authority = certified_authority();
    let one = manifest(OLPE, 5);
    let other = Manifest { documents: 99, ..one.clone() };
    let smaller = [&one, &other].map(|m| Signed::unsigned(m.clone()).id()).into_iter().min().unwrap();
    for (first, second) in [(&one, &other), (&other, &one)] {
        let mut store = ManifestStore::default();
        assert_eq!(accept(&mut store, &authority, first.clone()), Ok(ManifestAccepted::Newer));
        assert_eq!(accept(&mut store, &authority, second.clone()), Ok(ManifestAccepted::SplitView));
        assert_eq!(store.newest(&town(OLPE), &Audience::Open.hash()).unwrap().id(), smaller);
        assert_eq!(store.split_views().count(), 1);
        // Found as well after the town has gone on.
        assert_eq!(accept(&mut store, &authority, manifest(OLPE, 6)), Ok(ManifestAccepted::Newer));
        let third = Manifest { documents: 100, ..one.clone() };
        assert_eq!(accept(&mut store, &authority, third), Ok(ManifestAccepted::SplitView));
        assert_eq!(store.split_views().count(), 2);
        assert_eq!(store.newest(&town(OLPE), &Audience::Open.hash()).unwrap().value().version, 6);
    }
}

#[test]
fn i3_another_towns_cosignature_reveals_a_split_view() {
    let authority = certified_authority();
    let mut store = ManifestStore::default();
    accept(&mut store, &authority, manifest(OLPE, 5)).unwrap();
    let seen_by_soest = Signed::unsigned(Manifest { documents: 99, ..manifest(OLPE, 5) }).cosignature();
    let lying = Manifest { cosignatures: vec![seen_by_soest], ..manifest(SOEST, 7) };
    assert_eq!(store.contradictions(&lying).len(), 1);
    let agreeing =
        Manifest { cosignatures: store.cosignatures(&town(SOEST), &Audience::Open), ..manifest(SOEST, 7) };
    assert_eq!(agreeing.cosignatures.len(), 1);
    assert_eq!(store.contradictions(&agreeing), []);
}

#[test]
fn i2_an_open_manifest_names_no_manifest_of_another_audience() {
    let shared = Manifest { audience: Audience::of_members([town(SOEST)]), ..manifest(OLPE, 5) };
    let mut store = ManifestStore::default();
    accept(&mut store, &certified_authority(), shared.clone()).unwrap();
    assert_eq!(store.cosignatures(&town(SOEST), &Audience::Open), []);
    assert_eq!(store.cosignatures(&town(SOEST), &shared.audience).len(), 1);
    let cosignature = Signed::unsigned(shared).cosignature();
    let telling = Signed::unsigned(Manifest { cosignatures: vec![cosignature], ..manifest(SOEST, 7) });
    assert!(Signed::<Manifest>::from_bytes(&telling.to_bytes()).is_err());
}

#[test]
fn i3_a_revoked_nodes_manifests_end_at_the_cut_off() {
    let last = Signed::unsigned(manifest(OLPE, 5)).id();
    let cut_off = CutOff { audience: Audience::Open.hash(), version: 5, manifest: last };
    let mut authority = certified_authority();
    authority.admit_revocation(signed_by(revocation(OLPE, vec![cut_off]), &[OLPE])).unwrap();
    let mut store = ManifestStore::default();
    assert_eq!(accept(&mut store, &authority, manifest(OLPE, 4)), Ok(ManifestAccepted::Newer));
    assert_eq!(accept(&mut store, &authority, manifest(OLPE, 6)), Err("revoked"));
    let twin = Manifest { documents: 99, ..manifest(OLPE, 5) };
    assert_eq!(accept(&mut store, &authority, twin), Err("revoked"));
    assert_eq!(accept(&mut store, &authority, manifest(OLPE, 5)), Ok(ManifestAccepted::Newer));
}

#[test]
fn a_manifest_number_never_comes_back() {
    assert_eq!(next_version(None, TIME), TIME.seconds());
    assert_eq!(next_version(Some(TIME.seconds() + 50), TIME), TIME.seconds() + 51, "a clock set back");
    assert_eq!(next_version(None, crdt::ids::UnixMillis(-5)), 1);
}

#[test]
fn i3_a_proof_rests_on_the_federation_the_reader_knows() {
    let proof = Proof {
        title: Title,
        format: FormatOne,
        charters: vec![founding()],
        certificates: vec![signed_certificate(OLPE)],
        revocations: vec![],
        genesis: genesis(OLPE),
        epochs: vec![],
        changes: vec![],
        manifest: None,
    };
    let rebuilt = proof.authority(&federation()).unwrap();
    assert!(rebuilt.certificate(&certificate_id(OLPE)).is_some());
    assert!(matches!(proof.authority(&FederationId([1; 32])), Err(ProofError::Charter(_))));
    let forged = Proof { certificates: vec![signed_by(certificate(OLPE), &[SOEST])], ..proof.clone() };
    assert!(matches!(forged.authority(&federation()), Err(ProofError::Authority(_))));
    let without = Proof { charters: vec![], ..proof.clone() };
    assert!(matches!(without.authority(&federation()), Err(ProofError::NoCharter)));
    let bytes = proof.to_bytes();
    assert_eq!(Proof::from_bytes(&bytes).as_ref(), Ok(&proof));
    let eight_fields = [&[0x88], &bytes[1..bytes.len() - 1]].concat();
    assert!(Proof::from_bytes(&eight_fields).is_err(), "an absent manifest is written as null");
}
