//! The guarantee on a toy store: a change reaches the rows only together with its event.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use audit::{Apply, Audited, Draft, Entry, Event, Journal, Stamp, record};
use kernel::{Entropy, EntropyUnavailable, EventId, OrganizationId, StoreError, Timestamp};
use tenancy::{Actor, Kind, Organization, OrganizationChange, Origin, Plan, Scope};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(7);
        Ok(())
    }
}

struct Memory {
    scope: Scope,
    now: Timestamp,
    lines: Vec<String>,
}

impl Journal for Memory {
    async fn append(&mut self, draft: Draft<'_>) -> Result<EventId, StoreError> {
        let stamp = Stamp::new(self.now, &Fixed)?;
        let event = draft.stamp(&self.scope, stamp);
        self.lines.push(format!("event {}", event.action.name()));
        Ok(stamp.id())
    }

    async fn commit(self) -> Result<(), StoreError> {
        assert_eq!(self.lines, ["event organization.created", "row acme"]);
        Ok(())
    }
}

impl Apply<OrganizationChange> for Memory {
    async fn apply(&mut self, entry: Entry<'_, OrganizationChange>) -> Result<(), StoreError> {
        self.lines.push(format!("row {}", entry.change().after().record().slug.as_str()));
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let id = OrganizationId::generate(now, &Fixed)?;
    let names = ("Acme".parse()?, "acme".parse()?);
    let change = Organization::found(id, names, (Kind::Tenant, Plan::Free), now);
    let _: Event = change.event();

    let work = pin!(async {
        let scope = Scope::new(id, Actor::System, Origin::internal());
        let (tx, organization) = record(Memory { scope, now, lines: Vec::new() }, change).await?;
        tx.commit().await?;
        Ok::<_, StoreError>(organization)
    });
    // Nothing here ever waits, so one poll is enough and no runtime is needed.
    match work.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(organization) => assert_eq!(organization?.id(), id),
        Poll::Pending => return Err("the toy store never waits".into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs() {
        super::main().unwrap();
    }
}
