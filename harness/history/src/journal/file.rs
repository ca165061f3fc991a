//! Writes records to a journal, and reads them back.

use std::io::{self, BufRead, Write};

use serde_json::Value;

use super::upgrade::{self, OLDEST};
use crate::record::Record;

/// Version of the format. It increases when an old reader could misread a new journal.
pub const FORMAT: u32 = 2;

/// The readable part of a journal.
#[derive(Debug, PartialEq)]
pub struct Journal {
    /// The complete records, in order.
    pub records: Vec<Record>,
    /// The incomplete last line, if the writer was stopped while it wrote a record.
    pub torn: Option<String>,
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file could not be read.
    #[error("the journal could not be read")]
    Io(#[from] io::Error),
    /// A complete line is not a record.
    #[error("line {line} is not a record of a journal")]
    Damaged {
        /// Number of the line, from 1.
        line: usize,
        /// The parser's error.
        #[source]
        source: serde_json::Error,
    },
    /// A record is missing.
    #[error("line {line} contains record {found}, but record {wanted} was expected")]
    Gap {
        /// Number of the line, from 1.
        line: usize,
        /// The expected number of the record.
        wanted: u64,
        /// The number of the record in this line.
        found: u64,
    },
    /// The journal has a format that this harness does not know.
    #[error("the journal has format {found}; this harness reads formats {OLDEST} to {FORMAT}")]
    Format {
        /// The journal's format.
        found: u32,
    },
}

/// The part of a header that every format has.
#[derive(serde::Deserialize)]
struct Header {
    format: Option<u32>,
}

/// Appends one record as one line. It is written in one call, so if the harness is killed, at most this
/// line is incomplete.
///
/// # Errors
/// The writer fails.
pub fn append(writer: &mut impl Write, record: &Record) -> io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    writer.write_all(&line)?;
    writer.flush()
}

/// Reads a journal of this format or an earlier one. An incomplete last line is not an error: it is
/// returned as [`Journal::torn`].
///
/// # Errors
/// The journal cannot be read, has a damaged line, has gaps, or has an unknown format.
pub fn read(mut reader: impl BufRead) -> Result<Journal, JournalError> {
    let mut records = Vec::new();
    let mut line = Vec::new();
    let mut format = FORMAT;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(Journal { records, torn: None });
        }
        // Every complete record ends with a newline, so without one the writer was stopped.
        if line.last() != Some(&b'\n') {
            let torn = Some(String::from_utf8_lossy(&line).into_owned());
            return Ok(Journal { records, torn });
        }
        let number = records.len() + 1;
        let damaged = |source| JournalError::Damaged { line: number, source };
        // Records of an unknown format may not be readable, so the format is checked before the record is
        // parsed. The user then learns about the format and not about a line.
        let header: Header = serde_json::from_slice(&line).map_err(damaged)?;
        // Only the first record names the format; it holds for all later ones.
        format = header.format.unwrap_or(format);
        if !(OLDEST..=FORMAT).contains(&format) {
            return Err(JournalError::Format { found: format });
        }
        let record = parse(&line, format).map_err(damaged)?;
        let wanted = records.len() as u64;
        if record.seq != wanted {
            return Err(JournalError::Gap { line: number, wanted, found: record.seq });
        }
        records.push(record);
    }
}

/// Parses one line of a journal of this format.
fn parse(line: &[u8], format: u32) -> serde_json::Result<Record> {
    if format == FORMAT {
        return serde_json::from_slice(line);
    }
    let mut record: Value = serde_json::from_slice(line)?;
    upgrade::upgrade(&mut record);
    serde_json::from_value(record)
}
