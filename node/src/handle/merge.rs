//! One record for two, and whose word counts for a record of several sources.

use std::collections::{BTreeMap, BTreeSet};

use crdt::catalog::{Class, Dataset};
use crdt::ids::DatasetId;
use serde::Serialize;
use tokio::sync::oneshot;

use super::listing::Extra;
use super::read::Found;
use super::{EditError, NodeHandle, NotTaken, ReadError};
use crate::ledger::{Job, MergeJob, own_document};
use crate::store::{Leading, PairOfRecords, ReplicaSnapshot};
use crate::view::{Reader, Receipt};

/// Records that were given up one for the other are followed so far.
const HOPS_MAX: usize = 16;

/// What a person decides about two records that are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequest {
    /// The record that is kept.
    pub keep: DatasetId,
    /// The one that is given up for it.
    pub give_up: DatasetId,
    /// Fields that the one lacks and takes over from the other; `internal/`
    /// before those of the town's own notes.
    pub take_over: BTreeSet<String>,
}

/// What became of the record that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenUp {
    /// It was closed, and is thrown away.
    Deleted,
    /// It was published, and leads to the record that was kept.
    Replaced,
}

/// One record where there were two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The record that was kept.
    pub receipt: Receipt,
    /// The one that was given up.
    pub given_up: DatasetId,
    /// What became of it.
    pub left: GivenUp,
}

/// Why two records were not merged. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A record cannot be given up for itself.
    #[error("merge records: both are the record `{0}`; name two records")]
    SameRecord(DatasetId),
    /// There is no such record.
    #[error("merge records: there is no record `{0}`")]
    NotFound(DatasetId),
    /// A published record cannot be given up for a closed one.
    #[error(
        "merge records: `{give_up}` is published and `{keep}` is not; keep the published one, or publish the other first"
    )]
    Published {
        /// The record to be kept.
        keep: DatasetId,
        /// The one to be given up.
        give_up: DatasetId,
    },
    /// A field that the kept record has, or the other one has not.
    #[error(
        "merge records: `{field}` cannot be taken over; the kept record lacks and the other has: {}",
        list(lacking)
    )]
    NotLacking {
        /// The field.
        field: String,
        /// What could be taken over.
        lacking: BTreeSet<String>,
    },
    /// One of the two cannot be changed.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// Nothing was changed, because nothing could be written.
    #[error("merge records: {0}")]
    Write(String),
}

fn list(fields: &BTreeSet<String>) -> String {
    if fields.is_empty() {
        "nothing".to_owned()
    } else {
        fields.iter().cloned().collect::<Vec<_>>().join(", ")
    }
}

/// Where a record of this town comes from, and whose word counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lead {
    /// Names of its sources.
    pub sources: Vec<String>,
    /// Whose word counts, if a person has said so.
    pub leading: Option<Leading>,
}

/// What people of a town decided about records that are the same or seem to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Decisions {
    /// Names of records that were given up, and the record that was kept.
    pub(crate) aliases: BTreeMap<String, DatasetId>,
    /// Whose word counts for a record of several sources.
    pub(crate) leading: BTreeMap<DatasetId, Leading>,
    /// Pairs that are different.
    pub(crate) different: BTreeSet<PairOfRecords>,
}

