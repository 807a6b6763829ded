//! Changes, several indexes at once, files, damage and rebuilding.

use super::*;

#[test]
fn an_edit_is_seen_by_the_next_search_and_a_removal_too() {
    let all = records();
    let index = indexed(&all);
    let mut edited = all[0].clone();
    edited.title_de = "Gehölzliste".to_owned();
    index.apply(&put(&[edited]), 2).unwrap();
    check_exactly(&index, "Gehölzliste", &["Gehölzliste"]);
    check_exactly(&index, "Baumkataster", &[]);
    index.apply(&[SearchChange::Remove { key: all[0].key.clone() }], 3).unwrap();
    assert_eq!(search(&index, "Gehölzliste").total, 0);
    assert_eq!((index.position(), index.records()), (Some(3), 13));
    index.apply(&[], 9).unwrap();
    assert_eq!(index.position(), Some(9));
}

#[test]
fn the_last_of_several_changes_to_a_record_counts() {
    let all = records();
    let index = SearchIndex::in_memory().unwrap();
    let mut second = all[0].clone();
    second.title_de = "Zweite Fassung".to_owned();
    let key = all[1].key.clone();
    let changes = [put(&all[..2]), put(&[second]), vec![SearchChange::Remove { key }]].concat();
    index.apply(&changes, 1).unwrap();
    assert_eq!(titles(&search(&index, "")), ["Zweite Fassung"]);
}

#[test]
fn the_order_of_indexing_and_the_number_of_edits_do_not_show() {
    let all = records();
    let at_once = indexed(&all);
    let one_by_one = SearchIndex::in_memory().unwrap();
    for (position, record) in all.iter().rev().enumerate() {
        let mut first = record.clone();
        first.title_de = "Entwurf Kataster Straße Wahl".to_owned();
        one_by_one.apply(&put(&[first]), position as u64).unwrap();
        one_by_one.apply(&put(std::slice::from_ref(record)), position as u64).unwrap();
    }
    for text in ["", "Kataster", "Straße", "Stadt Soest", "Wahl", "Spielplaz", "2024", "hund -nichts"] {
        let strip = |index: &SearchIndex| {
            let mut results = search(index, text);
            for hit in &mut results.hits {
                hit.score = 0.0;
            }
            results
        };
        assert_eq!(strip(&at_once), strip(&one_by_one), "results for `{text}` differ");
    }
}

#[test]
fn two_indexes_are_searched_as_one() {
    let all = records();
    let whole = indexed(&all);
    let (open, closed) = (indexed(&all[..9]), indexed(&all[9..]));
    for text in ["", "Stadt", "Kataster", "Wahl", "Plan", "Spielplaz Arnsberg"] {
        for sort in [Sort::Relevance, Sort::Modified, Sort::Title] {
            for offset in [0, 3] {
                let query = SearchQuery { sort, offset, limit: 4, ..query(text) };
                let merged = search_merged(&[&open, &closed], &query).unwrap();
                let expected = whole.search(&query).unwrap();
                assert_eq!(titles(&merged), titles(&expected), "`{text}` by {sort:?} from {offset}");
                assert_eq!((merged.total, merged.facets), (expected.total, expected.facets));
            }
        }
    }
}

#[test]
fn closed_records_in_their_own_index_change_nothing_for_the_public() {
    let all = records();
    let open = indexed(&all[..9]);
    let before = search(&open, "Wahl Kataster");
    let closed = indexed(&all[9..]);
    assert!(search(&closed, "Wahl").total > 0);
    assert_eq!(search(&open, "Wahl Kataster"), before);
}

#[test]
fn a_key_beyond_its_bound_is_refused_and_changes_nothing() {
    let all = records();
    let index = indexed(&all);
    let mut bad = all[0].clone();
    bad.key = "k".repeat(257);
    let changes = [put(&[record(50, &ROWS[0])]), put(&[bad])].concat();
    assert!(matches!(index.apply(&changes, 2), Err(ApplyError::Key { bytes: 257 })));
    assert_eq!((index.position(), index.records()), (Some(1), 14));
}

fn open(dir: &Path) -> (SearchIndex, OpenOutcome) {
    SearchIndex::open(dir, "store-a").unwrap()
}

