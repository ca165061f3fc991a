//! A wire on a bench: the test holds both ends.

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up fails its test")]

use std::future::Future;
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use racetrap_wire::{Event, Matcher, What, Wire, WireConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long anything may take that is to happen at once.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
pub(crate) const EVENTS: &[u8] = b"GET /v1.51/events?since=1 HTTP/1.1\r\nHost: d\r\n\r\n";
pub(crate) const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

pub(crate) fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n").into_bytes()
}

/// One chunk with a frame in it, as an engine sends it.
pub(crate) fn chunk(content: &str) -> Vec<u8> {
    format!("{:x}\r\n{content}\r\n", content.len()).into_bytes()
}

pub(crate) fn route(template: &str) -> Matcher {
    assert!(racetrap_wire::route_templates().contains(&template), "no route: {template}");
    Matcher { route: Some(template.to_owned()), ..Matcher::default() }
}

/// Fails the test where `what` takes longer than it may.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("waited {LIMIT:?} for {what}"))
}

pub(crate) struct Bench {
    pub(crate) wire: Wire,
    pub(crate) listen: PathBuf,
    pub(crate) upstream: PathBuf,
    pub(crate) engine: Option<UnixListener>,
    events: watch::Receiver<Vec<Event>>,
    _directory: TempDir,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (listen, upstream) = (directory.path().join("wire"), directory.path().join("engine"));
        let engine = UnixListener::bind(&upstream).unwrap();
        let (told, events) = watch::channel(Vec::new());
        let sink =
            Arc::new(move |event| told.send_modify(|events: &mut Vec<Event>| events.push(event)));
        let config = WireConfig { listen: listen.clone(), upstream: upstream.clone(), sink };
        let wire = Wire::start(config).await.unwrap();
        Self { wire, listen, upstream, engine: Some(engine), events, _directory: directory }
    }

    /// A new connection: the daemon's end of it, and the engine's.
    pub(crate) async fn connect(&self) -> (Peer, Peer) {
        let daemon = self.dial().await;
        (daemon, self.accept().await)
    }

    pub(crate) async fn dial(&self) -> Peer {
        Peer::new("daemon", UnixStream::connect(&self.listen).await.unwrap())
    }

    pub(crate) async fn accept(&self) -> Peer {
        let engine = self.engine.as_ref().expect("the test has not taken the engine away");
        let (stream, _) = soon("a connection to the engine", engine.accept()).await.unwrap();
        Peer::new("engine", stream)
    }

    /// A connection on which an event stream was opened and its head has arrived.
    pub(crate) async fn stream(&self) -> (Peer, Peer) {
        let (mut daemon, mut engine) = self.connect().await;
        daemon.send(EVENTS).await;
        engine.expect(EVENTS).await;
        engine.send(STREAM).await;
        daemon.expect(STREAM).await;
        (daemon, engine)
    }

    /// Waits until an event was told that is wanted.
    pub(crate) async fn told(&self, name: &str, wanted: impl Fn(&What) -> bool) -> Event {
        let mut events = self.events.clone();
        let is_there = |events: &Vec<Event>| events.iter().any(|event| wanted(&event.what));
        let waiting = timeout(LIMIT, events.wait_for(is_there)).await.is_ok();
        assert!(waiting, "no event `{name}` in {:#?}", self.events.borrow());
        self.events.borrow().iter().find(|event| wanted(&event.what)).cloned().unwrap()
    }

    pub(crate) fn all_told(&self) -> Vec<What> {
        self.events.borrow().iter().map(|event| event.what.clone()).collect()
    }

    /// Closes the wire: nothing that a test does may keep it from that.
    pub(crate) async fn close(self) {
        soon("the wire's end", self.wire.close()).await.unwrap();
    }
}

/// One end of a connection.
pub(crate) struct Peer {
    name: &'static str,
    stream: UnixStream,
    /// The same socket without a runtime's idea of what is ready.
    raw: std::os::unix::net::UnixStream,
}

impl Peer {
    fn new(name: &'static str, stream: UnixStream) -> Self {
        let raw = stream.into_std().unwrap();
        let stream = UnixStream::from_std(raw.try_clone().unwrap()).unwrap();
        Self { name, stream, raw }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let sent = soon("room in the socket", self.stream.write_all(bytes)).await;
        sent.unwrap_or_else(|error| panic!("the {}'s end was not taken: {error}", self.name));
    }

    /// Ends this side only.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Exactly these bytes come next.
    #[track_caller]
    pub(crate) fn expect<'a>(&'a mut self, bytes: &'a [u8]) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move {
            let mut seen = Vec::new();
            while seen.len() < bytes.len() {
                let mut part = vec![0; bytes.len() - seen.len()];
                let read = timeout(LIMIT, self.stream.read(&mut part)).await;
                let count = match read {
                    Ok(Ok(count @ 1..)) => count,
                    other => panic!(
                        "{at}: the {} wants {:?}, has {:?}, then {other:?}",
                        self.name,
                        String::from_utf8_lossy(bytes),
                        String::from_utf8_lossy(&seen)
                    ),
                };
                seen.extend_from_slice(&part[..count]);
            }
            let (seen, wanted) = (String::from_utf8_lossy(&seen), String::from_utf8_lossy(bytes));
            assert_eq!(seen, wanted, "{at}: what the {} reads", self.name);
        }
    }

    /// Nothing has come: asked of the kernel, not of the runtime.
    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) {
        let mut part = [0; 64];
        match self.raw.read(&mut part) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => {
                panic!("the {} reads {other:?}: {:?}", self.name, String::from_utf8_lossy(&part))
            }
        }
    }

    /// The connection ends, and nothing comes before its end.
    pub(crate) async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        let ended = soon("the end of a connection", self.stream.read_to_end(&mut rest)).await;
        let is_reset = |error: &std::io::Error| error.kind() == ErrorKind::ConnectionReset;
        assert!(
            ended.as_ref().is_ok_and(|_| true) || ended.as_ref().is_err_and(is_reset),
            "{ended:?}"
        );
        assert_eq!(String::from_utf8_lossy(&rest), "", "what the {} reads at the end", self.name);
    }

    /// All that comes until the connection ends.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        soon("the end of a connection", self.stream.read_to_end(&mut rest)).await.unwrap();
        String::from_utf8_lossy(&rest).into_owned()
    }
}
