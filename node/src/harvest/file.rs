//! A catalog in a file: RDF, or packages of CKAN, for `hanse import`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};

use crdt::catalog::{Bilingual, InvalidField};
use crdt::foreign::ForeignRecord;
use crdt::vocabulary::Vocabularies;
use serde_json::Map;

use super::page::{self, PAGE_BYTES_MAX, UnreadablePage};
use super::run::candidate;
use crate::import::{Candidate, Fault, Line, Place, Remark, RemarkKind};

/// Reads a file to its end, record by record.
pub(crate) fn read(
    file: File,
    lists: &Vocabularies,
    say: &mut dyn FnMut(&Line) -> io::Result<bool>,
) -> io::Result<Result<(), Fault>> {
    let mut bytes = Vec::new();
    file.take(PAGE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let content = match page::content(bytes, None, None) {
        Ok(content) => content,
        Err(UnreadablePage { problem, remedy }) => return Ok(Err(Fault { reason: problem, remedy })),
    };
    if content.is_empty() {
        return Ok(Err(Fault::fixed(
            "die Datei enthält keinen Datensatz",
            "the file holds no dataset",
            "eine Datei mit dcat:Dataset oder mit den Paketen eines CKAN angeben",
            "give a file with dcat:Dataset, or with the packages of a CKAN",
        )));
    }
    say(&Line::Total(content.len() as u64))?;
    if let Some(next) = content.next() {
        say(&Line::Remark(Place::Whole, Box::new(more_pages(next))))?;
    }
    for (number, record) in (1..).zip(content.records(lists)) {
        if !say_record(number, record, say)? {
            break;
        }
    }
    Ok(Ok(()))
}

/// Hands on one record, the `number`th, also one that cannot be one; whether to
/// go on.
pub(super) fn say_record(
    number: u64,
    record: ForeignRecord,
    say: &mut dyn FnMut(&Line) -> io::Result<bool>,
) -> io::Result<bool> {
    let candidate = candidate(record).unwrap_or_else(|(key, reasons)| refused(number, key, reasons));
    say(&Line::Candidate(Box::new(candidate)))
}

/// A record that cannot be one, with the reasons. One without a name goes by its
/// place.
fn refused(number: u64, key: String, reasons: Vec<InvalidField>) -> Candidate {
    let name = if key.is_empty() { format!("dcat:Dataset {number}") } else { key.clone() };
    Candidate {
        place: Place::Item(name),
        key,
        names: Vec::new(),
        fields: Map::new(),
        called: BTreeMap::new(),
        remarks: Vec::new(),
        row: Vec::new(),
        refused: reasons,
    }
}

fn more_pages(next: &str) -> Remark {
    Remark {
        kind: RemarkKind::Hint,
        field: String::new(),
        value: next.chars().take(80).collect(),
        reason: Bilingual::fixed(
            "ist die nächste Seite; die Datei ist nur ein Teil des Katalogs",
            "is the next page; the file is only a part of the catalog",
        ),
        remedy: Bilingual::fixed(
            "die Adresse des Katalogs statt der Datei angeben, oder ihn mit `hanse source add` abrufen",
            "give the address of the catalog instead of the file, or harvest it with `hanse source add`",
        ),
    }
}
