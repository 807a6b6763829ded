//! Sources at the desk: which catalogs are harvested, how each stands, and what
//! a person decides about them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use node::harvest::source::{Source, SourceSpec};
use node::harvest::walk::WalkProgress;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::body::JsonObject;
use crate::app::App;
use crate::error::{ErrorBody, Problem};

/// A source and all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceAnswer {
    /// How it is asked, when, how far the last walk came, what it brought, what
    /// is in quarantine, and what waits for a person's word.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    source: Source,
    /// How far it is, while it is being asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    running: Option<WalkProgress>,
}

/// How far each source is that is being asked.
type Walks = BTreeMap<String, WalkProgress>;

impl SourceAnswer {
    /// `running` is what was being asked before the source was read: a walk that ended in between
    /// is then told of twice rather than not at all.
    fn new(running: &Walks, source: Source) -> Json<Self> {
        let running = running.get(&source.spec.name).copied();
        Json(Self { source, running })
    }
}

/// A source to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSource {
    /// Its name here: `a`–`z`, digits and hyphens.
    #[schema(example = "altes-portal")]
    name: String,
    /// Where it begins.
    #[schema(example = "https://daten.nachbarstadt.example/catalog.ttl")]
    url: String,
    /// `rdf` or `ckan`; guessed from the address if left out.
    kind: Option<String>,
    /// Seconds between two runs; without it, only when asked.
    interval_s: Option<u64>,
    /// Whether it may be a machine of the house.
    #[serde(default)]
    allow_private: bool,
    /// Whether it may redirect to other hosts.
    #[serde(default)]
    allow_redirects: bool,
}

#[utoipa::path(
    get, path = "/api/v1/sources", tag = "imports",
    summary = "The catalogs that are harvested",
    responses((status = 200, body = Vec<SourceAnswer>), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let running = app.handle.harvests().running();
    let sources = app.read(|handle| handle.sources()).await?;
    let answers: Vec<_> = sources.into_iter().map(|source| SourceAnswer::new(&running, source).0).collect();
    Ok(Json(answers).into_response())
}

#[utoipa::path(
    post, path = "/api/v1/sources", tag = "imports",
    summary = "Harvest a catalog",
    description = "Addresses of the house and redirects to other hosts are refused unless allowed here.",
    request_body = NewSource,
    responses(
        (status = 201, body = SourceAnswer),
        (status = 401, body = ErrorBody),
        (status = 409, description = "There is one of this name", body = ErrorBody),
        (status = 422, body = ErrorBody),
    ),
)]
pub(crate) async fn add(State(app): State<App>, JsonObject(object): JsonObject) -> Result<Response, Problem> {
    let new: NewSource =
        serde_json::from_value(Value::Object(object)).map_err(|error| Problem::malformed_json(&error))?;
    let spec = SourceSpec::new(&new.name, &new.url, new.kind.as_deref(), new.interval_s)
        .map_err(|error| Problem::invalid_field(&error))?;
    let spec = SourceSpec { allow_private: new.allow_private, allow_redirects: new.allow_redirects, ..spec };
    let running = app.handle.harvests().running();
    let source = app.handle.add_source(spec).await?;
    let location = format!("/api/v1/sources/{}", source.spec.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], SourceAnswer::new(&running, source))
        .into_response())
}

#[utoipa::path(
    get, path = "/api/v1/sources/{name}", tag = "imports",
    summary = "How a source stands",
    params(("name" = String, Path, description = "The source")),
    responses((status = 200, body = SourceAnswer), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(crate) async fn one(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<SourceAnswer>, Problem> {
    let running = app.handle.harvests().running();
    let source = app.handle.source(&name)?;
    Ok(SourceAnswer::new(&running, source))
}

#[utoipa::path(
    delete, path = "/api/v1/sources/{name}", tag = "imports",
    summary = "Harvest a catalog no longer; its records stay",
    params(("name" = String, Path, description = "The source")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(crate) async fn remove(State(app): State<App>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    app.handle.remove_source(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    post, path = "/api/v1/sources/{name}/run", tag = "imports",
    summary = "Ask a source now",
    description = "The answer comes at once; `GET /api/v1/sources/{name}` tells how far it is while `running` is there.",
    params(("name" = String, Path, description = "The source")),
    responses((status = 202, body = SourceAnswer), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(crate) async fn run(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    let source = app.handle.source(&name)?;
    app.handle.begin_source(&name)?;
    let running = app.handle.harvests().running();
    Ok((StatusCode::ACCEPTED, SourceAnswer::new(&running, source)).into_response())
}

#[utoipa::path(
    post, path = "/api/v1/sources/{name}/stop", tag = "imports",
    summary = "Stop asking a source",
    description = "What it has said by then is taken over; nothing is deleted. The answer comes at once, the run ends shortly after.",
    params(("name" = String, Path, description = "The source")),
    responses((status = 202, body = SourceAnswer), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(crate) async fn stop(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    let running = app.handle.harvests().running();
    let source = app.handle.source(&name)?;
    app.handle.stop_source(&name)?;
    Ok((StatusCode::ACCEPTED, SourceAnswer::new(&running, source)).into_response())
}

#[utoipa::path(
    post, path = "/api/v1/sources/{name}/confirm", tag = "imports",
    summary = "Allow the deletions that wait",
    description = "They are carried out after the next walk, if no more are missing then.",
    params(("name" = String, Path, description = "The source")),
    responses((status = 200, body = SourceAnswer), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<SourceAnswer>, Problem> {
    let running = app.handle.harvests().running();
    let source = app.handle.confirm_source(&name).await?;
    Ok(SourceAnswer::new(&running, source))
}
