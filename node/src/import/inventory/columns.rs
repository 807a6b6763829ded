//! What a column is called and what it means.
//!
//! The names are those of municipal templates, their slips of the pen included;
//! one letter in six may differ. A mapping that was saved for a source decides
//! before any name does.

use std::collections::BTreeMap;

use crdt::catalog::InvalidField;
use crdt::catalog::invalid::{Bilingual, distance, nearest};
use serde::{Deserialize, Serialize};

/// What a column says about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Meaning {
    Identifier,
    Title,
    Description,
    Keywords,
    Theme,
    Domain,
    Musterdatensatz,
    Licence,
    Attribution,
    Format,
    Frequency,
    UpdateProcess,
    DataModified,
    Spatial,
    Geocoding,
    TemporalStart,
    TemporalEnd,
    Publisher,
    ContactName,
    ContactEmail,
    ContactPhone,
    Department,
    Sovereignty,
    SourceSystem,
    PersonalData,
    Anonymisable,
    Hvd,
    Link,
    Download,
    Interface,
    LegalBasis,
    Protection,
    Availability,
    OpenDataFit,
    Classification,
    Person,
    Comment,
    /// Known, and of no use: running numbers, the importer's own remarks.
    Ignored,
}

/// A meaning, its name in mappings and reports, and what columns call it.
pub(super) struct Known {
    pub(super) meaning: Meaning,
    /// The record's field, or a word of our own in angle brackets.
    pub(super) field: &'static str,
    /// Names, the first being that of our own template.
    pub(super) names: &'static [&'static str],
}

