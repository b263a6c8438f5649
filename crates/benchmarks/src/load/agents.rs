//! Registers agents, each with a secret.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use serde::Deserialize;
use serde_json::json;

use super::{
    Connection,
    requests::{Client, ask, post},
    share,
};

/// Requests in flight: an organization's changes are made one after the other, so more would only wait.
const THREADS: usize = 4;

/// What the admin needs for it.
const SCOPE: &str = "agents:write credentials:write";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Agent {
    agent_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    client_secret: String,
}

/// Registers so many agents, on behalf of the admin (`id secret`), and writes a line with the id and the
/// secret of each into the file. They may read agents.
///
/// # Errors
/// Where one is refused, and where the file cannot be written.
pub fn make(url: &str, admin: &str, count: usize, file: &Path) -> anyhow::Result<()> {
    let token = Client::of(admin)?.token(&mut Connection::open(url)?, SCOPE)?;
    let lines = Mutex::new(Vec::new());
    share(url, THREADS, count, |server, number| {
        let line = make_one(server, &token, number)?;
        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Ok(())
    })?;
    let lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
    fs::write(file, lines.join("\n")).with_context(|| format!("writing `{}`", file.display()))
}

fn make_one(server: &mut Connection, token: &str, number: usize) -> anyhow::Result<String> {
    let json = "application/json";
    let body = json!({
        "email": format!("agent-{number}@agents.example.com"),
        "agentType": "custom",
        "version": "1.0.0",
        "capabilities": ["resume:read"],
        "owner": "benchmarks",
        "deploymentEnv": "production",
        "roles": ["auditor"],
    });
    let request = post("/api/v1/agents", json, Some(token), &body.to_string());
    let Agent { agent_id } = ask(server, &request).context("registering an agent")?;
    let path = format!("/api/v1/agents/{agent_id}/credentials");
    let request = post(&path, json, Some(token), "{}");
    let Credential { client_secret } = ask(server, &request).context("making a credential")?;
    Ok(format!("{agent_id} {client_secret}"))
}
