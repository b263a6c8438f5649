//! The fields of an agent, each parsed into a type that cannot be wrong.

use std::{collections::BTreeSet, str::FromStr};

use kernel::{Resource, ScopeToken, Text};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::role::Permission;

/// The person or team that answers for an agent.
pub type Owner = Text<128>;

/// Why a field was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidField {
    /// Not an email address.
    #[error("must be an email address of at most 254 ASCII characters")]
    Email,
    /// Not a version.
    #[error("must be a version of SemVer 2.0 of at most 64 characters, such as `1.4.2`")]
    Version,
    /// Not a capability.
    #[error("must match `^[a-z0-9_-]+:[a-z0-9_*-]+$` and be at most 128 characters")]
    Capability,
    /// A capability in a namespace of the management API.
    #[error("must not lie in a namespace of the management API, such as `agents:`")]
    ReservedCapability,
    /// None, too many, or one twice.
    #[error("must be 1 to 64 capabilities")]
    Capabilities,
    /// Too many resources.
    #[error("must be at most 16 resources")]
    Resources,
    /// No such type.
    #[error(
        "must be one of `screener`, `classifier`, `orchestrator`, `extractor`, `summarizer`, \
         `router`, `monitor`, `custom`"
    )]
    AgentType,
    /// No such environment.
    #[error("must be one of `development`, `staging`, `production`")]
    DeploymentEnv,
    /// Too large.
    #[error("must be at most 8 KiB of JSON")]
    MetadataSize,
    /// Too deep.
    #[error("must be at most 5 levels deep")]
    MetadataDepth,
    /// A number that not every JSON reader keeps (RFC 7493 section 2.2).
    #[error("must hold no whole number beyond 2^53 - 1")]
    MetadataNumber,
}

/// An email address, compared without case.
#[derive(Debug, Clone)]
pub struct Email(String);

impl Email {
    const MAX_LENGTH: usize = 254;

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared: lower case.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Email {}

impl FromStr for Email {
    type Err = InvalidField;

    /// ASCII alone: folding case beyond it differs between databases, and two addresses that look
    /// alike would be two agents.
    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let options =
            email_address::Options::default().without_display_text().without_domain_literal();
        let bounded = text.len() <= Self::MAX_LENGTH && text.bytes().all(|b| b.is_ascii_graphic());
        if bounded && email_address::EmailAddress::parse_with_options(text, options).is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidField::Email)
        }
    }
}

/// The version of an agent's software (SemVer 2.0), without a leading `v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftwareVersion(String);

impl SoftwareVersion {
    const MAX_LENGTH: usize = 64;

    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SoftwareVersion {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let bare = text.strip_prefix('v').unwrap_or(text);
        if bare.len() <= Self::MAX_LENGTH && semver::Version::parse(bare).is_ok() {
            Ok(Self(bare.to_owned()))
        } else {
            Err(InvalidField::Version)
        }
    }
}

/// Something that an agent may ask a resource server for: `resource:action`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(ScopeToken);

impl Capability {
    /// The capability as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The capability as a scope token.
    #[must_use]
    pub const fn scope_token(&self) -> &ScopeToken {
        &self.0
    }
}

impl Capability {
    /// Takes back what a store kept: of the form, and perhaps from before its namespace was
    /// reserved. Such a one is kept and shown, and grants nothing.
    ///
    /// # Errors
    /// [`InvalidField::Capability`]
    pub fn from_stored(text: &str) -> Result<Self, InvalidField> {
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        let (resource, action) = text.split_once(':').ok_or(InvalidField::Capability)?;
        let formed = !resource.is_empty()
            && !action.is_empty()
            && resource.bytes().all(word)
            && action.bytes().all(|b| word(b) || b == b'*');
        if !formed {
            return Err(InvalidField::Capability);
        }
        text.parse().map(Self).map_err(|_| InvalidField::Capability)
    }

