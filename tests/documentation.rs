//! The documentation and the program say the same: every command, route and
//! setting is documented, and what the documents tell people to type exists.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn hanse(arguments: &[&str]) -> (bool, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_hanse")).args(arguments).output().expect("the program starts");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The documents that people read, as one text each with its name.
fn documents() -> Vec<(String, String)> {
    let mut found = vec![
        ("README.md".to_owned(), read("README.md")),
        ("CONTRIBUTING.md".to_owned(), read("CONTRIBUTING.md")),
    ];
    for entry in fs::read_dir(root().join("docs")).expect("there are documents") {
        let path = entry.expect("a readable directory").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.strip_prefix(root()).expect("below the root").display().to_string();
            found.push((name, read(&path)));
        }
    }
    found.sort();
    found
}

fn commands() -> Vec<String> {
    let (_, help) = hanse(&["--help"]);
    let listed =
        help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next()).expect("a list");
    let lines = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    lines
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Things of which the text does not speak.
fn missing<'a>(text: &str, things: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    things.into_iter().filter(|thing| !text.contains(thing)).collect()
}

/// `hanse …` in code of a document: the words after it, up to what a person fills in.
fn typed(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let code: Vec<&str> = if fenced { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for piece in code {
            for marker in ["cargo run -- ", "cargo run --release -- ", "hanse "] {
                let Some(at) = piece.find(marker) else { continue };
                let begins =
                    at == 0 || !piece[..at].ends_with(|c: char| c.is_alphanumeric() || "/_-.".contains(c));
                if begins {
                    let rest = &piece[at + marker.len()..];
                    let words = rest
                        .split_whitespace()
                        .take_while(|word| !word.starts_with(['#', '|', '>', '&', ';']));
                    found.push(
                        words.map(|word| word.trim_matches(['"', '\'', ',', '.', ')']).to_owned()).collect(),
                    );
                    break;
                }
            }
        }
    }
    found
}

#[test]
fn every_command_is_documented() {
    assert_eq!(missing("hanse serve", ["hanse serve", "hanse fly"]), ["hanse fly"], "the rule sees a gap");
    let documents: String = documents().into_iter().map(|(_, text)| text).collect();
    let commands: Vec<String> = commands().iter().map(|name| format!("hanse {name}")).collect();
    assert!(commands.len() >= 18, "{commands:?}");
    assert_eq!(missing(&documents, commands.iter().map(String::as_str)), [""; 0]);
}

#[test]
fn every_route_is_documented() {
    let (_, json) = hanse(&["routes", "--json"]);
    let routes: Vec<Value> = serde_json::from_str(&json).expect("a list of routes");
    assert!(routes.len() >= 15);
    let lines: Vec<String> = routes
        .iter()
        .map(|route| {
            let word = |name: &str| route[name].as_str().expect("a route has method and path").to_owned();
            format!("`{} {}`", word("method"), word("path"))
        })
        .collect();
    assert_eq!(missing(&read("docs/api.md"), lines.iter().map(String::as_str)), [""; 0]);
}

#[test]
fn every_setting_is_documented_with_its_variable() {
    let (_, reference) = hanse(&["config"]);
    let documented = read("docs/configuration.md");
    let keys: Vec<&str> = reference.lines().filter_map(|line| line.split("Variable: ").nth(1)).collect();
    assert!(keys.len() >= 10, "{keys:?}");
    assert_eq!(missing(&documented, keys), [""; 0]);
}

#[test]
fn what_the_documents_tell_to_type_exists() {
    assert_eq!(typed("Use `hanse fly --dir D` now"), [["fly", "--dir", "D"]]);
    let commands = commands();
    let mut seen = 0;
    // Formats are named there in the same form: `hanse seal 1`.
    let formats = ["docs/protocol.md", "docs/storage.md"];
    for (name, text) in documents().into_iter().filter(|(name, _)| !formats.contains(&name.as_str())) {
        for words in typed(&text) {
            let Some(command) =
                words.first().filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
            else {
                continue;
            };
            if command.starts_with('-') {
                continue;
            }
            seen += 1;
            let mut path: Vec<&str> = vec![command];
            if command == "help" {
                path = words
                    .iter()
                    .skip(1)
                    .take(1)
                    .map(String::as_str)
                    .filter(|word| commands.contains(&(*word).to_owned()))
                    .collect();
            } else {
                assert!(commands.contains(command), "{name}: there is no `hanse {command}`");
                if command == "charter" {
                    path.extend(words.get(1).map(String::as_str).filter(|word| !word.starts_with('-')));
                }
            }
            path.push("--help");
            let (fine, help) = hanse(&path);
            assert!(fine, "{name}: `hanse {}` does not exist", path.join(" "));
            for option in words.iter().filter(|word| word.starts_with("--") && word.len() > 2) {
                let option = option.split('=').next().unwrap_or(option);
                assert!(help.contains(option), "{name}: `hanse {command}` has no {option}");
            }
        }
    }
    assert!(seen >= 20, "only {seen} commands were found in the documents");
}

#[test]
fn links_between_documents_lead_somewhere() {
    for (name, text) in documents() {
        let folder = root().join(&name).parent().map(Path::to_path_buf).unwrap_or_default();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            assert!(folder.join(file).exists(), "{name} links to {link}, which is not there");
        }
    }
}
