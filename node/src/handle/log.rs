//! Reads the log of open datasets in pieces of any size, from any moment, in
//! both directions: what the feeds and protocols for harvesters are made of.
//!
//! The log holds each document once, under the commit that changed it last. A
//! follower that remembers its [`Place`] misses nothing that comes later, also
//! a change that another town made long ago and that only now arrived here: it
//! is at its place among this node's commits, not at its author's time. Never
//! tells anything of what is not open, but that it is gone.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crdt::genesis::{DocumentKind, GenesisClass};
use crdt::ids::{DatasetId, DocumentId, UnixMillis};

use super::listing::{LISTING_LIMIT_MAX, LogEntry, Scope};
use super::{NodeHandle, ReadError};
use crate::store::{DocumentRow, ReplicaSnapshot};

/// Ids that a walk looks up together at least, however few it still needs.
const IDS_AT_ONCE: usize = 64;

/// An entry's place in the log: by commit, within one commit by dataset id.
///
/// Written `{milliseconds}-{commit}-{dataset id}`. The time is part of it
/// because numbers of commits come again when a node is restored from an older
/// backup; a place from before then means what was committed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// When the commit was made.
    pub at: UnixMillis,
    /// The commit.
    pub position: u64,
    /// The dataset.
    pub id: DatasetId,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.at.0, self.position, self.id)
    }
}

/// Why a text is no place in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place in the log: give one as the node wrote it")]
pub struct InvalidPlace(String);

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let parse = || {
            let (at, rest) = text.split_once('-')?;
            let (position, id) = rest.split_once('-')?;
            let at = at.parse().ok().filter(|at| *at >= 0).map(UnixMillis)?;
            let place = Self { at, position: position.parse().ok()?, id: id.parse().ok()? };
            // One spelling each: addresses are compared and cached as text.
            (place.to_string() == text).then_some(place)
        };
        parse().ok_or_else(|| InvalidPlace(text.chars().take(80).collect()))
    }
}

impl LogEntry {
    /// Where it stands.
    pub fn place(&self) -> Place {
        Place { at: self.at, position: self.position, id: self.id }
    }
}

/// Where a reading of the log begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStart {
    /// With the oldest entry.
    Beginning,
    /// With the first commit at this moment or later.
    At(UnixMillis),
    /// With the entry after this one.
    After(Place),
}

/// A piece of the log that has exactly the asked size, unless there is no more.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSlice {
    /// Entries in the order of reading.
    pub entries: Vec<LogEntry>,
    /// Whether there is more in this direction.
    pub more: bool,
}

impl LogSlice {
    /// Of one entry more than asked for, the last says that there is more.
    fn cut(mut entries: Vec<LogEntry>, limit: usize) -> Self {
        let more = entries.len() > limit;
        entries.truncate(limit);
        Self { entries, more }
    }
}

