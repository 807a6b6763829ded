//! An epoch that consists of one change, let in without building its document.
//!
//! A newcomer fetches mostly documents that were published and never edited.
//! Their only change passes every rule of the gate but the last, staging, which
//! exists because Automerge accepts some changes whose document it cannot load
//! again. A change of maps and values alone, which overwrites nothing, is none
//! of these: a property test saves, loads and edits what such changes make. What
//! takes more than to be read goes the long way, [`SealedDocument::admit`].

use super::{Draft, SealedDocument};
use crate::document::DatasetContent;
use crate::epoch::EpochRecord;
use crate::genesis::{DocumentKind, Genesis};
use crate::ids::ChangeHash;
use crate::inventory::Holding;
use crate::seal::{AdmittedChange, VerifiedChange};
use crate::signed::Signed;

/// The only change of a dataset document's epoch, admitted.
#[derive(Debug, Clone)]
pub struct OnlyChange {
    /// What is held with it.
    pub holding: Holding,
    /// The change.
    pub change: AdmittedChange,
    /// What the document says.
    pub content: DatasetContent,
}

impl OnlyChange {
    /// Lets the change in, if it is the first of its epoch and so plain that
    /// nothing has to be staged. `None` says nothing against it.
    pub fn admit(
        genesis: &Genesis,
        record: Option<&Signed<EpochRecord>>,
        VerifiedChange(change): &VerifiedChange,
    ) -> Option<Self> {
        if genesis.kind != DocumentKind::Dataset {
            return None;
        }
        let document = SealedDocument::begin(*genesis, record.cloned());
        let mut draft = Draft::of(&document);
        let (operations, _) = draft.prepare(&document, change).ok()??;
        let content = DatasetContent::of_only_change(&operations, &change.seal.actor)?;
        let holding = Holding::live(document.epoch(), draft.frontier);
        Some(Self { holding, change: AdmittedChange(change.clone()), content })
    }

    /// The newest change: itself.
    pub fn heads(&self) -> Vec<ChangeHash> {
        vec![self.change.sealed().seal.change]
    }
}
