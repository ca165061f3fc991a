//! What a file may leave out, and that every text is either read or refused with an error.
//! `tests/cli` compares the messages.

use miette::Diagnostic as _;
use racetrap_history::Scenario;

use super::*;
use crate::catalogue::Catalogue;

fn read_text(text: &str) -> Result<Scenario, ScenarioFileError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a scenario.yaml");
    std::fs::write(&path, text).unwrap();
    Catalogue::embedded().unwrap().read(&path)
}

/// The file's steps differ from those of the catalogue's entry, so they must come from the file.
#[test]
fn a_file_without_a_description_inherits_the_one_of_the_catalogue() {
    let scenario = read_text("finding: 295-I3\nsteps: [settle]\n").unwrap();
    let catalogue = Catalogue::embedded().unwrap();
    let entry = catalogue.get(&"295-I3".parse().unwrap()).unwrap();
    assert_eq!(scenario.about, entry.about);
    assert_ne!(scenario.steps, entry.steps);
}

/// Without a description the file is refused, because its finding is unknown; with one it is
/// accepted.
#[test]
fn a_file_with_a_description_may_be_about_a_finding_that_the_catalogue_does_not_have() {
    let text = "finding: 1-A\nsteps: [settle]\n";
    assert!(matches!(read_text(text), Err(ScenarioFileError::Invalid(_))));
    let about = "about: {title: t, source: s, broken: b, correct: c, oracle: liveness, \
                 defect: 1-A, unrelated: 1-B}\n";
    assert_eq!(read_text(&format!("{text}{about}")).unwrap().about.unwrap().title, "t");
}

/// Writes every entry as YAML, as a journal or a replay does, and reads it again.
#[test]
fn what_is_written_is_read_as_the_same_scenario() {
    for entry in Catalogue::embedded().unwrap().entries() {
        let text = serde_yaml::to_string(entry).unwrap();
        assert_eq!(parse("written.yaml", &text).as_ref().unwrap(), entry, "{text}");
    }
}

/// Cuts a schedule that contains every construct of the language at every character, and replaces
/// every character: the label of each error must lie inside the text, because otherwise the message
/// cannot be shown.
#[test]
fn a_damaged_text_is_read_or_refused_with_a_place_that_it_has() {
    let whole = "finding: 295-I3\nsteps:\n  - load_image: {image: base, tags: [\"base:1\"]}\n  # So.\n  \
                 - hold:\n      gate: g\n      at: request\n      on: {route: /events, nth: 2}\n  \
                 - app: {running: true}\n  - reached: g\n  - release: g\n  - settle\n";
    assert!(parse("whole.yaml", whole).is_ok());
    let mut refused = 0;
    for (place, _) in whole.char_indices() {
        let cut = whole[..place].to_owned();
        let mut replaced = whole.to_owned();
        replaced.replace_range(place..=place, "\u{20ac}");
        for text in [cut, replaced] {
            let Err(invalid) = parse("damaged.yaml", &text) else { continue };
            refused += 1;
            let label = invalid.labels().unwrap().next().unwrap();
            assert!(label.offset() + label.len() <= text.len(), "{invalid}: {text}");
            assert!(text.is_char_boundary(label.offset()), "{invalid}: {text}");
        }
    }
    assert!(refused > whole.len(), "{refused} of {} texts were refused", 2 * whole.len());
}

/// The parser knows some places only by line and column, and a euro sign is one column but three
/// bytes.
#[test]
fn a_place_without_a_byte_offset_is_found_by_line_and_character() {
    let text = "finding: A\nsteps: [reached: \u{20ac}, hold: {gate: g\n  - settle\n";
    let invalid = parse("places.yaml", text).unwrap_err();
    let label = invalid.labels().unwrap().next().unwrap();
    let shown = text.get(label.offset()..label.offset() + label.len());
    assert_eq!(shown, Some("{gate: g"), "{invalid}");
}
