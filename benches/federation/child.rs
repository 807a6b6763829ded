//! A node in a process of its own, to see its memory and its start alone.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use node::node::{Node, Reach};
use node::view::{Reader, SearchQuery};
use reqwest::StatusCode;
use tokio_util::sync::CancellationToken;

use crate::machine;
use crate::world::{Large, config, runtime};

/// First argument of such a process.
pub(crate) const MODE: &str = "serve-for-measuring";

/// How long a node that was started without peers may take to serve harvesters.
const READY_MAX: Duration = Duration::from_secs(600);

/// A running node as its parent sees it. Ends with it.
pub(crate) struct Serving {
    process: Child,
    stdin: Option<ChildStdin>,
    /// Where the public listener is.
    pub(crate) public: String,
    /// Until the directory was open and the node listened.
    pub(crate) opened: Duration,
    /// Until a search found all there is.
    pub(crate) ready: Duration,
}

impl Serving {
    /// Starts a node; `core` keeps it on one.
    pub(crate) fn start(directory: &Path, check: bool, core: Option<usize>) -> Result<Self> {
        let this = std::env::current_exe()?;
        let mut command = match core {
            None => Command::new(&this),
            Some(core) => {
                let mut command = Command::new("taskset");
                command.arg("-c").arg(core.to_string()).arg(&this);
                command
            }
        };
        command.arg(MODE).arg(directory).arg(check.to_string());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take().context("the child has an output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [public, opened, ready] = parts[..] else {
            anyhow::bail!("the node did not start: `{}`", line.trim());
        };
        let time = |text: &str| anyhow::Ok(Duration::from_micros(text.parse()?));
        let (public, opened, ready) = (public.to_owned(), time(opened)?, time(ready)?);
        let stdin = process.stdin.take();
        Ok(Self { process, stdin, public, opened, ready })
    }

    /// Waits until it answers harvesters and SPARQL; how long that took.
    pub(crate) fn wait_until_ready(&self) -> Result<Duration> {
        let begun = Instant::now();
        let base = format!("http://{}", self.public);
        let addresses = [format!("{base}/catalog.ttl"), format!("{base}/sparql?query=ASK%7B%7D")];
        runtime("asking")?.block_on(async {
            let client = reqwest::Client::new();
            for address in addresses {
                while client.get(&address).send().await?.status() == StatusCode::SERVICE_UNAVAILABLE {
                    ensure!(begun.elapsed() < READY_MAX, "the node is not ready after {READY_MAX:?}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            Ok(begun.elapsed())
        })
    }

    /// Number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Lets it stop in its own way.
    pub(crate) fn stop(mut self) -> Result<()> {
        drop(self.stdin.take());
        ensure!(self.process.wait()?.success(), "the node did not stop well");
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // After `stop` there is nothing left to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The process itself: serves until its input ends.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [directory, check] = arguments else { anyhow::bail!("give a directory and whether to check it") };
    let mut settings = config(&[]);
    settings.store.check_integrity = check.parse()?;
    // There is nobody to wait for.
    settings.catch_up.timeout_s = 1;
    let runtime = runtime("serving")?;
    let begun = Instant::now();
    let node = runtime.block_on(Node::start(Path::new(directory), &settings, Reach::Peers))?;
    let opened = begun.elapsed();
    let handle = node.handle();
    let datasets = handle.public_status().datasets as usize;
    let query = || SearchQuery { limit: 10, ..SearchQuery::default() };
    while handle.search(Reader::Public, &query())?.total < datasets {
        std::thread::sleep(Duration::from_millis(1));
    }
    let ready = begun.elapsed();
    let stop = CancellationToken::new();
    let server = runtime.block_on(web::Server::bind(handle, settings))?;
    println!("{} {} {}", server.public_address(), opened.as_micros(), ready.as_micros());
    std::io::stdout().flush()?;
    let serving = runtime.spawn(server.serve(stop.clone()));
    let mut rest = String::new();
    std::io::stdin().read_line(&mut rest)?;
    stop.cancel();
    runtime.block_on(serving)??;
    runtime.block_on(node.shutdown());
    Ok(())
}

/// Resident memory with a small and a large catalog, before and after work.
pub(crate) fn measure_memory(mut small: Large, large: &mut Large) -> Result<()> {
    for large in [&mut small, large] {
        let datasets = large.datasets;
        let node = Serving::start(large.directory()?, true, None)?;
        let started = machine::resident(node.pid());
        crate::search::ask_many(&node.public, 500)?;
        let (now, most) = machine::resident(node.pid());
        println!(
            "{datasets} datasets: {} MiB after the start, {now} MiB after 500 searches, at most {most} MiB",
            started.0
        );
        node.stop()?;
    }
    Ok(())
}

/// From nothing to a node that finds all it has, with and without the check of
/// every page of both stores.
pub(crate) fn measure_start(large: &mut Large) -> Result<()> {
    let datasets = large.datasets;
    let directory = large.directory()?;
    for check in [false, true] {
        let mut times = Vec::new();
        for _ in 0..3 {
            let node = Serving::start(directory, check, None)?;
            times.push((node.ready, node.opened));
            node.stop()?;
        }
        times.sort_unstable();
        let (ready, opened) = times[1];
        let how = if check { "with the integrity check" } else { "without it" };
        println!(
            "{datasets} datasets, {how}: open after {:.2} s, all found after {:.2} s",
            opened.as_secs_f64(),
            ready.as_secs_f64()
        );
    }
    println!("load {}", machine::load());
    Ok(())
}
