//! Imports at the desk: bring a file, watch it come in, read what became of it,
//! work off what is left to do.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use crdt::catalog::Lang;
use crdt::catalog::invalid::Bilingual;
use crdt::ids::DatasetId;
use futures::StreamExt as _;
use node::harvest::fetch::Reach;
use node::harvest::once::Address;
use node::import::reader::{self, Upload};
use node::import::{
    Fault, ImportId, ImportJob, ImportOptions, ImportState, Mapping, ProblemText, ReportText, SourceName,
};
use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use utoipa::ToSchema;

use super::body::JsonObject;
use crate::app::App;
use crate::error::{ErrorBody, Problem};

/// Longest name of a file or source in an address, in characters.
const NAME_CHARS_MAX: usize = 200;
/// What the beginning of an import may say.
const BEGIN: [&str; 9] = [
    "name",
    "url",
    "source",
    "dry_run",
    "all_or_nothing",
    "again",
    "columns",
    "allow_private",
    "allow_redirects",
];
/// Bytes of a file that say what it is.
const HEAD_BYTES: usize = 32;
/// Tasks on a page if none are asked for, and at most.
const TASKS_DEFAULT: usize = 100;
const TASKS_MAX: usize = 1_000;
/// Tasks that can be skipped at most.
const TASKS_SKIPPED_MAX: usize = 1_000_000;

/// An import and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportAnswer {
    /// Names the import.
    #[schema(example = "5b1c8e0f2a7d4c39")]
    id: String,
    /// The file.
    name: String,
    /// The source under which its records are known again.
    source: String,
    /// Whether nothing is written.
    dry_run: bool,
    /// `waiting`, `reading`, `running`, `done`, `unreadable` or `failed`.
    state: &'static str,
    /// When it ended, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// Records that have been dealt with.
    done: u64,
    /// Records that there are; 0 until that is known.
    total: u64,
    /// What became of it (`done`, `unreadable`).
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<ReportAnswer>,
    /// Why the node could not go on (`failed`); what came in before stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What became of an import.
#[derive(Debug, Serialize, ToSchema)]
struct ReportAnswer {
    /// Whether this was a rehearsal.
    dry_run: bool,
    /// Whether nothing was written because something was rejected.
    withheld: bool,
    /// Records that are new.
    created: u64,
    /// Records that were changed.
    changed: u64,
    /// Records that say what they said before.
    unchanged: u64,
    /// Records that were kept out.
    rejected: u64,
    /// Records of this federation that came back by another road; not taken.
    own: u64,
    /// Why records were kept out.
    problems: Vec<ProblemAnswer>,
    /// What is worth knowing about the others: hints, tasks, names kept local.
    hints: Vec<ProblemAnswer>,
    /// Problems and hints beyond those listed.
    omitted: u64,
    /// How the columns of an inventory were understood; `null`: kept as notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    columns: BTreeMap<String, Option<String>>,
}

/// One thing that is wrong or worth knowing.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemAnswer {
    /// `hint`, `task`, `personal` or `duplicate`; absent if the record was kept out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    kind: Option<node::import::RemarkKind>,
    /// Row and column, sheet, or the name of the item.
    #[schema(example = "Zeile 7, Spalte F „Lizenz“")]
    r#where: String,
    /// Path of the record's field, `/` between its parts.
    field: String,
    /// The value as given, shortened.
    value: String,
    /// What is wrong with it.
    reason: String,
    /// What to do.
    remedy: String,
}

