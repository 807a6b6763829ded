//! Names of classes and properties, and the fixed values that DCAT-AP.de asks
//! for.
//!
//! `dcatap:` ends in a slash, as the profile's text has it; the official
//! shapes bind it to `…r5r#` by mistake, so their checks of it never run.

use oxrdf::NamedNodeRef;

/// Prefixes of all names that the catalog's RDF uses, ascending.
pub const PREFIXES: [(&str, &str); 16] = [
    ("adms", "http://www.w3.org/ns/adms#"),
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("dcatap", "http://data.europa.eu/r5r/"),
    ("dcatde", "http://dcat-ap.de/def/dcatde/"),
    ("dcterms", "http://purl.org/dc/terms/"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("geo", "http://www.opengis.net/ont/geosparql#"),
    ("geodcatap", "http://data.europa.eu/930/"),
    ("hydra", "http://www.w3.org/ns/hydra/core#"),
    ("locn", "http://www.w3.org/ns/locn#"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("void", "http://rdfs.org/ns/void#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

macro_rules! names {
    ($($name:ident = $iri:literal;)+) => { $(
        #[doc = concat!("`", $iri, "`")]
        pub const $name: NamedNodeRef<'static> = NamedNodeRef::new_unchecked($iri);
    )+ };
}

names! {
    TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
    SEE_ALSO = "http://www.w3.org/2000/01/rdf-schema#seeAlso";
    STATUS = "http://www.w3.org/ns/adms#status";
    OTHER_IDENTIFIER = "http://www.w3.org/ns/adms#identifier";
    OTHER_IDENTIFIER_CLASS = "http://www.w3.org/ns/adms#Identifier";
    CATALOG = "http://www.w3.org/ns/dcat#Catalog";
    CATALOG_RECORD = "http://www.w3.org/ns/dcat#CatalogRecord";
    DATA_SERVICE = "http://www.w3.org/ns/dcat#DataService";
    DATASET_CLASS = "http://www.w3.org/ns/dcat#Dataset";
    DATASET_SERIES = "http://www.w3.org/ns/dcat#DatasetSeries";
    DISTRIBUTION_CLASS = "http://www.w3.org/ns/dcat#Distribution";
    RESOURCE = "http://www.w3.org/ns/dcat#Resource";
    ACCESS_SERVICE = "http://www.w3.org/ns/dcat#accessService";
    ACCESS_URL = "http://www.w3.org/ns/dcat#accessURL";
    BBOX = "http://www.w3.org/ns/dcat#bbox";
    BYTE_SIZE = "http://www.w3.org/ns/dcat#byteSize";
    CENTROID = "http://www.w3.org/ns/dcat#centroid";
    CONTACT_POINT = "http://www.w3.org/ns/dcat#contactPoint";
    DATASET = "http://www.w3.org/ns/dcat#dataset";
    DISTRIBUTION = "http://www.w3.org/ns/dcat#distribution";
    DOWNLOAD_URL = "http://www.w3.org/ns/dcat#downloadURL";
    END_DATE = "http://www.w3.org/ns/dcat#endDate";
    ENDPOINT_DESCRIPTION = "http://www.w3.org/ns/dcat#endpointDescription";
    ENDPOINT_URL = "http://www.w3.org/ns/dcat#endpointURL";
    IN_SERIES = "http://www.w3.org/ns/dcat#inSeries";
    KEYWORD = "http://www.w3.org/ns/dcat#keyword";
    MEDIA_TYPE = "http://www.w3.org/ns/dcat#mediaType";
    RECORD = "http://www.w3.org/ns/dcat#record";
    LISTED_RESOURCE = "http://www.w3.org/ns/dcat#resource";
    SERVES_DATASET = "http://www.w3.org/ns/dcat#servesDataset";
    SERVICE = "http://www.w3.org/ns/dcat#service";
    START_DATE = "http://www.w3.org/ns/dcat#startDate";
    THEME = "http://www.w3.org/ns/dcat#theme";
    THEME_TAXONOMY = "http://www.w3.org/ns/dcat#themeTaxonomy";
    APPLICABLE_LEGISLATION = "http://data.europa.eu/r5r/applicableLegislation";
    AVAILABILITY = "http://data.europa.eu/r5r/availability";
    HVD_CATEGORY = "http://data.europa.eu/r5r/hvdCategory";
    CONTRIBUTOR_ID = "http://dcat-ap.de/def/dcatde/contributorID";
    LICENSE_ATTRIBUTION = "http://dcat-ap.de/def/dcatde/licenseAttributionByText";
    GEOCODING_LEVEL = "http://dcat-ap.de/def/dcatde/politicalGeocodingLevelURI";
    GEOCODING = "http://dcat-ap.de/def/dcatde/politicalGeocodingURI";
    LOCATION = "http://purl.org/dc/terms/Location";
    PERIOD_OF_TIME = "http://purl.org/dc/terms/PeriodOfTime";
    ACCESS_RIGHTS = "http://purl.org/dc/terms/accessRights";
    ACCRUAL_PERIODICITY = "http://purl.org/dc/terms/accrualPeriodicity";
    CONFORMS_TO = "http://purl.org/dc/terms/conformsTo";
    DESCRIPTION = "http://purl.org/dc/terms/description";
    FORMAT = "http://purl.org/dc/terms/format";
    IDENTIFIER = "http://purl.org/dc/terms/identifier";
    ISSUED = "http://purl.org/dc/terms/issued";
    LANGUAGE = "http://purl.org/dc/terms/language";
    LICENSE = "http://purl.org/dc/terms/license";
    MODIFIED = "http://purl.org/dc/terms/modified";
    PUBLISHER = "http://purl.org/dc/terms/publisher";
    REFERENCES = "http://purl.org/dc/terms/references";
    SPATIAL = "http://purl.org/dc/terms/spatial";
    TEMPORAL = "http://purl.org/dc/terms/temporal";
    TITLE = "http://purl.org/dc/terms/title";
    AGENT = "http://xmlns.com/foaf/0.1/Agent";
    HOMEPAGE = "http://xmlns.com/foaf/0.1/homepage";
    NAME = "http://xmlns.com/foaf/0.1/name";
    PAGE = "http://xmlns.com/foaf/0.1/page";
    PRIMARY_TOPIC = "http://xmlns.com/foaf/0.1/primaryTopic";
    CUSTODIAN = "http://data.europa.eu/930/custodian";
    NOTATION = "http://www.w3.org/2004/02/skos/core#notation";
    PREF_LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel";
    KIND = "http://www.w3.org/2006/vcard/ns#Kind";
    FN = "http://www.w3.org/2006/vcard/ns#fn";
    HAS_EMAIL = "http://www.w3.org/2006/vcard/ns#hasEmail";
    HAS_TELEPHONE = "http://www.w3.org/2006/vcard/ns#hasTelephone";
    HAS_URL = "http://www.w3.org/2006/vcard/ns#hasURL";
    WKT = "http://www.opengis.net/ont/geosparql#wktLiteral";
    DATE = "http://www.w3.org/2001/XMLSchema#date";
    DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime";
    NON_NEGATIVE_INTEGER = "http://www.w3.org/2001/XMLSchema#nonNegativeInteger";
    AVAILABLE = "http://publications.europa.eu/resource/authority/planned-availability/AVAILABLE";
    PUBLIC = "http://publications.europa.eu/resource/authority/access-right/PUBLIC";
    RESTRICTED = "http://publications.europa.eu/resource/authority/access-right/RESTRICTED";
    NON_PUBLIC = "http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC";
    GERMAN = "http://publications.europa.eu/resource/authority/language/DEU";
    ENGLISH = "http://publications.europa.eu/resource/authority/language/ENG";
    DATA_THEMES = "http://publications.europa.eu/resource/authority/data-theme";
    HVD_REGULATION = "http://data.europa.eu/eli/reg_impl/2023/138/oj";
}

/// Where IANA's media types live; the shapes ask for this base.
pub const MEDIA_TYPE_BASE: &str = "https://www.iana.org/assignments/media-types/";
/// Where DCAT-AP.de's levels of political geocoding live.
pub const GEOCODING_LEVEL_BASE: &str = "http://dcat-ap.de/def/politicalGeocoding/Level/";
/// Where DCAT-AP.de's political geocoding lives.
pub const GEOCODING_BASE: &str = "http://dcat-ap.de/def/politicalGeocoding/";
