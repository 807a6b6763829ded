//! Turns text into the terms that are indexed and searched.
//!
//! One path for records, queries and highlights: cut into words, lower-case, stem, fold. Folding
//! makes "Straße", "Strasse" and "STRASSE" one term, and "Müll", "Muell" and "Mull" another. The
//! stemmer sees the umlauts before they are folded, as its rules need them.
//!
//! It never fails: any Unicode text has a (perhaps empty) list of words.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::tokenizer::{Language, RawTokenizer, Stemmer, TextAnalyzer};

use super::compounds::{Part, Splitter};

/// Longer words are cut off, in records and queries alike.
const WORD_CHARS_MAX: usize = 64;
/// Words an [`Analyzer`] remembers while edits and queries come one by one.
const FEW_WORDS: usize = 2_048;
/// The same for many records at once, whose words repeat a lot: about 8 MB.
const MANY_WORDS: usize = 32_768;
const DIAERESIS: char = '\u{308}';
const SOFT_HYPHEN: char = '\u{ad}';

/// A word in a text: its place in bytes and its lower-case form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) lower: String,
}

/// The words of `text`: runs of letters and digits, in order.
///
/// Combining marks and soft hyphens, as pasted from PDF files and from macOS, do not end a word.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, letter) in text.char_indices() {
        let end = at + letter.len_utf8();
        if letter.is_alphanumeric() {
            if !open {
                words.push(Word { start: at, end, lower: String::new() });
                open = true;
            }
        } else if !(open && joins(letter)) {
            open = false;
            continue;
        }
        if let Some(word) = words.last_mut() {
            word.end = end;
            push_lower(&mut word.lower, letter);
        }
    }
    for word in &mut words {
        if let Some((cut, _)) = word.lower.char_indices().nth(WORD_CHARS_MAX) {
            word.lower.truncate(cut);
        }
    }
    words
}

fn is_combining(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// Whether a letter that is none may stand inside a word.
fn joins(letter: char) -> bool {
    is_combining(letter) || matches!(letter, SOFT_HYPHEN | '\u{200b}'..='\u{200d}' | '\u{2060}')
}

fn push_lower(word: &mut String, letter: char) {
    if letter == DIAERESIS {
        let composed = match word.pop() {
            Some('a') => 'ä',
            Some('o') => 'ö',
            Some('u') => 'ü',
            Some(other) => other,
            None => return,
        };
        word.push(composed);
    } else if !joins(letter) {
        word.extend(letter.to_lowercase().filter(|lower| !is_combining(*lower)));
    }
}

/// Writes umlauts, their transcriptions and accents as plain letters: ä and ae become a.
///
/// "ue" after a vowel or q is no umlaut ("Steuer", "Quelle"), as in the stemmer's rules.
pub(super) fn fold(lower: &str) -> String {
    let mut folded = String::with_capacity(lower.len());
    let mut before = ' ';
    let mut before_that = ' ';
    for letter in lower.chars() {
        let transcription = letter == 'e'
            && match before {
                'a' | 'o' => true,
                'u' => !matches!(before_that, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'q'),
                _ => false,
            };
        if transcription {
            // The e is spent: in "aee" the second one stays.
            (before_that, before) = (before, ' ');
            continue;
        }
        push_plain(&mut folded, letter);
        (before_that, before) = (before, letter);
    }
    folded
}

/// Writes accents as plain letters but leaves German letters, which the stemmer knows.
fn without_accents(lower: &str) -> String {
    let mut plain = String::with_capacity(lower.len());
    for letter in lower.chars() {
        match letter {
            'ä' | 'ö' | 'ü' | 'ß' => plain.push(letter),
            other => push_plain(&mut plain, other),
        }
    }
    plain
}

fn push_plain(folded: &mut String, letter: char) {
    let plain = match letter {
        'ä' | 'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ö' | 'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' | 'ő' => "o",
        'ü' | 'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' => "u",
        'ß' => "ss",
        'æ' => "a",
        'œ' => "o",
        'ç' | 'ć' | 'č' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ţ' | 'ť' | 'ț' => "t",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return folded.push(letter),
    };
    folded.push_str(plain);
}

/// What titles are sorted by: DIN 5007 (ä as a, ß as ss), without case and punctuation.
pub(super) fn collation_key(title: &str) -> String {
    const KEY_CHARS_MAX: usize = 96;
    let mut key = String::new();
    for word in words(title) {
        if !key.is_empty() {
            key.push(' ');
        }
        for letter in word.lower.chars() {
            push_plain(&mut key, letter);
        }
    }
    if let Some((cut, _)) = key.char_indices().nth(KEY_CHARS_MAX) {
        key.truncate(cut);
    }
    key
}

/// The language a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextLanguage {
    German,
    English,
}

