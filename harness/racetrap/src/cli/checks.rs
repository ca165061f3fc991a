//! Checks what this machine has and what it lacks. A check tries what a run needs instead of looking
//! for names, and changes nothing that lasts.

use std::path::Path;

use miette::miette;

use super::daemon::{BUILD, Daemon, REFERENCE};
use super::exit::Failure;
use super::options::DaemonArgs;
use crate::chain::chain;
use crate::engine::Engines;
use crate::process::{ask, called, companion, find_program, first_line};
use crate::report::{Check, CheckState};
use crate::sys;
use crate::vm::{Images, Limactl, VmError};
use crate::world::{EngineChoice, EngineVersion, GuestVersion, longest_socket_path};

/// The least free disk space for worlds, in MiB: several times what one engine needs for its files
/// and logs.
const ROOM_MIN_MIB: u64 = 512;

/// A program that must or may be on PATH.
struct Program {
    name: &'static str,
    package: &'static str,
    purpose: &'static str,
    whose: Whose,
}

/// Who needs a program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Every world.
    World,
    /// The machine's own engine. An engine that `racetrap engine install` fetched brings its own
    /// copy.
    Engine,
    /// Only some scenarios or some users.
    Some,
}

/// The programs, with the packages of Debian and Ubuntu that contain them.
const PROGRAMS: [Program; 11] = [
    program(Whose::Engine, "dockerd", "docker.io", "the private engine of each world"),
    program(Whose::Engine, "containerd", "containerd", "the engine, which starts it"),
    program(Whose::Engine, "runc", "runc", "the engine's containers"),
    program(Whose::World, "unshare", "util-linux", "the namespaces of each engine"),
    program(Whose::World, "nsenter", "util-linux", "the namespaces of each engine"),
    program(Whose::Some, "docker", "docker.io", "the user of the docker command"),
    program(Whose::Some, "kubectl", "kubernetes-client", "`ctl` of the daemon"),
    program(Whose::Some, "qemu-img", "qemu-utils", "VM mode `program`, and engines `vm:…`"),
    program(
        Whose::Some,
        "ssh",
        "openssh-client",
        "VM mode `program`, and engines `vm:…` and `lima:…`",
    ),
    program(Whose::Some, "qemu-system-x86_64", "qemu-system-x86", "engines `vm:…` and `lima:…`"),
    program(Whose::Some, "mmdebstrap", "mmdebstrap", "`racetrap vm build`"),
];

const fn program(
    whose: Whose,
    name: &'static str,
    package: &'static str,
    purpose: &'static str,
) -> Program {
    Program { name, package, purpose, whose }
}

/// Every check, in the order in which `doctor` prints them.
pub(super) async fn all(args: &DaemonArgs) -> Vec<Check> {
    let mut checks = machine(EngineChoice::default()).await;
    let named = named(args).await;
    checks.push(reference(named.is_none()).await);
    checks.extend(named);
    checks
}

/// Fails if the machine lacks something that every run on `engine` needs.
pub(super) async fn demand(engine: EngineChoice) -> Result<(), Failure> {
    let checks = machine(engine).await.into_iter();
    let missing: Vec<_> = checks.filter(|check| check.state == CheckState::Missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|check| check.name).collect();
    let remedies: Vec<_> = missing
        .iter()
        .map(|check| format!("{} is for {}: {}", check.name, check.purpose, check.remedy))
        .collect();
    Err(Failure::machine(miette!(
        help = remedies.join("\n"),
        "this machine cannot run a world: it lacks {}",
        names.join(", ")
    )))
}

/// Everything that a run on `engine` needs from the machine, or that only some runs need.
async fn machine(engine: EngineChoice) -> Vec<Check> {
    let mut checks = vec![root()];
    let version = engine.installed_version();
    checks.extend(version.map(installed));
    let guest = engine.guest();
    checks.extend(guest.map(built));
    for program in &PROGRAMS {
        if (version.is_none() && guest.is_none()) || program.whose != Whose::Engine {
            checks.push(on_path(program).await);
        }
    }
    checks.push(limactl(engine.needs_limactl()).await);
    checks.extend([
        proc_file_system(),
        overlay(),
        temporary(),
        socket_room(),
        disk_room(),
        open_files(),
    ]);
    // Without root, all of these fail for that one reason.
    if sys::is_root() {
        checks.extend([namespaces().await, control_groups(), owners(), open_gates()]);
    }
    checks
}

