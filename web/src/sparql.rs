//! SPARQL 1.1 Protocol: queries by `GET` and `POST`, a description of the
//! service for programs, and a form for people.
//!
//! What is written in a query is decided by the node; here are only its ways
//! in and out. There is no way to change anything.

mod negotiate;
mod words;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use node::rdf::sparql::{SparqlAnswer, SparqlError, SparqlRequest};

use crate::app::App;
use crate::error::Problem;
use crate::extract::Body;
use crate::pages;

/// Seconds after which a client may ask again.
const RETRY_AFTER_S: u32 = 5;
/// Most graphs that a request names.
const GRAPHS_MAX: usize = 64;

/// Why a request gets no answer.
enum Refused {
    /// The query.
    Query(SparqlError),
    /// The request around it, as status and words.
    Request(StatusCode, words::Words),
}

impl From<SparqlError> for Refused {
    fn from(error: SparqlError) -> Self {
        Self::Query(error)
    }
}

/// What a request says.
#[derive(Default)]
struct Asked {
    query: Option<String>,
    /// Whether there are more queries than one (SPARQL 1.1 Protocol, section 2.1.4).
    several: bool,
    default_graphs: Vec<String>,
    named_graphs: Vec<String>,
    /// A form that the address names, where the client takes any.
    form: Option<String>,
    update: bool,
}

/// Answers `GET /sparql`.
pub(crate) async fn get(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let mut asked = Asked::default();
    asked.read(uri.query().unwrap_or_default().as_bytes());
    if asked.query.is_none() && !asked.update {
        return match negotiate::description(&headers) {
            Some(format) => {
                let endpoint = format!("{}/sparql", app.base_url(&headers));
                let described =
                    app.read(move |handle| Ok::<_, Problem>(handle.sparql_description(&endpoint, format)));
                match described.await {
                    Ok(answer) => finish(answer.map_err(Refused::from)),
                    Err(problem) => problem.into_response(),
                }
            }
            None => pages::sparql::form(&app, &uri, &headers),
        };
    }
    finish(answer(&app, &headers, asked).await)
}

/// Answers `POST /sparql`.
pub(crate) async fn post(State(app): State<App>, uri: Uri, headers: HeaderMap, Body(body): Body) -> Response {
    let mut asked = Asked::default();
    asked.read(uri.query().unwrap_or_default().as_bytes());
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let read = match media_type.as_str() {
        "application/x-www-form-urlencoded" => {
            asked.read(&body);
            Ok(())
        }
        "application/sparql-query" => match String::from_utf8(body.to_vec()) {
            Ok(query) => {
                asked.take(query);
                Ok(())
            }
            Err(_) => Err(Refused::Request(StatusCode::BAD_REQUEST, words::not_utf8())),
        },
        "application/sparql-update" => Err(SparqlError::Update.into()),
        other => Err(Refused::Request(StatusCode::UNSUPPORTED_MEDIA_TYPE, words::media_type(other))),
    };
    match read {
        Ok(()) => finish(answer(&app, &headers, asked).await),
        Err(refused) => finish(Err(refused)),
    }
}

impl Asked {
    fn take(&mut self, query: String) {
        self.several |= self.query.replace(query).is_some();
    }

    fn read(&mut self, form: &[u8]) {
        for (name, value) in url::form_urlencoded::parse(form) {
            let value = value.into_owned();
            match &*name {
                "query" => self.take(value),
                "default-graph-uri" => self.default_graphs.push(value),
                "named-graph-uri" => self.named_graphs.push(value),
                "format" | "output" | "results" => self.form = Some(value),
                "update" => self.update = true,
                _ => {}
            }
        }
    }
}

async fn answer(app: &App, headers: &HeaderMap, asked: Asked) -> Result<SparqlAnswer, Refused> {
    if asked.update {
        return Err(SparqlError::Update.into());
    }
    if asked.several {
        return Err(Refused::Request(StatusCode::BAD_REQUEST, words::several_queries()));
    }
    let missing = || Refused::Request(StatusCode::BAD_REQUEST, words::no_query());
    let query = asked.query.filter(|query| !query.trim().is_empty()).ok_or_else(missing)?;
    if asked.default_graphs.len() + asked.named_graphs.len() > GRAPHS_MAX {
        return Err(Refused::Request(StatusCode::BAD_REQUEST, words::too_many_graphs(GRAPHS_MAX)));
    }
    let (solutions, triples) = negotiate::answers(headers, asked.form.as_deref());
    let request = SparqlRequest {
        query,
        default_graphs: asked.default_graphs,
        named_graphs: asked.named_graphs,
        solutions,
        triples,
        abandoned: Arc::new(AtomicBool::new(false)),
    };
    Ok(app.handle.sparql(request).await?)
}

fn finish(answer: Result<SparqlAnswer, Refused>) -> Response {
    let mut response = match answer {
        Ok(answer) => {
            let media_type = HeaderValue::from_static(with_charset(answer.media_type));
            ([(header::CONTENT_TYPE, media_type)], answer.body).into_response()
        }
        Err(Refused::Request(status, words)) => (status, words.text()).into_response(),
        Err(Refused::Query(error)) => {
            let status = status(&error);
            if status == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(%error, "a query failed");
            }
            (status, words::of(&error).text()).into_response()
        }
    };
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    // Query editors run in browsers, on pages of others.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
    }
    response
}

fn with_charset(media_type: &'static str) -> &'static str {
    match media_type {
        "text/csv" => "text/csv; charset=utf-8",
        "text/tab-separated-values" => "text/tab-separated-values; charset=utf-8",
        other => other,
    }
}

fn status(error: &SparqlError) -> StatusCode {
    match error {
        SparqlError::NotAcceptable { .. } => StatusCode::NOT_ACCEPTABLE,
        SparqlError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        SparqlError::Rebuilding { .. } | SparqlError::Busy | SparqlError::Abandoned => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        SparqlError::Store(_) | SparqlError::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}
