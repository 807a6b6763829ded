//! Keeps persons and drives of the house out of what could become public.
//!
//! Names come from the columns of persons anywhere in the file: who is named
//! there is named nowhere in a public field, in any row. The reader has taken
//! out what looks like a person by itself (`inventory::names`); here the names
//! are known. What is taken out goes to the town's own notes, word for word.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crdt::catalog::invalid::Bilingual;
use serde_json::{Map, Value};

use super::candidate::{Candidate, Remark, RemarkKind};
use super::remarks::excerpt;

/// Persons that are remembered of one file.
const PERSONS_MAX: usize = 20_000;
/// Words of one name, at most; more are a sentence.
const NAME_WORDS_MAX: usize = 4;
/// Shortest surname that is looked for, in letters.
const SURNAME_LETTERS_MIN: usize = 3;
/// What stands for a text that was taken out.
const LEFT_OUT: &str = "…";

/// Forms of address, and what stands before a name.
const TITLES: [&str; 14] = [
    "herr", "herrn", "frau", "hr", "fr", "dr", "prof", "dipl", "ing", "kollege", "kollegen", "kollegin",
    "tel", "telefon",
];
/// Words after which a surname alone means the person.
const BEFORE_SURNAMES: [&str; 11] = [
    "an",
    "bei",
    "von",
    "durch",
    "kontakt",
    "rückfragen",
    "ansprechpartner",
    "ansprechpartnerin",
    "ansprechperson",
    "fragen",
    "pflege",
];
/// Ends of words that name an office and no person.
const OFFICES: [&str; 20] = [
    "amt",
    "abteilung",
    "team",
    "fachbereich",
    "bereich",
    "dienst",
    "referat",
    "stelle",
    "büro",
    "stadt",
    "verwaltung",
    "zentrale",
    "service",
    "archiv",
    "daten",
    "werke",
    "planung",
    "entwicklung",
    "sachgebiet",
    "leitung",
];

/// Who is named in the columns of persons.
#[derive(Debug, Default)]
pub(super) struct Persons {
    /// First names by surname, in small letters.
    names: HashMap<String, Vec<Vec<String>>>,
    mailboxes: HashSet<String>,
    count: usize,
}

impl Persons {
    /// Takes what stands in such a cell: one person or several, with or without
    /// titles, numbers and mailboxes.
    pub(super) fn add(&mut self, cell: &str) {
        let cell = cell.replace(" und ", ";");
        for part in cell.split([';', '\n', '|', '/', '&', '(', ')']) {
            for word in part.split_whitespace().filter(|word| word.contains('@')) {
                self.mailboxes.insert(trimmed(word).to_lowercase());
            }
            match part.split_once(',') {
                // `Köster, Sabine`
                Some((surname, first))
                    if name_words(surname).len() == 1 && (1..=2).contains(&name_words(first).len()) =>
                {
                    self.note(name_words(surname), name_words(first));
                }
                _ => part.split(',').for_each(|piece| {
                    let mut words = name_words(piece);
                    if let Some(surname) = words.pop() {
                        self.note(vec![surname], words);
                    }
                }),
            }
        }
    }

    fn note(&mut self, surname: Vec<String>, firsts: Vec<String>) {
        let Some(surname) = surname.into_iter().next() else { return };
        let too_long = firsts.len() >= NAME_WORDS_MAX || surname.chars().count() < SURNAME_LETTERS_MIN;
        if too_long || self.count >= PERSONS_MAX {
            return;
        }
        let known = self.names.entry(surname).or_default();
        if !known.contains(&firsts) {
            known.push(firsts);
            self.count += 1;
        }
    }

