//! One node with its two listeners, from start to clean stop.

use std::path::Path;
use std::time::Duration;

use node::config::Config;
use node::directory::DirectoryError;
use node::handle::{NodeHandle, OpenNodeError};
use node::node::{Node, Reach, StartError};
use node::store::OpenStoreError;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;
use web::{ServeError, Server};

use crate::failure::Failure;
use crate::running::{Guard, Running};
use crate::{clock, output};

/// How often and after what time a directory that is in use is tried again:
/// commands hold one for a fraction of a second.
const LOCK_LOOKS: u32 = 10;
const LOCK_DELAY: Duration = Duration::from_millis(200);

/// A node that serves.
#[derive(Debug)]
pub(crate) struct Serving {
    listeners: Running,
    node: Node,
    handle: NodeHandle,
    stop: CancellationToken,
    /// Cancelled when the listeners have ended, for whatever reason.
    ended: CancellationToken,
    server: JoinHandle<Result<(), ServeError>>,
    note: Option<Guard>,
}

impl Serving {
    /// Opens a directory, connects to the other towns and serves.
    pub(crate) async fn start(directory: &Path, config: Config) -> Result<Self, Failure> {
        let node = open(directory, &config, Reach::Peers).await?;
        let mut serving = Self::listen(node, config).await?;
        serving.note = Some(serving.listeners.leave(directory)?);
        Ok(serving)
    }

    /// Opens a directory for one command: no other town hears of it, and its
    /// listeners are on ports of the loopback that nobody knows. With `publish`
    /// it may change what other towns replicate.
    pub(crate) async fn alone(directory: &Path, publish: bool) -> Result<Self, Failure> {
        let mut config = crate::settings::load(directory)?;
        config.public.listen = ([127, 0, 0, 1], 0).into();
        config.desk.listen = ([127, 0, 0, 1], 0).into();
        config.catch_up.publish_offline |= publish;
        let node = open(directory, &config, Reach::Nobody).await?;
        let handle = node.handle();
        // A command asks once: it must find all that is there.
        spawn_blocking(move || handle.settle_search()).await.map_err(Failure::refused)?;
        Self::listen(node, config).await
    }

    async fn listen(node: Node, config: Config) -> Result<Self, Failure> {
        let handle = node.handle();
        warn_of_clock(&handle);
        let server = match Server::bind(handle.clone(), config).await {
            Ok(server) => server,
            Err(error) => {
                node.shutdown().await;
                return Err(Failure::refused(error));
            }
        };
        let listeners = Running {
            process: std::process::id(),
            public: server.public_address(),
            desk: server.desk_address(),
            network: node.addresses(),
        };
        let stop = CancellationToken::new();
        let ended = CancellationToken::new();
        let (stopping, ending) = (stop.clone(), ended.clone());
        let server = tokio::spawn(async move {
            // Also when serving panics, somebody waits for this.
            let _ending = ending.drop_guard();
            server.serve(stopping).await
        });
        Ok(Self { listeners, node, handle, stop, ended, server, note: None })
    }

    /// Where it listens.
    pub(crate) fn listeners(&self) -> &Running {
        &self.listeners
    }

    /// The node.
    pub(crate) fn handle(&self) -> &NodeHandle {
        &self.handle
    }

    /// Serves until told to stop, or until a listener breaks.
    pub(crate) async fn until(self, stop: CancellationToken) -> Result<(), Failure> {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.ended.cancelled() => {}
        }
        self.stop().await
    }

    /// Waits for the listeners to end by themselves.
    pub(crate) async fn ended(&self) -> Failure {
        self.ended.cancelled().await;
        Failure::refused_saying(format!(
            "the listeners of {} have ended; see the log",
            self.handle().town().name
        ))
    }

    /// Lets begun answers end, closes the files and gives the directory back.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.stop.cancel();
        let served = match self.server.await {
            Ok(served) => served.map_err(Failure::refused),
            Err(error) => Err(Failure::refused(format!("serve: {error}"))),
        };
        drop(self.handle);
        self.node.shutdown().await;
        drop(self.note);
        served
    }
}

/// Opens a directory; another command may just be closing it.
async fn open(directory: &Path, config: &Config, reach: Reach) -> Result<Node, Failure> {
    for _ in 0..LOCK_LOOKS {
        match Node::start(directory, config, reach).await {
            Err(error) if is_locked(&error) => tokio::time::sleep(LOCK_DELAY).await,
            started => return started.map_err(Failure::refused),
        }
    }
    Node::start(directory, config, reach).await.map_err(Failure::refused)
}

fn is_locked(error: &StartError) -> bool {
    matches!(
        error,
        StartError::Open(OpenNodeError::Directory(DirectoryError::Store(OpenStoreError::Locked { .. })))
    )
}

/// Nothing depends on the clock but what people read; they should know.
fn warn_of_clock(handle: &NodeHandle) {
    let newest = handle.public_status().newest_change.map(|newest| newest.at);
    if let Some(doubt) = clock::doubt(clock::now(), newest) {
        output::note(format!("warning: {doubt}"));
    }
}
