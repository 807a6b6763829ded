//! Moves opaque messages between administered peers; alone in naming libp2p.
//!
//! [`start`] listens, dials every allowed peer that has an address, and keeps
//! one session per peer as long as either side can reach the other. It tells
//! what happens as [`NetworkEvent`]s and is told what to do through a
//! [`NetworkHandle`]. It knows nothing of catalogs, towns or charters, and it
//! gives a message no meaning beyond its kind.
//!
//! ```text
//! TCP, DNS ── Noise ── allow-list ── Yamux ── /hanse/sync/1 ── zstd ── frames
//! transport.rs                       muxer.rs  stream.rs       framing.rs
//! swarm.rs               manager.rs, peers.rs   session.rs
//! ```
//!
//! # Invariants
//!
//! - A stranger never reaches the multiplexer.
//! - A peer has at most one session. Its events come in order: connected,
//!   messages, disconnected.
//! - A message is handed on before the next one is read: the receiver of
//!   events holds every peer back by not receiving.
//! - Everything held for a peer is bounded by a constant of this module or of
//!   its children, whatever the peer does.

mod crowd;
mod framing;
mod key;
mod manager;
mod muxer;
mod peers;
mod session;
mod stream;
mod swarm;
#[cfg(test)]
mod tests;
mod transport;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub use framing::MESSAGE_BYTES_MAX;
pub use framing::{FRAME_BYTES_MAX, FrameError, FrameReader, FrameWriter, KIND_MAX, Message};
pub use key::{ADDRESSES_PER_PEER_MAX, AddressError, PeerKey, TransportKey, check_address, peer_id_string};
pub use session::DisconnectReason;

use manager::{Command, Manager};
use session::{Outgoing, PeerStats, Room};

/// Greatest number of allowed peers: the members and partners of a charter.
pub const PEERS_MAX: usize = 320;

/// Messages that wait to be sent to one peer, each up to
/// [`MESSAGE_BYTES_MAX`] bytes.
pub const SEND_QUEUE_MESSAGES: usize = 8;

/// Commands that wait for the network's loop.
const COMMAND_QUEUE: usize = 64;

/// One session with one peer; never reused while the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A peer that may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedPeer {
    /// Its transport key.
    pub key: PeerKey,
    /// Multiaddrs to dial it at; none for a town that only dials out.
    pub addresses: Vec<String>,
}

/// How long things may take. The defaults are those of production.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Shortest wait before a peer is dialed again.
    pub backoff_min: Duration,
    /// Longest wait before a peer is dialed again.
    pub backoff_max: Duration,
    /// A session that lasted this long makes the next wait the shortest one.
    pub stable_after: Duration,
    /// From the first byte of a connection to the end of its handshakes.
    pub handshake_timeout: Duration,
    /// A connection without a session is closed after this time.
    pub idle_timeout: Duration,
    /// Time between two signs of life.
    pub ping_interval: Duration,
    /// Time a sign of life may take. After the second that fails the peer
    /// counts as gone.
    pub ping_timeout: Duration,
    /// Time the peer may take to accept one message.
    pub stall_timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(30),
            stable_after: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            ping_interval: Duration::from_secs(15),
            ping_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(60),
        }
    }
}

