//! A query as a value: conditions on named fields, joined by and, or, not.
//!
//! For programs that state exactly what they mean, such as the query languages of other catalogs.
//! It holds no text of such a language and knows no index.

use std::ops::Bound;

use super::condition::{CONDITION_DEPTH_MAX, Condition};
use super::folding::{Fit, Folding};
use super::query::QueryError;

/// Most parts of an expression: conditions, the words in them, and what joins them.
pub const EXPRESSION_PARTS_MAX: usize = 512;
/// How deep an expression may be nested.
pub const EXPRESSION_DEPTH_MAX: usize = 24;
/// Most patterns of an expression that are no plain beginnings, and comparisons that pass over case
/// or accents; each costs a walk over all values.
pub const PATTERNS_MAX: usize = 8;
/// Most unknown stretches of a pattern that is no plain beginning: more make an automaton grow
/// beyond use.
pub const PATTERN_STRETCHES_MAX: usize = 4;
/// Longest such pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 128;
/// Longest value that a condition compares with, in bytes.
pub const VALUE_BYTES_MAX: usize = 2_048;

/// A field of records, by name.
///
/// Values of most fields are compared as a whole and exactly; those of texts word by word, in all
/// forms of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamedField {
    /// The dataset's UUID, lower-case.
    Id,
    /// `dct:identifier`.
    Identifier,
    /// The dataset's IRI.
    Iri,
    /// The town's key (AGS).
    Town,
    /// Keyword.
    Keyword,
    /// Code of an EU data theme.
    Theme,
    /// Format of a distribution.
    Format,
    /// IRI of the licence.
    Licence,
    /// Code of the update frequency.
    Frequency,
    /// The title as a whole.
    TitleExact,
    /// Mailbox of the contact.
    Mailbox,
    /// UUID of a distribution.
    Distribution,
    /// Access or download URL of a distribution.
    Url,
    /// Words of the title.
    Title,
    /// Words of the description.
    Description,
    /// Words of the distributions' titles.
    DistributionTitle,
    /// Words of the publisher's name.
    Publisher,
    /// Words of the contact's name.
    Contact,
}

/// What follows a field's letter in a term.
const VALUE: &str = "=";
const STEM: &str = "~";

impl NamedField {
    /// Whether its values are texts.
    pub fn is_text(self) -> bool {
        use NamedField::{Contact, Description, DistributionTitle, Publisher, Title};
        matches!(self, Title | Description | DistributionTitle | Publisher | Contact)
    }

    fn letter(self) -> char {
        char::from(b'A' + self as u8)
    }

    /// The term of records that have the field at all.
    pub(super) fn exists_term(self) -> String {
        self.letter().to_string()
    }

    /// The term of a whole value, or of a folded word of a text.
    pub(super) fn value_term(self, value: &str) -> String {
        self.term(VALUE, super::fields::cut(value))
    }

    /// The term of a word's stem.
    pub(super) fn stem_term(self, stem: &str) -> String {
        self.term(STEM, stem)
    }

    fn term(self, kind: &str, value: &str) -> String {
        let mut term = String::with_capacity(1 + kind.len() + value.len());
        term.push(self.letter());
        term.push_str(kind);
        term.push_str(value);
        term
    }
}

/// A moment of records, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MomentField {
    /// When the record was published.
    Created,
    /// When it was last changed.
    Modified,
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternPiece {
    /// These letters.
    Text(String),
    /// Any letters, or none.
    Any,
    /// Any one letter.
    One,
}

/// Letters with wildcards between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(pub Vec<PatternPiece>);

impl Pattern {
    /// The letters that values must begin with, if that is all it says.
    pub fn beginning(&self) -> Option<&str> {
        match self.0.as_slice() {
            [PatternPiece::Any] => Some(""),
            [PatternPiece::Text(text), PatternPiece::Any] => Some(text),
            _ => None,
        }
    }

