//! Distinguished names, as RFC 4514 writes them, in one spelling: two that are written apart and mean
//! the same are the same text here, and no two others are.

use std::{collections::BTreeSet, fmt, str::FromStr};

use data_encoding::HEXLOWER_PERMISSIVE;
use thiserror::Error;

/// The attribute types that go by a name (RFC 4514 section 3), and others that certificates often have.
/// Any other goes by its number.
const NAMED: [(&str, &str); 12] = [
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("ORGANIZATIONIDENTIFIER", "2.5.4.97"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
];

/// Characters that stand for something else unless they are escaped (RFC 4514 section 2.4).
const SPECIAL: &str = ",+\"\\;<>#=";

/// One attribute: the number of its type, and its value.
pub type Attribute = (String, String);

/// A distinguished name. Values are compared exactly: an authority that tells apart what differs in
/// case alone must find that we do too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistinguishedName(Vec<BTreeSet<Attribute>>);

/// Text that is no distinguished name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a distinguished name as RFC 4514 writes it, such as `CN=agent,O=Example`")]
pub struct InvalidName;

impl DistinguishedName {
    /// A name of a certificate: its parts from the widest to the narrowest, each with its attributes.
    /// `None` where there is none, or an empty part.
    #[must_use]
    pub fn of_parts(parts: Vec<BTreeSet<Attribute>>) -> Option<Self> {
        let is_whole = !parts.is_empty() && parts.iter().all(|part| !part.is_empty());
        is_whole.then_some(Self(parts))
    }
}

impl FromStr for DistinguishedName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parts = split(text, ',').map(|part| {
            let attributes = split(part, '+').map(attribute).collect::<Option<Vec<_>>>()?;
            let count = attributes.len();
            let set: BTreeSet<_> = attributes.into_iter().collect();
            (set.len() == count).then_some(set)
        });
        let mut parts = parts.collect::<Option<Vec<_>>>().ok_or(InvalidName)?;
        // Text begins with the narrowest, a certificate with the widest.
        parts.reverse();
        Self::of_parts(parts).ok_or(InvalidName)
    }
}

/// The pieces of a text, split at each separator that is not escaped.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    text.split(move |character| {
        let splits = !is_escaped && character == separator;
        is_escaped = !is_escaped && character == '\\';
        splits
    })
}

fn attribute(text: &str) -> Option<Attribute> {
    let (name, written) = text.split_once('=')?;
    Some((number(name.trim_matches(' '))?, value(written.trim_start_matches(' '))?))
}

/// The number of an attribute type, by its name or itself.
fn number(name: &str) -> Option<String> {
    let named = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let is_number = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits && (part == "0" || !part.starts_with('0'))
    };
    match named {
        Some((_, number)) => Some((*number).to_owned()),
        None => {
            let is_one = name.contains('.') && name.split('.').all(is_number);
            is_one.then(|| name.to_owned())
        }
    }
}

/// A value without its escapes. Spaces at its end count where they are escaped.
fn value(written: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut kept = 0;
    let mut rest = written.chars();
    // `#` begins a value in BER, which nobody writes by hand.
    if written.starts_with('#') {
        return None;
    }
    while let Some(character) = rest.next() {
        match character {
            '\\' => {
                bytes.extend(escaped(&mut rest)?);
                kept = bytes.len();
            }
            ' ' => bytes.push(b' '),
            '"' | ';' | '<' | '>' | '\0' => return None,
            other => {
                bytes.extend(other.encode_utf8(&mut [0; 4]).bytes());
                kept = bytes.len();
            }
        }
    }
    bytes.truncate(kept);
    String::from_utf8(bytes).ok().filter(|value| !value.is_empty())
}

