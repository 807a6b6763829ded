//! The catalog in pages, as harvesters read it: a hundred datasets each, with
//! links to the next in the words of Hydra.
//!
//! A link to the next page carries the id of the last dataset of this one.
//! Datasets come by id, which never changes, so that a walk neither misses nor
//! doubles one, whatever is edited, published or withdrawn meanwhile and
//! however often the node restarts: there is no snapshot to be kept and none
//! to expire. A dataset that is published during the walk is met or not,
//! depending on its id; the next walk has it.
//!
//! INVARIANT: whatever can be reached on a page from a dataset is its own, but
//! for its publisher: GovData's harvester deletes all of it before it writes the
//! dataset anew. Series are therefore described in a document of their own
//! ([`catalog_document`]), to which a page only points.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::ops::Bound;

use crdt::catalog::Timestamp;
use crdt::dcat::{
    CatalogContext, catalog_triples, catalog_triples_without_series, dataset_iri, dataset_triples, terms,
};
use crdt::ids::{DatasetId, Town};
use oxrdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple};

use super::form::{RdfForm, TripleWriter, triples_as};
use crate::export::ExportError;
use crate::handle::{LISTING_LIMIT_MAX, Listed, NodeHandle, ReadError, Scope, Select};
use crate::view::{Expression, NamedField, Order};

/// Datasets on a page; what CKAN's catalogs have and harvesters expect.
pub const PAGE_DATASETS: usize = 100;
/// Bytes of terms after which a page takes no further dataset: harvesters
/// refuse pages of 50 MB, and the dearest form writes each term at most twice
/// as long.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Datasets that are looked at for one page of a walk that leaves out what has
/// not changed.
const LOOKED_AT_MAX: usize = 20_000;

