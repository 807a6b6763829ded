//! A catalog or a table behind an address, read once for `hanse import URL`:
//! fetched as a source is, recognised by what comes, and handed on whole or not
//! at all.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use crdt::catalog::{Bilingual, InvalidField};
use crdt::vocabulary::Vocabularies;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::fetch::{Fetched, Fetcher, Reach, Validators, without_credentials};
use super::file::say_record;
use super::source::{Kind, SourceSpec, checked_url, guessed};
use super::walk::{self, Walk, WalkEnd, WalkProgress};
use crate::import::reader::{Format, Upload, recognise};
use crate::import::{Fault, Line, Place, Progress, Remark, RemarkKind, SourceName, Spool, SpoolWriter};

/// Media types of tables, whatever the address is called.
const TABLES: [&str; 2] = ["text/csv", "text/tab-separated-values"];

/// An address to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
    reach: Reach,
}

/// What stood behind an address.
#[derive(Debug)]
pub(crate) enum Found {
    /// A catalog, read to its end.
    Read(Spool),
    /// A file, to be read as one that a person brings.
    File(Upload),
}

impl Address {
    /// An address as a person or program gives it, and where it may lead to.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, InvalidField> {
        Ok(Self { url: checked_url(text)?, reach })
    }

    /// The address as it may be shown.
    pub fn name(&self) -> String {
        without_credentials(&self.url)
    }

    /// What its records are known by: host and path, without what only says
    /// how to answer. A CKAN is one source, by whichever action it is asked.
    pub fn source(&self) -> SourceName {
        let host = self.url.host_str().unwrap_or_default();
        let path = match guessed(&self.url) {
            Kind::Ckan => self.url.path().split("/api/").next().unwrap_or_default(),
            Kind::Rdf => self.url.path(),
        };
        SourceName::new(&format!("{host}{}", path.trim_end_matches('/')))
    }
}

/// Fetches what stands there. `directory` is where private files may lie.
pub(crate) async fn read(
    address: &Address,
    directory: Option<&Path>,
    lists: &Arc<Vocabularies>,
    progress: &Progress,
) -> io::Result<Result<Found, Fault>> {
    let fetcher = match Fetcher::new(address.reach) {
        Ok(fetcher) => fetcher,
        Err(error) => return Ok(Err(unfetched(address, error.message()))),
    };
    // One package is a page of one; anything else of a CKAN is walked through.
    if guessed(&address.url) == Kind::Ckan && !address.url.path().ends_with("/package_show") {
        return whole(address, &fetcher, (Kind::Ckan, None), directory, lists, progress).await;
    }
    let first = match fetcher.fetch(&address.url, &Validators::default()).await {
        Ok(Fetched::Page { bytes, media_type, url, validators }) => (bytes, media_type, url, validators),
        // Nothing was asked on a condition.
        Ok(Fetched::NotModified) => return Ok(Err(unfetched(address, &not_modified()))),
        Err(error) => return Ok(Err(unfetched(address, error.message()))),
    };
    let (bytes, media_type, url, validators) = first;
    match kind(&url, media_type.as_deref(), &bytes) {
        Ok((Format::Catalog, _)) => {
            let first = Fetched::Page { bytes, media_type, url, validators };
            whole(address, &fetcher, (Kind::Rdf, Some(first)), directory, lists, progress).await
        }
        Ok((Format::Export, _)) => Ok(Err(is_an_export())),
        Ok((Format::Csv | Format::Workbook, name)) => {
            Ok(Ok(Found::File(Upload { name, file: kept(&bytes, directory)? })))
        }
        Err(fault) => Ok(Err(fault)),
    }
}

/// What came, by its first bytes, its media type and its name; and that name.
fn kind(url: &Url, media_type: Option<&str>, bytes: &[u8]) -> Result<(Format, String), Fault> {
    let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default().to_owned();
    let media = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_lowercase();
    let head = &bytes[..bytes.len().min(32)];
    if TABLES.contains(&media.as_str()) {
        return recognise(&format!("{name}.csv"), head).map(|format| (format, name));
    }
    match recognise(&name, head) {
        Ok(format @ (Format::Workbook | Format::Export)) => Ok((format, name)),
        Ok(Format::Csv) if name.rsplit_once('.').is_some() && media != "text/html" => Ok((Format::Csv, name)),
        // An address seldom ends as a file does: the reader of catalogs says
        // what it is, and what it is not.
        Ok(_) => Ok((Format::Catalog, name)),
        Err(_) if !bytes.is_empty() && std::str::from_utf8(head).is_ok() => Ok((Format::Catalog, name)),
        Err(fault) => Err(fault),
    }
}

