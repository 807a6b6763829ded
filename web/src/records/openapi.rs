//! The description of these routes in OpenAPI 3.0, which is what clients of
//! OGC APIs read; `/api/v1/openapi.json` describes the node's own API in 3.1.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Map, Value, json};

use super::items::FILTER_TYPES;
use super::query::{
    FILTER_CRS, FILTER_LANGS, FILTERS, LIMIT_DEFAULT, LIMIT_MAX, OFFSET_MAX, PARAMETERS, SORTABLES,
};
use super::refusal::Refusal;
use super::{GEOJSON, JSON, OPENAPI, SCHEMA, answer, wants_html};
use crate::app::App;

/// Answers `GET /ogc/openapi.json`.
pub(crate) async fn document(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if wants_html(&uri, &headers, JSON)? {
        return Ok(Redirect::to("/").into_response());
    }
    Ok(answer(OPENAPI, &describe(&app.base_url(&headers))))
}

fn describe(base: &str) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Hanse: OGC API – Records",
            "description": "Open datasets of all towns of the federation, from this node's own verified copy. Read only, no login.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "EUPL-1.2"},
        },
        "servers": [{"url": base}],
        "tags": [{"name": "capabilities"}, {"name": "records"}],
        "paths": paths(),
        "components": {"parameters": parameters(), "responses": responses(), "schemas": schemas()},
    })
}

fn paths() -> Value {
    let parameter = |name: &str| json!({"$ref": format!("#/components/parameters/{name}")});
    let get = |tag: &str, id: &str, summary: &str, names: &[&str], media_type: &str, schema: &str| {
        let parameters: Vec<Value> = names.iter().map(|name| parameter(name)).collect();
        let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
        json!({"get": {
            "tags": [tag], "operationId": id, "summary": summary, "parameters": parameters,
            "responses": {
                "200": {"description": summary, "content": {media_type: {"schema": schema}}},
                "400": {"$ref": "#/components/responses/Refused"},
                "404": {"$ref": "#/components/responses/Refused"},
                "503": {"$ref": "#/components/responses/Refused"},
            },
        }})
    };
    let search: Vec<&str> = std::iter::once("collection").chain(PARAMETERS).chain(FILTERS).collect();
    let mut items = get("records", "getRecords", "Records that match", &search, GEOJSON, "Records");
    let by_address = |name: &&str| !["filter", "f"].contains(name);
    let beside: Vec<&str> = search.iter().copied().filter(by_address).collect();
    let what = "Records that match a filter in CQL2 JSON; nothing is changed";
    let mut post = get("records", "searchRecords", what, &beside, GEOJSON, "Records")["get"].take();
    let form = json!({"schema": {"$ref": "#/components/schemas/Cql2"}});
    let forms: Map<String, Value> =
        FILTER_TYPES.iter().map(|media_type| ((*media_type).to_owned(), form.clone())).collect();
    post["requestBody"] = json!({"required": true, "content": forms});
    items["post"] = post;
    json!({
        "/ogc": get("capabilities", "getLandingPage", "Landing page", &["f"], JSON, "LandingPage"),
        "/ogc/openapi.json": get("capabilities", "getDescription", "This description", &["f"], OPENAPI, "Object"),
        "/conformance": get("capabilities", "getConformance", "What is fulfilled", &["f"], JSON, "Conformance"),
        "/collections": get("capabilities", "getCollections", "All collections", &["f"], JSON, "Collections"),
        "/collections/{id}": get("capabilities", "getCollection", "One collection", &["collection", "f"], JSON, "Collection"),
        "/collections/{id}/queryables": get("capabilities", "getQueryables", "By what records are searched", &["collection"], SCHEMA, "Object"),
        "/collections/{id}/sortables": get("capabilities", "getSortables", "By what records are sorted", &["collection"], SCHEMA, "Object"),
        "/collections/{id}/items": items,
        "/collections/{id}/items/{item}": get("records", "getRecord", "One record", &["collection", "item", "f"], GEOJSON, "Record"),
    })
}

fn parameters() -> Value {
    let part = |name: &str, what: &str| json!({"name": name, "in": "path", "required": true, "description": what, "schema": {"type": "string"}});
    let one = |name: &str, what: &str, schema: Value| {
        json!({
            "name": name, "in": "query", "required": false, "description": what,
            "schema": schema, "style": "form", "explode": false,
        })
    };
    let list =
        |name: &str, what: &str| one(name, what, json!({"type": "array", "items": {"type": "string"}}));
    let text = |name: &str, what: &str| one(name, what, json!({"type": "string"}));
    let numbers = json!({"oneOf": [
        {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        {"type": "array", "items": {"type": "number"}, "minItems": 6, "maxItems": 6},
    ]});
    let limit = json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT});
    let offset = json!({"type": "integer", "minimum": 0, "maximum": OFFSET_MAX, "default": 0});
    let sortable: Vec<String> = SORTABLES
        .iter()
        .flat_map(|name| [(*name).to_owned(), format!("+{name}"), format!("-{name}")])
        .collect();
    json!({
        "collection": part("id", "Short name of a town, or `federation`"),
        "item": part("item", "The dataset's UUID"),
        "f": one("f", "Form of the answer; `html` leads to the portal", json!({"type": "string", "enum": ["json", "html"]})),
        "q": list("q", "Words to look for, in any text of a record. All words between two commas must be there; what stands between commas are alternatives"),
        "bbox": one("bbox", "West, south, east, north in degrees (WGS 84). Records that say nothing of their place are found too", numbers),
        "datetime": text("datetime", "A day, a moment or an interval. Records that say nothing of their time are found too"),
        "limit": one("limit", "Records on a page", limit),
        "offset": one("offset", "Records to skip", offset),
        "sortby": one("sortby", "Order of the records: properties, the first first; `-` before the name turns it", json!({"type": "array", "minItems": 1, "items": {"type": "string", "enum": sortable}})),
        "type": list("type", "Resource types; all records are of type `dataset`"),
        "ids": list("ids", "UUIDs of records"),
        "externalIds": list("externalIds", "Identifiers that the towns gave (`dct:identifier`)"),
        "filter": text("filter", "What must be true of a record, in CQL2 over the queryables"),
        "filter-lang": one("filter-lang", "Language of the filter", json!({"type": "string", "enum": FILTER_LANGS, "default": FILTER_LANGS[0]})),
        "filter-crs": one("filter-crs", "Reference system of the filter's geometries", json!({"type": "string", "format": "uri", "enum": [FILTER_CRS], "default": FILTER_CRS})),
        "after": text("after", "Where the page before ended; comes with the link `next`"),
        "keywords": list("keywords", "Keywords, to the letter"),
        "themes": list("themes", "Codes or IRIs of EU data themes"),
        "formats": list("formats", "File formats or service types"),
        "license": text("license", "SPDX name, DCAT-AP.de code or IRI of the licence"),
        "town": list("town", "Short names or municipality keys of towns"),
        "created": text("created", "First published: a day, a moment or an interval"),
        "updated": text("updated", "Last changed: a day, a moment or an interval"),
    })
}

