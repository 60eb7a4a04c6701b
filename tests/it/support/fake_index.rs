//! A package index with the rules and answers of the public one, and faults on demand. Besides it, who gives identity tokens
//! to a job.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use blake2::Blake2b;
use blake2::digest::consts::U32;
use lockgate::model::digest::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::http_server::{Asked, HttpServer, Told};

/// What happens to an upload instead of what would.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Answer(Told),
    /// The file is not taken, and the connection ends.
    LostBefore,
    /// The file is taken, and the connection ends.
    LostAfter,
    /// The file is taken and not shown for so many looks, and the connection ends.
    LostAndHidden(u32),
    /// Somebody else is faster with this file.
    TakenBefore(String, Known),
}

/// SHA-256 and BLAKE2 of a file, and when it came.
pub(crate) type Known = (String, String, String);

#[derive(Default)]
pub(crate) struct State {
    /// By name: digests, and when it came.
    pub(crate) files: BTreeMap<String, Known>,
    /// Names of files that were deleted.
    pub(crate) deleted: BTreeSet<String>,
    /// In turn, for uploads.
    pub(crate) faults: VecDeque<Fault>,
    /// In turn, for the door where tokens are minted.
    pub(crate) mint_faults: VecDeque<Told>,
    /// The forms that came, whatever was made of them.
    pub(crate) forms: Vec<Vec<(String, Vec<u8>)>>,
    /// Every request: method and path.
    pub(crate) paths: Vec<String>,
    /// Heads of look-ups: what the client says of caches.
    pub(crate) cache_controls: Vec<Option<String>>,
    /// The tokens that may upload.
    pub(crate) tokens: BTreeSet<String>,
    /// Identities that were shown: each is taken once.
    used: BTreeSet<String>,
    /// How many identities and tokens there were.
    pub(crate) identities: u32,
    pub(crate) minted: u32,
    /// The seconds that a minted token lives.
    pub(crate) lives: i64,
    /// How far the clock of the index is ahead, seconds.
    pub(crate) ahead: i64,
    /// More claims of identities.
    pub(crate) claims: serde_json::Map<String, Value>,
    /// The look-ups that do not show new files yet.
    hidden: u32,
    /// Whether indexes answer 404 where tokens are minted.
    pub(crate) has_no_publishing: bool,
}

pub(crate) struct FakeIndex {
    pub(crate) server: HttpServer,
    state: Arc<Mutex<State>>,
}

