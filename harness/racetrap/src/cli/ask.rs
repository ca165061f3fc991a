//! Runs other programs to ask for their version or their defects. Only this file of the command
//! starts any.
//!
//! Such a program gets no variable of the user's environment except PATH, and it is killed if it
//! does not answer in time.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::sys;

/// How long a program may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The output of a program, or `None` if it cannot be run or does not end in time.
pub(super) async fn said(program: &Path, arguments: &[&str]) -> Option<Output> {
    said_within(ANSWER_LIMIT, program, arguments).await
}

/// The first line that is not empty.
pub(super) fn first_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

#[expect(clippy::disallowed_methods, reason = "this is the owner of programs that are asked")]
async fn said_within(limit: Duration, program: &Path, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir("/").env_clear();
    command.env("HOME", "/nonexistent").env("LANG", "C.UTF-8");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.process_group(0).kill_on_drop(true).spawn().ok()?;
    let leader = child.id();
    let mut output = std::pin::pin!(child.wait_with_output());
    let came = tokio::time::timeout(limit, &mut output).await;
    if came.is_err()
        && let Some(leader) = leader
    {
        // Processes that the program started hold the pipes open, so they must be killed too.
        sys::kill_group(leader);
    }
    came.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `env` prints its whole environment, so any variable of ours that it got would be seen.
    #[tokio::test]
    async fn a_program_is_told_nothing_but_where_programs_are() {
        let output = said(Path::new("/usr/bin/env"), &[]).await.expect("env answers");
        let text = String::from_utf8(output.stdout).expect("names and values are text");
        let mut names: Vec<_> = text.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "LANG", "PATH"], "{text}");
        assert!(text.contains("HOME=/nonexistent\n"), "{text}");
    }

    /// A reader of a pipe sees the end only when the last writer has gone: the program itself, and
    /// the process that it started, which would otherwise hold the pipe for an hour.
    #[tokio::test]
    async fn a_program_that_does_not_answer_is_ended_with_all_that_it_started() {
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
        let asked = said_within(Duration::from_secs(1), Path::new("/bin/sh"), &arguments);
        assert!(asked.await.is_none());
        let mut said = String::new();
        tokio::time::timeout(Duration::from_secs(10), reader.read_to_string(&mut said))
            .await
            .expect("no process holds the pipe")
            .expect("the pipe can be read");
        assert_eq!(said, "begun\n", "it ran before it was ended");
    }

    #[test]
    fn a_directory_and_a_text_are_no_programs() {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let text = directory.path().join("text");
        std::fs::write(&text, "text").expect("a file can be written");
        assert!(sys::is_executable(Path::new("/bin/sh")));
        assert!(!sys::is_executable(directory.path()));
        assert!(!sys::is_executable(&text));
        assert!(!sys::is_executable(&directory.path().join("absent")));
    }
}
