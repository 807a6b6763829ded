//! What edits take and refuse.

use serde_json::json;

use super::super::invalid::Lang;
use super::super::testing::{full_dataset, full_record};
use super::*;

fn edited(body: serde_json::Value) -> Dataset {
    DatasetEdit::parse(&body).unwrap().apply(&full_dataset()).unwrap()
}

#[test]
fn only_the_given_fields_change() {
    let mut expected = full_dataset();
    expected.title.de = Some("Bäume".parse().unwrap());
    expected.contact.phone = None;
    expected.frequency = Some(super::super::Frequency::parse("DAILY").unwrap());
    let iri = "http://publications.europa.eu/resource/authority/frequency/DAILY";
    assert_eq!(edited(json!({"title": "Bäume", "contact": {"phone": null}, "frequency": iri})), expected);
    assert_eq!(edited(json!({})), full_dataset());
}

#[test]
fn null_clears_and_lists_replace() {
    let dataset = edited(
        json!({"description": null, "spatial": null, "themes": ["TRAN"], "keywords": {"de": ["Ast"]}}),
    );
    assert!(dataset.description.is_empty() && dataset.spatial.is_empty());
    assert_eq!(serde_json::to_value(&dataset.themes).unwrap(), json!(["TRAN"]));
    assert_eq!(serde_json::to_value(&dataset.keywords).unwrap(), json!({"de": ["Ast"], "en": ["tree"]}));
    let dataset = edited(json!({"keywords": ["Ast"], "formats": {"add": ["gml"], "remove": ["csv"]}}));
    assert_eq!(serde_json::to_value(&dataset.keywords.de).unwrap(), json!(["Ast"]));
    assert_eq!(serde_json::to_value(&dataset.formats).unwrap(), json!(["GML", "WFS"]));
}

#[test]
fn series_are_made_by_name_or_as_a_list_and_told_apart_by_their_iris() {
    let empty = Catalog::new(crate::ids::Town::parse("05974040").unwrap());
    let edited = |body| CatalogEdit::parse(&body).unwrap().apply(&empty);
    let by_name = edited(json!({"series": {"haushalt": {"title": "Haushalt", "frequency": "jährlich"}}}));
    let series = by_name.unwrap().series;
    assert_eq!((series.len(), series[0].id.as_str()), (1, "haushalt"));
    assert_eq!(series[0].frequency, super::super::Frequency::parse("ANNUAL").ok());
    let iri = "https://daten.soest.example/serie";
    let listed = edited(json!({"series": [{"title": "Haushalt"}, {"title": "Wahlen", "iri": iri}]}));
    assert_eq!(listed.unwrap().series.iter().filter(|one| one.iri.is_some()).count(), 1);
    let twice = edited(json!({"series": {"a": {"iri": iri}, "b": {"iri": iri}}})).unwrap_err();
    assert_eq!((twice.field.as_str(), twice.value.as_str()), ("series/b/iri", iri));
    let many: serde_json::Map<_, _> =
        (0..=DISTRIBUTIONS_MAX).map(|n| (format!("s{n}"), json!({"title": "x"}))).collect();
    assert!(CatalogEdit::parse(&json!({"series": many})).is_err());
    assert!(DatasetEdit::parse(&json!({"services": {"x y": {}}})).is_err());
}

#[test]
fn distributions_change_by_id_or_as_a_list() {
    let dataset = edited(json!({"distributions": {"csv": {"title": "Tabelle"}, "a-wfs": null}}));
    assert_eq!(dataset.distributions.len(), 1);
    assert_eq!(dataset.distributions[0].title.de.as_ref().unwrap().as_str(), "Tabelle");
    assert_eq!(dataset.distributions[0].format, full_dataset().distributions[0].format);

    let list = json!({"distributions": [{"access_url": "https://a.example/1"}, {"id": "csv", "format": "CSV"}, {"access_url": "https://a.example/1"}]});
    let dataset = edited(list.clone());
    let ids: Vec<_> = dataset.distributions.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((ids.len(), ids[1], ids[2]), (3, "csv", format!("{}-2", ids[0]).as_str()));
    assert_eq!(dataset.distributions[1].access_url, None, "a list replaces its entries as a whole");
    assert_eq!(edited(list), dataset, "derived ids are the same each time");
}

