//! A catalog moves to another machine: exported whole, taken in by an empty
//! node of the same town, equal to the last byte.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::binary::hanse;
use crate::demo::copy;
use crate::importing::{counts, report};

/// Records of Soest in the catalog that comes with Hanse.
const OPEN: u64 = 5;
const CLOSED: u64 = 3;

/// An empty node of Soest in `at/new`, member of a federation of its own.
fn empty_soest(at: &Path) {
    hanse("init --dir {}/new --town soest --ags 05974040", at).done();
    hanse("init --dir {}/olpe --town olpe --ags 05966024", at).done();
    hanse("charter found --name Neu --out {}/c.json {}/new/member.json {}/olpe/member.json", at).done();
    let shown = hanse("charter show --json {}/c.json", at).json();
    let print = shown["fingerprint"].as_str().expect("a fingerprint");
    for town in ["new", "olpe", "new"] {
        hanse(&format!("charter sign {{}}/c.json --dir {{}}/{town} --fingerprint {print}"), at).done();
    }
}

/// Soest's whole catalog, as a file in `at` and as text.
fn exported(at: &Path) -> String {
    let old = copy("soest");
    let catalog =
        "catalog edit --dir {} --offline --set title.de=Stadtdaten --set contact.email=daten@soest.example";
    hanse(catalog, old.path()).done();
    hanse("export --dir {} --with-closed {}/whole.ndjson", old.path()).done();
    hanse("export --dir {} {}/open.ndjson", old.path()).done();
    for name in ["whole.ndjson", "open.ndjson"] {
        fs::copy(old.path().join(name), at.join(name)).expect("a copy");
    }
    fs::read_to_string(at.join("whole.ndjson")).expect("an export")
}

/// What the new node says of its catalog as a whole.
fn again(at: &Path, options: &str) -> String {
    hanse(&format!("export --dir {{}}/new {options} {{}}/again.ndjson"), at).done();
    fs::read_to_string(at.join("again.ndjson")).expect("an export")
}

