//! Many objects from one git.

use std::io::{BufRead, BufReader, Read};

use crate::error::{Error, Result};
use crate::system::git::{Git, SHORT, says_no};

impl Git {
    /// The full SHAs of the commits that revisions name; `None` for one that is not here, and of all outside a repository.
    /// No revision may hold a line break.
    pub async fn commits(&self, revisions: &[&str]) -> Result<Vec<Option<String>>> {
        let mut input = String::new();
        for revision in revisions {
            input.extend([revision, "^{commit}\n"]);
        }
        let arguments = ["cat-file", "--batch-check=%(objecttype) %(objectname)"];
        let answer = self.answer_to(arguments, input.into_bytes()).await?;
        let answer = answer.unwrap_or_default();
        let mut lines = answer.lines();
        let commit = |line: &str| sha(line.strip_prefix("commit ")?);
        Ok(revisions
            .iter()
            .map(|_| lines.next().and_then(commit))
            .collect())
    }

    /// The full SHA of the commit that `HEAD` is, and the parents that it names, also where a shallow clone does not have
    /// them; `None` where there is no commit.
    pub async fn head(&self) -> Result<Option<(String, Vec<String>)>> {
        let arguments = ["cat-file", "--batch=%(objectname)"];
        let answer = self.answer_to(arguments, b"HEAD^{commit}\n".to_vec());
        let answer = answer.await?.unwrap_or_default();
        let (first, text) = answer.split_once('\n').unwrap_or_default();
        let header = text.split("\n\n").next().unwrap_or_default();
        let parents = header
            .lines()
            .filter_map(|line| line.strip_prefix("parent "))
            .map(str::to_owned)
            .collect();
        Ok(sha(first).map(|sha| (sha, parents)))
    }

    /// The contents of files in a commit as text, in the order of the paths; `None` where a file is not there.
    pub async fn texts(&self, commit: &str, paths: &[&str]) -> Result<Vec<Option<String>>> {
        let contents = self.blobs(commit, paths, SHORT).await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(contents.into_iter().map(|bytes| bytes.map(text)).collect())
    }

    /// The bytes of files in a commit, each at most `limit`, in the order of the paths; `None` where a file is not there.
    pub async fn blobs(
        &self,
        commit: &str,
        paths: &[&str],
        limit: u64,
    ) -> Result<Vec<Option<Vec<u8>>>> {
        // Git takes a name a line.
        let is_line = |path: &&&str| !path.contains('\n');
        let mut input = String::new();
        for path in paths.iter().filter(is_line) {
            input.extend([commit, ":", path, "\n"]);
        }
        let mut answers = Vec::new();
        if !input.is_empty() {
            let mut finished = self
                .run_with_input(["cat-file", "--batch"], input.into_bytes())
                .await?;
            if says_no(&finished)? {
                let reason = finished.stderr.trim().to_owned();
                return Err(
                    Error::no_verdict("the files of the base could not be read").cause(reason)
                );
            }
            let mut reader = BufReader::new(&mut finished.stdout);
            for path in paths.iter().filter(is_line) {
                let answer = next(&mut reader, limit).map_err(|error| {
                    Error::no_verdict(format!("`{path}` of the base could not be read"))
                        .cause(error)
                })?;
                answers.push(answer);
            }
        }
        let mut answers = answers.into_iter();
        let mut found = Vec::with_capacity(paths.len());
        for path in paths {
            found.push(if is_line(&path) {
                answers.next().flatten()
            } else {
                self.blob(commit, path, limit).await?
            });
        }
        Ok(found)
    }
}

/// The SHA that git answers; `None` for other answers, such as `<revision> missing`.
fn sha(answer: &str) -> Option<String> {
    let is_sha = !answer.is_empty() && answer.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_sha.then(|| answer.to_owned())
}

/// One answer of `cat-file --batch`: `<id> blob <size>`, the bytes and a line feed; `<name> missing`. What is no file
/// is none.
fn next(reader: &mut impl BufRead, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    reader.read_until(b'\n', &mut head)?;
    let head = String::from_utf8_lossy(&head);
    if head.ends_with(" missing\n") {
        return Ok(None);
    }
    let mut words = head.split_whitespace().skip(1);
    let kind = words.next();
    let Some(size) = words.next().and_then(|size| size.parse::<u64>().ok()) else {
        return Err(invalid(format!("git answered `{}`", head.trim_end())));
    };
    if kind != Some("blob") {
        std::io::copy(&mut reader.take(size + 1), &mut std::io::sink())?;
        return Ok(None);
    }
    if size > limit {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            format!("it has more than {limit} bytes"),
        ));
    }
    let mut bytes = Vec::new();
    let read = reader.take(size).read_to_end(&mut bytes)?;
    let mut end = [0];
    reader.read_exact(&mut end)?;
    if read as u64 != size || end != *b"\n" {
        return Err(invalid("git's answer ends early".to_owned()));
    }
    Ok(Some(bytes))
}

fn invalid(message: String) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::environment::Environment;
    use crate::system::stop::Stop;

    #[tokio::test]
    async fn files_come_in_the_order_of_their_paths() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::of_this_process();
        let git = Git::new(folder.path(), &environment, Stop::never());
        git.run(["init", "--quiet"]).await.unwrap();
        for (path, content) in [
            ("a b.txt", &b"one\n\0two"[..]),
            ("empty", b""),
            ("folder/missing", b"not asked for"),
            ("line\nbreak", b"three"),
            ("large", &[b'x'; 100]),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        git.run(["add", "--all"]).await.unwrap();
        let identity = ["-c", "user.name=a", "-c", "user.email=a@a.example"];
        let commit = identity.iter().chain(&["commit", "--quiet", "--message=a"]);
        git.run(commit.copied()).await.unwrap();
        let head = git.commit("HEAD").await.unwrap().unwrap();
        let revisions = ["HEAD", "-x", "commit deed", "HEAD:folder", &head];
        let commits = git.commits(&revisions).await.unwrap();
        let commits: Vec<Option<&str>> = commits.iter().map(Option::as_deref).collect();
        let here = Some(&*head);
        assert_eq!(git.head().await.unwrap(), Some((head.clone(), Vec::new())));
        assert_eq!(commits, [here, None, None, None, here]);
        let paths = [
            "empty",
            "x missing",
            "line\nbreak",
            "folder",
            "a b.txt",
            "empty",
        ];
        let found = git.blobs(&head, &paths, 50).await.unwrap();
        let found: Vec<Option<&[u8]>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(
            found,
            [
                Some(&b""[..]),
                None,
                Some(b"three"),
                None,
                Some(b"one\n\0two"),
                Some(b""),
            ]
        );
        assert_eq!(git.blobs(&head, &[], 50).await.unwrap().len(), 0);
        let error = git.blobs(&head, &["empty", "large"], 50).await.unwrap_err();
        assert!(error.render().contains("`large`"), "{}", error.render());
    }
}
