//! The next version of a file: what is the same row, and what is another.

use super::*;

const BEFORE: &str = "\
Titel;Beschreibung;Thema
Baumkatster;Alle Bäume der Stadt;Umwelt
Hundesteuer;Anmeldungen je Jahr;Finanzen
Spielplätze;Standorte mit Geräten;Soziales
";

/// Imports `before`, then `after`, of one source; titles afterwards and the report.
async fn versions(before: &str, after: &str) -> (Arc<Report>, Vec<String>) {
    let node = soest();
    import(&node, "inventar.csv", before.as_bytes(), options("inventar")).await;
    let rehearsal = ImportOptions { dry_run: true, ..options("inventar") };
    let foreseen = import(&node, "inventar.csv", after.as_bytes(), rehearsal).await;
    let report = import(&node, "inventar.csv", after.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&foreseen), counts(&report), "the rehearsal says what happens");
    let settled = import(&node, "inventar.csv", after.as_bytes(), options("inventar")).await;
    let [_, _, unchanged, rejected] = counts(&settled);
    assert_eq!([0, 0, unchanged, rejected], counts(&settled), "the second time nothing is new");
    let titles = records(&node).into_iter().map(|one| one.dataset.title.de.unwrap().to_string()).collect();
    (report, titles)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mended_title_is_a_change() {
    let (report, titles) = versions(BEFORE, &BEFORE.replace("Baumkatster", "Baumkataster")).await;
    assert_eq!(counts(&report), [0, 1, 2, 0], "{}", sentences(&report.problems));
    assert_eq!(titles, ["Baumkataster", "Hundesteuer", "Spielplätze"]);
    assert!(sentences(&report.hints).contains("„Baumkatster“"), "{}", sentences(&report.hints));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_renamed_a_column_and_a_kennung_added_are_changes() {
    let with = |column: &str, values: [&str; 3]| {
        let mut lines = BEFORE.lines();
        let head = format!("{};{column}\n", lines.next().unwrap());
        lines.zip(values).fold(head, |text, (line, value)| format!("{text}{line};{value}\n"))
    };
    let offices = with("Verantwortlichkeit", ["Grünflächenamt", "Kämmerei", "Jugendamt"]);
    let (report, titles) = versions(BEFORE, &offices).await;
    assert_eq!((counts(&report), titles.len()), ([0, 3, 0, 0], 3), "column added");

    let renamed = offices.replace("Grünflächenamt", "Fachbereich Stadtgrün");
    let (report, titles) = versions(&offices, &renamed).await;
    assert_eq!((counts(&report), titles.len()), ([0, 1, 2, 0], 3), "office renamed");

    let named = with("Kennung", ["soest-1", "soest-2", "soest-3"]);
    let (report, titles) = versions(BEFORE, &named).await;
    assert_eq!((counts(&report), titles.len()), ([0, 0, 3, 0], 3), "Kennung added");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_changed_places_are_the_same() {
    let mut lines: Vec<&str> = BEFORE.lines().collect();
    lines.swap(1, 3);
    let (report, titles) = versions(BEFORE, &lines.join("\n")).await;
    assert_eq!((counts(&report), titles.len()), ([0, 0, 3, 0], 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_deleted_and_another_added_are_two_records() {
    for (gone, new) in [
        ("Baumkatster;Alle Bäume der Stadt;Umwelt", "Brunnen;Trinkwasser im Park;Umwelt"),
        ("Hundesteuer;Anmeldungen je Jahr;Finanzen", "Haushalt 2025;Erträge;Finanzen"),
    ] {
        let (report, titles) = versions(BEFORE, &BEFORE.replace(gone, new)).await;
        assert_eq!((counts(&report), titles.len()), ([1, 0, 2, 0], 4), "{new}");
    }
    let years = "Titel\nHaushalt 2023\nBäume\n";
    let (report, titles) = versions(years, &years.replace("2023", "2024")).await;
    assert_eq!((counts(&report), titles.len()), ([1, 0, 1, 0], 3), "another year is another list");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sure_is_asked_and_a_kennung_answers() {
    let before = "Titel;Beschreibung;Verantwortlichkeit;Kennung\nStraßenbäume;Bäume an Straßen;Grün;\nBrunnen;Wasser;Tiefbau;\n";
    let after = before.replace("Straßenbäume;Bäume an Straßen;Grün", "Straßenräume;Breite der Wege;Grün");
    let node = soest();
    import(&node, "inventar.csv", before.as_bytes(), options("inventar")).await;
    let report = import(&node, "inventar.csv", after.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&report), [0, 0, 1, 1]);
    let asked = sentences(&report.problems);
    let record = records(&node).pop().unwrap();
    let identifier = record.dataset.identifier.unwrap().to_string();
    for said in ["„Straßenräume“", "„Straßenbäume“", &identifier] {
        assert!(asked.contains(said), "{said}: {asked}");
    }
    let own = after.replace("Wege;Grün;", "Wege;Grün;raum-1");
    let report = import(&node, "inventar.csv", own.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&report), [1, 0, 1, 0], "a Kennung of its own: another record");

    let node = soest();
    import(&node, "inventar.csv", before.as_bytes(), options("inventar")).await;
    let identifier = records(&node).pop().unwrap().dataset.identifier.unwrap().to_string();
    let same = after.replace("Wege;Grün;", &format!("Wege;Grün;{identifier}"));
    let report = import(&node, "inventar.csv", same.as_bytes(), options("inventar")).await;
    assert_eq!((counts(&report), records(&node).len()), ([0, 1, 1, 0], 2), "its Kennung: the same record");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_mended_or_are_a_small_part_are_no_new_version() {
    let node = soest();
    import(&node, "inventar.csv", BEFORE.as_bytes(), options("inventar")).await;
    let mended = "Titel;Beschreibung;Thema;Fehler\nBaumkataster;Andere;;steht schon\nHundesteuern;;;x\n";
    let report = import(&node, "mend.csv", mended.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&report), [2, 0, 0, 0], "{}", sentences(&report.problems));
    let part = "Titel;Beschreibung\nSpielplätzen;Standorte mit Geräten\n";
    let report = import(&node, "teil.csv", part.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_thrown_away_does_not_come_again_unless_it_is_wanted() {
    let node = soest();
    import(&node, "inventar.csv", BEFORE.as_bytes(), options("inventar")).await;
    node.delete(records(&node)[1].dataset.id).await.unwrap();
    let newer = BEFORE.replace("Anmeldungen je Jahr", "Anmeldungen je Monat");
    let report = import(&node, "inventar.csv", newer.as_bytes(), options("inventar")).await;
    assert_eq!((counts(&report), records(&node).len()), ([0, 0, 3, 0], 2));
    let hints = sentences(&report.hints);
    assert!(hints.contains("„Hundesteuer“ wurde hier weggeworfen") && hints.contains("--again"), "{hints}");
    let wanted = ImportOptions { again: true, ..options("inventar") };
    let report = import(&node, "inventar.csv", newer.as_bytes(), wanted).await;
    assert_eq!((counts(&report), records(&node).len()), ([1, 0, 2, 0], 3));
    let settled = import(&node, "inventar.csv", newer.as_bytes(), options("inventar")).await;
    assert_eq!((counts(&settled), settled.hints.len()), ([0, 0, 3, 0], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_shows_titles_that_stand_in_the_file_several_times() {
    let file = "Titel;Kennung\nSitzungskalender;a-1\nSitzungskalender;a-2\nSitzungskalender;a-3\n";
    let node = soest();
    let rehearsal = ImportOptions { dry_run: true, ..options("inventar") };
    for options in [rehearsal, options("inventar")] {
        let report = import(&node, "inventar.csv", file.as_bytes(), options).await;
        let of_kind = |hint: &&Problem| hint.kind == Some(RemarkKind::Duplicate);
        assert_eq!(report.hints.iter().filter(of_kind).count(), 3, "{}", sentences(&report.hints));
    }
}
