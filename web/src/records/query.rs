//! Reads what is asked of a collection's items: every parameter known, every
//! value possible, or a refusal that says which is not.
//!
//! Names are taken in any case, as clients write them. An empty value counts
//! as not given.

use crdt::catalog::invalid::Bilingual;
use crdt::catalog::{BoundingBox, Date, Format, InvalidField, LicenceIri, Theme, Timestamp};
use crdt::ids::DatasetId;
use crdt::vocabulary::Vocabularies;
use node::view::{Area, Condition, Expression, Facet, Order, SEARCH_TEXT_BYTES_MAX, Span};

use super::cql::{Filter, json, text};
use super::filter;
use super::record::licence_named;
use super::refusal::Refusal;

/// Records on a page if none are asked for.
pub(super) const LIMIT_DEFAULT: usize = 10;
/// Records on a page at most; who asks for more gets these and a link to the next.
pub(super) const LIMIT_MAX: usize = 1_000;
/// Records that can be skipped at most; a walk goes further by its links.
pub(super) const OFFSET_MAX: usize = 1_000_000;
/// Values of one list at most.
const LIST_MAX: usize = 200;

/// The parameters of a search, in the order of the description.
pub(super) const PARAMETERS: [&str; 14] = [
    "q",
    "bbox",
    "datetime",
    "limit",
    "offset",
    "sortby",
    "type",
    "ids",
    "externalIds",
    "filter",
    "filter-lang",
    "filter-crs",
    "after",
    "f",
];

/// The languages of filters, the first if none is named.
pub(super) const FILTER_LANGS: [&str; 2] = ["cql2-text", "cql2-json"];

/// The reference system of a filter's geometries: longitude and latitude in WGS 84.
pub(super) const FILTER_CRS: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

/// The properties that a search may name as parameters.
pub(super) const FILTERS: [&str; 7] =
    ["themes", "formats", "keywords", "license", "town", "created", "updated"];

/// The properties that records are sorted by.
pub(super) const SORTABLES: [&str; 4] = ["id", "title", "created", "updated"];

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Words as they were given; empty if there are none.
    pub(super) words: String,
    /// What else must be true; empty if nothing is asked.
    pub(super) conditions: Vec<Condition>,
    /// What the filter finds, if there is one.
    pub(super) filter: Option<Expression>,
    /// The keys of the order asked for, the first first; if none, best match
    /// first where words are asked for, else an order that no edit changes.
    pub(super) order: Vec<Order>,
    /// The last record of the page before, in the order of ids.
    pub(super) after: Option<DatasetId>,
    pub(super) offset: usize,
    pub(super) limit: usize,
}

impl Asked {
    /// The order of the records.
    pub(super) fn order(&self) -> Vec<Order> {
        match self.order.is_empty() {
            true => vec![if self.words.is_empty() { Order::Id } else { Order::Relevance }],
            false => self.order.clone(),
        }
    }

    /// Whether the records come in an order that no edit changes.
    pub(super) fn is_by_id(&self) -> bool {
        self.order().first() == Some(&Order::Id)
    }

    /// Words and conditions together.
    pub(super) fn expression(&self) -> Expression {
        let mut parts = vec![Expression::Where(Condition::All(self.conditions.clone()))];
        if !self.words.is_empty() {
            parts.push(Expression::Or(self.words.split(',').map(all_words).collect()));
        }
        parts.extend(self.filter.clone());
        Expression::And(parts)
    }
}

/// All words of a text; one with quotes is left as it is, for its phrases.
fn all_words(text: &str) -> Expression {
    if text.contains('"') {
        return Expression::Words(text.to_owned());
    }
    Expression::And(text.split_whitespace().map(|word| Expression::Words(word.to_owned())).collect())
}

/// What values of a query may name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// Codes and keys of the towns.
    pub(super) towns: &'a [(String, String)],
    /// The lists of codes that this town goes by.
    pub(super) lists: &'a Vocabularies,
}

/// Parameters that say how another is to be read.
#[derive(Default)]
struct Filtering {
    text: Option<String>,
    lang: Option<&'static str>,
}

