//! What a container has said, as an engine sends it. A bundle has it line by line: `STREAM TIME TEXT`.

use k8s_openapi::jiff::Timestamp;

use crate::exhibit::question::Question;

/// The part of a log that is asked for: in frames, with a head of eight bytes of which the first is the stream
/// and the last four are the length (the engine's API, `ContainerAttach`); of a terminal as it is.
pub(super) fn sent(said: &str, terminal: bool, question: &Question) -> Result<Vec<u8>, String> {
    let (since, until) = (instant(question, "since")?, instant(question, "until")?);
    let is_asked = |line: &Line<'_>| {
        let time = line.time.parse::<Timestamp>().ok();
        let after = since.zip(time).is_none_or(|(since, time)| time >= since);
        let before = until.zip(time).is_none_or(|(until, time)| time <= until);
        question.is_set(line.stream) && after && before
    };
    let lines: Vec<_> = said.lines().map(Line::of).filter(is_asked).collect();
    let last = question.parameter("tail").and_then(|tail| tail.parse().ok());
    let first = lines.len().saturating_sub(last.unwrap_or(usize::MAX));
    let mut bytes = Vec::new();
    for Line { stream, time, text } in &lines[first..] {
        let time = if question.is_set("timestamps") { format!("{time} ") } else { String::new() };
        if terminal {
            bytes.extend_from_slice(format!("{time}{text}\r\n").as_bytes());
        } else {
            let text = format!("{time}{text}\n");
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
            bytes.extend_from_slice(&[if *stream == "stderr" { 2 } else { 1 }, 0, 0, 0]);
            bytes.extend_from_slice(&length);
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    Ok(bytes)
}

struct Line<'a> {
    stream: &'a str,
    time: &'a str,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let (stream, rest) = line.split_once(' ').unwrap_or(("stdout", line));
        let (time, text) = rest.split_once(' ').unwrap_or((rest, ""));
        Self { stream, time, text }
    }
}

/// `SECONDS[.NANOSECONDS]`, or RFC 3339; no bound, where it is not there, or 0.
fn instant(question: &Question, name: &str) -> Result<Option<Timestamp>, String> {
    let Some(text) = question.parameter(name).filter(|text| *text != "0") else { return Ok(None) };
    let seconds = || {
        let (seconds, rest) = text.split_once('.').unwrap_or((text, "0"));
        let nanoseconds = format!("{rest:0<9}");
        Timestamp::new(seconds.parse().ok()?, nanoseconds.get(..9)?.parse().ok()?).ok()
    };
    let read = seconds().or_else(|| text.parse().ok());
    read.map(Some).ok_or_else(|| format!("{name}={text} is no instant"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exhibit::question::tests::reading;

    const SAID: &str = "stdout 2026-01-01T00:00:00.5Z one\n\
                        stderr 2026-01-01T00:00:01Z bad  thing\n\
                        stdout 2026-01-01T00:00:02Z \n";

    fn ask(terminal: bool, query: &str) -> String {
        let sent = sent(SAID, terminal, &reading(&format!("/x?{query}"))).expect("a log");
        String::from_utf8(sent).expect("text")
    }

    // Frames have their stream and their length; a terminal has neither, and all of it is its output.
    #[test]
    fn a_log_is_sent_as_its_engine_would_have_sent_it() {
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
        assert!(sent(SAID, true, &reading("/x?since=yesterday")).is_err());
    }
}
