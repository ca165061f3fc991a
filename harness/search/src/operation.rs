//! What a user or an accident can do while the daemon is held: operations that conflict with what the
//! daemon is about to do.

use racetrap_history::Step;
use serde_json::{Value, json};

use crate::call::Kind;
use crate::objects::{Objects, State};
use crate::site::Site;

/// Name of an object that only a plan makes.
pub(crate) const NEW: &str = "search-new";

/// Something that is done.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// What it is, without the names of objects.
    pub(crate) word: &'static str,
    /// Its steps.
    pub(crate) steps: Vec<Step>,
    /// It ends the daemon, so that a held message is given up.
    pub(crate) ends_daemon: bool,
}

/// What a call of the daemon is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    /// One container.
    Container(String),
    /// One image, by alias.
    Image(String),
    /// One volume.
    Volume(String),
    /// All objects, or none.
    All,
}

/// A step of the language, as YAML would say it.
pub(crate) fn step(value: Value) -> Step {
    serde_json::from_value(value).expect("plans are written in the language")
}

fn operation(word: &'static str, steps: impl IntoIterator<Item = Value>) -> Operation {
    let steps = steps.into_iter().map(step).collect();
    Operation { word, steps, ends_daemon: false }
}

impl Focus {
    /// What the call at `site` is about, if `objects` has it.
    pub(crate) fn at(site: &Site, objects: &Objects) -> Self {
        let Some(name) = site.about.clone() else { return Self::All };
        match site.call.kind() {
            Some(Kind::Container) if objects.containers.contains_key(&name) => {
                Self::Container(name)
            }
            Some(Kind::Image) if objects.images.contains_key(&name) => Self::Image(name),
            Some(Kind::Volume) if objects.volumes.contains(&name) => Self::Volume(name),
            Some(_) | None => Self::All,
        }
    }
}

/// What can be done to the objects of a call, whoever looks.
pub(crate) fn changes(focus: &Focus, objects: &Objects) -> Vec<Operation> {
    match focus {
        Focus::Container(name) => on_container(name, objects),
        Focus::Image(alias) => on_image(alias, objects),
        Focus::Volume(name) => on_volume(name, objects),
        Focus::All => {
            let mut all = creations(objects);
            let first = objects.containers.keys().next();
            all.extend(first.into_iter().flat_map(|name| on_container(name, objects)));
            let first = objects.images.keys().next();
            all.extend(first.into_iter().flat_map(|alias| on_image(alias, objects)));
            let first = objects.volumes.iter().next();
            all.extend(first.into_iter().flat_map(|name| on_volume(name, objects)));
            all
        }
    }
}

/// New objects of every kind that can be made.
pub(crate) fn creations(objects: &Objects) -> Vec<Operation> {
    let image = objects.images.keys().next();
    let container = image.map(|image| {
        let new = json!({"create_container": {"name": NEW, "image": image, "start": true}});
        operation("create a container", [new])
    });
    let volume = operation("create a volume", [json!({"create_volume": {"name": NEW}})]);
    let tag = format!("{NEW}:1");
    let load = json!({"load_image": {"image": NEW, "tags": [tag]}});
    let dangling = json!({"load_image": {"image": NEW}});
    container
        .into_iter()
        .chain([
            volume,
            operation("load an image", [load]),
            operation("load an image without a tag", [dangling]),
        ])
        .collect()
}

fn on_container(name: &str, objects: &Objects) -> Vec<Operation> {
    let Some(container) = objects.containers.get(name) else { return Vec::new() };
    let op = |op: &str| json!({"container": {"name": name, "op": op}});
    let remove = json!({"remove_container": {"name": name}});
    let mut all = vec![
        operation("remove the container", [remove]),
        operation("rename the container", [json!({"rename": {"name": name, "to": NEW}})]),
    ];
    match container.state {
        State::Running => all.extend([
            operation("kill the container", [op("kill")]),
            operation("pause the container", [op("pause")]),
            operation("restart the container", [op("restart")]),
        ]),
        State::Stopped => all.extend([
            operation("start the container", [op("start")]),
            operation("start and kill the container", [op("start"), op("kill")]),
        ]),
        State::Paused => all.push(operation("unpause the container", [op("unpause")])),
        State::Unclear => {}
    }
    all
}

