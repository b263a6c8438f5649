//! The table of every configuration key: the one list that reading, `config show`, the help text
//! and the search for typing errors all share.

/// What a key is worth where nobody set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: the key may stay unset.
    Unset,
    /// A whole number.
    Number(u64),
    /// A text.
    Text(&'static str),
    /// A list without entries.
    EmptyList,
    /// A list of one entry.
    List(&'static str),
}

/// One configuration key.
#[derive(Debug)]
pub struct Key {
    /// Its dotted name in a TOML file.
    pub name: &'static str,
    /// Its environment variable.
    pub variable: &'static str,
    /// Its value where nobody set it.
    pub fallback: Fallback,
    /// What a value must be, to follow the words "must be".
    pub expected: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// Whether its value is hidden from every text that this program writes.
    pub secret: bool,
}

/// The environment variable that names the configuration file; it is no key of that file.
pub const FILE_VARIABLE: &str = "IDP_CONFIG";

/// What every environment variable of ours starts with, but for the few that everybody uses.
pub const PREFIX: &str = "IDP_";

/// Makes a constant of each row, and the table of all of them, so that no key can be read that
/// the table does not list.
macro_rules! keys {
    ($($(#[$secret:ident])? $id:ident $name:literal $variable:literal = $fallback:expr;
        $expected:literal; $about:literal;)+) => {
        $(
            #[doc = $about]
            pub const $id: &Key = &Key {
                name: $name,
                variable: $variable,
                fallback: $fallback,
                expected: $expected,
                about: $about,
                secret: keys!(@secret $($secret)?),
            };
        )+
        /// Every key, those outside of a TOML table first.
        pub const ALL: &[&Key] = &[$($id),+];
    };
    (@secret secret) => { true };
    (@secret) => { false };
}

use Fallback::{EmptyList, List, Number, Text, Unset};

keys! {
    PORT "port" "PORT" = Number(3000);
        "a whole number from 0 to 65535";
        "TCP port to listen on; 0 takes any free one";
    LISTEN "listen" "IDP_LISTEN" = Text("127.0.0.1");
        "an IP address";
        "address to listen on; 0.0.0.0 or :: for every interface, as in a container";
    ISSUER "issuer" "IDP_ISSUER" = Unset;
        "an absolute http or https URL in its shortest form, such as `https://idp.example.com`";
        "the URL that tokens name as their issuer; http://127.0.0.1 and the port where unset";
    MODE "mode" "IDP_MODE" = Unset;
        "`development` or `production`";
        "`production` refuses what is unsafe; unset, it is `development` for a loopback issuer only";
    DATA_DIR "data_dir" "IDP_DATA_DIR" = Text("./data");
        "the path of a folder";
        "folder of the embedded store and of the keys made at first start";
    #[secret] DATABASE_URL "database_url" "DATABASE_URL" = Unset;
        "`sqlite:` and the path of a file, or `postgres://user:password@host:port/database`";
        "where everything is kept; idp.sqlite in the data folder where unset";
    DATABASE_CONNECTIONS "database_connections" "IDP_DATABASE_CONNECTIONS" = Number(16);
        "a whole number from 1 to 1000";
        "connections to a PostgreSQL server that serve requests; two more do other work";
    #[secret] REDIS_URL "redis_url" "REDIS_URL" = Unset;
        "`redis://user:password@host:port`, or `rediss:` for TLS";
        "where replicas count limits together, and hint at changes";
    REPLICAS "replicas" "IDP_REPLICAS" = Number(1);
        "a whole number from 1 to 1000";
        "replicas among which a limit is divided where Redis does not count";
    #[secret] SEALING_KEY "sealing_key" "IDP_SEALING_KEY" = Unset;
        "base64 of exactly 32 random bytes, as `openssl rand -base64 32` makes";
        "encrypts signing keys at rest; made in the data folder where unset, required in production";
    #[secret] PEPPER "pepper" "IDP_PEPPER" = Unset;
        "base64 of exactly 32 random bytes, as `openssl rand -base64 32` makes";
        "keys the hashes of client secrets; made in the data folder where unset, required in production";
    TOKEN_LIFETIME "token_lifetime_seconds" "IDP_TOKEN_LIFETIME_SECONDS" = Number(900);
        "a whole number of seconds from 60 to 86400";
        "life of an access token";
    SIGNING_ALGORITHMS "signing_algorithms" "IDP_SIGNING_ALGORITHMS" = List("ES256");
        "one or more of `ES256`, `EdDSA`, `RS256` and `PS256`, none of them twice";
        "what tokens are signed with: the first signs; separated by commas in the environment";
    KEY_ROTATION_DAYS "key_rotation_days" "IDP_KEY_ROTATION_DAYS" = Number(90);
        "a whole number of days from 1 to 3650";
        "days that a signing key signs before the next one takes over";
    CORS_ORIGINS "cors_origins" "IDP_CORS_ORIGINS" = EmptyList;
        "exact origins, such as `https://console.example.com`: no path, no wildcard";
        "origins whose browser pages may call the API; separated by commas in the environment";
    MAX_CONNECTIONS "max_connections" "IDP_MAX_CONNECTIONS" = Number(4096);
        "a whole number from 1 to 65536";
        "connections served at a time; more wait to be accepted";
    UNAUTHENTICATED_REQUESTS "unauthenticated_requests_per_minute"
        "IDP_UNAUTHENTICATED_REQUESTS_PER_MINUTE" = Number(1000);
        "a whole number from 1 to 4294967295";
        "requests a minute that one address may send without a valid token";
    REFUSALS_TOLD "refusals_told_per_minute" "IDP_REFUSALS_TOLD_PER_MINUTE" = Number(30);
        "a whole number from 1 to 4294967295";
        "refusals a minute of one client or address that the audit log tells one by one";
    TRUSTED_PROXIES "trusted_proxies" "IDP_TRUSTED_PROXIES" = EmptyList;
        "addresses and networks, such as `10.0.0.0/8`: at least /8, or /7 of IPv6";
        "proxies believed about clients' certificates; separated by commas in the environment";
    CLIENT_CERTIFICATE_HEADER "client_certificate_header" "IDP_CLIENT_CERTIFICATE_HEADER" = Text("off");
        "`off` or `Client-Cert`";
        "header in which a trusted proxy passes on its client's certificate (RFC 9440)";
    METRICS_LISTEN "metrics_listen" "IDP_METRICS_LISTEN" = Unset;
        "an IP address and a port, such as `127.0.0.1:9464`";
        "where metrics are served; unset: at the API in development, and nowhere in production";
    LOG "log" "IDP_LOG" = Text("info");
        "a level (`error` `warn` `info` `debug` `trace` `off`) or a list of `target=level`";
        "what is logged: a level, or a comma-separated list such as info,idp=debug";
    LOG_FORMAT "log_format" "IDP_LOG_FORMAT" = Text("auto");
        "`auto`, `human` or `json`";
        "form of the log on standard error; `auto` is `human` on a terminal, `json` otherwise";

    TLS_CERTIFICATE "tls.certificate" "IDP_TLS_CERTIFICATE" = Unset;
        "the path of a file";
        "PEM file of the server's certificate and those above it: it speaks TLS itself";
    TLS_KEY "tls.key" "IDP_TLS_KEY" = Unset;
        "the path of a file";
        "PEM file of the key of that certificate";
    MTLS_CA "mtls.ca" "IDP_MTLS_CA" = Unset;
        "the path of a file";
        "PEM file of the authorities that vouch for clients; clients are asked for a certificate";
    MTLS_ASK "mtls.ask" "IDP_MTLS_ASK" = Text("auto");
        "`auto` or `always`";
        "whether clients are asked for a certificate without authorities too: a self-signed one";
    MTLS_CRL "mtls.crl" "IDP_MTLS_CRL" = Unset;
        "the path of a file";
        "PEM file of the authorities' lists of revoked certificates, one of each";
    MTLS_URL "mtls.url" "IDP_MTLS_URL" = Unset;
        "an https URL without a slash at its end, such as `https://mtls.idp.example.com`";
        "where clients with certificates find the endpoints, if not at the issuer";
    AUDIT_CHECKPOINT_FILE "audit.checkpoint_file" "IDP_AUDIT_CHECKPOINT_FILE" = Unset;
        "the path of a file";
        "file that checkpoints are appended to; the embedded store has one in the data folder";
    AUDIT_EVENTS_FILE "audit.events_file" "IDP_AUDIT_EVENTS_FILE" = Unset;
        "the path of a file";
        "file that each event is appended to, as a line of CloudEvents, once it is in the log";
    AUDIT_STDOUT "audit.stdout" "IDP_AUDIT_STDOUT" = EmptyList;
        "`checkpoints`, `events`, or both";
        "what of the audit logs is also written to standard output";
    AUDIT_WITNESS_URL "audit.witness_url" "IDP_AUDIT_WITNESS_URL" = Unset;
        "an http or https URL without a user, such as `https://witness.example.com`";
        "a witness that is asked to sign each checkpoint too, by the protocol tlog-witness";
    AUDIT_PERSONAL_DATA_DAYS "audit.personal_data_days" "IDP_AUDIT_PERSONAL_DATA_DAYS" = Number(90);
        "a whole number of days from 1 to 36500";
        "days that addresses and user agents of events are kept, unless the plan ends them earlier";
    FREE_AGENTS "plans.free.agents" "IDP_PLANS_FREE_AGENTS" = Number(100);
        "a whole number from 1 up, or `unlimited`";
        "agents that an organization on the free plan may have";
    FREE_REQUESTS "plans.free.requests_per_minute" "IDP_PLANS_FREE_REQUESTS_PER_MINUTE" = Number(100);
        "a whole number from 1 to 4294967295";
        "requests a minute that a client on the free plan may send";
    FREE_TOKENS "plans.free.tokens_per_month" "IDP_PLANS_FREE_TOKENS_PER_MONTH" = Number(10_000);
        "a whole number from 1 up, or `unlimited`";
        "tokens a month that an organization on the free plan may be issued";
    FREE_RETENTION "plans.free.audit_retention_days" "IDP_PLANS_FREE_AUDIT_RETENTION_DAYS" = Number(90);
        "a whole number of days from 1 to 36500";
        "days that the audit log of the free plan is kept";
    PRO_AGENTS "plans.pro.agents" "IDP_PLANS_PRO_AGENTS" = Number(1000);
        "a whole number from 1 up, or `unlimited`";
        "the same for the pro plan";
    PRO_REQUESTS "plans.pro.requests_per_minute" "IDP_PLANS_PRO_REQUESTS_PER_MINUTE" = Number(1000);
        "a whole number from 1 to 4294967295";
        "the same for the pro plan";
    PRO_TOKENS "plans.pro.tokens_per_month" "IDP_PLANS_PRO_TOKENS_PER_MONTH" = Number(1_000_000);
        "a whole number from 1 up, or `unlimited`";
        "the same for the pro plan";
    PRO_RETENTION "plans.pro.audit_retention_days" "IDP_PLANS_PRO_AUDIT_RETENTION_DAYS" = Number(365);
        "a whole number of days from 1 to 36500";
        "the same for the pro plan";
    ENTERPRISE_AGENTS "plans.enterprise.agents" "IDP_PLANS_ENTERPRISE_AGENTS" = Text("unlimited");
        "a whole number from 1 up, or `unlimited`";
        "the same for the enterprise plan";
    ENTERPRISE_REQUESTS "plans.enterprise.requests_per_minute"
        "IDP_PLANS_ENTERPRISE_REQUESTS_PER_MINUTE" = Number(1_000_000);
        "a whole number from 1 to 4294967295";
        "the same for the enterprise plan";
    ENTERPRISE_TOKENS "plans.enterprise.tokens_per_month"
        "IDP_PLANS_ENTERPRISE_TOKENS_PER_MONTH" = Text("unlimited");
        "a whole number from 1 up, or `unlimited`";
        "the same for the enterprise plan";
    ENTERPRISE_RETENTION "plans.enterprise.audit_retention_days"
        "IDP_PLANS_ENTERPRISE_AUDIT_RETENTION_DAYS" = Number(2555);
        "a whole number of days from 1 to 36500";
        "the same for the enterprise plan";
}

/// The key of that dotted name.
pub fn named(name: &str) -> Option<&'static Key> {
    ALL.iter().copied().find(|key| key.name == name)
}

/// The key of that environment variable.
pub fn of_variable(variable: &str) -> Option<&'static Key> {
    ALL.iter().copied().find(|key| key.variable == variable)
}

