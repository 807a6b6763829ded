//! Real nodes over loopback; nothing sleeps, everything waits for an event.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::framing::tests::noise;
use super::*;

mod hostile;

const PATIENCE: Duration = Duration::from_secs(30);

/// A node under test; it stops when dropped.
struct TestNode {
    key: TransportKey,
    handle: NetworkHandle,
    events: mpsc::Receiver<NetworkEvent>,
    shutdown: CancellationToken,
    _guard: DropGuard,
}

fn key(seed: u8) -> TransportKey {
    TransportKey::from_seed([seed; 32])
}

/// Two keys, the one that opens streams first.
fn ordered_keys() -> (TransportKey, TransportKey) {
    let (a, b) = (key(1), key(2));
    match a.public() < b.public() {
        true => (a, b),
        false => (b, a),
    }
}

fn allowed(key: &TransportKey, addresses: &[String]) -> AllowedPeer {
    AllowedPeer { key: key.public(), addresses: addresses.to_vec() }
}

/// Timing for tests: quick returns, everything else as in production.
fn quick() -> Timing {
    Timing {
        backoff_min: Duration::from_millis(10),
        backoff_max: Duration::from_millis(200),
        ..Timing::default()
    }
}

impl TestNode {
    async fn start(key: &TransportKey, listen: &[&str], peers: Vec<AllowedPeer>) -> Self {
        Self::start_with(key, listen, peers, quick()).await
    }

    async fn start_with(
        key: &TransportKey,
        listen: &[&str],
        peers: Vec<AllowedPeer>,
        timing: Timing,
    ) -> Self {
        let (sender, events) = mpsc::channel(4);
        let shutdown = CancellationToken::new();
        let config = NetworkConfig {
            listen: listen.iter().map(ToString::to_string).collect(),
            key: key.clone(),
            peers,
            timing,
        };
        let handle = start(config, sender, shutdown.clone()).await.unwrap();
        Self { key: key.clone(), handle, events, _guard: shutdown.clone().drop_guard(), shutdown }
    }

    async fn listening(key: &TransportKey, peers: Vec<AllowedPeer>) -> Self {
        Self::start(key, &["/ip4/127.0.0.1/tcp/0"], peers).await
    }

    /// How others reach it.
    fn as_peer(&self) -> AllowedPeer {
        allowed(&self.key, &self.handle.listening())
    }

    async fn event(&mut self) -> NetworkEvent {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event within the tests' patience")
            .expect("the network runs")
    }

    /// Waits for the event that `pick` recognises and skips others.
    async fn until<T>(&mut self, mut pick: impl FnMut(NetworkEvent) -> Option<T>) -> T {
        loop {
            if let Some(found) = pick(self.event().await) {
                return found;
            }
        }
    }

    async fn connected(&mut self) -> (PeerKey, SessionId) {
        self.until(|event| match event {
            NetworkEvent::Connected { peer, session, .. } => Some((peer, session)),
            _ => None,
        })
        .await
    }

    async fn disconnected(&mut self) -> (SessionId, DisconnectReason) {
        self.until(|event| match event {
            NetworkEvent::Disconnected { session, reason, .. } => Some((session, reason)),
            _ => None,
        })
        .await
    }

    /// The next message; anything that is not one fails the test.
    async fn message(&mut self) -> (SessionId, u8, Vec<u8>) {
        match self.event().await {
            NetworkEvent::Message { session, kind, payload } => (session, kind, payload),
            other => panic!("a message, not {other:?}"),
        }
    }

    async fn refused(&mut self) -> String {
        self.until(|event| match event {
            NetworkEvent::Refused { reason, .. } => Some(reason),
            _ => None,
        })
        .await
    }
}

/// Two connected nodes, the one that opens streams first; only the second
/// listens.
async fn pair() -> (TestNode, SessionId, TestNode, SessionId) {
    let (small, large) = ordered_keys();
    let mut server = TestNode::listening(&large, vec![allowed(&small, &[])]).await;
    let mut client = TestNode::start(&small, &[], vec![server.as_peer()]).await;
    let (peer, client_session) = client.connected().await;
    assert_eq!(peer, large.public());
    let (peer, server_session) = server.connected().await;
    assert_eq!(peer, small.public());
    (client, client_session, server, server_session)
}

