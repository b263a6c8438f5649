//! What a worker does: its people at the beginning, then one operation after the other.

use registry::Role;
use serde_json::{Value, json};

use crate::{
    wire::Request,
    worker::{By, Party, Worker},
    world::{one_of, remember},
};

/// How often each operation is chosen, of the sum of all.
pub(crate) const OPERATIONS: &[(&str, u64)] = &[
    ("createAgent", 40),
    ("listAgents", 90),
    ("getAgent", 130),
    ("updateAgent", 90),
    ("decommissionAgent", 50),
    ("createCredential", 60),
    ("listCredentials", 70),
    ("rotateCredential", 60),
    ("revokeCredential", 60),
    ("addKey", 60),
    ("listKeys", 60),
    ("removeKey", 60),
    ("issueToken", 100),
    ("introspectToken", 120),
    ("revokeToken", 90),
    ("listAuditEvents", 110),
    ("getAuditEvent", 100),
    ("getAuditCheckpoint", 10),
    ("getAuditKey", 10),
    ("getAuditProof", 30),
    ("getAuditConsistency", 10),
    ("getAuditTile", 20),
    ("exportAuditLog", 5),
    ("getOrganization", 50),
    ("getAuthorizationServerMetadata", 3),
    ("getOpenIdConfiguration", 3),
    ("authorize", 3),
    ("getProtectedResourceMetadata", 3),
    ("getJwks", 3),
    ("getHealth", 3),
    ("getDetailedHealth", 3),
    ("getReadiness", 3),
    ("getMetrics", 3),
    ("getError", 3),
    ("getApiDocs", 2),
    ("getOpenApi", 2),
    ("getApiDocsScript", 2),
    ("getApiDocsStyle", 2),
    // A path of no route, which names another organization.
    ("unknown", 20),
    // A good route, with a token that was tampered with.
    ("forged", 60),
];

const ROLES: [Option<Role>; 5] = [
    Some(Role::Admin),
    Some(Role::Operator),
    Some(Role::Auditor),
    Some(Role::ResourceServer),
    None,
];

impl Worker<'_> {
    /// Registers the agents that stay as they are, one of each role, and those to be changed.
    pub(crate) fn settle(&mut self) {
        let admin = &self.tenant().admin;
        let secret = admin.secret.clone();
        let (agent, role) = (admin.admin.clone(), Some(Role::Admin));
        let mut founder = Party { agent, secret, token: String::new(), role };
        founder.token = self.token_of(&founder);
        for role in ROLES {
            let roles: Vec<_> = role.into_iter().map(Role::name).collect();
            let agent = self.register_with(&founder, &json!({ "roles": roles }));
            let (_, secret) = self.credential_with(&founder, &agent);
            let mut party = Party { agent, secret, token: String::new(), role };
            party.token = self.token_of(&party);
            let mut known = self.tenant().known();
            remember(&mut known.tokens, party.token.clone(), &mut self.dice);
            drop(known);
            self.people.push(party);
        }
        self.keyed.agent = self.register_with(&founder, &json!({}));
        for _ in 0..3 {
            self.create_agent();
        }
    }

    /// Does one operation, in one of its ways.
    pub(crate) fn step(&mut self) {
        let all = OPERATIONS.iter().map(|(_, weight)| weight).sum();
        let mut left = self.dice.within(0..all);
        let chosen = OPERATIONS.iter().find(|(_, weight)| {
            let is_it = left < *weight;
            left = left.saturating_sub(*weight);
            is_it
        });
        self.perform(chosen.unwrap().0);
    }

    /// Does each operation once.
    pub(crate) fn tour(&mut self) {
        for (operation, _) in OPERATIONS {
            self.perform(operation);
        }
    }

    fn perform(&mut self, operation: &str) {
        match operation {
            "createAgent" => self.create_agent(),
            "listAgents" => self.list_agents(),
            "getAgent" => self.get_agent(),
            "updateAgent" => self.update_agent(),
            "decommissionAgent" => self.decommission_agent(),
            "createCredential" => self.create_credential(),
            "listCredentials" => self.list_credentials(),
            "rotateCredential" => self.rotate_credential(),
            "revokeCredential" => self.revoke_credential(),
            "addKey" => self.add_key(),
            "listKeys" => self.list_keys(),
            "removeKey" => self.remove_key(),
            "issueToken" => self.issue_token(),
            "introspectToken" => self.introspect_token(),
            "revokeToken" => self.revoke_token(),
            "listAuditEvents" => self.list_events(),
            "getAuditEvent" => self.get_event(),
            "getAuditProof" => self.get_proof(),
            "getAuditTile" => self.get_tile(),
            "exportAuditLog" => self.export_log(),
            "getAuditCheckpoint" | "getAuditKey" | "getAuditConsistency" => {
                self.get_of_log(operation);
            }
            "getOrganization" => self.get_organization(),
            "unknown" => self.go_astray(),
            "forged" => self.forge(),
            public => self.visit(public),
        }
    }

    fn register_with(&mut self, party: &Party, with: &Value) -> String {
        let number = self.next_number();
        let email = format!("{number}@{}.invalid", self.tenant().marker);
        let body = self.new_agent(&email, with);
        let request = Request::to("createAgent", &[]).bearer(&party.token).json(&body);
        let made = self.ask(By::caller_of(self.home), request, &[201]).json();
        self.registered(&made)
    }

    /// Remembers an agent that was registered.
    pub(crate) fn registered(&mut self, made: &Value) -> String {
        let tenant = self.tenant();
        assert_eq!(made["organizationId"], tenant.id, "{made}");
        let id = made["agentId"].as_str().unwrap().to_owned();
        remember(&mut tenant.known().agents, id.clone(), &mut self.dice);
        id
    }

    /// The body of a registration, in which the marker stands wherever it may.
    pub(crate) fn new_agent(&mut self, email: &str, with: &Value) -> Value {
        let marker = &self.tenant().marker;
        let mut body = json!({
            "email": email,
            "agentType": "custom",
            "version": format!("1.0.0-{marker}"),
            "capabilities": [format!("{marker}:read"), "resume:read"],
            "owner": marker,
            "deploymentEnv": "development",
            "metadata": { "of": marker },
        });
        let fields = body.as_object_mut().unwrap();
        fields.extend(with.as_object().cloned().unwrap_or_default());
        body
    }

    fn go_astray(&mut self) {
        let other = self.world.another(self.home, &mut self.dice);
        let path = match self.dice.within(0..3) {
            0 => "/api/v1/organizations/{id}",
            1 => "/api/v1/organizations/{id}/agents",
            _ => "/{id}/api/v1/agents",
        };
        let party = self.somebody().1;
        let (of_another, of_nobody) = (self.world.tenants[other].id.clone(), self.nobodys_id());
        let ask = |id: &str| Request::astray(path.replace("{id}", id)).bearer(&party.token);
        self.ask_alike(By::caller_of(self.home), [ask(&of_another), ask(&of_nobody)], &[404]);
    }

    /// What anybody may see tells nobody anything of an organization.
    fn visit(&mut self, operation: &str) {
        let codes = ["validation-error", "authorization-error"];
        let code = one_of(&codes, &mut self.dice).unwrap();
        let request = Request::to(operation, &[("code", code)]);
        let answer = if operation == "authorize" { 400 } else { 200 };
        self.ask(By::nobody(), request, &[answer]);
    }
}
