//! What a world is going to create, on disk before it is created, so that a sweep can find all of
//! it even if the harness is killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::world_directory::intents;

/// The length of each log when a run began, in bytes. A log that is not in the map did not exist
/// then.
pub(crate) type LogLengths = BTreeMap<PathBuf, u64>;

/// One thing that a world is going to create, or that a capture and a sweep must know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intent {
    /// The world itself. Always the first line.
    World {
        /// The marker that its processes carry in their environment.
        marker: String,
    },
    /// A run in the world. The last one that is declared goes on, unless `Idle` follows it.
    Run {
        /// The directory for the run's evidence, which outlives the world.
        evidence: PathBuf,
        /// How long the world's logs were when the run began.
        logs: LogLengths,
    },
    /// No run goes on in the world.
    Idle,
    /// Containers on the user's Docker, which will have the marker as a label.
    Containers {
        /// Socket of the user's Docker.
        socket: PathBuf,
    },
    /// A process, which will carry the marker.
    Process(String),
    /// A daemon.
    Daemon {
        /// HOME of its processes.
        home: PathBuf,
        /// The paths of its instance, by name, as its `svc paths` prints them.
        paths: BTreeMap<String, PathBuf>,
    },
    /// An engine.
    Engine {
        /// The engine's own socket, past the wire.
        socket: PathBuf,
    },
    /// The path of a control group, below the root of each hierarchy.
    ControlGroup(String),
}

/// Appends an intent to the list of the world in `directory`. Must be called before the thing is
/// created.
pub(crate) fn declare(directory: &Path, intent: &Intent) -> io::Result<()> {
    let mut line = serde_json::to_vec(intent)?;
    line.push(b'\n');
    File::options().append(true).create(true).open(intents(directory))?.write_all(&line)
}

/// Reads the intents of the world in `directory`. Omits a last line that is incomplete: the harness
/// was killed while it wrote the line, and so has not created the thing.
pub(crate) fn declared(directory: &Path) -> io::Result<Vec<Intent>> {
    let lines = BufReader::new(File::open(intents(directory))?).lines();
    Ok(lines.map_while(Result::ok).map_while(|line| serde_json::from_str(&line).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The second of two lines is cut at every byte.
    #[test]
    fn an_incomplete_last_line_is_omitted_and_nothing_else() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let world = Intent::World { marker: "m".to_owned() };
        let group = Intent::ControlGroup("g".to_owned());
        for intent in [&world, &group] {
            declare(place.path(), intent).expect("a writable directory");
        }
        let path = intents(place.path());
        let whole = std::fs::read(&path).expect("the list");
        let second = whole.iter().position(|byte| *byte == b'\n').expect("two lines") + 1;
        for cut in second..whole.len() - 1 {
            std::fs::write(&path, &whole[..cut]).expect("a writable file");
            let left = declared(place.path()).expect("the list");
            assert_eq!(left, std::slice::from_ref(&world), "cut at {cut}");
        }
    }
}
