//! The fields of an index and how a record fills them.
//!
//! Words are indexed several times, from precise to tolerant: by stem (title, keywords, …), by
//! the parts of compounds, and unstemmed for prefixes and typing errors. Facets and sort keys are
//! columns. The record itself is stored, so that a hit needs no other store.

use tantivy::schema::{
    Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions, Value as _,
};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{TantivyDocument, Term};

use super::analysis::{Analyzer, TextLanguage, collation_key, words};
use super::{Facet, SearchRecord};

/// Number of what is indexed and how. Another number on disk means: rebuild.
pub(super) const INDEX_FORMAT: u32 = 1;
/// Words of one text beyond this are not indexed; a text has at most 32 KiB by the gate's rules.
const TEXT_WORDS_MAX: usize = 6_000;
/// Longer facet values and identifiers are cut off.
const VALUE_BYTES_MAX: usize = 512;
/// Distance in word positions between texts of one field, so that no phrase spans two.
const POSITION_GAP: usize = 16;

/// A field of words, with what a hit in it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) key: Field,
    pub(super) ids: Field,
    pub(super) title: Field,
    pub(super) keywords: Field,
    pub(super) description: Field,
    pub(super) more: Field,
    pub(super) parts: Field,
    pub(super) body_parts: Field,
    pub(super) title_words: Field,
    pub(super) body_words: Field,
    modified: Field,
    title_order: Field,
    record: Field,
    facets: [Field; Facet::ALL.len()],
}

/// Names of the columns that are read by name.
pub(super) const KEY_COLUMN: &str = "key";
pub(super) const MODIFIED_COLUMN: &str = "modified";
pub(super) const TITLE_ORDER_COLUMN: &str = "title_order";

impl Fields {
    pub(super) fn schema() -> (Schema, Fields) {
        let mut schema = Schema::builder();
        let indexed = |option, fieldnorms| {
            TextOptions::default().set_indexing_options(
                TextFieldIndexing::default()
                    .set_tokenizer("raw")
                    .set_index_option(option)
                    .set_fieldnorms(fieldnorms),
            )
        };
        let words = indexed(IndexRecordOption::WithFreqsAndPositions, true);
        let presence = indexed(IndexRecordOption::Basic, false);
        let column = TextOptions::default().set_fast("raw");
        let fields = Fields {
            key: schema.add_text_field(KEY_COLUMN, presence.clone() | column.clone()),
            ids: schema.add_text_field("ids", presence.clone()),
            title: schema.add_text_field("title", words.clone()),
            keywords: schema.add_text_field("keywords", words.clone()),
            description: schema.add_text_field("description", words.clone()),
            more: schema.add_text_field("more", words),
            parts: schema.add_text_field("parts", presence.clone()),
            body_parts: schema.add_text_field("body_parts", presence.clone()),
            title_words: schema.add_text_field("title_words", presence.clone()),
            body_words: schema.add_text_field("body_words", presence),
            modified: schema.add_i64_field(MODIFIED_COLUMN, NumericOptions::default().set_fast()),
            title_order: schema.add_text_field(TITLE_ORDER_COLUMN, column.clone()),
            record: schema.add_bytes_field("record", tantivy::schema::STORED),
            facets: Facet::ALL
                .map(|facet| schema.add_text_field(&format!("facet_{}", facet.name()), column.clone())),
        };
        (schema.build(), fields)
    }

    pub(super) fn key_term(&self, key: &str) -> Term {
        Term::from_field_text(self.key, key)
    }

    /// What is indexed for a record.
    pub(super) fn document(
        &self,
        record: &SearchRecord,
        analyzer: &mut Analyzer,
    ) -> Result<TantivyDocument, serde_json::Error> {
        let mut document = TantivyDocument::new();
        document.add_text(self.key, &record.key);
        for id in [&record.key, &record.id, &record.identifier] {
            document.add_text(self.ids, cut(&id.to_lowercase()));
        }
        self.add_words(&mut document, record, analyzer);
        if let Some(modified) = record.modified {
            document.add_i64(self.modified, modified);
        }
        document.add_text(self.title_order, collation_key(record.any_title()));
        for facet in Facet::ALL {
            let mut values: Vec<&str> = record.facet_values(facet).map(cut).collect();
            values.sort_unstable();
            values.dedup();
            for value in values.into_iter().filter(|value| !value.is_empty()) {
                document.add_text(self.facets[facet as usize], value);
            }
        }
        document.add_bytes(self.record, &serde_json::to_vec(record)?);
        Ok(document)
    }

    fn add_words(&self, document: &mut TantivyDocument, record: &SearchRecord, analyzer: &mut Analyzer) {
        use TextLanguage::{English, German};
        let mut title = Terms::default();
        title.add(analyzer, German, &record.title_de);
        title.add(analyzer, English, &record.title_en);
        let mut keywords = Terms::default();
        for keyword in &record.keywords {
            keywords.add(analyzer, German, keyword);
        }
        let mut description = Terms::default();
        description.add(analyzer, German, &record.description_de);
        description.add(analyzer, English, &record.description_en);
        let mut more = Terms::default();
        let around = [&record.department, &record.publisher].into_iter();
        for text in around.chain(&record.domain).chain(&record.formats) {
            more.add(analyzer, German, text);
        }
        add(document, self.parts, present(title.parts.into_iter().chain(keywords.parts)));
        add(document, self.body_parts, present(description.parts.into_iter().chain(more.parts)));
        add(document, self.title_words, present(title.folded.into_iter().chain(keywords.folded)));
        add(document, self.body_words, present(description.folded.into_iter().chain(more.folded)));
        add(document, self.title, title.stems);
        add(document, self.keywords, keywords.stems);
        add(document, self.description, description.stems);
        add(document, self.more, more.stems);
    }

    /// The record that was indexed as `document`.
    pub(super) fn record(&self, document: &TantivyDocument) -> Option<SearchRecord> {
        let stored = document.get_first(self.record)?;
        serde_json::from_slice(stored.as_bytes()?).ok()
    }
}

/// The terms of one field's texts.
#[derive(Default)]
struct Terms {
    stems: Vec<Token>,
    folded: Vec<String>,
    parts: Vec<String>,
    next_position: usize,
}

impl Terms {
    fn add(&mut self, analyzer: &mut Analyzer, language: TextLanguage, text: &str) {
        for word in words(text).into_iter().take(TEXT_WORDS_MAX) {
            let analysed = analyzer.analyse(language, &word.lower);
            let position = self.next_position;
            self.next_position += 1;
            if analysed.stop {
                continue;
            }
            self.stems.push(token(position, analysed.stem.clone()));
            self.folded.push(analysed.folded.clone());
            self.parts.extend(analysed.parts.iter().cloned());
        }
        self.next_position += POSITION_GAP;
    }
}

fn token(position: usize, text: String) -> Token {
    Token { offset_from: 0, offset_to: 0, position, text, position_length: 1 }
}

/// Each term once; where it stands is not indexed.
fn present(terms: impl Iterator<Item = String>) -> Vec<Token> {
    let mut terms: Vec<String> = terms.collect();
    terms.sort_unstable();
    terms.dedup();
    terms.into_iter().map(|term| token(0, term)).collect()
}

fn add(document: &mut TantivyDocument, field: Field, tokens: Vec<Token>) {
    if !tokens.is_empty() {
        document.add_pre_tokenized_text(field, PreTokenizedString { text: String::new(), tokens });
    }
}

/// `value`, cut off at [`VALUE_BYTES_MAX`].
pub(super) fn cut(value: &str) -> &str {
    let mut end = value.len().min(VALUE_BYTES_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}
