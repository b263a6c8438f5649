//! The configuration as a whole: sources over each other, every problem at once, no secret told.

use std::io::Write as _;

use data_encoding::BASE64;
use tempfile::NamedTempFile;
use tenancy::Quota;

use super::*;

/// 32 bytes that look random; their base64 must never be printed.
fn canary(start: u8) -> String {
    let bytes: Vec<u8> = (0..32_u8).map(|at| at.wrapping_mul(at).wrapping_add(start)).collect();
    BASE64.encode(&bytes)
}

fn environment(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn from_environment(variables: &[(&str, &str)]) -> Result<Config, Problems> {
    Config::load(&Sources { environment: environment(variables), file: None })
}

fn toml(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn from_both(text: &str, variables: &[(&str, &str)]) -> Result<Config, Problems> {
    from_file(&toml(text), variables)
}

fn from_file(file: &NamedTempFile, variables: &[(&str, &str)]) -> Result<Config, Problems> {
    let file = Some(file.path().to_owned());
    Config::load(&Sources { environment: environment(variables), file })
}

/// The problems, with the temporary file under a name that is the same at each run.
fn told_of_both(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let file = toml(text);
    let path = file.path().to_string_lossy();
    let problems = told(from_file(&file, variables));
    problems.iter().map(|problem| problem.replace(path.as_ref(), "idp.toml")).collect()
}

fn told(result: Result<Config, Problems>) -> Vec<String> {
    result.unwrap_err().iter().map(ToString::to_string).collect()
}

fn shown(config: &Config) -> String {
    let mut out = Vec::new();
    config.show(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn file_of(config: &Config) -> PathBuf {
    match config.database() {
        Database::File(path) => path,
        Database::Server(login) => panic!("{login:?}"),
    }
}

#[test]
fn without_any_source_the_defaults_hold() {
    let config = from_environment(&[]).unwrap();
    assert_eq!(config.socket_address().to_string(), "127.0.0.1:3000");
    assert_eq!(config.issuer().unwrap().as_str(), "http://127.0.0.1:3000");
    assert_eq!(config.mode(), Mode::Development);
    assert_eq!(file_of(&config), PathBuf::from("./data/idp.sqlite"));
    assert!(config.redis().is_none());
    assert_eq!((config.database_connections().get(), config.replicas().get()), (16, 1));
    assert_eq!(config.token_lifetime(), Lifetime::default());
    assert_eq!(config.network().max_connections.get().get(), 4096);
    assert!(config.network().cors_origins.is_empty());
    assert!(config.secrets().sealing_key.is_none() && config.secrets().pepper.is_none());
    assert_eq!(config.network().unauthenticated, Rate { per_minute: 1000 });
    assert_eq!(config.network().refusals_told.get(), 30);
    // The table of keys has numbers of its own, for the help text: they are the contract's.
    assert_eq!(*config.plans(), Plans::default());
}

#[test]
fn the_environment_goes_over_the_file_and_the_file_over_the_defaults() {
    let text = "port = 4000\nlog = \"warn\"\n[plans.free]\nagents = 5\ntokens_per_month = 6\n";
    let variables = [("PORT", "5000"), ("IDP_PLANS_FREE_AGENTS", "unlimited")];
    let config = from_both(text, &variables).unwrap();
    assert_eq!(config.network().port, 5000);
    assert_eq!(config.logging().filter.directives(), "warn");
    assert_eq!(config.plans().free.agents, Quota::Unlimited);
    assert_eq!(config.plans().free.tokens_per_month, Quota::AtMost(6));
    assert_eq!(config.plans().free.requests.per_minute, 100);
}

#[test]
fn the_file_may_be_named_by_the_environment_and_the_command_line_goes_first() {
    let (by_variable, by_option) = (toml("port = 1"), toml("port = 2"));
    let environment = environment(&[("IDP_CONFIG", &by_variable.path().to_string_lossy())]);
    let mut sources = Sources { environment, file: None };
    assert_eq!(Config::load(&sources).unwrap().network().port, 1);
    sources.file = Some(by_option.path().to_owned());
    assert_eq!(Config::load(&sources).unwrap().network().port, 2);
}

#[test]
fn a_file_that_is_not_there_is_a_problem() {
    let problems = told(from_environment(&[("IDP_CONFIG", "no/such.toml")]));
    assert_eq!(
        problems,
        ["file `no/such.toml`, named by environment variable `IDP_CONFIG`, cannot be read: there \
          is no such file"]
    );
}

#[test]
fn sm_06_an_unknown_key_is_named_with_its_source_and_its_neighbour() {
    let text = "lisen = \"::1\"\nweather = 1\n\"plans.free.agents\" = 3\n\
                [plans.free]\nagent = 5\n[plans.gold]\nagents = 1\n";
    let variables = [("IDP_ISUER", "x"), ("IDP_PORT", "80"), ("OTHER", "x"), ("idp_x", "x")];
    assert_eq!(
        told_of_both(text, &variables),
        [
            "file `idp.toml`: unknown key `lisen`; did you mean `listen`?",
            "file `idp.toml`: unknown key `plans.free.agent`; did you mean `plans.free.agents`?",
            "file `idp.toml`: unknown key `plans.gold`",
            "file `idp.toml`: unknown key `\"plans.free.agents\"`; did you mean `plans.free.agents`?",
            "file `idp.toml`: unknown key `weather`",
            "unknown environment variable `IDP_ISUER`; did you mean `IDP_ISSUER`?",
            "unknown environment variable `IDP_PORT`; did you mean `PORT`?",
        ]
    );
}

#[test]
fn every_problem_is_told_at_once() {
    let text = "port = 70000\nplans = 3\nlog_format = \"xml\"\nmax_connections = -1\n\
                cors_origins = [\"*\", 7, \"https://a.example/\"]\nlisten = { a = 1 }\n";
    let variables = [
        ("IDP_TOKEN_LIFETIME_SECONDS", "59"),
        ("IDP_LOG", "loud"),
        ("IDP_MODE", ""),
        ("IDP_SEALING_KEY", "AAAA"),
        ("IDP_ISSUER", "https://idp.example.com/"),
        ("IDP_PLANS_PRO_AGENTS", "many"),
        ("REDIS_URL", "http://x"),
        ("IDP_NEW", "1"),
    ];
    let problems = told_of_both(text, &variables);
    for named in [
        "file `idp.toml`: `port` must be a whole number from 0 to 65535, not `70000`",
        "file `idp.toml`: `plans` must be a table",
        "file `idp.toml`: `log_format` must be `auto`, `human` or `json`, not `xml`",
        "file `idp.toml`: `max_connections` must be a whole number from 1 to 65536, not `-1`",
        "file `idp.toml`: `listen` must be an IP address, not a table",
        "environment variable `IDP_TOKEN_LIFETIME_SECONDS`: `token_lifetime_seconds` must be a \
         whole number of seconds from 60 to 86400, not `59`",
        "environment variable `IDP_MODE`: `mode` must be `development` or `production`, not empty",
        "environment variable `IDP_PLANS_PRO_AGENTS`: `plans.pro.agents` must be a whole number \
         from 1 up, or `unlimited`, not `many`",
        "unknown environment variable `IDP_NEW`",
    ] {
        assert!(problems.iter().any(|problem| problem == named), "{named}\n{problems:#?}");
    }
    for begun in [
        "environment variable `IDP_LOG`: `log` must be",
        "environment variable `IDP_SEALING_KEY`: `sealing_key` must be base64",
        "environment variable `IDP_ISSUER`: `issuer` must be",
        "environment variable `REDIS_URL`: `redis_url` must be",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(begun)), "{begun}");
    }
    assert_eq!(problems.iter().filter(|problem| problem.contains("cors_origins")).count(), 3);
    assert_eq!(problems.len(), 16, "{problems:#?}");
}

#[test]
fn text_in_the_environment_is_read_as_the_key_needs_it() {
    let config = from_environment(&[
        ("IDP_DATA_DIR", "7"),
        ("IDP_CORS_ORIGINS", "https://a.example, https://b.example:8443"),
        ("IDP_LISTEN", "::"),
    ])
    .unwrap();
    assert_eq!(config.data_dir(), std::path::Path::new("7"));
    assert_eq!(config.network().cors_origins.len(), 2);
    assert_eq!(config.socket_address().to_string(), "[::]:3000");
    assert!(from_environment(&[("IDP_CORS_ORIGINS", "")]).is_ok());
    for (variable, value) in [("PORT", "0x10"), ("PORT", " 80"), ("PORT", "+80"), ("PORT", "80.0")]
    {
        assert_eq!(told(from_environment(&[(variable, value)])).len(), 1, "{value}");
    }
}

#[test]
fn what_was_not_unicode_is_refused() {
    let problems = told(from_environment(&[("IDP_DATA_DIR", "./d\u{fffd}ta")]));
    assert!(problems[0].ends_with(": it is not valid Unicode"), "{problems:?}");
}

#[test]
fn the_variables_that_announce_a_service_of_our_name_are_not_ours() {
    let announced = [
        ("IDP_SERVICE_HOST", "10.0.0.1"),
        ("IDP_SERVICE_PORT", "3000"),
        ("IDP_SERVICE_PORT_HTTP", "3000"),
        ("IDP_PORT", "tcp://10.0.0.1:3000"),
        ("IDP_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
        ("IDP_PORT_3000_TCP_ADDR", "10.0.0.1"),
        ("IDP_STORE_PORT_5432_TCP_PROTO", "tcp"),
    ];
    assert!(from_environment(&announced).is_ok());
    for unknown in ["IDP_PORT_NUMBER", "IDP_PORT_3000_HTTP", "IDP_HOST"] {
        assert_eq!(told(from_environment(&[(unknown, "3000")])).len(), 1, "{unknown}");
    }
}

#[test]
fn port_zero_leaves_the_issuer_to_whoever_binds() {
    let config = from_environment(&[("PORT", "0")]).unwrap();
    assert_eq!(config.issuer(), None);
    assert_eq!(config.mode(), Mode::Development);
    assert_eq!(config.issuer_at(4567).unwrap().as_str(), "http://127.0.0.1:4567");
    assert_eq!(config.issuer_at(0), Err(InvalidIssuer::Port));
    assert!(shown(&config).contains("# issuer follows from the port, once it is bound"));
    let issuer = ("IDP_ISSUER", "http://localhost:9");
    let config = from_environment(&[("PORT", "0"), issuer]).unwrap();
    assert_eq!(config.issuer_at(4567).unwrap().as_str(), "http://localhost:9");
}

#[test]
fn the_mode_follows_the_issuer_and_production_refuses_what_is_unsafe() {
    let public = ("IDP_ISSUER", "https://idp.example.com");
    let problems = told(from_environment(&[public]));
    assert_eq!(
        problems,
        [
            "`sealing_key` (environment variable `IDP_SEALING_KEY`) must be set: production makes \
             no key by itself",
            "`pepper` (environment variable `IDP_PEPPER`) must be set: production makes no key by \
             itself",
        ]
    );
    let (sealing_key, pepper) = (canary(1), canary(2));
    let keys = [("IDP_SEALING_KEY", sealing_key.as_str()), ("IDP_PEPPER", pepper.as_str())];
    let config = from_environment(&[public, keys[0], keys[1]]).unwrap();
    assert_eq!(config.mode(), Mode::Production);

    let http = ("IDP_ISSUER", "http://idp.example.com");
    assert_eq!(
        told(from_environment(&[http, keys[0], keys[1]])),
        [
            "environment variable `IDP_ISSUER`: `issuer` is refused: production needs an https issuer"
        ]
    );
    let config = from_environment(&[http, ("IDP_MODE", "development")]).unwrap();
    assert_eq!(config.mode(), Mode::Development);
    for port in ["0", "3000"] {
        let variables = [("PORT", port), ("IDP_MODE", "production"), keys[0], keys[1]];
        let missing = "`issuer` (environment variable `IDP_ISSUER`) must be set: production needs \
                       an https issuer";
        assert_eq!(told(from_environment(&variables)), [missing]);
    }
}

#[test]
fn production_is_judged_although_something_else_is_wrong() {
    let variables = [
        ("IDP_ISSUER", "https://idp.example.com"),
        ("IDP_TOKEN_LIFETIME_SECONDS", "1"),
        ("PORT", "x"),
    ];
    assert_eq!(told(from_environment(&variables)).len(), 4);
}

#[test]
fn one_key_cannot_serve_twice() {
    let key = canary(1);
    let problems = told(from_environment(&[("IDP_SEALING_KEY", &key), ("IDP_PEPPER", &key)]));
    assert_eq!(
        problems,
        ["environment variable `IDP_PEPPER`: `pepper` is refused: it must be another key than \
          `sealing_key`"]
    );
}

#[test]
fn a_database_is_a_file_or_a_server_and_shows_no_password() {
    for url in ["postgres://root:canary@db/idp", "postgresql://root:canary@db/idp"] {
        let config = from_environment(&[("DATABASE_URL", url)]).unwrap();
        assert!(matches!(config.database(), Database::Server(_)), "{url}");
        for text in [shown(&config), format!("{config:?}")] {
            assert!(!text.contains("canary") && !text.contains("root"), "{text}");
        }
    }
    for url in ["postgres://root:canary@db", "mysql://root:canary@db/idp"] {
        let problems = told(from_environment(&[("DATABASE_URL", url)]));
        assert_eq!(problems.len(), 1);
        assert!(!problems[0].contains("canary") && !problems[0].contains("root"), "{problems:?}");
    }
    let config = from_environment(&[("DATABASE_URL", "sqlite:///var/lib/idp/a.sqlite")]).unwrap();
    assert_eq!(file_of(&config), PathBuf::from("/var/lib/idp/a.sqlite"));
}

#[test]
fn no_secret_is_in_an_error_or_in_debug_or_shown() {
    let (sealing_key, pepper) = (canary(1), canary(2));
    let config = from_both(
        &format!("sealing_key = \"{sealing_key}\""),
        &[("IDP_PEPPER", &pepper), ("DATABASE_URL", "sqlite:canary.sqlite")],
    )
    .unwrap();
    for text in [shown(&config), format!("{config:?}")] {
        assert!(!text.contains(&sealing_key) && !text.contains(&pepper), "{text}");
    }
    assert!(shown(&config).contains("pepper = \"********\" # environment variable `IDP_PEPPER`"));
    assert!(!shown(&config).contains("canary"));

    let half = sealing_key.get(..20).unwrap();
    for broken in [
        format!("sealing_key = \"{half}\""),
        format!("sealing_key = [\"{half}\"]"),
        format!("pepper = {{ a = \"{half}\" }}"),
        format!("sealing_key = \"{half}"),
        format!("sealing_key = {half}"),
        format!("sealing_key = \"x\"\nsealing_key = \"{half}\""),
        format!("database_url = \"redis://{half}\""),
        format!("redis_url = \"http://{half}\""),
        format!("data_dir = \"postgres://root:{half}@db\""),
        format!("issuer = \"https://root:{half}@idp.example.com\""),
    ] {
        let problems = from_both(&broken, &[]).unwrap_err();
        for text in [problems.to_string(), format!("{problems:?}")] {
            assert!(!text.contains(half), "{text}");
        }
    }
    let sources = Sources { environment: environment(&[("IDP_PEPPER", &pepper)]), file: None };
    assert!(!format!("{sources:?}").contains(&pepper));
}

#[test]
fn a_file_that_is_not_toml_is_named_with_line_and_column() {
    let problems = told_of_both("port = 3000\nlog = warn\n", &[]);
    assert_eq!(problems, ["file `idp.toml` is not valid TOML at line 2, column 7"]);
}

#[test]
fn what_is_shown_is_a_configuration_with_the_same_values() {
    let config = from_both(
        "[plans.pro]\nagents = 7\n",
        &[
            ("PORT", "4000"),
            ("IDP_DATA_DIR", "a \"quoted\" \\ folder\t\u{1}é"),
            ("IDP_CORS_ORIGINS", "https://a.example,https://b.example"),
            ("IDP_PLANS_FREE_AGENTS", "unlimited"),
            ("IDP_PLANS_ENTERPRISE_AGENTS", "12"),
        ],
    )
    .unwrap();
    let text = shown(&config);
    assert!(text.contains("port = 4000 # environment variable `PORT`\n"), "{text}");
    assert!(text.contains("listen = \"127.0.0.1\" # default\n"), "{text}");
    assert!(
        text.contains("issuer = \"http://127.0.0.1:4000\" # follows from the port\n"),
        "{text}"
    );
    assert!(text.contains("# pepper is not set\n"), "{text}");
    assert!(text.contains("[plans.enterprise]\nagents = 12 # env"), "{text}");
    let values = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.rsplit_once(" # ").map_or(line, |(value, _)| value).into())
            .collect()
    };
    assert_eq!(values(&shown(&from_both(&text, &[]).unwrap())), values(&text));
}

#[test]
fn the_numbers_of_a_plan_have_both_ends() {
    for (variable, value, taken) in [
        ("IDP_PLANS_PRO_AGENTS", "0", false),
        ("IDP_PLANS_PRO_AGENTS", "1", true),
        ("IDP_PLANS_PRO_AGENTS", "18446744073709551615", true),
        ("IDP_PLANS_PRO_TOKENS_PER_MONTH", "0", false),
        ("IDP_PLANS_PRO_REQUESTS_PER_MINUTE", "0", false),
        ("IDP_PLANS_PRO_REQUESTS_PER_MINUTE", "4294967295", true),
        ("IDP_PLANS_PRO_REQUESTS_PER_MINUTE", "4294967296", false),
        ("IDP_PLANS_PRO_REQUESTS_PER_MINUTE", "unlimited", false),
        ("IDP_UNAUTHENTICATED_REQUESTS_PER_MINUTE", "0", false),
        ("IDP_REFUSALS_TOLD_PER_MINUTE", "0", false),
        ("IDP_REFUSALS_TOLD_PER_MINUTE", "1", true),
        ("IDP_REFUSALS_TOLD_PER_MINUTE", "4294967296", false),
        ("IDP_PLANS_PRO_AUDIT_RETENTION_DAYS", "0", false),
        ("IDP_PLANS_PRO_AUDIT_RETENTION_DAYS", "1", true),
        ("IDP_PLANS_PRO_AUDIT_RETENTION_DAYS", "36500", true),
        ("IDP_PLANS_PRO_AUDIT_RETENTION_DAYS", "36501", false),
    ] {
        let config = from_environment(&[(variable, value)]);
        assert_eq!(config.is_ok(), taken, "{variable}={value}");
    }
}
