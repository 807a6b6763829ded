//! Inventories from files: what comes in, what the report says, and what a
//! killed node or a hostile file leaves behind.

use std::path::Path;

use serde_json::Value;

use crate::binary::{Beside, Said, command, hanse};
use crate::serving::serving;
use crate::wait::until_blocking;

/// Rows of an inventory that takes a while.
const ROWS: usize = 20_000;

fn town(at: &Path) {
    hanse("init --dir {}/t --town soest --ags 05974040", at).done();
}

/// What a finished import says, whatever its exit code.
pub(crate) fn report(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:#?}"))
}

pub(crate) fn counts(report: &Value) -> [u64; 4] {
    ["created", "changed", "unchanged", "rejected"].map(|name| report[name].as_u64().expect("a number"))
}

#[test]
fn an_inventory_comes_in_without_a_running_node() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    let file = "Titel;Thema;Aktualisierungsfrequenz;Ansprechperson\n\
                Baumkataster;Umwelt;jährlich;Sabine Köster\n;Verkehr;täglich;\nBrunnen;Umwelt;irgendwann;\n";
    std::fs::write(at.join("inventar.csv"), file).expect("a file");
    let rehearsal = hanse("import --dir {}/t --dry-run --json {}/inventar.csv", at);
    assert_eq!((rehearsal.code, counts(&report(&rehearsal))), (Some(1), [2, 0, 0, 1]));
    assert_eq!(hanse("list --dir {}/t --json", at).json()["total"], 0);

    let said = hanse(
        "import --dir {}/t --json --rejected {}/mend.csv --mapping {}/columns.json {}/inventar.csv",
        at,
    );
    assert_eq!((said.code, counts(&report(&said))), (Some(1), [2, 0, 0, 1]));
    let problem = &report(&said)["problems"][0];
    assert_eq!((&problem["where"], &problem["field"]), (&"Zeile 3".into(), &"title".into()));
    assert_eq!((&problem["reason"], &problem["remedy"]), (&"fehlt".into(), &"einen Titel eintragen".into()));
    let english = hanse("import --dir {}/t --json --lang en {}/inventar.csv", at);
    assert_eq!(report(&english)["problems"][0]["reason"], "is missing");
    let columns = std::fs::read_to_string(at.join("columns.json")).expect("the mapping was written");
    assert!(columns.contains("\"Aktualisierungsfrequenz\": \"frequency\""), "{columns}");

    let tasks = hanse("tasks --dir {}/t --json", at).json();
    assert_eq!((&tasks["total"], &tasks["items"][0]["field"]), (&1.into(), &"frequency".into()));
    let mended = std::fs::read_to_string(at.join("mend.csv")).expect("rejected rows were saved");
    std::fs::write(at.join("mend.csv"), mended.replace(";Verkehr", "Ampeln;Verkehr")).expect("a file");
    hanse("import --dir {}/t --source inventar {}/mend.csv", at).done();
    let again = hanse("import --dir {}/t --json {}/inventar.csv --mapping {}/columns.json", at);
    assert_eq!(counts(&report(&again)), [0, 0, 2, 1]);
    let listed = hanse("list --dir {}/t --class closed --json", at).json();
    assert_eq!(listed["total"], 3, "every record is closed");
    let exported = hanse("list --dir {}/t --export {}/liste.csv", at).done();
    assert!(exported.contains("liste.csv"));
    let table = std::fs::read_to_string(at.join("liste.csv")).expect("a table");
    assert!(table.contains("Baumkataster") && table.contains("Sabine Köster"), "{table}");
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem_of_a_report() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    let long = std::fs::File::create(at.join("long.csv")).expect("a file");
    long.set_len(node::import::limits::FILE_BYTES_MAX + 1).expect("a sparse file");
    for (file, german, english) in [
        ("missing.csv", "gibt es nicht", "does not exist"),
        ("t", "ist ein Ordner", "is a directory"),
        ("long.csv", "erlaubt sind", "at most"),
    ] {
        for (lang, reason) in [("de", german), ("en", english)] {
            let said = hanse(&format!("import --dir {{}}/t --json --lang {lang} {{}}/{file}"), at);
            assert_eq!((said.code, counts(&report(&said))), (Some(2), [0; 4]), "{said:?}");
            let problems = &report(&said)["problems"];
            assert_eq!(problems.as_array().map(Vec::len), Some(1));
            let said = problems[0]["reason"].as_str().unwrap_or_default();
            assert!(said.contains(reason), "{file}: {said}");
        }
    }
}

