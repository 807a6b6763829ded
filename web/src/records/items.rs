//! The records of a collection: found, paged, one by one.

use std::ops::Bound;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use crdt::catalog::Timestamp;
use crdt::ids::DatasetId;
use node::handle::{Listed, NodeHandle, ReadError, Scope, Select};
use node::view::{Expression, NamedField, TownInfo};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::collections::{Collection, OnePart, find, named};
use super::cql::{Filter, json};
use super::query::{Asked, FILTER_LANGS, Known, LIMIT_DEFAULT, parse};
use super::record::{Surroundings, record};
use super::refusal::Refusal;
use super::{GEOJSON, JSON, Link, answer, not_found, wants_html};
use crate::app::App;
use crate::extract::Body;
use crate::locale;

/// Media types of a filter in a body.
pub(super) const FILTER_TYPES: [&str; 4] =
    ["application/json", "application/query-cql-json", "application/cql2+json", "application/cql+json"];

/// Records that were found.
struct Found {
    /// All that match.
    total: u64,
    /// Those behind the place where the page begins.
    remaining: u64,
    datasets: Vec<Listed>,
}

/// Answers `GET /collections/{id}/items`.
pub(crate) async fn items(
    State(app): State<App>,
    path: OnePart,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let collection = named(&app, path)?;
    let asked = read(&app, query.as_deref(), None)?;
    if wants_html(&uri, &headers, GEOJSON)? {
        return Ok(Redirect::to(&page_of(&collection, &asked)).into_response());
    }
    page(&app, &collection, query.as_deref(), asked, &uri, &headers).await
}

/// Answers `POST /collections/{id}/items`: the same search, with a filter in
/// CQL2 JSON as the body. Its links are addresses that hold the filter.
pub(crate) async fn search_items(
    State(app): State<App>,
    path: OnePart,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Refusal> {
    let collection = named(&app, path)?;
    let filter = posted(&headers, &body)?;
    let asked = read(&app, query.as_deref(), Some(&filter))?;
    let address = with_filter(query.as_deref(), &filter);
    page(&app, &collection, Some(&address), asked, &uri, &headers).await
}

fn read(app: &App, query: Option<&str>, posted: Option<&Filter>) -> Result<Asked, Refusal> {
    let members = app.handle.members();
    let towns: Vec<_> = members.iter().map(|town| (town.code.clone(), town.town.to_string())).collect();
    parse(query, posted, Known { towns: &towns, lists: app.handle.vocabularies() })
}

/// The filter of a body in JSON.
fn posted(headers: &HeaderMap, body: &[u8]) -> Result<Filter, Refusal> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !FILTER_TYPES.iter().any(|known| known.eq_ignore_ascii_case(essence)) {
        return Err(Refusal::parameter("Content-Type", essence, &FILTER_TYPES));
    }
    let text = String::from_utf8_lossy(body);
    let filter = json::read(&text).and_then(json::short_enough_for_links);
    filter.map_err(|wrong| Refusal::invalid(&wrong.field()))
}

/// A query with a filter in it.
fn with_filter(query: Option<&str>, filter: &Filter) -> String {
    let mut address = Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if !name.eq_ignore_ascii_case("filter-lang") {
            address.append_pair(&name, &value);
        }
    }
    address.append_pair("filter-lang", FILTER_LANGS[1]);
    address.append_pair("filter", &filter.to_json().to_string());
    address.finish()
}

/// One page of what is asked for.
async fn page(
    app: &App,
    collection: &Collection,
    query: Option<&str>,
    asked: Asked,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let members = app.handle.members();
    let (scope, wanted) = (collection.scope(), asked.clone());
    let found = app.read(move |handle| search(handle, scope, &wanted)).await?;
    let around = surroundings(app, collection, uri, headers);
    let features: Vec<Value> = found
        .datasets
        .iter()
        .filter_map(|listed| Some(record(listed, town_of(listed, &members)?, &around)))
        .collect();
    let body = serde_json::json!({
        "type": "FeatureCollection",
        "timeStamp": Timestamp::from_unix(app.handle.now()).map(|now| now.to_string()),
        "numberMatched": found.total,
        "numberReturned": features.len(),
        "features": features,
        "links": links(&around, collection, query, &asked, &found),
    });
    Ok(answer(GEOJSON, &body))
}

/// Answers `GET /collections/{id}/items/{item}`.
pub(crate) async fn item(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Path((id, item)) = path.map_err(|_| not_found())?;
    let collection = find(&app, &id)?;
    let item: DatasetId = item.parse().map_err(|_| not_found())?;
    let listed = app.read(move |handle| handle.open_dataset(item)).await?;
    let listed = listed.filter(|listed| collection.scope().holds(listed.town)).ok_or_else(not_found)?;
    if wants_html(&uri, &headers, GEOJSON)? {
        return Ok(Redirect::to(&format!("/dataset/{item}")).into_response());
    }
    let members = app.handle.members();
    let town = town_of(&listed, &members).ok_or_else(not_found)?;
    let around = surroundings(&app, &collection, &uri, &headers);
    Ok(answer(GEOJSON, &record(&listed, town, &around)))
}

