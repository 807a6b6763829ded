//! DCAT-AP.de on the public listener: addresses, forms, and a walk as
//! harvesters make it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{HeaderName, Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Answer, Soest, get, record, send, soest};

const NEXT: &str = "<http://www.w3.org/ns/hydra/core#next>";
const IS_DATASET: &str =
    "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .";

async fn asked(soest: &Soest, method: Method, path: &str, name: HeaderName, value: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(name, value);
    send(&soest.public, request.body(Body::empty()).unwrap()).await
}

/// Datasets on a page of N-Triples.
fn datasets(page: &Answer) -> Vec<String> {
    let lines = page.text().lines().filter(|line| line.ends_with(IS_DATASET));
    lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// Path and query of the next page.
fn next(page: &Answer) -> Option<String> {
    let line = page.text().lines().find(|line| line.contains(NEXT))?;
    let address = line.split(' ').nth(2).unwrap().trim_matches(['<', '>']);
    Some(address.split_once("://").unwrap().1.split_once('/').map(|(_, path)| format!("/{path}")).unwrap())
}

async fn publish_many(soest: &Soest, titles: std::ops::Range<usize>) -> Vec<String> {
    let mut ids = Vec::new();
    for number in titles {
        let id = soest.create(record(&format!("Baumkataster {number}"))).await;
        let answer = soest.desk("POST", &format!("/api/v1/datasets/{id}/publish"), Value::Null).await;
        assert_eq!(answer.status, StatusCode::OK);
        ids.push(id);
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_answers_in_its_form_and_head_says_how_long() {
    let soest = soest().await;
    let id = soest.publish(record("Baumkataster")).await;
    for (ending, kind) in [
        ("ttl", "text/turtle"),
        ("rdf", "application/rdf+xml"),
        ("xml", "application/rdf+xml"),
        ("jsonld", "application/ld+json"),
        ("nt", "application/n-triples"),
        ("n3", "text/n3"),
    ] {
        for path in [
            format!("/catalog.{ending}"),
            format!("/federation/catalog.{ending}"),
            format!("/dataset/{id}.{ending}"),
        ] {
            let whole = soest.public(&path).await;
            assert_eq!(whole.status, StatusCode::OK, "{path}");
            assert_eq!(whole.header(header::CONTENT_TYPE), format!("{kind}; charset=utf-8"));
            assert!(whole.text().contains("Baumkataster"), "{path}");
            assert_eq!(whole.body, soest.public(&path).await.body, "the same bytes again: {path}");
            let head = asked(&soest, Method::HEAD, &path, header::ACCEPT_ENCODING, "gzip").await;
            assert_eq!(head.header(header::CONTENT_LENGTH), whole.body.len().to_string(), "{path}");
            assert_eq!(head.header(header::CONTENT_TYPE), whole.header(header::CONTENT_TYPE));
            assert!(head.body.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_addresses_give_rdf_to_who_likes_it_better() {
    let soest = soest().await;
    let id = soest.publish(record("Baumkataster")).await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for path in ["/".to_owned(), format!("/dataset/{id}"), "/catalog".to_owned()] {
        let rdf = asked(&soest, Method::GET, &path, header::ACCEPT, "text/turtle").await;
        assert!(rdf.header(header::CONTENT_TYPE).starts_with("text/turtle"), "{path}");
        assert_eq!(rdf.header(header::VARY), "Accept", "{path}");
        let page = asked(&soest, Method::GET, &path, header::ACCEPT, browser).await;
        assert!(!page.header(header::CONTENT_TYPE).starts_with("text/turtle"), "{path}");
    }
    let odd = asked(&soest, Method::GET, "/catalog", header::ACCEPT, "image/png").await;
    assert_eq!((odd.status, odd.error().as_str()), (StatusCode::NOT_ACCEPTABLE, "not_acceptable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_or_unknown_or_wrong_is_said_in_one_form() {
    let soest = soest().await;
    let closed = soest.create(record("Geheimes Melderegister")).await;
    let unknown = "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10";
    let turtle = |id: &str| format!("/dataset/{id}.ttl");
    let (a, b) = (soest.public(&turtle(&closed)).await, soest.public(&turtle(unknown)).await);
    assert_eq!(a.status, StatusCode::NOT_FOUND);
    assert_eq!(a.text().replace(&closed, "ID"), b.text().replace(unknown, "ID"));
    for path in ["/catalog.nt", "/federation/catalog.nt"] {
        let page = soest.public(path).await;
        assert!(datasets(&page).is_empty() && next(&page).is_none());
        assert!(!page.text().contains("Melderegister"));
    }
    for (query, field) in [
        ("page=0", "page"),
        ("page=x", "page"),
        ("modified_since=gestern", "modified_since"),
        ("after=1", "after"),
        ("q=title:[a", "q"),
        ("fq={!func}x", "fq"),
        ("part=x", "part"),
    ] {
        let wrong = soest.public(&format!("/catalog.ttl?{query}")).await;
        assert_eq!(wrong.status, StatusCode::CONFLICT, "as ckanext-dcat answers: {query}");
        let error = wrong.json()["error"].clone();
        assert_eq!(error["field"], field);
        assert!(error["remedy"].is_string() && error["remedy_de"].is_string(), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_starting_node_says_so_and_gives_no_short_catalog() {
    let soest = soest().await;
    let id = soest.publish(record("Baumkataster")).await;
    soest.handle().board().set_phase(node::view::Phase::CatchingUp);
    for path in ["/catalog.ttl".to_owned(), "/catalog".to_owned(), format!("/dataset/{id}.ttl")] {
        let answer = soest.public(&path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(!answer.header(header::RETRY_AFTER).is_empty(), "{path}");
    }
}

/// HEAD, then page after page by the links alone, while records are edited and
/// published: nothing missing, nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_walk_during_edits_misses_and_doubles_nothing() {
    let soest = soest().await;
    let before = publish_many(&soest, 0..230).await;
    let head = send(&soest.public, {
        let mut request = get("/catalog.nt");
        *request.method_mut() = Method::HEAD;
        request
    });
    assert_eq!(head.await.status, StatusCode::OK);

    let (mut path, mut seen, mut pages) = (Some("/catalog.nt".to_owned()), Vec::new(), Vec::new());
    while let Some(at) = path {
        let page = soest.public(&at).await;
        assert_eq!(page.status, StatusCode::OK, "{at}");
        seen.extend(datasets(&page));
        path = next(&page);
        assert_ne!(path.as_ref(), Some(&at), "a page that points at itself is walked for ever");
        pages.push(at);
        // Others go on working between two pages.
        publish_many(&soest, 1000 + pages.len() * 10..1000 + pages.len() * 10 + 7).await;
        let edited = &before[pages.len() * 31 % before.len()];
        let edit = json!({"title": {"de": format!("Bäume, Stand {}", pages.len())}});
        let answer = soest.desk("PATCH", &format!("/api/v1/datasets/{edited}"), edit).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    let once: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(once.len(), seen.len(), "no dataset twice");
    let missing: Vec<_> =
        before.iter().filter(|id| !seen.iter().any(|iri| iri.contains(id.as_str()))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(pages.len() >= 3, "{pages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbered_pages_end_and_changes_since_a_moment_are_all() {
    let soest = soest().await;
    publish_many(&soest, 0..101).await;
    let second = soest.public("/catalog.nt?page=2").await;
    assert_eq!((datasets(&second).len(), next(&second)), (1, None));
    assert!(datasets(&soest.public("/catalog.nt?page=3").await).is_empty());
    let all = soest.public("/catalog.nt?modified_since=2020-01-01").await;
    assert_eq!(datasets(&all).len(), 100);
    let rest = soest.public(&next(&all).unwrap()).await;
    assert_eq!((datasets(&rest).len(), next(&rest)), (1, None));
    assert!(datasets(&soest.public("/catalog.nt?modified_since=2199-01-01").await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_is_narrowed_by_ckans_words_and_goes_on_where_it_began() {
    let soest = soest().await;
    publish_many(&soest, 0..103).await;
    for number in 0..3 {
        let mut other = record(&format!("Haushaltsplan {number}"));
        other["keywords"] = json!({"de": ["Haushalt"]});
        soest.publish(other).await;
    }
    soest.settle().await;
    for (query, count) in [
        ("q=haushaltsplan", 3),
        ("fq=tags:Haushalt", 3),
        ("q=tags:Haushalt&fq=organization:soest&profiles=euro_dcat_ap_3", 3),
        ("fq=organization:olpe", 0),
        ("q=haushaltsplan&modified_since=2020-01-01", 3),
        ("q=haushaltsplan&modified_since=2199-01-01", 0),
    ] {
        for stem in ["/catalog.nt", "/federation/catalog.nt"] {
            let page = soest.public(&format!("{stem}?{query}")).await;
            assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.text());
            assert_eq!((datasets(&page).len(), next(&page)), (count, None), "{stem}?{query}");
        }
    }
    let first = soest.public("/catalog.xml?fq=tags:Baum").await;
    assert!(
        first.text().contains(r#"totalItems"#) && first.text().contains("/catalog.xml?page=2"),
        "{}",
        first.text()
    );
    assert!(!first.text().contains("catalog.rdf"), "a walk stays where it began");
    let first = soest.public("/catalog.nt?fq=tags:Baum&profiles=x").await;
    let total = first.text().lines().find(|line| line.contains("hydra/core#totalItems")).unwrap();
    assert!(total.contains("\"103\""), "{total}");
    let to = next(&first).unwrap();
    assert!(to.contains("fq=tags%3ABaum") && to.contains("profiles=x") && to.contains("after="), "{to}");
    let rest = soest.public(&to).await;
    assert_eq!((datasets(&rest).len(), next(&rest)), (3, None));
    assert_eq!(datasets(&soest.public("/catalog.nt?fq=tags:Baum&page=2").await), datasets(&rest));
    assert!(datasets(&soest.public("/catalog.nt?fq=tags:Baum&page=3").await).is_empty());
}

/// Subject, and object as it stands, of each triple of a page.
fn edges(page: &Answer) -> Vec<(String, String)> {
    let edge = |line: &str| {
        let mut parts = line.trim_end_matches(" .").splitn(3, ' ');
        let (subject, _, object) = (parts.next()?, parts.next()?, parts.next()?);
        Some((subject.to_owned(), object.to_owned()))
    };
    page.text().lines().filter_map(edge).collect()
}

/// Subjects that can be reached from a node, as ckanext-dcatde's harvester
/// reaches them before it deletes what they say.
fn reached(edges: &[(String, String)], from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(node) = next.pop() {
        let objects: Vec<&String> =
            edges.iter().filter(|(subject, _)| *subject == node).map(|(_, object)| object).collect();
        if !objects.is_empty() && reached.insert(node) {
            next.extend(objects.into_iter().cloned());
        }
    }
    reached
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_page_whatever_is_reached_from_a_dataset_is_its_own_but_the_publisher() {
    let soest = soest().await;
    let catalog = json!({
        "base_url": "https://daten.soest.example",
        "publisher": {"name": "Stadt Soest", "iri": "https://soest.example/#stadt"},
        "contact": {"name": "Datenmanagement", "email": "opendata@soest.example"},
        "series": {"baeume": {"title": {"de": "Bäume nach Jahren"}, "frequency": "ANNUAL"}},
    });
    let said = soest.desk("PATCH", "/api/v1/catalog", catalog).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.text());
    let series = "https://daten.soest.example/catalog#series-baeume";
    let mut ids = Vec::new();
    for number in 0..3 {
        let mut body = record(&format!("Baumkataster {number}"));
        body["publisher"] = Value::Null;
        body["in_series"] = series.into();
        body["services"] =
            json!({"karten": {"endpoint_url": "https://dienste.soest.example/x", "format": "WFS"}});
        body["department"] = "Grünflächen".into();
        body["distributions"][0]["service"] = "karten".into();
        ids.push(soest.publish(body).await);
    }
    for path in
        ["/catalog.nt".to_owned(), "/federation/catalog.nt".to_owned(), "/catalog.nt?fq=tags:Baum".to_owned()]
    {
        let page = soest.public(&path).await;
        let edges = edges(&page);
        assert_eq!(datasets(&page).len(), 3);
        for dataset in datasets(&page) {
            let own = dataset.trim_end_matches('>').to_owned();
            let reached = reached(&edges, &dataset);
            assert!(reached.len() > 5, "{reached:?}");
            let foreign: Vec<_> = reached.iter().filter(|node| !node.starts_with(&own)).collect();
            assert_eq!(foreign, ["<https://soest.example/#stadt>"], "{path}");
            assert!(edges.contains(&(dataset, format!("<{series}>"))), "the series is named");
        }
        let pointer = page.text().lines().find(|line| line.contains("rdf-schema#seeAlso")).unwrap();
        assert!(pointer.contains("catalog.nt?part=catalog>"), "{pointer}");
    }
    // Described where no dataset is, and in the graph.
    for path in ["/catalog.nt?part=catalog", "/federation/catalog.nt?part=catalog"] {
        let described = soest.public(path).await;
        assert!(
            described
                .text()
                .contains(&format!("<{series}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"))
        );
        assert!(datasets(&described).is_empty(), "{path}");
    }
    let query = "ASK { ?s <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#DatasetSeries> }";
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let asked =
        asked(&soest, Method::GET, &format!("/sparql?query={query}"), header::ACCEPT, "text/csv").await;
    assert!(asked.text().contains("true"), "{}", asked.text());
    // The control: with the series on the page, it would be reached.
    let both =
        [soest.public("/catalog.nt").await.text(), soest.public("/catalog.nt?part=catalog").await.text()]
            .concat();
    let whole = Answer { body: both.into(), ..soest.public("/catalog.nt").await };
    let dataset = &datasets(&whole)[0];
    assert!(reached(&self::edges(&whole), dataset).contains(&format!("<{series}>")));
}
