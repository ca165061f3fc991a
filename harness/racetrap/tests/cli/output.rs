//! Reports that cannot be written.

use std::fs::OpenOptions;
use std::process::Stdio;

use crate::sandbox::{Sandbox, program};

/// A device on which every write fails, like a full disk.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("Linux has it").into()
}

/// Every command that writes to standard output, including help: an empty file must not look like a
/// success.
#[test]
fn a_report_that_cannot_be_written_is_told_with_exit_code_4() {
    let sandbox = Sandbox::new();
    for arguments in [
        ["list"].as_slice(),
        &["list", "--format", "json"],
        &["doctor"],
        &["run", "295-I6", "--daemon", program()],
        &["run", "295-I6", "--daemon", program(), "--format", "json"],
        &["repro", "295-I6", "--daemon", program()],
        &["matrix", "295-I6", "--daemon", program()],
        &["--help"],
        &["--version"],
    ] {
        let mut command = sandbox.process(arguments);
        #[expect(clippy::disallowed_methods, reason = "the test chooses where output goes")]
        let output = command.stdout(full()).output().expect("the command can be run");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {stderr}");
        assert!(stderr.contains("could not be written to standard output"), "{stderr}");
    }
}

/// A message that cannot be written must neither cause a panic (exit code 70) nor change the exit
/// code.
#[test]
fn a_message_that_cannot_be_written_leaves_the_exit_code_as_it_is() {
    let sandbox = Sandbox::new();
    for arguments in [["run", "absent.yaml"].as_slice(), &["run", "--no-such-option"]] {
        let mut command = sandbox.process(arguments);
        #[expect(clippy::disallowed_methods, reason = "the test chooses where output goes")]
        let output = command.stderr(full()).output().expect("the command can be run");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

/// `racetrap list | head -0`: the reader closes the pipe because it has read enough.
#[test]
fn a_reader_that_went_away_is_no_error() {
    let sandbox = Sandbox::new();
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut command = sandbox.process(&["list"]);
    #[expect(clippy::disallowed_methods, reason = "the test chooses where output goes")]
    let output = command.stdout(writer).output().expect("the command can be run");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
