//! Rows of a text file: its encoding and separator are found out, not asked for.

use std::fs::File;
use std::io::Read as _;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Stop;
use super::columns::{Meaning, meaning};
use super::table::{Row, Tables};
use super::values;
use crate::import::candidate::{Fault, Place};
use crate::import::limits::{COLUMNS_MAX, FILE_BYTES_MAX, ROW_BYTES_MAX, ROWS_MAX};

mod cp850;
mod rows;

use rows::{OpenQuote, Rows, TextRow};

const SEPARATORS: [u8; 4] = [b';', b',', b'\t', b'|'];
/// Rows by which the separator is found out.
const SAMPLE_ROWS: usize = 40;
/// Bytes by which it is.
const SAMPLE_BYTES: usize = 128 * 1024;

/// Reads all rows of a text file.
pub(super) fn read(file: File, tables: &mut Tables<'_>) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    let text = decoded(&bytes)?;
    drop(bytes);
    tables.total(text.lines().count() as u64)?;
    let separator = separator(&text);
    let mut rows = Rows::new(&text, separator);
    let mut title = None;
    while let Some(TextRow { number, cells }) = rows.next().map_err(|OpenQuote(row)| open_quote(row))? {
        if number > ROWS_MAX {
            return Err(too_many_rows().into());
        }
        if cells.iter().map(String::len).sum::<usize>() > ROW_BYTES_MAX {
            return Err(open_quote(number).into());
        }
        if cells.len() > COLUMNS_MAX {
            return Err(too_many_columns(number, cells.len()).into());
        }
        title = title.or_else(|| cells.iter().position(|cell| meaning(cell, None) == Some(Meaning::Title)));
        let titled = title.and_then(|at| cells.get(at));
        if titled.is_some_and(|cell| cell.contains('\n') && cell.contains(char::from(separator))) {
            return Err(open_quote(number).into());
        }
        tables.row(Row { sheet: None, number, cells })?;
    }
    Ok(())
}

