// An event reaches the journal only through `record` or `note`.
use audit::{Draft, Event, Journal};

async fn append<T: Journal>(mut tx: T, event: Event) {
    let _ = tx.append(Draft { event: &event }).await;
}

fn main() {}
