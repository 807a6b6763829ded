//! A few state machines joined by hand: messages go one by one and in order,
//! the clock is turned by the test, and all that was said is kept.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crdt::{
    audience::Audience,
    epoch::EpochRecord,
    gate,
    genesis::Genesis,
    ids::{BootNonce, DocumentId, GenesisNonce, Millis},
    inventory::{Holding, Inventory, NodeHash},
    manifest::Manifest,
    sealed_document::SealedDocument,
    signed::{Signed, public_key},
    sync::{
        CommittedDocument, DocumentChanges, Effect, Event, Message, SessionId, Sync, Want, changes_after,
    },
};

use crate::{league::*, sealing::*};

/// What a machine's disk has of a document.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a test holds a few hundred")]
pub(crate) enum Held {
    Live(SealedDocument),
    Erased(Genesis, Signed<EpochRecord>),
}

impl Held {
    fn committed(&self) -> CommittedDocument {
        let (genesis, audience, holding) = match self {
            Self::Live(document) => (document.genesis(), document.audience(), document.holding()),
            Self::Erased(genesis, record) => {
                let holding = Holding::erased(record.value().epoch, record.id());
                (genesis, record.value().audience.clone(), holding)
            }
        };
        CommittedDocument { town: genesis.owner, audience, document: genesis.document(), holding }
    }
}

pub(crate) struct Machine {
    pub(crate) town: usize,
    pub(crate) sync: Sync,
    pub(crate) documents: BTreeMap<DocumentId, Held>,
    pub(crate) charged: Vec<String>,
    /// Whether wants are answered with one change at a time.
    pub(crate) one_by_one: bool,
}

pub(crate) struct Wire {
    pub(crate) machines: Vec<Machine>,
    pub(crate) now: Millis,
    connections: BTreeMap<SessionId, (usize, usize)>,
    queue: VecDeque<(SessionId, usize, u8, Vec<u8>)>,
    /// Everything sent: from, to, type, payload.
    pub(crate) said: Vec<(usize, usize, u8, Vec<u8>)>,
    /// Machines whose messages are lost but for what the test says for them.
    pub(crate) mute: BTreeSet<usize>,
    sessions: u64,
}

impl Wire {
    pub(crate) fn of(towns: &[usize]) -> Self {
        Self {
            machines: towns.iter().map(|town| Machine::start(*town, 1, BTreeMap::new())).collect(),
            now: Millis(1_000),
            connections: BTreeMap::new(),
            queue: VecDeque::new(),
            said: Vec::new(),
            mute: BTreeSet::new(),
            sessions: 0,
        }
    }

    pub(crate) fn connect(&mut self, a: usize, b: usize) -> SessionId {
        self.sessions += 1;
        let session = SessionId(self.sessions);
        self.connections.insert(session, (a, b));
        for (from, to) in [(a, b), (b, a)] {
            let key = public_key(&transport_key(self.machines[to].town));
            self.machines[from].sync.handle_event(self.now, Event::Connected { session, key });
        }
        session
    }

    pub(crate) fn disconnect(&mut self, session: SessionId) {
        if let Some((a, b)) = self.connections.remove(&session) {
            for machine in [a, b] {
                self.machines[machine].sync.handle_event(self.now, Event::Disconnected { session });
            }
        }
    }

    pub(crate) fn is_connected(&self, session: SessionId) -> bool {
        self.connections.contains_key(&session)
    }

    /// Stores a document and tells the machine.
    pub(crate) fn commit(&mut self, machine: usize, held: Held, manifests: Vec<Signed<Manifest>>) {
        let committed = held.committed();
        let machine = &mut self.machines[machine];
        machine.documents.insert(committed.document, held);
        machine.sync.handle_event(self.now, Event::Committed { documents: vec![committed], manifests });
    }

    /// Puts a message on the wire that the machine itself would not send.
    pub(crate) fn say(&mut self, session: SessionId, from: usize, message: &Message) {
        let (a, b) = self.connections[&session];
        let (kind, payload) = message.encode();
        self.queue.push_back((session, if from == a { b } else { a }, kind, payload));
    }

    /// Delivers until nobody has anything more to say or do.
    pub(crate) fn run(&mut self) {
        for _ in 0..200_000 {
            let mut rested = true;
            for machine in 0..self.machines.len() {
                while let Some(effect) = self.machines[machine].sync.poll_effect() {
                    rested = false;
                    self.perform(machine, effect);
                }
            }
            if let Some((session, to, kind, payload)) = self.queue.pop_front() {
                rested = false;
                if self.is_connected(session) {
                    let event = Event::Received { session, kind, payload };
                    self.machines[to].sync.handle_event(self.now, event);
                }
            }
            if rested {
                return;
            }
        }
        panic!("the machines do not come to rest");
    }

