//! Faults mean something, and what is broken is mended before anything is judged.

use super::error::ScheduleError;
use super::guest::GuestState;
use crate::scenario::{
    DaemonOp, DaemonStep, DockerStep, EngineOp, EngineStep, Fault, FaultKind, FaultStep, GateStep,
    Match, Scenario, Step, VmOp, VmRole, WaitStep,
};

#[derive(Default)]
struct Broken {
    refusing: bool,
    engine_down: bool,
    engine_frozen: bool,
    guest: GuestState,
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
    fn apply(&mut self, index: usize, step: &Step) -> Result<(), ScheduleError> {
        match step {
            Step::Engine(EngineStep::Process(op)) => self.engine(index, *op),
            Step::Engine(EngineStep::Guest(op)) => {
                self.guest.apply(index, *op)?;
                // A guest that boots starts its engine.
                if op.boots() {
                    (self.engine_down, self.engine_frozen) = (false, false);
                }
                Ok(())
            }
            Step::Daemon(DaemonStep::Process(op)) => self.daemon(index, *op),
            Step::Daemon(DaemonStep::Vm(op)) => {
                self.vm_waits = *op == VmOp::Wait;
                Ok(())
            }
            Step::Daemon(DaemonStep::Bystander(step)) => {
                let is_file = |role: &VmRole| *role != VmRole::Bystander;
                match !step.files_of.is_empty() && step.files_of.iter().all(is_file) {
                    true => Ok(()),
                    false => Err(ScheduleError::new(
                        index,
                        "no pid file of a VM is named",
                        "`hostagent` or `driver` in `files_of`",
                    )),
                }
            }
            Step::Daemon(DaemonStep::VmProcess(step)) => match step.of {
                VmRole::Hostagent | VmRole::Driver => Ok(()),
                VmRole::Bystander => Err(ScheduleError::new(
                    index,
                    "a bystander is left alone",
                    "`of: hostagent` or `of: driver`",
                )),
            },
            Step::Daemon(DaemonStep::SshKeys(_) | DaemonStep::Wsl(_)) => Ok(()),
            Step::Gate(GateStep::Hold(hold)) => check_count(index, &hold.on),
            Step::Fault(step) => self.fault(index, step),
            Step::Docker(step) => self.docker(index, step),
            Step::Wait(WaitStep::Settle) => self.settle(index),
            Step::Engine(_)
            | Step::Gate(
                GateStep::HoldWrite(_)
                | GateStep::Reached(_)
                | GateStep::Release(_)
                | GateStep::Serial(_)
                | GateStep::Free,
            )
            | Step::Wait(WaitStep::Await(_))
            | Step::Command(_)
            | Step::Api(_)
            | Step::Kubernetes(_)
            | Step::Log(_)
            | Step::Neighbour(_) => Ok(()),
        }
    }

    fn fault(&mut self, index: usize, step: &FaultStep) -> Result<(), ScheduleError> {
        let error =
            |problem: &str, expected: &str| Err(ScheduleError::new(index, problem, expected));
        match step {
            FaultStep::Refuse if self.refusing => {
                error("connections are refused already", "`accept` before it")
            }
            FaultStep::Accept if !self.refusing => {
                error("connections are accepted already", "`refuse` before it")
            }
            FaultStep::Refuse | FaultStep::Accept => {
                self.refusing = *step == FaultStep::Refuse;
                Ok(())
            }
            FaultStep::Answer { status, .. } if !(100..600).contains(status) => {
                error("this is no HTTP status", "a number from 100 to 599")
            }
            FaultStep::Answer { times: Some(0), .. } => {
                error("a rule that answers nothing", "`times` of at least 1")
            }
            FaultStep::Answer { status: 204 | 304, body: Some(_), .. } => {
                error("an answer with this status has no body", "another status, or no `body`")
            }
            FaultStep::Answer { on, .. } => check_count(index, on),
            FaultStep::Fault(fault) if fault.times == Some(0) => {
                error("a fault that never happens", "`times` of at least 1")
            }
            FaultStep::Fault(fault) => {
                check_rewrite(index, fault)?;
                check_count(index, &fault.on)
            }
            FaultStep::Cut(_)
            | FaultStep::DenyWrite { .. }
            | FaultStep::Happened(_)
            | FaultStep::Lift(_)
            | FaultStep::Record { .. }
            | FaultStep::Inject { .. }
            | FaultStep::ReplaceSocket => Ok(()),
        }
    }

