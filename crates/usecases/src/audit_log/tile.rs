//! Tiles of the log, as C2SP tlog-tiles has them.

use audit::{
    LogReader, Tile, Tiles, Transactor, entry,
    merkle::{TileLevel, TilePath},
};
use kernel::StoreError;
use thiserror::Error;

use crate::{caller::Caller, provider::IdentityProvider};

/// Why there is no tile.
#[derive(Debug, Error)]
pub enum TileError {
    /// The log is not as long, or the content of one of the entries is erased.
    #[error("there is no such tile")]
    Absent,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: LogReader,
{
    /// The bytes of a tile: hashes one after the other, or entries, each behind its length in 16 bits.
    /// Only what a checkpoint covers is there.
    ///
    /// # Errors
    /// [`TileError`]
    pub async fn tile(&self, caller: &Caller, path: TilePath) -> Result<Vec<u8>, TileError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        let size = view.log_state().await?.signed_size();
        match path.level {
            TileLevel::Hashes(level) => {
                let tile = Tile::of_tree(size, level, path.index).ok_or(TileError::Absent)?;
                let tile = tile.narrowed(path.width).ok_or(TileError::Absent)?;
                let hashes = view.tile(tile).await?;
                Ok(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
            }
            TileLevel::Entries => {
                let tile = Tile::of_tree(size, 0, path.index).ok_or(TileError::Absent)?;
                let tile = tile.narrowed(path.width).ok_or(TileError::Absent)?;
                entries(&mut view, tile).await
            }
        }
    }
}

async fn entries(view: &mut impl LogReader, tile: Tile) -> Result<Vec<u8>, TileError> {
    let mut bundle = Vec::new();
    let leaves = view.leaves(tile.first(), u32::from(tile.width())).await?;
    for record in leaves {
        let event = record.event.ok_or(TileError::Absent)?;
        let place = record.leaf.place;
        let bytes = entry::bytes_of(&event, record.leaf.commitment, place.out_of_order);
        // Metadata is bounded, so that an entry always fits.
        let length = u16::try_from(bytes.len()).map_err(|_| TileError::Absent)?;
        bundle.extend(length.to_be_bytes());
        bundle.extend(bytes);
    }
    Ok(bundle)
}
