//! `package_search`: CKAN's search, with facets and pages to the end of the
//! catalog.

use node::handle::{SELECT_LIMIT_MAX, Select};
use node::view::{Expression, Order};
use serde_json::{Map, Value, json};

use super::envelope::{Failure, excerpt};
use super::facets::{self, Extent};
use super::package;
use super::parameters::Parameters;
use super::{Answer, Context};

/// Rows if none are asked for.
const ROWS_DEFAULT: usize = 10;
/// Values of a facet if no limit is asked for.
const FACET_LIMIT_DEFAULT: i64 = 50;
/// The order if none is asked for.
const SORT_DEFAULT: &str = "score desc, metadata_modified desc";

/// What CKAN takes; some of it changes nothing here: all that is found is
/// public, active and no draft, and how fields weigh is the node's matter.
const PARAMETERS: [&str; 24] = [
    "q",
    "fq",
    "fq_list",
    "rows",
    "start",
    "sort",
    "facet",
    "facet.field",
    "facet.limit",
    "facet.mincount",
    "fl",
    "include_private",
    "include_drafts",
    "include_deleted",
    "use_default_schema",
    "extras",
    "qf",
    "bf",
    "boost",
    "tie",
    "defType",
    "mm",
    "df",
    "callback",
];

/// Finds datasets.
pub(super) fn package_search(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let known = |name: &&str| PARAMETERS.contains(name) || name.starts_with("ext_");
    let unknown: Vec<String> =
        parameters.names().filter(|name| !known(name)).map(|name| format!("'{}'", excerpt(name))).collect();
    if !unknown.is_empty() {
        return Err(Failure::SearchQuery(format!("Invalid search parameters: [{}]", unknown.join(", "))));
    }
    let sort = parameters.text("sort")?.filter(|sort| !sort.trim().is_empty() && sort != "rank");
    let sort = sort.unwrap_or_else(|| SORT_DEFAULT.to_owned());
    let fields = match parameters.flag("facet", true)? {
        true => parameters.json_texts("facet.field")?,
        false => Vec::new(),
    };
    let limit = parameters.integer("facet.limit")?.unwrap_or(FACET_LIMIT_DEFAULT);
    let extent = Extent {
        limit: usize::try_from(limit).ok(),
        count_min: parameters.natural("facet.mincount")?.unwrap_or(1) as u64,
    };
    let kept = kept_fields(parameters)?;
    let select = Select {
        expression: expression(context, parameters)?,
        sort: order(&sort)?,
        offset: parameters.natural("start")?.unwrap_or(0),
        limit: parameters.natural("rows")?.unwrap_or(ROWS_DEFAULT).min(SELECT_LIMIT_MAX),
        facets: facets::needed(&fields),
    };
    let mut found = context.handle.select(&select)?;
    if extent.count_min == 0 && !select.facets.is_empty() {
        let every = Select { expression: Expression::All, limit: 0, offset: 0, ..select };
        facets::with_unused(&mut found.facets, context.handle.select_ids(&every)?.facets);
    }
    let (facets, search_facets) = facets::shown(context, &fields, &extent, found.total, &found.facets);
    let packages = found.datasets.iter().map(|listed| package::package(context, listed));
    let results: Vec<Value> = match &kept {
        None => packages.collect(),
        Some(kept) => packages.map(|package| keep(package, kept)).collect(),
    };
    Ok(json!({
        "count": found.total,
        "facets": facets,
        "results": results,
        "sort": sort,
        "search_facets": search_facets,
    }))
}

fn expression(context: &Context<'_>, parameters: &Parameters) -> Result<Expression, Failure> {
    let mut all = vec![context.q(&parameters.text("q")?.unwrap_or_default())?];
    let mut filters = parameters.texts("fq")?;
    filters.extend(parameters.json_texts("fq_list")?);
    for filter in filters {
        all.push(context.fq(&filter)?);
    }
    all.retain(|part| *part != Expression::All);
    Ok(Expression::And(all))
}

