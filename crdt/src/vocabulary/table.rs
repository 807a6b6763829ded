//! The text form of a list: comment lines with what the list is, one line of
//! column names, one line per concept, cells separated by tabs.
//!
//! Never guesses: the first mistake is named with line, column and remedy, and
//! nothing of the list is used.

use std::collections::{BTreeMap, BTreeSet};

use super::matching::Spellings;
use super::{Concept, List, Mark, Vocabulary};
use crate::catalog::invalid::{Bilingual, Lang, nearest};

/// Largest file of a list in bytes.
pub const VOCABULARY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most concepts of one list.
pub const CONCEPTS_MAX: usize = 20_000;
/// Longest cell in bytes.
pub const CELL_BYTES_MAX: usize = 4_096;

/// What separates the aliases in their cell.
const ALIAS_SEPARATOR: char = '|';

const COLUMNS: [&str; 9] =
    ["code", "name", "de", "en", "marks", "parent", "media_type", "conforms_to", "aliases"];
const HEADERS: [&str; 6] = ["title.de", "title.en", "source", "version", "licence", "base"];

/// A list's file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: `{value}` {problem}; {remedy}")]
pub struct InvalidVocabulary {
    /// Line, from 1.
    pub line: usize,
    /// Character within the line, from 1.
    pub column: usize,
    /// What stands there, shortened.
    pub value: String,
    /// What is wrong: completes "the value …".
    pub problem: Bilingual,
    /// What to do, in the imperative.
    pub remedy: Bilingual,
}

impl InvalidVocabulary {
    /// The whole sentence.
    pub fn message(&self, lang: Lang) -> String {
        match lang {
            Lang::De => format!(
                "Zeile {}, Spalte {}: „{}“ {}. Abhilfe: {}.",
                self.line, self.column, self.value, self.problem.de, self.remedy.de
            ),
            Lang::En => self.to_string(),
        }
    }
}

/// A cell and where it stands.
#[derive(Clone, Copy)]
struct Cell<'a> {
    line: usize,
    column: usize,
    text: &'a str,
}

impl Cell<'_> {
    fn wrong(&self, problem: (&str, &str), remedy: (&str, &str)) -> InvalidVocabulary {
        let value: String = self.text.chars().filter(|c| !c.is_control()).take(80).collect();
        InvalidVocabulary {
            line: self.line,
            column: self.column,
            value,
            problem: Bilingual::fixed(problem.0, problem.1),
            remedy: Bilingual::fixed(remedy.0, remedy.1),
        }
    }

    fn unknown(&self, known: &[&str]) -> InvalidVocabulary {
        let all = known.join(", ");
        let (de, en) = match nearest(self.text, known.iter().copied()) {
            Some(guess) => (format!("vielleicht „{guess}“?"), format!("did you mean `{guess}`?")),
            None => (format!("möglich sind: {all}"), format!("possible are: {all}")),
        };
        self.wrong(("ist hier unbekannt", "is not known here"), (&de, &en))
    }
}

/// Reads a list.
pub(super) fn parse(list: List, text: &str) -> Result<Vocabulary, InvalidVocabulary> {
    if text.len() > VOCABULARY_BYTES_MAX {
        let whole = Cell { line: 1, column: 1, text: "" };
        return Err(whole.wrong(("ist zu lang", "is too long"), ("die Liste kürzen", "shorten the list")));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end_matches('\r')));
    let mut header = BTreeMap::new();
    let columns = loop {
        let (number, line) = lines.next().ok_or_else(|| no_columns(text))?;
        match line.strip_prefix('#') {
            Some(comment) => read_header(&mut header, number, comment)?,
            None if line.trim().is_empty() => {}
            None => break read_columns(number, line)?,
        }
    };
    let needed = |name: &str| header.get(name).cloned().ok_or_else(|| missing_header(name));
    let base: Option<Box<str>> = header.get("base").cloned();
    let mut concepts = Vec::new();
    let mut codes = BTreeMap::new();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let (code, concept) = read_concept(&columns, base.as_deref(), number, line)?;
        if codes.insert(concept.code.clone(), concepts.len()).is_some() {
            return Err(code.wrong(
                ("kommt zweimal vor", "occurs twice"),
                ("eine der Zeilen entfernen", "remove one of the lines"),
            ));
        }
        if concepts.len() == CONCEPTS_MAX {
            return Err(code.wrong(
                ("ist ein Eintrag zu viel", "is one concept too many"),
                ("höchstens 20000 Einträge angeben", "give at most 20000 concepts"),
            ));
        }
        concepts.push(concept);
    }
    if concepts.is_empty() {
        return Err(no_columns(text));
    }
    Ok(Vocabulary {
        list,
        title: Bilingual { de: needed("title.de")?, en: needed("title.en")? },
        source: needed("source")?,
        version: needed("version")?,
        licence: header.get("licence").cloned(),
        base,
        spellings: Spellings::of(&concepts),
        concepts,
        codes,
    })
}

fn no_columns(text: &str) -> InvalidVocabulary {
    let end = Cell { line: text.lines().count().max(1), column: 1, text: "" };
    end.wrong(
        ("hört auf, bevor ein Eintrag kommt", "ends before a concept comes"),
        (
            "eine Zeile mit den Spaltennamen code, de, en und darunter die Einträge angeben",
            "give a line with the column names code, de, en, and the concepts below it",
        ),
    )
}

fn missing_header(name: &str) -> InvalidVocabulary {
    let (de, en) =
        (format!("oben eine Zeile „# {name}: …“ ergänzen"), format!("add a line `# {name}: …` at the top"));
    Cell { line: 1, column: 1, text: name }.wrong(("fehlt", "is missing"), (&de, &en))
}

