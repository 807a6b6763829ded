//! Where data lie: the rectangle around a geometry in WKT or GeoJSON.
//!
//! Knows longitude and latitude (WGS 84) only; other reference systems are
//! said, not guessed.

use serde_json::Value;

use crate::catalog::{Bilingual, BoundingBox, InvalidField};

/// Most coordinates that are looked at; an outline has fewer.
const POINTS_MAX: usize = 100_000;

/// The rectangle around a geometry.
pub(super) fn rectangle(text: &str) -> Result<BoundingBox, InvalidField> {
    let text = text.trim();
    let points = if text.starts_with('{') {
        serde_json::from_str::<Value>(text).ok().and_then(|json| geojson(&json))
    } else {
        wkt(text)
    };
    let around = points.as_deref().and_then(around);
    around.ok_or_else(|| {
        InvalidField::new(
            "spatial/bbox",
            text,
            Bilingual::fixed(
                "ist keine Fläche in Länge und Breite (WGS 84)",
                "is not an area in longitude and latitude (WGS 84)",
            ),
            Bilingual::fixed(
                "als WKT oder GeoJSON angeben, zum Beispiel POLYGON((8.02 51.5, 8.2 51.5, 8.2 51.62, 8.02 51.5))",
                "give WKT or GeoJSON, for example POLYGON((8.02 51.5, 8.2 51.5, 8.2 51.62, 8.02 51.5))",
            ),
        )
    })
}

fn around(points: &[(f64, f64)]) -> Option<BoundingBox> {
    let (first, rest) = points.split_first()?;
    let mut edges = (first.0, first.1, first.0, first.1);
    for (x, y) in rest {
        edges = (edges.0.min(*x), edges.1.min(*y), edges.2.max(*x), edges.3.max(*y));
    }
    let (west, south, east, north) = edges;
    BoundingBox::parse(&format!("{west:.6},{south:.6},{east:.6},{north:.6}")).ok()
}

/// The points of a WKT geometry, with the reference system before it, if any.
fn wkt(text: &str) -> Option<Vec<(f64, f64)>> {
    let (system, shape) = match text.strip_prefix('<') {
        Some(rest) => rest.split_once('>')?,
        None => ("", text.strip_prefix("SRID=4326;").unwrap_or(text)),
    };
    // In EPSG 4326 latitude comes first; without a system, longitude does.
    let swapped = system.ends_with("EPSG/0/4326");
    if !system.is_empty() && !swapped && !system.contains("CRS84") {
        return None;
    }
    let inner = &shape[shape.find('(')?..];
    let mut points = Vec::new();
    for pair in inner.split([',', '(', ')']).map(str::trim).filter(|pair| !pair.is_empty()) {
        let mut numbers = pair.split_whitespace().map(str::parse::<f64>);
        let (Some(Ok(x)), Some(Ok(y))) = (numbers.next(), numbers.next()) else { return None };
        points.push(if swapped { (y, x) } else { (x, y) });
        if points.len() > POINTS_MAX {
            return None;
        }
    }
    Some(points)
}

fn geojson(json: &Value) -> Option<Vec<(f64, f64)>> {
    let geometry = json.get("geometry").unwrap_or(json);
    let mut points = Vec::new();
    match geometry.get("geometries").and_then(Value::as_array) {
        Some(parts) => parts.iter().try_for_each(|part| collect(part.get("coordinates")?, &mut points))?,
        None => collect(geometry.get("coordinates")?, &mut points)?,
    }
    Some(points)
}

/// serde_json bounds the depth of what it parses, and so this recursion.
fn collect(json: &Value, points: &mut Vec<(f64, f64)>) -> Option<()> {
    let list = json.as_array()?;
    match list.as_slice() {
        [Value::Number(x), Value::Number(y), ..] => points.push((x.as_f64()?, y.as_f64()?)),
        parts => parts.iter().try_for_each(|part| collect(part, points))?,
    }
    (points.len() <= POINTS_MAX).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometries_become_the_rectangle_around_them() {
        let wanted = "8.02,51.5,8.2,51.62";
        for given in [
            "POLYGON((8.02 51.5, 8.2 51.5, 8.2 51.62, 8.02 51.62, 8.02 51.5))",
            "POLYGON ((8.02 51.5 3, 8.2 51.62 3))",
            "SRID=4326;LINESTRING(8.02 51.5,8.2 51.62)",
            "<http://www.opengis.net/def/crs/OGC/1.3/CRS84> POLYGON((8.02 51.5, 8.2 51.62))",
            "<http://www.opengis.net/def/crs/EPSG/0/4326> POLYGON((51.5 8.02, 51.62 8.2))",
            r#"{"type":"Polygon","coordinates":[[[8.02,51.5],[8.2,51.62]]]}"#,
            r#"{"type":"Feature","geometry":{"type":"MultiPoint","coordinates":[[8.02,51.5],[8.2,51.62]]}}"#,
        ] {
            assert_eq!(rectangle(given).unwrap().to_string(), wanted, "{given}");
        }
    }

    #[test]
    fn what_is_no_place_on_the_globe_is_refused() {
        for given in [
            "",
            "POLYGON",
            "POLYGON(())",
            "POLYGON((a b))",
            "Soest",
            "{}",
            r#"{"coordinates":[]}"#,
            "<http://www.opengis.net/def/crs/EPSG/0/25832> POINT(440000 5710000)",
            "POINT(440000 5710000)",
            "POINT(NaN NaN)",
        ] {
            assert!(rectangle(given).is_err(), "{given}");
        }
    }
}