    fn docker(&mut self, index: usize, step: &DockerStep) -> Result<(), ScheduleError> {
        let (awaited, problem, expected) = match step {
            DockerStep::KillAt(_) => {
                self.armed = Some(DaemonOp::Kill);
                return Ok(());
            }
            DockerStep::FreezeAt(_) => {
                self.armed = Some(DaemonOp::Freeze);
                return Ok(());
            }
            DockerStep::Killed => {
                (DaemonOp::Kill, "nobody kills the daemon", "`kill_at` before `killed`")
            }
            DockerStep::Frozen => {
                (DaemonOp::Freeze, "nobody freezes the daemon", "`freeze_at` before `frozen`")
            }
            DockerStep::Run(_)
            | DockerStep::Endpoint(_)
            | DockerStep::File(_)
            | DockerStep::Disk(_) => return Ok(()),
        };
        if self.armed.take() != Some(awaited) {
            return Err(ScheduleError::new(index, problem, expected));
        }
        self.daemon(index, awaited)
    }

    /// Refuses to settle a world that cannot recover.
    fn settle(&self, index: usize) -> Result<(), ScheduleError> {
        let reasons = [
            (
                self.armed.is_some(),
                "the world cannot settle while its daemon may be killed or frozen",
                "`killed` or `frozen` before `settle`",
            ),
            (self.vm_waits, "the world cannot settle while its VM waits", "`vm: go` before"),
            (
                self.daemon_down || self.daemon_frozen,
                "the world cannot settle without its daemon",
                "`daemon: start` or `daemon: thaw` before `settle`",
            ),
            (
                self.refusing,
                "the world cannot settle while connections are refused",
                "`accept` before `settle`",
            ),
            (
                self.engine_down || self.engine_frozen,
                "the world cannot settle without its engine",
                "`engine: start` or `engine: thaw` before `settle`",
            ),
            (
                self.guest.is_broken(),
                "the world cannot settle while its guest is not whole",
                "`guest: power_on`, `resume`, `nic_up`, `forward` or `{disk: normal}` before `settle`; after `{disk: failing}` the guest must boot, too",
            ),
        ];
        match reasons.into_iter().find(|(holds, ..)| *holds) {
            Some((_, problem, expected)) => Err(ScheduleError::new(index, problem, expected)),
            None => Ok(()),
        }
    }

    fn daemon(&mut self, index: usize, op: DaemonOp) -> Result<(), ScheduleError> {
        let runs = !self.daemon_down && !self.daemon_frozen;
        let (possible, expected) = match op {
            DaemonOp::Stop | DaemonOp::StopLate | DaemonOp::Freeze => (runs, "a daemon that runs"),
            DaemonOp::Kill => (!self.daemon_down, "a daemon that was not ended before"),
            DaemonOp::Start => (self.daemon_down, "`daemon: kill` or `daemon: stop` before it"),
            DaemonOp::Thaw => (self.daemon_frozen, "`daemon: freeze` before it"),
        };
        if !possible {
            let problem = "this cannot be done to the daemon here";
            return Err(ScheduleError::new(index, problem, expected));
        }
        match op {
            DaemonOp::Kill | DaemonOp::Stop | DaemonOp::StopLate => {
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

/// Refuses a rewrite of nothing, and of a head that would not be one any more.
fn check_rewrite(index: usize, fault: &Fault) -> Result<(), ScheduleError> {
    let FaultKind::Rewrite { set, remove, head } = &fault.kind else { return Ok(()) };
    let error = |problem: String, expected: &str| Err(ScheduleError::new(index, problem, expected));
    if set.is_empty() && remove.is_empty() && head.is_empty() {
        return error("a rewrite that changes nothing".to_owned(), "`set`, `remove` or `head`");
    }
    if !head.is_empty() && !fault.on.frame.is_empty() {
        return error("a frame has no head".to_owned(), "`head` without `frame`");
    }
    for (name, value) in head {
        // RFC 9110, 5.6.2: the characters of a token.
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_token) {
            return error(
                format!("`{name}` is no field of a head"),
                "a name such as `Api-Version`",
            );
        }
        let framing = ["content-length", "transfer-encoding", "connection", "upgrade"];
        if framing.contains(&name.to_ascii_lowercase().as_str()) {
            let problem = format!("`{name}` says where the body ends, and stays as it is");
            return error(problem, "another field");
        }
        let is_shown = |c: char| c == ' ' || c.is_ascii_graphic();
        if value.as_ref().is_some_and(|value| !value.chars().all(is_shown)) {
            return error(format!("the value of `{name}` cannot be sent"), "printable ASCII");
        }
    }
    Ok(())
}
