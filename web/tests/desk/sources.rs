//! Sources at the desk: added, asked, looked at, removed, each mistake named.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::support::soest;

/// An address where nobody listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/catalog.ttl", listener.local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_added_asked_and_removed_and_its_state_can_be_read() {
    let soest = soest().await;
    let new = json!({"name": "portal", "url": nowhere(), "interval_s": 86_400, "allow_private": true});
    let added = soest.desk("POST", "/api/v1/sources", new.clone()).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    assert_eq!(added.header(header::LOCATION), "/api/v1/sources/portal");
    assert_eq!(soest.desk("POST", "/api/v1/sources", new).await.status, StatusCode::CONFLICT);

    let asked = soest.desk("POST", "/api/v1/sources/portal/run", json!({})).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let source = loop {
        let source = soest.desk("GET", "/api/v1/sources/portal", Value::Null).await.json();
        if source.get("running").is_none() {
            break source;
        }
        tokio::task::yield_now().await;
    };
    assert!(source["problem"]["de"].as_str().unwrap().contains("nicht zu erreichen"), "{source}");
    assert_eq!((&source["failures"], &source["walked"]), (&json!(1), &Value::Null));
    let listed = soest.desk("GET", "/api/v1/sources", Value::Null).await.json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["spec"]["name"]), (1, &json!("portal")));
    let confirmed = soest.desk("POST", "/api/v1/sources/portal/confirm", json!({})).await;
    assert_eq!(confirmed.status, StatusCode::CONFLICT, "no deletions wait");

    let removed = soest.desk("DELETE", "/api/v1/sources/portal", json!({})).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(soest.desk("GET", "/api/v1/sources/portal", Value::Null).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_source_is_named() {
    let soest = soest().await;
    for (body, field) in [
        (json!({"name": "Portal", "url": "https://a.example/"}), "name"),
        (json!({"name": "portal", "url": "file:///etc/passwd"}), "url"),
        (json!({"name": "portal", "url": "https://a.example/", "kind": "oai"}), "kind"),
        (json!({"name": "portal", "url": "https://a.example/", "interval_s": 1}), "interval_s"),
    ] {
        let refused = soest.desk("POST", "/api/v1/sources", body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
        assert_eq!(refused.json()["error"]["field"], field);
    }
    let unknown = json!({"name": "portal", "url": "https://a.example/", "every": 5});
    assert_eq!(soest.desk("POST", "/api/v1/sources", unknown).await.error(), "malformed_json");
    for (method, path) in [
        ("GET", "/api/v1/sources/keine"),
        ("DELETE", "/api/v1/sources/keine"),
        ("POST", "/api/v1/sources/keine/run"),
        ("POST", "/api/v1/sources/keine/confirm"),
    ] {
        let body = if method == "GET" { Value::Null } else { json!({}) };
        let refused = soest.desk(method, path, body).await;
        assert_eq!(
            (refused.status, refused.error().as_str()),
            (StatusCode::NOT_FOUND, "not_found"),
            "{path}"
        );
        assert!(refused.text().contains("keine"), "{path}: {}", refused.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_imported_with_its_progress_and_refused_where_it_is_none() {
    let soest = soest().await;
    let begun = soest.desk("POST", &format!("/api/v1/imports?url={}", nowhere()), json!({})).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text());
    let location = begun.header(header::LOCATION).to_owned();
    let job = loop {
        let job = soest.desk("GET", &location, Value::Null).await.json();
        if ["done", "unreadable", "failed"].contains(&job["state"].as_str().unwrap()) {
            break job;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&job["state"], job["ended"].is_string()), (&json!("unreadable"), true), "{job}");
    let reason = job["report"]["problems"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("im eigenen Haus"), "{reason}");
    let refused = soest.desk("POST", "/api/v1/imports?url=file:///etc/passwd", json!({})).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("url"))
    );
}
