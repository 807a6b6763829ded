//! The columns of a segment, unpacked for counting.
//!
//! Facets are counted over whole results, so every search reads them for every record it finds.
//! Unpacked once per segment (about 50 bytes per record), a count is an array access. A segment
//! never changes, so the table lives as long as the segment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::columnar::StrColumn;
use tantivy::index::SegmentId;
use tantivy::{DocId, Searcher, SegmentReader};

use super::Facet;
use super::fields::{KEY_COLUMN, MODIFIED_COLUMN, TITLE_ORDER_COLUMN};

/// Stands for "no value" where a record has at most one.
const NONE: u32 = u32::MAX;

/// All columns of one segment.
pub(super) struct SegmentColumns {
    pub(super) facets: [FacetColumn; Facet::ALL.len()],
    /// Seconds since 1970; the least value where none is known.
    pub(super) modified: Vec<i64>,
    pub(super) keys: StrColumn,
    pub(super) titles: StrColumn,
}

/// The values of one facet: an ordinal per record, and what the ordinals stand for.
#[derive(Default)]
pub(super) struct FacetColumn {
    /// Sorted, so that ordinals sort like values.
    pub(super) values: Vec<Box<str>>,
    ordinals: Ordinals,
}

enum Ordinals {
    One(Vec<u32>),
    Many { starts: Vec<u32>, ordinals: Vec<u32> },
}

impl Default for Ordinals {
    fn default() -> Self {
        Ordinals::Many { starts: Vec::new(), ordinals: Vec::new() }
    }
}

impl FacetColumn {
    fn read(segment: &SegmentReader, facet: Facet) -> tantivy::Result<FacetColumn> {
        let Some(column) = segment.fast_fields().str(&format!("facet_{}", facet.name()))? else {
            return Ok(FacetColumn::default());
        };
        let mut values = Vec::with_capacity(column.num_terms());
        let mut terms = column.dictionary().stream()?;
        while terms.advance() {
            values.push(String::from_utf8_lossy(terms.key()).into());
        }
        Ok(FacetColumn { values, ordinals: Ordinals::read(&column, segment.max_doc()) })
    }

    /// The ordinals of a record's values.
    #[inline]
    pub(super) fn ordinals(&self, doc: DocId) -> &[u32] {
        let doc = doc as usize;
        match &self.ordinals {
            Ordinals::One(ordinals) => match ordinals.get(doc..=doc) {
                Some([NONE]) | None => &[],
                Some(one) => one,
            },
            Ordinals::Many { starts, ordinals } => match starts.get(doc..doc + 2) {
                Some([start, end]) => &ordinals[*start as usize..*end as usize],
                _ => &[],
            },
        }
    }
}

impl Ordinals {
    fn read(column: &StrColumn, docs: DocId) -> Ordinals {
        let mut starts = vec![0];
        let mut ordinals: Vec<u32> = Vec::new();
        let mut most = 0;
        for doc in 0..docs {
            let before = ordinals.len();
            // A segment has fewer values than records times values per record, far below 2^32.
            ordinals.extend(column.term_ords(doc).map(|ordinal| ordinal as u32));
            most = most.max(ordinals.len() - before);
            starts.push(ordinals.len() as u32);
        }
        if most > 1 {
            return Ordinals::Many { starts, ordinals };
        }
        let one = starts.windows(2).map(|pair| match pair {
            [start, end] if start < end => ordinals[*start as usize],
            _ => NONE,
        });
        Ordinals::One(one.collect())
    }
}

impl SegmentColumns {
    fn read(segment: &SegmentReader) -> tantivy::Result<SegmentColumns> {
        let mut facets: [FacetColumn; Facet::ALL.len()] = Default::default();
        for facet in Facet::ALL {
            facets[facet as usize] = FacetColumn::read(segment, facet)?;
        }
        let columns = segment.fast_fields();
        let modified = columns.i64(MODIFIED_COLUMN)?;
        let text = |name: &str| {
            columns.str(name)?.ok_or_else(|| {
                tantivy::TantivyError::SchemaError(format!("a segment has no column `{name}`"))
            })
        };
        Ok(SegmentColumns {
            facets,
            modified: (0..segment.max_doc()).map(|doc| modified.first(doc).unwrap_or(i64::MIN)).collect(),
            keys: text(KEY_COLUMN)?,
            titles: text(TITLE_ORDER_COLUMN)?,
        })
    }
}

/// The unpacked columns of the segments in use.
#[derive(Default)]
pub(super) struct ColumnCache {
    by_segment: Mutex<HashMap<SegmentId, Arc<SegmentColumns>>>,
}

impl ColumnCache {
    /// The columns of each segment of `searcher`, in its order.
    pub(super) fn columns(&self, searcher: &Searcher) -> tantivy::Result<Vec<Arc<SegmentColumns>>> {
        searcher.segment_readers().iter().map(|segment| self.columns_of(segment)).collect()
    }

    fn columns_of(&self, segment: &SegmentReader) -> tantivy::Result<Arc<SegmentColumns>> {
        let id = segment.segment_id();
        if let Some(known) = self.locked().get(&id) {
            return Ok(Arc::clone(known));
        }
        // Read without the lock, so that other searches go on; the same work twice is harmless.
        let columns = Arc::new(SegmentColumns::read(segment)?);
        self.locked().insert(id, Arc::clone(&columns));
        Ok(columns)
    }

    /// Forgets segments that `searcher` no longer has.
    pub(super) fn retain(&self, searcher: &Searcher) {
        let segments = searcher.generation().segments();
        self.locked().retain(|id, _| segments.contains_key(id));
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<SegmentId, Arc<SegmentColumns>>> {
        // The map is whole after any panic: each change to it is one call.
        self.by_segment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
