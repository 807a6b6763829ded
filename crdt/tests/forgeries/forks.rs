//! Two successors of one charter: both kept, the double signers named, charter
//! changes frozen until a version settles it, and never a way back.

use crdt::{
    charter::{Accepted, Charter, CharterChain, Member},
    ids::CharterHash,
    signed::{Signed, public_key},
};

use crate::league::*;

/// Two successors of version 1; Menden has signed both. `a` has the smaller hash.
fn siblings() -> (Signed<Charter>, Signed<Charter>) {
    let one = signed_by(successor(&founding(), 1), &[ARNSBERG, MENDEN, OLPE]);
    let other = signed_by(successor(&founding(), 2), &[MENDEN, BAD_BERLEBURG, SOEST]);
    if one.id() < other.id() { (one, other) } else { (other, one) }
}

fn settlement(previous: &Signed<Charter>, others: &[&Signed<Charter>]) -> Signed<Charter> {
    let mut other_heads: Vec<CharterHash> = others.iter().map(|other| other.id()).collect();
    other_heads.sort();
    signed_by(Charter { other_heads, ..successor(previous, 9) }, &[ARNSBERG, OLPE, SOEST])
}

/// Delivers in this order, again and again until nothing new is taken.
fn deliver(order: &[Signed<Charter>]) -> CharterChain {
    let mut chain = chain();
    loop {
        let before = chain.ids().count();
        let mut version = chain.current().value().version;
        for charter in order {
            let _ = chain.accept(charter.clone());
            assert!(chain.current().value().version >= version, "a version went back");
            version = chain.current().value().version;
        }
        if chain.ids().count() == before {
            return chain;
        }
    }
}

/// What must not depend on the order of delivery.
fn outcome(chain: &CharterChain) -> (CharterHash, bool, usize, usize) {
    (chain.current().id(), chain.is_frozen(), chain.ids().count(), chain.forks().len())
}

#[test]
fn i3_a_fork_freezes_the_charter_and_names_who_signed_twice() {
    let (a, b) = siblings();
    for order in permutations(&[a.clone(), b.clone()]) {
        let mut chain = chain();
        assert_eq!(chain.accept(order[0].clone()), Ok(Accepted::InForce));
        assert_eq!(chain.accept(order[1].clone()), Ok(Accepted::Forked));
        assert!(chain.is_frozen());
        assert_eq!(chain.current().id(), a.id(), "the smaller hash, whatever came first");
        let forks = chain.forks();
        assert_eq!(forks.len(), 1);
        assert_eq!(forks[0].successors, [a.id(), b.id()]);
        assert_eq!(forks[0].double_signers, [town(MENDEN)].into());
        let plain = signed_by(successor(&a, 3), &[0, 1, 2, 3, 4]);
        assert_eq!(chain.accept(plain), Ok(Accepted::Frozen));
        assert_eq!(chain.current().id(), a.id(), "frozen: nothing new comes into force");
    }
}

#[test]
fn i3_only_a_version_that_lists_both_thaws_whatever_the_order() {
    let (a, b) = siblings();
    for settled in [settlement(&a, &[&b]), settlement(&b, &[&a])] {
        for order in permutations(&[a.clone(), b.clone(), settled.clone()]) {
            let chain = deliver(&order);
            assert_eq!(outcome(&chain), (settled.id(), false, 4, 1));
            assert!(chain.heads_to_settle().is_empty());
        }
    }
    let half = signed_by(successor(&a, 9), &[0, 1, 2, 3, 4]);
    let wrong = settlement(&a, &[&founding()]);
    for not_settled in [half, wrong] {
        for order in permutations(&[a.clone(), b.clone(), not_settled.clone()]) {
            assert!(deliver(&order).is_frozen());
        }
    }
}

#[test]
fn i3_a_fork_found_late_is_settled_whatever_the_order() {
    let (a, b) = siblings();
    let a2 = signed_by(successor(&a, 3), &[ARNSBERG, OLPE, SOEST]);
    let late = {
        let mut chain = deliver(&[a.clone(), a2.clone()]);
        assert_eq!(chain.accept(b.clone()), Ok(Accepted::Forked));
        assert_eq!(chain.current().id(), a2.id(), "the version in force stays");
        assert_eq!(chain.heads_to_settle(), [b.id()]);
        settlement(&a2, &[&b])
    };
    for order in permutations(&[a, a2, b, late.clone()]) {
        assert_eq!(outcome(&deliver(&order)), (late.id(), false, 5, 1));
    }
}

