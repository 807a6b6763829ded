//! One page of a catalog, from bytes to records: RDF in any of its forms, or
//! the JSON of a CKAN.
//!
//! Never loads anything that a page names: JSON-LD contexts from elsewhere,
//! DTDs and entities are refused. A page that ends in the middle is refused as
//! a whole, so that what is missing does not count as gone.

use crdt::catalog::Bilingual;
use crdt::foreign::{ForeignRecord, Gathering, Statements, read_package};
use crdt::vocabulary::Vocabularies;
use encoding_rs::Encoding;
use oxrdf::Triple;
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::bounds::DEPTH_MAX;
use super::bounds::bounded;

/// Longest page in bytes: more than any catalog sends for a hundred records.
pub const PAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most triples of one page.
pub const TRIPLES_MAX: usize = 3_000_000;
/// Most records of one page.
pub const RECORDS_MAX: usize = 200_000;

/// What a page is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// RDF/XML.
    RdfXml,
    /// Turtle, and N-Triples with it.
    Turtle,
    /// N-Triples alone, which is read faster.
    NTriples,
    /// JSON-LD.
    JsonLd,
    /// An answer of CKAN's Action API, or package dicts.
    Ckan,
}

/// A page that was read.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The records, good and refused ones.
    pub records: Vec<ForeignRecord>,
    /// Where the next page is, as the page says it.
    pub next: Option<String>,
    /// How many records the source says it has.
    pub total: Option<u64>,
    /// Whether it is a catalog's answer at all, even an empty one.
    pub is_catalog: bool,
}

/// Why a page could not be read; nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{problem}; {remedy}")]
pub struct UnreadablePage {
    /// What is wrong, and where.
    pub problem: Bilingual,
    /// What to do.
    pub remedy: Bilingual,
}

impl UnreadablePage {
    pub(super) fn fixed(de: &str, en: &str, remedy_de: &str, remedy_en: &str) -> Self {
        Self { problem: Bilingual::fixed(de, en), remedy: Bilingual::fixed(remedy_de, remedy_en) }
    }

    pub(super) fn made(de: String, en: String, remedy_de: &str, remedy_en: &str) -> Self {
        Self { problem: Bilingual::made(de, en), remedy: Bilingual::fixed(remedy_de, remedy_en) }
    }
}

/// A page that was understood, whose records are made one after the other: all
/// of them at once take many times the page's own memory.
#[derive(Debug)]
pub enum Content {
    /// The statements of a graph.
    Graph(Statements),
    /// An answer of a CKAN, or package dicts alone.
    Answer(Value),
}

