//! Every command explains itself, and what is no command is said.

use std::path::Path;

use crate::binary::{command, hanse, run};

/// All commands, as a stranger finds them.
fn commands() -> Vec<String> {
    let help = hanse("--help", Path::new(".")).done();
    let listed =
        help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next()).expect("a list");
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_help_with_an_example() {
    let commands = commands();
    assert!(commands.len() >= 18, "{commands:?}");
    for name in commands.iter().map(String::as_str).chain(["charter found", "charter sign", "charter show"]) {
        let help = hanse(&format!("{name} --help"), Path::new(".")).done();
        assert!(help.contains("Usage: hanse"), "{name}: {help}");
        let example = format!("hanse {name}");
        assert!(name == "charter" || help.contains("Examples:"), "{name} has no examples: {help}");
        assert!(help.matches(&example).count() >= 2, "{name} shows no example of itself: {help}");
    }
}

#[test]
fn the_first_help_names_where_to_begin_and_the_exit_codes() {
    let help = hanse("--help", Path::new(".")).done();
    for word in ["hanse demo", "hanse help init", "Exit codes: 0", "1 refused", "2 wrong"] {
        assert!(help.contains(word), "`{word}` is missing: {help}");
    }
    let nothing = hanse("", Path::new("."));
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    assert!(nothing.err.contains("Commands:"), "{nothing:?}");
}

#[test]
fn an_unknown_command_or_option_is_named() {
    hanse("serv", Path::new(".")).refused(2, &["serv", "serve"]);
    hanse("serve --port 8", Path::new(".")).refused(2, &["--port"]);
    hanse("digest --audience shared", Path::new(".")).refused(2, &["shared", "open"]);
}

#[test]
fn completions_come_for_every_shell_and_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = hanse(&format!("completions {shell}"), Path::new(".")).done();
        for name in commands() {
            assert!(script.contains(&name), "{shell} does not know {name}");
        }
    }
}

#[test]
fn routes_are_listed_for_people_and_programs() {
    let table = hanse("routes", Path::new(".")).done();
    let json = hanse("routes --json", Path::new(".")).json();
    let routes = json.as_array().expect("a list");
    assert!(routes.len() >= 15, "{json}");
    for route in routes {
        assert!(table.contains(route["path"].as_str().expect("a path")), "{route}");
    }
    type Routes<'a> = Vec<&'a serde_json::Value>;
    let (reads, others): (Routes<'_>, Routes<'_>) = routes.iter().partition(|route| route["method"] == "GET");
    assert!(reads.iter().any(|route| route["listener"] == "public"), "{json}");
    let (desk, public): (Routes<'_>, Routes<'_>) =
        others.into_iter().partition(|route| route["listener"] == "desk");
    assert!(desk.len() >= 3 && desk.iter().all(|route| route["token"] == true), "{desk:?}");
    // What the public sends is a query: of CKAN's API, SPARQL, OAI-PMH or OGC API Records.
    let queries = ["/api/action/", "/api/3/action/", "/sparql", "/oai", "/collections/"];
    let is_query = |route: &serde_json::Value| {
        queries.iter().any(|query| route["path"].as_str().is_some_and(|path| path.starts_with(query)))
    };
    assert!(public.iter().all(|route| is_query(route)), "{public:?}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    use std::io::Read as _;
    let mut config = command(["config"]);
    let mut child = config.spawn().expect("the built program starts");
    // The pipe is closed before anything is read from it.
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert!(child.wait().expect("it ends").success(), "{said}");
    assert_eq!(said, "");
    assert!(run(command(["config"])).done().contains("[public]"));
}
