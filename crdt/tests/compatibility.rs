//! I8, old and new: what an earlier release of this protocol level wrote still
//! loads, still verifies and still says the same.
//!
//! `fixtures/level-1/` is never written anew to make a test pass: that would be
//! the very fault that this test is to find. Only when the protocol adds
//! something to level 1 may a *new* file be made, by running
//! `HANSE_WRITE_FIXTURES=1 cargo test -p crdt --test compatibility` once;
//! existing files are left alone then.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod league;
mod sealing;

use std::{collections::BTreeMap, fmt::Write};

use crdt::{
    audience::Audience,
    authority::Authority,
    certificate::NodeCertificate,
    charter::{Charter, CharterChain},
    encoding::FormatOne,
    epoch::EpochRecord,
    genesis::Genesis,
    ids::{EpochHash, from_hex, hex},
    inventory::Inventory,
    manifest::Manifest,
    operations::{Action, Key, OpId, Operation, Operations, Scalar},
    proof::{Proof, Title, check},
    seal::SealedChange,
    sealed_document::SealedDocument,
    signed::Signed,
    sync::Message,
};
use league::*;
use sealing::*;
use serde_json::json;

type Lines = Vec<(String, Vec<u8>)>;

fn path(name: &str) -> String {
    format!("{}/tests/fixtures/level-1/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Reads a file of lines `name: hexadecimal`.
#[expect(clippy::disallowed_methods, reason = "the fixtures are files")]
fn fixture(name: &str) -> BTreeMap<String, Vec<u8>> {
    let text = std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("fixture {name}: {error}"));
    let line = |line: &str| {
        let (label, bytes) = line.split_once(": ").unwrap();
        (label.to_owned(), from_hex(bytes).unwrap())
    };
    text.lines().map(line).collect()
}

#[expect(clippy::disallowed_methods, reason = "the view is a file")]
fn view() -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path("view.json")).unwrap()).unwrap()
}

/// The authority as the files tell it.
fn authority() -> Authority {
    let lines = fixture("authority.hex");
    let charter = Signed::<Charter>::from_bytes(&lines["charter"]).unwrap();
    let federation = charter.founds().unwrap();
    let mut authority = Authority::new(CharterChain::found(charter, &federation).unwrap());
    let certificate = Signed::<NodeCertificate>::from_bytes(&lines["certificate"]).unwrap();
    assert_eq!(authority.admit_certificate(certificate), Ok(true));
    assert_eq!(hex(&authority.hash()), hex(&lines["authority hash"]));
    authority
}

/// Loads one epoch from a file, through the whole gate.
fn load(name: &str) -> SealedDocument {
    let lines = fixture(name);
    let genesis = Genesis::from_bytes(&lines["genesis"]).unwrap();
    let record = lines.get("record").map(|bytes| Signed::<EpochRecord>::from_bytes(bytes).unwrap());
    let authority = authority();
    if let Some(record) = &record {
        record.verify(&authority, &genesis, |_| false).unwrap();
    }
    let mut document = SealedDocument::begin(genesis, record);
    for (label, bytes) in &lines {
        if label.starts_with("change") {
            let change = SealedChange::from_bytes(bytes).unwrap();
            assert_eq!(&change.to_bytes(), bytes);
            assert_eq!(admit(&authority, &mut document, change), Ok(true), "{name} {label}");
        }
    }
    assert_eq!(hex(&document.holding().hash()), hex(&lines["frontier hash"]), "{name}");
    let heads: Vec<u8> = document.document().heads().iter().flat_map(|head| head.0).collect();
    assert_eq!(hex(&heads), hex(&lines["heads"]), "{name}");
    document
}

fn shown(document: &SealedDocument) -> serde_json::Value {
    let content = document.document().read_dataset();
    let paths =
        |paths: &[crdt::catalog::FieldPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "dataset": content.dataset,
        "extra": content.extra,
        "conflicts": paths(&content.conflicts),
        "unreadable": paths(&content.unreadable),
    })
}

