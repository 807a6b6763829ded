//! Strangers, and listed peers that break the protocol, each with a transport
//! or a stream of its own making.

use std::collections::BTreeSet;

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::core::transport::upgrade::Version;
use libp2p::core::transport::{DialOpts, PortUse};
use libp2p::core::{Endpoint, Transport as _};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{self, ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, noise, tcp, yamux};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::super::crowd::HANDSHAKES_PER_SOURCE_MAX;
use super::super::framing::tests::{frame, pack};
use super::super::stream::{Behaviour, StreamEvent};
use super::super::transport::{self, AllowList};
use super::*;

/// Dials with libp2p's own parts and says whether the node agreed to Yamux.
async fn agrees_to_yamux(key: &TransportKey, address: &str) -> Result<PeerId, String> {
    let mut transport = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(&key.keypair()).unwrap())
        .multiplex(yamux::Config::default())
        .boxed();
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let mut address: Multiaddr = address.parse().unwrap();
    address.pop();
    let dialing = transport.dial(address, options).unwrap();
    let (peer, _) = dialing.await.map_err(|error| error.to_string())?;
    Ok(peer)
}

#[tokio::test]
async fn stranger_is_refused_before_the_multiplexer() {
    let mut node = TestNode::listening(&key(1), vec![allowed(&key(2), &[])]).await;
    let address = node.handle.listening()[0].clone();
    // The same steps with a listed key reach it: the test can tell.
    let peer = agrees_to_yamux(&key(2), &address).await.unwrap();
    assert_eq!(peer, node.key.peer_id());

    let error = agrees_to_yamux(&key(3), &address).await.unwrap_err();
    let reason = node.refused().await;
    let stranger = key(3).peer_id_string();
    assert!(reason.contains(&format!("peer {stranger} is not on the list")), "{reason} ({error})");
}

#[tokio::test]
async fn listed_node_does_not_talk_to_a_stranger_at_a_listed_address() {
    let impostor = TestNode::listening(&key(3), vec![allowed(&key(1), &[])]).await;
    let address = impostor.handle.listening()[0].split("/p2p/").next().unwrap().to_owned();
    let mut node = TestNode::start(&key(1), &[], vec![allowed(&key(2), &[address])]).await;
    let error = node
        .until(|event| match event {
            NetworkEvent::DialFailed { peer, error, .. } => {
                assert_eq!(peer, key(2).public());
                Some(error)
            }
            NetworkEvent::Connected { .. } => panic!("connected to a stranger"),
            _ => None,
        })
        .await;
    assert!(error.contains("is not on the list"), "{error}");
}

#[tokio::test]
async fn silent_connection_is_closed_when_the_handshake_takes_too_long() {
    let timing = Timing { handshake_timeout: Duration::from_millis(100), ..quick() };
    let mut node = TestNode::start_with(&key(1), &["/ip4/127.0.0.1/tcp/0"], Vec::new(), timing).await;
    let mut stream = TcpStream::connect(("127.0.0.1", port(&node))).await.unwrap();
    let reason = node.refused().await;
    assert!(reason.to_lowercase().contains("timeout"), "{reason}");
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
}

#[tokio::test]
async fn silent_connections_from_one_place_do_not_lock_the_others_out() {
    let mut node = TestNode::listening(&key(1), vec![allowed(&key(2), &[])]).await;
    let mut held = Vec::new();
    for _ in 0..=HANDSHAKES_PER_SOURCE_MAX {
        held.push(TcpStream::connect(("127.0.0.1", port(&node))).await.unwrap());
    }
    let reason = node.refused().await;
    assert!(reason.contains("16 connections from 127.0.0.1 are in their handshakes"), "{reason}");
    // Room returns with the first that leaves.
    held.clear();
    let mut client = TestNode::start(&key(2), &[], vec![node.as_peer()]).await;
    client.connected().await;
    node.connected().await;
}

#[tokio::test]
async fn noise_on_the_socket_is_refused_without_harm() {
    let (small, large) = ordered_keys();
    let mut node = TestNode::listening(&large, vec![allowed(&small, &[])]).await;
    for seed in 0..20 {
        let mut stream = TcpStream::connect(("127.0.0.1", port(&node))).await.unwrap();
        let bytes = noise(seed, 4_000);
        // The node may close before it has read all.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
        node.refused().await;
    }
    let mut client = TestNode::start(&small, &[], vec![node.as_peer()]).await;
    let (_, client_session) = client.connected().await;
    let (_, session) = node.connected().await;
    exchange(&mut client, client_session, &mut node, session).await;
}

