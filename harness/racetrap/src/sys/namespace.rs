//! A mount and PID namespace of one engine: when its first process ends, everything in it ends,
//! and its mounts go with it.

use std::path::Path;

use super::Identity;

/// The namespace, by its first process as the host sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Namespace {
    /// The process that holds it.
    pub(crate) init: Identity,
}

/// Program and arguments that make a namespace and hold it until they are killed.
///
/// `/run` is private in it, because containerd's shims put their sockets at fixed paths there. Its
/// first process waits for every child, also for those whose parent was killed: a dockerd that is
/// started again takes a containerd that nobody waited for as one that still runs.
///
/// `usr` is put in the place of `/usr`, read-only. A new root would not do: runc makes the root's
/// mount its container's slave, which takes one that is a mount point.
pub(crate) fn new_namespace(usr: Option<&Path>) -> (&'static str, Vec<String>) {
    let hold = "mount -t tmpfs -o mode=755 racetrap /run || exit; \
                if [ $# -gt 0 ]; then mount --bind -o ro \"$1\" /usr || exit; fi; \
                sleep infinity & wait";
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
    /// The namespace whose first process is `init`, once it is whole; else what it is still doing.
    pub(crate) fn held_by(init: Identity) -> Result<Self, String> {
        let name = |process: &Identity| {
            let comm = std::fs::read_to_string(format!("/proc/{}/comm", process.pid));
            comm.unwrap_or_default().trim().to_owned()
        };
        let children: Vec<_> = init.children().iter().map(name).collect();
        if children == ["sleep"] {
            return Ok(Self { init });
        }
        Err(format!("its first process is `{}` with {children:?} below it", name(&init)))
    }
}

/// Program and arguments that run `program` in the namespace.
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

/// Program and arguments that run `program` in a mount namespace of its own, in which that directory
/// lies at `/run`: what is served there it finds where the machine's own engine would be. The namespace
/// lives as long as the last process in it.
pub(crate) fn with_own_run(
    run: &Path,
    program: &Path,
    arguments: &[String],
) -> (&'static str, Vec<String>) {
    let enter = "mount --bind \"$1\" \"$(readlink -f /var/run)\" || exit; shift; exec \"$@\"";
    let options = ["--mount", "--propagation", "slave", "--", "sh", "-c", enter, "sh"];
    let mut all = options.map(str::to_owned).to_vec();
    all.extend([run, program].map(|path| path.to_string_lossy().into_owned()));
    all.extend_from_slice(arguments);
    ("unshare", all)
}
