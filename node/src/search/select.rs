//! Selects datasets by an expression: for programs that page through the whole catalog.
//!
//! Answers from terms and columns alone; no stored record is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use tantivy::{Searcher, TantivyError};

use super::collect::PageCollector;
use super::compile::Compiler;
use super::expression::Expression;
use super::rank::Ranking;
use super::run::{SearchError, counts_of, page};
use super::statistics::Statistics;
use super::{Facet, FacetCount, Filters, SearchIndex, Sort};

/// A query for [`SearchIndex::select`].
#[derive(Debug, Clone)]
pub struct SelectQuery {
    /// Which records.
    pub expression: Expression,
    /// What the reader may see at all: narrows every hit and every count.
    pub audience: Filters,
    /// Keys of the order, the first first; empty for the best match first.
    pub sort: Vec<Sort>,
    /// How many hits to skip; any number.
    pub offset: usize,
    /// How many hits to return; 0 for counts only.
    pub limit: usize,
    /// What to count over the whole result.
    pub facets: Vec<Facet>,
}

/// The answer to a [`SelectQuery`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// How many records match.
    pub total: u64,
    /// The datasets of the page, in order.
    pub ids: Vec<uuid::Uuid>,
    /// All values of the facets asked for, most frequent first.
    pub facets: BTreeMap<Facet, Vec<FacetCount>>,
}

impl SearchIndex {
    /// Finds the records of which the expression is true.
    pub fn select(&self, query: &SelectQuery) -> Result<Selection, SearchError> {
        query.expression.check()?;
        let view = self.view()?;
        let mut analyzer = self.reading_analyzer();
        let segments = view.searcher.segment_readers().iter().map(|segment| segment.segment_id());
        let columns = Arc::new(segments.zip(view.columns.iter().cloned()).collect());
        let mut compiler = Compiler { fields: view.fields, columns, analyzer: &mut analyzer };
        let matching = compiler.query(&query.expression)?;
        drop(analyzer);
        let ranking = Ranking::new(&query.sort);
        let collector = PageCollector {
            columns: &view.columns,
            filters: &Filters::new(),
            audience: &query.audience,
            condition: None,
            fields: view.fields,
            ranking: &ranking,
            scored: query.expression.is_ranking(),
            keep: if query.limit == 0 { 0 } else { query.offset.saturating_add(query.limit) },
            counted: &query.facets,
        };
        let searchers: [Searcher; 1] = [view.searcher.clone()];
        let statistics = Statistics { searchers: &searchers };
        let collected =
            view.searcher.search_with_statistics_provider(matching.as_ref(), &collector, &statistics);
        let found = [collected.map_err(|error: TantivyError| SearchError::from(error))?];
        let views = [view];
        let placed = page(&views, &found, &ranking, query.offset, query.limit)?;
        let counts = |facet: &Facet| (*facet, counts_of(&found, *facet, &[]));
        Ok(Selection {
            total: found[0].total,
            ids: placed.iter().map(|placed| uuid::Uuid::from_u128(placed.candidate.id)).collect(),
            facets: query.facets.iter().map(counts).collect(),
        })
    }
}
