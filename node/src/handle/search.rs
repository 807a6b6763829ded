//! Between what readers ask and what the search indexes know.
//!
//! The audience decides which indexes are asked at all; the public never
//! reaches the one of closed records.

use std::collections::BTreeMap;

use crdt::catalog::{Class, Frequency, Lang, LicenceIri, LifecycleStatus, Line, Theme, Timestamp, Title};
use crdt::ids::{Town, UnixMillis};
use crdt::vocabulary::Vocabularies;

use super::{NodeHandle, ReadError};
use crate::search::{self, Facet, Fragment as Piece, QueryError, SearchError, SearchRecord, search_merged};
use crate::view::{FacetCount, Fragment, Reader, SearchHit, SearchPage, SearchQuery, Sort, TownInfo};

/// Characters of the description that a hit shows when nothing is marked.
const EXCERPT_CHARS: usize = 300;
/// When a search is asked again while the index is made.
pub(super) const RETRY_S: u32 = 5;

impl NodeHandle {
    /// Finds datasets. Blocks.
    pub fn search(&self, reader: Reader, query: &SearchQuery) -> Result<SearchPage, ReadError> {
        if !self.shared.indexer.is_caught_up() {
            return Err(ReadError::Rebuilding { retry_s: RETRY_S });
        }
        let members = self.members();
        let lists = self.vocabularies();
        let asked = asked(reader, query, &members, lists);
        let open = self.shared.indexer.open_index();
        let results = if reader.may_see(Class::Closed) {
            search_merged(&[open, self.shared.indexer.closed_index()], &asked)
        } else {
            search_merged(&[open], &asked)
        };
        let results = results.map_err(|error| match error {
            SearchError::Query(error) => ReadError::Invalid(invalid(error)),
            SearchError::Index(detail) => ReadError::Search(detail),
        })?;
        let hits = results.hits.into_iter().filter_map(|found| hit(found, query.highlight, &members));
        let counts = |(facet, counts): (Facet, Vec<search::FacetCount>)| {
            let labelled = counts.into_iter().map(|count| FacetCount {
                label: label(facet, &count.value, &members, lists),
                value: count.value,
                count: usize::try_from(count.count).unwrap_or(usize::MAX),
            });
            (facet.name().to_owned(), labelled.collect())
        };
        Ok(SearchPage {
            total: usize::try_from(results.total).unwrap_or(usize::MAX),
            items: hits.collect(),
            facets: results.facets.into_iter().map(counts).collect(),
            relaxed: results.relaxed,
        })
    }
}

fn asked(
    reader: Reader,
    query: &SearchQuery,
    members: &[TownInfo],
    lists: &Vocabularies,
) -> search::SearchQuery {
    let town = |value: &String| {
        members
            .iter()
            .find(|town| town.code == *value)
            .map_or_else(|| value.clone(), |town| town.town.to_string())
    };
    // A value of no list is kept as it is and finds nothing.
    let theme = |value: &String| {
        Theme::parse_with(lists, value).map_or_else(|_| value.clone(), |one| one.code().into())
    };
    let licence = |value: &String| {
        LicenceIri::parse_with(lists, value).map_or_else(|_| value.clone(), |one| one.to_string())
    };
    let frequency = |value: &String| {
        Frequency::parse_with(lists, value).map_or_else(|_| value.clone(), |one| one.code().into())
    };
    let class = |value: &String| Class::parse(value).map_or_else(|_| value.clone(), |one| one.code().into());
    let mut filters: BTreeMap<Facet, Vec<String>> = BTreeMap::new();
    filters.insert(Facet::Town, query.town.iter().map(town).collect());
    filters.insert(Facet::Theme, query.theme.iter().map(theme).collect());
    filters.insert(Facet::Domain, query.domain.clone());
    filters.insert(Facet::Format, query.format.clone());
    filters.insert(Facet::Licence, query.licence.iter().map(licence).collect());
    filters.insert(Facet::Frequency, query.frequency.iter().map(frequency).collect());
    filters.insert(Facet::Class, query.class.iter().map(class).collect());
    filters.retain(|_, values| !values.is_empty());
    let mut audience = BTreeMap::new();
    let seen = Class::ALL.iter().filter(|class| reader.may_see(**class));
    audience.insert(Facet::Class, seen.map(|class| class.code().to_owned()).collect());
    search::SearchQuery {
        text: query.text.clone(),
        filters,
        condition: query.condition.clone(),
        audience,
        sort: match query.sort {
            Sort::Relevance => search::Sort::Relevance,
            Sort::Modified => search::Sort::Modified,
            Sort::Title => search::Sort::Title,
        },
        offset: query.offset,
        limit: query.limit,
        facets: true,
        highlight: query.highlight,
    }
}

