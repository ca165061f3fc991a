//! What is going to be made, on disk before it is made, so that a sweep knows of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The length of each log when a run began, in bytes. A log that is missing here did not exist then.
pub(crate) type LogLengths = BTreeMap<PathBuf, u64>;

/// One thing that a world is going to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intent {
    /// The world itself; the first line.
    World {
        /// What its processes carry in their environment.
        marker: String,
    },
    /// A run in it; the last one that is declared goes on.
    Run {
        /// Where its evidence goes; it outlives the world.
        evidence: PathBuf,
        /// How long the world's logs were when it began.
        logs: LogLengths,
    },
    /// No run goes on.
    Idle,
    /// Containers on the user's Docker, which will carry the marker as a label.
    Containers {
        /// Socket of that Docker.
        socket: PathBuf,
    },
    /// A process, which will carry the marker.
    Process(String),
    /// A daemon, and where its instance has what it has.
    Daemon {
        /// HOME of its processes.
        home: PathBuf,
        /// What its `svc paths` has said, by name.
        paths: BTreeMap<String, PathBuf>,
    },
    /// An engine.
    Engine {
        /// Its own socket, past the wire.
        socket: PathBuf,
    },
    /// A control group below the root of each hierarchy.
    ControlGroup(String),
}

/// Name of the file in the world's directory.
const FILE: &str = "intents";

/// Appends an intent.
pub(crate) fn declare(directory: &Path, intent: &Intent) -> io::Result<()> {
    let mut line = serde_json::to_vec(intent)?;
    line.push(b'\n');
    File::options().append(true).create(true).open(directory.join(FILE))?.write_all(&line)
}

/// Reads what a world declared; a torn last line was not acted upon, and is left out.
pub(crate) fn declared(directory: &Path) -> io::Result<Vec<Intent>> {
    let lines = BufReader::new(File::open(directory.join(FILE))?).lines();
    Ok(lines.map_while(Result::ok).map_while(|line| serde_json::from_str(&line).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    // A kill can tear the last line; what it declares was not made yet.
    #[test]
    fn a_torn_last_line_is_left_out_and_nothing_else() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let world = Intent::World { marker: "m".to_owned() };
        let group = Intent::ControlGroup("g".to_owned());
        for intent in [&world, &group] {
            declare(place.path(), intent).expect("a writable directory");
        }
        let path = place.path().join(FILE);
        let whole = std::fs::read(&path).expect("the list");
        let second = whole.iter().position(|byte| *byte == b'\n').expect("two lines") + 1;
        for cut in second..whole.len() - 1 {
            std::fs::write(&path, &whole[..cut]).expect("a writable file");
            let left = declared(place.path()).expect("the list");
            assert_eq!(left, std::slice::from_ref(&world), "cut at {cut}");
        }
    }
}
