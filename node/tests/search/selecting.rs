//! What expressions over named fields find.

use std::collections::BTreeSet;
use std::ops::Bound;

use node::search::{
    EXPRESSION_DEPTH_MAX, Expression, Fit, Folding, MomentField, NamedField, PATTERNS_MAX, Pattern,
    PatternPiece, SearchDistribution, SelectQuery, Selection,
};

use super::*;

/// The rows, with what only expressions ask for.
fn index() -> SearchIndex {
    let mut records = records();
    for (number, record) in records.iter_mut().enumerate() {
        record.modified = Some(1_000 + number as i64 / 2);
        record.issued = Some(500 - number as i64);
        record.iri = record.identifier.clone();
        record.mailbox = "opendata@stadt.example".to_owned();
        record.distributions = vec![SearchDistribution {
            id: format!("7f2c1a5e-0000-8000-8000-{number:012}"),
            title: format!("Datei {number} als Tabelle"),
            urls: vec![format!("https://daten.example/{number}.csv")],
        }];
    }
    indexed(&records)
}

fn select(expression: Expression) -> SelectQuery {
    SelectQuery {
        expression,
        audience: Filters::new(),
        sort: vec![Sort::Id],
        offset: 0,
        limit: 100,
        facets: Vec::new(),
    }
}

/// The places in [`ROWS`] of what was found, in order.
fn places(selection: &Selection) -> Vec<usize> {
    selection.ids.iter().map(|id| id.as_u128() as u32 as usize).map(from_hex_digits).collect()
}

/// Ids end with the place as decimal digits, which a UUID reads as hexadecimal ones.
fn from_hex_digits(number: usize) -> usize {
    format!("{number:x}").parse().unwrap()
}

fn check(expression: Expression, fits: impl Fn(&Row) -> bool) {
    let found = index().select(&select(expression.clone())).unwrap();
    let expected: Vec<usize> =
        ROWS.iter().enumerate().filter(|(_, row)| fits(row)).map(|(place, _)| place).collect();
    assert_eq!(places(&found), expected, "{expression:?}");
    assert_eq!(found.total, expected.len() as u64, "{expression:?}");
}

fn is(field: NamedField, value: &str) -> Expression {
    Expression::Is(field, value.to_owned())
}

fn like(field: NamedField, pieces: &[&str]) -> Expression {
    let piece = |text: &&str| match *text {
        "*" => PatternPiece::Any,
        "?" => PatternPiece::One,
        text => PatternPiece::Text(text.to_owned()),
    };
    Expression::Like(field, Pattern(pieces.iter().map(piece).collect()))
}

fn not(expression: Expression) -> Expression {
    Expression::Not(Box::new(expression))
}

#[test]
fn values_are_compared_as_a_whole() {
    check(Expression::All, |_| true);
    check(Expression::Nothing, |_| false);
    check(is(NamedField::Town, SOEST), |row| row.0 == SOEST);
    check(is(NamedField::Keyword, "Baum"), |row| row.3.contains(&"Baum"));
    check(is(NamedField::Keyword, "baum"), |_| false);
    check(is(NamedField::Format, "CSV"), |row| row.5.contains(&"CSV"));
    check(is(NamedField::TitleExact, "Spielplätze"), |row| row.1 == "Spielplätze");
    check(is(NamedField::TitleExact, "Spielplatz"), |_| false);
    check(is(NamedField::Iri, "https://daten.example/dataset/0"), |row| row.1 == "Baumkataster");
    check(is(NamedField::Url, "https://daten.example/0.csv"), |row| row.1 == "Baumkataster");
    check(is(NamedField::Distribution, "7f2c1a5e-0000-8000-8000-000000000000"), |row| {
        row.1 == "Baumkataster"
    });
    check(Expression::Has(NamedField::Mailbox), |_| true);
    check(Expression::Has(NamedField::Contact), |_| false);
}

