//! Where the programs of VMs listen: hostagents, QEMU, and what these start.

use std::collections::BTreeMap;
use std::path::Path;

use procfs::net::{TcpState, UnixState};
use procfs::process::{FDTarget, Process};

use super::process::Identity;

/// A socket on which a program of a VM listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listener {
    /// Name of the VM's directory.
    pub(crate) vm: String,
    /// Address and port, or the path of the socket; below `lima_home`, without that.
    pub(crate) at: String,
    /// Name of the program.
    pub(crate) program: String,
    pub(crate) pid: u32,
}

/// Every listening socket of the processes that have a file of a VM below `lima_home` among their
/// arguments, in rising order.
pub(crate) fn vm_listeners(lima_home: &Path) -> Vec<Listener> {
    let processes = procfs::process::all_processes().into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<_> = processes.flat_map(|it| of_process(&it, lima_home)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Those of one process; none if it has ended meanwhile.
fn of_process(process: &Process, lima_home: &Path) -> Vec<Listener> {
    let arguments = process.cmdline().unwrap_or_default();
    let Some(vm) = arguments.iter().find_map(|argument| vm_in(argument, lima_home)) else {
        return Vec::new();
    };
    let pid = u32::try_from(process.pid).ok();
    let Some(own) = pid.and_then(Identity::from_pid) else { return Vec::new() };
    let Some(program) = arguments[0].rsplit('/').next() else { return Vec::new() };
    // The tables of the process's own network namespace, which may be another one than the harness's.
    let tables = listening(process, lima_home);
    let inode = |target| if let FDTarget::Socket(inode) = target { Some(inode) } else { None };
    let sockets = process.fd().into_iter().flatten();
    let sockets = sockets.filter_map(|open| tables.get(&inode(open.ok()?.target)?).cloned());
    let listener = |at| Listener { vm: vm.clone(), at, program: program.to_owned(), pid: own.pid };
    let found: Vec<_> = sockets.map(listener).collect();
    // After everything was read: only if it lives was that its own.
    if own.lives() { found } else { Vec::new() }
}

/// The VM whose directory a word of an argument is in, as in `-oControlPath="LIMA_HOME/rd/ssh.sock"`.
fn vm_in(argument: &str, lima_home: &Path) -> Option<String> {
    let (_, behind) = argument.split_once(lima_home.to_str()?)?;
    let (vm, _) = behind.strip_prefix('/')?.split_once('/')?;
    (!vm.starts_with('_')).then(|| vm.to_owned())
}

/// Every listening socket of the process's network namespace, by its inode.
fn listening(process: &Process, lima_home: &Path) -> BTreeMap<u64, String> {
    let tcp = [process.tcp(), process.tcp6()].into_iter().flatten().flatten();
    let tcp = tcp.filter(|entry| entry.state == TcpState::Listen);
    let tcp = tcp.map(|entry| (entry.inode, entry.local_address.to_string()));
    // The kernel lists a listening socket as unconnected; other unconnected ones have no path.
    let unix = process.unix().into_iter().flatten();
    let unix = unix.filter(|entry| entry.state == UnixState::UNCONNECTED);
    let unix = unix.filter_map(|entry| {
        let path = entry.path?;
        let path = path.strip_prefix(lima_home).unwrap_or(&path);
        Some((entry.inode, path.to_string_lossy().into_owned()))
    });
    tcp.chain(unix).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::ops::ControlFlow;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixListener;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[expect(clippy::disallowed_methods, reason = "the test needs a process")]
    fn holder(listener: OwnedFd, argument: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", "exec 3<&0; while :; do wait; done", "x", argument]);
        command.stdin(Stdio::from(listener)).spawn().expect("sh")
    }

    // Two processes hold the port of a VM and its socket. A third holds a port and names no file of a VM.
    #[tokio::test]
    async fn listeners_of_a_vm_are_found_by_its_files_in_arguments() {
        let home = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(home.path().join("rd")).expect("a directory");
        let path = home.path().join("rd/ha.sock");
        let option = format!("-oControlPath=\"{}\"", home.path().join("rd/ssh.sock").display());
        let tcp = || TcpListener::bind("127.0.0.1:0").expect("a listener");
        let (port, other) = (tcp(), tcp());
        let address = port.local_addr().expect("an address").to_string();
        let unix = UnixListener::bind(&path).expect("a listener");
        let mut all = [
            holder(port.into(), &option),
            holder(unix.into(), &path.to_string_lossy()),
            holder(other.into(), "rd/ha.sock"),
        ];
        let expected = [(address.as_str(), all[0].id()), ("rd/ha.sock", all[1].id())];
        // Between fork and exec, a child has its parent's arguments.
        let both = crate::wait::polled("both listeners", LIMIT, async || {
            let found = vm_listeners(home.path());
            match found.len() {
                2 => ControlFlow::Break(found),
                _ => ControlFlow::Continue(format!("{found:?}")),
            }
        });
        let found = both.await.expect("each holds one");
        assert!(found.iter().all(|it| (it.vm.as_str(), it.program.as_str()) == ("rd", "sh")));
        let seen: Vec<_> = found.iter().map(|it| (it.at.as_str(), it.pid)).collect();
        for child in &mut all {
            child.kill().expect("it is ours");
            child.wait().expect("it ended");
        }
        assert_eq!(seen, expected);
        assert_eq!(vm_listeners(home.path()), []);
    }
}
