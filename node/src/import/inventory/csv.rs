//! Rows of a text file: its encoding and separator are found out, not asked for.

use std::fs::File;
use std::io::Read as _;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Stop;
use super::columns::meaning;
use super::table::{Row, Tables};
use super::values;
use crate::import::candidate::{Fault, Place};
use crate::import::limits::{COLUMNS_MAX, FILE_BYTES_MAX, ROW_BYTES_MAX, ROWS_MAX};

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
    let mut rows = reader(&text, separator);
    let mut record = csv::StringRecord::new();
    let (mut number, mut breaks) = (0, 0);
    // A reader over text that is valid UTF-8 and of flexible length cannot fail.
    while rows.read_record(&mut record).map_err(std::io::Error::other)? {
        // The row as a spreadsheet counts it: a break within a cell is none.
        let line = record.position().map_or(0, csv::Position::line);
        number = u32::try_from(line.saturating_sub(breaks)).unwrap_or(u32::MAX);
        breaks += record.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
        if number > ROWS_MAX {
            return Err(too_many_rows().into());
        }
        if record.as_slice().len() > ROW_BYTES_MAX {
            return Err(open_quote(number).into());
        }
        if record.len() > COLUMNS_MAX {
            return Err(too_many_columns(number, record.len()).into());
        }
        tables.row(Row { sheet: None, number, cells: record.iter().map(str::to_owned).collect() })?;
    }
    let last_is_open = record.is_empty() && is_left_open(&text, separator);
    if last_is_open { Err(open_quote(number).into()) } else { Ok(()) }
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

/// The text of a file in UTF-8, UTF-16 with its mark, or Windows-1252.
fn decoded(bytes: &[u8]) -> Result<String, Fault> {
    let (encoding, skip) = Encoding::for_bom(bytes).unwrap_or_else(|| (guessed(bytes), 0));
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

/// Whether the last quoted cell never ends: the reader then takes the rest of
/// the file for its content.
fn is_left_open(text: &str, separator: u8) -> bool {
    let (mut quoted, mut at_start) = (false, true);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if quoted {
            if byte == b'"' {
                if bytes.peek() == Some(&b'"') {
                    bytes.next();
                } else {
                    quoted = false;
                }
            }
        } else if byte == b'"' && at_start {
            quoted = true;
        }
        at_start = !quoted && (byte == separator || byte == b'\n' || byte == b'\r');
    }
    quoted
}

fn place(row: u32) -> (String, String) {
    let place = Place::Row { sheet: None, row };
    (place.in_lang(crdt::catalog::Lang::De), place.in_lang(crdt::catalog::Lang::En))
}

fn open_quote(row: u32) -> Fault {
    let (de, en) = place(row);
    Fault::made(
        format!(
            "{de}: ein Anführungszeichen wird geöffnet und nicht geschlossen, oder die Zeile ist viel zu lang"
        ),
        format!("{en}: a quotation mark is opened and not closed, or the row is far too long"),
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

    #[test]
    fn a_quote_that_never_closes_is_seen() {
        assert!(is_left_open("a;b\n\"c;d\ne;f\n", b';'));
        assert!(!is_left_open("a;b\n\"c\"\"\n\";d\n5\" Rohr;x\n", b';'));
    }
}
