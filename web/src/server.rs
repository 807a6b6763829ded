//! Opens the two listeners and serves until told to stop.
//!
//! Everything is bounded: connections, idle time, and how long a stop waits
//! for answers that have begun.

mod connection;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use node::config::Config;
use node::handle::NodeHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::connection::Bounded;
use crate::harvest::Harvesters;
use crate::metrics::Counters;
use crate::router::{self, Listener};

/// Connections of the public listener at the same time.
const PUBLIC_CONNECTIONS_MAX: usize = 512;
/// Connections of the desk at the same time.
const DESK_CONNECTIONS_MAX: usize = 64;
/// How long a stop waits for answers that have begun, in seconds.
const STOP_S_MAX: u64 = 5;

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Something else listens there.
    #[error(
        "open the {listener} listener on {address}: the port is taken, perhaps by another node; stop that program or set `{listener}.listen` to another port"
    )]
    Taken {
        /// Which of the two.
        listener: Listener,
        /// Where it should be.
        address: SocketAddr,
    },
    /// The address is none of this machine's.
    #[error(
        "open the {listener} listener on {address}: this machine does not have the address; set `{listener}.listen` to one of its own, such as 127.0.0.1:{}",
        address.port()
    )]
    Foreign {
        /// Which of the two.
        listener: Listener,
        /// Where it should be.
        address: SocketAddr,
    },
    /// The process may not open it.
    #[error(
        "open the {listener} listener on {address}: not permitted; set `{listener}.listen` to a port above 1023 or grant the right"
    )]
    Forbidden {
        /// Which of the two.
        listener: Listener,
        /// Where it should be.
        address: SocketAddr,
    },
    /// Anything else the system says.
    #[error("open the {listener} listener on {address}: {source}")]
    Other {
        /// Which of the two.
        listener: Listener,
        /// Where it should be.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Why serving ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A listener broke.
    #[error("serve the {listener} listener: {source}")]
    Listener {
        /// Which of the two.
        listener: Listener,
        /// What the system said.
        source: io::Error,
    },
}

/// Two open listeners.
#[derive(Debug)]
pub struct Server {
    public: Open,
    desk: Open,
    handle: NodeHandle,
    config: Config,
}

#[derive(Debug)]
struct Open {
    socket: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Opens both listeners, or neither.
    pub async fn bind(handle: NodeHandle, config: Config) -> Result<Self, BindError> {
        let public = open(Listener::Public, config.public.listen).await?;
        let desk = open(Listener::Desk, config.desk.listen).await?;
        Ok(Self { public, desk, handle, config })
    }

    /// Where the public listener is; tells the port if 0 was asked for.
    pub fn public_address(&self) -> SocketAddr {
        self.public.address
    }

    /// Where the desk is.
    pub fn desk_address(&self) -> SocketAddr {
        self.desk.address
    }

    /// Serves until `stop`, then lets answers that have begun come to an end.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), ServeError> {
        let Self { public, desk, handle, config } = self;
        let (counters, harvesters) = (Counters::default(), Harvesters::default());
        let routes = router::public_counted(
            handle.clone(),
            &config,
            stop.clone(),
            counters.clone(),
            harvesters.clone(),
        );
        let public = run(Listener::Public, public, PUBLIC_CONNECTIONS_MAX, routes, stop.clone());
        let routes = router::desk_counted(handle, &config, stop.clone(), counters, harvesters);
        let desk = run(Listener::Desk, desk, DESK_CONNECTIONS_MAX, routes, stop);
        tokio::try_join!(public, desk)?;
        Ok(())
    }
}

async fn open(listener: Listener, address: SocketAddr) -> Result<Open, BindError> {
    let opened = async {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Open { socket, address })
    };
    opened.await.map_err(|source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken { listener, address },
        io::ErrorKind::AddrNotAvailable => BindError::Foreign { listener, address },
        io::ErrorKind::PermissionDenied => BindError::Forbidden { listener, address },
        _ => BindError::Other { listener, address, source },
    })
}

async fn run(
    listener: Listener,
    open: Open,
    connections_max: usize,
    routes: Router,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let stopped = stop.clone();
    let serving = axum::serve(Bounded::new(open.socket, connections_max), routes)
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let patience = async move {
        stopped.cancelled().await;
        tokio::time::sleep(Duration::from_secs(STOP_S_MAX)).await;
    };
    tokio::select! {
        served = serving => match served {
            Ok(()) => Ok(()),
            Err(source) => {
                // One listener without the other is no node: stop both.
                stop.cancel();
                Err(ServeError::Listener { listener, source })
            }
        },
        () = patience => {
            tracing::warn!(listener = listener.name(), "stopped before all answers had ended");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_said_in_one_sentence() {
        let taken = open(Listener::Public, SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let error = open(Listener::Desk, taken.address).await.unwrap_err();
        let sentence = error.to_string();
        assert!(matches!(error, BindError::Taken { .. }), "{sentence}");
        assert!(sentence.contains(&taken.address.to_string()), "{sentence}");
        assert!(sentence.contains("`desk.listen`"), "{sentence}");
    }

    #[tokio::test]
    async fn a_foreign_address_is_said_in_one_sentence() {
        // TEST-NET-1 (RFC 5737) belongs to no machine.
        let error = open(Listener::Public, SocketAddr::from(([192, 0, 2, 1], 0))).await.unwrap_err();
        assert!(matches!(error, BindError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains("`public.listen`"), "{error}");
    }
}
