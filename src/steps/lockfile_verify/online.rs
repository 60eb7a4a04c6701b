//! Asks the indexes for what is new in the locks, where `index-check` wants it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};

use crate::error::{Error, Kind, Result, count};
use crate::lockfiles::published::{self, Page, Published};
use crate::steps::lockfile_verify::gather::Gathered;
use crate::steps::lockfile_verify::settings::Settings;
use crate::steps::lockfile_verify::verify::wanted_pages;
use crate::steps::lockfile_verify::{INDEX_CREDENTIALS, NAME};
use crate::steps::world::World;
use crate::system::http::{Cache, Http, Login};
use crate::system::stop::Stop;

/// So many pages are asked for at once.
const AT_ONCE: usize = 8;

/// What the indexes publish; `None` where nobody wants to know.
pub async fn ask(
    gathered: &Gathered,
    settings: &Settings,
    world: &World,
    stop: Stop,
) -> Result<Option<Published>> {
    if !settings.policy.index_check {
        return Ok(None);
    }
    let wanted: BTreeSet<String> = gathered
        .locks
        .iter()
        .flat_map(|lock| wanted_pages(lock, gathered, settings))
        .collect();
    if wanted.is_empty() {
        return Ok(Some(Published::default()));
    }
    world.console.note(&format!(
        "{NAME}: asking the index for {}",
        count(wanted.len() as u64, "project")
    ));
    let http = Http::new(&world.environment, logins(world)?, stop)?;
    let cache = Cache::new(world.cache_folder()?.join("pages"));
    let (http, cache) = (&http, &cache);
    let answers: Vec<(String, Result<Page>)> = stream::iter(wanted)
        .map(|url| async move {
            let page = page(&url, http, cache).await;
            (url, page)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut pages = BTreeMap::new();
    for (url, page) in answers {
        let page = match page {
            Err(error) if matches!(error.kind, Kind::Interrupted(_)) => return Err(error),
            page => page.map_err(|error| reason(&error)),
        };
        pages.insert(url, page);
    }
    Ok(Some(Published { pages }))
}

/// One page; an index that has no such project answers that it has none.
async fn page(url: &str, http: &Http, cache: &Cache) -> Result<Page> {
    let answer = cache.get(http, url, published::ACCEPT).await?;
    if answer.status != 200 {
        return Ok(Page {
            is_missing: true,
            ..Page::default()
        });
    }
    published::read(&answer.body)
        .map_err(|why| Error::no_verdict(format!("`{url}` is no page of an index: {why}")))
}

fn reason(error: &Error) -> String {
    let causes = error.causes.iter().map(String::as_str);
    let all: Vec<&str> = std::iter::once(error.message.as_str())
        .chain(causes)
        .collect();
    all.join(": ")
}

/// The credentials for indexes, one a line.
fn logins(world: &World) -> Result<Vec<Login>> {
    let Some(secret) = world.secret(&INDEX_CREDENTIALS) else {
        return Ok(Vec::new());
    };
    let lines = secret.reveal().lines().map(str::trim);
    let logins = lines
        .filter(|line| !line.is_empty())
        .map(|line| Login::parse(line, INDEX_CREDENTIALS.name))
        .collect::<Result<Vec<Login>>>()?;
    for login in &logins {
        world.console.hide(&login.password);
    }
    Ok(logins)
}
