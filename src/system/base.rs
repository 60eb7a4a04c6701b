//! The base resolver: which commit a change is measured against, fetched when a shallow clone lacks it.
//!
//! The rule is the same everywhere: compare the tree that was linted with the tree it would replace. On a pull
//! request the checkout is a merge commit whose first parent is exactly that tree, readable at `fetch-depth: 1`.

use crate::error::{Error, Result};
use crate::model::base::{Base, Resolution, Trigger};
use crate::system::git::{Credential, Git};

/// How much history is fetched, step by step, where a merge base has to be found in a shallow clone.
const DEEPEN: [&str; 3] = ["50", "500", "5000"];

/// Finds the base for `trigger`, or for the revision that the user gave.
///
/// Ends without a verdict where there should be a base and it cannot be had.
pub async fn resolve(
    git: &Git,
    trigger: &Trigger,
    explicit: Option<&str>,
    credential: Option<&Credential>,
) -> Result<Resolution> {
    let resolver = Resolver { git, credential };
    if let Some(revision) = explicit {
        return resolver
            .explicit(revision, *trigger == Trigger::Laptop)
            .await;
    }
    match trigger {
        Trigger::PullRequest { head, base } => resolver.pull_request(head, base).await,
        Trigger::MergeGroup { base } => {
            let sha = resolver.obtain(base).await?;
            Ok(found(sha, "base of the merge group"))
        }
        Trigger::Push {
            before,
            default_branch,
        } => {
            resolver
                .push(before.as_deref(), default_branch.as_deref())
                .await
        }
        Trigger::Other(event) => Ok(Resolution::None(format!("`{event}` has no base"))),
        Trigger::Laptop => resolver.laptop().await,
    }
}

/// The base where it is at hand: nothing is fetched, and no history is searched. None where that takes more, or where there
/// is no base.
pub async fn at_hand(git: &Git, trigger: &Trigger) -> Result<Option<Base>> {
    let sha = match trigger {
        Trigger::PullRequest { head, .. } => {
            let parents = git.head().await?.map(|(_, parents)| parents);
            parents.and_then(|parents| match parents.as_slice() {
                [first, second] if second == head => Some(first.clone()),
                _ => None,
            })
        }
        Trigger::MergeGroup { base } => Some(base.clone()),
        Trigger::Push { before, .. } => before.clone(),
        Trigger::Other(_) | Trigger::Laptop => None,
    };
    let Some(sha) = sha else { return Ok(None) };
    let known = git.commit(&sha).await?;
    Ok(known.map(|sha| Base {
        sha,
        origin: "what is at hand".to_owned(),
        with_untracked: false,
    }))
}

fn found(sha: String, origin: &str) -> Resolution {
    Resolution::Base(Base {
        sha,
        origin: origin.to_owned(),
        with_untracked: false,
    })
}

struct Resolver<'a> {
    git: &'a Git,
    credential: Option<&'a Credential>,
}

