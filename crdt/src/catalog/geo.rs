//! A rectangle on the globe, exact: degrees as whole micro-degrees, because a
//! document must not hold floating-point numbers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::invalid::{Bilingual, InvalidField};

/// West, south, east, north, written `8.02,51.5,8.2,51.62`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BoundingBox {
    west: i32,
    south: i32,
    east: i32,
    north: i32,
}

const MICRO: i32 = 1_000_000;

impl BoundingBox {
    /// Reads four decimal degrees (WGS 84) with commas between them.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let text = text.trim();
        let parts: Vec<_> = text.split(',').take(5).map(|part| micro_degrees(part.trim())).collect();
        let four = match parts.as_slice() {
            [Some(west), Some(south), Some(east), Some(north)] => {
                Some(Self { west: *west, south: *south, east: *east, north: *north })
            }
            _ => None,
        };
        four.filter(Self::is_on_the_globe).ok_or_else(|| {
            InvalidField::new(
                "bbox",
                text,
                Bilingual::fixed("ist kein Rechteck auf der Erde", "is not a rectangle on the globe"),
                Bilingual::fixed(
                    "West, Süd, Ost, Nord in Grad angeben, zum Beispiel 8.02,51.5,8.2,51.62",
                    "give west, south, east, north in degrees, for example 8.02,51.5,8.2,51.62",
                ),
            )
        })
    }

    /// West, south, east and north in degrees.
    pub fn degrees(&self) -> [f64; 4] {
        [self.west, self.south, self.east, self.north].map(|micro| f64::from(micro) / f64::from(MICRO))
    }

    /// West, south, east and north in millionths of a degree.
    pub fn micro_degrees(&self) -> [i32; 4] {
        [self.west, self.south, self.east, self.north]
    }

    fn is_on_the_globe(&self) -> bool {
        let (lon, lat) = (-180 * MICRO..=180 * MICRO, -90 * MICRO..=90 * MICRO);
        [self.west, self.east].iter().all(|x| lon.contains(x))
            && [self.south, self.north].iter().all(|y| lat.contains(y))
            && self.west <= self.east
            && self.south <= self.north
    }
}

fn micro_degrees(text: &str) -> Option<i32> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || whole.len() > 3 || fraction.len() > 20 {
        return None;
    }
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let micro = whole.parse::<i32>().ok()? * MICRO + fraction.parse::<i32>().ok()?;
    Some(if negative { -micro } else { micro })
}

impl fmt::Display for BoundingBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, micro) in [self.west, self.south, self.east, self.north].into_iter().enumerate() {
            let sign = if micro < 0 { "-" } else { "" };
            let fraction = format!("{:06}", micro.abs() % MICRO);
            let fraction = fraction.trim_end_matches('0');
            write!(f, "{}{sign}{}", if i == 0 { "" } else { "," }, micro.abs() / MICRO)?;
            if !fraction.is_empty() {
                write!(f, ".{fraction}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for BoundingBox {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        Self::parse(text)
    }
}

impl TryFrom<String> for BoundingBox {
    type Error = InvalidField;

    fn try_from(text: String) -> Result<Self, InvalidField> {
        Self::parse(&text)
    }
}

impl From<BoundingBox> for String {
    fn from(value: BoundingBox) -> String {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_read_themselves_back() {
        for (given, kept) in
            [("8.02,51.5,8.2,51.62", "8.02,51.5,8.2,51.62"), (" -0.5, -1.250000 ,0.5,1", "-0.5,-1.25,0.5,1")]
        {
            let parsed = BoundingBox::parse(given).unwrap();
            assert_eq!(parsed.to_string(), kept);
            assert_eq!(BoundingBox::parse(kept), Ok(parsed));
        }
    }

    #[test]
    fn nonsense_is_no_rectangle() {
        for wrong in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "9,51,8,52",
            "8,52,9,51",
            "8,51,9,91",
            "181,0,182,1",
            "NaN,0,1,1",
            "1e3,0,1,1",
            "8,,9,9",
            "--1,0,1,1",
            "8,51,9,1٢",
        ] {
            assert!(BoundingBox::parse(wrong).is_err(), "{wrong}");
        }
    }
}
