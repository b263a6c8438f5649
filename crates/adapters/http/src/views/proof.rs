//! Proofs of the audit log, as they go out.

use audit::Hash;
use serde::Serialize;
use usecases::audit_log::{ConsistencyProof, InclusionProof};

/// That an event is in the log. Hashes are in Base64.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InclusionProofView {
    event_id: String,
    position: u64,
    leaf_hash: String,
    tree_size: u64,
    root_hash: String,
    hashes: Vec<String>,
    checkpoint: Option<String>,
}

impl From<&InclusionProof> for InclusionProofView {
    fn from(proof: &InclusionProof) -> Self {
        Self {
            event_id: proof.event.to_string(),
            position: proof.position,
            leaf_hash: proof.leaf_hash.to_string(),
            tree_size: proof.size,
            root_hash: proof.root.to_string(),
            hashes: proof.hashes.iter().map(ToString::to_string).collect(),
            checkpoint: proof.checkpoint.as_ref().map(|signed| signed.note.clone()),
        }
    }
}

/// A log of one size.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogAtSizeView {
    size: u64,
    root_hash: String,
}

impl From<&(u64, Hash)> for LogAtSizeView {
    fn from((size, root): &(u64, Hash)) -> Self {
        Self { size: *size, root_hash: root.to_string() }
    }
}

/// That a log only grew.
#[derive(Debug, Serialize)]
pub(crate) struct ConsistencyProofView {
    from: LogAtSizeView,
    to: LogAtSizeView,
    hashes: Vec<String>,
}

impl From<&ConsistencyProof> for ConsistencyProofView {
    fn from(proof: &ConsistencyProof) -> Self {
        Self {
            from: (&proof.from).into(),
            to: (&proof.to).into(),
            hashes: proof.hashes.iter().map(ToString::to_string).collect(),
        }
    }
}
