//! What users do by `ctl` and by the docker command, past the harness.

use rstest::rstest;
use serde_json::{Value, json};

use super::build::*;
use crate::oracle::{log_fidelity, no_lost_update};
use crate::record::{Exit, UserCommand, UserCommandEnd, What, WireWhat};
use crate::view::View;

fn runs_ctl(words: &[&str]) -> What {
    let arguments = [&["ctl"], words].concat();
    run_with_steps(&json!([{ "run_command": { "arguments": arguments } }, "settle", "settle"]))
}

/// The mirror of the volume `data` waits for its finalizer.
fn terminating() -> Value {
    let mut mirror = at_version(6, volume("data", "u1"));
    mirror["metadata"]["deletionTimestamp"] = json!(WHEN);
    mirror
}

fn removal() -> Vec<What> {
    let request = request(1, "DELETE", "/v1.41/volumes/data?force=1", "/volumes/{name}");
    vec![request, on_wire(1, WireWhat::Response { status: 204 })]
}

// The daemon removes the volume from the engine while this command runs.
#[rstest]
#[case::kind(&["delete", "volumes", "--all"], false)]
#[case::name(&["delete", "volume/vol-data", "--wait=false"], false)]
#[case::group(&["delete", "containers,volumes.containers.rancherdesktop.io", "--all"], false)]
#[case::file(&["replace", "--force", "-f", "volume.yaml"], false)]
#[case::another_kind(&["delete", "images", "--all"], true)]
#[case::only_read(&["get", "volumes"], true)]
fn an_object_that_a_user_deleted_by_ctl_may_be_removed(
    #[case] words: &[&str],
    #[case] accused: bool,
) {
    let mut whats = vec![runs_ctl(words), added("volumes", at_version(5, volume("data", "u1")))];
    whats.extend([step_began(0), modified("volumes", terminating())]);
    whats.extend(removal());
    whats.push(step_done(0));
    let found = complaints(no_lost_update, whats).join("; ");
    assert_eq!(found.contains("but no user asked for that"), accused, "{found}");
}

// The watch reports the deletion in the step after a command that does not wait, and not in a later one.
#[rstest]
#[case::next_step(1, false)]
#[case::later_step(2, true)]
fn a_deletion_may_be_reported_after_the_command(#[case] step: usize, #[case] accused: bool) {
    let mut whats = vec![runs_ctl(&["delete", "volumes", "--all", "--wait=false"])];
    whats.push(added("volumes", at_version(5, volume("data", "u1"))));
    whats.extend((0..step).flat_map(|index| [step_began(index), step_done(index)]));
    whats.extend([step_began(step), modified("volumes", terminating())]);
    whats.extend(removal());
    whats.push(step_done(step));
    let found = complaints(no_lost_update, whats).join("; ");
    assert_eq!(found.contains("but no user asked for that"), accused, "{found}");
}

// The mirror disappears and comes back, and the engine keeps its volume.
#[test]
fn a_deletion_by_ctl_is_a_request_to_the_engine() {
    let old = |version, uid| at_version(version, volume("old", uid));
    let mut whats = vec![runs_ctl(&["delete", "volume", "vol-old"]), truth(&["data", "old"])];
    whats.extend([added("volumes", old(5, "u2")), step_began(0)]);
    whats.extend([deleted("volumes", old(6, "u2")), added("volumes", old(7, "u3")), step_done(0)]);
    assert_violates(
        healthy_run(whats),
        crate::scenario::OracleName::NoLostUpdate,
        "the daemon removed the mirror but not the engine's object",
    );
}

// A label that a user wrote has another value after this command.
#[rstest]
#[case::written(&["label", "volumes", "--all", "of=you", "--overwrite"], false)]
#[case::read(&["get", "volumes"], true)]
fn a_field_may_be_written_again_by_ctl(#[case] words: &[&str], #[case] accused: bool) {
    let labelled = |version, value: &str| {
        let mut mirror = at_version(version, volume("data", "u1"));
        mirror["metadata"]["labels"] = json!({ "of": value });
        mirror
    };
    let whats = vec![
        runs_ctl(words),
        added("volumes", labelled(5, "me")),
        user_wrote("volumes", "vol-data", "u1", json!({ "/metadata/labels/of": "me" })),
        step_began(0),
        modified("volumes", labelled(6, "you")),
        step_done(0),
    ];
    let found = complaints(no_lost_update, whats).join("; ");
    assert_eq!(found.contains("it became \"you\""), accused, "{found}");
}

/// A docker command of the user begins, or ends.
fn docker_command(ends: bool) -> What {
    let end = ends.then(|| UserCommandEnd { exit: Exit::Code(0), said: String::new() });
    What::UserCommand(UserCommand { number: 1, arguments: vec!["volume".to_owned()], end })
}

// The docker command reaches the engine by the daemon's wire.
#[rstest]
#[case::docker(true, false)]
#[case::daemon(false, true)]
fn an_object_may_be_removed_by_the_docker_command(#[case] by_user: bool, #[case] accused: bool) {
    let mut whats = removal();
    if by_user {
        whats.insert(0, docker_command(false));
        whats.push(docker_command(true));
    }
    let found = complaints(no_lost_update, whats).join("; ");
    assert_eq!(found.contains("but no user asked for that"), accused, "{found}");
}

// So does a docker command that the daemon's `run` runs.
#[rstest]
#[case::run(&["run", "docker", "volume", "rm", "data"], false)]
#[case::another_command(&["set", "running=true"], true)]
fn an_object_may_be_removed_by_a_command_that_run_runs(
    #[case] arguments: &[&str],
    #[case] accused: bool,
) {
    let steps = json!([{ "run_command": { "arguments": arguments } }, "settle"]);
    let whats = [vec![run_with_steps(&steps), step_began(0)], removal(), vec![step_done(0)]];
    let found = complaints(no_lost_update, whats.concat()).join("; ");
    assert_eq!(found.contains("but no user asked for that"), accused, "{found}");
}

// `docker logs --follow` goes on.
#[rstest]
#[case::docker(true, false)]
#[case::daemon(false, true)]
fn a_user_may_follow_a_log_past_the_daemon(#[case] by_user: bool, #[case] accused: bool) {
    let logs = "/v1.41/containers/c1/logs?follow=1";
    let mut whats = vec![request(1, "GET", logs, "/containers/{id}/logs")];
    if by_user {
        whats.insert(0, docker_command(false));
    }
    whats.extend(checkpoint(1));
    let found = complaints(log_fidelity, whats).join("; ");
    assert_eq!(found.contains("1 streams of logs are open"), accused, "{found}");
}

// The world is level although `docker wait` waits.
#[test]
fn a_request_that_waits_for_the_end_of_a_container_is_not_in_flight() {
    let target = "/v1.41/containers/c1/wait";
    let whats = vec![request(1, "POST", target, "/containers/{id}/wait")];
    let mut view = View::default();
    history(whats).iter().for_each(|record| view.apply(record));
    assert!(view.in_flight().is_empty());
}
