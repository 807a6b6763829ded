//! Sources over time: asked when it is their turn, slow, moving, changing their
//! names, and telling only what is new.

use std::sync::Arc;

use node::harvest::run::{HarvestError, ask_those_due};
use node::harvest::source::{Kind, SourceSpec};
use serde_json::json;
use tokio::sync::Notify;

use super::running::Town;
use super::server::{Answer, page};

const HOUR: i64 = 3600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_asked_when_it_is_its_turn_and_less_often_while_it_fails() {
    let town = Town::start().await;
    town.server.set("/catalog.ttl", Answer::turtle(page([1], None, None)));
    // How often the source was asked after each of these waits.
    let mut asked = 0;
    for (wait, times) in [(0, 1), (0, 1), (HOUR - 1, 1), (1, 2), (10 * HOUR, 3)] {
        town.wait(wait);
        ask_those_due(town.handle()).await;
        asked = times;
        assert_eq!(town.server.asked().len(), times, "after {wait} s");
    }
    town.server.set("/catalog.ttl", Answer::Status(500, String::new()));
    for (wait, again) in [(HOUR, true), (HOUR, false), (HOUR, true), (3 * HOUR, false), (HOUR, true)] {
        town.wait(wait);
        ask_those_due(town.handle()).await;
        asked += usize::from(again);
        assert_eq!(town.server.asked().len(), asked, "after {wait} s");
    }
    town.server.set("/catalog.ttl", Answer::Status(503, format!("Retry-After: {}\r\n", 20 * HOUR)));
    for (wait, again) in [(8 * HOUR, true), (16 * HOUR, false), (3 * HOUR, false), (HOUR, true)] {
        town.wait(wait);
        ask_those_due(town.handle()).await;
        asked += usize::from(again);
        assert_eq!(town.server.asked().len(), asked, "after {wait} s");
    }
    assert_eq!(town.titles(), ["1"], "nothing is lost meanwhile");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_source_hangs_nothing_and_can_be_looked_at() {
    let town = Town::start().await;
    let word = Arc::new(Notify::new());
    let slow = |answer| Answer::After(Arc::clone(&word), Box::new(answer));
    town.server.set("/catalog.ttl", Answer::turtle(page([1, 2], Some("/2"), Some(3))));
    town.server.set("/2", slow(Answer::turtle(page([3], None, Some(3)))));
    town.handle().begin_source("quelle").unwrap();
    let progress = || town.handle().harvests().progress("quelle");
    while progress().is_none_or(|progress| progress.pages < 1) {
        tokio::task::yield_now().await;
    }
    let source = town.handle().source("quelle").unwrap();
    assert!(source.tried.is_some() && source.walked.is_none() && source.problem.is_none(), "{source:?}");
    assert_eq!(progress().map(|progress| (progress.records, progress.total)), Some((2, Some(3))));
    assert!(matches!(town.handle().begin_source("quelle"), Err(HarvestError::Running(_))));
    assert!(matches!(town.handle().remove_source("quelle").await, Err(HarvestError::Running(_))));
    // Another source does not wait for it.
    town.server.set("/andere.ttl", Answer::turtle(page([9], None, None)));
    let other =
        SourceSpec { name: "andere".into(), url: town.server.url("/andere.ttl"), ..source.spec.clone() };
    town.handle().add_source(other).await.unwrap();
    assert_eq!(town.handle().run_source("andere").await.unwrap().counts.created, 1);
    assert_eq!(town.titles(), ["9"]);
    word.notify_one();
    while progress().is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(town.titles(), ["1", "2", "3", "9"]);

    // One that does not come to an end is stopped; nothing counts as gone.
    town.handle().begin_source("quelle").unwrap();
    while progress().is_none_or(|progress| progress.pages < 1) {
        tokio::task::yield_now().await;
    }
    town.handle().stop_source("quelle").unwrap();
    while progress().is_some() {
        tokio::task::yield_now().await;
    }
    let source = town.handle().source("quelle").unwrap();
    assert!(source.problem.is_some_and(|problem| problem.en.contains("stopped")));
    assert_eq!(town.titles(), ["1", "2", "3", "9"]);
    assert!(matches!(town.handle().stop_source("quelle"), Err(HarvestError::NotRunning(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_moves_while_it_is_read_deletes_nothing() {
    let town = Town::start().await;
    let pages = |first: &[u32], second: &[u32], total| {
        let page = |numbers: &[u32], next| page(numbers.iter().copied(), next, Some(total));
        town.server.set("/catalog.ttl", Answer::turtle(page(first, Some("/2"))));
        town.server.set("/2", Answer::turtle(page(second, None)));
    };
    pages(&[1, 2, 3], &[4, 5], 5);
    assert_eq!(town.run().await.counts.created, 5);
    let before = town.records();
    // First and second page: another order; one that came up while the first
    // page was read; one that fell behind; the same page twice; too few.
    for (first, second, total, complete) in [
        (&[5, 4, 3][..], &[2, 1][..], 5, true),
        (&[1, 2, 3], &[3, 4], 5, false),
        (&[1, 2, 3], &[5], 5, false),
        (&[1, 2, 3], &[1, 2, 3], 5, false),
        (&[1, 2], &[3], 5, false),
    ] {
        pages(first, second, total);
        let source = town.run().await;
        assert_eq!(source.problem.is_none(), complete, "{first:?} {second:?}: {:?}", source.problem);
        assert_eq!((source.counts.created, source.counts.deleted), (0, 0), "{first:?} {second:?}");
        assert_eq!(town.records(), before, "{first:?} {second:?}");
    }
    // One of the first page goes while the first page is read, and another moves up unseen.
    let numbers = |numbers: &[u32], next, total| page(numbers.iter().copied(), next, Some(total));
    town.server.set("/catalog.ttl", Answer::turtle(numbers(&[1, 2], Some("/2"), 5)));
    town.server.set("/2", Answer::turtle(numbers(&[4, 5], None, 4)));
    let source = town.run().await;
    assert!(source.problem.is_some_and(|problem| problem.en.contains("of 5 records first, then of 4")));
    assert_eq!(town.records(), before);
    // The same of a source that does not count: one walk is not enough.
    town.server.set("/catalog.ttl", Answer::turtle(page([1, 2], Some("/2"), None)));
    town.server.set("/2", Answer::turtle(page([4, 5], None, None)));
    let source = town.run().await;
    assert_eq!((source.problem, source.counts.deleted, source.missing.len()), (None, 0, 1));
    assert_eq!(
        source.next.map(|next| next.0 - town.handle().now().0),
        Some(600_000),
        "it is looked at again soon"
    );
    town.server.set("/2", Answer::turtle(page([3, 4, 5], None, None)));
    assert_eq!((town.run().await.counts.deleted, town.records()), (0, before), "it was there all the while");

    pages(&[1, 2, 3], &[4], 4);
    assert_eq!((town.run().await.counts.deleted, town.records().len()), (0, 5));
    assert_eq!((town.run().await.counts.deleted, town.records().len()), (1, 4), "then it is really gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_under_another_name_is_a_new_one_and_the_old_one_goes() {
    let town = Town::start().await;
    town.run_with(1..=20).await;
    let renamed = page(1..=20, None, None).replace("d/20>", "d/neu>").replace("q-20\"", "q-neu\"");
    town.server.set("/catalog.ttl", Answer::turtle(renamed));
    let source = town.run().await;
    assert_eq!((source.counts.created, source.counts.deleted, source.awaiting), (1, 1, 0));
    assert_eq!(town.titles().len(), 20, "it is there once");
    // All names at once are no such change: a person is asked.
    let all = page(1..=20, None, None).replace("/d/", "/neu/").replace("\"q-", "\"n-");
    town.server.set("/catalog.ttl", Answer::turtle(all));
    let source = town.run().await;
    assert_eq!((source.counts.deleted, source.awaiting), (0, 20), "{source:?}");
}

/// A package that was changed on a day of January.
fn package(number: u32, day: u32) -> serde_json::Value {
    let modified = format!("2026-01-{day:02}T00:00:00");
    json!({"id": format!("paket-mit-nummer-{number}"), "title": format!("Datensatz {number} vom {day}."), "metadata_modified": modified})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ckan_is_asked_for_what_is_new_and_once_a_day_as_a_whole() {
    let town = Town::reading(Kind::Ckan, "/").await;
    let answer = |packages: Vec<serde_json::Value>| {
        Answer::json(&json!({"success": true, "result": {"count": packages.len(), "results": packages}}))
    };
    let whole = "/api/3/action/package_search?sort=id+asc&rows=100&start=0";
    let since = |day: u32| {
        format!(
            "/api/3/action/package_search?fq=metadata_modified%3A%5B2026-01-{day:02}T00%3A00%3A00Z+TO+*%5D&sort=id+asc&rows=100&start=0"
        )
    };
    let last = || town.server.asked().last().unwrap().split(' ').nth(1).unwrap().to_owned();
    town.server.set(whole, answer((1..=4).map(|number| package(number, number)).collect()));
    let source = town.run().await;
    assert_eq!(
        (source.counts.created, source.newest.as_deref(), last()),
        (4, Some("2026-01-04T00:00:00"), whole.into())
    );

    town.wait(HOUR);
    town.server.set(&since(4), answer(vec![package(2, 9), package(4, 4)]));
    let source = town.run().await;
    assert_eq!((last(), source.counts.changed, source.counts.unchanged), (since(4), 1, 1));
    assert_eq!((source.counts.deleted, town.records().len()), (0, 4), "what is not told of is not gone");
    assert!(town.titles().contains(&"2 vom 9.".to_owned()), "{:?}", town.titles());

    town.wait(HOUR);
    town.server.set(&since(9), Answer::Status(503, String::new()));
    assert!(town.run().await.problem.is_some());
    town.server.set(&since(9), answer(vec![package(2, 9), package(5, 10)]));
    assert_eq!((town.run().await.counts.created, last()), (1, since(9)), "the failed walk skipped nothing");

    town.wait(24 * HOUR);
    town.server.set(whole, answer(vec![package(1, 1), package(2, 9), package(3, 3), package(5, 10)]));
    let source = town.run().await;
    assert_eq!((last(), source.counts.deleted, town.records().len()), (whole.into(), 1, 4));

    // One that cannot say what is new is asked for everything.
    town.wait(HOUR);
    town.server.set(&since(10), Answer::Status(409, String::new()));
    let source = town.run().await;
    assert_eq!((source.problem, last(), source.counts.unchanged), (None, whole.into(), 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_gives_the_same_records_on_every_page_is_left() {
    let town = Town::start().await;
    for number in 1..=5 {
        let (here, next) = (format!("/{number}"), format!("/{}", number + 1));
        town.server.set(&here, Answer::turtle(page([1, 2], Some(&next), None)));
    }
    town.server.set("/catalog.ttl", Answer::turtle(page([1, 2], Some("/1"), None)));
    let source = town.run().await;
    assert!(source.problem.is_some_and(|problem| problem.en.contains("does not turn the page")));
    assert_eq!((town.server.asked().len(), town.titles().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_records_at_once_are_never_few() {
    for held in [1, 3] {
        let town = Town::start().await;
        town.run_with(1..=held).await;
        let source = town.run_with([]).await;
        assert_eq!((source.counts.deleted, source.awaiting as u32), (0, held), "{source:?}");
        assert_eq!(town.titles().len() as u32, held);
    }
}