#[test]
fn i8_sealed_changes_of_level_1_load_and_show_what_they_showed() {
    let mut document = load("document.hex");
    assert_eq!(shown(&document), view()["epoch 1"]);
    assert_eq!(shown(&restored(&document)), view()["epoch 1"]);
    assert_eq!(serde_json::to_value(document.document().history()).unwrap(), view()["history"]);
    let edit = edit(&mut document, &signer(OLPE, 77), &json!({ "title": "Danach" }));
    assert!(edit.is_some(), "and it goes on");
}

#[test]
fn i8_an_epoch_of_level_1_loads_and_shows_what_it_showed() {
    let document = load("epoch.hex");
    assert_eq!(document.epoch(), 2);
    assert_eq!(shown(&document), view()["epoch 2"]);
}

#[test]
fn i8_a_manifest_of_level_1_verifies_and_matches_its_inventory() {
    let lines = fixture("manifest.hex");
    let manifest = Signed::<Manifest>::from_bytes(&lines["manifest"]).unwrap();
    assert_eq!(manifest.verify(&authority()), Ok(()));
    assert_eq!(hex(&manifest.id().0), hex(&lines["manifest hash"]));
    let document = load("document.hex");
    let mut inventory: Inventory = [(document.id(), document.holding())].into_iter().collect();
    assert_eq!(inventory.root(), manifest.value().root());
    assert_eq!(manifest.to_bytes(), lines["manifest"]);
}

#[test]
fn i8_a_proof_of_level_1_is_checked_offline() {
    let proof = &fixture("proof.hex")["proof"];
    let federation = authority().federation();
    let proven = check(proof, &federation).unwrap();
    assert_eq!((proven.epoch, proven.owner), (1, town(OLPE)));
    let content = proven.content.unwrap();
    assert_eq!(serde_json::to_value(content.dataset).unwrap(), view()["epoch 1"]["dataset"]);
    assert_eq!(Proof::from_bytes(proof).unwrap().to_bytes(), *proof);
}

#[test]
fn i8_messages_of_level_1_are_understood() {
    let lines = fixture("messages.hex");
    assert_eq!(lines.len(), 14);
    for (label, bytes) in lines {
        let kind: u8 = label.parse().unwrap();
        let message = Message::decode(kind, &bytes).unwrap();
        assert_eq!(message.encode(), (kind, bytes), "type {kind}");
    }
}

/// Makes what is missing, as a node of this build would write it.
#[test]
#[expect(clippy::disallowed_methods, reason = "a variable asks to write files that are missing")]
fn fixtures_are_complete() {
    let write = std::env::var_os("HANSE_WRITE_FIXTURES").is_some();
    if write {
        std::fs::create_dir_all(path("")).unwrap();
        let (files, view) = made();
        for (name, lines) in files {
            let mut text = String::new();
            for (label, bytes) in lines {
                writeln!(text, "{label}: {}", hex(&bytes)).unwrap();
            }
            if std::fs::read(path(name)).is_err() {
                std::fs::write(path(name), text).unwrap();
            }
        }
        if std::fs::read(path("view.json")).is_err() {
            std::fs::write(path("view.json"), format!("{view:#}\n")).unwrap();
        }
    }
    for name in ["authority.hex", "document.hex", "epoch.hex", "manifest.hex", "messages.hex", "proof.hex"] {
        assert!(!fixture(name).is_empty(), "{name}");
    }
}

fn lines_of(document: &SealedDocument) -> Lines {
    let mut lines = vec![("genesis".to_owned(), document.genesis().to_bytes().to_vec())];
    lines.extend(document.record().map(|record| ("record".to_owned(), record.to_bytes())));
    let changes = document.changes().iter().enumerate();
    lines.extend(changes.map(|(number, change)| (format!("change {:02}", number + 1), change.to_bytes())));
    lines.push(("frontier hash".into(), document.holding().hash().to_vec()));
    lines.push(("heads".into(), document.document().heads().iter().flat_map(|head| head.0).collect()));
    lines
}

