//! Filters in CQL2 over the interface: what they find, in both languages, by
//! `GET` and by `POST`, page by page, and how a wrong one is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use crdt::ids::UnixMillis;
use node::config::Config;
use node::handle::OpenOptions;
use serde_json::{Value, json};

use super::oracle::{Chance, condition};
use super::{found, link, titles};
use crate::support::{Answer, Soest, record, send, soest_with};

/// 2026-01-10T08:00:00Z.
const BEGIN_MS: i64 = 1_768_032_000_000;
const DAY_MS: i64 = 86_400_000;

/// Title, keywords, themes, format, licence, rectangle, first and last day.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
    [&'static str; 2],
);

#[rustfmt::skip]
const ROWS: [Row; 12] = [
    ("Baumkataster", &["Baum", "Grün"], &["ENVI"], "CSV", "dl-zero-de/2.0", "8.02,51.5,8.2,51.62", ["2020-01-01", "2020-12-31"]),
    ("BAUMSCHUTZSATZUNG", &["Baum"], &["JUST", "ENVI"], "PDF", "cc-by/4.0", "7.77,50.98,7.93,51.09", ["2022-01-01", ""]),
    ("Haushaltsplan", &[], &["ECON"], "XLSX", "dl-by-de/2.0", "", ["", ""]),
    ("Straßenverzeichnis", &["Straße", "Verkehr"], &["TRAN"], "CSV", "dl-zero-de/2.0", "8.0,51.4,8.3,51.7", ["", "2019-06-30"]),
    ("strassenbaustellen", &["Strasse", "Verkehr", "100%"], &["TRAN"], "GEOJSON", "dl-zero-de/2.0", "8.1,51.55,8.1,51.55", ["2026-01-01", "2026-12-31"]),
    ("Müllabfuhrtermine", &["Müll", "Abfall"], &["ENVI", "GOVE"], "ICS", "odby", "8.02,51.5,8.2,51.62", ["2026-01-01", "2026-12-31"]),
    ("Cafés und Gaststätten", &["Café"], &["SOCI"], "CSV", "dl-zero-de/2.0", "8.105,51.57,8.11,51.575", ["2023-05-01", "2023-05-01"]),
    ("Wahlergebnisse 2025", &["Wahl"], &["GOVE"], "CSV", "dl-zero-de/2.0", "", ["2025-09-14", "2025-09-14"]),
    ("Bebauungspläne", &["Plan_B", "Bau"], &["REGI"], "WFS", "dl-zero-de/2.0", "8.02,51.5,8.2,51.62", ["", ""]),
    ("Baulücken", &["Bau"], &["REGI", "ECON"], "WMS", "geonutz/20130319", "7.9,51.5,8.05,51.55", ["2020-06-01", "2021-05-31"]),
    ("Spielplätze", &["Kinder", "Grün"], &["SOCI"], "GEOJSON", "cc-zero", "8.08,51.56,8.14,51.6", ["2018-01-01", "2020-12-31"]),
    ("Bürger's Rat", &["Wahl", "Bürger"], &["GOVE"], "PDF", "dl-zero-de/2.0", "8.1,51.57,8.2,51.57", ["2024-01-01", ""]),
];

/// A town whose records were each published on a day of their own.
async fn filled() -> Soest {
    let now = Arc::new(AtomicI64::new(BEGIN_MS));
    let hand = Arc::clone(&now);
    let clock: node::ledger::Clock = Arc::new(move || UnixMillis(hand.load(Ordering::SeqCst)));
    let soest = soest_with(OpenOptions { clock, ..OpenOptions::default() }, Config::default()).await;
    let mut first = None;
    for (title, keywords, themes, format, licence, bbox, [start, end]) in ROWS {
        let mut one = record(title);
        one["keywords"] = json!({"de": keywords});
        one["themes"] = json!(themes);
        one["formats"] = json!([]);
        one["attribution"] = json!("Stadt Soest");
        one["licence"] = json!(format!("http://dcat-ap.de/def/licenses/{licence}"));
        one["distributions"] = json!([{"access_url": "https://daten.soest.example/x", "format": format}]);
        if !bbox.is_empty() {
            one["spatial"] = json!({"bbox": bbox});
        }
        for (name, day) in [("start", start), ("end", end)].into_iter().filter(|(_, day)| !day.is_empty()) {
            one["temporal"][name] = json!(day);
        }
        let id = soest.publish(one).await;
        first.get_or_insert(id);
        now.fetch_add(DAY_MS + 3_600_500, Ordering::SeqCst);
    }
    // The first was changed since, so that its two moments differ.
    let path = format!("/api/v1/datasets/{}", first.unwrap());
    let edit = json!({"description": {"de": "Alle Bäume der Stadt, seit neuestem mit Pflanzjahr."}});
    assert_eq!(soest.desk("PATCH", &path, edit).await.status, StatusCode::OK);
    soest.settle().await;
    // A closed one that every filter below would find.
    soest.create(record("Baumkataster Geheim")).await;
    soest
}

