//! Finds the head of each table, and goes through what stands below it.
//!
//! A table is a row a dataset; a sheet without such a head whose first column
//! holds the names of fields describes one dataset.

use std::io;

use crdt::catalog::Lang;
use crdt::catalog::invalid::{Bilingual, nearest};
use crdt::vocabulary::Vocabularies;

use super::columns::{KNOWN, Mapping, Meaning, field_of, meaning};
use super::record::{Cell, candidate};
use super::values::{Values, is_blank};
use super::{Say, Stop};
use crate::import::candidate::{Fault, Line, Place, Remark, RemarkKind};
use crate::import::limits::{CELL_BYTES_MAX, HEAD_ROWS_MAX};

/// Rows of a sheet that describes one dataset.
const FORM_ROWS_MAX: usize = 500;
/// Names of fields that make a sheet the description of one dataset.
const FORM_FIELDS_MIN: usize = 3;

/// A row as it stands in a file.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The sheet, if there are several.
    pub(super) sheet: Option<String>,
    /// Its number, counted from 1.
    pub(super) number: u32,
    /// Its cells from the first column on.
    pub(super) cells: Vec<String>,
}

/// Takes rows, says candidates.
pub(super) struct Tables<'a> {
    saved: Option<Mapping>,
    say: Say<'a>,
    values: Values<'a>,
    sheet: Option<String>,
    state: State,
    /// Of all heads found.
    mapping: Mapping,
    /// What the first sheet without a head begins with.
    unknown: Option<Vec<String>>,
    said: u64,
}

/// What is known about the sheet at hand.
enum State {
    /// Rows in which the head may still be.
    Looking(Vec<Row>),
    /// A row a dataset.
    Table(Vec<Column>),
    /// The sheet is one dataset.
    Form(Vec<Row>),
    /// Nothing can be made of it.
    Unknown,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    letters: String,
    meaning: Option<Meaning>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(saved: Option<Mapping>, lists: &'a Vocabularies, say: Say<'a>) -> Self {
        Self {
            saved,
            say,
            values: Values::new(lists),
            sheet: None,
            state: State::Looking(Vec::new()),
            mapping: Mapping::default(),
            unknown: None,
            said: 0,
        }
    }

    /// Says how many rows there are at most.
    pub(super) fn total(&mut self, rows: u64) -> io::Result<()> {
        (self.say)(&Line::Total(rows)).map(|_| ())
    }

    /// Takes the next row.
    pub(super) fn row(&mut self, row: Row) -> Result<(), Stop> {
        if row.sheet != self.sheet {
            self.end_sheet()?;
            self.sheet.clone_from(&row.sheet);
        }
        if row.cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        match &mut self.state {
            State::Looking(rows) => {
                rows.push(row);
                if rows.len() >= HEAD_ROWS_MAX { self.decide() } else { Ok(()) }
            }
            State::Form(rows) if rows.len() >= FORM_ROWS_MAX => Err(form_too_long(&row).into()),
            State::Form(rows) => {
                rows.push(row);
                Ok(())
            }
            State::Table(columns) => {
                let columns = std::mem::take(columns);
                let said = self.dataset(&columns, row);
                self.state = State::Table(columns);
                said
            }
            State::Unknown => Ok(()),
        }
    }

