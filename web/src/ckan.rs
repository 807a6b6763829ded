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

use std::cell::RefCell;
use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use crdt::ids::Town;
use crdt::vocabulary::Vocabularies;
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
    /// `dcatde:contributorID` of towns, as far as they were asked for.
    contributors: RefCell<BTreeMap<Town, Option<String>>>,
}

impl Context<'_> {
    /// The lists of codes that this town goes by.
    fn lists(&self) -> &Vocabularies {
        self.handle.vocabularies()
    }

    /// The contributor id that a town's catalog says, if it says one.
    fn contributor(&self, town: Town) -> Result<Option<String>, Failure> {
        if let Some(known) = self.contributors.borrow().get(&town) {
            return Ok(known.clone());
        }
        let said = self.handle.catalog_of(town)?.and_then(|catalog| catalog.contributor_id);
        let said = said.map(|iri| iri.to_string());
        self.contributors.borrow_mut().insert(town, said.clone());
        Ok(said)
    }
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
        let context = Context { handle, members: handle.members(), base, contributors: RefCell::default() };
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
