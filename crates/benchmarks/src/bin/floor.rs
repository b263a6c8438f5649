//! Serves the floors on a port of this machine: `floor 3100`.
#![forbid(unsafe_code)]

use anyhow::Context;
use benchmarks::floors;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port: u16 = std::env::args().nth(1).context("which port?")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, floors::router()?).await?;
    Ok(())
}
