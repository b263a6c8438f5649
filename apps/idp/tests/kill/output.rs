//! What leaves a log by standard output.

use serde_json::Value;

use crate::departed::{Checkpoint, Departed};
use crate::installation::Installation;

#[test]
fn what_leaves_by_standard_output_is_lines_that_parse() {
    let mut installation = Installation::new();
    installation.settings.push(("IDP_AUDIT_STDOUT", "checkpoints,events".to_owned()));
    let server = installation.serve();
    let mut last = installation.session(&server).covered();
    for _ in 0..3 {
        last = installation.session(&server).covered();
    }
    let greeting = server.greeting.clone();
    let said = server.stop().out;
    let greeted = greeting.lines().filter(|line| line.starts_with('{'));
    let lines =
        greeted.chain(said.lines()).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (checkpoints, events): (Vec<_>, Vec<_>) =
        lines.partition(|line| line["type"] == "checkpoint");
    let mut departed = Departed::default();
    let note = |line: &Value| Checkpoint::of(line["checkpoint"].as_str().unwrap());
    departed.take_row(checkpoints.iter().map(note));
    assert!(departed.greatest() >= last.size);
    for (position, event) in events.iter().enumerate() {
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["position"], position.to_string());
    }
    assert!(events.len() >= last.size.try_into().unwrap());
}