/// A hit for readers; `None` for one that the index describes wrongly, which
/// its next rebuild puts right.
fn hit(found: search::SearchHit, highlight: bool, members: &[TownInfo]) -> Option<SearchHit> {
    let mut highlights = BTreeMap::new();
    if highlight {
        let pieces = |pieces: Vec<Piece>| -> Vec<Fragment> {
            pieces.into_iter().map(|piece| Fragment { text: piece.text, marked: piece.marked }).collect()
        };
        let all = [
            ("title/de", found.title_de),
            ("title/en", found.title_en),
            ("description/de", found.excerpt_de),
            ("description/en", found.excerpt_en),
        ];
        let present = all.into_iter().filter(|(_, pieces)| !pieces.is_empty());
        highlights.extend(present.map(|(path, found)| (path.to_owned(), pieces(found))));
    }
    let record = found.record;
    let excerpt = ["description/de", "description/en"]
        .iter()
        .find_map(|path| highlights.get(*path))
        .map(|pieces| pieces.iter().map(|piece| piece.text.as_str()).collect())
        .unwrap_or_else(|| beginning(&record));
    let town = Town::parse(&record.town).ok()?;
    let at = |seconds: i64| Timestamp::from_unix(UnixMillis(seconds.saturating_mul(1000)));
    Some(SearchHit {
        id: record.id.parse().ok()?,
        document: record.key.parse().ok(),
        identifier: Some(record.identifier).filter(|identifier| !identifier.is_empty()),
        title: Title { de: Line::parse(&record.title_de).ok(), en: Line::parse(&record.title_en).ok() },
        excerpt,
        town,
        town_name: name_of(&record.town, members),
        class: Class::parse(&record.class).ok()?,
        status: LifecycleStatus::parse(&record.status).ok()?,
        modified: record.modified.and_then(at).map(|at| at.to_string()),
        themes: record.themes,
        formats: record.formats,
        licence: record.licence,
        highlights,
    })
}

fn beginning(record: &SearchRecord) -> String {
    let text = if record.description_de.is_empty() { &record.description_en } else { &record.description_de };
    let mut shown: String = text.chars().take(EXCERPT_CHARS).collect();
    if text.chars().nth(EXCERPT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

fn name_of(town: &str, members: &[TownInfo]) -> String {
    let member = members.iter().find(|member| member.town.to_string() == town);
    member.map_or_else(|| town.to_owned(), |member| member.name.clone())
}

fn label(facet: Facet, value: &str, members: &[TownInfo], lists: &Vocabularies) -> String {
    let known = match facet {
        Facet::Town => Some(name_of(value, members)),
        Facet::Theme => Theme::read(value).ok().map(|one| one.label_in(lists, Lang::De).to_owned()),
        Facet::Licence => LicenceIri::read(value).ok().map(|one| one.label_in(lists).to_owned()),
        Facet::Frequency => Frequency::read(value).ok().map(|one| one.label_in(lists, Lang::De).to_owned()),
        Facet::Class => Class::parse(value).ok().map(|one| one.label(Lang::De).to_owned()),
        Facet::Status => LifecycleStatus::parse(value).ok().map(|one| one.label(Lang::De).to_owned()),
        Facet::Domain | Facet::Format | Facet::Keyword => None,
    };
    known.unwrap_or_else(|| value.to_owned())
}

pub(super) fn invalid(error: QueryError) -> crdt::catalog::InvalidField {
    use crdt::catalog::{Bilingual, InvalidField};
    let (field, value, de, en, remedy_de, remedy_en): (_, &dyn std::fmt::Display, _, _, _, _) = match &error {
        QueryError::PatternTooCostly { pattern } => (
            "q",
            pattern,
            "ist zu aufwendig",
            "costs too much",
            "weniger Platzhalter verwenden, oder nur am Ende",
            "use fewer wildcards, or one at the end only",
        ),
        QueryError::TooManyParts { parts } => (
            "q",
            parts,
            "Bedingungen sind zu viele",
            "conditions are too many",
            "Bedingungen weglassen",
            "leave conditions out",
        ),
        QueryError::NestedTooDeeply => (
            "q",
            &search::EXPRESSION_DEPTH_MAX,
            "Ebenen von Klammern sind nicht genug",
            "levels of parentheses are not enough",
            "Klammern auflösen",
            "flatten the query",
        ),
        QueryError::TooLong { chars } => (
            "q",
            chars,
            "Zeichen sind zu viele",
            "characters are too many",
            "die Suche kürzen",
            "shorten the search",
        ),
        QueryError::TooManyWords { words } => {
            ("q", words, "Wörter sind zu viele", "words are too many", "Wörter weglassen", "leave words out")
        }
        QueryError::PageTooFar { offset, .. } => (
            "offset",
            offset,
            "liegt zu weit hinten",
            "lies too far back",
            "die Suche eingrenzen",
            "narrow the search",
        ),
        QueryError::TooManyFilters { values } => (
            "filter",
            values,
            "Filterwerte sind zu viele",
            "filter values are too many",
            "weniger auswählen",
            "choose fewer",
        ),
        QueryError::TooManyConditions { conditions } => (
            "filter",
            conditions,
            "Bedingungen sind zu viele",
            "conditions are too many",
            "weniger auf einmal verlangen",
            "ask for less at once",
        ),
        QueryError::TooDeep { depth } => (
            "filter",
            depth,
            "Ebenen von Klammern sind zu viele",
            "levels of brackets are too many",
            "die Bedingungen weniger schachteln",
            "nest the conditions less",
        ),
    };
    InvalidField::new(field, value, Bilingual::fixed(de, en), Bilingual::fixed(remedy_de, remedy_en))
}
