//! What is left when a world is closed, and whose it was.

use super::build::*;
use crate::record::{Owner, What};
use crate::scenario::OracleName;

// The same leak of the harness's own makes a run unknown instead: see `run`.
#[test]
fn hygiene_sees_what_a_stopped_daemon_leaves() {
    let text = "its Docker context is still there".to_owned();
    assert_violates(
        healthy_run(vec![What::Leak { text, owner: Owner::Daemon }]),
        OracleName::Hygiene,
        "the daemon has stopped, but its Docker context is still there",
    );
}
