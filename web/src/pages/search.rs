//! The search page: what is asked, what is found, and by what it can be
//! narrowed. Every step is a link or a form field, so it works without
//! JavaScript and every state has an address.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use crdt::catalog::{Frequency, Lang, LicenceIri, Theme};
use crdt::vocabulary::Vocabularies;
use node::view::{Fragment, PAGE_OFFSET_MAX, Reader, SearchHit, SearchPage, SearchQuery, Sort};
use url::form_urlencoded::Serializer;

use super::{Frame, Place, render};
use crate::app::App;
use crate::error::Problem;
use crate::feeds::linked;
use crate::locale::{self, Texts};
use crate::query::{self, Known, Unknown};
use crate::{negotiate, rdf, records};

/// Values of a facet that are shown at once; the others fold out.
const FACET_VALUES_SHOWN: usize = 6;
/// Facets on the page, in this order. The class is always open here.
const FACETS: [&str; 6] = ["town", "theme", "domain", "format", "licence", "frequency"];

#[derive(Template)]
#[template(path = "search.html")]
struct SearchView {
    frame: Frame,
    text: String,
    sorts: Vec<Choice>,
    total: String,
    total_words: &'static str,
    is_empty: bool,
    has_words: bool,
    nothing_asked: bool,
    relaxed: bool,
    hits: Vec<Hit>,
    facets: Vec<FacetView>,
    chips: Vec<Chip>,
    page: usize,
    pages: usize,
    previous: Option<String>,
    next: Option<String>,
    /// The catalog for search engines, in schema.org's words.
    linked: serde_json::Value,
}

/// One value that can be chosen.
struct Choice {
    value: String,
    label: String,
    count: String,
    chosen: bool,
}

struct FacetView {
    name: &'static str,
    title: &'static str,
    shown: Vec<Choice>,
    folded: Vec<Choice>,
}

/// A filter in force, and the address without it.
struct Chip {
    title: &'static str,
    label: String,
    without: String,
}

struct Hit {
    link: String,
    title: Vec<Fragment>,
    title_lang: &'static str,
    excerpt: Vec<Fragment>,
    excerpt_lang: &'static str,
    town: String,
    themes: Vec<String>,
    formats: Vec<String>,
    modified: Option<(String, String)>,
}

/// Answers `GET /`: the portal to browsers, the landing page of OGC API Records
/// to programs.
pub(crate) async fn page(
    State(app): State<App>,
    RawQuery(raw): RawQuery,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(form) = rdf::liked_better(&headers) {
        return rdf::home(&app, form, &uri, &method, &headers).await;
    }
    crate::api::refuse_while_starting(&app)?;
    if !negotiate::prefers_html(&headers, negotiate::JSON) {
        return Ok(records::landing_page(&app, &headers));
    }
    let members = app.handle.members();
    let lists = app.handle.vocabularies();
    let known = Known { members: &members, lists };
    let mut query = query::parse(raw.as_deref(), known, Reader::Public, Unknown::Ignore)?;
    query.limit = query::LIMIT_DEFAULT;
    query.highlight = !query.text.is_empty();
    let asked = query.clone();
    let found = app.read(move |handle| handle.search(Reader::Public, &asked)).await?;
    let frame = Frame::new(&app, &uri, &headers, Place::Search);
    let linked = linked::catalog(&app.base_url(&headers), &app.handle.town(), frame.t.catalog);
    Ok(render(&SearchView::new(frame, &query, found, lists, linked), &uri))
}

