//! Tables for people: the blank template of an inventory, and the town's
//! records in the same columns, so that either can be filled in and imported.
//!
//! A cell that a spreadsheet would run as a formula is written as text: in
//! xlsx by its type, in csv behind an apostrophe, which an import takes off.

use crdt::catalog::{Distribution, Lang, LocalRecord};
use crdt::vocabulary::{Concept, List, Mark, Vocabularies};
use rust_xlsxwriter::utility::cell_range_absolute;
use rust_xlsxwriter::{DataValidation, Format, FormatAlign, Formula, Note, Workbook, Worksheet, XlsxError};

use super::inventory::{csv_text, template_columns};

/// Rows below the head for which the template offers the values of a list.
const OFFERED_ROWS: u32 = 2_000;
/// The hidden sheet that holds these values; an import does not read it.
const CHOICES: &str = "Auswahl";
/// Frequencies that offices use, the most frequent first.
const USUAL_FREQUENCIES: [&str; 11] = [
    "CONT",
    "DAILY",
    "WEEKLY",
    "MONTHLY",
    "QUARTERLY",
    "ANNUAL_2",
    "ANNUAL",
    "AS_NEEDED",
    "IRREG",
    "NEVER",
    "UNKNOWN",
];
/// Licences that offices use.
const USUAL_LICENCES: [&str; 4] = ["dl-zero-de/2.0", "dl-by-de/2.0", "cc-zero", "cc-by/4.0"];
/// Longest cell that a spreadsheet takes, in characters.
const CELL_CHARS_MAX: usize = 32_000;

/// The form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SheetForm {
    /// Excel's.
    Xlsx,
    /// Text with `;` between the cells.
    Csv,
}

impl SheetForm {
    /// By a file's ending.
    pub fn of_name(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
        [Self::Xlsx, Self::Csv].into_iter().find(|form| form.ending() == ending)
    }

    /// The ending of a file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write a table: {0}")]
pub struct WriteTableError(#[from] XlsxError);

/// The blank template, with the values of a town's lists to choose from.
pub fn template(form: SheetForm, lists: &Vocabularies) -> Result<Vec<u8>, WriteTableError> {
    let head: Vec<&str> = template_columns().map(|(name, _)| name).collect();
    match form {
        SheetForm::Csv => Ok(csv_text([head.into_iter().map(str::to_owned).collect()]).into_bytes()),
        SheetForm::Xlsx => {
            let mut book = Workbook::new();
            let sheet = begin(&mut book, "Inventar", &head)?;
            let mut choices = Vec::new();
            for (column, (name, field)) in (0..).zip(template_columns()) {
                sheet.insert_note(0, column, &Note::new(help(name, field)).set_author("Hanse"))?;
                if let Some(values) = offered(field, lists) {
                    let place = u16::try_from(choices.len()).unwrap_or(u16::MAX);
                    let last = u32::try_from(values.len()).unwrap_or(u32::MAX).saturating_sub(1);
                    let range = format!("={CHOICES}!{}", cell_range_absolute(0, place, last, place));
                    let validation = DataValidation::new()
                        .allow_list_formula(Formula::new(range))
                        // A value of one's own is no mistake: the import asks.
                        .ignore_blank(true)
                        .show_error_message(false);
                    sheet.add_data_validation(1, column, OFFERED_ROWS, column, &validation)?;
                    choices.push(values);
                }
            }
            let hidden = book.add_worksheet().set_name(CHOICES)?.set_hidden(true);
            for (column, values) in (0..).zip(choices) {
                hidden.write_column(0, column, values)?;
            }
            Ok(book.save_to_buffer()?)
        }
    }
}

/// The town's records in the columns of the template, codes as its lists label
/// them.
pub fn table(
    form: SheetForm,
    records: &[LocalRecord],
    lists: &Vocabularies,
) -> Result<Vec<u8>, WriteTableError> {
    let columns: Vec<(&str, &str)> = template_columns().collect();
    let head: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let row = |record: &LocalRecord| {
        columns.iter().map(|(_, field)| cell(record, field, lists)).collect::<Vec<_>>()
    };
    match form {
        SheetForm::Csv => {
            let head = head.iter().map(ToString::to_string).collect();
            Ok(csv_text(std::iter::once(head).chain(records.iter().map(row))).into_bytes())
        }
        SheetForm::Xlsx => {
            let mut book = Workbook::new();
            let sheet = begin(&mut book, "Datensätze", &head)?;
            let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
            for (number, record) in (1..).zip(records) {
                for (column, text) in (0..).zip(row(record)).filter(|(_, text)| !text.is_empty()) {
                    let text: String = text.chars().take(CELL_CHARS_MAX).collect();
                    sheet.write_string_with_format(number, column, text, &wrapped)?;
                }
            }
            Ok(book.save_to_buffer()?)
        }
    }
}

fn begin<'a>(book: &'a mut Workbook, name: &str, head: &[&str]) -> Result<&'a mut Worksheet, XlsxError> {
    let bold = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
    let sheet = book.add_worksheet().set_name(name)?;
    for (column, name) in (0..).zip(head) {
        sheet.write_string_with_format(0, column, *name, &bold)?;
        sheet.set_column_width(column, if *name == "Beschreibung" { 60 } else { 24 })?;
    }
    sheet.set_freeze_panes(1, 0)
}

