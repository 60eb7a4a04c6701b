//! Asks the repositories of actions for their tags and branches, each once, where `action-check` wants it, and for their
//! history where those do not settle it. What was found to be right is kept: a commit does not change.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use futures_util::stream::{self, StreamExt};
use tempfile::TempDir;

use crate::error::{Error, Kind, Result, count};
use crate::lockfiles::workflow::{Refs, Remotes, Used, Verdict, Workflow};
use crate::steps::lockfile_verify::{NAME, SECRETS};
use crate::steps::world::World;
use crate::system::files::{sha256, write_atomically};
use crate::system::git::{Credential, Git};
use crate::system::http::is_safe_address;
use crate::system::stop::Stop;

/// Where actions are, unless the runner names another server.
const SERVER: &str = "https://github.com";

/// So many repositories are asked at once.
const AT_ONCE: usize = 8;

/// A server that sends less than this for so many seconds is given up.
const SLOW: [(&str, &str); 2] = [("http.lowSpeedLimit", "100"), ("http.lowSpeedTime", "20")];

/// Repository, commit, version of the comment.
type Pin = (String, String, Option<String>);

/// What the repositories of all pinned actions answer.
pub async fn ask(workflows: &[Workflow], world: &World, stop: Stop) -> Result<Remotes> {
    let used = workflows.iter().flat_map(|workflow| &workflow.used);
    let pins: BTreeSet<Pin> = used.filter_map(pin).collect();
    let server = Server::new(world)?;
    let (verified, open): (Vec<Pin>, Vec<Pin>) =
        pins.into_iter().partition(|pin| server.is_kept(pin));
    let names: BTreeSet<&str> = open.iter().map(|(name, ..)| name.as_str()).collect();
    let mut remotes = Remotes {
        verified,
        ..Remotes::default()
    };
    if names.is_empty() {
        return Ok(remotes);
    }
    world.console.note(&format!(
        "{NAME}: asking {} of actions",
        count(names.len() as u64, "repository")
    ));
    let token = SECRETS.first().and_then(|input| world.secret(input));
    let credential = token.map(|token| Credential {
        server: server.url.clone(),
        token,
    });
    // Away from the checkout, whose own configuration may send git elsewhere.
    let folder = TempDir::with_prefix("lockgate-actions-")
        .map_err(|error| Error::no_verdict("no temporary folder can be made").cause(error))?;
    let slow = SLOW.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let git = Git::new(folder.path(), &world.environment, stop)
        .with_configuration(slow)
        .with_variable("GIT_CEILING_DIRECTORIES", folder.path());
    remotes.repositories = server.ask(&names, credential.as_ref(), &git).await?;
    let unsettled: Vec<&Pin> = open
        .iter()
        .filter(|(name, commit, version)| remotes.needs_history(name, commit, version.as_deref()))
        .collect();
    remotes.history = server
        .histories(&unsettled, credential.as_ref(), &git, folder.path())
        .await?;
    for pin in &open {
        let (name, commit, version) = pin;
        if remotes.verdict(name, commit, version.as_deref()) == Some(Verdict::Verified) {
            server.keep(pin);
        }
    }
    Ok(remotes)
}

fn pin(used: &Used) -> Option<Pin> {
    let (remote, commit) = used.pin()?;
    Some((
        remote.repository.to_ascii_lowercase(),
        commit.to_ascii_lowercase(),
        used.version().map(str::to_owned),
    ))
}

/// The server with the actions, and what is known of it already.
struct Server {
    url: String,
    kept: PathBuf,
}

impl Server {
    fn new(world: &World) -> Result<Self> {
        let named = world.environment.get("GITHUB_SERVER_URL");
        let url = named.map_or(SERVER, |url| url.trim_end_matches('/'));
        if !is_safe_address(url) {
            return Err(Error::usage(format!(
                "`GITHUB_SERVER_URL`: `{url}` is no `https` address"
            ))
            .hint("`action-check` asks nobody over plain http"));
        }
        Ok(Self {
            url: url.to_owned(),
            kept: world.cache_folder()?.join("actions"),
        })
    }

