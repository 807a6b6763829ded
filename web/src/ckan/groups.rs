//! Organisations and groups: the towns, and the EU data themes.
//!
//! Both are lists of a few dozen at most, known without looking at a dataset;
//! how many datasets each has is counted over the open ones.

use std::collections::BTreeMap;

use crdt::catalog::{Lang, Theme};
use crdt::vocabulary::{Mark, Vocabularies};
use node::handle::Select;
use node::view::{Expression, Facet, NamedField, Order};
use serde_json::{Value, json};

use super::envelope::Failure;
use super::package;
use super::parameters::Parameters;
use super::{Answer, Context};

/// Most names in a list.
const NAMES_MAX: usize = 1_000;
/// Most dicts in a list with `all_fields`.
const DICTS_MAX: usize = 25;
/// Datasets shown with a group.
const DATASETS_SHOWN: usize = 10;
/// Datasets of `group_package_show` if no limit is asked for.
const PACKAGES_MAX: usize = 1_000;

/// Which of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Organisation,
    Group,
}

impl Kind {
    fn facet(self) -> Facet {
        match self {
            Self::Organisation => Facet::Town,
            Self::Group => Facet::Theme,
        }
    }

    fn field(self) -> NamedField {
        match self {
            Self::Organisation => NamedField::Town,
            Self::Group => NamedField::Theme,
        }
    }
}

/// A town or a theme.
struct Group {
    kind: Kind,
    /// What datasets hold: municipality key or theme code.
    value: String,
    id: String,
    name: String,
    title: String,
}

impl Group {
    fn of_theme(theme: Theme, lists: &Vocabularies) -> Self {
        let name = theme.code().to_lowercase();
        Self {
            kind: Kind::Group,
            value: theme.code().to_owned(),
            id: name.clone(),
            name,
            title: theme.label_in(lists, Lang::De).to_owned(),
        }
    }

    fn dict(&self, count: Option<u64>) -> Value {
        let is_organisation = self.kind == Kind::Organisation;
        let mut dict = json!({
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "display_name": self.title,
            "description": "",
            "image_url": "",
            "image_display_url": "",
            "type": if is_organisation { "organization" } else { "group" },
            "state": "active",
            "approval_status": "approved",
            "is_organization": is_organisation,
            "created": null,
            "num_followers": 0,
        });
        if let Some(count) = count {
            dict["package_count"] = count.into();
        }
        dict
    }

    /// With what only a single one is shown with.
    fn details(&self, mut dict: Value) -> Value {
        for empty in ["users", "groups", "tags"] {
            dict[empty] = json!([]);
        }
        dict["extras"] = match self.kind {
            Kind::Organisation => json!([{"key": "municipality_key", "value": self.value}]),
            Kind::Group => json!([]),
        };
        dict
    }
}

impl Context<'_> {
    fn groups(&self, kind: Kind) -> Vec<Group> {
        match kind {
            Kind::Group => {
                let lists = self.lists();
                let listed = lists.themes().concepts().iter();
                let themes = listed.filter(|concept| !concept.is(Mark::Provisional));
                let themes = themes.filter_map(|concept| Theme::read(&concept.code).ok());
                themes.map(|theme| Group::of_theme(theme, lists)).collect()
            }
            Kind::Organisation => {
                let town = |town: &node::view::TownInfo| Group {
                    kind,
                    value: town.town.to_string(),
                    id: town.town.to_string(),
                    name: town.code.clone(),
                    title: town.name.clone(),
                };
                self.members.iter().map(town).collect()
            }
        }
    }

    fn group(&self, kind: Kind, id: &str) -> Result<Group, Failure> {
        let found = self.groups(kind).into_iter().find(|group| group.id == id || group.name == id);
        found.ok_or_else(Failure::not_found)
    }

    /// How many open datasets each has.
    fn package_counts(&self, kind: Kind) -> Result<BTreeMap<String, u64>, Failure> {
        let select = Select {
            expression: Expression::All,
            sort: vec![Order::Id],
            offset: 0,
            limit: 0,
            facets: vec![kind.facet()],
        };
        let found = self.handle.select_ids(&select)?;
        let counts = found.facets.into_values().flatten();
        Ok(counts.map(|counted| (counted.value, counted.count)).collect())
    }

    /// The datasets of one, newest first.
    fn packages(&self, group: &Group, limit: usize) -> Result<Vec<Value>, Failure> {
        let select = Select {
            expression: Expression::Is(group.kind.field(), group.value.clone()),
            sort: vec![Order::Modified],
            offset: 0,
            limit,
            facets: Vec::new(),
        };
        let found = self.handle.select(&select)?;
        Ok(found.datasets.iter().map(|listed| package::package(self, listed)).collect())
    }
}

