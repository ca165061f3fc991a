//! What can be done to the guest that runs the engine, and whether it is whole.

use super::error::ScheduleError;
use crate::scenario::{GuestDisk, GuestMemory, GuestOp};

/// What earlier steps have done to the guest.
#[derive(Default)]
pub(super) struct GuestState {
    /// What the disk does, unless it works.
    disk: Option<GuestDisk>,
    /// Writes have failed since the last boot.
    must_boot: bool,
    memory_is_scarce: bool,
    is_off: bool,
    is_paused: bool,
    network_is_down: bool,
    has_no_forward: bool,
}

impl GuestState {
    /// Refuses a step that cannot be done to the guest here.
    pub(super) fn apply(&mut self, index: usize, op: GuestOp) -> Result<(), ScheduleError> {
        let is_held = self.is_paused || self.disk == Some(GuestDisk::Full);
        let runs = !self.is_off && !is_held;
        let (possible, expected) = match op {
            GuestOp::PowerCut => (!self.is_off, "a guest that is on"),
            GuestOp::PowerOn => {
                (self.is_off, "`guest: power_cut` or `guest: kill_hostagent` before it")
            }
            GuestOp::Pause | GuestOp::KillHostagent | GuestOp::Clock(_) => {
                (runs, "a guest that runs")
            }
            // It could not boot from such a disk.
            GuestOp::Reset | GuestOp::Panic => {
                (runs && self.disk.is_none(), "a guest that runs, with a disk that works")
            }
            GuestOp::Disk(GuestDisk::Normal) => (
                !self.is_off && !self.is_paused && self.disk.is_some(),
                "`guest: {disk: …}` before it",
            ),
            GuestOp::Disk(_) => (
                runs && self.disk.is_none() && !self.must_boot,
                "a guest that runs, with a disk that works",
            ),
            GuestOp::Memory(GuestMemory::Scarce) => {
                (runs && !self.memory_is_scarce, "a guest that runs, with its memory")
            }
            GuestOp::Memory(GuestMemory::Normal) => {
                (runs && self.memory_is_scarce, "`guest: {memory: scarce}` before it")
            }
            GuestOp::Resume => (self.is_paused, "`guest: pause` before it"),
            GuestOp::NicDown => (runs && !self.network_is_down, "a guest with its network"),
            GuestOp::NicUp => (self.network_is_down, "`guest: nic_down` before it"),
            GuestOp::KillForward => {
                (!self.is_off && !self.has_no_forward, "a guest with its forward")
            }
            GuestOp::Forward => (
                runs && !self.network_is_down && self.has_no_forward,
                "a guest that runs and has a network, and `guest: kill_forward` or `guest: reset` before it",
            ),
        };
        if !possible {
            let problem = "this cannot be done to the guest here";
            return Err(ScheduleError::new(index, problem, expected));
        }
        match op {
            // Without its hostagent, the machine is ended by the daemon, and another one is booted.
            GuestOp::PowerCut | GuestOp::KillHostagent => {
                *self = Self { is_off: true, ..Self::default() };
            }
            GuestOp::PowerOn => self.is_off = false,
            // The forward hangs from then on: nothing tells `ssh` that its peer is gone.
            GuestOp::Reset | GuestOp::Panic => {
                (self.must_boot, self.memory_is_scarce) = (false, false);
                self.has_no_forward = true;
            }
            GuestOp::KillForward => self.has_no_forward = true,
            GuestOp::Pause => self.is_paused = true,
            GuestOp::Resume => self.is_paused = false,
            GuestOp::NicDown => self.network_is_down = true,
            GuestOp::NicUp => self.network_is_down = false,
            GuestOp::Forward => self.has_no_forward = false,
            GuestOp::Clock(_) => {}
            GuestOp::Disk(disk) => {
                self.must_boot |= disk == GuestDisk::Failing;
                self.disk = (disk != GuestDisk::Normal).then_some(disk);
            }
            GuestOp::Memory(memory) => self.memory_is_scarce = memory == GuestMemory::Scarce,
        }
        Ok(())
    }

    /// Whether the daemon cannot reach its engine because of the guest.
    pub(super) fn is_broken(&self) -> bool {
        let cannot_write = self.must_boot || self.disk == Some(GuestDisk::Full);
        self.is_off || self.is_paused || self.network_is_down || self.has_no_forward || cannot_write
    }
}
