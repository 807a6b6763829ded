//! What a record is known by: between sources only by what nobody gives twice.

use std::collections::BTreeSet;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn running_numbers_of_two_offices_are_different_records() {
    let node = soest();
    let youth = "ID;Titel;Verantwortlichkeit\n1;Spielplätze;Jugendamt\n2;Kitaplätze;Jugendamt\n";
    let works = "ID;Titel;Verantwortlichkeit\n1;Baustellen;Bauamt\n2;Brücken;Bauamt\n";
    import(&node, "jugendamt.csv", youth.as_bytes(), options("jugendamt")).await;
    let report = import(&node, "bauamt.csv", works.as_bytes(), options("bauamt")).await;
    assert_eq!(counts(&report), [2, 0, 0, 0], "{}", sentences(&report.hints));
    assert_eq!(records(&node).len(), 4);
    let identifiers: BTreeSet<_> =
        records(&node).into_iter().map(|one| one.dataset.identifier.unwrap().to_string()).collect();
    assert_eq!(identifiers.len(), 4, "no two records are called the same: {identifiers:?}");
    let hints = sentences(&report.hints);
    assert!(hints.contains("identifier „1“ hat schon der Datensatz"), "{hints}");
    assert!(hints.contains("„Spielplätze“, der derselbe sein könnte"), "{hints}");

    for (file, source) in [(youth, "jugendamt"), (works, "bauamt")] {
        let again = import(&node, "x.csv", file.as_bytes(), options(source)).await;
        assert_eq!(counts(&again), [0, 0, 2, 0], "within its source the number is known");
    }
    let newer = works.replace("Brücken", "Brücken und Stege");
    let report = import(&node, "bauamt.csv", newer.as_bytes(), options("bauamt")).await;
    assert_eq!(counts(&report), [0, 1, 1, 0]);
    let titles: Vec<_> =
        records(&node).into_iter().map(|one| one.dataset.title.de.unwrap().to_string()).collect();
    assert_eq!(titles, ["Baustellen", "Brücken und Stege", "Kitaplätze", "Spielplätze"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn short_identifiers_of_two_portals_are_different_records() {
    let node = soest();
    let portal = |host: &str, title: &str| {
        format!(
            "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n\
             <https://{host}.example/d/42> a dcat:Dataset ; dct:identifier \"42\" ; dct:title \"{title}\"@de ;\n\
             dct:description \"Liste.\"@de .\n"
        )
    };
    let first = import(&node, "a.ttl", portal("a", "Straßenverzeichnis").as_bytes(), options("a")).await;
    assert_eq!(counts(&first), [1, 0, 0, 0], "{}", sentences(&first.problems));
    for title in ["Straßenverzeichnis", "Radwege"] {
        let source = format!("b {title}");
        let file = portal(&title.len().to_string(), title);
        let report = import(&node, "b.ttl", file.as_bytes(), options(&source)).await;
        assert_eq!(counts(&report), [1, 0, 0, 0], "{title}");
        let again = import(&node, "b.ttl", file.as_bytes(), options(&source)).await;
        assert_eq!(counts(&again), [0, 0, 1, 0], "{title}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_another_source_are_hinted_at_or_known_again() {
    let node = soest();
    let list = "Titel;Kennung;Verantwortlichkeit\nBrunnen;b-1;Tiefbau\nBaumkataster;;Grün\n";
    import(&node, "a.csv", list.as_bytes(), options("a")).await;
    let [trees, _]: [LocalRecord; 2] = records(&node).try_into().unwrap();
    let uuid = trees.dataset.identifier.unwrap();
    // As a list that was exported here comes back: with Kennung, title and office.
    let other = format!(
        "Titel;Kennung;Verantwortlichkeit;Thema\nBrunnen;b-1;Tiefbau;Umwelt\nBäume;{uuid};;Umwelt\n\
         Brunnen;;Tiefbau;\nWasserspender;b-1;;Umwelt\n"
    );
    let other = other.replace("Wasserspender;b-1", "Wasserspender;B-1 alt");
    let report = import(&node, "b.csv", other.as_bytes(), options("b")).await;
    assert_eq!(counts(&report), [2, 2, 0, 0], "{}", sentences(&report.problems));
    let hints = sentences(&report.hints);
    assert!(
        hints.contains("Zeile 4, Spalte A „Titel“: title") && hints.contains("Titel zu 100 % gleich"),
        "{hints}"
    );
    let records = records(&node);
    let first =
        records.iter().find(|one| one.dataset.identifier.as_ref().unwrap().as_str() == "b-1").unwrap();
    assert!(!first.dataset.themes.is_empty(), "what was empty is filled");
    let trees = records.iter().find(|one| one.dataset.identifier.as_ref() == Some(&uuid)).unwrap();
    assert_eq!(trees.dataset.title.de.as_ref().unwrap().as_str(), "Baumkataster", "nothing is overwritten");
    assert!(node.tasks_of(trees.dataset.id).unwrap().iter().any(|task| task.field == "title/de"));
    let again = import(&node, "b.csv", other.as_bytes(), options("b")).await;
    assert_eq!(counts(&again), [0, 0, 4, 0]);
    let alone = import(&node, "c.csv", b"Titel;Kennung\nSitzbank;b-1\n", options("c")).await;
    assert_eq!(counts(&alone), [1, 0, 0, 0], "a short Kennung alone is no proof");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_exported_list_says_otherwise_of_a_published_record_becomes_a_task() {
    let node = soest();
    let body = json!({
        "title": "Baumkataster", "description": "Alle Bäume der Stadt mit Standort.", "themes": ["ENVI"],
        "licence": "dl-zero-de/2.0", "personal_data": "keiner", "hvd": "nein", "frequency": "ANNUAL",
        "keywords": ["Baum"], "internal": {"responsible_role": {"unit": "Grünflächen", "role": "Leitung", "mailbox": "gruen@soest.example"}}, "publisher": {"name": "Stadt Soest"},
        "contact": {"name": "Geodaten", "email": "geodaten@soest.example"},
        "distributions": [{"access_url": "https://daten.soest.example/baum.csv", "format": "CSV", "licence": "dl-zero-de/2.0"}],
    });
    let new = crdt::catalog::NewDataset::parse(&body).unwrap();
    let id = node.create(new).await.unwrap().id;
    let published = node.publish(id).await;
    assert!(published.is_ok(), "{published:?}");
    let same = format!("Kennung;Titel;Aktualisierungsfrequenz;Kommentar\n{id};Baumkataster;jährlich;\n");
    let report = import(&node, "liste.csv", same.as_bytes(), options("unverändert")).await;
    assert_eq!((counts(&report), report.hints.len()), ([0, 0, 1, 0], 0), "{}", sentences(&report.hints));
    let edited = same.replace("jährlich;", "täglich;geprüft");
    let report = import(&node, "liste.csv", edited.as_bytes(), options("liste")).await;
    assert_eq!(counts(&report), [0, 0, 1, 0]);
    let hints = sentences(&report.hints);
    assert!(hints.contains("frequency") && hints.contains("ist veröffentlicht"), "{hints}");
    let tasks: BTreeSet<_> = node.tasks_of(id).unwrap().into_iter().map(|task| task.field).collect();
    assert_eq!(tasks, ["frequency", "internal/notes"].map(str::to_owned).into());
    let again = import(&node, "liste.csv", edited.as_bytes(), options("liste")).await;
    assert_eq!((counts(&again), again.hints.len()), ([0, 0, 1, 0], 0), "a difference is told once");
}
