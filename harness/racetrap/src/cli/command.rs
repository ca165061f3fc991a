//! Parses the command line, runs the subcommand, and turns its result into an exit code.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use miette::{IntoDiagnostic as _, MietteHandlerOpts, Report};

use super::exit::{self, Exit, Failure};
use super::format::Format;
use super::{
    clean, doctor, engine, hunt, judge, lanes, list, manual, matrix, merge, open, promises, report,
    repro, run, search, survey, vm, workloads,
};
use crate::report::{Color, Terminal, message_width, tell};
use crate::sys;

/// Stops a Rancher Desktop daemon at the instant of a race, and judges what follows
#[derive(Debug, Parser)]
#[command(name = "racetrap", version, after_help = exit::HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Text for people, or one JSON object for programs, as docs/formats.md describes it
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
    /// Whether the output has colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the findings of the catalogue; with an id, also its schedule in words
    List(list::Args),
    /// Lists the daemon's promises, the oracles that judge each, and the findings that exercise it
    Promises(promises::Args),
    /// Lists the workloads, what they touch of the contract's surface, and what none of them touches
    Workloads(workloads::Args),
    /// Runs each scenario once and judges it
    Run(run::Args),
    /// Runs one scenario and prints its whole timeline
    Repro(repro::Args),
    /// Runs each finding on the correct daemon, under its own defect, under another one, and
    /// without its fault
    Matrix(matrix::Args),
    /// Runs each scenario on several revisions of the daemon, and compares their verdicts
    Survey(survey::Args),
    /// Runs each scenario on several engines, and compares their verdicts and times
    Lanes(lanes::Args),
    /// Runs workloads without faults, and lists the places where the daemon can be disturbed
    Learn(search::LearnOnlyArgs),
    /// Plans disturbances of workloads that nobody has written down, runs them, and shortens what fails
    Search(search::Args),
    /// Merges the states of searches, such as those of several machines, and writes one page of all
    Merge(merge::Args),
    /// Looks for a schedule that repeats the failure of a run that nobody scheduled
    Hunt(hunt::Args),
    /// Judges the evidence of earlier runs again, and writes their verdicts, timelines and pages
    /// anew
    Report(report::Args),
    /// Judges a bundle with the oracles of this racetrap, and prints what differs from its recorded
    /// verdict
    Judge(judge::Args),
    /// Serves the contents of a bundle to kubectl and docker, read-only, until it is stopped
    Open(open::Args),
    /// Removes evidence of earlier runs that is too old or too much
    Clean(clean::Args),
    /// Checks what this machine has and what it lacks
    Doctor(doctor::Args),
    /// Installs, lists and removes engines of other versions
    Engine(engine::Args),
    /// Builds, lists and removes guests: virtual machines with an engine
    Vm(vm::Args),
    /// Prints a script that completes this command line in a shell
    Completions(manual::Args),
    /// Prints the man page, for `man -l -`
    Man,
    /// Removes what a world left behind whose harness was killed
    #[command(hide = true)]
    Watch(crate::world::WatchArgs),
}

/// Parses the arguments of this process, runs the command, and returns its exit code. `commit` is the
/// commit that the program was built from, if that is known.
#[must_use]
pub fn main(commit: Option<&'static str>) -> ExitCode {
    // Before any process or thread is started: they inherit the limits.
    sys::raise_limits();
    let command = Cli::command().version(version(commit));
    let parsed = command.clone().try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            return refused(&error).into();
        }
    };
    let installed = miette::set_hook(Box::new(|_| {
        // No colours: a message quotes files, and `tell` could not tell their escapes from miette's.
        Box::new(MietteHandlerOpts::new().width(message_width()).color(false).build())
    }));
    debug_assert!(installed.is_ok(), "nothing else installs a hook");
    // The default panic hook has already written the panic to standard error.
    let came = catch_unwind(AssertUnwindSafe(|| carry_out(cli, command)));
    let exit = match came {
        Ok(Ok(exit)) => exit,
        Ok(Err(Failure { exit, report })) => {
            tell(&format!("{report:?}"));
            exit
        }
        Err(_) => Exit::Internal,
    };
    exit.into()
}

/// Prints clap's message: bad usage to standard error, help and version to standard output.
fn refused(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        // It quotes arguments, which may come from anywhere. The exit code reports bad usage even if
        // the message cannot be written.
        tell(error.render().to_string().trim_end_matches('\n'));
        return Exit::Usage;
    }
    match error.print() {
        Err(failed) if failed.kind() != ErrorKind::BrokenPipe => {
            tell(&format!("this help could not be written to standard output: {failed}"));
            Exit::Machine
        }
        Ok(()) | Err(_) => Exit::Success,
    }
}

/// The version, with the commit if it is known: `cargo build` alone does not know it.
fn version(commit: Option<&str>) -> String {
    let commit = commit.filter(|commit| !commit.is_empty()).unwrap_or("unknown");
    format!("{} (commit {commit})", env!("CARGO_PKG_VERSION"))
}

fn carry_out(cli: Cli, command: clap::Command) -> Result<Exit, Failure> {
    let terminal = Terminal::open(cli.color);
    let format = cli.format;
    match cli.command {
        Command::List(args) => list::list(&args, format, terminal),
        Command::Promises(args) => promises::promises(&args, format, terminal),
        Command::Workloads(args) => workloads::workloads(&args, format, terminal),
        Command::Run(args) => block_on(run::run(args, format, terminal)),
        Command::Repro(args) => block_on(repro::repro(args, format, terminal)),
        Command::Matrix(args) => block_on(matrix::matrix(args, format, terminal)),
        Command::Survey(args) => block_on(survey::survey(args, format, terminal)),
        Command::Lanes(args) => block_on(lanes::lanes(args, format, terminal)),
        Command::Learn(args) => block_on(search::learn(args, format, terminal)),
        Command::Search(args) => block_on(search::search(args, format, terminal)),
        Command::Merge(args) => merge::merge(&args, format, terminal),
        Command::Hunt(args) => block_on(hunt::hunt(args, format, terminal)),
        Command::Report(args) => report::report(&args, format, terminal),
        Command::Judge(args) => judge::judge(&args, format, terminal),
        Command::Open(args) => block_on(open::open(args, format, terminal)),
        Command::Doctor(args) => block_on(doctor::doctor(args, format, terminal)),
        Command::Engine(args) => block_on(engine::engine(args, format, terminal)),
        Command::Vm(args) => block_on(vm::vm(args, format, terminal)),
        Command::Clean(args) => clean::clean(&args, format, terminal),
        Command::Completions(args) => manual::completions(&args, command, terminal),
        Command::Man => manual::man(command, terminal),
        Command::Watch(args) => match crate::world::watch(&args) {
            Ok(()) => Ok(Exit::Success),
            Err(error) => Err(Failure::machine(Report::from_err(error))),
        },
    }
}

fn block_on(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.into_diagnostic().map_err(Failure::machine)?.block_on(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs clap's own check of names, conflicts and defaults, which otherwise runs only with a
    /// command.
    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
