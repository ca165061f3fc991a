//! A wire in a process that has run out of file descriptors. The limit is the whole process's, so that
//! this is a binary of its own with one test.

use std::fs::File;
use std::os::unix::net::UnixStream as Blocking;
use std::sync::Arc;
use std::time::Duration;

use racetrap_wire::{Dialect, Event, Listen, Upstream, What, Wire, WireConfig};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(10);
const REQUEST: &[u8] = b"GET /info HTTP/1.1\r\n\r\n";

/// Takes all descriptors that are left.
fn take_all() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// What the wire has told.
#[derive(Clone, Debug, Default)]
struct Seen {
    open: i32,
    starved: u32,
}

impl Seen {
    fn add(&mut self, event: &Event) {
        if let What::Opened { .. } = event.what {
            self.open += 1;
        } else if event.what == What::Closed {
            self.open -= 1;
        } else if let What::Faulted { rule, fault } = &event.what {
            assert!(rule == "accept" && fault.contains("nobody was accepted"), "{event:?}");
            self.starved += 1;
        }
    }
}

async fn wait(seen: &mut watch::Receiver<Seen>, what: &str, is: impl FnMut(&Seen) -> bool) {
    let is_there = timeout(LIMIT, seen.wait_for(is)).await.is_ok();
    assert!(is_there, "waited {LIMIT:?} for {what}; last seen: {:?}", seen.borrow());
}

/// Sends a request and waits for it at the engine, to which the wire connects for it.
async fn exchange(daemon: &mut UnixStream, engine: &UnixListener) -> UnixStream {
    daemon.write_all(REQUEST).await.expect("the wire reads");
    let accepted = timeout(LIMIT, engine.accept()).await.expect("the wire connects in time");
    let (mut engine, _) = accepted.expect("the engine can accept");
    let mut seen = vec![0; REQUEST.len()];
    let read = timeout(LIMIT, engine.read_exact(&mut seen)).await.expect("the request comes");
    read.expect("the wire forwards");
    assert_eq!(seen, REQUEST);
    engine
}

// A daemon connects while the process has no descriptor left, so that nobody can accept it: that is told.
// When descriptors are there again it is served. Once a connection of before is open and stays so, and
// once there is none: no end of a connection tells the wire of them.
#[tokio::test]
async fn a_wire_out_of_descriptors_accepts_again_when_there_are_some() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(100), ..limit })
        .expect("it is lowered only");
    let directory = tempfile::tempdir().expect("there is room");
    let (listen, upstream) = (directory.path().join("wire"), directory.path().join("engine"));
    let engine = UnixListener::bind(&upstream).expect("nobody is there");
    let (told, seen) = watch::channel(Seen::default());
    let sink = Arc::new(move |event| told.send_modify(|seen: &mut Seen| seen.add(&event)));
    let config = WireConfig {
        listen: Listen::Unix(listen.clone()),
        upstream: Upstream::Unix(upstream),
        dialect: Dialect::Docker,
        sink,
    };
    let wire = Wire::start(config).await.expect("the path can be had");
    for has_open_connection in [true, false] {
        let mut seen = seen.clone();
        wait(&mut seen, "all connections to end", |seen| seen.open == 0).await;
        let before = seen.borrow().starved;
        let open = if has_open_connection {
            let mut daemon = UnixStream::connect(&listen).await.expect("the wire listens");
            let engine = exchange(&mut daemon, &engine).await;
            Some((daemon, engine))
        } else {
            None
        };
        // Nothing is awaited between these two, so that the wire has no turn on this one thread.
        let waiting = Blocking::connect(&listen).expect("the wire listens");
        let taken = take_all();
        assert!(!taken.is_empty(), "there were descriptors to take");
        wait(&mut seen, "somebody who is not accepted", |seen| seen.starved > before).await;
        drop(taken);
        waiting.set_nonblocking(true).expect("a socket can be that");
        let mut waiting = UnixStream::from_std(waiting).expect("a runtime is there");
        exchange(&mut waiting, &engine).await;
        drop(open);
    }
    timeout(LIMIT, wire.close()).await.expect("in time").expect("the socket is ours");
}
