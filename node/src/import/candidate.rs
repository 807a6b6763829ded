//! What a reader hands on: one record as its source describes it.
//!
//! These values also cross the pipe from the reading process, a JSON line
//! each. Nothing in them has been checked.

use std::collections::BTreeMap;
use std::fmt;

use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{InvalidField, Lang};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::export::{ExportHead, ExportPart};
use super::inventory::Mapping;

/// The name under which a source's records are known again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceName(String);

/// Longest name of a source, in characters.
const SOURCE_CHARS_MAX: usize = 200;

impl SourceName {
    /// A name as it was given, without control characters and surrounding space.
    pub fn new(text: &str) -> Self {
        let clean = text.chars().filter(|c| !c.is_control()).take(SOURCE_CHARS_MAX);
        let name = clean.collect::<String>().trim().to_owned();
        Self(if name.is_empty() { "import".to_owned() } else { name })
    }

    /// The name of a file's source: the file's name without what changes from
    /// one version to the next, so that `Inventar_2026-11 (2).xlsx` is the
    /// next word of `Inventar_2026-10.xlsx`.
    pub fn of_file(name: &str) -> Self {
        const PASSING: [&str; 9] =
            ["kopie", "copy", "neu", "final", "endfassung", "entwurf", "stand", "vom", "von"];
        let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem).to_lowercase();
        let words = stem.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
        let lasting: Vec<&str> = words.filter(|word| *word != "v" && !PASSING.contains(word)).collect();
        Self::new(&if lasting.is_empty() { stem.clone() } else { lasting.join(" ") })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands for the source in keys of the store.
    pub fn hash(&self) -> [u8; 16] {
        short_hash("hanse import source 1", self.0.as_bytes())
    }

    /// What stands for one of its records.
    pub fn key_hash(&self, key: &str) -> [u8; 32] {
        let mut whole = [0; 32];
        whole[..16].copy_from_slice(&self.hash());
        whole[16..].copy_from_slice(&short_hash("hanse import key 1", key.as_bytes()));
        whole
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands for a field in keys of the store.
pub(crate) fn field_hash(field: &str) -> [u8; 16] {
    short_hash("hanse import field 1", field.as_bytes())
}

/// What stands for a name in memory.
pub(super) fn name_hash(name: &str) -> [u8; 16] {
    short_hash("hanse import name 1", name.as_bytes())
}

/// The first half of a hash: enough to tell records of one town apart.
fn short_hash(context: &'static str, bytes: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&crdt::encoding::hash(context, &[bytes])[..16]);
    short
}

/// Where a record stands in its source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A row of a table, counted from 1 as a spreadsheet shows it.
    Row {
        /// The sheet, if there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        sheet: Option<String>,
        /// The row.
        row: u32,
    },
    /// A line of a text, counted from 1.
    Line(u64),
    /// A sheet that describes one dataset.
    Sheet(String),
    /// A thing with a name of its own: an IRI, an id, a page.
    Item(String),
    /// The file or source as a whole.
    Whole,
}

impl Place {
    /// The place in words.
    pub fn in_lang(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Row { sheet: None, row }, Lang::De) => format!("Zeile {row}"),
            (Self::Row { sheet: None, row }, Lang::En) => format!("row {row}"),
            (Self::Row { sheet: Some(sheet), row }, Lang::De) => format!("Blatt „{sheet}“, Zeile {row}"),
            (Self::Row { sheet: Some(sheet), row }, Lang::En) => format!("sheet `{sheet}`, row {row}"),
            (Self::Line(line), Lang::De) => format!("Zeile {line}"),
            (Self::Line(line), Lang::En) => format!("line {line}"),
            (Self::Sheet(sheet), Lang::De) => format!("Blatt „{sheet}“"),
            (Self::Sheet(sheet), Lang::En) => format!("sheet `{sheet}`"),
            (Self::Item(name), _) => name.clone(),
            (Self::Whole, Lang::De) => "Datei".to_owned(),
            (Self::Whole, Lang::En) => "file".to_owned(),
        }
    }
}