#[test]
fn texts_are_compared_by_words_in_all_their_forms() {
    check(is(NamedField::Title, "baumkataster"), |row| row.1 == "Baumkataster");
    check(is(NamedField::Title, "Spielplatz"), |row| row.1 == "Spielplätze");
    check(is(NamedField::Description, "Baum"), |row| row.2.contains("Bäume") || row.2.contains("Baum "));
    check(is(NamedField::Title, "stadt soest"), |row| row.1.contains("Stadt Soest"));
    check(is(NamedField::Title, "soest stadt"), |_| false);
    check(is(NamedField::DistributionTitle, "Tabellen"), |_| true);
    check(is(NamedField::Publisher, "Arnsberg"), |row| row.0 == ARNSBERG);
    check(is(NamedField::Title, "***"), |_| false);
}

#[test]
fn patterns_and_ranges_are_of_letters() {
    check(like(NamedField::Keyword, &["Baum", "*"]), |row| row.3.iter().any(|word| word.starts_with("Baum")));
    check(like(NamedField::Keyword, &["*", "kalender"]), |row| row.3.contains(&"Abfallkalender"));
    check(like(NamedField::Keyword, &["Par", "?"]), |row| row.3.contains(&"Park"));
    check(like(NamedField::Keyword, &["*"]), |row| !row.3.is_empty());
    check(like(NamedField::Keyword, &["*", "[a-z]+", "*"]), |_| false);
    check(like(NamedField::Title, &["Müllabf", "*"]), |row| row.1.starts_with("Müllabfuhr"));
    check(like(NamedField::Url, &["*", "/0.csv"]), |row| row.1 == "Baumkataster");
    let between = |from: &str, to: Bound<String>| {
        Expression::Between(NamedField::Format, Bound::Included(from.to_owned()), to)
    };
    check(between("CSV", Bound::Excluded("D".to_owned())), |row| row.5.contains(&"CSV"));
    check(between("G", Bound::Unbounded), |row| row.5.iter().any(|format| *format >= "G"));
}

#[test]
fn upper_case_and_accents_are_passed_over_where_it_is_asked() {
    let folded = |field, case, accents, fit| Expression::Folded(field, Folding { case, accents }, fit);
    let among = |values: &[&str]| Fit::Among(values.iter().map(|value| (*value).to_owned()).collect());
    let (keyword, title) = (NamedField::Keyword, NamedField::TitleExact);
    check(folded(keyword, true, false, among(&["baum", "park"])), |row| {
        row.3.iter().any(|word| ["Baum", "Park"].contains(word))
    });
    check(folded(keyword, true, false, among(&["Baum"])), |_| false);
    check(folded(title, false, true, among(&["Spielplatze"])), |row| row.1 == "Spielplätze");
    check(folded(title, true, true, among(&["spielplatze"])), |row| row.1 == "Spielplätze");
    let inside = Pattern(vec![PatternPiece::Any, PatternPiece::Text("stadt s".into()), PatternPiece::Any]);
    check(folded(title, true, false, Fit::Like(inside)), |row| row.1.contains("Stadt S"));
    let between = Fit::Between(Bound::Included("s".into()), Bound::Excluded("t".into()));
    check(folded(title, true, false, between), |row| row.1.to_lowercase().starts_with('s'));
    // A deleted record is found by none of its values.
    let index = index();
    let key = records()[0].key.clone();
    index.apply(&[SearchChange::Remove { key }], 2).unwrap();
    let trees = select(folded(title, true, false, among(&["baumkataster"])));
    assert_eq!(index.select(&trees).unwrap().total, 0);
    let costly = Expression::And(vec![folded(keyword, true, false, among(&["a"])); PATTERNS_MAX + 1]);
    let refused = index.select(&select(costly)).unwrap_err();
    assert!(matches!(refused, SearchError::Query(QueryError::PatternTooCostly { .. })), "{refused}");
}

#[test]
fn conditions_are_joined_by_logic_also_where_all_exclude() {
    let soest = || is(NamedField::Town, SOEST);
    let csv = || is(NamedField::Format, "CSV");
    check(Expression::And(vec![soest(), csv()]), |row| row.0 == SOEST && row.5.contains(&"CSV"));
    check(Expression::Or(vec![soest(), csv()]), |row| row.0 == SOEST || row.5.contains(&"CSV"));
    check(not(soest()), |row| row.0 != SOEST);
    check(Expression::And(vec![not(soest()), not(csv())]), |row| row.0 != SOEST && !row.5.contains(&"CSV"));
    check(Expression::Or(vec![soest(), not(csv())]), |row| row.0 == SOEST || !row.5.contains(&"CSV"));
    check(not(Expression::And(vec![soest(), not(csv())])), |row| row.0 != SOEST || row.5.contains(&"CSV"));
    check(Expression::And(vec![]), |_| true);
    check(Expression::Or(vec![]), |_| false);
    check(Expression::Words("Baum -Straßen".into()), |row| row.2.contains("einem Baum"));
}

