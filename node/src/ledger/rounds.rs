//! When a thread that follows the stores goes round again.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wakes one following thread; many may notify it or wait for it.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    signal: Mutex<Signal>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Signal {
    wanted: bool,
    stop: bool,
    rounds: u64,
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

    /// Ends the thread after the batch at hand.
    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stop
    }

    /// Ends a round and waits for the next, at most so long.
    pub(super) fn next(&self, at_most: Option<Duration>) -> Next {
        let until = at_most.map(|at_most| Instant::now() + at_most);
        let mut signal = self.lock();
        signal.rounds += 1;
        self.changed.notify_all();
        while !signal.wanted && !signal.stop {
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
