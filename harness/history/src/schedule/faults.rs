//! Faults mean something, and what is broken is mended before anything is judged.

use super::error::ScheduleError;
use crate::scenario::{
    DaemonOp, DaemonStep, DockerStep, EngineOp, EngineStep, FaultStep, GateStep, Match, Scenario,
    Step, VmOp, WaitStep,
};

#[derive(Default)]
struct Broken {
    refusing: bool,
    engine_down: bool,
    engine_frozen: bool,
    daemon_down: bool,
    daemon_frozen: bool,
    vm_waits: bool,
    /// What waits for the daemon to come to an instant.
    armed: Option<DaemonOp>,
}

/// Refuses faults that can never happen, and a world that is judged while it cannot recover.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScheduleError> {
    let mut broken = Broken::default();
    for (index, step) in scenario.steps.iter().enumerate() {
        broken.apply(index, step)?;
    }
    Ok(())
}

impl Broken {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only faults and settling matter here")]
    fn apply(&mut self, index: usize, step: &Step) -> Result<(), ScheduleError> {
        let error = |problem: &str, expected: &str| ScheduleError::new(index, problem, expected);
        match step {
            Step::Fault(FaultStep::Refuse) if self.refusing => {
                return Err(error("connections are refused already", "`accept` before it"));
            }
            Step::Fault(FaultStep::Refuse) => self.refusing = true,
            Step::Fault(FaultStep::Accept) if !self.refusing => {
                return Err(error("connections are accepted already", "`refuse` before it"));
            }
            Step::Fault(FaultStep::Accept) => self.refusing = false,
            Step::Engine(EngineStep::Process(op)) => self.engine(index, *op)?,
            Step::Fault(FaultStep::Answer { status, .. }) if !(100..600).contains(status) => {
                return Err(error("this is no HTTP status", "a number from 100 to 599"));
            }
            Step::Fault(FaultStep::Answer { times: Some(0), .. }) => {
                return Err(error("a rule that answers nothing", "`times` of at least 1"));
            }
            Step::Fault(FaultStep::Answer { on, .. }) => check_count(index, on)?,
            Step::Gate(GateStep::Hold(hold)) => check_count(index, &hold.on)?,
            Step::Fault(FaultStep::Fault(fault)) if fault.times == Some(0) => {
                return Err(error("a fault that never happens", "`times` of at least 1"));
            }
            Step::Fault(FaultStep::Fault(fault)) => check_count(index, &fault.on)?,
            Step::Daemon(DaemonStep::Process(op)) => self.daemon(index, *op)?,
            Step::Daemon(DaemonStep::Vm(op)) => self.vm_waits = *op == VmOp::Wait,
            Step::Docker(DockerStep::KillAt(_)) => self.armed = Some(DaemonOp::Kill),
            Step::Docker(DockerStep::FreezeAt(_)) => self.armed = Some(DaemonOp::Freeze),
            Step::Docker(DockerStep::Killed) if self.armed.take() != Some(DaemonOp::Kill) => {
                return Err(error("nobody kills the daemon", "`kill_at` before `killed`"));
            }
            Step::Docker(DockerStep::Killed) => self.daemon(index, DaemonOp::Kill)?,
            Step::Docker(DockerStep::Frozen) if self.armed.take() != Some(DaemonOp::Freeze) => {
                return Err(error("nobody freezes the daemon", "`freeze_at` before `frozen`"));
            }
            Step::Docker(DockerStep::Frozen) => self.daemon(index, DaemonOp::Freeze)?,
            Step::Wait(WaitStep::Settle) if self.armed.is_some() => {
                let problem = "the world cannot settle while its daemon may be killed or frozen";
                return Err(error(problem, "`killed` or `frozen` before `settle`"));
            }
            Step::Wait(WaitStep::Settle) if self.vm_waits => {
                return Err(error("the world cannot settle while its VM waits", "`vm: go` before"));
            }
            Step::Wait(WaitStep::Settle) if self.daemon_down || self.daemon_frozen => {
                let problem = "the world cannot settle without its daemon";
                return Err(error(problem, "`daemon: start` or `daemon: thaw` before `settle`"));
            }
            Step::Wait(WaitStep::Settle) if self.refusing => {
                let problem = "the world cannot settle while connections are refused";
                return Err(error(problem, "`accept` before `settle`"));
            }
            Step::Wait(WaitStep::Settle) if self.engine_down || self.engine_frozen => {
                let problem = "the world cannot settle without its engine";
                return Err(error(problem, "`engine: start` or `engine: thaw` before `settle`"));
            }
            _ => {}
        }
        Ok(())
    }

    fn daemon(&mut self, index: usize, op: DaemonOp) -> Result<(), ScheduleError> {
        let runs = !self.daemon_down && !self.daemon_frozen;
        let (possible, expected) = match op {
            DaemonOp::Stop | DaemonOp::Freeze => (runs, "a daemon that runs"),
            DaemonOp::Kill => (!self.daemon_down, "a daemon that was not ended before"),
            DaemonOp::Start => (self.daemon_down, "`daemon: kill` or `daemon: stop` before it"),
            DaemonOp::Thaw => (self.daemon_frozen, "`daemon: freeze` before it"),
        };
        if !possible {
            let problem = "this cannot be done to the daemon here";
            return Err(ScheduleError::new(index, problem, expected));
        }
        match op {
            DaemonOp::Kill | DaemonOp::Stop => {
                self.daemon_down = true;
                self.daemon_frozen = false;
            }
            DaemonOp::Start => self.daemon_down = false,
            DaemonOp::Freeze => self.daemon_frozen = true,
            DaemonOp::Thaw => self.daemon_frozen = false,
        }
        Ok(())
    }

    fn engine(&mut self, index: usize, op: EngineOp) -> Result<(), ScheduleError> {
        let (possible, expected) = match op {
            EngineOp::Kill | EngineOp::Stop | EngineOp::Freeze => {
                (!self.engine_down && !self.engine_frozen, "an engine that runs")
            }
            EngineOp::Start => (self.engine_down, "`engine: kill` or `engine: stop` before it"),
            EngineOp::Thaw => (self.engine_frozen, "`engine: freeze` before it"),
        };
        if !possible {
            return Err(ScheduleError::new(
                index,
                "this cannot be done to the engine here",
                expected,
            ));
        }
        match op {
            EngineOp::Kill | EngineOp::Stop => self.engine_down = true,
            EngineOp::Start => self.engine_down = false,
            EngineOp::Freeze => self.engine_frozen = true,
            EngineOp::Thaw => self.engine_frozen = false,
        }
        Ok(())
    }
}

fn check_count(index: usize, on: &Match) -> Result<(), ScheduleError> {
    if on.nth == Some(0) {
        return Err(ScheduleError::new(
            index,
            "messages are counted from 1",
            "`nth` of at least 1",
        ));
    }
    Ok(())
}
