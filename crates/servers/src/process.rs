//! A server's process with all of its children: started, frozen, thawed, killed.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Sender};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::patience::{SHORT, until};

/// A running child, and its own children; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    /// Keeps the thread that started the child: the kernel kills the child when that thread ends, and a thread of a test ends
    /// long before the server may.
    _keeper: Sender<Infallible>,
}

impl Process {
    /// Starts it, in a process group of its own: a Ctrl-C is for whoever uses the server, who then ends it.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let (tell, told) = mpsc::channel();
        let (keeper, kept) = mpsc::channel();
        thread::Builder::new().name("keeper of a server".to_owned()).spawn(move || {
            let started = command.process_group(0).spawn();
            if tell.send(started).is_ok() {
                let _: Result<Infallible, _> = kept.recv();
            }
        })?;
        let child = told.recv().map_err(io::Error::other)??;
        let pid = Pid::from_child(&child);
        Ok(Self { child, pid, _keeper: keeper })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Stops it and its children, those included that it was just making. On return, none of them runs.
    pub(crate) fn freeze(&self) -> io::Result<()> {
        // The parent first: once it stands still, no more children come.
        signal_all(&[self.pid], Signal::STOP, State::is_still)?;
        signal_all(&children(self.pid)?, Signal::STOP, State::is_still)
    }

    /// Lets it and its children go on.
    pub(crate) fn thaw(&self) -> io::Result<()> {
        signal_all(&children(self.pid)?, Signal::CONT, |_| true)?;
        signal_all(&[self.pid], Signal::CONT, |_| true)
    }

    /// Ends it and its children at once, with no chance to write anything. On return, all of them are gone.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        // Nobody is to see another die: a power cut gives no warning either.
        self.freeze()?;
        let children = children(self.pid)?;
        self.child.kill()?;
        signal_all(&children, Signal::KILL, State::is_gone)?;
        self.child.wait().map(|_| ())
    }

    /// Asks it to end by this signal; kills it where it does not.
    pub(crate) fn end(&mut self, signal: Signal) -> io::Result<()> {
        if self.is_running() {
            self.thaw()?;
            signal_all(&[self.pid], signal, |_| true)?;
            if !until(SHORT, || !self.is_running()) {
                return self.kill();
            }
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.kill().is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What the kernel tells of a process.
#[derive(Debug, Clone, Copy)]
struct State {
    letter: char,
    parent: Option<Pid>,
}

impl State {
    /// Nothing where the process is no more.
    fn of(pid: Pid) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Its name stands in brackets, and may itself hold brackets and blanks.
        let (_, rest) = stat.rsplit_once(')')?;
        let mut words = rest.split_ascii_whitespace();
        let letter = words.next()?.chars().next()?;
        let parent = words.next()?.parse().ok().and_then(Pid::from_raw);
        Some(Self { letter, parent })
    }

    fn is_gone(state: Option<Self>) -> bool {
        // A zombie has ended; that nobody has asked how is not its fault.
        state.is_none_or(|state| matches!(state.letter, 'Z' | 'X'))
    }

    fn is_still(state: Option<Self>) -> bool {
        Self::is_gone(state) || state.is_some_and(|state| matches!(state.letter, 'T' | 't'))
    }
}

fn children(parent: Pid) -> io::Result<Vec<Pid>> {
    let names = fs::read_dir("/proc")?.flatten().map(|entry| entry.file_name());
    let pids = names.filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?));
    Ok(pids.filter(|pid| State::of(*pid).is_some_and(|it| it.parent == Some(parent))).collect())
}

/// Sends it to each, then waits until it has worked on all of them.
fn signal_all(pids: &[Pid], signal: Signal, worked: fn(Option<State>) -> bool) -> io::Result<()> {
    for pid in pids {
        match kill_process(*pid, signal) {
            // A child that ended meanwhile.
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if until(SHORT, || pids.iter().all(|pid| worked(State::of(*pid)))) {
        return Ok(());
    }
    Err(io::ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;
    use std::process::Stdio;

    use super::*;
    use crate::account::Account;

    /// A process that waits for its input to end, which stays open until the process is dropped.
    fn waiting() -> Process {
        let mut command = Account::Own.mortal_command(Path::new("cat")).unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Process::start(command).unwrap()
    }

    #[test]
    fn the_kernel_kills_it_when_nobody_keeps_it_any_more() {
        let mut process = waiting();
        let mut input = process.child.stdin.take().unwrap();
        // It echoes: so it is `cat` by now, and the kernel knows what is wished.
        input.write_all(b".").unwrap();
        process.child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        assert!(process.is_running());
        drop(std::mem::replace(&mut process._keeper, mpsc::channel().0));
        assert!(until(SHORT, || !process.is_running()));
        assert_eq!(process.child.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
    }

    #[test]
    fn one_that_is_dropped_is_gone() {
        let process = waiting();
        let pid = process.pid;
        drop(process);
        assert!(State::is_gone(State::of(pid)));
    }
}
