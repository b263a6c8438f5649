//! `idp migrate`. Not built yet: the composition root takes this place.

use std::io::Write;

use super::Failure;
use crate::config::Config;

pub(super) fn run(_config: &Config, _out: &mut dyn Write) -> Result<(), Failure> {
    Err(Failure::NotBuilt("migrate"))
}
