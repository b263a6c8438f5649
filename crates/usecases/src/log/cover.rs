//! Signing a checkpoint over what earlier turns committed: read in a view, and signed in a turn.

use audit::{
    Checkpoint, LogReader, Logs, SignedCheckpoint, Tile, Transactor, Turn, VerifierKey, checkpoint,
    delivery::hold_against,
    merkle::{Frontier, StoredHash, root_at},
    sequence::{Breach, LogState, Rehash},
};
use kernel::{OrganizationId, StoreError, Timestamp};

use super::sequencer::{Round, Sequencer};

/// How many leaves are read at a time.
const PAGE: u32 = 500;

/// How many events one checkpoint adds at most: more than one round gives their places, so that a log
/// which is behind is caught up with, and few enough to be read within the time of a view, however many
/// wait.
const AT_MOST: u64 = 8_000;

/// What was found when everything was read again.
struct Found {
    checkpoint: Checkpoint,
    /// When the oldest event that is new was written.
    oldest: Option<Timestamp>,
}

/// What a view of a log led to.
enum Ahead {
    /// There is nothing to sign, or it may not be signed.
    Nothing,
    /// This may be signed where the newest checkpoint still is that one.
    Found(Option<SignedCheckpoint>, Found),
    /// Something is wrong, or was when it was looked: a turn finds out.
    Doubt,
}

impl<S> Sequencer<S>
where
    S: Logs + Transactor,
    S::View: LogReader,
{
    /// Signs what no checkpoint covers yet, the oldest of it where it is much. Gives back whether there
    /// was any, and whether there is more.
    ///
    /// Everything new is read in a view: in a turn, all who write would wait for it. What is in doubt
    /// is read once more in the turn, where nobody else is.
    pub(super) async fn cover(&self, organization: OrganizationId) -> Result<Round, StoreError> {
        let ahead = self.read_ahead(organization).await?;
        if matches!(ahead, Ahead::Nothing) {
            return Ok(Round::Idle);
        }
        let parts = &self.parts;
        let Some(mut turn) = parts.store.turn(organization, parts.id).await? else {
            return Ok(Round::Idle);
        };
        let state = turn.state().clone();
        if state.halted.is_some() {
            return Ok(Round::Idle);
        }
        if let Err(breach) = self.held(&mut turn, &state).await? {
            return self.halt(turn, organization, &breach).await;
        }
        if let Ahead::Found(signed, found) = ahead
            && signed == state.signed
            && found.checkpoint.size <= state.size
        {
            return self.publish(turn, found).await;
        }
        if state.size == state.signed_size() {
            return Ok(Round::Idle);
        }
        match self.read_again(&mut turn, &state).await? {
            Ok(found) => self.publish(turn, found).await,
            // It may be of a later release, whose servers can read it: not signed over, nor halted.
            Err(breach @ Breach::Content { .. }) => Err(StoreError::unavailable(breach)),
            Err(breach) => self.halt(turn, organization, &breach).await,
        }
    }

    async fn read_ahead(&self, organization: OrganizationId) -> Result<Ahead, StoreError> {
        let mut view = self.parts.store.view(organization).await?;
        let state = view.log_state().await?;
        if state.halted.is_some() {
            return Ok(Ahead::Nothing);
        }
        if self.fits(&mut view, organization, &state).await?.is_err() {
            return Ok(Ahead::Doubt);
        }
        if state.size == state.signed_size() {
            return Ok(Ahead::Nothing);
        }
        let found = self.read_again(&mut view, &state).await?;
        Ok(found.map_or(Ahead::Doubt, |found| Ahead::Found(state.signed, found)))
    }
}

impl<S: Logs> Sequencer<S> {
    /// Holds a log against the checkpoint of it that left, and halts it where the two do not fit. Gives
    /// back whether it could be looked: another sequencer may keep it.
    pub(super) async fn hold(&self, organization: OrganizationId) -> Result<bool, StoreError> {
        let parts = &self.parts;
        let Some(mut turn) = parts.store.turn(organization, parts.id).await? else {
            return Ok(false);
        };
        let state = turn.state().clone();
        if state.halted.is_some() {
            return Ok(true);
        }
        if let Err(breach) = self.held(&mut turn, &state).await? {
            self.halt(turn, organization, &breach).await?;
        }
        Ok(true)
    }

    /// Whether the log fits what left of it. Where it does not, an operator may have acknowledged that
    /// just now, in another process: it is looked once more.
    async fn held(
        &self,
        turn: &mut S::Turn,
        state: &LogState,
    ) -> Result<Result<(), Breach>, StoreError> {
        let organization = turn.organization();
        if let Ok(()) = self.fits(turn, organization, state).await? {
            return Ok(Ok(()));
        }
        self.parts.outside.look_again().await;
        self.fits(turn, organization, state).await
    }

