//! The files of the deployment agree with each other and with the program: every variable is a key,
//! no secret has a default, nothing runs with more rights or more of the machine than it needs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use clap::CommandFactory as _;
use idp::{
    cli::Cli,
    config::{
        Config, Sources,
        keys::{self, Key},
    },
};
use serde_norway::Value;

/// What a person might write into `.env`, to see whether the program would take it.
const FILLED_IN: [(&str, &str); 9] = [
    ("IDP_ISSUER", "https://idp.example.com"),
    ("IDP_SEALING_KEY", "DZm92528ZSVGZPimuxJkzNMYEVEHxtW4a3TiienTDWs="),
    ("IDP_PEPPER", "6UzxitPc8DGKKBDFfCV5TEIWrvs2Rpgg8vgoOn863Ts="),
    ("POSTGRES_ADMIN_PASSWORD", "10d1e2"),
    ("POSTGRES_SERVER_PASSWORD", "20d1e2"),
    ("REDIS_PASSWORD", "30d1e2"),
    ("IDP_LOG", ""),
    ("IDP_REPLICAS", ""),
    ("PUBLISHED_PORTS", ""),
];

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| format!("{}: {error}", path.display()))
}

fn compose() -> Value {
    let mut compose: Value = serde_norway::from_str(&text("compose.yaml")).unwrap();
    // What is merged in may itself merge, which the first pass only copies.
    compose.apply_merge().unwrap();
    compose.apply_merge().unwrap();
    compose
}

fn services() -> BTreeMap<String, Value> {
    serde_norway::from_value(compose()["services"].clone()).unwrap()
}

/// The environment of a service, as it is written.
fn environment(service: &Value) -> BTreeMap<String, String> {
    serde_norway::from_value(service["environment"].clone()).unwrap()
}

fn list(value: &Value) -> Vec<&str> {
    value.as_sequence().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

/// A place where compose puts in what `.env` says.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hole<'a> {
    name: &'a str,
    /// What follows the name: `:?` and an error, `:-` and a default, or nothing.
    otherwise: &'a str,
}

/// Every `${…}` of a text. A `$$` stands for a `$` that compose leaves alone.
fn holes(text: &str) -> Vec<Hole<'_>> {
    let holes = text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap());
    let parts = holes.map(|hole| hole.split_at(hole.find(':').unwrap_or(hole.len())));
    parts.map(|(name, otherwise)| Hole { name, otherwise }).collect()
}

/// Puts the values in, as compose does.
fn filled(text: &str) -> String {
    let mut result = text.to_owned();
    for Hole { name, otherwise } in holes(text) {
        let given = FILLED_IN.iter().find(|(known, _)| *known == name).unwrap().1;
        let default = otherwise.strip_prefix(":-").unwrap_or_default();
        let value = if given.is_empty() { default } else { given };
        result = result.replace(&format!("${{{name}{otherwise}}}"), value);
    }
    result
}

/// The lines of `.env.example` that set something.
fn example() -> Vec<(String, String)> {
    let text = text(".env.example");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// The instructions of the Dockerfile's last stage, each on one line.
fn last_stage() -> Vec<(String, String)> {
    let file = text("Dockerfile").replace("\\\n", " ");
    let stage = file.rsplit("\nFROM ").next().unwrap();
    let lines = stage.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once(' ').unwrap())
        .map(|(instruction, rest)| (instruction.into(), rest.into()))
        .collect()
}

fn instruction(name: &str) -> String {
    let mut all = last_stage();
    all.retain(|(instruction, _)| instruction == name);
    assert_eq!(all.len(), 1, "{name} stands once in the last stage");
    all.remove(0).1
}

fn key(variable: &str) -> Option<&'static &'static Key> {
    keys::ALL.iter().find(|key| key.variable == variable)
}

fn is_secret(variable: &str) -> bool {
    key(variable).is_some_and(|key| key.secret)
        || ["PASSWORD", "AUTH", "KEY", "PEPPER"].iter().any(|word| variable.contains(word))
}