    /// Takes persons and drives out of the public fields of a record.
    pub(super) fn withhold(&self, candidate: &mut Candidate) {
        let mut kept = Vec::new();
        let fields: Vec<String> =
            candidate.fields.keys().filter(|name| *name != "internal").cloned().collect();
        for name in fields {
            let Some(value) = candidate.fields.get_mut(&name) else { continue };
            if !self.clean(value, &name, &mut kept) {
                candidate.fields.remove(&name);
            }
        }
        if kept.is_empty() {
            return;
        }
        let notes: Vec<String> = kept.iter().map(|one| format!("{}: {}", one.path, one.text)).collect();
        add_notes(&mut candidate.fields, &notes.join("\n"));
        candidate.remarks.extend(kept.into_iter().map(Withheld::remark));
    }

    /// Cleans a value in its place; whether anything of it stays.
    fn clean(&self, value: &mut Value, path: &str, kept: &mut Vec<Withheld>) -> bool {
        match value {
            Value::String(text) => {
                let found = self.found(text);
                let Some(first) = found.first() else { return true };
                let drive = first.drive;
                let clean = without(text, found.into_iter().map(|one| one.range));
                let text = std::mem::replace(text, clean.clone());
                kept.push(Withheld { path: path.to_owned(), text, drive });
                clean.chars().any(char::is_alphanumeric)
            }
            Value::Array(members) => {
                members.retain_mut(|member| self.clean(member, path, kept));
                !members.is_empty()
            }
            Value::Object(members) => {
                members.retain(|name, member| self.clean(member, &format!("{path}/{name}"), kept));
                !members.is_empty()
            }
            _ => true,
        }
    }

    /// What must be taken out of a text, from left to right.
    fn found(&self, text: &str) -> Vec<Found> {
        let mut found: Vec<Found> =
            drives(text).into_iter().map(|range| Found { range, drive: true }).collect();
        let is_address = text.starts_with("https://") || text.starts_with("http://");
        if !is_address {
            let persons = self.persons(text).into_iter().filter(|person| {
                found.iter().all(|one| one.range.end <= person.start || person.end <= one.range.start)
            });
            let persons: Vec<_> = persons.map(|range| Found { range, drive: false }).collect();
            found.extend(persons);
        }
        found.sort_by_key(|one| one.range.start);
        found
    }

    fn persons(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for word in words(text, |c| !c.is_whitespace()) {
            let bare = trimmed(&text[word.clone()]);
            if bare.contains('@') && self.is_mailbox(bare) {
                found.push(word);
            }
        }
        let words = words(text, |c| c.is_alphabetic() || c == '-' || c == '\'');
        for at in 0..words.len() {
            if let Some(range) = self.name_at(text, &words, at)
                && found.iter().all(|one| one.end <= range.start || range.end <= one.start)
            {
                found.push(range);
            }
        }
        found.sort_by_key(|range| range.start);
        found
    }

    /// Where the name stretches whose surname is this word, if it is one.
    fn name_at(&self, text: &str, words: &[Range<usize>], at: usize) -> Option<Range<usize>> {
        let lower = |at: usize| words.get(at).map(|word| text[word.clone()].to_lowercase());
        let near = |from: usize, to: usize| {
            let between = &text[words[from].end..words[to].start];
            between.len() <= 3 && between.chars().all(|c| matches!(c, ' ' | ',' | '.' | '\u{a0}'))
        };
        let all_firsts = self.names.get(&lower(at)?)?;
        let is_first = |word: &str| {
            let same = |first: &String| first == word || word.chars().count() == 1 && first.starts_with(word);
            all_firsts.iter().flatten().any(same)
        };
        let mut start = at;
        while start > 0 && near(start - 1, start) && lower(start - 1).is_some_and(|word| is_first(&word)) {
            start -= 1;
        }
        let mut end = at;
        while end + 1 < words.len()
            && near(end, end + 1)
            && lower(end + 1).is_some_and(|word| is_first(&word))
        {
            end += 1;
        }
        let before = start.checked_sub(1).and_then(lower);
        let addressed = before.as_ref().is_some_and(|word| TITLES.contains(&word.as_str()));
        let meant = before.as_ref().is_some_and(|word| BEFORE_SURNAMES.contains(&word.as_str()));
        let capital = text[words[at].clone()].starts_with(char::is_uppercase);
        if start == at && end == at && !(addressed || meant && capital) {
            return None;
        }
        let start = if addressed && near(start - 1, start) { start - 1 } else { start };
        Some(words[start].start..words[end].end)
    }

