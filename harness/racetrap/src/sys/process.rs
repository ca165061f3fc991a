//! Processes by identity: the ID together with the start time. Another process that gets the same
//! ID later has another start time, so it is never taken for the first.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, PidfdFlags, kill_process_group, pidfd_open, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// One process. No other process has the same identity, before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    /// Process ID in the harness's PID namespace.
    pub(crate) pid: u32,
    /// Start time in clock ticks since boot (proc(5), field 22 of `stat`).
    pub(crate) started: u64,
}

/// How much memory a process holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident memory now, in KiB.
    pub(crate) resident_kib: u64,
    /// The peak of resident memory, in KiB.
    pub(crate) peak_kib: u64,
}

impl Identity {
    /// The identity of the process that has this ID now; `None` if there is none, or it is a
    /// zombie.
    pub(crate) fn from_pid(pid: u32) -> Option<Self> {
        let stat = procfs::process::Process::new(i32::try_from(pid).ok()?).ok()?.stat().ok()?;
        (stat.state != 'Z').then_some(Self { pid, started: stat.starttime })
    }

    /// Whether this process still runs; a zombie does not.
    pub(crate) fn lives(self) -> bool {
        Self::from_pid(self.pid) == Some(self)
    }

    /// How often the kernel has given its threads a CPU, all together. Between two looks that see the same
    /// number, none of them has run.
    pub(crate) fn turns(self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten();
        let of_task = |task: std::fs::DirEntry| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            // Time on a CPU, time waiting for one, number of turns.
            text.split_whitespace().nth(2)?.parse::<u64>().ok()
        };
        tasks.filter_map(Result::ok).filter_map(of_task).sum()
    }

    /// Whether the process has ended, and its parent has waited for it.
    pub(crate) fn is_gone(self) -> bool {
        let stat = self.entry().and_then(|process| process.stat().ok());
        stat.is_none_or(|stat| stat.starttime != self.started)
    }

    /// Whether the process is stopped, as by SIGSTOP.
    pub(crate) fn is_stopped(self) -> bool {
        let stat = self.entry().and_then(|process| process.stat().ok());
        stat.is_some_and(|stat| stat.state == 'T' && stat.starttime == self.started)
    }

    /// Whether a stop, as by SIGSTOP, has begun: at least one thread is stopped. By then the kernel
    /// has signalled every other thread, so that none executes code of the program any more, even
    /// if it still waits in a system call. If there is only one thread, the signal itself is
    /// enough.
    pub(crate) fn is_being_stopped(self) -> bool {
        let tasks = self.entry().and_then(|process| process.tasks().ok());
        let threads = tasks.into_iter().flatten().filter_map(|task| task.ok()?.stat().ok());
        let states: Vec<_> = threads.map(|thread| thread.state).collect();
        self.lives() && (states.len() == 1 || states.contains(&'T'))
    }

    /// Sends a signal, unless the process has ended. Another process with the same ID never gets
    /// it.
    pub(crate) fn signal(self, signal: Signal) -> io::Result<()> {
        match self.descriptor()? {
            Some(descriptor) => match pidfd_send_signal(&descriptor, signal) {
                // It ended after the descriptor was opened.
                Err(rustix::io::Errno::SRCH) => Ok(()),
                other => Ok(other?),
            },
            None => Ok(()),
        }
    }

    /// The `/proc` entry of the process that has this ID now, which may be another process.
    fn entry(self) -> Option<procfs::process::Process> {
        procfs::process::Process::new(i32::try_from(self.pid).ok()?).ok()
    }

    /// A descriptor of the process; `None` if it has ended. The descriptor is opened before the
    /// start times are compared: a process whose descriptor is open and whose start time is right
    /// is this one, and stays the one that the descriptor signals.
    fn descriptor(self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return Ok(None);
        };
        match pidfd_open(pid, PidfdFlags::NONBLOCK) {
            Ok(descriptor) => Ok(self.lives().then_some(descriptor)),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the process was started with `name=value` in its environment, or inherited it.
    pub(crate) fn carries(self, name: &str, value: &str) -> bool {
        let wanted = format!("{name}={value}").into_bytes();
        // Whether the process lives is asked after the file was read: only then was the file its
        // own. The same holds for the functions below.
        let environment = std::fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == wanted) && self.lives()
    }

    /// The program that the process executes.
    pub(crate) fn executable(self) -> Option<PathBuf> {
        let path = std::fs::read_link(format!("/proc/{}/exe", self.pid)).ok()?;
        self.lives().then_some(path)
    }

    /// The file to which the standard error of the process goes, if it goes to a file.
    pub(crate) fn standard_error(self) -> Option<PathBuf> {
        let path = std::fs::read_link(format!("/proc/{}/fd/2", self.pid)).ok()?;
        (path.is_file() && self.lives()).then_some(path)
    }

    /// How many descriptors the process has open; `None` if it has ended.
    pub(crate) fn descriptors(self) -> Option<usize> {
        let count = self.entry()?.fd_count().ok()?;
        self.lives().then_some(count)
    }

    /// How much memory the process holds; `None` if it has ended.
    pub(crate) fn memory(self) -> Option<Memory> {
        let status = self.entry()?.status().ok()?;
        let memory = Memory { resident_kib: status.vmrss?, peak_kib: status.vmhwm? };
        self.lives().then_some(memory)
    }

    /// Resets the peak of resident memory to the present value (proc_pid_clear_refs(5)).
    pub(crate) fn forget_peak(self) -> io::Result<()> {
        if self.lives() {
            std::fs::write(format!("/proc/{}/clear_refs", self.pid), "5")
        } else {
            Ok(())
        }
    }

    /// The children of the process's main thread.
    pub(crate) fn children(self) -> Vec<Self> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid);
        std::fs::read_to_string(path)
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|pid| Self::from_pid(pid.parse().ok()?))
            .collect()
    }
}

