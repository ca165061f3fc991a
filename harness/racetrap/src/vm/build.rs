//! Makes the image of a guest by the recipe in `fixtures/vm`.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Duration;

use racetrap_vm::{GUEST_FILES, GUEST_STEPS};
use sha2::{Digest as _, Sha256};

use super::error::VmError;
use super::version::GuestVersion;
use crate::apt;
use crate::process::{OutsideRun, find_program};

/// How long one step may take; the first one fetches 120 MB.
const STEP_LIMIT: Duration = Duration::from_secs(1800);

/// The variables that the recipe gets from the user's environment: where programs are, and how the
/// network is reached.
const PASSED: [&str; 4] = ["PATH", "http_proxy", "https_proxy", "no_proxy"];

/// How many lines of a step's output an error shows.
const OUTPUT_LINES: usize = 12;

/// The hash of everything that decides what an image contains, as 12 hexadecimal digits.
pub(super) fn recipe_hash(version: GuestVersion) -> String {
    let mut hash = Sha256::new();
    hash.update(version.suite());
    for (name, bytes) in GUEST_FILES {
        hash.update(name);
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    }
    hex::encode(&hash.finalize()[..6])
}

/// Makes the image in `directory`, which is empty. Calls `progress` with what is being done.
pub(super) async fn make(
    directory: &Path,
    version: GuestVersion,
    archive: Option<&str>,
    progress: &mut dyn FnMut(&str),
) -> Result<(), VmError> {
    for program in ["mmdebstrap", "mke2fs", "qemu-img", "ssh-keygen", "dpkg-deb"] {
        find_program(program).ok_or(VmError::Missing { program })?;
    }
    let archive = match archive {
        Some(archive) => archive.to_owned(),
        None => apt::debian().await?,
    };
    let work = directory.join("work");
    let recipe = work.join("recipe");
    let write = || {
        fs::create_dir_all(&recipe)?;
        GUEST_FILES.iter().try_for_each(|(name, bytes)| fs::write(recipe.join(name), bytes))
    };
    write().map_err(|source| VmError::Io { path: recipe.clone(), source })?;
    for (step, what) in GUEST_STEPS {
        progress(what);
        run_step(&work, directory, (step, what), (version.suite(), &archive)).await?;
    }
    fs::remove_dir_all(&work).map_err(|source| VmError::Io { path: work, source })
}

/// Runs one step of the recipe.
async fn run_step(
    work: &Path,
    out: &Path,
    (step, what): (&'static str, &'static str),
    (suite, archive): (&str, &str),
) -> Result<(), VmError> {
    let script = work.join("recipe/build");
    let unshare = find_program("unshare").ok_or(VmError::Missing { program: "unshare" })?;
    let mut variables: Vec<(&str, _)> = vec![
        ("WORK", work.into()),
        ("OUT", out.into()),
        ("SUITE", suite.into()),
        ("ARCHIVE", archive.into()),
        ("HOME", work.into()),
    ];
    variables.extend(PASSED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    let run = OutsideRun {
        program: &unshare,
        // What the build mounts is gone when its last process ends, even if it was killed.
        arguments: ["--mount", "--propagation=private", "/bin/sh"]
            .map(OsStr::new)
            .into_iter()
            .chain([script.as_os_str(), OsStr::new(step)])
            .collect(),
        variables,
        directory: work,
        limit: STEP_LIMIT,
        // Ctrl-C ends the build, and not only the harness that waits for it.
        is_interruptible: true,
    };
    let ended = run.run_to_end().await;
    let output = match ended {
        Ok(Some(output)) if output.status.success() => return Ok(()),
        Ok(Some(output)) => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            lines[lines.len().saturating_sub(OUTPUT_LINES)..].join("\n")
        }
        Ok(None) => format!("(it was killed, because it did not end within {STEP_LIMIT:?})"),
        Err(error) => error.to_string(),
    };
    Err(VmError::Step { what, output })
}
