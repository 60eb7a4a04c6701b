//! `list` and what `delete` needs of it: the entries of a store.

use crate::error::{Error, Result};
use crate::model::report::{Report, Table};
use crate::model::{duration, size};
use crate::steps::cache::SECRETS;
use crate::steps::cache::backend;
use crate::steps::cache::report::report;
use crate::steps::cache::run::Run;
use crate::stores::bucket_cache::{BucketCache, Entry};
use crate::stores::cache::Cache;
use crate::stores::service::api::{CacheApi, ListedCache};
use crate::system::http::Http;

/// A store whose entries can be listed and deleted.
pub enum Listing {
    /// GitHub's, by its API.
    Github(Box<CacheApi>),
    /// A folder or a bucket.
    Bucket(BucketCache),
}

/// An entry of a listing.
pub enum Listed {
    /// One of GitHub's.
    Github(ListedCache),
    /// One of a folder or bucket.
    Bucket(Box<Entry>),
}

impl Listing {
    /// The store that the inputs name. GitHub's is asked by its API, for which the runtime's token is none.
    pub fn open(run: &Run<'_>) -> Result<Self> {
        if !backend::has_scopes(run) {
            return match backend::open(run, run.stop.clone())? {
                Ok(Cache::Bucket(bucket)) => Ok(Self::Bucket(bucket)),
                Ok(Cache::Service(_)) => Err(Error::bug("a folder is a service")),
                Err(fault) => Err(fault.error()),
            };
        }
        let secret = SECRETS.first().and_then(|input| run.world.secret(input));
        let token = secret.ok_or_else(|| {
            Error::usage("GitHub's API is asked with a token, and there is none")
                .hint("set INPUT_TOKEN to a token with `actions: read`")
        })?;
        let http = Http::new(run.environment, Vec::new(), run.stop.clone())?;
        let masker = run.world.console.masker();
        let api = CacheApi::new(run.environment, &token, http, masker);
        api.map(Box::new)
            .map(Self::Github)
            .map_err(crate::stores::fault::Fault::error)
    }

    /// The entries whose key starts so, the newest first.
    pub async fn entries(&self, key: &str) -> Result<Vec<Listed>> {
        let entries = match self {
            Self::Github(api) => {
                let entries = api.list(key, None).await;
                entries.map(|entries| entries.into_iter().map(Listed::Github).collect())
            }
            Self::Bucket(bucket) => {
                let entries = bucket.list(key).await;
                let boxed = |entry| Listed::Bucket(Box::new(entry));
                entries.map(|entries| entries.into_iter().map(boxed).collect())
            }
        };
        entries.map_err(crate::stores::fault::Fault::error)
    }

    /// Deletes one of its entries.
    pub async fn delete(&self, entry: &Listed) -> Result<()> {
        let deleted = match (self, entry) {
            (Self::Github(api), Listed::Github(entry)) => api.delete(entry.id).await,
            (Self::Bucket(bucket), Listed::Bucket(entry)) => bucket.delete(entry).await,
            _ => return Err(Error::bug("an entry of another store")),
        };
        deleted.map_err(crate::stores::fault::Fault::error)
    }
}

impl Listed {
    /// Its key.
    pub fn key(&self) -> &str {
        match self {
            Self::Github(entry) => &entry.key,
            Self::Bucket(entry) => &entry.key,
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Github(entry) => entry.size_in_bytes,
            Self::Bucket(entry) => entry.size,
        }
    }

    /// When it was saved, for people.
    fn saved(&self) -> String {
        match self {
            Self::Github(entry) => entry.created_at.clone(),
            Self::Bucket(entry) => entry.created.elapsed().map_or_else(
                |_| "just now".to_owned(),
                |age| format!("{} ago", duration::show(age)),
            ),
        }
    }

    /// The branch, tag or pull request that it belongs to, where there is such a thing.
    fn scope(&self) -> String {
        match self {
            Self::Github(entry) => entry.scope.clone(),
            Self::Bucket(_) => String::new(),
        }
    }

    /// As a row of [`table`].
    fn row(&self) -> Vec<String> {
        vec![
            self.key().to_owned(),
            size::show(self.bytes()),
            self.saved(),
            self.scope(),
        ]
    }
}

/// Entries for people.
pub fn table(title: &str, entries: &[Listed]) -> Table {
    Table {
        title: title.to_owned(),
        header: vec!["key", "size", "saved", "scope"],
        rows: entries.iter().map(Listed::row).collect(),
    }
}

/// Lists what is saved.
pub async fn list(run: &Run<'_>) -> Result<Report> {
    let prefix = run.settings.key.as_deref().unwrap_or_default();
    let entries = Listing::open(run)?.entries(prefix).await?;
    let bytes: u64 = entries.iter().map(Listed::bytes).sum();
    let number = match entries.len() {
        1 => "1 entry".to_owned(),
        many => format!("{many} entries"),
    };
    let mut report = report(format!("{number}, {}", size::show(bytes)));
    report.outputs = [("outcome".to_owned(), "listed".to_owned())].into();
    if !entries.is_empty() {
        report.tables = vec![table("entries", &entries)];
    }
    Ok(report)
}
