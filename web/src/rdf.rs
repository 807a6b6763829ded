//! The catalog as RDF: in pages for harvesters, and each dataset by itself.
//!
//! An address that ends in `.ttl` and the like has that form; the portal's own
//! addresses give RDF to those who like it better than a page. What is said is
//! [`node::rdf`]'s; here are addresses, parameters and headers.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use crdt::catalog::Timestamp;
use crdt::catalog::invalid::Bilingual;
use crdt::ids::DatasetId;
use node::handle::{NodeHandle, Scope};
use node::rdf::{PageAsked, RdfForm, catalog_document, catalog_page, dataset_document};
use node::view::Expression;

use crate::app::App;
use crate::ckan;
use crate::error::Problem;
use crate::harvest::{self, Interface};
use crate::negotiate;

/// Parameters of a page of the catalog.
const PARAMETERS: [&str; 7] = ["page", "after", "modified_since", "q", "fq", "profiles", "part"];

/// The greatest number of a page.
const PAGE_MAX: u64 = 1_000_000_000;

/// Marks an answer whose length a client asked for: it is not compressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured;

/// Whose catalog an address is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The town of this node.
    Town,
    /// All towns.
    Federation,
}

/// Addresses of the catalog, with the form of each.
#[rustfmt::skip]
pub(crate) const CATALOGS: [(&str, Of, RdfForm, &str); 12] = [
    ("/catalog.ttl", Of::Town, RdfForm::Turtle, "The town's catalog in DCAT-AP.de: Turtle"),
    ("/catalog.rdf", Of::Town, RdfForm::RdfXml, "The same: RDF/XML"),
    ("/catalog.xml", Of::Town, RdfForm::RdfXml, "The same: RDF/XML"),
    ("/catalog.jsonld", Of::Town, RdfForm::JsonLd, "The same: JSON-LD"),
    ("/catalog.nt", Of::Town, RdfForm::NTriples, "The same: N-Triples"),
    ("/catalog.n3", Of::Town, RdfForm::N3, "The same: N3"),
    ("/federation/catalog.ttl", Of::Federation, RdfForm::Turtle, "The catalogs of all towns in DCAT-AP.de: Turtle"),
    ("/federation/catalog.rdf", Of::Federation, RdfForm::RdfXml, "The same: RDF/XML"),
    ("/federation/catalog.xml", Of::Federation, RdfForm::RdfXml, "The same: RDF/XML"),
    ("/federation/catalog.jsonld", Of::Federation, RdfForm::JsonLd, "The same: JSON-LD"),
    ("/federation/catalog.nt", Of::Federation, RdfForm::NTriples, "The same: N-Triples"),
    ("/federation/catalog.n3", Of::Federation, RdfForm::N3, "The same: N3"),
];

/// Answers one of [`CATALOGS`].
pub(crate) async fn catalog(
    app: &App,
    (of, form, path): (Of, RdfForm, &str),
    query: Option<&str>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let scope = match of {
        Of::Town => Scope::Town(app.handle.town().town),
        Of::Federation => Scope::Federation,
    };
    let asked = page_asked(scope, form, format!("{}{path}", app.base_url(headers)), query)?;
    let bytes = app
        .read(move |handle| match asked.part {
            Part::Catalog => Ok(catalog_document(handle, scope, form)?),
            Part::Datasets => {
                let selection = asked.selection(handle)?;
                catalog_page(handle, &PageAsked { selection, ..asked.page }).map_err(Problem::from)
            }
        })
        .await?;
    Ok(document(form, bytes, method))
}

/// The address of a catalog in a form.
fn path_of(of: Of, form: RdfForm) -> &'static str {
    let known = CATALOGS.into_iter().find(|one| one.1 == of && one.2 == form);
    known.map_or("/catalog", |(path, ..)| path)
}

/// Answers `GET /catalog`.
pub(crate) async fn town(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    negotiated(&app, Of::Town, query.as_deref(), &method, &headers).await
}

/// Answers `GET /federation/catalog`.
pub(crate) async fn federation(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    negotiated(&app, Of::Federation, query.as_deref(), &method, &headers).await
}

/// In the form that the client likes best; Turtle to those who take everything.
/// Browsers are shown the search.
async fn negotiated(
    app: &App,
    of: Of,
    query: Option<&str>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    if negotiate::prefers_html(headers, RdfForm::Turtle.media_type()) {
        return Ok(varied(Redirect::to("/").into_response()));
    }
    let offers = RdfForm::ALL.map(RdfForm::media_type);
    let form = negotiate::preferred(headers, &offers).and_then(RdfForm::by_media_type);
    let form = form.ok_or_else(|| Problem::not_acceptable(&offers.join(", ")))?;
    Ok(varied(catalog(app, (of, form, path_of(of, form)), query, method, headers).await?))
}

