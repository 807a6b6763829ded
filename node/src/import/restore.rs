//! Takes the export of this town back in: the same records under the same
//! names, open where they were open and this node may publish.
//!
//! What is here already is never overwritten: a record that says something
//! else here stays, and the report names the fields. So the same export again
//! changes nothing, and one that was cut off is simply taken in again.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crdt::catalog::{Bilingual, Catalog, Class, Dataset, DatasetEdit, Internal, InvalidField, LocalRecord};
use crdt::ids::DatasetId;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::candidate::{Fault, Line, Place, Remark, RemarkKind};
use super::export::{ExportHead, ExportPart};
use super::limits::{BATCH_RECORDS, BATCHES_WAITING};
use super::pipeline::{ImportError, ImportOptions, Progress, stopped};
use super::report::{Problem, Report};
use super::spool::Spool;
use crate::export::{AliasPart, DifferentPart, LeadingPart};
use crate::handle::NodeHandle;
use crate::store::WriteError;
use crate::view::TownInfo;

/// A part of an export that can be taken in.
#[derive(Debug, Clone, PartialEq)]
pub enum Returning {
    /// A record.
    Record(Box<ReturningRecord>),
    /// What the town said of its catalog, and fields of other versions.
    Catalog(Box<Catalog>, BTreeMap<String, Value>),
    /// An open record that was given up for another.
    GivenUp(Box<ReturningRecord>),
    /// A name of a record that was given up.
    Alias(AliasPart),
    /// Whose word counts for a record.
    Leading(LeadingPart),
    /// Two records that are different.
    Different(DifferentPart),
}

/// A record of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturningRecord {
    /// The record, of the class that it had.
    pub record: LocalRecord,
    /// Fields of other versions.
    pub extra: BTreeMap<String, Value>,
    /// Whether the export holds the town's notes.
    pub with_notes: bool,
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// It was not here.
    Created {
        /// Fields of other versions that could not be kept.
        left_out: Vec<String>,
        /// Why it is closed though it was open.
        closed: Option<Bilingual>,
    },
    /// It was here, and is open again or has its notes again.
    Completed {
        /// Fields of other versions that could not be kept.
        left_out: Vec<String>,
    },
    /// It is here and says the same.
    Same {
        /// Why it is closed, or not here, though it was open.
        closed: Option<Bilingual>,
    },
    /// It is here and says something else in these fields, which stay.
    Other {
        /// The fields.
        fields: Vec<String>,
    },
    /// It was given up here for another record, and stays given up.
    GivenUp {
        /// The record that was kept.
        kept: DatasetId,
    },
    /// Another town has a record of this id.
    Taken,
}

/// Refuses the export of another town.
pub(crate) fn fits(head: &ExportHead, town: &TownInfo) -> Result<(), Fault> {
    if head.town == town.town {
        return Ok(());
    }
    let (theirs, own) =
        (format!("{} ({})", head.town_name, head.town), format!("{} ({})", town.name, town.town));
    Err(Fault::made(
        format!("die Ausfuhr ist von {theirs}, dieser Knoten von {own}"),
        format!("the export is of {theirs}, this node of {own}"),
        "am Knoten dieser Kommune einlesen; Datensätze anderer Kommunen kommen über die Föderation oder als RDF (`hanse export --format ttl`)",
        "import it at that town's node; records of other towns come through the federation or as RDF (`hanse export --format ttl`)",
    ))
}

/// Takes in what the reader of an export said. Blocks.
pub(super) fn run(
    handle: &NodeHandle,
    spool: &mut Spool,
    options: &ImportOptions,
    progress: &Progress,
) -> Result<Report, ImportError> {
    if options.all_or_nothing && !options.dry_run {
        let rehearsal = Pass::new(handle, true).run(spool, progress)?;
        if rehearsal.rejected > 0 {
            return Ok(Report { dry_run: false, withheld: true, created: 0, changed: 0, ..rehearsal });
        }
    }
    Pass::new(handle, options.dry_run).run(spool, progress)
}

/// One walk through the parts.
struct Pass<'a> {
    handle: &'a NodeHandle,
    report: Report,
    /// The line in which each record stood.
    seen: HashMap<DatasetId, u64>,
    batch: Vec<(u64, Returning)>,
    waiting: VecDeque<Waiting>,
}

