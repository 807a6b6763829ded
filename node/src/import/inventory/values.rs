//! What a cell means: free text to codes, yes and no, addresses and paths.
//!
//! Only what a list knows for certain is taken; everything else is a question
//! to a person, with what it may have meant.

use std::collections::HashMap;

use crdt::catalog::Lang;
use crdt::vocabulary::{Certainty, List, Suggestion, Vocabularies};

/// Texts that are remembered; inventories repeat themselves.
const REMEMBERED_MAX: usize = 4_096;

/// What a text means in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Meant {
    /// What it certainly means, as records write it.
    pub(super) sure: Vec<String>,
    /// Parts that are not known, each with the labels of what it may mean.
    pub(super) unsure: Vec<(String, Vec<String>)>,
}

/// Looks texts up in the lists.
#[derive(Debug)]
pub(super) struct Values<'a> {
    lists: &'a Vocabularies,
    remembered: HashMap<(List, String), Meant>,
}

impl<'a> Values<'a> {
    /// By the lists of a town.
    pub(super) fn new(lists: &'a Vocabularies) -> Self {
        Self { lists, remembered: HashMap::new() }
    }

    /// What a text means that names one concept.
    pub(super) fn one(&mut self, list: List, text: &str) -> Meant {
        let vocabulary = self.lists.list(list);
        self.looked_up(list, text, |text| judged(vec![(text, vocabulary.suggest(text))], list))
    }

    /// What a text means that may name several.
    pub(super) fn several(&mut self, list: List, text: &str) -> Meant {
        let vocabulary = self.lists.list(list);
        self.looked_up(list, text, |text| judged(vocabulary.suggest_each(text), list))
    }

    fn looked_up(&mut self, list: List, text: &str, look: impl FnOnce(&str) -> Meant) -> Meant {
        let key = (list, text.to_owned());
        if let Some(meant) = self.remembered.get(&key) {
            return meant.clone();
        }
        let meant = look(text);
        if self.remembered.len() >= REMEMBERED_MAX {
            self.remembered.clear();
        }
        self.remembered.insert(key, meant.clone());
        meant
    }
}

fn judged(parts: Vec<(&str, Vec<Suggestion<'_>>)>, list: List) -> Meant {
    let mut meant = Meant::default();
    for (part, suggestions) in parts {
        match suggestions.first() {
            Some(first) if first.certainty == Certainty::Exact => {
                // Reference types are named by their IRI.
                let name = match list {
                    List::ReferenceTypes => first.concept.iri.as_deref().unwrap_or(&first.concept.code),
                    _ => first.concept.name(),
                };
                meant.sure.push(name.to_owned());
            }
            _ => {
                let label = |one: &Suggestion<'_>| one.concept.label.in_lang(Lang::De).to_owned();
                meant.unsure.push((part.to_owned(), suggestions.iter().take(3).map(label).collect()));
            }
        }
    }
    meant
}

/// A cell that says nothing.
pub(super) fn is_blank(text: &str) -> bool {
    let word = text.trim().trim_end_matches(['.', '?']).to_lowercase();
    [
        "",
        "-",
        "–",
        "—",
        "/",
        "k.a",
        "k. a",
        "n/a",
        "na",
        "nn",
        "n.n",
        "keine angabe",
        "keine angaben",
        "entfällt",
        "leer",
        "tbd",
        "xxx",
    ]
    .contains(&word.as_str())
}

/// Yes or no, where a cell begins with it.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    let lower = text.trim().to_lowercase();
    let first = lower.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    match first {
        "ja" | "j" | "x" | "yes" | "y" | "wahr" | "true" | "1" | "vorhanden" => Some(true),
        "nein" | "n" | "kein" | "keine" | "keiner" | "no" | "falsch" | "false" | "0" | "ohne" => Some(false),
        _ => None,
    }
}

/// Whether a cell says that the data are published.
pub(super) fn says_published(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    let words =
        ["veröffentlicht", "öffentlich", "open data", "opendata", "online verfügbar", "frei verfügbar"];
    let denied = ["nicht", "un", "noch", "kein", "intern"].iter().any(|word| lower.starts_with(word));
    !denied && words.iter().any(|word| lower.contains(word))
}

/// A place on a drive or server of the house: never leaves the node.
pub(super) fn is_path(text: &str) -> bool {
    let text = text.trim();
    let bytes = text.as_bytes();
    let drive = bytes.len() > 2
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && matches!(bytes[2], b'\\' | b'/');
    let lower = text.to_lowercase();
    drive
        || text.starts_with("\\\\")
        || text.starts_with("//") && !text.starts_with("///")
        || ["file:", "smb:", "laufwerk", "ordner", "netzlaufwerk"].iter().any(|word| lower.starts_with(word))
        || text.starts_with('/') && text.matches('/').count() > 1
}