/// A document with two authors, a conflict, unknown fields and all values.
fn first_epoch() -> SealedDocument {
    let (one, two) = (signer(OLPE, 1), signer(OLPE, 2));
    let mut document = SealedDocument::begin(genesis(OLPE), None);
    let body = json!({
        "title": { "de": "Straßenbäume", "en": "Street trees" },
        "description": "Bäume an Straßen — mit Höhe in Metern",
        "keywords": { "de": ["Baum", "Grünfläche"] },
        "themes": ["ENVI"],
        "licence": "http://dcat-ap.de/def/licenses/cc-zero",
        "distributions": { "csv": { "title": "CSV", "access_url": "https://daten.olpe.example/baeume" } },
    });
    edit(&mut document, &one, &body).unwrap();
    let mut beside = document.clone();
    edit(&mut document, &one, &json!({ "title": "Bäume" })).unwrap();
    let change = edit(&mut beside, &two, &json!({ "title": "Gehölze", "licence": null })).unwrap();
    let authority = certified_authority();
    assert_eq!(admit(&authority, &mut document, change), Ok(true));
    let (dependencies, start_op) = ground(&document);
    let id = |index| OpId { counter: start_op + index, actor: two.actor(&document.id(), 1) };
    let value = Action::Put;
    let list = vec![
        put(None, "kuenftig", Action::MakeMap),
        put(Some(id(0)), "liste", Action::MakeList),
        insert(id(1), Key::Head, value(Scalar::Integer(i64::MIN))),
        insert(id(1), Key::Element(id(2)), value(Scalar::Bytes(vec![0, 255]))),
        insert(id(1), Key::Element(id(3)), value(Scalar::Null)),
        put(Some(id(0)), "ja", value(Scalar::Boolean(true))),
    ];
    let unknown = seal(&document, &two, &Operations { dependencies, start_op, list });
    assert_eq!(admit(&authority, &mut document, unknown), Ok(true));
    let (dependencies, start_op) = ground(&document);
    let gone = OpId { counter: start_op - 3, actor: two.actor(&document.id(), 1) };
    let delete = Operation {
        insert: false,
        predecessors: vec![gone],
        ..insert(OpId { counter: start_op - 5, ..gone }, Key::Element(gone), Action::Delete)
    };
    let delete = seal(&document, &one, &Operations { dependencies, start_op, list: vec![delete] });
    assert_eq!(admit(&authority, &mut document, delete), Ok(true));
    document
}

/// The same document squashed.
fn second_epoch() -> SealedDocument {
    let signer = signer(OLPE, 1);
    let list = vec![put(None, "title", Action::MakeMap)];
    let actor = signer.actor(&genesis(OLPE).document(), 2);
    let mut list = list;
    list.push(put(Some(OpId { counter: 1, actor }), "de", text("Bäume")));
    let squashed = Operations { dependencies: vec![], start_op: 1, list };
    let first_change = Some(hash_of(&squashed, &actor, 1));
    let record = EpochRecord { first_change, previous: EpochHash::default(), ..epoch_record(OLPE) };
    let mut document = SealedDocument::begin(genesis(OLPE), Some(Signed::new(record, &node_key(OLPE))));
    let change = seal(&document, &signer, &squashed);
    assert_eq!(admit(&certified_authority(), &mut document, change), Ok(true));
    edit(&mut document, &signer, &json!({ "title": { "en": "Trees" } })).unwrap();
    document
}

