//! Decides which segments of an index are merged in the background.
//!
//! Each edit makes a segment of one record. Segments are sorted into tiers, each eight times the
//! size of the one below; eight of one tier become one of the next. So a record is rewritten five
//! times on its way into an index of 100,000, a single edit never waits for a large merge, and a
//! search visits a few dozen segments at most.

use std::collections::BTreeMap;

use tantivy::SegmentMeta;
use tantivy::merge_policy::{MergeCandidate, MergePolicy};

/// How many segments of one tier become one of the next.
const TIER_FACTOR: u32 = 8;
/// A segment with more deleted records than this is rewritten alone.
const DELETED_PERCENT_MAX: u32 = 30;
/// Larger segments are left as they are until many of their records are gone.
const MERGED_DOCS_MAX: u32 = 250_000;

#[derive(Debug, Clone)]
pub(super) struct TieredMerges;

impl MergePolicy for TieredMerges {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let mut tiers: BTreeMap<u32, Vec<&SegmentMeta>> = BTreeMap::new();
        let mut candidates = Vec::new();
        for segment in segments {
            if segment.num_deleted_docs() * 100 > segment.max_doc() * DELETED_PERCENT_MAX {
                candidates.push(MergeCandidate(vec![segment.id()]));
            } else if segment.num_docs() <= MERGED_DOCS_MAX {
                tiers.entry(segment.num_docs().max(1).ilog(TIER_FACTOR)).or_default().push(segment);
            }
        }
        for tier in tiers.into_values().filter(|tier| tier.len() >= TIER_FACTOR as usize) {
            candidates.push(MergeCandidate(tier.iter().map(|segment| segment.id()).collect()));
        }
        candidates
    }
}
