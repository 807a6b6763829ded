//! Which service is behind a distribution: one that the dataset describes, or
//! one made of the distribution itself.
//!
//! The rules of publication and the RDF both ask here, so that they speak of
//! the same services. Never reads anything but the record and the lists.

use super::{DataService, Dataset, Distribution};
use crate::vocabulary::{Concept, Mark, Vocabularies};

/// A service that gives access to a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service<'a> {
    /// The dataset describes it.
    Described(&'a DataService),
    /// Nobody describes it: all that is known is the first distribution of its
    /// address.
    Made(&'a Distribution),
}

impl<'a> Service<'a> {
    /// Names it within the dataset.
    pub fn id(self) -> &'a str {
        match self {
            Self::Described(service) => service.id.as_str(),
            Self::Made(distribution) => distribution.id.as_str(),
        }
    }

    /// The service behind a distribution, if there is one: the one that it
    /// names, the one that answers at its address, else itself if its format
    /// is that of a service. Two formats of one service are one service.
    pub fn behind(dataset: &'a Dataset, one: &Distribution, lists: &Vocabularies) -> Option<Self> {
        let named = |service: &&DataService| one.service.as_ref() == Some(&service.id);
        if let Some(service) = dataset.services.iter().find(named) {
            return Some(Self::Described(service));
        }
        let wanted = speaks(one, lists)?;
        let same = |other: &&Distribution| {
            other.access_url == one.access_url && speaks(other, lists).is_some_and(|spec| spec == wanted)
        };
        let first = dataset.distributions.iter().find(same)?;
        // An id is a part of the service's IRI: it may stand for one alone.
        let answers =
            |service: &&DataService| service.endpoint_url == one.access_url || service.id == first.id;
        let described = dataset.services.iter().find(answers).map(Self::Described);
        Some(described.unwrap_or(Self::Made(first)))
    }

    /// All services of a dataset, each once, the described ones first.
    pub fn all(dataset: &'a Dataset, lists: &Vocabularies) -> Vec<Self> {
        let mut all: Vec<Self> = dataset.services.iter().map(Self::Described).collect();
        for one in &dataset.distributions {
            if let Some(service) = Self::behind(dataset, one, lists)
                && !all.contains(&service)
            {
                all.push(service);
            }
        }
        all
    }
}

/// What a distribution speaks (IRI of the specification, if that is said), if
/// its format is that of a service and it says where.
fn speaks<'a>(one: &Distribution, lists: &'a Vocabularies) -> Option<Option<&'a str>> {
    let concept: &Concept = lists.formats().find(one.format.as_ref()?.as_str())?;
    (concept.is(Mark::Service) && one.access_url.is_some()).then_some(concept.conforms_to.as_deref())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::RecordEdit;
    use super::super::testing::full_record;
    use super::*;

    fn ids(body: serde_json::Value) -> Vec<String> {
        let dataset = RecordEdit::parse(&body).unwrap().apply(&full_record()).unwrap().dataset;
        let shown = |service: Service<'_>| match service {
            Service::Described(service) => format!("described {}", service.id),
            Service::Made(distribution) => format!("made {}", distribution.id),
        };
        Service::all(&dataset, Vocabularies::builtin()).into_iter().map(shown).collect()
    }

    #[test]
    fn a_described_service_stands_for_the_distributions_at_its_address() {
        assert_eq!(ids(json!({})), ["described karten"]);
        let elsewhere =
            json!({"services": {"karten": {"endpoint_url": "https://dienste.soest.example/neu"}}});
        assert_eq!(ids(elsewhere), ["described karten", "made a-wfs"]);
        let named = json!({
            "services": {"karten": {"endpoint_url": "https://dienste.soest.example/neu"}},
            "distributions": {"a-wfs": {"service": "karten"}},
        });
        assert_eq!(ids(named), ["described karten"]);
    }

    #[test]
    fn an_id_stands_for_one_service_alone() {
        let service =
            json!({"services": [{"id": "a-wfs", "endpoint_url": "https://dienste.soest.example/x"}]});
        assert_eq!(ids(service), ["described a-wfs"]);
    }

    #[test]
    fn without_a_description_the_first_distribution_of_an_address_stands_for_it() {
        let body = json!({"services": [], "distributions": {
            "gml": {"access_url": "https://dienste.soest.example/baumkataster", "format": "WFS", "position": 2},
            "bild": {"access_url": "https://dienste.soest.example/baumkataster", "format": "WMS", "position": 3},
        }});
        assert_eq!(ids(body), ["made a-wfs", "made bild"]);
    }
}
