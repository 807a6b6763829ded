//! Which words find which records, and what is marked.

use super::*;

#[test]
fn forms_and_spellings_of_a_word_find_each_other() {
    let index = indexed(&records());
    for text in ["Straße", "Strasse", "straßen", "STRASSEN", "Stra\u{df}e"] {
        check_finds(&index, text, &["Straßenverzeichnis", "Müllabfuhrtermine", "Baumkataster"]);
    }
    for text in ["Müll", "muell", "mull", "Mu\u{308}ll", "MÜLL"] {
        check_finds(&index, text, &["Müllabfuhrtermine"]);
    }
    for text in ["Spielplätze", "Spielplatz", "spielplaetze", "Spielplatze"] {
        check_finds(&index, text, &["Spielplätze", "Spielplatzstandorte"]);
    }
}

#[test]
fn parts_find_their_compounds() {
    let index = indexed(&records());
    check_finds(&index, "Kataster", &["Baumkataster", "Grünflächenkataster"]);
    check_finds(&index, "baum", &["Baumkataster"]);
    check_finds(&index, "Grünfläche", &["Grünflächenkataster"]);
    check_finds(&index, "Flächen", &["Grünflächenkataster"]);
    check_finds(&index, "Gewässer", &["Pegelstände"]);
    check_finds(&index, "Bebauungspläne", &["Bebauungsplanübersicht"]);
    check_finds(&index, "Standort", &["Spielplatzstandorte"]);
    check_finds(&index, "Löschwasser", &["Löschwasserentnahmestellen"]);
    check_finds(&index, "Steuer", &["Hundebestand"]);
}

#[test]
fn a_compound_that_no_record_has_finds_its_parts_written_apart() {
    let mut apart = record(90, &ROWS[0]);
    apart.title_de = "Kataster der Denkmäler".to_owned();
    let index = indexed(&[apart]);
    check_exactly(&index, "Denkmalkataster", &["Kataster der Denkmäler"]);
}

#[test]
fn the_beginning_of_a_word_finds_it() {
    let index = indexed(&records());
    check_exactly(&index, "spielpl", &["Spielplatzstandorte", "Spielplätze"]);
    check_finds(&index, "europaw", &["Europawahl"]);
    check_finds(&index, "katas", &["Baumkataster", "Grünflächenkataster"]);
}

#[test]
fn typing_errors_are_tolerated_by_length_and_ranked_below_exact_hits() {
    let mut all = records();
    let mut close = record(91, &ROWS[0]);
    close.title_de = "Spielplatt".to_owned();
    close.description_de = String::new();
    all.push(close);
    let index = indexed(&all);
    for text in ["Spielplaz", "Spielpaltz", "Spilplatz", "Sppielplatz"] {
        let results = search(&index, text);
        assert!(titles(&results).contains(&"Spielplätze"), "`{text}` found {:?}", titles(&results));
        assert_eq!(results.tolerated, [text.to_lowercase()]);
    }
    // Exact above approximate, although the approximate title is the shorter one.
    assert_eq!(*titles(&search(&index, "Spielplatt")).first().unwrap(), "Spielplatt");
    check_finds(&index, "Pgel", &[]);
    assert_eq!(search(&index, "Pgel").total, 0, "four letters allow no error");
    assert!(search(&index, "Katster").total > 0, "seven letters allow one");
    assert_eq!(search(&index, "Katzter").total, 0, "but not two");
}

#[test]
fn words_that_many_records_have_are_not_searched_with_errors() {
    let index = indexed(&records());
    let results = search(&index, "Stadt");
    assert!(results.total >= 3 && results.tolerated.is_empty());
}

#[test]
fn the_inside_of_a_word_is_found_when_nothing_else_is() {
    let mut unknown = record(92, &ROWS[0]);
    unknown.title_de = "Xylothekenführungsheft".to_owned();
    let index = indexed(&[unknown]);
    check_exactly(&index, "theken", &["Xylothekenführungsheft"]);
}

#[test]
fn all_words_are_demanded_and_fewer_only_if_no_record_has_all() {
    let index = indexed(&records());
    check_exactly(&index, "Kataster Soest", &["Grünflächenkataster", "Baumkataster"]);
    let results = search(&index, "Spielplatz Arnsberg");
    assert_eq!(titles(&results), ["Spielplatzstandorte Arnsberg 2023"]);
    assert!(!results.relaxed);
    let results = search(&index, "Spielplatz Haushaltsplan");
    assert!(results.relaxed && results.total == 3, "{:?}", titles(&results));
    assert!(!search(&index, "nirgendwo vorhandenes").relaxed);
}

#[test]
fn the_title_counts_more_than_keywords_and_these_more_than_the_description() {
    let mut in_title = record(1, &ROWS[6]);
    in_title.title_de = "Denkmal".to_owned();
    let mut in_keywords = record(2, &ROWS[6]);
    in_keywords.keywords = vec!["Denkmal".to_owned()];
    let mut in_description = record(3, &ROWS[6]);
    in_description.description_de = "Ein Denkmal ist ein Denkmal und bleibt ein Denkmal.".to_owned();
    let index = indexed(&[in_description.clone(), in_keywords.clone(), in_title.clone()]);
    let keys: Vec<String> = search(&index, "Denkmal").hits.into_iter().map(|hit| hit.record.key).collect();
    assert_eq!(keys, [in_title.key, in_keywords.key, in_description.key]);
}

