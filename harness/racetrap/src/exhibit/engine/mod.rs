//! The engine's API over what it answered when it was captured: containers, images, volumes, networks, their
//! logs, its events, and what it said of itself.
//!
//! - `filters`: which entries of a list are asked for;
//! - `logs`: what a container has said, as it is sent.

mod filters;
mod logs;

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use self::filters::{Filters, Kind};
use super::question::Question;
use super::reply::Reply;
use crate::bundle::{Opened, Refusal};

/// Documents that are there in every whole capture.
const DOCUMENTS: [&str; 8] = [
    "version",
    "info",
    "containers",
    "images",
    "volumes",
    "networks",
    "container-inspect",
    "image-inspect",
];

/// Everything that the engine has said.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    /// Documents by their names; or why one is not there.
    documents: BTreeMap<&'static str, Result<Value, String>>,
    /// What each container has said, by its ID.
    logs: BTreeMap<String, String>,
    events: Option<String>,
}

/// Why there is no answer.
type NoAnswer = (StatusCode, String);

impl Holdings {
    /// What lies below `world`; none, where the engine was not captured at all.
    pub(super) fn of(bundle: &Opened, world: &str) -> Result<Option<Self>, Refusal> {
        let below = format!("{world}engine/");
        let mut documents = BTreeMap::new();
        for name in DOCUMENTS {
            let path = format!("{below}{name}.json");
            let document = bundle.document(&path)?;
            documents.insert(name, document.ok_or_else(|| bundle.why_missing(&path)));
        }
        if documents.values().all(Result::is_err) {
            return Ok(None);
        }
        let text =
            |path: &str| bundle.file(path).map(|text| String::from_utf8_lossy(text).into_owned());
        let logs = bundle.paths().filter_map(|path| {
            let id = path.strip_prefix(&below)?.strip_prefix("logs/")?.strip_suffix(".log")?;
            Some((id.to_owned(), text(path)?))
        });
        let (logs, events) = (logs.collect(), text(&format!("{below}events.jsonl")));
        Ok(Some(Self { documents, logs, events }))
    }

    /// Answers a question; paths may begin with a version of the API.
    pub(super) fn answer(&self, question: &Question) -> Reply {
        let parts = question.parts();
        let parts = match parts[..] {
            [version, ref rest @ ..] if is_version(version) => rest,
            _ => &parts[..],
        };
        if !question.reads() {
            let message = "this is a bundle, which can only be read: its world is gone";
            return refused((StatusCode::METHOD_NOT_ALLOWED, message.to_owned()));
        }
        self.told(parts, question).unwrap_or_else(refused)
    }

    fn told(&self, parts: &[&str], question: &Question) -> Result<Reply, NoAnswer> {
        let json = |document: Value| Ok(Reply::json(StatusCode::OK, &document));
        match *parts {
            ["_ping"] => Ok(self.ping()),
            ["version"] => json(self.document("version")?.clone()),
            ["info"] => json(self.document("info")?.clone()),
            ["events"] => self.events(question),
            ["containers", "json"] => json(self.containers(question)?),
            ["containers", id, "json"] => json(self.container(id)?.clone()),
            ["containers", id, "logs"] => self.logs(id, question),
            ["images", "json"] => json(list(self.document("images")?, Kind::Image, question)?),
            ["images", ref name @ .., "json"] => json(self.image(&name.join("/"))?.clone()),
            ["volumes"] => {
                let volumes = &self.document("volumes")?["Volumes"];
                let volumes = list(volumes, Kind::Volume, question)?;
                json(json!({ "Volumes": volumes, "Warnings": [] }))
            }
            ["volumes", name] => {
                let volumes = &self.document("volumes")?["Volumes"];
                json(named(volumes, |it| it["Name"] == name, "volume", name)?.clone())
            }
            ["networks"] => json(list(self.document("networks")?, Kind::Network, question)?),
            ["networks", id] => {
                let is_it = |it: &Value| it["Name"] == id || begins(&it["Id"], id);
                json(named(self.document("networks")?, is_it, "network", id)?.clone())
            }
            _ => Err(missing(
                "a bundle has no such path: it has containers and their logs, images, volumes, \
                 networks, events, info and version",
            )),
        }
    }

    fn document(&self, name: &'static str) -> Result<&Value, NoAnswer> {
        match self.documents.get(name) {
            Some(Ok(document)) => Ok(document),
            Some(Err(why)) => {
                let why = format!("the bundle has no {name}: {why}");
                Err((StatusCode::SERVICE_UNAVAILABLE, why))
            }
            None => Err(missing("the bundle has nothing of its engine")),
        }
    }

    /// The version of the API is what a client goes by from then on.
    fn ping(&self) -> Reply {
        let said = self.document("version").unwrap_or(&Value::Null);
        let said = |key: &str| said[key].as_str().unwrap_or_default();
        Reply::text("OK").with("api-version", said("ApiVersion")).with("ostype", said("Os"))
    }

