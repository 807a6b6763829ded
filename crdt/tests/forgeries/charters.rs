//! Charters that too few have signed, or that lead nowhere.

use crdt::{
    charter::{Accepted, Charter, CharterChain, Member, Thresholds},
    ids::{CharterHash, CharterNonce, FederationId, PublicKey, Town},
    signed::{Signed, public_key},
};

use crate::league::*;

fn founding_code(first: Signed<Charter>) -> Result<(), &'static str> {
    let federation = first.founds().unwrap_or_default();
    CharterChain::found(first, &federation).map(drop).map_err(|rejection| rejection.code())
}

fn accept_code(chain: &CharterChain, next: Signed<Charter>) -> Result<Accepted, &'static str> {
    chain.clone().accept(next).map_err(|rejection| rejection.code())
}

#[test]
fn i3_a_federation_is_founded_by_all_its_members_with_all_keys_required() {
    assert_eq!(founding_code(founding()), Ok(()));
    assert_eq!(founding_code(signed_by(first_charter(), &[0, 1, 2, 3])), Err("below-threshold"));
    let mut half = signed_by(first_charter(), &[0, 1, 2, 3]);
    half.sign(&identity(SOEST, 1));
    assert_eq!(founding_code(half), Err("below-threshold"), "one of two keys of Soest");
    assert_eq!(founding_code(Signed::unsigned(first_charter())), Err("below-threshold"));
}

#[test]
fn i3_the_charter_of_another_federation_is_refused() {
    let other = signed_by(Charter { nonce: CharterNonce([1; 16]), ..first_charter() }, &[0, 1, 2, 3, 4]);
    let error = CharterChain::found(other.clone(), &federation()).unwrap_err();
    assert_eq!(error.code(), "wrong-federation");
    assert_eq!(accept_code(&chain(), other.clone()), Err("wrong-federation"));
    let theirs = signed_by(successor(&other, 1), &[0, 1, 2, 3, 4]);
    assert_eq!(accept_code(&chain(), theirs), Err("unknown-previous"));
}

#[test]
fn i3_a_later_version_needs_the_threshold_of_the_version_before() {
    for (towns, result) in [
        (&[OLPE, SOEST][..], Err("below-threshold")),
        (&[OLPE, SOEST, MENDEN][..], Ok(Accepted::InForce)),
        (&[0, 1, 2, 3, 4][..], Ok(Accepted::InForce)),
    ] {
        assert_eq!(accept_code(&chain(), signed_by(successor(&founding(), 1), towns)), result, "{towns:?}");
    }
}

#[test]
fn i3_signatures_of_strangers_and_copies_do_not_count() {
    let mut next = signed_by(successor(&founding(), 1), &[OLPE, SOEST]);
    next.sign(&identity(MENDEN, 1));
    for number in 0..20 {
        next.sign(&key(&format!("stranger {number}")));
    }
    assert_eq!(accept_code(&chain(), next.clone()), Err("below-threshold"));
    next.sign(&identity(MENDEN, 2));
    let mut chain = chain();
    assert_eq!(chain.accept(next), Ok(Accepted::InForce));
    assert_eq!(chain.current().signatures().len(), 6, "strangers' signatures are not kept");
}

/// A sixth town whose keys are made up.
fn newcomer(ags: &str) -> Member {
    Member {
        town: Town::parse(ags).unwrap(),
        code: format!("town-{ags}"),
        identity_keys: vec![public_key(&key(ags))],
        required: 1,
        addresses: vec![],
        ..member(OLPE)
    }
}

