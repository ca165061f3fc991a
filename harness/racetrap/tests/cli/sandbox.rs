//! A separate home, working directory and environment for each command.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// An empty home directory, which is also the working directory.
pub(crate) struct Sandbox {
    home: TempDir,
}

impl Sandbox {
    /// Creates a new sandbox.
    pub(crate) fn new() -> Self {
        Self { home: TempDir::new().expect("a directory can be made") }
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    /// The evidence directories of the runs so far, without the archives beside them.
    pub(crate) fn runs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path().join(".racetrap/evidence"));
        let paths = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        paths.filter(|path| path.is_dir()).collect()
    }

    /// The command. Of this process's environment it gets only PATH.
    pub(crate) fn racetrap(&self, arguments: &[&str]) -> Command {
        Command::from_std(self.process(arguments))
    }

    /// The same as a standard-library command, for tests that send signals or redirect its output.
    pub(crate) fn process(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(program());
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var_os("PATH").expect("tests run where cargo is on PATH"))
            .env("LANG", "C.UTF-8")
            .env("RACETRAP_CALLED", "racetrap")
            .env("NO_COLOR", "1");
        command
    }

    /// The same with an empty PATH.
    pub(crate) fn racetrap_without_programs(&self, arguments: &[&str]) -> Command {
        let mut command = self.racetrap(arguments);
        command.env("PATH", self.path());
        command
    }

    /// The same in a mount namespace in which the directories of system programs are empty, too.
    pub(crate) fn racetrap_on_a_bare_machine(&self, arguments: &[&str]) -> Command {
        let script = "for place in /usr/local/sbin /usr/sbin /sbin; do \
                          if [ -d $place ]; then mount -t tmpfs none $place || exit; fi; \
                      done; PATH=$1; shift; exec \"$@\"";
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(self.path())
            .arg(program())
            .args(arguments)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("NO_COLOR", "1");
        command
    }
}

/// Path of the command's program.
pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_racetrap")
}

/// Exit code, standard output and standard error of a command.
pub(crate) fn outcome(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the command can be run");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the command writes UTF-8");
    (
        output.status.code().expect("no signal ended the command"),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Compares `text` with the snapshot called `name`.
#[track_caller]
pub(crate) fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
