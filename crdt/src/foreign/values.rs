//! Codes as other catalogs spell them: old lists, `https`, slashes at the end,
//! plain words. What is not certain stays unmapped.

use crate::catalog::{Bilingual, DistributionStatus, Frequency, HvdCategory, InvalidField, Theme};
use crate::vocabulary::{List, Vocabularies};

/// A licence by any IRI, id or name that means exactly one of DCAT-AP.de's list.
pub(super) fn licence(lists: &Vocabularies, text: &str) -> Result<String, InvalidField> {
    let name = plain(text);
    let own = name.strip_prefix("dcat-ap.de/def/licenses/").unwrap_or(&name);
    let other = LICENCES.iter().find(|(spelling, _)| *spelling == name).map(|(_, path)| *path);
    let licences = lists.licences();
    let known = other.and_then(|path| licences.find(path)).or_else(|| licences.find(own));
    let concept = known.map_or_else(|| licences.resolve("licence", text), Ok)?;
    Ok(concept.iri.as_deref().unwrap_or(&concept.code).to_owned())
}

/// The code of a word in a list, or why there is none of what was given.
fn code(
    lists: &Vocabularies,
    list: List,
    field: &str,
    word: &str,
    given: &str,
) -> Result<String, InvalidField> {
    let found = lists.list(list).resolve(field, word).map(|concept| concept.code.to_string());
    found.map_err(|error| InvalidField::new(field, given, error.problem, error.remedy))
}

/// The EU's own names for the licences of that list, and CKAN's.
const LICENCES: &[(&str, &str)] = &[
    ("publications.europa.eu/resource/authority/licence/cc0", "cc-zero"),
    ("publications.europa.eu/resource/authority/licence/cc_by_4_0", "cc-by/4.0"),
    ("publications.europa.eu/resource/authority/licence/cc_by_sa_4_0", "cc-by-sa/4.0"),
    ("publications.europa.eu/resource/authority/licence/odc_bl", "odbl"),
    ("opendatacommons.org/licenses/odbl/1.0", "odbl"),
    ("dl-de-zero-2.0", "dl-zero-de/2.0"),
    ("dl-de-by-2.0", "dl-by-de/2.0"),
    ("dl-de-by-1.0", "dl-by-de/1.0"),
    ("other-pd", "ccpdm/1.0"),
];

/// How often data change, by the EU's list, Dublin Core's old one, a plain
/// word or an ISO 8601 period.
pub(super) fn frequency(lists: &Vocabularies, text: &str) -> Result<String, InvalidField> {
    let name = plain(text);
    let word = name.rsplit(['/', '#']).next().unwrap_or(&name);
    let other = FREQUENCIES.iter().find(|(spelling, _)| *spelling == word).map(|(_, code)| *code);
    code(lists, Frequency::LIST, "frequency", other.unwrap_or(word), text)
}

/// Dublin Core's words (`http://purl.org/cld/freq/`) and periods.
const FREQUENCIES: &[(&str, &str)] = &[
    ("continuous", "CONT"),
    ("semidaily", "DAILY_2"),
    ("threetimesaweek", "WEEKLY_3"),
    ("semiweekly", "WEEKLY_2"),
    ("threetimesamonth", "MONTHLY_3"),
    ("semimonthly", "MONTHLY_2"),
    ("threetimesayear", "ANNUAL_3"),
    ("semiannual", "ANNUAL_2"),
    ("annually", "ANNUAL"),
    ("yearly", "ANNUAL"),
    ("irregular", "IRREG"),
    ("p1d", "DAILY"),
    ("p1w", "WEEKLY"),
    ("p7d", "WEEKLY"),
    ("p1m", "MONTHLY"),
    ("p3m", "QUARTERLY"),
    ("p6m", "ANNUAL_2"),
    ("p1y", "ANNUAL"),
];

/// An EU theme by IRI or code, whatever scheme the IRI has.
pub(super) fn theme(lists: &Vocabularies, text: &str) -> Result<String, InvalidField> {
    let name = plain(text);
    let word = name.strip_prefix("publications.europa.eu/resource/authority/data-theme/").unwrap_or(&name);
    code(lists, Theme::LIST, "themes", word, text)
}

