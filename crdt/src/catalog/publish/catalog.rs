//! What must be true of a town's catalog, which stands on each page of its RDF.
//!
//! The rules of datasets apply where the catalog has the same fields, and for
//! the same reasons; the ids of those rules stand beside each check.

use super::access::is_web_address;
use super::coded::is_misspelt;
use crate::catalog::invalid::{Bilingual, InvalidField};
use crate::catalog::{Catalog, DatasetSeries, Iri};
use crate::vocabulary::{List, Mark, Vocabularies};

/// All that keeps a catalog from being served as DCAT-AP.de 3.0 asks for it;
/// `lists` are those that the town goes by.
pub fn catalog_faults(catalog: &Catalog, lists: &Vocabularies) -> Vec<InvalidField> {
    let mut faults = Vec::new();
    contact(catalog, &mut faults);
    web_addresses(catalog, &mut faults);
    coded(catalog, lists, &mut faults);
    for series in &catalog.series {
        of_series(series, lists, &mut faults);
    }
    names(catalog, &mut faults);
    faults
}

/// Those that a catalog did not have before: what stands there already keeps
/// nobody from changing something else.
pub fn new_catalog_faults(before: &Catalog, after: &Catalog, lists: &Vocabularies) -> Vec<InvalidField> {
    let had = catalog_faults(before, lists);
    let mut faults = catalog_faults(after, lists);
    faults.retain(|fault| !had.contains(fault));
    faults
}

fn fault(
    field: impl Into<String>,
    value: impl std::fmt::Display,
    problem: (&str, &str),
    remedy: (&str, &str),
) -> InvalidField {
    InvalidField::new(
        field,
        value,
        Bilingual::fixed(problem.0, problem.1),
        Bilingual::fixed(remedy.0, remedy.1),
    )
}

/// Rule `contact`.
fn contact(catalog: &Catalog, faults: &mut Vec<InvalidField>) {
    let contact = &catalog.contact;
    if contact.is_empty() || contact.is_reachable() {
        return;
    }
    let name = contact.name.as_ref().map(ToString::to_string);
    let said = name.or_else(|| contact.phone.as_ref().map(ToString::to_string)).unwrap_or_default();
    faults.push(fault(
        "contact",
        said,
        ("hat weder Postfach noch Webadresse", "has neither mailbox nor web address"),
        (
            "contact/email oder contact/url in derselben Änderung angeben; ein Telefon allein genügt nicht",
            "give contact/email or contact/url in the same edit; a telephone alone is not enough",
        ),
    ));
}

/// Rule `web-address`: addresses that people and programs follow, the names of
/// catalog and series among them.
fn web_addresses(catalog: &Catalog, faults: &mut Vec<InvalidField>) {
    let mut ask = |field: String, address: Option<&Iri>| {
        if let Some(iri) = address.filter(|iri| !is_web_address(iri)) {
            faults.push(fault(
                field,
                iri,
                ("ist keine Webadresse", "is no web address"),
                (
                    "eine Adresse angeben, die mit https:// oder http:// beginnt",
                    "give an address that begins with https:// or http://",
                ),
            ));
        }
    };
    ask("iri".to_owned(), catalog.iri.as_ref());
    ask("base_url".to_owned(), catalog.base_url.as_ref());
    ask("homepage".to_owned(), catalog.homepage.as_ref());
    ask("publisher/iri".to_owned(), catalog.publisher.iri.as_ref());
    ask("publisher/url".to_owned(), catalog.publisher.url.as_ref());
    ask("contact/url".to_owned(), catalog.contact.url.as_ref());
    for series in &catalog.series {
        ask(format!("series/{}/iri", series.id), series.iri.as_ref());
    }
}

/// Rules `licence-known`, `contributor` and `geocoding`.
fn coded(catalog: &Catalog, lists: &Vocabularies, faults: &mut Vec<InvalidField>) {
    if let Some(licence) = &catalog.licence
        && lists.licences().iri(licence.as_str()).is_none()
    {
        faults.push(fault(
            "licence",
            licence,
            ("ist keine Lizenz der Liste von DCAT-AP.de", "is no licence of DCAT-AP.de's list"),
            (
                "einen Eintrag wählen: hanse vocabulary show licences",
                "choose an entry: hanse vocabulary show licences",
            ),
        ));
    }
    if let Some(id) = &catalog.contributor_id
        && lists.list(List::Contributors).iri(id.as_str()).is_none()
    {
        faults.push(fault(
            "contributor_id",
            id,
            (
                "steht nicht in der Liste der Datenbereitsteller",
                "is not in the list of contributors",
            ),
            (
                "einen Eintrag wählen: hanse vocabulary show contributors; eine neuere Liste kann im Ordner vocabulary/ liegen",
                "choose an entry: hanse vocabulary show contributors; a newer list can lie in the folder vocabulary/",
            ),
        ));
    }
    if let Some(iri) = catalog.spatial.geocoding.as_ref()
        && (is_misspelt(iri) || !is_web_address(iri))
    {
        faults.push(fault(
            "spatial/geocoding",
            iri,
            ("ist kein Schlüssel der politischen Geokodierung", "is no key of the political geocoding"),
            (
                "wie http://dcat-ap.de/def/politicalGeocoding/municipalityKey/05974040 angeben",
                "give it like http://dcat-ap.de/def/politicalGeocoding/municipalityKey/05974040",
            ),
        ));
    }
}

