//! Credentials: made, listed, rotated and revoked.

use registry::Permission;
use serde_json::{Value, json};

use crate::{
    agents::beside,
    wire::Request,
    worker::{By, Party, Worker},
    world::remember,
};

/// An agent has fewer than it may have.
const MOST: usize = 5;

impl Worker<'_> {
    /// The id and the secret of a new credential.
    pub(crate) fn credential_with(&mut self, party: &Party, agent: &str) -> (String, String) {
        let request = Request::to("createCredential", &[("agentId", agent)]).bearer(&party.token);
        let name = json!({ "name": self.tenant().marker });
        let made = self.ask(By::caller_of(self.home), request.json(&name), &[201]).json();
        self.made(agent, &made)
    }

    fn made(&mut self, agent: &str, made: &Value) -> (String, String) {
        assert_eq!(made["clientId"], agent);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (id, secret) = (text("credentialId"), text("clientSecret"));
        let mut known = self.tenant().known();
        remember(&mut known.credentials, (agent.to_owned(), id.clone()), &mut self.dice);
        drop(known);
        (id, secret)
    }

    /// Agent and credential of another organization.
    fn strange_credential(&mut self) -> (String, String) {
        let other = self.world.another(self.home, &mut self.dice);
        self.world.tenants[other].some(|known| &known.credentials, &mut self.dice).unwrap()
    }

    pub(crate) fn create_credential(&mut self) {
        let party = self.somebody().1;
        let other = self.world.another(self.home, &mut self.dice);
        let (name, other) = (&self.tenant().marker, &self.world.tenants[other].id);
        let body = json!({ "name": name, "organizationId": other });
        let ask = |id: &str| {
            Request::to("createCredential", &[("agentId", id)]).bearer(&party.token).json(&body)
        };
        let by = By::caller_of(self.home);
        let Some(place) = self.some_guinea().filter(|_| !self.dice.one_in(3)) else {
            let pair = self.strangers().map(|id| ask(&id));
            self.ask_alike(by, pair, &[403]);
            return;
        };
        let guinea = &self.guineas[place];
        let (id, ended) = (guinea.agent.clone(), guinea.status == "revoked");
        let status = match party.may(Permission::CredentialsWrite) {
            false => 403,
            true if ended => 409,
            true if guinea.credentials.len() >= MOST => return self.revoke_credential(),
            true => 201,
        };
        let answer = self.ask(by, ask(&id), &[status]).json();
        if status == 201 {
            let made = self.made(&id, &answer);
            self.guineas[place].credentials.push(made);
            self.guineas[place].made += 1;
        }
    }

    pub(crate) fn list_credentials(&mut self) {
        let party = self.somebody().1;
        let ask = |id: &str, pairs: &[(&str, String)]| {
            let request = Request::to("listCredentials", &[("agentId", id)]);
            request.query(pairs).bearer(&party.token)
        };
        let by = By::caller_of(self.home);
        let Some(place) = self.some_guinea().filter(|_| !self.dice.one_in(3)) else {
            let pair = self.strangers().map(|id| ask(&id, &[]));
            self.ask_alike(by, pair, &[403]);
            return;
        };
        let (id, made) = (self.guineas[place].agent.clone(), self.guineas[place].made);
        if !party.may(Permission::AgentsRead) {
            self.ask(by, ask(&id, &[]), &[403]);
            return;
        }
        let answer = if self.dice.one_in(3) {
            let (_, foreign) = self.strange_credential();
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

    /// Requests for a credential that is not where the path says, in each of its ways; and for
    /// one that is not at all. With the status that both deserve.
    fn misplaced(&mut self, place: Option<usize>) -> ([(String, String); 2], u16) {
        let (agent, credential) = self.strange_credential();
        let [_, nobody] = self.strangers();
        let own = place.map(|place| self.guineas[place].agent.clone());
        match own {
            // Under an agent of one's own, the credential alone is not there.
            Some(own) if self.dice.one_in(2) => ([(own.clone(), credential), (own, nobody)], 404),
            // Under another's agent, its own credential is as good as none.
            _ => {
                let elsewhere = self.nobodys_id();
                ([(agent, credential), (elsewhere, nobody)], 403)
            }
        }
    }

    pub(crate) fn rotate_credential(&mut self) {
        let party = self.somebody().1;
        let may = party.may(Permission::CredentialsWrite);
        let by = By::caller_of(self.home);
        let other = self.world.another(self.home, &mut self.dice);
        let body = json!({ "overlapSeconds": 0, "organizationId": self.world.tenants[other].id });
        let ask = |(agent, credential): &(String, String)| {
            let ids = [("agentId", agent.as_str()), ("credentialId", credential.as_str())];
            Request::to("rotateCredential", &ids).bearer(&party.token).json(&body)
        };
        let place = self.some_guinea();
        let to_rotate = place.filter(|place| {
            let guinea = &self.guineas[*place];
            guinea.status != "revoked" && !guinea.credentials.is_empty() && !self.dice.one_in(3)
        });
        let Some(place) = to_rotate else {
            let (pair, status) = self.misplaced(place);
            self.ask_alike(by, pair.map(|ids| ask(&ids)), &[if may { status } else { 403 }]);
            return;
        };
        let agent = self.guineas[place].agent.clone();
        let old = self.guineas[place].credentials[0].0.clone();
        let status = if may { 201 } else { 403 };
        let answer = self.ask(by, ask(&(agent.clone(), old)), &[status]).json();
        if may {
            let made = self.made(&agent, &answer);
            self.guineas[place].credentials.swap_remove(0);
            self.guineas[place].credentials.push(made);
            self.guineas[place].made += 1;
        }
    }

    pub(crate) fn revoke_credential(&mut self) {
        let party = self.somebody().1;
        let may = party.may(Permission::CredentialsWrite);
        let by = By::caller_of(self.home);
        let ask = |(agent, credential): &(String, String)| {
            let ids = [("agentId", agent.as_str()), ("credentialId", credential.as_str())];
            Request::to("revokeCredential", &ids).bearer(&party.token)
        };
        let place = self.some_guinea();
        let to_revoke = place
            .filter(|place| !self.guineas[*place].credentials.is_empty() && !self.dice.one_in(3));
        let Some(place) = to_revoke else {
            let (pair, status) = self.misplaced(place);
            self.ask_alike(by, pair.map(|ids| ask(&ids)), &[if may { status } else { 403 }]);
            return;
        };
        let guinea = &self.guineas[place];
        let (agent, revoked) = (guinea.agent.clone(), guinea.revoked.last().cloned());
        match revoked.filter(|_| self.dice.one_in(3)) {
            Some(again) if may => {
                self.ask_leaving(0, by, ask(&(agent, again)), &[204]);
            }
            _ if may => {
                let (old, _) = self.guineas[place].credentials.swap_remove(0);
                self.ask(by, ask(&(agent, old.clone())), &[204]);
                self.guineas[place].revoked.push(old);
            }
            _ => {
                let first = self.guineas[place].credentials[0].0.clone();
                self.ask(by, ask(&(agent, first)), &[403]);
            }
        }
    }
}
