//! Datasets of a graph in DCAT-AP or DCAT-AP.de, of whichever version.
//!
//! Reads what the profiles ask for and what catalogs really send: IRIs where a
//! literal should be and the other way round, nodes without a type, persons
//! where offices should be.

use serde_json::Value;

use super::body::{Body, missing, propose_class, share};
use super::statements::{Node, Object, Statements};
use super::{ForeignRecord, places, services, values};
use crate::catalog::{Bilingual, Identifier, InvalidField, Iri, Mailbox, Phone};
use crate::vocabulary::Vocabularies;

/// Regulation (EU) 2023/138, which a high-value dataset names.
const HVD_REGULATION: &str = "data.europa.eu/eli/reg_impl/2023/138/oj";
/// IRIs of the Musterdatenkatalog's reference types begin so.
const MUSTERDATENKATALOG: &str = "musterdatenkatalog.de/def/";
/// Longest further identifier that is kept, in bytes, and how many of one dataset.
const FURTHER_BYTES_MAX: usize = 256;
const FURTHER_MAX: usize = 32;

impl Statements {
    /// The datasets of the graph, in the order of their names, their codes by
    /// the lists of a town.
    pub fn datasets(&self, lists: &Vocabularies) -> impl Iterator<Item = ForeignRecord> {
        self.of_class("dcat:Dataset").into_iter().map(|dataset| record(dataset, lists))
    }

    /// How many datasets the graph holds.
    pub fn dataset_count(&self) -> usize {
        self.of_class("dcat:Dataset").len()
    }
}

fn record(dataset: Node<'_>, lists: &Vocabularies) -> ForeignRecord {
    let mut body = Body::default();
    let names = names(dataset);
    if let Some(identifier) = dataset.first(&["dct:identifier"]).or(names.first().map(String::as_str)) {
        body.read("identifier", "dct:identifier", Some(identifier), Identifier::parse);
    }
    describe(dataset, &mut body);
    classify(dataset, lists, &mut body);
    place(dataset, &mut body);
    publisher(dataset, &mut body);
    contact(dataset, &mut body);
    distributions(dataset, lists, &mut body);
    let key = dataset.iri().map(str::to_owned).or_else(|| names.first().cloned());
    let titled = body.has("title");
    let (value, hints) = body.finish();
    let refused = match (&key, titled) {
        (Some(_), true) => None,
        (None, _) => Some(missing("dct:identifier")),
        (_, false) => Some(missing("dct:title")),
    };
    ForeignRecord {
        // Without a name its title says which record is refused.
        key: key.unwrap_or_else(|| dataset.first(&["dct:title"]).unwrap_or_default().to_owned()),
        names,
        modified: dataset.first(&["dct:modified"]).map(str::to_owned),
        body: refused.map_or(Ok(value), |reason| Err(vec![reason])),
        hints,
    }
}

