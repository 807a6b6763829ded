//! Which routes exist, and on which listener: one table, from which both
//! routers, `hanse routes` and the tests are made.
//!
//! INVARIANT: the public listener has no route that changes anything (what it
//! takes by `POST` are queries), and
//! every route of the desk asks for the token, but for the two health checks and
//! the style sheet of the page that says so.

use std::fmt;

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::handler::Handler;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Version};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, on};
use node::config::Config;
use node::handle::NodeHandle;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};

use crate::app::App;
use crate::error::Problem;
use crate::harvest::{Harvesters, Interface};
use crate::metrics::Counters;
use crate::{api, assets, ckan, cors, feeds, guard, harvest, metrics, pages, rdf, records, sparql};

/// Longest body of a request, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Paths of the public listener that take a query by `POST`.
#[cfg(test)]
const QUERIES: [&str; 5] =
    ["/sparql", "/api/action/{action}", "/api/3/action/{action}", "/oai", "/collections/{id}/items"];

/// One of the two places where a node answers HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Listener {
    /// Portal and query APIs: read only, for everyone.
    Public,
    /// Write API, status, metrics and health: for the town's staff.
    Desk,
}

impl Listener {
    /// Its name in logs, metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Desk => "desk",
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Where it answers.
    pub listener: Listener,
    /// HTTP method; `GET` includes `HEAD`.
    pub method: &'static str,
    /// Path, with its parameters in braces.
    pub path: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Whether it asks for the desk's token.
    pub token: bool,
}

/// Every route of both listeners.
pub fn routes() -> Vec<Route> {
    public_endpoints()
        .into_iter()
        .chain(rdf_endpoints())
        .chain(desk_endpoints())
        .map(|endpoint| endpoint.route)
        .collect()
}

/// What the public listener serves. Live pages end with `stop`.
pub fn public(handle: NodeHandle, config: &Config, stop: CancellationToken) -> Router {
    public_counted(handle, config, stop, Counters::default(), Harvesters::default())
}

/// What the desk listener serves.
pub fn desk(handle: NodeHandle, config: &Config, stop: CancellationToken) -> Router {
    desk_counted(handle, config, stop, Counters::default(), Harvesters::default())
}

/// [`public`], with counters that the desk's metrics show.
pub(crate) fn public_counted(
    handle: NodeHandle,
    config: &Config,
    stop: CancellationToken,
    counters: Counters,
    harvesters: Harvesters,
) -> Router {
    let app = App::new(handle, config, Listener::Public, counters, harvesters, stop);
    let endpoints = public_endpoints().into_iter().chain(rdf_endpoints());
    let router = routed(endpoints, &app)
        .layer(from_fn_with_state(app.clone(), guard::bound))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(from_fn_with_state(app.clone(), pages::dress))
        .layer(from_fn(cors::open));
    let compression = CompressionLayer::new().compress_when(DefaultPredicate::new().and(is_not_measured));
    finish(router.layer(compression), app)
}

/// [`desk`], with the counters of both listeners.
pub(crate) fn desk_counted(
    handle: NodeHandle,
    config: &Config,
    stop: CancellationToken,
    counters: Counters,
    harvesters: Harvesters,
) -> Router {
    let app = App::new(handle, config, Listener::Desk, counters, harvesters, stop);
    let router = routed(desk_endpoints(), &app)
        .layer(from_fn_with_state(app.clone(), guard::bound))
        .layer(from_fn_with_state(app.clone(), guard::token))
        .layer(from_fn(guard::host))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(from_fn_with_state(app.clone(), pages::dress));
    finish(router, app)
}

fn finish(router: Router<App>, app: App) -> Router {
    router
        .layer(from_fn(guard::headers))
        .layer(from_fn_with_state(app.clone(), metrics::count))
        .with_state(app)
}

