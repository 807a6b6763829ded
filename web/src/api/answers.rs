//! What the API answers, apart from errors: the node's views as JSON, with
//! moments as RFC 3339 and towns by key, short name and name.

mod status;

use std::collections::BTreeMap;

use crdt::catalog::{Catalog, Class, Dataset, Internal, LifecycleStatus, Timestamp, Title};
use crdt::dcat::CatalogContext;
use crdt::ids::{ChangeHash, DatasetId, DocumentId, UnixMillis};
use node::import::{Curated, Origin};
use node::view::{
    Conflict, DatasetDetail, FieldDifference, Fragment, HistoryEntry, Receipt, SearchHit, SearchPage,
    SearchQuery, SignatureVerdict, TownInfo,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::schema;

pub(crate) use status::{DigestAnswer, Health, PublicStatusAnswer, StatusAnswer};

/// One page of a search.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DatasetPage {
    /// Datasets on all pages.
    total: usize,
    /// Datasets skipped.
    offset: usize,
    /// Datasets asked for.
    limit: usize,
    /// Datasets on this page.
    items: Vec<DatasetItem>,
    /// Counts by filter: `town`, `theme`, `domain`, `format`, `licence`, `frequency`, `class`, `status`.
    facets: BTreeMap<String, Vec<FacetValue>>,
    /// No dataset contains all words; these contain some.
    relaxed: bool,
}

/// One dataset found.
#[derive(Debug, Serialize, ToSchema)]
struct DatasetItem {
    /// Made once, the same on every node.
    #[schema(value_type = uuid::Uuid)]
    id: DatasetId,
    /// `dct:identifier`.
    identifier: Option<String>,
    /// Title.
    #[schema(value_type = schema::Literal)]
    title: Title,
    /// Beginning of the description.
    excerpt: String,
    /// Municipality key of the owner town.
    #[schema(example = "05974040")]
    town: String,
    /// Short name of the town.
    #[schema(example = "soest")]
    town_code: String,
    /// Name of the town.
    town_name: String,
    /// Who may see it.
    #[schema(value_type = String, example = "open")]
    class: Class,
    /// Where it stands in its life.
    #[schema(value_type = String, example = "veroeffentlicht")]
    status: LifecycleStatus,
    /// `dct:modified`, RFC 3339; changes only at the owner.
    modified: Option<String>,
    /// Codes of its EU data themes.
    themes: Vec<String>,
    /// Its formats.
    formats: Vec<String>,
    /// IRI of its licence.
    licence: Option<String>,
    /// With `highlight=true`: `title/de`, `description/de` and so on in pieces.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    highlights: BTreeMap<String, Vec<Piece>>,
}

/// A piece of a text, not escaped for any markup.
#[derive(Debug, Serialize, ToSchema)]
struct Piece {
    /// The piece.
    text: String,
    /// Whether it is what was searched for.
    marked: bool,
}

/// How many datasets have one value.
#[derive(Debug, Serialize, ToSchema)]
struct FacetValue {
    /// The value to filter by.
    value: String,
    /// What people read.
    label: String,
    /// Datasets with it.
    count: usize,
}

impl DatasetPage {
    pub(super) fn new(query: &SearchQuery, page: SearchPage, members: &[TownInfo]) -> Self {
        let facet = |count: node::view::FacetCount| FacetValue {
            value: count.value,
            label: count.label,
            count: count.count,
        };
        Self {
            total: page.total,
            offset: query.offset,
            limit: query.limit,
            relaxed: page.relaxed,
            items: page.items.into_iter().map(|hit| DatasetItem::new(hit, members)).collect(),
            facets: page
                .facets
                .into_iter()
                .map(|(name, counts)| (name, counts.into_iter().map(facet).collect()))
                .collect(),
        }
    }
}

impl DatasetItem {
    fn new(hit: SearchHit, members: &[TownInfo]) -> Self {
        let piece = |Fragment { text, marked }| Piece { text, marked };
        let code = members.iter().find(|member| member.town == hit.town).map(|member| member.code.clone());
        Self {
            id: hit.id,
            identifier: hit.identifier,
            title: hit.title,
            excerpt: hit.excerpt,
            town: hit.town.to_string(),
            town_code: code.unwrap_or_default(),
            town_name: hit.town_name,
            class: hit.class,
            status: hit.status,
            modified: hit.modified,
            themes: hit.themes,
            formats: hit.formats,
            licence: hit.licence,
            highlights: hit
                .highlights
                .into_iter()
                .map(|(field, pieces)| (field, pieces.into_iter().map(piece).collect()))
                .collect(),
        }
    }
}

