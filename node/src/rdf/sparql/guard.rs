//! What can be said of a query before it runs: what it may not ask, and what
//! no budget could stop in time.
//!
//! Two things happen inside the evaluator without touching a term: solutions
//! that bind nothing are multiplied, and texts are put together within one
//! expression. Both have an upper bound that the query's form gives away. And
//! parser and optimiser take more than linear time, so that brackets and parts
//! are counted before they see them.

use std::collections::BTreeSet;

use spargebra::Query;
use spargebra::algebra::{
    AggregateExpression, AggregateFunction, Expression, Function, GraphPattern, OrderExpression,
    PropertyPathExpression,
};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern, Variable};

use super::{
    BRACKETS_COST_MAX, Costly, EMPTY_SOLUTIONS_MAX, PARTS_MAX, SparqlError, TERM_TEXT_BYTES_MAX,
    TEXT_BYTES_MAX, TRIPLES_MAX, VARIABLES_MAX,
};

/// Bytes that one byte becomes at most in upper case or when encoded for an IRI.
const GROWTH_MAX: u64 = 3;

/// What the budget has to know of a query.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Its variables, blank nodes among them.
    pub(super) variables: usize,
    /// Whether it collects texts (`GROUP_CONCAT`).
    pub(super) collects: bool,
}