/// The Snowball stemmers of both languages.
pub(super) struct Stemmers {
    german: TextAnalyzer,
    english: TextAnalyzer,
}

impl Stemmers {
    pub(super) fn new() -> Stemmers {
        let stemmer =
            |language| TextAnalyzer::builder(RawTokenizer::default()).filter(Stemmer::new(language)).build();
        Stemmers { german: stemmer(Language::German), english: stemmer(Language::English) }
    }

    /// The German stem of a lower-case word, not yet folded.
    pub(super) fn german(&mut self, lower: &str) -> String {
        stem(&mut self.german, lower)
    }

    fn english(&mut self, lower: &str) -> String {
        stem(&mut self.english, lower)
    }
}

fn stem(stemmer: &mut TextAnalyzer, lower: &str) -> String {
    let mut stream = stemmer.token_stream(lower);
    match stream.next() {
        // A stem is never empty, or the word could not be found at all.
        Some(token) if !token.text.is_empty() => token.text.clone(),
        _ => lower.to_owned(),
    }
}

/// What a word is indexed and searched by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Analysed {
    /// The whole word, folded: for prefixes and typing errors.
    pub(super) folded: String,
    /// Its stem, folded: for other forms of the word.
    pub(super) stem: String,
    /// Its parts, if it is a German compound.
    pub(super) parts: Vec<Part>,
    /// Whether it is too common to say anything ("der", "and").
    pub(super) stop: bool,
}

/// Analyses words and remembers the recent ones.
pub(super) struct Analyzer {
    stemmers: Stemmers,
    german: HashMap<String, Arc<Analysed>>,
    english: HashMap<String, Arc<Analysed>>,
    remembered_max: usize,
}

impl Analyzer {
    /// An analyzer for a few records or a query.
    pub(super) fn for_few() -> Analyzer {
        Analyzer::remembering(FEW_WORDS)
    }

    /// An analyzer for many records at once.
    pub(super) fn for_many() -> Analyzer {
        Analyzer::remembering(MANY_WORDS)
    }

    fn remembering(remembered_max: usize) -> Analyzer {
        let (german, english) = (HashMap::new(), HashMap::new());
        Analyzer { stemmers: Stemmers::new(), german, english, remembered_max }
    }

    pub(super) fn analyse(&mut self, language: TextLanguage, lower: &str) -> Arc<Analysed> {
        let remembered = match language {
            TextLanguage::German => &self.german,
            TextLanguage::English => &self.english,
        };
        if let Some(known) = remembered.get(lower) {
            return Arc::clone(known);
        }
        let analysed = Arc::new(self.analyse_anew(language, lower));
        let remembered = match language {
            TextLanguage::German => &mut self.german,
            TextLanguage::English => &mut self.english,
        };
        if remembered.len() >= self.remembered_max {
            remembered.clear();
        }
        remembered.insert(lower.to_owned(), Arc::clone(&analysed));
        analysed
    }

    /// The stems that texts of either language may have been indexed by.
    pub(super) fn stems(&mut self, lower: &str) -> Vec<String> {
        let german = self.analyse(TextLanguage::German, lower).stem.clone();
        let english = self.analyse(TextLanguage::English, lower).stem.clone();
        let mut stems = vec![german, english];
        stems.dedup();
        stems
    }

    fn analyse_anew(&mut self, language: TextLanguage, lower: &str) -> Analysed {
        let folded = fold(lower);
        match language {
            TextLanguage::German => Analysed {
                stem: fold(&self.stemmers.german(&without_accents(lower))),
                parts: Splitter::shared().split(&folded, &mut self.stemmers),
                stop: GERMAN_STOP_WORDS.binary_search(&folded.as_str()).is_ok(),
                folded,
            },
            TextLanguage::English => Analysed {
                stem: fold(&self.stemmers.english(&without_accents(lower))),
                parts: Vec::new(),
                stop: ENGLISH_STOP_WORDS.binary_search(&folded.as_str()).is_ok(),
                folded,
            },
        }
    }
}

