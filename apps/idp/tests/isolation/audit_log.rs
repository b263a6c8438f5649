//! The audit log, and the organization as its members see it.

use registry::Permission;

use crate::{
    agents::{assert_total, beside},
    wire::{Answer, Request},
    worker::{By, Worker},
    world::{one_of, remember},
};

impl Worker<'_> {
    pub(crate) fn list_events(&mut self) {
        let party = self.somebody().1;
        let ask = |pairs: &[(&str, String)]| {
            Request::to("listAuditEvents", &[]).query(pairs).bearer(&party.token)
        };
        let by = By::caller_of(self.home);
        let limit = ("limit", self.limit());
        if !party.may(Permission::AuditRead) {
            self.ask(by, ask(&[limit]), &[403]);
            return;
        }
        let [foreign, nobody] = self.strangers();
        let other = self.world.another(self.home, &mut self.dice);
        match self.dice.within(0..7) {
            0 => {
                let event = self.strange_event(other).unwrap_or(foreign);
                let pair = [event.clone(), beside(&event)];
                self.ask_alike_alone(pair.map(|id| ask(&[limit.clone(), ("cursor", id)])));
            }
            1 => {
                let filter = one_of(&["agentId", "resourceId"], &mut self.dice).unwrap();
                let pair = [foreign, nobody].map(|id| ask(&[(*filter, id), limit.clone()]));
                let answer = self.ask_alike(by, pair, &[200]);
                assert_eq!(answer.json()["total"], 0);
            }
            2 => {
                let other = self.world.tenants[other].id.clone();
                self.ask(by, ask(&[("organizationId", other)]), &[400]);
            }
            3 => {
                let (answer, [.., events]) = self.ask_alone(&ask(&[limit]));
                assert_total(&answer.json(), events);
                self.remember_events(&answer);
            }
            4 => {
                let own = self.tenant().some_agent(&mut self.dice);
                let answer = self.ask(by, ask(&[limit, ("agentId", own.clone())]), &[200]).json();
                let mut rows = answer["data"].as_array().into_iter().flatten();
                assert!(rows.all(|row| row["agentId"] == *own), "{answer}");
            }
            5 => {
                let page = ("page", self.dice.within(1..20).to_string());
                let answer = self.ask(by, ask(&[limit, page]), &[200]);
                self.remember_events(&answer);
            }
            _ => {
                let denied = ("action", "access.denied".to_owned());
                self.ask(by, ask(&[limit, denied]), &[200]);
            }
        }
    }

    fn strange_event(&mut self, place: usize) -> Option<String> {
        self.world.tenants[place].some(|known| &known.events, &mut self.dice)
    }

    fn remember_events(&mut self, list: &Answer) {
        let list = list.json();
        let tenant = self.tenant();
        for event in list["data"].as_array().into_iter().flatten() {
            assert_eq!(event["organizationId"], tenant.id, "{event}");
        }
        let rows = list["data"].as_array().cloned().unwrap_or_default();
        if let Some(event) = one_of(&rows, &mut self.dice) {
            let id = event["eventId"].as_str().unwrap().to_owned();
            remember(&mut tenant.known().events, id, &mut self.dice);
        }
    }

    pub(crate) fn get_event(&mut self) {
        let party = self.somebody().1;
        let ask = |id: &str| Request::to("getAuditEvent", &[("eventId", id)]).bearer(&party.token);
        let by = By::caller_of(self.home);
        let own = self.tenant().some(|known| &known.events, &mut self.dice);
        match own.filter(|_| !self.dice.one_in(2)) {
            Some(own) => {
                let status = if party.may(Permission::AuditRead) { 200 } else { 403 };
                let answer = self.ask(by, ask(&own), &[status]).json();
                if status == 200 {
                    assert_eq!(answer["eventId"], own);
                    assert_eq!(answer["organizationId"], self.tenant().id);
                }
            }
            None => {
                let other = self.world.another(self.home, &mut self.dice);
                let [foreign, nobody] = self.strangers();
                let event = self.strange_event(other).unwrap_or(foreign);
                self.ask_alike(by, [ask(&event), ask(&nobody)], &[403]);
            }
        }
    }

    pub(crate) fn get_organization(&mut self) {
        let party = self.somebody().1;
        let request = Request::to("getOrganization", &[]).bearer(&party.token);
        if self.dice.one_in(4) {
            let other = self.world.another(self.home, &mut self.dice);
            let lie = ("organizationId", self.world.tenants[other].id.clone());
            self.ask(By::caller_of(self.home), request.query(&[lie]), &[400]);
            return;
        }
        let (answer, [_, live, _]) = self.ask_alone(&request);
        let organization = answer.json();
        assert_eq!(organization["organizationId"], self.tenant().id);
        assert_eq!(organization["usage"]["agents"], live);
    }
}
