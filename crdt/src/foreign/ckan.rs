//! Package dicts of CKAN's Action API, plain or with the fields that
//! ckanext-dcat and ckanext-dcatde add, inline or among the extras.

use serde_json::Value;

use super::body::{Body, missing, propose_class, share};
use super::dcat::personal;
use super::{ForeignRecord, places, values};
use crate::catalog::{Bilingual, Identifier, InvalidField, Iri, Mailbox};
use crate::vocabulary::Vocabularies;

/// Most bytes of a JSON list that stands as text in an extra.
const LIST_BYTES_MAX: usize = 64 * 1024;

/// Reads one package dict, its codes by the lists of a town.
pub fn read_package(package: &Value, lists: &Vocabularies) -> ForeignRecord {
    let package = Package(package);
    let mut body = Body::default();
    let names = package.names();
    let key = package.text(&["id"]).or_else(|| package.text(&["name"])).or_else(|| names.first().cloned());
    let identifier = names.first().map(String::as_str);
    body.read("identifier", "identifier", identifier, Identifier::parse);
    describe(&package, &mut body);
    classify(&package, lists, &mut body);
    place(&package, &mut body);
    agents(&package, &mut body);
    resources(&package, lists, &mut body);
    let titled = body.has("title");
    let (value, hints) = body.finish();
    let refused = match (&key, titled) {
        _ if !package.0.is_object() => Some(no_package(package.0)),
        (None, _) => Some(missing("id")),
        (_, false) => Some(missing("title")),
        _ if package.text(&["type"]).is_some_and(|kind| kind == "harvest") => Some(no_package(package.0)),
        _ => None,
    };
    ForeignRecord {
        key: key.unwrap_or_default(),
        names,
        modified: package.text(&["metadata_modified", "modified"]),
        body: refused.map_or(Ok(value), |reason| Err(vec![reason])),
        hints,
    }
}

fn no_package(given: &Value) -> InvalidField {
    InvalidField::new(
        "package",
        given,
        Bilingual::fixed("ist kein Datensatz von CKAN", "is no dataset of CKAN"),
        Bilingual::fixed(
            "die Antwort von package_show oder package_search angeben",
            "give the answer of package_show or package_search",
        ),
    )
}

/// A dict with its extras.
struct Package<'a>(&'a Value);

impl<'a> Package<'a> {
    /// The first of the fields that has a value, inline or as an extra.
    fn value(&self, names: &[&str]) -> Option<&'a Value> {
        names.iter().find_map(|name| {
            let inline = self.0.get(name).filter(|value| !is_empty(value));
            inline.or_else(|| self.extra(name))
        })
    }

    fn extra(&self, name: &str) -> Option<&'a Value> {
        let extras = self.0.get("extras")?.as_array()?;
        let found = extras.iter().find(|extra| extra.get("key").and_then(Value::as_str) == Some(name))?;
        found.get("value").filter(|value| !is_empty(value))
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        text(self.value(names)?)
    }

    /// The members of a list, which may be JSON in a text or words with commas.
    fn list(&self, names: &[&str]) -> Vec<String> {
        let Some(value) = self.value(names) else { return Vec::new() };
        let parsed = match value {
            Value::String(list) if list.starts_with('[') && list.len() <= LIST_BYTES_MAX => {
                serde_json::from_str::<Value>(list).ok()
            }
            _ => None,
        };
        match parsed.as_ref().unwrap_or(value) {
            Value::Array(members) => members.iter().filter_map(text).collect(),
            other => text(other).into_iter().collect(),
        }
    }

    /// Everything the dataset is called.
    fn names(&self) -> Vec<String> {
        let single = ["identifier", "guid", "uri", "id", "name"].into_iter();
        let mut names: Vec<String> = single.filter_map(|name| self.text(&[name])).collect();
        names.extend(self.list(&["alternate_identifier"]));
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// The first dict of a list of dicts, or the dict itself.
    fn first_dict(&self, name: &str) -> Option<Package<'a>> {
        match self.value(&[name])? {
            Value::Array(dicts) => dicts.first().filter(|dict| dict.is_object()).map(Package),
            dict @ Value::Object(_) => Some(Package(dict)),
            _ => None,
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(members) => members.is_empty(),
        _ => false,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(_) => {
            ["de", "name", "value"].iter().find_map(|key| value.get(key)?.as_str()).map(str::to_owned)
        }
        _ => None,
    }
}

