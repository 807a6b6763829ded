//! Reads a town's inventory: a spreadsheet in which somebody has listed what
//! data there are, in whatever way.
//!
//! ```text
//! bytes ─> rows ─> head found, columns understood ─> one row, one candidate
//!                                                 └─ or one sheet, one candidate
//! ```
//!
//! What a column means is decided by its name (`columns`), what a cell means
//! by the code lists (`values`). What is not understood is kept among the
//! town's own notes, with a task: never dropped, never guessed into a public
//! field. Persons' names, comments and drive paths go to the notes too.

mod columns;
mod csv;
mod dates;
mod names;
mod record;
mod table;
mod values;
mod workbook;

use std::fs::File;
use std::io;

pub use columns::Mapping;
use crdt::vocabulary::Vocabularies;

use super::candidate::{Fault, Line};
use super::reader::{Format, Request};
use table::Tables;

/// Takes lines; answers whether to go on.
pub(super) type Say<'a> = &'a mut dyn FnMut(&Line) -> io::Result<bool>;

/// Reads an inventory to its end, its words by the lists of a town.
pub(super) fn read(
    request: &Request,
    lists: &Vocabularies,
    file: File,
    say: Say<'_>,
) -> io::Result<Result<(), Fault>> {
    let mut tables = Tables::new(request.mapping.clone(), lists, say);
    let read = match request.format {
        Format::Csv => csv::read(file, &mut tables),
        // Catalogs have a reader of their own; one that came here is no workbook.
        Format::Workbook | Format::Catalog | Format::Export => workbook::read(file, &mut tables),
    };
    match read {
        Ok(()) => tables.finish(),
        Err(Stop::Io(error)) => Err(error),
        Err(Stop::Fault(fault)) => Ok(Err(fault)),
    }
}

/// The columns of the blank template: names and the fields they fill.
pub(crate) fn template_columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    columns::template()
}

/// Rows as CSV that German spreadsheets open: `;` between cells, a mark of
/// UTF-8 at the beginning, and no cell that a spreadsheet would run.
pub(crate) fn csv_text(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    csv::text(rows)
}

/// Whether the head is that of rows which an import has given back to be mended.
pub(super) fn is_mended(head: &[String]) -> bool {
    head.iter().any(|name| name.trim() == REASONS)
}

/// What the column is called in which rejected rows carry their reasons.
pub(super) const REASONS: &str = "Fehler";

/// Why reading ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file or the pipe.
    Io(io::Error),
    /// What is in the file.
    Fault(Fault),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
