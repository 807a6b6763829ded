//! Other catalogs: once by their file or address, and again and again as
//! sources, also when a node is killed in the middle.

use std::path::Path;

use serde_json::{Value, json};

use crate::binary::hanse;
use crate::importing::{counts, report};
use crate::serving::serving;
use crate::source::{Source, turtle};
use crate::wait::until_blocking;

/// Records of a source that takes a while.
const RECORDS: u32 = 6_000;

fn town(at: &Path) {
    hanse("init --dir {}/t --town soest --ags 05974040", at).done();
}

fn total(at: &Path) -> Value {
    hanse("list --dir {}/t --limit 1 --json", at).json()["total"].clone()
}

/// What an import says, with its exit code.
fn imported(at: &Path, line: &str) -> (Option<i32>, Value) {
    let said = hanse(&format!("import --dir {{}}/t --json --lang en {line}"), at);
    (said.code, report(&said))
}

/// How a source stands that has a problem, which the exit code says.
fn troubled(at: &Path, action: &str) -> Value {
    let said = hanse(&format!("source {action} --dir {{}}/t portal --json"), at);
    assert_eq!(said.code, Some(1), "{said:#?}");
    report(&said)
}

#[test]
fn a_catalog_in_a_file_comes_in_record_by_record_and_changes_nothing_again() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    let text = turtle(1..=3, None).replace("dct:title \"Datensatz 2\"@de", "dct:description \"x\"@de");
    std::fs::write(at.join("catalog.ttl"), &text).expect("a file");
    let (code, rehearsal) = imported(at, "--dry-run {}/catalog.ttl");
    assert_eq!((code, counts(&rehearsal), total(at)), (Some(1), [2, 0, 0, 1], json!(0)));
    let (code, said) = imported(at, "{}/catalog.ttl");
    assert_eq!((code, counts(&said)), (Some(1), [2, 0, 0, 1]));
    let problem = &said["problems"][0];
    assert_eq!(
        (&problem["where"], &problem["field"]),
        (&json!("https://quelle.example/d/2"), &json!("dct:title"))
    );
    assert_eq!(imported(at, "{}/catalog.ttl").1["unchanged"], 2);
    assert_eq!(hanse("list --dir {}/t --class closed --json", at).json()["total"], 2);

    std::fs::write(at.join("catalog.ttl"), &text[..text.len() - 20]).expect("a file");
    let (code, said) = imported(at, "{}/catalog.ttl");
    assert!(code == Some(2) && said["problems"][0]["reason"].to_string().contains("line 7"), "{said}");
    assert_eq!(total(at), 2);
}

