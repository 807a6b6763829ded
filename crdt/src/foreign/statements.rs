//! A graph by subject, with the properties under the short names of the
//! profile, whichever namespace a version of it used.
//!
//! Keeps only what is read: a property that no reader asks for takes no memory.

use std::collections::BTreeMap;

use oxrdf::{NamedOrBlankNode, Term, Triple};

/// Longest literal or IRI that is kept, in bytes; what is longer is cut, and
/// is then too long for its field too.
pub const OBJECT_BYTES_MAX: usize = 64 * 1024;

/// What a property says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    /// Another node: its IRI, or `_:` and the name of a blank node.
    Node(String),
    /// A text, with its language in lower case where one is given.
    Text(String, Option<String>),
}

impl Object {
    /// The IRI or the text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Node(text) | Self::Text(text, _) => text,
        }
    }

    fn is_blank(&self) -> bool {
        matches!(self, Self::Node(name) if name.starts_with("_:"))
    }

    /// The IRI or the text, unless it is a blank node's name.
    pub(super) fn value(&self) -> Option<&str> {
        (!self.is_blank()).then(|| self.text().trim()).filter(|text| !text.is_empty())
    }
}

/// The statements of one graph, such as one page of a catalog.
#[derive(Debug, Clone, Default)]
pub struct Statements {
    nodes: BTreeMap<String, Vec<(&'static str, Object)>>,
}

/// One subject of the graph.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) graph: &'a Statements,
}

impl Statements {
    /// Takes a triple in.
    pub fn insert(&mut self, triple: Triple) {
        let Some(property) = property(triple.predicate.as_str()) else { return };
        let object = match triple.object {
            Term::NamedNode(node) => Object::Node(cut(node.into_string())),
            Term::BlankNode(node) => Object::Node(format!("_:{}", node.as_str())),
            Term::Literal(literal) => {
                let language = literal.language().map(str::to_lowercase);
                Object::Text(cut(literal.value().to_owned()), language)
            }
        };
        let subject = match triple.subject {
            NamedOrBlankNode::NamedNode(node) => node.into_string(),
            NamedOrBlankNode::BlankNode(node) => format!("_:{}", node.as_str()),
        };
        if let ("served by", Object::Node(dataset)) = (property, &object) {
            // Said of the service, asked of the dataset.
            self.nodes.entry(dataset.clone()).or_default().push((property, Object::Node(subject)));
            return;
        }
        self.nodes.entry(subject).or_default().push((property, object));
    }

    /// The subjects of a class, in the order of their names.
    pub(super) fn of_class<'a>(&'a self, class: &'a str) -> impl Iterator<Item = Node<'a>> {
        let is = move |(property, object): &(&str, Object)| *property == "a" && short(object.text()) == class;
        let found = self.nodes.iter().filter(move |(_, said)| said.iter().any(is));
        found.map(|(name, _)| Node { name, graph: self })
    }

    /// The page that follows this one (`hydra:next`, `hydra:nextPage`).
    pub fn next_page(&self) -> Option<&str> {
        let said = self.nodes.values().flatten();
        let mut next = said.filter(|(property, _)| *property == "hydra:next");
        next.find_map(|(_, object)| object.value())
    }

    /// How many datasets the source says it has in all (`hydra:totalItems`).
    pub fn total(&self) -> Option<u64> {
        let said = self.nodes.values().flatten();
        let mut totals = said.filter(|(property, _)| *property == "hydra:total");
        totals.find_map(|(_, object)| object.text().parse().ok())
    }

    /// The object, a blank node by what is said of it.
    fn told(&self, object: &Object) -> (bool, String) {
        let said = match object {
            Object::Node(name) if object.is_blank() => {
                self.nodes.get(name).map(Vec::as_slice).unwrap_or_default()
            }
            other => return (false, other.text().to_owned()),
        };
        let mut words: Vec<String> = said
            .iter()
            .map(|(property, object)| format!("{property} {}", object.value().unwrap_or_default()))
            .collect();
        words.sort();
        (true, words.join("\n"))
    }

    /// Whether it names a catalog, even an empty one.
    pub fn has_catalog(&self) -> bool {
        self.of_class("dcat:Catalog").next().is_some()
    }
}