/// A category of high-value datasets by IRI or code.
pub(super) fn hvd_category(lists: &Vocabularies, text: &str) -> Result<String, InvalidField> {
    let word = text.rsplit('/').next().unwrap_or(text);
    code(lists, HvdCategory::LIST, "hvd_categories", word, text)
}

/// A distribution's status, by the EU's list or the one of ADMS before it.
pub(super) fn status(lists: &Vocabularies, text: &str) -> Result<String, InvalidField> {
    let name = plain(text);
    let word = name.rsplit(['/', '#']).next().unwrap_or(&name);
    let word = if word == "underdevelopment" { "DEVELOP" } else { word };
    code(lists, DistributionStatus::LIST, "status", word, text)
}

/// The plain name of a file format or service type; one that the list lacks
/// stays as it is.
pub(super) fn format(lists: &Vocabularies, text: &str) -> String {
    let given = text.trim();
    let name = plain(given);
    let formats = lists.formats();
    let media = name.strip_prefix(MEDIA_TYPES).unwrap_or(&name);
    let by_media = || formats.concepts().iter().find(|one| one.media_type.as_deref() == Some(media));
    let code = name.strip_prefix(FILE_TYPES);
    let known = formats.find(code.unwrap_or(given)).or_else(by_media);
    match (known, code) {
        (Some(concept), _) => concept.name().to_owned(),
        (None, Some(code)) => code.to_uppercase(),
        (None, None) => given.trim_start_matches('.').to_owned(),
    }
}

const FILE_TYPES: &str = "publications.europa.eu/resource/authority/file-type/";
const MEDIA_TYPES: &str = "iana.org/assignments/media-types/";

/// An IANA media type from its name or its IRI; `None` for what is no media
/// type, such as `ZIP`.
pub(super) fn media_type(text: &str) -> Option<String> {
    let name = plain(text);
    let name = name.strip_prefix(MEDIA_TYPES).unwrap_or(&name).trim_end_matches(';');
    let token = |part: &str| {
        !part.is_empty()
            && part.chars().all(|sign| sign.is_ascii_alphanumeric() || "!#$&^_.+-".contains(sign))
    };
    let whole = name.split_once('/').is_some_and(|(kind, rest)| token(kind) && token(rest));
    (whole && !name.contains(' ')).then(|| name.to_owned())
}

/// A size in bytes, also where it was written as a decimal fraction.
pub(super) fn byte_size(text: &str) -> Result<u64, InvalidField> {
    let whole = text.trim().split_once('.').map_or(text.trim(), |(whole, fraction)| {
        if fraction.bytes().all(|digit| digit == b'0') { whole } else { text }
    });
    whole.parse().ok().filter(|bytes| *bytes <= crate::catalog::ByteSize::MAX).ok_or_else(|| {
        InvalidField::new(
            "byte_size",
            text,
            Bilingual::fixed("ist keine Größe in Byte", "is not a size in bytes"),
            Bilingual::fixed("eine ganze Zahl angeben", "give a whole number"),
        )
    })
}

/// The day of a date or of a moment with or without an offset; a year or a
/// month counts from its first day.
pub(super) fn day(text: &str) -> Result<crate::catalog::Date, InvalidField> {
    let text = text.trim();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let day = match text.len() {
        4 if digits(text) => format!("{text}-01-01"),
        7 if text.as_bytes().get(4) == Some(&b'-') => format!("{text}-01"),
        _ => text.split(['T', ' ']).next().unwrap_or(text).trim_end_matches('Z').to_owned(),
    };
    crate::catalog::Date::parse(&day)
}