#[test]
fn i3_newcomers_cannot_vote_themselves_in_nor_outvote_the_new_threshold() {
    let mut next = successor(&founding(), 1);
    let ags = ["09111111", "09222222", "09333333", "09444444"];
    next.members.extend(ags.map(newcomer));
    let mut signed = signed_by(next.clone(), &[OLPE]);
    ags.iter().for_each(|ags| signed.sign(&key(ags)));
    assert_eq!(accept_code(&chain(), signed), Err("below-threshold"));

    // With nine members the version itself asks for six.
    next.thresholds = Thresholds { change: 6, expel: 6, thresholds: 6 };
    let four = signed_by(next.clone(), &[0, 1, 2, 3]);
    assert_eq!(accept_code(&chain(), four.clone()), Err("below-threshold"));
    let mut six = four;
    six.sign(&key(ags[0]));
    six.sign(&key(ags[1]));
    assert_eq!(accept_code(&chain(), six), Ok(Accepted::InForce));
}

#[test]
fn i3_an_expulsion_needs_the_greater_number_and_a_leave_does_not() {
    let mut without_soest = successor(&founding(), 1);
    without_soest.members.truncate(4);
    let expelled = |towns: &[usize]| accept_code(&chain(), signed_by(without_soest.clone(), towns));
    assert_eq!(expelled(&[ARNSBERG, MENDEN, OLPE]), Err("below-threshold"));
    assert_eq!(expelled(&[ARNSBERG, MENDEN, OLPE, BAD_BERLEBURG]), Ok(Accepted::InForce));
    // The leaving town's own signature makes it a leave.
    assert_eq!(expelled(&[ARNSBERG, MENDEN, OLPE, SOEST]), Ok(Accepted::InForce));
}

#[test]
fn i3_taking_a_towns_keys_needs_the_greater_number() {
    let mut taken = successor(&founding(), 1);
    taken.members[SOEST].identity_keys = vec![public_key(&key("thief"))];
    taken.members[SOEST].required = 1;
    let mut three = signed_by(taken.clone(), &[ARNSBERG, MENDEN, OLPE]);
    three.sign(&key("thief"));
    assert_eq!(accept_code(&chain(), three), Err("below-threshold"));
    let four = signed_by(taken.clone(), &[ARNSBERG, MENDEN, OLPE, BAD_BERLEBURG]);
    assert_eq!(accept_code(&chain(), four), Ok(Accepted::InForce));
    // Soest itself asks for new keys: an ordinary change.
    let own = signed_by(taken, &[ARNSBERG, MENDEN, OLPE, SOEST]);
    assert_eq!(accept_code(&chain(), own), Ok(Accepted::InForce));
}

#[test]
fn i3_changed_thresholds_need_the_greater_number() {
    let mut lower = successor(&founding(), 1);
    lower.thresholds = Thresholds { change: 1, expel: 1, thresholds: 1 };
    let three = signed_by(lower.clone(), &[ARNSBERG, MENDEN, OLPE]);
    assert_eq!(accept_code(&chain(), three), Err("below-threshold"));
    let four = signed_by(lower, &[ARNSBERG, MENDEN, OLPE, SOEST]);
    assert_eq!(accept_code(&chain(), four), Ok(Accepted::InForce));
}

#[test]
fn i3_a_stale_or_skipping_version_is_refused() {
    let second = signed_by(successor(&founding(), 1), &[0, 1, 2]);
    let third = signed_by(successor(&second, 1), &[0, 1, 2]);
    let fourth = signed_by(successor(&third, 1), &[0, 1, 2]);
    let mut chain = chain();
    assert_eq!(accept_code(&chain, fourth.clone()), Err("gap"));
    assert_eq!(accept_code(&chain, third.clone()), Err("gap"));
    for next in [&second, &third, &fourth] {
        assert_eq!(chain.accept(next.clone()), Ok(Accepted::InForce));
    }
    for old in [founding(), second.clone(), third.clone(), fourth] {
        assert_eq!(chain.accept(old), Ok(Accepted::Known));
        assert_eq!(chain.current().value().version, 4);
    }
    let renumbered = signed_by(Charter { version: 9, ..successor(&third, 2) }, &[0, 1, 2]);
    assert_eq!(accept_code(&chain, renumbered), Err("wrong-version"));
    let invented = signed_by(Charter { previous: CharterHash([1; 32]), ..successor(&third, 2) }, &[0, 1, 2]);
    assert_eq!(accept_code(&chain, invented), Err("unknown-previous"));
    assert_eq!(chain.version(2).map(|signed| signed.id()), Some(second.id()));
    assert_eq!((chain.version(0), chain.version(5)), (None, None));
}

