//! What the wire costs: the same requests to the same engine, directly and through the wire, in
//! turns within one run, so that whatever else the machine does falls on all of them.
//!
//! Criterion's own figures are for comparing runs; the ratios are printed at the end of each size.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use racetrap_wire::{Dialect, Listen, Matcher, Point, Upstream, Wire, WireConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const REQUEST: &[u8] = b"GET /v1.51/containers/4f1c2b/json HTTP/1.1\r\nHost: docker\r\n\
    User-Agent: bench\r\nAccept: application/json\r\n\r\n";
const SMALL: usize = 200;
const LARGE: usize = 64 * 1024;
/// Turns of the interleaved comparison, each with one request a path.
const TURNS: usize = 4_000;
const WARM_UP: usize = 200;

/// Answers each read, which holds one request, with the same response.
async fn serve_engine(listener: UnixListener, response: Arc<[u8]>) {
    let mut connections = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let response = response.clone();
        connections.spawn(async move {
            let mut buffer = [0; 4096];
            while matches!(stream.read(&mut buffer).await, Ok(1..)) {
                stream.write_all(&response).await.expect("the bench reads all responses");
            }
        });
    }
}

/// A kept connection and the size of what comes back on it.
struct Client {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(path: &Path, response: usize) -> Self {
        let stream = UnixStream::connect(path).await.expect("somebody listens");
        Self { stream, buffer: vec![0; response] }
    }

    async fn exchange(&mut self) -> Duration {
        let began = Instant::now();
        self.stream.write_all(REQUEST).await.expect("the request is taken");
        self.stream.read_exact(&mut self.buffer).await.expect("the response comes");
        began.elapsed()
    }
}

fn response(body: usize) -> Arc<[u8]> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {body}\r\n\r\n");
    [head.into_bytes(), vec![b'x'; body]].concat().into()
}

async fn start(directory: &Path, name: &str, upstream: &Path) -> Wire {
    let listen = Listen::Unix(directory.join(name));
    let upstream = Upstream::Unix(upstream.to_owned());
    let sink = Arc::new(|event| {
        std::hint::black_box(event);
    });
    let config = WireConfig { listen, upstream, dialect: Dialect::Docker, sink };
    Wire::start(config).await.expect("the directory is new")
}

/// Rules that are armed while the requests go through, none of which fits them.
const RULES: [(usize, &str); 3] =
    [(0, ""), (100, "/images/{id}/json"), (100, "/containers/{id}/json")];
const NAMES: [&str; 4] =
    ["direct", "wire", "wire, 100 rules of another route", "wire, 100 rules of this route"];

fn other(route: &str, number: usize) -> Matcher {
    Matcher {
        route: Some(route.to_owned()),
        params: [("id".to_owned(), format!("other-{number}"))].into(),
        ..Matcher::default()
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The paths take turns, and the order rotates with each.
#[expect(clippy::print_stdout, reason = "the ratios are what a person runs this for")]
async fn compare(names: &[&str], clients: &mut [Client], body: usize) {
    let mut times = vec![Vec::with_capacity(TURNS); clients.len()];
    for turn in 0..TURNS + WARM_UP {
        for step in 0..clients.len() {
            let path = (turn + step) % clients.len();
            let time = clients[path].exchange().await;
            if turn >= WARM_UP {
                times[path].push(time);
            }
        }
    }
    let medians: Vec<_> = times.into_iter().map(median).collect();
    for (name, time) in names.iter().zip(&medians) {
        let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
        let added = time.saturating_sub(medians[0]);
        println!("{body:>6} bytes  {name:<34} p50 {time:>9.1?}  x{ratio:.2}  +{added:.1?}");
    }
}

fn forwarding(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads can be had");
    for body in [SMALL, LARGE] {
        let directory = tempfile::tempdir().expect("there is room");
        let upstream = directory.path().join("engine");
        let bytes = response(body);
        let size = bytes.len();
        let mut tasks = JoinSet::new();
        let listener = {
            let _entered = runtime.enter();
            UnixListener::bind(&upstream).expect("the directory is new")
        };
        tasks.spawn_on(serve_engine(listener, bytes), runtime.handle());
        let (wires, gates, mut clients) = runtime.block_on(async {
            let mut clients = vec![Client::connect(&upstream, size).await];
            let (mut wires, mut gates) = (Vec::new(), Vec::new());
            for (index, (rules, route)) in RULES.into_iter().enumerate() {
                let name = format!("wire-{index}");
                let wire = start(directory.path(), &name, &upstream).await;
                for number in 0..rules {
                    gates.push(wire.hold("other", other(route, number), Point::Request));
                }
                clients.push(Client::connect(&directory.path().join(name), size).await);
                wires.push(wire);
            }
            (wires, gates, clients)
        });
        runtime.block_on(compare(&NAMES, &mut clients, body));
        let mut group = criterion.benchmark_group(format!("{body} bytes"));
        group.throughput(Throughput::Bytes(body as u64));
        for (name, client) in NAMES.iter().zip(&mut clients) {
            group.bench_function(*name, |bencher| {
                bencher.iter(|| runtime.block_on(client.exchange()));
            });
        }
        group.finish();
        drop(gates);
        runtime.block_on(async {
            for wire in wires {
                wire.close().await.expect("the socket is the wire's own");
            }
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = forwarding
}
criterion_main!(benches);
