//! `hanse verify`: everything in a data directory, or one exported record
//! anywhere, checked from the signatures up.

use std::path::{Path, PathBuf};

use crdt::ids::FederationId;
use crdt::proof;
use node::audit;
use node::directory::Directory;
use node::store::StoreSettings;
use serde_json::json;

use crate::failure::Failure;
use crate::{directory, output, progress, words};

/// Check signatures: a whole data directory, or one exported record offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With FILE nothing else is needed, no node and no network; but take the federation
id from somewhere else than from where the file came. The exit code is 0 if all
holds and 1 if anything does not.

Examples:
  hanse verify --dir D/soest
  hanse show --dir D/soest baumkataster --proof baumkataster.proof
  hanse verify baumkataster.proof --federation 1f3a99c0…")]
pub(crate) struct Args {
    /// A proof: `hanse show --proof` or GET /api/v1/datasets/{id}/proof
    #[arg(
        value_name = "FILE",
        required_unless_present = "dir",
        conflicts_with = "dir",
        requires = "federation"
    )]
    file: Option<PathBuf>,
    /// The federation's id, as its towns publish it; spaces do not matter
    #[arg(long, value_name = "ID", conflicts_with = "dir", value_parser = federation)]
    federation: Option<FederationId>,
    /// Check everything in this data directory; its node must be stopped
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

fn federation(text: &str) -> Result<FederationId, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits.parse().map_err(|error: crdt::ids::InvalidId| error.to_string())
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match (&args.file, &args.federation, &args.dir) {
        (Some(file), Some(federation), _) => verify_file(file, federation, args.json),
        (_, _, Some(dir)) => verify_directory(dir, args.json),
        _ => Err(Failure::input_saying("give a proof file with --federation, or --dir")),
    }
}

fn verify_file(file: &Path, federation: &FederationId, json: bool) -> Result<(), Failure> {
    let shown = file.display();
    let unread = |error: std::io::Error| Failure::input(format!("read `{shown}`: {error}"));
    let length = std::fs::metadata(file).map_err(unread)?.len();
    if length > proof::PROOF_BYTES_MAX as u64 {
        return Err(Failure::input(format!(
            "read `{shown}`: {length} bytes, at most {}; is it a proof?",
            proof::PROOF_BYTES_MAX
        )));
    }
    let bytes = std::fs::read(file).map_err(unread)?;
    if !proof::is_proof(&bytes) {
        return Err(Failure::input(format!(
            "read `{shown}`: it is no proof; export one with `hanse show --proof`"
        )));
    }
    let proven = match proof::check(&bytes, federation) {
        Ok(proven) => proven,
        Err(error) if json => {
            output::json(&json!({"valid": false, "reason": error.to_string()}))?;
            return Err(Failure::found());
        }
        Err(error) => return Err(Failure::refused_saying(format!("`{shown}` proves nothing: {error}"))),
    };
    let dataset = proven.content.as_ref().map(|content| &content.dataset);
    let sealed_at = proven.sealed_at.and_then(|at| jiff::Timestamp::from_millisecond(at.0).ok());
    if json {
        return output::json(&json!({
            "valid": true,
            "federation": federation,
            "document": proven.document,
            "town": proven.owner.to_string(),
            "town_name": proven.owner_name,
            "epoch": proven.epoch,
            "changes": proven.changes,
            "heads": proven.heads,
            "sealed_at": sealed_at.map(|at| at.to_string()),
            "manifest": proven.manifest,
            "dataset": dataset,
        }));
    }
    output::line(format!("`{shown}` holds."))?;
    output::line(format!("  federation  {}", proven.federation_name))?;
    output::line(format!("  town        {} ({})", proven.owner_name, proven.owner))?;
    match dataset {
        None => output::line("  dataset     withdrawn by its town")?,
        Some(dataset) => {
            let title = serde_json::to_value(&dataset.title)
                .map_or_else(|_| String::new(), |title| words::title(&title));
            output::line(format!("  dataset     {title} ({})", dataset.id))?;
        }
    }
    let changes =
        if proven.changes == 1 { "1 change".to_owned() } else { format!("{} changes", proven.changes) };
    output::line(format!("  history     {changes}, all sealed by nodes that the town has certified"))?;
    if let Some(at) = sealed_at {
        output::line(format!("  newest      {at:.0} by its author's clock; a newer one may exist"))?;
    }
    Ok(())
}

fn verify_directory(dir: &Path, json: bool) -> Result<(), Failure> {
    directory::require(dir)?;
    let opened = Directory::open(dir, StoreSettings::default()).map_err(Failure::refused)?;
    let bar = progress::bar("checking documents", 0);
    let findings = audit::verify(&opened, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let findings = findings.map_err(Failure::refused)?;
    if json {
        output::json(&findings)?;
    } else {
        for problem in &findings.problems {
            output::line(format!("{}: {}", problem.place, problem.message))?;
        }
        output::line(format!(
            "{} documents with {} changes, {} manifests, {} closed records: {}",
            findings.documents,
            findings.changes,
            findings.manifests,
            findings.closed,
            match findings.problems.len() {
                0 => "all holds".to_owned(),
                1 => "1 problem".to_owned(),
                many => format!("{many} problems"),
            }
        ))?;
    }
    if findings.problems.is_empty() { Ok(()) } else { Err(Failure::found()) }
}
