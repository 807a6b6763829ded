//! Rows of a spreadsheet: xlsx or ods.
//!
//! The archive is looked through before the library opens it ([`archive`]); an
//! xlsx sheet is then read cell by cell, so that one cell in the last corner of
//! a sheet costs one cell. An ods sheet is held as a whole by the library: the
//! bound of the reading process holds there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Seek as _};

use calamine::{Data, DataRef, Dimensions, Ods, Reader as _, SheetVisible, Xlsx};
use crdt::catalog::invalid::Bilingual;

use super::Stop;
use super::csv::{too_many_columns, too_many_rows};
use super::table::{Row, Tables};
use crate::import::candidate::Fault;
use crate::import::limits::{COLUMNS_MAX, ROW_BYTES_MAX, ROWS_MAX, SHEETS_MAX};

mod archive;

use archive::Kind;

/// Cells that one merged region may fill.
const MERGED_CELLS_MAX: u64 = 10_000;
/// Merged regions of a sheet that are looked at.
const MERGED_REGIONS_MAX: usize = 10_000;

/// Reads all rows of all visible sheets.
pub(super) fn read(mut file: File, tables: &mut Tables<'_>) -> Result<(), Stop> {
    let kind = archive::check(&mut file)?;
    file.rewind()?;
    let file = BufReader::new(file);
    match kind {
        Kind::Xlsx => xlsx(Xlsx::new(file).map_err(|error| damaged(&error))?, tables),
        Kind::Ods => ods(Ods::new(file).map_err(|error| damaged(&error))?, tables),
    }
}

fn xlsx(mut book: Xlsx<BufReader<File>>, tables: &mut Tables<'_>) -> Result<(), Stop> {
    let sheets = visible(book.sheets_metadata())?;
    let mut counted = 0;
    for name in &sheets {
        // A sheet of charts has none.
        let merged = book.merge_cells_by_sheet_name(name).unwrap_or_default();
        if merged.len() > MERGED_REGIONS_MAX || merged.iter().any(is_too_large) {
            tables.about_sheet(name, merged_reason(), merged_remedy())?;
        }
        let mut sheet = Sheet::new(name, sheets.len(), &merged);
        let mut cells = match book.worksheet_cells_reader(name) {
            Ok(cells) => cells,
            // A sheet of charts has no cells.
            Err(calamine::XlsxError::NotAWorksheet(_)) => continue,
            Err(error) => return Err(damaged(&error).into()),
        };
        while let Some(cell) = cells.next_cell().map_err(|error| damaged(&error))? {
            let (row, column) = cell.get_position();
            if let DataRef::Error(error) = cell.get_value() {
                let place = (row.saturating_add(1), column as usize);
                tables.broken_cell(sheet.name.clone(), place, &error.to_string())?;
            }
            sheet.cell(row, column, shown_ref(cell.get_value()), tables)?;
        }
        counted += sheet.end(tables)?;
        if counted > ROWS_MAX {
            return Err(too_many_rows().into());
        }
    }
    Ok(())
}

fn ods(mut book: Ods<BufReader<File>>, tables: &mut Tables<'_>) -> Result<(), Stop> {
    let sheets = visible(book.sheets_metadata())?;
    let mut counted = 0;
    for name in &sheets {
        let range = book.worksheet_range(name).map_err(|error| damaged(&error))?;
        let mut sheet = Sheet::new(name, sheets.len(), &[]);
        let (first_row, first_column) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let (row, column) = (first_row + row as u32, first_column + column as u32);
            if let Data::Error(error) = value {
                let place = (row.saturating_add(1), column as usize);
                tables.broken_cell(sheet.name.clone(), place, &error.to_string())?;
            }
            sheet.cell(row, column, shown(value), tables)?;
        }
        counted += sheet.end(tables)?;
        if counted > ROWS_MAX {
            return Err(too_many_rows().into());
        }
    }
    Ok(())
}

fn visible(sheets: &[calamine::Sheet]) -> Result<Vec<String>, Fault> {
    let visible = sheets.iter().filter(|sheet| sheet.visible == SheetVisible::Visible);
    let names: Vec<String> = visible.map(|sheet| sheet.name.clone()).collect();
    if names.len() <= SHEETS_MAX {
        return Ok(names);
    }
    Err(Fault::made(
        format!("die Mappe hat {} Blätter; erlaubt sind {SHEETS_MAX}", names.len()),
        format!("the workbook has {} sheets, at most {SHEETS_MAX}", names.len()),
        "die Mappe in mehrere teilen",
        "split it into several workbooks",
    ))
}

/// Whether a merged region is larger than one is filled.
fn is_too_large(region: &Dimensions) -> bool {
    region.end.0 > region.start.0 && region.len() > MERGED_CELLS_MAX
}

