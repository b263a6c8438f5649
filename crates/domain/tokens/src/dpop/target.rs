//! Whether two URLs name one target (RFC 9449 section 4.3: `htu`, after the normalizations of
//! RFC 3986 sections 6.2.2 and 6.2.3, without query and fragment).

use url::Url;

/// Whether both name the same target.
pub(super) fn is_same(claimed: &str, actual: &str) -> bool {
    match (normal(claimed), normal(actual)) {
        (Some(claimed), Some(actual)) => claimed == actual,
        (Some(_) | None, None) | (None, Some(_)) => false,
    }
}

/// Scheme, host, port and path, in their one spelling. The parser takes care of capitals, of the
/// default port and of dot segments.
fn normal(text: &str) -> Option<(String, String)> {
    if !text.bytes().all(is_of_a_uri) {
        return None;
    }
    let (scheme, rest) = text.split_once("://")?;
    let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let authority = rest.split(['/', '?', '#']).next()?;
    let url = Url::parse(text).ok()?;
    let is_plain = is_web && is_of(url.host_str()?, authority);
    is_plain.then(|| (url.origin().ascii_serialization(), unescaped(url.path())))
}

/// Whether an authority names this host as RFC 3986 has it: in any case and with any of it escaped,
/// and otherwise letter by letter, without anybody's name and with a port that is written plainly. A
/// parser of the web takes numbers and abbreviations for addresses, too.
fn is_of(host: &str, authority: &str) -> bool {
    // The colons of an address in brackets are its own.
    let after_host = authority.rfind(']').unwrap_or_default();
    let colon = authority.get(after_host..).and_then(|rest| rest.find(':'));
    let end = colon.map_or(authority.len(), |colon| after_host.saturating_add(colon));
    let (claimed, port) = authority.split_at(end);
    !authority.contains('@')
        && !port.starts_with(":0")
        && unescaped(claimed).eq_ignore_ascii_case(host)
}

/// What RFC 3986 allows. A parser of the web takes more, and drops some of it in silence.
const fn is_of_a_uri(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// A part of a URL with what need not be escaped as itself, and the rest in capitals (RFC 3986
/// section 6.2.2).
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_digit = |digit: u8| digit.is_ascii_hexdigit();
        let escaped = part.split_at_checked(2).filter(|(digits, _)| digits.bytes().all(is_digit));
        match escaped.map(|(digits, rest)| (u8::from_str_radix(digits, 16), digits, rest)) {
            Some((Ok(byte), digits, rest)) => {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    normal.push(char::from(byte));
                } else {
                    normal.push('%');
                    normal.push_str(&digits.to_ascii_uppercase());
                }
                normal.push_str(rest);
            }
            Some((Err(_), ..)) | None => {
                normal.push('%');
                normal.push_str(part);
            }
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTUAL: &str = "https://idp.example.com/api/v1/agents/a~b%2Fc";

    #[test]
    fn dp_04_a_query_a_fragment_a_default_port_and_capitals_in_the_host_make_no_other_target() {
        for same in [
            ACTUAL,
            "https://idp.example.com/api/v1/agents/a~b%2Fc?page=2",
            "https://idp.example.com/api/v1/agents/a~b%2Fc#top",
            "https://idp.example.com:443/api/v1/agents/a~b%2Fc",
            "https://idp.example.com:/api/v1/agents/a~b%2Fc",
            "HTTPS://IDP.Example.COM/api/v1/agents/a~b%2Fc",
            "https://idp.ex%61mple%2ecom/api/v1/agents/a~b%2Fc",
            "https://idp.example.com/api/v1/agents/a%7Eb%2fc",
            "https://idp.example.com/api/./v1/x/../agents/a~b%2Fc",
        ] {
            assert!(is_same(same, ACTUAL), "{same}");
        }
        assert!(is_same("http://[::1]:80", "http://[::1]/"));
        assert!(is_same("http://[FE80::A]:3000/x", "http://[fe80::a]:3000/x"));
    }

    #[test]
    fn dp_04_a_spelling_that_only_the_web_takes_names_nobody() {
        let actual = "http://127.0.0.1:23101/x";
        assert!(is_same(actual, actual));
        for other in [
            "http:/127.0.0.1:23101/x",
            "http:127.0.0.1:23101/x",
            "http:///127.0.0.1:23101/x",
            "//127.0.0.1:23101/x",
            "http://@127.0.0.1:23101/x",
            "http://:@127.0.0.1:23101/x",
            "http://127.0.0.1:x@127.0.0.1:23101/x",
            "http://0x7f.1:23101/x",
            "http://0x7f.0.0.1:23101/x",
            "http://127.1:23101/x",
            "http://0177.0.0.1:23101/x",
            "http://2130706433:23101/x",
            "http://127.0.0.1.:23101/x",
            "http://127.0.0.1:023101/x",
            "http://127.0.0.1:+23101/x",
        ] {
            assert!(!is_same(other, actual), "{other}");
        }
        for (other, actual) in [
            ("http://[0:0::1]/", "http://[::1]/"),
            ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
            ("http://[::1]:080/", "http://[::1]/"),
            ("https://idp.example.com:0443/", "https://idp.example.com/"),
            ("https://idp.example.com./", "https://idp.example.com/"),
            ("https://xn--/", "https://idp.example.com/"),
            ("https://idp.example.com/%+f", "https://idp.example.com/%+F"),
        ] {
            assert!(!is_same(other, actual), "{other}");
        }
    }

    #[test]
    fn dp_04_every_other_target_is_another() {
        for other in [
            "",
            "/api/v1/agents/a~b%2Fc",
            "http://idp.example.com/api/v1/agents/a~b%2Fc",
            "https://idp.example.com:8443/api/v1/agents/a~b%2Fc",
            "https://idp.example.com.evil.example/api/v1/agents/a~b%2Fc",
            "https://evil.example/api/v1/agents/a~b%2Fc",
            "https://user@idp.example.com/api/v1/agents/a~b%2Fc",
            "https://idp.example.com/API/v1/agents/a~b%2Fc",
            "https://idp.example.com/api/v1/agents/a~b/c",
            "https://idp.example.com/api/v1/agents/a~b%2Fc/",
            "https://idp.example.com//api/v1/agents/a~b%2Fc",
            "https:\\\\idp.example.com/api/v1/agents/a~b%2Fc",
            " https://idp.example.com/api/v1/agents/a~b%2Fc",
            "https://idp.example.com/api/v1/agents\n/a~b%2Fc",
            "ftp://idp.example.com/api/v1/agents/a~b%2Fc",
        ] {
            assert!(!is_same(other, ACTUAL), "{other}");
        }
        assert!(!is_same("", ""));
    }
}
