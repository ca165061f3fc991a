//! Steps of the language that no finding needs yet, on a real engine and the reference daemon.

use crate::place::Place;

/// Runs a schedule and keeps its evidence. Returns the exit code and everything that was printed.
#[track_caller]
fn run(place: &Place, schedule: &str) -> (Option<i32>, String) {
    let path = place.path().join("schedule.yaml");
    std::fs::write(&path, schedule).unwrap();
    let output = place.run(&["run", "--keep", path.to_str().unwrap()]);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

// Each step waits for an effect of the one before, or could not be done without it; the mirrors of all
// objects are compared at three checkpoints.
#[test]
fn a_user_of_the_engine_builds_commits_renames_executes_and_prunes() {
    let place = Place::new();
    let (code, said) = run(&place, include_str!("schedules/engine.yaml"));
    assert_eq!(code, Some(0), "{said}");
    let journal = place.journal();
    for name in ["child", "saved"] {
        assert!(journal.contains(&format!("\"name\":\"{name}\"")), "{name} was not named");
    }
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

#[test]
fn what_a_docker_command_makes_has_a_name_in_later_steps() {
    let place = Place::new();
    let (code, said) = run(&place, include_str!("schedules/docker.yaml"));
    assert_eq!(code, Some(0), "{said}");
    let story = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(story.contains("/containers/<made>/json: rewritten: Api-Version: 1.40"), "{said}");
}

// The status is another one than the schedule allows, so the run proves nothing.
#[test]
fn a_command_in_a_container_with_another_status_makes_the_run_unknown() {
    let place = Place::new();
    let schedule = include_str!("schedules/engine.yaml").replace("exit: 3}", "exit: 4}");
    let (code, said) = run(&place, &schedule);
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("exited with 3, not 4"), "{said}");
    assert_eq!(code, Some(3), "{said}");
}

// The texts come from the schedule, from the docker command's error, and from the path of the file. The
// run is unknown, because no context has that name, so that its whole timeline is printed.
#[test]
fn no_text_of_a_run_is_a_command_for_the_terminal() {
    let place = Place::new();
    let (code, said) = run(&place, include_str!("schedules/escape.yaml"));
    assert_eq!(code, Some(3), "{said:?}");
    let is_command = |letter: char| letter.is_control() && letter != '\n';
    assert!(!said.contains(is_command) && !said.contains('\u{202e}'), "{said:?}");
    assert!(said.contains("\\u001b[2J") && said.contains("\\u009b2J"), "{said:?}");
    let absent = place.run(&["run", "a\u{1b}]0;b\u{7}.yaml"]);
    let said = String::from_utf8(absent.stderr).unwrap();
    assert!(said.contains("a\\u001b]0;b\\u0007.yaml"), "{said:?}");
    assert!(!said.contains(is_command), "{said:?}");
}
