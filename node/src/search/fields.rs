//! The fields of an index and how a record fills them.
//!
//! Three fields hold the stems of texts, with their places and the length of the text: title,
//! keywords, body. A fourth, `presence`, holds everything that is only asked whether it is there,
//! in sections told apart by the first letter of a term; a fifth, `named`, does the same for the
//! fields of an expression. Few fields, because each costs an edit a dictionary of its own. Facets and sort keys are columns. The record itself is stored, so that a
//! hit needs no other store.

use std::sync::Arc;

use tantivy::schema::{
    Field, IndexRecordOption, NumericOptions, STORED, Schema, TextFieldIndexing, TextOptions, Value as _,
};
use tantivy::{Index, TantivyDocument, Term};

use crdt::ids::hex;

use super::analysis::{Analysed, Analyzer, TextLanguage, collation_key, words};
use super::terms::{TERMS_TOKENIZER, TermList, TermsTokenizer};
use super::{Area, Facet, NamedField, SearchRecord};

/// Number of what is indexed and how. Another number on disk means: rebuild.
pub(super) const INDEX_FORMAT: u32 = 4;
/// Words of one text beyond this are not indexed; a text has at most 32 KiB by the gate's rules.
const TEXT_WORDS_MAX: usize = 6_000;
/// Longer facet values and identifiers are cut off.
const VALUE_BYTES_MAX: usize = 512;

/// A section of the field `presence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// What stands for the record's key, by which it is replaced.
    Key,
    /// Identifiers, lower-case.
    Id,
    /// Stems of parts of compounds in title and keywords.
    Part,
    /// Stems of parts of compounds in the body.
    BodyPart,
    /// Words and parts of title and keywords, for beginnings and typing errors.
    Word,
    /// Words of the body, for beginnings and typing errors.
    BodyWord,
}

impl Section {
    pub(super) fn tag(self) -> char {
        match self {
            Section::Key => 'k',
            Section::Id => 'i',
            Section::Part => 'p',
            Section::BodyPart => 'b',
            Section::Word => 'w',
            Section::BodyWord => 'x',
        }
    }
}

/// The fields, by which terms are looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) title: Field,
    pub(super) keywords: Field,
    pub(super) body: Field,
    pub(super) presence: Field,
    pub(super) named: Field,
    pub(super) modified: Field,
    pub(super) issued: Field,
    key: Field,
    /// West, south, east, north.
    area: [Field; AREA_COLUMNS.len()],
    /// First and last second of the days that the data describe.
    span: [Field; SPAN_COLUMNS.len()],
    id: [Field; 2],
    title_order: Field,
    record: Field,
    facets: [Field; Facet::ALL.len()],
}

/// Names of the columns that are read by name.
pub(super) const KEY_COLUMN: &str = "key";
pub(super) const ID_COLUMNS: [&str; 2] = ["id_high", "id_low"];
pub(super) const MODIFIED_COLUMN: &str = "modified";
pub(super) const TITLE_ORDER_COLUMN: &str = "title_order";
pub(super) const ISSUED_COLUMN: &str = "issued";
pub(super) const AREA_COLUMNS: [&str; 4] = ["west", "south", "east", "north"];
pub(super) const SPAN_COLUMNS: [&str; 2] = ["from", "to"];

impl Fields {
    pub(super) fn schema() -> (Schema, Fields) {
        let mut schema = Schema::builder();
        let indexed = |option, fieldnorms| {
            TextOptions::default().set_indexing_options(
                TextFieldIndexing::default()
                    .set_tokenizer(TERMS_TOKENIZER)
                    .set_index_option(option)
                    .set_fieldnorms(fieldnorms),
            )
        };
        let text = indexed(IndexRecordOption::WithFreqsAndPositions, true);
        let column = TextOptions::default().set_fast("raw");
        let number = NumericOptions::default().set_fast();
        let fields = Fields {
            title: schema.add_text_field("title", text.clone()),
            keywords: schema.add_text_field("keywords", text.clone()),
            body: schema.add_text_field("body", text),
            presence: schema.add_text_field("presence", indexed(IndexRecordOption::Basic, false)),
            named: schema.add_text_field("named", indexed(IndexRecordOption::Basic, false)),
            key: schema.add_text_field(KEY_COLUMN, column.clone()),
            modified: schema.add_i64_field(MODIFIED_COLUMN, number.clone()),
            issued: schema.add_i64_field(ISSUED_COLUMN, number.clone()),
            area: AREA_COLUMNS.map(|name| schema.add_i64_field(name, number.clone())),
            span: SPAN_COLUMNS.map(|name| schema.add_i64_field(name, number.clone())),
            id: ID_COLUMNS.map(|name| schema.add_u64_field(name, number.clone())),
            title_order: schema.add_text_field(TITLE_ORDER_COLUMN, column.clone()),
            record: schema.add_bytes_field("record", STORED),
            facets: Facet::ALL
                .map(|facet| schema.add_text_field(&format!("facet_{}", facet.name()), column.clone())),
        };
        (schema.build(), fields)
    }

