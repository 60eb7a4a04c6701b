//! Credentials of AWS that are replaced while they are in use.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

use crate::system::masking::Secret;

/// Credentials that whoever renews them and whoever signs with them share. Cheap to clone.
#[derive(Clone)]
pub struct Renewable(Arc<RwLock<Arc<AwsCredential>>>);

impl Renewable {
    /// The first ones.
    pub fn new(id: &Secret, secret: &Secret, token: &Secret) -> Self {
        Self(Arc::new(RwLock::new(credential(id, secret, token))))
    }

    /// Each request from now on is signed with these.
    pub fn renew(&self, id: &Secret, secret: &Secret, token: &Secret) {
        // A whole one stands there whatever happened.
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = credential(id, secret, token);
    }
}

fn credential(id: &Secret, secret: &Secret, token: &Secret) -> Arc<AwsCredential> {
    Arc::new(AwsCredential {
        key_id: id.reveal().to_owned(),
        secret_key: secret.reveal().to_owned(),
        token: Some(token.reveal().to_owned()),
    })
}

impl fmt::Debug for Renewable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Renewable")
    }
}

type Given<'a> =
    Pin<Box<dyn Future<Output = object_store::Result<Arc<AwsCredential>>> + Send + 'a>>;

impl CredentialProvider for Renewable {
    type Credential = AwsCredential;

    fn get_credential<'life0, 'async_trait>(&'life0 self) -> Given<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let now = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        Box::pin(std::future::ready(Ok(now)))
    }
}