const fn known(meaning: Meaning, field: &'static str, names: &'static [&'static str]) -> Known {
    Known { meaning, field, names }
}

/// Every meaning, in the order of our own template.
#[rustfmt::skip]
pub(super) static KNOWN: &[Known] = &[
    known(Meaning::Title, "title", &["Titel", "Titel (standardisiert)", "Standardisierter Titel", "Titel des Datensatzes", "Datensatz", "Datensatzname", "Name", "Name des Datensatzes", "Bezeichnung des Datensatzes", "Datensatztitel", "dct:title", "title"]),
    known(Meaning::Description, "description", &["Beschreibung", "Kurzbeschreibung", "Beschreibung des Datensatzes", "Inhalt", "dct:description", "description", "notes"]),
    known(Meaning::Theme, "themes", &["Thema", "Themen", "Kategorie", "Kategorien", "Themenbereich", "Themenfeld", "dcat:theme", "theme"]),
    known(Meaning::Keywords, "keywords", &["Tags", "Schlagwörter", "Schlagworte", "Schlagwort", "Stichworte", "Stichwörter", "Keywords", "dcat:keyword"]),
    known(Meaning::Spatial, "spatial/unit", &["Räumlicher Bezug", "Raumbezug", "Räumliche Abdeckung", "Geografischer Bezug", "Gebietsbezug", "Raumeinheit"]),
    known(Meaning::Department, "department", &["Verantwortlichkeit", "Verantworlichkeit", "Verantwortliche Stelle", "Verantwortliches Amt", "Fachbereich", "Abteilung", "Amt", "Dienststelle", "Organisationseinheit", "Fachdienst", "Zuständigkeit", "Zuständige Stelle"]),
    known(Meaning::Sovereignty, "internal/responsible_role/unit", &["Datenhoheit bei", "Datenhoheit", "Dateneigentümer", "Datenhalter", "Datenhaltende Stelle"]),
    known(Meaning::SourceSystem, "internal/source_system", &["IT-Fachverfahren", "Fachverfahren", "IT Verfahren", "Quellsystem", "System", "Software", "Anwendung", "Programm"]),
    known(Meaning::Format, "formats", &["Dateiformat", "Dateiformate", "Format", "Formate", "Datenformat", "dct:format"]),
    known(Meaning::Availability, "<availability>", &["Verfügbarkeit", "Verfügbar", "Zugänglichkeit", "Zugang"]),
    known(Meaning::UpdateProcess, "update_process", &["Aktualisierungsprozess", "Aktualisierungsverfahren", "Aktualisierung durch", "Art der Aktualisierung"]),
    known(Meaning::DataModified, "data_modified", &["Zuletzt aktualisiert", "Letzte Aktualisierung", "Stand", "Datenstand", "Aktualisiert am", "Stand der Daten", "dct:modified", "updated_at", "modified"]),
    known(Meaning::Frequency, "frequency", &["Aktualisierungsfrequenz", "Aktualisierungszyklus", "Aktualisierungsintervall", "Turnus", "Aktualisierungsrhythmus", "Aktualisierungshäufigkeit", "Aktualität", "Aktualisierung", "dct:accrualPeriodicity", "frequency"]),
    known(Meaning::Link, "distributions", &["Ressource Link", "Ressourcenlink", "Link", "URL", "Link zur Ressource", "Zugangs-URL", "Adresse", "Webseite", "Speicherort", "Ablageort", "Pfad", "Dateipfad", "dcat:landingPage", "dcat:accessURL", "Fundstelle"]),
    known(Meaning::Download, "distributions/download_url", &["Download-URL", "Downloadlink", "Download", "dcat:downloadURL"]),
    known(Meaning::Licence, "licence", &["Lizenz", "Nutzungslizenz", "Lizenzierung", "Nutzungsbedingungen", "dct:license", "dcat:Distribution.dct:license", "license", "licence"]),
    known(Meaning::Attribution, "attribution", &["Namensnennung", "Quellenvermerk", "Namensnennungstext", "Attribution"]),
    known(Meaning::PersonalData, "personal_data", &["Personenbezug", "Personenbezogene Daten", "Personenbezogen", "Personenbezug (ja/nein)", "Enthält personenbezogene Daten"]),
    known(Meaning::Anonymisable, "<anonymisable>", &["Anonymisierbarkeit", "Anonymisierbar", "Anonymisierung möglich"]),
    known(Meaning::OpenDataFit, "internal/proposed_classification", &["Open Data geeignet", "Open-Data-geeignet", "Eignung Open Data", "Als Open Data geeignet", "Open Data", "Open Data Eignung"]),
    known(Meaning::Classification, "<classification>", &["Einstufung", "Klassifizierung", "Status", "Zugangsgrad", "Veröffentlichungsstatus", "Veröffentlicht", "Veröffentlichung"]),
    known(Meaning::Protection, "internal/classification_reason", &["Schutzbedarf", "Schutzbedarfsklasse", "Schutzklasse", "Grund der Einstufung"]),
    known(Meaning::LegalBasis, "internal/legal_basis", &["Rechtsgrundlage", "Gesetzliche Grundlage", "Rechtliche Grundlage", "Gesetz"]),
    known(Meaning::Interface, "<interface>", &["Schnittstelle", "Schnittstellen", "API", "Dienst", "Webservice"]),
    known(Meaning::Musterdatensatz, "musterdatensatz", &["Musterdatensatz", "Musterdatensatz (MDK)", "Referenztyp"]),
    known(Meaning::Domain, "domain", &["Datendomäne", "Domäne", "Datengruppe"]),
    known(Meaning::Hvd, "hvd", &["HVD", "Hochwertiger Datensatz", "High Value Dataset"]),
    known(Meaning::TemporalStart, "temporal/start", &["Zeitbezug von", "Zeitraum von", "Zeitlicher Bezug von", "Beginn", "Gültig ab"]),
    known(Meaning::TemporalEnd, "temporal/end", &["Zeitbezug bis", "Zeitraum bis", "Zeitlicher Bezug bis", "Ende", "Gültig bis"]),
    known(Meaning::Geocoding, "spatial/geocoding", &["Geocoding", "politicalGeocodingURI", "Gemeindeschlüssel-URI"]),
    known(Meaning::Publisher, "publisher/name", &["Herausgeber", "Veröffentlichende Stelle", "Kommune", "ORG", "dct:publisher", "Publisher"]),
    known(Meaning::ContactName, "contact/name", &["Kontaktstelle", "Kontakt", "Funktion"]),
    known(Meaning::ContactEmail, "contact/email", &["Funktionspostfach", "E-Mail", "Mail", "Mailadresse", "Kontakt E-Mail", "Postfach"]),
    known(Meaning::ContactPhone, "contact/phone", &["Telefon", "Telefonnummer", "Rufnummer"]),
    known(Meaning::Identifier, "identifier", &["Kennung", "ID", "Identifier", "Identifikator", "Datensatz-ID", "Schlüssel", "UUID", "dct:identifier"]),
    known(Meaning::Person, "<person>", &["Ansprechperson", "Ansprechpartner", "Ansprechpartnerin", "Ansprechpartner/in", "Bearbeiter", "Sachbearbeiter", "Sachbearbeitung", "Kontaktperson", "Ausgefüllt von", "Verantwortliche Person"]),
    known(Meaning::Comment, "internal/notes", &["Kommentar", "Kommentare", "Bemerkung", "Bemerkungen", "Anmerkung", "Anmerkungen", "Hinweis", "Hinweise", "Notiz", "Notizen"]),
    known(Meaning::Ignored, "<ignored>", &["Nr", "Lfd. Nr.", "Laufende Nummer", "#", "Fehler"]),
];

/// The columns of the template: names and fields.
pub(super) fn template() -> impl Iterator<Item = (&'static str, &'static str)> {
    let left_out = [Meaning::Ignored, Meaning::Geocoding];
    let known = KNOWN.iter().filter(move |known| !left_out.contains(&known.meaning));
    known.filter_map(|known| Some((*known.names.first()?, known.field)))
}

/// How the columns of a source are understood; can be saved, changed by hand
/// and given back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// By the column's name: the record's field that it fills, or nothing if
    /// it only goes to the town's own notes.
    pub columns: BTreeMap<String, Option<String>>,
    /// The head as it stood in the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub head: Vec<String>,
}