/// Those that run our own program.
fn our_services() -> impl Iterator<Item = (String, Value)> {
    services().into_iter().filter(|(_, service)| service["image"] == "agentidp")
}

#[test]
fn every_variable_that_the_program_is_given_is_a_key_of_its_configuration() {
    let image = instruction("ENV");
    let of_the_image = image.split_whitespace().map(|pair| pair.split_once('=').unwrap().0);
    for variable in of_the_image {
        assert!(key(variable).is_some(), "{variable} in the Dockerfile");
        assert!(!is_secret(variable), "{variable} in the Dockerfile");
    }
    for (name, service) in our_services() {
        for variable in environment(&service).keys() {
            assert!(key(variable).is_some(), "{variable} of {name}");
        }
    }
    assert_eq!(our_services().count(), 2);
}

#[test]
fn the_program_starts_with_what_compose_gives_it() {
    for (name, service) in our_services() {
        let environment = environment(&service);
        let environment =
            environment.into_iter().map(|(name, value)| (name, filled(&value))).collect();
        let loaded = Config::load(&Sources { environment, file: None });
        assert!(loaded.is_ok(), "{name}: {:?}", loaded.err());
    }
}

#[test]
fn the_example_and_compose_name_the_same_variables() {
    let compose = text("compose.yaml");
    let used: BTreeSet<_> = holes(&compose).into_iter().map(|hole| hole.name).collect();
    let example = example();
    let offered: BTreeSet<_> = example.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(used, offered);
    assert_eq!(offered.len(), example.len(), "a variable stands twice in .env.example");
    assert!(FILLED_IN.iter().all(|(name, _)| used.contains(name)));
}

#[test]
fn no_secret_has_a_default() {
    for (name, value) in example() {
        assert_eq!(value, "", "{name} has a value in .env.example");
    }
    for hole in holes(&text("compose.yaml")).iter().filter(|hole| is_secret(hole.name)) {
        assert_eq!(hole.otherwise, ":?set it in .env", "{}", hole.name);
    }
    for (name, service) in services() {
        for (variable, value) in environment(&service) {
            let is_from_outside = !holes(&value).is_empty();
            assert!(!is_secret(&variable) || is_from_outside, "{variable} of {name} is written");
        }
    }
}

#[test]
fn what_is_run_is_a_command_of_the_program() {
    let health: Vec<String> = serde_json::from_str(
        instruction("HEALTHCHECK").split_once("CMD ").expect("HEALTHCHECK runs a program").1,
    )
    .expect("HEALTHCHECK is in exec form, since there is no shell");
    assert_eq!(serde_json::from_str::<[String; 1]>(&instruction("ENTRYPOINT")).unwrap(), ["/idp"]);
    let [default] = serde_json::from_str::<[String; 1]>(&instruction("CMD")).unwrap();
    let mut commands = vec![default, health[1].clone()];
    assert_eq!(health[0], "/idp");
    for (_, service) in our_services() {
        commands.push(list(&service["command"])[0].to_owned());
        if let Some(test) = service["healthcheck"].get("test") {
            assert_eq!(list(test)[..2], ["CMD", "/idp"]);
            assert_eq!(list(test)[2..], health[1..]);
        }
    }
    for command in commands {
        assert!(Cli::command().find_subcommand(&command).is_some(), "`idp {command}`");
    }
}

#[test]
fn the_image_runs_as_a_user_by_number_that_is_not_root() {
    let user = instruction("USER");
    let (user, group) = user.split_once(':').unwrap();
    assert!(user.parse::<u32>().unwrap() > 0 && group.parse::<u32>().unwrap() > 0);
    let owner = format!("--chown={user}:{group} ");
    let data = instruction("ENV").contains("IDP_DATA_DIR=/data");
    let is_writable = last_stage()
        .iter()
        .any(|(name, rest)| name == "COPY" && rest.contains(&owner) && rest.ends_with(" /data"));
    assert!(data && is_writable);
    for (name, service) in our_services() {
        let folder = list(&service["tmpfs"])[0];
        assert!(folder.starts_with("/data:"), "{name}");
        assert!(folder.contains(&format!("uid={user},gid={group}")), "{name}");
    }
}