/// Refuses a query whose brackets the parser would take too long over.
pub(super) fn check_brackets(text: &str) -> Result<(), SparqlError> {
    let (mut depth, mut cost) = (0_u32, 0_u64);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = match character {
            '#' => after(rest, "\n"),
            '"' | '\'' => after_text(rest),
            '<' => after_iri(rest),
            _ => &rest[character.len_utf8()..],
        };
        match character {
            '(' => {
                depth += 1;
                cost = cost.saturating_add(1_u64.checked_shl(depth).unwrap_or(u64::MAX));
            }
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if cost > BRACKETS_COST_MAX {
            return Err(SparqlError::TooDeep);
        }
    }
    Ok(())
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

/// What follows a literal's text.
fn after_text(text: &str) -> &str {
    let quote = &text[..1];
    let long = quote.repeat(3);
    let end = if text.starts_with(&long) { long.as_str() } else { quote };
    let mut rest = &text[end.len()..];
    loop {
        let Some(character) = rest.chars().next() else { return "" };
        if let Some(rest) = rest.strip_prefix(end) {
            return rest;
        }
        rest = &rest[character.len_utf8()..];
        if character == '\\' {
            rest = rest.chars().next().map_or("", |escaped| &rest[escaped.len_utf8()..]);
        }
    }
}

/// What follows an IRI, or the sign `<` where there is none.
fn after_iri(text: &str) -> &str {
    let no_iri = |character: char| character <= ' ' || "<\"{}|^`\\".contains(character);
    match text[1..].find(|character: char| character == '>' || no_iri(character)) {
        Some(at) => text[1 + at..].strip_prefix('>').unwrap_or(&text[1..]),
        None => &text[1..],
    }
}

/// Looks through a query; refuses what is never answered here.
pub(super) fn look_through(query: &Query) -> Result<Facts, SparqlError> {
    let mut walk = Walk::default();
    let (Query::Select { pattern, .. }
    | Query::Construct { pattern, .. }
    | Query::Describe { pattern, .. }
    | Query::Ask { pattern, .. }) = query;
    walk.pattern(pattern)?;
    if let Query::Construct { template, .. } = query {
        template.iter().for_each(|triple| walk.triple(triple));
    }
    let (parts, triples) = (walk.parts, walk.triples);
    if parts > PARTS_MAX || triples > TRIPLES_MAX {
        return Err(SparqlError::TooManyParts { parts, triples });
    }
    if walk.names.len() > VARIABLES_MAX {
        return Err(SparqlError::TooManyVariables { found: walk.names.len() });
    }
    Ok(Facts { variables: walk.names.len(), collects: walk.collects })
}

/// Refuses a pattern that multiplies solutions which bind nothing.
fn check_empty(pattern: &GraphPattern) -> Result<(), SparqlError> {
    match empty_solutions(pattern) {
        Some(0..=EMPTY_SOLUTIONS_MAX) => Ok(()),
        _ => Err(SparqlError::Costly(Costly::EmptySolutions)),
    }
}

#[derive(Default)]
struct Walk {
    names: BTreeSet<String>,
    collects: bool,
    parts: usize,
    triples: usize,
}

impl Walk {
    fn name(&mut self, variable: &Variable) {
        self.names.insert(variable.as_str().to_owned());
    }

    fn term(&mut self, term: &TermPattern) {
        match term {
            TermPattern::Variable(variable) => self.name(variable),
            TermPattern::BlankNode(node) => {
                self.names.insert(node.to_string());
            }
            TermPattern::NamedNode(_) | TermPattern::Literal(_) => {}
        }
    }

    fn triple(&mut self, triple: &TriplePattern) {
        self.triples += 1;
        self.term(&triple.subject);
        self.named(&triple.predicate);
        self.term(&triple.object);
    }

    fn named(&mut self, name: &NamedNodePattern) {
        if let NamedNodePattern::Variable(variable) = name {
            self.name(variable);
        }
    }

    fn pattern(&mut self, pattern: &GraphPattern) -> Result<(), SparqlError> {
        use GraphPattern as P;
        self.parts += 1;
        match pattern {
            P::Bgp { patterns } => patterns.iter().for_each(|triple| self.triple(triple)),
            P::Path { subject, path, object } => {
                self.term(subject);
                self.path(path);
                self.term(object);
            }
            P::Join { left, right }
            | P::Lateral { left, right }
            | P::Union { left, right }
            | P::Minus { left, right } => {
                self.pattern(left)?;
                self.pattern(right)?;
            }
            P::LeftJoin { left, right, expression } => {
                self.pattern(left)?;
                self.pattern(right)?;
                expression.as_ref().map_or(Ok(()), |expression| self.expression(expression))?;
            }
            P::Filter { expr, inner } => {
                self.expression(expr)?;
                self.pattern(inner)?;
            }
            P::Graph { name, inner } => {
                self.named(name);
                self.pattern(inner)?;
            }
            P::Extend { inner, variable, expression } => {
                self.name(variable);
                self.expression(expression)?;
                self.pattern(inner)?;
            }
            P::Values { variables, .. } => variables.iter().for_each(|variable| self.name(variable)),
            P::OrderBy { inner, expression } => {
                for order in expression {
                    let (OrderExpression::Asc(expression) | OrderExpression::Desc(expression)) = order;
                    self.expression(expression)?;
                }
                self.pattern(inner)?;
            }
            P::Project { inner, variables } => {
                variables.iter().for_each(|variable| self.name(variable));
                check_empty(inner)?;
                self.pattern(inner)?;
            }
            P::Distinct { inner } | P::Reduced { inner } | P::Slice { inner, .. } => self.pattern(inner)?,
            P::Group { inner, variables, aggregates } => {
                variables.iter().for_each(|variable| self.name(variable));
                for (variable, aggregate) in aggregates {
                    self.name(variable);
                    self.aggregate(aggregate)?;
                }
                check_empty(inner)?;
                self.pattern(inner)?;
            }
            P::Service { .. } => return Err(SparqlError::Service),
        }
        Ok(())
    }

    fn path(&mut self, path: &PropertyPathExpression) {
        use PropertyPathExpression as E;
        self.parts += 1;
        match path {
            E::NamedNode(_) | E::NegatedPropertySet(_) => {}
            E::Reverse(inner) | E::ZeroOrMore(inner) | E::OneOrMore(inner) | E::ZeroOrOne(inner) => {
                self.path(inner);
            }
            E::Sequence(one, other) | E::Alternative(one, other) => {
                self.path(one);
                self.path(other);
            }
        }
    }

    fn aggregate(&mut self, aggregate: &AggregateExpression) -> Result<(), SparqlError> {
        if let AggregateExpression::FunctionCall { name, expr, .. } = aggregate {
            self.collects |= matches!(name, AggregateFunction::GroupConcat { .. });
            self.expression(expr)?;
        }
        Ok(())
    }

    fn expression(&mut self, expression: &Expression) -> Result<(), SparqlError> {
        if text_bytes(expression) > TEXT_BYTES_MAX as u64 {
            return Err(SparqlError::Costly(Costly::Text));
        }
        self.inside(expression)
    }

    /// Variables and patterns inside an expression.
    fn inside(&mut self, expression: &Expression) -> Result<(), SparqlError> {
        // Lists of constants may be long.
        self.parts += usize::from(!matches!(expression, Expression::NamedNode(_) | Expression::Literal(_)));
        match expression {
            Expression::Variable(variable) | Expression::Bound(variable) => self.name(variable),
            Expression::Exists(pattern) => {
                check_empty(pattern)?;
                self.pattern(pattern)?;
            }
            _ => {
                for part in parts(expression) {
                    self.inside(part)?;
                }
            }
        }
        Ok(())
    }
}

fn parts(expression: &Expression) -> Vec<&Expression> {
    use Expression as E;
    match expression {
        E::NamedNode(_) | E::Literal(_) | E::Variable(_) | E::Bound(_) | E::Exists(_) => Vec::new(),
        E::UnaryPlus(a) | E::UnaryMinus(a) | E::Not(a) => vec![a],
        E::Or(a, b)
        | E::And(a, b)
        | E::Equal(a, b)
        | E::SameTerm(a, b)
        | E::Greater(a, b)
        | E::GreaterOrEqual(a, b)
        | E::Less(a, b)
        | E::LessOrEqual(a, b)
        | E::Add(a, b)
        | E::Subtract(a, b)
        | E::Multiply(a, b)
        | E::Divide(a, b) => vec![a, b],
        E::If(a, b, c) => vec![a, b, c],
        E::In(a, list) => std::iter::once(&**a).chain(list).collect(),
        E::Coalesce(list) | E::FunctionCall(_, list) => list.iter().collect(),
    }
}

/// Longest text in bytes that an expression, or a part of it, can come to.
fn text_bytes(expression: &Expression) -> u64 {
    match expression {
        Expression::NamedNode(node) => node.as_str().len() as u64,
        Expression::Literal(literal) => literal.value().len() as u64,
        Expression::Variable(_) => TERM_TEXT_BYTES_MAX as u64,
        Expression::FunctionCall(function, arguments) => {
            let bytes: Vec<u64> = arguments.iter().map(text_bytes).collect();
            let sum = bytes.iter().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes));
            match function {
                Function::Concat => sum,
                // Each place may become the replacement, and that the whole text again.
                Function::Replace => {
                    let replacement = bytes.get(2).copied().unwrap_or(0).saturating_add(1);
                    let first = bytes.first().copied().unwrap_or(0).saturating_add(1);
                    sum.max(first.saturating_mul(replacement))
                }
                Function::UCase | Function::LCase | Function::EncodeForUri => sum.saturating_mul(GROWTH_MAX),
                _ => sum,
            }
        }
        other => parts(other).into_iter().map(text_bytes).max().unwrap_or(0),
    }
}

