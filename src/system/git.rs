//! Git, called so that no configuration of the user's or the checkout's changes what it prints or does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::system::environment::Environment;
use crate::system::masking::Secret;
use crate::system::process::{Child, Ending, Finished};
use crate::system::stop::Stop;

/// Configuration that wins over every file; git hands it on to its own children.
const CONFIGURATION: &[(&str, &str)] = &[
    ("core.quotePath", "true"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
    ("core.pager", "cat"),
    ("diff.noprefix", "false"),
    ("diff.mnemonicPrefix", "false"),
    ("diff.srcPrefix", "a/"),
    ("diff.dstPrefix", "b/"),
    ("diff.orderFile", "/dev/null"),
    ("diff.relative", "false"),
    ("diff.algorithm", "default"),
    ("diff.ignoreSubmodules", "none"),
    ("diff.suppressBlankEmpty", "false"),
    ("diff.interHunkContext", "0"),
    ("diff.renameLimit", "1000"),
    ("color.ui", "false"),
    ("protocol.ext.allow", "never"),
    ("http.followRedirects", "initial"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.recurseSubmodules", "false"),
];

/// How long one call may take: a fetch over a slow line is the longest.
const TIME_LIMIT: Duration = Duration::from_mins(5);

/// Answers other than diffs are short.
pub(super) const SHORT: u64 = 16 << 20;

/// Repositories with hundreds of thousands of tags exist.
const REFS: u64 = 256 << 20;

/// A repository on this machine.
#[derive(Clone, Debug)]
pub struct Git {
    directory: PathBuf,
    environment: Environment,
    /// `-c key=value` for every call.
    configuration: Vec<(String, String)>,
    stop: Stop,
    /// A root that git has told: one of its own, or one around another directory.
    root: Arc<OnceLock<PathBuf>>,
    /// A home of git's own, made for its first call: see [`Git::new`].
    home: Arc<OnceLock<TempDir>>,
}

/// What one fetch may use.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The only server that gets it, as `https://host`.
    pub server: String,
    /// The token.
    pub token: Secret,
}

impl Git {
    /// Git in `directory`, with what `environment` says of paths and the network.
    ///
    /// It gets a home of its own. What the user configured does not count there, and it is the one place where every
    /// git believes that the checkout of a container job, which belongs to another user, is safe to read: releases
    /// before 2.38 do not believe `-c`, those before 2.32 know no `GIT_CONFIG_GLOBAL`.
    pub fn new(directory: impl Into<PathBuf>, environment: &Environment, stop: Stop) -> Self {
        let mut own = environment.for_installer(&[]);
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("LC_ALL", "C"),
        ] {
            own.set(name, value);
        }
        let configuration = CONFIGURATION
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Self {
            directory: directory.into(),
            environment: own,
            configuration: configuration.collect(),
            stop,
            root: Arc::default(),
            home: Arc::default(),
        }
    }

    /// Git's own home.
    fn home(&self) -> Result<&Path> {
        if let Some(home) = self.home.get() {
            return Ok(home.path());
        }
        let make = || {
            let home = TempDir::with_prefix("lockgate-git-")?;
            std::fs::write(home.path().join(".gitconfig"), "[safe]\n\tdirectory = *\n")?;
            Ok(home)
        };
        let home = make().map_err(|error: std::io::Error| {
            Error::no_verdict("no temporary folder can be made").cause(error)
        })?;
        Ok(self.home.get_or_init(|| home).path())
    }

    /// The same git with more configuration.
    #[must_use]
    pub fn with_configuration(mut self, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        self.configuration.extend(pairs);
        self
    }

    /// The same git with a variable of its own.
    #[must_use]
    pub fn with_variable(&self, name: &str, value: impl Into<OsString>) -> Self {
        let mut other = self.clone();
        other.environment.set(name, value);
        other
    }

    /// The same git, elsewhere.
    #[must_use]
    pub fn at(&self, directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            ..self.clone()
        }
    }

    /// Runs git to its end, whatever its exit code.
    pub async fn run<S: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Finished> {
        self.run_with_input(arguments, Vec::new()).await
    }

    /// The same, with these bytes on its standard input.
    pub async fn run_with_input<S: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: Vec<u8>,
    ) -> Result<Finished> {
        let configuration = self
            .configuration
            .iter()
            .flat_map(|(key, value)| ["-c".to_owned(), format!("{key}={value}")]);
        let mut environment = self.environment.clone();
        let home = self.home()?;
        environment.set("HOME", home);
        environment.set("XDG_CONFIG_HOME", home);
        let child = Child::new("git", &self.directory, environment)
            .arguments(configuration)
            .arguments(arguments)
            .time_limit(TIME_LIMIT)
            .input(input)
            .writing_to_file();
        let finished = child
            .run(&mut self.stop.clone(), &mut |_| {})
            .await
            .map_err(|error| {
                if error.kind() == std::io::ErrorKind::NotFound {
                    Error::usage("`git` is not on PATH")
                        .cause(error)
                        .hint("install git, or pass `scope: everything`")
                } else {
                    Error::no_verdict("git could not be run").cause(error)
                }
            })?;
        if let Ending::Stopped(signal) = finished.ending {
            return Err(Error::interrupted(signal));
        }
        Ok(finished)
    }

    /// The trimmed answer of a call that must succeed; `None` where git says no.
    pub async fn answer<S: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Option<String>> {
        self.answer_to(arguments, Vec::new()).await
    }

    /// The same, with these bytes on its standard input.
    pub(super) async fn answer_to<S: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: Vec<u8>,
    ) -> Result<Option<String>> {
        let mut finished = self.run_with_input(arguments, input).await?;
        if says_no(&finished)? {
            return Ok(None);
        }
        let bytes = finished
            .read_stdout(SHORT)
            .map_err(|error| Error::no_verdict("git's answer could not be read").cause(error))?;
        Ok(Some(
            String::from_utf8_lossy(&bytes)
                .trim_end_matches(['\n', '\r'])
                .to_owned(),
        ))
    }

    /// Whether there can be a work tree around the directory: git looks for a `.git` there and in each folder above.
    /// Where there is none, nobody has to start it.
    pub fn can_have_work_tree(&self) -> bool {
        // As git does: above a link to a folder stands what is above the folder.
        let directory = self.directory.canonicalize();
        let directory = directory.as_ref().unwrap_or(&self.directory);
        let mut folders = directory.ancestors();
        folders.any(|folder| folder.join(".git").symlink_metadata().is_ok())
    }

    /// The root of the work tree around the directory; `None` outside a repository.
    pub async fn top_level(&self) -> Result<Option<PathBuf>> {
        if let Some(root) = self.root.get().filter(|root| **root == self.directory) {
            return Ok(Some(root.clone()));
        }
        if !self.can_have_work_tree() {
            return Ok(None);
        }
        let root = self.answer(["rev-parse", "--show-toplevel"]).await?;
        Ok(root.map(|root| self.root.get_or_init(|| root.into()).clone()))
    }

    /// The full SHA of the commit that `revision` names, if it is here.
    pub async fn commit(&self, revision: &str) -> Result<Option<String>> {
        if revision.starts_with('-') {
            return Err(Error::usage(format!("`{revision}` is no revision")));
        }
        let revision = format!("{revision}^{{commit}}");
        self.answer(["rev-parse", "--verify", "--quiet", &revision])
            .await
    }

    /// Whether history is cut off.
    pub async fn is_shallow(&self) -> Result<bool> {
        Ok(self
            .answer(["rev-parse", "--is-shallow-repository"])
            .await?
            .as_deref()
            == Some("true"))
    }

    /// The best common ancestor, if the history that is here shows one.
    pub async fn merge_base(&self, left: &str, right: &str) -> Result<Option<String>> {
        self.answer(["merge-base", left, right]).await
    }

    /// Whether the history that is here leads from `descendant` to `ancestor`.
    pub async fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool> {
        let answer = self
            .answer(["merge-base", "--is-ancestor", ancestor, descendant])
            .await?;
        Ok(answer.is_some())
    }

    /// Whether git tracks anything at this path.
    pub async fn tracks(&self, path: &Path) -> Result<bool> {
        let arguments: [OsString; 4] = ["ls-files".into(), "-z".into(), "--".into(), path.into()];
        Ok(self
            .answer(arguments)
            .await?
            .is_some_and(|files| !files.is_empty()))
    }

    /// A file's content in a commit as text; `None` where it is not there.
    pub async fn show(&self, commit: &str, path: &str) -> Result<Option<String>> {
        let bytes = self.blob(commit, path, SHORT).await?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The bytes of a file in a commit, at most `limit`; `None` where it is not there.
    pub async fn blob(&self, commit: &str, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let mut finished = self
            .run(["cat-file", "blob", &format!("{commit}:{path}")])
            .await?;
        if says_no(&finished)? {
            return Ok(None);
        }
        let bytes = finished.read_stdout(limit).map_err(|error| {
            Error::no_verdict(format!("`{path}` of the base could not be read")).cause(error)
        })?;
        Ok(Some(bytes))
    }

    /// Fetches with these arguments after `fetch`, from `origin`. The credential goes to its server only, over an
    /// anonymous pipe: it stands in no argument, environment or file.
    pub async fn fetch(
        &self,
        arguments: &[&str],
        credential: Option<&Credential>,
    ) -> Result<Finished> {
        let mut all: Vec<OsString> = vec![
            "fetch".into(),
            "--quiet".into(),
            "--no-tags".into(),
            "--no-write-fetch-head".into(),
        ];
        all.extend(arguments.iter().map(OsString::from));
        self.run_with(all, credential).await
    }

    /// Runs git with a credential, if there is one.
    async fn run_with(
        &self,
        arguments: Vec<OsString>,
        credential: Option<&Credential>,
    ) -> Result<Finished> {
        let Some(credential) = credential else {
            return self.run(arguments).await;
        };
        let (helper, _pipe) = credential_helper(credential).map_err(|error| {
            Error::no_verdict("the token could not be handed to git").cause(error)
        })?;
        let git = self.clone().with_configuration(helper);
        git.run(arguments).await
    }

    /// The tags and branches of a repository elsewhere, a line each: object, tab, name; `Err` with git's reason where they
    /// cannot be had. `url` begins with a scheme, so that it is no option. With a credential, no other git may be
    /// started meanwhile.
    pub async fn remote_refs(
        &self,
        url: &str,
        credential: Option<&Credential>,
    ) -> Result<std::result::Result<String, String>> {
        let arguments = ["ls-remote", "--quiet", "--heads", "--tags", "--", url];
        let arguments = arguments.map(OsString::from).to_vec();
        let mut finished = self.run_with(arguments, credential).await?;
        if says_no(&finished)? {
            let reason = finished.stderr.trim_end().lines().last();
            return Ok(Err(reason.unwrap_or("git gives no reason").to_owned()));
        }
        let bytes = finished.read_stdout(REFS).map_err(|error| {
            Error::no_verdict(format!("the refs of `{url}` could not be read")).cause(error)
        })?;
        Ok(Ok(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Every commit that tags and branches of a repository elsewhere lead to, a line each, without trees and files; `Err`
    /// with git's reason where they cannot be had. The directory is an empty one, which is filled.
    pub async fn remote_history(
        &self,
        url: &str,
        credential: Option<&Credential>,
    ) -> Result<std::result::Result<String, String>> {
        let unread = || Error::no_verdict(format!("the history of `{url}` could not be read"));
        if self.answer(["init", "--quiet", "--bare"]).await?.is_none() {
            return Err(unread());
        }
        let arguments = [
            "--filter=tree:0",
            url,
            "+refs/heads/*:refs/heads/*",
            "+refs/tags/*:refs/tags/*",
        ];
        let fetched = self.fetch(&arguments, credential).await?;
        if says_no(&fetched)? {
            let reason = fetched.stderr.trim_end().lines().last();
            return Ok(Err(reason.unwrap_or("git gives no reason").to_owned()));
        }
        // Nothing more is fetched for it: commits are all here.
        let git = self.with_variable("GIT_NO_LAZY_FETCH", "1");
        let mut finished = git.run(["rev-list", "--all"]).await?;
        if says_no(&finished)? {
            return Err(unread());
        }
        let bytes = finished
            .read_stdout(REFS)
            .map_err(|error| unread().cause(error))?;
        Ok(Ok(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// Whether git ended with a code that means no. One that was killed or took too long has not answered.
pub(super) fn says_no(finished: &Finished) -> Result<bool> {
    match finished.ending {
        Ending::Exited(code) => Ok(code != 0),
        ending => {
            Err(Error::no_verdict("git was ended before it answered")
                .cause(format!("git: {ending}")))
        }
    }
}

/// Git's configuration for one credential, and the pipe that holds it.
#[cfg(unix)]
fn credential_helper(
    credential: &Credential,
) -> std::io::Result<(Vec<(String, String)>, std::os::fd::OwnedFd)> {
    use std::os::fd::AsRawFd;

    // Without close-on-exec: git's child must inherit the reading end. Nothing else is started meanwhile.
    let (reader, writer) = rustix::pipe::pipe()?;
    rustix::io::fcntl_setfd(&writer, rustix::io::FdFlags::CLOEXEC)?;
    let mut writer = std::fs::File::from(writer);
    let answer = format!(
        "username=x-access-token\npassword={}\n",
        credential.token.reveal()
    );
    std::io::Write::write_all(&mut writer, answer.as_bytes())?;
    drop(writer);
    let helper = format!(
        "!f() {{ test \"$1\" = get && cat /dev/fd/{}; }}; f",
        reader.as_raw_fd()
    );
    let scope = format!(
        "credential.{}.helper",
        credential.server.trim_end_matches('/')
    );
    Ok((
        vec![("credential.helper".into(), String::new()), (scope, helper)],
        reader,
    ))
}

#[cfg(not(unix))]
fn credential_helper(_credential: &Credential) -> std::io::Result<(Vec<(String, String)>, ())> {
    Err(std::io::Error::new(
        std::io::ErrorKind::Unsupported,
        "only on Linux and macOS so far; let the checkout keep its credentials",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn configuration_of_the_user_and_the_repository_does_not_count() {
        let folder = TempDir::new().unwrap();
        let environment = Environment::of_this_process();
        let git = Git::new(folder.path(), &environment, Stop::never());
        git.run(["init", "--quiet"]).await.unwrap();
        git.run(["config", "diff.noprefix", "true"]).await.unwrap();
        let own = git.answer(["config", "diff.noprefix"]).await.unwrap();
        assert_eq!(own.as_deref(), Some("false"));
    }

    #[tokio::test]
    async fn outside_a_repository_no_git_is_needed() {
        let folder = TempDir::new().unwrap();
        let environment: Environment = [("PATH", folder.path())].into_iter().collect();
        let git = Git::new(folder.path(), &environment, Stop::never());
        assert_eq!(git.top_level().await.unwrap(), None);
        std::fs::write(folder.path().join(".git"), "gitdir: elsewhere\n").unwrap();
        let below = git.at(&folder.path().join("a/b"));
        assert!(git.can_have_work_tree() && below.can_have_work_tree());
        #[cfg(unix)]
        {
            let elsewhere = TempDir::new().unwrap();
            std::fs::create_dir(folder.path().join("inside")).unwrap();
            let link = elsewhere.path().join("link");
            std::os::unix::fs::symlink(folder.path().join("inside"), &link).unwrap();
            assert!(git.at(&link).can_have_work_tree());
        }
        let error = git.top_level().await.unwrap_err();
        assert_eq!(error.message, "`git` is not on PATH");
    }
}
