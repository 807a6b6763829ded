//! `hanse check`: what the rules of publication say of a record.

use serde_json::Value;

use super::Directory;
use crate::access::Access;
use crate::failure::Failure;
use crate::output;

/// Say what keeps a record from being published, and what would make it better
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Obstacles keep a record closed; hints are advice. Exit code 1 if there are obstacles.

Examples:
  hanse check --dir D/soest baumkataster
  hanse check --dir D/soest baumkataster --json")]
pub(crate) struct Args {
    #[command(flatten)]
    directory: Directory,
    /// The record: its id, its identifier, or the last part of it
    record: String,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let access = Access::to(&args.directory.dir).await?;
    let answer = read(&access, &args.record).await;
    access.close().await?;
    let answer = answer?;
    let findings = answer["findings"].as_array().map_or(&[][..], Vec::as_slice);
    let obstacles = findings.iter().filter(|finding| finding["severity"] == "obstacle").count();
    if args.json {
        output::json(&answer)?;
    } else {
        for finding in findings {
            let word = |name: &str| finding[name].as_str().unwrap_or_default();
            output::line(format!("{:<8}  {}  [{}]", word("severity"), word("message"), word("rule")))?;
        }
        if findings.is_empty() {
            output::line("nothing to mend")?;
        }
    }
    match obstacles {
        0 => Ok(()),
        count => Err(Failure::refused_saying(format!(
            "`{}` cannot be published yet: {count} of the findings are obstacles",
            args.record
        ))),
    }
}

async fn read(access: &Access, record: &str) -> Result<Value, Failure> {
    let id = access.record(record).await?;
    access.check(id).await
}