/// How many solutions that bind nothing a pattern can have; `None` for as many
/// as the graph likes.
fn empty_solutions(pattern: &GraphPattern) -> Option<u64> {
    use GraphPattern as P;
    match pattern {
        // Constants only: it is there or not.
        P::Bgp { patterns } => Some(u64::from(!patterns.iter().any(binds))),
        P::Path { subject, object, .. } => Some(u64::from(!is_variable(subject) && !is_variable(object))),
        P::Graph { name: NamedNodePattern::Variable(_), .. } => Some(0),
        P::Join { left, right } | P::Lateral { left, right } => {
            empty_solutions(left)?.checked_mul(empty_solutions(right)?)
        }
        P::LeftJoin { left, right, .. } => empty_solutions(left)?.checked_mul(empty_solutions(right)?.max(1)),
        P::Union { left, right } => empty_solutions(left)?.checked_add(empty_solutions(right)?),
        P::Values { bindings, .. } => {
            Some(bindings.iter().filter(|row| row.iter().all(Option::is_none)).count() as u64)
        }
        P::Project { inner, variables } => {
            let mut certain = BTreeSet::new();
            certainly_bound(inner, &mut certain);
            if variables.iter().any(|variable| certain.contains(variable.as_str())) {
                Some(0)
            } else {
                rows(inner)
            }
        }
        P::Slice { inner, length, .. } => match (empty_solutions(inner), length) {
            (None, Some(length)) => Some(*length as u64),
            (count, _) => count,
        },
        // Each group binds what it counts, unless that fails: as many as there are groups.
        P::Group { inner, variables, .. } => {
            let mut certain = BTreeSet::new();
            certainly_bound(inner, &mut certain);
            let keyed = variables.iter().any(|variable| certain.contains(variable.as_str()));
            if variables.is_empty() || !keyed { Some(1) } else { Some(0) }
        }
        P::Filter { inner, .. }
        | P::Extend { inner, .. }
        | P::Minus { left: inner, .. }
        | P::OrderBy { inner, .. }
        | P::Distinct { inner }
        | P::Reduced { inner }
        | P::Graph { inner, .. }
        | P::Service { inner, .. } => empty_solutions(inner),
    }
}

