//! Records that seem to be the same, as pages and commands see them.

use std::collections::BTreeSet;

use crdt::catalog::{Class, Dataset, Title};
use crdt::ids::{DatasetId, Town};
use serde::Serialize;
use tokio::sync::oneshot;

use super::{NodeHandle, NotTaken, ReadError};
use crate::duplicates::level::{Level, record};
use crate::duplicates::score::{Comparison, HINT_SCORE, Reason};
use crate::ledger::Job;
use crate::store::{PairOfRecords, ReadStoreError};

/// Most hints of one page.
pub const HINTS_LIMIT_MAX: usize = 1_000;
/// Most records that one record is said to be like.
const NEAR_MAX: usize = 100;

/// Where the other record of a hint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HintScope {
    /// Both are of this town.
    Town,
    /// It is of another town of the federation.
    Federation,
}

/// Which hints are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintQuery {
    /// Those of one record.
    pub of: Option<DatasetId>,
    /// Inside the town, or across the federation; both if not given.
    pub scope: Option<HintScope>,
    /// From this score on, in hundredths.
    pub score: u8,
    /// Hints to skip.
    pub offset: usize,
    /// Hints to give, at most [`HINTS_LIMIT_MAX`].
    pub limit: usize,
}

impl Default for HintQuery {
    fn default() -> Self {
        Self { of: None, scope: None, score: HINT_SCORE, offset: 0, limit: 50 }
    }
}

/// One of two records that seem to be the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HintedRecord {
    /// The record.
    pub id: DatasetId,
    /// What it is called by programs.
    pub identifier: Option<String>,
    /// What it is called by people.
    pub title: Title,
    /// Whose it is.
    pub town: Town,
    /// Who may see it.
    pub class: Class,
}

/// Two records that seem to be the same, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DuplicateHint {
    /// How sure the reasons make, in hundredths.
    pub score: u8,
    /// Where the other record is.
    pub scope: HintScope,
    /// A record of this town.
    pub record: HintedRecord,
    /// The other record.
    pub other: HintedRecord,
    /// Why, the strongest reason first.
    pub reasons: Vec<Reason>,
}

/// Hints, the surest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HintPage {
    /// How many there are.
    pub total: usize,
    /// Whether there are more than are kept ([`crate::duplicates::index::PAIRS_MAX`]).
    pub truncated: bool,
    /// Records that were compared.
    pub records: usize,
    /// Those asked for.
    pub hints: Vec<DuplicateHint>,
}

/// Why a decision about a pair was not made.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// A record cannot be another one than itself.
    #[error("decide about a pair: both are the record `{0}`; name two records")]
    SameRecord(DatasetId),
    /// There is no such record.
    #[error("decide about a pair: there is no record `{0}`")]
    NotFound(DatasetId),
    /// None of the two is of this town.
    #[error("decide about a pair: neither `{0}` nor `{1}` is a record of this town")]
    NeitherOwn(DatasetId, DatasetId),
    /// The stores could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The writer has too much to do.
    #[error("decide about a pair: {waiting} jobs are waiting, no more are taken; try again in a moment")]
    Busy {
        /// Jobs in the queue.
        waiting: usize,
    },
    /// The node is shutting down.
    #[error("decide about a pair: the node is shutting down")]
    Stopped,
    /// Nothing was changed, because nothing could be written.
    #[error("decide about a pair: {0}")]
    Write(String),
}

impl NodeHandle {
    /// Records that seem to be the same, one of the two of this town, without
    /// the pairs that a person found to be different. For the town's own desk
    /// alone: closed records take part. Blocks; the first time for as long as it
    /// takes to read all records.
    pub fn duplicates(&self, query: &HintQuery) -> Result<HintPage, ReadError> {
        let different = self.shared.books.closed.read()?.different()?;
        let found = match query.of {
            None => self.all_pairs(query, &different)?,
            Some(id) => self.pairs_of(id, query, &different)?,
        };
        let (replica, closed) = (self.shared.books.replica.read()?, self.shared.books.closed.read()?);
        let mut hints = Vec::new();
        for (id, other, comparison) in found.asked {
            let read = |id| record(&self.shared.books, &replica, &closed, &id);
            // One that went meanwhile is no hint any more.
            let (Some(one), Some(other)) = (read(id)?, read(other)?) else { continue };
            let scope = if other.1 == one.1 { HintScope::Town } else { HintScope::Federation };
            let Comparison { score, reasons } = comparison;
            hints.push(DuplicateHint { score, scope, record: hinted(one), other: hinted(other), reasons });
        }
        Ok(HintPage { total: found.total, truncated: found.truncated, records: found.records, hints })
    }

    fn all_pairs(
        &self,
        query: &HintQuery,
        different: &BTreeSet<PairOfRecords>,
    ) -> Result<Found, ReadStoreError> {
        self.shared.duplicates.ask(&self.shared.books, |level| {
            let index = &level.index;
            let wanted = index.pairs().filter(|pair| {
                pair.comparison.score >= query.score
                    && query.scope.is_none_or(|scope| scope == scope_of(level, &pair.other))
                    && !different.contains(&PairOfRecords::new(pair.id, pair.other))
            });
            let mut found = Found::empty(level);
            for pair in wanted {
                found.take(query, (pair.id, pair.other, pair.comparison));
            }
            found
        })
    }

