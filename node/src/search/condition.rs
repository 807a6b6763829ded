//! Conditions on records beyond the words in them: where, when, and what they are called.
//!
//! A [`Condition`] is a plain value that the interfaces of the node build from their own query
//! languages. It narrows a search and never ranks.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tantivy::index::SegmentId;
use tantivy::query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{BitSet, DocId, DocSet as _, Score, SegmentReader, TERMINATED, TantivyError};

use super::Facet;
use super::facets::SegmentColumns;
use super::fields::{Fields, Section, cut};
use super::shape::Shape;

/// Most conditions of one query.
pub const CONDITIONS_MAX: usize = 1_200;
/// How deep conditions may be nested.
pub const CONDITION_DEPTH_MAX: usize = 32;

/// A condition on a record, or several of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All of these; true if there are none.
    All(Vec<Condition>),
    /// One of these; false if there are none.
    Any(Vec<Condition>),
    /// Not this one.
    Not(Box<Condition>),
    /// The record's key, UUID or identifier, in any case.
    Id(String),
    /// The record has this value of a facet.
    Has(Facet, String),
    /// The record's rectangle and this one have a point in common.
    Touches(Area),
    /// The record's rectangle and this shape have a point in common.
    Meets(Arc<Shape>),
    /// The record says where its data lie.
    HasArea,
    /// The days that the data describe and this span have a moment in common.
    During(Span),
    /// The record says which days its data describe.
    HasSpan,
    /// The record was last changed within this span.
    Modified(Span),
    /// The record was first published within this span.
    Issued(Span),
}

/// A rectangle on the globe in millionths of a degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Western edge.
    pub west: i32,
    /// Southern edge.
    pub south: i32,
    /// Eastern edge.
    pub east: i32,
    /// Northern edge.
    pub north: i32,
}

impl Area {
    /// What a record without a rectangle has in its place: it touches nothing.
    pub(super) const NOWHERE: Self =
        Self { west: i32::MAX, south: i32::MAX, east: i32::MIN, north: i32::MIN };

    fn is_nowhere(&self) -> bool {
        *self == Self::NOWHERE
    }

    #[inline]
    fn touches(&self, other: &Self) -> bool {
        self.west <= other.east
            && other.west <= self.east
            && self.south <= other.north
            && other.south <= self.north
    }
}

/// First and last second of a record that says nothing of times: no moment lies in it.
pub(super) const NEVER: (i64, i64) = (i64::MAX, i64::MIN);

/// A span of time in seconds since 1970, both ends included; without one, it is open there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First second.
    pub from: Option<i64>,
    /// Last second.
    pub to: Option<i64>,
}

impl Span {
    /// Whether it has no end at all, and so says nothing.
    pub fn is_boundless(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Its first and its last second, in this order even if it was given the other way round.
    pub(super) fn ends(&self) -> (i64, i64) {
        let (from, to) = (self.from.unwrap_or(i64::MIN), self.to.unwrap_or(i64::MAX));
        (from.min(to), from.max(to))
    }

    /// Whether a moment lies in it; the least number stands for none.
    fn holds(&self, moment: i64) -> bool {
        let (from, to) = self.ends();
        moment != i64::MIN && (from..=to).contains(&moment)
    }
}

impl Condition {
    /// How many conditions it has, and how deep they are nested.
    pub(super) fn size(&self) -> (usize, usize) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                let sizes = parts.iter().map(Self::size);
                let (conditions, depth) =
                    sizes.fold((0, 0), |all: (usize, usize), one| (all.0 + one.0, all.1.max(one.1)));
                (conditions, depth + 1)
            }
            Self::Not(part) => {
                let (conditions, depth) = part.size();
                (conditions, depth + 1)
            }
            _ => (1, 1),
        }
    }
}

/// One bit for every record of a segment.
#[derive(Debug, Clone)]
pub(super) struct Bits(Vec<u64>);

const WORD_BITS: usize = u64::BITS as usize;

impl Bits {
    fn filled(records: usize, word: u64) -> Self {
        Self(vec![word; records.div_ceil(WORD_BITS)])
    }

    fn where_true(records: usize, holds: impl Fn(usize) -> bool) -> Self {
        let mut bits = Self::filled(records, 0);
        for record in (0..records).filter(|record| holds(*record)) {
            bits.set(record);
        }
        bits
    }

    fn set(&mut self, record: usize) {
        self.0[record / WORD_BITS] |= 1 << (record % WORD_BITS);
    }

    fn joined(mut self, other: &Self, join: impl Fn(u64, u64) -> u64) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(one, other)| *one = join(*one, *other));
        self
    }

    #[inline]
    pub(super) fn contains(&self, doc: DocId) -> bool {
        self.0[doc as usize / WORD_BITS] >> (doc as usize % WORD_BITS) & 1 == 1
    }
}

