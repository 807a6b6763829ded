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
        ("profiles=x", "profiles"),
    ] {
        let wrong = soest.public(&format!("/catalog.ttl?{query}")).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{query}");
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
