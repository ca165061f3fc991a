//! A Docker that a test starts in the place of the user's. It runs in a mount and PID namespace, so
//! that everything in it ends with it.
//!
//! It is the installed engine 26.1, not the machine's: a 20.10 gives a privileged container every
//! capability that the kernel knows, and a machine that is itself a container may not have all of
//! them.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::place::{Place, cache_of_the_user, wait_until};

/// A Docker with its data in the test's place, and a control group of the place's name.
pub(crate) struct UsersDocker {
    process: Child,
    socket: PathBuf,
    group: String,
}

impl UsersDocker {
    pub(crate) fn start(place: &Place) -> Self {
        let directory = place.path().join("user");
        std::fs::create_dir(&directory).unwrap();
        let group = format!("racetrap-test-{}", place.path().file_name().unwrap().display());
        let log = std::fs::File::create(directory.join("log")).unwrap();
        let script = "mount -t tmpfs -o mode=755 none /run && echo {} > \"$1/daemon.json\" && \
                      mount --bind \"$3\" /usr && PATH=/usr/sbin:/usr/bin && \
                      exec dockerd --config-file=\"$1/daemon.json\" --data-root=\"$1/data\" \
                      --exec-root=\"$1/exec\" --pidfile=\"$1/pid\" --host=\"unix://$1/docker.sock\" \
                      --cgroup-parent=\"/$2\" --bridge=none --iptables=false --ip6tables=false";
        let process = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"])
            .args(["--propagation", "slave", "--", "sh", "-c", script, "sh"])
            .arg(&directory)
            .arg(&group)
            .arg(cache_of_the_user().join("racetrap/engines/26.1/root/usr"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let docker = Self { process, socket: directory.join("docker.sock"), group };
        wait_until("the user's Docker", || {
            docker.ask("/_ping").map(drop).map_err(|error| error.to_string())
        });
        docker
    }

    /// The value for `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Names of all containers.
    pub(crate) fn containers(&self) -> Vec<String> {
        self.list("/containers/json?all=1", "Names")
    }

    /// Tags of all images.
    pub(crate) fn images(&self) -> Vec<String> {
        self.list("/images/json?all=1", "RepoTags")
    }

    fn list(&self, path: &str, field: &str) -> Vec<String> {
        let listed: Value = serde_json::from_str(&self.ask(path).unwrap()).unwrap();
        listed.as_array().unwrap().iter().map(|object| object[field].to_string()).collect()
    }

    /// Sends a GET request, and returns the body of the response. In HTTP 1.0, the body ends with
    /// the connection.
    fn ask(&self, path: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(&self.socket)?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        assert!(head.contains(" 200 "), "{path}: {answer}");
        Ok(body.to_owned())
    }
}

impl Drop for UsersDocker {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        assert!(ended.is_ok() || std::thread::panicking(), "{ended:?}");
        for hierarchy in std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            remove_group(&hierarchy.path().join(&self.group));
        }
        // With version 2 of control groups, there is one hierarchy, at the root.
        remove_group(&PathBuf::from("/sys/fs/cgroup").join(&self.group));
    }
}

/// Removes a control group and all groups below it. A group may stay, because its processes were
/// killed but not waited for yet; such a group uses nothing.
fn remove_group(group: &std::path::Path) {
    for below in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if below.path().is_dir() {
            remove_group(&below.path());
        }
    }
    let _ = std::fs::remove_dir(group);
}
