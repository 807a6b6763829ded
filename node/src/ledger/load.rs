//! Reads sealed changes for peers that asked for them.

use crdt::sync::{DocumentChanges, WANT_BYTES_MAX, Want, changes_after};

use super::judge::current_record;
use crate::store::{ReadStoreError, ReplicaSnapshot};

/// For each want the changes after its frontier, in causal order; together at
/// most [`WANT_BYTES_MAX`], but at least one whole change. What is left is
/// marked as more; documents that are not here are left out.
pub fn load(snapshot: &ReplicaSnapshot, wants: &[Want]) -> Result<Vec<DocumentChanges>, ReadStoreError> {
    let mut budget = WANT_BYTES_MAX;
    let mut found: Vec<DocumentChanges> = Vec::with_capacity(wants.len());
    let mut given = false;
    for want in wants {
        let Some(row) = snapshot.document(&want.document)? else { continue };
        let epoch = row.holding.epoch;
        let record = current_record(snapshot, &want.document, epoch)?;
        let mut answer = DocumentChanges { genesis: row.genesis, record, changes: Vec::new(), more: false };
        if row.holding.is_erased() {
            found.push(answer);
            continue;
        }
        if budget == 0 {
            answer.more = true;
            found.push(answer);
            continue;
        }
        let held = snapshot.changes(&want.document, epoch)?;
        for change in changes_after(&held, want, epoch) {
            let size = crdt::seal::Seal::SIZE + change.operations.len();
            if size > budget && given {
                answer.more = true;
                budget = 0;
                break;
            }
            budget = budget.saturating_sub(size);
            given = true;
            answer.changes.push(change.clone());
        }
        found.push(answer);
    }
    Ok(found)
}
