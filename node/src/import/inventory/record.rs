//! Makes one candidate of the cells that describe one dataset.
//!
//! What has a place in the public part goes there, checked later by
//! `crdt::catalog`; what is the town's own business goes to the notes; what is
//! not understood goes to the notes too, with a task.

use std::collections::BTreeMap;

use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{Line, Mailbox, Phone, Word};
use crdt::vocabulary::List;
use serde_json::{Map, Value, json};

use super::columns::{Meaning, field_of};
use super::values::{self, Meant, Values};
use super::{dates, names};
use crate::import::candidate::{Candidate, Place, Remark, RemarkKind};

/// Longest value that a remark repeats, in characters.
const EXCERPT_CHARS: usize = 80;
/// Longest notes, in bytes, as a record takes them.
const NOTES_BYTES_MAX: usize = 30 * 1024;

/// A cell and the column it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell<'a> {
    /// The column's name.
    pub(super) column: &'a str,
    /// Its letters, such as `AB`; empty in a sheet that describes one dataset.
    pub(super) letters: &'a str,
    /// What it means.
    pub(super) meaning: Option<Meaning>,
    /// What stands in it.
    pub(super) text: &'a str,
}

/// The candidate that these cells make.
pub(super) fn candidate(
    place: Place,
    cells: &[Cell<'_>],
    row: Vec<String>,
    values: &mut Values<'_>,
) -> Candidate {
    let mut making = Making {
        fields: Map::new(),
        called: BTreeMap::new(),
        remarks: Vec::new(),
        notes: Vec::new(),
        values,
    };
    // The standardised title, where there is one, is the title.
    let standard = |cell: &&Cell<'_>| cell.column.to_lowercase().contains("standardis");
    let mut ordered: Vec<&Cell<'_>> = cells.iter().filter(standard).collect();
    ordered.extend(cells.iter().filter(|cell| !standard(cell)));
    for cell in ordered {
        if !values::is_blank(cell.text) {
            making.cell(cell);
        }
    }
    making.finish(place, row)
}

struct Making<'a, 'l> {
    fields: Map<String, Value>,
    called: BTreeMap<String, Bilingual>,
    remarks: Vec<Remark>,
    notes: Vec<String>,
    values: &'a mut Values<'l>,
}

impl Making<'_, '_> {
    fn cell(&mut self, cell: &Cell<'_>) {
        let Some(meaning) = cell.meaning else { return self.note(cell) };
        let field = field_of(meaning);
        self.called.entry(field.to_owned()).or_insert_with(|| called(cell));
        match meaning {
            Meaning::Ignored => {}
            Meaning::Title => self.public_line(cell, "title/de"),
            Meaning::Description => self.description(cell),
            Meaning::Department => self.public_line(cell, "department"),
            Meaning::Domain => self.public_line(cell, "domain"),
            Meaning::Spatial => self.public_line(cell, "spatial/unit"),
            Meaning::UpdateProcess => self.public_line(cell, "update_process"),
            Meaning::Attribution => self.public_line(cell, "attribution"),
            Meaning::Publisher => self.public_line(cell, "publisher/name"),
            Meaning::ContactName => self.public_line(cell, "contact/name"),
            Meaning::Sovereignty => self.internal_line(cell, "internal/responsible_role/unit"),
            Meaning::SourceSystem => self.internal_line(cell, "internal/source_system"),
            Meaning::LegalBasis => self.set("internal/legal_basis", values::prose(cell.text)),
            Meaning::Protection => self.set("internal/classification_reason", values::prose(cell.text)),
            Meaning::Identifier => self.set("identifier", values::line(cell.text)),
            Meaning::Geocoding => self.set("spatial/geocoding", values::line(cell.text)),
            Meaning::ContactEmail => self.mailbox(cell),
            Meaning::ContactPhone => self.phone(cell),
            Meaning::Keywords => self.keywords(cell),
            Meaning::Theme => self.theme(cell),
            Meaning::Licence => self.code(cell, List::Licences, "licence"),
            Meaning::Musterdatensatz => self.code(cell, List::ReferenceTypes, "musterdatensatz"),
            Meaning::Frequency => self.frequency(cell),
            Meaning::Format => self.formats(cell),
            Meaning::DataModified => self.day(cell, "data_modified"),
            Meaning::TemporalStart => self.day(cell, "temporal/start"),
            Meaning::TemporalEnd => self.day(cell, "temporal/end"),
            Meaning::PersonalData => self.personal_data(cell),
            Meaning::Hvd => self.hvd(cell),
            Meaning::OpenDataFit => self.open_data_fit(cell),
            Meaning::Link | Meaning::Interface => self.link(cell, "access_url"),
            Meaning::Download => self.link(cell, "download_url"),
            Meaning::Classification | Meaning::Availability => self.release_hint(cell),
            Meaning::Person => self.person(cell),
            Meaning::Comment | Meaning::Anonymisable => self.note(cell),
        }
    }

    /// A public line: a person's name in it stays in the house.
    fn public_line(&mut self, cell: &Cell<'_>, path: &str) {
        let text = values::line(cell.text);
        if self.has(path) {
            return self.note(cell);
        }
        match names::without_persons(&text) {
            _ if names::is_person(&text) && !path.starts_with("title") => self.kept_local(cell, path),
            Some(without) => {
                self.set(path, without);
                self.kept_local(cell, path);
            }
            None => self.set(path, text),
        }
    }

    fn description(&mut self, cell: &Cell<'_>) {
        let text = values::prose(cell.text);
        if self.has("description/de") {
            return self.note(cell);
        }
        match names::without_persons(&text) {
            Some(without) => {
                self.set("description/de", without);
                self.kept_local(cell, "description/de");
            }
            None => self.set("description/de", text),
        }
    }

    fn internal_line(&mut self, cell: &Cell<'_>, path: &str) {
        let text = values::line(cell.text);
        let role = path.contains("role");
        if self.has(path) || role && names::is_person(&text) || Line::parse(&text).is_err() {
            return self.note(cell);
        }
        self.set(path, text);
    }

    fn mailbox(&mut self, cell: &Cell<'_>) {
        let text = values::line(cell.text);
        if names::is_person(&text) {
            return self.kept_local(cell, "contact/email");
        }
        match Mailbox::parse(&text) {
            Ok(mailbox) => self.set("contact/email", mailbox.to_string()),
            Err(error) => self.question(cell, "contact/email", error.problem, error.remedy),
        }
    }

    fn phone(&mut self, cell: &Cell<'_>) {
        match Phone::parse(&values::line(cell.text)) {
            Ok(phone) => self.set("contact/phone", phone.to_string()),
            Err(error) => self.question(cell, "contact/phone", error.problem, error.remedy),
        }
    }

    fn keywords(&mut self, cell: &Cell<'_>) {
        let words = values::parts(cell.text).map(|word| values::line(word.trim_start_matches('#')));
        let (persons, words): (Vec<String>, Vec<String>) =
            words.filter(|word| !word.is_empty()).partition(|word| names::is_person(word));
        let (mut fit, mut left): (Vec<String>, Vec<String>) =
            words.into_iter().partition(|word| Word::parse(word).is_ok());
        left.extend(fit.split_off(fit.len().min(crdt::catalog::MEMBERS_MAX)));
        self.put("keywords/de", json!(fit));
        if !persons.is_empty() {
            self.kept_local(cell, "keywords/de");
        }
        if let Some(first) = left.first() {
            let first: String = first.chars().take(EXCERPT_CHARS).collect();
            let (count, most) = (left.len(), crdt::catalog::MEMBERS_MAX);
            let reason = Bilingual::made(
                format!(
                    "hat {count} Schlagwörter, die zu lang oder mehr als {most} sind und nur in den Notizen stehen („{first}“)"
                ),
                format!(
                    "has {count} keywords that are too long or more than {most} and stand in the notes only (`{first}`)"
                ),
            );
            self.question(
                cell,
                "keywords/de",
                reason,
                Bilingual::fixed("kürzere Schlagwörter wählen", "choose shorter ones"),
            );
        }
    }

    fn theme(&mut self, cell: &Cell<'_>) {
        let meant = self.values.several(List::Themes, &values::line(cell.text));
        if !meant.sure.is_empty() {
            self.put("themes", json!(meant.sure));
        }
        if meant.sure.is_empty() && !self.has("domain") {
            // The town's own word for it.
            self.public_line(cell, "domain");
        }
        self.unsure(cell, "themes", meant);
    }

    fn code(&mut self, cell: &Cell<'_>, list: List, path: &str) {
        let meant = self.values.one(list, &values::line(cell.text));
        if let Some(code) = meant.sure.first() {
            self.set(path, code.clone());
        }
        self.unsure(cell, path, meant);
    }

    fn frequency(&mut self, cell: &Cell<'_>) {
        let meant = self.values.one(List::Frequencies, &values::line(cell.text));
        self.set("frequency", meant.sure.first().cloned().unwrap_or_else(|| "UNKNOWN".to_owned()));
        self.unsure(cell, "frequency", meant);
    }

    fn formats(&mut self, cell: &Cell<'_>) {
        let mut formats: Vec<String> = Vec::new();
        for part in values::parts(cell.text) {
            let part = values::line(part.trim_start_matches(['.', '*']));
            let meant = self.values.one(List::Formats, &part);
            match meant.sure.into_iter().next() {
                Some(format) => formats.push(format),
                None if crdt::catalog::Format::parse(&part).is_ok() && part.chars().count() <= 30 => {
                    formats.push(part)
                }
                None => self.question(cell, "formats", unknown_word(), choose(&meant.unsure)),
            }
        }
        formats.sort();
        formats.dedup();
        if !formats.is_empty() {
            self.put("formats", json!(formats));
        }
    }

    fn day(&mut self, cell: &Cell<'_>, path: &str) {
        match dates::day(&values::line(cell.text)) {
            Some((day, false)) => self.set(path, day.to_string()),
            Some((day, true)) => {
                self.set(path, day.to_string());
                let reason =
                    Bilingual::made(format!("wurde als {day} gelesen"), format!("was read as {day}"));
                self.remark(RemarkKind::Hint, cell, path, reason, fill_in_day());
            }
            None => {
                let reason = Bilingual::fixed("ist kein Tag des Kalenders", "is not a day of the calendar");
                self.question(cell, path, reason, fill_in_day());
            }
        }
    }

    fn personal_data(&mut self, cell: &Cell<'_>) {
        let text = values::line(cell.text);
        let known = crdt::catalog::PersonalData::parse(&text).ok();
        let lower = text.to_lowercase();
        let code = match (known, values::yes_or_no(&text)) {
            (Some(known), _) => known.code(),
            (None, _) if lower.contains("pseudonym") => "pseudonymisiert",
            (None, _) if lower.contains("anonymisiert") => "anonymisiert",
            (None, Some(true)) => "personenbezogen",
            (None, Some(false)) => "keiner",
            (None, None) => {
                let reason = Bilingual::fixed(
                    "sagt nicht, ob Personenbezug besteht",
                    "does not say whether persons are concerned",
                );
                let remedy = Bilingual::fixed("Personenbezug prüfen und eintragen", "check and fill in");
                self.question(cell, "personal_data", reason, remedy);
                "zu prüfen"
            }
        };
        self.set("personal_data", code.to_owned());
    }

    fn hvd(&mut self, cell: &Cell<'_>) {
        let code = match values::yes_or_no(cell.text) {
            Some(true) => "ja",
            Some(false) => "nein",
            None => {
                let reason = Bilingual::fixed(
                    "sagt nicht, ob es ein hochwertiger Datensatz ist",
                    "does not say whether it is a high-value dataset",
                );
                self.question(
                    cell,
                    "hvd",
                    reason,
                    Bilingual::fixed("prüfen und eintragen", "check and fill in"),
                );
                "zu prüfen"
            }
        };
        self.set("hvd", code.to_owned());
    }

    fn open_data_fit(&mut self, cell: &Cell<'_>) {
        match values::yes_or_no(cell.text) {
            Some(fit) => {
                let class = if fit { "open" } else { "closed" };
                self.set("internal/proposed_classification", class.to_owned());
                if values::line(cell.text).chars().count() > 4 {
                    self.note(cell);
                }
            }
            None => self.note(cell),
        }
    }

    /// Whatever a sheet says about publication, nothing is published by it.
    fn release_hint(&mut self, cell: &Cell<'_>) {
        self.note(cell);
        let yes = cell.column.to_lowercase().starts_with("veröffentlich")
            && values::yes_or_no(cell.text) == Some(true);
        if yes || values::says_published(cell.text) {
            if !self.has("internal/proposed_classification") {
                self.set("internal/proposed_classification", "open".to_owned());
            }
            let reason = Bilingual::fixed(
                "wird nicht übernommen: jeder Datensatz kommt geschlossen an",
                "is not carried over: every record arrives closed",
            );
            let remedy = Bilingual::fixed(
                "den Datensatz prüfen und hier freigeben",
                "check the record and publish it here",
            );
            self.remark(RemarkKind::Hint, cell, "class", reason, remedy);
        }
    }

    fn link(&mut self, cell: &Cell<'_>, name: &str) {
        let (found, rest) = values::addresses(cell.text);
        if values::is_path(cell.text) || found.iter().any(|url| url.to_lowercase().starts_with("file:")) {
            self.note(cell);
            let reason = Bilingual::fixed(
                "ist ein Ablageort und bleibt im Haus",
                "is a place on a drive and stays in the house",
            );
            let remedy =
                Bilingual::fixed("für Externe eine Webadresse angeben", "give a web address for others");
            return self.remark(RemarkKind::Personal, cell, "internal/notes", reason, remedy);
        }
        let (fine, wrong): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|url| crdt::catalog::Iri::parse(url).is_ok());
        if !wrong.is_empty() || fine.is_empty() && cell.meaning != Some(Meaning::Interface) {
            let reason = Bilingual::fixed("ist keine Webadresse", "is not a web address");
            let remedy = Bilingual::fixed("mit https:// beginnen", "begin with https://");
            return self.question(cell, "distributions", reason, remedy);
        }
        if fine.is_empty() || !rest.is_empty() {
            self.note(cell);
        }
        self.distributions(name, fine);
    }

    /// One distribution an address; a download address joins the one there is.
    fn distributions(&mut self, name: &str, urls: Vec<String>) {
        let entry = self.fields.entry("distributions").or_insert_with(|| json!([]));
        let Some(list) = entry.as_array_mut() else { return };
        for url in urls.into_iter().take(crdt::catalog::DISTRIBUTIONS_MAX) {
            match list.as_mut_slice() {
                [Value::Object(only)] if !only.contains_key(name) => {
                    only.insert(name.to_owned(), url.into());
                }
                _ => list.push(json!({ name: url })),
            }
        }
    }

    fn person(&mut self, cell: &Cell<'_>) {
        self.note(cell);
        self.remark(RemarkKind::Personal, cell, "internal/notes", personal(), role_mailbox());
    }

    /// The text names a person: it goes to the notes, and somebody is told.
    fn kept_local(&mut self, cell: &Cell<'_>, path: &str) {
        self.note(cell);
        self.remark(RemarkKind::Personal, cell, path, personal(), role_mailbox());
    }

    /// What is not understood is kept, and asked.
    fn question(&mut self, cell: &Cell<'_>, path: &str, reason: Bilingual, remedy: Bilingual) {
        self.note(cell);
        self.remark(RemarkKind::Task, cell, path, reason, remedy);
    }

    fn unsure(&mut self, cell: &Cell<'_>, path: &str, meant: Meant) {
        if !meant.unsure.is_empty() {
            self.question(cell, path, unknown_word(), choose(&meant.unsure));
        }
    }

    fn note(&mut self, cell: &Cell<'_>) {
        let note = format!("{}: {}", values::line(cell.column), values::prose(cell.text));
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn remark(
        &mut self,
        kind: RemarkKind,
        cell: &Cell<'_>,
        path: &str,
        reason: Bilingual,
        remedy: Bilingual,
    ) {
        self.called.entry(path.to_owned()).or_insert_with(|| called(cell));
        let value = values::line(cell.text).chars().take(EXCERPT_CHARS).collect();
        self.remarks.push(Remark { kind, field: path.to_owned(), value, reason, remedy });
    }

    fn set(&mut self, path: &str, text: String) {
        if !text.is_empty() {
            self.put(path, Value::String(text));
        }
    }

    fn put(&mut self, path: &str, value: Value) {
        let mut keys = path.split('/').peekable();
        let mut at = &mut self.fields;
        while let Some(key) = keys.next() {
            if keys.peek().is_none() {
                at.insert(key.to_owned(), value);
                return;
            }
            let below = at.entry(key).or_insert_with(|| Value::Object(Map::new()));
            match below.as_object_mut() {
                Some(below) => at = below,
                None => return,
            }
        }
    }

    fn has(&self, path: &str) -> bool {
        let mut keys = path.split('/');
        let first = keys.next().and_then(|key| self.fields.get(key));
        keys.try_fold(first, |at, key| Some(at?.get(key))).flatten().is_some()
    }

    fn finish(mut self, place: Place, row: Vec<String>) -> Candidate {
        if !self.notes.is_empty() {
            let notes = self.notes.join("\n");
            if notes.len() > NOTES_BYTES_MAX {
                self.remarks.push(notes_cut(notes.len()));
            }
            self.set("internal/notes", values::beginning(&notes, NOTES_BYTES_MAX).to_owned());
        }
        let text = |path: &[&str]| {
            let found =
                path.iter().try_fold(&Value::Object(self.fields.clone()), |at, key| at.get(key)).cloned();
            found.and_then(|value| value.as_str().map(str::to_lowercase)).unwrap_or_default()
        };
        let key = match text(&["identifier"]) {
            identifier if !identifier.is_empty() => identifier,
            // Two offices may keep lists of one name.
            _ => [text(&["title", "de"]), text(&["department"])].join("\u{1f}"),
        };
        Candidate {
            place,
            key,
            names: Vec::new(),
            fields: self.fields,
            called: self.called,
            remarks: self.remarks,
            row,
            refused: Vec::new(),
        }
    }
}

fn called(cell: &Cell<'_>) -> Bilingual {
    let column = values::line(cell.column);
    match cell.letters {
        "" => Bilingual::made(format!("Feld „{column}“"), format!("field `{column}`")),
        letters => {
            Bilingual::made(format!("Spalte {letters} „{column}“"), format!("column {letters} `{column}`"))
        }
    }
}

/// Notes that are longer than a record takes are cut, and somebody is told.
fn notes_cut(length: usize) -> Remark {
    Remark {
        kind: RemarkKind::Task,
        field: "internal/notes".to_owned(),
        value: String::new(),
        reason: Bilingual::made(
            format!("hätte {length} Byte Notizen; nach {NOTES_BYTES_MAX} wurde abgeschnitten"),
            format!("would have {length} bytes of notes; they were cut after {NOTES_BYTES_MAX}"),
        ),
        remedy: Bilingual::fixed(
            "in der Datei nachsehen, was fehlt, und an anderer Stelle aufbewahren",
            "look in the file for what is missing, and keep it elsewhere",
        ),
    }
}

fn unknown_word() -> Bilingual {
    Bilingual::fixed("ist in der Liste nicht bekannt", "is not known in the list")
}

fn choose(unsure: &[(String, Vec<String>)]) -> Bilingual {
    let mut labels: Vec<&str> =
        unsure.iter().flat_map(|(_, labels)| labels.iter().map(String::as_str)).collect();
    labels.dedup();
    match labels.as_slice() {
        [] => Bilingual::fixed("einen Wert der Liste auswählen", "choose a value of the list"),
        labels => {
            let all = labels.iter().map(|label| format!("„{label}“")).collect::<Vec<_>>().join(" oder ");
            Bilingual::made(
                format!("auswählen, vielleicht {all}"),
                format!("choose, perhaps {}", labels.join(" or ")),
            )
        }
    }
}

fn fill_in_day() -> Bilingual {
    Bilingual::fixed("als TT.MM.JJJJ eintragen", "fill in as YYYY-MM-DD")
}

fn personal() -> Bilingual {
    Bilingual::fixed(
        "nennt vermutlich eine Person und bleibt in den internen Notizen",
        "probably names a person and stays in the internal notes",
    )
}

fn role_mailbox() -> Bilingual {
    Bilingual::fixed(
        "für Externe eine Rolle mit Funktionspostfach angeben",
        "give a role with its mailbox for others",
    )
}
