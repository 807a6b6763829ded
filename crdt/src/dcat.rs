//! The catalog in RDF, in the words of DCAT-AP.de 3.0.
//!
//! [`dataset_triples`] says all that a dataset says in public, together with
//! its entry in the town's catalog; [`catalog_triples`] says the rest of the
//! catalog. Both are functions of their arguments alone: every node that holds
//! the same records says the same triples in the same order.
//!
//! ```text
//! Catalog ──record──> CatalogRecord ──primaryTopic──┐
//!    ├─────dataset──────────────────────────────> Dataset ──distribution──> Distribution
//!    ├─────service────> DataService <──accessService──│───────────────────────┘
//!    └─────resource───> DatasetSeries <──inSeries─────┘
//! ```
//!
//! A harvester replaces a dataset by removing everything that can be reached
//! from it. So nothing here leads from one dataset to the triples of another:
//! parts are fragments of the dataset's own IRI, a service offered by two
//! datasets is described with each, and series and reference types are named by
//! IRI alone; a graph that holds datasets describes no series
//! ([`catalog_triples_without_series`]). Only the publisher is shared, since
//! harvesters spare it.
//!
//! There are no blank nodes. Fields that DCAT-AP.de has no property for
//! (domain, update process, relation to persons, quality criteria, formats
//! beyond those of the distributions) and fields of other versions are left
//! out; the whole-catalog export has them. Nothing internal has a type that
//! could come here.

mod agent;
mod dataset;
mod distribution;
mod format;
mod graph;
mod place;
mod series;
mod service;
pub mod terms;
#[cfg(test)]
mod tests;

use oxrdf::{NamedNode, Triple};

use crate::catalog::{Catalog, Dataset, DatasetSeries, Iri, Lang, Line, Text};
use crate::encoding::hash;
use crate::ids::Town;
use crate::vocabulary::Vocabularies;
use graph::{Triples, node, part};

/// A town's catalog as its datasets' triples refer to it.
///
/// Triples of all datasets of a town depend on it: when the town edits its
/// catalog's address, publisher, licence or contributor id, they change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogContext {
    catalog: Catalog,
    iri: NamedNode,
}

impl CatalogContext {
    /// What the town says of its catalog, completed by what must be said:
    /// title, description and publisher are made of the town's name.
    pub fn new(catalog: Catalog, town_name: &str) -> Self {
        let mut catalog = catalog;
        let line = |text: String| Line::parse(&text).ok();
        if catalog.title.is_empty() {
            catalog.title.de = line(format!("Datenkatalog {town_name}"));
            catalog.title.en = line(format!("Data catalog {town_name}"));
        }
        if catalog.description.is_empty() {
            catalog.description.de = Text::parse(&format!("Offene Daten von {town_name}.")).ok();
            catalog.description.en = Text::parse(&format!("Open data of {town_name}.")).ok();
        }
        if catalog.publisher.name.is_none() {
            catalog.publisher.name = line(town_name.to_owned());
        }
        let iri = catalog_iri(&catalog);
        catalog.series.iter_mut().for_each(|series| complete_series(series, &iri));
        Self { catalog, iri }
    }

    /// The catalog, completed.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Whether a dataset is described in the same words in both catalogs.
    pub fn describes_alike(&self, other: &CatalogContext) -> bool {
        let series = |context: &CatalogContext| -> Vec<_> {
            context.catalog.series.iter().map(|series| series.iri.clone()).collect()
        };
        self.iri == other.iri
            && self.catalog.publisher == other.catalog.publisher
            && self.catalog.contributor_id == other.catalog.contributor_id
            && series(self) == series(other)
    }

    /// The catalog's IRI.
    pub fn iri(&self) -> &NamedNode {
        &self.iri
    }
}

/// A series has an IRI, a title and a description (DCAT-AP 3.0, DatasetSeries:
/// both are mandatory).
fn complete_series(series: &mut DatasetSeries, catalog: &NamedNode) {
    series.iri = Iri::parse(series::node(series, catalog).as_str()).ok();
    if series.title.is_empty() {
        series.title.de = Line::parse(series.id.as_str()).ok();
    }
    for (lang, text) in [(Lang::De, &mut series.description.de), (Lang::En, &mut series.description.en)] {
        if text.is_none() {
            *text = series.title.get(lang).and_then(|title| Text::parse(title.as_str()).ok());
        }
    }
}

/// The lists of codes that the RDF goes by: those compiled in, because every
/// node says the same of a record, whatever lists its town has put in place.
fn lists() -> &'static Vocabularies {
    Vocabularies::builtin()
}

/// The IRI that the town gave its catalog, else one below its base address,
/// else a name made of its municipality key, the same on every node.
fn catalog_iri(catalog: &Catalog) -> NamedNode {
    let given = catalog.iri.as_ref().and_then(|iri| node(iri.as_str()));
    let below_base = || {
        let base: &Iri = catalog.base_url.as_ref()?;
        node(&format!("{}/catalog", base.as_str().trim_end_matches('/')))
    };
    given.or_else(below_base).unwrap_or_else(|| named_by_town(catalog.town))
}

