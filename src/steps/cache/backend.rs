//! Which store keeps the caches of this run.

use crate::error::Result;
use crate::steps::cache::run::Run;
use crate::stores::bucket::Opening;
use crate::stores::cache::{Cache, GITHUB};
use crate::stores::fault::Fault;
use crate::system::http::Http;
use crate::system::http::retry::Policy;
use crate::system::masking::Secret;
use crate::system::stop::Stop;

/// A store that could be opened, or why not; an error is the user's own mistake.
pub fn open(run: &Run<'_>, stop: Stop) -> Result<std::result::Result<Cache, Fault>> {
    let http = Http::new(run.environment, Vec::new(), stop)?;
    let named = run.settings.store.clone();
    let name = match named {
        Some(name) => name,
        None if has_scopes(run) => GITHUB.to_owned(),
        None => {
            let own = run.world.cache_folder()?.join("caches");
            own.to_string_lossy().into_owned()
        }
    };
    let masker = run.world.console.masker();
    let conceal = |secret: &Secret| {
        masker.register(secret);
    };
    let opening = Opening {
        input: "store",
        directory: &run.world.directory,
        environment: run.environment,
        renewable: None,
        http,
        conceal: &conceal,
        policy: Policy::default(),
        // An answer is worth more patience than a range: it is not asked for in parts.
        silence: run.settings.stall.saturating_mul(3),
        stall: run.settings.stall,
    };
    Cache::open(&name, &opening, masker)
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
