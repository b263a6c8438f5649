//! Decodes `Authorization: Basic` as RFC 6749 section 2.3.1 has it: id and secret are
//! form-urlencoded before they are joined and put into Base64.

use data_encoding::BASE64;
use kernel::Secret;

use crate::percent;

/// Longer than any id and secret of this server, in Base64.
const LONGEST: usize = 4_096;

/// Decodes what follows `Basic `. `None` for all that is not of the form; why is of use to nobody
/// but an attacker.
pub(crate) fn decode(credentials: &str) -> Option<(String, Secret)> {
    if credentials.len() > LONGEST {
        return None;
    }
    let decoded = BASE64.decode(credentials.as_bytes()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    // Neither part holds a bare colon if it was encoded, so the first one separates. A client that
    // did not encode a colon in its secret is understood all the same.
    let (id, secret) = decoded.split_once(':')?;
    let id = percent::decode(id).ok().filter(|id| is_presentable(id))?;
    let secret = percent::decode(secret).ok().filter(|secret| is_presentable(secret))?;
    Some((id, Secret::from(secret)))
}

fn is_presentable(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use kernel::ExposeSecret;

    use super::*;

    fn decoded(plain: &str) -> Option<(String, String)> {
        decode(&BASE64.encode(plain.as_bytes()))
            .map(|(id, secret)| (id, secret.expose_secret().to_owned()))
    }

    #[test]
    fn ca_11_escapes_and_colons_are_decoded() {
        let both = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(decoded("id:secret"), both("id", "secret"));
        assert_eq!(decoded("a%3Ab:s%25+t%C3%A9"), both("a:b", "s% té"));
        assert_eq!(decoded("id:se:cr:et"), both("id", "se:cr:et"));
    }

    #[test]
    fn ca_11_what_is_not_of_the_form_is_refused() {
        for bad in
            ["", ":", "id", "id:", ":secret", "id:a\0b", "id:%00", "id:%zz", "id:%ff", "i\nd:s"]
        {
            assert_eq!(decoded(bad), None, "{bad:?}");
        }
        assert!(decode("aWQ6c2VjcmV0").is_some());
        for bad in
            ["aWQ6c2VjcmV0=", "aWQ6c2VjcmV0 ", "aWQ6c2VjcmV", "aWQ6cw", "aWQ6cx==", "id:s", "w7=="]
        {
            assert!(decode(bad).is_none(), "{bad}");
        }
        assert!(decode(&"aWQ6".repeat(262_144)).is_none());
        assert!(decode(&BASE64.encode(b"id:\xff")).is_none());
    }
}
