//! Records that seem to be the same, at the desk: the hints, and what a person
//! decides about them. Closed records take part, so none of it is public.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use crdt::catalog::invalid::Bilingual;
use crdt::ids::DatasetId;
use node::duplicates::score::{HINT_SCORE, Reason};
use node::handle::{
    DuplicateHint, GivenUp, HINTS_LIMIT_MAX, HintPage, HintQuery, HintScope, HintedRecord, MergeRequest,
    Merged,
};
use node::store::Leading;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::OfDataset;
use super::answers::ReceiptAnswer;
use super::body::JsonObject;
use super::imports::Asked;
use crate::app::App;
use crate::error::{ErrorBody, Problem};

/// Hints on a page if none are asked for.
const HINTS_DEFAULT: usize = 50;
/// Hints that can be skipped at most.
const HINTS_SKIPPED_MAX: usize = 1_000_000;

/// Hints, the surest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DuplicatesAnswer {
    /// How many there are.
    total: usize,
    /// Whether there are more, of lower scores, than are kept.
    truncated: bool,
    /// Records that were compared: those of this town and those that other towns
    /// let it have.
    records: usize,
    /// Those asked for.
    items: Vec<HintAnswer>,
}

/// Two records that seem to be the same.
#[derive(Debug, Serialize, ToSchema)]
struct HintAnswer {
    /// How sure the reasons make, from 0 to 100.
    #[schema(example = 87)]
    score: u8,
    /// `town`: both are of this town; `federation`: the other is of another one.
    scope: &'static str,
    /// A record of this town.
    record: HintedAnswer,
    /// The other record.
    other: HintedAnswer,
    /// Why, the strongest reason first, what speaks against it last.
    reasons: Vec<ReasonAnswer>,
}

/// One of the two records.
#[derive(Debug, Serialize, ToSchema)]
struct HintedAnswer {
    #[schema(value_type = uuid::Uuid)]
    id: DatasetId,
    /// What it is called by programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    /// What it is called by people: German, or English if there is no German title.
    title: String,
    /// Municipality key of its town.
    town: String,
    /// `open`, `shared` or `closed`.
    class: &'static str,
}

/// One reason.
#[derive(Debug, Serialize, ToSchema)]
struct ReasonAnswer {
    /// `identifier`, `url`, `title`, `description`, `keywords`, `reference_type` or
    /// `department`; against it `editions`, `places` or `years`.
    #[schema(value_type = String)]
    kind: node::duplicates::score::ReasonKind,
    /// How alike the two are in it, from 0 to 100; 0 if it speaks against them.
    alike: u8,
    /// In English.
    text: String,
    /// In German.
    text_de: String,
}

impl From<Reason> for ReasonAnswer {
    fn from(Reason { kind, alike, text }: Reason) -> Self {
        Self { kind, alike, text: text.en.into(), text_de: text.de.into() }
    }
}

impl From<HintedRecord> for HintedAnswer {
    fn from(record: HintedRecord) -> Self {
        let title = record.title.de.or(record.title.en).map(|title| title.to_string());
        Self {
            id: record.id,
            identifier: record.identifier,
            title: title.unwrap_or_default(),
            town: record.town.to_string(),
            class: record.class.code(),
        }
    }
}

impl From<DuplicateHint> for HintAnswer {
    fn from(hint: DuplicateHint) -> Self {
        let scope = match hint.scope {
            HintScope::Town => "town",
            HintScope::Federation => "federation",
        };
        let reasons = hint.reasons.into_iter().map(Into::into).collect();
        Self { score: hint.score, scope, record: hint.record.into(), other: hint.other.into(), reasons }
    }
}

