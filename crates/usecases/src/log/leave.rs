//! Sending out checkpoints and events. No transaction is open while something is on its way.

use audit::{
    LogReader, LogState, Logs, SignedCheckpoint, Transactor, Turn,
    delivery::{DeliveryFailed, Witness, WitnessAnswer, WitnessRequest},
    merkle::consistency_proof,
};
use kernel::{OrganizationId, StoreError};

use super::sequencer::Sequencer;

/// How many events leave at a time.
const PAGE: u32 = 500;

/// How often a witness is asked at most: once more after it told which size it saw last.
const QUESTIONS: usize = 2;

impl<S> Sequencer<S>
where
    S: Logs + Transactor,
    S::View: LogReader,
{
    /// Sends out what has not left yet. Gives back whether anything has.
    pub(super) async fn leave(&self, organization: OrganizationId) -> Result<bool, StoreError> {
        let wanted = self.wanted();
        if !wanted.deliveries && !wanted.exports {
            return Ok(false);
        }
        let state = self.parts.store.view(organization).await?.log_state().await?;
        let Some(signed) = &state.signed else { return Ok(false) };
        let mut left = false;
        if wanted.deliveries && state.delivered < signed.checkpoint.size {
            left |= self.deliver(organization, signed).await?;
        }
        if wanted.exports {
            left |= self.export(organization, &state).await?;
        }
        Ok(left)
    }

    async fn deliver(
        &self,
        organization: OrganizationId,
        signed: &SignedCheckpoint,
    ) -> Result<bool, StoreError> {
        let size = signed.checkpoint.size;
        let sinks = self.give_to_sinks(organization, signed).await;
        let witness = match &self.parts.outlets.witness {
            Some(witness) => self.ask(organization, signed, &**witness).await?,
            None => true,
        };
        if !(sinks && witness) {
            return Ok(false);
        }
        let Some(mut turn) = self.parts.store.turn(organization, self.parts.id).await? else {
            return Ok(false);
        };
        if turn.state().delivered < size {
            turn.delivered(size).await?;
            turn.commit().await?;
        }
        Ok(true)
    }

    /// Gives a checkpoint to every sink that this process has not given it to. Gives back whether all
    /// have it.
    async fn give_to_sinks(&self, organization: OrganizationId, signed: &SignedCheckpoint) -> bool {
        let parts = &self.parts;
        if self.witnessed.sinks(organization) >= signed.checkpoint.size {
            return true;
        }
        let now = parts.clock.now();
        for sink in &parts.outlets.checkpoints {
            if let Err(error) = sink.deliver(signed, now).await {
                parts.observer.stayed(organization, &error);
                return false;
            }
        }
        self.witnessed.sinks_have(organization, signed.checkpoint.size);
        parts.observer.left();
        true
    }

    /// Asks the witness to sign. Gives back whether it has answered, be it with a refusal: that is an
    /// alarm, and asking again would change nothing.
    async fn ask(
        &self,
        organization: OrganizationId,
        signed: &SignedCheckpoint,
        witness: &dyn Witness,
    ) -> Result<bool, StoreError> {
        let (parts, size) = (&self.parts, signed.checkpoint.size);
        if self.witnessed.pauses(organization, parts.clock.now()) {
            return Ok(false);
        }
        for _ in 0..QUESTIONS {
            let old_size = self.witnessed.witness(organization);
            let mut view = parts.store.view(organization).await?;
            let proof = consistency_proof(&mut view, old_size, size).await?;
            drop(view);
            let request = WitnessRequest { old_size, proof, checkpoint: signed.clone() };
            match witness.add_checkpoint(&request).await {
                Ok(WitnessAnswer::Cosigned(_)) => {
                    self.witnessed.witness_saw(organization, size);
                    parts.observer.cosigned(organization);
                    return Ok(true);
                }
                Ok(WitnessAnswer::OtherSize(other)) if other <= size => {
                    self.witnessed.witness_saw(organization, other);
                }
                Ok(WitnessAnswer::OtherSize(other)) => {
                    let reason = format!("it saw a log of size {other}, and this one has {size}");
                    parts.observer.contested(organization, &reason);
                    return Ok(true);
                }
                Ok(WitnessAnswer::Refused(reason)) => {
                    parts.observer.contested(organization, &reason);
                    return Ok(true);
                }
                Err(error) => return Ok(self.pause(organization, &error)),
            }
        }
        parts.observer.contested(organization, "it names another size each time that it is asked");
        Ok(true)
    }

    fn pause(&self, organization: OrganizationId, error: &DeliveryFailed) -> bool {
        self.parts.observer.stayed(organization, error);
        self.witnessed.pause(organization, self.parts.clock.now());
        false
    }

    /// Exports events that a checkpoint covers, in order, from where it was left: at least once each.
    async fn export(
        &self,
        organization: OrganizationId,
        state: &LogState,
    ) -> Result<bool, StoreError> {
        let parts = &self.parts;
        let (mut next, end) = (state.exported, state.signed_size());
        while next < end {
            let most = u32::try_from(end - next).unwrap_or(PAGE).min(PAGE);
            let leaves = parts.store.view(organization).await?.leaves(next, most).await?;
            let Some(last) = leaves.last() else { break };
            let after = last.leaf.place.position.saturating_add(1);
            for sink in &parts.outlets.events {
                if let Err(error) = sink.deliver(&leaves).await {
                    parts.observer.stayed(organization, &error);
                    return Ok(false);
                }
            }
            let Some(mut turn) = parts.store.turn(organization, parts.id).await? else {
                return Ok(false);
            };
            turn.exported(after).await?;
            turn.commit().await?;
            parts.observer.left();
            next = after;
        }
        Ok(state.exported < end)
    }
}