    /// Lets time pass, doing what is due at its time.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.plus(ms);
        self.run();
        loop {
            let due = self.machines.iter().filter_map(|machine| machine.sync.poll_timeout()).min();
            self.now = due.filter(|due| *due <= end).map_or(end, |due| due.max(self.now));
            let all = due.is_none_or(|due| due > end);
            for machine in &mut self.machines {
                machine.sync.handle_timeout(self.now);
            }
            self.run();
            if all {
                return;
            }
            let stuck = self.machines.iter().filter_map(|machine| machine.sync.poll_timeout()).min();
            assert!(stuck.is_none_or(|at| at > self.now), "what was due is still due");
        }
    }

    fn perform(&mut self, machine: usize, effect: Effect) {
        match effect {
            Effect::Send { session, kind, payload } => {
                let Some((a, b)) = self.connections.get(&session).copied() else { return };
                let to = if machine == a { b } else { a };
                if !self.mute.contains(&machine) {
                    self.said.push((machine, to, kind, payload.clone()));
                    self.queue.push_back((session, to, kind, payload));
                }
            }
            Effect::Disconnect { session, .. } => self.disconnect(session),
            Effect::Load { request, wants } => {
                let documents = self.machines[machine].load(&wants);
                self.machines[machine].sync.handle_event(self.now, Event::Loaded { request, documents });
            }
            Effect::Judge { request, documents, .. } => {
                let machine = &mut self.machines[machine];
                let judged: Vec<_> = documents.into_iter().map(|document| machine.judge(document)).collect();
                let documents = judged.iter().filter_map(|(_, committed, _)| committed.clone()).collect();
                let outcomes = judged.into_iter().map(|(name, _, outcome)| (name, outcome)).collect();
                machine.sync.handle_event(self.now, Event::Committed { documents, manifests: vec![] });
                machine.sync.handle_event(self.now, Event::Judged { request, outcomes });
            }
            Effect::Charged { reason, .. } => self.machines[machine].charged.push(reason),
            Effect::StoreManifest { .. } | Effect::StoreAuthority(_) => {}
        }
    }

    pub(crate) fn roots(&mut self, machine: usize) -> Vec<NodeHash> {
        self.machines[machine].sync.open_roots().into_values().collect()
    }

    /// Types of the messages said since the last call.
    pub(crate) fn kinds(&mut self) -> BTreeSet<u8> {
        std::mem::take(&mut self.said).into_iter().map(|(_, _, kind, _)| kind).collect()
    }
}

type Judged = (DocumentId, Option<CommittedDocument>, Result<(), gate::Rejection>);

impl Machine {
    pub(crate) fn start(town: usize, boot: u8, documents: BTreeMap<DocumentId, Held>) -> Self {
        let held: Vec<_> = documents.values().map(Held::committed).collect();
        let boot = BootNonce([boot.wrapping_mul(16) + town as u8; 16]);
        let sync = Sync::new(crate::league::town(town), boot, certified_authority(), held, []);
        Self { town, sync, documents, charged: Vec::new(), one_by_one: false }
    }

    fn load(&self, wants: &[Want]) -> Vec<DocumentChanges> {
        let found = wants.iter().filter_map(|want| Some((want, self.documents.get(&want.document)?)));
        let answer = |(want, held): (&Want, &Held)| match held {
            Held::Live(document) => {
                let after: Vec<_> =
                    changes_after(document.changes(), want, document.epoch()).cloned().collect();
                let count = if self.one_by_one { after.len().min(1) } else { after.len() };
                DocumentChanges {
                    genesis: *document.genesis(),
                    record: document.record().cloned(),
                    changes: after[..count].to_vec(),
                    more: count < after.len(),
                }
            }
            Held::Erased(genesis, record) => DocumentChanges {
                genesis: *genesis,
                record: Some(record.clone()),
                changes: vec![],
                more: false,
            },
        };
        found.map(answer).collect()
    }

    fn judge(&mut self, offered: DocumentChanges) -> Judged {
        let name = offered.genesis.document();
        let epoch = offered.record.as_ref().map_or(1, |record| record.value().epoch);
        let held = self.documents.get(&name).map(Held::committed).map_or(0, |held| held.holding.epoch);
        if epoch < held {
            let rejection = gate::Rejection::new(gate::Code::WrongEpoch, "an older epoch");
            return (name, None, Err(rejection));
        }
        if let Some(record) = offered.record.as_ref().filter(|record| record.value().is_erased()) {
            let erased = Held::Erased(offered.genesis, record.clone());
            let committed = erased.committed();
            self.documents.insert(name, erased);
            return (name, Some(committed), Ok(()));
        }
        let mut document = match self.documents.get(&name) {
            Some(Held::Live(document)) if document.epoch() == epoch => document.clone(),
            _ => SealedDocument::begin(offered.genesis, offered.record),
        };
        let authority = self.sync.authority().clone();
        let (mut outcome, mut new) = (Ok(()), false);
        for change in offered.changes {
            match admit(&authority, &mut document, change) {
                Ok(admitted) => new |= admitted,
                Err(rejection) => {
                    outcome = Err(rejection);
                    break;
                }
            }
        }
        let held = Held::Live(document);
        let committed = new.then(|| held.committed());
        if new {
            self.documents.insert(name, held);
        }
        (name, committed, outcome)
    }
}

/// The n-th document of a town, with a title.
pub(crate) fn document(town: usize, number: u32, title: &str) -> SealedDocument {
    let mut nonce = [0; 16];
    nonce[..4].copy_from_slice(&number.to_be_bytes());
    let genesis = Genesis { nonce: GenesisNonce(nonce), ..genesis(town) };
    let mut document = SealedDocument::begin(genesis, None);
    edit(&mut document, &signer(town, 1), &serde_json::json!({ "title": title })).unwrap();
    document
}

/// A town's word on what it holds for an audience.
pub(crate) fn word(town: usize, audience: &Audience, documents: &[&SealedDocument]) -> Signed<Manifest> {
    let mut inventory: Inventory =
        documents.iter().map(|document| (document.id(), document.holding())).collect();
    let town_key = crate::league::town(town);
    Manifest::sign_next(&signer(town, 1), town_key, audience.clone(), None, &mut inventory, vec![], TIME)
}