/// A segment in which conditions are looked at.
///
/// Every condition is walked by itself into [`Bits`]: tantivy's own ranges over columns cannot be
/// nested (0.27 panics in a range that is excluded from an intersection).
pub(super) struct Ground<'a> {
    pub(super) segment: &'a SegmentReader,
    pub(super) columns: &'a SegmentColumns,
    pub(super) fields: Fields,
}

impl Ground<'_> {
    /// The records for which a condition is true; deleted ones may be among them.
    pub(super) fn bits(&self, condition: &Condition) -> tantivy::Result<Bits> {
        let columns = self.columns;
        let records = self.segment.max_doc() as usize;
        let where_true = |holds: &dyn Fn(usize) -> bool| Ok(Bits::where_true(records, holds));
        match condition {
            Condition::All(parts) => parts.iter().try_fold(Bits::filled(records, u64::MAX), |bits, part| {
                Ok(bits.joined(&self.bits(part)?, |one, other| one & other))
            }),
            Condition::Any(parts) => parts.iter().try_fold(Bits::filled(records, 0), |bits, part| {
                Ok(bits.joined(&self.bits(part)?, |one, other| one | other))
            }),
            Condition::Not(part) => {
                Ok(Bits::filled(records, u64::MAX).joined(&self.bits(part)?, |one, other| one & !other))
            }
            Condition::Id(id) => self.with_term(Section::Id, &id.to_lowercase()),
            Condition::Has(facet, value) => Ok(self.with_value(*facet, value)),
            Condition::Touches(area) => {
                where_true(&|record| columns.areas.get(record).is_some_and(|one| one.touches(area)))
            }
            Condition::Meets(shape) => where_true(&|record| {
                columns.areas.get(record).is_some_and(|area| !area.is_nowhere() && shape.touches(area))
            }),
            Condition::HasArea => {
                where_true(&|record| columns.areas.get(record).is_some_and(|area| !area.is_nowhere()))
            }
            Condition::During(span) => {
                let (from, to) = span.ends();
                let overlaps = |one: &(i64, i64)| *one != NEVER && one.0 <= to && from <= one.1;
                where_true(&|record| columns.spans.get(record).is_some_and(overlaps))
            }
            Condition::HasSpan => {
                where_true(&|record| columns.spans.get(record).is_some_and(|span| *span != NEVER))
            }
            Condition::Modified(span) => where_true(&|record| span.holds(columns.modified[record])),
            Condition::Issued(span) => where_true(&|record| span.holds(columns.issued[record])),
        }
    }

    fn with_term(&self, section: Section, value: &str) -> tantivy::Result<Bits> {
        let mut bits = Bits::filled(self.segment.max_doc() as usize, 0);
        let term = self.fields.present(section, cut(value));
        let index = self.segment.inverted_index(term.field())?;
        if let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? {
            while postings.doc() != TERMINATED {
                bits.set(postings.doc() as usize);
                postings.advance();
            }
        }
        Ok(bits)
    }

    fn with_value(&self, facet: Facet, value: &str) -> Bits {
        let records = self.segment.max_doc() as usize;
        let column = &self.columns.facets[facet as usize];
        let Some(chosen) = column.chosen(&[cut(value).to_owned()]) else { return Bits::filled(records, 0) };
        Bits::where_true(records, |record| column.has_any(record as DocId, &chosen))
    }
}

/// The columns of all segments of a searcher.
pub(super) type Columns = Arc<HashMap<SegmentId, Arc<SegmentColumns>>>;

/// A condition as a part of a query; every record of which it is true counts the same.
#[derive(Clone)]
pub(super) struct ConditionQuery {
    pub(super) condition: Condition,
    pub(super) columns: Columns,
    pub(super) fields: Fields,
}

impl fmt::Debug for ConditionQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConditionQuery").field(&self.condition).finish()
    }
}

impl Query for ConditionQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for ConditionQuery {
    fn scorer(&self, segment: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let columns = self.columns.get(&segment.segment_id()).ok_or_else(|| {
            TantivyError::SchemaError("the columns of a segment were not unpacked".to_owned())
        })?;
        let bits = Ground { segment, columns, fields: self.fields }.bits(&self.condition)?;
        let mut set = BitSet::with_max_value(segment.max_doc());
        for doc in (0..segment.max_doc()).filter(|doc| bits.contains(*doc)) {
            set.insert(doc);
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(set), boost)))
    }

    fn explain(&self, segment: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(segment, 1.0)?;
        let holds = scorer.doc() <= doc && scorer.seek(doc) == doc;
        Ok(Explanation::new("ConditionQuery", if holds { 1.0 } else { 0.0 }))
    }
}
