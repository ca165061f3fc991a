//! A wire for a test, which plays the client and the upstream.

#![expect(clippy::unwrap_used, reason = "a testbed that cannot be set up must fail its test")]

use std::collections::BTreeMap;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use racetrap_wire::{Dialect, Event, Listen, Matcher, Tap, Upstream, What, Wire, WireConfig};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::transport::{
    ConnectionEnd, Endpoints, RawSocket, Stream, Transport, UpstreamListener,
    process_session_tickets,
};

/// Most bytes that a peer reads at once. A buffer for a whole large body would be cleared at each
/// read.
const READ_MAX: usize = 64 * 1024;
/// Longest time for anything that should happen at once.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// The errors of a connection that was lost. The last one is TLS without a `close_notify`.
const LOST: [ErrorKind; 2] = [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
pub(crate) const EVENTS: &[u8] = b"GET /v1.51/events?since=1 HTTP/1.1\r\nHost: d\r\n\r\n";
pub(crate) const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

pub(crate) fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n").into_bytes()
}

/// One chunk, as an upstream sends it.
pub(crate) fn chunk(content: &str) -> Vec<u8> {
    format!("{:x}\r\n{content}\r\n", content.len()).into_bytes()
}

pub(crate) fn route(template: &str) -> Matcher {
    let known = [Dialect::Docker, Dialect::Kubernetes].map(Dialect::routes).concat();
    assert!(known.contains(&template), "no route: {template}");
    Matcher { route: Some(template.to_owned()), ..Matcher::default() }
}

/// The configuration of a wire over unix sockets.
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
        tap: None,
    }
}

/// Waits for the future, and fails the test if that takes longer than `LIMIT`.
pub(crate) async fn within_limit<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("waited {LIMIT:?} for {what}"))
}

/// The route that every testbed taps.
pub(crate) const TAPPED: &str = "/containers/{id}/logs";

/// Content, with the numbers of the exchanges.
type Tapped = Arc<Mutex<Vec<(u64, Vec<u8>)>>>;

pub(crate) struct Testbed {
    pub(crate) wire: Wire,
    pub(crate) listen: PathBuf,
    /// None while the upstream is down.
    pub(crate) upstream: Option<UpstreamListener>,
    endpoints: Endpoints,
    events: watch::Receiver<Vec<Event>>,
    tapped: Tapped,
    _directory: TempDir,
}

impl Testbed {
    pub(crate) async fn start() -> Self {
        Self::over(Transport::Unix).await
    }

    pub(crate) async fn over(transport: Transport) -> Self {
        Self::with_dialect(Dialect::Docker, transport).await
    }

    pub(crate) async fn with_dialect(dialect: Dialect, transport: Transport) -> Self {
        Self::with_upstream(dialect, transport, |upstream| upstream).await
    }

    /// Starts a wire whose configuration of the upstream is changed by `change`.
    pub(crate) async fn with_upstream(
        dialect: Dialect,
        transport: Transport,
        change: impl FnOnce(Upstream) -> Upstream,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wire");
        let (endpoints, listener, listen, upstream) =
            Endpoints::new(transport, directory.path()).await;
        let (sender, events) = watch::channel(Vec::new());
        let sink =
            Arc::new(move |event| sender.send_modify(|events: &mut Vec<Event>| events.push(event)));
        let tapped = Tapped::default();
        let content = tapped.clone();
        let tap = Some(Tap {
            route: TAPPED,
            sink: Arc::new(move |exchange, bytes: &[u8]| {
                content.lock().unwrap().push((exchange, bytes.to_vec()));
            }),
        });
        let config = WireConfig { listen, upstream: change(upstream), dialect, sink, tap };
        let wire = Wire::start(config).await.unwrap();
        let upstream = Some(listener);
        Self { wire, listen: path, upstream, endpoints, events, tapped, _directory: directory }
    }