/// RDF instead of the page at this address, if the client likes it better.
pub(crate) fn liked_better(headers: &HeaderMap) -> Option<RdfForm> {
    let mut offers = vec![negotiate::JSON, negotiate::HTML];
    offers.extend(RdfForm::ALL.map(RdfForm::media_type));
    negotiate::preferred(headers, &offers).and_then(RdfForm::by_media_type)
}

/// The town's catalog at the address of the portal's first page.
pub(crate) async fn home(
    app: &App,
    form: RdfForm,
    uri: &Uri,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    harvest::admit(app, Interface::Rdf, uri, headers)?;
    Ok(varied(catalog(app, (Of::Town, form, path_of(Of::Town, form)), uri.query(), method, headers).await?))
}

/// One dataset at its own address, or at that with an ending.
pub(crate) async fn dataset(
    app: &App,
    id: DatasetId,
    form: RdfForm,
    uri: &Uri,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    harvest::admit(app, Interface::Rdf, uri, headers)?;
    if let Some((name, _)) = pairs(uri.query()).next() {
        return Err(Problem::no_parameters(&name));
    }
    let found = app.read(move |handle| dataset_document(handle, id, form)).await?;
    let bytes = found.ok_or_else(Problem::not_found)?;
    Ok(varied(document(form, bytes, method)))
}

/// The last part of a dataset's address: its id, and the form that an ending
/// names.
pub(crate) fn named(last: &str) -> Option<(DatasetId, Option<RdfForm>)> {
    match last.split_once('.') {
        None => Some((last.parse().ok()?, None)),
        Some((id, ending)) => Some((id.parse().ok()?, Some(RdfForm::by_ending(ending)?))),
    }
}

fn document(form: RdfForm, bytes: Vec<u8>, method: &Method) -> Response {
    let kind = format!("{}; charset=utf-8", form.media_type());
    let mut response = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
    if method == Method::HEAD {
        response.extensions_mut().insert(Measured);
    }
    response
}

fn varied(mut response: Response) -> Response {
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}

fn pairs(query: Option<&str>) -> url::form_urlencoded::Parse<'_> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
}

/// What of a catalog is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Datasets, page by page.
    Datasets,
    /// What is said of the catalog itself and its series.
    Catalog,
}

/// What an address asks for.
#[derive(Debug)]
struct Asked {
    part: Part,
    page: PageAsked,
    /// Words or a query as CKAN reads them.
    q: Option<String>,
    /// A query that narrows.
    fq: Option<String>,
}

impl Asked {
    /// What `q` and `fq` say. Blocks.
    fn selection(&self, handle: &NodeHandle) -> Result<Option<Expression>, Problem> {
        if self.q.is_none() && self.fq.is_none() {
            return Ok(None);
        }
        let (q, fq) = (self.q.as_deref().unwrap_or_default(), self.fq.as_deref().unwrap_or_default());
        ckan::selection(handle, q, fq).map(Some).map_err(Problem::conflicting)
    }
}

/// Reads which page is meant. Empty values count as not given. A value that
/// cannot be is a conflict (409), as ckanext-dcat answers it.
fn page_asked(scope: Scope, form: RdfForm, address: String, query: Option<&str>) -> Result<Asked, Problem> {
    let page = PageAsked {
        scope,
        form,
        address,
        page: 1,
        after: None,
        modified_since: None,
        selection: None,
        carried: Vec::new(),
    };
    let mut asked = Asked { part: Part::Datasets, page, q: None, fq: None };
    let mut seen = Vec::new();
    for (name, value) in pairs(query) {
        let Some(name) = PARAMETERS.into_iter().find(|known| *known == name) else {
            return Err(Problem::unknown_parameter(&name, &PARAMETERS));
        };
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        if seen.contains(&name) {
            return Err(Problem::repeated_parameter(name));
        }
        seen.push(name);
        take(&mut asked, name, value)?;
    }
    Ok(asked)
}

/// Takes one parameter. Profiles are ckanext-dcat's choice of vocabulary; there
/// is one here, which has all of them.
fn take(asked: &mut Asked, name: &'static str, value: &str) -> Result<(), Problem> {
    let wrong = |remedy| Problem::invalid_parameter(name, value, remedy).conflicting();
    let page = &mut asked.page;
    match name {
        "page" => page.page = number(value).ok_or_else(|| wrong(page_remedy()))?,
        "after" => page.after = Some(value.parse().map_err(|_| wrong(after_remedy()))?),
        "modified_since" => page.modified_since = Some(moment(value).ok_or_else(|| wrong(moment_remedy()))?),
        "part" if value == "catalog" => asked.part = Part::Catalog,
        "part" => return Err(wrong(part_remedy())),
        _ => {
            match name {
                "q" => asked.q = Some(value.to_owned()),
                "fq" => asked.fq = Some(value.to_owned()),
                _ => {}
            }
            page.carried.push((name, value.to_owned()));
        }
    }
    Ok(())
}

