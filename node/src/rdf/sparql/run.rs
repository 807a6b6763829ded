//! Reads a query, evaluates it, and writes its answer.

use std::collections::BTreeSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use oxrdf::{NamedNode, Term};
use sparesults::{QueryResultsFormat, QueryResultsSerializer};
use spareval::{QueryDatasetSpecification, QueryEvaluationError, QueryEvaluator, QueryResults};
use spargebra::{Query, SparqlParser};

use super::budget::{Budget, Ended, Halt};
use super::dataset::View;
use super::guard::{Facts, check_brackets, look_through};
use super::{
    ANSWER_BYTES_MAX, Costly, QUERY_BYTES_MAX, QUERY_TIME_MAX, ROWS_MAX, STACK_BYTES, SolutionsFormat,
    SparqlAnswer, SparqlError, SparqlRequest,
};
use crate::rdf::{RdfForm, encode};
use crate::store::{GraphSnapshot, TermId};

/// Characters of what a parser would have expected that are shown.
const EXPECTED_CHARS_MAX: usize = 400;

/// What the parser would also take, but nobody should be told to write here.
const NOT_HERE: [&str; 3] = ["LATERAL", "SERVICE", "[_]"];

/// Answers a query on a thread of its own and waits for it.
pub(crate) fn answer(snapshot: GraphSnapshot, request: &SparqlRequest) -> Result<SparqlAnswer, SparqlError> {
    if request.query.len() > QUERY_BYTES_MAX {
        return Err(SparqlError::TooLong { found: request.query.len() });
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("sparql".into()).stack_size(STACK_BYTES);
        let run = thread.spawn_scoped(scope, || evaluate(snapshot, request));
        let run = run.map_err(|error| {
            tracing::error!(%error, "no thread for a query");
            SparqlError::Busy
        })?;
        run.join().unwrap_or(Err(SparqlError::Fault))
    })
}

fn evaluate(snapshot: GraphSnapshot, request: &SparqlRequest) -> Result<SparqlAnswer, SparqlError> {
    let deadline = Instant::now() + QUERY_TIME_MAX;
    let query = parse(&request.query)?;
    let facts = look_through(&query)?;
    let form = Form::of(&query, request)?;
    let view = view(snapshot, &query, request, &facts, deadline)?;
    let budget = Rc::clone(&view.budget);
    let answered = catch_unwind(AssertUnwindSafe(|| {
        let evaluator = QueryEvaluator::new();
        let mut prepared = evaluator.prepare(&query);
        // Which graphs count is decided by the view.
        *prepared.dataset_mut() = QueryDatasetSpecification::new();
        write(prepared.execute(view).map_err(evaluation_error)?, form)
    }));
    match (answered, budget.ended()) {
        (_, Some(Ended::Costly(costly))) => Err(SparqlError::Costly(costly)),
        (_, Some(Ended::Abandoned)) => Err(SparqlError::Abandoned),
        (_, Some(Ended::Store(error))) => Err(error.into()),
        (Ok(answer), None) => answer,
        (Err(panic), None) => {
            debug_assert!(!panic.is::<Halt>(), "a halt has its reason");
            tracing::error!(query = request.query, "the evaluator of queries panicked");
            Err(SparqlError::Fault)
        }
    }
}

/// Reads a query.
pub(super) fn parse(text: &str) -> Result<Query, SparqlError> {
    check_brackets(text)?;
    let error = match SparqlParser::new().parse_query(text) {
        Ok(query) => return Ok(query),
        Err(error) => error.to_string(),
    };
    if SparqlParser::new().parse_update(text).is_ok() {
        return Err(SparqlError::Update);
    }
    Err(placed(&error).unwrap_or(SparqlError::Malformed(error)))
}

/// The parser's sentence, `error at LINE:COLUMN: expected WHAT`, in parts.
fn placed(message: &str) -> Option<SparqlError> {
    let (place, expected) = message.strip_prefix("error at ")?.split_once(": expected ")?;
    let (line, column) = place.split_once(':')?;
    let tokens = expected.strip_prefix("one of ").unwrap_or(expected).split(", ");
    let right: Vec<&str> = tokens.filter(|token| !NOT_HERE.contains(token)).collect();
    let mut shown: String = match right.as_slice() {
        [] => "whole triples (subject, predicate, object) and closed brackets up to there".to_owned(),
        right => right.join(", "),
    };
    if let Some((end, _)) = shown.char_indices().nth(EXPECTED_CHARS_MAX) {
        shown.truncate(end);
        shown.push('…');
    }
    Some(SparqlError::Syntax { line: line.parse().ok()?, column: column.parse().ok()?, expected: shown })
}

fn view(
    snapshot: GraphSnapshot,
    query: &Query,
    request: &SparqlRequest,
    facts: &Facts,
    deadline: Instant,
) -> Result<View, SparqlError> {
    let (mut default, mut named) = (request.default_graphs.clone(), request.named_graphs.clone());
    if let Some(dataset) = query.dataset().filter(|_| default.is_empty() && named.is_empty()) {
        default = dataset.default.iter().map(|graph| graph.as_str().to_owned()).collect();
        let given = dataset.named.iter().flatten();
        named = given.map(|graph| graph.as_str().to_owned()).collect();
    }
    let chosen = !default.is_empty() || !named.is_empty();
    let ids = |names: Vec<String>| -> Result<Option<Rc<[TermId]>>, SparqlError> {
        let held: BTreeSet<TermId> = snapshot.graphs()?.into_iter().collect();
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            let known = snapshot.id(&encode(&Term::from(NamedNode::new_unchecked(&name))))?;
            ids.push(known.filter(|id| held.contains(id)).ok_or(SparqlError::UnknownGraph(name))?);
        }
        Ok(chosen.then(|| ids.into()))
    };
    let (default, named) = (ids(default)?, ids(named)?);
    let budget = Budget::new(deadline, request.abandoned.clone(), facts.variables, facts.collects);
    Ok(View { snapshot: Rc::new(snapshot), default, named, budget })
}

