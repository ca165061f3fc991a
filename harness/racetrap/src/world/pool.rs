//! Worlds that wait for their next run.
//!
//! To start a world takes longer than most runs. After a run that passed, its world is reset; if
//! the reset proves that the world is like a new one, the pool keeps it for the next run that needs
//! such a world.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::future::join_all;
use racetrap_history::{Needs, VmMode, What};

use super::world::World;
use crate::chain::chain;
use crate::daemon::Prepared;
use crate::engine::EngineChoice;

/// Properties of a world that cannot be changed after its start. A run can use an idle world only
/// if both have the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The daemon's program.
    pub(crate) daemon: PathBuf,
    /// The defects that are switched on in it.
    pub(crate) defects: Vec<String>,
    /// How its VM is run.
    pub(crate) vm: VmMode,
    /// The engine that it mirrors.
    pub(crate) engine: EngineChoice,
    /// What the scenario needs, without its VM modes, of which `vm` is one.
    pub(crate) needs: Needs,
    /// Whether the harness's admission is installed in the daemon's API.
    pub(crate) has_admission: bool,
    /// Whether there is a wire before the daemon's API.
    pub(crate) has_client_wire: bool,
}

/// Idle worlds, shared by the runs of one command. Clones are the same pool.
#[derive(Clone, Default)]
pub struct Pool(Option<Arc<Shared>>);

struct Shared {
    /// How many worlds there may be, idle ones and leased ones together.
    worlds_max: usize,
    /// Databases of daemons that were started in one of the worlds.
    prepared: Prepared,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: VecDeque<Idle>,
    /// How many leases there are: runs that have a world, or are about to start one.
    leases: usize,
    /// How long runs may have waited for engines to forget events, since the last world was started
    /// to avoid that.
    waited: Duration,
    /// Notes for the history of the next run.
    notes: Vec<String>,
    closing: Closing,
}

struct Idle {
    key: Key,
    world: World,
}

/// What happened when worlds of a pool were closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// One line for each world that failed its reset, with what was left in it.
    pub unclean: Vec<String>,
    /// What was left of worlds after all of their parts were told to end.
    pub leaks: Vec<String>,
}

impl Pool {
    /// A pool for `jobs` runs at once. There are never more than twice as many worlds, idle ones
    /// included: a run can use one world while the engine of another forgets the last run's events.
    #[must_use]
    pub fn for_jobs(jobs: NonZeroUsize) -> Self {
        let worlds_max = 2 * jobs.get();
        let (prepared, state) = (Prepared::default(), Mutex::default());
        Self(Some(Arc::new(Shared { worlds_max, prepared, state })))
    }

    /// What worlds of this pool know of daemons that were started before. Without a pool, nothing.
    pub(crate) fn prepared(&self) -> Prepared {
        self.0.as_ref().map(|shared| shared.prepared.clone()).unwrap_or_default()
    }

    /// A pool that keeps no world: every run starts a new one.
    #[must_use]
    pub fn disabled() -> Self {
        Self(None)
    }

    /// Leases a world to a run: an idle world with this key, if there is one, and otherwise the
    /// right to start one. Closes idle worlds if there would be too many.
    pub(crate) async fn lease(&self, key: Key) -> Lease {
        let Some(shared) = &self.0 else {
            return Lease { shared: None, key, world: None, notes: Vec::new() };
        };
        let mut lease = Lease { shared: Some(shared.clone()), key, world: None, notes: Vec::new() };
        // The lock is not held while worlds are closed, which takes seconds.
        let surplus = {
            let mut state = shared.state();
            state.leases += 1;
            state.choose(&mut lease, shared.worlds_max)
        };
        join_all(surplus.into_iter().map(|world| shared.close(world))).await;
        lease.notes = std::mem::take(&mut shared.state().notes);
        lease
    }

