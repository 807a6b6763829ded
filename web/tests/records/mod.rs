//! OGC API – Records as its clients use it: what they ask first, how they
//! search, page and read, and what they are told when they ask wrongly.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Answer, Soest, record, send, soest};

mod filter;
mod oracle;

const GEOJSON: &str = "application/geo+json";

/// Records of one town with what GIS programs look for.
async fn filled() -> (Soest, Vec<String>) {
    let soest = soest().await;
    let mut ids = Vec::new();
    let rows = [
        ("Baumkataster", "8.02,51.5,8.2,51.62", "2020-01-01", "2020-12-31", "ENVI"),
        ("Baumschutzsatzung", "7.77,50.98,7.93,51.09", "2022-01-01", "", "JUST"),
        ("Haushaltsplan", "", "", "", "ECON"),
    ];
    for (title, bbox, start, end, theme) in rows {
        let mut one = record(title);
        if !bbox.is_empty() {
            one["spatial"] = json!({"bbox": bbox});
        }
        let days = [("start", start), ("end", end)].into_iter().filter(|(_, day)| !day.is_empty());
        for (name, day) in days {
            one["temporal"][name] = json!(day);
        }
        one["themes"] = json!([theme]);
        one["distributions"] = json!([
            {"access_url": "https://geo.soest.example/wfs", "format": "WFS", "title": {"de": "Dienst"}},
            {"access_url": "https://daten.soest.example/x", "format": "CSV",
             "download_url": "https://daten.soest.example/x.csv", "media_type": "text/csv"},
        ]);
        ids.push(soest.publish(one).await);
    }
    (soest, ids)
}

async fn found(soest: &Soest, query: &str) -> Value {
    let answer = soest.public(&format!("/collections/federation/items{query}")).await;
    assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, GEOJSON), "{query}");
    let page = answer.json();
    assert_eq!(page["type"], "FeatureCollection");
    assert_eq!(page["numberReturned"], page["features"].as_array().unwrap().len(), "{query}");
    page
}