/// IRIs of DCAT-AP.de as its list writes them: `http`, no `www.`.
pub(super) fn dcat_ap_de(iri: &str) -> String {
    let rest = iri.trim().strip_prefix("https://").or_else(|| iri.trim().strip_prefix("http://"));
    let rest = rest.map(|rest| rest.strip_prefix("www.").unwrap_or(rest));
    match rest {
        Some(rest) if rest.starts_with("dcat-ap.de/") => format!("http://{}", rest.trim_end_matches('/')),
        _ => iri.trim().to_owned(),
    }
}

/// A name without scheme, `www.` and slash at the end, in lower case.
fn plain(text: &str) -> String {
    let text = text.trim().trim_end_matches('/').to_lowercase();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(&text);
    rest.strip_prefix("www.").unwrap_or(rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> &'static Vocabularies {
        Vocabularies::builtin()
    }

    #[test]
    fn licences_are_known_in_every_spelling() {
        for (given, path) in [
            ("https://www.dcat-ap.de/def/licenses/cc-zero", "cc-zero"),
            ("http://dcat-ap.de/def/licenses/dl-by-de/2_0", "dl-by-de/2.0"),
            ("http://dcat-ap.de/def/licenses/dl-by-de/2.0/", "dl-by-de/2.0"),
            ("https://www.govdata.de/dl-de/zero-2-0", "dl-zero-de/2.0"),
            ("http://creativecommons.org/licenses/by/4.0/", "cc-by/4.0"),
            ("cc-zero", "cc-zero"),
            ("http://dcat-ap.de/def/licenses/officialWork", "officialWork"),
            ("http://publications.europa.eu/resource/authority/licence/CC_BY_4_0", "cc-by/4.0"),
        ] {
            let iri = licence(lists(), given).unwrap_or_else(|error| panic!("{given}: {error}"));
            assert_eq!(iri, format!("http://dcat-ap.de/def/licenses/{path}"));
        }
        assert!(licence(lists(), "Creative Commons").is_err(), "which one is not said");
    }

    #[test]
    fn old_codes_are_read() {
        assert_eq!(frequency(lists(), "http://purl.org/cld/freq/annual").unwrap(), "ANNUAL");
        assert_eq!(frequency(lists(), "P1M").unwrap().to_string(), "MONTHLY");
        let eu = "https://publications.europa.eu/resource/authority/frequency/DAILY/";
        assert_eq!(frequency(lists(), eu).unwrap().to_string(), "DAILY");
        assert!(frequency(lists(), "ab und zu").is_err());
        assert_eq!(
            status(lists(), "http://purl.org/adms/status/Completed").unwrap().to_string(),
            "COMPLETED"
        );
        let theme_iri = "https://publications.europa.eu/resource/authority/data-theme/ENVI";
        assert_eq!(theme(lists(), theme_iri).unwrap().to_string(), "ENVI");
        assert!(theme(lists(), "http://eurovoc.europa.eu/100142").is_err());
    }

    #[test]
    fn formats_sizes_and_days() {
        let file_type = "http://publications.europa.eu/resource/authority/file-type/";
        assert_eq!(format(lists(), &format!("{file_type}SHP")), "Shapefile");
        assert_eq!(format(lists(), &format!("{file_type}GEOJSON")), "GeoJSON");
        assert_eq!(format(lists(), &format!("{file_type}WFS_SRVC")), "WFS");
        assert_eq!(format(lists(), "https://www.iana.org/assignments/media-types/text/csv"), "CSV");
        assert_eq!(
            (format(lists(), ".csv").as_str(), format(lists(), "Eigenes").as_str()),
            ("CSV", "Eigenes")
        );
        assert_eq!(media_type("https://www.iana.org/assignments/media-types/text/csv").unwrap(), "text/csv");
        assert_eq!(media_type("ZIP"), None);
        assert_eq!((byte_size("6776.0").unwrap(), byte_size("7").unwrap()), (6776, 7));
        assert!(byte_size("6776.5").is_err() && byte_size("-1").is_err() && byte_size("9e9").is_err());
        assert_eq!(day("2016-09-13T08:33:58").unwrap().to_string(), "2016-09-13");
        assert_eq!(day("2016").unwrap().to_string(), "2016-01-01");
        assert!(day("neulich").is_err());
    }
}