/// Reports the next session of both and checks it carries a message.
async fn exchange(a: &mut TestNode, a_session: SessionId, b: &mut TestNode, b_session: SessionId) {
    a.handle.send(a_session, 1, b"moin".to_vec()).await.unwrap();
    assert_eq!(b.message().await, (b_session, 1, b"moin".to_vec()));
    b.handle.send(b_session, 2, b"tach".to_vec()).await.unwrap();
    assert_eq!(a.message().await, (a_session, 2, b"tach".to_vec()));
}

#[tokio::test]
async fn small_and_great_messages_arrive_in_order_both_ways() {
    let (mut a, a_session, mut b, b_session) = pair().await;
    let messages: Vec<(u8, Vec<u8>)> = [0, 1, 300, 65_535, 65_536, MESSAGE_BYTES_MAX, 7]
        .into_iter()
        .enumerate()
        .map(|(i, length)| (i as u8 + 1, noise(i as u32, length)))
        .collect();
    let send = |handle: NetworkHandle, session: SessionId, messages: Vec<(u8, Vec<u8>)>| async move {
        for (kind, payload) in messages {
            handle.send(session, kind, payload).await.unwrap();
        }
    };
    let both = [
        tokio::spawn(send(a.handle.clone(), a_session, messages.clone())),
        tokio::spawn(send(b.handle.clone(), b_session, messages.clone())),
    ];
    for (kind, payload) in messages {
        assert_eq!(a.message().await, (a_session, kind, payload.clone()));
        assert_eq!(b.message().await, (b_session, kind, payload));
    }
    for sender in both {
        sender.await.unwrap();
    }
    let counters = a.handle.counters()[&b.key.public()].clone();
    assert!(counters.connected);
    assert_eq!((counters.sessions, counters.messages_in), (1, 7));
    assert!(counters.bytes_in > MESSAGE_BYTES_MAX as u64 && counters.bytes_in < 500_000);
}

#[tokio::test]
async fn it_makes_no_difference_who_dials() {
    let (small, large) = ordered_keys();
    let mut server = TestNode::listening(&small, vec![allowed(&large, &[])]).await;
    let mut client = TestNode::start(&large, &[], vec![server.as_peer()]).await;
    let (_, client_session) = client.connected().await;
    let (_, server_session) = server.connected().await;
    exchange(&mut client, client_session, &mut server, server_session).await;
}

#[tokio::test]
async fn nodes_that_dial_each_other_at_once_keep_one_session() {
    let (small, large) = ordered_keys();
    for _ in 0..5 {
        let mut a = TestNode::listening(&small, Vec::new()).await;
        let mut b = TestNode::listening(&large, Vec::new()).await;
        let (a_peers, b_peers) = (vec![b.as_peer()], vec![a.as_peer()]);
        let (a_set, b_set) = tokio::join!(a.handle.set_peers(a_peers), b.handle.set_peers(b_peers));
        a_set.unwrap();
        b_set.unwrap();
        let (_, a_session) = a.connected().await;
        let (_, b_session) = b.connected().await;
        // A session that gave way to another would show up here instead of
        // the messages.
        for _ in 0..20 {
            exchange(&mut a, a_session, &mut b, b_session).await;
        }
        assert_eq!(a.handle.counters()[&b.key.public()].sessions, 1);
        assert_eq!(b.handle.counters()[&a.key.public()].sessions, 1);
    }
}

