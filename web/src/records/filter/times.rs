//! Conditions on times: comparisons of moments, and how intervals lie to each
//! other (CQL2, 7.6).
//!
//! A day stands for all its seconds: before it means before the first, after it
//! after the last, and equal to it within it. An open end is earlier or later
//! than every moment, and equal to another open end on the same side.

use std::ops::Bound;

use node::view::{Condition, Expression, MomentField, Span};

use super::super::cql::{Comparison, End, Instant, Operand, Place, Relation, Value, Wrong};
use super::super::queryables::{Kind, Queryable};
use super::{LITERAL, TWO_PROPERTIES, Test, and, named, not, or, property, texts};

/// An end of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Created,
    Updated,
    TimeStart,
    TimeEnd,
    /// First and last second of what was written.
    At(i64, i64),
}

/// A time, its first and its last edge; those of a moment are the same.
struct Extent {
    at: Place,
    start: Edge,
    end: Edge,
}

/// A moment and a literal.
pub(super) fn compared(value: &Operand, comparison: Comparison, other: &Operand) -> Result<Test, Wrong> {
    let property = property(value)?;
    let instant = instant(other)?;
    let holds = compare(&other.at, edge(property), comparison, Edge::At(instant.first, instant.last))?;
    Ok(Test { needs: vec![property], holds })
}

pub(super) fn between(value: &Operand, least: &Operand, most: &Operand) -> Result<Test, Wrong> {
    let least = compared(value, Comparison::AtLeast, least)?;
    let most = compared(value, Comparison::AtMost, most)?;
    Ok(Test { needs: least.needs, holds: and(vec![least.holds, most.holds]) })
}

pub(super) fn among(value: &Operand, values: &[Operand]) -> Result<Test, Wrong> {
    let one = |other| compared(value, Comparison::Equal, other).map(|test| test.holds);
    let holds = or(values.iter().map(one).collect::<Result<_, _>>()?);
    Ok(Test { needs: vec![property(value)?], holds })
}

/// Two times, of which one is of the record.
pub(super) fn related(at: &Place, relation: Relation, one: &Operand, other: &Operand) -> Result<Test, Wrong> {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
    let (a, b) = (extent(one)?, extent(other)?);
    let needs = needed(&a, &b);
    if needs.is_empty() {
        return Err(Wrong::new(at, texts::shown(one), super::NO_PROPERTY, super::NAME));
    }
    let conditions = match relation {
        Relation::After => vec![(a.start, Greater, b.end)],
        Relation::Before => vec![(a.end, Less, b.start)],
        Relation::Intersects | Relation::Disjoint => {
            vec![(a.start, AtMost, b.end), (a.end, AtLeast, b.start)]
        }
        Relation::Equals => vec![(a.start, Equal, b.start), (a.end, Equal, b.end)],
        Relation::Contains => vec![(a.start, Less, b.start), (a.end, Greater, b.end)],
        Relation::During => vec![(a.start, Greater, b.start), (a.end, Less, b.end)],
        Relation::Starts => vec![(a.start, Equal, b.start), (a.end, Less, b.end)],
        Relation::StartedBy => vec![(a.start, Equal, b.start), (a.end, Greater, b.end)],
        Relation::Finishes => vec![(a.start, Greater, b.start), (a.end, Equal, b.end)],
        Relation::FinishedBy => vec![(a.start, Less, b.start), (a.end, Equal, b.end)],
        Relation::Meets => vec![(a.end, Equal, b.start)],
        Relation::MetBy => vec![(a.start, Equal, b.end)],
        Relation::Overlaps => {
            vec![(a.start, Less, b.start), (a.end, Greater, b.start), (a.end, Less, b.end)]
        }
        Relation::OverlappedBy => {
            vec![(a.start, Greater, b.start), (a.start, Less, b.end), (a.end, Greater, b.end)]
        }
    };
    let conditions =
        conditions.into_iter().map(|(one, comparison, other)| compare(&b.at, one, comparison, other));
    let holds = and(conditions.collect::<Result<_, _>>()?);
    Ok(match relation {
        // It is the opposite, of records that say when.
        Relation::Disjoint => {
            let present: Vec<Expression> = needs.iter().map(|one| super::presence(*one)).collect();
            Test { needs, holds: and([present, vec![not(holds)]].concat()) }
        }
        _ => Test { needs, holds },
    })
}

/// The properties of two times, each once.
fn needed(a: &Extent, b: &Extent) -> Vec<Queryable> {
    let mut needs = Vec::new();
    for edge in [a.start, a.end, b.start, b.end] {
        let property = match edge {
            Edge::Created => Queryable::Created,
            Edge::Updated => Queryable::Updated,
            Edge::TimeStart | Edge::TimeEnd => Queryable::Time,
            Edge::At(..) => continue,
        };
        if !needs.contains(&property) {
            needs.push(property);
        }
    }
    needs
}

fn extent(operand: &Operand) -> Result<Extent, Wrong> {
    let (start, end) = match &operand.value {
        Value::Property(name) => match named(&operand.at, name)? {
            Queryable::Time => (Edge::TimeStart, Edge::TimeEnd),
            property if property.kind() == Kind::Moment => (edge(property), edge(property)),
            _ => return Err(Wrong::new(&operand.at, name, NO_TIME, TIMES)),
        },
        Value::Interval(ends) => {
            let [from, to] = ends.as_ref();
            let (start, end) = (end_of(from, i64::MIN)?, end_of(to, i64::MAX)?);
            let is_reversed = matches!((start, end), (Edge::At(from, _), Edge::At(_, to)) if from > to);
            if is_reversed {
                return Err(Wrong::new(&operand.at, texts::shown(operand), REVERSED, ORDER));
            }
            (start, end)
        }
        _ => {
            let instant = instant(operand)?;
            (Edge::At(instant.first, instant.last), Edge::At(instant.first, instant.last))
        }
    };
    Ok(Extent { at: operand.at.clone(), start, end })
}

