//! What the steps of the engine's users touch, and the events that the engine certainly sends then.
//!
//! Whether an event follows may depend on earlier steps: only the last tag of an image takes the image
//! with it. Such an event is left out here. The tests of the workloads compare these events with those
//! that the engine has sent.

use racetrap_history::{
    ContainerOp, EngineStep, Exec, NewContainer, PROGRAM, Prune, program_commands,
};

use super::item::Group;
use super::touched::{Touched, word};

/// Adds what the step touches.
pub(super) fn touch(step: &EngineStep, touched: &mut Touched<'_>) {
    let events: &[&str] = match step {
        EngineStep::LoadImage { tags, labels, platforms, .. } => {
            option(touched, "load_image.no tag", tags.is_empty());
            option(touched, "load_image.several tags", tags.len() > 1);
            option(touched, "load_image.labels", !labels.is_empty());
            option(touched, "load_image.one platform", platforms.len() == 1);
            option(touched, "load_image.several platforms", platforms.len() > 1);
            &["image load"]
        }
        EngineStep::Build(build) => {
            touched.fields("build", build);
            option(touched, "build.no tag", build.tag.is_none());
            if build.tag.is_some() { &["image tag"] } else { &[] }
        }
        EngineStep::Commit { tag, .. } => {
            option(touched, "commit.tag", tag.is_some());
            option(touched, "commit.no tag", tag.is_none());
            if tag.is_some() { &["container commit", "image tag"] } else { &["container commit"] }
        }
        EngineStep::Prune(what) => {
            touched.add(Group::Prune, word(what));
            match what {
                Prune::Containers => &["container prune"],
                Prune::Images => &["image prune"],
                Prune::Volumes => &["volume prune"],
                Prune::All => &["container prune", "image prune", "volume prune"],
            }
        }
        EngineStep::Tag { .. } => &["image tag"],
        EngineStep::Untag { force, .. } => {
            option(touched, "untag.force", *force);
            &["image untag"]
        }
        EngineStep::RemoveImage { force, .. } => {
            option(touched, "remove_image.force", *force);
            &["image delete"]
        }
        EngineStep::CreateContainer(new) => {
            container(new, touched);
            &["container create"]
        }
        EngineStep::Container { op, name } => {
            touched.add(Group::ContainerOp, word(op));
            if touched.with_volumes.contains(name) {
                add_events(touched, volume_events(*op));
            }
            events_of(*op)
        }
        EngineStep::Rename { .. } => &["container rename"],
        EngineStep::Exec(exec) => {
            touched.fields("exec", exec);
            let Exec { detach, .. } = exec;
            // Nobody waits for the end of a command that is detached.
            let all = &["container exec_create", "container exec_start", "container exec_die"];
            if *detach { &all[..2] } else { all }
        }
        EngineStep::RemoveContainer { .. } => &["container destroy"],
        EngineStep::PrepareExecs { .. } => &["container exec_create"],
        EngineStep::CreateVolume(new) => {
            touched.fields("create_volume", new);
            &["volume create"]
        }
        EngineStep::CreateVolumes { .. } => &["volume create"],
        EngineStep::RemoveVolume { .. } | EngineStep::RemoveVolumes { .. } => &["volume destroy"],
        EngineStep::Process(_) | EngineStep::Guest(_) => &[],
    };
    add_events(touched, events);
}

/// Adds events to what is touched.
pub(super) fn add_events(touched: &mut Touched<'_>, events: &[&str]) {
    for event in events {
        touched.add(Group::EngineEvent, *event);
    }
}

fn option(touched: &mut Touched<'_>, name: &str, is_used: bool) {
    if is_used {
        touched.add(Group::Option, name);
    }
}

fn events_of(op: ContainerOp) -> &'static [&'static str] {
    match op {
        ContainerOp::Start => &["container start", "network connect"],
        ContainerOp::Stop => {
            &["container kill", "container die", "container stop", "network disconnect"]
        }
        ContainerOp::Kill => &["container kill", "container die", "network disconnect"],
        ContainerOp::Pause => &["container pause"],
        ContainerOp::Unpause => &["container unpause"],
        ContainerOp::Restart => &["container die", "container start", "container restart"],
    }
}

/// What becomes of the volumes of a container.
fn volume_events(op: ContainerOp) -> &'static [&'static str] {
    match op {
        ContainerOp::Start => &["volume mount"],
        ContainerOp::Stop | ContainerOp::Kill => &["volume unmount"],
        ContainerOp::Restart => &["volume unmount", "volume mount"],
        ContainerOp::Pause | ContainerOp::Unpause => &[],
    }
}

fn container(new: &NewContainer, touched: &mut Touched<'_>) {
    touched.fields("create_container", new);
    touched.fields("create_container.prints", &new.prints);
    for port in &new.ports {
        let how = if port.contains(':') { "published" } else { "exposed" };
        touched.add(Group::Option, format!("create_container.ports {how}"));
    }
    if let Some(policy) = &new.restart {
        let policy = policy.split(':').next().unwrap_or(policy);
        touched.add(Group::Option, format!("create_container.restart {policy}"));
    }
    // The program of the images can be its own argument, as the entry point.
    let mut arguments = new.entrypoint.iter().chain(&new.prints.command);
    let is_program = new.entrypoint.first().is_none_or(|program| program == PROGRAM);
    let word = arguments.find(|word| program_commands().any(|command| command == word.as_str()));
    if let Some(word) = word.filter(|_| is_program) {
        touched.add(Group::Option, format!("create_container.prints {word}"));
    } else if is_program {
        touched.add(Group::Option, "create_container.prints sleep");
    }
    if !new.volumes.is_empty() {
        touched.with_volumes.insert(new.name.clone());
    }
    if new.start {
        add_events(touched, &["container start", "network connect"]);
        if !new.volumes.is_empty() {
            add_events(touched, &["volume mount"]);
        }
    }
    if new.auto_remove {
        add_events(touched, &["container destroy"]);
    }
    if new.health.is_some() && new.start {
        add_events(touched, &["container health_status"]);
    }
}