#[test]
fn an_address_is_fetched_once_recognised_and_taken_whole_or_not_at_all() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    let source = Source::start();
    let url = |path: &str| format!("--allow-private {}{path}", source.base);
    source.set("/catalog", "text/turtle", turtle([1, 2], Some("/catalog?page=2")));

    let (code, said) = imported(at, &format!("{}/catalog", source.base));
    assert!(code == Some(2) && said["problems"][0]["reason"].to_string().contains("address of the house"));
    let (code, said) = imported(at, &url("/catalog"));
    assert!(code == Some(2) && said["problems"][0]["reason"].to_string().contains("page 2"), "{said}");
    source.silence("/catalog?page=2");
    assert_eq!(imported(at, &url("/catalog")).0, Some(2));
    source.set("/catalog?page=2", "text/html", "<!DOCTYPE html><p>Wartung</p>");
    assert_eq!((imported(at, &url("/catalog")).0, total(at)), (Some(2), json!(0)), "half a catalog is none");

    source.set("/catalog?page=2", "text/turtle", turtle([3], None));
    let (code, said) = imported(at, &format!("--dry-run {}", url("/catalog")));
    assert_eq!((code, counts(&said), total(at)), (Some(0), [3, 0, 0, 0], json!(0)));
    assert_eq!(counts(&imported(at, &url("/catalog")).1), [3, 0, 0, 0]);
    assert_eq!(counts(&imported(at, &url("/catalog")).1), [0, 0, 3, 0], "the same again changes nothing");

    let package = |n: u32| json!({"id": format!("paket-{n}"), "title": format!("Paket {n}")});
    let answer = json!({"success": true, "result": {"count": 2, "results": [package(1), package(2)]}});
    let search = "/api/3/action/package_search?sort=id+asc&rows=100&start=0";
    source.set(search, "application/json", answer.to_string());
    assert_eq!(counts(&imported(at, &url("/")).1), [2, 0, 0, 0]);
    assert_eq!(counts(&imported(at, &url("/api/3/action/package_search")).1), [0, 0, 2, 0]);
    source.set("/tabelle", "text/csv; charset=utf-8", "Titel;Thema\nBäume;Umwelt\n;Verkehr\n");
    let (code, said) = imported(at, &url("/tabelle"));
    assert_eq!((code, counts(&said)), (Some(1), [1, 0, 0, 1]));
    hanse("list --dir {}/t --export {}/liste.xlsx", at).done();
    source.set(
        "/liste?als=xlsx",
        "application/octet-stream",
        std::fs::read(at.join("liste.xlsx")).expect("a table"),
    );
    let (code, said) = imported(at, &url("/liste?als=xlsx"));
    assert_eq!((code, &said["created"]), (Some(0), &json!(0)), "our own table doubles nothing: {said}");
    assert_eq!(counts(&imported(at, &url("/liste?als=xlsx")).1), [0, 0, 6, 0]);
    assert_eq!(total(at), 6);
}

#[test]
fn what_is_no_address_or_no_catalog_is_refused_with_words() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    let source = Source::start();
    source.set("/seite", "text/html", "<!DOCTYPE html><p>Willkommen</p>");
    source.set("/leer", "text/turtle", "");
    source.set("/sack.zip", "application/zip", b"7z\xbc\xaf\x27\x1c".to_vec());
    for (path, word) in
        [("/seite", "web page"), ("/leer", "empty"), ("/sack.zip", "packed"), ("/nirgends", "error 404")]
    {
        let (code, said) = imported(at, &format!("--allow-private {}{path}", source.base));
        let reason = said["problems"][0]["reason"].to_string();
        assert!(code == Some(2) && reason.contains(word), "{path}: {said}");
    }
    hanse("import --dir {}/t https://nutzer:geheim@a.example/", at).refused(2, &["credentials"]);
    hanse("import --dir {}/t --allow-private {}/datei.ttl", at).refused(2, &["go with an address"]);
    assert_eq!(total(at), 0);
}

#[test]
fn a_source_is_added_asked_confirmed_and_removed() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    let source = Source::start();
    source.set("/catalog.ttl", "text/turtle", turtle(1..=20, None));
    let add = format!("source add --dir {{}}/t portal {}/catalog.ttl --every 86400", source.base);
    hanse("source add --dir {}/t Portal https://a.example/x.ttl", at).refused(2, &["Portal", "a–z"]);
    hanse("source add --dir {}/t portal ftp://a.example/", at).refused(2, &["ftp://a.example/", "https://"]);
    hanse(&add, at).done();
    hanse(&add, at).refused(1, &["a source `portal` already"]);
    let listed = hanse("source list --dir {}/t --json", at).json();
    assert_eq!((&listed[0]["spec"]["name"], &listed[0]["spec"]["kind"]), (&json!("portal"), &json!("rdf")));

    let refused = troubled(at, "run");
    assert!(refused["problem"]["en"].to_string().contains("address of the house"), "{refused}");
    hanse("source remove --dir {}/t portal", at).done();
    hanse(&format!("{add} --allow-private"), at).done();
    let ran = hanse("source run --dir {}/t portal --json", at).json();
    assert_eq!(
        (&ran["counts"]["created"], &ran["problem"], total(at)),
        (&json!(20), &Value::Null, json!(20))
    );

    hanse("source confirm --dir {}/t portal", at).refused(1, &["no deletions wait"]);
    source.set("/catalog.ttl", "text/turtle", turtle(1..=5, None));
    let ran = troubled(at, "run");
    assert_eq!((&ran["awaiting"], total(at)), (&json!(15), json!(20)), "many deletions ask a person");
    assert_eq!(troubled(at, "show")["awaiting"], 15);
    let words = hanse("source show --dir {}/t portal", at);
    assert!(words.code == Some(1) && words.out.contains("hanse source confirm"), "{words:#?}");
    assert!(hanse("source confirm --dir {}/t portal", at).done().contains("15 deletions are allowed"));
    let ran = hanse("source run --dir {}/t portal --json", at).json();
    assert_eq!((&ran["counts"]["deleted"], total(at)), (&json!(15), json!(5)));
    hanse("source remove --dir {}/t portal", at).done();
    assert_eq!(total(at), 5, "the records of a source that is removed stay");
    for line in ["show", "run", "confirm", "remove"] {
        hanse(&format!("source {line} --dir {{}}/t portal"), at).refused(1, &["no source `portal`"]);
    }
}