impl NodeHandle {
    /// Entries from `start` on, oldest first, of commits before `end`, as far
    /// as `keep` wants them; at most `limit` (and [`LISTING_LIMIT_MAX`]). Blocks.
    pub fn log_from(
        &self,
        scope: Scope,
        start: LogStart,
        end: Option<UnixMillis>,
        limit: usize,
        keep: impl Fn(&LogEntry) -> bool,
    ) -> Result<LogSlice, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let limit = limit.min(LISTING_LIMIT_MAX);
        let (mut position, told) = begin(&snapshot, start)?;
        let mut entries = Vec::with_capacity(limit + 1);
        while entries.len() <= limit {
            let Some(commit) = snapshot.commit_after(position)? else { break };
            let at = snapshot.committed_at(commit)?.unwrap_or(UnixMillis(0));
            if end.is_some_and(|end| at >= end) {
                break;
            }
            for (id, document) in open_documents(&snapshot, scope, commit)? {
                let is_told = told.is_some_and(|told| told.position == commit && id <= told.id);
                if !is_told && entries.len() <= limit {
                    entries.extend(self.log_entry(&snapshot, scope, commit, &document)?.filter(&keep));
                }
            }
            position = commit;
        }
        Ok(LogSlice::cut(entries, limit))
    }

    /// Entries before a place, or the last ones, newest first; at most `limit`
    /// (and [`LISTING_LIMIT_MAX`]). Blocks.
    pub fn log_newest(
        &self,
        scope: Scope,
        before: Option<Place>,
        limit: usize,
    ) -> Result<LogSlice, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let limit = limit.min(LISTING_LIMIT_MAX);
        let (mut position, told) = match before {
            Some(place) if is_of_this_log(&snapshot, place)? => {
                (place.position.saturating_add(1), Some(place))
            }
            Some(place) => (snapshot.last_commit_before(place.at)?.saturating_add(1), None),
            None => (u64::MAX, None),
        };
        let mut entries = Vec::with_capacity(limit + 1);
        while entries.len() <= limit {
            let Some(commit) = snapshot.commit_before(position)? else { break };
            for (id, document) in open_documents(&snapshot, scope, commit)?.into_iter().rev() {
                let is_told = told.is_some_and(|told| told.position == commit && id >= told.id);
                if !is_told && entries.len() <= limit {
                    entries.extend(self.log_entry(&snapshot, scope, commit, &document)?);
                }
            }
            position = commit;
        }
        Ok(LogSlice::cut(entries, limit))
    }

    /// Every dataset that is open or was, as it is now, by id: at most `limit`
    /// (and [`LISTING_LIMIT_MAX`]) after `after`. Blocks.
    pub fn log_by_id(
        &self,
        scope: Scope,
        after: Option<DatasetId>,
        limit: usize,
        keep: impl Fn(&LogEntry) -> bool,
    ) -> Result<LogSlice, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let limit = limit.min(LISTING_LIMIT_MAX);
        let mut entries = Vec::with_capacity(limit + 1);
        let mut after = after;
        while entries.len() <= limit {
            let ids = snapshot.datasets_after(after, (limit + 1 - entries.len()).max(IDS_AT_ONCE))?;
            let Some(last) = ids.last().copied() else { break };
            for id in ids {
                entries.extend(self.newest_entry(&snapshot, scope, id)?.filter(&keep));
            }
            after = Some(last);
        }
        Ok(LogSlice::cut(entries, limit))
    }

    /// What the log says last of one dataset; `None` if it was never open. Blocks.
    pub fn log_of(&self, id: DatasetId) -> Result<Option<LogEntry>, ReadError> {
        self.newest_entry(&self.shared.books.replica.read()?, Scope::Federation, id)
    }

    /// When the oldest entry of the log was committed. Blocks shortly.
    pub fn log_begin(&self) -> Result<Option<UnixMillis>, ReadError> {
        let slice = self.log_from(Scope::Federation, LogStart::Beginning, None, 1, |_| true)?;
        Ok(slice.entries.first().map(|entry| entry.at))
    }

    /// How many datasets are open or were, of those that changed last at `from`
    /// or later and before `end`. Blocks.
    pub fn log_count(
        &self,
        scope: Scope,
        from: Option<UnixMillis>,
        end: Option<UnixMillis>,
    ) -> Result<u64, ReadError> {
        let snapshot = self.shared.books.replica.read()?;
        let before = from.map_or(Ok(0), |from| snapshot.last_commit_before(from))?;
        let last = end.map_or(Ok(u64::MAX), |end| snapshot.last_commit_before(end))?;
        let mut ids = BTreeSet::new();
        snapshot.each_document(|_, row| {
            let counts = is_open(&row, scope) && row.position > before && row.position <= last;
            ids.extend(row.dataset.filter(|_| counts));
        })?;
        Ok(ids.len() as u64)
    }

    fn newest_entry(
        &self,
        snapshot: &ReplicaSnapshot,
        scope: Scope,
        id: DatasetId,
    ) -> Result<Option<LogEntry>, ReadError> {
        let mut newest: Option<LogEntry> = None;
        for document in snapshot.documents_of(&id)? {
            let Some(row) = snapshot.document(&document)? else { continue };
            let entry = self.log_entry(snapshot, scope, row.position, &document)?;
            newest = newest.into_iter().chain(entry).max_by_key(|entry| entry.position);
        }
        Ok(newest)
    }
}

/// After which commit to begin, and up to where that one's successor was told.
fn begin(snapshot: &ReplicaSnapshot, start: LogStart) -> Result<(u64, Option<Place>), ReadError> {
    Ok(match start {
        LogStart::Beginning => (0, None),
        LogStart::At(at) => (snapshot.last_commit_before(at)?, None),
        LogStart::After(place) if is_of_this_log(snapshot, place)? => {
            (place.position.saturating_sub(1), Some(place))
        }
        LogStart::After(place) => {
            (snapshot.last_commit_before(UnixMillis(place.at.0.saturating_add(1)))?, None)
        }
    })
}

/// Whether the commit is still the one that the place was read from.
fn is_of_this_log(snapshot: &ReplicaSnapshot, place: Place) -> Result<bool, ReadError> {
    let at = snapshot.committed_at(place.position)?;
    let begun = snapshot.position()? >= place.position;
    Ok(begun && at.unwrap_or(UnixMillis(0)) == place.at)
}

/// The documents of one commit that may be told of, by dataset id.
fn open_documents(
    snapshot: &ReplicaSnapshot,
    scope: Scope,
    commit: u64,
) -> Result<Vec<(DatasetId, DocumentId)>, ReadError> {
    let mut found = Vec::new();
    for document in snapshot.changed_at(commit)? {
        let row = snapshot.document(&document)?.filter(|row| is_open(row, scope));
        found.extend(row.and_then(|row| row.dataset).map(|id| (id, document)));
    }
    found.sort_unstable();
    Ok(found)
}

/// Whether a document is of an open dataset, or was.
pub(super) fn is_open(row: &DocumentRow, scope: Scope) -> bool {
    let genesis = &row.genesis;
    genesis.kind == DocumentKind::Dataset && genesis.class == GenesisClass::Open && scope.holds(genesis.owner)
}
