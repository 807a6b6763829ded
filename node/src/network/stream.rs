//! Opens and accepts the one sync stream of a connection.
//!
//! Of two nodes the one with the smaller `PeerId` opens the stream, whoever
//! dialed, so that a single side decides which connection carries the session.
//! This module never reads or writes a stream; it hands it on together with
//! the connection it belongs to (`libp2p-stream` does not say which that is,
//! chooses one at random, and drops streams that arrive at the same time).

use std::collections::VecDeque;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    NotifyHandler, Stream, StreamProtocol, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent,
    ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/hanse/sync/1");

/// What became of a connection's stream.
#[derive(Debug)]
pub(super) enum StreamEvent {
    /// The stream is there.
    Open { peer: PeerId, connection: ConnectionId, stream: Stream },
    /// The other side does not give one.
    Failed { peer: PeerId, connection: ConnectionId, error: String },
}

/// Asks the connection's handler to open the stream.
#[derive(Debug)]
pub(super) struct OpenStream;

/// The part of the swarm that knows `/hanse/sync/1`.
pub(super) struct Behaviour {
    local: PeerId,
    queue: VecDeque<ToSwarm<StreamEvent, OpenStream>>,
}

impl Behaviour {
    pub(super) fn new(local: PeerId) -> Self {
        Self { local, queue: VecDeque::new() }
    }

    /// Opens the stream of a connection; a [`StreamEvent`] or the end of the
    /// connection follows.
    pub(super) fn open(&mut self, peer: PeerId, connection: ConnectionId) {
        self.queue.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: OpenStream,
        });
    }

    fn handler(&self, peer: PeerId) -> Handler {
        Handler { accepts: !opens(&self.local, &peer), asked: false, outcome: None }
    }
}

/// Whether `local` is the side that opens the stream toward `peer`.
pub(super) fn opens(local: &PeerId, peer: &PeerId) -> bool {
    local < peer
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = StreamEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        let event = match event {
            Ok(stream) => StreamEvent::Open { peer, connection, stream },
            Err(error) => StreamEvent::Failed { peer, connection, error },
        };
        self.queue.push_back(ToSwarm::GenerateEvent(event));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.queue.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// One connection's share. It gives out at most one stream in its life: a
/// session lasts as long as its connection.
pub(super) struct Handler {
    /// This side waits for the stream instead of opening it.
    accepts: bool,
    asked: bool,
    outcome: Option<Result<Stream, String>>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = OpenStream;
    type ToBehaviour = Result<Stream, String>;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if let Some(outcome) = self.outcome.take() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(outcome));
        }
        if std::mem::take(&mut self.asked) {
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()),
            });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, OpenStream: OpenStream) {
        self.asked = true;
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            // A second stream, or one from the side that should wait, is
            // dropped, which resets it.
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. })
                if std::mem::take(&mut self.accepts) =>
            {
                self.outcome = Some(Ok(protocol));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) => {
                self.outcome = Some(Ok(protocol))
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.outcome = Some(Err(error.to_string()));
            }
            _ => {}
        }
    }
}