/// Which page.
#[derive(Debug, Clone)]
pub struct PageAsked {
    /// Whose datasets.
    pub scope: Scope,
    /// In which form.
    pub form: RdfForm,
    /// The address of the catalog in that form, without parameters.
    pub address: String,
    /// Number of the page, from 1.
    pub page: u64,
    /// Where the page begins: after this dataset. Without, the number counts.
    pub after: Option<DatasetId>,
    /// Only what its owner has changed, or what this node has got, then or later.
    pub modified_since: Option<Timestamp>,
    /// Only what this is true of.
    pub selection: Option<Expression>,
    /// Further parameters that the links of the page carry.
    pub carried: Vec<(&'static str, String)>,
}

/// One page of the catalog. Blocks.
pub fn catalog_page(node: &NodeHandle, asked: &PageAsked) -> Result<Vec<u8>, ReadError> {
    if let (Some(selection), None) = (&asked.selection, asked.modified_since) {
        return selected_page(node, asked, selection);
    }
    let after = match asked.after {
        None if asked.page > 1 => {
            let skipped = (asked.page - 1).saturating_mul(PAGE_DATASETS as u64);
            match node.open_dataset_at(asked.scope, skipped - 1)? {
                Some(last) => Some(last),
                // Beyond the end: an empty page, which ends the walk.
                None => {
                    return Ok(triples_as(asked.form, &paged(asked, node.open_count(asked.scope), None)));
                }
            }
        }
        after => after,
    };
    let (datasets, more) = some_datasets(node, asked, after)?;
    page_of(node, asked, &datasets, more, node.open_count(asked.scope))
}

/// A page of what a search finds, in the same order and with the same links.
fn selected_page(node: &NodeHandle, asked: &PageAsked, selection: &Expression) -> Result<Vec<u8>, ReadError> {
    let all = of_scope(asked.scope, selection);
    let (here, skipped) = match asked.after {
        Some(after) => {
            let later = Bound::Excluded(after.to_string());
            let later = Expression::Between(NamedField::Id, later, Bound::Unbounded);
            (Expression::And(vec![all.clone(), later]), 0)
        }
        None => (all.clone(), (asked.page - 1).saturating_mul(PAGE_DATASETS as u64)),
    };
    let total = node.select_ids(&by_id(all, 0, 0))?.total;
    let offset = usize::try_from(skipped.min(total)).unwrap_or(usize::MAX);
    let found = node.select(&by_id(here, offset, PAGE_DATASETS + 1))?;
    page_of(node, asked, &found.datasets, None, total)
}

fn of_scope(scope: Scope, selection: &Expression) -> Expression {
    match scope {
        Scope::Federation => selection.clone(),
        Scope::Town(town) => {
            let town = Expression::Is(NamedField::Town, town.to_string());
            Expression::And(vec![selection.clone(), town])
        }
    }
}

fn by_id(expression: Expression, offset: usize, limit: usize) -> Select {
    Select { expression, sort: vec![Order::Id], offset, limit, facets: Vec::new() }
}

/// A page of these datasets, as far as they fit; `more` is where to go on if
/// all of them do, `total` how many the whole walk has.
fn page_of(
    node: &NodeHandle,
    asked: &PageAsked,
    datasets: &[Listed],
    more: Option<DatasetId>,
    total: u64,
) -> Result<Vec<u8>, ReadError> {
    let mut contexts = Contexts::default();
    let mut triples = Vec::new();
    if let Scope::Town(town) = asked.scope {
        triples.extend(on_page(asked, contexts.of(node, town)?));
    }
    let mut bytes = 0;
    let mut shown = 0;
    for listed in datasets {
        if shown == PAGE_DATASETS || bytes > PAGE_BYTES_MAX {
            break;
        }
        if !contexts.0.contains_key(&listed.town) {
            triples.extend(on_page(asked, contexts.of(node, listed.town)?));
        }
        let said = dataset_triples(&listed.dataset, contexts.of(node, listed.town)?);
        bytes += said.iter().map(size).sum::<usize>();
        triples.extend(said);
        shown += 1;
    }
    let next = match datasets.get(shown.wrapping_sub(1)) {
        Some(last) if shown < datasets.len() => Some(last.dataset.id),
        _ => more,
    };
    let mut all = paged(asked, total, next);
    all.extend(triples);
    Ok(triples_as(asked.form, &all))
}

/// The catalog as a page has it: where its series are described, if it has any.
fn on_page(asked: &PageAsked, context: &CatalogContext) -> Vec<Triple> {
    let mut triples = catalog_triples_without_series(context);
    if !context.catalog().series.is_empty()
        && let Ok(document) = NamedNode::new(format!("{}?part=catalog", asked.address))
    {
        triples.push(Triple::new(context.iri().clone(), terms::SEE_ALSO, document));
    }
    triples
}

/// What is said of the catalogs themselves, with their series and without their
/// datasets: the counterpart of the pages. Blocks.
pub fn catalog_document(node: &NodeHandle, scope: Scope, form: RdfForm) -> Result<Vec<u8>, ReadError> {
    let towns = node.members().into_iter().map(|member| member.town).filter(|town| scope.holds(*town));
    let mut triples = Vec::new();
    for town in towns {
        triples.extend(catalog_triples(&node.catalog_context(town)?));
    }
    Ok(triples_as(form, &triples))
}

/// Datasets for a page and one more, if there is one; and where to go on if
/// the search for them stopped before the end.
fn some_datasets(
    node: &NodeHandle,
    asked: &PageAsked,
    after: Option<DatasetId>,
) -> Result<(Vec<Listed>, Option<DatasetId>), ReadError> {
    let Some(since) = asked.modified_since else {
        return Ok((node.open_datasets(asked.scope, after, PAGE_DATASETS + 1)?, None));
    };
    let wanted: Option<BTreeSet<DatasetId>> = match &asked.selection {
        None => None,
        Some(selection) => {
            let limit = usize::try_from(node.open_count(asked.scope)).unwrap_or(usize::MAX);
            let found = node.select_ids(&by_id(of_scope(asked.scope, selection), 0, limit))?;
            Some(found.ids.into_iter().collect())
        }
    };
    // What arrived late was changed before, and yet nobody here could read it.
    let changed = |listed: &Listed| {
        let said = listed.dataset.modified.or(listed.dataset.issued);
        let is_new = said.is_none_or(|at| at >= since) || listed.at >= since.unix();
        is_new && wanted.as_ref().is_none_or(|wanted| wanted.contains(&listed.dataset.id))
    };
    let (mut found, mut after, mut looked_at) = (Vec::new(), after, 0);
    loop {
        let some = node.open_datasets(asked.scope, after, LISTING_LIMIT_MAX)?;
        looked_at += some.len();
        let ended = some.len() < LISTING_LIMIT_MAX;
        after = some.last().map(|last| last.dataset.id);
        found.extend(some.into_iter().filter(&changed));
        if ended || found.len() > PAGE_DATASETS {
            return Ok((found, None));
        }
        if looked_at >= LOOKED_AT_MAX {
            return Ok((found, after));
        }
    }
}

fn size(triple: &Triple) -> usize {
    let object = match &triple.object {
        Term::NamedNode(node) => node.as_str().len(),
        Term::BlankNode(node) => node.as_str().len(),
        Term::Literal(literal) => literal.value().len() + literal.datatype().as_str().len(),
    };
    triple.subject.to_string().len() + triple.predicate.as_str().len() + object
}

/// What the page says of itself, in both spellings that harvesters look for.
fn paged(asked: &PageAsked, total: u64, next: Option<DatasetId>) -> Vec<Triple> {
    let per_page = PAGE_DATASETS as u64;
    let address = |page: u64, after: Option<DatasetId>| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("page", &page.to_string());
        if let Some(after) = after {
            query.append_pair("after", &after.to_string());
        }
        if let Some(since) = asked.modified_since {
            query.append_pair("modified_since", &since.to_string());
        }
        for (name, value) in &asked.carried {
            query.append_pair(name, value);
        }
        format!("{}?{}", asked.address, query.finish())
    };
    let Ok(this) = NamedNode::new(address(asked.page, asked.after)) else { return Vec::new() };
    let mut triples = vec![
        Triple::new(this.clone(), terms::TYPE, hydra("PagedCollection")),
        Triple::new(this.clone(), terms::TYPE, hydra("PartialCollectionView")),
    ];
    let mut link = |names: [&'static str; 2], to: String| {
        if let Ok(to) = NamedNode::new(to) {
            let links = names.map(|name| Triple::new(this.clone(), hydra(name), to.clone()));
            triples.extend(links);
        }
    };
    link(["first", "firstPage"], address(1, None));
    if let Some(next) = next {
        link(["next", "nextPage"], address(asked.page.saturating_add(1), Some(next)));
    }
    // How many pages a walk of changes has is known at its end alone.
    if asked.modified_since.is_none() {
        link(["last", "lastPage"], address(total.div_ceil(per_page).max(1), None));
        let number = |number: u64| Literal::from(i64::try_from(number).unwrap_or(i64::MAX));
        triples.push(Triple::new(this.clone(), hydra("totalItems"), number(total)));
        triples.push(Triple::new(this, hydra("itemsPerPage"), number(per_page)));
    }
    triples
}

