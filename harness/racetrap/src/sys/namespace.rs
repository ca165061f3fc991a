//! The mount and PID namespace of one engine. When its first process ends, the kernel kills every
//! process in it, and removes its mounts.

use std::path::Path;

use super::Identity;

/// A namespace, by its first process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Namespace {
    /// The first process, which holds the namespace, as seen from outside.
    pub(crate) init: Identity,
}

/// Program and arguments that create a namespace and hold it until they are killed.
///
/// `/run` is private in it, because containerd's shims create sockets at fixed paths there. The
/// first process waits for every child, and so for orphans too: a dockerd that is started again
/// takes a containerd that nobody has waited for as one that still runs.
///
/// `usr`, if given, is mounted read-only at `/usr`. A change of the root instead does not work:
/// runc makes the mount of the root a slave, which fails if the root is not a mount point.
pub(crate) fn new_namespace(usr: Option<&Path>) -> (&'static str, Vec<String>) {
    let hold = "mount -t tmpfs -o mode=755 racetrap /run || exit; \
                if [ $# -gt 0 ]; then mount --bind -o ro \"$1\" /usr || exit; fi; \
                sleep infinity & wait";
    // `--fork`, because only a child of `unshare` is in the new PID namespace; `--kill-child`, so
    // that it ends with `unshare`; `slave`, so that its mounts do not appear outside.
    let options = [
        "--mount",
        "--pid",
        "--fork",
        "--kill-child=SIGKILL",
        "--mount-proc",
        "--propagation",
        "slave",
        "--",
        "sh",
        "-c",
        hold,
        "sh",
    ];
    let mut arguments = options.map(str::to_owned).to_vec();
    arguments.extend(usr.map(|usr| usr.to_string_lossy().into_owned()));
    ("unshare", arguments)
}

impl Namespace {
    /// The namespace whose first process is `init`, once that process has mounted everything and
    /// holds the namespace.
    ///
    /// # Errors
    /// With what the process does now, if it is not that far.
    pub(crate) fn held_by(init: Identity) -> Result<Self, String> {
        let name = |process: &Identity| {
            let comm = std::fs::read_to_string(format!("/proc/{}/comm", process.pid));
            comm.unwrap_or_default().trim().to_owned()
        };
        // The shell starts `sleep` after its last mount.
        let children: Vec<_> = init.children().iter().map(name).collect();
        if children == ["sleep"] {
            return Ok(Self { init });
        }
        Err(format!("its first process is `{}` with {children:?} below it", name(&init)))
    }
}

/// Program and arguments that run `program` in a namespace that exists.
pub(crate) fn in_namespace(
    namespace: Namespace,
    program: &str,
    arguments: &[String],
) -> (&'static str, Vec<String>) {
    let target = namespace.init.pid.to_string();
    let mut all: Vec<_> =
        ["--target", &target, "--mount", "--pid", "--", program].map(str::to_owned).to_vec();
    all.extend_from_slice(arguments);
    ("nsenter", all)
}

/// Program and arguments that run `program` in a new mount namespace, in which the directory `run`
/// is mounted at `/run`. The program finds the sockets in it where the machine's own engine would
/// have its socket. The namespace exists until the last process in it ends.
pub(crate) fn with_own_run(
    run: &Path,
    program: &Path,
    arguments: &[String],
) -> (&'static str, Vec<String>) {
    // `/var/run` is a link to `/run` on most machines, but not on all; programs use either path.
    let enter = "mount --bind \"$1\" \"$(readlink -f /var/run)\" || exit; shift; exec \"$@\"";
    let options = ["--mount", "--propagation", "slave", "--", "sh", "-c", enter, "sh"];
    let mut all = options.map(str::to_owned).to_vec();
    all.extend([run, program].map(|path| path.to_string_lossy().into_owned()));
    all.extend_from_slice(arguments);
    ("unshare", all)
}
