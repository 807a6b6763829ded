//! Decides, record by record, what a source's word changes here.
//!
//! A rehearsal and the ledger's writer decide by the same function: the one
//! over a snapshot, the other over what it is about to commit.

use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{Dataset, Internal, LocalRecord, Merge};
use crdt::ids::{DatasetId, UnixMillis};

use super::candidate::SourceName;
use crate::store::{Leading, SourceRow, TaskRow};

/// Records of one source that share a commit.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whose word it is.
    pub source: SourceName,
    /// The records.
    pub items: Vec<Item>,
}

/// One valid record and what is known about it.
#[derive(Debug, Clone)]
pub struct Item {
    /// What names it in its source.
    pub key: String,
    /// Where it stood, in words.
    pub place: String,
    /// The record, under an id that counts if it is new.
    pub record: LocalRecord,
    /// A record of the town that is meant, though not yet known by this source.
    pub known: Option<DatasetId>,
    /// What somebody has to decide or fill in: field and text.
    pub tasks: Vec<(String, Bilingual)>,
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created(DatasetId),
    /// The source says something new, which was carried over but for `kept`
    /// fields, where the town had put its own word.
    Changed {
        /// The record.
        id: DatasetId,
        /// Fields that the town keeps as they are.
        kept: Vec<String>,
    },
    /// The source says what it said before.
    Unchanged(DatasetId),
    /// The source says something new about a record that is published: a
    /// person decides.
    Published {
        /// The record.
        id: DatasetId,
        /// Fields in which the source's word is new.
        fields: Vec<String>,
    },
    /// The source says something new, but a person has named another leading
    /// source: nothing is carried over.
    Led {
        /// The record.
        id: DatasetId,
        /// Whose word counts.
        leading: Leading,
        /// Fields in which the source's word is new.
        fields: Vec<String>,
    },
    /// What it says does not make a record together with what is held.
    Refused(crdt::catalog::InvalidField),
}

/// What is known here about a record of a source.
pub(crate) struct Held {
    /// The note of where it came from.
    pub(crate) row: Option<SourceRow>,
    /// The closed record.
    pub(crate) record: Option<LocalRecord>,
    /// Whether it is published.
    pub(crate) published: bool,
    /// Whose word counts, if a person has said so.
    pub(crate) leading: Option<Leading>,
}

/// What is to be written.
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    pub(crate) record: Option<LocalRecord>,
    pub(crate) row: Option<SourceRow>,
    pub(crate) tasks: Vec<TaskRow>,
}

/// Decides about one record. Reads nothing else and writes nothing.
pub(crate) fn decide(source: &SourceName, item: Item, held: Held, now: UnixMillis) -> Decision {
    let Held { row, record, published, leading } = held;
    if let Some(leading) = leading.filter(|leading| !leads(leading, source))
        && let Some(id) = row.as_ref().map(|row| row.dataset).or(item.known)
        && (published || record.is_some())
    {
        return led(source, item, row, (id, leading), now);
    }
    match (row, record) {
        (Some(row), Some(record)) => again(source, item, row, record, now),
        (Some(row), None) if published => published_already(source, item, row, now),
        // Ours already, by another road: empty fields are filled, nothing is
        // overwritten.
        (None, Some(record)) => {
            let row = row_of(source, blank(&item, record.dataset.id), record.dataset.id, now);
            again(source, item, row, record, now)
        }
        (None, None) if published => match item.known {
            Some(id) => unchanged(id),
            None => created(source, item, now),
        },
        // Thrown away here, but still in the source: it comes anew.
        _ => created(source, item, now),
    }
}

fn created(source: &SourceName, item: Item, now: UnixMillis) -> Decision {
    let id = item.record.dataset.id;
    let mut record = item.record.clone();
    record.dataset.modified = record.dataset.modified.or(crdt::catalog::Timestamp::from_unix(now));
    Decision {
        outcome: Outcome::Created(id),
        tasks: tasks(source, id, item.tasks.clone(), now),
        row: Some(row_of(source, item, id, now)),
        record: Some(record),
    }
}