#[test]
fn what_a_source_says_is_shown_beside_the_towns_own_word() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    std::fs::write(at.join("liste.csv"), "Titel;Kennung;Thema\nBäume;b-1;Umwelt\n").expect("a file");
    hanse("import --dir {}/t {}/liste.csv", at).done();
    hanse("edit --dir {}/t b-1 --set title.de=Baumkataster --set licence=cc-zero", at).done();
    std::fs::write(at.join("liste.csv"), "Titel;Kennung;Thema\nGehölze;b-1;Umwelt\n").expect("a file");
    hanse("import --dir {}/t {}/liste.csv", at).done();
    let shown = hanse("show --dir {}/t b-1 --json", at).json();
    assert_eq!(shown["title"]["de"], "Baumkataster", "the town's word stays");
    let source = &shown["sources"][0];
    assert_eq!((&source["source"], &source["place"]), (&json!("liste"), &json!("Zeile 2")), "{shown}");
    let licence = json!("http://dcat-ap.de/def/licenses/cc-zero");
    assert_eq!(
        source["differs"],
        json!([{"field": "licence", "source": null, "own": licence},
            {"field": "title", "source": {"de": "Gehölze"}, "own": {"de": "Baumkataster"}}])
    );
    let words = hanse("show --dir {}/t b-1", at).done();
    assert!(words.contains("From the source liste (Zeile 2") && words.contains("Gehölze"), "{words}");
}

#[test]
fn a_killed_harvest_is_run_again_and_nothing_is_half_or_double() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let source = Source::start();
    source.set("/catalog.ttl", "text/turtle", turtle(1..=RECORDS, None));
    let mut node = serving(&at.join("t"));
    hanse(
        &format!("source add --dir {{}}/t portal {}/catalog.ttl --allow-private --every 3600", source.base),
        at,
    )
    .done();
    until_blocking("some records to be in", || (total(at).as_u64()? > 300).then_some(()));
    let seen = hanse("source show --dir {}/t portal --json", at).json();
    node.kill();
    assert!(
        seen["running"].is_object() || seen["counts"]["created"] == RECORDS,
        "its state is readable: {seen}"
    );

    let left = hanse("source show --dir {}/t portal --json", at).json();
    assert!(left.get("running").is_none() && left["next"].is_number(), "nothing hangs: {left}");
    let again = hanse("source run --dir {}/t portal --json", at).json();
    let count = |name: &str| again["counts"][name].as_u64().expect("a number");
    assert_eq!(count("created") + count("unchanged"), u64::from(RECORDS), "nothing is half: {again}");
    assert!(count("unchanged") > 300 && count("changed") == 0, "what was in stayed in: {again}");
    assert_eq!(total(at), RECORDS, "nothing is double");
}
