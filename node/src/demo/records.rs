//! Reads records of several towns from one JSON file: the catalog that comes
//! with Hanse, a file of the same form, or one in the form of the project's
//! test data ([`super::foreign`]).
//!
//! A file is taken as a whole or not at all. What is wrong is said with
//! record, field, value and remedy, several at once. Nothing is published here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crdt::catalog::{Identifier, InvalidBody, Iri, LocalRecord, NewDataset};
use crdt::encoding::hash;
use crdt::ids::{DatasetId, Town};
use serde_json::{Map, Value};

use super::{DemoTown, foreign};

/// Names the form of a file, so that a later one can be told apart.
pub(super) const FORM: &str = "hanse records 1";

/// Longest file, in bytes: a hundred times the largest town's catalog.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Problems that are listed; a file that has more is the wrong file.
const PROBLEMS_MAX: usize = 20;

/// The invented catalog of five towns.
const SHIPPED: &str = include_str!("records.json");

/// Towns and their records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// The towns, in the order of the file.
    pub towns: Vec<DemoTown>,
    /// Their records, in the order of the file.
    pub records: Vec<DemoRecord>,
}

/// One record and what the file says should become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoRecord {
    /// Whose it is.
    pub town: Town,
    /// Whether it is open and to be published. All others stay closed.
    pub publish: bool,
    /// The record: closed, as every new one is.
    pub record: LocalRecord,
}

/// Why a file of records was not taken. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum LoadRecordsError {
    /// The file cannot be read.
    #[error("read the records `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is longer than any catalog.
    #[error("read the records `{}`: {bytes} bytes, at most {FILE_BYTES_MAX}; split the file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// The file is not JSON.
    #[error("understand the records `{}`: {source}; give a JSON file", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where the parser stopped.
        source: serde_json::Error,
    },
    /// The file is JSON, but its records are not.
    #[error("take the records `{}`:{}", path.display(), listed(problems))]
    Problems {
        /// The file.
        path: PathBuf,
        /// What is wrong, at least one.
        problems: Vec<RecordProblem>,
    },
}

/// One mistake in a file of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordProblem {
    /// Which town or record: its number from 1 and its name.
    pub place: String,
    /// Field, value and remedy.
    pub message: String,
}

impl fmt::Display for RecordProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

fn listed(problems: &[RecordProblem]) -> String {
    let mut text: String =
        problems.iter().take(PROBLEMS_MAX).map(|problem| format!("\n  {problem}")).collect();
    if problems.len() > PROBLEMS_MAX {
        text += &format!("\n  and {} more", problems.len() - PROBLEMS_MAX);
    }
    text
}

impl Records {
    /// The invented catalog that comes with Hanse.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED, Path::new("records.json")).expect("the shipped records are tested")
    }

    /// Reads a file of records.
    pub fn read(path: &Path) -> Result<Self, LoadRecordsError> {
        let failed = |source| LoadRecordsError::Read { path: path.to_path_buf(), source };
        let bytes = fs::metadata(path).map_err(failed)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(LoadRecordsError::TooLarge { path: path.to_path_buf(), bytes });
        }
        Self::parse(&fs::read_to_string(path).map_err(failed)?, path)
    }

    /// Understands the text of such a file; `path` is only named in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, LoadRecordsError> {
        let json: Value = serde_json::from_str(text)
            .map_err(|source| LoadRecordsError::Syntax { path: path.to_path_buf(), source })?;
        let refused = |problems| LoadRecordsError::Problems { path: path.to_path_buf(), problems };
        let json = foreign::translate(json).map_err(refused)?;
        Reader::default().file(&json).map_err(refused)
    }
}

/// What is read so far, and what was wrong with it.
#[derive(Default)]
struct Reader {
    towns: Vec<DemoTown>,
    recipients: BTreeSet<String>,
    records: Vec<DemoRecord>,
    identifiers: BTreeSet<(Town, Identifier)>,
    problems: Vec<RecordProblem>,
}

impl Reader {
    fn file(mut self, json: &Value) -> Result<Records, Vec<RecordProblem>> {
        let file = self.object("file", json, &["form", "notice", "towns", "partners", "records"]);
        if file.get("form").and_then(Value::as_str) != Some(FORM) {
            let found = file.get("form").map_or("nothing".to_owned(), ToString::to_string);
            self.problem("file", format!("`form` is {found}; give \"{FORM}\""));
            return Err(self.problems);
        }
        for (number, town) in self.list("file", &file, "towns") {
            self.town(&format!("town {number}"), &town);
        }
        for (number, partner) in self.list("file", &file, "partners") {
            let place = format!("partner {number}");
            let partner = self.object(&place, &partner, &["code", "name"]);
            let code = self.text(&place, &partner, "code");
            self.recipients.insert(code);
        }
        for (number, record) in self.list("file", &file, "records") {
            self.record(number, &record);
        }
        if self.problems.is_empty() {
            Ok(Records { towns: self.towns, records: self.records })
        } else {
            Err(self.problems)
        }
    }