fn port(node: &TestNode) -> u16 {
    let address: Multiaddr = node.handle.listening()[0].parse().unwrap();
    address
        .iter()
        .find_map(|part| match part {
            Protocol::Tcp(port) => Some(port),
            _ => None,
        })
        .unwrap()
}

/// A line between a dialing node and a listening one that can go dead without
/// either noticing: sockets stay open, bytes stay away.
struct Line {
    address: String,
    dead: watch::Sender<bool>,
}

impl Line {
    async fn to(node: &TestNode) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("/ip4/127.0.0.1/tcp/{}", listener.local_addr().unwrap().port());
        let target = port(node);
        let (dead, is_dead) = watch::channel(false);
        tokio::spawn(async move {
            // Ends with the test's runtime.
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
                let is_dead = is_dead.clone();
                tokio::spawn(async move { Self::carry(near, far, is_dead).await });
            }
        });
        Self { address, dead }
    }

    async fn carry(mut near: TcpStream, mut far: TcpStream, mut is_dead: watch::Receiver<bool>) {
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
            _ = is_dead.wait_for(|dead| *dead) => {}
        }
        std::future::pending().await
    }
}

#[tokio::test]
async fn peer_behind_a_dead_line_is_missed_and_found_again() {
    let (small, large) = ordered_keys();
    let timing = Timing {
        ping_interval: Duration::from_millis(50),
        ping_timeout: Duration::from_millis(200),
        handshake_timeout: Duration::from_millis(500),
        ..quick()
    };
    let listen = ["/ip4/127.0.0.1/tcp/0"];
    let list = vec![allowed(&small, &[])];
    let mut server = TestNode::start_with(&large, &listen, list, timing.clone()).await;
    let line = Line::to(&server).await;
    let list = vec![allowed(&large, std::slice::from_ref(&line.address))];
    let mut client = TestNode::start_with(&small, &[], list, timing).await;
    client.connected().await;
    server.connected().await;
    line.dead.send(true).unwrap();
    let (_, reason) = client.disconnected().await;
    assert!(matches!(reason, DisconnectReason::Silent), "{reason}");
    let (_, reason) = server.disconnected().await;
    assert!(!reason.is_peers_fault(), "{reason}");
    line.dead.send(false).unwrap();
    let (_, client_session) = client.connected().await;
    let (_, server_session) = server.connected().await;
    exchange(&mut client, client_session, &mut server, server_session).await;
}

/// A listed peer that writes what it likes.
struct Hostile {
    swarm: Swarm<Behaviour>,
    peer: PeerId,
    connection: ConnectionId,
}

impl Hostile {
    /// Connects with the key that opens streams.
    async fn connect(key: &TransportKey, node: &TestNode) -> Self {
        let peer = node.key.peer_id();
        let allowed = AllowList::default();
        allowed.replace(BTreeSet::from([peer]));
        let transport = transport::build(key, allowed, &quick()).unwrap();
        let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(PATIENCE);
        let behaviour = Behaviour::new(key.peer_id());
        let mut swarm = Swarm::new(transport, behaviour, key.peer_id(), config);
        let address: Multiaddr = node.handle.listening()[0].parse().unwrap();
        swarm.dial(address).unwrap();
        loop {
            let next = timeout(PATIENCE, swarm.select_next_some()).await.unwrap();
            if let SwarmEvent::ConnectionEstablished { connection_id, .. } = next {
                return Self { swarm, peer, connection: connection_id };
            }
        }
    }

    async fn open(&mut self) -> swarm::Stream {
        self.swarm.behaviour_mut().open(self.peer, self.connection);
        loop {
            let next = timeout(PATIENCE, self.swarm.select_next_some()).await.unwrap();
            if let SwarmEvent::Behaviour(StreamEvent::Open { stream, .. }) = next {
                return stream;
            }
        }
    }

    /// Keeps the connection going while `other` runs.
    async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::pin!(other);
        loop {
            tokio::select! {
                done = &mut other => return done,
                _ = self.swarm.select_next_some() => {}
            }
        }
    }
}

