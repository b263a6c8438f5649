//! Erasure is announced by an event, and an event may be written by hand: the log's own row must say
//! the same.

use serde_json::Value;

use crate::{
    event::Action,
    log::EventRecord,
    sequence::{Breach, Trimmed},
};

/// Refuses an announcement of more than the log's row lets be erased. Servers write both in one
/// transaction; whoever adds only the event would have verifiers take for erased what he tore out.
///
/// # Errors
/// [`Breach::Announcement`]
pub fn check(event: &EventRecord, trimmed: Trimmed) -> Result<(), Breach> {
    if event.action != Action::LogTrimmed {
        return Ok(());
    }
    let number = |name| event.metadata.get(name).and_then(Value::as_u64);
    let fits = |number: Option<u64>, most| number.is_some_and(|number| number <= most);
    let is_ours = fits(number("contentBefore"), trimmed.content)
        && fits(number("personalDataBefore"), trimmed.personal_data);
    if is_ours { Ok(()) } else { Err(Breach::Announcement { event: event.id }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn announcement(content: Value, personal_data: Value) -> EventRecord {
        let mut event = crate::sample::event(0, crate::sample::at(0));
        event.action = Action::LogTrimmed;
        event.metadata = [
            ("contentBefore".to_owned(), content),
            ("personalDataBefore".to_owned(), personal_data),
        ]
        .into_iter()
        .collect();
        event
    }

    #[test]
    fn au_04_an_announcement_of_more_than_the_log_lets_be_erased_is_refused() {
        let trimmed = Trimmed { content: 5, personal_data: 9 };
        for (content, personal_data, fits) in [
            (json!(5), json!(9), true),
            (json!(0), json!(3), true),
            (json!(6), json!(9), false),
            (json!(5), json!(10), false),
            (json!("5"), json!(9), false),
            (json!(-1), json!(9), false),
        ] {
            let event = announcement(content, personal_data);
            assert_eq!(check(&event, trimmed).is_ok(), fits, "{:?}", event.metadata);
        }
    }

    #[test]
    fn another_event_announces_nothing() {
        let event =
            EventRecord { action: Action::TokenIssued, ..announcement(json!(100), json!(100)) };
        assert_eq!(check(&event, Trimmed::default()), Ok(()));
    }
}