    async fn fits(
        &self,
        log: &mut impl LogReader,
        organization: OrganizationId,
        state: &LogState,
    ) -> Result<Result<(), Breach>, StoreError> {
        let Some(left) = self.parts.outside.newest(organization) else { return Ok(Ok(())) };
        if state.signed.as_ref().is_some_and(|signed| signed.checkpoint == left) {
            return Ok(Ok(()));
        }
        let root =
            if left.size <= state.size { Some(root_at(log, left.size).await?) } else { None };
        Ok(hold_against(&left, state.size, root))
    }

    /// Reads what is new again, and hashes it again: what is signed is what the store holds.
    async fn read_again(
        &self,
        log: &mut impl LogReader,
        state: &LogState,
    ) -> Result<Result<Found, Breach>, StoreError> {
        let Some(origin) = state.origin.clone() else {
            return Err(StoreError::Corrupt { table: "audit_log", column: "origin" });
        };
        let key = VerifierKey::new(origin.name().clone(), self.parts.signer.public_key());
        let signed = state.signed.as_ref();
        if signed.is_some_and(|signed| !is_ours(signed, &key)) {
            return Ok(Err(Breach::Checkpoint));
        }
        let frontier = Frontier::load(log, state.signed_size()).await?;
        let mut rehash = match Rehash::behind(frontier, signed.map(|signed| &signed.checkpoint)) {
            Ok(rehash) => rehash,
            Err(breach) => return Ok(Err(breach)),
        };
        let size = state.size.min(state.signed_size().saturating_add(AT_MOST));
        let oldest = match take_all(log, &mut rehash, size).await? {
            Ok(oldest) => oldest,
            Err(breach) => return Ok(Err(breach)),
        };
        for stored in rehash.above() {
            if let Some(breach) = differs(log, size, stored).await? {
                return Ok(Err(breach));
            }
        }
        Ok(Ok(Found { checkpoint: rehash.checkpoint(origin), oldest }))
    }

    async fn publish(&self, mut turn: S::Turn, found: Found) -> Result<Round, StoreError> {
        let parts = &self.parts;
        let is_all = found.checkpoint.size == turn.state().size;
        let signed =
            checkpoint::sign(found.checkpoint, &*parts.signer).map_err(StoreError::unavailable)?;
        turn.publish(&signed).await?;
        turn.commit().await?;
        // From now on anybody may ask for it.
        parts.outside.left(&signed.checkpoint);
        let oldest = found.oldest.unwrap_or_else(|| parts.clock.now());
        parts.observer.signed(parts.clock.now().since(oldest));
        Ok(if is_all { Round::Done } else { Round::More })
    }

    pub(super) async fn halt(
        &self,
        mut turn: S::Turn,
        organization: OrganizationId,
        breach: &Breach,
    ) -> Result<Round, StoreError> {
        turn.halt(&breach.to_string()).await?;
        turn.commit().await?;
        self.parts.observer.halted(organization, breach);
        Ok(Round::Idle)
    }
}

/// Whether the newest checkpoint of the store is one that our key signed, and says what the store says
/// that it does.
fn is_ours(signed: &SignedCheckpoint, key: &VerifierKey) -> bool {
    Checkpoint::open(&signed.note, key).is_ok_and(|opened| opened == signed.checkpoint)
}

/// Takes the leaves up to this size. Gives back the time of the oldest event.
async fn take_all(
    log: &mut impl LogReader,
    rehash: &mut Rehash,
    size: u64,
) -> Result<Result<Option<Timestamp>, Breach>, StoreError> {
    let mut oldest: Option<Timestamp> = None;
    while rehash.size() < size {
        let most = u32::try_from(size - rehash.size()).unwrap_or(PAGE).min(PAGE);
        let leaves = log.leaves(rehash.size(), most).await?;
        if leaves.is_empty() {
            return Ok(Err(Breach::Gap { position: rehash.size() }));
        }
        for record in &leaves {
            if let Err(breach) = rehash.push(record) {
                return Ok(Err(breach));
            }
            let time = record.event.as_ref().map(|event| event.timestamp);
            oldest = oldest.into_iter().chain(time).min();
        }
    }
    Ok(Ok(oldest))
}

/// How a stored hash of a higher level differs from what it should be.
async fn differs(
    log: &mut impl LogReader,
    size: u64,
    due: &StoredHash,
) -> Result<Option<Breach>, StoreError> {
    let breach = Breach::StoredHash { level: due.level, index: due.index };
    let Some(tile) = Tile::of_tree(size, due.level, due.index / 256) else {
        return Ok(Some(breach));
    };
    let hashes = log.tile(tile).await?;
    let at = usize::try_from(due.index % 256).unwrap_or(usize::MAX);
    Ok((hashes.get(at) != Some(&due.hash)).then_some(breach))
}
