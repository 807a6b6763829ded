//! Puts libp2p's parts together and puts its errors into words.
//!
//! What is decided about peers and connections is decided in `manager.rs`.

use std::error::Error;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::num::NonZeroU8;
use std::time::Duration;

use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{self, DialError, ListenError, NetworkBehaviour};
use libp2p::{Multiaddr, PeerId, Swarm, connection_limits, identify, ping};

use super::crowd;
use super::stream;
use super::transport::{self, AllowList};
use super::{NetworkConfig, NetworkError};

/// Incoming connections that may be in their handshakes at once.
const HANDSHAKES_MAX: u32 = 64;

/// Outgoing connections that may be in their handshakes at once.
const DIALS_MAX: u32 = 64;

/// Connections with one peer at once: the one in use and one that may replace it.
const CONNECTIONS_PER_PEER_MAX: u32 = 2;

/// Addresses of one peer that are tried at the same time.
const ADDRESSES_AT_ONCE: NonZeroU8 = NonZeroU8::new(2).expect("not zero");

/// Identify says which software speaks; once an hour is enough.
const IDENTIFY_INTERVAL: Duration = Duration::from_secs(60 * 60);

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) limits: connection_limits::Behaviour,
    pub(super) crowd: crowd::Behaviour,
    pub(super) stream: stream::Behaviour,
    pub(super) ping: ping::Behaviour,
    pub(super) identify: identify::Behaviour,
}

pub(super) fn build(config: &NetworkConfig, allowed: AllowList) -> Result<Swarm<Behaviour>, NetworkError> {
    let timing = &config.timing;
    let transport = transport::build(&config.key, allowed, timing)
        .map_err(|error| NetworkError::Handshake(chain(&error)))?;
    let local = config.key.peer_id();
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(HANDSHAKES_MAX))
        .with_max_pending_outgoing(Some(DIALS_MAX))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX));
    let identify = identify::Config::new("/hanse/1".to_owned(), config.key.keypair().public())
        .with_agent_version(concat!("hanse/", env!("CARGO_PKG_VERSION")).to_owned())
        .with_hide_listen_addrs(true)
        .with_cache_size(0)
        .with_interval(IDENTIFY_INTERVAL);
    let ping = ping::Config::new().with_interval(timing.ping_interval).with_timeout(timing.ping_timeout);
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        crowd: crowd::Behaviour::default(),
        stream: stream::Behaviour::new(local),
        ping: ping::Behaviour::new(ping),
        identify: identify::Behaviour::new(identify),
    };
    let config = swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(timing.idle_timeout)
        .with_dial_concurrency_factor(ADDRESSES_AT_ONCE)
        .with_max_negotiating_inbound_streams(4);
    Ok(Swarm::new(transport, behaviour, local, config))
}

/// A new port for every dial: from the listening port two nodes that dial each
/// other at once would meet in one TCP connection and both shake hands as the
/// dialing side.
pub(super) fn dial_options(peer: PeerId, addresses: Vec<Multiaddr>) -> DialOpts {
    DialOpts::peer_id(peer)
        .condition(PeerCondition::DisconnectedAndNotDialing)
        .addresses(addresses)
        .allocate_new_port()
        .build()
}

/// libp2p shares a port that another process already listens on, and each then
/// gets some of the connections. So the port is first taken alone.
pub(super) fn check_free(address: &Multiaddr) -> io::Result<()> {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::from(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::from(ip),
        _ => {
            return Err(io::Error::other(
                "not an address of this machine: name it by number, /ip4/… or /ip6/…",
            ));
        }
    };
    match parts.next() {
        Some(Protocol::Tcp(port)) => TcpListener::bind((ip, port)).map(drop),
        _ => Ok(()),
    }
}

pub(super) fn refusal(error: &ListenError) -> String {
    match error {
        ListenError::Transport(error) => chain(error),
        ListenError::Denied { cause } => chain(cause),
        other => chain(other),
    }
}

pub(super) fn dial_problem(error: &DialError) -> String {
    match error {
        DialError::Transport(attempts) => attempts
            .iter()
            .map(|(address, error)| format!("{address}: {}", chain(error)))
            .collect::<Vec<_>>()
            .join("; "),
        DialError::WrongPeerId { obtained, .. } => {
            format!("another node answers there: {obtained}")
        }
        other => chain(other),
    }
}

/// An error and its causes in one line, without those that only repeat.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