    /// Opens a connection through the wire. Returns the client's end and the upstream's end.
    pub(crate) async fn connect(&self) -> (Peer, Peer) {
        let mut client = self.dial().await;
        let upstream = self.accept().await;
        process_session_tickets(&mut *client.stream, &mut client.raw).await;
        (client, upstream)
    }

    pub(crate) async fn dial(&self) -> Peer {
        let end =
            within_limit("the handshake with the wire", self.endpoints.dial(self.wire.address()))
                .await;
        Peer::new("client", end)
    }

    pub(crate) async fn accept(&self) -> Peer {
        let upstream = self.upstream.as_ref().expect("the test has not stopped the upstream");
        Peer::new(
            "upstream",
            within_limit("a connection to the upstream", upstream.accept()).await.unwrap(),
        )
    }

    /// Replaces the upstream by a new one at the same address.
    pub(crate) async fn restart_upstream(&mut self) {
        drop(self.upstream.take());
        self.upstream = Some(self.endpoints.rebind_upstream().await);
    }

    /// Opens a connection and an event stream on it. The head of the response has arrived.
    pub(crate) async fn event_stream(&self) -> (Peer, Peer) {
        let (mut client, mut upstream) = self.connect().await;
        client.send(EVENTS).await;
        upstream.expect(EVENTS).await;
        upstream.send(STREAM).await;
        client.expect(STREAM).await;
        (client, upstream)
    }

    /// Waits until the wire has reported a matching event, and returns it.
    pub(crate) async fn wait_for_event(
        &self,
        name: &str,
        matches: impl Fn(&What) -> bool,
    ) -> Event {
        self.wait_for_events(name, 1, matches).await
    }

    /// Waits until the wire has reported this many matching events, and returns the first of them.
    pub(crate) async fn wait_for_events(
        &self,
        name: &str,
        times: usize,
        matches: impl Fn(&What) -> bool,
    ) -> Event {
        let mut events = self.events.clone();
        let are_reported = |events: &Vec<Event>| {
            events.iter().filter(|event| matches(&event.what)).count() >= times
        };
        let reported = timeout(LIMIT, events.wait_for(are_reported)).await.is_ok();
        assert!(reported, "no event `{name}` in {:#?}", self.events.borrow());
        self.events.borrow().iter().find(|event| matches(&event.what)).cloned().unwrap()
    }

    /// The address of the connection's client, as the wire has reported it.
    pub(crate) fn peer_of(&self, connection: u64) -> Option<SocketAddr> {
        let events = self.events.borrow();
        let mut opened = events.iter().filter(|event| event.connection == connection);
        opened.find_map(|event| if let What::Opened { peer } = event.what { peer } else { None })
    }

    pub(crate) fn all_events(&self) -> Vec<What> {
        self.events.borrow().iter().map(|event| event.what.clone()).collect()
    }

    /// The content that the tap has received so far, joined for each exchange.
    pub(crate) fn tapped(&self) -> Vec<(u64, String)> {
        let mut joined = BTreeMap::<u64, Vec<u8>>::new();
        for (exchange, bytes) in &*self.tapped.lock().unwrap() {
            joined.entry(*exchange).or_default().extend(bytes);
        }
        joined
            .into_iter()
            .map(|(number, bytes)| (number, String::from_utf8(bytes).unwrap()))
            .collect()
    }

    /// What rules have done so far, as the wire has reported it.
    pub(crate) fn faults(&self) -> Vec<String> {
        let fault = |what| if let What::Faulted { fault, .. } = what { Some(fault) } else { None };
        self.all_events().into_iter().filter_map(fault).collect()
    }

    /// The frames that the wire has reported so far.
    pub(crate) fn frames(&self) -> Vec<Value> {
        let frame = |what| if let What::Frame { json } = what { Some(json) } else { None };
        self.all_events().into_iter().filter_map(frame).collect()
    }

    /// Closes the wire. Nothing that a test has done may delay that.
    pub(crate) async fn close(self) {
        within_limit("the wire to close", self.wire.close()).await.unwrap();
    }
}

