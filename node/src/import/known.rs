//! What the town has already, by the names that a foreign row may use for it.

use std::collections::HashMap;

use crdt::catalog::{Dataset, LocalRecord};
use crdt::ids::DatasetId;

use super::candidate::name_hash;
use crate::handle::{NodeHandle, ReadError};

/// The town's records by identifier. Holds hashes, not texts.
#[derive(Debug, Default)]
pub(super) struct Known {
    identifiers: HashMap<[u8; 16], DatasetId>,
}

impl Known {
    /// Everything that there is now.
    pub(super) fn of(handle: &NodeHandle) -> Result<Self, ReadError> {
        let mut known = Self::default();
        handle.each_own_record(|record| known.add(&record))?;
        Ok(known)
    }

    fn add(&mut self, record: &LocalRecord) {
        let dataset = &record.dataset;
        for name in names(dataset) {
            self.identifiers.insert(name_hash(&name), dataset.id);
        }
    }

    /// The record that is meant, if this one names one of ours.
    pub(super) fn named(&self, dataset: &Dataset) -> Option<DatasetId> {
        names(dataset).find_map(|name| self.identifiers.get(&name_hash(&name)).copied())
    }
}

/// What a dataset is called by programs.
fn names(dataset: &Dataset) -> impl Iterator<Item = String> {
    let identifier = dataset.identifier.as_ref().map(ToString::to_string);
    identifier.into_iter().chain(dataset.iri.as_ref().map(ToString::to_string))
}
