//! From lines that a reader said to records that are durable.
//!
//! Every line has been read to its end before the first record is written
//! ([`Spool`]), so that a file that breaks off changes nothing. Batches are
//! checked here while the ledger commits those before.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{Dataset, Identifier, InvalidField, Lang, NewDataset};
use crdt::ids::DatasetId;
use serde_json::Value;
use tokio::sync::oneshot;

use super::candidate::{Candidate, Line, Place, Remark, RemarkKind, SourceName};
use super::decision::{Batch, Item, Outcome};
use super::inventory::Mapping;
use super::known::{Federation, Known, Named};
use super::limits::{BATCH_RECORDS, BATCHES_WAITING, KEY_BYTES_MAX, REMARKS_MAX};
use super::remarks::{
    came_back, identifier_is_taken, kept_here, known_as, led_by, perhaps_known, published_here,
    seems_the_same, stands_twice, thrown_away,
};
use super::renamed::{Foresight, Pairing};
use super::report::{Problem, Report};
use super::restore;
use super::spool::Spool;
use crate::handle::{NodeHandle, ReadError};
use crate::keys::{self, KeyError};
use crate::store::WriteError;

/// How an import is to be done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ImportOptions {
    /// Whose word it is.
    pub source: SourceName,
    /// Whether to say what would happen and write nothing.
    pub dry_run: bool,
    /// Whether to write nothing if any record is rejected.
    pub all_or_nothing: bool,
    /// Whether to take records again that a person has thrown away here.
    #[serde(default)]
    pub again: bool,
    /// How columns are understood, instead of what is kept for the source.
    #[serde(default, skip_serializing)]
    pub mapping: Option<Mapping>,
}

impl ImportOptions {
    /// As an import is done when nothing else is asked for.
    pub fn new(source: SourceName) -> Self {
        Self { source, dry_run: false, all_or_nothing: false, again: false, mapping: None }
    }
}

