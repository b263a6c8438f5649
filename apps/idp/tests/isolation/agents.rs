//! Agents: registered, read, listed, changed and ended.

use registry::Permission;
use serde_json::{Value, json};

use crate::{
    wire::Request,
    worker::{By, Guinea, Party, Worker},
    world::one_of,
};

/// How many agents a worker has to change, at most.
const GUINEAS: usize = 6;
/// The ones that a worker keeps in any case.
const KEPT: usize = 2;

impl Worker<'_> {
    /// Registers an agent. Emails and idempotency keys are those of other organizations too.
    pub(crate) fn create_agent(&mut self) {
        let (place, party) = self.somebody();
        if self.guineas.len() >= GUINEAS {
            return self.decommission_agent();
        }
        let number = self.next_number();
        let email = match self.dice.within(0..2) {
            0 => format!("{number}@{}.invalid", self.tenant().marker),
            _ => format!("{number}@shared.invalid"),
        };
        let mut with = json!({});
        if self.dice.one_in(3) {
            let other = self.world.another(self.home, &mut self.dice);
            with["organizationId"] = self.world.tenants[other].id.clone().into();
        }
        let body = self.new_agent(&email, &with);
        let request = Request::to("createAgent", &[]).bearer(&party.token);
        if !party.may(Permission::AgentsWrite) {
            self.ask(By::caller_of(self.home), request.json(&body), &[403]);
        } else if self.dice.one_in(2) {
            self.create_by_key((place, request), email, body);
        } else if let Some(taken) = self.taken_email() {
            let mut body = body;
            body["email"] = taken.into();
            let answer = self.ask(By::caller_of(self.home), request.json(&body), &[409]);
            assert_eq!(answer.code(), "AGENT_ALREADY_EXISTS");
        } else {
            let made = self.ask(By::caller_of(self.home), request.json(&body), &[201]).json();
            self.keep(&made, email);
        }
    }

    /// Under a key that was used before, it finds its own agent or none.
    fn create_by_key(&mut self, (place, request): (usize, Request), email: String, body: Value) {
        let key = format!("key-{}", self.dice.within(0..40));
        let request = request.header("Idempotency-Key", key.clone());
        let by = By::caller_of(self.home);
        match self.keys.get(&(place, key.clone())).cloned() {
            None => {
                let made = self.ask(by, request.json(&body), &[201]).json();
                let agent = self.keep(&made, email);
                self.keys.insert((place, key), (body, agent));
            }
            Some((before, agent)) if self.dice.one_in(2) => {
                let answer = self.ask_leaving(0, by, request.json(&before), &[201]);
                assert_eq!(answer.header("idempotent-replayed"), Some("true"));
                assert_eq!(answer.json()["agentId"], agent);
            }
            Some((_, agent)) => {
                let answer = self.ask(by, request.json(&body), &[409]);
                assert_eq!(answer.code(), "IDEMPOTENCY_CONFLICT");
                assert_eq!(answer.json()["details"]["existingId"], agent);
            }
        }
    }

    fn taken_email(&mut self) -> Option<String> {
        let wanted = self.dice.one_in(4);
        let place = self.some_guinea().filter(|_| wanted)?;
        Some(self.guineas[place].email.clone())
    }

    fn keep(&mut self, made: &Value, email: String) -> String {
        let agent = self.registered(made);
        let guinea = Guinea { agent: agent.clone(), email, revision: 1, ..Guinea::default() };
        self.guineas.push(Guinea { status: "active", ..guinea });
        agent
    }

    /// Two requests for an agent: of another organization, and of none.
    pub(crate) fn strangers(&mut self) -> [String; 2] {
        let other = self.world.another(self.home, &mut self.dice);
        [self.world.tenants[other].some_agent(&mut self.dice), self.nobodys_id()]
    }

    /// How many rows of a list to ask for: seldom many, since all of them are looked through.
    pub(crate) fn limit(&mut self) -> String {
        let most = if self.dice.one_in(8) { 100 } else { 8 };
        self.dice.within(1..most + 1).to_string()
    }

    pub(crate) fn get_agent(&mut self) {
        let party = self.somebody().1;
        let ask = |id: &String| Request::to("getAgent", &[("agentId", id)]).bearer(&party.token);
        let may = party.may(Permission::AgentsRead);
        let by = By::caller_of(self.home);
        if self.dice.one_in(2) {
            let pair = self.strangers().map(|id| ask(&id));
            self.ask_alike(by, pair, &[403]);
            return self.get_agent_as_a_guinea();
        }
        let own = self.dice.one_in(4).then(|| party.agent.clone());
        let id = own.unwrap_or_else(|| self.tenant().some_agent(&mut self.dice));
        let status = if may || id == party.agent { 200 } else { 403 };
        let answer = self.ask(by, ask(&id), &[status]).json();
        if status == 200 {
            assert_eq!(answer["organizationId"], self.tenant().id);
            assert_eq!(answer["agentId"], id);
        }
    }

    /// It may see itself alone, and not even that once its token has ended, which each replica
    /// knows within a second: until then it may go either way.
    fn get_agent_as_a_guinea(&mut self) {
        let Some(place) = self.some_guinea() else { return };
        let guinea = &self.guineas[place];
        let Some(token) = one_of(&guinea.tokens, &mut self.dice).cloned() else { return };
        let own = guinea.agent.clone();
        let [foreign, _] = self.strangers();
        for (id, otherwise) in [(own, 200), (foreign, 403)] {
            let request = Request::to("getAgent", &[("agentId", &id)]).bearer(&token);
            self.ask(By::caller_of(self.home), request, &[otherwise, 401]);
        }
    }

    pub(crate) fn list_agents(&mut self) {
        let party = self.somebody().1;
        let ask = |pairs: &[(&str, String)]| {
            Request::to("listAgents", &[]).query(pairs).bearer(&party.token)
        };
        let by = By::caller_of(self.home);
        let limit = ("limit", self.limit());
        if !party.may(Permission::AgentsRead) {
            self.ask(by, ask(&[limit]), &[403]);
            return;
        }
        let other = self.world.another(self.home, &mut self.dice);
        let other = &self.world.tenants[other];
        match self.dice.within(0..8) {
            0 => {
                let [foreign, _] = self.strangers();
                let pair = [foreign.clone(), beside(&foreign)];
                self.ask_alike_alone(pair.map(|id| ask(&[limit.clone(), ("cursor", id)])));
            }
            1 => {
                let owners = [other.marker.clone(), "nobody".to_owned()];
                let answer = self.ask_alike(by, owners.map(|one| ask(&[("owner", one)])), &[200]);
                assert_eq!(answer.json()["total"], 0);
            }
            2 => {
                let pair = [format!("{}:read", other.marker), "no-such:read".to_owned()];
                let pair = pair.map(|one| ask(&[("capability", one), limit.clone()]));
                let answer = self.ask_alike(by, pair, &[200]);
                assert_eq!(answer.json()["total"], 0);
            }
            3 => {
                self.ask(by, ask(&[("organizationId", other.id.clone())]), &[400]);
            }
            4 => {
                let (answer, [registered, ..]) = self.ask_alone(&ask(&[]));
                assert_total(&answer.json(), registered);
            }
            5 => {
                let page = ("page", self.dice.within(1..20).to_string());
                self.ask(by, ask(&[limit, page]), &[200]);
            }
            _ => {
                let filters = [("status", "active"), ("agentType", "custom"), ("owner", "")];
                let (name, value) = one_of(&filters, &mut self.dice).unwrap();
                let own = if value.is_empty() { self.tenant().marker.as_str() } else { value };
                self.ask(by, ask(&[limit, (*name, own.to_owned())]), &[200]);
            }
        }
    }

    pub(crate) fn update_agent(&mut self) {
        let party = self.somebody().1;
        let change = json!({ "metadata": { "of": self.tenant().marker, "n": self.next_number() } });
        let ask = |id: &str| Request::to("updateAgent", &[("agentId", id)]).bearer(&party.token);
        let by = By::caller_of(self.home);
        match self.some_guinea().filter(|_| !self.dice.one_in(3)) {
            None => {
                let pair = self.strangers().map(|id| ask(&id).json(&change));
                self.ask_alike(by, pair, &[403]);
            }
            Some(place) if !party.may(Permission::AgentsWrite) => {
                let id = self.guineas[place].agent.clone();
                self.ask(by, ask(&id).json(&change), &[403]);
            }
            Some(place) => self.change(place, &party, change),
        }
    }

    fn change(&mut self, place: usize, party: &Party, mut change: Value) {
        let by = By::caller_of(self.home);
        let (id, revision) = (self.guineas[place].agent.clone(), self.guineas[place].revision);
        let request = Request::to("updateAgent", &[("agentId", &id)]).bearer(&party.token);
        let with = self.dice.within(0..8);
        if with == 0 {
            let other = self.world.another(self.home, &mut self.dice);
            change["organizationId"] = self.world.tenants[other].id.clone().into();
            self.ask(by, request.json(&change), &[400]);
            return;
        }
        let is_right = with != 1;
        let tag = if is_right { revision } else { revision + 1 };
        let request = request.header("If-Match", format!("\"{tag}\""));
        let to = match (self.guineas[place].status, with) {
            ("active", 2 | 3) => "suspended",
            ("suspended", 2..5) => "active",
            ("active" | "suspended", 5) if self.dice.one_in(4) => "revoked",
            (same, _) => same,
        };
        change["status"] = to.into();
        let status = if is_right { 200 } else { 412 };
        self.ask(by, request.json(&change), &[status]);
        if is_right {
            self.guineas[place].revision += 1;
            self.guineas[place].status = to;
        }
    }

    pub(crate) fn decommission_agent(&mut self) {
        let party = self.somebody().1;
        let ask =
            |id: &str| Request::to("decommissionAgent", &[("agentId", id)]).bearer(&party.token);
        let by = By::caller_of(self.home);
        let spare = self.guineas.len() > KEPT && !self.dice.one_in(3);
        let Some(place) = self.some_guinea().filter(|_| spare) else {
            let pair = self.strangers().map(|id| ask(&id));
            self.ask_alike(by, pair, &[403]);
            return;
        };
        let id = self.guineas[place].agent.clone();
        if !party.may(Permission::AgentsWrite) {
            self.ask(by, ask(&id), &[403]);
            return;
        }
        self.ask(by, ask(&id), &[204]);
        self.guineas.swap_remove(place);
    }
}

/// The id next to another: of nothing that there is, and of the same time.
pub(crate) fn beside(id: &str) -> String {
    let (rest, last) = id.split_at(id.len() - 1);
    let last = u8::from_str_radix(last, 16).unwrap();
    format!("{rest}{:x}", last ^ 1)
}

/// A list counts to 10,000 and says so where there is more.
pub(crate) fn assert_total(list: &Value, expected: u64) {
    if expected <= 10_000 {
        assert_eq!(list["total"], expected);
    } else {
        assert_eq!((&list["total"], &list["totalRelation"]), (&json!(10_000), &json!("gte")));
    }
}