#[tokio::test]
async fn peer_that_restarts_is_found_again() {
    let (client_key, server_key) = ordered_keys();
    let mut server = TestNode::listening(&server_key, vec![allowed(&client_key, &[])]).await;
    let mut client = TestNode::start(&client_key, &[], vec![server.as_peer()]).await;
    let (_, first) = client.connected().await;
    server.connected().await;
    let address = server.handle.listening()[0].clone();
    server.shutdown.cancel();
    let (session, reason) = server.disconnected().await;
    assert!(matches!(reason, DisconnectReason::Shutdown), "{session} {reason}");
    drop(server);
    let (ended, _) = client.disconnected().await;
    assert_eq!(ended, first);
    assert!(matches!(client.handle.send(first, 1, Vec::new()).await, Err(SendError::Ended(_))));
    // Nobody listens any more: dialing goes on.
    client.until(|event| matches!(event, NetworkEvent::DialFailed { .. }).then_some(())).await;
    let mut server = TestNode::start(&server_key, &[&address], vec![allowed(&client_key, &[])]).await;
    let (_, client_session) = client.connected().await;
    let (_, server_session) = server.connected().await;
    assert_ne!(client_session, first);
    exchange(&mut client, client_session, &mut server, server_session).await;
    assert!(client.handle.counters()[&server_key.public()].dial_failures > 0);
}

#[tokio::test]
async fn session_ended_here_says_why_and_begins_anew() {
    let (mut a, a_session, mut b, b_session) = pair().await;
    b.handle.disconnect(b_session, "too many failed signatures", None).await.unwrap();
    let (session, reason) = b.disconnected().await;
    assert_eq!(session, b_session);
    assert_eq!(reason.to_string(), "closed here: too many failed signatures");
    let (session, reason) = a.disconnected().await;
    assert_eq!(session, a_session);
    assert!(!reason.is_peers_fault(), "{reason}");
    let (_, a_session) = a.connected().await;
    let (_, b_session) = b.connected().await;
    exchange(&mut a, a_session, &mut b, b_session).await;
}

#[tokio::test]
async fn paused_peer_is_refused_until_the_pause_ends() {
    let (mut a, _, mut b, b_session) = pair().await;
    let pause = Duration::from_millis(300);
    b.handle.disconnect(b_session, "budget spent", Some(pause)).await.unwrap();
    b.disconnected().await;
    let reason = b.refused().await;
    assert!(reason.contains("not on the list"), "{reason}");
    let (_, a_session) = a.connected().await;
    assert_ne!(a_session, SessionId(1));
    let (_, b_session) = b.connected().await;
    exchange(&mut a, a_session, &mut b, b_session).await;
}

#[tokio::test]
async fn peer_taken_off_the_list_is_disconnected_and_stays_out() {
    let (mut a, _, mut b, _) = pair().await;
    b.handle.set_peers(Vec::new()).await.unwrap();
    let (_, reason) = b.disconnected().await;
    assert!(matches!(reason, DisconnectReason::NotAllowed), "{reason}");
    a.disconnected().await;
    let reason = b.refused().await;
    assert!(reason.contains(&a.key.peer_id_string()), "{reason}");
    assert!(b.handle.counters().is_empty());
    b.handle.set_peers(vec![allowed(&a.key, &[])]).await.unwrap();
    let (_, a_session) = a.connected().await;
    let (_, b_session) = b.connected().await;
    exchange(&mut a, a_session, &mut b, b_session).await;
}

#[tokio::test]
async fn towns_that_only_dial_out_meet_at_one_that_listens() {
    let hub_key = key(9);
    let towns: Vec<TransportKey> = (10..14).map(key).collect();
    let list = towns.iter().map(|town| allowed(town, &[])).collect();
    let mut hub = TestNode::listening(&hub_key, list).await;
    let mut nodes = Vec::new();
    for town in &towns {
        let mut peers = vec![hub.as_peer()];
        // They know each other, without an address to dial.
        peers.extend(towns.iter().map(|other| allowed(other, &[])));
        nodes.push(TestNode::start(town, &[], peers).await);
    }
    let mut sessions = BTreeMap::new();
    while sessions.len() < towns.len() {
        let (peer, session) = hub.connected().await;
        sessions.insert(peer, session);
    }
    for node in &mut nodes {
        let (peer, session) = node.connected().await;
        assert_eq!(peer, hub_key.public());
        exchange(node, session, &mut hub, sessions[&node.key.public()]).await;
    }
}