impl SearchView {
    fn new(
        frame: Frame,
        query: &SearchQuery,
        found: SearchPage,
        lists: &Vocabularies,
        linked: serde_json::Value,
    ) -> Self {
        let (t, lang) = (frame.t, frame.lang);
        let facets: Vec<FacetView> =
            FACETS.iter().filter_map(|name| FacetView::new(name, query, &found, lists, t, lang)).collect();
        let next_offset = query.offset + query.limit;
        let has_next = next_offset < found.total && next_offset <= PAGE_OFFSET_MAX;
        let previous_offset = query.offset.saturating_sub(query.limit);
        Self {
            text: query.text.clone(),
            sorts: sorts(query, t),
            total: locale::number(found.total as u64, lang),
            total_words: if found.total == 1 { t.results_one } else { t.results_many },
            is_empty: found.items.is_empty(),
            has_words: !query.text.is_empty(),
            nothing_asked: query.text.is_empty() && !is_filtered(query),
            relaxed: found.relaxed && found.total > 0,
            hits: found.items.into_iter().map(|hit| Hit::new(hit, lists, t, lang)).collect(),
            chips: chips(query, &facets),
            facets,
            page: query.offset / query.limit + 1,
            pages: found.total.div_ceil(query.limit).max(1),
            previous: (query.offset > 0).then(|| address(query, Some(previous_offset), None)),
            next: has_next.then(|| address(query, Some(next_offset), None)),
            linked,
            frame,
        }
    }

    fn has_filters(&self) -> bool {
        !self.chips.is_empty()
    }
}

fn is_filtered(query: &SearchQuery) -> bool {
    FACETS.iter().any(|name| !chosen(query, name).is_empty())
}

fn chosen<'a>(query: &'a SearchQuery, facet: &str) -> &'a [String] {
    match facet {
        "town" => &query.town,
        "theme" => &query.theme,
        "domain" => &query.domain,
        "format" => &query.format,
        "licence" => &query.licence,
        "frequency" => &query.frequency,
        _ => &query.class,
    }
}

fn sorts(query: &SearchQuery, t: &'static Texts) -> Vec<Choice> {
    let all = [
        (Sort::Relevance, "relevance", t.sort_relevance),
        (Sort::Modified, "modified", t.sort_modified),
        (Sort::Title, "title", t.sort_title),
    ];
    let choice = |(sort, value, label): (Sort, &str, &str)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        count: String::new(),
        chosen: sort == query.sort,
    };
    all.into_iter().map(choice).collect()
}

impl FacetView {
    fn new(
        name: &'static str,
        query: &SearchQuery,
        found: &SearchPage,
        lists: &Vocabularies,
        t: &'static Texts,
        lang: Lang,
    ) -> Option<Self> {
        let chosen = chosen(query, name);
        let counts = found.facets.get(name).map_or(&[][..], Vec::as_slice);
        let mut choices: Vec<Choice> = counts
            .iter()
            .map(|count| Choice {
                value: count.value.clone(),
                label: label(name, &count.value, &count.label, lists, lang),
                count: locale::number(count.count as u64, lang),
                chosen: chosen.contains(&count.value),
            })
            .collect();
        // A chosen value stays visible where it finds nothing any more.
        for value in chosen.iter().filter(|value| counts.iter().all(|count| count.value != **value)) {
            choices.push(Choice {
                value: value.clone(),
                label: label(name, value, value, lists, lang),
                count: "0".to_owned(),
                chosen: true,
            });
        }
        if choices.is_empty() {
            return None;
        }
        choices.sort_by_key(|choice| !choice.chosen);
        let shown = FACET_VALUES_SHOWN.max(choices.iter().filter(|choice| choice.chosen).count());
        let folded = choices.split_off(shown.min(choices.len()));
        Some(Self { name, title: facet_title(name, t), shown: choices, folded })
    }
}

