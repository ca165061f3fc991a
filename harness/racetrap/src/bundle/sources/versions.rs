//! The versions of harness, kernel, system, daemon and engine.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::Duration;

use racetrap_history::{Record, What};
use serde_json::{Value, json};

use crate::bundle::collect::Collector;
use crate::bundle::output::{CollectorOutput, Content};
use crate::bundle::target::CaptureTarget;
use crate::sys::kernel;

/// How many records of the journal are read. The versions are recorded as soon as the world has
/// started.
const RECORDS_MAX: usize = 2_000;

pub(super) fn collector(target: &CaptureTarget) -> Collector {
    let target = target.clone();
    Collector::blocking("versions", Duration::from_secs(2), move |output| {
        collect(output, &target);
    })
}

fn collect(output: &CollectorOutput, target: &CaptureTarget) {
    let mut versions = json!({
        "harness": env!("CARGO_PKG_VERSION"),
        "kernel": kernel(),
        "system": system(),
        "daemon": null,
        "engine": null,
    });
    if let Err(error) = add_from_journal(&target.journal(), &mut versions) {
        versions["unreadable"] = Value::from(format!("the journal: {error}"));
    }
    output.put("versions.json", Content::Json(versions));
}

/// Adds the versions of daemon and engine from the first records of the run.
fn add_from_journal(journal: &Path, versions: &mut Value) -> std::io::Result<()> {
    for line in BufReader::new(File::open(journal)?).lines().take(RECORDS_MAX) {
        // The last line may be incomplete, because the run still writes; it is skipped.
        match serde_json::from_str::<Record>(&line?).map(|record| record.what) {
            Ok(What::Run(head)) => {
                versions["daemon"] = json!({
                    "program": head.daemon, "defects": head.defects, "vm": head.vm,
                });
            }
            Ok(What::Facts { daemon_version, engine, controllers }) => {
                versions["daemon"]["version"] = Value::from(daemon_version);
                versions["daemon"]["controllers"] = Value::from(controllers);
                versions["engine"] = Value::from(engine);
                break;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The name of the Linux distribution.
fn system() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}