/// What kind of thing a [`Remark`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemarkKind {
    /// Good to know.
    Hint,
    /// Somebody has to decide or fill something in; becomes a task of the record.
    Task,
    /// A person's name or private note, kept among the town's own notes.
    Personal,
    /// The record seems to be here already.
    Duplicate,
}

/// Something about a candidate that does not keep it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// What kind of thing.
    pub kind: RemarkKind,
    /// Path of the record's field, `/` between its parts; may be empty.
    pub field: String,
    /// The value as given, shortened.
    pub value: String,
    /// What there is to say: completes "the value …".
    pub reason: Bilingual,
    /// What to do.
    pub remedy: Bilingual,
}

/// One record as a source describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Where it stands.
    pub place: Place,
    /// What names it within its source, from one version to the next.
    pub key: String,
    /// What else its source calls it; by these it is known on another road.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The JSON body from which [`crdt::catalog::NewDataset`] is read.
    pub fields: Map<String, Value>,
    /// What the source calls a field, by its path: `Spalte F „Lizenz“`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub called: BTreeMap<String, Bilingual>,
    /// Hints, tasks, names kept local.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// The row as it stood in a table, to be given back if it is rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub row: Vec<String>,
    /// Why it can be no record, where its reader knows that already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<InvalidField>,
}

impl Candidate {
    /// Its title: the German one, else the first that it has.
    pub(super) fn title(&self) -> Option<&str> {
        match self.fields.get("title")? {
            Value::Object(languages) => languages.get("de").or_else(|| languages.values().next())?.as_str(),
            title => title.as_str(),
        }
    }
}

/// Why nothing of a source could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}; {}", reason.en, remedy.en)]
pub struct Fault {
    /// What is wrong, a whole clause: "the file is empty".
    pub reason: Bilingual,
    /// What to do.
    pub remedy: Bilingual,
}

impl Fault {
    /// A fault without variable parts.
    pub fn fixed(de: &str, en: &str, remedy_de: &str, remedy_en: &str) -> Self {
        Self { reason: Bilingual::fixed(de, en), remedy: Bilingual::fixed(remedy_de, remedy_en) }
    }

    /// A fault made for the case at hand.
    pub fn made(de: String, en: String, remedy_de: &str, remedy_en: &str) -> Self {
        Self { reason: Bilingual::made(de, en), remedy: Bilingual::fixed(remedy_de, remedy_en) }
    }
}

/// What a reader says, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// How many records there may be, for a progress bar.
    Total(u64),
    /// How the columns of an inventory were understood, and its head.
    Mapping(Box<Mapping>),
    /// One record.
    Candidate(Box<Candidate>),
    /// What an export of a whole catalog says of itself; comes first.
    Head(ExportHead),
    /// A part of that catalog, and the number of its line.
    Part(u64, Box<ExportPart>),
    /// What stands in a column of persons.
    Person(String),
    /// Something about the source as a whole.
    Remark(Place, Box<Remark>),
    /// Everything has been said. A reader that ends without it was cut off.
    End,
    /// Nothing can be taken from the source.
    Fault(Fault),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_file_are_one_source_and_other_files_are_others() {
        let name = |file| SourceName::of_file(file).as_str().to_owned();
        for file in
            ["Inventar.xlsx", "inventar_2026-11.csv", "/tmp/Inventar (2) Kopie.ods", "Inventar v3 final.xlsx"]
        {
            assert_eq!(name(file), "inventar", "{file}");
        }
        assert_eq!(name("Inventar Jugendamt 2026.xlsx"), "inventar jugendamt");
        assert_eq!(name("2026.csv"), "2026");
        assert_eq!(SourceName::new(" \n ").as_str(), "import");
    }

    #[test]
    fn places_are_said_in_both_languages() {
        let place = Place::Row { sheet: Some("Bau".into()), row: 7 };
        assert_eq!(place.in_lang(Lang::De), "Blatt „Bau“, Zeile 7");
        assert_eq!(place.in_lang(Lang::En), "sheet `Bau`, row 7");
    }
}
