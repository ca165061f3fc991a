//! What a daemon does at its borders, by kind: a request to the engine, an event that it reads, a write to
//! its API.

use std::collections::BTreeMap;
use std::fmt;

use racetrap_history::{Match, Side, WriteMatch};
use serde::{Deserialize, Serialize};

/// One kind of message or write, as precisely as a gate of the scenario language can name it before it
/// comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// A request and its response.
    Exchange {
        /// On which wire.
        wire: Side,
        /// HTTP method.
        method: String,
        /// Template of the route.
        route: String,
        /// Parameters of the route, with `$NAME` for the ID of a container or image. A parameter that only
        /// a later step makes is left out.
        params: BTreeMap<String, String>,
    },
    /// A frame of the engine's event stream.
    Event {
        /// `Type` of the event.
        r#type: String,
        /// `Action` of the event.
        action: String,
    },
    /// A write of the daemon to its own API.
    Write {
        /// `create`, `update` or `delete`.
        operation: String,
        /// Plural name of the kind, with `/status` for a write of the status alone.
        resource: String,
        /// The writer's field manager; any, if the history does not tell.
        manager: Option<String>,
    },
}

/// A kind of objects of the engine that have mirrors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Container,
    Image,
    Volume,
}

impl Call {
    /// The kind of objects that the call is about; nothing if it is about none of them.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let word = match self {
            Self::Exchange { route, .. } => route.split('/').nth(1).unwrap_or_default(),
            Self::Event { r#type, .. } => r#type,
            Self::Write { resource, .. } => resource,
        };
        // `container`, `containers` and `containers/status` begin alike.
        let kinds =
            [("container", Kind::Container), ("image", Kind::Image), ("volume", Kind::Volume)];
        kinds.into_iter().find(|(name, _)| word.starts_with(name)).map(|(_, kind)| kind)
    }

    /// The call without the objects that it is about: what calls of the same code have in common.
    #[must_use]
    pub fn class(&self) -> String {
        match self {
            Self::Exchange { wire, method, route, .. } => {
                let side = match wire {
                    Side::Engine => "",
                    Side::Api => "api ",
                    Side::User => "user ",
                    Side::Kubernetes => "kubernetes ",
                };
                format!("{side}{method} {route}")
            }
            Self::Event { r#type, action } => format!("event {type} {action}"),
            Self::Write { operation, resource, .. } => format!("write {operation} {resource}"),
        }
    }

    /// The match by which a gate or a rule on a wire finds the `nth` of these calls.
    pub(crate) fn on_wire(&self, nth: u32) -> Option<(Side, Match)> {
        let nth = (nth > 1).then_some(nth);
        match self {
            Self::Exchange { wire, method, route, params } => {
                let on = Match {
                    method: Some(method.clone()),
                    route: Some(route.clone()),
                    params: params.clone(),
                    nth,
                    ..Match::default()
                };
                Some((*wire, on))
            }
            Self::Event { r#type, action } => {
                let frame = [("/Type", r#type), ("/Action", action)];
                let frame = frame.map(|(at, value)| (at.to_owned(), value.as_str().into()));
                let on = Match {
                    route: Some("/events".to_owned()),
                    frame: frame.into(),
                    nth,
                    ..Match::default()
                };
                Some((Side::Engine, on))
            }
            Self::Write { .. } => None,
        }
    }

    /// The match by which the daemon's admission finds the `nth` of these writes.
    pub(crate) fn at_admission(&self, nth: u32) -> Option<WriteMatch> {
        let Self::Write { operation, resource, manager } = self else { return None };
        Some(WriteMatch {
            operation: Some(operation.clone()),
            resource: resource.clone(),
            manager: manager.clone(),
            nth: (nth > 1).then_some(nth),
            ..WriteMatch::default()
        })
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.class())?;
        if let Self::Exchange { params, .. } = self {
            for value in params.values() {
                write!(f, " {value}")?;
            }
        }
        Ok(())
    }
}
