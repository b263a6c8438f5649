//! Turns the query of a management request into fields.

use std::collections::BTreeMap;

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};

use crate::{
    fields::{Fields, Given},
    percent,
    problem::{FieldErrors, Problem},
};

/// The name under which the query as a whole is reported.
const QUERY: &str = "query";

/// The query of a request, still to be read.
#[derive(Debug)]
pub(crate) struct Query(pub(crate) Fields);

impl Query {
    /// The parameters of a query. What is wrong with them is kept for [`Fields::finish`].
    pub(crate) fn parse(query: Option<&str>) -> Fields {
        let mut given = BTreeMap::new();
        let mut errors = FieldErrors::default();
        for (name, value) in percent::pairs(query.unwrap_or_default()) {
            match percent::decode(name) {
                Ok(name) if !name.contains('\0') => {
                    if given.contains_key(&name) {
                        errors.add(&*name, "is given more than once");
                    }
                    let value = decode(value).unwrap_or_else(|reason| {
                        errors.add(&*name, reason);
                        String::new()
                    });
                    given.insert(name, Given::Text(value));
                }
                Ok(_) => errors.add(QUERY, "must not hold U+0000 in a name"),
                Err(error) => errors.add(QUERY, error.to_string()),
            }
        }
        Fields::new(given, errors)
    }

    /// Refuses every parameter, for an endpoint that has none.
    pub(crate) fn refuse(uri: &Uri) -> Result<(), Problem> {
        Self::parse(uri.query()).finish(|| Some(()))
    }
}

fn decode(value: &str) -> Result<String, String> {
    let value = percent::decode(value).map_err(|error| error.to_string())?;
    if value.contains('\0') { Err("must not hold U+0000".to_owned()) } else { Ok(value) }
}

/// No query: an endpoint that takes this refuses every parameter.
#[derive(Debug)]
pub(crate) struct NoQuery;

impl<S: Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::refuse(&parts.uri).map(|()| Self)
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(Self::parse(parts.uri.query())))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fields::{text, whole_number};

    /// What is wrong with a query that may have `page` and `owner`.
    fn wrong(query: &str) -> Value {
        let mut fields = Query::parse(Some(query));
        fields.optional("page", whole_number::<u32>);
        fields.optional("owner", text::<String>);
        let issuer = "https://idp.example.com".parse().unwrap();
        match fields.finish(|| Some(())) {
            Ok(()) => Value::Null,
            Err(problem) => problem.body(&issuer, "r-1")["details"]["fields"].clone(),
        }
    }

    #[test]
    fn everything_that_is_wrong_with_a_query_is_told() {
        assert_eq!(wrong("page=1&owner=a%20b"), Value::Null);
        assert_eq!(wrong(""), Value::Null);
        assert_eq!(
            wrong("page=one&owner=a&owner=a&x=1&%zz=1"),
            json!({
                "page": "must be a whole number",
                "owner": "is given more than once",
                "x": "is not known here",
                "query": "must be percent-encoded UTF-8",
            })
        );
        assert_eq!(wrong("owner=%00"), json!({"owner": "must not hold U+0000"}));
        assert_eq!(wrong("owner=%ff"), json!({"owner": "must be percent-encoded UTF-8"}));
        assert_eq!(wrong("%00=1"), json!({"query": "must not hold U+0000 in a name"}));
    }

    #[test]
    fn an_endpoint_without_parameters_takes_none() {
        assert!(Query::refuse(&"/health?".parse().unwrap()).is_ok());
        assert!(Query::refuse(&"/health?x".parse().unwrap()).is_err());
    }
}
