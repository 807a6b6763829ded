//! Rules about how the data are got, and on which terms.

use std::collections::BTreeSet;

use super::{Case, Found};
use crate::catalog::invalid::Bilingual;
use crate::catalog::service::Service;
use crate::catalog::{DataService, Distribution, Hvd, Iri, LicenceIri};
use crate::vocabulary::{Concept, Mark};

fn place(one: &Distribution, field: &str) -> String {
    format!("distributions/{}/{field}", one.id)
}

fn place_in_service(one: &DataService, field: &str) -> String {
    format!("services/{}/{field}", one.id)
}

/// The licences that are given, with where.
fn licences<'a>(case: &Case<'a>) -> impl Iterator<Item = (String, &'a LicenceIri)> {
    let dataset = case.dataset;
    let own =
        dataset.distributions.iter().filter_map(|one| Some((place(one, "licence"), one.licence.as_ref()?)));
    let services = dataset
        .services
        .iter()
        .filter_map(|one| Some((place_in_service(one, "licence"), one.licence.as_ref()?)));
    dataset
        .licence
        .as_ref()
        .map(|licence| ("licence".to_owned(), licence))
        .into_iter()
        .chain(own)
        .chain(services)
}

fn known<'a>(case: &Case<'a>, licence: &LicenceIri) -> Option<&'a Concept> {
    case.lists.licences().iri(licence.as_str())
}

pub(super) fn licence(case: &Case<'_>, found: &mut Found<'_>) {
    let dataset = case.dataset;
    let unsaid =
        dataset.distributions.is_empty() || dataset.distributions.iter().any(|one| one.licence.is_none());
    if dataset.licence.is_none() && unsaid {
        found.at("licence");
    }
}

pub(super) fn licence_known(case: &Case<'_>, found: &mut Found<'_>) {
    for (field, licence) in licences(case) {
        if known(case, licence).is_some() {
            continue;
        }
        match case.lists.licences().find(licence.as_str()).and_then(|concept| concept.iri.as_deref()) {
            Some(iri) => {
                found.mend(field, licence, Bilingual::made(format!("{iri} angeben"), format!("give {iri}")))
            }
            None => found.value(field, licence),
        }
    }
}

pub(super) fn licence_open(case: &Case<'_>, found: &mut Found<'_>) {
    for (field, licence) in licences(case) {
        if known(case, licence).is_some_and(|concept| !concept.is(Mark::Open)) {
            found.value(field, licence);
        }
    }
}

pub(super) fn licence_one(case: &Case<'_>, found: &mut Found<'_>) {
    let dataset = case.dataset;
    let used: BTreeSet<_> =
        dataset.distributions.iter().map(|one| one.licence.as_ref().or(dataset.licence.as_ref())).collect();
    if used.len() > 1 {
        found.at("distributions");
    }
}

pub(super) fn attribution(case: &Case<'_>, found: &mut Found<'_>) {
    let dataset = case.dataset;
    let asks = |licence: &LicenceIri| known(case, licence).is_some_and(|one| one.is(Mark::Attribution));
    if dataset.attribution.is_some() {
        return;
    }
    let distributions = &dataset.distributions;
    let inherited = distributions.is_empty()
        || distributions.iter().any(|one| one.licence.is_none() && one.attribution.is_none());
    if inherited && dataset.licence.as_ref().is_some_and(asks) {
        return found.at("attribution");
    }
    for one in distributions {
        if one.attribution.is_none() && one.licence.as_ref().is_some_and(asks) {
            found.at(place(one, "attribution"));
        }
    }
}

pub(super) fn distributions(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.distributions.is_empty() {
        found.at("distributions");
    }
}

/// A file alone is found where it is downloaded (convention 39).
pub(super) fn access_url(case: &Case<'_>, found: &mut Found<'_>) {
    for one in &case.dataset.distributions {
        if one.access_url.is_none() && one.download_url.is_none() {
            found.at(place(one, "access_url"));
        }
    }
}

/// A service is asked where it answers; a file to download is none.
pub(super) fn service_url(case: &Case<'_>, found: &mut Found<'_>) {
    let is_service = |one: &Distribution| {
        let format = one.format.as_ref().and_then(|format| case.lists.formats().find(format.as_str()));
        format.is_some_and(|concept| concept.is(Mark::Service))
    };
    for one in &case.dataset.distributions {
        if one.access_url.is_none() && one.download_url.is_some() && is_service(one) {
            found.at(place(one, "access_url"));
        }
    }
    for one in case.dataset.services.iter().filter(|one| one.endpoint_url.is_none()) {
        found.at(place_in_service(one, "endpoint_url"));
    }
}