#[tokio::test]
async fn node_that_does_not_receive_holds_its_peer_back() {
    let (mut a, a_session, mut b, b_session) = pair().await;
    let mut queued = 0_u32;
    // Queues, windows and sockets are bounded, so room runs out.
    loop {
        let payload = noise(queued, MESSAGE_BYTES_MAX);
        match a.handle.try_send(a_session, 7, payload.clone()) {
            Ok(()) => {}
            Err(TrySendError::Full { payload: back, .. }) => {
                assert_eq!(back, payload);
                let waiting = a.handle.send(a_session, 7, back);
                if timeout(Duration::from_millis(200), waiting).await.is_err() {
                    break;
                }
            }
            Err(TrySendError::Send(error)) => panic!("{error}"),
        }
        queued += 1;
        assert!(queued < 100, "nothing held the sender back");
    }
    for seed in 0..queued {
        assert_eq!(b.message().await, (b_session, 7, noise(seed, MESSAGE_BYTES_MAX)));
    }
    a.until(|event| match event {
        NetworkEvent::Drained { session } if session == a_session => Some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn peer_that_takes_nothing_is_given_up() {
    let (small, large) = ordered_keys();
    let mut server = TestNode::listening(&large, vec![allowed(&small, &[])]).await;
    let timing = Timing { stall_timeout: Duration::from_millis(200), ..quick() };
    let mut client = TestNode::start_with(&small, &[], vec![server.as_peer()], timing).await;
    let (_, session) = client.connected().await;
    server.connected().await;
    let handle = client.handle.clone();
    let sender = tokio::spawn(async move {
        let mut seed = 0;
        while handle.send(session, 7, noise(seed, MESSAGE_BYTES_MAX)).await.is_ok() {
            seed += 1;
        }
    });
    let (ended, reason) = client.disconnected().await;
    assert_eq!(ended, session);
    assert!(matches!(reason, DisconnectReason::Stalled(_)), "{reason}");
    sender.await.unwrap();
}

#[tokio::test]
async fn unusable_addresses_and_keys_are_told_and_harm_nobody() {
    let (small, large) = ordered_keys();
    let mut server = TestNode::listening(&large, vec![allowed(&small, &[])]).await;
    let mut peer = server.as_peer();
    peer.addresses.insert(0, "soest.example:8301".to_owned());
    let mut broken = [0xff; 32];
    broken[0] = 2;
    let list = vec![
        AllowedPeer { key: broken, addresses: Vec::new() },
        allowed(&small, &["/ip4/127.0.0.1/tcp/1".to_owned()]),
        peer,
    ];
    let mut client = TestNode::start(&small, &[], list).await;
    let mut problems = Vec::new();
    while problems.len() < 2 {
        let problem = client.until(|event| match event {
            NetworkEvent::DialFailed { error, .. } => Some(error),
            _ => None,
        });
        problems.push(problem.await);
    }
    assert!(problems[0].contains("is not an Ed25519 public key"), "{problems:?}");
    assert!(problems[1].contains("`soest.example:8301` is not a multiaddr"), "{problems:?}");
    client.connected().await;
    server.connected().await;
}

#[tokio::test]
async fn taken_port_is_named() {
    let node = TestNode::listening(&key(1), Vec::new()).await;
    let taken = node.handle.listening()[0].clone();
    let (events, _received) = mpsc::channel(4);
    let config = |listen: &str| NetworkConfig {
        listen: vec![listen.to_owned()],
        key: key(2),
        peers: Vec::new(),
        timing: Timing::default(),
    };
    let stop = CancellationToken::new();
    let error = start(config(&taken), events.clone(), stop.clone()).await.unwrap_err().to_string();
    assert!(error.contains(&taken), "{error}");
    assert!(error.to_lowercase().contains("in use"), "{error}");
    let error = start(config("0.0.0.0:8301"), events, stop).await.unwrap_err().to_string();
    assert!(error.contains("`0.0.0.0:8301` is not a multiaddr such as"), "{error}");
}

#[tokio::test]
async fn list_longer_than_the_limit_is_refused() {
    let node = TestNode::start(&key(1), &[], Vec::new()).await;
    let peers = vec![allowed(&key(2), &[]); PEERS_MAX + 1];
    let error = node.handle.set_peers(peers).await.unwrap_err();
    assert_eq!(error.to_string(), "321 peers: at most 320 are allowed");
}
