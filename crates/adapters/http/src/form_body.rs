//! Reads the form that an OAuth endpoint takes (RFC 6749 sections 3.1 and 3.2).

use axum::http::Uri;
use kernel::{ExposeSecret, Secret};

use crate::{oauth_error::OAuthError, percent};

/// More pairs than any client has use for.
const MOST_PAIRS: usize = 1_000;

/// The longest name of a parameter that an error tells, in bytes.
const LONGEST_NAME_TOLD: usize = 32;

/// Parameters whose own grammar refuses control characters, with a better error than this file's.
const JUDGED_BY_GRAMMAR: [&str; 2] = ["scope", "resource"];

/// The parameters of a form, by name and then as they came. Values are wiped when dropped: one of them
/// is likely a secret.
#[derive(Debug)]
pub(crate) struct Form(Vec<(String, Secret)>);

impl Form {
    /// Reads a form. A parameter without a value counts as absent; one sent twice is refused
    /// unless it is `repeatable`, for the checker and the user of it might each take another one.
    pub(crate) fn parse(bytes: &[u8], repeatable: &[&str]) -> Result<Self, OAuthError> {
        let text = str::from_utf8(bytes).map_err(|_| undecodable())?;
        let ends = bytes.iter().filter(|byte| **byte == b'&').count();
        if ends >= MOST_PAIRS {
            let description = format!("the form has more than {MOST_PAIRS} parameters");
            return Err(OAuthError::invalid_request(description));
        }
        let mut form = Vec::with_capacity(ends + 1);
        for (name, value) in percent::pairs(text) {
            let name = percent::decode(name).map_err(|_| undecodable())?;
            let value = Secret::from(percent::decode(value).map_err(|_| undecodable())?);
            refuse_control_characters(&name, &value)?;
            form.push((name, value));
        }
        form.sort_by(|(name, _), (other, _)| name.cmp(other));
        refuse_doubled(&form, repeatable)?;
        form.retain(|(_, value)| !value.expose_secret().is_empty());
        Ok(Self(form))
    }

    /// A parameter that may be absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, OAuthError> {
        let missing = || OAuthError::invalid_request(format!("the parameter {name} is missing"));
        self.get(name).ok_or_else(missing)
    }

    /// All values of a repeatable parameter, in the order in which they came.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name).map(ExposeSecret::expose_secret)
    }

    /// A parameter that must not be seen.
    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        self.values(name).next().cloned()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &Secret> {
        let first = self.0.partition_point(|(other, _)| other.as_str() < name);
        let named = self.0.iter().skip(first).take_while(move |(other, _)| other == name);
        named.map(|(_, value)| value)
    }
}

fn undecodable() -> OAuthError {
    OAuthError::invalid_request("the form is not percent-encoded UTF-8")
}

fn refuse_control_characters(name: &str, value: &Secret) -> Result<(), OAuthError> {
    let judged_here = !JUDGED_BY_GRAMMAR.contains(&name);
    if has_control_characters(name)
        || (judged_here && has_control_characters(value.expose_secret()))
    {
        return Err(OAuthError::invalid_request("a parameter holds a control character"));
    }
    Ok(())
}

fn has_control_characters(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.contains(char::is_control)
    }
}

fn refuse_doubled(form: &[(String, Secret)], repeatable: &[&str]) -> Result<(), OAuthError> {
    let mut pairs = form.iter().zip(form.iter().skip(1));
    let doubled =
        pairs.find(|((name, _), (next, _))| name == next && !repeatable.contains(&name.as_str()));
    match doubled {
        Some(((name, _), _)) => {
            // A longer name is none that anybody knows, and perhaps a secret in the wrong place.
            let description = if name.len() <= LONGEST_NAME_TOLD {
                format!("the parameter {name} was sent more than once")
            } else {
                "a parameter was sent more than once".to_owned()
            };
            Err(OAuthError::invalid_request(description))
        }
        None => Ok(()),
    }
}

/// Refuses any parameter in the URI of an endpoint that takes a form. A secret there would stand in
/// every log on its way, so such a request must fail loudly the first time somebody tries.
pub(crate) fn refuse_query(uri: &Uri) -> Result<(), OAuthError> {
    match uri.query().map(percent::pairs).and_then(|mut pairs| pairs.next()) {
        Some(_) => {
            Err(OAuthError::invalid_request("parameters belong in the body, not in the URI"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(form: &str) -> String {
        let error = Form::parse(form.as_bytes(), &["resource"]).unwrap_err();
        assert_eq!(error.error(), "invalid_request", "{form}");
        error.body()["error_description"].as_str().unwrap().to_owned()
    }

    #[test]
    fn te_01_a_parameter_sent_twice_is_refused() {
        assert_eq!(refused("scope=a&scope=a"), "the parameter scope was sent more than once");
        assert_eq!(refused("scope=&scope=a"), "the parameter scope was sent more than once");
        assert_eq!(refused("x=1&%78=1"), "the parameter x was sent more than once");
        let long = "idp_sk_".repeat(9);
        assert_eq!(refused(&format!("{long}=&{long}=")), "a parameter was sent more than once");
        let form = Form::parse(b"resource=b&resource=a&resource=", &["resource"]).unwrap();
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn a_parameter_without_a_value_counts_as_absent() {
        let form = Form::parse(b"grant_type=&scope&unknown=1&&client_id=a%2Bb+c", &[]).unwrap();
        assert_eq!(form.get("grant_type"), None);
        assert_eq!(form.get("scope"), None);
        assert_eq!(form.get("client_id"), Some("a+b c"));
        let error = form.required("grant_type").unwrap_err();
        assert_eq!(error.body()["error_description"], "the parameter grant_type is missing");
    }

    #[test]
    fn what_is_no_form_in_utf_8_is_refused() {
        for bad in ["a=%ff", "a=%", "a=%zz", "%c3=1"] {
            assert_eq!(refused(bad), "the form is not percent-encoded UTF-8");
        }
        assert!(Form::parse(b"a=\xff", &[]).is_err());
        for bad in ["a=%00", "a=x%0d%0ay", "%00=1", "a=%7f"] {
            assert_eq!(refused(bad), "a parameter holds a control character");
        }
        // A scope's own grammar says `invalid_scope`.
        assert_eq!(Form::parse(b"scope=a%00", &[]).unwrap().get("scope"), Some("a\0"));
    }

    #[test]
    fn ds_05_too_many_pairs_are_refused_before_any_is_read() {
        let many: String = (0..65_000).map(|at| format!("{at}=&")).collect();
        assert_eq!(refused(&many), "the form has more than 1000 parameters");
        assert_eq!(refused(&"&".repeat(65_000)), "the form has more than 1000 parameters");
    }

    #[test]
    fn sl_05_a_form_shows_no_value_in_debug() {
        let form = Form::parse(b"client_secret=canary&token=canary", &[]).unwrap();
        assert!(!format!("{form:?}").contains("canary"));
        assert_eq!(form.secret("client_secret").unwrap().expose_secret(), "canary");
    }

    #[test]
    fn ca_16_parameters_in_the_uri_are_refused_without_telling_them() {
        let error = refuse_query(&"/api/v1/token?client_secret=canary".parse().unwrap());
        assert!(!format!("{:?}", error.unwrap_err()).contains("canary"));
        assert!(refuse_query(&"/api/v1/token?x".parse().unwrap()).is_err());
        assert!(refuse_query(&"/api/v1/token?".parse().unwrap()).is_ok());
        assert!(refuse_query(&"/api/v1/token".parse().unwrap()).is_ok());
    }
}