fn evaluation_error(error: QueryEvaluationError) -> SparqlError {
    match error {
        QueryEvaluationError::UnsupportedCustomFunction(name) => {
            SparqlError::UnknownFunction(name.into_string())
        }
        QueryEvaluationError::UnsupportedService(_)
        | QueryEvaluationError::Service(_)
        | QueryEvaluationError::UnboundService
        | QueryEvaluationError::InvalidServiceName(_) => SparqlError::Service,
        other => SparqlError::Malformed(other.to_string()),
    }
}

/// In which form the answer goes out.
#[derive(Debug, Clone, Copy)]
struct Form {
    solutions: SolutionsFormat,
    triples: RdfForm,
}

impl Form {
    fn of(query: &Query, request: &SparqlRequest) -> Result<Self, SparqlError> {
        let asks_triples = matches!(query, Query::Construct { .. } | Query::Describe { .. });
        let acceptable = if asks_triples { request.triples.is_some() } else { request.solutions.is_some() };
        if !acceptable {
            let offered = if asks_triples {
                RdfForm::ALL.map(RdfForm::media_type).to_vec()
            } else {
                SolutionsFormat::ALL.map(SolutionsFormat::media_type).to_vec()
            };
            return Err(SparqlError::NotAcceptable { offered });
        }
        Ok(Self {
            solutions: request.solutions.unwrap_or(SolutionsFormat::Json),
            triples: request.triples.unwrap_or(RdfForm::Turtle),
        })
    }
}

fn write(results: QueryResults<'_>, form: Form) -> Result<SparqlAnswer, SparqlError> {
    let serializer = QueryResultsSerializer::from_format(match form.solutions {
        SolutionsFormat::Json => QueryResultsFormat::Json,
        SolutionsFormat::Xml => QueryResultsFormat::Xml,
        SolutionsFormat::Csv => QueryResultsFormat::Csv,
        SolutionsFormat::Tsv => QueryResultsFormat::Tsv,
    });
    let media_type = form.solutions.media_type();
    let failed = |error: io::Error| write_error(&error, media_type);
    match results {
        QueryResults::Boolean(value) => {
            let body = serializer.serialize_boolean_to_writer(Bounded::default(), value).map_err(failed)?;
            Ok(SparqlAnswer { media_type, body: body.bytes })
        }
        QueryResults::Solutions(solutions) => {
            let variables = solutions.variables().to_vec();
            let mut writer =
                serializer.serialize_solutions_to_writer(Bounded::default(), variables).map_err(failed)?;
            for (row, solution) in solutions.enumerate() {
                if row == ROWS_MAX {
                    return Err(SparqlError::Costly(Costly::Rows));
                }
                writer.serialize(&solution.map_err(evaluation_error)?).map_err(failed)?;
            }
            Ok(SparqlAnswer { media_type, body: writer.finish().map_err(failed)?.bytes })
        }
        QueryResults::Graph(triples) => {
            let triples = triples.map(|triple| triple.map_err(evaluation_error));
            write_triples(triples, form.triples)
        }
    }
}

/// Writes triples in one form.
pub(super) fn write_triples(
    triples: impl Iterator<Item = Result<oxrdf::Triple, SparqlError>>,
    format: RdfForm,
) -> Result<SparqlAnswer, SparqlError> {
    let media_type = format.media_type();
    let failed = |error: io::Error| write_error(&error, media_type);
    let mut writer = format.serializer().for_writer(Bounded::default());
    for (row, triple) in triples.enumerate() {
        if row == ROWS_MAX {
            return Err(SparqlError::Costly(Costly::Rows));
        }
        let triple = triple?;
        if format == RdfForm::RdfXml && !has_local_name(triple.predicate.as_str()) {
            let detail = format!("the property `{}` does not end in an XML name", triple.predicate.as_str());
            return Err(SparqlError::NotExpressible { media_type, detail });
        }
        writer.serialize_triple(&triple).map_err(failed)?;
    }
    Ok(SparqlAnswer { media_type, body: writer.finish().map_err(failed)?.bytes })
}

/// Whether an IRI ends in a name that an XML element can have (RDF 1.1 XML
/// Syntax, section 2.2); those that this leaves out are rare letters.
fn has_local_name(iri: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let begins = |c: char| c.is_alphabetic() || c == '_';
    iri.chars().rev().take_while(|c| in_name(*c)).any(begins)
}

fn write_error(error: &io::Error, media_type: &'static str) -> SparqlError {
    match error.kind() {
        io::ErrorKind::StorageFull => SparqlError::Costly(Costly::Bytes),
        _ => SparqlError::NotExpressible { media_type, detail: error.to_string() },
    }
}

/// An answer that grows up to [`ANSWER_BYTES_MAX`].
#[derive(Debug, Default)]
struct Bounded {
    bytes: Vec<u8>,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > ANSWER_BYTES_MAX {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