fn check(
    name: &'static str,
    purpose: &'static str,
    found: Result<String, (CheckState, String)>,
) -> Check {
    match found {
        Ok(found) => Check { name, state: CheckState::Ok, found, purpose, remedy: String::new() },
        Err((state, remedy)) => {
            Check { name, state, found: "not found".to_owned(), purpose, remedy }
        }
    }
}

fn root() -> Check {
    let purpose = "every run: the private engine, its mounts, namespaces and control groups";
    let found = if sys::is_root() {
        Ok("yes".to_owned())
    } else {
        Err((
            CheckState::Missing,
            format!(
                "{}; without root, `list`, `promises`, `report`, `judge`, `open`, `clean` and `doctor` \
                 work, and no run does, because rootless engines are not supported",
                as_root()
            ),
        ))
    };
    check("root", purpose, found)
}

/// How to run the command as root.
fn as_root() -> String {
    let called = called();
    if find_program("sudo").is_none() {
        return format!("become root, for example by `su`, and run `{called} ...` again");
    }
    // sudo has a PATH of its own, on which a racetrap of the user's is not.
    let by = if called.contains('/') { "sudo" } else { "sudo env \"PATH=$PATH\"" };
    format!("run `{by} {called} ...`")
}

async fn on_path(program: &Program) -> Check {
    let found = match find_program(program.name) {
        Some(path) => Ok(match version(&path).await {
            Some(version) => format!("{}, {version}", path.display()),
            None => path.display().to_string(),
        }),
        None => {
            let some = program.whose == Whose::Some;
            let state = if some { CheckState::Optional } else { CheckState::Missing };
            let remedy = "install the package ".to_owned() + program.package;
            Err((state, remedy + ", or put its directory on PATH"))
        }
    };
    check(program.name, program.purpose, found)
}

/// Whether the chosen version of the engine is installed.
fn installed(version: EngineVersion) -> Check {
    let manifest = Engines::in_user_cache().and_then(|engines| engines.manifest(version));
    let found = match manifest {
        Ok(Some(manifest)) => Ok(format!("docker.io {}", manifest.package)),
        Ok(None) => Err((
            CheckState::Missing,
            format!("install it by `{} engine install {version}`", called()),
        )),
        Err(error) => Err((CheckState::Missing, chain(&error))),
    };
    check(version.title(), "the engine that was chosen", found)
}

/// Whether the chosen guest is built.
fn built(version: GuestVersion) -> Check {
    let found = match Images::in_user_cache() {
        Ok(images) if images.is_built(version) => {
            Ok(images.directory_of(version).display().to_string())
        }
        Ok(_) => Err((CheckState::Missing, format!("build it by `racetrap vm build {version}`"))),
        Err(error) => Err((CheckState::Missing, chain(&error))),
    };
    check("guest", "the engine that was chosen", found)
}

/// An installed Lima. Debian has no package of it. It is run, because it refuses to run as root.
async fn limactl(is_needed: bool) -> Check {
    let state = if is_needed { CheckState::Missing } else { CheckState::Optional };
    let asked = match Limactl::find() {
        Ok(limactl) => limactl.version().await.map(|version| (limactl, version)),
        Err(error) => Err(error),
    };
    let found = match asked {
        Ok((limactl, version)) => Ok(format!("{}, {version}", limactl.path().display())),
        Err(VmError::NoLimactl) => Err((
            state,
            "install Lima (https://lima-vm.io), or put the directory of limactl on PATH".to_owned(),
        )),
        Err(error) => Err((state, chain(&error))),
    };
    check("limactl", "engines `lima:…`", found)
}