/// The keys of an order. All orders end with the id, so that no two datasets are
/// ever equal.
fn order(sort: &str) -> Result<Vec<Order>, Failure> {
    let key = |key: &str| {
        let mut words = key.split_whitespace();
        let (field, direction) = (words.next().unwrap_or_default(), words.next().unwrap_or("asc"));
        let order = match (field, direction.to_ascii_lowercase().as_str()) {
            _ if words.next().is_some() => None,
            ("score" | "rank", "desc") => Some(Order::Relevance),
            ("metadata_modified", "desc") => Some(Order::Modified),
            ("metadata_modified", "asc") => Some(Order::ModifiedAscending),
            ("metadata_created", "desc") => Some(Order::Created),
            ("metadata_created", "asc") => Some(Order::CreatedAscending),
            ("title" | "title_string", "asc") => Some(Order::Title),
            ("title" | "title_string", "desc") => Some(Order::TitleDescending),
            ("id" | "name", "asc") => Some(Order::Id),
            ("id" | "name", "desc") => Some(Order::IdDescending),
            _ => None,
        };
        order.ok_or_else(|| {
            Failure::SearchQuery(format!(
                "Invalid sort: '{}'; possible are score desc, and asc or desc of metadata_modified, \
                 metadata_created, title_string, name, id",
                excerpt(key.trim())
            ))
        })
    };
    sort.split(',').map(key).collect()
}

/// `fl`: the fields that results are cut down to.
fn kept_fields(parameters: &Parameters) -> Result<Option<Vec<String>>, Failure> {
    let given = parameters.texts("fl")?;
    let fields: Vec<String> = given
        .iter()
        .flat_map(|fields| fields.split([',', ' ']))
        .map(str::trim)
        .filter(|field| !field.is_empty())
        .map(str::to_owned)
        .collect();
    Ok((!fields.is_empty() && fields.iter().all(|field| field != "*")).then_some(fields))
}

/// A package cut down to some fields, in the flat form of the search engine.
fn keep(package: Value, fields: &[String]) -> Value {
    let names = |values: &Value, key: &str| -> Value {
        values.as_array().map_or(Value::Null, |all| all.iter().map(|one| one[key].clone()).collect())
    };
    let extra = |key: &str| {
        let extras = package["extras"].as_array().into_iter().flatten();
        extras.filter(|extra| extra["key"] == key).map(|extra| extra["value"].clone()).next()
    };
    let mut kept = Map::new();
    for field in fields {
        let value = match field.as_str() {
            "tags" | "groups" => Some(names(&package[field], "name")),
            "organization" => Some(package["organization"]["name"].clone()),
            "res_format" => Some(names(&package["resources"], "format")),
            "res_name" => Some(names(&package["resources"], "name")),
            "res_url" => Some(names(&package["resources"], "url")),
            other => match package.get(other) {
                Some(value) => Some(value.clone()),
                None => extra(other.strip_prefix("extras_").unwrap_or(other)),
            },
        };
        if let Some(value) = value {
            kept.insert(field.clone(), value);
        }
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_key_by_key() {
        for (sort, expected) in [
            (SORT_DEFAULT, vec![Order::Relevance, Order::Modified]),
            ("id asc", vec![Order::Id]),
            ("id", vec![Order::Id]),
            ("name desc, score desc", vec![Order::IdDescending, Order::Relevance]),
            ("title_string asc,metadata_modified desc", vec![Order::Title, Order::Modified]),
            ("metadata_modified DESC", vec![Order::Modified]),
        ] {
            assert_eq!(order(sort).unwrap(), expected, "{sort}");
        }
        for wrong in ["views desc", "id sideways", "id asc desc", "score asc", "id asc,", ","] {
            let Err(Failure::SearchQuery(said)) = order(wrong) else { panic!("{wrong}") };
            assert!(said.starts_with("Invalid sort"), "{said}");
        }
    }
}
