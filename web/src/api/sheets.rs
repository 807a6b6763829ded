//! Tables for people: the blank template, and the town's records.

use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use node::handle::NodeHandle;
use node::import::sheets::{self, SheetForm};

use crate::app::App;
use crate::error::{ErrorBody, Problem};

#[utoipa::path(
    get, path = "/api/v1/template.xlsx", tag = "imports",
    summary = "The blank template of an inventory, as a workbook",
    responses((status = 200, description = "A workbook", body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn template_xlsx(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    template(&app, SheetForm::Xlsx, query.as_deref())
}

#[utoipa::path(
    get, path = "/api/v1/template.csv", tag = "imports",
    summary = "The blank template of an inventory, as CSV",
    responses((status = 200, description = "CSV", body = String, content_type = "text/csv"), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn template_csv(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    template(&app, SheetForm::Csv, query.as_deref())
}

fn template(app: &App, form: SheetForm, query: Option<&str>) -> Result<Response, Problem> {
    super::no_parameters(query)?;
    file(form, "vorlage", sheets::template(form, app.handle.vocabularies()))
}

#[utoipa::path(
    get, path = "/api/v1/records.xlsx", tag = "datasets",
    summary = "All records of this town with its own notes, as a workbook",
    responses((status = 200, description = "A workbook", body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn records_xlsx(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    records(&app, SheetForm::Xlsx, query.as_deref()).await
}

#[utoipa::path(
    get, path = "/api/v1/records.csv", tag = "datasets",
    summary = "All records of this town with its own notes, as CSV",
    responses((status = 200, description = "CSV", body = String, content_type = "text/csv"), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn records_csv(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    records(&app, SheetForm::Csv, query.as_deref()).await
}

async fn records(app: &App, form: SheetForm, query: Option<&str>) -> Result<Response, Problem> {
    super::no_parameters(query)?;
    let write = move |handle: &NodeHandle| {
        handle.own_records().map(|records| sheets::table(form, &records, handle.vocabularies()))
    };
    let table = app.read(write).await?;
    file(form, "datensaetze", table)
}

fn file(
    form: SheetForm,
    name: &str,
    table: Result<Vec<u8>, sheets::WriteTableError>,
) -> Result<Response, Problem> {
    let bytes = table.map_err(|error| {
        tracing::error!(%error, "a table could not be written");
        Problem::internal()
    })?;
    let name = format!("attachment; filename=\"{name}.{}\"", form.ending());
    let headers = [(header::CONTENT_TYPE, form.media_type().to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}
