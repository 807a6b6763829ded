use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::catalog::testing::{full_record, full_series};
use crate::catalog::{NewDataset, RecordEdit};
use crate::ids::{DatasetId, Town};

fn lists() -> &'static Vocabularies {
    Vocabularies::builtin()
}

/// A catalog that describes the records' series.
fn catalog() -> Catalog {
    let mut catalog = Catalog::new(Town::parse("05974040").unwrap());
    catalog.series = vec![full_series()];
    catalog
}

fn publish(record: &LocalRecord) -> Result<Dataset, Vec<Finding>> {
    publishable(record, None, lists())
}

fn found(record: &LocalRecord) -> Vec<(&'static str, String)> {
    let findings = check(&record.dataset, &record.internal, Some(&catalog()), lists());
    findings.into_iter().map(|finding| (finding.rule.id, finding.field)).collect()
}

fn with(body: serde_json::Value) -> LocalRecord {
    RecordEdit::parse(&body).unwrap().apply(&full_record()).unwrap()
}

/// A record with a value that no edit could give it, but a document can hold.
fn holding(pointer: &str, value: serde_json::Value) -> LocalRecord {
    let mut record = full_record();
    let mut json = serde_json::to_value(&record.dataset).unwrap();
    *json.pointer_mut(pointer).unwrap() = value;
    record.dataset = serde_json::from_value(json).unwrap();
    record
}

#[test]
fn a_whole_record_becomes_open_without_its_notes() {
    let dataset = publish(&full_record()).unwrap();
    assert_eq!((dataset.class, dataset.status), (Class::Open, LifecycleStatus::Published));
    assert!(!serde_json::to_string(&dataset).unwrap().contains("Laufwerk"));
}

#[test]
fn an_empty_record_hears_of_everything_that_is_missing() {
    let empty = NewDataset::default().into_record(DatasetId(uuid::Uuid::nil())).unwrap();
    let obstacles = publish(&empty).unwrap_err();
    let fields: Vec<&str> = obstacles.iter().map(|finding| finding.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "title",
            "description",
            "publisher",
            "contact",
            "licence",
            "distributions",
            "personal_data",
            "internal/responsible_role"
        ]
    );
    for finding in obstacles {
        assert!(finding.message(Lang::De).contains("Abhilfe") && !finding.message(Lang::En).is_empty());
    }
}