#[test]
fn quotes_ask_for_words_in_order_and_minus_excludes() {
    let index = indexed(&records());
    check_exactly(&index, "\"Ergebnisse in Arnsberg\"", &["Europawahl"]);
    check_exactly(&index, "„Arnsberg Ergebnisse“", &[]);
    check_exactly(&index, "Kataster -Baum", &["Grünflächenkataster"]);
    check_exactly(&index, "Kataster -\"Stadt Soest\"", &[]);
    assert_eq!(search(&index, "-Kataster").total as usize, ROWS.len() - 2);
}

#[test]
fn common_words_are_not_demanded() {
    let index = indexed(&records());
    check_exactly(&index, "Pegelstände der und für Nebengewässer", &["Pegelstände"]);
    check_finds(&index, "die Spielplätze", &["Spielplätze"]);
}

#[test]
fn english_texts_are_found_by_their_own_forms() {
    let mut english = record(5, &ROWS[2]);
    english.title_en = "Playgrounds of the city".to_owned();
    english.description_en = "Locations with facilities".to_owned();
    let index = indexed(&[english]);
    for text in ["playground", "cities", "the playgrounds", "\"playgrounds of the city\"", "facility"] {
        check_exactly(&index, text, &["Spielplätze"]);
    }
}

#[test]
fn an_identifier_finds_its_record() {
    let index = indexed(&records());
    check_exactly(&index, "https://daten.example/dataset/7", &["Straßenverzeichnis"]);
    check_exactly(&index, "6F2C1A5E-0000-4000-8000-000000000007", &["Straßenverzeichnis"]);
}

fn marked(fragments: &[Fragment]) -> Vec<&str> {
    fragments.iter().filter(|fragment| fragment.marked).map(|fragment| fragment.text.as_str()).collect()
}

#[test]
fn what_was_found_is_marked_in_title_and_excerpt() {
    let index = indexed(&records());
    let results = search(&index, "bäume strasse");
    let hit = &results.hits[0];
    assert_eq!(marked(&hit.title_de), ["Baumkataster"]);
    assert_eq!(marked(&hit.excerpt_de), ["Baumart", "Bäume", "Straßen"]);
    let whole: String = hit.excerpt_de.iter().map(|fragment| fragment.text.as_str()).collect();
    assert_eq!(whole, hit.record.description_de);
    let results = search(&index, "Spielplaz");
    assert!(results.hits.iter().any(|hit| marked(&hit.title_de) == ["Spielplätze"]));
}

#[test]
fn the_excerpt_of_a_long_description_shows_where_the_words_are() {
    let mut long = record(1, &ROWS[6]);
    long.description_de = format!(
        "{}Hier steht der gesuchte <Kronendurchmesser> im Text. {}",
        "Füllwörter überall. ".repeat(60),
        "Noch mehr davon. ".repeat(60)
    );
    let index = indexed(&[long]);
    let results = search(&index, "kronendurchmesser");
    let excerpt = &results.hits[0].excerpt_de;
    assert_eq!(marked(excerpt), ["Kronendurchmesser"]);
    assert_eq!((excerpt[0].text.as_str(), excerpt.last().unwrap().text.as_str()), ("… ", " …"));
    let whole: String = excerpt.iter().map(|fragment| fragment.text.as_str()).collect();
    assert!(whole.contains("<Kronendurchmesser>"), "fragments are not escaped: {whole}");
    assert!(whole.chars().count() < 300);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_text_fails_unless_it_exceeds_a_bound(text in "\\PC{0,80}|[a-zäöüß \"\\-+*:()~^.]{0,120}|.{0,40}") {
        thread_local! {
            static INDEX: SearchIndex = indexed(&records());
        }
        match INDEX.with(|index| index.search(&query(&text))) {
            Ok(results) => prop_assert!(results.total as usize >= results.hits.len()),
            Err(SearchError::Query(_)) => {}
            Err(error) => prop_assert!(false, "`{}`: {}", text, error),
        }
    }

    #[test]
    fn any_text_can_be_indexed_and_is_found_by_its_words(title in "\\PC{0,60}", description in ".{0,200}") {
        let mut odd = record(1, &ROWS[0]);
        odd.title_de = title.clone();
        odd.description_de = description;
        odd.domain = Some(title.clone());
        odd.formats = vec![title.clone(), String::new()];
        let index = indexed(&[odd.clone()]);
        prop_assert_eq!(&search(&index, "").hits[0].record, &odd);
        let sought: Vec<&str> = title.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if (1..=24).contains(&sought.len()) {
            let results = search(&index, &sought.join(" "));
            prop_assert_eq!(results.total, 1, "`{}` does not find `{}`", sought.join(" "), title);
        }
        let whole: String = search(&index, "kataster").hits.iter().flat_map(|hit| &hit.title_de).map(|fragment| fragment.text.as_str()).collect();
        prop_assert!(whole.is_empty() || whole == title);
    }
}
