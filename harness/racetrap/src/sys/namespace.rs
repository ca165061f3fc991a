//! A mount and PID namespace of one engine: when its first process ends, everything in it ends,
//! and its mounts go with it.

use super::Identity;

/// The namespace, by its first process as the host sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Namespace {
    /// The process that holds it.
    pub(crate) init: Identity,
}

/// Program and arguments that make a namespace and hold it until they are killed.
///
/// `/run` is private in it, because containerd's shims put their sockets at fixed paths there.
pub(crate) fn new_namespace() -> (&'static str, Vec<String>) {
    let hold = "mount -t tmpfs -o mode=755 racetrap /run && exec sleep infinity";
    let arguments = [
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
    ];
    ("unshare", arguments.map(str::to_owned).to_vec())
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
