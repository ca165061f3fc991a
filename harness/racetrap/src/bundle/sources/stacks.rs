//! What each goroutine of the daemon is doing: asked by SIGQUIT, which ends it, and so comes last.
//!
//! The engine's programs are asked by SIGUSR1, which does not end them. Only processes of this world
//! are asked, by pid and start time, and only where their answer can be read.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;

use crate::bundle::collect::Collector;
use crate::bundle::patient::Patient;
use crate::bundle::shelf::{Content, Shelf};
use crate::process::MARKER;
use crate::sys::{Identity, Signal, marked, wait_for_end};
use crate::wait::polled;
use crate::world_directory::{engine, temporary};

/// How long one process may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The daemon's program of controllers, which lies beside the daemon's.
const CONTROLLERS: &str = "containers-controller";

/// Programs of the engine that tell their goroutines by SIGUSR1.
const OF_ENGINE: [&str; 2] = ["dockerd", "containerd"];

pub(super) fn collector(patient: &Patient) -> Collector {
    let patient = patient.clone();
    Collector::asks("stacks", Duration::from_secs(4), |shelf| async move {
        let programs = programs(&patient);
        let all = marked(MARKER, &patient.marker).into_iter().map(|(process, _)| process);
        let of_daemon =
            |process: &Identity| programs.contains(&process.executable().unwrap_or_default());
        let (daemon, others): (Vec<_>, Vec<_>) = all.partition(of_daemon);
        let engine = others.into_iter().filter(|process| is_of_engine(*process));
        join_all(engine.map(|process| ask_engine(&shelf, &patient, process))).await;
        if daemon.is_empty() {
            shelf.missing("stacks", "no process of the daemon runs");
        }
        join_all(daemon.into_iter().map(|process| ask_daemon(&shelf, &patient, process))).await;
    })
}

/// The daemon's programs: that of the process which its pid file names, and what lies beside it.
fn programs(patient: &Patient) -> BTreeSet<PathBuf> {
    let pid_file = patient.paths.get("pid_file").and_then(|path| fs::read_to_string(path).ok());
    let process = pid_file.and_then(|text| Identity::from_pid(text.trim().parse().ok()?));
    let own = process.filter(|process| process.carries(MARKER, &patient.marker));
    let program = own.and_then(Identity::executable);
    let beside = program.as_ref().map(|program| program.with_file_name(CONTROLLERS));
    program.into_iter().chain(beside).collect()
}

fn is_of_engine(process: Identity) -> bool {
    let program = process.executable().unwrap_or_default();
    OF_ENGINE.iter().any(|name| program.file_name().is_some_and(|own| own == *name))
}

fn file(process: Identity) -> String {
    let program = process.executable().unwrap_or_default();
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("stacks/{name}-{}.txt", process.pid)
}

/// SIGQUIT: the answer goes to its standard error, and it ends.
async fn ask_daemon(shelf: &Shelf, patient: &Patient, process: Identity) {
    let path = file(process);
    // A neighbour lives in the home of another world.
    let is_ours =
        |log: &PathBuf| log.starts_with(&patient.directory) || log.starts_with(&patient.home);
    let Some(log) = process.standard_error().filter(is_ours) else {
        return shelf.missing(&path, "not asked: its standard error is no file of the world");
    };
    let before = fs::metadata(&log).map_or(0, |log| log.len());
    let asked = process.signal(Signal::QUIT).and_then(|()| {
        // One that is stopped hears nothing; with the first signal pending it does nothing else.
        if process.is_stopped() { process.signal(Signal::CONT) } else { Ok(()) }
    });
    let ended = match asked {
        Ok(()) => wait_for_end(process, ANSWER_LIMIT).await,
        Err(error) => Err(error),
    };
    let said = match from(&log, before) {
        Ok(said) if !said.is_empty() => Content::Text(said),
        Ok(_) => return shelf.missing(&path, format!("it said nothing after SIGQUIT ({ended:?})")),
        Err(error) => return shelf.missing(&path, error),
    };
    match ended {
        Ok(true) => shelf.put(&path, said),
        Ok(false) => {
            shelf.put_part(&path, said, format!("it still ran {ANSWER_LIMIT:?} after SIGQUIT"));
        }
        Err(error) => shelf.put_part(&path, said, error.to_string()),
    }
}

fn from(log: &Path, start: u64) -> io::Result<String> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// SIGUSR1: dockerd writes a file into its directory of running state, containerd one into that for
/// temporary files; both go on.
async fn ask_engine(shelf: &Shelf, patient: &Patient, process: Identity) {
    let path = file(process);
    let places = [engine(&patient.directory).join("exec"), temporary(&patient.directory)];
    let is_dockerd = path.starts_with("stacks/dockerd-");
    let answers = || -> BTreeSet<PathBuf> {
        let names = places.iter().filter_map(|place| fs::read_dir(place).ok()).flatten();
        let paths = names.filter_map(Result::ok).map(|entry| entry.path());
        paths.filter(|path| is_answer(path, is_dockerd)).collect()
    };
    let before = answers();
    if let Err(error) = process.signal(Signal::USR1) {
        return shelf.missing(&path, error);
    }
    let answered = polled("its stacks", ANSWER_LIMIT, async || {
        let text = answers().difference(&before).next().map(fs::read_to_string);
        match text {
            Some(Ok(text)) if text.ends_with('\n') => ControlFlow::Break(text),
            Some(Ok(_)) => ControlFlow::Continue("it still writes".to_owned()),
            Some(Err(error)) => ControlFlow::Continue(error.to_string()),
            None => ControlFlow::Continue("no file yet".to_owned()),
        }
    });
    match answered.await {
        Ok(text) => shelf.put(&path, Content::Text(text)),
        Err(error) => shelf.missing(&path, error),
    }
}

/// The names that dockerd and containerd give.
fn is_answer(path: &Path, is_dockerd: bool) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if is_dockerd {
        name.starts_with("goroutine-stacks-")
    } else {
        name.starts_with("containerd.") && name.ends_with(".stacks.log")
    }
}
