//! The processes of VMs that Lima runs: hostagents, QEMU programs and sessions of WSL, by the pid files in their
//! arguments.

use std::path::Path;

use super::process::Identity;

/// A process of a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VmSighting {
    pub(crate) process: Identity,
    /// ID of its process group.
    pub(crate) group: u32,
    /// Name of the VM's directory.
    pub(crate) vm: String,
    /// Name of the pid file, such as `ha.pid`.
    pub(crate) pid_file: &'static str,
}

/// Every process that has a pid file of a VM below `lima_home` among its arguments.
pub(crate) fn vm_processes(lima_home: &Path) -> Vec<VmSighting> {
    let processes = procfs::process::all_processes().into_iter().flatten().filter_map(Result::ok);
    let seen: Vec<_> = processes.filter_map(|process| see(&process, lima_home)).collect();
    // Between fork and exec, a child has its parent's arguments.
    let is_copy = |(sighting, parent): &(VmSighting, u32)| {
        let is_parent = |other: &VmSighting| {
            other.process.pid == *parent
                && (&other.vm, other.pid_file) == (&sighting.vm, sighting.pid_file)
        };
        seen.iter().any(|(other, _)| is_parent(other))
    };
    seen.iter().filter(|it| !is_copy(it)).map(|(sighting, _)| sighting.clone()).collect()
}

/// The process, if it is one of a VM, and the ID of its parent.
fn see(process: &procfs::process::Process, lima_home: &Path) -> Option<(VmSighting, u32)> {
    let arguments = process.cmdline().ok()?;
    let (vm, pid_file) = arguments.iter().find_map(|argument| {
        let (vm, file) =
            Path::new(argument).strip_prefix(lima_home).ok()?.to_str()?.split_once('/')?;
        let known = ["ha.pid", "qemu.pid", "wsl2.pid"].into_iter().find(|known| *known == file)?;
        Some((vm.to_owned(), known))
    })?;
    let stat = process.stat().ok()?;
    let number = |id: i32| u32::try_from(id).ok();
    let identity = Identity { pid: number(process.pid)?, started: stat.starttime };
    // After the arguments were read: only if it lives were they its own.
    let group = number(stat.pgrp).filter(|_| identity.lives())?;
    Some((VmSighting { process: identity, group, vm, pid_file }, number(stat.ppid)?))
}

/// Asks the kernel to give the next process of this PID namespace this ID, if it is free. Another
/// process may be faster, so the caller looks at the ID that it gets.
pub(crate) fn offer_pid(pid: u32) -> std::io::Result<()> {
    std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string())
}

/// When a file was changed last.
pub(crate) fn modified(path: &Path) -> std::io::Result<std::time::SystemTime> {
    std::fs::metadata(path)?.modified()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    // The shell starts the sleeper, whose arguments name no pid file; a relative path names none
    // either.
    #[test]
    fn a_process_of_a_vm_is_found_by_its_pid_file() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let file = home.path().join("rd/ha.pid");
        let start = |argument: &str| {
            #[expect(clippy::disallowed_methods, reason = "the test needs a process")]
            Command::new("sh").args(["-c", "sleep 60 & wait", "x", argument]).spawn().expect("sh")
        };
        let mut all = [start(&file.to_string_lossy()), start("rd/ha.pid")];
        let found = std::iter::repeat_with(|| vm_processes(home.path())).find(|it| !it.is_empty());
        let found = found.expect("it repeats until there is one");
        let group = found[0].group;
        for child in &mut all {
            let own = Identity::from_pid(child.id()).expect("it runs");
            for process in own.children().into_iter().chain([own]) {
                process.signal(super::super::Signal::KILL).expect("it is ours");
            }
            child.wait().expect("it ended");
        }
        let process = Identity { pid: all[0].id(), started: found[0].process.started };
        let pid_file = "ha.pid";
        let expected = VmSighting { process, group, vm: "rd".to_owned(), pid_file };
        assert_eq!(found, [expected]);
    }
}
