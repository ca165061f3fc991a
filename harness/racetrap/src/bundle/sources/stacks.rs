//! The goroutine stacks of the daemon and of the engine. SIGQUIT makes a Go program print its
//! stacks and end, so for the daemon this collector comes last. The engine's programs print theirs
//! on SIGUSR1 and go on.
//!
//! Only processes of this world get a signal, by pid and start time, and only if their output can
//! be read.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;

use crate::bundle::collect::Collector;
use crate::bundle::output::{CollectorOutput, Content};
use crate::bundle::target::CaptureTarget;
use crate::process::MARKER;
use crate::sys::{Identity, Signal, marked, wait_for_end};
use crate::wait::polled;
use crate::world_directory::{engine, temporary};

/// How long one process may take to print its stacks.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The program of the stand-alone controllers, beside the daemon's program.
const CONTROLLERS: &str = "containers-controller";

/// Programs of the engine that write their stacks to a file on SIGUSR1.
const ENGINE_PROGRAMS: [&str; 2] = ["dockerd", "containerd"];

pub(super) fn collector(target: &CaptureTarget) -> Collector {
    let target = target.clone();
    Collector::asynchronous("stacks", Duration::from_secs(4), |output| async move {
        let programs = programs(&target);
        let all = marked(MARKER, &target.marker).into_iter().map(|(process, _)| process);
        let is_of_daemon =
            |process: &Identity| programs.contains(&process.executable().unwrap_or_default());
        let (daemon, others): (Vec<_>, Vec<_>) = all.partition(is_of_daemon);
        let engine = others.into_iter().filter(|process| is_of_engine(*process));
        // The engine first, while the daemon is still connected to it.
        join_all(engine.map(|process| ask_engine(&output, &target, process))).await;
        if daemon.is_empty() {
            output.missing("stacks", "no process of the daemon runs");
        }
        join_all(daemon.into_iter().map(|process| ask_daemon(&output, &target, process))).await;
    })
}

/// The daemon's programs: that of the process in the daemon's pid file, and the controllers beside
/// it. A pid file may be stale or wrong, so the process must carry the world's marker.
fn programs(target: &CaptureTarget) -> BTreeSet<PathBuf> {
    let pid_file = target.paths.get("pid_file").and_then(|path| fs::read_to_string(path).ok());
    let process = pid_file.and_then(|text| Identity::from_pid(text.trim().parse().ok()?));
    let own = process.filter(|process| process.carries(MARKER, &target.marker));
    let program = own.and_then(Identity::executable);
    let beside = program.as_ref().map(|program| program.with_file_name(CONTROLLERS));
    program.into_iter().chain(beside).collect()
}

fn is_of_engine(process: Identity) -> bool {
    let program = process.executable().unwrap_or_default();
    ENGINE_PROGRAMS.iter().any(|name| program.file_name().is_some_and(|own| own == *name))
}

/// The path of the file for a process.
fn file(process: Identity) -> String {
    let program = process.executable().unwrap_or_default();
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("stacks/{name}-{}.txt", process.pid)
}

/// Sends SIGQUIT: the process writes its stacks to its standard error, and ends.
async fn ask_daemon(output: &CollectorOutput, target: &CaptureTarget, process: Identity) {
    let path = file(process);
    // The neighbour has the home of the run's world, which is outside of its own directory.
    let is_ours =
        |log: &PathBuf| log.starts_with(&target.directory) || log.starts_with(&target.home);
    let Some(log) = process.standard_error().filter(is_ours) else {
        return output.missing(&path, "not asked: its standard error is not a file of the world");
    };
    // The process appends its stacks to a log that exists already.
    let before = fs::metadata(&log).map_or(0, |log| log.len());
    let asked = process.signal(Signal::QUIT).and_then(|()| {
        // A stopped process does not handle the signal until it continues. The signal is already
        // pending, so the process handles it before it does anything else.
        if process.is_stopped() { process.signal(Signal::CONT) } else { Ok(()) }
    });
    let ended = match asked {
        Ok(()) => wait_for_end(process, ANSWER_LIMIT).await,
        Err(error) => Err(error),
    };
    let stacks = match read_from(&log, before) {
        Ok(text) if !text.is_empty() => Content::Text(text),
        Ok(_) => {
            return output.missing(&path, format!("it wrote nothing after SIGQUIT ({ended:?})"));
        }
        Err(error) => return output.missing(&path, error),
    };
    match ended {
        Ok(true) => output.put(&path, stacks),
        Ok(false) => {
            output.put_part(&path, stacks, format!("it still ran {ANSWER_LIMIT:?} after SIGQUIT"));
        }
        Err(error) => output.put_part(&path, stacks, error.to_string()),
    }
}

/// The text of a log from a byte offset to its end.
fn read_from(log: &Path, start: u64) -> io::Result<String> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Sends SIGUSR1: dockerd writes its stacks to a file in its exec root, containerd to one in its
/// directory for temporary files.
async fn ask_engine(output: &CollectorOutput, target: &CaptureTarget, process: Identity) {
    let path = file(process);
    let directories = [engine(&target.directory).join("exec"), temporary(&target.directory)];
    let is_dockerd = path.starts_with("stacks/dockerd-");
    let answers = || -> BTreeSet<PathBuf> {
        let listed = directories.iter().filter_map(|directory| fs::read_dir(directory).ok());
        let names = listed.flatten();
        let paths = names.filter_map(Result::ok).map(|entry| entry.path());
        paths.filter(|path| is_answer(path, is_dockerd)).collect()
    };
    // A file that exists already belongs to an earlier signal.
    let before = answers();
    if let Err(error) = process.signal(Signal::USR1) {
        return output.missing(&path, error);
    }
    let answered = polled("its stacks", ANSWER_LIMIT, async || {
        let text = answers().difference(&before).next().map(fs::read_to_string);
        match text {
            // The program creates the file before it writes it. Stacks end with a newline.
            Some(Ok(text)) if text.ends_with('\n') => ControlFlow::Break(text),
            Some(Ok(_)) => ControlFlow::Continue("the file is not complete yet".to_owned()),
            Some(Err(error)) => ControlFlow::Continue(error.to_string()),
            None => ControlFlow::Continue("no file yet".to_owned()),
        }
    });
    match answered.await {
        Ok(text) => output.put(&path, Content::Text(text)),
        Err(error) => output.missing(&path, error),
    }
}

/// Whether a file has the name that dockerd or containerd gives to its stacks.
fn is_answer(path: &Path, is_dockerd: bool) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if is_dockerd {
        name.starts_with("goroutine-stacks-")
    } else {
        name.starts_with("containerd.") && name.ends_with(".stacks.log")
    }
}
