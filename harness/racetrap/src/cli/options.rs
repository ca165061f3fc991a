//! Options that several subcommands have.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use miette::{IntoDiagnostic as _, WrapErr as _};
use racetrap_history::{FindingId, Scenario, VmMode};

use super::daemon::Daemon;
use super::evidence::evidence_in;
use super::exit::Failure;
use super::targets::Target;
use crate::catalogue::Catalogue;
use crate::deadline::Deadlines;
use crate::known::KnownFailures;
use crate::report::{self, Paint};
use crate::run::{EndAt, RunOptions, Stop};
use crate::vm::GuestVersion;
use crate::world::{EngineChoice, EngineKind, Pool};

/// The default directory for evidence.
pub(super) const EVIDENCE: &str = ".racetrap/evidence";

/// Which daemon is run.
#[derive(Clone, Debug, Args)]
pub(super) struct DaemonArgs {
    /// The daemon's program [default: the variable RDD_BIN, or else the reference daemon]
    #[arg(long, value_name = "PATH")]
    pub(super) daemon: Option<PathBuf>,
}

/// In what kind of world a scenario runs, and what is kept of it.
#[derive(Clone, Debug, Args)]
pub(super) struct WorldArgs {
    /// Keep the evidence of runs that pass, too
    #[arg(long)]
    pub(super) keep: bool,
    /// Directory for the evidence; each run gets a subdirectory
    #[arg(long, value_name = "DIR", default_value = EVIDENCE)]
    pub(super) evidence: PathBuf,
    /// How the daemon's VM is run [default: the first mode that both daemon and scenario support]
    #[arg(long, value_enum, value_name = "MODE")]
    pub(super) vm: Option<Vm>,
    /// Which engine the daemon mirrors: the machine's dockerd, or one of `racetrap engine list` or
    /// `racetrap vm list`
    ///
    /// `dockerd` is the machine's own, `dockerd:VERSION` an installed one, and `dind:VERSION` runs
    /// in a privileged container on your Docker, which DOCKER_HOST names. Append `+overlay2` or
    /// `+containerd` to choose the image store. `vm:VERSION` runs in a virtual machine, which
    /// `lima:VERSION` boots by an installed Lima.
    #[arg(long, value_name = "ENGINE", default_value_t)]
    pub(super) engine: EngineChoice,
    #[command(flatten)]
    pub(super) deadlines: DeadlineArgs,
}

/// Limits of time.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct DeadlineArgs {
    /// How long each step of a scenario may take [default: 30, with an engine in a guest 120]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) deadline: Option<Duration>,
    /// How long a run may take until its last step ends, including the start of its world [default:
    /// 300, with an engine in a guest 900]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) run_deadline: Option<Duration>,
    /// When a supervisor will kill racetrap; racetrap stops before that and writes its evidence
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    killed_after: Option<Duration>,
}

impl DeadlineArgs {
    /// The deadlines, after a check that each leaves enough time for what follows it.
    /// Those that are not given are `default`.
    fn checked(self, default: Deadlines) -> Result<Deadlines, Failure> {
        let step = self.deadline.unwrap_or(default.step());
        let deadlines = Deadlines::new(step, self.run_deadline.unwrap_or(default.run()));
        let deadlines = match self.killed_after {
            Some(kill) => deadlines.and_then(|deadlines| deadlines.before(kill)),
            None => deadlines,
        };
        deadlines.map_err(|error| Failure::usage(error.into()))
    }
}

/// How many runs there may be at once.
#[derive(Clone, Debug, Args)]
pub(super) struct JobsArgs {
    /// How many runs there may be at once
    #[arg(long, value_name = "N", default_value = "2", value_parser = at_least_one)]
    pub(super) jobs: NonZeroUsize,
    /// Start a new world for every run instead of resetting a used one
    #[arg(long)]
    fresh: bool,
}

impl JobsArgs {
    /// The pool through which runs reuse worlds.
    pub(super) fn pool(&self) -> Pool {
        if self.fresh { Pool::disabled() } else { Pool::for_jobs(self.jobs) }
    }
}

/// Failures that are known.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct KnownArgs {
    /// A list of known failures: what fails only as listed does not fail the command
    ///
    /// A YAML list of `{finding, oracle, why, since}`, and for searches `{check, oracle, why, since}`, as
    /// docs/formats.md describes it. What is listed and passes is reported as repaired.
    #[arg(long, value_name = "FILE")]
    pub(super) known: Option<PathBuf>,
}

impl KnownArgs {
    /// Reads the list. It may name findings of the catalogue and those that are run.
    pub(super) fn read<'a>(
        &self,
        run: impl Iterator<Item = &'a Scenario>,
    ) -> Result<KnownFailures, Failure> {
        let Some(path) = &self.known else { return Ok(KnownFailures::default()) };
        let catalogue = Catalogue::embedded()?;
        let ids: BTreeSet<_> = catalogue
            .ids()
            .chain(run.map(|scenario| &scenario.finding))
            .map(FindingId::as_str)
            .collect();
        let ids: Vec<_> = ids.into_iter().collect();
        Ok(KnownFailures::read(path, Some(&ids))?)
    }

    /// Reads the list for searches, which compare nothing with its findings.
    pub(super) fn read_for_searches(&self) -> Result<KnownFailures, Failure> {
        let read = self.known.as_deref().map(|path| KnownFailures::read(path, None));
        Ok(read.transpose()?.unwrap_or_default())
    }
}

