//! What the town has already, by the names that a foreign row may use for it.

use std::collections::{HashMap, HashSet};

use crdt::catalog::{Dataset, LocalRecord};
use crdt::ids::DatasetId;

use super::candidate::{Candidate, SourceName, name_hash};
use crate::handle::{LISTING_LIMIT_MAX, NodeHandle, ReadError, Scope};

/// Shortest name by which a record is known to be one of the federation's:
/// `1` or `baum` are names that two catalogs may give.
const NAME_BYTES_MIN: usize = 16;

/// What the federation's open datasets are called, but for those that a source
/// brought itself: the records that may come back by another road.
#[derive(Debug)]
pub(super) struct Federation(HashSet<[u8; 16]>);

impl Federation {
    /// As seen from a source.
    pub(super) fn of(handle: &NodeHandle, source: &SourceName) -> Result<Self, ReadError> {
        let mut from_here: HashSet<DatasetId> = HashSet::new();
        handle.each_of_source(source, |row| {
            from_here.insert(row.dataset);
        })?;
        let mut found = HashSet::new();
        let mut after = None;
        loop {
            let open = handle.open_datasets(Scope::Federation, after, LISTING_LIMIT_MAX)?;
            let Some(last) = open.last() else { return Ok(Self(found)) };
            after = Some(last.dataset.id);
            for dataset in
                open.iter().map(|listed| &listed.dataset).filter(|one| !from_here.contains(&one.id))
            {
                let called = names(dataset).chain(others(dataset)).chain([dataset.id.to_string()]);
                found.extend(called.filter(|name| name.len() >= NAME_BYTES_MIN).map(|name| name_hash(&name)));
            }
        }
    }

    /// Whether a candidate is one of them.
    pub(super) fn has(&self, candidate: &Candidate) -> bool {
        candidate.names.iter().chain([&candidate.key]).any(|name| self.0.contains(&name_hash(name)))
    }
}

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
        handle.each_alias(|alias| {
            known.identifiers.entry(name_hash(&alias.name)).or_insert(alias.dataset);
        })?;
        Ok(known)
    }

    fn add(&mut self, record: &LocalRecord) {
        let dataset = &record.dataset;
        // Further names may be another catalog's: short ones are no proof.
        let others = others(dataset).filter(|name| name.len() >= NAME_BYTES_MIN);
        for name in names(dataset).chain(others) {
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

/// Names under which it is or was known besides.
fn others(dataset: &Dataset) -> impl Iterator<Item = String> {
    dataset.other_identifiers.iter().map(ToString::to_string)
}
