//! What the repository says of itself and of a record, in OAI-PMH's terms and
//! in Dublin Core (`http://www.openarchives.org/OAI/2.0/oai_dc.xsd`).

use crdt::catalog::{Catalog, Dataset, Lang, Theme};
use crdt::ids::{DatasetId, Town, UnixMillis};
use crdt::vocabulary::{Concept, Vocabularies};
use node::handle::{LogEntry, NodeHandle, ReadError};
use node::rdf::{Contexts, RdfForm};
use node::view::TownInfo;

use super::request::{Format, Named, Set};
use crate::feeds::second;

/// The node's catalog as a repository.
#[derive(Debug)]
pub(super) struct Repository {
    pub(super) town: TownInfo,
    members: Vec<TownInfo>,
    /// The themes of this town's list with their German names.
    themes: Vec<(Theme, String)>,
    /// The domain in every identifier.
    host: String,
}

/// What `Identify` answers.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) base: String,
    pub(super) email: String,
    pub(super) earliest: String,
    pub(super) host: String,
    pub(super) example: String,
}

/// A set as `ListSets` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SetInfo {
    pub(super) spec: String,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct Header {
    pub(super) identifier: String,
    pub(super) datestamp: String,
    pub(super) sets: Vec<String>,
    pub(super) is_deleted: bool,
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) header: Header,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Debug)]
pub(super) enum Metadata {
    DublinCore(Vec<Element>),
    /// A whole element, as the serializer wrote it.
    Rdf(String),
}

/// One element of Dublin Core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) lang: Option<&'static str>,
    pub(super) text: String,
}

impl Repository {
    /// `host` is where the node is found from outside, if that is configured.
    pub(super) fn new(
        town: TownInfo,
        members: Vec<TownInfo>,
        lists: &Vocabularies,
        host: Option<String>,
    ) -> Self {
        // A domain that can never be anybody's (RFC 2606).
        let host = host.filter(|host| is_domain(host)).unwrap_or_else(|| format!("{}.invalid", town.code));
        let theme = |concept: &Concept| {
            Some((Theme::read(&concept.code).ok()?, concept.label.in_lang(Lang::De).to_owned()))
        };
        let themes = lists.themes().concepts().iter().filter_map(theme).collect();
        Self { town, members, themes, host }
    }

    fn identifier(&self, id: DatasetId) -> String {
        format!("oai:{}:{id}", self.host)
    }

    /// An identifier of the right form, for messages.
    pub(super) fn example(&self) -> String {
        format!("oai:{}:6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", self.host)
    }

    /// Reads an identifier that this repository may have given.
    pub(super) fn named(&self, text: String) -> Named {
        let rest = text.strip_prefix("oai:").and_then(|rest| rest.strip_prefix(self.host.as_str()));
        let id = rest.and_then(|rest| rest.strip_prefix(':')).and_then(|id| id.parse().ok());
        Named { id: id.filter(|id| self.identifier(*id) == text), text }
    }

    fn town_spec(&self, town: Town) -> String {
        let code = self.members.iter().find(|member| member.town == town).map(|member| member.code.as_str());
        // Who has left the federation keeps its key.
        code.map_or_else(|| format!("town-{town}"), |code| format!("town-{code}"))
    }

    /// Reads a `setSpec`.
    pub(super) fn set(&self, spec: &str) -> Option<Set> {
        if let Some(theme) = spec.strip_prefix("theme-") {
            let known = self.themes.iter().find(|(known, _)| known.code() == theme);
            return known.map(|(theme, _)| Set::Theme(*theme));
        }
        let code = spec.strip_prefix("town-")?;
        let member = self.members.iter().find(|member| member.code == code);
        member.map(|member| member.town).or_else(|| Town::parse(code).ok()).map(Set::Town)
    }

    pub(super) fn sets(&self) -> Vec<SetInfo> {
        let towns = self.members.iter();
        let towns = towns.map(|town| SetInfo { spec: self.town_spec(town.town), name: town.name.clone() });
        let themes = self.themes.iter();
        let themes =
            themes.map(|(theme, name)| SetInfo { spec: format!("theme-{theme}"), name: name.clone() });
        towns.chain(themes).collect()
    }

    pub(super) fn identity(
        &self,
        base: &str,
        catalog: Option<Catalog>,
        earliest: Option<UnixMillis>,
    ) -> Identity {
        let email = catalog.and_then(|catalog| catalog.contact.email).map(|email| email.to_string());
        Identity {
            name: format!("Offene Daten – Knoten der Stadt {}", self.town.name),
            base: format!("{base}/oai"),
            // Every domain has this mailbox (RFC 5321 section 4.5.1).
            email: email.unwrap_or_else(|| format!("postmaster@{}", self.host)),
            earliest: second(earliest.unwrap_or(UnixMillis(0))),
            host: self.host.clone(),
            example: self.example(),
        }
    }

