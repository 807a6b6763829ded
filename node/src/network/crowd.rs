//! Keeps one place on the net from taking all handshakes that may be under way,
//! so that a stranger who connects and stays silent does not lock members out.
//!
//! It acts before the first byte is read and knows nothing of who connects:
//! that is known only after Noise (`transport.rs`).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::{ConnectionEstablished, ListenFailure};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
    ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

/// Incoming connections of one source that may be in their handshakes at once.
/// Several towns may share a source: a data centre behind one address.
pub(super) const HANDSHAKES_PER_SOURCE_MAX: usize = 16;

/// The refusal.
#[derive(Debug, thiserror::Error)]
#[error("{HANDSHAKES_PER_SOURCE_MAX} connections from {0} are in their handshakes already")]
struct Crowded(IpAddr);

/// The handshakes under way, by connection.
#[derive(Debug, Default)]
pub(super) struct Behaviour {
    pending: BTreeMap<ConnectionId, IpAddr>,
}

/// The address; of IPv6 only the network, which one place has as a whole.
fn source(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => {
            let network = u128::from(ip) & (u128::MAX << 64);
            Some(IpAddr::V6(ip.to_ipv4_mapped().map_or(Ipv6Addr::from(network), |_| ip)))
        }
        _ => None,
    })
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let Some(source) = source(remote) else {
            return Ok(());
        };
        if self.pending.values().filter(|pending| **pending == source).count() >= HANDSHAKES_PER_SOURCE_MAX {
            return Err(ConnectionDenied::new(Crowded(source)));
        }
        self.pending.insert(connection, source);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.pending.remove(&connection);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionEstablished(ConnectionEstablished { connection_id, .. })
        | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) = event
        {
            self.pending.remove(&connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_an_address_or_an_ipv6_network() {
        let of = |address: &str| source(&address.parse().unwrap()).map(|ip| ip.to_string());
        assert_eq!(of("/ip4/192.0.2.7/tcp/1"), Some("192.0.2.7".to_owned()));
        assert_eq!(of("/ip6/2001:db8:1:2:3:4:5:6/tcp/1"), Some("2001:db8:1:2::".to_owned()));
        assert_eq!(of("/ip6/::ffff:192.0.2.7/tcp/1"), Some("::ffff:192.0.2.7".to_owned()));
        assert_eq!(of("/dns4/soest.example/tcp/1"), None);
    }
}
