//! Bad input: each kind is refused with what, which value and what to do, and
//! nothing is changed.

use std::fs;

use crate::binary::{command, hanse, run};

const INIT: &str = "init --dir {}/t --town soest --ags 05974040 --address /ip4/127.0.0.1/tcp/8301";

#[test]
fn what_is_no_data_directory_is_refused_with_what_to_do() {
    let temp = tempfile::tempdir().expect("a directory");
    for name in [
        "serve",
        "status",
        "list",
        "digest",
        "token",
        "dump-decoded",
        "verify",
        "show x",
        "history x",
        "publish x",
        "edit x --set title.de=x",
        "create --set title.de=x",
        "tasks",
    ] {
        hanse(&format!("{name} --dir {{}}/nowhere"), temp.path()).refused(2, &["nowhere", "hanse init"]);
        hanse(&format!("{name} --dir {{}}"), temp.path()).refused(2, &["member.json", "hanse init"]);
    }
    assert_eq!(fs::read_dir(temp.path()).expect("a directory").count(), 0, "nothing was made");
}

#[test]
fn init_names_the_wrong_value() {
    let temp = tempfile::tempdir().expect("a directory");
    for (wrong, words) in [
        ("init --dir {}/t --town soest --ags 5974040", ["5974040", "8 digits"]),
        ("init --dir {}/t --town Soest --ags 05974040", ["Soest", "lower-case"]),
        (
            "init --dir {}/t --town soest --ags 05974040 --address hanse.soest.example",
            ["hanse.soest.example", "multiaddr"],
        ),
        ("init --dir {}/t --ags 05974040", ["--town", "Usage"]),
    ] {
        hanse(wrong, temp.path()).refused(2, &words);
    }
    hanse(INIT, temp.path()).done();
    let before = fs::read_to_string(temp.path().join("t/member.json")).expect("a member file");
    hanse(INIT, temp.path()).refused(2, &["already", "another path"]);
    assert_eq!(fs::read_to_string(temp.path().join("t/member.json")).expect("a member file"), before);
}

#[test]
fn settings_are_refused_by_key_and_value() {
    let temp = tempfile::tempdir().expect("a directory");
    hanse(INIT, temp.path()).done();
    let file = temp.path().join("t/hanse.toml");
    for (text, words) in [
        ("[public]\nlistn = \"127.0.0.1:1\"", ["public.listn", "listen"]),
        ("[public]\nlisten = \"everywhere\"", ["public.listen", "everywhere"]),
        ("[desk]\nlisten = 8201", ["desk.listen", "8201"]),
        ("[dsk]\nlisten = \"127.0.0.1:1\"", ["dsk", "hanse.toml"]),
        ("[store]\ncache_mb = 1", ["store.cache_mb", "65536"]),
        ("[public\n", ["hanse.toml", "line 1"]),
    ] {
        fs::write(&file, text).expect("settings can be written");
        for line in ["serve --dir {}/t", "status --dir {}/t", "config --check --dir {}/t"] {
            hanse(line, temp.path()).refused(2, &words);
        }
    }
    fs::write(&file, "[log]\nlevel = \"warn\"\n").expect("settings can be written");
    assert!(hanse("config --check --dir {}/t", temp.path()).done().contains("is right"));
    let mut checked = command(["config", "--check", "--dir"]);
    checked.arg(temp.path().join("t")).env("HANSE_DESK_LISTEN", "nowhere");
    run(checked).refused(2, &["HANSE_DESK_LISTEN", "nowhere"]);
    hanse("config --check --dir {}", temp.path()).refused(2, &["hanse.toml", "no such file"]);
}

#[test]
fn every_setting_is_in_the_reference_and_the_reference_is_valid() {
    let temp = tempfile::tempdir().expect("a directory");
    let reference = hanse("config", temp.path()).done();
    fs::write(temp.path().join("hanse.toml"), &reference).expect("settings can be written");
    hanse("config --check --dir {}", temp.path()).done();
    assert!(reference.matches("Default:").count() >= 10, "{reference}");
}

