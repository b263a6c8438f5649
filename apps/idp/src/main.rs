//! The idp program: hands arguments, environment and standard streams to the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request makes and drops some hundred small things, a tenth of its cost by the system's allocator
/// (ADR 0039).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn main() -> ExitCode {
    // What is not Unicode becomes a replacement character, which the configuration refuses.
    let environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()))
        .collect();
    idp::run(std::env::args_os(), environment, &mut std::io::stdout(), &mut std::io::stderr())
}
