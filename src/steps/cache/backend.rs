//! Which store keeps the caches of this run.

use crate::error::Result;
use crate::steps::cache::run::Run;
use crate::stores::bucket::{Bucket, Opening};
use crate::stores::bucket_cache::BucketCache;
use crate::stores::cache::Cache;
use crate::stores::fault::Fault;
use crate::stores::service::CacheService;
use crate::system::http::Http;
use crate::system::http::retry::Policy;
use crate::system::stop::Stop;

/// The name of GitHub's cache service among the stores.
pub const GITHUB: &str = "github";

/// A store that could be opened, or why not; an error is the user's own mistake.
pub fn open(run: &Run<'_>, stop: Stop) -> Result<std::result::Result<Cache, Fault>> {
    let http = Http::new(run.environment, Vec::new(), stop)?;
    let masker = run.world.console.masker().clone();
    let named = run.settings.store.as_deref();
    // An answer is worth more patience than a range: it is not asked for in parts.
    let silence = run.settings.stall.saturating_mul(3);
    if has_scopes(run) {
        let service = CacheService::new(run.environment, http, masker);
        return Ok(service.map(|service| {
            let service = service.with_silence(silence);
            Cache::Service(Box::new(service))
        }));
    }
    let own = run.world.cache_folder()?.join("caches");
    let own = own.to_string_lossy();
    let opening = Opening {
        input: "store",
        directory: &run.world.directory,
        environment: run.environment,
        http,
        masker: &masker,
        policy: Policy::default(),
        silence,
    };
    let bucket = Bucket::open(named.unwrap_or(&own), &opening)?;
    Ok(Ok(Cache::Bucket(BucketCache::new(bucket))))
}

/// Whether what one run saves is kept apart from what others read: the cache service has scopes.
pub fn has_scopes(run: &Run<'_>) -> bool {
    let named = run.settings.store.as_deref();
    named.map_or(run.world.context.is_workflow, |name| name == GITHUB)
}

/// The store for people.
pub fn name(run: &Run<'_>) -> String {
    match run.settings.store.as_deref() {
        Some(name) => name.to_owned(),
        None if run.world.context.is_workflow => GITHUB.to_owned(),
        None => "the user's folder".to_owned(),
    }
}
