// What is opened to read has no way to write.
use audit::{Transactor, record};
use kernel::OrganizationId;
use registry::{AgentChange, Agents};

async fn write<S>(store: S, organization: OrganizationId, change: AgentChange)
where
    S: Transactor,
    S::View: Agents,
{
    if let Ok(view) = store.view(organization).await {
        let _ = record(view, change).await;
    }
}

fn main() {}
