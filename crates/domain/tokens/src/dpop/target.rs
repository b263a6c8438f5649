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

/// Scheme, host, port and path, in their one spelling. The parser takes care of the host, of the
/// default port and of dot segments.
fn normal(text: &str) -> Option<(String, String)> {
    if !text.bytes().all(is_of_a_uri) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let names_somebody = !url.username().is_empty() || url.password().is_some();
    if names_somebody || !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    Some((url.origin().ascii_serialization(), unescaped(url.path())))
}

/// What RFC 3986 allows. A parser of the web takes more, and drops some of it in silence.
const fn is_of_a_uri(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// The path with what need not be escaped as itself, and the rest in capitals (RFC 3986 section
/// 6.2.2).
fn unescaped(path: &str) -> String {
    let mut parts = path.split('%');
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let escaped = part.split_at_checked(2);
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
            "HTTPS://IDP.Example.COM/api/v1/agents/a~b%2Fc",
            "https://idp.example.com/api/v1/agents/a%7Eb%2fc",
            "https://idp.example.com/api/./v1/x/../agents/a~b%2Fc",
        ] {
            assert!(is_same(same, ACTUAL), "{same}");
        }
        assert!(is_same("http://[::1]:80", "http://[::1]/"));
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
