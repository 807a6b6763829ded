//! What the rules of publication say of a record, as the desk answers it.

use crdt::catalog::invalid::Lang;
use crdt::catalog::{Finding, Severity};
use serde::Serialize;
use utoipa::ToSchema;

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckAnswer {
    /// Whether nothing keeps the record from being open.
    publishable: bool,
    /// Obstacles first, then hints.
    findings: Vec<FindingAnswer>,
}

/// A place where a record breaks a rule.
#[derive(Debug, Serialize, ToSchema)]
struct FindingAnswer {
    /// Stable name of the rule, as in `docs/publishing-rules.md`.
    #[schema(example = "licence-known")]
    rule: &'static str,
    /// `obstacle` or `hint`.
    #[schema(value_type = String, example = "obstacle")]
    severity: Severity,
    /// Path of the field, `/` between its parts.
    field: String,
    /// What stands there, if that helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// DCAT's class and property.
    #[schema(example = "dcat:Distribution dct:license")]
    about: String,
    /// Where the rule is written.
    source: &'static str,
    /// What is wrong and what to do, in English.
    message: String,
    /// The same in German.
    message_de: String,
}

impl From<Vec<Finding>> for CheckAnswer {
    fn from(findings: Vec<Finding>) -> Self {
        let publishable = !findings.iter().any(Finding::is_obstacle);
        let answer = |finding: Finding| FindingAnswer {
            rule: finding.rule.id,
            severity: finding.rule.severity,
            about: format!("{} {}", finding.rule.class, finding.rule.property),
            source: finding.rule.source,
            message: finding.message(Lang::En),
            message_de: finding.message(Lang::De),
            field: finding.field,
            value: finding.value,
        };
        Self { publishable, findings: findings.into_iter().map(answer).collect() }
    }
}
