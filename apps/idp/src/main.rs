//! The idp program: hands arguments, environment and standard streams to the library.

use std::process::ExitCode;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn main() -> ExitCode {
    // What is not Unicode becomes a replacement character, which the configuration refuses.
    let environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()))
        .collect();
    idp::run(std::env::args_os(), environment, &mut std::io::stdout(), &mut std::io::stderr())
}
