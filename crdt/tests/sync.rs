//! The sync state machine seen from its peers, honest and not: what is said, to
//! whom, and that no peer can keep the others from converging (I1, I2, I6).

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod league;
mod sealing;

#[path = "sync/faults.rs"]
mod faults;
#[path = "sync/wire.rs"]
mod wire;

use crdt::{
    audience::Audience,
    epoch::{EpochReason, EpochRecord, EpochState},
    genesis::{Genesis, GenesisClass},
    ids::{DocumentId, EpochHash},
    inventory::Prefix,
    sealed_document::SealedDocument,
    signed::Signed,
    sync::{Message, SetKey, Want},
};
use league::*;
use sealing::*;
use serde_json::json;
use wire::{Held, Machine, Wire, document, word};

fn edited(held: &Held, boot: u8, title: &str) -> SealedDocument {
    let Held::Live(document) = held else { panic!("the document is withdrawn") };
    let mut document = document.clone();
    edit(&mut document, &signer(ARNSBERG, boot), &json!({ "title": title })).unwrap();
    document
}

fn title(wire: &Wire, machine: usize, id: &DocumentId) -> String {
    match wire.machines[machine].documents.get(id) {
        Some(Held::Live(document)) => {
            document.document().read_dataset().dataset.title.de.unwrap().to_string()
        }
        Some(Held::Erased(..)) => "(withdrawn)".into(),
        None => "(unknown)".into(),
    }
}

fn assert_innocent(wire: &Wire) {
    for machine in &wire.machines {
        assert_eq!(machine.charged, Vec::<String>::new(), "honest machines charge each other nothing");
    }
}

#[test]
fn i1_a_new_node_fetches_all_and_then_only_what_is_new() {
    let mut wire = Wire::of(&[ARNSBERG, MENDEN]);
    let documents: Vec<SealedDocument> =
        (0..300).map(|number| document(ARNSBERG, number, &format!("Datensatz {number}"))).collect();
    for document in &documents {
        wire.commit(0, Held::Live(document.clone()), vec![]);
    }
    wire.connect(0, 1);
    wire.pass(5_000);
    assert_eq!(wire.machines[1].documents.len(), 300);
    assert_eq!(wire.roots(0), wire.roots(1));
    let kinds = wire.kinds();
    assert!(kinds.contains(&4), "whole sets were compared");
    assert!(kinds.contains(&13) && kinds.contains(&14), "what nothing is held of is fetched in parts");
    assert!(!kinds.contains(&7) && !kinds.contains(&8), "no document was named: {kinds:?}");

    let id = documents[7].id();
    let new = edited(&wire.machines[0].documents[&id], 1, "Neu");
    wire.commit(0, Held::Live(new), vec![]);
    wire.run();
    assert_eq!(title(&wire, 1, &id), "Neu");
    assert_eq!(wire.kinds(), [3, 8, 9].into(), "told, asked, answered and told that it has come");

    // Nothing more is said than a pulse a minute.
    wire.pass(600_000);
    let said = std::mem::take(&mut wire.said);
    assert!(said.iter().all(|(_, _, kind, _)| *kind == 12), "idle peers say a pulse only");
    assert!((18..=22).contains(&said.len()), "{}", said.len());
    assert_innocent(&wire);
}

#[test]
fn i1_two_towns_that_never_meet_converge_through_a_third() {
    let mut wire = Wire::of(&[ARNSBERG, MENDEN, OLPE]);
    wire.connect(0, 1);
    wire.connect(1, 2);
    wire.run();
    let first = document(ARNSBERG, 1, "Erster");
    let id = first.id();
    wire.commit(0, Held::Live(first.clone()), vec![word(ARNSBERG, &Audience::Open, &[&first])]);
    wire.run();
    assert_eq!(title(&wire, 2, &id), "Erster");
    let other = document(OLPE, 1, "Aus Olpe");
    wire.commit(2, Held::Live(other.clone()), vec![]);
    wire.pass(3_000);
    assert_eq!(title(&wire, 0, &other.id()), "Aus Olpe");
    assert_eq!(wire.roots(0), wire.roots(2));
    assert_innocent(&wire);
}

