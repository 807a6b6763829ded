//! The records of a collection: found, paged, one by one.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use crdt::catalog::Timestamp;
use crdt::ids::DatasetId;
use node::handle::{Listed, NodeHandle, ReadError, Scope};
use node::view::{Condition, Reader, SearchQuery, Sort, TownInfo};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::collections::{Collection, OnePart, find, named};
use super::query::{Asked, LIMIT_DEFAULT, Order, parse};
use super::record::{Surroundings, record};
use super::refusal::Refusal;
use super::{GEOJSON, JSON, Link, answer, not_found, wants_html};
use crate::app::App;
use crate::locale;

/// Records that were found.
struct Found {
    total: u64,
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
    let members = app.handle.members();
    let towns: Vec<_> = members.iter().map(|town| (town.code.clone(), town.town.to_string())).collect();
    let asked = parse(query.as_deref(), &towns)?;
    if wants_html(&uri, &headers, GEOJSON)? {
        return Ok(Redirect::to(&page_of(&collection, &asked)).into_response());
    }
    let (scope, wanted) = (collection.scope(), asked.clone());
    let found = app.read(move |handle| search(handle, scope, &wanted)).await?;
    let around = surroundings(&app, &collection, &uri, &headers);
    let features: Vec<Value> = found
        .datasets
        .iter()
        .filter_map(|listed| Some(record(listed, town_of(listed, &members)?, &around)))
        .collect();
    let body = json!({
        "type": "FeatureCollection",
        "timeStamp": Timestamp::from_unix(app.handle.now()).map(|now| now.to_string()),
        "numberMatched": found.total,
        "numberReturned": features.len(),
        "features": features,
        "links": links(&around, &collection, query.as_deref(), &asked, found.total),
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

fn surroundings(app: &App, collection: &Collection, uri: &Uri, headers: &HeaderMap) -> Surroundings {
    Surroundings {
        base: app.base_url(headers),
        collection: collection.id.clone(),
        lang: locale::negotiate(uri.query(), headers, app.lang),
    }
}

fn town_of<'a>(listed: &Listed, members: &'a [TownInfo]) -> Option<&'a TownInfo> {
    members.iter().find(|town| town.town == listed.town)
}

/// Finds what is asked for. Blocks.
fn search(handle: &NodeHandle, scope: Scope, asked: &Asked) -> Result<Found, ReadError> {
    let query = SearchQuery {
        text: asked.words.clone(),
        town: match scope {
            Scope::Town(town) => vec![town.to_string()],
            Scope::Federation => Vec::new(),
        },
        condition: Some(Condition::All(asked.conditions.clone())),
        sort: match asked.order {
            Order::Natural => Sort::Relevance,
            Order::Title => Sort::Title,
            Order::Latest => Sort::Modified,
        },
        offset: asked.offset,
        limit: asked.limit,
        ..SearchQuery::default()
    };
    let page = handle.search(Reader::Public, &query)?;
    // Records that only have some of the words are no match here.
    if page.relaxed {
        return Ok(Found { total: 0, datasets: Vec::new() });
    }
    let mut datasets = Vec::with_capacity(page.items.len());
    for hit in page.items {
        datasets.extend(handle.open_dataset(hit.id)?);
    }
    Ok(Found { total: page.total as u64, datasets })
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
    around: &Surroundings,
    collection: &Collection,
    query: Option<&str>,
    asked: &Asked,
    total: u64,
) -> Vec<Link> {
    let own = format!("{}/collections/{}", around.base, collection.id);
    let page = |rel, title, offset: usize| {
        Link::new(rel, GEOJSON, title, format!("{own}/items?{}", paged(query, offset, asked.limit)))
    };
    let mut links = vec![
        page("self", "This page", asked.offset),
        Link::new("collection", JSON, "The collection", own.clone()),
        Link::new(
            "alternate",
            "text/html",
            "The portal",
            format!("{}{}", around.base, page_of(collection, asked)),
        ),
    ];
    let next = asked.offset + asked.limit;
    if (next as u64) < total {
        links.push(page("next", "The next page", next));
    }
    if asked.offset > 0 {
        links.push(page("prev", "The page before", asked.offset.saturating_sub(asked.limit)));
    }
    links
}

/// The same query at another place.
fn paged(query: Option<&str>, offset: usize, limit: usize) -> String {
    let mut paged = Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let is_place = ["offset", "limit"].iter().any(|place| name.eq_ignore_ascii_case(place));
        if !is_place && !value.is_empty() {
            paged.append_pair(&name, &value);
        }
    }
    if limit != LIMIT_DEFAULT {
        paged.append_pair("limit", &limit.to_string());
    }
    if offset > 0 {
        paged.append_pair("offset", &offset.to_string());
    }
    paged.finish()
}
