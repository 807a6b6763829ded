//! The words of the pages, in German and English, and which of the two a
//! reader gets.
//!
//! German comes first; English is given to who asks for it: by `?lang=en`, by
//! the cookie that this leaves behind, or by the browser's languages, in this
//! order. The table is a type: a word without its other language does not
//! compile.

use axum::http::{HeaderMap, header};
use crdt::catalog::Lang;
use crdt::ids::UnixMillis;
use jiff::tz::TimeZone;

/// Name of the query parameter and of the cookie that hold the language.
pub(crate) const LANG_KEY: &str = "lang";

/// Longest header that is searched for a language, in bytes.
const HEADER_BYTES_MAX: usize = 1_024;

macro_rules! texts {
    ($($key:ident: $de:literal, $en:literal;)+) => {
        /// Every word of the pages in one language.
        #[derive(Debug)]
        pub(crate) struct Texts { $(pub(crate) $key: &'static str,)+ }

        static GERMAN: Texts = Texts { $($key: $de,)+ };
        static ENGLISH: Texts = Texts { $($key: $en,)+ };

        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($key), $de, $en),)+];
    };
}

texts! {
    catalog: "Datenkatalog", "Data catalogue";
    catalog_of: "Offene Daten der Städte im Verbund", "Open data of the federated towns";
    skip: "Zum Inhalt springen", "Skip to content";
    nav: "Hauptnavigation", "Main navigation";
    nav_search: "Datensätze", "Datasets";
    nav_federation: "Verbund", "Federation";
    nav_developers: "Schnittstellen", "Interfaces";
    other_language: "English", "Deutsch";
    feed: "Neue und geänderte Datensätze", "New and changed datasets";
    node_of: "Knoten der Stadt", "Node of the town of";
    version: "Version", "Version";
    footer_what: "Jede Stadt führt ihren Katalog selbst. Dieser Knoten zeigt die offenen Datensätze aller Städte des Verbunds aus einer eigenen, geprüften Kopie.", "Every town keeps its own catalogue. This node shows the open datasets of all towns of the federation from its own, verified copy.";
    federation_id: "Kennung des Verbunds", "Federation id";

    search_title: "Datensätze suchen", "Search datasets";
    search_label: "Suchbegriff", "Search term";
    search_hint: "zum Beispiel Baumkataster, Haushalt, Radverkehr", "for example Baumkataster, Haushalt, Radverkehr";
    search_button: "Suchen", "Search";
    filters: "Filter", "Filters";
    filters_apply: "Filter anwenden", "Apply filters";
    filters_active: "Aktive Filter", "Active filters";
    filters_reset: "Alle Filter entfernen", "Remove all filters";
    filter_remove: "Filter entfernen:", "Remove filter:";
    more_values: "weitere", "more";
    sort_label: "Sortierung", "Sort by";
    sort_relevance: "Relevanz", "Relevance";
    sort_modified: "Zuletzt geändert", "Last modified";
    sort_title: "Titel", "Title";
    results_one: "Datensatz", "dataset";
    results_many: "Datensätze", "datasets";
    results_none: "Kein Datensatz gefunden", "No dataset found";
    relaxed: "Kein Datensatz enthält alle Wörter. Diese enthalten einen Teil davon.", "No dataset contains all words. These contain some of them.";
    empty_words: "Prüfen Sie die Schreibweise oder versuchen Sie ein allgemeineres Wort.", "Check the spelling or try a more general word.";
    empty_filters: "Entfernen Sie einen der Filter.", "Remove one of the filters.";
    empty_all: "Alle offenen Datensätze zeigen", "Show all open datasets";
    empty_catalog: "Noch keine Stadt des Verbunds hat hier offene Datensätze veröffentlicht.", "No town of the federation has published open datasets here yet.";
    page_nav: "Seiten", "Pages";
    page: "Seite", "Page";
    page_of: "von", "of";
    page_previous: "Vorherige Seite", "Previous page";
    page_next: "Nächste Seite", "Next page";
    facet_town: "Stadt", "Town";
    facet_theme: "Thema", "Theme";
    facet_domain: "Datendomäne", "Data domain";
    facet_format: "Dateiformat", "Format";
    facet_licence: "Lizenz", "Licence";
    facet_frequency: "Aktualisierungsfrequenz", "Frequency";
    facet_class: "Zugangsgrad", "Access rights";

    title_missing: "Ohne Titel", "Untitled";
    field_title: "Titel", "Title";
    field_keywords: "Schlagwörter", "Keywords";
    field_themes: "Thema", "Theme";
    field_domain: "Datendomäne", "Data domain";
    field_department: "Fachbereich", "Department";
    field_musterdatensatz: "Musterdatensatz", "Reference type";
    field_publisher: "Herausgeber", "Publisher";
    field_contact: "Kontaktstelle", "Contact point";
    field_licence: "Lizenz", "Licence";
    field_attribution: "Namensnennung", "Attribution";
    field_frequency: "Aktualisierungsfrequenz", "Frequency";
    field_update_process: "Aktualisierungsprozess", "Update process";
    field_issued: "Veröffentlicht am", "Issued";
    field_modified: "Geändert am", "Modified";
    field_data_modified: "Datenstand", "Data modified";
    field_spatial: "Raumbezug", "Spatial coverage";
    field_geocoding: "Gemeindeschlüssel", "Municipality key";
    field_bbox: "Ausdehnung (West, Süd, Ost, Nord)", "Extent (west, south, east, north)";
    field_temporal: "Zeitbezug", "Temporal coverage";
    field_personal_data: "Personenbezug", "Personal-data relation";
    field_hvd: "Hochwertiger Datensatz (HVD)", "High-value dataset (HVD)";
    field_quality: "Qualitätskriterien", "Quality dimensions";
    field_series: "Datensatzserie", "Dataset series";
    field_services: "Dienste", "Services";
    field_identifier: "Kennung", "Identifier";
    field_other_identifiers: "Weitere Kennungen", "Other identifiers";
    field_status: "Status", "Status";
    field_format: "Dateiformat", "Format";
    field_formats: "Dateiformate", "Formats";
    field_size: "Größe", "Size";
    field_extra: "Weitere Angaben", "Further details";
    temporal_from: "ab", "from";
    temporal_until: "bis", "until";
    distributions: "Bereitstellungen", "Distributions";
    distributions_none: "Für diesen Datensatz ist keine Bereitstellung eingetragen. Fragen Sie die Kontaktstelle.", "No distribution is recorded for this dataset. Please ask the contact point.";
    distribution: "Bereitstellung", "Distribution";
    access: "Zugang", "Access";
    download: "Herunterladen", "Download";
    details: "Angaben", "Details";
    class_open: "Offene Daten", "Open data";

    signature: "Echtheit", "Authenticity";
    signature_verified: "Geprüft: Alle Änderungen sind versiegelt von der Stadt", "Verified: every change is sealed by the town of";
    badge_verified: "Echtheit geprüft", "Authenticity verified";
    signature_equivocation: "Auffällig: Unter einer Nummer wurden zwei verschiedene Änderungen versiegelt. Gezeigt wird der letzte geprüfte Stand der Stadt", "Irregular: two different changes were sealed under one number. Shown is the last verified state of the town of";
    signature_local: "Dieser Eintrag verlässt den Knoten nicht und trägt kein Siegel der Stadt", "This record does not leave the node and carries no seal of the town of";
    signature_changes: "Änderungen in dieser Epoche", "Changes in this epoch";
    signature_epoch: "Epoche", "Epoch";
    signature_sealed_at: "Zuletzt versiegelt", "Last sealed";
    signature_document: "Dokument", "Document";
    signature_heads: "Neueste Änderungen", "Newest changes";
    signature_proof: "Nachweis herunterladen", "Download proof";
    signature_proof_hint: "Mit „hanse verify“ prüft jede Person den Nachweis selbst, ohne Netz und ohne diesen Knoten.", "With “hanse verify” anybody can check the proof, offline and without this node.";
    signature_json: "Datensatz als JSON", "Dataset as JSON";
    conflicts_hint: "Zu diesen Feldern gibt es gleichzeitig gesetzte Werte, über die die Stadt noch entscheidet:", "These fields hold values that were set at the same time; the town has yet to decide:";

    sparql_title: "SPARQL-Abfragen", "SPARQL queries";
    sparql_lead: "Hier beantwortet der Knoten Abfragen in SPARQL 1.1 über die offenen Datensätze aller Städte. Jede Stadt ist ein benannter Graph; ohne Angabe gelten alle zusammen. Programme fragen dieselbe Adresse.", "Here the node answers queries in SPARQL 1.1 over the open datasets of all towns. Each town is a named graph; without a name all count together. Programs ask the same address.";
    sparql_query: "Abfrage", "Query";
    sparql_form: "Form der Antwort", "Form of the answer";
    sparql_ask: "Abfragen", "Ask";
    sparql_examples: "Beispiele", "Examples";

    federation_title: "Der Verbund", "The federation";
    federation_lead: "So sieht dieser Knoten die anderen Städte. Jede Stadt hält eine vollständige, geprüfte Kopie aller offenen Datensätze.", "This is how this node sees the other towns. Every town holds a complete, verified copy of all open datasets.";
    federation_alone: "Dieser Knoten gehört noch keinem Verbund an.", "This node does not belong to a federation yet.";
    federation_live: "Wird laufend aktualisiert", "Updated continuously";
    federation_paused: "Angehalten", "Paused";
    federation_lost: "Verbindung unterbrochen, neuer Versuch läuft", "Connection lost, trying again";
    federation_static: "Stand beim Laden der Seite. Zum Aktualisieren neu laden.", "As of loading the page. Reload to update.";
    federation_pause: "Aktualisierung anhalten", "Pause updates";
    federation_resume: "Aktualisierung fortsetzen", "Resume updates";
    column_town: "Stadt", "Town";
    column_state: "Verbindung", "Connection";
    column_datasets: "Offene Datensätze", "Open datasets";
    column_lag_changes: "Rückstand (Änderungen)", "Lag (changes)";
    column_lag_seconds: "Rückstand (Sekunden)", "Lag (seconds)";
    column_seen: "Zuletzt gehört", "Last heard";
    state_here: "dieser Knoten", "this node";
    state_connected: "verbunden", "connected";
    state_apart: "nicht verbunden", "not connected";
    never: "noch nie", "never";
    newest_change: "Neueste Änderung", "Newest change";
    newest_none: "Noch keine Änderung.", "No change yet.";
    newest_of: "von", "of";
    datasets_here: "Offene Datensätze auf diesem Knoten", "Open datasets on this node";
    charter: "Satzung", "Charter";
    charter_version: "Fassung", "Version";
    phase: "Zustand", "State";
    phase_starting: "startet", "starting";
    phase_catching_up: "holt nach", "catching up";
    phase_ready: "bereit", "ready";

    api_title: "Schnittstellen", "Interfaces";
    api_lead: "Alle offenen Datensätze des Verbunds lassen sich mit Programmen lesen, ohne Anmeldung. Die Beispiele sind von diesem Knoten: kopieren, einfügen, fertig.", "Programs can read all open datasets of the federation, without a login. The examples are from this very node: copy, paste, done.";
    api_contents: "Schnittstellen dieses Knotens", "Interfaces of this node";
    api_copy: "Kopieren", "Copy";
    api_copied: "Kopiert", "Copied";
    api_search: "Datensätze suchen", "Search datasets";
    api_one: "Einen Datensatz lesen", "Read one dataset";
    api_catalog: "Den Katalog dieser Stadt lesen", "Read this town's catalogue";
    api_all: "Den Katalog aller Städte lesen", "Read the catalogue of all towns";
    api_query: "Fünf Datensätze abfragen", "Query five datasets";
    api_map: "In einem Kartenausschnitt suchen", "Search within a map section";
    api_filter: "Mit Bedingungen suchen (CQL2)", "Search by conditions (CQL2)";
    api_walk: "Alles lesen, Seite für Seite", "Read everything, page by page";
    api_latest: "Die neuesten Änderungen lesen", "Read the latest changes";
    api_sitemap: "Alle Seiten für Suchmaschinen", "All pages for search engines";
    api_description: "Beschreibung für Programme (OpenAPI)", "Description for programs (OpenAPI)";
    api_json: "JSON", "JSON API";
    api_json_what: "Die eigene Schnittstelle des Knotens: Suche mit Facetten, jeder Datensatz mit allen Feldern.", "The node's own interface: search with facets, every dataset with all its fields.";
    api_rdf: "DCAT-AP.de (RDF)", "DCAT-AP.de in RDF";
    api_rdf_what: "Der Katalog in der Form, die GovData und Open.NRW ernten, als Turtle, RDF/XML, JSON-LD und N-Triples.", "The catalogue as GovData and Open.NRW harvest it, as Turtle, RDF/XML, JSON-LD and N-Triples.";
    api_ckan: "CKAN Action API", "CKAN Action API";
    api_ckan_what: "Für alles, was mit CKAN-Portalen spricht, zum Beispiel ckanapi.", "For everything that talks to CKAN portals, such as ckanapi.";
    api_sparql: "SPARQL", "SPARQL";
    api_sparql_what: "Abfragen über den ganzen offenen Katalog als Graph (SPARQL 1.1).", "Queries over the whole open catalogue as a graph (SPARQL 1.1).";
    api_records: "OGC API Records", "OGC API Records";
    api_records_what: "Für QGIS (MetaSearch) und andere Geoprogramme. Als Adresse des Dienstes genügt die Adresse dieses Portals.", "For QGIS (MetaSearch) and other GIS programs. The address of this portal is all they need.";
    api_oai: "OAI-PMH", "OAI-PMH";
    api_oai_what: "Für Erntende, die Änderungen und Löschungen seit einem Zeitpunkt holen.", "For harvesters that fetch changes and deletions since a moment.";
    api_feeds: "Feeds", "News feeds";
    api_feeds_what: "Neues als Atom und als Ereignisstrom (LDES), und die Liste aller Seiten.", "What is new, as Atom and as an event stream (LDES), and the list of all pages.";
    api_proof: "Echtheitsnachweis", "Proof of authenticity";
    api_proof_what: "Alles, um einen Datensatz ohne Netz und ohne diesen Knoten zu prüfen (hanse verify).", "Everything needed to check a dataset offline and without this node (hanse verify).";

    error_title: "Das hat nicht geklappt", "That did not work";
    error_remedy: "Was Sie tun können", "What you can do";
    error_home: "Zur Suche", "Go to search";
    error_code: "Fehlerkennung", "Error code";
}

