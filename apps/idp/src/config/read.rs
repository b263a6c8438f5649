//! Judges the merged settings: each value by its key, then all of them together. Nothing stops at
//! the first problem, so that an operator who mends the configuration does it once.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use figment::value::Value;
use outlets::WitnessUrl;
use tenancy::{Plans, Quota, Quotas, Rate};
use tokens::{Issuer, Lifetime};

use super::keys::{self, Key};
use super::log::{LogFilter, LogFormat};
use super::problem::{Found, Place, Problem};
use super::source::Settings;
use super::values::{ConnectionLimit, Database, Mode, RedisUrl};
use super::{
    Audit, Logging, Network, Origin, Reach, Scheme, SecretKey, Secrets, Signing, StandardOutput,
    Storage, issuer::on_this_machine,
};

mod transport;

pub(super) use transport::transport;

/// Why a value is refused: the rule that it breaks, where what its key expects does not say it.
struct Rejection(Option<String>);

/// For `or_else` and `ok_or`: the key's expectation says it all.
const PLAIN: Rejection = Rejection(None);

impl Rejection {
    fn because(rule: impl std::fmt::Display) -> Self {
        Self(Some(rule.to_string()))
    }
}

/// Reads keys from the settings and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    settings: &'a Settings,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Settings, problems: Vec<Problem>) -> Self {
        Self { settings, problems }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The parsed value of a key that has one by default; `None` where it was refused.
    fn required<T>(
        &mut self,
        key: &Key,
        parse: impl Fn(&Value) -> Result<T, Rejection>,
    ) -> Option<T> {
        if !self.is_set(key) {
            self.refuse(key, "it has no default");
        }
        self.optional(key, parse).flatten()
    }

    /// The parsed value of a key that may be unset; the outer `None` says that it was refused.
    fn optional<T>(
        &mut self,
        key: &Key,
        parse: impl Fn(&Value) -> Result<T, Rejection>,
    ) -> Option<Option<T>> {
        let Some(value) = self.settings.value(key) else { return Some(None) };
        match readable(value).and_then(|()| parse(value)) {
            Ok(parsed) => Some(Some(parsed)),
            Err(Rejection(because)) => {
                self.refuse_value(key, value, Found::of(key, value), because);
                None
            }
        }
    }

    fn refuse_value(&mut self, key: &Key, value: &Value, found: Found, because: Option<String>) {
        let place = self.settings.place(key, value);
        let (name, expected) = (key.name, key.expected);
        self.problems.push(Problem::BadValue { place, key: name, expected, found, because });
    }

    fn refuse(&mut self, key: &Key, because: &'static str) {
        let problem = match self.settings.value(key) {
            Some(value) => {
                let place = self.settings.place(key, value);
                Problem::Refused { place, key: key.name, because }
            }
            None => Problem::Missing { key: key.name, variable: key.variable, because },
        };
        self.problems.push(problem);
    }

    fn is_set(&self, key: &Key) -> bool {
        self.settings.value(key).is_some()
    }
}

pub(super) fn network(reader: &mut Reader<'_>) -> Option<Network> {
    let port = reader.required(keys::PORT, |value| number(value, |n| u16::try_from(n).ok()));
    let listen =
        reader.required(keys::LISTEN, |value| text(value)?.parse::<IpAddr>().map_err(|_| PLAIN));
    let max_connections =
        reader.required(keys::MAX_CONNECTIONS, |value| number(value, ConnectionLimit::new));
    let unauthenticated = reader.required(keys::UNAUTHENTICATED_REQUESTS, per_minute);
    let refusals_told = reader.required(keys::REFUSALS_TOLD, |value| {
        number(value, |count| u32::try_from(count).ok().and_then(NonZeroU32::new))
    });
    let cors_origins =
        entries(reader, keys::CORS_ORIGINS, |text| Origin::parse(text).map_err(Rejection::because));
    let metrics = reader.optional(keys::METRICS_LISTEN, |value| {
        text(value)?.parse::<SocketAddr>().map_err(|_| PLAIN)
    });
    Some(Network {
        port: port?,
        listen: listen?,
        max_connections: max_connections?,
        unauthenticated: unauthenticated?,
        refusals_told: refusals_told?,
        cors_origins: cors_origins?,
        metrics: metrics?,
    })
}

