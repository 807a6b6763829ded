//! Atom (RFC 4287) at the addresses of CKAN's feeds.
//!
//! `/feeds/dataset.atom` and `/feeds/organization/{town}.atom` are the log,
//! newest first: who follows the links until an entry that it knows has missed
//! nothing, and withdrawals are told as `at:deleted-entry` (RFC 6721). The
//! feeds of a theme, a keyword or a search are what the search finds, newest
//! `dct:modified` first; they cannot know what once was in them.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{Lang, Theme};
use crdt::ids::{DatasetId, Town, UnixMillis};
use crdt::vocabulary::Vocabularies;
use node::handle::{
    LISTING_LIMIT_MAX, Listed, LogEntry, LogSlice, NodeHandle, Place, ReadError, Scope, Select,
};
use node::search::{Expression, NamedField, Sort};
use node::view::{PAGE_OFFSET_MAX, SEARCH_TEXT_BYTES_MAX, TownInfo};

use crate::app::App;
use crate::error::Problem;
use crate::extract::Segment;
use crate::feeds::{second, xml};

/// Entries of one page, as many as CKAN's.
const PAGE: usize = 20;
const MEDIA_TYPE: &str = "application/atom+xml; charset=utf-8";
/// Parameters of `custom.atom`.
const CUSTOM: [&str; 5] = ["q", "organization", "groups", "tags", "page"];

