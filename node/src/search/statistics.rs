//! What scores are computed from: how rare a word is, in coarse steps.
//!
//! tantivy counts deleted records until a merge removes them, and merges run in the background.
//! Rounded to powers of two, with the usual length of each text fixed, the same records score the
//! same whatever merges have run. It also lets several indexes be searched as if they were one.

use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

/// Words in a text of average length; longer texts weigh each word less.
const AVERAGE_WORDS: u64 = 8;

/// The statistics of all searched indexes together.
pub(super) struct Statistics<'a> {
    pub(super) searchers: &'a [Searcher],
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, _: Field) -> tantivy::Result<u64> {
        Ok(self.total_num_docs()? * AVERAGE_WORDS)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        let segments = self.searchers.iter().flat_map(Searcher::segment_readers);
        let docs: u64 = segments.map(|segment| u64::from(segment.max_doc())).sum();
        Ok(docs.max(1).next_power_of_two())
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let mut docs = 0;
        for searcher in self.searchers {
            docs += searcher.doc_freq(term)?;
        }
        // Never more than the records, which are rounded the same way.
        Ok(if docs == 0 { 0 } else { docs.next_power_of_two() })
    }
}
