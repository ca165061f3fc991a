//! The workflows of GitHub: what they must be, beside what their linter knows.
//!
//! A key that is not listed here is refused, as the linter lets a misspelt one pass.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "keys that may be there, whatever they hold")]
struct Workflow {
    name: String,
    on: IgnoredAny,
    permissions: BTreeMap<String, String>,
    concurrency: IgnoredAny,
    jobs: BTreeMap<String, Job>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(dead_code, reason = "keys that may be there, whatever they hold")]
struct Job {
    name: String,
    runs_on: String,
    timeout_minutes: u64,
    needs: Option<IgnoredAny>,
    r#if: Option<IgnoredAny>,
    strategy: Option<IgnoredAny>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(dead_code, reason = "keys that may be there, whatever they hold")]
struct Step {
    name: String,
    timeout_minutes: u64,
    #[serde(default)]
    r#if: String,
    #[serde(default)]
    run: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    uses: String,
    #[serde(default)]
    with: BTreeMap<String, serde_json::Value>,
}

/// What is wrong with a workflow, one sentence each.
fn wrong(text: &str) -> Vec<String> {
    let workflow: Workflow = match serde_yaml::from_str(text) {
        Ok(workflow) => workflow,
        Err(error) => return vec![format!("it cannot be read: {error}")],
    };
    let mut wrong = Vec::new();
    if workflow.permissions != BTreeMap::from([("contents".to_owned(), "read".to_owned())]) {
        wrong.push(format!("{:?} are more permissions than to read", workflow.permissions));
    }
    for (name, job) in &workflow.jobs {
        let sum: u64 = job.steps.iter().map(|step| step.timeout_minutes).sum();
        if sum > job.timeout_minutes {
            wrong.push(format!(
                "{name}: its steps may take {sum} minutes, and the job {}",
                job.timeout_minutes
            ));
        }
        for step in &job.steps {
            wrong.extend(wrong_step(step));
        }
        wrong.extend(write_permission(job).map(|what| format!("{name}: {what}")));
        wrong.extend(evidence(job).map(|what| format!("{name}: {what}")));
    }
    wrong
}

fn wrong_step(step: &Step) -> Option<String> {
    let Step { name, run, .. } = step;
    let script = run.starts_with("exec .ci/run") || run.starts_with("exec scripts/");
    if !run.is_empty() && (!script || run.trim().lines().count() > 1) {
        return Some(format!("{name}: `{run}` is no `exec` of a script of ours"));
    }
    // The step is killed some seconds after its limit, and the command begins some time after the step.
    let begun = Duration::from_secs(60);
    let limit = Duration::from_secs(step.timeout_minutes * 60);
    let killed = run.split_once("--killed-after ").map(|(_, after)| after);
    let killed = killed.and_then(|after| after.split_whitespace().next()?.parse().ok());
    let killed = Duration::from_secs(killed.unwrap_or_default());
    (killed + begun > limit).then(|| {
        format!("{name}: it is killed after {limit:?}, and not as late as --killed-after says")
    })
}

/// A job may write issues, if it runs no world and nothing that was fetched.
fn write_permission(job: &Job) -> Option<String> {
    let may = |(name, access): (&String, &String)| {
        access == "read" || (name == "issues" && access == "write" && !runs_worlds(job))
    };
    (!job.permissions.iter().all(may))
        .then(|| format!("{:?} are more permissions than it needs", job.permissions))
}

/// Whether a step may run worlds: those need root, which `.ci/run` asks for.
fn runs_worlds(job: &Job) -> bool {
    job.steps.iter().any(|step| step.run.contains(".ci/run"))
}

/// A job that runs worlds hands their evidence over, also after it was cancelled.
fn evidence(job: &Job) -> Option<String> {
    if !runs_worlds(job) {
        return None;
    }
    let also_after = ["failure()", "cancelled()"];
    let always = |step: &&Step| also_after.iter().all(|when| step.r#if.contains(when));
    let mut late = job.steps.iter().filter(always);
    let made = late.clone().any(|step| step.run.trim() == "exec .ci/run evidence");
    let paths = |step: &Step| step.with.get("path").map(ToString::to_string).unwrap_or_default();
    let handed = late.any(|step| {
        let places = [".racetrap", "target/tmp"];
        step.uses.starts_with("actions/upload-artifact@")
            && places.iter().all(|place| paths(step).contains(place))
    });
    (!made || !handed).then(|| "evidence is not handed over after anything but success".to_owned())
}

fn ours() -> BTreeMap<String, String> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.github/workflows"));
    let files = std::fs::read_dir(root).expect("there are workflows");
    let files = files.map(|file| file.expect("it can be read").path());
    let read = |path: &Path| std::fs::read_to_string(path).expect("it is a text");
    files.map(|path| (path.display().to_string(), read(&path))).collect()
}

#[test]
fn workflows_call_scripts_in_time_and_hand_evidence_over_after_anything_but_success() {
    let ours = ours();
    assert!(!ours.is_empty());
    for (path, text) in ours {
        assert_eq!(wrong(&text), Vec::<String>::new(), "{path}");
    }
}

/// Each change of our own workflow makes it wrong in one way, which must be found.
#[test]
fn what_is_wrong_with_a_workflow_is_found() {
    let ours = ours();
    let [good, nightly] = ["ci.yml", "nightly.yml"]
        .map(|name| ours.iter().find(|(path, _)| path.ends_with(name)).expect("a workflow").1);
    let found =
        wrong(&nightly.replace("exec scripts/nightly issues", "exec .ci/run nightly issues"));
    assert!(found[0].contains("more permissions than it needs"), "{found:?}");
    let found = wrong(&nightly.replace("issues: write", "packages: write"));
    assert!(found.len() == 1 && found[0].contains("more permissions than it needs"), "{found:?}");
    for (from, to, expected) in [
        ("contents: read", "contents: write", "more permissions than to read"),
        ("runs-on:", "runs_on:", "cannot be read"),
        ("timeout-minutes: 30", "timeout-minutess: 30", "cannot be read"),
        ("timeout-minutes: 30", "timeout-minutes: 31", "steps may take 66 minutes"),
        ("run: exec .ci/run test", "run: .ci/run test", "no `exec` of a script"),
        ("run: exec .ci/run test", "run: exec cargo test", "no `exec` of a script"),
        ("--killed-after 840", "--killed-after 841", "not as late as --killed-after says"),
        ("if: failure() || cancelled()", "if: failure()", "evidence is not handed over"),
        ("if: failure() || cancelled()", "if: \"!cancelled()\"", "evidence is not handed over"),
        ("            target/tmp\n", "", "evidence is not handed over"),
    ] {
        assert!(good.contains(from), "{from}");
        let found = wrong(&good.replace(from, to));
        assert!(found.len() == 1 && found[0].contains(expected), "{from} -> {to}: {found:?}");
    }
}
