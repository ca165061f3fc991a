//! The user's kubeconfig has the daemon's entries while Kubernetes is ready, and stays the user's.
//!
//! - Another file takes its place at once: it is never written to, and never broken (contract 3.8.7).
//! - Entries and keys that are not the daemon's stay as they are, and so does the mode (3.8.6).
//! - While Kubernetes is ready, cluster, context and user `rancher-desktop-X` are there; once it is not
//!   enabled or its VM does not run, none of them is, and none is the current context (3.8.2).
//! - A current context that names nothing becomes the daemon's (3.8.8).
//!
//! No step changes the kubeconfig as the user, so every change is the daemon's. What must be there is judged
//! at checkpoints, and after the daemon has ended in order.

use crate::oracle::Finding;
use crate::record::{
    CONTEXT_PREFIX, FileChange, KUBECONFIG_LISTS, Kubeconfig, KubeconfigContent, ProcessState,
    Record, Stage, What,
};
use crate::scenario::OracleName;
use crate::view::{AppView, View};

/// Judges each change of the user's kubeconfig, and its state at each checkpoint.
#[must_use]
pub fn kubeconfig_integrity(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut last: Option<&Kubeconfig> = None;
    let mut is_stopped = false;
    for record in history {
        view.apply(record);
        let mut violated = |text| {
            finding.violated(OracleName::KubeconfigIntegrity, record.seq, text);
        };
        match &record.what {
            What::Kubeconfig(file) => {
                if let Some(last) = last {
                    wrong_change(last, file).into_iter().for_each(&mut violated);
                }
                last = Some(file);
            }
            What::Process { name, state, .. } if name == "daemon" => {
                is_stopped = *state == ProcessState::Stopped;
            }
            What::Checkpoint { number, stage: Stage::Probed } => {
                if let (Some(app), Some(last)) = (view.app(), last)
                    && let Some(text) = wrong_state(&app, last)
                {
                    violated(format!("checkpoint {number}: {text}"));
                }
            }
            // The last record: whatever the daemon has left is left for good.
            What::Ended if is_stopped => {
                if let Some(entry) = last.and_then(|last| own(last).next()) {
                    violated(format!("the daemon was stopped, and has left {entry}"));
                }
            }
            _ => {}
        }
    }
    finding
}

/// What the daemon has done wrong in one change.
fn wrong_change(before: &Kubeconfig, after: &Kubeconfig) -> Vec<String> {
    let mut wrong = Vec::new();
    // A file that is made may be one that is moved there, or written to afterwards.
    if after.how == FileChange::Written {
        wrong.push(format!("the daemon writes to the file itself: {after}"));
    }
    if matches!(after.holds, KubeconfigContent::Broken { .. }) && before.holds != after.holds {
        wrong.push(format!("the kubeconfig is broken: {after}"));
    }
    if before.mode != after.mode && before.mode != 0 && after.mode != 0 {
        wrong.push(format!("the mode was {:04o}, and is {:04o}", before.mode, after.mode));
    }
    let KubeconfigContent::Config { members, .. } = &before.holds else { return wrong };
    let now = match &after.holds {
        KubeconfigContent::Config { members, .. } => Some(members),
        KubeconfigContent::Nothing | KubeconfigContent::Broken { .. } => None,
    };
    let lost = members.iter().filter(|(name, value)| {
        !is_own(name) && now.and_then(|now| now.get(*name)) != Some(*value)
    });
    let lost: Vec<_> = lost.map(|(name, _)| name.as_str()).collect();
    if !lost.is_empty() {
        wrong.push(format!("{} of the user are lost or changed: {after}", lost.join(", ")));
    }
    wrong
}

/// What is missing in the kubeconfig of a quiet world, or there although it must not be.
fn wrong_state(app: &AppView, file: &Kubeconfig) -> Option<String> {
    let described = app.describe("KubernetesReady");
    let (_, reason) = app.condition("KubernetesReady")?;
    match reason {
        "Ready" => {
            let KubeconfigContent::Config { current, members } = &file.holds else {
                return Some(format!("{described}; but {file}"));
            };
            let has =
                |list: &&&str| members.keys().any(|key| is_own(key) && key.starts_with(**list));
            if let Some(list) = KUBECONFIG_LISTS.iter().find(|list| !has(list)) {
                return Some(format!("{described}; but its entry in {list} is missing: {file}"));
            }
            let names_nothing = !members.contains_key(&format!("contexts/{current}"));
            names_nothing.then(|| format!("{described}; but no context is current: {file}"))
        }
        "NotApplicable" | "NotRunning" => {
            own(file).next().map(|entry| format!("{described}; but {entry} is left: {file}"))
        }
        _ => None,
    }
}

/// The daemon's entries, and the current context if that is the daemon's.
fn own(file: &Kubeconfig) -> impl Iterator<Item = String> {
    let found = match &file.holds {
        KubeconfigContent::Config { current, members } => Some((current, members)),
        KubeconfigContent::Nothing | KubeconfigContent::Broken { .. } => None,
    };
    found.into_iter().flat_map(|(current, members)| {
        let entries = members.keys().filter(|name| is_own(name)).cloned();
        let current = current.starts_with(CONTEXT_PREFIX).then(|| "current-context".to_owned());
        entries.chain(current)
    })
}

/// Whether an entry is a daemon's. The user of a world has no other daemon.
fn is_own(member: &str) -> bool {
    member.split_once('/').is_some_and(|(list, name)| {
        KUBECONFIG_LISTS.contains(&list) && name.starts_with(CONTEXT_PREFIX)
    })
}
