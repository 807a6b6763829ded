//! Counts of values, under the names that CKAN's clients ask for.

use std::collections::BTreeMap;

use crdt::catalog::{Frequency, Lang, LicenceIri, Theme};
use node::view::{Facet, ValueCount};
use serde_json::{Map, Value, json};

use super::Context;

/// What CKAN's name of a facet counts here.
enum Counted {
    /// A property of datasets.
    Facet(Facet),
    /// The same value in every open dataset.
    Same(&'static str),
    /// Nothing: no dataset has such a value.
    None,
}

fn counted(field: &str) -> Counted {
    match field.strip_prefix("extras_").unwrap_or(field) {
        "tags" => Counted::Facet(Facet::Keyword),
        "organization" | "owner_org" => Counted::Facet(Facet::Town),
        "groups" => Counted::Facet(Facet::Theme),
        "license_id" => Counted::Facet(Facet::Licence),
        "res_format" => Counted::Facet(Facet::Format),
        "frequency" => Counted::Facet(Facet::Frequency),
        "state" => Counted::Same("active"),
        "capacity" => Counted::Same("public"),
        "type" | "dataset_type" => Counted::Same("dataset"),
        _ => Counted::None,
    }
}

/// The properties that must be counted for these names, each once.
pub(super) fn needed(fields: &[String]) -> Vec<Facet> {
    let facets = fields.iter().filter_map(|field| match counted(field) {
        Counted::Facet(facet) => Some(facet),
        Counted::Same(_) | Counted::None => None,
    });
    let mut facets: Vec<Facet> = facets.collect();
    facets.sort_unstable();
    facets.dedup();
    facets
}

/// How much of the counts a client wants.
pub(super) struct Extent {
    /// Values of a facet at most.
    pub(super) limit: Option<usize>,
    /// Datasets of a value at least.
    pub(super) count_min: u64,
}

/// Adds the values that no dataset has of those found, with a count of zero.
pub(super) fn with_unused(
    found: &mut BTreeMap<Facet, Vec<ValueCount>>,
    every: BTreeMap<Facet, Vec<ValueCount>>,
) {
    for (facet, values) in every {
        let counted = found.entry(facet).or_default();
        for value in values {
            if counted.iter().all(|one| one.value != value.value) {
                counted.push(ValueCount { count: 0, ..value });
            }
        }
    }
}

/// `facets` and `search_facets` of an answer.
pub(super) fn shown(
    context: &Context<'_>,
    fields: &[String],
    extent: &Extent,
    total: u64,
    counts: &BTreeMap<Facet, Vec<ValueCount>>,
) -> (Value, Value) {
    let (mut plain, mut detailed) = (Map::new(), Map::new());
    for field in fields {
        let values = match counted(field) {
            Counted::Facet(facet) => {
                let all = counts.get(&facet).map_or(&[][..], Vec::as_slice);
                all.iter().map(|one| (one.value.clone(), one.count)).collect()
            }
            Counted::Same(value) => vec![(value.to_owned(), total)],
            Counted::None => Vec::new(),
        };
        let kept = values
            .into_iter()
            .filter(|(_, count)| *count >= extent.count_min)
            .take(extent.limit.unwrap_or(usize::MAX));
        let mut names = Map::new();
        let mut items = Vec::new();
        for (value, count) in kept {
            let (name, display_name) = named(context, field, value);
            names.insert(name.clone(), count.into());
            items.push((display_name, name, count));
        }
        items.sort_by(|one, other| other.cmp(one));
        let items: Vec<Value> = items
            .into_iter()
            .map(|(display_name, name, count)| json!({"name": name, "display_name": display_name, "count": count}))
            .collect();
        plain.insert(field.clone(), Value::Object(names));
        detailed.insert(field.clone(), json!({"title": field, "items": items}));
    }
    (Value::Object(plain), Value::Object(detailed))
}

/// What a value is called in queries, and what people read.
fn named(context: &Context<'_>, field: &str, value: String) -> (String, String) {
    let lists = context.lists();
    let town = || context.members.iter().find(|town| town.town.to_string() == value);
    match field.strip_prefix("extras_").unwrap_or(field) {
        "organization" => town().map(|town| (town.code.clone(), town.name.clone())),
        "owner_org" => town().map(|town| (value.clone(), town.name.clone())),
        "groups" => Theme::read(&value)
            .ok()
            .map(|theme| (theme.code().to_lowercase(), theme.label_in(lists, Lang::De).to_owned())),
        "license_id" => {
            LicenceIri::read(&value).ok().map(|licence| (value.clone(), licence.label_in(lists).to_owned()))
        }
        "frequency" => Frequency::read(&value).ok().map(|one| {
            (one.iri().unwrap_or_else(|| value.clone()), one.label_in(lists, Lang::De).to_owned())
        }),
        _ => None,
    }
    .unwrap_or_else(|| (value.clone(), value))
}