    /// Ends the last sheet; says how the columns were understood.
    pub(super) fn finish(mut self) -> io::Result<Result<(), Fault>> {
        match self.end_sheet() {
            Ok(()) => {}
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Fault(fault)) => return Ok(Err(fault)),
        }
        if self.said == 0 {
            return Ok(Err(match self.unknown {
                Some(first) => no_head(&first),
                None => Fault::fixed(
                    "die Datei enthält keinen Datensatz",
                    "the file holds no record",
                    "unter der Kopfzeile mindestens eine Zeile ausfüllen",
                    "fill in at least one row below the head",
                ),
            }));
        }
        (self.say)(&Line::Mapping(Box::new(self.mapping)))?;
        Ok(Ok(()))
    }

    fn end_sheet(&mut self) -> Result<(), Stop> {
        if matches!(&self.state, State::Looking(rows) if !rows.is_empty()) {
            self.decide()?;
        }
        match std::mem::replace(&mut self.state, State::Looking(Vec::new())) {
            State::Form(rows) => self.form(&rows),
            _ => Ok(()),
        }
    }

    /// Looks for the head among the first rows.
    fn decide(&mut self) -> Result<(), Stop> {
        let State::Looking(rows) = std::mem::replace(&mut self.state, State::Unknown) else { return Ok(()) };
        let saved = self.saved.as_ref();
        let best = rows
            .iter()
            .enumerate()
            .map(|(at, row)| (at, head_score(row, saved)))
            .filter(|(_, score)| *score > 0)
            // Of equals the first.
            .rev()
            .max_by_key(|(_, score)| *score);
        // `Titel` alone may as well be the first field of a form.
        let form = is_form(&rows, saved);
        if let Some((at, _)) = best.filter(|(_, score)| *score > 1 || !form) {
            let mut rest = rows.into_iter().skip(at);
            let Some(head) = rest.next() else { return Ok(()) };
            let columns = self.head(&head)?;
            self.state = State::Table(columns);
            return rest.try_for_each(|row| self.row(row));
        }
        if form {
            self.state = State::Form(rows);
            return Ok(());
        }
        let first = rows.into_iter().next().map(|row| row.cells).unwrap_or_default();
        if let Some(sheet) = &self.sheet {
            let place = Place::Sheet(sheet.clone());
            let remark = Remark {
                kind: RemarkKind::Hint,
                field: String::new(),
                value: first
                    .iter()
                    .find(|cell| !cell.trim().is_empty())
                    .cloned()
                    .unwrap_or_default()
                    .chars()
                    .take(80)
                    .collect(),
                reason: Bilingual::fixed(
                    "hat keine Kopfzeile, die der Import kennt, und wurde übergangen",
                    "has no head that is known and was passed over",
                ),
                remedy: Bilingual::fixed(
                    "nichts zu tun, wenn dort keine Datensätze stehen",
                    "nothing to do if it lists no datasets",
                ),
            };
            (self.say)(&Line::Remark(place, Box::new(remark)))?;
        }
        self.unknown.get_or_insert(first);
        Ok(())
    }

    /// Understands a head, and says what is not known in it.
    fn head(&mut self, row: &Row) -> Result<Vec<Column>, Stop> {
        let mut columns = Vec::with_capacity(row.cells.len());
        for (at, name) in row.cells.iter().enumerate() {
            let meaning = meaning(name, self.saved.as_ref());
            let name = super::values::line(name);
            let letters = letters(at);
            if meaning.is_none() && !name.is_empty() && !self.mapping.columns.contains_key(&name) {
                self.unknown_column(row, &name, &letters)?;
            }
            if !name.is_empty() {
                self.mapping
                    .columns
                    .insert(name.clone(), meaning.map(|meaning| field_of(meaning).to_owned()));
            }
            columns.push(Column { name, letters, meaning });
        }
        if self.mapping.head.is_empty() {
            self.mapping.head.clone_from(&row.cells);
        }
        Ok(columns)
    }

    fn unknown_column(&mut self, row: &Row, name: &str, letters: &str) -> io::Result<()> {
        let known = KNOWN.iter().filter_map(|known| known.names.first().copied());
        let remedy = match nearest(name, known) {
            Some(guess) => Bilingual::made(
                format!("die Spalte „{guess}“ nennen, wenn das gemeint ist, oder mit --mapping zuordnen"),
                format!("call it `{guess}` if that is meant, or assign it with --mapping"),
            ),
            None => Bilingual::fixed(
                "mit --mapping zuordnen, wenn sie mehr ist als eine Notiz",
                "assign it with --mapping if it is more than a note",
            ),
        };
        let remark = Remark {
            kind: RemarkKind::Hint,
            field: "internal/notes".to_owned(),
            value: name.chars().take(80).collect(),
            reason: Bilingual::made(
                format!(
                    "(Spalte {letters}) ist als Spalte nicht bekannt; ihr Inhalt geht in die internen Notizen"
                ),
                format!("(column {letters}) is not known as a column; it goes to the internal notes"),
            ),
            remedy,
        };
        let place = Place::Row { sheet: row.sheet.clone(), row: row.number };
        (self.say)(&Line::Remark(place, Box::new(remark))).map(|_| ())
    }

    fn dataset(&mut self, columns: &[Column], mut row: Row) -> Result<(), Stop> {
        let place = Place::Row { sheet: row.sheet.clone(), row: row.number };
        bound_cells(&place, &row.cells)?;
        self.broken_letters(&row)?;
        unquote_formulas(&mut row.cells);
        // What stands alone in a column without meaning is a mark, no record.
        let says = |(column, cell): &(&Column, &String)| {
            !is_blank(cell) && column.meaning.is_some_and(|meaning| meaning != Meaning::Ignored)
        };
        if !columns.iter().zip(&row.cells).any(|pair| says(&pair)) {
            return Ok(());
        }
        let cells: Vec<Cell<'_>> = columns
            .iter()
            .zip(&row.cells)
            .filter(|(column, _)| !column.name.is_empty())
            .map(|(column, text)| Cell {
                column: &column.name,
                letters: &column.letters,
                meaning: column.meaning,
                text,
            })
            .collect();
        self.persons(&cells)?;
        let candidate = candidate(place, &cells, row.cells.clone(), &mut self.values);
        self.said += 1;
        (self.say)(&Line::Candidate(Box::new(candidate)))?;
        Ok(())
    }

    /// Says who is named in the columns of persons.
    fn persons(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        let persons =
            cells.iter().filter(|cell| cell.meaning == Some(Meaning::Person) && !is_blank(cell.text));
        persons.into_iter().try_for_each(|cell| (self.say)(&Line::Person(cell.text.to_owned())).map(|_| ()))
    }

    /// Says where a letter could not be read: the file mixes encodings.
    fn broken_letters(&mut self, row: &Row) -> io::Result<()> {
        for (at, cell) in row.cells.iter().enumerate().filter(|(_, cell)| cell.contains('\u{fffd}')) {
            let remark = about_cell(
                at,
                cell,
                Bilingual::fixed(
                    "enthält ein Zeichen, das nicht gelesen werden konnte (�): die Datei mischt Zeichensätze",
                    "holds a letter that could not be read (�): the file mixes encodings",
                ),
                Bilingual::fixed(
                    "das Zeichen in der Quelle berichtigen und als „CSV UTF-8“ speichern",
                    "mend it in the source and save it as `CSV UTF-8`",
                ),
            );
            let place = Place::Row { sheet: row.sheet.clone(), row: row.number };
            (self.say)(&Line::Remark(place, Box::new(remark)))?;
        }
        Ok(())
    }

    /// Says that a cell holds an error of its spreadsheet, such as `#REF!`.
    pub(super) fn broken_cell(
        &mut self,
        sheet: Option<String>,
        (row, at): (u32, usize),
        error: &str,
    ) -> io::Result<()> {
        let remark = about_cell(
            at,
            error,
            Bilingual::fixed(
                "ist ein Fehler der Tabellenkalkulation; die Zelle wurde als leer gelesen",
                "is an error of the spreadsheet; the cell was read as empty",
            ),
            Bilingual::fixed(
                "die Formel berichtigen oder den Wert eintragen",
                "mend the formula or fill in the value",
            ),
        );
        (self.say)(&Line::Remark(Place::Row { sheet, row }, Box::new(remark))).map(|_| ())
    }

    /// Says something about a sheet as a whole.
    pub(super) fn about_sheet(
        &mut self,
        sheet: &str,
        reason: Bilingual,
        remedy: Bilingual,
    ) -> io::Result<()> {
        let (kind, field, value) = (RemarkKind::Hint, String::new(), String::new());
        let remark = Remark { kind, field, value, reason, remedy };
        (self.say)(&Line::Remark(Place::Sheet(sheet.to_owned()), Box::new(remark))).map(|_| ())
    }

    /// A sheet that describes one dataset: names left, values right of them.
    fn form(&mut self, rows: &[Row]) -> Result<(), Stop> {
        let place = self.sheet.clone().map_or(Place::Whole, Place::Sheet);
        let mut pairs: Vec<(String, Option<Meaning>, String)> = Vec::new();
        for row in rows {
            bound_cells(&place, &row.cells)?;
            let mut filled = row.cells.iter().filter(|cell| !cell.trim().is_empty());
            let Some(name) = filled.next() else { continue };
            let name = super::values::line(name.trim_end_matches(':'));
            let text = filled.map(String::as_str).collect::<Vec<_>>().join("\n");
            let meaning = meaning(&name, self.saved.as_ref());
            if meaning.is_some() || !text.is_empty() {
                self.mapping
                    .columns
                    .insert(name.clone(), meaning.map(|meaning| field_of(meaning).to_owned()));
                pairs.push((name, meaning, text));
            }
        }
        let cells: Vec<Cell<'_>> = pairs
            .iter()
            .map(|(name, meaning, text)| Cell { column: name, letters: "", meaning: *meaning, text })
            .collect();
        self.persons(&cells)?;
        let candidate = candidate(place, &cells, Vec::new(), &mut self.values);
        self.said += 1;
        (self.say)(&Line::Candidate(Box::new(candidate)))?;
        Ok(())
    }
}

