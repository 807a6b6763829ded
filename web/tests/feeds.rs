//! The feeds and protocols for harvesters: what followers are told of creates,
//! updates and withdrawals, and of nothing else.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "feeds/atom.rs"]
mod atom;
#[path = "feeds/oai.rs"]
mod oai;
#[path = "feeds/stream.rs"]
mod stream;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crdt::ids::UnixMillis;
use node::config::Config;
use node::handle::OpenOptions;
use support::{Soest, soest_with};

/// 2026-11-18T11:06:40Z.
const BEGIN: i64 = 1_795_000_000_000;

/// A clock that stands until it is set.
#[derive(Clone)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

/// Soest under a clock of the test's own.
async fn world() -> (Soest, Clock) {
    world_under(Config::default()).await
}

async fn world_under(config: Config) -> (Soest, Clock) {
    let clock = Clock(Arc::new(AtomicI64::new(BEGIN)));
    let time = clock.clone();
    let options = OpenOptions {
        clock: Arc::new(move || UnixMillis(time.0.load(Ordering::SeqCst))),
        ..OpenOptions::default()
    };
    (soest_with(options, config).await, clock)
}
