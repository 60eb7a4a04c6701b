//! A real container registry: Debian's, unpacked and not installed.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::tools::{once, run};

/// The package, as Debian 12 has it.
const PACKAGE: &str = "docker-registry=2.8.2+ds1-1";

/// A user of a registry that asks who asks.
pub(crate) const USER: &str = "deployer";

/// Its password, and what the registry knows of it.
pub(crate) const PASSWORD: &str = "not-real-password";
const KNOWN: &str = "deployer:$2a$04$/q7R0.Un56H7P5BeSOg.qu11d2RFR/AMKO9i6c7ap69HMieUY/xOa\n";

/// Its program, had once by the system's own package client. None where that cannot be: on a system with other packages.
pub(crate) fn program() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docker-registry");
    let program = folder.join("usr/bin/docker-registry");
    std::fs::create_dir_all(&folder).expect("a folder");
    once(&folder.join(".installed"), PACKAGE.as_bytes(), || {
        // Another release of Debian, or Ubuntu, has another build of it.
        let is_there = [PACKAGE, "docker-registry"].iter().any(|package| {
            let mut download = Command::new("apt-get");
            download.args(["download", package]).current_dir(&folder);
            download
                .output()
                .is_ok_and(|output| output.status.success())
        });
        let entries = std::fs::read_dir(&folder).expect("a folder").flatten();
        let package = entries
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "deb"));
        if let Some(package) = package.filter(|_| is_there) {
            let mut unpack = Command::new("dpkg-deb");
            run(unpack.arg("-x").arg(package).arg(&folder), "Debian's tools");
        }
    });
    program.is_file().then_some(program)
}

/// A registry in a process of its own, ended when it is dropped.
pub(crate) struct RegistryServer {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl RegistryServer {
    /// Starts one that keeps images in a folder, and perhaps asks who asks. None where there is no program.
    pub(crate) fn start(asks: bool) -> Option<Self> {
        let program = program()?;
        let folder = TempDir::new().expect("a folder");
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("an address").port();
        drop(socket);
        let known = folder.path().join("known");
        std::fs::write(&known, KNOWN).expect("a file");
        let mut settings = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            folder.path().join("images").display()
        );
        if asks {
            settings.push_str("auth:\n  htpasswd: {realm: tests, path: KNOWN}\n");
            settings = settings.replace("KNOWN", known.to_str().expect("Unicode"));
        }
        let file = folder.path().join("settings.yml");
        std::fs::write(&file, settings).expect("a file");
        let child = Command::new(program)
            .arg("serve")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a registry");
        let mut server = Self {
            child,
            port,
            _folder: folder,
        };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = server.child.try_wait().expect("a child");
            assert!(ended.is_none(), "the registry ended: {ended:?}");
            assert!(started.elapsed() < Duration::from_mins(1), "no registry");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for RegistryServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
