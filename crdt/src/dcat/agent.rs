//! Organisations and whom to ask.

use oxrdf::NamedNode;

use super::graph::{Triples, node as iri_node, part};
use super::{CatalogContext, terms};
use crate::catalog::{Agent, Contact};
use crate::encoding::hash;
use crate::ids::hex;

/// The agent's node: its own IRI, else a part of the catalog named by what is
/// said of it, so that equal publishers of many datasets are one.
pub(super) fn node(agent: &Agent, context: &CatalogContext) -> NamedNode {
    let given = agent.iri.as_ref().and_then(|iri| iri_node(iri.as_str()));
    given.unwrap_or_else(|| {
        let name = agent.name.as_ref().map_or("", |name| name.as_str());
        let url = agent.url.as_ref().map_or("", |url| url.as_str());
        let digest = hash("hanse agent iri 1", &[name.as_bytes(), b"\n", url.as_bytes()]);
        part(&context.iri, &format!("agent-{}", hex(&digest[..8])))
    })
}

/// `foaf:Agent` (DCAT-AP.de 3.0: `foaf:name` is mandatory).
pub(super) fn write(triples: &mut Triples, node: &NamedNode, agent: &Agent) {
    triples.class(node, terms::AGENT);
    if let Some(name) = &agent.name {
        triples.text(node, terms::NAME, name.as_str());
    }
    triples.link_to(node, terms::HOMEPAGE, agent.url.as_ref());
}

/// `vcard:Kind`: a role, never a person (conventions handbook, convention 1).
pub(super) fn write_contact(triples: &mut Triples, node: &NamedNode, contact: &Contact) {
    triples.class(node, terms::KIND);
    if let Some(name) = &contact.name {
        triples.text(node, terms::FN, name.as_str());
    }
    let mailbox = contact.email.as_ref().map(|email| format!("mailto:{email}"));
    triples.code(node, terms::HAS_EMAIL, mailbox);
    triples.link_to(node, terms::HAS_URL, contact.url.as_ref());
    let phone = contact.phone.as_ref().map(|phone| telephone(phone.as_str()));
    triples.code(node, terms::HAS_TELEPHONE, phone);
}

/// RFC 3966: digits with hyphens between; the trunk zero that people put in
/// brackets is no part of an international number.
fn telephone(number: &str) -> String {
    let number = if number.starts_with('+') { number.replace("(0)", " ") } else { number.to_owned() };
    let groups = number.split(|c: char| !c.is_ascii_digit() && c != '+').filter(|group| !group.is_empty());
    format!("tel:{}", groups.collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::telephone;

    #[test]
    fn telephone_numbers_become_addresses() {
        let cases = [
            ("+49 2921 103-0", "tel:+49-2921-103-0"),
            ("+49 (0) 2921/103 0", "tel:+49-2921-103-0"),
            ("02921 1030", "tel:02921-1030"),
        ];
        for (given, made) in cases {
            assert_eq!(telephone(given), made);
        }
    }
}