fn facet_title(name: &str, t: &'static Texts) -> &'static str {
    match name {
        "town" => t.facet_town,
        "theme" => t.facet_theme,
        "domain" => t.facet_domain,
        "format" => t.facet_format,
        "licence" => t.facet_licence,
        "frequency" => t.facet_frequency,
        _ => t.facet_class,
    }
}

/// What people read for a value, in their language where there is a choice.
fn label(facet: &str, value: &str, given: &str, lists: &Vocabularies, lang: Lang) -> String {
    let known = match facet {
        "theme" => Theme::read(value).ok().map(|theme| theme.label_in(lists, lang).to_owned()),
        "frequency" => Frequency::read(value).ok().map(|one| one.label_in(lists, lang).to_owned()),
        "licence" => LicenceIri::read(value).ok().map(|licence| licence.label_in(lists).to_owned()),
        _ => None,
    };
    known.unwrap_or_else(|| given.to_owned())
}

fn chips(query: &SearchQuery, facets: &[FacetView]) -> Vec<Chip> {
    let mut chips = Vec::new();
    for facet in facets {
        for choice in facet.shown.iter().filter(|choice| choice.chosen) {
            chips.push(Chip {
                title: facet.title,
                label: choice.label.clone(),
                without: address(query, None, Some((facet.name, &choice.value))),
            });
        }
    }
    chips
}

/// The address of this search at another offset, or without one filter value.
fn address(query: &SearchQuery, offset: Option<usize>, without: Option<(&str, &str)>) -> String {
    let mut serializer = Serializer::new(String::new());
    if !query.text.is_empty() {
        serializer.append_pair("q", &query.text);
    }
    for name in FACETS {
        for value in chosen(query, name) {
            if without != Some((name, value)) {
                serializer.append_pair(name, value);
            }
        }
    }
    match query.sort {
        Sort::Relevance => {}
        Sort::Modified => drop(serializer.append_pair("sort", "modified")),
        Sort::Title => drop(serializer.append_pair("sort", "title")),
    }
    if let Some(offset) = offset.filter(|offset| *offset > 0) {
        serializer.append_pair("offset", &offset.to_string());
    }
    let query = serializer.finish();
    if query.is_empty() { "/".to_owned() } else { format!("/?{query}") }
}

impl Hit {
    fn new(hit: SearchHit, lists: &Vocabularies, t: &'static Texts, lang: Lang) -> Self {
        let plain = |text: &str| vec![Fragment { text: text.to_owned(), marked: false }];
        let marked = |field: &str, lang: Lang| {
            let pieces = hit.highlights.get(&format!("{field}/{}", lang.code()));
            pieces.filter(|pieces| !pieces.is_empty()).cloned()
        };
        // The title is in the reader's language if there is one.
        let titled = if hit.title.get(lang).is_some() { lang } else { super::other(lang) };
        let title = marked("title", titled)
            .unwrap_or_else(|| plain(hit.title.best(lang).map_or(t.title_missing, |title| title.as_str())));
        // Without marks the index gives the German description, if there is one.
        let other = super::other(lang);
        let (excerpt_lang, excerpt) = [lang, other]
            .into_iter()
            .find_map(|lang| Some((lang, marked("description", lang)?)))
            .unwrap_or_else(|| (Lang::De, plain(&hit.excerpt)));
        let theme = |code: &String| Theme::read(code).ok().map(|one| one.label_in(lists, lang).to_owned());
        Self {
            link: format!("/dataset/{}", hit.id),
            title,
            title_lang: titled.code(),
            excerpt,
            excerpt_lang: excerpt_lang.code(),
            town: hit.town_name,
            themes: hit.themes.iter().filter_map(theme).collect(),
            formats: hit.formats,
            modified: hit.modified.and_then(|modified| day_of(&modified, lang)),
        }
    }
}

/// A moment as programs and as people read its day.
fn day_of(moment: &str, lang: Lang) -> Option<(String, String)> {
    let day = crdt::catalog::Date::parse(moment).ok()?;
    Some((moment.to_owned(), locale::day(day.civil(), lang)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_everything_but_what_is_taken_away() {
        let query = SearchQuery {
            text: "Bäume & \"Park\"".to_owned(),
            town: vec!["05974040".to_owned(), "05966024".to_owned()],
            domain: vec!["Umwelt <Grün>".to_owned()],
            sort: Sort::Title,
            offset: 20,
            limit: 20,
            ..SearchQuery::default()
        };
        let next = address(&query, Some(40), None);
        assert!(next.contains("q=B%C3%A4ume+%26+%22Park%22&town=05974040&town=05966024"), "{next}");
        assert!(next.ends_with("&domain=Umwelt+%3CGr%C3%BCn%3E&sort=title&offset=40"), "{next}");
        let without = address(&query, None, Some(("town", "05974040")));
        assert!(!without.contains("05974040") && without.contains("05966024"), "{without}");
        assert!(!without.contains("offset"), "{without}");
        assert_eq!(address(&SearchQuery::default(), Some(0), None), "/");
    }
}
