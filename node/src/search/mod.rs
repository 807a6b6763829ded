//! Full-text search with facets over the records of a node; alone in naming tantivy.
//!
//! A [`SearchIndex`] is derived: it stores the position in the changes it has reached, is brought
//! up to date with [`SearchIndex::apply`], and is made anew with [`SearchIndex::begin_rebuild`]
//! when it is missing, damaged or of another format. What [`SearchIndex::apply`] was given is
//! found by every search that starts after it returned.
//!
//! ```text
//! SearchChange ──> SearchIndex ──> SearchResults: hits, total, facet counts
//! ```
//!
//! Records of different audiences belong in different indexes: how rare a word is decides about
//! the order of hits and about tolerance for typing errors, so a closed record in the index of the
//! public would be felt there. Staff search several indexes at once with [`search_merged`].
//!
//! # What finds what
//!
//! Every word of a query must be found in a record, in any of its texts, in this order of weight:
//! title, keywords, the parts of a compound there ("Kataster" finds "Baumkataster"), publisher and
//! department, description. Forms of a word find each other ("Bäume", "Baum"), so do spellings
//! ("Straße", "strasse"; "Müll", "muell"), and the start of a word finds the whole ("spielpl").
//! A word that hardly any record contains is also searched with typing errors (one from 5 letters,
//! two from 9) and inside words, below all exact hits. `"…"` asks for words in this order, `-word`
//! excludes. If no record contains all words, those with the most of them are shown
//! ([`SearchResults::relaxed`]).
//!
//! Programs ask with an [`Expression`] over named fields instead ([`SearchIndex::select`]): exact,
//! without tolerance, and paged to the end of the catalog.
//!
//! # Invariants
//!
//! - Nothing here is durable and nothing waits for the disk; damage means a rebuild, not a failure.
//! - No text of a reader fails or panics; what is too long is refused with the bound it exceeds.
//! - Equal records give equal results on every node, whatever order they were indexed in.

mod analysis;
mod collect;
mod compile;
mod compounds;
mod condition;
mod directory;
mod expression;
mod facets;
mod fields;
mod folding;
mod generations;
mod highlight;
mod index;
mod matching;
mod merging;
mod query;
mod rank;
mod rebuild;
mod run;
mod select;
mod shape;
mod statistics;
mod terms;
mod tolerance;
mod wording;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use wording::{Wordform, Wording};

pub use condition::{Area, CONDITION_DEPTH_MAX, CONDITIONS_MAX, Condition, Span};
pub use expression::{
    EXPRESSION_DEPTH_MAX, EXPRESSION_PARTS_MAX, Expression, MomentField, NamedField, PATTERN_BYTES_MAX,
    PATTERN_STRETCHES_MAX, PATTERNS_MAX, Pattern, PatternPiece, VALUE_BYTES_MAX,
};
pub use folding::{Fit, Folding};
pub use index::{ApplyError, OpenOutcome, OpenSearchError, RebuildReason, SearchIndex};
pub use query::{
    FILTER_VALUES_MAX, PAGE_END_MAX, QUERY_CHARS_MAX, QUERY_WORDS_MAX, QueryError, SearchQuery, Sort,
};
pub use rebuild::{Rebuild, RebuildError};
pub use run::{SearchError, search_merged};
pub use select::{SelectQuery, Selection};
pub use shape::{Position, Shape};

/// A record as it is searched: one dataset of one town, flat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchRecord {
    /// Unique in the index: the document's id, or a local id.
    pub key: String,
    /// The dataset's UUID.
    pub id: String,
    /// `dct:identifier`.
    pub identifier: String,
    /// Further identifiers, which find it as well.
    pub other_identifiers: Vec<String>,
    /// The town's key (AGS).
    pub town: String,
    /// German title.
    pub title_de: String,
    /// English title, or empty.
    pub title_en: String,
    /// German description.
    pub description_de: String,
    /// English description, or empty.
    pub description_en: String,
    /// Keywords.
    pub keywords: Vec<String>,
    /// Codes of the EU data themes.
    pub themes: Vec<String>,
    /// The municipal domain.
    pub domain: Option<String>,
    /// The department in charge.
    pub department: String,
    /// The publisher's name; contains the town's name, by which readers search.
    pub publisher: String,
    /// Formats of the distributions.
    pub formats: Vec<String>,
    /// IRI of the licence.
    pub licence: Option<String>,
    /// Code of the update frequency.
    pub frequency: Option<String>,
    /// open, shared or closed.
    pub class: String,
    /// Where the record is in its life cycle.
    pub status: String,
    /// When the record was last changed, in seconds since 1970.
    pub modified: Option<i64>,
    /// When the record was published, in seconds since 1970.
    pub issued: Option<i64>,
    /// Where the data lie.
    pub area: Option<Area>,
    /// The days that the data describe.
    pub span: Span,
    /// The dataset's IRI. As all below, it is searched by and not given back.
    #[serde(skip)]
    pub iri: String,
    /// Name of the role or office to ask.
    #[serde(skip)]
    pub contact: String,
    /// Its mailbox.
    #[serde(skip)]
    pub mailbox: String,
    /// The distributions.
    #[serde(skip)]
    pub distributions: Vec<SearchDistribution>,
}

