//! What became of an import, said so that the person in the town hall can
//! mend what is wrong.

use std::collections::BTreeMap;

use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{InvalidField, Lang};
use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, Place, Remark, RemarkKind};
use super::inventory::{self, Mapping};
use super::limits::{KEPT_PROBLEMS_MAX, KEPT_ROWS_BYTES_MAX, PROBLEMS_MAX, REJECTED_BYTES_MAX};

/// One thing that is wrong or worth knowing, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of remark; `None` if it keeps the record out.
    pub kind: Option<RemarkKind>,
    /// Where the record stands.
    pub place: Place,
    /// What the source calls the field.
    pub called: Option<Bilingual>,
    /// The record's field.
    pub field: String,
    /// Its value, shortened.
    pub value: String,
    /// What is wrong.
    pub reason: Bilingual,
    /// What to do.
    pub remedy: Bilingual,
}

impl Problem {
    /// A field that cannot hold its value.
    pub fn of_field(candidate: &Candidate, error: InvalidField) -> Self {
        Self {
            kind: None,
            place: candidate.place.clone(),
            called: called(&candidate.called, &error.field),
            field: error.field,
            value: error.value,
            reason: error.problem,
            remedy: error.remedy,
        }
    }

    /// Something worth knowing.
    pub fn of_remark(place: &Place, names: &BTreeMap<String, Bilingual>, remark: Remark) -> Self {
        Self {
            kind: Some(remark.kind),
            place: place.clone(),
            called: called(names, &remark.field),
            field: remark.field,
            value: remark.value,
            reason: remark.reason,
            remedy: remark.remedy,
        }
    }

    /// The problem in one language.
    pub fn in_lang(&self, lang: Lang) -> ProblemText {
        let place = self.place.in_lang(lang);
        ProblemText {
            kind: self.kind,
            place: self
                .called
                .as_ref()
                .map_or_else(|| place.clone(), |called| format!("{place}, {}", called.in_lang(lang))),
            field: self.field.clone(),
            value: self.value.clone(),
            reason: self.reason.in_lang(lang).to_owned(),
            remedy: self.remedy.in_lang(lang).to_owned(),
        }
    }
}

/// The name of the field in the source, or of what it lies in.
fn called(names: &BTreeMap<String, Bilingual>, field: &str) -> Option<Bilingual> {
    let mut path = field;
    loop {
        if let Some(name) = names.get(path) {
            return Some(name.clone());
        }
        path = path.rsplit_once('/')?.0;
    }
}

/// A [`Problem`] in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemText {
    /// `hint`, `task`, `personal` or `duplicate`; absent if the record was kept out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<RemarkKind>,
    /// Where: row and column, sheet, or the name of the item.
    #[serde(rename = "where")]
    pub place: String,
    /// Path of the record's field, `/` between its parts.
    pub field: String,
    /// The value as given, shortened.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

/// A row that was rejected, as it stood, with the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// Its cells.
    pub row: Vec<String>,
    /// Why, in the language of the town.
    pub reason: String,
}

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Whether nothing was written because nothing should be.
    pub dry_run: bool,
    /// Whether nothing was written because something was rejected.
    pub withheld: bool,
    /// Records that are new.
    pub created: u64,
    /// Records that were changed.
    pub changed: u64,
    /// Records that say what they said before.
    pub unchanged: u64,
    /// Records that were kept out.
    pub rejected: u64,
    /// Records of this federation that came back by another road and were not
    /// taken.
    pub own: u64,
    /// Why records were kept out, the first [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// What is worth knowing about the others.
    pub hints: Vec<Problem>,
    /// Problems and hints beyond those listed.
    pub omitted: u64,
    /// How the columns of an inventory were understood.
    pub mapping: Mapping,
    /// Rejected rows, to be mended.
    pub rows: Vec<RejectedRow>,
    #[serde(skip)]
    pub(super) rejected_bytes: usize,
    #[serde(skip)]
    pub(super) rows_are_cut: bool,
}

/// Not all rejected rows are given back.
fn rows_are_cut() -> Problem {
    const MIB: usize = REJECTED_BYTES_MAX >> 20;
    Problem {
        kind: Some(RemarkKind::Hint),
        place: Place::Whole,
        called: None,
        field: String::new(),
        value: String::new(),
        reason: Bilingual::made(
            format!("es sind mehr abgelehnte Zeilen, als zum Ausbessern zurückgegeben werden ({MIB} MiB)"),
            format!("more rows are rejected than are given back to be mended ({MIB} MiB)"),
        ),
        remedy: Bilingual::fixed(
            "die zurückgegebenen ausbessern und einlesen, dann die ganze Datei noch einmal",
            "mend those given back and import them, then the whole file once more",
        ),
    }
}

