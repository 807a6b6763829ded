//! The controlled vocabularies: lists of codes with German and English labels,
//! the spellings under which people write them, and what the rules must know
//! about them.
//!
//! Each list is one text file under `crdt/vocabulary/`, with source and version
//! beside it, compiled into the program. A town may put its own file in the
//! place of one (`docs/vocabularies.md`): the text is parsed here, the file is
//! read by `node`. Never fetched, and never part of what a document may hold:
//! a record with a code that this list lacks is still read, so that two towns
//! with different lists agree about every document.

mod matching;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde::Serialize;

use crate::catalog::invalid::{Bilingual, InvalidField, Lang, nearest};

pub use matching::{Certainty, SUGGESTIONS_MAX, Suggestion};
pub use table::{CELL_BYTES_MAX, CONCEPTS_MAX, InvalidVocabulary, VOCABULARY_BYTES_MAX};

macro_rules! lists {
    ($($(#[$meta:meta])* $variant:ident = $name:literal;)+) => {
        /// Which list. The name is the file's, without `.tsv`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum List {
            $($(#[$meta])* $variant,)+
        }

        impl List {
            /// All lists.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, as in addresses and file names.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The text of the list compiled in.
            pub fn builtin_text(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../vocabulary/", $name, ".tsv")),)+ }
            }
        }
    };
}

lists! {
    /// EU data themes (`dcat:theme`).
    Themes = "themes";
    /// EU file types and the services that municipalities run (`dct:format`).
    Formats = "formats";
    /// EU frequencies of update (`dct:accrualPeriodicity`).
    Frequencies = "frequencies";
    /// DCAT-AP.de's licences (`dct:license`).
    Licences = "licences";
    /// EU access rights (`dct:accessRights`).
    AccessRights = "access-rights";
    /// EU languages (`dct:language`).
    Languages = "languages";
    /// EU planned availabilities (`dcatap:availability`).
    Availabilities = "availabilities";
    /// EU statuses of a distribution (`adms:status`).
    DistributionStatuses = "distribution-statuses";
    /// EU categories of high-value datasets (`dcatap:hvdCategory`).
    HvdCategories = "hvd-categories";
    /// DCAT-AP.de's levels of political geocoding
    /// (`dcatde:politicalGeocodingLevelURI`).
    GeocodingLevels = "geocoding-levels";
    /// Musterdatenkatalog: reference types of municipal data
    /// (`dct:references`).
    ReferenceTypes = "reference-types";
    /// DCAT-AP.de's contributors (`dcatde:contributorID`).
    Contributors = "contributors";
}

impl List {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let names = || Self::ALL.iter().map(|list| list.name());
        Self::ALL.iter().copied().find(|list| list.name() == text).ok_or_else(|| {
            let all = names().collect::<Vec<_>>().join(", ");
            let remedy = match nearest(text, names()) {
                Some(guess) => {
                    Bilingual::made(format!("vielleicht „{guess}“?"), format!("did you mean `{guess}`?"))
                }
                None => Bilingual::made(format!("möglich sind: {all}"), format!("possible are: {all}")),
            };
            let problem = Bilingual::fixed("ist keine Liste", "is not a vocabulary");
            InvalidField::new("vocabulary", text, problem, remedy)
        })
    }
}

/// What the rules and the importers must know about a concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Licence: zero, public domain or attribution only, what open data may
    /// carry.
    Open,
    /// Licence: asks for the source to be named.
    Attribution,
    /// Licence: what is made of the data must carry it too.
    ShareAlike,
    /// Licence: GovData counts it as open.
    ListedAsOpen,
    /// Format: a service, not a file.
    Service,
    /// Format: programs can take the data up.
    MachineReadable,
    /// Format: belongs to no vendor.
    OpenFormat,
    /// Ours: the published list has no such code, so there is no IRI.
    Unlisted,
    /// The publisher of the list advises against it.
    Retired,
    /// A placeholder of the EU Publications Office, never a value.
    Provisional,
}

impl Mark {
    const ALL: [Self; 10] = [
        Self::Open,
        Self::Attribution,
        Self::ShareAlike,
        Self::ListedAsOpen,
        Self::Service,
        Self::MachineReadable,
        Self::OpenFormat,
        Self::Unlisted,
        Self::Retired,
        Self::Provisional,
    ];

    /// The word in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Attribution => "attribution",
            Self::ShareAlike => "share-alike",
            Self::ListedAsOpen => "listed-as-open",
            Self::Service => "service",
            Self::MachineReadable => "machine-readable",
            Self::OpenFormat => "open-format",
            Self::Unlisted => "unlisted",
            Self::Retired => "retired",
            Self::Provisional => "provisional",
        }
    }
}