    async fn ask(
        &self,
        names: &BTreeSet<&str>,
        credential: Option<&Credential>,
        git: &Git,
    ) -> Result<BTreeMap<String, std::result::Result<Refs, String>>> {
        let mut answers: BTreeMap<String, _> = stream::iter(names.iter().copied())
            .map(|name| async move { (name.to_owned(), self.refs(name, None, git).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        // One after the other: a git that is started meanwhile would inherit the token's pipe.
        if let Some(credential) = credential {
            for (name, answer) in &mut answers {
                if matches!(answer, Ok(Err(_))) {
                    *answer = self.refs(name, Some(credential), git).await;
                }
            }
        }
        answers
            .into_iter()
            .map(|(name, answer)| match answer {
                Err(error) if matches!(error.kind, Kind::NoVerdict) => {
                    Ok((name, Err(error.message)))
                }
                answer => Ok((name, answer?)),
            })
            .collect()
    }

    async fn refs(
        &self,
        name: &str,
        credential: Option<&Credential>,
        git: &Git,
    ) -> Result<std::result::Result<Refs, String>> {
        if !is_repository(name) {
            return Ok(Err("it is no name of a repository".to_owned()));
        }
        let url = format!("{}/{name}", self.url);
        let answer = git.remote_refs(&url, credential).await?;
        Ok(answer.map(|text| Refs::read(&text)))
    }

    /// Whether tags and branches lead to these commits: each repository is fetched once, commits alone. What cannot be
    /// fetched stays open.
    async fn histories(
        &self,
        pins: &[&Pin],
        credential: Option<&Credential>,
        git: &Git,
        folder: &Path,
    ) -> Result<BTreeMap<(String, String), bool>> {
        let mut found = BTreeMap::new();
        let names: BTreeSet<&str> = pins.iter().map(|(name, ..)| name.as_str()).collect();
        for (number, name) in names.into_iter().enumerate() {
            let url = format!("{}/{name}", self.url);
            let own = folder.join(number.to_string());
            std::fs::create_dir(&own).map_err(|error| {
                Error::no_verdict("no temporary folder can be made").cause(error)
            })?;
            let answer = match git.at(&own).remote_history(&url, credential).await {
                Err(error) if error.kind == Kind::NoVerdict => Err(error.message),
                answer => answer?,
            };
            match answer {
                Ok(commits) => {
                    let commits: HashSet<&str> = commits.lines().collect();
                    for (_, commit, _) in pins.iter().filter(|pin| pin.0 == name) {
                        let is_there = commits.contains(commit.as_str());
                        found.insert((name.to_owned(), commit.clone()), is_there);
                    }
                }
                Err(why) => tracing::warn!(%name, %why, "the history of an action cannot be had"),
            }
        }
        Ok(found)
    }

    /// Where it is kept that a pin was verified, and what stands there.
    fn place(&self, (name, commit, version): &Pin) -> Option<(PathBuf, String)> {
        let version = version.as_deref().unwrap_or_default();
        let text = format!("{}/{name}\n{commit}\n{version}\n", self.url);
        let file = sha256(text.as_bytes()).ok()?;
        Some((self.kept.join(file), text))
    }

    fn is_kept(&self, pin: &Pin) -> bool {
        self.place(pin).is_some_and(|(path, text)| {
            std::fs::read(path).is_ok_and(|known| known == text.as_bytes())
        })
    }

    fn keep(&self, pin: &Pin) {
        let Some((path, text)) = self.place(pin) else {
            return;
        };
        if let Err(error) = write_atomically(&path, text.as_bytes()) {
            tracing::debug!(%error, "what was verified cannot be kept");
        }
    }
}

/// Whether it is `owner/repository` and nothing that leads elsewhere.
fn is_repository(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !matches!(part, "" | "." | "..") && !part.starts_with('-') && part.bytes().all(is_known)
    };
    name.split_once('/')
        .is_some_and(|(owner, repository)| is_part(owner) && is_part(repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for (name, expected) in [
            ("actions/checkout", true),
            ("a/.github", true),
            ("a-b/c_d.e", true),
            ("-a/b", false),
            ("a/--upload-pack=x", false),
            ("../b", false),
            ("a/..", false),
            ("a/b@evil.example", false),
            ("a/b c", false),
            ("a/b?x", false),
            ("a/b#x", false),
            ("evil.example:80/b", false),
            ("a/b/c", false),
            ("a", false),
            ("a/", false),
        ] {
            assert_eq!(is_repository(name), expected, "{name}");
        }
    }
}
