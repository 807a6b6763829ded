//! Files that want to do harm: each fails its own import, with a sentence that
//! helps, and nothing is written.

use super::files::{Part, cell, ods, ods_row, sheet, xlsx, xlsx_parts, zip};
use super::*;
use crate::import::limits::{COLUMNS_MAX, ROWS_MAX, UNPACKED_BYTES_MAX};

fn with_sheet(rows: &str) -> Vec<u8> {
    zip(&xlsx_parts(&sheet(rows)))
}

fn with_part(part: Part<'static>) -> Vec<u8> {
    let mut parts = xlsx_parts(&sheet(""));
    parts.push(part);
    zip(&parts)
}

/// Name, bytes, and words that the message must have.
fn corpus() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let entity =
        "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><x>&b;</x>";
    let big = usize::try_from(UNPACKED_BYTES_MAX).unwrap() / 2 + 1;
    let bomb = vec![
        Part::new("[Content_Types].xml", "x"),
        Part::new("a", vec![0; big]),
        Part::new("b", vec![0; big]),
    ];
    let mut liar = Part::new("xl/media/bomb", vec![0; 10_000_000]);
    liar.says = Some(10);
    let many: Vec<String> = (0..3_000).map(|number| format!("p{number}")).collect();
    let far = format!("<row r=\"1\">{}{}</row>", cell("A1", "Titel"), cell("XFD1", "x"));
    let truncated = xlsx(&[&["Titel"], &["Bäume"]]);
    vec![
        ("empty.csv", Vec::new(), "leer"),
        ("nul.csv", b"Titel;Thema\0\0\0\nx;y\n".to_vec(), "keine Textdatei"),
        ("noise.csv", (0..50_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect(), "Datei"),
        (
            "quote.csv",
            b"Titel;Thema\n\"B\xc3\xa4ume;Umwelt\nStra\xc3\x9fen;Verkehr\n".to_vec(),
            "Anführungszeichen",
        ),
        ("long.csv", format!("Titel;Thema\n{};x\n", "a".repeat(300_000)).into_bytes(), "zu lang"),
        ("cell.csv", format!("Titel;Thema\n{};x\n", "a".repeat(40_000)).into_bytes(), "Spalte A"),
        ("wide.csv", format!("Titel;Thema\n{}\n", ";".repeat(COLUMNS_MAX)).into_bytes(), "Spalten"),
        ("rows.csv", format!("Titel\n{}", "x\n".repeat(ROWS_MAX as usize)).into_bytes(), "Zeilen"),
        ("nohead.csv", b"Farbe;Form\nrot;rund\n".to_vec(), "Kopfzeile"),
        ("gzip.csv", b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "gepackt"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), ".xlsx speichern"),
        (
            "zip.xlsx",
            zip(&[Part::new("readme.txt", "x"), Part::new("inner.zip", zip(&[Part::new("a", "b")]))]),
            "weder",
        ),
        ("cut.xlsx", truncated[..truncated.len() / 2].to_vec(), "beschädigt"),
        ("bomb.xlsx", zip(&bomb), "MiB"),
        ("liar.xlsx", with_part(liar), "etwas anderem"),
        ("parts.xlsx", zip(&many.iter().map(|name| Part::new(name, "x")).collect::<Vec<_>>()), "Teilen"),
        ("entities.xlsx", with_part(Part::new("xl/evil.xml", entity)), "DTD"),
        ("far.xlsx", with_sheet(&far), "Spalten"),
        ("unclosed.xlsx", zip(&xlsx_parts("<worksheet><sheetData><row r=\"1\"><c")), "Mappe"),
        ("deep.xlsx", zip(&xlsx_parts(&format!("<worksheet>{}", "<a>".repeat(200_000)))), "Datensatz"),
        ("bomb.rdf", format!("{entity}<rdf:RDF/>").into_bytes(), "DTD"),
        ("latin1.ttl", b"<a:b> <a:c> \"B\xe4ume\" .".to_vec(), "UTF-8"),
        ("none.ttl", b"@prefix dcat: <http://www.w3.org/ns/dcat#> .".to_vec(), "keinen Datensatz"),
        (
            "none.json",
            b"{\"success\": true, \"result\": {\"count\": 0, \"results\": []}}".to_vec(),
            "keinen Datensatz",
        ),
        ("cut.ttl", b"<https://a.example/1> a <http://www.w3.org/ns/dcat#Dataset> ;".to_vec(), "Zeile 1"),
        ("page.rdf", b"<!DOCTYPE html><p>Wartung</p>".to_vec(), "Webseite"),
        ("deep.json", format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(), "tiefer"),
        (
            "deep.jsonld",
            format!("{}1{}", "{\"@graph\":".repeat(10_000), "}".repeat(10_000)).into_bytes(),
            "tiefer",
        ),
        (
            "context.jsonld",
            br#"{"@context": "https://boese.example/c.jsonld", "@id": "x:1"}"#.to_vec(),
            "RDF",
        ),
        ("packed.ttl", b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "gepackt"),
        ("empty.ods", ods(""), "keinen Datensatz"),
        (
            "entities.ods",
            zip(&[
                Part::new("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
                Part::new("content.xml", entity),
            ]),
            "DTD",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_fail_their_own_import_and_nothing_is_written() {
    let node = soest();
    for (name, bytes, words) in corpus() {
        match ended(&node, name, &bytes, options("x")).await {
            ImportState::Unreadable(fault) => {
                assert!(
                    format!("{}; {}", fault.reason.de, fault.remedy.de).contains(words),
                    "{name}: `{words}` is missing: {}; {}",
                    fault.reason.de,
                    fault.remedy.de
                );
            }
            other => panic!("{name}: {other:?}"),
        }
        assert!(records(&node).is_empty(), "{name}");
    }
    let fine =
        import(&node, "fine.ods", &ods(&[ods_row(&["Titel"]), ods_row(&["Bäume"])].concat()), options("x"))
            .await;
    assert_eq!(counts(&fine), [1, 0, 0, 0], "the node goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_cells_is_text() {
    let node = soest();
    let evil = "&lt;script&gt;alert(1)&lt;/script&gt;Bäume";
    let rows = format!("<row r=\"1\">{}</row><row r=\"2\">{}</row>", cell("A1", "Titel"), cell("A2", evil));
    let report = import(&node, "a.xlsx", &with_sheet(&rows), options("x")).await;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    let formula = "Titel;Beschreibung\n=cmd|'/c calc'!A1;@SUM(A1)\n";
    let report = import(&node, "b.csv", formula.as_bytes(), options("y")).await;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    let table = sheets::table(SheetForm::Csv, &records(&node), node.vocabularies()).unwrap();
    let text = String::from_utf8(table).unwrap();
    assert!(text.contains("'=cmd|") && text.contains("'@SUM"), "a record list runs nothing: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_rows_are_read() {
    let node = soest();
    let rows: String = (0..100_000).map(|n| format!("Datensatz {n};Umwelt;{n}\n")).collect();
    let file = format!("Titel;Thema;Kennung\n{rows}");
    let rehearsal = ImportOptions { dry_run: true, ..options("x") };
    let report = import(&node, "viele.csv", file.as_bytes(), rehearsal).await;
    assert_eq!(counts(&report), [100_000, 0, 0, 0]);
}

#[tokio::test]
async fn a_record_of_another_catalog_that_cannot_be_one_says_why() {
    let text = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n\
                <https://a.example/1> a dcat:Dataset ; dct:description \"x\" .\n\
                [] a dcat:Dataset ; dct:title \"Ohne Namen\" .\n\
                <https://a.example/2> a dcat:Dataset ; dct:title \"Gut\" .";
    let report = import(&soest(), "catalog.ttl", text.as_bytes(), options("portal")).await;
    assert_eq!(counts(&report), [1, 0, 0, 2]);
    let said: Vec<_> = report
        .problems
        .iter()
        .map(|one| (one.place.in_lang(crdt::catalog::Lang::De), one.field.as_str()))
        .collect();
    assert!(said.contains(&("https://a.example/1".to_owned(), "dct:title")), "{said:?}");
    assert!(said.iter().any(|(_, field)| *field == "dct:identifier"), "{said:?}");
    let text = r#"{"success": true, "result": {"count": 1, "results": [{"id": "abc-1", "type": "harvest", "title": "Quelle"}]}}"#;
    let report = import(&soest(), "ckan.json", text.as_bytes(), options("portal")).await;
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    assert_eq!(report.problems[0].field, "package", "{}", sentences(&report.problems));
}
