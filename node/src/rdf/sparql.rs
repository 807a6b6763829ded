//! SPARQL 1.1 queries over the graph of the open catalog.
//!
//! A query is read, looked through, and evaluated on a thread of its own, in
//! one snapshot and within the limits below; its answer comes whole or not at
//! all. It reads what the node holds and nothing else: no `SERVICE`, no graph
//! from elsewhere, no change.

mod budget;
mod dataset;
mod description;
mod guard;
mod run;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod w3c;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::RdfForm;
use crate::store::ReadStoreError;

pub(crate) use description::description;
pub(crate) use run::answer;

/// Longest query in bytes.
pub const QUERY_BYTES_MAX: usize = 32 * 1024;
/// Longest time a query is evaluated.
pub const QUERY_TIME_MAX: Duration = Duration::from_secs(5);
/// Most solutions or triples of an answer.
pub const ROWS_MAX: usize = 100_000;
/// Longest answer in bytes.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Memory that the solutions a query keeps (sorted, grouped, joined) may take, in bytes.
pub const MEMORY_BYTES_MAX: usize = 192 * 1024 * 1024;
/// Memory that the texts a query makes or collects may take, in bytes.
pub const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest text that a query may bind, in bytes; twice what the catalog allows.
pub const TERM_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most variables of a query, its blank nodes counted.
pub const VARIABLES_MAX: usize = 64;
/// Most parts of a query: patterns, triples of patterns, operators, functions.
pub const PARTS_MAX: usize = 800;
/// Most triples in the patterns of a query.
pub const TRIPLES_MAX: usize = 100;
/// What the brackets of a query may cost to read: each counts twice as much as
/// the one around it, because the parser tries what is inside twice.
const BRACKETS_COST_MAX: u64 = 1 << 17;
/// Most solutions without any binding that a part of a query may have.
const EMPTY_SOLUTIONS_MAX: u64 = 100_000;
/// Stack of a query's thread in bytes: the deepest query that fits
/// [`QUERY_BYTES_MAX`] is read and evaluated by recursion.
const STACK_BYTES: usize = 512 * 1024 * 1024;

/// A form of solutions (`SELECT`) and of yes or no (`ASK`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SolutionsFormat {
    /// SPARQL 1.1 Query Results JSON Format.
    Json,
    /// SPARQL Query Results XML Format.
    Xml,
    /// SPARQL 1.1 Query Results CSV.
    Csv,
    /// SPARQL 1.1 Query Results TSV.
    Tsv,
}

