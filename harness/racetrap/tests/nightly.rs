//! The parts of the nightly workflow that need neither a world nor GitHub.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The state of searches of two daemons.
const SEARCHED: &str = include_str!("searched.jsonl");

/// Stands in for `gh`: keeps issues in a file, and writes down how it was called.
const GH: &str = r#"#!/usr/bin/env bash
set -euo pipefail
printf '%s\n' "$*" >>"$GH_STATE/calls"
issues=$GH_STATE/issues.json
[ -s "$issues" ] || echo '[]' >"$issues"
change() { jq "$@" "$issues" >"$issues.new" && mv "$issues.new" "$issues"; }
option() { while [ "$1" != "$name" ]; do shift; done; printf '%s' "$2"; }
case "$1 $2" in
"issue list") cat "$issues" ;;
"issue create")
    name=--title; title=$(option "$@")
    name=--body-file; body=$(option "$@")
    change --arg title "$title" --rawfile body "$body" '. + [{number: (length + 1), $title, $body, state: "OPEN"}]' ;;
"issue edit")
    name=--body-file; body=$(option "$@")
    change --argjson number "$3" --rawfile body "$body" 'map(if .number == $number then .body = $body else . end)' ;;
"issue reopen") change --argjson number "$3" 'map(if .number == $number then .state = "OPEN" else . end)' ;;
"label create") ;;
*) exit 1 ;;
esac
"#;

/// A copy of the script in a checkout of its own.
struct Night {
    home: TempDir,
}

impl Night {
    fn new() -> Self {
        let night = Self { home: TempDir::new().unwrap() };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/nightly");
        night.write("scripts/nightly", &std::fs::read_to_string(script).unwrap());
        night.write("bin/gh", GH);
        night
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a program.
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, what: &str) -> Command {
        let mut command = Command::new(self.path("scripts/nightly"));
        let path = std::env::var("PATH").unwrap();
        command.arg(what).env_clear().env("HOME", self.home.path());
        command.env("PATH", format!("{}:{path}", self.path("bin").display()));
        command.env("GH_STATE", self.home.path()).env("RUN_URL", "https://example.org/run/1");
        command.env("RACETRAP", env!("CARGO_BIN_EXE_racetrap"));
        command
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }
}

/// The state of two shards, each as its machine has left it.
fn searched(night: &Night) {
    for (shard, own) in [("shard-1", "one"), ("shard-2", "two")] {
        let lines = SEARCHED.lines().filter(|line| {
            line.starts_with("{\"file\"") || line.contains(&format!("\"session\":\"{own}\""))
        });
        let text: Vec<_> = lines.collect();
        let name = format!(".racetrap/nightly/daemon/{shard}/systematic.jsonl");
        night.write(&name, &(text.join("\n") + "\n"));
        // Evidence of a run has a journal, which is no state.
        night.write(&format!(".racetrap/nightly/daemon/{shard}/run/journal.jsonl"), "{}\n");
    }
    let control =
        json!({"runs": [{"verdict": "pass"}, {"verdict": "fail"}, {"verdict": "unknown"}]});
    night.write(".racetrap/nightly/daemon/control.json", &control.to_string());
}

// Two nights. In the second one the failure was fixed and closed by hand, and comes again.
#[test]
fn each_way_to_fail_gets_one_issue_which_is_updated_and_opened_again() {
    let night = Night::new();
    searched(&night);
    night.run("conclude").assert().success();
    night.run("issues").assert().success();
    let issues = night.json("issues.json");
    let [issue] = &issues.as_array().unwrap()[..] else { panic!("one issue: {issues}") };
    assert_eq!(issue["title"], "racetrap: convergence (4.2-mirrors-differ) on daemon");
    let body = issue["body"].as_str().unwrap();
    for expected in
        ["2 times", "racetrap repro rt1:", "https://example.org/run/1", "```\nv2.0 (abab"]
    {
        assert!(body.contains(expected), "{expected}: {body}");
    }
    let closed = issues.to_string().replace("OPEN", "CLOSED").replace("2 times", "once");
    std::fs::write(night.path("issues.json"), closed).unwrap();
    night.run("issues").assert().success();
    let after = night.json("issues.json");
    assert_eq!(after, issues, "the text is that of today, and the issue is open");
    let calls = std::fs::read_to_string(night.path("calls")).unwrap();
    assert_eq!(calls.lines().filter(|call| call.starts_with("issue create")).count(), 1, "{calls}");
}

#[test]
fn the_trend_gets_a_line_for_each_night_and_daemon() {
    let night = Night::new();
    searched(&night);
    for lines in [1, 2] {
        night.run("conclude").assert().success();
        let trend = std::fs::read_to_string(night.path(".racetrap/nightly/trend.jsonl")).unwrap();
        assert_eq!(trend.lines().count(), lines);
        let last: Value = serde_json::from_str(trend.lines().last().unwrap()).unwrap();
        let facts = [
            "name",
            "daemon",
            "found",
            "known",
            "alarms",
            "control_runs",
            "plans",
            "rate",
            "covered",
        ];
        let facts = facts.map(|key| last[key].clone());
        let expected = json!(["daemon", "v2.0", 1, 1, 1, 3, 7, 14, 6]);
        assert_eq!(json!(facts), expected, "{last}");
    }
    assert!(night.path(".racetrap/nightly/daemon/merged.html").exists());
}

// The program itself, or an archive of it, wherever in it the program lies.
#[test]
fn a_daemon_is_fetched_from_an_address() {
    let night = Night::new();
    night.write("build/out/rdd", "#!/bin/sh\necho v7.0\n");
    let tar = |place: &Path| {
        let mut archive = tar::Builder::new(std::fs::File::create(place).unwrap());
        archive.append_dir_all("dist", night.path("build")).unwrap();
        archive.finish().unwrap();
    };
    tar(&night.path("rdd.tar"));
    for file in ["rdd.tar", "build/out/rdd"] {
        let address = format!("file://{}", night.path(file).display());
        night.run("daemon").env("DAEMON_URL", address).assert().success();
        let program = night.path(".racetrap/nightly/rdd");
        Command::new(&program).assert().success().stdout("v7.0\n");
        std::fs::remove_file(program).unwrap();
    }
    night.run("daemon").assert().success();
    assert!(!night.path(".racetrap/nightly/rdd").exists());
    night.run("fly").assert().code(2);
}