#[test]
fn fields_are_refused_by_name() {
    let temp = tempfile::tempdir().expect("a directory");
    hanse(INIT, temp.path()).done();
    for (wrong, words) in [
        ("create --dir {}/t --set titel.de=x", ["titel", "title"]),
        ("create --dir {}/t --set themes=[\"NOPE\"]", ["themes", "NOPE"]),
        ("create --dir {}/t --set title", ["title", "such as"]),
        ("create --dir {}/t --set themes=[x", ["JSON", "--json-file"]),
        ("create --dir {}/t --set title=x --set title.de=y", ["title", "group"]),
        ("create --dir {}/t --json-file {}/none.json", ["none.json", "read"]),
        ("create --dir {}/t", ["--set", "Usage"]),
        ("edit nothing --dir {}/t --set title.de=x", ["nothing", "hanse list"]),
        (
            "edit 6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10 --dir {}/t --set title.de=x --heads abc",
            ["abc", "change hash"],
        ),
        ("list --dir {}/t --limit 0", ["0", "1 to 100"]),
        ("list --dir {}/t --town atlantis", ["town", "atlantis"]),
    ] {
        hanse(wrong, temp.path()).refused(2, &words);
    }
    hanse("show --dir {}/t 6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", temp.path()).refused(1, &["nothing here"]);
    for (text, words) in [("[1]", ["not an object", "braces"]), ("{", ["not JSON", "line"])] {
        fs::write(temp.path().join("body.json"), text).expect("a file");
        hanse("create --dir {}/t --json-file {}/body.json", temp.path()).refused(2, &words);
    }
    assert!(hanse("list --dir {}/t --json", temp.path()).json()["total"] == 0, "nothing was made");
}

#[test]
fn the_demo_refuses_what_cannot_be() {
    let temp = tempfile::tempdir().expect("a directory");
    fs::write(temp.path().join("no.json"), "{").expect("a file");
    fs::write(
        temp.path().join("wrong.json"),
        r#"{"form": "hanse records 1", "towns": [{"town": "1", "code": "soest", "name": "Soest",
            "base_url": "https://a.example", "mailbox": "a@a.example"}], "records": [{"town": "olpe"}]}"#,
    )
    .expect("a file");
    for (wrong, words) in [
        ("demo --dir {}/d --prepare-only --base-port 65500", ["65500", "65271"]),
        ("demo --dir {}/d --prepare-only --base-port 0", ["--base-port", "1..="]),
        ("demo --dir {}/d --prepare-only --records {}/none.json", ["none.json", "read the records"]),
        ("demo --dir {}/d --prepare-only --records {}/no.json", ["no.json", "JSON"]),
        ("demo --dir {}/d --prepare-only --records {}/wrong.json", ["town 1", "8 digits"]),
        ("demo --dir {}/d --prepare-only --synthetic many", ["many", "--synthetic"]),
        ("demo --dir {}/d --live=0", ["--live", "0"]),
    ] {
        hanse(wrong, temp.path()).refused(2, &words);
    }
    assert!(!temp.path().join("d").exists(), "nothing was made");
}

#[test]
fn proofs_that_are_none_are_refused() {
    let temp = tempfile::tempdir().expect("a directory");
    fs::write(temp.path().join("x.proof"), b"no proof").expect("a file");
    let id = "00".repeat(32);
    hanse("verify {}/x.proof", temp.path()).refused(2, &["--federation"]);
    hanse(&format!("verify {{}}/none --federation {id}"), temp.path()).refused(2, &["none", "read"]);
    hanse(&format!("verify {{}}/x.proof --federation {id}"), temp.path())
        .refused(2, &["x.proof", "no proof"]);
    hanse("verify {}/x.proof --federation 12", temp.path()).refused(2, &["12", "32 bytes"]);
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let temp = tempfile::tempdir().expect("a directory");
    hanse(INIT, temp.path()).done();
    let key = temp.path().join("t/node.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("an own file");
    hanse("serve --dir {}/t", temp.path()).refused(1, &["node.key", "644", "chmod 600"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("an own file");
    let token = temp.path().join("t/desk.token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o604)).expect("an own file");
    hanse("token --dir {}/t", temp.path()).refused(1, &["desk.token", "chmod 600"]);
}
