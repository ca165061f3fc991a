//! All items of the surface. Wherever a type of the language lists them, they come from the type.

use std::collections::BTreeSet;

use racetrap_history::{
    Action, BuildImage, ContainerOp, DockerCommand, DockerFileStep, DockerNeeds, DockerVariable,
    Door, EndpointOp, Exec, FileOp, LeaveHow, LogCrowd, LogRequest, MirrorRef, Needs, NewContainer,
    NewVolume, OpenLog, Prints, Prune, SetStep, Step, UserObject, VmMode, program_commands, words,
};

use super::daemon_command::{self, PROPERTIES};
use super::docker_command;
use super::item::{Group, Item};
use super::kubectl::{BUILTIN, KINDS, REQUESTS, VERBS, item};

/// Options of steps that are no fields of a type: those of variants, and values that matter.
const OPTIONS: [&str; 20] = [
    "app.wait",
    "commit.tag",
    "create_container.ports exposed",
    "create_container.ports published",
    "create_container.restart always",
    "create_container.restart no",
    "create_container.restart on-failure",
    "create_container.restart unless-stopped",
    "create_object.resource containers",
    "create_object.resource images",
    "create_object.resource volumes",
    "load_image.labels",
    "load_image.no tag",
    "load_image.one platform",
    "load_image.several platforms",
    "load_image.several tags",
    "remove_image.force",
    "untag.force",
    "commit.no tag",
    "build.no tag",
];

/// Events of the engine that the contract names or that fill its stream (contract 4.2).
pub(super) const EVENTS: [&str; 32] = [
    "container commit",
    "container create",
    "container destroy",
    "container die",
    "container exec_create",
    "container exec_die",
    "container exec_start",
    "container health_status",
    "container kill",
    "container pause",
    "container prune",
    "container rename",
    "container restart",
    "container start",
    "container stop",
    "container unpause",
    "container update",
    "image delete",
    "image import",
    "image load",
    "image prune",
    "image pull",
    "image push",
    "image tag",
    "image untag",
    "network connect",
    "network disconnect",
    "volume create",
    "volume destroy",
    "volume mount",
    "volume prune",
    "volume unmount",
];

/// Exit codes (contract 1.2). The code of a child is that of `run`.
const EXIT_CODES: [&str; 6] = ["0", "1", "3", "4", "130", "a child's"];

/// What clients of the log passthrough ask for and get (contract 6.1), beside what types list.
const LOG: [&str; 14] = [
    "query follow=false",
    "query follow=true",
    "query tail",
    "status 101",
    "status 400",
    "status 401",
    "status 403",
    "status 404",
    "status 426",
    "status 500",
    "status 503",
    "log_crowd",
    "read_discovery",
    "compare_log",
];

/// Fields that each value of their type has, so that they say nothing about a workload.
const REQUIRED: [&str; 16] = [
    "arguments",
    "at_once",
    "client",
    "clients",
    "command",
    "container",
    "exit",
    "from",
    "image",
    "log",
    "name",
    "of",
    "properties",
    "resource",
    "status",
    "timeout_s",
];

/// All items, each once.
pub(super) fn surface() -> BTreeSet<Item> {
    let mut all = BTreeSet::new();
    let mut add = |group: Group, names: &mut dyn Iterator<Item = String>| {
        all.extend(names.map(|name| Item::new(group, name)));
    };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    add(Group::Step, &mut owned(Step::names()).into_iter());
    let programs = program_commands().map(|word| format!("create_container.prints {word}"));
    add(Group::Option, &mut owned(&OPTIONS).into_iter().chain(fields()).chain(programs));
    add(Group::ContainerOp, &mut owned(words::<ContainerOp>()).into_iter());
    add(Group::Action, &mut actions());
    add(Group::Prune, &mut owned(words::<Prune>()).into_iter());
    add(Group::EngineEvent, &mut owned(&EVENTS).into_iter());
    let verbs = KINDS.iter().flat_map(|kind| VERBS.iter().map(|verb| item(kind, verb).name));
    let kinds = REQUESTS.iter().chain(&BUILTIN).map(|kind| (*kind).to_owned());
    add(Group::Api, &mut verbs.chain(kinds));
    add(Group::DeletedMirror, &mut owned(words::<MirrorRef>()).into_iter());
    let commands = daemon_command::COMMANDS.iter().map(|(name, _)| (*name).to_owned());
    add(Group::Command, &mut { commands });
    add(Group::ExitCode, &mut owned(&EXIT_CODES).into_iter());
    add(Group::Property, &mut owned(&PROPERTIES).into_iter());
    add(Group::Docker, &mut owned(&docker_command::COMMANDS).into_iter());
    add(Group::DockerConfig, &mut docker_config());
    let doors = words::<Door>().iter().map(|door| format!("door {door}"));
    let ways = words::<LeaveHow>().iter().map(|how| format!("leave {how}"));
    add(Group::Log, &mut owned(&LOG).into_iter().chain(doors).chain(ways));
    add(Group::World, &mut world());
    all
}

