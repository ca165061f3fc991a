//! The log of a container: the engine's format on its API, and the format of the file in a bundle.
//!
//! For a container without a terminal the engine sends frames (Docker Engine API,
//! `ContainerAttach`): a header of eight bytes, of which the first one is the stream and the last
//! four are the length, and then the payload. For a container with a terminal it sends the output
//! as it is. A bundle has one line `STREAM TIME TEXT` for each line of the log.

/// The number of standard error in the header of a frame; standard output has the number 1.
const STDERR: u8 = 2;

/// Converts the log of a container without a terminal. A frame that is cut off is kept as far as it
/// goes.
pub(super) fn from_frames(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<8>() {
        let [stream, _, _, _, length @ ..] = *header;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let (payload, rest) = rest.split_at(length.min(rest.len()));
        text.push_str(&lines(if stream == STDERR { "stderr" } else { "stdout" }, payload));
        bytes = rest;
    }
    text
}

/// Converts the log of a container with a terminal, which has one stream only.
pub(super) fn from_terminal(bytes: &[u8]) -> String {
    lines("stdout", bytes)
}

fn lines(stream: &str, payload: &[u8]) -> String {
    let payload = String::from_utf8_lossy(payload);
    payload.lines().map(|line| format!("{stream} {line}\n")).collect()
}

/// One line of a log in a bundle.
pub(crate) struct LogLine<'a> {
    /// `stdout` or `stderr`.
    pub(crate) stream: &'a str,
    /// RFC 3339.
    pub(crate) time: &'a str,
    pub(crate) text: &'a str,
}

impl<'a> LogLine<'a> {
    pub(crate) fn parse(line: &'a str) -> Self {
        let (stream, rest) = line.split_once(' ').unwrap_or(("stdout", line));
        let (time, text) = rest.split_once(' ').unwrap_or((rest, ""));
        Self { stream, time, text }
    }
}

/// One frame of the engine's API.
pub(crate) fn frame(stream: &str, payload: &str) -> Vec<u8> {
    let stream = if stream == "stderr" { STDERR } else { 1 };
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[stream, 0, 0, 0], length.as_slice(), payload.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Two streams whose frames alternate; one frame has two lines, and the last one is cut off by a
    // byte.
    #[test]
    fn frames_become_one_line_each_with_the_name_of_their_stream() {
        let frames = [
            frame("stdout", "T one\nT two\n"),
            frame("stderr", "T bad\n"),
            frame("stdout", "T cut"),
        ];
        let mut bytes = frames.concat();
        bytes.pop();
        assert_eq!(from_frames(&bytes), "stdout T one\nstdout T two\nstderr T bad\nstdout T cu\n");
    }

    // The bytes are spelt out here, so that writer and reader cannot be wrong in the same way.
    #[test]
    fn a_frame_has_its_stream_and_its_length_before_its_payload() {
        assert_eq!(frame("stdout", "hi\n"), b"\x01\0\0\0\0\0\0\x03hi\n");
        assert_eq!(frame("stderr", ""), b"\x02\0\0\0\0\0\0\0");
    }
}