impl Texts {
    /// The words in this language.
    pub(crate) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::De => &GERMAN,
            Lang::En => &ENGLISH,
        }
    }
}

/// The language a reader asks for; `fallback` if it asks for none of ours.
pub(crate) fn negotiate(query: Option<&str>, headers: &HeaderMap, fallback: Lang) -> Lang {
    asked_in_query(query)
        .or_else(|| asked_by_cookie(headers))
        .or_else(|| asked_by_browser(headers))
        .unwrap_or(fallback)
}

/// The language in `?lang=`, if it is one of ours.
pub(crate) fn asked_in_query(query: Option<&str>) -> Option<Lang> {
    let (_, value) =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).find(|(key, _)| key == LANG_KEY)?;
    Lang::parse(&value).ok()
}

fn asked_by_cookie(headers: &HeaderMap) -> Option<Lang> {
    let cookies = short(headers, header::COOKIE)?;
    let (_, value) = cookies
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim() == LANG_KEY)?;
    Lang::parse(value.trim()).ok()
}

/// The first of the browser's languages that is one of ours, by its weight.
fn asked_by_browser(headers: &HeaderMap) -> Option<Lang> {
    let wanted = short(headers, header::ACCEPT_LANGUAGE)?;
    let mut best: Option<(f32, Lang)> = None;
    for part in wanted.split(',') {
        let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
        let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse::<f32>().ok());
        let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
        if let (Some(weight), Ok(lang)) = (weight, Lang::parse(&primary))
            && weight > best.map_or(0.0, |(weight, _)| weight)
        {
            best = Some((weight, lang));
        }
    }
    best.map(|(_, lang)| lang)
}