/// The fields of a type `T` as options of a step.
fn options<'de, T: serde::Deserialize<'de>>(step: &str) -> impl Iterator<Item = String> {
    let fields = words::<T>().iter().filter(|field| !REQUIRED.contains(field));
    fields.map(move |field| format!("{step}.{field}"))
}

/// Options that are fields of types. Those whose values matter are in [`OPTIONS`].
fn fields() -> impl Iterator<Item = String> {
    let with_values = |name: &String| {
        let prefix = format!("{name} ");
        name != "create_container.prints" && !OPTIONS.iter().any(|it| it.starts_with(&prefix))
    };
    options::<NewContainer>("create_container")
        .chain(options::<Prints>("create_container.prints"))
        .chain(options::<BuildImage>("build"))
        .chain(options::<Exec>("exec"))
        .chain(options::<NewVolume>("create_volume"))
        .chain(options::<SetStep>("set"))
        .chain(options::<UserObject>("create_object"))
        .chain(options::<DockerCommand>("docker"))
        .chain(options::<DockerFileStep>("docker_file").filter(|it| it != "docker_file.put"))
        .chain(options::<OpenLog>("open_log"))
        .chain(options::<LogRequest>("open_log.log").filter(|it| !has_items(it)))
        .chain(options::<LogCrowd>("log_crowd"))
        .filter(with_values)
}

/// The options that are fields of types, for whoever reads the fields of a step.
pub(super) fn field_options() -> BTreeSet<String> {
    fields().collect()
}

/// Fields of a request for a log whose values are items of their own.
fn has_items(field: &str) -> bool {
    matches!(field, "open_log.log.query" | "open_log.log.door")
}

/// What users of the API can ask for; `state` has no words for a pause and a restart.
fn actions() -> impl Iterator<Item = String> {
    let by_annotation = words::<Action>().iter().map(|action| format!("action {action}"));
    let by_state = ["start", "stop", "unpause"].iter().map(|action| format!("state {action}"));
    by_annotation.chain(by_state)
}

fn docker_config() -> impl Iterator<Item = String> {
    let files = words::<FileOp>().iter().map(|state| format!("file {state}"));
    let endpoints = words::<EndpointOp>().iter().map(|place| format!("endpoint {place}"));
    let variables = words::<DockerVariable>().iter().map(|name| format!("variable {name}"));
    files.chain(endpoints).chain(variables)
}

fn world() -> impl Iterator<Item = String> {
    let whole = ["vm", "protocol", "docker", "conditions"];
    let needs = words::<Needs>().iter().filter(move |need| !whole.contains(need));
    let needs = needs.map(|need| (*need).to_owned());
    let modes = words::<VmMode>().iter().map(|mode| format!("vm {mode}"));
    let protocols = ["protocol action", "protocol state"].map(str::to_owned);
    let docker = words::<DockerNeeds>().iter().filter(|need| **need != "environment");
    let docker = docker.map(|need| format!("docker {need}"));
    needs.chain(modes).chain(protocols).chain(docker)
}

/// A disturbance, which a search inserts into a workload.
const DISTURBANCE: &str = "a disturbance: a search inserts it";

/// What an engine does only under a disturbance.
const FAULT: &str = "only an engine that is disturbed does it";

