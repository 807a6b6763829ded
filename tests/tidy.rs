//! The rules of the workspace that the compiler does not hold: which crate may
//! know which other, where an outside library has its home, how long a file
//! may grow.
//!
//! Each rule is a function over plain text that names what breaks it, and each
//! is first shown a planted breach, so that a rule that has gone blind fails.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest source file, in lines. Longer ones want a child module.
const FILE_LINES_MAX: usize = 700;

/// Crates that bring I/O, a clock or threads, in any depth below `crdt`.
const IMPURE: [&str; 10] =
    ["tokio", "libp2p", "redb", "tantivy", "axum", "hyper", "reqwest", "mio", "socket2", "rayon"];

/// Crates that `crdt` must not call itself; its dependencies bring some.
const IMPURE_DIRECT: [&str; 5] = ["getrandom", "rand", "rand_core", "fastrand", "clap"];

/// Libraries with which strangers, not the charter, would name the peers, or
/// that need more than a C compiler to build.
const UNWANTED_IN_BINARY: [&str; 6] =
    ["libp2p-gossipsub", "libp2p-kad", "libp2p-mdns", "libp2p-upnp", "openssl-sys", "rocksdb"];

/// A library and the only places that may name it.
const HOMES: [(&str, &[&str]); 18] = [
    ("automerge", &["crdt/src/document/", "crdt/src/document.rs"]),
    ("redb", &["node/src/store/", "node/src/store.rs"]),
    ("libp2p", &["node/src/network/", "node/src/network.rs"]),
    ("yamux", &["node/src/network/", "node/src/network.rs"]),
    ("tantivy", &["node/src/search/", "node/src/search.rs"]),
    (
        "oxrdf",
        &[
            "crdt/src/dcat/",
            "crdt/src/dcat.rs",
            "crdt/src/foreign/",
            "node/src/rdf/",
            "node/src/rdf.rs",
            "node/src/harvest/",
        ],
    ),
    ("oxrdfio", &["node/src/rdf/", "node/src/rdf.rs", "node/src/harvest/"]),
    ("spareval", &["node/src/rdf/"]),
    ("spargebra", &["node/src/rdf/"]),
    ("sparesults", &["node/src/rdf/"]),
    ("calamine", &["node/src/import/"]),
    ("csv", &["node/src/import/"]),
    ("encoding_rs", &["node/src/import/", "node/src/harvest/"]),
    ("rust_xlsxwriter", &["node/src/import/"]),
    ("rustix", &["node/src/import/"]),
    ("reqwest", &["node/src/harvest/fetch.rs", "src/"]),
    ("axum", &["web/src/"]),
    ("clap", &["src/"]),
];

const ALL_RUST: [&str; 9] =
    ["crdt/src", "crdt/tests", "node/src", "node/tests", "web/src", "web/tests", "src", "tests", "examples"];

const ALL_TEXT: [&str; 14] = [
    "crdt",
    "node",
    "web",
    "src",
    "tests",
    "examples",
    "docs",
    "scripts",
    ".ci",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Cargo.toml",
    "deny.toml",
];

/// A text file of the workspace, its path relative to the root and with `/`.
struct Source {
    path: String,
    text: String,
}

#[test]
fn crdt_depends_on_nothing_that_acts() {
    assert_eq!(named_crates("serde v1.0.0\ntokio v1.54.0 (*)\n", &IMPURE), ["tokio"]);
    assert_eq!(named_crates("rand_core v0.9.0", &IMPURE_DIRECT), ["rand_core"]);

    let whole = cargo_tree(&["-p", "crdt", "-e", "normal"]);
    assert!(whole.contains("automerge v"), "cargo tree lists what crdt needs:\n{whole}");
    assert_eq!(named_crates(&whole, &IMPURE), [""; 0]);
    let direct = cargo_tree(&["-p", "crdt", "-e", "normal", "--depth", "1"]);
    assert!(direct.contains("automerge v"));
    assert_eq!(named_crates(&direct, &IMPURE_DIRECT), [""; 0]);
}

#[test]
fn crates_point_one_way() {
    let direct = |package| cargo_tree(&["-p", package, "-e", "normal", "--depth", "1"]);
    assert_eq!(named_crates("node v0.1.0 (path)", &["node", "web"]), ["node"]);
    assert_eq!(named_crates(&direct("crdt"), &["node", "web", "hanse"]), [""; 0]);
    assert_eq!(named_crates(&direct("node"), &["web", "hanse"]), [""; 0]);
    assert_eq!(named_crates(&direct("web"), &["hanse"]), [""; 0]);
    assert_eq!(named_crates(&direct("web"), &["node"]), ["node"], "web stands on node");
}

