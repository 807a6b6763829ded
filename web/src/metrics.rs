//! Measurements as Prometheus reads them.
//!
//! Only what a peer could count too, and how the node itself is doing: no
//! number here depends on a closed record, because metrics travel further than
//! the desk.

use std::sync::atomic::{AtomicI64, AtomicU64};

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use node::view::{Phase, Status};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;
use crate::error::Problem;

/// Media type that Prometheus asks for.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers since the start, by listener and status.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    answers: Family<AnswerLabels, Counter<u64, AtomicU64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    listener: &'static str,
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TownLabels {
    town: String,
}

/// Counts an answer.
pub(crate) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let labels =
        AnswerLabels { listener: app.listener.name(), status: u32::from(response.status().as_u16()) };
    app.counters.answers.get_or_create(&labels).inc();
    response
}

#[utoipa::path(
    get, path = "/metrics", tag = "node",
    summary = "Measurements for Prometheus",
    responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text", body = String)),
)]
pub(crate) async fn page(State(app): State<App>) -> Result<Response, Problem> {
    let status = app.read(|handle| Ok::<_, Problem>(handle.status())).await?;
    let registry = registry(&status, &app.counters);
    let mut text = String::new();
    if let Err(error) = encode(&mut text, &registry) {
        tracing::error!(%error, "the metrics could not be written");
        return Err(Problem::internal());
    }
    Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
}

fn registry(status: &Status, counters: &Counters) -> Registry {
    let mut registry = Registry::with_prefix("hanse");
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut gauge = |name: &str, help: &str, value: i64| {
        let gauge = Gauge::<i64, AtomicI64>::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    let phase = match status.phase {
        Phase::Starting => 0,
        Phase::CatchingUp => 1,
        Phase::Ready => 2,
    };
    gauge("phase", "0 starting, 1 catching up, 2 ready", phase);
    gauge("open_datasets", "Open datasets of all towns held here", number(status.store.datasets));
    gauge("sealed_documents", "Sealed documents held here", number(status.store.documents));
    gauge("sealed_changes", "Sealed changes held here", number(status.store.changes));
    gauge("replica_bytes", "Size of replica.redb", number(status.store.replica_bytes));
    gauge("writer_queue", "Jobs that wait for the writer", number(status.queues.ledger));
    gauge("writer_queue_max", "Jobs that may wait for the writer", number(status.queues.ledger_max));
    gauge("judge_queue", "Remote changes that wait to be checked", number(status.queues.judge));
    gauge(
        "index_behind_commits",
        "Commits that the search index has not taken in",
        number(status.queues.index_behind),
    );
    gauge("quarantine_changes", "Changes set aside", number(status.quarantine.changes));
    gauge("quarantine_bytes", "Bytes of changes set aside", number(status.quarantine.bytes));
    gauge(
        "equivocations",
        "Authors that sealed two changes under one number",
        number(status.quarantine.equivocations),
    );
    peers(&mut registry, status);
    registry.register("http_answers", "Answers by listener and status", counters.answers.clone());
    registry
}

fn peers(registry: &mut Registry, status: &Status) {
    type PerTown = Family<TownLabels, Gauge<i64, AtomicI64>>;
    let [connected, lag_changes, lag_seconds, failures, datasets] =
        std::array::from_fn(|_| PerTown::default());
    for peer in &status.peers {
        let town = TownLabels { town: peer.info.code.clone() };
        let set = |family: &PerTown, value: u64| {
            family.get_or_create(&town).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&connected, u64::from(peer.connected));
        set(&lag_changes, peer.lag_changes);
        set(&lag_seconds, peer.lag_seconds);
        set(&failures, peer.failures);
        set(&datasets, peer.datasets);
    }
    registry.register("peer_connected", "Whether a session with the town is up", connected);
    registry.register("peer_lag_changes", "Changes the town has that are not here yet", lag_changes);
    registry.register_with_unit("peer_lag", "Age of the oldest difference", Unit::Seconds, lag_seconds);
    registry.register("peer_failures", "Failed dials and refused messages since the start", failures);
    registry.register("peer_datasets", "Open datasets of the town held here", datasets);
}
