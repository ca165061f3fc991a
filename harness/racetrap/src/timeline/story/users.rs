//! What users of the engine, of the daemon's API and of its command line do in a step.

use racetrap_history::{
    ApiStep, BuildImage, CommandStep, ContainerOp, EngineStep, KubernetesState, KubernetesStep,
    Prune, Returned,
};

use super::faults;
use super::messages::shown;
use super::step::Told;

/// What becomes of the guest's Kubernetes.
pub(super) fn kubernetes(KubernetesStep::Kubernetes(state): KubernetesStep) -> Told {
    match state {
        KubernetesState::Ready => Told::Action("the guest's Kubernetes is ready".to_owned()),
        KubernetesState::NotReady => {
            Told::Action("no node of the guest's Kubernetes is ready".to_owned())
        }
        KubernetesState::Absent => {
            Told::Fault("the guest's Kubernetes refuses connections".to_owned())
        }
    }
}

/// What a user of the engine does.
pub(super) fn engine(step: &EngineStep) -> Told {
    let forced = |force: &bool| if *force { ", forced" } else { "" };
    Told::Action(match step {
        EngineStep::LoadImage { image, tags, platforms, .. } => {
            let tags = match tags.is_empty() {
                true => "without a tag".to_owned(),
                false => format!("as {}", tags.join(", ")),
            };
            let platforms: Vec<_> = platforms.iter().map(ToString::to_string).collect();
            match platforms.is_empty() {
                true => format!("load {image} {tags}"),
                false => format!("load {image} {tags}, for {}", platforms.join(", ")),
            }
        }
        EngineStep::Tag { image, tag } => format!("tag {image} as {tag}"),
        EngineStep::Untag { tag, force } => format!("untag {tag}{}", forced(force)),
        EngineStep::RemoveImage { image, force } => {
            format!("remove image {image}{}", forced(force))
        }
        EngineStep::Build(BuildImage { image, from, tag, .. }) => {
            format!("build {image} from {from}{}", tagged(tag.as_deref()))
        }
        EngineStep::Commit { container, image, tag } => {
            format!("commit container {container} as {image}{}", tagged(tag.as_deref()))
        }
        EngineStep::Prune(Prune::Containers) => "prune containers".to_owned(),
        EngineStep::Prune(Prune::Images) => "prune images without a tag".to_owned(),
        EngineStep::Prune(Prune::Volumes) => "prune volumes".to_owned(),
        EngineStep::Prune(Prune::All) => "prune everything that is not used".to_owned(),
        EngineStep::CreateContainer(new) => {
            let verb = if new.start { "run" } else { "create" };
            format!("{verb} container {}", new.name)
        }
        EngineStep::Rename { name, to } => format!("rename container {name} to {to}"),
        EngineStep::Exec(exec) => {
            format!("exec {} in {}", exec.command.join(" "), exec.container)
        }
        EngineStep::Container { name, op } => format!("{} container {name}", verb(*op)),
        EngineStep::RemoveContainer { name } => format!("remove container {name}"),
        EngineStep::CreateVolume(new) => match &new.refused {
            Some(error) => format!("create volume {}, refused with `{error}`", new.name),
            None => format!("create volume {}", new.name),
        },
        EngineStep::CreateVolumes { prefix, count } => format!("create {count} volumes {prefix}…"),
        EngineStep::PrepareExecs { container, count } => {
            format!("prepare {count} execs in {container}")
        }
        EngineStep::RemoveVolumes { prefix } => format!("remove volumes {prefix}…"),
        EngineStep::RemoveVolume { name } => format!("remove volume {name}"),
        EngineStep::Process(op) => return Told::Fault(faults::engine(*op).to_owned()),
        EngineStep::Guest(op) => return Told::Fault(faults::guest(*op)),
    })
}

fn tagged(tag: Option<&str>) -> String {
    tag.map_or_else(|| ", without a tag".to_owned(), |tag| format!(", tagged {tag}"))
}

/// What a user of the daemon's API does.
pub(super) fn api(step: &ApiStep) -> Told {
    Told::Action(match step {
        ApiStep::Act { container, action } => {
            format!("ask the daemon to {} container {container}", action.verb())
        }
        ApiStep::Patch(patch) => format!("patch {}", patch.of),
        ApiStep::CreateObject(object) => {
            format!("create an object {} {}", object.resource, shown(&object.name))
        }
        ApiStep::Delete(mirror) => format!("delete {mirror}"),
        ApiStep::Touch { times } => format!("touch the App {times} times"),
        ApiStep::Keep(mirror) => {
            return Told::Fault(format!("somebody else's finalizer keeps {mirror}"));
        }
        ApiStep::LetGo(mirror) => {
            return Told::Fault(format!("the foreign finalizer of {mirror} is removed"));
        }
    })
}

/// What a user of the daemon's command line does.
pub(super) fn command(step: &CommandStep) -> Told {
    match step {
        CommandStep::App(app) if app.running => Told::Action("start the App".to_owned()),
        CommandStep::App(_) => Told::Action("stop the App".to_owned()),
        CommandStep::Set(set) => {
            let properties = set.properties.iter().map(|(path, value)| format!("{path}={value}"));
            Told::Action(format!("set {}", properties.collect::<Vec<_>>().join(" ")))
        }
        CommandStep::RunCommand(command) => {
            Told::Action(format!("run `{}`", command.arguments.join(" ")))
        }
        CommandStep::Returned(returned) => {
            let Returned { command, exit } = returned;
            Told::Aside(format!("wait until the command `{command}` has ended with {exit}"))
        }
        CommandStep::Interrupt(command) => {
            Told::Fault(format!("SIGINT to the command `{command}`"))
        }
    }
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
