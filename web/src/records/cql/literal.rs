//! Literals that mean the same in both languages: moments and geometries.

use serde_json::{Value as Json, json};

use super::{Place, Wrong};
use crate::records::query::seconds;

/// A day or a moment.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::records) struct Instant {
    /// As it was written.
    pub(super) text: String,
    /// Its first second since 1970.
    pub(in crate::records) first: i64,
    /// Its last second: of a day the end, of a moment the same.
    pub(in crate::records) last: i64,
}

impl Instant {
    /// A day (`2026-11-02`), if it is one.
    pub(super) fn date(text: &str) -> Option<Self> {
        Self::any(text).filter(Self::is_date)
    }

    /// A moment (`2026-11-02T08:00:00Z`), if it is one.
    pub(super) fn timestamp(text: &str) -> Option<Self> {
        Self::any(text).filter(|instant| !instant.is_date())
    }

    /// A day or a moment, if it is one.
    pub(in crate::records) fn any(text: &str) -> Option<Self> {
        let (first, last) = seconds(text)?;
        Some(Self { text: text.trim().to_owned(), first, last })
    }

    pub(super) fn is_date(&self) -> bool {
        self.text.len() == "2026-11-02".len()
    }

    /// What is said of a text that is neither.
    pub(super) fn wrong(at: &Place, found: &str) -> Wrong {
        Wrong::new(
            at,
            found,
            ("ist kein Tag und kein Zeitpunkt", "is neither a day nor a moment"),
            (
                "DATE('2026-11-02') oder TIMESTAMP('2026-11-02T08:00:00Z') schreiben, in JSON {\"date\": \"2026-11-02\"}",
                "write DATE('2026-11-02') or TIMESTAMP('2026-11-02T08:00:00Z'), in JSON {\"date\": \"2026-11-02\"}",
            ),
        )
    }
}

/// A place: longitude and latitude in degrees.
pub(in crate::records) type Coordinates = [f64; 2];

/// A geometry in WGS 84; heights were passed over.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::records) enum Geometry {
    /// West, south, east, north; west of east if it crosses the antimeridian.
    Bbox([f64; 4]),
    Points(Vec<Coordinates>),
    Lines(Vec<Vec<Coordinates>>),
    /// Rings of polygons, the outer one first.
    Polygons(Vec<Vec<Vec<Coordinates>>>),
    Collection(Vec<Geometry>),
}

impl Geometry {
    /// The edges of a box, which may have heights between them.
    pub(super) fn edges(numbers: &[f64]) -> Option<[f64; 4]> {
        match numbers {
            [west, south, east, north] | [west, south, _, east, north, _] => {
                Some([*west, *south, *east, *north])
            }
            _ => None,
        }
    }

    /// As GeoJSON, or as the box of CQL2 JSON.
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Bbox(edges) => json!({"bbox": edges}),
            Self::Points(places) => json!({"type": "MultiPoint", "coordinates": places}),
            Self::Lines(lines) => json!({"type": "MultiLineString", "coordinates": lines}),
            Self::Polygons(polygons) => json!({"type": "MultiPolygon", "coordinates": polygons}),
            Self::Collection(parts) => {
                let parts: Vec<Json> = parts.iter().map(Self::to_json).collect();
                json!({"type": "GeometryCollection", "geometries": parts})
            }
        }
    }

    /// Checks that all places are on the globe, lines have two and rings close.
    pub(super) fn checked(self, at: &Place) -> Result<Self, Wrong> {
        let on_globe = |[longitude, latitude]: &Coordinates| {
            (-180.0..=180.0).contains(longitude) && (-90.0..=90.0).contains(latitude)
        };
        let wrong = match &self {
            Self::Bbox([west, south, east, north]) => {
                let corners = on_globe(&[*west, *south]) && on_globe(&[*east, *north]);
                (!corners || south > north).then_some(BOX)
            }
            Self::Points(places) => (!places.iter().all(on_globe)).then_some(GLOBE),
            Self::Lines(lines) if lines.iter().any(|line| line.len() < 2) => Some(LINE),
            Self::Lines(lines) => (!lines.iter().flatten().all(on_globe)).then_some(GLOBE),
            Self::Polygons(polygons) => {
                let closed = |ring: &Vec<Coordinates>| ring.len() >= 4 && ring.first() == ring.last();
                let whole = polygons.iter().all(|rings| !rings.is_empty() && rings.iter().all(closed));
                let fine = polygons.iter().flatten().flatten().all(on_globe);
                if whole { (!fine).then_some(GLOBE) } else { Some(RING) }
            }
            Self::Collection(_) => None,
        };
        match wrong {
            None => Ok(self),
            Some(remedy) => Err(Wrong::new(
                at,
                self.to_json().to_string(),
                ("ist keine Geometrie", "is no geometry"),
                remedy,
            )),
        }
    }
}

const BOX: (&str, &str) = (
    "West, Süd, Ost, Nord in Grad angeben (WGS 84), Süd nicht nördlich von Nord",
    "give west, south, east, north in degrees (WGS 84), south not beyond north",
);
const GLOBE: (&str, &str) = (
    "erst die Länge von -180 bis 180, dann die Breite von -90 bis 90 angeben",
    "give the longitude from -180 to 180 first, then the latitude from -90 to 90",
);
const LINE: (&str, &str) = ("mindestens zwei Orte angeben", "give at least two places");
const RING: (&str, &str) = (
    "jeden Ring mit dem Ort schließen, mit dem er beginnt; mindestens vier Orte",
    "close each ring with the place it begins with; at least four places",
);