    /// Whether a short text has this form as a whole.
    pub fn fits(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        // Places of the text that the pieces so far can reach.
        let mut reached = vec![false; letters.len() + 1];
        reached[0] = true;
        for piece in &self.0 {
            let mut next = vec![false; letters.len() + 1];
            let part: Vec<char> = match piece {
                PatternPiece::Text(text) => text.chars().collect(),
                PatternPiece::Any | PatternPiece::One => Vec::new(),
            };
            for at in (0..=letters.len()).filter(|at| reached[*at]) {
                match piece {
                    PatternPiece::Any => {
                        next[at..].fill(true);
                        break;
                    }
                    PatternPiece::One if at < letters.len() => next[at + 1] = true,
                    PatternPiece::One => {}
                    PatternPiece::Text(_) if letters[at..].starts_with(&part) => next[at + part.len()] = true,
                    PatternPiece::Text(_) => {}
                }
            }
            reached = next;
        }
        reached[letters.len()]
    }

    /// Whether it is too long, or says too little, to be looked for in all values.
    pub fn is_costly(&self) -> bool {
        let stretches = self.0.iter().filter(|piece| **piece == PatternPiece::Any).count();
        stretches > PATTERN_STRETCHES_MAX || self.bytes() > PATTERN_BYTES_MAX
    }

    fn bytes(&self) -> usize {
        let of = |piece: &PatternPiece| if let PatternPiece::Text(text) = piece { text.len() } else { 1 };
        self.0.iter().map(of).sum()
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            PatternPiece::Text(text) => f.write_str(text),
            PatternPiece::Any => f.write_str("*"),
            PatternPiece::One => f.write_str("?"),
        })
    }
}

/// A condition on records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// True of every record.
    All,
    /// True of none.
    Nothing,
    /// The words of a reader's text, in any field, with its phrases and exclusions. Up to two must
    /// all be found; of three to five one may be missing, of more one fifth.
    Words(String),
    /// The field has this value; a text field these words, several of them as a phrase.
    Is(NamedField, String),
    /// The field has a value, or a word, of this form.
    Like(NamedField, Pattern),
    /// The field has a value between these, in the order of their letters.
    Between(NamedField, Bound<String>, Bound<String>),
    /// The field has a value that fits, with something passed over in it. Not for texts.
    Folded(NamedField, Folding, Fit),
    /// The field has a value.
    Has(NamedField),
    /// The moment lies between these.
    During(MomentField, Bound<i64>, Bound<i64>),
    /// The condition is true.
    Where(Condition),
    /// All are true.
    And(Vec<Expression>),
    /// At least one is true.
    Or(Vec<Expression>),
    /// It is not true.
    Not(Box<Expression>),
}

