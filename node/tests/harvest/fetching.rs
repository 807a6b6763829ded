//! Walks through sources that behave, and through those that do not.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crdt::vocabulary::Vocabularies;
use node::harvest::fetch::{FetchError, Fetched, Fetcher, Reach, Validators};
use node::harvest::source::{Kind, SourceSpec};
use node::harvest::walk::{Walk, WalkEnd, walk};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::server::{Answer, Server, page};

const HOUSE: Reach = Reach { private: true, elsewhere: false };

fn fetcher() -> Fetcher {
    Fetcher::with_timeout(HOUSE, Duration::from_secs(5)).unwrap()
}

fn spec(server: &Server, path: &str, kind: Kind) -> SourceSpec {
    SourceSpec {
        name: "quelle".into(),
        url: server.url(path),
        kind,
        interval_s: None,
        allow_private: true,
        allow_redirects: false,
    }
}

fn lists() -> Arc<Vocabularies> {
    Arc::new(Vocabularies::builtin().clone())
}

async fn walked(server: &Server, kind: Kind) -> (WalkEnd, Vec<String>) {
    walked_from(server, "/catalog.ttl", kind).await
}

async fn walked_from(server: &Server, path: &str, kind: Kind) -> (WalkEnd, Vec<String>) {
    let mut keys = Vec::new();
    let known = Validators::default();
    let take = |record: crdt::foreign::ForeignRecord| {
        keys.push(record.key.rsplit('/').next().unwrap().to_owned());
        Ok(())
    };
    let (fetcher, source, lists) = (fetcher(), spec(server, path, kind), lists());
    let stop = CancellationToken::new();
    let how = Walk {
        fetcher: &fetcher,
        source: &source,
        since: None,
        known: &known,
        lists: &lists,
        directory: None,
        stop: &stop,
    };
    let end = walk(how, None, take, |_| {}).await.unwrap();
    (end, keys)
}

#[tokio::test]
async fn a_paged_catalog_is_walked_to_its_end() {
    let server = Server::start().await;
    server.set("/catalog.ttl", Answer::turtle(page([1, 2], Some("/catalog.ttl?page=2"), Some(3))));
    server.set("/catalog.ttl?page=2", Answer::turtle(page([3], None, Some(3))));
    let (end, keys) = walked(&server, Kind::Rdf).await;
    assert_eq!((keys.join(" ").as_str(), &end.incomplete, end.progress.pages), ("1 2 3", &None, 2));
    let heads = server.asked().join("\n").to_lowercase();
    assert!(
        !heads.contains("cookie") && !heads.contains("authorization") && !heads.contains("referer"),
        "{heads}"
    );
}

#[tokio::test]
async fn what_does_not_add_up_deletes_nothing() {
    let server = Server::start().await;
    let first = || Answer::turtle(page([1, 2], Some("/2"), Some(4)));
    for (second, word) in [
        (Answer::turtle(page([3], None, Some(4))), "speaks of 4"),
        (Answer::turtle(page([2, 3, 4], None, Some(4))), "more than once"),
        (Answer::turtle(page([], Some("/3"), Some(4))), "empty"),
        (Answer::turtle(page([3, 4], Some("/catalog.ttl"), Some(4))), "circle"),
        (Answer::turtle(page([3, 4], Some("https://anderswo.example/2"), Some(4))), "leads nowhere"),
        (Answer::Half(page([3, 4], None, Some(4)).into_bytes()), "breaks off"),
        (Answer::turtle(&page([3, 4], None, Some(4)).as_bytes()[..330]), "no valid RDF"),
        (Answer::turtle("<!DOCTYPE html><p>Wartung</p>"), "web page"),
        (Answer::turtle(""), "empty"),
        (Answer::turtle("# nichts\n"), "neither a catalog"),
        (Answer::Status(500, String::new()), "error 500"),
        (Answer::Status(404, String::new()), "error 404"),
    ] {
        server.clear();
        server.set("/catalog.ttl", first());
        server.set("/2", second.clone());
        let (end, keys) = walked(&server, Kind::Rdf).await;
        let problem = end.incomplete.unwrap_or_else(|| panic!("{second:?} counts as complete"));
        assert!(problem.en.contains(word), "{second:?}: {problem}");
        assert!(keys.starts_with(&["1".into(), "2".into()]), "what was read before stays read: {keys:?}");
    }
}