#[derive(Debug, Template)]
#[template(path = "feeds/atom.xml")]
struct Feed {
    id: String,
    title: String,
    updated: String,
    author: String,
    base: String,
    /// Relation and address.
    links: Vec<(&'static str, String)>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
enum Entry {
    Dataset(Box<DatasetEntry>),
    Deleted { id: DatasetId, when: String },
}

#[derive(Debug)]
struct DatasetEntry {
    id: DatasetId,
    title: String,
    lang: &'static str,
    updated: String,
    published: Option<String>,
    publisher: String,
    summary: Option<String>,
    /// Term and label.
    categories: Vec<(String, Option<String>)>,
}

impl DatasetEntry {
    fn new(listed: &Listed, at: UnixMillis, members: &[TownInfo], lists: &Vocabularies) -> Self {
        let dataset = &listed.dataset;
        let lang = if dataset.title.get(Lang::De).is_some() { Lang::De } else { Lang::En };
        let title = dataset.title.best(lang).map(ToString::to_string);
        let town = || town_name(members, listed.town);
        let words = dataset.keywords.iter().map(|keyword| (keyword.word.to_string(), None));
        let themes = dataset.themes.iter();
        let themes =
            themes.map(|theme| (theme.code().to_owned(), Some(theme.label_in(lists, Lang::De).to_owned())));
        Self {
            id: dataset.id,
            title: title.unwrap_or_else(|| dataset.id.to_string()),
            lang: lang.code(),
            updated: second(at),
            published: dataset.issued.map(|at| at.to_string()),
            publisher: dataset.publisher.name.as_ref().map_or_else(town, ToString::to_string),
            summary: dataset.description.best(lang).map(ToString::to_string),
            categories: words.chain(themes).collect(),
        }
    }
}

fn town_name(members: &[TownInfo], town: Town) -> String {
    let member = members.iter().find(|member| member.town == town);
    member.map_or_else(|| town.to_string(), |member| member.name.clone())
}

/// Answers `GET /feeds/dataset.atom`.
pub(crate) async fn datasets(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let title = format!("Offene Datensätze – Knoten der Stadt {}", app.handle.town().name);
    log(&app, &headers, query.as_deref(), "/feeds/dataset.atom", title, Scope::Federation).await
}

/// Answers `GET /feeds/organization/{file}`: the town by short name or key.
pub(crate) async fn organization(
    State(app): State<App>,
    Segment(file): Segment,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let town = town(&app, named(&file)?).ok_or_else(Problem::not_found)?;
    let title = format!("Offene Datensätze der Stadt {}", town.name);
    let path = format!("/feeds/organization/{}.atom", town.code);
    log(&app, &headers, query.as_deref(), &path, title, Scope::Town(town.town)).await
}

/// Answers `GET /feeds/group/{file}`: an EU data theme by its code.
pub(crate) async fn group(
    State(app): State<App>,
    Segment(file): Segment,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let lists = app.handle.vocabularies();
    let theme = theme(lists, named(&file)?).ok_or_else(Problem::not_found)?;
    let asked = Asked::read(query.as_deref(), &["page"])?;
    let found = Found {
        path: format!("/feeds/group/{}.atom", theme.code().to_lowercase()),
        title: format!("Offene Datensätze: {}", theme.label_in(lists, Lang::De)),
        expression: Expression::Is(NamedField::Theme, theme.code().to_owned()),
        parameters: Vec::new(),
    };
    search(&app, &headers, found, asked.page()?).await
}

/// Answers `GET /feeds/tag/{file}`: a keyword as it is written.
pub(crate) async fn tag(
    State(app): State<App>,
    Segment(file): Segment,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let word = named(&file)?;
    let asked = Asked::read(query.as_deref(), &["page"])?;
    let escaped: String = url::form_urlencoded::byte_serialize(word.as_bytes()).collect();
    let found = Found {
        path: format!("/feeds/tag/{}.atom", escaped.replace('+', "%20")),
        title: format!("Offene Datensätze: {word}"),
        expression: Expression::Is(NamedField::Keyword, word.to_owned()),
        parameters: Vec::new(),
    };
    search(&app, &headers, found, asked.page()?).await
}

/// Answers `GET /feeds/custom.atom`: what a search finds.
pub(crate) async fn custom(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::read(query.as_deref(), &CUSTOM)?;
    let page = asked.page()?;
    let (mut parts, mut parameters) = (Vec::new(), Vec::new());
    for (name, value) in &asked.0 {
        parts.push(match *name {
            "q" => words(value)?,
            "organization" => match town(&app, value) {
                Some(town) => Expression::Is(NamedField::Town, town.town.to_string()),
                None => {
                    return Err(no_such(
                        name,
                        value,
                        "organization",
                        app.handle.members().iter().map(|town| town.code.clone()),
                    ));
                }
            },
            "groups" => match theme(app.handle.vocabularies(), value) {
                Some(theme) => Expression::Is(NamedField::Theme, theme.code().to_owned()),
                None => {
                    return Err(no_such(
                        name,
                        value,
                        "group",
                        themes(app.handle.vocabularies()).map(|theme| theme.code().to_lowercase()),
                    ));
                }
            },
            "tags" => Expression::Is(NamedField::Keyword, value.clone()),
            _ => continue,
        });
        parameters.push((*name, value.clone()));
    }
    let found = Found {
        path: "/feeds/custom.atom".to_owned(),
        title: format!("Suche im Datenkatalog – Knoten der Stadt {}", app.handle.town().name),
        expression: if parts.is_empty() { Expression::All } else { Expression::And(parts) },
        parameters,
    };
    search(&app, &headers, found, page).await
}

fn words(text: &str) -> Result<Expression, Problem> {
    if text.len() > SEARCH_TEXT_BYTES_MAX {
        let remedy = Bilingual::made(
            format!("Auf höchstens {SEARCH_TEXT_BYTES_MAX} Byte kürzen."),
            format!("shorten it to at most {SEARCH_TEXT_BYTES_MAX} bytes"),
        );
        return Err(Problem::invalid_parameter("q", text, remedy));
    }
    let everything = ["*", "*:*"].contains(&text);
    Ok(if everything { Expression::All } else { Expression::Words(text.to_owned()) })
}

fn no_such(parameter: &'static str, value: &str, what: &str, known: impl Iterator<Item = String>) -> Problem {
    let all = known.collect::<Vec<_>>().join(", ");
    let remedy = Bilingual::made(
        format!("Einen dieser Namen angeben: {all}."),
        format!("give the name of one {what}: {all}"),
    );
    Problem::invalid_parameter(parameter, value, remedy)
}

/// The name before `.atom`.
fn named(file: &str) -> Result<&str, Problem> {
    file.strip_suffix(".atom").filter(|name| !name.is_empty()).ok_or_else(Problem::not_found)
}

fn town(app: &App, name: &str) -> Option<TownInfo> {
    let members = app.handle.members();
    members.into_iter().find(|member| member.code == name || member.town.to_string() == name)
}

fn themes(lists: &Vocabularies) -> impl Iterator<Item = Theme> + '_ {
    let concepts = lists.themes().concepts().iter();
    concepts.filter_map(|concept| Theme::read(&concept.code).ok())
}

fn theme(lists: &Vocabularies, name: &str) -> Option<Theme> {
    themes(lists).find(|theme| theme.code().eq_ignore_ascii_case(name))
}

/// Parameters that were given, each once and with a value.
struct Asked(Vec<(&'static str, String)>);

impl Asked {
    fn read(query: Option<&str>, known: &[&'static str]) -> Result<Self, Problem> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let Some(name) = known.iter().copied().find(|known| *known == name) else {
                return Err(Problem::unknown_parameter(&name, known));
            };
            // CKAN's feed takes several keywords, all of which must be there.
            if name != "tags" && given.iter().any(|(seen, _)| *seen == name) {
                return Err(Problem::repeated_parameter(name));
            }
            if !value.trim().is_empty() {
                given.push((name, value.trim().to_owned()));
            }
        }
        Ok(Self(given))
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The number of the page, from 1.
    fn page(&self) -> Result<usize, Problem> {
        let most = PAGE_OFFSET_MAX / PAGE;
        let Some(text) = self.value("page") else { return Ok(1) };
        text.parse().ok().filter(|page| (1..=most).contains(page)).ok_or_else(|| {
            let remedy = Bilingual::made(
                format!("Eine ganze Zahl von 1 bis {most} angeben."),
                format!("give a whole number from 1 to {most}"),
            );
            Problem::invalid_parameter("page", text, remedy)
        })
    }
}

/// A page of the log.
async fn log(
    app: &App,
    headers: &HeaderMap,
    query: Option<&str>,
    path: &str,
    title: String,
    scope: Scope,
) -> Result<Response, Problem> {
    let asked = Asked::read(query, &["before", "page"])?;
    let before = asked.value("before").map(|text| text.parse::<Place>().map_err(|_| no_place(text)));
    let (before, page) = (before.transpose()?, asked.page()?);
    let slice = app
        .read(move |handle| match before {
            None => log_newest(handle, scope, page),
            before => handle.log_newest(scope, before, PAGE),
        })
        .await?;
    let (members, lists) = (app.handle.members(), app.handle.vocabularies());
    let entry = |entry: &LogEntry| match entry.dataset.as_deref() {
        Some(listed) => Entry::Dataset(Box::new(DatasetEntry::new(listed, entry.at, &members, lists))),
        None => Entry::Deleted { id: entry.id, when: second(entry.at) },
    };
    let base = app.base_url(headers);
    let first = format!("{base}{path}");
    let address = |place: Option<Place>| match place {
        Some(place) => format!("{first}?before={place}"),
        None => first.clone(),
    };
    let own = if before.is_none() && page > 1 { format!("{first}?page={page}") } else { address(before) };
    let mut links = vec![("self", own), ("first", address(None))];
    let last = slice.entries.last().filter(|_| slice.more);
    links.extend(last.map(|last| ("next", address(Some(last.place())))));
    let newest = slice.entries.first().map_or(UnixMillis(0), |entry| entry.at);
    let feed = Feed {
        id: first.clone(),
        title,
        updated: second(newest),
        author: format!("Stadt {}", app.handle.town().name),
        base,
        links,
        entries: slice.entries.iter().map(entry).collect(),
    };
    Ok(xml(&feed, MEDIA_TYPE))
}

/// A page by its number, as CKAN counts: from the newest. Who follows the links
/// instead does not lose his place when something new comes. Blocks.
fn log_newest(handle: &NodeHandle, scope: Scope, page: usize) -> Result<LogSlice, ReadError> {
    let mut skip = (page - 1) * PAGE;
    let mut before = None;
    while skip > 0 {
        let slice = handle.log_newest(scope, before, skip.min(LISTING_LIMIT_MAX))?;
        skip -= slice.entries.len();
        before = slice.entries.last().map(LogEntry::place);
        if !slice.more {
            return Ok(LogSlice { entries: Vec::new(), more: false });
        }
    }
    handle.log_newest(scope, before, PAGE)
}

fn no_place(text: &str) -> Problem {
    let remedy = Bilingual::fixed(
        "Dem Verweis „next“ eines Feeds folgen oder ohne „before“ von vorn beginnen.",
        "follow the link `next` of a feed, or begin anew without `before`",
    );
    Problem::invalid_parameter("before", text, remedy)
}

/// A feed that is a search.
struct Found {
    path: String,
    title: String,
    expression: Expression,
    parameters: Vec<(&'static str, String)>,
}

/// A page of what a search finds.
async fn search(app: &App, headers: &HeaderMap, found: Found, page: usize) -> Result<Response, Problem> {
    let select = Select {
        expression: found.expression,
        sort: vec![Sort::Modified],
        offset: (page - 1) * PAGE,
        limit: PAGE,
        facets: Vec::new(),
    };
    let selected = app.read(move |handle| -> Result<_, ReadError> { handle.select(&select) }).await?;
    let (members, lists) = (app.handle.members(), app.handle.vocabularies());
    let base = app.base_url(headers);
    let address = |page: usize| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &found.parameters {
            query.append_pair(name, value);
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{base}{}{mark}{query}", found.path)
    };
    let total = usize::try_from(selected.total).unwrap_or(usize::MAX);
    let last = total.div_ceil(PAGE).clamp(1, PAGE_OFFSET_MAX / PAGE);
    let mut links = vec![("self", address(page)), ("first", address(1)), ("last", address(last))];
    links.extend((page > 1).then(|| ("previous", address(page - 1))));
    links.extend((page < last).then(|| ("next", address(page + 1))));
    let newest = selected.datasets.iter().map(|listed| listed.at).max().unwrap_or(UnixMillis(0));
    let entry =
        |listed: &Listed| Entry::Dataset(Box::new(DatasetEntry::new(listed, listed.at, &members, lists)));
    let feed = Feed {
        id: address(1),
        title: found.title.clone(),
        updated: second(newest),
        author: format!("Stadt {}", app.handle.town().name),
        links,
        entries: selected.datasets.iter().map(entry).collect(),
        base: base.clone(),
    };
    Ok(xml(&feed, MEDIA_TYPE))
}
