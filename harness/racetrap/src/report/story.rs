//! A schedule in few words: what was held, what was done meanwhile, what was broken on purpose.

use racetrap_history::{ContainerOp, EngineOp, GateName, Hold, Match, Scenario, Step, Streams};

/// One line of a story: a label, and what happened.
pub(crate) type Line = (&'static str, String);

/// What a schedule is about. Where it holds nothing and breaks nothing, that is all that it does
/// while the App runs.
pub(crate) fn story(scenario: &Scenario) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut meanwhile: Vec<String> = Vec::new();
    let mut standing: Vec<&GateName> = Vec::new();
    for step in &scenario.steps {
        if let Step::Reached(gate) = step {
            flush(&mut lines, &mut meanwhile);
            standing.push(gate);
            lines.push(("held", held(scenario, gate)));
        } else if let Step::Release(gate) = step {
            flush(&mut lines, &mut meanwhile);
            standing.retain(|standing| *standing != gate);
        } else if let Some(fault) = fault(step) {
            flush(&mut lines, &mut meanwhile);
            lines.push(("fault", fault));
        } else if !standing.is_empty()
            && let Some(action) = action(step)
        {
            meanwhile.push(action);
        }
    }
    if lines.is_empty() {
        let watched = scenario.steps.iter().skip_while(|step| !starts_app(step));
        let actions: Vec<_> = watched.filter_map(action).collect();
        lines.push(("done", actions.join("; ")));
    }
    lines
}

fn flush(lines: &mut Vec<Line>, meanwhile: &mut Vec<String>) {
    if !meanwhile.is_empty() {
        lines.push(("meanwhile", meanwhile.join("; ")));
        meanwhile.clear();
    }
}

fn starts_app(step: &Step) -> bool {
    matches!(step, Step::App(app) if app.running)
}

fn held(scenario: &Scenario, gate: &GateName) -> String {
    let mut holds = scenario
        .steps
        .iter()
        .filter_map(|step| if let Step::Hold(hold) = step { Some(hold) } else { None });
    let hold = holds.find(|hold| hold.gate == *gate);
    // A schedule that was checked arms every gate that it names.
    hold.map_or_else(|| gate.to_string(), message)
}

fn message(hold: &Hold) -> String {
    let on = &hold.on;
    let nth = on.nth.filter(|nth| *nth > 1).map(|nth| format!(", number {nth}"));
    format!("{}, its {}{}", request(on), hold.at, nth.unwrap_or_default())
}

/// The request that is meant, with the parameters of its route put in; what the scenario names is
/// shown as timelines show it.
fn request(on: &Match) -> String {
    let mut route = on.route.clone().unwrap_or_else(|| "any request".to_owned());
    for (name, value) in &on.params {
        let shown = match value.strip_prefix('$') {
            Some(alias) => format!("<{alias}>"),
            None => value.clone(),
        };
        route = route.replace(&format!("{{{name}}}"), &shown);
    }
    match &on.method {
        Some(method) => format!("{method} {route}"),
        None => route,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other steps break nothing")]
fn fault(step: &Step) -> Option<String> {
    Some(match step {
        Step::Cut(Streams::Events) => "the event stream is cut".to_owned(),
        Step::Cut(Streams::All) => "all connections are cut".to_owned(),
        Step::Refuse => "new connections are refused".to_owned(),
        Step::Accept => "connections are accepted again".to_owned(),
        Step::Answer { status, on, times } => {
            let times = times.map(|times| format!(", {times} times")).unwrap_or_default();
            format!("{} is answered {status}{times}", request(on))
        }
        Step::Engine(op) => match op {
            EngineOp::Kill => "the engine is killed",
            EngineOp::Stop => "the engine is stopped",
            EngineOp::Start => "the engine is started again",
            EngineOp::Freeze => "the engine is frozen",
            EngineOp::Thaw => "the engine is thawed",
        }
        .to_owned(),
        _ => return None,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other steps leave the objects alone")]
fn action(step: &Step) -> Option<String> {
    let forced = |force: &bool| if *force { ", forced" } else { "" };
    Some(match step {
        Step::LoadImage { image, tags } if tags.is_empty() => format!("load {image} without a tag"),
        Step::LoadImage { image, tags } => format!("load {image} as {}", tags.join(", ")),
        Step::Tag { image, tag } => format!("tag {image} as {tag}"),
        Step::Untag { tag, force } => format!("untag {tag}{}", forced(force)),
        Step::RemoveImage { image, force } => format!("remove image {image}{}", forced(force)),
        Step::CreateContainer { name, start: false, .. } => format!("create container {name}"),
        Step::CreateContainer { name, start: true, .. } => format!("run container {name}"),
        Step::Container { name, op } => format!("{} container {name}", verb(*op)),
        Step::RemoveContainer { name } => format!("remove container {name}"),
        Step::CreateVolume { name } => format!("create volume {name}"),
        Step::RemoveVolume { name } => format!("remove volume {name}"),
        Step::App(app) if !app.running => "stop the App".to_owned(),
        Step::Set(set) => {
            let properties = set.properties.iter().map(|(path, value)| format!("{path}={value}"));
            format!("set {}", properties.collect::<Vec<_>>().join(" "))
        }
        _ => return None,
    })
}

fn verb(op: ContainerOp) -> &'static str {
    match op {
        ContainerOp::Start => "start",
        ContainerOp::Stop => "stop",
        ContainerOp::Kill => "kill",
        ContainerOp::Pause => "pause",
        ContainerOp::Unpause => "unpause",
        ContainerOp::Restart => "restart",
    }
}