/// Kills a process group. The caller must have started its leader, and not waited for it yet: only
/// then does the ID surely name this group.
pub(crate) fn kill_group(leader: u32) {
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // An error means that the group has ended already.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The signal that ended a process, if one did.
pub(crate) fn signal_of(status: std::process::ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

/// Waits until a process has ended, which need not be a child. Returns `false` if it still runs
/// after `limit`.
pub(crate) async fn wait_for_end(process: Identity, limit: Duration) -> io::Result<bool> {
    let Some(descriptor) = process.descriptor()? else { return Ok(true) };
    // A pidfd becomes readable when its process ends.
    #[expect(deprecated, reason = "an OwnedFd stays open for as long as the AsyncFd owns it")]
    let descriptor = AsyncFd::with_interest(descriptor, Interest::READABLE)?;
    match tokio::time::timeout(limit, descriptor.readable()).await {
        Ok(ready) => ready.map(|_| true),
        Err(_) => Ok(false),
    }
}

/// Every process but this one that has `name=value` in its environment, with its command line.
pub(crate) fn marked(name: &str, value: &str) -> Vec<(Identity, String)> {
    let own = std::process::id();
    let Ok(processes) = procfs::process::all_processes() else { return Vec::new() };
    processes
        .filter_map(Result::ok)
        .filter_map(|process| {
            let pid = u32::try_from(process.pid).ok().filter(|pid| *pid != own)?;
            let identity = Identity::from_pid(pid).filter(|found| found.carries(name, value))?;
            let command = process.cmdline().unwrap_or_default().join(" ");
            Some((identity, command))
        })
        .collect()
}

/// Every process whose command line begins with `title`, with the command line. For programs that write
/// their title over their environment; `title` must have a path that belongs to one world.
pub(crate) fn titled(title: &str) -> Vec<(Identity, String)> {
    let processes = procfs::process::all_processes().into_iter().flatten().filter_map(Result::ok);
    let titled = processes.filter_map(|process| {
        let identity = Identity::from_pid(u32::try_from(process.pid).ok()?)?;
        let command = process.cmdline().ok()?.join(" ");
        (command.starts_with(title) && identity.lives()).then_some((identity, command))
    });
    titled.collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[expect(clippy::disallowed_methods, reason = "the tests of identities need a process")]
    fn sleeper() -> std::process::Child {
        Command::new("sleep").arg("60").env("RACETRAP_TEST", "marked").spawn().expect("sleep runs")
    }

    // The same ID with another start time stands for a process that has ended, whose ID was
    // recycled.
    #[test]
    fn a_recycled_id_is_never_signalled() {
        let mut child = sleeper();
        let own = Identity::from_pid(child.id()).expect("it runs");
        let recycled = Identity { started: own.started + 1, ..own };
        recycled.signal(Signal::KILL).expect("no such process is no error");
        assert!(own.lives());
        own.signal(Signal::KILL).expect("it is ours");
        child.wait().expect("it ended");
        assert!(!own.lives());
        own.signal(Signal::KILL).expect("an ended process is no error");
    }

    #[tokio::test]
    async fn waiting_for_an_end_returns_whether_the_process_has_ended() {
        let mut child = sleeper();
        let own = Identity::from_pid(child.id()).expect("it runs");
        assert!(!wait_for_end(own, Duration::from_millis(1)).await.expect("a pidfd"));
        own.signal(Signal::KILL).expect("it is ours");
        assert!(wait_for_end(own, Duration::from_secs(10)).await.expect("a pidfd"));
        assert!(!own.is_gone(), "its parent has not waited for it yet");
        child.wait().expect("it ended");
        assert!(own.is_gone());
        assert!(wait_for_end(own, Duration::from_secs(10)).await.expect("no pidfd is needed"));
    }

    /// Waits until a child is found: between fork and exec, it still has its parent's environment and title.
    async fn until(found: impl Fn() -> bool) {
        let seen = crate::wait::polled("the child's own process", LIMIT, async || match found() {
            true => std::ops::ControlFlow::Break(()),
            false => std::ops::ControlFlow::Continue("not there yet".to_owned()),
        });
        seen.await.expect("sleep runs");
    }

    // Only the beginning of the command line counts: another program may name the same path later.
    #[tokio::test]
    async fn a_process_is_found_by_the_beginning_of_its_title() {
        let mut child = sleeper();
        let pid = child.id();
        let found = |title: &str| titled(title).iter().any(|(own, _)| own.pid == pid);
        until(|| found("sleep 6")).await;
        assert!(!found("60"));
        child.kill().expect("it is ours");
        child.wait().expect("it ended");
        assert!(!found("sleep 6"));
    }

    #[tokio::test]
    async fn a_process_is_found_by_the_whole_value_of_a_variable() {
        let mut child = sleeper();
        let found = |value: &str| {
            let marked = marked("RACETRAP_TEST", value);
            marked.into_iter().any(|(process, _)| process.pid == child.id())
        };
        until(|| found("marked")).await;
        assert!(!found("mark"));
        child.kill().expect("it is ours");
        child.wait().expect("it ended");
    }
}