fn made() -> (Vec<(&'static str, Lines)>, serde_json::Value) {
    let (first, second) = (first_epoch(), second_epoch());
    let mut authority = league::authority();
    authority.admit_certificate(signed_certificate(OLPE)).unwrap();
    let mut inventory: Inventory = [(first.id(), first.holding())].into_iter().collect();
    let manifest =
        Manifest::sign_next(&signer(OLPE, 1), town(OLPE), Audience::Open, None, &mut inventory, vec![], TIME);
    let proof = Proof {
        title: Title,
        format: FormatOne,
        charters: vec![founding()],
        certificates: vec![signed_certificate(OLPE)],
        revocations: vec![],
        genesis: *first.genesis(),
        epochs: vec![],
        changes: first.changes().iter().map(|change| change.to_bytes().into()).collect(),
        manifest: Some(manifest.clone()),
    };
    let line = |label: &str, bytes: Vec<u8>| (label.to_owned(), bytes);
    let messages = messages(&first, &manifest).into_iter().map(|message| {
        let (kind, payload) = message.encode();
        line(&format!("{kind:02}"), payload)
    });
    let files = vec![
        (
            "authority.hex",
            vec![
                line("charter", founding().to_bytes()),
                line("certificate", signed_certificate(OLPE).to_bytes()),
                line("authority hash", authority.hash().to_vec()),
            ],
        ),
        ("document.hex", lines_of(&first)),
        ("epoch.hex", lines_of(&second)),
        (
            "manifest.hex",
            vec![line("manifest", manifest.to_bytes()), line("manifest hash", manifest.id().0.to_vec())],
        ),
        ("messages.hex", messages.collect()),
        ("proof.hex", vec![line("proof", proof.to_bytes())]),
    ];
    let history = serde_json::to_value(first.document().history()).unwrap();
    (files, json!({ "epoch 1": shown(&first), "epoch 2": shown(&second), "history": history }))
}

/// One message of each type.
fn messages(document: &SealedDocument, manifest: &Signed<Manifest>) -> Vec<Message> {
    use crdt::{
        authority::Export,
        epoch::Receipt,
        ids::BootNonce,
        inventory::{Leaf, Prefix},
        sync::{DocumentChanges, Entries, HaveSet, Hello, SetKey, Want},
    };
    let set = SetKey { town: town(OLPE), audience: Audience::Open.hash() };
    let leaf = Leaf::new(document.id(), document.holding());
    let receipt = Receipt {
        format: FormatOne,
        federation: federation(),
        document: document.id(),
        epoch: 2,
        record: Signed::new(withdrawal(OLPE), &node_key(OLPE)).id(),
        witness: town(SOEST),
        certificate: certificate_id(SOEST),
        time: TIME,
    };
    let hello = Hello {
        level: 1,
        federation: federation(),
        charter_version: 1,
        charter: founding().id(),
        authority: [3; 32],
        boot: BootNonce([2; 16]),
    };
    let have = HaveSet {
        set,
        manifest: Some(manifest.clone()),
        root: manifest.value().root(),
        documents: 1,
        changes: 5,
        leaves: vec![leaf.clone()],
    };
    let changes = DocumentChanges {
        genesis: *document.genesis(),
        record: Some(Signed::new(withdrawal(OLPE), &node_key(OLPE))),
        changes: document.changes().to_vec(),
        more: true,
    };
    vec![
        Message::Hello(hello),
        Message::Authority(Export {
            charters: vec![founding()],
            certificates: vec![signed_certificate(OLPE)],
            revocations: vec![signed_by(revocation(OLPE, vec![]), &[OLPE])],
        }),
        Message::Have(vec![have]),
        Message::AskBuckets(set),
        Message::Buckets(set, vec![4; 8_192]),
        Message::AskEntries(set, vec![Prefix::Bucket(1), Prefix::SubBucket(0xfff)]),
        Message::Entries(Entries {
            set,
            prefix: Prefix::Bucket(1),
            sub_buckets: vec![5; 512],
            leaves: vec![leaf],
        }),
        Message::Want(vec![Want {
            document: document.id(),
            epoch: 1,
            frontier: document.frontier().clone(),
        }]),
        Message::Changes(vec![changes]),
        Message::Absent(vec![document.id()]),
        Message::Receipts(vec![Signed::new(receipt, &node_key(SOEST))]),
        Message::Pulse([6; 32]),
        Message::Fetch(set, Prefix::Bucket(1)),
        Message::Fetched(set, Prefix::SubBucket(0xfff)),
    ]
}
