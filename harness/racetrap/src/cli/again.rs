//! The one line that repeats a run.

use std::path::Path;

use super::daemon::Daemon;
use super::options::{DeadlineArgs, EVIDENCE, WorldArgs};
use crate::process::{called, quoted};
use crate::world::EngineChoice;

/// The options with which a run can be repeated, except its target and its defects.
#[derive(Clone, Debug)]
pub(super) struct Again {
    /// How the user called this program.
    called: String,
    options: Vec<String>,
}

impl Again {
    /// Collects the options of `args` that differ from their defaults.
    pub(super) fn new(args: &WorldArgs, daemon: &Daemon) -> Self {
        let mut options = Vec::new();
        let mut option = |name: &str, value: &str| {
            options.extend([name.to_owned(), quoted(value)]);
        };
        if !daemon.is_reference {
            option("--daemon", &daemon.program.to_string_lossy());
        }
        if let Some(vm) = args.vm {
            option("--vm", &racetrap_history::VmMode::from(vm).to_string());
        }
        if args.engine != EngineChoice::default() {
            option("--engine", &args.engine.to_string());
        }
        let DeadlineArgs { deadline, run_deadline, .. } = args.deadlines;
        let deadlines = [("--deadline", deadline), ("--run-deadline", run_deadline)];
        for (name, deadline) in deadlines {
            if let Some(deadline) = deadline {
                option(name, &deadline.as_secs().to_string());
            }
        }
        if args.evidence != Path::new(EVIDENCE) {
            option("--evidence", &args.evidence.to_string_lossy());
        }
        Self { called: called(), options }
    }

    /// The command that repeats a run of `target` under `defects`, or its control run.
    pub(super) fn command(&self, target: &str, defects: &[String], control: bool) -> String {
        let mut words = vec![self.called.clone(), "repro".to_owned(), quoted(target)];
        for defect in defects {
            words.extend(["--defect".to_owned(), quoted(defect)]);
        }
        words.extend(control.then(|| "--control".to_owned()));
        words.extend(self.options.iter().cloned());
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        world: WorldArgs,
    }

    fn again(arguments: &[&str], is_reference: bool) -> String {
        let line = Line::parse_from([&["run"], arguments].concat());
        let daemon = Daemon { program: "/opt/my rdd".into(), is_reference };
        let again = Again { called: "racetrap".to_owned(), ..Again::new(&line.world, &daemon) };
        again.command("295-I3", &["295-I3".to_owned()], false)
    }

    /// Uses the real option types, so that this test fails if an option is renamed but not printed.
    #[test]
    fn a_run_is_repeated_with_every_option_that_it_was_given() {
        let plain = "racetrap repro 295-I3 --defect 295-I3";
        assert_eq!(again(&[], true), plain);
        assert_eq!(again(&["--killed-after", "900", "--keep"], true), plain);
        assert_eq!(
            again(
                &[
                    ["--evidence", "my place", "--deadline", "7"],
                    ["--run-deadline", "70", "--vm", "program"],
                    ["--engine", "dockerd:28.5+containerd", "--killed-after", "900"],
                ]
                .concat(),
                false
            ),
            format!(
                "{plain} --daemon '/opt/my rdd' --vm program --engine dockerd:28.5+containerd \
                 --deadline 7 --run-deadline 70 --evidence 'my place'"
            )
        );
    }
}
