//! Decides what two nodes say until they hold the same changes.
//!
//! [`Sync`] performs no I/O and reads no clock. Tell it what happened with
//! [`Sync::handle_event`], then drain [`Sync::poll_effect`]; call
//! [`Sync::handle_timeout`] at the instant [`Sync::poll_timeout`] names.
//!
//! ```text
//! network, store, gate ──> Event ──> Sync ──> Effect ──> network, store, gate
//! ```
//!
//! Both sides of a session pull. A set is one town's documents for one
//! audience; where two roots differ, buckets, then leaves are compared, and
//! what is lacking is asked for; parts of which nothing is held are fetched
//! whole. What has just changed is told at once.
//!
//! # Invariants
//!
//! - A change reaches a peer only after it is durable here: what is told comes
//!   from [`Event::Committed`].
//! - A set is spoken of only with its town and with those whom its audience
//!   includes; "not yours" and "does not exist" are one answer.
//! - Connected nodes that exchange messages without loss end with equal sets,
//!   whatever the order of edits, disconnections and restarts before (I1).
//! - A peer can make us hold at most [`WINDOW_DOCUMENTS`] documents and
//!   [`QUEUE_MAX`] leaves of [`QUEUE_BYTES_MAX`] bytes that are not judged (I6).
//! - A peer that answers slowly, or not, keeps a document or a comparison from
//!   the others for [`PATIENCE_MS`] at most.
//!
//! The bytes are specified in `docs/protocol.md` sections 10 and 11.

mod announce;
mod budget;
mod fetch;
mod message;
mod pull;
mod serve;
mod session;

pub use budget::{BLOCK_MS, BLOCK_MS_MAX, FAILURES_MAX, WINDOW_MS};
pub use message::{
    CHANGES_BYTES_TARGET, DocumentChanges, Entries, HaveSet, Hello, MESSAGE_BYTES_MAX, Message, SetKey,
    WANTS_MAX, Want,
};
pub use serve::changes_after;
pub use session::SessionId;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use budget::Budget;
use fetch::Asked;
use session::Session;

use crate::{
    audience::Audience,
    authority::{Authority, Export},
    gate::Rejection,
    ids::{BootNonce, DocumentId, Millis, PublicKey, Town},
    inventory::{Holding, Inventory, NodeHash},
    manifest::{Manifest, ManifestStore},
    signed::Signed,
};

/// Protocol level that this build speaks.
pub const LEVEL: u8 = 1;
/// Documents of one session that are asked for or being judged, at most.
pub const WINDOW_DOCUMENTS: usize = 2 * WANTS_MAX;
/// Leaves of one session that wait to be asked for, at most.
pub const QUEUE_MAX: usize = 8_192;
/// Bytes of these leaves' frontiers, at most.
pub const QUEUE_BYTES_MAX: usize = 2 * 1_048_576;
/// Sets of one town that peers may tell of, at most.
pub const SETS_PER_TOWN_MAX: usize = 64;
/// Bytes of changes that answer one Want, at most; what is left is asked for again.
pub const WANT_BYTES_MAX: usize = 1_048_576;
/// Changed leaves that one Have names; more make the peer compare the set.
pub const LEAVES_MAX: usize = 32;
/// Milliseconds without an answer after which a session is given up.
pub const STALL_MS: u64 = 30_000;
/// Milliseconds between two pulses.
pub const PULSE_MS: u64 = 60_000;
/// Milliseconds between two whole comparisons of one set with one peer.
pub const COMPARE_MS: u64 = 2_000;
/// Milliseconds for which one peer may keep a document or a comparison from the others.
pub const PATIENCE_MS: u64 = 10_000;
/// Milliseconds by which news of bulk work is held back, to be told at once.
pub const BULK_MS: u64 = 500;

