//! `idp migrate`: brings the schema up to date, and ends.

use std::io::Write;

use super::Failure;
use crate::{
    compose::Foundations,
    config::Config,
    data_folder::DataFolder,
    runtime::{self, RunningWriter},
};

pub(super) fn run(config: &Config, out: &mut dyn Write) -> Result<(), Failure> {
    let folder = DataFolder::take(config.data_dir())?;
    runtime::run(async {
        let (foundations, writer) = Foundations::open(config, folder).await?;
        let writer = RunningWriter::start(writer);
        drop(foundations);
        writer.finish().await;
        Ok::<_, Failure>(())
    })??;
    writeln!(out, "the schema is up to date")?;
    Ok(())
}
