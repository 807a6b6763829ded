//! Queries that CKAN's Action API is asked in both worlds, made from a grammar:
//! every field with every kind of value, joined, counted, sorted and paged, and
//! every other action.

use crdt::ids::DatasetId;

/// Generated searches.
const SEARCHES: usize = 400;
const SEED: u64 = 0x5eed_c0de;

const FIELDS: [&str; 24] = [
    "title",
    "title_string",
    "notes",
    "tags",
    "name",
    "id",
    "identifier",
    "uri",
    "organization",
    "owner_org",
    "groups",
    "res_url",
    "res_name",
    "res_format",
    "license_id",
    "frequency",
    "maintainer",
    "maintainer_email",
    "author",
    "text",
    "state",
    "capacity",
    "extras_guid",
    "unknown",
];
const VALUES: [&str; 18] = [
    "canary",
    "Canary",
    "Wasserwerk",
    "Zugangscodes",
    "Entwurf",
    "Baum",
    "Baumkataster",
    "soest",
    "arnsberg",
    "envi",
    "CSV",
    "*",
    "Wasser*",
    "*codes",
    "Can?ry",
    "\"Zugangscodes Wasserwerk\"",
    "[A TO Z]",
    "{a TO *]",
];
const MOMENTS: [&str; 5] = ["*", "[NOW-1DAY TO NOW]", "[* TO NOW/DAY]", "{2026-01-01T00:00:00Z TO *}", "NOW"];
const SORTS: [&str; 9] = [
    "score desc",
    "metadata_modified desc",
    "metadata_modified asc",
    "metadata_created asc",
    "metadata_created desc",
    "title_string asc",
    "title_string desc",
    "id asc",
    "name desc",
];
const FACETS: &str =
    r#"["tags","organization","owner_org","groups","license_id","res_format","frequency","state"]"#;

/// Addresses that every reader may ask.
pub(crate) fn queries(id: DatasetId) -> Vec<String> {
    let mut chance = Chance(SEED);
    let mut all: Vec<String> = (0..SEARCHES).map(|_| search(&mut chance)).collect();
    let unknown = "00000000-0000-4000-8000-000000000000";
    let actions = [
        "package_list",
        "package_list?limit=2&offset=2",
        "current_package_list_with_resources",
        "package_autocomplete?q=canary",
        "package_autocomplete?q=Wasserw",
        "organization_list?all_fields=true",
        "organization_show?id=soest&include_datasets=true",
        "group_list?all_fields=true",
        "group_show?id=envi&include_datasets=true",
        "group_package_show?id=envi",
        "tag_list",
        "tag_list?query=Canary",
        "tag_show?id=Canary",
        "tag_show?id=Baum&include_datasets=true",
        "license_list",
        "resource_search?query=url:daten",
        "resource_search?query=name:Canary",
        "status_show",
        "site_read",
        "package_create",
        "package_search?start=99999",
        "package_search?rows=x",
        "package_search?q=(",
    ];
    all.extend(actions.into_iter().map(|action| format!("/api/3/action/{action}")));
    all.extend([&id.to_string(), unknown].map(|id| format!("/api/action/package_show?id={id}")));
    all.push("/api/util/status".to_owned());
    all
}

fn search(chance: &mut Chance) -> String {
    let mut query = form(condition(chance));
    for _ in 0..chance.below(3) {
        let joined = [" AND ", " OR ", " ", " -", " AND NOT "][chance.below(5)];
        query.push_str(&form(format!("{joined}{}", condition(chance))));
    }
    let name = ["q", "fq"][chance.below(2)];
    let (sort, rows, start) = (form(chance.of(&SORTS)), chance.below(4), chance.below(3));
    let facets = if chance.below(2) == 0 { format!("&facet.field={}", form(FACETS)) } else { String::new() };
    format!("/api/3/action/package_search?{name}={query}&sort={sort}&rows={rows}&start={start}{facets}")
}

fn condition(chance: &mut Chance) -> String {
    match chance.below(6) {
        0 => chance.of(&VALUES[..11]).to_owned(),
        1 => {
            format!("{}:{}", ["metadata_modified", "metadata_created"][chance.below(2)], chance.of(&MOMENTS))
        }
        2 => format!("{}:({} OR {})", chance.of(&FIELDS), chance.of(&VALUES), chance.of(&VALUES)),
        _ => format!("{}:{}", chance.of(&FIELDS), chance.of(&VALUES)),
    }
}

/// Text as it stands in an address.
pub(crate) fn form(text: impl AsRef<str>) -> String {
    text.as_ref().bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// SplitMix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 33) as usize % bound
    }

    pub(crate) fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}
