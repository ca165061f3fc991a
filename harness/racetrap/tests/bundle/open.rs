//! `racetrap open`: reads a bundle with kubectl and docker.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::deaths::run_until_held;
use crate::place::{Place, output_without_canaries};

/// A running `racetrap open`, and the environment for its clients.
struct OpenCommand<'a> {
    place: &'a Place,
    child: Child,
    /// Kept open, because the command fails if it cannot write.
    _stdout: BufReader<ChildStdout>,
    kubeconfig: String,
    docker_host: String,
}

// Ends the command also if the test fails.
impl Drop for OpenCommand<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl<'a> OpenCommand<'a> {
    #[track_caller]
    fn open(place: &'a Place, bundle: &Path) -> Self {
        let mut child = place.bare(&["open", bundle.to_str().unwrap()]).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut variable = |name: &str| {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let value = line.trim_end().strip_prefix(&format!("export {name}="));
            value.unwrap_or_else(|| panic!("no {name}: {line:?}")).to_owned()
        };
        let (kubeconfig, docker_host) = (variable("KUBECONFIG"), variable("DOCKER_HOST"));
        Self { place, child, _stdout: stdout, kubeconfig, docker_host }
    }

    fn client(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.place.path().join("home-of-a-client"))
            .env("KUBECONFIG", &self.kubeconfig)
            .env("DOCKER_HOST", &self.docker_host)
            .stdin(Stdio::null());
        command
    }

    /// Runs a client that must succeed, and returns its output.
    #[track_caller]
    fn said(&self, program: &str, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.client(program, arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{program} {arguments:?}: {stderr}");
        String::from_utf8(stdout).unwrap()
    }

    /// Runs a client that must fail, and returns its error.
    #[track_caller]
    fn refused(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.client(program, arguments).output().unwrap();
        assert!(!output.status.success(), "{program} {arguments:?} succeeded");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn directory(&self) -> PathBuf {
        Path::new(&self.kubeconfig).parent().unwrap().to_owned()
    }

    #[track_caller]
    fn close(mut self, by: Signal) {
        let directory = self.directory();
        assert!(directory.is_dir());
        kill_process(Pid::from_child(&self.child), by).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        assert!(!directory.exists(), "its directory goes with it");
    }
}

/// The archive of a run that its step deadline ended, with one running container.
fn bundle(place: &Place) -> PathBuf {
    output_without_canaries(run_until_held(place, &["--deadline", "1"]));
    place.evidence().unwrap().with_extension("tar.zst")
}

#[track_caller]
fn kubectl_reads(opened: &OpenCommand<'_>) {
    let app = opened.said("kubectl", &["get", "app", "app", "-o", "json"]);
    let app: Value = serde_json::from_str(&app).unwrap();
    assert_eq!(app["kind"], "App");
    let namespace = app["spec"]["namespace"].as_str().unwrap_or("default");
    let apps = opened.said("kubectl", &["get", "apps", "--all-namespaces"]);
    assert!(apps.contains("app"), "{apps}");
    let resources = opened.said("kubectl", &["api-resources", "--verbs=list", "-o", "name"]);
    assert!(resources.contains("apps.app.rancherdesktop.io"), "{resources}");
    let changed = opened.said("kubectl", &["api-resources", "--verbs=create", "-o", "name"]);
    assert_eq!(changed, "", "nothing can be created");
    let named = opened.said("kubectl", &["get", "namespaces", "-o", "name"]);
    assert!(named.contains(&format!("namespace/{namespace}")), "{named}");
    assert_eq!(opened.said("kubectl", &["get", "apps", "-o", "name", "-l", "no=such"]), "");
    assert!(opened.said("kubectl", &["version"]).contains("Server Version"), "a server");
    let ready = opened.said("kubectl", &["get", "--raw", "/readyz"]);
    assert!(ready.contains("ok") || ready.contains("passed"), "{ready}");
    assert!(opened.said("kubectl", &["describe", "app", "app"]).contains("Kind:         App"));
}

#[track_caller]
fn kubectl_writes_nothing(opened: &OpenCommand<'_>) {
    for arguments in [
        ["delete", "app", "app"].as_slice(),
        &["annotate", "app", "app", "a=b"],
        &["patch", "app", "app", "--type=merge", "--patch={\"spec\":{\"running\":false}}"],
        &["create", "namespace", "more"],
    ] {
        let why = opened.refused("kubectl", arguments);
        assert!(why.contains("this is a bundle, which can only be read"), "{arguments:?}: {why}");
    }
    let config = std::fs::read_to_string(&opened.kubeconfig).unwrap();
    let stranger = opened.place.path().join("stranger");
    let token =
        serde_json::from_str::<Value>(&config).unwrap()["users"][0]["user"]["token"].clone();
    std::fs::write(&stranger, config.replace(token.as_str().unwrap(), "guessed")).unwrap();
    let arguments = ["--kubeconfig", stranger.to_str().unwrap(), "get", "apps"];
    let why = opened.refused("kubectl", &arguments);
    assert!(why.contains("the kubeconfig of this bundle has the token"), "{why}");
}

/// A watch shows the existing objects, and then waits until it is ended.
#[track_caller]
fn kubectl_watches(opened: &OpenCommand<'_>) {
    let mut command = opened.client("kubectl", &["get", "apps", "--watch", "-o", "name"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "app.app.rancherdesktop.io/app\n");
    assert!(child.try_wait().unwrap().is_none(), "a watch goes on where nothing happens");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[track_caller]
fn docker_reads(opened: &OpenCommand<'_>) {
    let names = |arguments: &[&str]| opened.said("docker", arguments);
    assert_eq!(names(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]), "one running\n");
    assert_eq!(names(&["ps", "-a", "-q", "--filter", "name=two"]), "");
    assert_eq!(names(&["images", "--format", "{{.Repository}}:{{.Tag}}"]), "base:1\n");
    assert_eq!(names(&["images", "-q", "other"]), "");
    assert_eq!(names(&["volume", "ls", "-q"]), "");
    assert!(names(&["network", "ls", "--format", "{{.Name}}"]).contains("none"));
    let inspected: Value = serde_json::from_str(&names(&["inspect", "one", "base:1"])).unwrap();
    assert_eq!(inspected[0]["Name"], "/one");
    assert_eq!(inspected[1]["RepoTags"][0], "base:1");
    assert!(names(&["logs", "one"]).starts_with("ready\n"));
    assert!(names(&["logs", "--timestamps", "--tail", "1", "one"]).lines().count() == 1);
    assert!(names(&["info"]).contains("Containers: 1"));
    assert!(names(&["version"]).contains("Server:"));
    let events = names(&["events", "--since", "1", "--until", "4000000000"]);
    assert!(events.contains("container create"), "{events}");
}

#[track_caller]
fn docker_writes_nothing(opened: &OpenCommand<'_>) {
    for arguments in [
        ["rm", "--force", "one"].as_slice(),
        &["stop", "one"],
        &["volume", "create", "more"],
        &["rmi", "base:1"],
        &["exec", "one", "true"],
    ] {
        let why = opened.refused("docker", arguments);
        assert!(why.contains("this is a bundle, which can only be read"), "{arguments:?}: {why}");
    }
    assert!(opened.refused("docker", &["inspect", "two"]).contains("No such object: two"));
}

// The bundle is that of a real run of the reference daemon. Both its archive and its directory are
// opened, each is ended by another signal, and neither may leave anything behind.
#[test]
fn kubectl_and_docker_can_read_a_bundle_and_cannot_change_it() {
    let place = Place::new();
    let archive = bundle(&place);
    let opened = OpenCommand::open(&place, &archive);
    kubectl_reads(&opened);
    kubectl_writes_nothing(&opened);
    kubectl_watches(&opened);
    docker_reads(&opened);
    docker_writes_nothing(&opened);
    opened.close(Signal::TERM);
    let opened = OpenCommand::open(&place, &place.evidence().unwrap());
    assert_eq!(opened.said("docker", &["ps", "-q", "--no-trunc"]).lines().count(), 1);
    opened.close(Signal::INT);
    assert!(!place.path().join("home-of-the-user").exists(), "nothing is in the user's home");
}

// The bundle of a pass has no captured world.
#[test]
fn a_bundle_without_a_world_is_bad_input() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "295-I6", "--keep"]).status.code(), Some(0));
    let evidence = place.evidence().unwrap();
    for arguments in [["open", evidence.to_str().unwrap()].as_slice(), &["open", "/absent"]] {
        let output = place.bare(arguments).output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{why}");
        assert!(why.contains("nothing of its world") || why.contains("cannot be read"), "{why}");
    }
    let left = std::fs::read_dir(place.path()).unwrap().filter_map(Result::ok);
    let left = left.filter(|it| it.file_name().to_string_lossy().starts_with("racetrap-open-"));
    assert_eq!(left.count(), 0);
}
