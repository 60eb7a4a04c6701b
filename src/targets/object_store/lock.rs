//! The object that says who has an environment: beside the pointer, and written only over what was read before.

use bytes::Bytes;

use crate::error::Result;
use crate::stores::bucket::Condition;
use crate::stores::bucket::name::encode;
use crate::stores::fault::Fault;
use crate::targets::Access;
use crate::targets::object_store::{ObjectStore, told, until_stopped};

/// The longest lock, bytes.
const LONGEST: u64 = 64 << 10;

/// What the object held when it was read, and by which mark the store knows it again.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its content; none where there is none.
    pub content: Option<Bytes>,
    condition: Condition,
}

impl ObjectStore {
    /// Where it says who has the environment.
    fn lock(&self) -> String {
        format!("env/{}/lock.json", encode(&self.environment))
    }

    /// Who has the environment.
    pub async fn read_lock(&self, access: &Access<'_>) -> Result<Seen> {
        let bucket = self.open(access).await?;
        let name = self.lock();
        let read = until_stopped(access, bucket.read(&name, LONGEST)).await?;
        Ok(match read {
            None => Seen {
                content: None,
                condition: Condition::IfAbsent,
            },
            Some((content, object)) => Seen {
                content: Some(content),
                condition: Condition::IfUnchanged(object.mark),
            },
        })
    }

    /// Writes who has it, over nothing but what was seen; whether nobody was faster. It does not end where the run is to end: a
    /// lock is given back then.
    pub async fn write_lock(
        &self,
        content: Vec<u8>,
        seen: Seen,
        access: &Access<'_>,
    ) -> Result<bool> {
        let bucket = self.open(access).await?;
        let name = self.lock();
        let put = bucket.put(&name, Bytes::from(content), seen.condition);
        match put.await {
            Ok(_) => Ok(true),
            Err(Fault::Conflict { .. } | Fault::Missing { .. }) => Ok(false),
            Err(fault) => Err(told(fault)),
        }
    }
}
