//! Operations that are well formed and do not fit the document: of this kind
//! were those that Automerge panicked over, or saved and could not load.

use crdt::{
    gate::Code,
    ids::{ActorId, ChangeHash},
    operations::{Action, Key, OpId, Operation, Operations, Scalar},
};

use crate::{ground::Ground, sealing::*};

fn yes() -> Action {
    Action::Put(Scalar::Boolean(true))
}

fn over(predecessors: &[OpId], operation: Operation) -> Operation {
    let mut predecessors = predecessors.to_vec();
    predecessors.sort();
    Operation { predecessors, ..operation }
}

fn check(cases: impl FnOnce(&Ground) -> Vec<(&'static str, Vec<Operation>)>) {
    let mut ground = Ground::new();
    for (name, list) in cases(&ground) {
        let change = ground.sealed(list);
        ground.refuses(name, Code::BadStructure, change);
    }
}

#[test]
fn i6_objects_exist_and_are_of_their_kind() {
    check(|ground| {
        let nobody = OpId { counter: 1, actor: ActorId([0xaa; 16]) };
        let (list, removed) = (ground.lists[0], ground.removed);
        let deep = OpId { counter: removed.counter + 1, ..removed };
        let element = |id, action| Operation { insert: false, ..insert(list, Key::Element(id), action) };
        vec![
            ("an object that nobody made", vec![put(Some(nobody), "x", yes())]),
            (
                "an object that comes later",
                vec![put(Some(ground.own(1)), "x", yes()), put(None, "y", Action::MakeMap)],
            ),
            ("a text as an object", vec![put(Some(ground.title_de), "x", yes())]),
            ("the own operation as an object", vec![put(Some(ground.own(0)), "x", Action::MakeMap)]),
            ("a map key in a list", vec![put(Some(list), "x", yes())]),
            ("an element of a map", vec![element_of(ground.title, ground.title_de)]),
            ("an insert into a map object", vec![insert(ground.title, Key::Head, yes())]),
            ("an insert into a text", vec![insert(ground.title_de, Key::Head, yes())]),
            ("a map that has been removed", vec![put(Some(removed), "x", yes())]),
            ("a map inside a removed one", vec![put(Some(deep), "x", yes())]),
            ("an element that nobody made", vec![element(nobody, yes())]),
            ("an insert after an element that nobody made", vec![insert(list, Key::Element(nobody), yes())]),
            (
                "an element of another list",
                vec![over(&[ground.other_elements[0]], element(ground.other_elements[0], yes()))],
            ),
            (
                "an insert after an element of another list",
                vec![insert(list, Key::Element(ground.other_elements[0]), yes())],
            ),
            ("the list as its own element", vec![insert(list, Key::Element(list), yes())]),
            ("an insert after itself", vec![insert(list, Key::Element(ground.own(0)), yes())]),
        ]
    });
}

fn element_of(object: OpId, element: OpId) -> Operation {
    Operation { insert: false, ..insert(object, Key::Element(element), yes()) }
}

#[test]
fn i6_an_operation_overwrites_just_what_its_author_could_see() {
    check(|ground| {
        let [one, other] = ground.contested;
        let nobody = OpId { counter: 3, actor: ActorId([0xaa; 16]) };
        let (title, de, list) = (Some(ground.title), ground.title_de, ground.lists[0]);
        let element = ground.elements[0];
        vec![
            ("nothing, where a value stands", vec![put(title, "de", text("x"))]),
            ("one of two values", vec![over(&[one], put(None, "wetter", yes()))]),
            (
                "two values and a third that is none",
                vec![over(&[one, other, nobody], put(None, "wetter", yes()))],
            ),
            (
                "a value that has been overwritten",
                vec![over(&[ground.overwritten], put(title, "de", text("x")))],
            ),
            (
                "the value and the one before",
                vec![over(&[ground.overwritten, de], put(title, "de", text("x")))],
            ),
            ("a value of another key", vec![over(&[one], put(title, "en", text("x")))]),
            ("a value of another object", vec![over(&[de], put(None, "de", text("x")))]),
            ("a value where none stands", vec![over(&[nobody], put(None, "neu", yes()))]),
            (
                "a later operation",
                vec![over(&[ground.own(1)], put(None, "neu", yes())), put(None, "y", yes())],
            ),
            ("itself", vec![over(&[ground.own(0)], put(None, "neu", yes()))]),
            ("an element that is not named", vec![element_of(list, element)]),
            ("a delete of what is not there", vec![over(&[one], put(None, "neu", Action::Delete))]),
            ("a delete of half of it", vec![over(&[one], put(None, "wetter", Action::Delete))]),
            (
                "a delete of a list's neighbour",
                vec![Operation {
                    action: Action::Delete,
                    ..over(&[ground.elements[1]], element_of(list, element))
                }],
            ),
            ("a removed map", vec![over(&[ground.removed], put(None, "weg", yes()))]),
        ]
    });
}

#[test]
fn i6_one_change_writes_to_a_place_once() {
    check(|ground| {
        let first = put(None, "neu", yes());
        let settled = over(&ground.contested, put(None, "wetter", yes()));
        vec![
            ("twice, over itself", vec![first.clone(), over(&[ground.own(0)], put(None, "neu", yes()))]),
            ("twice, side by side", vec![first.clone(), put(None, "neu", yes())]),
            ("made and deleted", vec![first, over(&[ground.own(0)], put(None, "neu", Action::Delete))]),
            ("settled and settled again", vec![settled.clone(), settled]),
        ]
    });
}

#[test]
fn i6_objects_are_not_too_deep_and_not_too_large() {
    check(|ground| {
        let nested = |levels: u64, action: fn() -> Action| {
            let inside = |level| match level {
                0 => put(None, "tief", action()),
                _ => put(Some(ground.own(level - 1)), "tief", action()),
            };
            (0..levels).map(inside).collect::<Vec<_>>()
        };
        let lists = (0..8).map(|level| match level {
            0 => put(None, "tief", Action::MakeList),
            _ => insert(ground.own(level - 1), Key::Head, Action::MakeList),
        });
        let keys = (0..1_025).map(|number| put(None, &format!("feld-{number}"), yes()));
        let list = ground.lists[0];
        vec![
            ("eight maps inside each other", nested(8, || Action::MakeMap)),
            ("a depth bomb", nested(4_000, || Action::MakeMap)),
            ("lists inside each other", lists.collect()),
            ("a map with too many keys", keys.collect()),
            ("a list with too many elements", vec![insert(list, Key::Head, yes()); 1_024]),
        ]
    });
    let mut ground = Ground::new();
    let deepest = (0..7).map(|level| match level {
        0 => put(None, "tief", Action::MakeMap),
        _ => put(Some(ground.own(level - 1)), "tief", Action::MakeMap),
    });
    let change = ground.sealed(deepest.collect());
    assert_eq!(admit(&ground.authority, &mut ground.document, change), Ok(true), "one less is allowed");
    ground.goes_on("seven maps");
}

#[test]
fn i6_known_fields_hold_their_kind() {
    check(|ground| {
        let title = ground.title;
        vec![
            (
                "a number as a title",
                vec![over(&[ground.title_de], put(Some(title), "de", Action::Put(Scalar::Integer(1))))],
            ),
            ("a text as all titles", vec![over(&[title], put(None, "title", text("x")))]),
            ("a list as all titles", vec![over(&[title], put(None, "title", Action::MakeList))]),
            ("a map as a licence", vec![put(None, "licence", Action::MakeMap)]),
            ("null as a licence", vec![put(None, "licence", Action::Put(Scalar::Null))]),
            ("bytes as a licence", vec![put(None, "licence", Action::Put(Scalar::Bytes(vec![0; 9])))]),
        ]
    });
}

#[test]
fn i6_a_change_follows_from_what_it_names() {
    let mut ground = Ground::new();
    let list = || vec![put(None, "neu", yes())];
    let whole = ground.next(list());
    let start = |start_op| Operations { start_op, ..whole.clone() };
    let depends = |dependencies: Vec<ChangeHash>| Operations { dependencies, ..whole.clone() };
    let older = ground.document.changes()[0].seal.change;
    let cases = [
        ("start op one too great", start(ground.start + 1), Code::BadStructure),
        ("start op one too small", start(ground.start - 1), Code::BadStructure),
        ("the greatest start op", start(1 << 32), Code::BadStructure),
        ("no dependency", depends(vec![]), Code::BadStructure),
        ("an old dependency alone", depends(vec![older]), Code::BadStructure),
        ("a dependency that nobody has", depends(vec![ChangeHash([5; 32])]), Code::MissingDependency),
        (
            "a dependency that nobody has beside those here",
            depends([&[ChangeHash([0; 32])], whole.dependencies.as_slice()].concat()),
            Code::MissingDependency,
        ),
    ];
    for (name, operations, code) in cases {
        let change = seal(&ground.document, &ground.signer, &operations);
        ground.refuses(name, code, change);
    }

    // The change itself as its own dependency: no hash can be found for that,
    // so the seal claims one.
    let claimed = ChangeHash([9; 32]);
    let itself = depends(vec![claimed]).encode(&ground.own(0).actor);
    let change = seal_bytes(&ground.document, &ground.signer, claimed, itself);
    ground.refuses("itself as a dependency", Code::MissingDependency, change);
    let held = ground.document.changes()[3].clone();
    let repeated = seal_bytes(&ground.document, &ground.signer, held.seal.change, held.operations);
    ground.refuses("a change again under a new number", Code::BadStructure, repeated);
}

#[test]
fn i6_the_sealed_hash_is_the_one_of_the_operations() {
    let mut ground = Ground::new();
    let honest = ground.sealed(vec![put(None, "neu", yes())]);
    let other = ground.sealed(vec![put(None, "neu", text("x"))]);
    let wrong = seal_bytes(&ground.document, &ground.signer, ChangeHash([1; 32]), honest.operations.clone());
    ground.refuses("a hash of nothing", Code::WrongHash, wrong);
    let swapped = seal_bytes(&ground.document, &ground.signer, other.seal.change, honest.operations.clone());
    ground.refuses("the hash of another change", Code::WrongHash, swapped);
    assert_eq!(admit(&ground.authority, &mut ground.document, honest), Ok(true));
}
