//! The desk API: what the town's own staff and programs do, with the token
//! that the guard has already checked.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use crdt::audience::Audience;
use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{InvalidField, LocalRecord, NewDataset, RecordEdit};
use crdt::ids::{ChangeHash, DatasetId, hex};
use node::handle::{Heads, NodeHandle, ReadError};
use node::view::{Phase, Reader};
use serde_json::{Map, Value};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::OfDataset;
use super::answers::{
    Conflicts, DatasetPage, DigestAnswer, Health, History, ReceiptAnswer, StaffDatasetAnswer, StatusAnswer,
};
use super::body::JsonObject;
use super::rules::CheckAnswer;
use super::schema::{EditFields, RecordFields};
use super::{duplicates, imports, sheets, sources};
use crate::app::App;
use crate::error::{ErrorBody, Problem};
use crate::harvest::Harvester;

/// Heads that an edit may name; a record with more is in conflict beyond repair.
const HEADS_MAX: usize = 256;

#[utoipa::path(
    get, path = "/api/v1/datasets", tag = "datasets",
    summary = "Search all records of this node",
    description = "Parameters as on the public listener; `class` may also be `closed`.",
    params(
        ("q" = Option<String>, Query, description = "Words to look for; empty finds all"),
        ("town" = Option<Vec<String>>, Query, description = "Municipality key or short name; may be repeated"),
        ("theme" = Option<Vec<String>>, Query, description = "Code or IRI of an EU data theme; may be repeated"),
        ("domain" = Option<Vec<String>>, Query, description = "Data domain; may be repeated"),
        ("format" = Option<Vec<String>>, Query, description = "File format or service type; may be repeated"),
        ("licence" = Option<Vec<String>>, Query, description = "Licence IRI or code of DCAT-AP.de; may be repeated"),
        ("frequency" = Option<Vec<String>>, Query, description = "Code of the EU frequency list; may be repeated"),
        ("class" = Option<Vec<String>>, Query, description = "`open`, `shared` or `closed`; may be repeated"),
        ("sort" = Option<String>, Query, description = "`relevance` (default), `modified` or `title`"),
        ("highlight" = Option<bool>, Query, description = "Whether to mark the words found"),
        ("offset" = Option<usize>, Query, description = "Records to skip, at most 9900", minimum = 0, maximum = 9900),
        ("limit" = Option<usize>, Query, description = "Records to give, 20 by default", minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = DatasetPage),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 503, body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<DatasetPage>, Problem> {
    let (query, page) = super::search(&app, Reader::Staff, query.as_deref()).await?;
    Ok(Json(DatasetPage::new(&query, page, &app.handle.members())))
}

#[utoipa::path(
    get, path = "/api/v1/datasets/{id}", tag = "datasets",
    summary = "One record, with the town's own notes and what its sources say",
    params(("id" = String, Path, description = "The dataset's UUID")),
    responses(
        (status = 200, body = StaffDatasetAnswer),
        (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody),
    ),
)]
pub(crate) async fn one(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
) -> Result<Json<StaffDatasetAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let detail = super::dataset(&app, Reader::Staff, id).await?;
    let own =
        detail.internal.clone().map(|internal| LocalRecord { dataset: detail.dataset.clone(), internal });
    let origins =
        app.read(move |handle| own.map_or_else(|| Ok(Vec::new()), |own| handle.origins(&own))).await?;
    Ok(Json(StaffDatasetAnswer::new(detail, origins)))
}

#[utoipa::path(
    post, path = "/api/v1/datasets", tag = "datasets",
    summary = "Create a record",
    description = "Every new record starts closed: nothing about it leaves the town before it is published.",
    request_body = RecordFields,
    responses(
        (status = 201, description = "Durable; `Location` says where it is", body = ReceiptAnswer),
        (status = 400, description = "No JSON object", body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 413, description = "More than 1 MiB", body = ErrorBody),
        (status = 415, description = "Not `application/json`", body = ErrorBody),
        (status = 422, description = "A field that does not exist or cannot hold its value", body = ErrorBody),
        (status = 503, body = ErrorBody),
    ),
)]
pub(crate) async fn create(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    super::no_parameters(query.as_deref())?;
    let new = NewDataset::parse_with(app.handle.vocabularies(), &Value::Object(object))
        .map_err(|invalid| Problem::invalid_fields(&invalid.fields))?;
    let handle = app.handle.clone();
    let receipt = durable(async move { handle.create(new).await }).await?;
    let location = format!("/api/v1/datasets/{}", receipt.id);
    let answer = Json(ReceiptAnswer::from(receipt));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], answer).into_response())
}

