//! What a filter finds: the properties of a [`cql`](super::cql) filter become
//! fields of the search index, so that nothing stored is walked.
//!
//! CQL2 knows true, false and unknown: of a record without a licence,
//! `license = 'CC0-1.0'` is unknown, and so is `NOT license = 'CC0-1.0'`. The
//! index knows found and not found. Negations are therefore carried down to the
//! single conditions, and each is asked of records that have the property.
//!
//! Of a property with several values a comparison is true if it is true of one.

mod places;
mod texts;
mod times;

use node::view::{Condition, Expression, MomentField, NamedField};

use super::cql::{Clause, Comparison, Filter, Operand, Place, Value, Wrong};
use super::query::Known;
use super::queryables::{Kind, Queryable};

/// What the index is to find for a filter.
pub(super) fn expression(filter: &Filter, known: Known<'_>) -> Result<Expression, Wrong> {
    Mapper { known }.records(filter, true)
}

struct Mapper<'a> {
    known: Known<'a>,
}

/// A single condition: which properties must be there for it to be known, and
/// of which records it is true.
struct Test {
    needs: Vec<Queryable>,
    holds: Expression,
}

impl Mapper<'_> {
    /// The records of which a filter is true, or those of which it is false.
    fn records(&self, filter: &Filter, wanted: bool) -> Result<Expression, Wrong> {
        let all = |parts: &[Filter]| {
            parts.iter().map(|part| self.records(part, wanted)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match &filter.clause {
            Clause::Always(always) if *always == wanted => Expression::All,
            Clause::Always(_) => Expression::Nothing,
            Clause::All(parts) if wanted => and(all(parts)?),
            Clause::All(parts) => or(all(parts)?),
            Clause::Any(parts) if wanted => or(all(parts)?),
            Clause::Any(parts) => and(all(parts)?),
            Clause::Not(part) => self.records(part, !wanted)?,
            Clause::IsNull(operand) if wanted => not(presence(property(operand)?)),
            Clause::IsNull(operand) => presence(property(operand)?),
            Clause::Compare(one, Comparison::NotEqual, other) => {
                settled(self.compare(&filter.at, one, Comparison::Equal, other)?, !wanted)
            }
            Clause::Compare(one, comparison, other) => {
                settled(self.compare(&filter.at, one, *comparison, other)?, wanted)
            }
            Clause::Like(value, pattern) => settled(self.like(value, pattern)?, wanted),
            Clause::Between(value, least, most) => settled(self.between(value, least, most)?, wanted),
            Clause::Among(value, values) => settled(self.among(value, values)?, wanted),
            Clause::Intersects(one, other) => settled(places::intersects(one, other)?, wanted),
            Clause::Temporal(relation, one, other) => {
                settled(times::related(&filter.at, *relation, one, other)?, wanted)
            }
        })
    }

    fn compare(
        &self,
        at: &Place,
        one: &Operand,
        comparison: Comparison,
        other: &Operand,
    ) -> Result<Test, Wrong> {
        match (texts::names_property(one), texts::names_property(other)) {
            (true, true) => Err(Wrong::new(&other.at, texts::shown(other), TWO_PROPERTIES, LITERAL)),
            (true, false) if is_moment(one) => times::compared(one, comparison, other),
            (true, false) => self.compare_text(one, comparison, other),
            (false, true) if is_moment(other) => times::compared(other, comparison.flipped(), one),
            (false, true) => self.compare_text(other, comparison.flipped(), one),
            (false, false) => Err(Wrong::new(at, texts::shown(one), NO_PROPERTY, NAME)),
        }
    }

    fn between(&self, value: &Operand, least: &Operand, most: &Operand) -> Result<Test, Wrong> {
        if is_moment(value) {
            return times::between(value, least, most);
        }
        self.between_texts(value, least, most)
    }

    fn among(&self, value: &Operand, values: &[Operand]) -> Result<Test, Wrong> {
        if is_moment(value) {
            return times::among(value, values);
        }
        self.among_texts(value, values)
    }
}

