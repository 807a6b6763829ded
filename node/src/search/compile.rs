//! Turns an expression into a tantivy query.
//!
//! Values are terms of one field, `named`, each behind the letter of its field; what a value may
//! look like is therefore a range or a pattern of such terms.

use std::ops::Bound;
use std::sync::Arc;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, EmptyQuery, Occur, Query, RangeQuery, RegexQuery, TermQuery,
};
use tantivy::schema::IndexRecordOption;

use super::analysis::{Analyzer, fold, words};
use super::condition::{Columns, Condition, ConditionQuery, Span};
use super::expression::{Expression, MomentField, NamedField, Pattern, PatternPiece};
use super::fields::Fields;
use super::folding::FoldedQuery;
use super::matching::Plan;
use super::query::{QUERY_WORDS_MAX, QueryError, parse};

/// Makes queries of checked expressions.
pub(super) struct Compiler<'a> {
    pub(super) fields: Fields,
    pub(super) columns: Columns,
    pub(super) analyzer: &'a mut Analyzer,
}

impl Compiler<'_> {
    /// Recursion is bounded by the expression's depth, which was checked.
    pub(super) fn query(&mut self, expression: &Expression) -> Result<Box<dyn Query>, QueryError> {
        Ok(match expression {
            Expression::All => Box::new(AllQuery),
            Expression::Nothing => Box::new(EmptyQuery),
            Expression::Words(text) => self.words(text)?,
            Expression::Is(field, value) if field.is_text() => self.text(*field, value),
            Expression::Is(field, value) => self.term(&field.value_term(value)),
            Expression::Like(field, pattern) => self.like(*field, pattern)?,
            Expression::Between(field, from, to) => self.between(*field, from, to),
            Expression::Folded(field, folding, fit) => Box::new(FoldedQuery {
                named: self.fields.named,
                field: *field,
                folding: *folding,
                fit: fit.clone(),
            }),
            Expression::Has(field) => self.term(&field.exists_term()),
            Expression::During(field, from, to) => self.during(*field, *from, *to),
            Expression::Where(condition) => self.condition(condition.clone()),
            Expression::And(parts) => self.joined(Occur::Must, parts)?,
            Expression::Or(parts) => self.joined(Occur::Should, parts)?,
            Expression::Not(part) => {
                let part = self.query(part)?;
                Box::new(BooleanQuery::new(vec![(Occur::Must, Box::new(AllQuery)), (Occur::MustNot, part)]))
            }
        })
    }

    fn joined(&mut self, occur: Occur, parts: &[Expression]) -> Result<Box<dyn Query>, QueryError> {
        match (parts, occur) {
            ([], Occur::Must) => return Ok(Box::new(AllQuery)),
            ([], _) => return Ok(Box::new(EmptyQuery)),
            ([only], _) => return self.query(only),
            _ => {}
        }
        let mut clauses = Vec::with_capacity(parts.len());
        for part in parts {
            clauses.push(match part {
                // Excluding is cheaper than joining with all others.
                Expression::Not(part) if occur == Occur::Must => (Occur::MustNot, self.query(part)?),
                part => (occur, self.query(part)?),
            });
        }
        if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
            clauses.push((Occur::Must, Box::new(AllQuery)));
        }
        Ok(Box::new(BooleanQuery::new(clauses)))
    }

    fn words(&mut self, text: &str) -> Result<Box<dyn Query>, QueryError> {
        let demands = parse(text);
        let words = demands.wanted.iter().chain(&demands.excluded).map(|clause| clause.words().len()).sum();
        if words > QUERY_WORDS_MAX {
            return Err(QueryError::TooManyWords { words });
        }
        let plan = Plan::new(&demands, self.fields, self.analyzer);
        let wanted = plan.wanted.len();
        Ok(plan.query(match wanted {
            0..=2 => wanted,
            3..=5 => wanted - 1,
            _ => wanted * 4 / 5,
        }))
    }

    /// All words; as a phrase where places are indexed.
    fn text(&mut self, field: NamedField, text: &str) -> Box<dyn Query> {
        let found = words(text);
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for word in &found {
            let mut terms = vec![field.value_term(&fold(&word.lower))];
            terms.extend(self.analyzer.stems(&word.lower).iter().map(|stem| field.stem_term(stem)));
            terms.dedup();
            let ways = terms.iter().map(|term| (Occur::Should, self.term(term))).collect();
            clauses.push((Occur::Must, Box::new(BooleanQuery::new(ways))));
        }
        if clauses.is_empty() {
            return Box::new(EmptyQuery);
        }
        if found.len() > 1 && matches!(field, NamedField::Title | NamedField::Description) {
            let plan =
                Plan::new(&parse(&format!("\"{}\"", text.replace('"', " "))), self.fields, self.analyzer);
            clauses.push((Occur::Must, plan.query(plan.wanted.len())));
        }
        Box::new(BooleanQuery::new(clauses))
    }

    fn like(&self, field: NamedField, pattern: &Pattern) -> Result<Box<dyn Query>, QueryError> {
        let spelt = |text: &str| if field.is_text() { fold(&text.to_lowercase()) } else { text.to_owned() };
        if let Some(beginning) = pattern.beginning() {
            let beginning = spelt(beginning);
            if beginning.is_empty() {
                return Ok(self.term(&field.exists_term()));
            }
            let start = field.value_term(&beginning);
            let end = format!("{start}{}", char::MAX);
            return Ok(self.range(Bound::Included(start), Bound::Excluded(end)));
        }
        let mut regex = escaped(&field.value_term(""));
        for piece in &pattern.0 {
            match piece {
                PatternPiece::Text(text) => regex.push_str(&escaped(&spelt(text))),
                PatternPiece::Any => regex.push_str(".*"),
                PatternPiece::One => regex.push('.'),
            }
        }
        let query = RegexQuery::from_pattern(&regex, self.fields.named)
            .map_err(|_| QueryError::PatternTooCostly { pattern: pattern.to_string() })?;
        Ok(Box::new(ConstScoreQuery::new(Box::new(query), 1.0)))
    }

    fn between(&self, field: NamedField, from: &Bound<String>, to: &Bound<String>) -> Box<dyn Query> {
        let term = |value: &String| field.value_term(value);
        let from = match from {
            Bound::Unbounded => Bound::Included(field.value_term("")),
            bound => bound.as_ref().map(term),
        };
        let to = match to {
            Bound::Unbounded => Bound::Excluded(field.value_term(&char::MAX.to_string())),
            bound => bound.as_ref().map(term),
        };
        self.range(from, to)
    }

    fn range(&self, from: Bound<String>, to: Bound<String>) -> Box<dyn Query> {
        let term = |text: String| Term::from_field_text(self.fields.named, &text);
        Box::new(ConstScoreQuery::new(Box::new(RangeQuery::new(from.map(term), to.map(term))), 1.0))
    }

    /// By the columns themselves: tantivy's ranges over them cannot be nested (see [`ConditionQuery`]).
    fn during(&self, field: MomentField, from: Bound<i64>, to: Bound<i64>) -> Box<dyn Query> {
        let from = match from {
            Bound::Included(second) => Some(second),
            Bound::Excluded(second) => Some(second.saturating_add(1)),
            Bound::Unbounded => None,
        };
        let to = match to {
            Bound::Included(second) => Some(second),
            Bound::Excluded(second) => Some(second.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        if matches!((from, to), (Some(from), Some(to)) if from > to) {
            return Box::new(EmptyQuery);
        }
        let span = Span { from, to };
        self.condition(match field {
            MomentField::Created => Condition::Issued(span),
            MomentField::Modified => Condition::Modified(span),
        })
    }

    fn condition(&self, condition: Condition) -> Box<dyn Query> {
        Box::new(ConditionQuery { condition, columns: Arc::clone(&self.columns), fields: self.fields })
    }

    fn term(&self, term: &str) -> Box<dyn Query> {
        Box::new(TermQuery::new(Term::from_field_text(self.fields.named, term), IndexRecordOption::Basic))
    }
}

/// Text as a regular expression that means just this text.
fn escaped(text: &str) -> String {
    let mut regex = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_punctuation() {
            regex.push('\\');
        }
        regex.push(letter);
    }
    regex
}
