//! Ways to get the data (`dcat:Distribution`), and the services behind those
//! whose format is a service (`dcat:DataService`).

use oxrdf::NamedNode;

use super::dataset::{access_rights, high_value, hvd_categories, is_available};
use super::graph::{Triples, part};
use super::{CatalogContext, formats, terms};
use crate::catalog::{Dataset, Distribution, DistributionStatus, Iri, LifecycleStatus, Line};

pub(super) fn write(
    triples: &mut Triples,
    dataset: &Dataset,
    iri: &NamedNode,
    publisher: &NamedNode,
    context: &CatalogContext,
) {
    let about = About { dataset, iri, publisher, context };
    for one in &dataset.distributions {
        let node = part(iri, &format!("distribution-{}", one.id));
        triples.link(iri, terms::DISTRIBUTION, &node);
        about.distribution(triples, one, &node);
        about.access(triples, one, &node);
        if let Some(first) = service_of(dataset, one) {
            let service = service_node(iri, first);
            triples.link(&node, terms::ACCESS_SERVICE, &service);
            about.service(triples, first, &service);
        }
    }
}

/// Nodes of the services that the dataset is offered by.
pub(super) fn services<'a>(dataset: &'a Dataset, iri: &'a NamedNode) -> impl Iterator<Item = NamedNode> + 'a {
    dataset.distributions.iter().filter_map(|one| {
        let first = service_of(dataset, one)?;
        Some(service_node(iri, first))
    })
}

/// The distribution that stands for the service of this one: the first with
/// the same address, for two formats of one service are one service.
fn service_of<'a>(dataset: &'a Dataset, one: &Distribution) -> Option<&'a Distribution> {
    let speaks = |one: &Distribution| {
        let format = one.format.as_ref()?;
        (formats::is_service(format.as_str()) && one.access_url.is_some())
            .then(|| (one.access_url.clone(), formats::specification(format.as_str())))
    };
    let wanted = speaks(one)?;
    dataset.distributions.iter().find(|other| speaks(other).as_ref() == Some(&wanted))
}

fn service_node(iri: &NamedNode, first: &Distribution) -> NamedNode {
    part(iri, &format!("service-{}", first.id))
}

/// What all distributions of a dataset have in common.
struct About<'a> {
    dataset: &'a Dataset,
    iri: &'a NamedNode,
    publisher: &'a NamedNode,
    context: &'a CatalogContext,
}

impl About<'_> {
    fn distribution(&self, triples: &mut Triples, one: &Distribution, node: &NamedNode) {
        triples.class(node, terms::DISTRIBUTION_CLASS);
        triples.texts(node, terms::TITLE, &one.title);
        triples.texts(node, terms::DESCRIPTION, &one.description);
        self.licence(triples, one, node);
        // Convention 35: whoever must be named is named with the licence.
        if let Some(name) = one.attribution.as_ref().or(self.dataset.attribution.as_ref()) {
            triples.text(node, terms::LICENSE_ATTRIBUTION, name.as_str());
        }
        triples.code(node, terms::STATUS, self.status(one).and_then(|status| status.iri()));
        if let Some(day) = one.modified.or(self.dataset.data_modified) {
            triples.typed(node, terms::MODIFIED, day, terms::DATE);
        }
        if is_available(self.dataset) {
            triples.link(node, terms::AVAILABILITY, terms::AVAILABLE);
        }
        high_value(triples, self.dataset, node);
    }

    fn access(&self, triples: &mut Triples, one: &Distribution, node: &NamedNode) {
        // Convention 39: a mere file is found where it is downloaded.
        triples.link_to(node, terms::ACCESS_URL, one.access_url.as_ref().or(one.download_url.as_ref()));
        triples.link_to(node, terms::DOWNLOAD_URL, one.download_url.as_ref());
        triples.code(node, terms::FORMAT, one.format.as_ref().and_then(|name| file_type(name.as_str())));
        triples.code(node, terms::MEDIA_TYPE, one.media_type.as_ref().and_then(media_type));
        if let Some(size) = one.byte_size {
            triples.typed(node, terms::BYTE_SIZE, size.bytes(), terms::NON_NEGATIVE_INTEGER);
        }
    }

    fn service(&self, triples: &mut Triples, one: &Distribution, node: &NamedNode) {
        let dataset = self.dataset;
        triples.class(node, terms::DATA_SERVICE);
        triples.texts(node, terms::TITLE, if one.title.is_empty() { &dataset.title } else { &one.title });
        triples.texts(node, terms::DESCRIPTION, &one.description);
        triples.link_to(node, terms::ENDPOINT_URL, one.access_url.as_ref());
        triples.link_to(node, terms::ENDPOINT_DESCRIPTION, one.access_url.as_ref().filter(describes_itself));
        let name = one.format.as_ref().map_or("", |format| format.as_str());
        triples.code(node, terms::CONFORMS_TO, formats::specification(name).map(str::to_owned));
        triples.code(node, terms::FORMAT, file_type(name));
        triples.link(node, terms::PUBLISHER, self.publisher);
        if !dataset.contact.is_empty() {
            triples.link(node, terms::CONTACT_POINT, &part(self.iri, "contact"));
        }
        for theme in &dataset.themes {
            triples.code(node, terms::THEME, theme.iri());
        }
        self.licence(triples, one, node);
        triples.link(node, terms::ACCESS_RIGHTS, access_rights(dataset.class));
        if is_available(dataset) {
            triples.link(node, terms::AVAILABILITY, terms::AVAILABLE);
        }
        triples.link_to(node, terms::CONTRIBUTOR_ID, self.context.catalog().contributor_id.as_ref());
        high_value(triples, dataset, node);
        for category in hvd_categories(dataset) {
            triples.code(node, terms::HVD_CATEGORY, Some(category));
        }
        triples.link(node, terms::SERVES_DATASET, self.iri);
    }

    /// Convention 32: a distribution says its licence itself.
    fn licence(&self, triples: &mut Triples, one: &Distribution, node: &NamedNode) {
        let licence = one.licence.as_ref().or(self.dataset.licence.as_ref());
        triples.code(node, terms::LICENSE, licence.map(ToString::to_string));
    }

    fn status(&self, one: &Distribution) -> Option<DistributionStatus> {
        one.status.or(match self.dataset.status {
            LifecycleStatus::Deprecated => Some(DistributionStatus::DEPRECATED),
            LifecycleStatus::Withdrawn => Some(DistributionStatus::WITHDRAWN),
            _ => None,
        })
    }
}

fn describes_itself(url: &&Iri) -> bool {
    url.as_str().to_ascii_lowercase().contains("request=getcapabilities")
}

fn file_type(name: &str) -> Option<String> {
    formats::file_type(name).map(|code| format!("{}{code}", terms::FILE_TYPE_BASE))
}

/// IANA's page of a media type, without its parameters; what is none is left
/// out.
fn media_type(given: &Line) -> Option<String> {
    let (kind, name) = given.as_str().split(';').next()?.trim().split_once('/')?;
    let token = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    let known = token(kind) && token(name) && !kind.contains('#') && !name.contains('#');
    known.then(|| format!("{}{}/{}", terms::MEDIA_TYPE_BASE, kind, name).to_ascii_lowercase())
}