    /// The running ones, unless all are asked for, or the last few, which are the first ones of the list.
    fn containers(&self, question: &Question) -> Result<Value, NoAnswer> {
        let listed = list(self.document("containers")?, Kind::Container, question)?;
        let last = question.parameter("limit").and_then(|limit| limit.parse::<usize>().ok());
        let last = last.filter(|limit| *limit > 0);
        let names_state = filters(question)?.names("status");
        let all = question.is_set("all") || last.is_some() || names_state;
        let listed = listed.as_array().into_iter().flatten();
        let shown = listed.filter(|it| all || it["State"] == "running").cloned();
        Ok(shown.take(last.unwrap_or(usize::MAX)).collect())
    }

    /// By its name, its ID, or the beginning of that.
    fn container(&self, id: &str) -> Result<&Value, NoAnswer> {
        let is_named = |it: &Value| it["Name"].as_str() == Some(&format!("/{id}"));
        let inspected = self.document("container-inspect")?;
        named(inspected, is_named, "container", id).or_else(|why| {
            named(inspected, |it| begins(&it["Id"], id), "container", id).or(Err(why))
        })
    }

    /// By a reference, its ID, or the beginning of that, with `sha256:` or without.
    fn image(&self, name: &str) -> Result<&Value, NoAnswer> {
        let tag = match name.rsplit_once(':') {
            Some((_, tag)) if !tag.contains('/') => name.to_owned(),
            _ if name.contains('@') => name.to_owned(),
            _ => format!("{name}:latest"),
        };
        let has =
            |references: &Value| references.as_array().into_iter().flatten().any(|it| *it == tag);
        let is_it = |it: &Value| {
            let is_id = begins(&it["Id"], name) || begins(&it["Id"], &format!("sha256:{name}"));
            has(&it["RepoTags"]) || has(&it["RepoDigests"]) || is_id
        };
        named(self.document("image-inspect")?, is_it, "image", name)
    }

    fn logs(&self, id: &str, question: &Question) -> Result<Reply, NoAnswer> {
        let container = self.container(id)?;
        let id = container["Id"].as_str().unwrap_or_default();
        let said =
            self.logs.get(id).ok_or_else(|| missing(&format!("the bundle has no log of {id}")))?;
        let sent = logs::sent(said, container["Config"]["Tty"] == true, question);
        let sent = sent.map_err(|why| (StatusCode::BAD_REQUEST, why))?;
        Ok(Reply::of(StatusCode::OK, "application/octet-stream", sent))
    }

    /// What has happened since an instant; nothing happens any more.
    fn events(&self, question: &Question) -> Result<Reply, NoAnswer> {
        let since = question.parameter("since").map(|since| {
            let seconds = since.split('.').next().unwrap_or_default();
            let why = format!("since={since}: expected seconds");
            seconds.parse::<i64>().map_err(|_| (StatusCode::BAD_REQUEST, why))
        });
        let since = since.transpose()?;
        let happened = |line: &&str| {
            let event: Value = serde_json::from_str(line).unwrap_or_default();
            event["time"].as_i64().zip(since).is_some_and(|(time, since)| time >= since)
        };
        let events = self.events.as_deref().unwrap_or_default().lines().filter(happened);
        let events: String = events.map(|line| format!("{line}\n")).collect();
        let reply = Reply::of(StatusCode::OK, "application/json", events);
        Ok(if question.parameter("until").is_some() { reply } else { reply.silent() })
    }
}

fn filters(question: &Question) -> Result<Filters, NoAnswer> {
    Filters::of(question).map_err(|why| (StatusCode::BAD_REQUEST, why))
}

/// The entries of a list that are asked for.
fn list(all: &Value, kind: Kind, question: &Question) -> Result<Value, NoAnswer> {
    let filters = filters(question)?;
    let mut taken = Vec::new();
    for entry in all.as_array().into_iter().flatten() {
        if filters.take(kind, entry).map_err(|why| (StatusCode::BAD_REQUEST, why))? {
            taken.push(entry.clone());
        }
    }
    Ok(Value::from(taken))
}

fn named<'a>(
    list: &'a Value,
    is_it: impl Fn(&Value) -> bool,
    kind: &str,
    name: &str,
) -> Result<&'a Value, NoAnswer> {
    let found = list.as_array().into_iter().flatten().find(|it| is_it(it));
    found.ok_or_else(|| missing(&format!("No such {kind}: {name}")))
}

/// Whether an ID begins so; nobody means an ID by nothing.
fn begins(id: &Value, with: &str) -> bool {
    !with.is_empty() && id.as_str().is_some_and(|id| id.starts_with(with))
}

/// `v1.41`.
fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn missing(message: &str) -> NoAnswer {
    (StatusCode::NOT_FOUND, message.to_owned())
}

fn refused((status, message): NoAnswer) -> Reply {
    Reply::json(status, &json!({ "message": message }))
}

#[cfg(test)]
mod tests;