impl<'a> Node<'a> {
    /// Everything the property says here.
    pub(super) fn all(self, property: &str) -> Vec<&'a Object> {
        let said = self.graph.nodes.get(self.name).map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<&Object> =
            said.iter().filter(|(name, _)| *name == property).map(|(_, object)| object).collect();
        // A graph has no order, and its blank nodes have new names each time:
        // the same statements give the same record.
        found.sort_by_cached_key(|object| self.graph.told(object));
        found.dedup();
        found
    }

    /// The values of the property, blank nodes left out.
    pub(super) fn values(self, property: &str) -> Vec<&'a str> {
        self.all(property).into_iter().filter_map(Object::value).collect()
    }

    /// The first value of the first property that has one.
    pub(super) fn first(self, properties: &[&str]) -> Option<&'a str> {
        properties.iter().find_map(|property| self.values(property).first().copied())
    }

    /// The nodes that the property leads to.
    pub(super) fn follow(self, property: &str) -> Vec<Node<'a>> {
        let nodes = self.all(property).into_iter();
        let named = nodes.filter_map(|object| match object {
            Object::Node(name) => Some(Node { name: name.as_str(), graph: self.graph }),
            Object::Text(..) => None,
        });
        named.collect()
    }

    /// Whether the graph says it is of that class.
    pub(super) fn is_a(self, class: &str) -> bool {
        self.all("a").into_iter().any(|object| short(object.text()) == class)
    }

    /// Its IRI, if it has one.
    pub(super) fn iri(self) -> Option<&'a str> {
        (!self.name.starts_with("_:")).then_some(self.name)
    }
}