fn hydra(name: &'static str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://www.w3.org/ns/hydra/core#{name}"))
}

/// One open dataset with its entry in its town's catalog; `None` if there is
/// none. Blocks.
pub fn dataset_document(
    node: &NodeHandle,
    id: DatasetId,
    form: RdfForm,
) -> Result<Option<Vec<u8>>, ReadError> {
    let Some(listed) = node.open_dataset(id)? else { return Ok(None) };
    let context = node.catalog_context(listed.town)?;
    Ok(Some(triples_as(form, &dataset_triples(&listed.dataset, &context))))
}

/// Writes the whole open catalog, dataset by dataset. Blocks.
pub fn write_catalog(
    node: &NodeHandle,
    town: Town,
    form: RdfForm,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let context = node.catalog_context(town)?;
    let mut writer = TripleWriter::new(form, out);
    writer.write(&catalog_triples(&context), |_| false)?;
    let mut after = None;
    loop {
        let some = node.open_datasets(Scope::Town(town), after, LISTING_LIMIT_MAX)?;
        let Some(last) = some.last() else { return Ok(writer.finish()?) };
        after = Some(last.dataset.id);
        for listed in &some {
            // What a dataset says of itself, or the catalog of it, is said once anyway.
            let iri = dataset_iri(&listed.dataset);
            let own = |triple: &Triple| match &triple.subject {
                NamedOrBlankNode::NamedNode(node) => {
                    node == context.iri() || node.as_str().starts_with(iri.as_str())
                }
                NamedOrBlankNode::BlankNode(_) => true,
            };
            writer.write(&dataset_triples(&listed.dataset, &context), own)?;
        }
    }
}

/// The catalogs of the towns on a page, each read once.
#[derive(Debug, Default)]
pub struct Contexts(BTreeMap<Town, CatalogContext>);

impl Contexts {
    /// What is said of a dataset, in a form. Blocks.
    pub fn document(
        &mut self,
        node: &NodeHandle,
        listed: &Listed,
        form: RdfForm,
    ) -> Result<Vec<u8>, ReadError> {
        Ok(triples_as(form, &dataset_triples(&listed.dataset, self.of(node, listed.town)?)))
    }

    pub(super) fn of(&mut self, node: &NodeHandle, town: Town) -> Result<&CatalogContext, ReadError> {
        Ok(match self.0.entry(town) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(node.catalog_context(town)?),
        })
    }
}
