//! Clients of logs that differ for different readers are right, if they have what the engine sent for
//! them.

use rstest::rstest;

use crate::place::Place;

/// The exit codes of a run that passed and of one that is unknown.
const PASS: i32 = 0;
const UNKNOWN: i32 = 3;

/// What each schedule begins with.
const BEGIN: &str = "
finding: 323-T2
steps:
  - app: {running: true}
  - load_image: {image: base, tags: ['base:1']}
";

/// The engine ends the log at the restart. A later client has the output of both runs.
const RESTART: &str = "
  - create_container: {name: talker, image: base, start: true, prints: {command: [lines, '3', --stay]}}
  - settle
  - open_log: {client: follower, log: {of: talker}}
  - await: {log_lines: {client: follower, lines: 3}}
  - container: {name: talker, op: restart}
  - await: {log_end: follower}
  - settle
  - open_log: {client: again, log: {of: talker}}
  - await: {log_lines: {client: again, lines: 6}}
  - settle
";

/// The last lines are those at the time of each request, and what follows. Two clients request the
/// same, and one a parameter that the contract does not have.
const WHILE_IT_PRINTS: &str = "
  - create_container: {name: talker, image: base, start: true, prints: {command: [lines, '60', --every, '50', --stay]}}
  - await: {container: {name: talker, state: running}}
  - open_log: {client: all, log: {of: talker}}
  - open_log: {client: all-too, log: {of: talker}}
  - await: {log_lines: {client: all, lines: 5}}
  - open_log: {client: last, log: {of: talker, query: {tail: '2'}}}
  - open_log: {client: now, log: {of: talker, query: {follow: 'false'}}}
  - open_log: {client: since, log: {of: talker, query: {since: '1'}}}
  - await: {log_end: now}
  - settle
  - await: {log_lines: {client: all, lines: 60}}
  - settle
";

/// The engine keeps the last line, which has no end, from a client that follows.
const NO_END_OF_LINE: &str = "
  - create_container: {name: raw, image: base, start: true, prints: {command: [bytes, --stay], log_driver: local}}
  - settle
  - open_log: {client: follower, log: {of: raw}}
  - settle
  - container: {name: raw, op: stop}
  - await: {log_end: follower}
  - open_log: {client: later, log: {of: raw}}
  - await: {log_end: later}
  - settle
";

/// Nobody creates the volume. Then the harness ends the daemon, and the client's connection breaks.
const STUCK: &str = "
  - create_container: {name: talker, image: base, start: true, prints: {command: [lines, '1', --stay]}}
  - settle
  - open_log: {client: follower, log: {of: talker}}
  - open_log: {client: follower-inner, log: {of: talker, door: inner}}
  - await: {log_lines: {client: follower, lines: 1}}
  - settle
  - await: {volume: never}
  - settle
";

#[rstest]
#[case::restart(RESTART, "30", PASS)]
#[case::while_it_prints(WHILE_IT_PRINTS, "30", PASS)]
#[case::no_end_of_line(NO_END_OF_LINE, "30", PASS)]
#[case::the_harness_ends_a_run_that_cannot_go_on(STUCK, "10", UNKNOWN)]
fn a_client_with_what_the_engine_sent_for_it_is_right(
    #[case] steps: &str,
    #[case] deadline: &str,
    #[case] code: i32,
) {
    let place = Place::new();
    let file = place.path().join("logs.yaml");
    std::fs::write(&file, [BEGIN, steps].concat()).unwrap();
    let output = place.run(&["run", file.to_str().unwrap(), "--deadline", deadline]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
}