/// Writes rows; see [`super::csv_text`].
pub(super) fn text(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .flexible(true)
        .from_writer(b"\xef\xbb\xbf".to_vec());
    for row in rows {
        // Memory does not refuse to be written to.
        let _ = writer.write_record(row.iter().map(|cell| harmless(cell)));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// A cell that a spreadsheet shows and does not run.
pub(super) fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// The text of a file in UTF-8, UTF-16 with its mark, Windows-1252 or CP850.
/// Bytes of another encoding within UTF-8 become `\u{fffd}`, which is reported
/// with row and column.
fn decoded(bytes: &[u8]) -> Result<String, Fault> {
    let (encoding, skip) = Encoding::for_bom(bytes).unwrap_or_else(|| (guessed(bytes), 0));
    if encoding == WINDOWS_1252 && cp850::is_likely(bytes) {
        return Ok(cp850::decoded(bytes));
    }
    let (text, broken) = encoding.decode_without_bom_handling(&bytes[skip..]);
    if broken && encoding != UTF_8 || text.contains('\0') {
        return Err(Fault::fixed(
            "die Datei ist keine Textdatei oder ihr Zeichensatz ist beschädigt",
            "the file is no text, or its encoding is damaged",
            "die Tabelle noch einmal als „CSV UTF-8“ oder als .xlsx speichern",
            "save the table again as `CSV UTF-8` or as .xlsx",
        ));
    }
    Ok(text.into_owned())
}

/// UTF-8 if all or nearly all of it is; else what German spreadsheets write.
fn guessed(bytes: &[u8]) -> &'static Encoding {
    let even_zeros = bytes.iter().take(512).step_by(2).filter(|byte| **byte == 0).count();
    let odd_zeros = bytes.iter().take(512).skip(1).step_by(2).filter(|byte| **byte == 0).count();
    let half = bytes.len().min(512) / 4;
    if half > 8 && odd_zeros > half {
        return UTF_16LE;
    }
    if half > 8 && even_zeros > half {
        return UTF_16BE;
    }
    let (mut whole, mut broken) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    if broken == 0 || whole >= broken * 20 { UTF_8 } else { WINDOWS_1252 }
}

/// The separator under which most columns are known, else the one under which
/// most rows are equally long.
fn separator(text: &str) -> u8 {
    let sample = values::beginning(text, SAMPLE_BYTES);
    let score = |separator: &u8| {
        let rows: Vec<csv::StringRecord> =
            reader(sample, *separator).into_records().take(SAMPLE_ROWS).filter_map(Result::ok).collect();
        let known = rows.iter().map(|row| row.iter().filter(|cell| meaning(cell, None).is_some()).count());
        let width = rows.first().map_or(0, csv::StringRecord::len);
        let even = rows.iter().filter(|row| width > 1 && row.len() == width).count();
        (known.max().filter(|known| *known > 1).unwrap_or(0), even)
    };
    // Of equals, the first one listed.
    SEPARATORS.iter().rev().copied().max_by_key(score).unwrap_or(b';')
}

fn place(row: u32) -> (String, String) {
    let place = Place::Row { sheet: None, row };
    (place.in_lang(crdt::catalog::Lang::De), place.in_lang(crdt::catalog::Lang::En))
}

fn open_quote(row: u32) -> Fault {
    let (de, en) = place(row);
    Fault::made(
        format!(
            "{de}: ein Anführungszeichen wird geöffnet und nicht in dieser Zelle geschlossen, oder die Zeile ist viel zu lang"
        ),
        format!("{en}: a quotation mark is opened and not closed in its cell, or the row is far too long"),
        "die Zeile in einem Texteditor ansehen, oder die Tabelle als .xlsx speichern",
        "look at the row in a text editor, or save the table as .xlsx",
    )
}

pub(super) fn too_many_columns(row: u32, count: usize) -> Fault {
    let (de, en) = place(row);
    Fault::made(
        format!("{de} hat {count} Spalten; erlaubt sind {COLUMNS_MAX}"),
        format!("{en} has {count} columns, at most {COLUMNS_MAX}"),
        "nur die Spalten der Vorlage behalten",
        "keep only the columns of the template",
    )
}

pub(super) fn too_many_rows() -> Fault {
    Fault::made(
        format!("die Datei hat mehr als {ROWS_MAX} Zeilen"),
        format!("the file has more than {ROWS_MAX} rows"),
        "die Datei in mehrere teilen",
        "split it into several files",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_found_out() {
        let umlauts = "Titel;Straße\nBäume;1\nÄpfel;2\nÖl;3\nÜber;4\n";
        let (latin, _, _) = WINDOWS_1252.encode(umlauts);
        let marked = [b"\xef\xbb\xbf", umlauts.as_bytes()].concat();
        let wide: Vec<u8> = umlauts.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide_marked = [&b"\xff\xfe"[..], &wide].concat();
        for bytes in [umlauts.as_bytes(), &latin, &marked, &wide, &wide_marked] {
            assert_eq!(decoded(bytes).unwrap(), umlauts, "{:?}", &bytes[..8]);
        }
        let dos: Vec<u8> = b"Titel;Stra\xe1e\nB\x84ume;1\n".to_vec();
        assert_eq!(decoded(&dos).unwrap(), "Titel;Straße\nBäume;1\n", "as programs of DOS write");
        let one_slip = [umlauts.repeat(10).as_bytes(), b"Stra\xdfe;1\n"].concat();
        assert!(
            decoded(&one_slip).unwrap().ends_with("Stra\u{fffd}e;1\n"),
            "one slip does not turn the rest"
        );
        assert!(decoded(b"MZ\x90\0\x03\0\0\0\x04\0").is_err());
    }

    #[test]
    fn separators_are_found_out() {
        for (text, expected) in [
            ("Titel;Thema\nBäume, alt und jung;Umwelt, Natur\n", b';'),
            ("Titel,Thema\n\"Bäume; alt\",Umwelt\n", b','),
            ("Titel\tThema\nBäume\tUmwelt, Natur; Luft\n", b'\t'),
            ("Inventar der Stadt, Stand 2026\nTitel;Beschreibung;Thema\na;b, c;d\n", b';'),
            ("nur eine Spalte\n", b';'),
        ] {
            assert_eq!(separator(text), expected, "{text}");
        }
    }
}
