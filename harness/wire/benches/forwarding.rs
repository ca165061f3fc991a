//! The cost of the wire. Sends the same requests to the same upstream, directly and through the
//! wire, in turns within one run, so that other load of the machine affects all paths alike.
//!
//! Criterion's own figures are for comparing runs. The ratios are printed at the end of each size.

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
/// Turns of the interleaved comparison. Each turn sends one request on every path.
const TURNS: usize = 4_000;
const WARM_UP: usize = 200;

/// Answers each read with the same response. Each read has exactly one request.
async fn serve_upstream(listener: UnixListener, response: Arc<[u8]>) {
    let mut connections = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let response = response.clone();
        connections.spawn(async move {
            let mut buffer = [0; 4096];
            while matches!(stream.read(&mut buffer).await, Ok(1..)) {
                stream.write_all(&response).await.expect("the benchmark reads all responses");
            }
        });
    }
}

/// A connection that is used for all requests of one path, and a buffer of the size of a response.
struct Client {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(path: &Path, response: usize) -> Self {
        let stream = UnixStream::connect(path).await.expect("the upstream or the wire listens");
        Self { stream, buffer: vec![0; response] }
    }

    async fn exchange(&mut self) -> Duration {
        let began = Instant::now();
        self.stream.write_all(REQUEST).await.expect("the request can be sent");
        self.stream.read_exact(&mut self.buffer).await.expect("the response arrives");
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
    let config = WireConfig { listen, upstream, dialect: Dialect::Docker, sink, tap: None };
    Wire::start(config).await.expect("the directory is new")
}

/// The number of rules that are armed on each wire, and their route. None of them matches the
/// requests.
const RULES: [(usize, &str); 3] =
    [(0, ""), (100, "/images/{id}/json"), (100, "/containers/{id}/json")];
const NAMES: [&str; 4] =
    ["direct", "wire", "wire, 100 rules of another route", "wire, 100 rules of this route"];

fn rule_that_does_not_match(route: &str, number: usize) -> Matcher {
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

/// Measures all paths in turns. The order of the paths rotates from turn to turn.
#[expect(clippy::print_stdout, reason = "the ratios are the result of this benchmark")]
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
    let runtime = Runtime::new().expect("threads can be started");
    for body in [SMALL, LARGE] {
        let directory = tempfile::tempdir().expect("a directory can be created");
        let upstream = directory.path().join("upstream");
        let bytes = response(body);
        let size = bytes.len();
        let mut tasks = JoinSet::new();
        let listener = {
            let _entered = runtime.enter();
            UnixListener::bind(&upstream).expect("the directory is new")
        };
        tasks.spawn_on(serve_upstream(listener, bytes), runtime.handle());
        let (wires, gates, mut clients) = runtime.block_on(async {
            let mut clients = vec![Client::connect(&upstream, size).await];
            let (mut wires, mut gates) = (Vec::new(), Vec::new());
            for (index, (rules, route)) in RULES.into_iter().enumerate() {
                let name = format!("wire-{index}");
                let wire = start(directory.path(), &name, &upstream).await;
                for number in 0..rules {
                    gates.push(wire.hold(
                        "other",
                        rule_that_does_not_match(route, number),
                        Point::Request,
                    ));
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
                wire.close().await.expect("the socket can be removed");
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
