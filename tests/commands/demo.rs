//! The demo's directories, and every command that reads them.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::binary::{Beside, command, hanse};
use crate::wait::until_blocking;

/// Open and closed records of each town in the catalog that comes with Hanse.
const RECORDS: [(&str, u64, u64); 5] =
    [("soest", 5, 3), ("arnsberg", 5, 3), ("menden", 4, 5), ("olpe", 5, 3), ("bad-berleburg", 4, 4)];

/// A demo that all tests here only read, made once. Tests that change one copy it.
fn prepared() -> &'static Path {
    static DEMO: OnceLock<tempfile::TempDir> = OnceLock::new();
    let demo = DEMO.get_or_init(|| {
        let temp = tempfile::tempdir().expect("a directory");
        let said = hanse("demo --dir {} --prepare-only --base-port 20100", temp.path()).done();
        assert!(said.contains("5 towns are ready"), "{said}");
        temp
    });
    demo.path()
}

/// A copy of one town's directory, so that tests do not wait for each other's locks.
pub(crate) fn copy(town: &str) -> tempfile::TempDir {
    let temp = tempfile::tempdir().expect("a directory");
    for entry in fs::read_dir(prepared().join(town)).expect("a directory") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            fs::copy(entry.path(), temp.path().join(entry.file_name())).expect("a copy");
        }
    }
    temp
}

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("a page has items")
}

#[test]
fn each_town_holds_its_own_records_and_no_others() {
    for (code, open, closed) in RECORDS {
        let town = copy(code);
        let page = hanse("list --dir {} --json", town.path()).json();
        assert_eq!(page["total"], open + closed, "{code}: {page}");
        assert!(items(&page).iter().all(|item| item["town_code"] == code), "{page}");
        let opened = hanse("list --dir {} --json --class open", town.path()).json();
        assert_eq!(opened["total"], open, "{code}");
        let status = hanse("status --dir {} --json", town.path()).json();
        assert_eq!(
            (&status["store"]["datasets"], &status["store"]["closed"]),
            (&open.into(), &closed.into())
        );
        assert_eq!(status["federation"]["charter_version"], 1, "{status}");
    }
}

