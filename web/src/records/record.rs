//! A dataset as a record: GeoJSON with the properties of OGC API – Records,
//! Part 1, `recordGeoJSON.yaml`.

use crdt::catalog::{Dataset, Distribution, Lang, LicenceIri, Temporal};
use crdt::vocabulary::Vocabularies;
use node::handle::Listed;
use node::view::TownInfo;
use serde_json::{Map, Value, json};

use super::{GEOJSON, Link, collections};

/// Scheme of the themes.
const THEMES: &str = "http://publications.europa.eu/resource/authority/data-theme";
/// What every record fulfils.
const RECORD_CORE: &str = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core";

/// Licences of DCAT-AP.de's list by their SPDX names.
const SPDX: [(&str, &str); 15] = [
    ("dl-zero-de/2.0", "DL-DE-ZERO-2.0"),
    ("dl-by-de/2.0", "DL-DE-BY-2.0"),
    ("cc-zero", "CC0-1.0"),
    ("cc-by/4.0", "CC-BY-4.0"),
    ("cc-by-de/3.0", "CC-BY-3.0-DE"),
    ("cc-by-sa/4.0", "CC-BY-SA-4.0"),
    ("cc-by-sa-de/3.0", "CC-BY-SA-3.0-DE"),
    ("cc-by-nc/4.0", "CC-BY-NC-4.0"),
    ("cc-by-nc-de/3.0", "CC-BY-NC-3.0-DE"),
    ("cc-by-nd/3.0", "CC-BY-ND-3.0"),
    ("cc-by-nd/4.0", "CC-BY-ND-4.0"),
    ("odcpddl", "PDDL-1.0"),
    ("odby", "ODC-By-1.0"),
    ("odbl", "ODbL-1.0"),
    ("gfdl", "GFDL-1.3-or-later"),
];

/// What stands for a licence that has no SPDX name.
pub(super) const NO_SPDX: &str = "other";

/// Services that GIS programs load, and what these call them where another
/// link says its media type.
const SERVICES: [&str; 4] = ["WMS", "WFS", "WCS", "WMTS"];

/// What a record needs to know of its surroundings.
#[derive(Debug, Clone)]
pub(super) struct Surroundings<'a> {
    /// Absolute base of links.
    pub(super) base: String,
    /// Collection in whose name it is given.
    pub(super) collection: String,
    /// Language that texts are given in where there are two.
    pub(super) lang: Lang,
    /// The lists of codes that this town goes by.
    pub(super) lists: &'a Vocabularies,
}

/// The record of a dataset.
pub(super) fn record(listed: &Listed, town: &TownInfo, around: &Surroundings<'_>) -> Value {
    let dataset = &listed.dataset;
    json!({
        "id": dataset.id.to_string(),
        "type": "Feature",
        "conformsTo": [RECORD_CORE],
        "time": time(&dataset.temporal),
        "geometry": geometry(dataset),
        "properties": properties(dataset, town, around),
        "links": links(dataset, town, around),
    })
}

fn time(temporal: &Temporal) -> Value {
    let day = |day: Option<crdt::catalog::Date>| day.map_or("..".to_owned(), |day| day.to_string());
    match (temporal.start, temporal.end) {
        (None, None) => Value::Null,
        (Some(start), Some(end)) if start == end => json!({"date": start.to_string()}),
        (start, end) => json!({"interval": [day(start), day(end)]}),
    }
}

/// The rectangle counter-clockwise from its south-western corner; clients take
/// the first and the third corner for its bounds.
fn geometry(dataset: &Dataset) -> Value {
    let Some(bbox) = &dataset.spatial.bbox else { return Value::Null };
    let [west, south, east, north] = bbox.degrees();
    if west == east && south == north {
        return json!({"type": "Point", "coordinates": [west, south]});
    }
    let ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
    json!({"type": "Polygon", "coordinates": [ring]})
}

