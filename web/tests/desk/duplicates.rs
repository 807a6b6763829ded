//! Records that seem to be the same, at the desk: hints, reasons, decisions.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Soest, soest};

async fn created(soest: &Soest, body: Value) -> String {
    let answer = soest.desk("POST", "/api/v1/datasets", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn pairs(soest: &Soest, query: &str) -> Value {
    let answer = soest.desk("GET", &format!("/api/v1/duplicates{query}"), Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_shown_with_its_reasons_until_somebody_finds_it_different() {
    let soest = soest().await;
    let first = json!({"title": "Spielplätze im Stadtgebiet", "description": "Alle öffentlichen Spielplätze mit Geräten, Altersgruppe und Prüfdatum."});
    let first = created(&soest, first).await;
    let other = created(&soest, json!({"title": "Spielplaetze"})).await;
    created(&soest, json!({"title": "Spielplätze 2023"})).await;
    created(&soest, json!({"title": "Denkmalliste"})).await;

    let of = pairs(&soest, &format!("?of={other}&scope=town")).await;
    let hint =
        of["items"].as_array().unwrap().iter().find(|hint| hint["other"]["id"] == json!(first)).unwrap();
    assert_eq!((&hint["scope"], &hint["record"]["class"]), (&json!("town"), &json!("closed")));
    assert!(hint["score"].as_u64().unwrap() >= 50, "{hint}");
    let reason = &hint["reasons"][0];
    assert_eq!((&reason["kind"], &reason["text"]), (&json!("title"), &json!("titles 100 % alike")));
    assert_eq!(reason["text_de"], "Titel zu 100 % gleich");
    let before = pairs(&soest, "").await["total"].as_u64().unwrap();
    assert_eq!(pairs(&soest, "?limit=1&offset=1").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(pairs(&soest, "?scope=federation").await["total"], 0);

    let say = async |body: Value| soest.desk("POST", "/api/v1/duplicates/different", body).await.status;
    assert_eq!(say(json!({"record": other, "other": first})).await, StatusCode::NO_CONTENT);
    assert_eq!(pairs(&soest, "").await["total"].as_u64(), Some(before - 1));
    let of = pairs(&soest, &format!("?of={first}")).await;
    assert!(of["items"].as_array().unwrap().iter().all(|hint| hint["other"]["id"] != json!(other)), "{of}");
    assert_eq!(say(json!({"record": first, "other": other, "undo": true})).await, StatusCode::NO_CONTENT);
    assert_eq!(pairs(&soest, "").await["total"].as_u64(), Some(before));
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_follow_edits_and_wrong_questions_are_refused() {
    let soest = soest().await;
    let first = created(&soest, json!({"title": "Hundesteuer"})).await;
    let other = created(&soest, json!({"title": "Abfuhrkalender"})).await;
    assert_eq!(pairs(&soest, "").await["total"], 0);
    let edited =
        soest.desk("PATCH", &format!("/api/v1/datasets/{other}"), json!({"title": "Hundesteuern"})).await;
    assert_eq!(edited.status, StatusCode::OK);
    assert_eq!(pairs(&soest, "").await["total"], 1);

    let unknown = "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10";
    for (query, status) in [
        ("?scope=welt", 400),
        ("?score=20", 400),
        ("?limit=0", 400),
        ("?alles=1", 400),
        ("?of=6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", 404),
        ("?of=baum", 404),
    ] {
        let answer = soest.desk("GET", &format!("/api/v1/duplicates{query}"), Value::Null).await;
        assert_eq!(answer.status.as_u16(), status, "{query}: {}", answer.text());
    }
    for (body, status) in [
        (json!({"record": first, "other": first}), 422),
        (json!({"record": first, "other": unknown}), 404),
        (json!({"record": first}), 400),
        (json!({"record": first, "other": other, "why": "x"}), 400),
    ] {
        let answer = soest.desk("POST", "/api/v1/duplicates/different", body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text());
    }
    assert_eq!(pairs(&soest, "").await["total"], 1, "nothing was noted");
}