/// Needs the port, from which the issuer follows where it is not set. The outer `None` says that
/// it was refused.
pub(super) fn issuer(reader: &mut Reader<'_>, port: Option<u16>) -> Option<Option<Issuer>> {
    let parse = |value: &Value| text(value)?.parse::<Issuer>().map_err(Rejection::because);
    let set = reader.optional(keys::ISSUER, parse)?;
    let speaks_tls = transport::speaks_tls(reader);
    if speaks_tls && set.as_ref().is_some_and(|issuer| !issuer.is_https()) {
        reader.refuse(keys::ISSUER, "a server that speaks TLS itself needs an https issuer");
    }
    Some(set.or_else(|| default_issuer(Scheme::of(speaks_tls), port?)))
}

/// Needs the issuer, of which the mode follows where it is not set; `None` where either was
/// refused.
pub(super) fn mode(reader: &mut Reader<'_>, issuer: Option<&Option<Issuer>>) -> Option<Mode> {
    let set = reader.optional(keys::MODE, |value| Mode::parse(text(value)?).ok_or(PLAIN))?;
    let issuer = issuer.map(Option::as_ref);
    let mode = set.or_else(|| issuer.map(default_mode))?;
    let https = |issuer: Option<&Issuer>| issuer.is_some_and(Reach::is_https);
    if mode == Mode::Production && issuer.is_some_and(|issuer| !https(issuer)) {
        reader.refuse(keys::ISSUER, "production needs an https issuer");
    }
    Some(mode)
}

pub(super) fn token_lifetime(reader: &mut Reader<'_>) -> Option<Lifetime> {
    reader.required(keys::TOKEN_LIFETIME, |value| number(value, Lifetime::from_seconds))
}

pub(super) fn signing(reader: &mut Reader<'_>) -> Option<Signing> {
    let algorithms = reader.required(keys::SIGNING_ALGORITHMS, |value| {
        let names = list(value).ok_or(PLAIN)?;
        let names: Vec<&str> = names.iter().map(text).collect::<Result<_, _>>()?;
        Signing::algorithms(names).ok_or(PLAIN)
    });
    let rotation_days =
        reader.required(keys::KEY_ROTATION_DAYS, |value| number(value, Signing::days));
    Some(Signing { algorithms: algorithms?, rotation_days: rotation_days? })
}

/// Port 0 is decided by the system when it is bound, and then the issuer too.
fn default_issuer(scheme: Scheme, port: u16) -> Option<Issuer> {
    on_this_machine(scheme, port).ok()
}

/// Without an issuer of its own a server is on this machine.
fn default_mode(issuer: Option<&Issuer>) -> Mode {
    match issuer {
        Some(issuer) if !issuer.is_loopback() => Mode::Production,
        Some(_) | None => Mode::Development,
    }
}

pub(super) fn storage(reader: &mut Reader<'_>) -> Option<Storage> {
    let data_dir = reader.required(keys::DATA_DIR, folder);
    let database = reader.optional(keys::DATABASE_URL, |value| {
        Database::parse(text(value)?).map_err(Rejection::because)
    });
    let connections =
        reader.required(keys::DATABASE_CONNECTIONS, |value| number(value, at_most_a_thousand));
    let redis = reader.optional(keys::REDIS_URL, |value| {
        RedisUrl::parse(text(value)?).map_err(Rejection::because)
    });
    let replicas = reader.required(keys::REPLICAS, |value| number(value, at_most_a_thousand));
    Some(Storage {
        data_dir: data_dir?,
        database: database?,
        connections: connections?,
        redis: redis?,
        replicas: replicas?,
    })
}

