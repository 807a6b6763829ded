//! Code lists: the EU's authority tables, DCAT-AP.de's licences and the
//! catalog's own words, each with German and English labels.
//!
//! Sources: EU Publications Office (data-theme, frequency, distribution-status,
//! high-value-dataset-category), `http://dcat-ap.de/def/licenses/`. Never
//! fetched: a list changes with a release.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::invalid::{Bilingual, InvalidField, Lang, nearest};
use super::text::{Iri, text_type};

macro_rules! code_list {
    ($(#[$meta:meta])* $name:ident, $field:literal, $base:expr,
     { $($(#[$variant_meta:meta])* $variant:ident = $code:literal, $de:literal, $en:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum $name {
            $(#[doc = $en] $(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// All codes of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as JSON and documents hold it.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What people read.
            pub fn label(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$variant, Lang::De) => $de, (Self::$variant, Lang::En) => $en,)+
                }
            }

            /// Reads a code; upper and lower case, the IRI of the code and its
            /// German label mean the same.
            pub fn parse(text: &str) -> Result<Self, InvalidField> {
                let text = text.trim();
                // Documents hold the code itself: no need to compare labels.
                if let Some(code) = Self::ALL.iter().copied().find(|code| code.code() == text) {
                    return Ok(code);
                }
                let base: Option<&str> = $base;
                let word = base.and_then(|base| text.strip_prefix(base)).unwrap_or(text).to_lowercase();
                let meant = |code: &Self| code.code().to_lowercase() == word || code.label(Lang::De).to_lowercase() == word;
                Self::ALL.iter().copied().find(meant).ok_or_else(|| not_in_list($field, text, Self::ALL.iter().map(|code| code.code())))
            }

            /// The IRI of the code, if the list is published with IRIs.
            pub fn iri(self) -> Option<String> {
                let base: Option<&str> = $base;
                base.map(|base| format!("{base}{}", self.code()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }

        impl FromStr for $name {
            type Err = InvalidField;

            fn from_str(text: &str) -> Result<Self, InvalidField> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidField;

            fn try_from(text: String) -> Result<Self, InvalidField> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.code().to_owned()
            }
        }
    };
}

fn not_in_list(field: &str, text: &str, codes: impl Iterator<Item = &'static str> + Clone) -> InvalidField {
    let guess = nearest(text, codes.clone());
    let all = codes.collect::<Vec<_>>().join(", ");
    let remedy = match guess {
        Some(guess) => Bilingual::made(
            format!("vielleicht „{guess}“? Möglich sind: {all}"),
            format!("did you mean `{guess}`? Possible are: {all}"),
        ),
        None => Bilingual::made(format!("einen dieser Werte angeben: {all}"), format!("give one of: {all}")),
    };
    InvalidField::new(field, text, Bilingual::fixed("steht nicht in der Liste", "is not in the list"), remedy)
}

code_list!(
    /// EU data theme.
    Theme, "themes", Some("http://publications.europa.eu/resource/authority/data-theme/"),
    {
        Agri = "AGRI", "Landwirtschaft, Fischerei, Forstwirtschaft und Nahrungsmittel", "Agriculture, fisheries, forestry and food";
        Econ = "ECON", "Wirtschaft und Finanzen", "Economy and finance";
        Educ = "EDUC", "Bildung, Kultur und Sport", "Education, culture and sport";
        Ener = "ENER", "Energie", "Energy";
        Envi = "ENVI", "Umwelt", "Environment";
        Gove = "GOVE", "Regierung und öffentlicher Sektor", "Government and public sector";
        Heal = "HEAL", "Gesundheit", "Health";
        Intr = "INTR", "Internationale Themen", "International issues";
        Just = "JUST", "Justiz, Rechtssystem und öffentliche Sicherheit", "Justice, legal system and public safety";
        Regi = "REGI", "Regionen und Städte", "Regions and cities";
        Soci = "SOCI", "Bevölkerung und Gesellschaft", "Population and society";
        Tech = "TECH", "Wissenschaft und Technologie", "Science and technology";
        Tran = "TRAN", "Verkehr", "Transport";
        OpDatpro = "OP_DATPRO", "Vorläufige Daten", "Provisional data";
    }
);

code_list!(
    /// EU frequency of updates.
    Frequency, "frequency", Some("http://publications.europa.eu/resource/authority/frequency/"),
    {
        EveryMinute = "1MIN", "minütlich", "every minute";
        EveryFiveMinutes = "5MIN", "alle fünf Minuten", "every five minutes";
        EveryTenMinutes = "10MIN", "alle zehn Minuten", "every ten minutes";
        EveryFifteenMinutes = "15MIN", "alle fünfzehn Minuten", "every fifteen minutes";
        EveryThirtyMinutes = "30MIN", "alle dreißig Minuten", "every thirty minutes";
        Hourly = "HOURLY", "stündlich", "hourly";
        Bihourly = "BIHOURLY", "alle zwei Stunden", "bihourly";
        Trihourly = "TRIHOURLY", "alle drei Stunden", "trihourly";
        EveryTwelveHours = "12HRS", "alle zwölf Stunden", "every twelve hours";
        Daily2 = "DAILY_2", "zweimal täglich", "twice a day";
        Daily = "DAILY", "täglich", "daily";
        Weekly3 = "WEEKLY_3", "dreimal in der Woche", "three times a week";
        Weekly2 = "WEEKLY_2", "zweimal in der Woche", "semiweekly";
        Weekly = "WEEKLY", "wöchentlich", "weekly";
        Biweekly = "BIWEEKLY", "zweiwöchentlich", "biweekly";
        Monthly3 = "MONTHLY_3", "dreimal im Monat", "three times a month";
        Monthly2 = "MONTHLY_2", "zweimal im Monat", "semimonthly";
        Monthly = "MONTHLY", "monatlich", "monthly";
        Bimonthly = "BIMONTHLY", "zweimonatlich", "bimonthly";
        Quarterly = "QUARTERLY", "vierteljährlich", "quarterly";
        Annual3 = "ANNUAL_3", "dreimal im Jahr", "three times a year";
        Annual2 = "ANNUAL_2", "halbjährlich", "semiannual";
        Annual = "ANNUAL", "jährlich", "annual";
        Biennial = "BIENNIAL", "zweijährlich", "biennial";
        Triennial = "TRIENNIAL", "dreijährlich", "triennial";
        Quadrennial = "QUADRENNIAL", "vierjährlich", "quadrennial";
        Quinquennial = "QUINQUENNIAL", "fünfjährlich", "quinquennial";
        Decennial = "DECENNIAL", "alle zehn Jahre", "decennial";
        Bidecennial = "BIDECENNIAL", "alle zwanzig Jahre", "bidecennial";
        Tridecennial = "TRIDECENNIAL", "alle dreißig Jahre", "tridecennial";
        Cont = "CONT", "kontinuierlich", "continuous";
        UpdateCont = "UPDATE_CONT", "ständige Aktualisierung", "continuously updated";
        AsNeeded = "AS_NEEDED", "nach Bedarf", "as needed";
        Irreg = "IRREG", "unregelmäßig", "irregular";
        Never = "NEVER", "niemals", "never";
        NotPlanned = "NOT_PLANNED", "nicht geplant", "not planned";
        Other = "OTHER", "andere", "other";
        Unknown = "UNKNOWN", "unbekannt", "unknown";
        OpDatpro = "OP_DATPRO", "Vorläufige Daten", "Provisional data";
    }
);

code_list!(
    /// EU status of a distribution.
    DistributionStatus, "status", Some("http://publications.europa.eu/resource/authority/distribution-status/"),
    {
        Completed = "COMPLETED", "fertiggestellt", "completed";
        Develop = "DEVELOP", "in Entwicklung", "under development";
        Deprecated = "DEPRECATED", "veraltet", "deprecated";
        Withdrawn = "WITHDRAWN", "zurückgezogen", "withdrawn";
    }
);

code_list!(
    /// EU category of high-value datasets (Implementing Regulation 2023/138).
    HvdCategory, "hvd_categories", Some("http://data.europa.eu/bna/"),
    {
        EarthObservation = "c_dd313021", "Erdbeobachtung und Umwelt", "Earth observation and environment";
        Geospatial = "c_ac64a52d", "Georaum", "Geospatial";
        Meteorological = "c_164e0bf5", "Meteorologie", "Meteorological";
        Mobility = "c_b79e35eb", "Mobilität", "Mobility";
        Statistics = "c_e1da4e07", "Statistik", "Statistics";
        Companies = "c_a9135398", "Unternehmen und Eigentümerschaft von Unternehmen", "Companies and company ownership";
    }
);

code_list!(
    /// Whether a dataset is a high-value dataset.
    Hvd, "hvd", None,
    {
        Yes = "ja", "ja", "yes";
        No = "nein", "nein", "no";
        ToCheck = "zu prüfen", "zu prüfen", "to be checked";
    }
);

code_list!(
    /// How the data relate to persons.
    PersonalData, "personal_data", None,
    {
        None = "keiner", "kein Personenbezug", "no personal data";
        Anonymised = "anonymisiert", "anonymisierte Daten", "anonymised";
        Pseudonymised = "pseudonymisiert", "pseudonymisierte Daten", "pseudonymised";
        Personal = "personenbezogen", "personenbezogene Daten", "personal data";
        ToCheck = "zu prüfen", "noch zu prüfen", "to be checked";
    }
);

code_list!(
    /// Dimension of data quality that a dataset promises.
    QualityCriterion, "quality_criteria", None,
    {
        Correct = "korrekt", "korrekt", "correct";
        Consistent = "konsistent", "konsistent", "consistent";
        Reliable = "zuverlässig", "zuverlässig", "reliable";
        Complete = "vollständig", "vollständig", "complete";
        Accurate = "genau", "genau", "accurate";
        Current = "aktuell", "aktuell", "current";
        FreeOfRedundancy = "redundanzfrei", "redundanzfrei", "free of redundancy";
        Relevant = "relevant", "relevant", "relevant";
        Uniform = "einheitlich", "einheitlich", "uniform";
        Unambiguous = "eindeutig", "eindeutig", "unambiguous";
        Understandable = "verständlich", "verständlich", "understandable";
    }
);

code_list!(
    /// Where a record stands in its life.
    LifecycleStatus, "status", None,
    {
        Draft = "entwurf", "Entwurf", "draft";
        InReview = "in_pruefung", "in Prüfung", "in review";
        Internal = "intern", "intern", "internal";
        Shared = "geteilt", "geteilt", "shared";
        Published = "veroeffentlicht", "veröffentlicht", "published";
        Deprecated = "veraltet", "veraltet", "deprecated";
        Withdrawn = "zurueckgezogen", "zurückgezogen", "withdrawn";
        Archived = "archiviert", "archiviert", "archived";
    }
);

code_list!(
    /// Who may see a record.
    Class, "class", None,
    {
        Open = "open", "offen", "open";
        Shared = "shared", "geteilt", "shared";
        Closed = "closed", "geschlossen", "closed";
    }
);

text_type!(
    /// A licence of DCAT-AP.de's list, named by its IRI.
    LicenceIri, "licence", licence
);

/// Where DCAT-AP.de's licences live.
pub const LICENCE_BASE: &str = "http://dcat-ap.de/def/licenses/";

/// A licence of DCAT-AP.de's list.
struct Licence {
    path: &'static str,
    name: &'static str,
    /// Zero, public domain or attribution only: what open data may carry.
    open: bool,
    attribution: bool,
}

const fn licence_row(path: &'static str, name: &'static str, open: bool, attribution: bool) -> Licence {
    Licence { path, name, open, attribution }
}

/// DCAT-AP.de's list of 2021-07-21.
static LICENCES: &[Licence] = &[
    licence_row("dl-zero-de/2.0", "Datenlizenz Deutschland – Zero – Version 2.0", true, false),
    licence_row("dl-by-de/2.0", "Datenlizenz Deutschland – Namensnennung – Version 2.0", true, true),
    licence_row("cc-zero", "Creative Commons CC Zero (CC0)", true, false),
    licence_row("cc-by/4.0", "Creative Commons Namensnennung 4.0 (CC BY 4.0)", true, true),
    licence_row("cc-by", "Creative Commons Namensnennung (CC BY)", true, true),
    licence_row("cc-by-de/3.0", "Creative Commons Namensnennung 3.0 Deutschland (CC BY 3.0 DE)", true, true),
    licence_row("dl-by-de/1.0", "Datenlizenz Deutschland – Namensnennung – Version 1.0", true, true),
    licence_row("ccpdm/1.0", "Public Domain Mark 1.0", true, false),
    licence_row("odcpddl", "Open Data Commons Public Domain Dedication (PDDL)", true, false),
    licence_row("odby", "Open Data Commons Attribution (ODC-BY 1.0)", true, true),
    licence_row("officialWork", "Amtliches Werk, lizenzfrei nach § 5 Abs. 1 UrhG", true, false),
    licence_row("geonutz/20130319", "Nutzungsbestimmungen für Geodaten des Bundes", true, true),
    licence_row("geoNutz/20131001", "Nutzungsbestimmungen für Geodaten des Landes Berlin", true, true),
    licence_row("cc-by-sa", "Creative Commons Weitergabe unter gleichen Bedingungen (CC BY-SA)", false, true),
    licence_row("cc-by-sa/4.0", "Creative Commons CC BY-SA 4.0", false, true),
    licence_row("cc-by-sa-de/3.0", "Creative Commons CC BY-SA 3.0 Deutschland", false, true),
    licence_row("odbl", "Open Database License (ODbL)", false, true),
    licence_row("cc-by-nc", "Creative Commons CC BY-NC", false, true),
    licence_row("cc-by-nc/4.0", "Creative Commons CC BY-NC 4.0", false, true),
    licence_row("cc-by-nc-de/3.0", "Creative Commons CC BY-NC 3.0 Deutschland", false, true),
    licence_row("cc-by-nd", "Creative Commons CC BY-ND", false, true),
    licence_row("cc-by-nd/3.0", "Creative Commons CC BY-ND 3.0", false, true),
    licence_row("cc-by-nd/4.0", "Creative Commons CC BY-ND 4.0", false, true),
    licence_row(
        "dl-by-nc-de/1.0",
        "Datenlizenz Deutschland – Namensnennung – nicht-kommerziell 1.0",
        false,
        true,
    ),
    licence_row("gfdl", "GNU Free Documentation License", false, true),
    licence_row("gpl/3.0", "GNU General Public License 3.0", false, false),
    licence_row("mozilla", "Mozilla Public License 2.0", false, false),
    licence_row("apache", "Apache-Lizenz", false, false),
    licence_row("bsd", "BSD-Lizenz", false, false),
    licence_row("other-open", "Andere offene Lizenz", false, false),
    licence_row("other-opensource", "Andere Open-Source-Lizenz", false, false),
    licence_row("other-closed", "Andere geschlossene Lizenz", false, false),
    licence_row("other-commercial", "Andere kommerzielle Lizenz", false, false),
    licence_row("other-freeware", "Andere Freeware-Lizenz", false, false),
];

impl LicenceIri {
    /// What people read.
    pub fn label(&self) -> &'static str {
        self.row().map_or("", |row| row.name)
    }

    /// Whether open data may carry it: zero, public domain or attribution only.
    pub fn is_open(&self) -> bool {
        self.row().is_some_and(|row| row.open)
    }

    /// Whether it asks for the source to be named.
    pub fn asks_attribution(&self) -> bool {
        self.row().is_some_and(|row| row.attribution)
    }

    /// IRIs of the licences that open data may carry.
    pub fn open_list() -> impl Iterator<Item = String> {
        LICENCES.iter().filter(|row| row.open).map(|row| format!("{LICENCE_BASE}{}", row.path))
    }

    fn row(&self) -> Option<&'static Licence> {
        let path = self.as_str().strip_prefix(LICENCE_BASE)?;
        LICENCES.iter().find(|row| row.path == path)
    }
}

/// Accepts the IRI, with `https` too, and the short path (`dl-zero-de/2.0`).
fn licence(field: &str, text: &str) -> Result<String, InvalidField> {
    let exact = text.strip_prefix(LICENCE_BASE);
    if exact.is_some_and(|path| LICENCES.iter().any(|row| row.path == path)) {
        return Ok(text.to_owned());
    }
    let word =
        text.strip_prefix("https://").map(|rest| format!("http://{rest}")).unwrap_or_else(|| text.to_owned());
    let path = word.strip_prefix(LICENCE_BASE).unwrap_or(&word);
    match LICENCES.iter().find(|row| row.path.eq_ignore_ascii_case(path)) {
        Some(row) => Iri::parse(&format!("{LICENCE_BASE}{}", row.path)).map(String::from),
        None => {
            let (de, en) =
                ("ist keine Lizenz der Liste von DCAT-AP.de", "is not a licence of DCAT-AP.de's list");
            let remedy = match nearest(path, LICENCES.iter().map(|row| row.path)) {
                Some(guess) => Bilingual::made(
                    format!("vielleicht „{LICENCE_BASE}{guess}“?"),
                    format!("did you mean `{LICENCE_BASE}{guess}`?"),
                ),
                None => Bilingual::made(
                    format!("zum Beispiel {LICENCE_BASE}dl-zero-de/2.0 oder {LICENCE_BASE}cc-by/4.0 angeben"),
                    format!("give for example {LICENCE_BASE}dl-zero-de/2.0 or {LICENCE_BASE}cc-by/4.0"),
                ),
            };
            Err(InvalidField::new(field, text, Bilingual::fixed(de, en), remedy))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_itself_back() {
        for theme in Theme::ALL {
            assert_eq!(Theme::parse(theme.code()), Ok(*theme));
            assert_eq!(Theme::parse(&theme.iri().unwrap()), Ok(*theme));
        }
        assert_eq!((Theme::ALL.len(), QualityCriterion::ALL.len(), LifecycleStatus::ALL.len()), (14, 11, 8));
        for frequency in Frequency::ALL {
            assert_eq!(
                serde_json::from_str::<Frequency>(&serde_json::to_string(frequency).unwrap()).unwrap(),
                *frequency
            );
        }
        for row in LICENCES {
            assert!(LicenceIri::parse(row.path).unwrap().label() == row.name);
        }
    }

    #[test]
    fn a_wrong_code_names_the_list_and_the_nearest() {
        let error = Frequency::parse("MONTLY").unwrap_err();
        assert!(error.message_de().contains("vielleicht „MONTHLY“"), "{}", error.message_de());
        for wrong in ["", "ENVIRO", "http://publications.europa.eu/resource/authority/frequency/ENVI"] {
            assert!(Theme::parse(wrong).is_err(), "{wrong}");
        }
        assert!(PersonalData::parse("geheim").unwrap_err().message_en().contains("personenbezogen"));
    }

    #[test]
    fn only_zero_public_domain_and_attribution_are_open() {
        assert!(LicenceIri::parse("https://dcat-ap.de/def/licenses/dl-zero-de/2.0").unwrap().is_open());
        assert!(LicenceIri::parse("cc-by/4.0").unwrap().asks_attribution());
        for closed in ["cc-by-nc/4.0", "dl-by-nc-de/1.0", "cc-by-nd/4.0", "other-closed"] {
            assert!(!LicenceIri::parse(closed).unwrap().is_open(), "{closed}");
        }
        assert!(LicenceIri::parse("https://example.org/meine-lizenz").is_err());
        assert!(LicenceIri::open_list().all(|iri| !iri.contains("-nc") && !iri.contains("-nd")));
    }
}
