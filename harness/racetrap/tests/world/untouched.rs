//! No run changes the user's files. These tests run the script `untouched`, which compares the
//! user's HOME before and after a command, with commands that change something and with runs that
//! must not.

use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

use crate::place::Place;

/// The script.
const UNTOUCHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/untouched");

/// Files below HOME that a daemon, or a command that it runs, would read or write.
const PLANTED: [(&str, &str); 7] = [
    (
        ".docker/config.json",
        r#"{"auths": {"r.example": {"auth": "dTpw"}}, "currentContext": "mine"}"#,
    ),
    (
        ".docker/contexts/meta/3fd30542fe3f61b14bd4a4b2dc0b6fb30fa6f63ebce52dd1778aaa8c4dc02cff/meta.json",
        r#"{"Name": "mine", "Metadata": {}, "Endpoints": {"docker": {"Host": "unix:///nowhere"}}}"#,
    ),
    (".config/docker/daemon.json", "{}"),
    (".kube/config", "apiVersion: v1\nkind: Config\n"),
    (".lima/_config/user", "a key"),
    (".rd2/docker.sock", "no socket"),
    (".local/share/rancher-desktop-2/args.json", "[]"),
];

/// Creates a HOME with these files.
fn home(place: &Place) -> std::path::PathBuf {
    let home = place.path().join("h");
    for (name, text) in PLANTED {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    home
}

/// Runs a command by the script, for a user with this HOME and no other configuration.
fn run_compared(home: &Path, command: &mut Command) -> Output {
    let mut script = Command::new(UNTOUCHED);
    script.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    for name in ["DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "KUBECONFIG", "LIMA_HOME"] {
        script.env_remove(name);
    }
    script.env("HOME", home).output().unwrap()
}

fn shell(home: &Path, script: &str) -> Output {
    run_compared(home, Command::new("sh").args(["-c", script]))
}

// One way of changing files in each row: content, a new file, a file that is rewritten with the
// same content, a file that exists for an instant, a mode, a link, a removal.
#[rstest]
#[case("echo >> $HOME/.docker/config.json", ".docker/config.json")]
#[case("mkdir $HOME/.docker/contexts/meta/new", ".docker/contexts/meta/new")]
#[case("cp $HOME/.kube/config $HOME/k; cat $HOME/k > $HOME/.kube/config", ".kube/config")]
#[case("touch $HOME/.docker/.torn; rm $HOME/.docker/.torn", ".docker d")]
#[case("chmod 640 $HOME/.lima/_config/user", ".lima/_config/user")]
#[case("ln -s elsewhere $HOME/.rd7", ".rd7")]
#[case("rm $HOME/.rd2/docker.sock", ".rd2/docker.sock")]
#[case("rm -r $HOME/.local/share/rancher-desktop-2", "rancher-desktop-2")]
#[case("mkdir $HOME/.local/state; touch $HOME/.local/state/rancher-desktop-3", "rancher-desktop-3")]
fn the_script_finds_a_change_of_the_users_files(#[case] change: &str, #[case] found: &str) {
    let place = Place::new();
    let ran = shell(&home(&place), change);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.starts_with("untouched: this was not to be touched"), "{said}");
    assert!(said.contains(found), "{said}");
    assert!(!said.contains("dTpw"), "{said}");
}

// The script ignores the directories that a build writes to. It exits with the command's code, also
// if it finds a change.
#[rstest]
#[case("mkdir -p $HOME/.cache/racetrap $HOME/.cargo", 0, false)]
#[case("exit 3", 3, false)]
#[case("rm $HOME/.kube/config; exit 3", 3, true)]
fn the_script_exits_as_the_command_does(
    #[case] command: &str,
    #[case] code: i32,
    #[case] changes: bool,
) {
    let place = Place::new();
    let ran = shell(&home(&place), command);
    assert_eq!(ran.status.code(), Some(code), "{ran:?}");
    assert_eq!(!ran.stderr.is_empty(), changes, "{ran:?}");
}

// In the user's Docker configuration, the current context leads nowhere, so a daemon that found it
// would replace it. The daemons and docker commands of these scenarios write more than those of
// others.
#[rstest]
#[case("320-I2")]
#[case("320-I3")]
#[case("own-D11")]
fn a_run_leaves_the_users_home_as_it_is(#[case] id: &str) {
    let place = Place::new();
    let home = home(&place);
    let ran = run_compared(&home, &mut place.racetrap(&["run", id]));
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{out}{err}");
    assert!(out.contains("pass"), "{out}");
    for (name, text) in PLANTED {
        assert_eq!(std::fs::read_to_string(home.join(name)).unwrap(), text, "{name}");
    }
}