fn properties(dataset: &Dataset, town: &TownInfo, around: &Surroundings<'_>) -> Value {
    let lang = around.lang;
    let mut properties = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        properties.extend(value.map(|value| (name.to_owned(), value)));
    };
    let text = |text: &dyn ToString| Some(Value::from(text.to_string()));
    put("type", Some("dataset".into()));
    let identifier = || dataset.id.to_string();
    put("title", Some(dataset.title.best(lang).map_or_else(identifier, ToString::to_string).into()));
    put("description", dataset.description.best(lang).and_then(|one| text(one)));
    put("created", dataset.issued.as_ref().and_then(|at| text(at)));
    put("updated", dataset.modified.as_ref().and_then(|at| text(at)));
    let keywords: Vec<String> = dataset.keywords.iter().map(|one| one.word.to_string()).collect();
    put("keywords", (!keywords.is_empty()).then(|| keywords.into()));
    put("themes", themes(dataset, around));
    let spoken = if dataset.title.get(lang).is_some() { lang } else { super::other(lang) };
    put("language", Some(language(spoken)));
    let identifiers = dataset.identifier.iter().chain(&dataset.other_identifiers);
    let external: Vec<Value> = identifiers.map(|one| json!({"value": one.as_str()})).collect();
    put("externalIds", (!external.is_empty()).then(|| external.into()));
    put("formats", formats(dataset));
    put("contacts", contacts(dataset));
    put("license", dataset.licence.as_ref().map(|licence| spdx(licence).into()));
    put("rights", dataset.attribution.as_ref().and_then(|one| text(one)));
    put("town", Some(town.code.clone().into()));
    properties.into()
}

fn language(lang: Lang) -> Value {
    match lang {
        Lang::De => json!({"code": "de", "name": "Deutsch", "alternate": "German"}),
        Lang::En => json!({"code": "en", "name": "English"}),
    }
}

fn themes(dataset: &Dataset, around: &Surroundings<'_>) -> Option<Value> {
    let concept = |theme: &crdt::catalog::Theme| {
        let title = theme.label_in(around.lists, around.lang);
        json!({"id": theme.code(), "title": title, "url": theme.iri()})
    };
    let concepts: Vec<Value> = dataset.themes.iter().map(concept).collect();
    (!concepts.is_empty()).then(|| json!([{"scheme": THEMES, "concepts": concepts}]))
}

fn formats(dataset: &Dataset) -> Option<Value> {
    let media_type = |format: &crdt::catalog::Format| {
        let of_it = |one: &&Distribution| one.format.as_ref() == Some(format);
        dataset.distributions.iter().filter(of_it).find_map(|one| one.media_type.as_ref())
    };
    let one = |format: &crdt::catalog::Format| match media_type(format) {
        Some(media_type) => json!({"name": format.as_str(), "mediaType": media_type.as_str()}),
        None => json!({"name": format.as_str()}),
    };
    let all: Vec<Value> = dataset.all_formats().into_iter().map(one).collect();
    (!all.is_empty()).then(|| all.into())
}

/// Publisher and office to ask; never a person.
fn contacts(dataset: &Dataset) -> Option<Value> {
    let mut contacts = Vec::new();
    if let Some(name) = &dataset.publisher.name {
        let mut publisher = json!({"organization": name.as_str(), "roles": ["publisher"]});
        if let Some(url) = &dataset.publisher.url {
            publisher["links"] = json!([{"rel": "about", "type": "text/html", "href": url.as_str()}]);
        }
        contacts.push(publisher);
    }
    let contact = &dataset.contact;
    let name = contact.name.as_ref().or(dataset.publisher.name.as_ref());
    if let Some(name) = name.filter(|_| !contact.is_empty()) {
        let mut office = json!({"name": name.as_str(), "roles": ["pointOfContact"]});
        if let Some(email) = &contact.email {
            office["emails"] = json!([{"value": email.to_string()}]);
        }
        if let Some(phone) = contact.phone.as_ref().and_then(|phone| e164(phone.as_str())) {
            office["phones"] = json!([{"value": phone}]);
        }
        if let Some(url) = &contact.url {
            office["links"] = json!([{"rel": "about", "type": "text/html", "href": url.as_str()}]);
        }
        contacts.push(office);
    }
    (!contacts.is_empty()).then(|| contacts.into())
}

/// A telephone number in the only form that the schema takes, if it has it.
fn e164(phone: &str) -> Option<String> {
    let digits: String = phone.strip_prefix('+')?.chars().filter(char::is_ascii_digit).collect();
    let fine = (4..=15).contains(&digits.len()) && !digits.starts_with('0');
    fine.then(|| format!("+{digits}"))
}

/// The SPDX name of a licence; `other` if it has none, as the standard wants.
pub(super) fn spdx(licence: &LicenceIri) -> &'static str {
    let of = |(path, _): &&(&str, &str)| licence.as_str().ends_with(&format!("/def/licenses/{path}"));
    SPDX.iter().find(of).map_or(NO_SPDX, |(_, name)| name)
}

