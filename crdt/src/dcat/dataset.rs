//! The dataset itself (`dcat:Dataset`).

use oxrdf::{NamedNode, NamedNodeRef};

use super::graph::{Triples, part};
use super::{CatalogContext, agent, distribution, place, series, service, terms};
use crate::catalog::{Agent, Class, Dataset, Hvd, LifecycleStatus, Temporal};
use crate::encoding::hash;
use crate::ids::hex;

pub(super) fn write(triples: &mut Triples, dataset: &Dataset, iri: &NamedNode, context: &CatalogContext) {
    described(triples, dataset, iri, context);
    let publisher = responsible(triples, dataset, iri, context);
    covered(triples, dataset, iri);
    governed(triples, dataset, iri, context);
    distribution::write(triples, dataset, iri);
    service::write(triples, dataset, iri, &publisher, context);
}

fn described(triples: &mut Triples, dataset: &Dataset, iri: &NamedNode, context: &CatalogContext) {
    triples.class(iri, terms::DATASET_CLASS);
    // The shape of a record's primary topic asks for this class and infers nothing.
    triples.class(iri, terms::RESOURCE);
    match &dataset.identifier {
        Some(identifier) => triples.text(iri, terms::IDENTIFIER, identifier.as_str()),
        None => triples.text(iri, terms::IDENTIFIER, &dataset.id.to_string()),
    }
    // An identifier of its own class, by its notation (ADMS; DCAT-AP.de 3.0).
    for other in &dataset.other_identifiers {
        let digest = hash("hanse other identifier 1", &[other.as_str().as_bytes()]);
        let node = part(iri, &format!("identifier-{}", hex(&digest[..8])));
        triples.link(iri, terms::OTHER_IDENTIFIER, &node);
        triples.class(&node, terms::OTHER_IDENTIFIER_CLASS);
        triples.text(&node, terms::NOTATION, other.as_str());
    }
    triples.texts(iri, terms::TITLE, &dataset.title);
    triples.texts(iri, terms::DESCRIPTION, &dataset.description);
    super::languages(triples, dataset, iri);
    for keyword in dataset.keywords.iter() {
        triples.tagged(iri, terms::KEYWORD, keyword.word.as_str(), keyword.lang);
    }
    for theme in &dataset.themes {
        triples.code(iri, terms::THEME, theme.iri());
    }
    // Handbook section 1.10.1: the Musterdatensatz is what the dataset references.
    triples.link_to(iri, terms::REFERENCES, dataset.musterdatensatz.as_ref());
    if let Some(series) = dataset.in_series.as_ref().and_then(|iri| series::named(iri, context)) {
        triples.link(iri, terms::IN_SERIES, &series);
    }
}

/// Publisher, the department in charge and whom to ask. Gives the publisher.
fn responsible(
    triples: &mut Triples,
    dataset: &Dataset,
    iri: &NamedNode,
    context: &CatalogContext,
) -> NamedNode {
    let said = if dataset.publisher.is_empty() { &context.catalog().publisher } else { &dataset.publisher };
    let publisher = agent::node(said, context);
    triples.link(iri, terms::PUBLISHER, &publisher);
    agent::write(triples, &publisher, said);
    if let Some(department) = &dataset.department {
        let department = Agent { name: Some(department.clone()), ..Agent::default() };
        let custodian = part(iri, "custodian");
        triples.link(iri, terms::CUSTODIAN, &custodian);
        agent::write(triples, &custodian, &department);
    }
    if !dataset.contact.is_empty() {
        let contact = part(iri, "contact");
        triples.link(iri, terms::CONTACT_POINT, &contact);
        agent::write_contact(triples, &contact, &dataset.contact);
    }
    publisher
}

fn covered(triples: &mut Triples, dataset: &Dataset, iri: &NamedNode) {
    place::write(triples, iri, &dataset.spatial);
    if !dataset.temporal.is_empty() {
        let period = part(iri, "temporal");
        let Temporal { start, end } = dataset.temporal;
        triples.link(iri, terms::TEMPORAL, &period);
        triples.class(&period, terms::PERIOD_OF_TIME);
        for (date, predicate) in [(start, terms::START_DATE), (end, terms::END_DATE)] {
            if let Some(date) = date {
                triples.typed(&period, predicate, date, terms::DATE);
            }
        }
    }
    for (moment, predicate) in [(dataset.issued, terms::ISSUED), (dataset.modified, terms::MODIFIED)] {
        if let Some(moment) = moment {
            triples.typed(iri, predicate, moment, terms::DATE_TIME);
        }
    }
    triples.code(iri, terms::ACCRUAL_PERIODICITY, dataset.frequency.and_then(|one| one.iri()));
}

fn governed(triples: &mut Triples, dataset: &Dataset, iri: &NamedNode, context: &CatalogContext) {
    triples.code(iri, terms::LICENSE, dataset.licence.as_ref().map(ToString::to_string));
    triples.link(iri, terms::ACCESS_RIGHTS, access_rights(dataset.class));
    if is_available(dataset) {
        triples.link(iri, terms::AVAILABILITY, terms::AVAILABLE);
    }
    triples.link_to(iri, terms::CONTRIBUTOR_ID, context.catalog().contributor_id.as_ref());
    high_value(triples, dataset, iri);
    for category in hvd_categories(dataset) {
        triples.code(iri, terms::HVD_CATEGORY, Some(category));
    }
}

pub(super) fn access_rights(class: Class) -> NamedNodeRef<'static> {
    match class {
        Class::Open => terms::PUBLIC,
        Class::Shared => terms::RESTRICTED,
        Class::Closed => terms::NON_PUBLIC,
    }
}

/// A published dataset is meant to stay; of one that is on its way out nothing
/// is promised.
pub(super) fn is_available(dataset: &Dataset) -> bool {
    !matches!(
        dataset.status,
        LifecycleStatus::Deprecated | LifecycleStatus::Withdrawn | LifecycleStatus::Archived
    )
}

/// Implementing Regulation (EU) 2023/138 applies to high-value datasets, their
/// distributions and their services (DCAT-AP for HVD 3.0).
pub(super) fn high_value(triples: &mut Triples, dataset: &Dataset, node: &NamedNode) {
    if dataset.hvd == Some(Hvd::Yes) {
        triples.link(node, terms::APPLICABLE_LEGISLATION, terms::HVD_REGULATION);
    }
}

/// IRIs of the categories, if the dataset is a high-value dataset.
pub(super) fn hvd_categories(dataset: &Dataset) -> impl Iterator<Item = String> + '_ {
    let counts = dataset.hvd == Some(Hvd::Yes);
    dataset.hvd_categories.iter().filter(move |_| counts).filter_map(|category| category.iri())
}
