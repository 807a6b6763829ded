//! The collections: one per town, and one of all.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use crdt::catalog::Catalog;
use node::handle::Scope;
use node::view::TownInfo;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{GEOJSON, JSON, Link, SCHEMA, answer, not_found, queryables, wants_html};
use crate::app::App;

/// The collection of all towns' records.
pub(super) const FEDERATION: &str = "federation";

/// A collection that there is.
#[derive(Debug, Clone)]
pub(super) struct Collection {
    pub(super) id: String,
    /// The town whose records it holds; none for all.
    pub(super) town: Option<TownInfo>,
}

impl Collection {
    pub(super) fn scope(&self) -> Scope {
        self.town.as_ref().map_or(Scope::Federation, |town| Scope::Town(town.town))
    }

    /// The portal's page of the same records.
    pub(super) fn page(&self) -> String {
        self.town.as_ref().map_or_else(|| "/".to_owned(), |town| format!("/?town={}", town.code))
    }

    fn title(&self) -> String {
        match &self.town {
            Some(town) => format!("Offene Datensätze: {}", town.name),
            None => "Offene Datensätze aller Städte des Verbunds".to_owned(),
        }
    }
}

/// The id of a town's collection: its short name or, should that be taken, its key.
pub(super) fn id_of(town: &TownInfo) -> String {
    if town.code == FEDERATION { town.town.to_string() } else { town.code.clone() }
}

/// The collection of a path.
pub(super) fn find(app: &App, id: &str) -> Result<Collection, Refusal> {
    let id = id.to_owned();
    if id == FEDERATION {
        return Ok(Collection { id, town: None });
    }
    let town = app.handle.members().into_iter().find(|town| id_of(town) == id);
    town.map(|town| Collection { id, town: Some(town) }).ok_or_else(not_found)
}

/// The one part of a path, if it is readable.
pub(super) type OnePart = Result<Path<String>, PathRejection>;

pub(super) fn named(app: &App, path: OnePart) -> Result<Collection, Refusal> {
    let Path(id) = path.map_err(|_| not_found())?;
    find(app, &id)
}

/// Answers `GET /collections`.
pub(crate) async fn list(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    if wants_html(&uri, &headers, JSON)? {
        return Ok(Redirect::to("/federation").into_response());
    }
    let base = app.base_url(&headers);
    let mut all = vec![Collection { id: FEDERATION.to_owned(), town: None }];
    let members = app.handle.members();
    all.extend(members.into_iter().map(|town| Collection { id: id_of(&town), town: Some(town) }));
    let mut described = Vec::with_capacity(all.len());
    for collection in all {
        described.push(describe(&app, &collection, &base).await?);
    }
    let links = [
        Link::new("self", JSON, "This document", format!("{base}/collections")),
        Link::new("alternate", "text/html", "The federation in the portal", format!("{base}/federation")),
    ];
    Ok(answer(JSON, &json!({"links": links, "collections": described})))
}

/// Answers `GET /collections/{id}`.
pub(crate) async fn one(
    State(app): State<App>,
    path: OnePart,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let collection = named(&app, path)?;
    if wants_html(&uri, &headers, JSON)? {
        return Ok(Redirect::to(&collection.page()).into_response());
    }
    let base = app.base_url(&headers);
    Ok(answer(JSON, &describe(&app, &collection, &base).await?))
}

/// What a collection says of itself; its town's own words where it has some.
async fn describe(app: &App, collection: &Collection, base: &str) -> Result<Value, Refusal> {
    let own = match collection.town.as_ref().map(|town| town.town) {
        Some(town) => app.read(move |handle| handle.catalog_of(town)).await?,
        None => None,
    };
    let lang = app.lang;
    let own_title = own.as_ref().and_then(|own| own.title.best(lang)).map(ToString::to_string);
    let own_words = own.as_ref().and_then(|own| own.description.best(lang)).map(ToString::to_string);
    let mut described = json!({
        "id": collection.id,
        "type": "Collection",
        "itemType": "record",
        "title": own_title.unwrap_or_else(|| collection.title()),
        "description": own_words.unwrap_or_else(|| collection.title()),
        "crs": ["http://www.opengis.net/def/crs/OGC/1.3/CRS84"],
        "defaultSortOrder": [{"field": "id", "direction": "asc"}],
        "links": links(collection, base),
    });
    if let Some(bbox) = own.as_ref().and_then(|own: &Catalog| own.spatial.bbox) {
        described["extent"] = json!({"spatial": {"bbox": [bbox.degrees()]}});
    }
    Ok(described)
}

fn links(collection: &Collection, base: &str) -> Vec<Link> {
    let own = format!("{base}/collections/{}", collection.id);
    vec![
        Link::new("self", JSON, "This collection", own.clone()),
        Link::new(
            "alternate",
            "text/html",
            "The datasets in the portal",
            format!("{base}{}", collection.page()),
        ),
        Link::new("items", GEOJSON, "Its records", format!("{own}/items")),
        Link::new(
            "http://www.opengis.net/def/rel/ogc/1.0/queryables",
            SCHEMA,
            "By what its records are searched",
            format!("{own}/queryables"),
        ),
        Link::new(
            "http://www.opengis.net/def/rel/ogc/1.0/sortables",
            SCHEMA,
            "By what its records are sorted",
            format!("{own}/sortables"),
        ),
        Link::new("root", JSON, "The landing page", format!("{base}/ogc")),
    ]
}

/// Answers `GET /collections/{id}/queryables`.
pub(crate) async fn queryables(
    State(app): State<App>,
    path: OnePart,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let collection = named(&app, path)?;
    let towns: Vec<String> = app.handle.members().into_iter().map(|town| town.code).collect();
    let properties = queryables::schemas(&towns, app.handle.vocabularies());
    let schema = schema(&app, &headers, &collection, "queryables", properties);
    Ok(answer(SCHEMA, &schema))
}

/// Answers `GET /collections/{id}/sortables`.
pub(crate) async fn sortables(
    State(app): State<App>,
    path: OnePart,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let collection = named(&app, path)?;
    Ok(answer(SCHEMA, &schema(&app, &headers, &collection, "sortables", sortable())))
}

fn schema(app: &App, headers: &HeaderMap, collection: &Collection, what: &str, properties: Value) -> Value {
    let base = app.base_url(headers);
    json!({
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "$id": format!("{base}/collections/{}/{what}", collection.id),
        "type": "object",
        "title": collection.title(),
        "properties": properties,
        "additionalProperties": false,
    })
}

fn sortable() -> Value {
    json!({
        "id": {"title": "UUID of the dataset: an order that no edit changes", "type": "string"},
        "title": {"title": "Title, as German dictionaries sort", "type": "string"},
        "created": {"title": "First published", "type": "string", "format": "date-time"},
        "updated": {"title": "Last changed", "type": "string", "format": "date-time"},
    })
}
