use super::*;

fn builtin(list: List) -> &'static Vocabulary {
    Vocabularies::builtin().list(list)
}

fn codes(list: List, text: &str) -> Vec<(&'static str, Certainty)> {
    let found = builtin(list).suggest(text);
    found.into_iter().map(|one| (&*one.concept.code, one.certainty)).collect()
}

#[test]
fn every_list_compiled_in_is_whole() {
    for vocabulary in Vocabularies::builtin().iter() {
        let name = vocabulary.list().name();
        assert!(vocabulary.concepts().len() >= 4, "{name}");
        assert!(!vocabulary.version().is_empty() && !vocabulary.source().is_empty(), "{name}");
        for concept in vocabulary.concepts() {
            assert_eq!(vocabulary.find(&concept.code), Some(concept), "{name}");
            assert_eq!(concept.iri.is_none(), concept.is(Mark::Unlisted), "{name} {}", concept.code);
            if let Some(iri) = &concept.iri {
                assert_eq!(vocabulary.iri(iri), Some(concept), "{name}");
                assert_eq!(vocabulary.find(&iri.replace("http:", "https:")), Some(concept), "{name}");
            }
            if let Some(parent) = &concept.parent {
                assert!(vocabulary.code(parent).is_some(), "{name}: {parent}");
            }
        }
        assert_eq!(List::parse(name), Ok(vocabulary.list()));
    }
    assert_eq!(builtin(List::ReferenceTypes).concepts().len(), 268);
    assert_eq!(builtin(List::Licences).concepts().len(), 34);
    assert!(List::parse("theme").unwrap_err().message_en().contains("`themes`"));
}

#[test]
fn a_format_known_by_its_name_is_found_by_it() {
    for concept in builtin(List::Formats).concepts() {
        assert_eq!(builtin(List::Formats).find(concept.name()), Some(concept), "{}", concept.code);
    }
}

/// The licence texts of 2,370 real records of 39 municipalities.
#[test]
fn the_spellings_of_licences_seen_in_practice_are_known() {
    let cases = [
        ("Creative Commons Namensnennung (CC-BY)", "cc-by"),
        ("Datenlizenz Deutschland – Zero – Version 2.0", "dl-zero-de/2.0"),
        ("Datenlizenz Deutschland Namensnennung 2.0", "dl-by-de/2.0"),
        ("http://dcat-ap.de/def/licenses/cc-by", "cc-by"),
        ("http://dcat-ap.de/def/licenses/dl-zero-de/2_0", "dl-zero-de/2.0"),
        ("http://dcat-ap.de/def/licenses/cc-zero", "cc-zero"),
        ("https://www.govdata.de/dl-de/zero-2-0", "dl-zero-de/2.0"),
        ("http://dcat-ap.de/def/licenses/dl-by-de/2.0", "dl-by-de/2.0"),
        ("CC BY 4.0", "cc-by/4.0"),
        ("Creative Commons CC Zero License (cc-zero)", "cc-zero"),
        ("CC BY-ND 4.0", "cc-by-nd/4.0"),
        ("https://www.govdata.de/dl-de/by-2-0", "dl-by-de/2.0"),
        ("Creative Commons Namensnennung – 4.0 International (CC BY 4.0)", "cc-by/4.0"),
        ("dl-de/by-2-0", "dl-by-de/2.0"),
        ("cc-by-nc", "cc-by-nc"),
        ("http://dcat-ap.de/def/licenses/odbl", "odbl"),
        ("http://dcat-ap.de/def/licenses/dl-zero-de/2.0", "dl-zero-de/2.0"),
        ("other-at", "other-open"),
        ("cc-by3", "cc-by-de/3.0"),
        ("Open Data Commons Open Database License (ODbL)", "odbl"),
        ("https://www.openstreetmap.org/copyright", "odbl"),
        ("http://opendatacommons.org/licenses/odbl/", "odbl"),
        ("CC0", "cc-zero"),
        ("Creative Commons Namensnennung (CC BY 4.0)", "cc-by/4.0"),
        ("notspecified", "other-closed"),
        ("CC BY-NC-SA 4.0", "other-closed"),
        ("http://dcat-ap.de/def/licenses/ccpdm/1.0", "ccpdm/1.0"),
        ("http://dcat-ap.de/def/licenses/dl-by-de/2_0", "dl-by-de/2.0"),
        ("http://dcat-ap.de/def/licenses/cc-by/4_0", "cc-by/4.0"),
    ];
    for (text, code) in cases {
        assert_eq!(codes(List::Licences, text), [(code, Certainty::Exact)], "{text}");
    }
    assert_eq!(codes(List::Licences, ""), []);
}

