//! Reads the daemon's log while the daemon writes it, and records each line.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use racetrap_history::{LogLevel, What};
use serde_json::Value;

use crate::recorder::Recorder;
use crate::sys::is_file_at;

/// Reads a log from where it stopped the last time. If another file has taken the place of the log,
/// reads the rest of the old file first, then the new one from its beginning.
#[derive(Debug)]
pub(super) struct LogReader {
    path: PathBuf,
    open: Option<File>,
    /// The last line that was read, if its end was not written yet.
    incomplete: Vec<u8>,
}

impl LogReader {
    /// A reader of the log at `path`, which need not exist yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None, incomplete: Vec::new() }
    }

    /// A reader of what is written to the log at `path` from now on.
    pub(super) fn of_new_lines(path: PathBuf) -> io::Result<Self> {
        let mut open = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened?),
        };
        if let Some(file) = &mut open {
            file.seek(SeekFrom::End(0))?;
        }
        Ok(Self { open, ..Self::new(path) })
    }

    /// Records every line that was completed since the last call.
    pub(super) fn drain(&mut self, recorder: &Recorder) {
        loop {
            let mut bytes = std::mem::take(&mut self.incomplete);
            if let Some(file) = &mut self.open
                && let Err(error) = file.read_to_end(&mut bytes)
            {
                recorder.note(format!("the daemon's log could not be read: {error}"));
            }
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                match line.strip_suffix(b"\n") {
                    Some(line) => record(line, recorder),
                    None => self.incomplete = line.to_vec(),
                }
            }
            // Each start of the daemon may begin a new file. Whether this one is still the log is
            // asked after it was read: a line that was written before the rotation is not missed.
            let is_current = self.open.as_ref().map(|file| is_file_at(file, &self.path));
            if matches!(is_current, Some(Ok(true))) {
                return;
            }
            self.open = File::open(&self.path).ok();
            if self.open.is_none() {
                return;
            }
        }
    }
}

fn record(line: &[u8], recorder: &Recorder) {
    let text = String::from_utf8_lossy(line).into_owned();
    recorder.append(What::Log { level: level(&text), text });
}

/// The level of a line. The daemon writes lines of klog, of logrus and of zap as text or as JSON, and
/// traces of panics.
fn level(line: &str) -> LogLevel {
    if line.starts_with('{')
        && let Ok(Value::Object(object)) = serde_json::from_str(line)
    {
        return object.get("level").and_then(Value::as_str).map_or(LogLevel::Info, level_of_word);
    }
    let first = line.split([' ', ':']).next().unwrap_or_default();
    if matches!(first, "panic" | "fatal") && line.contains(": ") || line.contains(" panicked at ") {
        return LogLevel::Panic;
    }
    // klog: a letter, then month and day, as in `E1121`.
    let (letter, date) = first.split_at_checked(1).unwrap_or_default();
    if date.len() == 4 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        return match letter {
            "E" => LogLevel::Error,
            "W" => LogLevel::Warning,
            "F" => LogLevel::Panic,
            _ => LogLevel::Info,
        };
    }
    // zap for people: time, level, logger, message, with tabs between.
    let mut columns = line.split('\t');
    if let (
        Some(_),
        Some(word @ ("DEBUG" | "INFO" | "WARN" | "ERROR" | "DPANIC" | "PANIC" | "FATAL")),
        Some(_),
    ) = (columns.next(), columns.next(), columns.next())
    {
        return level_of_word(word);
    }
    // logrus: the first `level=` of a line is its level; a later one is part of the message.
    let level = line.split_once("level=").map(|(_, rest)| rest.trim_start_matches('"'));
    level.map_or(LogLevel::Info, |rest| {
        level_of_word(rest.split([' ', '"']).next().unwrap_or_default())
    })
}

