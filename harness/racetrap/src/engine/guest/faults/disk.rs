//! Faults of the guest's disk. QEMU puts them between the device and its file, so the guest's kernel sees
//! what it would see of hardware, and the file itself stays whole.

use std::ops::ControlFlow;

use racetrap_history::GuestDisk;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::engine::error::EngineError;
use crate::engine::guest::engine::Guest;
use crate::engine::guest::machine::REQUEST_LIMIT;
use crate::recorder::Recorder;
use crate::vm::VmError;
use crate::wait::polled;

/// The device in QEMU's tree of objects.
const DEVICE: &str = "/machine/peripheral/disk0";

/// QEMU's node with the content of the disk, and the one that is put before it.
const DISK: &str = "disk";
const FILTER: &str = "faulty";

/// The numbers of errors as Linux has them.
const INPUT_OUTPUT_ERROR: u32 = 5;
const NO_SPACE: u32 = 28;

/// How many reads and writes a slow disk carries out in a second.
const SLOW_IOPS: u32 = 50;

/// A command that reads the first sector of the disk and writes it again, past every cache. It belongs to no
/// file system, so nobody else writes it in between.
const REWRITE: &str =
    "dd if=/dev/vda of=/dev/vda bs=512 count=1 conv=notrunc iflag=direct oflag=direct";

/// How many reads show how fast the disk is.
const SPEED_READS: u32 = 50;

impl Guest {
    /// Changes what the disk does, and sees that it does so.
    pub(super) async fn set_disk(
        &mut self,
        disk: GuestDisk,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        match disk {
            GuestDisk::Failing => {
                self.fail_writes(INPUT_OUTPUT_ERROR).await?;
                self.see_a_write_fail().await?;
            }
            GuestDisk::Full => {
                self.fail_writes(NO_SPACE).await?;
                self.see_the_machine_held().await?;
                recorder.note("QEMU holds the machine until there is room for its disk");
            }
            GuestDisk::Slow => {
                self.limit_rate(SLOW_IOPS).await?;
                let took_s = self.note_speed(recorder).await?;
                // QEMU may let a tenth of a second's worth through at once.
                if took_s < f64::from(SPEED_READS) / f64::from(SLOW_IOPS) / 2.0 {
                    let why = format!("{SPEED_READS} reads took {took_s:.2} s");
                    return Err(EngineError::NoEffect { why });
                }
            }
            GuestDisk::Normal => {
                self.mend_disk().await?;
                // The kernel tells whoever flushes the disk next of a write that failed before.
                let settled = format!("busybox blockdev --flushbufs /dev/vda; {REWRITE}");
                self.agent.run(&settled, REQUEST_LIMIT).await?;
                self.note_speed(recorder).await?;
            }
        }
        self.disk = disk;
        Ok(())
    }

    async fn mend_disk(&self) -> Result<(), EngineError> {
        match self.disk {
            GuestDisk::Failing => self.pass_writes().await,
            GuestDisk::Full => {
                self.pass_writes().await?;
                // QEMU carries out again the writes for which there was no room.
                Ok(self.qmp.run("cont", json!({})).await.map(drop)?)
            }
            GuestDisk::Slow => self.limit_rate(0).await,
            GuestDisk::Normal => Ok(()),
        }
    }

    /// Lets each write fail with the error of this number.
    async fn fail_writes(&self, error: u32) -> Result<(), EngineError> {
        let rule = json!({
            "event": "none", "iotype": "write", "errno": error, "once": false, "immediately": false,
        });
        let filter = json!({
            "driver": "blkdebug", "node-name": FILTER, "image": DISK, "inject-error": [rule],
        });
        self.qmp.run("blockdev-add", filter).await?;
        self.connect_disk(FILTER).await
    }

    async fn pass_writes(&self) -> Result<(), EngineError> {
        self.connect_disk(DISK).await?;
        Ok(self.qmp.run("blockdev-del", json!({ "node-name": FILTER })).await.map(drop)?)
    }

    /// Gives the device the content of a node, while the guest runs.
    async fn connect_disk(&self, node: &str) -> Result<(), EngineError> {
        let drive = json!({ "path": DEVICE, "property": "drive", "value": node });
        Ok(self.qmp.run("qom-set", drive).await.map(drop)?)
    }

    /// Limits reads and writes to this number a second; 0 is no limit.
    async fn limit_rate(&self, iops: u32) -> Result<(), EngineError> {
        let limits = json!({
            "id": format!("{DEVICE}/virtio-backend"),
            "iops": iops, "iops_rd": 0, "iops_wr": 0, "bps": 0, "bps_rd": 0, "bps_wr": 0,
        });
        Ok(self.qmp.run("block_set_io_throttle", limits).await.map(drop)?)
    }

    async fn see_a_write_fail(&self) -> Result<(), EngineError> {
        let why = match self.agent.run(REWRITE, REQUEST_LIMIT).await {
            Err(VmError::Agent { why, .. }) if why.contains("Input/output error") => return Ok(()),
            Err(error) => error.to_string(),
            Ok(said) => format!("it wrote to its disk: {said}"),
        };
        Err(EngineError::NoEffect { why })
    }

    /// Writes, and waits until QEMU holds the machine for lack of room.
    async fn see_the_machine_held(&self) -> Result<(), EngineError> {
        let status = |answer: Result<Value, VmError>| match answer {
            Ok(answer) if answer["status"] == "io-error" => ControlFlow::Break(()),
            Ok(answer) => ControlFlow::Continue(answer["status"].to_string()),
            Err(error) => ControlFlow::Continue(error.to_string()),
        };
        let held = polled("QEMU to hold the machine", REQUEST_LIMIT, async || {
            status(self.qmp.run("query-status", json!({})).await)
        });
        let why = tokio::select! {
            // Dropping the request is safe: the agent skips the answer, which comes when the machine goes
            // on.
            held = held => match held {
                Ok(()) => return Ok(()),
                Err(late) => late.to_string(),
            },
            // Dropping the other branch is safe: it only looks.
            written = self.agent.run(REWRITE, REQUEST_LIMIT) => format!("it wrote: {written:?}"),
        };
        Err(EngineError::NoEffect { why })
    }

    /// Measures how long some reads take, and records it.
    async fn note_speed(&self, recorder: &Recorder) -> Result<f64, EngineError> {
        let reads = format!("dd if=/dev/vda of=/dev/null bs=512 count={SPEED_READS} iflag=direct");
        let began = Instant::now();
        self.agent.run(&reads, REQUEST_LIMIT).await?;
        let took_s = began.elapsed().as_secs_f64();
        recorder.note(format!("{SPEED_READS} reads of the guest's disk took {took_s:.2} s"));
        Ok(took_s)
    }
}