/// How many solutions a pattern has at most, where its form says.
fn rows(pattern: &GraphPattern) -> Option<u64> {
    use GraphPattern as P;
    match pattern {
        P::Bgp { patterns } if !patterns.iter().any(binds) => Some(1),
        P::Values { bindings, .. } => Some(bindings.len() as u64),
        P::Join { left, right } | P::Lateral { left, right } => rows(left)?.checked_mul(rows(right)?),
        P::LeftJoin { left, right, .. } => rows(left)?.checked_mul(rows(right)?.max(1)),
        P::Union { left, right } => rows(left)?.checked_add(rows(right)?),
        P::Group { variables, .. } if variables.is_empty() => Some(1),
        P::Slice { length: Some(length), .. } => Some(*length as u64),
        P::Filter { inner, .. }
        | P::Extend { inner, .. }
        | P::Minus { left: inner, .. }
        | P::OrderBy { inner, .. }
        | P::Project { inner, .. }
        | P::Distinct { inner }
        | P::Reduced { inner }
        | P::Slice { inner, .. } => rows(inner),
        _ => None,
    }
}

fn is_variable(term: &TermPattern) -> bool {
    matches!(term, TermPattern::Variable(_) | TermPattern::BlankNode(_))
}

fn binds(triple: &TriplePattern) -> bool {
    is_variable(&triple.subject)
        || is_variable(&triple.object)
        || matches!(triple.predicate, NamedNodePattern::Variable(_))
}

/// Variables that every solution of a pattern binds.
fn certainly_bound(pattern: &GraphPattern, names: &mut BTreeSet<String>) {
    use GraphPattern as P;
    let mut add = |term: &TermPattern| {
        if let TermPattern::Variable(variable) = term {
            names.insert(variable.as_str().to_owned());
        }
    };
    match pattern {
        P::Bgp { patterns } => {
            for triple in patterns {
                add(&triple.subject);
                add(&triple.object);
                if let NamedNodePattern::Variable(variable) = &triple.predicate {
                    add(&TermPattern::Variable(variable.clone()));
                }
            }
        }
        P::Path { subject, object, .. } => {
            add(subject);
            add(object);
        }
        P::Join { left, right } | P::Lateral { left, right } => {
            certainly_bound(left, names);
            certainly_bound(right, names);
        }
        P::Union { left, right } => {
            let (mut one, mut other) = (BTreeSet::new(), BTreeSet::new());
            certainly_bound(left, &mut one);
            certainly_bound(right, &mut other);
            names.extend(one.intersection(&other).cloned());
        }
        P::Values { variables, bindings } => {
            for (at, variable) in variables.iter().enumerate() {
                if bindings.iter().all(|row| row.get(at).is_some_and(Option::is_some)) {
                    names.insert(variable.as_str().to_owned());
                }
            }
        }
        P::Graph { name, inner } => {
            if let NamedNodePattern::Variable(variable) = name {
                names.insert(variable.as_str().to_owned());
            }
            certainly_bound(inner, names);
        }
        P::Project { inner, variables } => {
            let mut inside = BTreeSet::new();
            certainly_bound(inner, &mut inside);
            names.extend(variables.iter().map(|v| v.as_str().to_owned()).filter(|v| inside.contains(v)));
        }
        P::Group { inner, variables, aggregates } => {
            let mut inside = BTreeSet::new();
            certainly_bound(inner, &mut inside);
            names.extend(variables.iter().map(|v| v.as_str().to_owned()).filter(|v| inside.contains(v)));
            for (variable, aggregate) in aggregates {
                let counts = match aggregate {
                    AggregateExpression::CountSolutions { .. } => true,
                    AggregateExpression::FunctionCall { name, .. } => *name == AggregateFunction::Count,
                };
                if counts {
                    names.insert(variable.as_str().to_owned());
                }
            }
        }
        P::LeftJoin { left: inner, .. }
        | P::Minus { left: inner, .. }
        | P::Filter { inner, .. }
        | P::Extend { inner, .. }
        | P::OrderBy { inner, .. }
        | P::Distinct { inner }
        | P::Reduced { inner }
        | P::Slice { inner, .. }
        | P::Service { inner, .. } => certainly_bound(inner, names),
    }
}