impl From<ProblemText> for ProblemAnswer {
    fn from(text: ProblemText) -> Self {
        let ProblemText { kind, place, field, value, reason, remedy } = text;
        Self { kind, r#where: place, field, value, reason, remedy }
    }
}

impl From<ReportText> for ReportAnswer {
    fn from(text: ReportText) -> Self {
        let answers = |problems: Vec<ProblemText>| problems.into_iter().map(Into::into).collect();
        Self {
            dry_run: text.dry_run,
            withheld: text.withheld,
            created: text.created,
            changed: text.changed,
            unchanged: text.unchanged,
            rejected: text.rejected,
            own: text.own,
            problems: answers(text.problems),
            hints: answers(text.hints),
            omitted: text.omitted,
            columns: text.columns,
        }
    }
}

impl ReportAnswer {
    /// Of a file from which nothing could be taken.
    fn unreadable(fault: &Fault, name: &str, dry_run: bool, lang: Lang) -> Self {
        let problem = ProblemAnswer {
            kind: None,
            r#where: node::import::Place::Whole.in_lang(lang),
            field: String::new(),
            value: name.to_owned(),
            reason: fault.reason.in_lang(lang).to_owned(),
            remedy: fault.remedy.in_lang(lang).to_owned(),
        };
        Self {
            dry_run,
            withheld: false,
            created: 0,
            changed: 0,
            unchanged: 0,
            rejected: 0,
            own: 0,
            problems: vec![problem],
            hints: Vec::new(),
            omitted: 0,
            columns: BTreeMap::new(),
        }
    }
}

impl ImportAnswer {
    fn new(job: &ImportJob, lang: Lang, whole: bool) -> Self {
        let (mut report, mut error) = (None, None);
        let state = match job.state() {
            ImportState::Waiting => "waiting",
            ImportState::Reading => "reading",
            ImportState::Running => "running",
            ImportState::Done(done) => {
                report = whole.then(|| done.in_lang(lang).into());
                "done"
            }
            ImportState::Unreadable(fault) => {
                report =
                    whole.then(|| ReportAnswer::unreadable(&fault, &job.name, job.options.dry_run, lang));
                "unreadable"
            }
            ImportState::Failed(reason) => {
                error = Some(reason);
                "failed"
            }
        };
        Self {
            id: job.id.to_string(),
            name: job.name.clone(),
            source: job.options.source.to_string(),
            dry_run: job.options.dry_run,
            state,
            ended: job.ended().and_then(super::answers::moment),
            done: job.progress.done(),
            total: job.progress.total(),
            report,
            error,
        }
    }
}

#[utoipa::path(
    post, path = "/api/v1/imports", tag = "imports",
    summary = "Import an inventory, a catalog or an export",
    description = "The body is the file itself: xlsx, ods or csv; RDF or CKAN's JSON; or an export of this town. Every record arrives closed, but for those of an export that were open. The answer comes before the import is done; `GET /api/v1/imports/{id}` tells how far it is.",
    params(
        ("name" = Option<String>, Query, description = "The file's name; needed unless `url` is given"),
        ("url" = Option<String>, Query, description = "Import what stands there instead of a body: a catalog in RDF with all its pages, a CKAN, or a table"),
        ("allow_private" = Option<bool>, Query, description = "Whether the address may be a machine of the house"),
        ("allow_redirects" = Option<bool>, Query, description = "Whether it may redirect to other hosts"),
        ("source" = Option<String>, Query, description = "Under which name its records are known again; by default made of the file's name or the address"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would happen"),
        ("all_or_nothing" = Option<bool>, Query, description = "Write nothing if a record is rejected"),
        ("columns" = Option<String>, Query, description = "How columns are understood, as JSON, by their names; instead of what is kept for the source"),
        ("again" = Option<bool>, Query, description = "Take again what was thrown away here"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 202, description = "Taken; `Location` says where to ask", body = ImportAnswer),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 413, description = "More than 64 MiB; of an export, more than 1 GiB", body = ErrorBody),
        (status = 503, description = "Too many imports wait", body = ErrorBody),
    ),
)]
pub(crate) async fn begin(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, Problem> {
    let asked = Asked::read(query.as_deref(), &BEGIN)?;
    let options = |source: SourceName| {
        Ok::<_, Problem>(ImportOptions {
            source: asked.text("source")?.map_or(source, |source| SourceName::new(&source)),
            dry_run: asked.switch("dry_run")?,
            all_or_nothing: asked.switch("all_or_nothing")?,
            again: asked.switch("again")?,
            mapping: asked.given("columns").map(columns).transpose()?,
        })
    };
    let job = match asked.given("url") {
        Some(url) => {
            let reach = Reach {
                private: asked.switch("allow_private")?,
                elsewhere: asked.switch("allow_redirects")?,
            };
            let address = Address::parse(url, reach).map_err(|error| Problem::invalid_field(&error))?;
            let options = options(address.source())?;
            app.handle.import_address(address, options)?
        }
        None => {
            let name = asked.text("name")?.ok_or_else(|| missing("name"))?;
            let options = options(SourceName::of_file(&name))?;
            let file = received(&app, body).await?;
            app.handle.import_file(Upload { name, file }, options)?
        }
    };
    let location = format!("/api/v1/imports/{}", job.id);
    let answer = Json(ImportAnswer::new(&job, app.lang, false));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], answer).into_response())
}

