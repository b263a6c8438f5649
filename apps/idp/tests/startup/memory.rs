//! The process's memory, in which there are secrets, stays in the process.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::process::{Process, data, idp};

/// A user without rights.
const NOBODY: u32 = 65_534;

#[test]
fn sl_04_no_core_is_ever_written() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::serve(&mut idp(&[], &data(&folder)));
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.process.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<_> = core.split_whitespace().skip(4).collect();
    assert_eq!(words, ["0", "0", "bytes"]);
}

/// The system gives what it tells of a process that is not dumpable to root, whoever runs it; so
/// the process must be of another user for the difference to show.
#[test]
fn sl_04_other_processes_of_the_same_user_cannot_read_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let user = fs::metadata(folder.path()).unwrap().uid();
    let mut command = if user == 0 {
        let program = folder.path().join("idp");
        fs::copy(env!("CARGO_BIN_EXE_idp"), &program).unwrap();
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        let mut command = Command::new(program);
        command.uid(NOBODY).gid(NOBODY).env_clear().env("PORT", "0");
        command.env("IDP_DATA_DIR", data(&folder));
        command
    } else {
        idp(&[], &data(&folder))
    };
    let server = Process::serve(&mut command);
    assert_ne!(fs::metadata(data(&folder)).unwrap().uid(), 0, "it runs as root");
    let owner = fs::metadata(format!("/proc/{}/mem", server.process.id())).unwrap().uid();
    assert_eq!(owner, 0, "its user owns its memory");
}