/// What follows a backslash: a character that stands for itself, or two hexadecimal digits.
fn escaped(rest: &mut std::str::Chars<'_>) -> Option<Vec<u8>> {
    let first = rest.next()?;
    if SPECIAL.contains(first) || first == ' ' {
        return Some(vec![first.try_into().ok()?]);
    }
    let digits: String = [first, rest.next()?].into_iter().collect();
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |attributes: &BTreeSet<Attribute>| {
            attributes.iter().map(written).collect::<Vec<_>>().join("+")
        };
        f.write_str(&self.0.iter().rev().map(part).collect::<Vec<_>>().join(","))
    }
}

fn written((number, value): &Attribute) -> String {
    let named = NAMED.iter().find(|(_, known)| known == number);
    let name = named.map_or(number.as_str(), |(name, _)| name);
    let last = value.chars().count().saturating_sub(1);
    let mut text = format!("{name}=");
    for (at, character) in value.chars().enumerate() {
        let is_edge = character == ' ' && (at == 0 || at == last);
        match character {
            '\0' => text.push_str("\\00"),
            _ if is_edge || SPECIAL.contains(character) => text.extend(['\\', character]),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelled(text: &str) -> String {
        text.parse::<DistinguishedName>().unwrap().to_string()
    }

    #[test]
    fn a_name_has_one_spelling() {
        for (text, one) in [
            ("CN=agent,O=Example", "CN=agent,O=Example"),
            ("cn=agent, o=Example", "CN=agent,O=Example"),
            ("2.5.4.3=agent , 2.5.4.10=Example ", "CN=agent,O=Example"),
            ("CN=a\\2Cb", "CN=a\\,b"),
            ("CN=a\\,b", "CN=a\\,b"),
            ("CN=J\\C3\\BCrgen", "CN=Jürgen"),
            ("CN=\\ a\\ ", "CN=\\ a\\ "),
            ("OU=x+CN=y,C=DE", "OU=x+CN=y,C=DE"),
            ("CN=y+OU=x,C=DE", "OU=x+CN=y,C=DE"),
            ("1.3.6.1.4.1.1=z", "1.3.6.1.4.1.1=z"),
            ("CN=a=b", "CN=a\\=b"),
        ] {
            // Of several attributes of one part, the number decides on the order.
            let one: BTreeSet<_> = one.split([',', '+']).map(str::to_owned).collect();
            let found: BTreeSet<_> = spelled(text).split([',', '+']).map(str::to_owned).collect();
            assert_eq!(found, one, "{text}");
            assert_eq!(spelled(&spelled(text)), spelled(text));
        }
    }

    #[test]
    fn order_value_and_case_of_a_value_tell_names_apart() {
        let names = ["CN=a,O=b", "O=b,CN=a", "CN=A,O=b", "CN=a", "CN=a+O=b", "CN=a\\,O\\=b"];
        let spellings: BTreeSet<_> = names.map(spelled).into_iter().collect();
        assert_eq!(spellings.len(), names.len());
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "",
            "agent",
            "CN",
            "CN=",
            "=a",
            "CN=a,",
            ",CN=a",
            "CN=a,,O=b",
            "XX=a",
            "CN=#0401",
            "CN=a;O=b",
            "CN=\"a\"",
            "CN=a\\",
            "CN=a\\z",
            "CN=a\\f",
            "CN=\\ff",
            "01.2=a",
            "1..2=a",
            "CN=a+CN=a",
            "CN=<a>",
        ] {
            assert_eq!(bad.parse::<DistinguishedName>(), Err(InvalidName), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_a_certificate_says_reads_back(values in prop::collection::vec("\\PC{1,12}", 1..5)) {
            let parts = values.into_iter().map(|value| BTreeSet::from([("2.5.4.3".to_owned(), value)]));
            let name = DistinguishedName::of_parts(parts.collect()).unwrap();
            prop_assert_eq!(name.to_string().parse(), Ok(name));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            if let Ok(name) = text.parse::<DistinguishedName>() {
                prop_assert_eq!(name.to_string().parse(), Ok(name));
            }
        }
    }
}
