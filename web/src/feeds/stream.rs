//! The event stream of DCAT-AP Feeds at `/feed`: addresses, forms and caching.
//! What it says is [`node::rdf::stream_page`]'s.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use crdt::catalog::invalid::Bilingual;
use node::handle::Place;
use node::rdf::{StreamForm, stream_page};

use crate::app::App;
use crate::error::Problem;
use crate::negotiate;

/// The one parameter: the member after which the page begins.
const PARAMETERS: [&str; 1] = ["after"];

/// A full page never gets a new member, so followers need not ask again. It may
/// lose members that changed or were withdrawn: it is not immutable, and a cache
/// drops it after an hour.
const CACHE_FULL: &str = "public, max-age=3600";
const FORMS: [StreamForm; 2] = [StreamForm::TriG, StreamForm::JsonLd];

/// Answers `GET /feed`.
pub(crate) async fn page(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = after(query.as_deref())?;
    let liked = negotiate::preferred(&headers, &FORMS.map(StreamForm::media_type));
    // A client that likes neither gets what it can name, as with a file.
    let form = FORMS.into_iter().find(|form| liked == Some(form.media_type())).unwrap_or(FORMS[0]);
    let address = format!("{}/feed", app.base_url(&headers));
    let page = app.read(move |handle| stream_page(handle, &address, after, form)).await?;
    let mut response = page.bytes.into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    answer.insert(header::VARY, HeaderValue::from_static("Accept"));
    if page.is_full {
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_FULL));
    }
    Ok(response)
}

fn after(query: Option<&str>) -> Result<Option<Place>, Problem> {
    let mut after = None;
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != PARAMETERS[0] {
            return Err(Problem::unknown_parameter(&name, &PARAMETERS));
        }
        let place = value.parse::<Place>().map_err(|_| {
            let remedy = Bilingual::fixed(
                "Die Adresse aus „tree:node“ einer Seite verwenden oder ohne „after“ von vorn beginnen.",
                "use the address in `tree:node` of a page, or begin anew without `after`",
            );
            Problem::invalid_parameter(PARAMETERS[0], &value, remedy)
        })?;
        if after.replace(place).is_some() {
            return Err(Problem::repeated_parameter(PARAMETERS[0]));
        }
    }
    Ok(after)
}
