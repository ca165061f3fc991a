//! An installed `limactl`, the program of Lima. Racetrap neither fetches nor builds it.
//!
//! It refuses to run as root, and a world needs root. So it runs in a user namespace, in which it is
//! another user; the files and processes that it makes are root's outside.

use std::path::{Path, PathBuf};

use super::error::VmError;
use crate::process::{ask, find_program, first_line};

/// What makes a user namespace in which root is `nobody`, a user that every Debian has.
const AS_NOBODY: [&str; 3] = ["--user", "--map-user=65534", "--map-group=65534"];

/// The program of Lima, and what runs it.
#[derive(Clone, Debug)]
pub(crate) struct Limactl {
    program: PathBuf,
    unshare: PathBuf,
}

impl Limactl {
    /// Finds the programs on PATH.
    ///
    /// # Errors
    /// If one is not there.
    pub(crate) fn find() -> Result<Self, VmError> {
        let program = find_program("limactl").ok_or(VmError::NoLimactl)?;
        let unshare = find_program("unshare").ok_or(VmError::Missing { program: "unshare" })?;
        Ok(Self { program, unshare })
    }

    /// Where `limactl` is.
    pub(crate) fn path(&self) -> &Path {
        &self.program
    }

    /// The program to start.
    pub(crate) fn launcher(&self) -> &Path {
        &self.unshare
    }

    /// The arguments of the program to start, so that it becomes `limactl` with `arguments`. The process
    /// stays the same one.
    pub(crate) fn arguments(&self, arguments: &[&str]) -> Vec<String> {
        let program = self.program.to_string_lossy();
        let own = ["--", program.as_ref()];
        let all = AS_NOBODY.iter().chain(&own).chain(arguments);
        all.map(|argument| (*argument).to_owned()).collect()
    }

    /// The line with its version.
    ///
    /// # Errors
    /// If it does not run.
    pub(crate) async fn version(&self) -> Result<String, VmError> {
        let arguments = self.arguments(&["--version"]);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let output = ask(&self.unshare, &arguments).await;
        let why = match output {
            Some(output) if output.status.success() => {
                return Ok(first_line(&output.stdout).unwrap_or_default());
            }
            Some(output) => first_line(&output.stderr).unwrap_or_default(),
            None => "it does not answer".to_owned(),
        };
        Err(VmError::Limactl { path: self.program.clone(), why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // What stands behind `--` is the program and its own arguments.
    #[test]
    fn limactl_runs_as_another_user_than_root() {
        let (program, unshare) = ("/opt/limactl".into(), "/usr/bin/unshare".into());
        let limactl = Limactl { program, unshare };
        let arguments = limactl.arguments(&["start", "vm"]);
        let split = arguments.iter().position(|word| word == "--").expect("a separator");
        assert_eq!(arguments[..split], AS_NOBODY);
        assert_eq!(arguments[split + 1..], ["/opt/limactl", "start", "vm"]);
        assert_eq!(limactl.launcher(), Path::new("/usr/bin/unshare"));
    }

    // The script prints who it is in its own eyes: the real program would refuse root.
    #[tokio::test]
    async fn its_version_is_asked_for_as_another_user_and_its_refusal_is_told() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().expect("a temporary directory");
        let limactl = |text: &str| {
            let program = place.path().join("limactl");
            std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).expect("a script");
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&program, mode).expect("it is ours");
            Limactl { program, unshare: find_program("unshare").expect("util-linux") }
        };
        let version = limactl("echo \"$* as $(id -u)\"").version().await;
        assert_eq!(version.expect("it answers"), "--version as 65534");
        let refused = limactl("echo 'must not run' >&2; exit 1").version().await;
        let text = refused.expect_err("status 1").to_string();
        assert!(text.contains("limactl failed: must not run"), "{text}");
    }
}
