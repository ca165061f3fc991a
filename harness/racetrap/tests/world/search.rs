//! `racetrap search`: what it finds in a daemon with a defect, and that a replay file repeats it.

use serde_json::Value;

use crate::place::{Place, output_without_canaries};

/// Runs the command, which must end with `exit`; returns its JSON.
fn racetrap(place: &Place, arguments: &[&str], exit: i32) -> Value {
    let arguments = [arguments, &["--format", "json"]].concat();
    let output = output_without_canaries(place.racetrap(&arguments).spawn().unwrap());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

// The defect makes its mirror differ as soon as a dangling image gets a tag, so that the search finds it
// while it learns. The search is told nothing but the workload.
#[test]
fn a_search_finds_shortens_and_repeats_a_failure() {
    let place = Place::new();
    let defect = ["--defect", "295-I6"];
    let search = ["search", "work-image-tags", "--first", "--for", "240s", "--shrink-for", "60s"];
    let found = racetrap(&place, &[&search[..], &defect].concat(), 1);
    let failure = &found["found"][0];
    assert_eq!(failure["signature"]["oracle"], "convergence", "{failure}");
    assert_eq!(failure["repeated"], serde_json::json!([3, 3]), "{failure}");
    let [whole, left] = ["steps", "steps_left"].map(|key| failure[key].as_u64().unwrap());
    assert!(left < whole, "{failure}");
    let replay = failure["replay"].as_str().unwrap();
    let again = racetrap(&place, &[&["repro", replay][..], &defect].concat(), 1);
    assert_eq!(again["run"]["replay"], "reproduced", "{again}");
    let token = failure["token"].as_str().unwrap();
    let by_token = racetrap(&place, &[&["repro", token][..], &defect].concat(), 1);
    assert_eq!(by_token["run"]["replay"], "reproduced", "{by_token}");
    let correct = racetrap(&place, &["repro", replay], 0);
    assert_eq!(correct["run"]["replay"], "not_reproduced", "{correct}");
    // In a state of its own, the search finds the same; listed as known, that does not fail it, and its
    // schedule is left as it is.
    let known =
        "- {oracle: convergence, check: 4.2-mirrors-differ, why: it is slow, since: June}\n";
    std::fs::write(place.path().join("known.yaml"), known).unwrap();
    let apart = ["--state", "apart.jsonl", "--known", "known.yaml", "--plans", "1"];
    let known = racetrap(&place, &[&search[..2], &apart, &defect].concat(), 0);
    let failure = &known["found"][0];
    assert_eq!((&failure["known"]["since"], &failure["earlier"]), (&"June".into(), &0.into()));
    assert_eq!(failure["repeated"], Value::Null, "{failure}");
    assert!(place.path().join("apart.html").exists());
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// After a failed connection, each later one is reported with that failure: no other oracle judges the message
// of a connected engine. A plan that ends with a restart shows it to `healing` as well, which is listed as
// known, so that the search ends at the first plan in which the world differs from the clean runs.
#[test]
fn a_search_finds_what_differs_from_clean_runs() {
    let place = Place::new();
    let known = "- {oracle: healing, check: 4.5.7-restart, why: a restart cures it, since: June}\n";
    std::fs::write(place.path().join("known.yaml"), known).unwrap();
    let defect = ["--defect", "own-R2"];
    let search = ["search", "--systematic", "work-volume-life", "--first", "--for", "240s"];
    let limits = ["--known", "known.yaml", "--shrink-for", "20s"];
    let found = racetrap(&place, &[&search[..], &limits, &defect].concat(), 1);
    let is_clean_runs = |it: &&Value| it["signature"]["oracle"] == "clean_runs";
    let failure = found["found"].as_array().unwrap().iter().find(is_clean_runs).expect("a failure");
    let reasons = failure["reasons"].to_string();
    assert!(
        reasons.contains("clean_runs: the App: condition ContainerEngineReady is"),
        "{reasons}"
    );
    assert_eq!(failure["repeated"], serde_json::json!([3, 3]), "{failure}");
    let replay = failure["replay"].as_str().unwrap();
    let again = racetrap(&place, &[&["repro", replay][..], &defect].concat(), 1);
    assert_eq!(again["run"]["replay"], "reproduced", "{again}");
    let correct = racetrap(&place, &["repro", replay], 0);
    assert_eq!(correct["run"]["replay"], "not_reproduced", "{correct}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// Under the defect each run fails, so that the first schedule of the hunt does. The next hunt goes on with what
// the first one has written, and tries first what has worked.
#[test]
fn a_hunt_goes_on_with_what_has_worked() {
    let place = Place::new();
    let defect = ["--defect", "295-I6"];
    let failed = racetrap(&place, &[&["repro", "work-image-tags"][..], &defect].concat(), 1);
    let evidence = failed["run"]["evidence"].as_str().unwrap();
    let state = ["--jobs", "1", "--state", "hunt.jsonl"];
    let hunt = ["hunt", evidence, "--for", "120s", "--shrink-for", "0s"];
    let hunt = [&hunt[..], &state].concat();
    let first = racetrap(&place, &hunt, 1);
    let [one, two] = [&first, &racetrap(&place, &hunt, 1)].map(|hunt| hunt["found"][0].clone());
    assert_eq!(one["signature"]["check"], "4.2-mirrors-differ", "{first}");
    assert_eq!((&one["earlier"], &two["plan"]), (&0.into(), &1.into()), "{two}");
    assert!(two["earlier"].as_u64() > Some(0) && one["token"] == two["token"], "{one} {two}");
    let page = std::fs::read_to_string(place.path().join("hunt.html")).unwrap();
    assert!(page.contains("4.2-mirrors-differ"), "{page}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// A search that has no time left for learning says so, and the next one begins with what is left.
#[test]
fn learning_ends_with_its_time() {
    let place = Place::new();
    let cut = racetrap(&place, &["learn", "work-volume-life", "--for", "0s"], 3);
    assert_eq!(cut["workloads"], serde_json::json!([]), "{cut}");
    let search = ["search", "work-volume-life", "--for", "0s", "--shrink-for", "0s"];
    let nothing = racetrap(&place, &search, 0);
    assert_eq!((&nothing["planned"], &nothing["plans"]), (&0.into(), &0.into()), "{nothing}");
}

// On the correct daemon, plans of each policy pass. What was learned once is used again.
#[test]
fn a_search_of_the_correct_daemon_finds_nothing() {
    let place = Place::new();
    let learned = racetrap(&place, &["learn", "work-volume-life", "--write", "learned.json"], 0);
    let sites = learned["workloads"][0]["sites"].as_array().unwrap();
    assert!(sites.iter().any(|site| site["call"]["write"]["resource"] == "volumes"), "{learned}");
    let limits = ["--plans", "12", "--for", "240s", "--shrink-for", "0s"];
    let search = [&["search", "--learned", "learned.json"][..], &limits].concat();
    let found = racetrap(&place, &search, 0);
    assert_eq!(found["found"], serde_json::json!([]), "{found}");
    assert_eq!(found["plans"], 12);
    // The next search goes on.
    let limits = ["--plans", "2", "--for", "120s", "--shrink-for", "0s"];
    let next =
        racetrap(&place, &[&["search", "--learned", "learned.json"][..], &limits].concat(), 0);
    assert_eq!((&next["earlier"], &next["plans"]), (&12.into(), &2.into()));
    let state = std::fs::read_to_string(next["state"].as_str().unwrap()).unwrap();
    let plans: Vec<Value> = state.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let plans = plans.iter().filter_map(|line| line["ran"]["plan"].as_str());
    assert_eq!(plans.collect::<std::collections::BTreeSet<_>>().len(), 14, "{state}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// What a seed draws can be read before anything is run. The same seed draws the same on every machine.
#[test]
fn a_seed_writes_its_plans() {
    let place = Place::new();
    let write = |seed: &str, directory: &str| {
        let arguments = ["search", "--random", "--seed", seed, "--plans", "20", "--write-plans"];
        let mut command = place.racetrap(&[&arguments[..], &[directory]].concat());
        assert!(command.spawn().unwrap().wait().unwrap().success());
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.unwrap().path();
            std::fs::read_to_string(path).unwrap()
        };
        let files = std::fs::read_dir(place.path().join(directory)).unwrap();
        files.map(read).collect::<std::collections::BTreeSet<_>>()
    };
    let (once, again, other) = (write("7", "a"), write("7", "b"), write("8", "c"));
    assert_eq!(once.len(), 20);
    assert_eq!(once, again);
    assert!(once.is_disjoint(&other));
}
