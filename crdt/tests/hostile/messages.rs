//! Messages of a member that are not what the protocol says: refused and
//! charged, in bounded memory, and the honest go on being served.

use crdt::{
    audience::Audience,
    authority::Export,
    epoch::Receipt,
    frontier::{Frontier, FrontierEntry},
    ids::{ActorId, BootNonce, DocumentId, Millis, SealHash},
    inventory::{Holding, Leaf, Prefix},
    signed::{Signed, public_key},
    sync::{
        CommittedDocument, DocumentChanges, Effect, Entries, Event, HaveSet, Hello, LEVEL, MESSAGE_BYTES_MAX,
        Message, SessionId, SetKey, Sync, Want,
    },
};

use crate::{JUDGING_BYTES_MAX, counting::peak_of, ground::Ground, league::*, random::Random};

/// Arnsberg's state machine with a document, and Menden connected.
struct Victim {
    sync: Sync,
    session: SessionId,
    now: Millis,
    sessions: u64,
}

impl Victim {
    fn new(ground: &Ground) -> Self {
        let document = CommittedDocument {
            town: town(ARNSBERG),
            audience: Audience::Open,
            document: ground.document.id(),
            holding: ground.document.holding(),
        };
        let sync = Sync::new(town(ARNSBERG), BootNonce([1; 16]), certified_authority(), [document], []);
        let mut victim = Self { sync, session: SessionId(0), now: Millis(1_000), sessions: 0 };
        victim.connect();
        victim
    }

    fn connect(&mut self) {
        self.sessions += 1;
        self.session = SessionId(self.sessions);
        let key = public_key(&transport_key(MENDEN));
        self.sync.handle_event(self.now, Event::Connected { session: self.session, key });
        self.tell(&hello(&certified_authority()));
        assert!(self.sync.peers().iter().any(|peer| peer.session == self.session), "let in");
    }

    fn tell(&mut self, message: &Message) -> usize {
        let (kind, payload) = message.encode();
        self.tell_bytes(kind, payload)
    }

    /// Hands over a message; says how often it was charged. Loads and
    /// judgements stay without an answer, as those of a slow disk.
    fn tell_bytes(&mut self, kind: u8, payload: Vec<u8>) -> usize {
        let (session, now) = (self.session, self.now);
        let mut charges = 0;
        let ((), peak) = peak_of(|| {
            self.sync.handle_event(now, Event::Received { session, kind, payload });
            while let Some(effect) = self.sync.poll_effect() {
                charges += usize::from(matches!(effect, Effect::Charged { .. }));
            }
        });
        assert!(peak <= JUDGING_BYTES_MAX, "type {kind} takes {peak} bytes");
        charges
    }

    /// Comes back when sent away for a while.
    fn reconnect(&mut self) {
        if self.sync.peers().is_empty() {
            self.now = self.now.plus(2 * crdt::sync::BLOCK_MS_MAX);
            self.connect();
        }
    }
}

fn hello(authority: &crdt::authority::Authority) -> Message {
    let charter = authority.chain().current();
    Message::Hello(Hello {
        level: LEVEL,
        federation: authority.federation(),
        charter_version: charter.value().version,
        charter: charter.id(),
        authority: authority.hash(),
        boot: BootNonce([2; 16]),
    })
}

fn frontier(actors: usize) -> Frontier {
    let entry = |number: usize| FrontierEntry {
        actor: ActorId((number as u128).to_be_bytes()),
        seq: 1 + number as u64,
        seal: SealHash([number as u8; 32]),
    };
    Frontier::from_entries((0..actors).map(entry).collect()).unwrap()
}

/// One message of each type, as honest nodes write them.
fn samples(ground: &Ground) -> Vec<Message> {
    let set = SetKey { town: town(ARNSBERG), audience: Audience::Open.hash() };
    let leaf = Leaf::new(DocumentId([4; 32]), Holding::live(1, frontier(3)));
    let authority = certified_authority();
    let manifest = Signed::new(manifest(MENDEN, 7), &node_key(MENDEN));
    let receipt = Receipt {
        format: crdt::encoding::FormatOne,
        federation: federation(),
        document: genesis(OLPE).document(),
        epoch: 2,
        record: Signed::new(withdrawal(OLPE), &node_key(OLPE)).id(),
        witness: town(MENDEN),
        certificate: certificate_id(MENDEN),
        time: TIME,
    };
    let changes = DocumentChanges {
        genesis: *ground.document.genesis(),
        record: Some(Signed::new(epoch_record(ARNSBERG), &node_key(ARNSBERG))),
        changes: ground.document.changes().to_vec(),
        more: false,
    };
    vec![
        hello(&authority),
        Message::Authority(Export {
            revocations: vec![signed_by(revocation(OLPE, vec![]), &[OLPE])],
            ..authority.export()
        }),
        Message::Have(vec![HaveSet {
            set: SetKey { town: town(MENDEN), ..set },
            manifest: Some(manifest),
            root: [5; 32],
            documents: 2,
            changes: 3,
            leaves: vec![leaf.clone()],
        }]),
        Message::AskBuckets(set),
        Message::Buckets(set, vec![6; 256 * 32]),
        Message::AskEntries(set, vec![Prefix::Bucket(4), Prefix::SubBucket(9)]),
        Message::Entries(Entries { set, prefix: Prefix::Bucket(4), sub_buckets: vec![], leaves: vec![leaf] }),
        Message::Want(vec![Want { document: ground.document.id(), epoch: 1, frontier: frontier(2) }]),
        Message::Changes(vec![changes]),
        Message::Absent(vec![DocumentId([8; 32])]),
        Message::Receipts(vec![Signed::new(receipt, &node_key(MENDEN))]),
        Message::Pulse([9; 32]),
        Message::Fetch(set, Prefix::Bucket(4)),
        Message::Fetched(set, Prefix::SubBucket(9)),
    ]
}

