//! Worlds that cannot be started: each attempt gives a clear message and an exit code, and leaves
//! nothing.

use std::os::unix::net::UnixListener;

use crate::place::Place;

#[track_caller]
fn assert_refused(place: &Place, arguments: &[&str], exit: i32, messages: &[&str]) {
    let output = place.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    // Words are compared, because long messages are wrapped.
    let words = said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    for message in messages {
        assert!(words.contains(message), "`{message}` is not in: {said}");
    }
    assert_eq!(output.status.code(), Some(exit), "{said}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

#[test]
fn a_directory_too_long_for_sockets_is_refused_with_a_remedy() {
    let place = Place::new();
    let long = place.path().join("a".repeat(90));
    std::fs::create_dir(&long).unwrap();
    let mut command = place.racetrap(&["run", "295-I3"]);
    let output = command.env("TMPDIR", &long).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("set TMPDIR to a path that is"), "{said}");
    assert_eq!(output.status.code(), Some(4), "{said}");
}

#[test]
fn a_missing_program_is_named_with_its_package() {
    let place = Place::new();
    let empty = place.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let daemon = place.script("echo \"config $HOME/x\"");
    let mut command = place.racetrap(&["run", "295-I3", "--daemon", &daemon]);
    let output = command.env("PATH", &empty).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // The directories of the administrator are searched whatever PATH says, and containerd is not there.
    assert!(said.contains("it lacks containerd"), "{said}");
    assert!(said.contains("install the package containerd"), "{said}");
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

#[test]
fn a_daemon_that_does_not_exist_is_named_by_its_path() {
    let place = Place::new();
    assert_refused(&place, &["run", "295-I3", "--daemon", "/no/such/rdd"], 2, &["/no/such/rdd"]);
}

#[test]
fn the_message_about_a_daemon_that_dies_at_its_first_command_has_its_output() {
    let place = Place::new();
    let daemon = place.script("echo 'no space left on the moon' >&2; exit 7");
    assert_refused(
        &place,
        &["run", "295-I3", "--daemon", &daemon],
        3,
        &["`svc paths` exited with code 7", "no space left on the moon"],
    );
}

// The daemon answers `svc paths` and dies at `svc start`.
#[test]
fn the_message_about_a_daemon_that_dies_at_its_start_has_the_end_of_its_log() {
    let place = Place::new();
    let daemon = place.script(
        "logs=$HOME/.local/state/x\n\
         case \"$*\" in\n\
         'svc paths') echo \"dir $HOME/.rd\"; echo \"log_dir $logs\"; echo \"docker_socket $HOME/docker.sock\" ;;\n\
         'svc start') mkdir -p $logs; echo 'panic: out of luck' > $logs/rdd.stderr.log; exit 1 ;;\n\
         esac",
    );
    assert_refused(
        &place,
        &["run", "295-I3", "--daemon", &daemon],
        3,
        &["`svc start` exited with code 1", "panic: out of luck"],
    );
    let evidence = place.evidence().unwrap();
    assert!(evidence.join("daemon-rdd.stderr.log").is_file());
    assert!(evidence.join("journal.jsonl").is_file());
}

// Another process listens where the daemon would look for its engine.
#[test]
fn a_busy_socket_is_named_by_its_path() {
    let place = Place::new();
    let socket = place.path().join("busy.sock");
    let _owner = UnixListener::bind(&socket).unwrap();
    let daemon = place.script(&format!(
        "[ \"$*\" = 'svc paths' ] && ln -s {} $HOME/docker.sock; \
         echo \"docker_socket $HOME/docker.sock\"",
        socket.display()
    ));
    assert_refused(
        &place,
        &["run", "295-I3", "--daemon", &daemon],
        4,
        &["docker.sock is busy: another process answers there"],
    );
}

// The daemon itself names its paths. A path outside its world may be the user's.
#[test]
fn a_daemon_with_a_path_outside_its_world_is_refused() {
    let place = Place::new();
    let outside = place.path().join("of-the-user/docker.sock");
    let daemon = place.script(&format!("echo \"docker_socket {}\"", outside.display()));
    assert_refused(
        &place,
        &["run", "295-I3", "--daemon", &daemon],
        3,
        &["as its docker_socket, which is outside its world"],
    );
    assert!(!outside.parent().unwrap().exists());
}
