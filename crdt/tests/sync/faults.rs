//! Members that keep the protocol's form and not its spirit: silent, slow,
//! talkative, promising what they do not have. The others go on.

use crdt::{
    audience::Audience,
    frontier::FrontierEntry,
    ids::{BootNonce, DocumentId},
    inventory::{Holding, Leaf},
    sealed_document::SealedDocument,
    signed::Signed,
    sync::{
        BLOCK_MS, DocumentChanges, FAILURES_MAX, HaveSet, Hello, LEVEL, Message, PATIENCE_MS,
        SETS_PER_TOWN_MAX, STALL_MS, SessionId, SetKey,
    },
};

use crate::{Held, Wire, document, league::*, title};

/// Arnsberg (0) is honest, as is Olpe (2); Menden (1) says only what the test says.
fn wire() -> (Wire, SessionId) {
    let mut wire = Wire::of(&[ARNSBERG, MENDEN, OLPE]);
    wire.mute.insert(1);
    let session = wire.connect(0, 1);
    greet(&mut wire, session);
    (wire, session)
}

fn greet(wire: &mut Wire, session: SessionId) {
    let authority = certified_authority();
    let charter = authority.chain().current();
    let hello = Hello {
        level: LEVEL,
        federation: federation(),
        charter_version: charter.value().version,
        charter: charter.id(),
        authority: authority.hash(),
        boot: BootNonce([0xee; 16]),
    };
    wire.say(session, 1, &Message::Hello(hello));
    wire.run();
}

fn open(town: usize) -> SetKey {
    SetKey { town: crate::league::town(town), audience: Audience::Open.hash() }
}

fn have(set: SetKey, root: u8, leaves: Vec<Leaf>) -> Message {
    let have = HaveSet { set, manifest: None, root: [root; 32], documents: 5, changes: 9, leaves };
    Message::Have(vec![have])
}

fn leaf(document: &SealedDocument) -> Leaf {
    Leaf::new(document.id(), document.holding())
}

/// Olpe holds a document of its own and is connected with Arnsberg.
fn honest_offer(wire: &mut Wire, document: &SealedDocument) {
    wire.commit(2, Held::Live(document.clone()), vec![]);
    wire.connect(0, 2);
}

#[test]
fn i6_a_silent_peer_is_sent_away_and_what_it_promised_is_fetched_elsewhere() {
    let (mut wire, session) = wire();
    let wanted = document(OLPE, 1, "Aus Olpe");
    wire.say(session, 1, &have(open(OLPE), 1, vec![leaf(&wanted)]));
    wire.run();
    honest_offer(&mut wire, &wanted);
    wire.pass(PATIENCE_MS - 1_000);
    assert_eq!(title(&wire, 0, &wanted.id()), "(unknown)", "one peer is asked at a time");
    wire.pass(2_000);
    assert_eq!(title(&wire, 0, &wanted.id()), "Aus Olpe", "patience has an end");
    assert!(wire.is_connected(session));
    wire.pass(STALL_MS);
    assert!(!wire.is_connected(session), "no answer at all");
    assert_eq!(wire.machines[0].charged, ["no answer within 30 seconds"]);
}

#[test]
fn i6_talk_is_no_answer() {
    let (mut wire, session) = wire();
    wire.say(session, 1, &have(open(OLPE), 1, vec![]));
    wire.run();
    let wanted = document(OLPE, 1, "Aus Olpe");
    honest_offer(&mut wire, &wanted);
    for second in 0..40 {
        if wire.is_connected(session) {
            // Whatever it says, buckets are what it owes.
            wire.say(session, 1, &Message::Pulse([second; 32]));
        }
        wire.pass(1_000);
    }
    assert!(!wire.is_connected(session), "it owed buckets and spoke of something else");
    assert_eq!(title(&wire, 0, &wanted.id()), "Aus Olpe");
}

#[test]
fn i6_a_peer_that_promises_ever_new_documents_does_not_stop_comparisons() {
    let (mut wire, session) = wire();
    let wanted = document(OLPE, 1, "Aus Olpe");
    let promise =
        |number: u8| Leaf::new(DocumentId([number; 32]), Holding::live(1, wanted.frontier().clone()));
    wire.say(session, 1, &have(open(MENDEN), 1, vec![promise(0)]));
    wire.run();
    honest_offer(&mut wire, &wanted);
    for number in 1..60 {
        if wire.is_connected(session) {
            wire.say(session, 1, &have(open(MENDEN), number, vec![promise(number)]));
            wire.run();
        }
        if wire.is_connected(session) {
            wire.say(session, 1, &Message::Absent(vec![DocumentId([number - 1; 32])]));
        }
        wire.pass(1_000);
    }
    assert_eq!(title(&wire, 0, &wanted.id()), "Aus Olpe");
    assert!(wire.machines[0].charged.len() > 25, "what it offers and does not have is charged");
    assert!(!wire.is_connected(session), "it also owed the buckets of what it promised");
}

