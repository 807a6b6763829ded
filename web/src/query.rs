//! Reads the query of a search from an address: every name known, every value
//! possible, or an error that says which is not.
//!
//! An empty value counts as not given. Pages pass over names that they do not
//! know, because links collect them on their way; the API refuses them.

use crdt::catalog::invalid::{Bilingual, InvalidField, nearest};
use crdt::catalog::{Class, Format, Frequency, LicenceIri, Line, Theme};
use crdt::ids::Town;
use crdt::vocabulary::Vocabularies;
use node::view::{
    FILTER_VALUES_MAX, PAGE_LIMIT_MAX, PAGE_OFFSET_MAX, Reader, SEARCH_TEXT_BYTES_MAX, SearchQuery, Sort,
    TownInfo,
};

use crate::error::Problem;

/// Hits on a page if none are asked for.
pub(crate) const LIMIT_DEFAULT: usize = 20;

/// Parameters of a search, in the order of the documentation.
pub(crate) const PARAMETERS: [&str; 12] = [
    "q",
    "town",
    "theme",
    "domain",
    "format",
    "licence",
    "frequency",
    "class",
    "sort",
    "highlight",
    "offset",
    "limit",
];

/// Filters: parameters that may be given several times.
pub(crate) const FILTERS: [&str; 7] = ["town", "theme", "domain", "format", "licence", "frequency", "class"];

/// What to do with a name that is not in [`PARAMETERS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// Name it.
    Refuse,
    /// Pass over it.
    Ignore,
}

/// What filters may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    /// The towns of the federation.
    pub(crate) members: &'a [TownInfo],
    /// The lists of codes that this town goes by.
    pub(crate) lists: &'a Vocabularies,
}

/// Reads a search.
pub(crate) fn parse(
    query: Option<&str>,
    known: Known<'_>,
    reader: Reader,
    unknown: Unknown,
) -> Result<SearchQuery, Problem> {
    let mut search = SearchQuery { limit: LIMIT_DEFAULT, ..SearchQuery::default() };
    let mut seen: Vec<&'static str> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let Some(name) = PARAMETERS.into_iter().find(|known| *known == name) else {
            match unknown {
                Unknown::Refuse => return Err(Problem::unknown_parameter(&name, &PARAMETERS)),
                Unknown::Ignore => continue,
            }
        };
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        if !FILTERS.contains(&name) && seen.contains(&name) {
            return Err(Problem::repeated_parameter(name));
        }
        seen.push(name);
        set(&mut search, name, value, known, reader)?;
    }
    Ok(search)
}

fn set(
    search: &mut SearchQuery,
    name: &'static str,
    value: &str,
    Known { members, lists }: Known<'_>,
    reader: Reader,
) -> Result<(), Problem> {
    let wrong = |error: InvalidField| Problem::invalid_parameter(name, value, error.remedy);
    match name {
        "q" => search.text = text(name, value)?,
        "sort" => search.sort = sort(name, value)?,
        "highlight" => search.highlight = switch(name, value)?,
        "offset" => search.offset = number(name, value, 0, PAGE_OFFSET_MAX)?,
        "limit" => search.limit = number(name, value, 1, PAGE_LIMIT_MAX)?,
        "town" => add(&mut search.town, name, town(name, value, members)?)?,
        "theme" => {
            add(&mut search.theme, name, Theme::parse_with(lists, value).map_err(wrong)?.code().to_owned())?
        }
        "domain" => add(&mut search.domain, name, Line::parse(value).map_err(wrong)?.to_string())?,
        "format" => {
            add(&mut search.format, name, Format::parse_with(lists, value).map_err(wrong)?.to_string())?
        }
        "licence" => {
            add(&mut search.licence, name, LicenceIri::parse_with(lists, value).map_err(wrong)?.to_string())?;
        }
        "frequency" => {
            let frequency = Frequency::parse_with(lists, value).map_err(wrong)?;
            add(&mut search.frequency, name, frequency.code().to_owned())?;
        }
        _ => {
            let class = Class::parse(value).map_err(wrong)?;
            if !reader.may_see(class) {
                let remedy = Bilingual::fixed(
                    "Hier gibt es nur „open“: den Parameter weglassen.",
                    "here is only `open`: leave the parameter out",
                );
                return Err(Problem::invalid_parameter(name, value, remedy));
            }
            add(&mut search.class, name, class.code().to_owned())?;
        }
    }
    Ok(())
}

