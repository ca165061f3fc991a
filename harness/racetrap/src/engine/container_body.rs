//! The request that creates a container, from its description in a scenario.

#![expect(clippy::disallowed_types, reason = "the engine's client takes hash maps")]

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, PortBinding, RestartPolicy,
    RestartPolicyNameEnum,
};
use racetrap_history::{HealthCheck, NewContainer, Prints};

use crate::mask::canary;

/// Where ports are published: other machines must not reach a world.
const LOOPBACK: &str = "127.0.0.1";

/// The body of the request that creates the container from the image with this ID.
pub(super) fn container_body(new: &NewContainer, image: &str) -> ContainerCreateBody {
    let NewContainer { prints, entrypoint, labels, environment, ports, health, .. } = new;
    let cmd = match prints.command.as_slice() {
        // Runs until it is stopped.
        [] if entrypoint.is_empty() => vec!["sleep".to_owned()],
        words => words.to_vec(),
    };
    let mut env = canary::container_variables(prints.command.is_empty());
    env.extend(environment.iter().map(|(name, value)| format!("{name}={value}")));
    ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(cmd),
        entrypoint: (!entrypoint.is_empty()).then(|| entrypoint.clone()),
        tty: Some(prints.tty),
        env: Some(env),
        labels: some_map(labels),
        exposed_ports: (!ports.is_empty()).then(|| ports.iter().map(|it| exposed(it)).collect()),
        healthcheck: health.as_ref().map(health_config),
        host_config: Some(host_config(new)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(new: &NewContainer) -> HostConfig {
    let NewContainer { volumes, ports, restart, auto_remove, prints, .. } = new;
    let binds = volumes.iter().map(|volume| format!("{volume}:/volumes/{volume}")).collect();
    let published: HashMap<_, _> = ports.iter().filter_map(|port| published(port)).collect();
    HostConfig {
        network_mode: Some("none".to_owned()),
        binds: Some(binds),
        port_bindings: (!published.is_empty()).then_some(published),
        restart_policy: restart.as_deref().map(restart_policy),
        auto_remove: auto_remove.then_some(true),
        log_config: log_config(prints),
        ..HostConfig::default()
    }
}

/// The log's driver; options without a driver are those of the engine's default, `json-file`.
fn log_config(prints: &Prints) -> Option<HostConfigLogConfig> {
    let Prints { log_driver, log_options, .. } = prints;
    if log_driver.is_none() && log_options.is_empty() {
        return None;
    }
    let typ = log_driver.clone().unwrap_or_else(|| "json-file".to_owned());
    Some(HostConfigLogConfig { typ: Some(typ), config: some_map(log_options) })
}

fn health_config(health: &HealthCheck) -> HealthConfig {
    let nanoseconds = |milliseconds: u32| Some(i64::from(milliseconds) * 1_000_000);
    let test = std::iter::once("CMD".to_owned()).chain(health.command.iter().cloned());
    HealthConfig {
        test: Some(test.collect()),
        interval: nanoseconds(health.interval_ms),
        timeout: nanoseconds(health.timeout_ms),
        retries: Some(health.retries.into()),
        ..HealthConfig::default()
    }
}

fn restart_policy(policy: &str) -> RestartPolicy {
    let (name, times) = policy.split_once(':').map_or((policy, None), |(it, n)| (it, Some(n)));
    let name = match name {
        "always" => RestartPolicyNameEnum::ALWAYS,
        "unless-stopped" => RestartPolicyNameEnum::UNLESS_STOPPED,
        "on-failure" => RestartPolicyNameEnum::ON_FAILURE,
        _ => RestartPolicyNameEnum::NO,
    };
    let maximum_retry_count = times.and_then(|times| times.parse().ok());
    RestartPolicy { name: Some(name), maximum_retry_count }
}

/// The container's port, such as `80/tcp`, of a port in the language's form.
fn exposed(port: &str) -> String {
    let exposed = port.rsplit(':').next().unwrap_or(port);
    if exposed.contains('/') { exposed.to_owned() } else { format!("{exposed}/tcp") }
}

fn published(port: &str) -> Option<(String, Option<Vec<PortBinding>>)> {
    let (at, _) = port.split_once(':')?;
    let binding =
        PortBinding { host_ip: Some(LOOPBACK.to_owned()), host_port: Some(at.to_owned()) };
    Some((exposed(port), Some(vec![binding])))
}

/// The map as the engine takes it; nothing if it is empty.
pub(super) fn some_map(map: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!map.is_empty()).then(|| map.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body(step: Value) -> Value {
        let new: NewContainer = serde_json::from_value(step).expect("a container");
        serde_json::to_value(container_body(&new, "sha256:aa")).expect("JSON")
    }

    // What a schedule without any of the fields gets is what it always got.
    #[test]
    fn a_container_without_further_fields_sleeps_and_has_no_network() {
        let body = body(json!({ "name": "web", "image": "base" }));
        assert_eq!(body["Cmd"], json!(["sleep"]));
        assert_eq!(body["HostConfig"], json!({ "NetworkMode": "none", "Binds": [] }));
        let fields = body.as_object().expect("an object");
        let keys: std::collections::BTreeSet<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(keys, ["Cmd", "Env", "HostConfig", "Image", "Tty"].into());
    }

    #[test]
    fn each_field_reaches_the_engine() {
        let body = body(json!({
            "name": "web", "image": "base", "labels": { "a": "b" }, "environment": { "X": "1" },
            "entrypoint": ["/probe", "lines"], "ports": ["80", "8080:81/udp"],
            "restart": "on-failure:3", "auto_remove": true,
            "health": { "command": ["/probe", "exit", "0"], "interval_ms": 50, "retries": 2 },
            "prints": { "command": ["3"], "log_options": { "max-size": "1k" } },
        }));
        assert_eq!(body["Labels"], json!({ "a": "b" }));
        assert!(body["Env"].as_array().expect("a list").contains(&json!("X=1")));
        assert_eq!(
            (&body["Entrypoint"], &body["Cmd"]),
            (&json!(["/probe", "lines"]), &json!(["3"]))
        );
        assert_eq!(body["ExposedPorts"], json!({ "80/tcp": {}, "81/udp": {} }));
        let host = &body["HostConfig"];
        let bound = json!({ "81/udp": [{ "HostIp": "127.0.0.1", "HostPort": "8080" }] });
        assert_eq!(host["PortBindings"], bound);
        let policy = json!({ "Name": "on-failure", "MaximumRetryCount": 3 });
        assert_eq!((&host["RestartPolicy"], &host["AutoRemove"]), (&policy, &json!(true)));
        let log = json!({ "Type": "json-file", "Config": { "max-size": "1k" } });
        assert_eq!(host["LogConfig"], log);
        let health = json!({
            "Test": ["CMD", "/probe", "exit", "0"], "Interval": 50_000_000,
            "Timeout": 1_000_000_000, "Retries": 2,
        });
        assert_eq!(body["Healthcheck"], health);
    }
}