    /// Closes every idle world, and returns what happened to all worlds that this pool has closed.
    ///
    /// # Panics
    /// With the panic of any task of a world.
    pub async fn close(&self) -> Closing {
        let Some(shared) = &self.0 else { return Closing::default() };
        let idle = std::mem::take(&mut shared.state().idle);
        // A world's close mostly waits for its processes to end.
        join_all(idle.into_iter().map(|Idle { world, .. }| shared.close(world))).await;
        std::mem::take(&mut shared.state().closing)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worlds_max = self.0.as_ref().map_or(0, |shared| shared.worlds_max);
        f.debug_struct("Pool").field("worlds_max", &worlds_max).finish()
    }
}

impl State {
    /// Moves an idle world with the lease's key into the lease, if there is one, and returns the
    /// worlds that must be closed.
    fn choose(&mut self, lease: &mut Lease, worlds_max: usize) -> Vec<World> {
        let mut surplus = Vec::new();
        while let Some(at) = self.idle.iter().position(|idle| idle.key == lease.key) {
            // A run in this world may have to wait until its engine has forgotten the last run.
            // Once such waits add up to more than the start of a world, another world is started,
            // if there may be one more: the runs after this one then find a world whose engine has
            // forgotten.
            let first = &self.idle[at].world;
            self.waited += first.remembers_for();
            let has_room = self.idle.len() + self.leases <= worlds_max;
            if has_room && self.waited > first.start_took() {
                self.waited = Duration::ZERO;
                return surplus;
            }
            let Idle { world, .. } = self.idle.remove(at).expect("it was found above");
            if world.lives() {
                lease.world = Some(world);
                return surplus;
            }
            self.notes.push(
                "an idle world's daemon or engine had ended, so that it was closed".to_owned(),
            );
            surplus.push(world);
        }
        // No world fits, so the run starts one. The oldest idle worlds make room for it.
        while self.idle.len() + self.leases > worlds_max
            && let Some(Idle { world, .. }) = self.idle.pop_front()
        {
            surplus.push(world);
        }
        surplus
    }
}

impl Shared {
    /// Closes a world in which no run goes on, and remembers its leaks.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only some of them matter here")]
    async fn close(&self, world: World) {
        // `close` consumes the world, and records its leaks in the history.
        let recorder = world.recorder().clone();
        world.close().await;
        let leaks = recorder.history().into_iter().filter_map(|record| match record.what {
            What::Leak { text, .. } => Some(text),
            _ => None,
        });
        self.state().closing.leaks.extend(leaks);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the pool")
    }
}

/// A run's share of a pool. While it exists, it counts as one world.
pub(crate) struct Lease {
    shared: Option<Arc<Shared>>,
    key: Key,
    /// An idle world that was reset; `None` if the run must start one.
    pub(crate) world: Option<World>,
    /// What the history of the run says about earlier worlds.
    pub(crate) notes: Vec<String>,
}

impl Lease {
    /// Whether the pool keeps worlds at all.
    pub(crate) fn keeps(&self) -> bool {
        self.shared.is_some()
    }

    /// Returns a world whose run is over. The pool keeps it if its reset succeeds, and closes it
    /// otherwise.
    pub(crate) async fn give_back(self, mut world: World) {
        let Some(shared) = self.shared.clone() else { return world.close().await };
        match world.reset().await {
            Ok(()) => {
                let key = self.key.clone();
                shared.state().idle.push_back(Idle { key, world });
            }
            // The run itself has passed; what its world leaves behind is reported beside the
            // verdict.
            Err(error) => {
                let why = chain(&error);
                shared.close(world).await;
                let mut state = shared.state();
                state.notes.push(format!("the world before was not used again: {why}"));
                state.closing.unclean.push(why);
            }
        }
    }

    /// Closes a world whose run is over, and which must not be used again.
    pub(crate) async fn close(self, world: World) {
        match self.shared.clone() {
            Some(shared) => shared.close(world).await,
            None => world.close().await,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.state().leases -= 1;
        }
    }
}
