//! The manifest of a search in Kubernetes: the API knows all that it says, and its commands are those of
//! racetrap.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use assert_cmd::Command;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, PersistentVolumeClaim};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

/// Stands in for racetrap: prints its arguments, one a line.
const STAND_IN: &str = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n";

fn documents() -> Vec<Value> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/search.yaml"));
    let text = std::fs::read_to_string(path).expect("there is a manifest");
    serde_yaml::from_multiple(&text).expect("YAML")
}

/// The object of a document. What its type does not know gets lost, and so differs.
#[track_caller]
fn object<T: DeserializeOwned + Serialize>(document: &Value) -> T {
    let object: T = serde_json::from_value(document.clone()).expect("it has this type");
    assert_eq!(serde_json::to_value(&object).expect("JSON"), *document);
    object
}

fn jobs() -> [Job; 2] {
    let documents = documents();
    let [claim, search, merge] = &documents[..] else { panic!("{} documents", documents.len()) };
    object::<PersistentVolumeClaim>(claim);
    [search, merge].map(object)
}

fn container(job: &Job) -> &Container {
    let pod = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()).expect("a pod");
    let [container] = &pod.containers[..] else { panic!("one container") };
    container
}

/// The arguments that racetrap gets from the container's command, with its variables and these.
fn arguments(container: &Container, more: &[(&str, &str)]) -> Vec<String> {
    let place = TempDir::new().expect("a directory can be made");
    let program = place.path().join("racetrap");
    std::fs::write(&program, STAND_IN).expect("it can be written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let command = container.command.as_deref().expect("a command");
    let mut run = Command::new(&command[0]);
    run.args(&command[1..]).env_clear();
    for variable in container.env.iter().flatten() {
        run.env(&variable.name, variable.value.as_deref().unwrap_or_default());
    }
    run.envs(more.iter().copied()).env("PATH", format!("{}:/usr/bin:/bin", place.path().display()));
    let output = run.output().expect("it can be run");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn each_pod_searches_the_part_of_its_index() {
    let [search, _] = jobs();
    let spec = search.spec.as_ref().expect("a specification");
    let shards = spec.completions.expect("a number of pods");
    assert_eq!(spec.completion_mode.as_deref(), Some("Indexed"));
    let container = container(&search);
    let variables: BTreeMap<_, _> = container
        .env
        .iter()
        .flatten()
        .map(|variable| (variable.name.as_str(), variable.value.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(variables["SHARDS"], shards.to_string());
    for index in 0..shards {
        let arguments = arguments(container, &[("JOB_COMPLETION_INDEX", &index.to_string())]);
        let part = format!("{}/{shards}", index + 1);
        let place = format!("/results/shard-{index}");
        let expected =
            ["search", "--shard", &part, "--for", "2h", "--jobs", "4", "--evidence", &place];
        assert_eq!(arguments, expected);
    }
}

#[test]
fn the_states_of_all_pods_are_merged() {
    let [_, merge] = jobs();
    let expected = ["merge", "/results/shard-*", "--output", "/results/search.jsonl"];
    assert_eq!(arguments(container(&merge), &[]), expected);
}
