//! Decides, record by record, what a source's word changes here.
//!
//! A rehearsal and the ledger's writer decide by the same function: the one
//! over a snapshot, the other over what it is about to commit.

use std::collections::BTreeSet;

use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{Dataset, Identifier, Internal, LocalRecord, Merge};
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
    /// Whether to take records again that a person has thrown away here.
    pub again: bool,
}

/// One valid record and what is known about it.
#[derive(Debug, Clone)]
pub struct Item {
    /// What names it in its source.
    pub key: String,
    /// What named it there in the version before, if that was another key.
    pub was: Option<String>,
    /// Where it stood, in words.
    pub place: String,
    /// The record, under an id that counts if it is new.
    pub record: LocalRecord,
    /// A record of the town that is meant, though not yet known by this source.
    pub known: Option<DatasetId>,
    /// What it is called if it is new, where its own identifier is another
    /// record's already.
    pub instead: Option<Identifier>,
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
    /// A person has thrown it away here: it does not come again by itself.
    ThrownAway(DatasetId),
    /// What it says does not make a record together with what is held.
    Refused(crdt::catalog::InvalidField),
}

/// What is known here about a record of a source.
pub(crate) struct Held {
    /// The note of where it came from.
    pub(crate) row: Option<SourceRow>,
    /// The closed record.
    pub(crate) record: Option<LocalRecord>,
    /// The record as it is published.
    pub(crate) published: Option<LocalRecord>,
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

/// Decides about one record; `again` takes also what was thrown away here. Reads
/// nothing else and writes nothing.
pub(crate) fn decide(source: &SourceName, item: Item, held: Held, again: bool, now: UnixMillis) -> Decision {
    let (renamed, key, place) = (item.was.is_some(), item.key.clone(), item.place.clone());
    let before = held.row.clone();
    let mut decision = decided(source, item, held, again, now);
    if renamed && decision.row.is_none() {
        // It says nothing new, but goes by another name from now on.
        decision.row = before.map(|row| SourceRow { key, place, ..row });
    }
    decision
}

fn decided(source: &SourceName, item: Item, held: Held, again: bool, now: UnixMillis) -> Decision {
    let Held { row, record, published, leading } = held;
    if let Some(leading) = leading.filter(|leading| !leads(leading, source))
        && let Some(id) = row.as_ref().map(|row| row.dataset).or(item.known)
        && (published.is_some() || record.is_some())
    {
        return led(source, item, row, (id, leading), now);
    }
    match (row, record, published) {
        (Some(row), Some(record), _) => said_again(source, item, row, record, now),
        (Some(row), None, Some(_)) => published_already(source, item, row, now),
        (Some(row), None, None) if row.thrown_away && !again => {
            Decision { outcome: Outcome::ThrownAway(row.dataset), ..unchanged(row.dataset) }
        }
        // Ours already, by another road: empty fields are filled, nothing is
        // overwritten.
        (None, Some(record), _) => {
            let row = row_of(source, blank(&item, record.dataset.id), record.dataset.id, now);
            said_again(source, item, row, record, now)
        }
        (None, None, Some(published)) => published_elsewhere(source, item, &published, now),
        // New; or its source had taken it out and has it again.
        (_, None, None) => created(source, item, now),
    }
}

fn created(source: &SourceName, mut item: Item, now: UnixMillis) -> Decision {
    if let Some(identifier) = item.instead.take() {
        item.record.dataset.identifier = Some(identifier);
    }
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

fn said_again(
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

/// A published record of the town that this source names for the first time:
/// what it says otherwise, or in addition, is for a person.
fn published_elsewhere(
    source: &SourceName,
    mut item: Item,
    published: &LocalRecord,
    now: UnixMillis,
) -> Decision {
    let id = published.dataset.id;
    let nothing = blank(&item, id).record;
    take_identity(&mut item.record, published);
    let Merge { edit, kept } = Merge::of(&nothing, &item.record, published);
    let internal = edit.internal.fields().into_iter().map(|name| format!("internal/{name}"));
    let added = edit.dataset.fields().into_iter().map(str::to_owned).chain(internal);
    let fields: BTreeSet<String> = kept.into_iter().chain(added).collect();
    let wanted = fields.iter().map(|field| (field.clone(), source_says(source))).collect();
    Decision {
        outcome: match fields.is_empty() {
            true => Outcome::Unchanged(id),
            false => Outcome::Published { id, fields: fields.into_iter().collect() },
        },
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
        thrown_away: false,
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
        let (key, place) = ("1".into(), "Zeile 2".into());
        Item { key, was: None, place, record, known: None, instead: None, tasks: Vec::new() }
    }

    fn first_record() -> Option<LocalRecord> {
        decided(item("Bäume", "a"), None, None, false).record
    }

    fn decided(item: Item, row: Option<SourceRow>, record: Option<LocalRecord>, is_open: bool) -> Decision {
        let published = is_open.then(|| first_record().unwrap());
        let held = Held { row, record, published, leading: None };
        decide(&SourceName::new("inventar"), item, held, false, UnixMillis(1_700_000_000_000))
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
                Held { row: Some(row.clone()), record: Some(record.clone()), published: None, leading };
            decide(&source, item("Gehölze", "a"), held, false, now)
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
        let gone = decided(item("Bäume", "a"), Some(row.clone()), None, false);
        assert!(matches!(gone.outcome, Outcome::Created(_)), "its source had taken it out");
        let (thrown, now) = (SourceRow { thrown_away: true, ..row }, UnixMillis(1));
        let held = || Held { row: Some(thrown.clone()), record: None, published: None, leading: None };
        let source = SourceName::new("inventar");
        let refused = decide(&source, item("Gehölze", "c"), held(), false, now);
        assert_eq!(refused.outcome, Outcome::ThrownAway(thrown.dataset));
        assert!(refused.record.is_none() && refused.row.is_none(), "it stays thrown away");
        let wanted = decide(&source, item("Gehölze", "c"), held(), true, now);
        assert!(matches!(wanted.outcome, Outcome::Created(_)) && !wanted.row.unwrap().thrown_away);
    }

    #[test]
    fn a_published_record_that_a_source_names_for_the_first_time_is_compared() {
        let known = |title: &str, notes: &str| {
            let published = first_record().unwrap();
            let named = Item { known: Some(published.dataset.id), ..item(title, notes) };
            decided(named, None, None, true)
        };
        let same = known("Bäume", "a");
        assert!(matches!(same.outcome, Outcome::Unchanged(_)) && same.row.is_some() && same.tasks.is_empty());
        let edited = known("Baumkataster", "a");
        let fields = vec!["title/de".to_owned()];
        assert_eq!(edited.outcome, Outcome::Published { id: first_record().unwrap().dataset.id, fields });
        assert!(edited.record.is_none() && edited.tasks.len() == 1 && edited.row.is_some());
    }

    #[test]
    fn a_record_that_goes_by_another_name_is_known_by_it_from_now_on() {
        let first = decided(item("Bäume", "a"), None, None, false);
        let renamed = Item { key: "2".into(), was: Some("1".into()), ..item("Bäume", "a") };
        let decision = decided(renamed, first.row, first.record, false);
        assert!(matches!(decision.outcome, Outcome::Unchanged(_)));
        assert_eq!(decision.row.unwrap().key, "2");
    }
}