fn surroundings<'a>(
    app: &'a App,
    collection: &Collection,
    uri: &Uri,
    headers: &HeaderMap,
) -> Surroundings<'a> {
    Surroundings {
        base: app.base_url(headers),
        collection: collection.id.clone(),
        lang: locale::negotiate(uri.query(), headers, app.lang),
        lists: app.handle.vocabularies(),
    }
}

fn town_of<'a>(listed: &Listed, members: &'a [TownInfo]) -> Option<&'a TownInfo> {
    members.iter().find(|town| town.town == listed.town)
}

/// Finds what is asked for. Blocks.
fn search(handle: &NodeHandle, scope: Scope, asked: &Asked) -> Result<Found, ReadError> {
    select(handle, scope, asked).map_err(|error| match error {
        // Beside a filter, hardly anything else can cost too much.
        ReadError::Invalid(field) if asked.filter.is_some() && asked.words.is_empty() => {
            ReadError::Invalid(field.at("filter"))
        }
        error => error,
    })
}

fn select(handle: &NodeHandle, scope: Scope, asked: &Asked) -> Result<Found, ReadError> {
    let mut parts = vec![asked.expression()];
    if let Scope::Town(town) = scope {
        parts.push(Expression::Is(NamedField::Town, town.to_string()));
    }
    let select = |parts: Vec<Expression>, limit: usize| Select {
        expression: Expression::And(parts),
        sort: asked.order(),
        offset: asked.offset,
        limit,
        facets: Vec::new(),
    };
    let Some(after) = asked.after.filter(|_| asked.is_by_id()) else {
        let found = handle.select(&select(parts, asked.limit))?;
        return Ok(Found { total: found.total, remaining: found.total, datasets: found.datasets });
    };
    // What was matched is counted as if the walk began here.
    let total = handle.select(&select(parts.clone(), 0))?.total;
    parts.push(Expression::Between(NamedField::Id, Bound::Excluded(after.to_string()), Bound::Unbounded));
    let found = handle.select(&select(parts, asked.limit))?;
    Ok(Found { total, remaining: found.total, datasets: found.datasets })
}

/// The portal's page of the same search, as far as it can say it.
fn page_of(collection: &Collection, asked: &Asked) -> String {
    let mut query = Serializer::new(String::new());
    if !asked.words.is_empty() {
        query.append_pair("q", &asked.words);
    }
    if let Some(town) = &collection.town {
        query.append_pair("town", &town.code);
    }
    format!("/?{}", query.finish())
}

fn links(
    around: &Surroundings<'_>,
    collection: &Collection,
    query: Option<&str>,
    asked: &Asked,
    found: &Found,
) -> Vec<Link> {
    let own = format!("{}/collections/{}", around.base, collection.id);
    let page = |rel, title, at: At| {
        Link::new(rel, GEOJSON, title, format!("{own}/items?{}", paged(query, at, asked.limit)))
    };
    let here = asked.after.map_or(At::Offset(asked.offset), At::After);
    let mut links = vec![
        page("self", "This page", here),
        Link::new("collection", JSON, "The collection", own.clone()),
        Link::new(
            "alternate",
            "text/html",
            "The portal",
            format!("{}{}", around.base, page_of(collection, asked)),
        ),
    ];
    let next = asked.offset + asked.limit;
    if (next as u64) < found.remaining {
        // By the last id, so that edits during a walk neither hide nor double a record.
        let last = found.datasets.last().filter(|_| asked.is_by_id());
        let at = last.map_or(At::Offset(next), |last| At::After(last.dataset.id));
        links.push(page("next", "The next page", at));
    }
    if asked.offset > 0 {
        let before = At::Offset(asked.offset.saturating_sub(asked.limit));
        links.push(page("prev", "The page before", before));
    }
    links
}

/// Where a page begins.
#[derive(Debug, Clone, Copy)]
enum At {
    Offset(usize),
    After(DatasetId),
}

/// The same query at another place.
fn paged(query: Option<&str>, at: At, limit: usize) -> String {
    let mut paged = Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let is_place = ["offset", "after", "limit"].iter().any(|place| name.eq_ignore_ascii_case(place));
        if !is_place && !value.is_empty() {
            paged.append_pair(&name, &value);
        }
    }
    if limit != LIMIT_DEFAULT {
        paged.append_pair("limit", &limit.to_string());
    }
    match at {
        At::Offset(0) => {}
        At::Offset(offset) => drop(paged.append_pair("offset", &offset.to_string())),
        At::After(id) => drop(paged.append_pair("after", &id.to_string())),
    }
    paged.finish()
}
