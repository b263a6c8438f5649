//! Gathers the configuration from its sources: the defaults, then a TOML file, then the
//! environment, each over the one before. What is unknown is told here, before the sources are
//! merged, so that no later source can cover it up.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};

use super::keys::{self, Fallback, Key};
use super::problem::{Place, Problem};

const DEFAULTS: &str = "defaults";
const ENVIRONMENT: &str = "environment";

/// What a configuration is read from. Nothing here is ambient, so that two tests, or two
/// servers in one process, do not see each other's.
#[derive(Clone, Default)]
pub struct Sources {
    /// The environment. What is not Unicode is passed on lossily, and refused where it matters.
    pub environment: Vec<(String, String)>,
    /// The file that the command line named; else the variable `IDP_CONFIG` may name one.
    pub file: Option<PathBuf>,
}

impl fmt::Debug for Sources {
    /// The names of the variables only: their values hold secrets, of others too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.environment.iter().map(|(name, _)| name).collect();
        f.debug_struct("Sources").field("environment", &names).field("file", &self.file).finish()
    }
}

/// The merged values of known keys, each with where it came from. Not yet judged.
pub(super) struct Settings {
    figment: Figment,
    values: Dict,
}

impl Settings {
    /// Reads and merges all sources, and tells what is unknown or cannot be read.
    pub(super) fn gather(sources: &Sources) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let file = file_layer(sources, &mut problems);
        let environment = environment_layer(&sources.environment, &mut problems);
        let figment = Figment::from(default_layer()).merge(file).merge(environment);
        // None of our layers fails to provide its data, and then neither does their sum.
        let values = figment
            .data()
            .ok()
            .and_then(|mut profiles| profiles.remove(&Profile::Default))
            .unwrap_or_default();
        (Self { figment, values }, problems)
    }

    /// The effective value of a key, where it has one.
    pub(super) fn value(&self, key: &Key) -> Option<&Value> {
        let mut steps = key.name.split('.');
        let first = self.values.get(steps.next()?)?;
        steps.try_fold(first, |value, step| value.as_dict()?.get(step))
    }

    /// Where a value of that key came from.
    pub(super) fn place(&self, key: &Key, value: &Value) -> Place {
        match self.figment.get_metadata(value.tag()) {
            Some(Metadata { source: Some(Source::File(path)), .. }) => Place::File(path.clone()),
            Some(metadata) if metadata.name == ENVIRONMENT => Place::Variable(key.variable.into()),
            Some(_) | None => Place::Default,
        }
    }
}

