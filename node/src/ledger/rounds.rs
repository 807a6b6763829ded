//! When a thread that follows the stores goes round again.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wakes one following thread; many may notify it, wait for it or hold it back.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    signal: Mutex<Signal>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Signal {
    wanted: bool,
    stop: bool,
    /// Something that goes first is at work.
    held_back: bool,
    /// Rounds that have ended.
    rounds: u64,
    /// The first round that is sure to have seen what had to be followed.
    level_after: u64,
    level: bool,
    was_level: bool,
}

/// Why a thread goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The stores have changed.
    Wanted,
    /// Nothing has, for as long as it wanted to wait.
    Idle,
    /// It is to end.
    Stop,
}

impl Rounds {
    /// Says that the stores have changed.
    pub(super) fn notify(&self) {
        self.lock().wanted = true;
        self.changed.notify_all();
    }

    /// Waits until everything committed before the call has been followed.
    pub(super) fn settle(&self) {
        let mut signal = self.lock();
        // The round under way may have read the stores before that commit.
        let enough = signal.rounds + 2;
        while signal.rounds < enough && !signal.stop {
            signal.wanted = true;
            self.changed.notify_all();
            signal = self.changed.wait(signal).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes back that the thread is level, until everything committed before
    /// the call has been followed.
    pub(super) fn expect_all(&self) {
        let mut signal = self.lock();
        signal.level = false;
        signal.level_after = signal.rounds + 2;
        signal.wanted = true;
        self.changed.notify_all();
    }

    /// Whether a round has followed everything there was, ever since the start.
    pub(super) fn was_level(&self) -> bool {
        self.lock().was_level
    }

    /// Whether a round has followed everything there was to follow at the start
    /// or when [`Rounds::expect_all`] was called last.
    pub(super) fn is_level(&self) -> bool {
        self.lock().level
    }

    /// Whether there is something to follow already.
    pub(super) fn is_wanted(&self) -> bool {
        self.lock().wanted
    }

    /// Lets no further round begin, or lets them begin again.
    pub(super) fn hold_back(&self, held_back: bool) {
        self.lock().held_back = held_back;
        self.changed.notify_all();
    }

    /// Whether the thread should end its round early for something that goes first.
    pub(super) fn is_held_back(&self) -> bool {
        self.lock().held_back
    }

    /// Ends the thread after the batch at hand.
    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stop
    }

    /// Ends a round, which followed all there was or not, and waits for the next,
    /// at most so long.
    pub(super) fn next(&self, followed_all: bool, at_most: Option<Duration>) -> Next {
        let until = at_most.map(|at_most| Instant::now() + at_most);
        let mut signal = self.lock();
        signal.rounds += 1;
        signal.level |= followed_all && signal.rounds >= signal.level_after;
        signal.was_level |= signal.level;
        signal.wanted |= signal.rounds < signal.level_after;
        self.changed.notify_all();
        while (!signal.wanted || signal.held_back) && !signal.stop {
            signal = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(signal).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return Next::Idle,
                Some(left) => {
                    let waited = self.changed.wait_timeout(signal, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        signal.wanted = false;
        if signal.stop { Next::Stop } else { Next::Wanted }
    }

    fn lock(&self) -> MutexGuard<'_, Signal> {
        self.signal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_wakes_the_thread_until_it_must_have_been_seen() {
        let rounds = Rounds::default();
        rounds.notify();
        assert_eq!(rounds.next(true, None), Next::Wanted);
        assert!(rounds.is_level() && rounds.was_level());
        rounds.expect_all();
        assert!(!rounds.is_level() && rounds.was_level());
        // The round that is under way may have looked before the call.
        assert_eq!(rounds.next(true, None), Next::Wanted);
        assert!(!rounds.is_level());
        assert_eq!(rounds.next(true, Some(Duration::ZERO)), Next::Idle);
        assert!(rounds.is_level());
    }

    #[test]
    fn a_round_that_failed_makes_nothing_level() {
        let rounds = Rounds::default();
        assert_eq!(rounds.next(false, Some(Duration::ZERO)), Next::Idle);
        assert!(!rounds.is_level() && !rounds.was_level());
    }

    #[test]
    fn who_is_held_back_begins_no_round_but_ends() {
        let rounds = Rounds::default();
        rounds.hold_back(true);
        rounds.notify();
        assert_eq!(rounds.next(true, Some(Duration::ZERO)), Next::Idle);
        rounds.hold_back(false);
        assert_eq!(rounds.next(true, None), Next::Wanted);
        rounds.hold_back(true);
        rounds.stop();
        assert_eq!(rounds.next(true, None), Next::Stop);
    }
}
