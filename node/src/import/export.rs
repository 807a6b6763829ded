//! Reads what [`crate::export`] has written: the whole catalog of a town, a
//! JSON object a line, from its head to the line that says it is whole.
//!
//! Only the form is looked at here: what a record may hold is decided where it
//! is taken in. Holds one line at a time, however long the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use crdt::ids::Town;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::candidate::{Fault, Line};
use super::limits::LINE_BYTES_MAX;
use crate::export::FORM;

/// How the first line of every form begins.
pub(super) const BEGINNING: &[u8] = br#"{"form":"hanse export "#;

/// What an export says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportHead {
    /// Its form.
    pub form: String,
    /// Whose catalog it is.
    pub town: Town,
    /// That town's name.
    pub town_name: String,
    /// Whether closed records and notes are in it.
    pub with_closed: bool,
}

/// The catalog itself or one record, as the line says it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportPart {
    /// The catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<Value>,
    /// A record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Value>,
    /// An open record that was given up for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<Value>,
    /// A name of a record that was given up, and the record that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<Value>,
    /// Whose word counts for a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leading: Option<Value>,
    /// Two records that are different.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub different: Option<Value>,
    /// Fields of other versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Value>,
    /// The town's own notes on the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal: Option<Value>,
    /// That the file is whole, and how many records it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    records: u64,
}

/// What a line is about.
enum Said {
    Record,
    /// The catalog, a record that was given up, a decision.
    Other,
    End(End),
}

impl ExportPart {
    /// What the line is about; nothing if it is about several things or none.
    fn says(&self) -> Option<Said> {
        let Self { catalog, dataset, given_up, alias, leading, different, extra, internal, end } = self;
        let with_notes = [dataset, given_up].into_iter().flatten().count();
        let with_extra = with_notes + usize::from(catalog.is_some());
        let decisions = [alias, leading, different].into_iter().flatten().count();
        let about = with_extra + decisions + usize::from(end.is_some());
        let fits = (internal.is_none() || with_notes == 1) && (extra.is_empty() || with_extra == 1);
        if about != 1 || !fits {
            return None;
        }
        Some(match end {
            Some(end) => Said::End(*end),
            None if dataset.is_some() => Said::Record,
            None => Said::Other,
        })
    }
}

/// Reads an export to its end.
pub(super) fn read(
    file: File,
    say: &mut dyn FnMut(&Line) -> io::Result<bool>,
) -> io::Result<Result<(), Fault>> {
    let mut lines = Lines { from: BufReader::with_capacity(64 * 1024, file), line: Vec::new(), number: 0 };
    match all(&mut lines, say) {
        Ok(()) => Ok(Ok(())),
        Err(Stop::Fault(fault)) => Ok(Err(fault)),
        Err(Stop::Io(error)) => Err(error),
    }
}

enum Stop {
    Fault(Fault),
    Io(io::Error),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn all(lines: &mut Lines, say: &mut dyn FnMut(&Line) -> io::Result<bool>) -> Result<(), Stop> {
    let head: ExportHead = lines.next()?.ok_or_else(|| lines.cut_off())?;
    if head.form != FORM {
        return Err(other_form(&head.form).into());
    }
    say(&Line::Head(head))?;
    let mut records = 0;
    loop {
        let part: ExportPart = lines.next()?.ok_or_else(|| lines.cut_off())?;
        match part.says() {
            Some(Said::End(end)) if end.records == records => break,
            Some(Said::Record) => records += 1,
            Some(Said::Other) => {}
            Some(Said::End(_)) | None => {
                return Err(lines
                    .wrong("sie sagt nichts, was hier stehen kann", "it says what cannot stand here")
                    .into());
            }
        }
        if !say(&Line::Part(lines.number, Box::new(part)))? {
            return Ok(());
        }
    }
    match lines.next::<Value>()? {
        None => Ok(()),
        Some(_) => Err(lines.wrong("sie steht hinter dem Ende", "it stands after the end").into()),
    }
}

struct Lines {
    from: BufReader<File>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    fn next<T: for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>, Stop> {
        self.line.clear();
        let most = LINE_BYTES_MAX as u64;
        if (&mut self.from).take(most + 1).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.len() as u64 > most {
            return Err(self.wrong("sie ist zu lang", "it is too long").into());
        }
        if self.line.last() != Some(&b'\n') {
            return Err(self.cut_off().into());
        }
        let read = serde_json::from_slice(&self.line).map_err(|error| {
            let detail: String = error.to_string().chars().take(200).collect();
            self.wrong(
                &format!("sie passt nicht zur Form ({detail})"),
                &format!("it is not of the form ({detail})"),
            )
        });
        Ok(Some(read?))
    }