#[test]
fn of_few_words_all_are_wanted_and_of_more_one_may_be_missing() {
    check(Expression::Words("Bäume Unsinnwort".into()), |_| false);
    check(Expression::Words("Pflanzjahr Baumart Unsinnwort".into()), |row| row.1 == "Baumkataster");
    check(Expression::Words("Pflanzjahr Unsinnwort Quatschwort".into()), |_| false);
}

#[test]
fn moments_are_compared_with_open_and_closed_ends() {
    let index = index();
    let count = |field, from, to| index.select(&select(Expression::During(field, from, to))).unwrap().total;
    let all = ROWS.len() as u64;
    use MomentField::{Created, Modified};
    assert_eq!(count(Modified, Bound::Unbounded, Bound::Unbounded), all);
    assert_eq!(count(Modified, Bound::Included(1_000), Bound::Included(1_000)), 2);
    assert_eq!(count(Modified, Bound::Excluded(1_000), Bound::Unbounded), all - 2);
    assert_eq!(count(Modified, Bound::Unbounded, Bound::Excluded(1_001)), 2);
    assert_eq!(count(Created, Bound::Included(500), Bound::Unbounded), 1);
}

#[test]
fn orders_are_total_and_pages_join_into_one_walk() {
    let index = index();
    let all: Vec<usize> = (0..ROWS.len()).collect();
    for (sort, expected) in [
        (Sort::Id, all.clone()),
        (Sort::IdDescending, all.iter().rev().copied().collect()),
        (Sort::CreatedAscending, all.iter().rev().copied().collect()),
        (Sort::Created, all.clone()),
        // Two each were changed in the same second: the id decides.
        (Sort::ModifiedAscending, all.clone()),
    ] {
        let mut walked = Vec::new();
        for offset in 0.. {
            let page =
                SelectQuery { sort: vec![sort], offset: offset * 3, limit: 3, ..select(Expression::All) };
            let page = index.select(&page).unwrap();
            assert_eq!(page.total, ROWS.len() as u64);
            if page.ids.is_empty() {
                break;
            }
            walked.extend(places(&page));
        }
        assert_eq!(walked, expected, "{sort:?}");
    }
    let walked = |sort: &[Sort]| {
        let one = |offset| {
            let page = SelectQuery { sort: sort.to_vec(), offset, limit: 1, ..select(Expression::All) };
            places(&index.select(&page).unwrap())
        };
        (0..ROWS.len()).flat_map(one).collect::<Vec<_>>()
    };
    // Two each were changed in the same second: the next key decides, forwards or backwards.
    let pairs = |turned: bool| {
        all.chunks(2).flat_map(move |pair| {
            let mut pair = pair.to_vec();
            if turned {
                pair.reverse();
            }
            pair
        })
    };
    let (kept, turned): (Vec<_>, Vec<_>) = (pairs(false).collect(), pairs(true).collect());
    assert_eq!(walked(&[Sort::ModifiedAscending, Sort::Created]), kept);
    assert_eq!(walked(&[Sort::ModifiedAscending, Sort::CreatedAscending]), turned);
    assert_eq!(walked(&[Sort::ModifiedAscending, Sort::IdDescending]), turned);
    assert_eq!(walked(&[Sort::ModifiedAscending, Sort::Modified, Sort::Id, Sort::CreatedAscending]), kept);
    let by_title = |sort| {
        let found = index.select(&SelectQuery { sort: vec![sort], ..select(Expression::All) }).unwrap();
        places(&found)
    };
    let mut backwards = by_title(Sort::TitleDescending);
    backwards.reverse();
    assert_eq!(by_title(Sort::Title), backwards);
    let far = SelectQuery { offset: usize::MAX, ..select(Expression::All) };
    assert!(index.select(&far).unwrap().ids.is_empty());
}