impl Content {
    /// How many records there are.
    pub fn len(&self) -> usize {
        let count = match self {
            Self::Graph(graph) => graph.dataset_count(),
            Self::Answer(answer) => packages(answer).len(),
        };
        count.min(RECORDS_MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the next page is, as the page says it.
    pub fn next(&self) -> Option<&str> {
        match self {
            Self::Graph(graph) => graph.next_page(),
            Self::Answer(_) => None,
        }
    }

    /// How many records the source says it has.
    pub fn total(&self) -> Option<u64> {
        match self {
            Self::Graph(graph) => graph.total(),
            Self::Answer(answer) => result(answer).get("count").and_then(Value::as_u64),
        }
    }

    /// Whether it is a catalog's answer at all, even an empty one.
    pub fn is_catalog(&self) -> bool {
        let says_so = match self {
            Self::Graph(graph) => graph.has_catalog(),
            Self::Answer(answer) => self.total().is_some() || answer.get("success").is_some(),
        };
        says_so || !self.is_empty()
    }

    /// The records, good and refused ones.
    pub fn records<'a>(&'a self, lists: &'a Vocabularies) -> Box<dyn Iterator<Item = ForeignRecord> + 'a> {
        match self {
            Self::Graph(graph) => Box::new(graph.datasets(lists).take(RECORDS_MAX)),
            Self::Answer(answer) => {
                Box::new(packages(answer).iter().take(RECORDS_MAX).map(|one| read_package(one, lists)))
            }
        }
    }
}

/// Reads a page with all its records. `named` is its media type or its file's
/// ending, which counts where the text does not say otherwise; `base` is its
/// address, `lists` the vocabularies by which codes are known.
pub fn read(
    bytes: impl Into<Vec<u8>>,
    named: Option<&str>,
    base: Option<&str>,
    lists: &Vocabularies,
) -> Result<Page, UnreadablePage> {
    let content = content(bytes.into(), named, base)?;
    Ok(Page {
        records: content.records(lists).collect(),
        next: content.next().map(str::to_owned),
        total: content.total(),
        is_catalog: content.is_catalog(),
    })
}

/// Reads a page as far as it takes to understand it.
pub fn content(bytes: Vec<u8>, named: Option<&str>, base: Option<&str>) -> Result<Content, UnreadablePage> {
    if bytes.len() > PAGE_BYTES_MAX {
        return Err(UnreadablePage::made(
            format!("die Seite ist größer als {} MiB", PAGE_BYTES_MAX >> 20),
            format!("the page is larger than {} MiB", PAGE_BYTES_MAX >> 20),
            "die Quelle in Seiten teilen lassen",
            "have the source split into pages",
        ));
    }
    let text = decode(bytes)?;
    match form(&text, named)? {
        Form::Ckan => ckan(&text),
        form => rdf(&text, form, base).map(Content::Graph),
    }
}

/// The text of a page: UTF-8, or what an XML declaration names.
fn decode(bytes: Vec<u8>) -> Result<String, UnreadablePage> {
    let declared = Encoding::for_bom(&bytes).map(|(encoding, _)| encoding).or_else(|| {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        let name = head.strip_prefix("<?xml")?.split("encoding=").nth(1)?;
        let name = name.get(1..)?.split(['"', '\'']).next()?;
        Encoding::for_label(name.as_bytes())
    });
    let mut text = match declared {
        // As it stands, without a copy.
        None => String::from_utf8(bytes).map_err(|_| not_utf8())?,
        Some(encoding) => {
            let (text, _, broken) = encoding.decode(&bytes);
            if broken {
                return Err(not_utf8());
            }
            text.into_owned()
        }
    };
    // The parser goes by the declaration, which is no longer true.
    if text.starts_with("<?xml")
        && let Some(end) = text.find("?>")
    {
        text.drain(..end + 2);
    }
    Ok(text)
}

fn not_utf8() -> UnreadablePage {
    UnreadablePage::fixed(
        "der Text ist nicht in UTF-8",
        "the text is not in UTF-8",
        "die Datei in UTF-8 speichern",
        "save the file in UTF-8",
    )
}

/// What a text is written in, by how it begins; by its name where that leaves
/// it open.
pub fn form(text: &str, named: Option<&str>) -> Result<Form, UnreadablePage> {
    let start = text.trim_start();
    let head: String = start.chars().take(4096).collect::<String>().to_lowercase();
    if head.starts_with("<!doctype html") || head.starts_with("<html") {
        return Err(UnreadablePage::fixed(
            "das ist eine Webseite, kein Katalog",
            "this is a web page, not a catalog",
            "die Adresse der Daten angeben, zum Beispiel …/catalog.ttl oder …/api/3/action/package_search",
            "give the address of the data, such as …/catalog.ttl or …/api/3/action/package_search",
        ));
    }
    let named = named.unwrap_or_default().to_lowercase();
    let says = |word: &str| named.contains(word);
    match start.chars().next() {
        None => Err(UnreadablePage::fixed(
            "die Seite ist leer",
            "the page is empty",
            "später noch einmal versuchen oder die Adresse prüfen",
            "try again later, or check the address",
        )),
        Some('{' | '[') => {
            Ok(if is_json_ld(&head) || says("ld+json") || says("jsonld") { Form::JsonLd } else { Form::Ckan })
        }
        Some('<')
            if head.contains("xmlns")
                || head.starts_with("<?xml")
                || head.starts_with("<!")
                || head.starts_with("<rdf:") =>
        {
            Ok(Form::RdfXml)
        }
        _ if says("n-triples") || named.ends_with("nt") => Ok(Form::NTriples),
        _ if says("rdf+xml") || says("rdf") && start.starts_with('<') && !head.contains("> .") => {
            Ok(Form::RdfXml)
        }
        Some(_) => Ok(Form::Turtle),
    }
}

fn is_json_ld(head: &str) -> bool {
    ["\"@context\"", "\"@graph\"", "\"@id\"", "\"@type\""].iter().any(|word| head.contains(word))
}

fn rdf(text: &str, form: Form, base: Option<&str>) -> Result<Statements, UnreadablePage> {
    bounded(text, form)?;
    let format = match form {
        Form::RdfXml => RdfFormat::RdfXml,
        Form::NTriples => RdfFormat::NTriples,
        Form::JsonLd => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        Form::Turtle | Form::Ckan => RdfFormat::Turtle,
    };
    // IRIs that are none (`tel:+49 2921`) cost their own value, not the page.
    let mut parser = RdfParser::from_format(format).lenient().rename_blank_nodes();
    if let Some(base) = base {
        parser = parser.with_base_iri(base).map_err(|_| no_address(base))?;
    }
    let mut statements = Gathering::default();
    for (count, quad) in parser.for_slice(text.as_bytes()).enumerate() {
        let quad = quad.map_err(|error| syntax(&error))?;
        if count >= TRIPLES_MAX {
            return Err(UnreadablePage::made(
                format!("die Seite hat mehr als {TRIPLES_MAX} Aussagen"),
                format!("the page has more than {TRIPLES_MAX} statements"),
                "die Quelle in Seiten teilen lassen",
                "have the source split into pages",
            ));
        }
        statements.insert(Triple::new(quad.subject, quad.predicate, quad.object));
    }
    Ok(statements.finish())
}

fn no_address(base: &str) -> UnreadablePage {
    UnreadablePage::made(
        format!("„{base}“ ist keine Adresse"),
        format!("`{base}` is not an address"),
        "eine Adresse mit https:// angeben",
        "give an address with https://",
    )
}

fn syntax(error: &oxrdfio::RdfSyntaxError) -> UnreadablePage {
    let place = error.location().map(|place| (place.start.line + 1, place.start.column + 1));
    let (de, en) = match place {
        Some((line, column)) => {
            (format!("Zeile {line}, Spalte {column}: "), format!("line {line}, column {column}: "))
        }
        None => (String::new(), String::new()),
    };
    let detail: String = error.to_string().chars().take(300).collect();
    UnreadablePage::made(
        format!("{de}ist kein gültiges RDF ({detail})"),
        format!("{en}is no valid RDF ({detail})"),
        "an der Quelle berichtigen; von der Seite wurde nichts übernommen",
        "mend it at the source; nothing of the page was taken",
    )
}

/// Package dicts: `package_search`, `package_show`, a list, or one dict.
fn ckan(text: &str) -> Result<Content, UnreadablePage> {
    bounded(text, Form::Ckan)?;
    let json: Value = serde_json::from_str(text).map_err(|error| {
        UnreadablePage::made(
            format!("Zeile {}, Spalte {}: ist kein gültiges JSON", error.line(), error.column()),
            format!("line {}, column {}: is no valid JSON", error.line(), error.column()),
            "an der Quelle berichtigen; von der Seite wurde nichts übernommen",
            "mend it at the source; nothing of the page was taken",
        )
    })?;
    if json.get("success").and_then(Value::as_bool) == Some(false) {
        let said: String =
            json.get("error").map(Value::to_string).unwrap_or_default().chars().take(200).collect();
        return Err(UnreadablePage::made(
            format!("die Quelle meldet einen Fehler: {said}"),
            format!("the source reports an error: {said}"),
            "Adresse und Parameter prüfen",
            "check address and parameters",
        ));
    }
    let packages = packages(&json);
    if packages.iter().any(|package| !package.is_object())
        || packages.is_empty() && !json.is_object() && !json.is_array()
    {
        return Err(UnreadablePage::fixed(
            "das JSON enthält keine Datensätze von CKAN",
            "the JSON holds no datasets of CKAN",
            "die Antwort von package_search oder package_show angeben",
            "give the answer of package_search or package_show",
        ));
    }
    Ok(Content::Answer(json))
}

/// What an answer is about.
fn result(answer: &Value) -> &Value {
    answer.get("result").unwrap_or(answer)
}

/// The package dicts of an answer.
fn packages(answer: &Value) -> &[Value] {
    match result(answer) {
        Value::Array(packages) => packages,
        one @ Value::Object(fields) => match fields.get("results").or_else(|| fields.get("packages")) {
            Some(Value::Array(packages)) => packages,
            _ => std::slice::from_ref(one),
        },
        _ => &[],
    }
}