impl SolutionsFormat {
    /// All, the preferred one first.
    pub const ALL: [Self; 4] = [Self::Json, Self::Xml, Self::Csv, Self::Tsv];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/sparql-results+json",
            Self::Xml => "application/sparql-results+xml",
            Self::Csv => "text/csv",
            Self::Tsv => "text/tab-separated-values",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct SparqlRequest {
    /// The query.
    pub query: String,
    /// Graphs whose union is the default graph; replaces `FROM`.
    pub default_graphs: Vec<String>,
    /// Graphs that can be named; replaces `FROM NAMED`.
    pub named_graphs: Vec<String>,
    /// The form of solutions; `None` if the client takes none.
    pub solutions: Option<SolutionsFormat>,
    /// The form of triples; `None` if the client takes none.
    pub triples: Option<RdfForm>,
    /// Set when nobody waits for the answer any more.
    pub abandoned: Arc<AtomicBool>,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparqlAnswer {
    /// Media type.
    pub media_type: &'static str,
    /// The answer in that form.
    pub body: Vec<u8>,
}

/// What a query had too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Costly {
    /// [`QUERY_TIME_MAX`].
    Time,
    /// [`MEMORY_BYTES_MAX`].
    Memory,
    /// [`TEXT_BYTES_MAX`] or [`TERM_TEXT_BYTES_MAX`].
    Text,
    /// Solutions that bind nothing.
    EmptySolutions,
    /// [`ROWS_MAX`].
    Rows,
    /// [`ANSWER_BYTES_MAX`].
    Bytes,
}

impl fmt::Display for Costly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time => write!(f, "more than {} s", QUERY_TIME_MAX.as_secs()),
            Self::Memory => write!(f, "more than {} MiB for its solutions", MEMORY_BYTES_MAX >> 20),
            Self::Text => write!(f, "more than {} MiB of text", TEXT_BYTES_MAX >> 20),
            Self::EmptySolutions => f.write_str("too many solutions that bind no variable"),
            Self::Rows => write!(f, "more than {ROWS_MAX} results"),
            Self::Bytes => write!(f, "more than {} MiB of answer", ANSWER_BYTES_MAX >> 20),
        }
    }
}

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SparqlError {
    /// The query is longer than [`QUERY_BYTES_MAX`].
    #[error("read a query of {found} bytes: at most {QUERY_BYTES_MAX} are read")]
    TooLong {
        /// Its length in bytes.
        found: usize,
    },
    /// It is no SPARQL 1.1 query.
    #[error("read the query at line {line}, column {column}: expected {expected}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What would be right there.
        expected: String,
    },
    /// It breaks a rule that has no single place.
    #[error("read the query: {0}")]
    Malformed(String),
    /// It is an update.
    #[error("change the catalog by SPARQL: only queries are answered")]
    Update,
    /// It asks another endpoint.
    #[error("ask another endpoint with `SERVICE`: only what this node holds is queried")]
    Service,
    /// It names a graph that is not here.
    #[error("query graph `{0}`: it is not held here and none is fetched")]
    UnknownGraph(String),
    /// It has more variables than [`VARIABLES_MAX`].
    #[error("evaluate {found} variables: at most {VARIABLES_MAX} are")]
    TooManyVariables {
        /// How many.
        found: usize,
    },
    /// Its brackets lie too deep in one another.
    #[error("read the query: its round brackets lie too deep in one another")]
    TooDeep,
    /// It has more parts than [`PARTS_MAX`] or more triples than [`TRIPLES_MAX`].
    #[error(
        "evaluate the query: of its {parts} parts at most {PARTS_MAX}, and of its {triples} triple patterns at most {TRIPLES_MAX}, are evaluated"
    )]
    TooManyParts {
        /// How many parts.
        parts: usize,
        /// How many triple patterns.
        triples: usize,
    },
    /// It calls a function that is not known.
    #[error("call the function `{0}`: it is not known here")]
    UnknownFunction(String),
    /// It needs more than it may have.
    #[error("evaluate the query: it needs {0}")]
    Costly(Costly),
    /// The client takes no form that the answer has.
    #[error("answer in a form the client takes: {} are there", .offered.join(", "))]
    NotAcceptable {
        /// Media types of the forms that there are.
        offered: Vec<&'static str>,
    },
    /// The answer cannot be written in that form.
    #[error("write the answer as `{media_type}`: {detail}")]
    NotExpressible {
        /// The form.
        media_type: &'static str,
        /// Why.
        detail: String,
    },
    /// The graph is being made.
    #[error("query the graph: it is being made; ask again in {retry_s} s")]
    Rebuilding {
        /// When to ask again, in seconds.
        retry_s: u32,
    },
    /// Too many queries are being evaluated.
    #[error("evaluate the query: too many others are being evaluated")]
    Busy,
    /// Nobody waits for the answer.
    #[error("answer: nobody waits for it any more")]
    Abandoned,
    /// The graph could not be read.
    #[error("read the graph: {0}")]
    Store(String),
    /// A fault of the evaluator; the log knows more.
    #[error("evaluate the query: the evaluator has failed")]
    Fault,
}

impl From<ReadStoreError> for SparqlError {
    fn from(error: ReadStoreError) -> Self {
        Self::Store(error.to_string())
    }
}
