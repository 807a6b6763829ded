//! Open data may be read from any page: what the public listener answers to
//! programs, scripts of other sites may read too, without cookies or logins.
//!
//! Pages for people are left out; the desk never comes here.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What a script may send: all that any interface reads.
const METHODS: &str = "GET, HEAD, POST, OPTIONS";
/// Headers that clients of the interfaces send; the last two are CKAN's, and not looked at.
const REQUEST_HEADERS: &str =
    "Accept, Accept-Language, Content-Type, If-None-Match, Authorization, X-CKAN-API-Key";
/// Headers that a script may read beside the plain ones.
const RESPONSE_HEADERS: &str = "Allow, ETag, Link, Retry-After";
/// Seconds for which a browser remembers the answer.
const MAX_AGE_S: &str = "86400";

/// Answers preflights, and lets every site read what is no page.
pub(crate) async fn open(request: Request, next: Next) -> Response {
    if is_preflight(&request) {
        return preflight();
    }
    let mut response = next.run(request).await;
    if !is_page(response.headers()) {
        let headers = response.headers_mut();
        headers.entry(header::ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(HeaderValue::from_static("*"));
        set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    }
    response
}

/// A browser's question whether it may ask (Fetch, section 3.2.2).
fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
    set(headers, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}