/// How columns are understood, as a parameter says it.
fn columns(text: &str) -> Result<Mapping, Problem> {
    let columns = serde_json::from_str(text).map_err(|_| {
        let remedy = Bilingual::fixed(
            "Ein JSON-Objekt angeben: Spaltenname zu Feld oder null.",
            "give a JSON object: a column's name to a field or null",
        );
        Problem::invalid_parameter("columns", text, remedy)
    })?;
    let mapping = Mapping { columns, head: Vec::new() };
    match mapping.wrong().first() {
        Some(error) => Err(Problem::invalid_field(error)),
        None => Ok(mapping),
    }
}

/// Writes the body into a private file.
async fn received(app: &App, body: Body) -> Result<std::fs::File, Problem> {
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "an upload could not be kept");
        Problem::internal()
    };
    let mut file = tokio::fs::File::from_std(app.handle.upload_file().map_err(failed)?);
    let mut chunks = body.into_data_stream();
    let (mut length, mut head) = (0, Vec::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::body_incomplete())?;
        length += chunk.len() as u64;
        // How long it may be depends on what it is, and its beginning says that.
        head.extend(chunk.iter().take(HEAD_BYTES.saturating_sub(head.len())));
        let most = reader::longest(&head);
        if length > most {
            return Err(Problem::body_too_large(usize::try_from(most).unwrap_or(usize::MAX)));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(file.into_std().await)
}

#[utoipa::path(
    get, path = "/api/v1/imports", tag = "imports",
    summary = "The newest imports, the newest first",
    description = "The last 32; what became of them is still known after a restart.",
    responses((status = 200, body = Vec<ImportAnswer>), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<ImportAnswer>>, Problem> {
    super::no_parameters(query.as_deref())?;
    let jobs = app.handle.import_jobs();
    Ok(Json(jobs.iter().map(|job| ImportAnswer::new(job, app.lang, false)).collect()))
}

#[utoipa::path(
    get, path = "/api/v1/imports/{id}", tag = "imports",
    summary = "How far an import is, and what became of it",
    params(
        ("id" = String, Path, description = "The import"),
        ("lang" = Option<String>, Query, description = "`de` or `en`; by default the node's language"),
    ),
    responses((status = 200, body = ImportAnswer), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<ImportAnswer>, Problem> {
    let lang = Asked::read(query.as_deref(), &["lang"])?.lang(&app)?;
    Ok(Json(ImportAnswer::new(&*job(&app, &id)?, lang, true)))
}

#[utoipa::path(
    get, path = "/api/v1/imports/{id}/rejected.csv", tag = "imports",
    summary = "The rejected rows, to be mended and imported again",
    params(("id" = String, Path, description = "The import")),
    responses(
        (status = 200, description = "CSV with the reasons in the last column", content_type = "text/csv", body = String),
        (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody),
    ),
)]
pub(crate) async fn rejected(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    super::no_parameters(query.as_deref())?;
    let ImportState::Done(report) = job(&app, &id)?.state() else { return Err(Problem::not_found()) };
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], report.rejected_csv()).into_response())
}