/// Everything the dataset is called, its own identifier first.
fn names(dataset: Node<'_>) -> Vec<String> {
    let mut names: Vec<String> = dataset.values("dct:identifier").into_iter().map(str::to_owned).collect();
    names.extend(dataset.iri().map(str::to_owned));
    for object in dataset.all("adms:identifier") {
        names.extend(object.value().map(str::to_owned));
    }
    for node in dataset.follow("adms:identifier") {
        names.extend(node.values("skos:notation").into_iter().map(str::to_owned));
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Further identifiers of the source: by their notation, or as they stand.
fn further_identifiers(dataset: Node<'_>, body: &mut Body) {
    let nodes = dataset.follow("adms:identifier");
    let mut given: Vec<&str> = nodes.iter().flat_map(|node| node.values("skos:notation")).collect();
    if nodes.is_empty() {
        given = dataset.values("adms:identifier");
    }
    let mut identifiers = Vec::new();
    for text in given.into_iter().filter(|text| text.len() <= FURTHER_BYTES_MAX).take(FURTHER_MAX) {
        identifiers.extend(body.take("adms:identifier", Identifier::parse(text)).map(|one| one.to_string()));
    }
    if !identifiers.is_empty() {
        body.set("other_identifiers", identifiers);
    }
}

fn describe(dataset: Node<'_>, body: &mut Body) {
    further_identifiers(dataset, body);
    texts(dataset, "dct:title", |lang, text| body.line(&format!("title/{lang}"), "dct:title", Some(text)));
    texts(dataset, "dct:description", |lang, text| {
        body.prose(&format!("description/{lang}"), "dct:description", Some(text));
    });
    let words = dataset.all("dcat:keyword");
    for (lang, english) in [("de", false), ("en", true)] {
        let of_lang = words.iter().filter(|word| is_english(word) == english).filter_map(|word| word.value());
        body.keywords(&format!("keywords/{lang}"), "dcat:keyword", &of_lang.collect::<Vec<_>>());
    }
    body.prose("internal/legal_basis", "dcatde:legalBasis", dataset.first(&["dcatde:legalBasis"]));
}

fn classify(dataset: Node<'_>, lists: &Vocabularies, body: &mut Body) {
    if let Some(rights) = dataset.first(&["dct:accessRights"]) {
        propose_class(body, rights);
    }
    let mut themes = Vec::new();
    for theme in dataset.values("dcat:theme") {
        themes.extend(body.take("dcat:theme", values::theme(lists, theme)));
    }
    if !themes.is_empty() {
        body.set("themes", themes);
    }
    let references = dataset.values("dct:references").into_iter();
    let types: Vec<&str> = references.filter(|iri| iri.contains(MUSTERDATENKATALOG)).collect();
    body.read("musterdatensatz", "dct:references", types.first().copied(), Iri::parse);
    let frequency = label_or_value(dataset, "dct:accrualPeriodicity");
    body.read("frequency", "dct:accrualPeriodicity", frequency, |text| values::frequency(lists, text));
    body.read("in_series", "dcat:inSeries", dataset.first(&["dcat:inSeries"]), Iri::parse);
    let mut categories = Vec::new();
    for category in dataset.values("dcatap:hvdCategory") {
        categories.extend(body.take("dcatap:hvdCategory", values::hvd_category(lists, category)));
    }
    let laws = dataset.values("dcatap:applicableLegislation");
    if !categories.is_empty() || laws.iter().any(|law| law.trim_end_matches('/').ends_with(HVD_REGULATION)) {
        body.set("hvd", "ja");
    }
    if !categories.is_empty() {
        body.set("hvd_categories", categories);
    }
}

fn place(dataset: Node<'_>, body: &mut Body) {
    let mut codes = dataset.values("dcatde:politicalGeocodingURI");
    codes.extend(dataset.values("dct:spatial").into_iter().filter(|iri| iri.contains("politicalGeocoding/")));
    // The narrowest place says most; a name that the list does not know, least.
    codes.sort_by_key(|iri| LEVELS.iter().position(|level| iri.contains(level)).unwrap_or(LEVELS.len()));
    let code = codes.first().map(|code| values::dcat_ap_de(code));
    body.read("spatial/geocoding", "dcatde:politicalGeocodingURI", code.as_deref(), Iri::parse);
    let places = dataset.follow("dct:spatial");
    let geometry = ["dcat:bbox", "locn:geometry", "dcat:centroid"].into_iter().find_map(|property| {
        let shapes = places.iter().flat_map(|place| place.values(property));
        let mut read = shapes.map(|shape| (property, shape)).peekable();
        let first = read.peek().copied();
        read.find(|(_, shape)| places::rectangle(shape).is_ok()).or(first)
    });
    if let Some((property, shape)) = geometry {
        body.read("spatial/bbox", property, Some(shape), places::rectangle);
    }
    let unit = places.iter().find_map(|place| place.first(&["label"]));
    body.line("spatial/unit", "skos:prefLabel", unit);
    let periods = dataset.follow("dct:temporal");
    if let Some(period) = periods.first() {
        let moment = |written: &str, long: &str| {
            period.first(&[written]).or_else(|| period.follow(long).first()?.first(&["time:in"]))
        };
        body.read("temporal/start", "dcat:startDate", moment("start", "time:hasBeginning"), values::day);
        body.read("temporal/end", "dcat:endDate", moment("end", "time:hasEnd"), values::day);
    }
}

/// From the narrowest to the widest.
const LEVELS: [&str; 6] = [
    "municipalityKey/",
    "municipalAssociationKey/",
    "regionalKey/",
    "districtKey/",
    "governmentDistrictKey/",
    "stateKey/",
];

fn publisher(dataset: Node<'_>, body: &mut Body) {
    let Some(agent) = dataset.follow("dct:publisher").into_iter().next() else {
        return body.line("publisher/name", "dct:publisher", dataset.first(&["dct:publisher"]));
    };
    body.line("publisher/name", "foaf:name", agent.first(&["foaf:name", "vcard:fn", "label"]));
    body.read("publisher/iri", "dct:publisher", agent.iri(), Iri::parse);
    body.read("publisher/url", "foaf:homepage", agent.first(&["foaf:homepage"]), Iri::parse);
    let offices = dataset.follow("geodcatap:custodian");
    let department = offices.iter().find_map(|office| office.first(&["foaf:name"]));
    body.line("department", "geodcatap:custodian", department);
}

pub(super) fn contact(dataset: Node<'_>, body: &mut Body) {
    let Some(office) = dataset.follow("dcat:contactPoint").into_iter().next() else { return };
    let person = office.is_a("vcard:Individual");
    let named = office.first(&["vcard:organization-name", "vcard:fn", "foaf:name"]);
    if person && office.first(&["vcard:organization-name"]).is_none() {
        if let Some(name) = named {
            body.hint(personal(name));
        }
    } else {
        body.line("contact/name", "vcard:fn", named);
    }
    let through = |property: &str| {
        let direct = office.first(&[property]);
        direct.or_else(|| office.follow(property).first()?.first(&["rdf:value"]))
    };
    if !person {
        let email = through("vcard:hasEmail").or_else(|| office.first(&["foaf:mbox"]));
        body.read("contact/email", "vcard:hasEmail", email, Mailbox::parse);
        let phone = through("vcard:hasTelephone").or_else(|| office.first(&["foaf:phone"]));
        body.read("contact/phone", "vcard:hasTelephone", phone, Phone::parse);
    }
    body.read("contact/url", "vcard:hasURL", through("vcard:hasURL"), Iri::parse);
}

/// A person's name, which is not taken over.
pub(super) fn personal(name: &str) -> InvalidField {
    InvalidField::new(
        "dcat:contactPoint",
        name,
        Bilingual::fixed("nennt eine Person und wurde nicht übernommen", "names a person and was not taken"),
        Bilingual::fixed(
            "eine Stelle mit Funktionspostfach eintragen",
            "enter an office with a role mailbox",
        ),
    )
}

fn distributions(dataset: Node<'_>, lists: &Vocabularies, body: &mut Body) {
    let nodes = dataset.follow("dcat:distribution").into_iter();
    let mut read: Vec<services::Part<'_>> = nodes.map(|node| distribution(node, lists)).collect();
    body.read("licence", "dct:license", licence_of(dataset, lists), |text| values::licence(lists, text));
    let own = dataset.first(&["dcatde:licenseAttributionByText"]);
    body.line("attribution", "dcatde:licenseAttributionByText", own);
    services::read(dataset, lists, body, &mut read);
    let mut parts: Vec<_> = read.into_iter().map(|(_, id, part)| (id, part)).collect();
    share(body, &mut parts, "licence", "licence");
    share(body, &mut parts, "attribution", "attribution");
    share(body, &mut parts, "modified", "data_modified");
    if !body.has("data_modified") {
        let newest = parts.iter().filter_map(|(_, part)| part.text("modified")).max();
        let day = newest.or(dataset.first(&["dct:modified"])).map(str::to_owned);
        body.read("data_modified", "dct:modified", day.as_deref(), values::day);
    }
    if parts.is_empty() {
        // A page about the data is a way to them.
        let mut page = Body::default();
        page.read("access_url", "dcat:landingPage", dataset.first(&["dcat:landingPage"]), Iri::parse);
        parts.push((None, page));
    }
    body.distributions("dcat:distribution", parts);
}

fn distribution<'a>(node: Node<'a>, lists: &Vocabularies) -> services::Part<'a> {
    let mut body = Body::default();
    texts(node, "dct:title", |lang, text| body.line(&format!("title/{lang}"), "dct:title", Some(text)));
    texts(node, "dct:description", |lang, text| {
        body.prose(&format!("description/{lang}"), "dct:description", Some(text));
    });
    let services = node.follow("dcat:accessService");
    let endpoint = services.iter().find_map(|service| service.first(&["dcat:endpointURL"]));
    let access = node.first(&["dcat:accessURL"]).or(endpoint);
    body.read("access_url", "dcat:accessURL", access, Iri::parse);
    body.read("download_url", "dcat:downloadURL", node.first(&["dcat:downloadURL"]), Iri::parse);
    let media = label_or_value(node, "dcat:mediaType");
    let named = label_or_value(node, "dct:format").or(media);
    let format = named.map(|name| values::format(lists, name));
    body.read("format", "dct:format", format.as_deref(), crate::catalog::Format::parse);
    let media = media.and_then(values::media_type);
    body.line("media_type", "dcat:mediaType", media.as_deref());
    body.read("licence", "dct:license", licence_of(node, lists), |text| values::licence(lists, text));
    let attribution = node.first(&["dcatde:licenseAttributionByText"]);
    body.line("attribution", "dcatde:licenseAttributionByText", attribution);
    body.read("status", "adms:status", node.first(&["adms:status"]), |text| values::status(lists, text));
    body.read("modified", "dct:modified", node.first(&["dct:modified"]), values::day);
    if let Some(size) = node.first(&["dcat:byteSize"])
        && let Some(size) = body.take("dcat:byteSize", values::byte_size(size))
    {
        body.set("byte_size", Value::from(size));
    }
    let id = node.iri().and_then(|iri| iri.rsplit(['/', '#']).next());
    // Our own export names the part of the dataset that it is.
    let id = id.map(|id| id.strip_prefix("distribution-").unwrap_or(id).to_owned());
    (node, id, body)
}