/// Needs the mode, since production makes no key by itself; where the mode is unknown, because
/// it or the issuer was refused, nothing is asked for.
pub(super) fn secrets(reader: &mut Reader<'_>, mode: Option<Mode>) -> Option<Secrets> {
    let parse = |value: &Value| SecretKey::parse(text(value)?).map_err(Rejection::because);
    let sealing_key = reader.optional(keys::SEALING_KEY, parse);
    let pepper = reader.optional(keys::PEPPER, parse);
    if mode == Some(Mode::Production) {
        for key in [keys::SEALING_KEY, keys::PEPPER] {
            if !reader.is_set(key) {
                // Two replicas that each made their own would not read each other's records.
                reader.refuse(key, "production makes no key by itself");
            }
        }
    }
    let secrets = Secrets { sealing_key: sealing_key?, pepper: pepper? };
    if let Secrets { sealing_key: Some(one), pepper: Some(other) } = &secrets
        && one.expose() == other.expose()
    {
        reader.refuse(keys::PEPPER, "it must be another key than `sealing_key`");
    }
    Some(secrets)
}

pub(super) fn logging(reader: &mut Reader<'_>) -> Option<Logging> {
    let filter = reader
        .required(keys::LOG, |value| LogFilter::parse(text(value)?).map_err(Rejection::because));
    let format =
        reader.required(keys::LOG_FORMAT, |value| LogFormat::parse(text(value)?).ok_or(PLAIN));
    Some(Logging { filter: filter?, format: format? })
}

pub(super) fn audit(reader: &mut Reader<'_>) -> Option<Audit> {
    let checkpoint_file = reader.optional(keys::AUDIT_CHECKPOINT_FILE, folder);
    let events_file = reader.optional(keys::AUDIT_EVENTS_FILE, folder);
    let stdout = reader.required(keys::AUDIT_STDOUT, |value| {
        let entries = list(value).ok_or(PLAIN)?;
        let entries: Vec<&str> = entries.iter().map(text).collect::<Result<_, _>>()?;
        let named = entries.into_iter().try_fold(StandardOutput::default(), StandardOutput::with);
        named.ok_or(PLAIN)
    });
    let witness = reader.optional(keys::AUDIT_WITNESS_URL, |value| {
        text(value)?.parse::<WitnessUrl>().map_err(|_| PLAIN)
    });
    let personal_data_days =
        reader.required(keys::AUDIT_PERSONAL_DATA_DAYS, |value| number(value, days));
    Some(Audit {
        checkpoint_file: checkpoint_file?,
        events_file: events_file?,
        stdout: stdout?,
        witness: witness?,
        personal_data_days: personal_data_days?,
    })
}

pub(super) fn plans(reader: &mut Reader<'_>) -> Option<Plans> {
    use keys::*;
    let free = plan(reader, [FREE_AGENTS, FREE_REQUESTS, FREE_TOKENS, FREE_RETENTION]);
    let pro = plan(reader, [PRO_AGENTS, PRO_REQUESTS, PRO_TOKENS, PRO_RETENTION]);
    let enterprise = plan(
        reader,
        [ENTERPRISE_AGENTS, ENTERPRISE_REQUESTS, ENTERPRISE_TOKENS, ENTERPRISE_RETENTION],
    );
    Some(Plans { free: free?, pro: pro?, enterprise: enterprise? })
}

fn plan(reader: &mut Reader<'_>, keys: [&Key; 4]) -> Option<Quotas> {
    let [agents, requests, tokens, retention] = keys;
    let agents = reader.required(agents, quota);
    let requests = reader.required(requests, per_minute);
    let tokens = reader.required(tokens, quota);
    let retention = reader.required(retention, |value| number(value, days));
    Some(Quotas {
        agents: agents?,
        requests: requests?,
        tokens_per_month: tokens?,
        audit_retention_days: retention?,
    })
}

