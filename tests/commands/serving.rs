//! Commands while a node is serving, and what keeps one from it.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use crdt::catalog::RecordEdit;
use crdt::ids::{DatasetId, UnixMillis};
use node::handle::{OpenNode, OpenOptions};
use serde_json::Value;

use crate::binary::{Beside, command, hanse, run};
use crate::wait::until_blocking;

/// Makes a town and serves it on ports that the system chooses.
pub(crate) fn serving(at: &Path) -> Beside {
    hanse("init --dir {} --town soest --ags 05974040", at).done();
    serve(at)
}

/// Serves a town that is there already, on ports that the system chooses.
fn serve(at: &Path) -> Beside {
    let settings =
        "[public]\nlisten = \"127.0.0.1:0\"\n[desk]\nlisten = \"127.0.0.1:0\"\n[network]\nlisten = []\n";
    std::fs::write(at.join("hanse.toml"), settings).expect("settings can be written");
    let mut serve = command(["serve", "--dir"]);
    serve.arg(at);
    let mut beside = Beside::start(serve, &at.join("log"));
    until_blocking("the node to serve", || {
        let log = || std::fs::read_to_string(at.join("log")).unwrap_or_default();
        assert!(beside.child.try_wait().expect("the system tells").is_none(), "{}", log());
        note(at).map(|_| ())
    });
    beside
}

fn note(at: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(at.join("running.json")).ok()?).ok()
}

#[test]
fn commands_go_through_the_running_node() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let mut node = serving(at);
    assert!(hanse("status --dir {}", at).done().contains("Soest"));
    let made = hanse("create --dir {} --set title.de=Brunnen --set identifier=brunnen --json", at).json();
    hanse("edit --dir {} brunnen --set title.de=Trinkbrunnen", at).done();
    let shown = hanse("show --dir {} brunnen --json", at).json();
    assert_eq!((&shown["title"]["de"], &shown["id"]), (&"Trinkbrunnen".into(), &made["id"]));
    hanse("edit --dir {} brunnen --set licence=geheim", at).refused(2, &["licence", "geheim"]);
    hanse("publish --dir {} brunnen", at).refused(1, &["no federation", "hanse charter"]);

    hanse("serve --dir {}", at).refused(1, &["in use", &node.child.id().to_string()]);
    for line in ["verify --dir {}", "dump-decoded --dir {}", "charter show --dir {}"] {
        hanse(line, at).refused(1, &["in use"]);
    }
    assert_eq!(node.terminate(), Some(0));
    assert_eq!(note(at), None, "the note goes with the node");
    assert_eq!(hanse("show --dir {} brunnen --json", at).json()["title"]["de"], "Trinkbrunnen");
}

#[test]
fn a_killed_node_leaves_nothing_in_the_way() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let mut node = serving(at);
    hanse("create --dir {} --set title.de=Bänke", at).done();
    node.kill();
    assert!(note(at).is_some(), "the note of a killed node stays");
    assert_eq!(hanse("list --dir {} --json", at).json()["total"], 1);
}

#[test]
fn a_new_token_counts_at_once() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let mut node = serving(at);
    let old = hanse("token --dir {}", at).done();
    assert_eq!(hanse("token --dir {}", at).done(), old, "asking changes nothing");
    let new = hanse("token --dir {} --renew", at).done();
    assert_ne!(new, old);
    assert_eq!(hanse("list --dir {} --json", at).json()["total"], 0, "commands use the new one");
    let file = at.join("desk.token");
    let held = std::fs::read(&file).expect("a token file");
    // A command that still has the old token, as another machine would.
    let running = std::fs::read(at.join("running.json")).expect("a note");
    let other = tempfile::tempdir().expect("a directory");
    for name in ["member.json", "hanse.toml"] {
        std::fs::copy(at.join(name), other.path().join(name)).expect("a copy");
    }
    std::fs::write(other.path().join("running.json"), running).expect("a file");
    std::fs::write(other.path().join("desk.token"), &old).expect("a file");
    private(&other.path().join("desk.token"));
    hanse("list --dir {}", other.path()).refused(1, &["token", "hanse token"]);
    assert_eq!(std::fs::read(&file).expect("a token file"), held);
    assert_eq!(node.terminate(), Some(0));
}

