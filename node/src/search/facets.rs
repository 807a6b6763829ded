//! The columns of a segment, unpacked for counting.
//!
//! Facets are counted over whole results, so every search reads them for every record it finds.
//! Unpacked once per segment (about 120 bytes per record), a count is an array access. A segment
//! never changes, so the table lives as long as the segment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::{DocId, Searcher, SegmentReader};

use super::condition::NEVER;
use super::fields::{
    AREA_COLUMNS, Fields, ID_COLUMNS, ISSUED_COLUMN, KEY_COLUMN, MODIFIED_COLUMN, SPAN_COLUMNS,
    TITLE_ORDER_COLUMN,
};
use super::tolerance::WordList;
use super::{Area, Facet};

/// All columns of one segment.
pub(super) struct SegmentColumns {
    pub(super) facets: [FacetColumn; Facet::ALL.len()],
    /// Seconds since 1970; the least value where none is known.
    pub(super) modified: Vec<i64>,
    /// The same of the first publication.
    pub(super) issued: Vec<i64>,
    /// Where the data lie; empty if no record says so.
    pub(super) areas: Vec<Area>,
    /// First and last second of what the data describe; empty if no record says so.
    pub(super) spans: Vec<(i64, i64)>,
    /// The datasets' UUIDs as numbers, which order as their texts do.
    pub(super) ids: Vec<u128>,
    pub(super) keys: StrColumn,
    pub(super) titles: StrColumn,
    /// Read when the first rare word is searched.
    words: OnceLock<WordList>,
}

/// The values of one facet: an ordinal per record, and what the ordinals stand for.
#[derive(Default)]
pub(super) struct FacetColumn {
    /// Sorted, so that ordinals sort like values.
    pub(super) values: Vec<Box<str>>,
    ordinals: Ordinals,
    /// Whether every record has a value.
    complete: bool,
}

/// How often each value was counted.
#[derive(Default)]
pub(super) struct Counts {
    /// Two counters per value, used in turn: the processor need not wait for one addition before
    /// the next to the same value.
    halves: Vec<[u64; 2]>,
}

impl Counts {
    /// The counts in the order of the values; the last one is of records without any.
    pub(super) fn sums(&self) -> impl Iterator<Item = u64> {
        self.halves.iter().map(|halves| halves[0] + halves[1])
    }
}

enum Ordinals {
    /// At most one value per record; the number of values stands for none.
    One(Vec<u32>),
    /// Where the ordinals of each record begin, with one more for the end of the last.
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
        let ordinals = Ordinals::read(&column, segment.max_doc(), values.len());
        let complete = match &ordinals {
            Ordinals::One(ordinals) => ordinals.iter().all(|ordinal| (*ordinal as usize) < values.len()),
            Ordinals::Many { starts, .. } => starts.windows(2).all(|pair| pair[0] < pair[1]),
        };
        Ok(FacetColumn { values, ordinals, complete })
    }

    /// Room to count each value, and one more for records without any.
    pub(super) fn empty_counts(&self) -> Counts {
        Counts { halves: vec![[0; 2]; self.values.len() + 1] }
    }

    /// Counts the values of some records.
    pub(super) fn count(&self, docs: &[DocId], counts: &mut Counts) {
        let halves = &mut counts.halves;
        match &self.ordinals {
            Ordinals::One(_) if self.complete && self.values.len() == 1 => halves[0][0] += docs.len() as u64,
            Ordinals::One(ordinals) => {
                for (at, doc) in docs.iter().enumerate() {
                    halves[ordinals[*doc as usize] as usize][at & 1] += 1;
                }
            }
            Ordinals::Many { starts, ordinals } if !starts.is_empty() => {
                for run in docs.chunk_by(|doc, next| doc + 1 == *next) {
                    let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
                    let (start, end) = (starts[*first as usize], starts[*last as usize + 1]);
                    for (at, ordinal) in ordinals[start as usize..end as usize].iter().enumerate() {
                        halves[*ordinal as usize][at & 1] += 1;
                    }
                }
            }
            Ordinals::Many { .. } => {}
        }
    }

    /// Marks the values that are chosen, with room as for counts; none if no record has any of them.
    pub(super) fn chosen(&self, values: &[String]) -> Option<Vec<bool>> {
        let mut chosen = vec![false; self.values.len() + 1];
        let found = |value: &String| self.values.binary_search_by(|known| known.as_ref().cmp(value)).ok();
        let ordinals: Vec<usize> = values.iter().filter_map(found).collect();
        ordinals.iter().for_each(|ordinal| chosen[*ordinal] = true);
        (!ordinals.is_empty()).then_some(chosen)
    }

    /// Whether every record has one of the chosen values, as is usual for audiences.
    pub(super) fn all_have_any(&self, chosen: &[bool]) -> bool {
        self.complete && chosen.iter().take(self.values.len()).all(|chosen| *chosen)
    }

    /// Whether a record has one of the chosen values; `chosen` has room as for counts.
    #[inline]
    pub(super) fn has_any(&self, doc: DocId, chosen: &[bool]) -> bool {
        match &self.ordinals {
            Ordinals::One(ordinals) => chosen[ordinals[doc as usize] as usize],
            Ordinals::Many { starts, ordinals } => match starts.get(doc as usize..doc as usize + 2) {
                Some([start, end]) => {
                    ordinals[*start as usize..*end as usize].iter().any(|ordinal| chosen[*ordinal as usize])
                }
                _ => false,
            },
        }
    }
}

