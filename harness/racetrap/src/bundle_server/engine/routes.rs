//! Responses of the engine's API.

use http::StatusCode;
use serde_json::{Value, json};

use super::captured::CapturedEngine;
use super::filters::{Filters, Kind};
use super::logs::encode_log;
use super::lookup::{Refusal, bad_request, not_found};
use crate::bundle_server::refusal::READ_ONLY;
use crate::bundle_server::request::ParsedRequest;
use crate::bundle_server::response::PreparedResponse;

impl CapturedEngine {
    /// Responds to a request, whose path may begin with a version of the API.
    pub(in crate::bundle_server) fn respond(&self, request: &ParsedRequest) -> PreparedResponse {
        let segments = request.segments();
        let segments = match segments[..] {
            [version, ref rest @ ..] if is_version(version) => rest,
            _ => &segments[..],
        };
        // First, so that every request that would change something gets the same message.
        if !request.is_read() {
            return refused((StatusCode::METHOD_NOT_ALLOWED, READ_ONLY.to_owned()));
        }
        self.route(segments, request).unwrap_or_else(refused)
    }

    fn route(
        &self,
        segments: &[&str],
        request: &ParsedRequest,
    ) -> Result<PreparedResponse, Refusal> {
        let json = |document: Value| Ok(PreparedResponse::json(StatusCode::OK, &document));
        match *segments {
            ["_ping"] => Ok(self.ping()),
            ["version"] => json(self.document("version")?.clone()),
            ["info"] => json(self.document("info")?.clone()),
            ["events"] => self.events(request),
            ["containers", "json"] => json(self.containers(request)?),
            ["containers", id, "json"] => json(self.container(id)?.clone()),
            ["containers", id, "logs"] => self.log(id, request),
            ["images", "json"] => json(list(self.document("images")?, Kind::Image, request)?),
            // The name of an image may contain slashes.
            ["images", ref name @ .., "json"] => json(self.image(&name.join("/"))?.clone()),
            ["volumes"] => {
                let volumes = &self.document("volumes")?["Volumes"];
                let volumes = list(volumes, Kind::Volume, request)?;
                json(json!({ "Volumes": volumes, "Warnings": [] }))
            }
            ["volumes", name] => json(self.volume(name)?.clone()),
            ["networks"] => json(list(self.document("networks")?, Kind::Network, request)?),
            ["networks", id] => json(self.network(id)?.clone()),
            _ => Err(not_found(
                "a bundle has no such path: it has containers and their logs, images, volumes, \
                 networks, events, info and version",
            )),
        }
    }

    /// A client uses the API version of this response in the paths of all its later requests.
    fn ping(&self) -> PreparedResponse {
        let version = self.document("version").unwrap_or(&Value::Null);
        let text = |key: &str| version[key].as_str().unwrap_or_default();
        PreparedResponse::text("OK")
            .with_header("api-version", text("ApiVersion"))
            .with_header("ostype", text("Os"))
    }

    /// Lists running containers, or containers in any state if the request says so by `all`, by
    /// `limit` or by a filter for the state.
    fn containers(&self, request: &ParsedRequest) -> Result<Value, Refusal> {
        let listed = list(self.document("containers")?, Kind::Container, request)?;
        let limit = request.parameter("limit").and_then(|limit| limit.parse::<usize>().ok());
        let limit = limit.filter(|limit| *limit > 0);
        let filters_state = filters(request)?.has("status");
        let all = request.is_set("all") || limit.is_some() || filters_state;
        let listed = listed.as_array().into_iter().flatten();
        let shown = listed.filter(|it| all || it["State"] == "running").cloned();
        // The engine lists the newest containers first.
        Ok(shown.take(limit.unwrap_or(usize::MAX)).collect())
    }

    fn log(&self, id: &str, request: &ParsedRequest) -> Result<PreparedResponse, Refusal> {
        let container = self.container(id)?;
        let id = container["Id"].as_str().unwrap_or_default();
        let log = self
            .logs
            .get(id)
            .ok_or_else(|| not_found(&format!("the bundle has no log of {id}")))?;
        // With a terminal the engine sends the plain text, otherwise frames with a stream and a length.
        let encoded = encode_log(log, container["Config"]["Tty"] == true, request);
        let encoded = encoded.map_err(bad_request)?;
        Ok(PreparedResponse::new(StatusCode::OK, "application/octet-stream", encoded))
    }

    /// Responds with the events since an instant. Without `until` the response then stays open, as
    /// from an engine in which nothing happens.
    fn events(&self, request: &ParsedRequest) -> Result<PreparedResponse, Refusal> {
        let since = request.parameter("since").map(|since| {
            let seconds = since.split('.').next().unwrap_or_default();
            let why = format!("since={since}: expected seconds");
            seconds.parse::<i64>().map_err(|_| bad_request(why))
        });
        let since = since.transpose()?;
        let is_later = |line: &&str| {
            let event: Value = serde_json::from_str(line).unwrap_or_default();
            // Without `since` the engine sends only events that are yet to come.
            event["time"].as_i64().zip(since).is_some_and(|(time, since)| time >= since)
        };
        let events = self.events.as_deref().unwrap_or_default().lines().filter(is_later);
        let events: String = events.map(|line| format!("{line}\n")).collect();
        let response = PreparedResponse::new(StatusCode::OK, "application/json", events);
        let ends = request.parameter("until").is_some();
        Ok(if ends { response } else { response.staying_open() })
    }
}

fn filters(request: &ParsedRequest) -> Result<Filters, Refusal> {
    Filters::from_request(request).map_err(bad_request)
}

/// The entries of a list that pass the filters of a request.
fn list(all: &Value, kind: Kind, request: &ParsedRequest) -> Result<Value, Refusal> {
    let filters = filters(request)?;
    let mut listed = Vec::new();
    for entry in all.as_array().into_iter().flatten() {
        if filters.match_entry(kind, entry).map_err(bad_request)? {
            listed.push(entry.clone());
        }
    }
    Ok(Value::from(listed))
}

/// Whether a segment of a path is a version such as `v1.41`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

/// A refusal in the form that clients of the engine's API show.
fn refused((status, message): Refusal) -> PreparedResponse {
    PreparedResponse::json(status, &json!({ "message": message }))
}
