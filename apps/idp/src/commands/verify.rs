//! `idp audit verify`: says of an export that all is well, or names the first position that is not as
//! it was. Needs no server, no store and no configuration.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use audit::{
    VerifierKey,
    checkpoint::InvalidOrigin,
    verify::{
        Checkpoints, CheckpointsRefused, Finding, NoCheckpoint, Runs, Summary, Verifier, plain,
        verify,
    },
};

use super::Failure;
use crate::cli::VerifyOptions;

/// A file with more is none of a key.
const KEY_LIMIT: u64 = 4_096;

/// How much of a file is read at once.
const BUFFER: usize = 1 << 18;

/// The most runs of erased positions that are shown.
const SHOWN: usize = 5;

/// Why nothing could be verified. Ends the process with exit code 2.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// The key is none.
    #[error("`--key` is neither a verifier key nor the name of a file that holds one")]
    Key(#[source] io::Error),
    /// The key is of something else.
    #[error("the key is of no audit log: its name does not end in `/audit/` and an id")]
    KeyOfAnother(#[from] InvalidOrigin),
    /// A file of checkpoints cannot be taken.
    #[error("the checkpoints in `{}` cannot be taken", .file.display())]
    Checkpoints {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: Box<CheckpointsRefused>,
    },
    /// Nothing was given to hold the export against.
    #[error(transparent)]
    NoCheckpoint(#[from] NoCheckpoint),
    /// The export cannot be read.
    #[error("the export `{}` cannot be read", .file.display())]
    Export {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody can be told what was found.
    #[error("the output cannot be written")]
    Output(#[source] io::Error),
}

pub(super) fn run(options: &VerifyOptions, out: &mut dyn Write) -> Result<(), Failure> {
    let verified = match take_checkpoints(options)? {
        Ok(checkpoints) => {
            let verifier = Verifier::new(checkpoints).map_err(Unusable::from)?;
            let unreadable = |source| Unusable::Export { file: options.export.clone(), source };
            let export = open(&options.export).map_err(unreadable)?;
            verify(verifier, export).map_err(unreadable)?
        }
        Err(finding) => Err(finding),
    };
    match verified {
        Ok(summary) => tell(&summary, options, out).map_err(Unusable::Output)?,
        Err(finding) => {
            writeln!(out, "{finding}\n  {}", finding.explanation).map_err(Unusable::Output)?;
            return Err(Failure::NotVerified);
        }
    }
    Ok(())
}

/// The checkpoints of all files. The inner error is that one of them does not hold.
fn take_checkpoints(options: &VerifyOptions) -> Result<Result<Checkpoints, Finding>, Unusable> {
    let mut checkpoints = match &options.key {
        Some(key) => Checkpoints::signed_by(read_key(key).map_err(Unusable::Key)?)?,
        None => Checkpoints::unsigned(),
    };
    for file in &options.checkpoints {
        let taken = File::open(file)
            .map_err(CheckpointsRefused::from)
            .and_then(|opened| checkpoints.add(BufReader::with_capacity(BUFFER, opened)));
        match taken {
            Ok(()) => {}
            Err(CheckpointsRefused::Found(mut finding)) => {
                let name = plain(&file.to_string_lossy());
                finding.explanation = format!("in `{name}`: {}", finding.explanation);
                return Ok(Err(finding));
            }
            Err(source @ (CheckpointsRefused::Unreadable(_) | CheckpointsRefused::SeveralLogs)) => {
                let (file, source) = (file.clone(), Box::new(source));
                return Err(Unusable::Checkpoints { file, source });
            }
        }
    }
    Ok(Ok(checkpoints))
}

/// A verifier key, or the one that the file of this name holds.
fn read_key(text: &str) -> io::Result<VerifierKey> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let mut held = String::new();
    File::open(text)?.take(KEY_LIMIT).read_to_string(&mut held)?;
    held.trim_end_matches(['\r', '\n']).parse().map_err(io::Error::other)
}

fn open(file: &Path) -> io::Result<Box<dyn BufRead>> {
    Ok(if file.as_os_str() == "-" {
        Box::new(BufReader::with_capacity(BUFFER, io::stdin()))
    } else {
        Box::new(BufReader::with_capacity(BUFFER, File::open(file)?))
    })
}

/// What a person wants to know of a log that verifies.
fn tell(summary: &Summary, options: &VerifyOptions, out: &mut dyn Write) -> io::Result<()> {
    let Summary { size, events, checkpoints, covered, .. } = summary;
    writeln!(out, "the log verifies")?;
    writeln!(out, "  positions    {size}, {events} of them with the content of their event")?;
    writeln!(out, "  checkpoints  {checkpoints} fit, the greatest of size {covered}")?;
    tell_erased("content", &summary.content_erased, out)?;
    tell_erased("personal data", &summary.personal_data_erased, out)?;
    if size > covered {
        let open = size - covered;
        writeln!(
            out,
            "warning: the last {open} positions lie past the greatest checkpoint: nothing that left \
             covers them"
        )?;
    }
    if summary.out_of_order > 0 {
        let count = summary.out_of_order;
        let shown = listed(summary.first_out_of_order.iter().map(u64::to_string), count);
        writeln!(out, "warning: {count} events are out of order, a clock was set back: {shown}")?;
    }
    if options.key.is_none() {
        writeln!(
            out,
            "warning: signatures were NOT verified: this says what it says only where nobody else \
             could write the files of checkpoints"
        )?;
    }
    Ok(())
}

fn tell_erased(what: &str, erased: &Runs, out: &mut dyn Write) -> io::Result<()> {
    if erased.is_empty() {
        return Ok(());
    }
    let runs = erased.iter().map(|(start, end)| match end - 1 {
        last if last == start => start.to_string(),
        last => format!("{start} to {last}"),
    });
    let count = erased.iter().count().try_into().unwrap_or(u64::MAX);
    let shown = listed(runs.take(SHOWN), count);
    writeln!(out, "  erased       {what} at {} positions, as announced: {shown}", erased.count())
}

/// The first of so many, and whether there are more.
fn listed(shown: impl Iterator<Item = String>, count: u64) -> String {
    let shown: Vec<_> = shown.collect();
    let more = u64::try_from(shown.len()).is_ok_and(|shown| shown < count);
    shown.join(", ") + if more { ", …" } else { "" }
}
