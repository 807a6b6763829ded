//! OGC API – Records, Part 1: the open catalog for GIS programs (QGIS
//! MetaSearch, OWSLib), one collection per town and one of all.
//!
//! [`collections`] says what there is, [`query`] reads what is asked, [`items`]
//! finds and pages, [`record`] writes a dataset as GeoJSON, [`openapi`] describes
//! it all. [`cql`] reads filters, [`filter`] says what they find by which of the
//! [`queryables`]. Nothing here is HTML: who prefers that is sent to the portal's
//! page of the same thing.
//!
//! Source: OGC 20-004r1 (Records) on the ground of OGC 17-069r4 (Features),
//! with OGC 19-079r2 (Filtering) and OGC 21-065r2 (CQL2).

pub(crate) mod collections;
mod cql;
mod filter;
pub(crate) mod items;
pub(crate) mod openapi;
mod query;
mod queryables;
mod record;
mod refusal;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use crdt::catalog::Lang;
use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::error::Problem;
use crate::negotiate::{self, JSON};
pub(crate) use refusal::Refusal;

/// Media type of GeoJSON.
pub(crate) const GEOJSON: &str = "application/geo+json";
/// Media type of a JSON schema.
const SCHEMA: &str = "application/schema+json";
/// Media type of the description, to the letter as clients compare it.
const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.0";

/// What is fulfilled, class by class.
const CONFORMANCE: [&str; 22] = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
    "http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core-query-parameters",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-api",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/filtering",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/json",
];

/// A link as all documents have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Link {
    rel: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    href: String,
}

impl Link {
    fn new(rel: &'static str, media_type: &str, title: &str, href: String) -> Self {
        Self { rel, media_type: Some(media_type.to_owned()), title: Some(title.to_owned()), href }
    }
}

/// Answers `GET /ogc`, and `GET /` for programs.
pub(crate) async fn landing(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if wants_html(&uri, &headers, JSON)? {
        return Ok(Redirect::to("/").into_response());
    }
    Ok(landing_page(&app, &headers))
}

/// The landing page as JSON.
pub(crate) fn landing_page(app: &App, headers: &HeaderMap) -> Response {
    let base = app.base_url(headers);
    let town = app.handle.town().name;
    let links = [
        Link::new("self", JSON, "This document", format!("{base}/ogc")),
        Link::new("alternate", "text/html", "The portal", format!("{base}/")),
        Link::new("service-desc", OPENAPI, "Description of this API", format!("{base}/ogc/openapi.json")),
        Link::new("conformance", JSON, "Conformance classes", format!("{base}/conformance")),
        Link::new("data", JSON, "Collections of records", format!("{base}/collections")),
        Link::new(
            "http://www.opengis.net/def/rel/ogc/1.0/ogc-catalog",
            JSON,
            "Records of all towns",
            format!("{base}/collections/{}", collections::FEDERATION),
        ),
    ];
    let body = json!({
        "title": format!("Datenkatalog {town}"),
        "description": "Offene Datensätze aller Städte des Verbunds, aus der eigenen, geprüften Kopie dieses Knotens. Open datasets of all towns of the federation, from this node's own verified copy.",
        "links": links,
    });
    answer(JSON, &body)
}

/// Answers `GET /conformance`.
pub(crate) async fn conformance(uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    if wants_html(&uri, &headers, JSON)? {
        return Ok(Redirect::to("/").into_response());
    }
    Ok(answer(JSON, &json!({"conformsTo": CONFORMANCE})))
}

/// Answers `GET /ogc/{*path}`: clients that were given `/ogc` as the address of
/// the service look for everything below it.
pub(crate) async fn below(uri: Uri) -> Result<Response, Refusal> {
    let rest = uri.path_and_query().map_or("/", |path| path.as_str());
    // A second slash would make the address one of another host.
    let rest = rest.trim_start_matches("/ogc").trim_start_matches('/');
    let first = rest.split(['/', '?']).next().unwrap_or_default();
    if !matches!(first, "conformance" | "collections") {
        return Err(not_found());
    }
    Ok(Redirect::permanent(&format!("/{rest}")).into_response())
}

/// Whether the portal's page of the same thing is wanted: by `f=html`, or by a
/// browser that says nothing of `f`.
fn wants_html(uri: &Uri, headers: &HeaderMap, form: &str) -> Result<bool, Refusal> {
    let query = uri.query().unwrap_or_default();
    let asked = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| name.eq_ignore_ascii_case("f") && !value.is_empty());
    match asked.as_ref().map(|(_, value)| value.as_ref()) {
        None => Ok(negotiate::prefers_html(headers, form)),
        Some("html") => Ok(true),
        Some("json" | "geojson" | "application/json" | "application/geo+json") => Ok(false),
        Some(other) => Err(Refusal::parameter("f", other, &["json", "html"])),
    }
}

/// A JSON document under its own media type.
fn answer(media_type: &'static str, body: &impl Serialize) -> Response {
    let mut response = Json(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    headers.insert(header::VARY, header::HeaderValue::from_static("Accept, Accept-Language"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, header::HeaderValue::from_static("*"));
    response
}

fn not_found() -> Refusal {
    Refusal::from(Problem::not_found())
}

fn other(lang: Lang) -> Lang {
    match lang {
        Lang::De => Lang::En,
        Lang::En => Lang::De,
    }
}