/// Every rule of a charter's form, each broken in a charter that all members sign.
#[test]
fn i3_a_charter_that_breaks_a_rule_founds_nothing() {
    type Break = fn(&mut Charter);
    let breaks: [(&str, Break); 24] = [
        ("version 0", |c| c.version = 0),
        ("previous of version 1", |c| c.previous = CharterHash([1; 32])),
        ("other heads of version 1", |c| c.other_heads = vec![CharterHash([1; 32])]),
        ("no name", |c| c.name = " ".into()),
        ("control character", |c| c.name = "a\nb".into()),
        ("long name", |c| c.name = "a".repeat(201)),
        ("order of members", |c| c.members.swap(0, 1)),
        ("one town twice", |c| c.members[1].town = c.members[0].town),
        ("one code twice", |c| c.members[1].code = c.members[0].code.clone()),
        ("code with a slash", |c| c.members[1].code = "a/b".into()),
        ("no keys", |c| c.members[1].identity_keys.clear()),
        ("order of keys", |c| c.members[1].identity_keys.reverse()),
        ("one key for two towns", |c| c.members[1].identity_keys = c.members[0].identity_keys.clone()),
        ("a member's key for a partner", |c| {
            c.partners[0].identity_keys = c.members[0].identity_keys[..1].into()
        }),
        ("no key required", |c| c.members[1].required = 0),
        ("more keys required than named", |c| c.members[1].required = 3),
        ("one peer id for two towns", |c| c.members[1].addresses = vec![address(ARNSBERG)]),
        ("address without peer id", |c| c.members[1].addresses = vec!["/dns4/a.example/tcp/1".into()]),
        ("address with a space", |c| {
            c.members[1].addresses = vec![address(MENDEN).replace("menden", "men den")]
        }),
        ("address twice", |c| c.members[1].addresses = vec![address(MENDEN); 2]),
        ("partner of nobody", |c| c.partners[0].named_by = Town::parse("00000000").unwrap()),
        ("threshold 0", |c| c.thresholds.change = 0),
        ("threshold above the members", |c| c.thresholds.expel = 6),
        ("frame above the format", |c| c.limits.frame_bytes = 65_537),
    ];
    for (what, break_it) in breaks {
        let mut charter = first_charter();
        break_it(&mut charter);
        let signed = signed_by(charter, &[0, 1, 2, 3, 4]);
        let federation = FederationId(signed.hash());
        let code =
            CharterChain::found(signed.clone(), &federation).map(drop).map_err(|rejection| rejection.code());
        assert!(matches!(code, Err("malformed" | "not-canonical")), "{what}: {code:?}");
        assert!(Signed::<Charter>::from_bytes(&signed.to_bytes()).is_err(), "{what}");
    }
}

/// The eight points whose order divides 8 (RFC 7748 and 8032 curves), in all
/// encodings that decoders are known to take: a signature can be made for them
/// without any secret.
pub(crate) fn low_order_points() -> Vec<PublicKey> {
    [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        // Not canonical: y = p + 1, y = p, and a sign bit on x = 0.
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect()
}

#[test]
fn i3_no_charter_names_a_key_that_signs_without_a_secret() {
    for weak in low_order_points() {
        let mut charter = first_charter();
        charter.partners[0].identity_keys = vec![weak];
        let signed = signed_by(charter, &[0, 1, 2, 3, 4]);
        assert_eq!(founding_code(signed), Err("malformed"), "{weak}");
    }
}
