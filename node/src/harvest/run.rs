//! A source's run from the first page to what is durable: walked, taken over
//! through [`crate::import`], what is gone followed, everything noted.
//!
//! # Invariants
//!
//! - Nothing is deleted after a walk that did not come to its end and add up,
//!   or of which more is missing than a person has allowed.
//! - A record that the town has changed or published is never deleted here.
//! - Records of this federation that come back by another road are not taken.
//! - What is known of a source is durable before and after each run.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crdt::catalog::{Bilingual, InvalidField, LocalRecord, Merge};
use crdt::foreign::ForeignRecord;
use crdt::ids::UnixMillis;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::fetch::Fetcher;
use super::live::Begun;
use super::source::{
    Counts, Kind, MASS_DELETION_PERCENT, QUARANTINE_MAX, Quarantined, SOURCES_MAX, Source, SourceSpec,
    is_mass_deletion,
};
use super::walk::{Walk, WalkEnd, walk};
use crate::handle::{EditError, NodeHandle, ReadError};
use crate::import::{
    self, Candidate, ImportError, ImportOptions, Line, Place, Progress, Remark, RemarkKind, Report,
    SourceName, Spool, SpoolWriter,
};
use crate::store::{SourceRow, TaskRow, WriteError};
use crate::view::Phase;

/// How often the schedule is looked at.
const LOOK: Duration = Duration::from_secs(15);
/// A source that is asked only for what is new is walked through this often.
const WHOLE_EVERY_MS: i64 = 24 * 3600 * 1000;

