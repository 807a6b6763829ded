//! Two nodes of one town edit the same record while they cannot reach each
//! other; then each takes the other's sealed changes, and both show the same.
//!
//! No network and no clock: what is exchanged here are the values that travel
//! as bytes between nodes.
//!
//! ```sh
//! cargo run --example offline_then_merge
//! ```

#![expect(clippy::print_stdout, reason = "an example tells what it does")]

use std::error::Error;

use crdt::audience::Audience;
use crdt::authority::Authority;
use crdt::catalog::{Dataset, DatasetEdit};
use crdt::gate;
use crdt::genesis::{DocumentKind, Genesis, GenesisClass};
use crdt::ids::{BootNonce, DatasetId, GenesisNonce, Pseudonym, Town, UnixMillis};
use crdt::sealed_document::{SealedDocument, Signer};
use crdt::signed::public_key;
use node::directory::{Directory, MemberFile, NewTown};
use node::store::StoreSettings;
use node::{founding, keys};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let (town, path) = (Town::parse("05974040")?, place.path().join("soest"));
    let new = NewTown { town, code: "soest".into(), name: "Soest".into(), addresses: vec![] };
    let member = Directory::init(&path, &new)?;
    let federation = founding::found_here("Beispiel", &[&path], UnixMillis(0))?;
    let directory = Directory::open(&path, StoreSettings::default())?;
    let identity = directory.identity_key()?;
    let mut authority = founding::stored_authority(&directory.replica.read()?)?.ok_or("it is founded")?;

    // The town hall and the building yard each have a node, certified by the town.
    let mut node = |name: &str| -> Result<Signer, Box<dyn Error>> {
        let key = keys::create(&place.path().join(format!("{name}.key")))?;
        let file = MemberFile { node_key: public_key(&key), ..member.clone() };
        let certificate = founding::certificate(&file, federation, &identity);
        authority.admit_certificate(certificate.clone())?;
        let boot = BootNonce(keys::random()?);
        Ok(Signer { federation, key, certificate: certificate.id(), charter_version: 1, boot })
    };
    let (hall, yard) = (node("hall")?, node("yard")?);

    let (kind, class, nonce) = (DocumentKind::Dataset, GenesisClass::Open, GenesisNonce(keys::random()?));
    let genesis = Genesis { federation, kind, owner: town, class, nonce };
    let mut at_hall = SealedDocument::begin(genesis, None);
    let dataset = Dataset::new(DatasetId::from_random(keys::random()?));
    at_hall.author(&hall, Pseudonym::default(), UnixMillis(1), |document, actor| {
        document.edit_dataset(actor, &DatasetEdit::first(&dataset))
    })?;
    edit(&mut at_hall, &hall, json!({"title": "Spielplätze", "keywords": ["Kinder"]}))?;
    let mut at_yard = at_hall.clone();

    // The line is down. Both work on.
    edit(&mut at_hall, &hall, json!({"title": "Spiel- und Bolzplätze", "frequency": "MONTHLY"}))?;
    edit(&mut at_yard, &yard, json!({"title": "Alle Plätze", "keywords": {"de": {"add": ["Sport"]}}}))?;

    // The line is back. Each lets the other's changes through the gate.
    exchange(&authority, &at_hall.clone(), &mut at_yard)?;
    exchange(&authority, &at_yard.clone(), &mut at_hall)?;
    let (hall, yard) = (at_hall.document().read_dataset(), at_yard.document().read_dataset());
    assert_eq!(hall, yard, "both show the same");
    let merged = json!([hall.dataset.frequency, hall.dataset.keywords.de]);
    println!("Merged by themselves: frequency and keywords, now {merged}.");
    for conflict in at_hall.document().conflicts() {
        let values: Vec<String> = conflict.values.iter().map(|value| value.value.to_string()).collect();
        println!("For a person to settle: {} is {}.", conflict.path, values.join(" or "));
    }
    assert_eq!(at_hall.document().conflicts().len(), 1, "only the title was changed on both sides");
    Ok(())
}

fn edit(document: &mut SealedDocument, signer: &Signer, body: Value) -> Result<(), Box<dyn Error>> {
    let edit = DatasetEdit::parse(&body)?;
    document
        .author(signer, Pseudonym::default(), UnixMillis(2), |held, actor| held.edit_dataset(actor, &edit))?;
    Ok(())
}

fn exchange(
    authority: &Authority,
    from: &SealedDocument,
    to: &mut SealedDocument,
) -> Result<(), Box<dyn Error>> {
    let verify = |change| gate::verify(authority, from.genesis(), 1, &Audience::Open.hash(), change);
    let verified = from.changes().iter().cloned().map(verify).collect::<Result<Vec<_>, _>>();
    let verified = verified.map_err(|rejection| rejection.detail)?;
    to.admit(verified).refused.map_or(Ok(()), |(_, rejection)| Err(rejection.detail.into()))
}
