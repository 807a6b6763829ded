//! The public API: reads of open datasets, for everyone.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use node::view::Reader;
use utoipa::OpenApi;

use super::OfDataset;
use super::answers::{DatasetAnswer, DatasetPage, PublicStatusAnswer};
use crate::app::App;
use crate::error::{ErrorBody, Problem};

/// Media type of a proof.
const CBOR: &str = "application/cbor";

#[utoipa::path(
    get, path = "/api/v1/datasets", tag = "datasets",
    summary = "Search open datasets",
    description = "Values of one filter are alternatives, filters add up. Empty values count as not given.",
    params(
        ("q" = Option<String>, Query, description = "Words to look for; empty finds all"),
        ("town" = Option<Vec<String>>, Query, description = "Municipality key or short name; may be repeated"),
        ("theme" = Option<Vec<String>>, Query, description = "Code or IRI of an EU data theme; may be repeated"),
        ("domain" = Option<Vec<String>>, Query, description = "Data domain; may be repeated"),
        ("format" = Option<Vec<String>>, Query, description = "File format or service type; may be repeated"),
        ("licence" = Option<Vec<String>>, Query, description = "Licence IRI or code of DCAT-AP.de; may be repeated"),
        ("frequency" = Option<Vec<String>>, Query, description = "Code of the EU frequency list; may be repeated"),
        ("class" = Option<Vec<String>>, Query, description = "Here only `open`"),
        ("sort" = Option<String>, Query, description = "`relevance` (default), `modified` or `title`"),
        ("highlight" = Option<bool>, Query, description = "Whether to mark the words found"),
        ("offset" = Option<usize>, Query, description = "Datasets to skip, at most 9900", minimum = 0, maximum = 9900),
        ("limit" = Option<usize>, Query, description = "Datasets to give, 20 by default", minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = DatasetPage),
        (status = 400, description = "A parameter that does not exist or cannot have its value", body = ErrorBody),
        (status = 503, description = "The node is starting or busy; see `Retry-After`", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<DatasetPage>, Problem> {
    let (query, page) = super::search(&app, Reader::Public, query.as_deref()).await?;
    Ok(Json(DatasetPage::new(&query, page, &app.handle.members())))
}

#[utoipa::path(
    get, path = "/api/v1/datasets/{id}", tag = "datasets",
    summary = "One open dataset, with its heads and its seals' verdict",
    params(("id" = String, Path, description = "The dataset's UUID")),
    responses(
        (status = 200, body = DatasetAnswer),
        (status = 404, description = "Unknown or not open: the two look the same", body = ErrorBody),
    ),
)]
pub(crate) async fn one(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
) -> Result<Json<DatasetAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    Ok(Json(super::dataset(&app, Reader::Public, id).await?.into()))
}

#[utoipa::path(
    get, path = "/api/v1/datasets/{id}/proof", tag = "datasets",
    summary = "Everything needed to check the dataset offline",
    description = "CBOR for `hanse verify`; specified in the protocol, section 12.",
    params(("id" = String, Path, description = "The dataset's UUID")),
    responses(
        (status = 200, content_type = "application/cbor", body = Vec<u8>),
        (status = 404, description = "Unknown or not open: the two look the same", body = ErrorBody),
    ),
)]
pub(crate) async fn proof(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    super::no_parameters(query.as_deref())?;
    let proof = app.read(move |handle| handle.proof(Reader::Public, id)).await?;
    let proof = proof.ok_or_else(Problem::not_found)?;
    let attachment = format!("attachment; filename=\"{id}.proof.cbor\"");
    let headers = [(header::CONTENT_TYPE, CBOR.to_owned()), (header::CONTENT_DISPOSITION, attachment)];
    Ok((headers, proof).into_response())
}

#[utoipa::path(
    get, path = "/api/v1/status", tag = "node",
    summary = "What the public may know about the node",
    responses((status = 200, body = PublicStatusAnswer)),
)]
pub(crate) async fn status(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<PublicStatusAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let status = app.read(|handle| Ok::<_, Problem>(handle.public_status())).await?;
    Ok(Json(status.into()))
}

/// The public API's description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hanse: public API",
        description = "Open datasets of all towns of the federation, from this node's own verified copy. Read only, no login."
    ),
    paths(list, one, proof, super::vocabularies::list, super::vocabularies::one, status, openapi),
    tags((name = "datasets", description = "The catalog"), (name = "node", description = "This node")),
)]
pub(crate) struct Description;

#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "node",
    summary = "This description",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}
