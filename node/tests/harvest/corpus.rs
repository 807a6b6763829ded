//! The official examples and real catalogs, where they stand beside the
//! checkout.

use std::path::{Path, PathBuf};

use crdt::catalog::NewDataset;
use crdt::vocabulary::Vocabularies;
use node::harvest::page::{self, Page};

/// Every file below `standards/{examples,real-data}` that is RDF or CKAN.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/standards");
    let mut found = Vec::new();
    let mut waiting = vec![root.join("examples"), root.join("real-data")];
    while let Some(path) = waiting.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            waiting.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path
            .extension()
            .is_some_and(|end| ["rdf", "ttl", "jsonld", "json"].iter().any(|one| end == *one))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Result<Page, page::UnreadablePage> {
    let ending = path.extension().and_then(|end| end.to_str());
    page::read(std::fs::read(path).unwrap(), ending, Some("https://quelle.example/"), Vocabularies::builtin())
}

#[test]
fn every_file_is_read_or_refused_with_its_reason() {
    let files = files();
    if files.is_empty() {
        println!("skipped: the standards are not beside the checkout");
    }
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match read(&path) {
            Err(refused) => {
                println!("{name}: {refused}");
                assert!(!refused.problem.de.is_empty() && !refused.remedy.en.is_empty(), "{name}");
            }
            Ok(page) => {
                let mut whole = 0;
                for record in &page.records {
                    match &record.body {
                        Ok(body) => {
                            NewDataset::parse(body)
                                .unwrap_or_else(|error| panic!("{name}, {}: {error}", record.key));
                            whole += 1;
                        }
                        Err(reasons) => println!("{name}: {} refused: {}", record.key, reasons[0]),
                    }
                }
                println!("{name}: {whole} of {}", page.records.len());
                assert_eq!(
                    format!("{:?}", page.records),
                    format!("{:?}", read(&path).unwrap().records),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn real_catalogs_come_whole() {
    for (name, datasets, licence) in [
        ("rostock-opendata-hro-catalog-page.rdf", 100, "http://dcat-ap.de/def/licenses/cc-zero"),
        ("destatis-catalog.rdf", 135, "http://dcat-ap.de/def/licenses/dl-by-de/2.0"),
    ] {
        let Some(path) = files().into_iter().find(|path| path.ends_with(name)) else { continue };
        let page = read(&path).unwrap();
        assert_eq!(page.records.len(), datasets, "{name}");
        let mut licensed = 0;
        for record in &page.records {
            let body = record.body.as_ref().unwrap();
            for field in ["title", "description", "distributions", "themes", "publisher"] {
                assert!(body.get(field).is_some(), "{name}, {}: no {field}", record.key);
            }
            licensed += usize::from(body["licence"] == licence);
        }
        assert!(licensed * 10 >= datasets * 9, "{name}: {licensed} of {datasets} have the licence");
        for record in page.records.iter().flat_map(|record| &record.hints).take(30) {
            println!("{name}: {record}");
        }
    }
}
