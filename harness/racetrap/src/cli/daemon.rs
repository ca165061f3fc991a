//! Which daemon is run, and what its program says about itself.

use std::path::PathBuf;

use miette::miette;
use racetrap_history::nearest;

use super::exit::Failure;
use super::options::DaemonArgs;
use crate::process::{ask, companion, first_line, quoted};
use crate::report::DaemonFacts;
use crate::sys;

/// The environment variable that names another daemon than the reference daemon.
pub(super) const VARIABLE: &str = "RDD_BIN";

/// File name of the reference daemon.
pub(super) const REFERENCE: &str = "rdd-reference";

/// How to build the reference daemon, beside a racetrap that was built or installed.
pub(super) const BUILD: &str = "in a checkout, `cargo build --workspace` builds it beside racetrap; for \
                                an installed racetrap, `cargo install --locked --path fixtures/daemon` \
                                and `--path fixtures/vm` install the programs that it needs";

/// A daemon's program.
#[derive(Clone, Debug)]
pub(super) struct Daemon {
    /// Its absolute path.
    pub(super) program: PathBuf,
    /// Whether it is the reference daemon that was built together with this harness.
    pub(super) is_reference: bool,
}

/// What a daemon's program answers about itself.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    /// Its version; a remark in parentheses if it does not answer.
    pub(super) version: String,
    /// The program, quoted for a shell.
    program: String,
    /// The defects that it can switch on; `None` if it has no such command.
    pub(super) defects: Option<Vec<String>>,
}

impl Daemon {
    /// The daemon that the argument or the variable names, or else the reference daemon.
    pub(super) fn find(args: &DaemonArgs) -> Result<Self, Failure> {
        let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let (named, by) = match (&args.daemon, variable) {
            (Some(path), _) => (path.clone(), "--daemon"),
            (None, Some(path)) => (PathBuf::from(path), VARIABLE),
            (None, None) => return Self::reference(),
        };
        match std::path::absolute(&named) {
            Ok(program) if sys::is_executable(&program) => {
                Ok(Self { program, is_reference: false })
            }
            Ok(_) | Err(_) => Err(Failure::usage(miette!(
                help = "name the program of a Rancher Desktop daemon, or leave it out for the \
                        reference daemon",
                "{by} names {}, which is not a program",
                named.display()
            ))),
        }
    }

    /// The reference daemon beside this program.
    pub(super) fn reference() -> Result<Self, Failure> {
        match companion(REFERENCE) {
            Ok(program) => Ok(Self { program, is_reference: true }),
            Err(_) => Err(Failure::machine(miette!(
                help = format!("{BUILD}; or name another daemon by --daemon or {VARIABLE}"),
                "the reference daemon `{REFERENCE}` is not built"
            ))),
        }
    }

    /// Asks the program for its version and its defects. Neither command starts a service (contract
    /// 1.3).
    pub(super) async fn ask(&self) -> Answers {
        let version = match ask(&self.program, &["version"]).await {
            Some(output) if output.status.success() => first_line(&output.stdout),
            Some(_) | None => None,
        };
        let defects = match ask(&self.program, &["defects"]).await {
            Some(output) if output.status.success() => Some(words(&output.stdout)),
            Some(_) | None => None,
        };
        let program = quoted(&self.program.to_string_lossy());
        Answers {
            program,
            version: version.unwrap_or_else(|| "(says no version)".to_owned()),
            defects,
        }
    }

    /// The part of the answers that reports print.
    pub(super) fn facts(&self, answers: &Answers) -> DaemonFacts {
        DaemonFacts {
            program: self.program.display().to_string(),
            version: answers.version.clone(),
            knows_defects: answers.defects.is_some(),
        }
    }
}

impl Answers {
    /// Fails if the daemon lacks one of the wanted defects.
    pub(super) fn check_defects(&self, wanted: &[String]) -> Result<(), Failure> {
        let known = self.defects.as_deref().unwrap_or_default();
        let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) else { return Ok(()) };
        let help = if known.is_empty() {
            "only the reference daemon knows defects".to_owned()
        } else {
            let near = nearest(unknown, known.iter().map(String::as_str));
            let near = near.into_iter().take(3).collect::<Vec<_>>().join(", ");
            format!("the nearest are {near}; `{} defects` lists all", self.program)
        };
        Err(Failure::usage(miette!(help = help, "the daemon has no defect `{unknown}`")))
    }
}

/// The first word of each line.
fn words(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}
