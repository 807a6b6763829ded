//! Looks through a zip archive before a library unpacks it.
//!
//! Every part is unpacked here once, counted and thrown away: what an archive
//! says of its sizes is compared with what comes out, and the sum is bounded.
//! Markup that declares a document type is refused. The form is PKWARE's
//! APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (directory) and 4.3.16
//! (its end); sizes may stand in eight bytes (4.5.3), archives beyond 4 GiB
//! (4.3.14) are none of ours.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

use crate::import::candidate::Fault;
use crate::import::inventory::Stop;
use crate::import::limits::{PARTS_MAX, UNPACKED_BYTES_MAX};

/// Bytes at the end of an archive in which its directory's end must be: the
/// longest comment and the record itself.
const END_BYTES_MAX: u64 = 65_535 + 22;
/// Bytes of markup in which a document type would be declared.
const PROLOGUE_BYTES: usize = 4 * 1024;
/// Longest directory, in bytes.
const DIRECTORY_BYTES_MAX: u64 = 1024 * 1024;

/// What kind of workbook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Xlsx,
    Ods,
}

/// One part of the archive, as its directory tells.
#[derive(Debug)]
struct Part {
    name: String,
    method: u16,
    encrypted: bool,
    packed: u64,
    unpacked: u64,
    offset: u64,
}

/// Says what kind of workbook it is, if it is one and harmless to unpack.
pub(super) fn check(file: &mut File) -> Result<Kind, Stop> {
    let parts = directory(file)?;
    let mut sum = 0;
    for part in &parts {
        sum = part.unpacked.saturating_add(sum);
        if sum > UNPACKED_BYTES_MAX {
            return Err(too_much().into());
        }
    }
    for part in &parts {
        unpack(file, part)?;
    }
    let has = |name: &str| parts.iter().any(|part| part.name == name);
    match (has("xl/workbook.xml"), has("content.xml") && has("mimetype")) {
        (true, _) => Ok(Kind::Xlsx),
        (false, true) => Ok(Kind::Ods),
        (false, false) => Err(Fault::fixed(
            "die Datei ist ein Zip-Archiv, aber weder .xlsx noch .ods",
            "the file is a zip archive, but neither .xlsx nor .ods",
            "das Archiv entpacken und die Tabelle darin angeben",
            "unpack it and give the table in it",
        )
        .into()),
    }
}

fn directory(file: &mut File) -> Result<Vec<Part>, Stop> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.min(END_BYTES_MAX);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut end = Vec::new();
    (&mut *file).take(tail).read_to_end(&mut end)?;
    let at = end.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").ok_or_else(broken)?;
    let end = Fields(&end[at..]);
    let (count, size, offset) = (end.u16(10)?, u64::from(end.u32(12)?), u64::from(end.u32(16)?));
    if usize::from(count) > PARTS_MAX || size > DIRECTORY_BYTES_MAX {
        return Err(too_much().into());
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    (&mut *file).take(size).read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let mut parts = Vec::with_capacity(count.into());
    for _ in 0..count {
        let fields = Fields(rest);
        if rest.get(..4) != Some(b"PK\x01\x02") {
            return Err(broken().into());
        }
        let (name, extra, comment) = (fields.u16(28)?, fields.u16(30)?, fields.u16(32)?);
        let name_end = 46 + usize::from(name);
        let extra_fields = rest.get(name_end..name_end + usize::from(extra)).ok_or_else(broken)?;
        let mut wide = Wide::of(extra_fields);
        parts.push(Part {
            name: String::from_utf8_lossy(rest.get(46..name_end).ok_or_else(broken)?).into_owned(),
            method: fields.u16(10)?,
            encrypted: fields.u16(8)? & 1 == 1,
            // In this order (4.5.3); evaluated in it.
            unpacked: wide.or(fields.u32(24)?)?,
            packed: wide.or(fields.u32(20)?)?,
            offset: wide.or(fields.u32(42)?)?,
        });
        rest = rest.get(name_end + usize::from(extra) + usize::from(comment)..).ok_or_else(broken)?;
    }
    Ok(parts)
}

