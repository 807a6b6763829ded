//! Operations whose bytes break the encoding: what is claimed is checked
//! before memory is taken, and one meaning has one form.

use crdt::{
    encoding::{write_bytes, write_varint},
    gate::Code,
    operations::{Action, Key, OpId, Operation, Scalar},
};

use crate::{ground::Ground, sealing::*};

/// The start of a change's bytes, up to before the count of its operations.
struct Head {
    version: u8,
    dependencies: Vec<[u8; 32]>,
    start: u64,
    actors: Vec<[u8; 16]>,
}

impl Head {
    fn of(ground: &Ground) -> Self {
        let dependencies = ground.dependencies.iter().map(|hash| hash.0).collect();
        Self { version: 1, dependencies, start: ground.start, actors: vec![] }
    }

    fn write(&self, count: u64, operations: &[u8]) -> Vec<u8> {
        let mut out = vec![self.version];
        write_varint(&mut out, self.dependencies.len() as u64);
        self.dependencies.iter().for_each(|hash| out.extend_from_slice(hash));
        write_varint(&mut out, self.start);
        write_varint(&mut out, self.actors.len() as u64);
        self.actors.iter().for_each(|actor| out.extend_from_slice(actor));
        write_varint(&mut out, count);
        out.extend_from_slice(operations);
        out
    }
}

/// `put KEY = true`, nothing overwritten.
fn simple(key: &[u8]) -> Vec<u8> {
    let mut out = vec![1];
    write_bytes(&mut out, key);
    out.extend_from_slice(&[0, 2]);
    out
}

fn put_with(key: &[u8], predecessors: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = vec![1];
    write_bytes(&mut out, key);
    [out.as_slice(), predecessors, value].concat()
}

fn number(value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    write_varint(&mut out, value);
    out
}

fn check(cases: Vec<(&str, Vec<u8>)>) {
    let mut ground = Ground::new();
    for (name, bytes) in cases {
        let change = seal_bytes(&ground.document, &ground.signer, crdt::ids::ChangeHash([1; 32]), bytes);
        ground.refuses(name, Code::MalformedOperations, change);
    }
}

#[test]
fn i6_the_tools_of_this_module_write_what_the_gate_reads() {
    let mut ground = Ground::new();
    let bytes = Head::of(&ground).write(1, &simple(b"sturm"));
    let honest = ground.sealed(vec![put(None, "sturm", Action::Put(Scalar::Boolean(true)))]);
    assert_eq!(honest.operations, bytes);
    assert_eq!(admit(&ground.authority, &mut ground.document, honest), Ok(true));
}

#[test]
fn i6_counts_past_their_limits_take_no_memory() {
    let ground = Ground::new();
    let head = Head::of(&ground);
    let short = |bytes: &[u8]| bytes.to_vec();
    let claim = |prefix: &[u8], count: u64| [prefix, &number(count)].concat();
    let text = |length: u64| head.write(1, &put_with(b"text", &[0], &claim(&[4], length)));
    check(vec![
        ("three million operations", head.write(3_000_000, &simple(b"x"))),
        ("one operation too many", head.write(4_097, &simple(b"x").repeat(4_097))),
        ("2^64 - 1 operations", head.write(u64::MAX, &[])),
        ("no operation", head.write(0, &[])),
        ("fewer operations than claimed", head.write(2, &simple(b"x"))),
        ("more operations than claimed", head.write(1, &simple(b"x").repeat(2))),
        ("a million dependencies", claim(&[1], 1 << 20)),
        ("257 dependencies", claim(&[1], 257)),
        ("2^40 actors", claim(&[1, 0, 1], 1 << 40)),
        ("257 actors", claim(&[1, 0, 1], 257)),
        ("2^40 predecessors", head.write(1, &put_with(b"x", &number(1 << 40), &[2]))),
        ("65 predecessors", head.write(1, &put_with(b"x", &number(65), &[2]))),
        ("a text of 2^40 bytes", text(1 << 40)),
        ("a text one byte too long", [text(32_769), vec![b'a'; 32_769]].concat()),
        ("a text that ends too early", [text(100), vec![b'a'; 99]].concat()),
        ("a key of 257 bytes", head.write(1, &simple(&[b'k'; 257]))),
        ("a key of 2^33 bytes", head.write(1, &claim(&[1], 1 << 33))),
        (
            "more bytes than a change has",
            head.write(9, &put_with(b"x", &[0], &claim(&[5], 32_768)).repeat(9))
                .into_iter()
                .chain(vec![0; 9 * 32_768])
                .collect(),
        ),
        ("nothing", short(&[])),
        ("a version alone", short(&[1])),
    ]);
}