/// Reads a query; `posted` is a filter that came as the body of the request.
pub(super) fn parse(
    query: Option<&str>,
    posted: Option<&Filter>,
    known: Known<'_>,
) -> Result<Asked, Refusal> {
    let mut filtering = Filtering::default();
    let mut asked = Asked {
        words: String::new(),
        conditions: Vec::new(),
        filter: None,
        order: Vec::new(),
        after: None,
        offset: 0,
        limit: LIMIT_DEFAULT,
    };
    let mut seen: Vec<&'static str> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let names = PARAMETERS.iter().chain(&FILTERS).copied();
        let Some(name) = names.clone().find(|known| known.eq_ignore_ascii_case(&name)) else {
            return Err(Refusal::unknown(&name, &value, &names.collect::<Vec<_>>()));
        };
        let value = value.trim();
        if value.is_empty() || name == "f" {
            continue;
        }
        if seen.contains(&name) {
            return Err(invalid(name, value, ONCE));
        }
        seen.push(name);
        match name {
            "filter" => filtering.text = Some(value.to_owned()),
            "filter-lang" => filtering.lang = Some(filter_lang(value)?),
            "filter-crs" => filter_crs(value)?,
            _ => set(&mut asked, name, value, known)?,
        }
    }
    asked.filter = filtering.read(posted, known)?;
    match asked.after {
        Some(after) if !asked.is_by_id() => Err(invalid("after", &after.to_string(), ONLY_BY_ID)),
        _ => Ok(asked),
    }
}

impl Filtering {
    /// What the filter finds, wherever it came from.
    fn read(&self, posted: Option<&Filter>, known: Known<'_>) -> Result<Option<Expression>, Refusal> {
        let filter = match (posted, &self.text) {
            (Some(_), Some(text)) => return Err(invalid("filter", text, ONE_FILTER)),
            (Some(_), None) if self.lang == Some(FILTER_LANGS[0]) => {
                return Err(Refusal::parameter("filter-lang", FILTER_LANGS[0], &FILTER_LANGS[1..]));
            }
            (Some(posted), None) => posted.clone(),
            (None, None) => return Ok(None),
            (None, Some(text)) => {
                let read = if self.lang == Some(FILTER_LANGS[1]) { json::read } else { text::read };
                read(text).map_err(|wrong| Refusal::invalid(&wrong.field()))?
            }
        };
        let found = filter::expression(&filter, known);
        found.map(Some).map_err(|wrong| Refusal::invalid(&wrong.field()))
    }
}

fn filter_lang(value: &str) -> Result<&'static str, Refusal> {
    let meant = FILTER_LANGS.into_iter().find(|lang| lang.eq_ignore_ascii_case(value));
    meant.ok_or_else(|| Refusal::parameter("filter-lang", value, &FILTER_LANGS))
}

/// The only reference system, in the ways it is written.
fn filter_crs(value: &str) -> Result<(), Refusal> {
    let ways = [FILTER_CRS, "http://www.opengis.net/def/crs/OGC/0/CRS84", "[OGC:CRS84]", "OGC:CRS84"];
    if ways.contains(&value.replace("https://", "http://").as_str()) {
        return Ok(());
    }
    Err(Refusal::parameter("filter-crs", value, &[FILTER_CRS]))
}

fn set(asked: &mut Asked, name: &'static str, value: &str, known: Known<'_>) -> Result<(), Refusal> {
    match name {
        "q" => asked.words = words(value)?,
        "limit" => asked.limit = number(name, value, 1, usize::MAX)?.min(LIMIT_MAX),
        "offset" => asked.offset = number(name, value, 0, OFFSET_MAX)?,
        "sortby" => asked.order = value.split(',').map(order).collect::<Result<_, _>>()?,
        "after" => asked.after = Some(after(value)?),
        "bbox" => asked.conditions.push(touching(value)?),
        "datetime" => asked.conditions.push(during(value)?),
        "created" => asked.conditions.push(Condition::Issued(span(name, value)?)),
        "updated" => asked.conditions.push(Condition::Modified(span(name, value)?)),
        "ids" | "externalIds" => {
            // An external id may be written with its scheme; ours have none but what they are.
            let ids = list(name, value)?;
            asked.conditions.push(Condition::Any(ids.into_iter().map(Condition::Id).collect()));
        }
        "type" => {
            if !list(name, value)?.iter().any(|kind| kind.eq_ignore_ascii_case("dataset")) {
                asked.conditions.push(Condition::Any(Vec::new()));
            }
        }
        _ => asked.conditions.push(values(name, value, known)?),
    }
    Ok(())
}

