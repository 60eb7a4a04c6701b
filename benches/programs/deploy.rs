//! Deploys files to a bucket, or publishes them to a package index, without a step around it:
//! `deploy bucket ADDRESS FILE…`, `deploy index UPLOAD SIMPLE FILE…`. Credentials come from the environment; an index is asked
//! as nobody. Prints the bytes that were sent.

use std::io::{self, Write as _};
use std::path::Path;

use lockgate::error::Error;
use lockgate::model::deploy::{Change, Release, ReleaseFile};
use lockgate::model::digest::unhex;
use lockgate::stores::transfer::Options;
use lockgate::system::environment::Environment;
use lockgate::system::files::sha256_of_file;
use lockgate::system::masking::Secret;
use lockgate::system::stop::Stop;
use lockgate::targets::object_store::ObjectStore;
use lockgate::targets::pypi::{Credential, Pypi};
use lockgate::targets::{Access, Progress};

/// Says nothing.
#[derive(Debug)]
struct Silent;

impl Progress for Silent {
    fn sent(&self, _: &str, _: u64, _: u64) {}
    fn done(&self, _: &Change) {}
    fn retried(&self, _: &str, _: &str) {}
    fn conceal(&self, _: &Secret) {}
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let environment = Environment::of_this_process();
    let access = Access {
        environment: &environment,
        stop: &Stop::never(),
        progress: &Silent,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let applied = match words.as_slice() {
        ["bucket", address, files @ ..] => {
            let store = ObjectStore {
                address: (*address).to_owned(),
                directory: std::env::current_dir()?,
                environment: "bench".to_owned(),
                role: None,
                policy: Options::default().policy,
            };
            runtime.block_on(store.apply(&release(files)?, &access))
        }
        ["index", upload, simple, files @ ..] => {
            let index = Pypi {
                upload: (*upload).to_owned(),
                simple: Some((*simple).to_owned()),
                credential: Credential::Nobody,
                ..Pypi::default()
            };
            runtime.block_on(index.apply(&release(files)?, &access))
        }
        _ => return Err(io::Error::other("deploy bucket ADDRESS FILE…")),
    };
    let applied = applied.map_err(|error: Error| io::Error::other(error.render()))?;
    writeln!(io::stdout(), "{}", applied.sent)
}

fn release(files: &[&str]) -> io::Result<Release> {
    let file = |path: &&str| {
        let path = Path::new(path);
        let digest = unhex(&sha256_of_file(path)?).unwrap_or_default();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(ReleaseFile {
            name: name.into_owned(),
            path: path.to_owned(),
            size: path.metadata()?.len(),
            digest,
            executable: false,
        })
    };
    Ok(Release {
        version: None,
        files: files.iter().map(file).collect::<io::Result<_>>()?,
    })
}
