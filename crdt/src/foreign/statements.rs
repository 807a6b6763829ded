//! A graph by subject, with the properties under the short names of the
//! profile, whichever namespace a version of it used.
//!
//! Keeps only what is read: a property that no reader asks for takes no memory,
//! a text that is said often is held once, and a statement takes 16 bytes.

use std::collections::BTreeMap;

use oxrdf::{NamedOrBlankNode, Term, Triple};

use super::texts::{TextId, Texts};
use crate::encoding::hash;

/// Longest literal or IRI that is kept, in bytes; what is longer is cut, and
/// is then too long for its field too.
pub const OBJECT_BYTES_MAX: usize = 64 * 1024;

/// What a property says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Object<'a> {
    /// Another node.
    Node(Node<'a>),
    /// A text, with its language in lower case where one is given.
    Text(&'a str, Option<&'a str>),
}

impl<'a> Object<'a> {
    /// The IRI or the text.
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Node(node) => node.name(),
            Self::Text(text, _) => text,
        }
    }

    /// The IRI or the text, unless it is a blank node's name.
    pub(super) fn value(self) -> Option<&'a str> {
        let is_blank = matches!(self, Self::Node(node) if node.iri().is_none());
        (!is_blank).then(|| self.text().trim()).filter(|text| !text.is_empty())
    }
}

/// One statement, its texts by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    subject: TextId,
    object: TextId,
    /// The object's language; of a node and of a text without one, the empty text.
    language: TextId,
    /// Place in [`PROPERTIES`].
    property: u8,
    is_node: bool,
}

const _: () = assert!(PROPERTIES.len() <= u8::MAX as usize);

/// The statements of a graph as they come.
#[derive(Debug, Default)]
pub struct Gathering {
    texts: Texts,
    said: Vec<Said>,
}

impl Gathering {
    /// Takes a triple in.
    pub fn insert(&mut self, triple: Triple) {
        let Some(property) = property(triple.predicate.as_str()) else { return };
        let none = self.texts.id("");
        let (object, language, is_node) = match triple.object {
            Term::NamedNode(node) => (self.texts.id(cut(node.as_str())), none, true),
            Term::BlankNode(node) => (self.texts.id(&format!("_:{}", node.as_str())), none, true),
            Term::Literal(literal) => {
                let language = literal.language().map(str::to_lowercase).unwrap_or_default();
                (self.texts.id(cut(literal.value())), self.texts.id(&language), false)
            }
        };
        let subject = match triple.subject {
            NamedOrBlankNode::NamedNode(node) => self.texts.id(node.as_str()),
            NamedOrBlankNode::BlankNode(node) => self.texts.id(&format!("_:{}", node.as_str())),
        };
        let mut said = Said { subject, object, language, property, is_node };
        if is_node && said.name() == "served by" {
            // Said of the service, asked of the dataset.
            std::mem::swap(&mut said.subject, &mut said.object);
        }
        self.said.push(said);
    }

    /// The graph, once everything is in: in an order that does not depend on how
    /// it was written, as its blank nodes have new names each time.
    pub fn finish(mut self) -> Statements {
        self.said.sort_unstable_by_key(|said| said.subject);
        let blanks = blank_nodes(&self.texts, &self.said);
        let texts = &self.texts;
        let told = |said: &Said| match blanks.get(&said.object).filter(|_| said.is_node) {
            Some(hash) => (true, *hash, ""),
            None => (false, [0; 16], texts.get(said.object)),
        };
        self.said.sort_by(|one, other| {
            let place = |said: &Said| (said.subject, said.property);
            let language = |said: &Said| texts.get(said.language);
            let by_place = place(one).cmp(&place(other)).then_with(|| told(one).cmp(&told(other)));
            by_place.then_with(|| language(one).cmp(language(other)))
        });
        self.said.dedup();
        Statements { texts: self.texts, said: self.said }
    }
}

/// The statements of one graph, such as one page of a catalog.
#[derive(Debug)]
pub struct Statements {
    texts: Texts,
    /// By subject.
    said: Vec<Said>,
}

/// One subject of the graph.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    id: TextId,
    graph: &'a Statements,
}

impl Said {
    /// The short name of the property.
    fn name(&self) -> &'static str {
        PROPERTIES[usize::from(self.property)].1
    }
}

