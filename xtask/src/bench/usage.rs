//! What processes of this machine have used: CPU time, and memory, as the kernel tells.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// Of the kernel's clock for processes, which ticks a hundred times a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// How often one looks whether a process is quiet.
const LOOK: Duration = Duration::from_millis(400);

/// As long as it goes on for longer than this, something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// The CPU time that a process has used, in user mode and in the kernel, with all of its threads.
pub(crate) fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    Ok(Stat::of(process)?.own)
}

/// Likewise with all of its children, those that have ended included.
pub(crate) fn cpu_time_of_family(process: u32) -> anyhow::Result<Duration> {
    let parent = Stat::of(process)?;
    let mut sum = parent.own + parent.of_the_ended;
    for entry in fs::read_dir("/proc").context("reading `/proc`")?.flatten() {
        let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // One that ended meanwhile is counted with its parent the next time.
        if let Some(child) = id.and_then(|id| Stat::of(id).ok())
            && child.parent == process
        {
            sum += child.own;
        }
    }
    Ok(sum)
}

/// The memory that a process has, and that is not swapped out, in bytes.
pub(crate) fn resident(process: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading `{path}`"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kibibytes: u64 = kibibytes.context("the kernel does not tell")?.trim().parse()?;
    Ok(kibibytes * 1024)
}

/// Waits until the process does no more than an idle one: what it has to do after a load is done.
pub(crate) fn until_quiet(process: u32) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut before = cpu_time(process)?;
    // Twice, since one may look between two of the things that it does by the clock.
    let mut quiet = 0;
    while quiet < 2 {
        thread::sleep(LOOK);
        let now = cpu_time(process)?;
        quiet = if now.saturating_sub(before) <= 2 * TICK { quiet + 1 } else { 0 };
        before = now;
        ensure!(began.elapsed() < PATIENCE, "process {process} is not quiet after a minute");
    }
    Ok(())
}

/// What the kernel tells of a process in one line.
struct Stat {
    parent: u32,
    own: Duration,
    of_the_ended: Duration,
}

impl Stat {
    fn of(process: u32) -> anyhow::Result<Self> {
        let path = Path::new("/proc").join(process.to_string()).join("stat");
        let line = fs::read_to_string(&path);
        let line = line.with_context(|| format!("process {process} is not there any more"))?;
        Self::parse(&line).with_context(|| format!("reading `{}`", path.display()))
    }

    fn parse(line: &str) -> Option<Self> {
        // Its name stands in brackets, and may itself hold brackets and blanks.
        let (_, rest) = line.rsplit_once(')')?;
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        let ticks = |at: usize| words.get(at)?.parse::<u32>().ok().map(|ticks| TICK * ticks);
        Some(Self {
            parent: words.get(1)?.parse().ok()?,
            own: ticks(11)? + ticks(12)?,
            of_the_ended: ticks(13)? + ticks(14)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_is_no_obstacle() {
        let line = "12 (a (b) c) S 7 12 12 0 -1 4194560 1 2 3 4 150 50 20 10 20 0 1 0 99";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(stat.parent, 7);
        assert_eq!(stat.own, Duration::from_secs(2));
        assert_eq!(stat.of_the_ended, Duration::from_millis(300));
        assert!(Stat::parse("12 (a) S 7").is_none());
    }

    #[test]
    fn this_process_has_used_something() {
        let own = std::process::id();
        assert!(resident(own).unwrap() > 100_000);
        // First, since time goes on between the two.
        let alone = cpu_time(own).unwrap();
        assert!(cpu_time_of_family(own).unwrap() >= alone);
    }
}
