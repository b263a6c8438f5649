//! The programs that tests start: found, or installed where that is ours to do.

use std::path::Path;

use anyhow::bail;

use crate::process;

const OLDEST_NODE: u32 = 18;

/// A program that tests start, how to ask whether it will do, and the Debian packages that bring it.
struct Tool {
    name: &'static str,
    packages: &'static [&'static str],
    is_there: fn() -> bool,
}

const POSTGRES: Tool = Tool {
    name: "PostgreSQL (14 or newer; some tests kill one of their own, whatever DATABASE_URL says)",
    packages: &["postgresql"],
    is_there: || ::servers::Postgres::is_installed().is_ok(),
};

const REDIS: Tool = Tool {
    name: "redis-server (7 or newer; likewise, whatever REDIS_URL says)",
    packages: &["redis-server"],
    is_there: || ::servers::Redis::is_installed().is_ok(),
};

const TOOLS: [Tool; 9] = [
    POSTGRES,
    REDIS,
    Tool { name: "node (18 or newer)", packages: &["nodejs"], is_there: has_node },
    Tool { name: "npm", packages: &["npm"], is_there: || answers("npm", &["--version"]) },
    Tool {
        name: "python3 with its venv module",
        packages: &["python3", "python3-venv"],
        // Debian ships the module without what fills an environment, so both are asked for.
        is_there: || answers("python3", &["-c", "import ensurepip, venv"]),
    },
    Tool {
        name: "python3's package cryptography, which the second verifier of audit logs needs",
        packages: &["python3-cryptography"],
        is_there: || answers("python3", &["-c", "import cryptography.hazmat"]),
    },
    Tool { name: "curl", packages: &["curl"], is_there: || answers("curl", &["--version"]) },
    Tool { name: "jq", packages: &["jq"], is_there: || answers("jq", &["--version"]) },
    Tool {
        name: "faketime, by which tests move the clock of a server",
        packages: &["faketime"],
        is_there: || answers("faketime", &["--version"]),
    },
];

/// What counts instructions, which no test needs.
const VALGRIND: Tool = Tool {
    name: "valgrind",
    packages: &["valgrind"],
    is_there: || answers("valgrind", &["--version"]),
};

/// What asks the servers of the benchmark, which no test needs.
const WRK: Tool = Tool { name: "wrk", packages: &["wrk"], is_there: || answers("which", &["wrk"]) };

/// Finds every program that tests start, installing what is missing where we may.
pub(crate) fn ensure(root: &Path) -> anyhow::Result<()> {
    ensure_these(root, "the tests need", &TOOLS)
}

/// Finds what the benchmark starts, likewise.
pub(crate) fn benchmark(root: &Path) -> anyhow::Result<()> {
    ensure_these(root, "the benchmark needs", &[POSTGRES, REDIS, WRK])
}

/// Finds valgrind, likewise.
pub(crate) fn valgrind(root: &Path) -> anyhow::Result<()> {
    ensure_these(root, "counting instructions needs", &[VALGRIND])
}

fn ensure_these(root: &Path, purpose: &str, tools: &[Tool]) -> anyhow::Result<()> {
    let missing = || tools.iter().filter(|tool| !(tool.is_there)());
    let packages: Vec<&str> = missing().flat_map(|tool| tool.packages).copied().collect();
    if packages.is_empty() {
        return Ok(());
    }
    if may_install() {
        install(root, &packages)?;
    }
    let names: Vec<&str> = missing().map(|tool| tool.name).collect();
    if !names.is_empty() {
        bail!("{}", instruction(purpose, &names, &packages));
    }
    Ok(())
}

fn instruction(purpose: &str, names: &[&str], packages: &[&str]) -> String {
    format!(
        "{purpose} {}, not found here; on Debian or Ubuntu: `sudo apt-get install {}`",
        names.join(", "),
        packages.join(" ")
    )
}

/// As root on Debian or a child of it, a missing package is ours to install; anywhere else it is the person's.
fn may_install() -> bool {
    Path::new("/etc/debian_version").exists()
        && answers("apt-get", &["--version"])
        && process::answer("id", &["-u"]).is_some_and(|id| id.trim() == "0")
}

fn install(root: &Path, packages: &[&str]) -> anyhow::Result<()> {
    let apt = |arguments: &[&str]| {
        let mut command = process::command(root, "apt-get", arguments);
        process::step(command.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    process::answer(program, arguments).is_some()
}

fn has_node() -> bool {
    process::answer("node", &["--version"]).is_some_and(|version| is_new_enough(&version))
}

fn is_new_enough(version: &str) -> bool {
    let major = version.trim().trim_start_matches('v').split('.').next();
    major.and_then(|major| major.parse().ok()).is_some_and(|major: u32| major >= OLDEST_NODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_will_not_do() {
        assert!(is_new_enough("v20.20.2\n"));
        assert!(is_new_enough("v18.0.0"));
        assert!(!is_new_enough("v16.20.0"));
        assert!(!is_new_enough("who knows"));
    }

    #[test]
    fn what_is_missing_is_named_with_its_packages() {
        let told = instruction("the tests need", &["jq"], &["jq"]);
        assert!(told.contains("need jq") && told.contains("apt-get install jq"), "{told}");
    }
}