/// What a user of the API can ask of a container that has a mirror.
fn asked_of(name: &str, objects: &Objects) -> Option<Operation> {
    let act = |action: &str| json!({"act": {"container": name, "action": action}});
    match objects.containers.get(name)?.state {
        State::Running => Some(operation("ask for a stop", [act("stop")])),
        State::Stopped | State::Paused => Some(operation("ask for a start", [act("start")])),
        State::Unclear => None,
    }
}

fn on_image(alias: &str, objects: &Objects) -> Vec<Operation> {
    let Some(tags) = objects.images.get(alias) else { return Vec::new() };
    let new = json!({"tag": {"image": alias, "tag": format!("{NEW}:1")}});
    let mut all = vec![operation("tag the image", [new])];
    if let Some(tag) = tags.first() {
        let untag = json!({"untag": {"tag": tag, "force": true}});
        let untag_and_tag = [untag.clone(), json!({"tag": {"image": alias, "tag": tag}})];
        all.push(operation("untag the image", [untag]));
        // By force, the last tag takes the image with it, unless a container runs.
        if tags.len() > 1 || objects.has_running_container(alias) {
            all.push(operation("untag and tag the image", untag_and_tag));
        }
        let taken = json!({"load_image": {"image": NEW, "tags": [tag]}});
        all.push(operation("load another image with the tag", [taken]));
    }
    if !objects.has_container(alias) {
        let remove = json!({"remove_image": {"image": alias, "force": true}});
        all.push(operation("remove the image", [remove]));
    }
    all
}

fn on_volume(name: &str, objects: &Objects) -> Vec<Operation> {
    let create = json!({"create_volume": {"name": name}});
    if objects.is_used(name) {
        return Vec::new();
    }
    let remove = json!({"remove_volume": {"name": name}});
    vec![
        operation("remove the volume", [remove.clone()]),
        operation("recreate the volume", [remove, create]),
    ]
}

/// What a user of the API can do to mirrors, while the daemon mirrors.
pub(crate) fn user_edits(focus: &Focus, objects: &Objects) -> Vec<Operation> {
    let delete = |word, mirror: Value| operation(word, [json!({"delete": mirror})]);
    let container = |name: &str| delete("delete a container's mirror", json!({"container": name}));
    let volume = |name: &str| delete("delete a volume's mirror", json!({"volume": name}));
    let image = |tags: &std::collections::BTreeSet<String>| {
        tags.first().map(|tag| delete("delete a tag's mirror", json!({"tag": tag})))
    };
    match focus {
        Focus::Container(name) => {
            std::iter::once(container(name)).chain(asked_of(name, objects)).collect()
        }
        Focus::Volume(name) if objects.is_used(name) => Vec::new(),
        Focus::Volume(name) => vec![volume(name)],
        Focus::Image(alias) if objects.has_container(alias) => Vec::new(),
        Focus::Image(alias) => objects.images.get(alias).and_then(image).into_iter().collect(),
        Focus::All => {
            let unused = objects.volumes.iter().find(|name| !objects.is_used(name));
            let first = objects.containers.keys().next();
            let asked = first.and_then(|name| asked_of(name, objects));
            let deleted = first.map(|name| container(name)).into_iter();
            deleted.chain(unused.map(|it| volume(it))).chain(asked).collect()
        }
    }
}

/// What can happen to the daemon's surroundings, whatever it is doing. Connections can be cut if the
/// daemon has an event stream.
pub(crate) fn accidents(objects: &Objects, has_stream: bool) -> Vec<Operation> {
    let stop = json!({"app": {"running": false, "wait": false}});
    let start = json!({"app": {"running": true, "wait": false}});
    let ending = |word, how: &str| Operation {
        ends_daemon: true,
        ..operation(word, [json!({"daemon": how}), json!({"daemon": "start"})])
    };
    let mut all = vec![ending("kill the daemon", "kill"), ending("stop the daemon", "stop")];
    if has_stream {
        all.extend([
            operation("cut the event stream", [json!({"cut": "events"})]),
            operation("cut all connections to the engine", [json!({"cut": "all"})]),
        ]);
    }
    if objects.app_runs {
        all.push(operation("stop the App", [stop.clone()]));
        all.push(operation("stop and start the App", [stop, start]));
    } else {
        all.push(operation("start the App", [start]));
    }
    all
}
