//! Which sources are being asked in this process, how far each is, and how one
//! is stopped.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crdt::catalog::Bilingual;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::run::{HarvestError, Run};
use super::source::Source;
use super::walk::WalkProgress;
use crate::handle::NodeHandle;

/// Sources that are asked at the same time.
const SOURCES_AT_ONCE: usize = 4;

/// Which sources are being asked in this process, and how far they are.
#[derive(Debug)]
pub struct Harvests {
    live: Mutex<BTreeMap<String, Live>>,
    /// So many are asked at once; the others wait for their turn.
    turns: Semaphore,
}

#[derive(Debug, Default)]
struct Live {
    progress: WalkProgress,
    stop: CancellationToken,
}

impl Default for Harvests {
    fn default() -> Self {
        Self { live: Mutex::default(), turns: Semaphore::new(SOURCES_AT_ONCE) }
    }
}

impl Harvests {
    fn live(&self) -> MutexGuard<'_, BTreeMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn step(&self, name: &str, progress: WalkProgress) {
        if let Some(live) = self.live().get_mut(name) {
            live.progress = progress;
        }
    }

    /// Stops asking a source; whether it was being asked.
    pub(super) fn stop(&self, name: &str) -> bool {
        self.live().get(name).map(|live| live.stop.cancel()).is_some()
    }

    /// How far the source is, if it is being asked.
    pub fn progress(&self, name: &str) -> Option<WalkProgress> {
        self.live().get(name).map(|live| live.progress)
    }

    /// The sources that are being asked, and how far each is.
    pub fn running(&self) -> BTreeMap<String, WalkProgress> {
        self.live().iter().map(|(name, live)| (name.clone(), live.progress)).collect()
    }
}

/// A source that is being asked, until this is dropped.
pub(super) struct Begun {
    handle: NodeHandle,
    pub(super) name: String,
    stop: CancellationToken,
}

impl Begun {
    pub(super) fn new(handle: &NodeHandle, name: &str) -> Result<Self, HarvestError> {
        let mut live = handle.harvests().live();
        if live.contains_key(name) {
            return Err(HarvestError::Running(name.to_owned()));
        }
        let stop = live.entry(name.to_owned()).or_default().stop.clone();
        drop(live);
        Ok(Self { handle: handle.clone(), name: name.to_owned(), stop })
    }

    /// Asks the source when it is its turn, and notes how that ended.
    pub(super) async fn run(self) -> Result<Source, HarvestError> {
        let done = self.ask().await;
        if let Err(error) = &done
            && let Ok(source) = self.handle.source(&self.name)
        {
            let broken = Bilingual::made(
                format!("der Lauf ist abgebrochen: {error}"),
                format!("the run broke off: {error}"),
            );
            Run::new(&self.handle, source, self.stop.clone()).failed(self.handle.now(), broken, None).await?;
        }
        done
    }

    async fn ask(&self) -> Result<Source, HarvestError> {
        let turns = &self.handle.harvests().turns;
        let _turn = tokio::select! {
            turn = turns.acquire() => turn.map_err(|_| HarvestError::BrokenOff)?,
            () = self.stop.cancelled() => return self.handle.source(&self.name),
        };
        Run::begin(&self.handle, self.handle.source(&self.name)?, self.stop.clone()).await
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.handle.harvests().live().remove(&self.name);
    }
}