/// A batch on its way to the disk.
struct Waiting {
    /// The line of each part, and whether it is a record.
    parts: Vec<(u64, bool)>,
    answer: oneshot::Receiver<Result<Vec<Returned>, WriteError>>,
}

impl<'a> Pass<'a> {
    fn new(handle: &'a NodeHandle, dry_run: bool) -> Self {
        Self {
            handle,
            report: Report { dry_run, ..Report::default() },
            seen: HashMap::new(),
            batch: Vec::with_capacity(BATCH_RECORDS),
            waiting: VecDeque::new(),
        }
    }

    fn run(mut self, spool: &mut Spool, progress: &Progress) -> Result<Report, ImportError> {
        progress.begin(spool.candidates());
        let mut lines = spool.lines()?;
        while let Some(line) = lines.next()? {
            let Line::Part(number, part) = line else { continue };
            match self.part(number, *part) {
                Ok(returning) => self.batch.push((number, returning)),
                Err(errors) => {
                    let problem = |error| problem(number, None, error);
                    self.report.reject(Vec::new(), errors.into_iter().map(problem).collect());
                }
            }
            if self.batch.len() >= BATCH_RECORDS {
                self.send()?;
            }
            progress.step();
        }
        self.send()?;
        while !self.waiting.is_empty() {
            self.settle_one()?;
        }
        Ok(self.report)
    }

    /// The part as types of this version, or everything wrong with it.
    fn part(&mut self, number: u64, part: ExportPart) -> Result<Returning, Vec<InvalidField>> {
        let ExportPart { catalog, dataset, given_up, alias, leading, different, extra, internal, .. } = part;
        let nothing = json!({});
        if let Some(alias) = alias {
            return self.typed(number, "alias/", &nothing, alias).map(Returning::Alias);
        }
        if let Some(leading) = leading {
            return self.typed(number, "leading/", &nothing, leading).map(Returning::Leading);
        }
        if let Some(different) = different {
            return self.typed(number, "different/", &nothing, different).map(Returning::Different);
        }
        if let Some(catalog) = catalog {
            let own = json!({ "town": self.handle.town().town });
            let catalog: Catalog = self.typed(number, "catalog/", &own, catalog)?;
            return Ok(Returning::Catalog(Box::new(catalog), extra));
        }
        let is_given_up = given_up.is_some();
        let dataset = dataset.or(given_up).unwrap_or_default();
        let id = dataset.get("id").cloned().unwrap_or_default();
        let dataset: Dataset = self.typed(number, "", &json!({ "id": id }), dataset)?;
        let with_notes = internal.is_some();
        let internal: Internal =
            self.typed(number, "internal/", &json!({}), internal.unwrap_or_else(|| json!({})))?;
        DatasetEdit::first(&dataset).apply(&Dataset::new(dataset.id)).map_err(|error| vec![error])?;
        if let Some(first) = self.seen.insert(dataset.id, number) {
            return Err(vec![stands_twice(dataset.id, first)]);
        }
        if is_given_up && (dataset.replaced_by.is_none() || dataset.class != Class::Open) {
            return Err(vec![names_no_kept_record()]);
        }
        let record =
            Box::new(ReturningRecord { record: LocalRecord { dataset, internal }, extra, with_notes });
        Ok(match is_given_up {
            true => Returning::GivenUp(record),
            false => Returning::Record(record),
        })
    }

    /// Reads an object whole, naming the fields that cannot be read, and in the
    /// report those that this version does not know. `needed` makes the
    /// smallest object of the type.
    fn typed<T: DeserializeOwned + serde::Serialize>(
        &mut self,
        number: u64,
        prefix: &str,
        needed: &Value,
        given: Value,
    ) -> Result<T, Vec<InvalidField>> {
        match serde_json::from_value::<T>(given.clone()) {
            Ok(read) => {
                let known = serde_json::to_value(&read).unwrap_or_default();
                let mut unknown = Vec::new();
                unknown_fields(&given, &known, prefix.trim_end_matches('/'), &mut unknown);
                for field in unknown {
                    self.hint(number, &field, "", not_known());
                }
                Ok(read)
            }
            Err(error) => {
                let wrong = wrong_fields::<T>(prefix, needed, &given);
                Err(if wrong.is_empty() { vec![unreadable(prefix, &given, &error)] } else { wrong })
            }
        }
    }

