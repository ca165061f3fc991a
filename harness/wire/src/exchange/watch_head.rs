//! Changes the head of a Kubernetes watch, so that the wire can read the response frame by frame.
//!
//! A server that may send protobuf or compressed frames sends no lines of JSON. Only the two fields
//! that allow this are changed; [`Dialect::Kubernetes`](crate::Dialect) documents it for users.

use bytes::BytesMut;

use crate::call::Call;
use crate::dialect::Dialect;
use crate::http1::head::Head;

const JSON: &str = "application/json";

/// If the request is a Kubernetes watch, replaces its head, at the beginning of `buffer`, by one
/// that accepts only plain JSON. Updates the length in `head`.
pub(crate) fn accept_only_json(
    dialect: Dialect,
    call: &Call,
    head: &mut Head,
    buffer: &mut BytesMut,
) {
    if dialect != Dialect::Kubernetes || !call.is_event_stream() {
        return;
    }
    let changed = accepting_json(&buffer[..head.bytes]);
    let behind = buffer.split_off(head.bytes);
    head.bytes = changed.len();
    *buffer = BytesMut::from(&*changed);
    buffer.unsplit(behind);
}

/// The head without `Accept-Encoding`, and with only JSON in `Accept`.
fn accepting_json(head: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(head.len());
    // One line is one field: the parser rejects fields that are folded over several lines.
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
        let types = value.trim_start_matches(':').split(',').map(str::trim);
        let mut types: Vec<_> = types.filter(|media_type| is_json(media_type)).collect();
        if types.is_empty() {
            types.push(JSON);
        }
        bytes.extend_from_slice(format!("Accept: {}\r\n", types.join(",")).as_bytes());
    }
    bytes
}

/// Whether a media type is JSON. Parameters such as `as=Table` do not matter: the frames are lines
/// of JSON with them, too.
fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next();
    name.is_some_and(|name| name.trim_end().eq_ignore_ascii_case(JSON))
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
    fn only_json_stays_in_accept(#[case] accepted: &str, #[case] expected: &str) {
        let head = format!("GET /x HTTP/1.1\r\nHost: a:1\r\naccept:{accepted}\r\nX-Y: z\r\n\r\n");
        let changed =
            format!("GET /x HTTP/1.1\r\nHost: a:1\r\nAccept: {expected}\r\nX-Y: z\r\n\r\n");
        assert_eq!(String::from_utf8(accepting_json(head.as_bytes())).unwrap(), changed);
    }

    #[test]
    fn accept_encoding_is_removed() {
        let head = b"GET /x HTTP/1.1\r\nAccept-Encoding: gzip\r\nAccept-Language: x\r\n\r\n";
        assert_eq!(accepting_json(head), b"GET /x HTTP/1.1\r\nAccept-Language: x\r\n\r\n");
    }

    // Without an `Accept` field a server answers in JSON anyway.
    #[test]
    fn a_head_without_the_two_fields_stays_unchanged() {
        let head = b"GET /x HTTP/1.1\nHost: a\n\n";
        assert_eq!(accepting_json(head), head);
    }
}
