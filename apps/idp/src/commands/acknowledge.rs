//! `idp audit acknowledge`: lets an audit log go on that was halted, since an operator knows why it
//! went back or was changed.

use std::io::Write;

use kernel::OrganizationId;

use super::Failure;
use crate::{
    compose::{self, ComposeError, Opened, Store},
    config::{Config, Database},
    runtime,
    storage::Storage,
};

pub(super) fn run(
    config: &Config,
    organization: OrganizationId,
    reason: &str,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let found = match config.database() {
        Database::File(file) => {
            let storage = Storage::take(config.data_dir(), &file)?;
            runtime::run(async {
                let opened = compose::open_embedded(config, storage).await?;
                acknowledge(opened, config, organization, reason).await
            })??
        }
        Database::Server(login) => runtime::run(async {
            let opened = compose::open_shared(config, &login).await?;
            acknowledge(opened, config, organization, reason).await
        })??,
    };
    writeln!(out, "acknowledged: {found}")?;
    writeln!(
        out,
        "the log of `{organization}` goes on; whoever holds an older checkpoint still finds out"
    )?;
    Ok(())
}

async fn acknowledge<S: Store>(
    opened: Opened<S>,
    config: &Config,
    organization: OrganizationId,
    reason: &str,
) -> Result<String, ComposeError> {
    let Opened { foundations, behind } = opened;
    let company = behind.start();
    let found = foundations.acknowledge(config, organization, reason).await;
    drop(foundations);
    company.finish().await;
    found
}
