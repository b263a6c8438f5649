//! An installation of one client on the counting store.

use std::{
    collections::BTreeSet,
    fmt::Debug,
    num::NonZeroU32,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use audit::{Changed, News, Resource};
use credentials::{ClientSecret, Credential, LiveCount, NewCredential, Pepper, Peppers};
use futures_util::FutureExt;
use jose::{SignatureVerifier, SingleUse};
use kernel::{
    AgentId, Clock, CredentialId, Entropy, EntropyUnavailable, ExposeSecret, OrganizationId,
    Secret, StoreError, Timestamp,
};
use registry::{
    Agent, AgentType, Capabilities, Capability, DeploymentEnv, Metadata, NewAgent, Resources, Roles,
};
use tenancy::{Admission, Kind, Organization, Origin, Plan, Plans, Rate, RateKey, RateLimiter};
use tokens::{
    Algorithm, Issuer, Jwk, KeyId, Lifetime, Nonces, ProofUses, Signer, TokenPolicy,
    dpop::{Epoch, ProofUse},
    port::SigningFailed,
};
use usecases::{
    AuthenticatedClient, Caller, IdentityProvider, Known, Parts,
    agents::{AgentDetails, GetError},
    authenticate::{BearerError, ClientError, PresentedClient, PresentedToken, Proofs},
    tokens::{GrantRequest, Introspection},
};

use tokens::{SealedPrivateKey, SigningKey};

use super::store::{CountingStore, Rows};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
const START: i64 = 1_795_248_000_000_000;

/// Nothing here ever waits.
pub(crate) fn done<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().unwrap()
}

pub(crate) fn id<T: FromStr<Err: Debug>>(number: u64) -> T {
    format!("018bcfe5-687b-7001-8203-{number:012x}").parse().unwrap()
}

pub(crate) fn issuer() -> Issuer {
    "https://idp.example.com".parse().unwrap()
}

/// One key, whose signature is what is signed: no cryptography, so that a million are fast.
pub(crate) struct Plain;

fn key() -> KeyId {
    Jwk::P256 { x: [1; 32], y: [2; 32] }.thumbprint()
}

impl Signer for Plain {
    fn active(&self) -> Option<(KeyId, Algorithm)> {
        Some((key(), Algorithm::Es256))
    }

    fn algorithm(&self, asked: &KeyId) -> Option<Algorithm> {
        (*asked == key()).then_some(Algorithm::Es256)
    }

    async fn sign(&self, _: &KeyId, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(message.to_vec())
    }

    fn verifies(&self, _: &KeyId, message: &[u8], signature: &[u8]) -> bool {
        message == signature
    }

    fn published(&self) -> Vec<Jwk> {
        Vec::new()
    }
}

struct Now(AtomicI64);

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// Another number each time.
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        buffer
            .iter_mut()
            .rev()
            .zip(number.iter().rev().chain(std::iter::repeat(&7)))
            .for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

impl SignatureVerifier for Plain {
    fn accepts(&self, _: &Jwk) -> bool {
        true
    }

    fn verifies(&self, _: &Jwk, message: &[u8], signature: &[u8]) -> bool {
        message == signature
    }
}

/// There is no proof in these tests.
#[async_trait]
impl ProofUses for Plain {
    async fn epoch(&self, _: Timestamp) -> Result<Epoch, StoreError> {
        Ok(Epoch::OF_RECORD)
    }

    async fn use_once(
        &self,
        _: OrganizationId,
        _: Epoch,
        _: &SingleUse,
        _: Timestamp,
    ) -> Result<ProofUse, StoreError> {
        Ok(ProofUse::Again)
    }
}

struct Everybody;

#[async_trait]
impl RateLimiter for Everybody {
    async fn admit(&self, _: RateKey, _: Rate, now: Timestamp) -> Result<Admission, StoreError> {
        Ok(Admission { admitted: true, limit: 1, remaining: 1, resets_at: now })
    }
}

pub(crate) struct Installation {
    pub(crate) provider: IdentityProvider<CountingStore, Plain>,
    clock: Arc<Now>,
    entropy: Arc<Counter>,
    pub(crate) organization: OrganizationId,
    pub(crate) agent: AgentId,
    credential: CredentialId,
    pub(crate) secret: String,
}

impl Installation {
    pub(crate) fn alone() -> Self {
        Self::with(Known::alone())
    }

    pub(crate) fn followed() -> Self {
        Self::with(Known::followed())
    }

    fn with(known: Known) -> Self {
        let clock = Arc::new(Now(AtomicI64::new(START)));
        let entropy = Arc::new(Counter(AtomicU64::new(1)));
        let peppers = Peppers::single(Pepper::new(&[7; 32]));
        let (organization, agent, credential) = (id(1), id(2), id(3));
        let secret = ClientSecret::generate(credential, &*entropy).unwrap();
        let rows = rows((organization, agent, credential), &secret, &peppers, clock.now());
        let provider = IdentityProvider::new(Parts {
            store: CountingStore::of(rows),
            platform: id(99),
            signer: Plain,
            verifier: Arc::new(Plain),
            proofs: Proofs { nonces: Nonces::derived_from(&[8; 32]), uses: Arc::new(Plain) },
            clock: clock.clone(),
            entropy: entropy.clone(),
            limiter: Arc::new(Everybody),
            peppers,
            policy: TokenPolicy { issuer: issuer(), lifetime: Lifetime::default() },
            plans: Plans::default(),
            known: Arc::new(known),
            checkpoint_key: [0; 32],
            unauthenticated: Rate { per_minute: 1 },
            refusals_told: NonZeroU32::MAX,
        });
        // Whatever is issued is later than whatever was founded.
        clock.0.fetch_add(1_000_000, Ordering::Relaxed);
        let secret = secret.into_text().expose_secret().to_owned();
        Self { provider, clock, entropy, organization, agent, credential, secret }
    }

