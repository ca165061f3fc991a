//! What users ask of the engine means something: programs that there are, ports, policies.

use std::collections::BTreeSet;

use super::error::ScheduleError;
use crate::scenario::{
    Await, BuildImage, DockerCommand, DockerStep, EngineEventMatch, EngineStep, Exec, HealthCheck,
    NewContainer, PROGRAM, Scenario, Step, WaitStep, check_program_words, nearest, program_ends,
};

/// Policies by which the engine restarts a container.
const POLICIES: [&str; 4] = ["no", "always", "unless-stopped", "on-failure"];

/// The kinds of objects whose events the engine sends.
const EVENT_TYPES: [&str; 12] = [
    "builder",
    "config",
    "container",
    "daemon",
    "image",
    "network",
    "node",
    "plugin",
    "secret",
    "service",
    "swarm_task",
    "volume",
];

/// Refuses words, ports and policies that the engine or the images' program would refuse, because the
/// run would show nothing then.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScheduleError> {
    let mut tags = BTreeSet::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        check_step(step.for_neighbour().unwrap_or(step), &mut tags)
            .map_err(|(problem, expected)| ScheduleError::new(index, problem, expected))?;
    }
    Ok(())
}

/// What is wrong, and what was expected instead.
type Refusal = (String, String);

fn check_step<'a>(step: &'a Step, tags: &mut BTreeSet<&'a str>) -> Result<(), Refusal> {
    match step {
        Step::Engine(step) => check_engine(step, tags),
        Step::Docker(DockerStep::Run(command)) => check_docker(command, tags),
        Step::Wait(WaitStep::Await(Await::Event(event))) => check_event(event),
        Step::Docker(_)
        | Step::Kubernetes(_)
        | Step::Wait(_)
        | Step::Command(_)
        | Step::Api(_)
        | Step::Daemon(_)
        | Step::Neighbour(_)
        | Step::Gate(_)
        | Step::Fault(_)
        | Step::Log(_) => Ok(()),
    }
}

fn check_engine<'a>(step: &'a EngineStep, tags: &mut BTreeSet<&'a str>) -> Result<(), Refusal> {
    match step {
        EngineStep::LoadImage { tags: new, .. } => tags.extend(new.iter().map(String::as_str)),
        EngineStep::Tag { tag, .. } => drop(tags.insert(tag)),
        EngineStep::Build(BuildImage { tag, .. }) | EngineStep::Commit { tag, .. } => {
            tags.extend(tag.as_deref());
        }
        EngineStep::CreateContainer(new) => check_container(new)?,
        EngineStep::Exec(exec) => check_exec(exec)?,
        EngineStep::Untag { .. }
        | EngineStep::RemoveImage { .. }
        | EngineStep::Container { .. }
        | EngineStep::RemoveContainer { .. }
        | EngineStep::Rename { .. }
        | EngineStep::PrepareExecs { .. }
        | EngineStep::Prune(_)
        | EngineStep::CreateVolume(_)
        | EngineStep::CreateVolumes { .. }
        | EngineStep::RemoveVolumes { .. }
        | EngineStep::RemoveVolume { .. }
        | EngineStep::Process(_)
        | EngineStep::Guest(_) => {}
    }
    Ok(())
}

fn check_container(new: &NewContainer) -> Result<(), Refusal> {
    let NewContainer { entrypoint, prints, health, ports, restart, auto_remove, .. } = new;
    match entrypoint.split_first() {
        None if prints.command.is_empty() => {}
        None => check_words(&prints.command)?,
        Some((program, arguments)) if program == PROGRAM => {
            check_words(&[arguments, prints.command.as_slice()].concat())?;
        }
        Some(_) => {}
    }
    if let Some(HealthCheck { command, .. }) = health {
        check_command(command)?;
    }
    ports.iter().try_for_each(|port| check_port(port))?;
    let Some(policy) = restart.as_deref() else { return Ok(()) };
    check_policy(policy)?;
    if *auto_remove && policy != "no" {
        let problem = "a container that is removed at its end cannot be restarted".to_owned();
        return Err((problem, "either `auto_remove` or `restart`".to_owned()));
    }
    Ok(())
}

fn check_exec(exec: &Exec) -> Result<(), Refusal> {
    check_command(&exec.command)?;
    let is_ours = exec.command.first().is_some_and(|program| program == PROGRAM);
    if is_ours && !exec.detach && !program_ends(&exec.command) {
        let problem = "the step waits for a command that never ends".to_owned();
        return Err((problem, "`detach: true`, or a command that ends".to_owned()));
    }
    Ok(())
}

/// A program with its arguments; only the images' own is known.
fn check_command(command: &[String]) -> Result<(), Refusal> {
    match command.split_first() {
        None => Err(("a command without a program".to_owned(), format!("`[{PROGRAM}, …]`"))),
        Some((program, arguments)) if program == PROGRAM => check_words(arguments),
        Some(_) => Ok(()),
    }
}

fn check_words<T: AsRef<str>>(words: &[T]) -> Result<(), Refusal> {
    check_program_words(words).map_err(|refused| (refused.problem, refused.expected))
}

fn check_port(port: &str) -> Result<(), Refusal> {
    let (published, exposed) = port
        .split_once(':')
        .map_or((None, port), |(published, exposed)| (Some(published), exposed));
    let (number, protocol) = exposed.split_once('/').unwrap_or((exposed, "tcp"));
    let is_port = |text: &str| text.parse::<u16>().is_ok_and(|number| number > 0);
    let is_known = matches!(protocol, "tcp" | "udp" | "sctp");
    if is_port(number) && is_known && published.is_none_or(is_port) {
        return Ok(());
    }
    let expected = "`80/tcp`, or `8080:80/tcp` for one that is published".to_owned();
    Err((format!("`{port}` is no port"), expected))
}

fn check_policy(policy: &str) -> Result<(), Refusal> {
    let (name, times) = policy.split_once(':').map_or((policy, None), |(it, n)| (it, Some(n)));
    let counts = times.is_none_or(|n| name == "on-failure" && n.parse::<u32>().is_ok());
    if POLICIES.contains(&name) && counts {
        return Ok(());
    }
    let known = nearest(name, POLICIES.into_iter()).join(", ");
    Err((format!("there is no restart policy `{policy}`"), format!("one of {known}")))
}

fn check_event(event: &EngineEventMatch) -> Result<(), Refusal> {
    if event.times == 0 {
        let problem = "an event that need not happen".to_owned();
        return Err((problem, "`times` of at least 1".to_owned()));
    }
    if EVENT_TYPES.contains(&event.r#type.as_str()) {
        return Ok(());
    }
    let known = nearest(&event.r#type, EVENT_TYPES.into_iter()).join(", ");
    Err((format!("the engine has no events of type `{}`", event.r#type), format!("one of {known}")))
}

/// A docker command that runs the images' program: the words behind the image's tag.
fn check_docker(command: &DockerCommand, tags: &BTreeSet<&str>) -> Result<(), Refusal> {
    let arguments = &command.arguments;
    let has = |word: &str| arguments.iter().any(|argument| argument.starts_with(word));
    let runs = arguments.iter().any(|argument| matches!(argument.as_str(), "run" | "create"));
    if !runs || has("--entrypoint") {
        return Ok(());
    }
    let image = arguments.iter().position(|argument| tags.contains(argument.as_str()));
    match image.and_then(|image| arguments.get(image + 1..)) {
        Some(words) if !words.is_empty() => check_words(words),
        Some(_) | None => Ok(()),
    }
}
