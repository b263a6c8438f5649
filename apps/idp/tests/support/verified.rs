//! An export, held against checkpoints by those who verify.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::departed::Departed;

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify/verify.py");

/// What the log said at one time, in a folder of its own.
#[derive(Debug)]
pub(crate) struct Evidence {
    folder: tempfile::TempDir,
    events: Vec<Value>,
}

impl Evidence {
    /// Keeps an export, a verifier key, and what left before.
    pub(crate) fn keep(export: &str, key: &str, departed: &Departed) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("export"), export).unwrap();
        fs::write(folder.path().join("key"), key).unwrap();
        departed.write(&folder.path().join("checkpoints"));
        let lines = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let leaves =
            lines.filter(|line| line["position"].is_u64()).map(|line| line["event"].clone());
        Self { events: leaves.collect(), folder }
    }

    /// How many positions there are.
    pub(crate) fn size(&self) -> u64 {
        self.events.len().try_into().unwrap()
    }

    /// How often each thing was done, by action and resource.
    pub(crate) fn done(&self) -> BTreeMap<(String, String), u64> {
        let mut done = BTreeMap::new();
        for event in self.events.iter().filter(|event| event["outcome"] == "success") {
            let member = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            *done.entry((member("action"), member("resourceId"))).or_default() += 1;
        }
        done
    }

    /// What `idp audit verify` says, given all that left.
    pub(crate) fn by_idp(&self) -> Output {
        self.ask(Command::new(env!("CARGO_BIN_EXE_idp")).args(["audit", "verify"]).env_clear())
    }

    /// What the second verifier says.
    pub(crate) fn by_python(&self) -> Output {
        self.ask(Command::new("python3").arg(PYTHON))
    }

    fn ask(&self, command: &mut Command) -> Output {
        let file = |name: &str| self.folder.path().join(name);
        let command = command.arg(file("export")).arg("--checkpoint").arg(file("checkpoints"));
        command.arg("--key").arg(file("key")).stdin(Stdio::null()).output().unwrap()
    }

    /// Also against a file of the server, as it lies there.
    pub(crate) fn by_idp_with(&self, file: &Path) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        self.ask(command.args(["audit", "verify"]).env_clear().arg("--checkpoint").arg(file))
    }
}

/// That it verified.
#[track_caller]
pub(crate) fn holds(said: &Output) {
    let Output { status, stdout, stderr } = said;
    let (out, log) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    assert_eq!(status.code(), Some(0), "{out}{log}");
}

/// That something was found, and what.
#[track_caller]
pub(crate) fn finds(said: &Output, finding: &str) {
    let (out, log) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert_eq!(said.status.code(), Some(1), "{out}{log}");
    assert!(out.contains(finding), "{out}");
}
