//! `hanse tasks`: what is left to decide or to fill in after imports.

use super::Directory;
use crate::access::{Access, Offline};
use crate::failure::Failure;
use crate::output;
use crate::words::text;

/// List what is left to decide or to fill in, or take it off the list
///
/// A task goes by itself when its field is edited.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse tasks --dir D/soest
  hanse tasks --dir D/soest --done 6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10 --field frequency")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// Tasks to skip
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// Tasks to show at most, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Take the tasks of this record off the list
    #[arg(long, value_name = "RECORD")]
    done: Option<String>,
    /// Only those about this field
    #[arg(long, value_name = "FIELD", requires = "done")]
    field: Option<String>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let access = Access::for_writing(&args.directory.dir, Offline { offline: false }).await?;
    let outcome = ask(&access, &args).await;
    access.close().await?;
    let tasks = outcome?;
    if args.done.is_some() {
        return output::line("done");
    }
    if args.json {
        return output::json(&tasks);
    }
    let items = tasks["items"].as_array().cloned().unwrap_or_default();
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|task| vec![text(&task["dataset"]), text(&task["field"]), text(&task["text_de"])])
        .collect();
    output::table(&["RECORD", "FIELD", "TASK"], &rows)?;
    output::line(format!("{} of {}", items.len(), text(&tasks["total"])))
}

async fn ask(access: &Access, args: &Args) -> Result<serde_json::Value, Failure> {
    match &args.done {
        Some(record) => access.finish_tasks(access.record(record).await?, args.field.as_deref()).await,
        None => access.tasks(args.offset, args.limit).await,
    }
}