    pub(super) fn header(&self, entry: &LogEntry) -> Header {
        let themes = entry.dataset.iter().flat_map(|listed| &listed.dataset.themes);
        // Only what `ListSets` names: another town's list may have other codes.
        let themes = themes.filter(|theme| self.themes.iter().any(|(known, _)| known == *theme));
        let themes = themes.map(|theme| format!("theme-{theme}"));
        Header {
            identifier: self.identifier(entry.id),
            datestamp: second(entry.at),
            sets: std::iter::once(self.town_spec(entry.town)).chain(themes).collect(),
            is_deleted: entry.dataset.is_none(),
        }
    }

    pub(super) fn record(
        &self,
        handle: &NodeHandle,
        contexts: &mut Contexts,
        entry: &LogEntry,
        format: Format,
    ) -> Result<Record, ReadError> {
        let metadata = match (entry.dataset.as_deref(), format) {
            (None, _) => None,
            (Some(listed), Format::DublinCore) => {
                Some(Metadata::DublinCore(dublin_core(&listed.dataset, handle.vocabularies())))
            }
            (Some(listed), Format::DcatAp) => {
                let document = contexts.document(handle, listed, RdfForm::RdfXml)?;
                Some(Metadata::Rdf(without_declaration(&String::from_utf8_lossy(&document)).to_owned()))
            }
        };
        Ok(Record { header: self.header(entry), metadata })
    }
}

/// The root element of an XML document, which may stand within another.
fn without_declaration(document: &str) -> &str {
    let rest = document.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    rest.map_or(document, |(_, rest)| rest).trim_start()
}

/// A domain name as `oai-identifier` asks: labels that begin with a letter.
fn is_domain(host: &str) -> bool {
    let label = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_alphabetic())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.contains('.') && host.split('.').all(label)
}

/// A dataset in the fifteen elements, as far as they can say it.
fn dublin_core(dataset: &Dataset, lists: &Vocabularies) -> Vec<Element> {
    let plain = |name, text: &dyn ToString| Element { name, lang: None, text: text.to_string() };
    let spoken = |name, lang: Lang, text: &dyn ToString| Element {
        name,
        lang: Some(lang.code()),
        text: text.to_string(),
    };
    let mut all = Vec::new();
    all.extend(dataset.title.iter().map(|(lang, title)| spoken("title", lang, title)));
    all.extend(dataset.publisher.name.iter().map(|name| plain("creator", name)));
    all.extend(dataset.keywords.iter().map(|keyword| spoken("subject", keyword.lang, &keyword.word)));
    for theme in &dataset.themes {
        all.extend(Lang::ALL.map(|lang| spoken("subject", lang, &theme.label_in(lists, lang))));
    }
    all.extend(dataset.description.iter().map(|(lang, text)| spoken("description", lang, text)));
    all.extend(dataset.publisher.name.iter().map(|name| plain("publisher", name)));
    all.extend(dataset.modified.or(dataset.issued).iter().map(|at| plain("date", at)));
    all.push(plain("type", &"Dataset"));
    all.extend(dataset.all_formats().into_iter().map(|format| plain("format", format)));
    all.extend(dataset.iri.iter().map(|iri| plain("identifier", iri)));
    let identifier =
        dataset.identifier.iter().filter(|one| Some(one.as_str()) != dataset.iri.as_ref().map(AsRef::as_ref));
    all.extend(identifier.map(|identifier| plain("identifier", identifier)));
    all.extend(dataset.title.iter().map(|(lang, _)| plain("language", &lang.code())));
    for one in &dataset.distributions {
        let download = one.download_url.iter().filter(|url| Some(*url) != one.access_url.as_ref());
        all.extend(one.access_url.iter().chain(download).map(|url| plain("relation", url)));
    }
    all.extend(dataset.spatial.geocoding.iter().map(|place| plain("coverage", place)));
    all.extend(period(dataset).map(|period| plain("coverage", &period)));
    all.extend(dataset.licence.iter().map(|licence| plain("rights", licence)));
    all.extend(dataset.attribution.iter().map(|attribution| plain("rights", attribution)));
    all
}

/// The time the data are about, as ISO 8601 writes a period; open ends stay empty.
fn period(dataset: &Dataset) -> Option<String> {
    let temporal = &dataset.temporal;
    let day = |day: Option<crdt::catalog::Date>| day.map(|day| day.to_string()).unwrap_or_default();
    (!temporal.is_empty()).then(|| format!("{}/{}", day(temporal.start), day(temporal.end)))
}