/// The level that the daemon's loggers call by this word.
fn level_of_word(word: &str) -> LogLevel {
    match word.to_ascii_lowercase().as_str() {
        "error" | "fatal" => LogLevel::Error,
        "panic" | "dpanic" => LogLevel::Panic,
        "warning" | "warn" => LogLevel::Warning,
        _ => LogLevel::Info,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use racetrap_history::Record;
    use rstest::rstest;

    use super::*;
    use crate::clock::Clock;

    #[rstest]
    #[case("E1121 15:00:00.000000   12 a.go:7] \"failed\"", LogLevel::Error)]
    #[case("W1121 15:00:00.000000   12 a.go:7] slow", LogLevel::Warning)]
    #[case("I1121 15:00:00.000000   12 a.go:7] panic: no", LogLevel::Info)]
    #[case("time=\"x\" level=error msg=\"failed\"", LogLevel::Error)]
    #[case("time=\"x\" level=info msg=\"level=error\"", LogLevel::Info)]
    #[case(r#"{"level":"error","ts":"2026","msg":"failed"}"#, LogLevel::Error)]
    #[case(r#"{"msg":"level=error","level":"info"}"#, LogLevel::Info)]
    #[case(r#"{"level":"dpanic","msg":"odd number of arguments"}"#, LogLevel::Panic)]
    #[case("2026-11-30T10:00:00Z\tERROR\tcontroller\tReconciler error", LogLevel::Error)]
    #[case("2026-11-30T10:00:00Z\tINFO\tcontroller\tlevel=error", LogLevel::Info)]
    #[case("panic: runtime error: invalid memory address", LogLevel::Panic)]
    #[case("fatal error: all goroutines are asleep", LogLevel::Panic)]
    #[case("thread 'main' (7) panicked at src/main.rs:3:5:", LogLevel::Panic)]
    #[case("  continuation: of something", LogLevel::Info)]
    fn a_line_has_the_level_that_the_daemon_gives_it(#[case] line: &str, #[case] wanted: LogLevel) {
        assert_eq!(level(line), wanted);
    }

    fn lines(history: Vec<Record>) -> Vec<String> {
        let text = |record: Record| {
            if let What::Log { text, .. } = record.what { Some(text) } else { None }
        };
        history.into_iter().filter_map(text).collect()
    }

    // Each line must be recorded once and whole: also one that was read in two parts, and one of a
    // file that took the place of the log.
    #[test]
    fn each_line_is_recorded_once_over_partial_reads_and_rotations() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let journal = place.path().join("journal");
        let recorder = Recorder::create(&journal, Clock::start()).expect("a new journal");
        let log = place.path().join("log");
        let mut reader = LogReader::new(log.clone());
        reader.drain(&recorder);
        let mut file = File::create_new(&log).expect("a log");
        file.write_all(b"one\ntwo, ").expect("a writable log");
        reader.drain(&recorder);
        file.write_all(b"whole\n").expect("a writable log");
        std::fs::rename(&log, place.path().join("log.1")).expect("a rotation");
        std::fs::write(&log, "three\n").expect("a writable log");
        reader.drain(&recorder);
        assert_eq!(lines(recorder.history()), ["one", "two, whole", "three"]);
    }

    // A program that starts anew goes on in its log: an error of its last run would be judged twice.
    #[test]
    fn a_reader_of_new_lines_passes_over_those_that_are_there() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let journal = place.path().join("journal");
        let recorder = Recorder::create(&journal, Clock::start()).expect("a new journal");
        let log = place.path().join("log");
        let mut first = LogReader::of_new_lines(log.clone()).expect("no log is needed");
        let mut file = File::create_new(&log).expect("a log");
        file.write_all(b"one\n").expect("a writable log");
        first.drain(&recorder);
        let mut second = LogReader::of_new_lines(log).expect("a readable log");
        file.write_all(b"two\n").expect("a writable log");
        second.drain(&recorder);
        assert_eq!(lines(recorder.history()), ["one", "two"]);
    }
}
