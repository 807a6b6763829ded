//! Series of a town's datasets (`dcat:DatasetSeries`): a part of the catalog,
//! which its datasets name by IRI alone.

use oxrdf::NamedNode;

use super::graph::{Triples, node as iri_node, part};
use super::{CatalogContext, terms};
use crate::catalog::{DatasetSeries, Iri};

/// The series' node: its own IRI, else a part of the catalog.
pub(super) fn node(series: &DatasetSeries, catalog: &NamedNode) -> NamedNode {
    let given = series.iri.as_ref().and_then(|iri| iri_node(iri.as_str()));
    given.unwrap_or_else(|| part(catalog, &format!("series-{}", series.id)))
}

/// The node of the series of this IRI, if the town's catalog describes it. A
/// series without description is none (DCAT-AP.de 3.0, DatasetSeries: a title
/// is mandatory), so that nothing may name it.
pub(super) fn named(iri: &Iri, context: &CatalogContext) -> Option<NamedNode> {
    let wanted = iri_node(iri.as_str())?;
    context.catalog.series.iter().map(|one| node(one, &context.iri)).find(|node| *node == wanted)
}

/// All series of the catalog, with the catalog's publisher.
///
/// The catalog lists them by `dcat:resource`, of which `dcat:dataset` is a
/// kind (DCAT 3, section 6.6): the official shapes want each `dcat:dataset` to
/// say that it is a `dcat:Dataset`, and harvesters would then take it for one.
pub(super) fn write(triples: &mut Triples, publisher: &NamedNode, context: &CatalogContext) {
    for series in &context.catalog.series {
        let node = node(series, &context.iri);
        triples.link(&context.iri, terms::LISTED_RESOURCE, &node);
        triples.class(&node, terms::DATASET_SERIES);
        triples.texts(&node, terms::TITLE, &series.title);
        triples.texts(&node, terms::DESCRIPTION, &series.description);
        triples.code(&node, terms::ACCRUAL_PERIODICITY, series.frequency.and_then(|one| one.iri()));
        triples.link(&node, terms::PUBLISHER, publisher);
        if !context.catalog.contact.is_empty() {
            triples.link(&node, terms::CONTACT_POINT, &part(&context.iri, "contact"));
        }
        if !series.hvd_categories.is_empty() {
            triples.link(&node, terms::APPLICABLE_LEGISLATION, terms::HVD_REGULATION);
        }
        for category in &series.hvd_categories {
            triples.code(&node, terms::HVD_CATEGORY, category.iri());
        }
    }
}