/// One code of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concept {
    /// The code; unique within the list.
    pub code: Box<str>,
    /// How records write it, where that is not the code: `Shapefile` for `SHP`.
    pub name: Option<Box<str>>,
    /// Its IRI, if the list is published with IRIs.
    pub iri: Option<Box<str>>,
    /// What people read.
    pub label: Bilingual,
    /// The code of the broader concept.
    pub parent: Option<Box<str>>,
    /// IANA media type of a format.
    pub media_type: Option<Box<str>>,
    /// IRI of the specification that a service of this format speaks
    /// (`dct:conformsTo`).
    pub conforms_to: Option<Box<str>>,
    /// Other spellings met in practice.
    pub aliases: Vec<Box<str>>,
    /// What else is to be known.
    pub marks: BTreeSet<Mark>,
}

impl Concept {
    /// How records write it.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.code)
    }

    /// Whether it carries a mark.
    pub fn is(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }
}

/// Most codes that an error names.
const CODES_NAMED_MAX: usize = 40;

/// One list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    list: List,
    title: Bilingual,
    source: Box<str>,
    version: Box<str>,
    licence: Option<Box<str>>,
    base: Option<Box<str>>,
    concepts: Vec<Concept>,
    codes: BTreeMap<Box<str>, usize>,
    spellings: matching::Spellings,
}

impl Vocabulary {
    /// Reads the text of a list's file; `docs/vocabularies.md` says its form.
    pub fn parse(list: List, text: &str) -> Result<Self, InvalidVocabulary> {
        table::parse(list, text)
    }

    /// Which list.
    pub fn list(&self) -> List {
        self.list
    }

    /// What people call it.
    pub fn title(&self) -> &Bilingual {
        &self.title
    }

    /// Who publishes it, and what in it is ours.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The version, as the source counts.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The licence of the list itself.
    pub fn licence(&self) -> Option<&str> {
        self.licence.as_deref()
    }

    /// What the codes' IRIs begin with.
    pub fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// All concepts, in the order of the file.
    pub fn concepts(&self) -> &[Concept] {
        &self.concepts
    }

    /// The concept of exactly this code.
    pub fn code(&self, code: &str) -> Option<&Concept> {
        self.codes.get(code).and_then(|index| self.concepts.get(*index))
    }

    /// The concept of exactly this IRI.
    pub fn iri(&self, iri: &str) -> Option<&Concept> {
        let code = iri.strip_prefix(self.base.as_deref()?)?;
        self.code(code).filter(|concept| concept.iri.is_some())
    }

    /// What people read for a code or a record's name of it; the text itself
    /// if the list does not know it.
    pub fn label<'a>(&'a self, code: &'a str, lang: Lang) -> &'a str {
        self.find(code).map_or(code, |concept| concept.label.in_lang(lang))
    }

    /// The one concept that a text can only mean: its code, IRI, name, label or
    /// a known spelling. Case, punctuation, `https` for `http` and a slash at
    /// the end make no difference; two concepts of one spelling do.
    pub fn find(&self, text: &str) -> Option<&Concept> {
        let text = text.trim();
        self.code(text).or_else(|| self.iri(text)).or_else(|| self.concepts.get(self.spellings.find(text)?))
    }