/// The version that a program prints. Programs without such an option print nothing useful.
async fn version(program: &Path) -> Option<String> {
    let output = ask(program, &["--version"]).await?;
    if output.status.success() { first_line(&output.stdout) } else { None }
}

fn control_groups() -> Check {
    let purpose = "the limits and the end of an engine's containers";
    let root = sys::CGROUP_ROOT;
    let found = match sys::try_control_group() {
        Ok(()) => Ok(format!("one was made below {root}")),
        Err(error) => Err((
            CheckState::Missing,
            format!(
                "{root}: none can be made: {error}; run on the host, or in a privileged container"
            ),
        )),
    };
    check("control groups", purpose, found)
}

async fn namespaces() -> Check {
    let arguments =
        ["--mount", "--pid", "--fork", "--mount-proc", "--propagation", "slave", "true"];
    let output = match find_program("unshare") {
        Some(unshare) => ask(&unshare, &arguments).await,
        None => None,
    };
    let remedy = "run on the host, or in a privileged container";
    let found = match output {
        Some(output) if output.status.success() && is_in_chroot().await => {
            let why = "this process is in a chroot, which a process leaves that enters a namespace; \
                       run on the host, in a container, or after pivot_root(8)";
            Err((CheckState::Missing, why.to_owned()))
        }
        Some(output) if output.status.success() => Ok("one was made".to_owned()),
        Some(output) => {
            let why = first_line(&output.stderr).unwrap_or_default();
            Err((CheckState::Missing, format!("{why}; {remedy}")))
        }
        None => Err((CheckState::Missing, "`unshare` does not run".to_owned())),
    };
    check("namespaces", "the processes and mounts of each engine", found)
}

/// Whether a process that enters this mount namespace sees another root directory, as it does if the
/// harness runs in a chroot(1): its engines would then use the files of the host.
async fn is_in_chroot() -> bool {
    let Some(nsenter) = find_program("nsenter") else { return false };
    let output = ask(&nsenter, &[sys::OWN_MOUNTS, "stat", "-c", "%d:%i", "/"]).await;
    let seen = output.filter(|output| output.status.success());
    let seen = seen.and_then(|output| first_line(&output.stdout));
    // A program that does not answer proves nothing.
    seen.is_some_and(|seen| sys::root_directory().is_ok_and(|own| own != seen))
}

/// Whether files can be given to other users, as an engine does with the files of images.
fn owners() -> Check {
    let directory = sys::temporary_directory();
    let tried = tempfile::NamedTempFile::new_in(&directory)
        .and_then(|file| sys::give(file.path(), 65_534, 65_534));
    let place = directory.display();
    let found = tried.map(|()| format!("a file in {place} was given away"));
    let found = found.map_err(|error| {
        let remedy = "set TMPDIR to a directory whose file system has owners";
        (CheckState::Missing, format!("no file in {place} can be given away: {error}; {remedy}"))
    });
    check("owners of files", "the files of images", found)
}

/// Whether processes can be held when they open a file (fanotify).
fn open_gates() -> Check {
    let tried = tempfile::TempDir::new_in(sys::temporary_directory())
        .and_then(|directory| sys::OpenGate::arm(directory.path(), |_| false));
    let found = tried.map(|_| "one was set up".to_owned()).map_err(|error| {
        (
            CheckState::Optional,
            format!("{error}; the kernel needs CONFIG_FANOTIFY_ACCESS_PERMISSIONS"),
        )
    });
    check("gates before files", "findings that hold a process that opens a file", found)
}

/// In a PID namespace that was made without its own `/proc`, process IDs in `/proc` are not those by
/// which processes are signalled: the harness could neither watch nor end a world's processes.
fn proc_file_system() -> Check {
    let found = if sys::proc_is_own() {
        Ok("those of this PID namespace".to_owned())
    } else {
        let remedy = "the file system /proc shows the processes of another PID namespace; mount it anew, \
                      for example by `unshare --mount-proc`, or run on the host";
        Err((CheckState::Missing, remedy.to_owned()))
    };
    check("process IDs", "the start and the end of every process", found)
}

