//! Builds the body of a record value by value: what the catalog can hold goes
//! in, in its one spelling; what it cannot is said and left out.

use serde_json::{Map, Value};

use crate::catalog::{Bilingual, DistributionId, InvalidField, Line, Text, Word};
use crate::catalog::{DISTRIBUTIONS_MAX, MEMBERS_MAX};

/// Most hints of one record; what follows is of the same kind.
const HINTS_MAX: usize = 40;
/// Longest text in bytes ([`Text`]); a longer one is cut.
const TEXT_BYTES: usize = crate::catalog::text::TEXT_BYTES_MAX;
/// Longest line in bytes ([`Line`]); a longer one is cut.
const LINE_BYTES: usize = crate::catalog::text::LINE_BYTES_MAX;

/// A body under construction.
#[derive(Debug, Default)]
pub(super) struct Body {
    fields: Map<String, Value>,
    hints: Vec<InvalidField>,
}

impl Body {
    /// Sets a field at a path such as `contact/email`.
    pub(super) fn set(&mut self, path: &str, value: impl Into<Value>) {
        let mut place = &mut self.fields;
        let mut keys = path.split('/').peekable();
        while let Some(key) = keys.next() {
            if keys.peek().is_none() {
                place.insert(key.to_owned(), value.into());
                return;
            }
            let below = place.entry(key).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(map) = below else { return };
            place = map;
        }
    }

    /// Sets a field to what `read` makes of the text, or says why not.
    pub(super) fn read<T: ToString>(
        &mut self,
        path: &str,
        property: &str,
        text: Option<&str>,
        read: impl Fn(&str) -> Result<T, InvalidField>,
    ) {
        let Some(text) = text else { return };
        if let Some(value) = self.take(property, read(text)) {
            self.set(path, value.to_string());
        }
    }

    /// The value, or nothing and a hint that names the property.
    pub(super) fn take<T>(&mut self, property: &str, read: Result<T, InvalidField>) -> Option<T> {
        read.map_err(|error| self.hint(error.at(property))).ok()
    }

    /// Says that something of the source was left out or changed.
    pub(super) fn hint(&mut self, hint: InvalidField) {
        if self.hints.len() < HINTS_MAX && !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
    }

    /// Sets one line of text, cleaned, and cut where it is too long.
    pub(super) fn line(&mut self, path: &str, property: &str, text: Option<&str>) {
        if let Some(line) = text.and_then(|text| self.clean_line(property, text)) {
            self.set(path, line);
        }
    }

    /// Sets prose, cleaned, and cut where it is too long.
    pub(super) fn prose(&mut self, path: &str, property: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        let clean = self.fitting(property, &clean(text, true), TEXT_BYTES);
        if let Some(text) = clean.and_then(|text| self.take(property, Text::parse(&text))) {
            self.set(path, text.as_str());
        }
    }

    fn clean_line(&mut self, property: &str, text: &str) -> Option<String> {
        let line = self.fitting(property, &clean(text, false), LINE_BYTES)?;
        self.take(property, Line::parse(&line)).map(String::from)
    }

    /// The keywords that are fit to be one, without doubles.
    pub(super) fn keywords(&mut self, path: &str, property: &str, words: &[&str]) {
        let mut kept = std::collections::BTreeSet::new();
        for word in words.iter().map(|word| clean(word, false)).filter(|word| !word.is_empty()) {
            if let Some(word) = self.take(property, Word::parse(&word)) {
                kept.insert(String::from(word));
            }
        }
        if kept.len() > MEMBERS_MAX {
            self.hint(too_many(property, kept.len(), MEMBERS_MAX));
        }
        if !kept.is_empty() {
            self.set(path, kept.into_iter().take(MEMBERS_MAX).collect::<Vec<_>>());
        }
    }

    /// Sets the distributions; each body names its id, no id occurs twice.
    pub(super) fn distributions(&mut self, property: &str, given: Vec<(Option<String>, Body)>) {
        self.entries("distributions", property, given);
    }

