//! Pages that are made to hurt.

use crdt::vocabulary::Vocabularies;
use node::harvest::page::{self, DEPTH_MAX};

fn refused(text: &str) -> String {
    page::read(text.as_bytes(), None, None, Vocabularies::builtin()).unwrap_err().to_string()
}

const RDF: &str =
    r#"xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dct="http://purl.org/dc/terms/""#;

#[test]
fn dtds_and_entities_are_refused_before_they_are_parsed() {
    let mut bomb = String::from("<?xml version=\"1.0\"?><!DOCTYPE rdf:RDF [<!ENTITY a \"aaaaaaaaaa\">");
    for n in 0..30 {
        bomb += &format!("<!ENTITY a{n} \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">");
    }
    bomb += &format!(
        "]><rdf:RDF {RDF}><rdf:Description><dct:title>&a29;</dct:title></rdf:Description></rdf:RDF>"
    );
    assert!(refused(&bomb).contains("DTD"), "{}", refused(&bomb));
    let foreign = format!("<rdf:RDF {RDF}><!doctype x SYSTEM \"file:///etc/passwd\"></rdf:RDF>");
    assert!(refused(&foreign).contains("DTD"));
    let utf16: Vec<u8> =
        std::iter::once(0xfeff_u16).chain(bomb.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    assert!(
        page::read(utf16, None, None, Vocabularies::builtin()).unwrap_err().to_string().contains("DTD"),
        "in another encoding too"
    );
}

#[test]
fn nesting_has_an_end() {
    let deep = 10_000;
    let json = format!("{{\"@context\": {}1{}}}", "[".repeat(deep), "]".repeat(deep));
    let ckan = format!("{}{}", "{\"a\":".repeat(deep), "}".repeat(deep));
    let turtle = format!("<a:b> <a:c> {}1{} .", "[ <a:d> ".repeat(deep), "]".repeat(deep));
    let lists = format!("<a:b> <a:c> {}1{} .", "( ".repeat(deep), ")".repeat(deep));
    let element = "<rdf:Description><dct:relation>";
    let xml = format!("<rdf:RDF {RDF}>{}", element.repeat(deep));
    for text in [json, ckan, turtle, lists, xml] {
        assert!(refused(&text).contains(&format!("deeper than {DEPTH_MAX}")), "{}", refused(&text));
    }
    let fine = format!("<a:b> <a:c> \"{}\" .", "[".repeat(deep));
    assert!(
        page::read(fine.as_bytes(), None, None, Vocabularies::builtin()).is_ok(),
        "brackets in a text nest nothing"
    );
}

#[test]
fn contexts_from_elsewhere_are_not_loaded() {
    let text =
        r#"{"@context": "https://boese.example/context.jsonld", "@id": "https://a.example/1", "title": "x"}"#;
    let reason = refused(text);
    assert!(reason.contains("no valid RDF") || reason.contains("context"), "{reason}");
}

#[test]
fn half_pages_and_web_pages_are_refused_as_a_whole() {
    let turtle = "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n<https://a.example/1> a dcat:Dataset .\n<https://a.exa";
    assert!(refused(turtle).contains("line 3"), "{}", refused(turtle));
    let xml = format!("<rdf:RDF {RDF}><rdf:Description rdf:about=\"https://a.example/1\"><dct:title>x");
    assert!(refused(&xml).contains("middle of an element"), "{}", refused(&xml));
    let quoted = format!(
        "<rdf:RDF {RDF}><!-- <x> --><rdf:Description rdf:about=\"https://a.example/1?a=>\"><dct:title><![CDATA[<b>]]></dct:title></rdf:Description></rdf:RDF>"
    );
    assert!(
        page::read(quoted.as_bytes(), None, None, Vocabularies::builtin()).is_ok(),
        "what looks open in comments and texts is not"
    );
    assert!(
        refused("{\"success\": true, \"result\": {\"count\": 5, \"results\": [{\"id\": ")
            .contains("no valid JSON")
    );
    assert!(
        refused("{\"success\": false, \"error\": {\"message\": \"Access denied\"}}")
            .contains("Access denied")
    );
    for (text, word) in
        [("<!DOCTYPE html><html></html>", "web page"), ("", "empty"), (" \n ", "empty"), ("[1, 2]", "CKAN")]
    {
        assert!(refused(text).contains(word), "{text}: {}", refused(text));
    }
    assert!(page::read(*b"\xff\xfe\x00", None, None, Vocabularies::builtin()).is_err());
    assert!(
        page::read(*b"<a:b> <a:c> \"\xe4\" .", None, None, Vocabularies::builtin())
            .unwrap_err()
            .to_string()
            .contains("UTF-8")
    );
}

/// Two nodes that all datasets share, each with very many statements: what is said of a node is
/// looked at once, not once for each dataset.
#[test]
fn what_many_datasets_share_costs_once() {
    let mut text = String::from(
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n",
    );
    for number in 0..3_000 {
        text += &format!(
            "<https://a.example/{number}> a dcat:Dataset ; dct:title \"Satz {number}\" ; dct:publisher _:a , _:b ; dct:spatial _:a .\n"
        );
    }
    for number in 0..5_000 {
        text += &format!("_:a dct:identifier \"{number}\" . _:b dct:description \"{number}\" .\n");
    }
    let page = page::read(text.into_bytes(), None, None, Vocabularies::builtin()).unwrap();
    assert_eq!(page.records.len(), 3_000);
    assert!(page.records.iter().all(crdt::foreign::ForeignRecord::is_whole));
}
