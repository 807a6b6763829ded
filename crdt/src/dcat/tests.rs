use serde_json::json;

use super::*;
use crate::catalog::RecordEdit;
use crate::catalog::testing::{full_dataset, full_record, full_series};
use crate::ids::Town;

fn soest() -> CatalogContext {
    let mut catalog = Catalog::new(Town::parse("05974040").unwrap());
    catalog.base_url = Iri::parse("https://daten.soest.example/").ok();
    catalog.series = vec![full_series()];
    CatalogContext::new(catalog, "Soest")
}

/// One line a triple, with prefixes.
fn lines(triples: &[Triple]) -> Vec<String> {
    let short = |triple: &Triple| {
        let mut line = triple.to_string();
        for (prefix, iri) in terms::PREFIXES {
            line = line.replace(&format!("<{iri}"), &format!("<{prefix}:"));
        }
        line.replace("https://daten.soest.example/dataset/6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", "DS")
    };
    triples.iter().map(short).collect()
}

fn said(dataset: &Dataset) -> Vec<String> {
    lines(&dataset_triples(dataset, &soest()))
}

fn with(body: serde_json::Value) -> Dataset {
    RecordEdit::parse(&body).unwrap().apply(&full_record()).unwrap().dataset
}

#[test]
fn a_dataset_says_what_dcat_ap_de_asks_for() {
    let said = said(&full_dataset());
    for line in [
        r#"<DS> <rdf:type> <dcat:Dataset>"#,
        r#"<DS> <rdf:type> <dcat:Resource>"#,
        r#"<DS> <dcterms:identifier> "https://daten.soest.example/dataset/baumkataster""#,
        r#"<DS> <dcterms:title> "Register of trees"@en"#,
        r#"<DS> <dcat:keyword> "Grünfläche"@de"#,
        r#"<DS> <dcat:theme> <http://publications.europa.eu/resource/authority/data-theme/ENVI>"#,
        r#"<DS> <dcat:inSeries> <https://daten.soest.example/serie/baeume>"#,
        r#"<DS> <dcterms:references> <https://musterdatenkatalog.de/def/musterdatensatz/floraUndFauna/baumbestand/baumkataster>"#,
        r#"<DS> <dcterms:publisher> <https://soest.example/#org>"#,
        r#"<https://soest.example/#org> <foaf:name> "Stadt Soest""#,
        r#"<DS#custodian> <foaf:name> "Grünflächen und Friedhöfe""#,
        r#"<DS> <dcterms:language> <http://publications.europa.eu/resource/authority/language/DEU>"#,
        r#"<DS> <dcterms:language> <http://publications.europa.eu/resource/authority/language/ENG>"#,
        r#"<DS#contact> <vcard:hasEmail> <mailto:opendata@soest.example>"#,
        r#"<DS> <dcterms:spatial> <http://dcat-ap.de/def/politicalGeocoding/municipalityKey/05974040>"#,
        r#"<DS> <dcatde:politicalGeocodingLevelURI> <http://dcat-ap.de/def/politicalGeocoding/Level/municipality>"#,
        r#"<DS#location> <dcat:centroid> "POINT(8.11 51.56)"^^<geo:wktLiteral>"#,
        r#"<DS#temporal> <dcat:endDate> "2026-11-02"^^<xsd:date>"#,
        r#"<DS> <dcterms:modified> "2026-11-02T08:00:00Z"^^<xsd:dateTime>"#,
        r#"<DS> <dcterms:accessRights> <http://publications.europa.eu/resource/authority/access-right/PUBLIC>"#,
        r#"<DS> <dcatap:availability> <http://publications.europa.eu/resource/authority/planned-availability/AVAILABLE>"#,
        r#"<DS> <dcatap:hvdCategory> <http://data.europa.eu/bna/c_dd313021>"#,
        r#"<DS#distribution-csv> <dcterms:format> <http://publications.europa.eu/resource/authority/file-type/CSV>"#,
        r#"<DS#distribution-csv> <dcat:mediaType> <https://www.iana.org/assignments/media-types/text/csv>"#,
        r#"<DS#distribution-csv> <dcat:byteSize> "123456"^^<xsd:nonNegativeInteger>"#,
        r#"<DS#distribution-a-wfs> <dcterms:license> <http://dcat-ap.de/def/licenses/dl-by-de/2.0>"#,
        r#"<DS#distribution-a-wfs> <dcatde:licenseAttributionByText> "Stadt Soest""#,
        r#"<DS#distribution-csv> <dcat:accessService> <DS#service-karten>"#,
        r#"<DS#distribution-a-wfs> <dcat:accessService> <DS#service-karten>"#,
        r#"<DS#service-karten> <dcterms:title> "Kartendienst"@de"#,
        r#"<DS#service-karten> <dcat:endpointURL> <https://dienste.soest.example/baumkataster>"#,
        r#"<DS#service-karten> <dcat:endpointDescription> <https://dienste.soest.example/baumkataster?request=GetCapabilities>"#,
        r#"<DS#service-karten> <foaf:page> <https://soest.example/dienste/baumkataster>"#,
        r#"<DS#service-karten> <dcterms:conformsTo> <http://www.opengis.net/def/serviceType/ogc/wfs>"#,
        r#"<DS#service-karten> <dcterms:license> <http://dcat-ap.de/def/licenses/dl-zero-de/2.0>"#,
        r#"<DS#service-karten-contact> <vcard:hasEmail> <mailto:geodaten@soest.example>"#,
        r#"<DS#service-karten> <dcat:servesDataset> <DS>"#,
        r#"<https://daten.soest.example/catalog> <dcat:service> <DS#service-karten>"#,
        r#"<https://daten.soest.example/catalog> <dcat:record> <DS#record>"#,
    ] {
        assert!(said.iter().any(|one| one == line), "missing: {line}");
    }
}

