//! Asking the witness to sign too (C2SP tlog-witness).

use audit::{
    LogReader, Logs, SignedCheckpoint, Transactor, Turn,
    delivery::{Witness, WitnessAnswer, WitnessRequest},
    merkle::consistency_proof,
};
use kernel::{OrganizationId, StoreError};

use super::{
    departed::mark,
    sequencer::{Round, Sequencer},
};

/// How often the witness is asked about one checkpoint: once more after it told which size it saw last.
const QUESTIONS: usize = 2;

impl<S> Sequencer<S>
where
    S: Logs + Transactor,
    S::View: LogReader,
{
    /// Asks the witness to sign the newest checkpoint of a log, unless it has answered. `None` where it
    /// does not answer.
    pub(super) async fn ask(
        &self,
        organization: OrganizationId,
        witness: &dyn Witness,
    ) -> Result<Option<Round>, StoreError> {
        let state = self.parts.store.view(organization).await?.log_state().await?;
        let Some(signed) = &state.signed else { return Ok(Some(Round::Idle)) };
        if self.departed.of(organization).answered == Some(mark(signed)) {
            return Ok(Some(Round::Idle));
        }
        if !self.answers(organization, signed, witness).await? {
            return Ok(None);
        }
        self.departed.keep(organization, |delivery| delivery.answered = Some(mark(signed)));
        self.settle(organization, &state).await?;
        Ok(Some(Round::Done))
    }

    /// Whether the witness answers, be it by a refusal: that is an alarm, and asking again would change
    /// nothing.
    async fn answers(
        &self,
        organization: OrganizationId,
        signed: &SignedCheckpoint,
        witness: &dyn Witness,
    ) -> Result<bool, StoreError> {
        let (parts, size) = (&self.parts, signed.checkpoint.size);
        for _ in 0..QUESTIONS {
            let old_size = self.departed.of(organization).seen.min(size);
            let mut view = parts.store.view(organization).await?;
            let proof = consistency_proof(&mut view, old_size, size).await?;
            drop(view);
            let request = WitnessRequest { old_size, proof, checkpoint: signed.clone() };
            match witness.add_checkpoint(&request).await {
                Ok(WitnessAnswer::Cosigned(lines)) => {
                    self.departed.keep(organization, |delivery| delivery.seen = size);
                    self.take_in(organization, signed, &lines).await?;
                    parts.observer.cosigned(organization);
                    return Ok(true);
                }
                Ok(WitnessAnswer::OtherSize(other)) if other <= size => {
                    self.departed.keep(organization, |delivery| delivery.seen = other);
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
                Err(error) => {
                    parts.observer.stayed(organization, &error);
                    return Ok(false);
                }
            }
        }
        parts.observer.contested(organization, "it names another size each time that it is asked");
        Ok(true)
    }

    /// Keeps the witness's signatures with the checkpoint, so that whoever asks for it has both. Where a
    /// newer one is there already, or somebody is in a turn, the newer one will bring its own.
    async fn take_in(
        &self,
        organization: OrganizationId,
        signed: &SignedCheckpoint,
        lines: &str,
    ) -> Result<(), StoreError> {
        let Some(cosigned) = signed.cosigned(lines) else { return Ok(()) };
        let Some(mut turn) = self.parts.store.turn(organization, self.parts.id).await? else {
            return Ok(());
        };
        if turn.state().halted.is_some() || turn.state().signed.as_ref() != Some(signed) {
            return Ok(());
        }
        turn.publish(&cosigned).await?;
        turn.commit().await
    }
}