/// The licence, or what stands in `dct:rights` where older records put it.
pub(super) fn licence_of<'a>(node: Node<'a>, lists: &Vocabularies) -> Option<&'a str> {
    let rights = node.first(&["dct:rights"]).filter(|rights| values::licence(lists, rights).is_ok());
    label_or_value(node, "dct:license").or(rights)
}

/// The value of a property, or the label of the blank node it leads to.
fn label_or_value<'a>(node: Node<'a>, property: &str) -> Option<&'a str> {
    node.first(&[property]).or_else(|| node.follow(property).first()?.first(&["label", "rdf:value"]))
}

/// The German and the English text of a property: `de` before no language
/// before any other, which is better than none.
pub(super) fn texts(node: Node<'_>, property: &str, mut put: impl FnMut(&str, &str)) {
    let given = node.all(property);
    let rank = |object: &Object| match object {
        Object::Text(_, Some(lang)) if lang.starts_with("de") => 0,
        Object::Text(_, None) => 1,
        _ => 2,
    };
    let english = given.iter().copied().find(is_english).and_then(Object::value);
    let others = given.iter().copied().filter(|object| !is_english(object));
    let german = others.min_by_key(rank).and_then(Object::value);
    if let Some(text) = german {
        put("de", text);
    }
    if let Some(text) = english {
        put("en", text);
    }
}

fn is_english(object: &Object<'_>) -> bool {
    matches!(object, Object::Text(_, Some(lang)) if lang.starts_with("en"))
}
