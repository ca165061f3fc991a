//! Engines that are containers on a Docker that the test starts in the place of the user's.

use crate::engine::SCHEDULE;
use crate::place::{Place, wait_until};
use crate::users_docker::UsersDocker;

// The containers of this engine end with it, unlike those of an engine that is a process. The
// user's Docker is asked before and after the run: it must keep the engine's image, which the next
// run needs, and nothing else.
#[test]
fn an_engine_in_a_container_is_killed_started_again_frozen_and_removed() {
    let place = Place::new();
    let docker = UsersDocker::start(&place);
    assert_eq!(docker.containers(), Vec::<String>::new());
    let file = place.path().join("engine.yaml");
    std::fs::write(&file, SCHEDULE).unwrap();
    let arguments = ["run", file.to_str().unwrap(), "--keep", "--engine", "dind:28.5+overlay2"];
    let output = place.racetrap(&arguments).env("DOCKER_HOST", docker.host()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}{complaint}");
    let journal = place.journal();
    let engines = journal.matches("\"name\":\"engine\"").count();
    assert_eq!(engines, 4, "two engines started and ended: {journal}");
    assert!(journal.contains("\"engine\":\"dockerd 28.5"), "{journal}");
    let log = std::fs::read_to_string(place.evidence().unwrap().join("engine.log")).unwrap();
    assert!(log.contains("API listen on"), "the container's log is in the evidence: {log}");
    assert_eq!(docker.containers(), Vec::<String>::new());
    assert_eq!(docker.images().len(), 1, "{:?}", docker.images());
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// After SIGKILL, neither the harness nor testcontainers can remove anything. Only the watcher can,
// which finds the Docker in the world's intents, and the container by its label.
#[test]
fn the_watcher_removes_the_container_after_sigkill() {
    let place = Place::new();
    let docker = UsersDocker::start(&place);
    let arguments = ["run", "295-I3", "--engine", "dind:28.5"];
    let mut child = place.racetrap(&arguments).env("DOCKER_HOST", docker.host()).spawn().unwrap();
    wait_until("a message to be held", || {
        let journal = place.journal();
        if journal.contains("\"wire\":\"held\"") { Ok(()) } else { Err(journal) }
    });
    assert_eq!(docker.containers().len(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the watcher's list", || {
        let evidence = place.evidence().unwrap();
        let said = std::fs::read_to_string(evidence.join("swept.txt")).unwrap_or_default();
        if said.contains("container ") { Ok(()) } else { Err(said) }
    });
    wait_until("the watcher's sweep", || {
        let left = [place.leftovers(), docker.containers()].concat();
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    });
}

#[test]
fn a_docker_on_another_machine_or_without_a_server_is_refused() {
    let place = Place::new();
    let silent = format!("unix://{}", place.path().join("no.sock").display());
    for (host, message) in
        [("tcp://127.0.0.1:2375", "a Docker on this machine"), (&silent, "does not answer")]
    {
        let mut command = place.racetrap(&["run", "295-I3", "--engine", "dind:28.5"]);
        let output = command.env("DOCKER_HOST", host).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        let words = said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>();
        assert!(words.join(" ").contains(message), "`{message}` is not in: {said}");
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert_eq!(place.leftovers(), Vec::<String>::new());
    }
}