fn number(value: &str) -> Option<u64> {
    value.parse().ok().filter(|page| (1..=PAGE_MAX).contains(page))
}

fn page_remedy() -> Bilingual {
    Bilingual::fixed("Eine ganze Zahl ab 1 angeben.", "give a whole number from 1")
}

fn part_remedy() -> Bilingual {
    Bilingual::fixed("„catalog“ angeben oder weglassen.", "give `catalog`, or leave it out")
}

fn after_remedy() -> Bilingual {
    Bilingual::fixed(
        "Dem Verweis „hydra:next“ der vorigen Seite folgen, so wie er dort steht.",
        "follow the link `hydra:next` of the page before as it stands there",
    )
}

/// A day or a moment; one without an offset is meant in UTC, as CKAN's
/// harvesters send it.
fn moment(value: &str) -> Option<Timestamp> {
    Timestamp::parse(value).or_else(|_| Timestamp::parse(&format!("{value}Z"))).ok()
}

fn moment_remedy() -> Bilingual {
    Bilingual::fixed(
        "Einen Tag oder Zeitpunkt nach ISO 8601 angeben, zum Beispiel 2026-11-02 oder 2026-11-02T08:41:00Z.",
        "give a day or a moment of ISO 8601, for example 2026-11-02 or 2026-11-02T08:41:00Z",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn asked(query: &str) -> Result<Asked, Problem> {
        page_asked(Scope::Federation, RdfForm::Turtle, "http://a.example/catalog.ttl".to_owned(), Some(query))
    }

    #[test]
    fn pages_days_and_moments_are_read() {
        let page = asked("page=3&modified_since=2026-11-02&after=").unwrap().page;
        assert_eq!((page.page, page.after), (3, None));
        assert_eq!(page.modified_since, Timestamp::parse("2026-11-02T00:00:00Z").ok());
        let moment = asked("modified_since=2026-11-02T08:41:00.123456").unwrap().page.modified_since;
        assert_eq!(moment, Timestamp::parse("2026-11-02T08:41:00Z").ok());
    }

    #[test]
    fn what_a_walk_is_narrowed_by_is_carried_on() {
        let asked = asked("q=baum&fq=tags:wald&profiles=euro_dcat_ap_3&page=2").unwrap();
        assert_eq!((asked.q.as_deref(), asked.fq.as_deref()), (Some("baum"), Some("tags:wald")));
        let carried: Vec<&str> = asked.page.carried.iter().map(|(name, _)| *name).collect();
        assert_eq!(carried, ["q", "fq", "profiles"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, code) in [
            ("page=0", "invalid_parameter"),
            ("page=-1", "invalid_parameter"),
            ("page=eins", "invalid_parameter"),
            ("after=2", "invalid_parameter"),
            ("modified_since=gestern", "invalid_parameter"),
            ("modified_since=2026-13-01", "invalid_parameter"),
            ("part=series", "invalid_parameter"),
            ("page=1&page=2", "repeated_parameter"),
            ("pgae=1", "unknown_parameter"),
        ] {
            let problem = asked(query).unwrap_err();
            assert_eq!(problem.code(), code, "{query}");
            assert_eq!(problem.status() == StatusCode::CONFLICT, code == "invalid_parameter", "{query}");
            assert!(problem.remedy_words().is_some(), "{query}");
        }
    }

    #[test]
    fn a_dataset_is_named_with_or_without_an_ending() {
        let id = "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10";
        assert_eq!(named(id).unwrap().1, None);
        assert_eq!(named(&format!("{id}.xml")).unwrap().1, Some(RdfForm::RdfXml));
        for wrong in [format!("{id}.pdf"), format!("{id}."), "x.ttl".to_owned(), String::new()] {
            assert_eq!(named(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn browsers_get_pages_and_rdf_clients_rdf() {
        let liked = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            liked_better(&headers)
        };
        assert_eq!(liked("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), None);
        assert_eq!(liked("*/*"), None);
        assert_eq!(liked("text/turtle, text/html;q=0.5"), Some(RdfForm::Turtle));
        assert_eq!(liked("application/rdf+xml"), Some(RdfForm::RdfXml));
        assert_eq!(liked_better(&HeaderMap::new()), None);
    }
}