/// A remark about a cell, by the letters of its column.
fn about_cell(at: usize, text: &str, reason: Bilingual, remedy: Bilingual) -> Remark {
    let letters = letters(at);
    let reason = Bilingual::made(
        format!("(Spalte {letters}) {}", reason.de),
        format!("(column {letters}) {}", reason.en),
    );
    let value = super::values::line(text).chars().take(80).collect();
    Remark { kind: RemarkKind::Hint, field: String::new(), value, reason, remedy }
}

fn form_too_long(row: &Row) -> Fault {
    let place = |lang| Place::Row { sheet: row.sheet.clone(), row: row.number }.in_lang(lang);
    Fault::made(
        format!(
            "{}: das Blatt beschreibt einen Datensatz in mehr als {FORM_ROWS_MAX} Zeilen",
            place(Lang::De)
        ),
        format!("{}: the sheet describes one dataset in more than {FORM_ROWS_MAX} rows", place(Lang::En)),
        "das Blatt kürzen, oder eine Tabelle mit einer Zeile je Datensatz daraus machen",
        "shorten the sheet, or make a table of it with a row a dataset",
    )
}

/// How many columns a row names, if it can be a head.
fn head_score(row: &Row, saved: Option<&Mapping>) -> usize {
    let mut meanings: Vec<Meaning> = row.cells.iter().filter_map(|cell| meaning(cell, saved)).collect();
    meanings.sort_unstable();
    meanings.dedup();
    if meanings.contains(&Meaning::Title) { meanings.len() } else { 0 }
}

