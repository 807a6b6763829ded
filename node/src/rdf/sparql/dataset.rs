//! The graph store as the evaluator asks it.
//!
//! A stored term is its number; only what is shown or calculated with is read.
//! The default graph is the union of the graphs chosen for it, each triple
//! once: quads of one triple follow one another in every order.

use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use oxrdf::{Literal, Term};
use spareval::{ExpressionTerm, InternalQuad, QueryableDataset};

use super::budget::Budget;
use crate::rdf::term::{decode, encode};
use crate::store::{GraphRange, GraphSnapshot, TermId};

/// One moment of the graph, as one query sees it.
pub(super) struct View {
    pub(super) snapshot: Rc<GraphSnapshot>,
    /// Graphs of the default graph; all if none are chosen.
    pub(super) default: Option<Rc<[TermId]>>,
    /// Graphs that can be named; all if none are chosen.
    pub(super) named: Option<Rc<[TermId]>>,
    pub(super) budget: Rc<Budget>,
}

/// A term within a query.
pub(super) struct GraphTerm {
    which: Which,
    budget: Rc<Budget>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Which {
    Stored(TermId),
    /// One that no record uses.
    Made(Rc<Made>),
}

struct Made {
    term: Term,
    bytes: usize,
    budget: Rc<Budget>,
}

impl PartialEq for Made {
    fn eq(&self, other: &Self) -> bool {
        self.term == other.term
    }
}

impl Eq for Made {}

impl Hash for Made {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.term.hash(state);
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.budget.dropped(self.bytes);
    }
}

impl Clone for GraphTerm {
    fn clone(&self) -> Self {
        self.budget.step();
        Self { which: self.which.clone(), budget: Rc::clone(&self.budget) }
    }
}

impl PartialEq for GraphTerm {
    fn eq(&self, other: &Self) -> bool {
        self.budget.step();
        self.which == other.which
    }
}

impl Eq for GraphTerm {}

impl Hash for GraphTerm {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.budget.step();
        self.which.hash(state);
    }
}

impl View {
    fn stored(&self, id: TermId) -> GraphTerm {
        GraphTerm { which: Which::Stored(id), budget: Rc::clone(&self.budget) }
    }

    fn term_of(&self, term: GraphTerm) -> Term {
        self.budget.step();
        match &term.which {
            Which::Made(made) => made.term.clone(),
            Which::Stored(id) => {
                let read = self.snapshot.term(*id, |bytes| (bytes.len(), decode(bytes)));
                let (bytes, term) = self.budget.stored(read).unwrap_or_default();
                self.budget.read(bytes);
                term.unwrap_or_else(|| Literal::new_simple_literal("").into())
            }
        }
    }
}

impl QueryableDataset<'static> for View {
    type InternalTerm = GraphTerm;
    /// A graph that cannot be read ends the query as a spent budget does: the
    /// evaluator takes an error inside an expression for an unbound value.
    type Error = Infallible;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&GraphTerm>,
        predicate: Option<&GraphTerm>,
        object: Option<&GraphTerm>,
        graph_name: Option<Option<&GraphTerm>>,
    ) -> impl Iterator<Item = Result<InternalQuad<GraphTerm>, Infallible>> + use<> {
        self.budget.step();
        let mut pattern = [None; 3];
        for (id, term) in pattern.iter_mut().zip([subject, predicate, object]) {
            match term.map(|term| &term.which) {
                Some(Which::Made(_)) => return Quads::none(&self.budget),
                Some(Which::Stored(stored)) => *id = Some(*stored),
                None => {}
            }
        }
        let graphs = match graph_name {
            Some(None) => Graphs::Union { chosen: self.default.clone(), last: None },
            None => Graphs::Named { chosen: self.named.clone() },
            Some(Some(GraphTerm { which: Which::Stored(id), .. })) => {
                if self.named.as_ref().is_some_and(|named| !named.contains(id)) {
                    return Quads::none(&self.budget);
                }
                Graphs::Named { chosen: Some([*id].into()) }
            }
            Some(Some(_)) => return Quads::none(&self.budget),
        };
        let range = self.budget.stored(self.snapshot.quads(pattern));
        Quads { range, graphs, budget: Rc::clone(&self.budget) }
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<GraphTerm, Infallible>> + use<> {
        let held = self.budget.stored(self.snapshot.graphs()).unwrap_or_default();
        let chosen = held.into_iter().filter(|id| self.named.as_ref().is_none_or(|named| named.contains(id)));
        chosen.map(|id| Ok(self.stored(id))).collect::<Vec<_>>().into_iter()
    }

    fn contains_internal_graph_name(&self, graph_name: &GraphTerm) -> Result<bool, Infallible> {
        Ok(self.internal_named_graphs().any(|graph| graph.is_ok_and(|graph| graph == *graph_name)))
    }

    fn internalize_term(&self, term: Term) -> Result<GraphTerm, Infallible> {
        self.budget.step();
        let bytes = encode(&term);
        let known = self.budget.stored(self.snapshot.id(&bytes)).flatten();
        Ok(known.map_or_else(
            || {
                let (bytes, budget) = (bytes.len(), Rc::clone(&self.budget));
                let made = Rc::new(Made { term, bytes, budget });
                self.budget.made(bytes);
                GraphTerm { which: Which::Made(made), budget: Rc::clone(&self.budget) }
            },
            |id| self.stored(id),
        ))
    }

    fn externalize_term(&self, term: GraphTerm) -> Result<Term, Infallible> {
        Ok(self.term_of(term))
    }

    fn externalize_expression_term(&self, term: GraphTerm) -> Result<ExpressionTerm, Infallible> {
        Ok(self.term_of(term).into())
    }
}

/// The quads of one pattern in the graphs asked for.
struct Quads {
    range: Option<GraphRange>,
    graphs: Graphs,
    budget: Rc<Budget>,
}

enum Graphs {
    /// As triples of the default graph.
    Union { chosen: Option<Rc<[TermId]>>, last: Option<[TermId; 3]> },
    /// As quads.
    Named { chosen: Option<Rc<[TermId]>> },
}

impl Quads {
    fn none(budget: &Rc<Budget>) -> Self {
        Self { range: None, graphs: Graphs::Named { chosen: None }, budget: Rc::clone(budget) }
    }
}

impl Iterator for Quads {
    type Item = Result<InternalQuad<GraphTerm>, Infallible>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.budget.step();
            let [s, p, o, graph] = self.budget.stored(self.range.as_mut()?.next()?)?;
            let chosen = match &self.graphs {
                Graphs::Union { chosen, .. } | Graphs::Named { chosen } => chosen,
            };
            if chosen.as_ref().is_some_and(|chosen| !chosen.contains(&graph)) {
                continue;
            }
            let term = |id| GraphTerm { which: Which::Stored(id), budget: Rc::clone(&self.budget) };
            let graph_name = match &mut self.graphs {
                Graphs::Named { .. } => Some(term(graph)),
                Graphs::Union { last, .. } => {
                    if *last == Some([s, p, o]) {
                        continue;
                    }
                    *last = Some([s, p, o]);
                    None
                }
            };
            let (subject, predicate, object) = (term(s), term(p), term(o));
            return Some(Ok(InternalQuad { subject, predicate, object, graph_name }));
        }
    }
}
