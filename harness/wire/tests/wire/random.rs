//! Random exchanges on one connection, directly and through the wire.

use rstest::rstest;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::testbed::{Testbed, within_limit};
use crate::transport::Transport;

/// Longest body, in bytes.
const BODY_MAX: u64 = 200 * 1024;
/// Most exchanges of one connection.
const EXCHANGES_MAX: u64 = 12;

/// A `SplitMix64` generator: a seed gives the same numbers on every platform and with every
/// version.
struct Random(u64);

impl Random {
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
        items[usize::try_from(at).expect("an index of a slice is a `usize`")]
    }

    fn up_to(&mut self, most: u64) -> usize {
        usize::try_from(self.below(most + 1)).expect("the sizes of the tests are small")
    }

    /// A body of any bytes. Most are short; as many are empty as long.
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

    /// A request and its response. Only the last response may end with the connection.
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

    /// Sends bytes in pieces of random length.
    async fn send(&mut self, to: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let most = self.pick(&[1, 50, BODY_MAX, BODY_MAX]);
            let (piece, rest) = bytes.split_at(bytes.len().min(1 + self.up_to(most)));
            to.write_all(piece).await.expect("the other side reads everything");
            tokio::task::yield_now().await;
            bytes = rest;
        }
        // If the socket was full, TLS still has the last record in memory.
        to.flush().await.expect("the other side reads everything");
    }
}

/// Sends all requests at once, answers each when it is complete, and returns what the upstream and
/// the client have read.
async fn play(
    seed: u64,
    exchanges: &[(Vec<u8>, Vec<u8>)],
    client: impl AsyncRead + AsyncWrite,
    mut upstream: impl AsyncRead + AsyncWrite + Unpin,
) -> [Vec<u8>; 2] {
    let (mut client_reader, mut client_writer) = tokio::io::split(client);
    let requests = async {
        for (request, _) in exchanges {
            Random(seed).send(&mut client_writer, request).await;
        }
    };
    let answers = async {
        let mut seen = Vec::new();
        for (request, response) in exchanges {
            let at = seen.len();
            seen.resize(at + request.len(), 0);
            upstream.read_exact(&mut seen[at..]).await.expect("the request must arrive");
            Random(seed).send(&mut upstream, response).await;
        }
        upstream.shutdown().await.expect("the other side must be open");
        seen
    };
    let reading = async {
        let mut seen = Vec::new();
        client_reader.read_to_end(&mut seen).await.expect("the connection must not be lost");
        seen
    };
    let what = format!("all exchanges of seed {seed}");
    let ((), at_upstream, at_client) =
        within_limit(&what, async { tokio::join!(requests, answers, reading) }).await;
    [at_upstream, at_client]
}

/// The position of the first difference, for a message that a person can read.
fn difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let common = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    (common < one.len().max(other.len())).then_some(common)
}

// The same bytes are sent directly and through the wire, in the same pieces. Both ends must read
// the same bytes, and all that were sent. The seeds are fixed, and a failure names its seed.
#[rstest]
#[tokio::test]
async fn random_exchanges_are_the_same_through_the_wire(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
    #[values(1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233)] seed: u64,
) {
    let mut random = Random(seed);
    let count = 1 + random.below(EXCHANGES_MAX);
    let exchanges: Vec<_> = (1..=count).map(|turn| random.exchange(turn == count)).collect();
    let (client, upstream) = UnixStream::pair().expect("a socket pair can be opened");
    let direct = play(seed, &exchanges, client, upstream).await;
    let testbed = Testbed::over(transport).await;
    let (client, upstream) = testbed.connect().await;
    let wired = play(seed, &exchanges, client.into_stream(), upstream.into_stream()).await;
    let (requests, responses): (Vec<_>, Vec<_>) = exchanges.into_iter().unzip();
    let sent = [requests.concat(), responses.concat()];
    for (end, name) in ["upstream", "client"].into_iter().enumerate() {
        assert_eq!(difference(&direct[end], &sent[end]), None, "seed {seed}: direct, {name}");
        assert_eq!(difference(&wired[end], &direct[end]), None, "seed {seed}: wire, {name}");
    }
    testbed.close().await;
}
