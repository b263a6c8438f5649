//! What a witness is sent, and what its answers mean (C2SP tlog-witness, "add-checkpoint").

use std::fmt::Write;

use audit::{
    delivery::{WitnessAnswer, WitnessRequest},
    note::are_signature_lines,
};
use hyper::StatusCode;

use crate::witness::NoAnswer;

/// The body of a request.
pub(crate) fn body_of(request: &WitnessRequest) -> String {
    let mut body = format!("old {}\n", request.old_size);
    for hash in &request.proof {
        // Writing to a text cannot fail.
        let _ = writeln!(body, "{hash}");
    }
    body.push('\n');
    body.push_str(&request.checkpoint.note);
    body
}

/// What an answer means; `is_size` where its type is that of a size.
pub(crate) fn meaning_of(
    request: &WitnessRequest,
    (status, is_size): (StatusCode, bool),
    body: String,
) -> Result<WitnessAnswer, NoAnswer> {
    let refused = |reason: &str| Ok(WitnessAnswer::Refused(reason.to_owned()));
    match status {
        StatusCode::OK if are_signature_lines(&body) => Ok(WitnessAnswer::Cosigned(body)),
        StatusCode::OK => Err(NoAnswer::Lines),
        StatusCode::CONFLICT if is_size => match size_of(&body).ok_or(NoAnswer::Size)? {
            // To ask again with the size that was asked with would never end.
            size if size == request.old_size => refused(OTHER_ROOT),
            size => Ok(WitnessAnswer::OtherSize(size)),
        },
        StatusCode::CONFLICT => refused(OTHER_ROOT),
        StatusCode::BAD_REQUEST => refused("the witness does not take the request for well formed"),
        StatusCode::FORBIDDEN => refused("the witness trusts no key that signed the checkpoint"),
        StatusCode::NOT_FOUND => refused("the witness does not know the log"),
        StatusCode::UNPROCESSABLE_ENTITY => {
            refused("the proof does not lead the witness from what it saw to the checkpoint")
        }
        other => Err(NoAnswer::Status(other)),
    }
}

const OTHER_ROOT: &str = "the witness saw another root at the same size";

fn size_of(body: &str) -> Option<u64> {
    let size = body.strip_suffix('\n')?;
    let is_plain = size.bytes().all(|byte| byte.is_ascii_digit());
    size.parse().ok().filter(|_| is_plain)
}