/// Why a source could not be asked, kept or changed.
#[derive(Debug, thiserror::Error)]
pub enum HarvestError {
    /// A field of the source.
    #[error("{0}")]
    Invalid(InvalidField),
    /// There is no source of that name.
    #[error("there is no source `{0}`; `hanse source list` shows them")]
    Unknown(String),
    /// There is one already.
    #[error("there is a source `{0}` already; remove it first, or choose another name")]
    Exists(String),
    /// There are too many.
    #[error("there are {SOURCES_MAX} sources already; remove one first")]
    Full,
    /// It is being asked.
    #[error("the source `{0}` is being asked; wait until it is done, or stop it with `hanse source stop`")]
    Running(String),
    /// It is not being asked.
    #[error("the source `{0}` is not being asked")]
    NotRunning(String),
    /// There is nothing to confirm.
    #[error("of the source `{0}` no deletions wait")]
    NothingAwaits(String),
    /// The stores could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// They could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A record could not be deleted.
    #[error(transparent)]
    Delete(#[from] EditError),
    /// The records could not be taken in.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// What was read could not be kept meanwhile.
    #[error("keep what was read in a temporary file: {0}")]
    Spool(#[from] std::io::Error),
    /// The node ends.
    #[error("the run broke off")]
    BrokenOff,
}

impl NodeHandle {
    /// All sources by name. Blocks.
    pub fn sources(&self) -> Result<Vec<Source>, ReadError> {
        self.stored_sources()
    }

    /// One source. Blocks.
    pub fn source(&self, name: &str) -> Result<Source, HarvestError> {
        let found = self.stored_sources()?.into_iter().find(|source| source.spec.name == name);
        found.ok_or_else(|| HarvestError::Unknown(name.to_owned()))
    }

    /// Adds a source. Nothing is asked yet; on a schedule it is its turn next.
    pub async fn add_source(&self, spec: SourceSpec) -> Result<Source, HarvestError> {
        let sources = self.stored_sources()?;
        if sources.iter().any(|source| source.spec.name == spec.name) {
            return Err(HarvestError::Exists(spec.name));
        }
        if sources.len() >= SOURCES_MAX {
            return Err(HarvestError::Full);
        }
        if self.is_own_address(&spec) {
            return Err(HarvestError::Invalid(own_address(&spec)));
        }
        let source = Source::new(spec, self.now());
        self.keep_source(&source).await?;
        Ok(source)
    }

    /// Forgets a source. The records that came from it stay, as the town's own.
    pub async fn remove_source(&self, name: &str) -> Result<(), HarvestError> {
        self.source(name)?;
        if self.harvests().progress(name).is_some() {
            return Err(HarvestError::Running(name.to_owned()));
        }
        self.forget_source(name).await?;
        Ok(())
    }

    /// A person's word that the records that are missing may be deleted, once
    /// the next walk finds no more of them missing.
    pub async fn confirm_source(&self, name: &str) -> Result<Source, HarvestError> {
        let mut source = self.source(name)?;
        if source.awaiting == 0 {
            return Err(HarvestError::NothingAwaits(name.to_owned()));
        }
        source.confirmed = source.awaiting;
        source.validators = Default::default();
        self.keep_source(&source).await?;
        Ok(source)
    }

    /// Asks a source now; returns what is known of it afterwards.
    pub async fn run_source(&self, name: &str) -> Result<Source, HarvestError> {
        self.source(name)?;
        Begun::new(self, name)?.run().await
    }

    /// Asks a source now, behind the caller's back; [`Harvests::progress`](super::live::Harvests::progress)
    /// tells how far it is.
    pub fn begin_source(&self, name: &str) -> Result<(), HarvestError> {
        self.source(name)?;
        let begun = Begun::new(self, name)?;
        tokio::spawn(async move {
            let name = begun.name.clone();
            if let Err(error) = begun.run().await {
                tracing::error!(source = %name, %error, "a source could not be asked");
            }
        });
        Ok(())
    }

    /// Stops asking a source. What it had said by then is taken over; nothing is
    /// deleted.
    pub fn stop_source(&self, name: &str) -> Result<(), HarvestError> {
        self.source(name)?;
        match self.harvests().stop(name) {
            true => Ok(()),
            false => Err(HarvestError::NotRunning(name.to_owned())),
        }
    }

    /// Our own portal is no source: its records would come back as strangers.
    fn is_own_address(&self, spec: &SourceSpec) -> bool {
        let own = self.base_url().and_then(|base| url::Url::parse(&base).ok());
        own.is_some_and(|own| {
            own.host_str() == spec.url.host_str()
                && own.port_or_known_default() == spec.url.port_or_known_default()
        })
    }
}

fn own_address(spec: &SourceSpec) -> InvalidField {
    InvalidField::new(
        "url",
        &spec.url,
        Bilingual::fixed("ist die Adresse dieses Knotens", "is the address of this node"),
        Bilingual::fixed("die Adresse eines anderen Katalogs angeben", "give the address of another catalog"),
    )
}

/// Asks each source when it is its turn, until `stop`.
pub async fn keep_schedule(handle: NodeHandle, stop: CancellationToken) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => {}
        }
        // Until the node has everything, it cannot know whose record is whose.
        if handle.phase() != Phase::Ready {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = ask_those_due(&handle) => {}
        }
    }
}

/// Asks the sources whose turn it is by the node's clock: several at once, so
/// that one which drips holds up no other.
pub async fn ask_those_due(handle: &NodeHandle) {
    let due: Vec<Source> = match handle.sources() {
        Ok(sources) => sources.into_iter().filter(|source| source.is_due(handle.now())).collect(),
        Err(error) => return tracing::error!(%error, "the sources cannot be read"),
    };
    let asked = due.into_iter().map(|source| ask(handle, source.spec.name));
    futures::future::join_all(asked).await;
}

async fn ask(handle: &NodeHandle, name: String) {
    match handle.run_source(&name).await {
        Ok(Source { problem: Some(problem), .. }) => {
            tracing::warn!(source = %name, problem = %problem, "a source was not walked to its end");
        }
        Ok(_) | Err(HarvestError::Running(_)) => {}
        Err(error) => tracing::error!(source = %name, %error, "a source could not be asked"),
    }
}

/// One run of one source.
pub(super) struct Run<'a> {
    handle: &'a NodeHandle,
    source: Source,
    name: SourceName,
    whole: bool,
    seen: HashSet<String>,
    counts: Counts,
    quarantine: Vec<Quarantined>,
    newest: Option<String>,
    stop: CancellationToken,
}

