//! A log as rows: of `audit_log` how far it has come, of `audit_leaf` its leaves, of
//! `checkpoint_key` what signs it.

use audit::{
    Checkpoint, CheckpointKey, Hash, LogState, Place, SealedCheckpointKey, SignedCheckpoint,
    Trimmed,
    sequence::{Leaf, LeafRecord},
    trim::Erasure,
};
use kernel::{EventId, StoreError};

use crate::{
    cells::{Cells, Columns},
    event,
};

/// The table of how far each log has come.
pub const TABLE: &str = "audit_log";

/// The table of leaves.
pub const LEAVES: &str = "audit_leaf";

/// The table of stored hashes above the leaves.
pub const STORED_HASHES: &str = "audit_stored_hash";

/// The table of events that have no place yet.
pub const PENDING: &str = "audit_pending";

/// The table of keys that sign checkpoints.
pub const KEYS: &str = "checkpoint_key";

/// Reads how far a log has come: `origin, size, latest_at, signed_size, signed_note, delivered,
/// exported, content_before, personal_data_before, halted`.
///
/// The checkpoint is read and not verified: whoever signs on top of it must do that.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn state(row: &impl Cells) -> Result<LogState, StoreError> {
    let row = Columns::of(TABLE, row);
    Ok(LogState {
        origin: row.optional_parsed("origin")?,
        size: row.count("size")?,
        latest: row.optional_time("latest_at")?,
        signed: signed(&row)?,
        delivered: row.count("delivered")?,
        exported: row.count("exported")?,
        trimmed: Trimmed {
            content: row.count("content_before")?,
            personal_data: row.count("personal_data_before")?,
        },
        halted: row.optional_text("halted")?.map(str::to_owned),
    })
}

/// Reads how far a log may be erased, and is: `content_before, personal_data_before, content_erased,
/// personal_data_erased`.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn erasure(row: &impl Cells) -> Result<Erasure, StoreError> {
    let row = Columns::of(TABLE, row);
    let trimmed = |content, personal_data| {
        let (content, personal_data) = (row.count(content)?, row.count(personal_data)?);
        Ok::<_, StoreError>(Trimmed { content, personal_data })
    };
    Ok(Erasure {
        may: trimmed("content_before", "personal_data_before")?,
        is: trimmed("content_erased", "personal_data_erased")?,
    })
}

/// The column beside the note is what statements compare. Where the two differ, one was tampered
/// with.
fn signed(row: &Columns<'_, impl Cells>) -> Result<Option<SignedCheckpoint>, StoreError> {
    let size = row.count("signed_size")?;
    let Some(note) = row.optional_text("signed_note")? else {
        return if size == 0 { Ok(None) } else { Err(row.corrupt("signed_note")) };
    };
    let claimed = Checkpoint::claimed(note).ok().filter(|claimed| claimed.size == size);
    let checkpoint = claimed.ok_or_else(|| row.corrupt("signed_note"))?;
    Ok(Some(SignedCheckpoint { checkpoint, note: note.to_owned() }))
}

/// Reads a leaf: `place, event_id, commitment, hash, out_of_order`, where `place` is its position.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn leaf(row: &impl Cells) -> Result<Leaf, StoreError> {
    let row = Columns::of(LEAVES, row);
    Ok(Leaf {
        place: Place { position: row.count("place")?, out_of_order: row.flag("out_of_order")? },
        event: row.id("event_id", EventId::from_uuid)?,
        commitment: Hash::from_bytes(row.bytes("commitment")?),
        hash: Hash::from_bytes(row.bytes("hash")?),
    })
}

/// Reads a leaf with its event: what [`leaf`] reads, all columns of the event, and `erased_at`, from
/// a join that also gives leaves whose event is not there. An event that cannot be read counts as one
/// that is not there: the leaf still is, and whoever exports the log must come past it.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn leaf_record(row: &impl Cells) -> Result<LeafRecord, StoreError> {
    let columns = Columns::of(event::TABLE, row);
    let is_there = columns.optional_id("id", EventId::from_uuid)?.is_some();
    let is_erased = columns.optional_number("erased_at")?.is_some();
    let event = if is_there && !is_erased { event::read(row).ok() } else { None };
    Ok(LeafRecord { leaf: leaf(row)?, event })
}

/// Reads stored hashes of a run: `index, hash` each, from the index `first` on and exactly so many,
/// in order and without a gap.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn stored_hashes<R: Cells>(
    table: &'static str,
    (first, width): (u64, u16),
    rows: &[R],
) -> Result<Vec<Hash>, StoreError> {
    let expected = first..first.saturating_add(u64::from(width));
    if rows.len() != usize::from(width) {
        return Err(StoreError::Corrupt { table, column: "hash" });
    }
    let pairs = expected.zip(rows.iter().map(|row| Columns::of(table, row)));
    let hash = |(index, row): (u64, Columns<'_, R>)| {
        if row.count("index")? != index {
            return Err(row.corrupt("index"));
        }
        Ok(Hash::from_bytes(row.bytes("hash")?))
    };
    pairs.map(hash).collect()
}

/// Reads a key: `id, public_key, private_key, created_at`.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn checkpoint_key(row: &impl Cells) -> Result<CheckpointKey, StoreError> {
    let row = Columns::of(KEYS, row);
    let public = row.bytes("public_key")?;
    let id = CheckpointKey::id_of(&public);
    // The id is computed from the public half: another one is a row that was tampered with.
    if id != row.text("id")? {
        return Err(row.corrupt("id"));
    }
    let private = SealedCheckpointKey::new(row.all_bytes("private_key")?.to_vec());
    Ok(CheckpointKey { id, public, private, created_at: row.time("created_at")? })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// A stored hash of this index.
    struct Stored(i64);

    impl Cells for Stored {
        fn id(&self, _: &'static str) -> Option<Option<Uuid>> {
            None
        }

        fn text(&self, _: &'static str) -> Option<Option<&str>> {
            None
        }

        fn number(&self, column: &'static str) -> Option<Option<i64>> {
            (column == "index").then_some(Some(self.0))
        }

        fn flag(&self, _: &'static str) -> Option<bool> {
            None
        }

        fn bytes(&self, column: &'static str) -> Option<Option<&[u8]>> {
            (column == "hash").then_some(Some(&[7; 32]))
        }

        fn names(&self, _: &'static str) -> Option<Vec<String>> {
            None
        }
    }

    #[test]
    fn a_run_of_stored_hashes_is_whole_and_in_order_or_told() {
        let read = |rows: &[i64]| {
            let rows: Vec<_> = rows.iter().map(|index| Stored(*index)).collect();
            stored_hashes(LEAVES, (256, 3), &rows)
        };
        assert_eq!(read(&[256, 257, 258]).unwrap().len(), 3);
        for rows in [&[256, 257][..], &[256, 257, 259], &[257, 256, 258], &[256, 257, 258, 259]] {
            assert!(matches!(read(rows), Err(StoreError::Corrupt { .. })), "{rows:?}");
        }
    }
}
