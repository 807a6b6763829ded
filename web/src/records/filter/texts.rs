//! Conditions on texts: which field of the index, which spelling, which pattern.

use std::ops::Bound;

use crdt::catalog::invalid::Bilingual;
use node::view::{
    Expression, Fit, Folding, NamedField, PATTERN_BYTES_MAX, PATTERN_STRETCHES_MAX, Pattern, PatternPiece,
};

use super::super::cql::{Comparison, Operand, Value, Wrong};
use super::super::queryables::{Kind, Queryable};
use super::super::record::{NO_SPDX, licences};
use super::{LITERAL, Mapper, NAME, NO_PROPERTY, Test, and, named, not, or, presence};

impl Mapper<'_> {
    pub(super) fn compare_text(
        &self,
        value: &Operand,
        comparison: Comparison,
        other: &Operand,
    ) -> Result<Test, Wrong> {
        let (property, folding) = subject(value)?;
        let text = literal(other)?;
        let fit = match comparison {
            Comparison::Equal | Comparison::NotEqual => Fit::Among(vec![text]),
            Comparison::Less => Fit::Between(Bound::Unbounded, Bound::Excluded(text)),
            Comparison::AtMost => Fit::Between(Bound::Unbounded, Bound::Included(text)),
            Comparison::Greater => Fit::Between(Bound::Excluded(text), Bound::Unbounded),
            Comparison::AtLeast => Fit::Between(Bound::Included(text), Bound::Unbounded),
        };
        Ok(self.test(property, folding, fit))
    }

    pub(super) fn like(&self, value: &Operand, pattern: &Operand) -> Result<Test, Wrong> {
        let (property, folding) = subject(value)?;
        let fit = form(&literal(pattern)?);
        match &fit {
            Fit::Like(form) if form.is_costly() && (!folding.is_none() || form.beginning().is_none()) => {
                Err(too_costly(pattern))
            }
            _ => Ok(self.test(property, folding, fit)),
        }
    }

    pub(super) fn between_texts(
        &self,
        value: &Operand,
        least: &Operand,
        most: &Operand,
    ) -> Result<Test, Wrong> {
        let (property, folding) = subject(value)?;
        let fit = Fit::Between(Bound::Included(literal(least)?), Bound::Included(literal(most)?));
        Ok(self.test(property, folding, fit))
    }

    pub(super) fn among_texts(&self, value: &Operand, values: &[Operand]) -> Result<Test, Wrong> {
        let (property, folding) = subject(value)?;
        let values = values.iter().map(literal).collect::<Result<_, _>>()?;
        Ok(self.test(property, folding, Fit::Among(values)))
    }

    fn test(&self, property: Queryable, folding: Folding, fit: Fit) -> Test {
        Test { needs: vec![property], holds: self.holds(property, folding, fit) }
    }

    fn holds(&self, property: Queryable, folding: Folding, fit: Fit) -> Expression {
        let fits = |value: &str| fit.holds(&folding.apply(value));
        match property {
            Queryable::Type if fits("dataset") => Expression::All,
            Queryable::Town => {
                let meant = self.known.towns.iter().filter(|(code, _)| fits(code));
                or(meant.map(|(_, key)| Expression::Is(NamedField::Town, key.clone())).collect())
            }
            Queryable::License => {
                let licence = |iri: String| Expression::Is(NamedField::Licence, iri);
                let mut ways: Vec<Expression> =
                    licences().filter(|(name, _)| fits(name)).map(|(_, iri)| licence(iri)).collect();
                if fits(NO_SPDX) {
                    let named = or(licences().map(|(_, iri)| licence(iri)).collect());
                    ways.push(and(vec![presence(property), not(named)]));
                }
                ways.push(of_field(NamedField::Licence, folding, fit));
                or(ways)
            }
            Queryable::Id => of_field(NamedField::Id, folding, fit),
            Queryable::ExternalIds => of_field(NamedField::Identifier, folding, fit),
            Queryable::Title => of_field(NamedField::TitleExact, folding, fit),
            Queryable::Keywords => of_field(NamedField::Keyword, folding, fit),
            Queryable::Themes => of_field(NamedField::Theme, folding, fit),
            Queryable::Formats => of_field(NamedField::Format, folding, fit),
            _ => Expression::Nothing,
        }
    }
}

/// By the terms of the field where they are spelt as they are compared.
fn of_field(field: NamedField, folding: Folding, fit: Fit) -> Expression {
    if !folding.is_none() {
        return Expression::Folded(field, folding, fit);
    }
    match fit {
        Fit::Among(values) => or(values.into_iter().map(|value| Expression::Is(field, value)).collect()),
        Fit::Like(pattern) => Expression::Like(field, pattern),
        Fit::Between(from, to) => Expression::Between(field, from, to),
    }
}