/// One of the values of a facet.
fn values(name: &'static str, value: &str, Known { towns, lists }: Known<'_>) -> Result<Condition, Refusal> {
    let wrong = |error: InvalidField| Refusal::invalid(&error.at(name));
    let (facet, values): (Facet, Vec<String>) = match name {
        "themes" => {
            let theme = |one: &String| Theme::parse_with(lists, one).map(|theme| theme.code().to_owned());
            (Facet::Theme, list(name, value)?.iter().map(theme).collect::<Result<_, _>>().map_err(wrong)?)
        }
        "formats" => {
            let format = |one: &String| Format::parse_with(lists, one).map(|format| format.to_string());
            (Facet::Format, list(name, value)?.iter().map(format).collect::<Result<_, _>>().map_err(wrong)?)
        }
        "keywords" => (Facet::Keyword, list(name, value)?),
        "license" => (Facet::Licence, vec![licence(lists, value).map_err(wrong)?.to_string()]),
        _ => (Facet::Town, list(name, value)?.iter().map(|one| town(one, towns)).collect::<Result<_, _>>()?),
    };
    Ok(Condition::Any(values.into_iter().map(|value| Condition::Has(facet, value)).collect()))
}

/// A licence by its SPDX name, its IRI or its code in DCAT-AP.de's list.
fn licence(lists: &Vocabularies, value: &str) -> Result<LicenceIri, InvalidField> {
    licence_named(value).map_or_else(|| LicenceIri::parse_with(lists, value), Ok)
}

fn town(value: &str, towns: &[(String, String)]) -> Result<String, Refusal> {
    let meant = |(code, key): &&(String, String)| code.eq_ignore_ascii_case(value) || key == value;
    towns.iter().find(meant).map(|(_, key)| key.clone()).ok_or_else(|| {
        let codes: Vec<&str> = towns.iter().map(|(code, _)| code.as_str()).collect();
        Refusal::parameter("town", value, &codes)
    })
}

fn words(value: &str) -> Result<String, Refusal> {
    if value.len() > SEARCH_TEXT_BYTES_MAX {
        let remedy = Bilingual::made(
            format!("auf höchstens {SEARCH_TEXT_BYTES_MAX} Byte kürzen"),
            format!("shorten it to at most {SEARCH_TEXT_BYTES_MAX} bytes"),
        );
        let problem = Bilingual::fixed("ist zu lang", "is too long");
        return Err(Refusal::invalid(&InvalidField::new("q", value, problem, remedy)));
    }
    Ok(value.to_owned())
}

fn list(name: &'static str, value: &str) -> Result<Vec<String>, Refusal> {
    let values: Vec<String> =
        value.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
    if values.len() > LIST_MAX {
        let remedy = Bilingual::made(
            format!("höchstens {LIST_MAX} Werte angeben"),
            format!("give at most {LIST_MAX} values"),
        );
        let problem = Bilingual::fixed("hat zu viele Werte", "has too many values");
        return Err(Refusal::invalid(&InvalidField::new(name, value, problem, remedy)));
    }
    Ok(values)
}

fn number(name: &'static str, value: &str, least: usize, most: usize) -> Result<usize, Refusal> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // A number too long for the machine is greater than any bound.
    let number = digits.then(|| value.parse().unwrap_or(usize::MAX));
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        let remedy = match most {
            usize::MAX => Bilingual::made(
                format!("eine ganze Zahl ab {least} angeben"),
                format!("give a whole number from {least}"),
            ),
            _ => Bilingual::made(
                format!("eine ganze Zahl von {least} bis {most} angeben"),
                format!("give a whole number from {least} to {most}"),
            ),
        };
        let problem = Bilingual::fixed("ist hier nicht möglich", "is not possible here");
        Refusal::invalid(&InvalidField::new(name, value, problem, remedy))
    })
}

/// One key of `sortby` (Records, Part 1, requirements class Sorting): `+` or nothing rises, `-` falls.
fn order(value: &str) -> Result<Order, Refusal> {
    // A plus in an address that was not escaped is read as a space, and trimmed.
    match value.trim().trim_start_matches('+') {
        "id" => Ok(Order::Id),
        "-id" => Ok(Order::IdDescending),
        "title" => Ok(Order::Title),
        "-title" => Ok(Order::TitleDescending),
        "created" => Ok(Order::CreatedAscending),
        "-created" => Ok(Order::Created),
        "updated" => Ok(Order::ModifiedAscending),
        "-updated" => Ok(Order::Modified),
        _ => {
            let signed = SORTABLES.iter().flat_map(|name| [(*name).to_owned(), format!("-{name}")]);
            let possible: Vec<String> = signed.collect();
            let possible: Vec<&str> = possible.iter().map(String::as_str).collect();
            Err(Refusal::parameter("sortby", value, &possible))
        }
    }
}