#[utoipa::path(
    get, path = "/api/v1/duplicates", tag = "duplicates",
    summary = "Records that seem to be the same",
    description = "Pairs of which one is of this town, the surest first, without those noted as different. The first call after a start reads all records.",
    params(
        ("of" = Option<String>, Query, description = "Only pairs with this record (UUID)"),
        ("scope" = Option<String>, Query, description = "`town` or `federation`; both if left out"),
        ("score" = Option<u8>, Query, description = "From this score on, 50 by default", minimum = 50, maximum = 100),
        ("offset" = Option<usize>, Query, description = "Hints to skip"),
        ("limit" = Option<usize>, Query, description = "Hints to give, 50 by default", minimum = 1, maximum = 1000),
    ),
    responses(
        (status = 200, body = DuplicatesAnswer),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 404, description = "`of` names no record", body = ErrorBody),
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<DuplicatesAnswer>, Problem> {
    let asked = Asked::read(query.as_deref(), &["of", "scope", "score", "offset", "limit"])?;
    let of = asked.given("of").map(|text| text.parse().map_err(|_| Problem::not_found())).transpose()?;
    let query = HintQuery {
        of,
        scope: scope(&asked)?,
        score: asked.number("score", HINT_SCORE.into(), HINT_SCORE.into(), 100)? as u8,
        offset: asked.number("offset", 0, 0, HINTS_SKIPPED_MAX)?,
        limit: asked.number("limit", HINTS_DEFAULT, 1, HINTS_LIMIT_MAX)?,
    };
    if let Some(id) = query.of {
        super::dataset(&app, node::view::Reader::Staff, id).await?;
    }
    let HintPage { total, truncated, records, hints } =
        app.read(move |handle| handle.duplicates(&query)).await?;
    let items = hints.into_iter().map(Into::into).collect();
    Ok(Json(DuplicatesAnswer { total, truncated, records, items }))
}

fn scope(asked: &Asked) -> Result<Option<HintScope>, Problem> {
    match asked.given("scope") {
        None => Ok(None),
        Some("town") => Ok(Some(HintScope::Town)),
        Some("federation") => Ok(Some(HintScope::Federation)),
        Some(other) => {
            let remedy = Bilingual::fixed("„town“ oder „federation“ angeben.", "give `town` or `federation`");
            Err(Problem::invalid_parameter("scope", other, remedy))
        }
    }
}

/// A person's word about a pair.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Different {
    /// One of the two records.
    #[schema(value_type = uuid::Uuid)]
    record: DatasetId,
    /// The other.
    #[schema(value_type = uuid::Uuid)]
    other: DatasetId,
    /// Whether they may be the same after all.
    #[serde(default)]
    undo: bool,
}

#[utoipa::path(
    post, path = "/api/v1/duplicates/different", tag = "duplicates",
    summary = "Note that two records are different",
    description = "The pair is not shown again, until the note is taken back with `undo`. One of the two must be of this town.",
    request_body = Different,
    responses(
        (status = 204, description = "Durable"),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "Neither record is of this town", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 422, description = "Twice the same record", body = ErrorBody),
        (status = 503, body = ErrorBody),
    ),
)]
pub(crate) async fn different(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    JsonObject(object): JsonObject,
) -> Result<StatusCode, Problem> {
    super::no_parameters(query.as_deref())?;
    let Different { record, other, undo } =
        serde_json::from_value(Value::Object(object)).map_err(|error| Problem::malformed_json(&error))?;
    let handle = app.handle.clone();
    super::desk::durable(async move { handle.find_different(record, other, !undo).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Two records of this town that are the same.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Merging {
    /// The record that is kept.
    #[schema(value_type = uuid::Uuid)]
    keep: DatasetId,
    /// The one that is given up for it.
    #[schema(value_type = uuid::Uuid)]
    give_up: DatasetId,
    /// Fields that the kept record lacks and takes over from the other; notes of
    /// the town carry `internal/` before their names.
    #[serde(default)]
    #[schema(example = json!(["description", "internal/source_system"]))]
    take_over: BTreeSet<String>,
}

/// One record where there were two.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MergedAnswer {
    /// The record that was kept.
    kept: ReceiptAnswer,
    /// The one that was given up.
    #[schema(value_type = uuid::Uuid)]
    given_up: DatasetId,
    /// `deleted`: it was closed and is thrown away; `replaced`: it was published
    /// and leads every reader to the kept one.
    left: &'static str,
}

#[utoipa::path(
    post, path = "/api/v1/duplicates/merge", tag = "duplicates",
    summary = "Keep one of two records and give the other up",
    description = "Both must be of this town. The names of the one that is given up lead to the kept one from then on; if it was published, they become its `other_identifiers`. A published record cannot be given up for a closed one.",
    request_body = Merging,
    responses(
        (status = 200, description = "Durable", body = MergedAnswer),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "A record of another town", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "The one to be given up is published, the other is not", body = ErrorBody),
        (status = 422, description = "Twice the same record, or a field that cannot be taken over", body = ErrorBody),
        (status = 503, body = ErrorBody),
    ),
)]
pub(crate) async fn merge(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    JsonObject(object): JsonObject,
) -> Result<Json<MergedAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let Merging { keep, give_up, take_over } =
        serde_json::from_value(Value::Object(object)).map_err(|error| Problem::malformed_json(&error))?;
    let handle = app.handle.clone();
    let request = MergeRequest { keep, give_up, take_over };
    let Merged { receipt, given_up, left } =
        super::desk::durable(async move { handle.merge(request).await }).await?;
    let left = match left {
        GivenUp::Deleted => "deleted",
        GivenUp::Replaced => "replaced",
    };
    Ok(Json(MergedAnswer { kept: receipt.into(), given_up, left }))
}

