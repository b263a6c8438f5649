//! Who keeps the audit logs: the key that signs their checkpoints, and where those go.

use std::sync::Arc;

use audit::{
    CheckpointSigner, SequencerId,
    delivery::{CheckpointSink, EventSink, Outside},
};
use kernel::{EventId, OrganizationId, StoreError};
use local::{LocalCheckpointKeyFactory, LocalCheckpointSigner};
use outlets::{
    CheckpointFile, CloudEventsFile, CloudEventsOutput, HttpWitness, Remembered, StandardOutput,
};
use tokens::Issuer;
use usecases::log::{LogObserver, Outlets, Sequencer, SequencerParts, checkpoint_key};

use super::{ComposeError, Foundations, Store};
use crate::config::{Audit, Config};

/// The file of checkpoints in the data folder, where no other is named.
const CHECKPOINTS: &str = "checkpoints.ndjson";

/// Who keeps the logs.
pub struct LogKeeping<S> {
    /// Sequences, signs, sends out.
    pub sequencer: Arc<Sequencer<S>>,
    /// The file of checkpoints, which an operator's command may have written to.
    pub file: Option<Arc<CheckpointFile>>,
}

impl<S> std::fmt::Debug for LogKeeping<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogKeeping").field("sequencer", &self.sequencer).finish_non_exhaustive()
    }
}

impl<S: Store> Foundations<S> {
    /// The key that signs checkpoints, made at the first start.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn checkpoint_signer(
        &self,
        platform: OrganizationId,
    ) -> Result<Arc<LocalCheckpointSigner>, ComposeError> {
        let factory = LocalCheckpointKeyFactory::new(self.keys.sealer.clone());
        let key = checkpoint_key::ensure(&self.store, platform, &*self.clock, &factory).await?;
        Ok(Arc::new(LocalCheckpointSigner::open(&key, &self.keys.sealer)?))
    }

    /// Puts together who keeps the logs.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn log_keeping(
        &self,
        config: &Config,
        issuer: &Issuer,
        (signer, observer): (Arc<dyn CheckpointSigner>, Arc<dyn LogObserver>),
    ) -> Result<LogKeeping<S>, ComposeError> {
        let file = self.checkpoint_file(config.audit()).await?;
        let outside: Arc<dyn Outside> = match &file {
            Some(file) => file.clone(),
            None => Arc::new(Remembered::default()),
        };
        let outlets = outlets(config.audit(), issuer, file.clone()).await?;
        let sequencer = Arc::new(Sequencer::new(SequencerParts {
            store: self.store.clone(),
            id: self.sequencer_id()?,
            signer,
            issuer: issuer.as_str().to_owned(),
            clock: self.clock.clone(),
            outside,
            outlets,
            observer,
        }));
        Ok(LogKeeping { sequencer, file })
    }

    /// The file of checkpoints: the configured one, or one in the data folder of the embedded default.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn checkpoint_file(
        &self,
        audit: &Audit,
    ) -> Result<Option<Arc<CheckpointFile>>, ComposeError> {
        let default = || (!S::IS_SHARED).then(|| self.folder.file(CHECKPOINTS));
        match audit.checkpoint_file.clone().or_else(default) {
            Some(path) => Ok(Some(Arc::new(CheckpointFile::open(path).await?))),
            None => Ok(None),
        }
    }

    /// Any number that no other process has: the one of a new event's id.
    fn sequencer_id(&self) -> Result<SequencerId, StoreError> {
        let id = EventId::generate(self.clock.now(), &*self.entropy)?;
        Ok(SequencerId(id.uuid().as_u128()))
    }
}

async fn outlets(
    audit: &Audit,
    issuer: &Issuer,
    file: Option<Arc<CheckpointFile>>,
) -> Result<Outlets, ComposeError> {
    let mut checkpoints: Vec<Arc<dyn CheckpointSink>> = Vec::new();
    if let Some(file) = file {
        checkpoints.push(file);
    }
    if audit.stdout.checkpoints {
        checkpoints.push(Arc::new(StandardOutput::new()));
    }
    let witness = match &audit.witness {
        Some(url) => Some(Arc::new(HttpWitness::new(url)?) as Arc<_>),
        None => None,
    };
    let mut events: Vec<Arc<dyn EventSink>> = Vec::new();
    if let Some(path) = &audit.events_file {
        events.push(Arc::new(CloudEventsFile::open(path, issuer.as_str()).await?));
    }
    if audit.stdout.events {
        events.push(Arc::new(CloudEventsOutput::new(issuer.as_str())));
    }
    Ok(Outlets { checkpoints, witness, events })
}