fn form(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn by_post(soest: &Soest, query: &str, media_type: &str, body: impl Into<Body>) -> Answer {
    let path = format!("/collections/federation/items{query}");
    let request = Request::post(path).header(header::CONTENT_TYPE, media_type).body(body.into()).unwrap();
    send(&soest.public, request).await
}

/// The filter finds exactly these titles, written as text.
async fn check(soest: &Soest, filter: &str, expected: &[&str]) {
    let page = found(soest, &format!("?limit=100&filter={}", form(filter))).await;
    assert_eq!(titles(&page), expected, "{filter}");
    assert_eq!(page["numberMatched"], expected.len(), "{filter}");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_what_they_say() {
    let soest = filled().await;
    let (trees, rules, roads, works) =
        ("Baumkataster", "BAUMSCHUTZSATZUNG", "Straßenverzeichnis", "strassenbaustellen");
    check(&soest, "title = 'Baumkataster'", &[trees]).await;
    check(&soest, "title LIKE '%kataster'", &[trees]).await;
    check(&soest, "CASEI(title) LIKE CASEI('baum%')", &[rules, trees]).await;
    check(&soest, "CASEI(title) LIKE CASEI('STRASSEN%')", &[roads, works]).await;
    check(&soest, "ACCENTI(title) LIKE '%plane'", &["Bebauungspläne"]).await;
    check(&soest, "title = 'Bürger''s Rat'", &["Bürger's Rat"]).await;
    check(&soest, "keywords LIKE '%\\%'", &[works]).await;
    check(&soest, "keywords LIKE 'Plan\\_B' AND formats = 'WFS'", &["Bebauungspläne"]).await;
    check(&soest, "keywords IS NULL", &["Haushaltsplan"]).await;
    check(&soest, "license IN ('CC-BY-4.0', 'ODC-By-1.0')", &[rules, "Müllabfuhrtermine"]).await;
    check(&soest, "license = 'other'", &["Baulücken"]).await;
    check(&soest, "license LIKE 'http://dcat-ap.de/%/odby'", &["Müllabfuhrtermine"]).await;
    check(&soest, "created = DATE('2026-01-10')", &[trees]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_and_times_are_compared_as_the_standard_has_it() {
    let soest = filled().await;
    let (trees, works, cafes) = ("Baumkataster", "strassenbaustellen", "Cafés und Gaststätten");
    check(&soest, "S_INTERSECTS(geometry, POINT(7.8 51))", &["BAUMSCHUTZSATZUNG"]).await;
    check(&soest, "S_INTERSECTS(geometry, BBOX(7.93, 51.09, 8, 51.3))", &["BAUMSCHUTZSATZUNG"]).await;
    check(&soest, "S_INTERSECTS(geometry, BBOX(7.9300001, 51.09, 8, 51.3))", &[]).await;
    check(&soest, "geometry IS NULL", &["Haushaltsplan", "Wahlergebnisse 2025"]).await;
    // A triangle whose box holds more than it does.
    let triangle = "POLYGON((8.1 51.55, 8.12 51.55, 8.1 51.5, 8.1 51.55))";
    let around = ["Baumkataster", "Bebauungspläne", "Müllabfuhrtermine", "Straßenverzeichnis", works];
    check(&soest, &format!("S_INTERSECTS(geometry, {triangle})"), &around).await;
    let not = format!("geometry IS NOT NULL AND NOT S_INTERSECTS({triangle}, geometry) AND town = 'soest'");
    let others = ["BAUMSCHUTZSATZUNG", "Baulücken", "Bürger's Rat", cafes, "Spielplätze"];
    check(&soest, &not, &others).await;
    check(&soest, "T_DURING(time, INTERVAL('2019-12-31', '2021-01-01'))", &[trees]).await;
    check(&soest, "T_EQUALS(time, DATE('2023-05-01'))", &[cafes]).await;
    check(&soest, "T_BEFORE(time, DATE('2020-01-01'))", &["Straßenverzeichnis"]).await;
    check(&soest, "T_FINISHEDBY(time, INTERVAL('2020-01-01', '2020-12-31'))", &["Spielplätze"]).await;
    check(&soest, "T_MEETS(INTERVAL('2019-01-01', '2026-01-01'), time)", &["Müllabfuhrtermine", works]).await;
    check(&soest, "time IS NULL", &["Bebauungspläne", "Haushaltsplan"]).await;
    check(&soest, "T_DURING(INTERVAL(created, updated), INTERVAL('2026-01-09', '2026-01-11'))", &[]).await;
    check(&soest, "T_STARTEDBY(INTERVAL(created, updated), DATE('2026-01-10'))", &[trees]).await;
}

/// The ids of a page of everything, in order.
fn ids(page: &Value) -> Vec<String> {
    page["features"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_filters_find_what_a_walk_over_all_records_finds() {
    const SEED: u64 = 0xc912_0000_5eed;
    const FILTERS: usize = 400;
    let soest = filled().await;
    let all = found(&soest, "?limit=1000").await;
    let all = all["features"].as_array().unwrap();
    assert_eq!(all.len(), ROWS.len());
    let mut chance = Chance(SEED);
    let (mut some, mut unknown) = (0, 0);
    for number in 0..FILTERS {
        let generated = condition(&mut chance, 3);
        let verdicts: Vec<Option<bool>> = all.iter().map(|record| (generated.holds)(record)).collect();
        let mut expected: Vec<String> = all
            .iter()
            .zip(&verdicts)
            .filter(|(_, holds)| **holds == Some(true))
            .map(|(record, _)| record["id"].as_str().unwrap().to_owned())
            .collect();
        expected.sort_unstable();
        let context = || format!("seed {SEED:#x}, filter {number}: {}", generated.text);
        let query = format!("?limit=1000&filter={}", form(&generated.text));
        let answer = soest.public(&format!("/collections/federation/items{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{} {}", context(), answer.text());
        assert_eq!(ids(&answer.json()), expected, "{}", context());
        let answer = by_post(&soest, "?limit=1000", "application/json", generated.json.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{} {}", context(), answer.text());
        assert_eq!(ids(&answer.json()), expected, "{} as {}", context(), generated.json);
        some += usize::from(!expected.is_empty() && expected.len() < all.len());
        unknown += usize::from(verdicts.contains(&None));
    }
    assert!(
        some > FILTERS / 4 && unknown > FILTERS / 20,
        "{some} find something, {unknown} are unknown of some"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_kept_from_page_to_page_whichever_way_it_came() {
    let soest = filled().await;
    let filter = json!({"op": "in", "args": [{"property": "themes"}, ["ENVI", "TRAN", "GOVE"]]});
    let posted = by_post(&soest, "?limit=2", "application/query-cql-json", filter.to_string()).await.json();
    let by_text =
        found(&soest, &format!("?limit=2&filter={}", form("themes IN ('ENVI','TRAN','GOVE')"))).await;
    let by_json =
        found(&soest, &format!("?limit=2&filter-lang=cql2-json&filter={}", form(&filter.to_string()))).await;
    for first in [posted, by_text, by_json] {
        assert_eq!(first["numberMatched"], 7);
        let (mut page, mut walked) = (first.clone(), ids(&first));
        while let Some(next) = link(&page, "next") {
            page = soest.public(next.strip_prefix("http://localhost").unwrap()).await.json();
            assert_eq!(page["numberMatched"], 7);
            walked.extend(ids(&page));
        }
        let count = walked.len();
        walked.dedup();
        assert_eq!((count, walked.len()), (7, 7));
        let own = link(&first, "self").unwrap().strip_prefix("http://localhost").unwrap();
        assert_eq!(soest.public(own).await.json()["features"], first["features"]);
    }
    // With words, a place and an order beside it.
    let beside = format!("?q=Baumkataster&bbox=8,51,9,52&sortby=-title&filter={}", form("formats <> 'PDF'"));
    let page = found(&soest, &beside).await;
    assert_eq!(titles(&page), ["Baumkataster"]);
    let of_olpe = soest.public(&format!("/collections/olpe/items?filter={}", form("town = 'soest'"))).await;
    assert_eq!(of_olpe.json()["numberMatched"], 0);
}

/// `AND` and `OR` in each other, so many levels deep; true of all records of the town.
fn alternating(levels: usize) -> String {
    let inner = "keywords <> 'x'".to_owned();
    (0..levels).fold(inner, |inner, level| {
        format!("({inner} {} town = 'soest')", if level % 2 == 0 { "OR" } else { "AND" })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_filter_is_refused_with_its_place_and_nothing_else_is() {
    let soest = filled().await;
    let cases = [
        ("?filter=titel%3D'x'".to_owned(), ["`titel`", "at character 1", "did you mean `title`"]),
        ("?filter=title%3D".to_owned(), ["`filter`", "at character 7", "single quotes"]),
        ("?filter=TRUE&filter-lang=cql".to_owned(), ["filter-lang", "`cql`", "cql2-text"]),
        ("?filter=TRUE&filter-lang=cql2-json".to_owned(), ["as a whole", "is no JSON", "cql2-text"]),
        (
            "?filter=TRUE&filter-crs=http://www.opengis.net/def/crs/EPSG/0/25832".to_owned(),
            ["filter-crs", "25832", "did you mean `http://www.opengis.net/def/crs/OGC/1.3/CRS84`"],
        ),
        ("?filter=TRUE&filter=FALSE".to_owned(), ["`filter`", "second value", "once"]),
        (
            format!("?filter={}", form("title LIKE '%a%b%c%d%e%'")),
            ["`%a%b%c%d%e%` at character 12", "too costly", "at most 4 times"],
        ),
        (
            format!("?filter={}", form(&vec!["keywords = 'a'"; 520].join(" OR "))),
            ["`filter`", "too many", "leave conditions out"],
        ),
        (
            format!("?filter={}", form(&alternating(20))),
            ["`filter`", "levels of parentheses", "flatten the query"],
        ),
        (
            format!("?filter={}", form(&["CASEI(title) = 'a'"; 9].join(" OR "))),
            ["`filter`", "costs too much", "fewer wildcards"],
        ),
    ];
    for (query, words) in cases {
        let answer = soest.public(&format!("/collections/federation/items{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        let refusal = answer.json();
        assert_eq!(refusal["code"], "InvalidParameterValue");
        let description = refusal["description"].as_str().unwrap();
        assert!(words.iter().all(|word| description.contains(word)), "{description}");
        assert_ne!(refusal["description"], refusal["description_de"]);
        assert_eq!(description.matches(words[2]).count(), 1, "{description}");
    }
    let deep = found(&soest, &format!("?filter={}", form(&alternating(18)))).await;
    assert_eq!(deep["numberMatched"], ROWS.len());
    // What older clients write becomes longer in a link, which must still be answered.
    let draft = json!({"or": vec![json!({"eq": [{"property": "keywords"}, "a"]}); 400]}).to_string();
    assert!(draft.len() < 16_384);
    for (query, media_type, body, word) in [
        ("", "text/plain", "true", "application/json"),
        ("", "application/json", "{", "is no JSON"),
        ("?filter=TRUE", "application/json", "true", "one filter only"),
        ("?filter-lang=cql2-text", "application/json", "true", "cql2-json"),
        ("?colour=red", "application/json", "true", "colour"),
        ("", "application/json", draft.as_str(), "16384 bytes"),
    ] {
        let answer = by_post(&soest, query, media_type, body.to_owned()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.json()["description"].as_str().unwrap().contains(word), "{}", answer.text());
    }
    let fine = ["http://www.opengis.net/def/crs/OGC/1.3/CRS84", "%5BOGC:CRS84%5D", ""];
    for crs in fine {
        let page = found(&soest, &format!("?filter=TRUE&filter-lang=CQL2-TEXT&filter-crs={crs}")).await;
        assert_eq!(page["numberMatched"], ROWS.len());
    }
    assert_eq!(found(&soest, "?filter=").await["numberMatched"], ROWS.len());
}
