//! Runs one hot function so many times, for callgrind to count what it does: `instructions NAME TIMES
//! FOLDER`. What it prepares is kept in the folder, so that a second start finds it; `instructions`
//! alone lists what there is.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it prints its list")]

use std::path::Path;

use anyhow::Context;
use benchmarks::hot::{HOT, Hot, Run};
use mimalloc::MiMalloc;

/// The server's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How often a function runs before it is measured. Whatever is done once in a process is done then;
/// the library that signs alone gathers entropy for 400 million instructions at its first signature.
const BEFORE: u32 = 10;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        HOT.iter().for_each(|hot| println!("{}\t{}", hot.name, hot.does));
        return Ok(());
    };
    let hot = Hot::named(&name).with_context(|| format!("`{name}` is no hot function"))?;
    let times: u32 = arguments.next().context("how many times?")?.parse()?;
    let folder = arguments.next().context("in which folder?")?;
    let mut run = hot.prepare(Path::new(&folder))?;
    (0..BEFORE).try_for_each(|_| run())?;
    let done = measured(&mut run, times);
    // Not taken down, which would be counted as well.
    std::mem::forget(run);
    done
}

/// What is counted: callgrind is told to begin where this is entered.
#[inline(never)]
fn measured(run: &mut Run, times: u32) -> anyhow::Result<()> {
    (0..times).try_for_each(|_| run())
}
