//! Whole federations: a process per town, real sockets, files for founding.
//!
//! The default run is short. `HANSE_LONG=1` kills and restarts many more times.

#[path = "support/binary.rs"]
#[expect(dead_code, reason = "only the command tests look at refusals")]
mod binary;
#[path = "support/town.rs"]
mod town;
#[path = "support/wait.rs"]
mod wait;

use std::collections::BTreeMap;

use town::Reachable::{No, Yes};
use town::{Town, agreed, found};
use wait::until;

/// How often a node is killed while it writes.
fn kills() -> usize {
    if std::env::var_os("HANSE_LONG").is_some() { 60 } else { 6 }
}

async fn start(towns: &mut [Town]) {
    for town in &mut *towns {
        town.start().await;
    }
    for town in towns {
        town.ready().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_towns_converge_and_find_each_others_records() {
    let temp = tempfile::tempdir().expect("a directory");
    let mut towns = found(temp.path(), &[Yes; 5]);
    start(&mut towns).await;
    let mut ids = Vec::new();
    for town in &towns {
        ids.push(town.publish(&format!("Wasserspender {}", town.code)).await);
    }
    let all: Vec<&Town> = towns.iter().collect();
    for town in &towns {
        for id in &ids {
            until("every town to find every record", async || {
                town.finds("Wasserspender", id).await.then_some(())
            })
            .await;
        }
    }
    let before = agreed(&all).await;

    assert!(
        towns[0].retitle(&ids[0], "Refillstation am Markt").await.is_some_and(|status| status.is_success())
    );
    for town in &towns[1..] {
        until("an edit to be found elsewhere", async || {
            town.finds("Refillstation", &ids[0]).await.then_some(())
        })
        .await;
    }
    assert_ne!(agreed(&all).await, before);
    let foreign = towns[1].retitle(&ids[0], "Fremd").await.expect("the desk answers");
    assert_eq!(foreign.as_u16(), 403, "only the owner edits");

    // Four of five gone: the town goes on alone, and the others catch up.
    for town in &mut towns[1..] {
        town.stop();
    }
    assert!(towns[0].retitle(&ids[0], "Allein geändert").await.is_some_and(|status| status.is_success()));
    until("a lone town to find its own edit", async || towns[0].finds("Allein", &ids[0]).await.then_some(()))
        .await;
    start(&mut towns[1..]).await;
    for town in &towns {
        until("the restarted towns to catch up", async || {
            (town.title(&ids[0]).await? == "Allein geändert").then_some(())
        })
        .await;
    }
    agreed(&towns.iter().collect::<Vec<_>>()).await;
    for town in &mut towns {
        town.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_towns_that_never_meet_converge_through_a_third() {
    let temp = tempfile::tempdir().expect("a directory");
    // Soest and Menden listen nowhere: each can only dial Arnsberg.
    let mut towns = found(temp.path(), &[No, Yes, No]);
    start(&mut towns).await;
    let first = towns[0].publish("Brunnen Nord").await;
    let second = towns[2].publish("Brunnen Süd").await;
    until("Menden to find Soest's record", async || towns[2].finds("Nord", &first).await.then_some(())).await;
    until("Soest to find Menden's record", async || towns[0].finds("S%C3%BCd", &second).await.then_some(()))
        .await;
    agreed(&towns.iter().collect::<Vec<_>>()).await;
    let status = towns[0].done(reqwest::Method::GET, "/api/v1/status", None).await;
    let connected: Vec<(&str, bool)> = status["peers"]
        .as_array()
        .expect("peers")
        .iter()
        .map(|peer| (peer["code"].as_str().expect("a code"), peer["connected"] == true))
        .collect();
    assert!(
        connected.contains(&("arnsberg", true)) && connected.contains(&("menden", false)),
        "{connected:?}"
    );
    for town in &mut towns {
        town.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_edit_is_lost_when_a_node_is_killed() {
    let temp = tempfile::tempdir().expect("a directory");
    let mut towns = found(temp.path(), &[Yes, Yes]);
    start(&mut towns).await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(towns[0].publish(&format!("Anfang {number}")).await);
    }
    let mut acknowledged: BTreeMap<String, u32> = BTreeMap::new();
    let mut round = 0;
    for kill in 0..kills() {
        // Edits run while the node is killed at an arbitrary point between them.
        let (done, attempted) = {
            let town = &towns[0];
            let mut done = BTreeMap::new();
            let mut attempted = BTreeMap::new();
            for step in 0..(5 + kill % 7) {
                round += 1;
                let id = ids[step % ids.len()].clone();
                attempted.insert(id.clone(), round);
                if town
                    .retitle(&id, &format!("Stand {round}"))
                    .await
                    .is_some_and(|status| status.is_success())
                {
                    done.insert(id, round);
                }
            }
            (done, attempted)
        };
        // One more per record, whose answer may never come.
        let mut last = attempted;
        let racing = async {
            for id in &ids {
                round += 1;
                last.insert(id.clone(), round);
                if towns[0]
                    .retitle(id, &format!("Stand {round}"))
                    .await
                    .is_some_and(|status| status.is_success())
                {
                    acknowledged.insert(id.clone(), round);
                } else {
                    break;
                }
            }
        };
        let process = towns[0].process_id();
        let killer = async {
            for _ in 0..kill {
                tokio::task::yield_now().await;
            }
            binary::kill_now(process);
        };
        tokio::join!(racing, killer);
        for (id, number) in done {
            let held = acknowledged.entry(id).or_default();
            *held = (*held).max(number);
        }
        towns[0].kill();
        towns[0].start().await;
        towns[0].ready().await;
        for (id, number) in &acknowledged {
            let title = until("the record after a restart", async || towns[0].title(id).await).await;
            let shown: u32 = title.trim_start_matches("Stand ").parse().unwrap_or(0);
            assert!(shown >= *number, "kill {kill}: `{title}`, but {number} was acknowledged");
            assert!(
                shown <= last.get(id).copied().unwrap_or(u32::MAX),
                "kill {kill}: `{title}` was never sent"
            );
        }
    }
    let all: Vec<&Town> = towns.iter().collect();
    agreed(&all).await;
    for id in &ids {
        assert_eq!(towns[0].title(id).await, towns[1].title(id).await);
    }
    for town in &mut towns {
        town.stop();
    }
    let found = binary::hanse("verify --dir {} --json", &towns[0].directory).json();
    assert_eq!(found["problems"], serde_json::json!([]), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_town_that_restarts_alone_serves_harvesters_and_waits_with_publishing() {
    let temp = tempfile::tempdir().expect("a directory");
    let mut towns = found(temp.path(), &[Yes; 2]);
    start(&mut towns).await;
    let id = towns[0].publish("Trinkbrunnen").await;
    agreed(&towns.iter().collect::<Vec<_>>()).await;
    towns.iter_mut().for_each(Town::stop);

    let file = towns[0].directory.join("hanse.toml");
    let settings = std::fs::read_to_string(&file).expect("settings");
    std::fs::write(&file, settings + "[catch_up]\ntimeout_s = 1\n").expect("settings can be written");
    towns[0].start().await;
    towns[0].ready().await;
    let list = towns[0].public("/api/3/action/package_list").await.expect("an answer");
    assert_eq!(list["result"], serde_json::json!([id]));
    let refused = towns[0].retitle(&id, "Anders").await.expect("an answer");
    assert_eq!(refused.as_u16(), 503, "nobody has said yet what this town said before");
    assert_eq!(towns[0].title(&id).await.as_deref(), Some("Trinkbrunnen"));
}
