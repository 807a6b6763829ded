//! Services behind the distributions of a foreign dataset
//! (`dcat:DataService`).
//!
//! Only a service that says more than its distribution does becomes one of the
//! record: where a service is nothing but a distribution's address, the
//! distribution says it all.

use super::body::Body;
use super::dcat::{contact, licence_of, texts};
use super::statements::Node;
use super::values;
use crate::catalog::{DistributionId, Format, Iri};
use crate::vocabulary::Vocabularies;

/// A distribution and what has been read of it.
pub(super) type Part<'a> = (Node<'a>, Option<String>, Body);

/// Reads the services of a dataset into its body, and names them in those of
/// its distributions.
pub(super) fn read(dataset: Node<'_>, lists: &Vocabularies, body: &mut Body, parts: &mut [Part<'_>]) {
    let mut nodes: Vec<Node<'_>> = dataset.follow("served by");
    for (part, ..) in parts.iter() {
        nodes.extend(part.follow("dcat:accessService"));
    }
    nodes.sort_by_key(|node| node.name());
    nodes.dedup_by_key(|node| node.name());
    nodes.retain(|node| says_more(*node, parts));
    let mut services = Vec::new();
    for node in nodes {
        let Some(id) = id(node) else { continue };
        for (part, _, fields) in parts.iter_mut() {
            let through = part.follow("dcat:accessService");
            if through.first().is_some_and(|service| service.name() == node.name()) {
                fields.set("service", id.clone());
            }
        }
        services.push((Some(id), service(node, dataset, lists, body)));
    }
    body.entries("services", "dcat:DataService", services);
}

fn says_more(service: Node<'_>, parts: &[Part<'_>]) -> bool {
    let Some(endpoint) = service.first(&["dcat:endpointURL"]) else { return false };
    let described = service.first(&["dcat:endpointDescription"]);
    let found = |(part, ..): &Part<'_>| part.first(&["dcat:accessURL"]).is_none_or(|url| url == endpoint);
    service.first(&["foaf:page"]).is_some()
        || described.is_some_and(|url| url != endpoint)
        || !parts.iter().any(found)
}

/// The last part of its IRI, as our own RDF names it; of a node without one, a
/// digest of its address.
fn id(service: Node<'_>) -> Option<String> {
    let last = service.iri().and_then(|iri| iri.rsplit(['/', '#']).next());
    let own = last.map(|id| id.strip_prefix("service-").unwrap_or(id));
    let id = own.and_then(|id| DistributionId::parse(id).ok());
    let endpoint = service.first(&["dcat:endpointURL"])?;
    Some(id.unwrap_or_else(|| DistributionId::derive(Some(endpoint), None, None, None)).to_string())
}

fn service(node: Node<'_>, dataset: Node<'_>, lists: &Vocabularies, record: &Body) -> Body {
    let mut body = Body::default();
    texts(node, "dct:title", |lang, text| body.line(&format!("title/{lang}"), "dct:title", Some(text)));
    texts(node, "dct:description", |lang, text| {
        body.prose(&format!("description/{lang}"), "dct:description", Some(text));
    });
    for (field, property) in [
        ("endpoint_url", "dcat:endpointURL"),
        ("endpoint_description", "dcat:endpointDescription"),
        ("documentation", "foaf:page"),
    ] {
        body.read(field, property, node.first(&[property]), Iri::parse);
    }
    let format = node.first(&["dct:format"]).map(|name| values::format(lists, name));
    body.read("format", "dct:format", format.as_deref(), Format::parse);
    body.read("licence", "dct:license", licence_of(node, lists), |text| values::licence(lists, text));
    let asked = |of: Node<'_>| of.follow("dcat:contactPoint").first().map(|office| office.name().to_owned());
    if asked(node) != asked(dataset) {
        contact(node, &mut body);
    }
    // What it has of its dataset is said there.
    for field in ["title", "licence"] {
        if body.value(field).is_some_and(|value| record.value(field) == Some(value)) {
            body.remove(field);
        }
    }
    body
}
