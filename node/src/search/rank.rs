//! Where a record stands in an order of one key or several.

use std::cmp::Ordering;

use tantivy::{DocId, Score};

use super::Sort;
use super::facets::SegmentColumns;

/// Most keys that can decide: one of each kind, before the id.
const KEYS_MAX: usize = 4;
/// Scores are rounded to this fraction, so that the order of additions cannot decide about ties.
const SCORE_STEPS: f32 = 64.0;

/// One number a key, the first key first; greater is better.
///
/// Comparable between segments, except where a title decides: titles are counted by segment.
pub(super) type Rank = [u64; KEYS_MAX];

/// An order of records. The dataset's id decides among equals, then the key.
#[derive(Debug, Clone)]
pub(super) struct Ranking {
    keys: Vec<Sort>,
    /// Whether greater ids come first.
    backwards: bool,
}

impl Ranking {
    /// The order by these keys, the first first; a second key of one kind decides nothing, and
    /// none does behind an id. Best matches are followed by the latest unless another key says how.
    pub(super) fn new(sort: &[Sort]) -> Ranking {
        let mut ranking = Ranking { keys: Vec::with_capacity(KEYS_MAX), backwards: false };
        for key in sort {
            match key {
                Sort::Id => return ranking,
                Sort::IdDescending => return Ranking { backwards: true, ..ranking },
                key if ranking.keys.iter().any(|before| kind(*before) == kind(*key)) => {}
                key => ranking.keys.push(*key),
            }
        }
        if ranking.keys.is_empty() {
            ranking.keys.push(Sort::Relevance);
        }
        if ranking.keys == [Sort::Relevance] {
            ranking.keys.push(Sort::Modified);
        }
        ranking
    }

    /// Whether how well a record matches decides.
    pub(super) fn needs_scores(&self) -> bool {
        self.keys.contains(&Sort::Relevance)
    }

    /// Whether titles decide.
    pub(super) fn needs_titles(&self) -> bool {
        self.keys.iter().any(|key| key.is_by_title())
    }

    /// A record's numbers.
    #[inline]
    pub(super) fn rank(&self, columns: &SegmentColumns, doc: DocId, score: Score) -> Rank {
        let mut rank = Rank::default();
        for (number, key) in rank.iter_mut().zip(&self.keys) {
            let rising =
                |moments: &[i64]| tantivy::i64_to_u64(moments.get(doc as usize).copied().unwrap_or(i64::MIN));
            let title = || columns.titles.ords().first(doc).unwrap_or(u64::MAX);
            *number = match key {
                Sort::Relevance => (score * SCORE_STEPS + 0.5) as u64,
                Sort::Modified => rising(&columns.modified),
                Sort::ModifiedAscending => !rising(&columns.modified),
                Sort::Created => rising(&columns.issued),
                Sort::CreatedAscending => !rising(&columns.issued),
                Sort::Title => !title(),
                Sort::TitleDescending => title(),
                Sort::Id | Sort::IdDescending => 0,
            };
        }
        rank
    }

    /// A number of an id that is smaller for those that come first.
    #[inline]
    pub(super) fn place(&self, id: u128) -> u128 {
        if self.backwards { !id } else { id }
    }

    /// Which of two records comes first, by their ranks and titles.
    pub(super) fn compare(&self, one: (&Rank, &str), other: (&Rank, &str)) -> Ordering {
        let by_key = |(at, key): (usize, &Sort)| match key {
            Sort::Title => one.1.cmp(other.1),
            Sort::TitleDescending => other.1.cmp(one.1),
            _ => other.0[at].cmp(&one.0[at]),
        };
        self.keys.iter().enumerate().map(by_key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// What a key sorts by, whichever way.
fn kind(sort: Sort) -> Sort {
    match sort {
        Sort::ModifiedAscending => Sort::Modified,
        Sort::CreatedAscending => Sort::Created,
        Sort::TitleDescending => Sort::Title,
        Sort::IdDescending => Sort::Id,
        Sort::Relevance | Sort::Modified | Sort::Created | Sort::Title | Sort::Id => sort,
    }
}