/// The licences that have an SPDX name, each with its name and its IRI.
pub(super) fn licences() -> impl Iterator<Item = (&'static str, String)> {
    SPDX.iter().filter_map(|(path, name)| Some((*name, LicenceIri::parse(path).ok()?.to_string())))
}

/// The licence with an SPDX name.
pub(super) fn licence_named(name: &str) -> Option<LicenceIri> {
    let (path, _) = SPDX.iter().find(|(_, spdx)| spdx.eq_ignore_ascii_case(name))?;
    LicenceIri::parse(path).ok()
}

fn links(dataset: &Dataset, town: &TownInfo, around: &Surroundings<'_>) -> Vec<Link> {
    let Surroundings { base, collection, .. } = around;
    let id = dataset.id;
    let own = format!("{base}/collections/{collection}");
    let mut links = vec![
        Link::new("self", GEOJSON, "This record", format!("{own}/items/{id}")),
        Link::new("collection", super::JSON, "Its collection", own),
        Link::new("alternate", "text/html", "The dataset in the portal", format!("{base}/dataset/{id}")),
    ];
    if *collection != town.code {
        let of_town = format!("{base}/collections/{}/items/{id}", collections::id_of(town));
        links.push(Link::new("related", GEOJSON, "The record in its town's collection", of_town));
    }
    if let Some(iri) = &dataset.iri {
        links.push(Link { rel: "canonical", media_type: None, title: None, href: iri.to_string() });
    }
    let licences =
        dataset.licence.iter().chain(dataset.distributions.iter().filter_map(|one| one.licence.as_ref()));
    for licence in licences {
        let label = Some(licence.label_in(around.lists).to_owned()).filter(|label| !label.is_empty());
        let link = Link { rel: "license", media_type: None, title: label, href: licence.to_string() };
        if !links.contains(&link) {
            links.push(link);
        }
    }
    links.extend(dataset.distributions.iter().flat_map(|one| ways(one, around.lang)));
    links
}

/// How a distribution is got: what can be downloaded, and where to begin.
fn ways(one: &Distribution, lang: Lang) -> Vec<Link> {
    let format = one.format.as_ref().map(|format| format.as_str());
    let title = one.title.best(lang).map(ToString::to_string).or(format.map(str::to_owned));
    let service = format.and_then(|format| SERVICES.iter().find(|name| format.eq_ignore_ascii_case(name)));
    let given = one.media_type.as_ref().map(|media_type| media_type.as_str().to_owned());
    let media_type = service.map(|name| format!("OGC:{name}")).or(given);
    let link = |rel, href: &crdt::catalog::Iri, media_type: Option<String>| Link {
        rel,
        media_type,
        title: title.clone(),
        href: href.to_string(),
    };
    let mut ways = Vec::new();
    if let Some(url) = &one.download_url {
        ways.push(link("enclosure", url, media_type.clone()));
    }
    if let Some(url) = one.access_url.as_ref().filter(|url| Some(*url) != one.download_url.as_ref()) {
        let rel = if service.is_some() { "service" } else { "item" };
        ways.push(link(rel, url, media_type));
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_have_the_names_that_spdx_gives_them() {
        for (path, name) in SPDX {
            let Ok(licence) = LicenceIri::parse(path) else { panic!("{path} is in no list") };
            assert_eq!(spdx(&licence), name);
            assert_eq!(licence_named(&name.to_lowercase()), Some(licence));
        }
        assert_eq!(spdx(&LicenceIri::parse("other-closed").unwrap()), "other");
        assert_eq!(licence_named("other"), None);
    }

    #[test]
    fn telephones_are_given_as_the_schema_wants_them_or_not_at_all() {
        assert_eq!(e164("+49 2921 103-0").as_deref(), Some("+4929211030"));
        assert_eq!(e164("02921 1030"), None);
        assert_eq!(e164("+0123456"), None);
    }

    #[test]
    fn times_are_days_intervals_or_nothing() {
        let day = |text| Some(crdt::catalog::Date::parse(text).unwrap());
        let said = |start, end| time(&Temporal { start, end });
        assert_eq!(said(None, None), Value::Null);
        assert_eq!(said(day("2020-01-01"), None), json!({"interval": ["2020-01-01", ".."]}));
        assert_eq!(said(day("2020-01-01"), day("2020-01-01")), json!({"date": "2020-01-01"}));
    }
}