impl FakeIndex {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            lives: 900,
            tokens: ["pypi-not-real".to_owned()].into(),
            ..State::default()
        }));
        let own = Arc::clone(&state);
        let server = HttpServer::start(move |asked| locked(&own).answer(asked));
        Self { server, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    pub(crate) fn upload(&self) -> String {
        format!("{}/legacy/", self.server.url())
    }

    pub(crate) fn simple(&self) -> String {
        format!("{}/simple/", self.server.url())
    }

    /// What a runner would give to a job that may have an identity.
    pub(crate) fn identity(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                format!("{}/identity?api-version=2", self.server.url()),
            ),
            (
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                "not-real-bearer".to_owned(),
            ),
        ]
    }

    /// How many uploads came.
    pub(crate) fn uploads(&self) -> usize {
        self.state().forms.len()
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Told {
        self.paths.push(format!("{} {}", asked.method, asked.path));
        match (
            asked.method.as_str(),
            asked.path.split('?').next().unwrap_or_default(),
        ) {
            ("POST", "/legacy/") => self.take(asked),
            ("GET", "/identity") => self.identity(asked),
            ("GET", "/_/oidc/audience") if !self.has_no_publishing => {
                Told::new(200, r#"{"audience":"pypi"}"#)
            }
            ("POST", "/_/oidc/mint-token") => self.mint(asked),
            ("GET", path) => match path.strip_prefix("/simple/") {
                Some(name) => self.page(name.trim_end_matches('/'), asked),
                None => Told::new(404, "Not Found"),
            },
            _ => Told::new(404, "Not Found"),
        }
    }

    fn page(&mut self, name: &str, asked: &Asked) -> Told {
        self.cache_controls
            .push(asked.header("cache-control").map(str::to_owned));
        let is_hidden = self.hidden > 0;
        self.hidden = self.hidden.saturating_sub(1);
        let stem = name.replace('-', "_");
        let files: Vec<Value> = self
            .files
            .iter()
            .filter(|(file, _)| file.starts_with(&format!("{stem}-")) && !is_hidden)
            .map(|(file, (sha256, _, at))| {
                json!({"filename": file, "url": file, "hashes": {"sha256": sha256}, "upload-time": at})
            })
            .collect();
        if files.is_empty() {
            return Told::new(404, "Not Found");
        }
        let page = json!({"meta": {"api-version": "1.3"}, "name": name, "files": files});
        Told::new(200, page.to_string()).with("Content-Type", "application/vnd.pypi.simple.v1+json")
    }

    fn identity(&mut self, asked: &Asked) -> Told {
        if asked.header("authorization") != Some("Bearer not-real-bearer") {
            return Told::new(401, "");
        }
        self.identities += 1;
        let audience = asked.path.split("audience=").nth(1).unwrap_or_default();
        let mut claims = json!({
            "jti": format!("identity-{}", self.identities),
            "aud": audience,
            "repository": "acme/app",
            "workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main",
            "job_workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main",
            "event_name": "push",
        });
        if let Some(own) = claims.as_object_mut() {
            own.extend(self.claims.clone());
        }
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        Told::new(
            200,
            json!({"value": format!("e30.{payload}.c2ln")}).to_string(),
        )
    }

    fn mint(&mut self, asked: &Asked) -> Told {
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let token = body["token"].as_str().unwrap_or_default();
        let refuse = |code: &str, description: &str| {
            let errors = json!([{"code": code, "description": description}]);
            Told::new(
                422,
                json!({"message": "Token request failed", "errors": errors}).to_string(),
            )
        };
        let payload = token.split('.').nth(1).unwrap_or_default();
        let claims: Value = URL_SAFE_NO_PAD
            .decode(payload)
            .ok()
            .and_then(|payload| serde_json::from_slice(&payload).ok())
            .unwrap_or_default();
        let Some(identity) = claims["jti"].as_str().filter(|_| claims["aud"] == "pypi") else {
            return refuse("invalid-token", "malformed or wrong audience");
        };
        if !self.used.insert(identity.to_owned()) {
            return refuse("invalid-reuse-token", "invalid token: already used");
        }
        if let Some(fault) = self.mint_faults.pop_front() {
            return fault;
        }
        if claims["repository"] != "acme/app" {
            return refuse(
                "invalid-publisher",
                "valid token, but no corresponding publisher",
            );
        }
        self.minted += 1;
        let token = format!("pypi-minted-{}", self.minted);
        self.tokens.insert(token.clone());
        let now = chrono_now() + self.ahead;
        let date = chrono::DateTime::from_timestamp(now, 0)
            .unwrap()
            .to_rfc2822();
        let answer = json!({"success": true, "token": token, "expires": now + self.lives});
        Told::new(200, answer.to_string()).with("Date", date)
    }

    fn take(&mut self, asked: &Asked) -> Told {
        let form = form(asked);
        self.forms.push(form.clone());
        let fault = self.faults.pop_front();
        match fault {
            Some(Fault::Answer(told)) => return told,
            Some(Fault::LostBefore) => return Told::nothing(),
            Some(Fault::TakenBefore(ref name, ref file)) => {
                self.files.insert(name.clone(), file.clone());
            }
            _ => {}
        }
        let told = self.judge(asked, &form);
        match fault {
            Some(Fault::LostAfter) => Told::nothing(),
            Some(Fault::LostAndHidden(looks)) => {
                self.hidden = looks;
                Told::nothing()
            }
            _ => told,
        }
    }

    /// The rules of the public index, in their order.
    fn judge(&mut self, asked: &Asked, form: &[(String, Vec<u8>)]) -> Told {
        let no = |reason: &str| {
            let answer = json!({"message": "The server could not comply with the request since it is either malformed or otherwise incorrect.\n\n\n", "code": format!("400 {reason}"), "title": "Bad Request"});
            Told::new(400, answer.to_string()).with("Content-Type", "application/json")
        };
        let login = asked
            .header("authorization")
            .and_then(|value| value.strip_prefix("Basic "));
        let login = login
            .and_then(|login| STANDARD.decode(login).ok())
            .unwrap_or_default();
        let login = String::from_utf8_lossy(&login).into_owned();
        let may = login
            .strip_prefix("__token__:")
            .is_some_and(|token| self.tokens.contains(token));
        if !may {
            return Told::new(403, "Invalid or non-existent authentication information.");
        }
        let text = |name: &str| {
            let own = form.iter().find(|(own, _)| own == name);
            own.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        for (field, value) in [(":action", "file_upload"), ("protocol_version", "1")] {
            if text(field).as_deref() != Some(value) {
                return no(&format!("Unknown protocol version: {field}"));
            }
        }
        let (Some(name), Some(version), Some(filetype)) =
            (text("name"), text("version"), text("filetype"))
        else {
            return no("name, version and filetype are required");
        };
        let Some((_, content)) = form.iter().find(|(own, _)| own.starts_with("content\0")) else {
            return no("Upload payload does not have a file.");
        };
        let file = form
            .iter()
            .find_map(|(own, _)| own.strip_prefix("content\0"))
            .unwrap_or_default()
            .to_owned();
        let (sha256, blake2) = (
            hex(&Sha256::digest(content)),
            hex(&Blake2b::<U32>::digest(content)),
        );
        let digests = [("sha256_digest", &sha256), ("blake2_256_digest", &blake2)];
        for (field, own) in digests {
            if text(field).is_some_and(|given| given != *own) {
                return no(
                    "The digest supplied does not match a digest calculated from the uploaded file.",
                );
            }
        }
        let stem = format!("{}-{version}", name.to_lowercase().replace(['-', '.'], "_"));
        if !file.starts_with(&stem) {
            return no("Start filename for this project with its normalised name.");
        }
        if self.deleted.contains(&file) {
            return no(
                "This filename was previously used by a file that has since been deleted. Use a different version.",
            );
        }
        if let Some((theirs, blake2, _)) = self.files.get(&file) {
            if *theirs == sha256 {
                return Told::new(200, "");
            }
            return no(&format!(
                "File already exists ('{file}', with blake2_256 hash '{blake2}')."
            ));
        }
        let now = chrono_now();
        let first = self.files.iter().filter(|(own, _)| own.starts_with(&stem));
        let first = first
            .filter_map(|(_, (_, _, at))| chrono::DateTime::parse_from_rfc3339(at).ok())
            .map(|at| at.timestamp())
            .min();
        if first.is_some_and(|first| now - first > 14 * 86_400) {
            return no("Uploading new files to releases older than 14 days is not allowed.");
        }
        let is_sdist = |file: &str| file.ends_with(".tar.gz");
        if filetype == "sdist"
            && self
                .files
                .keys()
                .any(|own| own.starts_with(&stem) && is_sdist(own))
        {
            return no("Only one sdist may be uploaded per release.");
        }
        let at = chrono::DateTime::from_timestamp(now, 0)
            .unwrap()
            .to_rfc3339();
        self.files.insert(file, (sha256, blake2, at));
        Told::new(200, "")
    }
}

pub(crate) fn chrono_now() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// The fields of a form, in order; that of the file has its name behind a zero.
pub(crate) fn form(asked: &Asked) -> Vec<(String, Vec<u8>)> {
    let kind = asked.header("content-type").unwrap_or_default();
    let boundary = kind.split("boundary=").nth(1).unwrap_or_default();
    let boundary = boundary.trim_matches('"');
    let separator = format!("\r\n--{boundary}");
    let whole = [b"\r\n".as_slice(), &asked.body].concat();
    let mut fields = Vec::new();
    let mut starts: Vec<usize> = memchr::memmem::find_iter(&whole, &separator).collect();
    starts.push(whole.len());
    for pair in starts.windows(2) {
        let part = &whole[pair[0] + separator.len()..pair[1]];
        let Some(end) = memchr::memmem::find(part, b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&part[..end]).into_owned();
        let quoted = |name: &str| {
            let rest = head.split(&format!(" {name}=\"")).nth(1)?;
            rest.split('"').next().map(str::to_owned)
        };
        let name = quoted("name").expect("a field has a name");
        let name = match quoted("filename") {
            Some(file) => format!("{name}\0{file}"),
            None => name,
        };
        fields.push((name, part[end + 4..].to_vec()));
    }
    fields
}
