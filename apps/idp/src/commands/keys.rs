//! `idp keys`: shows the signing keys, rotates them, and ends one that somebody else may have.

use std::io::{self, Write};

use serde_json::{Value, json};
use tokens::{KeptKeys, KeyState, SigningKey};

use super::Failure;
use crate::{
    cli::KeysCommand,
    compose::{self, ComposeError, Opened, Store},
    config::{Config, Database},
    runtime,
    storage::Storage,
};

pub(super) fn run(
    command: &KeysCommand,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let kept = match config.database() {
        Database::File(file) => {
            let storage = Storage::take(config.data_dir(), &file)?;
            runtime::run(async {
                act(command, config, compose::open_embedded(config, storage).await?).await
            })??
        }
        Database::Server(login) => runtime::run(async {
            act(command, config, compose::open_shared(config, &login).await?).await
        })??,
    };
    match command {
        KeysCommand::List { json: true } => writeln!(out, "{}", in_json(&kept))?,
        KeysCommand::List { json: false } => table(&kept, out)?,
        KeysCommand::Rotate => signs_now(&kept, out)?,
        KeysCommand::Compromise { kid } => {
            writeln!(out, "`{kid}` is believed no more, and neither is any token that it signed")?;
            signs_now(&kept, out)?;
        }
    }
    Ok(())
}

async fn act<S: Store>(
    command: &KeysCommand,
    config: &Config,
    opened: Opened<S>,
) -> Result<KeptKeys, ComposeError> {
    let Opened { foundations, behind } = opened;
    let company = behind.start();
    let acted = async {
        let platform = foundations.store.platform().await?.ok_or(ComposeError::NotFounded)?;
        let keeping = foundations.key_keeping(config, platform);
        match command {
            KeysCommand::List { .. } => keeping.list().await,
            KeysCommand::Rotate => keeping.rotate().await,
            KeysCommand::Compromise { kid } => keeping.compromise(kid).await,
        }
    }
    .await;
    drop(foundations);
    company.finish().await;
    acted
}

/// Whether the instant of a state is when it began or when it ends.
const fn instant_name(state: KeyState) -> &'static str {
    match state {
        KeyState::Retiring { .. } => "until",
        KeyState::Published { .. }
        | KeyState::Active { .. }
        | KeyState::Retired { .. }
        | KeyState::Compromised { .. } => "since",
    }
}

fn in_json(kept: &KeptKeys) -> Value {
    let key = |key: &SigningKey| {
        let state = key.state();
        json!({
            "kid": key.id().as_str(),
            "algorithm": key.algorithm().name(),
            "state": state.name(),
            instant_name(state): state.at().to_string(),
            "createdAt": key.record().created_at.to_string(),
        })
    };
    let keys: Vec<_> = kept.whole.iter().map(key).collect();
    let damaged: Vec<_> = kept
        .damaged
        .iter()
        .map(|damaged| json!({ "kid": damaged.id, "column": damaged.column, "state": damaged.state }))
        .collect();
    json!({ "keys": keys, "damaged": damaged })
}

fn table(kept: &KeptKeys, out: &mut dyn Write) -> io::Result<()> {
    for key in &kept.whole {
        let (state, algorithm) = (key.state(), key.algorithm().name());
        let (name, at) = (state.name(), state.at());
        writeln!(out, "{}  {algorithm:<5}  {name:<11}  {} {at}", key.id(), instant_name(state))?;
    }
    for damaged in &kept.damaged {
        writeln!(out, "{damaged}; its state is {}", damaged.state.unwrap_or("unreadable"))?;
    }
    if kept.whole.is_empty() && kept.damaged.is_empty() {
        writeln!(out, "there are no signing keys yet; a server that starts makes them")?;
    }
    Ok(())
}

fn signs_now(kept: &KeptKeys, out: &mut dyn Write) -> io::Result<()> {
    let active = |key: &&SigningKey| matches!(key.state(), KeyState::Active { .. });
    for key in kept.whole.iter().filter(active) {
        writeln!(out, "`{}` signs by {} from now on", key.id(), key.algorithm().name())?;
    }
    if !kept.whole.iter().any(|key| active(&key)) {
        writeln!(out, "NO KEY SIGNS NOW, so that nobody gets a token: something is in the way of")?;
        writeln!(
            out,
            "another; a running server makes one at once, or its log says why it cannot"
        )?;
    }
    Ok(())
}
