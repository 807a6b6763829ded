//! A page that was fetched from another catalog, read at arm's length as a file
//! is: what a source sends can at worst end the reader of this one page.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crdt::catalog::Bilingual;
use crdt::foreign::ForeignRecord;
use crdt::vocabulary::Vocabularies;
use serde::{Deserialize, Serialize};

use super::{READER, Task, isolated};
use crate::harvest::page::{self, Page, UnreadablePage};
use crate::import::private_file;

/// Where a page came from, and as what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// Its media type.
    named: Option<String>,
    /// Its address.
    base: Option<String>,
    /// The data directory, for the town's own lists of codes.
    pub(super) directory: Option<PathBuf>,
}

/// What the reader says of a page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PageLine {
    /// One record.
    Record(Box<ForeignRecord>),
    /// Everything has been said; the rest of the [`Page`].
    End { next: Option<String>, total: Option<u64>, is_catalog: bool },
    /// Nothing of the page can be taken.
    Unreadable(UnreadablePage),
}

/// Reads a page, as [`page::read`] does. Blocks.
pub(crate) fn read_page(
    bytes: Vec<u8>,
    named: Option<&str>,
    base: Option<&str>,
    lists: &Vocabularies,
    directory: Option<&Path>,
) -> io::Result<Result<Page, UnreadablePage>> {
    let program = match READER.get() {
        Some(program) if cfg!(unix) => program,
        _ => return Ok(page::read(bytes, named, base, lists)),
    };
    let mut file = private_file(directory)?;
    file.write_all(&bytes)?;
    drop(bytes);
    file.rewind()?;
    let origin = Origin {
        named: named.map(str::to_owned),
        base: base.map(str::to_owned),
        directory: directory.map(Path::to_owned),
    };
    let mut read = Page::default();
    let mut ended = None;
    isolated::listen(program, &Task::Page(origin), file, |line| {
        match line {
            PageLine::Record(record) => read.records.push(*record),
            PageLine::End { next, total, is_catalog } => {
                (read.next, read.total, read.is_catalog) = (next, total, is_catalog);
                ended = Some(Ok(()));
            }
            PageLine::Unreadable(why) => ended = Some(Err(why)),
        }
        Ok(ended.is_none())
    })?;
    Ok(ended.unwrap_or_else(|| Err(too_much())).map(|()| read))
}

/// The reader's side.
pub(super) fn read_here(
    origin: &Origin,
    lists: &Vocabularies,
    file: File,
    say: &mut dyn FnMut(&PageLine) -> io::Result<()>,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    file.take(page::PAGE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let content = match page::content(bytes, origin.named.as_deref(), origin.base.as_deref()) {
        Ok(content) => content,
        Err(why) => return say(&PageLine::Unreadable(why)),
    };
    for record in content.records(lists) {
        say(&PageLine::Record(Box::new(record)))?;
    }
    let next = content.next().map(str::to_owned);
    say(&PageLine::End { next, total: content.total(), is_catalog: content.is_catalog() })
}

fn too_much() -> UnreadablePage {
    UnreadablePage {
        problem: Bilingual::fixed(
            "die Seite braucht beim Lesen mehr Speicher oder Zeit, als sie haben darf",
            "reading the page needs more memory or time than it may have",
        ),
        remedy: Bilingual::fixed(
            "die Quelle in kleinere Seiten teilen lassen",
            "have the source split into smaller pages",
        ),
    }
}