/// One source, as figment takes it.
struct Layer {
    metadata: Metadata,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn default_layer() -> Layer {
    let mut values = Dict::new();
    for key in keys::ALL {
        let value = match key.fallback {
            Fallback::Unset => continue,
            Fallback::Number(number) => Value::from(number),
            Fallback::Text(text) | Fallback::List(text) => Value::from(text),
            Fallback::EmptyList => Value::from(Vec::<Value>::new()),
        };
        insert(&mut values, key.name, value);
    }
    Layer { metadata: Metadata::named(DEFAULTS), values }
}

fn environment_layer(environment: &[(String, String)], problems: &mut Vec<Problem>) -> Layer {
    let mut values = Dict::new();
    for (variable, value) in environment {
        if let Some(key) = keys::of_variable(variable) {
            insert(&mut values, key.name, Value::from(value.as_str()));
        } else if variable.starts_with(keys::PREFIX)
            && variable != keys::FILE_VARIABLE
            && !announces_service(variable, value)
        {
            let nearby = keys::variable_near(variable);
            problems.push(Problem::UnknownVariable { variable: variable.clone(), nearby });
        }
    }
    Layer { metadata: Metadata::named(ENVIRONMENT), values }
}

/// Whether the variable is one of those by which a cluster tells its containers of a service:
/// with a service named `idp`, `IDP_SERVICE_HOST` and `IDP_PORT=tcp://…` appear in every one, and
/// a server that refuses them would not start there.
fn announces_service(variable: &str, value: &str) -> bool {
    let of_port = |rest: &str| {
        let (number, protocol) = rest.split_once('_').unwrap_or((rest, ""));
        let protocol = protocol.split('_').next().unwrap_or_default();
        number.parse::<u16>().is_ok() && matches!(protocol, "TCP" | "UDP" | "SCTP")
    };
    variable.ends_with("_SERVICE_HOST")
        || variable.ends_with("_SERVICE_PORT")
        || variable.contains("_SERVICE_PORT_")
        || (variable.ends_with("_PORT") && value.contains("://"))
        || variable.split_once("_PORT_").is_some_and(|(_, rest)| of_port(rest))
}

fn file_layer(sources: &Sources, problems: &mut Vec<Problem>) -> Layer {
    let Some((path, named_by)) = named_file(sources) else {
        return Layer { metadata: Metadata::named("no file"), values: Dict::new() };
    };
    let values = match read_toml(&path, named_by) {
        Ok(values) => sift(values, "", &path, problems),
        Err(problem) => {
            problems.push(problem);
            Dict::new()
        }
    };
    Layer { metadata: Metadata::from("file", path.as_path()), values }
}

fn named_file(sources: &Sources) -> Option<(PathBuf, &'static str)> {
    let given = sources.file.clone().map(|path| (path, "`--config`"));
    given.or_else(|| {
        let variable = sources.environment.iter().find(|(name, _)| name == keys::FILE_VARIABLE);
        variable.map(|(_, path)| (PathBuf::from(path), "environment variable `IDP_CONFIG`"))
    })
}

fn read_toml(path: &Path, named_by: &'static str) -> Result<Dict, Problem> {
    let text = std::fs::read_to_string(path).map_err(|error| Problem::UnreadableFile {
        file: path.to_owned(),
        named_by,
        because: unreadable(error.kind()),
    })?;
    Toml::from_str(&text).map_err(|error| Problem::MalformedFile {
        file: path.to_owned(),
        at: error.span().and_then(|span| text.get(..span.start)).map(position_after),
    })
}

fn unreadable(kind: io::ErrorKind) -> String {
    if kind == io::ErrorKind::InvalidData {
        "it is not UTF-8 text".to_owned()
    } else if kind == io::ErrorKind::NotFound {
        "there is no such file".to_owned()
    } else {
        kind.to_string()
    }
}

/// Line and column, from 1, of what follows that text.
fn position_after(text: &str) -> (usize, usize) {
    let line_start = text.rfind('\n').map_or(0, |at| at + 1);
    let column = text.get(line_start..).unwrap_or_default().chars().count() + 1;
    (text.matches('\n').count() + 1, column)
}

/// The values of known keys; all others are told, each once, and left out.
fn sift(values: Dict, table: &str, file: &Path, problems: &mut Vec<Problem>) -> Dict {
    let mut known = Dict::new();
    for (step, value) in values {
        // A quoted key such as "plans.free" reads like a known one and lies elsewhere.
        let written = if step.contains('.') { format!("\"{step}\"") } else { step.clone() };
        let name = if table.is_empty() { written } else { format!("{table}.{written}") };
        let place = || Place::File(file.to_owned());
        if keys::named(&name).is_some() {
            known.insert(step, value);
        } else if keys::is_table(&name) {
            match value {
                Value::Dict(tag, inner) => {
                    let inner = sift(inner, &name, file, problems);
                    known.insert(step, Value::Dict(tag, inner));
                }
                Value::String(..)
                | Value::Char(..)
                | Value::Bool(..)
                | Value::Num(..)
                | Value::Empty(..)
                | Value::Array(..) => {
                    problems.push(Problem::NotATable { place: place(), key: name });
                }
            }
        } else {
            let nearby = keys::name_near(&name);
            problems.push(Problem::UnknownKey { place: place(), key: name, nearby });
        }
    }
    known
}

fn insert(values: &mut Dict, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            values.insert(name.to_owned(), value);
        }
        Some((table, rest)) => {
            let inner = values.entry(table.to_owned()).or_insert_with(|| Dict::new().into());
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