#[tokio::test]
async fn a_ckan_is_walked_by_its_count() {
    let server = Server::start().await;
    let package =
        |number: u32| json!({"id": format!("https://q.example/{number}"), "title": format!("D {number}")});
    let answer = |numbers: &[u32], count: u32| {
        let results: Vec<_> = numbers.iter().map(|number| package(*number)).collect();
        Answer::json(&json!({"success": true, "result": {"count": count, "results": results}}))
    };
    let path = |start: u32| format!("/api/3/action/package_search?sort=id+asc&rows=100&start={start}");
    server.set(&path(0), answer(&[1, 2], 3));
    server.set(&path(2), answer(&[3], 3));
    let (end, keys) = walked_from(&server, "/", Kind::Ckan).await;
    assert_eq!((keys.len(), end.incomplete), (3, None));

    server.set(&path(2), answer(&[], 3));
    let (end, keys) = walked_from(&server, "/", Kind::Ckan).await;
    assert!(keys.len() == 2 && end.incomplete.unwrap().en.contains("empty"));
    server.set(&path(0), Answer::json(&json!({"success": false, "error": {"message": "kaputt"}})));
    let (end, _) = walked_from(&server, "/", Kind::Ckan).await;
    assert!(end.incomplete.unwrap().en.contains("kaputt"));
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let server = Server::start().await;
    let headers = "ETag: \"v1\"\r\nLast-Modified: Mon, 02 Nov 2026 08:00:00 GMT\r\n".to_owned();
    let body = page([1], None, None).into_bytes();
    server.set("/catalog.ttl", Answer::Page { media_type: "text/turtle", headers, body });
    let (end, _) = walked(&server, Kind::Rdf).await;
    assert_eq!(end.validators.etag.as_deref(), Some("\"v1\""));
    server.set("/catalog.ttl", Answer::Status(304, String::new()));
    let source = spec(&server, "/catalog.ttl", Kind::Rdf);
    let (fetcher, lists) = (fetcher(), lists());
    let known = &end.validators;
    let stop = CancellationToken::new();
    let how = Walk {
        fetcher: &fetcher,
        source: &source,
        since: None,
        known,
        lists: &lists,
        directory: None,
        stop: &stop,
    };
    let again = walk(how, None, |_| Ok(()), |_| {}).await.unwrap();
    assert!(again.unchanged && again.validators == end.validators);
    assert!(server.asked().last().unwrap().to_lowercase().contains("if-none-match: \"v1\""));
}

#[tokio::test]
async fn machines_of_the_house_are_not_asked_unless_allowed() {
    let server = Server::start().await;
    server.set("/catalog.ttl", Answer::turtle(page([1], None, None)));
    let careful = Fetcher::new(Reach::default()).unwrap();
    let localhost = server.base.replace("127.0.0.1", "localhost");
    for url in [server.url("/catalog.ttl"), url::Url::parse(&format!("{localhost}/catalog.ttl")).unwrap()] {
        let refused = careful.fetch(&url, &Validators::default()).await.unwrap_err();
        assert!(matches!(refused, FetchError::Refused(_)), "{url}: {refused}");
    }
    assert!(server.asked().is_empty(), "no connection was made");
    assert!(fetcher().fetch(&server.url("/catalog.ttl"), &Validators::default()).await.is_ok());
}

#[tokio::test]
async fn redirects_are_judged_one_by_one() {
    let server = Server::start().await;
    server.set("/catalog.ttl", Answer::turtle(page([1], None, None)));
    server.set("/alt", Answer::Moved("/catalog.ttl".into()));
    server.set("/kreis", Answer::Moved("/kreis".into()));
    server.set("/fremd", Answer::Moved("http://anderswo.example/".into()));
    server.set("/datei", Answer::Moved("file:///etc/passwd".into()));
    server.set("/metadaten", Answer::Moved("http://169.254.169.254/latest/".into()));
    let none = Validators::default();
    let same = fetcher().fetch(&server.url("/alt"), &none).await.unwrap();
    assert!(matches!(same, Fetched::Page { url, .. } if url.path() == "/catalog.ttl"));
    for (path, word) in [
        ("/kreis", "more than"),
        ("/fremd", "another host"),
        ("/datei", "another host"),
        ("/metadaten", "another host"),
    ] {
        let refused = fetcher().fetch(&server.url(path), &none).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{path}: {refused}");
    }
}

#[tokio::test]
async fn endless_silent_and_packed_answers_have_an_end() {
    let server = Server::start().await;
    server.set("/endlos", Answer::Endless);
    server.set("/stumm", Answer::Silence);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&vec![b' '; 50_000_000]).unwrap();
    let bomb = packer.finish().unwrap();
    let headers = "Content-Encoding: gzip\r\n".to_owned();
    server.set("/bombe", Answer::Page { media_type: "text/turtle", headers, body: bomb });
    let none = Validators::default();
    let long = Fetcher::with_timeout(HOUSE, Duration::from_secs(60)).unwrap();
    for path in ["/endlos", "/bombe"] {
        let refused = long.fetch(&server.url(path), &none).await.unwrap_err();
        assert!(matches!(refused, FetchError::TooLarge(_)), "{path}: {refused}");
    }
    let hasty = Fetcher::with_timeout(HOUSE, Duration::from_millis(200)).unwrap();
    let refused = hasty.fetch(&server.url("/stumm"), &none).await.unwrap_err();
    assert!(matches!(refused, FetchError::Unreachable(_)), "{refused}");
}

#[tokio::test]
async fn a_source_says_when_it_wants_to_be_asked_again() {
    let server = Server::start().await;
    server.set("/catalog.ttl", Answer::Status(503, "Retry-After: 120\r\n".into()));
    let (end, _) = walked(&server, Kind::Rdf).await;
    assert_eq!((end.retry_after_s, end.progress.records), (Some(120), 0));
}
