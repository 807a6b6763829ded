//! What every request passes before a handler, and every answer on its way
//! out: who may ask, how many at once, for how long, and what a browser may do
//! with the answer.
//!
//! Never looks at a dataset.

use std::any::Any;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::Problem;
use crate::router::Listener;

/// Routes of the desk that answer without a token: they say "yes" or "no".
pub(crate) const TOKENLESS: [&str; 3] = ["/healthz", "/readyz", "/assets/{name}"];

/// How long a read may take, in seconds.
const READ_S_MAX: u64 = 10;
/// How long a desk request may take, in seconds.
const DESK_S_MAX: u64 = 60;

/// What a page may load: only what this node itself serves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

/// Headers of every answer, unless the handler set them itself.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (header::CACHE_CONTROL, "no-cache"),
];

/// Puts the headers for browsers on an answer.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Lets a bounded number of requests in, each for a bounded time. A live page
/// counts only until it has begun; its own bound is in `pages::federation`.
pub(crate) async fn bound(State(app): State<App>, request: Request, next: Next) -> Response {
    let Ok(_permit) = app.requests.try_acquire() else {
        return Problem::busy().into_response();
    };
    let seconds = match app.listener {
        Listener::Public => READ_S_MAX,
        Listener::Desk => DESK_S_MAX,
    };
    match tokio::time::timeout(Duration::from_secs(seconds), next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timed_out(app.listener).into_response(),
    }
}

/// Asks for the desk's token, on unknown paths too: a stranger learns nothing
/// about what exists.
pub(crate) async fn token(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let free = TOKENLESS.iter().any(|free| match free.strip_suffix("{name}") {
        Some(prefix) => path.starts_with(prefix),
        None => path == *free,
    });
    if free || bearer(&request).is_some_and(|token| app.handle.check_token(token)) {
        return next.run(request).await;
    }
    Problem::unauthorised().into_response()
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Refuses names: a page of a foreign site can point its own name at this
/// machine (DNS rebinding), but it cannot make a browser send an IP address or
/// `localhost` as the host while it is read under that name.
pub(crate) async fn host(request: Request, next: Next) -> Response {
    // HTTP/2 and absolute requests carry the host in the address.
    let named = request.uri().host().map(str::to_owned);
    let given = request.headers().get(header::HOST).map(|value| value.to_str().unwrap_or("?").to_owned());
    for host in [given, named].into_iter().flatten() {
        if !is_this_machine(&host) {
            return Problem::foreign_host(&host).into_response();
        }
    }
    next.run(request).await
}

fn is_this_machine(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(address, _)| address),
        None => host.rsplit_once(':').filter(|(name, _)| !name.contains(':')).map_or(host, |(name, _)| name),
    };
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Answers for a handler that panicked; the log says where.
pub(crate) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let reason = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no reason given".to_owned());
    tracing::error!(reason, "a handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_without_its_reason() {
        let response = panicked(Box::new("index out of bounds in closed.redb"));
        assert_eq!(response.status(), axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 64 * 1024).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.contains("\"code\":\"internal\"") && !text.contains("closed.redb"), "{text}");
    }

    #[test]
    fn only_addresses_and_localhost_are_this_machine() {
        for fine in ["localhost", "LOCALHOST:8201", "127.0.0.1", "127.0.0.1:8201", "[::1]:8201", "10.1.2.3:1"]
        {
            assert!(is_this_machine(fine), "{fine}");
        }
        for foreign in [
            "evil.example",
            "evil.example:8201",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "",
            "?",
        ] {
            assert!(!is_this_machine(foreign), "{foreign}");
        }
    }
}
