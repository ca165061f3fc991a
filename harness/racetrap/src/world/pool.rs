//! Worlds that wait for their next run.
//!
//! Making a world takes longer than most runs. One whose run has passed, and which is proved to be
//! like a new one after its reset, is kept for the next run that needs the same.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use racetrap_history::{Needs, VmMode, What};

use super::world::World;
use crate::chain::chain;
use crate::engine::EngineChoice;

/// What cannot be changed in a world once it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The daemon's program.
    pub(crate) daemon: PathBuf,
    /// Its defects.
    pub(crate) defects: Vec<String>,
    /// How its VM is run.
    pub(crate) vm: VmMode,
    /// Which engine it mirrors.
    pub(crate) engine: EngineChoice,
    /// What the scenario needs; its VM modes do not matter any more.
    pub(crate) needs: Needs,
    /// The daemon's API asks the harness about writes.
    pub(crate) has_admission: bool,
    /// A wire stands before the daemon's API.
    pub(crate) has_client_wire: bool,
}

/// Idle worlds, shared by the runs of a command; clones are the same pool.
#[derive(Clone, Default)]
pub struct Pool(Option<Arc<Shared>>);

struct Shared {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: VecDeque<Idle>,
    /// Runs that have a world, or are about to make one.
    seated: usize,
    /// How long runs may have waited for engines to forget since the last world was made for that.
    waited: Duration,
    /// What the next run is to be told.
    notes: Vec<String>,
    closing: Closing,
}

struct Idle {
    key: Key,
    world: World,
}

/// What came of the worlds of a pool that were closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// Worlds that were not like new ones after a run, and were not used again: what was left.
    pub unclean: Vec<String>,
    /// What would not go when a world was closed.
    pub leaks: Vec<String>,
}

impl Pool {
    /// A pool for so many runs at once. There are never more worlds than twice that, idle ones
    /// included: while one is used, the engine of another forgets what was in it.
    #[must_use]
    pub fn of(jobs: NonZeroUsize) -> Self {
        Self(Some(Arc::new(Shared { most: 2 * jobs.get(), state: Mutex::default() })))
    }

    /// A pool that keeps nothing: every run has a world of its own.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// A place for a run, with an idle world in it if one fits. Otherwise an idle one is closed
    /// where there would be too many worlds.
    pub(crate) async fn seat(&self, key: Key) -> Seat {
        let Some(shared) = &self.0 else {
            return Seat { shared: None, key, world: None, notes: Vec::new() };
        };
        let mut seat = Seat { shared: Some(shared.clone()), key, world: None, notes: Vec::new() };
        let surplus = {
            let mut state = shared.state();
            state.seated += 1;
            state.choose(&mut seat, shared.most)
        };
        for world in surplus {
            shared.close(world).await;
        }
        seat.notes = std::mem::take(&mut shared.state().notes);
        seat
    }

    /// Closes every idle world, and tells what came of all that were closed.
    ///
    /// # Panics
    /// With the panic of any task of a world.
    pub async fn close(&self) -> Closing {
        let Some(shared) = &self.0 else { return Closing::default() };
        let idle = std::mem::take(&mut shared.state().idle);
        for Idle { world, .. } in idle {
            shared.close(world).await;
        }
        std::mem::take(&mut shared.state().closing)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.0.as_ref().map_or(0, |shared| shared.most);
        f.debug_struct("Pool").field("most", &most).finish()
    }
}

impl State {
    /// Puts a world that fits into the seat; gives the worlds that must be closed. Where runs have
    /// waited for engines to forget longer than a new world takes, that is made, if there is room.
    fn choose(&mut self, seat: &mut Seat, most: usize) -> Vec<World> {
        let mut surplus = Vec::new();
        while let Some(at) = self.idle.iter().position(|idle| idle.key == seat.key) {
            let first = &self.idle[at].world;
            self.waited += first.remembers_for();
            let has_room = self.idle.len() + self.seated <= most;
            if has_room && self.waited > first.made_in() {
                self.waited = Duration::ZERO;
                return surplus;
            }
            let Idle { world, .. } = self.idle.remove(at).expect("it was just found");
            if world.lives() {
                seat.world = Some(world);
                return surplus;
            }
            self.notes.push(
                "an idle world's daemon or engine had ended, so that it was closed".to_owned(),
            );
            surplus.push(world);
        }
        while self.idle.len() + self.seated > most
            && let Some(Idle { world, .. }) = self.idle.pop_front()
        {
            surplus.push(world);
        }
        surplus
    }
}

impl Shared {
    /// Closes a world that no run is in, and remembers what would not go.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only some of them matter here")]
    async fn close(&self, world: World) {
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

/// One run's place among the worlds of a pool.
pub(crate) struct Seat {
    shared: Option<Arc<Shared>>,
    key: Key,
    /// A world that is like a new one.
    pub(crate) world: Option<World>,
    /// What the run's history is to tell of worlds before it.
    pub(crate) notes: Vec<String>,
}

impl Seat {
    /// Whether a world can be given back at all.
    pub(crate) fn keeps(&self) -> bool {
        self.shared.is_some()
    }

    /// Gives back a world whose run is over. It is kept if it can be made like a new one, and
    /// closed otherwise.
    pub(crate) async fn give_back(self, mut world: World) {
        let Some(shared) = self.shared.clone() else { return world.close().await };
        match world.reset().await {
            Ok(()) => {
                let key = self.key.clone();
                shared.state().idle.push_back(Idle { key, world });
            }
            Err(error) => {
                let why = chain(&error);
                shared.close(world).await;
                let mut state = shared.state();
                state.notes.push(format!("the world before was not used again: {why}"));
                state.closing.unclean.push(why);
            }
        }
    }

    /// Closes a world whose run is over, and must not be used again.
    pub(crate) async fn close(self, world: World) {
        match self.shared.clone() {
            Some(shared) => shared.close(world).await,
            None => world.close().await,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.state().seated -= 1;
        }
    }
}
