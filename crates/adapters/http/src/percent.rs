//! Decoding of `application/x-www-form-urlencoded` text, strictly.
//!
//! The lenient decoders of the field pass over a broken escape and replace bytes that are no
//! UTF-8. Two parties would then read two different values out of one request.

use thiserror::Error;

/// Text that cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be percent-encoded UTF-8")]
pub(crate) struct Undecodable;

/// Decodes `%XX` and `+`; the outcome must be UTF-8.
pub(crate) fn decode(text: &str) -> Result<String, Undecodable> {
    if !text.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next())? << 4 | hex(rest.next())?,
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| Undecodable)
}

fn hex(digit: Option<u8>) -> Result<u8, Undecodable> {
    match digit {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(digit @ b'a'..=b'f') => Ok(digit - b'a' + 10),
        Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
        Some(_) | None => Err(Undecodable),
    }
}

/// The pairs of a form or a query, undecoded. A name without `=` has an empty value.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_and_pluses_are_decoded() {
        assert_eq!(decode("a%3Ab+c%C3%A9%2f"), Ok("a:b cé/".to_owned()));
    }

    #[test]
    fn a_broken_escape_and_bytes_that_are_no_utf_8_are_refused() {
        for bad in ["%", "%2", "%zz", "%2g", "%+1", "%ff", "%c3%28", "%ed%a0%80"] {
            assert_eq!(decode(bad), Err(Undecodable), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_is_decoded_again(text in any::<String>()) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert_eq!(decode(&encoded), Ok(text));
        }
    }
}