impl Statements {
    fn object(&self, said: &Said) -> Object<'_> {
        match said.is_node {
            true => Object::Node(Node { id: said.object, graph: self }),
            false => {
                let language = Some(self.texts.get(said.language)).filter(|language| !language.is_empty());
                Object::Text(self.texts.get(said.object), language)
            }
        }
    }

    /// The subjects of a class, in the order of their names.
    pub(super) fn of_class(&self, class: &str) -> Vec<Node<'_>> {
        let is = |said: &&Said| said.name() == "a" && short(self.texts.get(said.object)) == class;
        let mut found: Vec<TextId> = self.said.iter().filter(is).map(|said| said.subject).collect();
        found.dedup();
        found.sort_unstable_by_key(|id| self.texts.get(*id));
        found.into_iter().map(|id| Node { id, graph: self }).collect()
    }

    /// What the graph says first of a property, whatever of.
    fn first_said(&self, property: &str) -> Option<&str> {
        let said = self.said.iter().filter(|said| said.name() == property);
        said.filter_map(|said| self.object(said).value()).next()
    }

    /// The page that follows this one (`hydra:next`, `hydra:nextPage`).
    pub fn next_page(&self) -> Option<&str> {
        self.first_said("hydra:next")
    }

    /// How many datasets the source says it has in all (`hydra:totalItems`).
    pub fn total(&self) -> Option<u64> {
        self.first_said("hydra:total")?.parse().ok()
    }

    /// Whether it names a catalog, even an empty one.
    pub fn has_catalog(&self) -> bool {
        !self.of_class("dcat:Catalog").is_empty()
    }
}

impl<'a> Node<'a> {
    /// Its IRI, or `_:` and the name of a blank node.
    pub(super) fn name(self) -> &'a str {
        self.graph.texts.get(self.id)
    }

    fn objects(self, property: &str) -> impl Iterator<Item = Object<'a>> {
        let place = (self.id, place_of(property));
        let said = &self.graph.said;
        let begin = said.partition_point(|one| (one.subject, Some(one.property)) < place);
        let length = said[begin..].partition_point(|one| (one.subject, Some(one.property)) == place);
        said[begin..begin + length].iter().map(|said| self.graph.object(said))
    }

    /// Everything the property says here.
    pub(super) fn all(self, property: &str) -> Vec<Object<'a>> {
        self.objects(property).collect()
    }

    /// The values of the property, blank nodes left out.
    pub(super) fn values(self, property: &str) -> Vec<&'a str> {
        self.objects(property).filter_map(Object::value).collect()
    }

    /// The first value of the first property that has one.
    pub(super) fn first(self, properties: &[&str]) -> Option<&'a str> {
        properties.iter().find_map(|property| self.objects(property).find_map(Object::value))
    }

    /// The nodes that the property leads to.
    pub(super) fn follow(self, property: &str) -> Vec<Node<'a>> {
        let named = self.objects(property).filter_map(|object| match object {
            Object::Node(node) => Some(node),
            Object::Text(..) => None,
        });
        named.collect()
    }

    /// Whether the graph says it is of that class.
    pub(super) fn is_a(self, class: &str) -> bool {
        self.objects("a").any(|object| short(object.text()) == class)
    }

    /// Its IRI, if it has one.
    pub(super) fn iri(self) -> Option<&'a str> {
        Some(self.name()).filter(|name| !name.starts_with("_:"))
    }
}

/// The blank nodes that something is said of, each by a hash of that. Each is
/// looked at once, however many statements lead to it.
fn blank_nodes(texts: &Texts, by_subject: &[Said]) -> BTreeMap<TextId, [u8; 16]> {
    let mut blanks = BTreeMap::new();
    for said in by_subject.chunk_by(|one, other| one.subject == other.subject) {
        let subject = said[0].subject;
        if !texts.get(subject).starts_with("_:") {
            continue;
        }
        let value = |said: &Said| Some(texts.get(said.object)).filter(|text| !text.starts_with("_:"));
        let mut words: Vec<_> =
            said.iter().map(|said| (said.name(), value(said).unwrap_or_default())).collect();
        words.sort_unstable();
        let words: String = words.iter().flat_map(|(name, value)| [name, " ", value, "\n"]).collect();
        let hash = hash("hanse blank node 1", &[words.as_bytes()]);
        blanks.insert(subject, std::array::from_fn(|at| hash[at]));
    }
    blanks
}

fn cut(text: &str) -> &str {
    let end = (0..=OBJECT_BYTES_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
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

/// The place of a property in [`PROPERTIES`], the first of those read alike.
fn property(iri: &str) -> Option<u8> {
    let name = short(iri);
    PROPERTIES.iter().find(|(written, _)| *written == name).and_then(|(_, read)| place_of(read))
}

fn place_of(read: &str) -> Option<u8> {
    PROPERTIES.iter().position(|(_, name)| *name == read).and_then(|place| u8::try_from(place).ok())
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