    /// Whether it lies in a namespace of the management API.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let namespace = self.as_str().split_once(':').map_or("", |(namespace, _)| namespace);
        Permission::RESERVED_NAMESPACES.contains(&namespace)
    }
}

impl FromStr for Capability {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let capability = Self::from_stored(text)?;
        if capability.is_reserved() {
            Err(InvalidField::ReservedCapability)
        } else {
            Ok(capability)
        }
    }
}

/// The capabilities of an agent: a set of 1 to 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities(BTreeSet<Capability>);

impl Capabilities {
    const MAX: usize = 64;

    /// A set of them. One that is given twice counts once.
    ///
    /// # Errors
    /// Where there is none, or more than 64.
    pub fn new(all: impl IntoIterator<Item = Capability>) -> Result<Self, InvalidField> {
        let all: BTreeSet<_> = all.into_iter().collect();
        if (1..=Self::MAX).contains(&all.len()) {
            Ok(Self(all))
        } else {
            Err(InvalidField::Capabilities)
        }
    }

    /// The capabilities, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Capability> {
        self.0.iter()
    }
}

impl From<Capability> for Capabilities {
    fn from(only: Capability) -> Self {
        Self(BTreeSet::from([only]))
    }
}

/// What an agent answers to as a resource server (RFC 8707): a set of at most 16.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources(BTreeSet<Resource>);

impl Resources {
    const MAX: usize = 16;

    /// A set of them. One that is given twice counts once.
    ///
    /// # Errors
    /// Where there are more than 16.
    pub fn new(all: impl IntoIterator<Item = Resource>) -> Result<Self, InvalidField> {
        let all: BTreeSet<_> = all.into_iter().collect();
        if all.len() <= Self::MAX { Ok(Self(all)) } else { Err(InvalidField::Resources) }
    }

    /// The resources, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is spelled just so.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        self.0.iter().any(|one| one.as_str() == text)
    }
}

/// An enum of a contract field.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $error:expr, { $($variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl $name {
            /// The text of the contract.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl FromStr for $name {
            type Err = InvalidField;

            fn from_str(text: &str) -> Result<Self, InvalidField> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($error),
                }
            }
        }
    };
}

choice! {
    /// What an agent does.
    AgentType, InvalidField::AgentType, {
        Screener => "screener",
        Classifier => "classifier",
        Orchestrator => "orchestrator",
        Extractor => "extractor",
        Summarizer => "summarizer",
        Router => "router",
        Monitor => "monitor",
        Custom => "custom",
    }
}

choice! {
    /// Where an agent runs.
    DeploymentEnv, InvalidField::DeploymentEnv, {
        Development => "development",
        Staging => "staging",
        Production => "production",
    }
}