/// Why an import came to no report.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A temporary file.
    #[error("import: keep what was read in a temporary file: {0}")]
    Spool(#[from] std::io::Error),
    /// Random bytes for the records' ids.
    #[error("import: {0}")]
    Key(#[from] KeyError),
    /// What is held could not be read.
    #[error("import: {0}")]
    Read(#[from] ReadError),
    /// Records could not be written; the batches before are durable.
    #[error("import: {0}")]
    Write(#[from] WriteError),
    /// Too many imports wait.
    #[error("import: {0} imports are waiting, no more are taken; try again when one is done")]
    Busy(usize),
}

/// How far an import is.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Records that have been dealt with.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Records that there are, once that is known.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self, total: u64) {
        self.set(0, total);
    }

    /// Says how far reading is.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    pub(super) fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes in what a reader said. Blocks.
pub fn run(
    handle: &NodeHandle,
    spool: &mut Spool,
    options: &ImportOptions,
    progress: &Progress,
) -> Result<Report, ImportError> {
    if spool.export().is_some() {
        return restore::run(handle, spool, options, progress);
    }
    if options.all_or_nothing && !options.dry_run {
        let rehearsed = ImportOptions { dry_run: true, ..options.clone() };
        let rehearsal = Pass::new(handle, &rehearsed, spool)?.run(spool, progress)?;
        if rehearsal.rejected > 0 {
            return Ok(Report { dry_run: false, withheld: true, created: 0, changed: 0, ..rehearsal });
        }
    }
    Pass::new(handle, options, spool)?.run(spool, progress)
}

/// One walk through the lines.
struct Pass<'a> {
    handle: &'a NodeHandle,
    source: &'a SourceName,
    again: bool,
    report: Report,
    known: Known,
    foresight: Foresight,
    /// Made when the first record of another catalog comes.
    federation: Option<Federation>,
    /// Where each key stood first.
    seen: HashMap<[u8; 32], Place>,
    batch: Vec<(Checked, Item)>,
    /// Whether a hint was asked for in this pass.
    hinted: bool,
    waiting: VecDeque<Waiting>,
}

/// A candidate that made a valid record.
struct Checked {
    candidate: Candidate,
    /// What it says in public, unless it is known to be ours.
    dataset: Option<Box<Dataset>>,
    /// What its identifier is already, and what it is called itself instead.
    taken: Taken,
}

/// Whose a record's identifier is already, and what it is called instead.
type Taken = Option<(DatasetId, Identifier)>;

/// A batch on its way to the disk.
struct Waiting {
    candidates: Vec<Checked>,
    answer: oneshot::Receiver<Result<Vec<Outcome>, WriteError>>,
}

impl<'a> Pass<'a> {
    fn new(
        handle: &'a NodeHandle,
        options: &'a ImportOptions,
        spool: &mut Spool,
    ) -> Result<Self, ImportError> {
        Ok(Self {
            handle,
            source: &options.source,
            again: options.again,
            report: Report { dry_run: options.dry_run, ..Report::default() },
            known: Known::of(handle, &options.source)?,
            foresight: Foresight::of(handle, &options.source, spool)?,
            federation: None,
            seen: HashMap::new(),
            batch: Vec::with_capacity(BATCH_RECORDS),
            hinted: false,
            waiting: VecDeque::new(),
        })
    }

    fn run(mut self, spool: &mut Spool, progress: &Progress) -> Result<Report, ImportError> {
        progress.begin(spool.candidates());
        let mut lines = spool.lines()?;
        while let Some(line) = lines.next()? {
            match line {
                Line::Candidate(candidate) => {
                    self.candidate(*candidate)?;
                    progress.step();
                }
                Line::Remark(place, remark) => {
                    self.report.hint(Problem::of_remark(&place, &Default::default(), *remark));
                }
                Line::Mapping(mapping) => self.report.mapping = *mapping,
                // An export goes another way.
                Line::Person(_)
                | Line::Head(_)
                | Line::Part(..)
                | Line::Total(_)
                | Line::End
                | Line::Fault(_) => {}
            }
        }
        self.send()?;
        while !self.waiting.is_empty() {
            self.settle_one()?;
        }
        Ok(self.report)
    }

    fn candidate(&mut self, mut candidate: Candidate) -> Result<(), ImportError> {
        if self.is_own(&candidate)? {
            self.report.own += 1;
            self.report.hint(Problem::of_remark(&candidate.place, &candidate.called, came_back()));
            return Ok(());
        }
        let key = self.source.key_hash(&candidate.key);
        if let Some(first) = self.seen.get(&key).filter(|_| has_title(&candidate.fields)) {
            let problem = Problem::of_field(&candidate, occurs_twice(&candidate, first));
            self.report.reject(candidate.row, vec![problem]);
            return Ok(());
        }
        self.seen.insert(key, candidate.place.clone());
        let was = match self.foresight.pairing(&key) {
            Some(Pairing::Sure { was, .. }) => Some(was.clone()),
            Some(Pairing::Perhaps { title, identifier }) => {
                let problem = Problem::of_field(&candidate, perhaps_known(&candidate, title, identifier));
                self.report.reject(candidate.row, vec![problem]);
                return Ok(());
            }
            None => None,
        };
        self.foresight.withhold(&mut candidate);
        match self.item(&candidate)? {
            Ok((mut item, taken)) => {
                item.was = was;
                let dataset = item.known.is_none().then(|| Box::new(item.record.dataset.clone()));
                self.known.give(&item.record.dataset);
                self.batch.push((Checked { candidate, dataset, taken }, item));
                if self.batch.len() >= BATCH_RECORDS { self.send() } else { Ok(()) }
            }
            Err(errors) => {
                let problem = |error| Problem::of_field(&candidate, error);
                let problems = errors.into_iter().map(problem).collect();
                self.report.reject(candidate.row, problems);
                Ok(())
            }
        }
    }

    /// Whether it is a record of this federation that came back by another road.
    fn is_own(&mut self, candidate: &Candidate) -> Result<bool, ImportError> {
        if candidate.names.is_empty() {
            return Ok(false);
        }
        if self.federation.is_none() {
            self.federation = Some(Federation::of(self.handle, self.source)?);
        }
        Ok(self.federation.as_ref().is_some_and(|federation| federation.has(candidate)))
    }

    /// The valid record that a candidate makes, or everything wrong with it.
    fn item(&self, candidate: &Candidate) -> Result<Result<(Item, Taken), Vec<InvalidField>>, ImportError> {
        if !candidate.refused.is_empty() {
            return Ok(Err(candidate.refused.clone()));
        }
        if !has_title(&candidate.fields) {
            return Ok(Err(vec![no_title()]));
        }
        if candidate.key.len() > KEY_BYTES_MAX || candidate.key.is_empty() {
            return Ok(Err(vec![bad_key(&candidate.key)]));
        }
        let new = match NewDataset::parse_with(
            self.handle.vocabularies(),
            &Value::Object(candidate.fields.clone()),
        ) {
            Ok(new) => new,
            Err(invalid) => return Ok(Err(invalid.fields)),
        };
        let id = DatasetId::from_random(keys::random()?);
        let made = self.handle.identity(id).and_then(|(identifier, iri)| {
            let record = new.with_identity(&identifier, &iri).into_record(id)?;
            Ok((record, identifier))
        });
        let (record, own) = match made {
            Ok(made) => made,
            Err(error) => return Ok(Err(vec![error])),
        };
        let is_there = |key: &[u8; 32]| self.foresight.has_key(key);
        let (known, taken) = match self.known.named(&record.dataset, candidate.names.is_empty(), is_there) {
            Named::Record(id) => (Some(id), None),
            Named::Taken(by) => (None, Some((by, own))),
            Named::Nobody => (None, None),
        };
        let item = Item {
            key: candidate.key.clone(),
            was: None,
            place: candidate.place.in_lang(Lang::De),
            known,
            instead: taken.as_ref().map(|(_, own)| own.clone()),
            record,
            tasks: tasks_of(candidate),
        };
        Ok(Ok((item, taken)))
    }

    fn send(&mut self) -> Result<(), ImportError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let (candidates, items): (Vec<_>, Vec<_>) = std::mem::take(&mut self.batch).into_iter().unzip();
        let batch = Batch { source: self.source.clone(), items, again: self.again };
        if self.report.dry_run {
            let outcomes = self.handle.rehearse_import(batch)?;
            return self.settle(candidates, outcomes);
        }
        let answer = self.handle.ledger().import(batch)?;
        self.waiting.push_back(Waiting { candidates, answer });
        if self.waiting.len() > BATCHES_WAITING { self.settle_one() } else { Ok(()) }
    }

    fn settle_one(&mut self) -> Result<(), ImportError> {
        let Some(Waiting { candidates, answer }) = self.waiting.pop_front() else { return Ok(()) };
        let outcomes = answer.blocking_recv().map_err(|_| stopped())??;
        self.settle(candidates, outcomes)
    }

    fn settle(&mut self, candidates: Vec<Checked>, outcomes: Vec<Outcome>) -> Result<(), ImportError> {
        for (mut checked, outcome) in candidates.into_iter().zip(outcomes) {
            if let (Outcome::Created(_), Some(dataset)) = (&outcome, &checked.dataset) {
                let hint = self.handle.nearest(dataset, !self.hinted)?.map(seems_the_same);
                self.hinted = true;
                let twin = || self.foresight.twin(&checked.candidate).map(stands_twice);
                let remark = hint.or_else(twin);
                checked.candidate.remarks.extend(remark);
                if let Some((by, own)) = &checked.taken {
                    checked.candidate.remarks.push(identifier_is_taken(dataset, by, own));
                }
            }
            self.say_renamed(&checked.candidate);
            self.settled(checked.candidate, outcome);
        }
        Ok(())
    }

    /// Says under which name a row was known before.
    fn say_renamed(&mut self, candidate: &Candidate) {
        let key = self.source.key_hash(&candidate.key);
        if let Some(Pairing::Sure { title, .. }) = self.foresight.pairing(&key) {
            let remark = known_as(candidate, title);
            self.report.hint(Problem::of_remark(&candidate.place, &candidate.called, remark));
        }
    }

    fn settled(&mut self, mut candidate: Candidate, outcome: Outcome) {
        let say = |candidate: &Candidate, field: &str, text: Bilingual| {
            let remark = Remark {
                kind: RemarkKind::Task,
                field: field.to_owned(),
                value: candidate.key.chars().take(80).collect(),
                reason: text,
                remedy: Bilingual::fixed("in der Aufgabenliste entscheiden", "decide in the list of tasks"),
            };
            Problem::of_remark(&candidate.place, &candidate.called, remark)
        };
        match outcome {
            Outcome::Created(_) => self.report.created += 1,
            // Said already when it came first.
            Outcome::Unchanged(_) => {
                self.report.unchanged += 1;
                return;
            }
            Outcome::Changed { kept, .. } => {
                self.report.changed += 1;
                for field in kept {
                    self.report.hint(say(&candidate, &field, kept_here()));
                }
            }
            Outcome::Published { fields, .. } => {
                self.report.unchanged += 1;
                for field in fields {
                    self.report.hint(say(&candidate, &field, published_here()));
                }
                return;
            }
            Outcome::ThrownAway(_) => {
                self.report.unchanged += 1;
                let remark = thrown_away(&candidate);
                self.report.hint(Problem::of_remark(&candidate.place, &candidate.called, remark));
                return;
            }
            Outcome::Led { leading, fields, .. } => {
                self.report.unchanged += 1;
                for field in fields {
                    self.report.hint(say(&candidate, &field, led_by(&leading)));
                }
                return;
            }
            Outcome::Refused(error) => {
                let problem = Problem::of_field(&candidate, error);
                self.report.reject(candidate.row, vec![problem]);
                return;
            }
        }
        for remark in candidate.remarks.drain(..).take(REMARKS_MAX) {
            self.report.hint(Problem::of_remark(&candidate.place, &candidate.called, remark));
        }
    }
}