#[utoipa::path(
    patch, path = "/api/v1/datasets/{id}", tag = "datasets",
    summary = "Change the given fields of a record",
    description = "Only the given fields change; `null` clears one. With `heads` as read before, fields that others changed since are not overwritten.",
    params(("id" = String, Path, description = "The dataset's UUID")),
    request_body = EditFields,
    responses(
        (status = 200, description = "Durable", body = ReceiptAnswer),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "The record of another town", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "Edited meanwhile: `error.edited` names the fields, who and when; `error.heads` are the new heads", body = ErrorBody),
        (status = 413, body = ErrorBody),
        (status = 415, body = ErrorBody),
        (status = 422, body = ErrorBody),
        (status = 503, body = ErrorBody),
    ),
)]
pub(crate) async fn edit(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
    JsonObject(mut object): JsonObject,
) -> Result<Json<ReceiptAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let heads = take_heads(&mut object).map_err(|error| Problem::invalid_field(&error))?;
    let edit = RecordEdit::parse_with(app.handle.vocabularies(), &Value::Object(object))
        .map_err(|invalid| Problem::invalid_fields(&invalid.fields))?;
    let handle = app.handle.clone();
    let receipt = durable(async move { handle.edit(id, edit, heads).await }).await?;
    Ok(Json(receipt.into()))
}

/// Takes the heads that the editor saw out of the body.
fn take_heads(object: &mut Map<String, Value>) -> Result<Option<Heads>, InvalidField> {
    let wrong = |value: &Value| {
        InvalidField::new(
            "heads",
            value,
            Bilingual::fixed("ist keine Liste von „heads“", "is not a list of heads"),
            Bilingual::fixed(
                "die „heads“ angeben, mit denen der Datensatz gelesen wurde, oder das Feld weglassen",
                "give the `heads` that the record was read with, or leave the field out",
            ),
        )
    };
    let value = match object.remove("heads") {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let list = value.as_array().filter(|list| list.len() <= HEADS_MAX).ok_or_else(|| wrong(&value))?;
    let head = |head: &Value| {
        let hash = head.as_str().and_then(|text| text.parse::<ChangeHash>().ok());
        hash.ok_or_else(|| wrong(head))
    };
    list.iter().map(head).collect::<Result<Heads, _>>().map(Some)
}

#[utoipa::path(
    post, path = "/api/v1/datasets/{id}/publish", tag = "datasets",
    summary = "Publish a record",
    description = "From then on every town and every reader may have it. What others have received cannot be taken back.",
    params(("id" = String, Path, description = "The dataset's UUID")),
    responses(
        (status = 200, description = "Durable", body = ReceiptAnswer),
        (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "Published already, or the node may not seal", body = ErrorBody),
        (status = 422, description = "Obstacles, field by field, in `error.obstacles`", body = ErrorBody),
        (status = 503, description = "Catching up or busy", body = ErrorBody),
    ),
)]
pub(crate) async fn publish(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
) -> Result<Json<ReceiptAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let handle = app.handle.clone();
    let receipt = durable(async move { handle.publish(id).await }).await?;
    Ok(Json(receipt.into()))
}

#[utoipa::path(
    get, path = "/api/v1/datasets/{id}/check", tag = "datasets",
    summary = "What the rules of publication say of a record",
    description = "The record as it would be published now: obstacles keep it closed, hints are advice.",
    params(("id" = String, Path, description = "The dataset's UUID")),
    responses(
        (status = 200, body = CheckAnswer),
        (status = 401, body = ErrorBody),
        (status = 404, description = "Unknown, or another town's", body = ErrorBody),
    ),
)]
pub(crate) async fn check(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
) -> Result<Json<CheckAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let findings = app.read(move |handle| handle.check(id)).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(CheckAnswer::from(findings)))
}

