//! Who calls, and tokens: making, signing, reading and judging them.

use std::{collections::BTreeSet, hint::black_box, path::Path, sync::Arc};

use anyhow::{Context, ensure};
use futures_util::FutureExt;
use kernel::{AgentId, Clock, CredentialId, ExposeSecret, OrganizationId, Standing, Timestamp};
use local::{KeyRing, LocalKeyFactory, Sealer, SystemClock, SystemEntropy};
use tokens::{
    Algorithm, Client, KeyFactory, Lifetime, Signer, SigningKey, TokenPolicy, TokenRequest,
    UnsignedToken, VerifiedToken, VerifiedTokens,
    issue::{GRANT_TYPE, issue},
    judge::Facts,
    jws,
};

use super::{
    Run,
    world::{World, grant, origin, shown},
};

/// Who issues; the port is one that is bound nowhere.
const ISSUER: &str = "http://127.0.0.1:3000";

pub(super) fn client_authenticate(folder: &Path) -> anyhow::Result<Run> {
    let world = World::open(folder, Algorithm::Es256)?;
    let (presented, origin) = (world.presented(), origin());
    world.client()?;
    Ok(Box::new(move || {
        let client = world.provider.authenticate_client(black_box(&presented), &origin);
        black_box(world.block_on(client)?);
        Ok(())
    }))
}

pub(super) fn bearer_authenticate(folder: &Path) -> anyhow::Result<Run> {
    let world = World::open(folder, Algorithm::Es256)?;
    let (token, origin) = (shown(world.token()?), origin());
    Ok(Box::new(move || {
        let bearer = world.provider.authenticate_bearer(black_box(&token), &origin);
        black_box(world.block_on(bearer)?);
        Ok(())
    }))
}

/// A client that may ask for what it asks for.
fn client() -> anyhow::Result<Client> {
    let (now, entropy) = (SystemClock::new().now(), SystemEntropy::new());
    Ok(Client {
        agent: AgentId::generate(now, &entropy)?,
        organization: OrganizationId::generate(now, &entropy)?,
        agent_type: "custom",
        credential: CredentialId::generate(now, &entropy)?,
        grantable: "agents:read audit:read tokens:introspect".parse()?,
        standing: Standing::Good { not_before: None },
        dpop_bound: false,
    })
}

/// Makes what a token of this client is to say.
fn maker(client: Client) -> anyhow::Result<impl Fn(Timestamp) -> anyhow::Result<UnsignedToken>> {
    let policy = TokenPolicy { issuer: ISSUER.parse()?, lifetime: Lifetime::default() };
    let (entropy, registered) = (SystemEntropy::new(), BTreeSet::new());
    let scope = grant().scope;
    Ok(move |now| {
        let request = TokenRequest::parse(GRANT_TYPE, black_box(scope.as_deref()), [])?;
        Ok(issue(request, &client, &registered, &policy, now, &entropy)?)
    })
}

pub(super) fn claims(_: &Path) -> anyhow::Result<Run> {
    let (make, now) = (maker(client()?)?, SystemClock::new().now());
    Ok(Box::new(move || {
        black_box(make(black_box(now))?);
        Ok(())
    }))
}

pub(super) fn sign_es256(folder: &Path) -> anyhow::Result<Run> {
    sign(folder, Algorithm::Es256)
}

pub(super) fn sign_eddsa(folder: &Path) -> anyhow::Result<Run> {
    sign(folder, Algorithm::EdDsa)
}

pub(super) fn sign_rs256(folder: &Path) -> anyhow::Result<Run> {
    sign(folder, Algorithm::Rs256)
}

fn sign(folder: &Path, algorithm: Algorithm) -> anyhow::Result<Run> {
    let world = World::open(folder, algorithm)?;
    let unsigned = maker(client()?)?(SystemClock::new().now())?;
    let (key, signs) = world.provider.signer().active().context("a key that signs")?;
    ensure!(signs == algorithm, "another algorithm signs");
    Ok(Box::new(move || {
        let signed = unsigned.sign((&key, algorithm), world.provider.signer());
        black_box(world.block_on(signed)?);
        Ok(())
    }))
}

pub(super) fn read(folder: &Path) -> anyhow::Result<Run> {
    let world = World::open(folder, Algorithm::Es256)?;
    let (token, issuer) = (world.token()?, ISSUER.parse()?);
    Ok(Box::new(move || {
        let token = black_box(token.expose_secret());
        black_box(jws::verify(token, &issuer, world.provider.signer())?);
        Ok(())
    }))
}

pub(super) fn known(folder: &Path) -> anyhow::Result<Run> {
    let world = World::open(folder, Algorithm::Es256)?;
    let (token, issuer, now) = (world.token()?, ISSUER.parse()?, SystemClock::new().now());
    let verified = VerifiedTokens::new();
    Ok(Box::new(move || {
        let token = black_box(token.expose_secret());
        black_box(verified.verify(token, &issuer, (world.provider.signer(), now))?);
        Ok(())
    }))
}

pub(super) fn judge(_: &Path) -> anyhow::Result<Run> {
    let (client, now) = (client()?, SystemClock::new().now());
    let facts = Facts {
        standing: client.standing,
        revoked: false,
        key_ended: false,
        grantable: client.grantable.clone(),
    };
    let token = signed_and_read(&maker(client)?(now)?, now)?;
    Ok(Box::new(move || {
        black_box(tokens::judge::judge(black_box(&token), black_box(&facts), now)?);
        Ok(())
    }))
}

/// The token, once it was signed by a key of this moment and read.
fn signed_and_read(token: &UnsignedToken, now: Timestamp) -> anyhow::Result<VerifiedToken> {
    let sealer = Arc::new(Sealer::new(&[9; 32], Arc::new(SystemEntropy::new()))?);
    let made = LocalKeyFactory::new(sealer.clone()).generate(Algorithm::Es256).now_or_never();
    let (public, private) = made.context("it waits for nothing")??;
    let key = SigningKey::publish(public, private, now).into_after();
    let ring = KeyRing::new(sealer);
    ring.replace(&[key.activate_at_once(now)?.into_after()])?;
    let (key, algorithm) = ring.active().context("a key that signs")?;
    let token = token.sign((&key, algorithm), &ring).now_or_never();
    let token = token.context("it waits for nothing")??;
    Ok(jws::verify(token.expose_secret(), &ISSUER.parse()?, &ring)?)
}