#[test]
fn binary_carries_no_unwanted_library() {
    assert_eq!(named_crates("libp2p-kad v0.49.0", &UNWANTED_IN_BINARY), ["libp2p-kad"]);
    let tree = cargo_tree(&["-p", "hanse", "-e", "normal,build"]);
    assert!(tree.contains("libp2p-noise v"), "cargo tree reaches the network's libraries");
    assert_eq!(named_crates(&tree, &UNWANTED_IN_BINARY), [""; 0]);
}

#[test]
fn every_library_has_one_home() {
    let homes = HOMES[1].1;
    let stray = planted("node/src/handle.rs", "use redb::Database;\n// redb::Table is fine here\n");
    assert_eq!(strays(&stray, "redb", homes), ["node/src/handle.rs:1: use redb::Database;"]);
    let at_home = planted("node/src/store/replica.rs", "use redb::Database;");
    assert!(strays(&at_home, "redb", homes).is_empty());
    let namesake = planted("node/src/handle.rs", "let x = my_redb::open();");
    assert!(strays(&namesake, "redb", homes).is_empty());

    check(&rust_sources(&["crdt/src", "node/src", "web/src", "src"]), |source| {
        HOMES.iter().flat_map(|(library, homes)| strays(source, library, homes)).collect()
    });
}

#[test]
fn crdt_reads_no_clock_file_socket_or_chance() {
    for call in ["let now = std::time::Instant::now();", "use std::fs;", "uuid::Uuid::new_v4()"] {
        assert_eq!(impurities(&planted("crdt/src/gate.rs", call)).len(), 1, "{call}");
    }
    assert!(impurities(&planted("crdt/src/gate.rs", "// never Instant::now()")).is_empty());

    check(&rust_sources(&["crdt/src"]), impurities);
}

#[test]
fn no_arrow_points_back() {
    assert_eq!(wrong_arrows(&planted("crdt/src/sync.rs", "use node::Handle;")).len(), 1);
    assert_eq!(wrong_arrows(&planted("node/src/node.rs", "pub use web::router;")).len(), 1);
    assert!(wrong_arrows(&planted("web/src/router.rs", "use node::NodeHandle;")).is_empty());
    assert!(wrong_arrows(&planted("node/src/lib.rs", "use crate::node::Node;")).is_empty());

    check(&rust_sources(&["crdt/src", "node/src", "web/src"]), wrong_arrows);
}

#[test]
fn files_stay_readable() {
    assert!(overlong(&planted("a.rs", &"\n".repeat(FILE_LINES_MAX + 1))).is_some());
    assert!(overlong(&planted("a.rs", &"\n".repeat(FILE_LINES_MAX))).is_none());

    check(&rust_sources(&ALL_RUST), |source| overlong(source).into_iter().collect());
}

#[test]
fn modules_say_what_they_are_for() {
    assert!(without_module_doc(&planted("a.rs", "use std::fmt;\n")).is_some());
    assert!(without_module_doc(&planted("a.rs", "//! Gate.\nuse std::fmt;\n")).is_none());

    assert!(without_module_doc(&planted("gate/tests.rs", "use super::*;\n")).is_none());

    check(&rust_sources(&ALL_RUST), |source| without_module_doc(source).into_iter().collect());
}

#[test]
fn no_path_of_one_machine_is_named() {
    let path = format!("let file = \"/{}/anna/hanse\";", "home");
    assert_eq!(machine_paths(&planted("src/main.rs", &path)).len(), 1);
    assert!(machine_paths(&planted("src/main.rs", "get(\"/api/v1/datasets\")")).is_empty());

    check(&text_files(&ALL_TEXT), machine_paths);
}

/// Lines of `cargo tree --prefix none` that name one of `forbidden`.
fn named_crates<'a>(tree: &'a str, forbidden: &[&str]) -> Vec<&'a str> {
    tree.lines()
        // The first line is the package itself.
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| forbidden.contains(name))
        .collect()
}

/// Where `source` uses `library` outside its homes.
fn strays(source: &Source, library: &str, homes: &[&str]) -> Vec<String> {
    if homes.iter().any(|home| source.path.starts_with(home)) {
        return Vec::new();
    }
    let path = format!("{library}::");
    let import = format!("use {library};");
    matching_lines(source, |code| occurs_as_word(code, &path) || code.trim_start().starts_with(&import))
}

