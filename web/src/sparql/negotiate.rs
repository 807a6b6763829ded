//! Which form a client wants: what it accepts comes first, then what the
//! address names, then what is usual.

use axum::http::{HeaderMap, header};
use node::rdf::RdfForm;
use node::rdf::sparql::SolutionsFormat;

/// Longest `Accept` that is read, in bytes; clients of RDF list many types.
const ACCEPT_BYTES_MAX: usize = 4_096;

/// Names that stand for a form of solutions, in `Accept` or in the address.
const SOLUTIONS: [(&str, SolutionsFormat); 13] = [
    ("application/sparql-results+json", SolutionsFormat::Json),
    ("application/json", SolutionsFormat::Json),
    ("json", SolutionsFormat::Json),
    ("application/sparql-results+xml", SolutionsFormat::Xml),
    ("application/xml", SolutionsFormat::Xml),
    ("text/xml", SolutionsFormat::Xml),
    ("xml", SolutionsFormat::Xml),
    ("text/csv", SolutionsFormat::Csv),
    ("csv", SolutionsFormat::Csv),
    ("text/tab-separated-values", SolutionsFormat::Tsv),
    ("tsv", SolutionsFormat::Tsv),
    ("srj", SolutionsFormat::Json),
    ("srx", SolutionsFormat::Xml),
];

/// Names that stand for a form of triples.
const TRIPLES: [(&str, RdfForm); 17] = [
    ("text/turtle", RdfForm::Turtle),
    ("application/turtle", RdfForm::Turtle),
    ("application/x-turtle", RdfForm::Turtle),
    ("text/n3", RdfForm::N3),
    ("text/rdf+n3", RdfForm::Turtle),
    ("turtle", RdfForm::Turtle),
    ("n3", RdfForm::Turtle),
    ("application/rdf+xml", RdfForm::RdfXml),
    ("rdf+xml", RdfForm::RdfXml),
    ("rdf", RdfForm::RdfXml),
    ("xml", RdfForm::RdfXml),
    ("application/xml", RdfForm::RdfXml),
    ("application/n-triples", RdfForm::NTriples),
    ("text/plain", RdfForm::NTriples),
    ("application/ld+json", RdfForm::JsonLd),
    ("json-ld", RdfForm::JsonLd),
    ("json", RdfForm::JsonLd),
];

/// The forms for a query's answer, whichever it will be.
pub(super) fn answers(
    headers: &HeaderMap,
    named: Option<&str>,
) -> (Option<SolutionsFormat>, Option<RdfForm>) {
    let accepted = accepted(headers);
    (
        choose(&accepted, &SOLUTIONS, named, SolutionsFormat::Json),
        choose(&accepted, &TRIPLES, named, RdfForm::Turtle),
    )
}

/// The form for the description of the service; `None` for a reader of pages.
pub(super) fn description(headers: &HeaderMap) -> Option<RdfForm> {
    let accepted = accepted(headers);
    let quality = |name: &str| {
        accepted.iter().filter(|(accepted, _)| accepted == name).map(|(_, quality)| *quality).max()
    };
    let page = quality("text/html").max(quality("application/xhtml+xml"));
    let best = |(name, format): &(&str, RdfForm)| {
        // Programs that ask for anything get RDF; a page also accepts `application/xml`.
        let plain = !name.contains('/') || *name == "application/xml" || *name == "text/plain";
        (if plain { None } else { quality(name) })
            .filter(|quality| *quality > 0)
            .map(|quality| (quality, *format))
    };
    let rdf = TRIPLES.iter().filter_map(best).max_by_key(|(quality, _)| *quality);
    match (page, rdf) {
        (Some(page), Some((quality, format))) => (quality > page).then_some(format),
        (Some(_), None) => None,
        (None, Some((_, format))) => Some(format),
        (None, None) => Some(RdfForm::Turtle),
    }
}

fn choose<F: Copy>(
    accepted: &[(String, u32)],
    names: &[(&str, F)],
    named: Option<&str>,
    usual: F,
) -> Option<F> {
    let known = |name: &str| names.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
    if accepted.is_empty() {
        return Some(named.and_then(known).unwrap_or(usual));
    }
    let mut best: Option<(u32, F)> = None;
    // Pages accept XML of any kind; that is not what they hope for.
    let page = accepted.iter().any(|(name, _)| name == "text/html");
    for (name, quality) in accepted.iter().filter(|(name, _)| !(page && name == "application/xml")) {
        if let Some(format) = known(name).filter(|_| *quality > 0)
            && best.is_none_or(|(best, _)| *quality > best)
        {
            best = Some((*quality, format));
        }
    }
    let any = accepted.iter().any(|(name, quality)| name.ends_with("/*") && *quality > 0) || page;
    match best {
        Some((_, format)) => Some(format),
        None if any => Some(named.and_then(known).unwrap_or(usual)),
        None => None,
    }
}

/// Media types and their qualities in thousandths.
fn accepted(headers: &HeaderMap) -> Vec<(String, u32)> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let text: String = values.collect::<Vec<_>>().join(",").chars().take(ACCEPT_BYTES_MAX).collect();
    let one = |part: &str| {
        let mut pieces = part.split(';').map(str::trim);
        let name = pieces.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
        let quality = pieces.find_map(|piece| piece.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
        let quality = quality.filter(|quality: &f64| (0.0..=1.0).contains(quality))?;
        Some((name, (quality * 1000.0) as u32))
    };
    text.split(',').filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn accepting(accept: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(accept).unwrap())])
    }

    #[test]
    fn the_best_quality_wins_and_the_address_counts_only_where_anything_is_taken() {
        let solutions = |accept: &str, named| answers(&accepting(accept), named).0;
        assert_eq!(
            solutions("text/csv;q=0.5, application/sparql-results+xml", None),
            Some(SolutionsFormat::Xml)
        );
        assert_eq!(solutions("text/csv", Some("json")), Some(SolutionsFormat::Csv));
        assert_eq!(solutions("*/*", Some("tsv")), Some(SolutionsFormat::Tsv));
        assert_eq!(solutions("*/*", Some("excel")), Some(SolutionsFormat::Json));
        assert_eq!(solutions("image/png", Some("json")), None);
        assert_eq!(solutions("text/csv;q=0", None), None);
        assert_eq!(answers(&HeaderMap::new(), None), (Some(SolutionsFormat::Json), Some(RdfForm::Turtle)));
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(solutions(browser, Some("csv")), Some(SolutionsFormat::Csv));
        let triples = |accept: &str| answers(&accepting(accept), None).1;
        assert_eq!(triples("application/ld+json, text/turtle;q=0.9"), Some(RdfForm::JsonLd));
        assert_eq!(triples("application/sparql-results+json"), None);
    }

    #[test]
    fn people_get_the_form_and_programs_the_description() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(description(&accepting(browser)), None);
        assert_eq!(description(&accepting("application/rdf+xml")), Some(RdfForm::RdfXml));
        assert_eq!(description(&accepting("text/turtle, text/html;q=0.5")), Some(RdfForm::Turtle));
        assert_eq!(description(&accepting("*/*")), Some(RdfForm::Turtle));
        assert_eq!(description(&HeaderMap::new()), Some(RdfForm::Turtle));
    }
}