/// Ties an effect to the event that answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The transport has an authenticated session with the owner of `key`.
    Connected {
        /// The session.
        session: SessionId,
        /// The peer's transport key.
        key: PublicKey,
    },
    /// A message came.
    Received {
        /// The session.
        session: SessionId,
        /// Type of the message.
        kind: u8,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// A session ended.
    Disconnected {
        /// The session.
        session: SessionId,
    },
    /// Something is durable here, made here or admitted from a peer.
    Committed {
        /// Documents whose holding is new.
        documents: Vec<CommittedDocument>,
        /// Manifests issued here.
        manifests: Vec<Signed<Manifest>>,
    },
    /// Answers [`Effect::Load`].
    Loaded {
        /// The effect's request.
        request: RequestId,
        /// What was found, in the order of the wants.
        documents: Vec<DocumentChanges>,
    },
    /// Answers [`Effect::Judge`]; what was admitted has been committed before.
    Judged {
        /// The effect's request.
        request: RequestId,
        /// One outcome a document.
        outcomes: Vec<(DocumentId, Result<(), Rejection>)>,
    },
}

/// A document's new holding.
#[derive(Debug, Clone)]
pub struct CommittedDocument {
    /// Whose it is.
    pub town: Town,
    /// For whom it is.
    pub audience: Audience,
    /// The document.
    pub document: DocumentId,
    /// Its newest epoch and what is held of it.
    pub holding: Holding,
}

/// What to do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "effects are drained one by one and not stored")]
pub enum Effect {
    /// Send a message.
    Send {
        /// Over which session.
        session: SessionId,
        /// Type of the message.
        kind: u8,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// End a session.
    Disconnect {
        /// The session.
        session: SessionId,
        /// Why, for people.
        reason: String,
    },
    /// Read changes for a peer: for each want those after its frontier, in
    /// causal order, together at most [`WANT_BYTES_MAX`] (but whole changes,
    /// and one at least); what is left is marked as more.
    Load {
        /// Answered by [`Event::Loaded`].
        request: RequestId,
        /// The wants, all of documents that the peer may have.
        wants: Vec<Want>,
    },
    /// Judge documents from a peer and commit what is admitted.
    Judge {
        /// Answered by [`Event::Judged`].
        request: RequestId,
        /// Who carried them.
        carrier: Town,
        /// The documents.
        documents: Vec<DocumentChanges>,
    },
    /// Keep a manifest of another town.
    StoreManifest {
        /// The manifest, already accepted.
        manifest: Signed<Manifest>,
        /// Two manifests of one version: somebody shows different views.
        split: bool,
    },
    /// Keep charters, certificates and revocations, already accepted.
    StoreAuthority(Export),
    /// A peer did something wrong; for counters and logs.
    Charged {
        /// The peer's town.
        town: Town,
        /// What.
        reason: String,
    },
}

/// One set as held here.
#[derive(Debug)]
struct SetState {
    audience: Audience,
    inventory: Inventory,
    /// Documents committed since the last announcement.
    changed: BTreeSet<DocumentId>,
    announce_at: Option<Millis>,
    /// The session with which the set is being compared.
    puller: Option<SessionId>,
}

impl SetState {
    fn new(audience: Audience) -> Self {
        Self {
            audience,
            inventory: Inventory::default(),
            changed: BTreeSet::new(),
            announce_at: None,
            puller: None,
        }
    }
}

/// Who fetches a document.
#[derive(Debug, Clone, Copy)]
struct Claim {
    session: SessionId,
    /// When others may ask too; never while it is judged here.
    until: Option<Millis>,
}

/// How a peer stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerReport {
    /// The session.
    pub session: SessionId,
    /// The peer's transport key.
    pub key: PublicKey,
    /// The peer's town.
    pub town: Town,
    /// The peer has told how all its sets stand.
    pub introduced: bool,
    /// Changes that we hold and the peer lacks, as far as it has told.
    pub lag_changes: u64,
    /// Since when the peer lacks something.
    pub lag_since: Option<Millis>,
    /// Documents that are being fetched from the peer.
    pub fetching: usize,
    /// What the peer did wrong since the start.
    pub failures: u64,
}