/// The entries of a list. Each bad one is a problem of its own.
fn entries<T>(
    reader: &mut Reader<'_>,
    key: &Key,
    parse: impl Fn(&str) -> Result<T, Rejection>,
) -> Option<Vec<T>> {
    let settings = reader.settings;
    let value = settings.value(key)?;
    let Some(entries) = list(value) else {
        reader.refuse_value(key, value, Found::of(key, value), None);
        return None;
    };
    let mut parsed = Some(Vec::new());
    for entry in entries {
        match text(&entry).and_then(&parse) {
            Ok(one) => {
                if let Some(list) = &mut parsed {
                    list.push(one);
                }
            }
            Err(Rejection(because)) => {
                parsed = None;
                reader.refuse_value(key, value, Found::of(key, &entry), because);
            }
        }
    }
    parsed
}

/// A list of a file as it is, a text of the environment split at its commas.
pub(super) fn list(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(_, entries) => Some(entries.clone()),
        Value::String(_, text) if text.trim().is_empty() => Some(Vec::new()),
        Value::String(_, text) => Some(text.split(',').map(|entry| entry.trim().into()).collect()),
        Value::Char(..) | Value::Bool(..) | Value::Num(..) | Value::Empty(..) | Value::Dict(..) => {
            None
        }
    }
}

/// Refuses what was no Unicode in the environment: read lossily it would be another value.
fn readable(value: &Value) -> Result<(), Rejection> {
    let lossy = value.as_str().is_some_and(|text| text.contains('\u{fffd}'));
    if lossy { Err(Rejection::because("it is not valid Unicode")) } else { Ok(()) }
}

fn text(value: &Value) -> Result<&str, Rejection> {
    value.as_str().filter(|text| !text.is_empty()).ok_or(PLAIN)
}

/// A whole number, also from text: the environment has nothing else.
pub(super) fn whole(value: &Value) -> Option<u64> {
    let from_text = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let from_number = || value.to_i128().and_then(|number| u64::try_from(number).ok());
    let from_unsigned = || value.to_u128().and_then(|number| u64::try_from(number).ok());
    value.as_str().map_or_else(|| from_number().or_else(from_unsigned), from_text)
}

fn number<T>(value: &Value, parse: impl Fn(u64) -> Option<T>) -> Result<T, Rejection> {
    whole(value).and_then(parse).ok_or(PLAIN)
}

fn at_most_a_thousand(count: u64) -> Option<NonZeroU32> {
    u32::try_from(count).ok().filter(|count| *count <= 1_000).and_then(NonZeroU32::new)
}

/// Never unlimited, since a client that loops must meet an end; and never none, which would lock
/// everybody out.
fn per_minute(value: &Value) -> Result<Rate, Rejection> {
    let in_range = |count: &u64| (1..=u32::MAX.into()).contains(count);
    number(value, |count| Some(count).filter(in_range).map(|per_minute| Rate { per_minute }))
}

/// At most a hundred years.
fn days(days: u64) -> Option<u32> {
    u32::try_from(days).ok().filter(|days| (1..=36_500).contains(days))
}

fn quota(value: &Value) -> Result<Quota, Rejection> {
    match value.as_str() {
        Some("unlimited") => Ok(Quota::Unlimited),
        Some(_) | None => number(value, |count| (count > 0).then_some(count)).map(Quota::AtMost),
    }
}

/// A URL is refused: it is one of another key, and a folder of that name would be made.
fn folder(value: &Value) -> Result<PathBuf, Rejection> {
    let path = text(value)?;
    if path.contains("://") || path.contains('\0') { Err(PLAIN) } else { Ok(PathBuf::from(path)) }
}

/// Where the effective value of a key came from, as it is shown.
pub(super) fn place_of(settings: &Settings, key: &Key) -> Place {
    settings.value(key).map_or(Place::Default, |value| settings.place(key, value))
}
