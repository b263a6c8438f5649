//! The command line: its commands, and a help text that answers the first questions.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kernel::{
    OrganizationId,
    ids::InvalidId,
    text::{InvalidText, Text},
};
use url::Url;

use crate::config::keys::{self, Fallback};

const ABOUT: &str = "An identity provider for AI agents";

const LONG_ABOUT: &str = "\
An identity provider for AI agents: it registers agents, gives them credentials, issues, checks and
revokes their OAuth 2.0 access tokens, and keeps an audit log of every change.

Without a command it starts the server, and without any configuration it keeps everything in
one file in ./data. The first start makes an organization and an admin agent, and says how to
call it.";

const EXAMPLES: &str = "\
Examples:
  idp                                   start on http://127.0.0.1:3000
  PORT=8080 IDP_LOG=debug idp           start on another port, and log more
  idp --config idp.toml config check    tell every problem of a configuration, start nothing
  idp config show                       the values in effect, and where each came from
  idp bootstrap --organization acme     make the first organization and its admin
  idp keys list                         the keys that sign tokens, and where each stands
  idp audit verify export.ndjson --checkpoint kept.txt --key log.key
                                        verify an audit log, without a server";

const PRECEDENCE: &str = "\
Configuration:
  Defaults, then a TOML file (--config, or IDP_CONFIG), then environment variables. A key that
  does not exist, or a value that is not valid, ends the program before it listens.
  Names of TOML keys are those of the variables in lower case, without IDP_, in the tables that
  `idp config show` prints.";

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or stopped when asked to
  1  the configuration has problems, or the command failed; the reason is on standard error
  2  the command line could not be understood, or `audit verify` could not read its files";

const VERIFY_EXIT_CODES: &str = "\
Exit codes:
  0  the log verifies
  1  it does not; standard output has `position N: CODE`, and what that means
  2  nothing was verified: a file cannot be read, or the arguments make no sense";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "idp", version, about = ABOUT, long_about = LONG_ABOUT)]
#[command(after_help = EXIT_CODES, after_long_help = after_long_help())]
pub struct Cli {
    /// Configuration file, in TOML; takes precedence over IDP_CONFIG.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What to do; starts the server where left out.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server (the default).
    Serve,
    /// Bring the schema of the store up to date, and end.
    ///
    /// `serve` does so by itself on the embedded store.
    Migrate,
    /// Make the first organization and its admin agent, and print the admin's credential.
    ///
    /// The credential is also written to admin.json in the data folder, for you to remove once it
    /// is kept elsewhere. Refuses where an organization exists.
    Bootstrap {
        /// Name of the organization.
        #[arg(long, value_name = "NAME")]
        organization: String,
        /// Print one JSON object, with `organizationId`, `agentId`, `clientId`, `clientSecret`
        /// and `tokenUrl`.
        #[arg(long)]
        json: bool,
    },
    /// Ask a server whether it is ready; the exit code is 0 where it is, and 1 where not.
    ///
    /// For the health check of a container, which needs neither a shell nor another program then.
    Health {
        /// Base URL of the server; the configured one on this machine where left out. Of https no
        /// certificate is checked: nothing secret is asked or told.
        #[arg(long, value_name = "URL")]
        url: Option<Url>,
    },
    /// Look at the configuration without starting anything.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the keys that sign tokens, rotate them, or end one that somebody else may have.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Verify an audit log, or let one go on that was halted.
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// What to do with the signing keys. On the embedded store the server must be stopped; replicas on a
/// shared one go on, and act within a second.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List every key with its algorithm and state, those that are over included.
    List {
        /// Print one JSON object, with `keys` and `damaged`.
        #[arg(long)]
        json: bool,
    },
    /// Have the next key of every algorithm sign from now on.
    ///
    /// Refused before verifiers can know that key, which takes six minutes from when it was made. The
    /// keys that signed so far verify until their last token is over. A server does the same by itself
    /// once a key has signed for IDP_KEY_ROTATION_DAYS.
    Rotate,
    /// Believe a key no more, at once: somebody else may have its private half.
    ///
    /// It leaves the published set, and every token that it signed is inactive within a second on all
    /// replicas. Where it signed, the next key does from now on. There is no way back.
    Compromise {
        /// Id of the key, as `idp keys list` shows it.
        #[arg(value_name = "KID", allow_hyphen_values = true)]
        kid: String,
    },
}

