//! Two towns found a federation by exchanging files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::binary::hanse;

fn two_towns(at: &Path) -> String {
    hanse("init --dir {}/a --town soest --ags 05974040 --address /ip4/127.0.0.1/tcp/8301", at).done();
    let said = hanse("init --dir {}/b --town olpe --ags 05966024", at).done();
    assert!(said.contains("Olpe (05966024)") && said.contains("member.json"), "{said}");
    hanse("charter found --name Probe --out {}/c.json {}/a/member.json {}/b/member.json", at).done();
    let shown = hanse("charter show --json {}/c.json", at).json();
    shown["fingerprint"].as_str().expect("a fingerprint").to_owned()
}

fn members_signed(charter: &Value) -> Vec<bool> {
    let members = charter["members"].as_array().expect("members");
    members.iter().map(|member| member["signed"].as_bool().expect("a bool")).collect()
}

#[test]
fn a_charter_counts_when_all_have_signed_it() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let print = two_towns(at);
    assert_eq!(members_signed(&hanse("charter show --json {}/c.json", at).json()), [false, false]);
    hanse("charter show --dir {}/a", at).refused(1, &["no federation yet"]);

    let said = hanse(&format!("charter sign {{}}/c.json --dir {{}}/a --fingerprint {print}"), at).done();
    assert!(said.contains("Outstanding: Olpe"), "{said}");
    hanse("charter show --dir {}/a", at).refused(1, &["no federation yet"]);
    let said = hanse(&format!("charter sign {{}}/c.json --dir {{}}/b --fingerprint {print}"), at).done();
    assert!(said.contains("Olpe belongs to the federation now"), "{said}");
    hanse(&format!("charter sign {{}}/c.json --dir {{}}/a --fingerprint {print}"), at).done();

    for town in ["a", "b"] {
        let charter = hanse(&format!("charter show --json --dir {{}}/{town}"), at).json();
        assert_eq!(
            (charter["fingerprint"].as_str(), members_signed(&charter)),
            (Some(print.as_str()), vec![true, true])
        );
        let status = hanse(&format!("status --json --dir {{}}/{town}"), at).json();
        assert_eq!(status["federation"]["id"].as_str(), Some(print.as_str()), "{status}");
    }
    let words = hanse("charter show {}/c.json", at).done();
    assert!(words.contains(&print[..4]) && words.contains("dials out only"), "{words}");
}

#[test]
fn copies_signed_apart_are_joined() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let print = two_towns(at);
    fs::copy(at.join("c.json"), at.join("d.json")).expect("a copy");
    hanse(&format!("charter sign {{}}/c.json --dir {{}}/a --fingerprint {print}"), at).done();
    hanse(&format!("charter sign {{}}/d.json --dir {{}}/b --fingerprint {print}"), at).done();
    let said =
        hanse(&format!("charter sign {{}}/c.json {{}}/d.json --dir {{}}/a --fingerprint {print}"), at).done();
    assert!(said.contains("All towns have signed"), "{said}");
}

#[test]
fn nothing_is_signed_without_the_right_fingerprint_or_key() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let print = two_towns(at);
    let other = if print.starts_with('0') { "1" } else { "0" };
    hanse("charter sign {}/c.json --dir {}/a --fingerprint 12ab", at).refused(2, &["12ab", "five groups"]);
    let wrong = format!("{other}{}", &print[1..]);
    hanse(&format!("charter sign {{}}/c.json --dir {{}}/a --fingerprint {wrong}"), at)
        .refused(1, &["telephone", "nothing was signed"]);
    hanse("init --dir {}/x --town menden --ags 05962040", at).done();
    hanse(&format!("charter sign {{}}/c.json --dir {{}}/x --fingerprint {print}"), at)
        .refused(2, &["not one of its members"]);
    assert_eq!(members_signed(&hanse("charter show --json {}/c.json", at).json()), [false, false]);
}

#[test]
fn charters_that_are_none_or_do_not_fit_are_refused() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let print = two_towns(at);
    hanse("charter found --name P --out {}/c.json {}/a/member.json", at).refused(2, &["c.json", "already"]);
    hanse("charter found --name P --out {}/e.json {}/a/member.json {}/a/member.json", at)
        .refused(2, &["05974040", "two"]);
    hanse("charter found --name P --out {}/e.json {}/c.json", at).refused(2, &["c.json"]);
    fs::write(at.join("x.json"), "{}").expect("a file");
    hanse("charter show {}/x.json", at).refused(2, &["x.json", "no charter file"]);
    let altered = fs::read_to_string(at.join("c.json")).expect("text").replacen(
        "\"charter\": \"8",
        "\"charter\": \"9",
        1,
    );
    fs::write(at.join("x.json"), altered).expect("a file");
    hanse("charter show {}/x.json", at).refused(2, &["x.json", "charter"]);
    hanse("charter found --name Andere --out {}/e.json {}/a/member.json {}/b/member.json", at).done();
    hanse(&format!("charter sign {{}}/c.json {{}}/e.json --dir {{}}/a --fingerprint {print}"), at)
        .refused(2, &["two different charters"]);
}