/// Something that the harness does to each world.
const HARNESS: &str = "the harness does it to start and end worlds";

/// Something that the reference daemon lacks, so that no workload could pass on it.
const LACKING: &str = "the reference daemon does not have it";

/// Something that a step would have to give to the standard input of a command.
const INPUT: &str = "a step gives commands of the daemon no input";

/// What no workload can touch, and why. A test keeps this list free of items that one touches.
const OUT_OF_REACH: [(Group, &str, &[&str]); 10] = [
    (
        Group::Step,
        DISTURBANCE,
        &[
            "accept",
            "answer",
            "cut",
            "daemon",
            "deny_write",
            "docker_disk",
            "engine",
            "fault",
            "free",
            "freeze_at",
            "frozen",
            "guest",
            "happened",
            "hold",
            "hold_write",
            "inject",
            "interrupt",
            "keep",
            "kill_at",
            "killed",
            "let_go",
            "lift",
            "patch",
            "reached",
            "record",
            "refuse",
            "release",
            "replace_socket",
            "serial",
            "vm",
        ],
    ),
    (
        Group::DockerConfig,
        DISTURBANCE,
        &[
            "endpoint gone",
            "file dangling_link",
            "file directory",
            "file gone",
            "file looping_link",
        ],
    ),
    (Group::Option, FAULT, &["create_volume.refused"]),
    (Group::ExitCode, DISTURBANCE, &["130"]),
    (Group::Log, DISTURBANCE, &["status 500", "status 503"]),
    (
        Group::Command,
        HARNESS,
        &[
            "svc create",
            "svc create --controllers",
            "svc create --secure-port",
            "svc delete",
            "svc serve",
            "svc start",
            "svc start --controllers",
            "svc start --timeout",
            "svc start --wait=false",
            "svc start, running",
            "svc stop",
            "svc stop --timeout",
            "svc stop --wait=false",
        ],
    ),
    (Group::Command, LACKING, &["called as kubectl or yq", "ctl wait-condition"]),
    (Group::Command, "it does not end by itself", &["svc log --follow"]),
    (
        Group::Api,
        INPUT,
        &[
            "apps apply",
            "apps update",
            "containernamespaces apply",
            "containernamespaces create",
            "containernamespaces update",
            "containers apply",
            "containers update",
            "images apply",
            "images update",
            "limavms apply",
            "limavms create",
            "limavms update",
            "volumes apply",
            "volumes update",
        ],
    ),
    (
        Group::Api,
        LACKING,
        &[
            "containercreaterequests",
            "imagepullrequests",
            "imagepushrequests",
            "imagescanrequests",
            "resourcequotas",
            "serviceaccounts",
            "volumecreaterequests",
        ],
    ),
];

/// Why no workload can touch the item; nothing if one could.
pub(super) fn out_of_reach(item: &Item) -> Option<&'static str> {
    let listed = OUT_OF_REACH
        .iter()
        .find(|(group, _, names)| *group == item.group && names.contains(&item.name.as_str()));
    listed.map(|(_, why, _)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    /// A misspelt name would excuse nothing, and the reason would be read by nobody.
    #[test]
    fn what_is_out_of_reach_is_part_of_the_surface_and_listed_once() {
        let surface = surface();
        let mut seen = BTreeSet::new();
        for (group, _, names) in OUT_OF_REACH {
            for name in names {
                let item = Item::new(group, *name);
                assert!(surface.contains(&item), "{item:?}");
                assert!(seen.insert(item), "{group:?} {name} is listed twice");
            }
        }
    }

    /// A step that findings use outside of their disturbance could be part of a workload.
    #[test]
    fn steps_out_of_reach_are_disturbances_in_every_finding() {
        let catalogue = Catalogue::embedded().expect("the catalogue is sound");
        for entry in catalogue.entries() {
            for step in &entry.steps {
                let step = step.for_neighbour().unwrap_or(step);
                let name = super::super::touched::word(step);
                let is_out = out_of_reach(&Item::new(Group::Step, name.clone())).is_some();
                assert!(!is_out || step.is_of_the_fault(), "{}: {name}", entry.finding);
            }
        }
    }
}
