//! A signing key as a row of the table `signing_key`.

use kernel::StoreError;
use tokens::{
    Algorithm, DamagedKey, DamagedKeyEnded, Jwk, KeptKeys, KeyState, SealedPrivateKey, SigningKey,
    SigningKeyRecord,
};

use crate::{
    cells::{Cells, Columns},
    value::Value,
};

/// The table.
pub const TABLE: &str = "signing_key";

/// What never changes: `id, algorithm, public_key, created_at`.
#[must_use]
pub fn identity(key: &SigningKey) -> [Value; 4] {
    let record = key.record();
    [
        Value::text(key.id().as_str()),
        Value::text(record.public.algorithm().name()),
        Value::Bytes(record.public.to_raw()),
        Value::instant(record.created_at),
    ]
}

/// What may change: `private_key, state, state_at, revision`.
#[must_use]
pub fn state(record: &SigningKeyRecord) -> [Value; 4] {
    [
        Value::Bytes(record.private.as_bytes().to_vec()),
        Value::text(record.state.name()),
        Value::instant(record.state.at()),
        Value::revision(record.revision),
    ]
}

/// Reads all keys back. A row of no possible form is named, and keeps no other from being read.
///
/// # Errors
/// [`StoreError::Corrupt`] where a row does not even say what its id is.
pub fn read_all<'a, R: Cells + 'a>(
    rows: impl IntoIterator<Item = &'a R>,
) -> Result<KeptKeys, StoreError> {
    let mut kept = KeptKeys::default();
    for row in rows {
        match read(row) {
            Ok(key) => kept.whole.push(key),
            Err(StoreError::Corrupt { column, .. }) => kept.damaged.push(damaged(row, column)?),
            Err(error) => return Err(error),
        }
    }
    Ok(kept)
}

/// What can be told of a row of no possible form.
fn damaged(row: &impl Cells, column: &'static str) -> Result<DamagedKey, StoreError> {
    let row = Columns::of(TABLE, row);
    let id = row.text("id")?.to_owned();
    let algorithm = row.text("algorithm").ok().and_then(Algorithm::parse);
    let state = row.text("state").ok();
    let state = KeyState::NAMES.into_iter().find(|name| Some(*name) == state);
    Ok(DamagedKey { id, column, algorithm, state })
}

/// What ends a row of no possible form: `state, state_at`.
#[must_use]
pub fn end(ended: &DamagedKeyEnded) -> [Value; 2] {
    [Value::text(ended.to().name()), Value::instant(ended.to().at())]
}

/// Which row that is, which nobody must have ended meanwhile: `id, state`.
#[must_use]
pub fn ended(ended: &DamagedKeyEnded) -> [Value; 2] {
    [Value::text(ended.id()), Value::text(ended.from())]
}

/// Reads a key back.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn read(row: &impl Cells) -> Result<SigningKey, StoreError> {
    let row = Columns::of(TABLE, row);
    let key = SigningKey::from_record(SigningKeyRecord {
        public: public(&row)?,
        private: SealedPrivateKey::new(row.all_bytes("private_key")?.to_vec()),
        state: state_of(&row)?,
        created_at: row.time("created_at")?,
        revision: row.revision()?,
    });
    // The id is computed from the public half: another one is a row that was tampered with.
    if key.id().as_str() == row.text("id")? { Ok(key) } else { Err(row.corrupt("id")) }
}

fn public(row: &Columns<'_, impl Cells>) -> Result<Jwk, StoreError> {
    let algorithm =
        Algorithm::parse(row.text("algorithm")?).ok_or_else(|| row.corrupt("algorithm"))?;
    Jwk::from_raw(algorithm, row.all_bytes("public_key")?).ok_or_else(|| row.corrupt("public_key"))
}

fn state_of(row: &Columns<'_, impl Cells>) -> Result<KeyState, StoreError> {
    let at = row.time("state_at")?;
    match row.text("state")? {
        "published" => Ok(KeyState::Published { since: at }),
        "active" => Ok(KeyState::Active { since: at }),
        "retiring" => Ok(KeyState::Retiring { until: at }),
        "retired" => Ok(KeyState::Retired { since: at }),
        "compromised" => Ok(KeyState::Compromised { since: at }),
        _ => Err(row.corrupt("state")),
    }
}
