//! What five connected nodes cost when nothing happens.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;

use crate::edit::wait_until_ready;
use crate::machine;
use crate::wire::Wire;
use crate::world::{World, runtime, wait_for};

const SECONDS: u64 = 60;

pub(crate) fn measure(per_town: usize) -> Result<()> {
    let world = World::found()?;
    for holder in 0..world.homes.len() {
        world.fill(holder, &[holder], per_town)?;
    }
    let runtime = runtime("nodes")?;
    let wires = Mutex::new(Vec::new());
    let nodes = runtime.block_on(world.start_all(async |address| {
        let wire = Wire::to(address).await?;
        wires.lock().expect("nobody panics with it").push(wire.clone());
        Ok(wire.address)
    }))?;
    let handles: Vec<_> = nodes.iter().map(|node| node.handle()).collect();
    for handle in &handles {
        runtime.block_on(wait_for(handle, per_town * handles.len()))?;
    }
    wait_until_ready(&handles)?;
    // What has just come is still being merged.
    std::thread::sleep(Duration::from_secs(10));

    let wires = wires.into_inner().expect("nobody panics with it");
    let total = || wires.iter().map(|wire| wire.bytes()).map(|(up, down)| up + down).sum::<u64>();
    let (cpu, bytes) = (machine::cpu(), total());
    std::thread::sleep(Duration::from_secs(SECONDS));
    let (cpu, bytes) = (machine::cpu() - cpu, total() - bytes);
    let share = 100.0 * cpu.as_secs_f64() / SECONDS as f64 / nodes.len() as f64;
    println!("over {SECONDS} s: {share:.2} % of a core a node, the counting wires between them included");
    let rate = bytes as f64 / SECONDS as f64 / wires.len() as f64;
    println!("{rate:.0} B/s a pair of nodes, both directions, {} pairs", wires.len());
    for node in nodes {
        runtime.block_on(node.shutdown());
    }
    Ok(())
}
