//! A dataset as CKAN writes it: the package dict with all keys that clients
//! insist on, its resources, tags, groups and extras.
//!
//! INVARIANT: a package's `id` and `name` are the dataset's UUID. It never
//! changes, two towns never choose the same, and `/dataset/{name}`, which
//! clients put together themselves, is the dataset's page on any node.

use crdt::catalog::{Class, Dataset, Distribution, Lang, LicenceIri, Theme, Timestamp};
use crdt::ids::UnixMillis;
use crdt::vocabulary::{Mark, Vocabularies};
use node::handle::Listed;
use node::view::TownInfo;
use serde_json::{Map, Value, json};

use super::Context;

/// EU languages begin with this.
const LANGUAGE: &str = "http://publications.europa.eu/resource/authority/language/";
/// EU access rights begin with this.
pub(super) const ACCESS_RIGHT: &str = "http://publications.europa.eu/resource/authority/access-right/";

/// A whole dataset.
pub(super) fn package(context: &Context<'_>, listed: &Listed) -> Value {
    let dataset = &listed.dataset;
    let town = listed.town.to_string();
    let organisation = context.members.iter().find(|one| one.town == listed.town);
    let licence = dataset.licence.as_ref();
    let lists = context.lists();
    // Without it the package is whole all the same.
    let contributor = context.contributor(listed.town).ok().flatten();
    let resources: Vec<Value> = resources(listed, lists);
    let tags: Vec<Value> = tags(dataset).map(|name| tag(&name)).collect();
    let groups: Vec<Value> = dataset.themes.iter().map(|theme| group(*theme, lists)).collect();
    json!({
        "id": dataset.id,
        "name": dataset.id,
        "title": title(dataset),
        "notes": dataset.description.best(Lang::De).map(|text| text.as_str()).unwrap_or_default(),
        "url": dataset.iri,
        "version": "",
        "author": dataset.publisher.name.as_ref().map(|name| name.as_str()).unwrap_or_default(),
        "author_email": "",
        "maintainer": dataset.contact.name.as_ref().map(|name| name.as_str()).unwrap_or_default(),
        "maintainer_email": dataset.contact.email.as_ref().map(|mailbox| mailbox.as_str()).unwrap_or_default(),
        "license_id": licence.map(|licence| licence.as_str()).unwrap_or_default(),
        "license_title": licence.map(|licence| licence.label_in(lists)).unwrap_or_default(),
        "license_url": licence.map(|licence| licence.as_str()).unwrap_or_default(),
        "isopen": licence.is_some_and(|licence| is_open(licence, lists)),
        "owner_org": town,
        "organization": organisation.map(organisation_of_package),
        "private": false,
        "state": "active",
        "type": "dataset",
        "creator_user_id": null,
        "metadata_created": moment(created(listed)),
        "metadata_modified": moment(modified(listed)),
        "num_resources": resources.len(),
        "num_tags": tags.len(),
        "resources": resources,
        "tags": tags,
        "groups": groups,
        "extras": extras(dataset, contributor),
        "relationships_as_subject": [],
        "relationships_as_object": [],
    })
}

/// Names of the tags, each once, whatever its languages.
fn tags(dataset: &Dataset) -> impl Iterator<Item = String> {
    let all: std::collections::BTreeSet<String> =
        dataset.keywords.iter().map(|keyword| keyword.word.as_str().to_owned()).collect();
    all.into_iter()
}

/// What people read as the title.
pub(super) fn title(dataset: &Dataset) -> &str {
    dataset.title.best(Lang::De).map(|title| title.as_str()).unwrap_or_default()
}

/// A keyword; its name is its id, for it has no other.
pub(super) fn tag(name: &str) -> Value {
    json!({"id": name, "name": name, "display_name": name, "state": "active", "vocabulary_id": null})
}

/// An EU data theme as a group.
pub(super) fn group(theme: Theme, lists: &Vocabularies) -> Value {
    let (name, title) = (theme.code().to_lowercase(), theme.label_in(lists, Lang::De));
    json!({
        "id": name, "name": name, "title": title, "display_name": title,
        "description": "", "image_display_url": "",
    })
}

fn organisation_of_package(town: &TownInfo) -> Value {
    json!({
        "id": town.town.to_string(), "name": town.code, "title": town.name, "type": "organization",
        "description": "", "image_url": "", "created": null, "is_organization": true,
        "approval_status": "approved", "state": "active",
    })
}

/// The distributions of a dataset, in their order.
pub(super) fn resources(listed: &Listed, lists: &Vocabularies) -> Vec<Value> {
    let all = listed.dataset.distributions.iter().enumerate();
    all.map(|(position, distribution)| resource(listed, position, distribution, lists)).collect()
}

