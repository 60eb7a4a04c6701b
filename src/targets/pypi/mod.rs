//! A package index: wheels and source distributions, by the upload protocol that all indexes speak
//! (<https://github.com/pypi/warehouse/blob/main/docs/user/api/upload.md>).
//!
//! What the index has already is told by its simple API and by digests, never by the text of an answer: the same bytes are
//! kept, other bytes are refused. What an index has cannot be taken back, so that there is no way [back](Pypi::back).

mod answer;
mod distribution;
mod form;
mod index;
mod mint;
mod upload;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::lockfiles::public_index;
use crate::model::deploy::{Applied, Change, ChangeKind, Release, Standing};
use crate::model::digest::hex;
use crate::model::size;
use crate::model::untrusted;
use crate::system::http::retry::Policy;
use crate::system::http::{Http, Login, is_safe_address};
use crate::system::masking::Secret;
use crate::targets::Access;
use crate::targets::pypi::distribution::{Distribution, Project};
use crate::targets::pypi::index::Found;
use crate::targets::pypi::upload::{Sent, Uploader};

/// What a token is the password of, where nothing else is configured.
pub const TOKEN_USER: &str = "__token__";

/// The variable that a token is read from, where no other is configured.
pub const TOKEN_VARIABLE: &str = "LOCKGATE_PYPI_TOKEN";

/// An index takes no new files of a release that is older.
const OLDEST: Duration = Duration::from_hours(14 * 24);

/// So long what an index has is taken for what it has now. An upload that comes too late is refused by the index itself.
const FRESH: Duration = Duration::from_secs(1);

/// A package index to publish to.
#[derive(Clone, Debug)]
pub struct Pypi {
    /// Where files are sent: the address for uploads, `https` but on the own machine.
    pub upload: String,
    /// The simple API of the same index, which says what is there; the public index's own where none is given and the address
    /// for uploads is the public index's.
    pub simple: Option<String>,
    /// Who uploads.
    pub credential: Credential,
    /// The name of the project, where it is known before there are files: for what stands there now.
    pub project: Option<String>,
    /// How often a file is sent, and how long all of them may take.
    pub policy: Policy,
    /// What was learnt of the index; nothing in the beginning.
    pub known: Known,
}

/// What was learnt of an index. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    http: Arc<OnceLock<Http>>,
    page: Arc<Mutex<Option<(Instant, String, index::Page)>>>,
}

impl Known {
    fn page(&self) -> MutexGuard<'_, Option<(Instant, String, index::Page)>> {
        // It is whole whatever happened.
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The identity of the job, for which the index mints a token (<https://github.com/pypi/warehouse/blob/main/docs/user/trusted-publishers/index.md>).
    TrustedPublishing,
    /// A token or password in a variable of the step's environment.
    Token {
        /// The user: `__token__` on the public index.
        user: String,
        /// The name of the variable.
        variable: String,
    },
    /// Nobody: the index asks for none.
    Nobody,
}

/// How files are sent by default: six tries within a quarter of an hour, the first pause at most two seconds.
pub const POLICY: Policy = Policy {
    attempts: 6,
    budget: Duration::from_mins(15),
    pause: Duration::from_secs(2),
};

impl Default for Pypi {
    fn default() -> Self {
        Self {
            upload: public_index::UPLOAD_API.to_owned(),
            simple: None,
            credential: Credential::TrustedPublishing,
            project: None,
            policy: POLICY,
            known: Known::default(),
        }
    }
}

/// What is to be done with a file.
struct Step {
    distribution: Distribution,
    change: Change,
}

impl Pypi {
    /// What would be uploaded, what is there, and what would be refused. Sends nothing.
    pub async fn plan(&self, release: &Release, access: &Access<'_>) -> Result<Vec<Change>> {
        let project = self.project_of(release).await?;
        let page = self.page(&project.name, access).await?;
        let steps = self.steps_on(project, &page);
        Ok(steps.into_iter().map(|step| step.change).collect())
    }

    /// The newest version on the index that is not withdrawn, where the project is configured and known there.
    pub async fn current(&self, access: &Access<'_>) -> Result<Option<Standing>> {
        let Some(name) = &self.project else {
            return Ok(None);
        };
        let page = self.page(name, access).await?;
        Ok(index::newest(&page, name).map(|version| standing(name, &version)))
    }

