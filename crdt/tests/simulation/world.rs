//! The simulated federation: nodes, links with delay, and a clock that jumps
//! from one thing that happens to the next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crdt::{
    authority::Export,
    certificate::NodeCertificate,
    charter::{Charter, Limits, Member, Thresholds},
    encoding::FormatOne,
    ids::{
        CertificateHash, CharterHash, CharterNonce, DocumentId, Millis, PublicKey, SealHash, Town, UnixMillis,
    },
    peer_id,
    signed::{Signed, public_key},
    sync::{Effect, Event, SessionId},
};
use ed25519_dalek::SigningKey;

use crate::{
    hostile::Hostile,
    node::{Disk, Identity, Node},
    random::Random,
};

/// What may go wrong in a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) nodes: usize,
    pub(crate) edits: usize,
    pub(crate) crashes: bool,
    pub(crate) partitions: bool,
    pub(crate) backups: bool,
    pub(crate) hostile: usize,
}

#[derive(Debug)]
enum Happening {
    Deliver { link: (usize, usize), incarnation: u64 },
    Timeout { node: usize },
    Reconnect { a: usize, b: usize },
    Restart { node: usize },
    Work { node: usize, start: u64, effect: Box<Effect> },
}

#[derive(Debug)]
struct Link {
    incarnation: u64,
    queue: VecDeque<(u8, Vec<u8>)>,
}

pub(crate) struct World {
    pub(crate) nodes: Vec<Node>,
    pub(crate) hostile: BTreeMap<usize, Hostile>,
    pub(crate) random: Random,
    pub(crate) now: Millis,
    /// Live connections by (smaller, greater) index: the session's number.
    connections: BTreeMap<(usize, usize), u64>,
    /// The same by the session's number.
    pairs: BTreeMap<u64, (usize, usize)>,
    links: BTreeMap<(usize, usize), Link>,
    agenda: BTreeMap<(Millis, u64), Happening>,
    scheduled_timeouts: BTreeMap<usize, Millis>,
    cut: BTreeSet<(usize, usize)>,
    counter: u64,
    weather: Weather,
}

/// All that a node holds, to be compared.
pub(crate) type Holdings = BTreeMap<DocumentId, (Vec<crdt::ids::ChangeHash>, serde_json::Value)>;

impl World {
    pub(crate) fn found(seed: u64, weather: Weather) -> Self {
        let mut random = Random::new(seed);
        let identities = found(&mut random, weather.nodes);
        let (export, identities) = identities;
        let nodes: Vec<Node> = identities
            .into_iter()
            .map(|identity| Node {
                identity,
                disk: Disk {
                    authority: export.clone(),
                    documents: BTreeMap::new(),
                    manifests: BTreeMap::new(),
                    quarantine: Vec::new(),
                },
                run: None,
                starts: 0,
                charged: Vec::new(),
                backup: None,
                acknowledged: BTreeSet::new(),
            })
            .collect();
        let hostile =
            (0..weather.hostile).map(|index| (weather.nodes - 1 - index, Hostile::default())).collect();
        let mut world = Self {
            nodes,
            hostile,
            random,
            now: Millis(1_000),
            connections: BTreeMap::new(),
            pairs: BTreeMap::new(),
            links: BTreeMap::new(),
            agenda: BTreeMap::new(),
            scheduled_timeouts: BTreeMap::new(),
            cut: BTreeSet::new(),
            counter: 0,
            weather,
        };
        for node in 0..weather.nodes {
            world.nodes[node].start(&mut world.random);
        }
        for a in 0..weather.nodes {
            for b in a + 1..weather.nodes {
                world.at(0, Happening::Reconnect { a, b });
            }
        }
        world
    }

