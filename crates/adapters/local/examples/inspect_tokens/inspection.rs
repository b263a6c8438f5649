//! Issues tokens with real keys and real randomness, and looks at each of them.

use std::{
    collections::{BTreeSet, HashSet},
    error::Error,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use kernel::{Clock, Entropy, ExposeSecret, Standing, Timestamp, TokenId};
use local::{KeyRing, LocalKeyFactory, Sealer, SystemClock, SystemEntropy};
use serde_json::{Value, json};
use tokens::{
    Algorithm, Client, KeyFactory, Lifetime, Signer, SigningKey, TokenPolicy, TokenRequest,
    issue::issue,
};

pub(crate) type Failure = Box<dyn Error>;

const ISSUER: &str = "https://idp.example.com";

/// Every claim that a token may have. Each holds an id, a number, a name of a short list, a scope or
/// a URI: none is free text.
const CLAIMS: [&str; 12] = [
    "iss",
    "sub",
    "aud",
    "client_id",
    "organization_id",
    "agent_type",
    "credential_id",
    "scope",
    "iat",
    "nbf",
    "exp",
    "jti",
];

/// Issues that many tokens and looks at each.
///
/// # Errors
/// What is wrong with the first that is.
pub(crate) fn inspect(count: usize) -> Result<(), Failure> {
    let clock = SystemClock::new();
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let signer = signer(&entropy, clock.now())?;
    let (key, algorithm) = signer.active().ok_or("no key signs")?;
    let policy = TokenPolicy { issuer: ISSUER.parse()?, lifetime: Lifetime::default() };
    let client = client(&*entropy, clock.now())?;
    let mut seen = HashSet::with_capacity(count);
    for _ in 0..count {
        let request = TokenRequest::default();
        let unsigned = issue(request, &client, &BTreeSet::new(), &policy, clock.now(), &*entropy)?;
        let signed = unsigned.sign((&key, algorithm), &signer).now_or_never();
        let token = signed.ok_or("the signer waits")??;
        let id = inspected(token.expose_secret(), &client, &policy)?;
        if !seen.insert(id) {
            return Err(format!("the id {id} was given twice").into());
        }
    }
    Ok(())
}

/// A ring with one key that signs.
fn signer(entropy: &Arc<dyn Entropy>, now: Timestamp) -> Result<KeyRing, Failure> {
    let sealer = Arc::new(Sealer::new(&[9; 32], entropy.clone())?);
    let (public, private) = LocalKeyFactory::new(sealer.clone())
        .generate(Algorithm::Es256)
        .now_or_never()
        .ok_or("the factory waits")??;
    let published = SigningKey::publish(public, private, now).into_after();
    let active = published.activate(Duration::ZERO, now)?.into_after();
    let ring = KeyRing::new(sealer);
    ring.replace(&[active])?;
    Ok(ring)
}

fn client(entropy: &dyn Entropy, now: Timestamp) -> Result<Client, Failure> {
    Ok(Client {
        agent: kernel::AgentId::generate(now, entropy)?,
        organization: kernel::OrganizationId::generate(now, entropy)?,
        agent_type: "screener",
        credential: kernel::CredentialId::generate(now, entropy)?,
        grantable: "resume:read agents:read".parse()?,
        standing: Standing::GOOD,
        dpop_bound: false,
    })
}

/// The id of a token that is as it should be.
fn inspected(token: &str, client: &Client, policy: &TokenPolicy) -> Result<TokenId, Failure> {
    let mut parts =
        token.split('.').map(|part| data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()));
    let mut next = || parts.next().ok_or("a part is missing");
    let header: Value = serde_json::from_slice(&next()??)?;
    let claims: Value = serde_json::from_slice(&next()??)?;
    let wrong = |what: &str| Err(format!("{what} of {claims}").into());
    if header.get("typ") != Some(&json!("at+jwt")) {
        return wrong("the type");
    }
    let agent = client.agent.to_string();
    let said = |name: &str| claims.get(name).cloned().unwrap_or_default();
    for (name, value) in [
        ("iss", json!(ISSUER)),
        ("aud", json!(ISSUER)),
        ("sub", json!(agent)),
        ("client_id", json!(agent)),
        ("organization_id", json!(client.organization.to_string())),
        ("credential_id", json!(client.credential.to_string())),
        ("agent_type", json!(client.agent_type)),
        ("scope", json!(client.grantable.to_string())),
    ] {
        if said(name) != value {
            return wrong(name);
        }
    }
    let (issued, expires) = (said("iat").as_u64(), said("exp").as_u64());
    let life = issued.zip(expires).and_then(|(issued, expires)| expires.checked_sub(issued));
    if life.is_none_or(|life| life == 0 || life > policy.lifetime.get().as_secs()) {
        return wrong("the life");
    }
    if said("nbf") != said("iat") {
        return wrong("the beginning");
    }
    let mut names = claims.as_object().into_iter().flat_map(|claims| claims.keys());
    if names.any(|name| !CLAIMS.contains(&name.as_str())) {
        return wrong("a claim");
    }
    Ok(said("jti").as_str().unwrap_or_default().parse()?)
}