    /// The newest version of a project that is not withdrawn there; none where the index has none. A final one where only final
    /// ones count.
    pub async fn newest(
        &self,
        name: &str,
        is_final: bool,
        access: &Access<'_>,
    ) -> Result<Option<String>> {
        let page = self.page(name, access).await?;
        Ok(if is_final {
            index::newest(&page, name)
        } else {
            index::latest(&page, name)
        })
    }

    /// Uploads what is not there. Refused before the first byte where a file is there with other bytes.
    pub async fn apply(&self, release: &Release, access: &Access<'_>) -> Result<Applied> {
        let project = self.project_of(release).await?;
        let http = self.http(access)?;
        let simple = self.simple()?;
        let (name, version) = (project.name.clone(), project.version.clone());
        let page = self.last_page(&name, access).await?;
        let previous = index::newest(&page, &name).map(|version| standing(&name, &version));
        let steps = self.steps_on(project, &page);
        refuse(&steps)?;
        let mut uploader = Uploader::new(self, &simple, http, access);
        let mut applied = Applied {
            now: Standing {
                digest: Some(release.digest()),
                ..standing(&name, &version)
            },
            previous,
            url: public_index::release_page(&self.upload, &name, &version),
            ..Applied::default()
        };
        for step in steps {
            let mut change = step.change;
            if change.kind == ChangeKind::Create {
                let sent = uploader.upload(&step.distribution).await;
                match sent.map_err(|error| so_far(error, &applied.changes))? {
                    Sent::Taken => applied.sent += step.distribution.size,
                    Sent::WasThere => change.kind = ChangeKind::Keep,
                }
            }
            access.progress.done(&change);
            applied.changes.push(change);
        }
        Ok(applied)
    }