    fn town(&mut self, place: &str, json: &Value) {
        let object = self.object(place, json, &["town", "code", "name", "base_url", "mailbox"]);
        let [key, code, name, base_url, mailbox] =
            ["town", "code", "name", "base_url", "mailbox"].map(|field| self.text(place, &object, field));
        let town = match Town::parse(&key) {
            Ok(town) => town,
            Err(error) => return self.problem(place, format!("field `town`: {error}")),
        };
        if !is_code(&code) {
            let remedy = "use small letters a to z, digits and `-`, such as bad-berleburg";
            return self.problem(place, format!("field `code`: `{code}` is no short name; {remedy}"));
        }
        if self.towns.iter().any(|other| other.town == town || other.code == code) {
            return self.problem(place, format!("`{code}` ({town}) occurs twice; list each town once"));
        }
        if let Err(error) = Iri::parse(&base_url) {
            return self.problem(place, error.at("base_url").to_string());
        }
        self.recipients.insert(code.clone());
        let base_url = base_url.trim_end_matches('/').to_owned();
        self.towns.push(DemoTown { town, code, name, base_url, mailbox });
    }

    fn record(&mut self, number: usize, json: &Value) {
        let place = place_of(number, json);
        let object = self.object(&place, json, &["town", "publish", "dataset"]);
        let code = self.text(&place, &object, "town");
        let Some(town) = self.towns.iter().find(|town| town.code == code).cloned() else {
            let known: Vec<&str> = self.towns.iter().map(|town| town.code.as_str()).collect();
            let remedy = format!("give one of: {}", known.join(", "));
            return self.problem(&place, format!("field `town`: `{code}` is not among the towns; {remedy}"));
        };
        let publish = match object.get("publish") {
            Some(Value::Bool(publish)) => *publish,
            other => {
                let value = other.map_or("nothing".to_owned(), ToString::to_string);
                return self.problem(&place, format!("field `publish`: `{value}`; give true or false"));
            }
        };
        match complete(&town, object.get("dataset").unwrap_or(&Value::Null)) {
            Ok((identifier, record)) => {
                if !self.identifiers.insert((town.town, identifier.clone())) {
                    let remedy = "give each record its own";
                    self.problem(
                        &place,
                        format!("field `identifier`: `{identifier}` occurs twice; {remedy}"),
                    );
                }
                self.check_recipients(&place, &record);
                self.records.push(DemoRecord { town: town.town, publish, record });
            }
            Err(invalid) => {
                for field in &invalid.fields {
                    self.problem(&place, field.to_string());
                }
            }
        }
    }

    fn check_recipients(&mut self, place: &str, record: &LocalRecord) {
        for recipient in &record.internal.sharing.recipients {
            if !self.recipients.contains(recipient.as_str()) {
                let remedy = "give the code of a town or partner of this file";
                let field = "internal/sharing/recipients";
                self.problem(place, format!("field `{field}`: nobody is called `{recipient}`; {remedy}"));
            }
        }
    }

    fn object(&mut self, place: &str, json: &Value, known: &[&str]) -> Map<String, Value> {
        let Value::Object(object) = json else {
            self.problem(place, "is not an object in braces; see `hanse demo --help`".to_owned());
            return Map::new();
        };
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            self.problem(place, format!("there is no field `{name}`; possible are: {}", known.join(", ")));
        }
        object.clone()
    }

    fn list(&mut self, place: &str, object: &Map<String, Value>, field: &str) -> Vec<(usize, Value)> {
        match object.get(field) {
            Some(Value::Array(entries)) => {
                entries.iter().enumerate().map(|(index, entry)| (index + 1, entry.clone())).collect()
            }
            None if field == "partners" => Vec::new(),
            _ => {
                self.problem(
                    place,
                    format!("field `{field}` is missing or no list; give a list in brackets"),
                );
                Vec::new()
            }
        }
    }

    fn text(&mut self, place: &str, object: &Map<String, Value>, field: &str) -> String {
        match object.get(field) {
            Some(Value::String(text)) if !text.trim().is_empty() => text.trim().to_owned(),
            _ => {
                self.problem(place, format!("field `{field}` is missing, empty or no text; give a text"));
                String::new()
            }
        }
    }

    fn problem(&mut self, place: &str, message: String) {
        self.problems.push(RecordProblem { place: place.to_owned(), message });
    }
}

/// The record that a body of the desk's API makes in this town.
fn complete(town: &DemoTown, body: &Value) -> Result<(Identifier, LocalRecord), InvalidBody> {
    let new = NewDataset::parse(body)?;
    // The same file gives the same ids, so that links into a demo outlive it.
    let given = body.get("identifier").and_then(Value::as_str);
    let name = given.map_or_else(|| body.to_string(), str::to_owned);
    let drawn = hash("hanse demo dataset id 1", &[town.town.digits(), name.as_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&drawn[..16]);
    let id = DatasetId::from_random(bytes);

    let home = format!("{}/dataset/{id}", town.base_url);
    let identifier = Identifier::parse(given.unwrap_or(&id.to_string()))?;
    let iri = given.and_then(|given| Iri::parse(given).ok()).map_or_else(|| Iri::parse(&home), Ok)?;
    let record = new.with_identity(&identifier, &iri).into_record(id)?;
    Ok((identifier, record))
}

/// Where a record stands, in words that find it in the file.
fn place_of(number: usize, json: &Value) -> String {
    let title = |value: &Value| value.as_str().map(str::to_owned);
    let name = json.get("dataset").and_then(|dataset| {
        let german = dataset.get("title")?;
        title(german.get("de").unwrap_or(german)).or_else(|| title(dataset.get("identifier")?))
    });
    match name {
        Some(name) => format!("record {number} („{}“)", name.chars().take(60).collect::<String>()),
        None => format!("record {number}"),
    }
}

fn is_code(code: &str) -> bool {
    let letters = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    letters && (1..=40).contains(&code.len()) && !code.starts_with('-') && !code.ends_with('-')
}
