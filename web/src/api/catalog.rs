//! The town's catalog as a whole: what the town says of it, and the file that
//! holds all of it.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use crdt::catalog::CatalogEdit;
use crdt::catalog::invalid::Bilingual;
use node::export::{ExportForm, export};
use serde_json::Value;

use super::answers::{CatalogAnswer, CatalogReceiptAnswer};
use super::body::JsonObject;
use super::desk::durable;
use crate::app::App;
use crate::error::{ErrorBody, Problem};

/// Parameters of an export.
const PARAMETERS: [&str; 2] = ["format", "with_closed"];

#[utoipa::path(
    get, path = "/api/v1/catalog", tag = "datasets",
    summary = "What the town says of its catalog as a whole",
    responses((status = 200, body = CatalogAnswer), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn show(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<CatalogAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let town = app.handle.town();
    let own = town.town;
    let (said, context) = app
        .read(move |handle| Ok::<_, Problem>((handle.catalog_of(own)?, handle.catalog_context(own)?)))
        .await?;
    Ok(Json(CatalogAnswer::new(&town, said.as_ref(), &context)))
}

#[utoipa::path(
    patch, path = "/api/v1/catalog", tag = "datasets",
    summary = "Change the given fields of what the town says of its catalog",
    description = "Open to everyone, like a published record. Only the given fields change; `null` clears one. Publisher, contact, licence and place fill what a record leaves open when it is published.",
    request_body = Object,
    responses(
        (status = 200, description = "Durable", body = CatalogReceiptAnswer),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 409, description = "The node may not seal", body = ErrorBody),
        (status = 413, body = ErrorBody),
        (status = 415, body = ErrorBody),
        (status = 422, description = "A field that does not exist or cannot hold its value", body = ErrorBody),
        (status = 503, body = ErrorBody),
    ),
)]
pub(crate) async fn edit(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    JsonObject(object): JsonObject,
) -> Result<Json<CatalogReceiptAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let edit = CatalogEdit::parse_with(app.handle.vocabularies(), &Value::Object(object))
        .map_err(|invalid| Problem::invalid_fields(&invalid.fields))?;
    let handle = app.handle.clone();
    let receipt = durable(async move { handle.edit_catalog(edit).await }).await?;
    Ok(Json(CatalogReceiptAnswer { heads: receipt.heads, changed: receipt.changed }))
}

#[utoipa::path(
    get, path = "/api/v1/export", tag = "datasets",
    summary = "The town's whole catalog in one file",
    description = "Specified in docs/export.md. The same state gives the same bytes.",
    params(
        ("format" = Option<String>, Query, description = "`ndjson` (default, without loss), or RDF: `ttl`, `rdf`, `jsonld`, `nt`, `n3`"),
        ("with_closed" = Option<bool>, Query, description = "Whether closed records and internal notes are in it; only as `ndjson`"),
    ),
    responses(
        (status = 200, description = "The file", content_type = "application/x-ndjson", body = Vec<u8>),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
    ),
)]
pub(crate) async fn whole(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let (form, with_closed) = wanted(query.as_deref())?;
    let body = app.stream(move |handle, out| export(handle, form, with_closed, out)).await?;
    Ok(([(header::CONTENT_TYPE, form.media_type())], body).into_response())
}

fn wanted(query: Option<&str>) -> Result<(ExportForm, bool), Problem> {
    let (mut form, mut with_closed) = (ExportForm::Ndjson, false);
    let mut seen = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let Some(name) = PARAMETERS.into_iter().find(|known| *known == name) else {
            return Err(Problem::unknown_parameter(&name, &PARAMETERS));
        };
        if seen.contains(&name) {
            return Err(Problem::repeated_parameter(name));
        }
        seen.push(name);
        match (name, &*value) {
            (_, "") => {}
            ("format", value) => {
                form = ExportForm::parse(value)
                    .map_err(|error| Problem::invalid_parameter(name, value, error.remedy))?;
            }
            (_, "true") => with_closed = true,
            (_, "false") => with_closed = false,
            (_, value) => {
                let remedy = Bilingual::fixed("„true“ oder „false“ angeben.", "give `true` or `false`");
                return Err(Problem::invalid_parameter(name, value, remedy));
            }
        }
    }
    if with_closed && form != ExportForm::Ndjson {
        let remedy = Bilingual::fixed(
            "Geschlossenes gibt es nur als „ndjson“: RDF ist für alle.",
            "closed records come as `ndjson` alone: RDF is for everyone",
        );
        return Err(Problem::invalid_parameter("with_closed", "true", remedy));
    }
    Ok((form, with_closed))
}