#[test]
fn i6_numbers_end_and_do_not_overflow() {
    let ground = Ground::new();
    let start = |start: u64| Head { start, ..Head::of(&ground) }.write(1, &simple(b"x"));
    let raw_start = |bytes: &[u8]| [&[1, 0], bytes, &[0, 1], &simple(b"x")].concat();
    let object = |id: &[u8]| {
        let mut operation = vec![1 | 0b1_0000];
        operation.extend_from_slice(id);
        operation.extend_from_slice(&simple(b"x")[1..]);
        Head::of(&ground).write(1, &operation)
    };
    check(vec![
        ("start op 0", start(0)),
        ("start op past the greatest counter", start((1 << 32) + 1)),
        ("start op 2^64 - 1", start(u64::MAX)),
        ("a number that never ends", raw_start(&[0xff; 200])),
        (
            "a number of eleven bytes",
            raw_start(&[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]),
        ),
        ("a number past 64 bits", raw_start(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])),
        ("a number longer than needed", raw_start(&[0x81, 0x80, 0])),
        ("an object with counter 0", object(&[0, 0])),
        ("an object with counter 2^33", object(&[number(1 << 33), vec![0]].concat())),
        ("an object of an actor that is not listed", object(&[1, 1])),
        ("an object of actor 2^63", object(&[vec![1], number(1 << 63)].concat())),
    ]);
}

#[test]
fn i6_lists_have_one_order_and_nothing_unused() {
    let ground = Ground::new();
    let own = ground.own(0).actor.0;
    let head = || Head::of(&ground);
    let of = |head: Head| head.write(1, &simple(b"x"));
    let mut reversed = head().dependencies;
    reversed.reverse();
    let twice = vec![head().dependencies[0]; 2];
    let id = |counter: u64| [number(counter), vec![0]].concat();
    let preceded = |ids: [u64; 2]| {
        let ids = [vec![2], id(ids[0]), id(ids[1])].concat();
        head().write(1, &put_with(b"x", &ids, &[2]))
    };
    assert_eq!(reversed.len(), 2, "two heads, so that an order can be wrong");
    check(vec![
        ("dependencies in the wrong order", of(Head { dependencies: reversed, ..head() })),
        ("one dependency twice", of(Head { dependencies: twice, ..head() })),
        ("an actor that is not used", of(Head { actors: vec![[7; 16]], ..head() })),
        ("the author among the other actors", of(Head { actors: vec![own], ..head() })),
        ("actors in the wrong order", of(Head { actors: vec![[8; 16], [7; 16]], ..head() })),
        ("predecessors in the wrong order", preceded([2, 1])),
        ("one predecessor twice", preceded([1, 1])),
        ("another version of the encoding", of(Head { version: 2, ..head() })),
        ("a byte after the end", [of(head()), vec![0]].concat()),
    ]);
}

#[test]
fn i6_operations_have_a_known_form() {
    let ground = Ground::new();
    let write = |operation: Vec<u8>| Head::of(&ground).write(1, &operation);
    let with_head = |head: u8| write([vec![head], simple(b"x")[1..].to_vec()].concat());
    check(vec![
        ("an unknown action", with_head(4)),
        ("the action of a counter", with_head(5)),
        ("an unused bit", with_head(1 | 0b0100_0000)),
        ("another unused bit", with_head(1 | 0b1000_0000)),
        ("an insert into a map", with_head(1 | 0b1000)),
        ("an unknown kind of value", write(put_with(b"x", &[0], &[6]))),
        ("a float", write(put_with(b"x", &[0], &[7, 0, 0, 0, 0, 0, 0, 0, 0]))),
        ("a key that is no UTF-8", write(simple(&[0xc3, 0x28]))),
        ("an empty key", write(simple(b""))),
        ("a text that is no UTF-8", write(put_with(b"x", &[0], &[4, 2, 0xff, 0xfe]))),
    ]);
}

#[test]
fn i6_operations_that_no_bytes_may_say() {
    let mut ground = Ground::new();
    let list = ground.lists[0];
    let yes = || Action::Put(Scalar::Boolean(true));
    let cases: Vec<(&str, Operation)> = vec![
        ("a delete of nothing", put(None, "nichts", Action::Delete)),
        ("the head of a list as an element", Operation { insert: false, ..insert(list, Key::Head, yes()) }),
        ("an insert that deletes", insert(list, Key::Head, Action::Delete)),
        (
            "an insert that overwrites",
            Operation { predecessors: vec![ground.elements[0]], ..insert(list, Key::Head, yes()) },
        ),
        (
            "an element with counter 2^40",
            insert(list, Key::Element(OpId { counter: 1 << 40, actor: list.actor }), yes()),
        ),
    ];
    for (name, operation) in cases {
        let change = ground.sealed(vec![operation]);
        ground.refuses(name, Code::MalformedOperations, change);
    }
}