fn rebuilt(dir: &Path, records: &[SearchRecord], position: u64) -> SearchIndex {
    let (index, outcome) = open(dir);
    assert_eq!(outcome, OpenOutcome::NeedsRebuild { reason: RebuildReason::Missing });
    let mut rebuild = index.begin_rebuild().unwrap();
    for record in records {
        rebuild.put(record).unwrap();
    }
    rebuild.finish(position).unwrap();
    index
}

#[test]
fn an_index_opens_where_it_stood() {
    let dir = tempfile::tempdir().unwrap();
    let all = records();
    let index = rebuilt(dir.path(), &all[..10], 10);
    for (number, record) in all.iter().enumerate().skip(10) {
        index.apply(&put(std::slice::from_ref(record)), number as u64 + 1).unwrap();
    }
    let before = search(&index, "Stadt");
    drop(index);
    let (index, outcome) = open(dir.path());
    assert_eq!((outcome, index.position(), index.records()), (OpenOutcome::Ready, Some(14), 14));
    assert_eq!(titles(&search(&index, "Stadt")), titles(&before));
}

#[test]
fn after_a_crash_at_any_edit_the_index_opens_at_an_earlier_one_and_catches_up() {
    let dir = tempfile::tempdir().unwrap();
    let all = records();
    let index = rebuilt(dir.path(), &all, 0);
    let edit = |number: usize| {
        let mut edited = all[number % all.len()].clone();
        edited.description_de = format!("Fassung {number}");
        put(&[edited])
    };
    let mut persisted = Vec::new();
    for number in 1..=70 {
        index.apply(&edit(number), number as u64).unwrap();
        if ![1, 20, 64, 66, 70].contains(&number) {
            continue;
        }
        // What is on the disk while the index is open is what a crash would leave.
        let crashed = tempfile::tempdir().unwrap();
        copy_all(dir.path(), crashed.path());
        let (survivor, outcome) = open(crashed.path());
        assert_eq!(outcome, OpenOutcome::Ready, "after {number} edits");
        let reached = survivor.position().unwrap();
        persisted.push(reached);
        assert!(reached <= number as u64 && survivor.records() == all.len() as u64);
        for again in reached as usize + 1..=number {
            survivor.apply(&edit(again), again as u64).unwrap();
        }
        assert_eq!(search(&survivor, "Fassung").hits.len(), search(&index, "Fassung").hits.len());
        assert_eq!(search(&survivor, &format!("Fassung {number}")).total, 1);
    }
    assert_eq!(persisted, [0, 0, 64, 64, 64]);
    index.persist().unwrap();
    let crashed = tempfile::tempdir().unwrap();
    copy_all(dir.path(), crashed.path());
    assert_eq!(open(crashed.path()).0.position(), Some(70));
}

#[test]
fn an_index_that_was_never_finished_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (index, outcome) = open(dir.path());
        assert_eq!(outcome, OpenOutcome::NeedsRebuild { reason: RebuildReason::Missing });
        assert_eq!((index.position(), search(&index, "Baum").total), (None, 0));
    }
}

#[test]
fn the_index_of_another_store_or_release_is_not_taken_for_ones_own() {
    let dir = tempfile::tempdir().unwrap();
    drop(rebuilt(dir.path(), &records(), 14));
    let (_, outcome) = SearchIndex::open(dir.path(), "store-b").unwrap();
    assert_eq!(outcome, OpenOutcome::NeedsRebuild { reason: RebuildReason::OtherSource });
}

/// Every file of the generation in use, without locks.
fn index_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let current = fs::read_to_string(dir.join("current")).unwrap();
    let mut files: Vec<_> =
        fs::read_dir(dir.join(current)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension != "lock"));
    files.sort();
    assert!(files.len() > 3, "{files:?}");
    files
}

