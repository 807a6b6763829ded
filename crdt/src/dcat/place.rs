//! Where the data lie.

use oxrdf::NamedNode;

use super::graph::{Triples, node, part};
use super::terms;
use crate::catalog::{BoundingBox, Lang, Spatial};

/// The political key with its level, mirrored in `dcterms:spatial`
/// (convention 11), and the rectangle.
pub(super) fn write(triples: &mut Triples, whole: &NamedNode, spatial: &Spatial) {
    if let Some(geocoding) = spatial.geocoding.as_ref().and_then(|iri| node(iri.as_str())) {
        triples.link(whole, terms::SPATIAL, &geocoding);
        if geocoding.as_str().starts_with(terms::GEOCODING_BASE) {
            triples.link(whole, terms::GEOCODING, &geocoding);
            let level =
                level(geocoding.as_str()).map(|level| format!("{}{level}", terms::GEOCODING_LEVEL_BASE));
            triples.code(whole, terms::GEOCODING_LEVEL, level);
        }
    }
    if spatial.bbox.is_some() || spatial.unit.is_some() {
        let location = part(whole, "location");
        triples.link(whole, terms::SPATIAL, &location);
        triples.class(&location, terms::LOCATION);
        if let Some(unit) = &spatial.unit {
            triples.tagged(&location, terms::PREF_LABEL, unit.as_str(), Lang::De);
        }
        if let Some(bbox) = &spatial.bbox {
            rectangle(triples, &location, bbox);
        }
    }
}

/// `dcat:bbox` and `dcat:centroid`; a literal `locn:geometry` would be refused
/// by the official shapes. WKT without a reference system is CRS84: longitude
/// first.
fn rectangle(triples: &mut Triples, location: &NamedNode, bbox: &BoundingBox) {
    let [west, south, east, north] = bbox.degrees();
    let polygon =
        format!("POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))");
    triples.typed(location, terms::BBOX, polygon, terms::WKT);
    let middle = |low: f64, high: f64| ((low + high) / 2.0 * 1e6).round() / 1e6;
    let point = format!("POINT({} {})", middle(west, east), middle(south, north));
    triples.typed(location, terms::CENTROID, point, terms::WKT);
}

/// The level that a key of DCAT-AP.de's political geocoding is of.
fn level(key: &str) -> Option<&'static str> {
    let (kind, number) = key.strip_prefix(terms::GEOCODING_BASE)?.split_once('/')?;
    match kind {
        "municipalityKey" | "municipalAssociationKey" => Some("municipality"),
        "districtKey" | "governmentDistrictKey" => Some("administrativeDistrict"),
        "stateKey" => Some("state"),
        // Twelve digits whose last three name the municipality.
        "regionalKey" if number.len() == 12 && !number.ends_with("000") => Some("municipality"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{level, terms};

    #[test]
    fn keys_have_the_level_of_their_kind() {
        let cases = [
            ("municipalityKey/05974040", Some("municipality")),
            ("districtKey/05974", Some("administrativeDistrict")),
            ("stateKey/05", Some("state")),
            ("regionalKey/059740040040", Some("municipality")),
            ("regionalKey/055130000000", None),
            ("Level/state", None),
        ];
        for (key, wanted) in cases {
            assert_eq!(level(&format!("{}{key}", terms::GEOCODING_BASE)), wanted, "{key}");
        }
    }
}