impl Report {
    /// Records that were read.
    pub fn read(&self) -> u64 {
        self.created + self.changed + self.unchanged + self.rejected
    }

    /// As much of it as is kept over a restart.
    pub(super) fn kept(&self) -> Self {
        let mut kept = self.clone();
        for listed in [&mut kept.problems, &mut kept.hints] {
            kept.omitted += listed.len().saturating_sub(KEPT_PROBLEMS_MAX) as u64;
            listed.truncate(KEPT_PROBLEMS_MAX);
        }
        let mut bytes = 0;
        kept.rows.retain(|rejected| {
            bytes += rejected.reason.len() + rejected.row.iter().map(String::len).sum::<usize>();
            bytes <= KEPT_ROWS_BYTES_MAX
        });
        kept
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS_MAX { self.problems.push(problem) } else { self.omitted += 1 }
    }

    pub(super) fn hint(&mut self, hint: Problem) {
        if self.hints.len() < PROBLEMS_MAX { self.hints.push(hint) } else { self.omitted += 1 }
    }

    /// Counts a record as kept out, for these reasons.
    pub(super) fn reject(&mut self, row: Vec<String>, problems: Vec<Problem>) {
        self.rejected += 1;
        let sentence = |problem: &Problem| {
            let text = problem.in_lang(Lang::De);
            let name = problem.called.as_ref().map_or(text.field, |called| called.de.to_string());
            format!("{name}: „{}“ {}; {}", text.value, text.reason, text.remedy)
        };
        let reason = problems.iter().map(sentence).collect::<Vec<_>>().join(" | ");
        let bytes = reason.len() + row.iter().map(String::len).sum::<usize>();
        let is_kept = self.rejected_bytes + bytes <= REJECTED_BYTES_MAX;
        if !row.is_empty() && is_kept {
            self.rejected_bytes += bytes;
            self.rows.push(RejectedRow { row, reason });
        } else if !row.is_empty() && !self.rows_are_cut {
            self.rows_are_cut = true;
            self.hint(rows_are_cut());
        }
        problems.into_iter().for_each(|problem| self.problem(problem));
    }

    /// The rejected rows as CSV, under their head, the reasons in a last column
    /// that an import passes over.
    pub fn rejected_csv(&self) -> String {
        let width = self
            .rows
            .iter()
            .map(|rejected| rejected.row.len())
            .max()
            .unwrap_or(0)
            .max(self.mapping.head.len());
        let padded = |cells: &[String], last: &str| {
            let mut row = cells.to_vec();
            row.resize(width, String::new());
            row.push(last.to_owned());
            row
        };
        let head = padded(&self.mapping.head, "Fehler");
        let rows = self.rows.iter().map(|rejected| padded(&rejected.row, &rejected.reason));
        inventory::csv_text(std::iter::once(head).chain(rows))
    }

    /// The report in one language.
    pub fn in_lang(&self, lang: Lang) -> ReportText {
        let texts = |problems: &[Problem]| problems.iter().map(|problem| problem.in_lang(lang)).collect();
        ReportText {
            dry_run: self.dry_run,
            withheld: self.withheld,
            created: self.created,
            changed: self.changed,
            unchanged: self.unchanged,
            rejected: self.rejected,
            own: self.own,
            problems: texts(&self.problems),
            hints: texts(&self.hints),
            omitted: self.omitted,
            columns: self.mapping.columns.clone(),
        }
    }
}

/// A [`Report`] in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportText {
    /// Whether this was a rehearsal.
    pub dry_run: bool,
    /// Whether nothing was written because something was rejected.
    pub withheld: bool,
    /// Records that are new.
    pub created: u64,
    /// Records that were changed.
    pub changed: u64,
    /// Records that say what they said before.
    pub unchanged: u64,
    /// Records that were kept out.
    pub rejected: u64,
    /// Records of this federation that came back by another road and were not
    /// taken.
    pub own: u64,
    /// Why records were kept out.
    pub problems: Vec<ProblemText>,
    /// What is worth knowing about those that were not.
    pub hints: Vec<ProblemText>,
    /// Problems and hints beyond those listed.
    pub omitted: u64,
    /// How the columns of an inventory were understood, as `--mapping` takes it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Option<String>>,
}