    fn send(&mut self) -> Result<(), ImportError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let parts: Vec<(u64, bool)> =
            self.batch.iter().map(|(number, part)| (*number, matches!(part, Returning::Record(_)))).collect();
        let batch = std::mem::take(&mut self.batch).into_iter().map(|(_, part)| part).collect();
        if self.report.dry_run {
            let outcomes = self.handle.rehearse_return(batch)?;
            self.settle(parts, outcomes);
            return Ok(());
        }
        let answer = self.handle.restore(batch)?;
        self.waiting.push_back(Waiting { parts, answer });
        if self.waiting.len() > BATCHES_WAITING { self.settle_one() } else { Ok(()) }
    }

    fn settle_one(&mut self) -> Result<(), ImportError> {
        let Some(Waiting { parts, answer }) = self.waiting.pop_front() else { return Ok(()) };
        let outcomes = answer.blocking_recv().map_err(|_| stopped())??;
        self.settle(parts, outcomes);
        Ok(())
    }

    fn settle(&mut self, parts: Vec<(u64, bool)>, outcomes: Vec<Returned>) {
        for ((number, is_record), outcome) in parts.into_iter().zip(outcomes) {
            self.settled(number, is_record, outcome);
        }
    }

    fn settled(&mut self, number: u64, is_record: bool, outcome: Returned) {
        let count = u64::from(is_record);
        match outcome {
            Returned::Created { left_out, closed } => {
                self.report.created += count;
                self.left_out(number, left_out);
                self.stays_closed(number, closed);
            }
            Returned::Completed { left_out } => {
                self.report.changed += count;
                self.left_out(number, left_out);
            }
            Returned::Same { closed } => {
                self.report.unchanged += count;
                self.stays_closed(number, closed);
            }
            Returned::Other { fields } => {
                self.report.unchanged += count;
                for field in fields {
                    self.hint(number, &field, "", (RemarkKind::Task, says_otherwise(), decide()));
                }
            }
            Returned::GivenUp { kept } => {
                self.report.unchanged += count;
                self.hint(number, "id", &kept.to_string(), given_up_here());
            }
            Returned::Taken => {
                let error = InvalidField::new(
                    "id",
                    "",
                    Bilingual::fixed(
                        "gehört in der Föderation einer anderen Kommune",
                        "belongs to another town of the federation",
                    ),
                    Bilingual::fixed("den Datensatz neu anlegen", "create the record anew"),
                );
                self.report.reject(Vec::new(), vec![problem(number, None, error)]);
            }
        }
    }

    fn left_out(&mut self, number: u64, fields: Vec<String>) {
        for field in fields {
            self.hint(number, &field, "", not_known());
        }
    }

    fn stays_closed(&mut self, number: u64, reason: Option<Bilingual>) {
        let Some(reason) = reason else { return };
        let reason = Bilingual::made(
            format!("war veröffentlicht und ist hier noch nicht offen: {}", reason.de.trim_end_matches('.')),
            format!("was published and is not open here yet: {}", reason.en.trim_end_matches('.')),
        );
        let remedy = Bilingual::fixed(
            "beheben und die Ausfuhr noch einmal einlesen, oder einzeln veröffentlichen",
            "mend it and import the export again, or publish it by itself",
        );
        self.hint(number, "class", "open", (RemarkKind::Task, reason, remedy));
    }

    fn hint(&mut self, number: u64, field: &str, value: &str, text: (RemarkKind, Bilingual, Bilingual)) {
        let (kind, reason, remedy) = text;
        let remark = Remark { kind, field: field.to_owned(), value: value.to_owned(), reason, remedy };
        self.report.hint(Problem::of_remark(&Place::Line(number), &BTreeMap::new(), remark));
    }
}

fn problem(number: u64, kind: Option<RemarkKind>, error: InvalidField) -> Problem {
    let InvalidField { field, value, problem: reason, remedy } = error;
    Problem { kind, place: Place::Line(number), called: None, field, value, reason, remedy }
}

