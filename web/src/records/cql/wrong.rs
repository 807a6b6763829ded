//! Why a filter is refused: where, what stands there, and what would be right.

use crdt::catalog::InvalidField;
use crdt::catalog::invalid::{Bilingual, nearest};

use super::{DEPTH_MAX, FILTER_BYTES_MAX, Relation};

/// Functions beside the temporal ones.
const FUNCTIONS: [&str; 3] = ["casei", "accenti", "s_intersects"];

/// A place in a filter. All places are equal, so that filters are compared by
/// what they say.
#[derive(Debug, Clone)]
pub(in crate::records) enum Place {
    /// In text: the number of the letter, from 1.
    Letter(usize),
    /// In JSON: a pointer (RFC 6901).
    Pointer(String),
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Place {
    /// The place of a member or an item of what is here.
    pub(super) fn under(&self, step: impl std::fmt::Display) -> Self {
        match self {
            Self::Pointer(pointer) => Self::Pointer(format!("{pointer}/{step}")),
            Self::Letter(_) => self.clone(),
        }
    }

    fn words(&self) -> Bilingual {
        match self {
            Self::Letter(number) => {
                Bilingual::made(format!("ab Zeichen {number}"), format!("at character {number}"))
            }
            Self::Pointer(pointer) if pointer.is_empty() => Bilingual::fixed("als Ganzes", "as a whole"),
            Self::Pointer(pointer) => Bilingual::made(format!("bei {pointer}"), format!("at {pointer}")),
        }
    }
}

/// A filter that cannot be answered.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::records) struct Wrong {
    at: Place,
    found: String,
    problem: Bilingual,
    remedy: Bilingual,
}

/// Words in German and in English.
type Words = (&'static str, &'static str);

impl Wrong {
    /// What stands at a place is not possible there. The problem completes
    /// "the value … at character 5".
    pub(in crate::records) fn new(
        at: &Place,
        found: impl Into<String>,
        problem: Words,
        remedy: Words,
    ) -> Self {
        Self::because(at, found, problem, Bilingual::fixed(remedy.0, remedy.1))
    }

    /// The same, with a remedy made for the case.
    pub(in crate::records) fn because(
        at: &Place,
        found: impl Into<String>,
        problem: Words,
        remedy: Bilingual,
    ) -> Self {
        let problem = Bilingual::fixed(problem.0, problem.1);
        Self { at: at.clone(), found: found.into(), problem, remedy }
    }

    /// A name that is none of those that are possible.
    pub(in crate::records) fn unknown(at: &Place, found: &str, problem: Words, possible: &[&str]) -> Self {
        let all = possible.join(", ");
        let remedy = match nearest(found, possible.iter().copied()) {
            Some(guess) => Bilingual::made(
                format!("vielleicht „{guess}“? Möglich sind: {all}"),
                format!("did you mean `{guess}`? Possible are: {all}"),
            ),
            None => Bilingual::made(format!("möglich sind: {all}"), format!("possible are: {all}")),
        };
        Self::because(at, found, problem, remedy)
    }

    /// A function, a relation or an operator that there is not.
    pub(super) fn function(at: &Place, name: &str) -> Self {
        let problem = ("gibt es hier nicht", "does not exist here");
        if name.to_ascii_lowercase().starts_with("a_") {
            let remedy = (
                "Werte einzeln vergleichen: keywords = 'a' AND keywords = 'b', oder keywords IN ('a', 'b')",
                "compare values one by one: keywords = 'a' AND keywords = 'b', or keywords IN ('a', 'b')",
            );
            return Self::new(at, name, problem, remedy);
        }
        let possible: Vec<&str> = FUNCTIONS.into_iter().chain(Relation::ALL.map(|(_, name)| name)).collect();
        Self::unknown(at, name, problem, &possible)
    }

    pub(super) fn too_long(at: Place, found: &str) -> Self {
        let remedy = Bilingual::made(
            format!("den Filter auf höchstens {FILTER_BYTES_MAX} Byte kürzen"),
            format!("shorten the filter to at most {FILTER_BYTES_MAX} bytes"),
        );
        Self::because(&at, found, ("ist zu lang", "is too long"), remedy)
    }

    pub(super) fn too_deep(at: &Place, found: impl Into<String>) -> Self {
        let remedy = Bilingual::made(
            format!("den Filter auf höchstens {DEPTH_MAX} Ebenen bringen"),
            format!("nest the filter at most {DEPTH_MAX} deep"),
        );
        Self::because(at, found, ("liegt zu tief in Klammern", "is nested too deeply"), remedy)
    }

    /// The error of the parameter that held the filter.
    pub(in crate::records) fn field(&self) -> InvalidField {
        let place = self.at.words();
        let problem = Bilingual::made(
            format!("{} {}", place.de, self.problem.de),
            format!("{} {}", place.en, self.problem.en),
        );
        InvalidField::new("filter", &self.found, problem, self.remedy.clone())
    }
}
