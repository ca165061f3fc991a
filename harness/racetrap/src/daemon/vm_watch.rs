//! Records the processes and files of the VMs that the daemon runs.
//!
//! Nothing announces a process of the daemon's, so a task looks for them again and again; steps and
//! checkpoints look at once. A process that lives shorter than the pause between two looks can be
//! missed. Process ID and start time tell processes apart, and a look first lists the processes and
//! then notes which known ones have ended: two that it shows as running did run at the same time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use racetrap_history::{VmFiles, VmListener, VmProcess, VmProcessChange, VmRole, What};
use tokio::task::JoinSet;

use super::ssh_keys;
use super::wsl_watch::WslWatch;
use crate::clock;
use crate::recorder::Recorder;
use crate::sys::{Identity, Listener, vm_listeners, vm_processes};

/// The pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Endings of the names of files that a VM must not leave (contract 7.4.2).
const TRANSIENT: [&str; 3] = ["pid", "sock", "tmp"];

/// Watches the VMs below one directory. Clones share what was seen.
#[derive(Clone)]
pub(crate) struct VmWatch {
    lima_home: PathBuf,
    recorder: Recorder,
    live: Arc<Mutex<BTreeMap<Identity, VmProcess>>>,
    /// The stand-in for `wsl.exe`, if the VMs are distributions of WSL.
    wsl: Option<Arc<Mutex<WslWatch>>>,
}

impl VmWatch {
    /// Watches the VMs below `lima_home` in a task of `tasks`. `wsl` is the directory of a stand-in for
    /// `wsl.exe`.
    pub(crate) fn start(
        lima_home: &Path,
        wsl: Option<PathBuf>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Self {
        let wsl = wsl.map(|directory| Arc::new(Mutex::new(WslWatch::new(directory, recorder))));
        let (lima_home, recorder) = (lima_home.to_owned(), recorder.clone());
        let watch = Self { lima_home, recorder, live: Arc::default(), wsl };
        let observer = watch.clone();
        tasks.spawn(async move {
            loop {
                observer.look();
                clock::pause(LOOK_EVERY).await;
            }
        });
        watch
    }

    /// The pid file of a VM's process with this role.
    pub(super) fn pid_file(&self, vm: &str, role: VmRole) -> PathBuf {
        let name = match (role, &self.wsl) {
            (VmRole::Driver, Some(_)) => "wsl2.pid",
            (VmRole::Driver, None) => "qemu.pid",
            (VmRole::Hostagent | VmRole::Bystander, _) => "ha.pid",
        };
        self.lima_home.join(vm).join(name)
    }

    /// The directory of the SSH keys.
    pub(super) fn keys(&self) -> PathBuf {
        self.lima_home.join("_config")
    }

    /// Records each process that has begun or ended since the last look.
    pub(crate) fn look(&self) {
        // The lock first: another look must not record an end that this one has not seen.
        let mut live = self.live();
        if let Some(mut wsl) = self.wsl() {
            wsl.look();
        }
        let seen = vm_processes(&self.lima_home);
        let ended: Vec<_> = live.keys().filter(|process| !process.lives()).copied().collect();
        for process in &ended {
            let gone = live.remove(process).expect("it was listed");
            self.record(&gone, VmProcessChange::Ended);
        }
        for sighting in seen {
            // One that has ended since it was listed does not begin again.
            if live.contains_key(&sighting.process) || ended.contains(&sighting.process) {
                continue;
            }
            let is_agent = sighting.pid_file == "ha.pid";
            let role = if is_agent { VmRole::Hostagent } else { VmRole::Driver };
            self.add(&mut live, (role, sighting.vm), sighting.process, sighting.group);
        }
    }

    /// Records a bystander, which is watched from here on.
    pub(super) fn add_bystander(&self, vm: &str, process: Identity) {
        let key = (VmRole::Bystander, vm.to_owned());
        self.add(&mut self.live(), key, process, process.pid);
    }

    fn add(
        &self,
        live: &mut BTreeMap<Identity, VmProcess>,
        (role, vm): (VmRole, String),
        process: Identity,
        group: u32,
    ) {
        let Identity { pid, started } = process;
        let begun = VmProcess { vm, role, pid, started, group, change: VmProcessChange::Began };
        self.record(&begun, VmProcessChange::Began);
        live.insert(process, begun);
    }

    /// The process of a VM with this role that runs.
    pub(super) fn find(&self, vm: &str, role: VmRole) -> Option<Identity> {
        self.look();
        let live = self.live();
        let mut found = live.iter().filter(|(_, it)| it.vm == vm && it.role == role);
        found.next().map(|(process, _)| *process)
    }

    /// Records what the harness does to a process.
    pub(super) fn does(&self, process: Identity, change: VmProcessChange) {
        let known = self.live().get(&process).cloned();
        known.into_iter().for_each(|known| self.record(&known, change));
    }

    /// Records processes, files, keys and listening sockets as they are now.
    pub(crate) fn record_state(&self) {
        self.look();
        let (mut left, mut old_logs) = (Vec::new(), Vec::new());
        for vm in names(&self.lima_home).into_iter().filter(|vm| !vm.starts_with('_')) {
            let is_transient = |name: &String| {
                let ending = Path::new(name).extension().and_then(|it| it.to_str());
                ending.is_some_and(|ending| TRANSIENT.contains(&ending))
            };
            let files = names(&self.lima_home.join(&vm));
            let logs = files.iter().filter(|file| is_old_log(file));
            old_logs.extend(logs.map(|file| format!("{vm}/{file}")));
            let files = files.into_iter().filter(is_transient);
            left.extend(files.map(|file| format!("{vm}/{file}")));
        }
        left.sort_unstable();
        old_logs.sort_unstable();
        let keys = ssh_keys::look(&self.keys());
        let distributions = self.wsl().map(|wsl| wsl.distributions()).unwrap_or_default();
        let listening = vm_listeners(&self.lima_home).into_iter();
        let listening = listening
            .map(|Listener { vm, at, program, pid }| VmListener { vm, at, program, pid })
            .collect();
        self.recorder.append(What::VmFiles(VmFiles {
            left,
            keys,
            listening,
            old_logs: Some(old_logs),
            distributions,
        }));
    }

    fn record(&self, process: &VmProcess, change: VmProcessChange) {
        self.recorder.append(What::VmProcess(VmProcess { change, ..process.clone() }));
    }

    /// The stand-in for `wsl.exe`, if there is one.
    pub(super) fn wsl(&self) -> Option<MutexGuard<'_, WslWatch>> {
        self.wsl.as_ref().map(|wsl| wsl.lock().expect("no look panics"))
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<Identity, VmProcess>> {
        self.live.lock().expect("no look panics")
    }
}

/// Whether a file is a hostagent's log of an earlier boot, such as `ha.stderr.3.log`.
fn is_old_log(name: &str) -> bool {
    let numbered = name.strip_prefix("ha.stdout.").or_else(|| name.strip_prefix("ha.stderr."));
    let number = numbered.and_then(|rest| rest.strip_suffix(".log"));
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}

/// The names of everything in a directory; none, if it does not exist.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