#[test]
fn everything_reachable_from_a_dataset_is_its_own_but_the_publisher() {
    let dataset = full_dataset();
    let triples = dataset_triples(&dataset, &soest());
    let start = dataset_iri(&dataset);
    let mut reached = vec![start.to_string()];
    let mut index = 0;
    while let Some(subject) = reached.get(index).cloned() {
        let from_here = triples.iter().filter(|one| one.subject.to_string() == subject);
        let objects: Vec<_> = from_here.map(|one| one.object.to_string()).collect();
        for object in objects {
            if !reached.contains(&object) && triples.iter().any(|one| one.subject.to_string() == object) {
                reached.push(object);
            }
        }
        index += 1;
    }
    let own = start.to_string().replace('>', "");
    let foreign: Vec<_> = reached.iter().filter(|node| !node.starts_with(&own)).collect();
    assert_eq!(foreign, ["<https://soest.example/#org>"]);
    assert!(reached.len() > 8, "{reached:?}");
}

#[test]
fn the_same_record_says_the_same_in_the_same_order_and_nothing_twice() {
    let said = said(&full_dataset());
    assert_eq!(said, self::said(&full_dataset()));
    let once: std::collections::BTreeSet<_> = said.iter().collect();
    assert_eq!(once.len(), said.len());
    assert!(!said.iter().any(|line| line.contains("_:")), "no blank nodes");
}

#[test]
fn what_is_no_high_value_dataset_claims_no_regulation() {
    let said = said(&with(json!({"hvd": "zu prüfen"})));
    assert!(!said.iter().any(|line| line.contains("hvdCategory") || line.contains("2023/138")));
}

#[test]
fn a_deprecated_dataset_promises_no_availability() {
    let said = said(&with(json!({"status": "veraltet"})));
    assert!(!said.iter().any(|line| line.contains("planned-availability")));
    let deprecated = "<DS#distribution-a-wfs> <adms:status> <http://publications.europa.eu/resource/authority/distribution-status/DEPRECATED>";
    assert!(said.iter().any(|line| line == deprecated));
}

#[test]
fn two_formats_of_one_service_are_one_service() {
    let said = said(&with(json!({"services": [], "distributions": {
        "csv": {"service": null},
        "gml": {"access_url": "https://dienste.soest.example/baumkataster", "format": "WFS", "position": 2}
    }})));
    let count = |end: &str| said.iter().filter(|line| line.ends_with(end)).count();
    assert_eq!(count("<rdf:type> <dcat:DataService>"), 1);
    assert_eq!(count("<dcat:accessService> <DS#service-a-wfs>"), 2);
}

#[test]
fn a_service_without_an_address_or_a_word_is_said_as_far_as_it_goes() {
    let said = said(&with(json!({"services": [
        {"id": "stumm"}, {"id": "knapp", "endpoint_url": "https://dienste.soest.example/x"}
    ]})));
    assert!(!said.iter().any(|line| line.contains("service-stumm")), "where it answers is mandatory");
    for line in [
        r#"<DS#service-knapp> <dcterms:title> "Baumkataster"@de"#,
        r#"<DS#service-knapp> <dcat:contactPoint> <DS#contact>"#,
        r#"<DS#service-knapp> <dcterms:license> <http://dcat-ap.de/def/licenses/dl-by-de/2.0>"#,
    ] {
        assert!(said.iter().any(|one| one == line), "missing: {line}");
    }
}

