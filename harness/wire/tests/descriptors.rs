//! A wire in a process that has run out of file descriptors. The limit applies to the whole
//! process, so this is a test binary of its own with a single test.

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

/// Opens files until no descriptor is left.
fn take_all() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// What the wire has reported.
#[derive(Clone, Debug, Default)]
struct Reported {
    /// Number of open connections.
    open: i32,
    /// How often accepting has failed.
    failures: u32,
}

impl Reported {
    fn add(&mut self, event: &Event) {
        if let What::Opened { .. } = event.what {
            self.open += 1;
        } else if event.what == What::Closed {
            self.open -= 1;
        } else if let What::Faulted { rule, fault } = &event.what {
            assert!(
                rule == "accept" && fault.contains("a client could not be accepted"),
                "{event:?}"
            );
            self.failures += 1;
        }
    }
}

async fn wait(seen: &mut watch::Receiver<Reported>, what: &str, is: impl FnMut(&Reported) -> bool) {
    let is_there = timeout(LIMIT, seen.wait_for(is)).await.is_ok();
    assert!(is_there, "waited {LIMIT:?} for {what}; last seen: {:?}", seen.borrow());
}

/// Sends a request and waits until the upstream has received it.
async fn exchange(client: &mut UnixStream, listener: &UnixListener) -> UnixStream {
    client.write_all(REQUEST).await.expect("the wire reads");
    let accepted = timeout(LIMIT, listener.accept()).await.expect("the wire connects in time");
    let (mut upstream, _) = accepted.expect("the upstream can accept");
    let mut seen = vec![0; REQUEST.len()];
    let read =
        timeout(LIMIT, upstream.read_exact(&mut seen)).await.expect("the request arrives in time");
    read.expect("the wire forwards");
    assert_eq!(seen, REQUEST);
    upstream
}

// A client connects while the process has no descriptor left. The wire cannot accept it and reports
// that. When descriptors are free again, the wire must serve it. That is tested with a connection
// that stays open, and without any: in neither case does a connection end and make the wire try
// again.
#[tokio::test]
async fn a_wire_accepts_again_when_descriptors_are_free_again() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(100), ..limit })
        .expect("a limit may be lowered");
    let directory = tempfile::tempdir().expect("a directory can be created");
    let (listen, upstream) = (directory.path().join("wire"), directory.path().join("upstream"));
    let listener = UnixListener::bind(&upstream).expect("the path is free");
    let (sender, seen) = watch::channel(Reported::default());
    let sink = Arc::new(move |event| sender.send_modify(|seen: &mut Reported| seen.add(&event)));
    let config = WireConfig {
        listen: Listen::Unix(listen.clone()),
        upstream: Upstream::Unix(upstream),
        dialect: Dialect::Docker,
        sink,
        tap: None,
    };
    let wire = Wire::start(config).await.expect("the path is free");
    for has_open_connection in [true, false] {
        let mut seen = seen.clone();
        wait(&mut seen, "all connections to end", |seen| seen.open == 0).await;
        let before = seen.borrow().failures;
        let open = if has_open_connection {
            let mut client = UnixStream::connect(&listen).await.expect("the wire listens");
            let upstream = exchange(&mut client, &listener).await;
            Some((client, upstream))
        } else {
            None
        };
        // No await between these two lines: the only thread must not run the wire before the
        // descriptors are taken.
        let waiting = Blocking::connect(&listen).expect("the wire listens");
        let taken = take_all();
        assert!(!taken.is_empty(), "the process had free descriptors");
        wait(&mut seen, "a client that is not accepted", |seen| seen.failures > before).await;
        drop(taken);
        waiting.set_nonblocking(true).expect("a socket can be set to non-blocking");
        let mut waiting = UnixStream::from_std(waiting).expect("the test runs in a runtime");
        exchange(&mut waiting, &listener).await;
        drop(open);
    }
    timeout(LIMIT, wire.close())
        .await
        .expect("the wire closes in time")
        .expect("the socket can be removed");
}