#[test]
fn i1_what_does_not_fit_one_answer_is_asked_for_again() {
    let mut wire = Wire::of(&[ARNSBERG, MENDEN]);
    wire.machines[0].one_by_one = true;
    let mut long = document(ARNSBERG, 1, "0");
    for number in 1..20 {
        edit(&mut long, &signer(ARNSBERG, 1), &json!({ "title": number.to_string() })).unwrap();
    }
    let id = long.id();
    wire.commit(0, Held::Live(long), vec![]);
    wire.connect(0, 1);
    wire.pass(5_000);
    assert_eq!(title(&wire, 1, &id), "19");
    assert_eq!(wire.roots(0), wire.roots(1));
    assert_innocent(&wire);
}

/// A document of Arnsberg for Menden, and the manifest that says so.
fn shared() -> (SealedDocument, Audience) {
    let audience = Audience::of_members([town(MENDEN)]);
    let genesis = Genesis { class: GenesisClass::Shared, ..genesis(ARNSBERG) };
    let record = EpochRecord {
        document: genesis.document(),
        epoch: 1,
        audience: audience.clone(),
        reason: EpochReason::First,
        first_change: None,
        ..epoch_record(ARNSBERG)
    };
    let mut document = SealedDocument::begin(genesis, Some(Signed::new(record, &node_key(ARNSBERG))));
    edit(&mut document, &signer(ARNSBERG, 1), &json!({ "title": "Nur für Menden" })).unwrap();
    (document, audience)
}

/// I2 in two worlds: with and without the shared document, everything said to
/// Olpe is the same, byte for byte and in the same order.
#[test]
fn i2_a_set_is_not_spoken_of_to_an_outsider() {
    let run = |with_shared: bool| {
        let mut wire = Wire::of(&[ARNSBERG, MENDEN, OLPE]);
        let open = document(ARNSBERG, 1, "Für alle");
        let manifest = word(ARNSBERG, &Audience::Open, &[&open]);
        wire.commit(0, Held::Live(open), vec![manifest]);
        let (secret, audience) = shared();
        let id = secret.id();
        if with_shared {
            let manifest = word(ARNSBERG, &audience, &[&secret]);
            wire.commit(0, Held::Live(secret), vec![manifest]);
        }
        wire.connect(0, 1);
        wire.connect(1, 2);
        let session = wire.connect(0, 2);
        wire.pass(70_000);
        if with_shared {
            let held = wire.machines[0].documents[&id].clone();
            wire.commit(0, Held::Live(edited(&held, 1, "Noch eins")), vec![]);
        }
        wire.pass(70_000);
        // The outsider knows the names and asks: there is no such thing.
        let set = SetKey { town: town(ARNSBERG), audience: audience.hash() };
        wire.say(session, 2, &Message::AskBuckets(set));
        wire.say(session, 2, &Message::AskEntries(set, vec![Prefix::Bucket(id.0[0])]));
        let want = Want { document: id, epoch: 0, frontier: Default::default() };
        wire.say(session, 2, &Message::Want(vec![want]));
        wire.run();
        assert_eq!(title(&wire, 1, &id), if with_shared { "Noch eins" } else { "(unknown)" });
        assert_eq!(title(&wire, 2, &id), "(unknown)");
        let to_outsider = wire.said.iter().filter(|(_, to, ..)| *to == 2);
        to_outsider.map(|(from, _, kind, payload)| (*from, *kind, payload.clone())).collect::<Vec<_>>()
    };
    let (with, without) = (run(true), run(false));
    assert!(with == without, "the outsider sees a difference");
    assert!(with.iter().any(|(_, kind, _)| *kind == 10), "absent, in both worlds");
}

