//! What a world stands on: its slot, its directory and its watcher. It is created before everything
//! else of the world, and destroyed after everything else.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use racetrap_history::{Owner, What};
use tokio::task::JoinSet;

use super::abandoned::capture_and_sweep;
use super::error::{WorldError, failed};
use super::layout::create_directory;
use super::options::WorldOptions;
use super::slot::Slot;
use super::sweep::sweep;
use crate::bundle::{CaptureTarget, Cause, capture};
use crate::process::{Child, Environment, MARKER, Spawn, Tasks, companion, join_all};
use crate::recorder::Recorder;
use crate::sys::{Signal, cgroups_of, marked, mounts_below, temporary_directory};
use crate::wait::polled;

/// How long the processes of a world may take to end when the world is closed.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Slot, environment, watcher and recorder of one world.
pub(super) struct Foundation {
    pub(super) slot: Slot,
    pub(super) environment: Environment,
    watcher: Child,
    pub(super) recorder: Recorder,
}

impl Foundation {
    /// Claims a slot, creates the world's directory, and starts the watcher. The watcher is the
    /// first process of the world, so that it can sweep all others if the harness is killed.
    pub(super) async fn create(
        options: &WorldOptions,
        tasks: &mut Tasks,
        recorder: &Recorder,
    ) -> Result<Self, WorldError> {
        let slot = Slot::claim(&temporary_directory())?;
        sweep_predecessor(&slot, recorder).await?;
        let environment = create_directory(&slot, options)?;
        let watcher = start_watcher(&slot, &environment, &mut tasks.keepers, recorder)?;
        Ok(Self { slot, environment, watcher, recorder: recorder.clone() })
    }

    /// Captures the world for its run's bundle, unless that was done before. Records a note if the
    /// bundle could not be written: that must not keep the world from being closed.
    ///
    /// Calls `before_end` before the daemon is asked for its stacks, which ends it.
    pub(super) async fn capture(&self, cause: Cause, before_end: impl FnOnce()) {
        let captured = match CaptureTarget::read(self.slot.directory()) {
            Ok(Some(target)) => capture(&target, cause, &self.recorder.masker(), before_end).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = captured {
            self.recorder.note(format!("the world could not be captured: {error}"));
        }
    }

    /// The name of the control group of this world's containers; no other world has it.
    pub(super) fn control_group(&self) -> String {
        format!("racetrap-{}", self.slot.marker())
    }

    /// Lists processes, mounts and control groups of the world that are left after all of its parts
    /// were told to end. Waits for the processes first, because some end a little later.
    pub(super) async fn leftovers(&self) -> Vec<String> {
        let (marker, directory) = (self.slot.marker(), self.slot.directory());
        let ended = polled("the world's processes to end", END_LIMIT, async || {
            let left = marked(MARKER, marker);
            if left.is_empty() {
                return ControlFlow::Break(());
            }
            let lines =
                left.iter().map(|(process, command)| format!("{} `{command}`", process.pid));
            ControlFlow::Continue(lines.collect::<Vec<_>>().join(", "))
        })
        .await;
        let mut lines: Vec<_> = ended.err().map(|error| error.to_string()).into_iter().collect();
        let mounts = mounts_below(directory);
        lines.extend(mounts.iter().map(|mount| format!("mount {}", mount.display())));
        let groups = cgroups_of(&self.control_group());
        lines.extend(groups.iter().map(|group| format!("control group {}", group.display())));
        lines
    }

    /// Ends and removes everything that is left of the world, gives its slot back, and records each
    /// leak: those that the caller found, and what could not be removed here.
    ///
    /// # Panics
    /// With the panic of any task in `tasks`.
    pub(super) async fn destroy(mut self, mut leaks: Vec<(Owner, String)>, tasks: Tasks) {
        let mut leak = |text: String| leaks.push((Owner::World, text));
        if let Err(error) = sweep(self.slot.directory()).await {
            leak(error.to_string());
        }
        // The watcher must live until the sweep is done: if the harness is killed now, it sweeps
        // again.
        if let Err(error) = self.watcher.end(Signal::KILL, END_LIMIT).await {
            leak(format!("watcher: {error}"));
        }
        // Clients and observers were aborted. Keepers end with their processes, which have ended.
        join_all(tasks.clients).await;
        join_all(tasks.observers).await;
        join_all(tasks.keepers).await;
        // Last, because another world may take the directory from here on.
        if let Err(error) = self.slot.release() {
            leak(format!("the world's lock: {error}"));
        }
        for (owner, text) in leaks {
            self.recorder.append(What::Leak { text, owner });
        }
    }
}

/// Captures and sweeps an earlier world in this slot, if its harness and its watcher were both
/// killed.
async fn sweep_predecessor(slot: &Slot, recorder: &Recorder) -> Result<(), WorldError> {
    if !slot.directory().exists() {
        return Ok(());
    }
    let swept = capture_and_sweep(slot.directory()).await.map_err(failed("room for a world"))?;
    let left = swept.leftovers.join(", ");
    recorder.note(format!("an earlier world was never closed; removed its files, and: {left}"));
    Ok(())
}

/// Starts the watcher without the world's marker, so that a sweep, which ends all processes with
/// the marker, does not end the watcher that runs it.
fn start_watcher(
    slot: &Slot,
    environment: &Environment,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<Child, WorldError> {
    let program = companion("racetrap")?;
    let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
    let spawn = Spawn {
        name: "watcher",
        program,
        arguments: vec![
            "watch".to_owned(),
            option("directory", slot.directory()),
            option("lock", &slot.lock_path()),
            format!("--marker={}", slot.marker()),
        ],
        environment: &environment.clone().without(MARKER),
        log: None,
    };
    Child::start(&spawn, tasks, recorder).map_err(failed("the watcher"))
}
