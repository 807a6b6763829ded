//! One dataset, field by field in the glossary's words, with what its seals
//! are worth in plain language.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use crdt::catalog::{
    DataService, Dataset, Distribution, Iri, Keyword, Lang, LicenceIri, Temporal, Timestamp,
};
use crdt::vocabulary::Vocabularies;
use node::view::{DatasetDetail, Reader, SignatureVerdict};
use serde_json::Value;

use super::{Frame, Place, render};
use crate::app::App;
use crate::error::Problem;
use crate::extract::Segment;
use crate::feeds::linked;
use crate::locale::{self, Texts};
use crate::rdf;

#[derive(Template)]
#[template(path = "dataset.html")]
struct DatasetView {
    frame: Frame,
    id: String,
    title: String,
    /// Language of the title, if it is not the page's.
    title_lang: Option<&'static str>,
    description: Vec<String>,
    description_lang: Option<&'static str>,
    town: String,
    rows: Vec<Row>,
    distributions: Vec<DistributionView>,
    verdict: SignatureVerdict,
    seal: Vec<Row>,
    conflicts: Vec<String>,
    /// The same for search engines, in schema.org's words.
    linked: Value,
}

/// A field and what it holds.
struct Row {
    label: String,
    values: Vec<Shown>,
    /// Short words that belong into one line.
    words: bool,
    /// Language of what the town wrote; labels are in the page's.
    lang: Option<&'static str>,
}

/// One value: a text, or a text with an address.
struct Shown {
    text: String,
    link: Option<String>,
    /// Set in the type of machines: hashes, identifiers.
    code: bool,
}

struct DistributionView {
    title: String,
    title_lang: &'static str,
    description: Option<String>,
    format: Option<String>,
    details: Vec<String>,
    access: Option<Shown>,
    download: Option<Shown>,
}

/// Answers `GET /dataset/{id}`.
pub(crate) async fn page(
    State(app): State<App>,
    Segment(last): Segment,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (id, form) = rdf::named(&last).ok_or_else(Problem::not_found)?;
    if let Some(form) = form.or_else(|| rdf::liked_better(&headers)) {
        return rdf::dataset(&app, id, form, &uri, &method, &headers).await;
    }
    let detail = crate::api::dataset(&app, Reader::Public, id).await?;
    let frame = Frame::new(&app, &uri, &headers, Place::Search);
    let base = app.base_url(&headers);
    let catalog = linked::catalog(&base, &app.handle.town(), frame.t.catalog);
    let linked = linked::dataset(&base, &detail, catalog, frame.lang);
    Ok(render(&DatasetView::new(frame, &detail, app.handle.vocabularies(), linked), &uri))
}

impl DatasetView {
    fn new(frame: Frame, detail: &DatasetDetail, lists: &Vocabularies, linked: Value) -> Self {
        let (t, lang) = (frame.t, frame.lang);
        let dataset = &detail.dataset;
        let (title, description) = (&dataset.title, &dataset.description);
        let distributions = dataset.distributions.iter();
        Self {
            id: dataset.id.to_string(),
            title: title.best(lang).map_or(t.title_missing, |title| title.as_str()).to_owned(),
            title_lang: foreign(title.get(lang).is_none() && !title.is_empty(), lang),
            description: description.best(lang).map(|text| paragraphs(text.as_str())).unwrap_or_default(),
            description_lang: foreign(description.get(lang).is_none(), lang),
            town: detail.town.name.clone(),
            rows: rows(detail, lists, t, lang),
            distributions: distributions
                .map(|one| DistributionView::new(one, dataset, lists, t, lang))
                .collect(),
            verdict: detail.verdict,
            seal: seal(detail, t, lang),
            conflicts: detail.conflicts.clone(),
            linked,
            frame,
        }
    }

    fn is_verified(&self) -> bool {
        self.verdict == SignatureVerdict::Verified
    }

    fn verdict_words(&self) -> &'static str {
        match self.verdict {
            SignatureVerdict::Verified => self.frame.t.signature_verified,
            SignatureVerdict::Equivocation => self.frame.t.signature_equivocation,
            SignatureVerdict::Local => self.frame.t.signature_local,
        }
    }
}

fn foreign(is_foreign: bool, lang: Lang) -> Option<&'static str> {
    is_foreign.then(|| super::other(lang).code())
}

