//! `idp bootstrap`: makes the platform's first organization and its admin, and prints the admin's
//! credential, which lies in `admin.json` as well.

use std::{io::Write, path::Path};

use tenancy::Name;
use tokens::Issuer;
use usecases::bootstrap::Founded;

use super::Failure;
use crate::{
    admin_file,
    compose::{self, ComposeError, Opened, Store},
    config::{Config, Database},
    runtime,
    storage::Storage,
};

pub(super) fn run(
    config: &Config,
    organization: &str,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let name: Name = organization.parse().map_err(Failure::OrganizationName)?;
    let issuer = config.issuer_at(config.network().port)?;
    let founded = match config.database() {
        Database::File(file) => {
            let storage = Storage::take(config.data_dir(), &file)?;
            runtime::run(async {
                found(compose::open_embedded(config, storage).await?, name, &issuer).await
            })??
        }
        Database::Server(login) => runtime::run(async {
            found(compose::open_shared(config, &login).await?, name, &issuer).await
        })??,
    };
    let file = config.data_dir().join("admin.json");
    print(&founded, &issuer.join("/api/v1/token"), &file, json, out)?;
    Ok(())
}

async fn found<S: Store>(
    opened: Opened<S>,
    name: Name,
    issuer: &Issuer,
) -> Result<Founded, ComposeError> {
    let Opened { foundations, behind } = opened;
    let company = behind.start();
    let founded = foundations.found(name, issuer).await;
    drop(foundations);
    company.finish().await;
    founded
}

fn print(
    founded: &Founded,
    token_url: &str,
    file: &Path,
    json: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let content = admin_file::content(founded, token_url);
    if json {
        return writeln!(out, "{content}");
    }
    writeln!(out, "made the first organization and its admin")?;
    for (name, value) in content.as_object().into_iter().flatten() {
        writeln!(out, "  {name:<15} {}", value.as_str().unwrap_or_default())?;
    }
    writeln!(out, "the secret is shown only now, and lies in {}:", file.display())?;
    writeln!(out, "take it to where you keep secrets, and remove the file")?;
    Ok(())
}
