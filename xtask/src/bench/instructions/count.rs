//! What callgrind has counted, read from what it writes.

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::profile::calls;

/// What one call costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) instructions: f64,
    /// Also those of the libraries that are not written in Rust.
    pub(crate) allocations: f64,
}

/// What takes memory: the program's own allocator, and the system's for what is not written in Rust.
/// `realloc` may take some, and may only let it grow.
const ALLOCATORS: [&str; 10] = [
    "mi_malloc",
    "mi_malloc_aligned",
    "mi_realloc",
    "mi_realloc_aligned",
    "mi_zalloc",
    "mi_zalloc_aligned",
    "malloc",
    "calloc",
    "realloc",
    "posix_memalign",
];

impl Count {
    /// Of a function that ran so many times.
    pub(crate) fn of(written: &str, times: u32) -> anyhow::Result<Self> {
        let total = written.lines().find_map(|line| line.strip_prefix("totals: "));
        let total: f64 = total.context("callgrind wrote no total")?.trim().parse()?;
        let allocations: f64 = calls(written)
            .filter(|call| ALLOCATORS.contains(&call.callee) && !is_of_an_allocator(call.caller))
            .fold(0.0, |sum, call| sum + call.times);
        let times = f64::from(times);
        Ok(Self { instructions: total / times, allocations: allocations / times })
    }
}

/// One call of an allocator may go through several functions of it.
fn is_of_an_allocator(function: &str) -> bool {
    ALLOCATORS.contains(&function) || function.trim_start_matches('_').starts_with("mi_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "# callgrind format\nevents: Ir\n\nfn=(1) instructions::measured\n10 5\n\
                           cfn=(2) malloc\ncalls=20 30\n10 400\n\nfn=(2)\n30 400\ncfn=(3) calloc\n\
                           calls=7 9\n30 1\n\nfn=(4) other\n1 2\ncfn=(2)\ncalls=10 30\n1 3\n\
                           totals: 12345\n";

    #[test]
    fn instructions_and_allocations_are_told_of_one_call() {
        let count = Count::of(WRITTEN, 10).unwrap();
        assert_eq!(count, Count { instructions: 1_234.5, allocations: 3.0 });
    }

    #[test]
    fn what_has_no_total_was_cut_short() {
        assert!(Count::of("# callgrind format\nevents: Ir\n", 10).is_err());
    }
}
