// A store writes only for an `Entry`, and nobody outside the audit crate can make one.
use audit::{Apply, Entry};
use kernel::EventId;
use registry::AgentChange;

async fn write<T: Apply<AgentChange>>(mut tx: T, change: AgentChange, event: EventId) {
    let entry = Entry { change: &change, event };
    let _ = tx.apply(entry).await;
}

fn main() {}
