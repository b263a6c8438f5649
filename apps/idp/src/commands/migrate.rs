//! `idp migrate`: brings the schema up to date, on PostgreSQL the roles too, and ends.

use std::io::Write;

use super::Failure;
use crate::{
    compose::{self, ComposeError},
    config::{Config, Database},
    runtime,
    storage::Storage,
};

pub(super) fn run(config: &Config, out: &mut dyn Write) -> Result<(), Failure> {
    match config.database() {
        Database::File(file) => {
            let storage = Storage::take(config.data_dir(), &file)?;
            runtime::run(async {
                // Opening brings it up to date.
                let opened = compose::open_embedded(config, storage).await?;
                let company = opened.behind.start();
                drop(opened.foundations);
                company.finish().await;
                Ok::<_, ComposeError>(())
            })??;
        }
        Database::Server(login) => {
            runtime::run(postgres_store::migrate(&login))?.map_err(ComposeError::from)?;
        }
    }
    writeln!(out, "the schema is up to date")?;
    Ok(())
}
