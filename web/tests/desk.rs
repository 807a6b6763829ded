//! The desk: who may ask, what can be written, and how mistakes are told.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "desk/catalog.rs"]
mod catalog;
#[path = "desk/duplicates.rs"]
mod duplicates;
#[path = "desk/sources.rs"]
mod sources;
mod support;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use support::{Soest, record, send, soest};
use web::Listener;

fn desk_path(path: &str) -> String {
    path.replace("{id}", "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10").replace("{name}", "hanse.css")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_nothing_but_health_answers() {
    let soest = soest().await;
    let good = soest.token.clone();
    let wrong: [Option<String>; 6] = [
        None,
        Some("Bearer ".to_owned()),
        Some(format!("Bearer {}", "0".repeat(good.len()))),
        Some(format!("Bearer {}", &good[1..])),
        Some(format!("Basic {good}")),
        Some(good.clone()),
    ];
    let mut asked = 0;
    for route in web::routes().into_iter().filter(|route| route.listener == Listener::Desk) {
        for token in &wrong {
            let mut request = Request::builder().method(route.method).uri(desk_path(route.path));
            if let Some(token) = token {
                request = request.header(header::AUTHORIZATION, token);
            }
            let answer = send(&soest.desk, request.body(Body::empty()).unwrap()).await;
            if route.token {
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} with {token:?}", route.path);
                assert_eq!(answer.error(), "unauthorised");
                assert!(answer.header(header::WWW_AUTHENTICATE).starts_with("Bearer"));
                asked += 1;
            } else {
                assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{}", route.path);
            }
        }
        let answer = soest.desk(route.method, &desk_path(route.path), Value::Null).await;
        assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{}", route.path);
    }
    assert!(asked >= 60, "{asked}");
    // Paths that do not exist look the same to a stranger.
    let stranger = send(&soest.desk, Request::get("/api/v1/nirgends").body(Body::empty()).unwrap()).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_does_not_answer_under_a_foreign_name() {
    let soest = soest().await;
    for (host, status) in [
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8201", 421),
        ("localhost:8201", 200),
        ("[::1]:8201", 200),
        ("127.0.0.1:8201", 200),
    ] {
        let request = Request::get("/api/v1/status")
            .header(header::HOST, host)
            .header(header::AUTHORIZATION, format!("Bearer {}", soest.token));
        let answer = send(&soest.desk, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_told_how_to_get_in() {
    let soest = soest().await;
    let request =
        Request::get("/").header(header::ACCEPT, "text/html,*/*;q=0.8").body(Body::empty()).unwrap();
    let answer = send(&soest.desk, request).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.text().contains("hanse token --dir"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_lives_from_draft_to_publication() {
    let soest = soest().await;
    let created = soest.desk("POST", "/api/v1/datasets", json!({"title": "Baumkataster"})).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/datasets/{id}");
    assert_eq!(created.header(header::LOCATION), path);
    let draft = soest.desk("GET", &path, Value::Null).await.json();
    assert_eq!(
        (&draft["class"], &draft["status"], &draft["verdict"]),
        (&json!("closed"), &json!("entwurf"), &json!("local"))
    );

    let refused = soest.desk("POST", &format!("{path}/publish"), Value::Null).await;
    assert_eq!(
        (refused.status, refused.error()),
        (StatusCode::UNPROCESSABLE_ENTITY, "not_publishable".to_owned())
    );
    let obstacles = refused.json()["error"]["obstacles"].clone();
    let fields: Vec<&str> =
        obstacles.as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
    for field in ["description", "licence", "personal_data", "internal/responsible_role"] {
        assert!(fields.contains(&field), "{fields:?}");
    }
    assert!(obstacles[0]["message_de"].as_str().unwrap().starts_with("Feld „"), "{obstacles}");

    let checked = soest.desk("GET", &format!("{path}/check"), Value::Null).await.json();
    assert_eq!(checked["publishable"], false);
    let told: Vec<&Value> = checked["findings"].as_array().unwrap().iter().collect();
    let as_told: Vec<&str> = told
        .iter()
        .filter(|one| one["severity"] == "obstacle")
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert_eq!(as_told, fields, "the check tells what publishing would");
    assert!(told.iter().any(|one| one["severity"] == "hint" && one["rule"] == "keyword"), "{checked}");

    let whole = soest.desk("PATCH", &path, record("Baumkataster")).await;
    let checked = soest.desk("GET", &format!("{path}/check"), Value::Null).await.json();
    assert_eq!(checked["publishable"], true, "{checked}");
    assert_eq!((whole.status, &whole.json()["changed"]), (StatusCode::OK, &json!(true)), "{}", whole.text());
    let published = soest.desk("POST", &format!("{path}/publish"), Value::Null).await;
    assert_eq!(
        (published.status, &published.json()["class"]),
        (StatusCode::OK, &json!("open")),
        "{}",
        published.text()
    );
    let again = soest.desk("POST", &format!("{path}/publish"), Value::Null).await;
    assert_eq!((again.status, again.error()), (StatusCode::CONFLICT, "already_open".to_owned()));
    let staff = soest.desk("GET", &path, Value::Null).await.json();
    assert_eq!(staff["internal"]["notes"], "geheime Notiz");
    assert_eq!(soest.public(&path).await.json().get("internal"), None);
}

/// Publishes a record and gives its path and heads.
async fn open_record(soest: &Soest) -> (String, Value) {
    let path = format!("/api/v1/datasets/{}", soest.publish(record("Baumkataster")).await);
    let heads = soest.desk("GET", &path, Value::Null).await.json()["heads"].clone();
    (path, heads)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_given_fields_change_and_history_tells_it() {
    let soest = soest().await;
    let (path, heads) = open_record(&soest).await;
    let before = soest.public(&path).await.json();
    let edit = json!({"title": {"de": "Baumkataster der Stadt"}, "heads": heads});
    let edited = soest.desk("PATCH", &path, edit).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.text());
    let mut after = soest.public(&path).await.json();
    assert_eq!(after["title"]["de"], "Baumkataster der Stadt");
    assert_eq!(after["heads"], edited.json()["heads"]);
    for changing in ["title", "heads", "modified", "sealed_at", "changes"] {
        after[changing] = before[changing].clone();
    }
    assert_eq!(after, before);

    let history = soest.desk("GET", &format!("{path}/history"), Value::Null).await.json();
    let newest = &history["changes"][0];
    assert_eq!(newest["town"], "05974040");
    let title =
        newest["fields"].as_array().unwrap().iter().find(|field| field["path"] == "title/de").unwrap();
    assert_eq!(
        (&title["before"], &title["after"]),
        (&json!("Baumkataster"), &json!("Baumkataster der Stadt"))
    );
    let conflicts = soest.desk("GET", &format!("{path}/conflicts"), Value::Null).await.json();
    assert_eq!(conflicts["conflicts"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_what_others_changed_is_refused_by_field() {
    let soest = soest().await;
    let (path, old) = open_record(&soest).await;
    let first = soest.desk("PATCH", &path, json!({"title": {"de": "Erste"}})).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());

    let late = soest.desk("PATCH", &path, json!({"title": {"de": "Zweite"}, "heads": old})).await;
    assert_eq!(
        (late.status, late.error()),
        (StatusCode::CONFLICT, "edited_meanwhile".to_owned()),
        "{}",
        late.text()
    );
    let error = &late.json()["error"];
    assert_eq!(error["edited"][0]["field"], "title/de");
    assert_eq!(error["edited"][0]["town"], "05974040");
    assert_eq!(error["heads"], first.json()["heads"]);
    assert_eq!(soest.public(&path).await.json()["title"]["de"], "Erste");

    let other = soest.desk("PATCH", &path, json!({"domain": "Umwelt", "heads": old})).await;
    assert_eq!(other.status, StatusCode::OK, "an edit of another field goes through: {}", other.text());
    let foreign = json!({"domain": "Verkehr", "heads": ["00".repeat(32)]});
    let unknown = soest.desk("PATCH", &path, foreign).await;
    assert_eq!((unknown.status, unknown.error()), (StatusCode::CONFLICT, "unknown_heads".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_body_is_named_with_its_remedy_and_changes_nothing() {
    let soest = soest().await;
    let (path, _) = open_record(&soest).await;
    let before = soest.public(&path).await;
    let cases: [(&str, &str, u16, &str); 9] = [
        ("application/json", "{\"title\": ", 400, "malformed_json"),
        ("application/json", "[1]", 400, "not_an_object"),
        ("application/json", "", 400, "malformed_json"),
        ("text/plain", "{}", 415, "wrong_media_type"),
        ("", "{}", 415, "wrong_media_type"),
        ("application/json", "{\"titel\": \"x\"}", 422, "invalid_field"),
        ("application/json", "{\"frequency\": \"MONTLY\"}", 422, "invalid_field"),
        ("application/json", "{\"class\": \"open\"}", 422, "invalid_field"),
        ("application/json", "{\"heads\": \"x\"}", 422, "invalid_field"),
    ];
    for (media_type, body, status, code) in cases {
        let request = Request::patch(&path)
            .header(header::AUTHORIZATION, format!("Bearer {}", soest.token))
            .header(header::CONTENT_TYPE, media_type);
        let answer = send(&soest.desk, request.body(Body::from(body)).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.error()), (status, code.to_owned()), "{body}");
        assert!(answer.json()["error"]["remedy_de"].is_string(), "{body}");
    }
    let line = soest_send(&soest, &path, "{\n\"title\": oops}").await;
    assert!(line["message"].as_str().unwrap().contains("line 2, column"), "{line}");
    let unknown = soest_send(&soest, &path, "{\"titel\": \"x\"}").await;
    assert_eq!(unknown["field"], "titel");
    assert!(unknown["remedy"].as_str().unwrap().contains("`title`"), "{unknown}");
    let nested =
        soest_send(&soest, &path, &format!("{{\"title\": {}1{}}}", "[".repeat(5000), "]".repeat(5000))).await;
    assert_eq!(nested["code"], "malformed_json");
    let huge = soest_send(&soest, &path, &format!("{{\"title\": \"{}\"}}", "x".repeat(1024 * 1024))).await;
    assert_eq!(huge["code"], "body_too_large");
    assert_eq!(before, soest.public(&path).await);
}

async fn soest_send(soest: &Soest, path: &str, body: &str) -> Value {
    let request = Request::patch(path)
        .header(header::AUTHORIZATION, format!("Bearer {}", soest.token))
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8");
    let answer = send(&soest.desk, request.body(Body::from(body.to_owned())).unwrap()).await;
    answer.error();
    answer.json()["error"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_record_is_not_found_by_any_route() {
    let soest = soest().await;
    for id in ["6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", "nonsense", "%ff"] {
        for (method, suffix) in
            [("GET", ""), ("PATCH", ""), ("POST", "/publish"), ("GET", "/history"), ("GET", "/conflicts")]
        {
            let body = if method == "PATCH" { json!({"domain": "Umwelt"}) } else { Value::Null };
            let answer = soest.desk(method, &format!("/api/v1/datasets/{id}{suffix}"), body).await;
            assert_eq!(
                (answer.status, answer.error()),
                (StatusCode::NOT_FOUND, "not_found".to_owned()),
                "{method} {id}{suffix}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_status_and_metrics_tell_how_the_node_is() {
    let soest = soest().await;
    soest.publish(record("Baumkataster")).await;
    soest.create(record("Geheim")).await;
    assert_eq!(soest.desk("GET", "/healthz", Value::Null).await.json()["status"], "ok");
    assert_eq!(soest.desk("GET", "/readyz", Value::Null).await.status, StatusCode::OK);
    let status = soest.desk("GET", "/api/v1/status", Value::Null).await.json();
    assert_eq!(
        (&status["phase"], &status["store"]["datasets"], &status["store"]["closed"]),
        (&json!("ready"), &json!(1), &json!(1))
    );
    assert_eq!(
        (&status["peers"][0]["code"], &status["peers"][0]["connected"]),
        (&json!("olpe"), &json!(false))
    );
    let metrics = soest.desk("GET", "/metrics", Value::Null).await;
    let text = metrics.text();
    assert!(
        text.contains("\nhanse_open_datasets 1\n") && text.contains("hanse_peer_connected{town=\"olpe\"} 0"),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n") && !text.contains("closed"), "{text}");
}

/// Brings a file and waits for the end of its import.
async fn imported(soest: &Soest, name: &str, text: &str) -> Value {
    let request = Request::post(format!("/api/v1/imports?name={name}"))
        .header(header::HOST, "127.0.0.1:8201")
        .header(header::AUTHORIZATION, format!("Bearer {}", soest.token))
        .body(Body::from(text.to_owned()))
        .unwrap();
    let answer = send(&soest.desk, request).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let location = answer.header(header::LOCATION).to_owned();
    loop {
        let job = soest.desk("GET", &location, Value::Null).await.json();
        if ["done", "unreadable", "failed"].contains(&job["state"].as_str().unwrap()) {
            return job;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_is_imported_watched_and_worked_off() {
    let soest = soest().await;
    let file = "Titel;Thema;Aktualisierungsfrequenz\nBrunnen;Umwelt;ab und zu mal\n;Verkehr;täglich\n";
    let job = imported(&soest, "inventar.csv", file).await;
    assert_eq!(
        (&job["state"], &job["source"], &job["total"]),
        (&json!("done"), &json!("inventar"), &json!(2))
    );
    let report = &job["report"];
    assert_eq!((&report["created"], &report["rejected"]), (&json!(1), &json!(1)));
    assert_eq!(report["problems"][0]["where"], "Zeile 3");
    let listed = soest.desk("GET", "/api/v1/imports", Value::Null).await.json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &job["id"]));
    let id = job["id"].as_str().unwrap();
    let rejected = soest.desk("GET", &format!("/api/v1/imports/{id}/rejected.csv"), Value::Null).await;
    let text = rejected.text();
    assert!(text.contains("Verkehr;täglich;") && text.contains("fehlt; einen Titel eintragen"), "{text}");

    let tasks = soest.desk("GET", "/api/v1/tasks", Value::Null).await.json();
    assert_eq!((&tasks["total"], &tasks["items"][0]["field"]), (&json!(1), &json!("frequency")));
    let done = json!({"dataset": tasks["items"][0]["dataset"], "field": "frequency"});
    assert_eq!(soest.desk("POST", "/api/v1/tasks/done", done).await.status, StatusCode::NO_CONTENT);
    assert_eq!(soest.desk("GET", "/api/v1/tasks", Value::Null).await.json()["total"], 0);

    let mapping = soest.desk("GET", "/api/v1/mappings?source=inventar", Value::Null).await.json();
    assert_eq!(mapping["columns"]["Titel"], "title");
    let table = soest.desk("GET", "/api/v1/records.csv", Value::Null).await;
    assert!(table.text().contains("Brunnen"), "{}", table.text());
    for path in ["/api/v1/template.xlsx", "/api/v1/records.xlsx"] {
        let book = soest.desk("GET", path, Value::Null).await;
        assert!(book.status == StatusCode::OK && book.body.starts_with(b"PK"), "{path}");
    }
    soest.settle().await;
    assert!(!soest.public("/api/v1/datasets").await.text().contains("Brunnen"), "it is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_import_is_named_with_its_remedy() {
    let soest = soest().await;
    for (method, path, code) in [
        ("POST", "/api/v1/imports", "invalid_parameter"),
        ("POST", "/api/v1/imports?name=a.csv&dry_run=perhaps", "invalid_parameter"),
        ("POST", "/api/v1/imports?name=a.csv&file=b", "unknown_parameter"),
        ("GET", "/api/v1/imports/0123456789abcdef", "not_found"),
        ("GET", "/api/v1/imports/x/rejected.csv", "not_found"),
        ("GET", "/api/v1/mappings", "invalid_parameter"),
        ("GET", "/api/v1/mappings?source=unbekannt", "not_found"),
        ("GET", "/api/v1/tasks?limit=0", "invalid_parameter"),
    ] {
        assert_eq!(soest.desk(method, path, Value::Null).await.error(), code, "{method} {path}");
    }
    let wrong = json!({"columns": {"Was": "titel"}});
    assert_eq!(soest.desk("POST", "/api/v1/mappings?source=a", wrong).await.error(), "invalid_field");
    let job = imported(&soest, "leer.csv", "").await;
    assert_eq!((&job["state"], &job["report"]["created"]), (&json!("unreadable"), &json!(0)));
    assert_eq!(job["report"]["problems"][0]["reason"], "die Datei ist leer");
}
