//! The two verifiers, and what they are given: what a server exports, and a checkpoint that left.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use audit::{
    LogReader, VerifierKey,
    verify::{Checkpoints, CheckpointsRefused, Finding, Verifier, verify},
};
use usecases::audit_log::{ExportCursor, export_page};

use super::Log;

/// The export of a log, and what it is held against.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its lines.
    pub export: Vec<u8>,
    /// The checkpoints that left, as lines of the file.
    pub checkpoints: Vec<u8>,
    /// The key.
    pub key: VerifierKey,
}

/// Where the verifier in Python gets its cases from.
#[derive(Debug)]
pub struct Verifiers {
    folder: PathBuf,
}

impl Case {
    /// Exports a log as the server does, up to the newest checkpoint that its row tells of.
    pub async fn of(log: &Log, view: &mut impl LogReader) -> Self {
        let end = view.log_state().await.unwrap().signed_size();
        let (mut export, mut cursor) = (Vec::new(), Some(ExportCursor { next: 0, end }));
        while let Some(next) = cursor {
            let page = export_page(view, next).await.unwrap();
            export.extend(page.bytes);
            cursor = page.next;
        }
        Self { export, checkpoints: log.left.clone(), key: log.key.clone() }
    }

    /// What the verifier of the server says. `None` where all is well.
    #[must_use]
    pub fn found(&self) -> Option<Finding> {
        let mut checkpoints = Checkpoints::signed_by(self.key.clone()).unwrap();
        match checkpoints.add(&*self.checkpoints) {
            Ok(()) => {}
            Err(CheckpointsRefused::Found(finding)) => return Some(finding),
            Err(refused) => panic!("{refused}"),
        }
        let verifier = Verifier::new(checkpoints).unwrap();
        verify(verifier, &*self.export).unwrap().err()
    }

    fn write(&self, folder: &Path) {
        fs::create_dir_all(folder.join("checkpoints")).unwrap();
        fs::write(folder.join("export.ndjson"), &self.export).unwrap();
        fs::write(folder.join("checkpoints/1"), &self.checkpoints).unwrap();
        fs::write(folder.join("key"), self.key.to_string()).unwrap();
    }
}

/// What a verifier prints.
#[must_use]
pub fn said(found: Option<&Finding>) -> String {
    found.map_or_else(|| "ok".to_owned(), ToString::to_string)
}

impl Verifiers {
    /// With a folder for cases, that is empty.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        let asked = Command::new("python3").args(["-c", "import cryptography"]).output();
        let is_there = asked.is_ok_and(|output| output.status.success());
        assert!(
            is_there,
            "the second verifier needs python3 and its package `cryptography`: `cargo xtask test` \
             brings them; on Debian they are in python3-cryptography"
        );
        Self { folder }
    }

    /// What the verifier in Python says of each case.
    #[must_use]
    pub fn python<'a>(&self, cases: impl IntoIterator<Item = &'a Case>) -> Vec<String> {
        let mut count = 0_usize;
        for case in cases {
            case.write(&self.folder.join(format!("{count:06}")));
            count += 1;
        }
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify/verify.py");
        let mut python = Command::new("python3");
        let output = python.arg(program).arg("--cases").arg(&self.folder).output().unwrap();
        let (told, errors) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{told}{errors}");
        let told: Vec<_> = told.lines().map(str::to_owned).collect();
        assert_eq!(told.len(), count, "{errors}");
        for number in 0..count {
            fs::remove_dir_all(self.folder.join(format!("{number:06}"))).unwrap();
        }
        let said = |(number, line): (usize, String)| {
            line.strip_prefix(&format!("{number:06} ")).unwrap().to_owned()
        };
        told.into_iter().enumerate().map(said).collect()
    }
}
