//! A new node joins a federation and fetches all of it from one member.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use node::node::{Node, Reach};

use crate::machine;
use crate::wire::Wire;
use crate::world::{HOLDER, Large, OWNERS, World, config, runtime, wait_for};

/// The new node. It keeps what it fetches: no other measurement may need it empty.
const NEWCOMER: usize = 4;

pub(crate) fn measure(large: &mut Large) -> Result<()> {
    let datasets = large.datasets;
    let world = large.world()?;
    let (member_threads, joiner_threads) = (runtime("member")?, runtime("newcomer")?);
    let member =
        member_threads.block_on(Node::start(&world.homes[HOLDER].path, &config(&[]), Reach::Peers))?;
    member.handle().settle_search();
    let address = member.addresses().into_iter().next().context("the member listens")?;
    let wire = member_threads.block_on(Wire::to(&address))?;

    let (cpu, threads, begun) = (machine::cpu(), machine::threads(), Instant::now());
    let settings = config(std::slice::from_ref(&wire.address));
    let newcomer =
        joiner_threads.block_on(Node::start(&world.homes[NEWCOMER].path, &settings, Reach::Peers))?;
    let handle = newcomer.handle();
    joiner_threads.block_on(wait_for(&handle, datasets))?;
    let (took, cpu) = (begun.elapsed(), machine::cpu() - cpu);
    let (up, down) = wire.bytes();

    let per_second = |time: Duration| datasets as f64 / time.as_secs_f64();
    println!("verified, stored and searchable in {:.2} s: {:.0}/s", took.as_secs_f64(), per_second(took));
    println!(
        "processor time of both sides {:.2} s, {:.0} µs a dataset: {:.0}/s on two cores of their own",
        cpu.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / datasets as f64,
        2.0 * per_second(cpu)
    );
    print_threads(&threads, datasets);
    joiner_threads.block_on(newcomer.shutdown());
    member_threads.block_on(member.shutdown());

    let (plain, packed) = as_json(world, datasets)?;
    let each = |bytes: u64| bytes / datasets.max(1) as u64;
    println!("on the wire: {} B to the newcomer, {} B from it, a dataset", each(down), each(up));
    println!("the same as JSON: {} B, with zstd-19 in one stream {} B", each(plain), each(packed));
    println!("ratio wire to zstd-19: {:.2}", (up + down) as f64 / packed as f64);
    println!("load {}", machine::load());
    Ok(())
}

fn print_threads(before: &BTreeMap<String, Duration>, datasets: usize) {
    for (name, time) in machine::threads() {
        let time = time.saturating_sub(before.get(&name).copied().unwrap_or_default());
        let each = time.as_secs_f64() * 1e6 / datasets as f64;
        if each >= 1.0 {
            println!("  {name:<16} {each:>6.0} µs a dataset");
        }
    }
}

/// Bytes of all records as JSON, and of that through one zstd stream.
fn as_json(world: &World, datasets: usize) -> Result<(u64, u64)> {
    let mut plain = 0;
    let mut encoder = zstd::stream::Encoder::new(Count(0), 19)?;
    for number in 0..datasets {
        let json = serde_json::to_vec(&world.dataset(&OWNERS, number)?)?;
        plain += json.len() as u64;
        encoder.write_all(&json)?;
    }
    Ok((plain, encoder.finish()?.0))
}

struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
