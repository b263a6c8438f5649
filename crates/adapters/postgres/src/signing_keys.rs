//! The port of the signing keys. They belong to the installation: no statement binds an organization.

use audit::{Apply, Entry};
use kernel::StoreError;
use sqlx::postgres::PgRow;
use tokens::{
    Algorithm, Jwk, KeyState, SealedPrivateKey, SigningKey, SigningKeyChange, SigningKeyRecord,
    SigningKeys,
};

use crate::{
    row::Columns,
    session::{Mode, PostgresTx, Session},
};

const TABLE: &str = "signing_key";

const ALL: &str = "
    SELECT id, algorithm, public_key, private_key, state, state_at, created_at, revision
    FROM signing_key ORDER BY created_at, id";

const INSERT: &str = "
    INSERT INTO signing_key (
        id, algorithm, public_key, created_at, private_key, state, state_at, revision, last_event,
        event_organization_id
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, current_organization())";

const UPDATE: &str = "
    UPDATE signing_key SET private_key = $1, state = $2, state_at = $3, revision = $4, last_event = $5
    WHERE id = $6 AND revision = $7";

impl<M: Mode> SigningKeys for Session<M> {
    async fn signing_keys(&mut self) -> Result<Vec<SigningKey>, StoreError> {
        self.rows(sqlx::query(ALL)).await?.iter().map(parse).collect()
    }
}

impl Apply<SigningKeyChange> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, SigningKeyChange>) -> Result<(), StoreError> {
        let after = entry.change().after();
        let (id, record) = (after.id().as_str().to_owned(), after.record());
        let head = match entry.change().expected() {
            None => sqlx::query(INSERT)
                .bind(id.clone())
                .bind(record.public.algorithm().name())
                .bind(raw(&record.public))
                .bind(record.created_at.unix_micros()),
            Some(_) => sqlx::query(UPDATE),
        };
        let statement = head
            .bind(record.private.as_bytes().to_vec())
            .bind(record.state.name())
            .bind(record.state.at().unix_micros())
            .bind(i64::from(record.revision.get()))
            .bind(entry.event().uuid());
        let statement = match entry.change().expected() {
            None => statement,
            Some(expected) => statement.bind(id).bind(i64::from(expected.get())),
        };
        self.change_one(statement).await
    }
}

fn raw(public: &Jwk) -> Vec<u8> {
    match public {
        Jwk::P256 { x, y } => [x.as_slice(), y.as_slice()].concat(),
    }
}

fn parse(row: &PgRow) -> Result<SigningKey, StoreError> {
    let row = Columns::of(TABLE, row);
    let key = SigningKey::from_record(SigningKeyRecord {
        public: public(&row)?,
        private: SealedPrivateKey::new(row.get("private_key")?),
        state: state(&row)?,
        created_at: row.time("created_at")?,
        revision: row.revision()?,
    });
    // The id is computed from the public half: another one is a row that was tampered with.
    if key.id().as_str() == row.get::<&str>("id")? { Ok(key) } else { Err(row.corrupt("id")) }
}

fn public(row: &Columns<'_>) -> Result<Jwk, StoreError> {
    let algorithm =
        Algorithm::parse(row.get("algorithm")?).ok_or_else(|| row.corrupt("algorithm"))?;
    match algorithm {
        Algorithm::Es256 => {
            let raw: [u8; 64] = row.bytes("public_key")?;
            let halves = raw.split_first_chunk().zip(raw.split_last_chunk());
            let ((x, _), (_, y)) = halves.ok_or_else(|| row.corrupt("public_key"))?;
            Ok(Jwk::P256 { x: *x, y: *y })
        }
    }
}

fn state(row: &Columns<'_>) -> Result<KeyState, StoreError> {
    let at = row.time("state_at")?;
    match row.get("state")? {
        "published" => Ok(KeyState::Published { since: at }),
        "active" => Ok(KeyState::Active { since: at }),
        "retiring" => Ok(KeyState::Retiring { until: at }),
        "retired" => Ok(KeyState::Retired { since: at }),
        _ => Err(row.corrupt("state")),
    }
}