impl Mapping {
    /// Columns whose field is none that a column can fill.
    pub fn wrong(&self) -> Vec<InvalidField> {
        let wrong = self.columns.iter().filter_map(|(column, field)| {
            let field = field.as_deref().filter(|field| by_field(field).is_none())?;
            let problem = Bilingual::fixed(
                "ist kein Feld, das eine Spalte füllen kann",
                "is not a field that a column can fill",
            );
            let remedy = match nearest(field, fields()) {
                Some(guess) => {
                    Bilingual::made(format!("vielleicht „{guess}“?"), format!("did you mean `{guess}`?"))
                }
                None => {
                    let all = fields().collect::<Vec<_>>().join(", ");
                    Bilingual::made(format!("möglich sind: {all}"), format!("possible are: {all}"))
                }
            };
            Some(InvalidField::new(format!("columns/{column}"), field, problem, remedy))
        });
        wrong.collect()
    }
}

/// The fields that a column can fill.
fn fields() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.field)
}

fn by_field(field: &str) -> Option<Meaning> {
    KNOWN.iter().find(|known| known.field == field).map(|known| known.meaning)
}

/// The record's field that a meaning fills.
pub(super) fn field_of(meaning: Meaning) -> &'static str {
    KNOWN.iter().find(|known| known.meaning == meaning).map_or("", |known| known.field)
}

/// What a column means by a saved mapping, else by its name.
pub(super) fn meaning(name: &str, saved: Option<&Mapping>) -> Option<Meaning> {
    if let Some(saved) = saved
        && let Some(field) = saved.columns.get(name)
    {
        return field.as_deref().and_then(by_field);
    }
    let word = plain(name);
    if word.is_empty() {
        return None;
    }
    let exact = KNOWN.iter().find(|known| known.names.iter().any(|known| plain(known) == word));
    exact.or_else(|| nearly(&word)).map(|known| known.meaning)
}

/// The meaning whose name differs least, within one letter in six.
fn nearly(word: &str) -> Option<&'static Known> {
    let letters: Vec<char> = word.chars().take(64).collect();
    let most = letters.len() / 6;
    let names = KNOWN.iter().flat_map(|known| known.names.iter().map(move |name| (known, plain(name))));
    let near = names.filter_map(|(known, name)| {
        let name: Vec<char> = name.chars().collect();
        (name.len().abs_diff(letters.len()) <= most).then(|| (distance(&letters, &name), known))
    });
    near.filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// A name without what people write in different ways: case, umlauts, signs,
