//! Plans that change something while the daemon cannot see it, or take something from under it between
//! two steps.

use racetrap_history::{Scenario, Step, WaitStep};
use serde_json::{Value, json};

use crate::held::{concluded, unwaiting};
use crate::objects::Objects;
use crate::operation::{Focus, Operation, changes, creations, step, user_edits};
use crate::plan::{Plan, Policy};

/// A time in which the daemon sees nothing: how it begins, and how it ends.
#[derive(Clone)]
struct Darkness {
    word: &'static str,
    begin: Vec<Value>,
    end: Vec<Value>,
    /// Users of the API still find mirrors in it.
    has_mirrors: bool,
}

fn darknesses() -> [Darkness; 6] {
    let app = |running: bool| json!({"app": {"running": running}});
    [
        Darkness {
            word: "while the daemon is frozen",
            begin: vec![json!({"daemon": "freeze"})],
            end: vec![json!({"daemon": "thaw"})],
            has_mirrors: false,
        },
        Darkness {
            word: "while the engine cannot be reached",
            begin: vec![json!("refuse"), json!({"cut": "all"})],
            end: vec![json!("accept")],
            has_mirrors: true,
        },
        Darkness {
            word: "just after the event stream was cut",
            begin: vec![json!({"cut": "events"})],
            end: vec![],
            has_mirrors: true,
        },
        Darkness {
            word: "after the daemon was killed",
            begin: vec![json!({"daemon": "kill"})],
            end: vec![json!({"daemon": "start"})],
            has_mirrors: false,
        },
        Darkness {
            word: "after the daemon was stopped",
            begin: vec![json!({"daemon": "stop"})],
            end: vec![json!({"daemon": "start"})],
            has_mirrors: false,
        },
        Darkness {
            word: "while the App is stopped",
            begin: vec![app(false)],
            end: vec![app(true)],
            has_mirrors: false,
        },
    ]
}

/// What happens to the engine as a whole.
fn engine_accidents() -> [(&'static str, Vec<Value>); 4] {
    let engine = |what: &str| json!({"engine": what});
    [
        ("kill and start the engine", vec![engine("kill"), engine("start")]),
        ("stop and start the engine", vec![engine("stop"), engine("start")]),
        ("freeze and thaw the engine", vec![engine("freeze"), engine("thaw")]),
        ("replace the engine's socket", vec![json!("replace_socket")]),
    ]
}

/// Frames that an engine could send, and that say nothing that can be used.
const FRAMES: [&str; 4] = [
    r#"{"Type":"image"]"#,
    r#"{"Type":"image","Action":"tag"}"#,
    r#"{"Type":"container","Action":"start","Actor":{"ID":"","Attributes":null}}"#,
    r#"{"Type":"balloon","Action":"inflate","Actor":{"ID":"1"},"time":null}"#,
];

/// All plans of a workload.
pub(crate) fn plans(workload: &Scenario) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (index, own) in workload.steps.iter().enumerate() {
        let before = &workload.steps[..index];
        let objects = Objects::after(before);
        if !objects.app_runs {
            continue;
        }
        if let Step::Wait(WaitStep::Settle) = own {
            plans.extend(when_quiet(workload, &workload.steps[..=index], &objects));
        } else if matches!(own, Step::Engine(_))
            && let Some(own) = unwaiting(own)
        {
            plans.extend(darknesses().into_iter().map(|darkness| {
                let operation = Operation {
                    word: "the workload's own step",
                    steps: vec![own.clone()],
                    ends_daemon: false,
                };
                in_the_dark(workload, before, darkness, operation)
            }));
        }
    }
    plans
}

/// Plans that begin in a quiet world.
fn when_quiet(workload: &Scenario, before: &[Step], objects: &Objects) -> Vec<Plan> {
    let mut operations = changes(&Focus::All, objects);
    if operations.is_empty() {
        operations = creations(objects);
    }
    let mut plans = Vec::new();
    for operation in operations {
        plans.extend(
            darknesses()
                .into_iter()
                .map(|darkness| in_the_dark(workload, before, darkness, operation.clone())),
        );
    }
    let edits = user_edits(&Focus::All, objects);
    for darkness in darknesses().into_iter().filter(|darkness| darkness.has_mirrors) {
        let in_it = edits.iter().cloned();
        plans.extend(in_it.map(|edit| in_the_dark(workload, before, darkness.clone(), edit)));
    }
    let alone = |policy, word: &'static str, values: Vec<Value>| {
        let mut steps = before.to_vec();
        steps.extend(values.into_iter().map(step));
        Plan::new(workload, policy, "in a quiet world", word, concluded(steps))
    };
    plans.extend(darknesses().into_iter().map(|Darkness { word, begin, end, .. }| {
        alone(Policy::Unobserved, word, [begin, end].concat())
    }));
    plans.extend(
        engine_accidents()
            .into_iter()
            .map(|(word, values)| alone(Policy::Unobserved, word, values)),
    );
    let frames: Vec<_> = FRAMES.iter().map(|frame| json!({"inject": {"frame": frame}})).collect();
    plans.push(alone(Policy::Poisoned, "inject useless frames", frames));
    plans
}

fn in_the_dark(
    workload: &Scenario,
    before: &[Step],
    darkness: Darkness,
    operation: Operation,
) -> Plan {
    let mut steps = before.to_vec();
    steps.extend(darkness.begin.into_iter().map(step));
    steps.extend(operation.steps);
    steps.extend(darkness.end.into_iter().map(step));
    Plan::new(workload, Policy::Unobserved, darkness.word, operation.word, concluded(steps))
}
