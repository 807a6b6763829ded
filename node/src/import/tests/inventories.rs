//! Inventories as offices fill them in.

use crdt::vocabulary::{List, Vocabularies, Vocabulary};

use super::*;
use crate::import::inventory::csv_text;

const INVENTORY: &str = "\
Inventar der Stadt Soest;;;;;;;;;;;;;
;;;;;;;;;;;;;
Titel;Beschreibung;Thema;Verantworlichkeit;Ansprechperson;IT-Fachverfahren;Dateiformat;Aktualisierungsfrequenz;Ressource Link;Personenbezug;Tags;Open Data geeignet;Kommentar;Farbe
Baumkataster;\"Standorte, Baumart.
Rückfragen an Frau Dr. Meier.\";Umwelt;Grünflächen;Sabine Köster;GRIS;csv, geojson;1x jährlich;https://daten.soest.example/baum;nein;Baum, Grün;ja;läuft gut;grün
Hundesteuer;Anmeldungen;Finanzen & so;Sabine Köster;;H&H;xlsx;wenn es passt;K:\\Steuern\\hunde.xlsx;ja;;nein;veröffentlicht;
;Ohne Titel;;;;;;;;;;;;
Baumkataster;Noch einmal;;Grünflächen;;;;;;;;;;
";

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_comes_in_closed_row_by_row() {
    let node = soest();
    let report = import(&node, "inventar.csv", INVENTORY.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&report), [2, 0, 0, 2], "{}", sentences(&report.problems));
    let [trees, dogs]: [LocalRecord; 2] = records(&node).try_into().unwrap();
    assert_eq!((trees.dataset.class, dogs.dataset.class), (Class::Closed, Class::Closed));

    let public = serde_json::to_value(&trees.dataset).unwrap();
    assert_eq!(public["description"]["de"], "Standorte, Baumart.\nRückfragen an … .".replace("… .", "…"));
    assert_eq!(public["themes"], json!(["ENVI"]));
    assert_eq!(public["department"], "Grünflächen");
    assert_eq!(public["formats"], json!(["CSV", "GeoJSON"]));
    assert_eq!((&public["frequency"], &public["personal_data"]), (&json!("ANNUAL"), &json!("keiner")));
    assert_eq!(public["keywords"]["de"], json!(["Baum", "Grün"]));
    assert_eq!(public["distributions"][0]["access_url"], "https://daten.soest.example/baum");
    let internal = serde_json::to_value(&trees.internal).unwrap();
    assert_eq!(
        (&internal["source_system"], &internal["proposed_classification"]),
        (&json!("GRIS"), &json!("open"))
    );
    let notes = internal["notes"].as_str().unwrap();
    for kept in ["Ansprechperson: Sabine Köster", "Kommentar: läuft gut", "Farbe: grün", "Frau Dr. Meier"]
    {
        assert!(notes.contains(kept), "{kept}: {notes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_certain_becomes_a_task_and_persons_stay_in_the_house() {
    let node = soest();
    let report = import(&node, "inventar.csv", INVENTORY.as_bytes(), options("inventar")).await;
    let dogs = records(&node).pop().unwrap();
    let public = serde_json::to_string(&dogs.dataset).unwrap();
    for private in ["Köster", "K:\\\\", "Steuern"] {
        assert!(!public.contains(private), "{private}: {public}");
    }
    assert_eq!(dogs.dataset.frequency.as_ref().unwrap().code(), "UNKNOWN");
    let mut tasks: Vec<String> =
        node.tasks_of(dogs.dataset.id).unwrap().into_iter().map(|task| task.field).collect();
    tasks.sort();
    assert_eq!(tasks, ["frequency", "themes"]);
    let hints = sentences(&report.hints);
    for said in [
        "Zeile 5, Spalte H „Aktualisierungsfrequenz“: frequency „wenn es passt“",
        "Zeile 5, Spalte I „Ressource Link“: internal/notes „K:\\Steuern\\hunde.xlsx“ ist ein Ablageort und bleibt im Haus",
        "Zeile 5, Spalte D „Verantworlichkeit“: department „Sabine Köster“ nennt vermutlich eine Person",
        "Zeile 3: internal/notes „Farbe“ (Spalte N) ist als Spalte nicht bekannt",
    ] {
        assert!(hints.contains(said), "{said}\n---\n{hints}");
    }
    // Editing the field is doing the task.
    let edit = RecordEdit::parse(&json!({"frequency": "IRREG"})).unwrap();
    node.edit(dogs.dataset.id, edit, None).await.unwrap();
    assert_eq!(node.tasks_of(dogs.dataset.id).unwrap().len(), 1);
    node.delete(dogs.dataset.id).await.unwrap();
    assert!(node.tasks_of(dogs.dataset.id).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_name_row_and_column_in_german_and_can_be_mended() {
    let node = soest();
    let report = import(&node, "inventar.csv", INVENTORY.as_bytes(), options("inventar")).await;
    let problems = sentences(&report.problems);
    assert!(problems.contains("Zeile 6: title „“ fehlt; einen Titel eintragen"), "{problems}");
    assert!(
        problems.contains("Zeile 7, Spalte A „Titel“: title „baumkataster“ steht schon in: Zeile 4"),
        "{problems}"
    );

    let mended = report
        .rejected_csv()
        .replace(";Ohne Titel;", "Brunnen;Ohne Titel;")
        .replace("Baumkataster;Noch", "Bänke;Noch");
    let again = import(&node, "mend.csv", mended.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&again), [2, 0, 0, 0], "{}", sentences(&again.problems));
    assert_eq!(records(&node).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_changes_nothing_and_a_new_one_only_what_is_new() {
    let node = soest();
    import(&node, "inventar.csv", INVENTORY.as_bytes(), options("inventar")).await;
    let before = records(&node);
    let again = import(&node, "inventar.csv", INVENTORY.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&again), [0, 0, 2, 2]);
    assert_eq!(records(&node), before);

    let edit = RecordEdit::parse(&json!({"description": "Im Haus verbessert."})).unwrap();
    node.edit(before[0].dataset.id, edit, None).await.unwrap();
    let newer = INVENTORY.replace("1x jährlich", "monatlich").replace("Standorte, Baumart.", "Standorte.");
    let report = import(&node, "inventar_neu.csv", newer.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&report), [0, 1, 1, 2]);
    let trees = &records(&node)[0];
    assert_eq!(trees.dataset.frequency.as_ref().unwrap().code(), "MONTHLY");
    assert_eq!(trees.dataset.description.de.as_ref().unwrap().as_str(), "Im Haus verbessert.");
    let tasks = node.tasks_of(trees.dataset.id).unwrap();
    assert!(
        tasks.iter().any(|task| task.field == "description/de" && task.text.de.contains("sagt jetzt")),
        "{tasks:?}"
    );
    let settled = import(&node, "inventar_neu.csv", newer.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&settled), [0, 0, 2, 2], "a difference is told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_and_all_or_nothing_write_nothing() {
    let node = soest();
    let rehearsal = ImportOptions { dry_run: true, ..options("inventar") };
    let report = import(&node, "inventar.csv", INVENTORY.as_bytes(), rehearsal).await;
    assert_eq!((counts(&report), report.dry_run), ([2, 0, 0, 2], true));
    let strict = ImportOptions { all_or_nothing: true, ..options("inventar") };
    let report = import(&node, "inventar.csv", INVENTORY.as_bytes(), strict.clone()).await;
    assert_eq!((counts(&report), report.withheld), ([0, 0, 0, 2], true));
    assert!(records(&node).is_empty() && node.tasks(0, 10).unwrap().0.is_empty());
    let whole = "Titel;Thema\nBäume;Umwelt\n";
    let report = import(&node, "inventar.csv", whole.as_bytes(), strict).await;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn encodings_separators_and_workbooks_say_the_same() {
    let rows: [&[&str]; 3] =
        [&["Titel", "Thema", "Tags"], &["Bäume; große", "Umwelt", "Öl, Äste"], &["Straßen", "Verkehr", ""]];
    let csv = |separator: &str| {
        let quoted = |cell: &&str| format!("\"{cell}\"");
        let line = |row: &&[&str]| row.iter().map(quoted).collect::<Vec<_>>().join(separator) + "\r\n";
        rows.iter().map(line).collect::<String>()
    };
    let utf16: Vec<u8> =
        b"\xff\xfe".iter().copied().chain(csv("\t").encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let latin = csv(";").chars().map(|c| c as u8).collect::<Vec<u8>>();
    let ods = files::ods(&rows.iter().map(|row| files::ods_row(row)).collect::<String>());
    let all: [(&str, Vec<u8>); 7] = [
        ("a.csv", csv(";").into()),
        ("b.csv", csv(",").into()),
        ("c.tsv", csv("\t").into()),
        ("d.csv", latin),
        ("e.csv", utf16),
        ("f.xlsx", files::xlsx(&rows)),
        ("g.ods", ods),
    ];
    let node = soest();
    for (number, (name, bytes)) in all.iter().enumerate() {
        let report = import(&node, name, bytes, options("inventar")).await;
        let expected = if number == 0 { [2, 0, 0, 0] } else { [0, 0, 2, 0] };
        assert_eq!(counts(&report), expected, "{name}: {}", sentences(&report.problems));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grown_workbook_is_understood() {
    let node = soest();
    let report = import(&node, "inventar.xlsx", &files::grown_xlsx(), options("inventar")).await;
    assert_eq!(counts(&report), [3, 0, 0, 0], "{}", sentences(&report.problems));
    let records = records(&node);
    let departments: Vec<_> =
        records.iter().map(|one| one.dataset.department.as_ref().unwrap().as_str()).collect();
    assert_eq!(departments, ["Bauordnung", "Bauordnung", "Grünflächen"], "a merged cell counts for its rows");
    let first = serde_json::to_value(&records[0].dataset).unwrap();
    assert_eq!((&first["data_modified"], &first["identifier"]), (&json!("2023-03-15"), &json!("3")));
    assert_eq!((&first["personal_data"], &first["keywords"]["de"]), (&json!("keiner"), &json!(["ab"])));
    assert!(sentences(&report.hints).contains("Blatt „Erläuterung“"), "{}", sentences(&report.hints));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_can_describe_one_dataset() {
    let node = soest();
    let report =
        import(&node, "inventar.xlsx", &files::forms_xlsx(&["Bäume", "Brunnen"]), options("inventar")).await;
    assert_eq!(counts(&report), [2, 0, 0, 0], "{}", sentences(&report.problems));
    let trees = &records(&node)[1];
    assert_eq!(trees.dataset.frequency.as_ref().unwrap().code(), "ANNUAL");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_kept_for_its_source_and_can_be_changed() {
    let node = soest();
    let file = "Was;Titel\nBäume;egal\n";
    import(&node, "a.csv", file.as_bytes(), options("a")).await;
    let kept = node.mapping(&SourceName::new("a")).unwrap().unwrap();
    assert_eq!(
        kept.columns,
        [("Was".to_owned(), None), ("Titel".to_owned(), Some("title".to_owned()))].into()
    );

    let columns = [("Was".to_owned(), Some("title".to_owned())), ("Titel".to_owned(), None)].into();
    node.keep_mapping(SourceName::new("b"), Mapping { columns, head: Vec::new() }).await.unwrap();
    import(&node, "b.csv", file.as_bytes(), options("b")).await;
    let titles: Vec<_> =
        records(&node).iter().map(|one| one.dataset.title.de.as_ref().unwrap().to_string()).collect();
    assert_eq!(titles, ["Bäume", "egal"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_names_columns_that_the_import_knows() {
    let node = soest();
    for (form, name) in [(SheetForm::Csv, "a.csv"), (SheetForm::Xlsx, "a.xlsx")] {
        let ended =
            ended(&node, name, &template(form, Vocabularies::builtin()).unwrap(), options("vorlage")).await;
        let ImportState::Unreadable(fault) = ended else { panic!("{ended:?}") };
        assert!(fault.reason.de.contains("keinen Datensatz"), "its head is known: {}", fault.reason.de);
    }
    let filled = [template_head(), vec!["Bäume".into(), "=HYPERLINK(\"https://a.example\")".into()]];
    let text = csv_text(filled);
    assert!(text.contains("'=HYPERLINK"), "a spreadsheet would not run it: {text}");
    let report = import(&node, "a.csv", text.as_bytes(), options("vorlage")).await;
    assert_eq!(counts(&report), [1, 0, 0, 0], "{}", sentences(&report.problems));
    assert!(sentences(&report.hints).is_empty(), "no column is unknown: {}", sentences(&report.hints));
    let description = records(&node)[0].dataset.description.de.as_ref().unwrap().to_string();
    assert_eq!(description, "=HYPERLINK(\"https://a.example\")");
}

/// What the template offers to choose from, column by column.
fn choices(lists: &Vocabularies) -> Vec<Vec<String>> {
    let bytes = template(SheetForm::Xlsx, lists).unwrap();
    let mut book =
        calamine::open_workbook_from_rs::<calamine::Xlsx<_>, _>(std::io::Cursor::new(bytes)).unwrap();
    let range = calamine::Reader::worksheet_range(&mut book, "Auswahl").unwrap();
    let column = |column| {
        let cells = (0..).map_while(|row| range.get_value((row, column)).map(ToString::to_string));
        cells.filter(|cell| !cell.is_empty()).collect()
    };
    (0..u32::try_from(range.width()).unwrap()).map(column).collect()
}

#[test]
fn the_template_offers_the_words_of_the_towns_own_lists() {
    let builtin = choices(Vocabularies::builtin());
    assert_eq!(builtin.len(), 5);
    let [frequencies, licences] = ["jährlich", "Datenlizenz Deutschland – Zero – Version 2.0"]
        .map(|word| builtin.iter().find(|column| column.iter().any(|one| one.contains(word))));
    let (frequencies, licences) = (frequencies.unwrap(), licences.unwrap());
    assert_eq!((frequencies.len(), licences.len()), (11, 4));

    let mut lists = Vocabularies::builtin().clone();
    let text = List::Licences.builtin_text();
    assert!(text.contains(&licences[0]));
    lists.replace(
        Vocabulary::parse(List::Licences, &text.replacen(&licences[0], "Frei, ohne Auflagen", 1)).unwrap(),
    );
    let own = choices(&lists);
    let offered = own.iter().find(|column| column.iter().any(|one| one == "Frei, ohne Auflagen")).unwrap();
    assert!(
        offered.len() > licences.len() && offered.contains(&licences[1]),
        "all of an own list: {offered:?}"
    );
    assert!(!own.iter().flatten().any(|one| *one == licences[0]));
    assert!(own.contains(frequencies), "another list is as before");
}

fn template_head() -> Vec<String> {
    crate::import::inventory::template_columns().map(|(name, _)| name.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_catalog_are_refused_for_their_own_reasons() {
    let node = soest();
    let list = br#"[{"name": "Boden"}, {"id": "x", "title": "Baumkataster"}]"#;
    let report = import(&node, "liste.json", list, options("liste")).await;
    assert_eq!(counts(&report), [1, 0, 0, 1], "{}", sentences(&report.problems));
    assert!(sentences(&report.problems).starts_with("Boden: title"), "{}", sentences(&report.problems));
    let nameless = br#"[{"title": "Boden"}, {"title": "Luft"}]"#;
    let nameless = import(&node, "worte.json", nameless, options("worte")).await;
    assert_eq!(counts(&nameless), [0, 0, 0, 2]);
    let problems = sentences(&nameless.problems);
    assert!(problems.contains("dcat:Dataset 2: id „“ fehlt"), "{problems}");
}