/// One dataset: its fields, and what its seals are worth.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DatasetAnswer {
    #[serde(flatten)]
    #[schema(value_type = schema::DatasetFields)]
    dataset: Dataset,
    /// Municipality key of the owner town.
    #[schema(example = "05974040")]
    town: String,
    /// Short name of the town.
    #[schema(example = "soest")]
    town_code: String,
    /// Name of the town.
    town_name: String,
    /// What the seals are worth: `verified`, `equivocation` or `local`.
    #[schema(value_type = String, example = "verified")]
    verdict: SignatureVerdict,
    /// Its document; none for a closed record.
    #[schema(value_type = Option<String>)]
    document: Option<DocumentId>,
    /// Life number of the document.
    epoch: Option<u32>,
    /// Newest changes: give them back with a PATCH.
    #[schema(value_type = Vec<String>)]
    heads: Vec<ChangeHash>,
    /// Changes in this epoch.
    changes: u64,
    /// When the newest change was sealed, by its author's clock, RFC 3339.
    sealed_at: Option<String>,
    /// Paths of fields with more than one current value.
    conflicts: Vec<String>,
    /// Fields that this version of the node does not know, by their path.
    #[schema(value_type = Object)]
    extra: BTreeMap<String, Value>,
}

impl From<DatasetDetail> for DatasetAnswer {
    fn from(detail: DatasetDetail) -> Self {
        Self {
            dataset: detail.dataset,
            town: detail.town.town.to_string(),
            town_code: detail.town.code,
            town_name: detail.town.name,
            verdict: detail.verdict,
            document: detail.document,
            epoch: detail.epoch,
            heads: detail.heads,
            changes: detail.changes,
            sealed_at: detail.sealed_at.and_then(moment),
            conflicts: detail.conflicts,
            extra: detail.extra,
        }
    }
}

/// One record for the town's staff: another type than the public answer,
/// which can therefore never hold the town's own notes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StaffDatasetAnswer {
    #[serde(flatten)]
    public: DatasetAnswer,
    /// The town's own notes; none for the records of other towns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::InternalFields>)]
    internal: Option<Internal>,
    /// Where it came from, and what its sources say beside the town.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<OriginAnswer>,
}

/// A source of a record.
#[derive(Debug, Serialize, ToSchema)]
struct OriginAnswer {
    /// The source.
    source: String,
    /// What names the record there.
    key: String,
    /// Where it stood: row, sheet or name.
    place: String,
    /// When the source last said something new, RFC 3339.
    at: Option<String>,
    /// Fields in which the town says something else than the source.
    differs: Vec<CuratedAnswer>,
}

/// A field that has another value here than at the source.
#[derive(Debug, Serialize, ToSchema)]
struct CuratedAnswer {
    /// Its name; notes carry `internal/` before theirs.
    field: String,
    /// What the source says.
    source: serde_json::Value,
    /// What the town says.
    own: serde_json::Value,
}

impl From<Origin> for OriginAnswer {
    fn from(origin: Origin) -> Self {
        let Origin { source, key, place, at, differs } = origin;
        let curated = |Curated { field, source, own }| CuratedAnswer { field, source, own };
        Self { source, key, place, at: moment(at), differs: differs.into_iter().map(curated).collect() }
    }
}

impl StaffDatasetAnswer {
    /// A record with its notes, as far as it is the town's own, and its sources.
    pub(crate) fn new(mut detail: DatasetDetail, sources: Vec<Origin>) -> Self {
        let internal = detail.internal.take();
        let sources = sources.into_iter().map(Into::into).collect();
        Self { public: detail.into(), internal, sources }
    }
}

/// A moment for programs.
pub(crate) fn moment(at: UnixMillis) -> Option<String> {
    Timestamp::from_unix(at).map(|at| at.to_string())
}

/// What the town says of its catalog as a whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CatalogAnswer {
    /// Municipality key of the town.
    town: String,
    /// Its name.
    town_name: String,
    /// What the town has said; none if it has said nothing yet.
    #[schema(value_type = Option<Object>)]
    said: Option<Catalog>,
    /// What is served: what was said, and what is made up for the rest.
    #[schema(value_type = Object)]
    served: Catalog,
    /// The catalog's IRI.
    iri: String,
}

