//! German words of municipal data, from which [`super::synthetic`] makes
//! records. Constants only; nothing here is data of a real town.

/// A subject that towns keep data about.
pub(super) struct Subject {
    pub title: &'static str,
    pub slug: &'static str,
    pub domain: &'static str,
    pub department: &'static str,
    pub themes: &'static [&'static str],
    pub keywords: &'static [&'static str],
    /// What one row records.
    pub attributes: &'static [&'static str],
    pub geographic: bool,
}

macro_rules! subject {
    ($title:literal, $slug:literal, $domain:literal, $department:literal, [$($theme:literal),+],
     [$($keyword:literal),+], [$($attribute:literal),+], $geographic:literal) => {
        Subject {
            title: $title,
            slug: $slug,
            domain: $domain,
            department: $department,
            themes: &[$($theme),+],
            keywords: &[$($keyword),+],
            attributes: &[$($attribute),+],
            geographic: $geographic,
        }
    };
}

/// What records are about.
#[rustfmt::skip]
pub(super) static SUBJECTS: &[Subject] = &[
    subject!("Baumkataster", "baumkataster", "Umwelt", "Grünflächen und Friedhöfe", ["ENVI"], ["Baum", "Baumbestand", "Grünfläche"],
        ["Baumart", "Pflanzjahr", "Kronendurchmesser", "Stammumfang", "Vitalität", "Kontrolldatum"], true),
    subject!("Spielplätze", "spielplaetze", "Freizeit", "Grünflächen und Friedhöfe", ["SOCI"], ["Spielplatz", "Familie", "Freizeit"],
        ["Geräteart", "Baujahr", "Fallschutz", "Altersgruppe", "Prüfdatum", "Barrierefreiheit"], true),
    subject!("Straßenbeleuchtung", "strassenbeleuchtung", "Infrastruktur", "Tiefbau", ["TRAN", "ENER"], ["Beleuchtung", "Leuchte", "Energie"],
        ["Leuchtentyp", "Lichtfarbe", "Masthöhe", "Leistung", "Schaltgruppe", "Inbetriebnahme"], true),
    subject!("Parkflächen", "parkflaechen", "Mobilität", "Ordnung und Verkehr", ["TRAN"], ["Parken", "Parkplatz", "Stellplatz"],
        ["Stellplätze", "Bewirtschaftung", "Höchstparkdauer", "Gebühr", "Behindertenstellplätze", "Oberfläche"], true),
    subject!("Radverkehrszählung", "radverkehrszaehlung", "Mobilität", "Verkehrsplanung", ["TRAN"], ["Radverkehr", "Zählstelle", "Mobilität"],
        ["Fahrtrichtung", "Stundenwert", "Tagessumme", "Wetterlage", "Störungszeit", "Gerätekennung"], true),
    subject!("Verkehrsbelastung", "verkehrsbelastung", "Mobilität", "Verkehrsplanung", ["TRAN"], ["Verkehrszählung", "Kfz", "Schwerverkehr"],
        ["Kraftfahrzeuge", "Schwerverkehrsanteil", "Spitzenstunde", "Querschnitt", "Zähltag", "Erhebungsart"], true),
    subject!("Haltestellen", "haltestellen", "Mobilität", "Verkehrsplanung", ["TRAN"], ["ÖPNV", "Bus", "Haltestelle"],
        ["Linien", "Bordhöhe", "Blindenleitsystem", "Wetterschutz", "Fahrgastinformation", "Sitzgelegenheit"], true),
    subject!("Ladepunkte für Elektrofahrzeuge", "ladepunkte", "Mobilität", "Klimaschutz", ["TRAN", "ENER"], ["Elektromobilität", "Ladesäule", "Ladepunkt"],
        ["Betreiber", "Steckertyp", "Ladeleistung", "Ladepunkte", "Bezahlart", "Öffnungszeit"], true),
    subject!("Luftqualität", "luftqualitaet", "Umwelt", "Umwelt und Ressourcen", ["ENVI"], ["Luft", "Feinstaub", "Messstelle"],
        ["Feinstaub PM10", "Feinstaub PM2,5", "Stickstoffdioxid", "Ozon", "Messintervall", "Kalibrierung"], true),
    subject!("Pegelstände", "pegelstaende", "Umwelt", "Umwelt und Ressourcen", ["ENVI"], ["Pegel", "Hochwasser", "Gewässer"],
        ["Wasserstand", "Durchfluss", "Warnstufe", "Sensorhöhe", "Batteriestand", "Übertragungszeit"], true),
    subject!("Lärmkartierung", "laermkartierung", "Umwelt", "Umwelt und Ressourcen", ["ENVI", "TRAN"], ["Lärm", "Umgebungslärm", "Schallschutz"],
        ["Lärmindex", "Pegelklasse", "Betroffene", "Rechenverfahren", "Quelle", "Rasterweite"], true),
    subject!("Abfallsammelstellen", "abfallsammelstellen", "Umwelt", "Baubetriebshof", ["ENVI"], ["Abfall", "Wertstoff", "Container"],
        ["Fraktion", "Behälterzahl", "Leerungsrhythmus", "Zugang", "Füllstand", "Betreiber"], true),
    subject!("Kanalnetz und Einzugsgebiete", "kanalnetz", "Infrastruktur", "Stadtentwässerung", ["ENVI"], ["Kanal", "Abwasser", "Entwässerung"],
        ["Nennweite", "Werkstoff", "Baujahr", "Zustandsklasse", "Gefälle", "Inspektionsdatum"], true),
    subject!("Brücken und Ingenieurbauwerke", "bruecken", "Infrastruktur", "Tiefbau", ["TRAN"], ["Brücke", "Bauwerk", "Prüfung"],
        ["Bauwerksart", "Zustandsnote", "Spannweite", "Tragfähigkeit", "Hauptprüfung", "Baustoff"], true),
    subject!("Straßenzustand", "strassenzustand", "Infrastruktur", "Tiefbau", ["TRAN"], ["Straße", "Zustand", "Erhaltung"],
        ["Gebrauchswert", "Substanzwert", "Deckschicht", "Abschnittslänge", "Befahrungstag", "Belastungsklasse"], true),
    subject!("Baustellen", "baustellen", "Mobilität", "Tiefbau", ["TRAN"], ["Baustelle", "Sperrung", "Umleitung"],
        ["Beginn", "Ende", "Sperrart", "Umleitung", "Bauherr", "Genehmigungsnummer"], true),
    subject!("Bebauungspläne", "bebauungsplaene", "Planen und Bauen", "Stadtplanung", ["REGI"], ["Bauleitplanung", "Bebauungsplan", "XPlanung"],
        ["Plannummer", "Rechtsstand", "Inkrafttreten", "Gebietsart", "Verfahrensschritt", "Planzeichen"], true),
    subject!("Flächennutzung", "flaechennutzung", "Planen und Bauen", "Stadtplanung", ["REGI", "ENVI"], ["Flächennutzung", "Planung", "Siedlung"],
        ["Nutzungsart", "Flächengröße", "Versiegelungsgrad", "Rechtsstand", "Änderungsnummer", "Darstellung"], true),
    subject!("Bodenrichtwerte", "bodenrichtwerte", "Planen und Bauen", "Kataster und Vermessung", ["REGI", "ECON"], ["Bodenrichtwert", "Grundstück", "Wertermittlung"],
        ["Richtwertzone", "Richtwert", "Stichtag", "Nutzungsart", "Geschossflächenzahl", "Beitragszustand"], true),
    subject!("Baugenehmigungen", "baugenehmigungen", "Planen und Bauen", "Bauordnung", ["REGI"], ["Bauantrag", "Genehmigung", "Wohnungsbau"],
        ["Vorhabenart", "Wohneinheiten", "Genehmigungsmonat", "Nutzfläche", "Verfahrensdauer", "Bauweise"], false),
    subject!("Einwohnerbestand", "einwohnerbestand", "Bevölkerung", "Statistik und Wahlen", ["SOCI"], ["Bevölkerung", "Einwohner", "Altersgruppe"],
        ["Altersgruppe", "Geschlecht", "Familienstand", "Hauptwohnsitz", "Stichtag", "Quartier"], false),
    subject!("Wanderungsbewegungen", "wanderungsbewegungen", "Bevölkerung", "Statistik und Wahlen", ["SOCI"], ["Zuzug", "Fortzug", "Wanderung"],
        ["Zuzüge", "Fortzüge", "Umzüge", "Altersgruppe", "Herkunftsgebiet", "Zielgebiet"], false),
    subject!("Haushaltsgrößen", "haushaltsgroessen", "Bevölkerung", "Statistik und Wahlen", ["SOCI"], ["Haushalt", "Wohnen", "Bevölkerung"],
        ["Personenzahl", "Haushaltstyp", "Kinderzahl", "Stichtag", "Quartier", "Schätzverfahren"], false),
    subject!("Wahlergebnisse", "wahlergebnisse", "Verwaltung", "Statistik und Wahlen", ["GOVE"], ["Wahl", "Wahlbezirk", "Stimmen"],
        ["Wahlberechtigte", "Wählende", "gültige Stimmen", "Briefwahlanteil", "Wahlvorschlag", "Wahlbezirk"], false),
    subject!("Haushaltsplan", "haushaltsplan", "Finanzen", "Kämmerei", ["GOVE", "ECON"], ["Haushalt", "Finanzen", "Produktplan"],
        ["Produkt", "Ansatz", "Ergebnis", "Ertragsart", "Aufwandsart", "Haushaltsjahr"], false),
    subject!("Gewerbeanmeldungen", "gewerbeanmeldungen", "Wirtschaft", "Ordnung und Gewerbe", ["ECON"], ["Gewerbe", "Gründung", "Unternehmen"],
        ["Wirtschaftszweig", "Anmeldungen", "Abmeldungen", "Rechtsform", "Quartal", "Betriebsgröße"], false),
    subject!("Gewerbeflächen", "gewerbeflaechen", "Wirtschaft", "Wirtschaftsförderung", ["ECON", "REGI"], ["Gewerbefläche", "Leerstand", "Standort"],
        ["Flächengröße", "Planungsrecht", "Verfügbarkeit", "Erschließung", "Breitband", "Eigentumsart"], true),
    subject!("Wochenmärkte", "wochenmaerkte", "Wirtschaft", "Stadtmarketing", ["ECON"], ["Markt", "Wochenmarkt", "Handel"],
        ["Markttag", "Standplätze", "Öffnungszeit", "Warengruppe", "Stromanschluss", "Gebühr"], true),
    subject!("Übernachtungen und Gäste", "uebernachtungen", "Kultur und Tourismus", "Tourismus und Kultur", ["ECON", "EDUC"], ["Tourismus", "Übernachtung", "Gäste"],
        ["Ankünfte", "Übernachtungen", "Aufenthaltsdauer", "Betriebsart", "Bettenzahl", "Herkunftsland"], false),
    subject!("Sehenswürdigkeiten", "sehenswuerdigkeiten", "Kultur und Tourismus", "Tourismus und Kultur", ["EDUC", "REGI"], ["Tourismus", "Denkmal", "Sehenswürdigkeit"],
        ["Bezeichnung", "Epoche", "Öffnungszeit", "Zugänglichkeit", "Eintritt", "Bildnachweis"], true),
    subject!("Wander- und Radrouten", "wanderrouten", "Kultur und Tourismus", "Tourismus und Kultur", ["EDUC", "TRAN"], ["Wandern", "Radfahren", "Route"],
        ["Länge", "Höhenmeter", "Schwierigkeit", "Beschilderung", "Oberfläche", "Einkehr"], true),
    subject!("Baudenkmäler", "baudenkmaeler", "Kultur und Tourismus", "Denkmalpflege", ["EDUC", "REGI"], ["Denkmal", "Baukultur", "Denkmalliste"],
        ["Listennummer", "Eintragungstag", "Bauzeit", "Objektart", "Schutzumfang", "Bauherrschaft"], true),
    subject!("Bibliotheksausleihen", "bibliotheksausleihen", "Kultur und Tourismus", "Stadtbücherei", ["EDUC"], ["Bibliothek", "Ausleihe", "Medien"],
        ["Mediengruppe", "Ausleihen", "Vormerkungen", "Bestand", "Monat", "Zweigstelle"], false),
    subject!("Veranstaltungen", "veranstaltungen", "Kultur und Tourismus", "Kulturamt", ["EDUC"], ["Veranstaltung", "Kultur", "Termine"],
        ["Beginn", "Ort", "Sparte", "Eintritt", "Veranstalter", "Barrierefreiheit"], true),
    subject!("Schulen und Schülerzahlen", "schuelerzahlen", "Bildung", "Jugend, Bildung und Soziales", ["EDUC"], ["Schule", "Schüler", "Bildung"],
        ["Schulform", "Jahrgang", "Klassen", "Schülerzahl", "Ganztagsplätze", "Schuljahr"], false),
    subject!("Kindertagesbetreuung", "kindertagesbetreuung", "Bildung", "Jugend, Bildung und Soziales", ["EDUC", "SOCI"], ["Kita", "Betreuung", "Familie"],
        ["Träger", "Plätze", "Gruppenform", "Betreuungszeit", "Belegung", "Altersgruppe"], true),
    subject!("Jugendangebote", "jugendangebote", "Soziales", "Jugend, Bildung und Soziales", ["SOCI"], ["Jugend", "Freizeit", "Beratung"],
        ["Angebotsart", "Zielgruppe", "Öffnungszeit", "Träger", "Plätze", "Anmeldung"], true),
    subject!("Pflegeeinrichtungen", "pflegeeinrichtungen", "Soziales", "Jugend, Bildung und Soziales", ["HEAL", "SOCI"], ["Pflege", "Senioren", "Gesundheit"],
        ["Einrichtungsart", "Plätze", "Träger", "Kurzzeitpflege", "Barrierefreiheit", "Beratung"], true),
    subject!("Sportstätten", "sportstaetten", "Freizeit", "Schule und Sport", ["EDUC", "HEAL"], ["Sport", "Sporthalle", "Verein"],
        ["Anlagenart", "Belag", "Flutlicht", "Belegungszeit", "Zuschauerplätze", "Prüfdatum"], true),
    subject!("Bäderbesuche", "baederbesuche", "Freizeit", "Bäderbetrieb", ["HEAL", "EDUC"], ["Schwimmbad", "Freibad", "Besuch"],
        ["Besuchszahl", "Tarif", "Wassertemperatur", "Öffnungstag", "Kursplätze", "Witterung"], false),
    subject!("Feuerwehreinsätze", "feuerwehreinsaetze", "Sicherheit", "Feuerschutz", ["JUST"], ["Feuerwehr", "Einsatz", "Sicherheit"],
        ["Einsatzart", "Alarmzeit", "Hilfsfrist", "Einheiten", "Einsatzdauer", "Wochentag"], false),
    subject!("Löschwasserversorgung", "loeschwasser", "Sicherheit", "Feuerschutz", ["JUST", "ENVI"], ["Hydrant", "Löschwasser", "Feuerwehr"],
        ["Entnahmestelle", "Nennweite", "Ergiebigkeit", "Prüfdatum", "Zufahrt", "Bauart"], true),
    subject!("Energieverbrauch städtischer Gebäude", "energieverbrauch", "Energie", "Gebäudewirtschaft", ["ENER"], ["Energie", "Gebäude", "Verbrauch"],
        ["Strom", "Wärme", "Wasser", "Energieträger", "Bezugsfläche", "Witterungsbereinigung"], false),
    subject!("Solarpotenzial und Photovoltaik", "solarpotenzial", "Energie", "Klimaschutz", ["ENER", "ENVI"], ["Solar", "Photovoltaik", "Klimaschutz"],
        ["Dachfläche", "Einstrahlung", "Leistung", "Neigung", "Ausrichtung", "Inbetriebnahme"], true),
    subject!("Treibhausgasbilanz", "treibhausgasbilanz", "Energie", "Klimaschutz", ["ENVI", "ENER"], ["Klima", "Treibhausgas", "Bilanz"],
        ["Sektor", "Energieträger", "Emissionen", "Bilanzjahr", "Emissionsfaktor", "Datengüte"], false),
    subject!("Wetterstationen", "wetterstationen", "IoT-Daten", "Umwelt und Ressourcen", ["ENVI", "TECH"], ["Wetter", "Klima", "Sensor"],
        ["Lufttemperatur", "Niederschlag", "Windgeschwindigkeit", "Luftfeuchte", "Globalstrahlung", "Luftdruck"], true),
    subject!("Bodenfeuchte", "bodenfeuchte", "IoT-Daten", "Grünflächen und Friedhöfe", ["ENVI", "AGRI"], ["Boden", "Bewässerung", "Sensor"],
        ["Saugspannung", "Bodentiefe", "Bodenart", "Batteriestand", "Messzeit", "Bewässerungsbedarf"], true),
    subject!("Öffentliches WLAN", "oeffentliches-wlan", "Infrastruktur", "Digitalisierung", ["TECH"], ["WLAN", "Internet", "Zugangspunkt"],
        ["Zugangspunkt", "Verbindungen", "Datenvolumen", "Betriebsstatus", "Inbetriebnahme", "Reichweite"], true),
    subject!("Ratsinformationen", "ratsinformationen", "Verwaltung", "Ratsbüro", ["GOVE"], ["Rat", "Sitzung", "Beschluss"],
        ["Gremium", "Vorlagennummer", "Beschluss", "Sitzungstag", "Federführung", "Abstimmung"], false),
    subject!("Vergaben", "vergaben", "Verwaltung", "Zentrale Vergabestelle", ["GOVE", "ECON"], ["Vergabe", "Ausschreibung", "Auftrag"],
        ["Auftragsart", "Verfahren", "Auftragswert", "Zuschlagstag", "Gewerk", "Losnummer"], false),
];