#[test]
fn i5_a_withdrawn_document_goes_everywhere_and_does_not_come_back() {
    let mut wire = Wire::of(&[ARNSBERG, MENDEN, OLPE]);
    let first = document(ARNSBERG, 1, "Bald fort");
    let id = first.id();
    wire.commit(0, Held::Live(first), vec![]);
    wire.connect(0, 1);
    let late = wire.connect(1, 2);
    wire.pass(3_000);
    assert_eq!(title(&wire, 2, &id), "Bald fort");
    wire.disconnect(late);
    let Held::Live(document) = &wire.machines[0].documents[&id] else { panic!("live") };
    let genesis = *document.genesis();
    let record = EpochRecord {
        document: id,
        state: EpochState::Erased,
        reason: EpochReason::Withdrawal,
        first_change: None,
        previous: EpochHash::default(),
        ..epoch_record(ARNSBERG)
    };
    let record = Signed::new(record, &node_key(ARNSBERG));
    wire.commit(0, Held::Erased(genesis, record), vec![]);
    wire.run();
    assert_eq!(title(&wire, 1, &id), "(withdrawn)");
    assert_eq!(title(&wire, 2, &id), "Bald fort", "not connected");
    wire.connect(1, 2);
    wire.pass(5_000);
    for machine in 0..3 {
        assert_eq!(title(&wire, machine, &id), "(withdrawn)");
    }
    assert_eq!(wire.roots(0), wire.roots(2));
    assert_innocent(&wire);
}

#[test]
fn a_node_is_level_once_it_holds_what_every_connected_peer_has_told_of() {
    let mut wire = Wire::of(&[0, 1, 2, 3, 4]);
    for number in 1..=3 {
        wire.commit(1, Held::Live(document(1, number, "Dort")), vec![]);
    }
    assert!(wire.machines[0].sync.has_strangers(), "nobody has said anything");
    // Three have nothing to tell: that alone is not everything.
    for other in 2..5 {
        wire.connect(0, other);
    }
    wire.pass(3_000);
    assert!(wire.machines[0].sync.is_level() && wire.machines[0].sync.has_strangers());
    wire.connect(0, 1);
    assert!(!wire.machines[0].sync.is_level(), "the fourth has not told yet");
    wire.pass(5_000);
    assert!(wire.machines[0].sync.is_level() && !wire.machines[0].sync.has_strangers());
    assert_eq!(wire.roots(0), wire.roots(1));
}

#[test]
fn i1_a_restored_backup_catches_up_with_what_it_said_itself() {
    let mut wire = Wire::of(&[ARNSBERG, MENDEN]);
    let first = document(ARNSBERG, 1, "Eins");
    let id = first.id();
    wire.commit(0, Held::Live(first), vec![]);
    let session = wire.connect(0, 1);
    wire.pass(3_000);
    let backup = wire.machines[0].documents.clone();
    let newer = edited(&backup[&id], 1, "Zwei");
    wire.commit(0, Held::Live(newer), vec![]);
    let second = document(ARNSBERG, 2, "Ganz neu");
    wire.commit(0, Held::Live(second.clone()), vec![]);
    wire.pass(3_000);
    wire.disconnect(session);

    wire.machines[0] = Machine::start(ARNSBERG, 2, backup);
    assert!(!wire.machines[0].sync.is_caught_up(), "nobody has been asked");
    assert_eq!(title(&wire, 0, &id), "Eins");
    wire.connect(0, 1);
    wire.pass(5_000);
    assert!(wire.machines[0].sync.is_caught_up());
    assert_eq!(title(&wire, 0, &id), "Zwei");
    assert_eq!(title(&wire, 0, &second.id()), "Ganz neu");
    // The new run writes under a new actor, on top of what came back.
    let newest = edited(&wire.machines[0].documents[&id], 2, "Drei");
    wire.commit(0, Held::Live(newest), vec![]);
    wire.run();
    assert_eq!(title(&wire, 1, &id), "Drei");
    assert_innocent(&wire);
}
