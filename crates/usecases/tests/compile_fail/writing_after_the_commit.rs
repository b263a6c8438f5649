// A committed transaction is finished.
use audit::{Apply, Journal, record};
use registry::AgentChange;

async fn go_on<T: Apply<AgentChange>>(tx: T, change: AgentChange) {
    let _ = tx.commit().await;
    let _ = record(tx, change).await;
}

fn main() {}