fn resource(listed: &Listed, position: usize, distribution: &Distribution, lists: &Vocabularies) -> Value {
    let dataset = &listed.dataset;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let url =
        distribution.download_url.as_ref().or(distribution.access_url.as_ref()).or(dataset.iri.as_ref());
    let day = distribution.modified.map(|day| format!("{day}T00:00:00.000000"));
    let format = distribution.format.as_ref().map(|format| format.as_str());
    let mut resource = json!({
        "id": distribution.uuid(dataset.id),
        "package_id": dataset.id,
        "name": text(distribution.title.best(Lang::De).map(|title| title.as_str())),
        "description": text(distribution.description.best(Lang::De).map(|text| text.as_str())),
        "format": text(format),
        "url": url,
        "mimetype": distribution.media_type,
        "mimetype_inner": null,
        "size": distribution.byte_size,
        "hash": "",
        "position": position,
        "resource_type": if format.is_some_and(|format| is_service(format, lists)) { "api" } else { "file" },
        "state": "active",
        "url_type": null,
        "created": moment(created(listed)),
        "last_modified": day,
        "metadata_modified": moment(modified(listed)),
        "cache_url": null,
        "cache_last_updated": null,
        "datastore_active": false,
    });
    let more = [
        ("access_url", distribution.access_url.as_ref().map(|url| url.as_str())),
        ("download_url", distribution.download_url.as_ref().map(|url| url.as_str())),
        (
            "license",
            distribution.licence.as_ref().or(dataset.licence.as_ref()).map(|licence| licence.as_str()),
        ),
        ("license_attribution", distribution.attribution.as_ref().map(|line| line.as_str())),
    ];
    if let Value::Object(resource) = &mut resource {
        let given = more.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
        resource.extend(given);
    }
    resource
}

/// Whether open data may carry the licence.
fn is_open(licence: &LicenceIri, lists: &Vocabularies) -> bool {
    lists.licences().iri(licence.as_str()).is_some_and(|concept| concept.is(Mark::Open))
}

fn is_service(format: &str, lists: &Vocabularies) -> bool {
    lists.formats().find(format).is_some_and(|concept| concept.is(Mark::Service))
}

/// What CKAN has no key for, under the names that users of DCAT know.
fn extras(dataset: &Dataset, contributor: Option<String>) -> Vec<Value> {
    let mut extras = Map::new();
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            extras.insert(key.to_owned(), value.into());
        }
    };
    let list = |values: Vec<String>| (!values.is_empty()).then(|| json!(values).to_string());
    let iri = dataset.iri.as_ref().map(ToString::to_string);
    add("uri", iri.clone());
    add("guid", iri);
    add("identifier", dataset.identifier.as_ref().map(ToString::to_string));
    add("alternate_identifier", list(dataset.other_identifiers.iter().map(ToString::to_string).collect()));
    add("issued", dataset.issued.map(|at| at.to_string()));
    add("modified", dataset.modified.map(|at| at.to_string()));
    add("publisher_name", dataset.publisher.name.as_ref().map(ToString::to_string));
    add("publisher_uri", dataset.publisher.iri.as_ref().map(ToString::to_string));
    add("publisher_url", dataset.publisher.url.as_ref().map(ToString::to_string));
    add("contact_name", dataset.contact.name.as_ref().map(ToString::to_string));
    add("contact_email", dataset.contact.email.as_ref().map(ToString::to_string));
    add("contact_uri", dataset.contact.url.as_ref().map(ToString::to_string));
    let spoken = dataset.title.iter().map(|(lang, _)| match lang {
        Lang::De => format!("{LANGUAGE}DEU"),
        Lang::En => format!("{LANGUAGE}ENG"),
    });
    add("language", list(spoken.collect()));
    add("contributorID", list(contributor.into_iter().collect()));
    add("theme", list(dataset.themes.iter().filter_map(|theme| theme.iri()).collect()));
    let access = match dataset.class {
        Class::Open => "PUBLIC",
        Class::Shared => "RESTRICTED",
        Class::Closed => "NON_PUBLIC",
    };
    add("access_rights", Some(format!("{ACCESS_RIGHT}{access}")));
    add("frequency", dataset.frequency.and_then(|frequency| frequency.iri()));
    add("spatial", dataset.spatial.bbox.as_ref().map(|bbox| polygon(bbox.degrees()).to_string()));
    add("spatial_uri", dataset.spatial.geocoding.as_ref().map(ToString::to_string));
    add("temporal_start", dataset.temporal.start.map(|day| day.to_string()));
    add("temporal_end", dataset.temporal.end.map(|day| day.to_string()));
    add("license_attribution", dataset.attribution.as_ref().map(ToString::to_string));
    add("hvd_category", list(dataset.hvd_categories.iter().filter_map(|one| one.iri()).collect()));
    add("references", dataset.musterdatensatz.as_ref().map(ToString::to_string));
    add("in_series", dataset.in_series.as_ref().map(ToString::to_string));
    extras.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// A rectangle as GeoJSON, counter-clockwise.
fn polygon([west, south, east, north]: [f64; 4]) -> Value {
    let ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
    json!({"type": "Polygon", "coordinates": [ring]})
}

fn created(listed: &Listed) -> UnixMillis {
    let first = listed.dataset.issued.or(listed.dataset.modified);
    first.map_or(listed.at, Timestamp::unix)
}

fn modified(listed: &Listed) -> UnixMillis {
    listed.dataset.modified.map_or(listed.at, Timestamp::unix)
}

/// A moment in CKAN's form: UTC, microseconds, no `Z`.
fn moment(at: UnixMillis) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
}