fn add(values: &mut Vec<String>, name: &'static str, value: String) -> Result<(), Problem> {
    if values.contains(&value) {
        return Ok(());
    }
    if values.len() == FILTER_VALUES_MAX {
        let remedy = Bilingual::made(
            format!("Höchstens {FILTER_VALUES_MAX} Werte angeben."),
            format!("give at most {FILTER_VALUES_MAX} values"),
        );
        return Err(Problem::invalid_parameter(name, &value, remedy));
    }
    values.push(value);
    Ok(())
}

fn text(name: &'static str, value: &str) -> Result<String, Problem> {
    if value.len() > SEARCH_TEXT_BYTES_MAX {
        let remedy = Bilingual::made(
            format!("Auf höchstens {SEARCH_TEXT_BYTES_MAX} Byte kürzen."),
            format!("shorten it to at most {SEARCH_TEXT_BYTES_MAX} bytes"),
        );
        return Err(Problem::invalid_parameter(name, value, remedy));
    }
    Ok(value.to_owned())
}

fn sort(name: &'static str, value: &str) -> Result<Sort, Problem> {
    match value {
        "relevance" => Ok(Sort::Relevance),
        "modified" => Ok(Sort::Modified),
        "title" => Ok(Sort::Title),
        _ => {
            let remedy = Bilingual::fixed(
                "„relevance“, „modified“ oder „title“ angeben.",
                "give `relevance`, `modified` or `title`",
            );
            Err(Problem::invalid_parameter(name, value, remedy))
        }
    }
}

fn switch(name: &'static str, value: &str) -> Result<bool, Problem> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => {
            let remedy = Bilingual::fixed("„true“ oder „false“ angeben.", "give `true` or `false`");
            Err(Problem::invalid_parameter(name, value, remedy))
        }
    }
}

fn number(name: &'static str, value: &str, least: usize, most: usize) -> Result<usize, Problem> {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = plain.then(|| value.parse().ok()).flatten();
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        let remedy = Bilingual::made(
            format!("Eine ganze Zahl von {least} bis {most} angeben."),
            format!("give a whole number from {least} to {most}"),
        );
        Problem::invalid_parameter(name, value, remedy)
    })
}

