//! The event stream: a small client of ours follows it and ends with the
//! catalog, from wherever it begins.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use oxrdf::{GraphName, NamedNode, NamedOrBlankNode, Quad, Term};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};
use serde_json::json;

use crate::support::exchange::Olpe;
use crate::support::{Soest, record, send};
use crate::world;

const AS: &str = "https://www.w3.org/ns/activitystreams#";
const LDES: &str = "https://w3id.org/ldes#";
const TREE: &str = "https://w3id.org/tree#";
const TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const IS_VERSION_OF: &str = "http://purl.org/dc/terms/isVersionOf";

/// One page with all its graphs.
struct Page {
    quads: Vec<Quad>,
    cache: String,
}

impl Page {
    async fn fetch(soest: &Soest, path: &str, media_type: &str) -> Self {
        let request = Request::get(path).header(header::ACCEPT, media_type).body(Body::empty());
        let answer = send(&soest.public, request.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        assert_eq!(answer.header(header::CONTENT_TYPE), media_type);
        let format = match media_type {
            "application/trig" => RdfFormat::TriG,
            _ => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        };
        let quads = RdfParser::from_format(format).for_slice(&answer.body);
        let quads = quads.collect::<Result<_, _>>().unwrap_or_else(|e| panic!("{e}: {}", answer.text()));
        Self { quads, cache: answer.header(header::CACHE_CONTROL).to_owned() }
    }

    /// What is said outside the members' graphs.
    fn objects(&self, subject: Option<&str>, predicate: &str) -> Vec<String> {
        let told = self.quads.iter().filter(|quad| quad.graph_name == GraphName::DefaultGraph);
        let told = told.filter(|quad| quad.predicate.as_str() == predicate);
        let of = |quad: &&Quad| subject.is_none_or(|subject| name(&quad.subject) == subject);
        told.filter(of).map(|quad| text(&quad.object)).collect()
    }

    fn graph(&self, activity: &str) -> BTreeSet<String> {
        let graph = GraphName::NamedNode(NamedNode::new(activity).unwrap());
        let quads = self.quads.iter().filter(|quad| quad.graph_name == graph);
        quads.map(|quad| format!("{} {} {} .", quad.subject, quad.predicate, quad.object)).collect()
    }
}

fn name(subject: &NamedOrBlankNode) -> &str {
    match subject {
        NamedOrBlankNode::NamedNode(node) => node.as_str(),
        NamedOrBlankNode::BlankNode(node) => node.as_str(),
    }
}

fn text(object: &Term) -> String {
    match object {
        Term::NamedNode(node) => node.as_str().to_owned(),
        Term::BlankNode(node) => node.as_str().to_owned(),
        Term::Literal(literal) => literal.value().to_owned(),
    }
}

/// A follower: what each dataset says, and the page to ask next.
#[derive(Clone)]
struct Follower {
    page: String,
    held: BTreeMap<String, (String, BTreeSet<String>)>,
    seen: BTreeSet<String>,
}

impl Follower {
    fn new() -> Self {
        Self { page: "/feed".to_owned(), held: BTreeMap::new(), seen: BTreeSet::new() }
    }

    /// Follows to the end; asks the last page again next time.
    async fn follow(&mut self, soest: &Soest, media_type: &str) {
        loop {
            let page = Page::fetch(soest, &self.page, media_type).await;
            let mut members: Vec<(String, String)> = page
                .objects(Some("http://localhost/feed#stream"), &format!("{TREE}member"))
                .into_iter()
                .map(|member| (page.objects(Some(&member), &format!("{AS}published")).remove(0), member))
                .collect();
            members.sort();
            for (_, member) in members {
                if self.seen.insert(member.clone()) {
                    self.take(&page, &member);
                }
            }
            let relation = page.objects(None, &format!("{TREE}relation"));
            let Some(relation) = relation.first() else {
                assert_eq!(page.cache, "no-cache", "the last page gets more members");
                return;
            };
            assert_eq!(page.cache, "public, max-age=3600", "a full page does not, but it may lose some");
            let next = page.objects(Some(relation), &format!("{TREE}node")).remove(0);
            self.page = next.strip_prefix("http://localhost").unwrap().to_owned();
        }
    }