/// What the network needs to begin.
#[derive(Debug)]
pub struct NetworkConfig {
    /// Multiaddrs to listen on; none for a town that only dials out.
    pub listen: Vec<String>,
    /// This node's transport key.
    pub key: TransportKey,
    /// Who may connect; this node itself is left out if it is named.
    pub peers: Vec<AllowedPeer>,
    /// How long things may take.
    pub timing: Timing,
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum NetworkEvent {
    /// The node can be reached here; ends with `/p2p/…`.
    Listening {
        /// The multiaddr.
        address: String,
    },
    /// A session began.
    Connected {
        /// The peer.
        peer: PeerKey,
        /// Names the session from now on.
        session: SessionId,
        /// Where the peer is.
        address: String,
    },
    /// The peer sent a message.
    Message {
        /// The session it came through.
        session: SessionId,
        /// Its kind, 1 to 127.
        kind: u8,
        /// Its content, at most [`MESSAGE_BYTES_MAX`] bytes.
        payload: Vec<u8>,
    },
    /// There is room again after [`TrySendError::Full`].
    Drained {
        /// The session whose queue has room.
        session: SessionId,
    },
    /// A session ended.
    Disconnected {
        /// The peer.
        peer: PeerKey,
        /// The session that is no more.
        session: SessionId,
        /// Why.
        reason: DisconnectReason,
    },
    /// An incoming connection came to nothing: a stranger, a failed handshake,
    /// or too many at once. Told only while there is room for it.
    Refused {
        /// Where it came from.
        address: String,
        /// Why.
        reason: String,
    },
    /// A peer could not be reached, or an address of it cannot be used.
    DialFailed {
        /// The peer.
        peer: PeerKey,
        /// The addresses that were tried.
        addresses: Vec<String>,
        /// What went wrong.
        error: String,
    },
}

/// Why the network cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// An address to listen on cannot be used.
    #[error("cannot listen: {0}")]
    Address(#[from] AddressError),
    /// The system refuses to listen.
    #[error(
        "listen on `{address}`: {problem}; if the port is taken, stop that program or give another one in \
         `network.listen`"
    )]
    Listen {
        /// The address as configured.
        address: String,
        /// What the system says.
        problem: String,
    },
    /// The handshake cannot be set up.
    #[error("cannot prepare the handshake: {0}")]
    Handshake(String),
    /// More peers than [`PEERS_MAX`].
    #[error("{0} peers: at most {PEERS_MAX} are allowed")]
    TooManyPeers(usize),
    /// The network's loop has ended.
    #[error("the network has stopped")]
    Stopped,
}

/// Why a message was not queued.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The message does not fit into the protocol.
    #[error(transparent)]
    Message(#[from] FrameError),
    /// The session has ended.
    #[error("session {0} has ended")]
    Ended(SessionId),
}

/// Why a message was not queued at once.
#[derive(Debug, thiserror::Error)]
pub enum TrySendError {
    /// The queue is full; [`NetworkEvent::Drained`] follows when it no longer is.
    #[error("session {session} has {SEND_QUEUE_MESSAGES} messages waiting")]
    Full {
        /// The session.
        session: SessionId,
        /// The message's content, given back.
        payload: Vec<u8>,
    },
    /// It can never be sent.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// What was exchanged with one peer since this node started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerCounters {
    /// Whether a session exists now.
    pub connected: bool,
    /// Bytes of the compressed stream received.
    pub bytes_in: u64,
    /// Bytes of the compressed stream sent.
    pub bytes_out: u64,
    /// Whole messages received.
    pub messages_in: u64,
    /// Whole messages sent.
    pub messages_out: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// Dials that failed.
    pub dial_failures: u64,
}

/// A session as senders see it.
#[derive(Debug, Clone)]
struct Outlet {
    queue: mpsc::Sender<Outgoing>,
    room: Arc<Room>,
}

/// What the loop and its handles share.
#[derive(Debug, Default)]
struct Shared {
    outlets: RwLock<BTreeMap<SessionId, Outlet>>,
    stats: RwLock<BTreeMap<PeerKey, Arc<PeerStats>>>,
    listening: RwLock<Vec<String>>,
}

/// Tells the network what to do.
#[derive(Debug, Clone)]
pub struct NetworkHandle {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

impl NetworkHandle {
    /// Queues a message and waits for room if there is none. A loop that also
    /// receives events must use [`Self::try_send`] instead: two nodes that
    /// wait for each other's room would stand still.
    pub async fn send(&self, session: SessionId, kind: u8, payload: Vec<u8>) -> Result<(), SendError> {
        framing::check_message(kind, &payload)?;
        let outlet = self.outlet(session)?;
        outlet.queue.send(Outgoing { kind, payload }).await.map_err(|_| SendError::Ended(session))
    }

