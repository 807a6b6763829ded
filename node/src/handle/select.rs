//! Selects open datasets by an expression, for the query languages of other
//! catalogs.
//!
//! Never reaches the index of closed records, so that no condition, count or
//! order can tell of them.

use std::collections::BTreeMap;

use crdt::catalog::Class;
use crdt::ids::DatasetId;

use super::listing::Listed;
use super::search::{RETRY_S, invalid};
use super::{NodeHandle, ReadError};
use crate::search::{Expression, Facet, FacetCount, Filters, SearchError, SelectQuery, Sort};
use crate::view::Reader;

/// Datasets that one call of [`NodeHandle::select`] gives at most.
pub const SELECT_LIMIT_MAX: usize = 1_000;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Select {
    /// Which datasets.
    pub expression: Expression,
    /// By which keys, the first first; empty for the best match first.
    pub sort: Vec<Sort>,
    /// How many to skip.
    pub offset: usize,
    /// How many to give, at most [`SELECT_LIMIT_MAX`]; 0 for counts only.
    pub limit: usize,
    /// What to count over the whole result.
    pub facets: Vec<Facet>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Selected {
    /// How many datasets there are.
    pub total: u64,
    /// The page asked for, in order.
    pub datasets: Vec<Listed>,
    /// All values of the facets asked for, most frequent first.
    pub facets: BTreeMap<Facet, Vec<FacetCount>>,
}

/// What was found, by id.
#[derive(Debug, Clone)]
pub struct SelectedIds {
    /// How many datasets there are.
    pub total: u64,
    /// The page asked for, in order.
    pub ids: Vec<DatasetId>,
    /// All values of the facets asked for, most frequent first.
    pub facets: BTreeMap<Facet, Vec<FacetCount>>,
}

impl NodeHandle {
    /// The open datasets of which an expression is true. Blocks.
    pub fn select(&self, select: &Select) -> Result<Selected, ReadError> {
        let limit = select.limit.min(SELECT_LIMIT_MAX);
        let found = self.select_ids(&Select { limit, ..select.clone() })?;
        let snapshot = self.shared.books.replica.read()?;
        let mut datasets = Vec::with_capacity(found.ids.len());
        for id in found.ids {
            // What was withdrawn since the index looked is left out.
            datasets.extend(self.listed(&snapshot, id)?);
        }
        Ok(Selected { total: found.total, datasets, facets: found.facets })
    }

    /// The ids alone, as many as asked for: no dataset is read. Blocks.
    pub fn select_ids(&self, select: &Select) -> Result<SelectedIds, ReadError> {
        if !self.shared.indexer.is_caught_up() {
            return Err(ReadError::Rebuilding { retry_s: RETRY_S });
        }
        let seen = Class::ALL.iter().filter(|class| Reader::Public.may_see(**class));
        let asked = SelectQuery {
            expression: select.expression.clone(),
            audience: Filters::from([(Facet::Class, seen.map(|class| class.code().to_owned()).collect())]),
            sort: select.sort.clone(),
            offset: select.offset,
            limit: select.limit,
            facets: select.facets.clone(),
        };
        let found = self.shared.indexer.open_index().select(&asked).map_err(|error| match error {
            SearchError::Query(error) => ReadError::Invalid(invalid(error)),
            SearchError::Index(detail) => ReadError::Search(detail),
        })?;
        let ids = found.ids.into_iter().map(DatasetId).collect();
        Ok(SelectedIds { total: found.total, ids, facets: found.facets })
    }
}
