//! What all interfaces for harvesters have in common: they answer when the
//! node has everything, and they remember who came.
//!
//! A harvester deletes what it no longer sees, so a node that starts, restores
//! or catches up says `503` with `Retry-After`, never a short `200`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crdt::catalog::Timestamp;
use crdt::ids::UnixMillis;
use node::view::Phase;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::Problem;
use crate::records;

/// Clients that are remembered; the one that was away longest is forgotten.
const CLIENTS_MAX: usize = 200;
/// Characters kept of what a client says of itself and of what it fetched.
const TEXT_CHARS_MAX: usize = 200;

/// The interfaces that harvesters use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interface {
    /// DCAT-AP.de as RDF.
    Rdf,
    /// CKAN Action API.
    Ckan,
    /// SPARQL queries.
    Sparql,
    /// OGC API Records.
    Records,
    /// OAI-PMH.
    OaiPmh,
    /// DCAT-AP feed (LDES), Atom, sitemap.
    Feed,
}

/// One client of one interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Harvester {
    /// What it uses.
    pub(crate) interface: Interface,
    /// What it calls itself (`User-Agent`).
    pub(crate) client: String,
    /// Requests since the node started.
    pub(crate) requests: u64,
    /// When it first came, RFC 3339.
    #[serde(serialize_with = "as_time")]
    #[schema(value_type = String)]
    pub(crate) first: UnixMillis,
    /// When it last came, RFC 3339.
    #[serde(serialize_with = "as_time")]
    #[schema(value_type = String)]
    pub(crate) last: UnixMillis,
    /// What it fetched last: path and parameters.
    pub(crate) fetched: String,
}

fn as_time<S: serde::Serializer>(at: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    match Timestamp::from_unix(*at) {
        Some(time) => serializer.collect_str(&time),
        // A clock before the year 1 tells nothing.
        None => serializer.serialize_none(),
    }
}

/// Who came since the node started. Nothing is written to disk and no address
/// is kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Harvesters {
    known: Arc<Mutex<BTreeMap<(Interface, String), Harvester>>>,
}

impl Harvesters {
    /// Those known, the latest first.
    pub(crate) fn list(&self) -> Vec<Harvester> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Harvester> = known.values().cloned().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.last));
        all
    }

    fn note(&self, interface: Interface, client: &str, fetched: &str, now: UnixMillis) {
        let short = |text: &str| text.chars().take(TEXT_CHARS_MAX).collect::<String>();
        let key = (interface, short(client));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CLIENTS_MAX && !known.contains_key(&key) {
            let oldest = known.iter().min_by_key(|(_, one)| one.last).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| known.remove(&oldest));
        }
        let one = known.entry(key).or_insert_with_key(|(interface, client)| Harvester {
            interface: *interface,
            client: client.clone(),
            requests: 0,
            first: now,
            last: now,
            fetched: String::new(),
        });
        one.requests += 1;
        one.last = now;
        one.fetched = short(fetched);
    }
}

/// Marks an answer whose errors stay as they are: no person reads them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForPrograms;

/// Stands before every route of a harvest interface.
pub(crate) async fn gate(
    State((app, interface)): State<(App, Interface)>,
    request: Request,
    next: Next,
) -> Response {
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let tagged = request.method() == Method::GET && matches!(interface, Interface::Rdf | Interface::Feed);
    let mut response = match admit(&app, interface, request.uri(), request.headers()) {
        Ok(()) if tagged => tag(next.run(request).await, known.as_ref()).await,
        Ok(()) => next.run(request).await,
        Err(problem) => refused(interface, problem),
    };
    response.extensions_mut().insert(ForPrograms);
    response
}

/// Names an answer by its content, and does not send it to a client that has
/// it already. Weak (RFC 9110 section 8.8.1), since compression changes the
/// bytes.
async fn tag(response: Response, known: Option<&HeaderValue>) -> Response {
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return Problem::internal().into_response() };
    let hash = crdt::encoding::hash("hanse answer 1", &[&bytes]);
    let tag = format!("W/\"{}\"", crdt::ids::hex(&hash[..16]));
    let is_known = known.and_then(|known| known.to_str().ok()).is_some_and(|known| {
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        known.split(',').any(|one| one.trim() == "*" || bare(one) == bare(&tag))
    });
    parts.headers.extend(HeaderValue::from_str(&tag).map(|tag| (header::ETAG, tag)));
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// The same for an interface that shares its address with a page.
pub(crate) fn admit(app: &App, interface: Interface, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let client = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let fetched = uri.path_and_query().map_or("/", |path| path.as_str());
    app.harvesters.note(interface, client.unwrap_or("-"), fetched, app.handle.now());
    match app.handle.phase() {
        Phase::Ready => Ok(()),
        _ => Err(Problem::starting()),
    }
}

/// Says so in the form that the interface's clients read.
fn refused(interface: Interface, problem: Problem) -> Response {
    match interface {
        Interface::Records => records::Refusal::from(problem).into_response(),
        _ => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_counted_and_only_so_many_remembered() {
        let harvesters = Harvesters::default();
        for n in 0..CLIENTS_MAX as i64 + 10 {
            harvesters.note(Interface::Ckan, &format!("client {n}"), "/a", UnixMillis(n));
        }
        harvesters.note(Interface::Ckan, "client 100", "/b?q=1", UnixMillis(1_000));
        let all = harvesters.list();
        assert_eq!(all.len(), CLIENTS_MAX);
        assert_eq!(
            (all[0].client.as_str(), all[0].requests, all[0].fetched.as_str()),
            ("client 100", 2, "/b?q=1")
        );
        assert!(all.iter().all(|one| one.client != "client 0"), "the oldest is forgotten");
    }
}