/// Web addresses in a cell, in their order, and the rest of its text.
pub(super) fn addresses(text: &str) -> (Vec<String>, String) {
    let mut found = Vec::new();
    let mut rest = Vec::new();
    for word in text.split_whitespace() {
        let bare = word.trim_matches([',', ';', '<', '>', '(', ')', '"']);
        let lower = bare.to_lowercase();
        if lower.starts_with("https://") || lower.starts_with("http://") {
            found.push(bare.to_owned());
        } else if lower.starts_with("www.") && lower.matches('.').count() > 1 {
            found.push(format!("https://{bare}"));
        } else if word.chars().any(char::is_alphanumeric) {
            rest.push(word);
        }
    }
    found.dedup();
    (found, rest.join(" "))
}

/// As much of a text as fits into so many bytes.
pub(super) fn beginning(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The parts of a cell that lists things.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '|', '\n', '/']).map(str::trim).filter(|part| !is_blank(part))
}

/// A line without signs that no title can hold: breaks, control characters,
/// marks that turn the direction of writing.
pub(super) fn line(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_invisible(*c));
    shown.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same for texts of several lines; markup is taken out.
pub(super) fn prose(text: &str) -> String {
    let plain = if text.contains('<') && text.contains('>') { without_markup(text) } else { text.to_owned() };
    let shown = plain.replace("\r\n", "\n").replace('\r', "\n");
    let shown = shown.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c });
    shown.filter(|c| !is_invisible(*c)).collect::<String>().trim().to_owned()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{ad}')
}

/// Takes tags out of a text; a break or the end of a paragraph becomes a line.
fn without_markup(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        plain.push_str(&rest[..open]);
        let tag = &rest[open + 1..];
        let is_tag = tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match tag.find('>').filter(|_| is_tag) {
            Some(close) => {
                let name = tag[..close].trim_start_matches('/').to_ascii_lowercase();
                if ["br", "p", "li", "div", "tr", "h1", "h2", "h3"]
                    .iter()
                    .any(|block| name.starts_with(block))
                {
                    plain.push('\n');
                }
                rest = &tag[close + 1..];
            }
            None => {
                plain.push('<');
                rest = tag;
            }
        }
    }
    plain.push_str(rest);
    let plain = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")]
        .into_iter()
        .fold(plain, |text, (entity, sign)| text.replace(entity, sign));
    let lines: Vec<&str> = plain.lines().map(str::trim).collect();
    let mut kept: Vec<&str> = Vec::new();
    for line in lines {
        if !(line.is_empty() && kept.last().is_none_or(|last| last.is_empty())) {
            kept.push(line);
        }
    }
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_spellings_are_sure_and_others_are_questions() {
        let mut values = Values::new(Vocabularies::builtin());
        assert_eq!(values.one(List::Frequencies, "1x jährlich").sure, ["ANNUAL"]);
        let odd = values.one(List::Frequencies, "wenn der Chef Zeit hat");
        assert!(odd.sure.is_empty() && odd.unsure.len() == 1, "{odd:?}");
        assert_eq!(values.several(List::Themes, "Umwelt, Verkehr").sure, ["ENVI", "TRAN"]);
        assert_eq!(values.one(List::Licences, "CC BY 4.0").sure, ["cc-by/4.0"]);
    }

    #[test]
    fn cells_that_say_nothing_say_nothing() {
        for blank in ["", " - ", "k.A.", "N/A", "keine Angabe", "?"] {
            assert!(is_blank(blank), "{blank}");
        }
        assert!(!is_blank("keine Lizenz"));
        assert_eq!(
            (yes_or_no("Ja, sehr"), yes_or_no("keine"), yes_or_no("teilweise")),
            (Some(true), Some(false), None)
        );
        assert!(says_published("bereits veröffentlicht") && says_published("Open Data"));
        assert!(
            !says_published("nicht öffentlich")
                && !says_published("unveröffentlicht")
                && !says_published("intern")
        );
    }

    #[test]
    fn paths_are_told_from_addresses() {
        for path in [
            "K:\\Daten\\x.xlsx",
            "\\\\server\\amt",
            "//server/amt",
            "file:///c:/x",
            "Laufwerk K",
            "/srv/daten/x",
        ] {
            assert!(is_path(path), "{path}");
        }
        for other in ["https://a.example/x", "www.soest.example/x", "Amt 3/4", ""] {
            assert!(!is_path(other), "{other}");
        }
        let (found, rest) = addresses("siehe https://a.example/1, www.b.example/2 (Karte)");
        assert_eq!((found.len(), rest.as_str()), (2, "siehe (Karte)"));
        assert_eq!(found[1], "https://www.b.example/2");
    }

    #[test]
    fn markup_and_invisible_signs_are_taken_out() {
        assert_eq!(
            prose("<p>Ein <b>Text</b>.</p><p>a &lt; b &amp; c</p>"),
            "\nEin Text.\n\na < b & c".trim()
        );
        assert_eq!(prose("Werte < 5 und > 3"), "Werte < 5 und > 3");
        assert_eq!(line("Titel\nmit\u{200b} Um\u{ad}bruch\u{202e}"), "Titel mit Umbruch");
    }
}