#[test]
fn counts_are_of_the_whole_result_and_of_nothing_else() {
    let query = SelectQuery {
        limit: 0,
        facets: vec![Facet::Keyword, Facet::Town],
        ..select(is(NamedField::Town, SOEST))
    };
    let found = index().select(&query).unwrap();
    assert!(found.ids.is_empty());
    let towns: Vec<(&str, u64)> =
        found.facets[&Facet::Town].iter().map(|one| (one.value.as_str(), one.count)).collect();
    assert_eq!(towns, [(SOEST, found.total)]);
    let counted: BTreeSet<&str> =
        found.facets[&Facet::Keyword].iter().map(|one| one.value.as_str()).collect();
    let expected: BTreeSet<&str> =
        ROWS.iter().filter(|row| row.0 == SOEST).flat_map(|row| row.3.iter().copied()).collect();
    assert_eq!(counted, expected);
    assert_eq!(found.facets.len(), 2);
}

#[test]
fn the_audience_narrows_hits_and_counts_of_every_expression() {
    let mut records = records();
    for record in records.iter_mut().step_by(2) {
        record.class = "closed".to_owned();
    }
    let index = indexed(&records);
    let audience = Filters::from([(Facet::Class, vec!["open".to_owned()])]);
    let query = SelectQuery { audience, facets: vec![Facet::Class], ..select(Expression::All) };
    let found = index.select(&query).unwrap();
    assert!(places(&found).iter().all(|place| place % 2 == 1));
    assert_eq!(found.total, ROWS.len() as u64 / 2);
    assert_eq!(found.facets[&Facet::Class].len(), 1);
}

#[test]
fn what_costs_too_much_never_reaches_the_index() {
    let deep = (0..EXPRESSION_DEPTH_MAX).fold(Expression::All, |inner, _| not(inner));
    let refused = index().select(&select(deep));
    assert!(matches!(refused, Err(SearchError::Query(QueryError::NestedTooDeeply))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No pattern, value or text makes a search fail in another way than by a bound.
    #[test]
    fn any_letters_are_an_answer_or_a_named_bound(text in "\\PC{0,40}", at in 0_usize..18) {
        let field = [NamedField::Keyword, NamedField::Title, NamedField::Url][at % 3];
        let index = index();
        let pieces = vec![PatternPiece::Any, PatternPiece::Text(text.clone()), PatternPiece::One];
        for expression in [
            Expression::Words(text.clone()),
            Expression::Is(field, text.clone()),
            Expression::Like(field, Pattern(pieces)),
            Expression::Between(field, Bound::Included(text.clone()), Bound::Unbounded),
        ] {
            let answer = index.select(&select(expression));
            prop_assert!(matches!(answer, Ok(_) | Err(SearchError::Query(_))), "{answer:?}");
        }
    }
}

#[test]
fn conditions_on_columns_join_with_all_others_however_they_are_nested() {
    use node::search::{Area, Condition};
    let mut all = records();
    let area = Area { west: 1, south: 1, east: 2, north: 2 };
    all[0].area = Some(area);
    all[2].area = Some(Area { west: 5, east: 6, ..area });
    let index = indexed(&all);
    let total = |expression| index.select(&select(expression)).unwrap().total;
    let not = |part| Expression::Not(Box::new(part));
    let here = || Expression::Where(Condition::Touches(area));
    let soest = || Expression::Is(NamedField::Town, SOEST.to_owned());
    let of_soest = total(soest());
    assert_eq!((total(here()), total(not(here()))), (1, all.len() as u64 - 1));
    assert_eq!(total(Expression::And(vec![soest(), not(here())])), of_soest - 1);
    assert_eq!(total(Expression::Or(vec![soest(), here()])), of_soest);
    // tantivy's own range over a column panics where it is excluded from an intersection.
    let late = || Expression::During(MomentField::Modified, Bound::Included(1_700_000_003), Bound::Unbounded);
    let early = Expression::And(vec![soest(), not(Expression::And(vec![late(), not(here())]))]);
    let meant = all.iter().filter(|one| one.town == SOEST && one.modified < Some(1_700_000_003));
    assert_eq!(total(early), meant.count() as u64);
    let nothing = Expression::During(MomentField::Modified, Bound::Excluded(5), Bound::Excluded(6));
    assert_eq!(total(nothing), 0);
}