/// Sides of a subject; the second word of a title.
pub(super) const ASPECTS: [&str; 16] = [
    "Bestand",
    "Standorte",
    "Zustand und Prüfungen",
    "Jahreswerte",
    "Monatswerte",
    "Messreihe",
    "Veränderungen",
    "Planungsstand",
    "Auslastung",
    "Kennzahlen nach Quartier",
    "Kosten und Erträge",
    "Erhebungsbogen",
    "Auswertung für den Fachausschuss",
    "Zeitreihe",
    "Stammdaten",
    "Meldungen und Störungen",
];

/// Parts of a town that every town has.
pub(super) const AREAS: [&str; 24] = [
    "Innenstadt",
    "Altstadt",
    "Nordviertel",
    "Südviertel",
    "Ostviertel",
    "Westviertel",
    "Bahnhofsumfeld",
    "Schulzentrum",
    "Gewerbepark",
    "Industriegebiet",
    "Krankenhausviertel",
    "Flussaue",
    "Stadtwald",
    "Bergsiedlung",
    "Gartenstadt",
    "Neubaugebiet",
    "Dorfkern",
    "Außenbereich",
    "Messegelände",
    "Hochschulviertel",
    "Seeufer",
    "Klosterviertel",
    "Hafen und Schleuse",
    "gesamtes Stadtgebiet",
];