    /// Runs edits under the weather, then lets it clear and waits for silence.
    pub(crate) fn run(&mut self) {
        let mut edits = 0;
        let mut steps = 0u64;
        while edits < self.weather.edits && steps < 200_000 {
            steps += 1;
            if self.random.one_in(20) {
                let node = self.random.below(self.nodes.len() as u64) as usize;
                if !self.hostile.contains_key(&node) && self.edit(node) {
                    edits += 1;
                }
            }
            self.trouble();
            if !self.step() {
                self.now = self.now.plus(50);
            }
        }
        assert!(edits == self.weather.edits, "only {edits} edits in {steps} steps, at {:?}", self.now);
        self.clear();
        // Silence: only pulses and comparisons are left after this long.
        let end = self.now.plus(600_000);
        while self.agenda.first_key_value().is_some_and(|((at, _), _)| *at <= end) {
            self.step();
        }
    }

    fn edit(&mut self, node: usize) -> bool {
        let time = UnixMillis(1_767_225_600_000 + self.now.0 as i64);
        let done = self.nodes[node].edit(self.now, time, &mut self.random);
        self.drain(node);
        done
    }

    /// Breaks something now and then.
    fn trouble(&mut self) {
        let count = self.nodes.len() as u64;
        if self.weather.partitions && self.random.one_in(60) {
            let a = self.random.below(count) as usize;
            let b = self.random.below(count) as usize;
            if a != b {
                let pair = (a.min(b), a.max(b));
                if !self.cut.remove(&pair) {
                    self.cut.insert(pair);
                }
                self.disconnect(pair);
            }
        }
        if self.weather.crashes && self.random.one_in(150) {
            let node = self.random.below(count) as usize;
            self.crash(node);
        }
        if self.weather.backups && self.random.one_in(300) {
            let node = self.random.below(count) as usize;
            self.nodes[node].backup = Some(self.nodes[node].disk.clone());
        }
        if self.weather.backups && self.random.one_in(900) {
            let node = self.random.below(count) as usize;
            if self.nodes[node].run.is_some() && self.is_replicated(node) {
                self.restore(node);
            }
        }
    }

    /// Whether another node holds all that this one has: only then may a
    /// restored backup be expected to lose nothing.
    fn is_replicated(&self, node: usize) -> bool {
        let seals = |index: usize| -> BTreeSet<SealHash> {
            let stored = self.nodes[index].disk.documents.values();
            stored.flat_map(|stored| &stored.changes).map(|change| change.seal.hash()).collect()
        };
        let own = seals(node);
        (0..self.nodes.len())
            .any(|other| other != node && !self.hostile.contains_key(&other) && own.is_subset(&seals(other)))
    }

    fn restore(&mut self, node: usize) {
        if let Some(backup) = self.nodes[node].backup.clone() {
            self.crash(node);
            self.nodes[node].disk = backup;
        }
    }

    fn crash(&mut self, node: usize) {
        if self.nodes[node].run.is_none() {
            return;
        }
        self.nodes[node].crash();
        for pair in self.pairs_of(node) {
            self.disconnect(pair);
        }
        let delay = 10 + self.random.below(5_000);
        self.at(delay, Happening::Restart { node });
    }

    /// Ends all trouble: everybody runs, every pair may connect.
    fn clear(&mut self) {
        self.weather = Weather { crashes: false, partitions: false, backups: false, ..self.weather };
        self.cut.clear();
        for node in 0..self.nodes.len() {
            if self.nodes[node].run.is_none() {
                self.start(node);
            }
        }
        for a in 0..self.nodes.len() {
            for b in a + 1..self.nodes.len() {
                self.at(1, Happening::Reconnect { a, b });
            }
        }
    }

    fn start(&mut self, node: usize) {
        self.nodes[node].start(&mut self.random);
        for other in 0..self.nodes.len() {
            if other != node {
                let delay = 1 + self.random.below(2_000);
                self.at(delay, Happening::Reconnect { a: node.min(other), b: node.max(other) });
            }
        }
        self.drain(node);
    }

    fn pairs_of(&self, node: usize) -> Vec<(usize, usize)> {
        self.connections.keys().filter(|(a, b)| *a == node || *b == node).copied().collect()
    }

    fn at(&mut self, delay: u64, happening: Happening) {
        self.counter += 1;
        self.agenda.insert((self.now.plus(delay), self.counter), happening);
    }