fn after(value: &str) -> Result<DatasetId, Refusal> {
    value.parse().map_err(|_| {
        let problem = Bilingual::fixed("ist keine Stelle des Katalogs", "is not a place in the catalog");
        let remedy = Bilingual::fixed("dem Verweis „next“ folgen", "follow the link `next`");
        Refusal::invalid(&InvalidField::new("after", value, problem, remedy))
    })
}

/// `bbox` as Features, Part 1, 7.15.3 has it: records that touch the rectangle,
/// and those that are nowhere.
fn touching(value: &str) -> Result<Condition, Refusal> {
    let mut touching: Vec<Condition> = areas("bbox", value)?.into_iter().map(Condition::Touches).collect();
    touching.push(Condition::Not(Box::new(Condition::HasArea)));
    Ok(Condition::Any(touching))
}

/// The rectangle in four numbers or, with heights, six. One that crosses the
/// antimeridian becomes two.
pub(super) fn areas(name: &str, value: &str) -> Result<Vec<Area>, Refusal> {
    let numbers: Vec<&str> = value.split(',').map(str::trim).collect();
    let edges = match numbers.as_slice() {
        [west, south, east, north] | [west, south, _, east, north, _] => [*west, *south, *east, *north],
        // What is no rectangle is said by the one place that knows.
        _ => ["", "", "", ""],
    };
    let read = |[west, south, east, north]: [&str; 4]| {
        let [west, south, east, north] =
            BoundingBox::parse(&[west, south, east, north].join(","))?.micro_degrees();
        Ok(Area { west, south, east, north })
    };
    let crosses =
        matches!((edges[0].parse::<f64>(), edges[2].parse::<f64>()), (Ok(west), Ok(east)) if west > east);
    let [west, south, east, north] = edges;
    let parts = if crosses {
        read([west, south, "180", north]).and_then(|one| Ok(vec![one, read(["-180", south, east, north])?]))
    } else {
        read(edges).map(|one| vec![one])
    };
    parts.map_err(|error: InvalidField| {
        Refusal::invalid(&InvalidField::new(name, value, error.problem, error.remedy))
    })
}

/// `datetime` as Features, Part 1, 7.15.4 has it: records of that time, and
/// those of none.
fn during(value: &str) -> Result<Condition, Refusal> {
    let span = span("datetime", value)?;
    Ok(Condition::Any(vec![Condition::During(span), Condition::Not(Box::new(Condition::HasSpan))]))
}

/// A day, a moment, or two of them with a slash between; `..` is an open end.
pub(super) fn span(name: &str, value: &str) -> Result<Span, Refusal> {
    let wrong = || {
        let problem = Bilingual::fixed("ist keine Zeitangabe", "is not a time");
        let remedy = Bilingual::fixed(
            "einen Tag, einen Zeitpunkt oder eine Zeitspanne angeben, zum Beispiel 2026-11-02, 2026-11-02T08:00:00Z oder 2026-01-01/..",
            "give a day, a moment or an interval, for example 2026-11-02, 2026-11-02T08:00:00Z or 2026-01-01/..",
        );
        Refusal::invalid(&InvalidField::new(name, value, problem, remedy))
    };
    let end = |text: &str| match text.trim() {
        "" | ".." => Some(None),
        text => seconds(text).map(Some),
    };
    let (from, to) = match value.split_once('/') {
        None => {
            let at = seconds(value).ok_or_else(wrong)?;
            (Some(at), Some(at))
        }
        Some((from, to)) => end(from).zip(end(to)).ok_or_else(wrong)?,
    };
    let span = Span { from: from.map(|(first, _)| first), to: to.map(|(_, last)| last) };
    let is_reversed = matches!((span.from, span.to), (Some(from), Some(to)) if from > to);
    if span.is_boundless() || is_reversed { Err(wrong()) } else { Ok(span) }
}

