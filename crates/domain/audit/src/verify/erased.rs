//! What is gone from a log, and what events said would be.

use serde_json::{Map, Value};

/// Positions in rising order, as runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runs(Vec<(u64, u64)>);

impl Runs {
    pub(super) fn push(&mut self, position: u64) {
        let next = position.saturating_add(1);
        match self.0.last_mut() {
            Some((_, end)) if *end == position => *end = next,
            Some(_) | None => self.0.push((position, next)),
        }
    }

    /// First position and the one behind the last of each run.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }

    /// Whether there is no position.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many positions there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.iter().map(|(start, end)| end - start).sum()
    }

    /// The lowest position from this one on.
    fn first_from(&self, from: u64) -> Option<u64> {
        let run = self.0.iter().find(|(_, end)| *end > from);
        run.map(|(start, _)| (*start).max(from))
    }
}

/// Up to which positions content and personal data may be gone.
#[derive(Debug, Default)]
pub(super) struct Announced {
    content: u64,
    personal_data: u64,
}

impl Announced {
    /// Takes the metadata of a `log.trimmed` event. Nobody can announce what is written later.
    pub(super) fn take(&mut self, position: u64, metadata: &Map<String, Value>) {
        let before = |name| metadata.get(name).and_then(Value::as_u64);
        if let (Some(content), Some(personal_data)) =
            (before("contentBefore"), before("personalDataBefore"))
        {
            self.content = self.content.max(content.min(position));
            self.personal_data = self.personal_data.max(personal_data.min(position));
        }
    }

    pub(super) fn missing_content(&self, erased: &Runs) -> Option<u64> {
        erased.first_from(self.content)
    }

    pub(super) fn missing_personal_data(&self, erased: &Runs) -> Option<u64> {
        erased.first_from(self.personal_data.max(self.content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn runs(positions: impl IntoIterator<Item = u64>) -> Runs {
        let mut runs = Runs::default();
        positions.into_iter().for_each(|position| runs.push(position));
        runs
    }

    #[test]
    fn neighbours_are_one_run() {
        let runs = runs([0, 1, 2, 5, 7, 8]);
        assert_eq!(runs.iter().collect::<Vec<_>>(), [(0, 3), (5, 6), (7, 9)]);
        assert_eq!(runs.count(), 6);
        let lowest: Vec<_> = [0, 2, 3, 6, 8, 9].map(|from| runs.first_from(from)).into();
        assert_eq!(lowest, [Some(0), Some(2), Some(5), Some(7), Some(8), None]);
    }

    #[test]
    fn an_event_announces_nothing_that_lies_behind_it() {
        let mut announced = Announced::default();
        let metadata = json!({"contentBefore": 1_000, "personalDataBefore": 1_000});
        announced.take(4, metadata.as_object().unwrap());
        assert_eq!(announced.missing_content(&runs([0, 1, 2, 3, 4])), Some(4));
        assert_eq!(announced.missing_personal_data(&runs([0, 1, 2, 3])), None);
    }

    #[test]
    fn an_announcement_of_another_form_is_none() {
        for metadata in [
            json!({"contentBefore": 3}),
            json!({"contentBefore": 3, "personalDataBefore": "3"}),
            json!({"contentBefore": -3, "personalDataBefore": 3}),
        ] {
            let mut announced = Announced::default();
            announced.take(9, metadata.as_object().unwrap());
            assert_eq!(announced.missing_content(&runs([0])), Some(0), "{metadata}");
            assert_eq!(announced.missing_personal_data(&runs([0])), Some(0), "{metadata}");
        }
    }
}
