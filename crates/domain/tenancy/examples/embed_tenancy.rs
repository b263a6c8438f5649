//! An organization without any store: founded, suspended, judged.

use kernel::{Entropy, EntropyUnavailable, OrganizationId, Standing, Timestamp};
use tenancy::{Kind, Organization, Plan};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(7);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let id = OrganizationId::generate(now, &Fixed)?;
    let names = ("Acme".parse()?, "acme".parse()?);
    let change = Organization::found(id, names, (Kind::Tenant, Plan::Free), now);
    let organization = change.into_after();
    assert_eq!(organization.standing(), Standing::GOOD);

    let suspended = organization.suspend(now).ok_or("it was active")?;
    assert_eq!(suspended.after().standing(), Standing::Ended);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs() {
        super::main().unwrap();
    }
}
