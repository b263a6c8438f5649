//! What proves the audit log: of one's own log, and of no other.

use registry::Permission;
use serde_json::Value;

use crate::{
    wire::{Answer, Request},
    worker::{By, Worker},
};

impl Worker<'_> {
    /// Asks for something of a log by one who may read it, or who may not.
    fn ask_of_log(&mut self, request: &Request, statuses: &[u16]) -> Option<Answer> {
        let party = self.somebody().1;
        let (request, by) = (request.clone().bearer(&party.token), By::caller_of(self.home));
        if !party.may(Permission::AuditRead) {
            self.ask(by, request, &[403]);
            return None;
        }
        let answer = self.ask(by, request, statuses);
        (answer.status == 200).then_some(answer)
    }

    pub(crate) fn get_of_log(&mut self, operation: &str) {
        let request = Request::to(operation, &[]);
        let request = match operation {
            "getAuditConsistency" => request.query(&[("from", "1".to_owned())]),
            _ => request,
        };
        // The log of an organization that has just begun may have no checkpoint yet.
        let Some(answer) = self.ask_of_log(&request, &[200, 400, 404]) else { return };
        let own = &self.tenant().id;
        assert!(operation == "getAuditConsistency" || answer.body.contains(own), "{answer:?}");
    }

    pub(crate) fn get_proof(&mut self) {
        let party = self.somebody().1;
        let ask = |id: &str| Request::to("getAuditProof", &[("eventId", id)]).bearer(&party.token);
        let by = By::caller_of(self.home);
        let own = self.tenant().some(|known| &known.events, &mut self.dice);
        let Some(own) = own.filter(|_| !self.dice.one_in(2)) else {
            let other = self.world.another(self.home, &mut self.dice);
            let [foreign, nobody] = self.strangers();
            let theirs = self.world.tenants[other].some(|known| &known.events, &mut self.dice);
            let event = theirs.unwrap_or(foreign);
            self.ask_alike(by, [ask(&event), ask(&nobody)], &[403]);
            return;
        };
        if !party.may(Permission::AuditRead) {
            self.ask(by, ask(&own), &[403]);
            return;
        }
        let proof = self.ask(by, ask(&own), &[200, 404]).json();
        let checkpoint = proof["checkpoint"].as_str().unwrap_or_default();
        let is_own = checkpoint.is_empty() || checkpoint.contains(&self.tenant().id);
        assert!(is_own, "{proof}");
    }

    /// Entries hold what events say, so that one of another organization would be seen. Only those from
    /// before anybody asked for anything in vain: what was, stands in the asker's own log.
    pub(crate) fn get_tile(&mut self) {
        let paths = ["0/000.p/1", "0/000", "entries/000.p/1", "entries/000.p/4", "1/000.p/1"];
        let path = paths[usize::try_from(self.dice.within(0..5)).unwrap()];
        self.ask_of_log(&Request::to("getAuditTile", &[("path", path)]), &[200, 404]);
    }

    pub(crate) fn export_log(&mut self) {
        // Few may run at a time.
        let export = Request::to("exportAuditLog", &[]);
        let Some(answer) = self.ask_of_log(&export, &[200, 429, 503]) else { return };
        for line in answer.body.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let told = line["event"]["organizationId"].as_str();
            assert!(told.is_none_or(|told| told == self.tenant().id), "{line}");
        }
    }
}
