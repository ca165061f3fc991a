//! What is done to the daemon at the instant at which it begins to write the configuration.
//!
//! A daemon that makes a new file beside it, to put it in its place, is held as it opens that file, until
//! the strike falls; nobody has to be quick. A write in the configuration's place is heard of when it has
//! begun, and the strike falls by itself.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::recorder::Recorder;
use crate::sys::OpenGate;

/// Does it.
pub(crate) type Blow = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// Waits for its instant.
pub(crate) struct Strike {
    pub(super) pending: Pending,
    pub(super) reached: watch::Receiver<bool>,
    /// Who is held goes on when this goes.
    pub(super) _gate: OpenGate,
}

/// The same, as it is known to those who see the instant come.
#[derive(Clone)]
pub(super) struct Pending {
    pub(super) blow: Arc<Mutex<Option<Blow>>>,
    pub(super) reached: watch::Sender<bool>,
}

impl Strike {
    /// Waits for the instant; false where it cannot come any more.
    pub(crate) async fn reached(&mut self) -> bool {
        self.reached.wait_for(|reached| *reached).await.is_ok()
    }

    /// Strikes, unless that was done already; whom it holds is held on.
    pub(crate) fn fall(&self, recorder: &Recorder) {
        self.pending.fall(recorder);
    }
}

impl Pending {
    pub(super) fn fall(&self, recorder: &Recorder) {
        let blow = self.blow.lock().expect("nothing panics while it strikes").take();
        if let Some(Err(error)) = blow.map(|blow| blow()) {
            recorder.note(format!("the daemon could not be sent a signal: {error}"));
        }
        self.reached.send_replace(true);
    }
}