pub(super) const METHODS: [&str; 12] = [
    "durch Begehung und Eintragung vor Ort",
    "über fest eingebaute Sensoren mit Funkübertragung",
    "aus dem Fachverfahren mit nächtlicher Ausleitung",
    "durch Auswertung von Luftbildern und Nachprüfung im Gelände",
    "anhand der Meldungen der Einrichtungen",
    "durch Befragung der Träger mit Plausibilitätsprüfung",
    "aus Rechnungen und Zählerablesungen",
    "über ein Formular, das die Fachkräfte ausfüllen",
    "durch beauftragte Ingenieurbüros nach einheitlichem Leistungsbild",
    "aus den Unterlagen der Genehmigungsverfahren",
    "durch Zählung an festgelegten Tagen",
    "aus den Datenlieferungen der Versorgungsunternehmen",
];

pub(super) const QUALITY: [&str; 12] = [
    "Fehlende Werte sind leer und nicht mit Null gefüllt.",
    "Lagegenauigkeit etwa 30 Zentimeter, bei älteren Einträgen bis zu fünf Meter.",
    "Vor der Bereitstellung werden Dubletten und unmögliche Werte gesondert geprüft.",
    "Zellen mit weniger als drei Fällen sind gesperrt.",
    "Die Vollständigkeit liegt nach eigener Stichprobe über 95 Prozent.",
    "Nachmeldungen führen zu Änderungen bis zu sechs Wochen nach dem Stichtag.",
    "Ausfälle von Messgeräten sind in einer eigenen Spalte gekennzeichnet.",
    "Schlüssel folgen der amtlichen Statistik, Abweichungen stehen im Beiblatt.",
    "Straßennamen und Hausnummern sind mit dem Straßenverzeichnis abgeglichen.",
    "Einheiten und Nachkommastellen sind über alle Jahre gleich.",
    "Vor einer Umstellung des Verfahrens erhobene Werte sind nur eingeschränkt vergleichbar.",
    "Geprüft wird nach dem Vier-Augen-Prinzip, der Prüfvermerk bleibt im Amt.",
];

