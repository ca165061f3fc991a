//! Waits for what will not come: they end by proof, and only if there is one.

use rstest::rstest;

use crate::place::Place;

/// Waits for a status that the condition never has; `before` comes first.
fn waits(before: &str) -> String {
    format!(
        "
finding: 295-I3
steps:
  - app: {{running: true}}
{before}
  - await: {{condition: {{type: Settled, status: Unknown}}}}
  - settle
"
    )
}

const PROOF: &str = "until the daemon had nothing left to do";

// Both waits fail. In the second one bytes may be on their way that no record shows, so nothing is proved,
// and only the deadline ends it.
#[rstest]
#[case::nothing_goes_on("", true)]
#[case::bytes_may_be_on_their_way(
    "  - fault: {kind: {slow: {bytes: 1, every_ms: 50}}, on: {route: \"/containers/{id}/logs\"}}",
    false
)]
fn a_wait_ends_before_its_deadline_only_by_proof(#[case] before: &str, #[case] proved: bool) {
    let place = Place::new();
    let path = place.path().join("scenario.yaml");
    std::fs::write(&path, waits(before)).unwrap();
    let path = path.to_str().unwrap();
    let output = place.run(&["run", path, "--format", "json", "--deadline", "25"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("liveness"), "{said}");
    assert_eq!(said.contains(PROOF), proved, "{said}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}
