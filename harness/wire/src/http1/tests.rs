use rstest::rstest;

use super::body::{Body, Chunks};
use super::error::{FIELDS_MAX, FramingError, HEAD_MAX};
use super::head::Head;

fn advance_text(body: &mut Body, input: &[u8]) -> Result<(usize, String), FramingError> {
    let mut seen = Vec::new();
    let bytes = body.advance(input, |at, part| {
        assert_eq!(&input[at..at + part.len()], part);
        seen.extend_from_slice(part);
    })?;
    Ok((bytes, String::from_utf8(seen).unwrap()))
}

// Each body is read in one piece, and in two pieces split at every byte: the measured length and
// the content must be the same.
#[rstest]
#[case::length(Body::Length(5), b"helloGET", 5, "hello")]
#[case::empty(Body::Length(0), b"GET", 0, "")]
#[case::chunks(
    Body::Chunked(Chunks::default()),
    b"2\r\nab\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nGET",
    31,
    "ab0123456789"
)]
#[case::trailer(
    Body::Chunked(Chunks::default()),
    b"1\r\na\r\n0\r\nX: y\r\nZ: w\r\n\r\nGET",
    23,
    "a"
)]
#[case::until_close(Body::UntilClose, b"anything", 8, "anything")]
fn a_body_is_measured_the_same_wherever_it_is_split(
    #[case] body: Body,
    #[case] input: &[u8],
    #[case] length: usize,
    #[case] content: &str,
) {
    let mut unsplit = body.clone();
    assert_eq!(advance_text(&mut unsplit, input).unwrap(), (length, content.to_owned()));
    for cut in 0..=input.len() {
        let mut split = body.clone();
        let (first, mut seen) = advance_text(&mut split, &input[..cut]).unwrap();
        let mut taken = first;
        if first == cut {
            let (second, rest) = advance_text(&mut split, &input[cut..]).unwrap();
            taken += second;
            seen.push_str(&rest);
        }
        assert_eq!((taken, seen.as_str()), (length, content), "cut at {cut}");
        assert_eq!(split.is_done(), body != Body::UntilClose, "cut at {cut}");
    }
}

#[rstest]
#[case::no_digit(b"x\r\n", FramingError::ChunkSize)]
#[case::empty_size(b"\r\n", FramingError::ChunkSize)]
#[case::bare_lf(b"1\na", FramingError::ChunkSize)]
#[case::too_large(b"11111111111111111\r\n", FramingError::ChunkSize)]
#[case::too_long(b"1\r\nab\r\n", FramingError::ChunkEnd)]
fn a_malformed_chunk_is_rejected(#[case] input: &[u8], #[case] error: FramingError) {
    assert_eq!(advance_text(&mut Body::Chunked(Chunks::default()), input).unwrap_err(), error);
}

const REQUEST: &[u8] =
    b"POST /v1.41/containers/a/start?x=1 HTTP/1.1\r\nHost: d\r\nContent-Length: 3\r\n\r\nabc";

#[test]
fn a_head_is_incomplete_until_its_empty_line() {
    let end = REQUEST.len() - 3;
    for cut in 0..end {
        assert_eq!(Head::request(&REQUEST[..cut]).unwrap(), None, "cut at {cut}");
    }
    let head = Head::request(REQUEST).unwrap().unwrap();
    assert_eq!(head.bytes, end);
    assert_eq!(head.request_body(), Body::Length(3));
    assert!(!head.closes());
}

fn response(text: &str) -> Head {
    Head::response(text.as_bytes()).unwrap().unwrap()
}

#[rstest]
#[case::length("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "GET", Body::Length(7))]
#[case::head("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "HEAD", Body::Length(0))]
#[case::no_content("HTTP/1.1 204 No Content\r\n\r\n", "POST", Body::Length(0))]
#[case::not_modified(
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "GET",
    Body::Length(0)
)]
#[case::go_on("HTTP/1.1 100 Continue\r\n\r\n", "POST", Body::Length(0))]
#[case::chunked(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n",
    "GET",
    Body::Chunked(Chunks::default())
)]
#[case::raw("HTTP/1.1 200 OK\r\n\r\n", "POST", Body::UntilClose)]
fn a_response_body_is_framed_as_rfc_9112_says(
    #[case] text: &str,
    #[case] method: &str,
    #[case] body: Body,
) {
    assert_eq!(response(text).response_body(method), body);
}

#[rstest]
#[case::http_1_1("HTTP/1.1 200 OK\r\n\r\n", false)]
#[case::close("HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n", true)]
#[case::http_1_0("HTTP/1.0 200 OK\r\n\r\n", true)]
#[case::http_1_0_kept("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", false)]
fn a_head_says_whether_the_connection_closes(#[case] text: &str, #[case] closes: bool) {
    assert_eq!(response(text).closes(), closes);
}

#[rstest]
#[case::garbage(b"\x00\x01\x02\r\n\r\n")]
#[case::length(b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n")]
#[case::plus(b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n")]
#[case::empty(b"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n")]
#[case::overflow(b"GET / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n")]
#[case::negative(b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n")]
#[case::two_lengths(b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")]
#[case::smuggled(b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")]
fn a_malformed_head_is_rejected(#[case] input: &[u8]) {
    assert!(Head::request(input).is_err());
}

#[test]
fn an_endless_head_is_rejected_at_the_limit() {
    let mut input = b"GET / HTTP/1.1\r\nX: ".to_vec();
    input.resize(HEAD_MAX, b'a');
    assert_eq!(Head::request(&input), Err(FramingError::HeadTooLong));
    input.extend_from_slice(b"\r\n\r\n");
    assert_eq!(Head::request(&input), Err(FramingError::HeadTooLong));
}

#[test]
fn a_head_with_too_many_fields_is_rejected() {
    let fields = "X: y\r\n".repeat(FIELDS_MAX + 1);
    let input = format!("GET / HTTP/1.1\r\n{fields}\r\n");
    assert_eq!(Head::request(input.as_bytes()), Err(FramingError::TooManyFields));
}