/// The state machine.
#[derive(Debug)]
pub struct Sync {
    town: Town,
    boot: BootNonce,
    authority: Authority,
    sets: BTreeMap<SetKey, SetState>,
    manifests: ManifestStore,
    sessions: BTreeMap<SessionId, Session>,
    budgets: BTreeMap<PublicKey, Budget>,
    /// Documents asked for or being judged, whoever carries them.
    busy: BTreeMap<DocumentId, Claim>,
    /// When a document that another session claims may be asked for all the same.
    retry_at: Option<Millis>,
    effects: VecDeque<Effect>,
    requests: u64,
    /// Answers that were too long and were cut: the next begins elsewhere.
    turns: usize,
    caught_up: bool,
}

impl Sync {
    /// A node of `town` that holds `documents` and `manifests`.
    pub fn new(
        town: Town,
        boot: BootNonce,
        authority: Authority,
        documents: impl IntoIterator<Item = CommittedDocument>,
        manifests: impl IntoIterator<Item = Signed<Manifest>>,
    ) -> Self {
        let mut sync = Self {
            town,
            boot,
            authority,
            sets: BTreeMap::new(),
            manifests: ManifestStore::default(),
            sessions: BTreeMap::new(),
            budgets: BTreeMap::new(),
            busy: BTreeMap::new(),
            retry_at: None,
            effects: VecDeque::new(),
            requests: 0,
            turns: 0,
            caught_up: false,
        };
        for document in documents {
            sync.hold(document, &mut BTreeSet::new());
        }
        for manifest in manifests {
            // What was accepted before a revocation may no longer count.
            let _ = sync.manifests.accept(manifest, &sync.authority);
        }
        sync
    }

    /// The charters and certificates that count.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Takes in what happened.
    pub fn handle_event(&mut self, now: Millis, event: Event) {
        match event {
            Event::Connected { session, key } => self.connected(now, session, key),
            Event::Received { session, kind, payload } => self.received(now, session, kind, &payload),
            Event::Disconnected { session } => self.disconnected(now, session),
            Event::Committed { documents, manifests } => self.committed(now, documents, manifests),
            Event::Loaded { request, documents } => self.loaded(request, documents),
            Event::Judged { request, outcomes } => self.judged(now, request, outcomes),
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.announce_due(now);
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            if session.is_waiting() && now.since(session.progress) >= STALL_MS {
                self.charge(now, id, "no answer within 30 seconds");
                self.disconnect(now, id, "no answer within 30 seconds");
                continue;
            }
            if session.greeted && now >= session.next_pulse {
                session.next_pulse = now.plus(PULSE_MS);
                self.send_pulse(id);
            }
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.pump_all(now);
        }
        self.compare_all(now);
    }

