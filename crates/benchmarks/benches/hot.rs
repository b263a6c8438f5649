//! How long the hot functions take.
#![expect(clippy::expect_used, reason = "a failure is no measurement")]

use benchmarks::hot::HOT;
use criterion::Criterion;
use mimalloc::MiMalloc;
use std::time::Duration;

/// The server's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for hot in HOT {
        let folder = tempfile::tempdir().expect("a folder");
        // Prepared where it is asked for, and only there.
        let mut run = None;
        criterion.bench_function(hot.name, |bencher| {
            let run = run.get_or_insert_with(|| hot.prepare(folder.path()).expect("inputs"));
            bencher.iter(|| run().expect("it goes well"));
        });
    }
    criterion.final_summary();
}
