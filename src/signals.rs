//! When the system or a person asks the program to stop.

use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::output;

/// Cancelled at the first Ctrl-C, SIGTERM or hang-up. A second Ctrl-C ends the
/// process at once: nothing acknowledged is lost by that either.
pub(crate) fn stop() -> Result<CancellationToken, Failure> {
    let failed = |error: std::io::Error| Failure::refused(format!("listen for signals: {error}"));
    let stop = CancellationToken::new();
    let asked = stop.clone();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            asked.cancel();
            interrupt.recv().await;
            output::note("stopped at once");
            std::process::exit(130);
        });
    }
    #[cfg(not(unix))]
    {
        let _ = failed;
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                asked.cancel();
            }
        });
    }
    Ok(stop)
}
