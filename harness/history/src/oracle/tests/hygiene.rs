//! Leftovers when a world is closed, and who should have removed them.

use super::build::*;
use crate::record::{Owner, What};
use crate::scenario::OracleName;

// If the harness should have removed the leftover, the run is unknown instead; `run` tests that.
#[test]
fn hygiene_sees_what_a_stopped_daemon_leaves() {
    let text = "its Docker context is still there".to_owned();
    assert_violates(
        healthy_run(vec![What::Leak { text, owner: Owner::Daemon }]),
        OracleName::Hygiene,
        "the daemon has stopped, but its Docker context is still there",
    );
}