    /// Whether a mailbox is that of a person named here: `vorname.nachname@`,
    /// `v.nachname@`, `nachname@`, `vnachname@`.
    fn is_mailbox(&self, address: &str) -> bool {
        let lower = address.to_lowercase();
        let Some((local, _)) = lower.split_once('@') else { return false };
        if self.mailboxes.contains(&lower) {
            return true;
        }
        let parts: Vec<String> = local.split(['.', '_', '-']).map(plain).collect();
        let joined = parts.concat();
        self.names.iter().any(|(surname, all_firsts)| {
            let surname = plain(surname);
            let is_first = |part: &str| {
                let firsts = all_firsts.iter().flatten().map(|first| plain(first));
                firsts
                    .into_iter()
                    .any(|first| first == part || part.chars().count() == 1 && first.starts_with(part))
            };
            let by_parts = parts.contains(&surname)
                && parts.iter().all(|part| *part == surname || is_first(part) || part.is_empty());
            by_parts
                || joined
                    .strip_suffix(surname.as_str())
                    .is_some_and(|first| first.is_empty() || is_first(first))
        })
    }
}

/// A place in a text that must not be public.
struct Found {
    range: Range<usize>,
    drive: bool,
}

/// A value that was cleaned, as it stood.
struct Withheld {
    path: String,
    text: String,
    drive: bool,
}

impl Withheld {
    fn remark(self) -> Remark {
        let (reason, remedy) = if self.drive {
            (
                Bilingual::fixed(
                    "nennt einen Ablageort; er bleibt in den internen Notizen",
                    "names a place on a drive, which stays in the internal notes",
                ),
                Bilingual::fixed("für Externe eine Webadresse angeben", "give a web address for others"),
            )
        } else {
            (
                Bilingual::fixed(
                    "nennt eine Person, die in dieser Datei als Ansprechperson steht; der Name bleibt in den internen Notizen",
                    "names a person whom this file gives as a contact; the name stays in the internal notes",
                ),
                Bilingual::fixed(
                    "für Externe eine Rolle mit Funktionspostfach angeben",
                    "give a role with its mailbox for others",
                ),
            )
        };
        let value = excerpt(&self.text);
        Remark { kind: RemarkKind::Personal, field: self.path, value, reason, remedy }
    }
}

/// Adds lines to a record's own notes.
fn add_notes(fields: &mut Map<String, Value>, lines: &str) {
    let internal = fields.entry("internal").or_insert_with(|| Value::Object(Map::new()));
    let Some(internal) = internal.as_object_mut() else { return };
    let notes = match internal.get("notes").and_then(Value::as_str) {
        Some(notes) => format!("{notes}\n{lines}"),
        None => lines.to_owned(),
    };
    internal.insert("notes".to_owned(), Value::String(notes));
}

/// Words of a name in small letters, without titles; none if an office is meant.
fn name_words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in text.split_whitespace().map(trimmed) {
        let lower = word.trim_end_matches('.').to_lowercase();
        if TITLES.contains(&lower.as_str()) || word.contains('@') {
            continue;
        }
        if word.chars().any(|c| c.is_ascii_digit()) {
            break;
        }
        if OFFICES.iter().any(|office| lower.ends_with(office)) {
            return Vec::new();
        }
        if word.starts_with(char::is_uppercase) {
            found.push(lower);
        }
    }
    if found.len() > NAME_WORDS_MAX { Vec::new() } else { found }
}

fn trimmed(word: &str) -> &str {
    word.trim_matches([',', ';', ':', '(', ')', '"', '„', '“', '<', '>', '.'])
}

