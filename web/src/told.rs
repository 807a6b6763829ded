//! In which form a [`Problem`] is told, by the address that was asked: clients
//! of each interface know one form of errors, also for what goes wrong before a
//! handler is reached or after it was given up.
//!
//! | Below | Form |
//! |---|---|
//! | `/api/3`, `/api/action`, `/api/util`, and `/api` itself | CKAN's envelope, or its bare sentence |
//! | `/ogc`, `/collections`, `/conformance` | the exception of OGC APIs |
//! | `/sparql`, `/oai` | plain text in both languages |
//! | everything else | as it is: JSON, or a page where a person reads it |

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use crdt::catalog::Lang;

use crate::ckan;
use crate::error::Problem;
use crate::records;

/// Whether the path is this one or below it.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The problem in the form of the interface at this address; `None` where it
/// may stay as it is. `base` is where this node is reached.
pub(crate) fn in_own_form(uri: &Uri, base: &str, problem: &Problem) -> Option<Response> {
    let path = uri.path();
    let below = |roots: &[&str]| roots.iter().any(|root| is_below(path, root));
    if path == "/api" || below(&["/api/3", "/api/action", "/api/util"]) {
        Some(ckan::refusal(base, path, problem))
    } else if below(&["/ogc", "/collections", "/conformance"]) {
        Some(records::Refusal::from(problem.clone()).into_response())
    } else if below(&["/sparql", "/oai"]) {
        Some(text(problem))
    } else {
        None
    }
}

/// Both languages, one line each.
fn text(problem: &Problem) -> Response {
    let line = |lang: Lang| {
        let remedy = problem.remedy_words().map(|remedy| remedy.in_lang(lang)).unwrap_or_default();
        let message = problem.message().in_lang(lang).trim_end_matches('.');
        format!("{message}. {remedy}").trim_end().to_owned()
    };
    let body = format!("{}\n{}\n", line(Lang::En), line(Lang::De));
    let mut response = (problem.status(), body).into_response();
    if problem.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, Problem::retry_after());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_decides_on_the_form() {
        let kind = |path: &str| {
            let uri: Uri = path.parse().unwrap();
            let told = in_own_form(&uri, "http://a.example", &Problem::starting())?;
            Some(told.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned())
        };
        for (path, expected) in [
            ("/api", Some("application/json;charset=utf-8")),
            ("/api/3/action/package_list", Some("application/json;charset=utf-8")),
            ("/api/v1/datasets", None),
            ("/api/v2/datasets", None),
            ("/ogc/", Some("application/json")),
            ("/collections/x/items", Some("application/json")),
            ("/sparql", Some("text/plain; charset=utf-8")),
            ("/oai", Some("text/plain; charset=utf-8")),
            ("/oaix", None),
            ("/catalog.ttl", None),
            ("/", None),
        ] {
            assert_eq!(kind(path).as_deref(), expected, "{path}");
        }
    }
}