#[test]
fn a_rehearsal_reads_by_a_mapping_and_keeps_nothing_of_it() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    std::fs::write(at.join("a.csv"), "Was;Titel\nBäume;egal\n").expect("a file");
    let columns = r#"{"columns": {"Was": "title", "Titel": null}}"#;
    std::fs::write(at.join("columns.json"), columns).expect("a mapping");
    let rehearsal = hanse("import --dir {}/t --dry-run --json --mapping {}/columns.json {}/a.csv", at);
    assert_eq!(
        report(&rehearsal)["columns"],
        serde_json::json!({"Was": "title", "Titel": null}),
        "{rehearsal:?}"
    );
    let after = hanse("import --dir {}/t --dry-run --json {}/a.csv", at);
    assert_eq!(report(&after)["columns"], serde_json::json!({"Was": null, "Titel": "title"}));
    hanse("import --dir {}/t --dry-run --mapping {}/new.json {}/a.csv", at).done();
    assert!(!at.join("new.json").exists(), "a rehearsal writes nothing");
}

#[test]
fn words_are_those_of_the_towns_own_lists() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    let own = crdt::vocabulary::List::Themes.builtin_text().replace("ENVI", "GRUEN");
    std::fs::create_dir(at.join("t/vocabulary")).expect("a folder");
    std::fs::write(at.join("t/vocabulary/themes.tsv"), own).expect("a list");
    std::fs::write(at.join("a.csv"), "Titel;Thema\nBäume;GRUEN\nFlüsse;ENVI\n").expect("a file");
    std::fs::write(at.join("b.json"), r#"[{"id": "c", "title": "Parks", "theme": ["GRUEN"]}]"#)
        .expect("a file");
    for name in ["a.csv", "b.json"] {
        hanse(&format!("import --dir {{}}/t {{}}/{name}"), at).done();
    }
    let whole = hanse("export --dir {}/t --with-closed -", at).done();
    assert_eq!(whole.matches(r#""themes":["GRUEN"]"#).count(), 2, "{whole}");
    let tasks = hanse("tasks --dir {}/t --json", at).json();
    assert_eq!((&tasks["total"], &tasks["items"][0]["field"]), (&1.into(), &"themes".into()), "{tasks}");
}

#[test]
fn templates_are_written_and_wrong_input_is_refused() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    town(at);
    for name in ["vorlage.csv", "vorlage.xlsx"] {
        hanse(&format!("import --template {{}}/{name}"), at).done();
        let said = hanse(&format!("import --dir {{}}/t --json {{}}/{name}"), at);
        assert_eq!(said.code, Some(2), "{said:#?}");
        assert!(
            report(&said)["problems"][0]["reason"]
                .as_str()
                .is_some_and(|reason| reason.contains("keinen Datensatz"))
        );
    }
    let plain = std::fs::read(at.join("vorlage.xlsx")).expect("a template");
    let own =
        crdt::vocabulary::List::Frequencies.builtin_text().replace("\tjährlich\t", "\tjedes neue Jahr\t");
    std::fs::create_dir(at.join("t/vocabulary")).expect("a folder");
    std::fs::write(at.join("t/vocabulary/frequencies.tsv"), own).expect("a list");
    hanse("import --dir {}/t --template {}/vorlage.xlsx", at).done();
    let with_own = std::fs::read(at.join("vorlage.xlsx")).expect("a template");
    assert!(with_own.len() > plain.len(), "an own list is offered whole");
    hanse("import --template {}/vorlage.pdf", at).refused(2, &["vorlage.pdf", ".xlsx or .csv"]);
    hanse("import --dir {}/t {}/none.csv", at).refused(2, &["none.csv", "read"]);
    hanse("import --dir {}/t", at).refused(2, &["FILE-or-URL", "Usage"]);
    std::fs::write(at.join("columns.json"), r#"{"columns": {"Was": "titel"}}"#).expect("a file");
    std::fs::write(at.join("a.csv"), "Was;Thema\nBäume;Umwelt\n").expect("a file");
    hanse("import --dir {}/t {}/a.csv --mapping {}/columns.json", at)
        .refused(2, &["titel", "did you mean `title`?"]);
    std::fs::write(at.join("columns.json"), r#"{"columns": {"Was": "title"}}"#).expect("a file");
    hanse("import --dir {}/t {}/a.csv --mapping {}/columns.json", at).done();
    assert_eq!(hanse("list --dir {}/t --json", at).json()["total"], 1);
}

/// An ods whose one cell is said to stand there ninety million times, below
/// what the library refuses by itself: more than an import may hold.
fn endless_ods() -> Vec<u8> {
    let content = r#"<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="x"><table:table-row table:number-rows-repeated="9000"><table:table-cell office:value-type="string" table:number-columns-repeated="10000"><text:p>Titel</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#;
    let parts: [(&str, &[u8]); 3] = [
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<manifest/>"),
        ("content.xml", content.as_bytes()),
    ];
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let size = (content.len() as u32).to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend_from_slice(&crc32(content).to_le_bytes());
        common.extend_from_slice(&[size, size].concat());
        common.extend_from_slice(&[name.len() as u8, 0, 0, 0]);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&(file.len() as u32).to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        file.extend_from_slice(b"PK\x03\x04");
        file.extend_from_slice(&common);
        file.extend_from_slice(name.as_bytes());
        file.extend_from_slice(content);
    }
    let (offset, size) = (file.len() as u32, directory.len() as u32);
    file.extend_from_slice(&directory);
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0\x03\0\x03\0");
    file.extend_from_slice(&size.to_le_bytes());
    file.extend_from_slice(&offset.to_le_bytes());
    file.extend_from_slice(&[0, 0]);
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn a_file_that_wants_all_memory_fails_its_own_import() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let mut node = serving(&at.join("t"));
    std::fs::write(at.join("endless.ods"), endless_ods()).expect("a file");
    let said = hanse("import --dir {}/t --json {}/endless.ods", at);
    assert_eq!(said.code, Some(2), "{said:#?}");
    let problem = &report(&said)["problems"][0];
    assert!(problem["reason"].as_str().is_some_and(|reason| reason.contains("Speicher")), "{problem}");
    std::fs::write(at.join("fine.csv"), "Titel\nBäume\n").expect("a file");
    hanse("import --dir {}/t {}/fine.csv", at).done();
    assert_eq!(hanse("list --dir {}/t --json", at).json()["total"], 1, "the node goes on");
    assert_eq!(node.terminate(), Some(0));
}

#[test]
fn a_killed_import_is_run_again_and_nothing_is_half_or_double() {
    let rows = (0..ROWS).map(|n| format!("Datensatz {n};Umwelt;k{n};jährlich\n")).collect::<String>();
    kill_and_run_again("viele.csv", &format!("Titel;Thema;Kennung;Aktualisierungsfrequenz\n{rows}"));
    let prefixes =
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n";
    let dataset =
        |n| format!("<https://quelle.example/d/{n}> a dcat:Dataset ; dct:title \"Datensatz {n}\"@de .\n");
    kill_and_run_again("viele.ttl", &format!("{prefixes}{}", (0..ROWS).map(dataset).collect::<String>()));
}

/// Kills node and command when some of the records are in, and imports the file again.
fn kill_and_run_again(name: &str, text: &str) {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    std::fs::write(at.join(name), text).expect("a file");
    let mut node = serving(&at.join("t"));
    let mut import = command(["import", "--json", "--dir"]);
    import.arg(at.join("t")).arg(at.join(name));
    let mut beside = Beside::start(import, &at.join("import.log"));
    until_blocking("some records to be in", || {
        let listed = hanse("list --dir {}/t --class closed --limit 1 --json", at);
        let total = serde_json::from_str::<Value>(&listed.out).ok()?["total"].as_u64()?;
        (total > 500).then_some(())
    });
    node.kill();
    beside.kill();

    let again = hanse(&format!("import --dir {{}}/t --json {{}}/{name}"), at);
    let [created, changed, unchanged, rejected] = counts(&report(&again));
    assert_eq!((created + unchanged, changed, rejected), (ROWS as u64, 0, 0), "nothing is half");
    assert!(unchanged > 500, "what was in stayed in: {unchanged}");
    assert_eq!(hanse("list --dir {}/t --limit 1 --json", at).json()["total"], ROWS, "nothing is double");
    let settled = hanse(&format!("import --dir {{}}/t --json {{}}/{name}"), at);
    assert_eq!(counts(&report(&settled)), [0, 0, ROWS as u64, 0]);
}
