//! What one scenario touches of the surface.

use std::collections::BTreeSet;

use racetrap_history::{
    ApiStep, Codes, CommandStep, DockerFileStep, DockerStep, LogRequest, LogStep, Needs,
    NeighbourStep, Protocol, Scenario, Step, UserObject, WaitStep,
};
use serde::Serialize;
use serde_json::Value;

use super::item::{Group, Item};
use super::{daemon_command, docker_command, engine_steps, kubectl, surface};

/// The items that the scenario touches.
pub(super) fn touched(scenario: &Scenario) -> BTreeSet<Item> {
    let mut touched = Touched {
        items: BTreeSet::new(),
        needs: &scenario.needs,
        options: surface::field_options(),
        has_app: false,
        with_volumes: BTreeSet::new(),
    };
    touched.needs();
    scenario.steps.iter().for_each(|step| touched.step(step));
    touched.items
}

/// The word by which the language knows a value: the name of a variant.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(Value::Object(object)) => object.keys().next().cloned().unwrap_or_default(),
        Ok(_) | Err(_) => String::new(),
    }
}

/// Collects items.
pub(super) struct Touched<'a> {
    items: BTreeSet<Item>,
    needs: &'a Needs,
    /// The fields of steps that are items.
    options: BTreeSet<String>,
    /// An earlier step has set a property, and so made the App.
    has_app: bool,
    /// Containers that were created with volumes.
    pub(super) with_volumes: BTreeSet<String>,
}