/// A town by its municipality key or its short name.
fn town(name: &'static str, value: &str, members: &[TownInfo]) -> Result<String, Problem> {
    let key = Town::parse(value).ok();
    let meant = |member: &&TownInfo| Some(member.town) == key || member.code.eq_ignore_ascii_case(value);
    if let Some(member) = members.iter().find(meant) {
        return Ok(member.town.to_string());
    }
    let codes = || members.iter().map(|member| member.code.as_str());
    let all = codes().collect::<Vec<_>>().join(", ");
    let remedy = match nearest(value, codes()) {
        Some(guess) => Bilingual::made(
            format!("Vielleicht „{guess}“? Städte des Verbunds: {all}."),
            format!("did you mean `{guess}`? Towns of the federation: {all}"),
        ),
        None => Bilingual::made(
            format!("Gemeindeschlüssel oder Kurznamen einer Stadt des Verbunds angeben: {all}."),
            format!("give the municipality key or short name of a town of the federation: {all}"),
        ),
    };
    Err(Problem::invalid_parameter(name, value, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members() -> Vec<TownInfo> {
        [("05974040", "soest", "Soest"), ("05966024", "olpe", "Olpe")]
            .map(|(town, code, name)| TownInfo {
                town: Town::parse(town).unwrap(),
                code: code.to_owned(),
                name: name.to_owned(),
            })
            .to_vec()
    }

    fn read(query: &str, reader: Reader, unknown: Unknown) -> Result<SearchQuery, Problem> {
        let known = Known { members: &members(), lists: Vocabularies::builtin() };
        parse(Some(query), known, reader, unknown)
    }

    fn public(query: &str) -> Result<SearchQuery, Problem> {
        read(query, Reader::Public, Unknown::Refuse)
    }

    /// Asserts the code, and that the sentence for the reader names the remedy.
    fn refused(query: &str, code: &str, remedy: &str) {
        let problem = public(query).unwrap_err();
        assert_eq!(problem.code(), code, "{query}");
        let words = problem.remedy_words().unwrap();
        assert!(words.en.contains(remedy), "{query}: {}", words.en);
        assert_ne!(words.de, words.en);
    }

    #[test]
    fn empty_values_count_as_not_given() {
        let search = public("q=&town=&theme=&offset=&limit=").unwrap();
        assert_eq!(search, SearchQuery { limit: LIMIT_DEFAULT, ..SearchQuery::default() });
        assert_eq!(public("").unwrap(), search);
    }

    #[test]
    fn filters_take_every_spelling_and_repeat() {
        let search = public(
            "q=B%C3%A4ume+im%20Park&town=soest&town=05966024&town=SOEST&theme=envi\
             &theme=http%3A%2F%2Fpublications.europa.eu%2Fresource%2Fauthority%2Fdata-theme%2FTRAN\
             &format=csv&licence=dl-zero-de%2F2.0&frequency=monthly&class=open&sort=title&highlight=1\
             &offset=40&limit=100",
        )
        .unwrap();
        assert_eq!(search.text, "Bäume im Park");
        assert_eq!(search.town, ["05974040", "05966024"]);
        assert_eq!(search.theme, ["ENVI", "TRAN"]);
        assert_eq!(search.format, ["CSV"]);
        assert_eq!(search.licence, ["http://dcat-ap.de/def/licenses/dl-zero-de/2.0"]);
        assert_eq!((search.offset, search.limit, search.sort), (40, 100, Sort::Title));
        assert!(search.highlight);
    }

    #[test]
    fn filters_go_by_the_lists_of_the_town() {
        let text = "# title.de: T\n# title.en: T\n# source: Soest\n# version: 1\ncode\tde\nBOERDE\tRund um die Börde\n";
        let mut lists = Vocabularies::builtin().clone();
        lists.replace(crdt::vocabulary::Vocabulary::parse(crdt::vocabulary::List::Themes, text).unwrap());
        let known = Known { members: &members(), lists: &lists };
        let theme =
            |query| parse(Some(query), known, Reader::Public, Unknown::Refuse).map(|found| found.theme);
        assert_eq!(theme("theme=rund+um+die+Boerde").unwrap(), ["BOERDE"]);
        assert!(theme("theme=ENVI").is_err());
        assert!(public("theme=BOERDE").is_err());
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_remedy() {
        refused("limt=5", "unknown_parameter", "did you mean `limit`?");
        refused("x%3Cscript%3E=1", "unknown_parameter", "possible are: q, town");
        refused("limit=0", "invalid_parameter", "from 1 to 100");
        refused("limit=101", "invalid_parameter", "from 1 to 100");
        refused("limit=%2B5", "invalid_parameter", "from 1 to 100");
        refused("limit=99999999999999999999", "invalid_parameter", "from 1 to 100");
        refused("offset=-1", "invalid_parameter", "from 0 to 9900");
        refused("offset=9901", "invalid_parameter", "from 0 to 9900");
        refused("limit=5&limit=6", "repeated_parameter", "once");
        refused("theme=ENVY", "invalid_parameter", "did you mean `ENVI`?");
        refused("town=sost", "invalid_parameter", "did you mean `soest`?");
        refused("town=05315000", "invalid_parameter", "soest, olpe");
        refused("licence=cc-by/9.0", "invalid_parameter", "did you mean");
        refused("sort=name", "invalid_parameter", "`relevance`");
        refused(&format!("q={}", "a".repeat(1_001)), "invalid_parameter", "at most 1000 bytes");
        let many: String = (0..65).map(|i| format!("&domain=d{i}")).collect();
        refused(&many, "invalid_parameter", "at most 64 values");
    }

    #[test]
    fn the_public_cannot_even_ask_for_another_class() {
        for class in ["closed", "shared"] {
            refused(&format!("class={class}"), "invalid_parameter", "only `open`");
            let staff = read(&format!("class={class}"), Reader::Staff, Unknown::Refuse).unwrap();
            assert_eq!(staff.class, [class]);
        }
    }

    #[test]
    fn pages_pass_over_foreign_names_but_not_over_wrong_values() {
        let page = |query| read(query, Reader::Public, Unknown::Ignore);
        assert_eq!(page("utm_source=x&lang=en&q=Baum").unwrap().text, "Baum");
        assert!(page("offset=x").is_err());
    }
}
