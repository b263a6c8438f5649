//! Who signs and where checkpoints leave to: what a server has.

use std::{path::Path, sync::Arc};

use audit::{CheckpointKey, checkpoint_key::CheckpointKeyFactory};
use contracts::{sample::Machine, tampering::Post};
use local::{LocalCheckpointKeyFactory, LocalCheckpointSigner, Sealer, SystemEntropy};
use outlets::CheckpointFile;

/// A key that nobody knows, and a file for checkpoints in this folder.
pub(crate) async fn post(folder: &Path, machine: &Machine) -> Post {
    let sealer = Arc::new(Sealer::new(&[1; 32], Arc::new(SystemEntropy::new())).unwrap());
    let (public, private) = LocalCheckpointKeyFactory::new(Arc::clone(&sealer)).generate().unwrap();
    let id = CheckpointKey::id_of(&public);
    let key = CheckpointKey { id, public, private, created_at: machine.now() };
    let file = folder.join("checkpoints.ndjson");
    let left = Arc::new(CheckpointFile::open(&file).await.unwrap());
    Post {
        signer: Arc::new(LocalCheckpointSigner::open(&key, &sealer).unwrap()),
        outside: Arc::<CheckpointFile>::clone(&left),
        sink: left,
        file,
    }
}

/// The same for a server that starts again: what left before it reads from the file.
pub(crate) async fn reopened(post: Post) -> Post {
    let left = Arc::new(CheckpointFile::open(&post.file).await.unwrap());
    Post { outside: Arc::<CheckpointFile>::clone(&left), sink: left, ..post }
}
