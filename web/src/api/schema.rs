//! The catalog's JSON as the OpenAPI description names it.
//!
//! These types are never filled: they say in utoipa's words what `crdt`'s
//! types serialise to, because `crdt` knows nothing of HTTP. A test holds the
//! two together.

#![expect(dead_code, reason = "the types only describe JSON; none is ever made")]

use utoipa::ToSchema;

/// A text in German, English or both.
#[derive(ToSchema)]
pub(crate) struct Literal {
    de: Option<String>,
    en: Option<String>,
}

/// Words by language.
#[derive(ToSchema)]
struct Keywords {
    de: Option<Vec<String>>,
    en: Option<Vec<String>>,
}

/// An organisation.
#[derive(ToSchema)]
struct Agent {
    name: Option<String>,
    iri: Option<String>,
    url: Option<String>,
}

/// Whom to ask: a role, never a person.
#[derive(ToSchema)]
struct Contact {
    name: Option<String>,
    email: Option<String>,
    url: Option<String>,
    phone: Option<String>,
}

/// Where the data lie.
#[derive(ToSchema)]
struct Spatial {
    /// `dcatde:politicalGeocodingURI`.
    geocoding: Option<String>,
    unit: Option<String>,
    /// West, south, east, north in degrees.
    #[schema(example = "8.02,51.5,8.2,51.62")]
    bbox: Option<String>,
}

/// The days that the data describe; either end may be open.
#[derive(ToSchema)]
struct Temporal {
    #[schema(format = Date)]
    start: Option<String>,
    #[schema(format = Date)]
    end: Option<String>,
}

/// One way to get the data.
#[derive(ToSchema)]
struct Distribution {
    id: String,
    /// Its place among the others.
    position: u32,
    title: Option<Literal>,
    description: Option<Literal>,
    access_url: Option<String>,
    download_url: Option<String>,
    #[schema(example = "CSV")]
    format: Option<String>,
    #[schema(example = "text/csv")]
    media_type: Option<String>,
    licence: Option<String>,
    attribution: Option<String>,
    /// `COMPLETED`, `DEVELOP`, `DEPRECATED` or `WITHDRAWN`.
    status: Option<String>,
    #[schema(format = Date)]
    modified: Option<String>,
    byte_size: Option<u64>,
    /// Id of the service among `services` that gives it.
    service: Option<String>,
}

/// A service that gives access to the dataset.
#[derive(ToSchema)]
struct DataService {
    id: String,
    /// Its place among the others.
    position: u32,
    /// The dataset's, if it has none.
    title: Option<Literal>,
    description: Option<Literal>,
    /// Where it answers.
    endpoint_url: Option<String>,
    /// Its description for machines, such as its capabilities.
    endpoint_description: Option<String>,
    /// The page that explains it to people.
    documentation: Option<String>,
    #[schema(example = "WFS")]
    format: Option<String>,
    licence: Option<String>,
    contact: Option<Contact>,
}

/// The fields of a dataset; one that is not set is left out.
#[derive(ToSchema)]
pub(crate) struct DatasetFields {
    /// Made once, the same on every node.
    id: uuid::Uuid,
    /// `dct:identifier`.
    identifier: Option<String>,
    iri: Option<String>,
    /// Further identifiers under which it is or was known (`adms:identifier`).
    other_identifiers: Option<Vec<String>>,
    /// The dataset that was kept in its place.
    replaced_by: Option<uuid::Uuid>,
    /// `open`, `shared` or `closed`.
    class: String,
    /// `entwurf`, `in_pruefung`, `intern`, `geteilt`, `veroeffentlicht`, `veraltet`, `zurueckgezogen` or `archiviert`.
    status: String,
    title: Option<Literal>,
    description: Option<Literal>,
    keywords: Option<Keywords>,
    /// Codes of EU data themes.
    #[schema(example = json!(["ENVI"]))]
    themes: Option<Vec<String>>,
    /// Reference type.
    musterdatensatz: Option<String>,
    /// IRI of DCAT-AP.de's list.
    #[schema(example = "http://dcat-ap.de/def/licenses/dl-zero-de/2.0")]
    licence: Option<String>,
    attribution: Option<String>,
    formats: Option<Vec<String>>,
    /// Code of the EU frequency list.
    #[schema(example = "MONTHLY")]
    frequency: Option<String>,
    update_process: Option<String>,
    /// First published, RFC 3339.
    issued: Option<String>,
    /// Last changed by the owner, RFC 3339.
    modified: Option<String>,
    /// Last change of the data themselves.
    #[schema(format = Date)]
    data_modified: Option<String>,
    spatial: Option<Spatial>,
    temporal: Option<Temporal>,
    publisher: Option<Agent>,
    contact: Option<Contact>,
    department: Option<String>,
    domain: Option<String>,
    /// `keiner`, `anonymisiert`, `pseudonymisiert`, `personenbezogen` or `zu prüfen`.
    personal_data: Option<String>,
    /// `ja`, `nein` or `zu prüfen`.
    hvd: Option<String>,
    hvd_categories: Option<Vec<String>>,
    quality_criteria: Option<Vec<String>>,
    /// IRI of a series that the town's catalog describes.
    in_series: Option<String>,
    distributions: Option<Vec<Distribution>>,
    services: Option<Vec<DataService>>,
}

