//! Datasets of the last commits, handed from the writer to the indexer.
//!
//! While many records come at once, reading each back from the store would cost
//! about a third of indexing it. What is not here, or not of the commit that the
//! reader sees, is read from the store; nothing depends on what is here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crdt::catalog::Dataset;
use crdt::ids::DocumentId;

/// Datasets that wait here at most: some 6 MiB while many come, nothing else.
const WAITING_MAX: usize = 1_024;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct RecentDatasets {
    waiting: Mutex<BTreeMap<DocumentId, (u64, Box<Dataset>)>>,
}

impl RecentDatasets {
    /// Leaves a dataset as commit `position` made it, if there is room.
    pub(super) fn put(&self, document: DocumentId, position: u64, dataset: Box<Dataset>) {
        let mut waiting = self.waiting();
        if waiting.len() < WAITING_MAX || waiting.contains_key(&document) {
            waiting.insert(document, (position, dataset));
        }
    }

    /// Takes a dataset out; `None` if it is not here as commit `position` made it.
    pub(super) fn take(&self, document: &DocumentId, position: u64) -> Option<Box<Dataset>> {
        self.waiting().remove(document).filter(|(at, _)| *at == position).map(|(_, dataset)| dataset)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<DocumentId, (u64, Box<Dataset>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use crdt::ids::DatasetId;

    use super::*;

    #[test]
    fn a_dataset_is_given_once_and_only_as_the_asked_commit_made_it() {
        let recent = RecentDatasets::default();
        let (one, other) = (DocumentId([1; 32]), DocumentId([2; 32]));
        let dataset = Dataset::new(DatasetId(Default::default()));
        recent.put(one, 7, Box::new(dataset.clone()));
        recent.put(other, 7, Box::new(dataset.clone()));
        recent.put(other, 8, Box::new(dataset.clone()));
        assert_eq!(recent.take(&one, 7), Some(Box::new(dataset)));
        assert_eq!(recent.take(&one, 7), None);
        assert_eq!(recent.take(&other, 7), None, "it was changed since");
    }
}
