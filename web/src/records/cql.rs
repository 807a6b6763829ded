//! CQL2, the Common Query Language (OGC 21-065r2): what a filter says, read
//! from text ([`text`]) or from JSON ([`json`]).
//!
//! It knows no property and no index: [`super::filter`] says what a filter
//! finds. What the language has and this catalog does not (functions of one's
//! own, arithmetic, arrays, spatial relations other than `S_INTERSECTS`) is
//! refused by name where it stands. Both readers are bounded in length
//! ([`FILTER_BYTES_MAX`]) and depth ([`DEPTH_MAX`]).

pub(super) mod json;
mod literal;
pub(super) mod text;
mod tokens;
mod wrong;

pub(super) use literal::{Geometry, Instant};
pub(super) use wrong::{Place, Wrong};

/// Longest filter, in bytes: three times as many still fit into the address of a link.
pub(super) const FILTER_BYTES_MAX: usize = 16_384;
/// How deep parentheses, negations and arguments may be nested.
pub(super) const DEPTH_MAX: usize = 32;

/// A condition on records, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filter {
    pub(super) at: Place,
    pub(super) clause: Clause,
}

/// What a filter says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Clause {
    /// `TRUE` or `FALSE`.
    Always(bool),
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Operand, Comparison, Operand),
    /// Value and pattern, with `%`, `_` and `\`.
    Like(Operand, Operand),
    /// Value, least, most; both included.
    Between(Operand, Operand, Operand),
    Among(Operand, Vec<Operand>),
    IsNull(Operand),
    /// `S_INTERSECTS`.
    Intersects(Operand, Operand),
    Temporal(Relation, Operand, Operand),
}

/// A value of a condition, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) at: Place,
    pub(super) value: Value,
}

/// A property, or a literal.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Property(String),
    Text(String),
    Number(f64),
    Boolean(bool),
    /// `CASEI` of a text or property.
    Caseless(Box<Operand>),
    /// `ACCENTI` of a text or property.
    Accentless(Box<Operand>),
    Instant(Instant),
    Interval(Box<[End; 2]>),
    Geometry(Geometry),
}

/// An end of an interval.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// `..`
    Open,
    Instant(Instant),
    /// The name of a property, and where it stands.
    Property(Place, String),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Comparison {
    /// All, with their signs in both languages.
    pub(super) const ALL: [(Self, &'static str); 6] = [
        (Self::NotEqual, "<>"),
        (Self::AtMost, "<="),
        (Self::AtLeast, ">="),
        (Self::Equal, "="),
        (Self::Less, "<"),
        (Self::Greater, ">"),
    ];

    /// The comparison with a sign.
    pub(super) fn of(sign: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == sign).map(|(comparison, _)| *comparison)
    }

    /// The same comparison with its sides exchanged.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }
}

/// How two times lie to each other (CQL2, 7.6; the relations of Allen).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    After,
    Before,
    Contains,
    Disjoint,
    During,
    Equals,
    FinishedBy,
    Finishes,
    Intersects,
    Meets,
    MetBy,
    OverlappedBy,
    Overlaps,
    StartedBy,
    Starts,
}

impl Relation {
    /// All, with their names in JSON; in text they are written in any case.
    pub(super) const ALL: [(Self, &'static str); 15] = [
        (Self::After, "t_after"),
        (Self::Before, "t_before"),
        (Self::Contains, "t_contains"),
        (Self::Disjoint, "t_disjoint"),
        (Self::During, "t_during"),
        (Self::Equals, "t_equals"),
        (Self::FinishedBy, "t_finishedBy"),
        (Self::Finishes, "t_finishes"),
        (Self::Intersects, "t_intersects"),
        (Self::Meets, "t_meets"),
        (Self::MetBy, "t_metBy"),
        (Self::OverlappedBy, "t_overlappedBy"),
        (Self::Overlaps, "t_overlaps"),
        (Self::StartedBy, "t_startedBy"),
        (Self::Starts, "t_starts"),
    ];

    /// The relation of a name in any case.
    fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(relation, _)| *relation)
    }
}

/// Refuses a filter that is too long before anything is made of it.
fn check_length(filter: &str, at: Place) -> Result<(), Wrong> {
    if filter.len() > FILTER_BYTES_MAX {
        return Err(Wrong::too_long(at, filter));
    }
    Ok(())
}

#[cfg(test)]
#[path = "cql/tests.rs"]
mod tests;
