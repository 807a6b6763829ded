//! Reads an OAI-PMH request: every argument known, allowed and possible, or
//! the protocol's error that says which is not.

use std::borrow::Cow;

use crdt::catalog::invalid::nearest;
use crdt::catalog::{Date, Theme, Timestamp};
use crdt::ids::{DatasetId, Town, UnixMillis};
use node::handle::{LogEntry, LogStart, Scope};

use super::record::Repository;
use super::token::Cursor;

/// Longest piece of a request that an answer repeats, in characters.
const VALUE_CHARS_MAX: usize = 80;

const VERBS: [&str; 6] =
    ["GetRecord", "Identify", "ListIdentifiers", "ListMetadataFormats", "ListRecords", "ListSets"];

/// The arguments as the answer repeats them.
pub(super) type Echo = Vec<(&'static str, String)>;

/// A question that is well put.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) verb: Verb,
    pub(super) echo: Echo,
}

#[derive(Debug)]
pub(super) enum Verb {
    Identify,
    ListSets,
    ListMetadataFormats(Option<Named>),
    GetRecord(Named, Format),
    List(List),
}

/// A record as a client names it; no id if the name is not of this repository.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) text: String,
    pub(super) id: Option<DatasetId>,
}

/// `ListRecords` and `ListIdentifiers`, from the start or from a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List {
    pub(super) with_metadata: bool,
    pub(super) format: Format,
    pub(super) set: Option<Set>,
    /// The first moment that does not belong to it any more.
    pub(super) end: Option<UnixMillis>,
    pub(super) cursor: Cursor,
    /// Records given before.
    pub(super) given: u64,
    /// Records of the whole list, if that was counted.
    pub(super) total: Option<u64>,
}

/// In which form a record is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Dublin Core.
    DublinCore,
    /// DCAT-AP.de in RDF/XML.
    DcatAp,
}

impl Format {
    pub(super) const ALL: [Self; 2] = [Self::DublinCore, Self::DcatAp];

    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::DublinCore => "oai_dc",
            Self::DcatAp => "dcat_ap",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.prefix() == text)
    }
}

/// A part of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Town(Town),
    Theme(Theme),
}

impl Set {
    pub(super) fn scope(self) -> Scope {
        match self {
            Self::Town(town) => Scope::Town(town),
            Self::Theme(_) => Scope::Federation,
        }
    }

    /// Of a withdrawn record nobody knows the themes any more: every theme tells of it.
    pub(super) fn holds(self, entry: &LogEntry) -> bool {
        match self {
            Self::Town(town) => entry.town == town,
            Self::Theme(theme) => {
                entry.dataset.as_ref().is_none_or(|listed| listed.dataset.themes.contains(&theme))
            }
        }
    }
}

/// An error of the protocol (section 3.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Failure {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn argument(message: impl Into<String>) -> Self {
        Self::new("badArgument", message)
    }

    pub(super) fn no_records() -> Self {
        Self::new(
            "noRecordsMatch",
            "no record matches `from`, `until` and `set`: ask for a longer time or another set",
        )
    }

    pub(super) fn no_such_record(identifier: &str) -> Self {
        let identifier = short(identifier);
        Self::new(
            "idDoesNotExist",
            format!("`identifier` is `{identifier}`, which is no record here: take one from ListIdentifiers"),
        )
    }
}

fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(VALUE_CHARS_MAX).collect();
    if text.chars().nth(VALUE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// Reads the arguments of a query or form. With errors of verb or argument the
/// answer repeats no argument (section 3.2), with others it does.
pub(super) fn parse(arguments: &[u8], repository: &Repository) -> Result<Request, (Echo, Vec<Failure>)> {
    let given: Vec<(Cow<str>, Cow<str>)> = url::form_urlencoded::parse(arguments).collect();
    let verb = verb(&given).map_err(|failure| (Vec::new(), vec![failure]))?;
    let mut arguments = Arguments::read(verb, &given).map_err(|failures| (Vec::new(), failures))?;
    let echo = arguments.echo.clone();
    let request = match verb {
        "Identify" => Ok(Verb::Identify),
        "ListSets" => arguments.no_token().map(|()| Verb::ListSets),
        "ListMetadataFormats" => {
            Ok(Verb::ListMetadataFormats(arguments.take("identifier").map(|text| repository.named(text))))
        }
        "GetRecord" => arguments.get_record(repository),
        _ => arguments.list(verb == "ListRecords", repository),
    };
    match request {
        Ok(verb) => Ok(Request { verb, echo }),
        Err(failure) if failure.code == "badArgument" => Err((Vec::new(), vec![failure])),
        Err(failure) => Err((echo, vec![failure])),
    }
}

fn verb(given: &[(Cow<str>, Cow<str>)]) -> Result<&'static str, Failure> {
    let bad = |message: String| Failure::new("badVerb", message);
    let verbs: Vec<&str> = given.iter().filter(|(name, _)| name == "verb").map(|(_, verb)| &**verb).collect();
    let all = VERBS.join(", ");
    match verbs[..] {
        [verb] => VERBS.into_iter().find(|known| *known == verb).ok_or_else(|| {
            let hint =
                nearest(verb, VERBS).map(|guess| format!("did you mean `{guess}`? ")).unwrap_or_default();
            bad(format!("`verb` is `{}`: {hint}Possible are {all}", short(verb)))
        }),
        [] => Err(bad(format!("`verb` is missing: give one of {all}"))),
        _ => Err(bad("`verb` is given more than once: give it once".to_owned())),
    }
}

