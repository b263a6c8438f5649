//! Serves the floors on a port of this machine: `floor 3100`. 0 is any port that is free.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "whoever starts it reads when it is ready, and where")]

use anyhow::Context;
use benchmarks::floors::{Floors, floors};
use mimalloc::MiMalloc;
use tokio::net::TcpListener;

/// The server's own: what it is measured by must not be slower for that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port: u16 = std::env::args().nth(1).context("which port?")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let Floors { router, token } = floors()?;
    println!("token {token}");
    println!("ready at http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}
