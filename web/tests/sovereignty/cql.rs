//! Filters in CQL2 that are asked in both worlds, made from a grammar: every
//! property with every kind of value, negated, joined, sorted and paged.

use super::ckan::{Chance, form};

/// Generated filters.
const FILTERS: usize = 200;
const SEED: u64 = 0x5eed_0c91;

const TEXTS: [&str; 9] =
    ["id", "externalIds", "type", "title", "keywords", "themes", "formats", "license", "town"];
const VALUES: [&str; 10] = [
    "Canary",
    "Zugangscodes Wasserwerk Canary",
    "Baumkataster Canary 0",
    "Baum",
    "ENVI",
    "CSV",
    "DL-DE-ZERO-2.0",
    "soest",
    "dataset",
    "",
];
const PATTERNS: [&str; 6] = ["%", "%Canary%", "Zugang%", "%wasserwerk%", "Baum_ataster%", "%0"];
const OTHERS: [&str; 10] = [
    "created >= DATE('2026-01-01')",
    "updated < TIMESTAMP('2026-11-02T08:00:00Z')",
    "T_DURING(updated, INTERVAL('2020-01-01', '..'))",
    "T_INTERSECTS(time, INTERVAL('2000-01-01', '..'))",
    "T_EQUALS(INTERVAL(created, updated), DATE('2026-11-18'))",
    "time IS NULL",
    "geometry IS NULL",
    "S_INTERSECTS(geometry, BBOX(7, 50, 9, 52))",
    "TRUE",
    "title IS NOT NULL",
];
const ORDERS: [&str; 5] = ["id", "-id", "title", "-updated", "created"];

/// Addresses that every reader may ask.
pub(crate) fn queries() -> Vec<String> {
    let mut chance = Chance(SEED);
    (0..FILTERS)
        .map(|_| {
            let mut filter = condition(&mut chance);
            for _ in 0..chance.below(3) {
                let joined = chance.of(&[" AND ", " OR ", " AND NOT ", " OR NOT "]);
                filter = format!("{filter}{joined}{}", condition(&mut chance));
            }
            let (order, limit, offset) = (chance.of(&ORDERS), 1 + chance.below(3), chance.below(3));
            let filter = form(filter);
            format!(
                "/collections/federation/items?filter={filter}&sortby={order}&limit={limit}&offset={offset}"
            )
        })
        .collect()
}

fn condition(chance: &mut Chance) -> String {
    let folded = |chance: &mut Chance, name: &str, value: &str| match chance.below(3) {
        0 => (format!("CASEI({name})"), format!("CASEI('{value}')")),
        1 => (format!("ACCENTI({name})"), format!("ACCENTI('{value}')")),
        _ => (name.to_owned(), format!("'{value}'")),
    };
    let name = chance.of(&TEXTS).to_owned();
    match chance.below(5) {
        0 => chance.of(&OTHERS).to_owned(),
        1 | 2 => {
            let pattern = chance.of(&PATTERNS);
            let (name, pattern) = folded(chance, &name, pattern);
            format!("{name} LIKE {pattern}")
        }
        _ => {
            let (sign, value) = (chance.of(&["=", "<>", "<", ">=", ">"]), chance.of(&VALUES));
            let (name, value) = folded(chance, &name, value);
            format!("{name} {sign} {value}")
        }
    }
}
