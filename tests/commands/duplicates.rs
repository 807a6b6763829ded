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