/// Where a record comes from, and whose word counts for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeadAnswer {
    /// Names of its sources; empty for a record that was made here.
    sources: Vec<String>,
    /// `nobody` in particular, the town's own `hand`, or one `source`.
    leading: &'static str,
    /// The leading source.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl From<node::handle::Lead> for LeadAnswer {
    fn from(lead: node::handle::Lead) -> Self {
        let (leading, source) = match lead.leading {
            None => ("nobody", None),
            Some(Leading::Hand) => ("hand", None),
            Some(Leading::Source(name)) => ("source", Some(name)),
        };
        Self { sources: lead.sources, leading, source }
    }
}

#[utoipa::path(
    get, path = "/api/v1/datasets/{id}/lead", tag = "duplicates",
    summary = "Where a record comes from, and whose word counts for it",
    params(("id" = String, Path, description = "The dataset's UUID")),
    responses((status = 200, body = LeadAnswer), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(crate) async fn show_lead(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
) -> Result<Json<LeadAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let lead = app.read(move |handle| handle.lead_of(id)).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(lead.into()))
}

/// Whose word counts for a record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lead {
    /// `source`, `hand` or `nobody`.
    #[schema(example = "source")]
    leading: String,
    /// The leading source, by its name in `sources`.
    source: Option<String>,
}

#[utoipa::path(
    post, path = "/api/v1/datasets/{id}/lead", tag = "duplicates",
    summary = "Say whose word counts for a record of several sources",
    description = "`{\"leading\": \"source\", \"source\": \"…\"}`: what other sources say is not carried over any more. `hand`: what no source says is. `nobody`: as before.",
    params(("id" = String, Path, description = "The dataset's UUID")),
    request_body = Lead,
    responses(
        (status = 200, description = "Durable", body = LeadAnswer),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 422, description = "The record does not come from that source", body = ErrorBody),
    ),
)]
pub(crate) async fn lead(
    State(app): State<App>,
    OfDataset(id): OfDataset,
    RawQuery(query): RawQuery,
    JsonObject(object): JsonObject,
) -> Result<Json<LeadAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let lead: Lead =
        serde_json::from_value(Value::Object(object)).map_err(|error| Problem::malformed_json(&error))?;
    let leading = match (lead.leading.as_str(), lead.source) {
        ("source", Some(name)) => Some(Leading::Source(name)),
        ("hand", None) => Some(Leading::Hand),
        ("nobody", None) => None,
        (other, _) => {
            let remedy = Bilingual::fixed(
                "„hand“ oder „nobody“ angeben, oder „source“ mit dem Namen einer Quelle.",
                "give `hand` or `nobody`, or `source` with the name of a source",
            );
            return Err(Problem::invalid_parameter("leading", other, remedy));
        }
    };
    let handle = app.handle.clone();
    super::desk::durable(async move { handle.lead(id, leading).await }).await?;
    let lead = app.read(move |handle| handle.lead_of(id)).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(lead.into()))
}
