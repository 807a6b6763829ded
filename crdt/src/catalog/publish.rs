//! What must be true of a record before everybody may read it.
//!
//! The rules of the data strategy that no one may pass by; DCAT-AP.de's finer
//! rules come with its shapes. Never changes anything: it says what is missing,
//! or hands over the dataset as it would be published.

use super::codes::{Class, LifecycleStatus, PersonalData};
use super::invalid::{Bilingual, Lang};
use super::{Catalog, Dataset, Internal, LicenceIri, LocalRecord};

/// A reason why a record may not be published (Hinderungsgrund).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}` {problem}; {remedy}")]
pub struct Obstacle {
    /// The field to look at.
    pub field: String,
    /// What is wrong: completes "the field …".
    pub problem: Bilingual,
    /// What to do.
    pub remedy: Bilingual,
}

impl Obstacle {
    fn new(
        field: impl Into<String>,
        problem: (&'static str, &'static str),
        remedy: (&'static str, &'static str),
    ) -> Self {
        let (problem, remedy) =
            (Bilingual::fixed(problem.0, problem.1), Bilingual::fixed(remedy.0, remedy.1));
        Self { field: field.into(), problem, remedy }
    }

    /// The whole sentence.
    pub fn message(&self, lang: Lang) -> String {
        match lang {
            Lang::De => format!("Feld „{}“ {}. Abhilfe: {}.", self.field, self.problem.de, self.remedy.de),
            Lang::En => self.to_string(),
        }
    }
}

const MISSING: (&str, &str) = ("fehlt", "is missing");

/// The dataset as it would be published to everybody, or all that stands in
/// the way. What the town's catalog says for all its datasets fills the gaps.
pub fn publishable(record: &LocalRecord, catalog: Option<&Catalog>) -> Result<Dataset, Vec<Obstacle>> {
    let mut dataset = record.dataset.clone();
    if let Some(catalog) = catalog {
        fill(&mut dataset, catalog);
    }
    let obstacles = obstacles(&dataset, &record.internal);
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    dataset.class = Class::Open;
    dataset.status = LifecycleStatus::Published;
    Ok(dataset)
}

fn fill(dataset: &mut Dataset, catalog: &Catalog) {
    if dataset.publisher.is_empty() {
        dataset.publisher = catalog.publisher.clone();
    }
    if dataset.contact.is_empty() {
        dataset.contact = catalog.contact.clone();
    }
    if dataset.spatial.geocoding.is_none() {
        dataset.spatial.geocoding = catalog.spatial.geocoding.clone();
    }
    dataset.licence = dataset.licence.take().or_else(|| catalog.licence.clone());
}

/// What keeps a dataset from being open, or from staying so.
pub fn obstacles(dataset: &Dataset, internal: &Internal) -> Vec<Obstacle> {
    let mut found = described(dataset);
    found.extend(licensed(dataset));
    found.extend(reachable(dataset));
    found.extend(allowed(dataset));
    if internal.responsible_role.role.is_none() || internal.responsible_role.mailbox.is_none() {
        found.push(Obstacle::new(
            "internal/responsible_role",
            MISSING,
            (
                "Rolle und Postfach der Daten-Verantwortlichen angeben",
                "name the data owner's role and mailbox",
            ),
        ));
    }
    found
}

fn described(dataset: &Dataset) -> Vec<Obstacle> {
    let mut found = Vec::new();
    if dataset.title.is_empty() {
        found.push(Obstacle::new("title", MISSING, ("einen Titel angeben", "give a title")));
    }
    if dataset.description.is_empty() {
        found.push(Obstacle::new(
            "description",
            MISSING,
            (
                "in zwei, drei Sätzen beschreiben, was die Daten enthalten",
                "say in two or three sentences what the data contain",
            ),
        ));
    }
    if dataset.publisher.name.is_none() {
        found.push(Obstacle::new(
            "publisher",
            MISSING,
            (
                "den Herausgeber angeben, am besten einmal für den ganzen Katalog",
                "name the publisher, best once for the whole catalog",
            ),
        ));
    }
    if !dataset.contact.is_reachable() {
        found.push(Obstacle::new(
            "contact",
            MISSING,
            (
                "Postfach, Webadresse oder Telefon der Kontaktstelle angeben",
                "give the contact's mailbox, web address or telephone",
            ),
        ));
    }
    if dataset.temporal.is_reversed() {
        found.push(Obstacle::new(
            "temporal",
            ("endet vor seinem Beginn", "ends before it starts"),
            ("Beginn und Ende tauschen", "swap start and end"),
        ));
    }
    found
}

