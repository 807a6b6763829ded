//! What goes wrong before a handler is reached, on every public route: told in
//! the form that the clients of the interface read. And what scripts of other
//! sites may read.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;
use web::{Listener, Route, routes};

use crate::support::{Answer, Soest, record, send, soest};

/// One byte more than any body may have.
const TOO_LONG: usize = 1024 * 1024 + 1;

fn public_routes() -> Vec<Route> {
    routes().into_iter().filter(|route| route.listener == Listener::Public).collect()
}

/// The route's path with the same text in all its variable parts.
fn filled(route: &Route, text: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { text.to_owned() } else { part.to_owned() };
    route.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

async fn ask(soest: &Soest, method: Method, path: &str, body: Body) -> Answer {
    let kind = if path.starts_with("/collections/") {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
    send(&soest.public, request.header(header::ACCEPT, "*/*").body(body).unwrap()).await
}

/// Whether an error is told as the clients of this address read it.
fn is_own_form(path: &str, answer: &Answer) -> bool {
    let kind = answer.header(header::CONTENT_TYPE);
    let below = |root: &str| path == root || path.starts_with(&format!("{root}/"));
    if path == "/api" || ["/api/3", "/api/action", "/api/util"].into_iter().any(below) {
        let said: Value = answer.json();
        let sentence = said.as_str().is_some_and(|text| text.starts_with("Bad request: "));
        let envelope = said["success"] == false
            && said["help"].as_str().is_some_and(|help| help.contains("/api/3/action/help_show"))
            && said["error"]["__type"].is_string()
            && said["error"]["message"].is_string();
        kind == "application/json;charset=utf-8" && (sentence || envelope)
    } else if ["/ogc", "/collections", "/conformance"].into_iter().any(below) {
        answer.json()["code"].is_string() && answer.json()["description"].is_string()
    } else if below("/sparql") || below("/oai") {
        kind.starts_with("text/plain") && answer.text().lines().count() >= 2
    } else if kind.starts_with("text/html") {
        answer.text().contains("</html>")
    } else {
        kind.starts_with("application/json") && !answer.error().is_empty()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_no_text_is_told_in_the_interfaces_own_form() {
    let soest = soest().await;
    let variable: Vec<Route> = public_routes().into_iter().filter(|route| route.path.contains('{')).collect();
    assert!(variable.len() > 12, "{variable:?}");
    for route in variable {
        for text in ["%FF", "%FF.atom", "nichts"] {
            let path = filled(&route, text);
            let answer = ask(&soest, route.method.parse().unwrap(), &path, Body::empty()).await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
            assert!(is_own_form(&path, &answer), "{path}: {:?} {}", answer.headers, answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_long_is_told_in_the_interfaces_own_form() {
    let soest = soest().await;
    let posts: Vec<Route> = public_routes().into_iter().filter(|route| route.method == "POST").collect();
    assert!(posts.len() >= 4, "{posts:?}");
    for route in posts {
        let part = if route.path.starts_with("/collections/") { "soest" } else { "package_list" };
        let path = filled(&route, part);
        let answer = ask(&soest, Method::POST, &path, Body::from(vec![b'a'; TOO_LONG])).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert!(is_own_form(&path, &answer), "{path}: {}", answer.text());
        assert!(answer.text().contains("1048576"), "{path} says how much it takes: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_an_address_does_not_know_is_told_in_its_form() {
    let soest = soest().await;
    for route in public_routes() {
        let path = filled(&route, "package_list");
        let answer = ask(&soest, Method::DELETE, &path, Body::empty()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(answer.header(header::ALLOW).contains(route.method), "{path}: {:?}", answer.headers);
        assert!(is_own_form(&path, &answer), "{path}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_starting_node_says_so_in_each_form_and_when_to_come_again() {
    let soest = soest().await;
    soest.handle().board().set_phase(node::view::Phase::CatchingUp);
    let mut starting = 0;
    // Live pages have no end.
    for route in public_routes().into_iter().filter(|route| !route.path.ends_with("/events")) {
        let path = filled(&route, "package_list");
        let answer = ask(&soest, route.method.parse().unwrap(), &path, Body::empty()).await;
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            starting += 1;
            assert!(!answer.header(header::RETRY_AFTER).is_empty(), "{path}");
            assert!(is_own_form(&path, &answer), "{path}: {}", answer.text());
        }
    }
    assert!(starting > 30, "{starting}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_below_an_interface_and_not_there_is_told_in_its_form() {
    let soest = soest().await;
    for path in [
        "/api/v2/nichts",
        "/api/3/nichts",
        "/api/3/action",
        "/api/util/nichts",
        "/ogc/nichts",
        "/collections/soest/items/x/y",
        "/sparql/nichts",
        "/oai/nichts",
        "/nichts",
    ] {
        let answer = ask(&soest, Method::GET, path, Body::empty()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(is_own_form(path, &answer), "{path}: {}", answer.text());
    }
    let unknown = ask(&soest, Method::GET, "/api/3/action/%FF", Body::empty()).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(unknown.json().as_str().unwrap().starts_with("Bad request: Action name not known: "));
    for path in ["/api/3/action/site_read/", "/api/action/site_read/"] {
        assert_eq!(ask(&soest, Method::GET, path, Body::empty()).await.json()["result"], true, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_of_every_site_may_read_what_is_no_page() {
    let soest = soest().await;
    let id = soest.publish(record("Baumkataster")).await;
    for path in [
        "/catalog.ttl".to_owned(),
        "/federation/catalog.jsonld".to_owned(),
        format!("/dataset/{id}.ttl"),
        "/feeds/dataset.atom".to_owned(),
        "/feed".to_owned(),
        "/sitemap.xml".to_owned(),
        "/oai?verb=Identify".to_owned(),
        "/ogc".to_owned(),
        "/collections/soest/items".to_owned(),
        "/api/3/action/package_list".to_owned(),
        "/api/v1/datasets".to_owned(),
        "/sparql?query=ASK%7B%7D".to_owned(),
        "/catalog.ttl?page=0".to_owned(),
        "/api/3/action/package_show?id=x".to_owned(),
    ] {
        let answer = ask(&soest, Method::GET, &path, Body::empty()).await;
        assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*", "{path}");
    }
    for page in ["/", "/developers"] {
        assert_eq!(soest.page(page).await.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "", "{page}");
    }
    for route in public_routes() {
        let path = filled(&route, "package_list");
        let request = Request::builder()
            .method(Method::OPTIONS)
            .uri(&path)
            .header(header::ORIGIN, "https://karte.example")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, route.method)
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type");
        let answer = send(&soest.public, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert!(answer.header(header::ACCESS_CONTROL_ALLOW_METHODS).contains(route.method), "{path}");
        assert!(answer.header(header::ACCESS_CONTROL_ALLOW_HEADERS).contains("Content-Type"), "{path}");
    }
    let desk = soest.desk("OPTIONS", "/api/v1/datasets", Value::Null).await;
    assert_eq!(desk.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "", "the desk is no one's business");
}
