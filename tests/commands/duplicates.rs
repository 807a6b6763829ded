//! Records that seem to be the same: hinted while they come in, listed, decided.

use serde_json::Value;

use crate::binary::hanse;

#[test]
fn an_inventory_is_compared_with_what_there_is_and_a_person_decides() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    hanse("init --dir {}/t --town soest --ags 05974040", at).done();
    std::fs::write(at.join("alt.csv"), "Titel;Thema\nBebauungspläne 2022;Regionen\nHydranten;Umwelt\n")
        .expect("a file");
    std::fs::write(
        at.join("neu.csv"),
        "Titel;Thema\nBebauungspläne Soest 2023;Regionen\nHydrant der Stadt Soest;Umwelt\n",
    )
    .expect("a file");
    hanse("import --dir {}/t {}/alt.csv", at).done();

    let rehearsal = hanse("import --dir {}/t --dry-run --json --lang en {}/neu.csv", at).json();
    let hints = rehearsal["hints"].as_array().expect("hints");
    let duplicates: Vec<&Value> = hints.iter().filter(|hint| hint["kind"] == "duplicate").collect();
    assert_eq!(duplicates.len(), 1, "another year is another thing: {hints:#?}");
    let reason = duplicates[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("`Hydranten`") && reason.contains("titles 100 % alike"), "{reason}");

    hanse("import --dir {}/t {}/neu.csv", at).done();
    let pairs = hanse("duplicates list --dir {}/t --json", at).json();
    assert_eq!((&pairs["total"], &pairs["records"]), (&1.into(), &4.into()), "{pairs:#}");
    let [one, other] = ["record", "other"].map(|name| pairs["items"][0][name]["id"].as_str().expect("an id"));
    let shown = hanse("duplicates list --dir {}/t --scope town", at).done();
    assert!(
        shown.contains("Hydrant der Stadt Soest") && shown.contains("1 of 1 pairs among 4 records"),
        "{shown}"
    );
    assert_eq!(hanse(&format!("duplicates different --dir {{}}/t {one} {one}"), at).code, Some(2));
    hanse(&format!("duplicates different --dir {{}}/t {one} {other}"), at).done();
    let left = hanse("duplicates list --dir {}/t --json", at).json();
    assert_eq!(left["total"], 0);
    hanse(&format!("duplicates different --dir {{}}/t {other} {one} --undo"), at).done();
    assert_eq!(hanse("duplicates list --dir {}/t --json", at).json()["total"], 1);
}

#[test]
fn a_row_that_comes_again_meets_the_record_that_was_kept() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    hanse("init --dir {}/t --town soest --ags 05974040", at).done();
    let file = |name: &str, text: &str| std::fs::write(at.join(name), text).expect("a file");
    file("bau.csv", "Kennung;Titel;Aktualisierungsfrequenz\nbau-7;Hydranten;täglich\n");
    file("feuerwehr.csv", "Kennung;Titel;Beschreibung\nfw-3;Löschwasser;Hydranten und Zisternen.\n");
    for name in ["bau", "feuerwehr"] {
        hanse(&format!("import --dir {{}}/t {{}}/{name}.csv"), at).done();
    }
    let said = hanse("duplicates merge --dir {}/t bau-7 fw-3 --take-over description", at).done();
    assert!(said.contains("thrown away"), "{said}");
    let kept = hanse("show --dir {}/t bau-7 --json", at).json();
    assert_eq!(kept["description"]["de"], "Hydranten und Zisternen.");
    let sources = hanse("duplicates lead --dir {}/t bau-7 --json", at).json();
    assert_eq!(sources["sources"], serde_json::json!(["bau", "feuerwehr"]));

    // The same again, and under another source's name: nothing comes twice.
    let counts = |said: Value| ["created", "changed"].map(|name| said[name].as_u64().expect("a number"));
    assert_eq!(counts(hanse("import --dir {}/t --json {}/feuerwehr.csv", at).json()), [0, 0]);
    let stranger = hanse("import --dir {}/t --source kreis --json {}/feuerwehr.csv", at).json();
    assert_eq!(counts(stranger)[0], 0);
    assert_eq!(hanse("list --dir {}/t --json", at).json()["total"], 1);

    // Whose word counts: the other's is not carried over any more.
    assert_eq!(hanse("duplicates lead --dir {}/t bau-7 wasserwerk", at).code, Some(2));
    let led = hanse("duplicates lead --dir {}/t bau-7 bau --json", at).json();
    assert_eq!((&led["leading"], &led["source"]), (&"source".into(), &"bau".into()));
    file("feuerwehr.csv", "Kennung;Titel;Beschreibung\nfw-3;Löschwasser;Nur noch Hydranten.\n");
    let report = hanse("import --dir {}/t --json --lang en {}/feuerwehr.csv", at).json();
    assert_eq!(counts(report.clone()), [0, 0], "{report:#}");
    assert!(report["hints"][0]["reason"].as_str().is_some_and(|text| text.contains("leading source `bau`")));
    file("bau.csv", "Kennung;Titel;Aktualisierungsfrequenz\nbau-7;Hydranten;monatlich\n");
    assert_eq!(counts(hanse("import --dir {}/t --json {}/bau.csv", at).json()), [0, 1]);
    let kept = hanse("show --dir {}/t bau-7 --json", at).json();
    assert_eq!(
        (&kept["frequency"], &kept["description"]["de"]),
        (&"MONTHLY".into(), &"Hydranten und Zisternen.".into())
    );
    hanse("duplicates lead --dir {}/t bau-7 --nobody", at).done();
    file("feuerwehr.csv", "Kennung;Titel;Beschreibung\nfw-3;Löschwasser;Hydranten, Zisternen, Teiche.\n");
    hanse("import --dir {}/t --json {}/feuerwehr.csv", at).json();
    let shown = hanse("duplicates lead --dir {}/t bau-7", at).done();
    assert!(shown.contains("sources: bau, feuerwehr") && shown.contains("leading: -"), "{shown}");
}
