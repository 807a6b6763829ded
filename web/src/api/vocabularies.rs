//! The lists of codes that the node goes by, for everyone who fills in or reads
//! records.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{RawQuery, State};
use crdt::catalog::invalid::Bilingual;
use crdt::vocabulary::{Concept, List, Mark, Vocabulary};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::{ErrorBody, Problem};
use crate::extract::Segment;

/// A text in both languages.
#[derive(Debug, Serialize, ToSchema)]
struct Label {
    de: String,
    en: String,
}

impl From<&Bilingual> for Label {
    fn from(text: &Bilingual) -> Self {
        Self { de: text.de.to_string(), en: text.en.to_string() }
    }
}

/// What a list is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VocabularyHead {
    /// Its name in addresses.
    #[schema(example = "themes")]
    name: &'static str,
    title: Label,
    /// Who publishes it, and what in it is added.
    source: String,
    /// As the source counts.
    version: String,
    /// Licence of the list itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<String>,
    /// What the codes' IRIs begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    /// Concepts in it.
    count: usize,
}

impl From<&Vocabulary> for VocabularyHead {
    fn from(list: &Vocabulary) -> Self {
        Self {
            name: list.list().name(),
            title: list.title().into(),
            source: list.source().to_owned(),
            version: list.version().to_owned(),
            licence: list.licence().map(str::to_owned),
            base: list.base().map(str::to_owned),
            count: list.concepts().len(),
        }
    }
}

/// All lists.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VocabularyList {
    items: Vec<VocabularyHead>,
}

/// A list with its concepts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VocabularyAnswer {
    #[serde(flatten)]
    head: VocabularyHead,
    concepts: Vec<ConceptAnswer>,
}

/// One code.
#[derive(Debug, Serialize, ToSchema)]
struct ConceptAnswer {
    #[schema(example = "ENVI")]
    code: String,
    /// How records write it, if not by its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// None for a code that only this list has.
    #[serde(skip_serializing_if = "Option::is_none")]
    iri: Option<String>,
    label: Label,
    /// Code of the broader concept.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// Of a format, IANA's.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    /// Other spellings that are understood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    /// What else is known of it, such as `open` or `service`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(value_type = Vec<String>)]
    marks: BTreeSet<Mark>,
}

impl From<&Concept> for ConceptAnswer {
    fn from(concept: &Concept) -> Self {
        let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Self {
            code: concept.code.to_string(),
            name: owned(&concept.name),
            iri: owned(&concept.iri),
            label: (&concept.label).into(),
            parent: owned(&concept.parent),
            media_type: owned(&concept.media_type),
            aliases: concept.aliases.iter().map(ToString::to_string).collect(),
            marks: concept.marks.clone(),
        }
    }
}

#[utoipa::path(
    get, path = "/api/v1/vocabularies", tag = "vocabularies",
    summary = "The lists of codes that this node goes by",
    responses((status = 200, body = VocabularyList)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<VocabularyList>, Problem> {
    super::no_parameters(query.as_deref())?;
    Ok(Json(VocabularyList { items: app.handle.vocabularies().iter().map(Into::into).collect() }))
}

#[utoipa::path(
    get, path = "/api/v1/vocabularies/{name}", tag = "vocabularies",
    summary = "One list with codes, labels and spellings",
    params(("name" = String, Path, description = "Name of the list, such as `themes`")),
    responses(
        (status = 200, body = VocabularyAnswer),
        (status = 404, description = "No list of this name", body = ErrorBody),
    ),
)]
pub(crate) async fn one(
    State(app): State<App>,
    Segment(name): Segment,
    RawQuery(query): RawQuery,
) -> Result<Json<VocabularyAnswer>, Problem> {
    super::no_parameters(query.as_deref())?;
    let list = List::parse(&name).map_err(|_| Problem::not_found())?;
    let list = app.handle.vocabularies().list(list);
    Ok(Json(VocabularyAnswer {
        head: list.into(),
        concepts: list.concepts().iter().map(Into::into).collect(),
    }))
}
