//! The log: human lines on a terminal, JSON otherwise, to standard error.
//!
//! The rule: no line ever holds a secret, a token, a request's body or its `Authorization`. What
//! is secret has a type without `Display`, whose `Debug` is redacted, so it cannot be formatted by
//! accident; and the crates that see requests' bytes are held to `info`, whatever the filter says,
//! since their `trace` lines are not ours to promise for.

mod outbox;

use std::io::{self, IsTerminal};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use crate::config::{LogFilter, LogFormat, Logging};
use outbox::Outbox;

pub use outbox::LogGuard;

/// The crates that see requests as bytes.
const WIRE: &[&str] = &["h2", "hyper", "hyper_util", "rustls"];

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotStarted {
    /// The process has one already.
    #[error("the log was started before")]
    Before(#[from] tracing::subscriber::SetGlobalDefaultError),
    /// The system refuses a thread.
    #[error("there is no thread to write the log")]
    NoThread(#[from] io::Error),
}

/// Starts the log of this process, which is written in full once what is returned is dropped.
///
/// # Errors
/// [`NotStarted`]
pub fn start(logging: &Logging) -> Result<LogGuard, NotStarted> {
    let terminal = io::stderr().is_terminal();
    let form = match logging.format {
        LogFormat::Auto if terminal => Form::Human { coloured: true },
        LogFormat::Auto | LogFormat::Json => Form::Json,
        LogFormat::Human => Form::Human { coloured: terminal },
    };
    let (outbox, held) = Outbox::open(io::stderr)?;
    tracing::subscriber::set_global_default(subscriber(&logging.filter, form, outbox))?;
    Ok(held)
}

#[derive(Clone, Copy)]
enum Form {
    Human { coloured: bool },
    Json,
}

fn subscriber<W>(
    filter: &LogFilter,
    form: Form,
    writer: W,
) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Lossy in name only: the filter was read once already, by the same parser.
    let asked_for = EnvFilter::builder().parse_lossy(filter.directives());
    let filter = asked_for.and(filter_fn(|metadata| !is_wire_detail(metadata)));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match form {
        Form::Human { coloured: true } => lines.boxed(),
        Form::Human { coloured: false } => lines.with_ansi(false).boxed(),
        Form::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter))
}

fn is_wire_detail(metadata: &Metadata<'_>) -> bool {
    let origin = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() > Level::INFO && WIRE.contains(&origin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, form: Form, write: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let filter = LogFilter::parse(filter).unwrap();
        let subscriber = subscriber(&filter, form, move || writer.clone());
        // What no other thread listens to when it is first reached could be taken for what nobody ever
        // will: somebody listens everywhere, and keeps nothing. An error says that it is there already.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        tracing::subscriber::with_default(subscriber, write);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn au_12_text_of_a_caller_makes_no_line_and_no_colour_of_its_own() {
        let hostile = "=cmd\r\nlevel=INFO forged\u{1b}[31m";
        for form in [Form::Human { coloured: false }, Form::Json] {
            let text = logged("info", form, || tracing::info!(name = hostile, "a request"));
            assert_eq!(text.lines().count(), 1, "{text:?}");
            assert!(!text.trim_end().contains(['\r', '\u{1b}']), "{text:?}");
        }
    }

    #[test]
    fn a_json_line_is_one_object_with_its_fields_on_top() {
        let text = logged("info", Form::Json, || {
            tracing::info!(request.id = "r-1", "a request");
            tracing::debug!("not asked for");
        });
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with('{') && text.contains(r#""request.id":"r-1""#), "{text}");
    }

    #[test]
    fn a_human_line_away_from_a_terminal_has_no_colour() {
        let text = logged("info", Form::Human { coloured: false }, || tracing::info!("ready"));
        assert!(text.contains("INFO") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn crates_that_see_bytes_are_silent_below_info_even_when_asked_for() {
        let text = logged("trace,hyper=trace", Form::Json, || {
            tracing::trace!(target: "hyper::proto::h1", "canary");
            tracing::debug!(target: "h2", "canary");
            tracing::info!(target: "hyper", "told");
            tracing::trace!(target: "idp", "ours");
        });
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("told") && text.contains("ours"), "{text}");
    }
}
