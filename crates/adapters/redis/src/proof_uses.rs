//! Proofs that were used, on all replicas together: one journey each, as `proof.lua` beside this file
//! says.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use jose::SingleUse;
use kernel::{Entropy, OrganizationId, StoreError, Timestamp};
use redis::Value;
use tokens::{
    ProofUses,
    dpop::{Epoch, ProofUse},
};

use crate::{
    failure::Failure,
    link::{Link, Script},
    prefix::Prefix,
};

/// For how much longer than it is good a proof is remembered: so far a clock may be set back, or those
/// of two replicas be apart, and it stays used.
const MARGIN: Duration = Duration::from_secs(600);

/// Remembers in Redis, until that forgets: emptied, started again, or replaced by another, it has a new
/// epoch, and takes no proof of the one before.
pub struct RedisProofUses {
    link: Arc<Link>,
    prefix: Prefix,
    entropy: Arc<dyn Entropy>,
    script: Script,
}

impl fmt::Debug for RedisProofUses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisProofUses").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl RedisProofUses {
    pub(crate) fn new(link: Arc<Link>, prefix: Prefix, entropy: Arc<dyn Entropy>) -> Self {
        let script = Script::new(include_str!("proof.lua"));
        Self { link, prefix, entropy, script }
    }

    async fn ask(
        &self,
        key: String,
        epoch: String,
        remembered_for: Duration,
    ) -> Result<ProofUse, StoreError> {
        let new = Epoch::generate(&*self.entropy).map_err(StoreError::unavailable)?;
        let millis = u64::try_from(remembered_for.as_millis()).unwrap_or(u64::MAX).to_string();
        let (keys, new) = ([&*self.prefix.proofs(), &key], written(new));
        let told = self.link.run(&self.script, keys, &[&new, &epoch, &millis]).await?;
        Ok(read(&told)?)
    }
}

#[async_trait]
impl ProofUses for RedisProofUses {
    async fn epoch(&self, _: Timestamp) -> Result<Epoch, StoreError> {
        let asked = self.ask(String::new(), String::new(), Duration::ZERO).await?;
        match asked {
            ProofUse::OtherEpoch { next } => Ok(next),
            ProofUse::First { .. } | ProofUse::Again => {
                Err(Failure::Nonsense("a proof was used that was none").into())
            }
        }
    }

    async fn use_once(
        &self,
        organization: OrganizationId,
        epoch: Epoch,
        single_use: &SingleUse,
        now: Timestamp,
    ) -> Result<ProofUse, StoreError> {
        let key = self.prefix.proof(organization, single_use.digest());
        let remembered_for = single_use.over().since(now).saturating_add(MARGIN);
        self.ask(key, written(epoch), remembered_for).await
    }
}

fn written(epoch: Epoch) -> String {
    epoch.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parsed(text: &[u8]) -> Option<Epoch> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 16)?;
    let number = u64::from_str_radix(text, 16).ok()?;
    Some(Epoch::from_bytes(number.to_be_bytes()))
}

fn read(value: &Value) -> Result<ProofUse, Failure> {
    let Value::Array(items) = value else { return Err(Failure::Nonsense("no list")) };
    let [Value::Int(outcome), Value::BulkString(epoch)] = items.as_slice() else {
        return Err(Failure::Nonsense("not a number and an epoch"));
    };
    let next = parsed(epoch).ok_or(Failure::Nonsense("no epoch"))?;
    match outcome {
        0 => Ok(ProofUse::OtherEpoch { next }),
        1 => Ok(ProofUse::First { next }),
        2 => Ok(ProofUse::Again),
        _ => Err(Failure::Nonsense("no outcome of a use")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(outcome: i64, epoch: &str) -> Value {
        Value::Array(vec![Value::Int(outcome), Value::BulkString(epoch.as_bytes().to_vec())])
    }

    #[test]
    fn an_epoch_is_read_as_it_is_written() {
        for bytes in [[0; 8], [0x80, 0, 0, 0, 0, 0, 0, 1], [0xff; 8]] {
            let epoch = Epoch::from_bytes(bytes);
            let read = read(&told(1, &written(epoch))).unwrap();
            assert_eq!(read, ProofUse::First { next: epoch });
        }
    }

    #[test]
    fn what_the_script_would_not_say_is_no_first_use() {
        let epoch = "80000000000000ff";
        for bad in [
            Value::Nil,
            Value::Okay,
            Value::Int(1),
            told(3, epoch),
            told(-1, epoch),
            told(1, ""),
            told(1, "80000000000000f"),
            told(1, "80000000000000fg"),
            Value::Array(vec![Value::Int(1)]),
            Value::Array(vec![Value::Int(1), Value::Int(1)]),
        ] {
            assert!(matches!(read(&bad), Err(Failure::Nonsense(_))), "{bad:?}");
        }
    }
}