/// Whether paths in the directory for temporary files mean the same to everybody.
fn temporary() -> Check {
    let directory = sys::temporary_directory();
    let place = directory.display();
    let text = directory.to_string_lossy();
    // dockerd takes `%` in a path as the beginning of an escape, and leaves a tree beside the directory;
    // mount options are separated by commas.
    let bad = ['%', ','].into_iter().find(|letter| text.contains(*letter));
    let found = match bad {
        None => Ok(format!("{place}")),
        Some(letter) => Err((
            CheckState::Missing,
            format!(
                "set TMPDIR to a path without `{letter}`: {place} has one, and dockerd takes it as something else"
            ),
        )),
    };
    check("directory", "the files of each world", found)
}

fn overlay() -> Check {
    let found = if sys::knows_file_system("overlay") {
        Ok("known to the kernel".to_owned())
    } else {
        Err((CheckState::Optional, "load the kernel module overlay: `modprobe overlay`".to_owned()))
    };
    check("overlayfs", "the engine's images; without it they are copied, which is slow", found)
}

fn socket_room() -> Check {
    let directory = sys::temporary_directory();
    let needed = longest_socket_path(&directory);
    let place = directory.display();
    let found = if needed <= sys::SOCKET_PATH_MAX {
        Ok(format!("{place}, short enough"))
    } else {
        let over = needed - sys::SOCKET_PATH_MAX;
        Err((
            CheckState::Missing,
            format!("set TMPDIR to a path that is {over} bytes shorter than {place}"),
        ))
    };
    check("socket paths", "the sockets of each world", found)
}

fn disk_room() -> Check {
    let directory = sys::temporary_directory();
    let free = sys::free_mib(&directory);
    let place = directory.display();
    let found = match free {
        Ok(mib) if mib >= ROOM_MIN_MIB => Ok(format!("{place}, {mib} MiB free")),
        Ok(mib) => Err((
            CheckState::Missing,
            format!(
                "{place} has {mib} MiB free, and worlds need {ROOM_MIN_MIB}; make room, or set TMPDIR"
            ),
        )),
        Err(error) => Err((CheckState::Missing, format!("{place}: {error}; set TMPDIR"))),
    };
    check("disk room", "the data of each engine", found)
}

/// A lower limit does not keep a run from being tried. Its failures are then unknown.
fn open_files() -> Check {
    let found = match (sys::open_files(), sys::low_limit()) {
        (None, _) => Ok("no limit".to_owned()),
        (Some(limit), None) => Ok(format!("at most {limit}")),
        (Some(_), Some(low)) => {
            let least = sys::OPEN_FILES_MIN;
            let remedy = format!("{low}; raise the hard limit, e.g. `prlimit --nofile={least} …`");
            Err((CheckState::Optional, remedy))
        }
    };
    check("open files", "certain failures; with a lower limit they are unknown", found)
}

/// The reference daemon. Without it, only a daemon that the user names can be run.
async fn reference(needed: bool) -> Check {
    let purpose = "runs without a daemon of your own";
    let found = match companion(REFERENCE) {
        Ok(program) => {
            let daemon = Daemon { program, is_reference: true };
            Ok(format!("{}, {}", daemon.program.display(), daemon.ask().await.version))
        }
        Err(_) => {
            let state = if needed { CheckState::Missing } else { CheckState::Optional };
            Err((state, BUILD.to_owned()))
        }
    };
    check("reference daemon", purpose, found)
}

/// The daemon that the user names; `None` if that is the reference daemon.
async fn named(args: &DaemonArgs) -> Option<Check> {
    let purpose = "runs on a daemon of your own";
    let found = match Daemon::find(args) {
        Ok(daemon) if daemon.is_reference => return None,
        Ok(daemon) => Ok(format!("{}, {}", daemon.program.display(), daemon.ask().await.version)),
        Err(failure) if failure.exit == super::Exit::Machine => return None,
        Err(failure) => Err((CheckState::Missing, failure.report.to_string())),
    };
    Some(check("named daemon", purpose, found))
}
