//! Seeded mutations of valid operations, sealed with the hash that they have:
//! whatever is let in saves, restores, merges and takes the next edit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crdt::{
    gate::Code,
    ids::{ActorId, ChangeHash},
    operations::{Action, Key, OpId, Operation, Operations, Scalar},
    seal::SealedChange,
};

use crate::{JUDGING_BYTES_MAX, counting::peak_of, ground::Ground, league::*, random::Random, sealing::*};

/// Ids that a mutation may put in the place of others: mostly such as exist.
fn ids(ground: &Ground) -> Vec<OpId> {
    let nobody = OpId { counter: 2, actor: ActorId([0xaa; 16]) };
    let mut ids = vec![ground.title, ground.title_de, ground.overwritten, ground.removed, nobody];
    ids.extend(ground.lists.iter().chain(&ground.elements).chain(&ground.other_elements));
    ids.extend(ground.contested);
    ids.extend((0..4).map(|index| ground.own(index)));
    ids
}

/// A valid change that uses every kind of operation.
fn valid(ground: &Ground) -> Vec<Operation> {
    let [list, other] = ground.lists;
    let delete = |operation: Operation, gone: OpId| Operation {
        action: Action::Delete,
        insert: false,
        predecessors: vec![gone],
        ..operation
    };
    let settled =
        Operation { predecessors: ground.contested.to_vec(), ..put(None, "wetter", text("heiter")) };
    vec![
        put(None, "neu", Action::MakeMap),
        put(Some(ground.own(0)), "tief", Action::MakeList),
        insert(ground.own(1), Key::Head, text("eins")),
        insert(ground.own(1), Key::Element(ground.own(2)), Action::MakeMap),
        settled,
        insert(list, Key::Element(ground.elements[0]), Action::Put(Scalar::Integer(-1))),
        delete(insert(list, Key::Element(ground.elements[1]), Action::Delete), ground.elements[1]),
        Operation {
            predecessors: vec![ground.other_elements[0]],
            insert: false,
            ..insert(other, Key::Element(ground.other_elements[0]), Action::Put(Scalar::Null))
        },
        Operation { predecessors: vec![ground.title_de], ..put(Some(ground.title), "de", text("Bäume!")) },
        put(Some(ground.title), "en", text("Trees")),
    ]
}

fn mutate(random: &mut Random, ids: &[OpId], operations: &mut Operations) {
    let id = |random: &mut Random| *random.pick(ids).unwrap();
    let at = random.below(operations.list.len() as u64) as usize;
    let count = operations.list.len() as u64;
    let operation = &mut operations.list[at];
    match random.below(14) {
        0 => operation.object = if random.one_in(3) { None } else { Some(id(random)) },
        1 => operation.key = Key::Element(id(random)),
        2 => operation.key = if random.one_in(2) { Key::Head } else { map_key("wetter") },
        3 => operation.key = map_key(["title", "neu", "tief", "de", "keywords"][random.below(5) as usize]),
        4 => operation.insert = !operation.insert,
        5 => operation.action = action(random),
        6 => operation.predecessors = vec![id(random)],
        7 => {
            operation.predecessors.push(id(random));
            operation.predecessors.sort();
        }
        8 => operation.predecessors.clear(),
        9 => {
            let copy = operation.clone();
            operations.list.insert(random.below(count) as usize, copy);
        }
        10 => operations.list.swap(at, random.below(count) as usize),
        11 if count > 1 => drop(operations.list.remove(at)),
        12 => operations.start_op = operations.start_op.wrapping_add(random.below(3)).wrapping_sub(1),
        _ if random.one_in(2) => operations.dependencies.truncate(1),
        _ => operations.dependencies = vec![ChangeHash(random.bytes())],
    }
}

fn action(random: &mut Random) -> Action {
    match random.below(8) {
        0 => Action::MakeMap,
        1 => Action::MakeList,
        2 => Action::Delete,
        3 => Action::Put(Scalar::Null),
        4 => Action::Put(Scalar::Boolean(random.one_in(2))),
        5 => Action::Put(Scalar::Integer(random.next() as i64)),
        6 => Action::Put(Scalar::Bytes(random.bytes::<9>().to_vec())),
        _ => text("Zufall"),
    }
}