#[utoipa::path(
    get, path = "/api/v1/datasets/{id}/history", tag = "datasets",
    summary = "What was changed when",
    params(("id" = String, Path, description = "The dataset's UUID")),
    responses((status = 200, body = History), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(crate) async fn history(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
) -> Result<Json<History>, Problem> {
    super::no_parameters(query.as_deref())?;
    let entries = of_record(&app, id, |handle, id| handle.history(Reader::Staff, id)).await?;
    Ok(Json(entries.into()))
}

#[utoipa::path(
    get, path = "/api/v1/datasets/{id}/conflicts", tag = "datasets",
    summary = "Fields with several current values",
    params(("id" = String, Path, description = "The dataset's UUID")),
    responses((status = 200, body = Conflicts), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(crate) async fn conflicts(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
) -> Result<Json<Conflicts>, Problem> {
    super::no_parameters(query.as_deref())?;
    let conflicts = of_record(&app, id, |handle, id| handle.conflicts(Reader::Staff, id)).await?;
    Ok(Json(conflicts.into()))
}

#[utoipa::path(
    get, path = "/api/v1/status", tag = "node",
    summary = "Peers, lag, store and queues",
    responses((status = 200, body = StatusAnswer), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn status(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<StatusAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let status = app.read(|handle| Ok::<_, Problem>(handle.status())).await?;
    Ok(Json(status.into()))
}

#[utoipa::path(
    get, path = "/api/v1/digest", tag = "node",
    summary = "One hash over all open records",
    description = "Equal on nodes that hold the same, whatever the town.",
    responses((status = 200, body = DigestAnswer), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn digest(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<DigestAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let digest = app.read(|handle| handle.digest(&Audience::Open)).await?;
    Ok(Json(DigestAnswer { audience: "open", digest: hex(&digest) }))
}

/// That something has begun.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Begun {
    begun: bool,
}

#[utoipa::path(
    post, path = "/api/v1/reindex", tag = "node",
    summary = "Make search indexes and graph anew",
    description = "In the background: those that are there are served, and follow every change, until the new ones take their place.",
    responses((status = 202, description = "Begun", body = Begun), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn reindex(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    super::no_parameters(query.as_deref())?;
    app.handle.remake_indexes();
    Ok((StatusCode::ACCEPTED, Json(Begun { begun: true })))
}

#[utoipa::path(
    get, path = "/api/v1/harvesters", tag = "node",
    summary = "Who fetches the catalog as a whole",
    description = "Clients of the public interfaces since the node started, the latest first.",
    responses((status = 200, body = Vec<Harvester>), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn harvesters(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<Harvester>>, Problem> {
    super::no_parameters(query.as_deref())?;
    Ok(Json(app.harvesters.list()))
}

#[utoipa::path(
    get, path = "/healthz", tag = "node",
    summary = "Whether the process answers",
    security(()),
    responses((status = 200, body = Health)),
)]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

#[utoipa::path(
    get, path = "/readyz", tag = "node",
    summary = "Whether the node is ready",
    security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)),
)]
pub(crate) async fn readyz(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let (code, status) = match app.handle.phase() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        Phase::CatchingUp => (StatusCode::SERVICE_UNAVAILABLE, "catching_up"),
        Phase::Ready => (StatusCode::OK, "ready"),
    };
    (code, Json(Health { status }))
}

/// A read about one record that must exist.
async fn of_record<T: Send + 'static>(
    app: &App,
    id: DatasetId,
    read: impl FnOnce(&NodeHandle, DatasetId) -> Result<Option<T>, ReadError> + Send + 'static,
) -> Result<T, Problem> {
    app.read(move |handle| read(handle, id)).await?.ok_or_else(Problem::not_found)
}

/// Sees a write through even if the client goes away: it is either made or
/// refused, never forgotten halfway.
pub(super) async fn durable<T, E>(
    write: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    match tokio::spawn(write).await {
        Ok(written) => written.map_err(Into::into),
        Err(error) => {
            tracing::error!(%error, "a write panicked");
            Err(Problem::internal())
        }
    }
}

/// The desk API's description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hanse: desk API",
        description = "For the town's own staff and programs. Every route but the health checks asks for the token of `hanse token`."
    ),
    paths(
        list, create, one, edit, publish, check, history, conflicts, status, digest, reindex, harvesters, healthz, readyz, openapi,
        crate::metrics::page, sources::list, sources::add, sources::one, sources::remove, sources::run, sources::stop, sources::confirm,
        imports::begin, imports::list, imports::one, imports::rejected, imports::mapping,
        imports::set_mapping, imports::tasks, imports::tasks_done,
        duplicates::list, duplicates::different, duplicates::merge, duplicates::show_lead, duplicates::lead,
        sheets::template_xlsx, sheets::template_csv, sheets::records_xlsx, sheets::records_csv,
        super::catalog::show, super::catalog::edit, super::catalog::whole
    ),
    tags((name = "datasets", description = "The catalog"), (name = "imports", description = "What comes in"), (name = "duplicates", description = "Records that seem to be the same"), (name = "node", description = "This node")),
    security(("token" = [])),
    modifiers(&Token),
)]
pub(crate) struct Description;

struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "node",
    summary = "This description",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}
