//! Nothing is cut off, swallowed or misread without a word.

use super::*;
use crdt::catalog::Lang;
use rust_xlsxwriter::{Format, Workbook};

async fn fault(name: &str, bytes: &[u8]) -> String {
    match ended(&soest(), name, bytes, options("x")).await {
        ImportState::Unreadable(fault) => fault.reason.in_lang(Lang::De).to_owned(),
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quotation_mark_that_swallows_rows_is_an_error_with_its_row() {
    for swallowed in [
        "Titel;Thema\nBäume;Umwelt\nBrunnen;\"Umwelt\nRadwege;\"Verkehr\"\nBrücken;Verkehr\n",
        "Titel;Thema\nBäume;Umwelt\n\"Brunnen;Umwelt\nRadwege;Verkehr\n\"\n",
        "Titel;Thema\nBäume;Umwelt\nBrunnen;\"Umwelt\nRadwege;Verkehr\n",
    ] {
        let said = fault("a.csv", swallowed.as_bytes()).await;
        assert!(said.starts_with("Zeile 3: ein Anführungszeichen"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_have_the_numbers_that_a_person_sees() {
    let file = "Titel;Beschreibung\n\nBäume;\"eins\nzwei\"\n\n;ohne Titel\n";
    for text in [file.to_owned(), file.replace('\n', "\r\n"), file.replace('\n', "\r")] {
        let report = import(&soest(), "a.csv", text.as_bytes(), options("x")).await;
        assert_eq!(counts(&report), [1, 0, 0, 1], "{text:?}");
        assert!(sentences(&report.problems).starts_with("Zeile 5"), "{}", sentences(&report.problems));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_another_encoding_are_reported_or_read() {
    let mut mixed = "Titel;Beschreibung\nBäume;größer, höher, weiter, früher, später, Äste, Öl, über, süß, Maß, heiß, grün, blöd, fünf, zwölf, Tür, Öde, Ähre, Füße, Höhe, müde\nX;".to_owned().into_bytes();
    mixed.extend(b"Stra\xdfe\n");
    let report = import(&soest(), "a.csv", &mixed, options("x")).await;
    let hints = sentences(&report.hints);
    assert!(hints.contains("Zeile 3") && hints.contains("(Spalte B) enthält ein Zeichen"), "{hints}");
    let node = soest();
    import(&node, "a.csv", b"Titel\nB\x84ume und Str\x84ucher\n", options("x")).await;
    assert_eq!(records(&node)[0].dataset.title.de.as_ref().unwrap().as_str(), "Bäume und Sträucher");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_record_cannot_hold_is_kept_and_asked() {
    let long = "x".repeat(5_000);
    let file =
        format!("Titel;Tags;HVD;Farbe;Form\nBäume;Baum, {long};vielleicht;{0};{0}\n", "n".repeat(16_000));
    let node = soest();
    let report = import(&node, "a.csv", file.as_bytes(), options("x")).await;
    assert_eq!(counts(&report), [1, 0, 0, 0], "{}", sentences(&report.problems));
    let tasks: Vec<String> =
        node.tasks_of(records(&node)[0].dataset.id).unwrap().into_iter().map(|task| task.field).collect();
    for field in ["keywords/de", "hvd", "internal/notes"] {
        assert!(tasks.iter().any(|task| task == field), "{field}: {tasks:?}");
    }
    let rows: String = (0..600).map(|row| format!("Zeile {row};Wert\n")).collect();
    let form = format!("Titel;Bäume\nBeschreibung;x\nThema;Umwelt\n{rows}");
    let said = fault("a.csv", form.as_bytes()).await;
    assert!(said.contains("in mehr als 500 Zeilen"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_of_too_many_sheets_is_refused() {
    let mut book = Workbook::new();
    for number in 0..501 {
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "Titel").unwrap();
        sheet.write_string(1, 0, format!("Datensatz {number}")).unwrap();
    }
    let said = fault("a.xlsx", &book.save_to_buffer().unwrap()).await;
    assert!(said.contains("501 Blätter"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_cells_of_several_columns_and_broken_formulas_are_seen() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in (0..).zip(["Fachbereich", "Team", "Titel", "Beschreibung"]) {
        sheet.write_string(0, column, name).unwrap();
    }
    sheet.merge_range(1, 0, 2, 1, "Tiefbau", &Format::new()).unwrap();
    for (row, title) in (1..).zip(["Brücken", "Radwege"]) {
        sheet.write_string(row, 2, title).unwrap();
    }
    sheet.write_formula(2, 3, rust_xlsxwriter::Formula::new("=A99").set_result("#REF!")).unwrap();
    let node = soest();
    let report = import(&node, "a.xlsx", &book.save_to_buffer().unwrap(), options("x")).await;
    assert_eq!(counts(&report), [2, 0, 0, 0]);
    assert!(records(&node).iter().all(|one| one.dataset.department.as_ref().unwrap().as_str() == "Tiefbau"));
    let hints = sentences(&report.hints);
    assert!(hints.contains("Zeile 3") && hints.contains("„#REF!“ (Spalte D) ist ein Fehler"), "{hints}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_sheets_is_called_the_file() {
    let form = "Titel;\nBeschreibung;Was es ist\nThema;Umwelt\nLizenz;keine Ahnung\n";
    for (name, bytes) in [("a.csv", form.as_bytes().to_vec()), ("a.xlsx", files::forms_xlsx(&["Bäume"]))] {
        let report = import(&soest(), name, &bytes, options("x")).await;
        let said = [sentences(&report.problems), sentences(&report.hints)].concat();
        assert!(!said.contains("Blatt „“"), "{said}");
        assert_eq!(report.read(), 1);
    }
}