/// A name as mailboxes write it.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            'ı' | 'í' => plain.push('i'),
            'ş' | 'ś' => plain.push('s'),
            'ç' | 'ć' => plain.push('c'),
            'ğ' => plain.push('g'),
            'ł' => plain.push('l'),
            letter if letter.is_alphanumeric() => plain.push(letter),
            _ => {}
        }
    }
    plain
}

/// Places on drives and servers of the house: `K:\…`, `\\server\…`, `file:…`.
fn drives(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        let rest = &lower.as_bytes()[at..];
        let is_drive = rest.len() > 2 && rest[0].is_ascii_alphabetic() && rest[1] == b':' && rest[2] == b'\\';
        let is_server = rest.starts_with(b"\\\\") && rest.get(2).is_some_and(u8::is_ascii_alphanumeric);
        let is_scheme = rest.starts_with(b"file:") || rest.starts_with(b"smb:");
        let inside = found.last().is_some_and(|last| at < last.end);
        if !inside && !before.is_alphanumeric() && (is_drive || is_server || is_scheme) {
            let tail = &text[at..];
            let end = tail.find(['\n', ',', ';', ')', '"', '“', '”', '>']).unwrap_or(tail.len());
            found.push(at..at + tail[..end].trim_end().len());
        }
        before = letter;
    }
    found
}

fn words(text: &str, belongs: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices() {
        match (belongs(letter), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}

fn without(text: &str, ranges: impl Iterator<Item = Range<usize>>) -> String {
    let (mut clean, mut end) = (String::with_capacity(text.len()), 0);
    for range in ranges {
        clean.push_str(&text[end..range.start]);
        clean.push_str(LEFT_OUT);
        end = range.end;
    }
    clean.push_str(&text[end..]);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn persons() -> Persons {
        let mut persons = Persons::default();
        for cell in [
            "Ayşe Yıldız, Tel. 12",
            "Köster, Sabine",
            "Herr Wendt / Frau Dr. Olga Petrowa",
            "Team Geodaten",
            "Abteilung 61",
        ] {
            persons.add(cell);
        }
        persons
    }

    #[test]
    fn who_is_named_in_a_column_of_persons_is_found_in_running_text() {
        let persons = persons();
        for (text, expected) in [
            ("Pflege durch Ayşe Yıldız im Amt", "Pflege durch … im Amt"),
            ("Rückfragen an Köster.", "Rückfragen an …."),
            ("Köster, Sabine führt die Liste", "… führt die Liste"),
            ("Liste von S. Köster", "Liste von …"),
            ("Kontakt: Herr Wendt", "Kontakt: …"),
            (
                "mail an ayse.yildiz@soest.example oder opendata@soest.example",
                "mail an … oder opendata@soest.example",
            ),
            ("koester@soest.example", "…"),
        ] {
            let found = persons.found(text).into_iter().map(|one| one.range);
            assert_eq!(without(text, found), expected, "{text}");
        }
    }

    #[test]
    fn offices_and_words_that_are_also_surnames_stay() {
        for text in
            ["Team Geodaten", "Abteilung 61", "Wendt-Platz und Kösterweg", "Sabine-Saal", "geo@soest.example"]
        {
            assert!(persons().found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn drives_are_found_anywhere_in_a_text() {
        for (text, expected) in [
            ("Liegt unter K:\\Amt 61\\Bäume.xlsx, im Haus", "Liegt unter …, im Haus"),
            ("siehe \\\\srv01\\daten (intern)", "siehe …)"),
            ("FILE:///c:/x.csv", "…"),
            ("https://a.example/x und http://b.example", "https://a.example/x und http://b.example"),
            ("Verhältnis a:b", "Verhältnis a:b"),
        ] {
            assert_eq!(without(text, drives(text).into_iter()), expected, "{text}");
        }
    }
}