fn job(app: &App, id: &str) -> Result<std::sync::Arc<ImportJob>, Problem> {
    id.parse().ok().and_then(|id: ImportId| app.handle.import_job(id)).ok_or_else(Problem::not_found)
}

/// How the columns of a source are understood.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MappingAnswer {
    /// The source.
    source: String,
    /// The field of each column; none if it only goes to the internal notes.
    #[schema(value_type = Object)]
    columns: std::collections::BTreeMap<String, Option<String>>,
}

#[utoipa::path(
    get, path = "/api/v1/mappings", tag = "imports",
    summary = "How the columns of a source are understood",
    params(("source" = String, Query, description = "The source")),
    responses((status = 200, body = MappingAnswer), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(crate) async fn mapping(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<MappingAnswer>, Problem> {
    let source = Asked::read(query.as_deref(), &["source"])?.source()?;
    let asked = source.clone();
    let mapping = app.read(move |handle| handle.mapping(&asked)).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(MappingAnswer { source: source.to_string(), columns: mapping.columns }))
}

#[utoipa::path(
    post, path = "/api/v1/mappings", tag = "imports",
    summary = "Say how the columns of a source are to be understood",
    description = "`{\"columns\": {\"Spalte\": \"title\", \"Andere\": null}}`: the field of each column, or null for one that only goes to the internal notes. Columns that are not named go by their names.",
    params(("source" = String, Query, description = "The source")),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 200, body = MappingAnswer),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 422, description = "A field that no column can fill", body = ErrorBody),
    ),
)]
pub(crate) async fn set_mapping(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    JsonObject(object): JsonObject,
) -> Result<Json<MappingAnswer>, Problem> {
    let source = Asked::read(query.as_deref(), &["source"])?.source()?;
    let mut object = object;
    // What `GET` answers can be given back.
    object.remove("source");
    let mapping: Mapping =
        serde_json::from_value(Value::Object(object)).map_err(|error| Problem::malformed_json(&error))?;
    if let Some(error) = mapping.wrong().first() {
        return Err(Problem::invalid_field(error));
    }
    app.handle.keep_mapping(source.clone(), mapping.clone()).await.map_err(|error| not_written(&error))?;
    Ok(Json(MappingAnswer { source: source.to_string(), columns: mapping.columns }))
}

/// Things that people have to decide or fill in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TasksAnswer {
    /// How many there are.
    total: u64,
    /// Those asked for.
    items: Vec<TaskAnswer>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
struct TaskAnswer {
    /// The record.
    #[schema(value_type = uuid::Uuid)]
    dataset: DatasetId,
    /// Path of its field, `/` between its parts.
    field: String,
    /// What there is to do, in English.
    text: String,
    /// The same in German.
    text_de: String,
    /// The source that gave rise to it.
    source: String,
}

