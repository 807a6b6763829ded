//! Rules about what a dataset says of itself and of those who answer for it.

use std::collections::BTreeSet;

use super::{Case, Found};
use crate::catalog::{Hvd, LifecycleStatus, PersonalData};

pub(super) fn title(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.title.is_empty() {
        found.at("title");
    }
}

pub(super) fn description(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.description.is_empty() {
        found.at("description");
    }
}

pub(super) fn publisher(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.publisher.name.is_none() {
        found.at("publisher");
    }
}

/// Of the dataset, which must have one, and of those services that have their own.
pub(super) fn contact(case: &Case<'_>, found: &mut Found<'_>) {
    if !case.dataset.contact.is_reachable() {
        found.at("contact");
    }
    for one in &case.dataset.services {
        if !one.contact.is_empty() && !one.contact.is_reachable() {
            found.at(format!("services/{}/contact", one.id));
        }
    }
}

/// GovData takes up no dataset of which it does not know who hands it in.
pub(super) fn contributor(case: &Case<'_>, found: &mut Found<'_>) {
    if case.catalog.is_some_and(|catalog| catalog.contributor_id.is_none()) {
        found.at("catalog/contributor_id");
    }
}

pub(super) fn temporal_order(case: &Case<'_>, found: &mut Found<'_>) {
    let temporal = &case.dataset.temporal;
    if let (true, Some(end)) = (temporal.is_reversed(), temporal.end) {
        found.value("temporal/end", end);
    }
}

pub(super) fn issued_order(case: &Case<'_>, found: &mut Found<'_>) {
    if let (Some(issued), Some(modified)) = (case.dataset.issued, case.dataset.modified)
        && issued > modified
    {
        found.value("issued", issued);
    }
}

pub(super) fn personal_data_settled(case: &Case<'_>, found: &mut Found<'_>) {
    match case.dataset.personal_data {
        None => found.at("personal_data"),
        Some(PersonalData::ToCheck) => found.value("personal_data", PersonalData::ToCheck),
        Some(_) => {}
    }
}

pub(super) fn personal_data_never_open(case: &Case<'_>, found: &mut Found<'_>) {
    if let Some(kind @ (PersonalData::Personal | PersonalData::Pseudonymised)) = case.dataset.personal_data {
        found.value("personal_data", kind);
    }
}

pub(super) fn responsible_role(case: &Case<'_>, found: &mut Found<'_>) {
    let role = &case.internal.responsible_role;
    if role.role.is_none() || role.mailbox.is_none() {
        found.at("internal/responsible_role");
    }
}

pub(super) fn withdrawn(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.status == LifecycleStatus::Withdrawn {
        found.value("status", case.dataset.status);
    }
}

pub(super) fn hvd_categories(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.hvd == Some(Hvd::Yes) && case.dataset.hvd_categories.is_empty() {
        found.at("hvd_categories");
    }
}

pub(super) fn hvd_settled(case: &Case<'_>, found: &mut Found<'_>) {
    let undecided = case.dataset.hvd == Some(Hvd::ToCheck);
    if undecided || (case.dataset.hvd != Some(Hvd::Yes) && !case.dataset.hvd_categories.is_empty()) {
        found.at("hvd");
    }
}

pub(super) fn german_title(case: &Case<'_>, found: &mut Found<'_>) {
    if !case.dataset.title.is_empty() && case.dataset.title.de.is_none() {
        found.at("title/de");
    }
}

/// A year, or the name of the publishing town, stands in other fields.
pub(super) fn plain_title(case: &Case<'_>, found: &mut Found<'_>) {
    let publisher = case.dataset.publisher.name.as_ref().map_or("", |name| name.as_str());
    // "Stadt Soest" publishes in Soest: the words after the first are the place.
    let place: BTreeSet<String> = words(publisher).skip(1).collect();
    for (field, title) in [("title/de", &case.dataset.title.de), ("title/en", &case.dataset.title.en)] {
        let Some(title) = title else { continue };
        if words(title.as_str()).any(|word| is_year(&word) || place.contains(&word)) {
            found.value(field, title);
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.parse::<u16>().is_ok_and(|year| (1900..2100).contains(&year))
}

pub(super) fn plain_description(case: &Case<'_>, found: &mut Found<'_>) {
    let description = &case.dataset.description;
    for (field, text) in [("description/de", &description.de), ("description/en", &description.en)] {
        if text.as_ref().is_some_and(|text| has_markup(text.as_str())) {
            found.at(field);
        }
    }
}

fn has_markup(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["<p", "<br", "<div", "<a ", "<ul", "<li", "<span", "<strong", "</", "&nbsp;", "&amp;"]
        .iter()
        .any(|tag| lower.contains(tag))
}

pub(super) fn keywords(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.keywords.is_empty() {
        found.at("keywords");
    }
}

pub(super) fn themes(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.themes.is_empty() {
        found.at("themes");
    }
}

pub(super) fn frequency(case: &Case<'_>, found: &mut Found<'_>) {
    match &case.dataset.frequency {
        None => found.at("frequency"),
        Some(frequency) if frequency.code() == "UNKNOWN" => found.value("frequency", frequency),
        Some(_) => {}
    }
}

pub(super) fn geocoded(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.spatial.geocoding.is_none() {
        found.at("spatial/geocoding");
    }
}

pub(super) fn musterdatensatz(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.musterdatensatz.is_none() {
        found.at("musterdatensatz");
    }
}

/// A mailbox such as `anna.muster@` is most likely a person's.
pub(super) fn role_mailbox(case: &Case<'_>, found: &mut Found<'_>) {
    let Some(mailbox) = &case.dataset.contact.email else { return };
    let name = mailbox.as_str().split('@').next().unwrap_or_default();
    if let Some((first, last)) = name.split_once('.')
        && [first, last].iter().all(|part| part.len() > 1 && part.chars().all(char::is_alphabetic))
    {
        found.value("contact/email", mailbox);
    }
}