    /// Queues a message if there is room.
    pub fn try_send(&self, session: SessionId, kind: u8, payload: Vec<u8>) -> Result<(), TrySendError> {
        framing::check_message(kind, &payload).map_err(SendError::from)?;
        let outlet = self.outlet(session)?;
        let message = Outgoing { kind, payload };
        let message = match outlet.queue.try_send(message) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => {
                return Err(SendError::Ended(session).into());
            }
            Err(mpsc::error::TrySendError::Full(message)) => message,
        };
        // The queue may have emptied before the wish was noted, so ask again.
        outlet.room.want();
        outlet.queue.try_send(message).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => SendError::Ended(session).into(),
            mpsc::error::TrySendError::Full(message) => {
                TrySendError::Full { session, payload: message.payload }
            }
        })
    }

    /// Ends a session, if it still exists. With `pause` the peer is refused
    /// and not dialed for that long; otherwise it may return at once.
    pub async fn disconnect(
        &self,
        session: SessionId,
        reason: impl Into<String>,
        pause: Option<Duration>,
    ) -> Result<(), NetworkError> {
        self.command(Command::Disconnect { session, reason: reason.into(), pause }).await
    }

    /// Replaces the list of allowed peers; sessions of peers that are no longer
    /// on it end. Returns when the new list is in force.
    ///
    /// An address or key that cannot be used is reported as
    /// [`NetworkEvent::DialFailed`] and does no harm to the others: the list
    /// may come from a charter that others wrote.
    pub async fn set_peers(&self, peers: Vec<AllowedPeer>) -> Result<(), NetworkError> {
        check_peers(&peers)?;
        let (done, answer) = oneshot::channel();
        self.command(Command::SetPeers { peers, done }).await?;
        answer.await.map_err(|_| NetworkError::Stopped)
    }

    /// The addresses this node can be reached at, each ending with `/p2p/…`.
    pub fn listening(&self) -> Vec<String> {
        read(&self.shared.listening).clone()
    }

    /// What was exchanged with each allowed peer.
    pub fn counters(&self) -> BTreeMap<PeerKey, PeerCounters> {
        read(&self.shared.stats).iter().map(|(key, stats)| (*key, stats.counters())).collect()
    }

    fn outlet(&self, session: SessionId) -> Result<Outlet, SendError> {
        read(&self.shared.outlets).get(&session).cloned().ok_or(SendError::Ended(session))
    }

    async fn command(&self, command: Command) -> Result<(), NetworkError> {
        self.commands.send(command).await.map_err(|_| NetworkError::Stopped)
    }
}

impl PeerStats {
    fn counters(&self) -> PeerCounters {
        PeerCounters {
            connected: self.connected.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            messages_in: self.messages_in.load(Ordering::Relaxed),
            messages_out: self.messages_out.load(Ordering::Relaxed),
            sessions: self.sessions.load(Ordering::Relaxed),
            dial_failures: self.dial_failures.load(Ordering::Relaxed),
        }
    }
}

/// Listens, begins to dial, and runs until `shutdown` is cancelled. Returns
/// when the node listens on every configured address; what happens from then
/// on is told through `events`.
pub async fn start(
    config: NetworkConfig,
    events: mpsc::Sender<NetworkEvent>,
    shutdown: CancellationToken,
) -> Result<NetworkHandle, NetworkError> {
    check_peers(&config.peers)?;
    let (commands, received) = mpsc::channel(COMMAND_QUEUE);
    let shared = Arc::new(Shared::default());
    let mut manager = Manager::new(&config, Arc::clone(&shared), events, received)?;
    manager.set_peers(config.peers);
    manager.listen(&config.listen).await?;
    tokio::spawn(manager.run(shutdown));
    Ok(NetworkHandle { commands, shared })
}

fn check_peers(peers: &[AllowedPeer]) -> Result<(), NetworkError> {
    match peers.len() > PEERS_MAX {
        true => Err(NetworkError::TooManyPeers(peers.len())),
        false => Ok(()),
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