impl<'a> Run<'a> {
    pub(super) fn new(handle: &'a NodeHandle, source: Source, stop: CancellationToken) -> Self {
        Self {
            handle,
            whole: true,
            name: SourceName::new(&format!("harvest {}", source.spec.name)),
            seen: HashSet::new(),
            counts: Counts::default(),
            quarantine: Vec::new(),
            newest: source.newest.clone(),
            source,
            stop,
        }
    }

    pub(super) async fn begin(
        handle: &'a NodeHandle,
        mut source: Source,
        stop: CancellationToken,
    ) -> Result<Source, HarvestError> {
        let now = handle.now();
        source.tried = Some(now);
        // Even if the process dies in the middle, this source does not come
        // again at once.
        source.schedule(now, None);
        handle.keep_source(&source).await?;
        let whole = source.spec.kind != Kind::Ckan
            || source.newest.is_none()
            || source.confirmed > 0
            || source.walked.is_none_or(|walked| now.0 - walked.0 >= WHOLE_EVERY_MS);
        let run = Self { whole, ..Self::new(handle, source, stop) };
        run.run(now).await
    }

    async fn run(mut self, now: UnixMillis) -> Result<Source, HarvestError> {
        let fetcher = match Fetcher::new(self.source.spec.reach()) {
            Ok(fetcher) => fetcher,
            Err(error) => return self.failed(now, error.message().clone(), None).await,
        };
        let (mut end, mut spool) = self.walk(&fetcher).await?;
        if end.refused && !self.whole {
            // It cannot say what is new, so it is asked for everything.
            self.whole = true;
            (end, spool) = self.walk(&fetcher).await?;
        }
        if end.unchanged {
            self.source.failures = 0;
            self.source.problem = None;
            self.source.walked = Some(now);
            self.source.counts =
                Counts { unchanged: self.source.progress.records as u64, ..Counts::default() };
            return self.keep(now, end.retry_after_s).await;
        }
        self.source.progress = end.progress;
        self.take_over(spool).await?;
        self.source.counts = self.counts;
        self.note_quarantine(self.whole && end.incomplete.is_none());
        if let Some(problem) = end.incomplete {
            return self.failed(now, problem, end.retry_after_s).await;
        }
        self.source.failures = 0;
        self.source.problem = None;
        self.source.newest.clone_from(&self.newest);
        if self.whole {
            self.source.walked = Some(now);
            self.source.validators = end.validators;
            self.follow_deletions(now).await?;
        }
        self.keep(now, end.retry_after_s).await
    }

    /// Notes what is kept out. Only a whole walk tells that a record is no longer.
    fn note_quarantine(&mut self, is_whole: bool) {
        let new = std::mem::take(&mut self.quarantine);
        let told: HashSet<&str> = new.iter().map(|one| one.key.as_str()).collect();
        let seen = |key: &str| is_whole || told.contains(key) || self.seen.contains(key);
        self.source.quarantine.retain(|one| !seen(&one.key));
        self.source.quarantine.extend(new);
        self.source.quarantine.truncate(QUARANTINE_MAX);
    }

    pub(super) async fn failed(
        mut self,
        now: UnixMillis,
        problem: Bilingual,
        retry_after_s: Option<u64>,
    ) -> Result<Source, HarvestError> {
        self.source.failures = self.source.failures.saturating_add(1);
        self.source.problem = Some(problem);
        self.keep(now, retry_after_s).await
    }

    async fn keep(mut self, now: UnixMillis, retry_after_s: Option<u64>) -> Result<Source, HarvestError> {
        self.source.schedule(now, retry_after_s);
        self.handle.keep_source(&self.source).await?;
        Ok(self.source)
    }

    /// Reads the source into a private file.
    async fn walk(&mut self, fetcher: &Fetcher) -> Result<(WalkEnd, Spool), HarvestError> {
        let spec = self.source.spec.clone();
        let known = if self.whole { self.source.validators.clone() } else { Default::default() };
        let since = self.source.newest.clone().filter(|_| !self.whole);
        let (handle, directory, stop) = (self.handle, self.handle.spool_directory(), self.stop.clone());
        let mut spool = SpoolWriter::new(directory.as_deref())?;
        let take = |record| self.take(record, &mut spool);
        let step = |progress| handle.harvests().step(&spec.name, progress);
        let lists = handle.lists();
        let (since, directory) = (since.as_deref(), directory.as_deref());
        let how =
            Walk { fetcher, source: &spec, since, known: &known, lists: &lists, directory, stop: &stop };
        let end = walk(how, None, take, step).await?;
        spool.say(&Line::End)?;
        match spool.finish()? {
            Ok(spool) => Ok((end, spool)),
            Err(fault) => Err(HarvestError::Spool(std::io::Error::other(fault.reason.en.to_string()))),
        }
    }

