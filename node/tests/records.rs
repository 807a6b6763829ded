//! The records that come with Hanse are whole, and a file of one's own is
//! taken or refused with words that help.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crdt::catalog::{Class, LifecycleStatus, publishable};
use node::demo::{LoadRecordsError, Records};
use serde_json::{Value, json};

#[test]
fn shipped_records_are_the_five_towns() {
    let shipped = Records::shipped();
    let codes: Vec<&str> = shipped.towns.iter().map(|town| town.code.as_str()).collect();
    assert_eq!(codes, ["soest", "arnsberg", "menden", "olpe", "bad-berleburg"]);

    let mut counts = BTreeMap::new();
    for record in &shipped.records {
        let (open, all) = counts.entry(record.town.to_string()).or_insert((0, 0));
        *open += usize::from(record.publish);
        *all += 1;
    }
    let expected = [
        ("05958004", (5, 8)),
        ("05962040", (4, 9)),
        ("05966024", (5, 8)),
        ("05970004", (4, 8)),
        ("05974040", (5, 8)),
    ];
    assert_eq!(counts, expected.map(|(town, count)| (town.to_owned(), count)).into());
}

#[test]
fn every_record_starts_closed_and_open_ones_can_be_published() {
    for record in Records::shipped().records {
        let dataset = &record.record.dataset;
        assert_eq!(dataset.class, Class::Closed);
        assert!(!matches!(dataset.status, LifecycleStatus::Published | LifecycleStatus::Shared));
        assert!(dataset.identifier.is_some() && dataset.iri.is_some());
        if record.publish {
            assert_eq!(
                publishable(&record.record, None, crdt::vocabulary::Vocabularies::builtin())
                    .map(|open| open.class),
                Ok(Class::Open),
                "{:?}",
                dataset.title
            );
        }
    }
}

#[test]
fn a_file_is_read_the_same_each_time() {
    assert_eq!(Records::shipped(), Records::shipped());
}

#[test]
fn both_forms_give_the_same_records() {
    let ours = json!({
        "form": "hanse records 1",
        "towns": [{ "town": "05974040", "code": "soest", "name": "Soest",
                    "base_url": "https://daten.soest.example", "mailbox": "opendata@soest.example" }],
        "partners": [{ "code": "kreis-soest", "name": "Kreis Soest" }],
        "records": [{ "town": "soest", "publish": false, "dataset": {
            "identifier": "https://daten.soest.example/dataset/gewerbeflaechen", "status": "intern",
            "title": { "de": "Gewerbeflächen" }, "keywords": { "de": ["Leerstand"] }, "themes": ["ECON"],
            "spatial": { "unit": "Stadtgebiet" },
            "publisher": { "name": "Stadt Soest", "url": "https://daten.soest.example" },
            "contact": { "name": "Datenmanagement", "email": "opendata@soest.example" },
            "internal": { "legal_basis": "Gemeindeordnung", "proposed_classification": "shared",
                          "sharing": { "recipients": ["kreis-soest"], "purpose": "Monitoring" } },
        }}],
    });
    let theirs = json!({
        "meta": {},
        "municipalities": [{ "code": "soest", "name": "Soest", "ags": "05974040", "kreis": "Kreis Soest",
                             "mailbox": "opendata@soest.example" }],
        "partners": [{ "code": "kreis-soest", "name": "Kreis Soest", "kind": "Kreis" }],
        "datasets": [theirs_record()],
    });
    assert_eq!(parse(&ours).unwrap(), parse(&theirs).unwrap());
}

