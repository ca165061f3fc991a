//! A wire on a bench: the test holds both ends.

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up fails its test")]

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use racetrap_wire::{Dialect, Event, Listen, Matcher, Upstream, What, Wire, WireConfig};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::carrier::{Carrier, End, Ends, Engine, Raw, Stream, settle};

/// Bytes that a peer asks for at once: as many as a large body has would all be cleared each time.
const READ_MAX: usize = 64 * 1024;
/// How long anything may take that is to happen at once.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// How a connection ends that was not meant to; the last is TLS without a farewell.
const LOST: [ErrorKind; 2] = [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];

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
    let known = [Dialect::Docker, Dialect::Kubernetes].map(Dialect::routes).concat();
    assert!(known.contains(&template), "no route: {template}");
    Matcher { route: Some(template.to_owned()), ..Matcher::default() }
}

/// A wire before an engine.
pub(crate) fn config(
    listen: &Path,
    upstream: &Path,
    sink: Arc<dyn Fn(Event) + Send + Sync>,
) -> WireConfig {
    WireConfig {
        listen: Listen::Unix(listen.to_owned()),
        upstream: Upstream::Unix(upstream.to_owned()),
        dialect: Dialect::Docker,
        sink,
    }
}

/// Fails the test where `what` takes longer than it may.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("waited {LIMIT:?} for {what}"))
}

pub(crate) struct Bench {
    pub(crate) wire: Wire,
    pub(crate) listen: PathBuf,
    pub(crate) engine: Option<Engine>,
    ends: Ends,
    events: watch::Receiver<Vec<Event>>,
    _directory: TempDir,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::over(Carrier::Unix).await
    }

    pub(crate) async fn over(carrier: Carrier) -> Self {
        Self::speaking(Dialect::Docker, carrier).await
    }

    pub(crate) async fn speaking(dialect: Dialect, carrier: Carrier) -> Self {
        Self::before(dialect, carrier, |upstream| upstream).await
    }

    /// The wire is told something else of its upstream than what is true.
    pub(crate) async fn before(
        dialect: Dialect,
        carrier: Carrier,
        tell: impl FnOnce(Upstream) -> Upstream,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wire");
        let (ends, engine, listen, upstream) = Ends::new(carrier, directory.path()).await;
        let (told, events) = watch::channel(Vec::new());
        let sink =
            Arc::new(move |event| told.send_modify(|events: &mut Vec<Event>| events.push(event)));
        let config = WireConfig { listen, upstream: tell(upstream), dialect, sink };
        let wire = Wire::start(config).await.unwrap();
        let engine = Some(engine);
        Self { wire, listen: path, engine, ends, events, _directory: directory }
    }

    /// A new connection: the daemon's end of it, and the engine's.
    pub(crate) async fn connect(&self) -> (Peer, Peer) {
        let mut daemon = self.dial().await;
        let engine = self.accept().await;
        settle(&mut *daemon.stream, &mut daemon.raw).await;
        (daemon, engine)
    }

    pub(crate) async fn dial(&self) -> Peer {
        let dialled = soon("the wire's greeting", self.ends.dial(self.wire.address())).await;
        Peer::new("daemon", dialled)
    }

    pub(crate) async fn accept(&self) -> Peer {
        let engine = self.engine.as_ref().expect("the test has not taken the engine away");
        Peer::new("engine", soon("a connection to the engine", engine.accept()).await.unwrap())
    }

    /// The engine is another one from here on.
    pub(crate) async fn restart_engine(&mut self) {
        drop(self.engine.take());
        self.engine = Some(self.ends.another_engine().await);
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
        self.told_times(name, 1, wanted).await
    }

    /// Waits until so many events were told that are wanted; gives the first of them.
    pub(crate) async fn told_times(
        &self,
        name: &str,
        times: usize,
        wanted: impl Fn(&What) -> bool,
    ) -> Event {
        let mut events = self.events.clone();
        let are_there = |events: &Vec<Event>| {
            events.iter().filter(|event| wanted(&event.what)).count() >= times
        };
        let waiting = timeout(LIMIT, events.wait_for(are_there)).await.is_ok();
        assert!(waiting, "no event `{name}` in {:#?}", self.events.borrow());
        self.events.borrow().iter().find(|event| wanted(&event.what)).cloned().unwrap()
    }

    /// Where the client of this connection is, as the wire has told.
    pub(crate) fn peer_of(&self, connection: u64) -> Option<SocketAddr> {
        let events = self.events.borrow();
        let mut opened = events.iter().filter(|event| event.connection == connection);
        opened.find_map(|event| if let What::Opened { peer } = event.what { peer } else { None })
    }

    pub(crate) fn all_told(&self) -> Vec<What> {
        self.events.borrow().iter().map(|event| event.what.clone()).collect()
    }

    /// What rules did so far.
    pub(crate) fn faults(&self) -> Vec<String> {
        let fault = |what| if let What::Faulted { fault, .. } = what { Some(fault) } else { None };
        self.all_told().into_iter().filter_map(fault).collect()
    }

    /// The frames that were passed on so far.
    pub(crate) fn frames(&self) -> Vec<Value> {
        let frame = |what| if let What::Frame { json } = what { Some(json) } else { None };
        self.all_told().into_iter().filter_map(frame).collect()
    }

    /// Closes the wire: nothing that a test does may keep it from that.
    pub(crate) async fn close(self) {
        soon("the wire's end", self.wire.close()).await.unwrap();
    }
}