fn paragraphs(text: &str) -> Vec<String> {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Fields in the order in which people ask: what, when, where, whose.
fn rows(detail: &DatasetDetail, lists: &Vocabularies, t: &'static Texts, lang: Lang) -> Vec<Row> {
    let dataset = &detail.dataset;
    let mut rows = vec![
        Row::texts(t.field_themes, dataset.themes.iter().map(|theme| theme.label_in(lists, lang))),
        Row {
            lang: Some(keywords_lang(dataset, lang).code()),
            ..Row::words(t.field_keywords, keywords(dataset, lang))
        },
        Row::text(t.field_domain, dataset.domain.as_ref()).german(),
        Row::licence(t.field_licence, dataset.licence.as_ref(), lists).german(),
        Row::text(t.field_attribution, dataset.attribution.as_ref()).german(),
        Row::words(t.field_formats, dataset.all_formats()),
        Row::new(t.field_services, dataset.services.iter().map(|one| service(one, dataset, t, lang))),
        Row::text(t.field_frequency, dataset.frequency.as_ref().map(|one| one.label_in(lists, lang))),
        Row::text(t.field_update_process, dataset.update_process.as_ref()).german(),
        Row::text(t.field_data_modified, dataset.data_modified.map(|day| locale::day(day.civil(), lang))),
        Row::text(t.field_temporal, temporal(&dataset.temporal, t, lang)),
        Row::text(t.field_spatial, dataset.spatial.unit.as_ref()).german(),
        Row::iri(t.field_geocoding, dataset.spatial.geocoding.as_ref()),
        Row::text(t.field_bbox, dataset.spatial.bbox.as_ref()),
        Row::text(t.field_publisher, dataset.publisher.name.as_ref()).german(),
        Row::text(t.field_department, dataset.department.as_ref()).german(),
        contact(dataset, t).german(),
        Row::text(t.field_personal_data, dataset.personal_data.map(|kind| kind.label(lang))),
        Row::words(t.field_quality, dataset.quality_criteria.iter().map(|criterion| criterion.label(lang))),
        hvd(dataset, lists, t, lang),
        Row::iri(t.field_musterdatensatz, dataset.musterdatensatz.as_ref()),
        Row::iri(t.field_series, dataset.in_series.as_ref()),
        Row::text(t.field_status, Some(dataset.status.label(lang))),
        Row::text(t.field_issued, dataset.issued.map(|at| moment(at, lang))),
        Row::text(t.field_modified, dataset.modified.map(|at| moment(at, lang))),
        Row::codes(t.field_identifier, dataset.identifier.as_ref()),
        Row::codes(t.field_other_identifiers, &dataset.other_identifiers),
    ];
    let extra = |(path, value)| Row::text(&format!("{} ({path})", t.field_extra), Some(plain(value)));
    rows.extend(detail.extra.iter().map(extra));
    rows.retain(|row| !row.values.is_empty());
    rows
}

/// The reader's language, if there are keywords in it.
fn keywords_lang(dataset: &Dataset, lang: Lang) -> Lang {
    let has = |lang| dataset.keywords.iter().any(|keyword| keyword.lang == lang);
    if has(lang) { lang } else { super::other(lang) }
}

fn keywords(dataset: &Dataset, lang: Lang) -> impl Iterator<Item = String> {
    let lang = keywords_lang(dataset, lang);
    let spoken = move |keyword: &Keyword| keyword.lang == lang;
    dataset.keywords.iter().filter(spoken).map(|keyword| keyword.word.to_string())
}

fn moment(at: Timestamp, lang: Lang) -> String {
    locale::moment(at.unix(), lang)
}

fn temporal(temporal: &Temporal, t: &'static Texts, lang: Lang) -> Option<String> {
    let day = |day: crdt::catalog::Date| locale::day(day.civil(), lang);
    match (temporal.start, temporal.end) {
        (Some(start), Some(end)) => Some(format!("{} – {}", day(start), day(end))),
        (Some(start), None) => Some(format!("{} {}", t.temporal_from, day(start))),
        (None, Some(end)) => Some(format!("{} {}", t.temporal_until, day(end))),
        (None, None) => None,
    }
}

fn contact(dataset: &Dataset, t: &'static Texts) -> Row {
    let contact = &dataset.contact;
    let mut values: Vec<Shown> = contact.name.iter().map(Shown::text).collect();
    values.extend(contact.email.as_ref().map(|mailbox| Shown::linked(mailbox, format!("mailto:{mailbox}"))));
    values.extend(contact.phone.as_ref().map(|phone| {
        let digits: String = phone.as_str().chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        Shown::linked(phone, format!("tel:{digits}"))
    }));
    values.extend(contact.url.as_ref().map(Shown::iri));
    Row::new(t.field_contact, values)
}

/// A service by its title, linked to the page that explains it, else to where
/// it answers.
fn service(one: &DataService, dataset: &Dataset, t: &'static Texts, lang: Lang) -> Shown {
    let title = one.title.best(lang).or(dataset.title.best(lang));
    let title = title.map_or(t.title_missing, |title| title.as_str());
    let text = match &one.format {
        Some(format) => format!("{title} ({format})"),
        None => title.to_owned(),
    };
    let link = one.documentation.as_ref().or(one.endpoint_url.as_ref()).map(Shown::iri);
    Shown { text, link: link.and_then(|shown| shown.link), code: false }
}

fn hvd(dataset: &Dataset, lists: &Vocabularies, t: &'static Texts, lang: Lang) -> Row {
    let answer = dataset.hvd.iter().map(|hvd| hvd.label(lang));
    let categories = dataset.hvd_categories.iter().map(|category| category.label_in(lists, lang));
    Row::texts(t.field_hvd, answer.chain(categories))
}

/// A value of a field that this version does not know.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn seal(detail: &DatasetDetail, t: &'static Texts, lang: Lang) -> Vec<Row> {
    let changes = detail.document.map(|_| locale::number(detail.changes, lang));
    let mut rows = vec![
        Row::text(t.signature_sealed_at, detail.sealed_at.map(|at| locale::moment(at, lang))),
        Row::text(t.signature_changes, changes),
        Row::text(t.signature_epoch, detail.epoch),
        Row::codes(t.signature_document, detail.document),
        Row::codes(t.signature_heads, detail.heads.iter().copied()),
    ];
    rows.retain(|row| !row.values.is_empty());
    rows
}

