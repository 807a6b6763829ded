//! `hanse vocabulary`: the lists of codes that a node goes by.

use clap::Subcommand;
use crdt::vocabulary::{List, Vocabularies, Vocabulary};

use super::Directory;
use crate::failure::Failure;
use crate::output;

/// Show the lists of codes: themes, licences, formats, frequencies and others
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A file in the folder vocabulary/ of the data directory takes the place of a list;
`hanse vocabulary show LIST --file` prints one to start from.

Examples:
  hanse vocabulary list
  hanse vocabulary show licences
  hanse vocabulary show formats --find Excel")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Name every list with its version and source
    List {
        #[command(flatten)]
        directory: Directory,
    },
    /// Print the codes of one list with their labels
    Show {
        #[command(flatten)]
        directory: Directory,
        /// Name of the list, as `hanse vocabulary list` shows it
        list: String,
        /// Only what this text may mean
        #[arg(long, value_name = "TEXT", conflicts_with = "file")]
        find: Option<String>,
        /// Print the list compiled in as a file, to be changed and put into vocabulary/
        #[arg(long)]
        file: bool,
    },
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::List { directory } => list(&*load(directory)?),
        Command::Show { list, file: true, .. } => output::raw(named(list)?.builtin_text()),
        Command::Show { directory, list, find, file: false } => {
            show(load(directory)?.list(named(list)?), find.as_deref())
        }
    }
}

fn load(directory: &Directory) -> Result<std::sync::Arc<Vocabularies>, Failure> {
    node::vocabulary::load(&directory.dir).map_err(Failure::input)
}

fn named(list: &str) -> Result<List, Failure> {
    List::parse(list).map_err(Failure::input)
}

fn list(lists: &Vocabularies) -> Result<(), Failure> {
    let row = |list: &Vocabulary| {
        vec![
            list.list().name().to_owned(),
            list.concepts().len().to_string(),
            list.version().to_owned(),
            list.source().to_owned(),
        ]
    };
    output::table(&["LIST", "CODES", "VERSION", "SOURCE"], &lists.iter().map(row).collect::<Vec<_>>())
}

fn show(list: &Vocabulary, find: Option<&str>) -> Result<(), Failure> {
    let concepts: Vec<_> = match find {
        Some(text) => list.suggest(text).into_iter().map(|one| (one.concept, Some(one.certainty))).collect(),
        None => list.concepts().iter().map(|concept| (concept, None)).collect(),
    };
    let rows: Vec<Vec<String>> = concepts
        .into_iter()
        .map(|(concept, certainty)| {
            let marks = concept.marks.iter().map(|mark| mark.name()).collect::<Vec<_>>().join(" ");
            let sure = certainty.map(|certainty| format!("{certainty:?}").to_lowercase());
            [
                Some(concept.name().to_owned()),
                sure,
                Some(concept.label.de.to_string()),
                Some(concept.label.en.to_string()),
                Some(marks),
            ]
            .into_iter()
            .flatten()
            .collect()
        })
        .collect();
    match find {
        Some(_) => output::table(&["CODE", "CERTAINTY", "GERMAN", "ENGLISH", "MARKS"], &rows),
        None => output::table(&["CODE", "GERMAN", "ENGLISH", "MARKS"], &rows),
    }
}
