//! The head of a watch, changed so that what comes back can be read frame by frame.
//!
//! A server that was asked for protobuf or for compressed frames would send what has no lines. Only
//! the two fields that ask for such are touched ([`Dialect::Kubernetes`](crate::Dialect)).

use bytes::BytesMut;

use crate::call::Call;
use crate::dialect::Dialect;
use crate::http1::Head;

const JSON: &str = "application/json";

/// Puts a head that asks for plain JSON into the place of a watch's own, at the beginning of the
/// buffer.
pub(crate) fn ask_for_json(dialect: Dialect, call: &Call, head: &mut Head, buffer: &mut BytesMut) {
    if dialect != Dialect::Kubernetes || !call.is_events() {
        return;
    }
    let plain = plain(&buffer[..head.bytes]);
    let behind = buffer.split_off(head.bytes);
    head.bytes = plain.len();
    *buffer = BytesMut::from(&*plain);
    buffer.unsplit(behind);
}

fn plain(head: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(head.len());
    // The parser has taken the head: no field goes over several lines.
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        if name.eq_ignore_ascii_case(b"accept-encoding") {
            continue;
        }
        if !name.eq_ignore_ascii_case(b"accept") {
            bytes.extend_from_slice(line);
            continue;
        }
        let value = String::from_utf8_lossy(value);
        let kinds = value.trim_start_matches(':').split(',').map(str::trim);
        let mut kinds: Vec<_> = kinds.filter(|kind| is_json(kind)).collect();
        if kinds.is_empty() {
            kinds.push(JSON);
        }
        bytes.extend_from_slice(format!("Accept: {}\r\n", kinds.join(",")).as_bytes());
    }
    bytes
}

/// With parameters such as `as=Table` or without; its frames are lines of JSON, too.
fn is_json(kind: &str) -> bool {
    kind.split(';').next().is_some_and(|kind| kind.trim_end().eq_ignore_ascii_case(JSON))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

    #[rstest]
    #[case(PROTOBUF, JSON)]
    #[case("application/vnd.kubernetes.protobuf,application/json;q=0.5", "application/json;q=0.5")]
    #[case(
        "application/json;as=Table;v=v1, application/json",
        "application/json;as=Table;v=v1,application/json"
    )]
    #[case("*/*", JSON)]
    #[case("application/jsonl", JSON)]
    fn only_json_is_left_of_what_is_accepted(#[case] accepted: &str, #[case] left: &str) {
        let head = format!("GET /x HTTP/1.1\r\nHost: a:1\r\naccept:{accepted}\r\nX-Y: z\r\n\r\n");
        let expected = format!("GET /x HTTP/1.1\r\nHost: a:1\r\nAccept: {left}\r\nX-Y: z\r\n\r\n");
        assert_eq!(String::from_utf8(plain(head.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn nothing_compressed_is_accepted() {
        let head = b"GET /x HTTP/1.1\r\nAccept-Encoding: gzip\r\nAccept-Language: x\r\n\r\n";
        assert_eq!(plain(head), b"GET /x HTTP/1.1\r\nAccept-Language: x\r\n\r\n");
    }

    // Without any `Accept` a server answers in JSON: nothing is added.
    #[test]
    fn a_head_that_says_nothing_stays_as_it_is() {
        let head = b"GET /x HTTP/1.1\nHost: a\n\n";
        assert_eq!(plain(head), head);
    }
}
