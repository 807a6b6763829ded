//! The open catalog as a Linked Data Event Stream of DCAT-AP Feeds: who
//! creates, updates or deletes what, page by page, oldest first.
//!
//! A member is an activity of ActivityStreams; what a dataset says stands in
//! the graph that has the activity's IRI. Each dataset has one member, its
//! newest: an older one disappears when the dataset changes, which the stream
//! declares as its retention policy. So a page that is full never gets anything
//! new, and who follows from any member on ends with the catalog as it is.
//!
//! `as:object` is the dataset's IRI. Of a withdrawn dataset only the id is
//! known any more: its IRI is content, which an erasure leaves nowhere. So it
//! is the IRI that its town's node gives by itself.
//! A dataset may have come with another, so each member also says
//! `dcterms:isVersionOf` with the dataset's `urn:uuid:`, which is the same for
//! all members of one dataset.

use crdt::dcat::{CatalogContext, dataset_iri, dataset_triples};
use crdt::ids::UnixMillis;
use oxrdf::{GraphName, Literal, NamedNode, NamedNodeRef, Quad, Term};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfSerializer};

use super::pages::Contexts;
use crate::handle::{LogEntry, LogStart, NodeHandle, Place, ReadError, Scope};

/// Members of one page.
pub const STREAM_PAGE: usize = 100;

const AS: &str = "https://www.w3.org/ns/activitystreams#";
const LDES: &str = "https://w3id.org/ldes#";
const TREE: &str = "https://w3id.org/tree#";
const IS_VERSION_OF: &str = "http://purl.org/dc/terms/isVersionOf";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const DATE_TIME: &str = "http://www.w3.org/2001/XMLSchema#dateTime";

/// A form of RDF that can hold several graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamForm {
    /// TriG.
    TriG,
    /// JSON-LD with its context inside.
    JsonLd,
}

impl StreamForm {
    /// Its media type, without parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::TriG => "application/trig",
            Self::JsonLd => "application/ld+json",
        }
    }
}

/// One page of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPage {
    /// The document.
    pub bytes: Vec<u8>,
    /// Whether there is a next page, so that nothing new will ever come here.
    pub is_full: bool,
}

/// The page that begins after a member, or the first. `address` is where the
/// stream is found. Blocks.
pub fn stream_page(
    node: &NodeHandle,
    address: &str,
    after: Option<Place>,
    form: StreamForm,
) -> Result<StreamPage, ReadError> {
    let start = after.map_or(LogStart::Beginning, LogStart::After);
    // One more than fits tells where the next page begins.
    let slice = node.log_from(Scope::Federation, start, None, STREAM_PAGE + 1, |_| true)?;
    let (entries, next) = match slice.entries.split_at_checked(STREAM_PAGE) {
        Some((entries, [next])) => (entries, Some(next)),
        _ => (&slice.entries[..], None),
    };
    let Ok(root) = NamedNode::new(address) else {
        return Err(ReadError::Store(format!("`{address}` is no address")));
    };
    let mut page = Page { stream: part(&root, "stream"), page: at(&root, after), root, quads: Vec::new() };
    page.describe();
    page.lead_on(entries.last(), next);
    let mut contexts = Contexts::default();
    for entry in entries {
        let context = contexts.of(node, entry.town)?;
        page.member(entry, context);
        if let Some(listed) = &entry.dataset {
            let said = dataset_triples(&listed.dataset, context);
            let graph = GraphName::NamedNode(page.activity(entry));
            page.quads.extend(said.into_iter().map(|triple| triple.in_graph(graph.clone())));
        }
    }
    Ok(StreamPage { bytes: written(form, &page.quads), is_full: next.is_some() })
}

struct Page {
    root: NamedNode,
    stream: NamedNode,
    page: NamedNode,
    quads: Vec<Quad>,
}

impl Page {
    /// What the stream is and keeps, on each of its pages.
    fn describe(&mut self) {
        let policy = part(&self.root, "retention");
        let view = part(&self.root, "view");
        let (stream, root) = (self.stream.clone(), self.root.clone());
        self.say(&stream, TYPE, named(LDES, "EventStream"));
        self.say(&stream, &format!("{LDES}timestampPath"), named(AS, "published"));
        self.say(&stream, &format!("{LDES}versionOfPath"), NamedNode::new_unchecked(IS_VERSION_OF));
        self.say(&stream, &format!("{TREE}view"), root.clone());
        self.say(&root, &format!("{TREE}viewDescription"), view.clone());
        self.say(&view, TYPE, named(TREE, "ViewDescription"));
        self.say(&view, &format!("{LDES}retentionPolicy"), policy.clone());
        self.say(&policy, TYPE, named(LDES, "LatestVersionSubset"));
        self.say(&policy, &format!("{LDES}amount"), Literal::from(1));
        // A list of paths (LDES, retention policies), of one; its node has a name as all nodes here.
        let key = part(&self.root, "version-key");
        self.say(&policy, &format!("{LDES}versionKey"), key.clone());
        self.say(&key, &format!("{RDF}first"), NamedNode::new_unchecked(IS_VERSION_OF));
        self.say(&key, &format!("{RDF}rest"), named(RDF, "nil"));
        let page = self.page.clone();
        self.say(&page, TYPE, named(TREE, "Node"));
    }

