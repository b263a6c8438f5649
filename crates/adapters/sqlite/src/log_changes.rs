//! What is decided about a log: that more of it may be erased, and that it goes on.

use audit::{Apply, Entry, LogAcknowledged, LogTrimmed};
use kernel::StoreError;
use stored_rows::Value;

use crate::{held::Writes, log_reader::whole, session::SqliteTx, statement::statement};

const TRIM: &str = "
    UPDATE audit_log SET content_before = ?, personal_data_before = ?, last_event = ?
    WHERE organization_id = ? AND content_before = ? AND personal_data_before = ?";

const GO_ON: &str = "
    UPDATE audit_log SET halted = NULL, last_event = ?
    WHERE organization_id = ? AND halted = ?";

impl Apply<LogTrimmed> for SqliteTx {
    async fn apply(&mut self, entry: Entry<'_, LogTrimmed>) -> Result<(), StoreError> {
        let change = entry.change();
        let (before, after) = (change.before(), change.after());
        self.owns(change.organization())?;
        let values = [
            whole(after.content),
            whole(after.personal_data),
            Value::Id(entry.event().uuid()),
            Value::Id(change.organization().uuid()),
            whole(before.content),
            whole(before.personal_data),
        ];
        self.change_one(statement(TRIM, values)).await
    }
}

impl Apply<LogAcknowledged> for SqliteTx {
    async fn apply(&mut self, entry: Entry<'_, LogAcknowledged>) -> Result<(), StoreError> {
        let change = entry.change();
        self.owns(change.organization())?;
        let values = [
            Value::Id(entry.event().uuid()),
            Value::Id(change.organization().uuid()),
            Value::text(change.found()),
        ];
        self.change_one(statement(GO_ON, values)).await
    }
}