impl Touched<'_> {
    pub(super) fn add(&mut self, group: Group, name: impl Into<String>) {
        self.items.insert(Item::new(group, name));
    }

    fn add_verb(&mut self, kind: &str, verb: &str) {
        self.items.insert(kubectl::item(kind, verb));
    }

    /// Adds the fields of a step that are not as they are if a scenario leaves them out.
    pub(super) fn fields<T: Serialize>(&mut self, step: &str, value: &T) {
        let Ok(Value::Object(fields)) = serde_json::to_value(value) else { return };
        for (name, value) in fields {
            let option = format!("{step}.{name}");
            if !is_default(&name, &value) && self.options.contains(&option) {
                self.add(Group::Option, option);
            }
        }
    }

    fn needs(&mut self) {
        let needs = self.needs;
        for mode in &needs.vm {
            self.add(Group::World, format!("vm {mode}"));
        }
        if let Some(protocol) = needs.protocol {
            self.add(Group::World, format!("protocol {protocol}"));
        }
        let offers = [
            (needs.neighbour, "neighbour"),
            (needs.standalone, "standalone"),
            (needs.live_restore, "live_restore"),
            (needs.shared_group, "shared_group"),
            (needs.kubernetes, "kubernetes"),
            (needs.contexts, "contexts"),
            (needs.passthrough, "passthrough"),
            (needs.wsl.is_some(), "wsl"),
        ];
        for (_, name) in offers.iter().filter(|(needed, _)| *needed) {
            self.add(Group::World, *name);
        }
        let Some(docker) = &needs.docker else { return };
        for (_, name) in [(docker.elsewhere, "elsewhere"), (docker.disk, "disk")]
            .iter()
            .filter(|(needed, _)| *needed)
        {
            self.add(Group::World, format!("docker {name}"));
        }
        for variable in docker.environment.keys() {
            self.add(Group::DockerConfig, format!("variable {}", variable.name()));
        }
    }

    fn step(&mut self, step: &Step) {
        self.add(Group::Step, word(step));
        match step {
            Step::Engine(step) => engine_steps::touch(step, self),
            Step::Command(step) => self.command(step),
            Step::Api(step) => self.api(step),
            Step::Docker(step) => self.docker(step),
            Step::Log(step) => self.log(step),
            // What is done to the neighbour's App says nothing about this one's.
            Step::Neighbour(NeighbourStep::Does(step)) => self.step(step),
            Step::Wait(WaitStep::Await(_) | WaitStep::Settle)
            | Step::Kubernetes(_)
            | Step::Daemon(_)
            | Step::Gate(_)
            | Step::Fault(_) => {}
        }
    }

    fn command(&mut self, step: &CommandStep) {
        match step {
            CommandStep::App(app) => {
                let running = if app.running { "true" } else { "false" };
                if !app.wait {
                    self.add(Group::Option, "app.wait");
                }
                self.set([("running", running)].into_iter(), app.wait);
                self.add(Group::ExitCode, "0");
            }
            CommandStep::Set(set) => {
                self.fields("set", set);
                let properties = set.properties.iter();
                let properties = properties.map(|(name, value)| (name.as_str(), value.as_str()));
                self.set(properties, set.wait);
                self.exit(&set.exit);
            }
            CommandStep::RunCommand(command) => {
                daemon_command::touch(&command.arguments, &mut self.items);
                // What the command ended with that `run` has run.
                let runs = command.arguments.first().is_some_and(|verb| verb == "run");
                if runs && matches!(command.exit, Codes::One(code) if ![0, 1].contains(&code)) {
                    self.add(Group::ExitCode, "a child's");
                } else {
                    self.exit(&command.exit);
                }
            }
            CommandStep::Returned(returned) => self.exit(&returned.exit),
            CommandStep::Interrupt(_) => {}
        }
    }

    /// The command `set`: it creates the App or patches it, and then lists and watches it (contract 1.4.1,
    /// 1.5.3).
    fn set<'b>(&mut self, properties: impl Iterator<Item = (&'b str, &'b str)>, waits: bool) {
        self.add(Group::Command, "set");
        if !waits {
            self.add(Group::Command, "set --wait=false");
        }
        if !std::mem::replace(&mut self.has_app, true) {
            self.add_verb("apps", "create");
        }
        for verb in ["patch", "list", "watch"] {
            self.add_verb("apps", verb);
        }
        daemon_command::touch_properties(properties, &mut self.items);
    }

    fn exit(&mut self, exit: &Codes) {
        match exit {
            Codes::One(code) => self.add(Group::ExitCode, code.to_string()),
            Codes::Any(codes) => {
                codes.iter().for_each(|code| self.add(Group::ExitCode, code.to_string()));
            }
        }
    }

    fn api(&mut self, step: &ApiStep) {
        match step {
            ApiStep::Act { action, .. } => {
                let protocol = self.needs.protocol.unwrap_or(Protocol::Action);
                self.add(Group::Action, format!("{protocol} {}", action.verb()));
                self.add_verb("containers", "patch");
            }
            ApiStep::CreateObject(object) => {
                let UserObject { resource, .. } = object;
                self.add(Group::Option, format!("create_object.resource {resource}"));
                self.fields("create_object", object);
                self.add_verb(resource, "create");
            }
            ApiStep::Delete(mirror) => {
                let mirror = word(mirror);
                self.add(Group::DeletedMirror, mirror.clone());
                let kind = match mirror.as_str() {
                    "container" => "containers",
                    "volume" => "volumes",
                    _ => "images",
                };
                self.add_verb(kind, "delete");
            }
            ApiStep::Touch { .. } => self.add_verb("apps", "patch"),
            ApiStep::Patch(_) | ApiStep::Keep(_) | ApiStep::LetGo(_) => {}
        }
    }

    fn docker(&mut self, step: &DockerStep) {
        match step {
            DockerStep::Run(command) => {
                docker_command::touch(&command.arguments, &mut self.items);
                self.fields("docker", command);
            }
            DockerStep::Endpoint(place) => {
                self.add(Group::DockerConfig, format!("endpoint {}", word(place)));
            }
            DockerStep::File(file) => {
                if let DockerFileStep { put: Some(state), .. } = file {
                    self.add(Group::DockerConfig, format!("file {}", word(state)));
                }
                self.fields("docker_file", file);
            }
            DockerStep::Disk(_)
            | DockerStep::KillAt(_)
            | DockerStep::Killed
            | DockerStep::FreezeAt(_)
            | DockerStep::Frozen => {}
        }
    }

    fn log(&mut self, step: &LogStep) {
        match step {
            LogStep::Open(open) => {
                self.fields("open_log", open);
                self.request(&open.log, &open.status);
            }
            LogStep::Crowd(crowd) => {
                self.add(Group::Log, "log_crowd");
                self.request(&crowd.log, &crowd.status);
            }
            LogStep::Leave(leave) => self.add(Group::Log, format!("leave {}", word(&leave.how))),
            LogStep::Compare(_) => self.add(Group::Log, "compare_log"),
            LogStep::ReadDiscovery => self.add(Group::Log, "read_discovery"),
            LogStep::Read(_) => {}
        }
    }

    fn request(&mut self, log: &LogRequest, status: &Codes) {
        self.fields("open_log.log", log);
        self.add(Group::Log, format!("door {}", word(&log.door)));
        if let Codes::One(status) = status {
            self.add(Group::Log, format!("status {status}"));
        }
        for (name, value) in &log.query {
            match (name.as_str(), value.as_str()) {
                ("tail", _) => self.add(Group::Log, "query tail"),
                ("follow", "true" | "false") => {
                    self.add(Group::Log, format!("query follow={value}"));
                }
                _ => {}
            }
        }
    }
}

/// Whether a field has the value that it has if a scenario leaves it out.
fn is_default(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => *value == matches!(name, "reads" | "token" | "upgrade" | "wait"),
        Value::Number(_) => name == "exit" && *value == 0,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
