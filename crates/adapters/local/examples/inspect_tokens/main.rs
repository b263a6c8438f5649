//! Issues a great many tokens, and looks at each of them (TE-07).
//!
//! ```sh
//! cargo run --release --package local --example inspect_tokens 1000000
//! ```
#![expect(clippy::print_stdout, reason = "it tells what it found")]

use kernel::Clock;
use local::SystemClock;

mod inspection;

fn main() -> Result<(), inspection::Failure> {
    let count = std::env::args().nth(1).map_or(Ok(20_000), |count| count.parse())?;
    let clock = SystemClock::new();
    let started = clock.now();
    inspection::inspect(count)?;
    let took = clock.now().since(started);
    println!("{count} tokens issued and inspected in {:.1} s", took.as_secs_f64());
    Ok(())
}
