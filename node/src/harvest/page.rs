//! One page of a catalog, from bytes to records: RDF in any of its forms, or
//! the JSON of a CKAN.
//!
//! Never loads anything that a page names: JSON-LD contexts from elsewhere,
//! DTDs and entities are refused. A page that ends in the middle is refused as
//! a whole, so that what is missing does not count as gone.

use crdt::catalog::Bilingual;
use crdt::foreign::{ForeignRecord, Statements, read_package};
use crdt::vocabulary::Vocabularies;
use encoding_rs::Encoding;
use oxrdf::Triple;
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};
use serde_json::Value;

/// Longest page in bytes: more than any catalog sends for a hundred records.
pub const PAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most triples of one page.
pub const TRIPLES_MAX: usize = 3_000_000;
/// Deepest nesting of brackets or elements.
pub const DEPTH_MAX: usize = 100;
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {remedy}")]
pub struct UnreadablePage {
    /// What is wrong, and where.
    pub problem: Bilingual,
    /// What to do.
    pub remedy: Bilingual,
}

impl UnreadablePage {
    fn fixed(de: &str, en: &str, remedy_de: &str, remedy_en: &str) -> Self {
        Self { problem: Bilingual::fixed(de, en), remedy: Bilingual::fixed(remedy_de, remedy_en) }
    }

    fn made(de: String, en: String, remedy_de: &str, remedy_en: &str) -> Self {
        Self { problem: Bilingual::made(de, en), remedy: Bilingual::fixed(remedy_de, remedy_en) }
    }
}

/// Reads a page. `named` is its media type or its file's ending, which counts
/// where the text does not say otherwise; `base` is its address, `lists` the
/// vocabularies by which codes are known.
pub fn read(
    bytes: &[u8],
    named: Option<&str>,
    base: Option<&str>,
    lists: &Vocabularies,
) -> Result<Page, UnreadablePage> {
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
        Form::Ckan => ckan(&text, lists),
        form => rdf(&text, form, base, lists),
    }
}

/// The text of a page: UTF-8, or what an XML declaration names.
fn decode(bytes: &[u8]) -> Result<String, UnreadablePage> {
    let head = &bytes[..bytes.len().min(200)];
    let declared = Encoding::for_bom(bytes).map(|(encoding, _)| encoding).or_else(|| {
        let head = String::from_utf8_lossy(head);
        let name = head.strip_prefix("<?xml")?.split("encoding=").nth(1)?;
        let name = name.get(1..)?.split(['"', '\'']).next()?;
        Encoding::for_label(name.as_bytes())
    });
    let (text, _, broken) = declared.unwrap_or(encoding_rs::UTF_8).decode(bytes);
    if broken {
        return Err(UnreadablePage::fixed(
            "der Text ist nicht in UTF-8",
            "the text is not in UTF-8",
            "die Datei in UTF-8 speichern",
            "save the file in UTF-8",
        ));
    }
    // The parser goes by the declaration, which is no longer true.
    let text = match text.split_once("?>") {
        Some((declaration, rest)) if declaration.starts_with("<?xml") => rest.to_owned(),
        _ => text.into_owned(),
    };
    Ok(text)
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

fn rdf(text: &str, form: Form, base: Option<&str>, lists: &Vocabularies) -> Result<Page, UnreadablePage> {
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
    let mut statements = Statements::default();
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
    let records: Vec<ForeignRecord> = statements.datasets(lists).take(RECORDS_MAX).collect();
    Ok(Page {
        is_catalog: !records.is_empty() || statements.has_catalog(),
        next: statements.next_page().map(str::to_owned),
        total: statements.total(),
        records,
    })
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

/// Refuses what parsers suffer from before one sees it.
fn bounded(text: &str, form: Form) -> Result<(), UnreadablePage> {
    let deep = || {
        UnreadablePage::made(
            format!("die Seite ist tiefer als {DEPTH_MAX} Ebenen verschachtelt"),
            format!("the page is nested deeper than {DEPTH_MAX} levels"),
            "die Quelle prüfen; ein Katalog ist flach",
            "check the source; a catalog is flat",
        )
    };
    match form {
        Form::RdfXml
            if contains_ignoring_case(text, "<!doctype") || contains_ignoring_case(text, "<!entity") =>
        {
            Err(UnreadablePage::fixed(
                "die Seite enthält eine DTD oder Entitäten",
                "the page contains a DTD or entities",
                "ohne <!DOCTYPE …> und <!ENTITY …> liefern",
                "send it without <!DOCTYPE …> and <!ENTITY …>",
            ))
        }
        Form::RdfXml => match elements(text) {
            (deepest, _) if deepest > DEPTH_MAX => Err(deep()),
            (_, 0) => Ok(()),
            _ => Err(UnreadablePage::fixed(
                "die Seite endet mitten in einem Element",
                "the page ends in the middle of an element",
                "noch einmal abrufen; von der Seite wurde nichts übernommen",
                "fetch it again; nothing of the page was taken",
            )),
        },
        Form::JsonLd | Form::Ckan if depth_of_brackets(text, b"\"") > DEPTH_MAX => Err(deep()),
        Form::Turtle if depth_of_brackets(text, b"\"'") > DEPTH_MAX => Err(deep()),
        _ => Ok(()),
    }
}

fn contains_ignoring_case(text: &str, needle: &str) -> bool {
    text.as_bytes().windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

/// How deep elements stand in each other, and how many are open at the end: a
/// page that was cut off has some, and the parser would take it for whole.
fn elements(text: &str) -> (usize, usize) {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
        let skipped = skipped.into_iter().find(|(open, _)| rest.starts_with(open));
        let end = match skipped {
            Some((_, close)) => rest.find(close).map(|at| at + close.len()),
            None => end_of_tag(rest),
        };
        let Some(end) = end else { return (deepest, depth + 1) };
        if skipped.is_none() {
            let tag = &rest[..end];
            if tag.starts_with("</") {
                depth = depth.saturating_sub(1);
            } else if !tag.ends_with("/>") {
                depth += 1;
                deepest = deepest.max(depth);
            }
        }
        rest = &rest[end..];
    }
    (deepest, depth)
}

/// The end of a tag: a `>` within a quoted attribute is none.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// How deep brackets stand in each other, outside of quoted texts; an estimate
/// from above, since some brackets of Turtle stand in IRIs.
fn depth_of_brackets(text: &str, quotes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut quote: Option<u8> = None;
    let mut escaped = false;
    for byte in text.bytes() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            // An apostrophe in a comment must not swallow the rest of the page.
            (Some(b'\''), b'\n') => quote = None,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, byte) if quotes.contains(&byte) => quote = Some(byte),
            (None, b'[' | b'{' | b'(') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, b']' | b'}' | b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Package dicts: `package_search`, `package_show`, a list, or one dict.
fn ckan(text: &str, lists: &Vocabularies) -> Result<Page, UnreadablePage> {
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
    let result = json.get("result").unwrap_or(&json);
    let packages = match result {
        Value::Array(packages) => packages.as_slice(),
        Value::Object(answer) => match answer.get("results").or_else(|| answer.get("packages")) {
            Some(Value::Array(packages)) => packages.as_slice(),
            _ => std::slice::from_ref(result),
        },
        _ => &[],
    };
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
    let total = result.get("count").and_then(Value::as_u64);
    Ok(Page {
        records: packages.iter().take(RECORDS_MAX).map(|package| read_package(package, lists)).collect(),
        next: None,
        total,
        is_catalog: total.is_some() || json.get("success").is_some() || !packages.is_empty(),
    })
}
