//! What the catalog says in public: DCAT's classes with the fields that
//! municipalities add.
//!
//! Nothing internal lives here: see [`super::internal`]. The JSON of these
//! types is the public API's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::codes::{Class, Hvd, LifecycleStatus, PersonalData, QualityCriterion};
use super::geo::BoundingBox;
use super::invalid::{Bilingual, InvalidField};
use super::listed::{DistributionStatus, Frequency, HvdCategory, LicenceIri, Theme};
use super::text::{DistributionId, Format, Identifier, Iri, Keywords, Line, Mailbox, Phone, Prose, Title};
use super::time::{Date, Temporal, Timestamp};
use crate::ids::{DatasetId, Town};

/// An organisation that publishes (`foaf:Agent`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Agent {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
    /// Its IRI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iri: Option<Iri>,
    /// Its web page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Iri>,
}

impl Agent {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whom to ask: a role, never a person (`dcat:contactPoint`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contact {
    /// Name of the role or office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
    /// Role mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Mailbox>,
    /// Web page or form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Iri>,
    /// Telephone of the office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

impl Contact {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether there is a mailbox or a web page to write to. A telephone alone
    /// is not enough (conventions handbook, convention 1).
    pub fn is_reachable(&self) -> bool {
        self.email.is_some() || self.url.is_some()
    }
}

/// Where the data lie.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spatial {
    /// `dcatde:politicalGeocodingURI`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geocoding: Option<Iri>,
    /// What one row describes: city, district, building, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Line>,
    /// West, south, east, north in degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bbox: Option<BoundingBox>,
}

impl Spatial {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A size in bytes, exact in every JSON reader (below 2^53).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct ByteSize(u64);

impl ByteSize {
    /// The greatest size.
    pub const MAX: u64 = (1 << 53) - 1;

    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for ByteSize {
    type Error = InvalidField;

    fn try_from(bytes: u64) -> Result<Self, InvalidField> {
        let remedy = Bilingual::fixed("die Größe in Byte angeben", "give the size in bytes");
        let problem = Bilingual::fixed("ist keine Größe einer Datei", "is not the size of a file");
        if bytes <= Self::MAX {
            Ok(Self(bytes))
        } else {
            Err(InvalidField::new("byte_size", bytes, problem, remedy))
        }
    }
}

impl From<ByteSize> for u64 {
    fn from(size: ByteSize) -> Self {
        size.0
    }
}

/// One way to get the data (`dcat:Distribution`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// Names it within the dataset.
    pub id: DistributionId,
    /// Its place among the others; equal places order by id.
    #[serde(default)]
    pub position: u32,
    /// Title.
    #[serde(default, skip_serializing_if = "Title::is_empty")]
    pub title: Title,
    /// Description.
    #[serde(default, skip_serializing_if = "Prose::is_empty")]
    pub description: Prose,
    /// Where to start (`dcat:accessURL`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_url: Option<Iri>,
    /// The file itself (`dcat:downloadURL`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<Iri>,
    /// File format or service type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// IANA media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<Line>,
    /// Licence, if it differs from the dataset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<LicenceIri>,
    /// Who must be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Line>,
    /// Status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<DistributionStatus>,
    /// Day of the data in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Date>,
    /// Size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte_size: Option<ByteSize>,
    /// Which of the dataset's services gives it (`dcat:accessService`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<DistributionId>,
}

impl Distribution {
    /// A distribution with nothing but its name.
    pub fn new(id: DistributionId) -> Self {
        Self {
            id,
            position: 0,
            title: Title::default(),
            description: Prose::default(),
            access_url: None,
            download_url: None,
            format: None,
            media_type: None,
            licence: None,
            attribution: None,
            status: None,
            modified: None,
            byte_size: None,
            service: None,
        }
    }

    /// A UUID for interfaces that name distributions without their dataset: the
    /// same on every node, a function of both ids.
    pub fn uuid(&self, dataset: DatasetId) -> uuid::Uuid {
        let mut hasher = blake3::Hasher::new_derive_key("hanse distribution uuid 1");
        hasher.update(dataset.0.as_bytes());
        hasher.update(self.id.as_str().as_bytes());
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// A collection of data that a town publishes or keeps (`dcat:Dataset`), as
/// far as others may read about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Made once, survives every document and class.
    pub id: DatasetId,
    /// `dct:identifier`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    /// The dataset's IRI under the owner's base address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iri: Option<Iri>,
    /// Further identifiers under which it is or was known (`adms:identifier`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub other_identifiers: BTreeSet<Identifier>,
    /// The dataset that was kept in its place. Readers are led there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<DatasetId>,
    /// Who may see it.
    #[serde(default = "closed")]
    pub class: Class,
    /// Where it stands in its life.
    #[serde(default = "draft")]
    pub status: LifecycleStatus,
    /// Title.
    #[serde(default, skip_serializing_if = "Title::is_empty")]
    pub title: Title,
    /// Description.
    #[serde(default, skip_serializing_if = "Prose::is_empty")]
    pub description: Prose,
    /// Keywords.
    #[serde(default, skip_serializing_if = "Keywords::is_empty")]
    pub keywords: Keywords,
    /// EU data themes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub themes: BTreeSet<Theme>,
    /// Reference type (Musterdatensatz).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub musterdatensatz: Option<Iri>,
    /// Licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<LicenceIri>,
    /// Who must be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Line>,
    /// Formats the data exist in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub formats: BTreeSet<Format>,
    /// How often the data are brought up to date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Frequency>,
    /// How they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_process: Option<Line>,
    /// First published (`dct:issued`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<Timestamp>,
    /// Last changed by its owner (`dct:modified`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// Last change of the data themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_modified: Option<Date>,
    /// Where the data lie.
    #[serde(default, skip_serializing_if = "Spatial::is_empty")]
    pub spatial: Spatial,
    /// When.
    #[serde(default, skip_serializing_if = "Temporal::is_empty")]
    pub temporal: Temporal,
    /// Publisher.
    #[serde(default, skip_serializing_if = "Agent::is_empty")]
    pub publisher: Agent,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Contact::is_empty")]
    pub contact: Contact,
    /// Department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<Line>,
    /// Data domain (Datendomäne).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Line>,
    /// How the data relate to persons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_data: Option<PersonalData>,
    /// Whether it is a high-value dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hvd: Option<Hvd>,
    /// Of which categories.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hvd_categories: BTreeSet<HvdCategory>,
    /// Quality the data promise.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub quality_criteria: BTreeSet<QualityCriterion>,
    /// The series it belongs to (`dcat:inSeries`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_series: Option<Iri>,
    /// Ways to get the data, in the order of [`Distribution::position`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distributions: Vec<Distribution>,
    /// Services that give access to it, in the order of
    /// [`DataService::position`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<DataService>,
}

fn closed() -> Class {
    Class::Closed
}

fn draft() -> LifecycleStatus {
    LifecycleStatus::Draft
}

impl Dataset {
    /// A new record: closed, a draft, empty.
    pub fn new(id: DatasetId) -> Self {
        Self {
            id,
            identifier: None,
            iri: None,
            other_identifiers: BTreeSet::new(),
            replaced_by: None,
            class: closed(),
            status: draft(),
            title: Title::default(),
            description: Prose::default(),
            keywords: Keywords::default(),
            themes: BTreeSet::new(),
            musterdatensatz: None,
            licence: None,
            attribution: None,
            formats: BTreeSet::new(),
            frequency: None,
            update_process: None,
            issued: None,
            modified: None,
            data_modified: None,
            spatial: Spatial::default(),
            temporal: Temporal::default(),
            publisher: Agent::default(),
            contact: Contact::default(),
            department: None,
            domain: None,
            personal_data: None,
            hvd: None,
            hvd_categories: BTreeSet::new(),
            quality_criteria: BTreeSet::new(),
            in_series: None,
            distributions: Vec::new(),
            services: Vec::new(),
        }
    }

    /// The formats of the dataset and of its distributions, for facets.
    pub fn all_formats(&self) -> BTreeSet<&Format> {
        self.formats.iter().chain(self.distributions.iter().filter_map(|one| one.format.as_ref())).collect()
    }
}

/// A service that gives access to a dataset (`dcat:DataService`).
///
/// It belongs to its dataset: whoever offers two datasets by one service
/// describes it with each, because harvesters remove all that a dataset leads
/// to before they write it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataService {
    /// Names it within the dataset.
    pub id: DistributionId,
    /// Its place among the others; equal places order by id.
    #[serde(default)]
    pub position: u32,
    /// Title; the dataset's, if it has none.
    #[serde(default, skip_serializing_if = "Title::is_empty")]
    pub title: Title,
    /// Description.
    #[serde(default, skip_serializing_if = "Prose::is_empty")]
    pub description: Prose,
    /// Where it answers (`dcat:endpointURL`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<Iri>,
    /// Its description for machines (`dcat:endpointDescription`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_description: Option<Iri>,
    /// The page that explains it to people (`foaf:page`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation: Option<Iri>,
    /// What it speaks: NGSI-LD, SensorThings, WFS, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Licence, if it differs from the dataset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<LicenceIri>,
    /// Whom to ask, if it is not the dataset's contact.
    #[serde(default, skip_serializing_if = "Contact::is_empty")]
    pub contact: Contact,
}

/// Datasets that belong together, such as one per year
/// (`dcat:DatasetSeries`). A part of the town's catalog: its datasets name it
/// by its IRI ([`Dataset::in_series`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetSeries {
    /// Names it within the catalog.
    pub id: DistributionId,
    /// Its place among the others; equal places order by id.
    #[serde(default)]
    pub position: u32,
    /// Its IRI; one below the catalog's, if it has none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iri: Option<Iri>,
    /// Title.
    #[serde(default, skip_serializing_if = "Title::is_empty")]
    pub title: Title,
    /// Description.
    #[serde(default, skip_serializing_if = "Prose::is_empty")]
    pub description: Prose,
    /// How often a dataset is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Frequency>,
    /// Categories of high-value datasets, if its datasets are some.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hvd_categories: BTreeSet<HvdCategory>,
}

/// A town's catalog (`dcat:Catalog`): what its datasets share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// The town.
    pub town: Town,
    /// The catalog's IRI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iri: Option<Iri>,
    /// Base address of its datasets' IRIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<Iri>,
    /// Home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<Iri>,
    /// Title.
    #[serde(default, skip_serializing_if = "Title::is_empty")]
    pub title: Title,
    /// Description.
    #[serde(default, skip_serializing_if = "Prose::is_empty")]
    pub description: Prose,
    /// Publisher, if a dataset names none.
    #[serde(default, skip_serializing_if = "Agent::is_empty")]
    pub publisher: Agent,
    /// Whom to ask, if a dataset names nobody.
    #[serde(default, skip_serializing_if = "Contact::is_empty")]
    pub contact: Contact,
    /// Licence, if a dataset names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<LicenceIri>,
    /// `dcatde:contributorID` of the town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contributor_id: Option<Iri>,
    /// Where the town lies.
    #[serde(default, skip_serializing_if = "Spatial::is_empty")]
    pub spatial: Spatial,
    /// Series of its datasets, in the order of [`DatasetSeries::position`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<DatasetSeries>,
}

impl Catalog {
    /// An empty catalog.
    pub fn new(town: Town) -> Self {
        Self {
            town,
            iri: None,
            base_url: None,
            homepage: None,
            title: Title::default(),
            description: Prose::default(),
            publisher: Agent::default(),
            contact: Contact::default(),
            licence: None,
            contributor_id: None,
            spatial: Spatial::default(),
            series: Vec::new(),
        }
    }
}