    /// Where the members go on that are published later, or at the same moment:
    /// a bulk commit can fill several pages.
    fn lead_on(&mut self, last: Option<&LogEntry>, next: Option<&LogEntry>) {
        let (Some(last), Some(next)) = (last, next) else { return };
        let kind = match next.at > last.at {
            true => "GreaterThanRelation",
            false => "GreaterThanOrEqualToRelation",
        };
        let (page, relation) = (self.page.clone(), part(&self.root, &format!("after-{}", last.place())));
        let following = at(&self.root, Some(last.place()));
        self.say(&page, &format!("{TREE}relation"), relation.clone());
        self.say(&relation, TYPE, named(TREE, kind));
        self.say(&relation, &format!("{TREE}path"), named(AS, "published"));
        self.say(&relation, &format!("{TREE}value"), moment(last.at));
        self.say(&relation, &format!("{TREE}node"), following);
    }

    fn activity(&self, entry: &LogEntry) -> NamedNode {
        part(&self.root, &entry.place().to_string())
    }

    fn member(&mut self, entry: &LogEntry, context: &CatalogContext) {
        let (stream, activity) = (self.stream.clone(), self.activity(entry));
        let id = NamedNode::new_unchecked(format!("urn:uuid:{}", entry.id));
        let (kind, object) = match entry.dataset.as_deref() {
            None => ("Delete", withdrawn_iri(entry, context).unwrap_or_else(|| id.clone())),
            Some(listed) if listed.changes == 1 => ("Create", dataset_iri(&listed.dataset)),
            Some(listed) => ("Update", dataset_iri(&listed.dataset)),
        };
        self.say(&stream, &format!("{TREE}member"), activity.clone());
        self.say(&activity, TYPE, named(AS, kind));
        self.say(&activity, &format!("{AS}object"), object);
        self.say(&activity, &format!("{AS}published"), moment(entry.at));
        self.say(&activity, IS_VERSION_OF, id);
    }

    fn say(&mut self, subject: &NamedNode, predicate: &str, object: impl Into<Term>) {
        let predicate = NamedNode::new_unchecked(predicate);
        self.quads.push(Quad::new(subject.clone(), predicate, object, GraphName::DefaultGraph));
    }
}

/// The IRI that its town's node gave a dataset, unless it came with another.
fn withdrawn_iri(entry: &LogEntry, context: &CatalogContext) -> Option<NamedNode> {
    let base = context.catalog().base_url.as_ref()?;
    NamedNode::new(format!("{}/dataset/{}", base.as_str().trim_end_matches('/'), entry.id)).ok()
}

fn named(space: &str, name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{space}{name}"))
}

fn part(root: &NamedNode, name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{}#{name}", root.as_str()))
}

fn at(root: &NamedNode, after: Option<Place>) -> NamedNode {
    match after {
        None => root.clone(),
        Some(place) => NamedNode::new_unchecked(format!("{}?after={place}", root.as_str())),
    }
}

/// To the millisecond, since commits are.
fn moment(at: UnixMillis) -> Literal {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    let text = at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    Literal::new_typed_literal(text, NamedNodeRef::new_unchecked(DATE_TIME))
}

fn written(form: StreamForm, quads: &[Quad]) -> Vec<u8> {
    let format = match form {
        StreamForm::TriG => RdfFormat::TriG,
        StreamForm::JsonLd => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
    };
    let prefixes = [("as", AS), ("ldes", LDES), ("tree", TREE)];
    let prefixes = crdt::dcat::terms::PREFIXES.into_iter().chain(prefixes);
    let serializer = prefixes.fold(RdfSerializer::from_format(format), |serializer, (prefix, iri)| {
        serializer.with_prefix(prefix, iri).expect("the prefixes are IRIs")
    });
    let mut writer = serializer.for_writer(Vec::with_capacity(quads.len() * 96));
    for quad in quads {
        writer.serialize_quad(quad).expect("a vector takes every byte, and no term is of RDF 1.2");
    }
    writer.finish().expect("a vector takes every byte")
}