/// Every rule with a record that breaks it: the body of an edit, or a place
/// and a value that only a document can hold.
fn breaches() -> Vec<(&'static str, LocalRecord, &'static str)> {
    let distributions = |one: serde_json::Value| with(json!({"distributions": {"csv": one}}));
    vec![
        ("title", with(json!({"title": null})), "title"),
        ("description", with(json!({"description": null})), "description"),
        ("publisher", with(json!({"publisher": {"name": null}})), "publisher"),
        ("contact", with(json!({"contact": {"email": null, "phone": null, "url": null}})), "contact"),
        ("contact", with(json!({"contact": {"email": null, "url": null}})), "contact"),
        (
            "contact",
            with(json!({"services": {"karten": {"contact": {"email": null, "name": "Geodaten"}}}})),
            "services/karten/contact",
        ),
        (
            "contact",
            with(json!({"services": {"karten": {"contact": {"email": null, "phone": "+49 2921 103-0"}}}})),
            "services/karten/contact",
        ),
        ("licence", with(json!({"licence": null})), "licence"),
        (
            "licence-known",
            holding("/licence", json!("https://dcat-ap.de/def/licenses/dl-by-de/2.0")),
            "licence",
        ),
        (
            "licence-known",
            holding("/licence", json!("http://dcat-ap.de/def/licenses/dl-by-de/2.0/")),
            "licence",
        ),
        (
            "licence-known",
            holding("/distributions/0/licence", json!("https://example.org/x")),
            "distributions/csv/licence",
        ),
        ("licence-open", with(json!({"licence": "cc-by-nc/4.0"})), "licence"),
        ("licence-open", distributions(json!({"licence": "other-closed"})), "distributions/csv/licence"),
        (
            "licence-open",
            with(json!({"services": {"karten": {"licence": "cc-by-nc/4.0"}}})),
            "services/karten/licence",
        ),
        ("attribution", with(json!({"attribution": null})), "attribution"),
        (
            "attribution",
            with(
                json!({"attribution": null, "licence": "cc-zero", "distributions": {"csv": {"attribution": null}}}),
            ),
            "distributions/csv/attribution",
        ),
        ("distribution", with(json!({"distributions": []})), "distributions"),
        (
            "access-url",
            with(json!({"distributions": {"a-wfs": {"access_url": null}}})),
            "distributions/a-wfs/access_url",
        ),
        (
            "service-url",
            with(
                json!({"distributions": {"a-wfs": {"access_url": null, "download_url": "https://soest.example/x"}}}),
            ),
            "distributions/a-wfs/access_url",
        ),
        (
            "service-url",
            with(json!({"hvd": "nein", "services": {"karten": {"endpoint_url": null}}})),
            "services/karten/endpoint_url",
        ),
        ("service-named", distributions(json!({"service": "kataster"})), "distributions/csv/service"),
        (
            "service-documented",
            with(json!({"services": {"karten": {"documentation": null}}})),
            "services/karten/documentation",
        ),
        (
            "service-documented",
            with(json!({"services": [], "distributions": {"csv": {"service": null}}})),
            "distributions/a-wfs/service",
        ),
        (
            "web-address",
            distributions(json!({"access_url": "ftp://soest.example/x"})),
            "distributions/csv/access_url",
        ),
        (
            "web-address",
            with(json!({"services": {"karten": {"documentation": "urn:soest:karten"}}})),
            "services/karten/documentation",
        ),
        ("web-address", with(json!({"contact": {"url": "urn:soest:kontakt"}})), "contact/url"),
        ("theme-known", holding("/themes/0", json!("ENVIRO")), "themes"),
        ("theme-known", holding("/themes/0", json!("OP_DATPRO")), "themes"),
        ("frequency-known", holding("/frequency", json!("MONTLY")), "frequency"),
        ("status-known", holding("/distributions/0/status", json!("FINAL")), "distributions/csv/status"),
        ("hvd-category-known", holding("/hvd_categories/0", json!("c_00000000")), "hvd_categories"),
        ("hvd-category", with(json!({"hvd_categories": []})), "hvd_categories"),
        (
            "geocoding",
            with(
                json!({"spatial": {"geocoding": "https://dcat-ap.de/def/politicalGeocoding/municipalityKey/05974040"}}),
            ),
            "spatial/geocoding",
        ),
        (
            "geocoding",
            with(
                json!({"spatial": {"geocoding": "http://dcat-ap.de/def/politicalGeocoding/municipalityKey/5974040"}}),
            ),
            "spatial/geocoding",
        ),
        ("period-order", holding("/temporal/start", json!("2027-01-01")), "temporal/end"),
        ("issued-order", holding("/issued", json!("2027-01-01T00:00:00Z")), "issued"),
        ("status-public", holding("/status", json!("zurueckgezogen")), "status"),
        ("personal-data", with(json!({"personal_data": "zu prüfen"})), "personal_data"),
        ("personal-data", with(json!({"personal_data": null})), "personal_data"),
        ("personal-data-never-open", with(json!({"personal_data": "personenbezogen"})), "personal_data"),
        ("personal-data-never-open", with(json!({"personal_data": "pseudonymisiert"})), "personal_data"),
        (
            "responsible-role",
            with(json!({"internal": {"responsible_role": {"mailbox": null}}})),
            "internal/responsible_role",
        ),
        ("theme", with(json!({"themes": []})), "themes"),
        ("keyword", with(json!({"keywords": null})), "keywords"),
        ("frequency", with(json!({"frequency": "unbekannt"})), "frequency"),
        ("geocoded", with(json!({"spatial": {"geocoding": null}})), "spatial/geocoding"),
        ("musterdatensatz", with(json!({"musterdatensatz": null})), "musterdatensatz"),
        (
            "musterdatensatz-known",
            with(json!({"musterdatensatz": "https://soest.example/x"})),
            "musterdatensatz",
        ),
        ("series-known", with(json!({"in_series": "https://soest.example/serie"})), "in_series"),
        ("title-german", with(json!({"title": {"de": null}})), "title/de"),
        ("title-plain", with(json!({"title": {"de": "Bäume in Soest"}})), "title/de"),
        ("title-plain", with(json!({"title": {"en": "Trees 2024"}})), "title/en"),
        ("description-plain", with(json!({"description": "<p>Bäume</p>"})), "description/de"),
        ("format", distributions(json!({"format": null})), "distributions/csv/format"),
        ("format-known", distributions(json!({"format": "Lochkarte"})), "distributions/csv/format"),
        (
            "format-known",
            with(json!({"services": {"karten": {"format": "Telex"}}})),
            "services/karten/format",
        ),
        (
            "machine-readable",
            with(json!({"distributions": [{"access_url": "https://soest.example/x", "format": "PDF"}]})),
            "distributions",
        ),
        ("media-type", distributions(json!({"media_type": "Tabelle"})), "distributions/csv/media_type"),
        ("distribution-title", with(json!({})), "distributions/a-wfs/title"),
        (
            "distribution-twice",
            with(
                json!({"distributions": [{"access_url": "https://a.example/"}, {"access_url": "https://a.example/"}]}),
            ),
            "distributions",
        ),
        ("licence-one", distributions(json!({"licence": "cc-zero"})), "distributions"),
        ("byte-size", distributions(json!({"byte_size": 0})), "distributions/csv/byte_size"),
        ("hvd-settled", with(json!({"hvd": "zu prüfen"})), "hvd"),
        ("role-mailbox", with(json!({"contact": {"email": "anna.muster@soest.example"}})), "contact/email"),
        ("contributor", full_record(), "catalog/contributor_id"),
    ]
}

