//! `idp config check` and `idp config show`. Problems were told before either is reached.

use std::io::Write;

use super::Failure;
use crate::cli::ConfigCommand;
use crate::config::Config;

pub(super) fn run(
    command: ConfigCommand,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check => writeln!(out, "configuration is valid")?,
        ConfigCommand::Show => config.show(out)?,
    }
    Ok(())
}
