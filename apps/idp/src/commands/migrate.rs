//! `idp migrate`: brings the schema up to date, and ends.

use std::io::Write;

use super::Failure;
use crate::{
    compose::Foundations,
    config::Config,
    runtime::{self, RunningWriter},
    storage::Storage,
};

pub(super) fn run(config: &Config, out: &mut dyn Write) -> Result<(), Failure> {
    let storage = Storage::take(config.data_dir(), &config.database_file())?;
    runtime::run(async {
        let (foundations, writer) = Foundations::open(config, storage).await?;
        let writer = RunningWriter::start(writer);
        let storage = foundations.release();
        writer.finish().await;
        drop(storage);
        Ok::<_, Failure>(())
    })??;
    writeln!(out, "the schema is up to date")?;
    Ok(())
}
