//! The forms in which CKAN answers: the envelope of a result, that of an error
//! with its `__type`, and the bare sentence for a request that names no action.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use node::handle::ReadError;
use serde_json::{Map, Value, json};

use crate::error::Problem;

/// udata refuses any other type.
const JSON: &str = "application/json;charset=utf-8";
/// Longest piece of a request that an answer repeats, in characters.
const EXCERPT_CHARS_MAX: usize = 80;

/// Why an action gives no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// Parameters that cannot be: each with what is wrong with it.
    Validation(Vec<(String, String)>),
    /// Nothing of that name, or nothing that everyone may see.
    NotFound(Option<String>),
    /// A parameter of a search that does not exist or cannot be.
    SearchQuery(String),
    /// A query that the search cannot run.
    Search(String),
    /// The node cannot answer at the moment; not CKAN's form, because it comes
    /// before any action.
    Problem(Problem),
}

impl Failure {
    /// One parameter that cannot be.
    pub(super) fn of(parameter: &str, wrong: impl Into<String>) -> Self {
        Self::Validation(vec![(excerpt(parameter), wrong.into())])
    }

    /// Nothing of that name; the same words for what is closed and for what
    /// never existed.
    pub(super) fn not_found() -> Self {
        Self::NotFound(None)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Invalid(field) => Self::Search(field.message_en()),
            other => Self::Problem(other.into()),
        }
    }
}

/// What a client is told of one action.
pub(super) fn answer(help: &str, result: Result<Value, Failure>) -> Response {
    let (status, error) = match result {
        Ok(result) => {
            let body = Success { help, success: true, result };
            return json(StatusCode::OK, &body);
        }
        Err(Failure::Validation(wrong)) => {
            let mut error: Map<String, Value> =
                wrong.into_iter().map(|(name, wrong)| (name, json!([wrong]))).collect();
            error.insert("__type".into(), "Validation Error".into());
            (StatusCode::CONFLICT, Value::Object(error))
        }
        Err(Failure::NotFound(what)) => {
            let message = what.map_or("Not found".to_owned(), |what| format!("Not found: {what}"));
            (StatusCode::NOT_FOUND, json!({"__type": "Not Found Error", "message": message}))
        }
        Err(Failure::SearchQuery(wrong)) => {
            let message = format!("Search Query is invalid: {wrong}");
            (StatusCode::BAD_REQUEST, json!({"__type": "Search Query Error", "message": message}))
        }
        Err(Failure::Search(wrong)) => {
            let message = format!("Search error: {wrong}");
            (StatusCode::CONFLICT, json!({"__type": "Search Error", "message": message}))
        }
        Err(Failure::Problem(problem)) if problem.status() == StatusCode::INTERNAL_SERVER_ERROR => {
            let text = "Internal Server Error";
            (StatusCode::INTERNAL_SERVER_ERROR, json!({"__type": text, "message": text}))
        }
        Err(Failure::Problem(problem)) => return problem.into_response(),
    };
    json(status, &json!({"help": help, "success": false, "error": error}))
}

/// What a client is told where no action was run.
pub(super) fn refused(help: &str, status: StatusCode, said: &str) -> Response {
    let kind = match status {
        StatusCode::NOT_FOUND => "Not Found Error",
        StatusCode::METHOD_NOT_ALLOWED => "Method Not Allowed Error",
        StatusCode::INTERNAL_SERVER_ERROR => "Internal Server Error",
        _ => "Search Connection Error",
    };
    // `ckanapi` cuts off what stands before the first colon.
    let message = format!("{}: {said}", kind.trim_end_matches(" Error"));
    json(status, &json!({"help": help, "success": false, "error": {"__type": kind, "message": message}}))
}

/// In this order, as CKAN writes it.
#[derive(serde::Serialize)]
struct Success<'a> {
    help: &'a str,
    success: bool,
    result: Value,
}

/// A request that names no action that there is, or whose body cannot be read:
/// a bare sentence, which `ckanapi` shows as it is.
pub(super) fn bad_request(wrong: &str) -> Response {
    json(StatusCode::BAD_REQUEST, &format!("Bad request: {wrong}"))
}

/// JSON under the one media type that all clients take. Open data may be read
/// from any page, which is what JSONP was for.
pub(super) fn json(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let Ok(bytes) = serde_json::to_vec(body) else { return Problem::internal().into_response() };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(JSON)),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    (status, headers, bytes).into_response()
}

/// Where an action is explained.
pub(super) fn help(base: &str, action: &str) -> String {
    format!("{base}/api/3/action/help_show?name={action}")
}

/// A piece of a request, short and without control characters.
pub(super) fn excerpt(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(EXCERPT_CHARS_MAX).map(clean).collect();
    if text.chars().nth(EXCERPT_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
