//! A signed object in its compact form (RFC 7515 section 3.1), read before its signature is checked.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{algorithm::Algorithm, json};

/// The longest object that is read, in bytes.
pub const MAX_LENGTH: usize = 8 * 1024;

/// Text that is no signed object which this server reads. Why not is of use to nobody but an
/// attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is no signed JSON object in its compact form")]
pub struct Malformed;

/// A signed object, taken apart. Nothing of it can be believed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Compact<'a> {
    signed: &'a str,
    header: Header,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

/// What a header says, of that which is listened to.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// `alg`
    pub algorithm: Algorithm,
    /// `typ`, as it stands there.
    pub kind: Option<String>,
    /// `kid`, as it stands there.
    pub key: Option<String>,
    /// `jwk`. It is no reason to trust anything; what to make of it is the reader's question.
    pub jwk: Option<Map<String, Value>>,
}

impl<'a> Compact<'a> {
    /// Takes an object apart: three parts in the one canonical base64url, header and claims strict
    /// JSON.
    ///
    /// # Errors
    /// [`Malformed`]; also for every header that asks for more than this server does: `crit`
    /// (RFC 7515 section 4.1.11), `b64` (RFC 7797), `zip` and `enc`.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        if text.len() > MAX_LENGTH {
            return Err(Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Malformed)?;
        // A dot in the claims is no letter of base64url: five parts, or ten thousand, end here.
        Ok(Self {
            signed,
            header: Header::parse(json::object(&decode(header)?)?)?,
            claims: json::object(&decode(claims)?)?,
            signature: decode(signature)?,
        })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// What was signed.
    #[must_use]
    pub const fn signed(&self) -> &'a str {
        self.signed
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl Header {
    /// Whether it says that the object is of this type, which is given in lower case. Case does not
    /// matter, and `application/` before it may be left out (RFC 7515 section 4.1.9).
    #[must_use]
    pub fn is_of(&self, kind: &str) -> bool {
        self.kind.as_deref().is_some_and(|said| {
            let said = said.to_ascii_lowercase();
            said.strip_prefix("application/").unwrap_or(&said) == kind
        })
    }

    /// What would change the meaning of the rest, and is not done here.
    const ASKS_FOR_MORE: [&str; 4] = ["crit", "b64", "zip", "enc"];

    fn parse(mut members: Map<String, Value>) -> Result<Self, Malformed> {
        if Self::ASKS_FOR_MORE.iter().any(|name| members.contains_key(*name)) {
            return Err(Malformed);
        }
        let algorithm = text(&mut members, "alg")?.ok_or(Malformed)?;
        Ok(Self {
            algorithm: Algorithm::parse(&algorithm).ok_or(Malformed)?,
            kind: text(&mut members, "typ")?,
            key: text(&mut members, "kid")?,
            jwk: match members.remove("jwk") {
                None => None,
                Some(Value::Object(jwk)) => Some(jwk),
                Some(_) => return Err(Malformed),
            },
        })
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Malformed> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Malformed),
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Malformed> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(header: &str, claims: &str) -> String {
        let encode = |part: &str| BASE64URL_NOPAD.encode(part.as_bytes());
        format!("{}.{}.{}", encode(header), encode(claims), encode("sig"))
    }

    fn with_header(header: &str) -> Result<Header, Malformed> {
        Compact::parse(&encoded(header, "{}")).map(|object| object.header)
    }

    #[test]
    fn an_object_is_taken_apart() {
        let text = encoded(r#"{"alg":"ES256","typ":"a","kid":"b","jwk":{}}"#, r#"{"sub":"c"}"#);
        let object = Compact::parse(&text).unwrap();
        assert_eq!(object.header().algorithm, Algorithm::Es256);
        assert_eq!(object.header().kind.as_deref(), Some("a"));
        assert_eq!(object.header().key.as_deref(), Some("b"));
        assert_eq!(object.header().jwk, Some(Map::new()));
        assert_eq!(object.claims()["sub"], "c");
        assert_eq!(object.signature(), b"sig");
        assert!(text.starts_with(object.signed()));
    }

    #[test]
    fn a_type_is_one_in_any_case_and_with_or_without_its_first_half() {
        for (said, is_it) in [
            ("dpop+jwt", true),
            ("DPoP+JWT", true),
            ("application/dpop+jwt", true),
            ("Application/DPoP+jwt", true),
            ("application/application/dpop+jwt", false),
            ("text/dpop+jwt", false),
            ("at+jwt", false),
            ("", false),
        ] {
            let header = with_header(&format!(r#"{{"alg":"ES256","typ":"{said}"}}"#)).unwrap();
            assert_eq!(header.is_of("dpop+jwt"), is_it, "{said}");
        }
        assert!(!with_header(r#"{"alg":"ES256"}"#).unwrap().is_of("dpop+jwt"));
    }

    #[test]
    fn jv_01_an_algorithm_that_is_not_allowed_is_no_object() {
        for algorithm in [r#""none""#, r#""None""#, r#""""#, "1", "null", r#""HS256""#] {
            assert_eq!(with_header(&format!(r#"{{"alg":{algorithm}}}"#)), Err(Malformed));
        }
        assert_eq!(with_header("{}"), Err(Malformed));
    }

    #[test]
    fn jv_05_a_header_that_asks_for_more_is_refused() {
        for more in [r#""crit":["exp"]"#, r#""crit":[]"#, r#""b64":false"#, r#""zip":"DEF""#] {
            assert_eq!(with_header(&format!(r#"{{"alg":"ES256",{more}}}"#)), Err(Malformed));
        }
    }

    #[test]
    fn jv_03_what_a_header_points_to_is_not_read() {
        let pointing =
            r#"{"alg":"ES256","jku":"https://evil.example/","x5u":"file:///","x5c":["a"]}"#;
        let header = with_header(pointing).unwrap();
        assert_eq!((header.jwk, header.key), (None, None));
    }

    #[test]
    fn jv_09_only_the_canonical_base64url_is_read() {
        let good = encoded(r#"{"alg":"ES256"}"#, "{}");
        assert!(Compact::parse(&good).is_ok());
        let (signed, _) = good.rsplit_once('.').unwrap();
        for signature in ["c2ln=", "c2l+", "c2l/", "c2ln\n", "c2l", "c2lnZ", "c2lnYR", " c2ln"] {
            assert!(Compact::parse(&format!("{signed}.{signature}")).is_err(), "{signature:?}");
        }
    }

    #[test]
    fn jv_12_dots_parts_and_cuts_are_refused() {
        let good = encoded(r#"{"alg":"ES256"}"#, "{}");
        for length in 0..good.len() - 1 {
            let cut = Compact::parse(good.get(..length).unwrap());
            // What is cut from the signature alone is another signature, which does not hold.
            assert!(cut.is_err() || cut.unwrap().signature() != b"sig");
        }
        assert!(Compact::parse(&".".repeat(10_000)).is_err());
        assert!(Compact::parse(&".".repeat(10)).is_err());
        assert!(Compact::parse(&format!("{good}.a.b")).is_err());
        assert!(Compact::parse(&"a".repeat(MAX_LENGTH + 1)).is_err());
    }
}