/// What else an organization keeps of an agent: a JSON object of at most 8 KiB and 5 levels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    const MAX_BYTES: usize = 8 * 1024;
    const MAX_DEPTH: usize = 5;
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    const MAX_SAFE_FRACTION: f64 = 9_007_199_254_740_991.0;

    /// Takes an object within the bounds.
    ///
    /// # Errors
    /// [`InvalidField`] naming the bound.
    pub fn new(object: Map<String, Value>) -> Result<Self, InvalidField> {
        let object = Value::Object(object);
        if depth(&object) > Self::MAX_DEPTH {
            return Err(InvalidField::MetadataDepth);
        }
        if !numbers_are_safe(&object) {
            return Err(InvalidField::MetadataNumber);
        }
        if object.to_string().len() > Self::MAX_BYTES {
            return Err(InvalidField::MetadataSize);
        }
        match object {
            Value::Object(object) => Ok(Self(object)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Err(InvalidField::MetadataDepth),
        }
    }

    /// The object.
    #[must_use]
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// How many levels of objects and arrays there are. The JSON reader bounds the recursion.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn numbers_are_safe(value: &Value) -> bool {
    match value {
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(whole), _) => whole <= Metadata::MAX_SAFE_INTEGER,
            (None, Some(whole)) => whole.unsigned_abs() <= Metadata::MAX_SAFE_INTEGER,
            // What was a whole number beyond 64 bits is a fraction here, and has lost digits.
            (None, None) => number.as_f64().is_some_and(|fraction| {
                fraction.fract() != 0.0 || fraction.abs() <= Metadata::MAX_SAFE_FRACTION
            }),
        },
        Value::Array(items) => items.iter().all(numbers_are_safe),
        Value::Object(members) => members.values().all(numbers_are_safe),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_email_is_compared_without_case() {
        let one: Email = "Bot@Example.com".parse().unwrap();
        assert_eq!(one, "bot@example.COM".parse().unwrap());
        assert_eq!(one.as_str(), "Bot@Example.com");
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in
            ["", "a", "a@", "@b.com", "a b@c.com", "a@b@c.com", "é@b.com", "a\0@b.com", &long]
        {
            assert_eq!(bad.parse::<Email>(), Err(InvalidField::Email), "{bad}");
        }
    }

    #[test]
    fn a_leading_v_is_kept_out_of_the_version() {
        assert_eq!("v1.2.3-rc.1+b".parse::<SoftwareVersion>().unwrap().as_str(), "1.2.3-rc.1+b");
        for bad in ["", "1", "1.2", "01.2.3", "vv1.2.3", "1.2.3 ", &"1".repeat(70)] {
            assert_eq!(bad.parse::<SoftwareVersion>(), Err(InvalidField::Version), "{bad}");
        }
    }

    #[test]
    fn a_capability_is_resource_and_action() {
        assert!("resume:read".parse::<Capability>().is_ok());
        assert!("tool-1_x:*".parse::<Capability>().is_ok());
        let long = format!("a:{}", "b".repeat(127));
        for bad in ["", "a", ":", "a:", ":b", "A:b", "a:b:c", "*:a", "a:b c", "a:b\0", &long] {
            assert_eq!(bad.parse::<Capability>(), Err(InvalidField::Capability), "{bad}");
        }
    }

    #[test]
    fn no_capability_can_pass_for_a_management_scope() {
        for bad in ["agents:write", "audit:*", "organizations:write", "platform:x"] {
            assert_eq!(bad.parse::<Capability>(), Err(InvalidField::ReservedCapability), "{bad}");
            assert!(Capability::from_stored(bad).unwrap().is_reserved(), "{bad}");
        }
    }

    #[test]
    fn te_06_an_agent_answers_to_at_most_sixteen_resources() {
        let of = |count: usize| {
            Resources::new((0..count).map(|n| format!("urn:resource:{n}").parse().unwrap()))
        };
        assert!(of(0).unwrap().is_empty());
        assert_eq!(of(16).unwrap().iter().count(), 16);
        assert_eq!(of(17), Err(InvalidField::Resources));
        let twice = Resources::new([(); 20].map(|()| "urn:one".parse().unwrap())).unwrap();
        assert_eq!(twice.iter().count(), 1);
        assert!(twice.holds("urn:one") && !twice.holds("urn:ONE"));
    }

    #[test]
    fn rg_03_metadata_has_bounds() {
        let check = |value: Value| Metadata::new(value.as_object().unwrap().clone()).err();
        assert_eq!(
            check(json!({"a": {"b": {"c": {"d": 1}}}, "n": -1.5, "m": 9007199254740991_u64})),
            None
        );
        assert_eq!(check(json!({"a": [[[[[1]]]]]})), Some(InvalidField::MetadataDepth));
        assert_eq!(check(json!({"a": "x".repeat(8 * 1024)})), Some(InvalidField::MetadataSize));
        assert_eq!(
            check(json!({"a": 9223372036854775808_u64})),
            Some(InvalidField::MetadataNumber)
        );
        assert_eq!(check(json!({"a": -9007199254740992_i64})), Some(InvalidField::MetadataNumber));
        for beyond in [1.8446744073709552e19, 9007199254740992.0, -1e300] {
            assert_eq!(check(json!({"a": beyond})), Some(InvalidField::MetadataNumber), "{beyond}");
        }
    }
}