#[tokio::test]
async fn hostile_stream_ends_the_session_with_a_reason() {
    let (small, large) = ordered_keys();
    let full = frame(65_536, 9 | 0x80, &vec![7; 65_535]);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("no zstd", noise(1, 3_000), "peer broke the framing"),
        ("oversize frame", pack(&frame(70_000, 1, &[]), 20, false), "frame of 70000 bytes"),
        ("oversize message", pack(&full.repeat(6), 20, false), "message of 393210 bytes"),
        ("bomb", pack(&vec![0; 16 << 20], 20, true), "frame of 0 bytes"),
        ("large window", pack(&frame(9_001, 1, &noise(2, 9_000)), 22, false), "unreadable"),
        ("trailing", [pack(&[], 20, true), b"mehr".to_vec()].concat(), "bytes after the end"),
    ];
    let mut node = TestNode::listening(&large, vec![allowed(&small, &[])]).await;
    for (name, bytes, expected) in cases {
        let mut hostile = Hostile::connect(&small, &node).await;
        let mut stream = hostile.open().await;
        let (session, reason) = hostile
            .during(async {
                // The node may close before it has read all.
                let _ = stream.write_all(&bytes).await;
                let _ = stream.flush().await;
                node.disconnected().await
            })
            .await;
        assert!(reason.is_peers_fault(), "{name}: {session} {reason}");
        assert!(reason.to_string().contains(expected), "{name}: {reason}");
    }
    // The same way a decent stream is heard, so the cases do not pass for
    // another reason.
    let mut decent = Hostile::connect(&small, &node).await;
    let mut stream = decent.open().await;
    let bytes = FrameWriter::new().unwrap().message(5, b"gut").unwrap();
    let (_, session) = decent.during(node.connected()).await;
    let heard = decent
        .during(async {
            stream.write_all(&bytes).await.unwrap();
            stream.flush().await.unwrap();
            node.message().await
        })
        .await;
    assert_eq!(heard, (session, 5, b"gut".to_vec()));
}

#[tokio::test]
async fn connection_lost_inside_a_message_is_not_held_against_the_peer() {
    let (small, large) = ordered_keys();
    let mut node = TestNode::listening(&large, vec![allowed(&small, &[])]).await;
    let mut peer = Hostile::connect(&small, &node).await;
    let mut stream = peer.open().await;
    let bytes = pack(&frame(500, 1, b"nur der Anfang"), 20, false);
    peer.during(async {
        stream.write_all(&bytes).await.unwrap();
        stream.flush().await.unwrap();
        node.connected().await
    })
    .await;
    drop((stream, peer));
    let (_, reason) = node.disconnected().await;
    assert!(!reason.is_peers_fault(), "{reason}");
}

#[tokio::test]
async fn second_stream_of_a_connection_is_reset() {
    let (small, large) = ordered_keys();
    let mut node = TestNode::listening(&large, vec![allowed(&small, &[])]).await;
    let mut peer = Hostile::connect(&small, &node).await;
    let mut first = peer.open().await;
    let mut second = peer.open().await;
    let (_, session) = peer.during(node.connected()).await;
    let mut rest = Vec::new();
    let refused = peer.during(second.read_to_end(&mut rest)).await;
    assert!(refused.is_err() || rest.is_empty(), "{refused:?}");
    let bytes = FrameWriter::new().unwrap().message(5, b"gut").unwrap();
    let heard = peer
        .during(async {
            first.write_all(&bytes).await.unwrap();
            first.flush().await.unwrap();
            node.message().await
        })
        .await;
    assert_eq!(heard, (session, 5, b"gut".to_vec()));
}

#[tokio::test]
async fn connection_without_a_session_is_closed() {
    let (small, large) = ordered_keys();
    let timing = Timing { idle_timeout: Duration::from_millis(100), ..quick() };
    let listen = ["/ip4/127.0.0.1/tcp/0"];
    let node = TestNode::start_with(&large, &listen, vec![allowed(&small, &[])], timing).await;
    let mut idle = Hostile::connect(&small, &node).await;
    loop {
        let next = timeout(PATIENCE, idle.swarm.select_next_some()).await.unwrap();
        if let SwarmEvent::ConnectionClosed { .. } = next {
            break;
        }
    }
    assert_eq!(node.handle.counters()[&small.public()].sessions, 0);
}
