//! Events for others.

use std::{fs, path::Path};

use audit::{
    Action, Hash, Outcome, Place, Resource, ResourceKind,
    delivery::EventSink,
    log::EventRecord,
    sequence::{Leaf, LeafRecord},
};
use outlets::{CloudEventsFile, CloudEventsOutput};
use serde_json::Value;
use tenancy::Origin;

use crate::kit::{ISSUER, Kept, LONG, at, objects, organization, origin};

fn record(position: u64) -> LeafRecord {
    let place_in_list = usize::try_from(position).unwrap() % Action::ALL.len();
    let id = format!("0195f3c2-7a1e-7cc0-8a3f-{position:012x}");
    let hash = Hash::of(b"any");
    let place = Place { position, out_of_order: false };
    let event = EventRecord {
        id: id.parse().unwrap(),
        organization: organization(1),
        agent: None,
        action: *Action::ALL.get(place_in_list).unwrap(),
        outcome: Outcome::Success,
        resource: Some(Resource { kind: ResourceKind::Agent, id: id.clone() }),
        origin: Origin::internal(),
        salt: None,
        used: None,
        metadata: [("name".to_owned(), Value::from("two\nlines"))].into_iter().collect(),
        timestamp: at(),
    };
    let leaf = Leaf { place, event: event.id, commitment: hash, hash };
    LeafRecord { leaf, event: Some(event) }
}

async fn open(path: &Path) -> CloudEventsFile {
    CloudEventsFile::open(path, ISSUER).await.unwrap().within(LONG)
}

fn erased(position: u64) -> LeafRecord {
    LeafRecord { event: None, ..record(position) }
}

/// What CloudEvents 1.0 demands of the attributes of an event in its JSON format.
fn is_a_cloud_event(event: &Value) {
    let attributes = event.as_object().unwrap();
    assert_eq!(attributes["specversion"], "1.0");
    for required in ["id", "source", "type", "subject", "time", "datacontenttype"] {
        let text = attributes[required].as_str().unwrap();
        assert!(!text.is_empty() && !text.contains(char::is_control), "{required}");
    }
    let base = url::Url::parse("https://base.example").unwrap();
    let source = attributes["source"].as_str().unwrap();
    assert_eq!(base.join(source).unwrap().as_str(), format!("https:{source}"));
    assert_eq!(source, format!("//{}", origin(1)));
    assert!(attributes["time"].as_str().unwrap().parse::<kernel::Timestamp>().is_ok());
    assert!(attributes["type"].as_str().unwrap().starts_with("agentidp."));
    assert!(attributes["data"].is_object());
    assert!(!attributes.contains_key("data_base64"));
    for (name, value) in attributes.iter().filter(|(name, _)| *name != "data") {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
        assert!(value.is_string(), "{name}");
    }
}

#[tokio::test]
async fn every_event_is_a_line_with_what_the_specification_demands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let file = open(&path).await;
    let many = u64::try_from(Action::ALL.len()).unwrap();
    let records: Vec<LeafRecord> = (0..many).map(record).collect();
    file.deliver(&records).await.unwrap();
    file.deliver(&[record(many)]).await.unwrap();
    let lines = objects(&path);
    lines.iter().for_each(is_a_cloud_event);
    let positions: Vec<&str> = lines.iter().map(|e| e["position"].as_str().unwrap()).collect();
    assert_eq!(positions, (0..=many).map(|p| p.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_event_whose_content_is_erased_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let file = open(&path).await;
    file.deliver(&[erased(0), record(1), erased(2)]).await.unwrap();
    file.deliver(&[erased(3)]).await.unwrap();
    file.deliver(&[]).await.unwrap();
    let lines = objects(&path);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["position"], "1");
}

#[tokio::test]
async fn what_a_crash_left_of_a_line_does_not_spoil_the_next_event() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(&path, "{\"specversion\":\"1.").unwrap();
    let file = open(&path).await;
    file.deliver(&[record(0)]).await.unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    is_a_cloud_event(&serde_json::from_str(lines[1]).unwrap());
}

#[tokio::test]
async fn a_file_that_is_rotated_is_followed_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("events.jsonl"), folder.path().join("old"));
    let file = open(&path).await;
    file.deliver(&[record(0)]).await.unwrap();
    fs::rename(&path, &old).unwrap();
    file.deliver(&[record(1)]).await.unwrap();
    assert_eq!((objects(&old).len(), objects(&path).len()), (1, 1));
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone").join("events.jsonl");
    fs::create_dir(path.parent().unwrap()).unwrap();
    let file = open(&path).await;
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    assert_eq!(file.deliver(&[record(0)]).await.unwrap_err().sink, "events file");
    fs::create_dir(path.parent().unwrap()).unwrap();
    file.deliver(&[record(0)]).await.unwrap();
    assert_eq!(objects(&path).len(), 1);
}

#[tokio::test]
async fn the_output_has_the_same_lines() {
    let kept = Kept::default();
    let output = CloudEventsOutput::of(kept.clone(), LONG, ISSUER);
    output.deliver(&[record(0), erased(1), record(2)]).await.unwrap();
    let text = kept.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    lines.iter().for_each(is_a_cloud_event);
}