    /// Lets the next thing happen. `false` if there is none.
    fn step(&mut self) -> bool {
        let Some(((at, _), happening)) = self.agenda.pop_first() else { return false };
        self.now = self.now.max(at);
        match happening {
            Happening::Deliver { link, incarnation } => self.deliver(link, incarnation),
            Happening::Timeout { node } => {
                self.scheduled_timeouts.remove(&node);
                if let Some(run) = &mut self.nodes[node].run {
                    run.sync.handle_timeout(self.now);
                }
                self.drain(node);
            }
            Happening::Reconnect { a, b } => self.connect(a, b),
            Happening::Work { node, start, effect } => {
                if self.nodes[node].run.is_some() && self.nodes[node].starts == start {
                    self.nodes[node].work(self.now, *effect);
                    self.drain(node);
                }
            }
            Happening::Restart { node } => {
                if self.nodes[node].run.is_none() {
                    self.start(node);
                }
            }
        }
        true
    }

    fn connect(&mut self, a: usize, b: usize) {
        let running = self.nodes[a].run.is_some() && self.nodes[b].run.is_some();
        if !running || self.connections.contains_key(&(a, b)) {
            return;
        }
        if self.cut.contains(&(a, b)) {
            return self.at(3_000, Happening::Reconnect { a, b });
        }
        self.counter += 1;
        let incarnation = self.counter;
        self.connections.insert((a, b), incarnation);
        self.pairs.insert(incarnation, (a, b));
        for link in [(a, b), (b, a)] {
            self.links.insert(link, Link { incarnation, queue: VecDeque::new() });
        }
        for (from, to) in [(a, b), (b, a)] {
            let key = public_key(&self.nodes[to].identity.transport_key);
            // The first side may have crashed at once, and the connection with it.
            if self.connections.get(&(a, b)) == Some(&incarnation) {
                let session = session(incarnation);
                self.nodes[from].tell(self.now, Event::Connected { session, key });
                self.drain(from);
            }
        }
    }

    fn disconnect(&mut self, pair: (usize, usize)) {
        let Some(incarnation) = self.connections.remove(&pair) else { return };
        self.pairs.remove(&incarnation);
        let (a, b) = pair;
        self.links.remove(&(a, b));
        self.links.remove(&(b, a));
        for node in [a, b] {
            self.nodes[node].tell(self.now, Event::Disconnected { session: session(incarnation) });
            self.drain(node);
        }
        let delay = 100 + self.random.below(3_000);
        self.at(delay, Happening::Reconnect { a, b });
    }

    fn deliver(&mut self, link: (usize, usize), incarnation: u64) {
        let message = self
            .links
            .get_mut(&link)
            .filter(|live| live.incarnation == incarnation)
            .and_then(|live| live.queue.pop_front());
        let Some((kind, payload)) = message else { return };
        let to = link.1;
        self.nodes[to].tell(self.now, Event::Received { session: session(incarnation), kind, payload });
        self.drain(to);
    }

    /// Does a node's effects one by one; a crash may fall between any two.
    fn drain(&mut self, node: usize) {
        let mut effects = 0;
        while let Some(effect) = self.nodes[node].run.as_mut().and_then(|run| run.sync.poll_effect()) {
            effects += 1;
            assert!(effects < 100_000, "node {node} does not come to rest: {effect:?}");
            if self.weather.crashes && self.random.one_in(2_000) {
                return self.crash(node);
            }
            match self.nodes[node].perform(effect) {
                Some(Effect::Send { session, kind, payload }) => self.post(node, session, kind, payload),
                Some(Effect::Disconnect { session: gone, .. }) => {
                    if let Some(pair) = self.pairs.get(&gone.0) {
                        self.disconnect(*pair);
                    }
                }
                Some(effect) => {
                    let start = self.nodes[node].starts;
                    let delay = 1 + self.random.below(25);
                    self.at(delay, Happening::Work { node, start, effect: Box::new(effect) });
                }
                None => {}
            }
        }
        self.schedule_timeout(node);
    }

    fn schedule_timeout(&mut self, node: usize) {
        let due = self.nodes[node].run.as_ref().and_then(|run| run.sync.poll_timeout());
        if let Some(due) = due
            && self.scheduled_timeouts.get(&node).is_none_or(|at| due < *at)
        {
            let delay = due.since(self.now).max(1);
            self.scheduled_timeouts.insert(node, self.now.plus(delay));
            self.at(delay, Happening::Timeout { node });
        }
    }