/// A distribution may name a service of its own dataset alone.
pub(super) fn service_named(case: &Case<'_>, found: &mut Found<'_>) {
    for one in &case.dataset.distributions {
        if let Some(name) = &one.service
            && !case.dataset.services.iter().any(|service| service.id == *name)
        {
            found.value(place(one, "service"), name);
        }
    }
}

/// Services of high-value datasets are documented.
pub(super) fn service_documented(case: &Case<'_>, found: &mut Found<'_>) {
    if case.dataset.hvd != Some(Hvd::Yes) {
        return;
    }
    for service in Service::all(case.dataset, case.lists) {
        match service {
            Service::Described(one) if one.documentation.is_some() => {}
            Service::Described(one) => found.at(place_in_service(one, "documentation")),
            Service::Made(one) => found.at(place(one, "service")),
        }
    }
}

/// Addresses that people and programs follow.
pub(super) fn web_address(case: &Case<'_>, found: &mut Found<'_>) {
    let dataset = case.dataset;
    let mut ask = |field: String, address: &Option<Iri>| {
        if let Some(iri) = address.as_ref().filter(|iri| !is_web_address(iri)) {
            found.value(field, iri);
        }
    };
    ask("contact/url".to_owned(), &dataset.contact.url);
    ask("publisher/url".to_owned(), &dataset.publisher.url);
    for one in &dataset.distributions {
        ask(place(one, "access_url"), &one.access_url);
        ask(place(one, "download_url"), &one.download_url);
    }
    for one in &dataset.services {
        ask(place_in_service(one, "endpoint_url"), &one.endpoint_url);
        ask(place_in_service(one, "endpoint_description"), &one.endpoint_description);
        ask(place_in_service(one, "documentation"), &one.documentation);
        ask(place_in_service(one, "contact/url"), &one.contact.url);
    }
}

pub(super) fn is_web_address(iri: &Iri) -> bool {
    let text = iri.as_str().to_ascii_lowercase();
    text.starts_with("https://") || text.starts_with("http://")
}

pub(super) fn format_given(case: &Case<'_>, found: &mut Found<'_>) {
    for one in &case.dataset.distributions {
        if one.format.is_none() {
            found.at(place(one, "format"));
        }
    }
}

pub(super) fn titled(case: &Case<'_>, found: &mut Found<'_>) {
    let several = case.dataset.distributions.len() > 1;
    for one in case.dataset.distributions.iter().filter(|one| several && one.title.is_empty()) {
        found.at(place(one, "title"));
    }
}

pub(super) fn twice(case: &Case<'_>, found: &mut Found<'_>) {
    let mut seen = BTreeSet::new();
    for one in &case.dataset.distributions {
        let same = (&one.access_url, &one.download_url, &one.format);
        if one.access_url.is_some() && !seen.insert(same) {
            found.at(place(one, "access_url"));
        }
    }
}

pub(super) fn not_empty(case: &Case<'_>, found: &mut Found<'_>) {
    for one in &case.dataset.distributions {
        if one.byte_size.is_some_and(|size| size.bytes() == 0) {
            found.value(place(one, "byte_size"), 0);
        }
    }
}

pub(super) fn media_type(case: &Case<'_>, found: &mut Found<'_>) {
    let token = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    for one in &case.dataset.distributions {
        let Some(given) = &one.media_type else { continue };
        let name = given.as_str().split(';').next().unwrap_or_default().trim();
        if !name.split_once('/').is_some_and(|(kind, name)| token(kind) && token(name)) {
            found.value(place(one, "media_type"), given);
        }
    }
}

pub(super) fn machine_readable(case: &Case<'_>, found: &mut Found<'_>) {
    let readable =
        |name: &str| case.lists.formats().find(name).is_none_or(|concept| concept.is(Mark::MachineReadable));
    let distributions = &case.dataset.distributions;
    let formats: Vec<&str> =
        distributions.iter().filter_map(|one| one.format.as_ref()).map(|one| one.as_str()).collect();
    if !formats.is_empty() && !formats.iter().any(|name| readable(name)) {
        found.value("distributions", formats.join(", "));
    }
}