#[test]
fn a_record_is_found_shown_and_explained_by_its_name() {
    let soest = copy("soest");
    let at = soest.path();
    assert!(hanse("list --dir {} Baum", at).done().contains("Baumkataster"));
    let record = hanse("show --dir {} baumkataster --json", at).json();
    assert_eq!((&record["title"]["de"], &record["verdict"]), (&"Baumkataster".into(), &"verified".into()));
    assert!(record["internal"].is_object(), "staff see the town's own notes: {record}");
    assert!(hanse("show --dir {} baumkataster", at).done().contains("title/de"));
    let history = hanse("history --dir {} baumkataster --json", at).json();
    let changes = history["changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 1, "no history of drafts is published: {history}");
    assert!(
        hanse("history --dir {} baumkataster", at).done().contains("title/de: (nothing) -> \"Baumkataster\"")
    );
    assert!(hanse("status --dir {}", at).done().contains("not running"));
}

#[test]
fn the_digest_says_what_is_held() {
    let (soest, same, olpe) = (copy("soest"), copy("soest"), copy("olpe"));
    let digest = |town: &tempfile::TempDir| hanse("digest --dir {} --audience open", town.path()).done();
    assert_eq!(digest(&soest).trim().len(), 64);
    assert_eq!(digest(&soest), digest(&same));
    assert_ne!(digest(&soest), digest(&olpe));
    let before = digest(&same);
    hanse("edit --dir {} baumkataster --set title.de=Bäume --offline", same.path()).done();
    assert_ne!(digest(&same), before);
}

#[test]
fn everything_verifies_and_a_changed_proof_does_not() {
    let soest = copy("soest");
    let at = soest.path();
    let found = hanse("verify --dir {} --json", at).json();
    assert_eq!((&found["closed"], &found["problems"]), (&3.into(), &Value::Array(Vec::new())), "{found}");
    assert!(found["documents"].as_u64() >= Some(5), "{found}");

    hanse("show --dir {} baumkataster --proof {}/b.proof", at).done();
    let status = hanse("status --dir {} --json", at).json();
    let federation = status["federation"]["id"].as_str().expect("a federation").to_owned();
    let said = hanse(&format!("verify {{}}/b.proof --federation {federation}"), at).done();
    assert!(said.contains("holds") && said.contains("Baumkataster"), "{said}");
    let other = if federation.starts_with('0') { "1" } else { "0" };
    let wrong = format!("{other}{}", &federation[1..]);
    hanse(&format!("verify {{}}/b.proof --federation {wrong}"), at)
        .refused(1, &["proves nothing", "federation"]);

    let proof = fs::read(at.join("b.proof")).expect("a proof");
    // Each part of the proof is hit, and none may pass.
    for at_byte in (20..proof.len()).step_by(proof.len() / 40) {
        let mut altered = proof.clone();
        altered[at_byte] ^= 1;
        fs::write(at.join("x.proof"), &altered).expect("a file");
        let said = hanse(&format!("verify {{}}/x.proof --federation {federation}"), at);
        assert!(matches!(said.code, Some(1 | 2)), "byte {at_byte} of {}: {said:?}", proof.len());
    }
}

#[test]
fn the_decoded_dump_holds_all_that_left_and_nothing_that_stays() {
    let soest = copy("soest");
    let closed = hanse("list --dir {} --json --class closed", soest.path()).json();
    let dump = hanse("dump-decoded --dir {}", soest.path()).done();
    // The positive control: what is open must be found, or the search is blind.
    assert!(dump.contains("Baumkataster"));
    for line in dump.lines() {
        let document: Value = serde_json::from_str(line).expect("a JSON line");
        assert_eq!(document["problem"], Value::Null, "{document}");
        assert!(!document["changes"][0]["operations"].as_array().expect("operations").is_empty());
    }
    let everything = hanse("dump-decoded --closed --dir {}", soest.path()).done();
    for record in items(&closed) {
        let (id, title) =
            (record["id"].as_str().expect("an id"), record["title"]["de"].as_str().expect("a title"));
        assert!(!dump.contains(id) && !dump.contains(title), "{title} has left");
        assert!(everything.contains(id) && everything.contains(title), "{title} is not dumped");
    }
}

#[test]
fn records_are_created_edited_and_published_without_a_running_node() {
    let soest = copy("soest");
    let at = soest.path();
    let made =
        hanse("create --dir {} --set title.de=Trimmpfade --set identifier=trimmpfade --json", at).json();
    assert_eq!((&made["class"], &made["document"]), (&"closed".into(), &Value::Null));
    hanse("edit --dir {} trimmpfade --set internal.notes=x --set description.de=Alle", at).done();
    let missing =
        hanse("publish --dir {} trimmpfade --offline", at).refused(2, &["contact", "distributions"]);
    assert!(missing.lines().count() > 3, "each obstacle has a line: {missing}");
    let id = made["id"].as_str().expect("an id");
    let open = "--set publisher.name=Soest --set contact.email=a@soest.example --set licence=http://dcat-ap.de/def/licenses/dl-zero-de/2.0 --set personal_data=keiner --set distributions=[{\"access_url\":\"https://a.example/1\"}] --set internal.responsible_role.role=Amt --set internal.responsible_role.mailbox=a@soest.example";
    hanse(&format!("edit --dir {{}} {id} {open}"), at).done();
    let refused = hanse(&format!("publish --dir {{}} {id}"), at);
    refused.refused(1, &["--offline"]);
    assert!(hanse(&format!("publish --dir {{}} {id} --offline"), at).done().contains("published"));
    assert_eq!(hanse(&format!("show --dir {{}} {id} --json"), at).json()["class"], "open");
    hanse(&format!("publish --dir {{}} {id} --offline"), at).refused(1, &["already"]);
    let stale = "00".repeat(32);
    hanse(&format!("edit --dir {{}} {id} --offline --set title.de=y --heads {stale}"), at)
        .refused(1, &["heads"]);
}

#[test]
fn a_second_start_continues_and_a_contradiction_is_refused() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    hanse("demo --dir {}/d --prepare-only --base-port 21100", at).done();
    hanse("edit --dir {}/d/olpe --offline --set title.de=Geändert fahrradabstellanlagen", at);
    let digest = hanse("digest --dir {}/d/olpe", at).done();
    hanse("demo --dir {}/d --prepare-only", at).done();
    assert_eq!(hanse("digest --dir {}/d/olpe", at).done(), digest, "a second start loads nothing twice");
    hanse("demo --dir {}/d --prepare-only --synthetic 3 --seed 9", at).refused(2, &["--seed 9", "seed 1"]);
    hanse("demo --dir {}/d --prepare-only --synthetic 3", at).done();
    assert_eq!(hanse("list --dir {}/d/olpe --json --class open", at).json()["total"], 8);
    hanse("demo --dir {}/d --prepare-only --base-port 22100", at).refused(2, &["22100", "21100"]);
    hanse("status --dir {}/d", at).refused(2, &["five directories of a demo", "soest"]);
    fs::remove_dir_all(at.join("d/olpe")).expect("an own directory");
    hanse("demo --dir {}/d --prepare-only", at).refused(1, &["olpe", "missing", "delete"]);
}

