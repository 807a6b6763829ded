//! The tree of commands. Each has a file of its own with its arguments, its
//! help and what it does; this one only names and calls them.

mod catalog;
mod charter;
mod check;
mod completions;
mod config;
mod create;
mod demo;
mod digest;
mod dump;
mod duplicates;
mod edit;
mod export;
mod history;
mod import;
mod init;
mod list;
mod publish;
mod read_import;
mod reindex;
mod routes;
mod serve;
mod show;
mod source;
mod status;
mod tasks;
mod token;
mod verify;
mod vocabulary;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::failure::{EXIT_CODES, Failure};

/// A federated catalog of municipal data: one node per town, no centre
///
/// Every town runs one node and keeps its own records in one data directory.
/// Open records reach every other town by themselves; closed ones never leave.
#[derive(Debug, Parser)]
#[command(
    name = "hanse",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = format!("\
Begin with:
  hanse demo                      five towns on this machine, with invented records
  hanse help init                 the first step of a real town

{EXIT_CODES}")
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Charter(charter::Args),
    Serve(serve::Args),
    Token(token::Args),
    Status(status::Args),
    List(list::Args),
    Show(show::Args),
    Create(create::Args),
    Edit(edit::Args),
    Check(check::Args),
    Publish(publish::Args),
    Catalog(catalog::Args),
    Export(export::Args),
    History(history::Args),
    Reindex(reindex::Args),
    Import(import::Args),
    Tasks(tasks::Args),
    Duplicates(duplicates::Args),
    Source(source::Args),
    Digest(digest::Args),
    Verify(verify::Args),
    DumpDecoded(dump::Args),
    Vocabulary(vocabulary::Args),
    Routes(routes::Args),
    Config(config::Args),
    Completions(completions::Args),
    ReadImport(read_import::Args),
}

/// Which node.
#[derive(Debug, clap::Args)]
pub(crate) struct Directory {
    /// Data directory of the node
    #[arg(long, value_name = "DIR", env = "HANSE_DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
}

/// Does what was asked.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Completions(args) => completions::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Vocabulary(args) => vocabulary::run(&args),
        Command::Routes(args) => routes::run(&args),
        Command::ReadImport(args) => read_import::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Charter(args) => charter::run(&args),
        Command::Digest(args) => waiting(digest::run(args)),
        Command::Verify(args) => verify::run(&args),
        Command::DumpDecoded(args) => dump::run(&args),
        Command::Demo(args) => waiting(demo::run(args)),
        Command::Serve(args) => waiting(serve::run(args)),
        Command::Status(args) => waiting(status::run(args)),
        Command::List(args) => waiting(list::run(args)),
        Command::Show(args) => waiting(show::run(args)),
        Command::Create(args) => waiting(create::run(args)),
        Command::Edit(args) => waiting(edit::run(args)),
        Command::Check(args) => waiting(check::run(args)),
        Command::Publish(args) => waiting(publish::run(args)),
        Command::Catalog(args) => waiting(catalog::run(args)),
        Command::Export(args) => waiting(export::run(args)),
        Command::History(args) => waiting(history::run(args)),
        Command::Reindex(args) => waiting(reindex::run(args)),
        Command::Import(args) => waiting(import::run(args)),
        Command::Tasks(args) => waiting(tasks::run(args)),
        Command::Duplicates(args) => waiting(duplicates::run(args)),
        Command::Source(args) => waiting(source::run(args)),
    }
}

/// Runs a command that waits for sockets, signals or a node.
fn waiting(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("start threads: {error}")))?;
    runtime.block_on(command)
}
