//! Chooses who reads a file, and keeps that reader at arm's length.
//!
//! A file from outside is read in a process of its own: the program runs
//! itself with a hidden command, hands it the open file as its standard input
//! and takes JSON lines from its output. The reader bounds its own memory and
//! time before it looks at the first byte, so that a hostile file can at worst
//! end the reader; nothing that it said counts then. A program that does not
//! offer this (tests, other systems) reads under the same bounds of
//! [`super::limits`] itself.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crdt::vocabulary::Vocabularies;
use serde::{Deserialize, Serialize};

use super::candidate::{Fault, Line};
use super::export;
use super::inventory::{self, Mapping};
use super::limits::{EXPORT_BYTES_MAX, FILE_BYTES_MAX};
use super::spool::{Spool, SpoolWriter};

mod isolated;
mod page;

pub use isolated::serve;
pub(crate) use page::read_page;

/// The program that reads files for this process.
static READER: OnceLock<PathBuf> = OnceLock::new();

/// Has files read by this program from now on, as `PROGRAM read-import REQUEST`.
pub fn read_with(program: PathBuf) {
    // The first one counts: a process is one program.
    let _ = READER.set(program);
}

/// A file that came in.
#[derive(Debug)]
pub struct Upload {
    /// Its name, of which only the ending means something.
    pub name: String,
    /// The file, open for reading.
    pub file: File,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text with a value between separators.
    Csv,
    /// A spreadsheet in a zip: xlsx or ods.
    Workbook,
    /// Records of another catalog: RDF, or packages of CKAN.
    Catalog,
    /// The whole catalog of a town, as `hanse export` writes it.
    Export,
}

/// What a reader is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Task {
    /// A file that a person brings.
    File(Request),
    /// A page that was fetched.
    Page(page::Origin),
}

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The kind of file.
    pub format: Format,
    /// How its columns were understood before.
    #[serde(default)]
    pub mapping: Option<Mapping>,
    /// The data directory, for the town's own lists of codes.
    #[serde(default)]
    pub directory: Option<PathBuf>,
}

/// Reads a file to its end. `mapping` is the one kept for its source, `lists`
/// are the town's, as its data directory has them.
pub fn read(
    mut upload: Upload,
    mapping: Option<Mapping>,
    lists: &Vocabularies,
    directory: Option<&Path>,
) -> io::Result<Result<Spool, Fault>> {
    let length = upload.file.metadata()?.len();
    let mut head = [0; 32];
    upload.file.rewind()?;
    let read = read_up_to(&mut upload.file, &mut head)?;
    upload.file.rewind()?;
    let format = match recognise(&upload.name, &head[..read]) {
        Ok(format) => format,
        Err(fault) => return Ok(Err(fault)),
    };
    let most = longest(&head[..read]);
    if length > most {
        return Ok(Err(too_long(length, most)));
    }
    let request = Request { format, mapping, directory: directory.map(Path::to_owned) };
    let mut spool = SpoolWriter::new(directory)?;
    match READER.get() {
        Some(program) if cfg!(unix) => isolated::read(program, request, upload.file, &mut spool)?,
        _ => read_here(&request, lists, upload.file, &mut |line| spool.say(line))?,
    }
    spool.finish()
}

/// Reads a file in this process.
fn read_here(
    request: &Request,
    lists: &Vocabularies,
    file: File,
    say: &mut dyn FnMut(&Line) -> io::Result<bool>,
) -> io::Result<()> {
    let read = match request.format {
        Format::Catalog => crate::harvest::file::read(file, lists, say)?,
        Format::Export => export::read(file, say)?,
        Format::Csv | Format::Workbook => inventory::read(request, lists, file, say)?,
    };
    let end = match read {
        Ok(()) => Line::End,
        Err(fault) => Line::Fault(fault),
    };
    say(&end).map(|_| ())
}

