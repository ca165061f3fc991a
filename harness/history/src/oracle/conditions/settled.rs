//! `Settled` and `ContainerEngineReady` follow from the specification and from the other conditions
//! (contract 3.7.5 to 3.7.9, 3.7.15 to 3.7.24).
//!
//! - The daemon decides on `Settled` and writes it together with the conditions on which it is based.
//!   So a state of the App in which `Settled` is new must agree with the table of contract 3.7 by
//!   itself. The same write copies the LimaVM's conditions: all these have the App's generation.
//! - At a checkpoint nothing changes any more, so all of this must hold then, whoever wrote last: the
//!   table, the generations, and the reason that the App's state allows the engine's condition. Only
//!   an App that was the same before the probe is judged.
//!
//! Row 9 is judged if a manager runs the controller of Kubernetes. Row 1 is not judged in VM mode
//! `program`: the history does not contain the template.

use super::app::{READY, SETTLED};
use super::kubernetes::KUBERNETES;
use crate::check::Check;
use crate::oracle::observed::ObservedObject;
use crate::oracle::{Finding, revision};
use crate::record::{Record, Stage, What};
use crate::scenario::VmMode;
use crate::view::{AppView, View};

/// The condition of the VM, copied from the LimaVM.
const RUNNING: &str = "Running";

/// The conditions that one write sets.
const OF_ONE_WRITE: [&str; 3] = ["Created", RUNNING, SETTLED];

/// Controllers that keep `Settled` from being decided by the VM alone.
#[derive(Clone, Copy)]
struct Managers {
    engine: bool,
    kubernetes: bool,
    /// Programs beside the service run controllers, so the managers may change.
    change: bool,
    /// The harness plays the VM, which applies no template.
    harness_runs_vm: bool,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let Some(managers) = Managers::of(history) else { return finding };
    let mut view = View::default();
    let mut last: Option<(u64, AppView)> = None;
    let mut at_level: Option<AppView> = None;
    for record in history {
        view.apply(record);
        let mut violated = |text| {
            finding.violated(Check::WrongSettled, record.seq, text);
        };
        for seen in ObservedObject::in_record(&record.what) {
            let version = seen.version().unwrap_or_default();
            let is_known = last.as_ref().is_some_and(|(known, _)| *known >= version);
            if seen.resource != "apps" || seen.is_deleted() || is_known {
                continue;
            }
            let app = AppView::read(seen.object);
            // A list may show the state after several writes, of which only one set `Settled`.
            let is_new = |last: &AppView| last.condition_at(SETTLED) != app.condition_at(SETTLED);
            if seen.change.is_some()
                && last.as_ref().is_some_and(|(_, last)| is_new(last))
                && let Some(text) = settled(&app, managers).or_else(|| generations(&app))
            {
                violated(text);
            }
            last = Some((version, app));
        }
        match &record.what {
            What::Checkpoint { stage: Stage::Level, .. } => at_level = view.app(),
            What::Checkpoint { number, stage: Stage::Probed } => {
                let app = view.app().filter(|app| at_level.as_ref() == Some(app));
                let wrong = app.and_then(|app| {
                    settled(&app, managers)
                        .or_else(|| generations(&app))
                        .or_else(|| engine(&app, managers))
                });
                if let Some(text) = wrong {
                    violated(format!("checkpoint {number}: {text}"));
                }
            }
            _ => {}
        }
    }
    finding
}

impl Managers {
    /// `None` if the history does not say which controllers run, or is of an older revision.
    fn of(history: &[Record]) -> Option<Self> {
        let controllers = revision::controllers(history)?;
        let has_program = |record: &Record| match &record.what {
            What::Process { name, .. } => name == "controllers",
            _ => false,
        };
        let runs_vm = |record: &Record| match &record.what {
            What::Run(header) => header.vm == VmMode::Api,
            _ => false,
        };
        Some(Self {
            engine: controllers.contains("engine"),
            kubernetes: controllers.contains("kubernetes"),
            change: history.iter().any(has_program),
            harness_runs_vm: history.iter().any(runs_vm),
        })
    }
}

