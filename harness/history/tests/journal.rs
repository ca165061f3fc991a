//! Reads journals that were cut off at any byte, that are damaged, or that have another format.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use racetrap_history::journal::{self, JournalError};
use racetrap_history::{Record, RunHeader, VmMode, What};

fn records() -> Vec<Record> {
    let header = RunHeader {
        format: journal::FORMAT,
        harness: "0".to_owned(),
        finding: "295-I3".parse().unwrap(),
        scenario: serde_json::from_value(serde_json::json!({ "finding": "295-I3", "steps": [] }))
            .unwrap(),
        daemon: "/d".to_owned(),
        defects: vec![],
        vm: VmMode::Api,
        started: "2026-01-01T00:00:00Z".to_owned(),
        reused: 0,
        again: "racetrap repro 295-I3".to_owned(),
        low_limit: None,
        cell: None,
    };
    let whats = [What::Run(header), What::Note { text: "ä\n\"".to_owned() }, What::Ended];
    let numbered = whats.into_iter().enumerate();
    numbered
        .map(|(seq, what)| Record { seq: seq as u64, at_us: 10, neighbour: false, what })
        .collect()
}

fn written(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        journal::append(&mut bytes, record).unwrap();
    }
    bytes
}

// Cuts the journal at every byte. All complete records must be read, and the rest must be returned too.
#[test]
fn a_journal_cut_at_any_byte_gives_all_whole_records() {
    let records = records();
    let bytes = written(&records);
    for cut in 0..=bytes.len() {
        let journal = journal::read(&bytes[..cut]).unwrap();
        let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(journal.records, records[..whole], "cut at {cut}");
        let at_boundary = cut == 0 || bytes[cut - 1] == b'\n';
        assert_eq!(journal.torn.is_none(), at_boundary, "cut at {cut}");
    }
}

#[test]
fn damage_in_the_middle_is_refused_with_its_line() {
    let mut bytes = written(&records());
    let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    bytes[second] = b'x';
    assert!(matches!(journal::read(&bytes[..]), Err(JournalError::Damaged { line: 2, .. })));
}

#[test]
fn a_missing_record_is_refused() {
    let mut records = records();
    records.remove(1);
    let bytes = written(&records);
    assert!(matches!(
        journal::read(&bytes[..]),
        Err(JournalError::Gap { line: 2, wanted: 1, found: 2 })
    ));
}

#[test]
fn another_format_is_refused_by_its_number() {
    let text = String::from_utf8(written(&records())).unwrap();
    let newer = text.replace("\"format\":2", "\"format\":3");
    let error = journal::read(newer.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the journal has format 3; this harness reads formats 1 to 2");
}