#[test]
fn each_rule_finds_its_own_breach_and_says_so_in_both_languages() {
    let whole: BTreeSet<&str> = found(&full_record()).into_iter().map(|(id, _)| id).collect();
    for (rule, record, field) in breaches() {
        let findings = check(&record.dataset, &record.internal, Some(&catalog()), lists());
        let mine = findings.iter().find(|one| one.rule.id == rule && one.field.starts_with(field));
        let mine = mine.unwrap_or_else(|| panic!("{rule} finds {field}: {findings:?}"));
        assert!(mine.message(Lang::De).contains(mine.problem(Lang::De)), "{rule}");
        assert!(mine.message(Lang::En).contains(mine.problem(Lang::En)), "{rule}");
        let others: BTreeSet<&str> = findings
            .iter()
            .filter(|one| one.is_obstacle() && one.rule.id != rule && !whole.contains(one.rule.id))
            .map(|one| one.rule.id)
            .collect();
        assert_eq!(others, BTreeSet::new(), "{rule} alone is broken");
        assert_eq!(publish(&record).is_err(), mine.is_obstacle(), "{rule}");
    }
}

#[test]
fn every_rule_has_a_record_that_breaks_it_and_a_name_of_its_own() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    let broken: BTreeSet<&str> = breaches().into_iter().map(|(rule, ..)| rule).collect();
    // No licence of the list is retired today.
    let untried: Vec<&&str> = ids.difference(&broken).collect();
    assert_eq!(untried, [&"licence-current"]);
    assert!(RULES.is_sorted_by_key(|rule| rule.severity), "obstacles first");
}

#[test]
fn a_list_of_the_town_decides_what_is_known() {
    let record = holding("/frequency", json!("FULLMOON"));
    let text =
        "# title.de: F\n# title.en: F\n# source: Soest\n# version: 1\ncode\tde\nFULLMOON\tbei Vollmond\n";
    let mut own = lists().clone();
    own.replace(crate::vocabulary::Vocabulary::parse(crate::vocabulary::List::Frequencies, text).unwrap());
    assert!(publishable(&record, None, &own).is_ok());
    assert!(publish(&record).is_err());
    let edit = json!({"frequency": "Bei Vollmond"});
    assert!(RecordEdit::parse(&edit).is_err());
    let edited = RecordEdit::parse_with(&own, &edit).unwrap().apply(&full_record()).unwrap();
    assert_eq!(edited.dataset.frequency, record.dataset.frequency);
}

#[test]
fn a_misspelt_licence_is_told_the_right_one() {
    let record = holding("/licence", json!("https://dcat-ap.de/def/licenses/dl-by-de/2_0/"));
    let obstacles = publish(&record).unwrap_err();
    assert!(
        obstacles[0].message(Lang::De).contains("http://dcat-ap.de/def/licenses/dl-by-de/2.0 angeben"),
        "{obstacles:?}"
    );
}

#[test]
fn the_catalog_fills_what_a_dataset_leaves_open() {
    let record = with(json!({"publisher": null, "contact": null, "licence": null, "spatial": null}));
    let town = Town::parse("05974040").unwrap();
    assert_eq!(publishable(&record, Some(&Catalog::new(town)), lists()).unwrap_err().len(), 3);
    let full = full_record().dataset;
    let mut catalog = Catalog::new(town);
    (catalog.publisher, catalog.contact, catalog.licence) =
        (full.publisher.clone(), full.contact, full.licence);
    assert_eq!(publishable(&record, Some(&catalog), lists()).unwrap().publisher, full.publisher);
}

#[test]
fn the_documentation_tells_every_rule_as_it_is() {
    let page = include_str!("../../../../docs/publishing-rules.md");
    let row = |rule: &Rule| {
        format!(
            "| `{}` | `{}` `{}` | {} | {} | {} |",
            rule.id,
            rule.class,
            rule.property,
            rule.problem(Lang::En),
            rule.remedy(Lang::En),
            rule.source
        )
    };
    let (obstacles, hints) = page.split_once("## Hints").unwrap();
    for rule in RULES {
        let part = if rule.severity == Severity::Obstacle { obstacles } else { hints };
        assert!(part.lines().any(|line| line == row(rule)), "missing:\n{}", row(rule));
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, RULES.len(), "no rule is told that is not there");
}
