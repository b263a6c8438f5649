//! An event as a row of the table `audit_event`. How it goes in is each store's own: in groups.

use audit::{EventRecord, LoggedEvent, Place, Resource, entry::Salt};
use kernel::{AgentId, CredentialId, EventId, OrganizationId, RequestId, StoreError};
use tenancy::{Origin, UserAgent};
use uuid::Uuid;

use crate::cells::{Cells, Columns};

/// The table.
pub const TABLE: &str = "audit_event";

/// Reads an event back.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn read(row: &impl Cells) -> Result<EventRecord, StoreError> {
    let row = Columns::of(TABLE, row);
    let (origin, salt) = origin(&row)?;
    Ok(EventRecord {
        id: row.id("id", EventId::from_uuid)?,
        organization: row.id("organization_id", OrganizationId::from_uuid)?,
        agent: row.optional_id("agent_id", AgentId::from_uuid)?,
        action: row.parsed("action")?,
        outcome: row.parsed("outcome")?,
        resource: resource(&row)?,
        origin,
        used: row.optional_id("used_credential_id", CredentialId::from_uuid)?,
        salt,
        metadata: row.object("metadata")?,
        timestamp: row.time("occurred_at")?,
    })
}

/// Reads an event back with its place, as `place` and `out_of_order` tell it.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn read_logged(row: &impl Cells) -> Result<LoggedEvent, StoreError> {
    let columns = Columns::of(TABLE, row);
    let place = match columns.optional_count("place")? {
        Some(position) => Some(Place { position, out_of_order: columns.flag("out_of_order")? }),
        None => None,
    };
    Ok(LoggedEvent { event: read(row)?, place })
}

/// The request, and what hides the personal data in it. Personal data without a salt is none that the
/// log ever held: the two go together, and nothing would tell that somebody put it there.
fn origin(row: &Columns<'_, impl Cells>) -> Result<(Origin, Option<Salt>), StoreError> {
    let request =
        RequestId::parse(row.text("request_id")?).ok_or_else(|| row.corrupt("request_id"))?;
    let address = row.optional_parsed("address")?;
    let user_agent = row.optional_text("user_agent")?;
    let salt = salt(row)?;
    if salt.is_none() && (address.is_some() || user_agent.is_some()) {
        return Err(row.corrupt("salt"));
    }
    let user_agent = user_agent.and_then(UserAgent::new);
    Ok((Origin { request, address, user_agent }, salt))
}

fn salt(row: &Columns<'_, impl Cells>) -> Result<Option<Salt>, StoreError> {
    let salt = row.optional_bytes("salt")?;
    salt.map(|salt| salt.try_into().map_err(|_| row.corrupt("salt"))).transpose()
}

fn resource(row: &Columns<'_, impl Cells>) -> Result<Option<Resource>, StoreError> {
    match (row.optional_parsed("resource_kind")?, row.optional_text("resource_id")?) {
        (Some(kind), Some(id)) => Ok(Some(Resource { kind, id: id.to_owned() })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(row.corrupt("resource_id")),
    }
}

/// The smallest UUID of a millisecond, of version 7 or not. An event's id and its time come from one
/// reading of the clock, so that an index on ids finds a window of time without walking over all
/// that is newer.
#[must_use]
pub fn first_id_of(millis: u64) -> Uuid {
    Uuid::from_u128(u128::from(millis) << 80)
}
