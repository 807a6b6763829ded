//! Rules about codes: whether the lists know them.

use super::{Case, Found};
use crate::catalog::Iri;
use crate::catalog::invalid::Bilingual;
use crate::vocabulary::{Mark, Vocabulary};

/// Codes of the federation's keys: kind, and digits of its numbers.
const GEOCODING_BASE: &str = "http://dcat-ap.de/def/politicalGeocoding/";
const GEOCODING_KEYS: [(&str, usize); 6] = [
    ("municipalityKey", 8),
    ("municipalAssociationKey", 9),
    ("districtKey", 5),
    ("governmentDistrictKey", 3),
    ("stateKey", 2),
    ("regionalKey", 12),
];

/// Says where a code is none of a list, or a mere placeholder.
fn ask(list: &Vocabulary, field: String, code: &str, found: &mut Found<'_>) {
    let known = list.code(code).is_some_and(|concept| !concept.is(Mark::Provisional));
    if known {
        return;
    }
    let meant = list.suggest(code).into_iter().map(|one| &*one.concept.code).filter(|meant| *meant != code);
    let meant = meant.collect::<Vec<_>>().join(", ");
    match meant.is_empty() {
        true => found.value(field, code),
        false => found.mend(
            field,
            code,
            Bilingual::made(format!("vielleicht {meant}?"), format!("did you mean {meant}?")),
        ),
    }
}

pub(super) fn themes(case: &Case<'_>, found: &mut Found<'_>) {
    for theme in &case.dataset.themes {
        ask(case.lists.themes(), "themes".to_owned(), theme.code(), found);
    }
}

pub(super) fn frequency(case: &Case<'_>, found: &mut Found<'_>) {
    if let Some(frequency) = &case.dataset.frequency {
        ask(case.lists.frequencies(), "frequency".to_owned(), frequency.code(), found);
    }
}

pub(super) fn statuses(case: &Case<'_>, found: &mut Found<'_>) {
    let list = case.lists.list(crate::vocabulary::List::DistributionStatuses);
    for one in &case.dataset.distributions {
        if let Some(status) = &one.status {
            ask(list, format!("distributions/{}/status", one.id), status.code(), found);
        }
    }
}

pub(super) fn hvd_categories(case: &Case<'_>, found: &mut Found<'_>) {
    for category in &case.dataset.hvd_categories {
        ask(case.lists.hvd_categories(), "hvd_categories".to_owned(), category.code(), found);
    }
}

pub(super) fn formats(case: &Case<'_>, found: &mut Found<'_>) {
    for one in &case.dataset.distributions {
        if let Some(format) =
            one.format.as_ref().filter(|one| case.lists.formats().find(one.as_str()).is_none())
        {
            found.value(format!("distributions/{}/format", one.id), format);
        }
    }
    for one in &case.dataset.services {
        if let Some(format) =
            one.format.as_ref().filter(|one| case.lists.formats().find(one.as_str()).is_none())
        {
            found.value(format!("services/{}/format", one.id), format);
        }
    }
}

/// A series is said once, by the catalog.
pub(super) fn series(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(catalog) = case.catalog else { return };
    if let Some(iri) = &case.dataset.in_series
        && !catalog.series.iter().any(|series| series.iri.as_ref() == Some(iri))
    {
        found.value("in_series", iri);
    }
}

pub(super) fn musterdatensatz(case: &Case<'_>, found: &mut Found<'_>) {
    if let Some(iri) = case
        .dataset
        .musterdatensatz
        .as_ref()
        .filter(|iri| case.lists.reference_types().iri(iri.as_str()).is_none())
    {
        found.value("musterdatensatz", iri);
    }
}

/// A key of DCAT-AP.de's political geocoding must have its digits.
pub(super) fn geocoding(case: &Case<'_>, found: &mut Found<'_>) {
    if let Some(iri) = case.dataset.spatial.geocoding.as_ref().filter(|iri| is_misspelt(iri)) {
        found.value("spatial/geocoding", iri);
    }
}

pub(super) fn is_misspelt(iri: &Iri) -> bool {
    let text = iri.as_str();
    let Some(key) = text.strip_prefix(GEOCODING_BASE) else {
        // Another scheme of places is fine; this one, written otherwise, is not.
        return text.to_ascii_lowercase().contains("dcat-ap.de/def/politicalgeocoding");
    };
    let right = |kind: &str, number: &str| {
        let digits = GEOCODING_KEYS.iter().find(|(known, _)| *known == kind).map(|(_, digits)| *digits);
        digits == Some(number.len()) && number.bytes().all(|b| b.is_ascii_digit())
    };
    !key.split_once('/').is_some_and(|(kind, number)| right(kind, number))
}

pub(super) fn retired(case: &Case<'_>, found: &mut Found<'_>) {
    let licences = case.lists.licences();
    if let Some(licence) = case.dataset.licence.as_ref()
        && licences.iri(licence.as_str()).is_some_and(|concept| concept.is(Mark::Retired))
    {
        found.value("licence", licence);
    }
}