    /// Always refused: an index keeps what it has.
    #[expect(
        clippy::unused_async,
        reason = "every target goes back by the same words"
    )]
    pub async fn back(&self, to: &Standing, _: &Access<'_>) -> Result<Applied> {
        let reference = untrusted::line(&to.reference).into_owned();
        Err(Error::refused(format!(
            "a package index cannot go back to `{reference}`: what it has published stays, and no file name is taken twice"
        ))
        .hint("withdraw (“yank”) the bad release on the index's page, and publish a new version"))
    }

    /// In a few words.
    pub fn describe(&self) -> String {
        let host = public_index::host(&self.upload).unwrap_or("an index");
        format!("package index {}", untrusted::line(host))
    }

    /// The files as packages of one project.
    async fn project_of(&self, release: &Release) -> Result<Project> {
        if !is_safe_address(&self.upload) {
            return Err(Error::usage(format!(
                "`upload`: `{}` is no `https` address of an index",
                untrusted::excerpt(&self.upload, 200)
            ))
            .hint("plain `http` is for the own machine only"));
        }
        Project::read(release).await
    }

    /// What the index has of a project.
    async fn page(&self, name: &str, access: &Access<'_>) -> Result<index::Page> {
        let asked = Instant::now();
        let page = index::page(self.http(access)?, &self.simple()?, name).await?;
        *self.known.page() = Some((asked, name.to_owned(), page.clone()));
        Ok(page)
    }

    /// The same, where it was asked just now without asking again; once.
    async fn last_page(&self, name: &str, access: &Access<'_>) -> Result<index::Page> {
        let known = self.known.page().take();
        if let Some((asked, of, page)) = known
            && of == name
            && asked.elapsed() < FRESH
        {
            return Ok(page);
        }
        let page = self.page(name, access).await?;
        // What follows changes it.
        *self.known.page() = None;
        Ok(page)
    }

    fn steps_on(&self, project: Project, page: &index::Page) -> Vec<Step> {
        let age = index::age(page, &project.name, &project.version).filter(|age| *age > OLDEST);
        let is_public = public_index::is_public(&self.upload)
            || public_index::simple_api_of(&self.upload).is_some();
        let judge = |distribution: Distribution| {
            let digest = hex(&distribution.sha256);
            let bytes = size::show(distribution.size);
            let (kind, detail) = match index::find(page, &distribution.package.file, &digest) {
                Found::Same => (
                    ChangeKind::Keep,
                    format!("the index has it: sha256 {digest}"),
                ),
                Found::Other(theirs) => (
                    ChangeKind::Refuse,
                    format!(
                        "the index has other bytes of this name: sha256 {theirs}, and this file is {digest}"
                    ),
                ),
                Found::Unknown => (
                    ChangeKind::Refuse,
                    "the index has a file of this name, and does not say its sha256".to_owned(),
                ),
                Found::Nothing => match age {
                    Some(age) if is_public => (ChangeKind::Refuse, old(age)),
                    Some(age) => (ChangeKind::Create, format!("{bytes}; {}", old(age))),
                    None => (ChangeKind::Create, format!("{bytes}, sha256 {digest}")),
                },
            };
            let what = distribution.package.file.clone();
            Step {
                distribution,
                change: Change { what, kind, detail },
            }
        };
        project.distributions.into_iter().map(judge).collect()
    }

    /// The simple API.
    fn simple(&self) -> Result<String> {
        let own = self.simple.as_deref();
        let simple = own.or_else(|| public_index::simple_api_of(&self.upload));
        let simple = simple.ok_or_else(|| {
            Error::usage("the simple API of the package index is not known")
                .hint("name it beside the address for uploads: without it nobody knows what the index has already")
        })?;
        if !is_safe_address(simple) {
            return Err(
                Error::usage("the address of the simple API is no `https` address")
                    .hint("plain `http` is for the own machine only"),
            );
        }
        Ok(format!("{}/", simple.trim_end_matches('/')))
    }

    /// The client; a token also reads what the same host has.
    fn http(&self, access: &Access<'_>) -> Result<&Http> {
        if let Some(http) = self.known.http.get() {
            return Ok(http);
        }
        let mut logins = Vec::new();
        if let Some((user, password)) = self.token(access)? {
            logins.extend(Login::at(&self.upload, user, password));
        }
        let http = Http::new(access.environment, logins, access.stop.clone())?;
        Ok(self.known.http.get_or_init(|| http))
    }

    /// The token of the environment, which is hidden from now on.
    fn token(&self, access: &Access<'_>) -> Result<Option<(&str, Secret)>> {
        let Credential::Token { user, variable } = &self.credential else {
            return Ok(None);
        };
        let token = access.environment.get(variable).map(str::trim);
        let token = token.filter(|token| !token.is_empty()).ok_or_else(|| {
            Error::usage(format!(
                "`{variable}` is not set: it is to hold the token for the package index"
            ))
            .hint(format!(
                "pass it to this step: `env: {variable}: ${{{{ secrets.{variable} }}}}`"
            ))
        })?;
        let token = Secret::new(token);
        access.progress.conceal(&token);
        Ok(Some((user, token)))
    }
}

fn standing(name: &str, version: &str) -> Standing {
    Standing {
        version: Some(version.to_owned()),
        digest: None,
        reference: format!("{name}=={version}"),
    }
}

fn old(age: Duration) -> String {
    format!(
        "the release is {} days old, and the public index takes no new files of releases older than {} days",
        age.as_secs() / 86_400,
        OLDEST.as_secs() / 86_400
    )
}

/// Fails where a file would be refused.
fn refuse(steps: &[Step]) -> Result<()> {
    let mut refused = steps
        .iter()
        .filter(|step| step.change.kind == ChangeKind::Refuse)
        .peekable();
    if refused.peek().is_none() {
        return Ok(());
    }
    let error = Error::refused("the package index would not take this release; nothing was sent");
    let error = refused.fold(error, |error, step| {
        error.cause(format!("`{}`: {}", step.change.what, step.change.detail))
    });
    Err(error.hint("a file that is published never changes: make a new version"))
}

/// The error, and what was done before it.
fn so_far(error: Error, changes: &[Change]) -> Error {
    let done: Vec<String> = changes
        .iter()
        .map(|change| format!("`{}`", change.what))
        .collect();
    if done.is_empty() {
        return error;
    }
    let error = error.cause(format!(
        "on the index already: {}",
        crate::error::list(&done, "and")
    ));
    if error.hint.is_some() {
        return error;
    }
    error.hint("run it again: what is on the index is kept")
}