fn describe(package: &Package<'_>, body: &mut Body) {
    let fields: [(&str, &str, &[&str]); 4] = [
        ("title", "de", &["title"]),
        ("title", "en", &["title_en"]),
        ("description", "de", &["notes", "description"]),
        ("description", "en", &["notes_en"]),
    ];
    for (field, lang, names) in fields {
        let translated =
            package.value(&[&format!("{field}_translated"), &format!("{}_translated", names[0])]);
        let translated = translated.and_then(|texts| text(texts.get(lang)?));
        let given = translated.or_else(|| package.text(names));
        let path = format!("{field}/{lang}");
        match field {
            "title" => body.line(&path, names[0], given.as_deref()),
            _ => body.prose(&path, names[0], given.as_deref()),
        }
    }
    let tags = package.0.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let words: Vec<String> = tags
        .iter()
        .filter_map(|tag| text(tag.get("display_name").or_else(|| tag.get("name")).unwrap_or(tag)))
        .chain(package.list(&["tag_string"]))
        .collect();
    body.keywords("keywords/de", "tags", &words.iter().map(String::as_str).collect::<Vec<_>>());
    let modified = package.text(&["modified", "metadata_modified"]);
    body.read("data_modified", "modified", modified.as_deref(), values::day);
    body.prose("internal/legal_basis", "legalbasisText", package.text(&["legalbasisText"]).as_deref());
}

fn classify(package: &Package<'_>, lists: &Vocabularies, body: &mut Body) {
    if let Some(rights) = package.text(&["access_rights"]) {
        propose_class(body, &rights);
    } else if package.0.get("private").and_then(Value::as_bool) == Some(false) {
        propose_class(body, "PUBLIC");
    }
    let mut themes = Vec::new();
    for theme in package.list(&["theme"]) {
        themes.extend(body.take("theme", values::theme(lists, &theme)));
    }
    // GovData's groups are the EU's themes in lower case; others are not read.
    let groups = package.0.get("groups").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = groups.iter().filter_map(|group| text(group.get("name").unwrap_or(group)));
    themes.extend(named.filter_map(|name| values::theme(lists, &name).ok()));
    if !themes.is_empty() {
        body.set("themes", themes);
    }
    let frequency = package.text(&["frequency", "accrual_periodicity"]);
    body.read("frequency", "frequency", frequency.as_deref(), |text| values::frequency(lists, text));
    body.read("in_series", "in_series", package.text(&["in_series"]).as_deref(), Iri::parse);
    let references = package.list(&["references"]);
    let of_catalog = references.iter().find(|iri| iri.contains("musterdatenkatalog.de/def/"));
    body.read("musterdatensatz", "references", of_catalog.map(String::as_str), Iri::parse);
    let mut categories = Vec::new();
    for category in package.list(&["hvd_category"]) {
        categories.extend(body.take("hvd_category", values::hvd_category(lists, &category)));
    }
    let laws = package.list(&["applicable_legislation"]);
    if !categories.is_empty() || laws.iter().any(|law| law.ends_with("reg_impl/2023/138/oj")) {
        body.set("hvd", "ja");
    }
    if !categories.is_empty() {
        body.set("hvd_categories", categories);
    }
}

fn place(package: &Package<'_>, body: &mut Body) {
    let code = package.list(&["politicalGeocodingURI"]);
    let code = code.first().map(|code| values::dcat_ap_de(code));
    body.read("spatial/geocoding", "politicalGeocodingURI", code.as_deref(), Iri::parse);
    let coverage = package.first_dict("spatial_coverage");
    let shape = package.value(&["spatial"]).cloned().or_else(|| {
        let coverage = coverage?;
        coverage.value(&["bbox", "geom"]).cloned()
    });
    let shape = shape.map(|shape| match shape {
        Value::String(text) => text,
        other => other.to_string(),
    });
    // A word is the name of a place, not its outline.
    let shape = shape.filter(|shape| shape.contains(['{', '(']));
    body.read("spatial/bbox", "spatial", shape.as_deref(), places::rectangle);
    let period = package.first_dict("temporal_coverage");
    let end = |field: &str, inside: &str| {
        package.text(&[field]).or_else(|| period.as_ref().and_then(|period| period.text(&[inside])))
    };
    body.read("temporal/start", "temporal_start", end("temporal_start", "start").as_deref(), values::day);
    body.read("temporal/end", "temporal_end", end("temporal_end", "end").as_deref(), values::day);
}

