//! Lets queries in, a few at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use super::NodeHandle;
use crate::rdf::RdfForm;
use crate::rdf::sparql::{self, SparqlAnswer, SparqlError, SparqlRequest};

/// Queries that are evaluated at the same time.
pub(super) const QUERIES_MAX: usize = 2;
/// How long a query waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(3);
/// When to ask again while the graph is being made, in seconds.
const RETRY_S: u32 = 5;

/// Tells a query that nobody waits for it any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl NodeHandle {
    /// Answers a SPARQL query over what the public may know. Dropped, the query
    /// ends too.
    pub async fn sparql(&self, request: SparqlRequest) -> Result<SparqlAnswer, SparqlError> {
        let waited = timeout(WAIT_MAX, Arc::clone(&self.shared.queries).acquire_owned()).await;
        let Ok(Ok(permit)) = waited else { return Err(SparqlError::Busy) };
        let _abandon = Abandon(Arc::clone(&request.abandoned));
        let handle = self.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let answer = handle.answer(&request);
            // Stays with the thread: a query that was given up may still run.
            drop(permit);
            answer
        });
        answer.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a query panicked");
            Err(SparqlError::Fault)
        })
    }

    fn answer(&self, request: &SparqlRequest) -> Result<SparqlAnswer, SparqlError> {
        let graph = self.shared.indexer.graph();
        let answer = match graph.read()? {
            None => Err(SparqlError::Rebuilding { retry_s: RETRY_S }),
            Some(snapshot) => sparql::answer(snapshot, request),
        };
        if let Err(SparqlError::Store(error)) = &answer {
            tracing::error!(error, "the graph could not be read");
            graph.report_damage();
        }
        answer
    }

    /// What the query service is, in RDF (SPARQL 1.1 Service Description).
    /// `endpoint` is its address. Blocks.
    pub fn sparql_description(&self, endpoint: &str, format: RdfForm) -> Result<SparqlAnswer, SparqlError> {
        match self.shared.indexer.graph().read()? {
            None => Err(SparqlError::Rebuilding { retry_s: RETRY_S }),
            Some(snapshot) => sparql::description(&snapshot, endpoint, format),
        }
    }

    /// Length of the graph's file in bytes.
    pub fn graph_bytes(&self) -> u64 {
        self.shared.indexer.graph().bytes()
    }
}
