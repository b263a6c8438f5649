//! Keeps the process's memory, in which there are secrets, from being written to a disk or read
//! by another process of the same user (abuse case SL-04).

/// Why a process may still leave its memory behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unhardened {
    /// The system refused.
    #[cfg(unix)]
    #[error("{step} was refused by the system")]
    Refused {
        /// What was refused.
        step: &'static str,
        /// By which error.
        #[source]
        error: rustix::io::Errno,
    },
    /// There is no way to ask for it here.
    #[cfg(not(unix))]
    #[error("this system has no way to switch off memory dumps")]
    Unsupported,
}

/// Sets the size of a core file to nothing, for good, and on Linux makes the process not dumpable,
/// since a core that is piped to a program heeds no limit.
///
/// # Errors
/// Where the system refuses.
#[cfg(unix)]
pub fn forbid_memory_dumps() -> Result<(), Unhardened> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    // The hard limit too: nothing that runs in this process can then raise it again.
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, nothing)
        .map_err(|error| Unhardened::Refused { step: "a core limit of 0", error })?;
    forbid_tracing()
}

/// There is no way here.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn forbid_memory_dumps() -> Result<(), Unhardened> {
    Err(Unhardened::Unsupported)
}

#[cfg(target_os = "linux")]
fn forbid_tracing() -> Result<(), Unhardened> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Unhardened::Refused { step: "being not dumpable", error })
}

#[cfg(all(unix, not(target_os = "linux")))]
fn forbid_tracing() -> Result<(), Unhardened> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn sl_04_the_process_leaves_no_core() {
        forbid_memory_dumps().unwrap();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
