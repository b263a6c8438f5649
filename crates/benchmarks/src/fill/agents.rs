//! Registers agents and makes each a secret: many in one transaction.

use std::time::Duration;

use audit::{Apply, Journal, Transactor, record};
use credentials::{ClientSecret, Credential, CredentialChange, LiveCount, NewCredential, Peppers};
use kernel::{AgentId, Clock, CredentialId, Entropy, ExposeSecret, OrganizationId};
use registry::{
    Agent, AgentChange, AgentType, Capabilities, DeploymentEnv, Metadata, NewAgent, Resources,
    Role, Roles,
};
use tenancy::{Actor, Origin, Scope};

use super::clients::Clients;

/// How many agents one transaction registers, and for how long it goes on: a store's patience has an end.
const AT_A_TIME: u64 = 250;
const AT_MOST: Duration = Duration::from_secs(1);

/// How many agents one owner answers for.
const OF_AN_OWNER: u64 = 1_000;

/// What it takes to register agents.
pub(super) struct Desk<'a> {
    pub(super) organization: OrganizationId,
    pub(super) clock: &'a dyn Clock,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) peppers: Peppers,
}

impl Desk<'_> {
    /// Registers agents until the file names so many.
    pub(super) async fn register_up_to<S>(
        &self,
        agents: u64,
        store: &S,
        clients: &mut Clients,
    ) -> anyhow::Result<()>
    where
        S: Transactor<Tx: Apply<AgentChange> + Apply<CredentialChange>>,
    {
        while clients.count() < agents {
            let last = agents.min(clients.count() + AT_A_TIME);
            let scope = Scope::new(self.organization, Actor::System, Origin::internal());
            let (begun, mut lines) = (self.clock.now(), Vec::new());
            let mut tx = store.begin(scope).await?;
            for number in clients.count()..last {
                let line;
                (tx, line) = self.register(tx, number).await?;
                lines.push(line);
                if self.clock.now().since(begun) >= AT_MOST {
                    break;
                }
            }
            tx.commit().await?;
            clients.add(&lines)?;
        }
        Ok(())
    }

    /// Registers one, and gives back its line.
    async fn register<T>(&self, tx: T, number: u64) -> anyhow::Result<(T, String)>
    where
        T: Apply<AgentChange> + Apply<CredentialChange>,
    {
        let now = self.clock.now();
        let agent = AgentId::generate(now, self.entropy)?;
        let new = new_agent(agent, number)?;
        let (tx, _) = record(tx, Agent::register(agent, self.organization, new, None, now)).await?;
        let id = CredentialId::generate(now, self.entropy)?;
        let secret = ClientSecret::generate(id, self.entropy)?;
        let new = NewCredential {
            id,
            agent,
            organization: self.organization,
            name: None,
            expires_at: None,
            hash: self.peppers.hash(secret.presented()),
        };
        let (tx, _) = record(tx, Credential::generate(new, LiveCount(0), now)?).await?;
        Ok((tx, format!("{agent} {}", secret.into_text().expose_secret())))
    }
}

/// An agent of no special kind. What lists are filtered by differs from agent to agent.
fn new_agent(id: AgentId, number: u64) -> anyhow::Result<NewAgent> {
    let environments =
        [DeploymentEnv::Development, DeploymentEnv::Staging, DeploymentEnv::Production];
    let environment = environments.iter().cycle().nth(usize::try_from(number % 3)?);
    Ok(NewAgent {
        email: format!("agent-{id}@fill.invalid").parse()?,
        agent_type: AgentType::Custom,
        version: "1.0.0".parse()?,
        capabilities: Capabilities::from("documents:read".parse::<registry::Capability>()?),
        owner: format!("team-{}", number / OF_AN_OWNER).parse()?,
        deployment_env: *environment.unwrap_or(&DeploymentEnv::Production),
        roles: Roles::from_iter([Role::Auditor]),
        is_public: false,
        metadata: Metadata::default(),
        resources: Resources::default(),
        dpop_bound_access_tokens: false,
    })
}
