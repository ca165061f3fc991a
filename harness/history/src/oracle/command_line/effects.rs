//! After a command that changes the App, the App has the change (contract 1.4.1, 1.4.2, 1.4.7).
//!
//! The first list of the App after a `set`, `start` or `stop` that returned 0 shows the values that the
//! command has set. After a `--dry-run` the App has the generation that it had. While several commands
//! run, nothing is judged.

use std::collections::BTreeMap;

use serde_json::Value;

use super::oracle::own_words;
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{CommandRun, Record, What};
use crate::view::View;

/// A command that has returned, and what its change must have led to.
struct Changed<'a> {
    command: &'a CommandRun,
    /// Values by the path of their property.
    values: BTreeMap<&'a str, &'a str>,
    /// The App's generation before a dry run.
    unchanged: Option<i64>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut changed: Option<Changed<'_>> = None;
    // Whether there was an App when the step began that runs the command.
    let mut had_app = true;
    for record in history {
        match &record.what {
            What::CommandBegan { .. } => changed = None,
            What::StepBegan { .. } => had_app = view.app().is_some(),
            What::Command(command) => changed = Changed::from_run(command, &view, had_app),
            What::Listed { resource, objects, .. } if resource == "apps" => {
                if let Some(changed) = changed.take()
                    && let Some(app) = objects.first()
                    && let Some(complaint) = changed.complaint(app)
                {
                    let text = format!("`{}` {complaint}", changed.command.arguments.join(" "));
                    finding.violated(Check::WrongEffect, record.seq, text);
                }
            }
            _ => {}
        }
        view.apply(record);
    }
    finding
}

impl<'a> Changed<'a> {
    fn from_run(command: &'a CommandRun, view: &View, had_app: bool) -> Option<Self> {
        let words = own_words(command).filter(|_| command.exit.is_success())?;
        let (verb, properties) = words.split_first()?;
        let values = match *verb {
            "set" => properties.iter().filter_map(|property| property.split_once('=')).collect(),
            "start" => BTreeMap::from([("running", "true")]),
            "stop" => BTreeMap::from([("running", "false")]),
            _ => return None,
        };
        let is_dry = command.arguments.iter().any(|argument| argument == "--dry-run");
        let is_help = command.arguments.iter().any(|argument| argument == "--help");
        let unchanged = view.app().filter(|_| is_dry && had_app).map(|app| app.generation);
        // A dry run that found no App has created one.
        (!is_help && (!is_dry || unchanged.is_some())).then_some(Self {
            command,
            values,
            unchanged,
        })
    }

    fn complaint(&self, app: &Value) -> Option<String> {
        let generation = app.pointer("/metadata/generation").and_then(Value::as_i64);
        if let Some(unchanged) = self.unchanged {
            let was_changed = generation != Some(unchanged);
            let text = || format!("was a dry run, but the App's generation rose from {unchanged}");
            return was_changed.then(text);
        }
        self.values.iter().find_map(|(path, value)| {
            let pointer = format!("/spec/{}", path.replace('.', "/"));
            let is = match app.pointer(&pointer).unwrap_or(&Value::Null) {
                // A boolean may be spelt in several ways.
                Value::Bool(is) => (*is != is_true(value)).then(|| is.to_string())?,
                // The API replaces a channel by a version.
                Value::String(is) if *path != "kubernetes.version" => {
                    (is != value).then(|| is.clone())?
                }
                _ => return None,
            };
            Some(format!("returned 0, but {path} of the App is {is}"))
        })
    }
}

fn is_true(value: &str) -> bool {
    ["1", "t", "T", "true", "TRUE", "True"].contains(&value)
}