#[test]
fn an_unknown_field_is_refused_by_name_with_the_nearest() {
    let refused = |body| RecordEdit::parse(&body).unwrap_err().to_string();
    assert!(
        refused(json!({"titel": "x"}))
            .contains("field `titel`: `x` stands in an unknown field; did you mean `title`?")
    );
    assert!(refused(json!({"license": "x"})).contains("did you mean `licence`?"));
    assert!(refused(json!({"legal_basis": "x"})).contains("give it as internal/legal_basis"));
    assert!(refused(json!({"contact": {"mail": "x"}})).contains("field `contact/mail`"));
    assert!(refused(json!({"internal": {"notiz": "x"}})).contains("field `internal/notiz`"));
    assert!(refused(json!({"title": {"fr": "x"}})).contains("field `title/fr`"));
}

#[test]
fn all_that_is_wrong_is_said_at_once_in_both_languages() {
    let body = json!({"frequency": "MONTLY", "themes": ["ENVI", 7], "data_modified": "gestern", "contact": {"email": "x"}, "title": 4.5,
        "distributions": [{"byte_size": -1}, "x"], "class": "open", "id": "x", "spatial": 3, "formats": "CSV", "internal": []});
    let error = RecordEdit::parse(&body).unwrap_err();
    let mut fields: Vec<_> = error.fields.iter().map(|field| field.field.as_str()).collect();
    fields.sort_unstable();
    assert!(
        fields.iter().any(|field| field.starts_with("distributions/") && field.ends_with("/byte_size")),
        "{fields:?}"
    );
    for field in [
        "class",
        "contact/email",
        "data_modified",
        "distributions/1",
        "formats",
        "frequency",
        "id",
        "internal",
        "spatial",
        "themes",
        "title",
    ] {
        assert!(fields.contains(&field), "{field} is not in {fields:?}");
    }
    assert!(error.messages(Lang::De).iter().all(|message| message.starts_with("Feld „")));
    assert!(RecordEdit::parse(&json!([1])).is_err() && RecordEdit::parse(&json!(null)).is_err());
}

#[test]
fn too_much_is_refused() {
    let many: Vec<String> = (0..=MEMBERS_MAX).map(|n| format!("w{n}")).collect();
    assert!(DatasetEdit::parse(&json!({"keywords": many})).is_err());
    let half: Vec<String> = (0..200).map(|n| format!("x{n}")).collect();
    let first = edited(json!({"keywords": half}));
    let rest: Vec<String> = (0..200).map(|n| format!("y{n}")).collect();
    let edit = DatasetEdit::parse(&json!({"keywords": {"de": {"add": rest}}})).unwrap();
    assert_eq!(edit.apply(&first).unwrap_err().field, "keywords/de");
    let long = "x".repeat(30_000);
    let mut grown = full_dataset();
    let mut outcomes = (0..8).map(|n| {
        let edit =
            DatasetEdit::parse(&json!({"distributions": {format!("d{n}"): {"description": long}}})).unwrap();
        edit.apply(&grown).map(|new| grown = new).map_err(|error| error.field)
    });
    assert_eq!(
        outcomes.find(Result::is_err),
        Some(Err("dataset".to_owned())),
        "many small edits end there too"
    );
    let one = json!({"description": {"de": long, "en": long}});
    let body = json!({"distributions": [one, one, one, one]});
    assert!(DatasetEdit::parse(&body).unwrap_err().to_string().contains("are too much for one record"));
}