/// A distribution as it is searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchDistribution {
    /// Its UUID (`crdt::catalog::Distribution::uuid`).
    pub id: String,
    /// Its title in all languages.
    pub title: String,
    /// Where it can be got.
    pub urls: Vec<String>,
}

impl SearchRecord {
    /// The German title, or else the English one.
    fn any_title(&self) -> &str {
        if self.title_de.is_empty() { &self.title_en } else { &self.title_de }
    }

    fn facet_values(&self, facet: Facet) -> impl Iterator<Item = &str> {
        let (one, many): (Option<&str>, &[String]) = match facet {
            Facet::Town => (Some(&self.town), &[]),
            Facet::Theme => (None, &self.themes),
            Facet::Domain => (self.domain.as_deref(), &[]),
            Facet::Format => (None, &self.formats),
            Facet::Licence => (self.licence.as_deref(), &[]),
            Facet::Class => (Some(&self.class), &[]),
            Facet::Frequency => (self.frequency.as_deref(), &[]),
            Facet::Status => (Some(&self.status), &[]),
            Facet::Keyword => (None, &self.keywords),
        };
        one.into_iter().chain(many.iter().map(String::as_str))
    }
}

/// What happened to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all changes put a record")]
pub enum SearchChange {
    /// It is new, or replaces the one of the same key.
    Put(SearchRecord),
    /// It is gone.
    Remove {
        /// The record's [`SearchRecord::key`].
        key: String,
    },
}

/// A property that results are counted and filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// The town's key (AGS).
    Town,
    /// EU data theme.
    Theme,
    /// Municipal domain.
    Domain,
    /// Format of a distribution.
    Format,
    /// Licence.
    Licence,
    /// open, shared or closed.
    Class,
    /// Update frequency.
    Frequency,
    /// Life cycle.
    Status,
    /// Keyword, in any language.
    Keyword,
}

impl Facet {
    /// All facets.
    pub const ALL: [Facet; 9] = [
        Facet::Town,
        Facet::Theme,
        Facet::Domain,
        Facet::Format,
        Facet::Licence,
        Facet::Class,
        Facet::Frequency,
        Facet::Status,
        Facet::Keyword,
    ];

    /// Those that a [`SearchQuery`] counts, in the order they are shown.
    pub const SHOWN: [Facet; 8] = [
        Facet::Town,
        Facet::Theme,
        Facet::Domain,
        Facet::Format,
        Facet::Licence,
        Facet::Class,
        Facet::Frequency,
        Facet::Status,
    ];

    /// The name used in the API.
    pub fn name(self) -> &'static str {
        match self {
            Facet::Town => "town",
            Facet::Theme => "theme",
            Facet::Domain => "domain",
            Facet::Format => "format",
            Facet::Licence => "licence",
            Facet::Class => "class",
            Facet::Frequency => "frequency",
            Facet::Status => "status",
            Facet::Keyword => "keyword",
        }
    }
}

/// Chosen values by facet.
pub type Filters = BTreeMap<Facet, Vec<String>>;

/// Most values of one facet in a result; further ones are left out, the rarest first.
pub const FACET_VALUES_MAX: usize = 500;

/// How many records of the result have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetCount {
    /// The value as it was indexed.
    pub value: String,
    /// How many records have it.
    pub count: u64,
}

/// A piece of a text, not escaped for any markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The piece.
    pub text: String,
    /// Whether it is what was searched for.
    pub marked: bool,
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchHit {
    /// The record as it was indexed.
    pub record: SearchRecord,
    /// How well it matches; comparable within one result only.
    pub score: f32,
    /// The German title in pieces; empty unless highlighting was asked for.
    pub title_de: Vec<Fragment>,
    /// The English title in pieces; empty unless highlighting was asked for.
    pub title_en: Vec<Fragment>,
    /// The telling stretch of the description; empty unless highlighting was asked for.
    pub excerpt_de: Vec<Fragment>,
    /// The telling stretch of the English description; empty unless highlighting was asked for.
    pub excerpt_en: Vec<Fragment>,
}

/// The answer to a [`SearchQuery`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchResults {
    /// How many records match, filters included.
    pub total: u64,
    /// The page that was asked for.
    pub hits: Vec<SearchHit>,
    /// Counts over the whole result, most frequent first.
    ///
    /// A facet's own filter does not narrow its own counts: a reader who chose one town still sees
    /// what choosing another one as well would add.
    pub facets: BTreeMap<Facet, Vec<FacetCount>>,
    /// No record contains all words; these contain some.
    pub relaxed: bool,
    /// The words that were searched with typing errors, as they were typed.
    pub tolerated: Vec<String>,
}
