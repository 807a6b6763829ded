//! What an operator meets when setting a node up: every key explained, every
//! mistake named with its place and its remedy.

use std::fs;
use std::path::Path;

use node::config::{Config, FILE_NAME, Language, LogFormat};

const NOTHING: [(String, String); 0] = [];

#[test]
fn no_file_means_defaults() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(Config::load(directory.path(), NOTHING).unwrap(), Config::default());
    assert_eq!(Config::default().warnings(), [""; 0]);
}

#[test]
fn reference_says_every_key_and_is_the_default() {
    let reference = Config::reference();
    assert_eq!(Config::parse(&reference, Path::new(FILE_NAME)).unwrap(), Config::default());
    for key in ["listen = \"127.0.0.1:8101\"", "cache_mb = 64", "publish_offline = false"] {
        assert!(reference.lines().any(|line| line == key), "{key} is missing:\n{reference}");
    }
}

#[test]
fn documentation_holds_the_reference() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = fs::read_to_string(path).unwrap();
    assert!(
        page.contains(&format!("```toml\n{}```", Config::reference())),
        "the reference in docs/configuration.md is old: replace it with what `hanse config` prints"
    );
}

#[test]
fn written_settings_are_read_back() {
    let mut config = Config::default();
    config.node.language = Language::En;
    config.public.listen = "[::1]:9001".parse().unwrap();
    config.public.base_url = Some("https://daten.soest.example/".parse().unwrap());
    config.network.listen.clear();
    config.network.dial = vec!["/dns/hanse.olpe.example/tcp/8301/p2p/12D3KooW".to_owned()];
    config.log.format = LogFormat::Json;
    config.catch_up.timeout_s = 5;

    let text = config.to_toml();
    assert_eq!(Config::parse(&text, Path::new(FILE_NAME)).unwrap(), config);
    assert!(text.contains("\n#cache_mb = 64\n"), "defaults stay comments:\n{text}");
}

#[test]
fn environment_takes_precedence() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FILE_NAME), "[public]\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let environment = [
        ("HANSE_PUBLIC_LISTEN", "127.0.0.1:2"),
        ("HANSE_NETWORK_LISTEN", "/ip4/127.0.0.1/tcp/1, /ip6/::1/tcp/2"),
        ("HANSE_STORE_CHECK_INTEGRITY", "false"),
        ("HANSE_CATCH_UP_TIMEOUT_S", "7"),
        ("HANSE_UNRELATED", "left alone"),
    ];
    let config = Config::load(directory.path(), environment.map(owned)).unwrap();
    assert_eq!(config.public.listen.port(), 2);
    assert_eq!(config.network.listen, ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/2"]);
    assert!(!config.store.check_integrity);
    assert_eq!(config.catch_up.timeout_s, 7);
}

#[test]
fn the_two_listeners_may_change_places() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FILE_NAME), "[public]\nlisten = \"127.0.0.1:8201\"\n").unwrap();
    let swapped = [("HANSE_DESK_LISTEN", "127.0.0.1:8101")].map(owned);
    let config = Config::load(directory.path(), swapped).unwrap();
    assert_eq!((config.public.listen.port(), config.desk.listen.port()), (8201, 8101));
    let error = Config::load(directory.path(), NOTHING).unwrap_err().to_string();
    assert!(error.contains("the two listeners need two ports"), "{error}");
}

#[test]
fn mistakes_in_the_file_are_named() {
    let cases = [
        ("[public]\nlisten = 8101", "`public.listen` cannot be `8101`: give a text in quotation marks"),
        (
            "[public]\nlisten = \"soest:x\"",
            "`public.listen` cannot be `soest:x`: give an IP address and a port",
        ),
        ("[public]\nbase_url = \"daten.soest.example\"", "`public.base_url` cannot be"),
        ("[public]\nbase_url = \"https://soest.example/?a=1\"", "without user name, `?` and `#`"),
        ("[desk]\nlisten = \"127.0.0.1:8101\"", "`public.listen` is the same"),
        ("[network]\nlisten = [\"0.0.0.0:8301\"]", "`0.0.0.0:8301` does not fit"),
        ("[network]\nlisten = [\"/ip4/1.2.3.4/tcp/99999\"]", "does not fit"),
        ("[network]\ndial = [\"/ip4/1.2.3.4/tcp/8301\"]", "/p2p/12D3"),
        ("[store]\ncache_mb = 3", "`store.cache_mb` cannot be `3`: give a whole number from 4 to 65536"),
        ("[store]\ncache_mb = -1", "`store.cache_mb` cannot be `-1`"),
        ("[store]\ncheck_integrity = \"yes\"", "give true or false, without quotation marks"),
        ("[log]\nlevel = \"loud\"", "`log.level` cannot be `loud`: give one of off, error"),
        ("[node]\nlanguage = \"fr\"", "`node.language` cannot be `fr`"),
        ("[public]\nlitsen = \"127.0.0.1:1\"", "no key `public.litsen`; did you mean `public.listen`?"),
        ("[store]\nfrobnicate = 1", "no key `store.frobnicate`; `hanse config` prints all keys"),
        ("[pubic]\nlisten = \"127.0.0.1:1\"", "no key `pubic`; the sections are [node], [public]"),
        ("cache_mb = 64", "no key `cache_mb`; it belongs under `[store]`"),
        ("[public]\nlisten = \"127.0.0.1:1\"\n[public]\n", "line 3: "),
        ("[public\n", "line 1: "),
    ];
    for (text, expected) in cases {
        let error = Config::parse(text, Path::new("hanse.toml")).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?} gives: {error}");
        assert!(error.contains("`hanse.toml`"), "{text:?} does not name the file: {error}");
    }
}

#[test]
fn mistakes_in_the_environment_are_named() {
    let cases = [
        (("HANSE_PUBLIC_LITSEN", "x"), "no key `HANSE_PUBLIC_LITSEN`; did you mean `HANSE_PUBLIC_LISTEN`?"),
        (
            ("HANSE_STORE_CACHE_MB", "many"),
            "variable `HANSE_STORE_CACHE_MB`: `store.cache_mb` cannot be `many`",
        ),
        (("HANSE_STORE_CHECK_INTEGRITY", "no"), "give `true` or `false`"),
        (("HANSE_DESK_LISTEN", "127.0.0.1:8101"), "the two listeners need two ports"),
    ];
    for (variable, expected) in cases {
        let error = Config::default().override_from([owned(variable)]).unwrap_err().to_string();
        assert!(error.contains(expected), "{variable:?} gives: {error}");
    }
}

#[test]
fn unreadable_or_huge_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    let error = Config::load(directory.path(), NOTHING).unwrap_err().to_string();
    assert!(error.contains("read the settings"), "{error}");

    fs::write(&path, "#".repeat(300_000)).unwrap();
    let error = Config::load(directory.path(), NOTHING).unwrap_err().to_string();
    assert!(error.contains("300000 bytes, at most"), "{error}");
}

#[test]
fn risky_settings_are_pointed_out() {
    let text = "[desk]\nlisten = \"0.0.0.0:8201\"\n[store]\ncheck_integrity = false\n[catch_up]\npublish_offline = true";
    let warnings = Config::parse(text, Path::new(FILE_NAME)).unwrap().warnings();
    assert_eq!(warnings.len(), 3);
    assert!(warnings[0].contains("desk.listen is 0.0.0.0:8201"), "{warnings:?}");
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
