//! Keeps the index level with the stores: whoever asks brings it up first.
//!
//! Nothing is held and nothing runs before somebody asks for the first time.
//! Then all records are read once; later, what the stores' logs say has
//! changed since.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crdt::catalog::Dataset;
use crdt::ids::{DatasetId, Town};

use super::features::Reading;
use super::index::Index;
use crate::handle::find_sealed;
use crate::ledger::Books;
use crate::store::{ClosedSnapshot, ReadStoreError, ReplicaSnapshot};
use crate::view::Reader;

/// The index of a node, once somebody has asked.
#[derive(Debug, Default)]
pub(crate) struct Duplicates {
    level: Mutex<Option<Level>>,
}

/// As of when a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freshness {
    /// Now.
    Level,
    /// The last question, if there was one.
    Last,
}

/// The index and how far it has read.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) index: Index,
    pub(crate) reading: Reading,
    towns: Vec<String>,
    /// The last commits read, of the replica and of the closed store.
    reached: [u64; 2],
}

impl Duplicates {
    /// Asks the index of everything that is durable now. Blocks, the first time
    /// for as long as it takes to read all records.
    pub(crate) fn ask<T>(
        &self,
        books: &Books,
        question: impl FnOnce(&mut Level) -> T,
    ) -> Result<T, ReadStoreError> {
        self.ask_at(books, Freshness::Level, question)
    }

    /// The same of what was durable when somebody asked last: for many questions
    /// while records come in.
    pub(crate) fn ask_again<T>(
        &self,
        books: &Books,
        question: impl FnOnce(&mut Level) -> T,
    ) -> Result<T, ReadStoreError> {
        self.ask_at(books, Freshness::Last, question)
    }

    fn ask_at<T>(
        &self,
        books: &Books,
        freshness: Freshness,
        question: impl FnOnce(&mut Level) -> T,
    ) -> Result<T, ReadStoreError> {
        let mut held = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        if freshness == Freshness::Last
            && let Some(level) = held.as_mut()
        {
            return Ok(question(level));
        }
        let (replica, closed) = (books.replica.read()?, books.closed.read()?);
        let now = [replica.position()?, closed.position()?];
        let towns = town_names(books);
        // Names of towns are no words of a title; another charter may name others.
        let fits =
            |level: &Level| level.towns == towns && level.reached.iter().zip(now).all(|(at, now)| *at <= now);
        let mut level = held.take().filter(fits).unwrap_or_else(|| Level::new(towns));
        // A failure leaves none behind: the next to ask begins anew.
        level.follow(books, &replica, &closed, now)?;
        let answer = question(&mut level);
        *held = Some(level);
        Ok(answer)
    }
}

fn town_names(books: &Books) -> Vec<String> {
    let authority = books.authority();
    let members = authority.iter().flat_map(|authority| &authority.charter().members);
    members.map(|member| member.name.clone()).chain([books.info.name.clone()]).collect()
}

impl Level {
    fn new(towns: Vec<String>) -> Self {
        let reading = Reading::new(towns.iter().map(String::as_str));
        Self { index: Index::default(), reading, towns, reached: [0, 0] }
    }

    fn follow(
        &mut self,
        books: &Books,
        replica: &ReplicaSnapshot,
        closed: &ClosedSnapshot,
        now: [u64; 2],
    ) -> Result<(), ReadStoreError> {
        if self.reached == now {
            return Ok(());
        }
        let mut changed = BTreeSet::new();
        for (_, document) in replica.changed_after(self.reached[0], usize::MAX)? {
            changed.extend(replica.document(&document)?.and_then(|row| row.dataset));
        }
        changed.extend(closed.changed_after(self.reached[1], usize::MAX)?.into_iter().map(|(_, id)| id));
        for id in changed {
            match record(books, replica, closed, &id)? {
                Some((dataset, town)) => {
                    let (features, keys) = self.reading.read(&dataset, town);
                    self.index.put(id, town == books.town(), features, &keys);
                }
                None => self.index.remove(&id),
            }
        }
        self.index.settle();
        self.reached = now;
        Ok(())
    }
}

/// What the town's own desk sees under an id, and whose it is.
pub(crate) fn record(
    books: &Books,
    replica: &ReplicaSnapshot,
    closed: &ClosedSnapshot,
    id: &DatasetId,
) -> Result<Option<(Dataset, Town)>, ReadStoreError> {
    let own = books.town();
    let sealed = find_sealed(replica, own, Reader::Staff, *id)?;
    if sealed.as_ref().is_none_or(|(_, row, _)| row.genesis.owner != own)
        && let Some(record) = closed.record(id)?
    {
        return Ok(Some((record.dataset, own)));
    }
    Ok(sealed.and_then(|(_, row, view)| Some((view.into_dataset()?, row.genesis.owner))))
}
