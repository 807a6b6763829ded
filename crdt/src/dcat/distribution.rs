//! Ways to get the data (`dcat:Distribution`).

use oxrdf::NamedNode;

use super::dataset::{high_value, is_available};
use super::graph::{Triples, part};
use super::{format, service, terms};
use crate::catalog::{Dataset, Distribution, DistributionStatus, LifecycleStatus, Line};

pub(super) fn write(triples: &mut Triples, dataset: &Dataset, iri: &NamedNode) {
    let about = About { dataset };
    for one in &dataset.distributions {
        let node = part(iri, &format!("distribution-{}", one.id));
        triples.link(iri, terms::DISTRIBUTION, &node);
        about.distribution(triples, one, &node);
        about.access(triples, one, &node);
        if let Some(service) = service::behind(dataset, one, iri) {
            triples.link(&node, terms::ACCESS_SERVICE, &service);
        }
    }
}

/// What all distributions of a dataset have in common.
struct About<'a> {
    dataset: &'a Dataset,
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
        triples.code(
            node,
            terms::FORMAT,
            one.format.as_ref().and_then(|name| format::file_type(name.as_str())),
        );
        triples.code(node, terms::MEDIA_TYPE, one.media_type.as_ref().and_then(media_type));
        if let Some(size) = one.byte_size {
            triples.typed(node, terms::BYTE_SIZE, size.bytes(), terms::NON_NEGATIVE_INTEGER);
        }
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
