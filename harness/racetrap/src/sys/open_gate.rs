//! Holds processes that open a file, until the gate is dropped (fanotify(7)).

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::fanotify::{
    EventFFlags, Fanotify, FanotifyResponse, InitFlags, MarkFlags, MaskFlags, Response,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::CWD;
use rustix::io::Errno;

/// A gate before the files of one directory. When it is dropped, the processes that it holds go on.
pub(crate) struct OpenGate {
    /// The gate's thread ends when this end of the pair is closed.
    _open: UnixStream,
}

/// A process that opens a file, which it may have created by the same call.
#[derive(Debug)]
pub(crate) struct Opening {
    /// ID of the process.
    pub(crate) pid: u32,
    /// Path of the file.
    pub(crate) path: PathBuf,
}

impl OpenGate {
    /// Holds each call that opens a file of `directory`, if `holds` returns `true` for it. The
    /// thread that has made the call waits in the kernel, and its process can be killed; other
    /// threads go on.
    ///
    /// `holds` must not open a file in `directory` itself, because nobody would answer that call.
    ///
    /// # Errors
    /// If the kernel does not support such gates, or this process lacks the privilege.
    pub(crate) fn arm(
        directory: &Path,
        holds: impl FnMut(&Opening) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        // The default class gets no permission events, to which the kernel waits for an answer.
        let flags = InitFlags::FAN_CLASS_CONTENT | InitFlags::FAN_CLOEXEC | InitFlags::FAN_NONBLOCK;
        let group = Fanotify::init(flags, EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC)?;
        let on = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_ONLYDIR;
        let openings = MaskFlags::FAN_OPEN_PERM | MaskFlags::FAN_EVENT_ON_CHILD;
        group.mark(on, openings, CWD, Some(directory))?;
        let (open, closed) = UnixStream::pair()?;
        let thread = std::thread::Builder::new().name("open-gate".to_owned());
        // Not a task: a thread of the runtime may open a file there itself, and would then wait for
        // a task that cannot run.
        thread.spawn(move || serve(&group, &closed, holds))?;
        Ok(Self { _open: open })
    }
}

/// Lets each call go on that `holds` does not hold. The kernel lets the held ones go on when
/// `group` is closed, which happens when this function returns, also after an error.
fn serve(group: &Fanotify, closed: &UnixStream, mut holds: impl FnMut(&Opening) -> bool) {
    // An answer names its event by the event's descriptor. The descriptors of held events stay
    // open, so that no later event gets the same number.
    let mut held = Vec::new();
    loop {
        let events_fd = group.as_fd();
        let mut ready =
            [PollFd::new(&events_fd, PollFlags::IN), PollFd::new(closed, PollFlags::IN)];
        // The other end of `closed` is dropped with the gate.
        match poll(&mut ready, None) {
            Ok(_) if ready[1].revents().is_empty() => {}
            Err(Errno::INTR) => continue,
            Ok(_) | Err(_) => return,
        }
        let Ok(events) = group.read_events() else { return };
        for event in events {
            let Some(file) = event.fd() else { continue };
            let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
            let pid = u32::try_from(event.pid()).unwrap_or_default();
            if holds(&Opening { pid, path: path.unwrap_or_default() }) {
                held.push(event);
            } else {
                // An error means that the process was killed meanwhile.
                let _ = group.write_response(FanotifyResponse::new(file, Response::FAN_ALLOW));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    // The thread is held between the creation of the file and its first write, so the file must
    // exist and be empty. Another file is created while the thread is held.
    #[test]
    fn a_thread_that_creates_a_file_is_held_until_the_gate_is_dropped() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let (sender, openings) = mpsc::channel();
        let gate = OpenGate::arm(place.path(), move |opening| {
            let held = opening.path.ends_with("held");
            if held {
                sender.send((opening.pid, opening.path.clone())).expect("the test listens");
            }
            held
        });
        let gate = gate.expect("tests of worlds run as root");
        let path = place.path().join("held");
        let maker = std::thread::spawn({
            let path = path.clone();
            move || std::fs::write(path, "whole")
        });
        assert_eq!(openings.recv().expect("the gate sends it"), (std::process::id(), path.clone()));
        std::fs::write(place.path().join("other"), "whole").expect("it is written");
        assert_eq!(std::fs::metadata(&path).expect("it was made").len(), 0);
        drop(gate);
        maker.join().expect("it ends").expect("it is written");
        assert_eq!(std::fs::read(&path).expect("it was written"), b"whole");
    }
}
