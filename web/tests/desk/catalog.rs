//! The town's catalog as a whole: what is said of it, and its export.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Soest, record, soest};

async fn said(soest: &Soest) -> Value {
    soest.desk("GET", "/api/v1/catalog", Value::Null).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_town_says_of_its_catalog_is_served_and_fills_gaps() {
    let soest = soest().await;
    let silent = said(&soest).await;
    assert!(silent["said"].is_null());
    assert_eq!(silent["served"]["title"]["de"], "Datenkatalog Soest");

    let edit = json!({
        "title": {"de": "Offene Daten der Stadt Soest"},
        "publisher": {"name": "Stadt Soest, Zentrales Datenmanagement"},
        "licence": "dl-zero-de/2.0",
        "base_url": "https://daten.soest.example",
        "contributor_id": "http://dcat-ap.de/def/contributors/openNRW",
    });
    let first = soest.desk("PATCH", "/api/v1/catalog", edit.clone()).await;
    assert_eq!((first.status, &first.json()["changed"]), (StatusCode::OK, &json!(true)), "{}", first.text());
    let again = soest.desk("PATCH", "/api/v1/catalog", edit).await.json();
    assert_eq!((&again["changed"], &again["heads"]), (&json!(false), &first.json()["heads"]));
    // A second edit keeps what the first said.
    soest.desk("PATCH", "/api/v1/catalog", json!({"homepage": "https://soest.example"})).await;
    let said = said(&soest).await;
    assert_eq!(said["said"]["title"]["de"], "Offene Daten der Stadt Soest");
    assert_eq!(
        (&said["said"]["homepage"], &said["iri"]),
        (&json!("https://soest.example"), &json!("https://daten.soest.example/catalog"))
    );

    let mut body = record("Baumkataster");
    (body["publisher"], body["licence"]) = (Value::Null, Value::Null);
    let id = soest.publish(body).await;
    let dataset = soest.public(&format!("/api/v1/datasets/{id}")).await.json();
    assert_eq!(dataset["publisher"]["name"], "Stadt Soest, Zentrales Datenmanagement");
    let page = soest.public("/catalog.nt").await;
    for words in
        ["Offene Daten der Stadt Soest", "<https://daten.soest.example/catalog>", "contributors/openNRW"]
    {
        assert!(page.text().contains(words), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_word_about_the_catalog_is_named_and_nothing_changed() {
    let soest = soest().await;
    for (body, field) in [
        (json!({"titel": {"de": "x"}}), "titel"),
        (json!({"licence": "geheim"}), "licence"),
        (json!({"town": "05966024"}), "town"),
        (json!({"contact": {"name": "Zentrales Datenmanagement"}}), "contact"),
        (json!({"contributor_id": "urn:x:y"}), "contributor_id"),
        (json!({"licence": "https://example.org/x"}), "licence"),
        (json!({"publisher": {"url": "urn:x:y"}}), "publisher/url"),
        (json!({"iri": "urn:x:y"}), "iri"),
    ] {
        let answer = soest.desk("PATCH", "/api/v1/catalog", body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
        assert_eq!(answer.json()["error"]["field"], field);
        assert_eq!(answer.error(), "invalid_field");
    }
    assert!(said(&soest).await["said"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_many_pieces_is_whole_to_its_last_line() {
    let soest = soest().await;
    for number in 0..40 {
        let mut body = record(&format!("Verzeichnis {number}"));
        body["internal"]["notes"] = "Notiz ".repeat(5_000).into();
        soest.create(body).await;
    }
    let whole = soest.desk("GET", "/api/v1/export?with_closed=true", Value::Null).await;
    assert!(whole.body.len() > 1_000_000, "{}", whole.body.len());
    let last: Value = serde_json::from_str(whole.text().lines().last().unwrap()).unwrap();
    assert_eq!(last, json!({"end": {"records": 40}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_whole_the_same_every_time_and_closed_only_where_asked() {
    let soest = soest().await;
    let open = soest.publish(record("Baumkataster")).await;
    let export = async |query: &str| soest.desk("GET", &format!("/api/v1/export{query}"), Value::Null).await;
    let public = export("").await;
    assert_eq!(public.status, StatusCode::OK);
    let closed = soest.create(record("Geheimes Melderegister")).await;
    assert_eq!(export("").await.body, public.body, "a closed record changes no byte");
    assert!(!public.text().contains("geheime Notiz"));

    let whole = export("?with_closed=true").await;
    assert_eq!(whole.body, export("?with_closed=true").await.body);
    let lines: Vec<Value> = whole.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [head, records @ .., end] = lines.as_slice() else { panic!("{}", whole.text()) };
    assert_eq!((&head["form"], &head["with_closed"]), (&json!("hanse export 1"), &json!(true)));
    assert_eq!(end["end"]["records"], records.len());
    let mut ids = [open.as_str(), closed.as_str()];
    ids.sort_unstable();
    let exported: Vec<&str> = records.iter().map(|line| line["dataset"]["id"].as_str().unwrap()).collect();
    assert_eq!(exported, ids);
    assert!(records.iter().all(|line| line["internal"]["notes"] == "geheime Notiz"));
    let of = |id: &str| records.iter().find(|line| line["dataset"]["id"] == id).unwrap();
    assert_eq!(
        (&of(&open)["dataset"]["class"], &of(&closed)["dataset"]["class"]),
        (&json!("open"), &json!("closed"))
    );

    // The same statements as the catalog for harvesters makes, page by page.
    let statements = |text: &str| -> BTreeSet<String> {
        text.lines().filter(|line| !line.contains("ns/hydra/")).map(str::to_owned).collect()
    };
    let triples = export("?format=nt").await;
    assert_eq!(triples.text().lines().count(), statements(triples.text()).len(), "nothing is said twice");
    let mut pages = statements(soest.public("/catalog.nt").await.text());
    pages.extend(statements(soest.public("/catalog.nt?part=catalog").await.text()));
    assert_eq!(statements(triples.text()), pages);

    let turtle = export("?format=ttl").await;
    assert!(turtle.text().contains("Baumkataster") && !turtle.text().contains("Melderegister"));
    for query in ["?format=ttl&with_closed=true", "?format=pdf", "?with_closed=ja", "?alles=1"] {
        assert_eq!(export(query).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}
