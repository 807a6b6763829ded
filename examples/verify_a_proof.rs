//! Anybody can check where a record comes from, offline: the charter leads to
//! the town's key, the key to its node, the node to every change.
//!
//! ```sh
//! cargo run --example verify_a_proof
//! ```

#![expect(clippy::print_stdout, reason = "an example tells what it does")]

use std::error::Error;

use crdt::catalog::{Dataset, DatasetEdit};
use crdt::encoding::FormatOne;
use crdt::genesis::{DocumentKind, Genesis, GenesisClass};
use crdt::ids::{BootNonce, DatasetId, FederationId, GenesisNonce, Pseudonym, Town, UnixMillis};
use crdt::proof::{self, Proof, Title};
use crdt::sealed_document::{SealedDocument, Signer};
use node::directory::{Directory, NewTown};
use node::store::StoreSettings;
use node::{founding, keys};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let (proof, federation) = publish("Baumkataster")?;
    let bytes = proof.to_bytes();
    println!("A proof of {} bytes; the federation is {federation}.", bytes.len());

    // The reader has the file, and the federation's id from elsewhere.
    let proven = proof::check(&bytes, &federation)?;
    let title = proven.content.and_then(|content| content.dataset.title.de);
    println!("{} says: {:?}", proven.owner_name, title.as_ref().map(|title| title.as_str()));
    assert_eq!(title.as_ref().map(|title| title.as_str()), Some("Baumkataster"));

    // Whoever changes the record on its way is found out.
    let word =
        bytes.windows(4).position(|window| window == b"Baum").ok_or("the title stands in the proof")?;
    let mut altered = bytes.clone();
    altered[word..word + 4].copy_from_slice(b"Raum");
    println!("With one letter changed: {}", refused(&altered, &federation)?);

    // A whole federation made up by somebody else is another federation.
    let (forged, _) = publish("Gefälscht")?;
    println!("From a made-up federation: {}", refused(&forged.to_bytes(), &federation)?);
    Ok(())
}

fn refused(bytes: &[u8], federation: &FederationId) -> Result<String, Box<dyn Error>> {
    match proof::check(bytes, federation) {
        Ok(_) => Err("a false proof was believed".into()),
        Err(error) => Ok(error.to_string()),
    }
}

/// What the owner's node does, and `GET /api/v1/datasets/{id}/proof` gives out.
fn publish(title: &str) -> Result<(Proof, FederationId), Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let owner = Town::parse("05974040")?;
    let new = NewTown { town: owner, code: "soest".into(), name: "Soest".into(), addresses: vec![] };
    let member = Directory::init(place.path(), &new)?;
    let directory = Directory::open(place.path(), StoreSettings::default())?;
    let identity = directory.identity_key()?;
    let mut charter =
        founding::found("Beispiel", std::slice::from_ref(&member), keys::random()?, UnixMillis(0))?;
    founding::sign(&mut charter, &identity)?;
    let federation = charter.id().as_federation();
    let certificate = founding::certificate(&member, federation, &identity);

    let (kind, class) = (DocumentKind::Dataset, GenesisClass::Open);
    let genesis = Genesis { federation, kind, owner, class, nonce: GenesisNonce(keys::random()?) };
    let signer = Signer {
        federation,
        key: directory.node_key.clone(),
        certificate: certificate.id(),
        charter_version: 1,
        boot: BootNonce(keys::random()?),
    };
    let mut document = SealedDocument::begin(genesis, None);
    let empty = Dataset::new(DatasetId::from_random(keys::random()?));
    let dataset = DatasetEdit::parse(&json!({ "title": title }))?.apply(&empty)?;
    document.author(&signer, Pseudonym::default(), UnixMillis(1), |held, actor| {
        held.edit_dataset(actor, &DatasetEdit::first(&dataset))
    })?;
    let changes = document.changes().iter().map(|change| change.to_bytes().into()).collect();
    let proof = Proof {
        title: Title,
        format: FormatOne,
        charters: vec![charter],
        certificates: vec![certificate],
        revocations: vec![],
        genesis,
        epochs: vec![],
        changes,
        manifest: None,
    };
    Ok((proof, federation))
}