/// First and last second of a day, or of a moment twice the same.
pub(super) fn seconds(text: &str) -> Option<(i64, i64)> {
    const DAY_S: i64 = 86_400;
    let text = text.trim();
    if let Some(date) = (text.len() == 10).then(|| Date::parse(text).ok()).flatten() {
        let first = date.civil().to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
        return Some((first, first + DAY_S - 1));
    }
    let at = Timestamp::parse(text).ok()?.unix().0.div_euclid(1_000);
    Some((at, at))
}

/// Why a parameter given twice is refused.
const ONCE: (&str, &str, &str, &str) =
    ("ist der zweite Wert", "is the second value", "den Parameter einmal angeben", "give it once");

/// Why a filter in the address is refused beside one in the body.
const ONE_FILTER: (&str, &str, &str, &str) = (
    "ist ein zweiter Filter neben dem im Rumpf der Anfrage",
    "is a second filter beside the one in the body",
    "nur einen Filter angeben",
    "give one filter only",
);

/// Why a place in the order of ids is refused in another order.
const ONLY_BY_ID: (&str, &str, &str, &str) = (
    "gilt nur in der Reihenfolge der Kennungen",
    "counts only in the order of ids",
    "„offset“ verwenden, oder „q“ und „sortby“ weglassen",
    "use `offset`, or leave out `q` and `sortby`",
);