/// A role of the town with its mailbox.
#[derive(ToSchema)]
struct Role {
    role: Option<String>,
    unit: Option<String>,
    mailbox: Option<String>,
}

/// With whom a record should be shared.
#[derive(ToSchema)]
struct SharingWish {
    recipients: Option<Vec<String>>,
    purpose: Option<String>,
    #[schema(format = Date)]
    valid_until: Option<String>,
    usage_terms: Option<String>,
}

/// What never leaves the town.
#[derive(ToSchema)]
pub(crate) struct InternalFields {
    legal_basis: Option<String>,
    source_system: Option<String>,
    responsible_role: Option<Role>,
    steward_role: Option<Role>,
    classification_reason: Option<String>,
    proposed_classification: Option<String>,
    sharing: Option<SharingWish>,
    notes: Option<String>,
}

/// Fields of a record to create or to change. Only the given ones change;
/// `null` clears. Lists replace the whole, `{"add": […], "remove": […]}`
/// changes them. `id`, `iri`, `class`, `issued` and `modified` are the node's.
#[derive(ToSchema)]
pub(crate) struct RecordFields {
    /// Only while creating; made by the node if left out.
    identifier: Option<String>,
    other_identifiers: Option<Vec<String>>,
    title: Option<Literal>,
    description: Option<Literal>,
    keywords: Option<Keywords>,
    themes: Option<Vec<String>>,
    musterdatensatz: Option<String>,
    licence: Option<String>,
    attribution: Option<String>,
    formats: Option<Vec<String>>,
    frequency: Option<String>,
    update_process: Option<String>,
    #[schema(format = Date)]
    data_modified: Option<String>,
    spatial: Option<Spatial>,
    temporal: Option<Temporal>,
    publisher: Option<Agent>,
    contact: Option<Contact>,
    department: Option<String>,
    domain: Option<String>,
    personal_data: Option<String>,
    hvd: Option<String>,
    hvd_categories: Option<Vec<String>>,
    quality_criteria: Option<Vec<String>>,
    in_series: Option<String>,
    status: Option<String>,
    distributions: Option<Vec<Distribution>>,
    services: Option<Vec<DataService>>,
    internal: Option<InternalFields>,
}

/// [`RecordFields`], and what the editor saw.
#[derive(ToSchema)]
pub(crate) struct EditFields {
    #[schema(inline)]
    #[serde(flatten)]
    fields: RecordFields,
    /// The `heads` of the record as it was read: fields that others changed
    /// since are not overwritten but answered with 409.
    heads: Option<Vec<String>>,
}

/// A town.
#[derive(ToSchema)]
pub(crate) struct TownName {
    /// Municipality key (AGS).
    #[schema(example = "05974040")]
    town: String,
    /// Short name in paths.
    #[schema(example = "soest")]
    code: String,
    /// Name.
    #[schema(example = "Soest")]
    name: String,
}

/// The league.
#[derive(ToSchema)]
pub(crate) struct Federation {
    /// Hash of the first charter.
    id: String,
    name: String,
    charter_version: u32,
    /// Hash of the charter in force.
    charter: String,
}

/// What the two stores hold.
#[derive(ToSchema)]
pub(crate) struct Store {
    /// Open datasets of all towns.
    datasets: u64,
    /// Closed records and drafts of this town.
    closed: u64,
    /// Sealed documents.
    documents: u64,
    /// Sealed changes.
    changes: u64,
    /// Size of `replica.redb`.
    replica_bytes: u64,
    /// Size of `closed.redb`.
    closed_bytes: u64,
    /// Number of the last commit.
    position: u64,
}

/// How full the queues are.
#[derive(ToSchema)]
pub(crate) struct Queues {
    /// Jobs that wait for the writer.
    ledger: u64,
    /// How many may.
    ledger_max: u64,
    /// Remote changes that wait to be checked.
    judge: u64,
    /// Commits that the search index has not taken in.
    index_behind: u64,
}

/// What was signed validly and is nonsense all the same.
#[derive(ToSchema)]
pub(crate) struct Quarantine {
    changes: u64,
    bytes: u64,
    /// Authors that sealed two changes under one number.
    equivocations: u64,
}
