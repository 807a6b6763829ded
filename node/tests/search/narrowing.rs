//! What narrows a search beyond its words: places, times, names, and how they are joined.

use super::*;
use node::search::{Area, CONDITION_DEPTH_MAX, CONDITIONS_MAX, Condition, Span};

const SOEST_TOWN: Area = Area { west: 8_000_000, south: 51_500_000, east: 8_200_000, north: 51_620_000 };
const OLPE_TOWN: Area = Area { west: 7_770_000, south: 50_980_000, east: 7_930_000, north: 51_090_000 };

/// Records with and without places and times.
fn places() -> Vec<SearchRecord> {
    let at = |number: usize, area: Option<Area>, from: Option<i64>, to: Option<i64>| {
        let mut record = record(number, &ROWS[number]);
        (record.area, record.span) = (area, Span { from, to });
        record.issued = Some(1_600_000_000 + number as i64);
        record
    };
    vec![
        at(0, Some(SOEST_TOWN), Some(0), Some(99)),
        at(1, Some(OLPE_TOWN), Some(100), None),
        at(2, None, None, Some(50)),
        at(3, Some(Area { west: 8_200_000, ..SOEST_TOWN }), None, None),
        at(4, None, None, None),
    ]
}

fn numbers(index: &SearchIndex, condition: Condition) -> Vec<usize> {
    let query = SearchQuery { condition: Some(condition), limit: 100, ..SearchQuery::default() };
    let results = index.search(&query).unwrap();
    assert_eq!(results.total as usize, results.hits.len());
    let mut found: Vec<usize> =
        results.hits.iter().map(|hit| usize::from_str_radix(&hit.record.key, 16).unwrap()).collect();
    found.sort_unstable();
    found
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

#[test]
fn places_that_touch_are_found_and_those_without_one_on_request() {
    let index = indexed(&places());
    assert_eq!(numbers(&index, Condition::Touches(SOEST_TOWN)), [0, 3]);
    assert_eq!(numbers(&index, Condition::Touches(OLPE_TOWN)), [1]);
    let beside = Area { west: 8_200_001, east: 9_000_000, ..SOEST_TOWN };
    assert_eq!(numbers(&index, Condition::Touches(beside)), [0; 0], "a hair away is away");
    let lenient = Condition::Any(vec![Condition::Touches(OLPE_TOWN), not(Condition::HasArea)]);
    assert_eq!(numbers(&index, lenient), [1, 2, 4]);
}

#[test]
fn times_that_overlap_are_found_open_ends_included() {
    let index = indexed(&places());
    let during = |from, to| numbers(&index, Condition::During(Span { from, to }));
    assert_eq!(during(Some(50), Some(50)), [0, 2]);
    assert_eq!(during(Some(51), Some(99)), [0]);
    assert_eq!(during(Some(100), None), [1]);
    assert_eq!(during(None, Some(-1)), [2]);
    assert_eq!(during(None, None), [0, 1, 2]);
    assert_eq!(numbers(&index, not(Condition::HasSpan)), [3, 4]);
}

#[test]
fn names_values_and_moments_narrow_too() {
    let index = indexed(&places());
    let id = "6F2C1A5E-0000-4000-8000-000000000003";
    let ids = [id, "https://daten.example/dataset/1"].map(|id| Condition::Id(id.to_owned()));
    assert_eq!(numbers(&index, Condition::Any(ids.to_vec())), [1, 3]);
    assert_eq!(numbers(&index, Condition::Has(Facet::Theme, "SOCI".into())), [2, 3]);
    assert_eq!(numbers(&index, Condition::Has(Facet::Theme, "SOC".into())), [0; 0]);
    let modified = Span { from: Some(1_700_000_003), to: None };
    assert_eq!(numbers(&index, Condition::Modified(modified)), [3, 4]);
    let issued = Span { from: None, to: Some(1_600_000_000) };
    assert_eq!(numbers(&index, Condition::Issued(issued)), [0]);
    assert_eq!(numbers(&index, Condition::All(vec![])).len(), 5);
    assert_eq!(numbers(&index, Condition::Any(vec![])), [0; 0]);
}

#[test]
fn words_counts_and_audiences_go_with_the_conditions() {
    let index = indexed(&places());
    let asked = SearchQuery {
        text: "Spielplatz".to_owned(),
        condition: Some(Condition::Touches(SOEST_TOWN)),
        facets: true,
        limit: 10,
        ..SearchQuery::default()
    };
    let results = index.search(&asked).unwrap();
    assert_eq!(titles(&results), ["Spielplatzstandorte Arnsberg 2023"]);
    assert_eq!(counts(&results, Facet::Town), BTreeMap::from([(ARNSBERG, 1)]));
    let audience = chosen(Facet::Class, &["closed"]);
    assert_eq!(index.search(&SearchQuery { audience, ..asked }).unwrap().total, 0);
}

#[test]
fn too_many_or_too_deep_conditions_are_refused() {
    let index = indexed(&places());
    let ask = |condition| {
        index.search(&SearchQuery { condition: Some(condition), limit: 1, ..SearchQuery::default() })
    };
    let many = |count| Condition::Any(vec![Condition::HasArea; count]);
    assert!(ask(many(CONDITIONS_MAX)).is_ok());
    let error = ask(many(CONDITIONS_MAX + 1)).unwrap_err();
    assert!(matches!(error, SearchError::Query(QueryError::TooManyConditions { .. })), "{error}");
    let deep = |levels| (0..levels).fold(Condition::HasArea, |inner, _| not(inner));
    assert!(ask(deep(CONDITION_DEPTH_MAX - 1)).is_ok());
    let error = ask(deep(CONDITION_DEPTH_MAX)).unwrap_err();
    assert!(matches!(error, SearchError::Query(QueryError::TooDeep { .. })), "{error}");
}

/// What a condition means, said without an index.
fn holds(condition: &Condition, record: &SearchRecord) -> bool {
    let within = |moment: Option<i64>, span: &Span| {
        moment.is_some_and(|at| span.from.is_none_or(|from| from <= at) && span.to.is_none_or(|to| at <= to))
    };
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, record)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, record)),
        Condition::Not(part) => !holds(part, record),
        Condition::Touches(asked) => record.area.is_some_and(|area| {
            let apart = area.east < asked.west
                || asked.east < area.west
                || area.north < asked.south
                || asked.north < area.south;
            !apart
        }),
        Condition::During(asked) => {
            let before = |end: Option<i64>, start: Option<i64>| matches!((end, start), (Some(end), Some(start)) if end < start);
            !record.span.is_boundless()
                && !before(record.span.to, asked.from)
                && !before(asked.to, record.span.from)
        }
        Condition::HasArea => record.area.is_some(),
        Condition::HasSpan => !record.span.is_boundless(),
        Condition::Has(Facet::Town, town) => record.town == *town,
        Condition::Modified(span) => within(record.modified, span),
        Condition::Issued(span) => within(record.issued, span),
        other => unreachable!("{other:?} is not generated"),
    }
}

