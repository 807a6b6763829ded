//! Records that tests use: every field filled.

use super::{Dataset, DatasetSeries, Internal, LocalRecord};

/// A dataset with every field filled.
pub(crate) fn full_dataset() -> Dataset {
    let json = r##"{
        "id": "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10",
        "identifier": "https://daten.soest.example/dataset/baumkataster",
        "iri": "https://daten.soest.example/dataset/6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10",
        "other_identifiers": ["baumkataster-alt"],
        "replaced_by": "6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b11",
        "class": "open",
        "status": "veroeffentlicht",
        "title": {"de": "Baumkataster", "en": "Register of trees"},
        "description": {"de": "Standorte, Baumart, Pflanzjahr und Kronendurchmesser.\nPrivatbäume fehlen.", "en": "Trees."},
        "keywords": {"de": ["Baum", "Grünfläche"], "en": ["tree"]},
        "themes": ["ENVI", "REGI"],
        "musterdatensatz": "https://musterdatenkatalog.de/def/musterdatensatz/floraUndFauna/baumbestand/baumkataster",
        "licence": "http://dcat-ap.de/def/licenses/dl-by-de/2.0",
        "attribution": "Stadt Soest",
        "formats": ["CSV", "WFS"],
        "frequency": "MONTHLY",
        "update_process": "automatisiert",
        "issued": "2025-01-02T03:04:05Z",
        "modified": "2026-11-02T08:00:00Z",
        "data_modified": "2026-11-02",
        "spatial": {
            "geocoding": "http://dcat-ap.de/def/politicalGeocoding/municipalityKey/05974040",
            "unit": "Stadtgebiet",
            "bbox": "8.02,51.5,8.2,51.62"
        },
        "temporal": {"start": "2020-01-01", "end": "2026-11-02"},
        "publisher": {"name": "Stadt Soest", "iri": "https://soest.example/#org", "url": "https://soest.example"},
        "contact": {
            "name": "Zentrales Datenmanagement",
            "email": "opendata@soest.example",
            "url": "https://soest.example/kontakt",
            "phone": "+49 2921 103-0"
        },
        "department": "Grünflächen und Friedhöfe",
        "domain": "Umwelt",
        "personal_data": "keiner",
        "hvd": "ja",
        "hvd_categories": ["c_dd313021"],
        "quality_criteria": ["genau", "vollständig"],
        "in_series": "https://daten.soest.example/serie/baeume",
        "distributions": [
            {
                "id": "csv",
                "position": 0,
                "title": {"de": "Baumkataster (CSV)"},
                "description": {"de": "Eine Zeile je Baum."},
                "access_url": "https://daten.soest.example/baumkataster",
                "download_url": "https://daten.soest.example/baumkataster.csv",
                "format": "CSV",
                "media_type": "text/csv",
                "licence": "http://dcat-ap.de/def/licenses/dl-by-de/2.0",
                "attribution": "Stadt Soest",
                "status": "COMPLETED",
                "modified": "2026-11-02",
                "byte_size": 123456,
                "service": "karten"
            },
            {"id": "a-wfs", "position": 1, "access_url": "https://dienste.soest.example/baumkataster", "format": "WFS"}
        ],
        "services": [
            {
                "id": "karten",
                "position": 0,
                "title": {"de": "Kartendienst"},
                "description": {"de": "Alle Bäume als Karte."},
                "endpoint_url": "https://dienste.soest.example/baumkataster",
                "endpoint_description": "https://dienste.soest.example/baumkataster?request=GetCapabilities",
                "documentation": "https://soest.example/dienste/baumkataster",
                "format": "WFS",
                "licence": "http://dcat-ap.de/def/licenses/dl-zero-de/2.0",
                "contact": {"email": "geodaten@soest.example"}
            }
        ]
    }"##;
    serde_json::from_str(json).unwrap()
}

/// The series of [`full_dataset`] with every field filled.
pub(crate) fn full_series() -> DatasetSeries {
    let json = r##"{
        "id": "baeume",
        "position": 0,
        "iri": "https://daten.soest.example/serie/baeume",
        "title": {"de": "Baumkataster nach Jahren"},
        "description": {"de": "Der Bestand am Ende jedes Jahres."},
        "frequency": "ANNUAL",
        "hvd_categories": ["c_dd313021"]
    }"##;
    serde_json::from_str(json).unwrap()
}

/// Notes with every field filled.
pub(crate) fn full_internal() -> Internal {
    let json = r##"{
        "legal_basis": "Verkehrssicherungspflicht",
        "source_system": "Fachverfahren Baumkontrolle",
        "responsible_role": {
            "role": "Daten-Verantwortliche",
            "unit": "Grünflächen und Friedhöfe",
            "mailbox": "gruenflaechen@soest.example"
        },
        "steward_role": {"role": "Daten-Beauftragte", "mailbox": "daten-gruenflaechen@soest.example"},
        "classification_reason": "offen nach Beschluss",
        "proposed_classification": "open",
        "sharing": {
            "recipients": ["arnsberg", "olpe"],
            "purpose": "Abstimmung",
            "valid_until": "2027-12-31",
            "usage_terms": "keine Weitergabe"
        },
        "notes": "Laufwerk nicht nennen"
    }"##;
    serde_json::from_str(json).unwrap()
}

/// Both together.
pub(crate) fn full_record() -> LocalRecord {
    LocalRecord { dataset: full_dataset(), internal: full_internal() }
}