fn agents(package: &Package<'_>, body: &mut Body) {
    let publisher = package.first_dict("publisher");
    let organization = package.first_dict("organization");
    let of = |dict: &Option<Package<'_>>, names: &[&str]| dict.as_ref().and_then(|dict| dict.text(names));
    let name = package.text(&["publisher_name", "dcat_publisher_name"]);
    let name = name.or_else(|| of(&publisher, &["name"])).or_else(|| of(&organization, &["title", "name"]));
    body.line("publisher/name", "publisher_name", name.as_deref());
    let iri = package.text(&["publisher_uri"]).or_else(|| of(&publisher, &["uri"]));
    body.read("publisher/iri", "publisher_uri", iri.as_deref(), Iri::parse);
    let url = package.text(&["publisher_url"]).or_else(|| of(&publisher, &["url"]));
    body.read("publisher/url", "publisher_url", url.as_deref(), Iri::parse);
    let contact = package.first_dict("contact");
    let name = package.text(&["contact_name"]).or_else(|| of(&contact, &["name"]));
    body.line("contact/name", "contact_name", name.as_deref());
    let email = package.text(&["contact_email"]).or_else(|| of(&contact, &["email"]));
    body.read("contact/email", "contact_email", email.as_deref(), Mailbox::parse);
    let url = package.text(&["contact_url", "contact_uri"]).or_else(|| of(&contact, &["url"]));
    body.read("contact/url", "contact_url", url.as_deref(), Iri::parse);
    // CKAN's own fields name whoever filled the form in.
    if name.is_none()
        && let Some(person) = package.text(&["maintainer", "author"])
    {
        body.hint(personal(&person).at("maintainer"));
    }
}

fn resources(package: &Package<'_>, lists: &Vocabularies, body: &mut Body) {
    let given = package.0.get("resources").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut given: Vec<&Value> = given.iter().collect();
    given.sort_by_key(|resource| resource.get("position").and_then(Value::as_u64).unwrap_or(u64::MAX));
    let mut parts: Vec<_> =
        given.into_iter().map(|resource| self::resource(&Package(resource), lists)).collect();
    let licence = package.text(&["license_url", "license_id"]);
    let read = |text: &str| {
        let by_id = package.text(&["license_id"]).and_then(|id| values::licence(lists, &id).ok());
        by_id.map_or_else(|| values::licence(lists, text), Ok)
    };
    body.read("licence", "license_id", licence.as_deref(), read);
    let attribution = package.text(&["licenseAttributionByText", "terms_of_use_attribution_text"]);
    body.line("attribution", "licenseAttributionByText", attribution.as_deref());
    share(body, &mut parts, "licence", "licence");
    share(body, &mut parts, "attribution", "attribution");
    if parts.is_empty() {
        let mut page = Body::default();
        page.read("access_url", "url", package.text(&["url"]).as_deref(), Iri::parse);
        parts.push((None, page));
    }
    body.distributions("resources", parts);
}

