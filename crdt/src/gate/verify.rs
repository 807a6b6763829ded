//! The author's side of the gate: is this seal what it says, and may its town
//! write this document? Steps 2 to 10 of `docs/protocol.md` section 5.

use super::{Code, Rejection};
use crate::{
    authority::{AuthorRejection, Authority, Standing},
    genesis::Genesis,
    ids::{ActorId, AudienceHash},
    seal::{ALGORITHM, FEATURE_LEVEL, SealedChange, VerifiedChange},
};

/// Verifies a change for one epoch of one document. Cheap comparisons come
/// before the signature; the operations are not looked at.
///
/// # Errors
///
/// A [`Rejection`] with the code of the first check that fails.
pub fn verify(
    authority: &Authority,
    genesis: &Genesis,
    epoch: u32,
    audience: &AudienceHash,
    change: SealedChange,
) -> Result<VerifiedChange, Rejection> {
    let seal = &change.seal;
    if (seal.feature_level, seal.algorithm) != (FEATURE_LEVEL, ALGORITHM) {
        let detail = format!(
            "feature level {} with algorithm {}; this node knows level {FEATURE_LEVEL} with {ALGORITHM}",
            seal.feature_level, seal.algorithm
        );
        return Err(Rejection::new(Code::UnknownLevel, detail));
    }
    if seal.federation != authority.federation() || genesis.federation != authority.federation() {
        return Err(Rejection::new(Code::WrongFederation, "sealed for another federation"));
    }
    let document = genesis.document();
    if seal.document != document {
        return Err(Rejection::new(
            Code::WrongDocument,
            format!("sealed for {:?}, not {document:?}", seal.document),
        ));
    }
    if seal.epoch != epoch {
        return Err(Rejection::new(
            Code::WrongEpoch,
            format!("sealed for epoch {}, not {epoch}", seal.epoch),
        ));
    }
    let certificate = authority.author(&seal.certificate, genesis).map_err(|error| {
        let code = match error {
            AuthorRejection::UnknownCertificate(_) => Code::UnknownCertificate,
            AuthorRejection::WrongTown(_) => Code::WrongTown,
        };
        Rejection::new(code, error.to_string())
    })?;
    // What a cut-off lets count is what the owner repeats in a later epoch:
    // reachability from its manifest cannot be asked of a single change.
    if authority.standing(&seal.certificate, audience) != Standing::Unrevoked {
        return Err(Rejection::new(Code::Revoked, format!("certificate {} is revoked", seal.certificate)));
    }
    let node_key = certificate.node_key;
    let actor = ActorId::derive(&seal.federation, &document, epoch, &node_key, &seal.boot);
    if seal.actor != actor {
        return Err(Rejection::new(Code::WrongActor, "the actor id is not the hash of its parts"));
    }
    if !seal.is_signed_by(&node_key) {
        return Err(Rejection::new(Code::BadSignature, "the seal's signature does not hold"));
    }
    Ok(VerifiedChange(change))
}
