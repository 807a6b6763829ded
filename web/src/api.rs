//! The JSON interfaces of the two listeners.
//!
//! What they answer is spelt out in [`answers`], field by field, so that a new
//! field of the node's views becomes public only on purpose.

pub(crate) mod answers;
mod body;
pub(crate) mod catalog;
pub(crate) mod desk;
pub(crate) mod duplicates;
pub(crate) mod imports;
pub(crate) mod public;
pub(crate) mod rules;
mod schema;
pub(crate) mod sheets;
pub(crate) mod sources;
pub(crate) mod vocabularies;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use crdt::ids::DatasetId;
use node::view::{DatasetDetail, Phase, Reader, SearchPage, SearchQuery};

use crate::app::App;
use crate::error::Problem;
use crate::query::{self, Known, Unknown};

/// A search, asked for with an API query.
async fn search(
    app: &App,
    reader: Reader,
    query: Option<&str>,
) -> Result<(SearchQuery, SearchPage), Problem> {
    refuse_while_starting(app)?;
    let known = Known { members: &app.handle.members(), lists: app.handle.vocabularies() };
    let query = query::parse(query, known, reader, Unknown::Refuse)?;
    let asked = query.clone();
    let page = app.read(move |handle| handle.search(reader, &asked)).await?;
    Ok((query, page))
}

/// The dataset in a path. An id of the wrong form names nothing, like an
/// unknown one.
pub(crate) struct OfDataset(pub(crate) DatasetId);

impl<S: Send + Sync> FromRequestParts<S> for OfDataset {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.ok().and_then(|Path(id)| id.parse().ok()).map(Self).ok_or_else(Problem::not_found)
    }
}

/// One dataset, if the reader may know of it.
pub(crate) async fn dataset(app: &App, reader: Reader, id: DatasetId) -> Result<DatasetDetail, Problem> {
    app.read(move |handle| handle.dataset(reader, id)).await?.ok_or_else(Problem::not_found)
}

/// A starting node knows only part of what it will answer: harvesters delete
/// what they no longer see, so a short answer does harm where an error does not.
pub(crate) fn refuse_while_starting(app: &App) -> Result<(), Problem> {
    match app.handle.phase() {
        Phase::Starting => Err(Problem::starting()),
        Phase::CatchingUp | Phase::Ready => Ok(()),
    }
}

