//! Reading the audit log, and proving what is in it.

mod checkpoint;
mod export;
mod get;
mod list;
mod proof;
mod tile;

pub use export::{ExportCursor, ExportError, ExportPage, page as export_page};
pub use get::GetEventError;
pub use proof::{ConsistencyProof, InclusionProof, ProofError, SizeField};
pub use tile::TileError;