#[test]
fn i3_what_follows_a_settled_version_is_evidence_only() {
    let (a, b) = siblings();
    let settled = settlement(&a, &[&b]);
    let b2 = signed_by(successor(&b, 4), &[0, 1, 2, 3, 4]);
    for order in permutations(&[a.clone(), b.clone(), settled.clone(), b2.clone()]) {
        assert_eq!(outcome(&deliver(&order)), (settled.id(), false, 5, 1));
    }
    let mut chain = deliver(&[a, b, settled]);
    assert_eq!(chain.accept(b2), Ok(Accepted::Outdated));
}

#[test]
fn i3_two_settlements_are_a_fork_again() {
    let (a, b) = siblings();
    let (one, other) = (settlement(&a, &[&b]), settlement(&b, &[&a]));
    let smaller = one.id().min(other.id());
    let all = [a, b, one.clone(), other.clone()];
    for order in permutations(&all) {
        let chain = deliver(&order);
        assert_eq!((chain.current().id(), chain.is_frozen()), (smaller, true));
    }
    let last = settlement(&one, &[&other]);
    let mut all = all.to_vec();
    all.push(last.clone());
    for order in permutations(&all) {
        let chain = deliver(&order);
        assert_eq!((chain.current().id(), chain.is_frozen()), (last.id(), false));
    }
}

/// All keys of version 1 are replaced in version 2. Whoever finds the old ones
/// can still sign successors of version 1, as many and as long as they like.
#[test]
fn i3_old_keys_cannot_rewrite_what_came_later() {
    let mut renewed = successor(&founding(), 1);
    for (index, member) in renewed.members.iter_mut().enumerate() {
        let key = public_key(&key(&format!("new identity {index}")));
        *member = Member { identity_keys: vec![key], required: 1, ..member.clone() };
    }
    let sign_new = |signed: &mut Signed<Charter>| {
        (0..5).for_each(|index| signed.sign(&key(&format!("new identity {index}"))));
    };
    let mut second = signed_by(renewed, &[0, 1, 2, 3, 4]);
    sign_new(&mut second);
    let mut third = Signed::unsigned(successor(&second, 1));
    sign_new(&mut third);
    let mut chain = deliver(&[second.clone(), third.clone()]);
    assert_eq!(chain.current().id(), third.id());

    let everybody = &[0, 1, 2, 3, 4][..];
    let mut thief = signed_by(Charter { name: "Raub".into(), ..successor(&founding(), 5) }, everybody);
    assert_eq!(chain.accept(thief.clone()), Ok(Accepted::Forked));
    for _ in 0..3 {
        let next = Charter { other_heads: vec![second.id()], ..successor(&thief, 5) };
        thief = signed_by(next, everybody);
        assert_eq!(chain.accept(thief.clone()), Ok(Accepted::Frozen));
        assert_eq!(chain.current().id(), third.id(), "stays with what the new keys have signed");
    }
    let mut settled =
        Signed::unsigned(Charter { other_heads: chain.heads_to_settle(), ..successor(&third, 2) });
    sign_new(&mut settled);
    assert_eq!(chain.accept(settled.clone()), Ok(Accepted::InForce));
    assert_eq!(chain.current().id(), settled.id());
}

#[test]
fn i6_competing_charters_are_bounded() {
    let mut chain = chain();
    let mut refused = 0;
    for nonce in 0..80 {
        let sibling = signed_by(successor(&founding(), nonce), &[ARNSBERG, MENDEN, OLPE]);
        match chain.accept(sibling) {
            Ok(_) => {}
            Err(rejection) => {
                assert_eq!(rejection.code(), "too-many-forks");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 80 - 1 - crdt::charter::chain::COMPETING_MAX);
    let settled = Charter { other_heads: chain.heads_to_settle(), ..successor(chain.current(), 200) };
    let settled = signed_by(settled, &[ARNSBERG, MENDEN, OLPE]);
    assert_eq!(chain.accept(settled), Ok(Accepted::InForce), "a full shelf can be settled");
}
