//! Runs a query on one index or several and assembles the page.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use tantivy::query::Query;
use tantivy::{DocAddress, Searcher, TantivyDocument, TantivyError};
use thiserror::Error;

use super::analysis::TextLanguage::{English, German};
use super::collect::{Candidate, Collected, PageCollector};
use super::facets::SegmentColumns;
use super::fields::Fields;
use super::highlight::Highlighter;
use super::matching::Plan;
use super::rank::Ranking;
use super::statistics::Statistics;
use super::tolerance::WordList;
use super::{
    FACET_VALUES_MAX, Facet, FacetCount, QueryError, SearchHit, SearchIndex, SearchQuery, SearchRecord,
    SearchResults,
};

/// A search cannot be answered.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The query exceeds a bound; the reader can do something about it.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The index cannot be read; it must be rebuilt.
    #[error("read the search index: {0}")]
    Index(String),
}

impl From<TantivyError> for SearchError {
    fn from(error: TantivyError) -> Self {
        SearchError::Index(error.to_string())
    }
}

impl From<std::io::Error> for SearchError {
    fn from(error: std::io::Error) -> Self {
        SearchError::Index(error.to_string())
    }
}

/// What one index shows at one moment.
pub(super) struct View {
    pub(super) searcher: Searcher,
    pub(super) columns: Vec<Arc<SegmentColumns>>,
    pub(super) fields: Fields,
}

impl View {
    /// The words of each segment.
    pub(super) fn word_lists(&self) -> tantivy::Result<Vec<&WordList>> {
        let segments = self.searcher.segment_readers().iter().zip(&self.columns);
        segments.map(|(segment, columns)| columns.words(segment, self.fields)).collect()
    }
}

impl SearchIndex {
    /// Searches this index alone.
    pub fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        search_merged(&[self], query)
    }
}

/// Searches several indexes as if they were one; no key may be in two of them.
pub fn search_merged(indexes: &[&SearchIndex], query: &SearchQuery) -> Result<SearchResults, SearchError> {
    let demands = query.demands()?;
    let views = indexes.iter().map(|index| index.view()).collect::<Result<Vec<View>, _>>()?;
    let (Some(first_index), Some(first)) = (indexes.first(), views.first()) else {
        return Ok(SearchResults::default());
    };
    let searchers: Vec<Searcher> = views.iter().map(|view| view.searcher.clone()).collect();
    let mut analyzer = first_index.reading_analyzer();
    let mut plan = Plan::new(&demands, first.fields, &mut analyzer);
    let tolerated = plan.tolerate(&views)?;
    let ranking = Ranking::new(&[query.sort]);
    let run = |plan: &Plan, demanded| collect(&views, &searchers, plan, demanded, &ranking, query);
    let is_empty = |found: &[Collected]| !found.iter().any(|collected| collected.any_match);
    let mut found = run(&plan, plan.wanted.len())?;
    if is_empty(&found) && plan.look_inside(&views)? {
        found = run(&plan, plan.wanted.len())?;
    }
    let mut relaxed = false;
    for fewer in plan.fewer() {
        if is_empty(&found) {
            found = run(&plan, fewer)?;
            relaxed = !is_empty(&found);
        }
    }
    let page = page(&views, &found, &ranking, query.offset, query.limit)?;
    let mut highlighter = Highlighter::new(&plan, &mut analyzer);
    let hits = page.into_iter().map(|placed| {
        let record = read(&views[placed.view], &placed.candidate)?;
        Ok(hit(record, placed.candidate.score, query.highlight.then_some(&mut highlighter)))
    });
    Ok(SearchResults {
        hits: hits.collect::<Result<_, SearchError>>()?,
        total: found.iter().map(|collected| collected.total).sum(),
        facets: facet_counts(&found, query),
        relaxed,
        tolerated,
    })
}

fn collect(
    views: &[View],
    searchers: &[Searcher],
    plan: &Plan,
    demanded: usize,
    ranking: &Ranking,
    query: &SearchQuery,
) -> Result<Vec<Collected>, SearchError> {
    let matching: Box<dyn Query> = plan.query(demanded);
    let statistics = Statistics { searchers };
    let collected = views.iter().map(|view| {
        let collector = PageCollector {
            columns: &view.columns,
            fields: view.fields,
            condition: query.condition.as_ref(),
            filters: &query.filters,
            audience: &query.audience,
            ranking,
            scored: plan.is_scored(),
            keep: query.offset + query.limit,
            counted: if query.facets { &Facet::SHOWN } else { &[] },
        };
        view.searcher.search_with_statistics_provider(matching.as_ref(), &collector, &statistics)
    });
    Ok(collected.collect::<Result<_, TantivyError>>()?)
}

/// A candidate with everything that decides about its place.
pub(super) struct Placed {
    pub(super) view: usize,
    pub(super) candidate: Candidate,
    title: String,
    key: String,
}