impl CatalogAnswer {
    pub(super) fn new(town: &TownInfo, said: Option<&Catalog>, context: &CatalogContext) -> Self {
        Self {
            town: town.town.to_string(),
            town_name: town.name.clone(),
            said: said.cloned(),
            served: context.catalog().clone(),
            iri: context.iri().as_str().to_owned(),
        }
    }
}

/// What the editor of the catalog gets once the change is durable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CatalogReceiptAnswer {
    /// Newest changes.
    #[schema(value_type = Vec<String>)]
    pub(super) heads: Vec<ChangeHash>,
    /// Whether anything was changed.
    pub(super) changed: bool,
}

/// What a writer gets once the change is durable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptAnswer {
    /// The dataset.
    #[schema(value_type = uuid::Uuid)]
    pub(super) id: DatasetId,
    /// Its document; none for a closed record.
    #[schema(value_type = Option<String>)]
    document: Option<DocumentId>,
    /// Its class now.
    #[schema(value_type = String)]
    class: Class,
    /// Newest changes: give them back with the next PATCH.
    #[schema(value_type = Vec<String>)]
    heads: Vec<ChangeHash>,
    /// Whether anything was changed.
    changed: bool,
}

impl From<Receipt> for ReceiptAnswer {
    fn from(receipt: Receipt) -> Self {
        let Receipt { id, document, class, heads, changed } = receipt;
        Self { id, document, class, heads, changed }
    }
}

/// The changes of a record, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct History {
    changes: Vec<HistoryChange>,
}

/// One change.
#[derive(Debug, Serialize, ToSchema)]
struct HistoryChange {
    /// When, by the author's clock, RFC 3339.
    at: Option<String>,
    /// Municipality key of the author's town.
    town: String,
    /// The author's pseudonym.
    author: String,
    /// Hash of the change.
    change: String,
    /// The run that made it.
    actor: String,
    /// Its place in the run.
    seq: u64,
    /// What changed for a reader.
    fields: Vec<Difference>,
}

/// One field before and after.
#[derive(Debug, Serialize, ToSchema)]
struct Difference {
    /// Path, `/` between its parts.
    path: String,
    /// Before; null if it was not there.
    #[schema(value_type = Object)]
    before: Option<Value>,
    /// After; null if it is not there any more.
    #[schema(value_type = Object)]
    after: Option<Value>,
}

impl From<Vec<HistoryEntry>> for History {
    fn from(entries: Vec<HistoryEntry>) -> Self {
        let difference = |FieldDifference { path, before, after }| Difference { path, before, after };
        let change = |entry: HistoryEntry| HistoryChange {
            at: moment(entry.at),
            town: entry.town.to_string(),
            author: entry.pseudonym.to_string(),
            change: entry.change.to_string(),
            actor: entry.actor.to_string(),
            seq: entry.seq,
            fields: entry.fields.into_iter().map(difference).collect(),
        };
        Self { changes: entries.into_iter().map(change).collect() }
    }
}

/// Fields that people have set to different values at the same time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Conflicts {
    conflicts: Vec<ConflictingField>,
}

/// One such field.
#[derive(Debug, Serialize, ToSchema)]
struct ConflictingField {
    /// Path, `/` between its parts.
    path: String,
    /// Its values; readers are shown the first until a person settles it.
    values: Vec<ConflictingValue>,
}

/// One of several current values.
#[derive(Debug, Serialize, ToSchema)]
struct ConflictingValue {
    /// The value; null if this author removed it.
    #[schema(value_type = Object)]
    value: Option<Value>,
    /// When, by the author's clock, RFC 3339.
    at: Option<String>,
    /// Municipality key of the author's town.
    town: String,
    /// The author's pseudonym.
    author: String,
    /// Hash of the change.
    change: String,
}

impl From<Vec<Conflict>> for Conflicts {
    fn from(conflicts: Vec<Conflict>) -> Self {
        let value = |value: node::view::ConflictValue| ConflictingValue {
            value: value.value,
            at: moment(value.at),
            town: value.town.to_string(),
            author: value.pseudonym.to_string(),
            change: value.change.to_string(),
        };
        let field = |conflict: Conflict| ConflictingField {
            path: conflict.path,
            values: conflict.values.into_iter().map(value).collect(),
        };
        Self { conflicts: conflicts.into_iter().map(field).collect() }
    }
}