#[test]
fn no_service_has_rights_that_it_does_not_need() {
    for (name, service) in services() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(list(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(list(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        for forbidden in ["privileged", "cap_add", "network_mode", "pid", "ipc", "devices"] {
            assert!(service.get(forbidden).is_none(), "{forbidden} of {name}");
        }
        let is_ours = service["image"] == "agentidp";
        assert!(is_ours || service["user"].as_str().is_some_and(|user| user != "root"), "{name}");
    }
}

#[test]
fn every_service_has_bounds_and_whoever_stays_is_watched_and_restarted() {
    for (name, service) in services() {
        let limits = &service["deploy"]["resources"]["limits"];
        for limit in ["cpus", "memory", "pids"] {
            assert!(limits.get(limit).is_some(), "{limit} of {name}");
        }
        assert!(service["logging"]["options"].get("max-size").is_some(), "{name}");
        let (restart, is_watched) = (&service["restart"], service["healthcheck"].get("test"));
        if name == "migrate" {
            assert_eq!(restart, "no");
        } else {
            assert_eq!(restart, "unless-stopped", "{name}");
            assert!(is_watched.is_some(), "{name}");
        }
    }
}

#[test]
fn nobody_but_the_server_is_reached_from_outside_and_it_waits_for_the_schema() {
    let compose = compose();
    assert_eq!(compose["networks"]["stores"]["internal"], true);
    for (name, service) in services() {
        let expected = if name == "idp" { vec!["stores", "outside"] } else { vec!["stores"] };
        assert_eq!(list(&service["networks"]), expected, "{name}");
        assert_eq!(service.get("ports").is_some(), name == "idp", "{name}");
    }
    let idp = &compose["services"]["idp"];
    assert_eq!(idp["depends_on"]["migrate"]["condition"], "service_completed_successfully");
    assert!(!environment(idp)["DATABASE_URL"].contains("ADMIN"));
}

#[test]
fn the_way_to_the_database_is_encrypted() {
    assert!(text("deploy/postgres/20-tls.sh").contains("ALTER SYSTEM SET ssl = on"));
    for (name, service) in our_services() {
        assert!(environment(&service)["DATABASE_URL"].ends_with("?sslmode=require"), "{name}");
    }
}

#[test]
fn nothing_is_in_the_way_of_more_replicas() {
    let idp = &services()["idp"];
    assert!(idp.get("container_name").is_none() && idp.get("hostname").is_none());
    // A folder that replicas share is one process's at a time: the second would not start.
    assert!(idp.get("volumes").is_none());
    let ports = list(&idp["ports"]).into_iter().map(filled).collect::<Vec<_>>();
    assert_eq!(ports, ["127.0.0.1:3000-3009:3000"]);
    let replicas = idp["deploy"]["replicas"].as_str().unwrap();
    assert_eq!(replicas, environment(idp)["IDP_REPLICAS"], "there are as many as they believe");
}

#[test]
fn the_context_of_the_build_holds_the_workspace_and_nothing_else() {
    let ignored = text(".dockerignore");
    let mut rules = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(rules.next(), Some("*"));
    let let_in: BTreeSet<_> = rules.map(|rule| rule.strip_prefix('!').unwrap()).collect();
    let manifest = text("Cargo.toml");
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let folders = members.split('"').skip(1).step_by(2).map(|path| path.split('/').next().unwrap());
    let needed = folders.chain(["Cargo.toml", "Cargo.lock", ".cargo", "migrations"]).collect();
    assert_eq!(let_in, needed);
}
