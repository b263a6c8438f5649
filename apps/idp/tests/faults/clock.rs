//! A clock of a process's own, ahead of the machine's or behind it, that can be set while it runs: by
//! the library faketime, which stands between the process and the machine. Only what tells the date is
//! moved; what measures how long something takes is the machine's.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What a process that was started with a clock of its own has, where nobody else looks.
const LEFT: [&str; 2] = ["faketime_shm_", "sem.faketime_sem_"];

/// The time of one process.
#[derive(Debug)]
pub(crate) struct MovedClock {
    /// What the library reads at each question.
    file: PathBuf,
    library: String,
}

impl MovedClock {
    /// A clock so many seconds ahead of the machine's; behind it, where they are less than none.
    pub(crate) fn new(file: PathBuf, ahead: i64) -> Self {
        let asked = ["-m", "-f", "+0", "printenv", "LD_PRELOAD"];
        let found = Command::new("faketime").args(asked).output();
        let found = found.expect("faketime comes with the package of its name");
        let library = String::from_utf8(found.stdout).unwrap().trim().to_owned();
        let clock = Self { file, library };
        clock.set(ahead);
        clock
    }

    /// Lets a process that is about to be started have it.
    pub(crate) fn give_to(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
    }

    /// Sets it, from now on.
    pub(crate) fn set(&self, ahead: i64) {
        // Renamed, so that nobody reads half of it.
        let fresh = self.file.with_extension("fresh");
        fs::write(&fresh, format!("{ahead:+}\n")).unwrap();
        fs::rename(&fresh, &self.file).unwrap();
    }

    /// Clears up after a process that had one, once it has ended: it is killed, and does not do so
    /// itself.
    pub(crate) fn clear_up_after(process: u32) {
        for left in LEFT {
            // There is none where the process had no clock of its own.
            let _ = fs::remove_file(format!("/dev/shm/{left}{process}"));
        }
    }
}