    fn post(&mut self, from: usize, gone: SessionId, kind: u8, payload: Vec<u8>) {
        let Some(pair) = self.pairs.get(&gone.0).copied() else { return };
        let to = if pair.0 == from { pair.1 } else { pair.0 };
        let messages = match self.hostile.get_mut(&from) {
            Some(hostile) => hostile.twist(&self.nodes[from], (kind, payload), &mut self.random),
            None => vec![(kind, payload)],
        };
        for message in messages {
            if let Some(link) = self.links.get_mut(&(from, to)) {
                let incarnation = link.incarnation;
                link.queue.push_back(message);
                let delay = 1 + self.random.below(40);
                self.at(delay, Happening::Deliver { link: (from, to), incarnation });
            }
        }
    }

    /// What an honest node holds of honest towns.
    pub(crate) fn holdings(&self, node: usize) -> Holdings {
        let liars: BTreeSet<Town> =
            self.hostile.keys().map(|index| self.nodes[*index].identity.town).collect();
        self.nodes[node]
            .disk
            .documents
            .iter()
            .filter(|(_, stored)| !liars.contains(&stored.genesis.owner))
            .map(|(document, stored)| {
                let restored = stored.restore();
                let view = serde_json::to_value(restored.document().read_dataset().dataset)
                    .expect("a dataset is JSON");
                (*document, (restored.document().heads(), view))
            })
            .collect()
    }
}

fn session(incarnation: u64) -> SessionId {
    SessionId(incarnation)
}

/// Founds a federation of `count` towns with keys drawn from the seed.
pub(crate) fn found(random: &mut Random, count: usize) -> (Export, Vec<Identity>) {
    struct Keys {
        identity: SigningKey,
        node: SigningKey,
        transport: SigningKey,
        town: Town,
    }
    let towns: Vec<Keys> = (0..count)
        .map(|index| Keys {
            identity: SigningKey::from_bytes(&random.bytes()),
            node: SigningKey::from_bytes(&random.bytes()),
            transport: SigningKey::from_bytes(&random.bytes()),
            town: Town::parse(&format!("{:08}", 5_900_000 + index)).expect("eight digits"),
        })
        .collect();
    let member = |keys: &Keys| Member {
        town: keys.town,
        code: format!("town-{}", keys.town),
        name: format!("Stadt {}", keys.town),
        identity_keys: vec![public_key(&keys.identity)],
        required: 1,
        addresses: vec![address(&public_key(&keys.transport))],
    };
    let charter = Charter {
        format: FormatOne,
        name: "Datenkatalog der Simulation".into(),
        version: 1,
        previous: CharterHash::default(),
        other_heads: Vec::new(),
        members: towns.iter().map(member).collect(),
        partners: Vec::new(),
        thresholds: Thresholds::default_for(count),
        limits: Limits::default(),
        nonce: CharterNonce(random.bytes()),
        time: UnixMillis(1_767_225_600_000),
    };
    let mut charter = Signed::unsigned(charter);
    for keys in &towns {
        charter.sign(&keys.identity);
    }
    let federation = charter.founds().expect("version 1 founds");
    let mut export = Export { charters: vec![charter], ..Export::default() };
    let mut identities = Vec::new();
    for keys in towns {
        let certificate = NodeCertificate {
            format: FormatOne,
            federation,
            town: keys.town,
            serial: 1,
            node_key: public_key(&keys.node),
            transport_key: public_key(&keys.transport),
        };
        let certificate = Signed::new(certificate, &keys.identity);
        let id: CertificateHash = certificate.id();
        export.certificates.push(certificate);
        identities.push(Identity {
            town: keys.town,
            node_key: keys.node,
            transport_key: keys.transport,
            certificate: id,
            federation,
        });
    }
    (export, identities)
}

fn address(key: &PublicKey) -> String {
    format!("/ip4/127.0.0.1/tcp/4001/p2p/{}", peer_id::of_key(key))
}
