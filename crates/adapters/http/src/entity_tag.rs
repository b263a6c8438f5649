//! Entity tags (RFC 9110 section 8.8.3) and the precondition `If-Match` (section 13.1.1).

use axum::http::{HeaderMap, HeaderValue, header};
use kernel::Revision;
use usecases::agents::Precondition;

use crate::problem::{FieldErrors, Problem};

/// The tag of a record at this revision.
pub(crate) fn entity_tag(revision: Revision) -> HeaderValue {
    HeaderValue::try_from(format!("\"{}\"", revision.get()))
        .unwrap_or(HeaderValue::from_static("\"0\""))
}

/// What `If-Match` demands, if it is there.
///
/// A tag that is not one of ours, or weak, is legal and matches nothing.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<Precondition>, Problem> {
    let refused = || Problem::validation(FieldErrors::of("If-Match", "must be `*` or entity tags"));
    let mut revisions = Vec::new();
    let mut given = false;
    for value in headers.get_all(header::IF_MATCH) {
        given = true;
        let value = value.to_str().map_err(|_| refused())?.trim();
        if value == "*" {
            return Ok(Some(Precondition::Exists));
        }
        for tag in value.split(',').map(str::trim) {
            let strong = tag.strip_prefix("W/").unwrap_or(tag);
            let inner = strong.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let inner = inner.filter(|inner| !inner.contains('"')).ok_or_else(refused)?;
            let ours = inner.parse().ok().and_then(Revision::new).filter(|_| strong == tag);
            revisions.extend(ours);
        }
    }
    Ok(given.then_some(Precondition::OneOf(revisions)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Option<Precondition> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static(value));
        if_match(&headers).ok().flatten()
    }

    #[test]
    fn a_tag_reads_back_as_its_revision() {
        let tag = entity_tag(Revision::FIRST);
        assert_eq!(tag, "\"1\"");
        assert_eq!(read("\"1\""), Some(Precondition::OneOf(vec![Revision::FIRST])));
        assert_eq!(read("*"), Some(Precondition::Exists));
    }

    #[test]
    fn foreign_and_weak_tags_match_nothing() {
        assert_eq!(read("W/\"1\", \"abc\""), Some(Precondition::OneOf(vec![])));
    }

    #[test]
    fn text_that_is_no_tag_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static("1"));
        assert!(if_match(&headers).is_err());
        assert!(if_match(&HeaderMap::new()).unwrap().is_none());
    }
}
