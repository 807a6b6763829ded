//! The network's loop: one task that owns the swarm, the list of peers and the
//! sessions, and never waits for the node.
//!
//! Sessions run in tasks of their own (`session.rs`); what is decided about a
//! single peer is decided in `peers.rs`. Nothing here looks into a message.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt as _;
use libp2p::core::ConnectedPoint;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{ConnectionId, DialError, Stream, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, ping};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::key::{self, ADDRESSES_PER_PEER_MAX, AddressError, PeerKey};
use super::peers::{Choice, Dial, Link, Peer};
use super::session::{DisconnectReason, Room, Session};
use super::stream::{self, StreamEvent};
use super::swarm::{self, Behaviour, BehaviourEvent, chain, check_free, dial_options, dial_problem, refusal};
use super::transport::AllowList;
use super::{
    AllowedPeer, NetworkConfig, NetworkError, NetworkEvent, Outlet, SEND_QUEUE_MESSAGES, SessionId, Shared,
    Timing, write,
};

/// Events of the loop itself that wait for the node; later ones are dropped.
const OUTBOX_MAX: usize = 256;

/// Ended sessions whose end the loop has not seen.
const ENDED_QUEUE: usize = 64;

/// Longest time a peer can be paused for.
const PAUSE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What a handle asks for.
#[derive(Debug)]
pub(super) enum Command {
    Disconnect { session: SessionId, reason: String, pause: Option<Duration> },
    SetPeers { peers: Vec<AllowedPeer>, done: oneshot::Sender<()> },
}

/// A session that runs.
struct Live {
    peer: PeerId,
    connection: ConnectionId,
    since: Instant,
    stop: Option<oneshot::Sender<DisconnectReason>>,
    task: Option<JoinHandle<()>>,
}

pub(super) struct Manager {
    local: PeerId,
    timing: Timing,
    swarm: Swarm<Behaviour>,
    allowed: AllowList,
    peers: BTreeMap<PeerId, Peer>,
    sessions: BTreeMap<SessionId, Live>,
    last_session: u64,
    shared: Arc<Shared>,
    events: mpsc::Sender<NetworkEvent>,
    outbox: VecDeque<NetworkEvent>,
    commands: mpsc::Receiver<Command>,
    ended: mpsc::Receiver<SessionId>,
    tell_ended: mpsc::Sender<SessionId>,
}

impl Manager {
    pub(super) fn new(
        config: &NetworkConfig,
        shared: Arc<Shared>,
        events: mpsc::Sender<NetworkEvent>,
        commands: mpsc::Receiver<Command>,
    ) -> Result<Self, NetworkError> {
        let allowed = AllowList::default();
        let (tell_ended, ended) = mpsc::channel(ENDED_QUEUE);
        Ok(Self {
            local: config.key.peer_id(),
            timing: config.timing.clone(),
            swarm: swarm::build(config, allowed.clone())?,
            allowed,
            peers: BTreeMap::new(),
            sessions: BTreeMap::new(),
            last_session: 0,
            shared,
            events,
            outbox: VecDeque::new(),
            commands,
            ended,
            tell_ended,
        })
    }

    /// Listens on every address and waits until it does.
    pub(super) async fn listen(&mut self, addresses: &[String]) -> Result<(), NetworkError> {
        let mut waiting = BTreeMap::new();
        for address in addresses {
            let parsed = key::parse_address(address, None)?;
            let refused = |error: &(dyn std::error::Error + 'static)| NetworkError::Listen {
                address: address.clone(),
                problem: chain(error),
            };
            check_free(&parsed).map_err(|error| refused(&error))?;
            let listener = self.swarm.listen_on(parsed).map_err(|error| refused(&error))?;
            waiting.insert(listener.to_string(), (listener, address));
        }
        let patience = Instant::now() + self.timing.handshake_timeout;
        while let Some((_, address)) = waiting.values().next() {
            let next = timeout_at(patience, self.swarm.select_next_some()).await;
            let event = next.map_err(|_| NetworkError::Listen {
                address: (*address).clone(),
                problem: "the system does not answer".to_owned(),
            })?;
            if let Some((listener, end)) = listener_news(&event)
                && let Some((_, address)) = waiting.remove(&listener.to_string())
                && let Some(problem) = end
            {
                return Err(NetworkError::Listen { address: address.clone(), problem });
            }
            self.on_swarm(event);
        }
        Ok(())
    }