/// The candidates of the page asked for, in order.
pub(super) fn page(
    views: &[View],
    found: &[Collected],
    ranking: &Ranking,
    offset: usize,
    limit: usize,
) -> Result<Vec<Placed>, SearchError> {
    let mut candidates: Vec<(usize, Candidate)> = found
        .iter()
        .enumerate()
        .flat_map(|(view, collected)| collected.candidates.iter().map(move |candidate| (view, *candidate)))
        .collect();
    let mut skip = offset;
    if !ranking.needs_titles() {
        let order = |candidate: &Candidate| (Reverse(candidate.rank), ranking.place(candidate.id));
        candidates.sort_unstable_by_key(|(_, candidate)| order(candidate));
        let order_at = |place: usize| candidates.get(place).map(|(_, candidate)| order(candidate));
        let end = offset.saturating_add(limit).min(candidates.len());
        let (Some(first), Some(last)) = (order_at(offset), order_at(end.saturating_sub(1))) else {
            return Ok(Vec::new());
        };
        // Keys decide among equals only, so those above or below the page are not read.
        skip -= candidates.iter().take_while(|(_, candidate)| order(candidate) < first).count();
        candidates.retain(|(_, candidate)| (first..=last).contains(&order(candidate)));
    }
    let mut placed = candidates
        .into_iter()
        .map(|(view, candidate)| {
            let columns = &views[view].columns[candidate.segment as usize];
            let (mut title, mut key) = (String::new(), String::new());
            if ranking.needs_titles()
                && let Some(ordinal) = columns.titles.ords().first(candidate.doc)
            {
                columns.titles.ord_to_str(ordinal, &mut title)?;
            }
            if let Some(ordinal) = columns.keys.ords().first(candidate.doc) {
                columns.keys.ord_to_str(ordinal, &mut key)?;
            }
            Ok(Placed { view, candidate, title, key })
        })
        .collect::<Result<Vec<Placed>, SearchError>>()?;
    placed.sort_by(|one, other| {
        let by_rank =
            ranking.compare((&one.candidate.rank, &one.title), (&other.candidate.rank, &other.title));
        let place = |placed: &Placed| ranking.place(placed.candidate.id);
        by_rank.then_with(|| place(one).cmp(&place(other))).then_with(|| one.key.cmp(&other.key))
    });
    Ok(placed.into_iter().skip(skip).take(limit).collect())
}

fn read(view: &View, candidate: &Candidate) -> Result<SearchRecord, SearchError> {
    let document: TantivyDocument = view.searcher.doc(DocAddress::new(candidate.segment, candidate.doc))?;
    view.fields
        .record(&document)
        .ok_or_else(|| SearchError::Index("a stored record has another form than expected".to_owned()))
}

fn hit(record: SearchRecord, score: f32, highlighter: Option<&mut Highlighter<'_>>) -> SearchHit {
    let mut hit = SearchHit {
        record,
        score,
        title_de: Vec::new(),
        title_en: Vec::new(),
        excerpt_de: Vec::new(),
        excerpt_en: Vec::new(),
    };
    if let Some(highlighter) = highlighter {
        hit.title_de = highlighter.text(German, &hit.record.title_de);
        hit.title_en = highlighter.text(English, &hit.record.title_en);
        hit.excerpt_de = highlighter.excerpt(German, &hit.record.description_de);
        hit.excerpt_en = highlighter.excerpt(English, &hit.record.description_en);
    }
    hit
}

/// The counts of all views together; what was chosen is listed even if it counts nothing.
fn facet_counts(found: &[Collected], query: &SearchQuery) -> BTreeMap<Facet, Vec<FacetCount>> {
    if !query.facets {
        return BTreeMap::new();
    }
    let counted = |facet: Facet| {
        let chosen = query.filters.get(&facet).map_or(&[][..], Vec::as_slice);
        let mut counts = counts_of(found, facet, chosen);
        let mut place = 0;
        counts.retain(|counted| {
            place += 1;
            place <= FACET_VALUES_MAX || chosen.contains(&counted.value)
        });
        (facet, counts)
    };
    Facet::SHOWN.into_iter().map(counted).collect()
}

/// How often each value of a facet was found, and of `chosen` each, most frequent first.
pub(super) fn counts_of(found: &[Collected], facet: Facet, chosen: &[String]) -> Vec<FacetCount> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for counts in found.iter().filter_map(|collected| collected.counts.get(&facet)) {
        for (value, count) in counts {
            *sums.entry(value).or_default() += count;
        }
    }
    for value in chosen {
        sums.entry(value).or_default();
    }
    let mut counts: Vec<FacetCount> =
        sums.into_iter().map(|(value, count)| FacetCount { value: value.to_owned(), count }).collect();
    // Sorted by value already, and the sort is stable.
    counts.sort_by_key(|counted| Reverse(counted.count));
    counts
}
