//! Dates and moments as the catalog keeps them.
//!
//! Never reads a clock: "now" is always an argument from outside.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::invalid::{Bilingual, InvalidField};
use crate::ids::UnixMillis;

/// Years a catalog date may have: registers reach back, plans reach forward.
const YEARS: std::ops::RangeInclusive<i16> = 1000..=2999;

/// A calendar day, written `2026-11-02`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(jiff::civil::Date);

impl Date {
    /// Reads `YYYY-MM-DD`; a moment (`2026-11-02T08:00:00Z`) counts as its day.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let text = text.trim();
        let day = match text.split_once('T') {
            Some((day, _)) if Timestamp::parse(text).is_ok() => day,
            _ => text,
        };
        // jiff reads more forms of ISO 8601 than people recognise as a day.
        let plain = day.len() == 10
            && day
                .bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        let parsed = plain.then(|| day.parse::<jiff::civil::Date>().ok()).flatten();
        parsed.filter(|date| YEARS.contains(&date.year())).map(Self).ok_or_else(|| {
            InvalidField::new(
                "date",
                text,
                Bilingual::fixed("ist kein Tag des Kalenders", "is not a day of the calendar"),
                Bilingual::fixed(
                    "als JJJJ-MM-TT angeben, zum Beispiel 2026-11-02",
                    "give YYYY-MM-DD, for example 2026-11-02",
                ),
            )
        })
    }

    /// The day as jiff's type, for arithmetic.
    pub fn civil(self) -> jiff::civil::Date {
        self.0
    }
}

impl From<jiff::civil::Date> for Date {
    fn from(date: jiff::civil::Date) -> Self {
        Self(date)
    }
}

/// A moment, written in UTC: `2026-11-02T08:41:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Reads RFC 3339 with an offset, or a day, which counts from midnight UTC.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let text = text.trim();
        let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let year = whole.get(..4).and_then(|year| year.parse::<i16>().ok());
        let fine = text.len() <= 40 && year.is_some_and(|year| YEARS.contains(&year));
        let parsed = fine.then(|| whole.parse::<jiff::Timestamp>().ok()).flatten();
        parsed.map(Self::of).ok_or_else(|| {
            InvalidField::new(
                "time",
                text,
                Bilingual::fixed("ist kein Zeitpunkt", "is not a moment"),
                Bilingual::fixed(
                    "mit Zeitzone angeben, zum Beispiel 2026-11-02T08:41:00+01:00",
                    "give it with its offset, for example 2026-11-02T08:41:00+01:00",
                ),
            )
        })
    }

    /// The moment that many milliseconds after 1970, to the second; `None`
    /// outside the calendar.
    pub fn from_unix(at: UnixMillis) -> Option<Self> {
        jiff::Timestamp::from_millisecond(at.0).ok().map(Self::of)
    }

    /// Milliseconds since 1970.
    pub fn unix(self) -> UnixMillis {
        UnixMillis(self.0.as_millisecond())
    }

    /// The moment as jiff's type.
    pub fn jiff(self) -> jiff::Timestamp {
        self.0
    }

    /// Whole seconds: finer steps would make equal moments differ in text.
    fn of(moment: jiff::Timestamp) -> Self {
        Self(jiff::Timestamp::from_second(moment.as_second()).unwrap_or(moment))
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidField;

            fn from_str(text: &str) -> Result<Self, InvalidField> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidField;

            fn try_from(text: String) -> Result<Self, InvalidField> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}
as_text!(Date);
as_text!(Timestamp);

/// The days that the data describe; either end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Temporal {
    /// First day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Date>,
    /// Last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Date>,
}

impl Temporal {
    /// Whether neither end is given.
    pub fn is_empty(&self) -> bool {
        self.start.is_none() && self.end.is_none()
    }

    /// Whether the end lies before the start. Two people may bring this about
    /// together, so a document can hold it; a form refuses it.
    pub fn is_reversed(&self) -> bool {
        matches!((self.start, self.end), (Some(start), Some(end)) if end < start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days_of_the_calendar() {
        for fine in ["2026-11-02", "1000-01-01", "2024-02-29", " 2026-11-02 "] {
            assert_eq!(Date::parse(fine).unwrap().to_string(), fine.trim());
        }
        assert_eq!(Date::parse("2026-11-02T08:00:00Z").unwrap().to_string(), "2026-11-02");
        for wrong in [
            "",
            "2026-02-29",
            "2026-13-01",
            "02.11.2026",
            "20261102",
            "2026-11-2",
            "0000-01-01",
            "9999-01-01",
            "2026-11-02Tx",
            "-000001-01-01",
        ] {
            assert!(Date::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_kept_in_utc_to_the_second() {
        assert_eq!(
            Timestamp::parse("2026-10-12T08:41:00.5+02:00").unwrap().to_string(),
            "2026-10-12T06:41:00Z"
        );
        assert_eq!(Timestamp::parse("2026-10-12").unwrap().to_string(), "2026-10-12T00:00:00Z");
        for wrong in ["", "heute", "2026-10-12T08:41:00", "2026-10-32T08:41:00Z", "9999-01-01T00:00:00Z"] {
            assert!(Timestamp::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Timestamp::from_unix(UnixMillis(i64::MAX)), None);
        let at = Timestamp::from_unix(UnixMillis(1_700_000_000_999)).unwrap();
        assert_eq!(at.unix(), UnixMillis(1_700_000_000_000));
        assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
    }

    #[test]
    fn a_period_knows_when_its_ends_are_swapped() {
        let day = |text| Some(Date::parse(text).unwrap());
        assert!(Temporal { start: day("2026-01-02"), end: day("2026-01-01") }.is_reversed());
        assert!(!Temporal { start: day("2026-01-02"), end: None }.is_reversed());
    }
}
