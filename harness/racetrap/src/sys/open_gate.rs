//! Holds whoever opens a file, until it is decided what becomes of them (fanotify(7)).

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

/// Stands before the files of one directory for as long as it lives; whom it holds goes on when it goes.
pub(crate) struct OpenGate {
    /// The gate's thread ends when this is closed.
    _open: UnixStream,
}

/// A process that waits for the file that it opens, and may have made just now.
#[derive(Debug)]
pub(crate) struct Opening {
    /// Who opens it.
    pub(crate) pid: u32,
    /// Where the file is.
    pub(crate) path: PathBuf,
}

impl OpenGate {
    /// Holds those openings of files of this directory of which `holds` says so, before they take place.
    /// Who is held waits in the kernel, can be killed, and of the same process the other threads go on.
    /// `holds` must open nothing there itself.
    ///
    /// # Errors
    /// Where the kernel has no such gates, or this process may not have one.
    pub(crate) fn arm(
        directory: &Path,
        holds: impl FnMut(&Opening) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let flags = InitFlags::FAN_CLASS_CONTENT | InitFlags::FAN_CLOEXEC | InitFlags::FAN_NONBLOCK;
        let group = Fanotify::init(flags, EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC)?;
        let on = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_ONLYDIR;
        let openings = MaskFlags::FAN_OPEN_PERM | MaskFlags::FAN_EVENT_ON_CHILD;
        group.mark(on, openings, CWD, Some(directory))?;
        let (open, closed) = UnixStream::pair()?;
        let thread = std::thread::Builder::new().name("open-gate".to_owned());
        // A thread of its own, because a task of the runtime may come to the gate itself.
        thread.spawn(move || serve(&group, &closed, holds))?;
        Ok(Self { _open: open })
    }
}

/// Answers each opening that is not held. Those that are go on when the group is closed, also after an
/// error.
fn serve(group: &Fanotify, closed: &UnixStream, mut holds: impl FnMut(&Opening) -> bool) {
    // An answer names its event by a descriptor: that of one without an answer must not be used again.
    let mut held = Vec::new();
    loop {
        let events_fd = group.as_fd();
        let mut ready =
            [PollFd::new(&events_fd, PollFlags::IN), PollFd::new(closed, PollFlags::IN)];
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
                // Of one that was killed meanwhile there is nobody left to be told.
                let _ = group.write_response(FanotifyResponse::new(file, Response::FAN_ALLOW));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    // What the maker writes comes after the gate, so the file must be there and empty; another one, which
    // comes later, is not held with it.
    #[test]
    fn who_makes_a_file_waits_until_the_gate_goes() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let (told, openings) = mpsc::channel();
        let gate = OpenGate::arm(place.path(), move |opening| {
            let held = opening.path.ends_with("held");
            if held {
                told.send((opening.pid, opening.path.clone())).expect("the test listens");
            }
            held
        });
        let gate = gate.expect("tests of worlds run as root");
        let path = place.path().join("held");
        let maker = std::thread::spawn({
            let path = path.clone();
            move || std::fs::write(path, "whole")
        });
        assert_eq!(openings.recv().expect("the gate stands"), (std::process::id(), path.clone()));
        std::fs::write(place.path().join("other"), "whole").expect("it is written");
        assert_eq!(std::fs::metadata(&path).expect("it was made").len(), 0);
        drop(gate);
        maker.join().expect("it ends").expect("it is written");
        assert_eq!(std::fs::read(&path).expect("nobody is held any more"), b"whole");
    }
}
