//! A panic of the guest's kernel, after which it resets its machine.

use std::fs;
use std::ops::ControlFlow;

use tokio::task::JoinSet;

use crate::engine::error::EngineError;
use crate::engine::guest::engine::Guest;
use crate::engine::guest::machine::REQUEST_LIMIT;
use crate::recorder::Recorder;
use crate::wait::polled;

/// What the kernel prints at its end. By the second line, no processor runs a program any more.
const PANIC: &str = "Kernel panic";
const REBOOT: &str = "Rebooting in";

impl Guest {
    /// Lets the kernel panic, sees the panic on the serial console, and waits until the engine of the next
    /// boot answers the harness. The forward of the daemon stays as it is: it hangs.
    pub(super) async fn panic(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        self.expect_boot();
        let console = self.machine.files.console().to_owned();
        let printed = || fs::read(&console).unwrap_or_default();
        let before = printed().len();
        let panicked = polled("the kernel's panic on the console", REQUEST_LIMIT, async || {
            let all = printed();
            let new = String::from_utf8_lossy(all.get(before..).unwrap_or_default()).into_owned();
            if new.contains(PANIC) && new.contains(REBOOT) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(new)
        });
        let why = tokio::select! {
            // Dropping the request is safe: the kernel has ended in the middle of it, so nobody answers.
            panicked = panicked => match panicked {
                Ok(()) => return self.follow_boot("its kernel panicked", tasks, recorder).await,
                Err(late) => late.to_string(),
            },
            // Dropping the other branch is safe: it only looks.
            answer = self.agent.run("echo c >/proc/sysrq-trigger", REQUEST_LIMIT) => {
                format!("its kernel went on: {answer:?}")
            }
        };
        Err(EngineError::NoEffect { why })
    }
}