fn kept(bytes: &[u8], directory: Option<&Path>) -> io::Result<File> {
    let mut file = crate::import::private_file(directory)?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

/// Walks through the catalog to its end.
async fn whole(
    address: &Address,
    fetcher: &Fetcher,
    (kind, first): (Kind, Option<Fetched>),
    directory: Option<&Path>,
    lists: &Arc<Vocabularies>,
    progress: &Progress,
) -> io::Result<Result<Found, Fault>> {
    let spec = SourceSpec::once(address.url.clone(), kind, address.reach);
    let mut spool = SpoolWriter::new(directory)?;
    let mut number = 0;
    let take = |record| {
        number += 1;
        say_record(number, record, &mut |line| spool.say(line)).map(|_| ())
    };
    let step = |walked: WalkProgress| {
        progress.set(walked.records as u64, walked.total.unwrap_or(0));
    };
    let (known, stop) = (Validators::default(), CancellationToken::new());
    let how = Walk { fetcher, source: &spec, since: None, known: &known, lists, directory, stop: &stop };
    let WalkEnd { incomplete, whole, .. } = walk::walk(how, first, take, step).await?;
    match incomplete {
        Some(problem) if !whole => return Ok(Err(unfetched(address, &problem))),
        Some(problem) => drop(spool.say(&Line::Remark(Place::Whole, Box::new(moved(problem))))?),
        None => {}
    }
    spool.say(&Line::End)?;
    Ok(spool.finish()?.map(Found::Read))
}

fn unfetched(address: &Address, problem: &Bilingual) -> Fault {
    let name = address.name();
    Fault::made(
        format!("{name}: {}", problem.de),
        format!("{name}: {}", problem.en),
        "Adresse und Quelle prüfen und noch einmal einlesen; es wurde nichts übernommen",
        "check address and source and import again; nothing was taken",
    )
}

fn not_modified() -> Bilingual {
    Bilingual::fixed("die Quelle sagt nichts", "the source says nothing")
}

fn is_an_export() -> Fault {
    Fault::fixed(
        "dort liegt die Ausfuhr eines ganzen Katalogs",
        "there lies the export of a whole catalog",
        "die Datei selbst angeben: eine Ausfuhr wird nicht aus dem Netz gelesen",
        "give the file itself: an export is not read from the network",
    )
}

/// All pages came, but the source counts otherwise.
fn moved(problem: Bilingual) -> Remark {
    Remark {
        kind: RemarkKind::Hint,
        field: String::new(),
        value: String::new(),
        reason: problem,
        remedy: Bilingual::fixed("später noch einmal einlesen", "import it again later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_known_by_its_beginning_its_media_type_and_its_name() {
        let kind = |url: &str, media: Option<&str>, bytes: &[u8]| {
            super::kind(&Url::parse(url).unwrap(), media, bytes).map(|(format, _)| format).ok()
        };
        let base = "https://a.example/";
        let at = |name: &str| format!("{base}{name}");
        assert_eq!(kind(&at("x"), Some("text/csv; charset=utf-8"), b"Titel;Thema"), Some(Format::Csv));
        assert_eq!(kind(&at("x.csv"), Some("text/plain"), b"Titel;Thema"), Some(Format::Csv));
        assert_eq!(kind(&at("x?format=xlsx"), None, b"PK\x03\x04"), Some(Format::Workbook));
        for (name, media) in
            [("catalog", "text/turtle"), ("catalog.ttl", "text/plain"), ("x.php", "text/html")]
        {
            assert_eq!(kind(&at(name), Some(media), b"@prefix a: <b> ."), Some(Format::Catalog), "{name}");
        }
        assert_eq!(kind(&at("x.pdf"), None, b"%PDF-1.7 \xff"), None);
        assert_eq!(kind(&at("leer"), None, b""), None);
        let address = Address::parse("https://a.example/x/catalog.ttl?page=2", Reach::default()).unwrap();
        assert_eq!(address.source().as_str(), "a.example/x/catalog.ttl");
        for ckan in
            ["https://a.example", "https://a.example/", "https://a.example/api/3/action/package_search?q=x"]
        {
            let address = Address::parse(ckan, Reach::default()).unwrap();
            assert_eq!(address.source().as_str(), "a.example", "{ckan}");
        }
    }
}