/// Whether an operand is the name of a moment.
fn is_moment(operand: &Operand) -> bool {
    matches!(property(operand).map(Queryable::kind), Ok(Kind::Moment))
}

/// The property that an operand names.
fn property(operand: &Operand) -> Result<Queryable, Wrong> {
    match &operand.value {
        Value::Property(name) => named(&operand.at, name),
        _ => Err(Wrong::new(&operand.at, texts::shown(operand), NO_PROPERTY, NAME)),
    }
}

fn named(at: &Place, name: &str) -> Result<Queryable, Wrong> {
    let problem = if name == "description" {
        (
            "wird nicht im Ganzen verglichen (Wörter darin sucht der Parameter q)",
            "is not compared as a whole (the parameter q looks for words in it)",
        )
    } else {
        ("ist keine Eigenschaft, nach der gefiltert wird", "is no queryable property")
    };
    Queryable::named(name).ok_or_else(|| Wrong::unknown(at, name, problem, &Queryable::names()))
}

/// The records that have a property.
fn presence(property: Queryable) -> Expression {
    let named = match property {
        // Every record has them.
        Queryable::Id | Queryable::Type | Queryable::Town => return Expression::All,
        Queryable::Created => return any_moment(MomentField::Created),
        Queryable::Updated => return any_moment(MomentField::Modified),
        Queryable::Time => return Expression::Where(Condition::HasSpan),
        Queryable::Geometry => return Expression::Where(Condition::HasArea),
        Queryable::ExternalIds => NamedField::Identifier,
        Queryable::Title => NamedField::TitleExact,
        Queryable::Keywords => NamedField::Keyword,
        Queryable::Themes => NamedField::Theme,
        Queryable::Formats => NamedField::Format,
        Queryable::License => NamedField::Licence,
    };
    Expression::Has(named)
}

fn any_moment(field: MomentField) -> Expression {
    Expression::During(field, std::ops::Bound::Unbounded, std::ops::Bound::Unbounded)
}

/// The records of which a condition is true, or known to be false.
fn settled(test: Test, wanted: bool) -> Expression {
    let Test { needs, holds } = test;
    // What is true of the only property needed is true of records that have it.
    if wanted && needs.len() < 2 {
        return holds;
    }
    let mut parts: Vec<Expression> = needs.into_iter().map(presence).collect();
    parts.push(if wanted { holds } else { not(holds) });
    and(parts)
}

/// All of these, without a level of its own for each `AND` in an `AND`.
fn and(parts: Vec<Expression>) -> Expression {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Expression::All => {}
            Expression::And(inner) => flat.extend(inner),
            part => flat.push(part),
        }
    }
    match flat.len() {
        0 => Expression::All,
        1 => flat.swap_remove(0),
        _ => Expression::And(flat),
    }
}

/// One of these, the same way.
fn or(parts: Vec<Expression>) -> Expression {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Expression::Nothing => {}
            Expression::Or(inner) => flat.extend(inner),
            part => flat.push(part),
        }
    }
    match flat.len() {
        0 => Expression::Nothing,
        1 => flat.swap_remove(0),
        _ => Expression::Or(flat),
    }
}

fn not(expression: Expression) -> Expression {
    match expression {
        Expression::All => Expression::Nothing,
        Expression::Nothing => Expression::All,
        Expression::Not(inner) => *inner,
        other => Expression::Not(Box::new(other)),
    }
}

type Words = (&'static str, &'static str);

const LITERAL: Words = (
    "auf einer Seite einen Wert angeben, etwa 'soest' oder DATE('2026-11-02')",
    "give a value on one side, such as 'soest' or DATE('2026-11-02')",
);
const NAME: Words = (
    "auf einer Seite eine Eigenschaft nennen; …/queryables zählt sie auf",
    "name a property on one side; …/queryables lists them",
);
const NO_PROPERTY: Words = ("ist keine Eigenschaft", "is no property");
const TWO_PROPERTIES: Words = (
    "ist eine zweite Eigenschaft; zwei werden nicht verglichen",
    "is a second property; two are not compared",
);

#[cfg(test)]
#[path = "filter/tests.rs"]
mod tests;
