//! The public listener: what it answers, and what it keeps to itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "public/rdf.rs"]
mod rdf;
mod records;
mod support;

use axum::body::Body;
use axum::http::{HeaderName, Method, Request, StatusCode, header};
use futures::StreamExt;
use serde_json::{Value, json};
use support::{Answer, Soest, get, record, send, soest};
use tower::ServiceExt;
use web::Listener;

#[tokio::test(flavor = "multi_thread")]
async fn a_published_dataset_is_found_read_and_proved() {
    let soest = soest().await;
    let id = soest.publish(record("Baumkataster")).await;

    let page = soest.public("/api/v1/datasets?q=Baumkataster&town=soest&theme=ENVI").await.json();
    assert_eq!(page["total"], 1);
    let item = &page["items"][0];
    assert_eq!((&item["id"], &item["title"]["de"]), (&json!(id), &json!("Baumkataster")));
    assert_eq!((&item["town"], &item["town_code"]), (&json!("05974040"), &json!("soest")));
    assert_eq!(page["facets"]["town"][0]["count"], 1);

    let one = soest.public(&format!("/api/v1/datasets/{id}")).await.json();
    assert_eq!((&one["verdict"], &one["class"]), (&json!("verified"), &json!("open")));
    assert_eq!(one["heads"].as_array().unwrap().len(), 1);
    assert!(one["modified"].is_string() && one["identifier"].is_string(), "{one}");

    let proof = soest.public(&format!("/api/v1/datasets/{id}/proof")).await;
    assert_eq!(proof.header(header::CONTENT_TYPE), "application/cbor");
    assert!(proof.header(header::CONTENT_DISPOSITION).starts_with("attachment"));
    assert!(proof.body.len() > 500);

    let html = soest.public(&format!("/dataset/{id}")).await;
    assert!(html.text().contains("Geprüft: Alle Änderungen sind versiegelt von der Stadt Soest"));
    assert!(soest.page("/?q=Baumkataster").await.text().contains(&format!("/dataset/{id}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_and_unknown_look_the_same_to_the_byte() {
    let soest = soest().await;
    soest.publish(record("Baumkataster")).await;
    let closed = soest.create(record("Geheimes Melderegister")).await;
    let unknown = "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10";
    // The control: staff do see it.
    let staff = soest.desk("GET", &format!("/api/v1/datasets/{closed}"), Value::Null).await;
    assert_eq!(staff.json()["class"], "closed");
    for (prefix, suffix) in [("/api/v1/datasets/", ""), ("/api/v1/datasets/", "/proof"), ("/dataset/", "")] {
        // The page repeats its own address in the language link.
        let without = |answer: Answer, id: &str| Answer {
            body: answer.text().replace(id, "ID").into_bytes().into(),
            headers: answer.headers,
            status: answer.status,
        };
        let a = without(soest.public(&format!("{prefix}{closed}{suffix}")).await, &closed);
        let b = without(soest.public(&format!("{prefix}{unknown}{suffix}")).await, unknown);
        assert_eq!(a.status, StatusCode::NOT_FOUND);
        assert_eq!(a, b, "{prefix}{suffix}");
        assert!(!a.text().contains("Melderegister"));
    }
}

/// Everything an outsider can ask for without knowing an id.
async fn seen_from_outside(soest: &Soest) -> Vec<Answer> {
    let mut answers = Vec::new();
    for path in [
        "/",
        "/?q=Melderegister",
        "/federation",
        "/api/v1/datasets",
        "/api/v1/datasets?q=Melderegister&highlight=true",
        "/api/v1/datasets?q=Meldregister",
        "/api/v1/datasets?sort=modified&limit=1&offset=1",
        "/api/v1/status",
        "/api/v1/openapi.json",
        "/catalog.ttl",
        "/catalog.nt?page=2",
        "/federation/catalog.jsonld",
    ] {
        answers.push(soest.page(path).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn i2_closed_records_change_nothing_that_the_public_sees() {
    let soest = soest().await;
    soest.publish(record("Baumkataster")).await;
    let before = seen_from_outside(&soest).await;
    let mut secret = record("Melderegister Einzeldaten");
    secret["domain"] = json!("Geheime Domäne");
    secret["formats"] = json!(["Datenbank"]);
    for _ in 0..3 {
        soest.create(secret.clone()).await;
    }
    soest.settle().await;
    // The control: the desk's search has them all by now.
    let staff = soest.desk("GET", "/api/v1/datasets?class=closed", Value::Null).await.json();
    assert_eq!(staff["total"], 3);
    assert!(staff.to_string().contains("Melderegister"));
    assert_eq!(before, seen_from_outside(&soest).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_record_says_stays_text() {
    const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;";
    let soest = soest().await;
    let mut hostile = record(HOSTILE);
    for field in ["description", "title"] {
        hostile[field] = json!({"de": HOSTILE, "en": HOSTILE});
    }
    for field in ["domain", "department", "update_process", "attribution"] {
        hostile[field] = json!(HOSTILE);
    }
    hostile["keywords"] = json!({"de": [HOSTILE]});
    hostile["contact"]["name"] = json!(HOSTILE);
    hostile["publisher"]["name"] = json!(HOSTILE);
    hostile["distributions"][0]["title"] = json!({"de": HOSTILE});
    let id = soest.publish(hostile).await;
    let pages = [
        "/",
        "/?q=alert",
        "/?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/federation",
        "/?lang=en&q=%22%3E%3Cimg%20src%3Dx%3E",
    ];
    let dataset = format!("/dataset/{id}");
    for path in pages.into_iter().chain([dataset.as_str(), "/<script>alert(1)</script>"]) {
        let path = path.replace('<', "%3C").replace('>', "%3E");
        let html = soest.page(&path).await;
        let text = html.text();
        assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "{path}: {text}");
        assert_eq!(html.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    }
    assert!(soest.public(&dataset).await.text().contains("&#60;script&#62;alert(1)"));
    let json = soest.public(&format!("/api/v1/datasets/{id}")).await;
    assert_eq!(json.json()["title"]["de"], HOSTILE);
    assert_eq!(json.header(header::CONTENT_TYPE), "application/json");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_the_browser_to_trust_nothing_else() {
    let soest = soest().await;
    for path in [
        "/",
        "/dataset/x",
        "/nirgends",
        "/api/v1/datasets",
        "/api/v1/nirgends",
        "/assets/hanse.css",
        "/federation",
    ] {
        let answer = soest.page(path).await;
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}: {policy}");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{path}");
    }
    // The pages keep their own policy: no inline script, no inline style, nothing foreign.
    for path in ["/", "/federation", "/nirgends"] {
        let text = soest.page(path).await.text().to_owned();
        assert!(!text.contains("style=") && !text.contains("<style") && !text.contains(" on"), "{path}");
        assert!(!text.contains("src=\"http") && !text.contains("<script>"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_walk_through_everything_once() {
    let soest = soest().await;
    for number in 1..=5 {
        soest.publish(record(&format!("Baumkataster {number}"))).await;
    }
    for sort in ["relevance", "modified", "title"] {
        let mut seen = std::collections::BTreeSet::new();
        for offset in 0..5 {
            let page =
                soest.public(&format!("/api/v1/datasets?sort={sort}&limit=1&offset={offset}")).await.json();
            assert_eq!((&page["total"], page["items"].as_array().unwrap().len()), (&json!(5), 1));
            seen.insert(page["items"][0]["id"].to_string());
        }
        assert_eq!(seen.len(), 5, "{sort}");
    }
    let beyond = soest.public("/api/v1/datasets?offset=9900").await.json();
    assert_eq!((&beyond["total"], &beyond["items"]), (&json!(5), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_one_form() {
    let soest = soest().await;
    let cases = [
        ("/api/v1/datasets?limt=5", 400, "unknown_parameter"),
        ("/api/v1/datasets?limit=0", 400, "invalid_parameter"),
        ("/api/v1/datasets?limit=101", 400, "invalid_parameter"),
        ("/api/v1/datasets?offset=9901", 400, "invalid_parameter"),
        ("/api/v1/datasets?town=Atlantis", 400, "invalid_parameter"),
        ("/api/v1/datasets?q=a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+u+v+w+x+y+z", 400, "invalid_parameter"),
        ("/api/v1/datasets?class=closed", 400, "invalid_parameter"),
        ("/api/v1/status?x=1", 400, "unknown_parameter"),
        ("/api/v1/datasets/nonsense", 404, "not_found"),
        ("/api/v1/datasets/%ff", 404, "not_found"),
        ("/api/v2/datasets", 404, "not_found"),
    ];
    for (path, status, code) in cases {
        let answer = soest.public(path).await;
        assert_eq!((answer.status.as_u16(), answer.error()), (status, code.to_owned()), "{path}");
    }
    let error = soest.public("/api/v1/datasets?limt=5").await.json();
    assert_eq!(error["error"]["field"], "limt");
    assert!(error["error"]["remedy"].as_str().unwrap().contains("`limit`"), "{error}");
    let wrong =
        Request::builder().method(Method::DELETE).uri("/api/v1/datasets").body(Body::empty()).unwrap();
    let answer = send(&soest.public, wrong).await;
    assert_eq!(
        (answer.status, answer.error()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed".to_owned())
    );
    assert_eq!(answer.header(header::ALLOW), "GET,HEAD");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_the_language_that_is_asked_for() {
    let soest = soest().await;
    let german = soest.page("/").await;
    assert!(german.text().contains("<html lang=\"de\">") && german.text().contains("Datensätze suchen"));
    assert!(!german.headers.contains_key(header::SET_COOKIE));
    let english = soest.page("/?lang=en").await;
    assert!(english.text().contains("<html lang=\"en\">") && english.text().contains("Search datasets"));
    assert!(english.header(header::SET_COOKIE).starts_with("lang=en;"));
    let request = Request::get("/federation").header(header::COOKIE, "lang=en").body(Body::empty()).unwrap();
    assert!(send(&soest.public, request).await.text().contains("The federation"));
    let error = soest.public("/nirgends?lang=en").await;
    assert_eq!(error.status, StatusCode::NOT_FOUND);
    assert!(error.text().contains("What you can do"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_federation_page_is_live_until_the_node_stops() {
    let soest = soest().await;
    let response = soest.public.clone().oneshot(get("/federation/events")).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(response.headers()[HeaderName::from_static("x-accel-buffering")], "no");
    let mut events = response.into_body().into_data_stream();
    let first = events.next().await.unwrap().unwrap();
    let first = std::str::from_utf8(&first).unwrap();
    assert!(first.starts_with("event: status\ndata: "), "{first}");
    assert!(first.contains("Olpe") && first.contains("nicht verbunden"), "{first}");

    let mut told = String::new();
    soest.publish(record("Ganz neuer Datensatz")).await;
    while !told.contains("Ganz neuer Datensatz") {
        told.push_str(std::str::from_utf8(&events.next().await.unwrap().unwrap()).unwrap());
    }
    soest.stop.cancel();
    while let Some(rest) = events.next().await {
        rest.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_exists_on_the_wrong_listener() {
    let soest = soest().await;
    let routes = web::routes();
    let has = |listener, method: &str, path: &str| {
        routes.iter().any(|route| (route.listener, route.method, route.path) == (listener, method, path))
    };
    let mut checked = 0;
    for route in &routes {
        let wrong = if route.listener == Listener::Public { Listener::Desk } else { Listener::Public };
        if has(wrong, route.method, route.path) {
            continue;
        }
        let path =
            route.path.replace("{id}", "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10").replace("{name}", "hanse.css");
        let answer = match wrong {
            Listener::Public => {
                let request = Request::builder().method(route.method).uri(&path).body(Body::empty()).unwrap();
                send(&soest.public, request).await
            }
            Listener::Desk => soest.desk(route.method, &path, Value::Null).await,
        };
        let refused = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&answer.status);
        assert!(refused, "{} {} answers {} on the {wrong} listener", route.method, route.path, answer.status);
        checked += 1;
    }
    assert!(checked >= 10, "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_starting_node_says_so_instead_of_answering_short() {
    let soest = soest().await;
    soest.handle().board().set_phase(node::view::Phase::Starting);
    let answer = soest.public("/api/v1/datasets").await;
    assert_eq!((answer.status, answer.error()), (StatusCode::SERVICE_UNAVAILABLE, "starting".to_owned()));
    assert!(answer.header(header::RETRY_AFTER).parse::<u32>().unwrap() > 0);
    let page = soest.page("/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        page.text().contains("Der Knoten startet gerade") && page.headers.contains_key(header::RETRY_AFTER)
    );
    assert_eq!(soest.desk("GET", "/readyz", Value::Null).await.json()["status"], "starting");
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_can_read_the_vocabularies() {
    let soest = soest().await;
    let lists = soest.public("/api/v1/vocabularies").await.json();
    let names: Vec<&str> =
        lists["items"].as_array().unwrap().iter().map(|list| list["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"themes") && names.contains(&"reference-types"), "{names:?}");
    assert!(
        lists["items"].as_array().unwrap().iter().all(|list| list["version"] != "" && list["count"] != 0)
    );
    let themes = soest.public("/api/v1/vocabularies/themes").await.json();
    let envi = themes["concepts"].as_array().unwrap().iter().find(|one| one["code"] == "ENVI").unwrap();
    assert_eq!((&envi["label"]["de"], &envi["label"]["en"]), (&json!("Umwelt"), &json!("Environment")));
    assert_eq!(envi["iri"], "http://publications.europa.eu/resource/authority/data-theme/ENVI");
    assert_eq!(soest.public("/api/v1/vocabularies/theme").await.status, StatusCode::NOT_FOUND);
    assert_eq!(soest.public("/api/v1/vocabularies?x=1").await.status, StatusCode::BAD_REQUEST);
}
