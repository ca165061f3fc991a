//! A place for one test: its own directory for temporary files, so that its worlds are its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything in these tests may take before they fail.
const LIMIT: Duration = Duration::from_secs(60);

/// A directory with room for worlds and evidence, short enough for sockets.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("w").tempdir_in("/tmp").unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The racetrap command, with temporary files here, and a HOME that it may not touch.
    pub(crate) fn racetrap(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.arg("--evidence").arg(self.path().join("evidence"));
        command
    }

    /// The same for subcommands that make no evidence.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_racetrap"));
        command
            .args(arguments)
            .env("TMPDIR", self.path())
            .env("HOME", self.path().join("home-of-the-user"))
            .env("XDG_CACHE_HOME", cache_of_the_user())
            .env_remove("RDD_BIN")
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        told(self.racetrap(arguments).spawn().unwrap())
    }

    /// An executable script that stands in for a daemon's program.
    pub(crate) fn script(&self, text: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path().join("daemon");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The only evidence directory, once it is there.
    pub(crate) fn evidence(&self) -> Option<PathBuf> {
        let entries = std::fs::read_dir(self.path().join("evidence")).ok()?;
        // The archive lies beside it.
        entries.filter_map(Result::ok).map(|entry| entry.path()).find(|path| path.is_dir())
    }

    /// The journal as it is on disk now.
    pub(crate) fn journal(&self) -> String {
        let journal = self.evidence().map(|evidence| evidence.join("journal.jsonl"));
        journal.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
    }

    /// What is left of worlds here: files, processes, mounts, control groups.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let here = self.path().to_str().unwrap();
        let mut left: Vec<String> = Vec::new();
        let worlds = std::fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path());
        for base in
            worlds.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("rt-"))
        {
            let files = std::fs::read_dir(base).unwrap().map(|entry| entry.unwrap().path());
            left.extend(files.map(|path| format!("file {}", path.display())));
        }
        left.extend(processes_of(here));
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        left.extend(mounts.lines().filter(|line| line.contains(here)).map(str::to_owned));
        left
    }
}

/// What a command told until its end; no secret that was planted in its worlds may be in it.
#[track_caller]
pub(crate) fn told(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert_eq!(planted(&output.stdout), None, "on standard output");
    assert_eq!(planted(&output.stderr), None, "on standard error");
    output
}

/// A planted secret in a text, plain, or in base64 behind any other bytes.
pub(crate) fn planted(text: &[u8]) -> Option<&'static str> {
    const FORMS: [&str; 4] =
        ["RtCanary7Qx2", "UnRDYW5hcnk3UXgy", "J0Q2FuYXJ5N1F4M", "SdENhbmFyeTdReD"];
    FORMS.into_iter().find(|form| text.windows(form.len()).any(|part| part == form.as_bytes()))
}

/// Where installed engines are: they are made once, and no run writes to them.
pub(crate) fn cache_of_the_user() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    cache.expect("tests run where HOME is set")
}

/// Processes whose environment names a world below this directory.
fn processes_of(here: &str) -> Vec<String> {
    let marker = format!("TMPDIR={here}/rt-");
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter(|entry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|part| part.starts_with(marker.as_bytes()))
        })
        .map(|entry| {
            let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            format!("process {}", String::from_utf8_lossy(&command).replace('\0', " "))
        })
        .collect()
}

/// Asks until the answer is yes; the failure tells what was seen last.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut seen: impl FnMut() -> Result<(), String>) {
    let began = Instant::now();
    let asking = async {
        // Files and processes of others cannot notify; the machine's two cores are for the worlds.
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            match seen() {
                Ok(()) => return,
                Err(last) => {
                    assert!(began.elapsed() < LIMIT, "waited {LIMIT:?} for {what}: {last}")
                }
            }
        }
    };
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(asking);
}
