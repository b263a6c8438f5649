// After an error there is no transaction left to commit: it has moved into `record`.
use audit::{Apply, Journal, record};
use registry::AgentChange;

async fn go_on<T: Apply<AgentChange>>(tx: T, change: AgentChange) {
    if record(tx, change).await.is_err() {
        let _ = tx.commit().await;
    }
}

fn main() {}
