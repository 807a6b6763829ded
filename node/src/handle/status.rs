//! What is known about the node and the other towns, for staff and for all.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use crdt::ids::Town;
use tokio::sync::broadcast;

use super::NodeHandle;
use crate::ledger::QUEUE_MAX;
use crate::store::ReadStoreError;
use crate::view::{
    PeerStatus, Phase, PublicStatus, PublicTown, QuarantineStatus, QueueStatus, Status, StatusEvent,
    StoreStatus,
};

/// What the node loop makes known; everybody reads it, nobody waits for it.
#[derive(Debug)]
pub struct Board {
    state: RwLock<State>,
    events: broadcast::Sender<StatusEvent>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    peers: Vec<PeerStatus>,
    judging: u64,
}

impl Board {
    pub(super) fn new(events: broadcast::Sender<StatusEvent>) -> Self {
        let state = State { phase: Phase::Starting, peers: Vec::new(), judging: 0 };
        Self { state: RwLock::new(state), events }
    }

    /// How far the start is.
    pub fn phase(&self) -> Phase {
        self.state.read().unwrap_or_else(PoisonError::into_inner).phase
    }

    /// Goes one step on.
    pub fn set_phase(&self, phase: Phase) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.phase != phase {
            state.phase = phase;
            // Nobody listening is fine.
            let _ = self.events.send(StatusEvent::Phase { phase });
        }
    }

    /// Says how the other towns stand; listeners hear of it if that is new.
    pub fn set_peers(&self, peers: Vec<PeerStatus>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.peers != peers {
            state.peers = peers;
            let _ = self.events.send(StatusEvent::Peers);
        }
    }

    /// Says how many remote documents wait to be judged.
    pub fn set_judging(&self, documents: u64) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).judging = documents;
    }

    fn peers(&self, datasets: &BTreeMap<Town, u64>) -> Vec<PeerStatus> {
        let mut peers = self.state.read().unwrap_or_else(PoisonError::into_inner).peers.clone();
        for peer in &mut peers {
            peer.datasets = datasets.get(&peer.info.town).copied().unwrap_or(0);
        }
        peers
    }
}

impl NodeHandle {
    /// How far the start is; never blocks. A node is not ready before all it
    /// holds can be found: a harvester deletes what it no longer sees.
    pub fn phase(&self) -> Phase {
        match self.shared.board.phase() {
            Phase::Ready if !self.shared.indexer.is_caught_up() => Phase::CatchingUp,
            phase => phase,
        }
    }

    /// Says that the node is ready, once what it holds can be found. Blocks until
    /// then.
    pub(crate) fn become_ready(&self) {
        self.shared.indexer.find_all();
        self.shared.board.set_phase(Phase::Ready);
    }

    /// Everything staff may know about the node. Blocks shortly.
    pub fn status(&self) -> Status {
        let datasets = self.shared.books.datasets();
        let store = self.store_status().unwrap_or_else(|error| {
            tracing::error!(%error, "the stores cannot be counted");
            StoreStatus::default()
        });
        let indexed = self.shared.indexer.open_index().position().unwrap_or(0);
        let judging = self.shared.board.state.read().unwrap_or_else(PoisonError::into_inner).judging;
        Status {
            node: self.town(),
            version: env!("CARGO_PKG_VERSION"),
            federation: self.federation(),
            phase: self.phase(),
            peers: self.shared.board.peers(&datasets),
            newest_change: self.shared.books.newest(),
            store,
            queues: QueueStatus {
                ledger: self.shared.ledger.waiting() as u64,
                ledger_max: QUEUE_MAX as u64,
                judge: judging,
                index_behind: store.position.saturating_sub(indexed),
            },
            quarantine: self.quarantine_status().unwrap_or_else(|error| {
                tracing::error!(%error, "the quarantine cannot be counted");
                QuarantineStatus::default()
            }),
        }
    }

    fn store_status(&self) -> Result<StoreStatus, ReadStoreError> {
        let books = &self.shared.books;
        let replica = books.replica.read()?;
        let counts = replica.counts()?;
        Ok(StoreStatus {
            datasets: books.datasets().values().sum(),
            closed: books.closed.read()?.records()?,
            documents: counts.documents,
            changes: counts.changes,
            replica_bytes: books.replica.bytes(),
            closed_bytes: books.closed.bytes(),
            position: replica.position()?,
        })
    }

    fn quarantine_status(&self) -> Result<QuarantineStatus, ReadStoreError> {
        let (changes, bytes, equivocations) = self.shared.books.replica.read()?.quarantine_counts()?;
        Ok(QuarantineStatus { changes, bytes, equivocations })
    }

    /// What anybody may know about the node. Blocks shortly.
    pub fn public_status(&self) -> PublicStatus {
        let datasets = self.shared.books.datasets();
        let peers = self.shared.board.peers(&datasets);
        let here = self.town();
        let town = |info: crate::view::TownInfo| {
            let peer = peers.iter().find(|peer| peer.info.town == info.town);
            PublicTown {
                here: info.town == here.town,
                connected: info.town == here.town || peer.is_some_and(|peer| peer.connected),
                datasets: datasets.get(&info.town).copied().unwrap_or(0),
                lag_changes: peer.map_or(0, |peer| peer.lag_changes),
                lag_seconds: peer.map_or(0, |peer| peer.lag_seconds),
                last_seen: peer.and_then(|peer| peer.last_seen),
                info,
            }
        };
        PublicStatus {
            node: self.town(),
            version: env!("CARGO_PKG_VERSION"),
            federation: self.federation(),
            phase: self.phase(),
            datasets: datasets.values().sum(),
            towns: self.members().into_iter().map(town).collect(),
            newest_change: self.shared.books.newest(),
        }
    }
}
