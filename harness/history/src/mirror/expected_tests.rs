//! One container, image and volume with every field, and mirrors in which one field is wrong.

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::{Value, json};

use super::{compare, expected};
use crate::mirror::object::MIRROR_FINALIZER;
use crate::mirror::{Mirror, Treatment, mirror_fields};
use crate::record::{
    ContainerDetails, EngineContainer, EngineImage, EngineState, EngineVolume, ImageDetails,
    PortBinding, VolumeDetails,
};

fn text(text: &str) -> String {
    text.to_owned()
}

fn labels() -> BTreeMap<String, String> {
    [(text("a"), text("b"))].into()
}

fn container() -> EngineContainer {
    let binding = PortBinding { host_ip: text("0.0.0.0"), host_port: text("8080") };
    let details = ContainerDetails {
        path: text("/bin/app"),
        args: vec![text("-v")],
        ports: [(text("80/tcp"), vec![binding])].into(),
        pid: 42,
        exit_code: 0,
        error: String::new(),
        created_at: text("2026-01-02T03:04:05.678901234Z"),
        started_at: text("2026-01-02T03:04:06.9Z"),
        finished_at: text("0001-01-01T00:00:00Z"),
    };
    EngineContainer {
        name: text("web"),
        image: text("sha256:i"),
        state: text("running"),
        labels: labels(),
        details: Some(details),
    }
}

fn state() -> EngineState {
    let image = EngineImage {
        tags: vec![text("a:1")],
        os: text("linux"),
        architecture: text("amd64"),
        labels: labels(),
        details: Some(ImageDetails {
            repo_digests: vec![text("a@sha256:1"), text("b@sha256:1")],
            size: 7,
            created_at: text("2026-01-02T03:04:05Z"),
        }),
    };
    let volume = EngineVolume {
        driver: text("local"),
        mountpoint: text("/m"),
        labels: labels(),
        details: Some(VolumeDetails {
            scope: text("local"),
            options: [(text("type"), text("tmpfs"))].into(),
            created_at: text("2026-01-02T04:04:05+01:00"),
        }),
    };
    EngineState {
        containers: [(text("c1"), container())].into(),
        images: [(text("sha256:i"), image)].into(),
        volumes: [(text("v"), volume)].into(),
    }
}

/// The statuses of right mirrors of [`state`], by resource and name.
fn statuses() -> Vec<(&'static str, &'static str, Value)> {
    let ports = json!([{ "name": "80/tcp",
                         "bindings": [{ "hostIP": "0.0.0.0", "hostPort": "8080" }] }]);
    let container = json!({
        "name": "web", "namespace": "moby", "path": "/bin/app", "args": ["-v"],
        "image": "sha256:i", "ports": ports, "labels": { "a": "b" }, "status": "running",
        "pid": 42, "createdAt": "2026-01-02T03:04:05Z", "startedAt": "2026-01-02T03:04:06Z",
    });
    let image = json!({
        "id": "sha256:i", "repoTag": "a:1", "namespace": "moby", "os": "linux",
        "architecture": "amd64", "size": 7, "repoDigests": ["b@sha256:1", "a@sha256:1"],
        "createdAt": "2026-01-02T03:04:05Z", "labels": { "a": "b" },
    });
    let volume = json!({
        "name": "v", "namespace": "moby", "driver": "local", "mountpoint": "/m",
        "scope": "local", "options": { "type": "tmpfs" }, "labels": { "a": "b" },
        "createdAt": "2026-01-02T03:04:05Z",
    });
    vec![("containers", "c1", container), ("images", "img-1", image), ("volumes", "vol-1", volume)]
}

fn mirrors(statuses: &[(&str, &str, Value)]) -> Vec<Mirror> {
    let read = |(resource, name, status): &(&str, &str, Value)| {
        let object = json!({ "metadata": { "name": name, "finalizers": [MIRROR_FINALIZER] },
                             "status": status });
        Mirror::read(resource, &object).expect("it is a mirror's resource")
    };
    statuses.iter().map(read).collect()
}

/// A value that no field of [`statuses`] has, and that its form can read.
fn wrong(field: &str) -> Value {
    match field {
        "pid" | "exitCode" | "size" => json!(77),
        "args" | "repoDigests" => json!(["other"]),
        "labels" | "options" => json!({ "other": "x" }),
        "ports" => json!([{ "name": "90/udp" }]),
        "createdAt" | "startedAt" | "finishedAt" => json!("2001-01-01T00:00:00Z"),
        _ => json!("other"),
    }
}

#[test]
fn right_mirrors_do_not_differ() {
    assert_eq!(compare(&expected(&state()), &mirrors(&statuses())), Vec::<String>::new());
}

// Each compared field is wrong once: exactly that field must be named.
#[test]
fn a_wrong_value_of_any_compared_field_is_a_difference() {
    let mut compared = 0;
    for (at, (resource, ..)) in statuses().iter().enumerate() {
        for field in mirror_fields(resource) {
            let mut statuses = statuses();
            statuses[at].2[field.name] = wrong(field.name);
            let found = compare(&expected(&state()), &mirrors(&statuses));
            match field.treatment {
                Treatment::Compared(_) => {
                    let named = format!(": {} is `", field.name);
                    assert_eq!(found.len(), 1, "{resource} {}: {found:?}", field.name);
                    assert!(found[0].contains(&named), "{found:?}");
                    compared += 1;
                }
                // The engine's object has no mirror then, and the mirror no object.
                Treatment::Identifies => assert_eq!(found.len(), 2, "{found:?}"),
                Treatment::NotCompared(_) => assert_eq!(found, Vec::<String>::new()),
            }
        }
    }
    assert_eq!(compared, 28);
}

// An old journal has none of the details: whatever the mirrors say of them, nothing differs.
#[test]
fn a_field_that_the_history_does_not_know_is_not_compared() {
    let mut state = state();
    state.containers.values_mut().for_each(|container| container.details = None);
    state.images.values_mut().for_each(|image| image.details = None);
    state.volumes.values_mut().for_each(|volume| volume.details = None);
    let mut statuses = statuses();
    for field in ["exitCode", "error", "pid", "size", "scope", "namespace", "createdAt", "options"]
    {
        statuses.iter_mut().for_each(|(_, _, status)| status[field] = wrong(field));
    }
    assert_eq!(compare(&expected(&state), &mirrors(&statuses)), Vec::<String>::new());
}

// A start that failed: no event told of it, and the mirror says what was before it.
#[test]
fn the_exit_code_and_the_error_of_a_failed_start_are_compared() {
    let mut state = state();
    let failed = state.containers.get_mut("c1").and_then(|container| container.details.as_mut());
    let failed = failed.expect("it has details");
    (failed.exit_code, failed.error) = (127, text("not found"));
    assert_eq!(
        compare(&expected(&state), &mirrors(&statuses())),
        [
            "container c1: error is `not found` in the engine, `` in its mirror",
            "container c1: exitCode is `127` in the engine, `0` in its mirror",
        ]
    );
}

#[rstest]
#[case("web", "running", ("moby", "web", "running"))]
#[case("team/web", "stopping", ("team", "web", "unknown"))]
fn names_and_states_are_those_of_the_api(
    #[case] name: &str,
    #[case] state: &str,
    #[case] said: (&str, &str, &str),
) {
    let container = EngineContainer { name: text(name), state: text(state), ..container() };
    let engine =
        EngineState { containers: [(text("c1"), container)].into(), ..EngineState::default() };
    let expected = expected(&engine);
    let fields = expected.values().next().expect("it has a mirror");
    assert_eq!((&*fields["namespace"], &*fields["name"], &*fields["status"]), said);
}
