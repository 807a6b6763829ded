//! Keeps what is known of each peer: its addresses, its connections, when to
//! dial it next. Decides; the loop in `manager.rs` acts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::swarm::ConnectionId;
use tokio::time::Instant;

use super::Timing;
use super::key::PeerKey;
use super::session::PeerStats;

/// One administered peer.
pub(super) struct Peer {
    pub(super) key: PeerKey,
    pub(super) addresses: Vec<Multiaddr>,
    pub(super) stats: Arc<PeerStats>,
    pub(super) links: BTreeMap<ConnectionId, Link>,
    /// The connection whose stream was asked for or carries the session.
    pub(super) chosen: Option<ConnectionId>,
    pub(super) dial: Dial,
    pub(super) backoff: Backoff,
    /// Until then it may not connect and is not dialed.
    pub(super) paused_until: Option<Instant>,
}

/// An established connection.
pub(super) struct Link {
    pub(super) since: Instant,
    pub(super) address: String,
    /// This side is closing it.
    pub(super) closing: bool,
}

/// Where dialing a peer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dial {
    Idle,
    At(Instant),
    UnderWay,
}

/// What the side that opens the stream does with a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Open the session on it.
    Take,
    /// Both dialed at once: the first one stays.
    Surplus,
}

impl Peer {
    pub(super) fn new(key: PeerKey) -> Self {
        Self {
            key,
            addresses: Vec::new(),
            stats: Arc::default(),
            links: BTreeMap::new(),
            chosen: None,
            dial: Dial::Idle,
            backoff: Backoff::default(),
            paused_until: None,
        }
    }

    /// Chooses between a new connection and the one in use.
    ///
    /// A dial that was under way when the first connection came up ends
    /// within the handshake's time. What comes later was dialed by a peer that
    /// has lost the first one, so the first one is dead even if nothing here
    /// shows it yet.
    pub(super) fn choose(&self, now: Instant, handshake_timeout: Duration) -> Choice {
        let in_use =
            self.chosen.and_then(|connection| self.links.get(&connection)).filter(|link| !link.closing);
        match in_use {
            Some(link) if now.duration_since(link.since) <= 2 * handshake_timeout => Choice::Surplus,
            _ => Choice::Take,
        }
    }

    /// Plans the next dial, if the peer can be dialed and is not connected.
    pub(super) fn plan_dial(&mut self, now: Instant, timing: &Timing) {
        if self.addresses.is_empty() || !self.links.is_empty() || self.dial == Dial::UnderWay {
            return;
        }
        let delay = self.backoff.next(timing, random());
        let at = now + delay;
        self.dial = Dial::At(self.paused_until.map_or(at, |until| at.max(until)));
    }

    /// When something is to be done for this peer next.
    pub(super) fn due(&self) -> Option<Instant> {
        let dial = match self.dial {
            Dial::At(at) => Some(at),
            Dial::Idle | Dial::UnderWay => None,
        };
        [dial, self.paused_until].into_iter().flatten().min()
    }
}

/// Waiting times between dials that fail, doubling.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next waiting time: within [`Timing::backoff_min`] and
    /// [`Timing::backoff_max`], drawn from the upper half of its range so that
    /// nodes that lost each other together do not return together.
    pub(super) fn next(&mut self, timing: &Timing, random: u32) -> Duration {
        let doubled = 1_u32 << (self.failures + 1).min(20);
        self.failures = self.failures.saturating_add(1);
        let longest = (timing.backoff_min * doubled).min(timing.backoff_max);
        let half = longest / 2;
        let drawn = half + half.mul_f64(f64::from(random) / f64::from(u32::MAX));
        drawn.clamp(timing.backoff_min, timing.backoff_max)
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Jitter only: without a random source every node waits the same.
fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn back_off_stays_between_one_and_thirty_seconds(
            randoms in prop::collection::vec(any::<u32>(), 1..64),
        ) {
            let timing = Timing::default();
            let mut backoff = Backoff::default();
            for random in randoms {
                let wait = backoff.next(&timing, random);
                prop_assert!(wait >= Duration::from_secs(1), "{wait:?}");
                prop_assert!(wait <= Duration::from_secs(30), "{wait:?}");
            }
        }
    }

    #[test]
    fn back_off_doubles_and_begins_anew_after_a_reset() {
        let timing = Timing::default();
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..7).map(|_| backoff.next(&timing, u32::MAX).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 30, 30, 30]);
        backoff.reset();
        assert_eq!(backoff.next(&timing, 0), Duration::from_secs(1));
    }

    #[test]
    fn second_connection_is_surplus_only_while_a_dial_can_have_been_under_way() {
        let limit = Duration::from_secs(10);
        let mut peer = Peer::new([0; 32]);
        let start = Instant::now();
        assert_eq!(peer.choose(start, limit), Choice::Take);
        let first = ConnectionId::new_unchecked(1);
        peer.links.insert(first, Link { since: start, address: String::new(), closing: false });
        peer.chosen = Some(first);
        assert_eq!(peer.choose(start, limit), Choice::Surplus);
        assert_eq!(peer.choose(start + 2 * limit, limit), Choice::Surplus);
        let later = start + 2 * limit + Duration::from_millis(1);
        assert_eq!(peer.choose(later, limit), Choice::Take);
    }
}
