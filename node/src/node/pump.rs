//! The loop that joins the state machine with network and ledger.
//!
//! One task owns [`Sync`] and handles one closed set of inputs. It never waits
//! for the disk or for a peer: reads, judging and commits run elsewhere and
//! come back as inputs, and what a slow peer does not take yet waits in its own
//! bounded outbox. It decides nothing; that is `crdt::sync`'s.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crdt::authority::Authority;
use crdt::gate::Rejection;
use crdt::ids::{DocumentId, Millis, PublicKey, Town, UnixMillis};
use crdt::peer_id;
use crdt::sync::{DocumentChanges, Effect, Event, PeerReport, RequestId, SessionId, Sync, Want};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::handle::NodeHandle;
use crate::ledger::Committed;
use crate::network::{AllowedPeer, NetworkEvent, NetworkHandle, PeerKey, SessionId as Line, TrySendError};
use crate::view::{PeerStatus, Phase, TownInfo};

/// Inputs that may wait for the loop.
pub(super) const INPUTS: usize = 256;
/// Bytes that wait for one slow peer, at most; then its session ends.
const OUTBOX_BYTES_MAX: usize = 16 * 1_048_576;
/// How long a peer that is sent away stays away, at least.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// How long a node waits for towns that it has never heard of before it says
/// that it has everything.
const STRANGERS_WAIT: Duration = Duration::from_secs(30);
/// How often lags are shown anew while a peer lags.
const SHOW_EVERY: Duration = Duration::from_millis(250);

/// What happened inside the node.
#[derive(Debug)]
pub(super) enum Input {
    Committed(Committed),
    Loaded(RequestId, Vec<DocumentChanges>),
    Judged(RequestId, Vec<(DocumentId, Result<(), Rejection>)>),
}

/// What waits for one peer.
#[derive(Debug, Default)]
struct Outbox {
    messages: VecDeque<(u8, Vec<u8>)>,
    bytes: usize,
}

/// One session as the network and the state machine name it.
#[derive(Debug)]
struct Session {
    line: Line,
    town: Option<Town>,
    outbox: Outbox,
}

/// What is known of one other town beside its lag.
#[derive(Debug, Clone, Default)]
struct Acquaintance {
    connected: bool,
    address: Option<String>,
    last_seen: Option<UnixMillis>,
    failures: u64,
    last_failure: Option<String>,
}

/// The loop's parts.
pub(super) struct Pump {
    pub(super) sync: Sync,
    pub(super) network: NetworkHandle,
    pub(super) handle: NodeHandle,
    pub(super) inputs: mpsc::Receiver<Input>,
    pub(super) back: mpsc::Sender<Input>,
    /// How long a peer is waited for before publishing without having asked
    /// one, where a person has allowed that.
    pub(super) publish_after: Option<Duration>,
    /// How long peers are waited for before readers are served without any.
    pub(super) alone_after: Duration,
    /// Multiaddrs to dial besides the charter's.
    pub(super) dial: Vec<String>,
}

struct Running {
    parts: Pump,
    began: Instant,
    sessions: BTreeMap<SessionId, Session>,
    by_line: BTreeMap<Line, SessionId>,
    opened: u64,
    tasks: TaskTracker,
    known: BTreeMap<Town, Acquaintance>,
    authority_shown: [u8; 32],
    shown: Instant,
    lags_shown: BTreeMap<Town, u64>,
    news: bool,
    /// What the node holds is being found.
    becoming_ready: bool,
}

impl Pump {
    /// Runs until told to stop; then no task of the loop is left.
    pub(super) async fn run(self, mut network: mpsc::Receiver<NetworkEvent>, stop: CancellationToken) {
        let authority_shown = self.sync.authority().hash();
        let now = Instant::now();
        let mut running = Running {
            parts: self,
            began: now,
            sessions: BTreeMap::new(),
            by_line: BTreeMap::new(),
            opened: 0,
            tasks: TaskTracker::new(),
            known: BTreeMap::new(),
            authority_shown,
            shown: now,
            lags_shown: BTreeMap::new(),
            news: true,
            becoming_ready: false,
        };
        loop {
            running.perform().await;
            running.show();
            let due = running.due();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(input) = running.parts.inputs.recv() => running.input(input),
                Some(event) = network.recv() => running.network(event),
                () = tokio::time::sleep_until(due.into()) => {
                    let now = running.now();
                    running.parts.sync.handle_timeout(now);
                }
            }
        }
        running.tasks.close();
        running.tasks.wait().await;
    }
}

