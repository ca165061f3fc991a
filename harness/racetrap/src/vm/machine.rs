//! The arguments of QEMU. A fork fits its template only if both have the same devices in the same
//! order, so they are listed here alone.

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};

use racetrap_vm::GUEST_KERNEL_ARGUMENTS;

/// The guest's address in the network of the daemon.
pub(crate) const DAEMON_ADDRESS: &str = "10.0.2.15";

/// The guest's address in the network of the harness, which no fault cuts.
pub(crate) const HARNESS_ADDRESS: &str = "10.0.3.15";

/// The guest's address in the network of Lima.
pub(crate) const LIMA_ADDRESS: &str = "192.168.5.15";

/// The guest's memory, in MiB.
const MEMORY_MIB: u32 = 1024;

/// Emulation of the processors by software, with a small cache of translated code: the default may grow
/// to 1 GiB for each machine.
const EMULATED: &str = "tcg,thread=multi,tb-size=128";

/// What a machine's memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// The file itself, which becomes a template's.
    Shared,
    /// A private copy of the file, of which only changed pages take memory.
    Private,
}

/// The files of one machine, all in one directory.
#[derive(Clone, Debug)]
pub(crate) struct MachineFiles {
    directory: PathBuf,
    /// The guest's serial console.
    console: PathBuf,
    /// The log of the guest's dockerd.
    engine_log: PathBuf,
}

impl MachineFiles {
    /// The files in `directory`, with logs elsewhere.
    pub(crate) fn new(directory: &Path, console: PathBuf, engine_log: PathBuf) -> Self {
        Self { directory: directory.to_owned(), console, engine_log }
    }

    /// The disk, which contains what differs from the disk below it.
    pub(crate) fn disk(&self) -> PathBuf {
        self.directory.join("disk.qcow2")
    }

    /// The socket of QEMU's own commands.
    pub(crate) fn qmp(&self) -> PathBuf {
        self.directory.join("qmp.sock")
    }

    /// The socket of the guest's agent.
    pub(crate) fn agent(&self) -> PathBuf {
        self.directory.join("agent.sock")
    }

    /// The guest's serial console.
    pub(crate) fn console(&self) -> &Path {
        &self.console
    }
}

/// One machine.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// The directory of the image, with the kernel and the initial RAM disk.
    pub(crate) image: PathBuf,
    /// The file of the memory.
    pub(crate) ram: PathBuf,
    pub(crate) memory: Memory,
    /// Whether hardware runs the guest; otherwise software emulates it.
    pub(crate) is_accelerated: bool,
    pub(crate) files: MachineFiles,
}

impl Machine {
    /// The arguments of QEMU. With `is_fork`, it waits for the state of a template.
    pub(crate) fn arguments(&self, is_fork: bool) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let files = &self.files;
        let (accelerator, processor) = match self.is_accelerated {
            true => ("kvm", "host"),
            false => (EMULATED, "max"),
        };
        let share = if self.memory == Memory::Shared { "on" } else { "off" };
        let ram = text(&self.ram);
        let pairs = [
            ("-accel", accelerator.to_owned()),
            ("-machine", "pc,memory-backend=ram".to_owned()),
            ("-cpu", processor.to_owned()),
            ("-smp", "2".to_owned()),
            ("-m", MEMORY_MIB.to_string()),
            (
                "-object",
                format!(
                    "memory-backend-file,id=ram,size={MEMORY_MIB}M,mem-path={ram},share={share}"
                ),
            ),
            ("-kernel", text(&self.image.join("vmlinuz"))),
            ("-initrd", text(&self.image.join("initrd"))),
            ("-append", GUEST_KERNEL_ARGUMENTS.to_owned()),
            ("-chardev", file("console", &files.console)),
            ("-serial", "chardev:console".to_owned()),
            ("-qmp", format!("unix:{},server=on,wait=off", text(&files.qmp()))),
            // Nobody survives a crash of this machine, so no write waits for its disk.
            (
                "-blockdev",
                format!(
                    "driver=file,node-name=file,filename={},cache.no-flush=on",
                    text(&files.disk())
                ),
            ),
            ("-blockdev", "driver=qcow2,node-name=disk,file=file,cache.no-flush=on".to_owned()),
            ("-device", "virtio-blk-pci,drive=disk,id=disk0".to_owned()),
            ("-device", "virtio-rng-pci".to_owned()),
            ("-netdev", network("net0", DAEMON_ADDRESS)),
            ("-device", "virtio-net-pci,netdev=net0,id=nic0,romfile=".to_owned()),
            ("-netdev", network("net1", HARNESS_ADDRESS)),
            ("-device", "virtio-net-pci,netdev=net1,id=nic1,romfile=".to_owned()),
            ("-device", "virtio-serial-pci,id=ports".to_owned()),
            ("-chardev", server("agent", &files.agent())),
            ("-device", "virtserialport,chardev=agent,name=agent".to_owned()),
            ("-chardev", file("log", &files.engine_log)),
            ("-device", "virtserialport,chardev=log,name=log".to_owned()),
        ];
        let flags = ["-nodefaults", "-no-user-config", "-display", "none"].map(str::to_owned);
        let incoming = is_fork.then(|| ["-incoming".to_owned(), "defer".to_owned()]);
        let pairs = pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        flags.into_iter().chain(pairs).chain(incoming.into_iter().flatten()).collect()
    }
}

