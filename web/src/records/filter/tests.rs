//! How conditions become fields of the index, and which are refused.

use crdt::vocabulary::Vocabularies;
use node::view::{Expression, MomentField, NamedField, Pattern, PatternPiece};

use super::super::cql::text;
use super::*;

fn found(filter: &str) -> Result<Expression, Wrong> {
    let towns = [("soest", "05974040"), ("olpe", "05966024")];
    let towns = towns.map(|(code, key)| (code.to_owned(), key.to_owned()));
    expression(&text::read(filter)?, Known { towns: &towns, lists: Vocabularies::builtin() })
}

fn check(filter: &str, expected: Expression) {
    assert_eq!(found(filter), Ok(expected), "{filter}");
}

fn is(field: NamedField, value: &str) -> Expression {
    Expression::Is(field, value.to_owned())
}

#[test]
fn properties_become_fields_and_towns_their_keys() {
    check("town = 'soest'", is(NamedField::Town, "05974040"));
    check(
        "CASEI(town) LIKE CASEI('%O%E%')",
        or(vec![is(NamedField::Town, "05974040"), is(NamedField::Town, "05966024")]),
    );
    check("'Baum' = keywords", is(NamedField::Keyword, "Baum"));
    check("type = 'dataset'", Expression::All);
    check("type = 'service'", Expression::Nothing);
    check("town IS NULL", Expression::Nothing);
    check("license IS NOT NULL", Expression::Has(NamedField::Licence));
    let zero = "http://dcat-ap.de/def/licenses/dl-zero-de/2.0";
    check(
        "license = 'DL-DE-ZERO-2.0'",
        or(vec![is(NamedField::Licence, zero), is(NamedField::Licence, "DL-DE-ZERO-2.0")]),
    );
    check(&format!("license = '{zero}'"), is(NamedField::Licence, zero));
    let pieces = [PatternPiece::Text("100%".into()), PatternPiece::Any, PatternPiece::One];
    check(r"title LIKE '100\%%%_'", Expression::Like(NamedField::TitleExact, Pattern(pieces.into())));
    check("title LIKE 'Haushalt'", is(NamedField::TitleExact, "Haushalt"));
}

#[test]
fn a_negation_asks_only_records_that_have_the_property() {
    let without = |value: &str| {
        let has = Expression::Has(NamedField::Keyword);
        Expression::And(vec![has, Expression::Not(Box::new(is(NamedField::Keyword, value)))])
    };
    check("keywords <> 'Baum'", without("Baum"));
    check("NOT keywords = 'Baum'", without("Baum"));
    check("NOT (keywords <> 'Baum')", is(NamedField::Keyword, "Baum"));
    check("NOT NOT keywords <> 'Baum'", without("Baum"));
    check("NOT (keywords = 'a' OR NOT keywords = 'b')", {
        let Expression::And(mut parts) = without("a") else { unreachable!() };
        parts.push(is(NamedField::Keyword, "b"));
        Expression::And(parts)
    });
    check("NOT town = 'soest'", Expression::Not(Box::new(is(NamedField::Town, "05974040"))));
}

#[test]
fn days_stand_for_all_their_seconds() {
    use std::ops::Bound::{Included, Unbounded};
    let updated = |from, to| Expression::During(MomentField::Modified, from, to);
    check("updated = DATE('1970-01-02')", updated(Included(86_400), Included(172_799)));
    check("updated < DATE('1970-01-02')", updated(Unbounded, Included(86_399)));
    check("updated <= '1970-01-02'", updated(Unbounded, Included(172_799)));
    check("DATE('1970-01-02') < updated", updated(Included(172_800), Unbounded));
    check("T_AFTER(updated, TIMESTAMP('1970-01-02T00:00:00Z'))", updated(Included(86_401), Unbounded));
    check("T_AFTER(updated, INTERVAL('1970-01-02', '..'))", Expression::Nothing);
}

#[test]
fn what_is_not_mapped_is_refused_by_name() {
    for (filter, place, words) in [
        ("titel = 'x'", 1, "did you mean `title`"),
        ("description LIKE '%Baum%'", 1, "parameter q"),
        ("title = town", 9, "two are not compared"),
        ("CASEI(title) = CASEI(town)", 16, "two are not compared"),
        ("'a' = 'a'", 1, "queryables"),
        ("title = 5", 9, "single quotes"),
        ("title = true", 9, "single quotes"),
        ("title = DATE('2026-01-01')", 9, "single quotes"),
        ("updated = 'gestern'", 11, "DATE('2026-11-02')"),
        ("updated LIKE '2026%'", 1, "BETWEEN"),
        ("updated > INTERVAL('2026-01-01', '..')", 11, "T_DURING"),
        ("time = DATE('2026-01-01')", 1, "T_INTERSECTS(time"),
        ("geometry = POINT(1 2)", 1, "S_INTERSECTS(geometry"),
        ("S_INTERSECTS(title, POINT(1 2))", 14, "property geometry"),
        ("S_INTERSECTS(geometry, 'x')", 24, "BBOX"),
        ("S_INTERSECTS(geometry, geometry)", 24, "two are not compared"),
        ("S_INTERSECTS(BBOX(1, 2, 3, 4), POINT(1 2))", 14, "property geometry"),
        ("T_AFTER(title, DATE('2026-01-01'))", 9, "created, updated or time"),
        ("T_AFTER(created, updated)", 18, "two are not compared"),
        ("T_AFTER(time, INTERVAL('2026-01-02', '2026-01-01'))", 15, "beginning first"),
        ("T_AFTER(time, INTERVAL(title, '2026-01-01'))", 24, "created or updated"),
        ("T_AFTER(DATE('2026-01-02'), DATE('2026-01-01'))", 1, "name a property"),
        ("'x' IS NULL", 1, "name a property"),
    ] {
        let said = found(filter).unwrap_err().field();
        assert!(said.problem.en.starts_with(&format!("at character {place} ")), "{filter}: {said}");
        assert!(said.to_string().contains(words), "{filter}: {said}");
    }
    let many = (0..500).map(|n| format!("{n}e-2 0")).collect::<Vec<_>>().join(",");
    let said = found(&format!("S_INTERSECTS(geometry, LINESTRING({many}, 0 0))")).unwrap_err().field();
    assert!(said.to_string().contains("at most 500 places"), "{said}");
}