/// Whether a scenario runs without its faults.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ControlArgs {
    /// Run only the workload, without gates and faults; a failure is then a false alarm
    #[arg(long)]
    pub(super) control: bool,
}

/// Defects of the reference daemon.
#[derive(Clone, Debug, Args)]
pub(super) struct DefectArgs {
    /// Switch on a defect of the reference daemon; may be given several times
    #[arg(long = "defect", value_name = "NAME")]
    pub(super) defects: Vec<String>,
}

/// [`VmMode`] as a command-line value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Vm {
    /// The harness plays the VM through the daemon's API
    Api,
    /// The daemon boots the VM itself; only the QEMU program is a stand-in
    Program,
    /// The daemon's own Lima boots a guest with the engine in it
    Guest,
}

impl From<Vm> for VmMode {
    fn from(vm: Vm) -> Self {
        match vm {
            Vm::Api => Self::Api,
            Vm::Program => Self::Program,
            Vm::Guest => Self::Guest,
        }
    }
}

impl ControlArgs {
    /// The targets, or their control runs if the user asked for those.
    pub(super) fn apply(self, mut targets: Vec<Target>) -> Vec<Target> {
        if self.control {
            for target in &mut targets {
                target.scenario = target.scenario.control();
            }
        }
        targets
    }
}

/// Parses a number of runs.
pub(super) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number, at least 1".to_owned())
}

/// Parses a number of seconds.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(0) | Err(_) => Err("expected a whole number of seconds, at least 1".to_owned()),
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
    }
}

impl WorldArgs {
    /// The engine: in VM mode `guest` that of a guest, if none was chosen.
    pub(super) fn engine(&self) -> EngineChoice {
        if self.vm == Some(Vm::Guest) && self.engine == EngineChoice::default() {
            return EngineChoice { kind: EngineKind::Guest(GuestVersion::V20_10), store: None };
        }
        self.engine
    }

    /// The deadlines of every run with these arguments.
    pub(super) fn deadlines(&self) -> Result<Deadlines, Failure> {
        let in_guest = self.engine().guest().is_some();
        let default = if in_guest { Deadlines::IN_GUEST } else { Deadlines::DEFAULT };
        self.deadlines.checked(default)
    }

    /// The line that says how much evidence lies in `place`.
    pub(super) fn evidence_line(&self, place: &Path, paint: Paint) -> String {
        let Ok(all) = evidence_in(place) else { return String::new() };
        let is_default = self.evidence == Path::new(EVIDENCE);
        report::evidence_line(place, is_default, all.iter().map(|one| one.bytes), paint)
    }

    /// The options of every run with these arguments. The caller fills in `again`, the command that
    /// repeats it.
    pub(super) fn run_options(
        &self,
        daemon: &Daemon,
        defects: &[String],
        deadlines: Deadlines,
        stop: Stop,
    ) -> Result<RunOptions, Failure> {
        if self.vm == Some(Vm::Guest) && daemon.is_reference {
            return Err(Failure::usage(miette::miette!(
                help = "name a daemon by --daemon or RDD_BIN",
                "in VM mode `guest` the daemon's own Lima boots a guest, and the reference daemon has none"
            )));
        }
        // Processes of a world have another working directory, so paths must be absolute.
        let evidence = std::path::absolute(&self.evidence)
            .into_diagnostic()
            .wrap_err("the evidence directory has no absolute path")
            .map_err(Failure::usage)?;
        Ok(RunOptions {
            daemon: daemon.program.clone(),
            defects: defects.to_vec(),
            evidence,
            keep: self.keep,
            vm: self.vm.map(VmMode::from),
            engine: self.engine(),
            deadlines,
            again: String::new(),
            cell: None,
            stop,
            end_at: EndAt::default(),
            pool: Pool::disabled(),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        world: WorldArgs,
    }

    fn world(arguments: &[&str]) -> WorldArgs {
        Line::parse_from([&["run"], arguments].concat()).world
    }

    // The daemon boots the engine's guest, so no other engine is meant; one that was chosen stays, and the
    // run is not applicable.
    #[rstest]
    #[case(&[], "dockerd")]
    #[case(&["--vm", "program"], "dockerd")]
    #[case(&["--vm", "guest"], "vm:20.10")]
    #[case(&["--vm", "guest", "--engine", "vm:26.1"], "vm:26.1")]
    #[case(&["--vm", "guest", "--engine", "dockerd:28.5"], "dockerd:28.5")]
    fn mode_guest_chooses_the_engine_of_a_guest(#[case] arguments: &[&str], #[case] engine: &str) {
        assert_eq!(world(arguments).engine().to_string(), engine);
    }

    #[rstest]
    #[case("guest", true, true)]
    #[case("guest", false, false)]
    #[case("program", true, false)]
    fn the_reference_daemon_boots_no_guest(
        #[case] mode: &str,
        #[case] is_reference: bool,
        #[case] is_refused: bool,
    ) {
        let daemon = Daemon { program: "/opt/rdd".into(), is_reference };
        let stop = Stop::never();
        let options = world(&["--vm", mode]).run_options(&daemon, &[], Deadlines::IN_GUEST, stop);
        assert_eq!(options.is_err(), is_refused);
    }
}
