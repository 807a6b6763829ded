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

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use crdt::catalog::{Bilingual, Lang};
use crdt::ids::Town;
use crdt::vocabulary::Vocabularies;
use node::handle::NodeHandle;
use node::view::{Expression, TownInfo};
use serde_json::json;

use crate::app::App;
use crate::error::Problem;
use crate::extract::Body;
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

impl<'a> Context<'a> {
    fn new(handle: &'a NodeHandle, base: String) -> Self {
        Self { handle, members: handle.members(), base, contributors: RefCell::default() }
    }
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
    path: Result<Path<String>, PathRejection>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Body(body): Body,
) -> Response {
    let name = path.map_or_else(|_| "\u{fffd}".to_owned(), |Path(name)| name);
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
        let context = Context::new(handle, base);
        let result = (action.run)(&context, &parameters);
        Ok::<_, Problem>(envelope::answer(&help, result))
    });
    answer.await.unwrap_or_else(IntoResponse::into_response)
}

/// `/api`: which version there is.
pub(crate) async fn version() -> Response {
    envelope::json(StatusCode::OK, &json!({"version": 1}))
}

/// `/api/3`: the same, asked of version 3.
pub(crate) async fn version_3() -> Response {
    envelope::json(StatusCode::OK, &json!({"version": 3}))
}

/// `/api/util/status`: what `status_show` says, without an envelope.
pub(crate) async fn status(State(app): State<App>, headers: HeaderMap) -> Response {
    let base = app.base_url(&headers);
    let status = actions::status(&app.handle.town(), &base);
    envelope::json(StatusCode::OK, &status)
}

/// `/api/util/dataset/autocomplete`: datasets with these words in their titles.
pub(crate) async fn autocomplete(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let base = app.base_url(&headers);
    let answer = app.read(move |handle| {
        let context = Context::new(handle, base);
        let result = actions::autocomplete(&context, &Parameters::of_query(query.as_deref()));
        Ok::<_, Problem>(match result {
            Ok(found) => envelope::json(StatusCode::OK, &json!({"ResultSet": {"Result": found}})),
            failed => envelope::answer(&envelope::help(&context.base, "package_autocomplete"), failed),
        })
    });
    answer.await.unwrap_or_else(IntoResponse::into_response)
}

/// What `q` and `fq` of a search say, for interfaces that are narrowed by them
/// too. Blocks.
pub(crate) fn selection(handle: &NodeHandle, q: &str, fq: &str) -> Result<Expression, Problem> {
    let context = Context::new(handle, String::new());
    let read = |name, text, read: Result<Expression, Failure>| {
        read.map_err(|failure| match failure {
            Failure::Search(wrong) | Failure::SearchQuery(wrong) => {
                let remedy = Bilingual::made(
                    format!("Die Abfrage wie in CKAN schreiben, zum Beispiel tags:Baum ({wrong})."),
                    format!("write the query as in CKAN, such as tags:Baum ({wrong})"),
                );
                Problem::invalid_parameter(name, text, remedy)
            }
            Failure::Problem(problem) => problem,
            Failure::Validation(_) | Failure::NotFound(_) => Problem::not_found(),
        })
    };
    Ok(Expression::And(vec![read("q", q, context.q(q))?, read("fq", fq, context.fq(fq))?]))
}

/// What goes wrong outside an action, in the form that CKAN's clients read: a
/// bare sentence for a request that cannot be read, else the envelope.
pub(crate) fn refusal(base: &str, path: &str, problem: &Problem) -> Response {
    let remedy = problem.remedy_words().map(|remedy| format!("; {}", remedy.in_lang(Lang::En)));
    let said = format!("{}{}", problem.message().in_lang(Lang::En), remedy.unwrap_or_default());
    let status = problem.status();
    if matches!(status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE) {
        return envelope::json(status, &format!("Bad request: JSON Error: {said}"));
    }
    let mut path = path.split('/').skip_while(|part| *part != "action").skip(1);
    let action = path.next().filter(|name| actions::find(name).is_some()).unwrap_or("help_show");
    envelope::refused(&envelope::help(base, action), status, &said)
}

/// An answer, or why there is none.
type Answer = Result<serde_json::Value, Failure>;
