//! Answers that a server knows again by a mark (`ETag`): asked again, it says that nothing changed, and sends nothing.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::system::files::{sha256, write_atomically};
use crate::system::http::{Answer, Http, Request};

/// The folder with the answers, one file each: a line of JSON, then the content.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// What stands in front of a kept answer.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    url: String,
    etag: String,
    content_type: Option<String>,
    /// Of the content, so that a file that was cut off is not taken for an answer.
    sha256: String,
}

impl Cache {
    /// Keeps answers in this folder, which need not be there.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The answer of a server, or the kept one where the server says that it is still the same. What was given to a
    /// credential is not kept.
    pub async fn get(&self, http: &Http, url: &str, accept: &'static str) -> Result<Answer> {
        let kept = self.load(url, accept);
        let etag = kept.as_ref().and_then(|answer| answer.etag.as_deref());
        let answer = http.get(Request { url, accept, etag }).await?;
        match kept {
            Some(kept) if answer.status == 304 => return Ok(kept),
            _ => {}
        }
        if answer.status == 200 && !answer.is_private {
            self.store(url, accept, &answer);
        }
        Ok(answer)
    }

    fn path(&self, url: &str, accept: &str) -> Option<PathBuf> {
        let name = sha256(format!("{url}\n{accept}").as_bytes()).ok()?;
        Some(self.folder.join(name))
    }

    fn load(&self, url: &str, accept: &str) -> Option<Answer> {
        let bytes = std::fs::read(self.path(url, accept)?).ok()?;
        let end = memchr::memchr(b'\n', &bytes)?;
        let (head, body) = (bytes.get(..end)?, bytes.get(end + 1..)?);
        let head: Head = serde_json::from_slice(head).ok()?;
        let is_whole = head.url == url && sha256(body).ok()? == head.sha256;
        is_whole.then(|| Answer {
            status: 200,
            content_type: head.content_type,
            etag: Some(head.etag),
            body: body.to_vec(),
            is_private: false,
        })
    }

    /// Keeps an answer. A folder that cannot be written only makes the next run slower.
    fn store(&self, url: &str, accept: &str, answer: &Answer) {
        let (Some(path), Some(etag)) = (self.path(url, accept), answer.etag.clone()) else {
            return;
        };
        let Ok(sha256) = sha256(answer.body.as_slice()) else {
            return;
        };
        let head = Head {
            url: url.to_owned(),
            etag,
            content_type: answer.content_type.clone(),
            sha256,
        };
        let Ok(mut content) = serde_json::to_vec(&head) else {
            return;
        };
        content.push(b'\n');
        content.extend_from_slice(&answer.body);
        if let Err(error) = write_atomically(&path, &content) {
            tracing::debug!(%error, "the answer cannot be kept");
        }
    }
}
