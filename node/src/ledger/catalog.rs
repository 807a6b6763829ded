//! Prepares what a town says of its catalog as a whole: one open document per
//! town, made with the first edit.

use crdt::catalog::{Catalog, CatalogEdit, InvalidBody, Line, new_catalog_faults};
use crdt::genesis::{DocumentKind, Genesis, GenesisClass};
use crdt::ids::{DocumentId, GenesisNonce, UnixMillis};
use crdt::sealed_document::{AuthorError, SealedDocument};

use super::local::{put, take};
use super::stage::Stage;
use super::{Author, Books, signer};
use crate::handle::EditCatalogError;
use crate::keys;
use crate::store::{ReadStoreError, ViewContent};
use crate::view::CatalogReceipt;

/// Stages an edit of the town's own catalog.
pub(super) fn edit(
    stage: &mut Stage,
    books: &Books,
    edit: &CatalogEdit,
    author: Author,
    now: UnixMillis,
) -> Result<CatalogReceipt, EditCatalogError> {
    let failed = |error: ReadStoreError| EditCatalogError::Write(error.to_string());
    let town = books.town();
    let held = match document(stage, books) {
        Some(id) => Some(take(stage, &id).map_err(failed)?.ok_or_else(|| {
            EditCatalogError::Refused(
                "the copy in the data directory is damaged; `hanse verify` says what can be done".into(),
            )
        })?),
        None => None,
    };
    let before = match &held {
        Some((sealed, _)) => sealed.document().read_catalog(town).catalog,
        None => Catalog::new(town),
    };
    let after = edit.apply(&before)?;
    if after == before {
        let heads = held.map(|(sealed, _)| sealed.document().heads()).unwrap_or_default();
        return Ok(CatalogReceipt { heads, changed: false });
    }
    let faults = new_catalog_faults(&before, &after, &books.lists);
    if !faults.is_empty() {
        return Err(EditCatalogError::Faulty(InvalidBody { fields: faults }));
    }
    if !books.may_publish() {
        return Err(EditCatalogError::CatchingUp);
    }
    let signer = signer(books).map_err(EditCatalogError::NotCertified)?;
    let (mut sealed, stored, edit) = match held {
        Some((sealed, stored)) => (sealed, stored, edit.clone()),
        None => {
            let nonce = keys::random().map_err(|error| EditCatalogError::Write(error.to_string()))?;
            let genesis = Genesis {
                federation: signer.federation,
                kind: DocumentKind::Catalog,
                owner: town,
                class: GenesisClass::Open,
                nonce: GenesisNonce(nonce),
            };
            (SealedDocument::begin(genesis, None), 0, CatalogEdit::first(&after))
        }
    };
    let change = sealed
        .author(&signer, author.0, now, |document, actor| document.edit_catalog(actor, town, &edit))
        .map_err(|error| match error {
            AuthorError::Edit(crdt::document::EditError::Invalid(invalid)) => {
                EditCatalogError::Invalid(invalid)
            }
            other => EditCatalogError::Refused(other.to_string()),
        })?;
    let heads = sealed.document().heads();
    put(stage, sealed, stored, change.into_iter().collect());
    stage.issues_manifest = true;
    Ok(CatalogReceipt { heads, changed: true })
}

/// The document of the town's own catalog, also one that this batch makes.
fn document(stage: &Stage, books: &Books) -> Option<DocumentId> {
    let town = books.town();
    let staged = stage.documents.iter().find(|(_, staged)| {
        staged.genesis.owner == town
            && staged.genesis.kind == DocumentKind::Catalog
            && !staged.holding.is_erased()
    });
    staged.map(|(id, _)| *id).or_else(|| books.catalogs(town).first().copied())
}

/// What the town says of its catalog, once it has said anything.
pub(super) fn own(stage: &Stage, books: &Books) -> Result<Option<Catalog>, ReadStoreError> {
    let said = match document(stage, books) {
        None => None,
        Some(id) => match stage.documents.get(&id) {
            Some(staged) => staged.view.as_ref().map(|view| view.content.clone()),
            None => stage.replica.view(&id)?.map(|view| view.content),
        },
    };
    Ok(match said {
        Some(ViewContent::Catalog(catalog)) => Some(*catalog),
        _ => None,
    })
}

/// What the town's datasets have in common: what it says of its catalog, and
/// that the town itself publishes where it has not said who does.
pub(super) fn defaults(stage: &Stage, books: &Books) -> Result<Catalog, ReadStoreError> {
    let mut catalog = own(stage, books)?.unwrap_or_else(|| Catalog::new(books.town()));
    if catalog.publisher.name.is_none() {
        catalog.publisher.name = Line::parse(&books.info.name).ok();
    }
    Ok(catalog)
}