fn end_of(end: &End, open: i64) -> Result<Edge, Wrong> {
    match end {
        End::Open => Ok(Edge::At(open, open)),
        End::Instant(instant) => Ok(Edge::At(instant.first, instant.last)),
        End::Property(at, name) => match named(at, name)? {
            property if property.kind() == Kind::Moment => Ok(edge(property)),
            _ => Err(Wrong::new(at, name, NO_MOMENT, ENDS)),
        },
    }
}

/// The edge that a moment of a record is.
fn edge(property: Queryable) -> Edge {
    if property == Queryable::Created { Edge::Created } else { Edge::Updated }
}

/// The day or moment of a literal; text is taken for one where nothing else is possible.
fn instant(operand: &Operand) -> Result<Instant, Wrong> {
    let shown = || texts::shown(operand);
    match &operand.value {
        Value::Instant(instant) => Ok(instant.clone()),
        Value::Text(text) => {
            Instant::any(text).ok_or_else(|| Wrong::new(&operand.at, shown(), NO_TIME, DATE))
        }
        Value::Interval(_) => Err(Wrong::new(&operand.at, shown(), NO_MOMENT, FUNCTION)),
        _ => Err(Wrong::new(&operand.at, shown(), NO_TIME, DATE)),
    }
}

fn compare(at: &Place, one: Edge, comparison: Comparison, other: Edge) -> Result<Expression, Wrong> {
    match (one, other) {
        (Edge::At(first, last), Edge::At(from, to)) => {
            let holds = match comparison {
                Comparison::Equal => first <= to && from <= last,
                Comparison::NotEqual => first > to || from > last,
                Comparison::Less => last < from,
                Comparison::AtMost => first <= to,
                Comparison::Greater => first > to,
                Comparison::AtLeast => last >= from,
            };
            Ok(if holds { Expression::All } else { Expression::Nothing })
        }
        (edge, Edge::At(first, last)) => Ok(within(edge, comparison, first, last)),
        (Edge::At(first, last), edge) => Ok(within(edge, comparison.flipped(), first, last)),
        _ => Err(Wrong::new(at, "", TWO_PROPERTIES, LITERAL)),
    }
}

/// The records of which an edge lies so to the seconds from `first` to `last`.
fn within(edge: Edge, comparison: Comparison, first: i64, last: i64) -> Expression {
    let before = || first.checked_sub(1).map_or(Expression::Nothing, |to| ranged(edge, i64::MIN, to));
    let after = || last.checked_add(1).map_or(Expression::Nothing, |from| ranged(edge, from, i64::MAX));
    match comparison {
        Comparison::Equal => ranged(edge, first, last),
        Comparison::NotEqual => or(vec![before(), after()]),
        Comparison::Less => before(),
        Comparison::AtMost => ranged(edge, i64::MIN, last),
        Comparison::Greater => after(),
        Comparison::AtLeast => ranged(edge, first, i64::MAX),
    }
}

/// The records of which an edge is one of these seconds. The least and the
/// greatest of all are those of open ends.
fn ranged(edge: Edge, from: i64, to: i64) -> Expression {
    let overlaps =
        |from: Option<i64>, to: Option<i64>| Expression::Where(Condition::During(Span { from, to }));
    let has = || Expression::Where(Condition::HasSpan);
    match edge {
        Edge::Created => moment(MomentField::Created, from, to),
        Edge::Updated => moment(MomentField::Modified, from, to),
        Edge::TimeStart => {
            let mut parts = vec![has()];
            if to < i64::MAX {
                parts.push(overlaps(None, Some(to)));
            }
            if let Some(before) = from.checked_sub(1) {
                parts.push(not(overlaps(None, Some(before))));
            }
            and(parts)
        }
        Edge::TimeEnd => {
            let mut parts = vec![has()];
            if from > i64::MIN {
                parts.push(overlaps(Some(from), None));
            }
            if let Some(after) = to.checked_add(1) {
                parts.push(not(overlaps(Some(after), None)));
            }
            and(parts)
        }
        Edge::At(..) => Expression::Nothing,
    }
}

fn moment(field: MomentField, from: i64, to: i64) -> Expression {
    let from = if from == i64::MIN { Bound::Unbounded } else { Bound::Included(from) };
    let to = if to == i64::MAX { Bound::Unbounded } else { Bound::Included(to) };
    Expression::During(field, from, to)
}

type Words = (&'static str, &'static str);

const NO_TIME: Words = ("ist keine Zeit", "is no time");
const NO_MOMENT: Words = ("ist kein einzelner Zeitpunkt", "is no single moment");
const REVERSED: Words = ("endet, bevor es beginnt", "ends before it begins");
const ORDER: Words = ("erst den Anfang, dann das Ende angeben", "give the beginning first, then the end");
const DATE: Words = (
    "DATE('2026-11-02') oder TIMESTAMP('2026-11-02T08:00:00Z') schreiben, in JSON {\"date\": \"2026-11-02\"}",
    "write DATE('2026-11-02') or TIMESTAMP('2026-11-02T08:00:00Z'), in JSON {\"date\": \"2026-11-02\"}",
);
const ENDS: Words = ("created oder updated angeben", "give created or updated");
const FUNCTION: Words =
    ("T_DURING oder T_INTERSECTS verwenden, oder BETWEEN", "use T_DURING or T_INTERSECTS, or BETWEEN");
const TIMES: Words = ("created, updated oder time angeben", "give created, updated or time");
