//! The machine: memory, disks and load, and the kernel's messages about a lack of them.

use std::time::Duration;

use crate::bundle::collect::Collector;
use crate::bundle::output::{CollectorOutput, Content};
use crate::bundle::target::CaptureTarget;
use crate::sys::{kernel_lines, machine, temporary_directory};

pub(super) fn collector(target: &CaptureTarget) -> Collector {
    let target = target.clone();
    Collector::blocking("machine", Duration::from_secs(2), move |output| collect(output, &target))
}

fn collect(output: &CollectorOutput, target: &CaptureTarget) {
    // The disks that may be full: of the evidence, of the world, and of temporary files.
    let directories = [target.evidence.clone(), target.directory.clone(), temporary_directory()];
    let machine = machine(&directories, &target.control_groups);
    match serde_json::to_value(machine) {
        Ok(value) => output.put("machine.json", Content::Json(value)),
        Err(error) => output.missing("machine.json", error),
    }
    match kernel_lines() {
        Ok(lines) if lines.is_empty() => {
            let text =
                "The kernel has logged nothing about memory, about disks or about hung tasks.\n";
            output.put("kernel.log", Content::Text(text.to_owned()));
        }
        Ok(lines) => output.put("kernel.log", Content::Text(lines.join("\n") + "\n")),
        Err(error) => output.missing("kernel.log", error),
    }
}