pub(super) const USES: [&str; 12] = [
    "Er dient der Unterhaltungsplanung und der Auskunft an den Fachausschuss.",
    "Er wird für Karten, Anwendungen und wissenschaftliche Arbeiten genutzt.",
    "Verwendet wird er im Bericht zur Stadtentwicklung und in der Quartiersarbeit.",
    "Grundlage ist er für die Fortschreibung des Klimaschutzkonzepts.",
    "Schulen nutzen ihn im Unterricht, Vereine für ihre Planung.",
    "Er unterstützt die Abstimmung mit Kreis und Nachbarstädten.",
    "Daraus entstehen die Kennzahlen im Produkthaushalt.",
    "Er beantwortet die häufigsten Anfragen nach dem Informationsfreiheitsgesetz.",
    "Er zeigt Veränderungen im Stadtbild und hilft bei der Bürgerbeteiligung.",
    "Planungsbüros verwenden ihn als Ausgangslage für Gutachten.",
    "Mit ihm werden Wegezeiten und Erreichbarkeiten berechnet.",
    "Er ist Teil des regionalen Vergleichs der Kommunen.",
];

pub(super) const UNITS: [&str; 8] = [
    "Stadtgebiet",
    "Ortsteil",
    "Quartier",
    "Baublock",
    "Straßenabschnitt",
    "Gebäude",
    "Messstelle",
    "Flurstück",
];

