//! Facets, filters, audiences, order and pages.

use super::*;

#[test]
fn facets_count_the_whole_result_and_not_the_page() {
    let index = indexed(&records());
    let results = index.search(&SearchQuery { limit: 1, ..query("") }).unwrap();
    assert_eq!((results.hits.len(), results.total), (1, ROWS.len() as u64));
    assert_eq!(counts(&results, Facet::Town), BTreeMap::from([(SOEST, 5), (ARNSBERG, 4), (MENDEN, 5)]));
    assert_eq!(counts(&results, Facet::Format)["CSV"], 9);
    assert_eq!(counts(&results, Facet::Theme)["REGI"], 3);
    assert_eq!(counts(&results, Facet::Class), BTreeMap::from([("open", 14)]));
    assert!(counts(&results, Facet::Frequency).is_empty());
    let formats = &results.facets[&Facet::Format];
    assert!(formats.is_sorted_by_key(|counted| std::cmp::Reverse(counted.count)));
}

#[test]
fn a_facets_own_filter_does_not_narrow_its_own_counts() {
    let index = indexed(&records());
    let filters = chosen(Facet::Town, &[SOEST]);
    let results = index.search(&SearchQuery { filters: filters.clone(), ..query("") }).unwrap();
    assert_eq!(results.total, 5);
    assert!(results.hits.iter().all(|hit| hit.record.town == SOEST));
    assert_eq!(counts(&results, Facet::Town)[MENDEN], 5, "what choosing Menden would add");
    assert_eq!(counts(&results, Facet::Theme)["ENVI"], 3, "narrowed by the town");
    let mut both = filters;
    both.extend(chosen(Facet::Theme, &["ENVI", "ECON"]));
    let results = index.search(&SearchQuery { filters: both, ..query("") }).unwrap();
    assert_eq!(results.total, 4);
    assert_eq!(counts(&results, Facet::Town), BTreeMap::from([(SOEST, 4), (ARNSBERG, 1)]));
    assert_eq!(counts(&results, Facet::Theme)["SOCI"], 1);
    let unknown = SearchQuery { filters: chosen(Facet::Town, &["00000000"]), ..query("") };
    let results = index.search(&unknown).unwrap();
    assert_eq!((results.total, counts(&results, Facet::Town)["00000000"]), (0, 0));
}

#[test]
fn what_the_audience_may_not_see_counts_nowhere() {
    let mut all = records();
    all[0].class = "shared".to_owned();
    all[0].domain = Some("Geheim".to_owned());
    let index = indexed(&all);
    let audience = chosen(Facet::Class, &["open"]);
    let public = |text: &str, filters: Filters| {
        index.search(&SearchQuery { audience: audience.clone(), filters, ..query(text) }).unwrap()
    };
    let results = public("", Filters::new());
    assert_eq!(results.total as usize, ROWS.len() - 1);
    assert_eq!(counts(&results, Facet::Class), BTreeMap::from([("open", 13)]));
    assert!(counts(&results, Facet::Domain).is_empty());
    assert_eq!(counts(&public("", chosen(Facet::Class, &["shared"])), Facet::Town).len(), 0);
    assert_eq!(public("Kronendurchmesser", Filters::new()).total, 0);
}

#[test]
fn pages_are_stable_and_end_at_the_bound() {
    let mut all = records();
    for record in &mut all {
        record.modified = None;
        record.title_de = "Gleich".to_owned();
    }
    all.reverse();
    let index = indexed(&all);
    for sort in [Sort::Relevance, Sort::Modified, Sort::Title] {
        for text in ["", "Gleich"] {
            let page = |offset| {
                let query = SearchQuery { sort, offset, limit: 5, ..query(text) };
                index.search(&query).unwrap().hits.into_iter().map(|hit| hit.record.key).collect::<Vec<_>>()
            };
            let keys = [page(0), page(5), page(10)].concat();
            assert_eq!(keys.len(), ROWS.len());
            assert!(keys.is_sorted(), "{sort:?}, `{text}`: ties are broken by key");
        }
    }
    let far = SearchQuery { offset: 9_999, limit: 2, ..query("") };
    let error = index.search(&far).unwrap_err();
    assert!(matches!(error, SearchError::Query(QueryError::PageTooFar { offset: 9_999, limit: 2 })));
}

#[test]
fn results_sort_by_change_and_by_german_title() {
    let index = indexed(&records());
    let sorted = |sort| {
        let results = index.search(&SearchQuery { sort, limit: 3, ..query("") }).unwrap();
        results.hits.into_iter().map(|hit| hit.record.title_de).collect::<Vec<_>>()
    };
    assert_eq!(
        sorted(Sort::Modified),
        ["Löschwasserentnahmestellen", "Kindertageseinrichtungen", "Haushaltsplan 2024"]
    );
    assert_eq!(sorted(Sort::Relevance), sorted(Sort::Modified), "nothing typed, the latest first");
    assert_eq!(
        sorted(Sort::Title)[..2],
        ["Baumkataster", "Bebauungsplanübersicht der Stadt Menden (Sauerland)"]
    );
}