#[test]
fn a_clock_far_behind_the_newest_change_is_doubted() {
    let soest = super::demo::copy("soest");
    let at = soest.path();
    let page = hanse("list --dir {} --class open --json", at).json();
    let id: DatasetId = page["items"][0]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    // Another machine's clock, wrong by a thousand years, made the newest change.
    let clock = || UnixMillis(32_500_000_000_000);
    let options = OpenOptions { clock: Arc::new(clock), ..OpenOptions::default() };
    let node = OpenNode::open(at, options).expect("a directory that opens");
    node.handle().allow_publishing(true);
    let edit = RecordEdit::parse(&serde_json::json!({ "title": { "de": "Aus der Zukunft" } }));
    let edited = node.handle().edit(id, edit.expect("a title"), None);
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(edited)
        .expect("an edit");
    drop(node);
    let mut served = serve(at);
    let log = std::fs::read_to_string(at.join("log")).expect("what it printed");
    assert!(log.contains("one of the two clocks is wrong") && log.contains("2999"), "{log}");
    assert_eq!(served.terminate(), Some(0));
}

fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("an own file");
}

#[test]
fn a_taken_port_is_said_in_one_sentence() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    hanse("init --dir {}/t --town soest --ags 05974040", at).done();
    // Only a member of a federation listens for other towns.
    hanse("charter found --name Probe --out {}/c.json {}/t/member.json", at).done();
    let print = hanse("charter show --json {}/c.json", at).json()["fingerprint"].to_string();
    let print = print.trim_matches('"');
    hanse(&format!("charter sign {{}}/c.json --dir {{}}/t --fingerprint {print}"), at).done();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a bound socket has an address");
    for (variable, value, word) in [
        ("HANSE_PUBLIC_LISTEN", address.to_string(), "public.listen"),
        ("HANSE_DESK_LISTEN", address.to_string(), "desk.listen"),
        ("HANSE_NETWORK_LISTEN", format!("/ip4/127.0.0.1/tcp/{}", address.port()), "network.listen"),
    ] {
        let mut serve = command(["serve", "--dir"]);
        serve.arg(at.join("t"));
        serve.env("HANSE_PUBLIC_LISTEN", "127.0.0.1:0").env("HANSE_DESK_LISTEN", "127.0.0.1:0");
        serve.env("HANSE_NETWORK_LISTEN", "").env(variable, value);
        run(serve).refused(1, &[word, &address.port().to_string(), "taken"]);
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    hanse("init --dir {} --town soest --ags 05974040", at).done();
    hanse("create --dir {} --set title.de=Vorher", at).done();
    let body = at.join("body.json");
    let long = "Zu lang. ".repeat(3_000);
    std::fs::write(
        &body,
        serde_json::json!({"title": {"de": "Nachher"}, "description": {"de": long}}).to_string(),
    )
    .expect("a file");
    // Files may not grow beyond what they are: for the program a disk without room.
    let blocks = std::fs::metadata(at.join("closed.redb")).expect("a file").len().div_ceil(512);
    let mut made = 1;
    let refused = loop {
        assert!(made < 200, "the limit was never met");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "sh", &blocks.to_string()]);
        shell
            .arg(env!("CARGO_BIN_EXE_hanse"))
            .args(["create", "--dir"])
            .arg(at)
            .arg("--json-file")
            .arg(&body);
        shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let said = run(shell);
        if said.code != Some(0) {
            break said;
        }
        made += 1;
    };
    refused.refused(1, &["no space left", "nothing was changed"]);
    assert_eq!(hanse("list --dir {} --json", at).json()["total"], made, "what was acknowledged is there");
    hanse("create --dir {} --set title.de=Danach", at).done();
    assert_eq!(hanse("verify --dir {} --json", at).json()["problems"], serde_json::json!([]));
}