pub(super) const SYSTEMS: [&str; 8] = [
    "Tabelle der Fachabteilung",
    "Geoinformationssystem",
    "LoRaWAN-Sensornetz",
    "Urbane Datenplattform",
    "Fachverfahren mit Ausleitung",
    "Statistisches Informationssystem",
    "Dokumentenmanagement",
    "Betriebsführungssystem",
];

pub(super) const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

pub(super) const FREQUENCIES: [&str; 8] =
    ["DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL_2", "ANNUAL", "IRREG", "UPDATE_CONT"];

pub(super) const CRITERIA: [&str; 11] = [
    "korrekt",
    "konsistent",
    "zuverlässig",
    "vollständig",
    "genau",
    "aktuell",
    "redundanzfrei",
    "relevant",
    "einheitlich",
    "eindeutig",
    "verständlich",
];

/// Licences, and whether they ask for the town to be named.
pub(super) const LICENCES: [(&str, bool); 4] = [
    ("http://dcat-ap.de/def/licenses/dl-zero-de/2.0", false),
    ("http://dcat-ap.de/def/licenses/dl-by-de/2.0", true),
    ("http://dcat-ap.de/def/licenses/cc-by/4.0", true),
    ("http://dcat-ap.de/def/licenses/cc-zero", false),
];