/// Where a file of `crdt` reads a clock, a file, a socket or chance.
fn impurities(source: &Source) -> Vec<String> {
    const CALLS: [&str; 12] = [
        "std::fs",
        "std::net",
        "std::env::var",
        "std::thread",
        "std::process",
        "Instant::now",
        "SystemTime::now",
        "Timestamp::now",
        "Zoned::now",
        "Uuid::new_v4",
        "Uuid::now_v7",
        "getrandom::",
    ];
    matching_lines(source, |code| CALLS.iter().any(|call| occurs_as_word(code, call)))
}

/// Imports against the direction `crdt ← node ← web ← src/main.rs`.
fn wrong_arrows(source: &Source) -> Vec<String> {
    let forbidden: &[&str] = match source.path.split('/').next() {
        Some("crdt") => &["node::", "web::", "hanse::"],
        Some("node") => &["web::", "hanse::"],
        Some("web") => &["hanse::"],
        _ => &[],
    };
    matching_lines(source, |code| {
        let code = code.trim_start();
        let import = code.strip_prefix("pub ").unwrap_or(code).strip_prefix("use ");
        import.is_some_and(|path| {
            let path = path.strip_prefix("::").unwrap_or(path);
            forbidden.iter().any(|arrow| path.starts_with(arrow))
        })
    })
}

/// Says so when the file is longer than [`FILE_LINES_MAX`].
fn overlong(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines, at most {FILE_LINES_MAX}", source.path))
}

/// Says so when a module does not open with what it is for.
fn without_module_doc(source: &Source) -> Option<String> {
    // A module called `tests` says it by its name.
    if source.path.rsplit('/').next() == Some("tests.rs") {
        return None;
    }
    let opens = source
        .text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with("#!["))
        .is_some_and(|line| line.starts_with("//!"));
    (!opens).then(|| format!("{}: does not open with `//!`", source.path))
}

/// Paths that exist on one machine only.
fn machine_paths(source: &Source) -> Vec<String> {
    // Assembled, so that this file does not name them itself.
    let roots = ["home", "work", "root", "Users"].map(|root| format!("/{root}/"));
    let opens_a_path = |before: Option<char>| {
        // The same word in the middle of a URL's path is no folder.
        before.is_none_or(|sign| sign.is_whitespace() || "\"'`(=:".contains(sign))
    };
    matching(
        source,
        |line| line,
        |line| {
            roots.iter().any(|root| {
                line.match_indices(root.as_str()).any(|(at, _)| opens_a_path(line[..at].chars().next_back()))
            })
        },
    )
}

/// Lines whose code, without comments, `matches` picks.
fn matching_lines(source: &Source, matches: impl Fn(&str) -> bool) -> Vec<String> {
    matching(source, |line| line.split("//").next().unwrap_or_default(), matches)
}

fn matching(source: &Source, part: impl Fn(&str) -> &str, matches: impl Fn(&str) -> bool) -> Vec<String> {
    source
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| matches(part(line)))
        .map(|(number, line)| format!("{}:{}: {}", source.path, number + 1, part(line).trim()))
        .collect()
}

/// Whether `needle` occurs in `code` other than as the end of a longer word.
fn occurs_as_word(code: &str, needle: &str) -> bool {
    code.match_indices(needle).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        before.is_none_or(|sign| !(sign.is_alphanumeric() || sign == '_' || sign == '"'))
    })
}

/// Fails with every breach at once, so that one run shows all that is to do.
fn check(sources: &[Source], rule: impl Fn(&Source) -> Vec<String>) {
    assert!(!sources.is_empty(), "the rule sees no file: has a folder moved?");
    let breaches: Vec<String> = sources.iter().flat_map(rule).collect();
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

fn planted(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn rust_sources(folders: &[&str]) -> Vec<Source> {
    let mut sources = text_files(folders);
    sources.retain(|source| source.path.ends_with(".rs"));
    sources
}

fn text_files(roots: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for root in roots {
        collect(&workspace().join(root), &mut found);
    }
    found
}

/// Every text file below `path`; build output and installed packages are not ours.
fn collect(path: &Path, found: &mut Vec<Source>) {
    let name = path.file_name().unwrap_or_default();
    if ["target", "node_modules", "screenshots"].iter().any(|skipped| name == *skipped) {
        return;
    }
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap();
        let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for entry in entries {
            collect(&entry, found);
        }
    } else if let Ok(text) = fs::read_to_string(path) {
        let relative = path.strip_prefix(workspace()).unwrap();
        let path = relative.to_string_lossy().replace('\\', "/");
        found.push(Source { path, text });
    }
}

fn cargo_tree(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(arguments)
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
