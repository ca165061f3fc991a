//! What a step waits for.

use racetrap_history::{Await, EngineEventMatch, WaitStep};

/// A step that waits, in words.
pub(super) fn wait(step: &WaitStep) -> String {
    match step {
        WaitStep::Settle => "wait until the world is quiet, and judge it".to_owned(),
        WaitStep::Await(level) => format!("wait until {}", reached(level)),
    }
}

fn reached(level: &Await) -> String {
    match level {
        Await::Container { name, state: None } => format!("container {name} is mirrored"),
        Await::Container { name, state: Some(state) } => {
            format!("the mirror of container {name} says {state}")
        }
        Await::Tag(tag) => format!("tag {tag} is mirrored"),
        Await::Volume(name) => format!("volume {name} is mirrored"),
        Await::Condition { r#type, status } => format!("the condition {type} is {status}"),
        Await::VmStarts(times) => format!("the VM has come to run {times} times"),
        Await::Converged => "all mirrors equal the engine's objects".to_owned(),
        Await::Gone(mirror) => format!("{mirror} is gone"),
        Await::Terminating(mirror) => format!("{mirror} is marked for deletion"),
        Await::Reason { r#type, reason } => format!("the condition {type} has the reason {reason}"),
        Await::Wants { engine } => format!("the App wants the engine {engine}"),
        Await::WantsStop => "the App shall be stopped".to_owned(),
        Await::Done { container, state } => {
            format!("the last action on container {container} is {state}")
        }
        Await::CurrentContext(context) => format!("the current docker context is {context}"),
        Await::GivenUp(gate) => format!("nobody waits any more for the message at gate `{gate}`"),
        Await::LogLines { client, lines } => format!("client {client} has {lines} lines"),
        Await::LogAnswer(client) => format!("client {client} has its answer"),
        Await::LogEnd(client) => format!("the connection of client {client} has ended"),
        Await::LogStreams(most) => {
            format!("the daemon has at most {most} log streams open on the engine")
        }
        Await::Engine { container, state } => {
            format!("container {container} is {state} in the engine")
        }
        Await::Event(event) => {
            let EngineEventMatch { r#type, action, of, times } = event;
            let of = of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
            let times = if *times > 1 { format!(", {times} times") } else { String::new() };
            format!("the engine has sent the event {type} {action}{of}{times}")
        }
    }
}