#[test]
fn several_themes_in_one_cell_are_told_apart() {
    let cases: [(&str, &[&str]); 5] = [
        ("Bildung, Kultur und Sport", &["EDUC"]),
        (
            "Bildung, Kultur und Sport,Justiz, Rechtssystem und öffentliche Sicherheit,Umwelt",
            &["EDUC", "JUST", "ENVI"],
        ),
        ("Geographie, Geologie und Geobasisdaten,Infrastruktur, Bauen und Wohnen", &["REGI", "REGI"]),
        ("Umwelt; VERKEHR", &["ENVI", "TRAN"]),
        ("Öffentliche Verwaltung, Haushalt und Steuern", &["GOVE"]),
    ];
    for (text, wanted) in cases {
        let found: Vec<&str> = builtin(List::Themes)
            .suggest_each(text)
            .iter()
            .map(|(_, found)| match found[..] {
                [Suggestion { concept, certainty: Certainty::Exact }] => &*concept.code,
                _ => "?",
            })
            .collect();
        assert_eq!(found, wanted, "{text}");
    }
    let parts = builtin(List::Themes).suggest_each("Umwelt, Kaffee");
    assert_eq!((parts[1].0, parts[1].1.len()), ("Kaffee", 0));
}

#[test]
fn free_text_is_mapped_or_suggested_and_never_guessed() {
    assert_eq!(codes(List::Frequencies, "jedes Quartal"), [("QUARTERLY", Certainty::Exact)]);
    assert_eq!(codes(List::Frequencies, "Vierteljaehrlich "), [("QUARTERLY", Certainty::Exact)]);
    assert_eq!(codes(List::Formats, "Shape-Datei"), [("SHP", Certainty::Exact)]);
    assert_eq!(codes(List::Formats, ".XLSX"), [("XLSX", Certainty::Exact)]);
    assert_eq!(codes(List::Frequencies, "monatlch")[0], ("MONTHLY", Certainty::Likely));
    assert_eq!(codes(List::Frequencies, "in der Regel jährlich zum 31.12.")[0].0, "ANNUAL");
    assert!(
        codes(List::Frequencies, "in der Regel jährlich zum 31.12.")
            .iter()
            .all(|one| one.1 != Certainty::Exact)
    );
    assert_eq!(codes(List::Frequencies, "Kaffeepause"), []);
    assert_eq!(codes(List::Frequencies, &"lang ".repeat(10_000)), []);
    assert!(codes(List::ReferenceTypes, "Baumkataster").iter().any(|one| one.0.contains("baum")));
}

#[test]
fn a_spelling_of_two_concepts_is_no_answer() {
    let text = "# title.de: T\n# title.en: T\n# source: S\n# version: 1\ncode\tde\ten\taliases\nA\teins\tone\tsame\nB\tzwei\ttwo\tsame | eins\n";
    let list = Vocabulary::parse(List::Themes, text).unwrap();
    assert_eq!(list.find("same"), None);
    assert_eq!(list.suggest("same").len(), 2);
    assert_eq!(&*list.find("eins").unwrap().code, "A", "a label is nearer than an alias");
}

#[test]
fn a_broken_file_is_refused_with_line_column_and_remedy() {
    let head = "# title.de: T\n# title.en: T\n# source: S\n# version: 1\n";
    let cases = [
        (String::new(), (1, 1), "column names"),
        (format!("{head}code\tde\n"), (5, 1), "concepts"),
        ("# title.de: T\ncode\tde\nA\ta\n".to_owned(), (1, 1), "# title.en"),
        (format!("{head}code\tde\tenn\n"), (5, 9), "`en`"),
        (format!("{head}code\ten\nA\ta\n"), (5, 8), "add the column"),
        (format!("{head}code\tde\tde\n"), (5, 9), "each column once"),
        (format!("{head}code\tde\nA\ta\n\nA\tb\n"), (8, 1), "remove one"),
        (format!("{head}code\tde\nA B\ta\n"), (6, 1), "remove spaces"),
        (format!("{head}code\tde\nA\t\n"), (6, 3), "give a value"),
        (format!("{head}code\tde\nA\n"), (6, 2), "give a value"),
        (format!("{head}code\tde\nA\ta\tb\n"), (6, 5), "check the tabs"),
        (format!("{head}code\tde\tmarks\nA\ta\topen retird\n"), (6, 5), "`retired`"),
        (format!("{head}code\tde\nA\ta\u{fffd}\n"), (6, 3), "UTF-8"),
        (format!("{head}# base: ftp://x/\ncode\tde\nA\ta\n"), (5, 9), "IRIs"),
    ];
    for (text, place, remedy) in cases {
        let error = Vocabulary::parse(List::Themes, &text).unwrap_err();
        assert_eq!((error.line, error.column), place, "{error}\n{text}");
        assert!(error.to_string().contains(remedy), "{error}");
        assert!(error.message(Lang::De).starts_with("Zeile "), "{}", error.message(Lang::De));
    }
}

#[test]
fn a_list_of_the_operator_takes_the_place_of_the_one_compiled_in() {
    let mut lists = Vocabularies::builtin().clone();
    let text = "\u{feff}# title.de: Themen\r\n# title.en: Themes\r\n# source: Soest\r\n# version: 7\r\n# base: https://daten.soest.example/thema/\r\ncode\tde\ten\r\nBOERDE\tBörde\tBörde\r\n";
    lists.replace(Vocabulary::parse(List::Themes, text).unwrap());
    assert_eq!(
        lists.themes().find("börde").unwrap().iri.as_deref(),
        Some("https://daten.soest.example/thema/BOERDE")
    );
    assert!(lists.themes().find("ENVI").is_none() && lists.licences().find("CC0").is_some());
    assert_eq!(lists.themes().label("unbekannt", Lang::De), "unbekannt");
}