    fn pairs_of(
        &self,
        id: DatasetId,
        query: &HintQuery,
        different: &BTreeSet<PairOfRecords>,
    ) -> Result<Found, ReadStoreError> {
        let (replica, closed) = (self.shared.books.replica.read()?, self.shared.books.closed.read()?);
        let read = record(&self.shared.books, &replica, &closed, &id)?;
        self.shared.duplicates.ask(&self.shared.books, |level| {
            let mut found = Found::empty(level);
            let Some((dataset, town)) = read else { return found };
            let (features, keys) = level.reading.read(&dataset, town);
            for near in level.index.near(&id, &features, &keys, NEAR_MAX) {
                let known = different.contains(&PairOfRecords::new(id, near.id));
                let scoped = query.scope.is_none_or(|scope| scope == scope_of(level, &near.id));
                let ours = level.index.is_own(&id) || level.index.is_own(&near.id);
                if !known && scoped && ours && near.comparison.score >= query.score {
                    found.take(query, (id, near.id, near.comparison));
                }
            }
            found
        })
    }

    /// A person's word that two records are different (`true`), or that they may
    /// be the same after all. The pair is not shown any more, or again.
    pub async fn find_different(
        &self,
        id: DatasetId,
        other: DatasetId,
        different: bool,
    ) -> Result<(), DecideError> {
        let handle = self.clone();
        let checked = tokio::task::spawn_blocking(move || handle.check_pair(id, other)).await;
        checked.map_err(|_| DecideError::Stopped)??;
        let (reply, answer) = oneshot::channel();
        let job = Job::Different(PairOfRecords::new(id, other), different, reply);
        self.shared.ledger.submit(job).map_err(|error| match error {
            NotTaken::Busy(waiting) => DecideError::Busy { waiting },
            NotTaken::Stopped => DecideError::Stopped,
        })?;
        let written = answer.await.map_err(|_| DecideError::Stopped)?;
        written.map_err(|error| DecideError::Write(error.to_string()))
    }

    fn check_pair(&self, id: DatasetId, other: DatasetId) -> Result<(), DecideError> {
        if id == other {
            return Err(DecideError::SameRecord(id));
        }
        let read = |error: ReadStoreError| ReadError::from(error);
        let (replica, closed) =
            (self.shared.books.replica.read().map_err(read)?, self.shared.books.closed.read().map_err(read)?);
        let mut own = false;
        for id in [id, other] {
            let found = record(&self.shared.books, &replica, &closed, &id).map_err(read)?;
            let (_, town) = found.ok_or(DecideError::NotFound(id))?;
            own |= town == self.shared.books.town();
        }
        if own { Ok(()) } else { Err(DecideError::NeitherOwn(id, other)) }
    }

    /// What a record that comes in seems to be the same as, if anything: of all
    /// records that are durable now, or (not `anew`) that were when somebody
    /// asked last. Blocks.
    pub(crate) fn nearest(&self, dataset: &Dataset, anew: bool) -> Result<Option<DuplicateHint>, ReadError> {
        let (books, duplicates, town) = (&self.shared.books, &self.shared.duplicates, self.town().town);
        let question = |level: &mut Level| {
            let (features, keys) = level.reading.read(dataset, town);
            level.index.near(&dataset.id, &features, &keys, 1).pop()
        };
        let near =
            if anew { duplicates.ask(books, question) } else { duplicates.ask_again(books, question) }?;
        let Some(near) = near else { return Ok(None) };
        let (replica, closed) = (books.replica.read()?, books.closed.read()?);
        let Some(other) = record(books, &replica, &closed, &near.id)? else { return Ok(None) };
        let scope = if other.1 == town { HintScope::Town } else { HintScope::Federation };
        let Comparison { score, reasons } = near.comparison;
        let record = hinted((dataset.clone(), town));
        Ok(Some(DuplicateHint { score, scope, record, other: hinted(other), reasons }))
    }
}

/// Pairs found, and those of the page asked for.
struct Found {
    total: usize,
    truncated: bool,
    records: usize,
    asked: Vec<(DatasetId, DatasetId, Comparison)>,
}

impl Found {
    fn empty(level: &Level) -> Self {
        let (truncated, records) = (level.index.is_truncated(), level.index.len());
        Self { total: 0, truncated, records, asked: Vec::new() }
    }

    fn take(&mut self, query: &HintQuery, pair: (DatasetId, DatasetId, Comparison)) {
        if self.total >= query.offset && self.asked.len() < query.limit.min(HINTS_LIMIT_MAX) {
            self.asked.push(pair);
        }
        self.total += 1;
    }
}

fn scope_of(level: &Level, other: &DatasetId) -> HintScope {
    if level.index.is_own(other) { HintScope::Town } else { HintScope::Federation }
}

fn hinted((dataset, town): (Dataset, Town)) -> HintedRecord {
    HintedRecord {
        id: dataset.id,
        identifier: dataset.identifier.map(|identifier| identifier.to_string()),
        title: dataset.title,
        town,
        class: dataset.class,
    }
}