/// Rules `frequency-known` and `hvd-category-known`.
fn of_series(series: &DatasetSeries, lists: &Vocabularies, faults: &mut Vec<InvalidField>) {
    let mut ask = |list: List, field: &str, code: &str| {
        let known = lists.list(list).code(code).is_some_and(|concept| !concept.is(Mark::Provisional));
        if !known {
            faults.push(InvalidField::new(
                format!("series/{}/{field}", series.id),
                code,
                Bilingual::fixed("steht nicht in der Liste", "is not in the list"),
                Bilingual::made(
                    format!("einen Code der Liste wählen: hanse vocabulary show {}", list.name()),
                    format!("choose a code of the list: hanse vocabulary show {}", list.name()),
                ),
            ));
        }
    };
    if let Some(frequency) = &series.frequency {
        ask(List::Frequencies, "frequency", frequency.code());
    }
    for category in &series.hvd_categories {
        ask(List::HvdCategories, "hvd_categories", category.code());
    }
}

/// Catalog, publisher and series are different things, so no two have one name.
fn names(catalog: &Catalog, faults: &mut Vec<InvalidField>) {
    let own = [("iri".to_owned(), &catalog.iri), ("publisher/iri".to_owned(), &catalog.publisher.iri)];
    let series = catalog.series.iter().map(|series| (format!("series/{}/iri", series.id), &series.iri));
    let mut seen: Vec<&Iri> = Vec::new();
    for (field, iri) in own.into_iter().chain(series) {
        let Some(iri) = iri else { continue };
        if seen.contains(&iri) {
            faults.push(fault(
                field,
                iri,
                ("ist schon der Name von etwas anderem", "is the name of something else already"),
                ("einen eigenen Namen angeben oder leeren", "give a name of its own, or clear it"),
            ));
        }
        seen.push(iri);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::CatalogEdit;
    use crate::ids::Town;

    fn catalog() -> Catalog {
        serde_json::from_str(include_str!("../../../examples/mutants/catalog.json")).unwrap()
    }

    fn fields(edit: &serde_json::Value) -> Vec<String> {
        let after = CatalogEdit::parse(edit).unwrap().apply(&catalog()).unwrap();
        let faults = new_catalog_faults(&catalog(), &after, Vocabularies::builtin());
        for fault in &faults {
            assert!(fault.message_de().contains("Abhilfe") && !fault.remedy.en.is_empty());
        }
        faults.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn a_whole_catalog_and_one_that_says_nothing_are_right() {
        assert_eq!(catalog_faults(&catalog(), Vocabularies::builtin()), []);
        let silent = Catalog::new(Town::parse("05974040").unwrap());
        assert_eq!(catalog_faults(&silent, Vocabularies::builtin()), []);
    }

    #[test]
    fn what_readers_of_the_catalog_could_not_use_is_named() {
        let key = "http://dcat-ap.de/def/politicalGeocoding/municipalityKey/5974040";
        for (edit, field) in [
            (json!({"contact": {"email": null, "url": null}}), "contact"),
            (json!({"contact": {"name": null, "email": null, "url": null}}), "contact"),
            (json!({"contact": {"url": "urn:x:y"}}), "contact/url"),
            (json!({"iri": "urn:x:y"}), "iri"),
            (json!({"base_url": "urn:x:y"}), "base_url"),
            (json!({"homepage": "ftp://soest.example/x"}), "homepage"),
            (json!({"publisher": {"url": "urn:x:y"}}), "publisher/url"),
            (json!({"publisher": {"iri": "urn:x:y"}}), "publisher/iri"),
            (json!({"contributor_id": "urn:x:y"}), "contributor_id"),
            (json!({"contributor_id": "http://dcat-ap.de/def/contributors/niemand"}), "contributor_id"),
            (json!({"spatial": {"geocoding": key}}), "spatial/geocoding"),
            (json!({"spatial": {"geocoding": "urn:x:y"}}), "spatial/geocoding"),
            (json!({"series": {"baeume": {"iri": "urn:x:y"}}}), "series/baeume/iri"),
            (json!({"series": {"baeume": {"iri": catalog().iri}}}), "series/baeume/iri"),
        ] {
            assert_eq!(fields(&edit), [field], "{edit}");
        }
    }

    #[test]
    fn codes_of_no_list_are_named_wherever_they_came_from() {
        for (pointer, value, field) in [
            ("/licence", json!("https://example.org/x"), "licence"),
            ("/series/0/frequency", json!("MONTLY"), "series/baeume/frequency"),
            ("/series/0/hvd_categories/0", json!("c_00000000"), "series/baeume/hvd_categories"),
        ] {
            let mut json = serde_json::to_value(catalog()).unwrap();
            *json.pointer_mut(pointer).unwrap() = value;
            let broken: Catalog = serde_json::from_value(json).unwrap();
            let faults = catalog_faults(&broken, Vocabularies::builtin());
            assert_eq!(faults.iter().map(|fault| &*fault.field).collect::<Vec<_>>(), [field]);
            // What stands there already keeps nobody from changing the title.
            let edit = CatalogEdit::parse(&json!({"title": {"de": "Daten"}})).unwrap();
            let after = edit.apply(&broken).unwrap();
            assert_eq!(new_catalog_faults(&broken, &after, Vocabularies::builtin()), []);
        }
    }
}