#[test]
fn i6_every_truncated_message_is_charged() {
    let ground = Ground::new();
    let mut victim = Victim::new(&ground);
    for message in samples(&ground) {
        let (kind, payload) = message.encode();
        let step = 1 + payload.len() / 300;
        for length in (0..payload.len()).step_by(step) {
            victim.reconnect();
            assert!(victim.tell_bytes(kind, payload[..length].to_vec()) > 0, "type {kind} of {length} bytes");
        }
        victim.reconnect();
        let longer = [payload.as_slice(), &[0]].concat();
        assert!(victim.tell_bytes(kind, longer) > 0, "type {kind} with a byte more");
    }
}

#[test]
fn i6_oversized_and_unknown_messages_are_charged() {
    let mut victim = Victim::new(&Ground::new());
    for kind in 0..=255 {
        victim.reconnect();
        assert!(victim.tell_bytes(kind, vec![0x80; MESSAGE_BYTES_MAX + 1]) > 0, "type {kind}");
        victim.reconnect();
        if !(1..=14).contains(&kind) {
            assert!(victim.tell_bytes(kind, vec![]) > 0, "type {kind}");
        }
    }
}

/// Counts that are claimed and not kept, and arrays inside each other.
#[test]
fn i6_claimed_counts_take_no_memory() {
    let mut victim = Victim::new(&Ground::new());
    let claims: [&[u8]; 4] = [
        &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x82, 0x9a, 0xff, 0xff, 0xff, 0xff],
        &[0x9f],
    ];
    for kind in 1..=14 {
        for claim in claims {
            victim.reconnect();
            assert!(victim.tell_bytes(kind, claim.to_vec()) > 0, "type {kind}");
        }
        victim.reconnect();
        assert!(victim.tell_bytes(kind, vec![0x81; MESSAGE_BYTES_MAX]) > 0, "type {kind}");
    }
}

#[test]
fn i6_mutated_messages_cost_little_and_nothing_panics() {
    let ground = Ground::new();
    let mut victim = Victim::new(&ground);
    let samples: Vec<(u8, Vec<u8>)> = samples(&ground).iter().map(Message::encode).collect();
    let (mut charged, count) = (0, crate::mutations(3_000));
    for seed in 0..count {
        let mut random = Random::new(seed);
        let (kind, mut payload) = random.pick(&samples).unwrap().clone();
        for _ in 0..=random.below(3) {
            let at = random.below(payload.len().max(1) as u64) as usize;
            match random.below(4) {
                0 if !payload.is_empty() => drop(payload.remove(at)),
                1 => payload.insert(at, random.next() as u8),
                _ if !payload.is_empty() => payload[at] ^= 1 << random.below(8),
                _ => {}
            }
        }
        victim.reconnect();
        charged += usize::from(victim.tell_bytes(kind, payload) > 0);
        victim.now = victim.now.plus(random.below(200));
        victim.sync.handle_timeout(victim.now);
        while victim.sync.poll_effect().is_some() {}
    }
    assert!(charged as u64 > count / 3, "{charged} of {count}");
    // The document is still there, and who asks for it is answered.
    victim.now = victim.now.plus(2 * crdt::sync::BLOCK_MS_MAX);
    victim.sync.handle_timeout(victim.now);
    victim.reconnect();
    let set = SetKey { town: town(ARNSBERG), audience: Audience::Open.hash() };
    let (kind, payload) = Message::AskBuckets(set).encode();
    let session = victim.session;
    victim.sync.handle_event(victim.now, Event::Received { session, kind, payload });
    let answers = std::iter::from_fn(|| victim.sync.poll_effect());
    assert_eq!(answers.filter(|effect| matches!(effect, Effect::Send { kind: 5, .. })).count(), 1);
}

/// A frontier weighs up to 14 KiB: leaves are bounded in bytes, not in number.
#[test]
fn i6_offers_that_nobody_can_keep_up_with_are_bounded() {
    let mut victim = Victim::new(&Ground::new());
    let set = SetKey { town: town(MENDEN), audience: Audience::Open.hash() };
    let held = peak_of(|| {
        for round in 0..150u8 {
            let leaves = (0..20u8).map(|number| {
                Leaf::new(
                    DocumentId([[round, number]; 16].concat().try_into().unwrap()),
                    Holding::live(1, frontier(256)),
                )
            });
            let have = HaveSet {
                set,
                manifest: None,
                root: [round; 32],
                documents: 9_999,
                changes: 1,
                leaves: leaves.collect(),
            };
            victim.tell(&Message::Have(vec![have]));
        }
    });
    // Window and queue: 512 documents asked for, 2 MiB waiting.
    assert!(held.1 <= JUDGING_BYTES_MAX, "{} bytes", held.1);
    let fetching = victim.sync.peers()[0].fetching;
    assert!((300..1_000).contains(&fetching), "{fetching} of 3,000 wait");
}
