//! Checks what this machine has and what it lacks. A check changes nothing that lasts.

use std::path::Path;

use miette::miette;

use super::daemon::{BUILD, Daemon, REFERENCE};
use super::exit::Failure;
use super::options::DaemonArgs;
use crate::chain::chain;
use crate::engine::Engines;
use crate::process::{ask, companion, find_program, first_line};
use crate::report::{Check, CheckState};
use crate::sys;
use crate::vm::Images;
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
    program(Whose::Some, "qemu-img", "qemu-utils", "VM mode `program`"),
    program(Whose::Some, "ssh", "openssh-client", "VM mode `program`, and engines `vm:…`"),
    program(Whose::Some, "qemu-system-x86_64", "qemu-system-x86", "engines `vm:…`"),
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
    checks.extend([control_groups(), overlay(), socket_room(), disk_room(), open_files()]);
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
    let purpose = "the private engine, its namespaces and control groups";
    let remedy = "run as root, e.g. `sudo env PATH=$PATH racetrap …`; rootless engines are not \
                  supported yet"
        .to_owned();
    let found =
        if sys::is_root() { Ok("yes".to_owned()) } else { Err((CheckState::Missing, remedy)) };
    check("root", purpose, found)
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
        Ok(None) => {
            Err((CheckState::Missing, format!("install it by `racetrap engine install {version}`")))
        }
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

/// The version that a program prints. Programs without such an option print nothing useful.
async fn version(program: &Path) -> Option<String> {
    let output = ask(program, &["--version"]).await?;
    if output.status.success() { first_line(&output.stdout) } else { None }
}

fn control_groups() -> Check {
    let purpose = "the limits and the end of an engine's containers";
    let root = sys::CGROUP_ROOT;
    let found = match sys::check_writable(Path::new(root)) {
        Ok(()) => Ok(format!("{root}, writable")),
        Err(error) => Err((
            CheckState::Missing,
            format!("{root}: {error}; run on the host, or in a privileged container"),
        )),
    };
    check("control groups", purpose, found)
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
    let directory = std::env::temp_dir();
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
    let directory = std::env::temp_dir();
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
