//! The pages that people read, in German or English, made on the server and
//! complete without JavaScript.
//!
//! Templates escape every text; nothing from a record is ever written to a
//! page in any other way.

pub(crate) mod dataset;
pub(crate) mod developers;
pub(crate) mod federation;
pub(crate) mod search;
pub(crate) mod sparql;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use crdt::catalog::Lang;

use crate::app::App;
use crate::error::Problem;
use crate::harvest::ForPrograms;
use crate::locale::{self, LANG_KEY, Texts};
use crate::router::Listener;
use crate::told;

/// How long a browser remembers the language, in seconds: a year.
const COOKIE_S: u32 = 31_536_000;

/// A part of the portal, for the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Search,
    Federation,
    Developers,
    Elsewhere,
}

/// What surrounds every page.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) t: &'static Texts,
    pub(crate) lang: Lang,
    town: String,
    federation: Option<String>,
    place: Place,
    /// Whether the portal's navigation leads anywhere from here.
    portal: bool,
    /// The same page in the other language.
    switch: String,
}

impl Frame {
    pub(crate) fn new(app: &App, uri: &Uri, headers: &HeaderMap, place: Place) -> Self {
        let lang = locale::negotiate(uri.query(), headers, app.lang);
        Self {
            t: Texts::of(lang),
            lang,
            town: app.handle.town().name,
            federation: app.handle.federation().map(|federation| federation.id.to_string()),
            place,
            portal: app.listener == Listener::Public,
            switch: in_other_language(uri, lang),
        }
    }

    fn code(&self) -> &'static str {
        self.lang.code()
    }

    fn other(&self) -> &'static str {
        other(self.lang).code()
    }

    fn is_at(&self, place: Place) -> bool {
        self.place == place
    }
}

fn other(lang: Lang) -> Lang {
    match lang {
        Lang::De => Lang::En,
        Lang::En => Lang::De,
    }
}

fn in_other_language(uri: &Uri, lang: Lang) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name != LANG_KEY {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair(LANG_KEY, other(lang).code());
    format!("{}?{}", uri.path(), query.finish())
}

/// A rendered page. The language chosen by `?lang=` stays chosen.
pub(crate) fn render(page: &impl Template, uri: &Uri) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            return Problem::internal().into_response();
        }
    };
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Language, Cookie"));
    if let Some(lang) = locale::asked_in_query(uri.query()) {
        let cookie = format!("{LANG_KEY}={}; Path=/; Max-Age={COOKIE_S}; SameSite=Lax", lang.code());
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.insert(header::SET_COOKIE, cookie);
        }
    }
    response
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    message: String,
    remedy: Option<String>,
    code: &'static str,
}

/// Gives an error the form of a page where a person reads it.
pub(crate) async fn dress(State(app): State<App>, request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let headers = request.headers().clone();
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if app.listener == Listener::Public
        && let Some(mut told) = told::in_own_form(&uri, &app.base_url(&headers), &problem)
    {
        hand_on(&response, &mut told);
        return told;
    }
    let for_programs = response.extensions().get::<ForPrograms>().is_some();
    if for_programs || !is_for_people(&app, &uri, &headers) {
        return response;
    }
    let frame = Frame::new(&app, &uri, &headers, Place::Elsewhere);
    let lang = frame.lang;
    let page = ErrorPage {
        message: problem.message().in_lang(lang).to_owned(),
        remedy: problem.remedy_words().map(|words| words.in_lang(lang).to_owned()),
        code: problem.code(),
        frame,
    };
    let mut dressed = render(&page, &uri);
    *dressed.status_mut() = problem.status();
    hand_on(&response, &mut dressed);
    dressed
}

/// Keeps the headers that belong to the error, whatever form it is told in.
fn hand_on(from: &Response, to: &mut Response) {
    for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE, header::ALLOW] {
        if let Some(value) = from.headers().get(&name) {
            to.headers_mut().insert(name, value.clone());
        }
    }
}

/// Programs ask under `/api/`; at the desk a browser is known by what it
/// accepts, because the desk has no pages yet.
fn is_for_people(app: &App, uri: &Uri, headers: &HeaderMap) -> bool {
    if uri.path().starts_with("/api/") {
        return false;
    }
    match app.listener {
        Listener::Public => true,
        Listener::Desk => headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html")),
    }
}