/// Formats of tables, with file ending and media type.
pub(super) const TABLE_FORMATS: [(&str, &str, &str); 4] = [
    ("CSV", "csv", "text/csv"),
    ("XLSX", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("JSON", "json", "application/json"),
    ("PDF", "pdf", "application/pdf"),
];

/// Formats of data with a place, with file ending and media type.
pub(super) const MAP_FORMATS: [(&str, &str, &str); 4] = [
    ("CSV", "csv", "text/csv"),
    ("GeoJSON", "geojson", "application/geo+json"),
    ("GeoPackage", "gpkg", "application/geopackage+sqlite3"),
    ("Shapefile", "shp.zip", "application/zip"),
];

/// First parts of compound nouns.
#[rustfmt::skip]
pub(super) const COMPOUND_HEADS: [&str; 72] = [
    "Straßen", "Gebäude", "Verkehrs", "Grünflächen", "Haushalts", "Gewässer", "Energie", "Schul", "Wohnungs",
    "Planungs", "Bau", "Abwasser", "Abfall", "Personal", "Wege", "Brücken", "Beleuchtungs", "Sozial", "Jugend",
    "Kultur", "Sport", "Tourismus", "Markt", "Gewerbe", "Flächen", "Grundstücks", "Kanal", "Leitungs", "Sensor",
    "Wetter", "Klima", "Lärm", "Boden", "Wald", "Tier", "Friedhofs", "Denkmal", "Archiv", "Bibliotheks", "Kinder",
    "Pflege", "Gesundheits", "Rettungs", "Einsatz", "Alarm", "Fahrzeug", "Rad", "Fußgänger", "Park", "Haltestellen",
    "Fahrplan", "Lade", "Strom", "Wärme", "Wasser", "Solar", "Emissions", "Bilanz", "Steuer", "Gebühren", "Vergabe",
    "Auftrags", "Rats", "Wahl", "Einwohner", "Zuzugs", "Alters", "Haushaltstyp", "Quartiers", "Ortsteil", "Bezirks",
    "Förder",
];

/// Last parts of compound nouns, written in lower case behind the first.
#[rustfmt::skip]
pub(super) const COMPOUND_TAILS: [&str; 64] = [
    "bestand", "zustand", "prüfung", "erfassung", "verzeichnis", "kennzahlen", "planung", "bericht", "statistik",
    "übersicht", "entwicklung", "auslastung", "kosten", "erträge", "flächen", "standorte", "zählung", "messung",
    "meldungen", "störungen", "wartung", "unterhaltung", "sanierung", "bewertung", "klassen", "arten", "gruppen",
    "zonen", "grenzen", "nummern", "schlüssel", "merkmale", "termine", "fristen", "verfahren", "anträge",
    "genehmigungen", "bescheide", "verträge", "pläne", "karten", "luftbilder", "befragung", "beteiligung",
    "beratung", "förderung", "vergleich", "prognose", "bilanz", "reserve", "kapazität", "nachfrage", "angebot",
    "verteilung", "dichte", "anteile", "raten", "dauer", "wege", "ziele", "maßnahmen", "konzept", "vorgaben",
    "richtlinien",
];

/// First parts of street names that many towns have.
#[rustfmt::skip]
pub(super) const STREET_HEADS: [&str; 48] = [
    "Linden", "Schul", "Kirch", "Bahnhof", "Garten", "Berg", "Wald", "Wiesen", "Mühlen", "Brunnen", "Birken", "Ahorn",
    "Eichen", "Buchen", "Kastanien", "Rosen", "Tulpen", "Amsel", "Drossel", "Lerchen", "Meisen", "Finken", "Feld",
    "Hafen", "Brücken", "Schloss", "Burg", "Kloster", "Markt", "Rathaus", "Post", "Sand", "Stein", "Lehm", "Teich",
    "See", "Bach", "Quellen", "Sonnen", "Hoch", "Tal", "Hang", "Ring", "Nord", "Süd", "Ost", "West", "Mittel",
];

/// Last parts of street names.
pub(super) const STREET_TAILS: [&str; 10] =
    ["straße", "weg", "gasse", "allee", "platz", "ring", "pfad", "kamp", "ufer", "damm"];
