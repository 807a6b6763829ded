//! What a format's plain name means: a file type of the EU's list, a service
//! with its specification, or neither.
//!
//! DCAT-AP.de 3.0 section 9 (controlled vocabularies) allows no other value of
//! `dcterms:format`; a name that the list of 2022-09-28 lacks is left out there.

struct Known {
    /// The name in lower case, letters and digits alone.
    name: &'static str,
    file_type: Option<&'static str>,
    /// For a service: what it speaks, if that is said.
    service: Option<Option<&'static str>>,
}

const fn file(name: &'static str, file_type: &'static str) -> Known {
    Known { name, file_type: Some(file_type), service: None }
}

const fn service(
    name: &'static str,
    file_type: Option<&'static str>,
    specification: Option<&'static str>,
) -> Known {
    Known { name, file_type, service: Some(specification) }
}

/// Names whose file type is called otherwise, and services.
static KNOWN: &[Known] = &[
    file("geopackage", "GPKG"),
    file("gzip", "GZIP"),
    file("jpg", "JPEG"),
    file("jsonld", "JSON_LD"),
    file("ical", "ICS"),
    file("icalendar", "ICS"),
    file("netcdf", "NETCDF"),
    file("nquads", "RDF_N_QUADS"),
    file("ntriples", "RDF_N_TRIPLES"),
    file("rdfxml", "RDF_XML"),
    file("shape", "SHP"),
    file("shapefile", "SHP"),
    file("tif", "TIFF"),
    file("trig", "RDF_TRIG"),
    file("turtle", "RDF_TURTLE"),
    service("wfs", Some("WFS_SRVC"), Some("http://www.opengis.net/def/serviceType/ogc/wfs")),
    service("wms", Some("WMS_SRVC"), Some("http://www.opengis.net/def/serviceType/ogc/wms")),
    service("wcs", Some("WCS_SRVC"), Some("http://www.opengis.net/def/serviceType/ogc/wcs")),
    service("wmts", None, Some("http://www.opengis.net/def/serviceType/ogc/wmts")),
    service("csw", None, Some("http://www.opengis.net/def/serviceType/ogc/csw")),
    service("ogcapi", Some("REST"), Some("http://www.opengis.net/spec/ogcapi-common-1/1.0")),
    service("ogcapifeatures", Some("REST"), Some("http://www.opengis.net/spec/ogcapi-features-1/1.0")),
    service("ogcapirecords", Some("REST"), Some("http://www.opengis.net/spec/ogcapi-records-1/1.0")),
    service("sensorthings", Some("REST"), Some("http://www.opengis.net/spec/iot_sensing/1.1")),
    service("sensorthingsapi", Some("REST"), Some("http://www.opengis.net/spec/iot_sensing/1.1")),
    service("ngsild", Some("REST"), Some("https://uri.etsi.org/ngsi-ld/")),
    service("odata", Some("REST"), Some("https://docs.oasis-open.org/odata/odata/v4.01/")),
    service("sparql", Some("SPARQLQ"), Some("http://www.w3.org/TR/sparql11-protocol/")),
    service("api", Some("REST"), None),
    service("rest", Some("REST"), None),
    service("restapi", Some("REST"), None),
];

/// Codes of the EU's file types that are their own name, in the version of
/// 2022-09-28.
static FILE_TYPES: &[&str] = &[
    "7Z",
    "AAC",
    "ATOM",
    "BIN",
    "BMP",
    "BZIP2",
    "CSS",
    "CSV",
    "DBF",
    "DGN",
    "DOC",
    "DOCX",
    "DWG",
    "DXF",
    "E00",
    "ECW",
    "EPUB",
    "GDB",
    "GEOJSON",
    "GEOTIFF",
    "GIF",
    "GML",
    "GPKG",
    "GRID",
    "GTFS",
    "GZIP",
    "HDF",
    "HTML",
    "ICS",
    "ISO",
    "JPEG",
    "JPEG2000",
    "JS",
    "JSON",
    "JSON_LD",
    "KML",
    "KMZ",
    "LAS",
    "LAZ",
    "MBOX",
    "MDB",
    "MP3",
    "MPEG4",
    "N3",
    "NETCDF",
    "ODB",
    "ODF",
    "ODG",
    "ODP",
    "ODS",
    "ODT",
    "OVF",
    "OWL",
    "PDF",
    "PNG",
    "PPT",
    "PPTX",
    "PS",
    "PSD",
    "QGS",
    "RAR",
    "RDF",
    "RDFA",
    "RDF_TURTLE",
    "RDF_XML",
    "REST",
    "RSS",
    "RTF",
    "SDMX",
    "SGML",
    "SHP",
    "SQL",
    "STL",
    "SVG",
    "TAB",
    "TAR",
    "TIFF",
    "TMX",
    "TSV",
    "TXT",
    "WAV",
    "WORLD",
    "XHTML",
    "XLS",
    "XLSB",
    "XLSM",
    "XLSX",
    "XML",
    "XYZ",
    "YAML",
    "ZIP",
];

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn known(name: &str) -> Option<&'static Known> {
    let plain = plain(name);
    KNOWN.iter().find(|known| known.name == plain)
}

/// The code in the EU's list of file types.
pub(super) fn file_type(name: &str) -> Option<&'static str> {
    match known(name) {
        Some(known) => known.file_type,
        None => FILE_TYPES.iter().copied().find(|code| plain(code) == plain(name)),
    }
}

/// Whether the name is that of a service.
pub(super) fn is_service(name: &str) -> bool {
    known(name).is_some_and(|known| known.service.is_some())
}

/// The specification of what the service speaks.
pub(super) fn specification(name: &str) -> Option<&'static str> {
    known(name).and_then(|known| known.service.flatten())
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
            ("WFS", Some("WFS_SRVC")),
            ("NGSI-LD", Some("REST")),
            ("WMTS", None),
            ("Datenbank", None),
            ("", None),
        ];
        for (name, code) in cases {
            assert_eq!(file_type(name), code, "{name}");
        }
    }

    #[test]
    fn services_are_told_from_files() {
        for service in ["WFS", "wms", "OGC API Features", "NGSI-LD", "SensorThings", "API"] {
            assert!(is_service(service), "{service}");
        }
        for file in ["CSV", "GML", "Datenbank", "JSON-LD"] {
            assert!(!is_service(file), "{file}");
        }
    }
}