/// What to do with an audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify an export of an audit log against checkpoints that were kept elsewhere.
    ///
    /// Needs no server, no store and no configuration. Says that all is well, or names the first
    /// position that is not as it was when the checkpoints were made, and what is wrong there.
    #[command(after_help = VERIFY_EXIT_CODES)]
    Verify(VerifyOptions),
    /// Let the log of an organization go on that the server halted.
    ///
    /// The server halts a log that is not as its checkpoints say: an older state of the database was
    /// put back, or somebody changed it there. Find out why first. Whoever holds an older checkpoint
    /// finds out all the same; the log itself tells that you knew, and why. On the embedded store the
    /// server must be stopped.
    Acknowledge {
        /// Id of the organization.
        #[arg(long, value_name = "ID", value_parser = organization_id)]
        organization: OrganizationId,
        /// What happened; everybody who reads the log will see it.
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
    },
}

fn organization_id(text: &str) -> Result<OrganizationId, InvalidId> {
    text.parse()
}

fn reason(text: &str) -> Result<String, InvalidText> {
    text.parse::<Text<500>>().map(|reason| reason.as_str().to_owned())
}

/// What is verified, and against what.
#[derive(Debug, Args)]
pub struct VerifyOptions {
    /// The export, as `GET /api/v1/audit/export` gives it; `-` for standard input.
    #[arg(value_name = "FILE")]
    pub export: PathBuf,
    /// A checkpoint that left: a signed note, or a file that the server appends checkpoints to.
    /// May be given several times.
    #[arg(long = "checkpoint", value_name = "FILE", required = true)]
    pub checkpoints: Vec<PathBuf>,
    /// The verifier key, or a file that holds it, as `GET /api/v1/audit/key` gave it when the log was
    /// not in doubt.
    #[arg(long, value_name = "KEY", required_unless_present = "unsigned")]
    pub key: Option<String>,
    /// Take the checkpoints at their word, without a key: only where you kept them yourself, and
    /// nobody whom you doubt could write them.
    #[arg(long, conflicts_with = "key")]
    pub unsigned: bool,
}

/// What to do with the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Tell whether the configuration is valid, or all of its problems.
    Check,
    /// Print the values in effect as TOML, secrets masked, each with where it came from.
    Show,
}

fn after_long_help() -> String {
    [EXAMPLES, PRECEDENCE, &variables(), EXIT_CODES].join("\n\n")
}

/// From the table of keys, so that the help names every one.
fn variables() -> String {
    let mut text = String::from("Environment variables:");
    for key in keys::ALL {
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {}\n      {}", key.variable, key.about);
        let _ = match key.fallback {
            Fallback::Unset => Ok(()),
            Fallback::Number(number) => write!(text, " [default: {number}]"),
            Fallback::Text(default) | Fallback::List(default) => {
                write!(text, " [default: {default}]")
            }
            Fallback::EmptyList => write!(text, " [default: none]"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["idp"], arguments].concat())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_command_nothing_is_said_of_one() {
        assert!(parse(&[]).unwrap().command.is_none());
    }

    #[test]
    fn the_file_may_be_named_before_and_after_the_command() {
        for arguments in
            [["--config", "a.toml", "config", "show"], ["config", "show", "--config", "a.toml"]]
        {
            let cli = parse(&arguments).unwrap();
            assert_eq!(cli.config, Some(PathBuf::from("a.toml")));
            assert!(matches!(cli.command, Some(Command::Config(ConfigCommand::Show))));
        }
    }

    #[test]
    fn bootstrap_needs_the_name_of_an_organization() {
        assert_eq!(parse(&["bootstrap"]).unwrap_err().exit_code(), 2);
        let cli = parse(&["bootstrap", "--organization", "acme", "--json"]).unwrap();
        assert!(
            matches!(cli.command, Some(Command::Bootstrap { json: true, organization }) if organization == "acme")
        );
    }

    #[test]
    fn a_log_is_verified_with_a_key_or_knowingly_without_one() {
        let base = ["audit", "verify", "-", "--checkpoint", "a", "--checkpoint", "b"];
        let with = |more: &[&str]| parse(&[&base, more].concat());
        assert!(with(&["--key", "k"]).is_ok() && with(&["--unsigned"]).is_ok());
        assert_eq!(with(&[]).unwrap_err().exit_code(), 2);
        assert_eq!(with(&["--key", "k", "--unsigned"]).unwrap_err().exit_code(), 2);
        assert_eq!(parse(&["audit", "verify", "-", "--key", "k"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn the_help_names_every_variable_and_every_exit_code() {
        let help = Cli::command().render_long_help().to_string();
        for key in keys::ALL {
            assert!(help.contains(key.variable), "{}", key.variable);
        }
        assert!(help.contains("IDP_CONFIG") && help.contains("Exit codes:"));
        assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
    }
}
