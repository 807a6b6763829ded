//! The actions that there are, by name, each with the words of its help; and
//! those that fit on a screen.

use crdt::catalog::Lang;
use crdt::ids::DatasetId;
use crdt::vocabulary::Mark;
use node::handle::{Listed, SELECT_LIMIT_MAX, Select};
use node::view::{Expression, Facet, NamedField, Order, TownInfo, ValueCount};
use serde_json::{Value, json};

use super::envelope::Failure;
use super::groups::{self, Kind};
use super::parameters::Parameters;
use super::{Answer, Context, package, resources, search};

/// What this node claims to be compatible with.
const CKAN_VERSION: &str = "2.10";
/// Suggestions if no limit is asked for, and at most.
const SUGGESTIONS: (usize, usize) = (10, 100);

/// An action.
pub(super) struct Action {
    pub(super) name: &'static str,
    pub(super) run: fn(&Context<'_>, &Parameters) -> Answer,
    help: &'static str,
}

/// The action of that name.
pub(super) fn find(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}

const fn action(
    name: &'static str,
    run: fn(&Context<'_>, &Parameters) -> Answer,
    help: &'static str,
) -> Action {
    Action { name, run, help }
}

/// All actions.
#[rustfmt::skip]
static ACTIONS: &[Action] = &[
    action("package_search", search::package_search, "Searches open datasets.\n\n:param q: words, or a query with fields\n:param fq: a query that narrows the result\n:param fq_list: several of them\n:param sort: such as `id asc`\n:param rows: datasets to give, at most 1000\n:param start: datasets to skip\n:param facet.field: a JSON list of fields to count\n:param fl: fields to give"),
    action("package_show", package_show, "One open dataset.\n\n:param id: its id, name, identifier or IRI"),
    action("package_list", package_list, "Names of all open datasets, ascending.\n\n:param limit:\n:param offset:"),
    action("current_package_list_with_resources", current_packages, "Open datasets, newest first.\n\n:param limit: at most 1000\n:param offset:"),
    action("package_autocomplete", package_autocomplete, "Datasets with these words in their titles.\n\n:param q:\n:param limit:"),
    action("resource_show", resources::show, "One distribution.\n\n:param id:"),
    action("resource_search", resources::search, "Distributions that contain some letters.\n\n:param query: `field:letters`, or a list; fields are name, url, format, id"),
    action("organization_list", organisation_list, "The towns.\n\n:param all_fields:\n:param sort: title, name or package_count"),
    action("organization_show", organisation_show, "One town.\n\n:param id: short name or municipality key\n:param include_datasets: also its ten newest datasets"),
    action("group_list", group_list, "The EU data themes.\n\n:param all_fields:\n:param sort: title, name or package_count"),
    action("group_show", group_show, "One EU data theme.\n\n:param id: its code in small letters\n:param include_datasets: also its ten newest datasets"),
    action("group_package_show", groups::packages, "Datasets of a theme, newest first.\n\n:param id:\n:param limit: at most 1000"),
    action("tag_list", tag_list, "Keywords of open datasets, ascending.\n\n:param query: letters in them\n:param all_fields:"),
    action("tag_show", tag_show, "One keyword.\n\n:param id:\n:param include_datasets:"),
    action("license_list", licence_list, "DCAT-AP.de's licences."),
    action("status_show", status_show, "What this is."),
    action("site_read", site_read, "Whether the catalog may be read: it may."),
    action("help_show", help_show, "What an action is for.\n\n:param name:"),
];

impl Context<'_> {
    /// Everything of which an expression is true, up to a page.
    fn found(
        &self,
        expression: Expression,
        sort: Order,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Listed>, Failure> {
        let select = Select { expression, sort: vec![sort], offset, limit, facets: Vec::new() };
        Ok(self.handle.select(&select)?.datasets)
    }

    /// All keywords with their counts.
    fn tags(&self, expression: Expression) -> Result<Vec<ValueCount>, Failure> {
        let select =
            Select { expression, sort: vec![Order::Id], offset: 0, limit: 0, facets: vec![Facet::Keyword] };
        let mut found = self.handle.select_ids(&select)?.facets.remove(&Facet::Keyword).unwrap_or_default();
        found.sort_by(|one, other| one.value.cmp(&other.value));
        Ok(found)
    }

    fn packages_of(&self, found: &[Listed]) -> Value {
        found.iter().map(|listed| package::package(self, listed)).collect()
    }
}

fn package_show(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let given = match parameters.text("id")?.filter(|id| !id.is_empty()) {
        Some(id) => id,
        None => parameters.required("name_or_id")?,
    };
    let listed = match given.parse::<DatasetId>() {
        Ok(id) => context.handle.open_dataset(id)?,
        Err(_) => {
            let is = |field: NamedField| Expression::Is(field, given.clone());
            let expression = Expression::Or(vec![is(NamedField::Identifier), is(NamedField::Iri)]);
            context.found(expression, Order::Id, 0, 1)?.pop()
        }
    };
    listed.map(|listed| package::package(context, &listed)).ok_or_else(Failure::not_found)
}

fn package_list(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let select = Select {
        expression: Expression::All,
        sort: vec![Order::Id],
        offset: parameters.natural("offset")?.unwrap_or(0),
        limit: parameters.natural("limit")?.unwrap_or(usize::MAX),
        facets: Vec::new(),
    };
    let found = context.handle.select_ids(&select)?;
    Ok(found.ids.iter().map(|id| Value::String(id.to_string())).collect())
}

fn current_packages(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let limit = parameters.natural("limit")?.unwrap_or(SELECT_LIMIT_MAX).min(SELECT_LIMIT_MAX);
    let page = parameters.natural("page")?.unwrap_or(1).saturating_sub(1);
    let offset = parameters.natural("offset")?.unwrap_or(page.saturating_mul(limit));
    let found = context.found(Expression::All, Order::Modified, offset, limit)?;
    Ok(context.packages_of(&found))
}

fn package_autocomplete(context: &Context<'_>, parameters: &Parameters) -> Answer {
    suggested(context, parameters, parameters.required("q")?)
}

/// The same under the parameter of CKAN's own pages; no letters suggest nothing.
pub(super) fn autocomplete(context: &Context<'_>, parameters: &Parameters) -> Answer {
    match parameters.text("incomplete")?.filter(|letters| !letters.trim().is_empty()) {
        Some(letters) => suggested(context, parameters, letters),
        None => Ok(json!([])),
    }
}

fn suggested(context: &Context<'_>, parameters: &Parameters, words: String) -> Answer {
    let limit = parameters.natural("limit")?.unwrap_or(SUGGESTIONS.0).min(SUGGESTIONS.1);
    let found = context.found(Expression::Words(words), Order::Relevance, 0, limit)?;
    let suggestion = |listed: &Listed| {
        let title = package::title(&listed.dataset);
        json!({
            "name": listed.dataset.id, "title": title, "match_field": "title", "match_displayed": title,
        })
    };
    Ok(found.iter().map(suggestion).collect())
}

fn organisation_list(context: &Context<'_>, parameters: &Parameters) -> Answer {
    groups::list(context, parameters, Kind::Organisation)
}

fn organisation_show(context: &Context<'_>, parameters: &Parameters) -> Answer {
    groups::show(context, parameters, Kind::Organisation)
}

fn group_list(context: &Context<'_>, parameters: &Parameters) -> Answer {
    groups::list(context, parameters, Kind::Group)
}

fn group_show(context: &Context<'_>, parameters: &Parameters) -> Answer {
    groups::show(context, parameters, Kind::Group)
}

fn tag_list(context: &Context<'_>, parameters: &Parameters) -> Answer {
    if parameters.text("vocabulary_id")?.is_some_and(|vocabulary| !vocabulary.is_empty()) {
        return Err(Failure::NotFound(Some("there are free tags only".to_owned())));
    }
    let letters = parameters.text("query")?.unwrap_or_default().to_lowercase();
    let tags = context.tags(Expression::All)?.into_iter().map(|tag| tag.value);
    let tags = tags.filter(|name| name.to_lowercase().contains(&letters));
    Ok(match parameters.flag("all_fields", false)? {
        true => tags.map(|name| package::tag(&name)).collect(),
        false => tags.map(Value::String).collect(),
    })
}

fn tag_show(context: &Context<'_>, parameters: &Parameters) -> Answer {
    let name = parameters.required("id")?;
    let found = context.found(
        Expression::Is(NamedField::Keyword, name.clone()),
        Order::Modified,
        0,
        if parameters.flag("include_datasets", false)? { SELECT_LIMIT_MAX } else { 1 },
    )?;
    if found.is_empty() {
        return Err(Failure::not_found());
    }
    let mut tag = package::tag(&name);
    if parameters.flag("include_datasets", false)? {
        tag["packages"] = context.packages_of(&found);
    }
    Ok(tag)
}

fn licence_list(context: &Context<'_>, _: &Parameters) -> Answer {
    let licence = |concept: &crdt::vocabulary::Concept| {
        let open = concept.is(Mark::Open) || concept.is(Mark::ListedAsOpen);
        let conformance = if open { "approved" } else { "not reviewed" };
        json!({
            "id": concept.iri, "title": concept.label.in_lang(Lang::De), "url": concept.iri,
            "status": if concept.is(Mark::Retired) { "retired" } else { "active" },
            "maintainer": "", "family": "", "is_generic": false, "is_okd_compliant": open, "is_osi_compliant": false,
            "domain_content": false, "domain_data": true, "domain_software": false,
            "od_conformance": conformance, "osd_conformance": "not reviewed",
        })
    };
    Ok(context.lists().licences().concepts().iter().map(licence).collect())
}

fn status_show(context: &Context<'_>, _: &Parameters) -> Answer {
    Ok(status(&context.handle.town(), &context.base))
}

/// What `status_show` says.
pub(super) fn status(town: &TownInfo, base: &str) -> Value {
    json!({
        "site_title": format!("Datenkatalog {}", town.name),
        "site_description": format!("Offene Daten aller Städte des Verbunds, beantwortet von {}", town.name),
        "site_url": base,
        "ckan_version": CKAN_VERSION,
        "error_emails_to": null,
        "locale_default": "de",
        "extensions": [],
    })
}

fn site_read(_: &Context<'_>, _: &Parameters) -> Answer {
    Ok(true.into())
}

fn help_show(_: &Context<'_>, parameters: &Parameters) -> Answer {
    let name = parameters.required("name")?;
    let action = find(&name).ok_or_else(|| Failure::NotFound(Some("Action name not known".to_owned())))?;
    Ok(action.help.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_action_is_listed_twice_and_none_writes() {
        let mut names: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
        let writes = ["_create", "_update", "_delete", "_patch", "_upsert", "_purge"];
        assert!(names.iter().all(|name| !writes.iter().any(|write| name.ends_with(write))));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(ACTIONS.iter().all(|action| !action.help.is_empty()));
    }
}