#[test]
fn own_records_are_read_from_a_file() {
    let temp = tempfile::tempdir().expect("a directory");
    let file = temp.path().join("mine.json");
    let town = |key: &str, code: &str| serde_json::json!({"town": key, "code": code, "name": code, "base_url": format!("https://{code}.example"), "mailbox": format!("a@{code}.example")});
    let records = serde_json::json!({
        "form": "hanse records 1",
        "towns": [town("05974040", "soest"), town("05966024", "olpe")],
        "records": [{"town": "olpe", "publish": false, "dataset": {"title": {"de": "Nur hier"}}}],
    });
    fs::write(&file, records.to_string()).expect("a file");
    hanse("demo --dir {}/d --prepare-only --base-port 23100 --records {}/mine.json", temp.path()).done();
    let page = hanse("list --dir {}/d/olpe --json", temp.path()).json();
    assert_eq!((&page["total"], &page["items"][0]["title"]["de"]), (&1.into(), &"Nur hier".into()));
}

#[test]
fn damage_is_named_with_what_is_lost() {
    let soest = copy("soest");
    let file = soest.path().join("replica.redb");
    let mut bytes = fs::read(&file).expect("a file");
    let middle = bytes.len() / 2;
    for byte in &mut bytes[64..middle] {
        *byte ^= 0x5a;
    }
    fs::write(&file, bytes).expect("a file");
    hanse("serve --dir {}", soest.path()).refused(1, &["replica.redb", "damaged", "other towns give back"]);
    hanse("verify --dir {}", soest.path()).refused(1, &["replica.redb", "damaged"]);

    let olpe = copy("olpe");
    fs::write(olpe.path().join("closed.redb"), b"nonsense").expect("a file");
    hanse("status --dir {}", olpe.path()).refused(1, &["closed.redb", "backup"]);
}

/// A base port of which all of the demo's ports are free now.
fn free_base() -> u16 {
    until_blocking("fifteen free ports", || {
        let chosen = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
        let base = chosen.local_addr().expect("a bound socket has an address").port();
        let mut ports = [0, 100, 200].into_iter().flat_map(|offset| (1..=5).map(move |town| offset + town));
        let free = base < 65_000 && ports.all(|port| TcpListener::bind(("127.0.0.1", base + port)).is_ok());
        free.then_some(base)
    })
}

#[test]
fn five_towns_run_in_one_process_until_they_are_told_to_stop() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let base = free_base().to_string();
    hanse(&format!("demo --dir {{}}/d --prepare-only --base-port {base}"), at).done();
    let mut digests = Vec::new();
    for start in 0..2 {
        let log = at.join(format!("log{start}"));
        let mut demo = command(["demo", "--live=1", "--dir"]);
        demo.arg(at.join("d"));
        let mut running = Beside::start(demo, &log);
        let said = || fs::read_to_string(&log).unwrap_or_default();
        let serves = |(code, ..): &(&str, u64, u64)| at.join("d").join(code).join("running.json").exists();
        until_blocking("every town to hold all 23 open records", || {
            assert!(running.child.try_wait().expect("the system tells").is_none(), "{}", said());
            let whole = |(code, ..): &(&str, u64, u64)| {
                let status = hanse(&format!("status --json --dir {{}}/d/{code}"), at);
                status.code == Some(0) && status.json()["store"]["datasets"] == 23
            };
            // Before that, asking would open the directory that the demo is about to open.
            RECORDS.iter().all(serves).then_some(())?;
            RECORDS.iter().all(whole).then_some(())
        });
        let changes = || hanse("status --json --dir {}/d/olpe", at).json()["store"]["changes"].as_u64();
        let before = changes();
        until_blocking("a live edit", || (changes() > before).then_some(()));
        assert_eq!(running.terminate(), Some(0), "{}", said());
        assert!(
            said().contains("TOWN") && said().contains("stopping") && !said().contains('\u{1b}'),
            "{}",
            said()
        );
        digests.push(hanse("digest --dir {}/d/soest", at).done());
    }
    assert_ne!(digests[0], digests[1], "the second start went on with live edits");
}