    /// Runs until `shutdown`.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let due = self.act_on_time();
            tokio::select! {
                () = shutdown.cancelled() => break,
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(command) = self.commands.recv() => self.on_command(command),
                Some(session) = self.ended.recv() => self.on_session_ended(session),
                Ok(permit) = self.events.clone().reserve_owned(), if !self.outbox.is_empty() => {
                    if let Some(event) = self.outbox.pop_front() {
                        permit.send(event);
                    }
                }
                () = wait_until(due) => {}
            }
        }
        for live in self.sessions.values_mut() {
            live.stop(DisconnectReason::Shutdown);
        }
        write(&self.shared.outlets).clear();
    }

    /// Puts a new list of peers in force.
    pub(super) fn set_peers(&mut self, list: Vec<AllowedPeer>) {
        let now = Instant::now();
        let mut next = BTreeMap::new();
        for AllowedPeer { key, addresses } in list {
            let id = match key::peer_id(&key) {
                Ok(id) if id == self.local => continue,
                Ok(id) => id,
                Err(error) => {
                    self.tell_unusable(key, addresses, &error);
                    continue;
                }
            };
            let known = next.remove(&id).or_else(|| self.peers.remove(&id));
            let mut peer = known.unwrap_or_else(|| Peer::new(key));
            let addresses = self.usable_addresses(key, id, addresses);
            if peer.addresses != addresses {
                peer.addresses = addresses;
                peer.backoff.reset();
                if peer.links.is_empty() && peer.dial != Dial::UnderWay {
                    peer.dial = Dial::At(now);
                }
            }
            next.insert(id, peer);
        }
        for (id, _) in std::mem::replace(&mut self.peers, next) {
            self.stop_sessions_of(&id, || DisconnectReason::NotAllowed);
            // Also ends a dial that is under way.
            let _ = self.swarm.disconnect_peer_id(id);
        }
        *write(&self.shared.stats) =
            self.peers.values().map(|peer| (peer.key, Arc::clone(&peer.stats))).collect();
        self.update_allowed();
    }

    fn usable_addresses(&mut self, key: PeerKey, id: PeerId, addresses: Vec<String>) -> Vec<Multiaddr> {
        let mut usable = Vec::new();
        for address in addresses.into_iter().take(ADDRESSES_PER_PEER_MAX) {
            match key::parse_address(&address, Some(id)) {
                Ok(parsed) => usable.push(parsed),
                Err(error) => self.tell_unusable(key, vec![address], &error),
            }
        }
        usable
    }

    fn tell_unusable(&mut self, peer: PeerKey, addresses: Vec<String>, error: &AddressError) {
        self.tell(NetworkEvent::DialFailed { peer, addresses, error: error.to_string() });
    }

    fn update_allowed(&self) {
        let allowed: BTreeSet<PeerId> =
            self.peers.iter().filter(|(_, peer)| peer.paused_until.is_none()).map(|(id, _)| *id).collect();
        self.allowed.replace(allowed);
    }

    /// Does what is due and says when something is due next.
    fn act_on_time(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let mut returned = false;
        let mut failed = Vec::new();
        for (id, peer) in &mut self.peers {
            if peer.paused_until.is_some_and(|until| until <= now) {
                peer.paused_until = None;
                returned = true;
            }
            if !matches!(peer.dial, Dial::At(at) if at <= now) || peer.paused_until.is_some() {
                continue;
            }
            peer.dial = Dial::Idle;
            if !peer.links.is_empty() || peer.addresses.is_empty() {
                continue;
            }
            match self.swarm.dial(dial_options(*id, peer.addresses.clone())) {
                Ok(()) => peer.dial = Dial::UnderWay,
                Err(DialError::DialPeerConditionFalse(_)) => peer.plan_dial(now, &self.timing),
                Err(error) => failed.push((*id, error)),
            }
        }
        if returned {
            self.update_allowed();
        }
        for (id, error) in failed {
            self.on_dial_failed(&id, &error);
        }
        self.peers.values().filter_map(Peer::due).min()
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::SetPeers { peers, done } => {
                self.set_peers(peers);
                // The caller may have stopped waiting.
                let _ = done.send(());
            }
            Command::Disconnect { session, reason, pause } => self.disconnect(session, reason, pause),
        }
    }

    fn disconnect(&mut self, session: SessionId, reason: String, pause: Option<Duration>) {
        let Some(live) = self.sessions.get_mut(&session) else {
            return;
        };
        let (id, connection) = (live.peer, live.connection);
        live.stop(DisconnectReason::Local(reason));
        self.close(&id, connection);
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if let Some(pause) = pause {
            peer.paused_until = Some(Instant::now() + pause.min(PAUSE_MAX));
            self.update_allowed();
            let _ = self.swarm.disconnect_peer_id(id);
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, &endpoint)
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                let reason =
                    cause.map_or(DisconnectReason::Closed, |cause| DisconnectReason::Lost(chain(&cause)));
                self.on_closed(&peer_id, connection_id, reason);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.on_dial_failed(&peer, &error)
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => self
                .tell(NetworkEvent::Refused { address: send_back_addr.to_string(), reason: refusal(&error) }),
            SwarmEvent::NewListenAddr { address, .. } => {
                let address = address.with(Protocol::P2p(self.local)).to_string();
                write(&self.shared.listening).push(address.clone());
                self.tell(NetworkEvent::Listening { address });
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                let address = address.with(Protocol::P2p(self.local)).to_string();
                write(&self.shared.listening).retain(|known| *known != address);
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "listening for peers is disturbed");
            }
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Stream(StreamEvent::Open { peer, connection, stream }) => {
                self.on_stream(peer, connection, stream)
            }
            BehaviourEvent::Stream(StreamEvent::Failed { peer, connection, error }) => {
                self.on_stream_failed(&peer, connection, error)
            }
            BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result: Err(ping::Failure::Timeout | ping::Failure::Other { .. }),
            }) => {
                self.stop_session_on(connection, DisconnectReason::Silent);
                self.close(&peer, connection);
            }
            BehaviourEvent::Ping(_) | BehaviourEvent::Identify(_) => {}
            BehaviourEvent::Limits(never) | BehaviourEvent::Crowd(never) => match never {},
        }
    }

    fn on_connected(&mut self, id: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let now = Instant::now();
        let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.paused_until.is_none()) else {
            // Taken off the list during the handshake.
            self.swarm.close_connection(connection);
            return;
        };
        if endpoint.is_dialer() || peer.dial != Dial::UnderWay {
            peer.dial = Dial::Idle;
        }
        let choice = peer.choose(now, self.timing.handshake_timeout);
        let link = Link { since: now, address: endpoint.get_remote_address().to_string(), closing: false };
        peer.links.insert(connection, link);
        if !stream::opens(&self.local, &id) {
            return;
        }
        match choice {
            Choice::Take => self.open_stream(id, connection),
            Choice::Surplus => self.close(&id, connection),
        }
    }

    fn open_stream(&mut self, id: PeerId, connection: ConnectionId) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.chosen = Some(connection);
            self.swarm.behaviour_mut().stream.open(id, connection);
        }
    }

    fn on_closed(&mut self, id: &PeerId, connection: ConnectionId, reason: DisconnectReason) {
        self.stop_session_on(connection, reason);
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        if peer.links.remove(&connection).is_none() {
            return;
        }
        if peer.chosen == Some(connection) {
            peer.chosen = None;
            let spare = peer.links.iter().find(|(_, link)| !link.closing);
            if let Some((&spare, _)) = spare
                && stream::opens(&self.local, id)
            {
                self.open_stream(*id, spare);
                return;
            }
        }
        peer.plan_dial(Instant::now(), &self.timing);
    }

    fn on_stream(&mut self, id: PeerId, connection: ConnectionId, stream: Stream) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(link) = peer.links.get(&connection).filter(|link| !link.closing) else {
            return;
        };
        let address = link.address.clone();
        let (key, stats) = (peer.key, Arc::clone(&peer.stats));
        peer.chosen = Some(connection);
        let others: Vec<ConnectionId> = peer.links.keys().copied().collect();
        for other in others.into_iter().filter(|other| *other != connection) {
            self.stop_session_on(other, DisconnectReason::Replaced);
            self.close(&id, other);
        }
        let (queue, outgoing) = mpsc::channel(SEND_QUEUE_MESSAGES);
        let (stop, stopped) = oneshot::channel();
        let room = Arc::<Room>::default();
        self.last_session += 1;
        let session = SessionId(self.last_session);
        let running = Session {
            id: session,
            peer: key,
            address,
            outgoing,
            room: Arc::clone(&room),
            stop: stopped,
            events: self.events.clone(),
            stats,
            stall_timeout: self.timing.stall_timeout,
        };
        write(&self.shared.outlets).insert(session, Outlet { queue, room });
        let task = self.spawn(running, stream, &id);
        let live = Live { peer: id, connection, since: Instant::now(), stop: Some(stop), task: Some(task) };
        self.sessions.insert(session, live);
    }

    /// Runs the session after the peer's earlier ones have told their end.
    fn spawn(&mut self, session: Session, stream: Stream, id: &PeerId) -> JoinHandle<()> {
        let earlier: Vec<JoinHandle<()>> = self
            .sessions
            .values_mut()
            .filter(|live| live.peer == *id)
            .filter_map(|live| live.task.take())
            .collect();
        let ended = self.tell_ended.clone();
        tokio::spawn(async move {
            for task in earlier {
                // A task that panicked has ended too.
                let _ = task.await;
            }
            let id = session.id;
            session.run(stream).await;
            // Without the loop nobody needs to know.
            let _ = ended.send(id).await;
        })
    }

    fn on_stream_failed(&mut self, id: &PeerId, connection: ConnectionId, error: String) {
        let in_use = self.session_of(id).map(|live| live.connection);
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        if peer.chosen == Some(connection) {
            peer.chosen = in_use;
        }
        let event = NetworkEvent::DialFailed {
            peer: peer.key,
            addresses: peer.links.get(&connection).map(|link| link.address.clone()).into_iter().collect(),
            error: format!("the peer opens no sync stream: {error}"),
        };
        self.tell(event);
        self.close(id, connection);
    }

    fn on_session_ended(&mut self, session: SessionId) {
        write(&self.shared.outlets).remove(&session);
        let Some(live) = self.sessions.remove(&session) else {
            return;
        };
        if live.since.elapsed() >= self.timing.stable_after
            && let Some(peer) = self.peers.get_mut(&live.peer)
        {
            peer.backoff.reset();
        }
        self.close(&live.peer, live.connection);
    }

    fn on_dial_failed(&mut self, id: &PeerId, error: &DialError) {
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        peer.dial = Dial::Idle;
        if !peer.links.is_empty() {
            return;
        }
        peer.stats.dial_failures.fetch_add(1, Ordering::Relaxed);
        peer.plan_dial(Instant::now(), &self.timing);
        let event = NetworkEvent::DialFailed {
            peer: peer.key,
            addresses: peer.addresses.iter().map(ToString::to_string).collect(),
            error: dial_problem(error),
        };
        self.tell(event);
    }

    fn session_of(&self, id: &PeerId) -> Option<&Live> {
        self.sessions.values().find(|live| live.peer == *id && live.stop.is_some())
    }

    fn stop_session_on(&mut self, connection: ConnectionId, reason: DisconnectReason) {
        let running = self.sessions.values_mut().find(|live| live.connection == connection);
        if let Some(live) = running {
            live.stop(reason);
        }
    }

    fn stop_sessions_of(&mut self, id: &PeerId, reason: impl Fn() -> DisconnectReason) {
        for live in self.sessions.values_mut().filter(|live| live.peer == *id) {
            live.stop(reason());
        }
    }

    fn close(&mut self, id: &PeerId, connection: ConnectionId) {
        if let Some(peer) = self.peers.get_mut(id)
            && let Some(link) = peer.links.get_mut(&connection)
        {
            link.closing = true;
        }
        self.swarm.close_connection(connection);
    }

    fn tell(&mut self, event: NetworkEvent) {
        match self.outbox.len() < OUTBOX_MAX {
            true => self.outbox.push_back(event),
            false => tracing::debug!(?event, "the node is behind, event dropped"),
        }
    }
}

impl Live {
    fn stop(&mut self, reason: DisconnectReason) {
        if let Some(stop) = self.stop.take() {
            // The session may have ended by itself.
            let _ = stop.send(reason);
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Whether the event says that a listener works, or why it never will.
fn listener_news(event: &SwarmEvent<BehaviourEvent>) -> Option<(ListenerId, Option<String>)> {
    match event {
        SwarmEvent::NewListenAddr { listener_id, .. } => Some((*listener_id, None)),
        SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
            let problem = match reason {
                Ok(()) => "the listener closed".to_owned(),
                Err(error) => error.to_string(),
            };
            Some((*listener_id, Some(problem)))
        }
        _ => None,
    }
}