fn resource(resource: &Package<'_>, lists: &Vocabularies) -> (Option<String>, Body) {
    let mut body = Body::default();
    body.line("title/de", "name", resource.text(&["name", "title"]).as_deref());
    body.prose("description/de", "description", resource.text(&["description"]).as_deref());
    let access = resource.text(&["access_url", "url"]);
    body.read("access_url", "url", access.as_deref(), Iri::parse);
    let download = resource.text(&["download_url"]).or_else(|| {
        let uploaded = resource.text(&["url_type"]).is_some_and(|kind| kind == "upload");
        resource.text(&["url"]).filter(|_| uploaded)
    });
    body.read("download_url", "download_url", download.as_deref(), Iri::parse);
    let media = resource.text(&["mimetype"]);
    let format =
        resource.text(&["format"]).or_else(|| media.clone()).map(|format| values::format(lists, &format));
    body.read("format", "format", format.as_deref(), crate::catalog::Format::parse);
    let media = media.as_deref().and_then(values::media_type);
    body.line("media_type", "mimetype", media.as_deref());
    let licence = resource.text(&["license"]);
    body.read("licence", "license", licence.as_deref(), |text| values::licence(lists, text));
    let attribution = resource.text(&["licenseAttributionByText"]);
    body.line("attribution", "licenseAttributionByText", attribution.as_deref());
    body.read("status", "status", resource.text(&["status"]).as_deref(), |text| values::status(lists, text));
    let modified = resource.text(&["modified", "last_modified"]);
    body.read("modified", "last_modified", modified.as_deref(), values::day);
    if let Some(size) = resource.text(&["size"])
        && let Some(size) = body.take("size", values::byte_size(&size))
    {
        body.set("byte_size", Value::from(size));
    }
    (resource.text(&["id"]), body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::NewDataset;

    fn read_package(package: &Value) -> ForeignRecord {
        super::read_package(package, Vocabularies::builtin())
    }

    #[test]
    fn a_package_becomes_a_body_with_its_extras() {
        let record = read_package(&json!({
            "id": "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", "name": "baumkataster", "title": "Baumkataster",
            "notes": "Alle Bäume", "private": false, "license_id": "dl-de-zero-2.0", "maintainer": "Erika Beispiel",
            "metadata_modified": "2026-01-02T03:04:05.000000", "organization": {"title": "Stadt Soest"},
            "tags": [{"name": "baum", "display_name": "Baum"}], "groups": [{"name": "envi"}, {"name": "eigene"}],
            "extras": [{"key": "identifier", "value": "soest-1"}, {"key": "frequency", "value": "http://publications.europa.eu/resource/authority/frequency/ANNUAL"},
                {"key": "spatial", "value": "{\"type\":\"Point\",\"coordinates\":[8.1,51.5]}"}, {"key": "theme", "value": "[\"http://publications.europa.eu/resource/authority/data-theme/TRAN\"]"}],
            "resources": [{"id": "r1", "name": "Tabelle", "url": "https://soest.example/b.csv", "format": "csv", "size": 12, "position": 0}]
        }));
        assert_eq!(record.names[..3], ["soest-1", "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", "baumkataster"]);
        let body = record.body.unwrap();
        NewDataset::parse(&body).unwrap();
        assert_eq!(body["themes"], json!(["TRAN", "ENVI"]));
        assert_eq!(
            (&body["frequency"], &body["spatial"]["bbox"]),
            (&json!("ANNUAL"), &json!("8.1,51.5,8.1,51.5"))
        );
        assert_eq!(body["licence"], "http://dcat-ap.de/def/licenses/dl-zero-de/2.0");
        assert_eq!(body["distributions"][0]["id"], "r1");
        assert_eq!(body["publisher"]["name"], "Stadt Soest");
        assert!(body.get("contact").is_none(), "a person is not taken over");
        assert!(record.hints.iter().any(|hint| hint.field == "maintainer"), "{:?}", record.hints);
    }

    #[test]
    fn what_is_no_package_is_refused_with_its_reason() {
        for wrong in
            [json!(null), json!([]), json!("x"), json!({}), json!({"id": "a"}), json!({"title": "b"})]
        {
            let record = read_package(&wrong);
            assert!(!record.body.unwrap_err().is_empty(), "{wrong}");
        }
        let odd = json!({"id": "a", "title": "b", "tags": 5, "extras": {"x": 1}, "resources": [7, null, {"url": "c d"}],
            "organization": "x", "groups": [[]], "spatial": 4, "license_id": {"a": 1}});
        let record = read_package(&odd);
        NewDataset::parse(&record.body.unwrap()).unwrap();
        assert!(record.hints.iter().any(|hint| hint.field == "url" && hint.value == "c d"));
    }
}
