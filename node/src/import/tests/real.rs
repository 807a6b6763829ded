//! Records of 39 municipalities as they were published, where they are at hand.

use std::path::Path;

use super::*;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/standards/real-data/nrw-kommunen-2370-datensaetze-2020.csv"
);

#[tokio::test(flavor = "multi_thread")]
async fn real_records_come_in_and_each_rejected_one_has_its_reason() {
    let Ok(bytes) = std::fs::read(Path::new(FILE)) else {
        // A test run without them is complete too.
        return tracing::warn!("skipped: the real records are not at hand");
    };
    let node = soest();
    let report = import(&node, "nrw.csv", &bytes, options("nrw")).await;
    assert_eq!(report.read(), 2_370);
    assert_eq!(report.problems.len() as u64, report.rejected, "one reason each");
    assert!(report.rejected <= 25, "{}", sentences(&report.problems));
    for problem in &report.problems {
        let text = problem.in_lang(crdt::catalog::Lang::De);
        assert!(
            text.place.starts_with("Zeile ") && !text.reason.is_empty() && !text.remedy.is_empty(),
            "{text:?}"
        );
    }
    let records = records(&node);
    assert_eq!(records.len() as u64, report.created);
    let with = |has: fn(&LocalRecord) -> bool| records.iter().filter(|record| has(record)).count();
    assert!(
        with(|one| one.dataset.licence.is_some()) > 2_250,
        "{}",
        with(|one| one.dataset.licence.is_some())
    );
    assert!(
        with(|one| !one.dataset.themes.is_empty()) > 1_900,
        "{}",
        with(|one| !one.dataset.themes.is_empty())
    );
    assert_eq!(with(|one| one.dataset.class != Class::Closed), 0);

    let again = import(&node, "nrw.csv", &bytes, options("nrw")).await;
    assert_eq!(counts(&again), [0, 0, report.created, report.rejected]);
}
