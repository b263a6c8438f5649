//! Tokens: issued, introspected, revoked and forged.

use data_encoding::BASE64URL_NOPAD;
use registry::{Permission, Role};
use serde_json::{Value, json};

use crate::{
    oracle,
    wire::Request,
    worker::{By, Party, Worker},
    world::{Known, one_of, remember},
};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");
/// All that is ever said of a token that is none of the caller's business.
const INACTIVE: &str = r#"{"active":false}"#;
/// How many tokens an agent keeps.
const KEPT: usize = 4;

impl Worker<'_> {
    /// A token of everything that the party may ask for.
    pub(crate) fn token_of(&mut self, party: &Party) -> String {
        let request = Request::to("issueToken", &[]).basic(&party.agent, &party.secret);
        let answer = self.ask(By::caller_of(self.home), request.form(&[GRANT]), &[200]);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn issue_token(&mut self) {
        let by = By::caller_of(self.home);
        match self.dice.within(0..6) {
            0 => self.issue_to_an_impostor(),
            1 => {
                let party = self.somebody().1;
                let other = self.world.another(self.home, &mut self.dice);
                let scope = format!("{}:read", self.world.tenants[other].marker);
                let ask = |scope: &str| {
                    let request = Request::to("issueToken", &[]);
                    request.basic(&party.agent, &party.secret).form(&[GRANT, ("scope", scope)])
                };
                self.ask_alike(by, [ask(&scope), ask("no-such:read")], &[400]);
            }
            2 => {
                let party = self.somebody().1;
                let form = [GRANT, ("client_id", &party.agent), ("client_secret", &party.secret)];
                self.ask(by, Request::to("issueToken", &[]).form(&form), &[200]);
            }
            _ => self.issue_to_a_guinea(),
        }
    }

    /// Its status is known to each replica within a second: until then it may go either way.
    fn issue_to_a_guinea(&mut self) {
        let Some(place) = self.some_guinea() else { return };
        let guinea = &self.guineas[place];
        let Some((_, secret)) = one_of(&guinea.credentials, &mut self.dice).cloned() else {
            return;
        };
        let request = Request::to("issueToken", &[]).basic(&guinea.agent, &secret).form(&[GRANT]);
        let answer = self.ask(By::caller_of(self.home), request, &[200, 401]).json();
        if let Some(token) = answer["access_token"].as_str() {
            let mut known = self.tenant().known();
            remember(&mut known.spent, token.to_owned(), &mut self.dice);
            drop(known);
            let tokens = &mut self.guineas[place].tokens;
            tokens.truncate(KEPT - 1);
            tokens.push(token.to_owned());
        }
    }

    /// Another's id with a secret of one's own: as good as an id of nobody.
    fn issue_to_an_impostor(&mut self) {
        let other = self.world.another(self.home, &mut self.dice);
        let tenant = &self.world.tenants[other];
        let (theirs, nobodys) = (tenant.some_agent(&mut self.dice), self.nobodys_id());
        let party = self.somebody().1;
        let ask = |id: &str| Request::to("issueToken", &[]).basic(id, &party.secret).form(&[GRANT]);
        let refused = self.ask(By::impostor_of(other), ask(&theirs), &[401]);
        let unknown = self.ask(By::nobody(), ask(&nobodys), &[401]);
        assert_eq!(refused.without_the_moment(), unknown.without_the_moment());
    }

    /// A token of another organization, good or spent; where it has none yet, one of nobody.
    fn strange_token(&mut self) -> (usize, String, bool) {
        let other = self.world.another(self.home, &mut self.dice);
        let is_good = self.dice.one_in(2);
        let kind: fn(&Known) -> &Vec<String> =
            if is_good { |known| &known.tokens } else { |known| &known.spent };
        let token = self.world.tenants[other].some(kind, &mut self.dice);
        let is_good = is_good && token.is_some();
        (other, token.unwrap_or_else(|| "a.b.c".to_owned()), is_good)
    }

    /// A request about a token, by the party's own token or by its secret; and by which.
    fn about(
        &mut self,
        operation: &str,
        party: &Party,
    ) -> (impl Fn(&str) -> Request + use<>, bool) {
        let by_secret = self.dice.one_in(3);
        let request = Request::to(operation, &[]);
        let request = match by_secret {
            true => request.basic(&party.agent, &party.secret),
            false => request.bearer(&party.token),
        };
        (move |token: &str| request.clone().form(&[("token", token)]), by_secret)
    }

    pub(crate) fn introspect_token(&mut self) {
        let party = self.somebody().1;
        let may = party.may(Permission::TokensIntrospect);
        let (ask, by_secret) = self.about("introspectToken", &party);
        let by = By::caller_of(self.home);
        // A client with its secret may ask, and learns of its own tokens alone.
        let status = if may || by_secret { 200 } else { 403 };
        if self.dice.one_in(2) {
            let (_, token, _) = self.strange_token();
            let (claims, forged) = (self.lying_claims(), self.dice.one_in(2));
            let other = if forged { tamper(&token, &claims) } else { "a.b.c".to_owned() };
            let answer = self.ask_alike(by, [ask(&token), ask(&other)], &[status]);
            assert!(status == 403 || answer.body == INACTIVE, "{answer:?}");
            return;
        }
        let subject = self.somebody().1;
        let answer = self.ask(by, ask(&subject.token), &[status]).json();
        if status == 200 {
            // A resource server learns of tokens for its own resources, of which it has none here.
            let of_all = may && party.role != Some(Role::ResourceServer);
            let knows = of_all || subject.agent == party.agent;
            assert_eq!(answer["active"], knows, "{answer}");
        }
        let guinea = self.some_guinea().map(|place| self.guineas[place].tokens.clone());
        if let Some(token) = one_of(&guinea.unwrap_or_default(), &mut self.dice) {
            self.ask(by, ask(token), &[status]);
        }
    }

    pub(crate) fn revoke_token(&mut self) {
        let party = self.somebody().1;
        let (ask, _) = self.about("revokeToken", &party);
        let by = By::caller_of(self.home);
        let place = self.some_guinea().filter(|_| self.dice.one_in(2));
        let token = place.and_then(|place| self.guineas[place].tokens.pop());
        let Some(token) = token else {
            let (other, token, is_good) = self.strange_token();
            self.ask_alike_leaving(0, by, [ask(&token), ask("a.b.c")], &[200]);
            if is_good {
                self.is_still_good(other, &token);
            }
            return;
        };
        // Whoever may not is told the same, and the log tells of it: one event either way.
        self.ask(by, ask(&token), &[200]);
        if party.may(Permission::TokensRevoke) && self.dice.one_in(2) {
            self.ask_leaving(0, by, ask(&token), &[200]);
        }
    }

    /// What another organization did to a token of this one had no effect.
    fn is_still_good(&mut self, owner: usize, token: &str) {
        let admin = &self.world.tenants[owner].admin;
        let request = Request::to("introspectToken", &[]).basic(&admin.admin, &admin.secret);
        let request = request.form(&[("token", token)]);
        let answer = self.ask(By::caller_of(owner), request, &[200]).json();
        assert_eq!(answer["active"], true, "{token}");
    }

    /// Claims that name another organization.
    fn lying_claims(&mut self) -> Value {
        let other = self.world.another(self.home, &mut self.dice);
        let other = &self.world.tenants[other];
        let agent = &other.admin.admin;
        let lies = [
            json!({ "organization_id": other.id }),
            json!({ "sub": agent, "client_id": agent }),
            json!({ "organization_id": other.id, "sub": agent, "client_id": agent }),
            json!({ "iss": format!("https://{}.example.com", other.marker) }),
            json!({ "credential_id": other.admin.credential }),
        ];
        one_of(&lies, &mut self.dice).unwrap().clone()
    }

    /// A good route of one's own, with a token that says something else than was signed.
    pub(crate) fn forge(&mut self) {
        let party = self.somebody().1;
        let claims = self.lying_claims();
        let (_, theirs, _) = self.strange_token();
        let token = match self.dice.within(0..3) {
            0 => tamper(&party.token, &claims),
            1 => tamper(&theirs, &claims),
            // One's own claims under another's signature.
            _ => {
                let (claims, _) = party.token.rsplit_once('.').unwrap();
                let (_, signature) = theirs.rsplit_once('.').unwrap();
                format!("{claims}.{signature}")
            }
        };
        let guinea = self.some_guinea().map(|place| self.guineas[place].agent.clone());
        let agent = guinea.unwrap_or_else(|| party.agent.clone());
        let ids = [("agentId", agent.as_str()), ("credentialId", agent.as_str())];
        let operations = ["getAgent", "listAgents", "listAuditEvents", "listCredentials"];
        let more = ["getOrganization", "decommissionAgent", "introspectToken", "revokeCredential"];
        let all: Vec<_> = operations.into_iter().chain(more).collect();
        let request = Request::to(one_of(&all, &mut self.dice).unwrap(), &ids).bearer(&token);
        let request = match request.operation {
            "introspectToken" => request.form(&[("token", &party.token)]),
            _ => request,
        };
        self.ask(By::nobody(), request, &[401]);
    }
}

/// The token with other claims, under the old signature.
fn tamper(token: &str, lies: &Value) -> String {
    let mut claims: Value = serde_json::from_str(&oracle::payload(token)).unwrap_or(json!({}));
    let changed = claims.as_object_mut().unwrap();
    changed.extend(lies.as_object().cloned().unwrap());
    let payload = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
    let parts: Vec<_> = token.split('.').collect();
    format!("{}.{payload}.{}", parts[0], parts[2])
}