fn cut(mut text: String) -> String {
    if text.len() > OBJECT_BYTES_MAX {
        let end = (0..=OBJECT_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// Namespaces without scheme, `www.` and version, and the prefix each has here.
const NAMESPACES: &[(&str, &str)] = &[
    ("www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"),
    ("purl.org/dc/terms/", "dct"),
    ("purl.org/dc/elements/1.1/", "dct"),
    ("www.w3.org/ns/dcat#", "dcat"),
    ("data.europa.eu/r5r/", "dcatap"),
    ("data.europa.eu/930/", "geodcatap"),
    // The official shapes bind the prefix to this one.
    ("data.europa.eu/r5r#", "dcatap"),
    ("www.w3.org/ns/adms#", "adms"),
    ("xmlns.com/foaf/0.1/", "foaf"),
    ("www.w3.org/2006/vcard/ns#", "vcard"),
    ("www.w3.org/2004/02/skos/core#", "skos"),
    ("www.w3.org/ns/locn#", "locn"),
    ("schema.org/", "schema"),
    ("www.w3.org/2006/time#", "time"),
    ("www.w3.org/ns/hydra/core#", "hydra"),
    ("www.w3.org/2000/01/rdf-schema#", "rdfs"),
];

/// The properties that are read: as written, and as asked for.
const PROPERTIES: &[(&str, &str)] = &[
    ("rdf:type", "a"),
    ("rdf:value", "rdf:value"),
    ("dct:title", "dct:title"),
    ("dct:description", "dct:description"),
    ("dct:identifier", "dct:identifier"),
    ("adms:identifier", "adms:identifier"),
    ("skos:notation", "skos:notation"),
    ("skos:prefLabel", "label"),
    ("rdfs:label", "label"),
    ("dcat:keyword", "dcat:keyword"),
    ("dcat:theme", "dcat:theme"),
    ("dct:references", "dct:references"),
    ("dct:license", "dct:license"),
    ("dct:rights", "dct:rights"),
    ("dct:accessRights", "dct:accessRights"),
    ("dct:accrualPeriodicity", "dct:accrualPeriodicity"),
    ("dct:issued", "dct:issued"),
    ("dct:modified", "dct:modified"),
    ("dct:spatial", "dct:spatial"),
    ("dct:temporal", "dct:temporal"),
    ("dct:publisher", "dct:publisher"),
    ("dct:format", "dct:format"),
    ("dcat:mediaType", "dcat:mediaType"),
    // A spelling of the 3.0 example files.
    ("dct:mediaType", "dcat:mediaType"),
    ("dcat:contactPoint", "dcat:contactPoint"),
    // DCAT-AP 1.0 wrote it with the namespace of ADMS.
    ("adms:contactPoint", "dcat:contactPoint"),
    ("dcat:distribution", "dcat:distribution"),
    ("adms:distribution", "dcat:distribution"),
    ("dcat:landingPage", "dcat:landingPage"),
    ("dcat:inSeries", "dcat:inSeries"),
    ("dcat:accessURL", "dcat:accessURL"),
    ("dcat:downloadURL", "dcat:downloadURL"),
    ("dcat:accessService", "dcat:accessService"),
    ("dcat:endpointURL", "dcat:endpointURL"),
    ("dcat:endpointDescription", "dcat:endpointDescription"),
    ("dcat:servesDataset", "served by"),
    ("foaf:page", "foaf:page"),
    ("dcat:byteSize", "dcat:byteSize"),
    ("dcat:bbox", "dcat:bbox"),
    ("dcat:centroid", "dcat:centroid"),
    ("locn:geometry", "locn:geometry"),
    ("dcat:startDate", "start"),
    ("schema:startDate", "start"),
    ("dcat:endDate", "end"),
    ("schema:endDate", "end"),
    ("time:hasBeginning", "time:hasBeginning"),
    ("time:hasEnd", "time:hasEnd"),
    ("time:inXSDDate", "time:in"),
    ("time:inXSDDateTime", "time:in"),
    ("time:inXSDDateTimeStamp", "time:in"),
    ("adms:status", "adms:status"),
    ("dcatap:hvdCategory", "dcatap:hvdCategory"),
    ("dcatap:applicableLegislation", "dcatap:applicableLegislation"),
    ("foaf:name", "foaf:name"),
    ("foaf:homepage", "foaf:homepage"),
    ("foaf:mbox", "foaf:mbox"),
    ("foaf:phone", "foaf:phone"),
    ("vcard:fn", "vcard:fn"),
    ("vcard:organization-name", "vcard:organization-name"),
    ("vcard:organization-unit", "vcard:organization-unit"),
    ("vcard:hasEmail", "vcard:hasEmail"),
    ("vcard:email", "vcard:hasEmail"),
    ("vcard:hasURL", "vcard:hasURL"),
    ("vcard:url", "vcard:hasURL"),
    ("vcard:hasTelephone", "vcard:hasTelephone"),
    ("vcard:tel", "vcard:hasTelephone"),
    ("vcard:hasValue", "rdf:value"),
    ("geodcatap:custodian", "geodcatap:custodian"),
    ("dcatde:politicalGeocodingURI", "dcatde:politicalGeocodingURI"),
    ("dcatde:licenseAttributionByText", "dcatde:licenseAttributionByText"),
    ("dcatde:legalBasis", "dcatde:legalBasis"),
    ("dcatde:legalbasisText", "dcatde:legalBasis"),
    ("hydra:next", "hydra:next"),
    ("hydra:nextPage", "hydra:next"),
    ("hydra:totalItems", "hydra:total"),
];

fn property(iri: &str) -> Option<&'static str> {
    let name = short(iri);
    PROPERTIES.iter().find(|(written, _)| *written == name).map(|(_, read)| *read)
}

/// `prefix:name` of a known namespace, else the IRI itself.
fn short(iri: &str) -> String {
    let rest = iri.strip_prefix("https://").or_else(|| iri.strip_prefix("http://")).unwrap_or(iri);
    if let Some(name) = dcatde(rest) {
        return format!("dcatde:{name}");
    }
    let known = NAMESPACES.iter().find_map(|(base, prefix)| Some((prefix, rest.strip_prefix(base)?)));
    known.map_or_else(|| iri.to_owned(), |(prefix, name)| format!("{prefix}:{name}"))
}

/// DCAT-AP.de put its version into the namespace until 2.0.
fn dcatde(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix("www.").unwrap_or(rest).strip_prefix("dcat-ap.de/def/dcatde/")?;
    match rest.split_once(['/', '#']) {
        Some((version, name)) if version.starts_with(|sign: char| sign.is_ascii_digit()) => Some(name),
        _ => Some(rest.trim_start_matches('#')),
    }
}
