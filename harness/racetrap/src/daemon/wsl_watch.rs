//! Records the calls of the stand-in for `wsl.exe`, and reads which distributions it has.
//!
//! A call writes a line when it begins and another before it ends by itself. One that is gone without the
//! second line was killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use racetrap_history::{
    Exit, What, WslCall, WslChange, WslCommand, WslDistribution, WslOp, WslStep,
};
use racetrap_vm::{WSL_CALLS_FILE, WSL_STATE_FILE, wsl_next_file};
use serde_json::Value;

use crate::recorder::Recorder;
use crate::sys::Identity;

/// Watches one stand-in.
pub(super) struct WslWatch {
    directory: PathBuf,
    recorder: Recorder,
    /// How much of the file has been read, in bytes.
    read: u64,
    /// How many calls have been seen.
    count: u64,
    /// The calls that have not ended, by process ID; without an identity if the process was gone already.
    open: BTreeMap<u32, (WslCall, Option<Identity>)>,
}

impl WslWatch {
    /// Watches the stand-in whose files are in `directory`.
    pub(super) fn new(directory: PathBuf, recorder: &Recorder) -> Self {
        let recorder = recorder.clone();
        Self { directory, recorder, read: 0, count: 0, open: BTreeMap::new() }
    }

    /// Records each call that has begun or ended since the last look.
    pub(super) fn look(&mut self) {
        // Before the file is read: a process that is gone by then has written all of its lines.
        let is_gone = |process: &Option<Identity>| process.is_none_or(|process| !process.lives());
        let gone = self.open.iter().filter(|(_, (_, process))| is_gone(process));
        let gone: Vec<_> = gone.map(|(pid, (call, _))| (*pid, call.number)).collect();
        for line in self.lines().unwrap_or_default().lines() {
            self.apply(&serde_json::from_str(line).unwrap_or_default());
        }
        for (pid, number) in gone {
            if self.open.get(&pid).is_some_and(|(call, _)| call.number == number) {
                self.end(pid, WslChange::Killed);
            }
        }
    }

    /// The whole lines that were written since the last look.
    fn lines(&mut self) -> io::Result<String> {
        let mut file = File::open(self.directory.join(WSL_CALLS_FILE))?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        self.read += u64::try_from(text.len()).unwrap_or_default();
        Ok(text)
    }

    fn apply(&mut self, line: &Value) {
        let Some(pid) = line["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()) else {
            return;
        };
        if let Some(exit) = line["exit"].as_i64() {
            self.end(pid, WslChange::Ended(Exit::Code(i32::try_from(exit).unwrap_or(-1))));
            return;
        }
        // A call that no daemon makes, such as that for the version.
        let Ok(command) = serde_json::from_value::<WslCommand>(line["call"].clone()) else {
            return;
        };
        // The ID is another process's now.
        self.end(pid, WslChange::Killed);
        let call = WslCall {
            pid,
            number: self.count,
            command,
            distribution: line["distribution"].as_str().map(str::to_owned),
            running: line["running"] == true,
            change: WslChange::Began,
        };
        self.count += 1;
        self.recorder.append(What::WslCall(call.clone()));
        self.open.insert(pid, (call, Identity::from_pid(pid)));
    }

    fn end(&mut self, pid: u32, change: WslChange) {
        if let Some((call, _)) = self.open.remove(&pid) {
            self.recorder.append(What::WslCall(WslCall { change, ..call }));
        }
    }

    /// The distributions that the stand-in has now.
    pub(super) fn distributions(&self) -> Vec<WslDistribution> {
        let text = std::fs::read(self.directory.join(WSL_STATE_FILE)).unwrap_or_default();
        let state: Value = serde_json::from_slice(&text).unwrap_or_default();
        let all = state["distributions"].as_object().into_iter().flatten();
        let all = all.map(|(name, it)| (name.clone(), it["running"] == true));
        let mut all: Vec<_> =
            all.map(|(name, running)| WslDistribution { name, running }).collect();
        all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Decides what the next call of a kind does.
    pub(super) fn script(&self, step: &WslStep) -> io::Result<()> {
        let op = match step.op {
            WslOp::Hangs => "hangs",
            WslOp::Fails => "fails",
            WslOp::Slow => "slow",
        };
        // As a whole, because a call may look for it at the same time.
        let fresh = self.directory.join("next.tmp");
        std::fs::write(&fresh, op)?;
        std::fs::rename(fresh, self.directory.join(wsl_next_file(&step.next.to_string())))
    }
}