    fn wrong(&self, de: &str, en: &str) -> Fault {
        Fault::made(
            format!("Zeile {} der Ausfuhr: {de}", self.number),
            format!("line {} of the export: {en}", self.number),
            "die Datei so nehmen, wie `hanse export` sie geschrieben hat; es wurde nichts übernommen",
            "take the file as `hanse export` has written it; nothing was taken",
        )
    }

    fn cut_off(&self) -> Fault {
        Fault::made(
            format!("die Ausfuhr bricht nach Zeile {} ab", self.number),
            format!("the export breaks off after line {}", self.number),
            "noch einmal ausführen (`hanse export`) oder die Datei noch einmal übertragen; es wurde nichts übernommen",
            "export again (`hanse export`), or copy the file again; nothing was taken",
        )
    }
}

fn other_form(form: &str) -> Fault {
    let shown: String = form.chars().take(40).collect();
    Fault::made(
        format!("die Ausfuhr hat die Form „{shown}“; diese Version von Hanse liest „{FORM}“"),
        format!("the export is of the form `{shown}`; this version of Hanse reads `{FORM}`"),
        "mit der Version von Hanse einlesen, die sie geschrieben hat, oder einer neueren",
        "import it with the version of Hanse that wrote it, or a newer one",
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    const HEAD: &str =
        r#"{"form":"hanse export 1","town":"05974040","town_name":"Soest","with_closed":true}"#;

    /// How many parts a text has, or why it has none.
    fn parts(text: &str) -> Result<usize, String> {
        let mut file = crate::import::private_file(None).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.rewind().unwrap();
        let mut parts = 0;
        let read = read(file, &mut |line| {
            parts += usize::from(matches!(line, Line::Part(..)));
            Ok(true)
        });
        read.unwrap().map(|()| parts).map_err(|fault| fault.to_string())
    }

    #[test]
    fn only_a_whole_export_is_read() {
        let one = r#"{"dataset":{"id":"x"},"extra":{}}"#;
        let end = r#"{"end":{"records":1}}"#;
        assert!(HEAD.as_bytes().starts_with(BEGINNING));
        assert_eq!(parts(&format!("{HEAD}\n{one}\n{end}\n")), Ok(1));
        assert_eq!(parts(&format!("{HEAD}\n{{\"catalog\":{{}},\"extra\":{{}}}}\n{one}\n{end}\n")), Ok(2));
        let given_up = r#"{"given_up":{"id":"y"},"extra":{},"internal":{}}"#;
        let decided = r#"{"alias":{"name":"y"}}"#;
        assert_eq!(parts(&format!("{HEAD}\n{one}\n{given_up}\n{decided}\n{end}\n")), Ok(3), "one record");
        for (text, word) in [
            (
                format!("{HEAD}\n{one}\n{{\"alias\":{{}},\"extra\":{{\"x\":1}}}}\n{end}\n"),
                "cannot stand here",
            ),
            (format!("{HEAD}\n{one}\n{{\"alias\":{{}},\"leading\":{{}}}}\n{end}\n"), "cannot stand here"),
            (String::new(), "breaks off after line 0"),
            (HEAD.to_owned(), "breaks off"),
            (format!("{HEAD}\n{one}\n"), "breaks off after line 2"),
            (format!("{HEAD}\n{one}\n{end}"), "breaks off"),
            (format!("{HEAD}\n{one}\n{one}\n{end}\n"), "line 4"),
            (format!("{HEAD}\n{one}\n{end}\n{one}\n"), "line 4 of the export: it stands after the end"),
            (format!("{HEAD}\n{{\"datensatz\":{{}}}}\n{end}\n"), "datensatz"),
            (format!("{HEAD}\n{{}}\n{end}\n"), "cannot stand here"),
            (HEAD.replace("export 1", "export 2") + "\n", "this version of Hanse reads"),
        ] {
            let refused = parts(&text).unwrap_err();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }
}