#[test]
fn the_catalog_describes_its_series_and_datasets_name_no_other() {
    let catalog = lines(&catalog_triples(&soest()));
    for line in [
        r#"<https://daten.soest.example/catalog> <dcat:resource> <https://daten.soest.example/serie/baeume>"#,
        r#"<https://daten.soest.example/serie/baeume> <rdf:type> <dcat:DatasetSeries>"#,
        r#"<https://daten.soest.example/serie/baeume> <dcterms:title> "Baumkataster nach Jahren"@de"#,
        r#"<https://daten.soest.example/serie/baeume> <dcterms:accrualPeriodicity> <http://publications.europa.eu/resource/authority/frequency/ANNUAL>"#,
        r#"<https://daten.soest.example/serie/baeume> <dcatap:hvdCategory> <http://data.europa.eu/bna/c_dd313021>"#,
    ] {
        assert!(catalog.iter().any(|one| one == line), "missing: {line}");
    }
    let elsewhere = said(&with(json!({"in_series": "https://daten.soest.example/serie/teiche"})));
    assert!(!elsewhere.iter().any(|line| line.contains("inSeries")));
}

#[test]
fn a_series_with_nothing_but_a_name_is_still_a_valid_one() {
    let mut catalog = Catalog::new(Town::parse("05974040").unwrap());
    catalog.base_url = Iri::parse("https://daten.soest.example").ok();
    let series = serde_json::from_value(json!({"id": "baeume"})).unwrap();
    catalog.series = vec![series];
    let context = CatalogContext::new(catalog, "Soest");
    let iri = "https://daten.soest.example/catalog#series-baeume";
    let said = lines(&catalog_triples(&context));
    for line in [
        format!(r#"<{iri}> <dcterms:title> "baeume"@de"#),
        format!(r#"<{iri}> <dcterms:description> "baeume"@de"#),
    ] {
        assert!(said.contains(&line), "missing: {line}");
    }
    let member = lines(&dataset_triples(&with(json!({"in_series": iri})), &context));
    assert!(member.contains(&format!("<DS> <dcat:inSeries> <{iri}>")));
}

#[test]
fn a_mere_file_is_found_where_it_is_downloaded() {
    let said = said(&with(json!({"distributions": {"csv": {"access_url": null}}})));
    let line = "<DS#distribution-csv> <dcat:accessURL> <https://daten.soest.example/baumkataster.csv>";
    assert!(said.iter().any(|one| one == line));
}

#[test]
fn a_catalog_without_a_word_is_still_a_valid_one() {
    let said = lines(&catalog_triples(&soest()));
    for line in [
        r#"<https://daten.soest.example/catalog> <dcterms:title> "Datenkatalog Soest"@de"#,
        r#"<https://daten.soest.example/catalog> <dcterms:description> "Open data of Soest."@en"#,
    ] {
        assert!(said.iter().any(|one| one == line), "missing: {line}");
    }
    assert!(said.iter().any(|line| line.ends_with(r#"<foaf:name> "Soest""#)));
}

#[test]
fn a_catalog_without_an_address_has_the_same_name_on_every_node() {
    let context = |key| CatalogContext::new(Catalog::new(Town::parse(key).unwrap()), "Soest");
    assert!(context("05974040").iri().as_str().starts_with("urn:uuid:"));
    assert_eq!(context("05974040").iri(), context("05974040").iri());
    assert_ne!(context("05974040").iri(), context("05966024").iri());
}

#[test]
fn a_contributor_id_is_said_if_the_town_has_one_and_never_invented() {
    assert!(!said(&full_dataset()).iter().any(|line| line.contains("contributorID")));
    let mut catalog = Catalog::new(Town::parse("05974040").unwrap());
    catalog.contributor_id = Iri::parse("http://dcat-ap.de/def/contributors/openNRW").ok();
    let said = lines(&dataset_triples(&full_dataset(), &CatalogContext::new(catalog, "Soest")));
    let line = "<DS> <dcatde:contributorID> <http://dcat-ap.de/def/contributors/openNRW>";
    assert!(said.iter().any(|one| one == line));
}