/// Paths that stand in `given` and not in what was read of it.
fn unknown_fields(given: &Value, known: &Value, path: &str, found: &mut Vec<String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (name, value) in given {
                match known.get(name) {
                    Some(known) => unknown_fields(value, known, &below(name), found),
                    // What is empty need not be said.
                    None if is_empty(value) => {}
                    None => found.push(below(name)),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) if given.len() == known.len() => {
            for (n, (given, known)) in given.iter().zip(known).enumerate() {
                unknown_fields(given, known, &below(&n.to_string()), found);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(members) => members.is_empty(),
        _ => false,
    }
}

/// The fields that keep an object from being read, one by one.
fn wrong_fields<T: DeserializeOwned>(prefix: &str, needed: &Value, given: &Value) -> Vec<InvalidField> {
    let (Value::Object(needed), Value::Object(given)) = (needed, given) else { return Vec::new() };
    let alone = |name: &str, value: &Value| {
        let mut alone: Map<String, Value> = needed.clone();
        alone.insert(name.to_owned(), value.clone());
        serde_json::from_value::<T>(Value::Object(alone)).err()
    };
    let wrong = given.iter().filter_map(|(name, value)| {
        let error = alone(name, value)?;
        Some(unreadable(&format!("{prefix}{name}"), value, &error))
    });
    wrong.collect()
}

fn unreadable(field: &str, value: &Value, error: &serde_json::Error) -> InvalidField {
    let shown = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let detail: String = error.to_string().chars().take(300).collect();
    InvalidField::new(
        field.trim_end_matches('/'),
        shown,
        Bilingual::made(format!("ist nicht lesbar ({detail})"), format!("cannot be read ({detail})")),
        Bilingual::fixed(
            "die Datei so nehmen, wie `hanse export` sie geschrieben hat",
            "take the file as `hanse export` has written it",
        ),
    )
}

fn stands_twice(id: DatasetId, first: u64) -> InvalidField {
    InvalidField::new(
        "id",
        id,
        Bilingual::made(format!("steht schon in Zeile {first}"), format!("stands already in line {first}")),
        Bilingual::fixed("die zweite Zeile entfernen", "remove the second line"),
    )
}

fn names_no_kept_record() -> InvalidField {
    InvalidField::new(
        "replaced_by",
        "",
        Bilingual::fixed(
            "nennt keinen Datensatz, der an seiner Stelle veröffentlicht ist",
            "names no record that is published in its place",
        ),
        Bilingual::fixed(
            "die Datei so nehmen, wie `hanse export` sie geschrieben hat",
            "take the file as `hanse export` has written it",
        ),
    )
}

fn not_known() -> (RemarkKind, Bilingual, Bilingual) {
    (
        RemarkKind::Hint,
        Bilingual::fixed(
            "ist ein Feld, das diese Version von Hanse nicht übernehmen kann; es blieb weg",
            "is a field that this version of Hanse cannot take over; it was left out",
        ),
        Bilingual::fixed(
            "mit der Version von Hanse einlesen, die die Ausfuhr geschrieben hat",
            "import it with the version of Hanse that wrote the export",
        ),
    )
}

fn says_otherwise() -> Bilingual {
    Bilingual::fixed(
        "sagt hier etwas anderes als in der Ausfuhr; es bleibt, wie es hier ist",
        "says something else here than in the export; what is here stays",
    )
}

fn given_up_here() -> (RemarkKind, Bilingual, Bilingual) {
    (
        RemarkKind::Hint,
        Bilingual::fixed(
            "ist hier der Datensatz, für den dieser aufgegeben wurde; so bleibt es",
            "is the record for which this one was given up here; that stays",
        ),
        Bilingual::fixed(
            "den Datensatz neu anlegen, wenn es ihn doch wieder geben soll",
            "create the record anew if there should be one after all",
        ),
    )
}

fn decide() -> Bilingual {
    Bilingual::fixed(
        "vergleichen und, wenn die Ausfuhr gelten soll, das Feld hier ändern",
        "compare them, and edit the field here if the export is right",
    )
}
