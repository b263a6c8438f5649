//! What is decided about a log: that more of it may be erased, and that it goes on.

use audit::{Apply, Entry, LogAcknowledged, LogTrimmed};
use kernel::StoreError;

use crate::{
    log_reader::whole,
    session::{PostgresTx, Writes},
};

pub(crate) const TRIM: &str = "
    UPDATE audit_log SET content_before = $1, personal_data_before = $2, last_event = $3
    WHERE organization_id = $4 AND content_before = $5 AND personal_data_before = $6";

pub(crate) const GO_ON: &str = "
    UPDATE audit_log SET halted = NULL, last_event = $1
    WHERE organization_id = $2 AND halted = $3";

impl Apply<LogTrimmed> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, LogTrimmed>) -> Result<(), StoreError> {
        let change = entry.change();
        let (before, after) = (change.before(), change.after());
        self.owns(change.organization())?;
        let trim = sqlx::query(TRIM)
            .bind(whole(after.content))
            .bind(whole(after.personal_data))
            .bind(entry.event().uuid())
            .bind(change.organization().uuid())
            .bind(whole(before.content))
            .bind(whole(before.personal_data));
        self.change_one(trim).await
    }
}

impl Apply<LogAcknowledged> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, LogAcknowledged>) -> Result<(), StoreError> {
        let change = entry.change();
        self.owns(change.organization())?;
        let go_on = sqlx::query(GO_ON)
            .bind(entry.event().uuid())
            .bind(change.organization().uuid())
            .bind(change.found().to_owned());
        self.change_one(go_on).await
    }
}
