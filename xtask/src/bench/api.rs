//! The few requests that a run sends by itself.

use anyhow::Context;
use serde::Deserialize;

use super::server::Server;
use crate::process;

/// A token of the admin, for this.
pub(crate) fn token_of_the_admin(server: &Server, scope: &str) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: String,
    }
    let admin = server.admin()?;
    let client = format!("{}:{}", admin.client_id, admin.client_secret);
    let scope = format!("scope={scope}");
    let form = ["--user", &client, "--data", "grant_type=client_credentials"];
    let form = [&form[..], &["--data-urlencode", &scope]].concat();
    let answer: Answer = serde_json::from_str(&ask(server, "/api/v1/token", &form)?)?;
    Ok(answer.access_token)
}

/// How many events the newest checkpoint of the log covers; none where there is none yet.
pub(crate) fn size_of_the_log(server: &Server, token: &str) -> anyhow::Result<u64> {
    let bearer = format!("Authorization: Bearer {token}");
    let checkpoint = ask(server, "/api/v1/audit/checkpoint", &["--header", &bearer])?;
    size(&checkpoint).context("a checkpoint has its size on the second line")
}

fn size(checkpoint: &str) -> Option<u64> {
    checkpoint.lines().nth(1)?.parse().ok()
}

fn ask(server: &Server, path: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let url = format!("{}{path}", server.url());
    let how = ["--silent", "--show-error", "--fail-with-body", &url];
    let answer = process::answer("curl", &[&how[..], arguments].concat());
    answer.with_context(|| format!("`curl {url}` did not succeed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_line_of_a_checkpoint_is_its_size() {
        assert_eq!(size("127.0.0.1:1/audit/x\n1234\nroot=\n\n— x y\n"), Some(1_234));
        assert_eq!(size("{}"), None);
    }
}