/// `organization_list` and `group_list`.
pub(super) fn list(context: &Context<'_>, parameters: &Parameters, kind: Kind) -> Answer {
    let counts = context.package_counts(kind)?;
    let count = |group: &Group| counts.get(&group.value).copied().unwrap_or(0);
    let mut groups = context.groups(kind);
    let (only, type_name) = match kind {
        Kind::Organisation => ("organizations", "organization"),
        Kind::Group => ("groups", "group"),
    };
    let chosen = match parameters.value(only) {
        Some(Value::String(text)) if text.trim_start().starts_with('[') => parameters.json_texts(only)?,
        _ => parameters.texts(only)?,
    };
    if !chosen.is_empty() {
        groups.retain(|group| chosen.contains(&group.name) || chosen.contains(&group.id));
    }
    if let Some(words) = parameters.text("q")?.filter(|words| !words.is_empty()) {
        let words = words.to_lowercase();
        groups.retain(|group| group.title.to_lowercase().contains(&words) || group.name.contains(&words));
    }
    if parameters.text("type")?.is_some_and(|asked| asked != type_name) {
        groups.clear();
    }
    sort(&mut groups, parameters, count)?;
    let all_fields = parameters.flag("all_fields", false)?;
    let most = if all_fields { DICTS_MAX } else { NAMES_MAX };
    let limit = parameters.natural("limit")?.unwrap_or(most).min(most);
    let page = groups.iter().skip(parameters.natural("offset")?.unwrap_or(0)).take(limit);
    if !all_fields {
        return Ok(page.map(|group| Value::String(group.name.clone())).collect());
    }
    let counted = parameters.flag("include_dataset_count", true)?;
    let (extras, mut dicts) = (parameters.flag("include_extras", false)?, Vec::new());
    for group in page {
        let dict = group.dict(counted.then(|| count(group)));
        dicts.push(if extras { group.details(dict) } else { dict });
    }
    Ok(Value::Array(dicts))
}

fn sort(groups: &mut [Group], parameters: &Parameters, count: impl Fn(&Group) -> u64) -> Result<(), Failure> {
    let order_by = parameters.text("order_by")?.filter(|order| !order.is_empty());
    let asked = parameters.text("sort")?.filter(|order| !order.is_empty()).or(order_by);
    let asked = asked.unwrap_or_else(|| "title asc".to_owned());
    let mut words = asked.split_whitespace();
    let field = words.next().unwrap_or_default();
    match field {
        "title" => groups.sort_by_key(|group| group.title.to_lowercase()),
        "name" => groups.sort_by(|one, other| one.name.cmp(&other.name)),
        "package_count" | "packages" => groups.sort_by_key(|group| (count(group), group.name.clone())),
        _ => {
            return Err(Failure::of(
                "sort",
                format!("Cannot sort by field `{}`", super::envelope::excerpt(field)),
            ));
        }
    }
    // Counts alone begin with the greatest.
    let default = if field.starts_with("package") { "desc" } else { "asc" };
    match words.next().unwrap_or(default) {
        "asc" => {}
        "desc" => groups.reverse(),
        _ => return Err(Failure::of("sort", "Sort direction must be asc or desc")),
    }
    Ok(())
}

/// `organization_show` and `group_show`.
pub(super) fn show(context: &Context<'_>, parameters: &Parameters, kind: Kind) -> Answer {
    let group = context.group(kind, &parameters.required("id")?)?;
    let counted = parameters.flag("include_dataset_count", true)?;
    let count = match counted {
        true => Some(context.package_counts(kind)?.get(&group.value).copied().unwrap_or(0)),
        false => None,
    };
    let mut dict = group.details(group.dict(count));
    if parameters.flag("include_datasets", false)? {
        dict["packages"] = context.packages(&group, DATASETS_SHOWN)?.into();
    }
    Ok(dict)
}

/// `group_package_show`.
pub(super) fn packages(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let id = parameters.required("id")?;
    let group = context.group(Kind::Group, &id).or_else(|_| context.group(Kind::Organisation, &id))?;
    let limit = parameters.natural("limit")?.unwrap_or(PACKAGES_MAX).min(PACKAGES_MAX);
    Ok(context.packages(&group, limit)?.into())
}
