//! Events as the lines that files and standard output have alike.

use audit::{LogOrigin, cloud_event::CloudEvent, sequence::LeafRecord};

use crate::error::OutletError;

/// The lines of events; those whose content is erased have none.
pub(crate) fn lines_of(issuer: &str, leaves: &[LeafRecord]) -> Result<String, OutletError> {
    let mut lines = String::new();
    for record in leaves {
        let Some(event) = &record.event else { continue };
        let origin = LogOrigin::new(issuer, event.organization);
        let origin = origin.map_err(|error| OutletError::Event(error.into()))?;
        if let Some(event) = CloudEvent::of(&origin, record) {
            lines += &event.to_line().map_err(|error| OutletError::Event(error.into()))?;
        }
    }
    Ok(lines)
}
