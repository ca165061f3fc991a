//! The machine: what it is short of, and what the kernel said of that.

use std::time::Duration;

use crate::bundle::collect::Collector;
use crate::bundle::patient::Patient;
use crate::bundle::shelf::{Content, Shelf};
use crate::sys::{kernel_lines, machine};

pub(super) fn collector(patient: &Patient) -> Collector {
    let patient = patient.clone();
    Collector::reads("machine", Duration::from_secs(2), move |shelf| look(shelf, &patient))
}

fn look(shelf: &Shelf, patient: &Patient) {
    let directories = [patient.evidence.clone(), patient.directory.clone(), std::env::temp_dir()];
    let machine = machine(&directories, &patient.control_groups);
    match serde_json::to_value(machine) {
        Ok(value) => shelf.put("machine.json", Content::Json(value)),
        Err(error) => shelf.missing("machine.json", error),
    }
    match kernel_lines() {
        Ok(lines) if lines.is_empty() => {
            let text = "The kernel has said nothing of memory, of disks or of tasks that hang.\n";
            shelf.put("kernel.log", Content::Text(text.to_owned()));
        }
        Ok(lines) => shelf.put("kernel.log", Content::Text(lines.join("\n") + "\n")),
        Err(error) => shelf.missing("kernel.log", error),
    }
}