impl Row {
    fn new(label: &str, values: impl IntoIterator<Item = Shown>) -> Self {
        Self { label: label.to_owned(), values: values.into_iter().collect(), words: false, lang: None }
    }

    /// What towns write in one language only is German.
    fn german(self) -> Self {
        Self { lang: Some(Lang::De.code()), ..self }
    }

    fn words(label: &str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        Self { words: true, ..Self::texts(label, values) }
    }

    fn texts(label: &str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        Self::new(label, values.into_iter().map(|value| Shown::text(&value)))
    }

    fn text(label: &str, value: Option<impl ToString>) -> Self {
        Self::texts(label, value)
    }

    fn codes(label: &str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        let code = |text: String| Shown { text, link: None, code: true };
        Self::new(label, values.into_iter().map(|value| code(value.to_string())))
    }

    fn iri(label: &str, value: Option<&Iri>) -> Self {
        Self::new(label, value.map(Shown::iri))
    }

    fn licence(label: &str, value: Option<&LicenceIri>, lists: &Vocabularies) -> Self {
        let shown = |licence: &LicenceIri| Shown::linked(&licence.label_in(lists), licence.to_string());
        Self::new(label, value.map(shown))
    }
}

impl Shown {
    fn text(text: &impl ToString) -> Self {
        Self { text: text.to_string(), link: None, code: false }
    }

    fn linked(text: &impl ToString, link: String) -> Self {
        Self { text: text.to_string(), link: Some(link), code: false }
    }

    /// An address; only those of the web become links.
    fn iri(iri: &Iri) -> Self {
        let web = ["http://", "https://"].iter().any(|scheme| iri.as_str().starts_with(scheme));
        Self { text: iri.to_string(), link: web.then(|| iri.to_string()), code: false }
    }
}

impl DistributionView {
    fn new(
        one: &Distribution,
        dataset: &Dataset,
        lists: &Vocabularies,
        t: &'static Texts,
        lang: Lang,
    ) -> Self {
        let title = one.title.best(lang).map(ToString::to_string);
        let licence = one.licence.as_ref().filter(|licence| Some(*licence) != dataset.licence.as_ref());
        let detail = |label: &str, value: String| format!("{label}: {value}");
        let mut details = Vec::new();
        let status = one.status.map(|status| status.label_in(lists, lang).to_owned());
        details.extend(status.map(|status| detail(t.field_status, status)));
        let day = one.modified.map(|day| locale::day(day.civil(), lang));
        details.extend(day.map(|day| detail(t.field_data_modified, day)));
        details.extend(one.byte_size.map(|size| detail(t.field_size, locale::size(size.bytes(), lang))));
        details.extend(licence.map(|licence| detail(t.field_licence, licence.label_in(lists).to_owned())));
        details.extend(one.attribution.as_ref().map(|text| detail(t.field_attribution, text.to_string())));
        let access = one.access_url.as_ref().filter(|url| Some(*url) != one.download_url.as_ref());
        Self {
            title_lang: if title.is_none() || one.title.get(lang).is_some() {
                lang
            } else {
                super::other(lang)
            }
            .code(),
            title: title.unwrap_or_else(|| t.distribution.to_owned()),
            description: one.description.best(lang).map(ToString::to_string),
            format: one.format.as_ref().map(ToString::to_string),
            details,
            access: access.map(Shown::iri),
            download: one.download_url.as_ref().map(Shown::iri),
        }
    }
}