fn again(
    source: &SourceName,
    mut item: Item,
    row: SourceRow,
    held: LocalRecord,
    now: UnixMillis,
) -> Decision {
    let id = held.dataset.id;
    take_identity(&mut item.record, &row.said);
    if item.record == row.said {
        return unchanged(id);
    }
    let Merge { edit, kept } = Merge::of(&row.said, &item.record, &held);
    let mut new = match edit.apply(&held) {
        Ok(new) => new,
        Err(error) => {
            return Decision { outcome: Outcome::Refused(error), record: None, row: None, tasks: Vec::new() };
        }
    };
    let mut wanted = item.tasks.clone();
    wanted.extend(kept.iter().map(|field| (field.clone(), source_says(source))));
    let outcome = if new == held && kept.is_empty() {
        Outcome::Unchanged(id)
    } else {
        new.dataset.modified = crdt::catalog::Timestamp::from_unix(now).or(new.dataset.modified);
        Outcome::Changed { id, kept: kept.into_iter().collect() }
    };
    Decision {
        record: matches!(outcome, Outcome::Changed { .. }).then_some(new),
        outcome,
        tasks: tasks(source, id, wanted, now),
        row: Some(row_of(source, item, id, now)),
    }
}

fn published_already(source: &SourceName, mut item: Item, row: SourceRow, now: UnixMillis) -> Decision {
    let id = row.dataset;
    take_identity(&mut item.record, &row.said);
    let fields = Merge::differences(&row.said, &item.record);
    if fields.is_empty() {
        return unchanged(id);
    }
    let wanted = fields.iter().map(|field| (field.clone(), source_says(source))).collect();
    Decision {
        outcome: Outcome::Published { id, fields: fields.into_iter().collect() },
        record: None,
        tasks: tasks(source, id, wanted, now),
        row: Some(row_of(source, item, id, now)),
    }
}

fn leads(leading: &Leading, source: &SourceName) -> bool {
    matches!(leading, Leading::Source(name) if name == source.as_str())
}

fn led(
    source: &SourceName,
    mut item: Item,
    row: Option<SourceRow>,
    (id, leading): (DatasetId, Leading),
    now: UnixMillis,
) -> Decision {
    let said = row.map_or_else(|| blank(&item, id).record, |row| row.said);
    take_identity(&mut item.record, &said);
    let fields = Merge::differences(&said, &item.record);
    if fields.is_empty() {
        return unchanged(id);
    }
    Decision {
        outcome: Outcome::Led { id, leading, fields: fields.into_iter().collect() },
        record: None,
        tasks: Vec::new(),
        row: Some(row_of(source, item, id, now)),
    }
}

/// The item with nothing said yet.
fn blank(item: &Item, id: DatasetId) -> Item {
    let dataset = Dataset {
        identifier: item.record.dataset.identifier.clone(),
        iri: item.record.dataset.iri.clone(),
        ..Dataset::new(id)
    };
    Item { record: LocalRecord { dataset, internal: Internal::default() }, ..item.clone() }
}

fn unchanged(id: DatasetId) -> Decision {
    Decision { outcome: Outcome::Unchanged(id), record: None, row: None, tasks: Vec::new() }
}

/// Identity was settled when the record came first.
fn take_identity(record: &mut LocalRecord, said: &LocalRecord) {
    record.dataset.id = said.dataset.id;
    record.dataset.identifier.clone_from(&said.dataset.identifier);
    record.dataset.iri.clone_from(&said.dataset.iri);
}

fn row_of(source: &SourceName, item: Item, id: DatasetId, now: UnixMillis) -> SourceRow {
    SourceRow {
        source: source.as_str().to_owned(),
        key: item.key,
        place: item.place,
        dataset: id,
        at: now,
        said: item.record,
    }
}

fn tasks(
    source: &SourceName,
    dataset: DatasetId,
    wanted: Vec<(String, Bilingual)>,
    now: UnixMillis,
) -> Vec<TaskRow> {
    let task = |(field, text)| TaskRow { dataset, field, text, source: source.as_str().to_owned(), at: now };
    wanted.into_iter().map(task).collect()
}

fn source_says(source: &SourceName) -> Bilingual {
    Bilingual::made(
        format!(
            "Die Quelle „{source}“ sagt jetzt etwas anderes; im Haus gilt weiter der eigene Wert. Bitte entscheiden."
        ),
        format!("the source `{source}` says something else now; the town's own value stays; please decide"),
    )
}

#[cfg(test)]
mod tests {
    use crdt::catalog::NewDataset;
    use serde_json::json;

    use super::*;