fn short(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().filter(|text| text.len() <= HEADER_BYTES_MAX)
}

/// A moment as people in the towns write it, in their time zone.
pub(crate) fn moment(at: UnixMillis, lang: Lang) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(at.0) else { return String::new() };
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    let pattern = match lang {
        Lang::De => "%d.%m.%Y, %H:%M:%S Uhr",
        Lang::En => "%-d %b %Y, %H:%M:%S",
    };
    at.to_zoned(zone).strftime(pattern).to_string()
}

/// A calendar day as people write it.
pub(crate) fn day(date: jiff::civil::Date, lang: Lang) -> String {
    let pattern = match lang {
        Lang::De => "%d.%m.%Y",
        Lang::En => "%-d %b %Y",
    };
    date.strftime(pattern).to_string()
}

/// A number with the thousands set apart: `12.345` in German.
pub(crate) fn number(number: u64, lang: Lang) -> String {
    let separator = match lang {
        Lang::De => '.',
        Lang::En => ',',
    };
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// A size as people read it: `1,5 MB`.
pub(crate) fn size(bytes: u64, lang: Lang) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} Byte");
    }
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    let point = match lang {
        Lang::De => ',',
        Lang::En => '.',
    };
    format!("{}{point}{} {}", number(tenths / 10, lang), tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_both_languages() {
        // Words that are spelt the same in both.
        let same = ["version", "field_status", "api_ckan", "api_sparql", "api_records", "api_oai"];
        for (key, de, en) in ALL {
            assert!(!de.trim().is_empty() && !en.trim().is_empty(), "{key} is empty");
            assert!(de != en || same.contains(key), "{key} is not translated: {de}");
        }
    }

    fn asked(query: Option<&str>, pairs: &[(header::HeaderName, &str)]) -> Lang {
        let headers: HeaderMap =
            pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        negotiate(query, &headers, Lang::De)
    }

    #[test]
    fn german_unless_asked_otherwise() {
        use header::{ACCEPT_LANGUAGE, COOKIE};
        assert_eq!(asked(None, &[]), Lang::De);
        assert_eq!(asked(None, &[(ACCEPT_LANGUAGE, "fr-FR, pl;q=0.8")]), Lang::De);
        assert_eq!(asked(None, &[(ACCEPT_LANGUAGE, "en-GB,en;q=0.9,de;q=0.8")]), Lang::En);
        assert_eq!(asked(None, &[(ACCEPT_LANGUAGE, "en;q=0.3, de-DE;q=0.9")]), Lang::De);
        assert_eq!(asked(None, &[(ACCEPT_LANGUAGE, "en;q=0")]), Lang::De);
        assert_eq!(asked(None, &[(COOKIE, "x=1; lang=en")]), Lang::En);
        assert_eq!(asked(Some("q=a&lang=de"), &[(COOKIE, "lang=en")]), Lang::De);
        assert_eq!(asked(Some("lang=en"), &[]), Lang::En);
        assert_eq!(asked(Some("lang=%3Cscript%3E"), &[(COOKIE, "lang=..")]), Lang::De);
    }

    #[test]
    fn numbers_and_moments_read_like_home() {
        assert_eq!(number(1_234_567, Lang::De), "1.234.567");
        assert_eq!(number(999, Lang::En), "999");
        assert_eq!(size(1_540_000, Lang::De), "1,5 MB");
        assert_eq!(size(999, Lang::De), "999 Byte");
        assert_eq!(size(u64::MAX, Lang::En), "18,446,744.0 TB");
        assert_eq!(moment(UnixMillis(1_700_000_000_000), Lang::De), "14.11.2023, 23:13:20 Uhr");
        assert_eq!(moment(UnixMillis(i64::MAX), Lang::De), "");
    }
}
