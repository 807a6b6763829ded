//! `hanse routes`: every HTTP route of both listeners, from the table that
//! makes the routers.

use crate::failure::Failure;
use crate::output;

/// List every HTTP route of the public and the desk listener
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hanse routes
  hanse routes --json | jq -r '.[] | select(.listener == \"desk\") | .path'")]
pub(crate) struct Args {
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let routes = web::routes();
    if args.json {
        return output::json(&routes);
    }
    let rows: Vec<Vec<String>> = routes
        .iter()
        .map(|route| {
            let token = if route.token { "token" } else { "-" };
            vec![
                route.listener.to_string(),
                route.method.to_owned(),
                route.path.to_owned(),
                token.to_owned(),
                route.purpose.to_owned(),
            ]
        })
        .collect();
    output::table(&["LISTENER", "METHOD", "PATH", "NEEDS", "PURPOSE"], &rows)
}