    /// [`Vocabulary::find`] for the value of a field: a text that is not known
    /// is an error that names what it may mean.
    pub fn resolve(&self, field: &str, text: &str) -> Result<&Concept, InvalidField> {
        self.find(text).ok_or_else(|| {
            let meant = self.suggest(text);
            let quoted = |open: &str, close: &str| {
                let codes = meant.iter().map(|one| format!("{open}{}{close}", one.concept.code));
                codes.collect::<Vec<_>>().join(", ")
            };
            let remedy = if meant.is_empty() {
                let list = self.list.name();
                let first = self.concepts.iter().take(CODES_NAMED_MAX).map(|concept| &*concept.code);
                let codes = first.collect::<Vec<_>>().join(", ");
                let more = if self.concepts.len() > CODES_NAMED_MAX { " …" } else { "" };
                Bilingual::made(
                    format!("einen Code der Liste {list} angeben: {codes}{more}"),
                    format!("give a code of the list {list}: {codes}{more}"),
                )
            } else {
                Bilingual::made(
                    format!("vielleicht {}?", quoted("„", "“")),
                    format!("did you mean {}?", quoted("`", "`")),
                )
            };
            let problem = Bilingual::made(
                format!("steht nicht in der Liste „{}“", self.title.de),
                format!("is not in the list \"{}\"", self.title.en),
            );
            InvalidField::new(field, text, problem, remedy)
        })
    }

    /// The concepts that a text may mean, most likely first, at most
    /// [`SUGGESTIONS_MAX`]. A [`Certainty::Exact`] one stands alone.
    pub fn suggest(&self, text: &str) -> Vec<Suggestion<'_>> {
        matching::suggest(self, text)
    }

    /// The same for a text that may name several concepts (`Umwelt, Verkehr`):
    /// each part that was made out, with what it may mean. Labels with commas
    /// of their own stay whole.
    pub fn suggest_each<'a>(&self, text: &'a str) -> Vec<(&'a str, Vec<Suggestion<'_>>)> {
        matching::suggest_each(self, text)
    }
}

/// All lists, as one town has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabularies(BTreeMap<List, Arc<Vocabulary>>);

static BUILTIN: LazyLock<Vocabularies> = LazyLock::new(|| {
    let list = |list: &List| {
        // A test reads every file that is compiled in.
        let vocabulary = Vocabulary::parse(*list, list.builtin_text())
            .unwrap_or_else(|error| panic!("vocabulary `{}` compiled in: {error}", list.name()));
        (*list, Arc::new(vocabulary))
    };
    Vocabularies(List::ALL.iter().map(list).collect())
});

impl Vocabularies {
    /// The lists that are compiled in.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Puts a list in the place of the one it had.
    pub fn replace(&mut self, vocabulary: Vocabulary) {
        self.0.insert(vocabulary.list, Arc::new(vocabulary));
    }

    /// Whether a town has another list than the one that is compiled in.
    pub fn is_own(&self, list: List) -> bool {
        self.list(list) != Self::builtin().list(list)
    }

    /// One list.
    pub fn list(&self, list: List) -> &Vocabulary {
        // Made of all lists, and none is ever taken out.
        self.0.get(&list).unwrap_or_else(|| panic!("vocabulary `{}` is there", list.name()))
    }

    /// Themes.
    pub fn themes(&self) -> &Vocabulary {
        self.list(List::Themes)
    }

    /// Formats.
    pub fn formats(&self) -> &Vocabulary {
        self.list(List::Formats)
    }

    /// Frequencies.
    pub fn frequencies(&self) -> &Vocabulary {
        self.list(List::Frequencies)
    }

    /// Licences.
    pub fn licences(&self) -> &Vocabulary {
        self.list(List::Licences)
    }

    /// Reference types (Musterdatensätze).
    pub fn reference_types(&self) -> &Vocabulary {
        self.list(List::ReferenceTypes)
    }

    /// Categories of high-value datasets.
    pub fn hvd_categories(&self) -> &Vocabulary {
        self.list(List::HvdCategories)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Vocabulary> {
        self.0.values().map(Arc::as_ref)
    }
}

#[cfg(test)]
mod tests;
