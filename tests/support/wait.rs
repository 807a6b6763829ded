//! Waits for conditions, never for times.

use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Looks until there is a value. A test machine may be slow: the deadline says
/// that something hangs, not that it is late.
///
/// # Panics
///
/// After a minute, with what was waited for.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = look().await {
            return value;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "waited a minute for: {what}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks until there is a value, without a runtime.
///
/// # Panics
///
/// After two minutes, with what was waited for.
pub(crate) fn until_blocking<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "waited two minutes for: {what}");
        std::thread::sleep(LOOK);
    }
}