/// Says what kind of file begins like this.
pub(crate) fn recognise(name: &str, head: &[u8]) -> Result<Format, Fault> {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    match head {
        [] => Err(Fault::fixed(
            "die Datei ist leer",
            "the file is empty",
            "eine Datei mit einer Kopfzeile und mindestens einer Zeile angeben",
            "give a file with a head and at least one row",
        )),
        [b'P', b'K', 3, 4, ..] => Ok(Format::Workbook),
        head if head.starts_with(export::BEGINNING) => Ok(Format::Export),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(Fault::fixed(
            "die Datei ist eine alte Excel-Mappe (.xls) oder mit einem Kennwort geschützt",
            "the file is an old Excel workbook (.xls) or protected by a password",
            "in Excel oder LibreOffice ohne Kennwort als .xlsx speichern",
            "save it without a password as .xlsx",
        )),
        [0x1f, 0x8b, ..] | [b'7', b'z', 0xbc, 0xaf, ..] | [b'R', b'a', b'r', b'!', ..] => Err(Fault::fixed(
            "die Datei ist gepackt",
            "the file is packed",
            "entpacken und die Datei darin angeben",
            "unpack it and give the file in it",
        )),
        [b'%', b'P', b'D', b'F', ..] => Err(Fault::fixed(
            "die Datei ist ein PDF",
            "the file is a PDF",
            "die Tabelle als .xlsx, .ods oder .csv angeben",
            "give the table as .xlsx, .ods or .csv",
        )),
        _ if ending == "ndjson" => Err(Fault::fixed(
            "die Datei ist keine Ausfuhr, wie `hanse export` sie schreibt",
            "the file is no export as `hanse export` writes it",
            "die Datei angeben, die `hanse export` geschrieben hat",
            "give the file that `hanse export` has written",
        )),
        _ if CATALOGS.contains(&ending.as_str()) => Ok(Format::Catalog),
        _ if ["csv", "tsv", "txt", "tab", ""].contains(&ending.as_str()) => Ok(Format::Csv),
        _ => Err(Fault::made(
            format!("Dateien der Art „.{ending}“ kann der Import nicht lesen"),
            format!("files of the kind `.{ending}` cannot be imported"),
            "als .xlsx, .ods oder .csv speichern, einen Katalog als .ttl, .rdf, .jsonld, .nt oder .json",
            "save it as .xlsx, .ods or .csv, a catalog as .ttl, .rdf, .jsonld, .nt or .json",
        )),
    }
}

/// Endings of RDF in its forms, and of CKAN's answers.
const CATALOGS: [&str; 7] = ["ttl", "rdf", "xml", "jsonld", "nt", "n3", "json"];

/// How long a file that begins like this may be, in bytes.
pub fn longest(head: &[u8]) -> u64 {
    if head.starts_with(export::BEGINNING) { EXPORT_BYTES_MAX } else { FILE_BYTES_MAX }
}

fn too_long(length: u64, most: u64) -> Fault {
    const MIB: u64 = 1024 * 1024;
    Fault::made(
        format!("die Datei ist mit {} MiB zu groß; erlaubt sind {} MiB", length / MIB, most / MIB),
        format!("the file is too large: {} MiB, at most {} MiB", length / MIB, most / MIB),
        "die Datei in mehrere teilen",
        "split it into several files",
    )
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_how_they_begin() {
        assert_eq!(recognise("a.csv", b"Titel;Thema"), Ok(Format::Csv));
        assert_eq!(recognise("catalog.ttl", b"@prefix "), Ok(Format::Catalog));
        assert_eq!(recognise("a.ndjson", export::BEGINNING), Ok(Format::Export));
        assert_eq!(recognise("a.csv", b"PK\x03\x04...."), Ok(Format::Workbook), "whatever it is called");
        for (name, head) in [
            ("a.csv", &b""[..]),
            ("a.xls", b"\xd0\xcf\x11\xe0"),
            ("a.xlsx.gz", b"\x1f\x8b\x08"),
            ("a.pdf", b"%PDF-1.7"),
            ("a.ndjson", b"{}"),
            ("a.exe", b"MZ"),
        ] {
            assert!(recognise(name, head).is_err(), "{name}");
        }
    }
}