    /// Tells an index, after each opening, how to read the terms it is given.
    pub(super) fn register(index: &Index) {
        index.tokenizers().register(TERMS_TOKENIZER, TermsTokenizer::default());
    }

    /// The term by which a record is replaced.
    pub(super) fn key_term(&self, key: &str) -> Term {
        self.present(Section::Key, &key_digest(key))
    }

    /// A term of the field `presence`.
    pub(super) fn present(&self, section: Section, value: &str) -> Term {
        Term::from_field_text(self.presence, &tagged(section, value))
    }

    /// What is indexed for a record.
    pub(super) fn document(
        &self,
        record: &SearchRecord,
        analyzer: &mut Analyzer,
    ) -> Result<TantivyDocument, serde_json::Error> {
        let mut document = TantivyDocument::new();
        document.add_text(self.key, &record.key);
        let id = uuid::Uuid::parse_str(&record.id).unwrap_or_default().as_u64_pair();
        document.add_u64(self.id[0], id.0);
        document.add_u64(self.id[1], id.1);
        let texts = Texts::of(record, analyzer);
        self.add_named(&mut document, record, &texts, analyzer);
        self.add_words(&mut document, record, &texts, analyzer);
        self.add_numbers(&mut document, record);
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

    fn add_numbers(&self, document: &mut TantivyDocument, record: &SearchRecord) {
        for (field, seconds) in [(self.modified, record.modified), (self.issued, record.issued)] {
            if let Some(seconds) = seconds {
                document.add_i64(field, seconds);
            }
        }
        if let Some(Area { west, south, east, north }) = record.area {
            for (field, edge) in self.area.into_iter().zip([west, south, east, north]) {
                document.add_i64(field, i64::from(edge));
            }
        }
        if !record.span.is_boundless() {
            let (from, to) = record.span.ends();
            for (field, second) in self.span.into_iter().zip([from, to]) {
                document.add_i64(field, second);
            }
        }
    }

    fn add_words(
        &self,
        document: &mut TantivyDocument,
        record: &SearchRecord,
        texts: &Texts,
        analyzer: &mut Analyzer,
    ) {
        let mut present = vec![tagged(Section::Key, &key_digest(&record.key))];
        for id in [&record.id, &record.identifier].into_iter().chain(&record.other_identifiers) {
            present.push(tagged(Section::Id, cut(&id.to_lowercase())));
        }
        let mut head = Words { present: &mut present, part: Section::Part, word: Section::Word };
        let mut title = TermList::default();
        texts.title.iter().for_each(|text| head.add(&mut title, text));
        let mut keywords = TermList::default();
        for keyword in &record.keywords {
            head.add(&mut keywords, &analysed(analyzer, TextLanguage::German, keyword));
        }
        let mut rest = Words { present: &mut present, part: Section::BodyPart, word: Section::BodyWord };
        let mut body = TermList::default();
        rest.add(&mut body, &texts.publisher);
        for text in [&record.department].into_iter().chain(&record.domain).chain(&record.formats) {
            rest.add(&mut body, &analysed(analyzer, TextLanguage::German, text));
        }
        texts.description.iter().for_each(|text| rest.add(&mut body, text));
        let all = term_set(present);
        for (field, list) in
            [(self.title, title), (self.keywords, keywords), (self.body, body), (self.presence, all)]
        {
            document.add_text(field, list.into_text());
        }
    }

    /// The values and words that expressions ask for.
    fn add_named(
        &self,
        document: &mut TantivyDocument,
        record: &SearchRecord,
        texts: &Texts,
        analyzer: &mut Analyzer,
    ) {
        use NamedField as Named;
        let mut terms = Vec::new();
        let mut add = |field: Named, value: &str| {
            if !value.is_empty() {
                terms.push(field.exists_term());
                terms.push(field.value_term(value));
            }
        };
        add(Named::Id, &record.id);
        add(Named::Identifier, &record.identifier);
        record.other_identifiers.iter().for_each(|other| add(Named::Identifier, other));
        add(Named::Iri, &record.iri);
        add(Named::Town, &record.town);
        add(Named::Mailbox, &record.mailbox);
        add(Named::Licence, record.licence.as_deref().unwrap_or_default());
        add(Named::Frequency, record.frequency.as_deref().unwrap_or_default());
        for title in [&record.title_de, &record.title_en] {
            add(Named::TitleExact, title);
        }
        for (field, values) in [
            (Named::Keyword, &record.keywords),
            (Named::Theme, &record.themes),
            (Named::Format, &record.formats),
        ] {
            values.iter().for_each(|value| add(field, value));
        }
        for distribution in &record.distributions {
            add(Named::Distribution, &distribution.id);
            distribution.urls.iter().for_each(|url| add(Named::Url, url));
        }
        let mut add_text = |field: Named, text: &[Arc<Analysed>]| {
            if !text.is_empty() {
                terms.push(field.exists_term());
            }
            for word in distinct(text) {
                terms.push(field.value_term(&word.folded));
                terms.push(field.stem_term(&word.stem));
            }
        };
        texts.title.iter().for_each(|text| add_text(Named::Title, text));
        texts.description.iter().for_each(|text| add_text(Named::Description, text));
        add_text(Named::Publisher, &texts.publisher);
        add_text(Named::Contact, &analysed(analyzer, TextLanguage::German, &record.contact));
        for distribution in &record.distributions {
            let title = analysed(analyzer, TextLanguage::German, &distribution.title);
            add_text(Named::DistributionTitle, &title);
        }
        document.add_text(self.named, term_set(terms).into_text());
    }

    /// The record that was indexed as `document`.
    pub(super) fn record(&self, document: &TantivyDocument) -> Option<SearchRecord> {
        let stored = document.get_first(self.record)?;
        serde_json::from_slice(stored.as_bytes()?).ok()
    }
}

/// The texts of a record that more than one field is made of, analysed once.
struct Texts {
    /// In German and in English.
    title: [Vec<Arc<Analysed>>; 2],
    /// In German and in English.
    description: [Vec<Arc<Analysed>>; 2],
    publisher: Vec<Arc<Analysed>>,
}

impl Texts {
    fn of(record: &SearchRecord, analyzer: &mut Analyzer) -> Texts {
        use TextLanguage::{English, German};
        let mut both =
            |german, english| [analysed(analyzer, German, german), analysed(analyzer, English, english)];
        Texts {
            title: both(&record.title_de, &record.title_en),
            description: both(&record.description_de, &record.description_en),
            publisher: analysed(analyzer, German, &record.publisher),
        }
    }
}

/// The words of a text in order, at most [`TEXT_WORDS_MAX`].
fn analysed(analyzer: &mut Analyzer, language: TextLanguage, text: &str) -> Vec<Arc<Analysed>> {
    words(text).iter().take(TEXT_WORDS_MAX).map(|word| analyzer.analyse(language, &word.lower)).collect()
}

/// Each word once. One that the analyzer has forgotten in between comes twice:
/// [`term_set`] does not mind.
fn distinct(text: &[Arc<Analysed>]) -> Vec<&Arc<Analysed>> {
    let mut words: Vec<&Arc<Analysed>> = text.iter().collect();
    words.sort_unstable_by_key(|word| Arc::as_ptr(word));
    words.dedup_by_key(|word| Arc::as_ptr(word));
    words
}

/// Each term once, in no order that means anything.
fn term_set(mut terms: Vec<String>) -> TermList {
    terms.sort_unstable();
    terms.dedup();
    let mut list = TermList::default();
    terms.iter().for_each(|term| list.push(Some(term)));
    list
}

/// Adds the words of texts to a field's terms and to two sections.
struct Words<'a> {
    present: &'a mut Vec<String>,
    part: Section,
    word: Section,
}

impl Words<'_> {
    fn add(&mut self, list: &mut TermList, text: &[Arc<Analysed>]) {
        for word in text {
            list.push((!word.stop).then_some(&word.stem));
        }
        list.end_text();
        for word in distinct(text).into_iter().filter(|word| !word.stop) {
            self.present.push(tagged(self.word, &word.folded));
            for part in &word.parts {
                self.present.push(tagged(self.part, &part.stem));
                if self.word == Section::Word {
                    self.present.push(tagged(self.word, &part.folded));
                }
            }
        }
    }
}

/// Stands for a key in the dictionary of terms, where each letter that no other
/// term shares costs time and room.
fn key_digest(key: &str) -> String {
    const CONTEXT: &str = "hanse search key 1";
    hex(&crdt::encoding::hash(CONTEXT, &[key.as_bytes()])[..16])
}

fn tagged(section: Section, value: &str) -> String {
    let mut term = String::with_capacity(value.len() + 1);
    term.push(section.tag());
    term.push_str(value);
    term
}

/// `value`, cut off at [`VALUE_BYTES_MAX`].
pub(super) fn cut(value: &str) -> &str {
    let mut end = value.len().min(VALUE_BYTES_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}