/// what stands in brackets or after a line break.
pub(super) fn plain(name: &str) -> String {
    let line = name.trim().lines().next().unwrap_or_default();
    let bare = line.split(['(', '[']).next().filter(|bare| !bare.trim().is_empty()).unwrap_or(line);
    let mut plain = String::with_capacity(bare.len());
    for letter in bare.chars().flat_map(char::to_lowercase).take(128) {
        match letter {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            letter if letter.is_alphanumeric() || letter == '#' => plain.push(letter),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_names_and_slips_of_the_pen() {
        for (name, expected) in [
            ("Titel", Meaning::Title),
            ("TITEL ", Meaning::Title),
            ("Titel (standardisiert)", Meaning::Title),
            ("Verantworlichkeit", Meaning::Department),
            ("Verantwortlickeit", Meaning::Department),
            ("Räumlicher Bezug", Meaning::Spatial),
            ("Raeumlicher Bezug", Meaning::Spatial),
            ("Ansprechperson\n(Name, Telefon)", Meaning::Person),
            ("Aktualisierungsfrequenz", Meaning::Frequency),
            ("Aktualisierungsfreqenz", Meaning::Frequency),
            ("Open Data geeignet?", Meaning::OpenDataFit),
            ("IT-Fachverfahren", Meaning::SourceSystem),
            ("dcat:Distribution.dct:license", Meaning::Licence),
            ("Personenbezug", Meaning::PersonalData),
        ] {
            assert_eq!(meaning(name, None), Some(expected), "{name}");
        }
        for name in ["", "Farbe", "Titelfarbe des Deckblatts", "XY", "Spalte 7"] {
            assert_eq!(meaning(name, None), None, "{name}");
        }
    }

    #[test]
    fn every_column_of_the_real_templates_has_its_meaning() {
        for (name, expected) in [
            ("Thema", Meaning::Theme),
            ("Titel", Meaning::Title),
            ("Titel (standardisiert)", Meaning::Title),
            ("Beschreibung", Meaning::Description),
            ("Räumlicher Bezug", Meaning::Spatial),
            ("Verantwortlichkeit", Meaning::Department),
            ("Verantworlichkeit", Meaning::Department),
            ("Ansprechperson", Meaning::Person),
            ("Datenhoheit bei", Meaning::Sovereignty),
            ("IT-Fachverfahren", Meaning::SourceSystem),
            ("Dateiformat", Meaning::Format),
            ("Verfügbarkeit", Meaning::Availability),
            ("Aktualisierungsprozess", Meaning::UpdateProcess),
            ("Zuletzt aktualisiert", Meaning::DataModified),
            ("Aktualisierungsfrequenz", Meaning::Frequency),
            ("Ressource Link", Meaning::Link),
            ("Personenbezug", Meaning::PersonalData),
            ("Anonymisierbarkeit", Meaning::Anonymisable),
            ("Tags", Meaning::Keywords),
            ("Open Data geeignet", Meaning::OpenDataFit),
            ("Kommentar", Meaning::Comment),
            ("Schutzbedarf", Meaning::Protection),
            ("Rechtsgrundlage", Meaning::LegalBasis),
            ("Schnittstelle", Meaning::Interface),
        ] {
            assert_eq!(meaning(name, None), Some(expected), "{name}");
        }
    }

    #[test]
    fn no_name_means_two_things() {
        let mut names: Vec<(String, Meaning)> = KNOWN
            .iter()
            .flat_map(|known| known.names.iter().map(|name| (plain(name), known.meaning)))
            .collect();
        names.sort();
        names.dedup();
        let twice = names.windows(2).find(|pair| pair[0].0 == pair[1].0);
        assert_eq!(twice, None);
    }

    #[test]
    fn a_saved_mapping_decides_before_any_name() {
        let columns = [("Titel".to_owned(), None), ("Farbe".to_owned(), Some("title".to_owned()))];
        let saved = Mapping { columns: columns.into(), head: Vec::new() };
        assert_eq!(meaning("Titel", Some(&saved)), None);
        assert_eq!(meaning("Farbe", Some(&saved)), Some(Meaning::Title));
        assert_eq!(meaning("Thema", Some(&saved)), Some(Meaning::Theme));
        let wrong =
            Mapping { columns: [("Farbe".to_owned(), Some("titel".to_owned()))].into(), head: Vec::new() };
        assert!(wrong.wrong()[0].message_en().contains("did you mean `title`?"));
        assert!(saved.wrong().is_empty());
    }
}
