//! A trap that acts on the daemon (kills or freezes it) when it begins to write the configuration.
//!
//! The daemon may write in two ways:
//! - It creates a new file beside the configuration and renames it. The kernel holds the daemon
//!   when it opens the new file (fanotify) until the trap is dropped. So there is time for the
//!   action.
//! - It writes the configuration in place. The harness learns about that only after it has begun
//!   (inotify), and the action happens at once.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::recorder::Recorder;
use crate::sys::OpenGate;

/// What the trap does to the daemon.
pub(crate) type TrapAction = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// An armed trap. Dropping it lets a held daemon go on.
pub(crate) struct WriteTrap {
    pub(super) shared: SharedTrap,
    pub(super) reached: watch::Receiver<bool>,
    pub(super) _gate: OpenGate,
}

/// The part of a trap that the observers of the configuration have too.
#[derive(Clone)]
pub(super) struct SharedTrap {
    /// `None` after the action was carried out, which happens once.
    action: Arc<Mutex<Option<TrapAction>>>,
    reached: watch::Sender<bool>,
}

impl WriteTrap {
    /// Waits until the daemon begins to write. Returns false if that cannot happen any more.
    pub(crate) async fn reached(&mut self) -> bool {
        self.reached.wait_for(|reached| *reached).await.is_ok()
    }

    /// Carries out the action, unless that was done already. A held daemon stays held.
    pub(crate) fn act(&self, recorder: &Recorder) {
        self.shared.act(recorder);
    }
}

impl SharedTrap {
    /// A trap that nothing has reached, and the channel that announces when something does.
    pub(super) fn new(action: TrapAction) -> (Self, watch::Receiver<bool>) {
        let (reached, receiver) = watch::channel(false);
        (Self { action: Arc::new(Mutex::new(Some(action))), reached }, receiver)
    }

    /// Announces that the daemon begins to write.
    pub(super) fn set_reached(&self) {
        self.reached.send_replace(true);
    }

    /// Carries out the action once, then announces that the trap was reached.
    pub(super) fn act(&self, recorder: &Recorder) {
        let action = self.action.lock().expect("nothing panics while it holds the action").take();
        // The process may have ended by itself.
        if let Some(Err(error)) = action.map(|action| action()) {
            recorder.note(format!("the daemon could not be sent a signal: {error}"));
        }
        self.set_reached();
    }
}