    fn take(&mut self, page: &Page, member: &str) {
        let kind = page.objects(Some(member), TYPE).remove(0);
        let item = page.objects(Some(member), IS_VERSION_OF).remove(0);
        let object = page.objects(Some(member), &format!("{AS}object")).remove(0);
        let said = page.graph(member);
        match kind.strip_prefix(AS).unwrap() {
            "Delete" => {
                assert!(said.is_empty());
                let held = self.held.remove(&item);
                assert!(held.is_none_or(|(known, _)| known == object), "the delete names what was told");
            }
            "Create" | "Update" => {
                assert!(said.iter().any(|line| line.starts_with(&format!("<{object}> "))));
                self.held.insert(item, (object, said));
            }
            kind => panic!("{kind} is no activity of the stream"),
        }
    }

    /// All that the datasets say.
    fn triples(&self) -> BTreeSet<String> {
        self.held.values().flat_map(|(_, said)| said.clone()).collect()
    }
}

/// What `/dataset/{id}.nt` says of every open dataset.
async fn catalog(soest: &Soest) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let open = soest.handle().open_datasets(node::handle::Scope::Federation, None, 1_000).unwrap();
    for listed in open {
        let document = soest.public(&format!("/dataset/{}.nt", listed.dataset.id)).await;
        lines.extend(document.text().lines().map(str::to_owned));
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_ends_with_the_catalog_from_wherever_it_begins() {
    let (soest, clock) = world().await;
    let olpe = Olpe::open(&soest);
    let mut followers = Vec::new();
    let mut ids = Vec::new();
    for round in 0..8 {
        clock.pass(round % 2);
        match round {
            0 | 4 => {
                for number in 0..3 {
                    ids.push(soest.publish(record(&format!("Kataster {round} {number}"))).await);
                }
            }
            1 => drop(olpe.publish(record("Olper Bäume")).await),
            2 => soest.receive(&olpe).await,
            3 => soest.withdraw(&ids[1]).await,
            5 => {
                for id in [&ids[0], &ids[0], &ids[4]] {
                    let title = json!({"title": {"de": format!("Neu {round} {}", followers.len())}});
                    let edited = soest.desk("PATCH", &format!("/api/v1/datasets/{id}"), title).await;
                    assert_eq!(edited.status, StatusCode::OK);
                }
            }
            // What the town says of its catalog it says of every dataset.
            6 => {
                let contributor = json!({"contributor_id": "http://dcat-ap.de/def/contributors/openNRW"});
                soest.desk("PATCH", "/api/v1/catalog", contributor).await;
            }
            _ => drop(soest.create(record("Geheim")).await),
        }
        followers.push(Follower::new());
        let catalog = catalog(&soest).await;
        for (number, follower) in followers.iter_mut().enumerate() {
            let media_type = ["application/trig", "application/ld+json"][number % 2];
            follower.follow(&soest, media_type).await;
            assert_eq!(follower.triples(), catalog, "round {round}, begun in round {number}");
        }
    }
    assert!(followers[0].triples().len() > 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_names_the_iri_that_the_towns_node_gave() {
    let options = node::handle::OpenOptions {
        base_url: Some("https://daten.soest.example".to_owned()),
        ..node::handle::OpenOptions::default()
    };
    let soest = crate::support::soest_with(options, node::config::Config::default()).await;
    let id = soest.publish(record("Baumkataster")).await;
    let mut follower = Follower::new();
    follower.follow(&soest, "application/trig").await;
    let (object, _) = &follower.held[&format!("urn:uuid:{id}")];
    assert_eq!(*object, format!("https://daten.soest.example/dataset/{id}"));
    soest.withdraw(&id).await;
    // It compares the name in the delete with the one it was told before.
    follower.follow(&soest, "application/trig").await;
    assert!(follower.held.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_stay_right_while_the_catalog_changes_and_say_what_they_keep() {
    let (soest, clock) = world().await;
    let mut ids = Vec::new();
    for number in 0..205 {
        ids.push(soest.create(record(&format!("Kataster {number}"))).await);
    }
    // In few commits, as a newcomer to the league fetches a catalog.
    let handle = soest.handle();
    for receipt in futures::future::join_all(ids.iter().map(|id| handle.publish(id.parse().unwrap()))).await {
        receipt.unwrap();
    }
    let first = Page::fetch(&soest, "/feed", "application/trig").await;
    let stream = "http://localhost/feed#stream";
    assert_eq!(first.objects(Some(stream), TYPE), [format!("{LDES}EventStream")]);
    assert_eq!(first.objects(Some(stream), &format!("{LDES}timestampPath")), [format!("{AS}published")]);
    assert_eq!(first.objects(Some(stream), &format!("{LDES}versionOfPath")), [IS_VERSION_OF]);
    assert_eq!(first.objects(Some(stream), &format!("{TREE}view")), ["http://localhost/feed"]);
    let policy = first.objects(None, &format!("{LDES}retentionPolicy")).remove(0);
    assert_eq!(first.objects(Some(&policy), TYPE), [format!("{LDES}LatestVersionSubset")]);
    assert_eq!(first.objects(Some(&policy), &format!("{LDES}amount")), ["1"]);
    let key = first.objects(Some(&policy), &format!("{LDES}versionKey")).remove(0);
    let rdf = |name: &str| format!("http://www.w3.org/1999/02/22-rdf-syntax-ns#{name}");
    assert_eq!(first.objects(Some(&key), &rdf("first")), [IS_VERSION_OF]);
    assert_eq!(first.objects(Some(&key), &rdf("rest")), [rdf("nil")]);
    assert_eq!(first.objects(Some(stream), &format!("{TREE}member")).len(), 100);
    // All were published at one moment, so the next page may hold members of the same.
    let relation = first.objects(None, &format!("{TREE}relation")).remove(0);
    assert_eq!(first.objects(Some(&relation), TYPE), [format!("{TREE}GreaterThanOrEqualToRelation")]);

    let mut follower = Follower::new();
    follower.follow(&soest, "application/trig").await;
    assert_eq!(follower.held.len(), 205);
    // A follower in the middle of its walk, while members of its page move on.
    let mut midway = Follower::new();
    midway.page =
        first.objects(Some(&relation), &format!("{TREE}node")).remove(0).replace("http://localhost", "");
    clock.pass(1);
    for id in ids.iter().take(120) {
        let edited =
            soest.desk("PATCH", &format!("/api/v1/datasets/{id}"), json!({"title": {"de": "Neu"}})).await;
        assert_eq!(edited.status, StatusCode::OK);
    }
    soest.withdraw(&ids[200]).await;
    midway.follow(&soest, "application/trig").await;
    follower.follow(&soest, "application/trig").await;
    let mut anew = Follower::new();
    anew.follow(&soest, "application/ld+json").await;
    assert_eq!((follower.held.len(), anew.held.len()), (204, 204));
    assert_eq!(follower.triples(), anew.triples());
    // What was edited is later than what was not: the follower midway met all of it.
    let missed = anew.held.keys().filter(|item| !midway.held.contains_key(*item)).count();
    assert!(missed <= 100, "{missed} of the first page were not told again");
    let edited = ids.iter().take(120).map(|id| format!("urn:uuid:{id}"));
    assert!(edited.into_iter().all(|item| midway.held.contains_key(&item)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_is_refused_with_its_remedy() {
    let (soest, _) = world().await;
    for (query, code, remedy) in [
        ("after=x", "invalid_parameter", "`tree:node`"),
        (
            "after=1-2-6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10&after=1-2-6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10",
            "repeated_parameter",
            "once",
        ),
        ("page=2", "unknown_parameter", "after"),
    ] {
        let answer = soest.public(&format!("/feed?{query}")).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, code));
        assert!(answer.json()["error"]["remedy"].as_str().unwrap().contains(remedy), "{}", answer.text());
    }
    // A place that this node never gave is a moment all the same.
    let later = soest.public("/feed?after=9999999999999-7-6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10").await;
    assert_eq!(later.status, StatusCode::OK);
}
