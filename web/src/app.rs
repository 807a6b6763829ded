//! What every handler of one listener shares.
//!
//! Reads block, so they run on threads of their own; a fixed number of them at
//! a time, however many requests come.

use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use crdt::catalog::Lang;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use node::config::{Config, Language};
use node::handle::NodeHandle;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::error::Problem;
use crate::harvest::Harvesters;
use crate::metrics::Counters;
use crate::router::Listener;

/// Reads that run at the same time on one listener.
const READS_MAX: usize = 16;
/// Requests that are being answered at the same time on one listener.
const REQUESTS_MAX: usize = 256;
/// Live pages that are open at the same time.
const STREAMS_MAX: usize = 64;

/// Bytes of one piece of a streamed answer.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces that wait for a slow reader; then the writing waits.
const PIECES_MAX: usize = 4;

/// Hands on what is written, piece by piece.
struct Pieces(mpsc::Sender<Result<Vec<u8>, Problem>>);

impl io::Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the answer any more");
        self.0.blocking_send(Ok(piece.to_vec())).map_err(gone)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The shared state of one listener's routes; a cheap copy.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) handle: NodeHandle,
    pub(crate) listener: Listener,
    /// Language of the pages if a reader asks for none.
    pub(crate) lang: Lang,
    /// Ends live pages when the server stops.
    pub(crate) stop: CancellationToken,
    pub(crate) counters: Counters,
    /// Who fetches the catalog as a whole; both listeners share it.
    pub(crate) harvesters: Harvesters,
    /// `public.base_url`, without a slash at its end.
    base_url: Option<Arc<str>>,
    pub(crate) requests: Arc<Semaphore>,
    pub(crate) streams: Arc<Semaphore>,
    reads: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(
        handle: NodeHandle,
        config: &Config,
        listener: Listener,
        counters: Counters,
        harvesters: Harvesters,
        stop: CancellationToken,
    ) -> Self {
        let lang = match config.node.language {
            Language::De => Lang::De,
            Language::En => Lang::En,
        };
        Self {
            handle,
            listener,
            lang,
            stop,
            counters,
            harvesters,
            base_url: config.public.base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').into()),
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            reads: Arc::new(Semaphore::new(READS_MAX)),
        }
    }

    /// Where readers find this node, without a slash at the end: as configured,
    /// else as the request says.
    pub(crate) fn base_url(&self, headers: &HeaderMap) -> String {
        if let Some(base) = &self.base_url {
            return base.to_string();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        // Whatever a client sends as its host is no part of markup or IRIs.
        let is_plain = |host: &&str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
        };
        format!("http://{}", host.filter(is_plain).unwrap_or("localhost"))
    }

    /// The host under which readers find this node, if that is configured.
    pub(crate) fn own_host(&self) -> Option<String> {
        let base = url::Url::parse(self.base_url.as_deref()?).ok()?;
        base.host_str().map(str::to_owned)
    }

    /// Answers with what a blocking read writes, while it writes it: the
    /// answer is never in memory as a whole. What goes wrong before the first
    /// piece is an error; after that, the answer breaks off.
    pub(crate) async fn stream<E>(
        &self,
        write: impl FnOnce(&NodeHandle, &mut dyn io::Write) -> Result<(), E> + Send + 'static,
    ) -> Result<Body, Problem>
    where
        E: Into<Problem> + std::fmt::Display + Send + 'static,
    {
        let permit = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| Problem::busy())?;
        let handle = self.handle.clone();
        let (pieces, mut taken) = mpsc::channel(PIECES_MAX);
        tokio::task::spawn_blocking(move || {
            let mut out = BufWriter::with_capacity(PIECE_BYTES, Pieces(pieces.clone()));
            let written = write(&handle, &mut out);
            let failed = match written {
                // Nobody may be there any more, which is no failure.
                Ok(()) => return out.flush().unwrap_or_default(),
                Err(error) => error,
            };
            if !pieces.is_closed() {
                tracing::error!(error = %failed, "an answer broke off");
                // What is in the buffer is not sent: the answer is not whole.
                drop(out.into_parts());
                let _ = pieces.blocking_send(Err(failed.into()));
            }
            drop(permit);
        });
        let first = taken.recv().await.transpose()?;
        let rest = ReceiverStream::new(taken).map_err(|_| io::Error::other("the answer broke off"));
        Ok(Body::from_stream(stream::iter(first.map(Ok)).chain(rest)))
    }

    /// Runs a blocking read. The permit stays with the thread: a request that
    /// was given up does not let another read start while its own still runs.
    pub(crate) async fn read<T, E>(
        &self,
        read: impl FnOnce(&NodeHandle) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let permit = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| Problem::busy())?;
        let handle = self.handle.clone();
        let task = tokio::task::spawn_blocking(move || {
            let answer = read(&handle);
            drop(permit);
            answer
        });
        match task.await {
            Ok(answer) => answer.map_err(Into::into),
            Err(error) => {
                tracing::error!(%error, "a read panicked");
                Err(Problem::internal())
            }
        }
    }
}