pub(super) fn stopped() -> WriteError {
    WriteError::Database { file: crate::store::CLOSED_FILE, detail: "the node is shutting down".into() }
}

/// A draft may lack anything but a name.
fn has_title(fields: &serde_json::Map<String, Value>) -> bool {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    match fields.get("title") {
        Some(Value::Object(languages)) => languages.values().any(is_text),
        Some(value) => is_text(value),
        None => false,
    }
}

fn no_title() -> InvalidField {
    InvalidField::new(
        "title",
        "",
        Bilingual::fixed("fehlt", "is missing"),
        Bilingual::fixed("einen Titel eintragen", "fill in a title"),
    )
}

fn tasks_of(candidate: &Candidate) -> Vec<(String, Bilingual)> {
    let tasks = candidate.remarks.iter().filter(|remark| remark.kind == RemarkKind::Task).take(REMARKS_MAX);
    let sentence = |remark: &Remark| {
        Bilingual::made(
            format!("„{}“ {}. {}.", remark.value, remark.reason.de, capital(&remark.remedy.de)),
            format!("`{}` {}; {}", remark.value, remark.reason.en, remark.remedy.en),
        )
    };
    tasks.map(|remark| (remark.field.clone(), sentence(remark))).collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn occurs_twice(candidate: &Candidate, first: &Place) -> InvalidField {
    let named = candidate.fields.contains_key("identifier");
    let (field, key) = if named {
        ("identifier", candidate.key.as_str())
    } else {
        ("title", candidate.key.split('\u{1f}').next().unwrap_or_default())
    };
    let (de, en) = (first.in_lang(Lang::De), first.in_lang(Lang::En));
    InvalidField::new(
        field,
        key,
        Bilingual::made(format!("steht schon in: {de}"), format!("stands already in {en}")),
        Bilingual::fixed(
            "die doppelte Zeile löschen, oder beiden Datensätzen verschiedene Kennungen oder Titel geben",
            "delete the second one, or give both an identifier or title of their own",
        ),
    )
}

fn bad_key(key: &str) -> InvalidField {
    InvalidField::new(
        "identifier",
        key,
        Bilingual::fixed("ist als Kennung leer oder zu lang", "is empty or too long as an identifier"),
        Bilingual::fixed("eine Kennung oder einen Titel angeben", "give an identifier or a title"),
    )
}
