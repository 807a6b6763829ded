//! What a reader said, in a private temporary file, before anything is done
//! about it.
//!
//! The file has no name and ends with the process. Only a reader that came to
//! its end makes a [`Spool`].

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::candidate::{Fault, Line};
use super::export::ExportHead;
use super::limits::LINE_BYTES_MAX;

/// Longest spool, in bytes: many times what the longest file says.
const SPOOL_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// A file without a name, in the data directory if there is one.
pub fn private_file(directory: Option<&Path>) -> io::Result<File> {
    match directory {
        Some(directory) => tempfile::tempfile_in(directory),
        None => tempfile::tempfile(),
    }
}

/// Takes the lines of a reader.
#[derive(Debug)]
pub struct SpoolWriter {
    file: BufWriter<File>,
    bytes: u64,
    candidates: u64,
    export: Option<ExportHead>,
    ended: bool,
    fault: Option<Fault>,
}

impl SpoolWriter {
    /// An empty one.
    pub fn new(directory: Option<&Path>) -> io::Result<Self> {
        let file = BufWriter::new(private_file(directory)?);
        Ok(Self { file, bytes: 0, candidates: 0, export: None, ended: false, fault: None })
    }

    /// Takes a line. Whether the reader should go on.
    pub fn say(&mut self, line: &Line) -> io::Result<bool> {
        if self.ended || self.fault.is_some() {
            return Ok(false);
        }
        match line {
            Line::Fault(fault) => self.fault = Some(fault.clone()),
            Line::End => self.ended = true,
            Line::Candidate(_) | Line::Part(..) => self.candidates += 1,
            Line::Head(head) => self.export = Some(head.clone()),
            Line::Total(_) | Line::Mapping(_) | Line::Person(_) | Line::Remark(..) => {}
        }
        let mut json = serde_json::to_vec(line)?;
        json.push(b'\n');
        self.bytes += json.len() as u64;
        if self.bytes > SPOOL_BYTES_MAX {
            self.fault = Some(Fault::fixed(
                "die Datei enthält zu viel",
                "the file holds too much",
                "die Datei in mehrere teilen",
                "split it into several files",
            ));
            return Ok(false);
        }
        self.file.write_all(&json)?;
        Ok(!self.ended && self.fault.is_none())
    }

    /// What was read, if the reader came to its end.
    pub fn finish(self) -> io::Result<Result<Spool, Fault>> {
        if let Some(fault) = self.fault {
            return Ok(Err(fault));
        }
        if !self.ended {
            return Ok(Err(Fault::fixed(
                "das Lesen der Datei ist abgebrochen",
                "reading the file broke off",
                "die Datei prüfen und in einfacherer Form speichern, zum Beispiel als CSV",
                "check the file and save it in a simpler form, for example as CSV",
            )));
        }
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Ok(Spool { file, candidates: self.candidates, export: self.export }))
    }
}

/// Everything that a reader said.
#[derive(Debug)]
pub struct Spool {
    file: File,
    candidates: u64,
    export: Option<ExportHead>,
}

impl Spool {
    /// What the file says of itself, if it is the export of a whole catalog.
    pub fn export(&self) -> Option<&ExportHead> {
        self.export.as_ref()
    }

    /// How many candidates there are.
    pub fn candidates(&self) -> u64 {
        self.candidates
    }

    /// All lines from the first.
    pub fn lines(&mut self) -> io::Result<Lines<'_>> {
        self.file.rewind()?;
        Ok(Lines { lines: JsonLines::new(&self.file) })
    }
}

/// Lines of a spool, one after the other.
#[derive(Debug)]
pub struct Lines<'a> {
    lines: JsonLines<&'a File>,
}

impl Lines<'_> {
    /// The next line.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        self.lines.next()
    }
}

/// Reads JSON lines of a bounded length.
#[derive(Debug)]
pub(super) struct JsonLines<R: io::Read> {
    from: BufReader<R>,
    line: Vec<u8>,
}

impl<R: io::Read> JsonLines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from: BufReader::with_capacity(64 * 1024, from), line: Vec::new() }
    }

    pub(super) fn next<L: DeserializeOwned>(&mut self) -> io::Result<Option<L>> {
        self.line.clear();
        let max = LINE_BYTES_MAX as u64 + 1;
        let read = (&mut self.from).take(max).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        if self.line.len() > LINE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
        }
        serde_json::from_slice(&self.line).map(Some).map_err(io::Error::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reader_that_came_to_its_end_has_said_something() {
        let mut writer = SpoolWriter::new(None).unwrap();
        assert!(writer.say(&Line::Total(1)).unwrap());
        assert!(writer.finish().unwrap().is_err(), "it broke off");

        let mut writer = SpoolWriter::new(None).unwrap();
        writer.say(&Line::Total(1)).unwrap();
        assert!(!writer.say(&Line::End).unwrap());
        assert!(!writer.say(&Line::Total(2)).unwrap(), "nothing comes after the end");
        let mut spool = writer.finish().unwrap().unwrap();
        for _ in 0..2 {
            let mut lines = spool.lines().unwrap();
            assert_eq!(lines.next().unwrap(), Some(Line::Total(1)));
            assert_eq!(lines.next().unwrap(), Some(Line::End));
            assert_eq!(lines.next().unwrap(), None);
        }
    }
}
