//! One thing that the contract offers to users, or that users can do to the engine.

/// What kind of thing an item is. The order is that of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Group {
    /// A step of the scenario language.
    Step,
    /// An option of such a step, as `step.option`.
    Option,
    /// A change of a container's state by a user of the engine.
    ContainerOp,
    /// A request of a user of the API for a container's state, as `protocol action`.
    Action,
    /// What a user of the engine prunes.
    Prune,
    /// An event that the engine sends, as `type action`.
    EngineEvent,
    /// A kind of the API and a verb.
    Api,
    /// A mirror that a user of the API deletes.
    DeletedMirror,
    /// A command of the daemon, or a flag of one.
    Command,
    /// An exit code of a command.
    ExitCode,
    /// A property of the App, with a value.
    Property,
    /// A command of docker.
    Docker,
    /// A state of the docker command's configuration, its variables and the user's own engine.
    DockerConfig,
    /// What a client of the log passthrough asks for, gets, or does.
    Log,
    /// What a world must offer.
    World,
}

impl Group {
    /// All groups, in the order of the table.
    pub(crate) const ALL: [Self; 15] = [
        Self::Step,
        Self::Option,
        Self::ContainerOp,
        Self::Action,
        Self::Prune,
        Self::EngineEvent,
        Self::Api,
        Self::DeletedMirror,
        Self::Command,
        Self::ExitCode,
        Self::Property,
        Self::Docker,
        Self::DockerConfig,
        Self::Log,
        Self::World,
    ];

    /// The heading of its part of the table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Step => "Steps of the scenario language",
            Self::Option => "Options of steps",
            Self::ContainerOp => "Changes of a container by a user of the engine",
            Self::Action => "Requests for a container's state by users of the API",
            Self::Prune => "Prunes",
            Self::EngineEvent => "Events of the engine",
            Self::Api => "Kinds and verbs of the API",
            Self::DeletedMirror => "Mirrors that a user deletes",
            Self::Command => "Commands of the daemon and their flags",
            Self::ExitCode => "Exit codes",
            Self::Property => "Properties of the App",
            Self::Docker => "Commands of docker",
            Self::DockerConfig => "The docker command's configuration, and the user's own engine",
            Self::Log => "Clients of the log passthrough",
            Self::World => "What a world offers",
        }
    }
}

/// One item of the surface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    /// What kind of thing it is.
    pub(crate) group: Group,
    /// Its name, unique within the group.
    pub(crate) name: String,
}

impl Item {
    /// An item with that name.
    pub(super) fn new(group: Group, name: impl Into<String>) -> Self {
        Self { group, name: name.into() }
    }
}