fn named_by_town(town: Town) -> NamedNode {
    let digest = hash("hanse catalog iri 1", &[town.to_string().as_bytes()]);
    let bytes: [u8; 16] = std::array::from_fn(|index| digest[index]);
    NamedNode::new_unchecked(format!("urn:uuid:{}", uuid::Builder::from_custom_bytes(bytes).into_uuid()))
}

/// The dataset's IRI: its own, else a name made of its id.
pub fn dataset_iri(dataset: &Dataset) -> NamedNode {
    let given = dataset.iri.as_ref().and_then(|iri| node(iri.as_str()));
    given.unwrap_or_else(|| NamedNode::new_unchecked(format!("urn:uuid:{}", dataset.id)))
}

/// All that is said of a dataset: itself, its distributions and services, its
/// publisher and contact, and its entry in the catalog. Never a triple twice.
///
/// Meant for records that the reader may see; the class becomes its access
/// rights.
pub fn dataset_triples(dataset: &Dataset, context: &CatalogContext) -> Vec<Triple> {
    let mut triples = Triples::default();
    let iri = dataset_iri(dataset);
    triples.link(&context.iri, terms::DATASET, &iri);
    for service in service::nodes(dataset, &iri) {
        triples.link(&context.iri, terms::SERVICE, &service);
    }
    entry(&mut triples, dataset, &iri, context);
    dataset::write(&mut triples, dataset, &iri, context);
    triples.into_vec()
}

/// The dataset's entry in the catalog (`dcat:CatalogRecord`). Without a date
/// of change it would be no valid one (DCAT-AP 3.0, `dcterms:modified` is
/// mandatory), so there is none.
fn entry(triples: &mut Triples, dataset: &Dataset, iri: &NamedNode, context: &CatalogContext) {
    let Some(modified) = dataset.modified.or(dataset.issued) else { return };
    let record = part(iri, "record");
    triples.link(&context.iri, terms::RECORD, &record);
    triples.class(&record, terms::CATALOG_RECORD);
    triples.link(&record, terms::PRIMARY_TOPIC, iri);
    if let Some(issued) = dataset.issued {
        triples.typed(&record, terms::ISSUED, issued, terms::DATE_TIME);
    }
    triples.typed(&record, terms::MODIFIED, modified, terms::DATE_TIME);
    languages(triples, dataset, &record);
}

/// The languages that a dataset is described in.
fn languages(triples: &mut Triples, dataset: &Dataset, described: &NamedNode) {
    for (lang, language) in [(Lang::De, terms::GERMAN), (Lang::En, terms::ENGLISH)] {
        if dataset.title.get(lang).is_some() {
            triples.link(described, terms::LANGUAGE, language);
        }
    }
}

/// All that is said of the catalog itself and its series, without its datasets.
pub fn catalog_triples(context: &CatalogContext) -> Vec<Triple> {
    let mut triples = Triples::default();
    let publisher = catalog_itself(&mut triples, context);
    series::write(&mut triples, &publisher, context);
    triples.into_vec()
}

/// The same without its series, for a graph that also holds datasets: these
/// name their series, so that what is said of it could be reached from them.
pub fn catalog_triples_without_series(context: &CatalogContext) -> Vec<Triple> {
    let mut triples = Triples::default();
    catalog_itself(&mut triples, context);
    triples.into_vec()
}

/// Gives the publisher.
fn catalog_itself(triples: &mut Triples, context: &CatalogContext) -> NamedNode {
    let CatalogContext { catalog, iri } = context;
    triples.class(iri, terms::CATALOG);
    triples.texts(iri, terms::TITLE, &catalog.title);
    triples.texts(iri, terms::DESCRIPTION, &catalog.description);
    let publisher = agent::node(&catalog.publisher, context);
    triples.link(iri, terms::PUBLISHER, &publisher);
    triples.link_to(iri, terms::HOMEPAGE, catalog.homepage.as_ref());
    triples.link(iri, terms::LANGUAGE, terms::GERMAN);
    triples.link_to(iri, terms::LICENSE, licence(catalog).as_ref());
    triples.link(iri, terms::THEME_TAXONOMY, terms::DATA_THEMES);
    place::write(triples, iri, &catalog.spatial);
    if !catalog.contact.is_empty() {
        let contact = part(iri, "contact");
        triples.link(iri, terms::CONTACT_POINT, &contact);
        agent::write_contact(triples, &contact, &catalog.contact);
    }
    agent::write(triples, &publisher, &catalog.publisher);
    publisher
}

fn licence(catalog: &Catalog) -> Option<Iri> {
    catalog.licence.as_ref().and_then(|licence| Iri::parse(licence.as_str()).ok())
}