/// Unpacks a part, and throws it away.
fn unpack(file: &mut File, part: &Part) -> Result<(), Stop> {
    if part.encrypted {
        return Err(Fault::fixed(
            "die Mappe ist mit einem Kennwort geschützt",
            "the workbook is protected by a password",
            "ohne Kennwort speichern",
            "save it without a password",
        )
        .into());
    }
    file.seek(SeekFrom::Start(part.offset))?;
    let mut header = [0; 30];
    file.read_exact(&mut header).map_err(|_| broken())?;
    let fields = Fields(&header);
    if header[..4] != *b"PK\x03\x04" {
        return Err(broken().into());
    }
    let skip = u64::from(fields.u16(26)?) + u64::from(fields.u16(28)?);
    file.seek(SeekFrom::Start(part.offset + 30 + skip))?;
    let packed = (&mut *file).take(part.packed);
    // One byte more than was said shows that more was said than is true.
    let most = part.unpacked.saturating_add(1);
    let (read, head) = match part.method {
        0 => counted(packed.take(most))?,
        8 => counted(DeflateDecoder::new(packed).take(most))?,
        _ => return Err(broken().into()),
    };
    if read != part.unpacked {
        return Err(Fault::fixed(
            "die Mappe entpackt sich zu etwas anderem, als sie angibt",
            "the workbook unpacks to something else than it says",
            "in Excel oder LibreOffice öffnen und neu speichern",
            "open it in Excel or LibreOffice and save it again",
        )
        .into());
    }
    if declares_a_type(&head) {
        return Err(Fault::fixed(
            "die Mappe enthält eine DTD, die in Tabellen nicht vorkommt",
            "the workbook holds a document type, which tables have none of",
            "in Excel oder LibreOffice öffnen und neu speichern",
            "open it in Excel or LibreOffice and save it again",
        )
        .into());
    }
    Ok(())
}

/// How many bytes there are, and the first of them.
fn counted(mut from: impl Read) -> Result<(u64, Vec<u8>), Fault> {
    let mut head = Vec::new();
    (&mut from).take(PROLOGUE_BYTES as u64).read_to_end(&mut head).map_err(|_| broken())?;
    let rest = io::copy(&mut from, &mut io::sink()).map_err(|_| broken())?;
    Ok((head.len() as u64 + rest, head))
}

fn declares_a_type(head: &[u8]) -> bool {
    head.starts_with(b"<") && head.windows(9).any(|bytes| bytes.eq_ignore_ascii_case(b"<!DOCTYPE"))
        || head.windows(8).any(|bytes| bytes == b"<!ENTITY")
}

/// Little-endian numbers at fixed places.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u16(&self, at: usize) -> Result<u16, Fault> {
        let bytes = self.0.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u16::from_le_bytes).ok_or_else(broken)
    }

    fn u32(&self, at: usize) -> Result<u32, Fault> {
        let bytes = self.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or_else(broken)
    }
}

/// The sizes of a part in eight bytes, as writers of streams give them even for
/// small parts (APPNOTE 4.5.3).
struct Wide<'a>(&'a [u8]);

impl<'a> Wide<'a> {
    /// The field of that kind among the extra fields of a part, if there is one.
    fn of(mut extra: &'a [u8]) -> Self {
        while let [a, b, c, d, rest @ ..] = extra {
            let length = usize::from(u16::from_le_bytes([*c, *d]));
            let Some(body) = rest.get(..length) else { break };
            if u16::from_le_bytes([*a, *b]) == 1 {
                return Self(body);
            }
            extra = &rest[length..];
        }
        Self(&[])
    }

    /// A size that stands in four bytes, or here where those are all ones.
    fn or(&mut self, narrow: u32) -> Result<u64, Fault> {
        if narrow != u32::MAX {
            return Ok(narrow.into());
        }
        let (number, rest) = self.0.split_first_chunk().ok_or_else(broken)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }
}

fn broken() -> Fault {
    Fault::fixed(
        "die Mappe ist beschädigt oder unvollständig",
        "the workbook is damaged or incomplete",
        "die Datei noch einmal holen, oder die Tabelle als CSV speichern",
        "fetch the file again, or save the table as CSV",
    )
}

fn too_much() -> Fault {
    const MIB: u64 = 1024 * 1024;
    Fault::made(
        format!(
            "die Mappe entpackt sich zu mehr als {} MiB oder {PARTS_MAX} Teilen",
            UNPACKED_BYTES_MAX / MIB
        ),
        format!("the workbook unpacks to more than {} MiB or {PARTS_MAX} parts", UNPACKED_BYTES_MAX / MIB),
        "nur die Tabelle in eine neue Mappe kopieren",
        "copy only the table into a new workbook",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_eight_bytes_are_read_where_four_say_nothing() {
        let other = [9, 0, 2, 0, 7, 7];
        let wide = [[1, 0, 16, 0].as_slice(), &5u64.to_le_bytes(), &6u64.to_le_bytes()].concat();
        let extra = [other.as_slice(), &wide].concat();
        let mut sizes = Wide::of(&extra);
        let read = [u32::MAX, 3, u32::MAX].map(|narrow| sizes.or(narrow).unwrap());
        assert_eq!(read, [5, 3, 6]);
        assert!(sizes.or(u32::MAX).is_err(), "nothing more is there");
    }
}