fn responses() -> Value {
    let schema = json!({"$ref": "#/components/schemas/Exception"});
    json!({"Refused": {
        "description": "What is wrong and what would be right; 503 comes with `Retry-After`",
        "content": {JSON: {"schema": schema}},
    }})
}

fn schemas() -> Value {
    let links = json!({"type": "array", "items": {"$ref": "#/components/schemas/Link"}});
    let text = json!({"type": "string"});
    json!({
        "Object": {"type": "object"},
        "Cql2": {
            "description": "A filter in CQL2 JSON (OGC 21-065r2)",
            "oneOf": [
                {"type": "boolean"},
                {"type": "object", "required": ["op", "args"], "properties": {"op": text, "args": {"type": "array", "items": {}}}},
            ],
        },
        "Exception": {
            "type": "object", "required": ["code"],
            "properties": {"code": text, "description": text, "description_de": text},
        },
        "Link": {
            "type": "object", "required": ["href", "rel"],
            "properties": {"href": text, "rel": text, "type": text, "title": text},
        },
        "LandingPage": {
            "type": "object", "required": ["links"],
            "properties": {"title": text, "description": text, "links": links},
        },
        "Conformance": {
            "type": "object", "required": ["conformsTo"],
            "properties": {"conformsTo": {"type": "array", "items": text}},
        },
        "Collections": {
            "type": "object", "required": ["links", "collections"],
            "properties": {
                "links": links,
                "collections": {"type": "array", "items": {"$ref": "#/components/schemas/Collection"}},
            },
        },
        "Collection": {
            "type": "object", "required": ["id", "type", "itemType", "links"],
            "properties": {
                "id": text, "type": text, "itemType": {"type": "string", "enum": ["record"]},
                "title": text, "description": text, "links": links, "extent": {"type": "object"},
            },
        },
        "Records": {
            "type": "object", "required": ["type", "features"],
            "properties": {
                "type": {"type": "string", "enum": ["FeatureCollection"]},
                "timeStamp": {"type": "string", "format": "date-time"},
                "numberMatched": {"type": "integer", "minimum": 0},
                "numberReturned": {"type": "integer", "minimum": 0},
                "features": {"type": "array", "items": {"$ref": "#/components/schemas/Record"}},
                "links": links,
            },
        },
        "Record": {
            "type": "object", "required": ["id", "type", "geometry", "properties"],
            "properties": {
                "id": text,
                "type": {"type": "string", "enum": ["Feature"]},
                "time": {"type": "object", "nullable": true},
                "geometry": {"type": "object", "nullable": true},
                "conformsTo": {"type": "array", "items": text},
                "properties": {"type": "object"},
                "links": links,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::records::query::PARAMETERS;
    use crate::router::{Listener, routes};

    #[test]
    fn the_description_lists_every_route_and_every_parameter_and_no_other() {
        let document = describe("https://daten.example");
        let described: BTreeSet<&str> =
            document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let ours =
            |path: &str| ["/ogc", "/conformance", "/collections"].iter().any(|own| path.starts_with(own));
        let routed: BTreeSet<&str> = routes()
            .into_iter()
            .filter(|route| route.listener == Listener::Public && ours(route.path))
            .map(|route| route.path)
            // It only sends on.
            .filter(|path| *path != "/ogc/{*path}")
            .collect();
        assert_eq!(described, routed);
        let search = &document["paths"]["/collections/{id}/items"]["get"]["parameters"];
        let described: BTreeSet<&str> = search
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| document.pointer(one["$ref"].as_str()?.trim_start_matches('#')))
            .filter(|one| one["in"] == "query")
            .filter_map(|one| one["name"].as_str())
            .collect();
        let known: BTreeSet<&str> = PARAMETERS.into_iter().chain(FILTERS).collect();
        assert_eq!(described, known);
    }

    #[test]
    fn the_description_refers_to_nothing_that_is_not_there() {
        let document = describe("https://daten.example");
        let text = document.to_string();
        let mut references = 0;
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            references += 1;
        }
        assert!(references > 50, "{references}");
    }
}
