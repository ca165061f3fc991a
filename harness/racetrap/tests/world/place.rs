//! A place for one test: a directory for temporary files, in which no other test has worlds.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a test waits for something before it fails.
const LIMIT: Duration = Duration::from_secs(60);

/// A directory for worlds and evidence, whose path is short enough for sockets.
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

    /// The command `racetrap`, with TMPDIR and evidence in this place, and a HOME that must stay as
    /// it is.
    pub(crate) fn racetrap(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.arg("--evidence").arg(self.path().join("evidence"));
        command
    }

    /// The same for subcommands without `--evidence`.
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

    /// Runs `racetrap` to its end; see [`output_without_canaries`].
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        output_without_canaries(self.racetrap(arguments).spawn().unwrap())
    }

    /// Writes an executable script in the place of a daemon's program, and returns its path.
    pub(crate) fn script(&self, text: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path().join("daemon");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The evidence directory of the place's only run, once it exists.
    pub(crate) fn evidence(&self) -> Option<PathBuf> {
        let entries = std::fs::read_dir(self.path().join("evidence")).ok()?;
        // The bundle's archive is a file beside it.
        entries.filter_map(Result::ok).map(|entry| entry.path()).find(|path| path.is_dir())
    }

    /// The present content of the journal; empty if there is none.
    pub(crate) fn journal(&self) -> String {
        let journal = self.evidence().map(|evidence| evidence.join("journal.jsonl"));
        journal.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
    }

    /// Files, processes and mounts that are left of worlds in this place.
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

/// Waits for a command to end, and returns its output, in which no canary may be: a secret that was
/// planted in its worlds.
#[track_caller]
pub(crate) fn output_without_canaries(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert_eq!(canary_in(&output.stdout), None, "on standard output");
    assert_eq!(canary_in(&output.stderr), None, "on standard error");
    output
}

/// A canary in a text: plain, or in base64 at any of the three offsets.
pub(crate) fn canary_in(text: &[u8]) -> Option<&'static str> {
    const FORMS: [&str; 4] =
        ["RtCanary7Qx2", "UnRDYW5hcnk3UXgy", "J0Q2FuYXJ5N1F4M", "SdENhbmFyeTdReD"];
    FORMS.into_iter().find(|form| text.windows(form.len()).any(|part| part == form.as_bytes()))
}

/// The user's cache directory. All tests share the engines that are installed there; no run writes
/// to them.
pub(crate) fn cache_of_the_user() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    cache.expect("tests run where HOME is set")
}

/// Processes whose environment names a world below `here`.
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

/// Calls `seen` until it succeeds. The panic after 60 s contains the last error.
#[track_caller]
pub(crate) fn wait_until(what: &str, seen: impl FnMut() -> Result<(), String>) {
    wait_within(LIMIT, what, seen);
}

/// As [`wait_until`], with another limit.
#[track_caller]
pub(crate) fn wait_within(
    limit: Duration,
    what: &str,
    mut seen: impl FnMut() -> Result<(), String>,
) {
    let began = Instant::now();
    let asking = async {
        // Files and processes of others cannot notify. The pause leaves the processors to the
        // worlds.
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            match seen() {
                Ok(()) => return,
                Err(last) => {
                    assert!(began.elapsed() < limit, "waited {limit:?} for {what}: {last}")
                }
            }
        }
    };
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(asking);
}