    /// What to do next, if anything.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Sync::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Millis> {
        let announcements = self.sets.values().filter_map(|set| set.announce_at);
        let sessions = self.sessions.values().flat_map(|session| {
            let stall = session.is_waiting().then(|| session.progress.plus(STALL_MS));
            let pulse = session.greeted.then_some(session.next_pulse);
            [stall, pulse].into_iter().flatten().chain(self.comparison_due(session))
        });
        announcements.chain(sessions).chain(self.retry_at).min()
    }

    /// Whether the town's own sets have been compared with a peer since the
    /// start, so that it may issue manifests again (design section 7). A town
    /// that is alone in its federation has nobody to ask.
    ///
    /// Once it has, it stays so: only this node makes new changes of its town.
    pub fn is_caught_up(&mut self) -> bool {
        self.caught_up = self.caught_up || self.is_alone() || self.has_compared_own_sets();
        self.caught_up
    }

    /// Whether all that the connected peers have told of is held or has been
    /// compared: until then a reader would be shown less than there is.
    pub fn is_level(&mut self) -> bool {
        let roots: BTreeMap<SetKey, NodeHash> =
            self.sets.iter_mut().map(|(set, state)| (*set, state.inventory.root())).collect();
        self.sessions.values().all(|session| {
            session.introduced
                && session.remote.iter().all(|(set, remote)| !remote.may_hold_more(roots.get(set)))
        })
    }

    /// Whether a member town has never been heard of, neither by itself nor
    /// through others: nobody can say yet what it holds.
    pub fn has_strangers(&self) -> bool {
        let open = Audience::Open.hash();
        let known = |town: &Town| {
            *town == self.town
                || self.manifests.newest(town, &open).is_some()
                || self.sessions.values().any(|session| session.town == *town && session.introduced)
        };
        !self.authority.charter().members.iter().all(|member| known(&member.town))
    }

    fn is_alone(&self) -> bool {
        self.authority.charter().members.iter().all(|member| member.town == self.town)
    }

    fn has_compared_own_sets(&mut self) -> bool {
        let roots: BTreeMap<SetKey, NodeHash> = self
            .sets
            .iter_mut()
            .filter(|(set, _)| set.town == self.town)
            .map(|(set, state)| (*set, state.inventory.root()))
            .collect();
        self.sessions.values().any(|session| {
            let mut own = session.remote.iter().filter(|(set, _)| set.town == self.town);
            session.introduced && own.all(|(set, remote)| !remote.may_hold_more(roots.get(set)))
        })
    }

    /// How the connected peers stand.
    pub fn peers(&self) -> Vec<PeerReport> {
        let report = |(id, session): (&SessionId, &Session)| PeerReport {
            session: *id,
            key: session.key,
            town: session.town,
            introduced: session.introduced,
            lag_changes: self.lag(session),
            lag_since: session.remote.values().filter_map(|remote| remote.behind_since).min(),
            fetching: session.queue.len() + session.wanted.len(),
            failures: self.budgets.get(&session.key).map_or(0, Budget::total),
        };
        self.sessions.iter().map(report).collect()
    }

    /// Roots of all sets for everyone, by town.
    pub fn open_roots(&mut self) -> BTreeMap<Town, NodeHash> {
        let open = Audience::Open.hash();
        self.sets
            .iter_mut()
            .filter(|(set, state)| set.audience == open && !state.inventory.is_empty())
            .map(|(set, state)| (set.town, state.inventory.root()))
            .collect()
    }

    fn lag(&self, session: &Session) -> u64 {
        self.sets
            .iter()
            .filter(|(set, state)| self.may_see(session.town, set, state))
            .map(|(set, state)| {
                let held = session.remote.get(set).map_or(0, |remote| remote.changes);
                state.inventory.changes().saturating_sub(held)
            })
            .sum()
    }

    /// Whether a set may be spoken of with a town at all.
    fn may_see(&self, town: Town, set: &SetKey, state: &SetState) -> bool {
        set.town == town || state.audience.includes_town(&town)
    }

    fn manifest_version(&self, set: &SetKey) -> u64 {
        self.manifests.newest(&set.town, &set.audience).map_or(0, |manifest| manifest.value().version)
    }

    fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    fn send(&mut self, session: SessionId, message: &Message) {
        let (kind, payload) = message.encode();
        self.effects.push_back(Effect::Send { session, kind, payload });
    }

    fn connected(&mut self, now: Millis, id: SessionId, key: PublicKey) {
        let Some(town) = self.authority.town_of_transport_key(&key) else {
            let reason = "the peer's key is in no charter and no certificate".into();
            self.effects.push_back(Effect::Disconnect { session: id, reason });
            return;
        };
        if self.budgets.get(&key).is_some_and(|budget| budget.is_blocked(now)) {
            let reason = "the peer is blocked for a while after too many failures".into();
            self.effects.push_back(Effect::Disconnect { session: id, reason });
            return;
        }
        self.sessions.insert(id, Session::new(key, town, now));
        self.send_hello(id);
    }

    fn disconnected(&mut self, now: Millis, id: SessionId) {
        if let Some(session) = self.sessions.remove(&id) {
            self.busy.retain(|_, claim| claim.session != id);
            if let Some(pull) = session.pull {
                self.end_pull(id, &pull.set);
            }
            self.pump_all(now);
        }
    }

    /// Ends a session. It is forgotten at once: what it had asked for is free
    /// for others, and what still comes over it is not read.
    fn disconnect(&mut self, now: Millis, id: SessionId, reason: &str) {
        if self.sessions.contains_key(&id) {
            self.effects.push_back(Effect::Disconnect { session: id, reason: reason.to_owned() });
            self.disconnected(now, id);
        }
    }

    /// Counts a failure of a peer; blocks it when there were too many.
    fn charge(&mut self, now: Millis, id: SessionId, reason: impl Into<String>) {
        let Some(session) = self.sessions.get(&id) else { return };
        let (key, town) = (session.key, session.town);
        self.effects.push_back(Effect::Charged { town, reason: reason.into() });
        if self.budgets.entry(key).or_default().charge(now).is_some() {
            self.disconnect(now, id, "too many failures within a minute");
        }
    }

    fn received(&mut self, now: Millis, id: SessionId, kind: u8, payload: &[u8]) {
        let Some(session) = self.sessions.get(&id) else { return };
        let message = match Message::decode(kind, payload) {
            Ok(message) => message,
            Err(error) => return self.charge(now, id, format!("malformed message of type {kind}: {error}")),
        };
        if !session.greeted && !matches!(message, Message::Hello(_)) {
            return self.charge(now, id, "a message before the hello");
        }
        match message {
            Message::Hello(hello) => self.hello(now, id, &hello),
            Message::Authority(records) => self.authority_received(now, id, records),
            Message::Have(sets) => self.have(now, id, sets),
            Message::AskBuckets(set) => self.ask_buckets(now, id, set),
            Message::Buckets(set, hashes) => self.buckets(now, id, set, &hashes),
            Message::AskEntries(set, prefixes) => self.ask_entries(now, id, set, prefixes),
            Message::Entries(entries) => self.entries(now, id, entries),
            Message::Want(wants) => self.want(now, id, wants),
            Message::Changes(documents) => self.changes(now, id, documents),
            Message::Absent(documents) => self.absent(now, id, &documents),
            // The owner's receipts are shown when withdrawal gets its command;
            // until then nobody sends one, and one that comes changes nothing.
            Message::Receipts(_) => self.charge(now, id, "a receipt for no withdrawal of ours"),
            Message::Pulse(hash) => self.pulse(now, id, hash),
            Message::Fetch(set, prefix) => self.fetch(now, id, set, prefix),
            Message::Fetched(set, prefix) => self.fetched(now, id, set, prefix),
        }
    }

    /// Enters a document's holding, taking it out of another audience's set.
    /// Adds the sets that changed to `touched`.
    fn hold(&mut self, committed: CommittedDocument, touched: &mut BTreeSet<SetKey>) -> SetKey {
        let key = SetKey { town: committed.town, audience: committed.audience.hash() };
        for (other, state) in &mut self.sets {
            if *other != key
                && other.town == key.town
                && state.inventory.remove(&committed.document).is_some()
            {
                touched.insert(*other);
            }
        }
        let state = self.sets.entry(key).or_insert_with(|| SetState::new(committed.audience));
        state.inventory.insert(committed.document, committed.holding);
        touched.insert(key);
        key
    }

    /// Notes at every session how a set that changed here stands there.
    fn settle(&mut self, now: Millis, set: &SetKey) {
        let Some(state) = self.sets.get_mut(set) else { return };
        let root = state.inventory.root();
        for session in self.sessions.values_mut() {
            session.settle(now, set, &root);
        }
    }
}