/// Values that a column offers to choose from, never none.
fn offered<'a>(field: &str, lists: &'a Vocabularies) -> Option<Vec<&'a str>> {
    let values: Vec<&str> = match field {
        "frequency" => choices(lists, List::Frequencies, &USUAL_FREQUENCIES),
        "licence" => choices(lists, List::Licences, &USUAL_LICENCES),
        "personal_data" => crdt::catalog::PersonalData::ALL.iter().map(|code| code.label(Lang::De)).collect(),
        "internal/proposed_classification" => vec!["ja", "nein"],
        "hvd" => crdt::catalog::Hvd::ALL.iter().map(|code| code.code()).collect(),
        _ => return None,
    };
    (!values.is_empty()).then_some(values)
}

/// Labels of a list: all that are in use if it is the town's own, else those
/// that are usual in a town hall.
fn choices<'a>(lists: &'a Vocabularies, list: List, usual: &[&str]) -> Vec<&'a str> {
    let vocabulary = lists.list(list);
    let label = |concept: &'a Concept| &*concept.label.de;
    if lists.is_own(list) {
        let in_use = |concept: &&Concept| !concept.is(Mark::Retired) && !concept.is(Mark::Provisional);
        return vocabulary.concepts().iter().filter(in_use).map(label).collect();
    }
    usual.iter().filter_map(|code| vocabulary.code(code)).map(label).collect()
}

/// What to fill in, beside the head of a column.
fn help(name: &str, field: &str) -> String {
    let text = match field {
        "title" => "Pflicht. Kurz und ohne Ort und Jahr.",
        "description" => "Was die Daten enthalten, für Fremde verständlich. Keine Namen von Personen.",
        "themes" => "Ein oder mehrere EU-Themen, mit Komma getrennt, zum Beispiel: Umwelt, Verkehr.",
        "keywords" => "Schlagwörter, mit Komma getrennt.",
        "formats" => "Dateiformate, mit Komma getrennt, zum Beispiel: CSV, GeoJSON.",
        "frequency" => "Wie oft die Daten erneuert werden.",
        "data_modified" => "Tag der letzten Aktualisierung: TT.MM.JJJJ.",
        "licence" => "Nötig erst für die Veröffentlichung.",
        "distributions" => "Webadresse. Ein Pfad auf einem Laufwerk bleibt im Haus.",
        "identifier" => {
            "Woran die Zeile beim nächsten Import erkannt wird; sonst an Titel und Verantwortlichkeit."
        }
        "contact/email" => "Funktionspostfach, keine persönliche Adresse.",
        "<person>" | "internal/notes" => "Bleibt im Haus.",
        _ if field.starts_with("internal/") || field.starts_with('<') => "Bleibt im Haus.",
        _ => "Freiwillig.",
    };
    format!("{name}: {text}")
}

/// What a record says in a column.
fn cell(record: &LocalRecord, field: &str, lists: &Vocabularies) -> String {
    let (dataset, internal) = (&record.dataset, &record.internal);
    let shown = |value: Option<&dyn std::fmt::Display>| value.map(ToString::to_string).unwrap_or_default();
    macro_rules! of {
        ($value:expr) => {
            shown($value.as_ref().map(|value| value as &dyn std::fmt::Display))
        };
    }
    match field {
        "title" => of!(dataset.title.best(Lang::De)),
        "description" => of!(dataset.description.best(Lang::De)),
        "themes" => joined(dataset.themes.iter().map(|theme| theme.label_in(lists, Lang::De))),
        "keywords" => joined(dataset.keywords.de.iter().map(|word| word.as_str())),
        "spatial/unit" => of!(dataset.spatial.unit),
        "spatial/geocoding" => of!(dataset.spatial.geocoding),
        "department" => of!(dataset.department),
        "domain" => of!(dataset.domain),
        "formats" => joined(dataset.formats.iter().map(|format| format.as_str())),
        "update_process" => of!(dataset.update_process),
        "data_modified" => of!(dataset.data_modified),
        "frequency" => dataset
            .frequency
            .as_ref()
            .map(|code| code.label_in(lists, Lang::De).to_owned())
            .unwrap_or_default(),
        "distributions" => lines(dataset.distributions.iter().filter_map(address)),
        "distributions/download_url" => match dataset.distributions.as_slice() {
            [only] if only.access_url.is_some() => of!(only.download_url),
            _ => String::new(),
        },
        "licence" => {
            dataset.licence.as_ref().map(|licence| licence.label_in(lists).to_owned()).unwrap_or_default()
        }
        "attribution" => of!(dataset.attribution),
        "personal_data" => {
            dataset.personal_data.map(|code| code.label(Lang::De).to_owned()).unwrap_or_default()
        }
        "hvd" => of!(dataset.hvd),
        "musterdatensatz" => of!(dataset.musterdatensatz),
        "temporal/start" => of!(dataset.temporal.start),
        "temporal/end" => of!(dataset.temporal.end),
        "publisher/name" => of!(dataset.publisher.name),
        "contact/name" => of!(dataset.contact.name),
        "contact/email" => of!(dataset.contact.email),
        "contact/phone" => of!(dataset.contact.phone),
        "identifier" => of!(dataset.identifier),
        "<classification>" => dataset.class.label(Lang::De).to_owned(),
        "internal/responsible_role/unit" => of!(internal.responsible_role.unit),
        "internal/source_system" => of!(internal.source_system),
        "internal/legal_basis" => of!(internal.legal_basis),
        "internal/classification_reason" => of!(internal.classification_reason),
        "internal/proposed_classification" => internal
            .proposed_classification
            .map(|class| if class == crdt::catalog::Class::Open { "ja" } else { "nein" }.to_owned())
            .unwrap_or_default(),
        "internal/notes" => of!(internal.notes),
        _ => String::new(),
    }
}

fn address(distribution: &Distribution) -> Option<&str> {
    distribution.access_url.as_ref().or(distribution.download_url.as_ref()).map(|url| url.as_str())
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn lines<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join("\n")
}