fn titles(page: &Value) -> Vec<&str> {
    let features = page["features"].as_array().unwrap().iter();
    let mut titles: Vec<&str> =
        features.map(|feature| feature["properties"]["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    titles
}

/// The query finds exactly these titles.
async fn check(soest: &Soest, query: &str, expected: &[&str]) {
    let page = found(soest, query).await;
    assert_eq!(titles(&page), expected, "{query}");
    assert_eq!(page["numberMatched"], expected.len(), "{query}");
}

fn link<'a>(document: &'a Value, rel: &str) -> Option<&'a str> {
    let links = document["links"].as_array().unwrap();
    links.iter().find(|link| link["rel"] == rel)?["href"].as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_finds_its_way_from_the_landing_page_to_a_record() {
    let (soest, ids) = filled().await;
    let landing = soest.public("/").await;
    assert_eq!(landing.header(header::CONTENT_TYPE), "application/json");
    assert_eq!(landing.body, soest.public("/ogc").await.body);
    let landing = landing.json();
    let description = landing["links"].as_array().unwrap().iter().find(|link| link["rel"] == "service-desc");
    assert_eq!(description.unwrap()["type"], "application/vnd.oai.openapi+json;version=3.0");

    let path = |url: &str| url.strip_prefix("http://localhost").unwrap().to_owned();
    let follow = async |document: &Value, rel: &str| {
        let answer = soest.public(&path(link(document, rel).unwrap())).await;
        assert_eq!(answer.status, StatusCode::OK, "{rel}");
        answer
    };
    let openapi = follow(&landing, "service-desc").await;
    assert_eq!(openapi.header(header::CONTENT_TYPE), "application/vnd.oai.openapi+json;version=3.0");
    assert_eq!(openapi.json()["openapi"], "3.0.3");
    let conformance = follow(&landing, "conformance").await.json();
    assert!(conformance["conformsTo"].as_array().unwrap().len() > 5);

    let collections = follow(&landing, "data").await.json();
    let all = collections["collections"].as_array().unwrap();
    let of_all =
        |name: &str| all.iter().map(|one| one[name].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(of_all("id"), ["federation", "olpe", "soest"]);
    assert_eq!(of_all("itemType"), ["record", "record", "record"]);
    let own = all.iter().find(|one| one["id"] == "soest").unwrap();
    assert_eq!(follow(own, "self").await.json(), *own);
    let queryables = follow(own, "http://www.opengis.net/def/rel/ogc/1.0/queryables").await;
    assert_eq!(queryables.header(header::CONTENT_TYPE), "application/schema+json");
    assert_eq!(queryables.json()["properties"]["town"]["enum"], json!(["olpe", "soest"]));

    let page = follow(own, "items").await.json();
    assert_eq!(page["numberMatched"], 3);
    for feature in page["features"].as_array().unwrap() {
        assert!(ids.contains(&feature["id"].as_str().unwrap().to_owned()));
        assert_eq!(follow(feature, "self").await.json(), *feature);
    }
    let none = soest.public("/collections/olpe/items").await.json();
    assert_eq!((&none["numberMatched"], &none["features"]), (&json!(0), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_what_gis_programs_need() {
    let (soest, ids) = filled().await;
    let answer = soest.public(&format!("/collections/soest/items/{}", ids[0])).await;
    assert_eq!(answer.header(header::CONTENT_TYPE), GEOJSON);
    let record = answer.json();
    assert_eq!(record["id"], ids[0]);
    // Clients take the first and the third corner for the bounds.
    let ring = &record["geometry"]["coordinates"][0];
    assert_eq!((&ring[0], &ring[2]), (&json!([8.02, 51.5]), &json!([8.2, 51.62])));
    assert_eq!(record["time"], json!({"interval": ["2020-01-01", "2020-12-31"]}));
    let properties = &record["properties"];
    assert_eq!((&properties["type"], &properties["title"]), (&json!("dataset"), &json!("Baumkataster")));
    assert_eq!(properties["license"], "DL-DE-ZERO-2.0");
    assert_eq!(properties["themes"][0]["concepts"][0]["id"], "ENVI");
    assert!(
        properties["formats"].as_array().unwrap().contains(&json!({"name": "CSV", "mediaType": "text/csv"}))
    );
    assert_eq!(properties["contacts"][1]["emails"][0]["value"], "opendata@soest.example");
    assert_eq!(link(&record, "enclosure"), Some("https://daten.soest.example/x.csv"));
    assert_eq!(link(&record, "service"), Some("https://geo.soest.example/wfs"));
    let text = answer.text();
    assert!(text.contains("\"OGC:WFS\"") && !text.contains("geheime Notiz") && !text.contains("gruen@"));
    let without = soest.public(&format!("/collections/soest/items/{}", ids[2])).await.json();
    assert_eq!((&without["geometry"], &without["time"]), (&Value::Null, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_by_words_place_time_and_property() {
    let (soest, ids) = filled().await;
    let (trees, rules, budget) = ("Baumkataster", "Baumschutzsatzung", "Haushaltsplan");
    check(&soest, "", &[trees, rules, budget]).await;
    check(&soest, "?q=Kataster", &[trees]).await;
    check(&soest, "?q=Kataster+Xylophonquarz", &[]).await;
    check(&soest, "?q=Kataster+Xylophonquarz,Haushaltsplan", &[budget]).await;
    check(&soest, "?keywords=Baum&themes=JUST", &[rules]).await;
    check(&soest, "?keywords=Bau", &[]).await;
    // Records without a place or a time are found too, as the standard wants.
    check(&soest, "?bbox=8,51.4,8.1,51.6", &[trees, budget]).await;
    check(&soest, "?bbox=-180,-90,180,90", &[trees, rules, budget]).await;
    check(&soest, "?datetime=2020-06-01", &[trees, budget]).await;
    check(&soest, "?datetime=2021-01-01/2021-12-31", &[budget]).await;
    check(&soest, "?datetime=2021-01-01/..", &[rules, budget]).await;
    check(&soest, "?themes=ENVI,JUST", &[trees, rules]).await;
    check(&soest, "?town=soest&themes=ECON", &[budget]).await;
    check(&soest, "?town=olpe", &[]).await;
    check(&soest, "?type=service", &[]).await;
    check(&soest, &format!("?ids={},{}", ids[0], ids[2]), &[trees, budget]).await;
    let identifier =
        found(&soest, "?q=Haushaltsplan").await["features"][0]["properties"]["externalIds"][0]["value"]
            .as_str()
            .unwrap()
            .to_owned();
    check(&soest, &format!("?externalIds={identifier}"), &[budget]).await;
    check(&soest, "?updated=2000-01-01/..", &[trees, rules, budget]).await;
    check(&soest, "?updated=../2000-01-01", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_walked_by_their_links() {
    let (soest, _) = filled().await;
    for query in ["?limit=1", "?limit=2&sortby=title", "?limit=1&q=Baum*&themes=ENVI,JUST"] {
        let mut address = format!("/collections/federation/items{query}");
        let (mut seen, mut matched) = (Vec::new(), 0);
        for _ in 0..10 {
            let page = soest.public(&address).await.json();
            matched = page["numberMatched"].as_u64().unwrap();
            seen.extend(page["features"].as_array().unwrap().iter().map(|one| one["id"].to_string()));
            let Some(next) = link(&page, "next") else { break };
            assert_ne!(Some(next), link(&page, "self"));
            address = next.strip_prefix("http://localhost").unwrap().to_owned();
        }
        let walked = seen.len() as u64;
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((walked, seen.len() as u64), (matched, matched), "{query}");
    }
    // Without words, the link names the last id seen: a record made meanwhile changes nothing of it.
    let first = found(&soest, "?limit=1").await;
    let last = first["features"][0]["id"].as_str().unwrap();
    assert!(link(&first, "next").unwrap().ends_with(&format!("?limit=1&after={last}")));
    let by_title = |page: &Value| -> Vec<String> {
        let features = page["features"].as_array().unwrap().iter();
        features.map(|one| one["properties"]["title"].as_str().unwrap().to_owned()).collect()
    };
    let mut titles = by_title(&found(&soest, "?sortby=-title").await);
    titles.reverse();
    assert_eq!(titles, ["Baumkataster", "Baumschutzsatzung", "Haushaltsplan"]);
    assert_eq!(titles, by_title(&found(&soest, "?sortby=%2Btitle").await));
    let second = found(&soest, "?limit=1&offset=1").await;
    let before = link(&second, "prev").unwrap().strip_prefix("http://localhost").unwrap().to_owned();
    assert_eq!(soest.public(&before).await.json()["features"], found(&soest, "?limit=1").await["features"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_the_form_of_ogc_apis() {
    let (soest, _) = filled().await;
    let cases = [
        ("?limit=0", "limit"),
        ("?limit=many", "limit"),
        ("?offset=-1", "offset"),
        ("?bbox=1,2,3", "bbox"),
        ("?datetime=gestern", "datetime"),
        ("?themes=ENVY", "ENVI"),
        ("?sortby=colour", "title"),
        ("?colour=red", "colour"),
        ("?f=xml", "json"),
        ("?after=x", "next"),
    ];
    for (query, word) in cases {
        let answer = soest.public(&format!("/collections/federation/items{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/json");
        let refusal = answer.json();
        assert_eq!(refusal["code"], "InvalidParameterValue");
        assert!(refusal["description"].as_str().unwrap().contains(word), "{refusal}");
        assert_ne!(refusal["description"], refusal["description_de"]);
    }
    let (closed, unknown) = (soest.create(record("Geheim")).await, "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10");
    let mut answers = Vec::new();
    for path in [
        format!("/collections/soest/items/{closed}"),
        format!("/collections/soest/items/{unknown}"),
        "/collections/soest/items/%ff".to_owned(),
        "/collections/atlantis".to_owned(),
        "/collections/atlantis/items".to_owned(),
        "/collections/%ff/queryables".to_owned(),
    ] {
        let answer = soest.public(&path).await;
        assert_eq!((answer.status, &answer.json()["code"]), (StatusCode::NOT_FOUND, &json!("NotFound")));
        answers.push((answer.headers, answer.body));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "all look the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_sent_to_the_portal_and_the_portal_stays_a_page() {
    let (soest, ids) = filled().await;
    let item = format!("/collections/federation/items/{}", ids[0]);
    let cases = [
        ("/ogc", "/".to_owned()),
        ("/collections", "/federation".to_owned()),
        ("/collections/soest", "/?town=soest".to_owned()),
        ("/collections/soest/items?q=Baum", "/?q=Baum&town=soest".to_owned()),
        (item.as_str(), format!("/dataset/{}", ids[0])),
    ];
    for (path, page) in cases {
        let sent: Answer = soest.page(path).await;
        assert_eq!((sent.status, sent.header(header::LOCATION)), (StatusCode::SEE_OTHER, page.as_str()));
        assert_eq!(soest.page(&page).await.status, StatusCode::OK, "{page}");
        let joint = if path.contains('?') { '&' } else { '?' };
        let json = soest.page(&format!("{path}{joint}f=json")).await;
        assert_eq!(json.status, StatusCode::OK, "{path}");
    }
    assert!(soest.page("/").await.text().starts_with("<!doctype html>"));
    let moved = soest.public("/ogc/collections/soest?f=json").await;
    assert_eq!(moved.header(header::LOCATION), "/collections/soest?f=json");
    for hostile in ["/ogc//evil.example", "/ogc/%2F/evil.example", "/ogc/ogc//evil.example"] {
        assert_eq!(soest.public(hostile).await.status, StatusCode::NOT_FOUND, "{hostile}");
    }
    for hostile in ["/ogc//collections//evil.example", "/ogc/collections/../../evil.example"] {
        let to = soest.public(hostile).await.header(header::LOCATION).to_owned();
        assert!(to.starts_with('/') && !to.starts_with("//"), "{hostile}: {to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn titles_come_in_the_language_that_is_asked_for() {
    let soest = soest().await;
    let mut both = record("Baumkataster");
    both["title"]["en"] = json!("Tree register");
    soest.publish(both).await;
    for (asked, title, code) in [("en-GB,en;q=0.9", "Tree register", "en"), ("fr", "Baumkataster", "de")] {
        let request = Request::get("/collections/soest/items").header(header::ACCEPT_LANGUAGE, asked);
        let page = send(&soest.public, request.body(Body::empty()).unwrap()).await.json();
        let properties = &page["features"][0]["properties"];
        assert_eq!((&properties["title"], &properties["language"]["code"]), (&json!(title), &json!(code)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_at_the_end_makes_no_difference_and_errors_are_of_ogcs_form() {
    let soest = soest().await;
    let id = soest.publish(record("Baumkataster")).await;
    for path in [
        "/ogc".to_owned(),
        "/conformance".to_owned(),
        "/collections".to_owned(),
        "/collections/soest".to_owned(),
        "/collections/soest/queryables".to_owned(),
        "/collections/soest/sortables".to_owned(),
        "/collections/soest/items".to_owned(),
        format!("/collections/soest/items/{id}"),
    ] {
        let (plain, slashed) = (soest.public(&path).await, soest.public(&format!("{path}/")).await);
        assert_eq!((slashed.status, plain.status), (StatusCode::OK, StatusCode::OK), "{path}");
        let stamp = |answer: &Answer| {
            let mut said = answer.json();
            said.as_object_mut().unwrap().remove("timeStamp");
            said
        };
        assert_eq!(stamp(&plain), stamp(&slashed), "{path}");
    }
    for path in
        ["/ogc/nichts", "/ogc/%FF", "/collections/nichts/", "/collections/soest/nichts", "/collections//"]
    {
        let answer = soest.page(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json()["code"], "NotFound", "{path}");
    }
}