fn read_header(
    header: &mut BTreeMap<&'static str, Box<str>>,
    line: usize,
    comment: &str,
) -> Result<(), InvalidVocabulary> {
    // Any other comment is only for those who read the file.
    let Some((name, value)) = comment.split_once(": ") else { return Ok(()) };
    let Some(name) = HEADERS.into_iter().find(|known| *known == name.trim()) else { return Ok(()) };
    let value = value.trim();
    let cell = Cell { line, column: comment.chars().count() - value.chars().count() + 2, text: value };
    check_text(&cell)?;
    if name == "base" && !(value.starts_with("http://") || value.starts_with("https://")) {
        return Err(cell.wrong(
            ("ist keine Web-Adresse", "is not a web address"),
            ("womit die IRIs der Codes beginnen, angeben", "give what the codes' IRIs begin with"),
        ));
    }
    header.insert(name, value.into());
    Ok(())
}

fn cells(line: usize, text: &str) -> impl Iterator<Item = Cell<'_>> {
    let mut column = 1;
    text.split('\t').map(move |text| {
        let start = column + text.chars().take_while(|c| c.is_whitespace()).count();
        column += text.chars().count() + 1;
        Cell { line, column: start, text: text.trim() }
    })
}

fn read_columns(line: usize, text: &str) -> Result<Vec<&'static str>, InvalidVocabulary> {
    let mut columns = Vec::new();
    for cell in cells(line, text) {
        let name = COLUMNS.into_iter().find(|known| *known == cell.text);
        let name = name.ok_or_else(|| cell.unknown(&COLUMNS))?;
        if columns.contains(&name) {
            return Err(cell.wrong(
                ("ist zweimal eine Spalte", "is a column twice"),
                ("jede Spalte einmal nennen", "name each column once"),
            ));
        }
        columns.push(name);
    }
    for needed in ["code", "de"] {
        if !columns.contains(&needed) {
            let end = Cell { line, column: text.chars().count() + 1, text: needed };
            return Err(end.wrong(
                ("fehlt als Spalte", "is missing as a column"),
                ("Spalte ergänzen", "add the column"),
            ));
        }
    }
    Ok(columns)
}

fn read_concept<'a>(
    columns: &[&'static str],
    base: Option<&str>,
    line: usize,
    text: &'a str,
) -> Result<(Cell<'a>, Concept), InvalidVocabulary> {
    let mut row: BTreeMap<&str, Cell<'a>> = BTreeMap::new();
    for (index, cell) in cells(line, text).enumerate() {
        let Some(column) = columns.get(index) else {
            return Err(cell.wrong(
                ("steht rechts der letzten Spalte", "stands to the right of the last column"),
                ("Tabulator oder Spaltennamen prüfen", "check the tabs and the column names"),
            ));
        };
        check_text(&cell)?;
        row.insert(column, cell);
    }
    let text_of = |name: &str| row.get(name).map(|cell| cell.text).filter(|text| !text.is_empty());
    let needed = |name: &str| {
        let cell =
            row.get(name).copied().unwrap_or(Cell { line, column: text.chars().count() + 1, text: "" });
        if cell.text.is_empty() {
            let problem = (format!("ist leer (Spalte {name})"), format!("is empty (column {name})"));
            return Err(cell.wrong((&problem.0, &problem.1), ("einen Wert angeben", "give a value")));
        }
        Ok(cell)
    };
    let code = needed("code")?;
    if code.text.chars().any(|c| c.is_whitespace() || "<>\"{}|\\^`".contains(c)) {
        return Err(code.wrong(
            ("enthält Zeichen, die kein Code haben darf", "contains characters that no code may have"),
            ("Leer- und Sonderzeichen entfernen", "remove spaces and special characters"),
        ));
    }
    let de = needed("de")?.text;
    let marks = row.get("marks").map(read_marks).transpose()?.unwrap_or_default();
    let iri =
        base.filter(|_| !marks.contains(&Mark::Unlisted)).map(|base| format!("{base}{}", code.text).into());
    let aliases = text_of("aliases").unwrap_or_default();
    let aliases = aliases.split(ALIAS_SEPARATOR).map(str::trim).filter(|alias| !alias.is_empty());
    let concept = Concept {
        code: code.text.into(),
        name: text_of("name").filter(|name| *name != code.text).map(Into::into),
        iri,
        label: Bilingual::fixed(de, text_of("en").unwrap_or(de)),
        parent: text_of("parent").map(Into::into),
        media_type: text_of("media_type").map(Into::into),
        conforms_to: text_of("conforms_to").map(Into::into),
        aliases: aliases.map(Into::into).collect(),
        marks,
    };
    Ok((code, concept))
}

fn read_marks(cell: &Cell<'_>) -> Result<BTreeSet<Mark>, InvalidVocabulary> {
    let names = Mark::ALL.map(Mark::name);
    let read = |word: &str| {
        let mark = Mark::ALL.into_iter().find(|mark| mark.name() == word);
        mark.ok_or_else(|| Cell { text: word, ..*cell }.unknown(&names))
    };
    cell.text.split_whitespace().map(read).collect()
}

fn check_text(cell: &Cell<'_>) -> Result<(), InvalidVocabulary> {
    if cell.text.len() > CELL_BYTES_MAX {
        return Err(
            cell.wrong(("ist zu lang", "is too long"), ("auf 4096 Byte kürzen", "shorten it to 4096 bytes"))
        );
    }
    match cell.text.chars().find(|c| c.is_control() || *c == '\u{fffd}') {
        None => Ok(()),
        Some(_) => Err(cell.wrong(
            ("enthält ein Zeichen, das kein Text ist", "contains a character that is no text"),
            ("die Datei als UTF-8 speichern", "save the file as UTF-8"),
        )),
    }
}
