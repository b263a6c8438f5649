//! Events for others, as CloudEvents 1.0 in its JSON format has them.

use serde::Serialize;

use crate::{checkpoint::LogOrigin, event_view::EventView, sequence::LeafRecord};

/// What stands before an action in a type.
const TYPES: &str = "agentidp.";

/// An event with the attributes by which others sort it without knowing what it says.
///
/// Names of attributes are lower-case letters and digits alone (CloudEvents, "Naming Conventions").
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CloudEvent {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    time: String,
    datacontenttype: &'static str,
    organizationid: String,
    outcome: &'static str,
    // A text, since an attribute's integers end at 2³¹−1.
    position: String,
    data: EventView,
}

impl CloudEvent {
    /// The event of a leaf in the log of this name. `None` where its content is erased.
    #[must_use]
    pub fn of(origin: &LogOrigin, record: &LeafRecord) -> Option<Self> {
        let (event, place) = (record.event.as_ref()?, record.leaf.place);
        let subject =
            |resource: &crate::Resource| format!("{}/{}", resource.kind.name(), resource.id);
        Some(Self {
            specversion: "1.0",
            id: event.id.to_string(),
            // A reference by authority: the name has no scheme, which may change while the log stays.
            source: format!("//{origin}"),
            kind: format!("{TYPES}{}", event.action.name()),
            subject: event.resource.as_ref().map(subject),
            time: event.timestamp.to_string(),
            datacontenttype: "application/json",
            organizationid: event.organization.to_string(),
            outcome: event.outcome.name(),
            position: place.position.to_string(),
            data: EventView::of(event, Some(place)),
        })
    }

    /// As a line, newline at the end included.
    ///
    /// # Errors
    /// Where the event has no JSON.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|text| text + "\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};
    use tenancy::Origin;
    use uuid::Uuid;

    use super::*;
    use crate::{
        event::{Action, Outcome, Resource, ResourceKind},
        log::{EventRecord, Place},
        merkle::Hash,
        sequence::Leaf,
    };

    const ORGANIZATION: &str = "0195f3c2-7a1e-7cc0-8a3f-0f6c1a2b3c4d";
    const AGENT: &str = "0195f3c2-7a1e-7cc0-8a3f-0f6c1a2b3c4e";
    const EVENT: &str = "0195f3c2-7a1e-7cc0-8a3f-0f6c1a2b3c4f";

    fn origin() -> LogOrigin {
        LogOrigin::new("https://idp.example.com", ORGANIZATION.parse().unwrap()).unwrap()
    }

    fn record(position: u64, metadata: Map<String, Value>) -> LeafRecord {
        let id = EVENT.parse().unwrap();
        let hash = Hash::of(b"any");
        let place = Place { position, out_of_order: false };
        let event = EventRecord {
            id,
            organization: ORGANIZATION.parse().unwrap(),
            agent: Some(AGENT.parse().unwrap()),
            action: Action::AgentCreated,
            outcome: Outcome::Success,
            resource: Some(Resource { kind: ResourceKind::Agent, id: AGENT.to_owned() }),
            origin: Origin::internal(),
            salt: Some([7; 32]),
            used: None,
            metadata,
            timestamp: "2026-11-21T08:00:00Z".parse().unwrap(),
        };
        LeafRecord { leaf: Leaf { place, event: id, commitment: hash, hash }, event: Some(event) }
    }

    fn json_of(record: &LeafRecord) -> Value {
        let line = CloudEvent::of(&origin(), record).unwrap().to_line().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn an_event_has_the_attributes_that_others_sort_it_by_and_the_form_of_the_api() {
        let metadata = json!({"name": "a"}).as_object().unwrap().clone();
        let expected = json!({
            "specversion": "1.0",
            "id": EVENT,
            "source": format!("//idp.example.com/audit/{ORGANIZATION}"),
            "type": "agentidp.agent.created",
            "subject": format!("agent/{AGENT}"),
            "time": "2026-11-21T08:00:00.000000Z",
            "datacontenttype": "application/json",
            "organizationid": ORGANIZATION,
            "outcome": "success",
            "position": "12",
            "data": {
                "eventId": EVENT,
                "organizationId": ORGANIZATION,
                "agentId": AGENT,
                "action": "agent.created",
                "outcome": "success",
                "resourceType": "agent",
                "resourceId": AGENT,
                "ipAddress": null,
                "userAgent": null,
                "requestId": "internal",
                "metadata": {"name": "a"},
                "timestamp": "2026-11-21T08:00:00.000000Z",
                "position": 12,
                "outOfOrder": false,
            },
        });
        assert_eq!(json_of(&record(12, metadata)), expected);
    }

    #[test]
    fn names_of_attributes_are_lower_case_letters_and_digits() {
        let event = json_of(&record(0, Map::new()));
        for name in event.as_object().unwrap().keys() {
            let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            assert!(is_plain && name.len() <= 20, "{name}");
        }
    }

    #[test]
    fn a_position_that_no_attribute_can_count_to_is_kept_whole() {
        assert_eq!(json_of(&record(u64::MAX, Map::new()))["position"], u64::MAX.to_string());
    }

    #[test]
    fn an_event_about_nothing_has_no_subject() {
        let mut record = record(0, Map::new());
        record.event.as_mut().unwrap().resource = None;
        assert_eq!(json_of(&record).get("subject"), None);
    }

    #[test]
    fn no_source_is_shared_by_two_logs() {
        let other = LogOrigin::new(
            "https://idp.example.com",
            kernel::OrganizationId::from_uuid(Uuid::max()),
        );
        let record = record(0, Map::new());
        let sources =
            [origin(), other.unwrap()].map(|log| CloudEvent::of(&log, &record).unwrap().source);
        assert_ne!(sources[0], sources[1]);
    }

    #[test]
    fn an_event_whose_content_is_erased_is_none() {
        let erased = LeafRecord { event: None, ..record(0, Map::new()) };
        assert_eq!(CloudEvent::of(&origin(), &erased), None);
    }

    #[test]
    fn au_12_a_name_with_line_ends_and_control_characters_stays_on_its_line() {
        let name = "a\r\nb\u{1b}[31m=cmd\u{2028}";
        let metadata = json!({"name": name}).as_object().unwrap().clone();
        let line = CloudEvent::of(&origin(), &record(0, metadata)).unwrap().to_line().unwrap();
        assert_eq!(line.find('\n'), Some(line.len() - 1));
        assert!(!line.contains(['\r', '\u{1b}']));
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["data"]["metadata"]["name"], name);
    }
}