fn routed(endpoints: impl IntoIterator<Item = Endpoint>, app: &App) -> Router<App> {
    let gated = |endpoint: Endpoint| match endpoint.harvest {
        Some(interface) => {
            endpoint.handler.layer(from_fn_with_state((app.clone(), interface), harvest::gate))
        }
        None => endpoint.handler,
    };
    let add = |router: Router<App>, endpoint: Endpoint| {
        let path = endpoint.route.path;
        let handler = gated(endpoint);
        match tolerates_a_slash(path) {
            true => router.route(&format!("{path}/"), handler.clone()).route(path, handler),
            false => router.route(path, handler),
        }
    };
    endpoints
        .into_iter()
        .fold(Router::new(), add)
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(
            |method: Method| async move { Problem::method_not_allowed(method.as_str()) },
        )
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// Whether a slash at the end makes no difference: clients of OGC APIs and of
/// CKAN put one behind the address that they were given.
fn tolerates_a_slash(path: &str) -> bool {
    const ROOTS: [&str; 5] = ["/ogc", "/conformance", "/collections", "/api/action/", "/api/3/action/"];
    ROOTS.iter().any(|root| path.starts_with(root)) && !path.contains('*')
}

/// Whether an answer may be compressed: not if its length was asked for.
fn is_not_measured(_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions) -> bool {
    extensions.get::<rdf::Measured>().is_none()
}

/// A route and what answers it.
struct Endpoint {
    route: Route,
    handler: MethodRouter<App>,
    /// Set if harvesters use it.
    harvest: Option<Interface>,
}

impl Endpoint {
    /// For harvesters: waits until the node has everything, and is counted.
    fn harvest(self, interface: Interface) -> Self {
        Self { harvest: Some(interface), ..self }
    }
}

fn endpoint<H, T>(
    listener: Listener,
    method: &'static str,
    path: &'static str,
    purpose: &'static str,
    handler: H,
) -> Endpoint
where
    H: Handler<T, App>,
    T: 'static,
{
    let filter = match method {
        "POST" => MethodFilter::POST,
        "PATCH" => MethodFilter::PATCH,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    };
    let token = listener == Listener::Desk && !guard::TOKENLESS.contains(&path);
    Endpoint {
        route: Route { listener, method, path, purpose, token },
        handler: on(filter, handler),
        harvest: None,
    }
}

#[rustfmt::skip]
fn public_endpoints() -> Vec<Endpoint> {
    use Listener::Public;
    vec![
        endpoint(Public, "GET", "/", "Portal: search and filter datasets", pages::search::page),
        endpoint(Public, "GET", "/dataset/{id}", "Portal: read one dataset", pages::dataset::page),
        endpoint(Public, "GET", "/catalog", "The town's catalog in DCAT-AP.de, in the form the client likes best", rdf::town).harvest(Interface::Rdf),
        endpoint(Public, "GET", "/federation/catalog", "The catalogs of all towns, the same way", rdf::federation).harvest(Interface::Rdf),
        endpoint(Public, "GET", "/federation", "Portal: the towns as this node sees them", pages::federation::page),
        endpoint(Public, "GET", "/federation/events", "The same, live (server-sent events)", pages::federation::events),
        endpoint(Public, "GET", "/developers", "Portal: the interfaces, with examples", pages::developers::page),
        endpoint(Public, "GET", "/assets/{name}", "Style sheet, script and icon", assets::asset),
        endpoint(Public, "GET", "/ogc", "OGC API Records: landing page", records::landing).harvest(Interface::Records),
        endpoint(Public, "GET", "/ogc/openapi.json", "OGC API Records: description (OpenAPI 3.0)", records::openapi::document).harvest(Interface::Records),
        endpoint(Public, "GET", "/ogc/{*path}", "OGC API Records: the same path without /ogc", records::below),
        endpoint(Public, "GET", "/conformance", "OGC API Records: what is fulfilled", records::conformance).harvest(Interface::Records),
        endpoint(Public, "GET", "/collections", "OGC API Records: one collection per town, one of all", records::collections::list).harvest(Interface::Records),
        endpoint(Public, "GET", "/collections/{id}", "OGC API Records: one collection", records::collections::one).harvest(Interface::Records),
        endpoint(Public, "GET", "/collections/{id}/queryables", "OGC API Records: by what records are searched", records::collections::queryables).harvest(Interface::Records),
        endpoint(Public, "GET", "/collections/{id}/sortables", "OGC API Records: by what records are sorted", records::collections::sortables).harvest(Interface::Records),
        endpoint(Public, "GET", "/collections/{id}/items", "OGC API Records: search records (GeoJSON)", records::items::items).harvest(Interface::Records),
        endpoint(Public, "POST", "/collections/{id}/items", "OGC API Records: the same search, with a filter in CQL2 JSON as the body", records::items::search_items).harvest(Interface::Records),
        endpoint(Public, "GET", "/collections/{id}/items/{item}", "OGC API Records: one record (GeoJSON)", records::items::item).harvest(Interface::Records),
        endpoint(Public, "GET", "/api/v1/datasets", "Search open datasets", api::public::list),
        endpoint(Public, "GET", "/api/v1/datasets/{id}", "One open dataset with its heads and verdict", api::public::one),
        endpoint(Public, "GET", "/api/v1/datasets/{id}/proof", "Everything needed to check it offline (CBOR)", api::public::proof),
        endpoint(Public, "GET", "/api/v1/vocabularies", "The lists of codes that this node goes by", api::vocabularies::list),
        endpoint(Public, "GET", "/api/v1/vocabularies/{name}", "One list with codes, labels and spellings", api::vocabularies::one),
        endpoint(Public, "GET", "/api/v1/status", "What the public may know about the node", api::public::status),
        endpoint(Public, "GET", "/api/v1/openapi.json", "Description of the public API", api::public::openapi),
        endpoint(Public, "GET", "/sparql", "SPARQL 1.1 queries, description of the service, form for people", sparql::get).harvest(Interface::Sparql),
        endpoint(Public, "POST", "/sparql", "The same queries as a form or as application/sparql-query", sparql::post).harvest(Interface::Sparql),
        endpoint(Public, "GET", "/oai", "OAI-PMH 2.0: records, sets, what was deleted", feeds::oai::get).harvest(Interface::OaiPmh),
        endpoint(Public, "POST", "/oai", "The same questions as a form", feeds::oai::post).harvest(Interface::OaiPmh),
        endpoint(Public, "GET", "/feed", "DCAT-AP Feed: event stream of creates, updates and deletes (LDES)", feeds::stream::page).harvest(Interface::Feed),
        endpoint(Public, "GET", "/feeds/dataset.atom", "Atom: all datasets, newest change first", feeds::atom::datasets).harvest(Interface::Feed),
        endpoint(Public, "GET", "/feeds/organization/{file}", "Atom: one town's datasets", feeds::atom::organization).harvest(Interface::Feed),
        endpoint(Public, "GET", "/feeds/group/{file}", "Atom: datasets of a theme", feeds::atom::group).harvest(Interface::Feed),
        endpoint(Public, "GET", "/feeds/tag/{file}", "Atom: datasets with a keyword", feeds::atom::tag).harvest(Interface::Feed),
        endpoint(Public, "GET", "/feeds/custom.atom", "Atom: what a search finds", feeds::atom::custom).harvest(Interface::Feed),
        endpoint(Public, "GET", "/sitemap.xml", "Sitemap: its parts", feeds::sitemap::index).harvest(Interface::Feed),
        endpoint(Public, "GET", "/sitemap/{file}", "Sitemap: one part", feeds::sitemap::page).harvest(Interface::Feed),
        endpoint(Public, "GET", "/robots.txt", "What search engines may read", feeds::sitemap::robots),
        endpoint(Public, "GET", "/api", "CKAN: version", ckan::version),
        endpoint(Public, "GET", "/api/3", "CKAN: version 3", ckan::version_3),
        endpoint(Public, "GET", "/api/util/dataset/autocomplete", "CKAN: suggestions while a person types", ckan::autocomplete).harvest(Interface::Ckan),
        endpoint(Public, "GET", "/api/util/status", "CKAN: what this is", ckan::status),
        endpoint(Public, "GET", "/api/action/{action}", "CKAN: an action that reads", ckan::action).harvest(Interface::Ckan),
        endpoint(Public, "POST", "/api/action/{action}", "CKAN: the same", ckan::action).harvest(Interface::Ckan),
        endpoint(Public, "GET", "/api/3/action/{action}", "CKAN: an action that reads", ckan::action).harvest(Interface::Ckan),
        endpoint(Public, "POST", "/api/3/action/{action}", "CKAN: the same", ckan::action).harvest(Interface::Ckan),
    ]
}

/// One address for each form of the catalog.
fn rdf_endpoints() -> impl Iterator<Item = Endpoint> {
    rdf::CATALOGS.into_iter().map(|(path, of, form, purpose)| {
        let answer = move |State(app): State<App>,
                           RawQuery(query): RawQuery,
                           method: Method,
                           headers: HeaderMap| async move {
            rdf::catalog(&app, (of, form, path), query.as_deref(), &method, &headers).await
        };
        endpoint(Listener::Public, "GET", path, purpose, answer).harvest(Interface::Rdf)
    })
}

#[rustfmt::skip]
fn desk_endpoints() -> Vec<Endpoint> {
    use Listener::Desk;
    vec![
        endpoint(Desk, "GET", "/healthz", "Whether the process answers", api::desk::healthz),
        endpoint(Desk, "GET", "/readyz", "Whether the node is ready", api::desk::readyz),
        endpoint(Desk, "GET", "/metrics", "Measurements for Prometheus", metrics::page),
        endpoint(Desk, "GET", "/assets/{name}", "Style sheet of the error pages", assets::asset),
        endpoint(Desk, "GET", "/api/v1/datasets", "Search all records of this node", api::desk::list),
        endpoint(Desk, "POST", "/api/v1/datasets", "Create a record; it starts closed", api::desk::create),
        endpoint(Desk, "GET", "/api/v1/datasets/{id}", "One record with the town's own notes", api::desk::one),
        endpoint(Desk, "PATCH", "/api/v1/datasets/{id}", "Change the given fields", api::desk::edit),
        endpoint(Desk, "POST", "/api/v1/datasets/{id}/publish", "Publish a record to everyone", api::desk::publish),
        endpoint(Desk, "GET", "/api/v1/datasets/{id}/check", "What the rules of publication say of a record", api::desk::check),
        endpoint(Desk, "GET", "/api/v1/datasets/{id}/history", "What was changed when", api::desk::history),
        endpoint(Desk, "GET", "/api/v1/datasets/{id}/conflicts", "Fields with several current values", api::desk::conflicts),
        endpoint(Desk, "POST", "/api/v1/imports", "Import an inventory, a catalog or an export", api::imports::begin),
        endpoint(Desk, "GET", "/api/v1/imports", "The newest imports", api::imports::list),
        endpoint(Desk, "GET", "/api/v1/imports/{id}", "How far an import is, and its report", api::imports::one),
        endpoint(Desk, "GET", "/api/v1/imports/{id}/rejected.csv", "The rejected rows, to be mended", api::imports::rejected),
        endpoint(Desk, "GET", "/api/v1/template.xlsx", "Blank template of an inventory", api::sheets::template_xlsx),
        endpoint(Desk, "GET", "/api/v1/template.csv", "The same as CSV", api::sheets::template_csv),
        endpoint(Desk, "GET", "/api/v1/records.xlsx", "All records of this town as a workbook", api::sheets::records_xlsx),
        endpoint(Desk, "GET", "/api/v1/records.csv", "The same as CSV", api::sheets::records_csv),
        endpoint(Desk, "GET", "/api/v1/sources", "The catalogs that are harvested", api::sources::list),
        endpoint(Desk, "POST", "/api/v1/sources", "Harvest a catalog", api::sources::add),
        endpoint(Desk, "GET", "/api/v1/sources/{name}", "How a source stands", api::sources::one),
        endpoint(Desk, "DELETE", "/api/v1/sources/{name}", "Harvest a catalog no longer", api::sources::remove),
        endpoint(Desk, "POST", "/api/v1/sources/{name}/run", "Ask a source now", api::sources::run),
        endpoint(Desk, "POST", "/api/v1/sources/{name}/stop", "Stop asking a source", api::sources::stop),
        endpoint(Desk, "POST", "/api/v1/sources/{name}/confirm", "Allow the deletions that wait", api::sources::confirm),
        endpoint(Desk, "GET", "/api/v1/mappings", "How the columns of a source are understood", api::imports::mapping),
        endpoint(Desk, "POST", "/api/v1/mappings", "Say how they are to be understood", api::imports::set_mapping),
        endpoint(Desk, "GET", "/api/v1/tasks", "What is left to decide or to fill in", api::imports::tasks),
        endpoint(Desk, "POST", "/api/v1/tasks/done", "Take tasks off the list", api::imports::tasks_done),
        endpoint(Desk, "GET", "/api/v1/duplicates", "Records that seem to be the same", api::duplicates::list),
        endpoint(Desk, "POST", "/api/v1/duplicates/different", "Note that two records are different", api::duplicates::different),
        endpoint(Desk, "POST", "/api/v1/duplicates/merge", "Keep one of two records and give the other up", api::duplicates::merge),
        endpoint(Desk, "GET", "/api/v1/datasets/{id}/lead", "Where a record comes from, and whose word counts", api::duplicates::show_lead),
        endpoint(Desk, "POST", "/api/v1/datasets/{id}/lead", "Say whose word counts for a record", api::duplicates::lead),
        endpoint(Desk, "GET", "/api/v1/catalog", "What the town says of its catalog", api::catalog::show),
        endpoint(Desk, "PATCH", "/api/v1/catalog", "Change the given fields of it", api::catalog::edit),
        endpoint(Desk, "GET", "/api/v1/export", "The whole catalog in one file", api::catalog::whole),
        endpoint(Desk, "GET", "/api/v1/status", "Peers, lag, store and queues", api::desk::status),
        endpoint(Desk, "GET", "/api/v1/digest", "One hash over all open records", api::desk::digest),
        endpoint(Desk, "POST", "/api/v1/reindex", "Make search indexes and graph anew", api::desk::reindex),
        endpoint(Desk, "GET", "/api/v1/harvesters", "Who fetches the catalog as a whole", api::desk::harvesters),
        endpoint(Desk, "GET", "/api/v1/openapi.json", "Description of the desk API", api::desk::openapi),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_listener_only_reads() {
        let public: Vec<Route> =
            routes().into_iter().filter(|route| route.listener == Listener::Public).collect();
        assert!(public.len() > 5);
        let reads = |route: &Route| route.method == "GET" || QUERIES.contains(&route.path);
        assert!(public.iter().all(|route| reads(route) && !route.token), "{public:?}");
    }

    #[test]
    fn the_desk_asks_for_its_token_but_for_health_and_looks() {
        let free: Vec<&str> = routes()
            .iter()
            .filter(|route| route.listener == Listener::Desk && !route.token)
            .map(|route| route.path)
            .collect();
        assert_eq!(free, ["/healthz", "/readyz", "/assets/{name}"]);
    }

    #[test]
    fn no_route_is_listed_twice() {
        let mut all: Vec<_> =
            routes().iter().map(|route| (route.listener, route.method, route.path)).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
