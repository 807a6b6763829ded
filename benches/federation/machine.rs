//! What the machine and this process have done so far, from `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

/// The machine in one line.
pub(crate) fn describe() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, load {}", load())
}

/// How busy the machine was in the last minute: what others do counts too.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

/// Processor time of this process.
pub(crate) fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; user and system time are the
    // 12th and 13th field after it, in hundredths of a second.
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 = after.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Processor time of the threads alive, by name.
pub(crate) fn threads() -> BTreeMap<String, Duration> {
    let mut times = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let nanos = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
        *times.entry(read("comm").trim().to_owned()).or_default() += Duration::from_nanos(nanos);
    }
    times
}

/// Resident memory of a process in MiB: now, and at most so far.
pub(crate) fn resident(pid: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1_024
    };
    (mib("VmRSS:"), mib("VmHWM:"))
}

/// Value below which the given share of the measurements lies.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

/// A duration in milliseconds, for tables.
pub(crate) fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}

/// Median of bringing 4 KiB to the disk of this directory twice.
pub(crate) fn two_syncs(directory: &Path) -> Result<Duration> {
    let mut file = fs::File::create(directory.join("floor"))?;
    let page = [7; 4096];
    file.write_all(&page)?;
    file.sync_all()?;
    median(60, || {
        for _ in 0..2 {
            file.write_all(&page)?;
            file.sync_data()?;
        }
        Ok(())
    })
}

/// Median of one kilobyte to a neighbour over loopback and back.
pub(crate) fn round_trip() -> Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let echo = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut buffer = [0; 1024];
        while stream.read_exact(&mut buffer).is_ok() {
            stream.write_all(&buffer)?;
        }
        Ok(())
    });
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut buffer = [1; 1024];
    let time = median(200, || {
        stream.write_all(&buffer)?;
        Ok(stream.read_exact(&mut buffer)?)
    })?;
    drop(stream);
    let _ = echo.join();
    Ok(time)
}

fn median(times: usize, mut what: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let begun = Instant::now();
        what()?;
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    Ok(percentile(&taken, 0.5))
}
