// A bare change is not the right to write it.
use audit::Apply;
use registry::AgentChange;

async fn write<T: Apply<AgentChange>>(mut tx: T, change: AgentChange) {
    let _ = tx.apply(&change).await;
}

fn main() {}