/// Whether the first filled cells of the rows are names of fields.
fn is_form(rows: &[Row], saved: Option<&Mapping>) -> bool {
    let first = |row: &Row| {
        row.cells
            .iter()
            .find(|cell| !cell.trim().is_empty())
            .and_then(|cell| meaning(cell.trim_end_matches(':'), saved))
    };
    let meanings: Vec<Meaning> = rows.iter().filter_map(first).collect();
    meanings.contains(&Meaning::Title) && meanings.len() >= FORM_FIELDS_MIN
}

fn bound_cells(place: &Place, cells: &[String]) -> Result<(), Fault> {
    let Some((at, cell)) = cells.iter().enumerate().find(|(_, cell)| cell.len() > CELL_BYTES_MAX) else {
        return Ok(());
    };
    let (length, letters) = (cell.len(), letters(at));
    Err(Fault::made(
        format!(
            "{}, Spalte {letters}: die Zelle hat {length} Byte; erlaubt sind {CELL_BYTES_MAX}",
            place.in_lang(Lang::De)
        ),
        format!(
            "{}, column {letters}: the cell has {length} bytes, at most {CELL_BYTES_MAX}",
            place.in_lang(Lang::En)
        ),
        "den Text kürzen",
        "shorten the text",
    ))
}

/// Takes back what exports do to cells that a spreadsheet would run.
fn unquote_formulas(cells: &mut [String]) {
    for cell in cells {
        if let Some(rest) = cell.strip_prefix('\'')
            && rest.starts_with(['=', '+', '-', '@', '\t', '\r'])
        {
            *cell = rest.to_owned();
        }
    }
}

/// The letters by which a spreadsheet names a column.
pub(super) fn letters(mut at: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'A' + (at % 26) as u8);
        if at < 26 {
            break;
        }
        at = at / 26 - 1;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

fn no_head(first: &[String]) -> Fault {
    let found: Vec<String> = first
        .iter()
        .filter(|cell| !cell.trim().is_empty())
        .take(6)
        .map(|cell| super::values::line(cell).chars().take(30).collect())
        .collect();
    let found = found.join("“, „");
    Fault::made(
        format!(
            "keine der ersten {HEAD_ROWS_MAX} Zeilen ist eine Kopfzeile mit der Spalte „Titel“; die erste nennt „{found}“"
        ),
        format!(
            "none of the first {HEAD_ROWS_MAX} rows is a head with the column `Titel`; the first names `{found}`"
        ),
        "die Spalten wie in der Vorlage nennen (`hanse import --template vorlage.xlsx`) oder mit --mapping zuordnen",
        "name the columns as the template does (`hanse import --template FILE`), or assign them with --mapping",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        let named: Vec<String> = [0, 25, 26, 51, 52, 701, 702].map(letters).into();
        assert_eq!(named, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
