//! The command `hanse`: arguments, settings and logging around a node.
//!
//! It decides nothing and stores nothing: each command is one file under
//! `cli/`, which asks a [`node::handle::NodeHandle`] or, when a node is running
//! on the directory already, that node's desk.

mod access;
mod cli;
mod client;
mod clock;
mod demo;
mod directory;
mod failure;
mod output;
mod progress;
mod running;
mod serving;
mod settings;
mod signals;
mod words;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// Documents, terms and messages are many small pieces of memory, taken by one
/// thread and given back by another: a joining node needs a tenth less time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // The client that asks a running node's desk is built on rustls, which takes its cryptography
    // from the process; the first one installed counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = cli::Cli::parse();
    if let Ok(program) = std::env::current_exe() {
        node::import::reader::read_with(program);
    }
    match cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