#[utoipa::path(
    get, path = "/api/v1/tasks", tag = "imports",
    summary = "What is left to decide or to fill in",
    description = "A task goes when its field is edited, its record is thrown away, or by `POST /api/v1/tasks/done`.",
    params(
        ("offset" = Option<usize>, Query, description = "Tasks to skip"),
        ("limit" = Option<usize>, Query, description = "Tasks to give, 100 by default", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = TasksAnswer), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)),
)]
pub(crate) async fn tasks(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<TasksAnswer>, Problem> {
    let asked = Asked::read(query.as_deref(), &["offset", "limit"])?;
    let offset = asked.number("offset", 0, 0, TASKS_SKIPPED_MAX)?;
    let limit = asked.number("limit", TASKS_DEFAULT, 1, TASKS_MAX)?;
    let (tasks, total) = app.read(move |handle| handle.tasks(offset, limit)).await?;
    let items = tasks.into_iter().map(|task| TaskAnswer {
        dataset: task.dataset,
        field: task.field,
        text: task.text.en.into(),
        text_de: task.text.de.into(),
        source: task.source,
    });
    Ok(Json(TasksAnswer { total, items: items.collect() }))
}

#[utoipa::path(
    post, path = "/api/v1/tasks/done", tag = "imports",
    summary = "Take tasks off the list",
    description = "`{\"dataset\": \"…\", \"field\": \"frequency\"}`; without `field`, all tasks of the record.",
    request_body(content = Object, content_type = "application/json"),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 422, body = ErrorBody)),
)]
pub(crate) async fn tasks_done(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    JsonObject(object): JsonObject,
) -> Result<StatusCode, Problem> {
    super::no_parameters(query.as_deref())?;
    let id: Option<DatasetId> =
        object.get("dataset").and_then(Value::as_str).and_then(|text| text.parse().ok());
    let id = id.ok_or_else(|| missing("dataset"))?;
    let field = object.get("field").and_then(Value::as_str).map(|field| vec![field.to_owned()]);
    app.handle.finish_tasks(id, field).await.map_err(|error| not_written(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn not_written(error: &node::store::WriteError) -> Problem {
    tracing::error!(%error, "a write failed");
    Problem::internal()
}

/// Parameters of an address, each known and given once.
#[derive(Debug)]
pub(super) struct Asked(Vec<(&'static str, String)>);

impl Asked {
    pub(super) fn read(query: Option<&str>, known: &[&'static str]) -> Result<Self, Problem> {
        let mut asked: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(Problem::unknown_parameter(&name, known));
            };
            if asked.iter().any(|(seen, _)| seen == name) {
                return Err(Problem::repeated_parameter(name));
            }
            if !value.trim().is_empty() {
                asked.push((name, value.trim().to_owned()));
            }
        }
        Ok(Self(asked))
    }

    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.given(name) {
            Some(text) if text.chars().count() > NAME_CHARS_MAX => {
                let remedy = Bilingual::made(
                    format!("Höchstens {NAME_CHARS_MAX} Zeichen angeben."),
                    format!("give at most {NAME_CHARS_MAX} characters"),
                );
                Err(Problem::invalid_parameter(name, text, remedy))
            }
            text => Ok(text.map(str::to_owned)),
        }
    }

    fn source(&self) -> Result<SourceName, Problem> {
        self.text("source")?.map(|source| SourceName::new(&source)).ok_or_else(|| missing("source"))
    }

    fn switch(&self, name: &'static str) -> Result<bool, Problem> {
        match self.given(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                let remedy = Bilingual::fixed("„true“ oder „false“ angeben.", "give `true` or `false`");
                Err(Problem::invalid_parameter(name, other, remedy))
            }
        }
    }

    fn lang(&self, app: &App) -> Result<Lang, Problem> {
        let Some(text) = self.given("lang") else { return Ok(app.lang) };
        Lang::parse(text).map_err(|error| Problem::invalid_parameter("lang", text, error.remedy))
    }

    pub(super) fn number(
        &self,
        name: &'static str,
        default: usize,
        min: usize,
        max: usize,
    ) -> Result<usize, Problem> {
        let Some(text) = self.given(name) else { return Ok(default) };
        text.parse().ok().filter(|number| (min..=max).contains(number)).ok_or_else(|| {
            let remedy = Bilingual::made(
                format!("Eine ganze Zahl von {min} bis {max} angeben."),
                format!("give a whole number from {min} to {max}"),
            );
            Problem::invalid_parameter(name, text, remedy)
        })
    }
}

fn missing(name: &'static str) -> Problem {
    let remedy = Bilingual::made(format!("„{name}“ angeben."), format!("give `{name}`"));
    Problem::invalid_parameter(name, "", remedy)
}
