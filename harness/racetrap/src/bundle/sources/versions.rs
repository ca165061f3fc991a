//! What was run on what.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::Duration;

use racetrap_history::{Record, What};
use serde_json::{Value, json};

use crate::bundle::collect::Collector;
use crate::bundle::patient::Patient;
use crate::bundle::shelf::{Content, Shelf};
use crate::sys::kernel;

/// How far the journal is read for them, in records: they come as soon as the world is made.
const RECORDS: usize = 2_000;

pub(super) fn collector(patient: &Patient) -> Collector {
    let patient = patient.clone();
    Collector::reads("versions", Duration::from_secs(2), move |shelf| look(shelf, &patient))
}

fn look(shelf: &Shelf, patient: &Patient) {
    let mut versions = json!({
        "harness": env!("CARGO_PKG_VERSION"),
        "kernel": kernel(),
        "system": system(),
        "daemon": null,
        "engine": null,
    });
    if let Err(error) = from_run(&patient.journal(), &mut versions) {
        versions["unreadable"] = Value::from(format!("the journal: {error}"));
    }
    shelf.put("versions.json", Content::Json(versions));
}

/// What the run's first records say of it.
fn from_run(journal: &Path, versions: &mut Value) -> std::io::Result<()> {
    for line in BufReader::new(File::open(journal)?).lines().take(RECORDS) {
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

/// The system's own name.
fn system() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}
