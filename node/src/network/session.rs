//! Runs one session: the stream of one connection, from its first message to
//! the reason it ended.
//!
//! A session tells its own story in order (connected, messages, disconnected)
//! and hands one message on before it reads the next, so a slow node slows its
//! peers and holds no more. It never dials and never chooses a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use super::framing::{FrameError, FrameReader, FrameWriter, Message};
use super::key::PeerKey;
use super::{NetworkEvent, SessionId};

/// Bytes taken from the stream at once.
const READ_BYTES: usize = 16 * 1024;

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The peer closed the stream or the connection.
    #[error("closed by the peer")]
    Closed,
    /// The connection broke.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The peer sent what is no stream of messages.
    #[error("peer broke the framing: {0}")]
    Framing(#[from] FrameError),
    /// The peer no longer answers.
    #[error("peer does not answer")]
    Silent,
    /// The peer takes no data.
    #[error("peer has taken no data for {} s", .0.as_secs())]
    Stalled(Duration),
    /// A newer connection of the same peer took over.
    #[error("replaced by a newer connection")]
    Replaced,
    /// The peer is no longer on the list.
    #[error("peer is no longer on the list of the federation's nodes")]
    NotAllowed,
    /// This node ended it.
    #[error("closed here: {0}")]
    Local(String),
    /// This node stops.
    #[error("this node stops")]
    Shutdown,
}

impl DisconnectReason {
    /// Whether the peer is to be charged for it.
    pub fn is_peers_fault(&self) -> bool {
        match self {
            // A connection that breaks inside a message looks the same.
            Self::Framing(FrameError::Truncated) => false,
            // Noise authenticates every byte: damage is the sender's.
            Self::Framing(_) => true,
            Self::Closed
            | Self::Lost(_)
            | Self::Silent
            | Self::Stalled(_)
            | Self::Replaced
            | Self::NotAllowed
            | Self::Local(_)
            | Self::Shutdown => false,
        }
    }
}

/// What the node did with one peer since it started.
#[derive(Debug, Default)]
pub(super) struct PeerStats {
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
    pub(super) messages_in: AtomicU64,
    pub(super) messages_out: AtomicU64,
    pub(super) sessions: AtomicU64,
    pub(super) dial_failures: AtomicU64,
    pub(super) connected: AtomicBool,
}

fn add(counter: &AtomicU64, amount: usize) {
    counter.fetch_add(amount as u64, Ordering::Relaxed);
}

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
}

/// How a sender that found the queue full hears of room.
#[derive(Debug, Default)]
pub(super) struct Room {
    wanted: AtomicBool,
    free: Notify,
}

impl Room {
    pub(super) fn want(&self) {
        self.wanted.store(true, Ordering::Release);
    }

    fn give(&self) {
        if self.wanted.swap(false, Ordering::AcqRel) {
            self.free.notify_one();
        }
    }
}

/// Everything a session needs besides its stream.
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) peer: PeerKey,
    pub(super) address: String,
    pub(super) outgoing: mpsc::Receiver<Outgoing>,
    pub(super) room: Arc<Room>,
    pub(super) stop: oneshot::Receiver<DisconnectReason>,
    pub(super) events: mpsc::Sender<NetworkEvent>,
    pub(super) stats: Arc<PeerStats>,
    pub(super) stall_timeout: Duration,
}

impl Session {
    /// Runs until the stream ends or `stop` is told why it should. Nothing is
    /// reported if the receiver of events is gone.
    pub(super) async fn run<S>(mut self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (reader, writer) = stream.split();
        let connected = NetworkEvent::Connected {
            peer: self.peer,
            session: self.id,
            address: std::mem::take(&mut self.address),
        };
        add(&self.stats.sessions, 1);
        self.stats.connected.store(true, Ordering::Relaxed);
        if self.events.send(connected).await.is_err() {
            return;
        }
        let reason = tokio::select! {
            biased;
            stopped = &mut self.stop => stopped.unwrap_or(DisconnectReason::Shutdown),
            reason = transmit(writer, &mut self.outgoing, &self.room, &self.stats, self.stall_timeout) => reason,
            reason = receive(self.id, reader, &self.events, &self.stats) => reason,
            reason = announce_room(self.id, &self.room, &self.events) => reason,
        };
        self.stats.connected.store(false, Ordering::Relaxed);
        let disconnected = NetworkEvent::Disconnected { peer: self.peer, session: self.id, reason };
        // The receiver may be gone when the whole node stops.
        let _ = self.events.send(disconnected).await;
    }
}

async fn receive(
    session: SessionId,
    mut stream: impl AsyncRead + Unpin,
    events: &mpsc::Sender<NetworkEvent>,
    stats: &PeerStats,
) -> DisconnectReason {
    let mut frames = match FrameReader::new() {
        Ok(frames) => frames,
        Err(error) => return DisconnectReason::Lost(error.to_string()),
    };
    let mut buffer = vec![0; READ_BYTES].into_boxed_slice();
    loop {
        let read = match stream.read(&mut buffer).await {
            Ok(0) => {
                return frames.finish().map_or_else(DisconnectReason::from, |()| DisconnectReason::Closed);
            }
            Ok(read) => read,
            Err(error) => return DisconnectReason::Lost(error.to_string()),
        };
        add(&stats.bytes_in, read);
        let mut input = &buffer[..read];
        loop {
            let Message { kind, payload } = match frames.read(&mut input) {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(error) => return error.into(),
            };
            add(&stats.messages_in, 1);
            let message = NetworkEvent::Message { session, kind, payload };
            if events.send(message).await.is_err() {
                return DisconnectReason::Shutdown;
            }
        }
    }
}

async fn transmit(
    mut stream: impl AsyncWrite + Unpin,
    outgoing: &mut mpsc::Receiver<Outgoing>,
    room: &Room,
    stats: &PeerStats,
    stall_timeout: Duration,
) -> DisconnectReason {
    let mut frames = match FrameWriter::new() {
        Ok(frames) => frames,
        Err(error) => return DisconnectReason::Lost(error.to_string()),
    };
    while let Some(Outgoing { kind, payload }) = outgoing.recv().await {
        room.give();
        let bytes = match frames.message(kind, &payload) {
            Ok(bytes) => bytes,
            Err(error) => return DisconnectReason::Local(error.to_string()),
        };
        let written = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        match timeout(stall_timeout, written).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return DisconnectReason::Lost(error.to_string()),
            Err(_) => return DisconnectReason::Stalled(stall_timeout),
        }
        add(&stats.bytes_out, bytes.len());
        add(&stats.messages_out, 1);
    }
    // No sender is left: the loop has forgotten the session and says why.
    std::future::pending().await
}

/// Tells of room in the queue, without holding up what is sent meanwhile.
async fn announce_room(
    session: SessionId,
    room: &Room,
    events: &mpsc::Sender<NetworkEvent>,
) -> DisconnectReason {
    loop {
        room.free.notified().await;
        if events.send(NetworkEvent::Drained { session }).await.is_err() {
            return DisconnectReason::Shutdown;
        }
    }
}
