//! Sending out checkpoints and events. No transaction is open while something is on its way.

use audit::{LogReader, LogState, Logs, SignedCheckpoint, Transactor, Turn};
use kernel::{OrganizationId, StoreError};

use super::{
    departed::mark,
    sequencer::{Round, Sequencer},
};

/// How many events leave at a time.
const PAGE: u32 = 500;

/// How many times that a log may take in a round: others wait for theirs.
const PAGES: u32 = 8;

impl<S> Sequencer<S>
where
    S: Logs + Transactor,
    S::View: LogReader,
{
    /// Sends out what has not left yet, of a log that no other sequencer keeps. `None` where somebody
    /// does not take it.
    pub(super) async fn leave(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<Round>, StoreError> {
        let mut state = self.parts.store.view(organization).await?.log_state().await?;
        self.departed.look(organization, &state);
        let mut left = Some(Round::Idle);
        if self.has_more(organization, &state) {
            let Some(turn) = self.parts.store.turn(organization, self.parts.id).await? else {
                return Ok(left);
            };
            state = turn.state().clone();
            // Nothing is held while something is on its way. The lease of whoever signed lasts longer
            // than that, so that no other replica sends the same.
            drop(turn);
            left = self.send(organization, &state).await?;
        }
        self.settle(organization, &state).await?;
        Ok(left)
    }

    /// Whether there is anything that this process has not sent.
    fn has_more(&self, organization: OrganizationId, state: &LogState) -> bool {
        let delivery = self.departed.of(organization);
        let newest = state.signed.as_ref().map(mark);
        let checkpoints = self.parts.outlets.take_checkpoints()
            && state.delivered < state.signed_size()
            && delivery.sinks != newest;
        let events = !self.parts.outlets.events.is_empty()
            && state.exported.max(delivery.exported) < state.signed_size();
        checkpoints || events
    }

    async fn send(
        &self,
        organization: OrganizationId,
        state: &LogState,
    ) -> Result<Option<Round>, StoreError> {
        let Some(signed) = &state.signed else { return Ok(Some(Round::Idle)) };
        let mut left = Round::Idle;
        if self.parts.outlets.take_checkpoints() && state.delivered < signed.checkpoint.size {
            if !self.give_to_sinks(organization, signed).await {
                return Ok(None);
            }
            left = Round::Done;
        }
        if self.parts.outlets.events.is_empty() {
            return Ok(Some(left));
        }
        Ok(self.export(organization, state).await?.map(|exported| exported.max(left)))
    }

    /// Gives a checkpoint to every sink, unless this process has. Gives back whether all have it.
    async fn give_to_sinks(&self, organization: OrganizationId, signed: &SignedCheckpoint) -> bool {
        let (parts, mark) = (&self.parts, mark(signed));
        if self.departed.of(organization).sinks == Some(mark) {
            return true;
        }
        let now = parts.clock.now();
        for sink in &parts.outlets.checkpoints {
            if let Err(error) = sink.deliver(signed, now).await {
                parts.observer.stayed(organization, &error);
                return false;
            }
        }
        self.departed.keep(organization, |delivery| delivery.sinks = Some(mark));
        parts.observer.left();
        true
    }

    /// Keeps how far everything has left: a checkpoint once the sinks have it and the witness has
    /// answered.
    pub(super) async fn settle(
        &self,
        organization: OrganizationId,
        state: &LogState,
    ) -> Result<(), StoreError> {
        let delivery = self.departed.of(organization);
        let newest = state.signed.as_ref().map(mark);
        let is_answered = self.parts.outlets.witness.is_none() || delivery.answered == newest;
        let has_left = delivery.sinks == newest && is_answered;
        let delivered = if has_left { state.signed_size() } else { state.delivered };
        let exported = delivery.exported.min(state.signed_size());
        if delivered <= state.delivered && exported <= state.exported {
            return Ok(());
        }
        // Where somebody is in a turn it is tried again after the next look.
        let Some(mut turn) = self.parts.store.turn(organization, self.parts.id).await? else {
            return Ok(());
        };
        let now = turn.state().clone();
        if delivered > now.delivered {
            turn.delivered(delivered).await?;
        }
        if exported > now.exported {
            turn.exported(exported).await?;
        }
        turn.commit().await
    }

    /// Exports events that a checkpoint covers, in order, from where it was left: at least once each.
    async fn export(
        &self,
        organization: OrganizationId,
        state: &LogState,
    ) -> Result<Option<Round>, StoreError> {
        let (parts, end) = (&self.parts, state.signed_size());
        let begun = state.exported.max(self.departed.of(organization).exported);
        let mut next = begun;
        for _ in 0..PAGES {
            if next >= end {
                break;
            }
            let most = u32::try_from(end - next).unwrap_or(PAGE).min(PAGE);
            let leaves = parts.store.view(organization).await?.leaves(next, most).await?;
            let Some(last) = leaves.last() else { break };
            for sink in &parts.outlets.events {
                if let Err(error) = sink.deliver(&leaves).await {
                    parts.observer.stayed(organization, &error);
                    return Ok(None);
                }
            }
            next = last.leaf.place.position.saturating_add(1);
            self.departed.keep(organization, |delivery| delivery.exported = next);
            parts.observer.left();
        }
        Ok(Some(match next {
            next if next == begun => Round::Idle,
            next if next < end => Round::More,
            _ => Round::Done,
        }))
    }
}
