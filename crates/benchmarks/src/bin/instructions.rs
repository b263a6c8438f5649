//! Runs one hot function so many times, for callgrind to count what it does: `instructions NAME TIMES
//! FOLDER`. What it prepares is kept in the folder, so that a second start finds it; `instructions`
//! alone lists what there is.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it prints its list")]

use std::path::Path;

use anyhow::Context;
use benchmarks::hot::{HOT, Hot};

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
    (0..times).try_for_each(|_| run())
}
