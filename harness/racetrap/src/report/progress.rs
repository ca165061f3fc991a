//! What happens while runs go on: a bar on standard error if that is a terminal, otherwise lines.

use std::cell::RefCell;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::terminal::{is_dumb, tell};
use crate::clock::meanwhile;

/// After how long without the end of a run a line says what still runs.
pub(super) const QUIET: Duration = Duration::from_secs(30);

/// What is done, what runs, and how long the rest may take.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Whether each end is written as a line if no bar is drawn.
    has_lines: bool,
    counts: RefCell<Counts>,
}

#[derive(Debug)]
struct Counts {
    began: Instant,
    last_end: Instant,
    all: usize,
    right: usize,
    wrong: usize,
    /// Runs that are neither right nor wrong.
    other: usize,
    running: Vec<(String, Instant)>,
}

impl Progress {
    /// Of `runs` runs. If standard error is no terminal and `has_lines`, each end is written as a
    /// line; a command that prints its results at once does not need that.
    pub(crate) fn new(runs: usize, has_lines: bool) -> Self {
        let bar = bar(Some(runs), "{spinner} {pos}/{len} [{elapsed_precise}] {wide_msg}");
        let now = Instant::now();
        let counts = Counts {
            began: now,
            last_end: now,
            all: runs,
            right: 0,
            wrong: 0,
            other: 0,
            running: Vec::new(),
        };
        Self { bar, has_lines, counts: RefCell::new(counts) }
    }

    /// A run with this name begins.
    pub(crate) fn began(&self, name: String) {
        let mut counts = self.counts.borrow_mut();
        counts.running.push((name, Instant::now()));
        self.bar.set_message(counts.message());
    }

    /// The run with this name has ended. `is_right` says whether it is as it must be, if that can be
    /// said; `word` is its result.
    pub(crate) fn ended(&self, name: &str, is_right: Option<bool>, word: &str) {
        let mut counts = self.counts.borrow_mut();
        let line = counts.end(name, is_right, word);
        self.bar.inc(1);
        self.bar.set_message(counts.message());
        if self.bar.is_hidden() && self.has_lines {
            tell(&line);
        }
    }

    /// Removes the bar, because it is not part of the result.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Hides the bar while `write` writes to the terminal.
    pub(crate) fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        self.bar.suspend(act)
    }

    /// Waits for `runs`, and meanwhile says what still runs whenever no run has ended for a while.
    pub(crate) async fn until<T>(&self, runs: impl Future<Output = T>) -> T {
        meanwhile(runs, QUIET, || {
            if self.bar.is_hidden()
                && let Some(line) = self.counts.borrow().still_running(QUIET)
            {
                tell(&line);
            }
        })
        .await
    }
}

impl Counts {
    /// Counts the end of a run, and returns the line about it.
    fn end(&mut self, name: &str, is_right: Option<bool>, word: &str) -> String {
        let now = Instant::now();
        self.last_end = now;
        let at = self.running.iter().position(|(running, _)| running == name);
        let took = at.map(|at| now - self.running.remove(at).1).unwrap_or_default();
        let count = match is_right {
            Some(true) => &mut self.right,
            Some(false) => &mut self.wrong,
            None => &mut self.other,
        };
        *count += 1;
        let mark = if is_right == Some(false) { "WRONG " } else { "" };
        format!("{}/{} {mark}{name}: {word} ({})", self.done(), self.all, rounded(took))
    }

    fn done(&self) -> usize {
        self.right + self.wrong + self.other
    }

    /// One line for the bar.
    fn message(&self) -> String {
        let mut text = format!("{} right, {} wrong", self.right, self.wrong);
        if let Some(left) = self.left() {
            text += &format!(", about {} left", rounded(left));
        }
        if let Some((first, _)) = self.running.first() {
            text += &format!("; {} running: {first}", self.running.len());
        }
        text
    }

    /// How long the rest takes if it goes on as before.
    fn left(&self) -> Option<Duration> {
        let done = u32::try_from(self.done()).ok().filter(|done| *done > 0)?;
        let rest = u32::try_from(self.all).ok()?.checked_sub(done).filter(|rest| *rest > 0)?;
        Some(self.began.elapsed() / done * rest)
    }

    /// A line about what runs, if no run has ended for `quiet`.
    fn still_running(&self, quiet: Duration) -> Option<String> {
        if self.last_end.elapsed() < quiet || self.running.is_empty() {
            return None;
        }
        let runs = self.running.iter();
        let runs = runs.map(|(name, began)| format!("{name} ({})", rounded(began.elapsed())));
        let runs = runs.collect::<Vec<_>>().join(", ");
        Some(format!("{}/{} still running: {runs}", self.done(), self.all))
    }
}

/// A bar on standard error; it is hidden if that is no terminal. `template` is a constant.
pub(super) fn bar(runs: Option<usize>, template: &str) -> ProgressBar {
    let is_terminal = std::io::stderr().is_terminal() && !is_dumb();
    let target =
        if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(runs.map(|runs| runs as u64), target);
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.expect("the template is a constant that the tests draw"));
    if is_terminal {
        bar.enable_steady_tick(Duration::from_millis(120));
    }
    bar
}

/// A duration as people say it.
pub(super) fn rounded(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds => format!("{} min", (seconds + 30) / 60),
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Building the bar checks its template; the count must match the calls.
    #[test]
    fn a_bar_counts_what_is_done_and_says_what_runs_and_how_long_the_rest_takes() {
        let progress = Progress::new(3, false);
        progress.began("295-I1 correct daemon".to_owned());
        progress.began("295-I3 correct daemon".to_owned());
        let message = progress.counts.borrow().message();
        assert_eq!(message, "0 right, 0 wrong; 2 running: 295-I1 correct daemon");
        progress.ended("295-I1 correct daemon", Some(true), "pass");
        progress.ended("295-I3 correct daemon", Some(false), "fail: convergence");
        assert_eq!((progress.bar.position(), progress.bar.length()), (2, Some(3)));
        let message = progress.counts.borrow().message();
        assert_eq!(message, "1 right, 1 wrong, about 0.0 s left");
    }

    #[test]
    fn each_end_is_a_line_with_its_result() {
        let progress = Progress::new(2, true);
        progress.began("295-I3 defect 295-I3".to_owned());
        let mut counts = progress.counts.borrow_mut();
        let line = counts.end("295-I3 defect 295-I3", Some(true), "caught by convergence");
        assert_eq!(line, "1/2 295-I3 defect 295-I3: caught by convergence (0.0 s)");
        let line = counts.end("295-I3 correct daemon", Some(false), "fail: counts");
        assert_eq!(line, "2/2 WRONG 295-I3 correct daemon: fail: counts (0.0 s)");
    }

    #[test]
    fn what_still_runs_is_told_only_if_nothing_has_ended_for_a_while() {
        let progress = Progress::new(2, true);
        progress.began("323-I1k".to_owned());
        let counts = progress.counts.borrow();
        assert_eq!(counts.still_running(Duration::from_secs(30)), None);
        let line = counts.still_running(Duration::ZERO).expect("nothing has ended");
        assert_eq!(line, "0/2 still running: 323-I1k (0.0 s)");
    }

    #[test]
    fn durations_are_said_as_people_say_them() {
        let said = [Duration::from_millis(340), Duration::from_secs(90), Duration::from_secs(200)];
        assert_eq!(said.map(rounded), ["0.3 s", "90 s", "3 min"]);
    }
}