/// The program and the arguments by which Lima's QEMU gets what the harness needs in the guest, beside
/// what Lima gives it: a network and serial ports of the harness's own, and a second socket of QEMU's
/// commands. Lima reads them from a variable, as a shell would, and puts its own arguments behind
/// them. Without `is_accelerated`, they also choose software emulation, which Lima would not do: for it,
/// hardware is usable if `/dev/kvm` exists.
pub(crate) fn lima_program(files: &MachineFiles, is_accelerated: bool) -> String {
    let emulated = [
        ("-machine", "q35,vmport=off".to_owned()),
        ("-accel", EMULATED.to_owned()),
        ("-cpu", "max".to_owned()),
    ];
    let own = [
        ("-netdev", network("harness", HARNESS_ADDRESS)),
        ("-device", "virtio-net-pci,netdev=harness,id=nic1,romfile=".to_owned()),
        ("-device", "virtio-serial-pci,id=ports".to_owned()),
        ("-chardev", server("agent", &files.agent())),
        ("-device", "virtserialport,bus=ports.0,chardev=agent,name=agent".to_owned()),
        ("-chardev", file("log", &files.engine_log)),
        ("-device", "virtserialport,bus=ports.0,chardev=log,name=log".to_owned()),
        ("-qmp", format!("unix:{},server=on,wait=off", files.qmp().display())),
    ];
    let emulated = emulated.into_iter().filter(|_| !is_accelerated);
    let words = emulated.chain(own).map(|(name, value)| {
        // Inside single quotes, only a single quote ends the word.
        format!(" {name} '{}'", value.replace('\'', r"'\''"))
    });
    format!("qemu-system-{ARCH}{}", words.collect::<String>())
}

/// A network of QEMU's own, of which port 22 of `address` can be reached. The kernel chooses the port of
/// this machine, so that two worlds never choose the same one.
fn network(id: &str, address: &str) -> String {
    let net = address.rsplit_once('.').map_or(address, |(net, _)| net);
    format!("user,id={id},restrict=on,net={net}.0/24,hostfwd=tcp:127.0.0.1:0-{address}:22")
}

fn file(id: &str, path: &Path) -> String {
    format!("file,id={id},append=on,path={}", path.display())
}

fn server(id: &str, path: &Path) -> String {
    format!("socket,id={id},server=on,wait=off,path={}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(directory: &str, memory: Memory) -> Machine {
        let path = Path::new(directory);
        let files = MachineFiles::new(path, path.join("console"), path.join("log"));
        let (image, ram) = ("/image".into(), path.join("ram"));
        Machine { image, ram, memory, is_accelerated: false, files }
    }

    // Lima parses the variable as a shell does, and takes its own value of an option that is not there.
    #[test]
    fn the_program_of_lima_has_the_networks_and_ports_of_the_harness() {
        let path = Path::new("/w/it's");
        let files = MachineFiles::new(path, path.join("console"), path.join("log"));
        let emulated = lima_program(&files, false);
        assert!(emulated.starts_with("qemu-system-"), "{emulated}");
        assert!(emulated.contains(r"path=/w/it'\''s/agent.sock'"), "{emulated}");
        assert!(emulated.contains("-10.0.3.15:22'"), "{emulated}");
        assert!(emulated.contains(" -accel 'tcg,"), "{emulated}");
        let accelerated = lima_program(&files, true);
        assert!(!accelerated.contains("-accel") && !accelerated.contains("-cpu"), "{accelerated}");
        assert_eq!(accelerated.matches(" -device ").count(), 4);
    }

    // A template and its fork differ in paths, in how the memory is mapped, and in the last argument.
    #[test]
    fn a_fork_has_the_devices_of_its_template() {
        let template = machine("/t", Memory::Shared).arguments(false);
        let fork = machine("/w", Memory::Private).arguments(true);
        let devices = |arguments: &[String]| {
            let pairs = arguments.windows(2).filter(|pair| pair[0] == "-device");
            pairs.map(|pair| pair[1].clone()).collect::<Vec<_>>()
        };
        assert_eq!(devices(&template), devices(&fork));
        assert_eq!(devices(&fork).len(), 7);
        let plain =
            |argument: &String| argument.replace("/w", "/t").replace("share=off", "share=on");
        let rest = &fork[..template.len()];
        assert_eq!(rest.iter().map(plain).collect::<Vec<_>>(), template);
        assert_eq!(fork[template.len()..], ["-incoming", "defer"]);
    }
}