/// What a pattern of `LIKE` fits: `%` any letters, `_` one, `\` before either itself.
fn form(pattern: &str) -> Fit {
    let mut pieces = Vec::new();
    let mut letters = pattern.chars();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        let wild = match letter {
            '%' => PatternPiece::Any,
            '_' => PatternPiece::One,
            '\\' => {
                text.push(letters.next().unwrap_or('\\'));
                continue;
            }
            letter => {
                text.push(letter);
                continue;
            }
        };
        if !text.is_empty() {
            pieces.push(PatternPiece::Text(std::mem::take(&mut text)));
        }
        // `%%` is no more than `%`.
        if wild != PatternPiece::Any || pieces.last() != Some(&PatternPiece::Any) {
            pieces.push(wild);
        }
    }
    if pieces.is_empty() {
        return Fit::Among(vec![text]);
    }
    if !text.is_empty() {
        pieces.push(PatternPiece::Text(text));
    }
    Fit::Like(Pattern(pieces))
}

fn too_costly(pattern: &Operand) -> Wrong {
    let remedy = Bilingual::made(
        format!(
            "höchstens {PATTERN_STRETCHES_MAX} Mal % und {PATTERN_BYTES_MAX} Byte verwenden, oder % nur am Ende"
        ),
        format!(
            "use % at most {PATTERN_STRETCHES_MAX} times and {PATTERN_BYTES_MAX} bytes, or % at the end only"
        ),
    );
    let problem = ("ist als Muster zu aufwendig", "is too costly a pattern");
    Wrong::because(&pattern.at, shown(pattern), problem, remedy)
}

/// The property that is compared, and what is passed over in its values.
fn subject(operand: &Operand) -> Result<(Queryable, Folding), Wrong> {
    let (operand, folding) = unwrapped(operand);
    let property = match &operand.value {
        Value::Property(name) => named(&operand.at, name)?,
        _ => return Err(Wrong::new(&operand.at, shown(operand), NO_PROPERTY, NAME)),
    };
    match property.kind() {
        Kind::Text => Ok((property, folding)),
        Kind::Moment => Err(Wrong::new(&operand.at, shown(operand), NO_TEXT, MOMENT)),
        Kind::Interval => Err(Wrong::new(&operand.at, shown(operand), NO_TEXT, INTERVAL)),
        Kind::Geometry => Err(Wrong::new(&operand.at, shown(operand), NO_TEXT, GEOMETRY)),
    }
}

/// The text of a literal, with what it passes over taken off.
fn literal(operand: &Operand) -> Result<String, Wrong> {
    let (inner, folding) = unwrapped(operand);
    match &inner.value {
        Value::Text(text) => Ok(folding.apply(text)),
        Value::Property(_) => Err(Wrong::new(&inner.at, shown(inner), super::TWO_PROPERTIES, LITERAL)),
        _ => Err(Wrong::new(&inner.at, shown(inner), NO_TEXT, QUOTES)),
    }
}

/// What stands in `CASEI` and `ACCENTI`, and what they say.
fn unwrapped(operand: &Operand) -> (&Operand, Folding) {
    let (mut operand, mut folding) = (operand, Folding::default());
    loop {
        operand = match &operand.value {
            Value::Caseless(inner) => {
                folding.case = true;
                inner
            }
            Value::Accentless(inner) => {
                folding.accents = true;
                inner
            }
            _ => return (operand, folding),
        }
    }
}

/// Whether an operand is a property, with or without `CASEI` around it.
pub(super) fn names_property(operand: &Operand) -> bool {
    matches!(unwrapped(operand).0.value, Value::Property(_))
}

/// An operand as an error repeats it.
pub(super) fn shown(operand: &Operand) -> String {
    match &operand.value {
        Value::Property(name) => name.clone(),
        Value::Text(text) => text.clone(),
        _ => operand.to_json().to_string(),
    }
}

const NO_TEXT: (&str, &str) = ("ist kein Text", "is no text");
const QUOTES: (&str, &str) = ("Text in einfache Anführungszeichen setzen", "put text into single quotes");
const MOMENT: (&str, &str) = (
    "mit =, <>, <, >, <=, >=, BETWEEN, IN oder T_AFTER … und DATE('2026-11-02') vergleichen",
    "compare it with =, <>, <, >, <=, >=, BETWEEN, IN or T_AFTER … and DATE('2026-11-02')",
);
const INTERVAL: (&str, &str) = (
    "T_INTERSECTS(time, INTERVAL('2026-01-01', '..')) oder eine andere zeitliche Funktion schreiben",
    "write T_INTERSECTS(time, INTERVAL('2026-01-01', '..')) or another temporal function",
);
const GEOMETRY: (&str, &str) = (
    "S_INTERSECTS(geometry, BBOX(8, 51, 9, 52)) schreiben",
    "write S_INTERSECTS(geometry, BBOX(8, 51, 9, 52))",
);