    fn item(title: &str, notes: &str) -> Item {
        let body = json!({"title": title, "internal": {"notes": notes}});
        let id = DatasetId::from_random([title.len() as u8; 16]);
        let record = NewDataset::parse(&body).unwrap().into_record(id).unwrap();
        Item { key: "1".into(), place: "Zeile 2".into(), record, known: None, tasks: Vec::new() }
    }

    fn first_record() -> Option<LocalRecord> {
        decided(item("Bäume", "a"), None, None, false).record
    }

    fn decided(item: Item, row: Option<SourceRow>, record: Option<LocalRecord>, published: bool) -> Decision {
        decide(
            &SourceName::new("inventar"),
            item,
            Held { row, record, published, leading: None },
            UnixMillis(1_700_000_000_000),
        )
    }

    #[test]
    fn a_record_is_created_once_then_unchanged_then_changed() {
        let first = decided(item("Bäume", "a"), None, None, false);
        let (row, record) = (first.row.unwrap(), first.record.unwrap());
        assert_eq!(first.outcome, Outcome::Created(record.dataset.id));

        let same = decided(item("Bäume", "a"), Some(row.clone()), Some(record.clone()), false);
        assert_eq!(same.outcome, Outcome::Unchanged(record.dataset.id));
        assert!(same.record.is_none() && same.row.is_none(), "nothing is written");

        let other = decided(item("Gehölze", "a"), Some(row), Some(record.clone()), false);
        assert_eq!(other.outcome, Outcome::Changed { id: record.dataset.id, kept: vec![] });
        assert_eq!(other.record.unwrap().dataset.title.de.unwrap().as_str(), "Gehölze");
    }

    #[test]
    fn a_source_that_does_not_lead_changes_nothing() {
        let (source, now) = (SourceName::new("inventar"), UnixMillis(1_700_000_000_000));
        let first = decided(item("Bäume", "a"), None, None, false);
        let (row, record) = (first.row.unwrap(), first.record.unwrap());
        let led = |leading: Option<Leading>| {
            let held =
                Held { row: Some(row.clone()), record: Some(record.clone()), published: false, leading };
            decide(&source, item("Gehölze", "a"), held, now)
        };
        for leading in [Leading::Hand, Leading::Source("portal".into())] {
            let decision = led(Some(leading.clone()));
            let fields = vec!["title".to_owned()];
            assert_eq!(decision.outcome, Outcome::Led { id: row.dataset, leading, fields });
            assert!(decision.record.is_none() && decision.tasks.is_empty() && decision.row.is_some());
        }
        let own = led(Some(Leading::Source("inventar".into())));
        assert!(matches!(own.outcome, Outcome::Changed { .. }), "the leading source itself");
    }

    #[test]
    fn what_the_town_changed_or_published_stays_and_becomes_a_task() {
        let first = decided(item("Bäume", "a"), None, None, false);
        let (row, mut record) = (first.row.unwrap(), first.record.unwrap());
        record.dataset.title.de = Some("Baumkataster".parse().unwrap());
        let kept = decided(item("Gehölze", "a"), Some(row.clone()), Some(record), false);
        assert_eq!(kept.outcome, Outcome::Changed { id: row.dataset, kept: vec!["title/de".into()] });
        assert_eq!(kept.record.unwrap().dataset.title.de.unwrap().as_str(), "Baumkataster");
        assert_eq!(kept.tasks[0].field, "title/de");

        let open = decided(item("Gehölze", "b"), Some(row.clone()), None, true);
        let fields = vec!["internal/notes".to_owned(), "title".to_owned()];
        assert_eq!(open.outcome, Outcome::Published { id: row.dataset, fields });
        assert!(open.record.is_none() && open.tasks.len() == 2);

        let again = decided(item("Gehölze", "b"), None, None, false);
        assert!(matches!(again.outcome, Outcome::Created(_)));
        let adopted = decided(item("Gehölze", "b"), None, first_record(), false);
        assert!(
            matches!(adopted.outcome, Outcome::Changed { ref kept, .. } if *kept == ["internal/notes", "title/de"])
        );
        assert_eq!(adopted.row.unwrap().dataset, first_record().unwrap().dataset.id, "known from now on");
        let thrown_away = decided(item("Bäume", "a"), Some(row), None, false);
        assert!(matches!(thrown_away.outcome, Outcome::Created(_)), "it comes anew");
    }
}