impl Running {
    fn now(&self) -> Millis {
        Millis(self.began.elapsed().as_millis() as u64)
    }

    /// When the loop must look again without being woken.
    fn due(&self) -> Instant {
        let idle = Duration::from_secs(3_600);
        let sync = self.parts.sync.poll_timeout().map(|at| self.began + Duration::from_millis(at.0));
        let lagging = self.parts.sync.peers().iter().any(|peer| peer.lag_changes > 0);
        let show = lagging.then(|| self.shown + SHOW_EVERY);
        let board = self.parts.handle.board();
        let waits = [Some(STRANGERS_WAIT), Some(self.parts.alone_after), self.parts.publish_after];
        let waits = waits.into_iter().flatten().map(|wait| self.began + wait);
        let now = Instant::now();
        let wait = waits.filter(|at| board.phase() != Phase::Ready && *at > now).min();
        [sync, show, wait].into_iter().flatten().min().unwrap_or_else(|| Instant::now() + idle)
    }

    fn tell(&mut self, event: Event) {
        let now = self.now();
        self.parts.sync.handle_event(now, event);
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Committed(Committed { documents, manifests, .. }) => {
                self.tell(Event::Committed { documents, manifests });
            }
            Input::Loaded(request, documents) => self.tell(Event::Loaded { request, documents }),
            Input::Judged(request, outcomes) => self.tell(Event::Judged { request, outcomes }),
        }
    }

    fn network(&mut self, event: NetworkEvent) {
        match event {
            NetworkEvent::Connected { peer, session, address } => self.connected(peer, session, address),
            NetworkEvent::Message { session, kind, payload } => {
                if let Some(id) = self.by_line.get(&session).copied() {
                    let town = self.sessions.get(&id).and_then(|session| session.town);
                    if let Some(peer) = town.and_then(|town| self.known.get_mut(&town)) {
                        peer.last_seen = Some(self.parts.handle.now());
                    }
                    self.tell(Event::Received { session: id, kind, payload });
                }
            }
            NetworkEvent::Drained { session } => {
                if let Some(id) = self.by_line.get(&session).copied() {
                    self.flush(id);
                }
            }
            NetworkEvent::Disconnected { session, reason, .. } => {
                let Some(id) = self.by_line.remove(&session) else { return };
                if let Some(gone) = self.sessions.remove(&id)
                    && let Some(town) = gone.town
                {
                    tracing::info!(peer = %town, %reason, "peer disconnected");
                    self.know(town, |peer| peer.connected = false);
                }
                self.tell(Event::Disconnected { session: id });
            }
            NetworkEvent::DialFailed { peer, addresses, error } => {
                if let Some(town) = self.town_of(&peer) {
                    self.know(town, |state| {
                        state.failures += 1;
                        state.address = addresses.first().cloned().or_else(|| state.address.take());
                        state.last_failure = Some(error);
                    });
                }
            }
            NetworkEvent::Refused { address, reason } => {
                tracing::warn!(%address, %reason, "connection refused");
            }
            NetworkEvent::Listening { address } => tracing::info!(%address, "listening for other towns"),
        }
    }

    fn town_of(&self, key: &PeerKey) -> Option<Town> {
        self.parts.sync.authority().town_of_transport_key(&PublicKey(*key))
    }

    fn connected(&mut self, peer: PeerKey, line: Line, address: String) {
        self.opened += 1;
        let id = SessionId(self.opened);
        let town = self.town_of(&peer);
        self.by_line.insert(line, id);
        self.sessions.insert(id, Session { line, town, outbox: Outbox::default() });
        if let Some(town) = town {
            tracing::info!(peer = %town, %address, "peer connected");
            let at = self.parts.handle.now();
            self.know(town, |state| {
                state.connected = true;
                state.address = Some(address);
                state.last_seen = Some(at);
            });
        }
        self.tell(Event::Connected { session: id, key: PublicKey(peer) });
    }

    fn know(&mut self, town: Town, news: impl FnOnce(&mut Acquaintance)) {
        news(self.known.entry(town).or_default());
        self.news = true;
    }

    /// Does all effects that the state machine has ready.
    async fn perform(&mut self) {
        while let Some(effect) = self.parts.sync.poll_effect() {
            match effect {
                Effect::Send { session, kind, payload } => self.post(session, kind, payload),
                Effect::Disconnect { session, reason } => self.hang_up(session, reason).await,
                Effect::Load { request, wants } => self.load(request, wants),
                Effect::Judge { request, carrier, documents } => self.judge(request, carrier, documents),
                Effect::StoreManifest { manifest, split } => {
                    if split {
                        let town = manifest.value().town;
                        tracing::error!(peer = %town, "the town has signed two manifests of one version");
                    }
                    let handle = self.parts.handle.clone();
                    self.tasks.spawn(async move {
                        if let Err(error) = handle.ledger().keep_manifest(manifest).await {
                            tracing::error!(%error, "failed to keep a manifest");
                        }
                    });
                }
                Effect::StoreAuthority(told) => {
                    let handle = self.parts.handle.clone();
                    self.tasks.spawn(async move {
                        if let Err(error) = handle.ledger().keep_authority(told).await {
                            tracing::error!(%error, "failed to keep charters and certificates");
                        }
                    });
                }
                Effect::Charged { town, reason } => {
                    tracing::warn!(peer = %town, %reason, "refused a message");
                    self.know(town, |peer| {
                        peer.failures += 1;
                        peer.last_failure = Some(reason);
                    });
                }
            }
        }
        self.follow_authority().await;
    }

    /// Lets the network know who may connect, when that changes.
    async fn follow_authority(&mut self) {
        let authority = self.parts.sync.authority();
        let hash = authority.hash();
        if hash == self.authority_shown {
            return;
        }
        self.authority_shown = hash;
        if let Err(error) = self.parts.network.set_peers(allowed_peers(authority, &self.parts.dial)).await {
            tracing::error!(%error, "failed to tell the network who may connect");
        }
    }

    fn post(&mut self, id: SessionId, kind: u8, payload: Vec<u8>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.outbox.bytes += payload.len();
        session.outbox.messages.push_back((kind, payload));
        if session.outbox.bytes > OUTBOX_BYTES_MAX {
            session.outbox = Outbox::default();
            let (network, line) = (self.parts.network.clone(), session.line);
            self.tasks.spawn(async move {
                // The session may have ended by itself meanwhile.
                let _ = network.disconnect(line, "the peer takes no messages", None).await;
            });
            return;
        }
        self.flush(id);
    }

    /// Hands the network what it takes now.
    fn flush(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        while let Some((kind, payload)) = session.outbox.messages.pop_front() {
            let size = payload.len();
            match self.parts.network.try_send(session.line, kind, payload) {
                Ok(()) => session.outbox.bytes -= size,
                Err(TrySendError::Full { payload, .. }) => {
                    session.outbox.messages.push_front((kind, payload));
                    return;
                }
                Err(TrySendError::Send(error)) => {
                    tracing::debug!(%error, "message not sent");
                    session.outbox.bytes -= size;
                }
            }
        }
    }

    async fn hang_up(&mut self, id: SessionId, reason: String) {
        let Some(session) = self.sessions.get(&id) else { return };
        let (line, town) = (session.line, session.town);
        tracing::warn!(peer = ?town, %reason, "ending the session");
        if let Some(town) = town {
            self.know(town, |peer| peer.last_failure = Some(reason.clone()));
        }
        // The session may have ended by itself meanwhile.
        let _ = self.parts.network.disconnect(line, reason, Some(PAUSE_MIN)).await;
    }

    fn load(&mut self, request: RequestId, wants: Vec<Want>) {
        let (handle, back) = (self.parts.handle.clone(), self.parts.back.clone());
        self.tasks.spawn_blocking(move || {
            let documents = handle.load(&wants).unwrap_or_else(|error| {
                tracing::error!(%error, "failed to read changes for a peer");
                Vec::new()
            });
            // The loop is gone only when the node stops.
            let _ = back.blocking_send(Input::Loaded(request, documents));
        });
    }

    fn judge(&mut self, request: RequestId, carrier: Town, documents: Vec<DocumentChanges>) {
        let (handle, back) = (self.parts.handle.clone(), self.parts.back.clone());
        self.tasks.spawn(async move {
            let outcomes = handle.ledger().admit(carrier, documents).await.unwrap_or_else(|error| {
                tracing::error!(%error, peer = %carrier, "failed to admit changes");
                Vec::new()
            });
            for (document, outcome) in &outcomes {
                if let Err(rejection) = outcome {
                    tracing::warn!(%document, peer = %carrier, code = %rejection.code, detail = %rejection.detail, "refused a change");
                }
            }
            let _ = back.send(Input::Judged(request, outcomes)).await;
        });
    }

    /// Lets the town publish once it knows what it said before, and readers
    /// harvest once the node has what the others have. A town that finds nobody
    /// serves what it holds: only publishing asks for a person's word then.
    fn catch_up(&mut self) {
        let elapsed = self.began.elapsed();
        let told = self.parts.publish_after.is_some_and(|after| elapsed >= after);
        let caught_up = told || self.parts.sync.is_caught_up();
        if caught_up {
            self.parts.handle.allow_publishing(true);
        }
        let board = self.parts.handle.board();
        if board.phase() == Phase::Ready || self.becoming_ready {
            return;
        }
        let alone = self.sessions.is_empty() && elapsed >= self.parts.alone_after;
        let met = !self.parts.sync.has_strangers() || elapsed >= STRANGERS_WAIT;
        if told || alone || (caught_up && met && self.parts.sync.is_level()) {
            self.becoming_ready = true;
            let handle = self.parts.handle.clone();
            self.tasks.spawn_blocking(move || handle.become_ready());
        }
    }

    /// Writes on the board how things stand, at once what is news and now and
    /// then what merely grows older.
    fn show(&mut self) {
        self.catch_up();
        let reports = self.parts.sync.peers();
        if !self.news && !self.is_stale(&reports) {
            return;
        }
        let lags: BTreeMap<Town, &PeerReport> = reports.iter().map(|report| (report.town, report)).collect();
        let own = self.parts.handle.town().town;
        let others = self.parts.handle.members().into_iter().filter(|info| info.town != own);
        let peers = others.map(|info| self.status(info, &lags)).collect();
        let board = self.parts.handle.board();
        board.set_peers(peers);
        board.set_judging(reports.iter().map(|report| report.fetching as u64).sum());
        self.lags_shown = reports.iter().map(|report| (report.town, report.lag_changes)).collect();
        self.shown = Instant::now();
        self.news = false;
    }

    /// Whether the lags on the board are not those of now.
    fn is_stale(&self, reports: &[PeerReport]) -> bool {
        let lag = |report: &PeerReport| (report.town, report.lag_changes);
        let changed = reports.iter().map(lag).collect::<BTreeMap<_, _>>() != self.lags_shown;
        let lagging = reports.iter().any(|report| report.lag_changes > 0);
        changed || (lagging && self.shown.elapsed() >= SHOW_EVERY)
    }

    fn status(&self, info: TownInfo, lags: &BTreeMap<Town, &PeerReport>) -> PeerStatus {
        let known = self.known.get(&info.town).cloned().unwrap_or_default();
        let report = lags.get(&info.town);
        let since = report.filter(|report| report.lag_changes > 0).and_then(|report| report.lag_since);
        PeerStatus {
            connected: known.connected,
            address: known.address,
            lag_changes: report.map_or(0, |report| report.lag_changes),
            lag_seconds: since.map_or(0, |since| self.now().since(since) / 1_000),
            last_seen: known.last_seen,
            failures: known.failures,
            last_failure: known.last_failure,
            datasets: 0,
            info,
        }
    }
}

/// Who may connect: the transport keys of all members, with the addresses that
/// the charter and the operator name.
pub(super) fn allowed_peers(authority: &Authority, dial: &[String]) -> Vec<AllowedPeer> {
    let keys = authority.transport_keys().into_values().flatten();
    let with_dialed = |(key, mut addresses): (PublicKey, Vec<String>)| {
        let of_key = dial.iter().filter(|address| peer_id::key_of_address(address) == Some(key));
        addresses.extend(of_key.cloned());
        AllowedPeer { key: key.0, addresses }
    };
    keys.map(with_dialed).collect()
}