#[test]
fn an_empty_node_and_the_export_are_an_equal_catalog() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let whole = exported(at);
    empty_soest(at);

    let rehearsal = hanse("import --dir {}/new --offline --dry-run --json {}/whole.ndjson", at);
    assert_eq!((rehearsal.code, counts(&report(&rehearsal))), (Some(0), [OPEN + CLOSED, 0, 0, 0]));
    assert_eq!(hanse("list --dir {}/new --json", at).json()["total"], 0, "a rehearsal writes nothing");

    let said = hanse("import --dir {}/new --offline --json {}/whole.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(0), [OPEN + CLOSED, 0, 0, 0]), "{said:#?}");
    assert_eq!(report(&said)["hints"], Value::Array(Vec::new()), "{said:#?}");
    assert_eq!(again(at, "--with-closed"), whole);
    let opened = hanse("list --dir {}/new --class open --json", at).json();
    assert_eq!(opened["total"], OPEN, "open records are open again");
    hanse("verify --dir {}/new", at).done();

    let said = hanse("import --dir {}/new --offline --json {}/whole.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(0), [0, 0, OPEN + CLOSED, 0]));
    assert_eq!(again(at, "--with-closed"), whole, "the same export again changes nothing");
}

#[test]
fn what_cannot_be_open_yet_waits_as_a_draft_and_opens_with_the_next_import() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let whole = exported(at);
    empty_soest(at);
    let said = hanse("import --dir {}/new --json --lang en {}/whole.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(0), [OPEN + CLOSED, 0, 0, 0]));
    let waiting = report(&said)["hints"].as_array().expect("a list").len();
    assert_eq!(waiting as u64, OPEN + 1, "the open records and the catalog itself: {said:#?}");
    assert!(said.out.contains("was published and is not open here yet"), "{said:#?}");
    assert_eq!(hanse("list --dir {}/new --class open --json", at).json()["total"], 0);

    let said = hanse("import --dir {}/new --offline --json {}/whole.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(0), [0, OPEN, CLOSED, 0]), "{said:#?}");
    assert_eq!(again(at, "--with-closed"), whole);
}

#[test]
fn an_export_for_everyone_brings_back_what_was_open_and_what_is_here_stays() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    exported(at);
    empty_soest(at);
    let said = hanse("import --dir {}/new --offline --json {}/open.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(0), [OPEN, 0, 0, 0]), "{said:#?}");
    assert_eq!(again(at, ""), fs::read_to_string(at.join("open.ndjson")).expect("an export"));

    hanse("edit --dir {}/new --offline baumkataster --set title.de=Bäume", at).done();
    let said = hanse("import --dir {}/new --offline --json --lang en {}/open.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(0), [0, 0, OPEN, 0]), "{said:#?}");
    let hints = report(&said)["hints"].clone();
    assert!(hints.to_string().contains("what is here stays"), "{hints}");
    assert_eq!(hanse("show --dir {}/new baumkataster --json", at).json()["title"]["de"], "Bäume");
}

#[test]
fn exports_of_others_cut_off_or_changed_are_refused_and_say_why() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let whole = exported(at);
    empty_soest(at);
    let nothing = |name: &str, text: &str, reason: &str| {
        fs::write(at.join(name), text).expect("a file");
        let said = hanse(&format!("import --dir {{}}/new --offline --json --lang en {{}}/{name}"), at);
        assert_eq!(said.code, Some(2), "{said:#?}");
        let problem = report(&said)["problems"][0].clone();
        assert!(problem["reason"].as_str().is_some_and(|said| said.contains(reason)), "{problem}");
        assert_eq!(hanse("list --dir {}/new --json", at).json()["total"], 0, "{name}: nothing was written");
    };
    nothing("cut.ndjson", &whole[..whole.len() / 2], "breaks off after line");
    nothing("newer.ndjson", &whole.replace("hanse export 1", "hanse export 7"), "reads `hanse export 1`");
    nothing("other.ndjson", &whole.replace("05974040", "05966024"), "the export is of Soest (05966024)");
    nothing("none.ndjson", "{}\n", "no export");

    let wrong = whole.replacen("\"status\":\"", "\"status\":\"vielleicht ", 1);
    fs::write(at.join("wrong.ndjson"), wrong).expect("a file");
    let said = hanse("import --dir {}/new --offline --json --lang en --all-or-nothing {}/wrong.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(1), [0, 0, 0, 1]), "{said:#?}");
    let said = hanse("import --dir {}/new --offline --json --lang en {}/wrong.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(1), [OPEN + CLOSED - 1, 0, 0, 1]), "{said:#?}");
    let problem = report(&said)["problems"][0].clone();
    assert_eq!(problem["field"], "status");
    assert!(problem["where"].as_str().is_some_and(|place| place.starts_with("line ")), "{problem}");
}

#[test]
fn names_of_records_that_were_given_up_go_on_leading_and_decisions_are_kept() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let old = copy("soest");
    let id = |name: &str| {
        let shown = hanse(&format!("show --dir {{}} {name} --json"), old.path()).json();
        shown["id"].as_str().expect("an id").to_owned()
    };
    let (trees, playgrounds) = (id("baumkataster"), id("spielplaetze"));
    let (register, sites) = (id("melderegister"), id("gewerbeflaechen"));
    hanse("duplicates merge --dir {} --offline baumkataster spielplaetze", old.path()).done();
    hanse("duplicates merge --dir {} --offline melderegister gewerbeflaechen", old.path()).done();
    hanse("duplicates lead --dir {} melderegister --hand", old.path()).done();
    hanse("duplicates different --dir {} melderegister aufgrabungen", old.path()).done();
    hanse("export --dir {} --with-closed {}/whole.ndjson", old.path()).done();
    hanse("export --dir {} {}/open.ndjson", old.path()).done();
    let text = |name: &str| fs::read_to_string(old.path().join(name)).expect("an export");
    let (whole, open) = (text("whole.ndjson"), text("open.ndjson"));
    assert!(whole.lines().any(|line| line.starts_with("{\"leading\":{") && line.contains("\"hand\"")));
    assert!(open.lines().any(|line| line.starts_with("{\"given_up\":{") && line.contains(&playgrounds)));
    for secret in [&sites, "alias", "leading", "different", "internal"] {
        assert!(
            whole.contains(secret) && !open.contains(&format!("\"{secret}\"")),
            "{secret} is the town's own"
        );
    }

    empty_soest(at);
    let counted = [OPEN + CLOSED - 2, 0, 0, 0];
    for (dry, counted) in [("--dry-run", counted), ("", counted), ("", [0, 0, OPEN + CLOSED - 2, 0])] {
        fs::write(at.join("whole.ndjson"), &whole).expect("a file");
        let said = hanse(&format!("import --dir {{}}/new --offline --json {dry} {{}}/whole.ndjson"), at);
        assert_eq!((said.code, counts(&report(&said))), (Some(0), counted), "{said:#?}");
        assert_eq!(report(&said)["hints"], Value::Array(Vec::new()), "{said:#?}");
    }
    assert_eq!((again(at, "--with-closed"), again(at, "")), (whole, open));
    hanse("verify --dir {}/new", at).done();
    let shown = |name: &str| hanse(&format!("show --dir {{}}/new {name} --json"), at).json()["id"].clone();
    for (name, kept) in [(&playgrounds, &trees), (&sites, &register)] {
        assert_eq!(shown(name), kept.as_str(), "an id that was given up");
    }
    let lead = hanse("duplicates lead --dir {}/new melderegister --json", at).json();
    assert_eq!(lead["leading"], "hand");
}

#[test]
fn what_was_given_up_here_since_an_export_does_not_come_back_with_it() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let whole = exported(at);
    empty_soest(at);
    hanse("import --dir {}/new --offline {}/whole.ndjson", at).done();
    hanse("duplicates merge --dir {}/new --offline melderegister gewerbeflaechen", at).done();
    let merged = again(at, "--with-closed");
    assert_ne!(merged, whole);
    let said = hanse("import --dir {}/new --offline --json --lang en {}/whole.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(0), [0, 0, OPEN + CLOSED, 0]), "{said:#?}");
    assert!(said.out.contains("is the record for which this one was given up here"), "{said:#?}");
    assert_eq!(again(at, "--with-closed"), merged);

    // A file that was changed by hand cannot lead a living record astray.
    let lines: Vec<&str> = merged.lines().collect();
    let (end, before) = lines.split_last().expect("an end");
    let id =
        hanse("show --dir {}/new baumkataster --json", at).json()["id"].as_str().expect("an id").to_owned();
    let stray =
        format!("{{\"alias\":{{\"name\":\"{id}\",\"dataset\":\"6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10\"}}}}");
    let nameless = "{\"alias\":{\"name\":7}}";
    let given_up =
        "{\"given_up\":{\"id\":\"6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10\",\"title\":{\"de\":\"Weg\"}}}";
    let changed = [before, &[stray.as_str(), nameless, given_up, end]].concat().join("\n") + "\n";
    fs::write(at.join("changed.ndjson"), changed).expect("a file");
    let said = hanse("import --dir {}/new --offline --json --lang en {}/changed.ndjson", at);
    assert_eq!((said.code, counts(&report(&said))), (Some(1), [0, 0, OPEN + CLOSED - 1, 2]), "{said:#?}");
    let fields = report(&said)["problems"].as_array().expect("a list").clone();
    let fields: Vec<&str> = fields.iter().filter_map(|problem| problem["field"].as_str()).collect();
    assert_eq!(fields, ["alias/name", "replaced_by"]);
    assert_eq!(report(&said)["hints"][0]["field"], "alias", "{said:#?}");
    assert_eq!(again(at, "--with-closed"), merged);
}
