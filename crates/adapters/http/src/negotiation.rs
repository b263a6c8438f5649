//! Which of two forms of an answer the caller asked for (RFC 9110 section 12.5.1).

use axum::http::{HeaderMap, header};

/// Quality in thousandths, as `q=0.5` writes it: 0 is "not this".
type Quality = u16;

/// Whether the caller prefers `special` to `usual`: it must name the special form itself, since nobody
/// asks for that by a wildcard, and may not like the usual one better. Where neither is wanted, or the
/// header cannot be read, the usual form goes out: a caller that cannot use it is no worse off than with
/// a 406.
pub(crate) fn prefers(headers: &HeaderMap, special: &str, usual: &str) -> bool {
    let ranges: Vec<(&str, Quality)> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(range)
        .collect();
    let quality = |name: &str| {
        let named = ranges.iter().filter(|(range, _)| range.eq_ignore_ascii_case(name));
        named.map(|(_, quality)| *quality).max()
    };
    let group = usual.split('/').next().unwrap_or_default();
    let usual = quality(usual)
        .or_else(|| quality(&format!("{group}/*")))
        .or_else(|| quality("*/*"))
        .unwrap_or(0);
    quality(special).is_some_and(|special| special > 0 && special >= usual)
}

/// A range and its quality. One whose quality cannot be read is none.
fn range(text: &str) -> Option<(&str, Quality)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?;
    let weight = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim_end().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    let quality = match weight {
        Some(weight) => quality(weight)?,
        None => 1_000,
    };
    Some((name, quality))
}

/// `0`, `1`, or either with at most three decimals, and nothing above one.
fn quality(text: &str) -> Option<Quality> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let plain = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let whole: Quality = match whole {
        "0" => 0,
        "1" => 1_000,
        _ => return None,
    };
    let thousandths: Quality = format!("{decimals:0<3}").parse().ok().filter(|_| plain)?;
    Some(whole + thousandths).filter(|quality| *quality <= 1_000)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const SPECIAL: &str = "application/token-introspection+jwt";

    fn prefers_special(accept: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        prefers(&headers, SPECIAL, "application/json")
    }

    #[test]
    fn the_special_form_goes_to_whoever_names_it_and_likes_it_no_less() {
        let named = |rest: &str| format!("{SPECIAL}{rest}");
        for (accept, special) in [
            (String::new(), false),
            ("*/*".to_owned(), false),
            ("application/*".to_owned(), false),
            ("application/json".to_owned(), false),
            ("text/html".to_owned(), false),
            (named(""), true),
            (SPECIAL.to_uppercase(), true),
            (named(", application/json"), true),
            (format!("application/json, {SPECIAL}"), true),
            (named(", */*;q=0.1"), true),
            (named(";q=0.5, application/json"), false),
            (named(";q=0.5, application/json;q=0.4"), true),
            (named(";q=0.5, application/json;q=0.4, */*"), true),
            (named(";q=0.5, application/*;q=0.6"), false),
            (named(";q=0.5, */*"), false),
            (named(" ; Q=1.000"), true),
            (named(";q=0"), false),
            (named(";q=0.000, */*;q=0"), false),
            (named(";q=0.001"), true),
            (named(";q=1.001"), false),
            (named(";q=0.0001"), false),
            (named(";q=high"), false),
            (named(";q="), false),
            (named(";q=-1"), false),
            (named(";q=.5"), false),
            (named("x"), false),
        ] {
            assert_eq!(prefers_special(&[&accept]), special, "{accept}");
        }
        assert!(prefers_special(&["text/html", SPECIAL]));
        assert!(!prefers_special(&[]));
    }
}
