//! The log as lines that anybody can verify offline, a page at a time.

use audit::{
    LogReader, Tile, Transactor,
    export::{HashLine, LeafLine, complete_with},
    merkle::StoredHash,
};
use kernel::StoreError;
use thiserror::Error;

use crate::{caller::Caller, provider::IdentityProvider};

/// How many leaves are read at a time: what bounds the memory that an export of any length takes.
const PAGE: u32 = 500;

/// Why there are no lines.
#[derive(Debug, Error)]
pub enum ExportError {
    /// No checkpoint covers so much of the log.
    #[error("must be a whole number from 0 to {most}")]
    Position {
        /// The most that could be asked for.
        most: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far an export goes, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportCursor {
    /// The next position.
    pub next: u64,
    /// The position at which it ends: the size of a checkpoint.
    pub end: u64,
}

/// Some lines of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPage {
    /// Whole lines.
    pub bytes: Vec<u8>,
    /// Where to go on. `None` at the end.
    pub next: Option<ExportCursor>,
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: LogReader,
{
    /// Begins an export of the log of the caller's organization from this position on, up to what the
    /// newest checkpoint covers now.
    ///
    /// # Errors
    /// [`ExportError`]
    pub async fn begin_export(
        &self,
        caller: &Caller,
        from: u64,
    ) -> Result<ExportCursor, ExportError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        let end = view.log_state().await?.signed_size();
        if from > end {
            return Err(ExportError::Position { most: end });
        }
        Ok(ExportCursor { next: from, end })
    }

    /// The next lines of an export.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn export(
        &self,
        caller: &Caller,
        cursor: ExportCursor,
    ) -> Result<ExportPage, StoreError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        page(&mut view, cursor).await
    }
}

/// The next lines of an export, of whatever the store holds: it judges nothing.
///
/// # Errors
/// [`StoreError`]
pub async fn page(
    view: &mut impl LogReader,
    cursor: ExportCursor,
) -> Result<ExportPage, StoreError> {
    let most = u32::try_from(cursor.end.saturating_sub(cursor.next)).unwrap_or(PAGE).min(PAGE);
    let mut bytes = Vec::new();
    let mut next = cursor.next;
    for record in view.leaves(cursor.next, most).await? {
        let position = record.leaf.place.position;
        write_line(&LeafLine::from(&record), &mut bytes)?;
        for due in complete_with(position) {
            if let Some(stored) = stored_hash(view, position.saturating_add(1), due).await? {
                write_line(&HashLine::from(&stored), &mut bytes)?;
            }
        }
        next = next.saturating_add(1);
    }
    // Leaves that are missing end the export early, and whoever verifies it finds that out.
    let goes_on = next > cursor.next && next < cursor.end;
    Ok(ExportPage { bytes, next: goes_on.then_some(ExportCursor { next, ..cursor }) })
}

/// A stored hash. One that is missing leaves a gap in the export, which whoever verifies it finds.
async fn stored_hash(
    view: &mut impl LogReader,
    size: u64,
    (level, index): (u8, u64),
) -> Result<Option<StoredHash>, StoreError> {
    // In a tree of this size it is the last of its level.
    let Some(tile) = Tile::of_tree(size, level, index / 256) else { return Ok(None) };
    match view.tile(tile).await {
        Ok(hashes) => Ok(hashes.last().map(|hash| StoredHash { level, index, hash: *hash })),
        Err(StoreError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_line(line: &impl serde::Serialize, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
    serde_json::to_writer(&mut *bytes, line).map_err(StoreError::unavailable)?;
    bytes.push(b'\n');
    Ok(())
}