    /// Sets the entries of a field; each body names its id, no id occurs twice.
    pub(super) fn entries(&mut self, field: &str, property: &str, given: Vec<(Option<String>, Body)>) {
        let count = given.len();
        if count > DISTRIBUTIONS_MAX {
            self.hint(too_many(property, count, DISTRIBUTIONS_MAX));
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut list = Vec::new();
        for (id, body) in given.into_iter().take(DISTRIBUTIONS_MAX) {
            let Body { mut fields, hints } = body;
            hints.into_iter().for_each(|hint| self.hint(hint));
            if fields.is_empty() {
                continue;
            }
            let id = id.filter(|id| DistributionId::parse(id).is_ok() && seen.insert(id.clone()));
            if let Some(id) = id {
                fields.insert("id".to_owned(), id.into());
            }
            list.push(Value::Object(fields));
        }
        if !list.is_empty() {
            self.fields.insert(field.to_owned(), Value::Array(list));
        }
    }

    /// The text that a field has.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }

    /// The value that a field has.
    pub(super) fn value(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    /// Takes a field out.
    pub(super) fn remove(&mut self, field: &str) {
        self.fields.remove(field);
    }

    /// Whether the field has a value.
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The body and what was left out of it.
    pub(super) fn finish(self) -> (Value, Vec<InvalidField>) {
        (Value::Object(self.fields), self.hints)
    }

    /// A text within its bound, cut at the end of a character where it must be.
    fn fitting(&mut self, property: &str, text: &str, bytes_max: usize) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        if text.len() <= bytes_max {
            return Some(text.to_owned());
        }
        let room = bytes_max - '…'.len_utf8();
        let end = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.hint(InvalidField::new(
            property,
            text,
            Bilingual::made(
                format!("hat {} Byte und wurde auf {bytes_max} gekürzt", text.len()),
                format!("has {} bytes and was cut to {bytes_max}", text.len()),
            ),
            Bilingual::fixed("an der Quelle kürzen", "shorten it at the source"),
        ));
        Some(format!("{}…", &text[..end]))
    }
}

/// Says once, in the record, what all its distributions say alike.
pub(super) fn share(dataset: &mut Body, parts: &mut [(Option<String>, Body)], field: &str, shared: &str) {
    let mut values = parts.iter().map(|(_, part)| part.fields.get(field).cloned());
    let Some(Some(first)) = values.next() else { return };
    let own = dataset.fields.get(shared);
    if own.is_some_and(|own| *own != first) || !values.all(|value| value.as_ref() == Some(&first)) {
        return;
    }
    for (_, part) in parts {
        part.fields.remove(field);
    }
    dataset.fields.insert(shared.to_owned(), first);
}

fn too_many(property: &str, count: usize, max: usize) -> InvalidField {
    InvalidField::new(
        property,
        count,
        Bilingual::made(
            format!("Einträge sind zu viele; übernommen wurden die ersten {max}"),
            format!("entries are too many; the first {max} were taken"),
        ),
        Bilingual::fixed("den Datensatz an der Quelle teilen", "split the dataset at the source"),
    )
}

/// A record without what every record needs.
pub(super) fn missing(property: &str) -> InvalidField {
    InvalidField::new(
        property,
        "",
        Bilingual::fixed("fehlt oder ist leer", "is missing or empty"),
        Bilingual::fixed("an der Quelle ergänzen", "add it at the source"),
    )
}

/// Text without characters that no field may hold: control characters and
/// invisible ones that turn or break what a reader sees.
fn clean(text: &str, lines: bool) -> String {
    let text = text.replace("\r\n", "\n");
    let broken = text.chars().any(char::is_control);
    let kept: String = text
        .chars()
        .filter(|c| !invisible(*c))
        .map(|c| match c {
            '\n' | '\t' if lines => c,
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => ' ',
            c => c,
        })
        .collect();
    match lines || !broken {
        true => kept.trim().to_owned(),
        // Where lines were broken, what stood before the break goes too.
        false => kept.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

fn invisible(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Class that the source's `dct:accessRights` would propose; the record itself
/// arrives closed whatever it says.
pub(super) fn propose_class(body: &mut Body, rights: &str) {
    let word = rights.rsplit(['/', '#']).next().unwrap_or(rights).to_uppercase();
    let class = match word.as_str() {
        "PUBLIC" => "open",
        "RESTRICTED" => "shared",
        "NON_PUBLIC" | "CONFIDENTIAL" | "SENSITIVE" => "closed",
        _ => return,
    };
    body.set("internal/proposed_classification", class);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cleaned_before_they_are_judged() {
        assert_eq!(clean(" a\u{0}b\r\n c\u{202e}d ", false), "a b cd");
        assert_eq!(clean(" a\r\nb\tc\u{7} ", true), "a\nb\tc");
        let mut body = Body::default();
        body.line("title/de", "dct:title", Some(&"ä".repeat(600)));
        let (value, hints) = body.finish();
        let title = value["title"]["de"].as_str().unwrap();
        assert!(title.len() <= LINE_BYTES && title.ends_with('…'), "{}", title.len());
        assert_eq!(hints.len(), 1);
    }

    #[test]
    fn an_id_that_occurs_twice_is_derived_the_second_time() {
        let part = || {
            let mut part = Body::default();
            part.set("format", "CSV");
            (Some("a".to_owned()), part)
        };
        let mut body = Body::default();
        body.distributions("dcat:distribution", vec![part(), part()]);
        let (value, _) = body.finish();
        assert_eq!(value["distributions"][0]["id"], "a");
        assert!(value["distributions"][1].get("id").is_none());
    }
}
