//! Atom, the sitemap, and what the pages say to search engines.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::exchange::Olpe;
use crate::support::xml::Element;
use crate::support::{Soest, record, send};
use crate::world;

/// A feed, checked for what RFC 4287 asks of each.
async fn feed(soest: &Soest, path: &str) -> Element {
    let answer = soest.public(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/atom+xml; charset=utf-8");
    let feed = Element::parse(answer.text());
    assert_eq!((feed.namespace.as_str(), feed.name.as_str()), ("http://www.w3.org/2005/Atom", "feed"));
    for entry in feed.all("entry").chain([&feed]) {
        for name in ["id", "title", "updated", "author"] {
            assert_eq!(entry.all(name).count(), 1, "{path}: one {name}");
        }
        let updated = entry.text_of("updated").unwrap();
        assert_eq!(crdt::catalog::Timestamp::parse(updated).unwrap().to_string(), updated);
    }
    assert!(link(&feed, "self").is_some());
    feed
}

fn link(feed: &Element, relation: &str) -> Option<String> {
    let link = feed.all("link").find(|link| link.attribute("rel") == Some(relation))?;
    // Tests ask without a socket: the path is enough.
    Some(link.attribute("href").unwrap().strip_prefix("http://localhost").unwrap().to_owned())
}

/// The ids of a feed's entries and of its withdrawals.
fn ids(feed: &Element) -> (Vec<String>, Vec<String>) {
    let id = |text: &str| text.strip_prefix("urn:uuid:").unwrap().to_owned();
    let entries = feed.all("entry").map(|entry| id(entry.text_of("id").unwrap())).collect();
    let deleted = feed.all("deleted-entry");
    (entries, deleted.map(|one| id(one.attribute("ref").unwrap())).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_answer_already_is_not_sent_it_again() {
    let (soest, _) = world().await;
    let trees = soest.publish(record("Baumkataster")).await;
    for path in ["/feeds/dataset.atom", "/feed", "/sitemap.xml", "/catalog.ttl", "/federation/catalog.rdf"] {
        let ask = async |tag: &str| {
            let request = Request::get(path).header(header::IF_NONE_MATCH, tag).body(Body::empty()).unwrap();
            send(&soest.public, request).await
        };
        let first = soest.public(path).await;
        let tag = first.header(header::ETAG).to_owned();
        assert!(tag.starts_with("W/\"") && first.status == StatusCode::OK, "{path}: {tag}");
        let again = ask(&format!("\"other\", {tag}")).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(again.header(header::ETAG), tag);
        assert_eq!(ask("\"other\"").await.body, first.body, "{path}");
        let edit = json!({"description": format!("Neu vor {path}")});
        soest.desk("PATCH", &format!("/api/v1/datasets/{trees}"), edit).await;
        let fresh = ask(&tag).await;
        if path != "/sitemap.xml" {
            assert!(fresh.status == StatusCode::OK && fresh.header(header::ETAG) != tag, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feeds_walk_back_through_the_log_and_tell_of_withdrawals() {
    let (soest, clock) = world().await;
    let mut all = Vec::new();
    for number in 0..45 {
        clock.pass(1);
        all.push(soest.publish(record(&format!("Kataster {number}"))).await);
    }
    let olpe = Olpe::open(&soest);
    let theirs = olpe.publish(record("Olper Bäume")).await.to_string();
    soest.receive(&olpe).await;
    soest.withdraw(&all[44]).await;
    soest.withdraw(&all[3]).await;

    let (mut entries, mut deleted, mut pages) = (Vec::new(), Vec::new(), 0);
    let mut next = Some("/feeds/dataset.atom".to_owned());
    while let Some(path) = next {
        let page = feed(&soest, &path).await;
        assert_eq!(link(&page, "self").as_ref(), Some(&path));
        let (some, gone) = ids(&page);
        assert!(some.len() + gone.len() <= 20);
        entries.extend(some);
        deleted.extend(gone);
        pages += 1;
        next = link(&page, "next");
    }
    assert_eq!((pages, deleted), (3, vec![all[3].clone(), all[44].clone()]));
    let mut expected = all.clone();
    expected.retain(|id| *id != all[3] && *id != all[44]);
    expected.push(theirs.clone());
    expected.reverse();
    assert_eq!(entries, expected, "newest first, the late arrival from Olpe too");

    let numbered = feed(&soest, "/feeds/dataset.atom?page=2").await;
    assert_eq!(ids(&numbered).0, expected[18..38], "both withdrawals are on the first");
    assert_eq!(link(&numbered, "self").unwrap(), "/feeds/dataset.atom?page=2");
    assert!(link(&numbered, "next").unwrap().contains("?before="));
    assert_eq!(ids(&feed(&soest, "/feeds/dataset.atom?page=9").await).0, [""; 0]);

    for town in ["olpe", "05966024"] {
        let of_olpe = feed(&soest, &format!("/feeds/organization/{town}.atom")).await;
        assert_eq!(ids(&of_olpe), (vec![theirs.clone()], vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn themes_keywords_and_searches_have_feeds_too() {
    let (soest, _) = world().await;
    let mut roads = record("Straßen & <Wege>");
    roads["themes"] = json!(["TRAN"]);
    roads["keywords"] = json!({"de": ["Straße \"A\""]});
    let roads = soest.publish(roads).await;
    for number in 0..22 {
        soest.publish(record(&format!("Kataster {number}"))).await;
    }
    soest.settle().await;
    for path in [
        "/feeds/group/tran.atom",
        "/feeds/group/TRAN.atom",
        "/feeds/tag/Stra%C3%9Fe%20%22A%22.atom",
        "/feeds/custom.atom?q=Wege",
        "/feeds/custom.atom?groups=tran&organization=soest&tags=Stra%C3%9Fe+%22A%22",
    ] {
        let found = feed(&soest, path).await;
        assert_eq!(ids(&found).0, [roads.as_str()], "{path}");
        assert_eq!(found.child("entry").text_of("title"), Some("Straßen & <Wege>"));
        let again = feed(&soest, &link(&found, "self").unwrap()).await;
        assert_eq!(ids(&again).0, [roads.as_str()], "{path}: the link to itself leads there");
    }
    let both = feed(&soest, "/feeds/custom.atom?tags=Stra%C3%9Fe+%22A%22&tags=Baum").await;
    assert_eq!(ids(&both).0.len(), 0, "no dataset has both keywords");
    let first = feed(&soest, "/feeds/custom.atom?q=*:*").await;
    assert_eq!((ids(&first).0.len(), link(&first, "previous")), (20, None));
    let second = feed(&soest, &link(&first, "next").unwrap()).await;
    assert_eq!((ids(&second).0.len(), link(&second, "next")), (3, None));
    assert_eq!(link(&first, "last"), link(&second, "self"));
    let (one, other) = (ids(&first).0, ids(&second).0);
    assert_eq!(one.iter().chain(&other).collect::<BTreeSet<_>>().len(), 23);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_feed_is_refused_with_its_remedy_and_an_unknown_one_is_not_found() {
    let (soest, _) = world().await;
    for (path, status, code, remedy) in [
        ("/feeds/dataset.atom?before=x", 400, "invalid_parameter", "`next`"),
        ("/feeds/dataset.atom?page=0", 400, "invalid_parameter", "from 1 to"),
        ("/feeds/dataset.atom?offset=2", 400, "unknown_parameter", "before, page"),
        ("/feeds/group/envi.atom?page=0", 400, "invalid_parameter", "from 1 to"),
        ("/feeds/custom.atom?organization=sost", 400, "invalid_parameter", "soest"),
        ("/feeds/custom.atom?groups=x", 400, "invalid_parameter", "envi"),
        ("/feeds/custom.atom?page=1&page=2", 400, "repeated_parameter", "once"),
        ("/feeds/custom.atom?quary=x", 400, "unknown_parameter", "q, organization"),
        ("/feeds/organization/muenster.atom", 404, "not_found", "search"),
        ("/feeds/organization/soest", 404, "not_found", "search"),
        ("/feeds/group/x.atom", 404, "not_found", "search"),
        ("/sitemap/x.xml", 404, "not_found", "search"),
    ] {
        let answer = soest.public(path).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (status, code), "{path}");
        assert!(
            answer.json()["error"]["remedy"].as_str().unwrap().contains(remedy),
            "{path}: {}",
            answer.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sitemap_names_the_towns_own_pages() {
    let (soest, clock) = world().await;
    let olpe = Olpe::open(&soest);
    olpe.publish(record("Olper Bäume")).await;
    soest.receive(&olpe).await;
    let ours = [soest.publish(record("Eins")).await, soest.publish(record("Zwei")).await];
    soest.create(record("Geheim")).await;
    clock.pass(3_600);
    let edited =
        soest.desk("PATCH", &format!("/api/v1/datasets/{}", ours[0]), json!({"title": {"de": "Neu"}})).await;
    assert_eq!(edited.status, StatusCode::OK);
    let gone = soest.publish(record("Drei")).await;
    soest.withdraw(&gone).await;

    let robots = soest.public("/robots.txt").await;
    assert!(robots.text().ends_with("Sitemap: http://localhost/sitemap.xml\n"), "{}", robots.text());
    let index = Element::parse(soest.public("/sitemap.xml").await.text());
    let mut found = Vec::new();
    for part in index.all("sitemap") {
        let path = part.text_of("loc").unwrap().strip_prefix("http://localhost").unwrap();
        let page = Element::parse(soest.public(path).await.text());
        assert_eq!(page.namespace, "http://www.sitemaps.org/schemas/sitemap/0.9");
        for url in page.all("url") {
            found.push((url.text_of("loc").unwrap().to_owned(), url.text_of("lastmod").map(str::to_owned)));
        }
    }
    let mut expected =
        vec![("http://localhost/".to_owned(), None), ("http://localhost/federation".to_owned(), None)];
    for (id, changed) in [(&ours[0], "2026-11-18T12:06:40Z"), (&ours[1], "2026-11-18T11:06:40Z")] {
        expected.push((format!("http://localhost/dataset/{id}"), Some(changed.to_owned())));
    }
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    for (page, _) in found {
        let answer = soest.public(page.strip_prefix("http://localhost").unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
    }
}

/// What a page says in JSON-LD.
fn linked(html: &str) -> Value {
    let (_, rest) = html.split_once("<script type=\"application/ld+json\">").expect("JSON-LD");
    let (json, _) = rest.split_once("</script>").unwrap();
    assert!(!json.contains('<'), "{json}");
    serde_json::from_str(json).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_to_search_engines_in_the_words_of_schema_org() {
    let (soest, _) = world().await;
    let hostile = "</script><script>alert(1)</script><!--";
    let mut body = record(hostile);
    body["temporal"] = json!({"start": "2020-01-01"});
    body["spatial"] = json!({"bbox": "8.02,51.5,8.2,51.62"});
    let id = soest.publish(body).await;
    let page = soest.public(&format!("/dataset/{id}")).await;
    let dataset = linked(page.text());
    assert_eq!((&dataset["@type"], &dataset["name"]), (&json!("Dataset"), &json!(hostile)));
    assert_eq!(dataset["@id"], format!("urn:uuid:{id}"));
    assert_eq!(dataset["url"], format!("http://localhost/dataset/{id}"));
    assert_eq!(dataset["license"], "http://dcat-ap.de/def/licenses/dl-zero-de/2.0");
    assert_eq!(dataset["publisher"]["name"], "Stadt Soest");
    assert_eq!(dataset["temporalCoverage"], "2020-01-01/..");
    assert_eq!(dataset["spatialCoverage"]["geo"]["box"], "51.5 8.02 51.62 8.2");
    assert_eq!(dataset["distribution"][0]["@type"], "DataDownload");
    assert_eq!(dataset["distribution"][0]["url"], "https://daten.soest.example/x.csv");
    assert_eq!(dataset["includedInDataCatalog"]["@type"], "DataCatalog");
    assert!(!page.text().contains("<script>alert") && !page.text().contains("geheime Notiz"));
    // The policy allows no inline script; this is none.
    assert!(page.header(header::CONTENT_SECURITY_POLICY).contains("script-src 'self';"));

    let request = Request::get("/").header(header::ACCEPT, "text/html").body(Body::empty());
    let portal = send(&soest.public, request.unwrap()).await;
    assert_eq!(linked(portal.text())["url"], "http://localhost/");
    assert!(portal.text().contains("type=\"application/atom+xml\""));
}