/// Whether some key lies in the TOML table of that dotted name.
pub fn is_table(name: &str) -> bool {
    tables().any(|table| table == name)
}

/// The known name, of a key or a table, that an unknown one in a file was probably meant to be.
pub fn name_near(unknown: &str) -> Option<&'static str> {
    nearest(unknown, ALL.iter().map(|key| key.name).chain(tables()))
}

/// The known environment variable that an unknown one was probably meant to be.
pub fn variable_near(unknown: &str) -> Option<&'static str> {
    // The three names without our prefix are the ones that somebody will put it before.
    let bare = unknown.strip_prefix(PREFIX).and_then(of_variable);
    let variables = ALL.iter().map(|key| key.variable).chain([FILE_VARIABLE]);
    bare.map(|key| key.variable).or_else(|| nearest(unknown, variables))
}

fn tables() -> impl Iterator<Item = &'static str> {
    ALL.iter()
        .flat_map(|key| key.name.match_indices('.').filter_map(|(dot, _)| key.name.get(..dot)))
}

/// At most a third of the letters may differ, or the unknown name is the beginning of the known.
fn nearest(unknown: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // Comparing costs the product of both lengths, and an unknown name is of any length.
    let longest = 64;
    if unknown.len() > longest {
        return None;
    }
    let folded = unknown.to_lowercase();
    known
        .filter_map(|name| {
            let candidate = name.to_lowercase();
            let distance = strsim::damerau_levenshtein(&folded, &candidate);
            if distance <= (folded.len() / 3).min(3) {
                return Some((distance, name));
            }
            let begins = folded.len() > 3 && candidate.starts_with(&folded);
            begins.then_some((longest, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_and_every_variable_is_there_once() {
        let names: BTreeSet<_> = ALL.iter().map(|key| key.name).collect();
        let variables: BTreeSet<_> = ALL.iter().map(|key| key.variable).collect();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(variables.len(), ALL.len());
    }

    #[test]
    fn a_variable_is_the_name_in_capitals_but_for_three_that_everybody_uses() {
        for key in ALL {
            let plain = key.name.replace('.', "_").to_uppercase();
            match key.name {
                "port" | "database_url" | "redis_url" => assert_eq!(key.variable, plain),
                _ => assert_eq!(key.variable, format!("{PREFIX}{plain}")),
            }
        }
    }

    #[test]
    fn keys_in_tables_come_after_all_others() {
        let first_in_table = ALL.iter().position(|key| key.name.contains('.'));
        let last_outside = ALL.iter().rposition(|key| !key.name.contains('.'));
        assert!(first_in_table > last_outside);
    }

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        for (unknown, meant) in [
            ("lisen", Some("listen")),
            ("prot", Some("port")),
            ("data-dir", Some("data_dir")),
            ("dataDir", Some("data_dir")),
            ("token_lifetime", Some("token_lifetime_seconds")),
            ("plan", Some("plans")),
            ("plans.free.agent", Some("plans.free.agents")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(name_near(unknown), meant, "{unknown}");
        }
    }

    #[test]
    fn a_prefix_too_many_is_seen_through() {
        assert_eq!(variable_near("IDP_PORT"), Some("PORT"));
        assert_eq!(variable_near("IDP_DATABASE_URL"), Some("DATABASE_URL"));
        assert_eq!(variable_near("IDP_ISUER"), Some("IDP_ISSUER"));
        assert_eq!(variable_near("IDP_CONFG"), Some("IDP_CONFIG"));
        assert_eq!(variable_near("IDP_WEATHER"), None);
    }
}
