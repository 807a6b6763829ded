//! What a peer may do wrong before it is sent away for a while.
//!
//! Charged is only what fails or is not wanted; valid wanted data is limited
//! by backpressure alone (`docs/protocol.md` section 13).

use crate::ids::Millis;

/// Failures a peer may cause in one window.
pub const FAILURES_MAX: u32 = 200;
/// Length of the window in milliseconds.
pub const WINDOW_MS: u64 = 60_000;
/// How long a peer is blocked at first, in milliseconds; doubles each time.
pub const BLOCK_MS: u64 = 60_000;
/// How long a peer is blocked at most, in milliseconds.
pub const BLOCK_MS_MAX: u64 = 3_600_000;

/// A peer's failures, kept over its sessions.
#[derive(Debug, Clone, Default)]
pub(super) struct Budget {
    window: Millis,
    failures: u32,
    blocked_until: Option<Millis>,
    blocks: u32,
    total: u64,
}

impl Budget {
    /// Counts one failure. Returns how long the peer is blocked, in
    /// milliseconds, if this was one too many.
    pub(super) fn charge(&mut self, now: Millis) -> Option<u64> {
        self.total += 1;
        if now.since(self.window) >= WINDOW_MS {
            self.window = now;
            self.failures = 0;
        }
        self.failures += 1;
        if self.failures <= FAILURES_MAX {
            return None;
        }
        let length = BLOCK_MS.saturating_mul(1 << self.blocks.min(16)).min(BLOCK_MS_MAX);
        self.blocks += 1;
        self.failures = 0;
        self.blocked_until = Some(now.plus(length));
        Some(length)
    }

    /// Whether the peer is blocked.
    pub(super) fn is_blocked(&self, now: Millis) -> bool {
        self.blocked_until.is_some_and(|until| now < until)
    }

    /// All failures since the start.
    pub(super) fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_blocked_after_its_budget_and_longer_each_time() {
        let mut budget = Budget::default();
        let mut exhaust = |now| (0..=FAILURES_MAX).filter_map(|_| budget.charge(now)).collect::<Vec<_>>();
        assert_eq!(exhaust(Millis(1_000_000)), [BLOCK_MS]);
        assert_eq!(exhaust(Millis(2_000_000)), [2 * BLOCK_MS]);
        assert!(budget.is_blocked(Millis(2_000_001)));
        assert!(!budget.is_blocked(Millis(2_000_000 + 2 * BLOCK_MS)));
    }

    #[test]
    fn failures_of_an_earlier_minute_do_not_count() {
        let mut budget = Budget::default();
        for minute in 1..10 {
            for _ in 0..FAILURES_MAX {
                assert_eq!(budget.charge(Millis(minute * WINDOW_MS)), None);
            }
        }
    }
}
