//! What must be true of a record before everybody may read it, and what would
//! make it better.
//!
//! Each rule is a value ([`Rule`], the table is [`RULES`]) that cites what it
//! follows: DCAT-AP.de 3.0, its conventions, or the data strategy. An obstacle
//! keeps a record closed and may not be edited into an open one; a hint only
//! says what readers will miss. The rules are at least as strict as the
//! official shapes (`tests/clients/test_rules.py` compares the two) and are
//! told to people in `docs/publishing-rules.md`. Never changes anything: it
//! says what is wrong, or hands over the dataset as it would be published.

mod access;
mod catalog;
mod coded;
mod described;
mod rules;

use std::fmt;

use super::codes::{Class, LifecycleStatus};
use super::invalid::{Bilingual, Lang};
use super::{Catalog, Dataset, Internal, LocalRecord};
use crate::vocabulary::Vocabularies;

pub use catalog::{catalog_faults, new_catalog_faults};
pub use rules::RULES;

/// What follows from a broken rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The record cannot be published (Hinderungsgrund).
    Obstacle,
    /// It can, but readers will miss something.
    Hint,
}

/// A rule of publication.
#[derive(Debug)]
pub struct Rule {
    /// Stable name, for programs and for the documentation.
    pub id: &'static str,
    /// What follows if it is broken.
    pub severity: Severity,
    /// The class it is about, such as `dcat:Dataset`.
    pub class: &'static str,
    /// The property, such as `dct:title`.
    pub property: &'static str,
    /// Where it is written.
    pub source: &'static str,
    /// What is wrong, German and English: completes "the field …".
    problem: (&'static str, &'static str),
    /// What to do, German and English, in the imperative.
    remedy: (&'static str, &'static str),
    check: fn(&Case<'_>, &mut Found<'_>),
}

impl Rule {
    /// What a broken rule is said to be: completes "the field …".
    pub fn problem(&self, lang: Lang) -> &'static str {
        in_lang(self.problem, lang)
    }

    /// What to do about it.
    pub fn remedy(&self, lang: Lang) -> &'static str {
        in_lang(self.remedy, lang)
    }
}

fn in_lang((de, en): (&'static str, &'static str), lang: Lang) -> &'static str {
    match lang {
        Lang::De => de,
        Lang::En => en,
    }
}

/// What a rule looks at.
struct Case<'a> {
    dataset: &'a Dataset,
    internal: &'a Internal,
    /// The town's catalog, if it is known.
    catalog: Option<&'a Catalog>,
    lists: &'a Vocabularies,
}

/// Where a rule puts what it found.
struct Found<'a> {
    rule: &'static Rule,
    findings: &'a mut Vec<Finding>,
}

impl Found<'_> {
    /// The field breaks the rule.
    fn at(&mut self, field: impl Into<String>) {
        self.push(field.into(), None, None);
    }

    /// The field breaks the rule with this value.
    fn value(&mut self, field: impl Into<String>, value: impl fmt::Display) {
        self.push(field.into(), Some(value.to_string()), None);
    }

    /// The same, with a remedy for this very case.
    fn mend(&mut self, field: impl Into<String>, value: impl fmt::Display, remedy: Bilingual) {
        self.push(field.into(), Some(value.to_string()), Some(remedy));
    }

    fn push(&mut self, field: String, value: Option<String>, remedy: Option<Bilingual>) {
        let rule = self.rule;
        let remedy = remedy.unwrap_or_else(|| Bilingual::fixed(rule.remedy.0, rule.remedy.1));
        self.findings.push(Finding { rule, field, value, remedy });
    }
}

/// A place where a record breaks a rule.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The field to look at, `/` between its parts.
    pub field: String,
    /// What stands there, if that helps.
    pub value: Option<String>,
    /// What to do.
    pub remedy: Bilingual,
}

impl Finding {
    /// Whether it keeps the record from being open.
    pub fn is_obstacle(&self) -> bool {
        self.rule.severity == Severity::Obstacle
    }

    /// What is wrong: completes "the field …".
    pub fn problem(&self, lang: Lang) -> &'static str {
        self.rule.problem(lang)
    }

    /// The whole sentence.
    pub fn message(&self, lang: Lang) -> String {
        let problem = self.problem(lang);
        let remedy = self.remedy.in_lang(lang);
        match (lang, &self.value) {
            (Lang::De, None) => format!("Feld „{}“ {problem}. Abhilfe: {remedy}.", self.field),
            (Lang::De, Some(value)) => {
                format!("Feld „{}“: Wert „{value}“ {problem}. Abhilfe: {remedy}.", self.field)
            }
            (Lang::En, None) => format!("field `{}` {problem}; {remedy}", self.field),
            (Lang::En, Some(value)) => format!("field `{}`: `{value}` {problem}; {remedy}", self.field),
        }
    }
}

impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        (self.rule.id, &self.field, &self.value) == (other.rule.id, &other.field, &other.value)
    }
}

impl Eq for Finding {}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(Lang::En))
    }
}

impl std::error::Error for Finding {}

/// All rules that a record breaks, obstacles and hints, in the order of the
/// table. `catalog` is the town's, as it is served, and asked by hints alone;
/// `lists` are those that the town goes by.
pub fn check(
    dataset: &Dataset,
    internal: &Internal,
    catalog: Option<&Catalog>,
    lists: &Vocabularies,
) -> Vec<Finding> {
    let case = Case { dataset, internal, catalog, lists };
    let mut findings = Vec::new();
    for rule in RULES {
        (rule.check)(&case, &mut Found { rule, findings: &mut findings });
    }
    findings
}

/// What keeps a dataset from being open, or from staying so.
pub fn obstacles(dataset: &Dataset, internal: &Internal, lists: &Vocabularies) -> Vec<Finding> {
    let mut findings = check(dataset, internal, None, lists);
    findings.retain(Finding::is_obstacle);
    findings
}

/// The dataset as it would be published to everybody, or all that stands in
/// the way. What the town's catalog says for all its datasets fills the gaps.
pub fn publishable(
    record: &LocalRecord,
    catalog: Option<&Catalog>,
    lists: &Vocabularies,
) -> Result<Dataset, Vec<Finding>> {
    let mut dataset = completed(&record.dataset, catalog);
    let obstacles = obstacles(&dataset, &record.internal, lists);
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    dataset.class = Class::Open;
    dataset.status = LifecycleStatus::Published;
    Ok(dataset)
}

/// The dataset with its gaps filled by what the catalog says for all.
pub fn completed(dataset: &Dataset, catalog: Option<&Catalog>) -> Dataset {
    let mut dataset = dataset.clone();
    if let Some(catalog) = catalog {
        fill(&mut dataset, catalog);
    }
    dataset
}

fn fill(dataset: &mut Dataset, catalog: &Catalog) {
    if dataset.publisher.is_empty() {
        dataset.publisher = catalog.publisher.clone();
    }
    if dataset.contact.is_empty() {
        dataset.contact = catalog.contact.clone();
    }
    if dataset.spatial.geocoding.is_none() {
        dataset.spatial.geocoding = catalog.spatial.geocoding.clone();
    }
    dataset.licence = dataset.licence.take().or_else(|| catalog.licence.clone());
}

#[cfg(test)]
mod tests;
