//! The history on disk: one JSON object a line, written whole, readable when cut off anywhere.

use std::io::{self, BufRead, Write};

use crate::Record;

/// Version of the format; it changes whenever an old reader could misread a new journal.
pub const FORMAT: u32 = 1;

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
    #[error("the journal has format {found}; this harness reads format {FORMAT}")]
    Format {
        /// The format named by the journal.
        found: u32,
    },
}

/// The part of a header that every format has.
#[derive(serde::Deserialize)]
struct Format {
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

/// Reads a journal; a torn last line is told, not refused.
///
/// # Errors
/// A journal that cannot be read, is damaged in the middle, has gaps, or has another format.
pub fn read(mut reader: impl BufRead) -> Result<Journal, JournalError> {
    let mut records = Vec::new();
    let mut line = Vec::new();
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
        let Format { format } = serde_json::from_slice(&line).map_err(damaged)?;
        if let Some(found) = format.filter(|format| *format != FORMAT) {
            return Err(JournalError::Format { found });
        }
        let record: Record = serde_json::from_slice(&line).map_err(damaged)?;
        let wanted = records.len() as u64;
        if record.seq != wanted {
            return Err(JournalError::Gap { line: number, wanted, found: record.seq });
        }
        records.push(record);
    }
}
