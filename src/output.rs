//! What commands write on standard output: lines, tables and JSON.
//!
//! A reader that goes away (`hanse list | head`) ends the command quietly;
//! `println!` would panic there. Control characters in values never reach a
//! terminal.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// Writes one line.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    raw(&format!("{}\n", clean(text.as_ref())))
}

/// Writes one line to people, beside the output that a program would read.
pub(crate) fn note(text: impl AsRef<str>) {
    // A note that cannot be shown is no reason to stop.
    let _ = writeln!(std::io::stderr(), "{}", clean(text.as_ref()));
}

/// Writes text of our own making as it is.
pub(crate) fn raw(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Writes a value for programs, indented.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::refused(format!("write the result as JSON: {error}")))?;
    raw(&(text + "\n"))
}

/// Writes rows with aligned columns; the last column is not padded.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    raw(&aligned(head, rows))
}

/// Rows with aligned columns, a line each.
pub(crate) fn aligned(head: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(head.iter().map(ToString::to_string).collect())
        .chain(rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()))
        .collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let padding = width.saturating_sub(cell.chars().count());
            format!("{cell}{}", " ".repeat(padding))
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// Whether a person looks at standard output.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether a person looks at standard error.
pub(crate) fn is_error_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Without characters that move a cursor or ring a bell.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_letters_not_bytes() {
        let rows = [vec!["Ö".into(), "x".into()], vec!["ab".into(), "y\u{1b}[2J".into()]];
        assert_eq!(aligned(&["a", "b"], &rows), "a   b\nÖ   x\nab  y\u{fffd}[2J\n");
    }
}
