//! Founds an organization by the domain's own means, since the API has no endpoint that does.

use audit::{Apply, Journal, Transactor, record};
use credentials::{
    ClientSecret, Credential, CredentialChange, LiveCount, NewCredential, Pepper, Peppers,
};
use kernel::{AgentId, Clock, CredentialId, Entropy, ExposeSecret, OrganizationId};
use registry::{
    Agent, AgentChange, AgentType, Capabilities, DeploymentEnv, Metadata, NewAgent, Resources,
    Role, Roles,
};
use tenancy::{Actor, Kind, Organization, OrganizationChange, Origin, Plan, Scope};

/// An organization, and its admin's credential.
#[derive(Debug)]
pub(crate) struct Founded {
    pub(crate) organization: String,
    pub(crate) admin: String,
    pub(crate) credential: String,
    pub(crate) secret: String,
}

/// Founds one of that name. The pepper is that of the servers on this store.
pub(crate) async fn found<S>(
    store: &S,
    (clock, entropy): (&dyn Clock, &dyn Entropy),
    pepper: &[u8; 32],
    name: &str,
) -> Founded
where
    S: Transactor,
    S::Tx: Apply<OrganizationChange> + Apply<AgentChange> + Apply<CredentialChange>,
{
    let now = clock.now();
    let organization = OrganizationId::generate(now, entropy).unwrap();
    let admin = AgentId::generate(now, entropy).unwrap();
    let credential = CredentialId::generate(now, entropy).unwrap();
    let secret = ClientSecret::generate(credential, entropy).unwrap();
    let new = NewCredential {
        id: credential,
        agent: admin,
        organization,
        name: Some(name.parse().unwrap()),
        expires_at: None,
        hash: Peppers::single(Pepper::new(pepper)).hash(secret.presented()),
    };
    let names = (name.parse().unwrap(), name.parse().unwrap());
    let founded = Organization::found(organization, names, (Kind::Tenant, Plan::Pro), now);
    let agent = Agent::register(admin, organization, admin_agent(name), None, now);
    let made = Credential::generate(new, LiveCount(0), now).unwrap();

    let scope = Scope::new(organization, Actor::System, Origin::internal());
    let tx = store.begin(scope).await.unwrap();
    let (tx, _) = record(tx, founded).await.unwrap();
    let (tx, _) = record(tx, agent).await.unwrap();
    let (tx, _) = record(tx, made).await.unwrap();
    tx.commit().await.unwrap();
    Founded {
        organization: organization.to_string(),
        admin: admin.to_string(),
        credential: credential.to_string(),
        secret: secret.into_text().expose_secret().to_owned(),
    }
}

fn admin_agent(name: &str) -> NewAgent {
    let capability: registry::Capability = format!("{name}:administer").parse().unwrap();
    NewAgent {
        email: format!("admin@{name}.invalid").parse().unwrap(),
        agent_type: AgentType::Custom,
        version: "1.0.0".parse().unwrap(),
        capabilities: Capabilities::from(capability),
        owner: name.parse().unwrap(),
        deployment_env: DeploymentEnv::Production,
        roles: Roles::from_iter([Role::Admin]),
        is_public: false,
        metadata: Metadata::default(),
        resources: Resources::default(),
        dpop_bound_access_tokens: false,
    }
}