/// One end of a connection.
pub(crate) struct Peer {
    name: &'static str,
    stream: Box<dyn Stream>,
    raw: RawSocket,
}

impl Peer {
    fn new(name: &'static str, (stream, raw): ConnectionEnd) -> Self {
        Self { name, stream, raw }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let sending = async {
            self.stream.write_all(bytes).await?;
            // If the socket was full, TLS still has the last record in memory.
            self.stream.flush().await
        };
        let sent = within_limit("room in the socket", sending).await;
        sent.unwrap_or_else(|error| panic!("the {} could not send: {error}", self.name));
    }

    /// Closes the direction in which this end sends.
    pub(crate) async fn shutdown(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The address of this end, as the other end sees it; none on a unix socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.raw.address()
    }

    /// Expects the end of the connection, and that it is marked as intended.
    pub(crate) async fn expect_close_notify(&mut self) {
        let ended = within_limit("the end of a connection", self.stream.read(&mut [0; 64])).await;
        assert!(matches!(ended, Ok(0)), "what the {} reads: {ended:?}", self.name);
    }

    /// Expects that the connection is lost.
    pub(crate) async fn expect_loss(&mut self) {
        let ended = within_limit("the end of a connection", self.stream.read(&mut [0; 64])).await;
        let lost = ended.as_ref().is_err_and(|error| LOST.contains(&error.kind()));
        assert!(lost, "what the {} reads: {ended:?}", self.name);
    }

    pub(crate) fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    /// Closes the connection and marks the end as intended.
    pub(crate) async fn close(mut self) {
        self.shutdown().await;
    }

    /// Expects exactly these bytes.
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
                        "{at}: the {} expects {:?}, has read {:?}, then {other:?}",
                        self.name,
                        String::from_utf8_lossy(bytes),
                        String::from_utf8_lossy(&seen)
                    ),
                };
                seen.extend_from_slice(&part[..count]);
            }
            let (seen, expected) = (String::from_utf8_lossy(&seen), String::from_utf8_lossy(bytes));
            assert_eq!(seen, expected, "{at}: what the {} reads", self.name);
        }
    }

    /// Reads a chunked body to its end and no further, and returns its content.
    pub(crate) async fn read_chunked_content(&mut self) -> String {
        let mut content = Vec::new();
        loop {
            let mut size = Vec::new();
            while !size.ends_with(b"\r\n") {
                size.extend(self.read_exactly(1).await);
            }
            let size = std::str::from_utf8(&size).unwrap().trim_end();
            let size = usize::from_str_radix(size, 16).unwrap();
            let chunk = self.read_exactly(size + 2).await;
            assert!(chunk.ends_with(b"\r\n"), "a chunk must end where its size says");
            if size == 0 {
                return String::from_utf8(content).unwrap();
            }
            content.extend_from_slice(&chunk[..size]);
        }
    }

    async fn read_exactly(&mut self, bytes: usize) -> Vec<u8> {
        let mut part = vec![0; bytes];
        within_limit("more of a body", self.stream.read_exact(&mut part)).await.unwrap();
        part
    }

    /// Expects that no bytes have arrived. Asks the kernel, not the runtime.
    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) {
        assert!(self.raw.is_empty(), "bytes have arrived at the {}", self.name);
    }

    /// Expects the end of the connection, and nothing before it.
    pub(crate) async fn expect_end(&mut self) {
        assert_eq!(self.read_to_end().await, "", "what the {} reads at the end", self.name);
    }

    /// Reads until the connection ends, whether it is closed or lost.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut rest = Vec::new();
        let ended =
            within_limit("the end of a connection", self.stream.read_to_end(&mut rest)).await;
        let is_lost = |error: &std::io::Error| LOST.contains(&error.kind());
        assert!(ended.is_ok() || ended.as_ref().is_err_and(is_lost), "{ended:?}");
        String::from_utf8_lossy(&rest).into_owned()
    }
}