/// Why no source was made the leading one.
#[derive(Debug, thiserror::Error)]
pub enum LeadError {
    /// There is no such record of this town.
    #[error("name a leading source: there is no record `{0}` of this town")]
    NotFound(DatasetId),
    /// The record does not come from there.
    #[error(
        "name a leading source: the record does not come from `{source_name}`; it comes from: {}",
        list(sources)
    )]
    NoSource {
        /// What was named.
        source_name: String,
        /// Its sources.
        sources: BTreeSet<String>,
    },
    /// The stores could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The writer has too much to do, or ends.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl NodeHandle {
    /// Keeps one of two records of this town and gives the other up: its names
    /// lead to the kept one from now on.
    pub async fn merge(&self, request: MergeRequest) -> Result<Merged, MergeError> {
        let MergeRequest { keep, give_up, take_over } = request;
        let job = MergeJob { keep, give_up, take_over, author: self.author() };
        let (reply, answer) = oneshot::channel();
        self.shared.ledger.submit(Job::Merge(Box::new(job), reply)).map_err(not_taken)?;
        answer.await.unwrap_or(Err(EditError::Stopped.into()))
    }

    /// Where a record of this town comes from, also by what was given up for it;
    /// `None` if there is none. Blocks.
    pub fn lead_of(&self, id: DatasetId) -> Result<Option<Lead>, ReadError> {
        if !self.has_own_record(id)? {
            return Ok(None);
        }
        let closed = self.shared.books.closed.read()?;
        let mut ids = vec![id];
        closed.each_alias(|alias| ids.extend(alias.name.parse::<DatasetId>().ok()))?;
        let mut sources = BTreeSet::new();
        for one in ids {
            if one == id || closed.kept(one)? == id {
                sources.extend(closed.origins_of(&one)?.into_iter().map(|row| row.source));
            }
        }
        let leading = closed.leading(&id)?;
        Ok(Some(Lead { sources: sources.into_iter().collect(), leading }))
    }

    /// Says whose word counts for a record of this town; `None`: everybody's, as
    /// before.
    pub async fn lead(&self, id: DatasetId, leading: Option<Leading>) -> Result<(), LeadError> {
        let handle = self.clone();
        let lead = tokio::task::spawn_blocking(move || handle.lead_of(id)).await;
        let lead = lead.map_err(|_| EditError::Stopped)??.ok_or(LeadError::NotFound(id))?;
        if let Some(Leading::Source(name)) = &leading
            && !lead.sources.contains(name)
        {
            let sources = lead.sources.into_iter().collect();
            return Err(LeadError::NoSource { source_name: name.clone(), sources });
        }
        let (reply, answer) = oneshot::channel();
        self.shared.ledger.submit(Job::Lead(id, leading, reply)).map_err(super::edit_not_taken)?;
        let written = answer.await.map_err(|_| EditError::Stopped)?;
        written.map_err(|error| EditError::Write(error.to_string()).into())
    }

    /// Open records of this town that were given up for others, in the order of
    /// their ids, after `after`, at most `limit`. Empty at the end. Blocks.
    pub(crate) fn given_up(
        &self,
        after: Option<DatasetId>,
        limit: usize,
    ) -> Result<Vec<(Dataset, Extra)>, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let town = self.shared.books.town();
        let mut found = Vec::new();
        let mut after = after;
        while found.len() < limit {
            let ids = snapshot.datasets_after(after, limit)?;
            let Some(last) = ids.last().copied() else { break };
            for id in ids {
                let Some(document) = own_document(&snapshot, &id, &town)? else { continue };
                if snapshot.document(&document)?.is_none_or(|row| !row.replaced) {
                    continue;
                }
                let Some(view) = snapshot.view(&document)? else { continue };
                let extra = view.extra.clone();
                found.extend(view.into_dataset().map(|dataset| (dataset, extra)));
            }
            after = Some(last);
        }
        Ok(found)
    }

    /// The ids of records that were given up, each with that of the record that
    /// stands for it by now. Blocks.
    pub(crate) fn given_up_ids(&self) -> Result<BTreeMap<DatasetId, DatasetId>, ReadError> {
        let closed = self.shared.books.closed.read()?;
        let mut ids = Vec::new();
        closed.each_alias(|alias| ids.extend(alias.name.parse::<DatasetId>().ok()))?;
        ids.into_iter().map(|id| Ok((id, closed.kept(id)?))).collect()
    }

    /// What people of this town decided about records that are the same or seem
    /// to be. Blocks.
    pub(crate) fn decisions(&self) -> Result<Decisions, ReadError> {
        let closed = self.shared.books.closed.read()?;
        let mut decisions = Decisions { different: closed.different()?, ..Decisions::default() };
        closed.each_alias(|alias| {
            decisions.aliases.insert(alias.name, alias.dataset);
        })?;
        closed.each_leading(|id, leading| {
            decisions.leading.insert(id, leading);
        })?;
        Ok(decisions)
    }

    /// The record that a reader finds under an id that was given up for it.
    pub(super) fn kept(
        &self,
        snapshot: &ReplicaSnapshot,
        reader: Reader,
        id: DatasetId,
    ) -> Result<Option<Found>, ReadError> {
        let mut at = id;
        for _ in 0..HOPS_MAX {
            let closed = match reader.may_see(Class::Closed) {
                true => self.shared.books.closed.read()?.alias(&at.to_string())?,
                false => None,
            };
            let Some(next) = closed.map_or_else(|| replacement(snapshot, at), |next| Ok(Some(next)))? else {
                return Ok(None);
            };
            if let Some(found) = self.find(snapshot, reader, next)? {
                return Ok(Some(found));
            }
            at = next;
        }
        Ok(None)
    }
}

/// What an open record that was given up says it was replaced by.
fn replacement(snapshot: &ReplicaSnapshot, id: DatasetId) -> Result<Option<DatasetId>, ReadError> {
    for document in snapshot.documents_of(&id)? {
        let Some(row) = snapshot.document(&document)?.filter(|row| row.replaced && !row.holding.is_erased())
        else {
            continue;
        };
        let next = snapshot.view(&document)?.and_then(|view| view.dataset()?.replaced_by);
        // A town speaks for its own records only.
        for kept in next.map(|next| snapshot.documents_of(&next)).transpose()?.unwrap_or_default() {
            if snapshot.document(&kept)?.is_some_and(|kept| kept.genesis.owner == row.genesis.owner) {
                return Ok(next);
            }
        }
    }
    Ok(None)
}

fn not_taken(error: NotTaken) -> MergeError {
    super::edit_not_taken(error).into()
}
