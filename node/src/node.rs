//! A running node: an open data directory, the network, and the loop between.
//!
//! [`Node::start`] opens everything and returns once it listens; catching up
//! goes on behind it and shows in [`NodeHandle::phase`]. A node that belongs to
//! no federation yet, or is started with [`Reach::Nobody`], works alone (I7).

mod pump;

use std::path::Path;
use std::time::Duration;

use crdt::sync::Sync;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::handle::{NodeHandle, OpenNode, OpenNodeError, OpenOptions};
use crate::harvest::run::keep_schedule;
use crate::ledger::Committed;
use crate::network::{self, NetworkConfig, NetworkError, Timing, TransportKey};
use crate::store::{ReadStoreError, StoreSettings};
use crate::view::Phase;

use pump::{INPUTS, Input, Pump};

/// Messages of all peers that wait for the loop, each up to 320 KiB.
const NETWORK_EVENTS: usize = 32;

/// Whom a node talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The other towns of its federation.
    Peers,
    /// Nobody: one command works with the directory.
    Nobody,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenNodeError),
    /// What it holds cannot be read.
    #[error(transparent)]
    Read(#[from] ReadStoreError),
    /// The network cannot begin.
    #[error("start the network: {0}")]
    Network(#[from] NetworkError),
}

/// A running node.
#[derive(Debug)]
pub struct Node {
    handle: NodeHandle,
    open: OpenNode,
    addresses: Vec<String>,
    stop: CancellationToken,
    pump: Option<JoinHandle<()>>,
    schedule: Option<JoinHandle<()>>,
}

impl Node {
    /// Opens a data directory and connects to the other towns.
    pub async fn start(directory: &Path, config: &Config, reach: Reach) -> Result<Self, StartError> {
        let (commits, inputs) = mpsc::channel(INPUTS);
        let options = options(config, commits.clone(), reach);
        let path = directory.to_owned();
        // Opening checks every page of both stores.
        let open = tokio::task::spawn_blocking(move || OpenNode::open(&path, options))
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let handle = open.handle().clone();
        let stop = CancellationToken::new();
        let mut node = Self { handle, open, addresses: Vec::new(), stop, pump: None, schedule: None };
        let authority = node.handle.authority().filter(|_| reach == Reach::Peers);
        match authority {
            Some(authority) => node.connect(config, &authority, commits, inputs).await?,
            None => {
                node.handle.allow_publishing(config.catch_up.publish_offline);
                let handle = node.handle.clone();
                tokio::task::spawn_blocking(move || handle.become_ready())
                    .await
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
            }
        }
        if reach == Reach::Peers {
            let schedule = keep_schedule(node.handle.clone(), node.stop.clone());
            node.schedule = Some(tokio::spawn(schedule));
        }
        Ok(node)
    }

    async fn connect(
        &mut self,
        config: &Config,
        authority: &crdt::authority::Authority,
        back: mpsc::Sender<Input>,
        inputs: mpsc::Receiver<Input>,
    ) -> Result<(), StartError> {
        let handle = self.handle.clone();
        handle.board().set_phase(Phase::CatchingUp);
        let sync = Sync::new(
            handle.town().town,
            self.open.boot(),
            authority.clone(),
            handle.committed_documents()?,
            handle.manifests()?,
        );
        let (sender, events) = mpsc::channel(NETWORK_EVENTS);
        let network_config = NetworkConfig {
            listen: config.network.listen.iter().map(ToString::to_string).collect(),
            key: TransportKey::from_seed(self.open.transport_key().to_bytes()),
            peers: pump::allowed_peers(authority, &config.network.dial),
            timing: Timing::default(),
        };
        let network = network::start(network_config, sender, self.stop.clone()).await?;
        self.addresses = network.listening();
        let catch_up = &config.catch_up;
        let alone_after = Duration::from_secs(catch_up.timeout_s.into());
        let publish_after = catch_up.publish_offline.then_some(alone_after);
        let dial = config.network.dial.clone();
        let pump = Pump { sync, network, handle, inputs, back, publish_after, alone_after, dial };
        self.pump = Some(tokio::spawn(pump.run(events, self.stop.clone())));
        Ok(())
    }

    /// What pages and commands ask.
    pub fn handle(&self) -> NodeHandle {
        self.handle.clone()
    }

    /// Multiaddrs at which other towns reach this node.
    pub fn addresses(&self) -> Vec<String> {
        self.addresses.clone()
    }

    /// Ends the sessions, finishes what is queued and gives the directory back.
    pub async fn shutdown(self) {
        self.stop.cancel();
        if let Some(pump) = self.pump
            && let Err(error) = pump.await
        {
            tracing::error!(%error, "the node's loop ended badly");
        }
        if let Some(schedule) = self.schedule
            && let Err(error) = schedule.await
        {
            tracing::error!(%error, "the schedule of the sources ended badly");
        }
        let (handle, open) = (self.handle, self.open);
        let closed = tokio::task::spawn_blocking(move || {
            handle.stop();
            drop(open);
        });
        if let Err(error) = closed.await {
            tracing::error!(%error, "failed to close the data directory");
        }
    }
}

/// How the directory is opened: commits wake the loop, where there is one.
fn options(config: &Config, commits: mpsc::Sender<Input>, reach: Reach) -> OpenOptions {
    let on_commit = move |committed: Committed| {
        // The ledger's own thread waits here; the loop never waits for the ledger.
        if reach == Reach::Peers {
            let _ = commits.blocking_send(Input::Committed(committed));
        }
    };
    OpenOptions {
        store: StoreSettings {
            cache_bytes: config.store.cache_mb as usize * 1_048_576,
            check_integrity: config.store.check_integrity,
        },
        base_url: config.public.base_url.as_ref().map(ToString::to_string),
        on_commit: Box::new(on_commit),
        ..OpenOptions::default()
    }
}