    /// Takes one record of the walk, or says why not.
    fn take(&mut self, record: ForeignRecord, spool: &mut SpoolWriter) -> std::io::Result<()> {
        // ISO 8601 orders as text does; what is none never counts as newest.
        let modified = record.modified.as_ref().filter(|text| text.starts_with("20"));
        if modified > self.newest.as_ref() {
            self.newest = modified.cloned();
        }
        self.seen.insert(record.key.clone());
        match candidate(record) {
            Ok(candidate) => spool.say(&Line::Candidate(Box::new(candidate))).map(|_| ()),
            Err((key, reasons)) => {
                self.counts.rejected += 1;
                for reason in reasons {
                    let InvalidField { field, value, problem, remedy } = reason;
                    self.quarantine(Quarantined { key: key.clone(), field, value, reason: problem, remedy });
                }
                Ok(())
            }
        }
    }

    fn quarantine(&mut self, record: Quarantined) {
        if self.quarantine.len() < QUARANTINE_MAX {
            self.quarantine.push(record);
        }
    }

    /// Hands what was read to the import, which knows what is new.
    async fn take_over(&mut self, mut spool: Spool) -> Result<(), HarvestError> {
        let (handle, source) = (self.handle.clone(), self.name.clone());
        let work = move || {
            let options = ImportOptions::new(source);
            import::run(&handle, &mut spool, &options, &Progress::default())
        };
        let report: Report = blocking(work).await??;
        self.counts.created += report.created;
        self.counts.changed += report.changed;
        self.counts.unchanged += report.unchanged;
        self.counts.own += report.own;
        self.counts.rejected += report.rejected;
        for problem in report.problems {
            let key = problem.place.in_lang(crdt::catalog::Lang::De);
            let import::Problem { field, value, reason, remedy, .. } = problem;
            self.quarantine(Quarantined { key, field, value, reason, remedy });
        }
        Ok(())
    }

    /// Deletes what the source has no more, as far as it is still the source's.
    async fn follow_deletions(&mut self, now: UnixMillis) -> Result<(), HarvestError> {
        let (handle, name, seen) = (self.handle.clone(), self.name.clone(), std::mem::take(&mut self.seen));
        let Missing { rows, held } = blocking(move || missing(&handle, &name, &seen)).await??;
        let keys: std::collections::BTreeSet<String> = rows.iter().map(|row| row.key.clone()).collect();
        self.source.gone.retain(|key| keys.contains(key));
        let mut new: Vec<SourceRow> =
            rows.into_iter().filter(|row| !self.source.gone.contains(&row.key)).collect();
        let before = std::mem::take(&mut self.source.missing);
        if self.source.progress.pages > 1 {
            // Pages that move hide a record without a trace: it takes two walks.
            self.source.missing = keys.difference(&self.source.gone).cloned().collect();
        }
        if is_mass_deletion(new.len(), held) && new.len() > self.source.confirmed {
            self.source.awaiting = new.len();
            self.source.problem = Some(many_are_missing(new.len(), held));
            return Ok(());
        }
        self.source.awaiting = 0;
        self.source.confirmed = 0;
        if self.source.progress.pages > 1 {
            new.retain(|row| before.contains(&row.key));
            self.source.missing.retain(|key| !before.contains(key));
        }
        let mut tasks = Vec::new();
        for row in new {
            if self.is_still_the_sources(&row).await? {
                self.handle.delete_with_source(row.dataset).await?;
                self.source.counts.deleted += 1;
            } else {
                self.source.gone.insert(row.key.clone());
                self.source.counts.kept += 1;
                tasks.push(TaskRow {
                    dataset: row.dataset,
                    field: "status".to_owned(),
                    text: is_gone(&self.source.spec.name),
                    source: row.source,
                    at: now,
                });
            }
        }
        self.handle.note_tasks(tasks).await?;
        Ok(())
    }