/// German words without content, folded and sorted.
const GERMAN_STOP_WORDS: [&str; 121] = [
    "aber", "alle", "allem", "allen", "aller", "alles", "als", "also", "am", "an", "ander", "andere",
    "anderen", "auch", "auf", "aus", "bei", "beim", "bis", "bzw", "da", "damit", "dann", "das", "dass",
    "dem", "den", "denen", "denn", "der", "deren", "des", "dessen", "die", "dies", "diese", "diesem",
    "diesen", "dieser", "dieses", "doch", "dort", "durch", "ein", "eine", "einem", "einen", "einer", "eines",
    "er", "es", "etwa", "fur", "gegen", "gibt", "haben", "hat", "hatte", "hier", "ihr", "ihre", "ihrem",
    "ihren", "ihrer", "im", "in", "ins", "ist", "ja", "je", "jede", "jedem", "jeden", "jeder", "jedes",
    "jeweils", "kann", "kein", "keine", "man", "mit", "nach", "nicht", "noch", "nur", "ob", "oder", "ohne",
    "sein", "seine", "seiner", "seit", "sich", "sie", "sind", "so", "soll", "sowie", "uber", "um", "und",
    "uns", "unter", "vom", "von", "vor", "war", "waren", "was", "wenn", "werden", "wie", "wird", "wo",
    "wurde", "wurden", "z", "zu", "zum", "zur", "zwischen",
];

/// English words without content, sorted.
const ENGLISH_STOP_WORDS: [&str; 40] = [
    "a", "about", "all", "also", "an", "and", "are", "as", "at", "be", "but", "by", "can", "for", "from",
    "has", "have", "if", "in", "into", "is", "it", "its", "no", "not", "of", "on", "or", "such", "that",
    "the", "their", "these", "this", "to", "was", "were", "which", "with", "within",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(word: &str) -> String {
        let lower = &words(word)[0].lower;
        Analyzer::for_few().analyse(TextLanguage::German, lower).stem.clone()
    }

    #[test]
    fn spellings_of_one_word_share_a_term() {
        for spellings in [
            &["Straße", "strasse", "STRASSE", "Straßen", "Stra\u{df}e"][..],
            &["Müll", "muell", "mull", "MÜLL", "Mu\u{308}ll", "Mü\u{ad}ll"],
            &["Bäume", "Baeume", "Baume", "Baum"],
            &["Spielplätze", "Spielplaetze", "Spielplatz", "Spielplatze"],
            &["Gewässer", "Gewaesser", "Gewasser", "Gewässern"],
            &["Frau", "Frauen"],
            &["Steuer", "Steuern"],
            &["Öffnungszeit", "Oeffnungszeiten", "Offnungszeiten"],
            &["Café", "Cafe"],
        ] {
            let terms: Vec<String> = spellings.iter().map(|word| stems(word)).collect();
            assert!(terms.iter().all(|term| *term == terms[0]), "{spellings:?} became {terms:?}");
        }
    }

    #[test]
    fn a_fold_of_a_prefix_is_a_prefix_of_the_fold() {
        for word in ["müllabfuhr", "muellabfuhr", "steuer", "straße", "oeffnung", "quelle", "soest"] {
            for (cut, _) in word.char_indices() {
                let (prefix, whole) = (fold(&word[..cut]), fold(word));
                assert!(whole.starts_with(&prefix), "`{prefix}` does not start `{whole}`");
            }
        }
    }

    #[test]
    fn words_know_their_place_in_the_text() {
        let text = "„Bäume“ – E-Ladesäulen 2024";
        let found: Vec<&str> = words(text).iter().map(|word| &text[word.start..word.end]).collect();
        assert_eq!(found, ["Bäume", "E", "Ladesäulen", "2024"]);
    }

    #[test]
    fn stop_words_are_sorted_for_the_binary_search() {
        assert!(GERMAN_STOP_WORDS.is_sorted() && ENGLISH_STOP_WORDS.is_sorted());
        assert!(GERMAN_STOP_WORDS.iter().all(|word| fold(word) == **word));
    }

    #[test]
    fn titles_sort_as_in_a_german_phone_book_index() {
        let mut titles = ["Zoo", "Ärzte", "Apotheken", "ampeln", "Öffnungszeiten", "Orte", "„Adressen“"];
        titles.sort_by_key(|title| collation_key(title));
        assert_eq!(titles, ["„Adressen“", "ampeln", "Apotheken", "Ärzte", "Öffnungszeiten", "Orte", "Zoo"]);
    }
}