fn merged_reason() -> Bilingual {
    Bilingual::made(
        format!(
            "hat verbundene Zellen, die mehr als {MERGED_CELLS_MAX} Zellen oder mehr als {MERGED_REGIONS_MAX} Bereiche umfassen; sie zählen nur für ihre erste Zeile"
        ),
        format!(
            "has merged cells of more than {MERGED_CELLS_MAX} cells or {MERGED_REGIONS_MAX} regions; they count for their first row only"
        ),
    )
}

fn merged_remedy() -> Bilingual {
    Bilingual::fixed("den Wert in jede Zeile schreiben", "write the value into each row")
}

/// Puts the cells of one sheet together to rows.
struct Sheet {
    name: Option<String>,
    number: u32,
    cells: Vec<String>,
    bytes: usize,
    rows: u32,
    /// Columns whose cell stands for those below it, up to that row.
    merged: BTreeMap<(u32, u32), u32>,
    /// What such a cell said, by its column.
    standing: BTreeMap<u32, (u32, String)>,
}

impl Sheet {
    fn new(name: &str, sheets: usize, merged: &[Dimensions]) -> Self {
        let tall = merged.iter().take(MERGED_REGIONS_MAX).filter(|region| {
            // A region of several columns stands in its first one.
            region.end.0 > region.start.0 && !is_too_large(region)
        });
        Self {
            name: (sheets > 1).then(|| name.to_owned()),
            number: 0,
            cells: Vec::new(),
            bytes: 0,
            rows: 0,
            merged: tall.map(|region| (region.start, region.end.0)).collect(),
            standing: BTreeMap::new(),
        }
    }

    fn cell(&mut self, row: u32, column: u32, text: String, tables: &mut Tables<'_>) -> Result<(), Stop> {
        let number = row.saturating_add(1);
        if number != self.number {
            self.hand_on(tables)?;
            self.number = number;
        }
        let at = column as usize;
        if at >= COLUMNS_MAX {
            // A mark far outside of the table; a value there is too wide a table.
            return if text.is_empty() { Ok(()) } else { Err(too_many_columns(number, at + 1).into()) };
        }
        if let Some(last) = self.merged.get(&(row, column)) {
            self.standing.insert(column, (*last, text.clone()));
        }
        self.bytes += text.len();
        if self.bytes > ROW_BYTES_MAX {
            return Err(row_too_long(number).into());
        }
        if self.cells.len() <= at {
            self.cells.resize(at + 1, String::new());
        }
        self.cells[at] = text;
        Ok(())
    }

    /// Hands the row on that is complete.
    fn hand_on(&mut self, tables: &mut Tables<'_>) -> Result<(), Stop> {
        let mut cells = std::mem::take(&mut self.cells);
        self.bytes = 0;
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        self.rows += 1;
        if self.rows > ROWS_MAX {
            return Err(too_many_rows().into());
        }
        self.standing.retain(|_, (last, _)| *last + 1 >= self.number);
        for (column, (_, text)) in &self.standing {
            let at = *column as usize;
            if cells.len() <= at {
                cells.resize(at + 1, String::new());
            }
            if cells[at].is_empty() {
                cells[at].clone_from(text);
            }
        }
        tables.row(Row { sheet: self.name.clone(), number: self.number, cells })
    }

    /// Hands the last row on; how many there were.
    fn end(mut self, tables: &mut Tables<'_>) -> Result<u32, Stop> {
        self.hand_on(tables)?;
        Ok(self.rows)
    }
}

/// A value as a person sees it in the cell.
fn shown_ref(value: &DataRef<'_>) -> String {
    match value {
        DataRef::SharedString(text) => (*text).to_owned(),
        other => shown(&Data::from(other.clone())),
    }
}

fn shown(value: &Data) -> String {
    match value {
        Data::String(text) => text.clone(),
        // A number is written without the places that it does not need.
        Data::Float(number) => number.to_string(),
        Data::Bool(yes) => if *yes { "ja" } else { "nein" }.to_owned(),
        Data::DateTime(moment) if !moment.is_duration() => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        // `#REF!` and the like say nothing; who reads them says that.
        Data::Error(_) | Data::Empty => String::new(),
        other => other.to_string(),
    }
}

fn row_too_long(row: u32) -> Fault {
    Fault::made(
        format!("Zeile {row} hat mehr als {ROW_BYTES_MAX} Byte"),
        format!("row {row} has more than {ROW_BYTES_MAX} bytes"),
        "die Texte kürzen",
        "shorten its texts",
    )
}

fn damaged(error: &dyn std::fmt::Display) -> Fault {
    let detail: String = error.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    Fault::made(
        format!("die Mappe ist beschädigt oder keine Tabelle ({detail})"),
        format!("the workbook is damaged or none ({detail})"),
        "in Excel oder LibreOffice öffnen und neu speichern, oder als CSV speichern",
        "open it in Excel or LibreOffice and save it again, or save it as CSV",
    )
}