#[test]
fn rules_between_fields_hold_for_what_an_edit_touches() {
    let edit = |body| DatasetEdit::parse(&body).unwrap();
    let error = edit(json!({"temporal": {"start": "2030-01-01"}})).apply(&full_dataset()).unwrap_err();
    assert_eq!(error.field, "temporal/end");
    assert_eq!(edit(json!({"status": "entwurf"})).apply(&full_dataset()).unwrap_err().field, "status");
    assert!(edit(json!({"status": "veraltet"})).apply(&full_dataset()).is_ok());
    assert!(NewDataset::parse(&json!({"title": "x", "status": "veroeffentlicht"})).is_err());
}

#[test]
fn the_difference_of_two_records_leads_from_one_to_the_other() {
    let old = full_dataset();
    let new = edited(
        json!({"title": null, "distributions": {"csv": null}, "themes": ["HEAL"], "domain": "Soziales"}),
    );
    let edit = DatasetEdit::between(&old, &new);
    assert_eq!(edit.apply(&old).unwrap(), new);
    assert_eq!(edit.fields().into_iter().collect::<Vec<_>>(), ["distributions", "domain", "themes", "title"]);
    assert!(DatasetEdit::between(&old, &old).is_empty());
    assert_eq!(DatasetEdit::first(&old).apply(&Dataset::new(old.id)).unwrap(), old);
}

#[test]
fn fields_of_other_versions_are_written_unless_they_would_change_what_is_known() {
    let extra = json!({"wetter": {"heute": "sonnig", "grad": 7}, "messwerte": [7], "title": {"de": "x"}, "contact": {"matrix": true}});
    let extra = extra.as_object().unwrap().clone().into_iter().collect();
    let (edit, left_out) = DatasetEdit::first_with_extra(&full_dataset(), &extra);
    assert_eq!(left_out, ["messwerte", "title"]);
    assert_eq!(edit.apply(&Dataset::new(full_dataset().id)).unwrap(), full_dataset());
    assert!(edit.fields().contains("wetter"));
    let place = FieldPath::new(["contact", "matrix"]);
    assert_eq!(edit.0.set.get(&place), Some(&Scalar::Bool(true)));
}

#[test]
fn a_new_record_is_a_closed_draft_whatever_it_was_made_from() {
    let id = DatasetId(uuid::Uuid::from_u128(7));
    let new = NewDataset::parse(&json!({"title": "Bäume", "identifier": "b-1", "internal": {"notes": "n"}}))
        .unwrap();
    let record = new
        .with_identity(&"b-2".parse().unwrap(), &"https://a.example/b".parse().unwrap())
        .into_record(id)
        .unwrap();
    assert_eq!(
        (record.dataset.id, record.dataset.class, record.dataset.status),
        (id, Class::Closed, LifecycleStatus::Draft)
    );
    assert_eq!(record.dataset.identifier.unwrap().as_str(), "b-1");
    assert_eq!(record.internal.notes.unwrap().as_str(), "n");
    let mut open = full_record();
    open.dataset.status = LifecycleStatus::Internal;
    let copy = NewDataset::from_record(&open).into_record(id).unwrap();
    assert_eq!((copy.dataset.class, copy.dataset.title), (Class::Closed, open.dataset.title));
    assert!(RecordEdit::parse(&json!({"identifier": "b-3"})).unwrap_err().to_string().contains("given once"));
}

#[test]
fn notes_are_no_part_of_what_a_document_is_made_of() {
    let edit =
        RecordEdit::parse(&json!({"title": "x", "internal": {"notes": "geheim", "steward_role": null}}))
            .unwrap();
    assert_eq!(edit.dataset, DatasetEdit::parse(&json!({"title": "x"})).unwrap());
    let record = edit.apply(&full_record()).unwrap();
    assert_eq!(record.internal.notes.as_ref().unwrap().as_str(), "geheim");
    assert!(record.internal.steward_role.is_empty() && !record.internal.responsible_role.is_empty());
    assert!(!serde_json::to_string(&record.dataset).unwrap().contains("geheim"));
}
