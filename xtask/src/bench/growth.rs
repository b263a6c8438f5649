//! What a request costs with a thousand times as much in the store.

use super::figures::Figure;
use super::workbench::Workbench;

/// Measures it.
pub(crate) fn measure(_bench: &Workbench) -> anyhow::Result<Vec<Figure>> {
    Ok(Vec::new())
}