    pub(crate) fn store(&self) -> &CountingStore {
        self.provider.store()
    }

    pub(crate) fn known(&self) -> &Known {
        self.provider.known()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// A look at the feed that finds these changes.
    pub(crate) fn look(&self, changes: Vec<Changed>) {
        self.known().learn(self.now(), &News::Changes(changes));
    }

    pub(crate) fn changed(&self, resource: impl Into<Resource>) -> Changed {
        Changed { organization: self.organization, resource: resource.into() }
    }

    pub(crate) fn authenticate_as(
        &self,
        agent: &str,
        secret: &str,
    ) -> Result<AuthenticatedClient, ClientError> {
        let presented = PresentedClient::Secret {
            id: agent.to_owned(),
            secret: Secret::from(secret.to_owned()),
        };
        let origin = Origin::internal();
        done(self.provider.authenticate_client(&presented, &origin)).map(|let_in| let_in.caller)
    }

    pub(crate) fn authenticate(&self) -> Result<AuthenticatedClient, ClientError> {
        self.authenticate_as(&self.agent.to_string(), &self.secret)
    }

    pub(crate) fn client(&self) -> AuthenticatedClient {
        self.authenticate().unwrap()
    }

    /// A token that the client obtains, a millisecond later than anything before.
    pub(crate) fn token(&self) -> String {
        self.advance(Duration::from_millis(1));
        let request =
            GrantRequest { grant_type: "client_credentials".to_owned(), ..GrantRequest::default() };
        let issued = done(self.provider.issue_token(&self.client(), &request)).unwrap();
        issued.token.expose_secret().to_owned()
    }

    pub(crate) fn introspect(&self, client: &AuthenticatedClient, token: &str) -> bool {
        let answer = done(self.provider.introspect_token(&client.as_caller(), token)).unwrap();
        matches!(answer, Introspection::Active(_))
    }

    pub(crate) fn bearer(&self, token: &str) -> Result<Caller, BearerError> {
        let token = Secret::from(token.to_owned());
        let shown = PresentedToken { token, proof: None, certificate: None };
        let let_in = done(self.provider.authenticate_bearer(&shown, &Origin::internal()));
        let_in.map(|let_in| let_in.caller)
    }

    /// The agent as it is shown to the client.
    pub(crate) fn read(&self, id: AgentId) -> Result<AgentDetails, GetError> {
        done(self.provider.agent(&self.client().as_caller(), id))
    }

    /// The id of a client that nobody has, and a secret of the right form for it.
    pub(crate) fn unknown(&self) -> (String, String) {
        let agent = AgentId::generate(self.now(), &*self.entropy).unwrap();
        let credential = CredentialId::generate(self.now(), &*self.entropy).unwrap();
        let secret = ClientSecret::generate(credential, &*self.entropy).unwrap();
        (agent.to_string(), secret.into_text().expose_secret().to_owned())
    }

    /// Another secret of the credential that there is.
    pub(crate) fn wrong_secret(&self) -> String {
        let secret = ClientSecret::generate(self.credential, &*self.entropy).unwrap();
        secret.into_text().expose_secret().to_owned()
    }
}

fn rows(
    (organization, agent, credential): (OrganizationId, AgentId, CredentialId),
    secret: &ClientSecret,
    peppers: &Peppers,
    now: Timestamp,
) -> Rows {
    let names = ("One".parse().unwrap(), "one".parse().unwrap());
    let capability: Capability = "resume:read".parse().unwrap();
    let new = NewAgent {
        email: "one@example.com".parse().unwrap(),
        agent_type: AgentType::Custom,
        version: "1.0.0".parse().unwrap(),
        capabilities: Capabilities::from(capability),
        owner: "one".parse().unwrap(),
        deployment_env: DeploymentEnv::Production,
        roles: Roles::default(),
        is_public: false,
        metadata: Metadata::default(),
        resources: Resources::default(),
        dpop_bound_access_tokens: false,
    };
    let made = NewCredential {
        id: credential,
        agent,
        organization,
        name: None,
        expires_at: None,
        hash: peppers.hash(secret.presented()),
    };
    Rows {
        organization: Organization::found(organization, names, (Kind::Tenant, Plan::Free), now)
            .into_after(),
        agent: Agent::register(agent, organization, new, None, now).into_after(),
        credential: Credential::generate(made, LiveCount(0), now).unwrap().into_after(),
        revoked: BTreeSet::new(),
        signing_key: Some(signing_key(now)),
    }
}

/// The one key that signs.
fn signing_key(now: Timestamp) -> SigningKey {
    let public = Jwk::P256 { x: [1; 32], y: [2; 32] };
    let published = SigningKey::publish(public, SealedPrivateKey::new(vec![9]), now).into_after();
    published.activate(Duration::ZERO, now).unwrap().into_after()
}