impl Resolver<'_> {
    async fn pull_request(&self, head: &str, base: &str) -> Result<Resolution> {
        let (checked_out, parents) = self.git.head().await?.ok_or_else(no_checkout)?;
        if let [first, second] = parents.as_slice()
            && second == head
        {
            let sha = self.obtain(first).await?;
            return Ok(found(sha, "first parent of the merge commit"));
        }
        if checked_out != head && !self.git.is_ancestor(head, &checked_out).await? {
            return Err(Error::no_verdict(format!(
                "the checkout is `{checked_out}`, which does not hold the pull request's head `{head}`"
            ))
            .hint("let `actions/checkout` take its default, the merge commit of the pull request"));
        }
        // Somebody checked out the head itself, or built on it.
        let sha = self.common_ancestor(base, &checked_out).await?;
        Ok(found(sha, "merge base with the base branch"))
    }

    async fn push(&self, before: Option<&str>, default_branch: Option<&str>) -> Result<Resolution> {
        let Some(before) = before else {
            return Ok(Resolution::None(
                "the first push of a branch has no base".into(),
            ));
        };
        match self.obtain(before).await {
            Ok(sha) => return Ok(found(sha, "tip before the push")),
            Err(error) if matches!(error.kind, crate::error::Kind::Interrupted(_)) => {
                return Err(error);
            }
            Err(_) => {
                tracing::warn!(%before, "the commit before the push cannot be had any more (forced push)");
            }
        }
        let Some(branch) = default_branch else {
            return Err(unobtainable(before).hint("pass `base: <revision>` or `scope: everything`"));
        };
        let tip = self.remote_branch(branch).await?;
        let sha = self.common_ancestor(&tip, &self.head().await?).await?;
        Ok(found(
            sha,
            "merge base with the default branch (the commit before the push is gone)",
        ))
    }

    async fn laptop(&self) -> Result<Resolution> {
        if self.git.top_level().await?.is_none() {
            return Ok(Resolution::None("not a git repository".into()));
        }
        let usual = ["origin/main", "origin/master", "main", "master"];
        let default = "refs/remotes/origin/HEAD";
        let asked: Vec<&str> = ["HEAD", default].into_iter().chain(usual).collect();
        let mut tips = self.git.commits(&asked).await?.into_iter();
        let Some(head) = tips.next().flatten() else {
            return Ok(Resolution::None("the repository has no commit yet".into()));
        };
        let remote = match tips.next().flatten() {
            Some(_) => {
                let arguments = ["symbolic-ref", "--quiet", "--short", default];
                self.git.answer(arguments).await?
            }
            None => None,
        };
        let mut candidates: Vec<(&str, Option<String>)> = usual.into_iter().zip(tips).collect();
        if let Some(remote) = &remote {
            let known = candidates.iter().find(|(name, _)| name == remote);
            let tip = match known {
                Some((_, tip)) => tip.clone(),
                None => self.git.commit(remote).await?,
            };
            candidates.insert(0, (remote, tip));
        }
        for (candidate, tip) in candidates {
            let Some(tip) = tip else { continue };
            let common = if tip == head {
                Some(tip)
            } else {
                self.git.merge_base(&tip, &head).await?
            };
            if let Some(sha) = common {
                let origin = format!("merge base with `{candidate}`, and what is not committed");
                return Ok(Resolution::Base(Base {
                    sha,
                    origin,
                    with_untracked: true,
                }));
            }
        }
        let origin = "HEAD (no default branch found), and what is not committed".into();
        Ok(Resolution::Base(Base {
            sha: head,
            origin,
            with_untracked: true,
        }))
    }

    async fn explicit(&self, revision: &str, with_untracked: bool) -> Result<Resolution> {
        let tip = match self.git.commit(revision).await? {
            Some(sha) => sha,
            None if is_sha(revision) => self.obtain(revision).await?,
            None => {
                return Err(Error::usage(format!("`base`: there is no commit `{revision}` here"))
                    .hint("pass a branch, tag or full SHA that the checkout has; `git branch -a` lists branches"));
            }
        };
        let sha = match self.git.merge_base(&tip, "HEAD").await? {
            Some(sha) => sha,
            // Without common history in a shallow clone the tree that was named is the base.
            None => tip,
        };
        Ok(Resolution::Base(Base {
            sha,
            origin: format!("`base: {revision}`"),
            with_untracked,
        }))
    }

    async fn head(&self) -> Result<String> {
        self.git.commit("HEAD").await?.ok_or_else(no_checkout)
    }

    /// The commit of this SHA, fetched alone where history is cut off. Never `--depth` on a full clone: it would cut it.
    async fn obtain(&self, sha: &str) -> Result<String> {
        if !is_sha(sha) {
            return Err(Error::no_verdict(format!(
                "the event names `{sha}` as base, which is no full SHA"
            )));
        }
        if let Some(sha) = self.git.commit(sha).await? {
            return Ok(sha);
        }
        let mut arguments = vec!["origin", sha];
        if self.git.is_shallow().await? {
            arguments.insert(0, "--depth=1");
        }
        tracing::debug!(%sha, "fetching the base");
        let fetch = self.git.fetch(&arguments, self.credential).await?;
        match self.git.commit(sha).await? {
            Some(sha) => Ok(sha),
            None => Err(unobtainable(sha)
                .cause(format!("git fetch: {}, {}", fetch.ending, last_line(&fetch.stderr)))
                .hint("let the step have `token` with `contents: read`, or check out with `fetch-depth: 0`")),
        }
    }

    async fn remote_branch(&self, branch: &str) -> Result<String> {
        let tracking = format!("refs/remotes/origin/{branch}");
        if let Some(sha) = self.git.commit(&tracking).await? {
            return Ok(sha);
        }
        let refspec = format!("+refs/heads/{branch}:{tracking}");
        let mut arguments = vec!["origin", refspec.as_str()];
        if self.git.is_shallow().await? {
            arguments.insert(0, "--depth=1");
        }
        let fetch = self.git.fetch(&arguments, self.credential).await?;
        self.git.commit(&tracking).await?.ok_or_else(|| {
            Error::no_verdict(format!("the branch `{branch}` is not in this checkout and could not be fetched"))
                .cause(format!("git fetch: {}, {}", fetch.ending, last_line(&fetch.stderr)))
                .hint("let the step have `token` with `contents: read`, or check out with `fetch-depth: 0`")
        })
    }

    async fn common_ancestor(&self, left: &str, right: &str) -> Result<String> {
        self.obtain(left).await?;
        if let Some(sha) = self.git.merge_base(left, right).await? {
            return Ok(sha);
        }
        for depth in DEEPEN {
            if !self.git.is_shallow().await? {
                break;
            }
            let deepen = format!("--deepen={depth}");
            self.git
                .fetch(&[&deepen, "origin", left, right], self.credential)
                .await?;
            if let Some(sha) = self.git.merge_base(left, right).await? {
                return Ok(sha);
            }
        }
        Err(Error::no_verdict(format!("`{left}` and `{right}` have no common ancestor in the history that is here"))
            .hint("check out with `fetch-depth: 0`, or check out the merge commit (the default of `actions/checkout`)"))
    }
}

fn no_checkout() -> Error {
    Error::no_verdict("the workspace holds no git checkout, so there is no change to measure")
        .hint("run `actions/checkout` before this step")
}

fn unobtainable(sha: &str) -> Error {
    Error::no_verdict(format!(
        "the base commit `{sha}` is not in this checkout and could not be fetched"
    ))
}

fn is_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn last_line(text: &str) -> &str {
    text.trim_end().lines().last().unwrap_or("no message")
}
