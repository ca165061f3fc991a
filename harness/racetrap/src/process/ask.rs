//! Programs that run outside any world, for their output alone: version queries, and apt.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use super::program::search_path;
use crate::sys;

/// How long a program may take to print its version or its defects.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A run of a program outside any world.
#[derive(Debug)]
pub(crate) struct OutsideRun<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<&'a OsStr>,
    /// The whole environment.
    pub(crate) variables: Vec<(&'a str, OsString)>,
    pub(crate) directory: &'a Path,
    /// How long the program may run before it is killed.
    pub(crate) limit: Duration,
    /// Whether Ctrl-C at the terminal ends the program, because it stays in the process group of
    /// the harness. Otherwise it leads a group of its own, which is killed as a whole at the limit.
    pub(crate) is_interruptible: bool,
}

impl OutsideRun<'_> {
    /// Runs the program to its end; `None` if it was killed at its limit.
    ///
    /// # Errors
    /// If the program cannot be started, or its output cannot be read.
    #[expect(clippy::disallowed_methods, reason = "this is the owner of programs outside a world")]
    pub(crate) async fn run_to_end(&self) -> io::Result<Option<Output>> {
        let mut command = Command::new(self.program);
        command.args(&self.arguments).current_dir(self.directory);
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if !self.is_interruptible {
            command.process_group(0);
        }
        let child = command.kill_on_drop(true).spawn()?;
        let leader = child.id().filter(|_| !self.is_interruptible);
        let mut output = std::pin::pin!(child.wait_with_output());
        match tokio::time::timeout(self.limit, &mut output).await {
            Ok(output) => output.map(Some),
            Err(_) => {
                // Dropping the child kills only the program. The processes that it has started must
                // be killed before that, while its ID still names the group.
                if let Some(leader) = leader {
                    sys::kill_group(leader);
                }
                Ok(None)
            }
        }
    }
}

/// Runs a program with these arguments, such as `--version`, and returns its output. Returns `None`
/// if it cannot be run, or takes longer than 10 s.
pub(crate) async fn ask(program: &Path, arguments: &[&str]) -> Option<Output> {
    ask_within(ANSWER_LIMIT, program, arguments).await
}

/// The first line that is not empty, without white space around it.
pub(crate) fn first_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

async fn ask_within(limit: Duration, program: &Path, arguments: &[&str]) -> Option<Output> {
    // HOME leads nowhere, so that a daemon that is asked neither reads nor writes the user's files.
    let mut variables = vec![("HOME", "/nonexistent".into()), ("LANG", "C.UTF-8".into())];
    variables.push(("PATH", search_path()));
    let run = OutsideRun {
        program,
        arguments: arguments.iter().map(OsStr::new).collect(),
        variables,
        directory: Path::new("/"),
        limit,
        is_interruptible: false,
    };
    run.run_to_end().await.ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `env` prints its whole environment, so any other variable of this process would be seen.
    #[tokio::test]
    async fn a_program_gets_no_variable_of_the_user_but_path() {
        let output = ask(Path::new("/usr/bin/env"), &[]).await.expect("env answers");
        let text = String::from_utf8(output.stdout).expect("names and values are text");
        let mut names: Vec<_> = text.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "LANG", "PATH"], "{text}");
        assert!(text.contains("HOME=/nonexistent\n"), "{text}");
    }

    /// A pipe is read to its end only when its last writer has ended: the program, and the one that
    /// it started itself, which would hold the pipe for an hour.
    #[tokio::test]
    async fn a_program_that_does_not_answer_is_killed_with_every_process_that_it_started() {
        use tokio::io::AsyncReadExt as _;
        let directory = tempfile::tempdir().expect("a directory can be made");
        let pipe = directory.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
            .expect("a pipe can be made");
        let mut reader = tokio::net::unix::pipe::OpenOptions::new()
            .open_receiver(&pipe)
            .expect("a pipe can be read");
        let script = format!("sleep 3600 > {0} & echo begun > {0}; wait", pipe.display());
        let arguments = ["-c", script.as_str()];
        let asked = ask_within(Duration::from_secs(1), Path::new("/bin/sh"), &arguments);
        assert!(asked.await.is_none());
        let mut said = String::new();
        tokio::time::timeout(Duration::from_secs(10), reader.read_to_string(&mut said))
            .await
            .expect("no process holds the pipe any more")
            .expect("the pipe can be read");
        assert_eq!(said, "begun\n", "it ran before it was killed");
    }
}
