//! A condition, and a command that returned, imply the state that they promise.
//!
//! - `ContainerEngineReady=False/ConnectFailed` implies that the engine could not be reached or
//!   refused what a full sync needs (contract 4.1, error policy; 4.5). An object that was not found
//!   when it was inspected is no such reason.
//! - `Settled` that becomes `True` at a generation of an App that runs moby implies `ContainerEngineReady=True` at
//!   the same generation (contract 3.7, rule 8). An engine that is lost later is another condition's
//!   to tell first: the two are written one after the other.
//! - `set`, `start` and `stop` that waited and returned 0 imply the condition that they wait for,
//!   at the generation that they made (contract 1.5).

use super::Finding;
use crate::record::{WireMessage, WireWhat};
use crate::{AppView, OracleName, Record, View, What};

const READY: &str = "ContainerEngineReady";
const SETTLED: &str = "Settled";

/// Judges every App that a client saw, and every command that waited.
#[must_use]
pub fn truthful_conditions(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut excuse = Excuse::default();
    let mut failed_before = false;
    let mut settled_at = None;
    let mut waited: Option<String> = None;
    for record in history {
        view.apply(record);
        match &record.what {
            What::Wire(message) => excuse.see(message),
            What::Command(command) => {
                let succeeded = command.exit == Some(0);
                waited = waiting_command(&command.arguments).filter(|_| succeeded);
            }
            _ => {}
        }
        if !shows_app(&record.what) {
            continue;
        }
        let Some(app) = view.app() else { continue };
        let failed = app.condition(READY) == Some(("False", "ConnectFailed"));
        if failed && !failed_before && !excuse.holds {
            finding.violated(
                OracleName::TruthfulConditions,
                record.seq,
                format!(
                    "{}; but the engine was reachable and answered all that a sync needs, last: {}",
                    app.describe(READY),
                    excuse.last
                ),
            );
        }
        if app.condition(READY).is_some_and(|(status, _)| status == "True") {
            excuse.connected();
        }
        failed_before = failed;
        let settled = app.holds(SETTLED, "True").then_some(app.generation);
        if settled.is_some() && settled != settled_at {
            judge_settled(&app, record.seq, &mut finding);
        }
        settled_at = settled;
        if matches!(record.what, What::Listed { .. })
            && let Some(command) = waited.take()
        {
            judge_command(&command, &app, record.seq, &mut finding);
        }
    }
    finding
}

fn shows_app(what: &What) -> bool {
    match what {
        What::Api(change) => change.resource == "apps",
        What::Listed { resource, .. } => resource == "apps",
        _ => false,
    }
}

fn judge_settled(app: &AppView, seq: u64, finding: &mut Finding) {
    let runs_moby = app.wants_running && app.engine == "moby";
    if runs_moby && !app.holds(READY, "True") {
        let text = format!("{}; yet {}", app.describe(SETTLED), app.describe(READY));
        finding.violated(OracleName::TruthfulConditions, seq, text);
    }
}

fn judge_command(command: &str, app: &AppView, seq: u64, finding: &mut Finding) {
    let awaited = if app.condition(SETTLED).is_some() { SETTLED } else { READY };
    let reached = match awaited {
        SETTLED => app.holds(SETTLED, "True"),
        _ if app.wants_running => app.holds(READY, "True"),
        _ => true,
    };
    if !reached {
        finding.violated(
            OracleName::TruthfulConditions,
            seq,
            format!("`{command}` returned 0, yet {}", app.describe(awaited)),
        );
    }
}

/// The command as text, where it is one that waits for the App.
fn waiting_command(arguments: &[String]) -> Option<String> {
    let waits = matches!(arguments.first().map(String::as_str), Some("set" | "start" | "stop"));
    // Revisions before `--wait` take a time-out of 0 for it (contract 9, R0).
    let no_wait = ["--wait=false", "--timeout=0", "--help"];
    let told_not_to = arguments.iter().any(|argument| no_wait.contains(&argument.as_str()));
    (waits && !told_not_to).then(|| arguments.join(" "))
}

/// Why a daemon may say that it could not connect, as far as the wire knows.
///
/// An excuse holds until the daemon has subscribed anew and says that it is connected: what it says
/// before that may have been written before the fault, and only be seen after it.
#[derive(Default)]
struct Excuse {
    holds: bool,
    subscribed_since: bool,
    last: String,
    routes: std::collections::BTreeMap<u64, (String, bool)>,
}

impl Excuse {
    fn accept(&mut self) {
        self.holds = true;
        self.subscribed_since = false;
    }

    /// The daemon says that it is connected.
    fn connected(&mut self) {
        if self.subscribed_since {
            self.holds = false;
        }
    }

    fn see(&mut self, message: &WireMessage) {
        match &message.event {
            WireWhat::Request { method, target, route, .. } => {
                let one_object = route.as_deref().is_some_and(|route| route.contains('{'));
                self.routes.insert(message.exchange, (format!("{method} {target}"), one_object));
            }
            WireWhat::Response { status } => {
                let (request, one_object) =
                    self.routes.get(&message.exchange).cloned().unwrap_or_default();
                self.last = format!("{request} {status}");
                let absent = one_object && *status == 404;
                if *status >= 400 && !absent {
                    self.accept();
                } else if request.contains("/events") {
                    self.subscribed_since = true;
                }
            }
            WireWhat::Faulted { .. }
            | WireWhat::Cut
            | WireWhat::Refused
            | WireWhat::UpstreamLost { .. }
            | WireWhat::Malformed { .. } => self.accept(),
            WireWhat::Opened
            | WireWhat::Held { .. }
            | WireWhat::Released { .. }
            | WireWhat::Abandoned { .. }
            | WireWhat::Frame { .. }
            | WireWhat::Finished { .. }
            | WireWhat::Upgraded
            | WireWhat::Closed => {}
        }
    }
}
