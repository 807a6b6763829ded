//! Services that give access to a dataset (`dcat:DataService`).

use oxrdf::NamedNode;

use super::dataset::{access_rights, high_value, hvd_categories, is_available};
use super::graph::{Triples, part};
use super::{CatalogContext, agent, format, lists, terms};
use crate::catalog::service::Service;
use crate::catalog::{Dataset, Iri};

/// Nodes of the services that the dataset is offered by.
pub(super) fn nodes<'a>(dataset: &'a Dataset, iri: &'a NamedNode) -> impl Iterator<Item = NamedNode> + 'a {
    all(dataset).map(|service| node(iri, service))
}

/// The node of the service behind a distribution.
pub(super) fn behind(
    dataset: &Dataset,
    one: &crate::catalog::Distribution,
    iri: &NamedNode,
) -> Option<NamedNode> {
    let service = Service::behind(dataset, one, lists())?;
    endpoint(service).is_some().then(|| node(iri, service))
}

pub(super) fn write(
    triples: &mut Triples,
    dataset: &Dataset,
    iri: &NamedNode,
    publisher: &NamedNode,
    context: &CatalogContext,
) {
    for service in all(dataset) {
        let node = node(iri, service);
        described(triples, dataset, service, &node);
        contact(triples, dataset, service, iri, &node);
        triples.link(&node, terms::PUBLISHER, publisher);
        governed(triples, dataset, &node, context);
        triples.link(&node, terms::SERVES_DATASET, iri);
    }
}

/// Those that say where they answer: others are none (DCAT-AP.de 3.0,
/// DataService: `dcat:endpointURL` is mandatory).
fn all(dataset: &Dataset) -> impl Iterator<Item = Service<'_>> {
    Service::all(dataset, lists()).into_iter().filter(|service| endpoint(*service).is_some())
}

fn node(iri: &NamedNode, service: Service<'_>) -> NamedNode {
    part(iri, &format!("service-{}", service.id()))
}

fn endpoint(service: Service<'_>) -> Option<&Iri> {
    match service {
        Service::Described(service) => service.endpoint_url.as_ref(),
        Service::Made(distribution) => distribution.access_url.as_ref(),
    }
}

fn described(triples: &mut Triples, dataset: &Dataset, service: Service<'_>, node: &NamedNode) {
    let (title, description, name, licence) = match service {
        Service::Described(one) => (&one.title, &one.description, &one.format, &one.licence),
        Service::Made(one) => (&one.title, &one.description, &one.format, &one.licence),
    };
    triples.class(node, terms::DATA_SERVICE);
    triples.texts(node, terms::TITLE, if title.is_empty() { &dataset.title } else { title });
    triples.texts(node, terms::DESCRIPTION, description);
    let endpoint = endpoint(service);
    triples.link_to(node, terms::ENDPOINT_URL, endpoint);
    let itself = endpoint.filter(describes_itself);
    match service {
        Service::Described(one) => {
            triples.link_to(node, terms::ENDPOINT_DESCRIPTION, one.endpoint_description.as_ref().or(itself));
            triples.link_to(node, terms::PAGE, one.documentation.as_ref());
        }
        Service::Made(_) => triples.link_to(node, terms::ENDPOINT_DESCRIPTION, itself),
    }
    let name = name.as_ref().map_or("", |name| name.as_str());
    triples.code(node, terms::CONFORMS_TO, format::specification(name));
    triples.code(node, terms::FORMAT, format::file_type(name));
    for theme in &dataset.themes {
        triples.code(node, terms::THEME, theme.iri());
    }
    let licence = licence.as_ref().or(dataset.licence.as_ref());
    triples.code(node, terms::LICENSE, licence.map(ToString::to_string));
}

fn describes_itself(url: &&Iri) -> bool {
    url.as_str().to_ascii_lowercase().contains("request=getcapabilities")
}

/// Its own contact, else the dataset's.
fn contact(
    triples: &mut Triples,
    dataset: &Dataset,
    service: Service<'_>,
    iri: &NamedNode,
    node: &NamedNode,
) {
    match service {
        Service::Described(one) if !one.contact.is_empty() => {
            let contact = part(iri, &format!("service-{}-contact", one.id));
            triples.link(node, terms::CONTACT_POINT, &contact);
            agent::write_contact(triples, &contact, &one.contact);
        }
        _ if !dataset.contact.is_empty() => {
            triples.link(node, terms::CONTACT_POINT, &part(iri, "contact"));
        }
        _ => {}
    }
}

/// What holds for the service because it holds for the dataset.
fn governed(triples: &mut Triples, dataset: &Dataset, node: &NamedNode, context: &CatalogContext) {
    triples.link(node, terms::ACCESS_RIGHTS, access_rights(dataset.class));
    if is_available(dataset) {
        triples.link(node, terms::AVAILABILITY, terms::AVAILABLE);
    }
    triples.link_to(node, terms::CONTRIBUTOR_ID, context.catalog().contributor_id.as_ref());
    high_value(triples, dataset, node);
    for category in hvd_categories(dataset) {
        triples.code(node, terms::HVD_CATEGORY, Some(category));
    }
}
