//! Writes records to a journal, and reads them back.

use std::io::{self, BufRead, Write};

use serde_json::Value;

use super::upgrade::{self, OLDEST};
use crate::record::Record;

/// Version of the format; it changes whenever an old reader could misread a new journal.
pub const FORMAT: u32 = 2;

/// A journal as far as it could be read.
#[derive(Debug, PartialEq)]
pub struct Journal {
    /// Whole records, in order.
    pub records: Vec<Record>,
    /// What stands after the last whole record, where the writer was stopped in the middle.
    pub torn: Option<String>,
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file could not be read.
    #[error("the journal could not be read")]
    Io(#[from] io::Error),
    /// A line in the middle is no record.
    #[error("line {line} is no record of a journal")]
    Damaged {
        /// From 1.
        line: usize,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// Records are missing.
    #[error("line {line} holds record {found} where record {wanted} was expected")]
    Gap {
        /// From 1.
        line: usize,
        /// The number that should stand there.
        wanted: u64,
        /// The number that stands there.
        found: u64,
    },
    /// Written by a harness whose format this one does not know.
    #[error("the journal has format {found}; this harness reads formats {OLDEST} to {FORMAT}")]
    Format {
        /// The format named by the journal.
        found: u32,
    },
}

/// The part of a header that every format has.
#[derive(serde::Deserialize)]
struct Header {
    format: Option<u32>,
}

/// Appends one record as one line, in one write, so that a kill tears at most this line.
///
/// # Errors
/// What the writer says.
pub fn append(writer: &mut impl Write, record: &Record) -> io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    writer.write_all(&line)?;
    writer.flush()
}

/// Reads a journal of this format or an earlier one; a torn last line is returned, not refused.
///
/// # Errors
/// A journal that cannot be read, is damaged in the middle, has gaps, or has an unknown format.
pub fn read(mut reader: impl BufRead) -> Result<Journal, JournalError> {
    let mut records = Vec::new();
    let mut line = Vec::new();
    let mut format = FORMAT;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(Journal { records, torn: None });
        }
        if line.last() != Some(&b'\n') {
            let torn = Some(String::from_utf8_lossy(&line).into_owned());
            return Ok(Journal { records, torn });
        }
        let number = records.len() + 1;
        let damaged = |source| JournalError::Damaged { line: number, source };
        // Another format may have other records; it is refused by its number, not by their form.
        let header: Header = serde_json::from_slice(&line).map_err(damaged)?;
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

/// Reads one line of a journal of this format.
fn parse(line: &[u8], format: u32) -> serde_json::Result<Record> {
    if format == FORMAT {
        return serde_json::from_slice(line);
    }
    let mut record: Value = serde_json::from_slice(line)?;
    upgrade::upgrade(&mut record);
    serde_json::from_value(record)
}
