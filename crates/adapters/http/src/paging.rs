//! Reads which page of a list is asked for: `page` or `cursor`, and `limit`.

use std::{fmt::Display, num::NonZeroU32, str::FromStr};

use kernel::{Limit, PageRequest, Start};

use crate::fields::{Fields, text, whole_number};

/// The last page that can be named by its number. What lies behind is reached by cursor: counting
/// rows off from the start costs more with every page.
const LAST_PAGE: u32 = 10_000;

/// Which page is asked for, and what the answer says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging<Id> {
    /// The page.
    pub(crate) request: PageRequest<Id>,
    /// Its number, where it was asked for by number, and its limit.
    pub(crate) shown: (Option<u32>, u32),
}

/// Takes the page out of the fields of a query. `None` once something is wrong with it, which
/// [`Fields::finish`] tells.
pub(crate) fn paging<Id>(fields: &mut Fields) -> Option<Paging<Id>>
where
    Id: FromStr<Err: Display>,
{
    let limit = fields.optional("limit", |given| {
        Limit::new(whole_number(given)?).ok_or_else(|| "must be 1 to 100".to_owned())
    });
    let limit = limit.unwrap_or_default();
    let page: Option<NonZeroU32> = fields.optional("page", |given| {
        let page = NonZeroU32::new(whole_number(given)?);
        let within = page.filter(|page| page.get() <= LAST_PAGE);
        within.ok_or_else(|| "must be 1 to 10000; use `cursor` beyond".to_owned())
    });
    let cursor = fields.optional("cursor", text::<Id>);
    let start = match (page, cursor) {
        (Some(_), Some(_)) => {
            fields.refuse("cursor", "must not be given together with `page`");
            return None;
        }
        (page, None) => Start::Page(page.unwrap_or(NonZeroU32::MIN)),
        (None, Some(cursor)) => Start::After(cursor),
    };
    let number = match &start {
        Start::Page(page) => Some(page.get()),
        Start::After(_) => None,
    };
    Some(Paging { request: PageRequest { start, limit }, shown: (number, limit.get()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;
    use kernel::AgentId;

    fn read(query: &str) -> Option<Paging<AgentId>> {
        let mut fields = Query::parse(Some(query));
        let paging = paging(&mut fields);
        fields.finish(|| paging).ok()
    }

    #[test]
    fn the_first_twenty_rows_are_the_default() {
        let paging = read("").unwrap();
        assert_eq!(paging.shown, (Some(1), 20));
        assert_eq!(paging.request.offset(), 0);
    }

    #[test]
    fn a_cursor_has_no_page_number() {
        let paging = read("cursor=018bcfe5-687b-7001-8203-040506070809&limit=5").unwrap();
        assert_eq!(paging.shown, (None, 5));
        assert!(paging.request.older_than().is_some());
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for bad in [
            "page=0",
            "page=10001",
            "page=x",
            "limit=0",
            "limit=101",
            "cursor=x",
            "page=1&cursor=018bcfe5-687b-7001-8203-040506070809",
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
