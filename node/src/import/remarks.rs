//! What an import says about records beside the numbers: sentences for people,
//! in both languages.

use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{Dataset, Identifier, InvalidField, Lang};
use crdt::ids::DatasetId;

use super::candidate::{Candidate, Place, Remark, RemarkKind};
use crate::handle::DuplicateHint;
use crate::store::Leading;

/// Longest value that a remark repeats, in characters.
const EXCERPT_CHARS: usize = 80;

/// The beginning of a text, as far as a remark repeats it.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}

/// The title that a candidate gives, shortened.
fn titled(candidate: &Candidate) -> String {
    excerpt(candidate.title().unwrap_or(&candidate.key))
}

pub(super) fn came_back() -> Remark {
    Remark {
        kind: RemarkKind::Duplicate,
        field: "identifier".to_owned(),
        value: String::new(),
        reason: Bilingual::fixed(
            "ist ein offener Datensatz dieser Föderation, der auf einem anderen Weg zurückkam; er wurde nicht übernommen",
            "is an open dataset of this federation that came back by another road; it was not taken",
        ),
        remedy: Bilingual::fixed("nichts zu tun", "nothing to do"),
    }
}

pub(super) fn seems_the_same(hint: DuplicateHint) -> Remark {
    let DuplicateHint { score, other, reasons, .. } = hint;
    let title = other.title.de.or(other.title.en).map(|title| title.to_string()).unwrap_or_default();
    let why = |lang| {
        let texts: Vec<&str> = reasons.iter().map(|reason| reason.text.in_lang(lang)).collect();
        texts.join(", ")
    };
    let (de, en) = (why(Lang::De), why(Lang::En));
    Remark {
        kind: RemarkKind::Duplicate,
        field: "title".to_owned(),
        value: other.id.to_string(),
        reason: Bilingual::made(
            format!("ist der Datensatz „{title}“, der derselbe sein könnte (Wert {score}: {de})"),
            format!("is the record `{title}`, which may be the same (score {score}: {en})"),
        ),
        remedy: Bilingual::fixed(
            "beide vergleichen; mit `hanse duplicates` zusammenführen oder als verschieden merken",
            "compare the two; merge them or note them as different with `hanse duplicates`",
        ),
    }
}

pub(super) fn kept_here() -> Bilingual {
    Bilingual::fixed(
        "hat hier einen eigenen Wert bekommen; die Quelle sagt jetzt etwas Neues, der eigene Wert bleibt",
        "was given a value of its own here; the source says something new, the own value stays",
    )
}

pub(super) fn led_by(leading: &Leading) -> Bilingual {
    match leading {
        Leading::Hand => Bilingual::fixed(
            "wird im Haus gepflegt (führende Quelle); was diese Quelle Neues sagt, wurde nicht übernommen",
            "is kept by the town itself (leading source); what this source says anew was not carried over",
        ),
        Leading::Source(name) => Bilingual::made(
            format!("hat die führende Quelle „{name}“; was diese Quelle Neues sagt, wurde nicht übernommen"),
            format!("has the leading source `{name}`; what this source says anew was not carried over"),
        ),
    }
}

pub(super) fn published_here() -> Bilingual {
    Bilingual::fixed(
        "ist veröffentlicht; was die Quelle Neues sagt, wurde nicht übernommen",
        "is published; what the source says anew was not carried over",
    )
}

pub(super) fn stands_twice(other: &Place) -> Remark {
    let (de, en) = (other.in_lang(Lang::De), other.in_lang(Lang::En));
    Remark {
        kind: RemarkKind::Duplicate,
        field: "title".to_owned(),
        value: String::new(),
        reason: Bilingual::made(
            format!("steht als Titel auch in: {de}"),
            format!("stands as a title also in {en}"),
        ),
        remedy: Bilingual::fixed(
            "beide vergleichen; wenn es dieselben Daten sind, eine Zeile löschen",
            "compare the two; delete one if they are the same data",
        ),
    }
}

/// An identifier that another record has already is not given twice.
pub(super) fn identifier_is_taken(dataset: &Dataset, by: &DatasetId, own: &Identifier) -> Remark {
    let given = dataset.identifier.as_ref().map(ToString::to_string).unwrap_or_default();
    Remark {
        kind: RemarkKind::Hint,
        field: "identifier".to_owned(),
        value: excerpt(&given),
        reason: Bilingual::made(
            format!(
                "hat schon der Datensatz {by} aus einer anderen Quelle; dieser ist ein eigener und heißt im Katalog {own}"
            ),
            format!(
                "is what the record {by} of another source is called; this one is its own and is called {own} in the catalog"
            ),
        ),
        remedy: Bilingual::fixed(
            "nichts zu tun; wenn es doch derselbe ist, beide mit `hanse duplicates` zusammenführen",
            "nothing to do; if it is the same after all, merge the two with `hanse duplicates`",
        ),
    }
}

/// A row that was taken for one of the version before.
pub(super) fn known_as(candidate: &Candidate, before: &str) -> Remark {
    let before = excerpt(before);
    Remark {
        kind: RemarkKind::Hint,
        field: "title".to_owned(),
        value: titled(candidate),
        reason: Bilingual::made(
            format!(
                "hieß in der vorigen Fassung anders („{before}“ oder ohne diese Kennung oder Stelle) und gilt als derselbe Datensatz"
            ),
            format!(
                "went by another name in the version before (`{before}`, or without this identifier or department) and counts as the same record"
            ),
        ),
        remedy: Bilingual::fixed(
            "wenn es ein anderer ist, der Zeile eine eigene Kennung geben",
            "if it is another one, give the row an identifier of its own",
        ),
    }
}

/// A row that may be one of the version before: a person has to say.
pub(super) fn perhaps_known(candidate: &Candidate, before: &str, identifier: &str) -> InvalidField {
    let before = excerpt(before);
    InvalidField::new(
        "title",
        titled(candidate),
        Bilingual::made(
            format!("ist neu und könnte „{before}“ sein, das in dieser Datei fehlt"),
            format!("is new and may be `{before}`, which this file lacks"),
        ),
        Bilingual::made(
            format!(
                "ist es derselbe Datensatz, in die Spalte Kennung „{identifier}“ eintragen; sonst eine eigene Kennung, oder die Zeile aus der Datei der abgelehnten Zeilen importieren"
            ),
            format!(
                "if it is the same record, put `{identifier}` into the column Kennung; else an identifier of its own, or import the row from the file of rejected rows"
            ),
        ),
    )
}

/// A record that a person threw away does not come again by itself.
pub(super) fn thrown_away(candidate: &Candidate) -> Remark {
    Remark {
        kind: RemarkKind::Hint,
        field: String::new(),
        value: titled(candidate),
        reason: Bilingual::fixed(
            "wurde hier weggeworfen und kommt nicht von selbst wieder",
            "was thrown away here and does not come again by itself",
        ),
        remedy: Bilingual::fixed(
            "soll er doch wiederkommen, die Datei mit --again importieren",
            "if it is wanted again, import the file with --again",
        ),
    }
}