impl Expression {
    /// Whether it says something by which records can be ranked.
    pub fn is_ranking(&self) -> bool {
        match self {
            Self::Words(_) => true,
            Self::Is(field, _) => field.is_text(),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::is_ranking),
            _ => false,
        }
    }

    /// Checks the bounds before anything is made of it.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        let mut spent = Spent::default();
        self.spend(EXPRESSION_DEPTH_MAX, &mut spent)
    }

    fn spend(&self, depth: usize, spent: &mut Spent) -> Result<(), QueryError> {
        let Some(depth) = depth.checked_sub(1) else { return Err(QueryError::NestedTooDeeply) };
        let long = |text: &str| text.len() > VALUE_BYTES_MAX;
        let too_long = |text: &str| QueryError::TooLong { chars: text.chars().count() };
        match self {
            Self::Words(text) | Self::Is(_, text) if long(text) => return Err(too_long(text)),
            Self::Folded(_, _, Fit::Among(values)) => {
                if let Some(text) = values.iter().find(|text| long(text)) {
                    return Err(too_long(text));
                }
            }
            Self::Between(_, from, to) | Self::Folded(_, _, Fit::Between(from, to)) => {
                for text in [from, to] {
                    if let Bound::Included(text) | Bound::Excluded(text) = text
                        && long(text)
                    {
                        return Err(too_long(text));
                    }
                }
            }
            Self::Like(_, pattern) if pattern.beginning().is_none() => {
                spent.walk(pattern.is_costly(), || pattern.to_string())?;
            }
            Self::Like(_, pattern) if pattern.bytes() > VALUE_BYTES_MAX => {
                return Err(too_long(&pattern.to_string()));
            }
            _ => {}
        }
        if let Self::Folded(_, _, fit) = self {
            match fit {
                Fit::Like(pattern) => spent.walk(pattern.is_costly(), || pattern.to_string())?,
                Fit::Among(values) => spent.walk(false, || values.join(", "))?,
                Fit::Between(..) => spent.walk(false, || "< >".to_owned())?,
            }
        }
        spent.parts += match self {
            Self::Folded(_, _, Fit::Among(values)) => values.len().max(1),
            Self::Words(text) => 1 + text.split_whitespace().count(),
            Self::Is(field, text) if field.is_text() => 1 + text.split_whitespace().count(),
            Self::Where(condition) => {
                let (conditions, nested) = condition.size();
                if nested > CONDITION_DEPTH_MAX {
                    return Err(QueryError::TooDeep { depth: nested });
                }
                1 + conditions
            }
            _ => 1,
        };
        if spent.parts > EXPRESSION_PARTS_MAX {
            return Err(QueryError::TooManyParts { parts: spent.parts });
        }
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().try_for_each(|part| part.spend(depth, spent)),
            Self::Not(part) => part.spend(depth, spent),
            _ => Ok(()),
        }
    }
}

/// What an expression costs.
#[derive(Default)]
struct Spent {
    parts: usize,
    patterns: usize,
}

impl Spent {
    /// One more walk over all values, unless there were enough or this one costs too much.
    fn walk(&mut self, is_costly: bool, shown: impl FnOnce() -> String) -> Result<(), QueryError> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX || is_costly {
            return Err(QueryError::PatternTooCostly { pattern: shown() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_too_much_is_refused() {
        let nested = |depth| (0..depth).fold(Expression::All, |inner, _| Expression::Not(Box::new(inner)));
        assert_eq!(nested(EXPRESSION_DEPTH_MAX - 1).check(), Ok(()));
        assert_eq!(nested(EXPRESSION_DEPTH_MAX).check(), Err(QueryError::NestedTooDeeply));

        let many = |count| Expression::Or(vec![Expression::Has(NamedField::Town); count]);
        assert_eq!(many(EXPRESSION_PARTS_MAX - 1).check(), Ok(()));
        let refused = many(EXPRESSION_PARTS_MAX).check();
        assert_eq!(refused, Err(QueryError::TooManyParts { parts: EXPRESSION_PARTS_MAX + 1 }));

        let inside = Pattern(vec![PatternPiece::Any, PatternPiece::Text("a".into()), PatternPiece::Any]);
        let like = |pattern: &Pattern| Expression::Like(NamedField::Keyword, pattern.clone());
        assert_eq!(Expression::And(vec![like(&inside); PATTERNS_MAX]).check(), Ok(()));
        let refused = Expression::And(vec![like(&inside); PATTERNS_MAX + 1]).check();
        assert_eq!(refused, Err(QueryError::PatternTooCostly { pattern: "*a*".into() }));
        let wild = [PatternPiece::Any, PatternPiece::Text("a".into())];
        let wild = Pattern(wild.iter().cycle().take(10).cloned().collect());
        assert!(matches!(like(&wild).check(), Err(QueryError::PatternTooCostly { .. })));

        let long = Expression::Is(NamedField::Url, "ü".repeat(VALUE_BYTES_MAX));
        assert_eq!(long.check(), Err(QueryError::TooLong { chars: VALUE_BYTES_MAX }));
    }
}