/// What happens to a file, and its name.
type Damage = (&'static str, fn(&Path));

#[test]
fn damage_to_any_file_means_a_rebuild_and_not_a_failure() {
    let source = tempfile::tempdir().unwrap();
    let index = rebuilt(source.path(), &records(), 13);
    index.apply(&put(&records()[..1]), 14).unwrap();
    drop(index);
    let damages: [Damage; 4] = [
        ("flipped", |path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            fs::write(path, bytes).unwrap();
        }),
        ("cut short", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("emptied", |path| fs::write(path, b"").unwrap()),
        ("removed", |path| fs::remove_file(path).unwrap()),
    ];
    let names: Vec<_> = index_files(source.path());
    for file in names {
        let name = file.strip_prefix(source.path()).unwrap();
        for (how, damage) in damages {
            let dir = tempfile::tempdir().unwrap();
            copy_all(source.path(), dir.path());
            damage(&dir.path().join(name));
            let (index, outcome) = open(dir.path());
            assert!(
                matches!(outcome, OpenOutcome::NeedsRebuild { reason: RebuildReason::Damaged { .. } }),
                "{} {how}: {outcome:?}",
                name.display()
            );
            assert_eq!(search(&index, "").total, 0);
            index.apply(&put(&records()), 20).unwrap();
            check_finds(&index, "Kataster", &["Baumkataster"]);
        }
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_old_index_serves_until_the_rebuilt_one_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let all = records();
    let index = rebuilt(dir.path(), &all[..3], 3);
    let mut rebuild = index.begin_rebuild().unwrap();
    for record in all.iter().chain(&all[..2]) {
        rebuild.put(record).unwrap();
    }
    assert_eq!(search(&index, "").total, 3);
    index.apply(&put(&all[3..4]), 4).unwrap();
    assert_eq!((search(&index, "").total, index.position()), (4, Some(4)));
    rebuild.finish(14).unwrap();
    assert_eq!((search(&index, "").total, index.position()), (14, Some(14)));
    index.apply(&[SearchChange::Remove { key: all[0].key.clone() }], 15).unwrap();
    drop(index);
    let (index, outcome) = open(dir.path());
    assert_eq!((outcome, index.records(), index.position()), (OpenOutcome::Ready, 13, Some(15)));
    let generations =
        fs::read_dir(dir.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(generations.count(), 1);
}

#[test]
fn an_abandoned_rebuild_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let index = rebuilt(dir.path(), &records(), 14);
    let before = fs::read_dir(dir.path()).unwrap().count();
    let mut rebuild = index.begin_rebuild().unwrap();
    rebuild.put(&records()[0]).unwrap();
    drop(rebuild);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), before);
    assert_eq!(search(&index, "").total, 14);
}

#[test]
fn searches_go_on_while_changes_are_applied() {
    let index = indexed(&records());
    std::thread::scope(|scope| {
        let searching = scope.spawn(|| (0..50).map(|_| search(&index, "Kataster").total).max());
        for position in 0..30 {
            index.apply(&put(&[record(100 + position, &ROWS[0])]), position as u64 + 2).unwrap();
        }
        assert!(searching.join().unwrap() >= Some(2));
    });
    assert_eq!(index.records(), 44);
}

#[test]
fn bulk_mode_changes_nothing_but_memory() {
    let index = SearchIndex::in_memory().unwrap();
    index.set_bulk(true);
    index.apply(&put(&records()), 1).unwrap();
    index.set_bulk(false);
    index.apply(&put(&[record(60, &ROWS[1])]), 2).unwrap();
    assert_eq!(index.records(), 15);
}

#[test]
fn what_is_added_shows_with_the_next_changes_and_once() {
    let all = records();
    let index = SearchIndex::in_memory().unwrap();
    index.set_bulk(true);
    index.add(&put(&all[..3])).unwrap();
    assert_eq!((index.position(), index.records()), (None, 0));
    // As after a fault: the same again from where the index stands.
    index.add(&put(&all[..4])).unwrap();
    index.apply(&put(&all[4..5]), 7).unwrap();
    assert_eq!((index.position(), index.records()), (Some(7), 5));
    let mut bad = all[5].clone();
    bad.key = "k".repeat(257);
    index.add(&put(&[bad])).unwrap_err();
    index.apply(&put(&all[5..6]), 8).unwrap();
    assert_eq!((index.position(), index.records()), (Some(8), 6));
}

#[test]
fn one_edit_is_not_slowed_down_by_the_size_of_the_index() {
    // A generous bound that a wait for the disk or a rewrite of the index would exceed by far.
    const BOUND: Duration = Duration::from_secs(2);
    let dir = tempfile::tempdir().unwrap();
    let many: Vec<SearchRecord> =
        (0..1_500).map(|number| record(number, &ROWS[number % ROWS.len()])).collect();
    let index = rebuilt(dir.path(), &many, 1);
    let started = std::time::Instant::now();
    for position in 2..6 {
        index.apply(&put(&many[..1]), position).unwrap();
    }
    assert!(started.elapsed() < BOUND, "four edits took {:?}", started.elapsed());
}
