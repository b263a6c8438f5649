//! What a scenario asks about: the agents of an installation, and tokens of theirs.

use anyhow::Context;

use super::api;
use super::clients;
use super::installation::Installation;
use super::request::Request;
use super::scenario::{Kind, Scenario};
use super::server::Server;
use super::workbench::Workbench;

/// What the admin's token is for.
const SCOPE_OF_THE_ADMIN: &str = "agents:read agents:write audit:read tokens:introspect";

/// What the tokens are for that are asked about.
const SCOPE: &str = "agents:read audit:read";

/// More agents than one registers in a second.
const AGENTS_A_SECOND: u64 = 20_000;

/// Agents and tokens.
#[derive(Debug)]
pub(crate) struct Subject {
    ids: Vec<String>,
    /// For a token of each agent.
    pub(crate) forms: Vec<String>,
    pub(crate) admin_token: String,
    token: String,
    pool: Vec<String>,
}

impl Subject {
    /// Those of the installation whose server this is.
    pub(crate) fn new(
        bench: &Workbench,
        installation: &Installation,
        server: &Server,
    ) -> anyhow::Result<Self> {
        let admin_token = api::token_of_the_admin(server, SCOPE_OF_THE_ADMIN)?;
        let tokens = clients::tokens(bench, server, &installation.clients, SCOPE, 1)?;
        let token = tokens.into_iter().next().context("no token")?;
        let form = |(id, secret): &(String, String)| {
            format!(
                "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=agents%3Aread"
            )
        };
        let agents = installation.agents()?;
        let forms = agents.iter().map(form).collect();
        let ids = agents.into_iter().map(|(id, _)| id).collect();
        Ok(Self { ids, forms, admin_token, token, pool: Vec::new() })
    }

    /// Sees to it that there are so many tokens that nobody has asked about.
    pub(crate) fn fill_the_pool(
        &mut self,
        bench: &Workbench,
        installation: &Installation,
        server: &Server,
        count: usize,
    ) -> anyhow::Result<()> {
        if self.pool.is_empty() {
            self.pool = clients::tokens(bench, server, &installation.clients, SCOPE, count)?;
            server.until_quiet()?;
        }
        Ok(())
    }

    /// What is sent. `turn` differs each time, for what can be done once only.
    pub(crate) fn request(&self, scenario: Scenario, turn: &str, seconds: u64) -> Request {
        let pool = || self.pool.clone();
        match scenario.kind {
            Kind::Token | Kind::TokenLogWarn => self.tokens(),
            Kind::IntrospectRepeated => self.introspect().for_each(vec![self.token.clone()]),
            Kind::IntrospectFresh | Kind::IntrospectForeign => {
                self.introspect().once_for_each(pool())
            }
            Kind::BearerRepeated => bearer().for_each(vec![self.token.clone()]),
            Kind::BearerFresh => bearer().once_for_each(pool()),
            Kind::Get => self.get(),
            Kind::List => self.list(),
            Kind::Register => {
                let numbers = 0..AGENTS_A_SECOND * seconds;
                let emails = numbers.map(|number| format!("{turn}-{number}")).collect();
                self.register().once_for_each(emails)
            }
        }
    }

    /// What is sent before it counts: the same, with nothing that is used once.
    pub(crate) fn warm_up(&self, scenario: Scenario, turn: &str) -> Request {
        match scenario.kind {
            Kind::IntrospectFresh | Kind::IntrospectForeign => {
                self.introspect().for_each(vec![self.token.clone()])
            }
            Kind::BearerFresh => bearer().for_each(vec![self.token.clone()]),
            Kind::Token
            | Kind::TokenLogWarn
            | Kind::IntrospectRepeated
            | Kind::BearerRepeated
            | Kind::Get
            | Kind::List
            | Kind::Register => self.request(scenario, &format!("warm-up-{turn}"), 1),
        }
    }

    /// A token, for each agent in turns.
    pub(crate) fn tokens(&self) -> Request {
        Request::form("/api/v1/token", "{line}").for_each(self.forms.clone())
    }

    /// Whether a token is good. The tokens are the list.
    pub(crate) fn introspect(&self) -> Request {
        Request::form("/api/v1/token/introspect", "token={line}").bearing(&self.admin_token)
    }

    /// Each agent in turns.
    pub(crate) fn get(&self) -> Request {
        let request = Request::get("/api/v1/agents/{line}").bearing(&self.admin_token);
        request.for_each(self.ids.clone())
    }

    /// The first page of agents.
    pub(crate) fn list(&self) -> Request {
        Request::get("/api/v1/agents").bearing(&self.admin_token)
    }

    fn register(&self) -> Request {
        let body = "{\"email\":\"{line}@agents.example.com\",\"agentType\":\"custom\",\
                    \"version\":\"1.0.0\",\"capabilities\":[\"resume:read\"],\
                    \"owner\":\"benchmarks\",\"deploymentEnv\":\"production\"}";
        Request::json("/api/v1/agents", body).bearing(&self.admin_token)
    }
}

/// The cheapest request that needs a token: its answer is the same at all times.
fn bearer() -> Request {
    Request::get("/api/v1/audit/key").bearing("{line}")
}
