//! The audit log.

pub(crate) mod checkpoint;
pub(crate) mod consistency;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod proof;
pub(crate) mod tile;
