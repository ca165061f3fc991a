//! Builds anew when a directory that is embedded has a file more or less, or another one; and names the commit of a
//! release, so that an installed racetrap can say which one it is.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=../../scenarios/catalogue");
    println!("cargo::rerun-if-changed=../../docs/contract");
    // `scripts/racetrap` gives the commit. A debug build without it stays as it is when the commit changes.
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if is_release {
        println!("cargo::rerun-if-env-changed=RACETRAP_COMMIT");
        if std::env::var_os("RACETRAP_COMMIT").is_none() {
            name_commit();
        }
    }
}

/// Without a repository, as in an archive of the sources, the commit stays unknown.
fn name_commit() {
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    if let Some(commit) = git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]) {
        println!("cargo::rustc-env=RACETRAP_COMMIT={commit}");
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a build script has no world, and git ends by itself"
    )]
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