#[test]
fn i6_an_answer_must_lead_further() {
    let (mut wire, session) = wire();
    let held = document(OLPE, 1, "Aus Olpe");
    honest_offer(&mut wire, &held);
    wire.pass(3_000);
    assert_eq!(title(&wire, 0, &held.id()), "Aus Olpe");
    // A thousand changes are promised; the answer is always what is held.
    let mut frontier = held.frontier().clone();
    let entry = frontier.entries()[0];
    frontier.advance(FrontierEntry { seq: 1_000, ..entry });
    let promise = Leaf::new(held.id(), Holding::live(1, frontier));
    let answer = DocumentChanges {
        genesis: *held.genesis(),
        record: None,
        changes: held.changes().to_vec(),
        more: true,
    };
    wire.say(session, 1, &have(open(OLPE), 1, vec![promise.clone()]));
    wire.said.clear();
    for _ in 0..10 {
        wire.say(session, 1, &Message::Changes(vec![answer.clone()]));
        wire.run();
    }
    let asked = wire.said.iter().filter(|(from, to, kind, _)| (*from, *to, *kind) == (0, 1, 8)).count();
    assert_eq!(asked, 1, "it is not asked again for what it does not give");
    assert_eq!(wire.machines[0].charged.len(), 10);
    wire.say(session, 1, &have(open(OLPE), 1, vec![promise]));
    wire.run();
    let asked = wire.said.iter().filter(|(from, to, kind, _)| (*from, *to, *kind) == (0, 1, 8)).count();
    assert_eq!(asked, 1, "nor when it promises the same again");
}

#[test]
fn i6_too_many_failures_block_a_peer_for_a_while() {
    let (mut wire, session) = wire();
    for _ in 0..=FAILURES_MAX {
        assert!(wire.is_connected(session));
        wire.say(session, 1, &Message::Buckets(open(OLPE), vec![0; 256 * 32]));
        wire.run();
    }
    assert!(!wire.is_connected(session));
    wire.pass(BLOCK_MS - 1_000);
    let early = wire.connect(0, 1);
    wire.run();
    assert!(!wire.is_connected(early), "still blocked");
    wire.pass(2_000);
    let later = wire.connect(0, 1);
    greet(&mut wire, later);
    assert!(wire.is_connected(later));
    wire.say(later, 1, &Message::AskBuckets(open(ARNSBERG)));
    wire.said.clear();
    wire.run();
    assert!(wire.kinds().contains(&5), "and is answered again");
}

#[test]
fn i6_audiences_are_believed_under_their_towns_signature_and_are_not_many() {
    let (mut wire, session) = wire();
    let tell = |wire: &mut Wire, number: usize, key: usize| {
        let others = [BAD_BERLEBURG, SOEST, OLPE].into_iter().map(town);
        let mut recipients: std::collections::BTreeSet<_> =
            others.map(crdt::audience::Recipient::Member).collect();
        recipients.insert(crdt::audience::Recipient::Member(town(ARNSBERG)));
        let partner = crdt::audience::PartnerId::parse(&format!("kreis-{number}")).unwrap();
        recipients.insert(crdt::audience::Recipient::Partner(partner));
        let audience = Audience::Named(recipients);
        let set = SetKey { town: town(MENDEN), audience: audience.hash() };
        let manifest = crdt::manifest::Manifest { audience, ..manifest(MENDEN, 5) };
        let manifest = Some(Signed::new(manifest, &node_key(key)));
        let have = HaveSet { set, manifest, root: [1; 32], documents: 0, changes: 0, leaves: vec![] };
        wire.say(session, 1, &Message::Have(vec![have]));
        wire.run();
    };
    for number in 0..100 {
        tell(&mut wire, number, SOEST);
    }
    assert_eq!(wire.machines[0].charged.len(), 100, "signed by another town's node");
    for number in 0..100 {
        tell(&mut wire, number, MENDEN);
    }
    let kept = 200 - wire.machines[0].charged.len();
    assert!((SETS_PER_TOWN_MAX - 1..=SETS_PER_TOWN_MAX).contains(&kept), "{kept} kept");
}
