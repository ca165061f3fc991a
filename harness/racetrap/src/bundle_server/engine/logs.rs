//! The log of a container, in the format of the engine's API.

use k8s_openapi::jiff::Timestamp;

use crate::bundle::container_log::{LogLine, frame};
use crate::bundle_server::request::ParsedRequest;

/// Encodes the lines of a log that a request asks for: as frames, or as plain output if the
/// container has a terminal.
///
/// # Errors
/// If `since` or `until` is not an instant.
pub(super) fn encode_log(
    log: &str,
    has_terminal: bool,
    request: &ParsedRequest,
) -> Result<Vec<u8>, String> {
    let (since, until) = (instant(request, "since")?, instant(request, "until")?);
    let is_requested = |line: &LogLine<'_>| {
        // A line without a valid time passes both bounds.
        let time = line.time.parse::<Timestamp>().ok();
        let after = since.zip(time).is_none_or(|(since, time)| time >= since);
        let before = until.zip(time).is_none_or(|(until, time)| time <= until);
        request.is_set(line.stream) && after && before
    };
    let lines: Vec<_> = log.lines().map(LogLine::parse).filter(is_requested).collect();
    // `tail=all`, which is no number, means all lines, as does a missing `tail`.
    let last = request.parameter("tail").and_then(|tail| tail.parse().ok());
    let first = lines.len().saturating_sub(last.unwrap_or(usize::MAX));
    let mut bytes = Vec::new();
    for LogLine { stream, time, text } in &lines[first..] {
        let time = if request.is_set("timestamps") { format!("{time} ") } else { String::new() };
        if has_terminal {
            bytes.extend_from_slice(format!("{time}{text}\r\n").as_bytes());
        } else {
            bytes.extend(frame(stream, &format!("{time}{text}\n")));
        }
    }
    Ok(bytes)
}

/// An instant in a query: `SECONDS[.NANOSECONDS]`, or RFC 3339. Missing or 0 means no bound.
fn instant(request: &ParsedRequest, name: &str) -> Result<Option<Timestamp>, String> {
    let Some(text) = request.parameter(name).filter(|text| *text != "0") else { return Ok(None) };
    let seconds = || {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        // The fraction `5` means 500,000,000 ns, so it is filled up with zeros on the right.
        let nanoseconds = format!("{fraction:0<9}");
        Timestamp::new(seconds.parse().ok()?, nanoseconds.get(..9)?.parse().ok()?).ok()
    };
    let parsed = seconds().or_else(|| text.parse().ok());
    parsed.map(Some).ok_or_else(|| format!("{name}={text} is not an instant"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle_server::request::tests::get;

    const LOG: &str = "stdout 2026-01-01T00:00:00.5Z one\n\
                        stderr 2026-01-01T00:00:01Z bad  thing\n\
                        stdout 2026-01-01T00:00:02Z \n";

    fn ask(terminal: bool, query: &str) -> String {
        let log = encode_log(LOG, terminal, &get(&format!("/x?{query}"))).expect("a log");
        String::from_utf8(log).expect("text")
    }

    // Frames have a stream and a length. The log of a terminal has neither, and here both streams.
    #[test]
    fn a_log_is_encoded_as_the_engine_encodes_it() {
        assert_eq!(
            ask(false, "stdout=1&stderr=1"),
            "\u{1}\0\0\0\0\0\0\u{4}one\n\u{2}\0\0\0\0\0\0\u{b}bad  thing\n\u{1}\0\0\0\0\0\0\u{1}\n"
        );
        assert_eq!(
            ask(true, "stdout=1&timestamps=1"),
            "2026-01-01T00:00:00.5Z one\r\n2026-01-01T00:00:02Z \r\n"
        );
        assert_eq!(ask(true, "stderr=1"), "bad  thing\r\n");
        assert_eq!(ask(true, "stdout=1&stderr=1&tail=2"), "bad  thing\r\n\r\n");
        assert_eq!(
            ask(true, "stdout=1&stderr=1&tail=all&since=1767225601.000000000"),
            "bad  thing\r\n\r\n"
        );
        assert_eq!(ask(true, "stdout=1&stderr=1&until=1767225600.6&since=0"), "one\r\n");
        assert!(encode_log(LOG, true, &get("/x?since=yesterday")).is_err());
    }
}