/// Judges a change of the attacker. `true` if it was let in: then the document
/// must live on, alone and beside what another run wrote at the same time.
fn judge(ground: &Ground, change: SealedChange) -> bool {
    let mut document = ground.document.clone();
    let saved = document.document().save();
    let (outcome, peak) = peak_of(|| admit(&ground.authority, &mut document, change.clone()));
    assert!(peak <= JUDGING_BYTES_MAX, "{peak} bytes");
    if let Err(rejection) = outcome {
        assert_ne!(rejection.code, Code::WrongHash, "the hash was made from these operations");
        // The rules come before the parser: nothing that reaches it may shake it.
        assert_ne!(rejection.code, Code::Unstable, "{rejection}");
        assert_eq!(document.document().save(), saved);
        return false;
    }
    let body = serde_json::json!({"title": "Wälder", "department": "Forst"});
    let mut beside = ground.document.clone();
    let meanwhile = edit(&mut beside, &signer(ARNSBERG, 4), &body).unwrap();
    assert_eq!(admit(&ground.authority, &mut beside, change), Ok(true));
    assert_eq!(admit(&ground.authority, &mut document, meanwhile), Ok(true));
    assert_eq!(document.document().heads(), beside.document().heads());
    assert_eq!(document.document().read_dataset(), beside.document().read_dataset());
    document.document().history();
    document.document().conflicts();
    let mut again = restored(&beside);
    let after = edit(&mut again, &signer(ARNSBERG, 5), &serde_json::json!({"title": "Ende"})).unwrap();
    assert_eq!(admit(&ground.authority, &mut document, after), Ok(true));
    assert_eq!(document.document().read_dataset(), again.document().read_dataset());
    true
}

#[expect(clippy::print_stderr, reason = "a failing seed is printed")]
fn check(name: &str, count: u64, change: impl Fn(&Ground, &mut Random) -> SealedChange) -> u64 {
    let ground = Ground::new();
    let mut accepted = 0;
    for seed in 0..count {
        let mut random = Random::new(seed);
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let change = change(&ground, &mut random);
            judge(&ground, change)
        }));
        match judged {
            Ok(was_accepted) => accepted += u64::from(was_accepted),
            Err(panic) => {
                eprintln!("{name}: seed {seed} fails");
                std::panic::resume_unwind(panic);
            }
        }
    }
    accepted
}

#[test]
fn i6_mutated_operations_never_break_a_document() {
    let count = crate::mutations(1_500);
    let accepted = check("operations", count, |ground, random| {
        let mut operations = ground.next(valid(ground));
        let ids = ids(ground);
        for _ in 0..random.below(3) {
            mutate(random, &ids, &mut operations);
        }
        seal(&ground.document, &ground.signer, &operations)
    });
    assert!(accepted > count / 20, "{accepted} of {count} let in: the mutations are too wild");
    assert!(accepted < count * 19 / 20, "{accepted} of {count} let in: the mutations are too tame");
}

#[test]
fn i6_mutated_bytes_never_break_a_document() {
    let count = crate::mutations(1_500);
    let accepted = check("bytes", count, |ground, random| {
        let seal = next_seal(&ground.document, &ground.signer, ChangeHash::default());
        let mut bytes = ground.next(valid(ground)).encode(&seal.actor);
        for _ in 0..=random.below(2) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, random.next() as u8),
                2 => bytes[at] = random.next() as u8,
                _ => bytes[at] ^= 1 << random.below(8),
            }
        }
        let decoded = Operations::decode(&bytes, &seal.actor).ok();
        let hash = decoded.map_or(ChangeHash::default(), |decoded| hash_of(&decoded, &seal.actor, seal.seq));
        seal_bytes(&ground.document, &ground.signer, hash, bytes)
    });
    assert!(accepted > 0 && accepted < count, "{accepted} of {count} let in");
}
