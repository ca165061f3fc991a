//! Random exchanges on one connection, directly and through the wire.

use rstest::rstest;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::bench::{Bench, soon};
use crate::carrier::Carrier;

/// Longest body, in bytes.
const BODY_MAX: u64 = 200 * 1024;
/// Most exchanges of one connection.
const EXCHANGES_MAX: u64 = 12;

/// `SplitMix64`: the same numbers from the same seed, everywhere and for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let at = self.below(items.len() as u64);
        items[usize::try_from(at).expect("a slice's index is one")]
    }

    fn up_to(&mut self, most: u64) -> usize {
        usize::try_from(self.below(most + 1)).expect("the tests' sizes are small")
    }

    /// Small bodies are the rule, and as many are empty as long; any byte may be in them.
    fn body(&mut self) -> Vec<u8> {
        let most = self.pick(&[0, 10, 2_000, BODY_MAX]);
        let length = self.up_to(most);
        std::iter::repeat_with(|| self.next().to_le_bytes()).flatten().take(length).collect()
    }

    fn chunked(&mut self, mut body: &[u8]) -> Vec<u8> {
        let mut framed = Vec::new();
        while !body.is_empty() {
            let most = self.pick(&[1, 100, BODY_MAX]);
            let (chunk, rest) = body.split_at(body.len().min(1 + self.up_to(most)));
            framed.extend_from_slice(format!("{:X};x=y\r\n", chunk.len()).as_bytes());
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
            body = rest;
        }
        framed.extend_from_slice(self.pick(&[&b"0\r\n\r\n"[..], b"00\r\nT: u\r\n\r\n"]));
        framed
    }

    fn message(&mut self, start: &str) -> Vec<u8> {
        let body = self.body();
        if self.below(2) == 0 {
            let head = format!("{start}\r\nContent-Length: {}\r\n\r\n", body.len());
            [head.into_bytes(), body].concat()
        } else {
            let head = format!("{start}\r\ntransfer-encoding: Chunked\r\n\r\n");
            [head.into_bytes(), self.chunked(&body)].concat()
        }
    }

    /// A request and its response; only the last response may end with the connection.
    fn exchange(&mut self, is_last: bool) -> (Vec<u8>, Vec<u8>) {
        let method = self.pick(&["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]);
        let target =
            self.pick(&["/info", "/v1.51/images/load", "/containers/a%2Fb/json?all=1", "/x"]);
        let start = format!("{method} {target} HTTP/1.1\r\nHost: d");
        let request = match self.below(3) {
            0 => format!("{start}\r\n\r\n").into_bytes(),
            _ => self.message(&start),
        };
        let response = match self.below(5) {
            _ if method == "HEAD" => b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_vec(),
            0 => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            1 => b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n".to_vec(),
            2 if is_last => [&b"HTTP/1.0 200 OK\r\n\r\n"[..], &self.body()].concat(),
            3 => {
                [&b"HTTP/1.1 102 Processing\r\n\r\n"[..], &self.message("HTTP/1.1 200 OK")].concat()
            }
            _ => self.message("HTTP/1.1 500 No"),
        };
        (request, response)
    }

    /// Sends bytes in pieces, so that each has its own way through.
    async fn send(&mut self, to: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let most = self.pick(&[1, 50, BODY_MAX, BODY_MAX]);
            let (piece, rest) = bytes.split_at(bytes.len().min(1 + self.up_to(most)));
            to.write_all(piece).await.expect("the other side reads all");
            tokio::task::yield_now().await;
            bytes = rest;
        }
    }
}

/// What both ends have read of the same exchanges: all requests are sent at once, and each is answered
/// when it is whole.
async fn play(
    seed: u64,
    exchanges: &[(Vec<u8>, Vec<u8>)],
    daemon: impl AsyncRead + AsyncWrite,
    mut engine: impl AsyncRead + AsyncWrite + Unpin,
) -> [Vec<u8>; 2] {
    let (mut daemon_in, mut daemon_out) = tokio::io::split(daemon);
    let requests = async {
        for (request, _) in exchanges {
            Chance(seed).send(&mut daemon_out, request).await;
        }
    };
    let answers = async {
        let mut seen = Vec::new();
        for (request, response) in exchanges {
            let at = seen.len();
            seen.resize(at + request.len(), 0);
            engine.read_exact(&mut seen[at..]).await.expect("the request comes");
            Chance(seed).send(&mut engine, response).await;
        }
        engine.shutdown().await.expect("the other side is there");
        seen
    };
    let reading = async {
        let mut seen = Vec::new();
        daemon_in.read_to_end(&mut seen).await.expect("the connection ends well");
        seen
    };
    let what = format!("all exchanges of seed {seed}");
    let ((), at_engine, at_daemon) =
        soon(&what, async { tokio::join!(requests, answers, reading) }).await;
    [at_engine, at_daemon]
}

/// Where two texts begin to differ, which says more than all their bytes.
fn difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let common = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    (common < one.len().max(other.len())).then_some(common)
}

// The same bytes are sent directly and through the wire, in the same pieces; what either end has read
// must be the same, and all of what was sent. The seeds are fixed, and a failure names its own.
#[rstest]
#[tokio::test]
async fn random_exchanges_are_the_same_through_the_wire(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
    #[values(1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233)] seed: u64,
) {
    let mut chance = Chance(seed);
    let count = 1 + chance.below(EXCHANGES_MAX);
    let exchanges: Vec<_> = (1..=count).map(|turn| chance.exchange(turn == count)).collect();
    let (daemon, engine) = UnixStream::pair().expect("there are descriptors");
    let direct = play(seed, &exchanges, daemon, engine).await;
    let bench = Bench::over(carrier).await;
    let (daemon, engine) = bench.connect().await;
    let wired = play(seed, &exchanges, daemon.into_stream(), engine.into_stream()).await;
    let (requests, responses): (Vec<_>, Vec<_>) = exchanges.into_iter().unzip();
    let sent = [requests.concat(), responses.concat()];
    for (end, name) in ["engine", "daemon"].into_iter().enumerate() {
        assert_eq!(difference(&direct[end], &sent[end]), None, "seed {seed}: direct, {name}");
        assert_eq!(difference(&wired[end], &direct[end]), None, "seed {seed}: wire, {name}");
    }
    bench.close().await;
}
