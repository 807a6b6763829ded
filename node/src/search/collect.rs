//! Walks the records a query matches, once: keeps the best, counts facets, applies filters.
//!
//! A record that fails the filter of exactly one facet still counts for that facet; that is how a
//! facet's own filter does not narrow its own counts. What the audience may not see counts
//! nowhere, nor does what a condition does not describe.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::condition::{Bits, Ground};
use super::facets::{Counts, SegmentColumns};
use super::fields::Fields;
use super::rank::{Rank, Ranking};
use super::{Condition, Facet, Filters};

/// Records are handled in blocks, so that each column is walked in a tight loop.
const BLOCK_DOCS: usize = 256;

/// Collects one page with its counts.
pub(super) struct PageCollector<'a> {
    pub(super) columns: &'a [Arc<SegmentColumns>],
    pub(super) fields: Fields,
    pub(super) condition: Option<&'a Condition>,
    pub(super) filters: &'a Filters,
    pub(super) audience: &'a Filters,
    pub(super) ranking: &'a Ranking,
    /// Whether records have a score to be sorted by.
    pub(super) scored: bool,
    /// How many of the best records to keep.
    pub(super) keep: usize,
    /// The facets to count.
    pub(super) counted: &'a [Facet],
}

/// What was collected, of one segment or of all.
#[derive(Default)]
pub(super) struct Collected {
    /// Records that match, filters included.
    pub(super) total: u64,
    /// Whether any record matches the text, filters aside.
    pub(super) any_match: bool,
    pub(super) counts: BTreeMap<Facet, BTreeMap<Box<str>, u64>>,
    pub(super) candidates: Vec<Candidate>,
}

/// A record that may be on the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) segment: SegmentOrdinal,
    pub(super) doc: DocId,
    pub(super) rank: Rank,
    /// The dataset's id, which decides among equals.
    pub(super) id: u128,
    pub(super) score: Score,
}

impl Collector for PageCollector<'_> {
    type Fruit = Collected;
    type Child = SegmentPage;

    fn for_segment(&self, ordinal: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentPage> {
        let columns = Arc::clone(&self.columns[ordinal as usize]);
        let ground = Ground { segment, columns: &columns, fields: self.fields };
        let described = self.condition.map(|condition| ground.bits(condition)).transpose()?;
        let selection = |filters: &Filters| -> Vec<Selection> {
            filters
                .iter()
                .filter(|(_, values)| !values.is_empty())
                .map(|(facet, values)| Selection::new(*facet, values, &columns))
                .filter(|selection| !columns.facets[selection.facet as usize].all_have_any(&selection.chosen))
                .collect()
        };
        Ok(SegmentPage {
            segment: ordinal,
            described,
            audience: selection(self.audience),
            filters: selection(self.filters),
            ranking: self.ranking.clone(),
            keep: self.keep,
            docs: Vec::with_capacity(BLOCK_DOCS),
            scores: Vec::with_capacity(BLOCK_DOCS),
            best: BinaryHeap::new(),
            least: None,
            total: 0,
            any_match: false,
            counts: Facet::ALL.map(|facet| match self.counted.contains(&facet) {
                true => columns.facets[facet as usize].empty_counts(),
                false => Counts::default(),
            }),
            counted: self.counted.to_vec(),
            columns,
        })
    }

    fn requires_scoring(&self) -> bool {
        self.scored && self.ranking.needs_scores() && self.keep > 0
    }

    fn merge_fruits(&self, segments: Vec<Collected>) -> tantivy::Result<Collected> {
        let mut all = Collected::default();
        for segment in segments {
            all.total += segment.total;
            all.any_match |= segment.any_match;
            all.candidates.extend(segment.candidates);
            for (facet, counts) in segment.counts {
                let sums = all.counts.entry(facet).or_default();
                for (value, count) in counts {
                    *sums.entry(value).or_default() += count;
                }
            }
        }
        Ok(all)
    }
}

/// The chosen values of a facet, as ordinals of a segment.
struct Selection {
    facet: Facet,
    chosen: Vec<bool>,
}

impl Selection {
    fn new(facet: Facet, values: &[String], columns: &SegmentColumns) -> Selection {
        let column = &columns.facets[facet as usize];
        let chosen = column.chosen(values).unwrap_or_else(|| vec![false; column.values.len() + 1]);
        Selection { facet, chosen }
    }

    #[inline]
    fn admits(&self, doc: DocId, columns: &SegmentColumns) -> bool {
        columns.facets[self.facet as usize].has_any(doc, &self.chosen)
    }
}

