//! What several subcommands take.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use miette::{IntoDiagnostic as _, WrapErr as _};
use racetrap_history::VmMode;

use super::daemon::Daemon;
use super::exit::Failure;
use crate::run::RunOptions;

/// Which daemon is run.
#[derive(Clone, Debug, Args)]
pub(super) struct DaemonArgs {
    /// The daemon's program [default: the variable RDD_BIN, or else the reference daemon]
    #[arg(long, value_name = "PATH")]
    pub(super) daemon: Option<PathBuf>,
}

/// In what kind of world it is run, and what is kept of it.
#[derive(Clone, Debug, Args)]
pub(super) struct WorldArgs {
    #[command(flatten)]
    pub(super) daemon: DaemonArgs,
    /// Keep the evidence of runs that pass, too
    #[arg(long)]
    pub(super) keep: bool,
    /// Where evidence is put, a directory a run
    #[arg(long, value_name = "DIR", default_value = ".racetrap/evidence")]
    pub(super) evidence: PathBuf,
    /// How the daemon's VM is run [default: the first that daemon and scenario both support]
    #[arg(long, value_enum, value_name = "MODE")]
    pub(super) vm: Option<Vm>,
    /// How long any one step of a scenario may take
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(super) deadline: Duration,
}

/// How many worlds there may be at once.
#[derive(Clone, Debug, Args)]
pub(super) struct JobsArgs {
    /// How many worlds there may be at once
    #[arg(long, value_name = "N", default_value = "2")]
    pub(super) jobs: NonZeroUsize,
}

/// Defects of a reference daemon.
#[derive(Clone, Debug, Args)]
pub(super) struct DefectArgs {
    /// Switch a defect of the reference daemon on; may be given several times
    #[arg(long = "defect", value_name = "NAME")]
    pub(super) defects: Vec<String>,
}

/// [`VmMode`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Vm {
    /// The harness plays the VM through the daemon's API
    Api,
    /// The daemon boots it; only the QEMU program is a stand-in
    Program,
}

impl From<Vm> for VmMode {
    fn from(vm: Vm) -> Self {
        match vm {
            Vm::Api => Self::Api,
            Vm::Program => Self::Program,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(0) | Err(_) => Err("expected a whole number of seconds, at least 1".to_owned()),
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
    }
}

impl WorldArgs {
    /// What every run of these arguments needs.
    pub(super) fn run_options(
        &self,
        daemon: &Daemon,
        defects: &[String],
    ) -> Result<RunOptions, Failure> {
        // A world's processes have another current directory, so no path may depend on ours.
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
            deadline: self.deadline,
        })
    }

    /// The command that repeats a run of `target`.
    pub(super) fn again(&self, target: &str, daemon: &Daemon, defects: &[String]) -> String {
        let mut words = vec!["racetrap".to_owned(), "repro".to_owned(), quoted(target)];
        for defect in defects {
            words.extend(["--defect".to_owned(), quoted(defect)]);
        }
        if !daemon.is_reference {
            words.extend(["--daemon".to_owned(), quoted(&daemon.program.to_string_lossy())]);
        }
        if let Some(vm) = self.vm {
            words.extend(["--vm".to_owned(), VmMode::from(vm).to_string()]);
        }
        words.join(" ")
    }
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each word is one that a shell would otherwise split, expand or end.
    #[test]
    fn words_are_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quoted("295-I3"), "295-I3");
        assert_eq!(quoted("./a b.yaml"), "'./a b.yaml'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$HOME"), "'$HOME'");
        assert_eq!(quoted(""), "''");
    }
}
