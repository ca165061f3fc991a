use std::collections::BTreeSet;

use serde_json::Value;

use crate::sandbox::{Sandbox, outcome};

/// The files are the expectation: each is listed with the number of its steps.
#[test]
fn workloads_as_json_are_the_files_with_what_they_touch() {
    let sandbox = Sandbox::new();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["workloads", "--format", "json"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let object: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(object["version"], 1);
    let listed = object["workloads"].as_array().unwrap();
    let ids: BTreeSet<_> = listed.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/workloads");
    let files = std::fs::read_dir(directory).unwrap().map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        format!("work-{}", name.strip_suffix(".yaml").unwrap())
    });
    assert_eq!(ids, files.collect());
    let life = listed.iter().find(|it| it["id"] == "work-container-life").unwrap();
    assert_eq!(life["steps"], 15);

    let surface = object["surface"].as_array().unwrap();
    let is_touched = |item: &&Value| !item["workloads"].as_array().unwrap().is_empty();
    let touched = surface.iter().filter(is_touched).count();
    assert_eq!(
        (&object["touched"], &object["untouched"]),
        (&touched.into(), &(surface.len() - touched).into())
    );
    let reasons = surface.iter().filter(|item| item.get("why_not").is_some());
    assert_eq!(object["out_of_reach"], reasons.clone().count());
    assert!(reasons.clone().all(|item| !is_touched(&item)), "a reason for what is touched");
    let item = |group: &str, name: &str| {
        let found = surface.iter().find(|item| item["group"] == group && item["name"] == name);
        found.unwrap_or_else(|| panic!("no {group} {name}"))
    };
    let by: Vec<_> =
        item("container_op", "restart")["workloads"].as_array().unwrap().iter().collect();
    assert!(by.contains(&&"work-container-life".into()), "{by:?}");
    assert_eq!(item("step", "hold")["why_not"], "a disturbance: a search inserts it");
}

/// The gaps are what a reader looks for, so they come last, above the counts.
#[test]
fn what_no_workload_touches_is_printed_last() {
    let sandbox = Sandbox::new();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["workloads"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let (touched, gaps) = stdout.split_once("\nNo workload touches:\n").unwrap();
    assert!(touched.contains("work-container-life"), "{touched}");
    assert!(!gaps.contains("work-"), "{gaps}");
    let last = stdout.lines().last().unwrap();
    assert!(last.contains(" workloads; ") && last.contains(" not, "), "{last}");
}

/// The run needs no daemon that works to show which scenario was found.
#[test]
fn a_workload_can_be_run_by_its_id_and_by_its_file() {
    let sandbox = Sandbox::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/workloads/volume-life.yaml");
    for target in ["work-volume-life", file] {
        let arguments = ["run", target, "--daemon", "/bin/false", "--format", "json"];
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
        assert_eq!(code, 3, "{stderr}");
        let object: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(object["runs"][0]["finding"], "work-volume-life");
    }
    let (code, _, stderr) = outcome(&mut sandbox.racetrap(&["run", "work-volume-lif"]));
    assert_eq!(code, 2, "{stderr}");
}

#[test]
fn a_workload_that_nobody_knows_is_answered_with_the_nearest() {
    let sandbox = Sandbox::new();
    let (code, _, stderr) = outcome(&mut sandbox.racetrap(&["search", "work-image-tag"]));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("the nearest are `work-image-tags`, "), "{stderr}");
}