    async fn is_still_the_sources(&self, row: &SourceRow) -> Result<bool, HarvestError> {
        let (handle, id) = (self.handle.clone(), row.dataset);
        let read = move || {
            let merged = handle.given_up_ids()?.into_values().any(|kept| kept == id);
            Ok::<_, ReadError>((handle.closed_record(id)?, handle.lead_of(id)?, merged))
        };
        let (held, lead, merged) = blocking(read).await??;
        // What another source has too, or a person has given a lead or made of two
        // records, is not this one's to delete.
        let alone = !merged && lead.is_none_or(|lead| lead.sources.len() < 2 && lead.leading.is_none());
        Ok(alone && held.is_some_and(|held| is_untouched(row, &held)))
    }
}

/// Whether a record still says just what its source said.
fn is_untouched(row: &SourceRow, held: &LocalRecord) -> bool {
    Merge::differences(&row.said, held).is_empty()
}

/// Records of a source that its walk did not show, and how many it has here.
struct Missing {
    rows: Vec<SourceRow>,
    held: usize,
}

fn missing(handle: &NodeHandle, name: &SourceName, seen: &HashSet<String>) -> Result<Missing, ReadError> {
    let (mut rows, mut present) = (Vec::new(), HashSet::new());
    let given_up = handle.given_up_ids()?;
    handle.each_of_source(name, |mut row| {
        // What was given up goes on as the record that was kept.
        row.dataset = given_up.get(&row.dataset).copied().unwrap_or(row.dataset);
        if seen.contains(&row.key) {
            present.insert(row.dataset);
        } else {
            rows.push(row);
        }
    })?;
    // A record that goes by another name now is not gone.
    rows.retain(|row| !present.contains(&row.dataset));
    let mut left = Vec::new();
    for row in rows {
        if handle.has_own_record(row.dataset)? {
            left.push(row);
        }
    }
    Ok(Missing { held: present.len() + left.len(), rows: left })
}

/// The record as the import takes it, or its name and why it cannot be one.
pub(crate) fn candidate(record: ForeignRecord) -> Result<Candidate, (String, Vec<InvalidField>)> {
    let ForeignRecord { key, names, body, hints, .. } = record;
    let fields = match body {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => serde_json::Map::new(),
        Err(reasons) => return Err((key, reasons)),
    };
    let remark = |hint: InvalidField| {
        let InvalidField { field, value, problem, remedy } = hint;
        Remark { kind: RemarkKind::Hint, field, value, reason: problem, remedy }
    };
    Ok(Candidate {
        place: Place::Item(key.clone()),
        key,
        names,
        fields,
        called: BTreeMap::new(),
        remarks: hints.into_iter().map(remark).collect(),
        row: Vec::new(),
        refused: Vec::new(),
    })
}

fn many_are_missing(missing: usize, held: usize) -> Bilingual {
    Bilingual::made(
        format!(
            "{missing} von {held} Datensätzen fehlen an der Quelle, mehr als {MASS_DELETION_PERCENT} %: es wurde nichts gelöscht; mit `hanse source confirm` zulassen, wenn das stimmt"
        ),
        format!(
            "{missing} of {held} records are missing at the source, more than {MASS_DELETION_PERCENT} %: nothing was deleted; allow it with `hanse source confirm` if that is right"
        ),
    )
}

fn is_gone(name: &str) -> Bilingual {
    Bilingual::made(
        format!(
            "Die Quelle „{name}“ führt diesen Datensatz nicht mehr; er wurde hier bearbeitet oder veröffentlicht, oder kommt auch aus einer anderen Quelle, und bleibt. Bitte entscheiden."
        ),
        format!(
            "the source `{name}` no longer has this record; it was edited or published here, or comes from another source too, and stays; please decide"
        ),
    )
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, HarvestError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| HarvestError::BrokenOff)
}
