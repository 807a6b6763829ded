//! What went wrong, in the form that OGC APIs have (`exception.yaml` of
//! Features, Part 1): a code and a description, here in both languages.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crdt::catalog::invalid::{Bilingual, nearest};
use crdt::catalog::{InvalidField, Lang};
use serde_json::json;

use crate::error::Problem;

/// Seconds after which a client may ask again when the node is busy.
const RETRY_AFTER_S: u32 = 5;

/// A request that is not fulfilled.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    description: Bilingual,
}

impl Refusal {
    /// A parameter with a value that it cannot have.
    pub(super) fn invalid(error: &InvalidField) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "InvalidParameterValue",
            description: Bilingual::made(error.message_de(), error.message_en()),
        }
    }

    /// A parameter with a value that is none of those that are possible.
    pub(super) fn parameter(name: &str, value: &str, possible: &[&str]) -> Self {
        let problem = Bilingual::fixed("ist hier nicht möglich", "is not possible here");
        let all = possible.join(", ");
        let remedy = match nearest(value, possible.iter().copied()) {
            Some(guess) => Bilingual::made(
                format!("vielleicht „{guess}“? Möglich sind: {all}"),
                format!("did you mean `{guess}`? Possible are: {all}"),
            ),
            None => Bilingual::made(format!("möglich sind: {all}"), format!("possible are: {all}")),
        };
        Self::invalid(&InvalidField::new(name, value, problem, remedy))
    }

    /// A parameter that there is not.
    pub(super) fn unknown(name: &str, value: &str, possible: &[&str]) -> Self {
        let problem = Bilingual::fixed(
            "gehört zu einem Parameter, den es hier nicht gibt",
            "belongs to a parameter that there is not",
        );
        let all = possible.join(", ");
        let remedy = match nearest(name, possible.iter().copied()) {
            Some(guess) => Bilingual::made(
                format!("vielleicht „{guess}“? Parameter sind: {all}"),
                format!("did you mean `{guess}`? Parameters are: {all}"),
            ),
            None => Bilingual::made(format!("Parameter sind: {all}"), format!("parameters are: {all}")),
        };
        Self::invalid(&InvalidField::new(name, value, problem, remedy))
    }

    #[cfg(test)]
    pub(super) fn description(&self) -> &str {
        &self.description.en
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let code = match problem.status() {
            StatusCode::BAD_REQUEST => "InvalidParameterValue",
            StatusCode::NOT_FOUND => "NotFound",
            StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
            _ => "NoApplicableCode",
        };
        let whole = |lang: Lang| {
            let remedy = problem.remedy_words().map(|remedy| remedy.in_lang(lang)).unwrap_or_default();
            let message = problem.message().in_lang(lang);
            // Of a field, the message says it already.
            let remedy = if message.trim_end_matches('.').ends_with(remedy) { "" } else { remedy };
            let joint = if message.ends_with('.') { " " } else { "; " };
            [message, remedy].join(joint).trim_end_matches("; ").trim_end().to_owned()
        };
        let description = Bilingual::made(whole(Lang::De), whole(Lang::En));
        Self { status: problem.status(), code, description }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "code": self.code,
            "description": self.description.en,
            "description_de": self.description.de,
        });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        response
    }
}
