//! The docker command's configuration is whole at every instant, and stays the user's (contract 5).
//!
//! - `writes`: `config.json` is replaced at once by one that is valid; what the daemon does not own is
//!   in it as before; and it is written only where that changes something (320-I3, 320-S1).
//! - `choice`: the user's current context is taken over only where its engine does not answer, or where
//!   it is not there; never where it cannot be told (320-I1, I2, S2, S4, S8).
//! - `ours`: the daemon's own context is there while the engine is connected, and nothing of it, nor
//!   anything else that is the daemon's, after a stop (320-S3, 320-T1).
//! - `told`: a configuration that cannot be used is told as an error (320-I5).
//!
//! The harness looks at the files when the kernel says that one has changed, so each change of
//! `config.json` is judged, not only what is there in the end. Who changed it the kernel does not say:
//! while a docker command of the user's runs, only what it could not have done is judged.

use super::choice::Choice;
use super::facts::Facts;
use super::ours::Ours;
use super::told::Told;
use super::writes;
use crate::oracle::Finding;
use crate::record::{CONFIG_FILE, Record, What};
use crate::scenario::OracleName;
use crate::steps::Steps;

/// Judges every change of the configuration, and what is there whenever the world is quiet.
#[must_use]
pub fn docker_config_integrity(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::of(history);
    let mut facts = Facts::default();
    let (mut choice, mut ours, mut told) = (Choice::default(), Ours::default(), Told::default());
    for record in history {
        let mut broken = Vec::new();
        if let What::DockerFile(file) = &record.what
            && file.path == CONFIG_FILE
            && !file.by_user
            // Both daemons have one user, whose doings are told in the history of the first one.
            && !record.neighbour
        {
            broken.extend(writes::wrong(&facts, file));
            broken.extend(choice.wrong(&facts, file, record.at_us));
        }
        facts.see(record, steps);
        choice.see(record);
        broken.extend(ours.see(&facts, record));
        broken.extend(told.see(&facts, &record.what));
        for text in broken {
            finding.violated(OracleName::DockerConfigIntegrity, record.seq, text);
        }
    }
    finding
}