impl Ordinals {
    fn read(column: &StrColumn, docs: DocId, values: usize) -> Ordinals {
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
            _ => values as u32,
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
        let [high, low] = ID_COLUMNS.map(|name| columns.u64(name));
        let (high, low) = (high?, low?);
        let half = |column: &Column<u64>, doc| u128::from(column.first(doc).unwrap_or(0));
        let text = |name: &str| {
            columns.str(name)?.ok_or_else(|| {
                tantivy::TantivyError::SchemaError(format!("a segment has no column `{name}`"))
            })
        };
        Ok(SegmentColumns {
            facets,
            modified: moments(segment, MODIFIED_COLUMN)?,
            issued: moments(segment, ISSUED_COLUMN)?,
            areas: areas(segment)?,
            spans: spans(segment)?,
            ids: (0..segment.max_doc()).map(|doc| half(&high, doc) << 64 | half(&low, doc)).collect(),
            keys: text(KEY_COLUMN)?,
            titles: text(TITLE_ORDER_COLUMN)?,
            words: OnceLock::new(),
        })
    }

    /// The dataset's UUID as a number.
    #[inline]
    pub(super) fn id(&self, doc: DocId) -> u128 {
        self.ids.get(doc as usize).copied().unwrap_or(0)
    }

    /// The words of the segment these columns are of.
    pub(super) fn words(&self, segment: &SegmentReader, fields: Fields) -> tantivy::Result<&WordList> {
        if let Some(words) = self.words.get() {
            return Ok(words);
        }
        let words = WordList::read(segment, fields)?;
        Ok(self.words.get_or_init(|| words))
    }
}

/// Seconds since 1970; the least value where none is known.
fn moments(segment: &SegmentReader, name: &str) -> tantivy::Result<Vec<i64>> {
    let column = segment.fast_fields().i64(name)?;
    Ok((0..segment.max_doc()).map(|doc| column.first(doc).unwrap_or(i64::MIN)).collect())
}

fn areas(segment: &SegmentReader) -> tantivy::Result<Vec<Area>> {
    let [west, south, east, north] = numbers(segment, AREA_COLUMNS)?;
    let area = |doc| {
        let edge = |column: &Column<i64>| i32::try_from(column.first(doc)?).ok();
        Some(Area { west: edge(&west)?, south: edge(&south)?, east: edge(&east)?, north: edge(&north)? })
    };
    Ok(unless_all(Area::NOWHERE, (0..segment.max_doc()).map(|doc| area(doc).unwrap_or(Area::NOWHERE))))
}

fn spans(segment: &SegmentReader) -> tantivy::Result<Vec<(i64, i64)>> {
    let [from, to] = numbers(segment, SPAN_COLUMNS)?;
    let span = |doc| from.first(doc).zip(to.first(doc)).unwrap_or(NEVER);
    Ok(unless_all(NEVER, (0..segment.max_doc()).map(span)))
}

fn numbers<const N: usize>(segment: &SegmentReader, names: [&str; N]) -> tantivy::Result<[Column<i64>; N]> {
    let columns = names.map(|name| segment.fast_fields().i64(name));
    let columns = columns.into_iter().collect::<tantivy::Result<Vec<_>>>()?;
    columns.try_into().map_err(|_| tantivy::TantivyError::SchemaError("columns are missing".to_owned()))
}

/// The values, or nothing if all of them say nothing.
fn unless_all<T: PartialEq>(nothing: T, values: impl Iterator<Item = T>) -> Vec<T> {
    let values: Vec<T> = values.collect();
    if values.iter().all(|value| *value == nothing) { Vec::new() } else { values }
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
