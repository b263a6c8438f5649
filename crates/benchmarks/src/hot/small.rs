//! What is small and done often: ids, scopes, what callers send, secrets, limits.

use std::{hint::black_box, path::Path};

use anyhow::{Context, ensure};
use credentials::{ClientSecret, Pepper, Peppers, PresentedSecret};
use futures_util::FutureExt;
use http_api::readers;
use kernel::{AgentId, Clock, CredentialId, Entropy, OrganizationId, ScopeSet};
use local::{LocalRateLimiter, SystemClock, SystemEntropy};
use tenancy::{Rate, RateKey, RateLimiter};

use super::Run;

/// A scope as agents ask for it.
const SCOPE: &str = "agents:read audit:read tokens:introspect";

fn id<T>(
    generate: impl Fn(kernel::Timestamp, &dyn Entropy) -> Result<T, kernel::EntropyUnavailable>,
) -> anyhow::Result<T> {
    Ok(generate(SystemClock::new().now(), &SystemEntropy::new())?)
}

pub(super) fn id_generate(_: &Path) -> anyhow::Result<Run> {
    let (now, entropy) = (SystemClock::new().now(), SystemEntropy::new());
    Ok(Box::new(move || {
        black_box(AgentId::generate(black_box(now), &entropy)?);
        Ok(())
    }))
}

pub(super) fn id_parse(_: &Path) -> anyhow::Result<Run> {
    let text = id(AgentId::generate)?.to_string();
    Ok(Box::new(move || {
        black_box(black_box(text.as_str()).parse::<AgentId>()?);
        Ok(())
    }))
}

pub(super) fn id_print(_: &Path) -> anyhow::Result<Run> {
    let id = id(AgentId::generate)?;
    Ok(Box::new(move || {
        black_box(black_box(id).to_string());
        Ok(())
    }))
}

pub(super) fn scope_parse(_: &Path) -> anyhow::Result<Run> {
    Ok(Box::new(|| {
        black_box(black_box(SCOPE).parse::<ScopeSet>()?);
        Ok(())
    }))
}

pub(super) fn scope_within(_: &Path) -> anyhow::Result<Run> {
    let asked: ScopeSet = "agents:read audit:read".parse()?;
    let grantable: ScopeSet = SCOPE.parse()?;
    Ok(Box::new(move || {
        ensure!(black_box(&asked).is_within(black_box(&grantable)), "it is within");
        Ok(())
    }))
}

/// A secret as it is given out, and as it is presented.
fn secret() -> anyhow::Result<(kernel::Secret, PresentedSecret)> {
    let secret = ClientSecret::generate(id(CredentialId::generate)?, &SystemEntropy::new())?;
    let text = secret.into_text();
    let presented = PresentedSecret::try_from(&text).ok().context("a secret of our own")?;
    Ok((text, presented))
}

pub(super) fn form_parse(_: &Path) -> anyhow::Result<Run> {
    use kernel::ExposeSecret as _;
    let (client, (secret, _)) = (id(AgentId::generate)?, secret()?);
    let form = format!(
        "grant_type=client_credentials&client_id={client}&client_secret={}&scope=agents%3Aread",
        secret.expose_secret()
    );
    Ok(Box::new(move || {
        ensure!(readers::form(black_box(form.as_bytes())).is_some(), "it is a form");
        Ok(())
    }))
}

pub(super) fn basic_parse(_: &Path) -> anyhow::Result<Run> {
    use kernel::ExposeSecret as _;
    let (client, (secret, _)) = (id(AgentId::generate)?, secret()?);
    let pair = format!("{client}:{}", secret.expose_secret());
    let sent = data_encoding::BASE64.encode(pair.as_bytes());
    Ok(Box::new(move || {
        ensure!(readers::basic(black_box(&sent)).is_some(), "it is an id and a secret");
        Ok(())
    }))
}

pub(super) fn secret_parse(_: &Path) -> anyhow::Result<Run> {
    let (text, _) = secret()?;
    Ok(Box::new(move || {
        ensure!(PresentedSecret::try_from(black_box(&text)).is_ok(), "it is a secret");
        Ok(())
    }))
}

pub(super) fn secret_verify(_: &Path) -> anyhow::Result<Run> {
    let (_, presented) = secret()?;
    let peppers = Peppers::single(Pepper::new(&[7; 32]));
    let hash = peppers.hash(&presented);
    Ok(Box::new(move || {
        ensure!(peppers.verify(black_box(&presented), black_box(&hash)), "it is the secret");
        Ok(())
    }))
}

pub(super) fn rate_admit(_: &Path) -> anyhow::Result<Run> {
    let client = RateKey::Client(id(OrganizationId::generate)?, id(AgentId::generate)?);
    let (limiter, now) = (LocalRateLimiter::new(), SystemClock::new().now());
    let rate = Rate { per_minute: u64::from(u32::MAX) };
    Ok(Box::new(move || {
        let admitted = limiter.admit(black_box(client), rate, black_box(now)).now_or_never();
        ensure!(admitted.context("it waits for nothing")??.admitted, "there is room");
        Ok(())
    }))
}
