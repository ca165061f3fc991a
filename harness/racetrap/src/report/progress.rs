//! A progress bar on standard error; draws nothing if that is not a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How many of the runs are done.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for `runs` runs. Draws only if standard error is a terminal.
    pub(crate) fn new(runs: usize) -> Self {
        let bar = ProgressBar::new(runs as u64);
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} [{elapsed_precise}] {msg}");
        bar.set_style(style.expect("the template is a constant that the tests draw"));
        bar.set_message("worlds are running");
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }

    /// Counts one more run as done, and shows `message`.
    pub(crate) fn done(&self, what: String) {
        self.bar.set_message(what);
        self.bar.inc(1);
    }

    /// Hides the bar while `write` writes to the terminal.
    pub(crate) fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        self.bar.suspend(act)
    }
}

impl Drop for Progress {
    /// Removes the bar, because it is not part of the result.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Building the bar checks its template; the count must match the calls.
    #[test]
    fn a_bar_counts_what_is_done() {
        let progress = Progress::new(3);
        progress.done("295-I1".to_owned());
        progress.done("295-I3".to_owned());
        assert_eq!((progress.bar.position(), progress.bar.length()), (2, Some(3)));
    }
}