/// A contradiction between `Settled` and the table of contract 3.7.
fn settled(app: &AppView, managers: Managers) -> Option<String> {
    let (status, reason) = app.condition(SETTLED)?;
    if reason == "ApplyingTemplate" && !managers.harness_runs_vm {
        return None;
    }
    let (rule, wanted) = decision(app, managers)?;
    let fits = match wanted {
        Ok(()) => status == "True" && reason == "Settled",
        Err(wanted) => status == "False" && reason == wanted,
    };
    let wanted = match wanted {
        Ok(()) => "True (Settled)".to_owned(),
        Err(reason) => format!("False ({reason})"),
    };
    (!fits).then(|| {
        format!("{}; but by rule {rule} it is {wanted}: {}", app.describe(SETTLED), seen(app))
    })
}

/// The rule of the table that applies, and the reason why the App is not settled, if it is not.
fn decision(app: &AppView, managers: Managers) -> Option<(u8, Result<(), &str>)> {
    let Some((vm, vm_reason)) = app.condition(RUNNING) else {
        return Some((2, Err("WaitingForLimaVM")));
    };
    if app.wants_running && vm != "True" {
        return Some((3, Err(vm_reason)));
    }
    if !app.wants_running && vm_reason != "Stopped" {
        return Some((4, Err(vm_reason)));
    }
    match (managers.engine, managers.kubernetes) {
        _ if managers.change => return None,
        (false, false) => return Some((5, Ok(()))),
        (false, true) => return None,
        (true, _) => {}
    }
    let is_current = app.observed_generation(READY) >= Some(app.generation);
    let ready = app.condition(READY);
    if !app.wants_running {
        let has_ended = matches!(ready, Some((_, "Stopped" | "NotApplicable")));
        let end = if has_ended && is_current { (7, Ok(())) } else { (6, Err("EngineStale")) };
        return Some(end);
    }
    match ready {
        None => Some((8, Err("WaitingForEngine"))),
        Some(_) if !is_current => Some((8, Err("EngineStale"))),
        Some((status, reason)) if status != "True" => Some((8, Err(reason))),
        Some(_) if app.wants_kubernetes => kubernetes(app, managers),
        Some(_) => Some((10, Ok(()))),
    }
}

/// Rule 9, or the next one if Kubernetes is ready.
fn kubernetes(app: &AppView, managers: Managers) -> Option<(u8, Result<(), &str>)> {
    if !managers.kubernetes {
        return None;
    }
    let is_current = app.observed_generation(KUBERNETES) >= Some(app.generation);
    Some(match app.condition(KUBERNETES) {
        None => (9, Err("WaitingForKubernetes")),
        Some(_) if !is_current => (9, Err("KubernetesStale")),
        Some((status, reason)) if status != "True" => (9, Err(reason)),
        Some(_) => (10, Ok(())),
    })
}

/// A condition that does not have the App's generation, although one write sets all of them.
fn generations(app: &AppView) -> Option<String> {
    app.condition(SETTLED)?;
    let old = OF_ONE_WRITE.into_iter().find(|kind| {
        app.observed_generation(kind).is_some_and(|observed| observed != app.generation)
    })?;
    Some(format!("{}; but {}", app.describe(SETTLED), app.describe(old)))
}

/// A contradiction between the engine's condition and the state of the App, once nothing changes.
fn engine(app: &AppView, managers: Managers) -> Option<String> {
    if managers.change || !managers.engine {
        return None;
    }
    let (status, reason) = app.condition(READY)?;
    let (vm, _) = app.condition(RUNNING)?;
    let allowed: &[(&str, &str)] = match (vm == "True", app.engine == "moby") {
        (true, true) => &[("True", "Connected"), ("False", "ConnectFailed")],
        (true, false) => &[("True", "NotApplicable"), ("False", "StopFailed")],
        (false, _) => &[("False", "Stopped"), ("False", "StopFailed")],
    };
    let is_current = app.observed_generation(READY) >= Some(app.generation);
    (!allowed.contains(&(status, reason)) || !is_current)
        .then(|| format!("{}; but {}", app.describe(READY), seen(app)))
}

/// What the decisions are based on.
fn seen(app: &AppView) -> String {
    let wants = if app.wants_running { "to run" } else { "to be stopped" };
    let engine = &app.engine;
    let conditions = format!("{}; {}", app.describe(RUNNING), app.describe(READY));
    format!("the App wants {wants} with {engine}; {conditions}")
}