/// What a request says besides its verb.
struct Arguments {
    verb: &'static str,
    values: Vec<(&'static str, String)>,
    echo: Echo,
}

impl Arguments {
    /// Refuses what the verb does not take and what is given twice.
    fn read(verb: &'static str, given: &[(Cow<str>, Cow<str>)]) -> Result<Self, Vec<Failure>> {
        let known: &[&'static str] = match verb {
            "GetRecord" => &["identifier", "metadataPrefix"],
            "ListMetadataFormats" => &["identifier"],
            "ListSets" => &["resumptionToken"],
            "Identify" => &[],
            _ => &["from", "until", "metadataPrefix", "set", "resumptionToken"],
        };
        let mut values: Vec<(&'static str, String)> = Vec::new();
        let mut failures = Vec::new();
        for (name, value) in given.iter().filter(|(name, _)| name != "verb") {
            match known.iter().copied().find(|known| known == name) {
                None => failures.push(Failure::argument(unknown(verb, name, known))),
                Some(name) if values.iter().any(|(seen, _)| *seen == name) => {
                    failures
                        .push(Failure::argument(format!("`{name}` is given more than once: give it once")));
                }
                Some(name) => values.push((name, value.clone().into_owned())),
            }
        }
        if !failures.is_empty() {
            // As many as help; a request can hold thousands.
            failures.truncate(known.len() + 1);
            return Err(failures);
        }
        let echo = [("verb", verb.to_owned())].into_iter().chain(values.iter().cloned()).collect();
        Ok(Self { verb, values, echo })
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.values.iter().position(|(known, _)| *known == name)?;
        Some(self.values.remove(at).1)
    }

    fn require(&mut self, name: &str, example: &str) -> Result<String, Failure> {
        self.take(name).ok_or_else(|| {
            Failure::argument(format!(
                "{} needs `{name}`: give it, for example `{name}={example}`",
                self.verb
            ))
        })
    }

    /// All sets fit into one answer, so no token for more was ever given.
    fn no_token(&mut self) -> Result<(), Failure> {
        self.take("resumptionToken").map_or(Ok(()), |token| Err(bad_token(&token)))
    }

    fn get_record(&mut self, repository: &Repository) -> Result<Verb, Failure> {
        let identifier = self.require("identifier", &repository.example())?;
        let format = self.format()?;
        Ok(Verb::GetRecord(repository.named(identifier), format))
    }

    fn format(&mut self) -> Result<Format, Failure> {
        let prefix = self.require("metadataPrefix", "oai_dc")?;
        let all = Format::ALL.map(Format::prefix).join(", ");
        Format::parse(&prefix).ok_or_else(|| {
            let prefix = short(&prefix);
            let message =
                format!("`metadataPrefix` is `{prefix}`, which is not given here: possible are {all}");
            Failure::new("cannotDisseminateFormat", message)
        })
    }

    fn list(&mut self, with_metadata: bool, repository: &Repository) -> Result<Verb, Failure> {
        if let Some(token) = self.take("resumptionToken") {
            if let Some((name, _)) = self.values.first() {
                let message = format!(
                    "`{name}` is given with `resumptionToken`: the token says everything, give it alone"
                );
                return Err(Failure::argument(message));
            }
            let list = List::resumed(&token).filter(|list| list.with_metadata == with_metadata);
            return list.map(Verb::List).ok_or_else(|| bad_token(&token));
        }
        let (from, until) = (self.take("from"), self.take("until"));
        let (from, end) = period(from.as_deref(), until.as_deref())?;
        let set = self.take("set").map(|set| repository.set(&set).ok_or(set));
        let format = self.format()?;
        let set = set.transpose().map_err(|set| no_such_set(&set, repository))?;
        let cursor = match (from, end) {
            (None, None) => Cursor::Ids(None),
            (Some(from), _) => Cursor::Log(LogStart::At(from)),
            (None, Some(_)) => Cursor::Log(LogStart::Beginning),
        };
        Ok(Verb::List(List { with_metadata, format, set, end, cursor, given: 0, total: None }))
    }
}

fn unknown(verb: &str, name: &str, known: &[&str]) -> String {
    let name = short(name);
    match known {
        [] => format!("`{name}` is no argument of {verb}: it takes none"),
        known => format!("`{name}` is no argument of {verb}: possible are {}", known.join(", ")),
    }
}

fn bad_token(token: &str) -> Failure {
    let message = format!(
        "`resumptionToken` is `{}`, which this verb never gave: take the one of the last answer, or begin again",
        short(token)
    );
    Failure::new("badResumptionToken", message)
}

/// The protocol has no code for an unknown set: its list is empty.
fn no_such_set(set: &str, repository: &Repository) -> Failure {
    let sets = repository.sets();
    let specs = || sets.iter().map(|set| set.spec.as_str());
    let hint = nearest(set, specs()).map(|guess| format!("did you mean `{guess}`? ")).unwrap_or_default();
    let message = format!("`set` is `{}`, which there is not: {hint}ListSets names all", short(set));
    Failure::new("noRecordsMatch", message)
}

/// `from` and `until` as the first moment that belongs to the list and the
/// first that does not any more.
fn period(
    from: Option<&str>,
    until: Option<&str>,
) -> Result<(Option<UnixMillis>, Option<UnixMillis>), Failure> {
    let first = from.map(|text| moment("from", text)).transpose()?;
    let last = until.map(|text| moment("until", text)).transpose()?;
    if let (Some((first, step)), Some((last, last_step))) = (first, last) {
        if step != last_step {
            let message = "`from` and `until` differ in form: give two days or two moments";
            return Err(Failure::argument(message));
        }
        if first > last {
            let (from, until) = (from.unwrap_or_default(), until.unwrap_or_default());
            let message = format!("`from` ({from}) is later than `until` ({until}): exchange them");
            return Err(Failure::argument(message));
        }
    }
    Ok((first.map(|(at, _)| at), last.map(|(at, step)| UnixMillis(at.0 + step))))
}

/// A moment and how many milliseconds its form stands for.
fn moment(name: &str, text: &str) -> Result<(UnixMillis, i64), Failure> {
    const DAY_MS: i64 = 86_400_000;
    const SECOND_MS: i64 = 1_000;
    let parsed = match text.len() {
        10 => Date::parse(text).ok().and_then(|_| Some((Timestamp::parse(text).ok()?, DAY_MS))),
        20 if text.ends_with('Z') => Timestamp::parse(text).ok().map(|at| (at, SECOND_MS)),
        _ => None,
    };
    // One spelling each, as the protocol asks (section 3.3).
    let exact = parsed.filter(|(at, _)| at.to_string().starts_with(text));
    exact.map(|(at, step)| (at.unix(), step)).ok_or_else(|| {
        let text = short(text);
        Failure::argument(format!(
            "`{name}` is `{text}`, which is no moment: give a day or a second in UTC, for example `{name}=2026-11-02` or `{name}=2026-11-02T08:41:00Z`"
        ))
    })
}