/// One end of a connection.
pub(crate) struct Peer {
    name: &'static str,
    stream: Box<dyn Stream>,
    raw: Raw,
}

impl Peer {
    fn new(name: &'static str, (stream, raw): End) -> Self {
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

    /// Where this end is, as the other one sees it; none on a unix socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.raw.address()
    }

    /// The connection ends so that this end knows that it is meant.
    pub(crate) async fn expect_farewell(&mut self) {
        let ended = soon("the end of a connection", self.stream.read(&mut [0; 64])).await;
        assert!(matches!(ended, Ok(0)), "what the {} reads: {ended:?}", self.name);
    }

    /// The connection ends as if it were lost.
    pub(crate) async fn expect_loss(&mut self) {
        let ended = soon("the end of a connection", self.stream.read(&mut [0; 64])).await;
        let lost = ended.as_ref().is_err_and(|error| LOST.contains(&error.kind()));
        assert!(lost, "what the {} reads: {ended:?}", self.name);
    }

    pub(crate) fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    /// Ends the connection so that the other side knows that it is meant.
    pub(crate) async fn close(mut self) {
        self.finish().await;
    }

    /// Exactly these bytes come next.
    #[track_caller]
    pub(crate) fn expect<'a>(&'a mut self, bytes: &'a [u8]) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move {
            let mut seen = Vec::new();
            while seen.len() < bytes.len() {
                let mut part = vec![0; READ_MAX.min(bytes.len() - seen.len())];
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

    /// The content of a chunked body, to its end and no further.
    pub(crate) async fn content(&mut self) -> String {
        let mut content = Vec::new();
        loop {
            let mut size = Vec::new();
            while !size.ends_with(b"\r\n") {
                size.extend(self.exactly(1).await);
            }
            let size = std::str::from_utf8(&size).unwrap().trim_end();
            let size = usize::from_str_radix(size, 16).unwrap();
            let chunk = self.exactly(size + 2).await;
            assert!(chunk.ends_with(b"\r\n"), "a chunk ends where its size says");
            if size == 0 {
                return String::from_utf8(content).unwrap();
            }
            content.extend_from_slice(&chunk[..size]);
        }
    }

    async fn exactly(&mut self, bytes: usize) -> Vec<u8> {
        let mut part = vec![0; bytes];
        soon("more of a body", self.stream.read_exact(&mut part)).await.unwrap();
        part
    }

    /// Nothing has come: asked of the kernel, not of the runtime.
    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) {
        assert!(self.raw.is_empty(), "something came for the {}", self.name);
    }

    /// The connection ends, and nothing comes before its end.
    pub(crate) async fn expect_end(&mut self) {
        assert_eq!(self.rest().await, "", "what the {} reads at the end", self.name);
    }

    /// All that comes until the connection ends, in whatever way.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let ended = soon("the end of a connection", self.stream.read_to_end(&mut rest)).await;
        let is_lost = |error: &std::io::Error| LOST.contains(&error.kind());
        assert!(ended.is_ok() || ended.as_ref().is_err_and(is_lost), "{ended:?}");
        String::from_utf8_lossy(&rest).into_owned()
    }
}