fn areas() -> impl Strategy<Value = Area> {
    (-4..4i32, -4..4i32, 0..4i32, 0..4i32).prop_map(|(west, south, wide, high)| Area {
        west,
        south,
        east: west + wide,
        north: south + high,
    })
}

fn spans() -> impl Strategy<Value = Span> {
    (proptest::option::of(-4..4i64), proptest::option::of(-4..4i64))
        .prop_map(|(from, to)| Span { from: from.min(to.or(from)), to: to.max(from.and(to)) })
}

fn conditions() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        areas().prop_map(Condition::Touches),
        spans().prop_map(Condition::During),
        Just(Condition::HasArea),
        Just(Condition::HasSpan),
        prop_oneof![Just(SOEST), Just(MENDEN)].prop_map(|town| Condition::Has(Facet::Town, town.to_owned())),
        spans().prop_map(Condition::Modified),
        spans().prop_map(Condition::Issued),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(not),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_condition_finds_what_it_means(
        located in proptest::collection::vec((proptest::option::of(areas()), spans()), ROWS.len()),
        conditions in proptest::collection::vec(conditions(), 8),
    ) {
        let records: Vec<SearchRecord> = located
            .into_iter()
            .zip(records())
            .enumerate()
            .map(|(number, ((area, span), record))| SearchRecord {
                area,
                span,
                modified: (number % 3 > 0).then_some(number as i64 - 5),
                issued: (number % 2 > 0).then_some(number as i64 - 7),
                ..record
            })
            .collect();
        let index = indexed(&records);
        for condition in conditions {
            let meant: Vec<usize> =
                (0..records.len()).filter(|number| holds(&condition, &records[*number])).collect();
            prop_assert_eq!(numbers(&index, condition.clone()), meant, "{:?}", condition);
        }
    }
}