/// Collects from one segment.
pub(super) struct SegmentPage {
    segment: SegmentOrdinal,
    columns: Arc<SegmentColumns>,
    /// The records that the condition describes, if there is one.
    described: Option<Bits>,
    audience: Vec<Selection>,
    filters: Vec<Selection>,
    ranking: Ranking,
    keep: usize,
    /// The block that is being filled; scores are empty or go with it.
    docs: Vec<DocId>,
    scores: Vec<Score>,
    /// The worst of the best is on top.
    best: BinaryHeap<Reverse<Kept>>,
    /// Records that stand lower are not among the best.
    least: Option<(Rank, Reverse<u128>)>,
    total: u64,
    any_match: bool,
    /// Empty where nothing is counted.
    counts: [Counts; Facet::ALL.len()],
    counted: Vec<Facet>,
}

/// Greater is better: higher rank, then the id's place, then smaller key.
#[derive(Debug, Clone, Copy)]
struct Kept {
    rank: Rank,
    place: Reverse<u128>,
    key_ordinal: Reverse<u64>,
    doc: DocId,
    score: Score,
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = |kept: &Self| (kept.rank, kept.place, kept.key_ordinal, kept.doc);
        order(self).cmp(&order(other))
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Kept {}

impl SegmentCollector for SegmentPage {
    type Fruit = Collected;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.docs.push(doc);
        self.scores.push(score);
        if self.docs.len() >= BLOCK_DOCS {
            self.finish_block();
        }
    }

    fn collect_block(&mut self, docs: &[DocId]) {
        self.docs.extend_from_slice(docs);
        self.scores.resize(self.docs.len(), 0.0);
        if self.docs.len() >= BLOCK_DOCS {
            self.finish_block();
        }
    }

    fn harvest(mut self) -> Collected {
        self.finish_block();
        let mut collected =
            Collected { total: self.total, any_match: self.any_match, ..Collected::default() };
        for facet in self.counted.iter().copied() {
            let counts = &self.counts[facet as usize];
            let values = &self.columns.facets[facet as usize].values;
            let counted = values.iter().zip(counts.sums()).filter(|(_, count)| *count > 0);
            let counted: BTreeMap<_, _> = counted.map(|(value, count)| (value.clone(), count)).collect();
            if !counted.is_empty() {
                collected.counts.insert(facet, counted);
            }
        }
        let (segment, columns) = (self.segment, self.columns);
        let candidate = |Reverse(Kept { rank, doc, score, .. })| Candidate {
            segment,
            doc,
            rank,
            id: columns.id(doc),
            score,
        };
        collected.candidates = self.best.into_iter().map(candidate).collect();
        collected
    }
}

impl SegmentPage {
    fn finish_block(&mut self) {
        let mut docs = std::mem::take(&mut self.docs);
        let mut scores = std::mem::take(&mut self.scores);
        if self.audience.is_empty() && self.described.is_none() && self.filters.is_empty() {
            self.any_match |= !docs.is_empty();
        } else {
            let mut kept = 0;
            for at in 0..docs.len() {
                let doc = docs[at];
                if self.is_in_result(doc) {
                    (docs[kept], scores[kept]) = (doc, scores[at]);
                    kept += 1;
                }
            }
            docs.truncate(kept);
        }
        self.total += docs.len() as u64;
        for facet in &self.counted {
            let facet = *facet as usize;
            self.columns.facets[facet].count(&docs, &mut self.counts[facet]);
        }
        if self.keep > 0 {
            for (doc, score) in docs.iter().zip(&scores) {
                self.offer(*doc, *score);
            }
        }
        docs.clear();
        scores.clear();
        (self.docs, self.scores) = (docs, scores);
    }

    /// Whether the record passes all filters; counts it if it fails just one.
    #[inline]
    fn is_in_result(&mut self, doc: DocId) -> bool {
        if !self.audience.iter().all(|selection| selection.admits(doc, &self.columns)) {
            return false;
        }
        self.any_match = true;
        if self.described.as_ref().is_some_and(|described| !described.contains(doc)) {
            return false;
        }
        let mut failed = self.filters.iter().filter(|filter| !filter.admits(doc, &self.columns));
        match (failed.next(), failed.next()) {
            (None, _) => return true,
            (Some(only), None) if self.counted.contains(&only.facet) => {
                let facet = only.facet as usize;
                self.columns.facets[facet].count(&[doc], &mut self.counts[facet]);
            }
            _ => {}
        }
        false
    }

    #[inline]
    fn offer(&mut self, doc: DocId, score: Score) {
        let rank = self.ranking.rank(&self.columns, doc, score);
        let place = Reverse(self.ranking.place(self.columns.id(doc)));
        if self.least.is_some_and(|least| (rank, place) < least) {
            return;
        }
        let full = self.best.len() >= self.keep;
        let key_ordinal = Reverse(self.columns.keys.ords().first(doc).unwrap_or(u64::MAX));
        let kept = Kept { rank, place, key_ordinal, doc, score };
        if !full {
            self.best.push(Reverse(kept));
            return;
        }
        if let Some(mut worst) = self.best.peek_mut()
            && kept > worst.0
        {
            *worst = Reverse(kept);
        }
        self.least = self.best.peek().map(|worst| (worst.0.rank, worst.0.place));
    }
}
