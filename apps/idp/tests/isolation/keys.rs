//! Keys of clients: registered, listed and removed.

use contracts::KeyPair;
use registry::Permission;
use serde_json::json;

use crate::{
    agents::beside,
    wire::Request,
    worker::{By, Worker},
    world::remember,
};

/// An agent has fewer than it may have.
const MOST: usize = 5;

impl Worker<'_> {
    /// Agent and key of another organization; a name that nobody gave while it has none.
    fn strange_key(&mut self) -> (String, String) {
        let other = self.world.another(self.home, &mut self.dice);
        let tenant = &self.world.tenants[other];
        let key = tenant.some(|known| &known.keys, &mut self.dice);
        key.unwrap_or_else(|| (tenant.admin.admin.clone(), "none".to_owned()))
    }

    /// Registers a key, whose name and id are this organization's alone.
    pub(crate) fn add_key(&mut self) {
        let party = self.somebody().1;
        let by = By::caller_of(self.home);
        let other = self.world.another(self.home, &mut self.dice);
        let kid = format!("{}-{}", self.tenant().marker, self.next_number());
        let mut jwk = KeyPair::ed25519().jwk();
        jwk["kid"] = json!(kid);
        let (name, other) = (&self.tenant().marker, &self.world.tenants[other].id);
        let body = json!({ "jwk": jwk, "name": name, "organizationId": other });
        let ask =
            |id: &str| Request::to("addKey", &[("agentId", id)]).bearer(&party.token).json(&body);
        if self.dice.one_in(3) {
            let pair = self.strangers().map(|id| ask(&id));
            self.ask_alike(by, pair, &[403]);
            return;
        }
        if self.keyed.kids.len() >= MOST {
            return self.remove_key();
        }
        let agent = self.keyed.agent.clone();
        let status = if party.may(Permission::CredentialsWrite) { 201 } else { 403 };
        let added = self.ask(by, ask(&agent), &[status]).json();
        if status == 201 {
            assert_eq!((&added["clientId"], &added["kid"]), (&json!(agent), &json!(kid)));
            let mut known = self.tenant().known();
            remember(&mut known.keys, (agent, kid.clone()), &mut self.dice);
            drop(known);
            self.keyed.kids.push(kid);
            self.keyed.made += 1;
        }
    }

    pub(crate) fn list_keys(&mut self) {
        let party = self.somebody().1;
        let by = By::caller_of(self.home);
        let ask = |id: &str, pairs: &[(&str, String)]| {
            let request = Request::to("listKeys", &[("agentId", id)]);
            request.query(pairs).bearer(&party.token)
        };
        if self.dice.one_in(3) {
            let pair = self.strangers().map(|id| ask(&id, &[]));
            self.ask_alike(by, pair, &[403]);
            return;
        }
        let (id, made) = (self.keyed.agent.clone(), self.keyed.made);
        if !party.may(Permission::AgentsRead) {
            self.ask(by, ask(&id, &[]), &[403]);
            return;
        }
        let answer = if self.dice.one_in(3) {
            let [foreign, _] = self.strangers();
            let pair = [foreign.clone(), beside(&foreign)];
            self.ask_alike(by, pair.map(|cursor| ask(&id, &[("cursor", cursor)])), &[200])
        } else {
            self.ask(by, ask(&id, &[]), &[200])
        };
        let list = answer.json();
        assert_eq!(list["total"], made);
        let mut rows = list["data"].as_array().into_iter().flatten();
        assert!(rows.all(|row| row["clientId"] == *id), "{list}");
    }

    pub(crate) fn remove_key(&mut self) {
        let party = self.somebody().1;
        let may = party.may(Permission::CredentialsWrite);
        let by = By::caller_of(self.home);
        let ask = |agent: &str, kid: &str| {
            let ids = [("agentId", agent), ("kid", kid)];
            Request::to("removeKey", &ids).bearer(&party.token)
        };
        let own = self.keyed.agent.clone();
        if self.keyed.kids.is_empty() || self.dice.one_in(3) {
            let (agent, kid) = self.strange_key();
            let nobodys = self.nobodys_id();
            // Under one's own agent the key alone is not there; under another's, nothing is.
            let (pair, status) = if self.dice.one_in(2) {
                ([ask(&own, &kid), ask(&own, &nobodys)], 404)
            } else {
                ([ask(&agent, &kid), ask(&nobodys, &kid)], 403)
            };
            self.ask_alike(by, pair, &[if may { status } else { 403 }]);
            return;
        }
        match self.keyed.removed.last().filter(|_| self.dice.one_in(3)) {
            Some(again) if may => {
                let request = ask(&own, again);
                self.ask_leaving(0, by, request, &[204]);
            }
            _ if may => {
                let kid = self.keyed.kids.swap_remove(0);
                self.ask(by, ask(&own, &kid), &[204]);
                self.keyed.removed.push(kid);
            }
            _ => {
                let request = ask(&own, &self.keyed.kids[0]);
                self.ask(by, request, &[403]);
            }
        }
    }
}
