//! The federation as this node sees it: a table when the page loads, and the
//! same table again whenever something changes, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use crdt::catalog::Lang;
use futures::stream::{self, Stream, StreamExt};
use node::view::{Phase, PublicStatus, PublicTown, StatusEvent};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{Frame, Place, render};
use crate::api::answers;
use crate::app::App;
use crate::error::Problem;
use crate::locale::{self, Texts};

/// Shortest time between two events, in milliseconds: a bulk load changes
/// thousands of records a second, a reader wants to see the last.
const EVENT_INTERVAL_MS: u64 = 250;
/// Longest time between two looks at the status, in seconds: a lag grows
/// without any event.
const LOOK_INTERVAL_S: u64 = 2;
/// How often a connection on which nothing happens gives a sign of life, in seconds.
const ALIVE_INTERVAL_S: u64 = 15;

#[derive(Template)]
#[template(path = "federation.html")]
struct FederationPage {
    frame: Frame,
    live: String,
    status: StatusFragment,
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "federation_status.html")]
struct StatusFragment {
    t: &'static Texts,
    towns: Vec<TownRow>,
    newest: Option<Newest>,
    datasets: String,
    phase: &'static str,
    charter_version: Option<u32>,
}

struct TownRow {
    name: String,
    state: &'static str,
    /// Shape and colour of the mark before it.
    mark: &'static str,
    datasets: String,
    /// Not known for oneself.
    lag: Option<(String, String)>,
    seen: String,
}

struct Newest {
    title: String,
    link: String,
    town: String,
    at: String,
    machine_at: Option<String>,
}

/// Answers `GET /federation`.
pub(crate) async fn page(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let frame = Frame::new(&app, &uri, &headers, Place::Federation);
    let status = look(&app, frame.lang).await?;
    let live = format!("/federation/events?{}={}", locale::LANG_KEY, frame.lang.code());
    Ok(render(&FederationPage { frame, live, status }, &uri))
}

/// Answers `GET /federation/events`: an event `status` with the fragment as
/// HTML, at once and after every change.
pub(crate) async fn events(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Arc::clone(&app.streams).try_acquire_owned().map_err(|_| Problem::busy())?;
    let lang = locale::negotiate(uri.query(), &headers, app.lang);
    let stop = app.stop.clone();
    let stream = changes(app, lang, place).take_until(stop.cancelled_owned());
    let alive = KeepAlive::new().interval(Duration::from_secs(ALIVE_INTERVAL_S));
    // A proxy that collects the stream would make it a page again.
    let unbuffered =
        [(header::CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(stream).keep_alive(alive)).into_response())
}

struct Live {
    app: App,
    lang: Lang,
    events: Receiver<StatusEvent>,
    last: Option<String>,
    _place: OwnedSemaphorePermit,
}

fn changes(
    app: App,
    lang: Lang,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let events = app.handle.subscribe();
    let live = Live { app, lang, events, last: None, _place: place };
    stream::unfold(live, |mut live| async move {
        loop {
            if live.last.is_some() && !live.wait().await {
                return None;
            }
            let fragment = look(&live.app, live.lang).await.ok()?;
            let html = fragment.render().ok()?;
            if live.last.as_ref() != Some(&html) {
                live.last = Some(html.clone());
                return Some((Ok(Event::default().event("status").data(html)), live));
            }
        }
    })
}

impl Live {
    /// Waits until it is worth looking again; `false` if the node has gone.
    async fn wait(&mut self) -> bool {
        tokio::time::sleep(Duration::from_millis(EVENT_INTERVAL_MS)).await;
        let look = Duration::from_secs(LOOK_INTERVAL_S);
        match tokio::time::timeout(look, self.events.recv()).await {
            Ok(Err(RecvError::Closed)) => false,
            // What was missed or comes together is in the status.
            Ok(Ok(_) | Err(RecvError::Lagged(_))) | Err(_) => {
                self.events = self.events.resubscribe();
                true
            }
        }
    }
}

async fn look(app: &App, lang: Lang) -> Result<StatusFragment, Problem> {
    let status = app.read(|handle| Ok::<_, Problem>(handle.public_status())).await?;
    Ok(StatusFragment::new(status, lang))
}

impl StatusFragment {
    fn new(status: PublicStatus, lang: Lang) -> Self {
        let t = Texts::of(lang);
        let newest = status.newest_change.map(|newest| Newest {
            title: newest.title.best(lang).map_or(t.title_missing, |title| title.as_str()).to_owned(),
            link: format!("/dataset/{}", newest.id),
            town: newest.town_name,
            at: locale::moment(newest.at, lang),
            machine_at: answers::moment(newest.at),
        });
        Self {
            t,
            towns: status.towns.into_iter().map(|town| TownRow::new(town, t, lang)).collect(),
            newest,
            datasets: locale::number(status.datasets, lang),
            phase: match status.phase {
                Phase::Starting => t.phase_starting,
                Phase::CatchingUp => t.phase_catching_up,
                Phase::Ready => t.phase_ready,
            },
            charter_version: status.federation.map(|federation| federation.charter_version),
        }
    }
}

impl TownRow {
    fn new(town: PublicTown, t: &'static Texts, lang: Lang) -> Self {
        let (state, mark) = match (town.here, town.connected) {
            (true, _) => (t.state_here, "here"),
            (false, true) => (t.state_connected, "up"),
            (false, false) => (t.state_apart, "down"),
        };
        let lag = (locale::number(town.lag_changes, lang), locale::number(town.lag_seconds, lang));
        let seen = town.last_seen.map_or(t.never.to_owned(), |at| locale::moment(at, lang));
        Self {
            name: town.info.name,
            state,
            mark,
            datasets: locale::number(town.datasets, lang),
            lag: (!town.here).then_some(lag),
            seen: if town.here { "–".to_owned() } else { seen },
        }
    }
}
