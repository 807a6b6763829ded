//! Distributions on their own: one by its id, and those whose name, address or
//! format contains some letters.

use node::handle::{Listed, SELECT_LIMIT_MAX, Select};
use node::view::{Expression, NamedField, Order, Pattern, PatternPiece};
use serde_json::{Value, json};

use super::envelope::{Failure, excerpt};
use super::package;
use super::parameters::Parameters;
use super::{Answer, Context};

/// Most datasets that one search of resources looks into.
const DATASETS_MAX: usize = 5_000;
/// Most conditions of one search.
const TERMS_MAX: usize = 10;

/// `resource_show`.
pub(super) fn show(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let id = parameters.required("id")?.to_lowercase();
    let select = Select {
        expression: Expression::Is(NamedField::Distribution, id.clone()),
        sort: vec![Order::Id],
        offset: 0,
        limit: 1,
        facets: Vec::new(),
    };
    let found = context.handle.select(&select)?;
    let resources = found.datasets.iter().flat_map(|listed| package::resources(listed, context.lists()));
    resources.into_iter().find(|resource| resource["id"] == *id).ok_or_else(Failure::not_found)
}

/// One condition on resources.
struct Demand {
    /// The key of a resource.
    key: &'static str,
    field: NamedField,
    /// Lower-case.
    letters: String,
}

impl Demand {
    fn parse(term: &str) -> Result<Self, Failure> {
        let Some((field, letters)) = term.split_once(':') else {
            return Err(Failure::of("query", "Must be <field>:<value> pair(s)"));
        };
        let (key, field) = match field.trim() {
            "name" => ("name", NamedField::DistributionTitle),
            // Descriptions are in no index: every dataset is looked into.
            "description" => ("description", NamedField::Id),
            "url" => ("url", NamedField::Url),
            "format" => ("format", NamedField::Format),
            "id" => ("id", NamedField::Distribution),
            other => {
                let wrong = format!("Field \"{}\" not recognised in resource_search.", excerpt(other));
                return Err(Failure::of("query", wrong));
            }
        };
        Ok(Self { key, field, letters: letters.trim().to_lowercase() })
    }

    fn fits(&self, resource: &Value) -> bool {
        resource[self.key].as_str().is_some_and(|value| value.to_lowercase().contains(&self.letters))
    }

    /// What datasets with such a resource have at least.
    fn of_datasets(&self) -> Expression {
        let inside = |letters: &str| {
            let text = PatternPiece::Text(letters.to_owned());
            Pattern(vec![PatternPiece::Any, text, PatternPiece::Any])
        };
        match (self.field, self.letters.split(|c: char| !c.is_alphanumeric()).max_by_key(|word| word.len())) {
            // Values of titles are single words, so the longest one of them must be in there.
            (NamedField::DistributionTitle | NamedField::Distribution, Some(word)) if !word.is_empty() => {
                Expression::Like(self.field, inside(word))
            }
            // Other values are indexed in their own case, which is not asked for.
            _ => Expression::Has(self.field),
        }
    }
}

/// `resource_search`.
pub(super) fn search(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let terms = parameters.texts("query")?;
    if terms.is_empty() {
        return Err(Failure::of("query", "Missing value"));
    }
    if terms.len() > TERMS_MAX {
        return Err(Failure::of("query", format!("Must be at most {TERMS_MAX} pairs")));
    }
    let demands = terms.iter().map(|term| Demand::parse(term)).collect::<Result<Vec<_>, _>>()?;
    let (offset, limit) = (parameters.natural("offset")?.unwrap_or(0), parameters.natural("limit")?);
    let mut found = Vec::new();
    let mut looked_into = 0;
    loop {
        let page = datasets(context, &demands, looked_into)?;
        for resource in page.iter().flat_map(|listed| package::resources(listed, context.lists())) {
            if demands.iter().all(|demand| demand.fits(&resource)) {
                found.push(resource);
            }
        }
        looked_into += page.len();
        if page.len() < SELECT_LIMIT_MAX {
            break;
        }
        if looked_into >= DATASETS_MAX {
            let wrong = format!("more than {DATASETS_MAX} datasets to look into; narrow the query");
            return Err(Failure::Search(wrong));
        }
    }
    let count = found.len();
    let results: Vec<Value> =
        found.into_iter().skip(offset).take(limit.unwrap_or(usize::MAX).min(SELECT_LIMIT_MAX)).collect();
    Ok(json!({"count": count, "results": results}))
}

fn datasets(context: &Context<'_>, demands: &[Demand], offset: usize) -> Result<Vec<Listed>, Failure> {
    let select = Select {
        expression: Expression::And(demands.iter().map(Demand::of_datasets).collect()),
        sort: vec![Order::Id],
        offset,
        limit: SELECT_LIMIT_MAX,
        facets: Vec::new(),
    };
    Ok(context.handle.select(&select)?.datasets)
}
