//! CKAN's Action API (version 3): what harvesters, `ckanapi` and thousands of
//! scripts already speak, over the open datasets of all towns.
//!
//! ```text
//! request ──> Parameters ──> action ──> Value or Failure ──> envelope
//! ```
//!
//! Only actions that read are there; any other name is answered as CKAN
//! answers a name that it does not know. Nobody logs in here: a token that
//! comes along is not looked at. `docs/ckan.md` says what is served.

mod actions;
mod envelope;
mod expression;
mod facets;
mod groups;
mod package;
mod parameters;
mod resources;
mod search;
mod syntax;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use node::handle::NodeHandle;
use node::view::TownInfo;
use serde_json::json;

use crate::app::App;
use crate::error::Problem;
use envelope::Failure;
use parameters::Parameters;

/// What actions answer from.
struct Context<'a> {
    handle: &'a NodeHandle,
    /// The towns.
    members: Vec<TownInfo>,
    /// Where this node is reached, without a slash at the end.
    base: String,
}

/// `GET` or `POST` of an action, under either prefix.
pub(crate) async fn action(
    State(app): State<App>,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let Some(action) = actions::find(&name) else {
        return envelope::bad_request(&format!("Action name not known: {}", envelope::excerpt(&name)));
    };
    let read = if method == Method::POST {
        Parameters::of_post(query.as_deref(), &headers, &body)
    } else {
        Ok(Parameters::of_query(query.as_deref()))
    };
    let parameters = match read {
        Ok(parameters) => parameters,
        Err(wrong) => return envelope::bad_request(&format!("JSON Error: {wrong}")),
    };
    let base = app.base_url(&headers);
    let help = envelope::help(&base, action.name);
    let answer = app.read(move |handle| {
        let context = Context { handle, members: handle.members(), base };
        let result = (action.run)(&context, &parameters);
        Ok::<_, Problem>(envelope::answer(&help, result))
    });
    answer.await.unwrap_or_else(IntoResponse::into_response)
}

/// `/api`: which version there is.
pub(crate) async fn version() -> Response {
    envelope::json(axum::http::StatusCode::OK, &json!({"version": 1}))
}

/// `/api/3`: the same, asked of version 3.
pub(crate) async fn version_3() -> Response {
    envelope::json(axum::http::StatusCode::OK, &json!({"version": 3}))
}

/// `/api/util/status`: what `status_show` says, without an envelope.
pub(crate) async fn status(State(app): State<App>, headers: HeaderMap) -> Response {
    let base = app.base_url(&headers);
    let status = actions::status(&app.handle.town(), &base);
    envelope::json(axum::http::StatusCode::OK, &status)
}

/// An answer, or why there is none.
type Answer = Result<serde_json::Value, Failure>;