fn invalid(name: &str, value: &str, (de, en, remedy_de, remedy_en): (&str, &str, &str, &str)) -> Refusal {
    let (problem, remedy) = (Bilingual::fixed(de, en), Bilingual::fixed(remedy_de, remedy_en));
    Refusal::invalid(&InvalidField::new(name, value, problem, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Asked, Refusal> {
        let towns = [("soest", "05974040"), ("olpe", "05966024")];
        let towns = towns.map(|(code, key)| (code.to_owned(), key.to_owned()));
        parse(Some(query), None, Known { towns: &towns, lists: Vocabularies::builtin() })
    }

    fn conditions(query: &str) -> Vec<Condition> {
        read(query).unwrap_or_else(|refusal| panic!("{query}: {}", refusal.description())).conditions
    }

    /// Asserts that the description names the parameter, the value and what would be right.
    fn refused(query: &str, words: &[&str]) {
        let refusal = read(query).unwrap_err();
        for word in words {
            assert!(refusal.description().contains(word), "{query}: {}", refusal.description());
        }
    }

    #[test]
    fn empty_values_count_as_not_given_and_names_have_no_case() {
        assert_eq!(read("q=&bbox=&LIMIT=&f=json").unwrap(), read("").unwrap());
        let asked = read("LiMiT=5&OFFSET=3&SoRtBy=title&Q=Baum").unwrap();
        assert_eq!((asked.limit, asked.offset, asked.order), (5, 3, vec![Order::Title]));
        assert_eq!(asked.words, "Baum");
        assert_eq!(read("limit=99999999999999999999").unwrap().limit, LIMIT_MAX);
    }

    #[test]
    fn rectangles_may_have_heights_and_cross_the_antimeridian() {
        let area = |west, south, east, north| Area {
            west: west * 1_000_000,
            south: south * 1_000_000,
            east: east * 1_000_000,
            north: north * 1_000_000,
        };
        let nowhere = || Condition::Not(Box::new(Condition::HasArea));
        let whole = Condition::Any(vec![Condition::Touches(area(8, 51, 9, 52)), nowhere()]);
        assert_eq!(conditions("bbox=8,51,9,52"), std::slice::from_ref(&whole));
        assert_eq!(conditions("bbox=8,51,-10,9,52,100"), [whole]);
        let two = [area(170, -10, 180, 10), area(-180, -10, -170, 10)].map(Condition::Touches);
        let [east, west] = two;
        assert_eq!(conditions("bbox=170,-10,-170,10"), [Condition::Any(vec![east, west, nowhere()])]);
        for wrong in ["8,51,9", "8,52,9,51", "a,b,c,d", "8,51,9,91", "8,51,9,52,1", "nan,0,1,1", ","] {
            refused(&format!("bbox={wrong}"), &["bbox", wrong, "west, south, east, north"]);
        }
    }

    #[test]
    fn times_are_days_moments_and_intervals() {
        let during = |text: &str| span("datetime", text).map(|span| (span.from, span.to)).ok();
        assert_eq!(during("1970-01-02"), Some((Some(86_400), Some(172_799))));
        assert_eq!(during("1970-01-01T00:00:05Z"), Some((Some(5), Some(5))));
        assert_eq!(
            during("1970-01-01T01:00:05%2B01:00".replace("%2B", "+").as_str()),
            Some((Some(5), Some(5)))
        );
        assert_eq!(during("../1970-01-01"), Some((None, Some(86_399))));
        assert_eq!(during("1970-01-02/"), Some((Some(86_400), None)));
        for wrong in ["../..", "/", "heute", "2026-13-01", "2026-02-01/2026-01-01", "2026-01-01/x", "2026"] {
            refused(&format!("datetime={wrong}"), &["datetime", wrong, "2026-01-01/.."]);
        }
    }

    #[test]
    fn properties_take_their_codes_names_and_iris() {
        let any = |facet, values: &[&str]| {
            Condition::Any(values.iter().map(|value| Condition::Has(facet, (*value).to_owned())).collect())
        };
        let iri = "http://publications.europa.eu/resource/authority/data-theme/TRAN";
        assert_eq!(conditions(&format!("themes=envi,{iri}")), [any(Facet::Theme, &["ENVI", "TRAN"])]);
        assert_eq!(conditions("town=SOEST,05966024"), [any(Facet::Town, &["05974040", "05966024"])]);
        let zero = "http://dcat-ap.de/def/licenses/dl-zero-de/2.0";
        for licence in ["DL-DE-ZERO-2.0", "dl-zero-de/2.0", zero] {
            assert_eq!(conditions(&format!("license={licence}")), [any(Facet::Licence, &[zero])]);
        }
        assert_eq!(conditions("type=service"), [Condition::Any(vec![])]);
        assert_eq!(conditions("type=service,dataset"), []);
    }

    #[test]
    fn words_between_commas_are_alternatives_and_between_spaces_all_demanded() {
        let word = |word: &str| Expression::Words(word.to_owned());
        let Expression::And(parts) = read("q=Baum+Park,\"Alte Linde\"").unwrap().expression() else {
            panic!("all of it is demanded");
        };
        let both = Expression::And(vec![word("Baum"), word("Park")]);
        assert_eq!(parts[1], Expression::Or(vec![both, word("\"Alte Linde\"")]));
    }

    #[test]
    fn records_come_in_an_order_that_no_edit_changes_unless_another_is_asked_for() {
        let order = |query: &str| read(query).unwrap().order();
        assert_eq!(
            (order(""), order("q=Baum"), order("themes=ENVI")),
            (vec![Order::Id], vec![Order::Relevance], vec![Order::Id])
        );
        for (given, meant) in [
            ("%2Btitle", vec![Order::Title]),
            ("-title", vec![Order::TitleDescending]),
            ("updated", vec![Order::ModifiedAscending]),
            ("-updated", vec![Order::Modified]),
            ("created", vec![Order::CreatedAscending]),
            ("-created", vec![Order::Created]),
            ("-id", vec![Order::IdDescending]),
            ("title,-updated", vec![Order::Title, Order::Modified]),
            ("-created,+title", vec![Order::Created, Order::Title]),
        ] {
            assert_eq!(order(&format!("q=Baum&sortby={given}")), meant, "{given}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_remedy() {
        refused("limit=0", &["limit", "`0`", "from 1"]);
        refused("limit=-1", &["limit", "from 1"]);
        refused("offset=x", &["offset", "`x`", "from 0 to 1000000"]);
        refused("limt=5", &["limt", "`5`", "did you mean `limit`?"]);
        refused("limit=5&limit=6", &["limit", "once"]);
        refused("themes=ENVY", &["themes", "ENVY", "did you mean `ENVI`?"]);
        refused("town=sost", &["town", "did you mean `soest`?"]);
        refused("license=cc-by/9.0", &["license", "cc-by/9.0"]);
        refused("sortby=colour", &["sortby", "colour", "title"]);
        refused("sortby=title,colour", &["sortby", "`colour`", "title"]);
        refused("sortby=title,", &["sortby", "title"]);
        refused("after=x", &["after", "`x`", "next"]);
        refused("after=6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10&sortby=title", &["after", "use `offset`"]);
        refused(&format!("q={}", "a".repeat(1_001)), &["`q`", "at most 1000 bytes"]);
        refused(&format!("ids={}", "a,".repeat(201)), &["ids", "at most 200 values"]);
    }
}
