//! Tiles: the hashes of a tree in rows of 256, as C2SP tlog-tiles numbers them.

use std::{fmt, future::Future, str::FromStr};

use kernel::StoreError;
use thiserror::Error;

use super::Hash;

/// How many levels of the tree one tile spans.
pub(super) const HEIGHT: u32 = 8;

/// How many hashes a full tile has.
pub(super) const WIDTH: u64 = 256;

/// How far up tiles go. A tree of 2^64 leaves has no more.
pub(super) const LEVELS: u8 = 8;

/// A run of stored hashes from the start of a tile on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile at this place, as wide as it is in a tree of this size. `None` where it is empty
    /// there.
    #[must_use]
    pub fn of_tree(size: u64, level: u8, index: u64) -> Option<Self> {
        let here = hashes_of_level(size, level).checked_sub(index.checked_mul(WIDTH)?)?;
        let width = u16::try_from(here.min(WIDTH)).ok().filter(|width| *width > 0)?;
        Some(Self { level, index, width })
    }

    /// The first so many of its hashes. `None` where it has fewer.
    #[must_use]
    pub const fn narrowed(self, width: u16) -> Option<Self> {
        if width == 0 || width > self.width { None } else { Some(Self { width, ..self }) }
    }

    /// How high it lies: 0 has the leaves.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.level
    }

    /// The place of its first hash on its level.
    #[must_use]
    pub const fn first(self) -> u64 {
        self.index.saturating_mul(WIDTH)
    }

    /// How many hashes it has: 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }
}

/// How many hashes a tree of this size stores on a level.
pub(super) const fn hashes_of_level(size: u64, level: u8) -> u64 {
    // No `from` in a constant function.
    match size.checked_shr(level as u32 * HEIGHT) {
        Some(hashes) => hashes,
        None => 0,
    }
}

/// The stored hashes of one log.
pub trait Tiles: Send {
    /// The hashes of a tile, which the caller knows to be there, in order.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where one is missing.
    fn tile(&mut self, tile: Tile) -> impl Future<Output = Result<Vec<Hash>, StoreError>> + Send;
}

/// What a tile's path names besides its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileLevel {
    /// The hashes of a level.
    Hashes(u8),
    /// The entries under the leaves.
    Entries,
}

/// The path of a tile below `tile/`, such as `0/x001/x234/067.p/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilePath {
    /// Hashes or entries.
    pub level: TileLevel,
    /// Which tile of the level.
    pub index: u64,
    /// How many hashes or entries: 1 to 256.
    pub width: u16,
}

/// Text that is no path of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be the path of a tile, such as `0/x001/234` or `0/000.p/17`")]
pub struct InvalidTilePath;

impl FromStr for TilePath {
    type Err = InvalidTilePath;

    fn from_str(text: &str) -> Result<Self, InvalidTilePath> {
        let (level, rest) = text.split_once('/').ok_or(InvalidTilePath)?;
        let level = match level {
            "entries" => TileLevel::Entries,
            level => TileLevel::Hashes(number(level, 63)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, number(width, 255)?),
            None => (rest, 256),
        };
        if width == 0 {
            return Err(InvalidTilePath);
        }
        Ok(Self { level, index: index_of(index)?, width })
    }
}

/// A decimal number without leading zeroes.
fn number<T: FromStr + PartialOrd + Copy>(text: &str, most: T) -> Result<T, InvalidTilePath> {
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let number = text.parse().ok().filter(|number| is_plain && *number <= most);
    number.ok_or(InvalidTilePath)
}

/// An index in elements of three digits, all but the last behind an `x`, without an element too many.
fn index_of(text: &str) -> Result<u64, InvalidTilePath> {
    let mut index: u64 = 0;
    let mut elements = text.split('/').peekable();
    let several = text.contains('/');
    let mut first = true;
    while let Some(element) = elements.next() {
        let digits = match (elements.peek(), element.strip_prefix('x')) {
            (Some(_), Some(digits)) => digits,
            (None, None) => element,
            (Some(_), None) | (None, Some(_)) => return Err(InvalidTilePath),
        };
        let is_three = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_three || (several && first && digits == "000") {
            return Err(InvalidTilePath);
        }
        let value: u64 = digits.parse().map_err(|_| InvalidTilePath)?;
        index = index
            .checked_mul(1_000)
            .and_then(|index| index.checked_add(value))
            .ok_or(InvalidTilePath)?;
        first = false;
    }
    Ok(index)
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            TileLevel::Hashes(level) => write!(f, "{level}/")?,
            TileLevel::Entries => f.write_str("entries/")?,
        }
        write_index(self.index / 1_000, f)?;
        write!(f, "{:03}", self.index % 1_000)?;
        if u64::from(self.width) < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

fn write_index(above: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if above == 0 {
        return Ok(());
    }
    write_index(above / 1_000, f)?;
    write!(f, "x{:03}/", above % 1_000)
}
