//! What a format's name means in RDF: a file type of the EU's list, and what a
//! service conforms to.
//!
//! DCAT-AP.de 3.0 section 9 (controlled vocabularies) allows no other value of
//! `dcterms:format`: a name that the EU's list lacks is said by its broader
//! concept, if it has one, and else left out.

use super::lists;
use crate::vocabulary::Mark;

/// The IRI in the EU's list of file types.
pub(super) fn file_type(name: &str) -> Option<String> {
    let formats = lists().formats();
    let concept = formats.find(name)?;
    let listed = concept.iri.as_deref().or_else(|| formats.code(concept.parent.as_deref()?)?.iri.as_deref());
    listed.filter(|_| !concept.is(Mark::Provisional)).map(str::to_owned)
}

/// The specification of what the service speaks.
pub(super) fn specification(name: &str) -> Option<String> {
    lists().formats().find(name)?.conforms_to.as_deref().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_people_use_find_their_file_type() {
        let cases = [
            ("CSV", Some("CSV")),
            ("GeoJSON", Some("GEOJSON")),
            ("Shape", Some("SHP")),
            ("JSON-LD", Some("JSON_LD")),
            ("Turtle", Some("RDF_TURTLE")),
            ("GeoPackage", Some("GPKG")),
            ("tif", Some("TIFF")),
            ("iCalendar", Some("ICS")),
            ("WFS", Some("WFS_SRVC")),
            ("NGSI-LD", Some("REST")),
            ("OGC API Features", Some("REST")),
            ("WMTS", None),
            ("Vorläufige Daten", None),
            ("Datenbank", None),
            ("", None),
        ];
        for (name, code) in cases {
            let iri =
                code.map(|code| format!("http://publications.europa.eu/resource/authority/file-type/{code}"));
            assert_eq!(file_type(name), iri, "{name}");
        }
    }

    #[test]
    fn services_conform_to_what_they_speak() {
        let wfs = "http://www.opengis.net/def/serviceType/ogc/wfs";
        assert_eq!(specification("WFS").as_deref(), Some(wfs));
        assert_eq!(specification("WFS-Dienst").as_deref(), Some(wfs));
        let features = "http://www.opengis.net/spec/ogcapi-features-1/1.0";
        assert_eq!(specification("OGC API - Features").as_deref(), Some(features));
        assert_eq!(specification("API"), None);
        assert_eq!(specification("CSV"), None);
    }
}