/// Refuses parameters on routes that have none.
fn no_parameters(query: Option<&str>) -> Result<(), Problem> {
    match url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).next() {
        Some((name, _)) => Err(Problem::no_parameters(&name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};
    use utoipa::OpenApi;

    use super::*;
    use crate::router::{Listener, routes};

    fn description(listener: Listener) -> Value {
        let openapi = match listener {
            Listener::Public => public::Description::openapi(),
            Listener::Desk => desk::Description::openapi(),
        };
        serde_json::to_value(openapi).unwrap()
    }

    fn described(listener: Listener) -> BTreeSet<(String, String)> {
        let description = description(listener);
        let paths = description["paths"].as_object().unwrap();
        paths
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
            })
            .collect()
    }

    #[test]
    fn the_description_lists_every_route_for_programs_and_no_other() {
        for listener in [Listener::Public, Listener::Desk] {
            // CKAN's API is described by CKAN (`help_show`).
            let ckan = |path: &str| !path.starts_with("/api/v1/") && path.starts_with("/api/");
            let page = |path: &str| {
                listener == Listener::Public && !path.starts_with("/api/") || path.starts_with("/assets/")
            };
            let routed: BTreeSet<(String, String)> = routes()
                .into_iter()
                .filter(|route| route.listener == listener && !page(route.path) && !ckan(route.path))
                .map(|route| (route.method.to_owned(), route.path.to_owned()))
                .collect();
            assert_eq!(described(listener), routed, "{listener}");
        }
    }

    #[test]
    fn the_description_is_openapi_3_1_and_refers_to_nothing_that_is_not_there() {
        for listener in [Listener::Public, Listener::Desk] {
            let description = description(listener);
            assert_eq!(description["openapi"], "3.1.0");
            let text = description.to_string();
            let mut references = 0;
            for reference in text.split("\"$ref\":\"#").skip(1) {
                let pointer = reference.split('"').next().unwrap();
                assert!(description.pointer(pointer).is_some(), "{listener}: {pointer}");
                references += 1;
            }
            assert!(references > 5, "{listener}: {references}");
        }
    }

    /// The JSON names of every field of a filled dataset, below `path`.
    fn names(value: &Value, path: &str, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    into.insert(format!("{path}{name}"));
                    names(value, &format!("{path}{name}/"), into);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, path, into)),
            _ => {}
        }
    }

    /// The same names as the schemas tell them.
    fn schema_names(all: &Value, schema: &Value, path: &str, into: &mut BTreeSet<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = all.pointer(reference.trim_start_matches('#')).unwrap();
            return schema_names(all, target, path, into);
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            for schema in schema[choice].as_array().into_iter().flatten() {
                schema_names(all, schema, path, into);
            }
        }
        if schema["items"].is_object() {
            schema_names(all, &schema["items"], path, into);
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            into.insert(format!("{path}{name}"));
            schema_names(all, schema, &format!("{path}{name}/"), into);
        }
    }

    #[test]
    fn the_schemas_name_the_same_fields_as_the_catalog() {
        let distribution = json!({
            "id": "csv", "title": {"de": "a", "en": "b"}, "description": {"de": "a", "en": "b"},
            "access_url": "https://a.example/", "download_url": "https://a.example/b.csv",
            "format": "CSV", "media_type": "text/csv", "licence": "http://dcat-ap.de/def/licenses/cc-zero", "attribution": "Stadt",
            "status": "COMPLETED", "modified": "2026-11-02", "byte_size": 1, "position": 0,
            "service": "karten",
        });
        let contact = json!({"name": "a", "email": "a@b.example", "url": "https://a.example/c", "phone": "+49 2921 1030"});
        let service = json!({
            "id": "karten", "position": 0, "title": {"de": "a", "en": "b"}, "description": {"de": "a", "en": "b"},
            "endpoint_url": "https://a.example/", "endpoint_description": "https://a.example/?x",
            "documentation": "https://a.example/d", "format": "WFS",
            "licence": "http://dcat-ap.de/def/licenses/cc-zero", "contact": contact,
        });
        let full = json!({
            "id": "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", "identifier": "x", "iri": "https://a.example/x",
            "other_identifiers": ["x-1"], "replaced_by": "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b11",
            "class": "open", "status": "veroeffentlicht", "title": {"de": "a", "en": "b"},
            "description": {"de": "a", "en": "b"}, "keywords": {"de": ["a"], "en": ["b"]},
            "themes": ["ENVI"], "musterdatensatz": "https://a.example/m", "licence": "http://dcat-ap.de/def/licenses/cc-zero",
            "attribution": "Stadt", "formats": ["CSV"], "frequency": "MONTHLY", "update_process": "a",
            "issued": "2025-01-02T03:04:05Z", "modified": "2025-01-02T03:04:05Z",
            "data_modified": "2026-11-02",
            "spatial": {"geocoding": "https://a.example/g", "unit": "a", "bbox": "8,51,9,52"},
            "temporal": {"start": "2020-01-01", "end": "2020-01-02"},
            "publisher": {"name": "a", "iri": "https://a.example/i", "url": "https://a.example/u"},
            "contact": contact,
            "department": "a", "domain": "a", "personal_data": "keiner", "hvd": "ja",
            "hvd_categories": ["c_dd313021"], "quality_criteria": ["genau"],
            "in_series": "https://a.example/s", "distributions": [distribution],
            "services": [service],
        });
        let dataset: crdt::catalog::Dataset = serde_json::from_value(full).unwrap();
        let mut held = BTreeSet::new();
        names(&serde_json::to_value(&dataset).unwrap(), "", &mut held);
        let description = description(Listener::Public);
        let mut told = BTreeSet::new();
        let schema = &description["components"]["schemas"]["DatasetFields"];
        schema_names(&description, schema, "", &mut told);
        assert_eq!(told, held);
        assert!(held.len() > 50, "{}", held.len());
    }

    #[test]
    fn only_the_desk_describes_what_never_leaves_the_town() {
        let internal = ["legal_basis", "source_system", "classification_reason", "internal"];
        let (public, desk) =
            (description(Listener::Public).to_string(), description(Listener::Desk).to_string());
        for name in internal {
            assert!(!public.contains(&format!("\"{name}\"")), "{name}");
            assert!(desk.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}
