//! The tour of the README, taken as a reader takes it: every block pasted into one shell, against
//! the real binary, and what it prints held against what the README shows.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails so")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Deserializer, Map, Value};

use crate::support::server::RunningServer;

#[expect(dead_code, reason = "the other files of tests use the rest")]
mod support;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");

/// The section that is the tour.
const TOUR: &str = "\n## A tour in five minutes\n";

/// The one block that is not pasted: the test has started the server already.
const START: &str = "cargo run\n";

/// Where the README's server is.
const SHOWN_URL: &str = "http://127.0.0.1:3000";

/// Printed before each block, so that the outputs can be told apart.
const MARK: &str = "=== the next block";

/// A block of the tour, and what the README says that it prints.
struct Step {
    command: String,
    shown: String,
}

fn tour() -> Vec<Step> {
    let readme = fs::read_to_string(README).unwrap();
    let (_, section) = readme.split_once(TOUR).expect("the README has a tour");
    let section = section.split("\n## ").next().unwrap();
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: String = lines
            .by_ref()
            .take_while(|line| !line.starts_with("```"))
            .map(|line| format!("{line}\n"))
            .collect();
        match language {
            "sh" => steps.push(Step { command: block, shown: String::new() }),
            "json" | "text" => steps.last_mut().unwrap().shown = block,
            _ => panic!("a block of the tour is sh, json or text, and one is `{language}`"),
        }
    }
    steps
}

/// What each of the blocks prints, all of them pasted into one shell that stops at a failure.
fn take(steps: &[Step], server: &RunningServer) -> Vec<String> {
    let script: String =
        steps.iter().map(|step| format!("echo '{MARK}'\n{}", step.command)).collect();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env("IDP", &server.base_url)
        .env("DATA", &server.data_dir)
        .env("VERIFY", concat!(env!("CARGO_BIN_EXE_idp"), " audit verify"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{errors}");
    assert_eq!(errors, "", "{printed}");
    let mark = format!("{MARK}\n");
    printed.split(&mark).skip(1).map(|one| one.replace(&server.base_url, SHOWN_URL)).collect()
}

/// The values that the text is made of; each line that is none is a text itself.
fn values(text: &str) -> Vec<Value> {
    let parsed: Result<Vec<Value>, _> = Deserializer::from_str(text).into_iter().collect();
    let lines = || text.lines().map(Value::from).collect();
    parsed.unwrap_or_else(|_| lines()).into_iter().map(|value| stable("", value)).collect()
}

/// The value without what differs from run to run: of that, only the form is left.
fn stable(name: &str, value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let keep = |(name, value): (String, Value)| {
                let value = stable(&name, value);
                (name, value)
            };
            Value::Object(members.into_iter().map(keep).collect::<Map<_, _>>())
        }
        Value::Array(values) => values.into_iter().map(|value| stable("", value)).collect(),
        Value::Number(_) if ["iat", "nbf", "exp", "uptime", "position"].contains(&name) => {
            "a number".into()
        }
        Value::String(text) => form_of(&text).map_or(Value::String(text), Value::from),
        Value::Number(_) | Value::Bool(_) | Value::Null => value,
    }
}

fn form_of(text: &str) -> Option<&'static str> {
    let hexadecimal = |text: &str| text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    if lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| hexadecimal(group)) {
        Some("an id")
    } else if text.len() == 27 && text.ends_with('Z') && text.find('T') == Some(10) {
        Some("a time")
    } else if text.len() == 91 && text.starts_with("idp_sk_") {
        Some("a secret")
    } else if text.starts_with("curl/") {
        Some("a version of curl")
    } else {
        None
    }
}

#[test]
fn the_tour_in_the_readme_works_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let server = RunningServer::start(folder.path());
    let mut steps = tour();
    let start = steps.remove(0);
    assert_eq!(start.command, START, "the tour begins with the start of the server");
    assert!(steps.iter().all(|step| step.command != START && !step.shown.is_empty()));

    for (step, printed) in steps.iter().zip(take(&steps, &server)) {
        assert_eq!(values(&printed), values(&step.shown), "{}\nprints\n{printed}", step.command);
    }
}

#[test]
fn the_readme_shows_the_greeting_of_a_server_in_its_own_folder() {
    let shown = tour().remove(0).shown;
    let version = format!("AgentIdP {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(shown.lines().next(), Some(version.as_str()));
    assert_eq!(shown.lines().last(), Some("ready at http://127.0.0.1:3000"));
}

#[test]
fn the_program_in_the_readme_is_the_example_that_is_built() {
    let readme = fs::read_to_string(README).unwrap();
    let program = readme.split("\n```rust\n").nth(1).unwrap().split("```").next().unwrap();
    let example =
        Path::new(README).with_file_name("crates/domain/registry/examples/embed_registry.rs");
    let example = fs::read_to_string(example).unwrap();
    assert!(program.contains("fn main()") && example.contains(program), "{program}");
}