#[test]
fn mistakes_are_named_with_record_field_value_and_remedy() {
    let cases: [(&str, Value, &[&str]); 10] = [
        (
            "frequency",
            "MONTLY".into(),
            &["record 1 („Gewerbeflächen“)", "`MONTLY`", "did you mean `MONTHLY`"],
        ),
        ("identifier", "".into(), &["record 1", "field `identifier`"]),
        ("titel", "x".into(), &["record 1 (soest-006)", "no field `titel`"]),
        ("municipality", "werl".into(), &["field `municipality`: \"werl\"", "add it there"]),
        ("ags", "05958004".into(), &["field `ags`", "give \"05974040\""]),
        ("classification", "secret".into(), &["field `classification`: \"secret\"; give \"open\""]),
        ("status", "fertig".into(), &["field `status`: `fertig`", "entwurf"]),
        ("shared_with", json!(["werl"]), &["nobody is called `werl`", "give the code of a town or partner"]),
        ("data_modified", "2026-02-30".into(), &["field `data_modified`: `2026-02-30`", "2026-11-02"]),
        ("distributions", json!([{ "access_url": "C:\\x.csv" }]), &["access_url", "https://"]),
    ];
    for (field, value, expected) in cases {
        let mut record = theirs_record();
        record[field] = value;
        let file = json!({
            "municipalities": [{ "code": "soest", "name": "Soest", "ags": "05974040", "mailbox": "a@soest.example" }],
            "partners": [{ "code": "kreis-soest", "name": "Kreis Soest" }],
            "datasets": [record],
        });
        let error = parse(&file).unwrap_err().to_string();
        for part in expected {
            assert!(error.contains(part), "{field}: `{part}` is missing in: {error}");
        }
    }
}

#[test]
fn files_that_are_something_else_are_refused() {
    let cases = [
        ("", "give a JSON file"),
        ("[]", "is not an object"),
        ("{}", "`form` is nothing; give \"hanse records 1\""),
        ("{\"form\": \"hanse records 9\"}", "`form` is \"hanse records 9\""),
        ("{\"form\": \"hanse records 1\"}", "field `towns` is missing"),
        ("{\"form\": \"hanse records 1\", \"towns\": [{}], \"records\": []}", "field `code` is missing"),
        (
            "{\"form\": \"hanse records 1\", \"towns\": [], \"records\": [], \"record\": 1}",
            "no field `record`",
        ),
    ];
    for (text, expected) in cases {
        let error = Records::parse(text, Path::new("mine.json")).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(error.contains("`mine.json`"), "{error}");
    }
    let directory = tempfile::tempdir().unwrap();
    let missing = Records::read(&directory.path().join("none.json")).unwrap_err();
    assert!(matches!(missing, LoadRecordsError::Read { .. }), "{missing}");
    let file = directory.path().join("latin1.json");
    fs::write(&file, [b'"', 0xe4, b'"']).unwrap();
    assert!(matches!(Records::read(&file).unwrap_err(), LoadRecordsError::Read { .. }));
}

#[test]
fn one_identifier_means_one_record() {
    let mut file = json!({
        "municipalities": [{ "code": "soest", "name": "Soest", "ags": "05974040", "mailbox": "a@soest.example" }],
        "partners": [{ "code": "kreis-soest", "name": "Kreis Soest" }],
        "datasets": [theirs_record(), theirs_record()],
    });
    let error = parse(&file).unwrap_err().to_string();
    assert!(error.contains("record 2") && error.contains("occurs twice"), "{error}");
    file["datasets"][1]["identifier"] = "https://daten.soest.example/dataset/andere".into();
    assert_eq!(parse(&file).unwrap().records.len(), 2);
}

fn theirs_record() -> Value {
    json!({
        "id": "soest-006", "identifier": "https://daten.soest.example/dataset/gewerbeflaechen",
        "municipality": "soest", "ags": "05974040", "title": "Gewerbeflächen", "keywords": ["Leerstand"],
        "theme": ["http://publications.europa.eu/resource/authority/data-theme/ECON"],
        "musterdatensatz": null, "classification": "shared", "shared_with": ["kreis-soest"],
        "sharing": { "purpose": "Monitoring" }, "status": "geteilt", "spatial_unit": "Stadtgebiet",
        "legal_basis": "Gemeindeordnung", "distributions": [], "withdrawal": null, "demo_note": null,
        "contact_point": { "name": "Datenmanagement", "mailbox": "opendata@soest.example" },
    })
}

fn parse(json: &Value) -> Result<Records, LoadRecordsError> {
    Records::parse(&json.to_string(), Path::new("records.json"))
}