fn licensed(dataset: &Dataset) -> Vec<Obstacle> {
    let attributed = |licence: &LicenceIri, attribution: bool| !licence.asks_attribution() || attribution;
    let not_open = (
        "nennt eine Lizenz, die für offene Daten nicht zugelassen ist",
        "names a licence that open data may not carry",
    );
    let open = (
        "eine Lizenz wie dl-zero-de/2.0, dl-by-de/2.0, cc-zero oder cc-by/4.0 wählen",
        "choose a licence such as dl-zero-de/2.0, dl-by-de/2.0, cc-zero or cc-by/4.0",
    );
    let unnamed = (
        "fehlt, die Lizenz verlangt aber eine Namensnennung",
        "is missing, but the licence asks for attribution",
    );
    let mut found = Vec::new();
    match &dataset.licence {
        None if dataset.distributions.iter().any(|one| one.licence.is_none())
            || dataset.distributions.is_empty() =>
        {
            found.push(Obstacle::new("licence", MISSING, open));
        }
        Some(licence) if !licence.is_open() => found.push(Obstacle::new("licence", not_open, open)),
        Some(licence) if !attributed(licence, dataset.attribution.is_some()) => {
            found.push(Obstacle::new(
                "attribution",
                unnamed,
                ("den zu nennenden Namen angeben", "give the name to be credited"),
            ));
        }
        _ => {}
    }
    for one in &dataset.distributions {
        if one.licence.as_ref().is_some_and(|licence| !licence.is_open()) {
            found.push(Obstacle::new(format!("distributions/{}/licence", one.id), not_open, open));
        }
    }
    found
}

fn reachable(dataset: &Dataset) -> Vec<Obstacle> {
    let remedy = (
        "die Adresse angeben, unter der die Daten zu finden sind",
        "give the address at which the data are found",
    );
    if dataset.distributions.is_empty() {
        return vec![Obstacle::new(
            "distributions",
            MISSING,
            (
                "mindestens eine Bereitstellung mit Zugangs-URL angeben",
                "give at least one distribution with an access URL",
            ),
        )];
    }
    let without = dataset.distributions.iter().filter(|one| one.access_url.is_none());
    without
        .map(|one| Obstacle::new(format!("distributions/{}/access_url", one.id), MISSING, remedy))
        .collect()
}

fn allowed(dataset: &Dataset) -> Vec<Obstacle> {
    let remedy = (
        "den Personenbezug mit der Datenschutzstelle klären und eintragen",
        "settle the relation to persons with the data protection officer and enter it",
    );
    match dataset.personal_data {
        Some(PersonalData::None | PersonalData::Anonymised) => Vec::new(),
        None => vec![Obstacle::new("personal_data", MISSING, remedy)],
        Some(PersonalData::ToCheck) => {
            vec![Obstacle::new("personal_data", ("ist noch zu prüfen", "is still to be checked"), remedy)]
        }
        Some(PersonalData::Personal | PersonalData::Pseudonymised) => vec![Obstacle::new(
            "personal_data",
            (
                "schließt eine Veröffentlichung aus: personenbezogene Daten werden nie offen",
                "rules out publication: personal data are never open",
            ),
            (
                "einen anonymisierten Auszug als eigenen Datensatz anlegen",
                "create an anonymised extract as a dataset of its own",
            ),
        )],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::full_record;
    use super::super::{NewDataset, RecordEdit};
    use super::*;
    use crate::ids::{DatasetId, Town};

    fn fields(record: &LocalRecord) -> Vec<String> {
        publishable(record, None).unwrap_err().into_iter().map(|obstacle| obstacle.field).collect()
    }

    fn with(body: serde_json::Value) -> LocalRecord {
        RecordEdit::parse(&body).unwrap().apply(&full_record()).unwrap()
    }

    #[test]
    fn a_whole_record_becomes_open_without_its_notes() {
        let dataset = publishable(&full_record(), None).unwrap();
        assert_eq!((dataset.class, dataset.status), (Class::Open, LifecycleStatus::Published));
        assert!(!serde_json::to_string(&dataset).unwrap().contains("Laufwerk"));
    }

    #[test]
    fn an_empty_record_hears_of_everything_that_is_missing() {
        let empty = NewDataset::default().into_record(DatasetId(uuid::Uuid::nil())).unwrap();
        assert_eq!(
            fields(&empty),
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
        for obstacle in publishable(&empty, None).unwrap_err() {
            assert!(obstacle.message(Lang::De).contains("Abhilfe") && !obstacle.message(Lang::En).is_empty());
        }
    }

    #[test]
    fn each_rule_refuses_its_own_case() {
        let cases = [
            (json!({"licence": "cc-by-nc/4.0"}), "licence"),
            (json!({"attribution": null}), "attribution"),
            (json!({"distributions": {"csv": {"licence": "other-closed"}}}), "distributions/csv/licence"),
            (json!({"distributions": {"a-wfs": {"access_url": null}}}), "distributions/a-wfs/access_url"),
            (json!({"personal_data": "personenbezogen"}), "personal_data"),
            (json!({"personal_data": "pseudonymisiert"}), "personal_data"),
            (json!({"personal_data": "zu prüfen"}), "personal_data"),
            (json!({"contact": {"email": null, "phone": null, "url": null}}), "contact"),
            (json!({"internal": {"responsible_role": {"mailbox": null}}}), "internal/responsible_role"),
        ];
        for (body, field) in cases {
            assert_eq!(fields(&with(body)), [field]);
        }
    }

    #[test]
    fn the_catalog_fills_what_a_dataset_leaves_open() {
        let record = with(json!({"publisher": null, "contact": null, "licence": null, "spatial": null}));
        let town = Town::parse("05974040").unwrap();
        assert_eq!(publishable(&record, Some(&Catalog::new(town))).unwrap_err().len(), 3);
        let full = full_record().dataset;
        let mut catalog = Catalog::new(town);
        (catalog.publisher, catalog.contact, catalog.licence) =
            (full.publisher.clone(), full.contact, full.licence);
        assert_eq!(publishable(&record, Some(&catalog)).unwrap().publisher, full.publisher);
    }
}
