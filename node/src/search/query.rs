//! What a reader asks for, checked against its bounds and cut into clauses.
//!
//! The syntax is lenient: quotes that do not close, lone signs and unknown operators are read as
//! words. It never looks into an index.

use thiserror::Error;

use super::analysis::{Word, words};
use super::expression::{EXPRESSION_DEPTH_MAX, EXPRESSION_PARTS_MAX};
use super::{CONDITION_DEPTH_MAX, CONDITIONS_MAX, Condition, Filters};

/// Longest text of a query.
pub const QUERY_CHARS_MAX: usize = 512;
/// Most words of a query, excluded ones included.
pub const QUERY_WORDS_MAX: usize = 24;
/// Last record that can be reached by paging: `offset + limit`.
pub const PAGE_END_MAX: usize = 10_000;
/// Most filter values of a query, of all facets together.
pub const FILTER_VALUES_MAX: usize = 256;

/// A query for [`SearchIndex::search`](super::SearchIndex::search).
#[derive(Debug, Clone, Default)]
pub struct SearchQuery {
    /// What the reader typed; empty finds everything.
    pub text: String,
    /// What the reader chose. Values of one facet are alternatives; facets narrow each other.
    pub filters: Filters,
    /// What else must be true of a record.
    pub condition: Option<Condition>,
    /// What the reader may see at all: narrows every hit and every count.
    pub audience: Filters,
    /// Order of the hits.
    pub sort: Sort,
    /// How many hits to skip.
    pub offset: usize,
    /// How many hits to return; 0 for counts only.
    pub limit: usize,
    /// Whether to count facets.
    pub facets: bool,
    /// Whether to mark what was found in titles and descriptions.
    pub highlight: bool,
}

/// Order of hits. Ties are broken by the dataset's id, then by key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Best match first, among equals the latest; without a text, the latest first.
    #[default]
    Relevance,
    /// Latest change first.
    Modified,
    /// Oldest change first.
    ModifiedAscending,
    /// Latest publication first.
    Created,
    /// First publication first.
    CreatedAscending,
    /// By title, as in a German index (DIN 5007-1).
    Title,
    /// By title, backwards.
    TitleDescending,
    /// By the dataset's id: an order that no edit changes.
    Id,
    /// By the dataset's id, backwards.
    IdDescending,
}

impl Sort {
    pub(super) fn is_by_title(self) -> bool {
        matches!(self, Sort::Title | Sort::TitleDescending)
    }
}

/// A query exceeds a bound.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    /// The text is too long.
    #[error("read the query: it has {chars} characters, more than {QUERY_CHARS_MAX}; shorten it")]
    TooLong {
        /// Its length.
        chars: usize,
    },
    /// The text has too many words.
    #[error("read the query: it has {words} words, more than {QUERY_WORDS_MAX}; leave some out")]
    TooManyWords {
        /// Their number.
        words: usize,
    },
    /// The page lies too far back.
    #[error(
        "open the page: offset {offset} plus limit {limit} is more than {PAGE_END_MAX}; narrow the search"
    )]
    PageTooFar {
        /// As asked for.
        offset: usize,
        /// As asked for.
        limit: usize,
    },
    /// An expression has too many parts.
    #[error("read the query: it has {parts} parts, more than {EXPRESSION_PARTS_MAX}; leave some out")]
    TooManyParts {
        /// Their number, as far as they were counted.
        parts: usize,
    },
    /// An expression is nested too deeply.
    #[error("read the query: it is nested more than {EXPRESSION_DEPTH_MAX} deep; flatten it")]
    NestedTooDeeply,
    /// An expression has too many wildcards, or one that fits too much.
    #[error("read the query: the pattern `{pattern}` costs too much; ask for fewer or simpler patterns")]
    PatternTooCostly {
        /// The pattern, as it was given.
        pattern: String,
    },
    /// There are too many filters.
    #[error("read the filters: {values} values are more than {FILTER_VALUES_MAX}; choose fewer")]
    TooManyFilters {
        /// Their number.
        values: usize,
    },
    /// There are too many conditions.
    #[error("read the conditions: {conditions} are more than {CONDITIONS_MAX}; ask for less at once")]
    TooManyConditions {
        /// Their number.
        conditions: usize,
    },
    /// Conditions are nested too deeply.
    #[error("read the conditions: nested {depth} deep, more than {CONDITION_DEPTH_MAX}; flatten them")]
    TooDeep {
        /// How deep.
        depth: usize,
    },
}

/// One demand on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Clause {
    /// These words, anywhere; typed without a space between them, as in "E-Bike" or an identifier.
    Words {
        /// As typed.
        typed: String,
        words: Vec<Word>,
    },
    /// These words in this order.
    Phrase(Vec<Word>),
}

impl Clause {
    pub(super) fn words(&self) -> &[Word] {
        match self {
            Clause::Words { words, .. } | Clause::Phrase(words) => words,
        }
    }
}

/// A text cut into its demands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Demands {
    pub(super) wanted: Vec<Clause>,
    pub(super) excluded: Vec<Clause>,
}

impl SearchQuery {
    /// Checks the bounds and cuts the text.
    pub(super) fn demands(&self) -> Result<Demands, QueryError> {
        let chars = self.text.chars().count();
        if chars > QUERY_CHARS_MAX {
            return Err(QueryError::TooLong { chars });
        }
        if self.offset.saturating_add(self.limit) > PAGE_END_MAX {
            return Err(QueryError::PageTooFar { offset: self.offset, limit: self.limit });
        }
        let values = self.filters.values().chain(self.audience.values()).map(Vec::len).sum();
        if values > FILTER_VALUES_MAX {
            return Err(QueryError::TooManyFilters { values });
        }
        let (conditions, depth) = self.condition.as_ref().map_or((0, 0), Condition::size);
        if conditions > CONDITIONS_MAX {
            return Err(QueryError::TooManyConditions { conditions });
        }
        if depth > CONDITION_DEPTH_MAX {
            return Err(QueryError::TooDeep { depth });
        }
        let demands = parse(&self.text);
        let words = demands.wanted.iter().chain(&demands.excluded).map(|clause| clause.words().len()).sum();
        if words > QUERY_WORDS_MAX {
            return Err(QueryError::TooManyWords { words });
        }
        Ok(demands)
    }
}

pub(super) fn parse(text: &str) -> Demands {
    let mut demands = Demands::default();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        // A sign in front of a space or of another sign excludes nothing.
        let behind_sign = rest
            .strip_prefix(['-', '−', '–'])
            .filter(|behind| behind.starts_with(|next: char| next.is_alphanumeric() || is_quote(next)));
        let (clause, after) = read_clause(behind_sign.unwrap_or(rest));
        let target = if behind_sign.is_some() { &mut demands.excluded } else { &mut demands.wanted };
        if !clause.words().is_empty() && !target.contains(&clause) {
            target.push(clause);
        }
        debug_assert!(after.len() < rest.len(), "no progress at `{first}`");
        rest = after.trim_start();
    }
    demands
}

/// Reads a phrase or the text up to the next space; `rest` is not empty.
fn read_clause(rest: &str) -> (Clause, &str) {
    let mut letters = rest.char_indices();
    if letters.next().is_some_and(|(_, first)| is_quote(first))
        && let Some((start, _)) = letters.clone().next()
        && let Some((end, quote)) = letters.find(|(_, letter)| is_quote(*letter))
    {
        return (Clause::Phrase(words_at_zero(&rest[start..end])), &rest[end + quote.len_utf8()..]);
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let typed = &rest[..end];
    (Clause::Words { typed: typed.to_lowercase(), words: words_at_zero(typed) }, &rest[end..])
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '„' | '“' | '”' | '«' | '»')
}

/// The words of a clause; where they stood in the query does not matter.
fn words_at_zero(text: &str) -> Vec<Word> {
    words(text).into_iter().map(|word| Word { start: 0, end: 0, ..word }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(clauses: &[Clause]) -> Vec<String> {
        let spell =
            |words: &[Word]| words.iter().map(|word| word.lower.as_str()).collect::<Vec<_>>().join(" ");
        clauses
            .iter()
            .map(|clause| match clause {
                Clause::Words { words, .. } => spell(words),
                Clause::Phrase(words) => format!("\"{}\"", spell(words)),
            })
            .collect()
    }

    fn check(text: &str, wanted: &[&str], excluded: &[&str]) {
        let demands = parse(text);
        assert_eq!(shown(&demands.wanted), wanted, "wanted by `{text}`");
        assert_eq!(shown(&demands.excluded), excluded, "excluded by `{text}`");
    }

    #[test]
    fn a_text_is_cut_into_words_phrases_and_exclusions() {
        check("Bäume Soest", &["bäume", "soest"], &[]);
        check("\"Stadt Soest\" -Müll", &["\"stadt soest\""], &["müll"]);
        check("„Stadt Soest“ –\"alte Bäume\"", &["\"stadt soest\""], &["\"alte bäume\""]);
        check("E-Bike", &["e bike"], &[]);
        check("Baum Baum", &["baum"], &[]);
    }

    #[test]
    fn what_makes_no_sense_is_read_as_words() {
        check("\"offen bleibt", &["offen", "bleibt"], &[]);
        check("- -- --x \" \"\" + * ( )", &["x"], &[]);
        check("Straße - Wege", &["straße", "wege"], &[]);
        check("", &[], &[]);
        check("a\"b\"c", &["a b c"], &[]);
    }

    #[test]
    fn a_query_beyond_a_bound_is_refused_with_the_bound() {
        let query = |text: String| SearchQuery { text, ..SearchQuery::default() };
        assert_eq!(query("ü".repeat(513)).demands(), Err(QueryError::TooLong { chars: 513 }));
        assert!(query("ü".repeat(512)).demands().is_ok());
        let many = |count| (0..count).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(query(many(25)).demands(), Err(QueryError::TooManyWords { words: 25 }));
        assert!(query(many(24)).demands().is_ok());
        let far = SearchQuery { offset: 9_990, limit: 11, ..SearchQuery::default() };
        assert_eq!(far.demands(), Err(QueryError::PageTooFar { offset: 9_990, limit: 11 }));
        let far = SearchQuery { offset: usize::MAX, limit: 20, ..SearchQuery::default() };
        assert!(far.demands().unwrap_err().to_string().contains("10000"));
    }
}
